//! The classes that `arenet predict` writes, with their probabilities, and columns of the table.

use crate::common::{Folder, model};
use pretty_assertions::assert_eq;
use serde_json::Value;

/// A folder with weights of iris.net and three of its rows, which have an id.
fn iris(test: &str) -> (Folder, String) {
    let folder = Folder::new(test);
    let iris = model("iris.net");
    folder.ok(&format!("train {iris} -q --epochs 20"));
    let table = std::fs::read_to_string(model("iris.csv")).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    let row = |(id, line): (&str, usize)| format!("{id},{}\n", lines[line]);
    folder.write(
        "rows.csv",
        ["id", "007", "b 8", "9"].into_iter().zip([0, 1, 60, 120]).map(row).collect::<String>(),
    );
    let command = format!("predict {iris} --data rows.csv");
    (folder, command)
}

fn values(line: &str) -> Vec<f64> {
    line.split(',').filter_map(|field| field.parse().ok()).collect()
}

#[test]
fn classes_come_with_probabilities_and_columns_that_are_kept() {
    let (folder, predict) = iris("classes-keep");
    let all = folder.ok(&predict).out;
    let out = folder.ok(&format!("{predict} --keep id,species --only species")).out;
    let mut lines = out.lines();
    assert_eq!(lines.next(), Some("id,table.species,species,species.probability"));
    for (line, all) in lines.zip(all.lines().skip(1)) {
        // It is the largest of the three that softmax gives.
        let fields: Vec<&str> = line.split(',').collect();
        let probabilities = &values(all)[3..6];
        let largest = probabilities.iter().copied().fold(0.0, f64::max);
        assert_eq!(fields[1], fields[2], "{line}");
        assert_eq!(fields[3].parse::<f64>().unwrap(), largest, "{line}");
    }
    assert!(out.contains("\n007,setosa,") && out.contains("\nb 8,versicolor,"), "{out}");
    let json = folder.ok(&format!("{predict} --keep all --format jsonl")).out;
    let rows: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&rows[0]["id"], &rows[2]["id"]), (&"007".into(), &9.into()));
    assert_eq!(rows[1]["table.species"], rows[1]["species"]);
    assert_eq!(rows[0]["probs"].as_array().unwrap().len(), 3);

    let top = folder.ok(&format!("{predict} --only species --top 2")).out;
    let header = "species,species.probability,species.2,species.2.probability";
    assert_eq!(top.lines().next(), Some(header));
    for (line, all) in top.lines().zip(all.lines()).skip(1) {
        let mut probabilities = values(all)[3..6].to_vec();
        probabilities.sort_by(|a, b| b.total_cmp(a));
        assert_eq!(values(line), probabilities[..2], "{line}");
    }
}

/// Probabilities of logits are those that a net gives that has softmax for an output.
#[test]
fn probabilities_are_told_where_the_net_gives_logits() {
    let folder = Folder::new("classes-logits");
    let net = |outputs: &str| {
        format!(
            "net n {{ input x: [N, 2]  z = x |> dense(3)  {outputs} }}\n\
             train {{ target kind: i32[N] in [\"a\", \"b\", \"c\"]\n\
             loss = cross_entropy(z, kind)  optimizer = sgd(lr: 0.5)  epochs = 20 }}"
        )
    };
    folder.write("n.csv", "x.0,x.1,kind\n0,0,a\n1,0,b\n0,1,c\n");
    let found = |outputs: &str| {
        folder.write("n.net", net(outputs));
        folder.ok("train n.net -q");
        folder.ok("compile n.net -q");
        let out = folder.ok("predict n.net --only kind").out;
        let data = "--data n.csv --weights n.safetensors";
        assert_eq!(folder.ok(&format!("predict n.netc {data} --only kind")).out, out);
        let rows = out.lines().skip(1).map(|line| {
            let (class, probability) = line.split_once(',').unwrap();
            (class.to_string(), probability.parse::<f64>().unwrap())
        });
        rows.collect::<Vec<_>>()
    };
    let softmax = found("output probs = softmax(z)");
    assert_eq!(softmax.iter().map(|(class, _)| &**class).collect::<String>(), "abc");
    for other in ["output logits = z", "output logs = log_softmax(z)"] {
        for ((class, p), (expected, q)) in found(other).into_iter().zip(&softmax) {
            assert!(class == *expected && (p - q).abs() < 1e-6, "{other}: {p}, not {q}");
        }
    }
}

