//! Memory plans: nothing that is alive together overlaps, and no plan is larger than it must be.

use arenet_compiler::pass::memory::{Lifetime, Placement, lower_bound, place};
use arenet_compiler::{Compiled, Options, compile};
use arenet_program::{BufferId, EntryPoint, Program, Step};
use pretty_assertions::assert_eq;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::collections::HashMap;

fn config(cases: u32) -> ProptestConfig {
    let rng_seed = RngSeed::Fixed(7);
    ProptestConfig { cases, rng_seed, failure_persistence: None, ..ProptestConfig::default() }
}

/// The most bytes alive at any step, by looking at every step.
fn peak(lifetimes: &[Lifetime]) -> u64 {
    let steps = lifetimes.iter().map(|value| value.last).max().unwrap_or(0);
    let alive = |step| lifetimes.iter().filter(move |v| v.first <= step && step <= v.last);
    (0..=steps).map(|step| alive(step).map(|v| v.bytes).sum()).max().unwrap_or(0)
}

/// Checks that a plan keeps apart whatever is alive together.
fn check_placement(lifetimes: &[Lifetime], placement: &Placement) {
    assert_eq!(placement.offsets.len(), lifetimes.len());
    let placed: Vec<_> = lifetimes.iter().zip(&placement.offsets).collect();
    for (i, &(a, &a_at)) in placed.iter().enumerate() {
        assert!(a_at + a.bytes <= placement.bytes, "value {i} ends beyond the region");
        for (j, &(b, &b_at)) in placed.iter().enumerate().skip(i + 1) {
            let together = a.first <= b.last && b.first <= a.last;
            let overlap = a_at < b_at + b.bytes && b_at < a_at + a.bytes;
            assert!(!(together && overlap), "values {i} and {j} overlap while both are alive");
        }
    }
}

fn lifetimes(most: usize) -> impl Strategy<Value = Vec<Lifetime>> {
    let value = (0..40u32, 0..20u32, 0..9u64);
    let value = value.prop_map(|(first, length, lines)| Lifetime {
        first,
        last: first + length,
        bytes: lines * 64,
    });
    prop::collection::vec(value, 0..most)
}

/// Layers of random widths, with every loss and optimizer that changes the shape of a step.
#[derive(Clone, Debug)]
struct Chain {
    widths: Vec<usize>,
    optimizer: &'static str,
    activation: &'static str,
    batch: u64,
}

fn chain() -> impl Strategy<Value = Chain> {
    let widths = prop::collection::vec(1..70usize, 1..=12);
    let optimizer =
        prop::sample::select(vec!["sgd(lr: 0.1)", "sgd(lr: 0.1, momentum: 0.9)", "adam()"]);
    let activation = prop::sample::select(vec!["sigmoid", "tanh", "relu"]);
    let fields = (widths, optimizer, activation, 1..70u64);
    fields.prop_map(|(widths, optimizer, activation, batch)| Chain {
        widths,
        optimizer,
        activation,
        batch,
    })
}

impl Chain {
    fn source(&self) -> String {
        let mut text = String::from("net chain {\n input x: [N, 9]\n h0 = x\n");
        for (i, width) in self.widths.iter().enumerate() {
            let activation = self.activation;
            text += &format!(" h{} = h{i} |> dense({width}) |> {activation}\n", i + 1);
        }
        let depth = self.widths.len();
        let (width, optimizer) = (self.widths[depth - 1], self.optimizer);
        text + &format!(
            " output y = h{depth}\n}}\ntrain {{\n target t: [N, {width}]\n loss = mse(y, t)\n \
             optimizer = {optimizer}\n}}\n"
        )
    }
}

fn compiled(source: &str, batch: u64) -> Compiled {
    let options = Options { batch: Some(batch), ..Options::default() };
    compile(source, &options).unwrap_or_else(|errors| panic!("{errors:?}\n{source}"))
}

/// What verification proves, once more and slowly: every 64 bytes of the arena know which buffer
/// wrote them last, and each step reads only what is still there, and writes over what it reads
/// only where its kernel reads the same elements just before.
fn check_steps(program: &Program, steps: &[Step]) {
    let range = |id: BufferId| {
        let buffer = &program.buffers[id.0 as usize];
        let bytes = buffer.layout.bytes(program.batch).unwrap();
        assert_eq!((buffer.offset % 64, bytes % 64), (0, 0), "buffer {} is aligned", id.0);
        buffer.offset / 64..(buffer.offset + bytes) / 64
    };
    let ports = program.inputs.iter().chain(&program.targets).map(|port| port.buffer);
    let params = program.params.iter().flat_map(|p| p.buffers());
    let scalars = program.scalars.iter().map(|&(_, id)| id);
    let mut owner: HashMap<u64, BufferId> = HashMap::new();
    for id in ports.chain(params).chain(scalars) {
        owner.extend(range(id).map(|line| (line, id)));
    }
    let place = |id: BufferId| {
        let buffer = &program.buffers[id.0 as usize];
        (buffer.offset, buffer.layout)
    };
    for (i, step) in steps.iter().enumerate() {
        let access = step.kernel.access();
        for read in access.reads() {
            for line in range(read) {
                let last = owner.get(&line).unwrap_or_else(|| panic!("step {i} reads nothing"));
                assert!(place(*last) == place(read), "step {i} reads what was overwritten");
            }
        }
        let mut written: HashMap<u64, BufferId> = HashMap::new();
        for &write in &access.writes {
            for line in range(write) {
                assert_eq!(written.insert(line, write), None, "step {i} writes a line twice");
            }
        }
        let overlaps = |read: BufferId| range(read).filter_map(|line| written.get(&line));
        for &read in &access.gathers {
            assert_eq!(overlaps(read).next(), None, "step {i} overwrites what it gathers");
        }
        for &read in &access.streams {
            let same = overlaps(read).all(|&write| place(write) == place(read));
            assert!(same, "step {i} partly overwrites what it streams");
        }
        owner.extend(written);
    }
}

