//! A run that watches a figure of its held-out rows: it stops in time and keeps the best weights.

use crate::common::{CLASSIFIER, LINE, Scratch, Weights, classes, finish, line};
use crate::common::{read_weights, run_to, trainer};
use arenet::internals::prelude::*;
use arenet::internals::runtime::train;
use pretty_assertions::assert_eq;
use std::fs;

/// A classifier that soon learns its 48 rows by heart, so that the held-out loss rises again.
fn watching(extra: &str) -> String {
    let train = CLASSIFIER.replace("epochs = 4", "epochs = 40");
    train.replace("seed = 3", &format!("seed = 3 {extra}")).replace("0.02, to: 0.001", "0.1")
}

fn classifier(extra: &str) -> Trainer {
    trainer(&watching(extra), classes(60, 12), &Settings::default())
}

/// The held-out losses of 40 epochs without a watch.
fn losses() -> Vec<f64> {
    finish(&mut classifier("")).iter().map(|report| report.valid_loss.unwrap()).collect()
}

/// The first of the smallest.
fn least(losses: &[f64]) -> usize {
    (0..losses.len()).min_by(|&a, &b| losses[a].total_cmp(&losses[b])).unwrap()
}

/// The epochs, from 1, until a loss was not below the best one by more than `min_delta` for
/// `patience` epochs.
fn stop(losses: &[f64], patience: usize, min_delta: f64) -> usize {
    let (mut mark, mut at) = (f64::INFINITY, 0);
    for (epoch, &loss) in losses.iter().enumerate() {
        if mark - loss > min_delta {
            (mark, at) = (loss, epoch);
        }
        if epoch - at == patience {
            return epoch + 1;
        }
    }
    losses.len()
}

#[test]
fn the_best_weights_are_those_of_a_run_that_ends_there() {
    let losses = losses();
    let best = least(&losses);
    assert!((1..losses.len() - 1).contains(&best), "{losses:?}");
    let mut run = classifier("keep = best");
    let reports = finish(&mut run);
    let valid: Vec<f64> = reports.iter().map(|report| report.valid_loss.unwrap()).collect();
    assert_eq!(valid, losses, "to watch changes nothing");
    let found = run.best().unwrap();
    assert_eq!((found.epoch, found.figure), (best as u64 + 1, losses[best]));
    let last_best = reports.iter().rposition(|report| report.is_best);
    assert_eq!(last_best, Some(best));

    let mut short = classifier("");
    run_to(&mut short, 6 * (best as u64 + 1));
    assert_eq!(run.weights(), short.weights());
    // And those are what evaluates and what is saved.
    assert_eq!(run.evaluate().unwrap().unwrap().loss, losses[best]);
    let [kept, expected] = [Scratch::new("kept"), Scratch::new("expected")];
    run.save_weights(&kept.0).unwrap();
    short.save_weights(&expected.0).unwrap();
    assert!(read_weights(&kept.0).unwrap().0 == read_weights(&expected.0).unwrap().0);
}

#[test]
fn a_run_stops_after_its_patience() {
    let losses = losses();
    for (patience, min_delta) in [(1, 0.0), (3, 0.0), (3, 0.05), (8, 0.01)] {
        let rule = format!("stop = early_stop(patience: {patience}, min_delta: {min_delta})");
        let mut run = classifier(&rule);
        let reports = finish(&mut run);
        let epochs = stop(&losses, patience, min_delta);
        assert_eq!(reports.len(), epochs, "{rule}");
        assert_eq!((run.is_done(), run.epoch()), (true, epochs as u64), "{rule}");
        let best = least(&losses[..epochs]);
        assert_eq!(run.best().unwrap().epoch, best as u64 + 1, "{rule}");
        let mut short = classifier("");
        run_to(&mut short, 6 * (best as u64 + 1));
        assert_eq!(run.weights(), short.weights(), "{rule}");
    }
}

#[test]
fn the_last_weights_can_be_kept_by_a_run_that_stops() {
    let mut run = classifier("stop = early_stop(patience: 2)  keep = last");
    let epochs = finish(&mut run).len();
    assert!(run.best().unwrap().epoch < epochs as u64);
    let mut short = classifier("");
    run_to(&mut short, 6 * epochs as u64);
    assert_eq!(run.weights(), short.weights());
}

#[test]
fn a_metric_that_rises_is_watched_upwards() {
    let accuracy = |report: &EpochReport| report.metric("accuracy").unwrap();
    let mut plain = classifier("");
    let figures: Vec<f64> = finish(&mut plain).iter().map(accuracy).collect();
    let most = figures.iter().copied().fold(0.0, f64::max);
    assert!(most > figures[0]);
    let first = figures.iter().position(|&figure| figure == most).unwrap();
    let mut run = classifier("keep = best(metric: accuracy)");
    finish(&mut run);
    let best = run.best().unwrap();
    assert_eq!((best.epoch, best.figure), (first as u64 + 1, most));
}

