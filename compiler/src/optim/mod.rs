//! Optimizers: state slots, and an update as a formula over parameter, gradient and states. One
//! file each, and one line of the list.
//!
//! The learning rate and all that depends on the step count are scalars that the host computes, so
//! a schedule never recompiles. The formulas and defaults are those of torch.optim.

mod adadelta;
mod adagrad;
mod adam;
mod adamax;
mod asgd;
mod lion;
mod nadam;
mod radam;
mod rmsprop;
mod rprop;
mod sgd;

use crate::code::Code;
use crate::entry::Entry;
use crate::graph::Term;
use crate::signature::{Args, Kind, Param, Problem, Remedy, Signature, Value};
use arenet_program::{HostInput, HostNumber};

/// How an optimizer works, by its settings; the first of them is always the learning rate `lr`.
#[derive(Debug)]
pub struct Rule {
    /// Refuses settings that do not go together.
    check: fn(&Args) -> Result<(), Problem>,
    /// The names of the states that it keeps for each parameter, which start as 0.
    slots: fn(&Args) -> Vec<&'static str>,
    /// The new values.
    update: for<'f> fn(&Args, Step<'f>) -> Update<'f>,
}

/// The optimizers of the language.
pub const OPTIMIZERS: &[Entry<Rule>] = &[
    sgd::SGD,
    adam::ADAM,
    adam::ADAMW,
    rmsprop::RMSPROP,
    adadelta::ADADELTA,
    adagrad::ADAGRAD,
    adamax::ADAMAX,
    nadam::NADAM,
    radam::RADAM,
    rprop::RPROP,
    asgd::ASGD,
    lion::LION,
];

/// An optimizer with its settings.
#[derive(Clone, Debug)]
pub struct Optimizer {
    /// How it works.
    pub rule: &'static Rule,
    /// Its settings.
    pub args: Args,
}

/// The setting that a schedule moves where it moves the momentum, as torch.optim.lr_scheduler finds
/// it; some optimizers have none.
pub fn momentum(signature: &Signature) -> Option<&'static str> {
    let has = |name: &&str| signature.params.iter().any(|param| param.name == *name);
    ["beta1", "momentum"].into_iter().find(has)
}

/// Whether the schedule of the rate moves the momentum too.
fn is_moved(args: &Args) -> bool {
    args.schedule("lr").momentum.is_some()
}

/// What an update starts from.
pub struct Step<'f> {
    /// The learning rate.
    pub lr: HostNumber,
    /// The momentum, where the schedule moves it.
    pub momentum: Option<HostNumber>,
    /// The old value.
    pub param: Term<'f>,
    /// The gradient of the loss.
    pub grad: Term<'f>,
    /// The old states, one for each slot.
    pub states: Vec<Term<'f>>,
}

/// The new values of a parameter and of its states.
pub struct Update<'f> {
    /// The parameter's.
    pub param: Term<'f>,
    /// The states', one for each slot.
    pub states: Vec<Term<'f>>,
}

/// What weight decay is of: all parameters, or without biases and without scales and shifts of
/// norms, which are vectors.
const DECAY: Param = Param::optional("decay", Kind::Word(&["all", "weights"]), Value::Word("all"));

impl Optimizer {
    /// An optimizer, where its settings go together.
    pub fn new(rule: &'static Rule, args: Args) -> Result<Optimizer, Problem> {
        (rule.check)(&args)?;
        // One that is written may be 0, as a constant that is set.
        if args.says("decay", "weights")
            && args.span("weight_decay").is_none()
            && args.real("weight_decay") == 0.0
        {
            let message = "`decay` says what weight decay is of, and there is none";
            let help = "write `weight_decay: 0.01` beside it, or leave it out";
            let problem = Problem::new(Code::NoDecay, message).at("decay").help(help);
            let [set, without] = [Remedy::Set("weight_decay", "0.01"), Remedy::Without("decay")];
            return Err(problem.remedy(set).remedy(without));
        }
        Ok(Optimizer { rule, args })
    }

    /// The names of the states it keeps for each parameter, in the order of their slots.
    pub fn slots(&self) -> Vec<&'static str> {
        (self.rule.slots)(&self.args)
    }

    /// The new values of a parameter.
    pub fn update<'f>(&self, step: Step<'f>) -> Update<'f> {
        (self.rule.update)(&self.args, step)
    }
}

impl<'f> Step<'f> {
    /// The gradient to descend along: with `maximize` the other way, and with the L2 penalty of
    /// `weight_decay`.
    fn descent(&self, args: &Args) -> Term<'f> {
        let (g, weight_decay) = (self.ascent(args), self.weight_decay(args));
        if weight_decay == 0.0 { g } else { g + self.param * weight_decay }
    }

    /// What is stepped from, and along which gradient: `weight_decay` scales the parameter by
    /// 1 - lr weight_decay, which the gradient does not see, if it is decoupled.
    fn decayed(&self, args: &Args, is_decoupled: bool) -> (Term<'f>, Term<'f>) {
        let weight_decay = self.weight_decay(args);
        if !is_decoupled || weight_decay == 0.0 {
            return (self.param, self.descent(args));
        }
        let kept = self.param.formula().host(1.0 - self.lr.clone() * weight_decay);
        (self.param * kept, self.ascent(args))
    }

    /// The factor of weight decay, 0 for a parameter that `decay` spares.
    fn weight_decay(&self, args: &Args) -> f64 {
        let is_spared = args.says("decay", "weights") && self.param.shape().rank() < 2;
        if is_spared { 0.0 } else { args.real("weight_decay") }
    }

    /// A state that starts as `value`: all start as 0, so the first step adds it.
    fn starting(&self, slot: usize, value: HostNumber) -> Term<'f> {
        let state = self.states[slot];
        if value == 0.0.into() {
            return state;
        }
        let is_first = Step::index().less(1.0);
        state + self.param.formula().host(is_first.choose(value, 0.0))
    }

    /// The number of the step, from 0.
    fn index() -> HostNumber {
        HostInput::Step.into()
    }

    /// The number of the step, t in the formulas, from 1.
    fn number() -> HostNumber {
        Step::index() + 1.0
    }

    /// 1 - βᵗ, which makes up for a moving average that starts as 0.
    fn correction(beta: impl Into<HostNumber>) -> HostNumber {
        1.0 - beta.into().power(Step::number())
    }

    /// The setting that is the momentum, as it is now.
    fn momentum(&self, args: &Args, name: &str) -> HostNumber {
        self.momentum.clone().unwrap_or_else(|| args.real(name).into())
    }

    /// A number of the host; the compiler knows it where it depends on nothing.
    fn factor(&self, number: HostNumber) -> Term<'f> {
        let f = self.param.formula();
        let is_fixed = number.inputs().next().is_none();
        if is_fixed { f.number(number.value(|_| 0.0)) } else { f.host(number) }
    }

    /// The gradient, with `maximize` the other way.
    fn ascent(&self, args: &Args) -> Term<'f> {
        if args.flag("maximize") { -self.grad } else { self.grad }
    }
}
