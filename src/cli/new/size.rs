//! How large a net is for a table of so many rows, and how it is trained.

use super::choose::Plan;
use super::target::Target;

/// The net and its training.
#[derive(Clone, Debug, PartialEq)]
pub struct Size {
    /// The units of each hidden layer.
    pub hidden: [u32; 2],
    /// The share of units that dropout leaves out.
    pub dropout: f64,
    /// The share of rows that are held out; 0 where there are too few.
    valid: f64,
    /// Whether it is of each class.
    by_class: bool,
    decay: f64,
    batch: u32,
    epochs: u32,
}

/// For tables of fewer rows than the first number. The fewer they are, the smaller is a step, the
/// more is left out, so that single rows are not learned by heart, and the more are held out, so
/// that chance does not choose the weights. Of many rows none is learned by heart.
const SIZES: [(u64, Size); 6] = [
    (500, size([64, 32], 0.2, 0.2, 0.3, 16, 100)),
    (1250, size([64, 32], 0.2, 0.2, 0.3, 32, 100)),
    (5000, size([64, 32], 0.2, 0.1, 0.3, 32, 60)),
    (20_000, size([64, 32], 0.1, 0.1, 0.3, 64, 40)),
    (200_000, size([128, 64], 0.0, 0.1, 0.1, 128, 8)),
    (u64::MAX, size([128, 64], 0.0, 0.05, 0.1, 256, 6)),
];

/// Of fewer rows than this, all are trained on.
const FEW_ROWS: u64 = 20;

const fn size(
    hidden: [u32; 2],
    dropout: f64,
    valid: f64,
    decay: f64,
    batch: u32,
    epochs: u32,
) -> Size {
    Size { hidden, dropout, valid, by_class: false, decay, batch, epochs }
}

impl Size {
    /// For the rows with a target.
    pub fn of(plan: &Plan<'_>) -> Size {
        let column = &plan.table.columns[plan.target_column];
        let rows = plan.table.rows - column.missing;
        let fits = |(fewer, _): &&(u64, Size)| rows < *fewer;
        let mut size = SIZES.iter().find(fits).unwrap_or(&SIZES[SIZES.len() - 1]).1.clone();
        if rows < FEW_ROWS {
            size.valid = 0.0;
        }
        if let Target::Classes(classes) = &plan.target {
            // Each class has a row on either side, and each side a row of each class.
            let least = column.values.iter().map(|(_, count)| *count).min().unwrap_or(0);
            size.by_class = least >= 2 && rows as f64 * size.valid >= classes.count() as f64;
        }
        size
    }

    /// The settings of the section `train`.
    pub fn settings(&self) -> String {
        let Size { valid, decay, batch, epochs, .. } = self;
        let mut text = format!(
            "    // The rate rises to its largest value and falls to nothing; the decay keeps \
             weights small.\n    \
             optimizer = adamw(lr: one_cycle(0.01), weight_decay: {decay}, decay: weights)\n    \
             batch = {batch}\n    epochs = {epochs}\n"
        );
        if *valid > 0.0 {
            let by = if self.by_class { ", by: class" } else { "" };
            text.push_str(&format!(
                "    // Rows that are held out tell which weights are the best, and these are \
                 kept.\n    valid = {valid}{by}\n    keep = best\n"
            ));
        }
        text
    }
}
