//! Steps on rows of the application's own: the same training as on rows of data.

use crate::common::{
    CLASSIFIER, LINE, Scratch, Weights, bits, classes, finish, line, program, trainer,
};
use arenet::internals::prelude::*;
use std::ops::ControlFlow;

/// A trainer without data, for a run of so many steps.
fn online(source: &str, steps: u64) -> Trainer {
    let settings = Settings { steps: Some(steps), ..Settings::default() };
    Trainer::without_data(program(source), &settings).unwrap()
}

#[test]
fn steps_give_the_bits_of_an_epoch() {
    let (data, settings) = (classes(60, 12), Settings { valid: Some(0.0), ..Settings::default() });
    let settings = Settings { shuffle: Some(false), ..settings };
    let mut epochs = trainer(CLASSIFIER, data.clone(), &settings);
    let mut losses = Vec::new();
    for _ in 0..epochs.epochs() {
        let mut on_step = |step: Progress| {
            losses.push(step.loss);
            ControlFlow::Continue(())
        };
        epochs.run_epoch(&mut on_step).unwrap();
    }

    // A cosine that spans the run, bias corrections of Adam, and a last batch of four rows.
    let mut steps = online(CLASSIFIER, epochs.steps());
    let (Values::F32(x), Values::I32(label)) = (&data.inputs[0].data, &data.targets[0].data) else {
        unreachable!("the data is made so");
    };
    let mut own = Vec::new();
    for _ in 0..epochs.epochs() {
        for (x, label) in x.chunks(8 * 12).zip(label.chunks(8)) {
            own.push(steps.step(x, label).unwrap());
        }
    }
    assert_eq!(own, losses);
    assert_eq!(steps.steps(), epochs.steps());
    assert_eq!(bits(&steps.weights()), bits(&epochs.weights()));
}

#[test]
fn a_run_goes_on_with_rows_of_its_own_and_back() {
    let file = Scratch::new("own");
    let extra = |run: &mut Trainer| run.step(&[[0.5, 0.25], [0.0, 1.0]], &[1.0, 2.0]).unwrap();
    let mut whole = trainer(LINE, line(10), &Settings::default());
    whole.run_epoch(&mut |_| ControlFlow::Continue(())).unwrap();
    extra(&mut whole);
    whole.save_checkpoint(&file.0).unwrap();
    let reports = finish(&mut whole);
    assert_eq!((whole.steps(), reports[0].step), (10, 7), "three steps an epoch, and one");

    let mut resumed = trainer(LINE, line(10), &Settings::default());
    resumed.resume(&file.0).unwrap();
    assert_eq!(finish(&mut resumed), reports);
    assert_eq!(bits(&resumed.weights()), bits(&whole.weights()));
}

#[test]
fn a_prediction_between_steps_changes_nothing() {
    let mut runs = [online(LINE, 10), online(LINE, 10)];
    for step in 0..10 {
        let x = [[step as f32 / 10.0, 0.5], [0.25, 1.0]];
        let mut y = [0.0; 2];
        runs[1].predict_into(&x, &mut y).unwrap();
        let losses = runs.each_mut().map(|run| run.step(&x, &[1.0, 0.0]).unwrap());
        assert_eq!(losses[0], losses[1]);
        let loss = ((y[0] - 1.0).powi(2) + y[1].powi(2)) / 2.0;
        assert!((loss - losses[0]).abs() < 1e-5, "{loss} {losses:?}");
    }
    assert_eq!(bits(&runs[0].weights()), bits(&runs[1].weights()));
}

#[test]
fn rows_that_do_not_fit_are_refused_and_change_nothing() {
    let mut run = online(CLASSIFIER, 10);
    let before = bits(&run.weights());
    let x = [[0.5; 12]; 9];
    let mut refuses = |x: &[[f32; 12]], label: &[i32], expected: &str| {
        assert_eq!(run.step(x, label).unwrap_err().to_string(), expected);
    };
    refuses(&x[..2], &[0], "the inputs have 2 rows and the targets 1");
    refuses(&x, &[0; 9], "a step takes 1 to 8 rows, not 9");
    refuses(&[], &[], "a step takes 1 to 8 rows, not 0");
    refuses(&x[..2], &[0, 3], "`label` is 3 in row 1, outside 0..3");
    refuses(&[[f32::NAN; 12]], &[0], "`x` is NaN in row 0, and must be finite");
    let error = run.step(&x[..1], &[0.0]).unwrap_err();
    assert_eq!(error.to_string(), "`label` takes integers, not real numbers");
    assert_eq!((run.steps(), bits(&run.weights())), (0, before));
    let error = run.run_epoch(&mut |_| ControlFlow::Continue(())).unwrap_err();
    assert_eq!(error.to_string(), "there are no rows to train on, but for those of `step`");

    let unending = Trainer::without_data(program(CLASSIFIER), &Settings::default());
    let expected = "a schedule spans the run, which is as long as there are rows for it";
    assert_eq!(unending.err().unwrap().to_string(), expected);
}

