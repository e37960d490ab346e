//! Predicts and evaluates with trained weights.

use crate::data::Data;
use crate::error::Error;
use crate::net::Net;
use crate::reader::Reader;
use arenet_compiler::{Options, Precision, Purpose};
use arenet_runtime::data::output::{Form, Format, Found, Judge, Judgement, Writer, judges};
use arenet_runtime::exec::Options as RunOptions;
use arenet_runtime::predict::{self, Batches};
use arenet_runtime::program::Verified;
use arenet_runtime::rows::{Rows, RowsMut};
use arenet_runtime::train::{Evaluation, Look, Seen};
use arenet_runtime::weights::WeightsFile;
use std::fmt;
use std::ops::Index;
use std::path::Path;
use std::slice::ChunksExact;
use std::sync::Arc;

/// A net with trained weights. The outputs of a row do not depend on other rows.
///
/// ```
/// # let net = arenet::Net::open("models/xor.net")?;
/// # let mut trainer = net.trainer(net.read_csv("models/xor.csv")?).build()?;
/// # trainer.train()?;
/// # let file = std::env::temp_dir().join("arenet-doc-predictor.safetensors");
/// # trainer.save(&file)?;
/// let mut xor = net.predictor(&file)?;
/// let outputs = xor.predict(&[[0.0, 1.0], [1.0, 1.0]])?;
/// assert!(outputs["y"][0] > 0.5 && outputs["y"][1] < 0.5);
/// # Ok::<(), arenet::Error>(())
/// ```
pub struct Predictor {
    inner: predict::Predictor,
    /// The settings for reading rows to predict.
    reader: Reader,
    seen: Option<Seen>,
    judges: Arc<[Judge]>,
}

impl fmt::Debug for Predictor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let net = &self.inner.program().name;
        f.debug_struct("Predictor").field("net", net).finish_non_exhaustive()
    }
}

/// Settings of a predictor, from [`Net::predictor_options`].
///
/// ```no_run
/// use arenet::{Net, Precision};
///
/// let net = Net::open("digits.net")?;
/// let mut digits = net.predictor_options().weights(Precision::Int8).open("digits.safetensors")?;
/// # Ok::<(), arenet::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PredictorOptions<'n> {
    net: &'n Net,
    batch: Option<u64>,
    weights: Precision,
    run: RunOptions,
    /// The program, where the command has compiled it already.
    program: Option<Arc<Verified>>,
}

/// The outputs for some rows, by name, in the order of the net's text.
///
/// ```
/// # let net = arenet::Net::parse("net n { input x: [N, 2]  output y = 2 * x }")?;
/// # let mut double = net.predictor_from_bytes(b"\x08\0\0\0\0\0\0\0{}      ")?;
/// let outputs = double.predict(&[[1.0, 2.0], [3.0, 4.0]])?;
/// assert_eq!(outputs["y"], [2.0, 4.0, 6.0, 8.0]);
/// assert_eq!(outputs.rows("y").nth(1), Some(&[6.0, 8.0][..]));
/// # Ok::<(), arenet::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Outputs {
    names: Vec<(String, usize)>,
    values: Vec<Vec<f32>>,
    judges: Arc<[Judge]>,
}

/// A class that a net predicts for a row, from [`Outputs::classes`].
///
/// ```
/// # let net = arenet::Net::open("models/iris.net")?;
/// # let weights = std::env::temp_dir().join("arenet-doc-class.safetensors");
/// # net.trainer(net.read_csv("models/iris.csv")?).build()?.save(&weights)?;
/// let mut iris = net.predictor(&weights)?;
/// let outputs = iris.predict(&[5.1, 3.5, 1.4, 0.2])?;
/// for class in &outputs.classes("species", 3).unwrap()[0] {
///     println!("{}: {:?}", class.name, class.probability);
/// }
/// # Ok::<(), arenet::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Class {
    /// What the net's text calls it.
    pub name: String,
    /// Its probability, where the outputs say it.
    pub probability: Option<f32>,
}

impl Predictor {
    /// Predicts rows: the values of the input, or a tuple or list with the values of each input.
    ///
    /// ```
    /// # let net = arenet::Net::parse("net n { input x: [N, 2]  output y = 2 * x }")?;
    /// # let mut double = net.predictor_from_bytes(b"\x08\0\0\0\0\0\0\0{}      ")?;
    /// let rows = vec![[1.0, 2.0], [3.0, 4.0]];
    /// assert_eq!(double.predict(&rows)?["y"], [2.0, 4.0, 6.0, 8.0]);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// No values, values for another number of inputs, not of whole rows, or outside their range.
    pub fn predict<I: Rows + ?Sized>(&mut self, inputs: &I) -> Result<Outputs, Error> {
        let values = self.inner.predict(inputs)?;
        let outputs = self.inner.program().outputs.iter();
        let names = outputs.map(|output| (output.name.clone(), output.width as usize)).collect();
        Ok(Outputs { names, values, judges: self.judges.clone() })
    }

