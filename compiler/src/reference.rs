//! The reference of the language: what may be called, kind by kind, as the lists have it.

use crate::entry::Entry;
use crate::layer::init::INITS;
use crate::layer::metric::METRICS;
use crate::layer::{activation, functions, loss};
use crate::lower::settings;
use crate::optim::OPTIMIZERS;
use crate::pass::hold::HOLDS;
use crate::schedule::SCHEDULES;
use crate::signature::Signature;
use crate::watch::{KEEPS, STOPS};

/// What is called in the same places.
#[derive(Clone, Debug)]
pub struct Section {
    /// What they are called together, such as `losses`.
    pub name: &'static str,
    /// Where they are called.
    pub place: &'static str,
    /// What is built of them.
    pub functions: Vec<Signature>,
}

/// All sections.
///
/// ```
/// let sections = arenet_compiler::reference::sections();
/// let losses = sections.iter().find(|section| section.name == "losses").unwrap();
/// let mse = losses.functions.iter().find(|function| function.name == "mse").unwrap();
/// assert_eq!((mse.usage().as_str(), mse.about), ("mse(y, t, reduction:, weight:)", "(y - t)²"));
/// ```
pub fn sections() -> Vec<Section> {
    let is_of =
        |list: &'static [Entry<_>], name: &str| list.iter().any(|entry| entry.name() == name);
    let is_activation = |name: &str| is_of(activation::ACTIVATIONS, name);
    let is_loss = |name: &str| is_of(loss::LOSSES, name);
    let all: Vec<Signature> = built(functions());
    let of = |test: &dyn Fn(&str) -> bool| all.iter().filter(|f| test(f.name)).copied().collect();
    let section = |name, place, functions| Section { name, place, functions };
    vec![
        section("layers", "h = x |> dense(16)", of(&|name| !is_activation(name) && !is_loss(name))),
        section("activations", "h = x |> dense(16) |> relu", of(&is_activation)),
        section("losses", "loss = mse(y, t)", of(&is_loss)),
        section("metrics", "metric accuracy(y, t)", built(METRICS)),
        section("optimizers", "optimizer = adam(lr: 0.01)", built(OPTIMIZERS)),
        section("schedules", "optimizer = adam(lr: cosine(0.01))", built(SCHEDULES)),
        section("initializers", "h = x |> dense(16, init: he)", built(INITS)),
        section("settings", "epochs = 20", settings().into_iter().chain(built(HOLDS)).collect()),
        section("keep", "keep = best", built(KEEPS)),
        section("stop", "stop = early_stop(patience: 10)", built(STOPS)),
    ]
}

fn built<T: 'static>(entries: impl IntoIterator<Item = &'static Entry<T>>) -> Vec<Signature> {
    let built = entries.into_iter().filter(|entry| entry.built.is_some());
    built.map(|entry| entry.signature).collect()
}
