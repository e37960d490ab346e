//! The bytes of event files.

use crc::{CRC_32_ISCSI, Crc};

const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// A value of an epoch.
pub enum Value<'v> {
    /// A number.
    Scalar { tag: &'v str, value: f64 },
    /// A text in Markdown.
    Text { tag: &'v str, text: &'v str },
}

/// The first record of a file.
pub fn version(time: f64) -> Vec<u8> {
    let mut event = Message::default();
    event.double(1, time);
    event.bytes(3, b"brain.Event:2");
    framed(&event.0)
}

/// A record with the values of a step.
pub fn record(time: f64, step: u64, values: &[Value]) -> Vec<u8> {
    let mut summary = Message::default();
    values.iter().for_each(|value| summary.bytes(1, &value.encoded().0));
    let mut event = Message::default();
    event.double(1, time);
    event.number(2, step);
    event.bytes(5, &summary.0);
    framed(&event.0)
}

impl Value<'_> {
    fn encoded(&self) -> Message {
        let mut message = Message::default();
        match self {
            Value::Scalar { tag, value } => {
                message.bytes(1, tag.as_bytes());
                message.float(2, *value as f32);
            }
            Value::Text { tag, text } => {
                const STRING: u64 = 7; // DT_STRING
                let mut tensor = Message::default();
                tensor.number(1, STRING);
                tensor.bytes(2, &[]); // of no dimension
                tensor.bytes(8, text.as_bytes());
                let (mut plugin, mut metadata) = (Message::default(), Message::default());
                plugin.bytes(1, b"text");
                metadata.bytes(1, &plugin.0);
                message.bytes(1, tag.as_bytes());
                message.bytes(8, &tensor.0);
                message.bytes(9, &metadata.0);
            }
        }
        message
    }
}

/// A message of Protocol Buffers: fields by their numbers, in any order.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn key(&mut self, field: u64, kind: u64) {
        self.varint(field << 3 | kind);
    }

    fn number(&mut self, field: u64, value: u64) {
        self.key(field, 0);
        self.varint(value);
    }

    fn double(&mut self, field: u64, value: f64) {
        self.key(field, 1);
        self.0.extend(value.to_le_bytes());
    }

    fn float(&mut self, field: u64, value: f32) {
        self.key(field, 5);
        self.0.extend(value.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, value: &[u8]) {
        self.key(field, 2);
        self.varint(value.len() as u64);
        self.0.extend(value);
    }
}

/// A record: its length, and its bytes, each with a checksum.
fn framed(content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u64).to_le_bytes();
    let check = |bytes: &[u8]| masked(CRC.checksum(bytes)).to_le_bytes();
    [&length[..], &check(&length), content, &check(content)].concat()
}

/// A checksum of bytes that hold checksums themselves.
fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes that TensorBoard writes of the same.
    #[test]
    fn records_are_those_of_tensorboard() {
        let reference = include_str!("../../../tests/reference/events.json");
        let reference: serde_json::Value = serde_json::from_str(reference).unwrap();
        let check = |name: &str, found: Vec<u8>| {
            let found: String = found.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(reference[name], found, "{name}");
        };
        check("version", version(1.5));
        let loss = Value::Scalar { tag: "epoch_loss", value: 0.25 };
        let accuracy = Value::Scalar { tag: "epoch_accuracy", value: 0.975 };
        check("scalars", record(1_735_689_600.25, 300, &[loss, accuracy]));
        let text = "    net n {\n".repeat(20);
        check("text", record(2.0, 1, &[Value::Text { tag: "model", text: &text }]));
    }
}
