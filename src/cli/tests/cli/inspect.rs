//! What `check`, `show`, `compile`, `gradcheck`, `bench` and `cpu` tell.

use crate::common::{Folder, model, untrained};
use pretty_assertions::assert_eq;
use serde_json::Value;

#[test]
fn check_lists_the_statements() {
    let folder = Folder::new("check");
    std::fs::copy(model("iris.net"), folder.path("iris.net")).unwrap();
    let done = folder.ok("check iris.net");
    assert_eq!(
        done.out,
        "  x         f32[N, 4]   input
  h         f32[N, 16]  80 parameters
  logits    f32[N, 3]   51 parameters, output
  probs     f32[N, 3]   output
  species   i32[N]      target
  loss      f32[]
  accuracy  f32[]
iris.net: ok, 131 parameters
"
    );
    folder.ok("compile iris.net");
    let out = folder.ok("check iris.netc").out;
    assert!(out.ends_with("iris.netc: ok, 131 parameters\n"), "{out}");
}

#[test]
fn lints_are_told_and_do_not_fail() {
    let folder = Folder::new("lint");
    let text = std::fs::read_to_string(model("iris.net")).unwrap();
    folder.write("iris.net", text.replace("cross_entropy(logits", "cross_entropy(probs"));
    let done = folder.ok("check iris.net");
    assert!(done.err.starts_with("warning["), "{}", done.err);
    assert_eq!(folder.ok("check iris.net -q").err, "");
}

#[test]
fn a_net_is_shown_by_its_layers() {
    // A row of h costs 2·3·3 operations of its product, 3 of its bias and 3 of sigmoid.
    let folder = Folder::new("layers");
    let out = folder.ok(&format!("show {}", model("seed.net"))).out;
    assert_eq!(
        out,
        "seed: 20 parameters, batch 256

statement  operation         shape   parameters  memory  FLOP per row
x          input             [N, 3]
h          dense(3) sigmoid  [N, 3]          12   256 B            24
y          dense(2) sigmoid  [N, 2]           8   256 B            16
total                                        20   512 B            40

a step of   rows    FLOP     arena  lower bound  peak at
training     256  28,241  15.1 KiB     15.1 KiB  step 3 (y)
prediction   256  10,240  11.9 KiB     11.9 KiB  step 1 (y)

Parameters are padded to whole vectors. The lower bound of an arena is what is
alive at its peak. Training keeps a copy of its state, 1.0 KiB, beside the
arena.
"
    );
    let seed = folder.ok(&format!("show {} --gradients", model("seed.net"))).out;
    assert!(seed.contains("\n∂h = ∂y @ y.wᵀ * h * (1 - h)\n∂h.w = xᵀ @ ∂h\n"), "{seed}");
    let shared = folder.ok(&format!("show {} --gradients", model("siamese.net"))).out;
    assert!(shared.contains("\n∂hidden.b = sum_rows("), "{shared}");
    folder.write("plain.net", "net n { input x: [N, 2]  output y = x |> dense(1) }");
    let out = folder.ok("show plain.net").out;
    assert!(!out.contains("training") && out.contains("\nprediction  "), "{out}");
    let error = untrained("error: plain.net: has no `train` section, so no gradients");
    folder.fails("show plain.net --gradients", 1, &error);
}

#[test]
fn what_is_shown_fits_eighty_columns() {
    let folder = Folder::new("fits");
    let models = ["digits", "residual", "siamese", "heads", "penguins", "mnist_relu", "abalone"];
    for name in models {
        for option in ["", "--plan", "--plan --entry predict"] {
            let out = folder.ok(&format!("show {} {option}", model(&format!("{name}.net")))).out;
            let long = out.lines().find(|line| line.chars().count() > 80);
            assert_eq!(long, None, "{name} {option}");
        }
    }
}

#[test]
fn the_plan_of_a_chain_is_tight() {
    let folder = Folder::new("plan");
    for name in ["digits", "seed", "xor", "iris", "regression"] {
        let path = model(&format!("{name}.net"));
        for entry in ["train", "predict"] {
            let out = folder.ok(&format!("show {path} --plan --entry {entry}")).out;
            assert!(out.starts_with(&format!("{name}: plan of {entry}, batch ")), "{out}");
            assert!(out.contains(", ratio 1.00, "), "{out}");
        }
    }
    let out = folder.ok(&format!("show {} --plan", model("digits.net"))).out;
    let mut lines = out.lines().map(|line| line.split_whitespace().collect::<Vec<&str>>());
    let hidden = lines.find(|words| words.starts_with(&["h", "7:9", "saved"])).expect(&out);
    assert_eq!(hidden[4], "8192", "{out}");
}

#[test]
fn an_optimizer_is_shown_as_formulas() {
    let folder = Folder::new("optimizer");
    let out = folder.ok(&format!("show {} --optimizer", model("xor.net"))).out;
    assert!(out.contains("  θ ← θ - "), "{out}");
    folder.write("plain.net", "net n { input x: [N, 2]  output y = x |> dense(1) }");
    let error = untrained("error: plain.net: has no `train` section, so no optimizer");
    folder.fails("show plain.net --optimizer", 1, &error);
}

