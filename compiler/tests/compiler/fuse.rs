//! What one kernel does: the clusters of training steps as text, and the contraction of tapes.

use arenet_compiler::pass::contract::contract;
use arenet_compiler::{Options, compile, show};
use arenet_program::{BufferId, EntryPoint, Expr, Instr, Load, Opcode, Spread, Step, Value};
use pretty_assertions::assert_eq;

/// Checks the kernels of a training step.
fn check(source: &str, expected: &str) {
    let compiled = compile(source, &Options::default()).unwrap();
    let train = &compiled.stages[EntryPoint::Train];
    assert_eq!(format!("\n{}", show::schedule(&compiled.model, train)), expected);
}

#[test]
fn three_three_two() {
    check(
        "net seed {
            input x: [N, 3]
            h = x |> dense(3) |> sigmoid
            output y = h |> dense(2) |> sigmoid
        }
        train {
            target t: [N, 2]
            loss = mse(y, t)
            optimizer = sgd(lr: 0.5)
        }",
        "
   0  h = sigmoid(x @ h.w + h.b)
   1  %15 = (sigmoid(h @ y.w + y.b) - t) * (sigmoid(h @ y.w + y.b) - t)
      ∂y = (sigmoid(h @ y.w + y.b) - t) * 1/N \
        * sigmoid(h @ y.w + y.b) * (1 - sigmoid(h @ y.w + y.b))
   2  loss = sum(%15) * 0.5/N
   3  ∂h = ∂y @ y.wᵀ * h * (1 - h)
   4  y.w <- y.w - hᵀ @ ∂y * lr
      y.b <- y.b - sum_rows(∂y) * lr
   5  h.w <- h.w - xᵀ @ ∂h * lr
      h.b <- h.b - sum_rows(∂h) * lr
",
    );
}

#[test]
fn relu_cross_entropy_momentum() {
    check(
        "net digits {
            input x: [N, 64]
            h = x |> dense(32, init: he) |> relu
            output logits = h |> dense(10)
        }
        train {
            target digit: i32[N]
            loss = cross_entropy(logits, digit)
            optimizer = sgd(lr: 0.1, momentum: 0.9)
        }",
        "
   0  h = relu(x @ h.w + h.b)
   1  logits = h @ logits.w + logits.b
   2  %13 = cross_entropy(logits, digit)
      ∂loss = cross_entropy_grad(logits, digit, 1/N)
   3  loss = sum(%13) * 1/N
   4  ∂h = gate(∂loss @ logits.wᵀ, h)
   5  logits.w <- logits.w - (logits.w.momentum * 0.9 + hᵀ @ ∂loss) * lr
      logits.w.momentum <- logits.w.momentum * 0.9 + hᵀ @ ∂loss
      logits.b <- logits.b - (logits.b.momentum * 0.9 + sum_rows(∂loss)) * lr
      logits.b.momentum <- logits.b.momentum * 0.9 + sum_rows(∂loss)
   6  h.w <- h.w - (h.w.momentum * 0.9 + xᵀ @ ∂h) * lr
      h.w.momentum <- h.w.momentum * 0.9 + xᵀ @ ∂h
      h.b <- h.b - (h.b.momentum * 0.9 + sum_rows(∂h)) * lr
      h.b.momentum <- h.b.momentum * 0.9 + sum_rows(∂h)
",
    );
}

#[test]
fn one_of_two_products_sums_the_columns_for_their_bias() {
    check(
        "net two {
            input x: [N, 40]
            a = x |> dense(30)
            b = x |> tanh |> dense(30, bias: false)
            output y = a + b
        }
        train {
            target t: [N, 30]
            loss = mse(y, t)
            optimizer = sgd
        }",
        "
   0  a = x @ a.w + a.b
   1  %6 = tanh(x)
   2  %12 = (a + %6 @ b.w - t) * (a + %6 @ b.w - t)
      ∂loss = (a + %6 @ b.w - t) * 0.06666666666666667/N
   3  b.w <- b.w - %6ᵀ @ ∂loss * lr
      a.b <- a.b - sum_rows(∂loss) * lr
   4  a.w <- a.w - xᵀ @ ∂loss * lr
   5  loss = sum(%12) * 0.03333333333333333/N
",
    );
}

