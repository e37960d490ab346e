//! Learning rates that fall where a figure no longer gets better.

use crate::common::{CLASSIFIER, Scratch, Weights, classes, finish, program, run_to, trainer};
use arenet::internals::prelude::*;
use pretty_assertions::assert_eq;
use std::fs;

/// A classifier of 60 rows whose rate falls, of which this share is held out.
fn classifier(settings: &str, valid: f64) -> Trainer {
    let rate = format!("reduce_on_plateau(0.1, factor: 0.5, {settings})");
    let source = CLASSIFIER.replace("cosine(0.02, to: 0.001, warmup: 5)", &rate);
    let source = source.replace("epochs = 4", "epochs = 20");
    let source = source.replace("valid = 0.2", &format!("valid = {valid}"));
    trainer(&source, classes(60, 12), &Settings::default())
}

/// The rates of an epoch each, by the figures after them.
fn expected(figures: &[f64], patience: usize, is_better: fn(f64, f64) -> bool) -> Vec<f64> {
    let (mut rate, mut best, mut bad) = (0.1, None, 0);
    let mut fall = |&figure: &f64| {
        let now = rate;
        match best.is_none_or(|best| is_better(figure, best)) {
            true => (best, bad) = (Some(figure), 0),
            false => bad += 1,
        }
        if bad > patience {
            (rate, bad) = (rate * 0.5, 0);
        }
        now
    };
    figures.iter().map(&mut fall).collect()
}

#[test]
fn a_rate_falls_by_the_loss_or_a_metric_of_the_rows_that_there_are() {
    let lower = |figure: f64, best: f64| figure < best * 0.9;
    let higher = |figure: f64, best: f64| figure > best + 0.1;
    let reports = finish(&mut classifier("patience: 1, threshold: 0.1", 0.2));
    let rates = |reports: &[EpochReport]| reports.iter().map(|r| r.lr).collect::<Vec<_>>();
    let figures: Vec<f64> = reports.iter().map(|report| report.valid_loss.unwrap()).collect();
    assert_eq!(rates(&reports), expected(&figures, 1, lower));
    assert!(reports[19].lr < 0.05, "it falls more than once");

    let reports = finish(&mut classifier("patience: 0, threshold: 0.1", 0.0));
    let figures: Vec<f64> = reports.iter().map(|report| report.loss).collect();
    assert_eq!(rates(&reports), expected(&figures, 0, lower));
    assert!(reports[19].lr < 0.1);

    let settings = "patience: 2, threshold: 0.1, threshold_mode: abs, metric: accuracy";
    for valid in [0.2, 0.0] {
        let reports = finish(&mut classifier(settings, valid));
        let figures: Vec<f64> = reports.iter().map(|r| r.metric("accuracy").unwrap()).collect();
        assert_eq!(rates(&reports), expected(&figures, 2, higher));
        assert!(reports[19].lr < 0.1);
    }
}

#[test]
fn a_rate_falls_alike_after_a_resumption() {
    let new = || classifier("patience: 1, threshold: 0.1, cooldown: 1, min_lr: 0.004", 0.2);
    let [last, own] = ["whole", "own"].map(Scratch::new);
    let mut whole = new();
    let reports = finish(&mut whole);
    whole.save_checkpoint(&last.0).unwrap();
    for steps in [0, 5, 6, 30, 47, 60, 96, 120] {
        let checkpoint = Scratch::new(&format!("plateau-{steps}"));
        let mut first = new();
        run_to(&mut first, steps);
        first.save_checkpoint(&checkpoint.0).unwrap();
        let mut second = new();
        second.resume(&checkpoint.0).unwrap();
        let done = second.epoch() as usize;
        assert_eq!(finish(&mut second), reports[done..], "resumed after {steps} steps");
        second.save_checkpoint(&own.0).unwrap();
        assert!(fs::read(&own.0).unwrap() == fs::read(&last.0).unwrap(), "{steps} steps");
        assert_eq!(second.weights(), whole.weights());
    }
}

#[test]
fn steps_on_given_rows_have_no_figure() {
    let source = CLASSIFIER.replace("cosine(0.02, to: 0.001, warmup: 5)", "reduce_on_plateau(1)");
    let refused = Trainer::without_data(program(&source), &Settings::default());
    assert_eq!(
        refused.err().unwrap().to_string(),
        "`reduce_on_plateau` looks at the figure of each epoch, and there are none"
    );
}
