//! Online learning: each row of a stream is tested, learned from and told as it arrives.

use std::io::{BufRead, BufReader, Write};
use std::process::Command;

use crate::common::{Folder, SMALL_ROWS, done, model};
use pretty_assertions::assert_eq;
use serde_json::Value;

/// So many rows of exclusive or, without a header.
fn rows(count: usize) -> String {
    let all: Vec<&str> = SMALL_ROWS.lines().skip(1).collect();
    all.iter().cycle().take(count).map(|row| format!("{row}\n")).collect()
}

fn with_header(rows: &str) -> String {
    format!("{}\n{rows}", SMALL_ROWS.lines().next().unwrap())
}

const ONLINE: &str = "train small.net --online --data - -q";

#[test]
fn a_row_is_learned_from_and_told_before_the_next_one_comes() {
    let folder = Folder::small("online-pipe");
    let mut child = folder.piped(&format!("{ONLINE} --json --report-every 1"));
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut told = || -> Value { serde_json::from_str(&stdout.next().unwrap().unwrap()).unwrap() };
    stdin.write_all(b"x.0,x.1,t\n").unwrap();
    let mut sum = 0.0;
    for (index, row) in rows(10).lines().enumerate() {
        // In two pieces, of which the first is no row.
        stdin.write_all(&row.as_bytes()[..3]).unwrap();
        stdin.write_all(format!("{}\n", &row[3..]).as_bytes()).unwrap();
        let report = told();
        assert_eq!(report["rows"], index + 1);
        assert_eq!((&report["line"], &report["window"]), (&(index + 2).into(), &1.into()));
        sum += report["loss"].as_f64().unwrap();
        let all = report["all"]["loss"].as_f64().unwrap();
        assert!((all - sum / (index + 1) as f64).abs() < 1e-9, "{report}");
    }
    drop(stdin);
    let end = told();
    assert_eq!((&end["done"], &end["rows"]), (&true.into(), &10.into()));
    assert!(child.wait().unwrap().success() && folder.has("small.safetensors"));
}

#[test]
fn reports_are_of_as_many_rows_as_they_are_apart() {
    let folder = Folder::small("online-reports");
    let args = "train small.net --online --data - --report-every 4";
    let done = folder.fed(args, &with_header(&rows(10)));
    let lines: Vec<&str> = done.err.lines().skip(1).collect();
    assert_eq!(lines.len(), 3, "{}", done.err);
    assert!(lines[0].starts_with("rows 4  accuracy ") && !lines[0].contains("all"));
    assert!(lines[1].starts_with("rows 8  accuracy ") && lines[1].contains("  (all: accuracy "));
    assert!(lines[2].starts_with("rows 10  accuracy "), "the rest is told too");
    let (figures, files) =
        done.out.split_once(" on 10 rows, each before it was learned from\n").unwrap();
    assert!(figures.starts_with("accuracy ") && figures.contains("%, loss "), "{figures}");
    assert_eq!(files, "weights: small.safetensors; checkpoint: small.ckpt.safetensors\n");
}

#[test]
fn a_stream_gives_the_weights_of_one_pass_row_by_row() {
    let folder = Folder::small("online-pass");
    folder.write("table.csv", with_header(&rows(50)));
    folder.ok("train small.net -q --online --data table.csv --out online");
    folder.ok("train small.net -q --data table.csv --epochs 1 --batch 1 --no-shuffle --out pass");
    let [online, pass] = ["online", "pass"].map(|weights| {
        folder.ok(&format!("predict small.net --data small.csv --weights {weights}")).out
    });
    assert_eq!(online, pass);
}

#[test]
fn a_stream_goes_on_where_another_one_ended() {
    let folder = Folder::small("online-resume");
    let all = rows(40);
    let straight = folder.fed(&format!("{ONLINE} --out straight"), &with_header(&all));
    assert_eq!(straight.code, 0, "{straight:#?}");
    let (first, rest) = all.split_at(all.len() / 2);
    folder.fed(&format!("{ONLINE} --checkpoint c --out parts"), &with_header(first));
    let resumed = folder.fed("train --resume c", rest);
    assert!(resumed.err.contains("small.net: resumed after 20 rows\n"), "{}", resumed.err);
    assert!(folder.read("parts") == folder.read("straight"));
}

#[test]
fn a_signal_ends_a_stream_that_waits_for_a_row() {
    let folder = Folder::small("online-signal");
    for signal in ["INT", "TERM"] {
        let mut child = folder.piped(&format!("{ONLINE} --json --report-every 3"));
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(with_header(&rows(3)).as_bytes()).unwrap();
        stdin.write_all(b"1,").unwrap(); // the beginning of a row is none
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("\"rows\":3"), "{line}");
        let kill = format!("kill -{signal} {}", child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        let done = done(child.wait_with_output().unwrap());
        drop(stdin);
        assert_eq!(
            (done.code, done.err.as_str()),
            (
                130,
                "interrupted: after 3 rows, at line 4 of standard input; weights: \
                 small.safetensors; checkpoint: small.ckpt.safetensors\n\
                 help: to go on with the rows that follow: arenet train --resume \
                 small.ckpt.safetensors\n"
            )
        );
    }
    let after = folder.fed("train --resume small.ckpt.safetensors -q", &rows(1));
    assert!(after.out.contains(" on 1 row, each before"), "{after:#?}");
}

