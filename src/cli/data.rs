//! Finds and reads the tables and the weights that a command names, or that lie where they belong.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use arenet::internals::Specs;
use arenet::internals::runtime::data::{
    ColumnNames, Dataset, PortSpec, TableSpec, read_arrays, read_csv, read_csv_file,
};
use arenet::internals::runtime::program::Program;
use arenet::internals::runtime::pytorch::pytorch_order;
use arenet::internals::runtime::train::{Seen, says_checkpoint};
use arenet::internals::runtime::weights::WeightsFile;

use super::args::{DataArgs, Rows};
use super::failure::{Failure, Kind};
use super::{Context, source::Source, units};

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

/// What the inputs and the targets of a program take.
pub fn ports(program: &Program) -> Specs {
    (PortSpec::inputs(program), PortSpec::targets(program))
}

/// How rows are read.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// The arguments about them.
    pub args: &'a DataArgs,
    /// What the inputs and the targets take.
    pub ports: &'a Specs,
    /// The columns that it was trained on.
    pub names: &'a ColumnNames,
    /// Whether there need be no targets.
    pub targets_optional: bool,
    /// The bytes that are held already.
    pub held: u64,
    /// Those that each row will take beside its values.
    pub row_bytes: u64,
}

/// Reads rows. Says which columns of a table are not used.
pub fn read(cx: &Context, rows: &Rows, reading: Reading<'_>) -> Result<Dataset, Failure> {
    let Reading { args, ports, names, targets_optional, held, row_bytes } = reading;
    let (inputs, targets) = ports;
    let spec = TableSpec {
        names: Some(names),
        columns: args.columns.as_ref(),
        header: args.header,
        targets_optional,
        max_bytes: cx.global.memory_limit(),
        held,
        row_bytes,
        ..TableSpec::new(inputs, targets)
    };
    let data = match rows {
        Rows::Table(path) if path == Path::new("-") => {
            read_csv(io::stdin().lock(), "standard input", &spec)
        }
        Rows::Table(path) => read_csv_file(path, &spec),
        Rows::Arrays(_) if args.columns.is_some() => {
            let text = "--columns chooses columns of a table, and --data names files of arrays";
            return Err(Failure::usage(text).help("leave --columns out"));
        }
        Rows::Arrays(files) => read_arrays(files, &spec),
    }?;
    if let Some(unused) = &data.unused {
        cx.console.note(format!("{rows}: not used: {unused}"));
    }
    cx.console.detail(format!("data: {rows}, {}", units::plural(data.rows as u64, "row")));
    Ok(data)
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

/// Weights in a file, and what it says beside them.
pub struct Weights {
    /// The file, its values still to be read.
    pub file: WeightsFile,
    /// Which rows they were trained on, if the file says.
    pub seen: Option<Seen>,
    /// What the columns were called in the table they were trained on, as the file says, or else
    /// the program.
    pub columns: ColumnNames,
}

/// Opens a program's weights.
pub fn open_weights(cx: &Context, program: &Program, path: &Path) -> Result<Weights, Failure> {
    let mut weights = Weights::open(path)?;
    weights.meet(cx, program)?;
    weights.columns = weights.columns.or(ColumnNames::of_program(program));
    Ok(weights)
}

impl Weights {
    /// Opens a file, for a program that may be unknown yet.
    pub fn open(path: &Path) -> Result<Weights, Failure> {
        let file = WeightsFile::open(path).map_err(|error| match path.extension() {
            None if !is_there(path) => error.with_help("a precision is one of f32, bf16 and int8"),
            _ => error,
        })?;
        let columns = ColumnNames::from_metadata(file.metadata(), file.name())?;
        Ok(Weights { seen: Seen::from_metadata(file.metadata()), columns, file })
    }

    /// Says what the file holds for a program. Of a checkpoint, which holds more, the weights are
    /// taken.
    pub fn meet(&mut self, cx: &Context, program: &Program) -> Result<(), Failure> {
        let file = &mut self.file;
        if says_checkpoint(file.metadata()) {
            let names: HashSet<&str> =
                program.params.iter().map(|param| param.name.as_str()).collect();
            file.keep(|head| names.contains(head.name.as_str()));
        }
        let name = file.name();
        if pytorch_order(program, file.heads(), name)?.is_some() {
            cx.console
                .note(format!("{name}: weights of PyTorch's, turned from [out, in] to [in, out]"));
        }
        let count = units::plural(file.heads().len() as u64, "tensor");
        cx.console.detail(format!("weights: {name}, {count}"));
        Ok(())
    }
}
