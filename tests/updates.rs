//! An update in one piece gives the bits of its instructions.

mod common;

use arenet_runtime::exec::{EntryPoint, Executor, Options};
use arenet_runtime::program::updates::{
    ADAM, ADAM_SPREADS, ADAMW, ADAMW_SPREADS, MOMENTUM, MOMENTUM_SPREADS,
};
use arenet_runtime::program::verify::verify;
use arenet_runtime::program::{
    Buffer, BufferId, DType, Distribution, Expr, HostNumber, Instr, Kernel, Layout, Load, Opcode,
    Origin, Param, Program, Random, Routine, Rows, Spread, Step, StreamId, Value, Verified,
};
use arenet_runtime::simd::Isa;
use common::{Numbers, compile, executor};
use std::sync::Arc;

/// The weights lie in panels and in rows, the biases in rows; what is used twice has a gradient
/// that is computed before the update.
fn source(optimizer: &str) -> String {
    format!(
        "net n {{
            input x: [N, 40]
            param gain: [40] = uniform(0.5, 1.5)
            param twice: [40, 40]
            a = tanh(x * gain @ twice)
            h = tanh(a @ twice) |> dense(50) |> tanh
            output y = h |> dense(70)
        }}
        train {{
            target t: [N, 70]
            loss = mse(y, t)
            optimizer = {optimizer}
        }}"
    )
}

/// The expressions of a training step.
fn tails(program: &mut Program) -> impl Iterator<Item = &mut Expr> {
    program
        .train
        .steps
        .iter_mut()
        .flat_map(|step| match &mut step.kernel {
            Kernel::Gemm(gemm) => vec![Some(&mut gemm.tail), gemm.column_sums.as_mut()],
            Kernel::ColumnSum { tail, .. } => vec![Some(tail)],
            Kernel::Map(expr) => vec![Some(expr)],
            _ => vec![],
        })
        .flatten()
}

/// The parameters and their states after some steps.
fn trained(program: &Arc<Verified>, isa: Isa, threads: usize) -> Vec<u32> {
    let rows = program.program().batch as usize;
    let mut executor: Executor = executor(program, threads, isa, 0.01);
    let source = program.program();
    assert!(!executor.is_straight(EntryPoint::Train, rows));
    for port in source.inputs.iter().chain(&source.targets) {
        let width = port.width as usize;
        let values = Numbers::new(width as u64).floats(rows * width);
        executor.write_floats(port, 0, &values).unwrap();
    }
    for _ in 0..3 {
        executor.run(EntryPoint::Train, rows).unwrap();
    }
    let params = source.params.iter();
    let buffers = params.flat_map(|param| param.buffers());
    buffers.flat_map(|id| executor.read(id)).map(f32::to_bits).collect()
}

/// Adds an instruction that nobody reads: then it is no longer what runs in one piece.
fn spell_out(expr: &mut Expr) {
    expr.code.push(Instr { op: Opcode::Neg, args: [expr.stores[0].0; 3] });
}

#[test]
fn an_update_in_one_piece_has_the_bits_of_its_instructions() {
    let updates = [
        ("sgd(lr: 0.1, momentum: 0.9)", &MOMENTUM[..]),
        ("adam(lr: 0.1)", &ADAM[..]),
        ("adamw(lr: 0.1)", &ADAMW[..]),
    ];
    for (optimizer, code) in updates {
        let whole = compile(&source(optimizer), 64);
        let mut spelled_out = whole.program().clone();
        let ops = |code: &[Instr]| code.iter().map(|instr| instr.op).collect::<Vec<_>>();
        let updates = tails(&mut spelled_out).filter(|expr| ops(&expr.code).ends_with(&ops(code)));
        assert_eq!(updates.map(spell_out).count(), 6, "gain, weights and biases by {optimizer}");
        let spelled_out = Arc::new(verify(spelled_out).unwrap());
        for isa in Isa::ALL.into_iter().filter(|isa| isa.is_supported()) {
            for threads in [1, 2] {
                let same = trained(&whole, isa, threads) == trained(&spelled_out, isa, threads);
                assert!(same, "{optimizer}, {}, {threads} threads", isa.name());
            }
        }
    }
}

