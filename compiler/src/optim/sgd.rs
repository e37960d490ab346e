//! Stochastic gradient descent.

use super::{DECAY, Rule, Step, Update, is_moved};
use crate::code::Code;
use crate::entry::Entry;
use crate::signature::{Args, Kind, Param, Problem, Range, Remedy, Signature, Value};

/// torch.optim.SGD.
///
/// g ← g + weight_decay p; b ← momentum b + (1 - dampening) g, but b ← g at the first step;
/// p ← p - lr b, or with Nesterov's momentum p ← p - lr (g + momentum b).
pub const SGD: Entry<Rule> = Entry {
    signature: Signature {
        name: "sgd",
        about: "gradient descent, with momentum if you like; lr is 1e-3",
        positional: 1,
        params: &[
            Param::optional("lr", Kind::Schedule, Value::Real(1e-3)),
            Param::real("momentum", Range::AtLeastZero, 0.0),
            Param::real("dampening", Range::Any, 0.0),
            Param::real("weight_decay", Range::AtLeastZero, 0.0),
            DECAY,
            Param::flag("nesterov"),
            Param::flag("maximize"),
        ],
    },
    built: Some(Rule {
        check,
        slots: |args| if has_momentum(args) { vec!["momentum"] } else { vec![] },
        update,
    }),
};

fn has_momentum(args: &Args) -> bool {
    args.real("momentum") != 0.0 || is_moved(args)
}

fn check(args: &Args) -> Result<(), Problem> {
    let suits = has_momentum(args) && args.real("dampening") == 0.0;
    if args.flag("nesterov") && !suits {
        let message = "Nesterov's momentum needs a momentum and no dampening";
        let help = "write `momentum: 0.9, nesterov: true`, without `dampening`";
        let problem = Problem::new(Code::NesterovDampening, message).at("nesterov").help(help);
        return Err(match has_momentum(args) {
            true => problem.remedy(Remedy::Without("dampening")),
            false => problem.remedy(Remedy::Set("momentum", "0.9")),
        });
    }
    Ok(())
}

fn update<'f>(args: &Args, step: Step<'f>) -> Update<'f> {
    let dampening = args.real("dampening");
    let (p, f) = (step.param, step.param.formula());
    let g = step.descent(args);
    let lr = f.host(step.lr.clone());
    let [b] = step.states[..] else {
        return Update { param: p - g * lr, states: vec![] };
    };
    // The buffer starts as zero, so the first step makes it g if its factor is then 1.
    let fresh = if dampening == 0.0 {
        g
    } else {
        let is_first = Step::index().less(1.0);
        g * f.host(is_first.choose(1.0, 1.0 - dampening))
    };
    let momentum = step.factor(step.momentum(args, "momentum"));
    let b = b * momentum + fresh;
    let direction = if args.flag("nesterov") { g + b * momentum } else { b };
    Update { param: p - direction * lr, states: vec![b] }
}
