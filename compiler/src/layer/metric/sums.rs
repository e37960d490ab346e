//! What figures are made of: sums over all rows, and their quotients.

use crate::graph::Term;
use arenet_program::{Finish, HostInput, HostNumber, Over};

/// The first sum over the second one, each over all rows.
pub(in crate::layer) fn ratio_of_sums(percent: bool) -> Finish {
    let sums = [0, 1].map(|index| HostInput::Value(index).into()).to_vec();
    Finish { over: Over::Numbers, sums, figure: ratio(0, 1), percent }
}

/// A sum over another one, or 0 where that is 0; neither is below 0.
pub(super) fn ratio(part: u16, whole: u16) -> HostNumber {
    quotient(sum(part), sum(whole))
}

/// A number over another one, or 0 where that is 0.
pub(super) fn quotient(part: HostNumber, whole: HostNumber) -> HostNumber {
    HostNumber::from(0.0).less(whole.clone()).choose(part / whole, 0.0)
}

/// One of the sums.
pub(super) fn sum(index: u16) -> HostNumber {
    HostInput::Sum(index).into()
}

/// 1 where x > threshold, else 0
pub(super) fn above(x: Term<'_>, threshold: f64) -> Term<'_> {
    x.formula().number(1.0).broadcast(x.shape()).gate(x - threshold)
}
