//! `.netc` files do what `.net` files do.

use crate::common::{Folder, model};
use pretty_assertions::assert_eq;

#[test]
fn a_compiled_program_trains_and_predicts_to_the_same_bytes() {
    let folder = Folder::new("netc");
    let iris = model("iris.net");
    let data = format!("--data {}", model("iris.csv"));
    folder.ok(&format!("compile {iris}"));
    folder.ok(&format!("train {iris} -q --epochs 5 --out text.safetensors"));
    folder.ok(&format!("train iris.netc {data} -q --epochs 5 --out program.safetensors"));
    assert_eq!(folder.read("text.safetensors"), folder.read("program.safetensors"));

    let weights = "--weights text.safetensors";
    for format in ["csv", "json", "npy"] {
        let tail = format!("{data} {weights} --format {format}");
        folder.ok(&format!("predict {iris} {tail} --out text"));
        folder.ok(&format!("predict iris.netc {tail} --out program"));
        assert_eq!(folder.read("text"), folder.read("program"), "{format}");
    }
    let eval = |model: &str| folder.ok(&format!("eval {model} {data} {weights} --json")).out;
    assert_eq!(eval(&iris), eval("iris.netc"));
}

#[test]
fn a_full_batch_is_compiled_for_any_number_of_rows() {
    let folder = Folder::new("full-batch");
    let (xor, data) = (model("xor.net"), model("xor.csv"));
    folder.ok(&format!("compile {xor} -o any.netc"));
    folder.ok(&format!("train any.netc --data {data} -q --out any.safetensors"));
    folder.ok(&format!("eval {xor} --weights any.safetensors"));
    folder.ok(&format!("compile {xor} --batch 4 -o xor.netc"));
    folder.ok(&format!("train xor.netc --data {data} -q --out program.safetensors"));
    folder.ok(&format!("train {xor} -q --out text.safetensors"));
    assert_eq!(folder.read("text.safetensors"), folder.read("program.safetensors"));
}

#[test]
fn every_instruction_set_and_thread_count_gives_the_same_weights() {
    let folder = Folder::new("same-bits");
    let digits = model("digits.net");
    let train = |options: &str, out: &str| {
        folder.run(&format!("train {digits} -q --epochs 2 {options} --out {out}"))
    };
    assert_eq!(train("--isa portable --threads 1", "first").code, 0);
    for options in ["--isa avx2 --threads 1", "--isa avx512 --threads 2", "--threads 2"] {
        let done = train(options, "other");
        match done.code {
            0 => assert_eq!(folder.read("first"), folder.read("other"), "{options}"),
            code => assert!(code == 2 && done.err.contains("this machine has no"), "{done:?}"),
        }
    }
}
