//! Embeddings in the whole machine: PyTorch's values, sums in a fixed order on any number of
//! threads, and indices that come from a table, from an application, or are out of range.

use crate::common::{Numbers, compile, executor, worth_sharing};
use arenet::{Error, ErrorKind, Net};
use arenet_runtime::exec::EntryPoint;
use arenet_runtime::program::Verified;
use arenet_runtime::program::listing::listing;
use arenet_runtime::simd::Isa;
use serde_json::Value;
use std::sync::Arc;

/// A table for indices of any shape, whose gradient by the loss is made of the target's rows.
fn source(index: &str, domain: &str, dy: &str, columns: usize) -> String {
    format!(
        "net n {{ input word: i32{index} in {domain}  output y = embedding(word, {columns}) }}
         train {{ target dy: {dy}  loss = sum(y * dy)  optimizer = sgd(lr: 1) }}"
    )
}

/// What is looked up, and what a step with learning rate 1 takes off the table, on every
/// instruction set and with one to four threads, which all give the same bits.
fn look_up_and_step(
    program: &Arc<Verified>,
    table: &[f32],
    index: &[i32],
    dy: &[f32],
) -> (Vec<f32>, Vec<f32>) {
    let mut first: Option<(Vec<f32>, Vec<f32>)> = None;
    for isa in Isa::available() {
        for threads in 1..=4 {
            let program = if threads > 1 { worth_sharing(program) } else { program.clone() };
            let mut executor = executor(&program, threads, isa, 1.0);
            let program = program.program();
            let (input, target) = (&program.inputs[0], &program.targets[0]);
            let rows = index.len() / input.width as usize;
            // A full batch before leaves rows behind that a smaller one may not see.
            let batch = program.batch as usize;
            executor
                .write_indices(input, 0, &vec![index[0]; batch * input.width as usize])
                .unwrap();
            executor
                .write_floats(target, 0, &vec![f32::NAN; batch * target.width as usize])
                .unwrap();
            executor.run(EntryPoint::Train, batch).unwrap();
            executor.write(program.params[0].buffer, table).unwrap();
            executor.write_indices(input, 0, index).unwrap();
            executor.write_floats(target, 0, dy).unwrap();
            executor.run(EntryPoint::Predict, rows).unwrap();
            let mut found = Vec::new();
            executor.read_rows(program.outputs[0].buffer, rows, &mut found);
            executor.run(EntryPoint::Train, rows).unwrap();
            let left = executor.read(program.params[0].buffer);
            let results = (found, left);
            let first = first.get_or_insert_with(|| results.clone());
            assert!(*first == results, "{isa} with {threads} threads differs from the first run");
        }
    }
    first.expect("there is an instruction set")
}

