//! `--weights`: a file, what weights are kept as, or both.

use crate::common::Folder;
use pretty_assertions::assert_eq;
use serde_json::Value;

fn trained(test: &str) -> Folder {
    let folder = Folder::small(test);
    folder.ok("train small.net -q --epochs 200");
    folder
}

/// What the small net predicts for its rows.
fn predicted(folder: &Folder, args: &str) -> Vec<f64> {
    let out = folder.ok(&format!("predict {args}")).out;
    out.lines().skip(1).map(|line| line.parse().unwrap()).collect()
}

#[test]
fn a_file_and_a_precision_may_be_given_in_any_order() {
    let folder = trained("weights-both");
    let full = predicted(&folder, "small.net");
    assert_eq!(predicted(&folder, "small.net --weights f32"), full);
    std::fs::rename(folder.path("small.safetensors"), folder.path("w")).unwrap();
    for precision in ["bf16", "int8"] {
        let narrow = predicted(&folder, &format!("small.net --weights {precision} --weights w"));
        let same = predicted(&folder, &format!("small.net --weights w --weights {precision}"));
        assert_eq!(narrow, same);
        assert_ne!(narrow, full, "{precision} rounds");
        assert!(narrow.iter().zip(&full).all(|(a, b)| (a - b).abs() < 0.05), "{narrow:?} {full:?}");
        let line = folder.ok(&format!("eval small.net --json --weights w --weights {precision}"));
        let line: Value = serde_json::from_str(&line.out).unwrap();
        assert_eq!(line["metrics"]["accuracy"], 1.0);
    }
    // A file that is called as a precision.
    std::fs::rename(folder.path("w"), folder.path("int8")).unwrap();
    assert_eq!(predicted(&folder, "small.net --weights ./int8"), full);
}

#[test]
fn mistakes_say_what_to_do() {
    let folder = trained("weights-mistakes");
    for command in ["predict", "eval"] {
        folder.fails(
            &format!("{command} small.net --weights bf16 --weights int8"),
            2,
            "error: --weights names two precisions, bf16 and int8\n\
             help: give one of them; a file of such a name is ./int8",
        );
        folder.fails(
            &format!("{command} small.net --weights a --weights b"),
            2,
            "error: --weights names two files, a and b\n\
             help: give one file, and beside it f32, bf16 or int8",
        );
    }
    folder.fails(
        "eval small.net --weights int4",
        3,
        "error: int4: cannot be read: No such file or directory (os error 2)\n\
         help: a precision is one of f32, bf16 and int8",
    );
    folder.fails(
        "bench small.net --mode train --weights int8",
        2,
        "error: small.net: training is in f32, not with weights of int8\n\
         help: --mode infer measures the forward pass",
    );
    for args in ["bench small.net --weights w", "compile small.net --weights int4"] {
        let done = folder.run(args);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{args}");
        assert!(done.err.contains("expected `f32`, `bf16` or `int8`"), "{}", done.err);
    }
}

#[test]
fn a_program_is_compiled_for_a_precision() {
    let folder = trained("weights-netc");
    folder.ok("compile small.net --weights int8");
    let expected = predicted(&folder, "small.net --weights int8");
    assert_eq!(predicted(&folder, "small.netc"), expected);
    assert_eq!(predicted(&folder, "small.netc --weights int8"), expected);
    let text = folder.ok("eval small.net --weights int8").out;
    assert_eq!(folder.ok("eval small.netc").out, text);
    folder.fails(
        "predict small.netc --weights f32",
        2,
        "error: small.netc: --weights f32 cannot change a compiled program\n\
         help: it was compiled for weights of int8; `arenet compile --weights f32` makes another \
         of the .net file",
    );
    folder.fails(
        "train small.netc",
        2,
        "error: small.netc: is compiled for weights of int8, and training is in f32\n\
         help: give the .net file",
    );
    folder.fails(
        "bench small.netc --mode train",
        2,
        "error: small.netc: training is in f32, not with weights of int8\n\
         help: --mode infer measures the forward pass",
    );
}

#[test]
fn a_measurement_and_a_plan_know_the_precision() {
    let folder = Folder::small("weights-bench");
    let bench = |args: &str| -> Value {
        let line = folder.ok(&format!("bench small.net --json --seconds 0.01 {args}")).out;
        serde_json::from_str(&line).unwrap()
    };
    let line = bench("");
    assert_eq!((&line["weights"], &line["mode"]), (&"f32".into(), &"train".into()));
    for precision in ["bf16", "int8"] {
        let line = bench(&format!("--weights {precision}"));
        assert_eq!((&line["weights"], &line["mode"]), (&precision.into(), &"infer".into()));
    }
    // Two rows of one panel, in bfloat16: 64 bytes, padded to whole lines.
    let plan = folder.ok("show small.net --plan --weights bf16").out;
    let weight = plan.lines().find(|line| line.starts_with("h.w ")).unwrap();
    assert!(weight.contains(" 64 "), "{plan}");
}