/// A program whose one step is an update with its gradient in a buffer, as the compiler would order
/// the loads or backwards.
fn with_stored_gradient(tape: &[Instr], spreads: &[Spread], backwards: bool) -> Program {
    let mut program = Program { batch: 1, ..Program::default() };
    let mut loads = Vec::new();
    for spread in spreads.iter().chain([&Spread::Full]) {
        let layout = match spread {
            Spread::Full => Layout::Panels { rows: 37, cols: 40 },
            _ => Layout::matrix(Rows { count: 1, batched: false }, 1),
        };
        let buffer = BufferId(program.buffers.len() as u32);
        let offset = program.arena_bytes;
        program.arena_bytes += layout.bytes(1).unwrap();
        program.buffers.push(Buffer { offset, layout, dtype: DType::F32 });
        loads.push(Load { buffer, spread: *spread });
    }
    let wanted = [(MOMENTUM.len() - 1, 2), (0, 0)];
    let p = spreads.iter().rposition(|&spread| spread == Spread::Full).unwrap();
    let moments = [(tape.len() - 1, p), (1, 0), (4, 1)];
    let stores = if tape.len() == MOMENTUM.len() { &wanted[..] } else { &moments };
    let stores = stores.iter().map(|&(instr, i)| (Value::Instr(instr as u16), loads[i].buffer));
    let stores = stores.collect();
    let last = spreads.len() as u16;
    let own = |value| match value {
        Value::Result if backwards => Value::Load(0),
        Value::Load(i) if backwards => Value::Load(last - i),
        Value::Result => Value::Load(last),
        value => value,
    };
    let code = tape.iter().map(|instr| Instr { args: instr.args.map(own), ..*instr }).collect();
    if backwards {
        loads.reverse();
    }
    let kernel =
        Kernel::Map(Expr { loads, consts: vec![0.1, 0.9, 0.01, 0.99, 1e-6], code, stores });
    let steps = vec![Step { kernel, origin: Origin::default(), flops: 0 }];
    program.predict = Routine { steps, ..Routine::default() };
    program
}

/// All that lies in memory after some runs of a program, from numbers above 0 on.
fn updated(program: Program, isa: Isa) -> Vec<u32> {
    let mut program = program;
    for (index, buffer) in program.buffers.iter().enumerate() {
        let (rows, cols) = buffer.layout.size(1).unwrap();
        let buffer = BufferId(index as u32);
        if cols == 1 {
            program.scalars.push((HostNumber::per_row(1.0), buffer));
            continue;
        }
        let (name, shape) = (format!("p{index}"), vec![rows, cols]);
        program.params.push(Param { name, shape, buffer, states: Vec::new() });
        let distribution = Distribution::Uniform(0.1, 1.0);
        let kernel =
            Kernel::Random(Random { y: buffer, distribution, stream: StreamId(index as u32) });
        program.init.steps.push(Step { kernel, origin: Origin::default(), flops: 0 });
    }
    let (buffers, scalars) = (program.buffers.len() as u32, program.scalars.len());
    let options = Options { isa: Some(isa), threads: 1, max_memory: 0 };
    let mut executor = Executor::new(Arc::new(verify(program).unwrap()), options).unwrap();
    executor.run(EntryPoint::Init, 1).unwrap();
    for index in 0..scalars {
        executor.set_scalar(index, 0.7 + index as f32 / 8.0);
    }
    for _ in 0..3 {
        executor.run(EntryPoint::Predict, 1).unwrap();
    }
    (0..buffers).flat_map(|id| executor.read(BufferId(id))).map(f32::to_bits).collect()
}

#[test]
fn an_update_from_a_stored_gradient_has_the_bits_of_its_instructions() {
    let tapes = [
        (&MOMENTUM[..], &MOMENTUM_SPREADS[..]),
        (&ADAM[..], &ADAM_SPREADS[..]),
        (&ADAMW[..], &ADAMW_SPREADS[..]),
    ];
    for (tape, spreads) in tapes {
        for backwards in [false, true] {
            let whole = with_stored_gradient(tape, spreads, backwards);
            let mut spelled_out = whole.clone();
            for step in &mut spelled_out.predict.steps {
                let Kernel::Map(expr) = &mut step.kernel else { unreachable!("it is a map") };
                spell_out(expr);
            }
            for isa in Isa::ALL.into_iter().filter(|isa| isa.is_supported()) {
                let same = updated(whole.clone(), isa) == updated(spelled_out.clone(), isa);
                assert!(same, "{} instructions, {}", tape.len(), isa.name());
            }
        }
    }
}
