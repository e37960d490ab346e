//! What a net is made of, and what running it takes: the layers, and the memory of a step.

use arenet::internals::compiler::Compiled;
use arenet::internals::compiler::show::layers::{Layer, layers};
use arenet::internals::runtime::exec::EntryPoint;
use arenet::internals::runtime::program::Program;

use crate::source::parameters;
use crate::table::{Column, fitted, wrapped};
use crate::units;

/// What is told of the memory of, where there are steps of it.
const RUNS: [(EntryPoint, &str); 3] = [
    (EntryPoint::Train, "training"),
    (EntryPoint::Update, "update"),
    (EntryPoint::Predict, "prediction"),
];

/// The layers of a net and the memory of its runs, in lines of at most `width` characters.
pub fn overview(compiled: &Compiled, source: &str, width: usize) -> String {
    let program = compiled.program.program();
    let layers = layers(&compiled.model, source);
    let (count, rows) = (units::plural(parameters(program), "parameter"), program.batch);
    let mut text = format!("{}: {count}, batch {}\n\n", program.name, units::count(rows));
    text.push_str(&table(&layers, program, width));
    text.push('\n');
    text.push_str(&memory(compiled, width));
    text.push('\n');
    let mut note =
        "Parameters are padded to whole vectors. The lower bound of an arena is what is \
                    alive at its peak."
            .to_string();
    if program.copy_bytes() > 0 {
        let copy = units::bytes(program.copy_bytes());
        note.push_str(&format!(" Training keeps a copy of its state, {copy}, beside the arena."));
    }
    text + &wrapped(&note, 0, width)
}

/// A line for each layer, and the sums.
fn table(layers: &[Layer], program: &Program, width: usize) -> String {
    let columns = [
        Column::words(8, 0),
        Column::words(8, 0),
        Column::words(8, 0),
        Column::numbers(0),
        Column::numbers(2),
        Column::numbers(1),
    ];
    let elements = |param: usize| program.params[param].shape.iter().product::<u64>();
    let bytes = |param: usize| {
        let buffer = &program.buffers[program.params[param].buffer.0 as usize];
        buffer.bytes(program.batch).unwrap_or(0)
    };
    let sum = |layer: &Layer, of: &dyn Fn(usize) -> u64| -> u64 {
        layer.params.iter().map(|&param| of(param)).sum()
    };
    let or_nothing = |n: u64, text: fn(u64) -> String| if n > 0 { text(n) } else { String::new() };
    let row = |layer: &Layer| {
        let (count, bytes) = (sum(layer, &elements), sum(layer, &bytes));
        vec![
            layer.name.clone(),
            layer.operation.clone(),
            layer.ty.shape.to_string(),
            or_nothing(count, units::count),
            or_nothing(bytes, units::bytes),
            or_nothing(layer.flops, units::count),
        ]
    };
    let head = ["statement", "operation", "shape", "parameters", "memory", "FLOP per row"];
    let total = |of: &dyn Fn(usize) -> u64| layers.iter().map(|layer| sum(layer, of)).sum::<u64>();
    let flops = layers.iter().fold(0u64, |sum, layer| sum.saturating_add(layer.flops));
    let [count, bytes, flops] =
        [units::count(total(&elements)), units::bytes(total(&bytes)), units::count(flops)];
    let mut rows = vec![head.map(String::from).to_vec()];
    rows.extend(layers.iter().map(row));
    rows.push(vec!["total".to_string(), String::new(), String::new(), count, bytes, flops]);
    fitted(&rows, &columns, width)
}

/// What a step of each kind takes, and at which of its steps most is alive.
fn memory(compiled: &Compiled, width: usize) -> String {
    let program = compiled.program.program();
    let columns = [
        Column::words(8, 0),
        Column::numbers(3),
        Column::numbers(2),
        Column::numbers(0),
        Column::numbers(1),
        Column::words(8, 0),
    ];
    let head = ["a step of", "rows", "FLOP", "arena", "lower bound", "peak at"];
    let mut rows = vec![head.map(String::from).to_vec()];
    for (entry, name) in RUNS {
        let routine = &program.routines[entry];
        if routine.steps.is_empty() {
            continue;
        }
        let alive = compiled.plans[entry].alive(routine.steps.len());
        let most = alive.iter().copied().max().unwrap_or(0);
        let peak = alive.iter().position(|&bytes| bytes == most).unwrap_or(0);
        let step = &routine.steps[peak];
        let flops = routine.steps.iter().fold(0u64, |sum, step| sum.saturating_add(step.flops));
        rows.push(vec![
            name.to_string(),
            units::count(program.batch),
            units::count(flops),
            units::bytes(routine.bytes),
            units::bytes(routine.lower_bound),
            format!("step {peak} ({})", step.origin.name),
        ]);
    }
    fitted(&rows, &columns, width)
}
