//! A program as a person reads it: the places in the arena by name, then the steps of an entry with
//! their operands by name and their expressions as formulas.

use std::fmt::Write;

use super::layout::size_text;
use super::names::Names;
use super::text::shown;
use super::{
    Batch, BufferId, EntryPoint, Figure, Fit, HostInput, HostNumber, Layout, Over, Plateau,
    Program, Routine, Schedule, Subject, Watch, Watched,
};

/// The text of the program's tables and of one of its entries.
pub fn listing(program: &Program, entry: EntryPoint) -> String {
    let names = Names::new(program);
    let mut text = String::new();
    _ = writeln!(
        text,
        "program {}: batch {}, arena {} bytes",
        shown(&program.name),
        program.batch,
        program.arena_bytes
    );
    training(&mut text, program, &names);
    for term in &program.terms {
        figure(&mut text, "loss", term);
    }
    for metric in &program.metrics {
        let of = match metric.subject {
            Subject::Rows => "",
            Subject::Loss => " of the loss",
            Subject::Parameters => " of the parameters",
        };
        figure(&mut text, &format!("metric {}{of}", shown(&metric.name)), &metric.figure);
    }
    let width = names.width();
    _ = writeln!(text, "\n{:<width$} {:>10} {:>10}  layout", "buffer", "offset", "bytes");
    for (id, buffer) in program.buffers.iter().enumerate() {
        let bytes = buffer.bytes(program.batch).unwrap_or(0);
        let (name, dtype) = (names.of(BufferId(id as u32)), buffer.dtype.name());
        let (offset, layout) = (buffer.offset, layout(buffer.layout));
        _ = writeln!(text, "{name:<width$} {offset:>10} {bytes:>10}  {dtype} {layout}");
    }
    let Routine { steps, bytes, lower_bound } = &program.routines[entry];
    let (name, count) = (entry.name(), steps.len());
    _ = writeln!(text, "\n{name}: {count} steps, {bytes} bytes, lower bound {lower_bound}");
    for (index, step) in steps.iter().enumerate() {
        let origin = &step.origin;
        let place = format!("{}:{}:{}", shown(&origin.name), origin.line, origin.column);
        let (kernel, flops) = (step.kernel.name(), step.flops);
        _ = writeln!(text, "{index:>4}  {kernel:<13}  {place}  {flops} FLOP");
        for line in step.kernel.lines(&names) {
            _ = writeln!(text, "        {line}");
        }
    }
    text
}

fn figure(text: &mut String, what: &str, Figure { finish, .. }: &Figure) {
    let percent = if finish.percent { " in percent" } else { "" };
    _ = write!(text, "{what}: {}{percent}", finish.figure);
    let mut add = |separator: &str, numbers: &[HostNumber], of: &str| {
        for (index, number) in (0..).zip(numbers) {
            _ = write!(text, "{separator} {} of {number}{of}", HostInput::Sum(index));
        }
    };
    let mut separator = ",";
    if let Over::Classes { each, class } = &finish.over {
        match class {
            Some(class) => add(",", each, &format!(" of class {class}")),
            None => add(",", each, " of all classes"),
        }
        separator = ";";
    }
    add(separator, &finish.sums, "");
    match finish.over {
        Over::Ranks => text.push_str(", of the ranks of all rows"),
        Over::Table { target } => _ = write!(text, ", as a table of target {target}"),
        Over::Numbers | Over::Classes { .. } => {}
    }
    _ = writeln!(text);
}

fn training(text: &mut String, program: &Program, names: &Names) {
    let Some(training) = &program.training else { return };
    let batch = match training.batch {
        Batch::Full => "full".to_string(),
        Batch::Rows(rows) => rows.to_string(),
    };
    _ = writeln!(
        text,
        "training: batch {batch}, {} epochs, seed {}, {} held out, shuffled {}",
        training.epochs, training.seed, training.valid, training.shuffle
    );
    if let Some(steps) = training.validate {
        _ = writeln!(text, "validates after every {steps} steps");
    }
    if let Some(Watch { figure, keeps_best, patience, min_delta }) = training.watch {
        let figure = watched(program, figure);
        let kept = if keeps_best { "best" } else { "last" };
        _ = write!(text, "watches {figure} by {min_delta}, keeps the {kept} weights");
        _ = match patience {
            Some(patience) => writeln!(text, ", patience {patience}"),
            None => writeln!(text),
        };
    }
    for Fit { params, values, statistic, level } in &training.fits {
        let params = params.iter().map(|param| shown(&program.params[param.index()].name));
        let params = params.collect::<Vec<_>>().join(", ");
        _ = writeln!(text, "{params}: {statistic:?} of {}, level {level}", names.of(*values));
    }
    for (group, Schedule { base, rate, momentum, plateau }) in (0..).zip(&training.schedules) {
        _ = writeln!(text, "{}: {rate}, with base = {base}", HostInput::Rate(group));
        if let Some(momentum) = momentum {
            _ = writeln!(text, "{}: {momentum}", HostInput::Momentum(group));
        }
        if let Some(Plateau { figure, factor, patience, .. }) = *plateau {
            let figure = watched(program, figure);
            _ = writeln!(
                text,
                "base: times {factor} after more than {patience} epochs by {figure}"
            );
        }
    }
}

/// A figure that a run looks at, in words.
fn watched(program: &Program, figure: Watched) -> String {
    match figure {
        Watched::Loss => "the loss".to_string(),
        Watched::Metric(index) => shown(&program.metrics[usize::from(index)].name),
    }
}

fn layout(layout: Layout) -> String {
    match layout {
        Layout::Rows { rows, cols, stride } => {
            format!("rows {} by {stride}", size_text((rows, cols)))
        }
        Layout::Columns { rows, cols, stride } => {
            format!("columns {} by {stride}", size_text((rows, cols)))
        }
        Layout::Panels { rows, cols } => format!("panels [{rows}, {cols}]"),
        Layout::Quads { rows, cols } => format!("quads [{rows}, {cols}]"),
    }
}
