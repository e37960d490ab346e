//! The executor: what it refuses, ports written in parts, rows that do not know of each other, and
//! threads.

use crate::common::weights::predictor_of;
use crate::common::{Net, Numbers, compile, executor, sum, worth_sharing};
use arenet_compiler::graph::op::{Axis, Operand};
use arenet_compiler::graph::{Formula, Shape};
use arenet_runtime::exec::share::{Split, shares};
use arenet_runtime::exec::{EntryPoint, Executor, Options, RunError};
use arenet_runtime::program::{Port, Program, Verified};
use arenet_runtime::simd::Isa;
use pretty_assertions::assert_eq;
use std::sync::Arc;
use std::time::Duration;

const IRIS: &str = "
    net iris {
        input x: [N, 3]
        h = x |> dense(5) |> tanh
        output logits = h |> dense(3)
        output probs = softmax(logits)
    }
    train {
        target species: i32[N]
        loss = cross_entropy(logits, species)
        metric accuracy(logits, species)
        optimizer = sgd(lr: 0.5, momentum: 0.9)
    }";

/// Every step of its large layers is worth more than one thread.
const WIDE: &str = "
    net wide {
        input x: [N, 700]
        param gain: [700] = uniform(0.5, 1.5)
        h = x * gain |> dense(600) |> sigmoid
        output y = h |> dense(650)
        output probs = softmax(y)
    }
    train {
        target t: [N, 650]
        target class: i32[N]
        loss = mse(y, t) + cross_entropy(y, class)
        optimizer = adam(lr: 0.01)
    }";

fn predict_only() -> Arc<Verified> {
    compile("net n { input x: [N, 3]  output y = x |> dense(2) }", 4)
}

/// Fills all ports with numbers that depend on the row alone.
fn fill(executor: &mut Executor, rows: usize) {
    let program = executor.program().clone();
    for port in program.inputs.iter().chain(&program.targets) {
        let width = port.width as usize;
        let values = Numbers::new(width as u64).floats(rows * width);
        match port.domain.classes() {
            None => executor.write_floats(port, 0, &values).unwrap(),
            Some(classes) => {
                let indices: Vec<i32> = (0..rows as i32).map(|i| i % classes as i32).collect();
                executor.write_indices(port, 0, &indices).unwrap();
            }
        }
    }
}

fn outputs(executor: &Executor, rows: usize) -> Vec<u32> {
    let mut values = Vec::new();
    for output in &executor.program().outputs {
        executor.read_rows(output.buffer, rows, &mut values);
    }
    values.iter().map(|x| x.to_bits()).collect()
}

fn params(executor: &Executor) -> Vec<u32> {
    let params = executor.program().params.iter();
    let buffers = params.flat_map(|param| param.buffers());
    let values = buffers.flat_map(|id| executor.read(id));
    values.map(|x| x.to_bits()).collect()
}

#[test]
fn what_does_not_fit_is_refused_with_a_sentence() {
    type Attempt = fn(&mut Executor, &Program) -> Result<(), RunError>;
    let attempts: &[(Attempt, &str)] = &[
        (|e, _| e.run(EntryPoint::Predict, 0), "a run takes 1 to 4 rows, not 0"),
        (|e, _| e.run(EntryPoint::Train, 5), "a run takes 1 to 4 rows, not 5"),
        (
            |e, p| e.write_floats(&p.inputs[0], 0, &[0.0; 4]),
            "`x` takes 3 values a row, 4 are not whole rows",
        ),
        (|e, p| e.write_floats(&p.inputs[0], 0, &[0.0; 15]), "`x` is planned for 4 rows"),
        (|e, p| e.write_floats(&p.inputs[0], 3, &[0.0; 6]), "`x` is planned for 4 rows"),
        (|e, p| e.write_floats(&p.inputs[0], usize::MAX, &[0.0; 6]), "`x` is planned for 4 rows"),
        (|e, p| e.write_indices(&p.inputs[0], 0, &[0; 3]), "`x` does not hold I32"),
        (|e, p| e.write_floats(&p.targets[0], 0, &[0.0]), "`species` does not hold F32"),
        (
            |e, p| e.write_indices(&p.targets[0], 0, &[0, 3]),
            "`species` is 3 in row 1, outside 0..3",
        ),
        (|e, p| e.write_indices(&p.targets[0], 0, &[-1]), "`species` is -1 in row 0, outside 0..3"),
        (
            |e, p| e.write_floats(&Port { name: "z".into(), ..p.inputs[0].clone() }, 0, &[0.0; 3]),
            "`z` is a port of another program",
        ),
        (|e, p| e.write(p.params[0].buffer, &[0.0; 2]), "3 x 5 values are needed, not 2"),
    ];
    let mut executor = executor(&compile(IRIS, 4), 1, Isa::detect(), 1.0);
    let program = executor.program().clone();
    for (attempt, message) in attempts {
        let error = attempt(&mut executor, &program).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some(*message));
    }
}

