//! Whole runs of random nets: every loss, the parameters in the end and what they predict, beside
//! the oracle's; on the machine's best instruction set, and with the same bits on another with
//! shared steps.

use super::grow::Grown;
use super::oracle::{Course, Moment, Run, spread, undecided};
use super::rules::{self, Fall};
use super::{Rows, Tally, lowered, reject, tensor};
use crate::common::weights::{Weights, predictor_of};
use crate::common::worth_sharing;
use arenet_compiler::diagnostic::render;
use arenet_compiler::graph::{Graph, Tensor};
use arenet_compiler::model::Model;
use arenet_compiler::pass::accumulate::{Reduction, halves, reduction};
use arenet_compiler::pass::update::train_step;
use arenet_compiler::{Options, compile};
use arenet_runtime::exec::Options as RunOptions;
use arenet_runtime::program::{Batch, Verified};
use arenet_runtime::random::{SHUFFLE_STREAM, Stream, shuffle};
use arenet_runtime::simd::Isa;
use arenet_runtime::train::{Settings, TrainError, Trainer};
use proptest::prelude::*;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Beyond this, the numbers of both precisions part.
const LARGE: f64 = 1e15;
/// Where the noise of half the values is larger, relative to the tensor, the net tells nothing.
const ILL: f64 = 1e-3;
/// What two runs may differ by where the noise says nothing, relative to the tensor.
const LEAST: f64 = 1e-6;

/// The noisy runs beside the exact one: a few, and where these may have agreed by chance.
const LANES: [usize; 2] = [3, 24];

pub fn compare(grown: &Grown) -> Result<Tally, TestCaseError> {
    let [few, many] = LANES;
    match with_noise(grown, few) {
        Err(TestCaseError::Fail(_)) => with_noise(grown, many),
        result => result,
    }
}

fn with_noise(grown: &Grown, noisy: usize) -> Result<Tally, TestCaseError> {
    let model = lowered(grown)?;
    let (rows, valid) = (Rows::of(grown, grown.rows, 1), Rows::of(grown, 5, 2));
    let source = grown.source();
    let batch = grown.is_full().then_some(grown.rows as u64);
    let options = Options { batch, full: grown.is_full(), ..Options::default() };
    let refused = |told: Vec<_>| TestCaseError::fail(render(&told, "m.net", &source, false));
    let program = compile(&source, &options).map_err(refused)?.program;
    let isas = Isa::available();
    let best = RunOptions { isa: isas.last().copied(), threads: Some(1), max_memory: None };
    let start = Trainer::new(program.clone(), rows.dataset(), &Settings::default()).unwrap();
    let start: Vec<Vec<f32>> = start.weights().into_iter().map(|param| param.data).collect();

    // Sums are shown as the mean of those of the batches, all else as that of all rows at once.
    let sums = grown.sums == Some(true);
    let expected = expected(model, &rows, (&valid, sums), &start, noisy)?;
    let fail = |error: TrainError| TestCaseError::fail(error.to_string());
    let found = run(&program, &rows, &valid, best).map_err(fail)?;
    let other = isas[(rows.rows + source.len()) % isas.len()];
    let other = RunOptions { isa: Some(other), threads: Some(2), max_memory: None };
    let again = run(&worth_sharing(&program), &rows, &valid, other).map_err(fail)?;
    prop_assert!(found == again, "other bits with {other:?}");

    let names = program.program().params.iter().map(|param| &*param.name);
    let outputs = program.program().outputs.iter().map(|output| &*output.name);
    let names = ["the losses", "the loss of held-out rows"].into_iter().chain(names).chain(outputs);
    let mut tally = Tally::default();
    for ((name, known), found) in names.zip(&expected).zip(&found) {
        tally = tally + known.compare(name, found)?;
    }
    Ok(tally)
}

