//! Arguments that several commands share, and how their text becomes values.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use arenet::internals::compiler::Precision;
use arenet::internals::runtime::data::{ColumnMap, NumberStyle};
use arenet::internals::runtime::exec;
use arenet::internals::runtime::program::text::quoted;
use arenet::internals::runtime::simd::Isa;
use arenet::internals::runtime::train::{check_epochs, check_rate};
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, ValueEnum};

use super::failure::Failure;

/// What every command understands.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Threads to run on; all cores by default
    #[arg(
        long,
        global = true,
        value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..=64)
    )]
    pub threads: Option<u16>,
    /// Instruction set to run with
    #[arg(
        long,
        global = true,
        value_name = "ISA",
        default_value = "auto",
        hide_default_value = true
    )]
    pub isa: IsaChoice,
    /// Most memory that the program and its tables may take, such as 64MiB;
    /// 80% of the machine's by default
    #[arg(
        long,
        global = true,
        value_name = "SIZE",
        value_parser = parse_bytes
    )]
    pub max_memory: Option<u64>,
    /// Override a `const` of the model; may be repeated
    #[arg(long, global = true, value_name = "NAME=VALUE", value_parser = parse_set)]
    pub set: Vec<(String, f64)>,
    /// How errors in the model are told
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        default_value = "human",
        hide_default_value = true
    )]
    pub message_format: MessageFormat,
    /// When to colour
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true
    )]
    pub color: clap::ColorChoice,
    /// Plain lines in place of a progress bar
    #[arg(long, global = true)]
    pub no_progress: bool,
    /// Only results and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more: files, sizes and settings, and every epoch as a line
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Print help
    #[arg(short, long, global = true, action = clap::ArgAction::HelpLong)]
    help: Option<bool>,
}

/// An instruction set by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum IsaChoice {
    /// The best this machine has
    Auto,
    /// What every machine has
    Portable,
    /// AVX2 with FMA
    Avx2,
    /// AVX-512
    Avx512,
}

/// How diagnostics are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MessageFormat {
    /// With the lines of the source
    Human,
    /// One JSON object a line, on standard error
    Json,
    /// Of `check`: one document of SARIF 2.1.0, on standard output
    Sarif,
}

/// Where rows come from.
#[derive(Args, Clone, Debug)]
pub struct DataArgs {
    /// Table of rows (CSV), by default the file beside the model with the
    /// ending .csv; one in several files: 2024.csv,2025.csv or 'part-*.csv';
    /// or a file (npy or IDX, perhaps packed) for each input and target:
    /// x=images.gz,label=labels.gz; or an npz archive of such arrays
    #[arg(long, value_name = "FILE", value_parser = Rows::parser())]
    pub data: Option<Rows>,
    /// Columns of the table, counted from 0 or by name: x=0..64,label=64;
    /// or arrays of the archive: x=x_train,label=y_train
    #[arg(long, value_name = "MAP", value_parser = parse_columns)]
    pub columns: Option<String>,
    /// How numbers are written, by an example: 1234,5 or 1.234,5 or 1,234.5;
    /// by default as in the table that the weights were trained on
    #[arg(long, value_name = "EXAMPLE", value_parser = parse_numbers)]
    pub numbers: Option<String>,
    /// Whether the first row is a header: yes or no; found out by default
    #[arg(long, value_name = "yes|no", value_parser = parse_header)]
    pub header: Option<bool>,
}

impl DataArgs {
    /// Whether anything is said about rows.
    pub fn is_given(&self) -> bool {
        let DataArgs { data, columns, numbers, header } = self;
        data.is_some() || columns.is_some() || numbers.is_some() || header.is_some()
    }
}

/// Learning from rows as they arrive.
#[derive(Args, Clone, Debug)]
pub struct OnlineArgs {
    /// Learn from each row once, as soon as it arrives; each is first tested.
    /// Ends at the end of the rows, or by Ctrl-C; --resume goes on
    #[arg(
        long,
        conflicts_with_all =
            ["valid", "epochs", "batch", "no_shuffle", "sweep", "seeds", "folds"]
    )]
    pub online: bool,
    /// Rows between two reports of --online, which are of as many rows; by
    /// default there is about one a second, of the last 1000 rows
    #[arg(
        long,
        value_name = "ROWS",
        requires = "online",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub report_every: Option<u32>,
}