#[test]
fn a_broken_row_ends_a_stream_with_all_before_it_saved() {
    let folder = Folder::small("online-broken");
    let broken = folder.fed(ONLINE, &with_header("0,1,1\n1,x,1\n1,1,0\n"));
    assert_eq!(
        (broken.code, broken.err.as_str()),
        (
            3,
            "error: standard input:3: column 1 (x.1): \"x\" is not a number\n\
             help: write a number, or remove the row; a port of words lists them in the net: \
             `in [\"a\", \"b\"]`; the net has learned from the 1 row before it; weights: \
             small.safetensors; checkpoint: small.ckpt.safetensors\n"
        )
    );
    folder.fed(&format!("{ONLINE} --out one"), &with_header("0,1,1\n"));
    assert!(folder.read("one") == folder.read("small.safetensors"));

    let first = folder.fed(&format!("{ONLINE} --out none"), &with_header("0,,1\n"));
    assert_eq!(
        (first.code, first.err.as_str(), folder.has("none")),
        (
            3,
            "error: standard input:2: column 1 (x.1): the field is empty\n\
             help: fill in a value, remove the row, or write `missing` behind the type of x in the \
             model\n",
            false
        )
    );
    let none = folder.fed(ONLINE, "x.0,x.1,t\n");
    let told = "error: standard input: has a header but no rows\n\
                help: add rows below it, or say --header no if it is a row itself\n";
    assert_eq!(none.err, told);
}

#[test]
fn rows_without_a_target_are_counted() {
    let folder = Folder::small("online-holes");
    let rows = with_header("0,1,1\n1,0,\n1,1,0\n0,0,?\n");
    let told = folder.fed("train small.net --online --data -", &rows);
    assert!(told.out.contains(" on 2 rows, each before"), "{told:#?}");
    let note = "standard input: 2 rows without a target left out\n";
    assert!(told.err.contains(note), "{told:#?}");
    folder.fed(&format!("{ONLINE} --out whole"), &with_header("0,1,1\n1,1,0\n"));
    assert!(folder.read("whole") == folder.read("small.safetensors"));
}

#[test]
fn a_stream_that_diverges_says_where() {
    let folder = Folder::small("online-diverged");
    folder.write(
        "line.net",
        "net line { input x: [N, 2]  output y = x |> dense(1) }
         train { target t: [N, 1]  loss = mse(y, t)  optimizer = sgd(lr: 1e30) }",
    );
    let args = "train line.net --online --data - -q";
    let done = folder.fed(args, &with_header(&rows(9)));
    assert_eq!(done.code, 4, "{done:#?}");
    assert!(done.err.starts_with("error: training diverged at step "), "{}", done.err);
    assert!(done.err.contains(" of standard input\n"), "{}", done.err);
}

#[test]
fn what_a_stream_has_not_is_refused() {
    let folder = Folder::small("online-refused");
    let several = folder.run(&format!("{ONLINE} --epochs 2 --batch 4 --valid small.csv --seeds 3"));
    assert_eq!(several.code, 2);
    for option in ["--epochs <N>", "--batch <N>", "--valid <FILE>", "--seeds <N>"] {
        assert!(several.err.contains(option), "{}", several.err);
    }
    folder.fails(
        "train small.net --online --data x=a.npy,t=b.npy",
        2,
        "error: a.npy, b.npy: --online reads a table row by row, from one file\n\
         help: name a table, or - for standard input: cat FILE FILE | arenet train ...",
    );
    let refuses = |net: &str, message: &str, line: &str, help: &str| {
        let done = folder.run(&format!("train {net} --online --data small.csv"));
        assert_eq!(done.code, 2);
        let (start, end) = (format!("error[usage]: {message}\n"), format!("= help: {help}\n"));
        assert!(done.err.starts_with(&start) && done.err.ends_with(&end), "{}", done.err);
        assert!(done.err.contains(line), "{}", done.err);
    };
    let small = folder.text("small.net");
    folder.write("epoch.net", small.replace("0.05", "step(0.1, every: 2, by: 0.5, per: epoch)"));
    refuses(
        "epoch.net",
        "a schedule counts epochs, and there are none",
        "step(0.1, every: 2, by: 0.5, per: epoch)",
        "let it count steps, without `per: epoch`",
    );
    refuses(
        &model("iris.net"),
        "a schedule spans the run, which is as long as there are rows for it",
        "iris.net:16:26\n",
        "say how long it is: by `over: 10000`",
    );
    folder.write("held.net", small.replace("epochs = 3", "valid = 0.5  keep = best"));
    let held = folder.ok("train held.net --online --data small.csv");
    assert!(held.err.contains("held.net: no rows of a stream are held out, so `valid`, "));
}

#[test]
fn the_model_of_a_filter_follows_it() {
    let folder = Folder::new("online-adaline");
    let run = format!("train {} --online --report-every 100 --json", model("adaline.net"));
    let done = folder.ok(&run);
    let reports = done.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let rmse: Vec<f64> =
        reports.take(4).map(|report| report["metrics"]["rmse"].as_f64().unwrap()).collect();
    // The noise is 0.02; the filter is another one after 200 rows.
    assert!(rmse[1] < 0.03 && rmse[2] > 0.1 && rmse[3] < 0.03, "{rmse:?}");
}