#[test]
fn a_threshold_chooses_one_of_two() {
    let folder = Folder::new("classes-threshold");
    let net = |output: &str, loss: &str| {
        format!(
            "net n {{ input x: [N, 1]  output z = x |> dense(1){output} }}\n\
             train {{ target t: [N, 1]  loss = {loss}(z, t)\n\
             optimizer = sgd(lr: 0.5)  epochs = 50 }}"
        )
    };
    folder.write("n.csv", "x,t\n-1,0\n0,1\n1,1\n");
    let column = |out: &str, at: usize| -> Vec<f64> {
        let field = |line: &str| line.split(',').nth(at).unwrap().parse().unwrap();
        out.lines().skip(1).map(field).collect()
    };
    for (output, loss) in [("", "bce_logits"), (" |> sigmoid", "bce")] {
        folder.write("n.net", net(output, loss));
        folder.ok("train n.net -q");
        let raw = folder.ok("predict n.net").out;
        assert_eq!(raw.lines().next(), Some("z"));
        let sigmoid = |z: f64| if output.is_empty() { 1.0 / (1.0 + (-z).exp()) } else { z };
        let ones: Vec<f64> = column(&raw, 0).into_iter().map(sigmoid).collect();
        // The middle row is 1 from its own probability on, and no further.
        for (threshold, expected) in
            [(ones[1] - 1e-4, [0.0, 1.0, 1.0]), (ones[1] + 1e-4, [0.0, 0.0, 1.0])]
        {
            let out = folder.ok(&format!("predict n.net --threshold {threshold} --only t")).out;
            assert_eq!(out.lines().next(), Some("t,t.probability"));
            assert_eq!(column(&out, 0), expected, "{loss}");
            for ((class, p), one) in column(&out, 0).iter().zip(column(&out, 1)).zip(&ones) {
                let expected = if *class == 1.0 { *one } else { 1.0 - one };
                assert!((p - expected).abs() < 1e-6, "{loss}: {p}, not {expected}");
            }
        }
    }
    folder.fails(
        "predict n.net --only t",
        2,
        "error: \"t\" is a share from 0 to 1, and no class\n\
         help: --threshold says from where on it is 1",
    );
    folder.fails(
        "predict n.net --threshold 1.5",
        2,
        "error: invalid value '1.5' for '--threshold <CLASS=P>': \
         \"1.5\" is no probability from 0 to 1\n\n\
         For more information, try '--help'.",
    );
}

#[test]
fn what_does_not_fit_is_told_with_a_way_out() {
    let (folder, predict) = iris("classes-errors");
    let fails = |args: &str, code: i32, told: &str| {
        folder.fails(&format!("{predict} {args}"), code, told);
    };
    let help = "help: did you mean \"id\"?";
    fails(
        "--keep idd",
        3,
        &format!("error: rows.csv:1: there is no column \"idd\", to keep\n{help}"),
    );
    let text = "error: species has 3 classes, and a threshold is for two";
    fails("--threshold 0.5", 2, &format!("{text}\nhelp: --top 3 gives the most probable ones"));
    let text = "error: --top 4, but species has 3 classes";
    fails("--top 4", 2, &format!("{text}\nhelp: take a number from 1 to 3"));
    let text = "error: --only names \"spcies\", which the net does not predict";
    fails("--only spcies", 2, &format!("{text}\nhelp: did you mean \"species\"?"));
    let text = "error: --keep copies text, and --format npy holds numbers alone";
    fails("--keep id --format npy", 2, &format!("{text}\nhelp: write csv, json or jsonl"));
    let text = "error: npy holds numbers, and classes may be words";
    fails("--only species --format npy", 2, &format!("{text}\nhelp: write csv, json or jsonl"));
    let binary = "net n { input x: [N, 1]  output z = x |> dense(2) }\n\
                  train { target t: i32[N] in [\"no\", \"yes\"]  loss = cross_entropy(z, t)\n\
                  optimizer = sgd(lr: 0.5)  epochs = 1 }";
    folder.write("n.net", binary);
    folder.write("n.csv", "x,t\n0,no\n1,yes\n");
    folder.ok("train n.net -q");
    folder.fails(
        "predict n.net --threshold 0.7",
        2,
        "error: a threshold is of one class, and those of t are no, yes\n\
         help: name it: --threshold yes=0.7",
    );
    folder.fails(
        "predict n.net --data x=x.npy --keep 0",
        2,
        "error: --keep copies columns of a table, and --data names files of arrays\n\
         help: leave --keep out",
    );
    let out = folder.ok("predict n.net --threshold yes=0 --only t").out;
    assert!(out.lines().skip(1).all(|line| line.starts_with("yes,")), "{out}");
}