    /// Predicts rows into a buffer for the output, or into a tuple or list with a buffer for each
    /// output. It allocates nothing, and does not check whether real numbers are finite.
    ///
    /// ```
    /// # let net = arenet::Net::parse("net n { input x: [N, 2]  output y = 2 * x }")?;
    /// # let mut double = net.predictor_from_bytes(b"\x08\0\0\0\0\0\0\0{}      ")?;
    /// let mut y = [0.0; 2];
    /// for x in [[1.0, 2.0], [3.0, 4.0]] {
    ///     double.predict_into(&x, &mut y)?;
    ///     assert_eq!(y, [2.0 * x[0], 2.0 * x[1]]);
    /// }
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Predictor::predict`], or buffers of another number or size.
    pub fn predict_into<I, O>(&mut self, inputs: &I, outputs: &mut O) -> Result<(), Error>
    where
        I: Rows + ?Sized,
        O: RowsMut + ?Sized,
    {
        Ok(self.inner.predict_into(inputs, outputs)?)
    }

    /// Predicts the rows of a table a batch at a time, to be written as CSV, JSON or npy. Only the
    /// outputs of one batch are held.
    ///
    /// ```
    /// use arenet::Format;
    /// # let net = arenet::Net::parse("net n { input x: [N, 2]  output y = 2 * x }")?;
    /// # let mut double = net.predictor_from_bytes(b"\x08\0\0\0\0\0\0\0{}      ")?;
    /// let rows = double.reader().csv_from(&b"1,2\n3,4\n"[..], "table")?;
    /// let mut text = Vec::new();
    /// double.batches(&rows)?.write(&mut text, Format::Csv).unwrap();
    /// assert_eq!(text, b"y.0,y.1\n2.0,4.0\n6.0,8.0\n");
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Predictor::predict`].
    pub fn batches<'p>(&'p mut self, data: &'p Data) -> Result<Batches<'p>, Error> {
        let set = data.set();
        Ok(self.inner.batches(&set.inputs, set.rows)?.beside(set.kept.as_ref()))
    }

    /// Writes predictions in a form, a part of the rows after another:
    /// [`Reader::each_block`] reads such parts.
    ///
    /// ```
    /// use arenet::{Form, Format};
    /// # let net = arenet::Net::open("models/iris.net")?;
    /// # let weights = std::env::temp_dir().join("arenet-doc-writer.safetensors");
    /// # net.trainer(net.read_csv("models/iris.csv")?).build()?.save(&weights)?;
    /// let mut iris = net.predictor(&weights)?;
    /// let mut writer = iris.writer(&Form::new(Format::Csv).only(["species"]).top(2))?;
    /// let rows = iris.read_csv("models/iris.csv")?;
    /// let mut text = Vec::new();
    /// iris.batches(&rows)?.write_to(&mut writer, &mut text).unwrap();
    /// writer.finish(&mut text).unwrap();
    /// assert!(text.starts_with(b"species,species.probability,species.2,species.2.probability\n"));
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// A form that is not one of the net's outputs.
    pub fn writer(&self, form: &Form) -> Result<Writer, Error> {
        Ok(self.inner.writer(form)?)
    }

    /// Makes `count` predictors of one, for `count` threads. They have one copy of the weights;
    /// each has its own memory for everything else, and is as fast as the one was.
    ///
    /// ```
    /// # let net = arenet::Net::parse("net n { input x: [N, 2]  output y = 2 * x }")?;
    /// # let weights = b"\x08\0\0\0\0\0\0\0{}      ";
    /// let double = net.predictor_options().threads(1).from_bytes(weights)?;
    /// std::thread::scope(|scope| {
    ///     for mut double in double.share(4)? {
    ///         scope.spawn(move || double.predict(&[1.0, 2.0]).unwrap());
    ///     }
    ///     Ok::<(), arenet::Error>(())
    /// })?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// Memory over the limit, or a program that writes its weights when it predicts. This compiler
    /// makes no such program.
    pub fn share(self, count: usize) -> Result<Vec<Predictor>, Error> {
        let Predictor { inner, reader, seen, judges } = self;
        let predictor = |inner| {
            let (reader, seen, judges) = (reader.clone(), seen.clone(), judges.clone());
            Predictor { inner, reader, seen, judges }
        };
        Ok(inner.share(count)?.into_iter().map(predictor).collect())
    }

