//! A program written by hand: 3 inputs, 3 hidden neurons, 2 classes, and one step of training by
//! momentum. It uses every kernel, spread, layout and kind of table.

use arenet_program::lines::{Address, Line, Part};
use arenet_program::*;

pub const X: BufferId = BufferId(0);
pub const CODE: BufferId = BufferId(1);
pub const SPECIES: BufferId = BufferId(2);
pub const W1: BufferId = BufferId(3);
pub const B1: BufferId = BufferId(4);
pub const W2: BufferId = BufferId(5);
pub const B2: BufferId = BufferId(6);
pub const MOMENTUM: BufferId = BufferId(7);
pub const H: BufferId = BufferId(8);
pub const LOGITS: BufferId = BufferId(9);
pub const PROBS: BufferId = BufferId(10);
pub const LOSSES: BufferId = BufferId(11);
pub const LOSS: BufferId = BufferId(12);
pub const CORRECT: BufferId = BufferId(13);
pub const ACCURACY: BufferId = BufferId(14);
/// The gradient of the logits, in their place.
pub const D_LOGITS: BufferId = BufferId(15);
pub const D_H: BufferId = BufferId(16);
pub const NORMS: BufferId = BufferId(17);
pub const INVERSE: BufferId = BufferId(18);
pub const RATE: BufferId = BufferId(19);
pub const CORRECTED: BufferId = BufferId(20);
pub const ROOT: BufferId = BufferId(21);
pub const UNDAMPENED: BufferId = BufferId(22);
/// The logits once more, in columns.
pub const SCORES: BufferId = BufferId(23);

/// The rows the sample is planned for.
pub const BATCH: u64 = 4;
/// One row for each row of the batch.
pub const N: Rows = Rows { count: 1, batched: true };

pub fn fixed(count: u64) -> Rows {
    Rows { count, batched: false }
}

/// The layouts in the order of the ids.
fn layouts() -> Vec<Layout> {
    let panels = |rows, cols| Layout::Panels { rows, cols };
    vec![
        Layout::matrix(N, 3),
        Layout::list(N),
        Layout::list(N),
        panels(3, 3),
        Layout::matrix(fixed(1), 3),
        panels(3, 2),
        Layout::matrix(fixed(1), 2),
        panels(3, 3),
        Layout::matrix(N, 3),
        Layout::matrix(N, 2),
        Layout::matrix(N, 2),
        Layout::list(N),
        Layout::scalar(),
        Layout::list(N),
        Layout::scalar(),
        Layout::matrix(N, 2),
        Layout::matrix(N, 3),
        Layout::matrix(N, 1),
        Layout::scalar(),
        Layout::scalar(),
        Layout::scalar(),
        Layout::scalar(),
        Layout::scalar(),
        Layout::columns(N, 2, BATCH).unwrap(),
    ]
}

/// One buffer after another; returns the size of the arena, too.
pub fn pack(layouts: &[Layout], batch: u64) -> (Vec<Buffer>, u64) {
    let mut end = 0;
    let place = |&layout: &Layout| {
        let offset = end;
        end += layout.bytes(batch).unwrap();
        Buffer { offset, layout, dtype: DType::F32 }
    };
    (layouts.iter().map(place).collect(), end)
}

pub fn step(kernel: Kernel) -> Step {
    Step { kernel, origin: Origin { name: "h".into(), line: 3, column: 5 }, flops: 100 }
}

pub fn full(buffer: BufferId) -> Load {
    Load { buffer, spread: Spread::Full }
}

pub fn load(buffer: BufferId, spread: Spread) -> Load {
    Load { buffer, spread }
}

pub fn unary(op: Opcode, a: Value) -> Instr {
    Instr { op, args: [a; 3] }
}

pub fn binary(op: Opcode, a: Value, b: Value) -> Instr {
    Instr { op, args: [a, b, a] }
}

/// Stores the result as it is.
pub fn keep(y: BufferId) -> Expr {
    Expr { stores: vec![(Value::Result, y)], ..Expr::default() }
}

