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
pub fn forget_scales(buffer: &Buffer, bytes: &mut [u8]) {
    let (_, cols) = size(buffer.layout);
    for col in 0..cols {
        bytes[scale_at(buffer.layout, col)..][..4].fill(0); // 0.0
    }
}

/// Makes the scales large enough for these weights: max |w| / 127 of each column, NaN where there
/// is one.
pub fn measure(buffer: &Buffer, weights: Stretch<'_>, bytes: &mut [u8]) {
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
pub fn round(buffer: &Buffer, weights: Stretch<'_>, bytes: &mut [u8]) {
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
pub fn widen(buffer: &Buffer, bytes: &[u8], row: usize, cols: Range<usize>, to: &mut Vec<f32>) {
    let Buffer { layout, dtype, .. } = *buffer;
    to.extend(cols.map(|col| {
        let at = layout.position(row as u64, col as u64);
        match dtype {
            DType::I8 => (i32::from(bytes[at]) - ZERO) as f32 * scale(scale_at(layout, col), bytes),
            _ => bf16::from_ne_bytes([bytes[2 * at], bytes[2 * at + 1]]).to_f32(),
        }
    }));
}

/// The rows and columns of a weight.
pub fn size(layout: Layout) -> (usize, usize) {
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
pub fn to_bf16(x: f32) -> bf16 {
    let nearest = bf16::from_f32(x);
    let beyond = x.is_finite() && nearest.is_infinite();
    if beyond { if x > 0.0 { bf16::MAX } else { bf16::MIN } } else { nearest }
}
