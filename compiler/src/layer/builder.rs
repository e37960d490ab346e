//! The graph under construction, with its parameters and their names.
//!
//! A parameter is named by its statement: `h.w`, or `h.0.w` where a statement has several calls
//! with parameters. How many there are is known only at the end of the statement, so names grow
//! from the right when a frame — a statement, or the body of a block — is left.

use super::fit::Fits;
use crate::Precision;
use crate::code::Code;
use crate::diagnostic::Span;
use crate::graph::op::{Distribution, Leaf, Mode, Random, Source};
use crate::graph::{Formula, Graph, NodeId, Shape, Term};
use crate::init::Init;
use crate::model::{Param, Statistic};
use crate::signature::Problem;
use arenet_program::{Balance, Domain, ParamId, StreamId};
use std::collections::{HashMap, HashSet};

/// A graph under construction.
#[derive(Debug, Default)]
pub struct Builder {
    /// The nodes so far.
    pub graph: Graph,
    /// The parameters so far; the names of those in open frames are not complete.
    pub params: Vec<Param>,
    /// Results of dense layers whose `init` was left out, and where one would be written.
    pub default_init: HashMap<NodeId, u32>,
    /// For each port of integers that says which they are, these.
    pub domains: HashMap<NodeId, Domain>,
    /// The values that may be missing: classes behind the last one, or NaN.
    pub holes: HashSet<NodeId>,
    /// The parameters that are statistics, and their values after a step of training.
    pub statistics: Vec<Statistic>,
    /// The parameters that are factors of classes.
    pub balances: Vec<Balance>,
    /// The parameters that are statistics of all rows.
    pub fits: Fits,
    /// The losses that are means by factors of rows, each with its sum and its divisor.
    pub quotients: HashMap<NodeId, [NodeId; 2]>,
    /// Where the call stands that is being expanded.
    pub span: Span,
    /// The nodes that are such parameters outside training.
    statistic_values: Vec<(usize, NodeId)>,
    /// The masks so far.
    masks: u32,
    frames: Vec<Frame>,
    sharing: Sharing,
}

/// A statement or a body being lowered.
#[derive(Debug, Default)]
struct Frame {
    /// The calls with parameters so far.
    groups: usize,
    /// Parameters, and the call they belong to.
    created: Vec<(usize, usize)>,
}

/// Where parameters come from while a `layer` is called.
#[derive(Debug, Default)]
pub enum Sharing {
    /// They are created.
    #[default]
    Off,
    /// They are created, and this is the list of them: the first call of a `layer`.
    Record(Vec<usize>),
    /// They are those of the first call; the number counts how many have been taken.
    Replay(Vec<usize>, usize),
}

/// What was under construction around a call of a `layer`.
#[derive(Debug)]
pub struct Outside {
    sharing: Sharing,
    frames: Vec<Frame>,
}

impl Builder {
    /// The parameter of a name such as `w` of the call being expanded.
    pub fn param(&mut self, name: &str, dims: &[usize], init: Init) -> Result<NodeId, Problem> {
        let shape = Shape::new(false, dims)?;
        if let Sharing::Replay(params, next) = &mut self.sharing {
            let param = &self.params[params[*next]];
            *next += 1;
            if param.shape == shape {
                return Ok(param.node);
            }
            let message = format!(
                "the first call of this layer made `{}` with shape {}, this one needs {shape}",
                param.name, param.shape
            );
            let help = "inputs of a shared layer have the same last size";
            return Err(Problem::new(Code::ShapeMismatch, message).help(help));
        }
        let index = self.params.len();
        let node = self.declare(name.to_string(), shape, init, self.span);
        if let Some(frame) = self.frames.last_mut() {
            frame.created.push((index, frame.groups));
        }
        if let Sharing::Record(params) = &mut self.sharing {
            params.push(index);
        }
        Ok(node)
    }

    /// How many indices a port of integers may have, if it says so: one for each class, and one
    /// for what is missing.
    pub fn indices(&self, port: NodeId) -> Option<u64> {
        let classes = self.domains.get(&port)?.classes()?;
        classes.checked_add(u64::from(self.holes.contains(&port)))
    }

    /// A parameter that no gradient changes: its value in training is `batch`, one of the batch,
    /// and outside of it the parameter's, to which each step of training brings `new`, made of the
    /// value before. Where the parameter is frozen, it is the value in training too.
    pub fn statistic(
        &mut self,
        (name, init): (&str, f64),
        batch: NodeId,
        new: impl for<'f> FnOnce(Term<'f>, Term<'f>) -> Term<'f>,
    ) -> Result<NodeId, Problem> {
        let dims = self.graph.shape(batch).dims();
        let leaf = self.param(name, &dims, Init::Constant(init))?;
        let Some(Source::Param(id)) = self.graph.node(leaf).op.source() else {
            unreachable!("it is a parameter");
        };
        // Where a `layer` is called again, its first call has changed the statistic.
        let earlier = self.statistics.iter().position(|statistic| statistic.param == id.index());
        let old = earlier.map_or(leaf, |earlier| self.statistics[earlier].new);
        let f = Formula::new(&mut self.graph);
        let value = f.op(Mode, &[f.term(batch), f.term(leaf)]).id;
        let new = new(f.term(old), f.term(batch)).id;
        match earlier {
            Some(earlier) => self.statistics[earlier].new = new,
            None => self.statistics.push(Statistic { param: id.index(), new }),
        }
        self.statistic_values.push((id.index(), value));
        Ok(value)
    }

