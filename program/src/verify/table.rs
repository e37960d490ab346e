//! What the host reads and writes: parameters, ports, outputs, scalars, and how it trains.

use std::collections::HashSet;
use std::fmt;
use std::hash::Hash;

use super::buffers::{Buffers, Classes, Extent};
use crate::error::require;
use crate::host::{HostInput, HostInstr, HostNumber, MAX_HOST_INSTRS};
use crate::layout::size_text;
use crate::{
    Balance, Batch, Buffer, BufferId, Column, DType, Domain, EntryPoint, Figure, Finish, Fit,
    Layout, MAX_EPOCHS, MISSING, Over, Plateau, Port, Program, ProgramError, Rows, Schedule,
    Scores, Subject, Training, Watch, Watched,
};

/// A buffer that outlives a run: only its own steps or the host write it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held<'p> {
    pub(super) buffer: BufferId,
    pub(super) extent: Extent,
    pub(super) what: What<'p>,
}

/// What such a buffer is.
#[derive(Clone, Copy, Debug)]
pub(super) enum What<'p> {
    Param(&'p str),
    /// By the names of its parameter and its own.
    State(&'p str, &'p str),
    Input(&'p str),
    Target(&'p str),
    Scalar(&'p HostNumber),
}

impl What<'_> {
    /// Whether steps may write it; the host alone writes the rest.
    pub(super) fn is_writable(self) -> bool {
        matches!(self, What::Param(_) | What::State(..))
    }

    /// Whether it has its value when an entry starts.
    pub(super) fn is_ready(self, entry: EntryPoint) -> bool {
        !matches!((entry, self), (EntryPoint::Init, _) | (EntryPoint::Predict, What::Target(_)))
    }
}

impl fmt::Display for What<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Param(name) => write!(f, "parameter `{name}`"),
            What::State(param, name) => write!(f, "state `{param}.{name}`"),
            What::Input(name) => write!(f, "input `{name}`"),
            What::Target(name) => write!(f, "target `{name}`"),
            What::Scalar(number) => write!(f, "scalar `{}`", number.name()),
        }
    }
}

/// Checks every table; returns what outlives a run, in the order of the arena.
pub(super) fn check<'p>(
    program: &'p Program,
    buffers: &Buffers,
) -> Result<Vec<Held<'p>>, ProgramError> {
    check_shown(program)?;
    check_names(program)?;
    check_training(program)?;
    let mut found = Vec::new();
    check_params(program, buffers, &mut found)?;
    let fits = program.training.as_ref().map_or(&[][..], |training| &training.fits);
    fits.iter().try_for_each(|fit| check_fit(program, buffers, fit, fits.len()))?;
    check_ports(program, buffers, &mut found)?;
    check_results(program, buffers)?;
    check_scalars(program, buffers, &mut found)?;
    let mut held: Vec<Held> = found
        .into_iter()
        .map(|(buffer, what)| Held { buffer, extent: buffers.extent(buffer), what })
        .collect();
    held.sort_by_key(|held| held.extent.start);
    for pair in held.windows(2) {
        let apart = !pair[0].extent.overlaps(pair[1].extent);
        require!(apart, "{} and {} overlap", pair[0].what, pair[1].what);
    }
    Ok(held)
}

/// The classes of every buffer of i32; each must be a port's, and bounded.
pub(super) fn classes(program: &Program, buffers: &Buffers) -> Result<Classes, ProgramError> {
    let mut classes = Classes::new();
    for port in program.inputs.iter().chain(&program.targets) {
        check_domain(port)?;
        if buffers.get(port.buffer)?.dtype != DType::I32 {
            continue;
        }
        let Some(count) = port.indices() else {
            let message = format!("`{}` is of i32, and needs classes as its domain", port.name);
            return Err(ProgramError::new(message));
        };
        let is_told = !port.has_holes() || !port.domain.contains(MISSING.into());
        require!(is_told, "the class {MISSING} of `{}` is what is missing, too", port.name);
        // The host is given the first class as i32, and stores the number of the last one as such.
        let first = i32::try_from(port.domain.first_class()).is_ok();
        let last = port.domain.first_class().checked_add_unsigned(count - 1);
        let last = last.is_some_and(|last| i32::try_from(last).is_ok());
        let counted = i32::try_from(count - 1).is_ok();
        require!(first && last && counted, "the domain of `{}` does not fit into i32", port.name);
        classes.insert(port.buffer, count);
    }
    for (i, buffer) in buffers.buffers.iter().enumerate() {
        let known = buffer.dtype != DType::I32 || classes.contains_key(&BufferId(i as u32));
        require!(known, "buffer {i} is of i32, but is neither an input's nor a target's");
    }
    Ok(classes)
}

