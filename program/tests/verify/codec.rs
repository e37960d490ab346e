//! The bytes of a program: what is written is read back, and nothing else is.

use arenet_program::codec::{decode, encode};
use arenet_program::host::{HostInstr, HostOp};
use arenet_program::verify::verify;
use arenet_program::*;
use pretty_assertions::assert_eq;

use crate::narrow::narrow;
use crate::sample::*;

/// Before the payload: magic, version, length.
const HEADER: usize = 8 + 4 + 8;
/// After it.
const CHECKSUM: usize = 8;

#[test]
fn round_trips() {
    let mut unusual = sample();
    unusual.name = "ünusual".into();
    unusual.outputs[0].scores = Some(Scores { target: 0, scale: Scale::Log });
    let instr = |op| Instr { op, args: [Value::Const(1), Value::Instr(2), Value::Load(3)] };
    let code = Opcode::ALL.map(instr).into();
    let consts = vec![f32::INFINITY, -0.0, f32::MIN_POSITIVE];
    unusual.routines[EntryPoint::Predict].steps.push(step(Kernel::Map(Expr {
        code,
        consts,
        ..Expr::default()
    })));
    unusual.routines[EntryPoint::Predict].steps.push(step(Kernel::Softmax(Softmax {
        x: X,
        y: H,
        log: true,
    })));
    unusual.training.as_mut().unwrap().batch = Batch::Full;
    let apply = |&op| HostInstr::Apply(op, [0, 2, 1]);
    unusual.training.as_mut().unwrap().schedules[0].rate.code =
        HostOp::ALL.iter().map(apply).collect();
    for program in [Program::default(), sample(), unusual] {
        assert_eq!(decode(&encode(&program)), Ok(program));
    }
}

#[test]
fn an_opcode_is_its_position() {
    for (i, op) in Opcode::ALL.into_iter().enumerate() {
        assert_eq!(op as usize, i);
    }
    for (i, &op) in HostOp::ALL.iter().enumerate() {
        assert_eq!(op as usize, i);
    }
}

#[test]
fn refuses_every_changed_byte() {
    let mut bytes = encode(&sample());
    for i in 0..bytes.len() {
        for change in [1, 2, 4, 8, 16, 32, 64, 128, 255] {
            bytes[i] ^= change;
            assert!(decode(&bytes).is_err(), "byte {i} changed by {change}");
            bytes[i] ^= change;
        }
    }
}

#[test]
fn refuses_every_truncation() {
    let bytes = encode(&sample());
    for length in 0..bytes.len() {
        assert_eq!(decode(&bytes[..length]).unwrap_err().message, "the program is cut short");
    }
}

/// FNV-1a, written a second time.
fn checksum(payload: &[u8]) -> u64 {
    let mut hash = 14695981039346656037u64;
    for &byte in payload {
        hash ^= byte as u64;
        hash = hash.wrapping_mul(1099511628211);
    }
    hash
}

/// The version of the format.
const VERSION: u8 = 24;

/// A file with this payload.
fn seal(payload: &[u8]) -> Vec<u8> {
    let mut bytes = [&b"ARENETC\0"[..], &[VERSION, 0, 0, 0]].concat();
    bytes.extend((payload.len() as u64).to_le_bytes());
    bytes.extend(payload);
    bytes.extend(checksum(payload).to_le_bytes());
    bytes
}

fn payload(program: &Program) -> Vec<u8> {
    let bytes = encode(program);
    bytes[HEADER..bytes.len() - CHECKSUM].to_vec()
}

#[test]
fn seals_as_documented() {
    assert_eq!(seal(&payload(&sample())), encode(&sample()));
}

#[test]
fn says_what_is_wrong() {
    let check = |bytes: &[u8], message: &str| {
        assert_eq!(decode(bytes).unwrap_err().to_string(), message);
    };
    let good = encode(&sample());
    let with = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        bytes
    };
    check(b"net seed {", "this is not a compiled program");
    check(&with(0, b'a'), "this is not a compiled program");
    check(&[], "the program is cut short");
    for (version, age) in [(VERSION + 1, "a newer"), (VERSION - 1, "an unknown")] {
        let message = format!("the program was written by {age} version ({version}) of the format");
        check(&with(8, version), &message);
    }
    check(&with(HEADER + 5, 0xaa), "the program is corrupt: its checksum does not match");
    check(&with(HEADER - 1, 0xff), "the program is cut short");
    check(&[&good[..], &[0]].concat(), "the program is followed by 1 more bytes");

    let payload = payload(&sample());
    let long = [&payload[..], &[0, 0]].concat();
    check(&seal(&long), "the program ends 2 bytes before its payload");
    check(&seal(&payload[..payload.len() - 1]), "the program is cut short");

    // The name comes first: its length, then "sample".
    let named = |length: u64, name: &[u8]| {
        seal(&[&length.to_le_bytes()[..], name, &payload[14..]].concat())
    };
    check(&named(6, b"sam\xffle"), "a name in the program is not UTF-8");
    check(&named(u64::MAX, b"sample"), "the program is cut short");
    check(&named(1 << 40, b"sample"), "the program is cut short");
    check(&named(payload.len() as u64, b"sample"), "the program is cut short");

    // Then batch and arena_bytes, the number of buffers, the first one's offset and layout.
    let layout = 14 + 8 + 8 + 8 + 8;
    let mut wrong = payload.clone();
    wrong[layout] = 9;
    check(&seal(&wrong), "9 is not a Layout");
    wrong = payload.clone();
    wrong[layout + 1 + 8] = 2;
    check(&seal(&wrong), "2 is neither false nor true");
    for hostile in [u64::MAX, 1 << 60, 1 << 32, payload.len() as u64] {
        let mut wrong = payload.clone();
        wrong[14 + 16..14 + 24].copy_from_slice(&hostile.to_le_bytes());
        assert!(decode(&seal(&wrong)).is_err(), "{hostile} buffers");
    }
}

/// Whatever the payload, it is refused or read as exactly what it says, and then judged.
#[test]
fn survives_any_payload() {
    for good in [sample(), narrow()] {
        let (decoded, verified) = survive(&payload(&good));
        assert!(decoded > 1000 && verified > 100, "{decoded} decoded, {verified} verified");
    }
}

/// How many of the payloads made from this one are programs, and how many of those correct.
fn survive(good: &[u8]) -> (u32, u32) {
    let mut dice = Dice::new(1);
    let (mut decoded, mut verified) = (0, 0);
    for _ in 0..20_000 {
        let mut payload = good.to_vec();
        for _ in 0..=dice.below(3) {
            let at = dice.below(payload.len());
            match dice.below(8) {
                0 => payload.truncate(at + 1),
                1 => payload.insert(at, dice.below(256) as u8),
                2 => drop(payload.remove(at)),
                3 => payload[at] ^= 1 << dice.below(8),
                4 => payload[at] = 0xff,
                _ => payload[at] = dice.below(24) as u8,
            }
            if payload.is_empty() {
                break;
            }
        }
        let bytes = seal(&payload);
        if let Ok(program) = decode(&bytes) {
            assert!(encode(&program) == bytes, "two forms of one program");
            decoded += 1;
            verified += u32::from(verify(program).is_ok());
        }
    }
    (decoded, verified)
}
