//! `arenet predict` from and to pipes: rows are written as they arrive, and any number passes.

use std::io::{BufRead, BufReader, Write};

use crate::common::Folder;
use pretty_assertions::assert_eq;

fn trained(test: &str) -> Folder {
    let folder = Folder::small(test);
    folder.ok("train small.net -q");
    folder
}

#[test]
fn a_row_is_predicted_before_the_next_one_comes() {
    let folder = trained("pipe-rows");
    let whole = folder.ok("predict small.net --format jsonl").out;
    let mut child = folder.piped("predict small.net --data - --format jsonl");
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
    stdin.write_all(b"x.0,x.1\n").unwrap();
    for (row, expected) in ["0,0", "0,1", "1,0", "1,1"].iter().zip(whole.lines()) {
        stdin.write_all(format!("{row}\n").as_bytes()).unwrap();
        assert_eq!(stdout.next().unwrap().unwrap(), expected);
    }
    drop(stdin);
    assert!(stdout.next().is_none() && child.wait().unwrap().success());
}

#[test]
fn a_pipe_gives_what_a_file_gives() {
    let folder = trained("pipe-bits");
    let rows: String = (0..1000).map(|i| format!("{},{}\n", i % 7, i % 5)).collect();
    folder.write("many.csv", &rows);
    for format in ["csv", "json", "jsonl"] {
        let whole = folder.ok(&format!("predict small.net --data many.csv --format {format}")).out;
        let piped = folder.fed(&format!("predict small.net --data - --format {format}"), &rows);
        assert!(piped.out == whole, "{format}");
        folder.ok(&format!("predict small.net --data many.csv --format {format} --out out"));
        assert!(folder.text("out") == whole, "{format}");
    }
    let one = folder.ok("predict small.net --data many.csv -q --threads 1 --isa portable").out;
    assert!(one == folder.ok("predict small.net --data many.csv").out);
}

/// As numbers of 64 bits, the first would lose its last digits, and the second its zero.
#[test]
fn numbers_of_json_are_kept_as_they_are_written() {
    let folder = trained("pipe-numbers");
    let row = |id: &str| format!("{{\"id\": {id}, \"x\": [0, 1]}}\n");
    let rows = ["123456789012345678901234", "1.50", "\"007\"", "null"];
    let text: String = rows.iter().map(|id| row(id)).collect();
    let predict = "predict small.net --data - --keep id";
    let csv = folder.fed(predict, &text).out;
    let ids: Vec<&str> = csv.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(ids, ["123456789012345678901234", "1.50", "007", ""]);
    let json = folder.fed(&format!("{predict} --format jsonl"), &text).out;
    for (line, id) in json.lines().zip(rows) {
        assert!(line.starts_with(&format!("{{\"id\": {id}, ")), "{line}");
    }
}

/// Of a pipe, the rows before a mistake are written. Of a file, nothing is.
#[test]
fn a_mistake_in_a_pipe_comes_after_the_rows_before_it() {
    let folder = trained("pipe-mistake");
    let good = folder.ok("predict small.net").out;
    let rows = "0,0\n0,1\n1,0\n1,1\n0,one\n";
    let done = folder.fed("predict small.net --data -", rows);
    assert_eq!((done.code, done.out), (3, good));
    let told = "standard input:5: column 1 (x.1): \"one\" is not a number";
    assert!(done.err.contains(told), "{}", done.err);
    // An array that is not closed is seen to be no whole one.
    let done = folder.fed("predict small.net --data - --format json", rows);
    assert!(done.out.starts_with("[\n{") && done.out.ends_with('}'), "{}", done.out);
    folder.write("rows.csv", rows);
    folder.write("out.csv", "before");
    for out in ["", " --out out.csv"] {
        let done = folder.run(&format!("predict small.net --data rows.csv{out}"));
        assert_eq!((done.code, done.out.as_str()), (3, ""), "{out}");
        assert!(done.err.contains("rows.csv:5: column 1 (x.1)"), "{}", done.err);
    }
    assert_eq!(folder.text("out.csv"), "before");
}

/// The rows alone take ten times the memory there is.
#[test]
fn a_table_larger_than_memory_passes() {
    let folder = trained("pipe-memory");
    let rows = "0,1,some words to keep\n".repeat(100_000);
    folder.write("many.csv", &rows);
    let args = "--max-memory 300KiB --columns x=0..2 --keep 2";
    let whole = folder.ok(&format!("predict small.net --data many.csv {args}")).out;
    assert_eq!(whole.lines().count(), 100_001);
    let piped = folder.fed(&format!("predict small.net --data - {args}"), &rows);
    assert!(piped.code == 0 && piped.out == whole, "{}", piped.err);
    folder.ok(&format!("predict small.net --data many.csv {args} --out out.csv"));
    assert!(folder.text("out.csv") == whole);
    // npy has its number of rows in front, so they are read before they are written.
    folder.fails(
        "predict small.net --data many.csv --max-memory 300KiB --columns x=0..2 --format npy",
        5,
        "error: many.csv: needs more memory than the limit of 307200 bytes\n\
         help: --max-memory raises the limit; fewer rows take less",
    );
}
