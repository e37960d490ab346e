//! Random programs that are right by construction, mostly: every kernel over every layout that it
//! can read, with random expressions, in place where that is allowed, and packed into the arena.

use super::change::share;
use super::dice::Dice;
use arenet_runtime::program::verify::verify;
use arenet_runtime::program::{
    Argmax, Batch, Buffer, BufferId, ColumnSum, Correct, CrossEntropy, DType, Distribution, Domain,
    EntryPoint, Expr, Gather, Gemm, Kernel, LANES, Layout, Load, Origin, Output, Param, Piece,
    Port, Program, Random, Reduce, Routine, Rows, ScatterAdd, Softmax, Span, Splice, Spread, State,
    Step, StreamId, Training, Value, Whole,
};

const BATCHES: [u64; 22] =
    [1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 32, 33, 48, 49, 63, 64, 65, 100, 200, 530, 1040, 2081];
const SIZES: [u64; 26] =
    [1, 1, 1, 2, 2, 3, 3, 4, 5, 7, 8, 12, 15, 16, 17, 20, 31, 32, 33, 47, 48, 49, 64, 65, 128, 130];

/// A number of rows that does not depend on the batch.
pub fn fixed(count: u64) -> Rows {
    Rows { count, batched: false }
}

/// So many rows for each row of the batch.
pub fn batched(count: u64) -> Rows {
    Rows { count, batched: true }
}

/// How a value may lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Forms {
    /// In rows of whole vectors.
    Vectors,
    /// The same, or in panels.
    VectorsOrPanels,
    /// The same, or in columns.
    Any,
    /// In columns.
    Columns,
    /// In rows of any kind, a list among them.
    Rows,
    /// In rows of any kind or in columns.
    RowsOrColumns,
    /// Just so.
    Like(Layout),
    /// One element a row, without gaps.
    Dense,
}

impl Forms {
    fn admits(self, layout: Layout) -> bool {
        let is_vectors = matches!(layout, Layout::Rows { stride, .. } if stride > 1);
        let is_rows = matches!(layout, Layout::Rows { .. });
        let is_columns = matches!(layout, Layout::Columns { .. });
        match self {
            Forms::Vectors => is_vectors,
            Forms::VectorsOrPanels => is_vectors || matches!(layout, Layout::Panels { .. }),
            Forms::Any => is_vectors || is_columns || matches!(layout, Layout::Panels { .. }),
            Forms::Columns => is_columns,
            Forms::Rows => is_rows,
            Forms::RowsOrColumns => is_rows || is_columns,
            Forms::Like(like) => layout == like,
            Forms::Dense => {
                matches!(layout, Layout::Rows { stride: 1, .. } | Layout::Columns { cols: 1, .. })
            }
        }
    }
}

/// A program under construction.
pub struct Maker<'a> {
    pub dice: &'a mut Dice,
    program: Program,
    /// The values that the current entry has.
    live: Vec<BufferId>,
    /// Those of them that steps may write again.
    pub writable: Vec<BufferId>,
    /// What lies somewhere for a run alone.
    passing: Vec<BufferId>,
    /// Whether targets may be read.
    has_targets: bool,
}

