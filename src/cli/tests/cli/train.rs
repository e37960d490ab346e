//! `arenet train`: what is learned, said and saved.

use crate::common::{Folder, model};
use pretty_assertions::assert_eq;
use serde_json::Value;

/// The last figures of a training with these arguments.
fn train(folder: &Folder, args: &str) -> Value {
    let out = folder.ok(&format!("train {args} --json -q")).out;
    serde_json::from_str(out.lines().last().unwrap()).unwrap()
}

#[test]
fn the_models_learn() {
    let folder = Folder::new("models");
    let check = |name: &str, metric: &str, good: fn(f64) -> bool| {
        let path = model(&format!("{name}.net"));
        for seed in 0..2 {
            let done = train(&folder, &format!("{path} --seed {seed}"));
            let value = done["metrics"][metric].as_f64().unwrap();
            assert!(good(value), "{name} with seed {seed}: {metric} {value}");
        }
    };
    check("seed", "accuracy", |share| share == 1.0);
    check("xor", "accuracy", |share| share == 1.0);
    check("iris", "accuracy", |share| share >= 0.93);
    check("digits", "accuracy", |share| share >= 0.96);
    check("regression", "rmse", |error| error < 0.07);
}

#[test]
fn json_lines_hold_every_figure() {
    let folder = Folder::new("json");
    let done = folder.ok(&format!("train {} --json --epochs 3", model("iris.net")));
    let lines: Vec<Value> =
        done.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [first, _, third, last] = &lines[..] else { panic!("{}", done.out) };
    let keys = [
        "epoch",
        "step",
        "loss",
        "valid_loss",
        "metrics",
        "best",
        "lr",
        "seconds",
        "rows_per_second",
    ];
    let object = first.as_object().unwrap();
    assert!(object.len() == keys.len() && keys.iter().all(|key| object.contains_key(*key)));
    assert_eq!((&third["epoch"], &third["step"]), (&3.into(), &24.into()));
    for key in ["loss", "valid_loss", "lr", "seconds", "rows_per_second"] {
        assert!(third[key].is_f64(), "{key} of {third}");
    }
    assert!(third["metrics"]["accuracy"].is_f64());
    assert_eq!(last["done"], true);
    assert_eq!((&last["epochs"], &last["steps"]), (&3.into(), &24.into()));
    assert_eq!(last["weights"], "iris.safetensors");
    assert_eq!(last["metrics"], third["metrics"]);
    assert_eq!(last["loss"], third["valid_loss"]);
    assert_eq!((&last["best"], last.as_object().unwrap().len()), (&Value::Null, 12));
    // Nothing is watched, so that epoch is the best whose rows held out have the least loss.
    let (best, last_epoch) = (&last["best_epoch"], &last["last_epoch"]);
    assert_eq!((&last_epoch["loss"], &last_epoch["epoch"]), (&third["loss"], &3.into()));
    assert!(best["valid_loss"].as_f64() <= last_epoch["valid_loss"].as_f64());
    assert!(last["seconds"].as_f64() > Some(0.0) && last["rows_per_second"].as_f64() > Some(0.0));
    let file = &last["files"][0];
    assert_eq!((&file["what"], &file["path"]), (&"weights".into(), &last["weights"]));
    assert_eq!(file["replaced"], false);

    let small = Folder::small("json-small");
    let out = small.ok("train small.net --json -q --epochs 1").out;
    let first: Value = serde_json::from_str(out.lines().next().unwrap()).unwrap();
    assert_eq!(first["valid_loss"], Value::Null);
}

