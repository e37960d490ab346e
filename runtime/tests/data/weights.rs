//! Safetensors: the round trip, the types that are read, and what is refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use arenet_runtime::data::DataError;
use arenet_runtime::weights::{Head, MAX_HEADER_BYTES, WeightsFile, write_weights};
use pretty_assertions::assert_eq;
use safetensors::{Dtype, SafeTensors};

use super::folder;

/// A named array, its last dimension contiguous.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    name: String,
    pub shape: Vec<usize>,
    pub data: Vec<f32>,
}

fn write(
    path: &Path,
    tensors: &[Tensor],
    metadata: &BTreeMap<String, String>,
) -> Result<(), DataError> {
    let head = |tensor: &Tensor| Head { name: tensor.name.clone(), shape: tensor.shape.clone() };
    let heads: Vec<Head> = tensors.iter().map(head).collect();
    write_weights(path, &heads, metadata, |index, range, to| {
        to.extend_from_slice(&tensors[index].data[range]);
    })
}

/// All tensors of a file of weights, in its order, and the metadata.
pub fn read_weights(
    path: impl AsRef<Path>,
) -> Result<(Vec<Tensor>, BTreeMap<String, String>), DataError> {
    let mut file = WeightsFile::open(path)?;
    let mut tensors = Vec::new();
    for (index, head) in file.heads().to_vec().into_iter().enumerate() {
        let mut data = Vec::new();
        file.read(index, 0..head.shape.iter().product(), &mut data)?;
        tensors.push(Tensor { name: head.name, shape: head.shape, data });
    }
    Ok((tensors, file.metadata().clone()))
}

/// A file with this header and data.
pub fn file(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn tensor(name: &str, shape: &[usize], data: &[f32]) -> Tensor {
    Tensor { name: name.to_string(), shape: shape.to_vec(), data: data.to_vec() }
}

fn samples() -> (Vec<Tensor>, BTreeMap<String, String>) {
    let ramp: Vec<f32> = (0..40_000).map(|i| i as f32 * 0.1).collect();
    let tensors = vec![
        tensor("z.w", &[400, 100], &ramp),
        tensor("a.b", &[2], &[f32::MIN_POSITIVE, -0.0]),
        tensor("scalar \"quoted\"", &[], &[f32::INFINITY]),
        tensor("empty", &[0, 4], &[]),
    ];
    let metadata = ["seed", "epoch", "format", "\n"].map(|key| (key.into(), format!("{key}!")));
    (tensors, BTreeMap::from(metadata))
}

fn place(test: &str) -> PathBuf {
    folder(test).join("w.safetensors")
}

#[test]
fn what_is_written_is_read_and_always_the_same() {
    let path = place("weights_round");
    let (tensors, metadata) = samples();
    write(&path, &tensors, &metadata).unwrap();
    let bytes = fs::read(&path).unwrap();
    assert_eq!(read_weights(&path).unwrap(), (tensors.clone(), metadata.clone()));
    write(&path, &tensors, &metadata).unwrap();
    assert!(fs::read(&path).unwrap() == bytes);
    write(&path, &[], &BTreeMap::new()).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"\x08\0\0\0\0\0\0\0{}      ");
    assert_eq!(read_weights(&path).unwrap(), (vec![], BTreeMap::new()));
}

/// The reader of the format's own library agrees.
#[test]
fn the_library_reads_what_is_written() {
    let path = place("weights_library");
    let (tensors, metadata) = samples();
    write(&path, &tensors, &metadata).unwrap();
    let bytes = fs::read(&path).unwrap();
    let (header, parsed) = SafeTensors::read_metadata(&bytes).unwrap();
    assert_eq!(header % 8, 0);
    let found: BTreeMap<String, String> = parsed.metadata().clone().unwrap().into_iter().collect();
    assert_eq!(found, metadata);
    let library = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(library.len(), tensors.len());
    for tensor in &tensors {
        let view = library.tensor(&tensor.name).unwrap();
        assert_eq!((view.dtype(), view.shape()), (Dtype::F32, tensor.shape.as_slice()));
        let data: Vec<u8> = tensor.data.iter().flat_map(|value| value.to_le_bytes()).collect();
        assert!(view.data() == data);
    }
}

