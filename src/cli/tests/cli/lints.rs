//! What `check --data` says of a table, and `train` before its first epoch.

use crate::common::{Folder, model};
use pretty_assertions::assert_eq;

const CARS: &str = "net cars {
    input x: [N, 2]
    h = x |> dense(4) |> tanh
    output y = h |> dense(1)
}
train {
    target t: [N, 1]
    loss = mse(y, t)
    optimizer = adam
    epochs = 1
}
";

const WARNING: &str = "warning[unscaled-input]: `x` is not brought to scale before `h`: `mass` \
goes from 1000 to 1390, `doors` from 2 to 5
 --> cars.net:2:11
  |
2 |     input x: [N, 2]
  |           ^
  |
  = help: write `h = x |> standardize |> dense(4) |> tanh`
";

fn cars(test: &str) -> Folder {
    let folder = Folder::new(test);
    folder.write("cars.net", CARS);
    let row = |i: u32| format!("{},{},{}\n", 1000 + 10 * i, 2 + i % 4, i * 7 % 5);
    folder.write("cars.csv", "mass,doors,t\n".to_string() + &(0..40).map(row).collect::<String>());
    folder
}

#[test]
fn a_table_is_checked() {
    let folder = cars("check-data");
    let done = folder.ok("check cars.net --data cars.csv");
    assert_eq!(done.err, WARNING);
    let rows = "cars.csv: 40 rows to train on
  x  mass, doors
  t  t
cars.net: ok, 17 parameters
";
    assert!(done.out.starts_with("  x     f32[N, 2]  input\n"), "{}", done.out);
    assert!(done.out.ends_with(rows), "{}", done.out);
    let quiet = folder.ok("check cars.net --data cars.csv -q");
    assert_eq!((quiet.err.as_str(), quiet.out), ("", done.out));
    let line = folder.ok("check cars.net --data cars.csv --message-format json").err;
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&line["code"], &line["line"]), (&"unscaled-input".into(), &2.into()));

    // Compiled, it has no text to speak of.
    folder.ok("compile cars.net");
    let done = folder.ok("check cars.netc --data cars.csv");
    assert_eq!(done.err, "");
    assert!(done.out.contains("cars.csv: 40 rows to train on\n  x  mass, doors\n"), "{}", done.out);
    // What is not trained takes rows all the same.
    let (net, _) = CARS.split_once("train").unwrap();
    folder.write("plain.net", net);
    let done = folder.ok("check plain.net --data cars.csv --columns x=0..2");
    assert!(
        done.out.ends_with("cars.csv: 40 rows\n  x  mass, doors\nplain.net: ok, 17 parameters\n")
    );
    folder.write("cars.csv", "1,2,3\n4,5,6\n");
    let done = folder.ok("check cars.net --header no");
    assert!(done.out.contains("cars.csv: 2 rows to train on\n  x  2 columns\n  t  1 column\n"));
}

#[test]
fn a_table_that_cannot_be_trained_on_fails_the_check() {
    let folder = cars("check-bad-data");
    let text = folder.text("cars.csv").replace("1010,3,", "1010,three,");
    folder.write("cars.csv", text);
    let told = folder.run("train cars.net").err;
    let done = folder.run("check cars.net --data cars.csv");
    assert_eq!((done.code, done.out.as_str()), (3, ""));
    assert_eq!(done.err, told);
    assert!(told.starts_with("error: cars.csv:3: column 1 (doors): \"three\" is not a number\n"));
    // Rows can be right, and too few to be held out.
    folder.write("cars.net", CARS.replace("epochs = 1", "valid = 0.5, by: last"));
    folder.write("cars.csv", "mass,doors,t\n1,2,3\n");
    let done = folder.run("check cars.net --data cars.csv");
    assert_eq!((done.code, done.out.as_str()), (2, ""), "{}", done.err);
    assert_eq!(done.err, folder.run("train cars.net").err);
    folder.fails("check cars.net --columns x=0..2", 2, done.err.trim_end());
}

#[test]
fn all_words_that_are_no_classes_are_told() {
    let folder = Folder::new("check-words");
    let rows = std::fs::read_to_string(model("iris.csv")).unwrap();
    folder.write("iris.csv", rows.replace("setosa", "Setosa").replacen("virginica", "viola", 1));
    folder.fails(
        &format!("check {} --data iris.csv", model("iris.net")),
        3,
        "error: iris.csv:2: column 4 (species): \"Setosa\" is not a class of the model, and \
         neither is \"viola\"\n\
         help: did you mean \"setosa\" for \"Setosa\"? if they are classes, write \
         `in [\"setosa\", \"versicolor\", \"virginica\", \"viola\"]` in the net",
    );
}

#[test]
fn a_training_begins_with_what_its_rows_say() {
    let folder = cars("lints");
    let done = folder.ok("train cars.net");
    let (before, after) = done.err.split_once(WARNING).unwrap();
    assert!(before.ends_with("cars.csv: 40 rows to train on\n"), "{before}");
    assert!(after.starts_with("epoch 1/1 "), "{after}");
    assert_eq!(folder.ok("train cars.net -q").err, "");
    let json = folder.ok("train cars.net --json");
    assert_eq!(json.out.lines().count(), 2);
    let several = folder.ok("train cars.net --seeds 3");
    assert_eq!(several.err.matches("warning[unscaled-input]").count(), 1);
    // A run that goes on has told it.
    folder.ok("train cars.net --checkpoint run.ckpt");
    let resumed = folder.ok("train cars.net --resume run.ckpt --epochs 2");
    assert!(!resumed.err.contains("unscaled-input"), "{}", resumed.err);
}
