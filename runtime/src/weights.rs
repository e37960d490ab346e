//! Named tensors and strings in a safetensors file: weights, and the state of a checkpoint.
//!
//! What is written is a function of what is given: tensors in their order, metadata sorted by key.
//! What is read may be hostile: the header is bounded and checked against the file before anything
//! is allocated, and memory grows only with the bytes that are there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorInfo;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

use crate::data::{DataError, Flaw, narrow, quoted, read_elements, shown};
use crate::files::write_atomically;
use crate::program::text::escaped_start;

/// The most bytes in a file's header.
pub const MAX_HEADER_BYTES: u64 = 16 << 20;

/// The key of the metadata that says how weights lie.
pub(crate) const LAYOUT_KEY: &str = "layout";
/// The only way that is written and read.
pub(crate) const LAYOUT: &str = "[in, out]";

const LENGTH_BYTES: u64 = 8;
const METADATA: &str = "__metadata__";
const MAX_RANK: usize = 8;
/// The values that are held at once of a tensor that is written.
const PIECE: usize = 1 << 14;

/// A named array, its last dimension contiguous.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// The key in the file.
    pub name: String,
    /// The dimensions; none for a scalar.
    pub shape: Vec<usize>,
    /// The product of the dimensions many values.
    pub data: Vec<f32>,
}

/// What a file says of a tensor before its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// The key in the file.
    pub name: String,
    /// The dimensions; none for a scalar.
    pub shape: Vec<usize>,
}

/// Writes the tensors, in their order, and the metadata to `path`: all of it, or nothing.
pub fn write_weights(
    path: impl AsRef<Path>,
    tensors: &[Tensor],
    metadata: &BTreeMap<String, String>,
) -> Result<(), DataError> {
    let path = path.as_ref();
    if let Some(tensor) = tensors.iter().find(|t| count(&t.shape) != Some(t.data.len())) {
        let (name, shape, len) = (shown(&tensor.name), &tensor.shape, tensor.data.len());
        let message = format!("{len} values of tensor {name} are no {shape:?}");
        return Err(DataError::new(path.display().to_string(), message));
    }
    let head = |tensor: &Tensor| Head { name: tensor.name.clone(), shape: tensor.shape.clone() };
    let heads: Vec<Head> = tensors.iter().map(head).collect();
    write_in_pieces(path, &heads, metadata, |index, range, to| {
        to.extend_from_slice(&tensors[index].data[range]);
    })
}

