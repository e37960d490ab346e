//! Prints what training makes of a gradient, as a reader of the optimizer's paper would write it.
//!
//! All formulas are those of the graph that is compiled, simplified in the same way, with short
//! names: θ a parameter, g its gradient, η the learning rate, t the number of the step from 1.

use super::host::{Host, Line, number, sum};
use crate::graph::op::{Axis, BinaryFn, Leaf, Op, Reduce, Source, UnaryFn};
use crate::graph::{Formula, Graph, HostId, NodeId, Shape, Term};
use crate::model::Model;
use crate::pass::simplify::simplify;
use crate::pass::update::step_of;
use arenet_program::StateId;
use std::collections::HashMap;
use std::fmt::Write;

/// How tightly a formula binds: a sum, a quotient, a product, or what stands for itself.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Binding {
    Sum,
    Quotient,
    Product,
    Name,
}

/// The columns of a line.
const COLUMNS: usize = 80;

/// The parameters that are trained, those that get the same together; where there are several
/// optimizers, in their order.
pub fn optimizers(model: &Model) -> String {
    let mut parts: Vec<(String, Vec<&str>)> = Vec::new();
    for group in 0..model.optimizers.len() {
        let own = |i: &usize| model.params[*i].optimizer == Some(group);
        for param in (0..model.params.len()).filter(own) {
            let text = of_param(model, param, group);
            let name = model.params[param].name.as_str();
            match parts.iter_mut().find(|(known, _)| *known == text) {
                Some((_, names)) => names.push(name),
                None => parts.push((text, vec![name])),
            }
        }
    }
    let part = |(text, names): &(String, Vec<&str>)| {
        let mut head = String::new();
        wrapped(&mut head, "", "", &format!("{}:", names.join(", ")));
        head + text
    };
    parts.iter().map(part).collect::<Vec<_>>().join("\n")
}

/// What becomes of one parameter in a step.
fn of_param(model: &Model, param: usize, group: usize) -> String {
    let mut text = String::new();
    let optimizer = &model.optimizers[group];
    _ = writeln!(text, "  {}", optimizer.args.signature.name);
    let schedule = optimizer.args.schedule("lr");
    let (mut host, mut lines) = (Host::new(schedule.base), Vec::new());
    for (letter, number) in [("η", Some(&schedule.rate)), ("β", schedule.momentum.as_ref())] {
        let Some(number) = number else { continue };
        let right = host.text(number, &mut lines);
        lines.push((format!("{letter} = "), right));
    }
    put(&mut text, lines, "");
    let shape = model.params[param].shape;
    let climbs = optimizer.args.flag("maximize");
    let holds = || model.holds.iter().filter(|hold| hold.params.contains(&param));
    for hold in holds() {
        let lines = lines_of(shape, &["g"], &mut host, |leaves| {
            let slope = hold.slope(leaves.param);
            slope.map(|slope| vec![leaves.grad + if climbs { -slope } else { slope }])
        });
        put(&mut text, lines, &format!("{} = {}", hold.name, number(hold.factor)));
    }
    if model.clip.norm.is_some() || model.clip.value.is_some() {
        let lines = lines_of(shape, &["g"], &mut host, |leaves| {
            let mut grads = [leaves.grad.id];
            model.clip.apply(leaves.grad.formula(), &mut grads);
            Some(vec![leaves.grad.formula().term(grads[0])])
        });
        let is_norm = model.clip.norm.is_some();
        put(&mut text, lines, if is_norm { "limit; Σ over all gradients" } else { "limit" });
    }
    let slots = optimizer.slots();
    let names: Vec<&str> = slots.into_iter().chain(["θ"]).collect();
    let free = Model { holds: Vec::new(), ..model.clone() };
    let update = lines_of(shape, &names, &mut host, |leaves| {
        let pairs = step_of(&free, param, leaves.param, leaves.grad);
        let mut news: Vec<Term> = pairs.into_iter().map(|(_, new)| new).collect();
        news.rotate_left(1);
        Some(news)
    });
    put(&mut text, update, "");
    for hold in holds().filter(|hold| hold.is_limit()) {
        let lines =
            lines_of(shape, &["θ"], &mut host, |leaves| Some(vec![hold.limited(leaves.param)]));
        let over = if shape.rank() < 2 { "all of θ" } else { "each column" };
        put(&mut text, lines, &format!("{} = {}; Σ over {over}", hold.name, number(hold.factor)));
    }
    text
}

/// Adds some formulas, the first with a remark.
fn put(text: &mut String, lines: Vec<Line>, remark: &str) {
    for (i, (left, right)) in lines.iter().enumerate() {
        let remark =
            if i == 0 && !remark.is_empty() { format!("    ({remark})") } else { String::new() };
        wrapped(text, "    ", left, &format!("{right}{remark}"));
    }
}

