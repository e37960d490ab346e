//! Values that come from outside the graph, and constants.

use super::{Admits, Computed, Operator, Sample, Traits};
use crate::graph::{DType, Graph, HostId, NodeId, Shape, ShapeError, Tensor, Type};
use arenet_program::{ParamId, StateId};
use std::hash::{Hash, Hasher};

/// A value that no operation computes.
#[derive(Clone, Copy, Debug)]
pub struct Leaf {
    /// Where it comes from.
    pub source: Source,
    /// Its shape.
    pub shape: Shape,
    /// Its elements.
    pub dtype: DType,
}

/// Where a leaf's value comes from.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// An input, an index into `Model::inputs`.
    Input(u32),
    /// A target, an index into `Model::targets`.
    Target(u32),
    /// A parameter, an index into `Model::params`.
    Param(ParamId),
    /// What an optimizer keeps from step to step; it starts as zeros.
    State(StateId),
    /// A factor shared out among the rows really present in the batch, by the host.
    PerRow(f64),
    /// Another number that the host computes before each step.
    Host(HostId),
    /// A number known to the compiler.
    Const(f64),
}

impl Leaf {
    /// A leaf of floats.
    pub fn f32(source: Source, shape: Shape) -> Leaf {
        Leaf { source, shape, dtype: DType::F32 }
    }

    /// A number: of shape `[]`.
    pub fn number(source: Source) -> Leaf {
        Leaf::f32(source, Shape::SCALAR)
    }

    /// A number known to the compiler.
    pub fn constant(value: f64) -> Leaf {
        Leaf::number(Source::Const(value))
    }
}

impl Source {
    /// Numbers that are the same exactly when the sources are: floats count by their bits, so 0
    /// and -0 differ, and NaN equals itself.
    fn key(&self) -> (u8, u32, u64) {
        match *self {
            Source::Input(i) => (0, i, 0),
            Source::Target(i) => (1, i, 0),
            Source::Param(ParamId(i)) => (2, i, 0),
            Source::State(StateId { param, slot }) => (3, param.0, slot.into()),
            Source::Const(value) => (4, 0, value.to_bits()),
            Source::PerRow(factor) => (5, 0, factor.to_bits()),
            Source::Host(HostId(id)) => (6, id, 0),
        }
    }
}

impl PartialEq for Leaf {
    fn eq(&self, other: &Leaf) -> bool {
        self.source.key() == other.source.key()
            && self.shape == other.shape
            && self.dtype == other.dtype
    }
}

impl Eq for Leaf {}

impl Hash for Leaf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.source.key().hash(state);
    }
}

impl Operator for Leaf {
    fn text(&self) -> String {
        match self.source {
            Source::Input(i) => format!("input {i}"),
            Source::Target(i) => format!("target {i}"),
            Source::Param(ParamId(i)) => format!("param {i}"),
            Source::State(StateId { param, slot }) => format!("state {}.{slot}", param.0),
            Source::Const(value) => format!("const {value:?}"),
            Source::PerRow(factor) => format!("per_row({factor})"),
            Source::Host(HostId(id)) => format!("host {id}"),
        }
    }

    fn infer(&self, inputs: &[Type]) -> Result<Type, ShapeError> {
        if !inputs.is_empty() {
            return Err(ShapeError("a leaf has no operands".into()));
        }
        let number = matches!(self.source, Source::Const(_) | Source::PerRow(_) | Source::Host(_));
        if number && !self.shape.is_scalar() {
            return Err(ShapeError(format!("a number has the shape [], not {}", self.shape)));
        }
        Ok(Type { shape: self.shape, dtype: self.dtype })
    }

    fn grad(&self, _: &mut Graph, _: NodeId, _: NodeId, _: usize) -> Option<NodeId> {
        None
    }

    fn growth(&self, _: &[i32], _: bool) -> Option<i32> {
        Some(if matches!(self.source, Source::PerRow(_)) { -1 } else { 0 })
    }

    fn eval(&self, _: &[&Tensor], _: usize) -> Tensor {
        match self.source {
            Source::Const(value) => Tensor::scalar(value),
            _ => panic!("the value of `{}` comes from outside", self.text()),
        }
    }

    fn computed(&self) -> Computed<'_> {
        Computed::Given
    }

    fn traits(&self, _: &[Shape]) -> Traits {
        let columns = Admits { result: self.dtype == DType::F32, ..Admits::ALL };
        Traits { panels: Admits::ALL, columns, ..Traits::ROWS }
    }

    fn flops(&self, _: &[Shape], _: &Shape, _: u64) -> u64 {
        0
    }

    fn samples() -> Vec<Sample> {
        vec![Sample { op: Leaf::constant(0.5).into(), inputs: vec![] }]
    }
}
