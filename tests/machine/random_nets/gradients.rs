//! The gradients of random nets, which are graphs like any other, beside central differences of
//! their losses. Both are in 64 bits.

use super::calls::Dice;
use super::grow::Grown;
use super::oracle::{Course, Moment, Run};
use super::{Rows, Tally, lowered, reject};
use arenet_compiler::graph::{Graph, NodeId, Tensor};
use arenet_compiler::model::{self, Model};
use arenet_compiler::pass::differentiate::differentiate;
use arenet_compiler::pass::mode::in_training;
use proptest::prelude::*;

/// How far a parameter is moved to either side, and then half as far.
const STEP: f64 = 1e-5;
/// The elements of a parameter that are looked at, where it has more.
const FEW: usize = 4;

/// The loss of a net along a direction.
struct Along<'a> {
    graph: &'a Graph,
    loss: NodeId,
    course: &'a Course<'a>,
    moment: &'a Moment<'a>,
    at: &'a Run,
    value: f64,
}

/// A slope by differences, and how far it can be trusted.
struct Slope {
    value: f64,
    error: f64,
}

impl Along<'_> {
    fn loss(&self, direction: &[(usize, Tensor)], far: f64) -> f64 {
        let mut run = self.at.clone();
        for (param, by) in direction {
            let param = &mut run.params[*param].data;
            param.iter_mut().zip(&by.data).for_each(|(x, by)| *x += far * by);
        }
        run.evaluate(self.graph, self.course, self.moment)[self.loss.index()].data[0]
    }

    /// By central differences at two widths, and what they would be in the limit (Richardson).
    /// Nothing where there is a kink: the slopes to both sides do not come closer to each other.
    fn slope(&self, direction: &[(usize, Tensor)]) -> Option<Slope> {
        let sides = [STEP, STEP / 2.0].map(|far| {
            let [above, below] = [far, -far].map(|far| self.loss(direction, far));
            [(above - self.value) / far, (self.value - below) / far]
        });
        let [wide, narrow] = sides.map(|[above, below]| (above + below) / 2.0);
        let [apart_wide, apart] = sides.map(|[above, below]| (above - below).abs());
        // A loss of this size is known to so much of a slope.
        let noise = 1e-14 * (1.0 + self.value.abs()) / STEP;
        let is_kink = apart > 0.7 * apart_wide + 10.0 * noise;
        let value = (4.0 * narrow - wide) / 3.0;
        let error = 2.0 * (wide - narrow).abs() + noise;
        (!is_kink && value.is_finite()).then_some(Slope { value, error })
    }
}

pub fn compare(grown: &Grown) -> Result<Tally, TestCaseError> {
    let model = lowered(grown)?;
    let mut forward = model.graph.clone();
    let loss = in_training(&mut forward)[model.loss.expect("it has a loss").index()];
    let training = model.training.as_ref().expect("it is trained");
    let rows = Rows::of(grown, grown.rows.min(7), 1);
    let all: Vec<u32> = (0..rows.rows as u32).collect();
    let [inputs, targets] = rows.tensors(&model, &all);
    let moment = Moment {
        inputs: &inputs,
        targets: &targets,
        rows: rows.rows,
        step_rows: rows.rows,
        before: 0,
        step: 3,
        epoch: 0,
    };
    let course = Course::new(training, 10);
    let mut run = Run::all(params(&model), 0).swap_remove(0);

    let trained: Vec<usize> =
        (0..model.params.len()).filter(|&i| model.params[i].optimizer.is_some()).collect();
    let leaves: Vec<NodeId> = trained.iter().map(|&i| model.params[i].node).collect();
    let mut backward = forward.clone();
    let nodes = differentiate(&mut backward, loss, &leaves);
    let values = run.evaluate(&backward, &course, &moment);
    let value = values[loss.index()].data[0];
    let zero = |&param: &usize| Tensor::from_fn(model.params[param].shape, 1, |_| 0.0);
    let grads = nodes.iter().zip(&trained);
    let grads: Vec<Tensor> = grads
        .map(|(node, param)| node.map_or_else(|| zero(param), |id| values[id.index()].clone()))
        .collect();
    let largest = grads.iter().flat_map(|g| &g.data).fold(0.0f64, |most, g| most.max(g.abs()));
    if !value.is_finite() || !largest.is_finite() {
        return Err(reject("the loss or a gradient is not finite"));
    }

    let graph = &forward;
    let along = Along { graph, loss, course: &course, moment: &moment, at: &run, value };
    let mut tally = Tally::default();
    let mut check = |what: String, direction: &[(usize, Tensor)], exact: f64| {
        tally.seen += 1;
        let Some(Slope { value, error }) = along.slope(direction) else { return Ok(()) };
        let size = exact.abs().max(value.abs());
        let tolerance = error + 1e-6 * size + 1e-8 * largest;
        tally.compared += u64::from(tolerance <= 1e-3 * size.max(largest));
        let off = (exact - value).abs();
        prop_assert!(off <= tolerance, "{what}: the slope is {exact}, not {value} (± {error:.1e})");
        Ok(())
    };
    let mut dice = Dice::new(77);
    for (&param, grad) in trained.iter().zip(&grads) {
        let count = grad.data.len();
        let mut elements: Vec<usize> = (0..count).collect();
        if count > FEW {
            elements = (0..FEW).map(|_| dice.below(count)).collect();
        }
        for element in elements {
            let mut by = zero(&param);
            by.data[element] = 1.0;
            let what = format!("{}[{element}]", model.params[param].name);
            check(what, &[(param, by)], grad.data[element])?;
        }
    }
    for _ in 0..2 {
        let mut random = |&param: &usize| {
            let shape = model.params[param].shape;
            (param, Tensor::from_fn(shape, 1, |_| 2.0 * dice.unit() - 1.0))
        };
        let direction: Vec<(usize, Tensor)> = trained.iter().map(&mut random).collect();
        let products = direction
            .iter()
            .zip(&grads)
            .flat_map(|((_, by), grad)| by.data.iter().zip(&grad.data).map(|(by, grad)| by * grad));
        check("a random direction".into(), &direction, products.sum())?;
    }
    Ok(tally)
}

/// Values for the parameters, none of which is special.
fn params(model: &Model) -> Vec<Tensor> {
    let mut dice = Dice::new(5);
    let param = |param: &model::Param| {
        const POSITIVE: [&str; 4] = [".var", ".deviation", ".range", ".class_weight"];
        let positive = POSITIVE.iter().any(|end| param.name.ends_with(end));
        Tensor::from_fn(param.shape, 1, |_| {
            let value = 1.2 * dice.unit() - 0.6;
            if positive { value.abs() + 0.1 } else { value }
        })
    };
    model.params.iter().map(param).collect()
}