pub fn generate(dice: &mut Dice) -> Program {
    let batch = dice.pick(&BATCHES);
    let training = Training {
        batch: Batch::Full,
        epochs: 1,
        seed: dice.bits(),
        shuffle: false,
        ..Training::default()
    };
    let program = Program { batch, training: Some(training), ..Program::default() };
    let mut maker = Maker {
        dice,
        program,
        live: vec![],
        writable: vec![],
        passing: vec![],
        has_targets: false,
    };
    let loss = maker.place(Layout::scalar(), DType::F32);
    maker.program.loss = Some(loss);
    let predict = maker.entry(false, None);
    for buffer in maker.passing.clone() {
        let layout = maker.layout(buffer);
        let (rows, cols) = size(layout);
        let is_float = maker.program.buffers[buffer.0 as usize].dtype == DType::F32;
        if rows.batched && is_float && maker.live.contains(&buffer) {
            let name = format!("y{}", buffer.0);
            maker.program.outputs.push(Output {
                name,
                width: rows.count * cols,
                buffer,
                scores: None,
            });
        }
    }
    let eval = maker.entry(true, Some(loss));
    let train = maker.entry(true, Some(loss));
    let mut program = maker.program;
    let is_float = |id: BufferId| !program.buffers[id.0 as usize].dtype.is_narrow();
    let held = program.params.iter().flat_map(Param::buffers);
    let held: Vec<BufferId> = held.filter(|&id| is_float(id)).collect();
    let init = held.into_iter().map(|y| step(Kernel::Random(random(y, dice))));
    program.routines[EntryPoint::Init].steps = init.collect();
    program.routines[EntryPoint::Predict] = predict;
    program.routines[EntryPoint::Eval] = eval;
    program.routines[EntryPoint::Train] = train;
    if dice.one_in(2) {
        share(&mut program);
    }
    packed(program, dice)
}

fn step(kernel: Kernel) -> Step {
    Step { kernel, origin: Origin::default(), flops: 0 }
}

fn random(y: BufferId, dice: &mut Dice) -> Random {
    let distribution = match dice.below(6) {
        0 => Distribution::Constant(0.5),
        1 => Distribution::Uniform(-1.0, 1.0),
        2 => Distribution::Mask(0.25, 2.0),
        3 => Distribution::Truncated(0.0, 0.5, -1.0, 0.25),
        4 => Distribution::Orthogonal(0.5),
        _ => Distribution::Normal(0.0, 0.5),
    };
    Random { y, distribution, stream: StreamId(dice.below(3) as u32) }
}

fn size(layout: Layout) -> (Rows, u64) {
    match layout {
        Layout::Rows { rows, cols, .. } | Layout::Columns { rows, cols, .. } => (rows, cols),
        Layout::Panels { rows, cols } | Layout::Quads { rows, cols } => (fixed(rows), cols),
    }
}

/// Lays values that pass over each other, where `verify` still accepts the program.
fn packed(mut program: Program, dice: &mut Dice) -> Program {
    if dice.one_in(2) || verify(program.clone()).is_err() {
        return program;
    }
    for _ in 0..4 {
        let [from, to] = [(); 2].map(|()| dice.below(program.buffers.len()));
        let before = program.buffers[to].offset;
        program.buffers[to].offset = program.buffers[from].offset;
        if verify(program.clone()).is_err() {
            program.buffers[to].offset = before;
        }
    }
    program
}

