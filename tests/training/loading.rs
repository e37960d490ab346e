//! Weights that come from a file, a piece at a time.

use crate::common::{
    CLASSIFIER, Scratch, Tensor, Weights, bits, classes, file_of, finish, predictor_of, run_to,
    trainer, uniform,
};
use arenet::internals::prelude::*;
use pretty_assertions::assert_eq;
use std::collections::BTreeMap;
use std::io::Cursor;

/// Two layers, the first of more values than a piece has.
const WIDE: &str = "
net wide {
    input x: [N, 130]
    h = x |> dense(150) |> tanh
    output y = h |> dense(7)
}";

/// The weights of the wide net under their own names, and as PyTorch has them.
fn weights() -> [Vec<Tensor>; 2] {
    let tensor = |name: &str, shape: &[usize], data: &[f32]| Tensor {
        name: name.into(),
        shape: shape.into(),
        data: data.into(),
    };
    let [mut own, mut turned] = [Vec::new(), Vec::new()];
    for (index, (name, takes, gives)) in [("h", 130, 150), ("y", 150, 7)].into_iter().enumerate() {
        let values = uniform(index as u32, takes * gives);
        let bias = uniform(index as u32 + 2, gives);
        let column = |col| values.iter().skip(col).step_by(gives).copied();
        let columns: Vec<f32> = (0..gives).flat_map(column).collect();
        own.push(tensor(&format!("{name}.w"), &[takes, gives], &values));
        own.push(tensor(&format!("{name}.b"), &[gives], &bias));
        turned.push(tensor(&format!("{index}.weight"), &[gives, takes], &columns));
        turned.push(tensor(&format!("{index}.bias"), &[gives], &bias));
    }
    [own, turned]
}

fn write(name: &str, tensors: &[Tensor]) -> Scratch {
    let file = Scratch::new(name);
    std::fs::write(&file.0, file_of(tensors, &BTreeMap::new())).unwrap();
    file
}

#[test]
fn a_file_its_bytes_and_tensors_give_the_same_bits_turned_or_not() {
    let [own, turned] = weights();
    let files = [write("own", &own), write("turned", &turned)];
    let x = Array { width: 130, data: Values::F32(uniform(9, 130 * 3)) };
    for weights in Precision::ALL {
        let narrow = CompileOptions { weights, ..CompileOptions::default() };
        let program = compile(WIDE, &narrow).unwrap().program;
        let options = RunOptions::default();
        let predicted = |mut predictor: Predictor| {
            let y = predictor.predict(&x).unwrap();
            y[0].iter().map(|y| y.to_bits()).collect::<Vec<_>>()
        };
        let expected = predicted(predictor_of(program.clone(), &own, options).unwrap());
        let given = predictor_of(program.clone(), &turned, options).unwrap();
        assert_eq!(predicted(given), expected, "{weights:?}");
        for file in &files {
            let mut read = WeightsFile::open(&file.0).unwrap();
            let predictor = Predictor::new(program.clone(), &mut read, options).unwrap();
            assert_eq!(predicted(predictor), expected, "{weights:?}");
            let bytes = std::fs::read(&file.0).unwrap();
            let mut read = WeightsFile::new(Cursor::new(bytes), "bytes").unwrap();
            let predictor = Predictor::new(program.clone(), &mut read, options).unwrap();
            assert_eq!(predicted(predictor), expected, "{weights:?}");
        }
    }
}

#[test]
fn a_file_that_fails_leaves_a_training_as_it_was() {
    let mut whole = trainer(CLASSIFIER, classes(60, 12), &Settings::default());
    let mut tensors = whole.weights();
    finish(&mut whole);
    tensors[0].data[0] = 7.0;
    for (tensor, value) in [(1, f32::NAN), (3, f32::INFINITY)] {
        *tensors[tensor].data.last_mut().unwrap() = value;
    }
    let file = write("not-finite", &tensors);
    let name = file.0.display();
    let expected = format!(
        "{name}: does not fit the net \"classifier\": value 19 of h.b is NaN; value 2 of logits.b \
         is inf"
    );
    let mut run = trainer(CLASSIFIER, classes(60, 12), &Settings::default());
    for steps in [0, 3, 8] {
        run_to(&mut run, steps);
        let before = bits(&run.weights());
        let mut read = WeightsFile::open(&file.0).unwrap();
        let error = run.load_weights(&mut read).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert_eq!(bits(&run.weights()), before);
    }
    // A file that ends while it is read.
    let mut read = WeightsFile::open(&file.0).unwrap();
    std::fs::write(&file.0, &std::fs::read(&file.0).unwrap()[..400]).unwrap();
    let error = run.load_weights(&mut read).unwrap_err().to_string();
    assert!(error.contains(": ends after ") && error.contains(" bytes of tensor "), "{error}");
    finish(&mut run);
    assert_eq!(bits(&run.weights()), bits(&whole.weights()));
}
