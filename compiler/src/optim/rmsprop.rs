//! RMSprop.

use super::{DECAY, Rule, Step, Update, is_moved};
use crate::entry::Entry;
use crate::signature::{Args, Kind, Param, Range, Signature, Value};

/// torch.optim.RMSprop.
///
/// g ← g + weight_decay p; s ← α s + (1 - α) g²; a ← α a + (1 - α) g;
/// d ← g / (√s + eps), or centered g / (√(s - a²) + eps); b ← momentum b + d; p ← p - lr b.
pub const RMSPROP: Entry<Rule> = Entry {
    signature: Signature {
        name: "rmsprop",
        about: "RMSprop; lr is 0.01, alpha 0.99",
        positional: 1,
        params: &[
            Param::optional("lr", Kind::Schedule, Value::Real(1e-2)),
            Param::real("alpha", Range::Fraction, 0.99),
            Param::real("eps", Range::AtLeastZero, 1e-8),
            Param::real("weight_decay", Range::AtLeastZero, 0.0),
            DECAY,
            Param::real("momentum", Range::AtLeastZero, 0.0),
            Param::flag("centered"),
            Param::flag("maximize"),
        ],
    },
    built: Some(Rule { check: |_| Ok(()), slots, update }),
};

fn slots(args: &Args) -> Vec<&'static str> {
    let mut slots = vec!["square_avg"];
    slots.extend(args.flag("centered").then_some("grad_avg"));
    let has_momentum = args.real("momentum") != 0.0 || is_moved(args);
    slots.extend(has_momentum.then_some("momentum"));
    slots
}

fn update<'f>(args: &Args, step: Step<'f>) -> Update<'f> {
    let (alpha, momentum) = (args.real("alpha"), step.momentum(args, "momentum"));
    let (p, g) = (step.param, step.descent(args));
    let lr = p.formula().host(step.lr.clone());
    let mut olds = step.states.iter().copied();
    let mut news = Vec::new();
    let mut average = |of| {
        let average = olds.next().expect("there is a slot for it") * alpha + of * (1.0 - alpha);
        news.push(average);
        average
    };
    let mut square = average(g * g);
    if args.flag("centered") {
        let mean = average(g);
        square = square - mean * mean;
    }
    let mut direction = g / (square.sqrt() + args.real("eps"));
    if let Some(b) = olds.next() {
        direction = b * step.factor(momentum) + direction;
        news.push(direction);
    }
    Update { param: p - direction * lr, states: news }
}
