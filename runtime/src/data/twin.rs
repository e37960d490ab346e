//! Whether two columns are the same in other words.

use std::collections::HashMap;

/// Values that come so often again at least are needed to know it.
pub const FEW_ROWS: usize = 10;

/// Whether one column of numbers is the other times a factor and shifted, to the digits that are
/// usually written. NaN is a number that is missing, which it must be in both. What is always the
/// same is no other column.
///
/// ```
/// # use arenet_runtime::data::twin::is_linear;
/// assert!(is_linear(&[0.0, 1.0, 2.0], &[32.0, 33.8, 35.6])); // degrees
/// assert!(!is_linear(&[0.0, 1.0, 2.0], &[0.0, 1.0, 4.0]));
/// ```
pub fn is_linear(a: &[f64], b: &[f64]) -> bool {
    let pairs = || a.iter().zip(b).filter(|(a, b)| !a.is_nan() && !b.is_nan());
    if a.iter().zip(b).any(|(a, b)| a.is_nan() != b.is_nan()) || pairs().count() < 3 {
        return false;
    }
    let count = pairs().count() as f64;
    let [mean_a, mean_b] =
        [pairs().map(|(a, _)| a).sum::<f64>(), pairs().map(|(_, b)| b).sum()].map(|s| s / count);
    let (mut aa, mut ab, mut bb) = (0.0, 0.0, 0.0);
    for (a, b) in pairs() {
        let (a, b) = (a - mean_a, b - mean_b);
        (aa, ab, bb) = (aa + a * a, ab + a * b, bb + b * b);
    }
    aa * bb > 0.0 && ab * ab >= (1.0 - 1e-6) * aa * bb
}

/// Whether rows with the same value in one column have the same in the other, and the values come
/// often enough again that this is no chance. Columns of one value have nothing in common.
///
/// ```
/// # use arenet_runtime::data::twin::is_renamed;
/// let color: Vec<f64> = (0..20).map(|i| f64::from(i % 3)).collect();
/// let code: Vec<f64> = color.iter().map(|color| 7.0 - color * color).collect();
/// assert!(is_renamed(&color, &code) && !is_renamed(&color[..5], &code[..5]));
/// ```
pub fn is_renamed(a: &[f64], b: &[f64]) -> bool {
    let most = a.len().saturating_sub(FEW_ROWS);
    let [mut to, mut from] = [HashMap::new(), HashMap::new()];
    let agrees = |(a, b): (&f64, &f64)| {
        let [a, b] = [a, b].map(|x| (x + 0.0).to_bits());
        to.len() <= most && *to.entry(a).or_insert(b) == b && *from.entry(b).or_insert(a) == a
    };
    a.iter().zip(b).all(agrees) && (2..=most).contains(&from.len())
}
