//! Statistics of columns, taken of the rows that are trained on before the first step.

use crate::common::{
    Scratch, Tensor, Weights, bits, file_of, finish, floats, predictor_of, program, program_for,
    run_to, trainer, uniform,
};
use arenet::internals::prelude::*;
use arenet_runtime::data::MISSING;
use arenet_runtime::exec::Options as RunOptions;
use arenet_runtime::simd::Isa;
use pretty_assertions::assert_eq;
use serde_json::Value;

/// Every statistic, of an input, of what is made of it, and of other statistics.
const COLUMNS: &str = "
net columns {
    input x: [N, 5]
    s = x |> standardize
    m = min_max(x)
    mean = fill(x)
    median = x |> fill(with: median)
    zero = fill(x, with: 0)
    two = x |> abs |> log1p |> min_max |> standardize
    output prepared = s
    z = concat(s, m, mean / 1e5, median / 1e5, zero / 1e5, two) |> dense(1)
    output price = unstandardize(z, t)
}
train {
    target t: [N, 1]
    loss = mse(z, standardize(t))
    metric mae(price, t)
    optimizer = adam(lr: 0.01)
    batch = 8  epochs = 3
}";

/// scikit-learn's values: tests/reference/tables.json.
fn reference() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/tables.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn table() -> Dataset {
    let reference = reference();
    let column = |value: &Value| numbers(value).iter().map(|&x| x as f32).collect::<Vec<f32>>();
    let (x, t) = (column(&reference["given"]["x"]), column(&reference["target"]["t"]));
    Dataset {
        rows: t.len(),
        inputs: vec![floats(5, x)],
        targets: vec![floats(1, t)],
        ..Dataset::default()
    }
}

fn of(trainer: &Trainer, name: &str) -> Vec<f64> {
    let found = trainer.weights().into_iter().find(|tensor| tensor.name == name);
    found.unwrap_or_else(|| panic!("no {name}")).data.into_iter().map(f64::from).collect()
}

#[track_caller]
fn close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() <= 1e-7 * expected.abs().max(1e-6),
            "{found}, not {expected}"
        );
    }
}

#[test]
fn the_statistics_are_those_of_scikit_learn() {
    let (reference, run) = (reference(), trainer(COLUMNS, table(), &Settings::default()));
    let (given, target) = (&reference["given"], &reference["target"]);
    close(&of(&run, "s.mean"), &numbers(&given["mean"]));
    close(&of(&run, "s.deviation"), &numbers(&given["deviation"]));
    close(&of(&run, "m.min"), &numbers(&given["min"]));
    let ranges: Vec<f64> =
        numbers(&given["range"]).into_iter().map(|x| if x == 0.0 { 1.0 } else { x }).collect();
    close(&of(&run, "m.range"), &ranges);
    close(&of(&run, "mean.fill"), &numbers(&given["fill_mean"]));
    close(&of(&run, "median.fill"), &numbers(&given["fill_median"]));
    close(&of(&run, "t.mean"), &[target["mean"].as_f64().unwrap()]);
    close(&of(&run, "t.deviation"), &[target["deviation"].as_f64().unwrap()]);
    // Those of values that other statistics have made, in the order of the rows.
    let (least, range) = (of(&run, "two.0.min"), of(&run, "two.0.range"));
    let rows = numbers(&given["x"]);
    // The logarithms of the last column are the same but for rounding.
    for column in 0..4 {
        let scaled = rows.iter().skip(column).step_by(5);
        let scaled = scaled.map(|x| (x.abs().ln_1p() - least[column]) / range[column]);
        let mean = scaled.sum::<f64>() / (rows.len() / 5) as f64;
        assert!((of(&run, "two.1.mean")[column] - mean).abs() < 1e-4, "column {column}");
    }
}

#[test]
fn predictions_take_raw_rows_and_give_the_units_of_the_target() {
    let (net, data) = (arenet::Net::parse(COLUMNS).unwrap(), table());
    let mut run = trainer(COLUMNS, data.clone(), &Settings::default());
    let reports = finish(&mut run);
    // The loss is in deviations, the metric in units.
    assert!(reports[2].loss < 3.0 && reports[2].metrics[0].1 > 1e3, "{reports:?}");
    let Values::F32(x) = &data.inputs[0].data else { panic!() };
    let file = file_of(&run.weights(), &Default::default());
    let mut predictor = net.predictor_from_bytes(&file).unwrap();
    let mut prepared = vec![0.0; x.len()];
    let mut price = vec![0.0; data.rows];
    predictor.predict_into(&x[..], &mut (&mut prepared[..], &mut price[..])).unwrap();
    for (found, expected) in prepared.iter().zip(numbers(&reference()["given"]["standardize"])) {
        // Of the last column, the mean in 32 bits is off by up to 0.004, and its deviation is 0.5.
        assert!((f64::from(*found) - expected).abs() < 1e-2, "{found}, not {expected}");
    }
    assert!(price.iter().all(|price| *price > 1e4), "{price:?}");
}

