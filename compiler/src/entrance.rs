//! How the columns of the inputs reach the first layers that learn: as they are, or by functions
//! that take each column alone and do not know how large its numbers are.
//!
//! What a net is told of the size of its inputs follows from this and from the values of rows.
//! `x / 255` or `log1p(x)` may bring a column to scale; `standardize`, `min_max` and `batch_norm`
//! always do, and no column is traced through them.

use crate::eval::evaluate_one;
use crate::graph::op::{Leaf, Op, Source};
use crate::graph::{DType, Graph, Node, NodeId, Tensor};
use crate::model::Model;
use arenet_program::Statistic;
use std::collections::BTreeMap;

/// A column of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Column {
    /// The index of the input.
    pub input: usize,
    /// The place in a row of it.
    pub index: usize,
}

/// What a layer takes: the product of a value and a parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Entrance {
    /// The product.
    pub layer: NodeId,
    /// The value.
    pub value: NodeId,
    /// The elements of a row of it that are columns of inputs, with their places.
    pub columns: Vec<(usize, Column)>,
}

/// What an element of a row is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Made {
    /// Of no row.
    Constant,
    /// Of one column.
    Column(Column),
    /// Of what the rows say of the size of their numbers.
    Scaled,
    /// Of several columns, classes, or of what is learned.
    Other,
}

impl Made {
    fn and(self, other: Made) -> Made {
        match (self, other) {
            (Made::Constant, made) | (made, Made::Constant) => made,
            (Made::Other, _) | (_, Made::Other) => Made::Other,
            (Made::Scaled, _) | (_, Made::Scaled) => Made::Scaled,
            (a, b) if a == b => a,
            _ => Made::Other,
        }
    }
}

/// All of them that take a column of an input.
pub fn entrances(model: &Model) -> Vec<Entrance> {
    let graph = &model.graph;
    let mut made: Vec<Option<Vec<Made>>> = Vec::with_capacity(graph.nodes.len());
    let mut found = Vec::new();
    for id in graph.ids() {
        let node = graph.node(id);
        if let (Op::MatMul(_), &[value, weight]) = (node.op, &node.inputs[..])
            && let (Some(own), Some(Source::Param(_))) =
                (&made[value.index()], graph.node(weight).op.source())
        {
            let column = |(at, made): (usize, &Made)| match made {
                Made::Column(column) => Some((at, *column)),
                _ => None,
            };
            let columns: Vec<_> = own.iter().enumerate().filter_map(column).collect();
            if !columns.is_empty() {
                found.push(Entrance { layer: id, value, columns });
            }
        }
        // Of most nodes nothing is known, and nothing is kept.
        let own = elements(model, node, &made);
        made.push(own.filter(|own| own.iter().any(|made| *made != Made::Other)));
    }
    found
}

/// What the elements of a row of a node are made of, if anything is known of them.
fn elements(model: &Model, node: &Node, made: &[Option<Vec<Made>>]) -> Option<Vec<Made>> {
    let count = node.shape.fixed_elements();
    let of = |id: &NodeId| made[id.index()].as_deref();
    let rows = |id: &NodeId| of(id).map(|own| own.chunks(last(&model.graph, *id)));
    let width = node.shape.last().unwrap_or(1).max(1);
    match &node.op {
        Op::Leaf(leaf) => leaf_elements(model, leaf, count),
        Op::Mode(_) => of(&node.inputs[1]).map(<[Made]>::to_vec),
        Op::Reshape(_) => of(&node.inputs[0]).map(<[Made]>::to_vec),
        Op::Broadcast(_) => match of(&node.inputs[0])? {
            own if own.len() == count => Some(own.to_vec()),
            [one] => Some(vec![*one; count]),
            _ => None,
        },
        Op::Slice(slice) => {
            let part = |row: &[Made]| row[slice.from..slice.from + width].to_vec();
            Some(rows(&node.inputs[0])?.flat_map(part).collect())
        }
        Op::Concat(_) => {
            let part = |row: usize| {
                node.inputs.iter().flat_map(move |id| {
                    let width = last(&model.graph, *id);
                    let own = of(id).map(|own| &own[row * width..][..width]);
                    own.map_or_else(|| vec![Made::Other; width], <[Made]>::to_vec)
                })
            };
            Some((0..count / width).flat_map(part).collect())
        }
        op if op.is_elementwise() => {
            let mut all = vec![Made::Constant; count];
            for id in node.inputs.iter() {
                let own = of(id).filter(|own| own.len() == count)?;
                all.iter_mut().zip(own).for_each(|(made, own)| *made = made.and(*own));
            }
            Some(all)
        }
        _ => None,
    }
}

fn last(graph: &Graph, id: NodeId) -> usize {
    graph.shape(id).last().unwrap_or(1).max(1)
}

fn leaf_elements(model: &Model, leaf: &Leaf, count: usize) -> Option<Vec<Made>> {
    match leaf.source {
        Source::Const(_) => Some(vec![Made::Constant; count]),
        Source::Input(input) if leaf.dtype == DType::F32 => {
            let column = |index| Made::Column(Column { input: input as usize, index });
            Some((0..count).map(column).collect())
        }
        Source::Param(param) => {
            let fit = model.fits.iter().find(|fit| fit.params.contains(&param))?;
            let made = match fit.statistic {
                Statistic::Deviation | Statistic::Range => Made::Scaled,
                Statistic::Mean | Statistic::Median => Made::Constant,
            };
            Some(vec![made; count])
        }
        _ => None,
    }
}

impl Entrance {
    /// The values of each column as the layer takes them, of so many rows, where they follow from
    /// the inputs and from statistics of columns alone. `leaves` has those.
    pub fn values(
        &self,
        model: &Model,
        leaves: impl Fn(&Leaf) -> Tensor,
        rows: usize,
    ) -> BTreeMap<Column, Vec<f64>> {
        let graph = &model.graph;
        let is_costly = |node: &Node| matches!(node.op, Op::MatMul(_)) || node.op.is_random();
        let Some(value) = evaluate_one(graph, self.value, leaves, rows, is_costly) else {
            return BTreeMap::new();
        };
        let width = graph.shape(self.value).fixed_elements();
        let of = |at: usize| value.data.iter().skip(at).step_by(width).copied().collect();
        // Of a column that it takes in several forms, the first.
        self.columns.iter().rev().map(|(at, column)| (*column, of(*at))).collect()
    }
}
