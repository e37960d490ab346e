//! Nets as text, grown from small codes. Each code is read against the values there are so far, so
//! that any list means something, and a failing one shrinks to a short text.

use super::calls::{Dice, initializer, number, optimizer, options};
use super::loss;
use arenet_compiler::entry::{Entry, find};
use arenet_compiler::layer::{Function, Make, functions};
use arenet_compiler::pass::hold::HOLDS;
use arenet_compiler::signature::{Kind, Param, Signature};
use std::fmt::{self, Write};

/// What one code asks for; `a` and `b` pick operands among the values, `kind` what becomes of them.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    pub action: Action,
    pub a: usize,
    pub b: usize,
    pub kind: u64,
}

#[derive(Clone, Copy, Debug)]
pub enum Action {
    Dense,
    Function,
    Infix,
    Input,
    Classes,
    Param,
    Cut,
    Join,
    Reshape,
    Hot,
    Block,
    Shared,
    Freeze,
    Loss,
    Group,
    Setting,
}

/// An input or a target, and what it is filled with.
pub struct Port {
    pub name: String,
    pub dims: Vec<usize>,
    pub fill: Fill,
}

/// What the values of a port are.
#[derive(Clone)]
pub enum Fill {
    Reals(f64, f64),
    /// So many classes from the first on, and maybe one that is none.
    Classes {
        first: i64,
        count: usize,
        ignored: Option<i64>,
        named: bool,
    },
    Signs,
    Counts,
    /// Rows of probabilities, or their logarithms.
    Shares {
        log: bool,
    },
}

/// A value of the net: rows of these sizes, and about how large its elements are.
#[derive(Clone)]
pub struct Value {
    pub text: String,
    pub dims: Vec<usize>,
    pub bound: f64,
    /// Whether a parameter leads to it.
    pub trained: bool,
}

/// A text, with the data that it asks for.
#[derive(Default)]
pub struct Grown {
    blocks: String,
    net: String,
    train: String,
    pub inputs: Vec<Port>,
    pub targets: Vec<Port>,
    values: Vec<Value>,
    /// The inputs of classes, with the sizes behind N.
    classes: Vec<(String, Vec<usize>, usize)>,
    /// The statements that are a dense layer.
    layers: Vec<String>,
    losses: Vec<String>,
    /// Whether the losses are sums over rows, which all of them have to be where batches are added.
    pub sums: Option<bool>,
    settings: Settings,
    /// Whether something goes over the rows of a batch, of which it needs several.
    over_rows: bool,
    pub rows: usize,
    names: usize,
}

#[derive(Default)]
struct Settings {
    full: bool,
    accumulate: bool,
    clipped: bool,
}

const WIDTHS: [usize; 7] = [3, 1, 2, 5, 8, 16, 19];
/// The most elements of a row.
const MOST: usize = 64;

impl Grown {
    /// Reads the codes. Whatever they are, there is an input, a layer and a loss.
    pub fn new(codes: &[Code], shape: u64) -> Grown {
        let mut grown = Grown::default();
        let mut dice = Dice::new(shape);
        grown.sums = Some(dice.one_in(5));
        grown.input(&mut dice);
        grown.layer(0, &mut dice);
        codes.iter().for_each(|&code| grown.add(code));
        if grown.losses.is_empty() {
            let last = grown.values.len() - 1;
            grown.loss(last, &mut dice);
        }
        grown.settle(&mut dice);
        grown
    }

    fn add(&mut self, Code { action, a, b, kind }: Code) {
        let dice = &mut Dice::new(kind);
        match action {
            Action::Dense => self.layer(a, dice),
            Action::Function => self.function(a, dice),
            Action::Infix => self.infix(a, b, dice),
            Action::Input => self.input(dice),
            Action::Classes => self.class_input(dice),
            Action::Param => self.param(a, dice),
            Action::Cut => self.cut(a, dice),
            Action::Join => self.join(a, b, dice),
            Action::Reshape => self.reshape(a, dice),
            Action::Hot => self.hot(a, dice),
            Action::Block => self.block(a, dice),
            Action::Shared => self.shared(a, b, dice),
            Action::Freeze => self.freeze(a),
            Action::Loss => self.loss(a, dice),
            Action::Group => self.group(a, dice),
            Action::Setting => self.setting(dice),
        }
    }

