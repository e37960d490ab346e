//! `arenet predict` and `arenet eval`: rows in, results out.

use std::io::{BufRead, BufReader};

use crate::common::{Folder, SMALL_ROWS, done, model};
use pretty_assertions::assert_eq;
use serde_json::Value;

/// A folder with weights of the small net.
fn trained(test: &str) -> Folder {
    let folder = Folder::small(test);
    folder.ok("train small.net -q --epochs 200");
    folder
}

#[test]
fn predictions_are_written_in_three_forms() {
    let folder = trained("forms");
    let csv = folder.ok("predict small.net").out;
    let values: Vec<f64> = csv.lines().skip(1).map(|line| line.parse().unwrap()).collect();
    assert_eq!(csv.lines().next(), Some("y"));
    assert!(values.iter().zip([0.0, 1.0, 1.0, 0.0]).all(|(y, t)| (y - t).abs() < 0.5), "{csv}");

    let json: Value =
        serde_json::from_str(&folder.ok("predict small.net --format json").out).unwrap();
    let rows: Vec<f64> =
        json.as_array().unwrap().iter().map(|row| row["y"].as_f64().unwrap()).collect();
    assert_eq!(rows.len(), 4);
    assert!(rows.iter().zip(&values).all(|(a, b)| (a - b).abs() < 1e-6));

    folder.ok("predict small.net --format npy --out y.npy");
    assert!(folder.read("y.npy").starts_with(b"\x93NUMPY"));
    folder.ok("predict small.net --out y.csv");
    assert_eq!(folder.text("y.csv"), csv);
    // The ending says the form, where nothing else does.
    for format in ["json", "jsonl", "npy"] {
        folder.ok(&format!("predict small.net --format {format} --out told.txt"));
        folder.ok(&format!("predict small.net -o ending.{format}"));
        assert_eq!(folder.read("told.txt"), folder.read(&format!("ending.{format}")));
    }
    folder.fails(
        "predict small.net --out y.parquet",
        2,
        "error: y.parquet: predictions are not written as parquet\n\
         help: name a file that ends in .csv, .json, .jsonl or .npy",
    );
    assert_eq!(folder.ok("predict small.net --out -").out, csv);
    assert!(!folder.path("-").exists());
}

#[test]
fn words_that_the_net_does_not_know_are_told() {
    let folder = Folder::new("predict-unlisted");
    let net = "net cities { input city: i32[N] in [\"Basel\", \"Bern\"] unknown
        output y = city |> embedding(2) |> dense(1) }
        train { target t: [N, 1]  loss = mse(y, t)  optimizer = sgd(lr: 0.1) }";
    folder.write("cities.net", net);
    folder.write("cities.csv", "city,t\nBern,1\nBasel,2\n");
    assert!(!folder.ok("train cities.net").err.contains("does not know"));
    folder.write("new.csv", format!("city\nbern\n{}Lugano\n", "Bern\n".repeat(600)));
    let told =
        "new.csv: city: 2 words that the net does not know, of which the first is \"bern\"\n";
    assert_eq!(folder.ok("predict cities.net --data new.csv").err, told);
    folder.write("one.csv", "city\nLugano\n\"\"\n");
    let told = "one.csv: city: \"Lugano\" is a word that the net does not know\n";
    assert_eq!(folder.ok("predict cities.net --data one.csv").err, told);
    // Text in another encoding is none.
    folder.write("latin.csv", b"city,t\nGen\xE8ve,1\n");
    for command in ["train", "eval", "predict", "check"] {
        let told = "error: latin.csv:2: column 0 (city): \"Gen\u{FFFD}ve\" is not valid UTF-8\n\
                    help: save the table as UTF-8, such as by iconv -f LATIN1 -t UTF-8 FILE > CSV";
        folder.fails(&format!("{command} cities.net --data latin.csv"), 3, told);
    }
}

#[test]
fn rows_without_a_target_are_counted_by_it() {
    let folder = Folder::new("lacking");
    let rows = "a,b,c,petal_width,species\n1,2,3,0.2,setosa\n1,2,3,,setosa\n1,2,3,,\n";
    folder.write("rows.csv", format!("{rows}{}", "2,3,4,1,virginica\n".repeat(9)));
    let told = "rows.csv: 2 rows without a target left out: 2 without petal_width, 1 without \
                species\n";
    let done = folder.ok(&format!("train {} --data rows.csv", model("heads.net")));
    assert!(done.err.contains(told), "{}", done.err);
}

