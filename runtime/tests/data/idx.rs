//! IDX files, plain and gzipped, and what is refused.

use std::fs;
use std::io::Write;
use std::path::Path;

use arenet_runtime::data::idx::{IdxArray, read_idx, read_idx_file};
use flate2::{Compression, write::GzEncoder};
use pretty_assertions::assert_eq;

use super::folder;

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
    let folder = folder("idx_read");
    let check = |bytes: &[u8], rows, width, values: &[u8]| {
        let expected = IdxArray { rows, width, values: values.to_vec() };
        let (plain, zipped) = (folder.join("a-idx-ubyte"), folder.join("a-idx-ubyte.gz"));
        fs::write(&plain, bytes).unwrap();
        fs::write(&zipped, gzip(bytes)).unwrap();
        assert_eq!(read_idx_file(&plain, 1 << 20).unwrap(), expected);
        assert_eq!(read_idx_file(&zipped, 1 << 20).unwrap(), expected);
    };
    check(
        &file(&[2, 2, 3], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255]),
        2,
        6,
        &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255],
    );
    check(&file(&[3], &[7, 0, 9]), 3, 1, &[7, 0, 9]);
    check(&file(&[0, 28, 28], &[]), 0, 784, &[]);
}

#[test]
fn bad_files() {
    let check = |bytes: &[u8], expected: &str| {
        let error = read_idx(bytes, "a.idx", 1000).unwrap_err();
        assert_eq!(error.to_string(), format!("a.idx: {expected}"));
    };
    check(&[], "ends inside its IDX header");
    check(&[0, 0, 8, 2, 0, 0, 0, 1], "ends inside its IDX header");
    check(&[0x1F, 0x8B, 8, 0], "is no IDX file");
    check(&[0, 0, 0x0D, 1], "holds elements of type 0x0d; unsigned bytes are read");
    check(&[0, 0, 8, 0], "has 0 dimensions; 1 to 8 are read");
    check(&[0, 0, 8, 9], "has 9 dimensions; 1 to 8 are read");
    check(&file(&[3], &[1, 2]), "ends early: 2 bytes of data, expected 3");
    check(&file(&[3], &[1, 2, 3, 4]), "has bytes behind its array");
    check(&file(&[1001], &[]), "needs more memory than the limit of 1000 bytes");
    check(&file(&[u32::MAX; 3], &[]), "its IDX header gives a shape that overflows");
}

#[test]
fn bad_gzip() {
    let folder = folder("idx_gzip");
    let path = folder.join("a.gz");
    let check = |bytes: &[u8], expected: &str| {
        fs::write(&path, bytes).unwrap();
        let error = read_idx_file(&path, 1000).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    let good = gzip(&file(&[3], &[1, 2, 3]));
    check(b"no gzip at all", "cannot be read: invalid gzip header");
    check(&good[..good.len() - 9], "cannot be read: ");
    let mut corrupt = good.clone();
    corrupt[good.len() - 6] ^= 1;
    check(&corrupt, "cannot be read: corrupt gzip stream");
    // A bomb: a gigabyte behind three promised bytes costs only the bytes that were promised.
    check(&gzip(&file(&[3], &vec![0; 1 << 24])), "has bytes behind its array");
    let error = read_idx_file(folder.join("none.gz"), 1000).unwrap_err().to_string();
    assert!(error.contains("cannot be read"), "{error}");
}

/// The real files, where the machine has them.
#[test]
fn mnist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/mnist");
    if !root.is_dir() {
        eprintln!("skipped: there is no {}", root.display());
        return;
    }
    let images = read_idx_file(root.join("t10k-images-idx3-ubyte.gz"), u64::MAX).unwrap();
    assert_eq!((images.rows, images.width, images.values.len()), (10_000, 784, 7_840_000));
    let labels = read_idx_file(root.join("t10k-labels-idx1-ubyte.gz"), u64::MAX).unwrap();
    assert_eq!((labels.rows, labels.width), (10_000, 1));
    assert_eq!(labels.values[..5], [7, 2, 1, 0, 4]);
}
