//! A model on the command line: a `.net` file that is compiled, or a `.netc` file that has been.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arenet::internals::compiler::{Compiled, Options, Precision, Purpose};
use arenet::internals::runtime::program::{DType, Program, Verified};
use arenet::{ErrorKind, Net};

use super::failure::Failure;
use super::{Context, foreign, units};

/// A model, read from its file.
pub struct Source {
    /// Its file.
    pub path: PathBuf,
    /// Its content.
    pub net: Net,
    /// The precision of the weights of a text.
    weights: Precision,
}

/// A model that is ready to be run.
pub struct Built {
    /// What is run.
    pub program: Arc<Verified>,
    /// What the compiler knows beyond it; nothing for a `.netc` file.
    pub compiled: Option<Compiled>,
}

impl Built {
    /// The program.
    pub fn program(&self) -> &Program {
        self.program.program()
    }

    /// Its name and its sizes, for a training.
    pub fn in_training(&self) -> String {
        let program = self.program();
        format!(
            "{}: {}, arena {} and a copy of {}",
            program.name,
            units::plural(parameters(program), "parameter"),
            units::bytes(program.arena_bytes),
            units::bytes(program.copy_bytes()),
        )
    }
}

impl Source {
    /// Reads the file: prints the mistakes of a text, and verifies a program.
    pub fn read(cx: &Context, path: &Path) -> Result<Source, Failure> {
        Source::read_with(path, &cx.global.set)
    }

    /// [`Source::read`] with these values of constants.
    pub fn read_with(path: &Path, sets: &[(String, f64)]) -> Result<Source, Failure> {
        if let Some(failure) = foreign::told(path) {
            return Err(failure);
        }
        let options = sets.iter().fold(Net::options(), |net, (name, value)| net.set(name, *value));
        let net = options.open(path).map_err(|error| match error.kind() {
            ErrorKind::Usage => fixed(path, "constants", "--set"),
            _ if !path.exists() => {
                Failure::from(error).help("the first argument is a .net or .netc file")
            }
            _ => error.into(),
        })?;
        Ok(Source { path: path.to_path_buf(), net, weights: Precision::F32 })
    }

    /// The same with this precision of the weights. That of a compiled program cannot be changed.
    pub fn with_weights(mut self, weights: Option<Precision>) -> Result<Source, Failure> {
        let Some(weights) = weights else { return Ok(self) };
        if self.net.compiled().is_some() {
            let (own, asked) = (self.precision().name(), weights.name());
            if own != asked {
                let name = self.name();
                let text = format!("{name}: --weights {asked} cannot change a compiled program");
                return Err(Failure::usage(text).help(format!(
                    "it was compiled for weights of {own}; `arenet compile --weights {asked}` \
                     makes another of the .net file"
                )));
            }
        }
        self.weights = weights;
        Ok(self)
    }

    /// The precision of its weights.
    pub fn precision(&self) -> Precision {
        self.net.compiled().map_or(self.weights, |program| precision(program.program()))
    }

    /// Whether it can be trained: it has a `train` section and weights in f32.
    pub fn trains(&self) -> bool {
        self.net.training().is_some() && self.precision() == Precision::F32
    }

    /// Whether a step takes all rows of the data.
    pub fn is_full(&self) -> bool {
        self.trains() && self.net.is_full()
    }

    /// The text of a `.net` file.
    pub fn text(&self) -> Option<&str> {
        self.net.text()
    }

    /// The name of its file, for messages.
    pub fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// The model's file with another ending: `a/digits.net` gives `a/digits.csv`. An ending that is
    /// not one of a model is part of the name.
    pub fn beside(&self, ending: &str) -> PathBuf {
        let is_model = |ending: &OsStr| ["net", "netc"].iter().any(|known| ending == *known);
        match self.path.extension() {
            Some(known) if is_model(known) => self.path.with_extension(ending),
            _ => self.path.with_added_extension(ending),
        }
    }

    /// [`Source::beside`], but in the current folder.
    pub fn in_this_folder(&self, ending: &str) -> PathBuf {
        self.beside(ending).file_name().unwrap_or("net".as_ref()).into()
    }

    /// Compiles the text, for steps of `batch` rows. Its warnings are for who checks or trains it:
    /// [`Source::warn`].
    pub fn build(
        &self,
        cx: &Context,
        batch: Option<u64>,
        purpose: Purpose,
    ) -> Result<Built, Failure> {
        let built = self.build_quietly(batch, purpose)?;
        self.describe(cx, &built);
        Ok(built)
    }

    /// Compiles the text for steps over all rows, of which there may be so many.
    pub fn build_full(&self, rows: Option<u64>) -> Result<Built, Failure> {
        self.compile(rows, true, Purpose::Train)
    }

    /// Prints the warnings of a text.
    pub fn warn(&self, cx: &Context) {
        if !cx.console.quiet {
            cx.console.diagnostics(self.net.warnings());
        }
    }

    /// Prints details of what was built, if asked to.
    pub fn describe(&self, cx: &Context, built: &Built) {
        let program = built.program();
        cx.console.detail(format!(
            "model: {}, net {}, {}, up to {} a step, arena {}",
            self.name(),
            program.name,
            units::plural(parameters(program), "parameter"),
            units::plural(program.batch, "row"),
            units::bytes(program.arena_bytes),
        ));
    }

    /// [`Source::build`] without details.
    pub fn build_quietly(&self, batch: Option<u64>, purpose: Purpose) -> Result<Built, Failure> {
        self.compile(batch, false, purpose)
    }

    fn compile(&self, batch: Option<u64>, full: bool, purpose: Purpose) -> Result<Built, Failure> {
        let weights = self.weights;
        let options = Options { batch, full, purpose, weights, ..Options::default() };
        let (program, compiled) = self.net.compile(&options)?;
        Ok(Built { program, compiled })
    }

    /// The failure of an option that a `.netc` file cannot follow.
    pub fn fixed(&self, what: &str, option: &str) -> Failure {
        fixed(&self.path, what, option)
    }
}

fn fixed(path: &Path, what: &str, option: &str) -> Failure {
    let text = format!("{}: {option} cannot change a compiled program", path.display());
    Failure::usage(text).help(format!("its {what} were fixed when it was compiled"))
}

/// The precision of a program's weights.
pub fn precision(program: &Program) -> Precision {
    match program.precision() {
        DType::F32 | DType::I32 => Precision::F32,
        DType::Bf16 => Precision::Bf16,
        DType::I8 => Precision::Int8,
    }
}

/// The number of values of all parameters.
pub fn parameters(program: &Program) -> u64 {
    program.params.iter().map(|param| param.shape.iter().product::<u64>()).sum()
}
