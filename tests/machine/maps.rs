//! Elementwise expressions of cheap instructions, in programs made by hand: each value is that of
//! the instructions taken one after another for one element, however they are joined.

use crate::common::Numbers;
use crate::common::draft::{Draft, Form, Matrix};
use arenet_runtime::program::{BufferId, Cost, Expr, Instr, Kernel, Load, Opcode, Spread, Value};

/// What rounds at most once an operation, so that plain Rust gives its bits.
fn cheap() -> Vec<Opcode> {
    Opcode::ALL.into_iter().filter(|opcode| opcode.cost() == Cost::Cheap).collect()
}

/// The value of an instruction, by the formulas of [`Opcode`].
fn value(opcode: Opcode, [a, b, c]: [f32; 3]) -> f32 {
    let choose = |first: bool, a: f32, b: f32| if first { a } else { b };
    match opcode {
        Opcode::Neg => -a,
        Opcode::Abs => a.abs(),
        Opcode::Sqrt => a.sqrt(),
        Opcode::Relu => choose(0.0 > a, 0.0, a),
        Opcode::Sign => f32::from(i8::from(a > 0.0) - i8::from(a < 0.0)),
        Opcode::Add => a + b,
        Opcode::Sub => a - b,
        Opcode::Mul => a * b,
        Opcode::Div => a / b,
        Opcode::Max => choose(a > b, a, b),
        Opcode::Min => choose(a < b, a, b),
        Opcode::Gate => choose(b > 0.0, a, 0.0),
        Opcode::MulAdd => a.mul_add(b, c),
        Opcode::NegMulAdd => (-a).mul_add(b, c),
        Opcode::SigmoidGrad => a * (-b).mul_add(b, b),
        Opcode::TanhGrad => a * (-b).mul_add(b, 1.0),
        _ => unreachable!("{opcode:?} is not cheap"),
    }
}

/// Values that a map reads or writes, by their place among the loads.
struct Operands {
    loads: Vec<(Load, Matrix)>,
    consts: Vec<f32>,
}

impl Operands {
    fn at(&self, load: usize, i: usize, j: usize) -> f32 {
        let (Load { spread, .. }, values) = &self.loads[load];
        match spread {
            Spread::Full => values.at(i, j),
            Spread::Column => values.at(i, 0),
            Spread::Row => values.at(0, j),
            Spread::Scalar => values.at(0, 0),
        }
    }

    /// The values of all instructions for one element.
    fn evaluate(&self, code: &[Instr], i: usize, j: usize) -> Vec<f32> {
        let mut values = Vec::with_capacity(code.len());
        for Instr { op, args } in code {
            let args = args.map(|arg| match arg {
                Value::Load(load) => self.at(usize::from(load), i, j),
                Value::Const(index) => self.consts[usize::from(index)],
                Value::Instr(index) => values[usize::from(index)],
                Value::Result => unreachable!("a map has no result of a kernel"),
            });
            values.push(value(*op, args));
        }
        values
    }
}

/// A map of `len` instructions, most of which read the one before. The last value is stored, one
/// other beside it, and one in place of an operand.
fn check(seed: u64, (rows, cols): (usize, usize), len: usize) {
    let mut numbers = Numbers::new(seed);
    let mut draft = Draft::new(rows, rows);
    let mut random = |rows, cols| Matrix::random(&mut numbers, rows, cols);
    let (x, y) = (random(rows, cols), random(rows, cols));
    let (row, column) = (random(1, cols), random(rows, 1));
    let scale = 0.75;
    let load = |buffer: BufferId, spread| Load { buffer, spread };
    let operands = Operands {
        loads: vec![
            (load(draft.param(Form::Rows, &x), Spread::Full), x),
            (load(draft.param(Form::Rows, &y), Spread::Full), y),
            (load(draft.param(Form::Rows, &row), Spread::Row), row),
            (load(draft.param(Form::List, &column), Spread::Column), column),
            (load(draft.scalar(scale), Spread::Scalar), Matrix { cols: 1, data: vec![scale] }),
        ],
        consts: vec![-1.5],
    };
    let mut pick = |count: usize| (numbers.next() * count as f64) as usize;
    let mut code: Vec<Instr> = Vec::with_capacity(len);
    let cheap = cheap();
    for index in 0..len {
        let mut arg = || match pick(8) {
            0..3 if index > 0 => Value::Instr(index as u16 - 1),
            3 if index > 0 => Value::Instr(pick(index) as u16),
            4 => Value::Const(0),
            _ => Value::Load(pick(5) as u16),
        };
        let first = arg();
        let mut args = [first, arg(), arg()];
        let op = cheap[pick(cheap.len())];
        args[op.arity()..].fill(first);
        code.push(Instr { op, args });
    }
    let stored = [len - 1, pick(len), pick(len)];
    let to = [
        draft.result(Form::Rows, Some(rows), cols),
        draft.result(Form::Rows, Some(rows), cols),
        operands.loads[1].0.buffer,
    ];
    let stores = stored.iter().zip(to).map(|(&index, to)| (Value::Instr(index as u16), to));
    let expr = Expr {
        loads: operands.loads.iter().map(|(load, _)| *load).collect(),
        consts: operands.consts.clone(),
        code: code.clone(),
        stores: stores.collect(),
    };
    let of =
        |index: usize| Matrix::from_fn(rows, cols, |i, j| operands.evaluate(&code, i, j)[index]);
    let expected: Vec<_> = stored.iter().zip(to).map(|(&index, to)| (to, of(index))).collect();
    draft.check(&format!("{seed}: {rows} x {cols}, {code:?}"), &[Kernel::Map(expr)], &expected);
}

#[test]
fn a_map_is_its_instructions_one_after_another() {
    let sizes = [(1, 1), (1, 200), (3, 16), (5, 33), (9, 100), (40, 17), (70, 48), (130, 7)];
    for seed in 0..96 {
        check(seed as u64, sizes[seed % sizes.len()], 1 + seed * 7 % 45);
    }
}