    /// The parameter with the factors of a target's classes, which the host counts; one for all
    /// that ask for it, and `None` where another one has another class ignored. Its name is
    /// complete when it is known what the target is called.
    pub fn balance(
        &mut self,
        target: u32,
        ignored: Option<u32>,
        classes: usize,
    ) -> Result<Option<NodeId>, Problem> {
        if let Some(earlier) = self.balances.iter().find(|earlier| earlier.target == target) {
            let node = self.params[earlier.param.index()].node;
            return Ok((earlier.ignored == ignored).then_some(node));
        }
        let shape = Shape::new(false, &[classes])?;
        self.balances.push(Balance { param: ParamId::at(self.params.len()), target, ignored });
        let name = "class_weight".to_string();
        Ok(Some(self.declare(name, shape, Init::Constant(1.0), self.span)))
    }

    /// Whether no gradient changes a parameter: it is a statistic, or factors of classes.
    pub fn is_statistic(&self, param: usize) -> bool {
        self.fits.has(param)
            || self.statistics.iter().any(|statistic| statistic.param == param)
            || self.balances.iter().any(|balance| balance.param.index() == param)
    }

    /// Lets frozen statistics be what they are in training too.
    pub fn freeze_statistics(&mut self, is_frozen: impl Fn(usize) -> bool) {
        self.statistics.retain(|statistic| !is_frozen(statistic.param));
        let values = self.statistic_values.iter().filter(|(param, _)| is_frozen(*param));
        for &(_, value) in values {
            let inputs = &mut self.graph.nodes[value.index()].inputs;
            inputs[0] = inputs[1];
        }
    }

    /// Random zeros that `share` of a shape's elements get, and `kept` for the others: for each
    /// call and each step of training others.
    pub fn mask(&mut self, shape: Shape, share: f64, kept: f64) -> NodeId {
        // Parameters, whose initial values have the streams from 0 on, are far fewer.
        const FIRST: u32 = 1 << 31;
        let stream = StreamId(FIRST + self.masks);
        self.masks += 1;
        self.graph.add(Random { shape, distribution: Distribution::Mask(share, kept), stream }, &[])
    }

    /// A new parameter of that full name.
    pub fn declare(&mut self, name: String, shape: Shape, init: Init, span: Span) -> NodeId {
        let source = Source::Param(ParamId::at(self.params.len()));
        let node = self.graph.add(Leaf::f32(source, shape), &[]);
        let (optimizer, precision) = (None, Precision::F32);
        self.params.push(Param { name, shape, init, node, optimizer, span, precision });
        node
    }

    /// Whether a `layer` is called again, with the parameters of its first call.
    pub fn is_replayed(&self) -> bool {
        matches!(self.sharing, Sharing::Replay(..))
    }

    /// Ends a call, whose parameters make a group of their own.
    pub fn end_call(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            let used = frame.created.last().is_some_and(|(_, group)| *group == frame.groups);
            frame.groups += usize::from(used);
        }
    }

    /// Opens a frame.
    pub fn enter(&mut self) {
        self.frames.push(Frame::default());
    }

    /// Closes the frame and puts a name before those of its parameters; the result of a block
    /// has no name of its own.
    pub fn leave(&mut self, name: Option<&str>) {
        let frame = self.frames.pop().expect("the frame was opened");
        for &(param, group) in &frame.created {
            let rest = &self.params[param].name;
            let rest = if frame.groups > 1 { format!("{group}.{rest}") } else { rest.clone() };
            self.params[param].name = match name {
                Some(name) => format!("{name}.{rest}"),
                None => rest,
            };
            if let Some(outer) = self.frames.last_mut() {
                outer.created.push((param, outer.groups));
            }
        }
    }

    /// Begins a call of a `layer`, whose parameters belong to no open frame but carry its name.
    pub fn begin_shared(&mut self, sharing: Sharing) -> Outside {
        let sharing = std::mem::replace(&mut self.sharing, sharing);
        let frames = std::mem::take(&mut self.frames);
        self.enter();
        Outside { sharing, frames }
    }

    /// Ends the call of a `layer`, and gives what has been recorded.
    pub fn end_shared(&mut self, name: &str, outside: Outside) -> Sharing {
        self.leave(Some(name));
        self.frames = outside.frames;
        std::mem::replace(&mut self.sharing, outside.sharing)
    }
}
