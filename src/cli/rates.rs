//! `arenet show --schedule-of`: learning rates over a run.

use arenet::internals::compiler::Purpose;
use arenet::internals::runtime::program::{HostInput, HostNumber, Plateau, Schedule, Watched};
use arenet::internals::runtime::train::{Clock, Settings, at};

use super::args::DataArgs;
use super::source::{Built, Source};
use super::{Context, chart, data, failure::Failure, train, units};

/// The most characters of the names of parameters.
const NAMES: usize = 50;

/// The rate of each optimizer over the run on this data, and the momentum where a schedule moves
/// it.
pub fn charts(cx: &Context, source: &Source, args: &DataArgs) -> Result<String, Failure> {
    if source.net.training().is_none() {
        return Err(train::cannot_train(source));
    }
    let table = data::locate(source, args)?;
    let rows = data::read(cx, &table, args, source.net.reader())?;
    let built = match train::planned_rows(None, source, &rows) {
        None => source.build(cx, None, Purpose::Train)?,
        all => source.build_full(all)?,
    };
    let settings = Settings { run: cx.global.exec(), ..Settings::default() };
    let trainer = source.net.trainer(rows).compiled(built.program.clone(), settings).build()?;
    let each = trainer.steps_per_epoch().max(1);
    let total = Clock { step: trainer.epochs().saturating_mul(each), epoch: trainer.epochs() };
    let end =
        format!("{}, {}", units::plural(total.step, "step"), units::plural(total.epoch, "epoch"));
    let schedules = source.net.training().map_or(&[][..], |training| &training.schedules);
    let mut text = String::new();
    for (group, schedule) in (0..).zip(schedules) {
        let mut chart = |input: HostInput, low, number: &HostNumber| {
            let value = |step| at(schedule, number, Clock { step, epoch: step / each }, total);
            let of = owner(&built, group, schedules.len());
            let curve = chart::curve(total.step, low, &end, value);
            text.push_str(&format!("{input}{of}\n{curve}"));
        };
        chart(HostInput::Rate(group), Some(0.0), &schedule.rate);
        if let Some(momentum) = &schedule.momentum {
            chart(HostInput::Momentum(group), None, momentum);
        }
        text.push_str(&falls(&built, schedule));
    }
    Ok(text)
}

/// Whose rate it is: the optimizer, and where there are several its parameters.
fn owner(built: &Built, group: u16, groups: usize) -> String {
    let Some(compiled) = &built.compiled else { return String::new() };
    let group = usize::from(group);
    let optimizer = compiled.model.optimizers[group].args.signature.name;
    if groups < 2 {
        return format!(" of {optimizer}");
    }
    let params = compiled.model.params.iter().filter(|param| param.optimizer == Some(group));
    let names: Vec<&str> = params.map(|param| param.name.as_str()).collect();
    let names = names.join(", ");
    match names.char_indices().nth(NAMES) {
        Some((end, _)) => format!(" of {optimizer}, for {}...", &names[..end]),
        None => format!(" of {optimizer}, for {names}"),
    }
}

/// What no chart shows.
fn falls(built: &Built, schedule: &Schedule) -> String {
    let Some(Plateau { figure, factor, patience, .. }) = schedule.plateau else {
        return String::new();
    };
    let figure = match figure {
        Watched::Loss => "loss",
        Watched::Metric(index) => &built.program().metrics[usize::from(index)].name,
    };
    format!(
        "times {factor} after more than {} without a better {figure}, which is not drawn\n",
        units::plural(patience, "epoch"),
    )
}
