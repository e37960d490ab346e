//! What was found of classes as text that fits a width, and as JSON.

use serde_json::{Value, json};

use super::cuts::{Cut, Cuts};
use super::{Classes, OfClass, confusions};
use crate::table::{Column, fitted};
use crate::{chart, units};

/// The most pairs of classes that are told.
const MOST_PAIRS: usize = 10;
/// The thresholds that are told beside the best one.
const THRESHOLDS: [f32; 5] = [0.1, 0.25, 0.5, 0.75, 0.9];
/// The columns of one curve; another beside it begins behind them.
const CURVE: usize = 36;
/// The most points of a curve in JSON.
const MOST_POINTS: usize = 500;

fn percent(share: f64) -> String {
    format!("{:.1}%", 100.0 * share)
}

/// A line for each class, and for their means.
pub fn figures(classes: &Classes, width: usize) -> String {
    let line = |name: &str, of: &OfClass| {
        let figures = [of.precision, of.recall, of.f1].map(percent);
        [&[name.to_string()], &figures[..], &[units::count(of.support)]].concat()
    };
    let mut lines =
        vec![[&classes.target, "precision", "recall", "F1", "rows"].map(String::from).to_vec()];
    let all = classes.names.iter().zip(classes.of_classes());
    lines.extend(all.map(|(name, of)| line(name, &of)));
    let means = classes.means();
    lines.extend(["macro", "weighted"].iter().zip(&means).map(|(name, of)| line(name, of)));
    let number = |rank| Column::numbers(rank);
    fitted(&lines, &[Column::words(6, 0), number(0), number(0), number(0), number(1)], width)
}

/// A line for each class and a column for each that was found; where these do not fit, the pairs
/// of classes that are confused most often.
pub fn matrix(
    title: &str,
    names: &[String],
    counts: &[(usize, usize, u64)],
    width: usize,
) -> String {
    let count = |truth, found| {
        let at = counts.binary_search_by_key(&(truth, found), |&(a, b, _)| (a, b));
        at.map_or(0, |at| counts[at].2)
    };
    let numbered: Vec<String> =
        names.iter().enumerate().map(|(at, name)| format!("{} {name}", at + 1)).collect();
    let numbers: Vec<String> = (1..=names.len()).map(|at| at.to_string()).collect();
    let matrix = |(first, heads): (&[String], &[String])| {
        let head = [&[format!("{title}, found:")], heads].concat();
        let line = |(truth, name): (usize, &String)| {
            let counts = (0..names.len()).map(|found| units::count(count(truth, found)));
            [name.clone()].into_iter().chain(counts).collect()
        };
        let lines = first.iter().enumerate().map(line);
        let lines: Vec<Vec<String>> = [head].into_iter().chain(lines).collect();
        let columns = [Column::words(8, 0)].into_iter();
        let columns: Vec<Column> =
            columns.chain(names.iter().map(|_| Column::numbers(0))).collect();
        let text = fitted(&lines, &columns, width);
        text.lines().all(|line| line.chars().count() <= width).then_some(text)
    };
    [(names, names), (&numbered, &numbers)]
        .into_iter()
        .find_map(matrix)
        .unwrap_or_else(|| pairs(title, names, counts, width))
}

fn pairs(title: &str, names: &[String], counts: &[(usize, usize, u64)], width: usize) -> String {
    let wrong = confusions(counts);
    let mut lines = vec![[title, "found to be", "rows"].map(String::from).to_vec()];
    lines.extend(wrong.iter().take(MOST_PAIRS).map(|&(truth, found, rows)| {
        vec![names[truth].clone(), names[found].clone(), units::count(rows)]
    }));
    let columns = [Column::words(6, 0), Column::words(6, 0), Column::numbers(0)];
    let more = match wrong.len().saturating_sub(MOST_PAIRS) {
        0 => String::new(),
        more => format!("and {} confused less often\n", units::plural(more as u64, "pair")),
    };
    fitted(&lines, &columns, width) + &more
}

/// The thresholds that are told, the best one among them, and whether it is that.
fn thresholds(cuts: &Cuts) -> Vec<(Cut, bool)> {
    let best = cuts.best().map(|best| (best, true));
    let mut all: Vec<_> = THRESHOLDS.iter().map(|&at| (cuts.at(at), false)).chain(best).collect();
    all.sort_by(|(a, _), (b, _)| a.threshold.total_cmp(&b.threshold));
    all
}

