//! From the steps of a verified program to kernels over places: everything that can be decided
//! before a run is decided here.

use super::constants::Constants;
use super::share::Split;
use crate::kernel::Prepared;
use crate::kernel::argmax::Argmax;
use crate::kernel::cross_entropy::{Correct, CrossEntropy, Gradient};
use crate::kernel::expr::{Binding, Code, Registers};
use crate::kernel::gather::{Gather, ScatterAdd};
use crate::kernel::gemm::{self, Gemm, Operand, block, few_terms, pack};
use crate::kernel::gemm_int8::{self, GemmInt8};
use crate::kernel::map::{Map, Region};
use crate::kernel::place::{Extent, LARGEST_TILE, List, Place};
use crate::kernel::random::Random;
use crate::kernel::reduce::Reduce;
use crate::kernel::softmax::Softmax;
use crate::kernel::splice::{Groups, Piece, Splice};
use crate::kernel::sum::{self, Chains};
use crate::kernel::whole::Whole;
use crate::program::{self, Buffer, BufferId, DType, Expr, Kernel, Layout, Program, Spread};
use crate::simd::LANES;
use std::ops::Range;

/// How the vectors of a region lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// One row of everything.
    Flat,
    /// Along rows.
    Rows,
    /// Along columns: a row of the region is a column of its matrices.
    Columns,
}

/// An operand of a product.
#[derive(Clone, Copy, Debug)]
struct Matrix {
    /// The stored rows.
    rows: Extent,
    /// The elements of a stored row.
    cols: Extent,
    /// Its first float, and the distances between rows and between vectors of columns.
    stored: Operand,
    /// Whether it is read with rows and columns exchanged.
    transposed: bool,
}

impl Matrix {
    fn transpose(self) -> Matrix {
        Matrix { transposed: !self.transposed, ..self }
    }

    fn op_rows(self) -> Extent {
        if self.transposed { self.cols } else { self.rows }
    }

    fn op_cols(self) -> Extent {
        if self.transposed { self.rows } else { self.cols }
    }
}

/// The floats of scratch that a product needs.
#[derive(Clone, Copy, Debug)]
struct Room {
    /// For the sums of a tile between chains.
    tile: usize,
    /// For its packed operands, and for sums that are kept between blocks.
    pack: usize,
}

/// Binds the steps of a program for one thread.
pub struct Binder<'a> {
    program: &'a Program,
    /// The constants used so far, each held sixteen times after the program's buffers.
    pub constants: &'a mut Constants,
    /// The first float of the constants.
    constants_at: usize,
    /// The first float of the thread's scratch.
    scratch: usize,
    /// The scratch used by the most demanding step so far, in floats.
    pub scratch_floats: usize,
    /// The floats that are left free before registers and behind each of them.
    fence: usize,
    /// Those of the step that was bound last, and its registers, where there are any fences.
    fences: Vec<Range<usize>>,
    registers: Vec<Range<usize>>,
}