#[test]
fn a_net_without_training_only_predicts() {
    let mut executor = executor(&predict_only(), 1, Isa::detect(), 1.0);
    for entry in [EntryPoint::Train, EntryPoint::Eval] {
        let error = executor.run(entry, 1).unwrap_err();
        assert_eq!(error, RunError::Entry(entry));
        assert_eq!(error.to_string(), "the net has no `train` section, so it can only predict");
    }
    assert_eq!(executor.run(EntryPoint::Predict, 4), Ok(()));
}

#[test]
fn an_arena_over_the_limit_is_not_allocated() {
    let program = predict_only();
    let arena = executor(&program, 1, Isa::detect(), 1.0).arena_bytes() as u64;
    let with = |max_memory| {
        let options = Options { isa: None, threads: Some(1), max_memory: Some(max_memory) };
        Executor::new(program.clone(), options).map(|_| ())
    };
    let refused = |limit| match with(limit) {
        Err(RunError::Memory { needed, limit: told }) => {
            assert_eq!(told, limit);
            needed
        }
        other => panic!("{other:?}"),
    };
    // The arena alone is not enough: it is counted with the bound steps, and before them.
    let bound = refused(1);
    let needed = refused(bound.max(arena));
    assert!(needed > arena && needed > bound, "{needed} bytes");
    let error = with(needed - 1).unwrap_err();
    let limit = needed - 1;
    let message = format!("the program needs {needed} bytes of memory, the limit is {limit}");
    assert_eq!(error.to_string(), message);
    assert_eq!(with(needed), Ok(()));
}

#[test]
fn ports_written_in_parts_hold_the_same() {
    let program = compile(IRIS, 7);
    let data = Numbers::new(3).floats(7 * 3);
    let classes = [0, 1, 2, 2, 1, 0, 1];
    let run = |parts: &[usize]| {
        let mut executor = executor(&program, 1, Isa::detect(), 0.125);
        let Program { inputs, targets, .. } = executor.program().clone();
        let mut first = 0;
        for &rows in parts {
            let end = first + rows;
            executor.write_floats(&inputs[0], first, &data[first * 3..end * 3]).unwrap();
            executor.write_indices(&targets[0], first, &classes[first..end]).unwrap();
            first = end;
        }
        executor.run(EntryPoint::Train, 7).unwrap();
        executor.run(EntryPoint::Predict, 7).unwrap();
        (outputs(&executor, 7), params(&executor))
    };
    assert_eq!(run(&[7]), run(&[1, 4, 0, 2]));
}

