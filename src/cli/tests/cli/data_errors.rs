//! Mistakes in data, weights and other files: exit code 3.

use crate::common::{Folder, SMALL, model};
use pretty_assertions::assert_eq;
use serde_json::Value;

const NO_FILE: &str = "No such file or directory (os error 2)";

#[test]
fn a_missing_table_is_named_with_where_it_was_looked_for() {
    let folder = Folder::new("missing-table");
    folder.write("small.net", SMALL);
    let beside = "error: no data: there is no ./small.csv beside the model\n\
                  help: name a table with --data FILE";
    folder.fails("train ./small.net", 3, beside);
    let named = format!("error: nope.csv: cannot be read: {NO_FILE}");
    folder.fails("train small.net --data nope.csv", 3, &named);
    folder.write("small.csv", "0,0,0\n");
    folder.fails("train small.net --valid nope.csv", 3, &named);
}

#[test]
fn a_word_among_numbers_is_located() {
    let folder = Folder::small("word");
    folder.write("small.csv", "x.0,x.1,t\n0,0,0\n0,one,1\n");
    let text = "small.csv:3: column 1 (x.1): \"one\" is not a number";
    let help = "help: write a number, or remove the row; a port of words lists them in the net: \
                `in [\"a\", \"b\"]`";
    folder.fails("train small.net", 3, &format!("error: {text}\n{help}"));
    let done = folder.run("train small.net --message-format json");
    let line: Value = serde_json::from_str(done.err.trim()).unwrap();
    assert_eq!((&line["code"], &line["severity"]), (&"data".into(), &"error".into()));
    assert_eq!((&line["line"], &line["column"]), (&3.into(), &1.into()));
    assert_eq!(line["message"], text);
}

#[test]
fn labels_are_within_their_domain() {
    let folder = Folder::new("label");
    let digit = format!("{}12\n", "0,".repeat(64));
    folder.write("digits.csv", digit);
    folder.fails(
        &format!("train {} --data digits.csv", model("digits.net")),
        3,
        "error: digits.csv:1: column 64 (label): 12 is outside 0..10\n\
         help: correct it, or widen the range of label in the net",
    );
    folder.write("iris.csv", "5.1,3.5,1.4,0.2,setosa\n5.1,3.5,1.4,0.2,virginia\n");
    folder.fails(
        &format!("train {} --data iris.csv", model("iris.net")),
        3,
        "error: iris.csv:2: column 4 (species): \"virginia\" is not a class of the model\n\
         help: did you mean \"virginica\"?",
    );
}

#[test]
fn targets_of_binary_cross_entropy_are_probabilities() {
    let folder = Folder::small("probability");
    folder.write("small.csv", "0,0,0\n0,1,1\n1,0,-1\n");
    let told = "error: small.csv:3: column 2 (t): -1 is outside 0 to 1\n\
                help: scale the column, or choose another loss";
    folder.fails("train small.net", 3, told);
    folder.ok("compile small.net -o small.netc");
    folder.fails("train small.netc --data small.csv", 3, told);
}

#[test]
fn columns_that_do_not_fit_are_told() {
    let folder = Folder::small("columns");
    folder.write("small.csv", "0,0\n");
    folder.fails(
        "train small.net",
        3,
        "error: small.csv:1: the table has 2 columns, 1 too few for the model (x: 2 columns, \
         t: 1 column)\nhelp: columns are separated by a comma, a semicolon, a tab, a bar or blanks",
    );
    folder.write("small.csv", "9,0,0,0\n9,0,1,1\n9,1,0,1\n9,1,1,0\n");
    folder.ok("train small.net --columns x=1..3,t=3 -q");
    let done = folder.run("train small.net --columns x=1..3,z=3");
    assert_eq!(done.code, 3);
    assert!(done.err.contains("\"z\", which the model does not have"), "{}", done.err);
}

#[test]
fn weights_are_found_and_fit() {
    let folder = Folder::small("weights");
    for command in ["predict", "eval"] {
        folder.fails(
            &format!("{command} small.net"),
            3,
            "error: no weights: there is no small.safetensors\n\
             help: `arenet train` writes them; name others with --weights FILE",
        );
        folder.fails(
            &format!("{command} small.net --weights nope.safetensors"),
            3,
            &format!("error: nope.safetensors: cannot be read: {NO_FILE}"),
        );
    }
    folder.ok("train small.net -q");
    folder.write("wide.net", SMALL.replace("net small", "net wide").replace("H = 4", "H = 5"));
    let misfit = "error: small.safetensors: does not fit the net \"wide\": h.w is [2, 4] and must \
                  be [2, 5]; h.b is [4] and must be [5]; y.w is [4, 1] and must be [5, 1]";
    let data = "--data small.csv";
    folder.fails(&format!("predict wide.net --weights small.safetensors {data}"), 3, misfit);
    folder.fails(&format!("train wide.net --init small.safetensors {data}"), 3, misfit);
    folder.fails(
        "train small.net --resume small.safetensors --out other",
        3,
        "error: small.safetensors: is no checkpoint: it does not say where a run stands",
    );
    folder.write("cut.safetensors", &folder.read("small.safetensors")[..60]);
    assert_eq!(folder.run("predict small.net --weights cut.safetensors").code, 3);
}