/// How often a model is trained, and with what.
#[derive(Args, Clone, Debug)]
pub struct TrialArgs {
    /// Train with each of these values of a const, or of lr, batch or epochs;
    /// may be repeated, for all combinations
    #[arg(
        long,
        value_name = "NAME=V,V,...",
        value_parser = parse_sweep,
        conflicts_with_all = ["resume", "checkpoint"]
    )]
    pub sweep: Vec<Sweep>,
    /// Train so many times, with seeds one after the other
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(2..=10_000),
        conflicts_with_all = ["resume", "checkpoint"]
    )]
    pub seeds: Option<u32>,
    /// Train so many times, and hold out another part of the rows each time
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(2..=10_000),
        conflicts_with_all = ["resume", "checkpoint", "valid", "out"]
    )]
    pub folds: Option<u32>,
}

/// A name with the values that it takes in turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    /// A const of the model, or `lr`, `batch` or `epochs`.
    pub name: String,
    /// The values.
    pub values: Vec<f64>,
}

impl TrialArgs {
    /// Whether there is more than one training.
    pub fn are_several(&self) -> bool {
        !self.sweep.is_empty() || self.seeds.is_some() || self.folds.is_some()
    }
}

/// Where rows are read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rows {
    /// A table of text; `-` is standard input.
    Table(PathBuf),
    /// A table in several files.
    Parts(Vec<PathBuf>),
    /// One file for each port.
    Arrays(Vec<(String, PathBuf)>),
}

/// Which weights, and what they are kept as.
#[derive(Args, Clone, Debug)]
pub struct WeightsArgs {
    /// Weights, by default those that training leaves in the current folder;
    /// or what weights are kept as: f32, bf16 or int8. May be given twice,
    /// for both
    #[arg(long, value_name = "FILE|PRECISION")]
    weights: Vec<PathBuf>,
}

/// How many rows a step takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchChoice {
    /// All there are.
    Full,
    /// So many.
    Rows(u64),
}

impl Global {
    /// What the executor is told.
    pub fn exec(&self) -> exec::Options {
        exec::Options {
            isa: self.isa.isa(),
            threads: self.threads.map(usize::from),
            max_memory: self.max_memory,
        }
    }
}

impl Rows {
    /// Reads `FILE`, `FILE,FILE` and `PATTERN`, or `PORT=FILE,PORT=FILE`.
    pub fn parser() -> impl TypedValueParser<Value = Rows> {
        OsStringValueParser::new().try_map(|text| match text.to_str() {
            Some(pairs) if starts_with_port(pairs) => parse_arrays(pairs),
            _ => Rows::of_table(text.as_ref()),
        })
    }

    /// Reads `FILE`, `FILE,FILE` and `PATTERN`.
    pub fn of_table(text: &Path) -> Result<Rows, String> {
        match text.to_str() {
            Some(names) if names.contains([',', '*', '?']) && !text.exists() => parse_parts(names),
            _ => Ok(Rows::Table(text.to_path_buf())),
        }
    }
}

impl fmt::Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rows::Table(path) => write!(f, "{}", path.display()),
            Rows::Parts(paths) => {
                let (first, more) = (paths[0].display(), paths.len() - 1);
                write!(f, "{first} and {more} more")
            }
            Rows::Arrays(files) => {
                let files: Vec<String> =
                    files.iter().map(|(_, path)| path.display().to_string()).collect();
                f.write_str(&files.join(", "))
            }
        }
    }
}

/// Whether the text begins as `PORT=`; a file of such a name is `./x=y.csv`.
fn starts_with_port(text: &str) -> bool {
    let is_name = |name: &str| {
        let mut chars = name.chars();
        chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
            && chars.all(|c| c.is_alphanumeric() || c == '_')
    };
    text.split_once('=').is_some_and(|(port, _)| is_name(port.trim()))
}

