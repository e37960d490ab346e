//! Contracts expressions: two operations become one fused instruction.
//!
//! A multiplication whose only use is an addition becomes one fused multiply-add, and the gradients
//! of sigmoid and tanh become one instruction each. The choice is made here, once, so every
//! instruction set computes the same bits.

use arenet_program::{Expr, Instr, Opcode, Value};

/// Contracts an expression, and drops what nothing uses; `origins` has an item for each
/// instruction, and keeps those of the instructions that stay.
pub fn contract<T>(mut expr: Expr, origins: &mut Vec<T>) -> Expr {
    for index in 0..expr.code.len() {
        let uses = uses(&expr);
        let single = |value: Value| match value {
            Value::Instr(i) if uses[i as usize] == 1 => Some(expr.code[i as usize]),
            _ => None,
        };
        let is_one = |value: Value| match value {
            Value::Const(i) => expr.consts[i as usize] == 1.0,
            _ => false,
        };
        if let Some(instr) = contracted(expr.code[index], &single, &is_one) {
            expr.code[index] = instr;
        }
    }
    drop_unused(expr, origins)
}

/// The shorter form of one instruction: `single` gives an operand that has no other use.
fn contracted(
    instr: Instr,
    single: &dyn Fn(Value) -> Option<Instr>,
    is_one: &dyn Fn(Value) -> bool,
) -> Option<Instr> {
    let [a, b, _] = instr.args;
    let product = |value: Value| single(value).filter(|instr| instr.op == Opcode::Mul);
    match instr.op {
        Opcode::Add => {
            let (product, rest) = product(a).map(|m| (m, b)).or(product(b).map(|m| (m, a)))?;
            let [x, y, _] = product.args;
            Some(Instr { op: Opcode::MulAdd, args: [x, y, rest] })
        }
        Opcode::Sub => {
            let [x, y, _] = product(b)?.args;
            Some(Instr { op: Opcode::NegMulAdd, args: [x, y, a] })
        }
        Opcode::Mul => [(a, b), (b, a)].into_iter().find_map(|(gradient, factor)| {
            let factor = single(factor)?;
            match factor.op {
                // dy y (1 - y)
                Opcode::Sub if is_one(factor.args[0]) => {
                    let y = factor.args[1];
                    let [p, q, _] = product(gradient)?.args;
                    let dy = if q == y {
                        p
                    } else if p == y {
                        q
                    } else {
                        return None;
                    };
                    Some(Instr { op: Opcode::SigmoidGrad, args: [dy, y, dy] })
                }
                // dy (1 - y y), the inner difference already contracted
                Opcode::NegMulAdd if factor.args[0] == factor.args[1] && is_one(factor.args[2]) => {
                    let y = factor.args[0];
                    Some(Instr { op: Opcode::TanhGrad, args: [gradient, y, gradient] })
                }
                _ => None,
            }
        }),
        _ => None,
    }
}

/// How often each instruction's value is used.
fn uses(expr: &Expr) -> Vec<usize> {
    let mut uses = vec![0; expr.code.len()];
    let args = expr.code.iter().flat_map(|instr| &instr.args[..instr.op.arity()]);
    for value in args.chain(expr.stores.iter().map(|(value, _)| value)) {
        if let Value::Instr(i) = value {
            uses[*i as usize] += 1;
        }
    }
    uses
}

/// Drops the instructions, loads and constants that no store depends on; the last instruction of an
/// expression without stores is its value and stays.
fn drop_unused<T>(expr: Expr, origins: &mut Vec<T>) -> Expr {
    let mut needed = vec![false; expr.code.len()];
    for (value, _) in &expr.stores {
        if let Value::Instr(i) = value {
            needed[*i as usize] = true;
        }
    }
    if let (true, Some(last)) = (expr.stores.is_empty(), needed.last_mut()) {
        *last = true;
    }
    for index in (0..expr.code.len()).rev() {
        if needed[index] {
            for arg in &expr.code[index].args[..expr.code[index].op.arity()] {
                if let Value::Instr(i) = arg {
                    needed[*i as usize] = true;
                }
            }
        }
    }
    let mut kept = needed.iter();
    origins.retain(|_| kept.next().copied().unwrap_or(false));
    let mut short = Expr::default();
    let mut renamed: Vec<Value> = Vec::with_capacity(expr.code.len());
    let mut loads = vec![None; expr.loads.len()];
    let mut consts = vec![None; expr.consts.len()];
    let mut rename = |short: &mut Expr, renamed: &[Value], value: Value| match value {
        Value::Result => Value::Result,
        Value::Instr(i) => renamed[i as usize],
        Value::Load(i) => *loads[i as usize].get_or_insert_with(|| {
            short.loads.push(expr.loads[i as usize]);
            Value::Load(short.loads.len() as u16 - 1)
        }),
        Value::Const(i) => *consts[i as usize].get_or_insert_with(|| {
            short.consts.push(expr.consts[i as usize]);
            Value::Const(short.consts.len() as u16 - 1)
        }),
    };
    for (index, instr) in expr.code.iter().enumerate() {
        if !needed[index] {
            renamed.push(Value::Result);
            continue;
        }
        let args = std::array::from_fn(|i| {
            // Operands beyond the arity repeat the first.
            let arg = instr.args[if i < instr.op.arity() { i } else { 0 }];
            rename(&mut short, &renamed, arg)
        });
        renamed.push(Value::Instr(short.code.len() as u16));
        short.code.push(Instr { op: instr.op, args });
    }
    for &(value, buffer) in &expr.stores {
        let value = rename(&mut short, &renamed, value);
        short.stores.push((value, buffer));
    }
    // An expression that only passes its operand on still reads it.
    if short.code.is_empty() && short.stores.is_empty() {
        short.loads = expr.loads;
    }
    short
}
