//! `arenet predict`: the outputs for the rows of a table.
//!
//! A table is read, predicted and written in blocks of the rows that have arrived, so one of any
//! length passes, and a pipe does not wait. A file is read twice: what is wrong with its rows is
//! found before the first is written.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use arenet::internals::compiler::Purpose;
use arenet::internals::runtime::data::Unlisted;
use arenet::internals::runtime::data::output::Threshold;
use arenet::internals::runtime::files::write_atomically;
use arenet::{Data, Error, Form, Format, Predictor, Reader, Writer};
use clap::{Args, ValueEnum};

use super::args::{DataArgs, Rows, WeightsArgs};
use super::failure::{Failure, options};
use super::outputs::Inputs;
use super::source::Source;
use super::{Context, console, data, units};

/// What to predict, with what, and where to.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Example: arenet predict models/iris.net --data flowers.csv --keep id\n         \
                        tail -f flowers.csv | arenet predict models/iris.net --data -"
)]
pub struct PredictArgs {
    /// The model, .net or .netc
    model: PathBuf,
    #[command(flatten)]
    weights: WeightsArgs,
    #[command(flatten)]
    data: DataArgs,
    /// Columns of the table that are copied in front, by name or counted from
    /// 0: id,name; or all
    #[arg(long, value_name = "COLUMNS")]
    keep: Vec<String>,
    /// Only these outputs, or targets whose classes are predicted, such as
    /// species
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    only: Vec<String>,
    /// So many classes, the most probable first
    #[arg(long, value_name = "COUNT", conflicts_with = "threshold")]
    top: Option<usize>,
    /// Of two classes, predict this one from this probability on: yes=0.7; or
    /// 0.7, where they are the numbers 0 and 1
    #[arg(long, value_name = "CLASS=P", value_parser = Threshold::parse)]
    threshold: Option<Threshold>,
    /// Form of the result, by default that of the file's ending, or csv
    #[arg(long, value_name = "FORMAT")]
    format: Option<FormatChoice>,
    /// File for the result; standard output by default, or -
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// A form of predictions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FormatChoice {
    /// A header and a line a row
    Csv,
    /// An array with an object a row
    Json,
    /// An object in each line
    Jsonl,
    /// A matrix of 32-bit floats for numpy
    Npy,
}

/// Endings of files that hold tables in forms which predictions are not written in.
const OTHER_FORMS: [&str; 9] =
    ["arrow", "feather", "gz", "npz", "parquet", "pkl", "safetensors", "xls", "xlsx"];

impl FormatChoice {
    /// The form that a file's ending says.
    fn of_file(out: &Path) -> Result<FormatChoice, Failure> {
        let ending = out.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        match &*ending {
            "json" => Ok(FormatChoice::Json),
            "jsonl" | "ndjson" => Ok(FormatChoice::Jsonl),
            "npy" => Ok(FormatChoice::Npy),
            other if OTHER_FORMS.contains(&other) => {
                let text = format!("{}: predictions are not written as {other}", out.display());
                let help = "name a file that ends in .csv, .json, .jsonl or .npy";
                Err(Failure::usage(text).help(help))
            }
            _ => Ok(FormatChoice::Csv),
        }
    }
}

/// The most rows of one run: enough to fill the machine, few enough to stay in its caches.
const ROWS: u64 = 256;

/// Predicts and writes.
pub fn run(cx: &Context, args: &PredictArgs) -> Result<(), Failure> {
    let (file, weights) = args.weights.split()?;
    let out = args.out.as_deref().filter(|out| *out != Path::new("-"));
    let source = Source::read(cx, &args.model)?.with_weights(weights)?;
    let path = data::locate(&source, &args.data);
    let file = data::locate_weights(&source, file);
    if let Some(out) = out {
        let inputs = Inputs::new(&args.model).file("the weights", file.as_deref().ok());
        inputs.rows("the data", path.as_ref().ok()).check_output(out, "--out")?;
    }
    let format = args.format_for(out)?;
    // It knows the targets, whose columns the table may have and whose classes name those of the
    // outputs, but nothing that training needs.
    let built = source.build(cx, Some(ROWS), Purpose::Evaluate)?;
    let mut predictor = data::predictor(cx, &source, &built, &file?)?;
    let mut writer = predictor.writer(&args.form(format))?;
    let reader = predictor.reader().without_groups();
    let reader = args.keep.iter().fold(reader, |reader, columns| reader.keep(columns));
    let rows = path?;
    if matches!(rows, Rows::Arrays(_)) && !args.keep.is_empty() {
        let text = "--keep copies columns of a table, and --data names files of arrays";
        return Err(Failure::usage(text).help("leave --keep out"));
    }
    // The number of rows stands in front of npy.
    if format == FormatChoice::Npy {
        let rows = data::read(cx, &rows, &args.data, reader)?;
        let mut writer = writer.of_rows(rows.rows());
        let mut batches = predictor.batches(&rows)?;
        return write(out, |w| {
            batches.write_to(&mut writer, w)?;
            Ok(writer.finish(w)?)
        });
    }
    let reader = data::reader(cx, &args.data, reader);
    // What is written beside a file and then takes its place can be taken back.
    if out.is_none() && data::is_in_files(&rows) {
        data::read_blocks(
            &rows,
            &args.data,
            &reader,
            ROWS as usize,
            |_| ControlFlow::Continue(()),
        )?;
    }
    write(out, |w| stream(cx, (&rows, &args.data), &reader, (&mut predictor, &mut writer), w))
}

