//! Reads weights a piece at a time: heads first, values when they are asked for.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use half::{bf16, f16};
use safetensors::Dtype;

use super::header::{check_layout, read_header};
use super::{CHECKPOINT, CHECKPOINT_FORMAT, FORMAT_KEY};
use super::{Head, LAYOUT, LAYOUT_KEY, PIECE, Tensor, count};
use crate::data::{ColumnNames, DataError, Flaw, append_elements, narrow, quoted, shown};

/// Named tensors whose values are read in ranges, so that nobody needs a copy of a whole one.
pub(crate) trait Source {
    /// What errors call it.
    fn name(&self) -> &str;

    /// What is known of the tensors beside their values.
    fn heads(&self) -> &[Head];

    /// Appends a range of the values of the tensor with this index.
    fn read(
        &mut self,
        index: usize,
        range: Range<usize>,
        to: &mut Vec<f32>,
    ) -> Result<(), DataError>;
}

/// Weights in a safetensors file, or in its bytes: the header has been read and checked, and the
/// values are read where they go to, a piece at a time. F64, F16 and BF16 become F32.
///
/// ```
/// # use arenet_runtime::weights::WeightsFile;
/// let bytes = b"\x08\0\0\0\0\0\0\0{}      "; // or include_bytes!("net.safetensors")
/// let file = WeightsFile::of_bytes(bytes, "built in")?;
/// assert!(file.heads().is_empty());
/// # Ok::<(), arenet_runtime::data::DataError>(())
/// ```
#[derive(Debug)]
pub struct WeightsFile<R = File> {
    reader: R,
    name: String,
    metadata: BTreeMap<String, String>,
    heads: Vec<Head>,
    /// Where the values of each tensor begin in the file, and what they are.
    places: Vec<(u64, Dtype)>,
    /// The bytes of the last piece.
    bytes: Vec<u8>,
}

impl WeightsFile {
    /// Opens a file.
    ///
    /// # Errors
    /// A file that cannot be read, or is not what [`WeightsFile::new`] takes.
    pub fn open(path: impl AsRef<Path>) -> Result<WeightsFile, DataError> {
        let (file, name) = open(path.as_ref())?;
        WeightsFile::new(file, &name)
    }
}

impl<'b> WeightsFile<Cursor<&'b [u8]>> {
    /// What such a file holds; `name` is what errors call it.
    ///
    /// # Errors
    /// As [`WeightsFile::new`].
    pub fn of_bytes(bytes: &'b [u8], name: &str) -> Result<Self, DataError> {
        WeightsFile::new(Cursor::new(bytes), name)
    }
}

impl<R: Read + Seek> WeightsFile<R> {
    /// Reads the header of what `reader` holds from its first byte on; `name` is what errors call
    /// it.
    ///
    /// # Errors
    /// No safetensors, a part of one, types of values that are not read, or weights that say that
    /// they do not lie as [in, out].
    pub fn new(mut reader: R, name: &str) -> Result<WeightsFile<R>, DataError> {
        let io = |error: io::Error| DataError::io(name, &error);
        let fail = |message: String| DataError::new(name, message);
        let file_bytes = reader.seek(SeekFrom::End(0)).map_err(io)?;
        reader.rewind().map_err(io)?;
        let header = read_header(&mut reader, file_bytes, name)?;
        let tensors = check_layout(header.tensors, header.data_bytes).map_err(fail)?;
        let data = file_bytes - header.data_bytes;
        let place = |start: usize, dtype| (data + start as u64, dtype);
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
        Ok(WeightsFile { reader, name, metadata, heads, places, bytes: Vec::new() })
    }

    /// What errors call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The strings that it has beside the tensors.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    /// The tensors, in the order of the file.
    pub fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// What the columns of the table were called that the weights were trained on.
    ///
    /// # Errors
    /// Metadata that holds no names or places of columns where it should.
    pub fn columns(&self) -> Result<ColumnNames, DataError> {
        ColumnNames::from_metadata(&self.metadata, &self.name)
    }

    /// Reads all values; they take at most `max_bytes` as f32.
    ///
    /// # Errors
    /// Values that cannot be read, are too large for an f32, or take more memory.
    pub fn read_all(&mut self, max_bytes: u64) -> Result<Vec<Tensor>, DataError> {
        let counts: Vec<usize> =
            self.heads.iter().map(|head| count(&head.shape).unwrap_or(0)).collect();
        let values = counts.iter().fold(0u64, |sum, count| sum.saturating_add(*count as u64));
        if values.saturating_mul(size_of::<f32>() as u64) > max_bytes {
            return Err(DataError::over_limit(&self.name, max_bytes));
        }
        let mut tensors = Vec::with_capacity(counts.len());
        for (index, count) in counts.into_iter().enumerate() {
            let mut data = Vec::new();
            for start in (0..count).step_by(PIECE) {
                self.read(index, start..count.min(start + PIECE), &mut data)?;
            }
            data.shrink_to_fit();
            let Head { name, shape } = self.heads[index].clone();
            tensors.push(Tensor { name, shape, data });
        }
        Ok(tensors)
    }

