//! What a training counts against its limit.

use crate::common::{LINE, line, program};
use arenet::internals::prelude::*;
use arenet::internals::runtime::exec::Executor;
use pretty_assertions::assert_eq;

/// The least limit that suffices, and that one byte less is refused and told.
fn least(run: impl Fn(u64) -> Result<(), RunError>) -> u64 {
    let needed = |limit| match run(limit) {
        Ok(()) => limit,
        Err(RunError::Memory { needed, limit: told }) => {
            assert!(needed > limit && told == limit, "{needed} {told} {limit}");
            needed
        }
        Err(other) => panic!("{other}"),
    };
    let mut limit = 64;
    while needed(limit) > limit {
        limit = needed(limit);
    }
    assert_eq!(needed(limit - 1), limit);
    limit
}

fn options(max_memory: u64) -> RunOptions {
    RunOptions { threads: Some(1), max_memory: Some(max_memory), ..RunOptions::default() }
}

fn trainer(data: Dataset, valid: Option<Dataset>, max_memory: u64) -> Result<(), RunError> {
    let settings = Settings { run: options(max_memory), ..Settings::default() };
    let made = match valid {
        Some(valid) => Trainer::validated(program(LINE), data, valid, &settings),
        None => Trainer::new(program(LINE), data, &settings),
    };
    match made {
        Ok(_) => Ok(()),
        Err(TrainError::Run(error)) => Err(error),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn the_copy_of_the_state_and_the_tables_count() {
    let of =
        |rows, valid: Option<usize>| least(|limit| trainer(line(rows), valid.map(line), limit));
    // A row has two inputs and a target; its number is held once.
    assert_eq!(of(1000, None) - of(999, None), 12 + 4);
    assert_eq!(of(1000, Some(51)) - of(1000, Some(50)), 12 + 4);

    let program = program(LINE);
    let copy = program.program().copy_bytes();
    let alone = least(|limit| Executor::new(program.clone(), options(limit)).map(drop));
    assert_eq!(of(1000, None), alone + copy + 1000 * (12 + 4));
    // A vector for each of the three values of the line, at least.
    assert!((3 * 4..=3 * 64).contains(&copy), "{copy}");
}

#[test]
fn a_limit_in_the_model_counts_the_copy() {
    let options = CompileOptions::default();
    let whole = compile(LINE, &options).unwrap().program;
    let needed = whole.arena_bytes + whole.copy_bytes();
    let limited = |bytes: u64| {
        let text = LINE.replace("input x", &format!("limit memory = {bytes} B\n    input x"));
        compile(&text, &options).map(|compiled| compiled.program.arena_bytes)
    };
    assert_eq!(limited(needed).unwrap(), whole.arena_bytes);
    let found = limited(needed - 1).err().unwrap();
    let message = format!("the program needs {needed} bytes of memory at batch 4, 1 more than");
    assert!(found[0].message.starts_with(&message), "{}", found[0].message);
    // Without training there is no copy.
    let bare = CompileOptions { purpose: Purpose::Predict, ..options };
    assert_eq!(compile(LINE, &bare).unwrap().program.copy_bytes(), 0);
}
