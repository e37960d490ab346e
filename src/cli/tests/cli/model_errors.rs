//! Mistakes in the model: exit code 1, or 5 where a limit is passed.

use crate::common::{Folder, SMALL, model, untrained};
use pretty_assertions::assert_eq;
use serde_json::Value;

const TYPO: &str = "\
net n {
    input x: [N, 3]
    output y = x |> dense(2, bias: false) |> sigmiod
}
";

const SIGMIOD: &str = "\
error[unknown-function]: unknown function `sigmiod`
 --> typo.net:3:46
  |
3 |     output y = x |> dense(2, bias: false) |> sigmiod
  |                                              ^^^^^^^
  |
  = help: did you mean `sigmoid`?";

#[test]
fn a_typo_gets_its_place_and_a_proposal() {
    let folder = Folder::new("typo");
    folder.write("typo.net", TYPO);
    for command in ["check", "show", "compile", "gradcheck", "bench", "train", "eval", "predict"] {
        folder.fails(&format!("{command} typo.net"), 1, SIGMIOD);
    }
    let done = folder.run("check typo.net --message-format json");
    let line: Value = serde_json::from_str(done.err.trim()).unwrap();
    assert_eq!(line["code"], "unknown-function");
    assert_eq!((&line["line"], &line["column"]), (&3.into(), &46.into()));
    assert_eq!(line["help"], "did you mean `sigmoid`?");
}

#[test]
fn a_shape_mismatch_names_both_sides() {
    let folder = Folder::new("shape");
    folder.write("n.net", "net n { input x: [N, 3]  param w: [4, 2]  output y = x @ w }");
    let done = folder.run("check n.net");
    assert_eq!(done.code, 1);
    assert!(done.err.starts_with("error[shape-mismatch]: "), "{}", done.err);
    assert!(done.err.contains("this is f32[N, 3]"), "{}", done.err);
    assert!(done.err.contains("this is f32[4, 2]"), "{}", done.err);
}

#[test]
fn a_missing_model_is_named() {
    let folder = Folder::new("missing-model");
    for command in ["check", "show", "compile", "gradcheck", "bench", "train", "eval", "predict"] {
        folder.fails(
            &format!("{command} nets/nope.net"),
            1,
            "error: nets/nope.net: cannot be read: No such file or directory (os error 2)\n\
             help: the first argument is a .net or .netc file",
        );
    }
}

#[test]
fn a_file_of_another_program_is_recognised() {
    let folder = Folder::new("fann");
    folder.write("old.net", "FANN_FLO_2.1\nnum_layers=3\n");
    folder.fails(
        "train old.net",
        1,
        "\
error[foreign-file]: this is a network file of FANN, another program
 --> old.net:1:1
  |
1 | FANN_FLO_2.1
  | ^^^^^^^^^^^^
  |
  = help: an Arenet file begins with a network: `net name { input x: [N, 3] ... }`",
    );
}

#[test]
fn text_that_is_none_is_refused() {
    let folder = Folder::new("bytes");
    folder.write("n.net", b"net n {\n  input \xff: [N, 3]\n}");
    folder.fails("check n.net", 1, "error: n.net:2: is not UTF-8 text");
    folder.write("big.net", " ".repeat((1 << 20) + 1));
    folder.fails(
        "check big.net",
        5,
        "error: big.net: is larger than the limit of 1048576 bytes for a model",
    );
    folder.write("deep.net", format!("net n {{ output y = {}1", "(".repeat(500)));
    assert_eq!(folder.run("check deep.net").code, 5);
    folder.write("empty.net", "");
    assert_eq!(folder.run("check empty.net").code, 1);
    folder.fails("show .", 1, "error: .: cannot be read: Is a directory (os error 21)");
}

#[test]
fn a_program_cut_short_is_refused_at_every_length() {
    let folder = Folder::small("cut");
    folder.ok("compile small.net -o small.netc");
    let bytes = folder.read("small.netc");
    for length in (0..bytes.len()).step_by(bytes.len() / 12) {
        folder.write("cut.netc", &bytes[..length]);
        folder.fails("train cut.netc", 1, "error: cut.netc: the program is cut short");
    }
    let mut corrupt = bytes.clone();
    corrupt[bytes.len() / 2] ^= 1;
    folder.write("corrupt.netc", corrupt);
    folder.fails(
        "predict corrupt.netc",
        1,
        "error: corrupt.netc: the program is corrupt: its checksum does not match",
    );
    let mut other = bytes.clone();
    other[8] = 1; // after the magic, the version of the format
    folder.write("other.netc", other);
    folder.fails(
        "predict other.netc",
        1,
        "error: other.netc: the program was written by an unknown version (1) of the format\n\
         help: compile the model again with this arenet",
    );
    folder.write("text.netc", SMALL);
    folder.fails("check text.netc", 1, "error: text.netc: this is not a compiled program");
}