/// Checks that a domain holds something.
fn check_domain(port: &Port) -> Result<(), ProgramError> {
    let some = match &port.domain {
        Domain::Any => true,
        Domain::Range(low, high) => low < high,
        Domain::Names(names) => !names.is_empty(),
        Domain::Interval(low, high) => low.is_finite() && high.is_finite() && low <= high,
        // Its integers fit 32 bits, and the one more is none of the classes.
        Domain::RangeOr(low, high, ignored) => {
            let fits = i32::try_from(*ignored).is_ok();
            low < high && fits && !(*low..*high).contains(ignored)
        }
    };
    require!(some, "the domain of `{}` is empty", port.name);
    Ok(())
}

fn check_names(program: &Program) -> Result<(), ProgramError> {
    // Both are keys of a checkpoint.
    let named = program.params.iter().flat_map(|param| {
        let states = param.states.iter().map(|state| param.state_name(state));
        [param.name.clone()].into_iter().chain(states)
    });
    unique("parameter", named)?;
    unique("input", program.inputs.iter().map(|port| &port.name))?;
    unique("target", program.targets.iter().map(|port| &port.name))?;
    unique("output", program.outputs.iter().map(|output| &output.name))
}

/// Checks that nothing that is shown to a person can tell a terminal what to do.
fn check_shown(program: &Program) -> Result<(), ProgramError> {
    let params = program.params.iter();
    let params = params.flat_map(|p| [&p.name].into_iter().chain(p.states.iter().map(|s| &s.name)));
    let outputs = program.outputs.iter().map(|output| &output.name);
    let metrics = program.metrics.iter().map(|metric| &metric.name);
    let ports = program.inputs.iter().chain(&program.targets);
    let ports = ports.flat_map(|port| {
        let classes = match &port.domain {
            Domain::Names(names) => &names[..],
            _ => &[],
        };
        let from = port.from.iter().filter_map(|column| match column {
            Column::Named(name) => Some(name),
            Column::At(_) => None,
        });
        let words = classes.iter().chain(port.missing.words()).chain(from);
        [&port.name].into_iter().chain(words).chain(&port.columns)
    });
    let steps = EntryPoint::ALL.into_iter().flat_map(|entry| &program.routines[entry].steps);
    let lines = program.lines.iter().map(|line| &line.origin);
    let statements = steps.map(|step| &step.origin).chain(lines).map(|origin| &origin.name);
    let names = [&program.name].into_iter().chain(params).chain(ports);
    for name in names.chain(outputs).chain(metrics).chain(statements) {
        let found = name.chars().find(|c| c.is_control());
        require!(
            found.is_none(),
            "a name holds the control character U+{:04X}",
            u32::from(found.unwrap_or_default())
        );
    }
    Ok(())
}

fn unique(
    what: &str,
    names: impl Iterator<Item = impl AsRef<str> + Eq + Hash>,
) -> Result<(), ProgramError> {
    let mut seen = HashSet::new();
    for name in names {
        let text = name.as_ref();
        require!(!text.is_empty(), "{what} {} has no name", seen.len());
        require!(!seen.contains(&name), "{what} `{text}` is there twice");
        seen.insert(name);
    }
    Ok(())
}

type Found<'p> = Vec<(BufferId, What<'p>)>;

fn check_params<'p>(
    program: &'p Program,
    buffers: &Buffers,
    found: &mut Found<'p>,
) -> Result<(), ProgramError> {
    for param in &program.params {
        let what = What::Param(&param.name);
        let Buffer { layout, dtype, .. } = *buffers.get(param.buffer)?;
        if dtype.is_narrow() {
            let (states, dtype) = (param.states.len(), dtype.name());
            require!(states == 0, "{what} is of {dtype}, and has states as if it were trained");
        } else {
            buffers.float(param.buffer, what)?;
        }
        let (cols, leading) = match param.shape.split_last() {
            Some((&cols, leading)) => (cols, leading),
            None => (1, &[][..]),
        };
        let rows = leading.iter().try_fold(1u64, |rows, &dim| rows.checked_mul(dim));
        require!(
            rows.is_some_and(|rows| layout.shape() == (Rows::fixed(rows), cols)),
            "{what} has shape {:?}, but its buffer is {}",
            param.shape,
            size_text(layout.shape())
        );
        found.push((param.buffer, what));
        for state in &param.states {
            let what = What::State(&param.name, &state.name);
            let same = buffers.float(state.buffer, what)? == layout;
            require!(same, "{what} differs from its parameter in layout");
            found.push((state.buffer, what));
        }
    }
    Ok(())
}

