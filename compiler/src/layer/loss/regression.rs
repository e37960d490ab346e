//! Losses of numbers.

use super::super::{Builder, rows};
use super::reduced_between;
use crate::graph::{NodeId, Term};
use crate::signature::{Args, Problem};
use std::f64::consts::TAU;

/// torch.nn.MSELoss
pub fn mse(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    reduced_between(builder, args, |y, t| (y - t) * (y - t))
}

/// torch.nn.L1Loss
pub fn mae(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    reduced_between(builder, args, |y, t| (y - t).abs())
}

/// torch.nn.HuberLoss: d² / 2 up to delta, and from there on the straight line that continues it.
pub fn huber(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    reduced_between(builder, args, |y, t| bent(y, t, args.real("delta")))
}

/// torch.nn.SmoothL1Loss: Huber's, divided by its delta.
pub fn smooth_l1(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    let beta = args.real("beta");
    reduced_between(builder, args, |y, t| bent(y, t, beta) / beta)
}

fn bent<'f>(y: Term<'f>, t: Term<'f>, delta: f64) -> Term<'f> {
    let distance = (y - t).abs();
    let near = distance.min(distance.formula().number(delta));
    near * (distance - near * 0.5)
}

/// torch.nn.PoissonNLLLoss: e^y - t y, or of a rate y that is no logarithm y - t ln(y + eps);
/// `full` adds Stirling's t ln t - t + ln(2 π t) / 2 where t > 1.
pub fn poisson_nll(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    reduced_between(builder, args, |y, t| {
        let values = match args.flag("log_input") {
            true => y.exp() - t * y,
            false => y - t * (y + args.real("eps")).log(),
        };
        let stirling = || t * t.log() - t + (t * TAU).log() * 0.5;
        if args.flag("full") { values + stirling().gate(t - 1.0) } else { values }
    })
}

/// max(0, 1 - t y), for targets of -1 and 1.
pub fn hinge(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    reduced_between(builder, args, |y, t| (1.0 - t * y).relu())
}

/// torch.nn.HingeEmbeddingLoss: y where t is 1, max(0, margin - y) where t is -1.
pub fn hinge_embedding(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    let margin = args.real("margin");
    reduced_between(builder, args, |y, t| y.gate(t) + (margin - y).relu().gate(-t))
}

/// 1 - cos(y, t) for each row: torch.nn.CosineEmbeddingLoss with a target of 1, and its epsilon.
pub fn cosine(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    const EPSILON: f64 = 1e-12;
    rows(builder, args, "y")?;
    reduced_between(builder, args, |y, t| {
        let [yy, tt] = [y, t].map(|x| (x * x).sum_last() + EPSILON);
        1.0 - (y * t).sum_last() / (yy * tt).sqrt()
    })
}