/// Copies one buffer to another of its layout.
pub fn copy(x: BufferId, y: BufferId) -> Step {
    let loads = vec![full(x)];
    step(Kernel::Map(Expr { loads, stores: vec![(Value::Load(0), y)], ..Expr::default() }))
}

/// Writes a buffer and reads none.
pub fn fill(y: BufferId) -> Step {
    random(y, Distribution::Constant(1.0))
}

fn random(y: BufferId, distribution: Distribution) -> Step {
    step(Kernel::Random(Random { y, distribution, stream: StreamId(y.0) }))
}

fn init() -> Vec<Step> {
    vec![
        random(W1, Distribution::Uniform(-1.0, 1.0)),
        random(B1, Distribution::Constant(0.0)),
        random(W2, Distribution::Normal(0.0, 1.0)),
        random(B2, Distribution::Constant(0.0)),
        random(MOMENTUM, Distribution::Constant(0.0)),
    ]
}

fn gemm(a: BufferId, b: BufferId, tail: Expr) -> Gemm {
    let (bias, column_sums) = (None, None);
    Gemm { a, a_transposed: false, b, b_transposed: false, bias, tail, column_sums }
}

fn forward() -> Vec<Step> {
    let relu = Expr {
        code: vec![unary(Opcode::Relu, Value::Result)],
        stores: vec![(Value::Instr(0), H)],
        ..Expr::default()
    };
    vec![
        step(Kernel::Gemm(Gemm { bias: Some(B1), ..gemm(X, W1, relu) })),
        step(Kernel::Gemm(Gemm { bias: Some(B2), ..gemm(H, W2, keep(LOGITS)) })),
    ]
}

/// The mean of a list over the rows that are there.
fn mean(list: BufferId, y: BufferId) -> Step {
    let tail = Expr {
        loads: vec![load(INVERSE, Spread::Scalar)],
        code: vec![binary(Opcode::Mul, Value::Result, Value::Load(0))],
        stores: vec![(Value::Instr(0), y)],
        ..Expr::default()
    };
    let body = Expr { loads: vec![full(list)], ..Expr::default() };
    step(Kernel::Reduce(Reduce { body, over: list, span: Span::All, tail }))
}

fn cross_entropy(grad: Option<(BufferId, BufferId)>) -> Step {
    let ce = CrossEntropy { x: LOGITS, target: SPECIES, loss: Some(LOSSES), grad };
    step(Kernel::CrossEntropy(ce))
}

/// w -= rate × result
fn descend(w: BufferId) -> Expr {
    let args = [Value::Load(1), Value::Result, Value::Load(0)];
    Expr {
        loads: vec![full(w), load(RATE, Spread::Scalar)],
        consts: vec![],
        code: vec![Instr { op: Opcode::NegMulAdd, args }],
        stores: vec![(Value::Instr(0), w)],
    }
}

fn eval() -> Vec<Step> {
    let mut steps = forward();
    steps.extend([
        step(Kernel::Softmax(Softmax { x: LOGITS, y: PROBS, log: false })),
        cross_entropy(None),
        mean(LOSSES, LOSS),
        step(Kernel::Correct(Correct { x: LOGITS, target: SPECIES, y: CORRECT })),
        mean(CORRECT, ACCURACY),
    ]);
    steps
}

