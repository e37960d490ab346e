//! The hashes of programs and data.

use arenet_runtime::train::hash::{hash, hex};

#[test]
fn a_hash_sees_every_word_and_their_order() {
    let of = |words: &[u32]| hash(words.iter().copied());
    let base = of(&[1, 2, 3]);
    for other in [&[1, 2, 4][..], &[2, 1, 3], &[1, 2], &[1, 2, 3, 0], &[1, 2, 3 | 1 << 31]] {
        assert_ne!(of(other), base, "{other:?}");
    }
    assert_eq!(hex(base).len(), 16);
}

#[test]
fn an_exact_sum_survives_its_text() {
    for sum in [0.0, 0.1 + 0.2, 1e300, f64::MIN_POSITIVE] {
        let bits = u64::from_str_radix(&hex(sum.to_bits()), 16).unwrap();
        assert_eq!(f64::from_bits(bits), sum);
    }
}
