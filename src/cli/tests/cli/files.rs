//! `.netc` files do what `.net` files do.

use crate::common::{Folder, model};
use arenet::{MISSING, Net};
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

/// What is prepared for a net is prepared by the net: a raw row, with its holes and words, gives
/// the same bits on every road.
#[test]
fn a_raw_row_gives_the_same_bits_from_a_text_a_program_and_rust() {
    let folder = Folder::new("raw-row");
    let (penguins, weights) = (model("penguins.net"), "--weights penguins.safetensors");
    folder.ok(&format!("train {penguins} -q --epochs 5"));
    folder.ok(&format!("compile {penguins} --names penguins.safetensors"));
    folder.write(
        "rows.csv",
        "sex,island,body_mass_g,flipper_length_mm,bill_depth_mm,bill_length_mm\n\
         MALE,Torgersen,3750,181,18.7,39.1\n,Mars,NA,?,,50.5\nFEMALE,,3800,186,17.4,\n",
    );
    let text = folder.ok(&format!("predict {penguins} --data rows.csv {weights}")).out;
    assert_eq!(folder.ok(&format!("predict penguins.netc --data rows.csv {weights}")).out, text);

    let hole = f32::NAN;
    let numbers =
        [[39.1, 18.7, 181.0, 3750.0], [50.5, hole, hole, hole], [hole, 17.4, 186.0, 3800.0]];
    let (islands, sexes) = ([2, MISSING, MISSING], [1, MISSING, 0]);
    let net = Net::open(&penguins).unwrap();
    let mut predictor = net.predictor(folder.path("penguins.safetensors")).unwrap();
    let outputs = predictor.predict(&(&numbers, &islands, &sexes)).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next().unwrap().split(',').count(), 5);
    for (row, line) in lines.enumerate() {
        let values = line.split(',').take(3).map(|field| field.parse::<f32>().unwrap().to_bits());
        let expected = outputs.rows("probs").nth(row).unwrap().iter().map(|value| value.to_bits());
        assert_eq!(values.collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "{line}");
    }
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
