//! Where the weights and the checkpoints of a training go, and that they replace nothing else.

use std::path::{Path, PathBuf};

use arenet::internals::runtime::files::{is_same_file, keep_previous};
use arenet::internals::runtime::train::is_checkpoint;
use arenet::{Error, Trainer};

use super::args::Rows;
use super::failure::Failure;
use super::outputs::Inputs;
use super::source::Source;
use super::train::TrainArgs;
use super::{Context, data};

/// Where the weights and the checkpoints go, and the table if there is one; it is checked that they
/// may.
#[expect(clippy::type_complexity, reason = "each of the three is used once")]
pub fn places(
    args: &TrainArgs,
    source: &Source,
    model: &Path,
) -> Result<(PathBuf, Option<PathBuf>, Result<Rows, Failure>), Failure> {
    let out = args.out.clone().unwrap_or_else(|| data::default_weights(source));
    let table = data::locate(source, &args.data);
    let checkpoint = args.checkpoint.clone().or_else(|| checkpoint_path(&out));
    check_outputs(args, model, table.as_ref().ok(), &out, checkpoint.as_deref())?;
    Ok((out, checkpoint, table))
}

/// Where the weights go; it is checked that they may, and that there is a table.
pub fn outputs(
    args: &TrainArgs,
    source: &Source,
    model: &Path,
) -> Result<(PathBuf, Rows), Failure> {
    let out = args.out.clone().unwrap_or_else(|| data::default_weights(source));
    let table = data::locate(source, &args.data);
    check_outputs(args, model, table.as_ref().ok(), &out, None)?;
    Ok((out, table?))
}

/// The folder for rows that memory may not hold: that of the weights, which has room for files.
pub fn scratch_folder(out: &Path) -> PathBuf {
    match (checkpoint_path(out), out.parent()) {
        (None, _) => std::env::temp_dir(),
        (_, Some(folder)) if folder != Path::new("") => folder.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// Writes a checkpoint, and keeps the one before. If that fails, training continues.
pub fn write_checkpoint(cx: &Context, trainer: &mut Trainer, path: &Path) {
    if let Err(error) = keep_previous(path, previous_path(path)) {
        cx.console.note(format!("the last checkpoint is not kept: {error}"));
    }
    if let Err(error) = trainer.save_checkpoint(path) {
        cx.console.note(format!("no checkpoint: {}", error.message()));
    }
}

/// The failure to go on from a checkpoint, with the one before it as a way out.
pub fn or_previous(path: &Path, error: Error) -> Failure {
    let previous = previous_path(path);
    let failure = Failure::from(error);
    match is_checkpoint(&previous) {
        true => failure.help(format!("the checkpoint before it is {}", previous.display())),
        false => failure,
    }
}

/// `digits.safetensors` gives `digits.ckpt.safetensors`, and `w.1` gives `w.1.ckpt`: two files of
/// weights never share a checkpoint.
fn checkpoint_path(out: &Path) -> Option<PathBuf> {
    let ordinary = std::fs::metadata(out).map_or(true, |existing| existing.is_file());
    ordinary.then(|| match out.extension() {
        Some(ending) if ending == "safetensors" => out.with_extension("ckpt.safetensors"),
        _ => out.with_added_extension("ckpt"),
    })
}

/// `digits.ckpt.safetensors` gives `digits.ckpt.previous.safetensors`.
fn previous_path(checkpoint: &Path) -> PathBuf {
    match checkpoint.extension() {
        Some(ending) if ending == "safetensors" => {
            checkpoint.with_extension("previous.safetensors")
        }
        _ => checkpoint.with_added_extension("previous"),
    }
}

/// No file that is read is replaced, except a checkpoint by later ones of the same run.
fn check_outputs(
    args: &TrainArgs,
    model: &Path,
    table: Option<&Rows>,
    out: &Path,
    checkpoint: Option<&Path>,
) -> Result<(), Failure> {
    let inputs = Inputs::new(model)
        .rows("the data", table)
        .rows("the rows to validate on", args.valid.as_ref())
        .file("the weights", args.init.as_deref());
    if let Some(checkpoint) = checkpoint {
        let option = match args.checkpoint {
            Some(_) => "--checkpoint",
            None => "--checkpoint, or with --out, after which it is called",
        };
        for file in [checkpoint, &previous_path(checkpoint)] {
            let name = file.display();
            inputs.check(file, option)?;
            if file == out || is_same_file(file, out) {
                return Err(Failure::usage(format!("{name}: is for the weights already"))
                    .help("name another file with --checkpoint"));
            }
            if file.exists() && !is_checkpoint(file) {
                return Err(Failure::usage(format!(
                    "{name}: is no checkpoint, so none may replace it"
                ))
                .help(format!("name another file with {option}")));
            }
        }
    }
    let inputs = inputs.file("the checkpoint", args.resume.as_deref());
    if let Some(report) = &args.report {
        check_report(&inputs, report, out, checkpoint)?;
    }
    inputs.check_beside_results(out, "--out")
}

/// A report replaces nothing that the run reads, and nothing that it writes.
fn check_report(
    inputs: &Inputs,
    report: &Path,
    out: &Path,
    checkpoint: Option<&Path>,
) -> Result<(), Failure> {
    let name = report.display();
    let previous = checkpoint.map(previous_path);
    let others = [Some(out), checkpoint, previous.as_deref()];
    if others.into_iter().flatten().any(|other| other == report || is_same_file(other, report)) {
        let text = format!("{name}: is for the weights or the checkpoints already");
        return Err(Failure::usage(text).help("name another file with --report"));
    }
    inputs.check_beside_results(report, "--report")
}
