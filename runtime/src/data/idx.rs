//! IDX files, the format of the MNIST digits: unsigned bytes of any shape.

use super::array::{ArrayTable, Element, read_head};
use super::error::DataError;
use super::table::{Format, Opened, Source};

pub(super) const FORMAT: Format =
    Format { begins: |head| matches!(head, [0, 0, UNSIGNED_BYTE | 0x09 | 0x0B..=0x0E, ..]), open };

const UNSIGNED_BYTE: u8 = 0x08;
const MAX_RANK: u8 = 8;

fn open<'r>(source: Source<'r>, name: &str) -> Opened<'r> {
    let mut reader = source.reader;
    let mut fill = || {
        let mut bytes = [0; 4];
        read_head(&mut reader, &mut bytes, "IDX", name).map(|()| bytes)
    };
    let fail = |message: String| {
        Err(DataError::new(name, message).with_help("save the array as npy, with numpy.save"))
    };
    let rank = match fill()? {
        [_, _, UNSIGNED_BYTE, rank] if (1..=MAX_RANK).contains(&rank) => rank,
        [_, _, UNSIGNED_BYTE, rank] => {
            return fail(format!("has {rank} dimensions; 1 to {MAX_RANK} are read"));
        }
        [_, _, kind, _] => {
            return fail(format!("holds elements of type 0x{kind:02x}; unsigned bytes are read"));
        }
    };
    let size = |_| fill().map(|bytes| u32::from_be_bytes(bytes) as usize);
    let shape = (0..rank).map(size).collect::<Result<Vec<_>, _>>()?;
    ArrayTable::open(reader, name, &shape, Element::U1)
}