    pub fn name(&mut self, letter: &str) -> String {
        self.names += 1;
        format!("{letter}{}", self.names)
    }

    pub fn pick(&self, index: usize) -> Value {
        self.values[index % self.values.len()].clone()
    }

    /// Adds a statement. What may be large is brought back to where f32 and f64 stay close.
    pub fn say(&mut self, text: &str, dims: &[usize], bound: f64, trained: bool) -> String {
        let name = self.name("h");
        let (text, bound) = match bound > 8.0 {
            true => (format!("({text}) * {:.1e}", 2.0 / bound), 2.0),
            false => (text.to_string(), bound),
        };
        _ = writeln!(self.net, "    {name} = {text}");
        let value = Value { text: name.clone(), dims: dims.to_vec(), bound, trained };
        self.values.push(value);
        name
    }

    pub fn declare(&mut self, text: &str) {
        _ = writeln!(self.net, "    {text}");
    }

    fn input(&mut self, dice: &mut Dice) {
        let name = self.name("x");
        let mut dims = vec![dice.pick(&WIDTHS)];
        if dice.one_in(4) {
            dims.insert(0, dice.pick(&[2, 3, 1]));
        }
        let port = Port { name: name.clone(), dims: dims.clone(), fill: Fill::Reals(-1.5, 1.5) };
        self.declare(&format!("input {}", port.declared()));
        self.inputs.push(port);
        self.values.push(Value { text: name, dims, bound: 1.5, trained: false });
    }

    fn class_input(&mut self, dice: &mut Dice) {
        let name = self.name("c");
        let (dims, count) = (dice.pick(&[&[][..], &[2], &[3]]).to_vec(), 2 + dice.below(4));
        let (first, named) = (dice.pick(&[0, 1, 4]), dice.one_in(3));
        let first = if named { 0 } else { first };
        let fill = Fill::Classes { first, count, ignored: None, named };
        let port = Port { name: name.clone(), dims: dims.clone(), fill };
        self.declare(&format!("input {}", port.declared()));
        self.inputs.push(port);
        self.classes.push((name.clone(), dims.clone(), count));
        let width = dice.pick(&WIDTHS);
        let init =
            if dice.one_in(2) { format!(", init: {}", initializer(dice)) } else { "".into() };
        let text = format!("{name} |> embedding({width}{init})");
        self.say(&text, &[&dims[..], &[width]].concat(), 3.0, true);
    }

    fn layer(&mut self, a: usize, dice: &mut Dice) {
        let (x, n) = (self.pick(a), dice.pick(&WIDTHS));
        let signature = &entry("dense").signature;
        let args = [vec![n.to_string()], options(signature, dice, &["x", "n"])].concat();
        let then = if dice.one_in(6) { " |> dropout(0.3)" } else { "" };
        let text = format!("{} |> dense({}){then}", x.text, args.join(", "));
        let dims = with_last(&x.dims, n);
        if dims.iter().product::<usize>() <= MOST {
            let name = self.say(&text, &dims, 6.0, true);
            self.layers.push(name);
        }
    }

