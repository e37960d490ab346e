//! The operands of a node, stored in place.

use super::NodeId;
use std::fmt;
use std::ops::{Deref, DerefMut};

/// The most operands an operator has. Only rows that are put side by side are more than three; in
/// many steps, most of them would be copied several times.
pub const MAX_INPUTS: usize = 16;

/// Up to [`MAX_INPUTS`] operands in place: a graph is then one piece of memory, copied as such.
#[derive(Clone, Copy, PartialEq)]
pub struct Inputs {
    len: u8,
    /// Those from `len` on are 0, so that the derived `PartialEq` holds.
    ids: [NodeId; MAX_INPUTS],
}

impl Inputs {
    /// These operands, of which there are at most [`MAX_INPUTS`].
    pub fn new(inputs: &[NodeId]) -> Inputs {
        let mut ids = [NodeId(0); MAX_INPUTS];
        ids[..inputs.len()].copy_from_slice(inputs);
        Inputs { len: inputs.len() as u8, ids }
    }
}

impl Deref for Inputs {
    type Target = [NodeId];

    fn deref(&self) -> &[NodeId] {
        &self.ids[..self.len as usize]
    }
}

impl DerefMut for Inputs {
    fn deref_mut(&mut self) -> &mut [NodeId] {
        &mut self.ids[..self.len as usize]
    }
}

impl<'i> IntoIterator for &'i Inputs {
    type Item = &'i NodeId;
    type IntoIter = std::slice::Iter<'i, NodeId>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