/// Adds a line, broken between words where it is too long.
fn wrapped(text: &mut String, indent: &str, left: &str, right: &str) {
    let mut line = format!("{indent}{left}");
    let mut is_empty = true;
    for word in right.split(' ') {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > COLUMNS {
            _ = writeln!(text, "{}", line.trim_end());
            line = format!("{indent}    ");
            is_empty = true;
        }
        line += if is_empty { "" } else { " " };
        line += word;
        is_empty = false;
    }
    _ = writeln!(text, "{}", line.trim_end());
}

/// What a formula starts from.
struct Leaves<'f> {
    param: Term<'f>,
    grad: Term<'f>,
}

/// The formulas of some new values, each with what is left of its arrow: the states before the
/// parameter, or after it where it is made of the old ones.
fn lines_of(
    shape: Shape,
    names: &[&str],
    host: &mut Host,
    news: impl for<'f> FnOnce(Leaves<'f>) -> Option<Vec<Term<'f>>>,
) -> Vec<Line> {
    let mut graph = Graph::default();
    let f = Formula::new(&mut graph);
    let leaf = |source| f.op(Leaf::f32(source, shape), &[]);
    let leaves = Leaves { param: leaf(PARAM), grad: leaf(GRAD) };
    let Some(roots) = news(leaves).map(|news| news.iter().map(|new| new.id).collect()) else {
        return Vec::new();
    };
    graph.roots = roots;
    let graph = simplify(&graph);
    let mut order: Vec<usize> = (0..names.len()).collect();
    let mut other = order.clone();
    other.rotate_right(1);
    let is_old = |lines: &[Line]| lines.iter().any(|(_, right)| right.contains(OLD));
    let trial = Writer::new(&graph, names, &mut Host::new(0.0)).write(&order);
    if is_old(&trial) && !is_old(&Writer::new(&graph, names, &mut Host::new(0.0)).write(&other)) {
        order = other;
    }
    Writer::new(&graph, names, host).write(&order)
}

/// What is added to the name of a value that has been replaced.
const OLD: &str = "_old";

const PARAM: Source = Source::Param(arenet_program::ParamId(0));
const GRAD: Source = Source::Target(0);

/// The names of values that are used several times.
const NAMES: [&str; 6] = ["d", "c", "h", "q", "r", "w"];

struct Writer<'g, 'h> {
    graph: &'g Graph,
    /// The names of the new values.
    names: &'g [&'g str],
    /// Those of them that are written.
    done: Vec<&'g str>,
    uses: Vec<usize>,
    named: HashMap<NodeId, String>,
    host: &'h mut Host,
    /// The letters of the host's numbers.
    hosts: HashMap<HostId, String>,
    lines: Vec<Line>,
}

