//! What is refused, and the words it is refused with.

use crate::common::{
    CLASSIFIER, LINE, Tensor, Weights, bits, classes, file_of, finish, floats, line, predictor_of,
    program, trainer,
};
use arenet::internals::prelude::*;
use arenet::internals::runtime::rows::Slice;
use arenet::internals::runtime::train::{Part, Reason};
use pretty_assertions::assert_eq;
use std::ops::ControlFlow;

fn weights() -> Vec<Tensor> {
    trainer(LINE, line(8), &Settings::default()).weights()
}

#[track_caller]
fn refuses(change: impl FnOnce(&mut Vec<Tensor>), expected: &str) {
    let mut tensors = weights();
    change(&mut tensors);
    let mut run = trainer(LINE, line(8), &Settings::default());
    let before = run.weights();
    let bytes = file_of(&tensors, &Default::default());
    let file = || WeightsFile::of_bytes(&bytes, "w.safetensors").unwrap_or_else(|e| panic!("{e}"));
    let error = run.load_weights(&mut file()).unwrap_err();
    assert_eq!(format!("{error:#}"), format!("w.safetensors: {expected}"));
    assert_eq!(run.weights(), before);
    let predictor = Predictor::new(program(LINE), &mut file(), Default::default());
    assert_eq!(predictor.err(), Some(TrainError::Data(error)));
}

#[test]
fn weights_that_do_not_fit_are_refused() {
    refuses(|w| drop(w.remove(1)), "does not fit the net \"line\": there is no y.b");
    refuses(
        |w| w[0].name = "y.v".into(),
        "does not fit the net \"line\": there is no y.w; y.v is no parameter\n\
         help: rename \"y.v\" in the file to \"y.w\"",
    );
    refuses(
        |w| w[0].shape = vec![1, 2],
        "has weights as [out, in], as PyTorch keeps them, and they are read as [in, out]: y.w is \
         [1, 2] and must be [2, 1]\n\
         help: turn them in Python: from safetensors.torch import load_file, save_file; \
         save_file({k: t.T.contiguous() if t.dim() == 2 else t for k, t in \
         load_file(FILE).items()}, NEW)",
    );
    refuses(
        |w| w[0].data[1] = f32::INFINITY,
        "does not fit the net \"line\": value 1 of y.w is inf",
    );
    refuses(
        |w| {
            *w = "abcdef".chars().map(|c| Tensor { name: c.into(), ..w[1].clone() }).collect();
        },
        "does not fit the net \"line\": there is no y.w; there is no y.b; a is no parameter; \
         b is no parameter; and 4 more",
    );
}

#[track_caller]
fn refuses_run(source: &str, data: Dataset, settings: Settings, expected: &str) {
    let made = Trainer::new(program(source), data, &settings);
    assert_eq!(made.err().map(|error| error.to_string()).as_deref(), Some(expected));
}

#[test]
fn data_that_does_not_fit_is_refused() {
    let check = |change: &dyn Fn(&mut Dataset), expected: &str| {
        let mut data = classes(20, 12);
        change(&mut data);
        refuses_run(CLASSIFIER, data, Settings::default(), expected);
    };
    check(&|data| data.targets.clear(), "of targets, the net takes 1 and the data has 0");
    check(
        &|data| data.inputs[0] = floats(11, vec![0.0; 220]),
        "`x` takes 20 rows of 12 values, not 220 values in rows of 11",
    );
    check(&|data| data.rows = 19, "`x` takes 19 rows of 12 values, not 240 values in rows of 12");
    check(
        &|data| data.targets[0] = floats(1, vec![0.0; 20]),
        "`label` takes integers, not real numbers",
    );
    check(
        &|data| {
            let Values::I32(labels) = &mut data.targets[0].data else { unreachable!() };
            labels[7] = 3;
        },
        "`label` is 3 in row 7, outside 0..3",
    );
    check(
        &|data| {
            let Values::F32(x) = &mut data.inputs[0].data else { unreachable!() };
            x[25] = f32::NAN;
        },
        "`x` is NaN in row 2, and must be finite",
    );
    let likely = LINE.replace("metric rmse(y, t)", "").replace("mse", "bce_logits");
    let data = Dataset { targets: vec![floats(1, vec![0.0, 1.0, 1.5, 0.0])], ..line(4) };
    let message = "`t` is 1.5 in row 2, outside 0 to 1";
    refuses_run(&likely, data, Settings::default(), message);
}

