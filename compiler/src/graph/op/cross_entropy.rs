//! Cross-entropy with class indices.

use super::softmax::log_softmax;
use super::{Admits, Anchor, Computed, CrossEntropyGrad, Operand, Operator, Parts, Sample};
use super::{Traits, elements, row_length};
use crate::graph::{DType, Formula, Graph, NodeId, Shape, ShapeError, Tensor, Type};
use arenet_program::{self as program, Kernel};

/// The loss of each row, -ln pₜ where p = softmax(logits) and t is the target:
/// torch.nn.CrossEntropyLoss(reduction="none").
///
/// Operands: the logits [.., C], and the class of each row, integers [..]. Result: [..].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CrossEntropy;

impl Operator for CrossEntropy {
    fn text(&self) -> String {
        "cross_entropy".into()
    }

    fn infer(&self, inputs: &[Type]) -> Result<Type, ShapeError> {
        let [logits, target] = inputs else {
            return Err(ShapeError(format!("it takes 2 operands, not {}", inputs.len())));
        };
        Ok(Type::f32(class_rows(logits, target)?))
    }

    fn grad(&self, g: &mut Graph, node: NodeId, dy: NodeId, input: usize) -> Option<NodeId> {
        let [logits, target] = g.node(node).inputs[..] else { unreachable!("it has 2 operands") };
        let f = Formula::new(g);
        // dlogits = (softmax(logits) - onehot(target)) dy
        let grad = || f.op(CrossEntropyGrad, &[f.term(logits), f.term(target), f.term(dy)]).id;
        (input == 0).then(grad)
    }

    fn eval(&self, inputs: &[&Tensor], _: usize) -> Tensor {
        let [logits, target] = inputs else { unreachable!("it has 2 operands") };
        let loss = |(row, &class): (&[f64], &f64)| -log_softmax(row)[class as usize];
        Tensor { shape: target.shape, data: logits.rows().zip(&target.data).map(loss).collect() }
    }

    fn computed(&self) -> Computed<'_> {
        Computed::Kernel(self)
    }

    fn traits(&self, inputs: &[Shape]) -> Traits {
        Traits { alike: 0, ..beside_lists(inputs) }
    }

    fn flops(&self, inputs: &[Shape], _: &Shape, batch: u64) -> u64 {
        // The largest, a subtraction, an exponential and the sum.
        elements(&inputs[0], batch).saturating_mul(4)
    }

    fn samples() -> Vec<Sample> {
        let sample = |rows: Shape, logits, classes| Sample {
            op: CrossEntropy.into(),
            inputs: vec![Operand::f32(logits, -3.0, 3.0), Operand::classes(rows, classes)],
        };
        vec![
            sample(Shape::batched(&[]), Shape::batched(&[3]), 3),
            sample(Shape::batched(&[2]), Shape::batched(&[2, 17]), 17),
        ]
    }
}

impl Anchor for CrossEntropy {
    fn kernel(&self, parts: Parts) -> Kernel {
        Kernel::CrossEntropy(program::CrossEntropy {
            x: parts.input(0),
            target: parts.input(1),
            loss: parts.result,
            grad: parts.joined,
        })
    }
}

/// Checks that there is one class index for each row of the logits, and gives the rows' shape.
pub(super) fn class_rows(logits: &Type, target: &Type) -> Result<Shape, ShapeError> {
    row_length(&logits.shape)?;
    let rows = logits.shape.without_last();
    if logits.dtype != DType::F32 {
        return Err(ShapeError(format!("the logits are floats, not {logits}")));
    }
    if *target != Type::i32(rows) {
        let logits = logits.shape;
        let message = format!("for logits {logits} the classes are i32{rows}, not {target}");
        return Err(ShapeError(message));
    }
    Ok(rows)
}

/// Logits and their gradient may lie in columns where the other operands have one number a row.
pub fn beside_lists(inputs: &[Shape]) -> Traits {
    let are_lists = inputs[1..].iter().all(|input| input.dims().is_empty());
    let columns = if are_lists { Admits::ALL } else { Admits::NONE };
    Traits { columns, ..Traits::ROW_BY_ROW }
}
