//! `arenet predict`: the outputs for the rows of a table.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;

use arenet::Format;
use arenet::internals::compiler::Purpose;
use arenet::internals::runtime::files::write_atomically;
use clap::{Args, ValueEnum};

use super::args::{DataArgs, WeightsArgs};
use super::outputs::Inputs;
use super::source::Source;
use super::{Context, console, data, failure::Failure};

/// What to predict, with what, and where to.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example: arenet predict models/iris.net --data flowers.csv\n         \
                        cat flowers.csv | arenet predict models/iris.net --data -")]
pub struct PredictArgs {
    /// The model, .net or .netc
    model: PathBuf,
    #[command(flatten)]
    weights: WeightsArgs,
    #[command(flatten)]
    data: DataArgs,
    /// Form of the result
    #[arg(long, value_name = "FORMAT", default_value = "csv")]
    format: FormatChoice,
    /// File for the result; standard output by default
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// A form of predictions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FormatChoice {
    /// A header and a line a row
    Csv,
    /// An array with an object a row
    Json,
    /// A matrix of 32-bit floats for numpy
    Npy,
}

/// The most rows of one run: enough to fill the machine, few enough to stay in its caches.
const ROWS: u64 = 256;

/// Predicts and writes.
pub fn run(cx: &Context, args: &PredictArgs) -> Result<(), Failure> {
    if args.out.is_none() && args.format == FormatChoice::Npy && io::stdout().is_terminal() {
        return Err(Failure::usage("--format npy is not for a terminal").help("add --out FILE"));
    }
    let (file, weights) = args.weights.split()?;
    let source = Source::read(cx, &args.model)?.with_weights(weights)?;
    let path = data::locate(&source, &args.data);
    let file = data::locate_weights(&source, file);
    if let Some(out) = &args.out {
        let inputs = Inputs::new(&args.model).file("the weights", file.as_deref().ok());
        inputs.rows("the data", path.as_ref().ok()).check_output(out, "--out")?;
    }
    // It knows the targets, whose columns the table may have and whose classes name those of the
    // outputs, but nothing that training needs.
    let built = source.build(cx, Some(ROWS), Purpose::Evaluate)?;
    let mut predictor = data::predictor(cx, &source, &built, &file?)?;
    let rows = data::read(cx, &path?, &args.data, predictor.reader())?;
    let format = match args.format {
        FormatChoice::Csv => Format::Csv,
        FormatChoice::Json => Format::Json,
        FormatChoice::Npy => Format::Npy,
    };
    // All that can be wrong with the rows is found before the first is written.
    let mut batches = predictor.batches(&rows)?;
    let mut write = |w: &mut dyn Write| batches.write(w, format);
    match &args.out {
        Some(out) => Ok(write_atomically(out, write)?),
        None => {
            let mut stdout = BufWriter::with_capacity(1 << 16, io::stdout().lock());
            let written = write(&mut stdout).and_then(|()| stdout.flush());
            // What is left in the buffer after an error has nowhere to go.
            let (_, _) = stdout.into_parts();
            written.map_err(console::of_stdout)
        }
    }
}
