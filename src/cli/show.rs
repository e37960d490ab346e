//! `arenet show`: what the compiler makes of a model.

pub mod drawing;
mod overview;

use std::path::PathBuf;

use arenet::internals::compiler::Purpose;
use arenet::internals::compiler::graph::Graph;
use arenet::internals::compiler::pass::update::train_step;
use arenet::internals::compiler::{Compiled, Precision, show, syntax};
use arenet::internals::runtime::exec::EntryPoint;
use arenet::internals::runtime::files::write_atomically;
use arenet::internals::runtime::program::listing::listing;
use arenet::internals::runtime::program::{Program, Step};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use super::args::{DataArgs, parse_precision};
use super::outputs::Inputs;
use super::source::{Built, Source};
use super::table::{self, Column};
use super::{Context, console, failure::Failure, rates, tensors, units};

/// What to show.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Without an option: the layers, and the memory that running them takes.\n\
                  Example: arenet show models/digits.net --plan")]
pub struct ShowArgs {
    /// The model, .net or .netc; or a file of weights, whose values are summed up
    model: PathBuf,
    /// The memory plan: every value with its place and its lifetime; or as a
    /// map, which is SVG
    #[arg(
        long,
        value_name = "FORM",
        value_parser = plan_form,
        num_args = 0..=1,
        default_missing_value = "text"
    )]
    plan: Option<PlanForm>,
    /// The steps in order: kernel, origin, operations, bytes, formulas
    #[arg(long)]
    schedule: bool,
    /// The backward pass: a formula for each gradient of a value or parameter
    #[arg(long)]
    gradients: bool,
    /// What the optimizers do in a step, as formulas with its numbers
    #[arg(long)]
    optimizer: bool,
    /// The learning rate over the run on the data, as a curve, and the
    /// momentum where a schedule moves it
    #[arg(
        long,
        value_name = "WHAT",
        conflicts_with_all = [
            "plan", "schedule", "gradients", "optimizer", "ir", "graph", "entry", "batch",
            "weights"
        ]
    )]
    schedule_of: Option<Scheduled>,
    #[command(flatten)]
    data: DataArgs,
    /// The text of a stage of the compiler
    #[arg(long, value_name = "STAGE")]
    ir: Option<Stage>,
    /// The net as a graph: its statements as SVG, with --entry train and
    /// their gradients beside them; or its operators for Graphviz
    #[arg(long, value_name = "FORM")]
    graph: Option<GraphForm>,
    /// Which part of the program, by itself its plan and its schedule;
    /// training, if the model says how to train
    #[arg(long, value_name = "ENTRY", value_parser = entry_parser())]
    entry: Option<EntryPoint>,
    /// Rows to plan for; by default as the model says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    batch: Option<u64>,
    /// What weights are kept as: f32, bf16 or int8; training needs f32
    #[arg(long, value_name = "PRECISION", value_parser = parse_precision)]
    weights: Option<Precision>,
    /// Where to write it, by default to standard output
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What a schedule sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Scheduled {
    /// The learning rate
    Lr,
}

/// A stage of the compiler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Stage {
    /// The syntax tree
    Ast,
    /// The forward pass as operators
    Graph,
    /// With gradients and updates, as derived
    Gradient,
    /// Simplified
    Simplified,
    /// What is fused into one kernel
    Clusters,
    /// The kernels in their order
    Schedule,
    /// The program
    Program,
}

/// A form of the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum GraphForm {
    /// The language of Graphviz
    Dot,
    /// A drawing
    Svg,
}

/// A form of the memory plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PlanForm {
    /// A table
    Text,
    /// A drawing
    Svg,
}

/// Takes the name of a form, which may be what was meant for the model.
fn plan_form(text: &str) -> Result<PlanForm, &'static str> {
    match text {
        "text" => Ok(PlanForm::Text),
        "svg" => Ok(PlanForm::Svg),
        _ => Err("a form is `text` or `svg`; the model stands before --plan"),
    }
}

