//! The part of the page about what the net makes of rows.

use super::looks::{Bad, Looks};
use super::numbers::Numbers;
use super::points::{calibration, errors, estimates};
use crate::classes::{Classes, confusions};
use crate::markup::{table, text};
use crate::plot::figure;
use crate::units;

/// Up to so many classes a matrix is shown, and from there on pairs of classes.
const MATRIX: usize = 20;
/// The most pairs of classes, and the most classes that are told of.
const MOST_PAIRS: usize = 20;
const MOST_CLASSES: usize = 100;

/// The figures of each target, and the worst rows.
pub fn looked(looks: &Looks, all: u64) -> String {
    let mut content = String::new();
    if looks.rows < all {
        let rows = units::count(looks.rows);
        content.push_str(&format!("<p class=\"note\">Of the first {rows} of these rows.</p>\n"));
    }
    content.extend(looks.classes.iter().map(classes));
    content.extend(looks.numbers.iter().map(numbers));
    let heading = "<h3>The rows with the largest loss</h3>\n";
    let note =
        "<p class=\"note\">Rows are counted from 1, without a header and those left out.</p>";
    content + heading + &worst(looks) + note
}

fn percent(share: f64) -> String {
    format!("{:.1}%", 100.0 * share)
}

fn classes(classes: &Classes) -> String {
    let (target, output) = (text(&classes.target), text(&classes.output));
    let heading = format!("<h3><code>{target}</code>, found by <code>{output}</code></h3>\n");
    let mut parts =
        vec![if classes.names.len() <= MATRIX { matrix(classes) } else { pairs(classes) }];
    parts.push(of_classes(classes));
    if !classes.bins.is_empty() {
        let error = percent(classes.calibration_error());
        let about = format!("on average <b>{error}</b> apart");
        parts.push(figure("Probability and share of right rows", &about, &calibration(classes)));
    }
    format!("{heading}<div class=\"parts\">\n{}</div>\n", parts.concat())
}

/// A matrix with a line for each class and a column for each that was found; the more rows, the
/// stronger the colour.
fn matrix(classes: &Classes) -> String {
    let all = 0..classes.names.len();
    let name = |class: usize| text(&classes.names[class]);
    let of_classes = classes.of_classes();
    let cell = |truth: usize, found: usize| {
        let rows = classes.count(truth, found);
        let share = rows as f64 / of_classes[truth].support.max(1) as f64;
        let kind = match rows {
            0 => "none",
            _ if truth == found => "right",
            _ => "wrong",
        };
        format!(
            "<td class=\"{kind}\" style=\"--share: {:.0}%\" title=\"{} found to be {}: {} of {}\">\
             {rows}</td>",
            100.0 * share,
            name(truth),
            name(found),
            rows,
            of_classes[truth].support
        )
    };
    let line = |truth: usize| {
        let cells: String = all.clone().map(|found| cell(truth, found)).collect();
        format!("<tr><th scope=\"row\">{}</th>{cells}</tr>\n", name(truth))
    };
    let heads: String =
        all.clone().map(|class| format!("<th scope=\"col\">{}</th>", name(class))).collect();
    let lines: String = all.clone().map(line).collect();
    format!(
        "<div class=\"wide\"><table class=\"matrix\">\n<caption>Rows by their class, and by the \
         class found</caption>\n<tr><th scope=\"col\">true, found:</th>{heads}</tr>\n{lines}\
         </table></div>\n"
    )
}

/// The classes that are most often taken for another.
fn pairs(classes: &Classes) -> String {
    let head = ["class", "found to be", "rows"].map(String::from).to_vec();
    let lines =
        confusions(&classes.counts).into_iter().take(MOST_PAIRS).map(|(truth, found, rows)| {
            vec![classes.names[truth].clone(), classes.names[found].clone(), units::count(rows)]
        });
    table(&[head].into_iter().chain(lines).collect::<Vec<_>>())
}

fn of_classes(classes: &Classes) -> String {
    let head = ["class", "precision", "recall", "F1", "rows"].map(String::from).to_vec();
    let figures = classes.of_classes();
    let mut order: Vec<usize> = (0..figures.len()).collect();
    if order.len() > MOST_CLASSES {
        order.sort_by_key(|&class| std::cmp::Reverse(figures[class].support));
        order.truncate(MOST_CLASSES);
    }
    let line = |class: usize| {
        let own = figures[class];
        let figures = [own.precision, own.recall, own.f1].map(percent);
        let name = classes.names[class].clone();
        [vec![name], figures.to_vec(), vec![units::count(own.support)]].concat()
    };
    let lines = order.into_iter().map(line);
    table(&[head].into_iter().chain(lines).collect::<Vec<_>>())
}

fn numbers(numbers: &Numbers) -> String {
    let (target, output) = (text(&numbers.target), text(&numbers.output));
    let heading = format!("<h3><code>{target}</code>, estimated by <code>{output}</code></h3>\n");
    let figure_of = |name: &str, value| format!("{name} <b>{}</b> ", units::figure(value));
    let sizes = figure_of("mae", numbers.mae) + &figure_of("rmse", numbers.rmse);
    let charts = [
        figure("Estimate and truth", &sizes, &estimates(numbers)),
        figure("Error: estimate less truth", &figure_of("mean", numbers.mean), &errors(numbers)),
    ];
    format!("{heading}<div class=\"charts\">\n{}</div>\n", charts.concat())
}

fn worst(looks: &Looks) -> String {
    let mut head = vec!["row".to_string(), "loss".to_string()];
    for classes in &looks.classes {
        head.extend([classes.target.clone(), "found".to_string()]);
        head.extend((!classes.bins.is_empty()).then(|| "probability".to_string()));
    }
    for numbers in &looks.numbers {
        head.extend([numbers.target.clone(), "estimate".to_string()]);
    }
    let line = |bad: &Bad| {
        let loss = bad.loss.map_or("–".to_string(), units::figure);
        let mut line = vec![units::count(bad.row), loss];
        for (at, found) in bad.found.iter().enumerate() {
            line.extend([found.truth.clone(), found.found.clone()]);
            let classes = looks.classes.get(at).filter(|classes| !classes.bins.is_empty());
            line.extend(classes.map(|_| found.probability.map_or("–".to_string(), percent)));
        }
        line
    };
    let lines = looks.worst.iter().map(line);
    table(&[head].into_iter().chain(lines).collect::<Vec<_>>())
}
