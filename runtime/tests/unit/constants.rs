//! The constants of a program's expressions.

use arenet_runtime::exec::constants::Constants;

#[test]
fn a_constant_is_held_once_and_told_apart_by_its_bits() {
    let mut constants = Constants::new();
    let asked = [2.5, 0.0, -0.0, 1.0, 2.5, f32::NAN, f32::NAN];
    let found = asked.map(|value| constants.index_of(value));
    assert_eq!(found, [2, 0, 3, 1, 2, 4, 4]);
    let bits: Vec<u32> = constants.values().iter().map(|value| value.to_bits()).collect();
    assert_eq!(bits, [0.0, 1.0, 2.5, -0.0, f32::NAN].map(f32::to_bits));
}
