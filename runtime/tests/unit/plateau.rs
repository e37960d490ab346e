//! Learning rates that fall as torch.optim.lr_scheduler.ReduceLROnPlateau lets them.

use arenet_runtime::program::{
    Figure, Finish, Metric, Plateau, Program, Schedule, Subject, Watched,
};
use arenet_runtime::train::plateau::Falling;
use pretty_assertions::assert_eq;
use serde_json::Value;
use std::collections::BTreeMap;

type Metadata = BTreeMap<String, String>;

const PLATEAU: Plateau = Plateau {
    figure: Watched::Loss,
    factor: 0.5,
    patience: 0,
    threshold: 0.0,
    is_relative: true,
    cooldown: 0,
    min_lr: 0.0,
};

fn falling(base: f64, plateau: Plateau) -> Falling {
    let schedule = Schedule { plateau: Some(plateau), ..Schedule::constant(base) };
    let figure = Figure { values: vec![], finish: Finish::mean() };
    let rising = Metric { name: "accuracy".into(), figure, rises: true, subject: Subject::Rows };
    let program = Program { metrics: vec![rising], ..Program::default() };
    Falling::all(&program, &[schedule]).remove(0)
}

/// The rate after each of some figures.
fn after(mut falling: Falling, figures: &[f64]) -> Vec<f64> {
    let mut see = |figure: &f64| {
        let before = falling.base;
        assert_eq!(falling.see_figure(*figure), falling.base != before);
        falling.base
    };
    figures.iter().map(&mut see).collect()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

#[test]
fn a_rate_falls_as_in_pytorch() {
    let mut checked = 0;
    for file in ["schedules.json", "plateau.json"] {
        let path = format!("{}/../tests/reference/{file}", env!("CARGO_MANIFEST_DIR"));
        let reference: Value =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let cases = reference["cases"].as_array().unwrap().iter();
        for case in cases.filter(|case| case["schedule"] == "reduce_on_plateau") {
            let args = &case["args"];
            let number = |name: &str, or: f64| args[name].as_f64().unwrap_or(or);
            let plateau = Plateau {
                factor: number("factor", 0.1),
                patience: number("patience", 10.0) as u64,
                threshold: number("threshold", 1e-4),
                is_relative: args["threshold_mode"] != "abs",
                cooldown: number("cooldown", 0.0) as u64,
                min_lr: number("min_lr", 0.0),
                figure: match args["mode"] == "max" {
                    true => Watched::Metric(0),
                    false => Watched::Loss,
                },
            };
            let falling = falling(case["base_lr"].as_f64().unwrap(), plateau);
            let rates = after(falling, &numbers(&case["metric"]));
            for (rate, expected) in rates.iter().zip(numbers(&case["lr_after_metric"])) {
                // The decimals of a file are read to the last bit but one.
                assert!((rate - expected).abs() <= 1e-15 * expected, "{args}: {rates:?}");
            }
            checked += 1;
        }
    }
    assert_eq!(checked, 9);
}

/// By the text of PyTorch's `step`.
#[test]
fn nan_is_no_gain_and_the_lowest_rate_is_the_last() {
    let plateau = Plateau { min_lr: 0.3, cooldown: 2, ..PLATEAU };
    let figures = [1.0, 1.0, 1.0, 1.0, f64::NAN, 1.0, 1.0, 1.0, 1.0];
    let expected = [1.0, 0.5, 0.5, 0.5, 0.3, 0.3, 0.3, 0.3, 0.3];
    assert_eq!(after(falling(1.0, plateau), &figures), expected);
}

#[test]
fn a_checkpoint_says_no_impossible_rate() {
    let mut metadata = Metadata::new();
    falling(0.2, PLATEAU).add_to(&mut metadata);
    assert_eq!(falling(0.3, PLATEAU).take(&metadata), Some(()));
    assert_eq!(falling(0.1, PLATEAU).take(&metadata), None);
    metadata.insert("plateau_0".into(), "1 2 3".into());
    assert_eq!(falling(0.3, PLATEAU).take(&metadata), None);
    assert_eq!(falling(0.3, PLATEAU).take(&Metadata::new()), None);
}