#[test]
fn a_run_that_stops_early_saves_its_best_weights() {
    let folder = Folder::new("early");
    let text = std::fs::read_to_string(model("iris.net")).unwrap();
    let watched = "validate = 3  stop = early_stop(patience: 4)  epochs";
    folder.write("iris.net", text.replacen("epochs", watched, 1));
    let data = format!("--data {}", model("iris.csv"));
    let json = folder.ok(&format!("train iris.net {data} --json -q --epochs 300"));
    let lines: Vec<Value> =
        json.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = lines.last().unwrap();
    assert!(last["epochs"].as_u64().unwrap() < 300, "{last}");
    // The figures are those of the best weights, which are saved.
    assert_eq!(last["best"]["figure"], last["loss"]);
    let losses = lines[..lines.len() - 1].iter().map(|line| line["valid_loss"].as_f64().unwrap());
    assert_eq!(losses.fold(f64::INFINITY, f64::min), last["loss"].as_f64().unwrap());
    let epoch = last["best"]["epoch"].as_u64().unwrap();

    let told = folder.ok(&format!("train iris.net {data} -v --epochs 300 --out told.safetensors"));
    // The table has the figures of the weights that are saved.
    let best = told.err.lines().find(|line| line.starts_with("best ")).unwrap();
    let best: Vec<&str> = best.split_whitespace().collect();
    assert_eq!(best[1].parse::<u64>().unwrap(), epoch);
    assert!(told.out.contains(&format!("loss {} on 30", best[3])), "{best:?} {}", told.out);
    let weights = format!("weights: told.safetensors, the best, of epoch {epoch}\n");
    assert!(told.out.ends_with(&weights), "{}", told.out);
    assert!(told.err.contains("\nepoch 1 step 3  held out "), "{}", told.err);
    assert_eq!(folder.read("told.safetensors"), folder.read("iris.safetensors"));

    folder.write(
        "none.net",
        text.replacen("epochs", watched, 1).replacen("valid =", "// valid =", 1),
    );
    folder.fails(
        &format!("train none.net {data}"),
        2,
        "error: `stop` and `keep = best` look at held-out rows, and there are none: hold some out, \
         such as by `valid = 0.2` in the `train` section",
    );
}

#[test]
fn results_go_to_stdout_and_progress_to_stderr() {
    let folder = Folder::small("streams");
    let done = folder.ok("train small.net --threads 1");
    let lines: Vec<&str> = done.out.lines().collect();
    assert!(lines[0].starts_with("accuracy "), "{}", done.out);
    assert!(lines[0].ends_with(" on the 4 rows trained on"), "{}", done.out);
    assert_eq!(lines[1..], ["weights: small.safetensors"]);
    let lines: Vec<&str> = done.err.lines().collect();
    assert!(lines[0].starts_with("small: 17 parameters, arena "), "{}", done.err);
    assert!(lines[0].ends_with(", 1 thread"), "{}", done.err);
    assert_eq!(lines[1], "small.csv: 4 rows to train on");
    assert_eq!(lines.len(), 2 + 3 + 4);
    assert!(lines[2].starts_with("epoch 1/3  loss "), "{}", done.err);
    assert_eq!(lines[5], "      epoch    loss  accuracy");
    assert!(lines[6].starts_with("last      3  "), "{}", done.err);
    assert!(lines[7].ends_with(" rows/s"), "{}", done.err);
    assert_eq!(lines[8], "wrote small.safetensors");
    let done = folder.ok("train small.net --checkpoint c --report r.html");
    let wrote = "\nwrote c, small.safetensors (replaced), r.html\n";
    assert!(done.err.ends_with(wrote), "{}", done.err);

    assert_eq!(folder.ok("train small.net -q").err, "");
    let epochs = |args: &str| {
        let done = folder.ok(&format!("train small.net {args}"));
        done.err.lines().filter(|line| line.starts_with("epoch ")).count()
    };
    assert_eq!(epochs("--epochs 20"), 20);
    assert_eq!(epochs("--epochs 1000"), 20);
    assert_eq!(epochs("--epochs 101 -v"), 101);
    let done = folder.ok("train small.net --seed 7 -v");
    let settings = "settings: 3 epochs, 2 steps each, shuffled, seed 7\n";
    assert!(done.err.contains(settings), "{}", done.err);
    let done = folder.ok("eval small.net -v");
    let files = "data: small.csv, 4 rows\n";
    assert!(done.err.starts_with("model: small.net, net small, 17 parameters, "), "{}", done.err);
    assert!(done.err.contains("weights: small.safetensors, 4 tensors\n"), "{}", done.err);
    assert!(done.err.contains(files), "{}", done.err);
    assert!((11..=21).contains(&epochs("--epochs 101")));
}

