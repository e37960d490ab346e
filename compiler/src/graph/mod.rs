//! The graph: a flat list of nodes in single-assignment form, in topological order.
//!
//! A node's inputs come before it. Ids are typed and print as the text prints them (`%7`).

pub mod formula;
mod inputs;
pub mod op;
pub mod print;
mod rewrite;
pub mod shape;
mod tensor;
pub mod verify;

pub use formula::{Formula, Term};
pub use inputs::{Inputs, MAX_INPUTS};
pub use rewrite::Rewriter;
pub use shape::{Shape, ShapeError};
pub use tensor::Tensor;

use crate::diagnostic::Span;
use crate::graph::op::{Leaf, Op, Traits};
use arenet_program::HostNumber;
use std::fmt;
use std::sync::Arc;

/// A node of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

impl NodeId {
    /// Its position in [`Graph::nodes`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.0)
    }
}

/// A number of [`Graph::hosts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HostId(pub u32);

impl HostId {
    /// Its position in [`Graph::hosts`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A statement of the source text, which the nodes expanded from it remember.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct OriginId(pub u32);

/// The statement a node comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// The name the statement binds, such as `h`.
    pub name: String,
    /// The expression.
    pub span: Span,
}

/// What the elements of a node are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DType {
    /// 32-bit floats.
    F32,
    /// 32-bit integers: class indices.
    I32,
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DType::F32 => "f32",
            DType::I32 => "i32",
        })
    }
}

/// The shape and the elements of a value, such as `f32[N, 3]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Type {
    /// The shape.
    pub shape: Shape,
    /// The elements.
    pub dtype: DType,
}

impl Type {
    /// Floats of this shape.
    pub fn f32(shape: Shape) -> Type {
        Type { shape, dtype: DType::F32 }
    }

    /// Integers of this shape.
    pub fn i32(shape: Shape) -> Type {
        Type { shape, dtype: DType::I32 }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.dtype, self.shape)
    }
}

/// One operation and its result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Node {
    /// What it computes.
    pub op: Op,
    /// From what.
    pub inputs: Inputs,
    /// The shape of the result.
    pub shape: Shape,
    /// The elements of the result.
    pub dtype: DType,
    /// The statement it comes from.
    pub origin: OriginId,
}

impl Node {
    /// The operands whose values it needs: the first one of an assignment is where it goes.
    pub fn reads(&self) -> &[NodeId] {
        &self.inputs[usize::from(self.op.is_assign())..]
    }

    /// The operands whose values it needs outside training.
    pub fn predicts_from(&self) -> &[NodeId] {
        &self.inputs[usize::from(self.op.is_mode())..]
    }

    /// The shape and the elements of the result.
    pub fn ty(&self) -> Type {
        Type { shape: self.shape, dtype: self.dtype }
    }
}

/// A network, or a whole training step, as operations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// All nodes, inputs before users.
    pub nodes: Vec<Node>,
    /// The statements that nodes come from; the graphs made of one share them.
    pub origins: Arc<Vec<Origin>>,
    /// The numbers that the host computes before each step.
    pub hosts: Vec<HostNumber>,
    /// What the outside wants computed: outputs, the loss, the metrics, the assignments.
    pub roots: Vec<NodeId>,
    /// The origin that the next added node gets.
    pub current: OriginId,
}

impl Graph {
    /// The node of an id.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// The shape of a node.
    pub fn shape(&self, id: NodeId) -> Shape {
        self.node(id).shape
    }

    /// The floating-point operations of a node when `N` is `batch`.
    pub fn flops(&self, id: NodeId, batch: u64) -> u64 {
        let (node, shapes) = (self.node(id), self.input_shapes(id));
        node.op.flops(&shapes[..node.inputs.len()], &node.shape, batch)
    }

    /// How the operands and the result of a node may lie.
    pub fn traits(&self, id: NodeId) -> Traits {
        let (node, shapes) = (self.node(id), self.input_shapes(id));
        node.op.traits(&shapes[..node.inputs.len()])
    }

    fn input_shapes(&self, id: NodeId) -> [Shape; MAX_INPUTS] {
        let mut shapes = [Shape::SCALAR; MAX_INPUTS];
        let inputs = &self.node(id).inputs;
        shapes.iter_mut().zip(inputs).for_each(|(shape, &id)| *shape = self.shape(id));
        shapes
    }

    /// All ids in order.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = NodeId> + use<> {
        self.ids_from(0)
    }

    /// The ids from an index on, in order. To skip those before it would count through them.
    pub fn ids_from(&self, first: usize) -> impl DoubleEndedIterator<Item = NodeId> + use<> {
        (first as u32..self.nodes.len() as u32).map(NodeId)
    }

    /// Adds a node whose operands are known to fit.
    pub fn add(&mut self, op: impl Into<Op>, inputs: &[NodeId]) -> NodeId {
        let op = op.into();
        self.try_add(op, inputs)
            .unwrap_or_else(|error| panic!("the compiler built an ill-formed {op}: {error}"))
    }

    /// Adds a node, unless its operands do not fit.
    pub fn try_add(&mut self, op: impl Into<Op>, inputs: &[NodeId]) -> Result<NodeId, ShapeError> {
        let op = op.into();
        let mut types = [Type::f32(Shape::SCALAR); MAX_INPUTS];
        for (ty, &input) in types.iter_mut().zip(inputs) {
            *ty = self.node(input).ty();
        }
        let Type { shape, dtype } = op.infer(&types[..inputs.len()])?;
        let id =
            NodeId(u32::try_from(self.nodes.len()).expect("a graph has fewer than 2^32 nodes"));
        let inputs = Inputs::new(inputs);
        self.nodes.push(Node { op, inputs, shape, dtype, origin: self.current });
        Ok(id)
    }

    /// Adds a number known to the compiler, of shape `[]`.
    pub fn constant(&mut self, value: f64) -> NodeId {
        self.add(Leaf::constant(value), &[])
    }

    /// Makes what is added from here on come from a statement.
    pub fn enter(&mut self, origin: Origin) {
        self.current = OriginId(self.origins.len() as u32);
        Arc::make_mut(&mut self.origins).push(origin);
    }

    /// The statement that a node comes from; graphs made by hand have none.
    pub fn origin(&self, id: NodeId) -> Option<&Origin> {
        self.origins.get(self.node(id).origin.0 as usize)
    }

    /// Where the statement of a node stands.
    pub fn span(&self, id: NodeId) -> Span {
        self.origin(id).map_or(Span::default(), |origin| origin.span)
    }
}
