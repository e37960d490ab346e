//! Files that are no plain table of text: what is read of them, and which way out is told.

use std::io::Write;

use arenet_runtime::data::{TableSpec, read_csv};
use flate2::{Compression, write::GzEncoder};
use pretty_assertions::assert_eq;

use super::{dataset, digits, floats, idx, integer, integers, npy, real};

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A frame without a checksum, of blocks that are not packed.
fn zstd(bytes: &[u8]) -> Vec<u8> {
    let blocks = bytes.chunks(1 << 17).flat_map(|block| {
        let head = &(block.len() << 3).to_le_bytes()[..3];
        [head, block].concat()
    });
    frame(blocks.collect())
}

/// A frame of blocks, none of which says that it is the last one.
fn frame(blocks: Vec<u8>) -> Vec<u8> {
    const LAST: [u8; 3] = [1, 0, 0];
    [&b"\x28\xB5\x2F\xFD\0\x38"[..], &blocks, &LAST].concat()
}

/// A frame of so many blocks of 128 KiB, each one byte that is repeated.
fn repeated(byte: u8, blocks: usize) -> Vec<u8> {
    let head = ((1 << 17 << 3) | (1 << 1) as u32).to_le_bytes();
    frame([head[0], head[1], head[2], byte].repeat(blocks))
}

/// What zstd made of `1,2,3\n4,5,6\n`.
const ZSTD: &[u8] = b"\x28\xB5\x2F\xFD\x24\x0C\x61\0\x001,2,3\n4,5,6\n\xB4\xAC\x70\x75";

fn read(bytes: &[u8], targets_optional: bool) -> Result<arenet_runtime::data::Dataset, String> {
    let (inputs, targets) = ([real("x", 2)], [integer("t", digits())]);
    let spec = TableSpec { targets_optional, ..TableSpec::new(&inputs, &targets) };
    read_csv(bytes, "t", &spec).map_err(|error| format!("{error:#}"))
}

#[test]
fn a_gzipped_table_is_a_table() {
    let expected = dataset(2, &[floats(2, &[1.0, 2.0, 4.0, 5.0])], &[integers(&[3, 6])]);
    let text = b"1,2,3\n4,5,6\n";
    assert_eq!(read(&gzip(text), false), Ok(expected.clone()));
    // Two members, as `cat a.gz b.gz` makes them.
    let (first, second) = text.split_at(6);
    assert_eq!(read(&[gzip(first), gzip(second)].concat(), false), Ok(expected));
    for packed in [gzip(&gzip(text)), zstd(&zstd(text)), gzip(ZSTD), zstd(&gzip(text))] {
        let help = "help: unpack it once";
        assert_eq!(read(&packed, false), Err(format!("t: is packed twice\n{help}")));
    }
    let whole = gzip(text);
    let error = read(&whole[..whole.len() - 9], false).unwrap_err();
    assert!(
        error.starts_with("t:3: cannot be read: ") || error.starts_with("t: cannot"),
        "{error}"
    );
}

#[test]
fn a_table_packed_by_zstd_is_a_table() {
    let expected = dataset(2, &[floats(2, &[1.0, 2.0, 4.0, 5.0])], &[integers(&[3, 6])]);
    // Behind it a frame for others, as seekable files have, and a frame of nothing.
    let others = b"\x5E\x2A\x4D\x18\x02\0\0\0..".to_vec();
    let (first, second) = b"1,2,3\n4,5,6\n".split_at(7);
    for packed in [
        ZSTD.to_vec(),
        [ZSTD, &others, &zstd(b"")].concat(),
        [zstd(first), others, zstd(second)].concat(),
    ] {
        assert_eq!(read(&packed, false), Ok(expected.clone()));
    }
    // What zstd -19 made of these rows.
    let row = |i: u32| format!("{},{},{}\n", i % 3, (i * i) % 7, i % 10);
    let rows: String = (0..200).map(row).collect();
    let packed = include_bytes!("rows.csv.zst");
    assert_eq!(read(packed, false), read(rows.as_bytes(), false));
    assert_eq!(read(packed, false).unwrap().rows, 200);
}

#[test]
fn what_zstd_did_not_write_so_is_refused() {
    let check = |bytes: &[u8], expected: &str| {
        assert_eq!(read(bytes, false).unwrap_err(), format!("t{expected}"));
    };
    let damaged = "help: the file is cut off or damaged: copy it or save it again";
    let cut = format!(": cannot be read: unexpected end of file\n{damaged}");
    for end in [4, 8, 20, ZSTD.len() - 1] {
        check(&ZSTD[..end], &cut);
    }
    let other = [ZSTD, b"\x5E\x2A\x4D\x18\x03\0\0\0.."].concat();
    check(&other, &format!(":3{cut}"));
    let corrupt = format!(":3: cannot be read: corrupt zstd stream\n{damaged}");
    check(&[ZSTD, b"\n"].concat(), &format!(":3{cut}"));
    check(&[ZSTD, b"\n\n\n\n"].concat(), &corrupt);
    let mut wrong = ZSTD.to_vec();
    wrong[9] = b'2';
    check(&wrong, &corrupt);
    let mut large = ZSTD.to_vec();
    large.splice(4..6, [0, 0x88]); // zstd --long=27
    let window = "packed by zstd with a window of 134217728 bytes; up to 8388608 are read";
    check(&large, &format!(": cannot be read: {window}\nhelp: unpack it"));
    let mut with_dictionary = ZSTD.to_vec();
    with_dictionary.splice(4..6, [0x21, 7, 0x0C]); // zstd -D FILE
    let message = "cannot be read: packed by zstd with a dictionary";
    check(&with_dictionary, &format!(": {message}\nhelp: unpack it"));
}