    /// Reads rows to predict, in CSV and perhaps without targets, by the names of the columns that
    /// the weights were trained on.
    ///
    /// ```
    /// # let net = arenet::Net::parse("net n { input x: [N, 2]  output y = 2 * x }")?;
    /// # let mut double = net.predictor_from_bytes(b"\x08\0\0\0\0\0\0\0{}      ")?;
    /// # let path = std::env::temp_dir().join("arenet-doc-predict.csv");
    /// # std::fs::write(&path, "1,2\n").unwrap();
    /// let rows = double.read_csv(&path)?;
    /// assert_eq!(double.predict(&rows)?["y"], [2.0, 4.0]);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// A file that cannot be read, or a value in it that its column cannot have.
    pub fn read_csv(&self, path: impl AsRef<Path>) -> Result<Data, Error> {
        self.reader().csv(path)
    }

    /// [`Predictor::read_csv`] with settings.
    ///
    /// ```
    /// # let net = arenet::Net::parse("net n { input x: [N, 2]  output y = 2 * x }")?;
    /// # let mut double = net.predictor_from_bytes(b"\x08\0\0\0\0\0\0\0{}      ")?;
    /// let rows = double.reader().header(false).csv_from(&b"1,2\n"[..], "table")?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// Loss and metrics over rows with targets.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/xor.net")?;
    /// # let mut trainer = net.trainer(net.read_csv("models/xor.csv")?).build()?;
    /// # trainer.train()?;
    /// # let file = std::env::temp_dir().join("arenet-doc-evaluate.safetensors");
    /// # trainer.save(&file)?;
    /// let mut xor = net.predictor(&file)?;
    /// let figures = xor.evaluate(&xor.read_csv("models/xor.csv")?)?;
    /// assert_eq!(figures.metrics, [("accuracy".to_string(), 1.0)]);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// A net without a `train` section, or rows without targets.
    pub fn evaluate(&mut self, data: &Data) -> Result<Evaluation, Error> {
        Ok(self.inner.evaluate(data.set())?)
    }

    /// Loss and metrics over the rows that were held out when the weights were trained on this
    /// data; `None` if no rows were, or if the weights were trained on other data.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/iris.net")?;
    /// # let data = net.read_csv("models/iris.csv")?;
    /// # let mut trainer = net.trainer(data.clone()).epochs(2).build()?;
    /// # trainer.train()?;
    /// # let file = std::env::temp_dir().join("arenet-doc-held-out.safetensors");
    /// # trainer.save(&file)?;
    /// let mut iris = net.predictor(&file)?;
    /// assert_eq!(iris.evaluate_held_out(&data)?.unwrap().rows, 30);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Predictor::evaluate`].
    pub fn evaluate_held_out(&mut self, data: &Data) -> Result<Option<Evaluation>, Error> {
        match self.held_out(data)? {
            Some(rows) if !rows.is_empty() => self.evaluate_rows(data, &rows).map(Some),
            _ => Ok(None),
        }
    }

    /// The rows of this data that were held out, if the weights were trained on it.
    #[doc(hidden)]
    pub fn held_out(&self, data: &Data) -> Result<Option<Vec<u32>>, Error> {
        match &self.seen {
            Some(seen) => Ok(self.inner.held_out(data.set(), seen)?),
            None => Ok(None),
        }
    }

    /// Loss and metrics over some rows of the data.
    #[doc(hidden)]
    pub fn evaluate_rows(&mut self, data: &Data, rows: &[u32]) -> Result<Evaluation, Error> {
        Ok(self.inner.evaluate_rows(data.set(), rows)?)
    }

    /// Looks at some rows of the data, one after another.
    #[doc(hidden)]
    pub fn look(
        &mut self,
        data: &Data,
        rows: &[u32],
        each: impl FnMut(&Look),
    ) -> Result<(), Error> {
        Ok(self.inner.look(data.set(), rows, each)?)
    }
}

impl Net {
    /// Predicts with the weights in a safetensors file: those that training wrote, or PyTorch.
    ///
    /// ```no_run
    /// let net = arenet::Net::open("digits.net")?;
    /// let mut digits = net.predictor("digits.safetensors")?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// A file that cannot be read, or weights that are not this net's.
    pub fn predictor(&self, weights: impl AsRef<Path>) -> Result<Predictor, Error> {
        self.predictor_options().open(weights)
    }

