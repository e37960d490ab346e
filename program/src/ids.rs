//! What is counted in a program and its model has ids of its own type, so that none is taken for
//! another.

/// A buffer of a program: an index into `Program::buffers`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BufferId(pub u32);

/// A parameter: an index into `Program::params`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParamId(pub u32);

/// A state that an optimizer keeps of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StateId {
    /// Whose state.
    pub param: ParamId,
    /// Which of its states: an index into `Param::states`.
    pub slot: u32,
}

/// One of the independent streams of random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u32);

impl ParamId {
    /// The parameter at an index.
    pub fn at(index: usize) -> ParamId {
        ParamId(u32::try_from(index).expect("a net has fewer than 2^32 parameters"))
    }

    /// Its index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}
