//! The curves of a run over its epochs.

use super::run::{Epoch, Norm, Run};
use crate::plot::STYLES;
use crate::plot::axis::Axis;
use crate::plot::chart::{Chart, Series};
use crate::units;

/// The charts of loss, metrics and learning rate.
pub fn curves(run: &Run) -> String {
    let epochs: Vec<u64> = run.epochs.iter().map(|epoch| epoch.epoch).collect();
    let of = |value: &dyn Fn(&Epoch) -> Option<f64>| run.epochs.iter().map(value).collect();
    let series = |name: &str, values: Vec<Option<f64>>| Series { name: name.to_string(), values };
    let is_validated = run.rows.held_out > 0;

    let mut losses = vec![series("training", of(&|epoch| epoch.loss))];
    if is_validated {
        losses.push(series("held out", of(&|epoch| epoch.valid_loss)));
    }
    let mut charts = vec![Chart {
        title: "Loss".to_string(),
        epochs: epochs.clone(),
        axis: Axis::of_loss(values(&losses)),
        series: losses,
        value: units::figure,
        unit: "",
        best: run.end.best.as_ref().map(|best| best.epoch),
    }];
    for (at, metric) in run.metrics.iter().enumerate() {
        // In percent where it is shown so.
        let scale = if metric.percent { 100.0 } else { 1.0 };
        let name = if is_validated { "held out" } else { "training" };
        let own = vec![series(name, of(&|epoch| Some(epoch.metrics[at]? * scale)))];
        charts.push(Chart {
            title: metric.name.clone(),
            epochs: epochs.clone(),
            axis: Axis::round(values(&own)),
            series: own,
            value: if metric.percent { one_decimal } else { units::figure },
            unit: if metric.percent { "%" } else { "" },
            best: None,
        });
    }
    let rates = vec![series("at the last step", of(&|epoch| Some(epoch.lr)))];
    charts.push(Chart {
        title: "Learning rate".to_string(),
        epochs: epochs.clone(),
        axis: Axis::round(values(&rates).chain([0.0])),
        series: rates,
        value: units::figure,
        unit: "",
        best: None,
    });
    let charts: String = charts.iter().map(Chart::figure).collect();
    in_rows(&charts)
}

/// The charts of the norms of weights, of as many as there are colours.
pub fn norms(run: &Run) -> String {
    let epochs: Vec<u64> = run.epochs.iter().map(|epoch| epoch.epoch).collect();
    let chart = |title: &str, unit, value: fn(f64) -> String, of: fn(&Norm) -> Option<f64>| {
        let series = |(at, name): (usize, &String)| Series {
            name: name.clone(),
            values: run.epochs.iter().map(|epoch| of(epoch.norms.get(at)?)).collect(),
        };
        let series: Vec<Series> = run.weights.iter().enumerate().take(STYLES).map(series).collect();
        let axis = Axis::of_loss(values(&series));
        let (title, epochs) = (title.to_string(), epochs.clone());
        Chart { title, epochs, axis, series, value, unit, best: None }.figure()
    };
    let norm = |norm: &Norm| Some(norm.weight);
    let change = |norm: &Norm| (norm.weight > 0.0).then(|| 100.0 * norm.change / norm.weight);
    let charts = chart("Norm of the weights", "", units::figure, norm)
        + &chart("Change in an epoch", "%", units::figure, change);
    in_rows(&charts)
}

/// Charts beside each other.
pub fn in_rows(charts: &str) -> String {
    format!("<div class=\"charts\">\n{charts}</div>\n")
}

/// All values of some curves.
pub fn values(series: &[Series]) -> impl Iterator<Item = f64> + Clone {
    series.iter().flat_map(|series| series.values.iter().flatten().copied())
}

/// A share in percent.
pub fn one_decimal(value: f64) -> String {
    format!("{value:.1}")
}
