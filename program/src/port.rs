//! An input or a target: what its values may be, and where in a table they are.

use crate::ids::BufferId;
use std::fmt;

/// An input or a target.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Elements in one row of data.
    pub width: u64,
    /// Its values.
    pub buffer: BufferId,
    /// What its values may be.
    pub domain: Domain,
    /// What becomes of a field without a value.
    pub missing: Missing,
    /// The columns of a table that it takes, where the text says it: as many as its width.
    pub from: Vec<Column>,
    /// What its columns were called in the table that the net was trained on; none where that is
    /// not known.
    pub columns: Vec<String>,
}

/// What stands for a class that is missing, where the host gives classes by number: for inputs that
/// are `missing` or `unknown` in the text of a model. Of real numbers it is NaN.
pub const MISSING: i32 = i32::MIN;

impl Port {
    /// Whether it may be without a value, which is the class behind the last one, or NaN.
    pub fn has_holes(&self) -> bool {
        self.missing.is_hole()
    }

    /// The number of indices that are stored: one for each class, one for what does not count, and
    /// one for what is missing.
    pub fn indices(&self) -> Option<u64> {
        self.domain.indices()?.checked_add(u64::from(self.has_holes()))
    }

    /// The scores that an output has for it in a row: one for each class, or one for each element
    /// that is from 0 to 1; others have none.
    pub fn scores(&self) -> Option<u64> {
        match self.domain {
            Domain::Interval(low, high) => (low >= 0.0 && high <= 1.0).then_some(self.width),
            _ => self.domain.classes(),
        }
    }

    /// The index that an integer is stored as, which is of the domain or [`MISSING`].
    #[inline]
    pub fn index(&self, class: i32) -> i64 {
        match self.domain.indices() {
            Some(indices) if class == MISSING && self.has_holes() => indices as i64,
            _ => self.domain.index(i64::from(class)),
        }
    }

    /// Whether a port of integers takes a class as the host gives it.
    #[inline]
    pub fn takes_class(&self, class: i32) -> bool {
        self.domain.contains(class.into()) || class == MISSING && self.has_holes()
    }

    /// Whether a port of real numbers takes one.
    #[inline]
    pub fn takes_real(&self, value: f32) -> bool {
        self.domain.contains(value.into()) || value.is_nan() && self.has_holes()
    }
}

/// What becomes of a field without a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Missing {
    /// It is an error.
    #[default]
    Refused,
    /// Its row is left out. These words mean it, beside the usual ones.
    LeftOut(Vec<String>),
    /// It is a hole. These words mean it, beside the usual ones.
    Hole(Vec<String>),
    /// It is a hole, and so is a class that the domain does not list.
    Unknown,
}

impl Missing {
    /// Whether it is a hole.
    pub fn is_hole(&self) -> bool {
        matches!(self, Missing::Hole(_) | Missing::Unknown)
    }

    /// The words that mean it, beside the usual ones.
    pub fn words(&self) -> &[String] {
        match self {
            Missing::LeftOut(words) | Missing::Hole(words) => words,
            Missing::Refused | Missing::Unknown => &[],
        }
    }
}

/// Where a column of a table is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// Under this name in the header.
    Named(String),
    /// At this place, from 0.
    At(u32),
}

/// The values a port may take.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Domain {
    /// Any finite number.
    #[default]
    Any,
    /// The integers from the first up to, but not including, the second. Of a port of integers, the
    /// first is stored as 0, and so on: the steps count classes from 0.
    Range(i64, i64),
    /// Classes by name; the value is the position.
    Names(Vec<String>),
    /// The real numbers from the first to the second, both included.
    Interval(f64, f64),
    /// The integers of [`Domain::Range`], and one more outside of them: a row with that one does
    /// not count. It is stored as the index behind the last class.
    RangeOr(i64, i64, i64),
}

impl Domain {
    /// The number of classes, where the domain is a list of them.
    pub fn classes(&self) -> Option<u64> {
        match self {
            Domain::Any | Domain::Interval(..) => None,
            Domain::Range(low, high) | Domain::RangeOr(low, high, _) => {
                (low <= high).then(|| high.abs_diff(*low))
            }
            Domain::Names(names) => Some(names.len() as u64),
        }
    }

    /// The number of indices that are stored: one for each class, and one for what does not count.
    pub fn indices(&self) -> Option<u64> {
        let ignored = u64::from(matches!(self, Domain::RangeOr(..)));
        self.classes()?.checked_add(ignored)
    }

    /// The index that an integer of the domain is stored as.
    #[inline]
    pub fn index(&self, class: i64) -> i64 {
        match self {
            Domain::RangeOr(low, high, ignored) if class == *ignored => high - low,
            Domain::RangeOr(low, ..) | Domain::Range(low, _) => class - low,
            Domain::Any | Domain::Names(_) | Domain::Interval(..) => class,
        }
    }

    /// The integer that stands for the first class.
    pub fn first_class(&self) -> i64 {
        match self {
            Domain::Range(low, _) | Domain::RangeOr(low, ..) => *low,
            Domain::Any | Domain::Names(_) | Domain::Interval(..) => 0,
        }
    }

    /// What the user calls a class, which counts from 0.
    pub fn label(&self, class: u64) -> Option<Label<'_>> {
        match self {
            _ if self.classes().is_none_or(|classes| class >= classes) => None,
            Domain::Names(names) => names.get(class as usize).map(|name| Label::Name(name)),
            _ => self.first_class().checked_add_unsigned(class).map(Label::Number),
        }
    }

    /// Whether a value as it is given to the host, before it is stored, is in the domain.
    pub fn contains(&self, value: f64) -> bool {
        match self {
            Domain::Any => value.is_finite(),
            Domain::Range(low, high) => (*low as f64..*high as f64).contains(&value),
            Domain::Names(names) => (0.0..names.len() as f64).contains(&value),
            Domain::Interval(low, high) => (*low..=*high).contains(&value),
            Domain::RangeOr(low, high, ignored) => {
                value == *ignored as f64 || (*low as f64..*high as f64).contains(&value)
            }
        }
    }
}

/// A class as the user calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label<'a> {
    /// By a number.
    Number(i64),
    /// By its name.
    Name(&'a str),
}

impl fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Label::Number(number) => number.fmt(f),
            Label::Name(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Domain::Any => f.write_str("the finite numbers"),
            Domain::Range(low, high) => write!(f, "{low}..{high}"),
            Domain::Names(names) => write!(f, "0..{}", names.len()),
            Domain::Interval(low, high) => write!(f, "{low} to {high}"),
            Domain::RangeOr(low, high, ignored) => write!(f, "{low}..{high} and {ignored}"),
        }
    }
}