    /// Any function of one value.
    fn function(&mut self, a: usize, dice: &mut Dice) {
        let entry = dice.pick(&of_one_value());
        let (name, mut x) = (entry.name(), self.pick(a));
        let mut bound = x.bound;
        match name {
            // Away from where they have no value, or none that both precisions hold.
            "log1p" => x.text = format!("abs({})", x.text),
            "log" | "sqrt" => x.text = format!("abs({}) + {}", x.text, dice.pick(&[0.2, 1.0])),
            "exp" if bound > 2.0 => {
                (x.text, bound) = (format!("{} * {}", x.text, number(2.0 / bound)), 2.0);
            }
            // Of what is there before anything is learned.
            "standardize" | "min_max" | "fill" => x = self.raw(a, dice),
            // It goes over the rows of a batch.
            "batch_norm" => {
                self.over_rows = true;
                if x.dims.len() > 1 {
                    x.text = format!("flatten({})", x.text);
                }
            }
            _ => {}
        }
        let given: &[&str] = if matches!(name, "sum" | "mean") { &["x", "axis"] } else { &["x"] };
        let mut args = vec![x.text];
        args.extend((given.len() > 1).then(|| "axis: last".to_string()));
        args.extend(options(&entry.signature, dice, given));
        let width = x.dims.last().copied().unwrap_or(1);
        let all = vec![x.dims.iter().product()];
        let (dims, bound) = match name {
            "sum" => (with_last(&x.dims, 1), bound * width as f64),
            "mean" | "max" => (with_last(&x.dims, 1), bound),
            "argmax" => (with_last(&x.dims, 1), width as f64),
            "flatten" => (all, bound),
            "batch_norm" => (all, 4.0),
            "layer_norm" | "rms_norm" | "standardize" => (x.dims, 4.0),
            "exp" => (x.dims, bound.exp()),
            "dropout" => (x.dims, bound * 2.5),
            "log_softmax" => (x.dims, 2.0 * bound + 3.0),
            _ => (x.dims, bound * 1.5 + 1.0),
        };
        let trained = x.trained || matches!(name, "batch_norm" | "layer_norm" | "rms_norm");
        self.say(&format!("{name}({})", args.join(", ")), &dims, bound, trained);
    }

    /// An input of reals, or a statistic's value of one.
    fn raw(&self, a: usize, dice: &mut Dice) -> Value {
        let reals = self.inputs.iter().filter(|port| matches!(port.fill, Fill::Reals(..)));
        let reals: Vec<&Port> = reals.collect();
        let Port { name, dims, .. } = reals[a % reals.len()];
        let text = match dice.below(3) {
            0 => name.clone(),
            1 => format!("min_max({name})"),
            _ => format!("tanh({name} |> standardize)"),
        };
        Value { text, dims: dims.clone(), bound: 1.5, trained: false }
    }

    /// A function of two values, or of one and a number where their shapes do not fit.
    fn infix(&mut self, a: usize, b: usize, dice: &mut Dice) {
        let (x, y) = (self.pick(a), self.pick(b));
        let fits = x.dims == y.dims || with_last(&x.dims, 1) == y.dims;
        let (text, bound) = match fits {
            true => (y.text.clone(), y.bound),
            false => (number(dice.real(-1.0, 1.5)), 1.5),
        };
        let (text, bound) = match dice.below(5) {
            0 => (format!("{} + {text}", x.text), x.bound + bound),
            1 => (format!("{} - {text}", x.text), x.bound + bound),
            2 => (format!("{} * {text}", x.text), x.bound * bound),
            3 if fits => (format!("{} / (abs({text}) + 0.5)", x.text), 2.0 * x.bound),
            _ => (format!("-{} - {text}", x.text), x.bound + bound),
        };
        self.say(&text, &x.dims.clone(), bound, x.trained || fits && y.trained);
    }

