//! `arenet compile`: a model as a program file.

use std::path::{Path, PathBuf};

use arenet::internals::compiler::{Precision, Purpose};
use arenet::internals::runtime::data::ColumnNames;
use arenet::internals::runtime::files::write_atomically;
use arenet::internals::runtime::program::Program;
use arenet::internals::runtime::program::codec::encode;
use arenet::internals::runtime::weights::WeightsFile;
use clap::Args;

use super::args::parse_precision;
use super::failure::{Failure, Kind};
use super::outputs::Inputs;
use super::source::Source;
use super::{Context, units};

/// What to compile, and where to.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example: arenet compile models/digits.net -o digits.netc")]
pub struct CompileArgs {
    /// The model
    model: PathBuf,
    /// The program file; by default the model's name with the ending .netc,
    /// in the current folder
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The most rows of a run; by default as the model says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    batch: Option<u64>,
    /// What weights are kept as: f32, bf16 or int8; training needs f32
    #[arg(long, value_name = "PRECISION", value_parser = parse_precision)]
    weights: Option<Precision>,
    /// Trained weights, whose names of columns the program keeps
    #[arg(long, value_name = "FILE")]
    names: Option<PathBuf>,
}

/// Compiles and writes.
pub fn run(cx: &Context, args: &CompileArgs) -> Result<(), Failure> {
    let source = Source::read(cx, &args.model)?;
    if source.text().is_none() {
        return Err(Failure::usage(format!("{}: is compiled already", source.name())));
    }
    let out = args.out.clone().unwrap_or_else(|| source.in_this_folder("netc"));
    let inputs = Inputs::new(&args.model).file("the weights", args.names.as_deref());
    inputs.check_output(&out, "-o")?;
    let source = source.with_weights(args.weights)?;
    let built = match args.batch.is_none() && source.is_full() {
        true => {
            let built = source.build_full(None)?;
            source.describe(cx, &built);
            built
        }
        false => source.build(cx, args.batch, Purpose::Train)?,
    };
    let mut program = built.program().clone();
    if let Some(path) = &args.names {
        names(path, &program)?.keep_in(&mut program);
    }
    let bytes = encode(&program);
    write_atomically(&out, |w| w.write_all(&bytes))?;
    let size = units::count(bytes.len() as u64);
    cx.console.note(format!("{}: {size} bytes", out.display()));
    Ok(())
}

/// What the columns of the ports were called where these weights were trained.
fn names(path: &Path, program: &Program) -> Result<ColumnNames, Failure> {
    let file = path.display().to_string();
    let names = WeightsFile::open(path)?.columns()?;
    let ports = program.inputs.iter().chain(&program.targets);
    let named: Vec<_> = ports.filter_map(|port| Some((port, names.get(&port.name)?))).collect();
    if named.is_empty() {
        let text = format!("{file}: has no names of columns for this net");
        let help = "training on a table with a header puts them into the weights";
        return Err(Failure::new(Kind::Data, text).help(help));
    }
    match named.iter().find(|(port, names)| names.len() as u64 != port.width) {
        Some((port, names)) => Err(Failure::new(
            Kind::Data,
            format!("{file}: names {} columns for {}, not {}", names.len(), port.name, port.width),
        )),
        None => Ok(names),
    }
}