#[test]
fn a_limit_in_the_model_names_the_biggest_values() {
    let folder = Folder::new("limit");
    let text = SMALL.replace("input x", "limit memory = 1 KiB\n    input x");
    folder.write("small.net", text);
    let done = folder.run("check small.net");
    assert_eq!(done.code, 5);
    assert!(done.err.contains("more than the limit of 1024"), "{}", done.err);
}

#[test]
fn a_program_larger_than_the_memory_is_refused() {
    let folder = Folder::small("memory");
    let done = folder.run("train small.net --max-memory 2KiB");
    assert_eq!(done.code, 5);
    let start = "error: the program needs ";
    let end = " bytes of memory, the limit is 2048\n\
               help: a smaller --batch takes less; --max-memory raises the limit\n";
    assert!(done.err.starts_with(start) && done.err.ends_with(end), "{}", done.err);
    assert!(!folder.has("small.safetensors"));
}

#[test]
fn a_net_that_only_predicts_cannot_be_trained() {
    let folder = Folder::new("untrained");
    folder.write("n.net", "net n { input x: [N, 3]  output y = x |> dense(2) }");
    folder.fails("train n.net", 1, &untrained("error: n.net: has no `train` section"));
    folder.fails(
        "eval n.net",
        1,
        &untrained("error: n.net: has no `train` section, so no loss to measure"),
    );
    folder.fails(
        "gradcheck n.net",
        1,
        &untrained("error: n.net: has no `train` section, so no gradients"),
    );
    folder.fails(
        "bench n.net --mode train",
        2,
        "error: n.net: has no `train` section to measure\n\
         help: --mode infer measures the forward pass",
    );
    folder.ok("show n.net");
    folder.ok("bench n.net --seconds 0.01");
}

#[test]
fn a_training_that_diverges_says_where() {
    let folder = Folder::new("diverged");
    let args = format!("train {} --lr 1e30 -q", model("digits.net"));
    let done = folder.run(&args);
    assert_eq!(done.code, 4);
    let begins = "error[diverged]: training diverged in epoch 1 at step 2, batch 2 (rows ";
    assert!(done.err.starts_with(begins), "{}", done.err);
    assert!(!folder.has("digits.safetensors"));
}

#[test]
fn a_training_that_diverges_late_keeps_its_last_good_state() {
    let folder = Folder::small("diverged-late");
    let growing = "sgd(lr: exponential(0.01, by: 1e30, per: epoch))";
    folder.write("small.net", SMALL.replace("adam(lr: 0.05)", growing));
    let done = folder.run("train small.net -q");
    assert_eq!(done.code, 4, "{done:?}");
    let (_, help) = done.err.split_once("may help; ").expect(&done.err);
    assert!(help.starts_with("small.ckpt.safetensors holds the state after "), "{help}");
    folder.ok("train small.net -q --epochs 1 --init small.ckpt.safetensors --out other");
}

/// A table or weights given as a model are told as what they are, in one line.
#[test]
fn files_that_are_no_model_are_told_as_what_they_are() {
    let folder = Folder::small("no-models");
    folder.write("rows.json", "[{\"x\": 1}]\n");
    folder.write("net.py", "import torch\n");
    folder.write("other.onnx", [8, 7]);
    folder.write("rows", "a,b,c\n1,2,3\n4,5,6\n");
    folder.write("renamed.net", b"\x93NUMPY\x01\0");
    folder.ok("train small.net -q --out small.safetensors");
    folder.write("weights.net", std::fs::read(folder.path("small.safetensors")).unwrap());
    for (file, what, help) in [
        ("small.csv", "a table", "`arenet new small.csv --target COLUMN` makes a model for it"),
        ("rows.json", "a table", "`arenet new rows.json --target COLUMN`"),
        ("rows", "a table", "`arenet new rows --target COLUMN`"),
        ("renamed.net", "an array of numbers", "`--data`"),
        ("small.safetensors", "a file of weights", "`arenet show small.safetensors`"),
        ("weights.net", "a file of weights", "`arenet show weights.net`"),
        ("other.onnx", "a model of another tool", "write its layers in a .net file"),
        ("net.py", "a program of another language", "`arenet help language`"),
    ] {
        for command in ["train", "check"] {
            let done = folder.run(&format!("{command} {file}"));
            let first = format!("error: {file}: this is {what}, not a model\n");
            assert_eq!(done.code, 2, "{done:?}");
            assert!(done.err.starts_with(&first) && done.err.contains(help), "{done:?}");
            assert_eq!(done.err.lines().count(), 2, "{done:?}");
        }
    }
}
