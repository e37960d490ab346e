//! Training, all at once, epoch by epoch or step by step.

use crate::data::Data;
use crate::error::Error;
use crate::net::Net;
use arenet_compiler::Options;
use arenet_runtime::exec::Options as RunOptions;
use arenet_runtime::simd::Isa;
use arenet_runtime::train::{self, EpochReport, Evaluation, Progress, Settings};
use arenet_runtime::weights::WeightsFile;
use std::io::{Cursor, Read, Seek};
use std::ops::ControlFlow;
use std::path::Path;

/// How a net is trained: [`Net::trainer`]. What is not said is as the net's text says.
///
/// ```
/// let net = arenet::Net::open("models/iris.net")?;
/// let data = net.read_csv("models/iris.csv")?;
/// let mut trainer = net.trainer(data).seed(1).threads(2).epochs(10).build()?;
/// let report = trainer.train()?;
/// assert_eq!(report.epoch, 10);
/// # Ok::<(), arenet::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TrainerBuilder<'n> {
    net: &'n Net,
    data: Data,
    valid: Option<Data>,
    batch: Option<Batch>,
    settings: Settings,
    run: RunOptions,
}

/// The rows of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Batch {
    Full,
    Rows(u64),
}

/// Trains a net. The same net, data, settings and seed give the same weights, bit for bit, on any
/// machine and with any number of threads, and however often the run is interrupted and resumed.
///
/// ```
/// let net = arenet::Net::open("models/xor.net")?;
/// let mut trainer = net.trainer(net.read_csv("models/xor.csv")?).build()?;
/// while let Some(epoch) = trainer.train_epoch()? {
///     if epoch.loss < 0.01 {
///         break;
///     }
/// }
/// # Ok::<(), arenet::Error>(())
/// ```
pub struct Trainer {
    inner: train::Trainer,
    last: Option<EpochReport>,
}

impl<'n> TrainerBuilder<'n> {
    pub(crate) fn new(net: &'n Net, data: Data) -> TrainerBuilder<'n> {
        let (settings, run) = (Settings::default(), RunOptions::default());
        TrainerBuilder { net, data, valid: None, batch: None, settings, run }
    }

    /// The seed of the initial values, the rows held out and the order of the others.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/xor.net")?;
    /// # let data = net.read_csv("models/xor.csv")?;
    /// let trainer = net.trainer(data).seed(1).build()?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = Some(seed);
        self
    }

    /// The number of passes over the data.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/xor.net")?;
    /// # let data = net.read_csv("models/xor.csv")?;
    /// assert_eq!(net.trainer(data).epochs(7).build()?.epochs(), 7);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    #[must_use]
    pub fn epochs(mut self, epochs: u64) -> Self {
        self.settings.epochs = Some(epochs);
        self
    }

    /// The learning rate that every schedule starts from.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/xor.net")?;
    /// # let data = net.read_csv("models/xor.csv")?;
    /// let trainer = net.trainer(data).learning_rate(0.01).build()?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    #[must_use]
    pub fn learning_rate(mut self, rate: f64) -> Self {
        self.settings.lr = Some(rate);
        self
    }

    /// The rows of a step.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/xor.net")?;
    /// # let data = net.read_csv("models/xor.csv")?;
    /// assert_eq!(net.trainer(data).batch(2).build()?.steps_per_epoch(), 2);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    #[must_use]
    pub fn batch(mut self, rows: u64) -> Self {
        self.batch = Some(Batch::Rows(rows));
        self
    }

    /// Makes a step of all rows there are.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/iris.net")?;
    /// # let data = net.read_csv("models/iris.csv")?;
    /// assert_eq!(net.trainer(data).full_batch().build()?.steps_per_epoch(), 1);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    #[must_use]
    pub fn full_batch(mut self) -> Self {
        self.batch = Some(Batch::Full);
        self
    }

