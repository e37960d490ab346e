//! Many short lists in one allocation.

/// A list for each index, all in one piece of memory.
#[derive(Clone, Debug)]
pub struct Lists<T> {
    /// Where each list ends; it begins where the one before ends.
    ends: Vec<u32>,
    items: Vec<T>,
}

impl<T: Copy> Lists<T> {
    /// Makes `count` lists of the pairs of an index and an item, which are gone through twice, and
    /// keeps their order in each.
    pub fn new<I: Iterator<Item = (usize, T)>>(count: usize, pairs: impl Fn() -> I) -> Lists<T> {
        let mut ends = vec![0u32; count + 1];
        let mut filler = None;
        for (index, item) in pairs() {
            ends[index + 1] += 1;
            filler = Some(item);
        }
        for index in 0..count {
            ends[index + 1] += ends[index];
        }
        let total = ends[count] as usize;
        let mut items = filler.map_or_else(Vec::new, |item| vec![item; total]);
        // Each is where its list goes on, and so its end when all is done.
        for (index, item) in pairs() {
            items[ends[index] as usize] = item;
            ends[index] += 1;
        }
        ends.pop();
        Lists { ends, items }
    }

    /// The list of an index.
    pub fn of(&self, index: usize) -> &[T] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.items[start as usize..self.ends[index] as usize]
    }
}
