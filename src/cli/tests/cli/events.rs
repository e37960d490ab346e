//! Event files of TensorBoard, read by what their format says.

use std::fs;

use crate::common::{Folder, model};
use pretty_assertions::assert_eq;
use serde_json::Value;

/// CRC-32C bit by bit, in the form that records have.
fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 };
        }
    }
    (!crc).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// A field of a message: a number, or the bytes of what it holds.
enum Field<'b> {
    Number(u64),
    Bytes(&'b [u8]),
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let (&byte, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    value
}

fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let length = match key & 7 {
            0 => {
                fields.push((key >> 3, Field::Number(varint(&mut bytes))));
                continue;
            }
            1 => 8,
            2 => varint(&mut bytes) as usize,
            5 => 4,
            kind => panic!("kind {kind}"),
        };
        let (field, rest) = bytes.split_at(length);
        fields.push((key >> 3, Field::Bytes(field)));
        bytes = rest;
    }
    fields
}

fn field(message: &[u8], number: u64) -> Option<&[u8]> {
    fields(message).into_iter().find_map(|(own, field)| match field {
        Field::Bytes(bytes) if own == number => Some(bytes),
        _ => None,
    })
}

/// The records of the event files in a folder, in the order of their names.
fn records(folder: &Folder, part: &str) -> Vec<Vec<u8>> {
    let files = fs::read_dir(folder.path(part)).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    let mut records = Vec::new();
    for file in files {
        let bytes = fs::read(&file).unwrap();
        let mut rest = &bytes[..];
        while let Some((length, after)) = rest.split_first_chunk::<8>() {
            let (check, after) = after.split_first_chunk::<4>().unwrap();
            assert_eq!(u32::from_le_bytes(*check), checksum(length));
            let (content, after) = after.split_at(u64::from_le_bytes(*length) as usize);
            let (check, after) = after.split_first_chunk::<4>().unwrap();
            assert_eq!(u32::from_le_bytes(*check), checksum(content));
            records.push(content.to_vec());
            rest = after;
        }
        assert!(rest.is_empty(), "{}", file.display());
    }
    records
}

/// The scalars of the records, each with its step, its tag and its value.
fn scalars(records: &[Vec<u8>]) -> Vec<(u64, String, f32)> {
    let mut scalars = Vec::new();
    for record in records {
        let step = fields(record).into_iter().find_map(|(number, field)| match field {
            Field::Number(step) if number == 2 => Some(step),
            _ => None,
        });
        for (_, value) in fields(field(record, 5).unwrap_or_default()) {
            let Field::Bytes(value) = value else { panic!("a value is a message") };
            let tag = String::from_utf8(field(value, 1).unwrap().to_vec()).unwrap();
            if let Some(number) = field(value, 2) {
                let number = f32::from_le_bytes(number.try_into().unwrap());
                scalars.push((step.unwrap(), tag, number));
            }
        }
    }
    scalars
}

#[test]
fn the_checksum_is_that_of_the_standard() {
    // RFC 3720, B.4: of 32 bytes of zeros, before it is masked.
    let masked = 0x8a91_36aa_u32.rotate_right(15).wrapping_add(0xa282_ead8);
    assert_eq!(checksum(&[0; 32]), masked);
}

#[test]
fn events_are_the_figures_of_the_epochs() {
    let folder = Folder::new("events");
    let done =
        folder.ok(&format!("train {} --epochs 3 --json --log-dir runs/a", model("iris.net")));
    let lines: Vec<Value> =
        done.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (train, validation) =
        (records(&folder, "runs/a/train"), records(&folder, "runs/a/validation"));
    assert_eq!(field(&train[0], 3), Some(&b"brain.Event:2"[..]));
    let text = String::from_utf8_lossy(&train[1]);
    assert!(text.contains("model") && text.contains("\n    net iris {"), "{text}");
    let (train, validation) = (scalars(&train), scalars(&validation));
    let of = |line: &Value, tag: &str, value: &Value| {
        (line["epoch"].as_u64().unwrap(), tag.to_string(), value.as_f64().unwrap() as f32)
    };
    let mut expected = [Vec::new(), Vec::new()];
    for line in &lines[..3] {
        expected[0].push(of(line, "epoch_loss", &line["loss"]));
        expected[0].push(of(line, "epoch_learning_rate", &line["lr"]));
        expected[0].push(of(line, "rows_per_second", &line["rows_per_second"]));
        expected[1].push(of(line, "epoch_loss", &line["valid_loss"]));
        expected[1].push(of(line, "epoch_accuracy", &line["metrics"]["accuracy"]));
    }
    assert_eq!([train, validation], expected);
}

#[test]
fn a_run_that_goes_on_adds_to_its_events_and_another_does_not() {
    let folder = Folder::small("events-resumed");
    folder.ok("train small.net -q --epochs 2 --checkpoint two --log-dir run");
    let steps = |tag: &str| {
        let all = scalars(&records(&folder, "run/train"));
        let own = all.into_iter().filter(|(_, own, _)| own == tag);
        own.map(|(step, ..)| step).collect::<Vec<u64>>()
    };
    // Without rows held out the metrics are those of the rows trained on.
    assert_eq!(steps("epoch_accuracy"), [1, 2]);
    assert!(!folder.has("run/validation"));
    folder.ok("train small.net -q --epochs 4 --resume two --log-dir run");
    let mut all = steps("epoch_loss");
    all.sort_unstable();
    assert_eq!(all, [1, 2, 3, 4]);
    folder.fails(
        "train small.net -q --log-dir run",
        2,
        "error: run/train: has the events of another run\n\
         help: name another folder with --log-dir: TensorBoard shows all below the one that it is \
         given",
    );
    folder.fails(
        "train small.net -q --log-dir small.csv",
        3,
        "error: small.csv/train: cannot be written: Not a directory (os error 20)",
    );
}
