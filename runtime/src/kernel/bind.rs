//! From the steps of a verified program to kernels over places: everything that can be decided
//! before a run is decided here.

use super::cross_entropy::{Correct, CrossEntropy, Gradient, List};
use super::gemm::{self, Gemm, Operand};
use super::map::{Domain, Map};
use super::random::Random;
use super::reduce::Reduce;
use super::softmax::Softmax;
use super::straight::{self, Tape};
use super::tile::{Binding, Code, Place, Registers, TILE_VECTORS};
use super::{Extent, Part};
use crate::arena::Memory;
use crate::program::{self, Buffer, BufferId, Expr, Kernel, Layout, Program, Spread};
use crate::simd::{LANES, Simd};

/// A step that is ready to run.
#[derive(Clone, Debug)]
pub enum Bound {
    /// A matrix product, or a column sum.
    Gemm(Gemm),
    /// An elementwise expression.
    Map(Map),
    /// A sum.
    Reduce(Reduce),
    /// A softmax.
    Softmax(Softmax),
    /// A softmax with cross-entropy.
    CrossEntropy(CrossEntropy),
    /// A count of correct answers.
    Correct(Correct),
    /// Random numbers.
    Random(Random),
}

impl Bound {
    /// Runs this thread's part of the step at a batch of `n` rows.
    ///
    /// # Safety
    /// It is bound for this memory from a verified program planned for at least `n` rows.
    #[inline(always)]
    pub unsafe fn run<S: Simd>(&self, s: S, memory: Memory, n: usize, part: Part, seed: u64) {
        // SAFETY: passed on to the caller.
        unsafe {
            match self {
                Bound::Gemm(gemm) => gemm.run(s, memory, n, part),
                Bound::Map(map) => map.run(s, memory, n, part),
                Bound::Reduce(reduce) => reduce.run(s, memory, n, part),
                Bound::Softmax(softmax) => softmax.run(s, memory, n, part),
                Bound::CrossEntropy(ce) => ce.run(s, memory, n, part),
                Bound::Correct(correct) => correct.run(memory, n, part),
                Bound::Random(random) if part.index == 0 => random.run(memory, n, seed),
                Bound::Random(_) => {}
            }
        }
    }
}

/// Unrolls the steps of an entry for a batch of `n` rows, if that is little work; `zeros` is the
/// offset of a vector of zeros.
pub fn unroll<'a>(
    steps: impl Iterator<Item = &'a Bound>,
    n: usize,
    zeros: u32,
) -> Option<Vec<straight::Op>> {
    let mut tape = Tape::default();
    for (index, step) in steps.enumerate() {
        match step {
            // The room for a transposed operand is for eight vectors across.
            Bound::Gemm(gemm) if gemm.b_transposed && gemm.n > gemm::MAX_VECTORS * LANES => {
                return None;
            }
            Bound::Gemm(gemm) => gemm.unroll(&mut tape, n),
            Bound::Map(map) => map.unroll(&mut tape, n),
            Bound::Reduce(reduce) => reduce.unroll(&mut tape, n, zeros),
            _ => tape.push(straight::Op::Step(index as u32)),
        }
        if tape.is_long() {
            return None;
        }
    }
    Some(tape.ops)
}

/// Binds the steps of a program for one thread.
pub struct Binder<'a> {
    program: &'a Program,
    /// The constants used so far, each held sixteen times after the program's buffers.
    pub constants: &'a mut Vec<f32>,
    /// The first float of the constants.
    constants_at: usize,
    /// The first float of the thread's scratch.
    scratch: usize,
    /// The scratch used by the most demanding step so far, in floats.
    pub scratch_floats: usize,
}

