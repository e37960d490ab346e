//! A net: the text that describes it, or a program that was compiled from one.

use crate::data::{Data, Specs};
use crate::error::{Cause, Diagnostics, Error, Text};
use crate::reader::Reader;
use arenet_compiler::diagnostic::Diagnostic;
use arenet_compiler::lower::lower;
use arenet_compiler::model::{self, Model};
use arenet_compiler::syntax::{MAX_SOURCE, parse};
use arenet_compiler::{Compiled, Options, Source, compile, graph};
use arenet_runtime::data::{ColumnNames, PortSpec};
use arenet_runtime::program::codec::{self, MAGIC};
use arenet_runtime::program::verify::verify;
use arenet_runtime::program::{Batch, Split, Training, Verified};
use arenet_runtime::rows::Rows;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// The largest program file that is read.
const MAX_PROGRAM_BYTES: u64 = 1 << 30;

/// A net that can be trained and predict.
///
/// ```
/// use arenet::Net;
///
/// let net = Net::open("models/xor.net")?;
/// let mut trainer = net.trainer(net.read_csv("models/xor.csv")?).build()?;
/// let report = trainer.train()?;
/// assert_eq!(report.metric("accuracy"), Some(1.0));
/// # Ok::<(), arenet::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Net {
    name: String,
    content: Content,
    warnings: Diagnostics,
}

#[derive(Clone, Debug)]
enum Content {
    Text(Arc<str>, Box<Model>),
    Program(Arc<Verified>),
}

/// How a net is read: [`Net::options`].
///
/// ```
/// let text = "const H = 8  net n { input x: [N, 2]  output y = x |> dense(H) }";
/// let net = arenet::Net::options().set("H", 3.0).name("small.net").parse(text)?;
/// assert_eq!(net.name(), "small.net");
/// # Ok::<(), arenet::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct NetOptions {
    sets: Vec<(String, f64)>,
    name: Option<String>,
}

impl Net {
    /// Reads a `.net` file, or a `.netc` file that was compiled from one.
    ///
    /// ```
    /// let net = arenet::Net::open("models/iris.net")?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// A file that cannot be read, and every mistake in it.
    pub fn open(path: impl AsRef<Path>) -> Result<Net, Error> {
        Net::options().open(path)
    }