fn check_ports<'p>(
    program: &'p Program,
    buffers: &Buffers,
    found: &mut Found<'p>,
) -> Result<(), ProgramError> {
    let inputs = program.inputs.iter().map(|port| (port, What::Input(&port.name)));
    let targets = program.targets.iter().map(|port| (port, What::Target(&port.name)));
    for (port, what) in inputs.chain(targets) {
        check_width(buffers.get(port.buffer)?.layout, port.width, what)?;
        let (names, width) = (port.columns.len() as u64, port.width);
        require!(
            names == 0 || names == width,
            "{what} has names for {names} columns, and takes {width}"
        );
        let from = port.from.len() as u64;
        require!(from == 0 || from == width, "{what} is from {from} columns, and takes {width}");
        let is_target = matches!(what, What::Target(_));
        require!(!(port.has_holes() && is_target), "{what} has holes, and is to be compared with");
        found.push((port.buffer, what));
    }
    Ok(())
}

/// Checks that a buffer holds `width` elements for each row of data.
fn check_width(layout: Layout, width: u64, what: impl fmt::Display) -> Result<(), ProgramError> {
    let (rows, cols) = layout.shape();
    require!(rows.batched, "{what} must have a number of rows for each row of the batch");
    require!(
        rows.count.checked_mul(cols) == Some(width),
        "{what} has {width} elements a row, but its buffer is {}",
        size_text((rows, cols))
    );
    Ok(())
}

fn check_results(program: &Program, buffers: &Buffers) -> Result<(), ProgramError> {
    for output in &program.outputs {
        let what = format!("output `{}`", output.name);
        check_width(buffers.float(output.buffer, &what)?, output.width, &what)?;
        let Some(Scores { target, .. }) = output.scores else { continue };
        let scored = program.targets.get(target as usize).and_then(Port::scores);
        require!(
            scored == Some(output.width),
            "{what} scores the classes of target {target}, which has not as many"
        );
    }
    for metric in &program.metrics {
        require!(!metric.name.is_empty(), "a metric has no name");
        let what = format!("metric `{}`", metric.name);
        let is_number = metric.figure.finish.over == Over::Numbers;
        require!(is_number || metric.subject != Subject::Loss, "{what} of the loss is no number");
        check_figure(&metric.figure, &what, program, buffers)?;
    }
    for term in &program.terms {
        require!(program.loss.is_some(), "the loss has a term, but the net has no loss");
        require!(term.finish.over == Over::Numbers, "a term of the loss is no number");
        check_figure(term, "a term of the loss", program, buffers)?;
    }
    if let Some(loss) = program.loss {
        check_scalar(buffers.float(loss, "the loss")?, "the loss")?;
    }
    Ok(())
}

fn check_figure(
    Figure { values, finish }: &Figure,
    what: &str,
    program: &Program,
    buffers: &Buffers,
) -> Result<(), ProgramError> {
    let Finish { over, sums, figure, percent: _ } = finish;
    let count = values.len();
    let mut layouts = Vec::with_capacity(count);
    for &value in values {
        layouts.push(buffers.float(value, what)?);
    }
    let sizes: Vec<_> = layouts.iter().map(|layout| layout.shape()).collect();
    let numbers = |numbers: &[HostNumber], may: &dyn Fn(HostInput) -> bool, text: &str| {
        for number in numbers {
            check_number(number, what)?;
            require!(number.inputs().all(may), "{what} {text}: {number}");
        }
        Ok(())
    };
    match over {
        Over::Numbers => {
            layouts.iter().try_for_each(|&layout| check_scalar(layout, what))?;
        }
        Over::Classes { each, class } => {
            let classes = sizes.first().map_or(0, |&(_, classes)| classes);
            let alike = sizes.iter().all(|&size| size == (Rows::fixed(1), classes));
            require!(alike, "{what} must have a row of as many classes for each value");
            let known = class.is_none_or(|class| u64::from(class) < classes);
            require!(known, "{what} is of a class beyond the {classes}");
            let may = |input| match input {
                HostInput::Rows => true,
                HostInput::Sum(index) => usize::from(index) < sums.len(),
                _ => false,
            };
            numbers(each, &may, "adds up more than its sums over the classes")?;
        }
        Over::Ranks => {
            let one_each = |&(rows, cols): &(Rows, u64)| rows.batched && rows.count * cols == 1;
            let fits = count == 2 && sums.is_empty() && sizes.iter().all(one_each);
            require!(fits, "{what} ranks other things than a score and a side for each row");
        }
        Over::Table { target } => {
            let target = program.targets.get(*target as usize);
            let classes = target.and_then(|target| target.domain.classes());
            let square = |&(rows, cols)| rows == Rows::fixed(cols) && Some(cols) == classes;
            let fits = count == 1 && sums.len() == 1 && sizes.iter().all(square);
            require!(fits, "{what} must be a table of the classes of a target");
        }
    }
    let of_values = |input| match input {
        HostInput::Rows => true,
        HostInput::Value(index) => usize::from(index) < count,
        _ => false,
    };
    numbers(sums, &of_values, "adds up more than its values")?;
    let of_sums = |input| match input {
        HostInput::Rows => true,
        HostInput::Sum(index) => usize::from(index) < over.figures(sums.len()),
        _ => false,
    };
    numbers(std::slice::from_ref(figure), &of_sums, "is of more than its sums")
}