fn train() -> Vec<Step> {
    let gate = Expr {
        loads: vec![full(H)],
        code: vec![binary(Opcode::Gate, Value::Result, Value::Load(0))],
        stores: vec![(Value::Instr(0), D_H)],
        ..Expr::default()
    };
    let momentum = [Value::Load(0), Value::Const(0), Value::Result];
    let update = [Value::Instr(0), Value::Load(2), Value::Load(1)];
    let heavy_ball = Expr {
        loads: vec![full(MOMENTUM), full(W1), load(RATE, Spread::Scalar)],
        consts: vec![0.9],
        code: vec![
            Instr { op: Opcode::MulAdd, args: momentum },
            Instr { op: Opcode::NegMulAdd, args: update },
        ],
        stores: vec![(Value::Instr(0), MOMENTUM), (Value::Instr(1), W1)],
    };
    let squares = Expr {
        loads: vec![full(D_H)],
        code: vec![binary(Opcode::Mul, Value::Load(0), Value::Load(0))],
        ..Expr::default()
    };
    let spreads = Expr {
        loads: vec![
            full(D_H),
            load(B1, Spread::Row),
            load(NORMS, Spread::Column),
            load(RATE, Spread::Scalar),
        ],
        code: vec![
            binary(Opcode::Add, Value::Load(0), Value::Load(1)),
            binary(Opcode::Div, Value::Instr(0), Value::Load(2)),
            binary(Opcode::Sub, Value::Instr(1), Value::Load(3)),
        ],
        stores: vec![(Value::Instr(2), D_H)],
        ..Expr::default()
    };
    let row = Reduce { body: squares, over: D_H, span: Span::Row, tail: keep(NORMS) };
    let mut steps = forward();
    steps.extend([
        cross_entropy(Some((D_LOGITS, INVERSE))),
        mean(LOSSES, LOSS),
        step(Kernel::Gemm(Gemm { b_transposed: true, ..gemm(D_LOGITS, W2, gate) })),
        step(Kernel::Gemm(Gemm { a_transposed: true, ..gemm(H, D_LOGITS, descend(W2)) })),
        step(Kernel::ColumnSum(ColumnSum { x: D_LOGITS, tail: descend(B2) })),
        step(Kernel::Gemm(Gemm {
            a_transposed: true,
            column_sums: Some(descend(B1)),
            ..gemm(X, D_H, heavy_ball)
        })),
        step(Kernel::ColumnSum(ColumnSum { x: D_H, tail: descend(B1) })),
        step(Kernel::Reduce(row)),
        step(Kernel::Map(spreads)),
        step(Kernel::Gemm(Gemm { bias: Some(B2), ..gemm(H, W2, keep(SCORES)) })),
    ]);
    steps
}

fn param(name: &str, shape: &[u64], buffer: BufferId, states: &[BufferId]) -> Param {
    let states = states.iter().map(|&buffer| momentum(buffer)).collect();
    Param { name: name.into(), shape: shape.into(), buffer, states }
}

pub fn momentum(buffer: BufferId) -> State {
    State { name: "momentum".into(), buffer }
}

fn training() -> Training {
    let base = || HostNumber::from(HostInput::Base);
    let epoch = || HostNumber::from(HostInput::Epoch);
    let rates = [
        base(),
        base() * HostNumber::from(0.5).power((epoch() / 5.0).floor()),
        epoch().less(3.0).choose(base(), 0.01),
        base() * (1.0 + (HostNumber::from(HostInput::Step) / HostInput::Steps).cos_turns()),
        base() / (1.0 + epoch()).max(HostInput::Epochs).sqrt() - 0.5,
    ];
    let momentum = || epoch().less(2.0).choose(0.85, 0.95);
    let plateau = Plateau {
        figure: Watched::Metric(2),
        factor: 0.5,
        patience: 2,
        threshold: 1e-3,
        is_relative: false,
        cooldown: 1,
        min_lr: 1e-5,
    };
    let schedule =
        |rate| Schedule { base: 0.1, rate, momentum: Some(momentum()), plateau: Some(plateau) };
    Training {
        batch: Batch::Rows(2),
        accumulate: 1,
        epochs: 10,
        seed: 7,
        valid: 0.25,
        split: Split::Column("patient".into()),
        shuffle: true,
        validate: Some(100),
        watch: Some(Watch {
            figure: Watched::Metric(0),
            keeps_best: true,
            patience: Some(3),
            min_delta: 0.01,
        }),
        schedules: rates.map(schedule).into(),
        balances: vec![Balance { param: ParamId(3), target: 0, ignored: Some(1) }],
        fits: vec![Fit {
            params: vec![ParamId(1)],
            values: H,
            statistic: Statistic::Median,
            level: 1,
        }],
    }
}