#[test]
fn other_float_types_become_f32() {
    let path = place("weights_types");
    let check = |dtype: &str, data: &[u8], expected: &[f32]| {
        let (n, end) = (expected.len(), data.len());
        let header = format!(
            "{{\"w\":{{\"dtype\":\"{dtype}\",\"shape\":[{n}],\"data_offsets\":[0,{end}]}}}}"
        );
        fs::write(&path, file(&header, data)).unwrap();
        let (tensors, _) = read_weights(&path).unwrap();
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&tensors[0].data), bits(expected), "{dtype}");
    };
    let f64s = [1.5, -0.1, f64::INFINITY].map(f64::to_le_bytes).concat();
    check("F64", &f64s, &[1.5, -0.1, f32::INFINITY]);
    let bf16s = [0x3F80u16, 0xC000, 0x7F80, 0x0001].map(u16::to_le_bytes).concat();
    check("BF16", &bf16s, &[1.0, -2.0, f32::INFINITY, f32::from_bits(1 << 16)]);
    // All finite f16, by the definition: (-1)^s 2^e (1 + f / 1024), or 2^-14 f / 1024.
    let halves: Vec<u16> = (0..=u16::MAX).filter(|bits| bits >> 10 & 31 != 31).collect();
    let value = |bits: &u16| {
        let (e, f) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023) / 1024.0);
        let magnitude = if e == 0 { 2f32.powi(-14) * f } else { 2f32.powi(e - 15) * (1.0 + f) };
        if bits >> 15 == 1 { -magnitude } else { magnitude }
    };
    let values: Vec<f32> = halves.iter().map(value).collect();
    let bytes: Vec<u8> = halves.iter().flat_map(|bits| bits.to_le_bytes()).collect();
    check("F16", &bytes, &values);
    let special = [0x7C00u16, 0xFC00, 0x7E00].map(u16::to_le_bytes).concat();
    check("F16", &special, &[f32::INFINITY, f32::NEG_INFINITY, f32::NAN]);
}