/// What is found of the second class, by the probability from which on it is found.
pub fn by_threshold(classes: &Classes, cuts: &Cuts, width: usize) -> String {
    let head = [&format!("{} from", classes.names[1]), "precision", "recall", "F1"];
    let line = |(cut, is_best): (Cut, bool)| {
        let name = match is_best {
            true => format!("{}, best F1", cuts.short(cut)),
            false => cut.threshold.to_string(),
        };
        let of = cuts.figures(cut);
        [&[name][..], &[of.precision, of.recall, of.f1].map(percent)].concat()
    };
    let lines = thresholds(cuts).into_iter().map(line);
    let lines: Vec<Vec<String>> =
        [head.map(String::from).to_vec()].into_iter().chain(lines).collect();
    let number = || Column::numbers(0);
    fitted(&lines, &[Column::words(9, 0), number(), number(), number()], width)
}

/// The curves ROC and precision by recall.
pub fn curves(cuts: &Cuts, width: usize) -> String {
    let told = |name: &str, area: Option<f64>| match area {
        Some(area) => format!("{name} {}", units::figure(area)),
        None => format!("{name} unknown"),
    };
    let columns = CURVE.min(width);
    let roc = told("ROC, area", cuts.auc());
    let roc = chart::square(&roc, "false positives", cuts.roc(), columns);
    let precision = told("precision, average", cuts.average_precision());
    let precision = chart::square(&precision, "recall", cuts.precision_recall(), columns);
    let lines = match width >= 2 * CURVE + 4 {
        true => chart::beside(&roc, &precision, CURVE + 4),
        false => [roc, precision].concat(),
    };
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// All of it as JSON; `points` for the points of the curves too.
pub fn to_json(classes: &Classes, cuts: Option<&Cuts>, points: bool) -> Value {
    let of = |of: &OfClass| {
        let (precision, recall, f1) = (of.precision, of.recall, of.f1);
        json!({ "precision": precision, "recall": recall, "f1": f1, "rows": of.support })
    };
    let [mean, weighted] = classes.means();
    let of_class = |(name, figures): (&String, OfClass)| {
        let mut line = of(&figures);
        line["class"] = json!(name);
        line
    };
    let confusions = classes.counts.iter().map(|&(truth, found, rows)| {
        json!({ "class": classes.names[truth], "found": classes.names[found], "rows": rows })
    });
    let mut all = json!({
        "target": classes.target,
        "output": classes.output,
        "figures": classes.names.iter().zip(classes.of_classes()).map(of_class).collect::<Vec<_>>(),
        "macro": of(&mean),
        "weighted": of(&weighted),
        "counts": confusions.collect::<Vec<_>>(),
    });
    if !classes.bins.is_empty() {
        all["calibration_error"] = json!(classes.calibration_error());
    }
    let Some(cuts) = cuts else { return all };
    let cut = |cut: Cut| {
        let of = cuts.figures(cut);
        // In the digits of a float of 32 bits.
        let threshold: Option<f64> = cut.threshold.to_string().parse().ok();
        let (precision, recall, f1) = (of.precision, of.recall, of.f1);
        json!({ "threshold": threshold, "precision": precision, "recall": recall, "f1": f1 })
    };
    all["positive"] = json!(classes.names[1]);
    all["auc"] = json!(cuts.auc());
    all["average_precision"] = json!(cuts.average_precision());
    all["best_f1"] = json!(cuts.best().map(cut));
    all["thresholds"] = THRESHOLDS.iter().map(|&at| cut(cuts.at(at))).collect();
    if points {
        all["roc"] = json!(thinned(cuts.roc()));
        all["precision_recall"] = json!(thinned(cuts.precision_recall()));
    }
    all
}

/// Some of the points at equal distances, and the last one.
pub fn thinned(points: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    let every = points.len().div_ceil(MOST_POINTS).max(1);
    let last = points.len().saturating_sub(1);
    let stays = |(at, _): &(usize, [f64; 2])| at.is_multiple_of(every) || *at == last;
    points.into_iter().enumerate().filter(stays).map(|(_, point)| point).collect()
}
