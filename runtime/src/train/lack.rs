//! What the settings of a net ask of a run that a run without data does not have.

use crate::data::{Choice, Words};
use crate::program::host::{HostInput, HostInstr};
use crate::program::{Schedule, Training};
use std::fmt;

/// What a run without data lacks, and which setting asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// Epochs, which the schedule of this index counts.
    Epochs(usize),
    /// The figures of epochs, which the schedule of this index looks at.
    Figures(usize),
    /// The length of the run, which the schedule of this index spans.
    Length(usize),
    /// Rows to count, for this one of the factors that balance classes.
    Rows(usize),
}

impl Lack {
    /// What a training lacks without data, if anything; `steps` says that the number of its steps
    /// is known.
    pub(super) fn of(training: &Training, steps: bool) -> Option<Lack> {
        if !training.balances.is_empty() {
            return Some(Lack::Rows(0));
        }
        let mut schedules = training.schedules.iter().enumerate();
        schedules.find_map(|(index, schedule)| Lack::of_schedule(schedule, index, steps))
    }

    fn of_schedule(schedule: &Schedule, index: usize, steps: bool) -> Option<Lack> {
        let reads = |input| {
            let mut numbers = [&schedule.rate].into_iter().chain(&schedule.momentum);
            numbers.any(|number| number.code.contains(&HostInstr::Input(input)))
        };
        if reads(HostInput::Epoch) || reads(HostInput::Epochs) {
            return Some(Lack::Epochs(index));
        }
        if schedule.plateau.is_some() {
            return Some(Lack::Figures(index));
        }
        (reads(HostInput::Steps) && !steps).then_some(Lack::Length(index))
    }

    /// The way out.
    pub fn help(self, words: Words) -> String {
        match self {
            Lack::Epochs(_) => "let it count steps, without `per: epoch`".to_string(),
            Lack::Figures(_) => "choose a schedule that counts steps".to_string(),
            Lack::Length(_) => format!("say how long it is: by {}", words(Choice::Length)),
            Lack::Rows(_) => {
                let example = "`class_weight: [1, 2, 0.5]`";
                format!("write a factor for each class, such as {example}")
            }
        }
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Lack::Epochs(_) => "a schedule counts epochs, and there are none",
            Lack::Figures(_) => {
                "`reduce_on_plateau` looks at the figure of each epoch, and there are none"
            }
            Lack::Length(_) => {
                "a schedule spans the run, which is as long as there are rows for it"
            }
            Lack::Rows(_) => {
                "`class_weight: balanced` counts the classes in the training rows, and there are \
                 none before the first step"
            }
        })
    }
}
