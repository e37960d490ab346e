//! Random nets over the whole language, as text: what the runtime makes of them beside the oracle
//! in 64-bit arithmetic, and their gradients beside central differences.
//!
//! The suite looks at 200 of each. For more of them:
//!
//! ```text
//! ARENET_RANDOM_NETS=5000 ARENET_RANDOM_NETS_SEED=7 cargo test --test machine random_nets
//! ```
//!
//! A net that fails is shrunk, and told as its text.

mod calls;
mod gradients;
mod grow;
mod loss;
mod oracle;
mod rules;
mod training;

use arenet_compiler::code;
use arenet_compiler::diagnostic::render;
use arenet_compiler::graph::{Shape, Tensor};
use arenet_compiler::lower::lower;
use arenet_compiler::model::{self, Model};
use arenet_compiler::syntax::parse;
use arenet_runtime::data::{Array, Dataset, Values};
use calls::Dice;
use grow::{Action, Code, Fill, Grown, Port};
use proptest::prelude::*;
use proptest::test_runner::{Reason, RngSeed, TestError, TestRunner};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ops::Add;

/// The nets that the suite looks at.
const FEW: u32 = 200;

fn action() -> impl Strategy<Value = Action> {
    use Action::*;
    prop_oneof![
        4 => Just(Dense),
        8 => Just(Function),
        4 => Just(Infix),
        1 => Just(Input),
        1 => Just(Classes),
        1 => Just(Param),
        1 => Just(Cut),
        1 => Just(Join),
        1 => Just(Reshape),
        1 => Just(Hot),
        1 => Just(Block),
        1 => Just(Shared),
        1 => Just(Freeze),
        2 => Just(Loss),
        1 => Just(Group),
        2 => Just(Setting),
    ]
}

fn nets() -> impl Strategy<Value = Grown> {
    let fields = (action(), 0..16usize, 0..16usize, any::<u64>());
    let code = fields.prop_map(|(action, a, b, kind)| Code { action, a, b, kind });
    let codes = (prop::collection::vec(code, 0..14), any::<u64>());
    codes.prop_map(|(codes, shape)| Grown::new(&codes, shape))
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text}")))
}

fn runner(cases: u32, seed: u64) -> TestRunner {
    TestRunner::new(ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(variable("ARENET_RANDOM_NETS_SEED").unwrap_or(seed)),
        failure_persistence: None,
        max_shrink_iters: 4000,
        max_global_rejects: cases,
        ..ProptestConfig::default()
    })
}

/// A net that tells nothing.
fn reject(why: impl Into<Reason>) -> TestCaseError {
    TestCaseError::reject(why)
}

/// How many values were looked at, and how many of them could be compared.
#[derive(Clone, Copy, Default)]
struct Tally {
    seen: u64,
    compared: u64,
}

impl Add for Tally {
    type Output = Tally;

    fn add(self, other: Tally) -> Tally {
        Tally { seen: self.seen + other.seen, compared: self.compared + other.compared }
    }
}

/// Looks at random nets until so many have told something.
fn look(seed: u64, at: impl Fn(&Grown) -> Result<Tally, TestCaseError>) {
    let cases = variable("ARENET_RANDOM_NETS").map_or(FEW, |cases| cases as u32);
    let (all, rejected) = (Cell::new(Tally::default()), RefCell::new(Vec::new()));
    let result = runner(cases, seed).run(&nets(), |grown| {
        let result = at(&grown);
        match &result {
            Ok(tally) => all.set(all.get() + *tally),
            Err(TestCaseError::Reject(why)) => rejected.borrow_mut().push(why.to_string()),
            Err(TestCaseError::Fail(_)) => {}
        }
        result.map(|_| ())
    });
    let rejected = rejected.into_inner();
    match result {
        Ok(()) => {}
        Err(TestError::Fail(why, net)) => panic!("{why}\n{net:?}"),
        Err(TestError::Abort(why)) => panic!("{why}: {rejected:?}"),
    }
    let Tally { seen, compared } = all.get();
    println!("{cases} nets, {} tell nothing, {compared} of {seen} values", rejected.len());
    assert!(compared * 10 > seen * 9, "of {seen} values, only {compared} could be compared");
}

