//! The kernels a step can launch, with what each reads and writes.

use super::{BufferId, Expr, StreamId};

/// What a step does. Sizes follow from the layouts of the buffers.
#[derive(Clone, Debug, PartialEq)]
pub enum Kernel {
    /// A matrix product with what follows it on each finished tile.
    Gemm(Gemm),
    /// The sum of each column of `x`, then `tail` over the one row of sums: a chain of additions
    /// down the rows, or beyond 256 rows chains of 32, added by the summation of Kahan.
    ColumnSum {
        /// What is summed.
        x: BufferId,
        /// What is done with the sums; `Value::Result` is a sum.
        tail: Expr,
    },
    /// An elementwise expression over the shape of its stores.
    Map(Expr),
    /// A sum over a fused expression.
    Reduce(Reduce),
    /// `y` = softmax of each row of `x`, or its logarithm.
    Softmax {
        /// The logits.
        x: BufferId,
        /// The probabilities.
        y: BufferId,
        /// Whether the logarithm is wanted.
        log: bool,
    },
    /// Softmax and cross-entropy in one.
    CrossEntropy(CrossEntropy),
    /// `y` = 1 for each row of `x` whose first largest element is at index `target`, else 0.
    Correct {
        /// The scores.
        x: BufferId,
        /// The class indices.
        target: BufferId,
        /// 1 or 0 a row.
        y: BufferId,
    },
    /// Random numbers.
    Random(Random),
}

/// C = op(A) op(B) + bias, each element a chain of fused multiply-adds over ascending k that starts
/// from the bias. A sum of more than 4,096 terms, or of more than 256 where A is transposed and k
/// runs over rows, is chains of 256 terms, each but the first from zero, and these are added by the
/// summation of Kahan. Where C lies in columns, its transpose is computed: the vectors then run
/// along A's columns, and B is broadcast.
///
/// B may be a weight of bf16, which is widened exactly, or of i8: then each row of A is rounded to
/// 8-bit integers, q = round(a 127 / max |a|) to the nearest even, their products are summed
/// exactly, and C = Σ q b × (max |a| / 127 × scale of the column) + bias, a multiply-add.
#[derive(Clone, Debug, PartialEq)]
pub struct Gemm {
    /// The broadcast operand.
    pub a: BufferId,
    /// Read A with rows and columns exchanged.
    pub a_transposed: bool,
    /// The vector operand; neither operand may be transposed where it is narrow.
    pub b: BufferId,
    /// Read B with rows and columns exchanged, through `scratch`.
    pub b_transposed: bool,
    /// One row, the start of every sum.
    pub bias: Option<BufferId>,
    /// What is done with each finished tile; `Value::Result` is the product.
    pub tail: Expr,
    /// What is done with the one row of the sums of op(B)'s columns, where they are computed too;
    /// `Value::Result` is a sum. Its order and that of `tail` are not for a program to rely on.
    pub column_sums: Option<Expr>,
}

/// The sum of `body`'s last value over an axis: sixteen lanes run along the vectors, each in chains
/// of sixteen terms that are added by the summation of Kahan, and are then added by a fixed tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Reduce {
    /// What is summed, over the shape of `over`; its last instruction is the value.
    pub body: Expr,
    /// A buffer that has the shape summed over.
    pub over: BufferId,
    /// The axis.
    pub span: Span,
    /// What is done with the sums; `Value::Result` is a sum.
    pub tail: Expr,
}

/// What one sum covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// A row.
    Row,
    /// Everything.
    All,
}

/// For each row: loss = ln Σ eˣ - x\[target\], grad = (softmax(x) - onehot(target)) × scale.
#[derive(Clone, Debug, PartialEq)]
pub struct CrossEntropy {
    /// The logits.
    pub x: BufferId,
    /// The class indices.
    pub target: BufferId,
    /// One loss a row.
    pub loss: Option<BufferId>,
    /// The gradient of the logits, and the factor: one for all or one a row.
    pub grad: Option<(BufferId, BufferId)>,
}

/// Random numbers by Philox, a function of (seed, stream, step, element).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Random {
    /// What is filled.
    pub y: BufferId,
    /// From what.
    pub distribution: Distribution,
    /// Keeps different uses apart.
    pub stream: StreamId,
}

/// A distribution of random numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Distribution {
    /// Always the same value.
    Constant(f32),
    /// Uniform from the first up to the second.
    Uniform(f32, f32),
    /// Normal, by mean and standard deviation.
    Normal(f32, f32),
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
                super::Spread::Full => self.streams.push(load.buffer),
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

impl Kernel {
    /// The buffers it touches.
    pub fn access(&self) -> Access {
        let mut access = Access::default();
        match self {
            Kernel::Gemm(gemm) => {
                access.gathers.extend([gemm.a, gemm.b]);
                access.gathers.extend(gemm.bias);
                access.expr(&gemm.tail);
                gemm.column_sums.iter().for_each(|tail| access.expr(tail));
            }
            Kernel::ColumnSum { x, tail } => {
                access.gathers.push(*x);
                access.expr(tail);
            }
            Kernel::Map(expr) => access.expr(expr),
            Kernel::Reduce(reduce) => {
                access.gathers.extend(reduce.body.loads.iter().map(|load| load.buffer));
                access.expr(&reduce.tail);
            }
            Kernel::Softmax { x, y, .. } => {
                access.streams.push(*x);
                access.writes.push(*y);
            }
            Kernel::CrossEntropy(ce) => {
                access.streams.push(ce.x);
                access.gathers.push(ce.target);
                access.writes.extend(ce.loss);
                if let Some((grad, scale)) = ce.grad {
                    access.gathers.push(scale);
                    access.writes.push(grad);
                }
            }
            Kernel::Correct { x, target, y } => {
                access.gathers.extend([*x, *target]);
                access.writes.push(*y);
            }
            Kernel::Random(random) => access.writes.push(random.y),
        }
        access
    }

    /// The name of the kernel in a printed schedule.
    pub fn name(&self) -> &'static str {
        match self {
            Kernel::Gemm(_) => "gemm",
            Kernel::ColumnSum { .. } => "column_sum",
            Kernel::Map(_) => "map",
            Kernel::Reduce(_) => "reduce",
            Kernel::Softmax { log: false, .. } => "softmax",
            Kernel::Softmax { log: true, .. } => "log_softmax",
            Kernel::CrossEntropy(_) => "cross_entropy",
            Kernel::Correct { .. } => "correct",
            Kernel::Random(_) => "random",
        }
    }
}