fn flat(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(flat).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

fn floats(value: &Value) -> Vec<f32> {
    flat(value).iter().map(|&x| x as f32).collect()
}

#[test]
fn values_and_gradients_are_those_of_pytorch() {
    let path = format!("{}/tests/reference/layers.json", env!("CARGO_MANIFEST_DIR"));
    let reference: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = reference["cases"].as_array().unwrap();
    let case = cases.iter().find(|case| case["layer"] == "embedding").unwrap();
    let index: Vec<i32> = flat(&case["ids"]).iter().map(|&id| id as i32).collect();
    let table = floats(&case["state"]["weight"]);
    let program = compile(&source("[N, 2]", "0..7", "[N, 2, 4]", 4), 5);
    let (found, left) = look_up_and_step(&program, &table, &index, &floats(&case["dy"]));
    assert_eq!(found, floats(&case["y"]));
    let grads = flat(&case["param_grads"]["weight"]);
    for (i, ((left, before), grad)) in left.iter().zip(&table).zip(grads).enumerate() {
        let expected = f64::from(*before) - grad;
        assert!((f64::from(*left) - expected).abs() < 1e-6, "element {i}: {left}, not {expected}");
    }
}

#[test]
fn a_program_says_what_is_looked_up_and_what_is_added() {
    let program = compile(&source("[N, 2]", "0..7", "[N, 2, 4]", 4), 5);
    let program = program.program();
    let formulas = |entry| -> Vec<String> {
        let text = listing(program, entry);
        let is_formula = |line: &&str| line.starts_with("    ") && line.contains("word");
        text.lines().filter(is_formula).map(|line| line.trim().to_string()).collect()
    };
    assert_eq!(formulas(EntryPoint::Predict), ["y = y.w[word]"]);
    assert_eq!(formulas(EntryPoint::Train), ["%7 = scatter_add(dy, word)", "%8 = y.w[word]"]);
}

#[test]
fn rows_are_added_in_their_order() {
    let mut numbers = Numbers::new(3);
    for (values, columns, rows, batch) in
        [(1, 1, 3, 3), (3, 5, 40, 64), (100, 16, 200, 200), (50, 70, 333, 400), (2, 256, 17, 17)]
    {
        let program = compile(
            &source("[N]", &format!("0..{values}"), &format!("[N, {columns}]"), columns),
            batch,
        );
        let index: Vec<i32> =
            (0..rows).map(|_| (numbers.next() * f64::from(values)) as i32).collect();
        let dy = numbers.floats(rows * columns);
        let (_, left) =
            look_up_and_step(&program, &vec![0.0; values as usize * columns], &index, &dy);
        let mut sums = vec![0.0f32; left.len()];
        for (dy, index) in dy.chunks(columns).zip(index) {
            let sums = &mut sums[index as usize * columns..];
            sums.iter_mut().zip(dy).for_each(|(sum, dy)| *sum += dy);
        }
        let expected: Vec<f32> = sums.iter().map(|sum| 0.0 - sum).collect();
        assert_eq!(left, expected, "{rows} rows of {columns} into {values}");
    }
}

const NET: &str = "
net colors {
    input color: i32[N] in [\"red\", \"green\", \"blue\"]
    input size: i32[N, 2] in 1..5
    a = color |> embedding(4)
    b = size |> embedding(4, init: zeros)
    output y = a |> dense(1)
    output z = b |> dense(1)
}
train {
    target t: [N, 1]
    loss = mse(y, t) + 0.1 * mean(z * z)
    optimizer = adam(lr: 0.05)
    batch = 2
}";

#[test]
fn indices_come_from_tables_and_applications() -> Result<(), Error> {
    let net = Net::parse(NET)?;
    let table = "color,size.0,size.1,t\nred,1,2,1\ngreen,3,4,0\nblue,1,1,0.5\nred,4,4,1\n";
    let data = net.reader().csv_from(table.as_bytes(), "colors.csv")?;
    let mut trainer = net.trainer(data).seed(1).build()?;
    let report = trainer.train()?;
    assert!(report.loss.is_finite());

    let mut trainer = net.online_trainer().seed(1).build()?;
    let (mut y, mut z) = ([[0.0f32]; 2], [[[0.0f32]; 2]; 2]);
    let rows = (&[0, 2], &[[1, 4], [2, 2]]);
    for _ in 0..300 {
        trainer.step(&rows, &[[1.0], [-1.0]])?;
    }
    trainer.predict_into(&rows, &mut (&mut y[..], z.as_flattened_mut()))?;
    assert!((y[0][0] - 1.0).abs() < 0.05 && (y[1][0] + 1.0).abs() < 0.05, "{y:?}");
    Ok(())
}

#[test]
fn an_index_out_of_range_is_told() -> Result<(), Error> {
    let net = Net::parse(NET)?;
    let refuses = |error: Option<Error>, expected: &str| {
        let error = error.expect("it is refused");
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Data, expected));
    };
    let header = "color,size.0,size.1,t\nred,1,2,1\n";
    let read =
        |row: &str| net.reader().csv_from(format!("{header}{row}").as_bytes(), "c.csv").err();
    let help = "help: correct it, or widen the range of size in the net";
    for (row, wrong) in [("red,1,5,0", "2 (size.1): 5"), ("red,0,4,0", "1 (size.0): 0")] {
        refuses(read(row), &format!("c.csv:3: column {wrong} is outside 1..5\n{help}"));
    }
    refuses(
        read("rot,1,4,0"),
        "c.csv:3: column 0 (color): \"rot\" is not a class of the model\n\
         help: the classes are red, green, blue",
    );
    let mut trainer = net.online_trainer().build()?;
    let mut step = |color: i32, size: [i32; 2]| trainer.step(&(&[color], &[size]), &[[0.0]]).err();
    refuses(step(3, [1, 1]), "`color` is 3 in row 0, outside 0..3");
    refuses(step(-1, [1, 1]), "`color` is -1 in row 0, outside 0..3");
    refuses(step(0, [1, i32::MAX]), "`size` is 2147483647 in row 0, outside 1..5");
    let real = trainer.step(&(&[0.0f32], &[[1, 1]]), &[[0.0]]).err();
    refuses(real, "`color` takes integers, not real numbers");
    Ok(())
}
