//! Weights in fewer bits.

use arenet_runtime::exec::narrow::{forget_scales, measure, round, size, to_bf16, widen};
use arenet_runtime::exec::stretch::{Order, stretches};
use arenet_runtime::program::{Buffer, DType, Layout};
use half::bf16;

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
