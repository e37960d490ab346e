//! The examples of explanations that have rows: what is told of them in a training.

use arenet::internals::compiler::code::Code;
use arenet::{Error, Net};
use pretty_assertions::assert_eq;

/// How often the rows before `...` come.
const MANY: usize = 50;

/// A table, with many rows in place of `...`.
fn table(text: &str) -> String {
    let Some((before, after)) = text.split_once("...\n") else { return text.to_string() };
    let (header, rows) = before.split_once('\n').unwrap();
    // The first row may be of a rare kind.
    let (first, more) = rows.split_once('\n').unwrap();
    let more = if after.is_empty() { rows } else { more };
    format!("{header}\n{first}\n{}{after}", more.repeat(MANY))
}

/// The codes of what is told before a training, and where it is `run`, in it and after it.
fn told(net: &str, rows: &str, run: bool) -> Result<Vec<&'static str>, Error> {
    let net = Net::parse(net)?;
    let data = net.reader().csv_from(table(rows).as_bytes(), "rows")?;
    let mut trainer = net.trainer(data).threads(1).build()?;
    let mut codes: Vec<&str> = trainer.lints().codes().collect();
    match run.then(|| trainer.train()).transpose() {
        Ok(None) => {}
        Ok(Some(_)) => codes.extend(trainer.diagnosis().codes()),
        Err(error) => codes.extend(error.located(None).iter().flat_map(|found| found.codes())),
    }
    Ok(codes)
}

#[test]
fn an_example_is_told_and_its_cure_is_not() {
    let mut others = Vec::new();
    for &code in Code::ALL {
        let fenced = code.explanation().split("```").skip(1).step_by(2);
        let parts: Vec<(&str, &str)> = fenced.map(|part| part.split_once('\n').unwrap()).collect();
        let (wrong, cured, rows, other) = match parts[..] {
            [("net", wrong), ("csv", rows), ("net", cured)] => (wrong, cured, rows, rows),
            [("net", wrong), ("csv", rows), ("net", cured), ("csv", other)] => {
                (wrong, cured, rows, other)
            }
            _ => continue,
        };
        let told =
            |net, rows, run| told(net, rows, run).unwrap_or_else(|error| panic!("{code}: {error}"));
        let run = told(wrong, rows, false).is_empty();
        let told = (told(wrong, rows, run), told(cured, other, run));
        others.extend((told != (vec![code.name()], vec![])).then_some((code, told)));
    }
    assert_eq!(others, []);
}