#[test]
fn classes_are_named() {
    let folder = Folder::new("classes");
    let iris = model("iris.net");
    folder.ok(&format!("train {iris} -q"));
    let out = folder.ok(&format!("predict {iris}")).out;
    let mut lines = out.lines();
    let [logits, probs] = ["logits", "probs"].map(|output| {
        ["setosa", "versicolor", "virginica"].map(|name| format!("{output}.{name}")).join(",")
    });
    let header = format!("{logits},{probs},species,species.probability");
    assert_eq!(lines.next(), Some(&*header));
    let named = lines.filter_map(|line| line.split(',').nth(6));
    let setosas = named.take(50).filter(|name| *name == "setosa").count();
    assert_eq!(setosas, 50);
    let json = folder.ok(&format!("predict {iris} --format json")).out;
    let rows: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(rows[0]["species"], "setosa");
}

#[test]
fn classes_count_from_where_the_domain_begins() {
    let folder = Folder::new("classes-from-1");
    let net = "net kinds { input x: [N, 1]  output logits = x |> dense(8) |> tanh |> dense(3) }
        train { target kind: i32[N] in 1..4  loss = cross_entropy(logits, kind)
            metric accuracy(logits, kind)  optimizer = adam(lr: 0.05)  epochs = 200 }";
    let rows = "x,kind\n-2,1\n-1,1\n0,2\n0.2,2\n1,3\n2,3\n";
    folder.write("kinds.net", net);
    folder.write("kinds.csv", rows);
    folder.ok("train kinds.net -q");
    assert!(folder.ok("eval kinds.net -q").out.starts_with("accuracy 100.0%"));
    folder.ok("compile kinds.net -o kinds.netc");
    for model in ["kinds.net", "kinds.netc"] {
        let out = folder.ok(&format!("predict {model} --data kinds.csv --only kind")).out;
        let kinds: Vec<&str> = out.lines().filter_map(|line| line.split(',').next()).collect();
        assert_eq!(kinds, ["kind", "1", "1", "2", "2", "3", "3"]);
    }
    // What is trained is what counting from 0 trains, to the bit.
    folder.write("zeros.net", net.replace("1..4", "0..3").replace("net kinds", "net zeros"));
    folder.write("zeros.csv", "x,kind\n-2,0\n-1,0\n0,1\n0.2,1\n1,2\n2,2\n");
    folder.ok("train zeros.net -q");
    let weights = |file: &str| folder.text_lossy(file).replace("zeros", "kinds");
    assert_eq!(weights("kinds.safetensors"), weights("zeros.safetensors"));
    folder.write("kinds.csv", format!("{rows}0,4\n"));
    let told = "error: kinds.csv:8: column 1 (kind): 4 is outside 1..4\n\
                help: correct it, or widen the range of kind in the net";
    folder.fails("train kinds.net", 3, told);
}

#[test]
fn rows_come_from_standard_input() {
    let folder = trained("stdin");
    let expected = folder.ok("predict small.net").out;
    let run = |args: &str, rows: &str| folder.fed(args, rows);
    assert_eq!(run("predict small.net --data -", SMALL_ROWS).out, expected);
    let bare = "0,0\n0,1\n1,0\n1,1\n"; // without the targets
    assert_eq!(run("predict small.net --data -", bare).out, expected);
    assert!(
        run("eval small.net -q --data -", SMALL_ROWS).out.starts_with("accuracy 100.0%, loss ")
    );
    let wrong = run("predict small.net --data -", "0,one\n1,1\n");
    assert_eq!(wrong.code, 3);
    let told = "error: standard input:1: column 1 (x.1): \"one\" is not a number\n";
    assert!(wrong.err.starts_with(told), "{}", wrong.err);
    let told = "error: standard input: is empty\nhelp: a table has a line for each row\n";
    assert_eq!(run("predict small.net --data -", "").err, told);
}

#[test]
fn an_evaluation_is_a_line() {
    let folder = trained("eval");
    let text = folder.ok("eval small.net -q").out;
    assert!(
        text.starts_with("accuracy 100.0%, loss 0.") && text.ends_with(" on 4 rows\n"),
        "{text}"
    );
    let line: Value = serde_json::from_str(&folder.ok("eval small.net --json").out).unwrap();
    assert_eq!((&line["rows"], &line["metrics"]["accuracy"]), (&4.into(), &1.0.into()));
    assert!(line["loss"].as_f64().is_some());
}