/// Reads names of files and patterns of names, which have matches in the order of the alphabet.
fn parse_parts(text: &str) -> Result<Rows, String> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for name in text.split(',').map(str::trim) {
        if !name.contains(['*', '?']) || Path::new(name).exists() {
            paths.push(name.into());
            continue;
        }
        let before = paths.len();
        paths.extend(glob::glob(name).into_iter().flatten().flatten());
        if paths.len() == before {
            return Err(format!("there is no file {}", quoted(name)));
        }
    }
    Ok(match paths.len() {
        1 => Rows::Table(paths.remove(0)),
        _ => Rows::Parts(paths),
    })
}

fn parse_arrays(text: &str) -> Result<Rows, String> {
    let pair = |part: &str| match part.split_once('=') {
        Some((port, file)) if starts_with_port(part) && !file.is_empty() => {
            Ok((port.trim().to_string(), PathBuf::from(file)))
        }
        _ => Err(format!("`{part}` is not of the form PORT=FILE")),
    };
    text.split(',').map(pair).collect::<Result<_, _>>().map(Rows::Arrays)
}

impl WeightsArgs {
    /// The file and the precision, of those that are given. A name of a precision is always one.
    pub fn split(&self) -> Result<(Option<&Path>, Option<Precision>), Failure> {
        let (mut file, mut precision): (Option<&Path>, _) = (None, None);
        for value in &self.weights {
            let twice = |what, first, help| {
                let text = format!("--weights names two {what}, {first} and {}", value.display());
                Err(Failure::usage(text).help(help))
            };
            match value.to_str().and_then(|text| parse_precision(text).ok()) {
                Some(named) => {
                    if let Some(first) = precision.replace(named) {
                        let help = "give one of them; a file of such a name is ./int8";
                        return twice("precisions", first.name().to_string(), help);
                    }
                }
                None => {
                    if let Some(first) = file.replace(value) {
                        let help = "give one file, and beside it f32, bf16 or int8";
                        return twice("files", first.display().to_string(), help);
                    }
                }
            }
        }
        Ok((file, precision))
    }
}

/// Checks a choice of columns.
fn parse_columns(text: &str) -> Result<String, String> {
    ColumnMap::parse(text).map(|_| text.to_string())
}

/// Reads how numbers are written.
pub fn parse_numbers(text: &str) -> Result<String, String> {
    NumberStyle::parse(text).map(|_| text.to_string())
}

/// Reads whether there is a header.
pub fn parse_header(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("expected `yes` or `no`".to_string()),
    }
}

/// Reads the name of a precision.
pub fn parse_precision(text: &str) -> Result<Precision, String> {
    let named = Precision::ALL.into_iter().find(|precision| precision.name() == text);
    named.ok_or_else(|| "expected `f32`, `bf16` or `int8`".to_string())
}

impl IsaChoice {
    fn isa(self) -> Option<Isa> {
        match self {
            IsaChoice::Auto => None,
            IsaChoice::Portable => Some(Isa::Portable),
            IsaChoice::Avx2 => Some(Isa::Avx2),
            IsaChoice::Avx512 => Some(Isa::Avx512),
        }
    }
}

/// Reads `full`, or a number of rows.
pub fn parse_batch(text: &str) -> Result<BatchChoice, String> {
    match text.parse::<u64>() {
        _ if text == "full" => Ok(BatchChoice::Full),
        Ok(rows @ 1..) => Ok(BatchChoice::Rows(rows)),
        _ => Err("expected a number of rows from 1 on, or `full`".to_string()),
    }
}

/// Reads a number of bytes: `4096`, `64KiB`, `1.5 GiB`, `2MB`.
fn parse_bytes(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 8] = [
        ("", 1),
        ("b", 1),
        ("kib", 1 << 10),
        ("mib", 1 << 20),
        ("gib", 1 << 30),
        ("kb", 1_000),
        ("mb", 1_000_000),
        ("gb", 1_000_000_000),
    ];
    let wrong = || "expected a size such as 4096, 64KiB or 1.5GiB".to_string();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let unit = unit.trim().to_ascii_lowercase();
    let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
    let bytes = number * *scale as f64;
    // Above 2^63 a float says nothing about bytes any more.
    if bytes >= 1.0 && bytes < (1u64 << 63) as f64 { Ok(bytes as u64) } else { Err(wrong()) }
}

