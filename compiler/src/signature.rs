//! Signatures: what layers, losses, metrics, optimizers, schedules and initializers accept, as
//! data, so that one place matches arguments and reports mistakes.

use crate::code::Code;
use crate::diagnostic::Span;
use crate::fix::Fix;
use crate::graph::{NodeId, Shape, ShapeError};
use crate::init::Rule;
use arenet_program::{Schedule, Watched};

/// The word for factors of classes that are counted in the training rows.
pub const BALANCED: &str = "balanced";

/// The name and the parameters of a function.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// What it is called by.
    pub name: &'static str,
    /// What it is, for the reference.
    pub about: &'static str,
    /// How many parameters, from the first, may be given without their name.
    pub positional: usize,
    /// The parameters.
    pub params: &'static [Param],
}

/// A parameter of a function.
#[derive(Clone, Debug)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// What it accepts.
    pub kind: Kind,
    /// Its value when it is not given; `None` when it must be.
    pub default: Option<Value>,
}

/// What a parameter accepts.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A value of the network.
    Tensor,
    /// Any number of values of the network without names, the last parameter.
    Tensors,
    /// A number within a range.
    Real(Range),
    /// A whole number.
    Count {
        /// The least it may be.
        least: u64,
        /// The most.
        most: u64,
    },
    /// A whole number of 32 bits.
    Integer,
    /// A list of sizes, which may be empty.
    Sizes,
    /// A list of numbers from 0, not all of them 0.
    Weights,
    /// A list of whole numbers from 0, each larger than the one before.
    RisingCounts {
        /// The most numbers.
        most: usize,
    },
    /// `true` or `false`
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
    /// One of these words, or a number.
    WordOrReal(&'static [&'static str]),
    /// A target of real numbers by its name, which `train` declares after the net.
    Target,
    /// An initializer, such as `he` or `uniform(-0.1, 0.1)`.
    Init,
    /// A learning rate: a number, or a schedule such as `cosine(0.01, to: 0.0001)`.
    Schedule,
    /// A figure of the held-out rows: `loss`, or a metric by its name.
    Watched,
}

/// The numbers a parameter accepts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// All.
    Any,
    /// From 0.
    AtLeastZero,
    /// Above 0.
    AboveZero,
    /// From 0 up to, but not including, 1.
    Fraction,
}

/// An argument.
#[derive(Clone, Debug)]
pub enum Value {
    /// For [`Kind::Tensor`].
    Tensor(NodeId),
    /// For [`Kind::Tensors`].
    Tensors(Vec<NodeId>),
    /// For [`Kind::Real`].
    Real(f64),
    /// For [`Kind::Count`].
    Count(u64),
    /// For [`Kind::Integer`].
    Integer(i64),
    /// For [`Kind::Weights`], of which [`BALANCED`] is a word.
    Reals(Vec<f64>),
    /// For [`Kind::RisingCounts`] and [`Kind::Sizes`].
    Counts(Vec<u64>),
    /// For [`Kind::Flag`].
    Flag(bool),
    /// For [`Kind::Word`].
    Word(&'static str),
    /// For [`Kind::Target`]: its name and its shape.
    Target(String, Shape),
    /// For [`Kind::Init`].
    Init(Rule),
    /// For [`Kind::Schedule`].
    Schedule(Schedule),
    /// For [`Kind::Watched`].
    Watched(Watched),
    /// The default of a parameter that may be left out and then means nothing.
    Absent,
}

/// The arguments of a call, one for each parameter.
#[derive(Clone, Debug)]
pub struct Args {
    /// Of what function.
    pub signature: &'static Signature,
    /// The values, defaults filled in.
    pub values: Vec<Value>,
    /// Where each stands; `None` for a default.
    pub spans: Vec<Option<Span>>,
}

/// Why a function refuses its arguments, or warns of them.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The kind of mistake.
    pub code: Code,
    /// The parameter whose argument is to blame; `None` blames the whole call.
    pub param: Option<&'static str>,
    /// One plain sentence.
    pub message: String,
    /// The way out.
    pub help: Option<String>,
    /// Ways out that a machine can take, the best one first.
    pub remedies: Vec<Remedy>,
}

