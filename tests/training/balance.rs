//! Factors that balance classes, counted in the rows that are trained on.

use crate::common::{
    Scratch, Tensor, Weights, bits, file_of, finish, floats, program, run_to, trainer, uniform,
};
use arenet::internals::prelude::*;
use pretty_assertions::assert_eq;

const BALANCED: &str = "
net flowers {
    input x: [N, 2]
    output y = x |> dense(3)
}
train {
    target species: i32[N] in 0..3
    loss = cross_entropy(y, species, class_weight: balanced)
    optimizer = adam(lr: 0.1)
    batch = 16  epochs = 3
}";

/// Rows of these classes.
fn rows(species: &[i32]) -> Dataset {
    Dataset {
        rows: species.len(),
        inputs: vec![floats(2, uniform(0, 2 * species.len()))],
        targets: vec![Array { width: 1, data: Values::I32(species.to_vec()) }],
        ..Dataset::default()
    }
}

/// Six rows of the first class, three of the second and one of the third.
const UNEVEN: &[i32] = &[0, 1, 0, 2, 0, 1, 0, 0, 1, 0];

/// compute_class_weight("balanced", classes=np.unique(y), y=y) of `UNEVEN`: 10 / (3 c)
const FACTORS: [f64; 3] = [0.5555555555555556, 1.1111111111111112, 3.3333333333333335];

fn factors(trainer: &Trainer) -> Vec<f32> {
    let mut weights = trainer.weights().into_iter();
    weights.find(|tensor| tensor.name == "species.class_weight").unwrap().data
}

#[test]
fn the_factors_are_those_of_scikit_learn() {
    let run = |source: &str, species: &[i32]| {
        factors(&trainer(source, rows(species), &Settings::default()))
    };
    assert_eq!(run(BALANCED, UNEVEN), FACTORS.map(|factor| factor as f32));
    // [0.7, 1.75] of the classes 0 and 2, and there are no rows of 1.
    let lacking = [0, 2, 0, 0, 2, 0, 0];
    assert_eq!(run(BALANCED, &lacking), [0.7, 1.0, 1.75]);
    // The same rows with others beside them that do not count.
    let other = BALANCED.replace("balanced", "balanced, ignore_index: -1");
    assert_eq!(run(&other, &[&lacking[..], &[-1; 4]].concat()), [0.7, 1.0, 1.75]);
    let class = BALANCED.replace("balanced", "balanced, ignore_index: 1");
    assert_eq!(run(&class, &[&lacking[..], &[1; 4]].concat()), [0.7, 1.0, 1.75]);
    // Classes that count from another number.
    let shifted = BALANCED.replace("0..3", "4..7");
    let species: Vec<i32> = UNEVEN.iter().map(|class| class + 4).collect();
    assert_eq!(run(&shifted, &species), FACTORS.map(|factor| factor as f32));
}

#[test]
fn training_is_that_with_the_factors_written() {
    let summed = "reduction: sum)\n  accumulate = 3\n";
    for (function, end) in [
        ("cross_entropy(y, ", ")\n"),
        ("nll(log_softmax(y), ", ")\n"),
        ("cross_entropy(y, ", ", label_smoothing: 0.1)\n"),
        ("cross_entropy(y, ", &format!(", {summed}")),
    ] {
        let source =
            BALANCED.replace("cross_entropy(y, ", function).replace("batch = 16", "batch = 2");
        let source = source.replace("balanced)\n", &format!("balanced{end}"));
        let [a, b, c] = FACTORS;
        let written = source.replace("balanced", &format!("[{a}, {b}, {c}]"));
        let mut counted = trainer(&source, rows(UNEVEN), &Settings::default());
        let mut given = trainer(&written, rows(UNEVEN), &Settings::default());
        let (reports, others) = (finish(&mut counted), finish(&mut given));
        for (report, other) in reports.iter().zip(&others) {
            let (loss, other) = (report.loss, other.loss);
            assert!((loss - other).abs() <= 1e-5 * other, "{source}: {loss}, {other}");
        }
        assert_eq!(factors(&counted), FACTORS.map(|factor| factor as f32), "they stay");
    }
}

#[test]
fn held_out_rows_are_not_counted() {
    let species = [UNEVEN, &[1; 10]].concat();
    let last =
        Settings { valid: Some(0.5), split: Some(arenet::Split::Last), ..Settings::default() };
    let held = trainer(BALANCED, rows(&species), &last);
    assert_eq!(held.validation_rows(), 10);
    assert_eq!(factors(&held), FACTORS.map(|factor| factor as f32));
    let valid = rows(&[1; 10]);
    let beside = Trainer::validated(program(BALANCED), rows(UNEVEN), valid, &Settings::default());
    assert_eq!(factors(&beside.unwrap()), FACTORS.map(|factor| factor as f32));
}

#[test]
fn weights_of_another_run_bring_no_factors() {
    let mut other = trainer(BALANCED, rows(&[0, 1, 1, 1, 2]), &Settings::default());
    finish(&mut other);
    let bytes = file_of(&other.weights(), &Default::default());
    let mut run = trainer(BALANCED, rows(UNEVEN), &Settings::default());
    run.load_weights(&mut WeightsFile::of_bytes(&bytes, "w").unwrap()).unwrap();
    assert_eq!(factors(&run), FACTORS.map(|factor| factor as f32));
    let layer = |tensors: Vec<Tensor>| bits(&tensors[..2]);
    assert_eq!(layer(run.weights()), layer(other.weights()));
}

#[test]
fn a_resumed_run_gives_the_same_bits() {
    let small = BALANCED.replace("batch = 16", "batch = 4");
    let file = Scratch::new("balance");
    let mut whole = trainer(&small, rows(UNEVEN), &Settings::default());
    run_to(&mut whole, 4);
    whole.save_checkpoint(&file.0).unwrap();
    let reports = finish(&mut whole);
    let mut resumed = trainer(&small, rows(UNEVEN), &Settings::default());
    resumed.resume(&file.0).unwrap();
    assert_eq!(finish(&mut resumed), reports);
    assert_eq!(bits(&resumed.weights()), bits(&whole.weights()));
}

#[test]
fn an_evaluation_with_the_weights_gives_the_loss_of_the_run() {
    let net = arenet::Net::parse(BALANCED).unwrap();
    let x = uniform(0, 20);
    let valid = net.data(&x[..], UNEVEN).unwrap();
    let data = net.data(&x[..], &[&UNEVEN[1..], &[1]].concat()[..]).unwrap();
    let mut run = net.trainer(data).validate_on(valid.clone()).build().unwrap();
    let last = run.train().unwrap();
    let file = Scratch::new("balance-eval");
    run.save(&file.0).unwrap();
    let figures = net.predictor(&file.0).unwrap().evaluate(&valid).unwrap();
    assert_eq!(Some(figures.loss), last.valid_loss);
}

#[test]
fn steps_on_given_rows_alone_need_written_factors() {
    let steps = Settings { steps: Some(1), ..Settings::default() };
    let refused = Trainer::without_data(program(BALANCED), &steps).err().unwrap();
    assert_eq!(
        refused.to_string(),
        "`class_weight: balanced` counts the classes in the training rows, and there are none \
         before the first step"
    );
    let written = BALANCED.replace("balanced", "[1, 2, 0.5]");
    assert!(Trainer::without_data(program(&written), &steps).is_ok());
    // Gradients from outside need no factors.
    let net = arenet::Net::parse(BALANCED).unwrap();
    net.gradient_trainer().build().unwrap();
}