fn check_program(compiled: &Compiled) {
    let program = &compiled.program;
    for entry in program.routines.iter() {
        check_steps(program, &entry.steps);
        assert!(entry.bytes <= program.arena_bytes && entry.lower_bound <= entry.bytes);
    }
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn values_alive_together_never_overlap(lifetimes in lifetimes(60)) {
        let placement = place(&lifetimes);
        check_placement(&lifetimes, &placement);
        prop_assert_eq!(lower_bound(&lifetimes), peak(&lifetimes));
        prop_assert!(placement.bytes >= peak(&lifetimes));
    }

    #[test]
    fn few_values_of_one_size_take_no_more_than_they_must(mut lifetimes in lifetimes(20)) {
        // Intervals are coloured optimally by taking them as they come.
        lifetimes.iter_mut().for_each(|value| value.bytes = 64);
        let placement = place(&lifetimes);
        check_placement(&lifetimes, &placement);
        prop_assert_eq!(placement.bytes, peak(&lifetimes));
    }
}

proptest! {
    #![proptest_config(config(150))]

    #[test]
    fn chains_of_dense_layers_take_no_more_than_they_must(chain in chain()) {
        let compiled = compiled(&chain.source(), chain.batch);
        check_program(&compiled);
        for plan in compiled.plans.iter() {
            prop_assert_eq!(plan.bytes, plan.lower_bound);
        }
    }
}

#[test]
fn more_values_than_are_searched_are_still_placed() {
    // Some 1,500 values, of sizes and lengths that repeat with different periods.
    let value = |i: u64| Lifetime {
        first: i as u32,
        last: (i + i * i % 37) as u32,
        bytes: (i * 7 % 13) * 64,
    };
    let lifetimes: Vec<Lifetime> = (0..1_500).map(value).collect();
    let placement = place(&lifetimes);
    check_placement(&lifetimes, &placement);
    assert_eq!(lower_bound(&lifetimes), peak(&lifetimes));
}

#[test]
fn a_thousand_layers_are_planned() {
    let widths = (0..1_000).map(|i| 8 + i % 5).collect();
    let (optimizer, activation) = ("adam()", "relu");
    let chain = Chain { widths, optimizer, activation, batch: 32 };
    let compiled = compiled(&chain.source(), chain.batch);
    check_program(&compiled);
    let train = &compiled.plans[EntryPoint::Train];
    assert_eq!(train.bytes, train.lower_bound);
}

#[test]
fn nets_that_are_no_chains_are_planned_without_overlap() {
    for (source, batch) in [
        (
            "net residual {
                input x: [N, 20]
                a = x |> dense(20) |> relu
                b = a + x |> dense(20) |> gelu
                output y = b + a |> dense(3)
                output p = softmax(y)
            }
            train {
                target t: i32[N]
                loss = cross_entropy(y, t)
                metric accuracy(y, t)
                optimizer = adamw(lr: 0.01)
            }",
            33,
        ),
        (
            "net two {
                input a: [N, 5]
                input b: [N, 7]
                layer f(v) = v |> dense(16) |> tanh
                param w: [5, 7]
                h = f(a @ w) * f(b)
                output y = h |> dense(1)
                output again = a
            }
            train {
                target t: [N, 1]
                loss = 0.5 * mse(y, t) + mae(y, t)
                optimizer = sgd(lr: 0.1, momentum: 0.9, nesterov: true)
            }",
            8,
        ),
        (
            // Each update reads what the other overwrites, and a product gathers what it updates.
            "net circle {
                input x: [N, 5]
                param p: [5] = uniform(0, 1)
                param q: [5] = uniform(0, 1)
                param w: [5, 5]
                param s: [] = ones()
                output y = x * (p * q) @ (w @ w) * s
            }
            train {
                target t: [N, 5]
                loss = mse(y, t)
                optimizer = sgd(lr: 0.1)
            }",
            8,
        ),
    ] {
        check_program(&compiled(source, batch));
    }
}

#[test]
fn initial_values_need_no_room_of_their_own() {
    let source = "net wide { input x: [N, 300] output y = x |> dense(200) |> dense(100) }";
    let program = compiled(source, 1).program;
    let [init, predict] =
        [EntryPoint::Init, EntryPoint::Predict].map(|entry| &program.routines[entry]);
    assert_eq!(init.bytes, init.lower_bound);
    // The parameters and the port are all that the initial values touch.
    assert!(init.bytes < predict.bytes);
    assert_eq!(program.arena_bytes, predict.bytes);
}

#[test]
fn the_most_that_is_alive_is_the_lower_bound() {
    for name in ["digits", "seed", "xor", "iris", "heads", "residual", "siamese", "autoencoder"] {
        let path = format!("{}/../models/{name}.net", env!("CARGO_MANIFEST_DIR"));
        let compiled = compile(&std::fs::read_to_string(path).unwrap(), &Options::default());
        let compiled = compiled.unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
        for (entry, plan) in EntryPoint::ALL.into_iter().zip(compiled.plans.iter()) {
            let steps = compiled.program.routines[entry].steps.len();
            let alive = plan.alive(steps);
            assert_eq!(alive.len(), steps);
            if steps > 0 {
                assert_eq!(alive.into_iter().max(), Some(plan.lower_bound), "{name} {entry:?}");
            }
        }
    }
}