fn check_scalar(layout: Layout, what: impl fmt::Display) -> Result<(), ProgramError> {
    let found = size_text(layout.shape());
    require!(layout == Layout::scalar(), "{what} must be one number, but its buffer is {found}");
    Ok(())
}

fn check_scalars<'p>(
    program: &'p Program,
    buffers: &Buffers,
    found: &mut Found<'p>,
) -> Result<(), ProgramError> {
    let schedules = program.training.as_ref().map_or(&[][..], |training| &training.schedules);
    let groups = schedules.len();
    for (number, buffer) in &program.scalars {
        let what = What::Scalar(number);
        check_scalar(buffers.float(*buffer, what)?, what)?;
        check_number(number, what)?;
        for input in number.inputs() {
            match input {
                HostInput::Base => require!(false, "{what} has a base, as schedules alone do"),
                HostInput::Value(_) | HostInput::Sum(_) => {
                    require!(false, "{what} reads values of a metric, as metrics alone do");
                }
                HostInput::Rate(group) => {
                    let scheduled = usize::from(group) < groups;
                    require!(scheduled, "{what} is of a group beyond the {groups} schedules");
                }
                HostInput::Momentum(group) => {
                    let schedule = schedules.get(usize::from(group));
                    let moves = schedule.is_some_and(|schedule| schedule.momentum.is_some());
                    require!(moves, "{what} is of a group whose momentum no schedule moves");
                }
                _ => {}
            }
        }
        found.push((*buffer, what));
    }
    Ok(())
}

/// Whether a number can be computed.
fn check_number(number: &HostNumber, what: impl fmt::Display) -> Result<(), ProgramError> {
    let count = number.code.len();
    let some = (1..=MAX_HOST_INSTRS).contains(&count);
    require!(some, "{what} has {count} instructions, and must have from 1 to {MAX_HOST_INSTRS}");
    for (index, instr) in number.code.iter().enumerate() {
        match *instr {
            HostInstr::Const(value) => {
                require!(value.is_finite(), "{what} has a number that is not finite");
            }
            HostInstr::Input(_) => {}
            HostInstr::Apply(_, args) => {
                let earlier = args.iter().all(|&arg| usize::from(arg) < index);
                require!(earlier, "{what} uses a value before it is computed");
            }
        }
    }
    Ok(())
}

