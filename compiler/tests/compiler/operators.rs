//! Every operator on its samples: the inferred type, and the gradient, against evaluation.

use crate::common::{
    self, BATCH, Numbers, assert_close, central_differences, input_leaves, values,
};
use arenet_compiler::graph::op::{self, Op, Operand, Sample};
use arenet_compiler::graph::{DType, Formula, Graph, NodeId, Type, verify};

fn types(operands: &[Operand]) -> Vec<Type> {
    operands.iter().map(|operand| operand.ty).collect()
}

#[test]
fn inferred_shapes_are_those_of_the_values() {
    for Sample { op, inputs } in op::samples() {
        let mut numbers = Numbers::new(1);
        let tensors: Vec<_> = inputs.iter().map(|operand| numbers.tensor(operand)).collect();
        let value = op.eval(&tensors.iter().collect::<Vec<_>>(), BATCH);
        let ty = op.infer(&types(&inputs)).unwrap_or_else(|error| panic!("{op}: {error}"));
        assert_eq!(ty, Type::f32(value.shape), "{op}");
        assert_eq!(Some(value.data.len()), value.shape.elements(BATCH), "{op}");
    }
}

#[test]
fn operations_grow_with_the_batch_at_most_linearly() {
    for Sample { op, inputs } in op::samples() {
        let shapes: Vec<_> = inputs.iter().map(|operand| operand.ty.shape).collect();
        let output = op.infer(&types(&inputs)).expect("samples fit").shape;
        let [one, ten] = [1, 10].map(|batch| op.flops(&shapes, &output, batch));
        assert!(one <= ten && ten <= 10 * one, "{op}");
    }
}

/// The gradient of Σ w y for a fixed w that differs everywhere, by the operator's rule and by
/// central differences.
fn check_gradient(op: Op, operands: &[Operand], input: usize) {
    let what = format!("{op} {:?}, input {input}", types(operands));
    let mut graph = Graph::default();
    let leaves = input_leaves(&mut graph, operands);
    let node = graph.add(op, &leaves);
    let shape = graph.shape(node);
    let weight = common::f32_input(&mut graph, operands.len() as u32, shape);
    let loss = weighted_sum(&mut graph, node, weight);
    let Some(grad) = op.grad(&mut graph, node, weight, input) else {
        assert!(no_gradient(op, input), "{what} has no gradient");
        return;
    };
    verify::verify(&graph).unwrap();

    let mut numbers = Numbers::new(2);
    let mut tensors: Vec<_> = operands.iter().map(|operand| numbers.tensor(operand)).collect();
    tensors.push(numbers.tensor(&Operand::f32(graph.shape(node), -1.0, 1.0)));
    let actual = values(&graph, &tensors, &[])[grad.index()].clone();
    let expected = central_differences(&tensors[input], |x| {
        let mut tensors = tensors.clone();
        tensors[input] = x.clone();
        values(&graph, &tensors, &[])[loss.index()].data[0]
    });
    assert_close(&what, &actual, &expected, 1e-6);
}

fn weighted_sum(graph: &mut Graph, node: NodeId, weight: NodeId) -> NodeId {
    let f = Formula::new(graph);
    (f.term(node) * f.term(weight)).sum().id
}

/// Step functions, and the conditions of gates.
fn no_gradient(op: Op, input: usize) -> bool {
    let text = op.to_string();
    ["sign", "correct", "argmax"].contains(&&*text)
        || (text == "gate" && input == 1)
        || (text == "mode" && input == 0)
}

#[test]
fn gradients_are_those_of_central_differences() {
    for Sample { op, inputs } in op::samples() {
        if op.is_assign() || matches!(op, Op::CrossEntropyGrad(_)) {
            continue; // nothing is ever differentiated through them
        }
        for input in (0..inputs.len()).filter(|&i| inputs[i].ty.dtype == DType::F32) {
            check_gradient(op, &inputs, input);
        }
    }
}

#[test]
fn operands_that_do_not_fit_are_refused() {
    use arenet_compiler::graph::Shape;
    let f32 = |dims: &[usize]| Type::f32(Shape::batched(dims));
    let fixed = |dims: &[usize]| Type::f32(Shape::fixed(dims));
    let matmul = op::MatMul { transpose_a: false, transpose_b: false };
    let classes = Type::i32(Shape::batched(&[]));
    for (op, inputs, expected) in [
        (
            Op::from(matmul),
            vec![f32(&[4]), fixed(&[3, 2])],
            "[N, 4] has rows of 4, but [3, 2] multiplies rows of 3",
        ),
        (
            matmul.into(),
            vec![f32(&[4]), f32(&[4])],
            "the right side [N, 4] may not have the batch N",
        ),
        (matmul.into(), vec![f32(&[4]), fixed(&[4])], "the right side is a matrix, not [4]"),
        (
            matmul.into(),
            vec![f32(&[]), fixed(&[4, 4])],
            "it works along the last dimension, but [N] has none",
        ),
        (
            op::Binary(op::BinaryFn::Add).into(),
            vec![f32(&[4]), f32(&[3])],
            "the shapes [N, 4] and [N, 3] differ",
        ),
        (
            op::Unary(op::UnaryFn::Exp).into(),
            vec![classes],
            "arithmetic works on floats, but one operand is i32[N]",
        ),
        (op::Softmax { log: false }.into(), vec![], "it takes 1 operands, not 0"),
        (
            op::CrossEntropy.into(),
            vec![f32(&[4]), f32(&[4])],
            "for logits [N, 4] the classes are i32[N], not f32[N, 4]",
        ),
        (
            op::Gather.into(),
            vec![f32(&[4]), classes],
            "the table is a matrix of floats, not f32[N, 4]",
        ),
        (op::Gather.into(), vec![fixed(&[3, 4]), f32(&[])], "the indices are integers, not f32[N]"),
        (
            op::ScatterAdd { rows: 3 }.into(),
            vec![f32(&[2, 4]), classes],
            "for f32[N, 2, 4] the indices are i32[N, 2], not i32[N]",
        ),
        (
            op::Reshape { shape: Shape::batched(&[2, 3]) }.into(),
            vec![f32(&[5])],
            "[N, 5] has 5 elements for each N, but [N, 2, 3] has 6",
        ),
        (
            op::Reshape { shape: Shape::fixed(&[6]) }.into(),
            vec![f32(&[6])],
            "[N, 6] cannot become [6]: the batch N stays as it is",
        ),
        (
            op::Slice { shape: Shape::batched(&[3]), from: 2 }.into(),
            vec![f32(&[4])],
            "[N, 3] is no part of [N, 4]",
        ),
        (
            op::Pad { shape: Shape::batched(&[3]), from: 2, width: 2 }.into(),
            vec![f32(&[2])],
            "[N, 2] is no part of [N, 3]",
        ),
        (op::ToFloat.into(), vec![f32(&[])], "the indices are integers, not f32[N]"),
        (
            op::Broadcast { shape: Shape::batched(&[4]) }.into(),
            vec![fixed(&[3])],
            "[3] cannot be spread to [N, 4]",
        ),
    ] {
        assert_eq!(op.infer(&inputs).map_err(|error| error.0), Err(expected.to_string()), "{op}");
    }
}
