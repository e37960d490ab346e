//! Weights in fewer bits: rounded when the host writes them, widened when it reads them.
//!
//! bfloat16 is the upper half of a 32-bit float, rounded to the nearest, ties to even. Integers of
//! 8 bits are symmetric and have a scale for each column, max |w| / 127: q = round(w / scale).

use super::stretch::Stretch;
use crate::program::{Buffer, DType, Layout, SCALE_BYTES};
use half::bf16;
use std::ops::Range;

/// 8-bit integers are stored with this added, as unsigned bytes.
const ZERO: i32 = 128;

/// Takes the scales of 8-bit integers back, before the first weight is measured.
pub(super) fn forget_scales(buffer: &Buffer, bytes: &mut [u8]) {
    let (_, cols) = size(buffer.layout);
    for col in 0..cols {
        bytes[scale_at(buffer.layout, col)..][..4].fill(0); // 0.0
    }
}

/// Makes the scales large enough for these weights: max |w| / 127 of each column, NaN where there
/// is one.
pub(super) fn measure(buffer: &Buffer, weights: Stretch<'_>, bytes: &mut [u8]) {
    let first = scale_at(buffer.layout, weights.col);
    for (index, weight) in weights.values.iter().enumerate() {
        let at = if weights.across { first + index * 4 } else { first };
        let scale = scale(at, bytes);
        if weight.abs() < scale * 126.0 {
            continue; // most are, and need no division
        }
        let own = weight.abs() / 127.0;
        // False where the scale is NaN, which so stays.
        if own > scale || own.is_nan() {
            bytes[at..at + 4].copy_from_slice(&own.to_ne_bytes());
        }
    }
}

/// Writes the rounded weights into the bytes of their buffer, which has the scales already.
pub(super) fn round(buffer: &Buffer, weights: Stretch<'_>, bytes: &mut [u8]) {
    let Stretch { values, start, step, col, across } = weights;
    match buffer.dtype {
        DType::I8 => {
            let first = scale_at(buffer.layout, col);
            for (index, weight) in values.iter().enumerate() {
                let at = if across { first + index * 4 } else { first };
                bytes[start + index * step] = quantised(weight / scale(at, bytes));
            }
        }
        _ => {
            for (index, weight) in values.iter().enumerate() {
                let at = 2 * (start + index * step);
                bytes[at..at + 2].copy_from_slice(&to_bf16(*weight).to_ne_bytes());
            }
        }
    }
}

/// Appends the weights that the bytes of a buffer mean, of these columns of a row.
pub(super) fn widen(
    buffer: &Buffer,
    bytes: &[u8],
    row: usize,
    cols: Range<usize>,
    to: &mut Vec<f32>,
) {
    let Buffer { layout, dtype, .. } = *buffer;
    to.extend(cols.map(|col| {
        let at = layout.position(row as u64, col as u64);
        match dtype {
            DType::I8 => (i32::from(bytes[at]) - ZERO) as f32 * scale(scale_at(layout, col), bytes),
            _ => bf16::from_ne_bytes([bytes[2 * at], bytes[2 * at + 1]]).to_f32(),
        }
    }));
}

fn size(layout: Layout) -> (usize, usize) {
    // The batch has no part in the size of a weight.
    let (rows, cols) = layout.size(1).expect("a verified layout has a size");
    (rows as usize, cols as usize)
}

/// The first byte of a column's scale: those of a panel lie before its rows.
fn scale_at(layout: Layout, col: usize) -> usize {
    let first = layout.position(0, col as u64 / 16 * 16);
    first - SCALE_BYTES as usize + col % 16 * 4
}