impl<'g, 'h> Writer<'g, 'h> {
    fn new(graph: &'g Graph, names: &'g [&'g str], host: &'h mut Host) -> Writer<'g, 'h> {
        let mut uses = vec![0; graph.nodes.len()];
        for id in graph.ids() {
            let node = graph.node(id);
            // A square reads its operand once.
            let inputs = &node.inputs[..];
            let is_square = inputs.len() == 2 && inputs[0] == inputs[1];
            let inputs = if is_square { &inputs[..1] } else { inputs };
            inputs.iter().for_each(|input| uses[input.index()] += 1);
        }
        let (done, named, hosts, lines) = Default::default();
        Writer { graph, names, done, uses, named, host, hosts, lines }
    }

    /// The new values in that order.
    fn write(mut self, order: &[usize]) -> Vec<Line> {
        for &index in order {
            let (root, name) = (self.graph.roots[index], self.names[index]);
            self.prepare(root);
            let right = self.formula(root);
            self.lines.push((format!("{name} ← "), right));
            self.named.insert(root, name.to_string());
            self.done.push(name);
        }
        self.lines
    }

    /// Writes what a value needs in lines of their own: values that are used several times, and
    /// numbers of the host that are more than a name.
    fn prepare(&mut self, id: NodeId) {
        if self.named.contains_key(&id) {
            return;
        }
        let graph = self.graph;
        let node = graph.node(id);
        for &input in &node.inputs[..] {
            self.prepare(input);
            let (op, uses) = (self.graph.node(input).op, self.uses[input.index()]);
            let is_new = !self.named.contains_key(&input) && !self.graph.roots.contains(&input);
            if uses > 1 && is_new && op.leaf().is_none() && !matches!(op, Op::Broadcast(_)) {
                let right = self.formula(input);
                let name = self.name_of(input);
                let arrow = if name == "g" { "←" } else { "=" };
                self.lines.push((format!("{name} {arrow} "), right));
                self.named.insert(input, name);
            }
        }
        if let Some(Source::Host(id)) = node.op.source()
            && !self.hosts.contains_key(&id)
        {
            let text = self.host.text(&self.graph.hosts[id.index()], &mut self.lines);
            let is_letter = text.chars().count() == 1;
            let name = if is_letter { text } else { self.host.letter(text, &mut self.lines) };
            self.hosts.insert(id, name);
        }
    }

    /// The gradient may be changed first, for all that follows.
    fn name_of(&self, id: NodeId) -> String {
        let is_grad =
            |input: &NodeId| matches!(self.graph.node(*input).op.source(), Some(Source::Target(_)));
        let grad = self.graph.node(id).inputs.iter().find(|input| is_grad(input));
        let is_change = grad.is_some_and(|grad| self.uses[grad.index()] == 1);
        let taken = self.named.values().filter(|name| NAMES.contains(&name.as_str())).count();
        if is_change { "g".into() } else { NAMES.get(taken).unwrap_or(&"z").to_string() }
    }

    fn formula(&self, id: NodeId) -> String {
        self.written(id).0
    }

    /// A value as an operand, in parentheses where it binds less tightly.
    fn operand(&self, id: NodeId, least: Binding) -> String {
        let (text, own) = match self.named.get(&id) {
            Some(name) => (name.clone(), Binding::Name),
            None => self.written(id),
        };
        if own < least { format!("({text})") } else { text }
    }

    fn written(&self, id: NodeId) -> (String, Binding) {
        use Binding::{Name, Product, Quotient, Sum};
        let node = self.graph.node(id);
        let of = |i: usize, least| self.operand(node.inputs[i], least);
        match node.op {
            Op::Leaf(leaf) => (self.leaf(leaf.source), Name),
            Op::Broadcast(_) => match self.named.get(&node.inputs[0]) {
                Some(name) => (name.clone(), Name),
                None => self.written(node.inputs[0]),
            },
            Op::Reduce(Reduce { axis }) => {
                let sign = if axis == Axis::Last { "Σₗ" } else { "Σ" };
                (format!("{sign} {}", of(0, Product)), Product)
            }
            Op::Unary(function) => match function.0 {
                UnaryFn::Neg => (format!("-{}", of(0, Quotient)), Sum),
                UnaryFn::Abs => (format!("|{}|", of(0, Sum)), Name),
                UnaryFn::Sqrt => (format!("√{}", of(0, Name)), Name),
                other => (format!("{}({})", other.opcode().name(), of(0, Sum)), Name),
            },
            Op::Binary(function) => match function.0 {
                BinaryFn::Add => (sum(&of(0, Sum), &of(1, Sum)), Sum),
                BinaryFn::Sub => (format!("{} - {}", of(0, Sum), of(1, Quotient)), Sum),
                BinaryFn::Mul if node.inputs[0] == node.inputs[1] => {
                    (format!("{}²", of(0, Name)), Name)
                }
                BinaryFn::Mul => {
                    // Numbers come first.
                    let [a, b] = [0, 1].map(|i| (self.is_number(node.inputs[i]), i));
                    let [a, b] = if b.0 && !a.0 { [b.1, a.1] } else { [a.1, b.1] };
                    (format!("{} {}", of(a, Product), of(b, Product)), Product)
                }
                BinaryFn::Div => (format!("{} / {}", of(0, Quotient), of(1, Name)), Quotient),
                BinaryFn::Max => (format!("max({}, {})", of(0, Sum), of(1, Sum)), Name),
                BinaryFn::Min => (format!("min({}, {})", of(0, Sum), of(1, Sum)), Name),
                BinaryFn::Gate => (format!("{} [{} > 0]", of(0, Name), of(1, Sum)), Product),
            },
            op => (op.text(), Name),
        }
    }

    /// Whether a value is a number of the compiler or of the host.
    fn is_number(&self, id: NodeId) -> bool {
        let node = self.graph.node(id);
        match node.op {
            Op::Broadcast(_) => self.is_number(node.inputs[0]),
            Op::Leaf(leaf) => matches!(leaf.source, Source::Const(_) | Source::Host(_)),
            _ => false,
        }
    }

    fn leaf(&self, source: Source) -> String {
        let kept = |name: &str| match self.done.contains(&name) {
            true => format!("{name}{OLD}"),
            false => name.to_string(),
        };
        match source {
            Source::Param(_) => kept("θ"),
            Source::State(StateId { slot, .. }) => kept(self.names[slot as usize]),
            Source::Host(id) => self.hosts[&id].clone(),
            Source::Const(value) => number(value),
            Source::Target(_) | Source::Input(_) | Source::PerRow(_) => "g".into(),
        }
    }
}