/// Of a net that always answers `no`.
#[test]
fn an_evaluation_shows_what_was_found_of_each_class() {
    let folder = Folder::new("table");
    let net = "
        net words { input x: [N, 1]  output y = x |> dense(2, init: zeros) }
        train {
            target t: i32[N] in [\"no\", \"yes\"]  loss = cross_entropy(y, t)
            metric confusion_matrix(y, t)  metric recall(y, t, average: none)
            optimizer = sgd(lr: 0)  epochs = 1
        }";
    folder.write("words.net", net);
    folder.write("words.csv", "x,t\n0,no\n1,yes\n2,yes\n");
    let report = folder.ok("train words.net --json").out;
    let epoch: Value = serde_json::from_str(report.lines().next().unwrap()).unwrap();
    assert_eq!(epoch["metrics"], serde_json::json!({ "recall(no)": 1.0, "recall(yes)": 0.0 }));
    let expected = "confusion_matrix, found:  no  yes\n\
                    no                         1    0\n\
                    yes                        2    0\n\
                    recall(no) 100.0%, recall(yes) 0.0%, loss 0.6931 on 3 rows\n";
    assert_eq!(folder.ok("eval words.net -q").out, expected);
    let line: Value = serde_json::from_str(&folder.ok("eval words.net --json").out).unwrap();
    let table = serde_json::json!({ "classes": ["no", "yes"], "counts": [[1, 0], [2, 0]] });
    assert_eq!(line["tables"]["confusion_matrix"], table);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = trained("closed");
    folder.write("many.csv", "0,1\n".repeat(200_000));
    for format in ["csv", "json", "jsonl", "npy"] {
        let mut child =
            folder.spawn(&format!("predict small.net --data many.csv --format {format}"));
        let mut first = Vec::new();
        BufReader::new(child.stdout.take().unwrap()).read_until(b'\n', &mut first).unwrap();
        assert!(!first.is_empty());
        let done = done(child.wait_with_output().unwrap());
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{format}");
    }
}

/// Only what the loss or a metric compares with a target has its classes, and a class that is a
/// number is one.
#[test]
fn an_unrelated_output_has_no_classes() {
    let folder = Folder::new("unrelated");
    let net = |outputs: &str| {
        format!(
            "net m {{ input x: [N, 2]  logits = x |> dense(3)  {outputs} }}\n\
             train {{ target kind: i32[N] in 4..7  loss = cross_entropy(logits, kind)\n\
             optimizer = sgd(lr: 0.1)  epochs = 1 }}"
        )
    };
    folder.write("m.csv", "x.0,x.1,kind\n0,0,4\n1,1,6\n");
    let header = |outputs: &str| {
        folder.write("m.net", net(outputs));
        folder.ok("train m.net -q");
        folder.ok("predict m.net").out.lines().next().unwrap().to_string()
    };
    assert_eq!(header("output a = exp(logits)"), "a.0,a.1,a.2");
    let both = header("output probs = softmax(logits)  output a = x |> dense(3, bias: false)");
    assert_eq!(both, "probs.4,probs.5,probs.6,kind,kind.probability,a.0,a.1,a.2");
    folder.ok("compile m.net");
    for model in ["m.net", "m.netc"] {
        let data = "--data m.csv --weights m.safetensors --format json";
        let json = folder.ok(&format!("predict {model} {data}")).out;
        let rows: Value = serde_json::from_str(&json).unwrap();
        assert!(rows[0]["kind"].as_i64().is_some_and(|kind| (4..7).contains(&kind)), "{json}");
    }
}

#[test]
fn rows_that_training_saw_are_told() {
    let folder = Folder::new("eval-seen");
    let iris = model("iris.net");
    let out = folder.ok(&format!("train {iris} -q")).out;
    let figures = out.lines().next().unwrap().strip_suffix(" on 30 held-out rows").unwrap();
    let done = folder.ok(&format!("eval {iris}"));
    let told = "the weights were trained on 120 rows of it; --held-out evaluates only the other 30";
    assert!(done.err.contains(told), "{done:?}");
    let held_out = folder.ok(&format!("eval {iris} -q --held-out"));
    assert_eq!((held_out.out, held_out.err), (format!("{figures} on 30 rows\n"), String::new()));

    // Other rows, or the same in another order, were not split so.
    let text = std::fs::read_to_string(model("iris.csv")).unwrap();
    folder.write("some.csv", text.lines().take(50).collect::<Vec<_>>().join("\n"));
    assert_eq!(folder.ok(&format!("eval {iris} --data some.csv")).err, "");
    folder.fails(
        &format!("eval {iris} --data some.csv --held-out"),
        3,
        "error: some.csv: iris.safetensors does not say that it was trained on this\n\
         help: without --held-out all rows are evaluated",
    );

    let folder = trained("eval-all-seen");
    let done = folder.ok("eval small.net");
    assert_eq!(done.err, "small.csv: the weights were trained on 4 rows of it\n");
    folder.fails(
        "eval small.net --held-out",
        3,
        "error: small.csv: no rows were held out: all of them were trained on\n\
         help: evaluate on other rows with --data",
    );
}
