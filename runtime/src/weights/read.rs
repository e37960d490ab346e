//! Reads weights in pieces: first the header, then values on request.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use safetensors::Dtype;

use super::header::{check_layout, read_header};
use super::{CHECKPOINT, CHECKPOINT_FORMAT, FORMAT_KEY};
use super::{Head, LAYOUT, LAYOUT_KEY};
use crate::data::{ColumnNames, DataError, Element, Flaw, quoted, shown};

/// What weights are read from.
trait Input: Read + Seek {}

impl<R: Read + Seek> Input for R {}

/// Weights in a safetensors file, or in its bytes. The header has been read and checked; values are
/// read on request. F64, F16 and BF16 become F32.
///
/// ```
/// # use arenet_runtime::weights::WeightsFile;
/// let bytes = b"\x08\0\0\0\0\0\0\0{}      "; // or include_bytes!("net.safetensors")
/// let file = WeightsFile::of_bytes(bytes, "built in")?;
/// assert!(file.heads().is_empty());
/// # Ok::<(), arenet_runtime::data::DataError>(())
/// ```
pub struct WeightsFile<'r> {
    reader: Box<dyn Input + 'r>,
    name: String,
    metadata: BTreeMap<String, String>,
    heads: Vec<Head>,
    /// Where the values of each tensor begin in the file, and what they are.
    places: Vec<(u64, Element)>,
    /// The bytes of the last piece.
    bytes: Vec<u8>,
}

impl<'r> WeightsFile<'r> {
    /// Opens a file.
    ///
    /// # Errors
    /// A file that cannot be read, or is not what [`WeightsFile::new`] takes.
    pub fn open(path: impl AsRef<Path>) -> Result<WeightsFile<'r>, DataError> {
        let (file, name) = open(path.as_ref())?;
        WeightsFile::new(file, &name)
    }

    /// Reads the bytes of such a file, which errors call `name`.
    ///
    /// # Errors
    /// As [`WeightsFile::new`].
    pub fn of_bytes(bytes: &'r [u8], name: &str) -> Result<WeightsFile<'r>, DataError> {
        WeightsFile::new(Cursor::new(bytes), name)
    }

    /// Reads the header of what `reader` holds from its first byte on; errors call it `name`.
    ///
    /// # Errors
    /// No safetensors file, an incomplete one, types of values that are not read, or weights whose
    /// metadata say that they are not [in, out].
    pub fn new(
        mut reader: impl Read + Seek + 'r,
        name: &str,
    ) -> Result<WeightsFile<'r>, DataError> {
        let io = |error: io::Error| DataError::io(name, &error);
        let fail = |message: String| DataError::new(name, message);
        let file_bytes = reader.seek(SeekFrom::End(0)).map_err(io)?;
        reader.rewind().map_err(io)?;
        let header = read_header(&mut reader, file_bytes, name)?;
        let tensors = check_layout(header.tensors, header.data_bytes).map_err(fail)?;
        let data = file_bytes - header.data_bytes;
        let place = |start: usize, dtype| (data + start as u64, element(dtype));
        let places = tensors.iter().map(|(_, info)| place(info.data_offsets.0, info.dtype));
        let places = places.collect();
        let heads = tensors.into_iter().map(|(name, info)| Head { name, shape: info.shape });
        let heads: Vec<Head> = heads.collect();
        let metadata = header.metadata;
        if let Some(other) =
            metadata.get(FORMAT_KEY).filter(|format| format.starts_with(CHECKPOINT))
            && other != CHECKPOINT_FORMAT
        {
            let message = format!("is the checkpoint of another version, {}", quoted(other));
            let help = "end the run with the arenet that began it, or train again";
            return Err(fail(message).with_help(help));
        }
        check_turned(&heads, &metadata).map_err(|message| {
            let help = "save weights as [in, out], with metadata={\"layout\": \"[in, out]\"}";
            fail(message).with_help(help)
        })?;
        let name = name.to_string();
        let (reader, bytes) = (Box::new(reader), Vec::new());
        Ok(WeightsFile { reader, name, metadata, heads, places, bytes })
    }

    /// The name that errors use for it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The strings beside the tensors.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    /// The tensors, in the order of the file.
    pub fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// The names of the columns that the weights were trained on.
    ///
    /// # Errors
    /// Metadata whose names or places of columns are invalid.
    pub fn columns(&self) -> Result<ColumnNames, DataError> {
        ColumnNames::from_metadata(&self.metadata, &self.name)
    }

    /// Appends a range of the values of the tensor with this index.
    ///
    /// # Errors
    /// Values that cannot be read, or are too large for an f32.
    pub fn read(
        &mut self,
        index: usize,
        range: Range<usize>,
        to: &mut Vec<f32>,
    ) -> Result<(), DataError> {
        let (start, element) = self.places[index];
        let before = range.start as u64;
        let at = SeekFrom::Start(start + before * element.bytes() as u64);
        let sought = self.reader.seek(at).map_err(Flaw::Io);
        let read = sought.and_then(|_| {
            let read = element.read(&mut self.reader, range.len(), &mut self.bytes, to);
            read.map_err(|flaw| flaw.after(before, element.bytes()))
        });
        read.map_err(|flaw| locate(&self.name, &self.heads[index].name, flaw))
    }
}

