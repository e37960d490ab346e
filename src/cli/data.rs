//! Finds and reads tables and weights: those that a command names, or those in the usual places.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use arenet::internals::runtime::data::Unlisted;
use arenet::internals::runtime::program::Program;
use arenet::internals::runtime::program::text::quoted;
use arenet::internals::runtime::pytorch::pytorch_order;
use arenet::internals::runtime::weights::WeightsFile;
use arenet::{Data, Predictor, Reader};

use super::args::{DataArgs, Rows};
use super::failure::{Failure, Kind, options};
use super::source::{Built, Source};
use super::{Context, units};

/// The rows that the arguments name, or the table beside the model.
pub fn locate(source: &Source, args: &DataArgs) -> Result<Rows, Failure> {
    if let Some(rows) = &args.data {
        return Ok(rows.clone());
    }
    let beside = source.beside("csv");
    if is_there(&beside) {
        return Ok(Rows::Table(beside));
    }
    let text = format!("no data: there is no {} beside the model", beside.display());
    Err(Failure::new(Kind::Data, text).help("name a table with --data FILE"))
}

/// A reader of rows as the arguments say.
pub fn reader(cx: &Context, args: &DataArgs, mut reader: Reader) -> Reader {
    reader = reader.words(options);
    if let Some(columns) = &args.columns {
        reader = reader.columns(columns);
    }
    if let Some(numbers) = &args.numbers {
        reader = reader.numbers(numbers);
    }
    if let Some(header) = args.header {
        reader = reader.header(header);
    }
    if let Some(limit) = cx.global.max_memory {
        reader = reader.max_memory(limit);
    }
    reader
}

/// Reads rows as the arguments say. Says which columns of a table are not used.
pub fn read(cx: &Context, rows: &Rows, args: &DataArgs, reader: Reader) -> Result<Data, Failure> {
    let reader = self::reader(cx, args, reader);
    let data = match rows {
        Rows::Table(path) if is_stdin(path) => {
            reader.csv_from(io::stdin().lock(), "standard input")
        }
        Rows::Table(path) => reader.csv(path),
        Rows::Parts(paths) => reader.csv_files(paths),
        Rows::Arrays(files) => {
            check_arrays(args)?;
            reader.arrays(files.clone())
        }
    }?;
    tell_unused(cx, rows, &data);
    tell_left_out(cx, &rows.to_string(), data.left_out(), data.lacking());
    tell_unlisted(cx, &rows.to_string(), data.unlisted());
    cx.console.detail(format!("data: {rows}, {}", units::plural(data.rows() as u64, "row")));
    Ok(data)
}

/// Files of arrays have no columns to choose.
fn check_arrays(args: &DataArgs) -> Result<(), Failure> {
    if args.columns.is_none() {
        return Ok(());
    }
    let text = "--columns chooses columns of a table, and --data names files of arrays";
    Err(Failure::usage(text).help("leave --columns out"))
}

/// Reads a table in blocks of up to `most` rows, as many as have arrived, until `each` breaks;
/// arrays are one block.
pub fn read_blocks(
    table: &Rows,
    args: &DataArgs,
    reader: &Reader,
    most: usize,
    mut each: impl FnMut(&Data) -> ControlFlow<()>,
) -> Result<(), Failure> {
    let mut each = |rows: Data, _| each(&rows);
    match table {
        Rows::Table(path) if is_stdin(path) => {
            reader.each_block(io::stdin().lock(), "standard input", most, each)
        }
        Rows::Table(path) => reader.each_block_of_files([path], most, each),
        Rows::Parts(paths) => reader.each_block_of_files(paths, most, each),
        Rows::Arrays(files) => {
            check_arrays(args)?;
            reader.arrays(files.clone()).map(|rows| {
                let _ = each(rows, 0);
                0
            })
        }
    }?;
    Ok(())
}

