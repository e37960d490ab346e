//! Numbers for people: counts, bytes, times and rates.

/// A whole number in groups of three digits: `1,234,567`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count and what is counted: `1 row`, `2 rows`.
pub fn plural(n: u64, what: &str) -> String {
    let end = if n == 1 { "" } else { "s" };
    format!("{} {what}{end}", count(n))
}

/// A number of bytes in the largest unit that leaves it above 1: `312 B`, `64.0 KiB`.
pub fn bytes(n: u64) -> String {
    const UNITS: [(&str, u64); 4] =
        [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match UNITS.iter().find(|(_, size)| n >= *size) {
        Some((unit, size)) => format!("{:.1} {unit}", n as f64 / *size as f64),
        None => format!("{n} B"),
    }
}

/// A time given in nanoseconds: `81.5 ns`, `12.3 µs`, `4.56 ms`, `7.89 s`.
pub fn nanoseconds(ns: f64) -> String {
    match ns {
        ns if ns < 1e3 => format!("{ns:.1} ns"),
        ns if ns < 1e6 => format!("{:.2} µs", ns / 1e3),
        ns if ns < 1e9 => format!("{:.2} ms", ns / 1e6),
        ns => format!("{:.2} s", ns / 1e9),
    }
}

/// A large number with a letter for thousands, millions or billions: `3.2M`.
pub fn short(n: f64) -> String {
    match n {
        n if n >= 1e9 => format!("{:.1}G", n / 1e9),
        n if n >= 1e6 => format!("{:.1}M", n / 1e6),
        n if n >= 1e4 => format!("{:.1}k", n / 1e3),
        n => format!("{n:.0}"),
    }
}

/// A figure of a training: four significant digits, or an exponent where it is very small.
pub fn figure(value: f64) -> String {
    match value.abs() {
        size if size >= 1e5 || (size < 1e-4 && size > 0.0) => format!("{value:.2e}"),
        size if size >= 100.0 => format!("{value:.1}"),
        size if size >= 0.1 => format!("{value:.4}"),
        _ if value.is_finite() => format!("{value:.6}"),
        _ => value.to_string(),
    }
}

/// A metric by name, in percent or as it is.
pub fn metric(name: &str, value: f64, percent: bool) -> String {
    format!("{name} {}", share(value, percent))
}

/// The value of a metric, in percent or as it is.
pub fn share(value: f64, percent: bool) -> String {
    match percent && value.is_finite() {
        true => format!("{:.1}%", value * 100.0),
        false => figure(value),
    }
}

/// A time given in seconds, from a minute on in whole ones: `0.012 s`, `7.9 s`, `2 min 5 s`,
/// `3 h 20 min`.
pub fn time(seconds: f64) -> String {
    match seconds.round() as u64 {
        0..60 if seconds < 1.0 => format!("{seconds:.3} s"),
        0..60 => format!("{seconds:.1} s"),
        whole @ 60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        whole => format!("{} h {} min", count(whole / 3600), whole / 60 % 60),
    }
}

/// Rows of cells as lines of columns; cells of a column of numbers end at the same place.
pub fn columns(rows: &[Vec<String>], numbers: &[bool]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..numbers.len()).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for ((cell, width), &number) in row.iter().zip(&widths).zip(numbers) {
            line.push_str(&match number {
                true => format!("{cell:>width$}  "),
                false => format!("{cell:<width$}  "),
            });
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_end_where_numbers_do() {
        let cells = |cells: [&str; 3]| cells.map(String::from).to_vec();
        let rows = [cells(["step", "kernel", "source"]), cells(["1", "gemm", "h 7"])];
        let text = columns(&rows, &[true, false, false]);
        assert_eq!(text, "step  kernel  source\n   1  gemm    h 7\n");
    }

    #[test]
    fn counts_are_grouped() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(12_345_678), "12,345,678");
        assert_eq!(plural(1, "row"), "1 row");
        assert_eq!(plural(1_797, "row"), "1,797 rows");
    }

    #[test]
    fn sizes_and_times_have_units() {
        assert_eq!(bytes(312), "312 B");
        assert_eq!(bytes(65_536), "64.0 KiB");
        assert_eq!(nanoseconds(81.54), "81.5 ns");
        assert_eq!(nanoseconds(12_345.0), "12.35 µs");
        assert_eq!(short(3_250_000.0), "3.2M");
        assert_eq!(
            [time(0.5), time(125.2), time(12_060.0)],
            ["0.500 s", "2 min 5 s", "3 h 21 min"]
        );
    }

    #[test]
    fn figures_keep_the_digits_that_count() {
        assert_eq!(figure(0.0), "0.000000");
        assert_eq!(figure(0.1), "0.1000");
        assert_eq!(figure(0.012_345), "0.012345");
        assert_eq!(figure(1.5e-7), "1.50e-7");
        assert_eq!(figure(f64::NAN), "NaN");
        assert_eq!(metric("accuracy", 0.9722, true), "accuracy 97.2%");
        assert_eq!(metric("rmse", 0.5, false), "rmse 0.5000");
    }
}