/// The elements of a type that `check_layout` takes.
fn element(dtype: Dtype) -> Element {
    match dtype {
        Dtype::F64 => Element::F8,
        Dtype::F16 => Element::F2,
        Dtype::BF16 => Element::B2,
        _ => Element::F4,
    }
}

/// Reads the metadata alone.
pub fn read_metadata(path: impl AsRef<Path>) -> Result<BTreeMap<String, String>, DataError> {
    let (mut file, name) = open(path.as_ref())?;
    let file_bytes = file.metadata().map_err(|error| DataError::io(&name, &error))?.len();
    Ok(read_header(&mut file, file_bytes, &name)?.metadata)
}

/// Opens a regular file. Also returns the name that errors use for it.
fn open(path: &Path) -> Result<(File, String), DataError> {
    let name = path.display().to_string();
    let io = |error: io::Error| DataError::io(&name, &error);
    // Checked before it is opened, because opening a pipe waits for its writer.
    if !fs::metadata(path).map_err(io)?.is_file() {
        return Err(DataError::new(name, "is no regular file"));
    }
    let file = File::open(path).map_err(io)?;
    Ok((file, name))
}

/// Refuses weights that the file says are not [in, out]. Names of PyTorch's are known to mean
/// [out, in], and shapes that are not square are checked against the net.
fn check_turned(heads: &[Head], metadata: &BTreeMap<String, String>) -> Result<(), String> {
    if let Some(layout) = metadata.get(LAYOUT_KEY) {
        if layout == LAYOUT {
            return Ok(());
        }
        return Err(format!("says that its weights lie as {}, not as {LAYOUT}", quoted(layout)));
    }
    let from_torch = metadata.get("format").is_some_and(|format| format == "pt");
    let torch_name = |head: &Head| head.name.ends_with("weight");
    let mut matrices = heads.iter().filter(|head| head.shape.len() == 2).peekable();
    if !from_torch || matrices.peek().is_none() || heads.iter().any(torch_name) {
        return Ok(());
    }
    match matrices.all(|head| head.shape[0] == head.shape[1]) {
        true => {
            Err("was written by PyTorch (format pt), and its weights, which are square, do not \
                     show whether they are [in, out] or [out, in]"
                .to_string())
        }
        false => Ok(()),
    }
}

fn locate(name: &str, tensor: &str, flaw: Flaw) -> DataError {
    let tensor = shown(tensor);
    let message = match flaw {
        Flaw::Io(error) => return DataError::io(name, &error),
        Flaw::Short(got) => format!("ends after {got} bytes of tensor {tensor}"),
        Flaw::TooLarge(index) => {
            format!("value {index} of tensor {tensor} is too large for a 32-bit float")
        }
        Flaw::Memory => format!("there is no memory for tensor {tensor}"),
    };
    DataError::new(name, message)
}
