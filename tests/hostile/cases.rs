//! Programs that once did what they may not, each as short as it can be.

use super::change::share;
use super::dice::Dice;
use super::examine::{examine, stays_inside};
use super::generate::{batched, fixed};
use arenet_runtime::exec::{Executor, Options, RunError};
use arenet_runtime::program::verify::verify;
use arenet_runtime::program::{
    Buffer, BufferId, DType, Distribution, EntryPoint, Expr, Gemm, Instr, Kernel, Layout, Load,
    Opcode, Origin, Output, Param, Port, Program, Random, Routine, Spread, Step, StreamId, Value,
};
use std::sync::Arc;

/// A program that predicts, whose buffers lie one after another.
fn program(batch: u64, layouts: &[Layout], kernels: Vec<Kernel>) -> Program {
    let mut program = Program { batch, ..Program::default() };
    for &layout in layouts {
        let offset = program.arena_bytes;
        program.buffers.push(Buffer { offset, layout, dtype: DType::F32 });
        program.arena_bytes += layout.bytes(batch).unwrap();
    }
    program.routines[EntryPoint::Predict] = entry(kernels);
    program
}

fn entry(kernels: Vec<Kernel>) -> Routine {
    let step = |kernel| Step { kernel, origin: Origin::default(), flops: 0 };
    Routine { steps: kernels.into_iter().map(step).collect(), ..Routine::default() }
}

/// Makes a buffer an input, an output, or a parameter that begins as ones.
fn declare(program: &mut Program, inputs: &[u32], params: &[u32], outputs: &[u32]) {
    let named = |id: &u32| (format!("v{id}"), BufferId(*id));
    let width = |program: &Program, buffer: BufferId| {
        let (rows, cols) = program.buffers[buffer.0 as usize].layout.size(1).unwrap();
        rows * cols
    };
    for (name, buffer) in inputs.iter().map(named) {
        let width = width(program, buffer);
        program.inputs.push(Port { name, width, buffer, ..Port::default() });
    }
    for (name, buffer) in outputs.iter().map(named) {
        let width = width(program, buffer);
        program.outputs.push(Output { name, width, buffer, scores: None });
    }
    for (name, buffer) in params.iter().map(named) {
        let (rows, cols) = program.buffers[buffer.0 as usize].layout.size(1).unwrap();
        program.params.push(Param { name, shape: vec![rows, cols], buffer, states: vec![] });
    }
    let ones = |id: &u32| {
        let distribution = Distribution::Constant(1.0);
        Kernel::Random(Random { y: BufferId(*id), distribution, stream: StreamId(0) })
    };
    program.routines[EntryPoint::Init] = entry(params.iter().map(ones).collect());
}

fn store(value: Value, to: u32) -> Expr {
    Expr { stores: vec![(value, BufferId(to))], ..Expr::default() }
}

fn product(a: u32, b: u32, tail: Expr) -> Gemm {
    let (a, b) = (BufferId(a), BufferId(b));
    let [a_transposed, b_transposed] = [false; 2];
    Gemm { a, a_transposed, b, b_transposed, bias: None, tail, column_sums: None }
}

/// Looks at a program in several ways.
fn check(program: Program) {
    let program = Arc::new(verify(program).expect("it is accepted"));
    for seed in 0..4 {
        assert_eq!(examine(&program, &mut Dice::new(seed)), Some(Ok(())), "seed {seed}");
    }
}

/// The tail has no code, and yet the product's result has no home but a register.
#[test]
fn a_tail_that_only_stores_a_load_onto_itself() {
    let layouts = [
        Layout::matrix(batched(300), 5),
        Layout::Panels { rows: 5, cols: 3 },
        Layout::matrix(batched(300), 3),
    ];
    let load = Load { buffer: BufferId(2), spread: Spread::Full };
    let same = Expr { loads: vec![load], ..store(Value::Load(0), 2) };
    let first = Kernel::Random(Random {
        y: BufferId(2),
        distribution: Distribution::Constant(0.5),
        stream: StreamId(0),
    });
    let kernels = vec![first, Kernel::Gemm(product(0, 1, same))];
    let mut program = program(2, &layouts, kernels);
    declare(&mut program, &[0], &[1], &[2]);
    check(program);
}