    /// Predicts with the weights in the bytes of such a file: `include_bytes!("net.safetensors")`.
    ///
    /// ```
    /// let net = arenet::Net::parse("net n { input x: [N, 2]  output y = 2 * x }")?;
    /// let mut double = net.predictor_from_bytes(b"\x08\0\0\0\0\0\0\0{}      ")?;
    /// assert_eq!(double.predict(&[1.0, 2.5])?["y"], [2.0, 5.0]);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Net::predictor`].
    pub fn predictor_from_bytes(&self, weights: &[u8]) -> Result<Predictor, Error> {
        self.predictor_options().from_bytes(weights)
    }

    /// Predicts with settings.
    ///
    /// ```no_run
    /// let net = arenet::Net::open("digits.net")?;
    /// let mut digits = net.predictor_options().threads(1).open("digits.safetensors")?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn predictor_options(&self) -> PredictorOptions<'_> {
        PredictorOptions::new(self)
    }
}

impl<'n> PredictorOptions<'n> {
    fn new(net: &'n Net) -> PredictorOptions<'n> {
        let (weights, run) = (Precision::F32, RunOptions::default());
        PredictorOptions { net, batch: None, weights, run, program: None }
    }

    /// The precision of the weights of matrix products; by default f32.
    ///
    /// ```
    /// use arenet::{Net, Precision};
    /// # let net = Net::parse("net n { input x: [N, 2]  output y = 2 * x }")?;
    /// # let weights = b"\x08\0\0\0\0\0\0\0{}      ";
    /// let mut net = net.predictor_options().weights(Precision::Bf16).from_bytes(weights)?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    #[must_use]
    pub fn weights(mut self, weights: Precision) -> Self {
        self.weights = weights;
        self
    }

    /// The most rows that are computed at once; by default 256. A program that was compiled to a
    /// file keeps the rows that it was compiled for.
    ///
    /// ```
    /// # let net = arenet::Net::parse("net n { input x: [N, 2]  output y = 2 * x }")?;
    /// # let weights = b"\x08\0\0\0\0\0\0\0{}      ";
    /// let mut double = net.predictor_options().batch(1).from_bytes(weights)?; // row after row
    /// # Ok::<(), arenet::Error>(())
    /// ```
    #[must_use]
    pub fn batch(mut self, rows: u64) -> Self {
        self.batch = Some(rows);
        self
    }

    /// The number of threads; by default one for each core.
    ///
    /// ```
    /// # let net = arenet::Net::parse("net n { input x: [N, 2]  output y = 2 * x }")?;
    /// # let weights = b"\x08\0\0\0\0\0\0\0{}      ";
    /// let mut double = net.predictor_options().threads(1).from_bytes(weights)?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.run.threads = Some(threads);
        self
    }

    /// The most bytes that the program may take; by default 80% of the machine's memory.
    ///
    /// ```
    /// # let net = arenet::Net::parse("net n { input x: [N, 2]  output y = 2 * x }")?;
    /// # let weights = b"\x08\0\0\0\0\0\0\0{}      ";
    /// assert!(net.predictor_options().max_memory(100).from_bytes(weights).is_err());
    /// # Ok::<(), arenet::Error>(())
    /// ```
    #[must_use]
    pub fn max_memory(mut self, bytes: u64) -> Self {
        self.run.max_memory = Some(bytes);
        self
    }

    /// How the program is run, and the compiled program.
    #[doc(hidden)]
    #[must_use]
    pub fn compiled(mut self, program: Arc<Verified>, run: RunOptions) -> Self {
        (self.program, self.run) = (Some(program), run);
        self
    }

    /// [`Net::predictor`] with these settings.
    ///
    /// ```no_run
    /// # let net = arenet::Net::open("digits.net")?;
    /// let mut digits = net.predictor_options().open("digits.safetensors")?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// As there.
    pub fn open(&self, weights: impl AsRef<Path>) -> Result<Predictor, Error> {
        self.build(WeightsFile::open(weights)?)
    }

    /// [`Net::predictor_from_bytes`] with these settings.
    ///
    /// ```
    /// # let net = arenet::Net::parse("net n { input x: [N, 2]  output y = 2 * x }")?;
    /// # let weights = b"\x08\0\0\0\0\0\0\0{}      ";
    /// let mut double = net.predictor_options().from_bytes(weights)?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// As there.
    pub fn from_bytes(&self, weights: &[u8]) -> Result<Predictor, Error> {
        self.build(WeightsFile::of_bytes(weights, "the weights")?)
    }

