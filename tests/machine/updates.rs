//! An update that a few vectors at a time go through has the bits of one that is taken instruction
//! by instruction over a tile.

use crate::common::{Numbers, compile, executor};
use arenet_runtime::exec::{EntryPoint, Executor};
use arenet_runtime::program::verify::verify;
use arenet_runtime::program::{ColumnSum, Expr, Instr, Kernel, Opcode, Program, Verified};
use arenet_runtime::simd::Isa;
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
    program.routines[EntryPoint::Train]
        .steps
        .iter_mut()
        .flat_map(|step| match &mut step.kernel {
            Kernel::Gemm(gemm) => vec![Some(&mut gemm.tail), gemm.column_sums.as_mut()],
            Kernel::ColumnSum(ColumnSum { tail, .. }) => vec![Some(tail)],
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

/// Adds an instruction that nobody reads and that is no link of a chain: so the expression goes
/// over a tile more than once.
fn spell_out(expr: &mut Expr) {
    expr.code.push(Instr { op: Opcode::Tanh, args: [expr.stores[0].0; 3] });
}

#[test]
fn an_update_in_one_piece_has_the_bits_of_its_instructions() {
    for optimizer in [
        "sgd(lr: 0.1, momentum: 0.9)",
        "sgd(lr: 0.1, momentum: 0.9, nesterov: true, weight_decay: 0.01)",
        "adam(lr: 0.1)",
        "adamw(lr: 0.1, amsgrad: true)",
        "rmsprop(lr: 0.01, momentum: 0.5, centered: true)",
        "rprop(lr: 0.01)",
        "nadam(lr: 0.01, weight_decay: 0.1)",
    ] {
        let whole = compile(&source(optimizer), 64);
        let mut spelled_out = whole.program().clone();
        let params: Vec<_> = spelled_out.params.iter().map(|param| param.buffer).collect();
        let updates = tails(&mut spelled_out)
            .filter(|expr| expr.stores.iter().any(|(_, buffer)| params.contains(buffer)));
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
