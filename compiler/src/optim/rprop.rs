//! Rprop.

use super::{Rule, Step, Update};
use crate::code::Code;
use crate::entry::Entry;
use crate::signature::{Args, Kind, Param, Problem, Range, Remedy, Signature, Value};

/// torch.optim.Rprop: steps of a size of their own, along the sign of the gradient alone. It is
/// made for batches that are all of the data.
///
/// c = η₊ where g prev > 0, η₋ where g prev < 0, else 1; s ← c s from lr on, between step_min and
/// step_max; g ← 0 where g prev < 0; p ← p - sign(g) s; prev ← g.
pub const RPROP: Entry<Rule> = Entry {
    signature: Signature {
        name: "rprop",
        about: "steps by the sign of the gradient, for `batch = full`; lr is 0.01",
        positional: 1,
        params: &[
            Param::optional("lr", Kind::Schedule, Value::Real(1e-2)),
            Param::real("eta_minus", Range::AboveZero, 0.5),
            Param::real("eta_plus", Range::AboveZero, 1.2),
            Param::real("step_min", Range::AtLeastZero, 1e-6),
            Param::real("step_max", Range::AtLeastZero, 50.0),
            Param::flag("maximize"),
        ],
    },
    built: Some(Rule { check, slots: |_| vec!["prev", "step_size"], update }),
};

fn check(args: &Args) -> Result<(), Problem> {
    let (smallest, largest) = (args.real("step_min"), args.real("step_max"));
    let order = [
        ("eta_minus", args.real("eta_minus") < 1.0, "shrinks a step, so it is less than 1", "0.5"),
        ("eta_plus", args.real("eta_plus") > 1.0, "lets a step grow, so it is more than 1", "1.2"),
        ("step_max", smallest <= largest, "is at least as large as `step_min`", "50"),
    ];
    let Some((name, _, why, usual)) = order.into_iter().find(|(_, holds, ..)| !holds) else {
        return Ok(());
    };
    let help = format!("write `{name}: {usual}`, the usual value");
    let problem = Problem::new(Code::RpropOrder, format!("`{name}` {why}")).at(name).help(help);
    Err(problem.remedy(Remedy::Set(name, usual)))
}

fn update<'f>(args: &Args, step: Step<'f>) -> Update<'f> {
    let f = step.param.formula();
    let (p, g) = (step.param, step.ascent(args));
    let size = step.starting(1, step.lr.clone());
    let agreement = g * step.states[0];
    let [grown, shrunk] = [("eta_plus", agreement), ("eta_minus", -agreement)]
        .map(|(factor, condition)| f.number(args.real(factor) - 1.0).gate(condition));
    let size = size * (grown + shrunk + 1.0);
    let size = size.max(f.number(args.real("step_min"))).min(f.number(args.real("step_max")));
    let g = g - g.gate(-agreement);
    Update { param: p - g.sign() * size, states: vec![g, size] }
}
