//! The limits of the machine, as they are measured.

use arenet_runtime::machine::{Chains, Level, Machine, Rewrite, clock_cost, parse_size};
use arenet_runtime::simd::{Isa, LANES};
use pretty_assertions::assert_eq;

#[test]
fn chains_count_their_operations() {
    for isa in Isa::available() {
        let per_round = isa.dispatch(Chains { rounds: 1 });
        assert!(per_round == 2 * LANES * 6 || per_round == 2 * LANES * 24, "{isa}");
        assert_eq!(isa.dispatch(Chains { rounds: 7 }), 7 * per_round);
    }
}

#[test]
fn a_rewrite_adds_the_source_to_every_list() {
    for isa in Isa::available() {
        let source: Vec<f32> = (0..64).map(|i| i as f32).collect();
        let (mut a, mut b) = (vec![1.0; 64], vec![2.0; 64]);
        isa.dispatch(Rewrite { source: &source, lists: [&mut a, &mut b] });
        for (i, x) in source.iter().enumerate() {
            assert_eq!((a[i], b[i]), (x + 1.0, x + 2.0));
        }
    }
}

#[test]
fn sizes_are_those_of_linux() {
    assert_eq!(parse_size("32K"), Some(32 << 10));
    assert_eq!(parse_size("2M"), Some(2 << 20));
    assert_eq!(parse_size("512"), Some(512));
    assert_eq!(parse_size("K"), None);
    assert_eq!(parse_size("99999999999999999999K"), None);
}

#[test]
fn data_comes_from_the_first_level_that_holds_it() {
    let level = |name: &str, bytes| Level { name: name.to_string(), bytes, read: 1.0 };
    let levels = vec![level("L1", 100), level("L2", 1_000), level("memory", u64::MAX)];
    let machine = Machine { peak: 1.0, levels };
    for (bytes, name) in [(0, "L1"), (100, "L1"), (101, "L2"), (1_001, "memory")] {
        assert_eq!(machine.levels[machine.level_of(bytes)].name, name);
    }
}

#[test]
fn a_measured_speed_is_a_number() {
    let machine = Machine::measure(Isa::detect());
    assert!(machine.peak.is_finite() && machine.peak > 0.0);
    assert!(machine.levels.iter().all(|level| level.read > 0.0), "{machine:?}");
    assert!(clock_cost() > 0.0);
}

/// A glance goes as far as the caches, of which some systems tell nothing.
#[test]
fn a_glance_measures_what_a_program_reaches() {
    let isa = Isa::detect();
    assert_eq!(Machine::glance(isa, u64::MAX), None);
    if let Some(machine) = Machine::glance(isa, 1) {
        assert_eq!(machine.levels.len(), 1);
        assert!(machine.peak > 0.0 && machine.levels[0].read > 0.0, "{machine:?}");
    }
}
