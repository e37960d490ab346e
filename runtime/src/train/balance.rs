//! Factors that balance classes: those of a loss with `class_weight: balanced`, counted in the rows
//! that are trained on.

use super::chosen::Chosen;
use crate::exec::{Executor, Feed, RunError};
use crate::program::Balance;

/// Sets the factors: n / (k c) of a class that c of n rows have, where k classes are there, and 1
/// of one that is not there. (sklearn.utils.class_weight.compute_class_weight, `balanced`.)
pub(super) fn count(
    executor: &mut Executor,
    balances: &[Balance],
    data: &Feed,
    rows: &Chosen,
) -> Result<(), RunError> {
    for balance in balances {
        let param = &executor.program().params[balance.param.index()];
        let (buffer, classes) = (param.buffer, param.shape[0] as usize);
        let mut counts = vec![0_u64; classes];
        let inputs = executor.program().inputs.len();
        let target = inputs + balance.target as usize;
        let width = executor.program().targets[balance.target as usize].width as usize;
        data.each_block_of(target, |first, values| {
            for row in rows.within(first..first + values.len() / width) {
                for value in &values[(row as usize - first) * width..][..width] {
                    // What lies behind the last class does not count.
                    counts.get_mut(value.to_bits() as usize).into_iter().for_each(|c| *c += 1);
                }
            }
        })?;
        if let Some(ignored) = balance.ignored {
            counts[ignored as usize] = 0;
        }
        executor.write(buffer, &factors(&counts))?;
    }
    Ok(())
}

fn factors(counts: &[u64]) -> Vec<f32> {
    let all: u64 = counts.iter().sum();
    let there = counts.iter().filter(|&&count| count > 0).count() as f64;
    let factor = |&count: &u64| match count {
        0 => 1.0,
        count => (all as f64 / (there * count as f64)) as f32,
    };
    counts.iter().map(factor).collect()
}
