//! Mutated inputs: every reader gives a result or an error, and never panics. More on demand:
//!
//! ```text
//! ARENET_READER=50 cargo test -p arenet-runtime --test data -- hostile
//! ```
//!
//! makes fifty times as many, of tables of text three million.

use arenet_runtime::program::StreamId;
use std::fs;

use arenet_runtime::data::profile::{ProfileSpec, profile};
use arenet_runtime::data::{
    Column, ColumnMap, Domain, MISSING, Missing, NumberStyle, PortSpec, TableSpec, Values, read_csv,
};
use arenet_runtime::random::Stream;

use super::{array, digits, folder, formats, idx, integer, npy, npz, real, species, weights};

/// Calls `read` with `rounds` mutations of each seed, the same ones in every run.
pub fn mutate(seeds: &[Vec<u8>], rounds: u64, mut read: impl FnMut(&[u8])) {
    let stream = Stream { seed: 0, stream: StreamId(0) };
    let times = std::env::var("ARENET_READER").map_or(1, |n| n.parse().expect("a number"));
    for round in 0..rounds * times {
        for (index, seed) in seeds.iter().enumerate() {
            let mut element = (index as u64) << 32;
            let mut below = |n: usize| {
                element += 1;
                stream.below(round, element, n.max(1) as u32) as usize
            };
            let mut bytes = seed.clone();
            for _ in 0..=below(4) {
                change(&mut bytes, &mut below);
            }
            read(&bytes);
        }
    }
}

/// One mutation: a byte set, a bit turned, bytes cut out, doubled or put in, the end cut off.
fn change(bytes: &mut Vec<u8>, below: &mut impl FnMut(usize) -> usize) {
    const TOKENS: [&[u8]; 12] = [
        b"\"",
        b",",
        b"\n",
        b"\r",
        b"nan",
        b"-1",
        b"99999999999999999999",
        b"[",
        b"{",
        b"\xFF",
        b"\0\0\0\0",
        b"\xFF\xFF\xFF\xFF",
    ];
    let at = below(bytes.len() + 1);
    let end = (at + below(8)).min(bytes.len());
    match below(6) {
        0 if at < bytes.len() => bytes[at] = below(256) as u8,
        1 if at < bytes.len() => bytes[at] ^= 1 << below(8),
        2 => drop(bytes.drain(at..end)),
        3 => {
            let piece = bytes[at..end].to_vec();
            bytes.splice(at..at, piece);
        }
        4 => bytes.truncate(at),
        _ => drop(bytes.splice(at..at, TOKENS[below(TOKENS.len())].iter().copied())),
    }
}

#[test]
fn csv() {
    let seeds = [
        "x.0,x.1,t,u\n1,2,3,setosa\n4.5,-6e3,7,virginica\n",
        "1;2;3;setosa\r\n\r\n\"4\";5;6;\"versicolor\"\r\n",
        "\u{FEFF}a\tb\tc\td\n1\t2\t3\tsetosa",
    ];
    let seeds = seeds.map(|text| text.as_bytes().to_vec());
    let inputs = [real("x", 2)];
    let targets = [integer("t", digits()), integer("u", species())];
    let map = ColumnMap::parse("x=1..3").unwrap();
    for targets_optional in [false, true] {
        for columns in [None, Some(&map)] {
            let spec = TableSpec { targets_optional, columns, ..TableSpec::new(&inputs, &targets) };
            mutate(&seeds, 1500, |bytes| {
                if let Ok(data) = read_csv(bytes, "t.csv", &spec) {
                    let Values::F32(x) = &data.inputs[0].data else { panic!("x is real") };
                    assert_eq!(x.len(), data.rows * 2);
                    assert!(x.iter().all(|value| value.is_finite()));
                }
            });
        }
    }
}