#[test]
fn settings_out_of_range_are_refused() {
    let base = Settings::default();
    let check = |settings, expected: &str| refuses_run(LINE, line(8), settings, expected);
    check(
        Settings { epochs: Some(0), ..base.clone() },
        "epochs must be from 1 to 4294967296, not 0",
    );
    check(
        Settings { lr: Some(f64::NAN), ..base.clone() },
        "the learning rate must be from 0 to 3.4028235e38, not NaN",
    );
    check(
        Settings { valid: Some(1.0), ..base.clone() },
        "the share to hold out must be in 0..1, not 1",
    );
    check(
        Settings { valid: Some(0.95), ..base.clone() },
        "a share of 0.95 holds out 8 of 8 rows, and leaves none to train on",
    );
    refuses_run(LINE, line(0), base.clone(), "there are no rows to train on");
    let full = LINE.replace("batch = 4", "batch = full");
    refuses_run(
        &full,
        line(300),
        base.clone(),
        "a full batch has 300 rows, but the net is compiled for 256: compile it with \
         `arenet compile --batch 300`",
    );
    let bare = "net bare { input x: [N, 2]  output y = x |> dense(1) }";
    let data = Dataset { targets: vec![], ..line(8) };
    refuses_run(bare, data, base.clone(), "the net has no `train` section, so it can only predict");
}

#[test]
fn a_prediction_of_other_inputs_is_refused() {
    let mut predictor = predictor_of(program(LINE), &weights(), Default::default()).unwrap();
    let mut check = |inputs: &[Slice], outputs: &mut [&mut [f32]], expected: &str| {
        let error = predictor.predict_into(inputs, outputs).unwrap_err();
        assert_eq!(error.to_string(), expected);
    };
    let (x, classes) = ([0.0; 10], [0; 2]);
    let rows = |count: usize| Slice::F32(&x[..count]);
    check(&[], &mut [&mut [0.0]], "the net has 1 input, and the values are of 0");
    let two = [rows(2), rows(2)];
    check(&two, &mut [&mut [0.0]], "the net has 1 input, and the values are of 2");
    check(&[rows(2)], &mut [], "the net has 1 output, and the values are of 0");
    check(&[rows(3)], &mut [&mut [0.0]], "`x` takes 2 values a row, 3 are not whole rows");
    check(&[rows(10)], &mut [&mut [0.0; 4]], "`y` has 1 values a row, and 5 rows are not 4");
    check(&[rows(2)], &mut [&mut []], "`y` has 1 values a row, and 1 rows are not 0");
    check(&[rows(0)], &mut [&mut []], "there are no rows to predict");
    let integers = [Slice::I32(&classes)];
    check(&integers, &mut [&mut [0.0]], "`x` takes real numbers, not integers");
    let empty = Dataset { rows: 0, ..line(0) };
    let error = predictor.evaluate(&empty).unwrap_err();
    assert_eq!(error.to_string(), "there are no rows to evaluate");
}

/// Runs until it diverges.
fn diverge(run: &mut Trainer) -> Divergence {
    loop {
        match run.run_epoch(&mut |_| ControlFlow::Continue(())) {
            Ok(_) if run.epoch() < 100 => {}
            Err(TrainError::Diverged(divergence)) => return *divergence,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_run_that_diverges_names_the_first_bad_value() {
    let settings = Settings { lr: Some(1e30), ..Settings::default() };
    let mut run = trainer(LINE, line(10), &settings);
    let before = bits(&run.weights());
    let divergence = diverge(&mut run);
    // The first step makes the weights about 1e30, so y is such, and its square is too large.
    assert_eq!(
        divergence.to_string(),
        "training diverged in epoch 1 at step 2, batch 2 (rows 4..8 of the epoch): a value at \
         loss (8:12) is inf, in row 8 of the data"
    );
    assert_eq!((divergence.batch, divergence.row), (2, Some(7)));
    let [Reason::Growth { weights: Some((from, to)), loss: None, rate }] = divergence.reasons[..]
    else {
        panic!("{:?}", divergence.reasons)
    };
    assert!(from < 10.0 && to > 1e29 && rate == 1e30, "{from}, {to}, {rate}");
    assert_eq!((run.epoch(), run.steps()), (0, 0));
    assert_eq!(bits(&run.weights()), before, "the last good weights are back");
    assert_eq!(diverge(&mut run), divergence, "and the run repeats itself");
}

#[test]
fn a_bad_update_is_named_by_its_parameter() {
    let settings = Settings { lr: Some(f64::from(f32::MAX)), ..Settings::default() };
    let huge = LINE.replace("mse(y, t)", "mae(y, t)").replace("rmae", "mae");
    let mut data = line(10);
    data.inputs[0] = floats(2, vec![1e3; 20]);
    data.targets[0] = floats(1, vec![-1e9; 10]);
    let divergence = diverge(&mut trainer(&huge, data, &settings));
    assert_eq!((divergence.part, divergence.name.as_str()), (Part::Update, "y.w"));
    assert_eq!((divergence.epoch, divergence.step, divergence.rows), (1, 1, 0..4));
    assert_eq!(divergence.number, f32::NEG_INFINITY);
}

#[test]
fn a_run_that_is_sound_never_diverges() {
    let mut run = trainer(CLASSIFIER, classes(60, 12), &Settings::default());
    assert_eq!(finish(&mut run).len(), 4);
}
