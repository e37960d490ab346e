//! What a run does beside following the gradient of its loss, by formulas of this file alone:
//! penalties and limits of parameters, factors that balance classes, rates that fall on a plateau.

use super::oracle::{MARGIN, Run};
use super::{Rows, reject};
use arenet_compiler::graph::op::Source;
use arenet_compiler::graph::{Formula, Graph, NodeId, Tensor};
use arenet_compiler::model::Model;
use arenet_compiler::pass::hold::Hold;
use arenet_runtime::program::{ParamId, Plateau, Schedule, StateId};
use proptest::prelude::*;

/// The penalties and limits of a net, of which its graphs know nothing any more.
pub fn take_holds(model: &mut Model) -> Vec<Hold> {
    std::mem::take(&mut model.holds)
}

/// Lets the loss depend on what has a penalty, so that its gradient is zeros at least.
pub fn reach_penalized(model: &mut Model, holds: &[Hold]) {
    let params = penalized(model, holds).into_iter().map(|(_, param)| model.params[param].node);
    let nodes: Vec<_> = params.collect();
    let loss = model.loss.expect("it has a loss");
    let f = Formula::new(&mut model.graph);
    let add = |sum, node| sum + f.term(node).sum() * 0.0;
    model.loss = Some(nodes.into_iter().fold(f.term(loss), add).id);
}

/// The penalties, each with a parameter that is trained.
fn penalized<'h>(model: &Model, holds: &'h [Hold]) -> Vec<(&'h Hold, usize)> {
    let pairs = holds.iter().flat_map(|hold| hold.params.iter().map(move |&param| (hold, param)));
    pairs
        .filter(|(hold, param)| hold.name != "max_norm" && model.params[*param].optimizer.is_some())
        .collect()
}

/// Adds the gradients of penalties to what is accumulated: of l1 that of c Σ |w|, of l2 that of
/// c Σ w². Where an optimizer climbs, they make parameters small all the same.
pub fn penalize(model: &Model, holds: &[Hold], runs: &mut [Run]) -> Result<(), TestCaseError> {
    for (hold, param) in penalized(model, holds) {
        let id = ParamId::at(param);
        let group = model.params[param].optimizer.expect("it is trained");
        let climbs = model.optimizers[group].args.flag("maximize");
        let factor = if climbs { -hold.factor } else { hold.factor };
        let lanes: Vec<Vec<f64>> = runs.iter().map(|run| run.params[param].data.clone()).collect();
        let slot = model.optimizer_slots(param).len() as u32;
        for (run, w) in runs.iter_mut().zip(&lanes) {
            let slopes = w.iter().map(|&w| match hold.name {
                "l1" if w == 0.0 => 0.0,
                "l1" => factor * w.signum(),
                "l2" => factor * 2.0 * w,
                name => panic!("no formula of {name}"),
            });
            run.add_to(StateId { param: id, slot }, slopes);
        }
        let unsure =
            |i: usize| lanes[1..].iter().any(|lane| lane[i].signum() != lanes[0][i].signum());
        if hold.name == "l1" && (0..lanes[0].len()).any(unsure) {
            return Err(reject("near a kink: l1"));
        }
    }
    Ok(())
}

/// w min(1, most / ‖w‖) of each column of a matrix, or of a whole vector, where there is a limit
/// and the update makes new values.
pub fn limit(model: &Model, holds: &[Hold], update: &Graph, runs: &mut [Run]) {
    let assigned = |&root: &NodeId| match update.node(update.node(root).inputs[0]).op.source() {
        Some(Source::Param(param)) => Some(param.index()),
        _ => None,
    };
    let updated: Vec<usize> = update.roots.iter().filter_map(assigned).collect();
    for hold in holds.iter().filter(|hold| hold.name == "max_norm") {
        for &param in hold.params.iter().filter(|param| updated.contains(param)) {
            let shape = model.params[param].shape;
            let columns = if shape.rank() < 2 { 1 } else { shape.last().expect("it has columns") };
            for run in runs.iter_mut() {
                let data = &run.params[param].data;
                let square = |column: usize| -> f64 {
                    data.iter().skip(column).step_by(columns).map(|w| w * w).sum()
                };
                let norms: Vec<f64> = (0..columns).map(|column| square(column).sqrt()).collect();
                let shorter = |norm: f64| if norm > hold.factor { hold.factor / norm } else { 1.0 };
                run.scale(param, |i| shorter(norms[i % columns]));
            }
        }
    }
}

/// n / (k c) of each class that c of n rows have, k classes being there, and 1 of one that is not
/// there, in place of what the parameters of such factors start with.
pub fn balance(model: &Model, rows: &Rows, params: &mut [Tensor]) {
    let training = model.training.as_ref().expect("it is trained");
    for balance in &training.balances {
        let (values, domain) = (
            &rows.targets[balance.target as usize].data,
            &model.targets[balance.target as usize].domain,
        );
        let factors = &mut params[balance.param.index()].data;
        let mut counts = vec![0.0; factors.len()];
        // What is none of the classes lies behind them.
        let classes = values.iter().map(|&value| domain.index(value as i64) as usize);
        let counted = |class: &usize| balance.ignored.is_none_or(|i| i as usize != *class);
        for class in classes.filter(counted).filter(|class| *class < factors.len()) {
            counts[class] += 1.0;
        }
        let (all, there) =
            (counts.iter().sum::<f64>(), counts.iter().filter(|&&c| c > 0.0).count());
        let factor = |c: &f64| if *c > 0.0 { all / (there as f64 * c) } else { 1.0 };
        factors.iter_mut().zip(&counts).for_each(|(factor_of, c)| *factor_of = factor(c));
    }
}

/// torch.optim.lr_scheduler.ReduceLROnPlateau of one schedule, by the loss of the held-out rows.
pub struct Fall {
    group: usize,
    plateau: Plateau,
    best: f64,
    bad: u64,
    cooling: u64,
}

impl Fall {
    pub fn all(schedules: &[Schedule]) -> Vec<Fall> {
        let fall = |(group, schedule): (usize, &Schedule)| {
            let plateau = schedule.plateau?;
            Some(Fall { group, plateau, best: f64::INFINITY, bad: 0, cooling: 0 })
        };
        schedules.iter().enumerate().filter_map(fall).collect()
    }

    /// Lets the rate fall where it has to, by the figure in every lane.
    pub fn see(&mut self, figures: &[f64], bases: &mut [f64]) -> Result<(), TestCaseError> {
        let Plateau { factor, patience, threshold, is_relative, cooldown, min_lr, .. } =
            self.plateau;
        let figure = figures[0];
        let bound = match is_relative {
            true if self.best == f64::INFINITY => self.best,
            true => self.best * (1.0 - threshold),
            false => self.best - threshold,
        };
        let moved = figures[1..].iter().fold(0.0f64, |far, lane| far.max((lane - figure).abs()));
        if (figure - bound).abs() < MARGIN * moved + 1e-6 * figure.abs() {
            return Err(reject("near a kink: reduce_on_plateau"));
        }
        self.bad += 1;
        if figure < bound {
            (self.best, self.bad) = (figure, 0);
        }
        if self.cooling > 0 {
            (self.cooling, self.bad) = (self.cooling - 1, 0);
        }
        if self.bad > patience {
            (self.cooling, self.bad) = (cooldown, 0);
            let base = &mut bases[self.group];
            let lower = (*base * factor).max(min_lr);
            if *base - lower > 1e-8 {
                *base = lower;
            }
        }
        Ok(())
    }
}
