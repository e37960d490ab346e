//! The page of a run.

use super::curves::{curves, norms};
use super::looked::looked;
use super::run::{DATA_END, DATA_START, Ending, Epoch, Figures, Layer, Port, Run, Step};
use crate::markup::{details, lines, pairs, section, table, text};
use crate::units;

const STYLE: &str = concat!(include_str!("../plot/style.css"), include_str!("style.css"));
const SCRIPT: &str = include_str!("script.js");

/// The report of a run as a page.
pub fn page(run: &Run) -> String {
    let title = format!("{}: report of a run", run.net);
    let parts = [
        head(run),
        section("Result", &result(run)),
        section(
            "Curves",
            &(curves(run) + &left_out(run) + &details("All epochs as a table", &epochs(run))),
        ),
        section(&of_rows(run), &looked(&run.looks, all_of(run))),
        layers(run),
        section("Run", &how(run)),
        section("Rows", &rows(run)),
        section("Model", &model(run)),
    ];
    document(&title, &parts.concat(), Some(&run.to_json()))
}

/// Which epochs the curves do not show.
fn left_out(run: &Run) -> String {
    let mut said = Vec::new();
    if run.epochs_before > 0 {
        let epochs = units::plural(run.epochs_before, "epoch");
        said.push(format!("The run went on from a checkpoint after {epochs}."));
    }
    if let [first, second, ..] = &run.epochs[..]
        && second.epoch > first.epoch + 1
    {
        said.push(format!("One epoch of {} is shown.", second.epoch - first.epoch));
    }
    match said.is_empty() {
        true => String::new(),
        false => format!("<p class=\"note\">{}</p>\n", said.join(" ")),
    }
}

/// The rows that are looked at one by one.
fn all_of(run: &Run) -> u64 {
    if run.rows.held_out > 0 { run.rows.held_out } else { run.rows.trained_on }
}

fn of_rows(run: &Run) -> String {
    let kind = if run.rows.held_out > 0 { "held-out" } else { "training" };
    format!("The {}", units::plural(all_of(run), &format!("{kind} row")))
}

/// A page around a content, with data for other pages. It lets nothing be loaded. It is XML too.
pub fn document(title: &str, content: &str, data: Option<&str>) -> String {
    let data = data.map(|json| format!("{DATA_START}{json}{DATA_END}\n"));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <title>{title}</title>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n\
         <meta name=\"generator\" content=\"Arenet\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'; script-src 'unsafe-inline'\"/>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{content}</main>\n{data}\
         <script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        title = text(title),
        data = data.unwrap_or_default(),
    )
}

fn head(run: &Run) -> String {
    let end = &run.end;
    let epochs = units::plural(end.epochs, "epoch");
    let said = match end.ending {
        Ending::Ended => format!("trained for {epochs}"),
        Ending::Interrupted => format!("interrupted after {epochs}"),
        Ending::Diverged => format!("diverged after {epochs}"),
    };
    let notice = match end.message.is_empty() {
        true => String::new(),
        false => format!("<pre class=\"notice\">{}</pre>\n", lines(&end.message)),
    };
    format!(
        "<header>\n<h1>{}</h1>\n<p>{} · {said} · {}</p>\n{notice}</header>\n",
        text(&run.net),
        text(&run.model.file),
        text(&run.started)
    )
}

/// What the run has reached, and what it left.
fn result(run: &Run) -> String {
    let end = &run.end;
    let all = [("training", Some(&end.training)), ("held-out", end.held_out.as_ref())];
    let columns: Vec<(&str, &Figures)> =
        all.into_iter().filter_map(|(name, figures)| Some((name, figures?))).collect();
    let first = |name: &str, cells: Vec<String>| [vec![name.to_string()], cells].concat();
    let heads =
        columns.iter().map(|(name, figures)| units::plural(figures.rows, &format!("{name} row")));
    let losses = columns.iter().map(|(_, figures)| told(figures.loss, false));
    let mut cells = vec![first("", heads.collect()), first("loss", losses.collect())];
    for (at, metric) in run.metrics.iter().enumerate() {
        let values = columns
            .iter()
            .map(|(_, figures)| told(figures.metrics.get(at).copied().flatten(), metric.percent));
        cells.push(first(&metric.name, values.collect()));
    }
    let whose = match (end.of_best, end.ending) {
        (true, _) => "These are the figures of the best weights.",
        (_, Ending::Ended) => "These are the figures of the last weights.",
        (_, Ending::Interrupted) => "These are the figures of the weights at that moment.",
        (_, Ending::Diverged) => "These are the figures of the last good weights.",
    };
    let mut entries = Vec::new();
    if let Some(best) = &end.best {
        let figure = told(best.figure, false);
        entries.push(("Best epoch", format!("{}, with {figure}", units::count(best.epoch))));
    }
    entries.extend(
        end.files
            .iter()
            .map(|(what, file)| (what.as_str(), format!("<code>{}</code>", text(file)))),
    );
    format!("{}<p class=\"note\">{whose}</p>\n{}", table(&cells), pairs(&entries))
}

/// A figure, or a dash where there is none.
pub fn told(value: Option<f64>, percent: bool) -> String {
    match value {
        Some(value) if percent => format!("{:.1}%", 100.0 * value),
        Some(value) => units::figure(value),
        None => "–".to_string(),
    }
}