#[test]
fn validations_within_an_epoch_count_too() {
    let mut run = classifier("validate = 2  stop = early_stop(patience: 5)");
    let mut seen = Vec::new();
    let mut reports = Vec::new();
    while !run.is_done() {
        let report = run.run_epoch(&mut |step: Progress| {
            seen.extend(step.held_out.map(|held_out| (step.step_in_epoch, held_out.loss)));
            std::ops::ControlFlow::Continue(())
        });
        reports.push(report.unwrap().unwrap());
    }
    // Six steps an epoch: after the second and the fourth, and at its end.
    assert!(seen.iter().all(|(step, _)| [2, 4].contains(step)));
    let end = reports.last().unwrap();
    assert_eq!(end.step % 2, 0);
    // Each of these losses is that of a run that ends there.
    for (index, (step, loss)) in seen.iter().enumerate() {
        let mut short = classifier("");
        run_to(&mut short, 6 * (index as u64 / 2) + step);
        assert_eq!(short.evaluate().unwrap().unwrap().loss, *loss);
    }
    let best = run.best().unwrap();
    let mut short = classifier("");
    run_to(&mut short, best.step);
    assert_eq!((run.weights(), best.step + 10), (short.weights(), end.step));
}

#[test]
fn a_resumed_run_watches_on() {
    let rule = "validate = 4  stop = early_stop(patience: 7)";
    let expected = Scratch::new("watched");
    let mut whole = classifier(rule);
    finish(&mut whole);
    whole.save_weights(&expected.0).unwrap();
    let end = whole.steps();
    for steps in [0, 1, 4, 5, 6, end / 2, whole.best().unwrap().step + 3, end - 1, end] {
        let [checkpoint, weights] = [Scratch::new("watch-checkpoint"), Scratch::new("watch-end")];
        let mut first = classifier(rule);
        run_to(&mut first, steps);
        first.save_checkpoint(&checkpoint.0).unwrap();
        let mut second = classifier(rule);
        second.resume(&checkpoint.0).unwrap();
        assert_eq!((second.best(), second.is_done()), (first.best(), first.is_done()));
        finish(&mut second);
        second.save_weights(&weights.0).unwrap();
        assert!(fs::read(&weights.0).unwrap() == fs::read(&expected.0).unwrap(), "{steps}");
        // A run that goes on after its end does so from its last weights, not from the best.
        let mut third = classifier(rule);
        third.resume(&checkpoint.0).unwrap();
        third.save_checkpoint(&weights.0).unwrap();
        assert!(fs::read(&weights.0).unwrap() == fs::read(&checkpoint.0).unwrap(), "{steps}");
        let mut file = WeightsFile::open(&checkpoint.0).unwrap();
        classifier("").load_weights(&mut file).unwrap();
    }
}

#[test]
fn weights_that_are_loaded_are_those_that_are_saved() {
    let mut run = classifier("keep = best");
    finish(&mut run);
    let mut other = classifier("");
    run_to(&mut other, 3);
    let [loaded, saved] = [Scratch::new("loaded"), Scratch::new("saved")];
    other.save_weights(&loaded.0).unwrap();
    run.load_weights(&mut WeightsFile::open(&loaded.0).unwrap()).unwrap();
    assert_eq!(run.best(), None);
    run.save_weights(&saved.0).unwrap();
    assert!(read_weights(&saved.0).unwrap().0 == read_weights(&loaded.0).unwrap().0);
}

#[test]
fn to_save_changes_no_weights() {
    let mut run = classifier("keep = best");
    let (file, x) = (Scratch::new("aside"), [0.25; 12]);
    let step = |run: &mut Trainer| {
        run.step(&x, &[1]).unwrap();
        run.weights()
    };
    finish(&mut run);
    assert!(run.best().unwrap().epoch < 40);
    // Steps on own rows go on from the last weights, which stay where they are.
    let after = step(&mut run);
    run.save_weights(&file.0).unwrap();
    assert_eq!(run.weights(), after);
    run.save_checkpoint(&file.0).unwrap();
    assert_eq!(run.weights(), after);
    let mut plain = classifier("");
    finish(&mut plain);
    assert_eq!(step(&mut plain), after);
}

#[test]
fn a_validation_does_not_hide_a_divergence() {
    let train =
        "epochs = 3  validate = 1  valid = 0.2  stop = early_stop(patience: 1)  keep = last";
    let source = LINE.replace("epochs = 3", train).replace("lr: 0.1", "lr: 3e38");
    let mut run = trainer(&source, line(40), &Settings::default());
    let ended = run.run_epoch(&mut |_| std::ops::ControlFlow::Continue(()));
    let Err(TrainError::Diverged(divergence)) = ended else { panic!("{ended:?}") };
    assert_eq!((divergence.step, divergence.part), (1, train::Part::Update));
}

#[test]
fn nothing_is_watched_without_held_out_rows() {
    let source = LINE.replace("epochs = 3", "epochs = 3  stop = early_stop(patience: 3)");
    let compiled = crate::common::program(&source);
    let error = Trainer::new(compiled, line(20), &Settings::default()).err().unwrap();
    assert_eq!(
        error.to_string(),
        "`stop` and `keep = best` look at held-out rows, and there are none: hold some out, such \
         as by `valid = 0.2` in the `train` section"
    );
}