fn check_training(program: &Program) -> Result<(), ProgramError> {
    require!(
        EntryPoint::Update.runs(program) || program.routines[EntryPoint::Update].steps.is_empty(),
        "update has steps, but no gradients are accumulated"
    );
    let Some(training) = &program.training else {
        require!(
            program.routines[EntryPoint::Train].steps.is_empty(),
            "train has steps, but the net has no training"
        );
        let bare =
            program.routines[EntryPoint::Eval].steps.is_empty() && program.metrics.is_empty();
        require!(
            bare || program.loss.is_some(),
            "eval has steps or a metric, but the net has no loss"
        );
        return Ok(());
    };
    let Training {
        batch,
        accumulate,
        epochs,
        seed: _,
        valid,
        split: _,
        shuffle: _,
        validate,
        watch,
        schedules,
        balances,
        fits,
    } = training;
    require!(program.loss.is_some(), "the net is trained, but has no loss");
    if let Batch::Rows(rows) = *batch {
        let most = program.batch;
        require!(rows >= 1, "a training step has 0 rows, and must have at least 1");
        require!(rows <= most, "a training step has {rows} rows, but the arena holds {most}");
    }
    require!(*accumulate >= 1, "a training step has 0 batches, and must have at least 1");
    let some = (1..=MAX_EPOCHS).contains(epochs);
    require!(some, "training has {epochs} epochs, and must have from 1 to {MAX_EPOCHS}");
    require!((0.0..1.0).contains(valid), "the validation share is {valid}, outside [0, 1)");
    require!(*validate != Some(0), "training validates after every 0 steps");
    if let Some(Watch { figure, keeps_best: _, patience, min_delta }) = watch {
        check_watched(program, *figure, "training")?;
        require!(*patience != Some(0), "training has a patience of 0 validations");
        require!(
            min_delta.is_finite() && *min_delta >= 0.0,
            "an improvement is by {min_delta}, and must be by at least 0"
        );
    }
    for (group, Schedule { base, rate, momentum, plateau }) in (0..).zip(schedules) {
        require!(base.is_finite(), "the base of {} is not finite", HostInput::Rate(group));
        let of_time = |input| match input {
            HostInput::Step | HostInput::Steps | HostInput::Epoch | HostInput::Epochs => true,
            HostInput::Base => true,
            HostInput::Rows | HostInput::StepRows => false,
            HostInput::Rate(_) | HostInput::Momentum(_) => false,
            HostInput::Value(_) | HostInput::Sum(_) => false,
        };
        let momentum = momentum.iter().map(|momentum| (HostInput::Momentum(group), momentum));
        for (what, number) in [(HostInput::Rate(group), rate)].into_iter().chain(momentum) {
            check_number(number, what)?;
            let timed = number.inputs().all(of_time);
            require!(timed, "{what} depends on more than the time");
        }
        if let Some(Plateau { figure, factor, threshold, min_lr, .. }) = *plateau {
            let what = HostInput::Rate(group);
            check_watched(program, figure, what)?;
            let falls = (0.0..1.0).contains(&factor);
            require!(falls, "{what} falls by a factor of {factor}, outside [0, 1)");
            for (name, number) in [("threshold", threshold), ("lowest base", min_lr)] {
                let fits = number.is_finite() && number >= 0.0;
                require!(fits, "the {name} of {what} is {number}, and must be at least 0");
            }
        }
    }
    require!(
        !fits.is_empty() || program.routines[EntryPoint::Fit].steps.is_empty(),
        "fit has steps, but no statistics are taken"
    );
    balances.iter().try_for_each(|balance| check_balance(program, balance))
}

/// Whether the statistics have an element for each of a row's, and wait for no more than there are.
fn check_fit(
    program: &Program,
    buffers: &Buffers,
    fit: &Fit,
    count: usize,
) -> Result<(), ProgramError> {
    let Fit { params, values, statistic, level } = fit;
    let what = format!("a statistic of buffer {}", values.0);
    let (rows, cols) = buffers.float(*values, &what)?.shape();
    require!(rows.batched, "{what} is not of the rows of the batch");
    let wanted = statistic.params();
    require!(params.len() == wanted, "{what} has {} parameters, not {wanted}", params.len());
    for param in params {
        let Some(param) = program.params.get(param.index()) else {
            return Err(ProgramError::new(format!("{what} is no parameter")));
        };
        let (own_rows, own_cols) = buffers.get(param.buffer)?.layout.shape();
        let elements = own_rows.count.checked_mul(own_cols);
        let fits = elements.is_some() && elements == rows.count.checked_mul(cols);
        require!(fits, "{what} differs from `{}` in size", param.name);
    }
    require!(*level as usize <= count, "{what} waits for {level} others of {count}");
    Ok(())
}

/// Whether the factors are of classes, one each.
fn check_balance(program: &Program, balance: &Balance) -> Result<(), ProgramError> {
    let Balance { param, target, ignored } = *balance;
    let Some(param) = program.params.get(param.index()) else {
        return Err(ProgramError::new("balanced factors are of no parameter"));
    };
    let name = &param.name;
    let of_classes = program.targets.get(target as usize).is_some_and(|target| {
        program.buffers.get(target.buffer.0 as usize).is_some_and(|b| b.dtype == DType::I32)
    });
    require!(of_classes, "{name} is of no target with classes");
    let is_class = |class: u32| param.shape.first().is_some_and(|&count| u64::from(class) < count);
    require!(param.shape.len() == 1, "{name} is no list of factors");
    require!(ignored.is_none_or(is_class), "{name} has no class to ignore");
    Ok(())
}

/// Whether there is such a figure to watch.
fn check_watched(
    program: &Program,
    figure: Watched,
    who: impl fmt::Display,
) -> Result<(), ProgramError> {
    let Watched::Metric(index) = figure else { return Ok(()) };
    let Some(metric) = program.metrics.get(usize::from(index)) else {
        let message = format!("{who} watches metric {index}, which there is not");
        return Err(ProgramError::new(message));
    };
    let is_table = metric.figure.finish.is_table();
    require!(!is_table, "{who} watches metric {index}, which is no figure");
    Ok(())
}