    /// Whether every epoch has the rows in an order of its own.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/xor.net")?;
    /// # let data = net.read_csv("models/xor.csv")?;
    /// let trainer = net.trainer(data).shuffle(false).build()?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    #[must_use]
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.settings.shuffle = Some(shuffle);
        self
    }

    /// The share of the rows to hold out for validation, from 0 up to but not including 1.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/iris.net")?;
    /// # let data = net.read_csv("models/iris.csv")?;
    /// assert_eq!(net.trainer(data).hold_out(0.1).build()?.held_out_rows(), 15);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    #[must_use]
    pub fn hold_out(mut self, share: f64) -> Self {
        self.settings.valid = Some(share);
        self
    }

    /// Validates on these rows, and trains on all the others.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/iris.net")?;
    /// # let data = net.read_csv("models/iris.csv")?;
    /// let trainer = net.trainer(data.clone()).validate_on(data).build()?;
    /// assert_eq!((trainer.rows(), trainer.held_out_rows()), (150, 150));
    /// # Ok::<(), arenet::Error>(())
    /// ```
    #[must_use]
    pub fn validate_on(mut self, data: Data) -> Self {
        self.valid = Some(data);
        self
    }

    /// The number of threads; by default one a core.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/xor.net")?;
    /// # let data = net.read_csv("models/xor.csv")?;
    /// let trainer = net.trainer(data).threads(1).build()?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.run.threads = threads;
        self
    }

    /// The most bytes that the training may take with its data; by default 80% of the memory the
    /// machine has.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/xor.net")?;
    /// # let data = net.read_csv("models/xor.csv")?;
    /// assert!(net.trainer(data).max_memory(1000).build().is_err());
    /// # Ok::<(), arenet::Error>(())
    /// ```
    #[must_use]
    pub fn max_memory(mut self, bytes: u64) -> Self {
        self.run.max_memory = bytes;
        self
    }

    /// The instruction set; by default the best the machine has. All give the same bits.
    #[doc(hidden)]
    #[must_use]
    pub fn isa(mut self, isa: Option<Isa>) -> Self {
        self.run.isa = isa;
        self
    }

    /// Checks all of it, compiles the net for the rows of a step, and gives it its initial values.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/xor.net")?;
    /// # let data = net.read_csv("models/xor.csv")?;
    /// let mut trainer = net.trainer(data).build()?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// A net without a `train` section, data that does not fit it, or settings that are out of
    /// range or leave nothing to train on.
    pub fn build(self) -> Result<Trainer, Error> {
        let all = self.data.rows() as u64;
        let batch = match self.batch {
            Some(Batch::Rows(rows)) => Some(rows),
            Some(Batch::Full) => Some(all.max(1)),
            None if self.net.is_full() => Some(all.max(1)),
            None => None,
        };
        if let (Some(_), Some(_)) = (self.batch, self.net.compiled()) {
            let text = format!("{}: is compiled, with the batch it has", self.net.name());
            return Err(Error::usage(text));
        }
        let (program, _) = self.net.compile(&Options { batch, ..Options::default() })?;
        let (data, valid) = (self.data.into_set(), self.valid.map(Data::into_set));
        let inner = train::Trainer::new(program, data, valid, &self.settings, self.run)?;
        Ok(Trainer { inner, last: None })
    }
}

impl Trainer {
    /// Trains to the end of the last epoch, and reports that.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/xor.net")?;
    /// # let mut trainer = net.trainer(net.read_csv("models/xor.csv")?).epochs(3).build()?;
    /// let report = trainer.train()?;
    /// println!("loss {}, {:?}", report.loss, report.metrics);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Diverged`](crate::ErrorKind::Diverged) if a value became NaN or infinite; the
    /// trainer is then back at the last state known to be good. [`ErrorKind::Usage`] if it had come
    /// to its end before.
    ///
    /// [`ErrorKind::Usage`]: crate::ErrorKind::Usage
    pub fn train(&mut self) -> Result<EpochReport, Error> {
        self.train_with(|_| {})
    }