/// Reads `NAME=VALUE`.
fn parse_set(text: &str) -> Result<(String, f64), String> {
    let wrong = || "expected NAME=NUMBER, such as H=128".to_string();
    let (name, value) = text.split_once('=').ok_or_else(wrong)?;
    let value: f64 = value.trim().parse().map_err(|_| wrong())?;
    if name.trim().is_empty() || !value.is_finite() {
        return Err(wrong());
    }
    Ok((name.trim().to_string(), value))
}

/// Reads `NAME=VALUE,VALUE`.
fn parse_sweep(text: &str) -> Result<Sweep, String> {
    let wrong = || "expected NAME=NUMBER,NUMBER, such as H=16,32,64".to_string();
    let (name, values) = text.split_once('=').ok_or_else(wrong)?;
    let set = |value: &str| parse_set(&format!("{name}={value}")).map_err(|_| wrong());
    let sets = values.split(',').map(set).collect::<Result<Vec<_>, _>>()?;
    let values = sets.iter().map(|(_, value)| *value).collect();
    Ok(Sweep { name: name.trim().to_string(), values })
}

/// Reads a learning rate, of the bounds that a model's text has.
pub fn parse_rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().map_err(|_| "expected a number".to_string())?;
    check_rate(rate).map(|()| rate)
}

/// Reads a time in seconds.
pub fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds = parse_positive(text)?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// Reads a number of epochs, of the bounds that a model's text has.
pub fn parse_epochs(text: &str) -> Result<u64, String> {
    let epochs = text.parse().map_err(|_| "expected a whole number".to_string())?;
    check_epochs(epochs).map(|()| epochs)
}

/// Reads a positive number, such as a time.
pub fn parse_positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value.is_finite() => Ok(value),
        _ => Err("expected a number above 0".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(parse_bytes("4096"), Ok(4096));
        assert_eq!(parse_bytes("64KiB"), Ok(65536));
        assert_eq!(parse_bytes("1.5 GiB"), Ok(3 << 29));
        assert_eq!(parse_bytes("2mb"), Ok(2_000_000));
        for wrong in ["", "0", "x", "1.2.3", "5 parsecs", "-1", "99999999999999999999GiB", "nan"] {
            assert!(parse_bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn constants_are_set_by_name() {
        assert_eq!(parse_set("H=128"), Ok(("H".to_string(), 128.0)));
        for wrong in ["H", "=1", "H=", "H=x", "H=inf"] {
            assert!(parse_set(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn rows_come_from_a_table_or_from_a_file_for_each_port() {
        let check = |text: &str, ports: &[(&str, &str)]| {
            let files = ports.iter().map(|(port, file)| (port.to_string(), file.into())).collect();
            assert!(starts_with_port(text));
            assert_eq!(parse_arrays(text), Ok(Rows::Arrays(files)));
        };
        check("x=a.npy", &[("x", "a.npy")]);
        check("x=a.gz,label=b/c=d.gz", &[("x", "a.gz"), ("label", "b/c=d.gz")]);
        for table in ["a.csv", "./x=a.csv", "-", "a,b.csv", "=a", "1=a"] {
            assert!(!starts_with_port(table), "{table}");
        }
        for wrong in ["x=", "x=a,", "x=a,b", "x=a,./y=b"] {
            assert!(parse_arrays(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_batch_is_full_or_counted() {
        assert_eq!(parse_batch("full"), Ok(BatchChoice::Full));
        assert_eq!(parse_batch("64"), Ok(BatchChoice::Rows(64)));
        for wrong in ["0", "-1", "all", ""] {
            assert!(parse_batch(wrong).is_err(), "{wrong}");
        }
    }
}