#[test]
fn the_schedule_numbers_its_steps() {
    let folder = Folder::small("schedule");
    let out = folder.ok("show small.net --schedule --entry predict").out;
    let mut lines = out.lines();
    assert!(lines.next().unwrap().starts_with("small: schedule of predict, batch 2, 2 steps, "));
    let step: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!(step[..4], ["0", "gemm", "h", "5:9"]);
    assert_eq!(lines.next(), Some("        h = tanh(x @ h.w + h.b)"), "{out}");
    folder.ok("compile small.net");
    let out = folder.ok("show small.netc").out;
    assert!(out.contains("small: schedule of train") && out.contains("ratio 1.00"), "{out}");
}

#[test]
fn every_stage_prints() {
    let folder = Folder::small("stages");
    for stage in ["ast", "graph", "gradient", "simplified", "clusters", "schedule", "program"] {
        let out = folder.ok(&format!("show small.net --ir {stage}")).out;
        assert!(out.lines().count() > 3, "{stage}: {out}");
    }
    let program = folder.ok("show small.net --ir program --entry predict").out;
    assert!(program.contains(" = tanh(x @ h.w + h.b)\n"), "{program}");
    folder.ok("compile small.net");
    let compiled = folder.ok("show small.netc --ir program --entry predict").out;
    assert_eq!(compiled, program);
    folder.fails(
        "show small.netc --ir graph",
        2,
        "error: small.netc: a compiled program has only its plan, its schedule and its program\n\
         help: give the .net file",
    );
    let dot = folder.ok("show small.net --graph dot").out;
    assert!(dot.starts_with("digraph net {\n") && dot.ends_with("}\n"), "{dot}");
    assert!(dot.contains("label=\"matmul\\nf32[N, 4]\\nh\""), "{dot}");
}

#[test]
fn the_gradients_are_right() {
    let folder = Folder::new("gradients");
    folder.write(
        "modes.net",
        "net modes {
            input x: [N, 6]
            h = x |> dense(5) |> batch_norm |> relu |> dropout(0.3)
            output y = h |> dense(2) |> batch_norm(affine: false)
        }
        train { target t: [N, 2]  loss = mse(y, t)  optimizer = adam }",
    );
    let models = ["digits", "seed", "xor", "iris", "regression"];
    let models = models.map(|name| model(&format!("{name}.net")));
    for name in models.into_iter().chain(["modes.net".into()]) {
        let out = folder.ok(&format!("gradcheck {name}")).out;
        assert!(
            out.lines().count() >= 4 && out.lines().all(|line| line.ends_with("  ok")),
            "{out}"
        );
    }
}

#[test]
fn a_benchmark_is_one_line_of_json() {
    let folder = Folder::small("bench");
    let bench = |args: &str| -> Value {
        let out =
            folder.ok(&format!("bench small.net --seconds 0.02 --threads 1 {args} --json")).out;
        assert_eq!(out.lines().count(), 1);
        serde_json::from_str(&out).unwrap()
    };
    let line = bench("");
    assert_eq!((&line["net"], &line["mode"]), (&"small".into(), &"train".into()));
    assert_eq!((&line["batch"], &line["threads"]), (&2.into(), &1.into()));
    let times = &line["ns_per_step"];
    let [p10, median, p90] = ["p10", "median", "p90"].map(|key| times[key].as_f64().unwrap());
    assert!(0.0 < p10 && p10 <= median && median <= p90, "{line}");
    for key in ["compile_ns", "arena_bytes", "lower_bound_bytes", "flops_per_step", "runs"] {
        assert!(line[key].as_f64().unwrap() > 0.0, "{key} of {line}");
    }
    assert_eq!(line["arena_bytes"], line["lower_bound_bytes"]);
    assert!(line["isa"].is_string());

    let line = bench("--mode infer --batch 7 --isa portable");
    assert_eq!((&line["mode"], &line["batch"]), (&"infer".into(), &7.into()));
    assert_eq!(line["isa"], "portable");
    folder.ok("compile small.net");
    let text = folder.ok("bench small.netc --seconds 0.02").out;
    assert!(text.starts_with("small: train, batch 2, ") && text.contains("GFLOP/s"), "{text}");
}

#[test]
fn the_machine_is_described() {
    let folder = Folder::new("cpu");
    let out = folder.ok("cpu").out;
    for word in ["cores", "memory", "portable", "GFLOP/s", "(in use)"] {
        assert!(out.contains(word), "{word}: {out}");
    }
    assert!(folder.ok("cpu --isa portable").out.contains("core 0.") || out.contains("portable"));
}

