//! The entry points of a program: what the host can ask it to do.

use super::{Program, Training};
use std::ops::{Index, IndexMut};

/// One of a program's entry points, each a list of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryPoint {
    /// Writes the initial values; weights that are not of f32 have none.
    Init,
    /// Inputs to outputs.
    Predict,
    /// Inputs and targets to loss and metrics.
    Eval,
    /// One optimizer step; where gradients are accumulated, it adds those of a batch to the others.
    Train,
    /// The step of the optimizers by accumulated gradients, which are then zero.
    Update,
    /// Inputs and targets to the values of which the host takes statistics before the first step.
    Fit,
}

impl EntryPoint {
    /// Every entry point; its position is its code in the bytes of a program.
    pub const ALL: [EntryPoint; 6] = [
        EntryPoint::Init,
        EntryPoint::Predict,
        EntryPoint::Eval,
        EntryPoint::Train,
        EntryPoint::Update,
        EntryPoint::Fit,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            EntryPoint::Init => "init",
            EntryPoint::Predict => "predict",
            EntryPoint::Eval => "eval",
            EntryPoint::Train => "train",
            EntryPoint::Update => "update",
            EntryPoint::Fit => "fit",
        }
    }

    /// Whether the host may run it: without a loss nothing is evaluated, and without a `train`
    /// section nothing is trained, updated by what was accumulated, or fitted.
    pub fn runs(self, program: &Program) -> bool {
        match self {
            EntryPoint::Init | EntryPoint::Predict => true,
            EntryPoint::Eval => program.loss.is_some(),
            EntryPoint::Train => program.training.is_some(),
            EntryPoint::Update => program.training.as_ref().is_some_and(Training::accumulates),
            EntryPoint::Fit => program.training.as_ref().is_some_and(Training::fits_columns),
        }
    }
}

/// Something for each entry point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerEntry<T>(pub(crate) [T; 6]);

impl<T> PerEntry<T> {
    /// What `of` gives for each entry point.
    pub fn new(of: impl FnMut(EntryPoint) -> T) -> PerEntry<T> {
        PerEntry(EntryPoint::ALL.map(of))
    }

    /// What `f` makes of each.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> PerEntry<U> {
        PerEntry(self.0.map(f))
    }

    /// In the order of [`EntryPoint::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    /// [`PerEntry::iter`], to write.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut()
    }
}

impl<T> IntoIterator for PerEntry<T> {
    type Item = T;
    type IntoIter = std::array::IntoIter<T, 6>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<T> Index<EntryPoint> for PerEntry<T> {
    type Output = T;

    #[inline]
    fn index(&self, entry: EntryPoint) -> &T {
        &self.0[entry as usize]
    }
}

impl<T> IndexMut<EntryPoint> for PerEntry<T> {
    #[inline]
    fn index_mut(&mut self, entry: EntryPoint) -> &mut T {
        &mut self.0[entry as usize]
    }
}