#[test]
fn bad_files() {
    let path = place("weights_bad");
    let name = path.display().to_string();
    let check = |bytes: &[u8], expected: &str| {
        fs::write(&path, bytes).unwrap();
        let error = read_weights(&path).unwrap_err();
        assert_eq!(error.to_string(), format!("{name}: {expected}"));
    };
    check(b"", "is too short for a header: 0 bytes");
    check(b"\x08\0\0\0\0\0\0\0{}", "gives its header 8 bytes, but has only 10");
    check(
        b"FANN_FLO_2.1",
        "gives its header 5714019402375905606 bytes, above the limit of 16777216",
    );
    check(b"PK\x03\x04data", "is an archive, as torch.save and Keras write");
    check(b"\x80\x02.......", "is a pickle, as torch.save writes, which may run anything");
    check(b"\x89HDF\r\n\x1a\n", "is HDF5, as Keras writes");
    check(
        &file("[]", &[]),
        "has an invalid header: invalid type: sequence, expected an object of tensors \
         at line 1 column 0",
    );
    check(&file("{", &[]), "has an invalid header: EOF while parsing an object at line 1 column 1");
    check(&file("{}x", &[]), "has an invalid header: trailing characters at line 1 column 3");
    check(
        &file("{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", &[]),
        "has an invalid header: the key \"a\" comes twice at line 1 column 33",
    );
    check(
        &file("{\"__metadata__\":{\"a\":1}}", &[]),
        "has an invalid header: invalid type: integer `1`, expected a string at line 1 column 22",
    );

    let entry = |dtype: &str, shape: &str, low: u64, high: u64| {
        format!("{{\"dtype\":\"{dtype}\",\"shape\":{shape},\"data_offsets\":[{low},{high}]}}")
    };
    let good = entry("F32", "[2]", 0, 8);
    let check_header = |tensors: String, data: usize, expected: &str| {
        check(&file(&format!("{{{tensors}}}"), &vec![0; data]), expected);
    };
    let one = |tensor: String| format!("\"w\":{tensor}");
    check_header(
        format!("\"w\":{good},\"w\":{good}"),
        8,
        "has an invalid header: the key \"w\" comes twice at line 1 column 107",
    );
    check_header(one(good.clone()), 7, "has 7 bytes of data, but tensors of 8");
    check_header(one(good.clone()), 9, "has 9 bytes of data, but tensors of 8");
    let types = "F32, F64, F16 and BF16 are read";
    check_header(one(entry("I64", "[1]", 0, 8)), 8, &format!("tensor w has type I64; {types}"));
    check_header(one(entry("F4", "[16]", 0, 8)), 8, &format!("tensor w has type F4; {types}"));
    let fit = "which does not fit bytes";
    check_header(
        one(entry("F32", "[3]", 0, 8)),
        8,
        &format!("tensor w has shape [3] of F32, {fit} 0..8"),
    );
    check_header(
        one(entry("F32", "[4611686018427387904,4]", 0, 0)),
        0,
        &format!("tensor w has shape [4611686018427387904, 4] of F32, {fit} 0..0"),
    );
    check_header(
        one(entry("F32", "[2]", 0, 4)),
        8,
        &format!("tensor w has shape [2] of F32, {fit} 0..4"),
    );
    check_header(
        one(entry("F32", "[2]", 4, 12)),
        12,
        "tensor w follows a gap at byte 4 of the data",
    );
    check_header(
        one(entry("F32", "[1,1,1,1,1,1,1,1,1]", 0, 4)),
        4,
        "tensor w has more than 8 dimensions",
    );
    check_header(
        format!("\"w\":{good},\"v\":{}", entry("F32", "[2]", 4, 12)),
        12,
        "tensor v overlaps another at byte 4 of the data",
    );
    check_header(
        one(entry("F32", "[2]", 0, 8).replace('8', "-8")),
        8,
        "has an invalid header: invalid value: integer `-8`, expected usize at line 1 column 52",
    );
    let large = 1e39f64.to_le_bytes();
    check(
        &file(&format!("{{\"w\":{}}}", entry("F64", "[1]", 0, 8)), &large),
        "value 0 of tensor w is too large for a 32-bit float",
    );
}

#[test]
fn a_header_above_the_limit_is_not_even_parsed() {
    let path = place("weights_limit");
    let mut header = "{}".to_string();
    header.extend(std::iter::repeat_n(' ', MAX_HEADER_BYTES as usize - 2));
    fs::write(&path, file(&header, &[])).unwrap();
    assert_eq!(read_weights(&path).unwrap().0, []);
    header.push(' ');
    fs::write(&path, file(&header, &[])).unwrap();
    let error = read_weights(&path).unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        format!(
            "{}: gives its header 16777217 bytes, above the limit of 16777216\n\
             help: this may be no safetensors file, or a part of one",
            path.display()
        )
    );
}

#[test]
fn other_kinds_of_file() {
    let path = place("weights_kinds");
    let folder = path.parent().unwrap();
    let error = read_weights(folder).unwrap_err().to_string();
    assert!(error.ends_with(": is no regular file"), "{error}");
    let error = read_weights(folder.join("none")).unwrap_err().to_string();
    assert!(error.contains("none: cannot be read: "), "{error}");
}

#[test]
fn tensors_that_cannot_be_written() {
    let path = place("weights_unwritten");
    let check = |path: &PathBuf, tensors: &[Tensor], expected: &str| {
        let error = write(path, tensors, &BTreeMap::new()).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{}: {expected}", path.display())), "{error}");
        assert!(!path.exists());
    };
    let a = tensor("a", &[1], &[0.0]);
    check(&path, &[a.clone(), a.clone()], "the tensor name \"a\" is taken");
    check(&path, &[tensor("__metadata__", &[0], &[])], "the tensor name \"__metadata__\" is taken");
    let long = "n".repeat(MAX_HEADER_BYTES as usize);
    check(&path, &[tensor(&long, &[0], &[])], "the header is larger than 16777216 bytes");
    check(&path.parent().unwrap().join("none/w"), &[a], "cannot be written: ");
}