/// The scale at a byte.
fn scale(at: usize, bytes: &[u8]) -> f32 {
    f32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// The nearest integer within ±127, ties to even, as it is stored; 0 / 0 of a column of zeros is 0.
fn quantised(weight: f32) -> u8 {
    let rounded = weight.round_ties_even().clamp(-127.0, 127.0) as i32;
    (rounded + ZERO) as u8
}

/// The nearest bfloat16, ties to even; what is finite stays finite.
fn to_bf16(x: f32) -> bf16 {
    let nearest = bf16::from_f32(x);
    let beyond = x.is_finite() && nearest.is_infinite();
    if beyond { if x > 0.0 { bf16::MAX } else { bf16::MIN } } else { nearest }
}

#[cfg(test)]
mod tests {
    use super::super::stretch::{Order, stretches};
    use super::*;

    /// The weights that the bytes of a whole buffer mean.
    fn widened(buffer: &Buffer, bytes: &[u8]) -> Vec<f32> {
        let (rows, cols) = size(buffer.layout);
        let mut values = Vec::new();
        (0..rows).for_each(|row| widen(buffer, bytes, row, 0..cols, &mut values));
        values
    }

    /// Writes a whole weight, row after row.
    fn write(buffer: &Buffer, values: &[f32]) -> Vec<u8> {
        let layout = buffer.layout;
        let weights = || stretches(layout, size(layout), Order::Rows, 0, values);
        let mut bytes = vec![0x55; buffer.bytes(1).unwrap() as usize];
        forget_scales(buffer, &mut bytes);
        weights().for_each(|stretch| measure(buffer, stretch, &mut bytes));
        weights().for_each(|stretch| round(buffer, stretch, &mut bytes));
        bytes
    }

    /// The nearest bfloat16 by a search among both neighbours, in 64 bits.
    fn nearest_bf16(x: f32) -> u16 {
        let below = (x.to_bits() >> 16) as u16; // towards zero
        let widened = |bits: u16| f32::from_bits(u32::from(bits) << 16);
        let distance = |bits: u16| (f64::from(widened(bits)) - f64::from(x)).abs();
        let above = below + 1;
        match distance(below).total_cmp(&distance(above)) {
            _ if !widened(above).is_finite() => below,
            std::cmp::Ordering::Less => below,
            std::cmp::Ordering::Greater => above,
            std::cmp::Ordering::Equal => below + (below & 1),
        }
    }

    #[test]
    fn bfloat16_is_the_nearest() {
        let bits = (0..1u64 << 32).step_by(65_521).map(|bits| f32::from_bits(bits as u32));
        let ties = (0..1u32 << 16).map(|upper| f32::from_bits(upper << 16 | 0x8000));
        let exact = (0..1u32 << 16).map(|upper| f32::from_bits(upper << 16));
        for x in bits.chain(ties).chain(exact).filter(|x| x.is_finite()) {
            assert_eq!(to_bf16(x).to_bits(), nearest_bf16(x), "{x:e}");
        }
        assert_eq!(to_bf16(f32::INFINITY), bf16::INFINITY);
        assert!(to_bf16(f32::from_bits(0x7f80_0001)).is_nan());
    }

    #[test]
    fn integers_are_within_half_a_scale() {
        let (rows, cols) = (7, 19);
        let layout = Layout::Quads { rows, cols };
        let buffer = Buffer { layout, dtype: DType::I8, ..Buffer::default() };
        let weight = |i: u64| (i * 37 % 101) as f32 / 50.0 - 1.0;
        let mut values: Vec<f32> = (0..rows * cols).map(weight).collect();
        for row in 0..rows {
            values[(row * cols + 4) as usize] = 0.0;
        }
        let bytes = write(&buffer, &values);
        let back = widened(&buffer, &bytes);
        for col in 0..cols as usize {
            let column = || values.iter().skip(col).step_by(cols as usize);
            let largest = column().fold(0.0f32, |largest, w| largest.max(w.abs()));
            let rounded = || back.iter().skip(col).step_by(cols as usize);
            for (w, q) in column().zip(rounded()) {
                assert!((w - q).abs() <= largest / 127.0 * 0.5001, "{w} became {q}");
            }
            let kept = rounded().fold(0.0f32, |largest, w| largest.max(w.abs()));
            assert!((kept - largest).abs() <= largest * f32::EPSILON, "the largest stays");
        }
    }

    #[test]
    fn what_is_not_finite_shows() {
        let layout = Layout::Quads { rows: 2, cols: 2 };
        let buffer = Buffer { layout, dtype: DType::I8, ..Buffer::default() };
        let bytes = write(&buffer, &[1.0, f32::NAN, 2.0, 1.0]);
        let back = widened(&buffer, &bytes);
        assert!(back[1].is_nan() && back[3].is_nan());
        assert_eq!((back[0], back[2]), (64.0 * (2.0 / 127.0), 2.0));
    }
}
