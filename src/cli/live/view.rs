//! What a window shows of a run, in any size.

use arenet::EpochReport;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Axis as Edge, Block, Chart, Dataset, GraphType, LineGauge};

use super::window::Shown;
use crate::plot::axis::Axis;
use crate::{chart, progress, units};

/// The least rows and columns of a chart beside others.
const LEAST: [u16; 2] = [9, 38];
/// The rows and the most columns of the plot that is left behind.
const LEFT: [usize; 2] = [6, 64];

/// What the keys have chosen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Choice {
    /// Which chart comes first.
    pub first: usize,
    /// Whether losses are never drawn over powers of ten.
    pub is_linear: bool,
    /// Whether the run is about to end.
    pub is_stopping: bool,
}

/// A chart of some curves over the epochs.
struct Figure {
    title: String,
    curves: Vec<Curve>,
    axis: Axis,
}

struct Curve {
    name: &'static str,
    color: Color,
    points: Vec<[f64; 2]>,
}

/// The charts of a run: loss, metrics, and the learning rate.
fn figures(shown: &Shown, is_linear: bool) -> Vec<Figure> {
    let is_other =
        |last: &&EpochReport| shown.epochs.last().is_none_or(|kept| kept.epoch != last.epoch);
    let epochs: Vec<&EpochReport> =
        shown.epochs.iter().chain(shown.last.as_ref().filter(is_other)).collect();
    let curve = |name, color, of: &dyn Fn(&EpochReport) -> Option<f64>| {
        let point = |report: &&EpochReport| {
            Some([report.epoch as f64, of(report).filter(|value| value.is_finite())?])
        };
        Curve { name, color, points: epochs.iter().filter_map(point).collect() }
    };
    let values = |curves: &[Curve]| {
        curves.iter().flat_map(|curve| &curve.points).map(|point| point[1]).collect::<Vec<f64>>()
    };
    let is_validated = shown.last.as_ref().is_some_and(|last| last.valid_loss.is_some());
    let mut losses = vec![curve("training", Color::Blue, &|report| Some(report.loss))];
    if is_validated {
        losses.push(curve("held out", Color::Yellow, &|report| report.valid_loss));
    }
    let axis = if is_linear { Axis::round } else { Axis::of_loss };
    let axis = axis(values(&losses).into_iter());
    let mut figures = vec![Figure { title: "loss".into(), curves: losses, axis }];
    let metrics = shown.last.iter().flat_map(|last| &last.metrics).zip(&shown.about.percent);
    for (at, ((name, _), &percent)) in metrics.enumerate() {
        let scale = if percent { 100.0 } else { 1.0 };
        let name_of_rows = if is_validated { "held out" } else { "training" };
        let color = if is_validated { Color::Yellow } else { Color::Blue };
        let own = vec![curve(name_of_rows, color, &|report| {
            report.metrics.get(at).map(|(_, value)| value * scale)
        })];
        let axis = Axis::round(values(&own).into_iter());
        let title = if percent { format!("{name} in %") } else { name.clone() };
        figures.push(Figure { title, curves: own, axis });
    }
    let rates = vec![curve("", Color::Green, &|report| Some(report.lr))];
    let axis = Axis::round(values(&rates).into_iter().chain([0.0]).collect::<Vec<_>>().into_iter());
    figures.push(Figure { title: "learning rate".into(), curves: rates, axis });
    figures
}