    /// A parameter of one's own, and what it does to a value.
    fn param(&mut self, a: usize, dice: &mut Dice) {
        let (x, name) = (self.pick(a), self.name("p"));
        let width = x.dims[x.dims.len() - 1];
        let n = dice.pick(&WIDTHS);
        let (sizes, text, dims) = match dice.below(5) {
            0 => (width.to_string(), format!("{} * {name}", x.text), x.dims.clone()),
            1 => (width.to_string(), format!("{} + {name}", x.text), x.dims.clone()),
            2 => (String::new(), format!("{name} * {} + 0.5", x.text), x.dims.clone()),
            3 => ("1".into(), format!("{} - {name}", x.text), x.dims.clone()),
            _ => (format!("{width}, {n}"), format!("{} @ {name}", x.text), with_last(&x.dims, n)),
        };
        if dims.iter().product::<usize>() <= MOST {
            // Those of zeros have no gradient before them.
            let init = dice.pick(&["uniform(-0.8, 0.9)", "normal(0.1, 0.4)", "ones()"]);
            self.declare(&format!("param {name}: [{sizes}] = {init}"));
            self.say(&text, &dims, 2.0 * x.bound + 1.0, true);
        }
    }

    fn cut(&mut self, a: usize, dice: &mut Dice) {
        let x = self.pick(a);
        let width = x.dims[x.dims.len() - 1];
        let from = dice.below(width);
        let to = from + 1 + dice.below(width - from);
        let from_text = if from > 0 { format!(", from: {from}") } else { String::new() };
        let to_text = if to < width { format!(", to: {to}") } else { String::new() };
        let text = format!("slice({}{from_text}{to_text})", x.text);
        self.say(&text, &with_last(&x.dims, to - from), x.bound, x.trained);
    }

    fn join(&mut self, a: usize, b: usize, dice: &mut Dice) {
        let (x, y) = (self.pick(a), self.pick(b));
        let last = x.dims.len() - 1;
        let mut parts = vec![x.text.clone()];
        let mut width = x.dims[last];
        if y.dims.len() == x.dims.len() && y.dims[..last] == x.dims[..last] {
            parts.push(y.text.clone());
            width += y.dims[last];
        }
        while parts.len() < 2 || dice.one_in(3) {
            parts.push(format!("{} * {}", x.text, number(dice.real(-1.0, 1.0))));
            width += x.dims[last];
        }
        let dims = with_last(&x.dims, width);
        if dims.iter().product::<usize>() <= MOST {
            let trained = x.trained || y.trained && parts[1] == y.text;
            let text = format!("concat({})", parts.join(", "));
            self.say(&text, &dims, x.bound.max(y.bound), trained);
        }
    }

    fn reshape(&mut self, a: usize, dice: &mut Dice) {
        let x = self.pick(a);
        let all: usize = x.dims.iter().product();
        let width = 1 + dice.below(all);
        let dims = if all.is_multiple_of(width) { vec![all / width, width] } else { vec![all] };
        let sizes: Vec<String> = dims.iter().map(usize::to_string).collect();
        let text = format!("reshape({}, [{}])", x.text, sizes.join(", "));
        self.say(&text, &dims, x.bound, x.trained);
    }

    /// Ones at the places of classes, or of the largest elements.
    fn hot(&mut self, a: usize, dice: &mut Dice) {
        if !self.classes.is_empty() && dice.one_in(2) {
            let (name, dims, count) = self.classes[a % self.classes.len()].clone();
            self.say(&format!("one_hot({name})"), &[&dims[..], &[count]].concat(), 1.0, false);
            return;
        }
        let x = self.pick(a);
        let width = x.dims[x.dims.len() - 1];
        // Places are columns, or of a flat row all of its elements.
        let (text, n) = (format!("argmax({})", x.text), width + dice.below(2));
        self.say(&format!("one_hot({text}, {n})"), &with_last(&x.dims, n), 1.0, x.trained);
    }

    /// A block, called once or twice: each call has parameters of its own.
    fn block(&mut self, a: usize, dice: &mut Dice) {
        let (x, name) = (self.pick(a), self.name("b"));
        let width = x.dims[x.dims.len() - 1];
        let (inner, function) = (dice.pick(&[2, 4, 7]), dice.pick(&["tanh", "gelu", "softplus"]));
        let size = self.name("SIZE");
        _ = writeln!(self.blocks, "const {size} = {inner}");
        _ = writeln!(
            self.blocks,
            "block {name}(x) {{ h = x |> dense({size}) |> {function} \
             return x + dense(h, {width}) }}"
        );
        let calls = dice.pick(&["", " |> "]);
        let again = if calls.is_empty() { "" } else { &name };
        self.say(&format!("{} |> {name}{calls}{again}", x.text), &x.dims, x.bound + 3.0, true);
    }

