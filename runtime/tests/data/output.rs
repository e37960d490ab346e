//! Predictions as text, and as a matrix.

use std::io;

use arenet_runtime::data::output::{Form, Format, Part, Writer};
use arenet_runtime::data::{Dataset, Kept, PortSpec, TableSpec, read_csv};
use arenet_runtime::program::{self, BufferId, Domain, Port, Program, Scale, Scores};
use pretty_assertions::assert_eq;

/// An output with its values.
#[derive(Clone)]
pub struct Output<'a> {
    name: &'a str,
    width: usize,
    values: &'a [f32],
    /// The target that it scores, its domain, and how.
    scores: Option<(&'a str, Domain, Scale)>,
}

pub fn plain<'a>(name: &'a str, width: usize, values: &'a [f32]) -> Output<'a> {
    Output { name, width, values, scores: None }
}

fn scores<'a>(of: Output<'a>, target: &'a str, domain: Domain, scale: Scale) -> Output<'a> {
    Output { scores: Some((target, domain, scale)), ..of }
}

fn names(names: [&str; 2]) -> Domain {
    Domain::Names(names.map(String::from).into())
}

/// A program with these outputs.
fn program(outputs: &[Output<'_>]) -> Program {
    let mut program = Program::default();
    for Output { name, width, scores, .. } in outputs {
        let scores = scores.clone().map(|(target, domain, scale)| {
            let known = program.targets.iter().position(|known| known.name == target);
            let target = known.unwrap_or_else(|| {
                let name = target.to_string();
                program.targets.push(Port { name, width: 1, domain, ..Port::default() });
                program.targets.len() - 1
            });
            Scores { target: target as u32, scale }
        });
        let (name, width, buffer) = (name.to_string(), *width as u64, BufferId(0));
        program.outputs.push(program::Output { name, width, buffer, scores });
    }
    program
}

/// What is written of all rows at once, which is what is written of them in parts.
fn formed(
    form: &Form,
    rows: usize,
    outputs: &[Output<'_>],
    kept: Option<&Kept>,
) -> Result<Vec<u8>, String> {
    let program = program(outputs);
    let write = |most: usize| -> Result<Vec<u8>, String> {
        let writer = Writer::new(&program, form);
        let writer = writer.map_err(|misfit| format!("{misfit}; {}", misfit.help))?;
        let (mut writer, mut bytes) = (writer.of_rows(rows), Vec::new());
        for first in (0..rows).step_by(most) {
            let rows = most.min(rows - first);
            let values = |output: &Output<'_>| {
                output.values[first * output.width..][..rows * output.width].to_vec()
            };
            let outputs: Vec<Vec<f32>> = outputs.iter().map(values).collect();
            let kept = kept.map(|kept| (kept, first));
            writer.write(&mut bytes, &Part { rows, outputs: &outputs, kept }).unwrap();
        }
        writer.finish(&mut bytes).unwrap();
        Ok(bytes)
    };
    let bytes = write(rows.max(1))?;
    assert!(write(1)? == bytes);
    Ok(bytes)
}

/// All of it in this format.
pub fn written(format: Format, rows: usize, outputs: &[Output<'_>]) -> Vec<u8> {
    formed(&Form::new(format), rows, outputs, None).unwrap()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[track_caller]
fn check(rows: usize, outputs: &[Output<'_>], csv: &str, json: &str) {
    check_form(|form| form, rows, outputs, csv, json);
}

#[track_caller]
fn check_form(
    form: impl Fn(Form) -> Form,
    rows: usize,
    outputs: &[Output<'_>],
    csv: &str,
    json: &str,
) {
    let written = |format| text(formed(&form(Form::new(format)), rows, outputs, None).unwrap());
    assert_eq!(written(Format::Csv), csv);
    let array = written(Format::Json);
    assert_eq!(array, json);
    let values: Vec<serde_json::Value> = serde_json::from_str(&array).unwrap();
    let lines = written(Format::Jsonl);
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, values);
}

#[track_caller]
fn refuses(form: Form, outputs: &[Output<'_>], expected: &str) {
    assert_eq!(formed(&form, 0, outputs, None).unwrap_err(), expected);
}

#[test]
fn one_output_of_one_column() {
    check(
        3,
        &[plain("y", 1, &[1.0, 0.1, 1e-30])],
        "y\n1.0\n0.1\n1e-30\n",
        "[\n{\"y\": 1.0},\n{\"y\": 0.1},\n{\"y\": 1e-30}\n]\n",
    );
    check(0, &[plain("y", 1, &[])], "y\n", "[\n]\n");
}

#[test]
fn several_outputs_and_classes() {
    let probs = plain("p", 2, &[0.25, 0.75, 0.5, 0.5]);
    let domain = names(["a", "b, \"c\""]);
    check(
        2,
        &[plain("y", 1, &[-1.5, 2.0]), scores(probs, "kind", domain, Scale::Probability)],
        "y,p.a,\"p.b, \"\"c\"\"\",kind,kind.probability\n\
         -1.5,0.25,0.75,\"b, \"\"c\"\"\",0.75\n2.0,0.5,0.5,a,0.5\n",
        "[\n\
         {\"y\": -1.5, \"p\": [0.25, 0.75], \"kind\": \"b, \\\"c\\\"\", \
         \"kind.probability\": 0.75},\n\
         {\"y\": 2.0, \"p\": [0.5, 0.5], \"kind\": \"a\", \"kind.probability\": 0.5}\n]\n",
    );
}

/// Classes are told as the user counts them, and numbers are no strings. Where nothing says how
/// probable they are, no probability is told.
#[test]
fn numbered_classes() {
    let p = plain("p", 3, &[3.0, 2.0, 1.0, 0.0, 0.0, 0.5]);
    check(
        2,
        &[scores(p, "k", Domain::Range(-1, 2), Scale::Order)],
        "p.-1,p.0,p.1,k\n3.0,2.0,1.0,-1\n0.0,0.0,0.5,1\n",
        "[\n{\"p\": [3.0, 2.0, 1.0], \"k\": -1},\n{\"p\": [0.0, 0.0, 0.5], \"k\": 1}\n]\n",
    );
}

/// Softmax of ln 1, ln 2 and ln 5 is 1/8, 2/8 and 5/8, and what is added to all of them changes
/// nothing, also where e to that power is none.
#[test]
fn probabilities_of_logits() {
    let logits: Vec<f32> = [0.0, 1e4]
        .iter()
        .flat_map(|shift| {
            [1.0f32, 2.0, 5.0]
                .map(|share| if *shift == 0.0 { share.ln() } else { shift + share - 1.0 })
        })
        .collect();
    let domain = || Domain::Range(0, 3);
    let logits_of = |logits| [scores(plain("z", 3, logits), "k", domain(), Scale::Logit)];
    let only = |form: Form| form.only(["k"]);
    let bytes = |rows, logits| formed(&only(Form::new(Format::Csv)), rows, logits, None).unwrap();
    let both = logits_of(&logits);
    let found = text(bytes(2, &both));
    let mut lines = found.lines().skip(1).map(|line| line.split_once(',').unwrap());
    let mut next = || lines.next().map(|(class, p)| (class, p.parse::<f32>().unwrap())).unwrap();
    assert_eq!(next(), ("2", 0.625));
    let (class, probability) = next();
    let expected = 1.0 / (1.0 + (-3f64).exp() + (-4f64).exp());
    assert!(class == "2" && (f64::from(probability) - expected).abs() < 1e-7, "{probability}");
    // Of logarithms of probabilities, e to the power is all.
    let logs = [0.125f32.ln(), 0.25f32.ln(), 0.625f32.ln()];
    let logs = [scores(plain("z", 3, &logs), "k", domain(), Scale::Log)];
    assert_eq!(text(bytes(1, &logs)), "k,k.probability\n2,0.625\n");
}

/// Of several outputs with scores, the last gives the class.
#[test]
fn the_most_probable_classes() {
    let logits = plain("z", 3, &[1.0, 3.0, 2.0, 0.0, 0.0, 0.0]);
    let probs = plain("p", 3, &[0.1, 0.6, 0.3, 0.25, 0.5, 0.25]);
    let domain = || Domain::Range(4, 7);
    let outputs = [
        scores(logits, "k", domain(), Scale::Logit),
        scores(probs, "k", domain(), Scale::Probability),
    ];
    check_form(
        |form| form.only(["k", "z"]).top(2),
        2,
        &outputs,
        "k,k.probability,k.2,k.2.probability,z.4,z.5,z.6\n\
         5,0.6,6,0.3,1.0,3.0,2.0\n5,0.5,4,0.25,0.0,0.0,0.0\n",
        "[\n\
         {\"k\": 5, \"k.probability\": 0.6, \"k.2\": 6, \"k.2.probability\": 0.3, \
         \"z\": [1.0, 3.0, 2.0]},\n\
         {\"k\": 5, \"k.probability\": 0.5, \"k.2\": 4, \"k.2.probability\": 0.25, \
         \"z\": [0.0, 0.0, 0.0]}\n\
         ]\n",
    );
    let form = || Form::new(Format::Csv);
    let most = "but k has 3 classes; take a number from 1 to 3";
    refuses(form().top(4), &outputs, &format!("`top(4)`, {most}"));
    refuses(form().top(0), &outputs, &format!("`top(0)`, {most}"));
    refuses(
        form().threshold(0.5),
        &outputs,
        "k has 3 classes, and a threshold is for two; `top(3)` gives the most probable ones",
    );
    refuses(
        form().only(["q"]),
        &outputs,
        "`only` names \"q\", which the net does not predict; its outputs and classes are z, p, k",
    );
    refuses(
        form().only(["z"]).top(2),
        &outputs,
        "`top` is for classes, and no output predicts any; name a target in `only`",
    );
    refuses(
        form().top(2),
        &[plain("y", 2, &[])],
        "`top` is for classes, and no output predicts any; an output does that where \
         cross_entropy, nll, bce or a metric of classes compares it with a target",
    );
    refuses(
        Form::new(Format::Npy).only(["k"]),
        &outputs,
        "npy holds numbers, and classes may be words; write csv, json or jsonl",
    );
}

#[test]
fn one_of_two_classes_from_a_probability_on() {
    let p = || plain("p", 2, &[0.3, 0.7, 0.4, 0.6]);
    let words = [scores(p(), "answer", names(["no", "yes"]), Scale::Probability)];
    let with = |least: f32, rows: &str| {
        let form = Form::new(Format::Csv).only(["answer"]).threshold_of("yes", least);
        let csv = text(formed(&form, 2, &words, None).unwrap());
        assert_eq!(csv, format!("answer,answer.probability\n{rows}"));
    };
    with(0.7, "yes,0.7\nno,0.4\n");
    with(0.0, "yes,0.7\nyes,0.6\n");
    with(1.0, "no,0.3\nno,0.4\n");
    let form = || Form::new(Format::Csv);
    refuses(
        form().threshold(0.5),
        &words,
        "a threshold is of one class, and those of answer are no, yes; \
         name it: `threshold_of(\"yes\", 0.5)`",
    );
    refuses(
        form().threshold_of("yess", 0.5),
        &words,
        "answer has no class \"yess\"; did you mean \"yes\"?",
    );
    refuses(
        form().threshold_of("yes", 0.5).top(2),
        &words,
        "`top(2)` ranks classes, and `threshold` chooses one; leave one of them out",
    );
    let order = [scores(p(), "k", Domain::Range(0, 2), Scale::Order)];
    refuses(
        form().threshold(0.5),
        &order,
        "nothing says how probable the classes of k are; \
         train with cross_entropy, nll or bce, or give their softmax as an output",
    );
}

/// A share is no class until somebody says from where on it is 1. Sigmoid of ln 3 is 3/4.
#[test]
fn shares_have_classes_by_a_threshold() {
    let ln_3 = 3.0f32.ln();
    let values = [ln_3, -ln_3, f32::NAN];
    let z = plain("z", 1, &values);
    let share = || Domain::Interval(0.0, 1.0);
    let z = [scores(z, "t", share(), Scale::Logit)];
    let form = Form::new(Format::Csv);
    let csv = |form: &Form| text(formed(form, 3, &z, None).unwrap());
    let raw = format!("z\n{ln_3:?}\n-{ln_3:?}\nNaN\n");
    assert_eq!(csv(&form), raw);
    let form = form.only(["t"]);
    assert_eq!(csv(&form.clone().threshold(0.75)), "t,t.probability\n1,0.75\n0,0.75\n,NaN\n");
    assert_eq!(
        csv(&form.clone().threshold_of("0", 0.2)),
        "t,t.probability\n0,0.25\n0,0.75\n,NaN\n"
    );
    refuses(
        form,
        &z,
        "\"t\" is a share from 0 to 1, and no class; `threshold` says from where on it is 1",
    );
    let p = plain("p", 2, &[0.75, 0.5]);
    check_form(
        |form| form.threshold(0.6),
        1,
        &[scores(p, "t", share(), Scale::Probability)],
        "p.0,p.1,t.0,t.1,t.probability.0,t.probability.1\n0.75,0.5,1,0,0.75,0.5\n",
        "[\n{\"p\": [0.75, 0.5], \"t\": [1, 0], \"t.probability\": [0.75, 0.5]}\n]\n",
    );
}

#[test]
fn what_is_not_finite() {
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    let values = [nan, -inf, nan, nan];
    let p = plain("p", 2, &values);
    check(
        2,
        &[scores(p, "k", names(["a", "b"]), Scale::Probability)],
        "p.a,p.b,k,k.probability\nNaN,-inf,b,-inf\nNaN,NaN,,\n",
        "[\n\
         {\"p\": [null, null], \"k\": \"b\", \"k.probability\": null},\n\
         {\"p\": [null, null], \"k\": null, \"k.probability\": null}\n]\n",
    );
}

/// Rows of `x`, with columns that are kept.
fn kept(table: &str, keep: &str) -> Result<Dataset, String> {
    let x = [PortSpec { name: "x".into(), width: 1, ..PortSpec::default() }];
    let keep = [keep.to_string()];
    let spec = TableSpec { keep: &keep, ..TableSpec::new(&x, &[]) };
    read_csv(table.as_bytes(), "t", &spec).map_err(|error| format!("{error:#}"))
}

#[test]
fn columns_of_the_table_stand_in_front() {
    let table = "id,x,name,y\n007,1.50,\"a, \"\"b\"\"\",\n-3,2,,true\n";
    let written = |format, table: &str, keep: &str| {
        let rows = kept(table, keep).unwrap();
        let y = [plain("y", 1, &[1.0, 2.0])];
        text(formed(&Form::new(format), 2, &y, rows.kept.as_ref()).unwrap())
    };
    let csv = |table: &str, keep| written(Format::Csv, table, keep);
    assert_eq!(csv(table, "name,id"), "name,id,y\n\"a, \"\"b\"\"\",007,1.0\n,-3,2.0\n");
    let all = "id,x,name,table.y,y\n007,1.50,\"a, \"\"b\"\"\",,1.0\n-3,2,,true,2.0\n";
    assert_eq!(csv(table, "all"), all);
    assert_eq!(csv(table, "0..4,id"), all);
    // Numbers stay numbers, and what only looks like one stays as it is.
    let jsonl = written(Format::Jsonl, table, "all");
    let expected = "{\"id\": \"007\", \"x\": 1.50, \"name\": \"a, \\\"b\\\"\", \"table.y\": null, \
                    \"y\": 1.0}\n\
                    {\"id\": -3, \"x\": 2, \"name\": null, \"table.y\": \"true\", \"y\": 2.0}\n";
    assert_eq!(jsonl, expected);
    let objects = "{\"id\": \"7\", \"x\": 1, \"new\": true}\n{\"x\": 2}\n";
    let expected =
        "{\"id\": \"7\", \"new\": true, \"y\": 1.0}\n{\"id\": null, \"new\": null, \"y\": 2.0}\n";
    assert_eq!(written(Format::Jsonl, objects, "id,new"), expected);
    // Without a header, what is kept is not needed elsewhere unless it has to be.
    assert_eq!(csv("7,1\n8,2\n", "0"), "column_0,y\n7,1.0\n8,2.0\n");
    assert_eq!(csv("1\n2\n", "0"), "column_0,y\n1,1.0\n2,2.0\n");
    // A name may have a comma.
    assert_eq!(csv("\"a,b\",x\n7,1\n8,2\n", "a,b"), "\"a,b\",y\n7,1.0\n8,2.0\n");
}

#[test]
fn columns_that_cannot_be_kept() {
    let refuses = |table: &str, keep: &str, expected: &str| {
        assert_eq!(kept(table, keep).unwrap_err(), expected);
    };
    let meant = "t:1: there is no column \"idd\", to keep\nhelp: did you mean \"id\"?";
    refuses("id,x\n1,2\n", "idd", meant);
    refuses("id,x\n1,2\n", "x,idd", meant);
    let counted = "help: columns are counted from 0, and the end of a range is not part of it";
    let place = format!("t:1: `keep` gives 2, but the table has 2 columns\n{counted}");
    refuses("id,x\n1,2\n", "2", &place);
    let range = format!("t:1: `keep` gives 1..3, but the table has 2 columns\n{counted}");
    refuses("id,x\n1,2\n", "1..3", &range);
    refuses(
        "1,2\n",
        "id",
        "t:1: `keep` names the column \"id\", but the table has no header\n\
         help: say where it is, from 0: `keep(\"0\")`; or `header(true)` \
         if its first row is a header",
    );
    refuses(
        "id,x,id\n1,2,3\n",
        "id",
        "t:1: the header has \"id\" more than once\nhelp: give each column a name of its own",
    );
    let x = [PortSpec { name: "x".into(), width: 1, ..PortSpec::default() }];
    let keep = ["id".to_string()];
    let spec = TableSpec { keep: &keep, ..TableSpec::new(&x, &[]) };
    let error = read_csv(&b"id,x\n\xFF,2\n"[..], "t", &spec).unwrap_err();
    assert_eq!(error.to_string(), "t:2: column 0 (id): is not valid UTF-8");
}

#[test]
fn a_matrix_has_all_columns() {
    let outputs = [plain("a", 1, &[1.0, 4.0]), plain("b", 2, &[2.0, 3.0, 5.0, 6.0])];
    let bytes = written(Format::Npy, 2, &outputs);
    assert_eq!(super::array(&bytes, 3), Ok(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    let form = Form::new(Format::Npy).only(["b"]);
    let bytes = formed(&form, 2, &outputs, None).unwrap();
    assert_eq!(super::array(&bytes, 2), Ok(vec![2.0, 3.0, 5.0, 6.0]));
}

#[test]
fn mistakes() {
    let y = program(&[plain("y", 2, &[])]);
    let write = |format, values: &[f32], kept: Option<&Kept>| {
        let mut writer = Writer::new(&y, &Form::new(format)).unwrap();
        let outputs = [values.to_vec()];
        let part = Part { rows: 1, outputs: &outputs, kept: kept.map(|kept| (kept, 0)) };
        let error = writer.write(&mut Vec::new(), &part).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        error.to_string()
    };
    let short = "the outputs do not have the values of all rows";
    assert_eq!(write(Format::Csv, &[1.0], None), short);
    assert_eq!(write(Format::Npy, &[1.0, 2.0], None), "npy has its number of rows in front");
    let kept = "npy holds numbers, and no columns of the table";
    assert_eq!(write(Format::Npy, &[1.0, 2.0], Some(&Kept::default())), kept);
}