#[test]
fn a_file_that_cannot_be_written_is_told_before_the_work() {
    let folder = Folder::small("unwritable");
    let text = format!("error: nope/w.safetensors: cannot be written: {NO_FILE}");
    folder.fails("train small.net --out nope/w.safetensors", 3, &text);
    assert_eq!(folder.run("train small.net --out .").code, 3);
    let text = text.replace("w.safetensors", "y.csv");
    folder.fails("predict small.net --out nope/y.csv", 3, &text);
    folder.fails("compile small.net -o nope/y.csv", 3, &text);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_and_no_panic() {
    let folder = Folder::small("full");
    folder.ok("train small.net -q");
    let full = "error: /dev/full: cannot be written: No space left on device (os error 28)";
    folder.fails("train small.net -q --out /dev/full", 3, full);
    folder.fails("predict small.net --out /dev/full", 3, full);
    let stdout = full.replace("/dev/full", "standard output");
    for command in ["predict small.net", "eval small.net -q", "check small.net", "cpu"] {
        let sink = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = folder.command(command.split(' ')).stdout(sink).output().unwrap();
        let done = crate::common::done(output);
        assert_eq!((done.code, done.err.trim_end()), (3, stdout.as_str()), "{command}");
    }
}

#[test]
fn a_table_larger_than_the_memory_is_trained_on_from_disk() {
    let folder = Folder::small("table-memory");
    folder.write("many.csv", "0,1,1\n1,1,0\n".repeat(20_000));
    let train = "train small.net --data many.csv --threads 1 --epochs 2";
    folder.ok(&format!("{train} -q --out whole.safetensors"));
    // A row is 12 bytes, and its place in the order 4.
    let done = folder.run(&format!("{train} --max-memory 900KB --out parts.safetensors"));
    assert_eq!(done.code, 0, "{}", done.err);
    let told = "many.csv: its values, 468.8 KiB, lie on disk in this folder until the end";
    assert!(done.err.contains(told), "{}", done.err);
    assert!(folder.read("whole.safetensors") == folder.read("parts.safetensors"));
    let done = folder.run("eval small.net --data many.csv --weights parts.safetensors");
    let eval = "eval small.net --data many.csv --weights parts.safetensors --max-memory 900KB";
    let from_disk = folder.run(eval);
    assert_eq!((from_disk.code, from_disk.out), (0, done.out), "{}", from_disk.err);
    assert!(from_disk.err.contains(told), "{}", from_disk.err);
    // Nothing is left.
    let left = std::fs::read_dir(folder.path("")).unwrap().flatten();
    assert!(!left.map(|file| file.file_name()).any(|name| name.to_string_lossy().contains("tmp")));

    folder.fails(
        &format!("{train} --max-memory 150KB"),
        5,
        "error: many.csv: needs more memory than the limit of 150000 bytes\n\
         help: --max-memory raises the limit; fewer rows take less",
    );
}

#[test]
fn a_table_may_be_in_several_files() {
    let folder = Folder::small("table-parts");
    folder.write("many.csv", "0,1,1\n1,1,0\n0,0,0\n1,0,1\n".repeat(10));
    folder.write("part-1.csv", "0,1,1\n1,1,0\n0,0,0\n1,0,1\n".repeat(6));
    folder.write("part-2.csv", "0,1,1\n1,1,0\n0,0,0\n1,0,1\n".repeat(4));
    let train = |data: &str, out: &str| {
        folder.ok(&format!("train small.net --data {data} -q --out {out}.safetensors"));
        folder.read(&format!("{out}.safetensors"))
    };
    let whole = train("many.csv", "whole");
    assert!(train("part-1.csv,part-2.csv", "listed") == whole);
    assert!(train("part-*.csv", "pattern") == whole);
    let done = folder.run("eval small.net --weights whole.safetensors --data part-?.csv");
    let told = "part-1.csv and 1 more: the weights were trained on 40 rows of it\n";
    assert_eq!((done.code, done.err.as_str()), (0, told));
    let done = folder.run("train small.net --data parts-*.csv");
    assert_eq!(done.code, 2);
    assert!(done.err.contains("there is no file \"parts-*.csv\""), "{}", done.err);
    folder.fails(
        "train small.net --data part-1.csv,part-3.csv",
        3,
        "error: part-3.csv: cannot be read: No such file or directory (os error 2)\n\
         help: did you mean \"part-1.csv\"?",
    );
    // Nothing that is read is written over.
    let done = folder.run("train small.net --data part-1.csv,part-2.csv --out part-2.csv");
    assert_eq!(done.code, 2, "{}", done.err);
}

/// 20,000 rows of 8 bytes, of which each takes 8 more for a prediction.
#[test]
fn a_table_counts_beside_all_that_is_held() {
    let folder = Folder::small("table-beside");
    folder.ok("train small.net -q");
    folder.write("bare.csv", "0,1\n".repeat(20_000));
    let limit = 20_000 * (8 + 8);
    let text = format!(
        "error: bare.csv: needs more memory than the limit of {limit} bytes\n\
         help: --max-memory raises the limit; fewer rows take less"
    );
    let predict = "predict small.net --data bare.csv --threads 1 --format npy --out y.npy";
    folder.fails(&format!("{predict} --max-memory {limit}"), 5, &text);
    folder.ok(&format!("{predict} -q --max-memory {}", limit * 2));
}