/// What would solve a problem, for lowering to make edits of: it has the call as it is written.
#[derive(Clone, Debug)]
pub enum Remedy {
    /// This, which says all itself.
    Fix(Fix),
    /// A value for a parameter, given or not.
    Set(&'static str, &'static str),
    /// To leave an argument out.
    Without(&'static str),
    /// To call another function with the same arguments.
    Call(&'static str),
    /// For an argument, what a function of this name has been applied to.
    Before(&'static str, &'static str),
    /// To declare the target that is the argument of a parameter with this type.
    Declare(&'static str, String),
}

impl Kind {
    /// The largest whole number that a 64-bit float holds with all before it.
    pub const MOST: u64 = 1 << 53;

    /// A whole number from `least` on.
    pub const fn count(least: u64) -> Kind {
        Kind::Count { least, most: Kind::MOST }
    }
}

impl Param {
    /// A parameter that must be given.
    pub const fn required(name: &'static str, kind: Kind) -> Param {
        Param { name, kind, default: None }
    }

    /// A parameter that may be left out.
    pub const fn optional(name: &'static str, kind: Kind, default: Value) -> Param {
        Param { name, kind, default: Some(default) }
    }

    /// A tensor that must be given.
    pub const fn tensor(name: &'static str) -> Param {
        Param::required(name, Kind::Tensor)
    }

    /// A number with a default.
    pub const fn real(name: &'static str, range: Range, default: f64) -> Param {
        Param::optional(name, Kind::Real(range), Value::Real(default))
    }

    /// Any number of tensors, after the others; no name can be given for them.
    pub const fn rest() -> Param {
        Param { name: "...", kind: Kind::Tensors, default: Some(Value::Tensors(Vec::new())) }
    }

    /// A switch that is off by default.
    pub const fn flag(name: &'static str) -> Param {
        Param::optional(name, Kind::Flag, Value::Flag(false))
    }
}

impl Range {
    /// Whether it holds a number; none holds NaN.
    pub fn contains(self, value: f64) -> bool {
        match self {
            Range::Any => !value.is_nan(),
            Range::AtLeastZero => value >= 0.0,
            Range::AboveZero => value > 0.0,
            Range::Fraction => (0.0..1.0).contains(&value),
        }
    }

    /// What its numbers are, after "must be".
    pub fn text(self) -> &'static str {
        match self {
            Range::Any => "a number",
            Range::AtLeastZero => "at least 0",
            Range::AboveZero => "more than 0",
            Range::Fraction => "at least 0 and less than 1",
        }
    }
}

impl Signature {
    /// How it is written, such as `dense(x, n, bias:, init:)`.
    pub fn usage(&self) -> String {
        let text = |(i, param): (usize, &Param)| {
            let is_named = i >= self.positional && !matches!(param.kind, Kind::Tensors);
            let colon = if is_named { ":" } else { "" };
            format!("{}{colon}", param.name)
        };
        let params: Vec<String> = self.params.iter().enumerate().map(text).collect();
        format!("{}({})", self.name, params.join(", "))
    }
}

impl Args {
    fn position(&self, name: &str) -> usize {
        let found = self.signature.params.iter().position(|param| param.name == name);
        found.unwrap_or_else(|| panic!("`{}` has no parameter `{name}`", self.signature.name))
    }

    /// Where an argument stands; `None` when it was left out.
    pub fn span(&self, name: &str) -> Option<Span> {
        self.spans[self.position(name)]
    }

    /// The argument of a [`Kind::Tensor`].
    pub fn tensor(&self, name: &str) -> NodeId {
        match &self.values[self.position(name)] {
            Value::Tensor(id) => *id,
            other => panic!("`{name}` is no tensor but {other:?}"),
        }
    }

    /// The arguments of a [`Kind::Tensors`].
    pub fn tensors(&self, name: &str) -> &[NodeId] {
        match &self.values[self.position(name)] {
            Value::Tensors(ids) => ids,
            other => panic!("`{name}` is no list of tensors but {other:?}"),
        }
    }

    /// The argument of a [`Kind::Integer`], unless it was left out.
    pub fn integer(&self, name: &str) -> Option<i64> {
        match &self.values[self.position(name)] {
            Value::Integer(value) => Some(*value),
            Value::Absent => None,
            other => panic!("`{name}` is no whole number but {other:?}"),
        }
    }

    /// The numbers of a [`Kind::Weights`], unless it was left out or is another word.
    pub fn reals(&self, name: &str) -> Option<&[f64]> {
        match &self.values[self.position(name)] {
            Value::Reals(values) => Some(values),
            Value::Absent | Value::Word(_) => None,
            other => panic!("`{name}` is no list of numbers but {other:?}"),
        }
    }

    /// The argument of a [`Kind::Real`].
    pub fn real(&self, name: &str) -> f64 {
        match &self.values[self.position(name)] {
            Value::Real(value) => *value,
            other => panic!("`{name}` is no number but {other:?}"),
        }
    }

    /// The argument of a [`Kind::Count`], unless it was left out.
    pub fn count(&self, name: &str) -> Option<u64> {
        match &self.values[self.position(name)] {
            Value::Count(value) => Some(*value),
            Value::Absent => None,
            other => panic!("`{name}` is no count but {other:?}"),
        }
    }

    /// The argument of a [`Kind::RisingCounts`] or a [`Kind::Sizes`].
    pub fn counts(&self, name: &str) -> &[u64] {
        match &self.values[self.position(name)] {
            Value::Counts(values) => values,
            other => panic!("`{name}` is no list but {other:?}"),
        }
    }

    /// The argument of a [`Kind::Flag`].
    pub fn flag(&self, name: &str) -> bool {
        match &self.values[self.position(name)] {
            Value::Flag(value) => *value,
            other => panic!("`{name}` is no switch but {other:?}"),
        }
    }

    /// The argument of a [`Kind::Word`].
    pub fn word(&self, name: &str) -> &'static str {
        match &self.values[self.position(name)] {
            Value::Word(value) => value,
            other => panic!("`{name}` is no word but {other:?}"),
        }
    }

    /// The number of a [`Kind::WordOrReal`], unless it is a word.
    pub fn number(&self, name: &str) -> Option<f64> {
        match &self.values[self.position(name)] {
            Value::Real(value) => Some(*value),
            Value::Word(_) => None,
            other => panic!("`{name}` is neither a number nor a word but {other:?}"),
        }
    }

    /// The argument of a [`Kind::Target`].
    pub fn target(&self, name: &str) -> (&str, Shape) {
        match &self.values[self.position(name)] {
            Value::Target(name, shape) => (name, *shape),
            other => panic!("`{name}` is no target but {other:?}"),
        }
    }

    /// Whether there is a parameter of that name, and its argument is that word.
    pub fn says(&self, name: &str, word: &str) -> bool {
        let known = self.signature.params.iter().any(|param| param.name == name);
        known && matches!(self.values[self.position(name)], Value::Word(own) if own == word)
    }

    /// The argument of a [`Kind::Init`].
    pub fn init(&self, name: &str) -> Rule {
        match &self.values[self.position(name)] {
            Value::Init(value) => *value,
            other => panic!("`{name}` is no initializer but {other:?}"),
        }
    }

    /// The argument of a [`Kind::Schedule`]; a number is a rate that stays the same.
    pub fn schedule(&self, name: &str) -> Schedule {
        match &self.values[self.position(name)] {
            Value::Schedule(value) => value.clone(),
            Value::Real(rate) => Schedule::constant(*rate),
            other => panic!("`{name}` is no schedule but {other:?}"),
        }
    }

    /// The argument of a [`Kind::Watched`], unless it was left out.
    pub fn watched(&self, name: &str) -> Option<Watched> {
        match &self.values[self.position(name)] {
            Value::Watched(figure) => Some(*figure),
            Value::Absent => None,
            other => panic!("`{name}` is no figure but {other:?}"),
        }
    }
}

impl Problem {
    /// A problem with the call as a whole.
    pub fn new(code: Code, message: impl Into<String>) -> Problem {
        Problem { code, param: None, message: message.into(), help: None, remedies: Vec::new() }
    }

    /// Blames an argument.
    pub fn at(mut self, param: &'static str) -> Problem {
        self.param = Some(param);
        self
    }

    /// Says the way out.
    pub fn help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into());
        self
    }

    /// Adds a way out that a machine can take.
    pub fn remedy(mut self, remedy: Remedy) -> Problem {
        self.remedies.push(remedy);
        self
    }
}

impl From<ShapeError> for Problem {
    fn from(error: ShapeError) -> Problem {
        Problem::new(Code::ShapeMismatch, error.0)
    }
}