#[test]
fn live_needs_a_terminal_and_to_be_built() {
    let folder = Folder::small("live");
    let told = match cfg!(feature = "live") {
        true => {
            "error: --live: standard error is no terminal\n\
             help: leave --live out; --log-dir lets TensorBoard follow the run, and --report draws \
             its curves at the end"
        }
        false => {
            "error: --live: this program was built without it\n\
             help: install it by: cargo install --path src/cli --features live"
        }
    };
    folder.fails("train small.net --live", 2, told);
    let done = folder.run("train small.net --live --json");
    assert!(done.code == 2 && done.err.contains("cannot be used with '--json'"), "{}", done.err);
}

#[test]
fn the_same_seed_gives_the_same_weights() {
    let folder = Folder::small("seeds");
    for (out, options) in
        [("a", "--seed 1"), ("b", "--seed 1"), ("c", "--seed 2"), ("d", "--seed 1 --no-shuffle")]
    {
        folder.ok(&format!("train small.net -q --epochs 20 {options} --out {out}"));
    }
    assert_eq!(folder.read("a"), folder.read("b"));
    assert_ne!(folder.read("a"), folder.read("c"));
    assert_ne!(folder.read("a"), folder.read("d"));
}

#[test]
fn rows_to_validate_on_can_be_given() {
    let folder = Folder::small("valid");
    folder.write("other.csv", "1,1,0\n0,0,0\n");
    let done = folder.ok("train small.net --valid other.csv");
    assert!(done.err.contains("small.csv: 4 rows to train on, 2 held out"), "{}", done.err);
    assert!(done.out.contains(" on 2 held-out rows"), "{}", done.out);
}

#[test]
fn the_rows_of_a_step_can_be_chosen() {
    let folder = Folder::small("batch");
    assert_eq!(train(&folder, "small.net --epochs 1")["steps"], 2);
    assert_eq!(train(&folder, "small.net --epochs 1 --batch 1")["steps"], 4);
    assert_eq!(train(&folder, "small.net --epochs 1 --batch 3")["steps"], 2);
    assert_eq!(train(&folder, "small.net --epochs 1 --batch full")["steps"], 1);
    let xor = model("xor.net");
    assert_eq!(train(&folder, &format!("{xor} --epochs 1"))["steps"], 1);
    assert_eq!(train(&folder, &format!("{xor} --epochs 1 --batch 1"))["steps"], 4);
}

#[test]
fn a_full_batch_is_compiled_for_the_rows_there_are() {
    let folder = Folder::small("rows");
    folder.ok("train small.net -q --epochs 1 --out first.safetensors");
    let args = "train small.net -v --epochs 1 --batch full --init first.safetensors";
    let said = folder.ok(args).err;
    let models: Vec<&str> = said.lines().filter(|line| line.starts_with("model: ")).collect();
    assert_eq!(models.len(), 1, "{said}");
    assert!(models[0].contains(", up to 4 rows a step, "), "{said}");
    assert!(said.contains("weights: first.safetensors, 4 tensors\n"), "{said}");
}

#[test]
fn training_starts_from_given_weights() {
    let folder = Folder::small("init");
    let first = train(&folder, "small.net --epochs 300 --out first.safetensors");
    let more = train(&folder, "small.net --epochs 1 --init first.safetensors --lr 1e-6");
    let loss = |done: &Value| done["loss"].as_f64().unwrap();
    assert!((loss(&more) - loss(&first)).abs() < 0.01, "{first} {more}");
}

#[test]
fn a_reader_that_goes_away_ends_no_training() {
    use std::io::{BufRead, BufReader};
    let folder = Folder::small("unread");
    let mut child = folder.spawn("train small.net --json -q --epochs 5000");
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with('{'));
    let done = crate::common::done(child.wait_with_output().unwrap());
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    assert!(folder.has("small.safetensors"));
}