/// Whether all of a table lies in files, which are read in blocks and can be read again.
pub fn is_in_files(table: &Rows) -> bool {
    let is_file = |path: &PathBuf| fs::metadata(path).is_ok_and(|file| file.is_file());
    match table {
        Rows::Table(path) => !is_stdin(path) && is_file(path),
        Rows::Parts(paths) => paths.iter().all(is_file),
        // They are read as a whole.
        Rows::Arrays(_) => false,
    }
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// [`read`], where values that memory may not hold lie in files of a folder.
pub fn read_or_spill(
    cx: &Context,
    rows: &Rows,
    args: &DataArgs,
    reader: Reader,
    folder: &Path,
) -> Result<Data, Failure> {
    let data = read(cx, rows, args, reader.spill_to(folder))?;
    if data.bytes_in_files() > 0 {
        let bytes = units::bytes(data.bytes_in_files());
        let folder = match folder.to_str() {
            Some(".") => "this folder".to_string(),
            _ => folder.display().to_string(),
        };
        cx.console.note(format!(
            "{rows}: its values, {bytes}, lie on disk in {folder} until the end: they are more \
             than half of the limit of memory"
        ));
    }
    Ok(data)
}

/// Says which columns of a table are not used.
pub fn tell_unused(cx: &Context, rows: &Rows, data: &Data) {
    if let Some(unused) = data.unused() {
        cx.console.note(format!("{rows}: not used: {unused}"));
    }
}

/// Says how many rows of a table were left out because they have no target.
pub fn tell_left_out<'t>(
    cx: &Context,
    table: &str,
    rows: u64,
    lacking: impl Iterator<Item = (&'t str, u64)>,
) {
    if rows == 0 {
        return;
    }
    let mut text = format!("{table}: {} without a target left out", units::plural(rows, "row"));
    let lacking: Vec<(&str, u64)> = lacking.collect();
    if lacking.len() > 1 {
        let each = lacking.iter().map(|(target, rows)| format!("{rows} without {target}"));
        text.push_str(&format!(": {}", each.collect::<Vec<_>>().join(", ")));
    }
    cx.console.note(text);
}

/// Says which words of a table the net does not know.
pub fn tell_unlisted(cx: &Context, table: &str, unlisted: &[Unlisted]) {
    for Unlisted { port, count, first } in unlisted {
        let first = quoted(first);
        cx.console.note(match count {
            1 => format!("{table}: {port}: {first} is a word that the net does not know"),
            _ => format!(
                "{table}: {port}: {count} words that the net does not know, of which the first is \
                 {first}"
            ),
        });
    }
}

/// Whether there is something of this name, be it a link that leads nowhere, which to read says.
fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// The weights of a model where training leaves them: its name in the current folder.
pub fn default_weights(source: &Source) -> PathBuf {
    source.in_this_folder("safetensors")
}

/// The weights that the arguments name, or those that training leaves.
pub fn locate_weights(source: &Source, named: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(path) = named {
        return Ok(path.to_path_buf());
    }
    let path = default_weights(source);
    if is_there(&path) {
        return Ok(path);
    }
    let text = format!("no weights: there is no {}", path.display());
    Err(Failure::new(Kind::Data, text)
        .help("`arenet train` writes them; name others with --weights FILE"))
}

/// A net that predicts with the weights in a file.
pub fn predictor(
    cx: &Context,
    source: &Source,
    built: &Built,
    weights: &Path,
) -> Result<Predictor, Failure> {
    describe_weights(cx, built.program(), weights).map_err(|failure| {
        match weights.extension() {
            None if !is_there(weights) => failure.help("a precision is one of f32, bf16 and int8"),
            _ => failure,
        }
    })?;
    let options = source.net.predictor_options();
    Ok(options.compiled(built.program.clone(), cx.global.exec()).open(weights)?)
}

/// Says what a file of weights holds for a program.
pub fn describe_weights(cx: &Context, program: &Program, path: &Path) -> Result<(), Failure> {
    let file = WeightsFile::open(path)?;
    let name = file.name();
    if pytorch_order(program, file.heads(), name)?.is_some() {
        cx.console
            .note(format!("{name}: weights of PyTorch's, turned from [out, in] to [in, out]"));
    }
    let count = units::plural(program.params.len() as u64, "tensor");
    cx.console.detail(format!("weights: {name}, {count}"));
    Ok(())
}