/// The sums between blocks of terms take more room where the columns of C are a few less.
#[test]
fn fewer_rows_that_need_more_room() {
    let (batch, m, k) = (2081, 520, 4097);
    let layouts = [
        Layout::columns(batched(1), k, batch).unwrap(),
        Layout::matrix(fixed(k), m),
        Layout::columns(batched(1), m, batch).unwrap(),
    ];
    let product = Kernel::Gemm(product(0, 1, store(Value::Result, 2)));
    let mut program = program(batch, &layouts, vec![product]);
    declare(&mut program, &[0], &[1], &[2]);
    let program = Arc::new(verify(program).expect("it is accepted"));
    stays_inside(&program, &[2080, 2081]);
}

/// A row of one element lies as a number does, but a product leaves anything in its padding.
#[test]
fn a_number_of_which_not_all_lanes_are_written() {
    let number = Layout::scalar();
    let layouts = [number, Layout::matrix(fixed(1), 1), number, Layout::matrix(batched(1), 20)];
    let spread = Load { buffer: BufferId(2), spread: Spread::Scalar };
    let spread = Expr { loads: vec![spread], ..store(Value::Load(0), 3) };
    let kernels =
        vec![Kernel::Gemm(product(0, 1, store(Value::Result, 2))), Kernel::Map(spread.clone())];
    let mut bad = program(4, &layouts, kernels);
    declare(&mut bad, &[], &[0, 1], &[3]);
    let error = verify(bad).unwrap_err().to_string();
    let expected = "predict, step 2 (map): spreads buffer 2 as one number, but not all of its \
                    lanes are written";
    assert_eq!(error, expected);

    // A parameter, which another entry writes so.
    let kernels = vec![Kernel::Map(spread)];
    let mut bad = program(4, &layouts, kernels);
    declare(&mut bad, &[], &[0, 1, 2], &[3]);
    assert!(verify(bad.clone()).is_ok());
    bad.routines[EntryPoint::Init].steps[2] =
        entry(vec![Kernel::Gemm(product(0, 1, store(Value::Result, 2)))]).steps.remove(0);
    let error = verify(bad).unwrap_err().to_string();
    assert_eq!(error, expected.replace("step 2", "step 1"));
}

/// A short file whose steps, bound for many threads, would take gigabytes.
#[test]
fn the_bound_steps_of_all_threads_count_as_memory() {
    let layouts = [Layout::matrix(batched(1), 20), Layout::matrix(batched(1), 20)];
    let load = Load { buffer: BufferId(0), spread: Spread::Full };
    let code = (0..256).map(|i| {
        let before = if i == 0 { Value::Load(0) } else { Value::Instr(i - 1) };
        Instr { op: Opcode::Exp, args: [before; 3] }
    });
    let expr = Expr { loads: vec![load], code: code.collect(), ..store(Value::Instr(255), 1) };
    let mut program = program(64, &layouts, vec![Kernel::Map(expr); 400]);
    declare(&mut program, &[0], &[], &[1]);
    let run = |program: &Program, threads| {
        let options = Options { isa: None, threads: Some(threads), max_memory: Some(1 << 28) };
        Executor::new(Arc::new(verify(program.clone()).unwrap()), options).map(|_| ())
    };
    assert_eq!(run(&program, 64), Ok(()));
    share(&mut program);
    assert_eq!(run(&program, 2), Ok(()));
    let refused = run(&program, 64);
    assert!(
        matches!(refused, Err(RunError::Memory { needed: 1_000_000_000.., .. })),
        "{refused:?}"
    );
}