impl<'a> Binder<'a> {
    /// A binder for a thread whose scratch starts at `scratch`, with fences of so many floats.
    pub fn new(
        program: &'a Program,
        constants: &'a mut Constants,
        constants_at: usize,
        scratch: usize,
        fence: usize,
    ) -> Binder<'a> {
        let (scratch_floats, fences, registers) = Default::default();
        Binder {
            program,
            constants,
            constants_at,
            scratch,
            scratch_floats,
            fence,
            fences,
            registers,
        }
    }

    /// The fences of the step that was bound last, in order. Two expressions may take turns at the
    /// same scratch: there is none in the registers of the other.
    pub fn fences(&self) -> Vec<Range<usize>> {
        let apart = |fence: &&Range<usize>| {
            let overlaps =
                |other: &Range<usize>| other.start < fence.end && fence.start < other.end;
            !self.registers.iter().any(overlaps)
        };
        let mut fences: Vec<_> = self.fences.iter().filter(apart).cloned().collect();
        fences.sort_by_key(|fence| fence.start);
        fences.dedup();
        fences
    }

    fn buffer(&self, id: BufferId) -> &'a Buffer {
        &self.program.buffers[id.0 as usize]
    }

    fn offset(&self, id: BufferId) -> usize {
        self.buffer(id).offset as usize / 4
    }

    /// The offset, rows and columns of a matrix, and the distance between stored rows or columns.
    fn rows(&self, id: BufferId) -> (usize, Extent, usize, usize) {
        let layout = self.buffer(id).layout;
        let (rows, cols) = layout.shape();
        (self.offset(id), rows.into(), cols as usize, layout.steps().line as usize)
    }

    /// An operand of a product, read as it is or transposed.
    fn matrix(&self, id: BufferId, transposed: bool) -> Matrix {
        let Buffer { layout, dtype, .. } = *self.buffer(id);
        let ((rows, cols), steps) = (layout.shape(), layout.steps());
        let [row, column] =
            [steps.line, steps.vector].map(|elements| (elements * dtype.bytes()) as usize / 4);
        let stored = Operand { offset: self.offset(id), row, column };
        let (rows, cols) = (rows.into(), Extent::fixed(cols as usize));
        if self.is_in_columns(id) {
            // The columns of a matrix are the rows of its transpose.
            Matrix { rows: cols, cols: rows, stored, transposed: !transposed }
        } else {
            Matrix { rows, cols, stored, transposed }
        }
    }

    fn is_in_columns(&self, id: BufferId) -> bool {
        matches!(self.buffer(id).layout, Layout::Columns { .. })
    }

    /// One element for each row of something else; one number is the element of every row.
    fn list(&self, id: BufferId) -> List {
        let layout = self.buffer(id).layout;
        let (offset, _, cols, _) = self.rows(id);
        let alone = layout == Layout::scalar();
        let stride = if alone { 0 } else { layout.steps().rows.step as usize };
        List { offset, cols, stride }
    }

    /// Binds one step, which is split between threads in this way.
    pub fn bind(&mut self, kernel: &Kernel, split: Split) -> Prepared {
        self.fences.clear();
        self.registers.clear();
        match kernel {
            Kernel::Gemm(gemm) => {
                let by_rows = split == Split::Rows;
                match self.buffer(gemm.b).dtype {
                    DType::I8 => Prepared::GemmInt8(GemmInt8 { by_rows, ..self.gemm_int8(gemm) }),
                    _ => Prepared::Gemm(Gemm { by_rows, ..self.gemm(gemm) }),
                }
            }
            Kernel::ColumnSum(program::ColumnSum { x, tail }) => {
                Prepared::Gemm(self.column_sum(*x, tail))
            }
            Kernel::Map(expr) => {
                let over = expr.stores[0].1;
                let region = self.region(over, expr);
                // As many rows as fit beside each other.
                let (_, vecs) = region.at(self.program.batch as usize);
                let vecs = vecs.min(LARGEST_TILE);
                let tile_rows = LARGEST_TILE / vecs;
                let form = self.form(over, region);
                let (code, _) = self.code(expr, form, (tile_rows, vecs), 0);
                let tile = if code.is_sweep { (1, usize::MAX) } else { (tile_rows, vecs) };
                Prepared::Map(Map { region, tile, code })
            }
            Kernel::Reduce(reduce) => Prepared::Reduce(self.reduce(reduce)),
            &Kernel::Softmax(program::Softmax { x, y, log }) => {
                let (y, rows, cols, stride) = self.rows(y);
                let (x, columns) = (self.offset(x), self.is_in_columns(x));
                Prepared::Softmax(Softmax { x, y, rows, cols, stride, columns, log })
            }
            Kernel::CrossEntropy(ce) => {
                let (x, rows, cols, stride) = self.rows(ce.x);
                let grad = ce
                    .grad
                    .map(|(y, scale)| Gradient { y: self.offset(y), scale: self.list(scale) });
                let loss = ce.loss.map(|loss| self.list(loss));
                let target = self.list(ce.target);
                let columns = self.is_in_columns(ce.x);
                let ce = CrossEntropy { x, target, loss, grad, rows, cols, stride, columns };
                Prepared::CrossEntropy(ce)
            }
            &Kernel::Correct(program::Correct { x, target, y }) => {
                let (x, rows, cols, stride) = self.rows(x);
                let (target, y) = (self.list(target), self.list(y));
                Prepared::Correct(Correct { x, target, y, rows, cols, stride })
            }
            Kernel::Random(random) => Prepared::Random(Random {
                y: self.offset(random.y),
                layout: self.buffer(random.y).layout,
                rows: self.buffer(random.y).layout.shape().0.into(),
                distribution: random.distribution,
                stream: random.stream,
            }),
            &Kernel::Gather(program::Gather { table, index, y }) => {
                let (table, _, _, table_stride) = self.rows(table);
                let (y, rows, cols, y_stride) = self.rows(y);
                let index = self.list(index);
                Prepared::Gather(Gather { table, table_stride, index, y, y_stride, rows, cols })
            }
            &Kernel::ScatterAdd(program::ScatterAdd { x, index, y }) => {
                let (x, rows, cols, x_stride) = self.rows(x);
                let sums = self.buffer(y).layout.shape().0.count as usize;
                let (y, _, _, y_stride) = self.rows(y);
                let index = self.list(index);
                let sum = ScatterAdd { x, x_stride, rows, cols, index, y, y_stride, sums };
                Prepared::ScatterAdd(sum)
            }
            Kernel::Splice(splice) => Prepared::Splice(self.splice(splice)),
            &Kernel::Whole(program::Whole { index, y }) => {
                let (y, rows, cols, stride) = self.rows(y);
                let index = index.map(|index| self.list(index));
                Prepared::Whole(Whole { index, y, stride, rows, cols })
            }
            &Kernel::Argmax(program::Argmax { x, y }) => {
                let (x, rows, cols, stride) = self.rows(x);
                Prepared::Argmax(Argmax { x, y: self.list(y), rows, cols, stride })
            }
        }
    }

    fn splice(&self, program::Splice { groups, pieces, y }: &program::Splice) -> Splice {
        let groups_of = |id: BufferId| {
            let (offset, _, cols, stride) = self.rows(id);
            let count = self.buffer(id).layout.shape().0.count;
            let size = (count * cols as u64 / groups.count) as usize;
            Groups { offset, cols, stride, size }
        };
        let piece = |&program::Piece { x, from, len }: &program::Piece| Piece {
            x: x.map(groups_of),
            from: from as usize,
            len: len as usize,
        };
        Splice {
            groups: Extent::from(*groups),
            pieces: pieces.iter().map(piece).collect(),
            y: groups_of(*y),
            is_number: self.buffer(*y).layout == Layout::scalar(),
        }
    }

    fn gemm(&mut self, gemm: &program::Gemm) -> Gemm {
        let mut a = self.matrix(gemm.a, gemm.a_transposed);
        let mut b = self.matrix(gemm.b, gemm.b_transposed);
        let columns = self.is_in_columns(gemm.tail.stores[0].1);
        if columns {
            // Cᵀ = op(B)ᵀ op(A)ᵀ
            (a, b) = (b.transpose(), a.transpose());
        }
        let (form, row, column) = match columns {
            true => (Form::Columns, 1, 0),
            false => (Form::Rows, 0, LANES),
        };
        let bias = match gemm.bias {
            Some(bias) => Operand { offset: self.offset(bias), row, column },
            None => self.zero(),
        };
        let b_bf16 = self.buffer(gemm.b).dtype == DType::Bf16;
        let chains = if gemm.a_transposed { Chains::OVER_ROWS } else { Chains::ALONG_ROWS };
        let room = self.room(a, b, b_bf16, chains);
        let sums = gemm.column_sums.as_ref().map(|tail| Box::new(self.sums(b, tail, room)));
        Gemm { sums, chains, ..self.product((a, b, b_bf16), bias, form, &gemm.tail, room) }
    }

    fn gemm_int8(&mut self, gemm: &program::Gemm) -> GemmInt8 {
        let (a, b) = (self.matrix(gemm.a, false), self.matrix(gemm.b, false));
        let batch = self.program.batch as usize;
        let [k, n] = [a.cols, b.cols].map(|extent| extent.at(batch));
        let pack = gemm_int8::pack_floats(a.rows.at(batch), k);
        let bias = match gemm.bias {
            Some(bias) => Operand { offset: self.offset(bias), row: 0, column: LANES },
            None => self.zero(),
        };
        GemmInt8 {
            a: a.stored.offset,
            a_row: a.stored.row,
            b: b.stored.offset,
            panel: b.stored.column,
            pack: self.scratch,
            bias,
            by_rows: false,
            m: a.rows,
            n,
            k,
            code: self.code(&gemm.tail, Form::Rows, gemm::largest_strip(n), pack).0,
        }
    }

    fn column_sum(&mut self, x: BufferId, tail: &Expr) -> Gemm {
        let x = self.matrix(x, false);
        let ones = self.ones(x);
        let room = self.room(ones, x, false, Chains::COLUMN);
        self.sums(x, tail, room)
    }

    /// Σ over rows = onesᵀ x.
    fn sums(&mut self, x: Matrix, tail: &Expr, room: Room) -> Gemm {
        let operands = (self.ones(x), x, false);
        let zero = self.zero();
        let product = self.product(operands, zero, Form::Rows, tail, room);
        Gemm { chains: Chains::COLUMN, ..product }
    }

    /// As many rows of the constant one as `x` has, transposed: one row, whose elements are all in
    /// the same place.
    fn ones(&mut self, x: Matrix) -> Matrix {
        let stored = Operand { offset: self.constant(1.0), row: 0, column: 0 };
        Matrix { rows: x.op_rows(), cols: Extent::fixed(1), stored, transposed: true }
    }

    /// The scratch in which a product keeps a tile's sums and packs its operands.
    fn room(&self, a: Matrix, b: Matrix, b_bf16: bool, chains: Chains) -> Room {
        let sizes = [a.op_rows(), a.op_cols(), b.op_cols()];
        let [m, k, n] = sizes.map(|extent| extent.at(self.program.batch as usize));
        let pack = match (a.transposed, b.transposed) {
            (_, true) => pack::b_floats(k, n),
            (true, false) => block::floats(m, n, k, chains),
            (false, false) if b_bf16 => pack::bf16_floats(m, k),
            (false, false) => 0,
        };
        let tile = if chains.splits(k) { 3 * sum::TILE_FLOATS } else { 0 };
        Room { tile, pack }
    }

    /// A product of two operands, of which the second may be bfloat16, with room to pack them.
    fn product(
        &mut self,
        (a, b, b_bf16): (Matrix, Matrix, bool),
        bias: Operand,
        form: Form,
        tail: &Expr,
        room: Room,
    ) -> Gemm {
        let (m, k, n) = (a.op_rows(), a.op_cols(), b.op_cols());
        let [rows, depth, width] = [m, k, n].map(|extent| extent.at(self.program.batch as usize));
        let Operand { offset, row: step, .. } = a.stored;
        let (row, column) = if a.transposed { (1, step) } else { (step, 1) };
        let few_terms = !b.transposed && !b_bf16 && few_terms::pays(rows, depth);
        let tile = if few_terms { few_terms::TILE } else { gemm::largest_strip(width) };
        Gemm {
            a: Operand { offset, row, column },
            b: b.stored,
            a_transposed: a.transposed,
            b_transposed: b.transposed,
            b_bf16,
            totals: self.scratch,
            pack: self.scratch + room.tile,
            bias,
            by_rows: false,
            chains: Chains::default(),
            few_terms,
            m,
            n,
            k,
            sums: None,
            code: self.code(tail, form, tile, room.tile + room.pack).0,
        }
    }

    fn reduce(&mut self, reduce: &program::Reduce) -> Reduce {
        let by_row = reduce.span == program::Span::Row;
        let mut region = self.region(reduce.over, &reduce.body);
        // Padding must be told from elements: rows stay rows, only a dense list is flat.
        match self.buffer(reduce.over).layout {
            Layout::Rows { rows, cols, stride: 2.. } => {
                let cols = Extent::fixed(cols as usize);
                region = Region { rows: rows.into(), cols, flat: None };
            }
            Layout::Panels { rows, cols } => {
                let [rows, cols] = [rows, cols].map(|count| Extent::fixed(count as usize));
                region = Region { rows, cols, flat: None };
            }
            _ => {}
        }
        let form = self.form(reduce.over, region);
        let (body, taken) = self.code(&reduce.body, form, (1, LARGEST_TILE), 0);
        let (tail, _) = self.code(&reduce.tail, Form::Rows, (1, 1), taken);
        Reduce { region, body, by_row, tail }
    }

    /// The region of an expression over a buffer's shape.
    fn region(&self, over: BufferId, expr: &Expr) -> Region {
        let layout = self.buffer(over).layout;
        let spread = expr.loads.iter().any(|l| matches!(l.spread, Spread::Row | Spread::Column));
        match layout {
            Layout::Rows { rows, cols, .. } if spread => {
                Region { rows: rows.into(), cols: Extent::fixed(cols as usize), flat: None }
            }
            Layout::Columns { rows, cols, .. } => {
                Region { rows: Extent::fixed(cols as usize), cols: rows.into(), flat: None }
            }
            Layout::Rows { rows, stride, .. } => {
                let count = rows.count * stride;
                let floats = program::Rows { count, ..rows };
                Region { flat: Some(floats.into()), ..Region::default() }
            }
            Layout::Panels { .. } | Layout::Quads { .. } => {
                let floats = layout.elements(1).expect("a verified layout has a size");
                Region { flat: Some(Extent::fixed(floats as usize)), ..Region::default() }
            }
        }
    }

    /// The form of a region over a buffer's shape.
    fn form(&self, over: BufferId, region: Region) -> Form {
        match region.flat {
            Some(_) => Form::Flat,
            None if self.is_in_columns(over) => Form::Columns,
            None => Form::Rows,
        }
    }

    /// Binds an expression whose registers, for tiles of `rows` x `vecs` vectors, come after
    /// `taken` floats of scratch, and says how many are then taken.
    fn code(
        &mut self,
        expr: &Expr,
        form: Form,
        (rows, vecs): (usize, usize),
        taken: usize,
    ) -> (Code, usize) {
        let (program, constants_at, fence) = (self.program, self.constants_at, self.fence);
        let offset = self.scratch + taken + fence;
        let registers = Registers { offset, rows, vecs, fence };
        let splat = if form == Form::Columns { Spread::Row } else { Spread::Column };
        let place = |id: BufferId, spread: Spread| {
            let buffer = &program.buffers[id.0 as usize];
            let offset = buffer.offset as usize / 4;
            let steps = buffer.layout.steps();
            let (line, vector) = (steps.line as usize, steps.vector as usize);
            let (row, vec) = match spread {
                Spread::Scalar => (0, 0),
                Spread::Row if form == Form::Columns => (1, 0),
                Spread::Column if form == Form::Columns => (0, LANES),
                Spread::Row => (0, LANES),
                Spread::Full if form == Form::Flat => (0, LANES),
                Spread::Column => (line, 0),
                Spread::Full => (line, vector),
            };
            Place::spread(offset, row, vec)
        };
        let constants = &mut *self.constants;
        let mut constant = |value: f32| {
            let offset = constants_at + constants.index_of(value) * LANES;
            Place::spread(offset, 0, 0)
        };
        let mut binding = Binding { place: &place, constant: &mut constant, registers, splat };
        let (code, used) = Code::bind(expr, &mut binding);
        if fence > 0 {
            let starts = (0..=used).map(|index| registers.offset + index * registers.pitch());
            let ends = starts.clone().map(|start| start - fence);
            self.registers.extend(starts.clone().zip(ends.clone().skip(1)).map(|(a, b)| a..b));
            self.fences.extend(ends.zip(starts).map(|(a, b)| a..b));
        }
        let taken = taken + fence + used * registers.pitch();
        self.scratch_floats = self.scratch_floats.max(taken);
        (code, taken)
    }

    /// A bias of zeros.
    fn zero(&mut self) -> Operand {
        Operand { offset: self.constant(0.0), row: 0, column: 0 }
    }

    /// The offset of a constant.
    fn constant(&mut self, value: f32) -> usize {
        self.constants_at + self.constants.index_of(value) * LANES
    }
}
