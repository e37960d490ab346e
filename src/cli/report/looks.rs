//! What the net makes of the rows held out, or of those trained on: of each target its own figures,
//! and the worst rows.

use arenet::internals::runtime::data::output::{Judge, Judgement};
use arenet::internals::runtime::train::Look;
use arenet::{Error, Trainer};
use serde::{Deserialize, Serialize};

use super::numbers::{Estimate, Numbers};
use crate::classes::{Classes, Verdict, judges};

/// The most rows that are looked at one by one: some seconds for a large net.
const MOST_ROWS: usize = 50_000;
/// How many of the worst rows are told.
const WORST: usize = 10;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Looks {
    /// The rows looked at.
    pub rows: u64,
    pub classes: Vec<Classes>,
    pub numbers: Vec<Numbers>,
    /// The rows with the largest loss, the worst first.
    pub worst: Vec<Bad>,
}

/// A row that the net gets wrong.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bad {
    /// The row of the table, from 1.
    pub row: u64,
    pub loss: Option<f64>,
    /// What was found of each target, in the order of `Looks::classes` and then `Looks::numbers`.
    pub found: Vec<Found>,
}

/// What is true, and what was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Found {
    pub truth: String,
    pub found: String,
    /// How probable the net takes it for.
    pub probability: Option<f64>,
}

impl Found {
    fn of(classes: &Classes, verdict: Verdict) -> Found {
        let Verdict { truth, found, probability, .. } = verdict;
        let name = |class: usize| classes.names.get(class).cloned().unwrap_or_default();
        let probability = probability.map(f64::from);
        Found { truth: name(truth), found: name(found), probability }
    }
}

impl Looks {
    /// Looks at the rows, with the weights as they are now.
    pub fn take(trainer: &mut Trainer) -> Result<Looks, Error> {
        let program = &trainer.executor().program().clone();
        let judges = judges(program);
        let estimates = Estimate::all(program, &judges, &trainer.estimates());
        let mut looks = Looks {
            classes: judges.iter().map(|judge| Classes::new(program, judge)).collect(),
            numbers: estimates.iter().map(|estimate| estimate.numbers(program)).collect(),
            ..Looks::default()
        };
        let look = |look: &Look, loss: f64| looks.add(look, loss, &judges, &estimates);
        trainer.runtime().look(MOST_ROWS, look)?;
        looks.numbers.iter_mut().for_each(Numbers::finish);
        Ok(looks)
    }

    fn add(&mut self, look: &Look, loss: f64, judges: &[Judge], estimates: &[Estimate]) {
        self.rows += 1;
        let row = u64::from(look.row) + 1;
        let classes = judges.iter().zip(&mut self.classes);
        let count = |(judge, classes): (&Judge, &mut Classes)| {
            let verdict = Verdict::of(judge, look, &mut Judgement::default());
            verdict.map_or_else(Found::default, |verdict| {
                classes.add(verdict);
                Found::of(classes, verdict)
            })
        };
        let mut found: Vec<Found> = classes.map(count).collect();
        let numbers = estimates.iter().zip(&mut self.numbers);
        found.extend(numbers.map(|(estimate, numbers)| numbers.add(row, estimate.of(look))));
        let place = self
            .worst
            .partition_point(|bad| bad.loss.unwrap_or(f64::INFINITY).total_cmp(&loss).is_ge());
        if place < WORST {
            let loss = loss.is_finite().then_some(loss);
            self.worst.insert(place, Bad { row, loss, found });
            self.worst.truncate(WORST);
        }
    }
}