impl<'a> Binder<'a> {
    /// A binder for a thread whose scratch starts at `scratch`.
    pub fn new(
        program: &'a Program,
        constants: &'a mut Vec<f32>,
        constants_at: usize,
        scratch: usize,
    ) -> Binder<'a> {
        // Zero starts every product without a bias, one is the row that sums columns.
        if constants.is_empty() {
            constants.extend([0.0, 1.0]);
        }
        Binder { program, constants, constants_at, scratch, scratch_floats: 0 }
    }

    fn buffer(&self, id: BufferId) -> &'a Buffer {
        &self.program.buffers[id.0 as usize]
    }

    fn offset(&self, id: BufferId) -> usize {
        self.buffer(id).offset as usize / 4
    }

    /// The offset, rows, columns and row stride of a matrix stored by rows.
    fn rows(&self, id: BufferId) -> (usize, Extent, usize, usize) {
        match self.buffer(id).layout {
            Layout::Rows { rows, cols, stride } => {
                (self.offset(id), rows.into(), cols as usize, stride as usize)
            }
            Layout::Panels { rows, cols } => {
                (self.offset(id), Extent::fixed(rows as usize), cols as usize, LANES)
            }
        }
    }

    /// The logical size, the distance between rows and that between vectors of columns.
    fn matrix(&self, id: BufferId) -> (Extent, usize, Operand) {
        let (offset, rows, cols, row) = self.rows(id);
        let column = match self.buffer(id).layout {
            Layout::Rows { .. } => LANES,
            Layout::Panels { rows, .. } => rows as usize * LANES,
        };
        (rows, cols, Operand { offset, row, column })
    }

    /// One element for each row of something else; one number is the element of every row.
    fn list(&self, id: BufferId) -> List {
        let (offset, _, cols, stride) = self.rows(id);
        let stride = if self.buffer(id).layout == Layout::scalar() { 0 } else { stride };
        List { offset, cols, stride }
    }

    /// Binds one step.
    pub fn bind(&mut self, kernel: &Kernel) -> Bound {
        match kernel {
            Kernel::Gemm(gemm) => Bound::Gemm(self.gemm(gemm)),
            Kernel::ColumnSum { x, tail } => Bound::Gemm(self.column_sum(*x, tail)),
            Kernel::Map(expr) => {
                let over = expr.stores[0].1;
                let domain = self.domain(over, expr);
                let tiles = match domain.flat {
                    Some(_) => (1, TILE_VECTORS),
                    // As many rows as fit beside each other.
                    None if domain.vecs >= TILE_VECTORS => (1, TILE_VECTORS),
                    None => (TILE_VECTORS / domain.vecs, domain.vecs),
                };
                Bound::Map(Map { domain, code: self.code(expr, domain.flat.is_some(), tiles, 0).0 })
            }
            Kernel::Reduce(reduce) => Bound::Reduce(self.reduce(reduce)),
            &Kernel::Softmax { x, y, log } => {
                let (y, rows, cols, stride) = self.rows(y);
                Bound::Softmax(Softmax { x: self.offset(x), y, rows, cols, stride, log })
            }
            Kernel::CrossEntropy(ce) => {
                let (x, rows, cols, stride) = self.rows(ce.x);
                let grad = ce
                    .grad
                    .map(|(y, scale)| Gradient { y: self.offset(y), scale: self.list(scale) });
                let loss = ce.loss.map(|loss| self.list(loss));
                let target = self.list(ce.target);
                Bound::CrossEntropy(CrossEntropy { x, target, loss, grad, rows, cols, stride })
            }
            &Kernel::Correct { x, target, y } => {
                let (x, rows, cols, stride) = self.rows(x);
                let (target, y) = (self.list(target), self.list(y));
                Bound::Correct(Correct { x, target, y, rows, cols, stride })
            }
            Kernel::Random(random) => Bound::Random(Random {
                y: self.offset(random.y),
                layout: self.buffer(random.y).layout,
                distribution: random.distribution,
                stream: random.stream,
            }),
        }
    }

    fn gemm(&mut self, gemm: &program::Gemm) -> Gemm {
        let (a_rows, a_cols, stored) = self.matrix(gemm.a);
        let a_step = stored.row;
        let (a, m, k) = if gemm.a_transposed {
            let a = Operand { offset: stored.offset, row: 1, column: a_step };
            (a, Extent::fixed(a_cols), a_rows)
        } else {
            let a = Operand { offset: stored.offset, row: a_step, column: 1 };
            (a, a_rows, Extent::fixed(a_cols))
        };
        let (b_rows, b_cols, b) = self.matrix(gemm.b);
        let n = if gemm.b_transposed { b_rows.at(1) } else { b_cols };
        let pack = match (gemm.a_transposed, gemm.b_transposed) {
            (_, true) => gemm::pack_floats(b_cols),
            (true, false) => gemm::pack_a_floats(m.at(1), k.at(self.program.batch as usize)),
            (false, false) => 0,
        };
        let bias = match gemm.bias {
            Some(bias) => Operand { offset: self.offset(bias), row: 0, column: LANES },
            None => Operand { offset: self.constant(0.0), row: 0, column: 0 },
        };
        Gemm {
            a,
            b,
            a_transposed: gemm.a_transposed,
            b_transposed: gemm.b_transposed,
            pack: self.scratch,
            bias,
            m,
            n,
            k,
            code: self.code(&gemm.tail, false, Self::product_tiles(n), pack).0,
        }
    }

    /// Σ over rows = onesᵀ x: a product whose one row of A is the constant one, again and again.
    fn column_sum(&mut self, x: BufferId, tail: &Expr) -> Gemm {
        let (k, n, b) = self.matrix(x);
        Gemm {
            a: Operand { offset: self.constant(1.0), row: 1, column: 0 },
            a_transposed: true,
            b,
            bias: Operand { offset: self.constant(0.0), row: 0, column: 0 },
            m: Extent::fixed(1),
            n,
            k,
            code: self.code(tail, false, Self::product_tiles(n), 0).0,
            ..Gemm::default()
        }
    }

    fn reduce(&mut self, reduce: &program::Reduce) -> Reduce {
        let by_row = reduce.span == program::Span::Row;
        let (_, rows, cols, stride) = self.rows(reduce.over);
        let mut domain = self.domain(reduce.over, &reduce.body);
        // Padding must be told from elements: rows stay rows, only a dense list is flat.
        if stride != 1 {
            domain = Domain { rows, vecs: cols.div_ceil(LANES), flat: None };
        }
        let (body, taken) = self.code(&reduce.body, domain.flat.is_some(), (1, TILE_VECTORS), 0);
        let (tail, _) = self.code(&reduce.tail, false, (1, 1), taken);
        Reduce { domain, cols, body, by_row, tail }
    }

    /// The domain of an expression over a buffer's shape.
    fn domain(&self, over: BufferId, expr: &Expr) -> Domain {
        let layout = self.buffer(over).layout;
        let spread = expr.loads.iter().any(|l| matches!(l.spread, Spread::Row | Spread::Column));
        match layout {
            Layout::Rows { rows, cols, .. } if spread => {
                Domain { rows: rows.into(), vecs: (cols as usize).div_ceil(LANES), flat: None }
            }
            Layout::Rows { rows, stride, .. } => {
                let count = rows.count * stride;
                let floats = program::Rows { count, ..rows };
                Domain { flat: Some(floats.into()), ..Domain::default() }
            }
            Layout::Panels { .. } => {
                let floats = layout.elements(1).expect("a verified layout has a size");
                Domain { flat: Some(Extent::fixed(floats as usize)), ..Domain::default() }
            }
        }
    }

    /// The largest tiles of a product with `n` columns.
    fn product_tiles(n: usize) -> (usize, usize) {
        (gemm::MAX_ROWS, n.div_ceil(LANES).next_power_of_two().min(gemm::MAX_VECTORS))
    }

    /// Binds an expression whose registers, for tiles of `rows` x `vecs` vectors, come after
    /// `taken` floats of scratch, and says how many are then taken.
    fn code(
        &mut self,
        expr: &Expr,
        flat: bool,
        (rows, vecs): (usize, usize),
        taken: usize,
    ) -> (Code, usize) {
        let registers = Registers { offset: self.scratch + taken, rows, vecs };
        let (program, constants_at) = (self.program, self.constants_at);
        let place = |id: BufferId, spread: Spread| {
            let buffer = &program.buffers[id.0 as usize];
            let offset = buffer.offset as usize / 4;
            let (row, vec) = match (spread, buffer.layout) {
                (Spread::Scalar, _) => (0, 0),
                (Spread::Row, _) => (0, LANES),
                (Spread::Full, _) if flat => (0, LANES),
                (Spread::Column, Layout::Rows { stride, .. }) => (stride as usize, 0),
                (_, Layout::Rows { stride, .. }) => (stride as usize, LANES),
                (_, Layout::Panels { rows, .. }) => (LANES, rows as usize * LANES),
            };
            Place::spread(offset, row, vec)
        };
        let constants = &mut *self.constants;
        let mut constant = |value: f32| {
            let offset = constants_at + index_of(constants, value) * LANES;
            Place::spread(offset, 0, 0)
        };
        let mut binding = Binding { place: &place, constant: &mut constant, registers };
        let (code, used) = Code::bind(expr, &mut binding);
        let taken = taken + used * registers.floats();
        self.scratch_floats = self.scratch_floats.max(taken);
        (code, taken)
    }

    /// The offset of a constant.
    fn constant(&mut self, value: f32) -> usize {
        self.constants_at + index_of(self.constants, value) * LANES
    }
}

/// The position of a constant in the list, which it joins if it is new. Told apart by bits: -0 is
/// not 0.
fn index_of(constants: &mut Vec<f32>, value: f32) -> usize {
    let known = constants.iter().position(|c| c.to_bits() == value.to_bits());
    known.unwrap_or_else(|| {
        constants.push(value);
        constants.len() - 1
    })
}
