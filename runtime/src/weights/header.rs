//! The header of a safetensors file: bounded, and checked against the bytes that follow it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Read};

use safetensors::Dtype;
use safetensors::tensor::TensorInfo;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

use super::{LENGTH_BYTES, MAX_HEADER_BYTES, MAX_RANK, METADATA, count};
use crate::data::{DataError, quoted, shown};
use crate::program::text::escaped_start;

/// A header as it is written, its tensors not yet checked.
pub(super) struct Header {
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) tensors: Vec<(String, TensorInfo)>,
    /// The bytes of the file after the header.
    pub(super) data_bytes: u64,
}

/// How files of weights begin that others write, what they are, and the way out.
const OTHERS: [(&[u8], &str, &str); 3] = [
    (b"PK\x03\x04", "is an archive, as torch.save and Keras write", SAVE),
    (b"\x80\x02", "is a pickle, as torch.save writes, which may run anything", SAVE),
    (
        b"\x89HDF",
        "is HDF5, as Keras writes",
        "save the weights in Python: from safetensors.numpy import save_file; \
         save_file({v.path: v.numpy() for v in model.weights}, NEW)",
    ),
];

const SAVE: &str = "save the weights in Python: from safetensors.torch import save_file; \
                    save_file(model.state_dict(), NEW)";

/// Reads the header of a file of `file_bytes`; the file is then at its first byte of data.
pub(super) fn read_header(
    file: &mut dyn Read,
    file_bytes: u64,
    name: &str,
) -> Result<Header, DataError> {
    let fail = |message: String| {
        DataError::new(name, message).with_help("this may be no safetensors file, or a part of one")
    };
    let io = |error: io::Error| DataError::io(name, &error);
    if file_bytes < LENGTH_BYTES {
        return Err(fail(format!("is too short for a header: {file_bytes} bytes")));
    }
    let mut length = [0; LENGTH_BYTES as usize];
    file.read_exact(&mut length).map_err(io)?;
    if let Some((_, what, help)) = OTHERS.iter().find(|(start, ..)| length.starts_with(start)) {
        return Err(DataError::new(name, *what).with_help(*help));
    }
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

/// What PyTorch calls a count of batches that nothing here needs, and that is no tensor of floats.
const COUNTER: &str = "num_batches_tracked";

/// Checks that the tensors cover the data without a gap, and gives them in the order of the data,
/// without those that nothing needs.
pub(super) fn check_layout(
    mut tensors: Vec<(String, TensorInfo)>,
    data_bytes: u64,
) -> Result<Vec<(String, TensorInfo)>, String> {
    tensors.sort_by_key(|(_, info)| info.data_offsets);
    let mut position = 0;
    for (name, info) in &tensors {
        let (start, end) = info.data_offsets;
        let shown = shown(name);
        let is_float = matches!(info.dtype, Dtype::F32 | Dtype::F64 | Dtype::F16 | Dtype::BF16);
        if !is_float && !is_counter(name) {
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
        position = end;
    }
    match position as u64 {
        position if position == data_bytes => {
            tensors.retain(|(name, _)| !is_counter(name));
            Ok(tensors)
        }
        position => Err(format!("has {data_bytes} bytes of data, but tensors of {position}")),
    }
}

fn is_counter(name: &str) -> bool {
    name.rsplit('.').next() == Some(COUNTER)
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
