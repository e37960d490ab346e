//! Charts of rows: probabilities and how often they are right, estimates, errors.

use super::numbers::{Bars, Numbers, Point};
use crate::classes::{BINS, Bin, Classes};
use crate::plot::axis::Axis;
use crate::plot::{BOTTOM, LEFT, Plot, RIGHT};
use crate::units;

/// A bar for each part of the probabilities: how high they are, as high are the bars of a net whose
/// probabilities can be trusted.
pub fn calibration(classes: &Classes) -> String {
    let share = || Axis::round([0.0, 100.0].into_iter());
    let label = "probability of the class found";
    let plot = Plot { across: share(), up: share(), label, units: ["%", "%"] };
    let bar = |(at, bin): (usize, &Bin)| {
        if bin.rows == 0 {
            return String::new();
        }
        let width = 100.0 / BINS as f64;
        let (from, to) = (at as f64 * width, (at + 1) as f64 * width);
        let right = 100.0 * bin.right as f64 / bin.rows as f64;
        let mean = 100.0 * bin.sum / bin.rows as f64;
        let title = format!(
            "{from:.0}% to {to:.0}%: {right:.1}% of {} are right, at a mean probability of \
             {mean:.1}%",
            units::plural(bin.rows, "row")
        );
        bar(&plot, (from, to), right, &title)
    };
    let bars: String = classes.bins.iter().enumerate().map(bar).collect();
    plot.svg(
        "Share of right rows by probability",
        &(bars + &plot.line("best", [[0.0; 2], [100.0; 2]])),
    )
}

/// A point for each row: above the line the estimate is too large.
pub fn estimates(numbers: &Numbers) -> String {
    let values = numbers.points.iter().flat_map(|point| [point.truth, point.found]);
    let axis = Axis::round(values.clone());
    let low = values.clone().fold(f64::INFINITY, f64::min);
    let high = values.fold(f64::NEG_INFINITY, f64::max);
    let plot = Plot { across: axis.clone(), up: axis, label: &numbers.target, units: ["", ""] };
    let point = |point: &Point| {
        format!(
            "<circle class=\"point\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"><title>row {}: {} is \
             estimated as {}</title></circle>\n",
            plot.x(point.truth),
            plot.y(point.found),
            point.row,
            units::figure(point.truth),
            units::figure(point.found)
        )
    };
    let points: String = numbers.points.iter().map(point).collect();
    plot.svg("Estimate by truth", &(plot.line("best", [[low; 2], [high; 2]]) + &points))
}

/// How many rows have an error of which size.
pub fn errors(numbers: &Numbers) -> String {
    let Bars { low, high, rows } = &numbers.bars;
    let across = Axis::round([*low, *high].into_iter());
    let up = Axis::of_counts(rows.iter().copied().max().unwrap_or(0));
    let plot = Plot { across, up, label: "error", units: ["", ""] };
    let bar = |(at, &count): (usize, &u64)| {
        let ends = (numbers.bars.start(at), numbers.bars.start(at + 1));
        let [low, high] = [ends.0, ends.1].map(units::figure);
        let title = format!("{low} to {high}: {}", units::plural(count, "row"));
        if count == 0 { String::new() } else { bar(&plot, ends, count as f64, &title) }
    };
    let bars: String = rows.iter().enumerate().map(bar).collect();
    plot.svg("Rows by error", &bars)
}

fn bar(plot: &Plot, (from, to): (f64, f64), value: f64, title: &str) -> String {
    let (left, right, top) = (plot.x(from) + 0.5, plot.x(to) - 0.5, plot.y(value));
    format!(
        "<rect class=\"bar\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\">\
         <title>{title}</title></rect>\n",
        (right - left).clamp(0.5, RIGHT - LEFT),
        BOTTOM - top
    )
}