    /// One layer of two values.
    fn shared(&mut self, a: usize, b: usize, dice: &mut Dice) {
        let (x, mut y, name) = (self.pick(a), self.pick(b), self.name("f"));
        let n = dice.pick(&WIDTHS);
        let last = x.dims.len() - 1;
        if y.dims.last() != x.dims.last() {
            y = Value { text: format!("{} * 0.5", x.text), ..x.clone() };
        }
        let then = dice.pick(&["", " |> tanh", " |> layer_norm", " |> silu"]);
        self.declare(&format!("layer {name}(x) = x |> dense({n}){then}"));
        let of = |x: &Value| format!("{name}({})", x.text);
        if x.dims[..last] == y.dims[..y.dims.len() - 1] {
            let text = format!("{} - {}", of(&x), of(&y));
            self.say(&text, &with_last(&x.dims, n), 6.0, true);
        } else {
            self.say(&of(&x), &with_last(&x.dims, n), 4.0, true);
            self.say(&of(&y), &with_last(&y.dims, n), 4.0, true);
        }
    }

    /// A layer stays as it is; the first is always trained.
    fn freeze(&mut self, a: usize) {
        if self.layers.len() > 1 {
            let name = self.layers.remove(1 + a % (self.layers.len() - 1));
            self.declare(&format!("freeze {name}"));
        }
    }

    fn loss(&mut self, a: usize, dice: &mut Dice) {
        if self.losses.len() == 3 {
            return;
        }
        let mut x = self.pick(a);
        if !x.trained || dice.one_in(2) {
            self.layer(a, dice);
            x = self.values[self.values.len() - 1].clone();
        }
        if !x.trained {
            x.text = format!("{} |> dense({})", x.text, x.dims[x.dims.len() - 1]);
        }
        let factor = if self.losses.is_empty() { "" } else { dice.pick(&["", "0.5 * ", "2 * "]) };
        let term = loss::term(self, x, dice);
        self.losses.push(format!("{factor}{term}"));
        if self.sums == Some(false) && !self.layers.is_empty() && dice.one_in(4) {
            let name = self.layers[dice.below(self.layers.len())].clone();
            self.losses.push(format!("0.05 * sum({name}.w * {name}.w)"));
        }
    }

    pub fn train(&mut self, line: &str) {
        _ = writeln!(self.train, "    {line}");
    }

    /// An optimizer for one layer alone.
    fn group(&mut self, a: usize, dice: &mut Dice) {
        if self.layers.len() > 1 {
            let name = self.layers.remove(1 + a % (self.layers.len() - 1));
            let line = format!("optimizer({name}) = {}", optimizer(dice));
            self.train(&line);
        }
    }

    fn setting(&mut self, dice: &mut Dice) {
        let settings = &mut self.settings;
        match dice.below(4) {
            0 if !settings.clipped => {
                settings.clipped = true;
                let most = number(dice.real(0.05, 1.0));
                self.train(&format!("clip_norm = {most}"));
            }
            1 if !settings.clipped => {
                settings.clipped = true;
                let most = number(dice.real(0.01, 0.3));
                self.train(&format!("clip_value = {most}"));
            }
            2 => settings.full = !settings.accumulate,
            _ => settings.accumulate = !settings.full,
        }
    }

