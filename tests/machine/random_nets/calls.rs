//! Calls with arguments that are drawn from what their signatures accept, as text. So whatever is
//! added to the lists of the language is tried with all of its options.

use arenet_compiler::entry::Entry;
use arenet_compiler::layer::functions;
use arenet_compiler::layer::init::INITS;
use arenet_compiler::optim::{OPTIMIZERS, momentum};
use arenet_compiler::pass::hold::HOLDS;
use arenet_compiler::schedule::{OF_MOMENTUM, SCHEDULES};
use arenet_compiler::signature::{BALANCED, Kind, Param, Range, Signature};

/// Choices that follow from a number; 0 always chooses the first.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// SplitMix64 of Steele, Lea and Flood (2014).
    fn next(&mut self) -> u64 {
        if self.0 == 0 {
            return 0;
        }
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15).max(1);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }

    /// Never where always the first is chosen.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }

    /// One of 101 numbers between two.
    pub fn real(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.below(101) as f64 / 100.0
    }

    /// A number from 0 up to 1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// A number as a text has it, with as many digits as anyone reads.
pub fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.is_empty() || text == "-0" { "0".into() } else { text.into() }
}

/// An initializer, such as `uniform(-0.3, 0.4)`.
pub fn initializer(dice: &mut Dice) -> String {
    one_of(INITS, dice, &[], &[])
}

/// An optimizer with a rate, which may be a schedule.
pub fn optimizer(dice: &mut Dice) -> String {
    let entry = pick_built(OPTIMIZERS, dice);
    let name = entry.name();
    // Those of a ratio of gradients have no unit; a sum of signs goes far.
    let (low, high) = match name {
        "adadelta" => (0.2, 1.0),
        "lion" | "rprop" => (0.002, 0.02),
        _ => (0.005, 0.08),
    };
    let mut args =
        vec![format!("lr: {}", rate(dice, low, high, momentum(&entry.signature).is_some()))];
    args.extend(options(&entry.signature, dice, &["lr"]));
    let has = |args: &[String], name: &str| args.iter().any(|arg| arg.starts_with(name));
    if has(&args, "decay: ") && !has(&args, "weight_decay: ") {
        args.push(format!("weight_decay: {}", number(dice.real(0.01, 0.1))));
    }
    if has(&args, "nesterov: true") {
        args.retain(|arg| !arg.starts_with("dampening") && !arg.starts_with("momentum"));
        args.push(format!("momentum: {}", number(dice.real(0.5, 0.9))));
    }
    format!("{name}({})", args.join(", "))
}

/// A rate that stays as it is, or a schedule, which moves the momentum where there is one.
fn rate(dice: &mut Dice, low: f64, high: f64, has_momentum: bool) -> String {
    let base = number(dice.real(low, high));
    if !dice.one_in(2) {
        return base;
    }
    one_of(SCHEDULES, dice, &[base], if has_momentum { &[] } else { &OF_MOMENTUM })
}

fn pick_built<T>(entries: &'static [Entry<T>], dice: &mut Dice) -> &'static Entry<T> {
    let built: Vec<&Entry<T>> = entries.iter().filter(|entry| entry.built.is_some()).collect();
    dice.pick(&built)
}

/// A call of one of these entries: the first arguments, those that are required, and options, of
/// which some do not go.
fn one_of<T>(
    entries: &'static [Entry<T>],
    dice: &mut Dice,
    firsts: &[String],
    without: &[&'static str],
) -> String {
    let signature = &pick_built(entries, dice).signature;
    let names = signature.params.iter().map(|param| param.name).take(firsts.len());
    let given: Vec<&str> = names.chain(without.iter().copied()).collect();
    let args = [firsts.to_vec(), options(signature, dice, &given)].concat();
    if args.is_empty() {
        return signature.name.into();
    }
    format!("{}({})", signature.name, args.join(", "))
}

/// What a call has beside some arguments: all that it must have, and some options.
pub fn options(signature: &Signature, dice: &mut Dice, given: &[&str]) -> Vec<String> {
    let mut options = Vec::new();
    for param in signature.params.iter().filter(|param| !given.contains(&param.name)) {
        // The patience by default is longer than a run.
        let is_needed = param.default.is_none() || param.name == "patience";
        if (is_needed || dice.one_in(3))
            && let Some(value) = value(param, dice)
        {
            options.push(format!("{}: {value}", param.name));
        }
    }
    options
}

/// A value that a parameter accepts, where that follows from its kind and its name.
fn value(param: &Param, dice: &mut Dice) -> Option<String> {
    Some(match param.kind {
        Kind::Real(range) => real(param.name, range, dice),
        Kind::Count { .. } if param.name == "patience" => dice.pick(&["0", "1"]).into(),
        Kind::Count { least, .. } => (least + dice.below(4) as u64).to_string(),
        Kind::Flag => dice.pick(&["true", "false"]).into(),
        Kind::Word(words) => dice.pick(words).into(),
        Kind::WordOrReal(words) => match dice.one_in(3) {
            true => number(dice.real(-1.0, 1.0)),
            false => dice.pick(words).into(),
        },
        Kind::Init => initializer(dice),
        Kind::RisingCounts { .. } => dice.pick(&["[2]", "[1, 3]", "[0, 2, 5]"]).into(),
        _ => return None,
    })
}

fn real(name: &str, range: Range, dice: &mut Dice) -> String {
    let (low, high) = match name {
        "eps" => return dice.pick(&["0.001", "1e-5", "1e-8", "0.1"]).into(),
        "step_min" => return dice.pick(&["1e-6", "0", "0.001"]).into(),
        "t0" => return dice.pick(&["0", "1", "3", "1e6"]).into(),
        "step_max" => (0.02, 0.5),
        "eta_minus" => (0.3, 0.9),
        "eta_plus" => (1.1, 1.6),
        "weight_decay" => (0.01, 0.1), // `decay` asks for one
        "momentum_decay" | "lambd" | "lr_decay" => (0.0, 0.1),
        "to" => (0.0, 0.01),
        "by" => (0.3, 1.2),
        "div_factor" | "final_div_factor" => (2.0, 20.0),
        "p" => (0.1, 0.6),
        "low" => (-0.8, 0.0),
        "high" => (0.1, 0.8),
        "mean" => (-0.3, 0.3),
        "std" => (0.1, 0.5),
        _ => match range {
            Range::Any => (-1.0, 1.5),
            Range::AtLeastZero => (0.0, 1.0),
            Range::AboveZero => (0.2, 2.0),
            Range::Fraction => (0.0, 0.9),
        },
    };
    number(dice.real(low, high))
}

/// What a random net may say: `elu(`, and of its options `alpha: `.
pub fn names() -> Vec<String> {
    fn of<T: 'static>(
        entries: impl IntoIterator<Item = &'static Entry<T>>,
    ) -> impl Iterator<Item = String> {
        entries.into_iter().filter(|entry| entry.built.is_some()).flat_map(|entry| {
            let Signature { name, positional, params, .. } = entry.signature;
            let is_named = |param: &&Param| {
                param.default.is_some() && !matches!(param.kind, Kind::Tensors | Kind::Watched)
            };
            let options = params.iter().skip(positional).filter(is_named);
            let options = options.map(|param| format!("{}: ", param.name));
            [name.to_string()].into_iter().chain(options)
        })
    }
    let settings = HOLDS.iter().map(|entry| format!("{}(", entry.name()));
    let named = of(functions()).chain(of(OPTIMIZERS)).chain(of(SCHEDULES)).chain(of(INITS));
    named.chain(settings).chain([format!("class_weight: {BALANCED}")]).collect()
}
