//! What `arenet eval` shows of classes, beside scikit-learn, and in how many columns.

use crate::common::Folder;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

/// A net whose outputs are its inputs, trained in no step that changes it.
fn identity(width: usize, target: &str, loss: &str) -> String {
    format!(
        "net n {{ input x: [N, {width}]  output y = x + dense(x, {width}, init: zeros) }}
         train {{ target t: {target}  loss = {loss}(y, t)  metric accuracy(y, t)
             optimizer = sgd(lr: 0)  epochs = 1 }}"
    )
}

/// A folder with such a net, whose outputs for these rows are the scores.
fn evaluated(test: &str, net: &str, scores: &[Vec<f64>], t: &[String]) -> Folder {
    let folder = Folder::new(test);
    folder.write("n.net", net);
    let row = |(scores, t): (&Vec<f64>, &String)| {
        let scores: Vec<String> = scores.iter().map(f64::to_string).collect();
        format!("{},{t}\n", scores.join(","))
    };
    folder.write("n.csv", scores.iter().zip(t).map(row).collect::<String>());
    folder.ok("train n.net -q");
    folder
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn words(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(Value::to_string).collect()
}

#[track_caller]
fn is_near(found: &Value, expected: &Value) {
    let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
    assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
}

fn classes(folder: &Folder) -> Value {
    let line = folder.ok("eval n.net --json --full").out;
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["classes"].as_array().unwrap().len(), 1);
    line["classes"][0].clone()
}

fn reference() -> Value {
    let text = include_str!("../../../../tests/reference/classes.json");
    serde_json::from_str(text).unwrap()
}

#[test]
fn figures_of_classes_are_those_of_sklearn() {
    for (at, case) in reference()["classes"].as_array().unwrap().iter().enumerate() {
        let scores: Vec<Vec<f64>> =
            case["scores"].as_array().unwrap().iter().map(numbers).collect();
        let count = scores[0].len();
        let net = identity(count, &format!("i32[N] in 0..{count}"), "cross_entropy");
        let folder = evaluated(&format!("eval-classes-{at}"), &net, &scores, &words(&case["t"]));
        let found = classes(&folder);
        for name in ["precision", "recall", "f1"] {
            for (class, expected) in case["classes"][name].as_array().unwrap().iter().enumerate() {
                is_near(&found["figures"][class][name], expected);
            }
            is_near(&found["macro"][name], &case["macro"][name]);
            is_near(&found["weighted"][name], &case["weighted"][name]);
        }
        let mut counts = vec![vec![0; count]; count];
        for count in found["counts"].as_array().unwrap() {
            let [truth, class] = ["class", "found"]
                .map(|name| count[name].as_str().unwrap().parse::<usize>().unwrap());
            counts[truth][class] = count["rows"].as_u64().unwrap();
        }
        assert_eq!(json!(counts), case["counts"]);
        assert_eq!(found["auc"], Value::Null);
    }
}

#[test]
fn curves_and_thresholds_are_those_of_sklearn() {
    for (at, case) in reference()["shares"].as_array().unwrap().iter().enumerate() {
        let scores: Vec<Vec<f64>> =
            numbers(&case["scores"]).into_iter().map(|score| vec![score]).collect();
        let net = identity(1, "[N, 1]", "bce");
        let folder = evaluated(&format!("eval-shares-{at}"), &net, &scores, &words(&case["t"]));
        let found = classes(&folder);
        assert_eq!(found["positive"], "1");
        is_near(&found["auc"], &case["auc"]);
        is_near(&found["average_precision"], &case["average_precision"]);
        is_near(&found["best_f1"]["f1"], &case["best_f1"]["f1"]);
        let [threshold, expected] =
            [&found, case].map(|all| all["best_f1"]["threshold"].as_f64().unwrap() as f32);
        assert_eq!(threshold, expected);
        for (found, expected) in found["thresholds"]
            .as_array()
            .unwrap()
            .iter()
            .zip(case["thresholds"].as_array().unwrap())
        {
            for name in ["threshold", "precision", "recall", "f1"] {
                is_near(&found[name], &expected[name]);
            }
        }
        for curve in ["roc", "precision_recall"] {
            let [found, expected] = [&found, case].map(|all| all[curve].as_array().unwrap());
            assert_eq!(found.len(), expected.len(), "{curve}");
            for (found, expected) in found.iter().zip(expected) {
                is_near(&found[0], &expected[0]);
                is_near(&found[1], &expected[1]);
            }
        }
        // The threshold of the best F1, as it is shown, finds the rows that it finds exactly.
        let text = folder.ok("eval n.net --full").out;
        let shown = text.lines().find_map(|line| line.split_once(", best F1")).unwrap().0;
        let predicted = folder.ok(&format!("predict n.net --threshold {shown} --only t")).out;
        let exact = folder.ok(&format!("predict n.net --threshold {expected} --only t")).out;
        assert_eq!(predicted.matches("\n1,").count(), exact.matches("\n1,").count());
        assert!(shown.len() <= 8, "{shown}");
    }
}