/// The losses, that over the held-out rows, the parameters and the outputs of a run.
fn run(
    program: &Arc<Verified>,
    rows: &Rows,
    valid: &Rows,
    run: RunOptions,
) -> Result<Vec<Vec<f64>>, TrainError> {
    let settings = Settings { run, ..Settings::default() };
    let (data, held_out) = (rows.dataset(), valid.dataset());
    let mut trainer = Trainer::validated(program.clone(), data, held_out, &settings)?;
    let (mut losses, mut valid_loss) = (Vec::new(), 0.0);
    while !trainer.is_done() {
        let report = trainer.run_epoch(&mut |progress| {
            losses.push(progress.loss);
            ControlFlow::Continue(())
        })?;
        valid_loss = report.and_then(|report| report.valid_loss).expect("rows are held out");
    }
    let weights = trainer.weights();
    let mut predictor = predictor_of(program.clone(), &weights, run)?;
    let inputs = valid.dataset().inputs;
    let mut outputs = vec![Vec::new(); program.program().outputs.len()];
    let mut batches = predictor.batches(&inputs, valid.rows)?;
    while let Some(batch) = batches.advance()? {
        outputs.iter_mut().zip(batch.outputs).for_each(|(all, some)| all.extend(some));
    }
    let params = weights.into_iter().map(|param| param.data);
    let floats = [losses].into_iter().chain(params).chain(outputs);
    let mut found: Vec<Vec<f64>> =
        floats.map(|values| values.into_iter().map(f64::from).collect()).collect();
    found.insert(1, vec![valid_loss]);
    Ok(found)
}

/// Values of the exact run, and how far the noise moves them.
struct Known {
    exact: Vec<f64>,
    spread: Vec<f64>,
}

impl Known {
    fn new(lanes: &[Vec<f64>]) -> Known {
        let noisy: Vec<&[f64]> = lanes[1..].iter().map(Vec::as_slice).collect();
        Known { spread: spread(&lanes[0], &noisy), exact: lanes[0].clone() }
    }

    fn scale(&self) -> f64 {
        self.exact.iter().fold(1e-3f64, |scale, x| scale.max(x.abs()))
    }

    /// The tolerance of each element, where it is one that says something.
    fn tolerance(&self, element: usize) -> Option<f64> {
        let scale = self.scale();
        Some(2.0 * self.spread[element] + LEAST * scale)
            .filter(|tolerance| *tolerance < ILL * scale)
    }

    fn compare(&self, what: &str, found: &[f64]) -> Result<Tally, TestCaseError> {
        prop_assert_eq!(self.exact.len(), found.len(), "{}", what);
        let mut tally = Tally::default();
        for (i, (&exact, &found)) in self.exact.iter().zip(found).enumerate() {
            tally.seen += 1;
            let Some(tolerance) = self.tolerance(i) else { continue };
            tally.compared += 1;
            let off = (found - exact).abs();
            prop_assert!(
                off <= tolerance,
                "{what}: element {i} is {found}, not {exact} (off by {off:.1e} of {tolerance:.1e})"
            );
        }
        Ok(tally)
    }
}

