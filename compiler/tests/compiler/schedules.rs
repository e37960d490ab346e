//! Schedules beside PyTorch's own rates, step by step.

use crate::common::oracle::lowered;
use crate::optimizer::one_cycle;
use arenet_program::{HostInput, HostNumber, Schedule};
use serde_json::Value;

/// The schedule of a learning rate as it is written in the language.
fn schedule(lr: &str) -> Schedule {
    let model = lowered(&format!(
        "net a {{ input x: [N, 1]  output y = x |> dense(1) }}
         train {{ target t: [N, 1]  loss = mse(y, t)  optimizer = sgd(lr: {lr}) }}"
    ));
    model.training.unwrap().schedules.swap_remove(0)
}

/// Its rate in a unit of a run of `total` units.
fn rate(schedule: &Schedule, t: u64, total: u64) -> f64 {
    value(&schedule.rate, schedule, t, total)
}

/// A number of a schedule in a unit of a run of `total` units.
fn value(number: &HostNumber, schedule: &Schedule, t: u64, total: u64) -> f64 {
    number.value(|input| match input {
        HostInput::Base => schedule.base,
        HostInput::Step | HostInput::Epoch => t as f64,
        HostInput::Steps | HostInput::Epochs => total as f64,
        input => panic!("a schedule reads {input:?}"),
    })
}

/// The cases of a file of reference values.
fn cases(name: &str) -> Vec<Value> {
    let path = format!("{}/../tests/reference/{name}", env!("CARGO_MANIFEST_DIR"));
    let reference: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    reference["cases"].as_array().unwrap().clone()
}

/// PyTorch's half wave turns back at its end, where this one stays.
#[test]
fn rates_are_those_of_pytorch() {
    let mut checked = 0;
    for case in &cases("schedules.json") {
        let arg = |name: &str| case["args"][name].as_f64().unwrap();
        let base = case["base_lr"].as_f64().unwrap();
        let (lr, last) = match case["schedule"].as_str().unwrap() {
            "step" => {
                (format!("step({base}, every: {}, by: {})", arg("step_size"), arg("gamma")), None)
            }
            "exponential" => (format!("exponential({base}, by: {})", arg("gamma")), None),
            "cosine" => {
                let (over, to) = (arg("T_max"), arg("eta_min"));
                (format!("cosine({base}, to: {to}, over: {over})"), Some(over as u64))
            }
            "polynomial" => {
                let (over, power) = (arg("total_iters"), arg("power"));
                (format!("polynomial({base}, power: {power}, over: {over})"), None)
            }
            "multistep" => {
                let at = &case["args"]["milestones"];
                (format!("multistep({base}, at: {at}, by: {})", arg("gamma")), None)
            }
            "linear" => {
                let [from, to] = ["start_factor", "end_factor"].map(|name| base * arg(name));
                (format!("linear({from}, to: {to}, over: {})", arg("total_iters")), None)
            }
            "constant" => {
                let (by, over) = (arg("factor"), arg("total_iters"));
                (format!("constant({base}, by: {by}, over: {over})"), None)
            }
            "cosine_restarts" => {
                let (every, growth, to) = (arg("T_0"), arg("T_mult"), arg("eta_min"));
                let settings = format!("every: {every}, growth: {growth}, to: {to}");
                (format!("cosine_restarts({base}, {settings})"), None)
            }
            "one_cycle" => {
                let (top, over) = (arg("max_lr"), arg("total_steps"));
                (format!("one_cycle({top}, over: {over}, cycle_momentum: false)"), None)
            }
            _ => continue,
        };
        for per in ["step", "epoch"] {
            let schedule = schedule(&format!("{}, per: {per})", &lr[..lr.len() - 1]));
            for (t, expected) in (0..).zip(case["lr"].as_array().unwrap()) {
                if last.is_some_and(|last| t > last) {
                    break;
                }
                let (found, expected) = (rate(&schedule, t, 1_000_000), expected.as_f64().unwrap());
                let close = (found - expected).abs() <= 1e-12 * expected;
                assert!(close, "{lr} at {t}: {found} against {expected}");
            }
        }
        checked += 1;
    }
    assert_eq!(checked, 9);
}

#[test]
fn one_cycle_moves_rate_and_momentum_as_pytorch_does() {
    for case in cases("one_cycle.json") {
        let lr = one_cycle(&case);
        let schedule = schedule(&lr);
        let moves = case["cycle"]["cycle_momentum"] != false;
        assert_eq!(schedule.momentum.is_some(), moves, "{lr}");
        let momentum = schedule.momentum.iter().map(|momentum| ("momentum", momentum));
        for (what, number) in [("lr", &schedule.rate)].into_iter().chain(momentum) {
            for (t, expected) in (0..).zip(case[what].as_array().unwrap()) {
                let found = value(number, &schedule, t, 12);
                let expected = expected.as_f64().unwrap();
                let close = (found - expected).abs() <= 1e-12 * schedule.base.max(expected);
                assert!(close, "{what} of {lr} at {t}: {found} against {expected}");
            }
        }
    }
}

#[test]
fn a_momentum_waits_for_the_end_of_a_warm_up() {
    let schedule = schedule("one_cycle(1, warmup: 4, over: 10, base_momentum: 0.5)");
    let momentum = schedule.momentum.as_ref().unwrap();
    let momenta = [0, 3, 4, 6, 13, 20].map(|t| value(momentum, &schedule, t, 20));
    assert_eq!(momenta, [0.95, 0.95, 0.95, 0.5, 0.95, 0.95]);
}

#[test]
fn a_warm_up_comes_before_the_schedule() {
    let schedule = schedule("step(1, every: 2, by: 0.5, warmup: 4)");
    let rates: Vec<f64> = (0..9).map(|t| rate(&schedule, t, 9)).collect();
    assert_eq!(rates, [0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 0.5, 0.5, 0.25]);
}

#[test]
fn a_half_wave_without_a_length_spans_the_run() {
    let schedule = schedule("cosine(1, to: 0.5, warmup: 2)");
    let rates = [1, 2, 6, 10, 11].map(|t| rate(&schedule, t, 10));
    assert_eq!(rates, [1.0, 1.0, 0.75, 0.5, 0.5]);
    assert_eq!(rate(&schedule, 5, 2), 0.5, "a run of the warm-up alone");
}

/// PolynomialLR(total_iters=12) of PyTorch 2.15, beside one that spans the rest of the run.
#[test]
fn a_power_need_not_be_whole() {
    let expected = [
        0.1,
        0.08625006806803107,
        0.07334860891939295,
        0.061320282613275996,
        0.050193197131415804,
        0.03999986722536383,
        0.030778610333622898,
        0.022575682524432917,
        0.015448768559065658,
        0.009473228540689984,
        0.004754916276138066,
        0.00146349715232255,
        0.0,
        0.0,
    ];
    for (lr, after) in [("over: 12", 0), ("warmup: 3", 3)] {
        let schedule = schedule(&format!("polynomial(0.1, power: 1.7, {lr})"));
        for (t, expected) in (after..).zip(expected) {
            let found = rate(&schedule, t, 15);
            let close = (found - expected).abs() <= 1e-13 * expected;
            assert!(close, "{lr} at {t}: {found} against {expected}");
        }
    }
}
