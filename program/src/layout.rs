//! Where a value lies in the arena, and in which order.

/// The lanes of a vector: rows and panels are padded to this many elements.
pub const LANES: u64 = 16;

/// The most elements of a buffer, padding included.
pub const MAX_ELEMENTS: u64 = 1 << 40;

/// The most bytes of an arena.
pub const MAX_ARENA: u64 = 1 << 46;

/// The most rows of a weight of 8-bit integers: 127 × 127 × rows < 2³¹, so that its products with
/// rows of 8-bit integers fit into 32 bits.
pub const MAX_INT8_ROWS: u64 = i32::MAX as u64 / (127 * 127);

/// What the elements of a buffer are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DType {
    /// 32-bit floats.
    #[default]
    F32,
    /// 32-bit integers.
    I32,
    /// bfloat16, the upper half of a 32-bit float; only weights are.
    Bf16,
    /// 8-bit integers, each with 128 added, in [`Layout::Quads`]; only weights are.
    I8,
}

impl DType {
    /// The bytes of an element.
    pub fn bytes(self) -> u64 {
        match self {
            DType::F32 | DType::I32 => 4,
            DType::Bf16 => 2,
            DType::I8 => 1,
        }
    }

    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            DType::F32 => "f32",
            DType::I32 => "i32",
            DType::Bf16 => "bf16",
            DType::I8 => "i8",
        }
    }

    /// Whether it is of weights alone, which the host rounds when it writes them.
    pub fn is_narrow(self) -> bool {
        matches!(self, DType::Bf16 | DType::I8)
    }
}

/// A place in the arena.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Buffer {
    /// Bytes from the start of the arena, a multiple of 64.
    pub offset: u64,
    /// The order of the elements.
    pub layout: Layout,
    /// What they are.
    pub dtype: DType,
}

impl Buffer {
    /// The bytes taken in the arena at a batch of `n`, a multiple of 64; `None` on overflow.
    pub fn bytes(&self, n: u64) -> Option<u64> {
        let bytes = self.layout.elements(n)?.checked_mul(self.dtype.bytes())?;
        bytes.checked_next_multiple_of(4 * LANES)
    }
}

/// A number of rows, fixed or a multiple of the batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// The rows, or the rows for each row of the batch.
    pub count: u64,
    /// Whether `count` is multiplied by the batch.
    pub batched: bool,
}

impl Rows {
    /// So many, whatever the batch.
    pub fn fixed(count: u64) -> Rows {
        Rows { count, batched: false }
    }

    /// The rows at a batch of `n`; `None` on overflow.
    pub fn at(self, n: u64) -> Option<u64> {
        if self.batched { self.count.checked_mul(n) } else { Some(self.count) }
    }
}

/// The order of a buffer's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Row after row, each `stride` elements long of which `cols` are meant. A stride of 1 is a
    /// dense list of single elements; any other is a multiple of [`LANES`].
    Rows {
        /// How many rows.
        rows: Rows,
        /// The elements of a row.
        cols: u64,
        /// From one row to the next.
        stride: u64,
    },
    /// A weight: `[cols / 16][rows][16]`, the vectors down a panel of 16 columns one after another.
    Panels {
        /// The rows of the weight.
        rows: u64,
        /// Its columns.
        cols: u64,
    },
    /// A weight of 8-bit integers: for each panel of 16 columns their scales, sixteen f32, then
    /// `[rows / 4][16][4]`, four rows of a column side by side because one instruction multiplies
    /// them. Rows are padded to a multiple of four.
    Quads {
        /// The rows of the weight.
        rows: u64,
        /// Its columns.
        cols: u64,
    },
    /// Column after column, each `stride` long of which the first `rows` are meant: for batches of
    /// narrow rows, which would leave most lanes of a vector empty.
    Columns {
        /// How many rows.
        rows: Rows,
        /// The elements of a row.
        cols: u64,
        /// From one column to the next, a multiple of [`LANES`] that holds a full batch's rows.
        stride: u64,
    },
}

/// The bytes of the scales before the rows of a panel of [`Layout::Quads`].
pub const SCALE_BYTES: u64 = 4 * LANES;

/// The rows that lie side by side in [`Layout::Quads`].
const QUAD: u64 = 4;

/// How the elements of a layout follow each other: distances in elements.
///
/// A kernel sees lines of vectors: a line is a row, of [`Layout::Columns`] a column, and in panels
/// a row of every panel, or four of quads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    /// The position of the first element.
    pub first: u64,
    /// Down a column.
    pub rows: Axis,
    /// Along a row.
    pub cols: Axis,
    /// From a line to the next.
    pub line: u64,
    /// From a vector of a line to the next.
    pub vector: u64,
}

/// How elements lie along a row or down a column: in runs with a step between neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// From one element of a run to the next.
    pub step: u64,
    /// The elements of a run, a power of two.
    pub run: u64,
    /// From the start of a run to that of the next.
    pub next: u64,
}

impl Axis {
    /// All elements are one run.
    pub fn even(step: u64) -> Axis {
        Axis { step, run: 1 << 63, next: 0 }
    }

    /// The distance from the first element to one at `index`.
    pub fn at(self, index: u64) -> u64 {
        (index >> self.run.trailing_zeros()) * self.next + (index & (self.run - 1)) * self.step
    }