    fn build(&self, mut file: WeightsFile<'_>) -> Result<Predictor, Error> {
        let program = match &self.program {
            Some(program) => program.clone(),
            None => self.compile()?,
        };
        let seen = Seen::from_metadata(file.metadata());
        let names = file.columns()?.or(self.net.columns());
        let inner = predict::Predictor::new(program, &mut file, self.run)?;
        let (held, row) = (inner.executor().held_bytes(), inner.row_bytes());
        let reader = self.net.reader().for_predictor(names, held, row);
        let judges = judges(inner.program(), &Form::new(Format::Json))?.into();
        Ok(Predictor { inner, reader, seen, judges })
    }

    fn compile(&self) -> Result<Arc<Verified>, Error> {
        let (batch, weights, purpose) = (self.batch, self.weights, Purpose::Evaluate);
        if self.net.compiled().is_some() && (batch.is_some() || weights != Precision::F32) {
            let text =
                format!("{}: is compiled, with the batch and weights it has", self.net.name());
            return Err(Error::usage(text));
        }
        Ok(self.net.compile(&Options { batch, weights, purpose, ..Options::default() })?.0)
    }
}

impl Outputs {
    /// The names, in the order of the net's text.
    ///
    /// ```
    /// # let net = arenet::Net::parse("net n { input x: [N, 2]  output y = 2 * x }")?;
    /// # let mut double = net.predictor_from_bytes(b"\x08\0\0\0\0\0\0\0{}      ")?;
    /// assert!(double.predict(&[1.0, 2.0])?.names().eq(["y"]));
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|(name, _)| name.as_str())
    }

    /// The values of an output, row after row, if there is one of this name.
    ///
    /// ```
    /// # let net = arenet::Net::parse("net n { input x: [N, 2]  output y = 2 * x }")?;
    /// # let mut double = net.predictor_from_bytes(b"\x08\0\0\0\0\0\0\0{}      ")?;
    /// let outputs = double.predict(&[1.0, 2.0])?;
    /// assert_eq!((outputs.get("y"), outputs.get("z")), (Some(&[2.0, 4.0][..]), None));
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn get(&self, name: &str) -> Option<&[f32]> {
        let at = self.names.iter().position(|(own, _)| own == name)?;
        Some(&self.values[at])
    }

    /// The rows of an output.
    ///
    /// ```
    /// # let net = arenet::Net::parse("net n { input x: [N, 2]  output y = 2 * x }")?;
    /// # let mut double = net.predictor_from_bytes(b"\x08\0\0\0\0\0\0\0{}      ")?;
    /// let outputs = double.predict(&[[1.0, 2.0], [3.0, 4.0]])?;
    /// assert!(outputs.rows("y").eq([[2.0, 4.0], [6.0, 8.0]]));
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Panics
    /// If there is no output of this name.
    pub fn rows(&self, name: &str) -> ChunksExact<'_, f32> {
        let width = self.names.iter().find(|(own, _)| own == name).map_or(1, |(_, width)| *width);
        self[name].chunks_exact(width)
    }
}

impl Outputs {
    /// For each row, the most probable classes of a target, up to so many, if an output predicts
    /// them: the loss or a metric compares it with the target. Of NaN there are none.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/iris.net")?;
    /// # let weights = std::env::temp_dir().join("arenet-doc-classes.safetensors");
    /// # net.trainer(net.read_csv("models/iris.csv")?).build()?.save(&weights)?;
    /// # let mut iris = net.predictor(&weights)?;
    /// let outputs = iris.predict(&[5.1, 3.5, 1.4, 0.2])?;
    /// let ranks = &outputs.classes("species", 2).expect("it is a target of classes")[0];
    /// assert!(["setosa", "versicolor", "virginica"].contains(&&*ranks[0].name));
    /// assert!(ranks[0].probability >= ranks[1].probability);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn classes(&self, target: &str, count: usize) -> Option<Vec<Vec<Class>>> {
        let judge = self.judges.iter().find(|judge| judge.name == target)?;
        let mut judge = judge.clone();
        judge.top = count;
        let (_, width) = self.names[judge.output];
        let mut judgement = Judgement::default();
        let class = |found: &Found| {
            let name = judge.label(found.class)?.to_string();
            Some(Class { name, probability: found.probability })
        };
        let ranks = |scores: &[f32]| {
            judge.judge(scores, &mut judgement);
            judgement.found.iter().filter_map(class).collect()
        };
        Some(self.values[judge.output].chunks_exact(width).map(ranks).collect())
    }
}

/// The values of an output.
///
/// # Panics
/// If there is no output of this name.
impl Index<&str> for Outputs {
    type Output = [f32];

    fn index(&self, name: &str) -> &[f32] {
        self.get(name).unwrap_or_else(|| panic!("the net has no output `{name}`"))
    }
}
