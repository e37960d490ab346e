//! What the passes ask of an operator: whether it is elementwise, works in place, and how its
//! result and operands may lie in memory.

use super::MAX_INPUTS;

/// How an operator may be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traits {
    /// Whether an element of the result depends on the same element of each operand alone, so that
    /// it joins others in one kernel.
    pub elementwise: bool,
    /// Whether a kernel of its own reads each row of the first operand just before it writes the
    /// same row of the result.
    pub in_place: bool,
    /// How many operands, from the first, lie as the result does.
    pub alike: usize,
    /// What may lie in panels.
    pub panels: Admits,
    /// What may lie in columns.
    pub columns: Admits,
}

/// What may lie in some layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admits {
    /// The result.
    pub result: bool,
    /// Each operand.
    pub inputs: [bool; MAX_INPUTS],
}

impl Admits {
    /// All of it.
    pub const ALL: Admits = Admits { result: true, inputs: [true; MAX_INPUTS] };
    /// Nothing.
    pub const NONE: Admits = Admits { result: false, inputs: [false; MAX_INPUTS] };
}

impl Traits {
    /// Those of an elementwise operator.
    pub const ELEMENTWISE: Traits = Traits {
        elementwise: true,
        in_place: false,
        alike: MAX_INPUTS,
        panels: Admits::ALL,
        columns: Admits::ALL,
    };

    /// Those of an operator that reads and writes rows, in an order of its own.
    pub const ROWS: Traits = Traits {
        elementwise: false,
        in_place: false,
        alike: 0,
        panels: Admits::NONE,
        columns: Admits::NONE,
    };

    /// Those of an operator that goes from row to row, in rows or in columns.
    pub const ROW_BY_ROW: Traits =
        Traits { in_place: true, alike: 1, columns: Admits::ALL, ..Traits::ROWS };
}