/// Memory is bounded by the longest row and by what a table may take, not by what is unpacked.
#[test]
fn a_bomb_does_not_go_off() {
    const MIB: usize = 64;
    for one_row in [gzip(&vec![b'1'; MIB << 20]), repeated(b'1', MIB * 8)] {
        assert!(one_row.len() < 1 << 20);
        let error = read(&one_row, false).unwrap_err();
        assert!(error.starts_with("t:1: a row of more than 16 MiB"), "{error}");
    }
    let rows = b"1,2,3\n4,5,x\n";
    let blank = gzip(&[&vec![b'\n'; MIB << 20][..], rows].concat());
    for blank in [blank, [repeated(b'\n', MIB * 8), zstd(rows)].concat()] {
        let error = read(&blank, false).unwrap_err();
        let expected = format!("t:{}: column 2 (t): \"x\" is not a number\n", (MIB << 20) + 2);
        assert!(error.starts_with(&expected), "{error}");
    }
}

#[test]
fn an_array_is_read_where_it_can_be_meant() {
    let npy = npy::file(&npy::header("|u1", "(2, 2)"), &[1, 2, 3, 4]);
    let idx = idx::file(&[2, 2], &[1, 2, 3, 4]);
    let expected = dataset(2, &[floats(2, &[1.0, 2.0, 3.0, 4.0])], &[]);
    for array in [&npy, &idx, &gzip(&npy), &gzip(&idx), &zstd(&npy), &zstd(&idx)] {
        assert_eq!(read(array, true), Ok(expected.clone()));
        let help = "help: name a file for each: `arrays`, x=t,t=FILE";
        let message = "t: is one array, and the rows need more than one";
        assert_eq!(read(array, false), Err(format!("{message}\n{help}")));
    }
    let wide = npy::file(&npy::header("|u1", "(1, 3)"), &[1, 2, 3]);
    let help = "help: save rows of 2 values, or change \"x\" in the net";
    let message = format!("t: has 3 in a row, and \"x\" takes 2 values\n{help}");
    assert_eq!(read(&wide, true), Err(message));
    let inputs = [real("x", 2)];
    let spec = TableSpec { header: Some(true), ..TableSpec::new(&inputs, &[]) };
    let error = read_csv(&npy[..], "t", &spec).unwrap_err();
    let message = "t: is an array, and `columns`, `header` and `keep` are for tables of text";
    assert_eq!(format!("{error:#}"), format!("{message}\nhelp: leave them out"));
}

#[test]
fn other_files_are_named_with_the_way_out() {
    let check = |bytes: &[u8], expected: &str| {
        for bytes in [bytes.to_vec(), gzip(bytes), zstd(bytes)] {
            assert_eq!(read(&bytes, false), Err(expected.to_string()));
        }
    };
    let zip = |name: &str| [b"PK\x03\x04", &[0; 26][..], name.as_bytes()].concat();
    let csv = "help: save the table as CSV in UTF-8";
    check(&zip("xl/workbook.xml"), &format!("t: is a spreadsheet\n{csv}"));
    check(&zip("[Content_Types].xml"), &format!("t: is a spreadsheet\n{csv}"));
    let unpack = "help: unpack it; of packed files gzip and zstd are read";
    check(&zip("t.csv"), &format!("t: is a zip archive\n{unpack}"));
    check(b"PK\x05\x06", &format!("t: is an empty zip archive\n{unpack}"));
    check(b"BZh91AY", &format!("t: is a file packed by bzip2\n{unpack}"));
    #[cfg(not(feature = "parquet"))]
    check(
        b"PAR1\0\0",
        concat!(
            "t: is a Parquet file, and this program was built without parquet\n",
            "help: save it as CSV, with pandas: read_parquet(FILE).to_csv(CSV, index=False); ",
            "or read it with `arenet` installed by: cargo install --path src/cli --features parquet"
        ),
    );
    let utf8 = "help: save the table as UTF-8: iconv -f UTF-16 -t UTF-8 FILE > CSV";
    check(b"\xFF\xFE1\0,\0", &format!("t: is UTF-16 text\n{utf8}"));
    check(b"\xFE\xFF\x001\0,", &format!("t: is UTF-16 text\n{utf8}"));
    let rows = "help: rows are CSV in UTF-8, or arrays of npy or IDX";
    check(b"1\0,\x002\0", &format!("t: is no text: it has zero bytes\n{rows}"));
}
