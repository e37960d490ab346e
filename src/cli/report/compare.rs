//! `arenet report`: the curves and figures of several runs beside each other, from their pages.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use arenet::internals::runtime::files::write_atomically;
use clap::Args;

use super::curves::{in_rows, one_decimal, values};
use super::page::{document, told};
use super::run::{DATA_END, DATA_START, Ending, Epoch, Metric, Run};
use crate::failure::{Failure, Kind};
use crate::markup::{details, section, table};
use crate::outputs::Inputs;
use crate::plot::axis::Axis;
use crate::plot::chart::{Chart, Series};
use crate::plot::sheet::{Panel, sheet};
use crate::{console, units};

/// A larger file is no report.
const MOST_BYTES: u64 = 64 << 20;

/// Which pages, and where to.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example: arenet report adam.html sgd.html -o both.html")]
pub struct ReportArgs {
    /// Pages that `arenet train --report` wrote, up to eight
    #[arg(required = true, num_args = 1..=8, value_name = "PAGE")]
    pages: Vec<PathBuf>,
    /// File for the page about all of them; one called .svg is a drawing of
    /// their curves
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
}

/// A run under the name of its page.
struct Named {
    name: String,
    run: Run,
}

/// Reads the pages, and writes one.
pub fn run(args: &ReportArgs) -> Result<(), Failure> {
    let inputs = Inputs::default();
    let inputs = args.pages.iter().fold(inputs, |all, page| all.file("a page", Some(page)));
    inputs.check_output(&args.out, "--out")?;
    let stem = |page: &Path| page.file_stem().unwrap_or_default().display().to_string();
    let stems: BTreeSet<String> = args.pages.iter().map(|page| stem(page)).collect();
    let are_unique = stems.len() == args.pages.len();
    let read = |page: &PathBuf| {
        let name = if are_unique { stem(page) } else { page.display().to_string() };
        Ok(Named { name, run: read(page)? })
    };
    let runs = args.pages.iter().map(read).collect::<Result<Vec<_>, Failure>>()?;
    let content = match args.out.extension().is_some_and(|ending| ending == "svg") {
        true => drawing(&runs),
        false => page(&runs),
    };
    write_atomically(&args.out, |to| to.write_all(content.as_bytes()))?;
    console::print(format!("report: {}\n", args.out.display()))
}

/// The run that a page is of.
fn read(path: &Path) -> Result<Run, Failure> {
    let name = path.display();
    let io = |error| Failure::new(Kind::Data, format!("{name}: cannot be read: {error}"));
    let none = |why: String| {
        let text = format!("{name}: is no report of a run: {why}");
        Failure::new(Kind::Data, text).help("`arenet train M.net --report FILE` writes one")
    };
    if fs::metadata(path).map_err(io)?.len() > MOST_BYTES {
        return Err(none("it is too large".into()));
    }
    let page = String::from_utf8_lossy(&fs::read(path).map_err(io)?).into_owned();
    let json = page.split_once(DATA_START).and_then(|(_, rest)| rest.split_once(DATA_END));
    let (json, _) = json.ok_or_else(|| none("it has no data".into()))?;
    let run: Run = serde_json::from_str(json).map_err(|error| none(error.to_string()))?;
    if run.net.is_empty() { Err(none("it names no net".into())) } else { Ok(run) }
}

/// The curves alone.
fn drawing(runs: &[Named]) -> String {
    let panels: Vec<Panel> = curves(runs).iter().filter_map(Chart::panel).collect();
    let names: Vec<&str> = runs.iter().map(|named| named.name.as_str()).collect();
    sheet(&format!("The curves of {}", names.join(", ")), &panels)
}

fn page(runs: &[Named]) -> String {
    let title = units::plural(runs.len() as u64, "run");
    let (differ, same): (Vec<_>, Vec<_>) =
        settings(runs).into_iter().partition(|line| line[1..].iter().any(|cell| *cell != line[1]));
    let names = runs.iter().map(|named| named.name.clone());
    let head: Vec<String> = [String::new()].into_iter().chain(names).collect();
    let under_head = |lines: Vec<Vec<String>>| table(&[vec![head.clone()], lines].concat());
    let different = match differ.is_empty() {
        true => "<p class=\"note\">They differ in nothing.</p>\n".to_string(),
        false => under_head(differ),
    };
    let content = [
        format!("<header>\n<h1>{title}</h1>\n</header>\n"),
        section("Figures", &under_head(figures(runs))),
        section("Curves", &in_rows(&curves(runs).iter().map(Chart::figure).collect::<String>())),
        section("Settings", &(different + &details("The same in all", &under_head(same)))),
    ];
    document(&title, &content.concat(), None)
}