    /// How many elements from the one at `index` on are in its run.
    pub fn left(self, index: u64) -> u64 {
        self.run - (index & (self.run - 1))
    }
}

impl Default for Layout {
    fn default() -> Self {
        Layout::scalar()
    }
}

impl Layout {
    /// One number, held sixteen times so that it can be read as a vector.
    pub fn scalar() -> Layout {
        Layout::Rows { rows: Rows { count: 1, batched: false }, cols: 1, stride: LANES }
    }

    /// Rows of `cols` elements, padded to whole vectors. A stride that is a multiple of 1 KiB would
    /// map the same column of many rows to few cache sets, so it gets one more vector.
    pub fn matrix(rows: Rows, cols: u64) -> Layout {
        let stride = cols.next_multiple_of(LANES);
        let crowded = stride.is_multiple_of(256) && rows != Rows { count: 1, batched: false };
        Layout::Rows { rows, cols, stride: if crowded { stride + LANES } else { stride } }
    }

    /// Columns for batches of up to `batch` rows; `None` on overflow. A stride that is a multiple
    /// of 1 KiB gets one more vector, as in [`Layout::matrix`].
    pub fn columns(rows: Rows, cols: u64, batch: u64) -> Option<Layout> {
        let stride = rows.at(batch)?.checked_next_multiple_of(LANES)?;
        let stride = if stride.is_multiple_of(256) { stride.checked_add(LANES)? } else { stride };
        Some(Layout::Columns { rows, cols, stride })
    }

    /// A dense list of single elements, one for each row.
    pub fn list(rows: Rows) -> Layout {
        Layout::Rows { rows, cols: 1, stride: 1 }
    }

    /// The logical rows, the batch kept symbolic, and columns.
    pub fn shape(self) -> (Rows, u64) {
        match self {
            Layout::Rows { rows, cols, .. } | Layout::Columns { rows, cols, .. } => (rows, cols),
            Layout::Panels { rows, cols } | Layout::Quads { rows, cols } => {
                (Rows::fixed(rows), cols)
            }
        }
    }

    /// The logical rows and columns at a batch of `n`.
    pub fn size(self, n: u64) -> Option<(u64, u64)> {
        let (rows, cols) = self.shape();
        Some((rows.at(n)?, cols))
    }

    /// How its elements follow each other.
    pub fn steps(self) -> Steps {
        match self {
            Layout::Rows { stride, .. } => Steps {
                first: 0,
                rows: Axis::even(stride),
                cols: Axis::even(1),
                line: stride,
                vector: LANES,
            },
            Layout::Columns { stride, .. } => Steps {
                first: 0,
                rows: Axis::even(1),
                cols: Axis::even(stride),
                line: stride,
                vector: LANES,
            },
            Layout::Panels { rows, .. } => {
                let panel = rows * LANES;
                Steps {
                    first: 0,
                    rows: Axis::even(LANES),
                    cols: Axis { step: 1, run: LANES, next: panel },
                    line: LANES,
                    vector: panel,
                }
            }
            Layout::Quads { rows, .. } => {
                let panel = SCALE_BYTES + rows.next_multiple_of(QUAD) * LANES;
                Steps {
                    first: SCALE_BYTES,
                    rows: Axis { step: 1, run: QUAD, next: QUAD * LANES },
                    cols: Axis { step: QUAD, run: LANES, next: panel },
                    line: QUAD * LANES,
                    vector: panel,
                }
            }
        }
    }

    /// The position of an element, counted in elements from the start of the buffer.
    pub fn position(self, row: u64, col: u64) -> usize {
        let steps = self.steps();
        (steps.first + steps.rows.at(row) + steps.cols.at(col)) as usize
    }

    /// The elements taken in the arena at a batch of `n`, whole vectors; `None` on overflow.
    /// Columns take theirs at any batch.
    pub fn elements(self, n: u64) -> Option<u64> {
        match self {
            Layout::Rows { rows, stride, .. } => rows.at(n)?.checked_mul(stride)?,
            Layout::Panels { rows, cols } => {
                cols.checked_next_multiple_of(LANES)?.checked_mul(rows)?
            }
            Layout::Quads { rows, cols } => {
                let panel = rows.checked_next_multiple_of(QUAD)?.checked_mul(LANES)?;
                panel.checked_add(SCALE_BYTES)?.checked_mul(cols.div_ceil(LANES))?
            }
            Layout::Columns { cols, stride, .. } => cols.checked_mul(stride)?,
        }
        .checked_next_multiple_of(LANES)
    }

    /// The bytes that elements of 32 bits take in the arena at a batch of `n`, a multiple of 64;
    /// `None` on overflow.
    pub fn bytes(self, n: u64) -> Option<u64> {
        self.elements(n)?.checked_mul(4)
    }
}

/// Prints a size as the text does: `[N, 3]`, `[4N, 3]`, `[4, 3]`.
pub(crate) fn size_text((rows, cols): (Rows, u64)) -> String {
    match rows {
        Rows { count: 1, batched: true } => format!("[N, {cols}]"),
        Rows { count, batched: true } => format!("[{count}N, {cols}]"),
        Rows { count, batched: false } => format!("[{count}, {cols}]"),
    }
}
