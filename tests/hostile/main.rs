//! Programs that nobody compiled: whatever `verify` accepts must stay inside its memory and give
//! the same bits, however it is run.
//!
//! Programs are generated, or changed as data and as bytes. Those that are accepted run under watch
//! (`arenet_runtime::exec::watch`) on every instruction set, with several numbers of threads, in
//! both orders between barriers, step by step and as straight-line code, over several numbers of
//! rows, with different garbage in the arena. What differs, or is changed by a step that may not,
//! is a finding, told with the seed that repeats it.
//!
//! The suite looks at a few hundred. For more of them:
//!
//! ```text
//! ARENET_HOSTILE=1000000 ARENET_HOSTILE_SEED=7 cargo test --release --test hostile -- programs
//! ```

#[path = "../common/mod.rs"]
mod common;

mod cases;
mod change;
mod dice;
mod examine;
mod express;
mod generate;

use arenet_runtime::program::Program;
use arenet_runtime::program::verify::verify;
use change::changed;
use dice::Dice;
use examine::examine;
use generate::generate;
use std::sync::Arc;

/// The programs that the suite looks at.
const FEW: u64 = 300;
/// The bytes of an arena beyond which only one program in some is looked at, as these take most of
/// the time.
const LARGE: u64 = 1 << 16;
const LARGE_ONE_IN: usize = 8;

/// A number from the environment.
fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text}")))
}

/// What the compiler makes of some models, to be changed.
fn compiled() -> Vec<Program> {
    let iris = "net iris {
            input x: [N, 4]
            h = x |> dense(5) |> sigmoid
            output logits = h |> dense(3)
            output probs = softmax(logits)
        }
        train {
            target t: i32[N] in 0..3
            loss = cross_entropy(logits, t)
            metric accuracy(logits, t)
            optimizer = adam(lr: 0.01)
        }";
    let table = "net table {
            input x: [N, 5] missing
            s = x |> log1p |> standardize |> fill(with: median)
            z = concat(s, is_missing(x), min_max(s)) |> dense(1)
            output y = unstandardize(z, t)
        }
        train {
            target t: [N, 1]
            loss = mse(z, standardize(t))
            optimizer = adam(lr: 0.01)
        }";
    let wide = "net wide {
            input x: [N, 20]
            param gain: [20]
            h = tanh(x * gain) |> dense(33) |> relu
            output y = h |> dense(1)
        }
        train {
            target t: [N, 1]
            loss = mse(y, t)
            optimizer = sgd(lr: 0.1, momentum: 0.9)
        }";
    let words = "net words {
            input word: i32[N, 2] in 1..6
            output y = word |> embedding(17) |> tanh
        }
        train {
            target t: [N, 2, 17]
            loss = mse(y, t)
            optimizer = adam(lr: 0.1)
        }";
    let sources = [
        (iris, 3),
        (iris, 33),
        (table, 3),
        (table, 33),
        (wide, 2),
        (wide, 17),
        (words, 3),
        (words, 33),
    ];
    sources.map(|(source, batch)| common::compile(source, batch).program().clone()).into()
}

#[test]
fn programs_stay_in_their_memory_and_give_the_same_bits() {
    let count = variable("ARENET_HOSTILE");
    let first = variable("ARENET_HOSTILE_SEED").unwrap_or(1);
    let most = count.unwrap_or(FEW);
    let compiled = compiled();
    let (mut seed, mut accepted) = (first, 0);
    while accepted < most {
        let mut dice = Dice::new(seed);
        let program = match dice.below(3) {
            0 => generate(&mut dice),
            1 => changed(generate(&mut dice), &mut dice),
            _ => {
                let index = dice.below(compiled.len());
                changed(compiled[index].clone(), &mut dice)
            }
        };
        if let Ok(verified) = verify(program)
            && (verified.program().arena_bytes <= LARGE || dice.one_in(LARGE_ONE_IN))
            && let Some(finding) = examine(&Arc::new(verified), &mut dice)
        {
            match finding {
                Ok(()) => accepted += 1,
                Err(finding) => panic!("seed {seed}: {finding}"),
            }
        }
        if count.is_some() && seed % 10_000 == 0 {
            println!("seed {seed}: {accepted} programs");
        }
        seed += 1;
        assert!(seed - first < 100 * most, "of {} programs, {accepted} were accepted", 100 * most);
    }
}