/// Tables as people have them: words, holes, ids, other decimals, lines of JSON.
#[test]
fn raw_tables() {
    let seeds = [
        "id,\"body, mass (kg)\",site,note,kind\n7,1.5,north,x,setosa\n8,,?,\"y\ny\",virginica\n",
        "'id';body, mass (kg);site;sex;note;kind\n1;'1.234,5';'south';NA;;'setosa'\n",
        "  1 2.5 north 1 note setosa\n  2 ?   south 2 none virginica\n",
        "{\"body, mass (kg)\": 1.5, \"site\": \"north\", \"kind\": \"setosa\"}\n\
         {\"kind\": \"virginica\", \"site\": null, \"body, mass (kg)\": -2e3}\n",
        "1|1,234.5|north|f|-|setosa\r\n2|NaN|null|M|-|\r\n",
    ];
    let seeds = seeds.map(|text| text.as_bytes().to_vec());
    let named = |names: &[&str]| names.iter().map(|name| Column::Named(name.to_string())).collect();
    let sites = Domain::Names(["north", "south"].map(String::from).to_vec());
    let at = |from: &[u32]| from.iter().map(|&place| Column::At(place)).collect::<Vec<_>>();
    let hole = |words: &[&str]| Missing::Hole(words.iter().map(|word| word.to_string()).collect());
    let mass = PortSpec { missing: hole(&["-"]), ..real("mass", 1) };
    let site = PortSpec { missing: Missing::Unknown, ..integer("site", sites) };
    let by_name = [
        PortSpec { from: named(&["body, mass (kg)"]), ..mass.clone() },
        PortSpec { from: named(&["site"]), ..site.clone() },
    ];
    let by_place = [PortSpec { from: at(&[1]), ..mass }, PortSpec { from: at(&[2]), ..site }];
    let kind = [integer("kind", species())];
    for inputs in [&by_name, &by_place] {
        for (style, targets_optional) in [("1234.5", false), ("1.234,5", true), ("1,234.5", false)]
        {
            let numbers = NumberStyle::parse(style).unwrap();
            let spec = TableSpec { numbers, targets_optional, ..TableSpec::new(inputs, &kind) };
            mutate(&seeds, 1000, |bytes| {
                let Ok(data) = read_csv(bytes, "t.csv", &spec) else { return };
                let [mass, site] = &data.inputs[..] else { panic!("there are two") };
                let Values::F32(mass) = &mass.data else { panic!("mass is real") };
                let Values::I32(site) = &site.data else { panic!("site is a class") };
                assert_eq!([mass.len(), site.len()], [data.rows; 2]);
                assert!(mass.iter().all(|value| value.is_finite() || value.is_nan()));
                assert!(site.iter().all(|&class| (0..2).contains(&class) || class == MISSING));
            });
        }
    }
    mutate(&seeds, 3000, |bytes| {
        let _ = profile(bytes, "t.csv", &ProfileSpec::default());
    });
}

#[test]
fn packed_tables() {
    let inputs = [real("x", 3)];
    let seeds = [include_bytes!("rows.csv.zst").to_vec(), formats::gzip(b"1,2,3\n4,5,6\n")];
    let mut read = 0;
    mutate(&seeds, 5000, |bytes| {
        if let Ok(data) = read_csv(bytes, "t.csv", &TableSpec::new(&inputs, &[])) {
            read += 1;
            // Without an error, a checksum has been found right.
            assert!([2, 200].contains(&data.rows), "{} rows", data.rows);
        }
    });
    assert!(read > 0);
}

#[test]
fn column_maps() {
    let seeds = ["x=0..64,label=64", "a=b,c,3..5,d=1"].map(|text| text.as_bytes().to_vec());
    mutate(&seeds, 5000, |bytes| {
        let _ = ColumnMap::parse(&String::from_utf8_lossy(bytes));
    });
}

#[test]
fn npy_arrays() {
    let seeds = [
        npy::file(&npy::header("<f4", "(2, 3)"), &[1; 24]),
        npy::file(&npy::header("<f8", "(3,)"), &[0x7F; 24]),
        npy::file(&npy::header("|u1", "()"), &[1]),
    ];
    mutate(&seeds, 20_000, |bytes| {
        if let Ok(values) = array(bytes, 3) {
            assert!(values.len().is_multiple_of(3) && values.iter().all(|v| v.is_finite()));
        }
    });
}

#[test]
fn npz_archives() {
    let seeds = [npz::STORED, npz::PACKED, npz::PIPED].map(<[u8]>::to_vec);
    let (inputs, targets) = ([real("x", 2)], [integer("t", digits())]);
    let spec = TableSpec { max_bytes: 1 << 20, ..TableSpec::new(&inputs, &targets) };
    let expected = read_csv(npz::STORED, "a.npz", &spec).unwrap();
    let mut read = 0;
    mutate(&seeds, 5000, |bytes| {
        if let Ok(data) = read_csv(bytes, "a.npz", &spec) {
            // Without an error, all checksums have been found right.
            assert_eq!(
                (data.inputs, data.targets),
                (expected.inputs.clone(), expected.targets.clone())
            );
            read += 1;
        }
    });
    assert!(read > 0);
}

#[test]
fn idx_arrays() {
    let seeds = [idx::file(&[2, 2, 3], &[7; 12]), idx::file(&[5], &[1; 5])];
    mutate(&seeds, 20_000, |bytes| {
        if let Ok(values) = array(bytes, 6) {
            assert!(values.len().is_multiple_of(6));
        }
    });
}

#[test]
fn weight_files() {
    let path = folder("hostile_weights").join("w.safetensors");
    let header = concat!(
        "{\"__metadata__\":{\"seed\":\"1\"},",
        "\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},",
        "\"b\":{\"dtype\":\"F16\",\"shape\":[4],\"data_offsets\":[16,24]},",
        "\"c\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[24,32]}}"
    );
    mutate(&[weights::file(header, &[0x3C; 32])], 5000, |bytes| {
        fs::write(&path, bytes).unwrap();
        if let Ok((tensors, _)) = weights::read_weights(&path) {
            let whole = |t: &weights::Tensor| t.data.len() == t.shape.iter().product::<usize>();
            assert!(tensors.iter().all(whole));
        }
    });
}
