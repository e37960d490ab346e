//! A model on the command line: a `.net` file that is compiled, or a `.netc` file that has been.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arenet::internals::compiler::diagnostic::Diagnostic;
use arenet::internals::compiler::syntax::MAX_SOURCE;
use arenet::internals::compiler::{Compiled, Options, Precision, Purpose, compile};
use arenet::internals::runtime::program::codec::{self, MAGIC};
use arenet::internals::runtime::program::verify::verify;
use arenet::internals::runtime::program::{Batch, DType, Program, Verified};

use super::failure::{Failure, Kind};
use super::train::parameters;
use super::{Context, units};

/// The largest `.netc` file that is read.
const MAX_PROGRAM_BYTES: u64 = 1 << 30;

/// A model as it was found.
pub struct Source {
    /// Its file.
    pub path: PathBuf,
    content: Content,
    /// What the weights of a text are kept as.
    weights: Precision,
}

enum Content {
    Text(String),
    Program(Arc<Verified>),
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
}

impl Source {
    /// Reads the file, and verifies a program.
    pub fn read(path: &Path) -> Result<Source, Failure> {
        let name = path.display();
        let unreadable = |error: io::Error| {
            let failure = Failure::new(Kind::Model, format!("{name}: cannot be read: {error}"));
            match error.kind() {
                io::ErrorKind::NotFound => {
                    failure.help("the first argument is a .net or .netc file")
                }
                _ => failure,
            }
        };
        let mut file = File::open(path).map_err(unreadable)?;
        let mut head = Vec::new();
        (&mut file).take(MAGIC.len() as u64).read_to_end(&mut head).map_err(unreadable)?;
        let compiled = head == MAGIC || path.extension().is_some_and(|end| end == "netc");
        let limit = if compiled { MAX_PROGRAM_BYTES } else { MAX_SOURCE as u64 };
        let mut bytes = head;
        file.take(limit + 1 - bytes.len() as u64).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > limit {
            let text = format!("{name}: is larger than the limit of {limit} bytes for a model");
            return Err(Failure::new(Kind::Limit, text));
        }
        let content = if compiled {
            let of_program = |error| Failure::of_program(&name.to_string(), &error);
            let program = codec::decode(&bytes).and_then(verify).map_err(of_program)?;
            Content::Program(Arc::new(program))
        } else {
            Content::Text(String::from_utf8(bytes).map_err(|error| {
                let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
                let line = valid.iter().filter(|&&byte| byte == b'\n').count() + 1;
                Failure::new(Kind::Model, format!("{name}:{line}: is not UTF-8 text"))
            })?)
        };
        Ok(Source { path: path.to_path_buf(), content, weights: Precision::F32 })
    }

    /// The same with weights that are kept so, if that is said; those of a compiled program are as
    /// they are.
    pub fn with_weights(mut self, weights: Option<Precision>) -> Result<Source, Failure> {
        let Some(weights) = weights else { return Ok(self) };
        if let Content::Program(program) = &self.content {
            let (own, asked) = (precision(program.program()).name(), weights.name());
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

    /// The text of a `.net` file.
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            Content::Program(_) => None,
        }
    }

    /// The file as messages call it.
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

    /// Compiles the text, for steps of `batch` rows; prints its warnings, or its errors.
    pub fn build(
        &self,
        cx: &Context,
        batch: Option<u64>,
        purpose: Purpose,
    ) -> Result<Built, Failure> {
        self.build_quietly(cx, batch, purpose).map(|(built, warnings)| {
            if let Some(text) = self.text().filter(|_| !cx.console.quiet) {
                cx.console.diagnostics(&warnings, &self.name(), text);
            }
            let program = built.program();
            cx.console.detail(format!(
                "model: {}, net {}, {}, up to {} a step, arena {}",
                self.name(),
                program.name,
                units::plural(parameters(program), "parameter"),
                units::plural(program.batch, "row"),
                units::bytes(program.arena_bytes),
            ));
            built
        })
    }

    /// [`Source::build`] that gives the warnings back.
    pub fn build_quietly(
        &self,
        cx: &Context,
        batch: Option<u64>,
        purpose: Purpose,
    ) -> Result<(Built, Vec<Diagnostic>), Failure> {
        let text = match &self.content {
            Content::Text(text) => text,
            Content::Program(program) => {
                if !cx.global.set.is_empty() {
                    return Err(self.fixed("constants", "--set"));
                }
                return Ok((Built { program: program.clone(), compiled: None }, Vec::new()));
            }
        };
        let (sets, weights) = (cx.global.set.clone(), self.weights);
        let options = Options { batch, sets, purpose, weights };
        let mut compiled = compile(text, &options).map_err(|diagnostics| {
            cx.console.diagnostics(&diagnostics, &self.name(), text);
            Failure::Diagnosed(kind_of(&diagnostics))
        })?;
        let mut program = std::mem::take(&mut compiled.program);
        if let (Some(training), Some(rows)) = (&mut program.training, batch) {
            training.batch = Batch::Rows(rows); // in place of `batch = full` too
        }
        let warnings = std::mem::take(&mut compiled.warnings);
        // The compiler's own programs are verified as any other: it is the executor's only proof.
        let program = verify(program).map_err(|error| Failure::of_program(&self.name(), &error))?;
        Ok((Built { program: Arc::new(program), compiled: Some(compiled) }, warnings))
    }

    /// The failure of an option that a `.netc` file cannot follow.
    pub fn fixed(&self, what: &str, option: &str) -> Failure {
        let text = format!("{}: {option} cannot change a compiled program", self.name());
        Failure::usage(text).help(format!("its {what} were fixed when it was compiled"))
    }
}

/// What a program's weights are kept as.
pub fn precision(program: &Program) -> Precision {
    match program.precision() {
        DType::F32 | DType::I32 => Precision::F32,
        DType::Bf16 => Precision::Bf16,
        DType::I8 => Precision::Int8,
    }
}

/// Whether a program can only be planned for the whole data.
pub fn is_full(program: &Program) -> bool {
    program.training.as_ref().is_some_and(|training| training.batch == Batch::Full)
}

/// The failure that a file's diagnostics amount to.
fn kind_of(diagnostics: &[Diagnostic]) -> Kind {
    const LIMITS: [&str; 6] = [
        "over-memory-limit",
        "nesting-too-deep",
        "source-too-large",
        "too-many-nodes",
        "too-many-operations",
        "value-too-large",
    ];
    // Other errors may just follow from it.
    let limit = diagnostics.iter().any(|diag| LIMITS.contains(&diag.code));
    if limit { Kind::Limit } else { Kind::Model }
}
