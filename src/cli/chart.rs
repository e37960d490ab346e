//! Curves drawn with characters, which are the same on a terminal and in a file.

use super::dots::Dots;
use super::units;

/// The characters of a curve.
const COLUMNS: usize = 66;
const ROWS: usize = 10;
/// The columns of the numbers on the left.
const LABELS: usize = 11;
/// The most values looked at for a column of dots.
const LOOKS: u64 = 32;

/// The curve of a value over the steps of a run, between `low`, where it is given, and the largest
/// value; beneath it stand the steps, and at their end `end`. A value that never changes is merely
/// a line of text.
pub fn curve(steps: u64, low: Option<f64>, end: &str, value: impl Fn(u64) -> f64) -> String {
    let columns = columns(steps.max(1), value);
    let fold = |pick: fn(f64, f64) -> f64| {
        columns.iter().flatten().copied().reduce(pick).unwrap_or_default()
    };
    let (least, high) = (fold(f64::min), fold(f64::max));
    if least == high {
        return format!("{:>LABELS$} at every step\n", units::figure(high));
    }
    let low = low.unwrap_or(least).min(least);
    let mut dots = Dots::new(COLUMNS, ROWS);
    let height = |value: f64| ((value - low) / (high - low) * (4 * ROWS - 1) as f64).round();
    for (x, values) in columns.iter().enumerate() {
        let heights = values.iter().map(|&value| height(value) as usize);
        let (from, to) = heights.fold((4 * ROWS, 0), |(from, to), y| (from.min(y), to.max(y)));
        (from..=to).for_each(|y| dots.set(x, y));
    }
    let mut text = String::new();
    for (row, line) in dots.lines().enumerate() {
        let label = match row {
            0 => units::figure(high),
            _ if row == ROWS / 2 => units::figure((low + high) / 2.0),
            _ if row == ROWS - 1 => units::figure(low),
            _ => String::new(),
        };
        let sign = if label.is_empty() { '│' } else { '┤' };
        text.push_str(format!("{label:>LABELS$} {sign}{line}").trim_end());
        text.push('\n');
    }
    let middle = units::count(steps / 2);
    let room = COLUMNS.saturating_sub("step 0".len());
    let half = (COLUMNS / 2).saturating_sub("step 0".len() + middle.len() / 2);
    let right = room.saturating_sub(half + middle.len());
    text + &format!(
        "{:LABELS$} └{}\n{:LABELS$}  step 0{:half$}{middle}{end:>right$}\n",
        "",
        "─".repeat(COLUMNS),
        "",
        ""
    )
}

/// For each column of dots the least and the largest of its values, and the last one before them,
/// so that the curve has no gaps.
fn columns(steps: u64, value: impl Fn(u64) -> f64) -> Vec<[f64; 3]> {
    let dots = 2 * COLUMNS as u64;
    let mut before = value(0);
    let mut column = |x: u64| {
        let at = |x: u64| (u128::from(x) * u128::from(steps) / u128::from(dots)) as u64;
        let (from, to) = (at(x), at(x + 1).max(at(x) + 1));
        let looks = LOOKS.min(to - from);
        let values = (0..looks).map(|look| value(from + look * (to - from) / looks));
        let values = values.chain([value(to - 1)]);
        let bounds = |(least, most): (f64, f64), value: f64| (least.min(value), most.max(value));
        let (least, most) = values.fold((f64::INFINITY, f64::NEG_INFINITY), bounds);
        let last = std::mem::replace(&mut before, value(to - 1));
        [least, most, last]
    };
    (0..dots).map(&mut column).collect()
}

/// What stands around curves.
pub struct Frame<'f> {
    pub title: &'f str,
    /// What stands beside the upper end and the lower one.
    pub up: [&'f str; 2],
    /// What stands below the left end, between, and below the right end.
    pub across: [&'f str; 3],
    /// The size, without the title and what stands below.
    pub columns: usize,
    pub rows: usize,
}

/// Curves through points from 0 to 1 across and up, as lines of text.
pub fn framed(frame: &Frame, curves: &[Vec<[f64; 2]>]) -> Vec<String> {
    let Frame { title, up, across: [first, middle, last], columns, rows } = *frame;
    let label = up.iter().map(|label| label.chars().count()).max().unwrap_or(0);
    let least = first.len() + middle.len() + last.len() + 2;
    let columns = columns.saturating_sub(label + 2).max(least);
    let mut dots = Dots::new(columns, rows);
    let pairs = curves.iter().flat_map(|curve| curve.windows(2));
    pairs.for_each(|pair| dots.line(pair[0], pair[1]));
    let row = |(row, line): (usize, String)| match row {
        0 => format!("{:>label$} ┤{line}", up[0]),
        _ if row == rows - 1 => format!("{:>label$} ┤{line}", up[1]),
        _ => format!("{:label$} │{line}", ""),
    };
    let mut lines = vec![title.to_string()];
    lines.extend(dots.lines().enumerate().map(row));
    lines.push(format!("{:label$} └{}", "", "─".repeat(columns)));
    let between = columns - first.len() - last.len();
    lines.push(format!("{:label$}  {first}{middle:^between$}{last}", ""));
    lines
}

/// A curve of shares by shares.
pub fn square(title: &str, across: &str, points: Vec<[f64; 2]>, columns: usize) -> Vec<String> {
    let (up, across) = (["1", "0"], ["0", across, "1"]);
    framed(&Frame { title, up, across, columns, rows: ROWS }, &[points])
}

/// Lines beside each other, of which the left ones take so many columns.
pub fn beside(left: &[String], right: &[String], columns: usize) -> Vec<String> {
    let count = left.len().max(right.len());
    let line = |lines: &[String], at: usize| lines.get(at).cloned().unwrap_or_default();
    let both = |at| format!("{:<columns$}{}", line(left, at), line(right, at));
    (0..count).map(|at| both(at).trim_end().to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_fits_eighty_columns_and_has_no_gaps() {
        for steps in [2, 7, 132, 1000, 123_456_789_012] {
            let end = format!("{} steps", units::count(steps));
            let text = curve(steps, Some(0.0), &end, |step| 0.1 * step as f64 / steps as f64);
            let lines: Vec<&str> = text.lines().collect();
            assert_eq!(lines.len(), ROWS + 2);
            assert!(lines.iter().all(|line| line.chars().count() <= 80), "{text}");
            assert!(lines[ROWS - 1].starts_with("   0.000000 ┤"), "{text}");
            assert!(lines[ROWS + 1].ends_with(&end), "{text}");
            for line in &lines[..ROWS] {
                assert!(line.contains(|c| ('\u{2801}'..='\u{28ff}').contains(&c)), "{text}");
            }
        }
    }

    #[test]
    fn a_wave_between_two_dots_is_seen() {
        let text = curve(100_000, None, "", |step| (step % 100) as f64);
        let full = text.lines().nth(3).unwrap().matches('⣿').count();
        assert!(full > COLUMNS - 3, "{text}");
    }

    #[test]
    fn what_never_changes_is_said() {
        assert_eq!(curve(10, Some(0.0), "", |_| 0.01), "   0.010000 at every step\n");
    }
}
