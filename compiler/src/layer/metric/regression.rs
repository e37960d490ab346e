//! Metrics of numbers.

use super::super::Builder;
use super::super::loss::between;
use crate::code::Code;
use crate::graph::Formula;
use crate::model::Figure;
use crate::signature::{Args, Problem};
use arenet_program::{Finish, HostInput, HostNumber, Over};

/// The root of the mean square over all elements: sklearn.metrics.root_mean_squared_error, which
/// takes the root of each column first.
pub fn rmse(builder: &mut Builder, args: &Args) -> Result<Figure, Problem> {
    let values = vec![between(builder, args, |y, t| ((y - t) * (y - t)).mean())?];
    let mut finish = Finish::mean();
    finish.figure = finish.figure.sqrt();
    Ok(Figure { values, finish })
}

/// The mean of |y - t| / max(|t|, ε): sklearn.metrics.mean_absolute_percentage_error, with its ε.
pub fn mape(builder: &mut Builder, args: &Args) -> Result<Figure, Problem> {
    let share = between(builder, args, |y, t| {
        let least = y.formula().number(f64::EPSILON);
        ((y - t).abs() / t.abs().max(least)).mean()
    })?;
    Ok(Figure { values: vec![share], finish: Finish { percent: true, ..Finish::mean() } })
}

/// 1 - Σ (t - y)² / Σ (t - m)², m the mean of t over all rows; sklearn.metrics.r2_score also where
/// all t are the same.
///
/// Σ (t - m)² is what t varies within the batches and what their means vary. The former is a sum of
/// squared differences; for the latter the host squares the means in 64 bits. So no square of a
/// large m is rounded to 32 bits.
pub fn r2(builder: &mut Builder, args: &Args) -> Result<Figure, Problem> {
    let target = builder.graph.shape(args.tensor("t"));
    if !target.batch() || target.fixed_elements() != 1 {
        let message = format!("`r2` is of one number for each N, and this is {target}");
        let help = "declare an output and a target [N] for each number";
        return Err(Problem::new(Code::ShapeMismatch, message).at("t").help(help));
    }
    let error = between(builder, args, |y, t| ((y - t) * (y - t)).mean())?;
    let f = Formula::new(&mut builder.graph);
    let t = f.term(args.tensor("t"));
    let mean = t.mean();
    let apart = t - mean;
    let values = vec![error, (apart * apart).mean().id, mean.id];

    let number = HostNumber::from;
    let value = |index| number(HostInput::Value(index));
    let means = value(2) * value(2) * HostInput::Rows;
    let each_mean = |index| value(index) * HostInput::Rows;
    let sums = vec![each_mean(0), each_mean(1), each_mean(2), means];

    let sum = |index| number(HostInput::Sum(index));
    let all = sum(1) + (sum(3) - sum(2) * sum(2) / HostInput::Rows);
    // Less than this is the rounding of equal means.
    let some = (sum(3) * 1e-13).less(all.clone());
    let none = number(HostInput::Sum(0)).choose(0.0, 1.0);
    let figure = some.choose(1.0 - sum(0) / all, none);
    Ok(Figure { values, finish: Finish { over: Over::Numbers, sums, figure, percent: false } })
}
