//! Rows that are chosen of a table, in its order: most of them, so those that are not are listed.

use crate::exec::Coming;
use std::ops::Range;
use std::sync::Arc;

/// All rows before an end, but for some.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    end: u32,
    /// Those that are not, in ascending order.
    without: Arc<[u32]>,
}

impl Chosen {
    /// The rows before `end` that are not among these, which are in ascending order and before it.
    pub fn new(end: u32, without: &[u32]) -> Chosen {
        Chosen { end, without: without.into() }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.end as usize - self.without.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows before the end that are none of them, in ascending order.
    pub fn without(&self) -> &[u32] {
        &self.without
    }

    /// All of them, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.within(0..self.end as usize)
    }

    /// Those of a range of rows.
    pub fn within(&self, rows: Range<usize>) -> impl Iterator<Item = u32> {
        let end = rows.end.min(self.end as usize) as u32;
        let start = (rows.start as u32).min(end);
        let skipped = self.without.partition_point(|&row| row < start);
        let mut without = self.without[skipped..].iter().copied().peekable();
        (start..end).filter(move |row| without.next_if_eq(row).is_none())
    }

    /// The first of them alone.
    pub fn first(&self) -> Chosen {
        let end = self.iter().next().map_or(0, |row| row + 1);
        let others = self.without.partition_point(|&row| row < end);
        Chosen::new(end, &self.without[..others])
    }

    /// The row that so many of them are before.
    pub fn row(&self, place: usize) -> u32 {
        // As many of the others are before it as have at most `place` of these before them.
        let (mut low, mut high) = (0, self.without.len());
        while low < high {
            let middle = (low + high) / 2;
            match self.without[middle] as usize - middle <= place {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        (place + low) as u32
    }
}

/// Rows that are gone over in batches.
#[derive(Clone, Copy)]
pub(crate) enum Of<'r> {
    /// In this order.
    Listed(&'r [u32]),
    /// In the order of the table.
    Chosen(&'r Chosen),
}

impl Of<'_> {
    /// Gives one batch after another, each with rows that come after it.
    pub fn each<E>(
        self,
        batch: usize,
        mut each: impl FnMut(Coming<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        /// The rows that are listed at once.
        const LISTED: usize = 1 << 16;
        match self {
            Of::Listed(rows) => Coming::parts(rows, batch).try_for_each(each),
            Of::Chosen(chosen) => {
                let count = LISTED.div_ceil(batch).saturating_mul(batch);
                let mut all = chosen.iter();
                let mut listed = Vec::new();
                loop {
                    listed.clear();
                    listed.extend(all.by_ref().take(count));
                    if listed.is_empty() {
                        return Ok(());
                    }
                    Coming::parts(&listed, batch).try_for_each(&mut each)?;
                }
            }
        }
    }
}