    /// What every net says.
    fn settle(&mut self, dice: &mut Dice) {
        let batch = usize::from(self.over_rows) + 1 + dice.below(8);
        let accumulate = if self.settings.accumulate { 2 + dice.below(2) } else { 1 };
        // A tail of any length, which may be a batch or none.
        self.rows = batch * accumulate * (1 + dice.below(2)) + dice.below(batch * accumulate + 1);
        let losses = self.losses.join(" + ");
        self.train(&format!("loss = {losses}"));
        let line = format!("optimizer = {}", optimizer(dice));
        self.train(&line);
        self.holds(dice);
        match self.settings.full {
            true => self.train("batch = full"),
            false => self.train(&format!("batch = {batch}")),
        }
        if accumulate > 1 {
            self.train(&format!("accumulate = {accumulate}"));
        }
        let (seed, shuffle) = (dice.below(5), dice.pick(&["", "  shuffle = false"]));
        // A rate falls by what it sees of several epochs.
        let epochs = if self.train.contains("reduce_on_plateau") { 4 } else { 2 };
        self.train(&format!("epochs = {epochs}  seed = {seed}{shuffle}"));
    }

    /// What layers are held by.
    fn holds(&mut self, dice: &mut Dice) {
        for entry in HOLDS {
            if !self.layers.is_empty() && dice.one_in(4) {
                let (layer, of) = (dice.pick(&[0, 1, 2]), dice.pick(&["", ".w"]));
                let layer = &self.layers[layer % self.layers.len()];
                let factor = match entry.name() {
                    "max_norm" => dice.real(0.2, 1.2),
                    _ => dice.real(0.001, 0.1),
                };
                let line = format!("{}({layer}{of}) = {}", entry.name(), number(factor));
                self.train(&line);
            }
        }
    }

    pub fn is_full(&self) -> bool {
        self.settings.full
    }

    pub fn source(&self) -> String {
        let mut targets = String::new();
        for target in &self.targets {
            _ = writeln!(targets, "    target {}", target.declared());
        }
        let Grown { blocks, net, train, .. } = self;
        format!("{blocks}net random {{\n{net}}}\ntrain {{\n{targets}{train}}}\n")
    }
}

impl fmt::Debug for Grown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows of\n{}", self.rows, self.source())
    }
}

impl Port {
    /// `name: type domain`
    pub fn declared(&self) -> String {
        let Port { name, dims, fill } = self;
        let dims: String = dims.iter().map(|dim| format!(", {dim}")).collect();
        match fill {
            Fill::Classes { count, named: true, .. } => {
                let names: Vec<String> = (0..*count).map(|i| format!("\"n{i}\"")).collect();
                format!("{name}: i32[N{dims}] in [{}]", names.join(", "))
            }
            Fill::Classes { first, count, .. } => {
                format!("{name}: i32[N{dims}] in {first}..{}", first + *count as i64)
            }
            _ => format!("{name}: [N{dims}]"),
        }
    }

    pub fn width(&self) -> usize {
        self.dims.iter().product()
    }
}

pub fn entry(name: &str) -> &'static Entry<Function> {
    find(functions(), name).unwrap_or_else(|| panic!("no function {name}"))
}

/// The functions of one value that need nothing else.
pub fn of_one_value() -> Vec<&'static Entry<Function>> {
    let suits = |signature: &Signature| {
        let tensors =
            signature.params.iter().filter(|p| matches!(p.kind, Kind::Tensor | Kind::Tensors));
        let drawn = |p: &Param| p.default.is_some() || matches!(p.kind, Kind::Real(_));
        tensors.count() == 1 && signature.params[1..].iter().all(drawn)
    };
    let is_value = |entry: &&Entry<Function>| {
        matches!(entry.built, Some(Function { make: Make::Value(_), .. }))
    };
    // Those of one value that the generator gives what they ask for.
    let by_hand = ["slice", "one_hot"];
    functions()
        .filter(is_value)
        .filter(|entry| suits(&entry.signature) && !by_hand.contains(&entry.name()))
        .collect()
}

pub fn with_last(dims: &[usize], last: usize) -> Vec<usize> {
    let mut dims = dims.to_vec();
    *dims.last_mut().expect("a value has rows") = last;
    dims
}