    /// [`Trainer::train`] with a word after each epoch.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/xor.net")?;
    /// # let mut trainer = net.trainer(net.read_csv("models/xor.csv")?).epochs(3).build()?;
    /// trainer.train_with(|epoch| println!("epoch {}: loss {:.4}", epoch.epoch, epoch.loss))?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// As there.
    pub fn train_with(
        &mut self,
        mut on_epoch: impl FnMut(&EpochReport),
    ) -> Result<EpochReport, Error> {
        while let Some(report) = self.train_epoch()? {
            on_epoch(&report);
        }
        let ended = || Error::usage("the training has come to its end: `epochs` sets a later one");
        self.last.clone().ok_or_else(ended)
    }

    /// Trains for one epoch; nothing if the last one is over.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/xor.net")?;
    /// # let mut trainer = net.trainer(net.read_csv("models/xor.csv")?).epochs(3).build()?;
    /// while let Some(report) = trainer.train_epoch()? {
    ///     println!("{} rows/s", report.rows_per_second);
    /// }
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Diverged`](crate::ErrorKind::Diverged), as [`Trainer::train`].
    pub fn train_epoch(&mut self) -> Result<Option<EpochReport>, Error> {
        self.train_epoch_with(|_| ControlFlow::Continue(()))
    }

    /// [`Trainer::train_epoch`] with a word after each step, which may stop the epoch there: then
    /// there is no report, and the next call goes on with the next step.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// # let net = arenet::Net::open("models/iris.net")?;
    /// # let mut trainer = net.trainer(net.read_csv("models/iris.csv")?).epochs(3).build()?;
    ///
    /// let stopped = trainer.train_epoch_with(|step| match step.step_in_epoch {
    ///     2 => ControlFlow::Break(()),
    ///     _ => ControlFlow::Continue(()),
    /// })?;
    /// assert_eq!((stopped, trainer.steps()), (None, 2));
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// As there.
    pub fn train_epoch_with(
        &mut self,
        mut on_step: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Option<EpochReport>, Error> {
        if self.inner.epoch() >= self.inner.epochs() {
            return Ok(None);
        }
        let report = self.inner.run_epoch(&mut on_step)?;
        self.last = report.clone().or(self.last.take());
        Ok(report)
    }

    /// Loss and metrics over the held-out rows, if there are any.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/iris.net")?;
    /// # let mut trainer = net.trainer(net.read_csv("models/iris.csv")?).epochs(3).build()?;
    /// # trainer.train()?;
    /// let figures = trainer.evaluate()?.unwrap();
    /// assert_eq!(figures.rows, 30);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// None in a trainer that has been made.
    pub fn evaluate(&mut self) -> Result<Option<Evaluation>, Error> {
        Ok(self.inner.evaluate()?)
    }

    /// Writes the weights to a safetensors file, with the names of the data's columns: all of it,
    /// or nothing.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/xor.net")?;
    /// # let trainer = net.trainer(net.read_csv("models/xor.csv")?).build()?;
    /// # let file = std::env::temp_dir().join("arenet-doc-save.safetensors");
    /// trainer.save(&file)?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        Ok(self.inner.save_weights(path)?)
    }

    /// Writes all that [`Trainer::resume`] needs to go on from here, which may be anywhere in an
    /// epoch.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/xor.net")?;
    /// # let data = net.read_csv("models/xor.csv")?;
    /// # let mut trainer = net.trainer(data.clone()).epochs(3).build()?;
    /// # let file = std::env::temp_dir().join("arenet-doc-checkpoint.safetensors");
    /// trainer.train_epoch()?;
    /// trainer.save_checkpoint(&file)?;
    ///
    /// let mut again = net.trainer(data).epochs(3).build()?;
    /// again.resume(&file)?;
    /// assert_eq!(again.train()?.loss, trainer.train()?.loss);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save_checkpoint(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        Ok(self.inner.save_checkpoint(path)?)
    }

    /// Goes on from a checkpoint of the same net, data and settings; the number of epochs may
    /// differ. The run ends with the bits of one that was never interrupted.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/xor.net")?;
    /// # let mut trainer = net.trainer(net.read_csv("models/xor.csv")?).epochs(3).build()?;
    /// # let file = std::env::temp_dir().join("arenet-doc-resume.safetensors");
    /// # trainer.save_checkpoint(&file)?;
    /// trainer.resume(&file)?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// A file that cannot be read, is no checkpoint, or is one of another run. Then nothing
    /// changes.
    pub fn resume(&mut self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.last = None;
        Ok(self.inner.resume(path)?)
    }

    /// Starts from the weights in a safetensors file: those that training wrote, or PyTorch.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/xor.net")?;
    /// # let mut trainer = net.trainer(net.read_csv("models/xor.csv")?).build()?;
    /// # let file = std::env::temp_dir().join("arenet-doc-load.safetensors");
    /// # trainer.save(&file)?;
    /// trainer.load(&file)?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// A file that cannot be read, or weights that are not this net's. Then nothing changes.
    pub fn load(&mut self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.load_from(WeightsFile::open(path)?)
    }

    /// [`Trainer::load`] of the bytes of such a file.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/xor.net")?;
    /// # let mut trainer = net.trainer(net.read_csv("models/xor.csv")?).build()?;
    /// # let file = std::env::temp_dir().join("arenet-doc-load-bytes.safetensors");
    /// # trainer.save(&file)?;
    /// let bytes = std::fs::read(&file).unwrap();
    /// trainer.load_bytes(&bytes)?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// As there.
    pub fn load_bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.load_from(WeightsFile::new(Cursor::new(bytes), "the weights")?)
    }

    fn load_from<R: Read + Seek>(&mut self, mut file: WeightsFile<R>) -> Result<(), Error> {
        Ok(self.inner.load_weights_file(&mut file)?)
    }

    /// The epochs finished.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/xor.net")?;
    /// # let mut trainer = net.trainer(net.read_csv("models/xor.csv")?).epochs(3).build()?;
    /// trainer.train_epoch()?;
    /// assert_eq!(trainer.epoch(), 1);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn epoch(&self) -> u64 {
        self.inner.epoch()
    }

    /// The epochs of the whole run.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/xor.net")?;
    /// # let mut trainer = net.trainer(net.read_csv("models/xor.csv")?).epochs(3).build()?;
    /// assert_eq!(trainer.epochs(), 3);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn epochs(&self) -> u64 {
        self.inner.epochs()
    }

    /// The optimizer steps done.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/xor.net")?;
    /// # let mut trainer = net.trainer(net.read_csv("models/xor.csv")?).batch(2).build()?;
    /// trainer.train_epoch()?;
    /// assert_eq!(trainer.steps(), 2);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn steps(&self) -> u64 {
        self.inner.steps()
    }

    /// The optimizer steps in an epoch.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/xor.net")?;
    /// # let mut trainer = net.trainer(net.read_csv("models/xor.csv")?).batch(2).build()?;
    /// assert_eq!(trainer.steps_per_epoch(), 2);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn steps_per_epoch(&self) -> u64 {
        self.inner.steps_per_epoch()
    }

    /// The rows trained on.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/iris.net")?;
    /// # let trainer = net.trainer(net.read_csv("models/iris.csv")?).hold_out(0.2).build()?;
    /// assert_eq!(trainer.rows(), 120);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn rows(&self) -> usize {
        self.inner.training_rows()
    }

    /// The rows held out.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/iris.net")?;
    /// # let trainer = net.trainer(net.read_csv("models/iris.csv")?).hold_out(0.2).build()?;
    /// assert_eq!(trainer.held_out_rows(), 30);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn held_out_rows(&self) -> usize {
        self.inner.validation_rows()
    }
}
