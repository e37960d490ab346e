//! Finds and reads the tables and the weights that a command names, or that lie where they belong.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use arenet::runtime::data::{Dataset, PortSpec, TableSpec, read_csv, read_csv_file};
use arenet::runtime::program::Program;
use arenet::runtime::weights::{Tensor, read_weights_within};

use super::args::DataArgs;
use super::failure::{Failure, Kind};
use super::{Context, source::Source};

/// The table that the arguments name, or the one beside the model.
pub fn locate(source: &Source, args: &DataArgs) -> Result<PathBuf, Failure> {
    if let Some(path) = &args.data {
        return Ok(path.clone());
    }
    let beside = source.path.with_extension("csv");
    if beside.exists() {
        return Ok(beside);
    }
    let text = format!("no data: there is no {} beside the model", beside.display());
    Err(Failure::new(Kind::Data, text).help("name a table with --data FILE"))
}

/// Reads a table for the program; `-` is standard input.
pub fn read(
    cx: &Context,
    path: &Path,
    args: &DataArgs,
    program: &Program,
    targets_optional: bool,
) -> Result<Dataset, Failure> {
    let (inputs, targets) = (PortSpec::inputs(program), PortSpec::targets(program));
    let spec = TableSpec {
        columns: args.columns.as_ref(),
        targets_optional,
        max_bytes: cx.global.memory_limit(),
        ..TableSpec::new(&inputs, &targets)
    };
    let read = if path == Path::new("-") {
        read_csv(io::stdin().lock(), "standard input", &spec)
    } else {
        read_csv_file(path, &spec)
    };
    Ok(read?)
}

/// The weights of a model where training leaves them: its stem in the current folder.
pub fn default_weights(source: &Source) -> PathBuf {
    let stem = source.path.file_stem().unwrap_or("net".as_ref());
    Path::new(stem).with_added_extension("safetensors")
}

/// Reads a program's weights, those that the arguments name or those that training leaves, and
/// gives their path too. Of a checkpoint, which holds more, the weights are taken.
pub fn read_weights(
    cx: &Context,
    source: &Source,
    program: &Program,
    path: Option<&Path>,
) -> Result<(Vec<Tensor>, String), Failure> {
    let named = path.is_some();
    let path = path.map_or_else(|| default_weights(source), Path::to_path_buf);
    if !named && !path.exists() {
        let text = format!("no weights: there is no {}", path.display());
        return Err(Failure::new(Kind::Data, text)
            .help("`arenet train` writes them; name others with --weights FILE"));
    }
    let (mut tensors, metadata) = read_weights_within(&path, cx.global.memory_limit())?;
    if metadata.get("format").is_some_and(|format| format.starts_with("arenet checkpoint")) {
        let names: HashSet<&str> = program.params.iter().map(|param| param.name.as_str()).collect();
        tensors.retain(|tensor| names.contains(tensor.name.as_str()));
    }
    Ok((tensors, path.display().to_string()))
}
