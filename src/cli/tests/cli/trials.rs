//! Several trainings at once: each is the one that the command makes alone.

use crate::common::{Done, Folder, model};
use pretty_assertions::assert_eq;
use serde_json::Value;

fn lines(done: &Done) -> Vec<Value> {
    done.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Iris with a constant for its width, and its rows.
fn folder(test: &str) -> Folder {
    let folder = Folder::new(test);
    let text = std::fs::read_to_string(model("iris.net")).unwrap().replacen("16", "H", 1);
    folder.write("iris.net", format!("const H = 16\n{text}"));
    folder.write("iris.csv", std::fs::read(model("iris.csv")).unwrap());
    folder
}

#[test]
fn each_training_of_a_sweep_is_the_one_alone() {
    let folder = folder("sweep");
    let sweep = "train iris.net --json -q --sweep H=4,16 --sweep lr=0.02,1e30,0.1 \
                 --sweep epochs=20 --seeds 2";
    let done = folder.ok(&format!("{sweep} --threads 2"));
    let mut all = lines(&done);
    let end = all.pop().unwrap();
    assert_eq!(all.len(), 12);
    let mut best: Option<(f64, f64)> = None;
    for line in &all {
        let (set, seed) = (&line["set"], &line["seed"]);
        let args = format!(
            "--set H={} --lr {} --seed {seed} --epochs {}",
            set["H"], set["lr"], set["epochs"]
        );
        let alone = folder.run(&format!("train iris.net --json -q {args} --out alone"));
        if line["loss"].is_null() {
            assert_eq!(alone.code, 4, "{args}");
            continue;
        }
        let alone = lines(&alone).pop().unwrap();
        assert_eq!(
            (&line["loss"], &line["metrics"]),
            (&alone["loss"], &alone["metrics"]),
            "{args}"
        );
        let figure = |value: &Value| value.as_f64().unwrap();
        let order = (-figure(&line["metrics"]["accuracy"]), figure(&line["loss"]));
        if best.is_none_or(|best| order < best) {
            best = Some(order);
            folder.write("expected", folder.read("alone"));
        }
    }
    assert_eq!(folder.read("iris.safetensors"), folder.read("expected"), "the best is saved");
    // The settings are sorted, each with its mean and its deviation.
    let settings = end["settings"].as_array().unwrap();
    assert_eq!(settings.len(), 6);
    let accuracy = |of: &Value| of["metrics"]["accuracy"]["mean"].as_f64();
    let means: Vec<Option<f64>> = settings.iter().map(accuracy).collect();
    assert!(means[..4].is_sorted_by(|a, b| a >= b) && means[4..] == [None, None], "{means:?}");
    for setting in settings {
        let own = all.iter().filter(|line| line["set"] == setting["set"]);
        let losses: Vec<f64> = own.filter_map(|line| line["loss"].as_f64()).collect();
        if let [a, b] = losses[..] {
            let deviation = (a - b).abs() / 2_f64.sqrt();
            let close = |key: &str, value: f64| {
                (setting["loss"][key].as_f64().unwrap() - value).abs() < 1e-12
            };
            assert!(close("mean", (a + b) / 2.0) && close("deviation", deviation), "{setting}");
        }
    }
    // Threads change nothing.
    let one = folder.ok(&format!("{sweep} --threads 1 --out one"));
    let one = lines(&one).pop().unwrap();
    assert_eq!((&one["settings"], &one["best"]), (&end["settings"], &end["best"]));
    assert_eq!(folder.read("one"), folder.read("iris.safetensors"));
}

#[test]
fn folds_measure_and_leave_no_weights() {
    let folder = folder("folds");
    let done = folder.ok("train iris.net --epochs 30 --folds 5 --threads 1");
    let [head, line, weights] = done.out.lines().collect::<Vec<_>>()[..] else {
        panic!("{}", done.out)
    };
    assert_eq!(
        head.split_whitespace().collect::<Vec<_>>(),
        ["accuracy", "loss", "epochs", "trainings"]
    );
    assert!(line.contains("% ± ") && line.ends_with("30          5"), "{line}");
    assert_eq!(weights, "weights: none, each training left out a part of the rows");
    assert!(done.err.starts_with("iris.net: 5 trainings on 1 thread\nseed 0  fold 0  accuracy "));
    assert!(!folder.has("iris.safetensors"));
}

#[test]
fn mistakes_are_told_before_anything_is_trained() {
    let folder = folder("trials");
    folder.fails(
        "train iris.net --sweep lr=0.1,-1",
        2,
        "error: --sweep lr: the learning rate must be from 0 to 3.4028235e38, not -1",
    );
    folder.fails(
        "train iris.net --sweep batch=1.5",
        2,
        "error: --sweep batch: 1.5 is no whole number from 1",
    );
    folder.fails(
        "train iris.net --sweep H=1,2 --sweep H=3",
        2,
        "error: --sweep H is given twice\nhelp: give all values at once: --sweep H=1,2,3",
    );
    folder.fails(
        "train iris.net --sweep H=1,2 --seeds 10000 --folds 10",
        2,
        "error: these are more than 100000 trainings",
    );
    folder.fails("train iris.net -q --folds 200", 2, "error: 150 rows are too few for 200 folds");
    let unknown = folder.run("train iris.net --sweep Q=1,2");
    assert_eq!(unknown.code, 1);
    assert!(unknown.err.contains("the file has no constant `Q` to set"), "{}", unknown.err);
    for args in ["--sweep lr=", "--sweep =1", "--sweep lr=0.1,x", "--seeds 1", "--folds 2 --out w"]
    {
        assert_eq!(folder.run(&format!("train iris.net {args}")).code, 2, "{args}");
    }
}