/// [`write_weights`] of values that lie elsewhere: `values` appends a range of those of the tensor
/// with this index. A range is short, so no second copy of a tensor is ever in memory.
pub(crate) fn write_in_pieces(
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

/// Reads all tensors, in the order of the file, and the metadata. F64, F16 and BF16 become F32.
pub fn read_weights(
    path: impl AsRef<Path>,
) -> Result<(Vec<Tensor>, BTreeMap<String, String>), DataError> {
    read_weights_within(path, u64::MAX)
}

/// [`read_weights`] of tensors that take at most `max_bytes` as f32.
pub fn read_weights_within(
    path: impl AsRef<Path>,
    max_bytes: u64,
) -> Result<(Vec<Tensor>, BTreeMap<String, String>), DataError> {
    let name = path.as_ref().display().to_string();
    let (mut file, header) = open(path.as_ref(), &name)?;
    let infos = check_layout(header.tensors, header.data_bytes)
        .map_err(|message| DataError::new(&name, message))?;

    let values: u64 = infos.iter().map(|(_, _, count)| count).sum();
    if values.saturating_mul(size_of::<f32>() as u64) > max_bytes {
        return Err(DataError::over_limit(&name, max_bytes));
    }
    let mut tensors = Vec::with_capacity(infos.len());
    for (key, info, count) in infos {
        let data = read_values(&mut file, info.dtype, count);
        let data = data.map_err(|flaw| locate(&name, &key, flaw))?;
        tensors.push(Tensor { name: key, shape: info.shape, data });
    }
    check_turned(&tensors, &header.metadata).map_err(|message| {
        let help = "save weights as [in, out], with metadata={\"layout\": \"[in, out]\"}";
        DataError::new(&name, message).with_help(help)
    })?;
    Ok((tensors, header.metadata))
}

/// Refuses weights that lie otherwise than as [in, out], by what the file says. Names of PyTorch's
/// are known to mean [out, in], and shapes that are not square are checked against the net.
fn check_turned(tensors: &[Tensor], metadata: &BTreeMap<String, String>) -> Result<(), String> {
    if let Some(layout) = metadata.get(LAYOUT_KEY) {
        if layout == LAYOUT {
            return Ok(());
        }
        return Err(format!("says that its weights lie as {}, not as {LAYOUT}", quoted(layout)));
    }
    let from_torch = metadata.get("format").is_some_and(|format| format == "pt");
    let torch_name = |tensor: &Tensor| tensor.name.ends_with("weight");
    let mut matrices = tensors.iter().filter(|tensor| tensor.shape.len() == 2).peekable();
    if !from_torch || matrices.peek().is_none() || tensors.iter().any(torch_name) {
        return Ok(());
    }
    match matrices.all(|tensor| tensor.shape[0] == tensor.shape[1]) {
        true => {
            Err("was written by PyTorch (format pt), and its weights, which are square, do not \
                     show whether they are [in, out] or [out, in]"
                .to_string())
        }
        false => Ok(()),
    }
}

/// Reads the metadata alone.
pub fn read_metadata(path: impl AsRef<Path>) -> Result<BTreeMap<String, String>, DataError> {
    let name = path.as_ref().display().to_string();
    let (_, header) = open(path.as_ref(), &name)?;
    Ok(header.metadata)
}

/// Opens a file and reads its header; the file is then at its first byte of data.
fn open(path: &Path, name: &str) -> Result<(File, Header), DataError> {
    let io = |error: io::Error| DataError::io(name, &error);
    // Asked before it is opened, because to open a pipe waits for its writer.
    if !fs::metadata(path).map_err(io)?.is_file() {
        return Err(DataError::new(name, "is no regular file"));
    }
    let mut file = File::open(path).map_err(io)?;
    let file_bytes = file.metadata().map_err(io)?.len();
    let header = read_header(&mut file, file_bytes, name)?;
    Ok((file, header))
}

struct Header {
    metadata: BTreeMap<String, String>,
    tensors: Vec<(String, TensorInfo)>,
    data_bytes: u64,
}

/// Reads the header of a file of `file_bytes`; the file is then at its first byte of data.
fn read_header(file: &mut File, file_bytes: u64, name: &str) -> Result<Header, DataError> {
    let fail = |message: String| {
        DataError::new(name, message).with_help("this may be no safetensors file, or a part of one")
    };
    let io = |error: io::Error| DataError::io(name, &error);
    if file_bytes < LENGTH_BYTES {
        return Err(fail(format!("is too short for a header: {file_bytes} bytes")));
    }
    let mut length = [0; LENGTH_BYTES as usize];
    file.read_exact(&mut length).map_err(io)?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER_BYTES {
        return Err(fail(format!(
            "gives its header {length} bytes, above the limit of {MAX_HEADER_BYTES}"
        )));
    }
    let Some(data_bytes) = (file_bytes - LENGTH_BYTES).checked_sub(length) else {
        return Err(fail(format!("gives its header {length} bytes, but has only {file_bytes}")));
    };
    let mut json = vec![0; length as usize];
    file.read_exact(&mut json).map_err(io)?;
    let parsed: Result<Entries, _> = serde_json::from_slice(&json);
    let entries = parsed.map_err(|error| {
        // The parser quotes the file, which may be long and hold anything.
        fail(format!("has an invalid header: {}", escaped_start(&error.to_string(), 200)))
    })?;
    Ok(Header { metadata: entries.metadata, tensors: entries.tensors, data_bytes })
}

/// Checks that the tensors cover the data without a gap, and counts the values of each.
fn check_layout(
    mut tensors: Vec<(String, TensorInfo)>,
    data_bytes: u64,
) -> Result<Vec<(String, TensorInfo, u64)>, String> {
    tensors.sort_by_key(|(_, info)| info.data_offsets);
    let mut checked = Vec::with_capacity(tensors.len());
    let mut position = 0;
    for (name, info) in tensors {
        let (start, end) = info.data_offsets;
        let shown = shown(&name);
        if !matches!(info.dtype, Dtype::F32 | Dtype::F64 | Dtype::F16 | Dtype::BF16) {
            let dtype = info.dtype;
            return Err(format!(
                "tensor {shown} has type {dtype}; F32, F64, F16 and BF16 are read"
            ));
        }
        if info.shape.len() > MAX_RANK {
            return Err(format!("tensor {shown} has more than {MAX_RANK} dimensions"));
        }
        if start != position {
            let what = if start < position { "overlaps another" } else { "follows a gap" };
            return Err(format!("tensor {shown} {what} at byte {start} of the data"));
        }
        let bytes = count(&info.shape).and_then(|n| n.checked_mul(info.dtype.bitsize() / 8));
        if bytes.is_none() || end.checked_sub(start) != bytes {
            return Err(format!(
                "tensor {shown} has shape {:?} of {}, which does not fit bytes {start}..{end}",
                info.shape, info.dtype
            ));
        }
        let values = (end - start) / (info.dtype.bitsize() / 8);
        position = end;
        checked.push((name, info, values as u64));
    }
    match position as u64 {
        position if position == data_bytes => Ok(checked),
        position => Err(format!("has {data_bytes} bytes of data, but tensors of {position}")),
    }
}

fn count(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |count, n| count.checked_mul(*n))
}