impl Maker<'_> {
    fn layout(&self, id: BufferId) -> Layout {
        self.program.buffers[id.0 as usize].layout
    }

    fn place(&mut self, layout: Layout, dtype: DType) -> BufferId {
        let offset = self.program.arena_bytes;
        let buffer = Buffer { offset, layout, dtype };
        self.program.buffers.push(buffer);
        self.program.arena_bytes += buffer.bytes(self.program.batch).unwrap();
        BufferId(self.program.buffers.len() as u32 - 1)
    }

    /// A layout of these forms, if they have one of this size.
    fn lay(&mut self, rows: Rows, cols: u64, forms: Forms) -> Option<Layout> {
        let mut found = vec![Layout::matrix(rows, cols)];
        if let Layout::Rows { stride, .. } = found[0] {
            found.push(Layout::Rows { rows, cols, stride: stride + LANES });
        }
        if cols == 1 {
            found.push(Layout::list(rows));
        }
        if rows.batched {
            found.extend(Layout::columns(rows, cols, self.program.batch));
        } else {
            found.push(Layout::Panels { rows: rows.count, cols });
        }
        found.retain(|&layout| forms.admits(layout));
        if let Forms::Like(layout) = forms {
            found = vec![layout];
        }
        (!found.is_empty()).then(|| found[self.dice.below(found.len())])
    }

    /// A value of this size in one of these forms: one that is there, or a new one from outside.
    pub fn value(&mut self, rows: Rows, cols: u64, forms: Forms) -> Option<BufferId> {
        let program = &self.program;
        let fits = |id: &BufferId| {
            let Buffer { layout, dtype, .. } = program.buffers[id.0 as usize];
            dtype == DType::F32 && size(layout) == (rows, cols) && forms.admits(layout)
        };
        let found: Vec<BufferId> = self.live.iter().copied().filter(fits).collect();
        if !found.is_empty() && !self.dice.one_in(4) {
            return Some(found[self.dice.below(found.len())]);
        }
        let layout = self.lay(rows, cols, forms)?;
        let buffer = self.place(layout, DType::F32);
        let name = format!("v{}", buffer.0);
        if rows.batched {
            let (width, domain) = (rows.count * cols, Domain::Any);
            self.program.inputs.push(Port { name, width, buffer, domain, ..Port::default() });
        } else {
            let states = (0..self.dice.below(3)).map(|_| self.place(layout, DType::F32)).collect();
            let states: Vec<BufferId> = states;
            self.live.extend(&states);
            self.writable.extend(&states);
            self.writable.push(buffer);
            let state = |(slot, buffer)| State { name: format!("s{slot}"), buffer };
            let states = states.into_iter().enumerate().map(state).collect();
            self.program.params.push(Param { name, shape: vec![rows.count, cols], buffer, states });
        }
        self.live.push(buffer);
        Some(buffer)
    }

    /// Where a result of this size may go: a new buffer.
    pub fn result(&mut self, rows: Rows, cols: u64, forms: Forms) -> Option<BufferId> {
        let layout = self.lay(rows, cols, forms)?;
        let buffer = self.place(layout, DType::F32);
        self.passing.push(buffer);
        Some(buffer)
    }

    fn any_size(&mut self) -> (Rows, u64) {
        let cols = self.dice.pick(&SIZES);
        match self.dice.below(3) {
            0 => (fixed(self.dice.pick(&SIZES)), cols),
            _ => (batched(self.dice.pick(&[1, 1, 1, 1, 2, 3])), cols),
        }
    }

    /// The size of a value that is there, or any.
    fn size(&mut self) -> (Rows, u64) {
        if self.live.is_empty() || self.dice.one_in(3) {
            return self.any_size();
        }
        let index = self.dice.below(self.live.len());
        size(self.layout(self.live[index]))
    }

    fn entry(&mut self, has_targets: bool, loss: Option<BufferId>) -> Routine {
        self.writable = self.program.params.iter().flat_map(Param::buffers).collect();
        if loss.is_none() {
            self.writable.clear();
        }
        self.live = self.writable.clone();
        let ports = self.program.inputs.iter().map(|port| port.buffer);
        self.live.extend(ports);
        self.has_targets = has_targets;
        let mut entry = Routine::default();
        let count = 1 + self.dice.below(5);
        for _ in 0..8 * count {
            if entry.steps.len() == count {
                break;
            }
            if let Some(kernel) = self.kernel() {
                for id in kernel.access().writes {
                    if !self.live.contains(&id) {
                        self.live.push(id);
                        self.writable.push(id);
                    }
                }
                entry.steps.push(step(kernel));
            }
        }
        if let Some(loss) = loss {
            entry.steps.push(step(match self.sum(loss) {
                Some(kernel) => kernel,
                None => Kernel::Random(random(loss, self.dice)),
            }));
        }
        entry
    }

    /// The sum of something.
    fn sum(&mut self, to: BufferId) -> Option<Kernel> {
        let over = self.live.get(self.dice.below(self.live.len().max(1))).copied()?;
        let is_float = self.program.buffers[over.0 as usize].dtype == DType::F32;
        let load = Load { buffer: over, spread: Spread::Full };
        let body = Expr { loads: vec![load], ..Expr::default() };
        let tail = Expr { stores: vec![(Value::Result, to)], ..Expr::default() };
        is_float.then_some(Kernel::Reduce(Reduce { body, over, span: Span::All, tail }))
    }

    fn kernel(&mut self) -> Option<Kernel> {
        match self.dice.below(21) {
            0..=5 => self.gemm(),
            6 => self.column_sum(),
            7..=9 => self.map(),
            10..=11 => self.reduce(),
            12 => self.softmax(),
            13 => self.cross_entropy(),
            14 => self.correct(),
            15 => self.gather(),
            16 => self.scatter_add(),
            17 => self.splice(),
            18 => self.whole(),
            19 => self.argmax(),
            _ => {
                let (rows, cols) = self.any_size();
                let y = self.result(rows, cols, Forms::Any)?;
                Some(Kernel::Random(random(y, self.dice)))
            }
        }
    }

    fn gemm(&mut self) -> Option<Kernel> {
        if self.dice.one_in(8) {
            return self.narrow_gemm();
        }
        let (a_transposed, b_transposed) = (self.dice.one_in(3), self.dice.one_in(3));
        let (a_rows, a_cols) = self.size();
        let (m, k) = match a_transposed {
            true => (fixed(a_cols), a_rows),
            false => (a_rows, fixed(a_cols)),
        };
        if b_transposed && k.batched {
            return None;
        }
        let n = self.dice.pick(&SIZES);
        let forms = match (m.batched, a_transposed) {
            (true, false) => self.dice.pick(&[Forms::Vectors, Forms::Vectors, Forms::Columns]),
            (true, true) => Forms::Vectors,
            (false, _) => Forms::VectorsOrPanels,
        };
        let a_forms = match forms {
            Forms::Columns => self.dice.pick(&[Forms::Columns, Forms::Vectors]),
            _ => Forms::RowsOrColumns,
        };
        let a = self.value(a_rows, a_cols, a_forms)?;
        let (b_rows, b_cols) = if b_transposed { (fixed(n), k.count) } else { (k, n) };
        let b = self.value(b_rows, b_cols, Forms::Any)?;
        let bias = match self.dice.one_in(2) {
            true => Some(self.value(fixed(1), n, Forms::Vectors)?),
            false => None,
        };
        let tail = self.expression(m, n, forms, true)?;
        let column_sums = match a_transposed && self.dice.one_in(3) {
            true => Some(self.expression(fixed(1), n, Forms::Vectors, true)?),
            false => None,
        };
        Some(Kernel::Gemm(Gemm { a, a_transposed, b, b_transposed, bias, tail, column_sums }))
    }

    /// A product with a weight of bf16 or i8.
    fn narrow_gemm(&mut self) -> Option<Kernel> {
        let (m, k) = self.size();
        let n = self.dice.pick(&SIZES);
        let (layout, dtype) = match self.dice.one_in(2) {
            true => (Layout::Panels { rows: k, cols: n }, DType::Bf16),
            false => (Layout::Quads { rows: k, cols: n }, DType::I8),
        };
        let b = self.place(layout, dtype);
        let (name, shape, states) = (format!("v{}", b.0), vec![k, n], vec![]);
        self.program.params.push(Param { name, shape, buffer: b, states });
        let a = self.value(m, k, Forms::Rows)?;
        let bias = match self.dice.one_in(2) {
            true => Some(self.value(fixed(1), n, Forms::Vectors)?),
            false => None,
        };
        let forms = if m.batched { Forms::Vectors } else { Forms::VectorsOrPanels };
        let tail = self.expression(m, n, forms, true)?;
        let [a_transposed, b_transposed] = [false; 2];
        let column_sums = None;
        Some(Kernel::Gemm(Gemm { a, a_transposed, b, b_transposed, bias, tail, column_sums }))
    }

    fn column_sum(&mut self) -> Option<Kernel> {
        let (rows, cols) = self.size();
        let forms = if rows.batched { Forms::Any } else { Forms::Vectors };
        let x = self.value(rows, cols, forms)?;
        let tail = self.expression(fixed(1), cols, Forms::Vectors, true)?;
        Some(Kernel::ColumnSum(ColumnSum { x, tail }))
    }

    fn map(&mut self) -> Option<Kernel> {
        let (rows, cols) = self.size();
        let forms = self.dice.pick(&[Forms::Any, Forms::Rows]);
        let layout = self.lay(rows, cols, forms)?;
        Some(Kernel::Map(self.expression(rows, cols, Forms::Like(layout), false)?))
    }

    fn reduce(&mut self) -> Option<Kernel> {
        let (rows, cols) = self.size();
        let by_row = self.dice.one_in(2);
        let forms = match by_row {
            true => Forms::Vectors,
            false => self.dice.pick(&[Forms::Any, Forms::Rows]),
        };
        let over = self.value(rows, cols, forms)?;
        let mut body = self.expression(rows, cols, Forms::Like(self.layout(over)), false)?;
        body.stores.clear();
        if body.code.is_empty() && body.loads.is_empty() {
            return None;
        }
        let (sums, span) = match by_row {
            true => (Layout::matrix(rows, 1), Span::Row),
            false => (Layout::scalar(), Span::All),
        };
        let (rows, cols) = size(sums);
        let tail = self.expression(rows, cols, Forms::Like(sums), true)?;
        Some(Kernel::Reduce(Reduce { body, over, span, tail }))
    }

    /// Logits, in rows of vectors or in up to sixteen columns.
    fn logits(&mut self, forms: Forms) -> Option<BufferId> {
        let (rows, cols) = self.size();
        let forms = if rows.batched && cols <= LANES { forms } else { Forms::Vectors };
        let forms = if forms == Forms::Any { Forms::RowsOrColumns } else { forms };
        let x = self.value(rows, cols, forms)?;
        let is_list = matches!(self.layout(x), Layout::Rows { stride: 1, .. });
        (!is_list).then_some(x)
    }

    /// A result that lies like another value, or that value's own place.
    fn alike(&mut self, x: BufferId) -> Option<BufferId> {
        if self.writable.contains(&x) && self.dice.one_in(3) {
            return Some(x);
        }
        let layout = self.layout(x);
        let (rows, cols) = size(layout);
        self.result(rows, cols, Forms::Like(layout))
    }

    fn softmax(&mut self) -> Option<Kernel> {
        let x = self.logits(Forms::Any)?;
        let (y, log) = (self.alike(x)?, self.dice.one_in(2));
        Some(Kernel::Softmax(Softmax { x, y, log }))
    }

    /// One class for each row of logits.
    fn target(&mut self, rows: Rows, cols: u64, dense: bool) -> Option<BufferId> {
        if !self.has_targets || !rows.batched {
            return None;
        }
        let layout = match dense || self.dice.one_in(2) {
            true => Layout::list(rows),
            false => Layout::matrix(batched(1), rows.count),
        };
        let buffer = self.place(layout, DType::I32);
        let domain = Domain::Range(0, cols as i64);
        let (name, width) = (format!("t{}", buffer.0), rows.count);
        self.program.targets.push(Port { name, width, buffer, domain, ..Port::default() });
        Some(buffer)
    }

    /// A list of one number for each row.
    fn list(&mut self, rows: Rows, dense: bool) -> Option<BufferId> {
        match dense || self.dice.one_in(2) {
            true => self.result(rows, 1, Forms::Like(Layout::list(rows))),
            false => {
                let rows = Rows { count: 1, ..rows };
                let count = size(Layout::list(rows)).0.count;
                self.result(rows, count, Forms::Vectors)
            }
        }
    }

    fn cross_entropy(&mut self) -> Option<Kernel> {
        let x = self.logits(Forms::Any)?;
        let (rows, cols) = size(self.layout(x));
        let columns = matches!(self.layout(x), Layout::Columns { .. });
        let dense = columns || rows.count > 1;
        let target = self.target(rows, cols, dense)?;
        let loss = match self.dice.one_in(3) {
            true => None,
            false => Some(self.list(rows, dense)?),
        };
        let grad = match loss.is_some() && self.dice.one_in(3) {
            true => None,
            false => {
                let scale = match self.dice.one_in(2) {
                    true => self.value(fixed(1), 1, Forms::Like(Layout::scalar()))?,
                    false => self.value(rows, 1, Forms::Like(Layout::list(rows)))?,
                };
                Some((self.alike(x)?, scale))
            }
        };
        Some(Kernel::CrossEntropy(CrossEntropy { x, target, loss, grad }))
    }

    /// An index below `end` for each row of something.
    fn index(&mut self, rows: Rows, end: u64) -> Option<BufferId> {
        if !rows.batched {
            return None;
        }
        let layout = match self.dice.one_in(2) {
            true => Layout::list(rows),
            false => Layout::matrix(batched(1), rows.count),
        };
        let buffer = self.place(layout, DType::I32);
        let low = self.dice.below(5) as i64 - 2;
        let domain = Domain::Range(low, low + end as i64);
        let (name, width) = (format!("i{}", buffer.0), rows.count);
        self.program.inputs.push(Port { name, width, buffer, domain, ..Port::default() });
        Some(buffer)
    }

    fn gather(&mut self) -> Option<Kernel> {
        let (rows, cols) = self.size();
        let count = self.dice.pick(&SIZES);
        let index = self.index(rows, count)?;
        let table = self.value(fixed(count), cols, Forms::Vectors)?;
        let y = self.result(rows, cols, Forms::Vectors)?;
        Some(Kernel::Gather(Gather { table, index, y }))
    }

    fn scatter_add(&mut self) -> Option<Kernel> {
        let (rows, cols) = self.size();
        let count = self.dice.pick(&SIZES);
        let index = self.index(rows, count)?;
        let x = self.value(rows, cols, Forms::Vectors)?;
        let y = self.result(fixed(count), cols, Forms::Vectors)?;
        Some(Kernel::ScatterAdd(ScatterAdd { x, index, y }))
    }

    /// Two values side by side, some of one among zeros, or a value in rows of another length.
    fn splice(&mut self) -> Option<Kernel> {
        let (rows, cols) = self.size();
        let x = self.value(rows, cols, Forms::Rows)?;
        let piece = |x, from, len| Piece { x, from, len };
        let (mut groups, mut shape) = (rows, (rows, cols));
        let pieces = match self.dice.below(3) {
            0 => {
                let (other, count) = (self.dice.pick(&SIZES), self.dice.below(9) as u64);
                let y = self.value(rows, other, Forms::Rows)?;
                shape.1 = cols + other + count;
                vec![piece(Some(x), 0, cols), piece(None, 0, count), piece(Some(y), 0, other)]
            }
            1 => {
                let from = self.dice.below(cols as usize) as u64;
                shape.1 = cols - from;
                vec![piece(Some(x), from, cols - from)]
            }
            _ => {
                groups = Rows { count: 1, ..rows };
                let all = rows.count * cols;
                let by = self.dice.pick(&[1, 2, 3]);
                let by = if all.is_multiple_of(by) { by } else { all };
                shape = (Rows { count: all / by, ..rows }, by);
                vec![piece(Some(x), 0, all)]
            }
        };
        let y = self.result(shape.0, shape.1, Forms::Rows)?;
        Some(Kernel::Splice(Splice { groups, pieces, y }))
    }

    fn whole(&mut self) -> Option<Kernel> {
        let (rows, cols) = self.size();
        if self.dice.one_in(2) {
            let y = self.result(fixed(1), cols, Forms::Vectors)?;
            return Some(Kernel::Whole(Whole { index: None, y }));
        }
        let end = self.dice.pick(&SIZES);
        let index = Some(self.index(rows, end)?);
        let y = self.result(rows, 1, Forms::Vectors)?;
        Some(Kernel::Whole(Whole { index, y }))
    }

    fn argmax(&mut self) -> Option<Kernel> {
        let (rows, cols) = self.size();
        let x = self.value(rows, cols, Forms::Vectors)?;
        let y = self.list(rows, rows.count > 1)?;
        Some(Kernel::Argmax(Argmax { x, y }))
    }

    fn correct(&mut self) -> Option<Kernel> {
        let x = self.logits(Forms::Vectors)?;
        let (rows, cols) = size(self.layout(x));
        let target = self.target(rows, cols, rows.count > 1)?;
        let y = self.list(rows, rows.count > 1)?;
        Some(Kernel::Correct(Correct { x, target, y }))
    }
}
