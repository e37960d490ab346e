//! Checks the elementary functions on all 2^32 inputs: `exhaustive_math [ISA [FUNCTION]...]`.
//!
//! Prints the largest error of each function, in units of the last place, and where it is. Takes
//! minutes with optimisation; the tests check a sample.

use std::ops::Range;
use std::thread;

use arenet_runtime::simd::{Isa, LANES};

#[path = "../tests/unit/reference.rs"]
mod reference;
use reference::{Apply, Function};

/// The largest error, its input and its result.
#[derive(Clone, Copy, Default)]
struct Worst {
    error: f64,
    x: f32,
    y: f32,
}

impl Worst {
    fn or(self, other: Worst) -> Worst {
        if other.error > self.error { other } else { self }
    }
}

/// The worst of the inputs whose bits are in the range of blocks of 16.
fn check(isa: Isa, function: Function, blocks: Range<u32>) -> Worst {
    let mut worst = Worst::default();
    for block in blocks {
        let x = std::array::from_fn(|lane| f32::from_bits(block * LANES as u32 + lane as u32));
        let y = isa.dispatch(Apply(function, x));
        for (x, y) in x.into_iter().zip(y) {
            worst = worst.or(Worst { error: function.error(x, y), x, y });
        }
    }
    worst
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let isa = arguments.first().map_or(Isa::detect(), |name| {
        name.parse().unwrap_or_else(|error| panic!("{name}: {error}"))
    });
    let threads = thread::available_parallelism().map_or(1, |n| n.get() as u32);
    let wanted = |f: &Function| {
        arguments.len() < 2 || arguments[1..].contains(&format!("{f:?}").to_lowercase())
    };
    for function in Function::ALL.into_iter().filter(wanted) {
        let blocks = 1 << 28;
        let start = |t: u32| (u64::from(t) * blocks / u64::from(threads)) as u32;
        let worst = thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|t| scope.spawn(move || check(isa, function, start(t)..start(t + 1))))
                .collect();
            let results = workers.into_iter().map(|w| w.join().expect("a worker panicked"));
            results.fold(Worst::default(), Worst::or)
        });
        let Worst { error, x, y } = worst;
        println!("{isa} {function:?}: at most {error:.4} ULP, at x = {x:e}, y = {y:e}");
        assert!(error <= function.limit(), "more than the {} ULP promised", function.limit());
    }
}
