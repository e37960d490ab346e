//! Named tensors and strings in a safetensors file: weights, and the state of a checkpoint.
//!
//! The same content is always written as the same bytes: tensors in their order, metadata sorted by
//! key. A file that is read may be hostile: the header is bounded and checked against the file
//! before anything is allocated, and memory grows only with the bytes that are there.

mod header;
mod read;

pub use read::{WeightsFile, read_metadata};

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorInfo;

use crate::data::{DataError, quoted, shown};
use crate::files::write_atomically;

/// The most bytes in a file's header.
pub const MAX_HEADER_BYTES: u64 = 16 << 20;

/// The key of the metadata that says what a file is.
pub(crate) const FORMAT_KEY: &str = "format";
/// Its value for a checkpoint, before the version.
pub(crate) const CHECKPOINT: &str = "arenet checkpoint";
/// The only version that is written and read.
pub(crate) const CHECKPOINT_FORMAT: &str = "arenet checkpoint 2";

/// The key of the metadata that says the layout of weights.
pub(crate) const LAYOUT_KEY: &str = "layout";
/// The only layout that is written and read.
pub(crate) const LAYOUT: &str = "[in, out]";

const LENGTH_BYTES: u64 = 8;
const METADATA: &str = "__metadata__";
const MAX_RANK: usize = 8;
/// The number of values of a tensor that are held at once while it is read or written.
pub(crate) const PIECE: usize = 1 << 14;

/// What a file says of a tensor before its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// The key in the file.
    pub name: String,
    /// The dimensions; none for a scalar.
    pub shape: Vec<usize>,
}

/// Writes the tensors, in their order, and the metadata to `path`: all of it, or nothing. `values`
/// appends a range of the values of the tensor with this index. The ranges are short, so that there
/// is never a second copy of a tensor in memory.
///
/// # Errors
/// Names that come twice, a header that is too large, or a file that cannot be written.
pub fn write_weights(
    path: impl AsRef<Path>,
    tensors: &[Head],
    metadata: &BTreeMap<String, String>,
    mut values: impl FnMut(usize, Range<usize>, &mut Vec<f32>),
) -> Result<(), DataError> {
    let path = path.as_ref();
    let name = path.display().to_string();
    let header = render_header(tensors, metadata).map_err(|m| DataError::new(&name, m))?;
    let (mut piece, mut bytes) = (Vec::with_capacity(PIECE), Vec::with_capacity(PIECE * 4));
    let written = write_atomically(path, |w| {
        w.write_all(&(header.len() as u64).to_le_bytes())?;
        w.write_all(header.as_bytes())?;
        for (index, tensor) in tensors.iter().enumerate() {
            let count = count(&tensor.shape).unwrap_or(0);
            for start in (0..count).step_by(PIECE) {
                piece.clear();
                values(index, start..count.min(start + PIECE), &mut piece);
                bytes.clear();
                bytes.extend(piece.iter().flat_map(|value| value.to_le_bytes()));
                w.write_all(&bytes)?;
            }
        }
        Ok(())
    });
    written.map_err(|error| DataError::new(name, error.message()))
}

/// The JSON header, padded so that the data is aligned.
fn render_header(tensors: &[Head], metadata: &BTreeMap<String, String>) -> Result<String, String> {
    let json = |error: serde_json::Error| error.to_string();
    let mut names = BTreeSet::from([METADATA]);
    let mut entries = Vec::with_capacity(tensors.len() + 1);
    if !metadata.is_empty() {
        let metadata = serde_json::to_string(metadata).map_err(json)?;
        entries.push(format!("\"{METADATA}\":{metadata}"));
    }
    let mut offset = 0;
    for tensor in tensors {
        if !names.insert(&tensor.name) {
            return Err(format!("the tensor name {} is taken", quoted(&tensor.name)));
        }
        let bytes = count(&tensor.shape).and_then(|count| count.checked_mul(size_of::<f32>()));
        let end = bytes.and_then(|bytes| bytes.checked_add(offset));
        let Some(end) = end.filter(|_| tensor.shape.len() <= MAX_RANK) else {
            return Err(format!("tensor {} cannot be {:?}", shown(&tensor.name), tensor.shape));
        };
        let info = TensorInfo {
            dtype: Dtype::F32,
            shape: tensor.shape.clone(),
            data_offsets: (offset, end),
        };
        offset = end;
        let name = serde_json::to_string(&tensor.name).map_err(json)?;
        entries.push(format!("{name}:{}", serde_json::to_string(&info).map_err(json)?));
    }
    let mut header = format!("{{{}}}", entries.join(","));
    while !header.len().is_multiple_of(LENGTH_BYTES as usize) {
        header.push(' ');
    }
    if header.len() as u64 > MAX_HEADER_BYTES {
        return Err(format!("the header is larger than {MAX_HEADER_BYTES} bytes"));
    }
    Ok(header)
}

fn count(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |count, n| count.checked_mul(*n))
}
