//! `arenet eval`: loss and metrics of weights on a table, and what is found of each class.

use std::path::{Path, PathBuf};

use arenet::internals::compiler::Purpose;
use arenet::internals::runtime::data::output::Judgement;
use arenet::internals::runtime::files::write_atomically;
use arenet::internals::runtime::program::Program;
use arenet::internals::runtime::train::Look;
use arenet::{Data, Predictor};
use clap::Args;
use serde_json::{Value, json};

use super::args::{DataArgs, WeightsArgs};
use super::classes::cuts::Cuts;
use super::classes::{Classes, Verdict, judges, told};
use super::failure::{Failure, Kind};
use super::figures::{figures, metrics_json, table_text, tables_json};
use super::outputs::Inputs;
use super::plot::Plot;
use super::plot::axis::Axis;
use super::plot::sheet::{Panel, sheet};
use super::source::Source;
use super::{Context, console, data, table, units};

/// Of more classes there are no figures without being asked for.
const FEW: usize = 20;

/// What to evaluate, and on what.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example: arenet eval models/digits.net --data more-digits.csv")]
pub struct EvalArgs {
    /// The model, .net or .netc
    model: PathBuf,
    #[command(flatten)]
    weights: WeightsArgs,
    #[command(flatten)]
    data: DataArgs,
    /// Only the rows that were held out when this table was trained on
    #[arg(long)]
    held_out: bool,
    /// Of classes, however many, their figures and the confusion matrix; of
    /// two, what is found by the threshold, and the curves ROC and precision
    /// by recall
    #[arg(long)]
    full: bool,
    /// Drawing of these curves to write
    #[arg(long, value_name = "FILE.svg")]
    curves: Option<PathBuf>,
    /// One line of JSON; its curves come with --full
    #[arg(long)]
    json: bool,
}

/// Evaluates and prints.
pub fn run(cx: &Context, args: &EvalArgs) -> Result<(), Failure> {
    let (file, weights) = args.weights.split()?;
    let source = Source::read(cx, &args.model)?.with_weights(weights)?;
    let built = source.build(cx, None, Purpose::Train)?;
    let program = built.program();
    if program.loss.is_none() {
        return Err(Failure::without_train(&source.name(), ", so no loss to measure"));
    }
    let weights = data::locate_weights(&source, file)?;
    let path = data::locate(&source, &args.data)?;
    if let Some(out) = &args.curves {
        check_curves(program, &source.name())?;
        let inputs = Inputs::new(&args.model).file("the weights", Some(&weights));
        inputs.rows("the data", Some(&path)).check_beside_results(out, "--curves")?;
    }
    let mut predictor = data::predictor(cx, &source, &built, &weights)?;
    let (reader, folder) = (predictor.reader().with_targets(), Path::new("."));
    let rows = data::read_or_spill(cx, &path, &args.data, reader, folder)?;
    let name = path.to_string();
    let chosen: Vec<u32> = match (predictor.held_out(&rows)?, args.held_out) {
        (Some(held_out), true) if !held_out.is_empty() => held_out,
        (Some(_), true) => {
            let text = format!("{name}: no rows were held out: all of them were trained on");
            return Err(Failure::new(Kind::Data, text).help("evaluate on other rows with --data"));
        }
        (None, true) => {
            let file = weights.display();
            let text = format!("{name}: {file} does not say that it was trained on this");
            let help = "without --held-out all rows are evaluated";
            return Err(Failure::new(Kind::Data, text).help(help));
        }
        (held_out, false) => {
            if let Some(held_out) = held_out {
                cx.console.note(seen(&name, rows.rows(), held_out.len()));
            }
            (0..rows.rows() as u32).collect()
        }
    };
    let result = predictor.evaluate_rows(&rows, &chosen)?;
    let found = Found::of_rows(&mut predictor, program, &rows, &chosen)?;
    if let Some(out) = &args.curves {
        let drawing = drawing(&program.name, &found);
        write_atomically(out, |to| to.write_all(drawing.as_bytes()))?;
    }
    if args.json {
        let mut line = json!({
            "rows": result.rows,
            "loss": result.loss,
            "metrics": metrics_json(&result.metrics),
        });
        if !result.tables.is_empty() {
            line["tables"] = tables_json(&result.tables);
        }
        if !found.is_empty() {
            line["classes"] = found.iter().map(|found| found.to_json(args.full)).collect();
        }
        if let Some(out) = &args.curves {
            line["curves"] = json!(out.display().to_string());
        }
        return console::print_json(&line);
    }
    let tables: String = result.tables.iter().map(table_text).collect();
    let found: String = found.iter().map(|found| found.text(args.full, cx.console.quiet)).collect();
    let summary = figures(result.loss, &result.metrics, program);
    let rows = units::plural(result.rows, "row");
    let curves = args.curves.as_ref();
    let curves = curves.map(|out| format!("curves: {}\n", out.display())).unwrap_or_default();
    console::print(format!("{found}{tables}{summary} on {rows}\n{curves}"))
}

