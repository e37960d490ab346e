//! The files of a training: weights to start from and to end with, and checkpoints.

use super::Trainer;
use crate::error::Error;
use arenet_runtime::weights::WeightsFile;
use std::path::Path;

impl Trainer {
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
}