impl PredictArgs {
    /// The form of a result in a file, or on standard output.
    fn format_for(&self, out: Option<&Path>) -> Result<FormatChoice, Failure> {
        let format = match (self.format, out) {
            (Some(format), _) => format,
            (None, Some(out)) => FormatChoice::of_file(out)?,
            (None, None) => FormatChoice::Csv,
        };
        if format == FormatChoice::Npy && out.is_none() && io::stdout().is_terminal() {
            let failure = Failure::usage("--format npy is not for a terminal");
            return Err(failure.help("add --out FILE"));
        }
        if format == FormatChoice::Npy && !self.keep.is_empty() {
            let text = "--keep copies text, and --format npy holds numbers alone";
            return Err(Failure::usage(text).help("write csv, json or jsonl"));
        }
        Ok(format)
    }

    fn form(&self, format: FormatChoice) -> Form {
        let format = match format {
            FormatChoice::Csv => Format::Csv,
            FormatChoice::Json => Format::Json,
            FormatChoice::Jsonl => Format::Jsonl,
            FormatChoice::Npy => Format::Npy,
        };
        let (only, threshold) = (self.only.clone(), self.threshold.clone());
        Form { format, only, top: self.top, threshold, words: options }
    }
}

/// Why predictions are not written to their end.
enum Broken {
    /// By the rows.
    Rows(Failure),
    /// By where they are written.
    Output(io::Error),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Broken {
        Broken::Output(error)
    }
}

impl From<Error> for Broken {
    fn from(error: Error) -> Broken {
        Broken::Rows(error.into())
    }
}

/// Writes what `content` gives to a file, all of it or nothing, or to standard output.
fn write(
    out: Option<&Path>,
    content: impl FnOnce(&mut dyn Write) -> Result<(), Broken>,
) -> Result<(), Failure> {
    let mut failure = None;
    let content = |w: &mut dyn Write| {
        content(w).map_err(|broken| match broken {
            Broken::Output(error) => error,
            Broken::Rows(own) => {
                failure = Some(own);
                io::Error::other("the rows cannot be predicted")
            }
        })
    };
    let written = match out {
        Some(out) => write_atomically(out, content).map_err(Failure::from),
        None => {
            let mut stdout = BufWriter::with_capacity(1 << 16, io::stdout().lock());
            let written = content(&mut stdout).and_then(|()| stdout.flush());
            // What is left in the buffer after an error has nowhere to go.
            let (_, _) = stdout.into_parts();
            written.map_err(console::of_stdout)
        }
    };
    failure.map_or(written, Err)
}

/// Predicts and writes the rows of a table as they arrive.
fn stream(
    cx: &Context,
    (table, args): (&Rows, &DataArgs),
    reader: &Reader,
    (predictor, writer): (&mut Predictor, &mut Writer),
    w: &mut dyn Write,
) -> Result<(), Broken> {
    let mut count = 0;
    let mut unlisted = Vec::new();
    let mut block = |rows: &Data| -> Result<(), Broken> {
        if count == 0 {
            data::tell_unused(cx, table, rows);
        }
        count += rows.rows() as u64;
        Unlisted::add(&mut unlisted, rows.unlisted());
        predictor.batches(rows)?.write_to(writer, w)?;
        Ok(w.flush()?)
    };
    let mut broken = None;
    let read = data::read_blocks(table, args, reader, ROWS as usize, |rows| match block(rows) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            broken = Some(error);
            ControlFlow::Break(())
        }
    });
    read.map_err(Broken::Rows)?;
    if let Some(broken) = broken {
        return Err(broken);
    }
    data::tell_unlisted(cx, &table.to_string(), &unlisted);
    cx.console.detail(format!("data: {table}, {}", units::plural(count, "row")));
    Ok(writer.finish(w)?)
}