#[test]
fn a_schedule_that_lacks_a_run_is_shown() {
    let source = LINE.replace("lr: 0.1", "lr: cosine(0.01)");
    let net = arenet::Net::parse(&source).unwrap();
    let error = net.online_trainer().build().err().unwrap();
    assert_eq!(error.kind(), arenet::ErrorKind::Usage);
    let error = error.to_string();
    let start = "error[usage]: a schedule spans the run, which is as long as there are rows for it";
    assert!(error.starts_with(start), "{error}");
    assert!(error.contains("cosine(0.01)"), "{error}");
    let help = "help: say how long it is: by `over: 10000`, or `steps` of the trainer";
    assert!(error.contains(help), "{error}");
    assert!(net.online_trainer().steps(100).build().is_ok());
    let over = source.replace("cosine(0.01)", "cosine(0.01, over: 10000)");
    assert!(arenet::Net::parse(&over).unwrap().online_trainer().build().is_ok());
}

#[test]
fn a_step_that_diverges_is_told_and_taken_back() {
    let settings = Settings { lr: Some(1e30), ..Settings::default() };
    let mut run = Trainer::without_data(program(LINE), &settings).unwrap();
    let before = bits(&run.weights());
    run.step(&[1.0, 1.0], &3.0).unwrap();
    let error = run.step(&[1.0, 1.0], &3.0).unwrap_err();
    assert_eq!(error.to_string(), "training diverged at step 2: a value at loss (8:12) is inf");
    assert_eq!((run.steps(), bits(&run.weights())), (0, before));
}

#[test]
fn a_test_before_each_step_is_of_what_the_net_predicts_then() {
    const CLASSES: &str = "
net classes {
    input x: [N, 12]
    output logits = x |> dense(8) |> relu |> dropout(0.5) |> dense(3)
}
train {
    target label: i32[N] in 0..3
    loss = cross_entropy(logits, label)
    metric accuracy(logits, label)
    metric f1(logits, label)
    optimizer = adam
    batch = 2
}";
    let data = classes(41, 12);
    let (Values::F32(x), Values::I32(label)) = (&data.inputs[0].data, &data.targets[0].data) else {
        unreachable!("the data is made so");
    };
    let mut runs = [online(CLASSES, 0), online(CLASSES, 0)];
    let mut figures = runs[0].prequential(5);
    let (mut losses, mut right) = (Vec::new(), Vec::new());
    for (x, label) in x.chunks(12).zip(label) {
        let mut logits = [0.0; 3];
        runs[0].predict_into(x, &mut logits).unwrap();
        let logits = logits.map(f64::from);
        let sum: f64 = logits.iter().map(|z| z.exp()).sum();
        losses.push(sum.ln() - logits[*label as usize]);
        right.push(logits.iter().all(|z| *z <= logits[*label as usize]));
        runs[0].test(x, label, &mut figures).unwrap();
        let steps = runs.each_mut().map(|run| run.step(x, label).unwrap());
        assert_eq!(steps[0], steps[1], "a test changes nothing");
    }
    let check = |of: Evaluation, rows: usize| {
        let from = losses.len() - rows;
        let loss = losses[from..].iter().sum::<f64>() / rows as f64;
        let share = right[from..].iter().filter(|right| **right).count() as f64 / rows as f64;
        assert!((of.loss - loss).abs() < 1e-5 * loss, "{} {loss}", of.loss);
        assert!((of.metrics[0].1 - share).abs() < 1e-12 && of.rows == rows as u64);
        assert!(of.metrics[1].1 > 0.0 && of.metrics[1].1 <= 1.0);
    };
    check(figures.all(), 41);
    check(figures.recent(), 5);

    // A state that is no more finite is not one to return to.
    let settings = Settings { lr: Some(1e38), ..Settings::default() };
    let mut run = Trainer::without_data(program(LINE), &settings).unwrap();
    run.step(&[0.0, 0.0], &0.0).unwrap();
    run.settle().unwrap();
    run.step(&[1.0, 1.0], &30.0).unwrap();
    let error = run.settle().unwrap_err().to_string();
    assert!(error.starts_with("training diverged at step 2: the parameter y.w is "), "{error}");
    assert_eq!(run.steps(), 1);
}