/// The whole run by the oracle.
fn expected(
    mut model: Model,
    rows: &Rows,
    (valid, sums): (&Rows, bool),
    start: &[Vec<f32>],
    noisy: usize,
) -> Result<Vec<Known>, TestCaseError> {
    let training = model.training.clone().expect("it is trained");
    let holds = rules::take_holds(&mut model);
    let batch = match training.batch {
        Batch::Rows(rows) => rows as usize,
        Batch::Full => rows.rows,
    };
    model.set_roots();
    let graphs = match training.accumulates() || !holds.is_empty() {
        true => {
            let loss = model.loss.expect("it has a loss");
            let reduction = match training.accumulates() {
                true => reduction(&model.graph, loss).expect("the compiler has said so"),
                // Where each step has one batch, its gradient is the sum.
                false => Reduction::Sum,
            };
            rules::reach_penalized(&mut model, &holds);
            let accumulating = model.training.iter_mut();
            accumulating.for_each(|training| training.accumulate = training.accumulate.max(2));
            halves(&model, reduction).to_vec()
        }
        false => vec![train_step(&model)],
    };
    let params = model.params.iter().zip(start).map(|(param, data)| tensor(param.shape, data));
    let mut params: Vec<Tensor> = params.collect();
    rules::balance(&model, rows, &mut params);
    let mut runs = Run::all(params, noisy);
    let accumulate = training.accumulate as usize;
    let batches = rows.rows.div_ceil(batch);
    let steps = training.epochs * batches.div_ceil(accumulate) as u64;
    let mut course = Course::new(&training, steps);
    let mut falls = Fall::all(&training.schedules);

    let (mut losses, mut step) = (vec![Vec::new(); noisy + 1], 0);
    for epoch in 0..training.epochs {
        let mut order: Vec<u32> = (0..rows.rows as u32).collect();
        if training.shuffle {
            shuffle(Stream { seed: training.seed, stream: SHUFFLE_STREAM }, epoch, &mut order);
        }
        for of_step in order.chunks(batch * accumulate) {
            for (i, of_batch) in of_step.chunks(batch).enumerate() {
                let [inputs, targets] = rows.tensors(&model, of_batch);
                let moment = Moment {
                    inputs: &inputs,
                    targets: &targets,
                    rows: of_batch.len(),
                    step_rows: of_step.len(),
                    before: i * batch,
                    step,
                    epoch,
                };
                let values = advance(&graphs[0], &mut runs, &course, &moment)?;
                for (losses, values) in losses.iter_mut().zip(values) {
                    losses.push(values[graphs[0].roots[0].index()].data[0]);
                }
                if let Some(update) = graphs.get(1)
                    && (i + 1) * batch >= of_step.len()
                {
                    rules::penalize(&model, &holds, &mut runs)?;
                    advance(update, &mut runs, &course, &moment)?;
                    rules::limit(&model, &holds, update, &mut runs);
                }
            }
            step += 1;
        }
        for fall in &mut falls {
            let figures = held_out(&model, &mut runs, &course, valid, batch)?.remove(0);
            fall.see(&figures.concat(), &mut course.bases)?;
        }
    }
    let params = (0..model.params.len())
        .map(|i| runs.iter().map(|run| run.params[i].data.clone()).collect::<Vec<_>>());
    let mut lanes = vec![losses];
    lanes.extend(params);
    let at_once = if sums { batch } else { valid.rows };
    let mut held_out = held_out(&model, &mut runs, &course, valid, at_once)?;
    lanes.insert(1, held_out.remove(0));
    lanes.extend(held_out);
    let expected: Vec<Known> = lanes.iter().map(|lanes| Known::new(lanes)).collect();
    let count: usize = expected.iter().map(|values| values.exact.len()).sum();
    let of_one =
        |values: &Known| (0..values.exact.len()).filter(|&i| values.tolerance(i).is_some()).count();
    let known: usize = expected.iter().map(of_one).sum();
    match 2 * known > count {
        true => Ok(expected),
        false => Err(reject(format!("of {count} values {known} can be known"))),
    }
}

/// Evaluates a graph in every lane, and stores what it assigns.
fn advance(
    graph: &Graph,
    runs: &mut [Run],
    course: &Course,
    moment: &Moment,
) -> Result<Vec<Vec<Tensor>>, TestCaseError> {
    let values: Vec<Vec<Tensor>> =
        runs.iter_mut().map(|run| run.evaluate(graph, course, moment)).collect();
    let is_large = |x: &f64| x.is_nan() || x.abs() > LARGE;
    if values[0].iter().flat_map(|value| &value.data).any(is_large) {
        return Err(reject("a value is not finite, or large"));
    }
    if let Some(node) = undecided(graph, &values) {
        return Err(reject(format!("near a kink: {node}")));
    }
    runs.iter_mut().zip(&values).for_each(|(run, values)| run.assign(graph, values));
    Ok(values)
}

/// For each lane the loss over the held-out rows, and the outputs.
fn held_out(
    model: &Model,
    runs: &mut [Run],
    course: &Course,
    valid: &Rows,
    batch: usize,
) -> Result<Vec<Vec<Vec<f64>>>, TestCaseError> {
    let lanes = runs.len();
    let mut found = vec![vec![Vec::new(); lanes]; 1 + model.outputs.len()];
    let mut sums = vec![0.0; lanes];
    let all: Vec<u32> = (0..valid.rows as u32).collect();
    let loss = model.loss.expect("it has a loss");
    for rows in all.chunks(batch) {
        let [inputs, targets] = valid.tensors(model, rows);
        let moment = Moment {
            inputs: &inputs,
            targets: &targets,
            rows: rows.len(),
            step_rows: rows.len(),
            before: 0,
            step: 0,
            epoch: 0,
        };
        let values = advance(&model.graph, runs, course, &moment)?;
        for (lane, values) in values.iter().enumerate() {
            sums[lane] += values[loss.index()].data[0] * rows.len() as f64;
            for (output, (_, node)) in model.outputs.iter().enumerate() {
                found[1 + output][lane].extend(&values[node.index()].data);
            }
        }
    }
    for (lane, sum) in sums.into_iter().enumerate() {
        found[0][lane].push(sum / valid.rows as f64);
    }
    Ok(found)
}