#[test]
fn columns_that_no_product_reads_are_summed_alone() {
    // Both uses of a layer give its bias a gradient, and their sum is no product's operand.
    check(
        "net shared {
            input x: [N, 40]
            layer f(a) = a |> dense(40)
            h = x |> f |> tanh
            output y = h |> f
        }
        train {
            target t: [N, 40]
            loss = mse(y, t)
            optimizer = sgd
        }",
        "
   0  h = tanh(x @ f.w + f.b)
   1  %11 = (h @ f.w + f.b - t) * (h @ f.w + f.b - t)
      ∂loss = (h @ f.w + f.b - t) * 0.05/N
   2  loss = sum(%11) * 0.025/N
   3  %20 = hᵀ @ ∂loss
   4  %24 = ∂loss @ f.wᵀ * (1 - h * h)
      %25 = ∂loss + %24
   5  f.w <- f.w - (%20 + xᵀ @ %24) * lr
   6  f.b <- f.b - sum_rows(%25) * lr
",
    );
}

#[test]
fn a_formula_that_repeats_its_parts_stays_short() {
    // Written out, each step is twice as long as the one before.
    let steps: String = (0..40).map(|i| format!("h{} = h{i} * h{i}\n", i + 1)).collect();
    let source = format!("net m {{ input h0: [N, 4]\n{steps}output y = h40 }}");
    let compiled = compile(&source, &Options::default()).unwrap();
    let text = show::schedule(&compiled.model, &compiled.stages[EntryPoint::Predict]);
    assert!(text.len() < 10_000, "{} bytes", text.len());
    assert!(text.contains("%14 = %7 * %7"), "{text}");
}

#[test]
fn every_optimizer_updates_a_weight_and_its_bias_in_one_product() {
    for optimizer in [
        "sgd(lr: 0.1, weight_decay: 0.01)",
        "sgd(lr: 0.1, momentum: 0.9, dampening: 0.1, weight_decay: 0.01, maximize: true)",
        "sgd(lr: 0.1, momentum: 0.9, nesterov: true)",
        "adam(lr: 0.1)",
        "adam(lr: 0.1, weight_decay: 0.01, amsgrad: true)",
        "adamw(lr: 0.1)",
        "adamw(lr: 0.1, amsgrad: true)",
    ] {
        let source = format!(
            "net n {{
                input x: [N, 3]
                output y = x |> dense(4) |> sigmoid |> dense(2)
            }}
            train {{
                target t: [N, 2]
                loss = mse(y, t)
                optimizer = {optimizer}
            }}"
        );
        let program = compile(&source, &Options::default()).unwrap().program;
        let steps = program.routines[EntryPoint::Train].steps.iter();
        let writers = program.params.iter().map(|param| {
            let writes = |step: &&Step| step.kernel.access().writes.contains(&param.buffer);
            (&param.name, steps.clone().filter(writes).map(|step| step.kernel.name()).collect())
        });
        for (name, writers) in writers {
            let writers: Vec<&str> = writers;
            assert_eq!(writers, ["gemm"], "{name} by {optimizer}");
        }
    }
}

const R: Value = Value::Result;
const ONE: Value = Value::Const(0);

fn load(i: u16) -> Value {
    Value::Load(i)
}

fn at(i: u16) -> Value {
    Value::Instr(i)
}

/// The values that a tape stores, by the plainest evaluation there is.
fn evaluate(expr: &Expr, result: f64, loads: &[f64]) -> Vec<f64> {
    let mut values: Vec<f64> = Vec::new();
    let value = |value: Value, values: &[f64]| match value {
        Value::Result => result,
        // A load is known by its buffer: contraction may renumber it.
        Value::Load(i) => loads[expr.loads[i as usize].buffer.0 as usize],
        Value::Const(i) => f64::from(expr.consts[i as usize]),
        Value::Instr(i) => values[i as usize],
    };
    for instr in &expr.code {
        let [a, b, c] = instr.args.map(|arg| value(arg, &values));
        values.push(match instr.op {
            Opcode::Add => a + b,
            Opcode::Sub => a - b,
            Opcode::Mul => a * b,
            Opcode::Sigmoid => 1.0 / (1.0 + (-a).exp()),
            Opcode::MulAdd => a * b + c,
            Opcode::NegMulAdd => c - a * b,
            Opcode::SigmoidGrad => a * b * (1.0 - b),
            Opcode::TanhGrad => a * (1.0 - b * b),
            op => panic!("{op:?} is in no case"),
        });
    }
    expr.stores.iter().map(|&(stored, _)| value(stored, &values)).collect()
}