/// Draws all that there is room for.
pub fn draw(frame: &mut Frame, shown: &Shown, position: u64, choice: &Choice) {
    let [head, gauge, charts, now, best, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    let all = (shown.about.epochs * shown.about.batches_per_epoch).max(1);
    let share = (position as f64 / all as f64).clamp(0.0, 1.0);
    let width = usize::from(frame.area().width);
    let strong = Style::new().add_modifier(Modifier::BOLD);
    let (net, times) = (&shown.about.net, times(shown, share));
    let title = match net.chars().count() + 2 + times.chars().count() <= width {
        true => vec![Span::styled(format!("{net}  "), strong), Span::raw(times)],
        false => vec![Span::raw(times)],
    };
    frame.render_widget(Line::from(title), head);
    let gauge_line = LineGauge::default()
        .ratio(share)
        .label(format!("{:3.0}%", (100.0 * share).floor()))
        .filled_style(Style::new().fg(Color::Cyan))
        .unfilled_style(Style::new().fg(Color::DarkGray));
    frame.render_widget(gauge_line, gauge);
    let line = |report: &EpochReport| {
        progress::in_words(report, &shown.about.percent, shown.about.epochs, width)
    };
    match &shown.last {
        Some(last) => {
            frame.render_widget(line(last), now);
            let rate = format!("rate {}", units::figure(last.lr));
            let best_of = |best: &EpochReport| {
                let loss = units::figure(best.valid_loss.unwrap_or(best.loss));
                format!("best {loss} in epoch {}  {rate}", best.epoch)
            };
            frame.render_widget(shown.best.as_ref().map_or(rate.clone(), best_of), best);
        }
        None => frame.render_widget("the first epoch", now),
    }
    let faint = Style::new().fg(Color::DarkGray);
    let figures = figures(shown, choice.is_linear);
    let areas = areas(charts, figures.len());
    let said = match choice.is_stopping {
        true => "stopping after this step",
        false if areas.len() < figures.len() => "q stop  l scale  Tab next chart",
        false => "q stop  l scale",
    };
    frame.render_widget(Span::styled(said, faint), keys);
    for (at, area) in areas.into_iter().enumerate() {
        figures[(choice.first + at) % figures.len()].draw(frame, area);
    }
}

/// How far the run is.
fn times(shown: &Shown, share: f64) -> String {
    let spent = shown.start.elapsed().as_secs_f64();
    let epoch = shown.last.as_ref().map_or(0, |last| last.epoch);
    let left = match share > 0.0 {
        true => format!(", {} left", units::time(spent * (1.0 - share) / share)),
        false => String::new(),
    };
    format!("epoch {epoch}/{}  {}{left}", shown.about.epochs, units::time(spent))
}

/// The areas of as many charts as there is room for, at least one.
fn areas(area: Rect, count: usize) -> Vec<Rect> {
    let across = usize::from(area.width / LEAST[1]).clamp(1, count);
    let down = usize::from(area.height / LEAST[0]).clamp(1, count.div_ceil(across));
    let rows = Layout::vertical(vec![Constraint::Fill(1); down]).split(area);
    let mut areas = Vec::new();
    for row in rows.iter() {
        let left = count - areas.len();
        let here = across.min(left);
        let cells = Layout::horizontal(vec![Constraint::Fill(1); here]).split(*row);
        areas.extend(cells.iter().copied());
    }
    areas
}

impl Figure {
    fn draw(&self, frame: &mut Frame, area: Rect) {
        let place = |point: &[f64; 2]| (point[0], self.axis.place(point[1]));
        let points: Vec<Vec<(f64, f64)>> =
            self.curves.iter().map(|curve| curve.points.iter().map(place).collect()).collect();
        let curve = |(curve, points): (&Curve, &'_ Vec<(f64, f64)>)| {
            let is_line = points.len() > 1;
            let kind = if is_line { GraphType::Line } else { GraphType::Scatter };
            (curve.name, curve.color, kind, points.clone())
        };
        let drawn: Vec<_> = self.curves.iter().zip(&points).map(curve).collect();
        let sets = drawn.iter().map(|(name, color, kind, points)| {
            let set = Dataset::default()
                .marker(Marker::Braille)
                .graph_type(*kind)
                .style(Style::new().fg(*color))
                .data(points);
            if self.curves.len() > 1 { set.name(*name) } else { set }
        });
        let ends = self.ends();
        let faint = Style::new().fg(Color::DarkGray);
        let labels: Vec<String> = match self.axis.is_log {
            true => [self.axis.low, self.axis.high].map(|end| self.axis.label(end)).to_vec(),
            false => self.axis.ticks.iter().map(|tick| self.axis.label(*tick)).collect(),
        };
        // One label a row at most.
        let every = labels.len().div_ceil(usize::from(area.height.saturating_sub(4)).max(2));
        let labels = if every > 1 {
            vec![labels[0].clone(), labels[labels.len() - 1].clone()]
        } else {
            labels
        };
        let epochs = ends.map(|end| units::count(end as u64));
        let scale = if self.axis.is_log { ", logarithmic" } else { "" };
        // A single curve is named in the title.
        let title = match &self.curves[..] {
            [Curve { name, .. }] if !name.is_empty() => format!(" {}, {name}{scale} ", self.title),
            _ => format!(" {}{scale} ", self.title),
        };
        let widget = Chart::new(sets.collect())
            .block(Block::bordered().title(title).border_style(faint))
            .hidden_legend_constraints((Constraint::Percentage(60), Constraint::Percentage(60)))
            .x_axis(Edge::default().bounds(ends).labels(epochs).style(faint))
            .y_axis(Edge::default().bounds([0.0, 1.0]).labels(labels).style(faint));
        frame.render_widget(widget, area);
    }

    /// The first and the last epoch.
    fn ends(&self) -> [f64; 2] {
        let epochs = self.curves.iter().flat_map(|curve| &curve.points).map(|point| point[0]);
        let (low, high) = epochs
            .fold((f64::INFINITY, 0f64), |(low, high), epoch| (low.min(epoch), high.max(epoch)));
        if low < high { [low, high] } else { [high.max(1.0) - 1.0, high.max(1.0)] }
    }
}

/// The curves of the loss as lines of text; none of one epoch.
pub fn plot(shown: &Shown) -> String {
    let mut figures = figures(shown, false);
    let loss = figures.swap_remove(0);
    if loss.curves[0].points.len() < 2 {
        return String::new();
    }
    let [first, last] = loss.ends();
    let across = |epoch: f64| (epoch - first) / (last - first);
    let place = |point: &[f64; 2]| [across(point[0]), loss.axis.place(point[1])];
    let curves: Vec<Vec<[f64; 2]>> =
        loss.curves.iter().map(|curve| curve.points.iter().map(place).collect()).collect();
    let names: Vec<&str> = loss.curves.iter().map(|curve| curve.name).collect();
    let up = [loss.axis.high, loss.axis.low].map(|end| loss.axis.label(end));
    let [first, last] = [first, last].map(|end| units::count(end as u64));
    let frame = chart::Frame {
        title: &format!("loss: {}", names.join(" and ")),
        up: [&up[0], &up[1]],
        across: [&first, "epoch", &last],
        columns: progress::columns().min(LEFT[1]),
        rows: LEFT[0],
    };
    chart::framed(&frame, &curves).iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::About;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    fn shown(epochs: u64) -> Shown {
        let about =
            About { net: "iris".into(), epochs: 100, batches_per_epoch: 8, percent: vec![true] };
        let mut shown = Shown::new(about);
        for epoch in 1..=epochs {
            let loss = 1.0 / epoch as f64;
            shown.add(&EpochReport {
                epoch,
                step: 8 * epoch,
                loss,
                valid_loss: Some(1.1 * loss),
                metrics: vec![("accuracy".into(), 1.0 - loss / 2.0)],
                is_best: true,
                lr: 0.01,
                seconds: 0.1,
                rows_per_second: 1200.0,
            });
        }
        shown
    }

    fn drawn(columns: u16, rows: u16, shown: &Shown, choice: Choice) -> String {
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        terminal.draw(|frame| draw(frame, shown, 8 * 50, &choice)).unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn a_window_of_any_size_has_what_fits() {
        let all = drawn(120, 40, &shown(50), Choice::default());
        for told in [
            "iris  epoch 50/100",
            " 50%",
            " loss, logarithmic ",
            "accuracy in %, held out",
            "learning rate",
            "loss 0.0200",
            "held out 0.0220",
            "best 0.022000 in epoch 50  rate 0.0100",
            "q stop",
        ] {
            assert!(all.contains(told), "{told}: {all}");
        }
        assert!(!all.contains("Tab"), "{all}");
        let small = drawn(40, 12, &shown(50), Choice::default());
        assert!(small.contains("loss, logarithmic") && !small.contains("accuracy in %"), "{small}");
        let other = drawn(40, 12, &shown(50), Choice { first: 1, ..Choice::default() });
        assert!(other.contains("accuracy in %") && other.contains("Tab next chart"), "{other}");
        let linear =
            drawn(80, 24, &shown(50), Choice { is_linear: true, is_stopping: true, first: 0 });
        assert!(
            linear.contains(" loss ") && linear.contains("stopping after this step"),
            "{linear}"
        );
        for (columns, rows) in [(1, 1), (10, 3), (20, 7), (300, 100)] {
            drawn(columns, rows, &shown(0), Choice::default());
            drawn(columns, rows, &shown(1), Choice::default());
            drawn(columns, rows, &shown(3), Choice { first: 7, ..Choice::default() });
        }
    }

    #[test]
    fn the_curve_stays_behind() {
        assert_eq!(plot(&shown(1)), "");
        let text = plot(&shown(50));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines[0], lines.len()), ("loss: training and held out", 9));
        assert!(lines[8].trim_start().starts_with("1 ") && lines[8].ends_with("50"), "{text}");
        assert!(lines.iter().all(|line| line.chars().count() <= 64), "{text}");
    }

    #[test]
    fn a_long_run_is_thinned() {
        let shown = shown(5000);
        assert!((400..=1000).contains(&shown.epochs.len()), "{}", shown.epochs.len());
        assert_eq!(shown.last.unwrap().epoch, 5000);
    }
}