    /// Reads the text of a net, such as one built into the application.
    ///
    /// ```
    /// let net = arenet::Net::parse("net n { input x: [N, 2]  output y = x |> dense(1) }")?;
    /// let net = arenet::Net::parse(include_str!("../models/iris.net"))?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn parse(text: &str) -> Result<Net, Error> {
        Net::options().parse(text)
    }

    /// Reads the bytes of a `.net` or `.netc` file.
    ///
    /// ```
    /// let net = arenet::Net::from_bytes(include_bytes!("../models/iris.net"))?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Net::open`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Net, Error> {
        Net::options().from_bytes(bytes)
    }

    /// Reads a net with settings.
    ///
    /// ```
    /// let text = "const H = 8  net n { input x: [N, 2]  output y = x |> dense(H) }";
    /// let net = arenet::Net::options().set("H", 16.0).parse(text)?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn options() -> NetOptions {
        NetOptions::default()
    }

    /// The name that errors use for it: its file.
    ///
    /// ```
    /// assert_eq!(arenet::Net::open("models/iris.net")?.name(), "models/iris.net");
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The warnings about its text.
    ///
    /// ```
    /// let net = arenet::Net::open("models/iris.net")?;
    /// assert!(net.warnings().is_empty());
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn warnings(&self) -> &Diagnostics {
        &self.warnings
    }

    /// Reads a table of inputs and targets in CSV, perhaps packed by gzip or zstd.
    /// [`Net::reader`] reads others.
    ///
    /// ```
    /// let net = arenet::Net::open("models/iris.net")?;
    /// assert_eq!(net.read_csv("models/iris.csv")?.rows(), 150);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// A file that cannot be read, or a value in it that its column cannot have.
    pub fn read_csv(&self, path: impl AsRef<Path>) -> Result<Data, Error> {
        self.reader().csv(path)
    }

    /// Reads rows with settings: which columns, whether there is a header, other formats.
    ///
    /// ```
    /// let net = arenet::Net::open("models/xor.net")?;
    /// let data = net.reader().header(false).csv_from(&b"0,1,1\n1,1,0\n"[..], "table")?;
    /// assert_eq!(data.rows(), 2);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn reader(&self) -> Reader {
        let reader = Reader::new(self.specs(), self.columns());
        match self.training().map(|training| &training.split) {
            Some(Split::Column(column)) => reader.groups(column),
            _ => reader,
        }
    }

    /// Makes a data set from the values of all rows: those of the inputs, and those of the targets.
    ///
    /// ```
    /// let net = arenet::Net::open("models/iris.net")?;
    /// let data = net.data(&[[5.1, 3.5, 1.4, 0.2], [6.2, 2.9, 4.3, 1.3]], &[0, 1])?;
    /// assert_eq!(data.rows(), 2);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// Values for another number of inputs or targets, of another type, or not of whole rows.
    pub fn data<I, T>(&self, inputs: &I, targets: &T) -> Result<Data, Error>
    where
        I: Rows + ?Sized,
        T: Rows + ?Sized,
    {
        let specs = self.specs();
        let mut data = Data::empty(&specs, self.columns());
        data.add(&specs, (inputs, targets), None)?;
        Ok(data)
    }

    /// Makes a data set from rows, each the values of its inputs and of its targets.
    ///
    /// ```
    /// let net = arenet::Net::open("models/xor.net")?;
    /// let bits = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)];
    /// let data = net.rows(bits.map(|(a, b)| ([a, b], (a + b) % 2.0)))?;
    /// assert_eq!(data.rows(), 4);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// Values for another number of inputs or targets, of another type, or not of one row.
    pub fn rows<I, T>(&self, rows: impl IntoIterator<Item = (I, T)>) -> Result<Data, Error>
    where
        I: Rows,
        T: Rows,
    {
        let specs = self.specs();
        let mut data = Data::empty(&specs, self.columns());
        for (inputs, targets) in rows {
            data.add(&specs, (&inputs, &targets), Some(1))?;
        }
        Ok(data)
    }

    /// Its text, for messages about statements.
    pub(crate) fn statements(&self) -> Option<Text> {
        let Content::Text(text, model) = &self.content else { return None };
        let model = Arc::new(Model::clone(model));
        Some(Text { file: self.name.clone(), text: text.clone(), model })
    }

    /// The specifications of its inputs and targets.
    pub(crate) fn specs(&self) -> Specs {
        match &self.content {
            Content::Text(_, model) => {
                let specs = |ports: &[model::Port]| ports.iter().map(spec).collect();
                (specs(&model.inputs), specs(&model.targets))
            }
            Content::Program(program) => {
                (PortSpec::inputs(program.program()), PortSpec::targets(program.program()))
            }
        }
    }

    /// The names of the columns that it was trained on, if it is a program that has them.
    pub(crate) fn columns(&self) -> ColumnNames {
        match &self.content {
            Content::Text(..) => ColumnNames::default(),
            Content::Program(program) => ColumnNames::of_program(program.program()),
        }
    }

    /// How it is trained, if it can be.
    #[doc(hidden)]
    pub fn training(&self) -> Option<&Training> {
        match &self.content {
            Content::Text(_, model) => model.training.as_ref(),
            Content::Program(program) => program.program().training.as_ref(),
        }
    }

    /// Whether a step takes all rows of the data.
    #[doc(hidden)]
    pub fn is_full(&self) -> bool {
        self.training().is_some_and(|training| training.batch == Batch::Full)
    }

    /// The program, if it was read from a file of one.
    #[doc(hidden)]
    pub fn compiled(&self) -> Option<&Arc<Verified>> {
        match &self.content {
            Content::Text(..) => None,
            Content::Program(program) => Some(program),
        }
    }

    /// The text, if it was read from one.
    #[doc(hidden)]
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text, _) => Some(text),
            Content::Program(_) => None,
        }
    }

    /// A program for this net, and what else the compiler knows of it. A program that was read from
    /// a file stays as it is.
    #[doc(hidden)]
    pub fn compile(&self, options: &Options) -> Result<(Arc<Verified>, Option<Compiled>), Error> {
        let (text, model) = match &self.content {
            Content::Text(text, model) => (text, model),
            Content::Program(program) => return Ok((program.clone(), None)),
        };
        let compiled = compile(Source::Lowered(text, model), options).map_err(|found| {
            let warnings = self.warnings.found.iter().cloned();
            diagnostics(warnings.chain(found).collect(), &self.name, text)
        })?;
        Ok((compiled.program.clone(), Some(compiled)))
    }
}

impl NetOptions {
    /// Overrides a `const` of the text.
    ///
    /// ```
    /// let text = "const H = 8  net n { input x: [N, 2]  output y = x |> dense(H) }";
    /// let net = arenet::Net::options().set("H", 16.0).parse(text)?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    #[must_use]
    pub fn set(mut self, name: impl Into<String>, value: f64) -> NetOptions {
        self.sets.push((name.into(), value));
        self
    }

