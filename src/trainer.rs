//! Trains a net, all at once or epoch by epoch, and tells how far it is.

mod files;
mod steps;

use crate::error::{Error, Text};
use arenet_runtime::exec::Executor;
use arenet_runtime::train::{self, Best, EpochReport, Evaluation, Progress};
use std::fmt;
use std::ops::ControlFlow;

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

impl fmt::Debug for Trainer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trainer").field("steps", &self.inner.steps()).finish_non_exhaustive()
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

    /// The executor, with the parameters as they are now.
    #[doc(hidden)]
    pub fn executor(&self) -> &Executor {
        self.inner.executor()
    }

    /// The trainer of the runtime.
    #[doc(hidden)]
    pub fn runtime(&mut self) -> &mut train::Trainer {
        &mut self.inner
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