#[test]
fn the_bits_are_the_same_for_any_batch_and_machine() {
    let start = |batch, run| {
        let settings = Settings { run, ..Settings::default() };
        bits(
            &Trainer::new(program_for(COLUMNS, Some(batch)), table(), &settings).unwrap().weights(),
        )
    };
    let expected = start(8, RunOptions::default());
    for isa in Isa::available() {
        for (batch, threads) in [(8, 1), (9, 2), (16, 3), (64, 4)] {
            let run = RunOptions { isa: Some(isa), threads: Some(threads), max_memory: None };
            assert!(start(batch, run) == expected, "batch {batch}, {threads} threads, {isa:?}");
        }
    }
}

#[test]
fn held_out_rows_do_not_count() {
    let last =
        Settings { valid: Some(0.5), split: Some(arenet::Split::Last), ..Settings::default() };
    let mut twice = table();
    twice.rows *= 2;
    for array in twice.inputs.iter_mut().chain(&mut twice.targets) {
        let Values::F32(values) = &mut array.data else { panic!() };
        let others: Vec<f32> = values.iter().map(|x| x * 3.0).collect();
        values.extend(others);
    }
    let (held, all) = (trainer(COLUMNS, twice, &last), trainer(COLUMNS, table(), &last));
    assert_eq!(held.validation_rows(), table().rows);
    let fitted = trainer(COLUMNS, table(), &Settings::default());
    for name in ["s.mean", "m.range", "median.fill", "two.1.deviation", "t.mean"] {
        assert_eq!(of(&held, name), of(&fitted, name), "{name}");
        assert!(of(&all, name) != of(&fitted, name), "{name}");
    }
}

#[test]
fn statistics_stay_and_are_resumed() {
    let file = Scratch::new("fits");
    let mut whole = trainer(COLUMNS, table(), &Settings::default());
    let before = ["s.mean", "t.deviation", "mean.fill"].map(|name| of(&whole, name));
    run_to(&mut whole, 7);
    whole.save_checkpoint(&file.0).unwrap();
    let reports = finish(&mut whole);
    let mut resumed = trainer(COLUMNS, table(), &Settings::default());
    resumed.resume(&file.0).unwrap();
    assert_eq!(finish(&mut resumed), reports);
    assert_eq!(bits(&resumed.weights()), bits(&whole.weights()));
    assert_eq!(before, ["s.mean", "t.deviation", "mean.fill"].map(|name| of(&whole, name)));
}

/// Holes of numbers and of classes.
const HOLES: &str = "
net holes {
    input x: [N, 5] missing
    input c: i32[N] in 0..3 missing
    s = x |> standardize
    output filled = fill(x, with: median)
    output given = fill(s, with: 100)
    output flags = concat(is_missing(x), is_missing(c))
    h = concat(fill(s), is_missing(clip(s, -2, 2)), one_hot(c)) |> dense(4) |> tanh
    output z = h |> dense(1)
}
train {
    target t: [N, 1]
    loss = mse(z, standardize(t))
    optimizer = adam(lr: 0.01)
    batch = 8  epochs = 2
}";

#[test]
fn holes_do_not_count_and_are_filled() {
    let holes = &reference()["holes"];
    let x: Vec<f64> =
        holes["x"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap_or(f64::NAN)).collect();
    let mut data = table();
    data.inputs[0] = floats(5, x.iter().map(|&x| x as f32).collect());
    let class = |row: usize| if row % 4 == 3 { MISSING } else { (row % 4) as i32 };
    let classes = (0..data.rows).map(class).collect();
    data.inputs.push(Array { width: 1, data: Values::I32(classes) });
    let inputs = data.inputs.clone();
    let rows = data.rows;
    let run = |isa, threads| {
        let run = RunOptions { isa: Some(isa), threads: Some(threads), max_memory: None };
        let settings = Settings { run, ..Settings::default() };
        let mut trainer = trainer(HOLES, data.clone(), &settings);
        let reports = finish(&mut trainer);
        assert!(reports.iter().all(|report| report.loss.is_finite()), "{reports:?}");
        let weights = trainer.weights();
        let mut predictor = predictor_of(program(HOLES), &weights, run).unwrap();
        let mut outputs = vec![Vec::new(); 4];
        let mut batches = predictor.batches(&inputs, rows).unwrap();
        while let Some(batch) = batches.advance().unwrap() {
            outputs.iter_mut().zip(batch.outputs).for_each(|(all, some)| all.extend(some));
        }
        (trainer, outputs)
    };
    let isas = Isa::available();
    let (trained, outputs) = run(isas[0], 1);
    for (isa, threads) in isas.iter().flat_map(|&isa| [(isa, 1), (isa, 3)]) {
        let (again, others) = run(isa, threads);
        assert_eq!(bits(&again.weights()), bits(&trained.weights()), "{isa:?}");
        assert_eq!(others, outputs, "{isa:?}");
    }
    close(&of(&trained, "s.mean"), &numbers(&holes["mean"]));
    close(&of(&trained, "s.deviation"), &numbers(&holes["deviation"]));
    close(&of(&trained, "filled.fill"), &numbers(&holes["fill_median"]));
    let reals = |values: &[f32]| values.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
    close(&reals(&outputs[0]), &numbers(&holes["filled"]));
    let standard = holes["standardize"].as_array().unwrap().iter();
    for (found, expected) in outputs[1].iter().zip(standard) {
        let expected = expected.as_f64().unwrap_or(100.0);
        assert!((f64::from(*found) - expected).abs() < 1e-2, "{found}, not {expected}");
    }
    for (row, flags) in outputs[2].chunks_exact(6).enumerate() {
        let numbers = x[row * 5..][..5].iter().map(|x| x.is_nan());
        let expected = numbers.chain([class(row) == MISSING]).map(|flag| f32::from(u8::from(flag)));
        assert!(flags.iter().copied().eq(expected), "row {row}: {flags:?}");
    }
}