/// What the layers look like from inside.
fn layers(run: &Run) -> String {
    let mut content = String::new();
    if !run.weights.is_empty() {
        content.push_str(&norms(run));
    }
    if !run.end.layers.is_empty() {
        let line = |layer: &Layer| {
            let told = match (layer.dead, layer.saturated) {
                (Some(dead), _) => format!("{} never fire", units::count(dead)),
                (_, Some(share)) => format!("{} of the values saturated", told(Some(share), true)),
                _ => String::new(),
            };
            vec![layer.name.clone(), layer.function.clone(), units::count(layer.units), told]
        };
        let head = ["hidden layer", "activation", "units", "at the end"].map(String::from).to_vec();
        let layers = run.end.layers.iter().map(line);
        content.push_str(&table(&[head].into_iter().chain(layers).collect::<Vec<_>>()));
    }
    if !run.end.diagnosis.is_empty() {
        let told = lines(&run.end.diagnosis);
        content.push_str(&format!("<pre class=\"notice\">{told}</pre>\n"));
    }
    if content.is_empty() { content } else { section("Layers", &content) }
}

fn epochs(run: &Run) -> String {
    let is_validated = run.rows.held_out > 0;
    let mut head = vec!["epoch".to_string(), "loss".to_string()];
    head.extend(is_validated.then(|| "held out".to_string()));
    head.extend(run.metrics.iter().map(|metric| metric.name.clone()));
    head.extend(["learning rate", "time"].map(String::from));
    let line = |epoch: &Epoch| {
        let star = if epoch.best { " (best)" } else { "" };
        let mut line = vec![format!("{}{star}", epoch.epoch), told(epoch.loss, false)];
        line.extend(is_validated.then(|| told(epoch.valid_loss, false)));
        let metrics = epoch.metrics.iter().zip(&run.metrics);
        line.extend(metrics.map(|(value, metric)| told(*value, metric.percent)));
        line.extend([units::figure(epoch.lr), units::nanoseconds(1e9 * epoch.seconds)]);
        line
    };
    let all: Vec<Vec<String>> = [head].into_iter().chain(run.epochs.iter().map(line)).collect();
    table(&all)
}

/// What it takes to repeat the run.
fn how(run: &Run) -> String {
    let (settings, machine) = (&run.settings, &run.machine);
    let batches = format!(
        "{} of {}",
        units::plural(settings.steps_per_epoch, "step"),
        units::plural(settings.batch, "row")
    );
    let order = if settings.is_shuffled { "shuffled" } else { "in the order of the table" };
    let rate = settings.lr.map_or(String::new(), |lr| format!(", rate {lr}"));
    let threads = units::plural(machine.threads, "thread");
    let step = run.end.step.as_ref().map_or("–".to_string(), step_of);
    let pairs = pairs(&[
        ("Seed", settings.seed.to_string()),
        ("Planned", format!("{}{rate}", units::plural(settings.epochs, "epoch"))),
        ("An epoch", format!("{batches}, {order}")),
        ("Time in steps", units::nanoseconds(1e9 * run.end.seconds)),
        ("A step", step),
        ("Machine", text(format!("{}, {threads}, {}", machine.isa, machine.system))),
        ("Arenet", text(&run.arenet)),
    ]);
    format!("<pre class=\"command\">{}</pre>\n{pairs}", text(&run.command))
}

/// The time of a step beside the limit.
fn step_of(step: &Step) -> String {
    let mean = units::nanoseconds(step.mean);
    match step.limit {
        Some(limit) => format!(
            "{mean} on average, with the copying of its rows; at the limits of its arithmetic and \
             its caches one core takes {}",
            units::nanoseconds(limit)
        ),
        None => format!(
            "{mean} on average; its arena fits no cache, and the limits of memory are not measured \
             here: <code>arenet profile</code> does it"
        ),
    }
}

fn rows(run: &Run) -> String {
    let rows = &run.rows;
    let columns = |port: &Port| match port.columns.is_empty() {
        true => units::plural(port.width, "column"),
        false => port.columns.join(", "),
    };
    let classes = |port: &Port| match port.classes.is_empty() {
        true => "numbers".to_string(),
        false => port.classes.join(", "),
    };
    let line = |port: &Port| {
        let side = if port.is_target { "target" } else { "input" };
        vec![port.name.clone(), side.to_string(), columns(port), classes(port)]
    };
    let head = ["", "side", "columns", "values"].map(String::from).to_vec();
    let ports: Vec<Vec<String>> = [head].into_iter().chain(rows.ports.iter().map(line)).collect();
    let entries = [
        ("Table", format!("<code>{}</code>", text(&rows.file))),
        ("Trained on", units::plural(rows.trained_on, "row")),
        ("Held out", format!("{}, {}", units::count(rows.held_out), text(&rows.how))),
        ("Hash", format!("<code>{}</code>", text(&rows.hash))),
    ];
    pairs(&entries) + &format!("<div class=\"ports\">{}</div>\n", table(&ports))
}

fn model(run: &Run) -> String {
    let model = &run.model;
    let entries = [
        ("File", format!("<code>{}</code>", text(&model.file))),
        ("Parameters", units::count(model.parameters)),
        ("Arena", units::bytes(model.arena_bytes)),
    ];
    let line = |line: &str| format!("<span>{}</span>\n", text(line.replace('\t', "    ")));
    let source = model.text.as_ref().map(|source| {
        let numbered: String = source.lines().map(line).collect();
        format!("<pre class=\"source\">{numbered}</pre>\n")
    });
    let memory = model.memory.as_ref().map(|drawing| {
        format!("<h3>The memory of a training step</h3>\n<div class=\"wide\">\n{drawing}</div>\n")
    });
    pairs(&entries) + &memory.unwrap_or_default() + &source.unwrap_or_default()
}