impl ShowArgs {
    /// How many drawings are asked for, and how many texts.
    fn asked(&self) -> (usize, usize) {
        let drawings = [self.plan == Some(PlanForm::Svg), self.graph == Some(GraphForm::Svg)];
        let texts = [
            self.plan == Some(PlanForm::Text),
            self.graph == Some(GraphForm::Dot),
            self.schedule,
            self.gradients,
            self.optimizer,
            self.ir.is_some(),
        ];
        let count = |asked: &[bool]| asked.iter().filter(|asked| **asked).count();
        (count(&drawings), count(&texts))
    }
}

/// Prints what was asked for, or writes it to a file.
pub fn run(cx: &Context, args: &ShowArgs) -> Result<(), Failure> {
    if let Some(out) = &args.out {
        Inputs::new(&args.model)
            .rows("the data", args.data.data.as_ref())
            .check_output(out, "--out")?;
    }
    let text = shown(cx, args)?;
    let Some(out) = &args.out else { return console::print(text) };
    Ok(write_atomically(out, |w| w.write_all(text.as_bytes()))?)
}

/// What was asked for; by default the layers and their memory, or what is left of them in a
/// compiled program.
fn shown(cx: &Context, args: &ShowArgs) -> Result<String, Failure> {
    let (drawings, texts) = args.asked();
    if drawings > 1 || (drawings == 1 && texts > 0) {
        let text = "a drawing is a document of its own, and here is more than it";
        return Err(Failure::usage(text).help("ask for one drawing alone"));
    }
    let is_drawing = |out: &PathBuf| out.extension().is_some_and(|ending| ending == "svg");
    if let Some(out) = args.out.as_ref().filter(|out| drawings == 0 && is_drawing(out)) {
        let text = format!("{}: what is asked for is text, and no drawing", out.display());
        return Err(Failure::usage(text).help("--graph svg and --plan svg draw"));
    }
    if tensors::is_weights(&args.model) {
        return tensors::describe(&args.model);
    }
    let source = Source::read(cx, &args.model)?.with_weights(args.weights)?;
    if args.batch.is_some() && source.text().is_none() {
        return Err(source.fixed("rows", "--batch"));
    }
    if args.schedule_of.is_some() {
        return rates::charts(cx, &source, &args.data);
    }
    if args.data.is_given() {
        let text = "--data and what says how to read it are about the rows of a run";
        return Err(Failure::usage(text).help("add --schedule-of lr, or leave them out"));
    }
    let built = source.build(cx, args.batch, Purpose::Train)?;
    let program = built.program();
    let entry = args.entry.unwrap_or_else(|| default_entry(program));
    let mut parts = Vec::new();
    if let Some(stage) = args.ir {
        parts.push(ir(&source, &built, stage, entry)?);
    }
    if let Some(form) = args.graph {
        let entry = args.entry.unwrap_or(EntryPoint::Predict);
        parts.push(match form {
            GraphForm::Dot => dot(&compiled_of(&source, &built)?.stages[entry].graph),
            GraphForm::Svg => drawing::net(&source, &built, entry)?,
        });
    }
    if args.gradients {
        let compiled = compiled_of(&source, &built)?;
        if built.program().training.is_none() {
            return Err(untrained(&source, "gradients"));
        }
        let lines = show::gradients::gradients(&compiled.model, built.program().batch);
        parts.push(table::broken(&(lines.join("\n") + "\n"), 4));
    }
    if args.optimizer {
        let text = show::optimizer::optimizers(&compiled_of(&source, &built)?.model);
        if text.is_empty() {
            return Err(untrained(&source, "optimizer"));
        }
        parts.push(text);
    }
    let nothing = drawings + texts == 0;
    if let Some(compiled) = built.compiled.as_ref().filter(|_| nothing && args.entry.is_none()) {
        let text = source.text().unwrap_or_default();
        return Ok(overview::overview(compiled, text, table::width()));
    }
    if args.plan == Some(PlanForm::Svg) {
        parts.push(drawing::plan(&source, &built, entry)?);
    } else if args.plan.is_some() || nothing {
        parts.push(plan(&source, &built, entry));
    }
    if args.schedule || nothing {
        parts.push(schedule(&built, entry));
    }
    Ok(parts.join("\n"))
}

/// The failure to show what training makes.
fn untrained(source: &Source, what: &str) -> Failure {
    Failure::without_train(&source.name(), &format!(", so no {what}"))
}

