//! A run that is interrupted and resumed ends as if nothing had happened.

use crate::common::{CLASSIFIER, LINE, Scratch, classes, finish, line, program, run_to};
use crate::common::{Weights, file_of, load, predictor_of, read_weights, trainer};
use arenet::internals::prelude::*;
use pretty_assertions::assert_eq;
use std::fs;

/// 48 training rows of 60: six steps an epoch, with 4 epochs. What is dropped differs from step to
/// step.
fn classifier() -> Trainer {
    trainer(CLASSIFIER, classes(60, 12), &Settings::default())
}

#[test]
fn a_resumed_run_has_the_bits_and_reports_of_an_uninterrupted_one() {
    resumes_anywhere(&classifier);
    let normed = CLASSIFIER.replace("|> relu", "|> batch_norm |> relu");
    resumes_anywhere(&|| trainer(&normed, classes(60, 12), &Settings::default()));
}

fn resumes_anywhere(classifier: &dyn Fn() -> Trainer) {
    let weights = Scratch::new("whole");
    let mut whole = classifier();
    let reports = finish(&mut whole);
    whole.save_weights(&weights.0).unwrap();
    let expected = fs::read(&weights.0).unwrap();

    for steps in [0, 1, 5, 6, 7, 13, 18, 23, 24] {
        let checkpoint = Scratch::new(&format!("checkpoint-{steps}"));
        let mut first = classifier();
        run_to(&mut first, steps);
        first.save_checkpoint(&checkpoint.0).unwrap();
        drop(first);

        let mut second = classifier();
        second.resume(&checkpoint.0).unwrap();
        assert_eq!(second.steps(), steps);
        let done = second.epoch() as usize;
        assert_eq!(finish(&mut second), reports[done..], "resumed after {steps} steps");
        second.save_weights(&weights.0).unwrap();
        assert!(fs::read(&weights.0).unwrap() == expected, "resumed after {steps} steps");
    }
}

#[test]
fn a_checkpoint_of_a_checkpoint_is_the_same_file() {
    let (first, second) = (Scratch::new("first"), Scratch::new("second"));
    let mut run = classifier();
    run_to(&mut run, 9);
    run.save_checkpoint(&first.0).unwrap();
    let mut resumed = classifier();
    resumed.resume(&first.0).unwrap();
    resumed.save_checkpoint(&second.0).unwrap();
    assert_eq!(fs::read(&first.0).unwrap(), fs::read(&second.0).unwrap());
}

#[test]
fn a_step_that_is_stopped_goes_on_from_there() {
    let mut whole = classifier();
    let reports = finish(&mut whole);
    let mut halting = classifier();
    for steps in [2, 3, 6, 11] {
        run_to(&mut halting, steps);
    }
    assert_eq!(halting.epoch(), 1);
    assert_eq!(finish(&mut halting), reports[1..]);
    assert_eq!(halting.weights(), whole.weights());
}

#[test]
fn a_checkpoint_of_another_run_is_refused() {
    let checkpoint = Scratch::new("refused");
    let path = checkpoint.0.display().to_string();
    let mut run = classifier();
    run_to(&mut run, 3);
    run.save_checkpoint(&checkpoint.0).unwrap();
    let check = |trainer: &mut Trainer, expected: &str| {
        let before = trainer.weights();
        let error = trainer.resume(&checkpoint.0).unwrap_err();
        assert_eq!(error.to_string(), format!("{path}: {expected}"));
        assert_eq!(trainer.weights(), before);
    };

    check(
        &mut trainer(LINE, line(8), &Settings::default()),
        "is of the net classifier, not of line",
    );
    let seed = Settings { seed: Some(8), ..Settings::default() };
    check(
        &mut trainer(CLASSIFIER, classes(60, 12), &seed),
        "is of a run with seed 3, and this one has seed 8",
    );
    let default = Settings::default();
    check(&mut trainer(CLASSIFIER, classes(61, 12), &default), "is of a run on other data");
    let lr = Settings { lr: Some(0.5), ..Settings::default() };
    check(
        &mut trainer(CLASSIFIER, classes(60, 12), &lr),
        "is of a run whose net or `train` section differ from this one's",
    );
    let wider = CLASSIFIER.replace("dense(20)", "dense(21)");
    check(
        &mut trainer(&wider, classes(60, 12), &default),
        "does not fit the net \"classifier\": h.w is [12, 20] and must be [12, 21]; \
         h.b is [20] and must be [21]; logits.w is [20, 3] and must be [21, 3]; \
         h.w.m is [12, 20] and must be [12, 21]; and 5 more",
    );

    let (tensors, mut metadata) = read_weights(&checkpoint.0).unwrap();
    metadata.insert("format".into(), "arenet checkpoint 1".into());
    fs::write(&checkpoint.0, file_of(&tensors, &metadata)).unwrap();
    check(&mut classifier(), "is the checkpoint of another version, \"arenet checkpoint 1\"");

    run.save_weights(&checkpoint.0).unwrap();
    check(&mut classifier(), "is no checkpoint: it does not say where a run stands");
}

#[test]
fn only_the_number_of_epochs_and_the_places_in_the_text_may_differ() {
    let checkpoint = Scratch::new("moved");
    let mut run = classifier();
    run_to(&mut run, 3);
    run.save_checkpoint(&checkpoint.0).unwrap();
    let moved = format!("// a comment\n{CLASSIFIER}").replace("epochs = 4", "epochs = 9");
    trainer(&moved, classes(60, 12), &Settings::default()).resume(&checkpoint.0).unwrap();
}

#[test]
fn a_checkpoint_with_an_impossible_place_is_refused() {
    let checkpoint = Scratch::new("place");
    let mut run = classifier();
    run_to(&mut run, 3);
    run.save_checkpoint(&checkpoint.0).unwrap();
    let (tensors, metadata) = read_weights(&checkpoint.0).unwrap();
    let changes =
        [("steps", "4"), ("step_in_epoch", "7"), ("epoch", "-1"), ("loss_sum", "7ff0000000000000")];
    for (key, value) in changes {
        let mut metadata = metadata.clone();
        metadata.insert(key.into(), value.into());
        fs::write(&checkpoint.0, file_of(&tensors, &metadata)).unwrap();
        let message = run.resume(&checkpoint.0).unwrap_err().message;
        assert_eq!(message, "is corrupt: it says no possible place in a run", "{key}");
    }
}

#[test]
fn the_weights_of_a_checkpoint_can_be_used_alone() {
    let checkpoint = Scratch::new("weights-of");
    let mut run = classifier();
    run_to(&mut run, 3);
    run.save_checkpoint(&checkpoint.0).unwrap();
    let (tensors, _) = read_weights(&checkpoint.0).unwrap();
    let program = program(CLASSIFIER);
    let mut fresh = classifier();
    load(&mut fresh, &tensors);
    assert_eq!(fresh.weights(), run.weights());
    predictor_of(program, &tensors, RunOptions::default()).unwrap();
}
