//! What `profile` tells of the steps, and what `cpu` tells of the machine's limits.

use crate::common::{Folder, model};
use pretty_assertions::assert_eq;
use serde_json::Value;

const QUICK: &str = "--seconds 0.01";

fn profile(folder: &Folder, args: &str) -> Value {
    let out = folder.ok(&format!("profile {args} {QUICK} --json")).out;
    assert_eq!(out.lines().count(), 1, "{out}");
    serde_json::from_str(&out).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// Whether two figures differ by no more than rounding.
fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

#[test]
fn a_profile_is_one_line_of_json() {
    let folder = Folder::small("profile");
    let line = profile(&folder, "small.net --threads 1");
    assert_eq!((&line["net"], &line["mode"]), (&"small".into(), &"train".into()));
    assert_eq!((&line["batch"], &line["threads"]), (&2.into(), &1.into()));
    assert_eq!(line["straight"], true);
    assert_eq!(line["ns_per_step_on_threads"], Value::Null);
    assert!(line["isa"].is_string());
    for key in ["ns_per_step", "ns_sum", "peak_gflops", "runs"] {
        assert!(number(&line[key]) > 0.0, "{key} of {line}");
    }
    let levels = line["read_gb_per_second"].as_object().unwrap();
    assert!(levels.contains_key("memory") && levels.values().all(|speed| number(speed) > 0.0));
    let steps = line["steps"].as_array().unwrap();
    let sum: f64 = steps.iter().map(|step| number(&step["ns"])).sum();
    let shares: f64 = steps.iter().map(|step| number(&step["share"])).sum();
    assert!(same(sum, number(&line["ns_sum"])) && same(shares, 1.0), "{line}");
    let outside = number(&line["ns_per_step"]) - sum;
    assert!(same(outside, number(&line["ns_outside"])), "{line}");
    for (index, step) in steps.iter().enumerate() {
        assert_eq!(step["step"], index);
        let [ns, limit, share] = ["ns", "limit_ns", "of_limit"].map(|key| number(&step[key]));
        assert!(ns > 0.0 && limit > 0.0 && same(limit / ns, share), "{step}");
        assert!(number(&step["bytes"]) > 0.0 && number(&step["flops"]) > 0.0, "{step}");
        let bound = step["bound"].as_str().unwrap();
        assert!(bound == "FMA" || levels.contains_key(bound), "{step}");
        assert!(!step["formulas"].as_array().unwrap().is_empty(), "{step}");
    }
}

#[test]
fn a_step_says_what_it_is_and_what_it_moves() {
    let folder = Folder::small("profile-steps");
    let line = profile(&folder, "small.net --mode infer --batch 5 --threads 1");
    assert_eq!((&line["mode"], &line["batch"]), (&"infer".into(), &5.into()));
    let step = &line["steps"][0];
    assert_eq!((&step["kernel"], &step["source"]), (&"gemm".into(), &"h".into()));
    assert_eq!((&step["shape"], &step["line"]), (&"5x4x2".into(), &5.into()));
    // Rows of one vector of 64 bytes: 5 of x and of h, 2 of h.w, and the bias.
    assert_eq!(step["bytes"], 64 * (5 + 5 + 2 + 1));
    assert_eq!(
        step["formulas"][0].as_str().unwrap().split(" = ").nth(1),
        Some("tanh(x @ h.w + h.b)")
    );
    // A net that is all in the nearest cache waits for nothing else.
    let near = |step: &Value| step["bound"] == "L1" || step["bound"] == "FMA";
    let levels = line["read_gb_per_second"].as_object().unwrap();
    if levels.contains_key("L1") {
        assert!(line["steps"].as_array().unwrap().iter().all(near), "{line}");
    }
}

#[test]
fn a_profile_is_a_table_for_people() {
    let folder = Folder::new("profile-models");
    for name in ["digits", "seed", "xor", "iris", "regression"] {
        let out = folder
            .ok(&format!("profile {} {QUICK} --threads 1", model(&format!("{name}.net"))))
            .out;
        assert!(out.starts_with(&format!("{name}: train, batch ")), "{out}");
        let lines: Vec<&str> = out.lines().collect();
        let of_limit = |line: &str| line.find('%').map(|at| line[..at].chars().count());
        let end = |line: &&str| of_limit(line);
        let head = lines.iter().position(|line| line.starts_with("step  kernel")).expect(&out);
        let total = lines.iter().position(|line| line.starts_with("      total")).expect(&out);
        // The shares of all steps end in the same column.
        let ends: Vec<_> = lines[head + 1..=total].iter().map(end).collect();
        assert!(ends.len() > 4 && ends.iter().all(|end| *end == ends[0]), "{out}");
        let straight = out.contains("it runs as straight-line code");
        assert!(straight || out.contains("outside of the steps"), "{out}");
    }
    let out = folder.ok(&format!("profile {} {QUICK} --threads 2", model("seed.net"))).out;
    assert!(out.contains("one by one\non 2 threads  "), "{out}");
}

#[test]
fn a_compiled_program_has_a_profile() {
    let folder = Folder::small("profile-netc");
    folder.ok("compile small.net");
    let (text, program) = (profile(&folder, "small.net"), profile(&folder, "small.netc"));
    let steps = |line: &Value| line["steps"].as_array().unwrap().clone();
    assert_eq!(steps(&text).len(), steps(&program).len());
    for (text, program) in steps(&text).iter().zip(steps(&program)) {
        for key in ["kernel", "source", "line", "shape", "flops", "bytes"] {
            assert_eq!(text[key], program[key]);
        }
        assert_eq!(program["formulas"], Value::Array(Vec::new()));
    }
    // Fewer rows than the program is planned for.
    assert_eq!(profile(&folder, "small.netc --mode infer --batch 1")["steps"][0]["shape"], "1x4x2");
}

#[test]
fn what_cannot_be_profiled_is_told() {
    let folder = Folder::small("profile-mistakes");
    folder
        .write("plain.net", "net plain {\n    input x: [N, 2]\n    output y = x |> dense(1)\n}\n");
    folder.fails(
        "profile plain.net --mode train",
        2,
        "error: plain.net: has no `train` section to measure\n\
         help: --mode infer measures the forward pass",
    );
    assert_eq!(profile(&folder, "plain.net")["mode"], "infer");
    for args in ["", "small.net --seconds 0", "small.net --batch 0", "small.net --mode both"] {
        assert_eq!(folder.run(&format!("profile {args}")).code, 2, "{args}");
    }
    assert_eq!(folder.run("profile nothing.net").code, 1);
    assert_eq!(folder.run("profile small.net --max-memory 1KiB").code, 5);
}

#[test]
fn the_machine_tells_how_fast_it_reads() {
    let out = Folder::new("profile-cpu").ok("cpu").out;
    let line = out.lines().find(|line| line.starts_with("reading ")).expect(&out);
    assert!(line.contains("memory ") && line.ends_with(" GB/s by one core"), "{line}");
}