/// The table with all numbers three times as large.
fn other_table() -> Dataset {
    let mut other = table();
    for array in other.inputs.iter_mut().chain(&mut other.targets) {
        let Values::F32(values) = &mut array.data else { panic!() };
        values.iter_mut().for_each(|x| *x *= 3.0);
    }
    other
}

#[test]
fn loaded_weights_bring_their_statistics() {
    let mut first = trainer(COLUMNS, table(), &Settings::default());
    finish(&mut first);
    let mut run = trainer(COLUMNS, other_table(), &Settings::default());
    let own = of(&run, "m.range");
    let load = |run: &mut Trainer, tensors: &[Tensor]| {
        let bytes = file_of(tensors, &Default::default());
        run.load_weights(&mut WeightsFile::of_bytes(&bytes, "w").unwrap())
    };
    load(&mut run, &first.weights()).unwrap();
    assert_eq!(bits(&run.weights()), bits(&first.weights()));
    // What they lack is taken of the rows.
    let some: Vec<Tensor> =
        first.weights().into_iter().filter(|tensor| !tensor.name.starts_with("m.")).collect();
    load(&mut run, &some).unwrap();
    assert_eq!(of(&run, "m.range"), own);
    assert_eq!(of(&run, "s.mean"), of(&first, "s.mean"));
    let few: Vec<Tensor> =
        first.weights().into_iter().filter(|tensor| tensor.name != "z.w").collect();
    let refused = load(&mut run, &few).unwrap_err().to_string();
    assert!(refused.contains("there is no z.w"), "{refused}");
}

#[test]
fn steps_on_given_rows_need_weights_with_statistics() {
    let steps = Settings { steps: Some(2), ..Settings::default() };
    let mut run = Trainer::without_data(program(COLUMNS), &steps).unwrap();
    let (x, t) = ([1.0f32, 2.0, 3.0, 4.0, 5.0], [3.0f32]);
    assert_eq!(
        run.step(&x[..], &t[..]).unwrap_err().to_string(),
        "the net takes statistics of columns before the first step, and there are no rows for it: \
         load weights that have them, of a training on a table"
    );
    let bytes = file_of(&trainer(COLUMNS, table(), &steps).weights(), &Default::default());
    run.load_weights(&mut WeightsFile::of_bytes(&bytes, "w").unwrap()).unwrap();
    assert!(run.step(&x[..], &t[..]).unwrap().is_finite());
    // Gradients from outside ask for no target, but for its statistics.
    arenet::Net::parse(COLUMNS).unwrap().gradient_trainer().build().unwrap();
}

#[test]
fn an_infinite_statistic_is_refused() {
    let source = "
net infinite {
    input x: [N, 2]
    h = x |> exp |> standardize
    output y = h |> dense(1)
}
train {
    target t: [N, 1]
    loss = mse(y, t)
    optimizer = sgd
}";
    let data = Dataset {
        rows: 2,
        inputs: vec![floats(2, vec![1.0, 2.0, 0.5, 1000.0])],
        targets: vec![floats(1, uniform(1, 2))],
        ..Dataset::default()
    };
    assert_eq!(
        Trainer::new(program(source), data, &Settings::default()).err().unwrap().to_string(),
        "`h.mean` would be inf in column 1: a value that it is taken of is infinite, or more than \
         a 32-bit float holds"
    );
}
