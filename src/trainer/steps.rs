//! Steps on rows that the application gives, tests before them, and predictions between them.

use super::Trainer;
use crate::data::Data;
use crate::error::Error;
use arenet_runtime::exec::Side;
use arenet_runtime::rows::{Rows, RowsMut, Slice};
use arenet_runtime::train::Prequential;

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
}
