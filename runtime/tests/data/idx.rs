//! IDX files, plain and gzipped, and what is refused.

use std::io::Write;
use std::path::Path;

use arenet_runtime::data::{TableSpec, Values, read_arrays};
use flate2::{Compression, write::GzEncoder};
use pretty_assertions::assert_eq;

use super::{array, digits, integer, real};

pub fn file(shape: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, shape.len() as u8];
    bytes.extend(shape.iter().flat_map(|n| n.to_be_bytes()));
    bytes.extend(data);
    bytes
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn images_and_labels_plain_and_gzipped() {
    let check = |bytes: &[u8], width, values: &[f32]| {
        assert_eq!(array(bytes, width), Ok(values.to_vec()));
        assert_eq!(array(&gzip(bytes), width), Ok(values.to_vec()));
    };
    let images = file(&[2, 2, 3], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255]);
    check(&images, 6, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 255.0]);
    check(&file(&[3], &[7, 0, 9]), 1, &[7.0, 0.0, 9.0]);
    // Several pieces, the last of them not full.
    let many: Vec<u8> = (0..200_001u32).map(|i| (i % 251) as u8).collect();
    let values: Vec<f32> = many.iter().map(|&byte| f32::from(byte)).collect();
    check(&file(&[66_667, 3], &many), 3, &values);
}

#[test]
fn bad_files() {
    let check = |bytes: &[u8], expected: &str, help: &str| {
        assert_eq!(array(bytes, 1), Err(format!("a: {expected}\nhelp: {help}")));
    };
    let cut = "the file is cut off or damaged: copy it or save it again";
    let npy = "save the array as npy, with numpy.save";
    let some = "save an array whose first dimension is not 0";
    let raise = "`max_memory` raises the limit; fewer rows take less";
    check(&[0, 0, 8], "ends inside its IDX header", cut);
    check(&file(&[0, 28, 28], &[]), "has no rows", some);
    check(&[0, 0, 8, 2, 0, 0, 0, 1], "ends inside its IDX header", cut);
    check(&[0, 0, 0x0D, 1], "holds elements of type 0x0d; unsigned bytes are read", npy);
    check(&[0, 0, 8, 0], "has 0 dimensions; 1 to 8 are read", npy);
    check(&[0, 0, 8, 9], "has 9 dimensions; 1 to 8 are read", npy);
    check(&file(&[3], &[1, 2]), "ends early: 2 bytes of data, expected 3", cut);
    check(&file(&[3], &[1, 2, 3, 4]), "has bytes behind its array", "save one array in a file");
    check(&file(&[1 << 19], &[]), "needs more memory than the limit of 1048576 bytes", raise);
    check(&file(&[u32::MAX; 3], &[]), "has a header with a shape that overflows", cut);
}

#[test]
fn bad_gzip() {
    let check = |bytes: &[u8], expected: &str| {
        let error = array(bytes, 1).unwrap_err();
        assert!(error.contains(expected), "{error}");
    };
    let good = gzip(&file(&[3], &[1, 2, 3]));
    check(&good[..good.len() - 9], "cannot be read: ");
    check(&good[..good.len() - 9], "help: the file is cut off or damaged: copy it or save it");
    let mut corrupt = good.clone();
    corrupt[good.len() - 6] ^= 1;
    check(&corrupt, "cannot be read: corrupt gzip stream");
    check(&corrupt, "help: the file is cut off or damaged: copy it or save it again");
    // A bomb: a gigabyte behind three promised bytes costs only the bytes that were promised.
    check(&gzip(&file(&[3], &vec![0; 1 << 24])), "has bytes behind its array");
}

/// The real files, where the machine has them.
#[test]
fn mnist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/mnist");
    if !root.is_dir() {
        eprintln!("skipped: there is no {}", root.display());
        return;
    }
    let files = [("x", "t10k-images-idx3-ubyte.gz"), ("label", "t10k-labels-idx1-ubyte.gz")];
    let files = files.map(|(port, file)| (port.to_string(), root.join(file)));
    let (inputs, targets) = ([real("x", 784)], [integer("label", digits())]);
    let data = read_arrays(&files, &TableSpec::new(&inputs, &targets)).unwrap();
    let Values::I32(labels) = &data.targets[0].data else { panic!("labels are integers") };
    assert_eq!((data.rows, labels.len()), (10_000, 10_000));
    assert_eq!(labels[..5], [7, 2, 1, 0, 4]);
}
