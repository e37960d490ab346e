//! Parameters that the host fits before the first step: statistics of the rows that are trained on.

use super::Builder;
use crate::code::Code;
use crate::graph::op::{Leaf, Source};
use crate::graph::{Graph, NodeId};
use crate::init::Init;
use crate::model::Fit;
use crate::signature::Problem;
use arenet_program::{ParamId, Statistic};

/// The fits of a net under construction.
#[derive(Debug, Default)]
pub struct Fits {
    /// Those of values.
    pub fits: Vec<Fit>,
    /// Those of targets, which are declared after the net.
    pub targets: Vec<TargetFit>,
    /// What each node so far is before the first step.
    before: Vec<Before>,
}

/// The mean and the deviation of a target; one for all that ask for them.
#[derive(Clone, Debug)]
pub struct TargetFit {
    /// The name of the target.
    pub target: String,
    /// The parameters.
    pub params: Vec<ParamId>,
}

/// What a value is before the first step.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Before {
    /// What it stays, once so many fits are done that wait for each other.
    Settled(u32),
    /// Another than later: it depends on a parameter that is trained.
    Learned,
    /// Another in each step of training.
    Random,
    /// Another for each batch that a row is in.
    OfBatch,
}

impl Before {
    fn and(self, other: Before) -> Before {
        match (self, other) {
            (Before::Settled(a), Before::Settled(b)) => Before::Settled(a.max(b)),
            (Before::Settled(_), other) => other,
            (own, _) => own,
        }
    }
}

impl Fits {
    /// How many parameters are of targets.
    pub fn of_targets(&self) -> usize {
        self.targets.iter().map(|fit| fit.params.len()).sum()
    }

    /// Whether a parameter is a statistic.
    pub fn has(&self, param: usize) -> bool {
        let values = self.fits.iter().map(|fit| &fit.params);
        let targets = self.targets.iter().map(|fit| &fit.params);
        values.chain(targets).flatten().any(|own| own.index() == param)
    }

    /// What a value is before the first step.
    fn before(&mut self, graph: &Graph, of: NodeId) -> Before {
        for id in graph.ids_from(self.before.len()) {
            let node = graph.node(id);
            let own = match node.op.source() {
                Some(Source::Param(param)) => {
                    let fit = self.fits.iter().find(|fit| fit.params.contains(&param));
                    fit.map_or(Before::Learned, |fit| Before::Settled(fit.level + 1))
                }
                Some(Source::PerRow(_) | Source::Host(_)) => Before::OfBatch,
                _ if node.op.is_mode() || node.op.is_random() => Before::Random,
                _ => Before::Settled(0),
            };
            let of_batch = |id: &NodeId| graph.shape(*id).batch() && !node.shape.batch();
            let own = if node.inputs.iter().any(of_batch) { Before::OfBatch } else { own };
            let inputs = node.inputs.iter().map(|input| self.before[input.index()]);
            self.before.push(inputs.fold(own, |a, b| b.and(a)));
        }
        self.before[of.index()]
    }
}

impl Builder {
    /// The parameters of a call, by their names and first values, that are a statistic of the
    /// columns of a value.
    pub fn fit<const PARAMS: usize>(
        &mut self,
        function: &str,
        of: NodeId,
        statistic: Statistic,
        params: [(&str, f64); PARAMS],
    ) -> Result<[NodeId; PARAMS], Problem> {
        let shape = self.graph.shape(of);
        let wrong = |what: &str| {
            let message = format!(
                "`{function}` has the statistics that the rows have before the first step, and \
                 {what}"
            );
            Problem::new(Code::NotFitted, message).at("x")
        };
        if !shape.batch() {
            let help = "it is for inputs, and for what is made of them";
            return Err(wrong(&format!("{shape} has no rows")).help(help));
        }
        if self.is_replayed() {
            let message =
                format!("`{function}` would have the statistics of the first call of its `layer`");
            let help = "call it outside, or make the layer a `block`, whose calls have their own";
            return Err(Problem::new(Code::NotFitted, message).help(help));
        }
        let level = match self.fits.before(&self.graph, of) {
            Before::Settled(level) => level,
            Before::Learned => {
                let help = format!(
                    "put it before the layers that learn, such as `x |> {function} |> dense(16)`; \
                     behind them, `batch_norm` and `layer_norm` do the like"
                );
                return Err(wrong("this changes as the net learns").help(help));
            }
            Before::Random => {
                let help = "put it before `dropout`";
                return Err(wrong("this differs in each step of training").help(help));
            }
            Before::OfBatch => {
                let help = "give it values that follow from their own row alone";
                return Err(wrong("this depends on the rows of a batch").help(help));
            }
        };
        let width = [shape.fixed_elements()];
        let dims = if shape.rank() == 1 { &[][..] } else { &width };
        let first = self.params.len();
        let mut nodes = [of; PARAMS];
        for (node, (name, value)) in nodes.iter_mut().zip(params) {
            *node = self.param(name, dims, Init::Constant(value))?;
        }
        let params = (first..self.params.len()).map(ParamId::at).collect();
        self.fits.fits.push(Fit { params, of, statistic, level });
        Ok(nodes)
    }

    /// The mean and the deviation of a target with so many elements a row, or of numbers alone.
    pub fn fit_target(&mut self, target: &str, dims: &[usize]) -> Result<[NodeId; 2], Problem> {
        let known = self.fits.targets.iter().find(|fit| fit.target == target);
        if let Some(fit) = known {
            return Ok([0, 1].map(|i| self.params[fit.params[i].index()].node));
        }
        let shape = crate::graph::Shape::new(false, dims)?;
        let first = self.params.len();
        let nodes = [("mean", 0.0), ("deviation", 1.0)].map(|(name, value)| {
            self.declare(format!("{target}.{name}"), shape, Init::Constant(value), self.span)
        });
        let params = [first, first + 1].map(ParamId::at).into();
        self.fits.targets.push(TargetFit { target: target.to_string(), params });
        Ok(nodes)
    }

    /// The name of the target that a node is, if it is one.
    pub fn target_name(&self, id: NodeId) -> Option<String> {
        let Leaf { source: Source::Target(_), .. } = self.graph.node(id).op.leaf()? else {
            return None;
        };
        // The leaf of a port comes from its declaration.
        self.graph.origin(id).map(|origin| origin.name.clone())
    }
}