/// Four rows, by hand: from 0.8 on both rows of `yes` are found and none of `no`.
#[test]
fn everything_is_shown_of_two_classes() {
    let net = "net n { input x: [N, 2]  output y = x + dense(x, 2, init: zeros) }
        train { target t: i32[N] in [\"no\", \"yes\"]  loss = cross_entropy(y, t)
            optimizer = sgd(lr: 0)  epochs = 1 }";
    let logit = |p: f64| vec![0.0, (p / (1.0 - p)).ln()];
    let scores = [0.95, 0.8, 0.6, 0.2].map(logit);
    let t = ["yes", "yes", "no", "no"].map(String::from);
    let folder = evaluated("eval-full", net, &scores, &t);
    let table = "\
t         precision  recall     F1  rows
no           100.0%   50.0%  66.7%     2
yes           66.7%  100.0%  80.0%     2
macro         83.3%   75.0%  73.3%     4
weighted      83.3%   75.0%  73.3%     4

";
    let figures = "loss 0.3535 on 4 rows\n";
    assert_eq!(folder.ok("eval n.net").out, format!("{table}{figures}"));
    assert_eq!(folder.ok("eval n.net -q").out, figures);
    let line = "─".repeat(33);
    let full = format!(
        "{table}\
t, found:  no  yes
no          1    1
yes         0    2

yes from      precision  recall      F1
0.1               50.0%  100.0%   66.7%
0.25              66.7%  100.0%   80.0%
0.5               66.7%  100.0%   80.0%
0.75             100.0%  100.0%  100.0%
0.8, best F1     100.0%  100.0%  100.0%
0.9              100.0%   50.0%   66.7%

ROC, area 1.0000                        precision, average 1.0000
1 ┤⡏⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉    1 ┤⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⢹
  │⡇                                      │                                ⢸
  │⡇                                      │                                ⢸
  │⡇                                      │                                ⢸
  │⡇                                      │                                ⢸
  │⡇                                      │
  │⡇                                      │
  │⡇                                      │
  │⡇                                      │
0 ┤⡇                                    0 ┤
  └{line}      └{line}
   0        false positives        1       0            recall             1

{figures}"
    );
    assert_eq!(folder.ok("eval n.net --full").out, full);
    let drawn = folder.ok("eval n.net -q --curves c.svg");
    assert_eq!(drawn.out, format!("{figures}curves: c.svg\n"));
    let drawing = folder.text("c.svg");
    let drawing = roxmltree::Document::parse(&drawing).unwrap();
    let titles = drawing.descendants().filter(|node| node.attribute("class") == Some("title"));
    let titles: Vec<&str> = titles.filter_map(|node| node.text()).collect();
    assert_eq!(titles, ["ROC of t yes", "Precision by recall of t yes"]);
}

#[test]
fn many_classes_are_shown_on_request() {
    let row = |row| (0..21).map(|class| f64::from(class == row * 2 / 3 % 21)).collect();
    let scores: Vec<Vec<f64>> = (0..42).map(row).collect();
    let t: Vec<String> = (0..42).map(|row| (row / 2).to_string()).collect();
    let net = identity(21, "i32[N] in 0..21", "cross_entropy");
    let folder = evaluated("eval-many", &net, &scores, &t);
    assert_eq!(folder.ok("eval n.net").out.lines().count(), 1);
    let full = folder.ok("eval n.net --full").out;
    assert!(full.lines().all(|line| line.chars().count() <= 80), "{full}");
    assert_eq!(full.lines().filter(|line| line.starts_with("20 ")).count(), 1);
    assert!(full.contains("\nt   found to be  rows\n"), "{full}");
    assert!(full.contains(" pairs confused less often\n"), "{full}");
}

#[test]
fn curves_are_of_two_classes_and_replace_nothing() {
    let net = identity(3, "i32[N] in 0..3", "cross_entropy");
    let t = ["0", "1", "2"].map(String::from);
    let scores = [vec![1.0, 0.0, 0.0], vec![0.0, 1.0, 0.0], vec![0.0, 0.0, 1.0]];
    let folder = evaluated("eval-curves", &net, &scores, &t);
    folder.fails(
        "eval n.net --curves c.svg",
        2,
        "error: n.net: --curves is for two classes, and no output says their probabilities\n\
         help: leave --curves out; --full shows the confusion matrix of classes",
    );
    folder.write("two.net", identity(1, "[N, 1]", "bce"));
    folder.write("two.csv", "0.5,1\n0.2,0\n");
    folder.ok("train two.net -q");
    let check = |out: &str, code: i32, told: &str| {
        let done = folder.run(&format!("eval two.net -q --curves {out}"));
        assert_eq!(done.code, code);
        assert!(done.err.starts_with(&format!("error: {out}: {told}")), "{}", done.err);
    };
    check("two.net", 2, "would replace the model that the command reads");
    check("two.csv", 2, "would replace the data that the command reads");
    check("two.safetensors", 2, "would replace the weights that the command reads");
    check("/dev/stdout", 2, "standard output has the results");
    check("none/c.svg", 3, "cannot be written: ");
}