    /// The name that errors use for the net; by default its file.
    ///
    /// ```
    /// let error = arenet::Net::options().name("my.net").parse("net").unwrap_err();
    /// assert!(error.to_string().contains("my.net:1:4"));
    /// ```
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> NetOptions {
        self.name = Some(name.into());
        self
    }

    /// [`Net::open`] with these settings.
    ///
    /// ```
    /// let net = arenet::Net::options().open("models/iris.net")?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// As there.
    pub fn open(&self, path: impl AsRef<Path>) -> Result<Net, Error> {
        let path = path.as_ref();
        let name = self.name.clone().unwrap_or_else(|| path.display().to_string());
        let unreadable = |error| {
            let message = format!("{name}: cannot be read: {error}");
            Error::from(Cause::File { over_limit: false, message })
        };
        let mut file = File::open(path).map_err(unreadable)?;
        let mut bytes = Vec::new();
        (&mut file).take(MAGIC.len() as u64).read_to_end(&mut bytes).map_err(unreadable)?;
        let compiled = bytes == MAGIC || path.extension().is_some_and(|end| end == "netc");
        let limit = limit(compiled);
        let rest = limit + 1 - bytes.len() as u64;
        file.take(rest).read_to_end(&mut bytes).map_err(unreadable)?;
        self.read(name, &bytes, compiled)
    }

    /// [`Net::parse`] with these settings.
    ///
    /// ```
    /// let text = "net n { input x: [N, 2]  output y = x |> dense(1) }";
    /// let net = arenet::Net::options().parse(text)?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// As there.
    pub fn parse(&self, text: &str) -> Result<Net, Error> {
        let name = self.name.clone().unwrap_or_else(|| "the text".into());
        let found = |found| diagnostics(found, &name, &text.into());
        let (model, warnings) = lower(parse(text), &self.sets).map_err(found)?;
        let text: Arc<str> = text.into();
        let warnings = Diagnostics { found: warnings, file: name.clone(), text: text.clone() };
        Ok(Net { name, content: Content::Text(text, Box::new(model)), warnings })
    }

    /// [`Net::from_bytes`] with these settings.
    ///
    /// ```
    /// let bytes = include_bytes!("../models/iris.net");
    /// let net = arenet::Net::options().name("iris.net").from_bytes(bytes)?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// As there.
    pub fn from_bytes(&self, bytes: &[u8]) -> Result<Net, Error> {
        let name = self.name.clone().unwrap_or_else(|| "the bytes".into());
        self.read(name, bytes, bytes.starts_with(MAGIC))
    }

    fn read(&self, name: String, bytes: &[u8], compiled: bool) -> Result<Net, Error> {
        let limit = limit(compiled);
        let fail = |over_limit, message| Error::from(Cause::File { over_limit, message });
        if bytes.len() as u64 > limit {
            let text = format!("{name}: is larger than the limit of {limit} bytes for a model");
            return Err(fail(true, text));
        }
        if !compiled {
            let text = std::str::from_utf8(bytes).map_err(|error| {
                let valid = &bytes[..error.valid_up_to()];
                let line = valid.iter().filter(|&&byte| byte == b'\n').count() + 1;
                fail(false, format!("{name}:{line}: is not UTF-8 text"))
            })?;
            return NetOptions { name: Some(name), ..self.clone() }.parse(text);
        }
        if !self.sets.is_empty() {
            return Err(Error::usage(format!("{name}: is compiled, with the constants it has")));
        }
        let program = codec::decode(bytes).and_then(verify);
        let program = program.map_err(|error| Cause::Program(name.clone(), error))?;
        let warnings = Diagnostics { found: Vec::new(), file: name.clone(), text: "".into() };
        Ok(Net { name, content: Content::Program(Arc::new(program)), warnings })
    }
}

/// The most bytes of a net.
fn limit(compiled: bool) -> u64 {
    if compiled { MAX_PROGRAM_BYTES } else { MAX_SOURCE as u64 }
}

fn diagnostics(found: Vec<Diagnostic>, name: &str, text: &Arc<str>) -> Error {
    Cause::Text(Diagnostics { found, file: name.into(), text: text.clone() }).into()
}

/// The specification of a port of a text.
fn spec(port: &model::Port) -> PortSpec {
    PortSpec {
        name: port.name.clone(),
        width: port.shape.fixed_elements(),
        integer: port.dtype == graph::DType::I32,
        domain: port.domain.clone(),
        missing: port.missing.clone(),
        from: port.from.clone(),
    }
}
