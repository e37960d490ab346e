//! Tables and texts that fit a width: long cells are cut, then the least wanted columns go; long
//! lines are broken between words.

use super::{console, units};

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Whether its cells are numbers, which end at the same place.
    pub number: bool,
    /// The characters that a cell is not cut below.
    pub least: usize,
    /// Which columns go first, those of the highest number; one of number 0 stays.
    pub rank: u8,
}

impl Column {
    /// A column of words, which may be cut.
    pub fn words(least: usize, rank: u8) -> Column {
        Column { number: false, least, rank }
    }

    /// A column of numbers, which are never cut.
    pub fn numbers(rank: u8) -> Column {
        Column { number: true, least: usize::MAX, rank }
    }
}

/// The columns of a page of text, and of a result where no terminal says how many there are.
pub const PAGE: usize = 80;
/// A terminal of fewer columns breaks the lines itself.
const FEWEST: usize = 40;

/// The columns that a result has.
pub fn width() -> usize {
    console::width().unwrap_or(PAGE).max(FEWEST)
}

/// Rows of cells as lines of at most `width` characters, where that is possible.
pub fn fitted(rows: &[Vec<String>], columns: &[Column], width: usize) -> String {
    let mut shown: Vec<usize> = (0..columns.len()).collect();
    let natural: Vec<usize> = (shown.iter())
        .map(|&column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    loop {
        let mut widths: Vec<usize> = shown.iter().map(|&column| natural[column]).collect();
        let total = widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1);
        let mut over = total.saturating_sub(width);
        while over > 0 {
            let room = |i: &usize| widths[*i].saturating_sub(columns[shown[*i]].least);
            let Some(widest) = (0..widths.len()).max_by_key(room).filter(|i| room(i) > 0) else {
                break;
            };
            widths[widest] -= 1;
            over -= 1;
        }
        let least = shown.iter().copied().max_by_key(|&column| columns[column].rank);
        match least.filter(|&column| over > 0 && columns[column].rank > 0) {
            Some(least) => shown.retain(|&column| column != least),
            None => return lines(rows, columns, &shown, &widths),
        }
    }
}

fn lines(rows: &[Vec<String>], columns: &[Column], shown: &[usize], widths: &[usize]) -> String {
    let cut_row = |row: &Vec<String>| {
        shown.iter().zip(widths).map(|(&column, &width)| cut(&row[column], width)).collect()
    };
    let rows: Vec<Vec<String>> = rows.iter().map(cut_row).collect();
    let numbers: Vec<bool> = shown.iter().map(|&column| columns[column].number).collect();
    units::columns(&rows, &numbers)
}

/// At most so many characters, of which the last is an ellipsis where there are more.
pub fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_string();
    }
    let start: String = text.chars().take(width.saturating_sub(1)).collect();
    start.trim_end().to_string() + "…"
}

/// A text whose lines are broken between words where the terminal ends, if there is one; the rest
/// of a line is indented by `indent`.
pub fn broken(text: &str, indent: usize) -> String {
    match console::width() {
        Some(width) => wrapped(text, indent, width.max(FEWEST)),
        None => text.to_string(),
    }
}

/// A text whose lines are broken between words beyond this width; the rest of a line is indented.
pub fn wrapped(text: &str, indent: usize, width: usize) -> String {
    let mut broken = String::new();
    for line in text.lines() {
        let mut left = width;
        let mut start = String::new();
        for part in line.split_inclusive(' ') {
            let length = part.trim_end().chars().count();
            if length > left && !start.trim().is_empty() {
                broken.push_str(start.trim_end());
                broken.push('\n');
                start = " ".repeat(indent);
                left = width - indent;
            }
            start.push_str(part);
            left = left.saturating_sub(part.chars().count());
        }
        broken.push_str(start.trim_end());
        broken.push('\n');
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [fn() -> Column; 4] = [
        || Column::words(4, 0),
        || Column::words(6, 0),
        || Column::numbers(1),
        || Column::numbers(2),
    ];

    fn table(width: usize) -> String {
        let rows = [["name", "what", "one", "two"], ["hidden", "a long sentence", "1,000", "20"]];
        let rows = rows.map(|row| row.map(String::from).to_vec());
        fitted(&rows, &COLUMNS.map(|column| column()), width)
    }

    #[test]
    fn cells_are_cut_before_columns_go() {
        let head = "name    what               one  two\n";
        assert_eq!(table(80), format!("{head}hidden  a long sentence  1,000   20\n"));
        assert_eq!(table(29), "name    what         one  two\nhidden  a long s…  1,000   20\n");
        assert_eq!(table(19), "name  what      one\nhid…  a lon…  1,000\n");
        assert_eq!(table(12), "name  what\nhid…  a lon…\n");
    }

    #[test]
    fn long_lines_are_broken_between_words() {
        assert_eq!(wrapped("  a = b + c\n", 4, 80), "  a = b + c\n");
        assert_eq!(wrapped("  a = bbbb + cccc\nd\n", 4, 12), "  a = bbbb +\n    cccc\nd\n");
        assert_eq!(wrapped("aaaaaaaaaa bbbbbbbbbb", 2, 6), "aaaaaaaaaa\n  bbbbbbbbbb\n");
    }
}