#[test]
fn a_schedule_is_drawn_over_the_run() {
    let folder = Folder::new("rates");
    let text = std::fs::read_to_string(model("iris.net")).unwrap();
    let (before, after) = text.split_once("optimizer = ").unwrap();
    let after = after.split_once('\n').unwrap().1;
    let with = |optimizers: &str| format!("{before}{optimizers}\n{after}");
    std::fs::copy(model("iris.csv"), folder.path("rows.csv")).unwrap();
    let show = |optimizers: &str| {
        folder.write("iris.net", with(optimizers));
        folder.ok("show iris.net --schedule-of lr --data rows.csv").out
    };
    let out = show("optimizer = adamw(lr: one_cycle(0.01))");
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 26, "{out}");
    assert_eq!((lines[0], lines[13]), ("lr of adamw", "momentum of adamw"));
    assert!(lines[1].starts_with("   0.010000 ┤") && lines[10].starts_with("   0.000000 ┤"));
    assert!(lines[14].starts_with("     0.9500 ┤⠉") && lines[23].starts_with("     0.8500 ┤ "));
    assert!(lines[12].ends_with(" 800 steps, 100 epochs"), "{out}");
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{out}");

    let out = show(
        "optimizer(h) = sgd(lr: reduce_on_plateau(0.1, metric: accuracy, patience: 2))
         optimizer(logits) = adam(lr: cosine(0.1, per: epoch))",
    );
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(
        lines[..4],
        [
            "lr of sgd, for h.w, h.b",
            "     0.1000 at every step",
            "times 0.1 after more than 2 epochs without a better accuracy, which is not drawn",
            "lr1 of adam, for logits.w, logits.b",
        ]
    );
    folder.ok("compile iris.net");
    let out = folder.ok("show iris.netc --schedule-of lr --data rows.csv").out;
    assert!(out.starts_with("lr\n     0.1000 at every step\n"), "{out}");
}

#[test]
fn a_schedule_needs_a_training_and_its_rows() {
    let folder = Folder::small("no-rates");
    folder.write("plain.net", "net n { input x: [N, 1]  output y = x |> dense(1) }");
    let text = untrained("error: plain.net: has no `train` section");
    folder.fails("show plain.net --schedule-of lr --data small.csv", 1, &text);
    folder.write("other.net", folder.read("small.net"));
    folder.fails(
        "show other.net --schedule-of lr",
        3,
        "error: no data: there is no other.csv beside the model\n\
         help: name a table with --data FILE",
    );
    folder.fails(
        "show small.net --data small.csv",
        2,
        "error: --data and what says how to read it are about the rows of a run\n\
         help: add --schedule-of lr, or leave them out",
    );
    folder.fails(
        "show small.net --schedule-of lr --data small.csv -o lr.svg",
        2,
        "error: lr.svg: what is asked for is text, and no drawing\n\
         help: --graph svg and --plan svg draw",
    );
}

#[test]
fn a_model_behind_plan_is_told_its_place() {
    let folder = Folder::small("show-plan-order");
    let done = folder.run("show --plan small.net");
    assert_eq!(done.code, 2);
    assert!(done.err.contains("the model stands before --plan"), "{}", done.err);
    assert_eq!(folder.ok("show small.net --plan").out, folder.ok("show small.net --plan text").out);
}

/// The figures of a file written here, by hand: mean 2, deviation √(14/3 - 4).
#[test]
fn weights_are_summed_up() {
    let folder = Folder::new("show-weights");
    let header =
        r#"{"w":{"dtype":"F32","shape":[1,3],"data_offsets":[0,12]},"__metadata__":{"net":"n"}}"#;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend([1.0_f32, 2.0, 3.0].iter().flat_map(|value| value.to_le_bytes()));
    folder.write("w.safetensors", &bytes);
    let expected = "w.safetensors: 1 tensor, 3 values\n  net: n\n\n\
                    tensor  shape   values    mean  deviation   least  largest\n\
                    w       [1, 3]       3  2.0000     0.8165  1.0000   3.0000\n\n\
                    w\n  1.0000  2.0000  3.0000\n";
    assert_eq!(folder.ok("show w.safetensors").out, expected);
    folder.write("w.safetensors", &bytes[..bytes.len() - 1]);
    let done = folder.run("show w.safetensors");
    assert_eq!(done.code, 3, "{done:?}");
    // Of many values, short vectors are shown all the same: a mean of means says nothing.
    folder.write("cars.net", std::fs::read(model("auto_mpg.net")).unwrap());
    folder.ok(&format!("train cars.net --data {} -q --epochs 1", model("auto_mpg.csv")));
    let out = folder.ok("show cars.safetensors").out;
    let means = out.split("\nnumbers_scaled.0.mean\n").nth(1).unwrap();
    let means = means.lines().next().unwrap().split_whitespace();
    assert_eq!(means.filter_map(|mean| mean.parse::<f64>().ok()).count(), 6, "{out}");
    assert!(!out.contains("\nh1.0.b\n"), "{out}");
}