/// Says that training saw the rows.
fn seen(table: &str, rows: usize, held_out: usize) -> String {
    let trained = units::plural((rows - held_out) as u64, "row");
    let text = format!("{table}: the weights were trained on {trained} of it");
    match held_out {
        0 => text,
        _ => format!("{text}; --held-out evaluates only the other {held_out}"),
    }
}

/// Refuses to draw curves that there are none of.
fn check_curves(program: &Program, name: &str) -> Result<(), Failure> {
    let has_cuts = |judge: &arenet::internals::runtime::data::output::Judge| {
        judge.labels().count() == 2 && judge.has_probabilities()
    };
    if judges(program).iter().any(has_cuts) {
        return Ok(());
    }
    let text =
        format!("{name}: --curves is for two classes, and no output says their probabilities");
    Err(Failure::usage(text)
        .help("leave --curves out; --full shows the confusion matrix of classes"))
}

/// What was found of a target.
struct Found {
    classes: Classes,
    /// Of two classes whose probabilities are known.
    cuts: Option<Cuts>,
}

impl Found {
    /// Looks at the rows, if there are classes to be found.
    fn of_rows(
        predictor: &mut Predictor,
        program: &Program,
        data: &Data,
        rows: &[u32],
    ) -> Result<Vec<Found>, Failure> {
        let judges = judges(program);
        let mut all: Vec<(Classes, Vec<(f32, bool)>)> =
            judges.iter().map(|judge| (Classes::new(program, judge), Vec::new())).collect();
        let mut judgement = Judgement::default();
        if !judges.is_empty() {
            predictor.look(data, rows, |look: &Look| {
                for (judge, (classes, ranked)) in judges.iter().zip(&mut all) {
                    let Some(verdict) = Verdict::of(judge, look, &mut judgement) else { continue };
                    classes.add(verdict);
                    ranked.extend(verdict.of_second.map(|p| (p, verdict.truth == 1)));
                }
            })?;
        }
        let found = |(classes, ranked): (_, Vec<_>)| {
            let cuts = (!ranked.is_empty()).then(|| Cuts::new(ranked));
            Found { classes, cuts }
        };
        Ok(all.into_iter().map(found).collect())
    }

    /// The figures of each class where these are few, and on request all else, each with an empty
    /// line behind it.
    fn text(&self, is_full: bool, is_brief: bool) -> String {
        let (Found { classes, cuts }, width) = (self, table::width());
        let mut parts = Vec::new();
        if is_full || !is_brief && classes.names.len() <= FEW {
            parts.push(told::figures(classes, width));
        }
        if is_full {
            parts.push(told::matrix(&classes.target, &classes.names, &classes.counts, width));
            if let Some(cuts) = cuts {
                parts.push(told::by_threshold(classes, cuts, width));
                parts.push(told::curves(cuts, width));
            }
        }
        parts.iter().map(|part| format!("{part}\n")).collect()
    }

    fn to_json(&self, is_full: bool) -> Value {
        told::to_json(&self.classes, self.cuts.as_ref(), is_full)
    }
}

/// The curves of all targets of two classes, those of one target beside each other.
fn drawing(net: &str, found: &[Found]) -> String {
    let share = || Axis::round([0.0, 1.0].into_iter());
    let panel = |title: String, about, [label, up]: [&str; 2], points: Vec<[f64; 2]>, rest| {
        let plot = Plot { across: share(), up: share(), label, units: ["", ""] };
        let curve = plot.curve(0, told::thinned(points).into_iter());
        let drawn = plot.axes() + &plot.line("best", rest) + &curve;
        Panel { title, key: vec![(Some(0), up.to_string()), (None, about)], drawn }
    };
    let area = |name: &str, area: Option<f64>| match area {
        Some(area) => format!("{name} {}", units::figure(area)),
        None => String::new(),
    };
    let mut panels = Vec::new();
    for Found { classes, cuts } in found {
        let Some(cuts) = cuts else { continue };
        let class = format!("{} {}", classes.target, classes.names[1]);
        let roc = area("area", cuts.auc());
        let about = ["share of the others found", "recall"];
        let chance = [[0.0, 0.0], [1.0, 1.0]];
        panels.push(panel(format!("ROC of {class}"), roc, about, cuts.roc(), chance));
        let precision = area("average", cuts.average_precision());
        let title = format!("Precision by recall of {class}");
        let share = cuts.positives as f64 / (cuts.positives + cuts.negatives) as f64;
        let chance = [[0.0, share], [1.0, share]];
        let points = cuts.precision_recall();
        panels.push(panel(title, precision, ["recall", "precision"], points, chance));
    }
    sheet(&format!("{net}: ROC, and precision by recall"), &panels)
}