/// Checks that a tape becomes these operations, and still stores the same values.
fn check_contraction(code: &[(Opcode, [Value; 2])], stored: &[Value], expected: &[Opcode]) {
    let load = |i| Load { buffer: BufferId(i), spread: Spread::Full };
    let instr = |&(op, [a, b]): &(Opcode, [Value; 2])| Instr { op, args: [a, b, a] };
    let expr = Expr {
        loads: (0..4).map(load).collect(),
        consts: vec![1.0, 2.0],
        code: code.iter().map(instr).collect(),
        stores: stored.iter().map(|&value| (value, BufferId(9))).collect(),
    };
    let mut origins: Vec<usize> = (0..expr.code.len()).collect();
    let short = contract(expr.clone(), &mut origins);
    let last = |instr: &Instr| matches!(instr.op, Opcode::Add | Opcode::Sub | Opcode::Mul);
    let kept = origins.iter().zip(&short.code).filter(|(_, instr)| last(instr));
    assert!(kept.clone().all(|(&at, instr)| expr.code[at].op == instr.op), "each keeps its place");
    assert_eq!(origins.len(), short.code.len());
    let ops: Vec<Opcode> = short.code.iter().map(|instr| instr.op).collect();
    assert_eq!(ops, expected);
    for numbers in [[0.25, -1.5, 3.0, 0.5], [-0.75, 0.125, 0.9, -2.0]] {
        let (before, after) = (evaluate(&expr, 0.6, &numbers), evaluate(&short, 0.6, &numbers));
        assert_eq!(before.len(), after.len());
        for (before, after) in before.iter().zip(after) {
            assert!((before - after).abs() < 1e-12, "{expected:?}: {before} became {after}");
        }
    }
    let used = |value| short.code.iter().any(|i| i.args.contains(&value));
    let loads = (0..short.loads.len() as u16).map(Value::Load);
    let consts = (0..short.consts.len() as u16).map(Value::Const);
    let stored = |value| short.stores.iter().any(|&(stored, _)| stored == value);
    assert!(loads.chain(consts).all(|value| used(value) || stored(value)), "all is used");
}

#[test]
fn instructions_that_do_two_things() {
    use Opcode::{Add, Mul, MulAdd, NegMulAdd, Sigmoid, SigmoidGrad, Sub, TanhGrad};
    // a b + c, on either side
    check_contraction(&[(Mul, [R, load(0)]), (Add, [at(0), load(1)])], &[at(1)], &[MulAdd]);
    check_contraction(&[(Mul, [R, load(0)]), (Add, [load(1), at(0)])], &[at(1)], &[MulAdd]);
    // c - a b, but not a b - c
    check_contraction(&[(Mul, [R, load(0)]), (Sub, [load(1), at(0)])], &[at(1)], &[NegMulAdd]);
    check_contraction(&[(Mul, [R, load(0)]), (Sub, [at(0), load(1)])], &[at(1)], &[Mul, Sub]);
    // one of two products
    check_contraction(
        &[(Mul, [R, load(0)]), (Mul, [load(1), load(2)]), (Add, [at(0), at(1)])],
        &[at(2)],
        &[Mul, MulAdd],
    );
    // dy y (1 - y), in every order
    let minus = (Sub, [ONE, load(0)]);
    for product in [[R, load(0)], [load(0), R]] {
        for factors in [[at(0), at(1)], [at(1), at(0)]] {
            let code = [(Mul, product), minus, (Mul, factors)];
            check_contraction(&code, &[at(2)], &[SigmoidGrad]);
        }
    }
    // dy (1 - y y)
    let square = (Mul, [load(0), load(0)]);
    for factors in [[R, at(1)], [at(1), R]] {
        let code = [square, (Sub, [ONE, at(0)]), (Mul, factors)];
        check_contraction(&code, &[at(2)], &[TanhGrad]);
    }
    // what is stored or used twice stays; what nothing uses goes
    check_contraction(
        &[(Mul, [R, load(0)]), (Add, [at(0), load(1)])],
        &[at(0), at(1)],
        &[Mul, Add],
    );
    check_contraction(&[(Mul, [R, load(0)]), (Add, [at(0), at(0)])], &[at(1)], &[Mul, Add]);
    check_contraction(
        &[(Sigmoid, [R, R]), (Mul, [R, load(3)]), (Add, [at(0), load(1)])],
        &[at(2)],
        &[Sigmoid, Add],
    );
    // neither 2 - y, nor another y, is the gradient of a sigmoid
    let two = Value::Const(1);
    check_contraction(
        &[(Mul, [R, load(0)]), (Sub, [two, load(0)]), (Mul, [at(0), at(1)])],
        &[at(2)],
        &[Mul, Sub, Mul],
    );
    check_contraction(
        &[(Mul, [R, load(0)]), (Sub, [ONE, load(1)]), (Mul, [at(0), at(1)])],
        &[at(2)],
        &[Mul, Sub, Mul],
    );
}
