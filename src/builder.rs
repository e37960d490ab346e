//! The settings of a training, from which a `Trainer` is built.

use crate::data::Data;
use crate::error::Error;
use crate::net::Net;
use crate::trainer::Trainer;
use arenet_compiler::{Options, Purpose};
use arenet_runtime::program::{Batch, Split, Verified};
use arenet_runtime::train::{self, Settings};
use std::sync::Arc;

/// Settings of a trainer, from [`Net::trainer`]. The defaults are those of the net's text.
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
    data: Option<Data>,
    valid: Option<Data>,
    batch: Option<Batch>,
    purpose: Purpose,
    settings: Settings,
    /// The program, where the command has compiled it already.
    program: Option<Arc<Verified>>,
}

impl Net {
    /// Starts the settings of a trainer for these rows.
    ///
    /// ```
    /// let net = arenet::Net::open("models/xor.net")?;
    /// let data = net.read_csv("models/xor.csv")?;
    /// let mut trainer = net.trainer(data).seed(1).threads(1).epochs(5).build()?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    pub fn trainer(&self, data: Data) -> TrainerBuilder<'_> {
        TrainerBuilder::new(self, Some(data), Purpose::Train)
    }

    /// Starts the settings of a trainer for online learning, with [`Trainer::step`].
    ///
    /// ```
    /// let net = arenet::Net::open("models/xor.net")?;
    /// let mut trainer = net.online_trainer().seed(1).build()?;
    /// let loss = trainer.step(&[0.0, 1.0], &1.0)?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// [`Trainer::step`]: crate::Trainer::step
    pub fn online_trainer(&self) -> TrainerBuilder<'_> {
        TrainerBuilder::new(self, None, Purpose::Train)
    }

    /// Starts the settings of a trainer that takes gradients of the outputs, such as those of a
    /// loss that the application computes: with [`Trainer::step_by_gradients`], or with
    /// [`Trainer::step`] and the gradients as targets. The trainer uses the optimizers of the
    /// text's `train` section, not its loss. The gradients of all rows are added up: for their
    /// mean, divide each of them by the number of rows. A net whose outputs are others in training
    /// than in a prediction, by `dropout` or a `batch_norm` that is not frozen, is refused: its
    /// gradients would be of values that the step does not have.
    ///
    /// ```
    /// let net = arenet::Net::open("models/xor.net")?;
    /// let mut trainer = net.gradient_trainer().seed(1).build()?;
    /// let mut y = [0.0];
    /// trainer.predict_into(&[0.0, 1.0], &mut y)?;
    /// trainer.step(&[0.0, 1.0], &[y[0] - 1.0])?; // that of (y - 1)² / 2
    /// # Ok::<(), arenet::Error>(())
    /// ```
    ///
    /// [`Trainer::step`]: crate::Trainer::step
    /// [`Trainer::step_by_gradients`]: crate::Trainer::step_by_gradients
    pub fn gradient_trainer(&self) -> TrainerBuilder<'_> {
        TrainerBuilder::new(self, None, Purpose::TrainByGradients)
    }
}

impl<'n> TrainerBuilder<'n> {
    fn new(net: &'n Net, data: Option<Data>, purpose: Purpose) -> TrainerBuilder<'n> {
        let settings = Settings::default();
        TrainerBuilder { net, data, valid: None, batch: None, purpose, settings, program: None }
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

    /// The number of optimizer steps of the whole run, for schedules that span it; by default the
    /// steps of its epochs. A trainer without data has no other way to know it.
    ///
    /// ```
    /// # use arenet::Net;
    /// let net = Net::open("models/iris.net")?; // its learning rate falls over the whole run
    /// assert!(net.online_trainer().build().is_err());
    /// let trainer = net.online_trainer().steps(10_000).build()?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    #[must_use]
    pub fn steps(mut self, steps: u64) -> Self {
        self.settings.steps = Some(steps);
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

    /// The number of rows of a step.
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

    /// Uses all rows in every step.
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

    /// Whether the rows are shuffled for every epoch.
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

    /// Which rows are held out: by chance, of each class its share, the last ones, or those that
    /// have the same value in a column of the table.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/iris.net")?;
    /// # let data = net.read_csv("models/iris.csv")?;
    /// let trainer = net.trainer(data).hold_out(0.1).hold_out_by(arenet::Split::Class).build()?;
    /// assert_eq!(trainer.held_out_rows(), 15); // five of each species
    /// # Ok::<(), arenet::Error>(())
    /// ```
    #[must_use]
    pub fn hold_out_by(mut self, split: Split) -> Self {
        self.settings.split = Some(split);
        self
    }

    /// Validates on these rows, and trains on all rows of the data.
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

    /// The number of threads; by default one for each core.
    ///
    /// ```
    /// # let net = arenet::Net::open("models/xor.net")?;
    /// # let data = net.read_csv("models/xor.csv")?;
    /// let trainer = net.trainer(data).threads(1).build()?;
    /// # Ok::<(), arenet::Error>(())
    /// ```
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.settings.run.threads = Some(threads);
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
        self.settings.run.max_memory = Some(bytes);
        self
    }

    /// All settings except the batch, and the compiled program.
    #[doc(hidden)]
    #[must_use]
    pub fn compiled(mut self, program: Arc<Verified>, settings: Settings) -> Self {
        (self.program, self.settings) = (Some(program), settings);
        self
    }

    /// Checks the settings, compiles the net, and initialises its parameters.
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
        let program = match &self.program {
            Some(program) => program.clone(),
            None => self.compile()?,
        };
        let settings = &self.settings;
        let text = || self.net.statements();
        let inner = match (self.data.map(Data::into_set), self.valid.map(Data::into_set)) {
            (Some(data), Some(valid)) => train::Trainer::validated(program, data, valid, settings),
            (Some(data), None) => train::Trainer::new(program, data, settings),
            (None, None) => train::Trainer::without_data(program, settings),
            (None, Some(_)) => {
                let text = "rows to validate on are for a trainer that has rows to train on";
                return Err(Error::usage(text));
            }
        };
        let inner = inner.map_err(|error| Error::from(error).within(text().as_ref()))?;
        let by_gradients = self.purpose == Purpose::TrainByGradients;
        Ok(Trainer::new(inner, by_gradients, text()))
    }

    fn compile(&self) -> Result<Arc<Verified>, Error> {
        let (net, purpose) = (self.net, self.purpose);
        let fixed = |what| format!("{}: is compiled, with the {what} it has", net.name());
        if net.compiled().is_some() && purpose == Purpose::TrainByGradients {
            return Err(Error::usage(fixed("loss")));
        }
        if net.compiled().is_some() && self.batch.is_some() {
            return Err(Error::usage(fixed("batch")));
        }
        let rows = self.data.as_ref().map(|data| data.rows().max(1) as u64);
        let (batch, full) = match self.batch {
            Some(Batch::Rows(rows)) => (Some(rows), false),
            None if !net.is_full() => (None, false),
            _ => (rows, rows.is_some()),
        };
        Ok(net.compile(&Options { batch, full, purpose, ..Options::default() })?.0)
    }
}
