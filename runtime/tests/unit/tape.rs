//! The numbers that the host computes before a step.

use arenet_runtime::program::host::{HostInput, HostNumber, HostOp, power};
use arenet_runtime::train::Clock;
use arenet_runtime::train::scalars::of_run;
use arenet_runtime::train::tape::{Known, Powers, Tape};

#[test]
fn a_tape_computes_what_its_numbers_say() {
    let input = |input: HostInput| HostNumber::from(input);
    let t = || input(HostInput::Step) + 1.0;
    let decay = input(HostInput::Base) / (1.0 - HostNumber::from(0.9).power(t()));
    let root = 1.0 / (1.0 - HostNumber::from(0.99).power(t())).sqrt();
    let share = HostNumber::per_row(0.5);
    let run = input(HostInput::Base) * (input(HostInput::Epoch) / input(HostInput::Epochs));
    let fixed = input(HostInput::Base) * 2.0;
    let product = HostNumber::from(0.5).pochhammer(0.96, t());
    let numbers = [decay, root, share, run, fixed, product];
    let total = Clock { step: 200, epoch: 8 };
    let mut tape = Tape::default();
    let slots = numbers.each_ref().map(|number| tape.add(number, |i| of_run(i, 3.0, total)));
    // t is computed once, and what is fixed not at all.
    let count = |op| tape.work.iter().filter(|work| work.op == op).count();
    assert_eq!((count(HostOp::Add), count(HostOp::Mul), tape.values[slots[4]]), (1, 1, 6.0));
    // Backwards too, and again.
    for moment in (0..200).chain([3, 64, 63, 1_000_000, 65, 65, 0]) {
        let now = [4.0, moment as f64, (moment / 64) as f64];
        (0..).zip(now).for_each(|(slot, value)| tape.set(slot, value));
        tape.run();
        for (number, slot) in numbers.iter().zip(slots) {
            let expected = number.value(|input| match of_run(input, 3.0, total) {
                Known::Value(value) => value,
                Known::Slot(slot) => now[slot],
            });
            let found = tape.values[slot];
            assert_eq!(found.to_bits(), expected.to_bits(), "{number} at {moment}");
        }
    }
}

#[test]
fn powers_do_not_depend_on_those_before() {
    let mut powers = Powers::new(0.9);
    let in_order: Vec<f64> = (0..200).map(|n| powers.at(n)).collect();
    assert!((0..200).all(|n| Powers::new(0.9).at(n) == in_order[n as usize]));
    assert!((0..200).all(|n| power(0.9, n) == in_order[n as usize]));
}
