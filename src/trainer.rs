//! Trains a net: all at once, epoch by epoch or step by step.

use crate::data::Data;
use crate::error::{Error, Text};
use arenet_runtime::exec::{Executor, Side};
use arenet_runtime::rows::{Rows, RowsMut, Slice};
use arenet_runtime::train::{self, Best, EpochReport, Evaluation, Prequential, Progress};
use arenet_runtime::weights::WeightsFile;
use std::ops::ControlFlow;
use std::path::Path;

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
    pub(crate) inner: train::Trainer,
    last: Option<EpochReport>,
    /// Whether the targets are gradients of the outputs.
    pub(crate) by_gradients: bool,
    /// The text of the net, for messages about its statements.
    pub(crate) text: Option<Text>,
    /// The time that all epochs took.
    pub(crate) seconds: f64,
    /// The outputs and their gradients in a step by gradients.
    outputs: Vec<Vec<f32>>,
    gradients: Vec<Vec<f32>>,
}

/// A slice for each output.
struct Each<'a>(&'a mut [Vec<f32>]);

impl Rows for Each<'_> {
    fn ports(&self) -> usize {
        self.0.len()
    }

    fn slice(&self, port: usize) -> Slice<'_> {
        Slice::F32(&self.0[port])
    }
}

impl RowsMut for Each<'_> {
    fn outputs(&self) -> usize {
        self.0.len()
    }

    fn slice_mut(&mut self, output: usize) -> &mut [f32] {
        &mut self.0[output]
    }
}

impl Trainer {
    pub(crate) fn new(inner: train::Trainer, by_gradients: bool, text: Option<Text>) -> Trainer {
        let empty = vec![Vec::new(); inner.executor().program().outputs.len()];
        let (outputs, gradients) = (empty.clone(), empty);
        Trainer { inner, last: None, by_gradients, text, seconds: 0.0, outputs, gradients }
    }

    #[cold]
    fn located(&self, error: train::TrainError) -> Error {
        Error::from(error).within(self.text.as_ref())
    }

    /// Trains to the end of the last epoch, and returns the report of that epoch.
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
    /// trainer then returns to the last good state. [`ErrorKind::Usage`](crate::ErrorKind::Usage)
    /// if the last epoch was over before.
    pub fn train(&mut self) -> Result<EpochReport, Error> {
        self.train_with(|_| {})
    }

    /// [`Trainer::train`] that calls `on_epoch` after each epoch.
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

    /// Trains for one epoch; `None` after the last epoch.
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