    fn read_piece(
        &mut self,
        index: usize,
        range: Range<usize>,
        to: &mut Vec<f32>,
    ) -> Result<(), Flaw> {
        let (start, dtype) = self.places[index];
        let size = dtype.bitsize() / 8;
        let (first, len) = (range.start as u64, range.len());
        let WeightsFile { reader, bytes, .. } = self;
        reader.seek(SeekFrom::Start(start + first * size as u64)).map_err(Flaw::Io)?;
        let read = match dtype {
            Dtype::F64 => {
                append_elements(reader, len, |b| narrow(f64::from_le_bytes(b)), bytes, to)
            }
            Dtype::F16 => {
                let convert = |b| Some(f16::from_le_bytes(b).to_f32());
                append_elements(reader, len, convert, bytes, to)
            }
            Dtype::BF16 => {
                let convert = |b| Some(bf16::from_le_bytes(b).to_f32());
                append_elements(reader, len, convert, bytes, to)
            }
            _ => append_elements(reader, len, |b| Some(f32::from_le_bytes(b)), bytes, to),
        };
        read.map_err(|flaw| flaw.after(first, size))
    }
}

impl<R: Read + Seek> Source for WeightsFile<R> {
    fn name(&self) -> &str {
        &self.name
    }

    fn heads(&self) -> &[Head] {
        &self.heads
    }

    fn read(
        &mut self,
        index: usize,
        range: Range<usize>,
        to: &mut Vec<f32>,
    ) -> Result<(), DataError> {
        let read = self.read_piece(index, range, to);
        read.map_err(|flaw| locate(&self.name, &self.heads[index].name, flaw))
    }
}

/// Tensors that are in memory.
pub(crate) struct Given<'a> {
    name: &'a str,
    heads: Vec<Head>,
    tensors: &'a [Tensor],
}

impl<'a> Given<'a> {
    /// The tensors, which errors call `name`, if each has as many values as its shape says.
    pub(crate) fn new(tensors: &'a [Tensor], name: &'a str) -> Result<Given<'a>, DataError> {
        Ok(Given { name, heads: heads_of(tensors, name)?, tensors })
    }
}

impl Source for Given<'_> {
    fn name(&self) -> &str {
        self.name
    }

    fn heads(&self) -> &[Head] {
        &self.heads
    }

    fn read(
        &mut self,
        index: usize,
        range: Range<usize>,
        to: &mut Vec<f32>,
    ) -> Result<(), DataError> {
        to.extend_from_slice(&self.tensors[index].data[range]);
        Ok(())
    }
}

/// What tensors say before their values, if each has as many as its shape says.
pub(super) fn heads_of(tensors: &[Tensor], name: &str) -> Result<Vec<Head>, DataError> {
    let head = |tensor: &Tensor| {
        let Tensor { name: tensor_name, shape, data } = tensor;
        if count(shape) != Some(data.len()) {
            let (tensor, len) = (shown(tensor_name), data.len());
            let message = format!("{len} values of tensor {tensor} are no {shape:?}");
            return Err(DataError::new(name, message));
        }
        Ok(Head { name: tensor_name.clone(), shape: shape.clone() })
    };
    tensors.iter().map(head).collect()
}

/// Reads the metadata alone.
pub fn read_metadata(path: impl AsRef<Path>) -> Result<BTreeMap<String, String>, DataError> {
    let (mut file, name) = open(path.as_ref())?;
    let file_bytes = file.metadata().map_err(|error| DataError::io(&name, &error))?.len();
    Ok(read_header(&mut file, file_bytes, &name)?.metadata)
}

/// Opens a regular file; also gives what errors call it.
fn open(path: &Path) -> Result<(File, String), DataError> {
    let name = path.display().to_string();
    let io = |error: io::Error| DataError::io(&name, &error);
    // Asked before it is opened, because to open a pipe waits for its writer.
    if !fs::metadata(path).map_err(io)?.is_file() {
        return Err(DataError::new(name, "is no regular file"));
    }
    let file = File::open(path).map_err(io)?;
    Ok((file, name))
}

/// Refuses weights that lie otherwise than as [in, out], by what the file says. Names of PyTorch's
/// are known to mean [out, in], and shapes that are not square are checked against the net.
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
