//! What the net makes of the rows held out, or of those trained on: of each target its own figures,
//! and the worst rows.

use arenet::internals::runtime::program::Program;
use arenet::internals::runtime::train::Look;
use arenet::{Error, Trainer};
use serde::{Deserialize, Serialize};

use super::classes::{Classes, Judge};
use super::numbers::{Estimate, Numbers};

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

impl Looks {
    /// Looks at the rows, with the weights as they are now.
    pub fn take(trainer: &mut Trainer) -> Result<Looks, Error> {
        let program = &trainer.executor().program().clone();
        let judges = Judge::all(program);
        let estimates = Estimate::all(program, &judges, &trainer.estimates());
        let mut looks = Looks {
            classes: judges.iter().map(|judge| judge.classes(program)).collect(),
            numbers: estimates.iter().map(|estimate| estimate.numbers(program)).collect(),
            ..Looks::default()
        };
        let look = |look: &Look| looks.add(program, look, &judges, &estimates);
        trainer.runtime().look(MOST_ROWS, look)?;
        looks.numbers.iter_mut().for_each(Numbers::finish);
        Ok(looks)
    }

    fn add(&mut self, program: &Program, look: &Look, judges: &[Judge], estimates: &[Estimate]) {
        self.rows += 1;
        let row = u64::from(look.row) + 1;
        let classes = judges.iter().zip(&mut self.classes);
        let classes = classes.map(|(judge, classes)| classes.add(judge.judge(program, look)));
        let mut found: Vec<Found> = classes.collect();
        let numbers = estimates.iter().zip(&mut self.numbers);
        found.extend(numbers.map(|(estimate, numbers)| numbers.add(row, estimate.of(look))));
        let place = self.worst.partition_point(|bad| {
            let loss = bad.loss.unwrap_or(f64::INFINITY);
            loss.total_cmp(&look.loss).is_ge()
        });
        if place < WORST {
            let loss = look.loss.is_finite().then_some(look.loss);
            self.worst.insert(place, Bad { row, loss, found });
            self.worst.truncate(WORST);
        }
    }
}