fn read_values(file: &mut File, dtype: Dtype, count: u64) -> Result<Vec<f32>, Flaw> {
    match dtype {
        Dtype::F64 => read_elements(file, count, |b| narrow(f64::from_le_bytes(b))),
        Dtype::F16 => read_elements(file, count, |b| Some(f32_of_f16(u16::from_le_bytes(b)))),
        Dtype::BF16 => read_elements(file, count, |b| {
            Some(f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16))
        }),
        _ => read_elements(file, count, |b| Some(f32::from_le_bytes(b))),
    }
}

/// The same value: f32 holds every f16.
fn f32_of_f16(bits: u16) -> f32 {
    let sign = u32::from(bits >> 15) << 31;
    let exponent = u32::from(bits >> 10 & 0x1F);
    let fraction = u32::from(bits & 0x3FF);
    let magnitude = match exponent {
        0 => (fraction as f32 * f32::from_bits((127 - 24) << 23)).to_bits(), // times 2^-24
        0x1F => 0xFF << 23 | fraction << 13,
        _ => (exponent + 127 - 15) << 23 | fraction << 13,
    };
    f32::from_bits(sign | magnitude)
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

/// The header's JSON object. Unlike a map of serde's own, it refuses a key that comes twice.
struct Entries {
    metadata: BTreeMap<String, String>,
    tensors: Vec<(String, TensorInfo)>,
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Entries, D::Error> {
        struct EntriesVisitor;

        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of tensors")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Entries, M::Error> {
                let mut keys = BTreeSet::new();
                let mut entries = Entries { metadata: BTreeMap::new(), tensors: Vec::new() };
                while let Some(key) = map.next_key::<String>()? {
                    if key == METADATA {
                        entries.metadata = map.next_value::<Strings>()?.0;
                    } else {
                        entries.tensors.push((key.clone(), map.next_value()?));
                    }
                    insert_once(&mut keys, key)?;
                }
                Ok(entries)
            }
        }

        deserializer.deserialize_map(EntriesVisitor)
    }
}

/// The metadata of a header.
struct Strings(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Strings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Strings, D::Error> {
        struct StringsVisitor;

        impl<'de> Visitor<'de> for StringsVisitor {
            type Value = Strings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Strings, M::Error> {
                let mut keys = BTreeSet::new();
                let mut strings = BTreeMap::new();
                while let Some((key, value)) = map.next_entry::<String, String>()? {
                    insert_once(&mut keys, key.clone())?;
                    strings.insert(key, value);
                }
                Ok(Strings(strings))
            }
        }

        deserializer.deserialize_map(StringsVisitor)
    }
}

fn insert_once<E: de::Error>(keys: &mut BTreeSet<String>, key: String) -> Result<(), E> {
    if keys.contains(&key) {
        return Err(E::custom(format!("the key {} comes twice", quoted(&key))));
    }
    keys.insert(key);
    Ok(())
}
