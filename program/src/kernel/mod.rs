//! The kernels that a step can launch: each kind in a file of its own, which says what it is, what
//! it reads and writes, how threads may divide it, what the verifier asks of it and how it is
//! printed. How it runs is the runtime's.

mod argmax;
mod column_sum;
mod correct;
mod cross_entropy;
mod gather;
mod gemm;
mod map;
mod random;
mod reduce;
mod softmax;
mod splice;
mod whole;

pub use argmax::Argmax;
pub use column_sum::ColumnSum;
pub use correct::Correct;
pub use cross_entropy::CrossEntropy;
pub use gather::{Gather, ScatterAdd};
pub use gemm::Gemm;
pub use random::{Distribution, Random};
pub use reduce::{Reduce, Span};
pub use softmax::Softmax;
pub use splice::{Piece, Splice};
pub use whole::Whole;

use crate::names::Names;
use crate::verify::buffers::{Buffers, Classes};
use crate::{BufferId, Expr, ProgramError, Spread};

/// What is asked of a kind of kernel.
pub(crate) trait Kind {
    /// Its name in a printed schedule.
    fn name(&self) -> &'static str;

    /// The buffers it touches.
    fn access(&self) -> Access;

    /// The expressions it runs that store something or spread a number, with what they follow.
    fn expressions(&self) -> Vec<(&Expr, Follows)> {
        Vec::new()
    }

    /// A buffer that has the shape it goes over.
    fn over(&self) -> BufferId;

    /// The sizes of its work, by those of buffers: rows and columns of what it goes over.
    fn size(&self, size: &dyn Fn(BufferId) -> (u64, u64)) -> Vec<u64> {
        let (rows, cols) = size(self.over());
        vec![rows, cols]
    }

    /// How threads may divide it.
    fn division(&self) -> Division;

    /// A buffer of which it reads no more than it writes, though it may read any part of it.
    fn reads_part_of(&self) -> Option<BufferId> {
        None
    }

    /// Whether a single number that it writes is in all lanes, where it has no expression.
    fn spreads(&self) -> bool {
        false
    }

    /// What it computes, a formula a line.
    fn lines(&self, names: &Names) -> Vec<String>;

    /// Checks the types, sizes and layouts of its operands.
    fn check(&self, buffers: &Buffers, classes: &Classes) -> Result<(), ProgramError>;
}

/// Makes the enum and the only match over it.
macro_rules! kernels {
    ($($(#[$doc:meta])* $name:ident($data:ty),)*) => {
        /// What a step does. Sizes follow from the layouts of the buffers.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Kernel {
            $($(#[$doc])* $name($data),)*
        }

        impl Kernel {
            fn kind(&self) -> &dyn Kind {
                match self {
                    $(Kernel::$name(data) => data,)*
                }
            }
        }
    };
}

kernels! {
    /// A matrix product with what follows it on each finished tile.
    Gemm(Gemm),
    /// Sums of columns, with what follows them.
    ColumnSum(ColumnSum),
    /// An elementwise expression over the shape of its stores.
    Map(Expr),
    /// A sum over a fused expression.
    Reduce(Reduce),
    /// Softmax of each row, or its logarithm.
    Softmax(Softmax),
    /// Softmax and cross-entropy in one.
    CrossEntropy(CrossEntropy),
    /// Whether the largest score of each row is its class's.
    Correct(Correct),
    /// Random numbers.
    Random(Random),
    /// Rows of a table by their indices.
    Gather(Gather),
    /// Sums of rows by their indices.
    ScatterAdd(ScatterAdd),
    /// Elements of some buffers put together.
    Splice(Splice),
    /// Whole numbers as floats.
    Whole(Whole),
    /// Where the largest element of each row is.
    Argmax(Argmax),
}

impl Kernel {
    /// Its name in a printed schedule.
    pub fn name(&self) -> &'static str {
        self.kind().name()
    }

    /// The buffers it touches.
    pub fn access(&self) -> Access {
        self.kind().access()
    }

    /// The expressions it runs that store something or spread a number, with what they follow.
    pub fn expressions(&self) -> Vec<(&Expr, Follows)> {
        self.kind().expressions()
    }

    /// The sizes of its work, by those of buffers: rows, columns and depth of a product, rows and
    /// columns of the rest.
    pub fn size(&self, size: &dyn Fn(BufferId) -> (u64, u64)) -> Vec<u64> {
        self.kind().size(size)
    }

    /// How threads may divide it.
    pub fn division(&self) -> Division {
        self.kind().division()
    }

    pub(crate) fn reads_part_of(&self) -> Option<BufferId> {
        self.kind().reads_part_of()
    }

    pub(crate) fn spreads(&self) -> bool {
        self.kind().spreads()
    }

    pub(crate) fn lines(&self, names: &Names) -> Vec<String> {
        self.kind().lines(names)
    }

    pub(crate) fn check(&self, buffers: &Buffers, classes: &Classes) -> Result<(), ProgramError> {
        self.kind().check(buffers, classes)
    }
}

/// How threads may divide a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Division {
    /// By the rows of the batch, where this buffer has such.
    pub rows_of: Option<BufferId>,
    /// Else by parts of its result.
    pub parts: bool,
}

/// What a kernel gives an expression for a row of one element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follows {
    /// The number in all lanes.
    Number,
    /// An element and padding.
    Padded,
}

/// The buffers a kernel touches.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Access {
    /// Read in the kernel's own order: these may not overlap anything written.
    pub gathers: Vec<BufferId>,
    /// Read element by element just before the same element may be written: these may lie exactly
    /// on a written buffer.
    pub streams: Vec<BufferId>,
    /// Written.
    pub writes: Vec<BufferId>,
}

impl Access {
    fn expr(&mut self, expr: &Expr) {
        for load in &expr.loads {
            match load.spread {
                Spread::Full => self.streams.push(load.buffer),
                _ => self.gathers.push(load.buffer),
            }
        }
        self.writes.extend(expr.stores.iter().map(|&(_, buffer)| buffer));
    }

    /// Everything read.
    pub fn reads(&self) -> impl Iterator<Item = BufferId> {
        self.gathers.iter().chain(&self.streams).copied()
    }
}
