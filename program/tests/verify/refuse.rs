//! What verification refuses: the sample with one fault each, and the sentence that names it.

use arenet_program::verify::verify;
use arenet_program::*;
use pretty_assertions::assert_eq;

use crate::sample::*;

pub type Case = (fn(&mut Program), &'static str);

pub fn check(cases: &[Case]) {
    for (fault, message) in cases {
        let mut program = sample();
        fault(&mut program);
        let found = verify(program).err().map(|error| error.to_string());
        assert_eq!(found.as_deref(), Some(*message));
    }
}

pub fn buffer(p: &mut Program, id: BufferId) -> &mut Buffer {
    &mut p.buffers[id.0 as usize]
}

pub fn set_layout(p: &mut Program, id: BufferId, layout: Layout) {
    buffer(p, id).layout = layout;
}

/// A buffer at the end of the arena.
pub fn fresh(p: &mut Program, layout: Layout) -> BufferId {
    let offset = p.arena_bytes;
    p.arena_bytes += layout.bytes(p.batch).unwrap();
    p.buffers.push(Buffer { offset, layout, dtype: DType::F32 });
    BufferId(p.buffers.len() as u32 - 1)
}

/// The kernel of a step of training, counted from 1.
pub fn kernel(p: &mut Program, step: usize) -> &mut Kernel {
    &mut p.routines[EntryPoint::Train].steps[step - 1].kernel
}

pub fn gemm(p: &mut Program, step: usize) -> &mut Gemm {
    match kernel(p, step) {
        Kernel::Gemm(gemm) => gemm,
        other => panic!("{other:?}"),
    }
}

/// The expression that ends a kernel.
pub fn tail(p: &mut Program, step: usize) -> &mut Expr {
    match kernel(p, step) {
        Kernel::Gemm(Gemm { tail, .. })
        | Kernel::ColumnSum(ColumnSum { tail, .. })
        | Kernel::Reduce(Reduce { tail, .. })
        | Kernel::Map(tail) => tail,
        other => panic!("{other:?}"),
    }
}

pub fn reduce(p: &mut Program, step: usize) -> &mut Reduce {
    match kernel(p, step) {
        Kernel::Reduce(reduce) => reduce,
        other => panic!("{other:?}"),
    }
}

pub fn cross_entropy(p: &mut Program) -> &mut CrossEntropy {
    match kernel(p, 3) {
        Kernel::CrossEntropy(ce) => ce,
        other => panic!("{other:?}"),
    }
}

#[test]
fn refuses_a_bad_arena() {
    check(&[
        (|p| p.batch = 0, "the batch is 0 rows, and must be at least 1"),
        (|p| p.batch = u64::MAX, "buffer 0 has more than 2^40 elements"),
        (|p| p.batch = 1 << 37, "buffer 0 has more than 2^40 elements"),
        (
            |p| p.arena_bytes += 4,
            "the arena is 3332 bytes, and must be a multiple of 64 up to 2^46",
        ),
        (
            |p| p.arena_bytes = 1 << 47,
            "the arena is 140737488355328 bytes, and must be a multiple of 64 up to 2^46",
        ),
        (
            |p| p.arena_bytes -= 64,
            "buffer 23 starts at byte 3200 and ends beyond the arena of 3264 bytes",
        ),
        (|p| buffer(p, H).offset += 4, "buffer 8 starts at byte 1092, not a multiple of 64"),
        (
            |p| buffer(p, H).offset = u64::MAX - 63,
            "buffer 8 starts at byte 18446744073709551552 and ends beyond the arena of 3328 bytes",
        ),
        (
            |p| set_layout(p, H, Layout::Rows { rows: N, cols: 3, stride: 8 }),
            "buffer 8 has rows of 3 elements at a stride of 8, and the stride must be a multiple \
             of 16 that holds a row, or 1 for a list",
        ),
        (
            |p| set_layout(p, H, Layout::Rows { rows: N, cols: 17, stride: 16 }),
            "buffer 8 has rows of 17 elements at a stride of 16, and the stride must be a \
             multiple of 16 that holds a row, or 1 for a list",
        ),
        (
            |p| set_layout(p, H, Layout::Rows { rows: N, cols: 2, stride: 1 }),
            "buffer 8 has rows of 2 elements at a stride of 1, and the stride must be a multiple \
             of 16 that holds a row, or 1 for a list",
        ),
        (|p| set_layout(p, H, Layout::matrix(N, 0)), "buffer 8 has no elements"),
        (|p| set_layout(p, H, Layout::matrix(fixed(0), 3)), "buffer 8 has no elements"),
        (|p| set_layout(p, W1, Layout::Panels { rows: 0, cols: 3 }), "buffer 3 has no elements"),
        (
            |p| set_layout(p, W1, Layout::Panels { rows: 3, cols: u64::MAX }),
            "buffer 3 has more than 2^40 elements",
        ),
        (
            |p| p.buffers.resize((1 << 20) + 1, Buffer::default()),
            "the program has 1048577 buffers, more than 1048576",
        ),
        (
            |p| p.routines[EntryPoint::Train].steps[1].flops = u64::MAX,
            "the operations of train overflow 64 bits",
        ),
    ]);
}

#[test]
fn refuses_bad_parameters() {
    check(&[
        (|p| p.params[0].name.clear(), "parameter 0 has no name"),
        (|p| p.params[1].name = "h.w".into(), "parameter `h.w` is there twice"),
        (|p| p.params[1].buffer = BufferId(99), "there is no buffer 99 among the 24 buffers"),
        (|p| p.params[1].buffer = CODE, "parameter `h.b` must be a buffer of f32, not of i32"),
        (
            |p| p.params[0].shape = vec![9],
            "parameter `h.w` has shape [9], but its buffer is [3, 3]",
        ),
        (
            |p| p.params[0].shape = vec![u64::MAX, 3, 3],
            "parameter `h.w` has shape [18446744073709551615, 3, 3], but its buffer is [3, 3]",
        ),
        (|p| p.params[1].shape = vec![], "parameter `h.b` has shape [], but its buffer is [1, 3]"),
        (|p| p.params[1].buffer = H, "parameter `h.b` has shape [3], but its buffer is [N, 3]"),
        (
            |p| p.params[0].states = vec![momentum(W2)],
            "state `h.w.momentum` differs from its parameter in layout",
        ),
        (
            |p| p.params[0].states.push(momentum(MOMENTUM)),
            "parameter `h.w.momentum` is there twice",
        ),
        (|p| p.params[1].name = "h.w.momentum".into(), "parameter `h.w.momentum` is there twice"),
        (
            |p| p.params[0].states.push(State { name: "m".into(), buffer: MOMENTUM }),
            "state `h.w.momentum` and state `h.w.m` overlap",
        ),
        (
            |p| buffer(p, B1).offset = buffer(p, W1).offset + 64,
            "parameter `h.w` and parameter `h.b` overlap",
        ),
    ]);
}

#[test]
fn refuses_bad_ports() {
    check(&[
        (|p| p.inputs[1].name = "x".into(), "input `x` is there twice"),
        (|p| p.targets[0].name.clear(), "target 0 has no name"),
        (|p| p.inputs[0].width = 4, "input `x` has 4 elements a row, but its buffer is [N, 3]"),
        (
            |p| p.outputs[0].scores = Some(Scores { target: 1, scale: Scale::Logit }),
            "output `probs` scores the classes of target 1, which has not as many",
        ),
        (|p| p.inputs[0].columns.truncate(2), "input `x` has names for 2 columns, and takes 3"),
        (
            |p| p.inputs[0].buffer = B1,
            "input `x` must have a number of rows for each row of the batch",
        ),
        (
            |p| p.inputs[0].buffer = RATE,
            "input `x` must have a number of rows for each row of the batch",
        ),
        (
            |p| p.outputs[0].width = 3,
            "output `probs` has 3 elements a row, but its buffer is \
                                      [N, 2]",
        ),
        (|p| p.outputs[0].buffer = CODE, "output `probs` must be a buffer of f32, not of i32"),
        (|p| p.outputs.push(p.outputs[0].clone()), "output `probs` is there twice"),
        (|p| p.loss = Some(LOSSES), "the loss must be one number, but its buffer is [N, 1]"),
        (|p| p.inputs[1].domain = Domain::Any, "`code` is of i32, and needs classes as its domain"),
        (|p| p.inputs[1].domain = Domain::Range(2, 2), "the domain of `code` is empty"),
        (
            |p| p.inputs[1].domain = Domain::Range(i64::MIN, i64::MAX),
            "the domain of `code` does not fit into i32",
        ),
        (
            |p| p.inputs[1].domain = Domain::Range(-(1 << 31), 1 << 31),
            "the domain of `code` does not fit into i32",
        ),
        (
            |p| p.inputs[1].domain = Domain::Interval(0.0, 1.0),
            "`code` is of i32, and needs classes as its domain",
        ),
        (|p| p.inputs[0].domain = Domain::Interval(1.0, 0.0), "the domain of `x` is empty"),
        (|p| p.inputs[0].domain = Domain::Interval(0.0, f64::NAN), "the domain of `x` is empty"),
        (|p| drop(p.inputs.pop()), "buffer 1 is of i32, but is neither an input's nor a target's"),
        (|p| p.inputs[0].domain = Domain::Names(vec![]), "the domain of `x` is empty"),
    ]);
}

#[test]
fn refuses_bad_products() {
    check(&[
        (
            |p| gemm(p, 1).a = BufferId(99),
            "train, step 1 (gemm): there is no buffer 99 among the 24 buffers",
        ),
        (|p| gemm(p, 1).a = CODE, "train, step 1 (gemm): A must be a buffer of f32, not of i32"),
        (|p| gemm(p, 1).a = W1, "train, step 1 (gemm): A must be in rows, not in panels"),
        (
            |p| gemm(p, 8).b = LOSSES,
            "train, step 8 (gemm): B must be in panels or in rows of whole vectors",
        ),
        (
            |p| gemm(p, 1).a = LOGITS,
            "train, step 1 (gemm): A is [N, 2] and B is [3, 3]: their inner sizes differ",
        ),
        (
            |p| gemm(p, 6).a_transposed = false,
            "train, step 6 (gemm): A is [N, 3] and B is [N, 2]: their inner sizes differ",
        ),
        (
            |p| gemm(p, 5).b_transposed = false,
            "train, step 5 (gemm): A is [N, 2] and B is [3, 2]: their inner sizes differ",
        ),
        (
            // As many rows as the batch at its largest, but always.
            |p| {
                let four = fresh(p, Layout::matrix(fixed(4), 2));
                gemm(p, 6).b = four;
            },
            "train, step 6 (gemm): A is [N, 3] transposed and B is [4, 2]: their inner sizes \
             differ",
        ),
        (
            |p| {
                let double = fresh(p, Layout::matrix(Rows { count: 2, batched: true }, 2));
                gemm(p, 6).b = double;
            },
            "train, step 6 (gemm): A is [N, 3] transposed and B is [2N, 2]: their inner sizes \
             differ",
        ),
        (
            |p| gemm(p, 5).b = PROBS,
            "train, step 5 (gemm): a transposed B may not have the batch as its rows",
        ),
        (
            |p| gemm(p, 1).bias = Some(B2),
            "train, step 1 (gemm): the bias is [1, 2], and must be [1, 3]",
        ),
        (
            |p| gemm(p, 1).bias = Some(X),
            "train, step 1 (gemm): the bias is [N, 3], and must be [1, 3]",
        ),
        (
            |p| gemm(p, 1).bias = Some(W1),
            "train, step 1 (gemm): the bias must be in rows of whole vectors",
        ),
        (
            |p| tail(p, 1).stores[0].1 = LOGITS,
            "train, step 1 (gemm): store 0 is [N, 2], and does not have the layout of its region \
             [N, 3]",
        ),
        (
            |p| tail(p, 8).stores[0].1 = X,
            "train, step 8 (gemm): store 0 is [N, 3], and does not have the layout of its region \
             [3, 3]",
        ),
        (|p| tail(p, 1).stores.clear(), "train, step 1 (gemm): its expression stores nothing"),
        (
            |p| *kernel(p, 7) = Kernel::ColumnSum(ColumnSum { x: W2, tail: keep(B2) }),
            "train, step 7 (column_sum): x must be in rows of whole vectors",
        ),
        (
            |p| tail(p, 7).stores[0].1 = W2,
            "train, step 7 (column_sum): store 0 is [3, 2], and does not have the layout of its \
             region [1, 2]",
        ),
    ]);
}

#[test]
fn refuses_bad_expressions() {
    check(&[
        (|p| tail(p, 11).stores.clear(), "train, step 11 (map): its expression stores nothing"),
        (
            |p| tail(p, 11).loads[0].buffer = LOGITS,
            "train, step 11 (map): load 0 is [N, 2], and does not have the layout of all of its \
             region [N, 3]",
        ),
        (
            |p| {
                let wide = fresh(p, Layout::Rows { rows: N, cols: 3, stride: 32 });
                tail(p, 11).loads[0].buffer = wide;
            },
            "train, step 11 (map): load 0 is [N, 3], and does not have the layout of all of its \
             region [N, 3]",
        ),
        (
            |p| tail(p, 11).loads[1].buffer = B2,
            "train, step 11 (map): load 1 is [1, 2], and does not have the layout of one row of \
             its region [N, 3]",
        ),
        (
            |p| tail(p, 11).loads[2].buffer = B1,
            "train, step 11 (map): load 2 is [1, 3], and does not have the layout of one column \
             of its region [N, 3]",
        ),
        (
            |p| tail(p, 11).loads[3].buffer = NORMS,
            "train, step 11 (map): load 3 is [N, 1], and does not have the layout of one number \
             of its region [N, 3]",
        ),
        (
            |p| tail(p, 11).loads[3].buffer = SPECIES,
            "train, step 11 (map): load 3 must be a buffer of f32, not of i32",
        ),
        (
            |p| {
                let loads = vec![load(NORMS, Spread::Column)];
                let stores = vec![(Value::Load(0), LOSSES)];
                *kernel(p, 11) = Kernel::Map(Expr { loads, stores, ..Expr::default() });
            },
            "train, step 11 (map): load 0 is one column of a region that is not in rows of 16 \
             lanes",
        ),
        (
            |p| {
                let row = fresh(p, Layout::matrix(fixed(1), 3));
                let loads = vec![load(row, Spread::Row)];
                let stores = vec![(Value::Load(0), W1)];
                *kernel(p, 11) = Kernel::Map(Expr { loads, stores, ..Expr::default() });
            },
            "train, step 11 (map): load 0 is one row of a region that is not in rows of 16 lanes",
        ),
        (
            |p| tail(p, 11).stores[0].0 = Value::Result,
            "train, step 11 (map): its expression uses Result where there is none",
        ),
        (
            |p| tail(p, 11).stores[0].0 = Value::Instr(3),
            "train, step 11 (map): its expression uses Instr(3) where there is none",
        ),
        (
            |p| tail(p, 11).code[1].args[1] = Value::Load(4),
            "train, step 11 (map): its expression uses Load(4) where there is none",
        ),
        (
            |p| tail(p, 11).code[1] = unary(Opcode::Exp, Value::Const(0)),
            "train, step 11 (map): its expression uses Const(0) where there is none",
        ),
        (
            |p| tail(p, 11).code[1] = unary(Opcode::Exp, Value::Instr(1)),
            "train, step 11 (map): its expression uses Instr(1) where there is none",
        ),
        (
            |p| tail(p, 11).code[1].args[2] = Value::Load(1),
            "train, step 11 (map): instruction 1 has more operands than Div takes",
        ),
        (
            |p| tail(p, 11).code.resize(257, unary(Opcode::Neg, Value::Load(0))),
            "train, step 11 (map): an expression has 257 instructions, more than 256",
        ),
        (
            |p| tail(p, 11).loads.resize(65, full(D_H)),
            "train, step 11 (map): an expression has 65 loads, more than 64",
        ),
        (
            |p| tail(p, 11).stores.resize(65, (Value::Load(0), D_H)),
            "train, step 11 (map): an expression has 65 stores, more than 64",
        ),
        (
            |p| tail(p, 11).consts.resize(257, 1.0),
            "train, step 11 (map): an expression has 257 constants, more than 256",
        ),
    ]);
}

#[test]
fn refuses_bad_sums() {
    check(&[
        (
            |p| reduce(p, 10).body = Expr::default(),
            "train, step 10 (reduce): the body of a sum has neither an instruction nor a load",
        ),
        (
            |p| reduce(p, 10).body.stores = vec![(Value::Load(0), H)],
            "train, step 10 (reduce): the body of a sum stores something",
        ),
        (
            |p| reduce(p, 10).body.code[0] = unary(Opcode::Exp, Value::Result),
            "train, step 10 (reduce): its expression uses Result where there is none",
        ),
        (
            |p| reduce(p, 10).body.loads[0].buffer = LOGITS,
            "train, step 10 (reduce): load 0 is [N, 2], and does not have the layout of all of \
             its region [N, 3]",
        ),
        (
            |p| reduce(p, 10).over = SPECIES,
            "train, step 10 (reduce): what it sums over must be a buffer of f32, not of i32",
        ),
        (
            |p| {
                reduce(p, 10).over = W1;
                reduce(p, 10).body.loads[0].buffer = W1;
            },
            "train, step 10 (reduce): what it sums over must be in rows of whole vectors",
        ),
        (
            |p| tail(p, 10).stores[0].1 = H,
            "train, step 10 (reduce): store 0 is [N, 3], and must be one vector a row of \
             [N, 1]",
        ),
        (
            |p| tail(p, 4).stores[0].1 = NORMS,
            "train, step 4 (reduce): store 0 is [N, 1], and does not have the layout of its \
             region [1, 1]",
        ),
    ]);
}

#[test]
fn refuses_bad_classes() {
    check(&[
        (
            |p| {
                p.routines[EntryPoint::Eval].steps[2].kernel =
                    Kernel::Softmax(Softmax { x: LOSSES, y: LOSSES, log: true })
            },
            "eval, step 3 (log_softmax): x must be in rows of whole vectors",
        ),
        (
            |p| {
                p.routines[EntryPoint::Eval].steps[2].kernel =
                    Kernel::Softmax(Softmax { x: LOGITS, y: H, log: false })
            },
            "eval, step 3 (softmax): x and y differ in layout",
        ),
        (
            |p| cross_entropy(p).target = LOSSES,
            "train, step 3 (cross_entropy): the target must be a buffer of i32, not of f32",
        ),
        (
            |p| cross_entropy(p).target = CODE,
            "train, step 3 (cross_entropy): the target may be outside the 2 classes",
        ),
        (
            |p| p.targets[0].domain = Domain::Range(1, 4),
            "eval, step 4 (cross_entropy): the target may be outside the 2 classes",
        ),
        (
            |p| {
                p.targets[0].width = 2;
                let wide = fresh(p, Layout::matrix(N, 2));
                *buffer(p, SPECIES) = Buffer { dtype: DType::I32, ..*buffer(p, wide) };
            },
            "eval, step 4 (cross_entropy): the target must be a list of [N, 1]",
        ),
        (
            |p| cross_entropy(p).x = W2,
            "train, step 3 (cross_entropy): x must be in rows of whole vectors",
        ),
        (
            |p| cross_entropy(p).loss = Some(PROBS),
            "train, step 3 (cross_entropy): the loss must be a list of [N, 1]",
        ),
        (
            |p| cross_entropy(p).grad = Some((H, INVERSE)),
            "train, step 3 (cross_entropy): x and the gradient differ in layout",
        ),
        (
            |p| cross_entropy(p).grad = Some((D_LOGITS, B2)),
            "train, step 3 (cross_entropy): the scale is [1, 2], and must be one number or a \
             list of [N, 1]",
        ),
        (
            |p| (cross_entropy(p).loss, cross_entropy(p).grad) = (None, None),
            "train, step 3 (cross_entropy): neither the loss nor the gradient is asked",
        ),
        (
            |p| {
                let (x, target, y) = (LOGITS, CODE, CORRECT);
                p.routines[EntryPoint::Eval].steps[5].kernel =
                    Kernel::Correct(Correct { x, target, y });
            },
            "eval, step 6 (correct): the target may be outside the 2 classes",
        ),
        (
            |p| {
                let (x, target, y) = (LOGITS, SPECIES, LOGITS);
                p.routines[EntryPoint::Eval].steps[5].kernel =
                    Kernel::Correct(Correct { x, target, y });
            },
            "eval, step 6 (correct): y must be a list of [N, 1]",
        ),
        (
            |p| {
                let distribution = Distribution::Uniform(0.0, f32::INFINITY);
                p.routines[EntryPoint::Init].steps[0].kernel =
                    Kernel::Random(Random { y: W1, distribution, stream: StreamId(0) });
            },
            "init, step 1 (random): Uniform(0.0, inf) is not finite",
        ),
        (
            |p| p.routines[EntryPoint::Init].steps.push(fill(CODE)),
            "init, step 6 (random): y must be a buffer of f32, not of i32",
        ),
    ]);
}