/// A line for each property, with a cell for each run.
fn settings(runs: &[Named]) -> Vec<Vec<String>> {
    let line = |name: &str, of: &dyn Fn(&Run) -> String| {
        let cells = runs.iter().map(|named| of(&named.run));
        [name.to_string()].into_iter().chain(cells).collect()
    };
    let text = |run: &Run| match &run.model.text {
        Some(text) => units::plural(text.lines().count() as u64, "line"),
        None => "compiled".to_string(),
    };
    let first = &runs[0].run.model.text;
    let is_first = |run: &Run| match run.model.text == *first {
        true => "as in the first page".to_string(),
        false => format!("another, of {}", text(run)),
    };
    vec![
        line("net", &|run| run.net.clone()),
        line("model", &|run| run.model.file.clone()),
        line("text of the model", &is_first),
        line("parameters", &|run| units::count(run.model.parameters)),
        line("seed", &|run| run.settings.seed.to_string()),
        line("epochs planned", &|run| units::count(run.settings.epochs)),
        line("rows of a batch", &|run| units::count(run.settings.batch)),
        line("steps of an epoch", &|run| units::count(run.settings.steps_per_epoch)),
        line("learning rate", &|run| {
            run.settings.lr.map_or("–".to_string(), |rate| rate.to_string())
        }),
        line("shuffled", &|run| (if run.settings.is_shuffled { "yes" } else { "no" }).to_string()),
        line("table", &|run| run.rows.file.clone()),
        line("hash of the rows", &|run| run.rows.hash.clone()),
        line("rows trained on", &|run| units::count(run.rows.trained_on)),
        line("rows held out", &|run| units::count(run.rows.held_out)),
        line("instructions", &|run| run.machine.isa.clone()),
        line("threads", &|run| units::count(run.machine.threads)),
        line("Arenet", &|run| run.arenet.clone()),
        line("started", &|run| run.started.clone()),
    ]
}

/// What each run has reached.
fn figures(runs: &[Named]) -> Vec<Vec<String>> {
    let line = |name: &str, of: &dyn Fn(&Run) -> String| {
        let cells = runs.iter().map(|named| of(&named.run));
        [name.to_string()].into_iter().chain(cells).collect()
    };
    let mut lines: Vec<Vec<String>> = vec![
        line("ended", &|run| match run.end.ending {
            Ending::Ended => units::plural(run.end.epochs, "epoch"),
            Ending::Interrupted => format!("interrupted in epoch {}", run.end.epochs + 1),
            Ending::Diverged => format!("diverged in epoch {}", run.end.epochs + 1),
        }),
        line("best epoch", &|run| {
            run.end.best.as_ref().map_or("–".to_string(), |best| units::count(best.epoch))
        }),
        line("loss, held out", &|run| {
            told(run.end.held_out.as_ref().and_then(|figures| figures.loss), false)
        }),
        line("loss, training", &|run| told(run.end.training.loss, false)),
    ];
    for metric in metrics(runs) {
        let of = |run: &Run| {
            let figures = run.end.held_out.as_ref().unwrap_or(&run.end.training);
            let at = run.metrics.iter().position(|own| own.name == metric.name);
            told(at.and_then(|at| *figures.metrics.get(at)?), metric.percent)
        };
        lines.push(line(&metric.name, &of));
    }
    lines.push(line("time in steps", &|run| units::nanoseconds(1e9 * run.end.seconds)));
    lines
}

/// The metrics that some run has.
fn metrics(runs: &[Named]) -> Vec<Metric> {
    let mut all: Vec<Metric> = Vec::new();
    for metric in runs.iter().flat_map(|named| &named.run.metrics) {
        if all.iter().all(|known| known.name != metric.name) {
            all.push(metric.clone());
        }
    }
    all
}

/// A chart for each figure, with a curve for each run.
fn curves(runs: &[Named]) -> Vec<Chart> {
    let all = runs.iter().flat_map(|named| &named.run.epochs).map(|epoch| epoch.epoch);
    let epochs: Vec<u64> = all.collect::<BTreeSet<_>>().into_iter().collect();
    let series = |of: &dyn Fn(&Run, &Epoch) -> Option<f64>| -> Vec<Series> {
        let of_run = |Named { name, run }: &Named| {
            let known: BTreeMap<u64, &Epoch> = run.epochs.iter().map(|e| (e.epoch, e)).collect();
            let at = |epoch: &u64| of(run, known.get(epoch)?);
            Series { name: name.clone(), values: epochs.iter().map(at).collect() }
        };
        runs.iter().map(of_run).collect()
    };
    let chart = |title: &str, series: Vec<Series>, percent: bool, axis: Axis| {
        let (value, unit): (fn(f64) -> String, _) =
            if percent { (one_decimal, "%") } else { (units::figure, "") };
        let (title, epochs) = (title.to_string(), epochs.clone());
        Chart { title, epochs, series, axis, value, unit, best: None }
    };
    let mut charts = Vec::new();
    let held_out = series(&|_, epoch| epoch.valid_loss);
    let training = series(&|_, epoch| epoch.loss);
    for (title, losses) in [("Loss, held out", held_out), ("Loss, training", training)] {
        if values(&losses).next().is_some() {
            let axis = Axis::of_loss(values(&losses));
            charts.push(chart(title, losses, false, axis));
        }
    }
    for metric in metrics(runs) {
        let scale = if metric.percent { 100.0 } else { 1.0 };
        let own = series(&|run, epoch| {
            let at = run.metrics.iter().position(|own| own.name == metric.name)?;
            Some(epoch.metrics.get(at).copied().flatten()? * scale)
        });
        let axis = Axis::round(values(&own));
        charts.push(chart(&metric.name, own, metric.percent, axis));
    }
    let rates = series(&|_, epoch| Some(epoch.lr));
    let axis = Axis::round(values(&rates).chain([0.0]));
    charts.push(chart("Learning rate", rates, false, axis));
    charts
}