    /// [`Trainer::train_epoch`] that calls `on_step` after each step. If that breaks, the epoch
    /// stops there without a report, and the next call continues with the next step.
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
        if self.inner.is_done() {
            return Ok(None);
        }
        let report = self.inner.run_epoch(&mut on_step).map_err(|error| self.located(error))?;
        self.seconds += report.as_ref().map_or(0.0, |report| report.seconds);
        self.last = report.clone().or(self.last.take());
        Ok(report)
    }

    /// One optimizer step on given rows, for online or reinforcement learning: values of all inputs
    /// and of all targets, of at most as many rows as a batch has. It returns the mean loss over
    /// the rows before the update and allocates nothing. It counts for schedules like any other
    /// step, and gives the same bits as a step on the same rows of a data set.
    ///
    /// ```
    /// let net = arenet::Net::open("models/xor.net")?;
    /// let mut trainer = net.online_trainer().batch(4).seed(1).build()?;
    /// let inputs = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
    /// let targets = [0.0, 1.0, 1.0, 0.0];
    /// let mut loss = 1.0;
    /// for _ in 0..500 {
    ///     loss = trainer.step(&inputs, &targets)?;
    /// }
    /// assert!(loss < 0.1);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// Values that are not what the net takes, or another number of rows.
    /// [`ErrorKind::Diverged`](crate::ErrorKind::Diverged) if the loss is NaN or infinite: the
    /// trainer then returns to the state when it was built, its weights were loaded, an epoch
    /// began, or [`Trainer::settle`] was called.
    pub fn step<I, T>(&mut self, inputs: &I, targets: &T) -> Result<f32, Error>
    where
        I: Rows + ?Sized,
        T: Rows + ?Sized,
    {
        self.inner.step(inputs, targets).map_err(|error| self.located(error))
    }

    /// Evaluates the net on given rows, and adds them to `figures`. Before a [`Trainer::step`] on
    /// the same rows, that is a test on rows which the net has not seen.
    ///
    /// ```
    /// let net = arenet::Net::open("models/xor.net")?;
    /// let mut trainer = net.online_trainer().seed(1).build()?;
    /// let mut figures = trainer.prequential(100);
    /// for row in 0..1000 {
    ///     let (a, b) = (row % 2, row / 2 % 2);
    ///     let (x, t) = ([a as f32, b as f32], (a ^ b) as f32);
    ///     trainer.test(&x, &t, &mut figures)?;
    ///     trainer.step(&x, &t)?;
    /// }
    /// assert_eq!((figures.all().rows, figures.recent().rows), (1000, 100));
    /// assert!(figures.recent().loss < figures.all().loss);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// Values that are not what the net takes, or another number of rows.
    pub fn test<I, T>(
        &mut self,
        inputs: &I,
        targets: &T,
        figures: &mut Prequential,
    ) -> Result<(), Error>
    where
        I: Rows + ?Sized,
        T: Rows + ?Sized,
    {
        Ok(self.inner.test(inputs, targets, figures)?)
    }

    /// Figures for [`Trainer::test`], of all rows and of those of the last `window` tests.
    ///
    /// ```
    /// let net = arenet::Net::open("models/xor.net")?;
    /// let figures = net.online_trainer().build()?.prequential(100);
    /// assert_eq!(figures.all().rows, 0);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn prequential(&self, window: usize) -> Prequential {
        self.inner.prequential(window)
    }

    /// Takes the present state for the last good one: a step that diverges returns to it.
    ///
    /// ```
    /// let net = arenet::Net::open("models/xor.net")?;
    /// let mut trainer = net.online_trainer().build()?;
    /// trainer.step(&[0.0, 1.0], &1.0)?;
    /// trainer.settle()?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Diverged`](crate::ErrorKind::Diverged) if a parameter is NaN or infinite: the
    /// trainer then returns to the last good state.
    pub fn settle(&mut self) -> Result<(), Error> {
        Ok(self.inner.settle()?)
    }

    /// Takes what the columns of a stream are called, for the weights to know.
    #[doc(hidden)]
    pub fn name_columns(&mut self, row: &Data) {
        self.inner.name_columns(row.set().columns.clone());
    }

    /// One optimizer step by gradients of the outputs. The outputs are computed, in the order of
    /// the net's text and each row after row, and the closure writes the gradient of every value.
    /// It is for a trainer of [`Net::gradient_trainer`], which says how gradients are added up. It
    /// allocates nothing after the first call with as many rows.
    ///
    /// ```
    /// let net = arenet::Net::open("models/xor.net")?;
    /// let mut trainer = net.gradient_trainer().batch(4).seed(1).build()?;
    /// let inputs = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
    /// for _ in 0..500 {
    ///     trainer.step_by_gradients(&inputs, |outputs, gradients| {
    ///         for (row, gradient) in gradients[0].iter_mut().enumerate() {
    ///             let wanted = [0.0, 1.0, 1.0, 0.0][row];
    ///             *gradient = 2.0 * (outputs[0][row] - wanted) / 4.0; // of the mean square
    ///         }
    ///     })?;
    /// }
    /// let mut y = [0.0; 4];
    /// trainer.predict_into(&inputs, &mut y)?;
    /// assert!(y[1] > 0.8 && y[3] < 0.2);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// [`Net::gradient_trainer`]: crate::Net::gradient_trainer
    ///
    /// # Errors
    /// As [`Trainer::step`], gradients that are not finite, or a trainer that uses the loss of the
    /// text.
    pub fn step_by_gradients<I: Rows + ?Sized>(
        &mut self,
        inputs: &I,
        gradients: impl FnOnce(&[Vec<f32>], &mut [Vec<f32>]),
    ) -> Result<(), Error> {
        let program = self.inner.executor().program();
        if !self.by_gradients {
            let text = "a trainer with a loss takes no gradients: make it by `gradient_trainer`";
            return Err(Error::usage(text));
        }
        let rows = self.inner.executor().count_rows(Side::Inputs, inputs)?;
        for (index, output) in program.outputs.iter().enumerate() {
            let len = rows.saturating_mul(output.width as usize);
            self.outputs[index].resize(len, 0.0);
            self.gradients[index].clear();
            self.gradients[index].resize(len, 0.0);
        }
        self.inner.predict_into(inputs, &mut Each(&mut self.outputs))?;
        gradients(&self.outputs, &mut self.gradients);
        let stepped = self.inner.step(inputs, &Each(&mut self.gradients));
        stepped.map(|_| ()).map_err(|error| self.located(error))
    }

    /// Predicts with the current weights, as
    /// [`Predictor::predict_into`](crate::Predictor::predict_into) does.
    ///
    /// ```
    /// let net = arenet::Net::open("models/xor.net")?;
    /// let mut trainer = net.online_trainer().build()?;
    /// let mut y = [0.0];
    /// trainer.predict_into(&[0.0, 1.0], &mut y)?;
    /// assert!(y[0] > 0.0 && y[0] < 1.0);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// As there.
    pub fn predict_into<I, O>(&mut self, inputs: &I, outputs: &mut O) -> Result<(), Error>
    where
        I: Rows + ?Sized,
        O: RowsMut + ?Sized,
    {
        Ok(self.inner.predict_into(inputs, outputs)?)
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
    /// # let mut trainer = net.trainer(net.read_csv("models/xor.csv")?).build()?;
    /// # let file = std::env::temp_dir().join("arenet-doc-save.safetensors");
    /// trainer.save(&file)?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save(&mut self, path: impl AsRef<Path>) -> Result<(), Error> {
        Ok(self.inner.save_weights(path)?)
    }

    /// Writes a checkpoint, from which [`Trainer::resume`] continues. It may be written anywhere in
    /// an epoch.
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
    pub fn save_checkpoint(&mut self, path: impl AsRef<Path>) -> Result<(), Error> {
        Ok(self.inner.save_checkpoint(path)?)
    }

    /// Continues from a checkpoint of the same net, data and settings; only the number of epochs
    /// may differ. The run ends with the bits of a run that was never interrupted.
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

    /// Adds an entry to the metadata of all checkpoints that are written from now on.
    #[doc(hidden)]
    pub fn note(&mut self, key: &str, text: String) {
        self.inner.note(key, text);
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
        Ok(self.inner.load_weights(&mut WeightsFile::open(path)?)?)
    }

    /// [`Trainer::load`] from the bytes of such a file.
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
        Ok(self.inner.load_weights(&mut WeightsFile::of_bytes(bytes, "the weights")?)?)
    }

    /// The executor, with the parameters as they are now.
    #[doc(hidden)]
    pub fn executor(&self) -> &Executor {
        self.inner.executor()
    }

    /// The number of finished epochs.
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

    /// Whether the run is over: after its last epoch, or because of `stop` in the net's text.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/xor.net")?;
    /// # let mut trainer = net.trainer(net.read_csv("models/xor.csv")?).epochs(3).build()?;
    /// trainer.train()?;
    /// assert!(trainer.is_done());
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn is_done(&self) -> bool {
        self.inner.is_done()
    }

    /// The best validation so far, where the net's text says `keep = best` or `stop`. From the end
    /// of the run on, the trainer predicts and evaluates with the weights of that moment, and
    /// [`Trainer::save`] writes them at any time.
    ///
    /// ```
    /// let net = arenet::Net::parse(
    ///     "net line { input x: [N, 1]  output y = x |> dense(1) }
    ///      train { target t: [N, 1]  loss = mse(y, t)  optimizer = adam(lr: 0.01)
    ///              stop = early_stop(patience: 5)  valid = 0.2  epochs = 1000 }",
    /// )?;
    /// let xs: Vec<f32> = (0..50).map(|i| i as f32 / 50.0).collect();
    /// let ts: Vec<f32> = xs.iter().map(|x| 3.0 * x + 1.0).collect();
    /// let mut trainer = net.trainer(net.data(&xs, &ts)?).build()?;
    /// let last = trainer.train()?;
    /// let best = trainer.best().expect("it has been validated");
    /// assert!(best.figure <= last.valid_loss.unwrap() && best.epoch <= last.epoch);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn best(&self) -> Option<Best> {
        self.inner.best()
    }

    /// [`Trainer::best`], if its weights are kept.
    #[doc(hidden)]
    pub fn best_weights(&self) -> Option<Best> {
        self.inner.best_weights()
    }

    /// The number of epochs of the whole run.
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

    /// The number of optimizer steps done.
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

    /// The number of optimizer steps in an epoch.
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

    /// The number of batches in an epoch: one for each step, or several with `accumulate`, or where
    /// a full batch is computed in pieces.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/xor.net")?;
    /// # let mut trainer = net.trainer(net.read_csv("models/xor.csv")?).batch(2).build()?;
    /// assert_eq!(trainer.batches_per_epoch(), 2);
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn batches_per_epoch(&self) -> u64 {
        self.inner.batches_per_epoch()
    }

    /// The number of rows trained on.
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

    /// The number of rows held out.
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