/// Takes the name of an entry point.
fn entry_parser() -> impl TypedValueParser<Value = EntryPoint> {
    let help = |entry| match entry {
        EntryPoint::Init => "Initial values",
        EntryPoint::Predict => "Inputs to outputs",
        EntryPoint::Eval => "Loss and metrics",
        EntryPoint::Train => "One optimizer step, or one batch of several",
        EntryPoint::Update => "The update by accumulated gradients",
        EntryPoint::Fit => "The values whose statistics are taken before training",
    };
    let choice = |entry: EntryPoint| PossibleValue::new(entry.name()).help(help(entry));
    PossibleValuesParser::new(EntryPoint::ALL.map(choice)).map(|name| {
        let named = EntryPoint::ALL.into_iter().find(|entry| entry.name() == name);
        named.expect("the name is one of these")
    })
}

fn default_entry(program: &Program) -> EntryPoint {
    if program.training.is_some() { EntryPoint::Train } else { EntryPoint::Predict }
}

fn compiled_of<'a>(source: &Source, built: &'a Built) -> Result<&'a Compiled, Failure> {
    built.compiled.as_ref().ok_or_else(|| {
        let text = format!(
            "{}: a compiled program has only its plan, its schedule and its program",
            source.name()
        );
        Failure::usage(text).help("give the .net file")
    })
}

/// The text of a stage, as the compiler prints it.
fn ir(source: &Source, built: &Built, stage: Stage, entry: EntryPoint) -> Result<String, Failure> {
    let compiled = || compiled_of(source, built);
    let of_entry = || compiled().map(|compiled| &compiled.stages[entry]);
    Ok(match stage {
        Stage::Ast => {
            compiled()?;
            format!("{:#?}\n", syntax::parse(source.text().unwrap_or_default()).0)
        }
        Stage::Graph => compiled()?.model.graph.to_string(),
        Stage::Gradient if built.program().training.is_none() => {
            compiled()?;
            return Err(untrained(source, "gradients"));
        }
        Stage::Gradient => train_step(&compiled()?.model).to_string(),
        Stage::Simplified => of_entry()?.graph.to_string(),
        Stage::Clusters => clusters(compiled()?, entry),
        Stage::Schedule => table::broken(&show::schedule(&compiled()?.model, of_entry()?), 10),
        Stage::Program => listing(built.program(), entry),
    })
}

/// What each kernel computes, by its nodes, in the order of the text.
fn clusters(compiled: &Compiled, entry: EntryPoint) -> String {
    let stage = &compiled.stages[entry];
    let describe =
        |(index, cluster): (usize, &arenet::internals::compiler::pass::fuse::Cluster)| {
            let members: Vec<String> =
                cluster.members().map(|id| format!("{id} {}", stage.graph.node(id).op)).collect();
            format!("{index:>4}  {}\n", members.join("; "))
        };
    stage.fusion.clusters.iter().enumerate().map(describe).collect()
}

/// The columns of the memory plan.
const PLAN: [fn() -> Column; 7] = [
    || Column::words(12, 0),
    || Column::numbers(3),
    || Column::words(10, 2),
    || Column::numbers(0),
    || Column::numbers(0),
    || Column::words(9, 0),
    || Column::words(8, 4),
];

/// The memory plan of an entry point, and the memory of the others beside it.
fn plan(source: &Source, built: &Built, entry: EntryPoint) -> String {
    let program = built.program();
    let mut text = format!("{}: plan of {}, batch {}\n", program.name, entry.name(), program.batch);
    let routines = EntryPoint::ALL.into_iter().zip(program.routines.iter());
    for (other, routine) in routines.filter(|(_, routine)| !routine.steps.is_empty()) {
        let bytes = units::count(routine.bytes);
        let mark = if other == entry { "  (shown below)" } else { "" };
        text.push_str(&format!("{:<8} {bytes:>14} bytes{mark}\n", other.name()));
    }
    if program.copy_bytes() > 0 {
        let bytes = units::count(program.copy_bytes());
        text.push_str(&format!(
            "{:<8} {bytes:>14} bytes  (of the state, kept by training)\n",
            "copy"
        ));
    }
    text.push('\n');
    match &built.compiled {
        Some(compiled) => {
            let own = &compiled.plans[entry];
            let source = source.text().unwrap_or_default();
            let routine = &program.routines[entry];
            text.push_str(&show::plan_figures(own, routine));
            text.push('\n');
            let rows: Vec<Vec<String>> =
                show::plan(own, routine, source).into_iter().map(Vec::from).collect();
            text.push_str(&table::fitted(&rows, &PLAN.map(|column| column()), table::width()));
        }
        None => text.push_str(&outline(program, entry)),
    }
    text
}