/// The model of a text, neither simplified nor compiled.
fn lowered(grown: &Grown) -> Result<Model, TestCaseError> {
    let source = grown.source();
    let told = match lower(parse(&source), &[]) {
        Ok((model, _)) => return Ok(model),
        Err(told) => told,
    };
    // What the loss depends on is frozen, or the loss is a mean by factors, whose batches no sum
    // brings together.
    let known = [code::Code::NothingToTrain, code::Code::MixedReductions];
    match told.iter().find(|told| known.contains(&told.code)) {
        Some(told) => Err(reject(told.code.name())),
        None => Err(TestCaseError::fail(render(&told, "m.net", &source, false))),
    }
}

/// Rows of a net's ports.
struct Rows {
    inputs: Vec<Column>,
    targets: Vec<Column>,
    rows: usize,
}

/// The values of one port, as a table has them.
struct Column {
    width: usize,
    classes: bool,
    data: Vec<f64>,
}

impl Rows {
    fn of(grown: &Grown, rows: usize, seed: u64) -> Rows {
        let mut dice = Dice::new(seed);
        let mut fill = |port: &Port| column(port, rows, &mut dice);
        let inputs = grown.inputs.iter().map(&mut fill).collect();
        Rows { inputs, targets: grown.targets.iter().map(&mut fill).collect(), rows }
    }

    fn dataset(&self) -> Dataset {
        let array = |column: &Column| Array {
            width: column.width,
            data: match column.classes {
                true => Values::I32(column.data.iter().map(|&x| x as i32).collect()),
                false => Values::F32(column.data.iter().map(|&x| x as f32).collect()),
            },
        };
        Dataset {
            rows: self.rows,
            inputs: self.inputs.iter().map(array).collect(),
            targets: self.targets.iter().map(array).collect(),
            ..Dataset::default()
        }
    }

    /// Some rows as the oracle takes them: of classes their indices.
    fn tensors(&self, model: &Model, rows: &[u32]) -> [Vec<Tensor>; 2] {
        let of = |(column, port): (&Column, &model::Port)| {
            let row = |&row: &u32| {
                &column.data[row as usize * column.width..(row as usize + 1) * column.width]
            };
            let index = |&x: &f64| match column.classes {
                true => port.domain.index(x as i64) as f64,
                false => x,
            };
            let data = rows.iter().flat_map(row).map(index).collect();
            Tensor { shape: port.shape, data }
        };
        let inputs = self.inputs.iter().zip(&model.inputs).map(of).collect();
        [inputs, self.targets.iter().zip(&model.targets).map(of).collect()]
    }
}

fn column(port: &Port, rows: usize, dice: &mut Dice) -> Column {
    let width = port.width();
    let last = port.dims.last().copied().unwrap_or(1);
    let mut one = |_: usize| match port.fill {
        // What a 32-bit element holds exactly.
        Fill::Reals(low, high) => f64::from((low + (high - low) * dice.unit()) as f32),
        Fill::Classes { first, count, ignored, .. } => match ignored {
            Some(ignored) if dice.one_in(4) => ignored as f64,
            _ => (first + dice.below(count) as i64) as f64,
        },
        Fill::Signs => dice.pick(&[-1.0, 1.0]),
        Fill::Counts => dice.below(6) as f64,
        Fill::Shares { .. } => 0.1 + dice.unit(),
    };
    let mut data: Vec<f64> = (0..rows * width).map(&mut one).collect();
    if let Fill::Shares { log } = port.fill {
        for row in data.chunks_mut(last) {
            let sum: f64 = row.iter().sum();
            let share = |x: f64| if log { (x / sum).ln() } else { x / sum };
            row.iter_mut().for_each(|x| *x = f64::from(share(*x) as f32));
        }
    }
    let classes = matches!(port.fill, Fill::Classes { .. });
    Column { width, classes, data }
}

/// The shape of a parameter as a tensor.
fn tensor(shape: Shape, data: &[f32]) -> Tensor {
    Tensor { shape, data: data.iter().map(|&x| x.into()).collect() }
}

#[test]
fn the_runtime_trains_as_the_oracle_does() {
    look(101, training::compare);
}

#[test]
fn gradients_are_those_of_central_differences() {
    look(202, gradients::compare);
}

/// The nets that the suite looks at have every function, loss, optimizer, schedule and initializer
/// among them, and every option.
#[test]
fn the_whole_language_is_looked_at() {
    let texts = RefCell::new(String::new());
    let run = runner(400, 303).run(&nets(), |grown| {
        texts.borrow_mut().push_str(&grown.source());
        Ok(())
    });
    run.unwrap();
    let texts = texts.into_inner();
    let missing: BTreeSet<String> =
        calls::names().into_iter().filter(|name| !texts.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "no net says {missing:?}");
}