#[test]
fn a_row_does_not_know_its_batch_or_its_place() {
    for isa in Isa::available() {
        let program = compile(IRIS, 25);
        let mut executor = executor(&program, 1, isa, 1.0);
        let port = executor.program().inputs[0].clone();
        let data = Numbers::new(5).floats(25 * 3);
        let mut predict = |rows: &[f32]| {
            executor.write_floats(&port, 0, rows).unwrap();
            executor.run(EntryPoint::Predict, rows.len() / 3).unwrap();
            let mut values = [Vec::new(), Vec::new()];
            for (values, output) in values.iter_mut().zip(&program.program().outputs) {
                executor.read_rows(output.buffer, rows.len() / 3, values);
            }
            values.map(|values| values.iter().map(|x| x.to_bits()).collect::<Vec<u32>>())
        };
        let alone: Vec<_> = data.chunks(3).map(&mut predict).collect();
        for (first, end) in [(0, 25), (1, 25), (3, 9), (20, 24), (0, 12), (7, 20)] {
            let together = predict(&data[first * 3..end * 3]);
            for output in 0..2 {
                let rows = alone[first..end].iter().flat_map(|row| row[output].iter().copied());
                let expected: Vec<u32> = rows.collect();
                assert_eq!(together[output], expected, "{isa}, rows {first}..{end}");
            }
        }
    }
}

/// Some training steps and a prediction, by bits.
fn trained(
    program: &Arc<Verified>,
    batch: usize,
    threads: usize,
    isa: Isa,
) -> (Vec<u32>, Vec<u32>) {
    let mut executor = executor(program, threads, isa, 0.01);
    fill(&mut executor, batch);
    for rows in [batch, batch - 1, batch / 2 + 1] {
        executor.run(EntryPoint::Train, rows).unwrap();
    }
    executor.run(EntryPoint::Predict, batch).unwrap();
    (outputs(&executor, batch), params(&executor))
}

#[test]
fn threads_and_instruction_sets_give_the_same_bits() {
    // 8 threads are more than the cores of most machines that run the tests.
    let program = compile(WIDE, 12);
    let first = trained(&program, 12, 1, Isa::detect());
    assert!(first.1.iter().all(|&bits| f32::from_bits(bits).is_finite()));
    for threads in [1, 2, 3, 8] {
        for isa in Isa::available() {
            let same = trained(&program, 12, threads, isa) == first;
            assert!(same, "{threads} threads on {isa}");
        }
    }
}

#[test]
fn elementwise_steps_are_shared_without_a_trace() {
    // Long rows, and enough of them that maps, sums, softmax and cross-entropy are all shared.
    let source = "
        net maps {
            input x: [N, 3000]
            param scale: [3000] = uniform(0.5, 1.5)
            h = sigmoid(x * scale) + tanh(x) * 0.5
            output y = softmax(h)
        }
        train {
            target class: i32[N]
            loss = cross_entropy(h, class)
            optimizer = sgd(lr: 1.0)
        }";
    let program = compile(source, 150);
    let first = trained(&program, 150, 1, Isa::detect());
    for threads in [2, 3, 8] {
        assert!(trained(&program, 150, threads, Isa::detect()) == first, "{threads} threads");
    }
}

#[test]
fn a_training_step_is_shared_without_a_trace() {
    // Narrow and wide layers, values kept for the backward pass and places used again.
    let source = "
        net deep {
            input x: [N, 20]
            a = x |> dense(40) |> tanh
            b = a |> dense(5) |> sigmoid
            c = b |> dense(33) |> relu
            d = c |> dense(40) |> tanh
            output y = a + d |> dense(7)
        }
        train {
            target class: i32[N] in 0..7
            loss = cross_entropy(y, class)
            metric accuracy(y, class)
            optimizer = adam(lr: 0.01)
        }";
    for batch in [40, 70, 200] {
        let program = compile(source, batch);
        let first = trained(&program, batch as usize, 1, Isa::detect());
        for threads in [2, 3, 8] {
            let shared = trained(&worth_sharing(&program), batch as usize, threads, Isa::detect());
            assert!(shared == first, "{threads} threads, batch {batch}");
        }
    }
}