/// The plan of a compiled program: the figures, and the offsets of named values.
fn outline(program: &Program, entry: EntryPoint) -> String {
    let steps = &program.routines[entry];
    let ratio = steps.bytes as f64 / steps.lower_bound.max(1) as f64;
    let mut text = format!(
        "arena {} bytes, lower bound {} bytes, ratio {ratio:.2}, {} steps\n\n",
        steps.bytes,
        steps.lower_bound,
        steps.steps.len()
    );
    let params = program.params.iter().map(|param| (&param.name, param.buffer));
    let ports = program.inputs.iter().chain(&program.targets);
    let ports = ports.map(|port| (&port.name, port.buffer));
    let outputs = program.outputs.iter().map(|output| (&output.name, output.buffer));
    text.push_str(&format!("{:<20} {:>12} {:>12}\n", "value", "offset", "bytes"));
    for (name, id) in params.chain(ports).chain(outputs) {
        let buffer = &program.buffers[id.0 as usize];
        let bytes = buffer.bytes(program.batch).unwrap_or(0);
        text.push_str(&format!("{name:<20} {:>12} {bytes:>12}\n", buffer.offset));
    }
    text
}

/// The steps in order, with their formulas where the text is known.
fn schedule(built: &Built, entry: EntryPoint) -> String {
    let program = built.program();
    let steps = &program.routines[entry].steps;
    let flops: u64 = steps.iter().map(|step| step.flops).sum();
    let mut text = format!(
        "{}: schedule of {}, batch {}, {}, {} FLOP\n",
        program.name,
        entry.name(),
        program.batch,
        units::plural(steps.len() as u64, "step"),
        units::count(flops),
    );
    let formulas = built.compiled.as_ref().map(|compiled| formulas(compiled, entry));
    for (index, step) in steps.iter().enumerate() {
        text.push_str(&describe(program, index, step));
        let own = formulas.as_ref().and_then(|formulas| formulas.get(index));
        for formula in own.into_iter().flatten() {
            text.push_str(&table::broken(&format!("        {formula}\n"), 12));
        }
    }
    text
}

/// What each step computes, a formula for each of its results.
pub fn formulas(compiled: &Compiled, entry: EntryPoint) -> Vec<Vec<String>> {
    show::formulas(&compiled.model, &compiled.stages[entry])
}

fn describe(program: &Program, index: usize, step: &Step) -> String {
    let access = step.kernel.access();
    let bytes = access
        .reads()
        .chain(access.writes.iter().copied())
        .map(|id| program.buffers[id.0 as usize].bytes(program.batch).unwrap_or(0));
    let origin = &step.origin;
    format!(
        "{index:>4}  {:<13} {:<12} {:>3}:{:<3} {:>13} FLOP {:>14} bytes\n",
        step.kernel.name(),
        origin.name,
        origin.line,
        origin.column,
        units::count(step.flops),
        units::count(bytes.sum()),
    )
}

/// The graph in the language of Graphviz.
fn dot(graph: &Graph) -> String {
    let mut text = "digraph net {\n  rankdir=TB\n  node [fontname=monospace]\n".to_string();
    let mut roots = vec![false; graph.nodes.len()];
    graph.roots.iter().for_each(|root| roots[root.index()] = true);
    for id in graph.ids() {
        let node = graph.node(id);
        let shape = if node.op.leaf().is_some() { "box" } else { "ellipse" };
        let name = graph.origins.get(node.origin.0 as usize).map_or("", |origin| &origin.name);
        let label = format!("{}\\n{}\\n{name}", node.op, node.ty()).replace('"', "\\\"");
        let root = if roots[id.index()] { " peripheries=2" } else { "" };
        text.push_str(&format!("  n{} [shape={shape}{root} label=\"{label}\"]\n", id.0));
        for input in &node.inputs {
            text.push_str(&format!("  n{} -> n{}\n", input.0, id.0));
        }
    }
    text + "}\n"
}
