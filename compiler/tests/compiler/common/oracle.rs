//! Training in 64-bit arithmetic: the whole step of a model, evaluated node by node.

use arenet_compiler::diagnostic::render;
use arenet_compiler::eval::evaluate;
use arenet_compiler::graph::op::{Leaf, Op, Source};
use arenet_compiler::graph::{Graph, Tensor, verify::verify};
use arenet_compiler::lower::lower;
use arenet_compiler::model::Model;
use arenet_compiler::pass::simplify::{simplify, simplify_model};
use arenet_compiler::pass::update::train_step;
use arenet_compiler::syntax::parse;
use arenet_program::{HostInput, StateId};
use std::collections::HashMap;

/// The model of a text without mistakes.
#[track_caller]
pub fn lowered(source: &str) -> Model {
    let lowered = lower(parse(source), &[]);
    let (model, _) =
        lowered.unwrap_or_else(|told| panic!("{}", render(&told, "m.net", source, false)));
    verify(&model.graph).unwrap();
    model
}

/// A model in training.
pub struct Oracle {
    pub model: Model,
    graph: Graph,
    pub params: Vec<Tensor>,
    states: HashMap<StateId, Tensor>,
    rate: f64,
    step: i32,
}

impl Oracle {
    /// Starts training with a constant learning rate; with or without simplification.
    pub fn new(model: Model, params: Vec<Tensor>, simplified: bool) -> Oracle {
        let rate = model.training.as_ref().expect("it is trained").schedules[0].base;
        let model = if simplified { simplify_model(model) } else { model };
        verify(&model.graph).unwrap();
        let step = train_step(&model);
        verify(&step).unwrap();
        let graph = if simplified { simplify(&step) } else { step };
        verify(&graph).unwrap();
        Oracle { model, graph, params, states: HashMap::new(), rate, step: 0 }
    }

    /// Makes a step, and gives the loss before it.
    pub fn step(&mut self, inputs: &[Tensor], targets: &[Tensor], rows: usize) -> f64 {
        self.step += 1;
        let leaf = |leaf: &Leaf| self.value(leaf, inputs, targets, rows);
        let values = evaluate(&self.graph, leaf, rows);
        for root in &self.graph.roots[1..] {
            let old = self.graph.node(*root).inputs[0];
            let value = values[root.index()].clone();
            match self.graph.node(old).op {
                Op::Leaf(Leaf { source: Source::Param(i), .. }) => self.params[i.index()] = value,
                Op::Leaf(Leaf { source: Source::State(state), .. }) => {
                    self.states.insert(state, value);
                }
                op => panic!("{op} is assigned"),
            }
        }
        values[self.graph.roots[0].index()].data[0]
    }

    fn value(&self, leaf: &Leaf, inputs: &[Tensor], targets: &[Tensor], rows: usize) -> Tensor {
        match leaf.source {
            Source::Input(i) => inputs[i as usize].clone(),
            Source::Target(i) => targets[i as usize].clone(),
            Source::Param(i) => self.params[i.index()].clone(),
            Source::State(state) => {
                let zero = || Tensor::from_fn(leaf.shape, rows, |_| 0.0);
                self.states.get(&state).cloned().unwrap_or_else(zero)
            }
            Source::Const(value) => Tensor::scalar(value),
            Source::PerRow(factor) => Tensor::scalar(factor / rows as f64),
            Source::Host(id) => {
                let value = self.graph.hosts[id.index()].value(|input| match input {
                    HostInput::Step => f64::from(self.step - 1),
                    HostInput::Rate(_) => self.rate,
                    input => panic!("an update reads {input:?}"),
                });
                Tensor::scalar(value)
            }
        }
    }
}