#[test]
fn a_timed_run_does_what_a_run_does() {
    // Kernels of one thread and of several, and straight-line code.
    for (source, batch, threads, straight) in
        [(WIDE, 12, 1, false), (WIDE, 12, 3, false), (IRIS, 4, 1, true)]
    {
        let program = compile(source, batch);
        let mut executor = executor(&program, threads, Isa::detect(), 0.01);
        fill(&mut executor, batch as usize);
        assert_eq!(executor.is_straight(EntryPoint::Train, batch as usize), straight);
        let mut times =
            vec![Duration::ZERO; program.program().routines[EntryPoint::Train].steps.len()];
        for rows in [batch, batch - 1, batch / 2 + 1] {
            executor.run_timed(EntryPoint::Train, rows as usize, &mut times).unwrap();
        }
        executor.run(EntryPoint::Predict, batch as usize).unwrap();
        let timed = (outputs(&executor, batch as usize), params(&executor));
        assert!(timed == trained(&program, batch as usize, 1, Isa::detect()), "{threads} threads");
        assert!(times.iter().sum::<Duration>() > Duration::ZERO);
    }
}

#[test]
fn threads_wait_only_where_rows_change_hands() {
    let source = "
        net wide {
            input x: [N, 64]
            a = x |> dense(64) |> tanh
            b = a |> dense(64) |> tanh
            output y = softmax(b |> dense(64))
        }
        train {
            target t: [N, 64]
            loss = mse(y, t)
            optimizer = sgd(lr: 0.1)
        }";
    let program = compile(source, 600);
    let program = program.program();
    let predict = shares(program, EntryPoint::Predict, 2);
    assert!(predict.iter().all(|share| share.split == Split::Rows && !share.barrier));
    // A weight's gradient is a sum over the rows of all threads.
    let train = shares(program, EntryPoint::Train, 2);
    let first_update = train.iter().position(|share| share.split != Split::Rows).unwrap();
    assert!(train[..first_update].iter().all(|share| !share.barrier));
    assert!(train[first_update].barrier);
    // So little work is not worth a second thread.
    let small = compile(source, 1);
    let small = shares(small.program(), EntryPoint::Train, 2);
    assert!(small.iter().all(|share| share.threads == 1 && !share.barrier));
}

#[test]
fn executors_with_threads_come_and_go() {
    let program = compile(WIDE, 8);
    for round in 0..100 {
        let mut executor = executor(&program, 2, Isa::detect(), 0.0);
        // Some end before their threads have ever run.
        if round % 3 != 0 {
            fill(&mut executor, 8);
            executor.run(EntryPoint::Predict, 8).unwrap();
            assert!(outputs(&executor, 8).iter().all(|&bits| f32::from_bits(bits).is_finite()));
        }
    }
}

#[test]
fn rows_that_depend_on_each_other_are_not_predicted() {
    // The compiler refuses such a text; a file may hold the program.
    let refusal = |build: &dyn Fn(&mut Net)| {
        let mut net = Net::new();
        build(&mut net);
        let mut predictor =
            predictor_of(net.compile(4), &[], Options::default()).expect("it has no weights");
        predictor.predict_into(&[1.0, 2.0], &mut [0.0; 2])
    };
    let crossed =
        "the program predicts no row on its own: `test` (1:1) goes over all rows of a batch";
    let crossed = Err(RunError::Value(crossed.to_string()));
    let x = || Operand::f32(Shape::batched(&[1]), -1.0, 1.0);
    assert_eq!(
        refusal(&|net| {
            let x = net.leaf(x());
            let total = sum(&mut net.graph, Axis::All, x);
            let f = Formula::new(&mut net.graph);
            let y = (f.term(x) - f.term(total)).id;
            net.watch(y);
        }),
        crossed
    );
    assert_eq!(
        refusal(&|net| {
            let x = net.leaf(x());
            let mean = Formula::new(&mut net.graph).term(x).mean().id;
            let f = Formula::new(&mut net.graph);
            let y = (f.term(x) - f.term(mean)).id;
            net.watch(y);
        }),
        crossed
    );
    assert_eq!(
        refusal(&|net| {
            let x = net.leaf(x());
            let y = (-Formula::new(&mut net.graph).term(x)).id;
            net.watch(y);
        }),
        Ok(())
    );
}