/// The whole program; it is valid.
pub fn sample() -> Program {
    let (mut buffers, arena_bytes) = pack(&layouts(), BATCH);
    buffers[D_LOGITS.0 as usize].offset = buffers[LOGITS.0 as usize].offset;
    for id in [CODE, SPECIES] {
        buffers[id.0 as usize].dtype = DType::I32;
    }
    let port = |name: &str, width, buffer, domain| Port {
        name: name.into(),
        width,
        buffer,
        domain,
        ..Port::default()
    };
    let names = ["setosa", "other"].map(String::from).into();
    let mut predict = forward();
    predict.push(step(Kernel::Softmax(Softmax { x: LOGITS, y: PROBS, log: false })));
    let entry = |steps| Routine { steps, lower_bound: 1000, bytes: 2000 };
    let metric = |name: &str, value, finish| Metric {
        name: name.into(),
        figure: Figure { values: vec![value], finish },
        rises: true,
        subject: Subject::Rows,
    };
    let number = |input: HostInput| HostNumber::from(input);
    let share = Finish {
        over: Over::Numbers,
        sums: vec![number(HostInput::Value(0))],
        figure: number(HostInput::Sum(0)) / (number(HostInput::Rows) * 3.0),
        percent: true,
    };
    let root = Finish { figure: Finish::mean().figure.sqrt(), ..Finish::mean() };
    Program {
        name: "sample".into(),
        batch: BATCH,
        arena_bytes,
        buffers,
        params: vec![
            param("h.w", &[3, 3], W1, &[MOMENTUM]),
            param("h.b", &[3], B1, &[]),
            param("logits.w", &[3, 1, 2], W2, &[]),
            param("logits.b", &[2], B2, &[]),
        ],
        inputs: vec![
            Port {
                columns: ["a", "b", "c"].map(String::from).into(),
                ..port("x", 3, X, Domain::Any)
            },
            port("code", 1, CODE, Domain::Range(-2, 2)),
        ],
        targets: vec![port("species", 1, SPECIES, Domain::Names(names))],
        outputs: vec![Output { name: "probs".into(), width: 2, buffer: PROBS, scores: None }],
        scalars: vec![
            (HostNumber::per_row(0.5), INVERSE),
            (HostInput::Rate(0).into(), RATE),
            (HostNumber::from(HostInput::Rate(4)) / HostInput::Momentum(4), CORRECTED),
            (HostNumber::from(0.999).power(HostInput::Step).sqrt(), ROOT),
            (HostNumber::from(HostInput::Step).less(1.0).choose(1.0, 0.5), UNDAMPENED),
        ],
        loss: Some(LOSS),
        terms: vec![Figure { values: vec![LOSS], finish: Finish::mean() }],
        metrics: vec![
            metric("accuracy", ACCURACY, Finish::mean()),
            metric("share", ACCURACY, share),
            Metric { subject: Subject::Loss, ..metric("root_loss", LOSS, root) },
        ],
        routines: PerEntry::new(|kind| {
            entry(match kind {
                EntryPoint::Init => init(),
                EntryPoint::Predict => predict.clone(),
                EntryPoint::Eval => eval(),
                EntryPoint::Train => train(),
                EntryPoint::Fit => forward(),
                EntryPoint::Update => return Routine::default(),
            })
        }),
        training: Some(training()),
        lines: lines(),
    }
}

/// One instruction that comes from another statement.
fn lines() -> Vec<Line> {
    let address = Address { entry: EntryPoint::Train, step: 0, part: Part::Tail, instr: 0 };
    let origin = Origin { name: "loss".into(), line: 9, column: 5 };
    vec![Line { address, origin }]
}

/// Numbers that look random and are the same in every run: xorshift64*.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n
    }
}
