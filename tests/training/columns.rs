//! Narrow nets, whose batches lie in columns from sixteen rows on: the weights they learn.

use crate::common::{Tensor, Weights, bits, finish, floats, predictor_of, program_for, uniform};
use arenet::internals::prelude::*;
use arenet::internals::runtime::program::Layout;

const NET: &str = "
net narrow {
    input x: [N, 3]
    h = x |> dense(3) |> sigmoid
    output y = h |> dense(2) |> sigmoid
}
train {
    target t: [N, 2]
    loss = mse(y, t)
    optimizer = sgd(lr: 0.5, momentum: 0.9)
    batch = full
}";

/// So many rows that no plan for them has columns.
const MANY: u64 = (1 << 16) + 1;

fn data(rows: usize) -> Dataset {
    let x = uniform(3, rows * 3);
    let t = x.chunks_exact(3).flat_map(|x| [x[0] * x[1], (x[1] - x[2]).abs()]).collect();
    Dataset { rows, inputs: vec![floats(3, x)], targets: vec![floats(2, t)], ..Dataset::default() }
}

/// The net after some steps on all rows, planned for batches of `planned`.
fn trained(rows: usize, planned: u64) -> Trainer {
    let program = program_for(NET, Some(planned));
    let layout = |port: &arenet::internals::runtime::program::Port| {
        program.program().buffers[port.buffer.0 as usize].layout
    };
    let [x, t] = [&program.program().inputs[0], &program.program().targets[0]].map(layout);
    let columns = [x, t].map(|layout| matches!(layout, Layout::Columns { .. }));
    assert_eq!(columns, [planned < MANY; 2]);
    let settings = Settings { epochs: Some(20), shuffle: Some(false), ..Settings::default() };
    let options = RunOptions::default();
    let mut trainer =
        Trainer::new(program.clone(), data(rows), &Settings { run: options, ..settings }).unwrap();
    finish(&mut trainer);
    trainer
}

/// A layer in 64 bits: [in][out] weights, biases, and the velocity of both.
struct Layer {
    w: Vec<Vec<f64>>,
    b: Vec<f64>,
    w_velocity: Vec<Vec<f64>>,
    b_velocity: Vec<f64>,
}

impl Layer {
    fn new(w: &Tensor, b: &Tensor) -> Layer {
        let wide = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
        let w: Vec<_> = w.data.chunks_exact(w.shape[1]).map(wide).collect();
        let w_velocity = w.iter().map(|row| vec![0.0; row.len()]).collect();
        Layer { w, w_velocity, b: wide(&b.data), b_velocity: vec![0.0; b.data.len()] }
    }

    fn forward(&self, x: &[f64]) -> Vec<f64> {
        let sum =
            |j: usize| self.b[j] + x.iter().zip(&self.w).map(|(x, row)| x * row[j]).sum::<f64>();
        (0..self.b.len()).map(|j| 1.0 / (1.0 + (-sum(j)).exp())).collect()
    }

    /// v = 0.9 v + g and w -= 0.5 v, with g from the gradients of all rows' sums.
    fn update(&mut self, rows: &[(Vec<f64>, Vec<f64>)]) {
        for j in 0..self.b.len() {
            let grad = rows.iter().map(|(_, dz)| dz[j]).sum::<f64>();
            self.b_velocity[j] = 0.9 * self.b_velocity[j] + grad;
            self.b[j] -= 0.5 * self.b_velocity[j];
            for i in 0..self.w.len() {
                let grad = rows.iter().map(|(x, dz)| x[i] * dz[j]).sum::<f64>();
                self.w_velocity[i][j] = 0.9 * self.w_velocity[i][j] + grad;
                self.w[i][j] -= 0.5 * self.w_velocity[i][j];
            }
        }
    }
}

/// The weights after the same steps, by the textbook.
fn expected(start: &[Tensor], data: &Dataset) -> Vec<f64> {
    let mut hidden = Layer::new(&start[0], &start[1]);
    let mut output = Layer::new(&start[2], &start[3]);
    let rows = |array: &Array| match &array.data {
        Values::F32(values) => values
            .chunks_exact(array.width)
            .map(|row| row.iter().map(|&v| f64::from(v)).collect())
            .collect::<Vec<Vec<f64>>>(),
        _ => unreachable!("the net has no classes, and the table is small"),
    };
    let (xs, ts) = (rows(&data.inputs[0]), rows(&data.targets[0]));
    for _ in 0..20 {
        let (mut for_hidden, mut for_output) = (Vec::new(), Vec::new());
        for (x, t) in xs.iter().zip(&ts) {
            let h = hidden.forward(x);
            let y = output.forward(&h);
            // The loss is the mean of (y - t)² over rows and outputs, two of them.
            let dz = |j: usize| (y[j] - t[j]) / data.rows as f64 * y[j] * (1.0 - y[j]);
            let dz: Vec<f64> = (0..y.len()).map(dz).collect();
            let dh = |i: usize| dz.iter().zip(&output.w[i]).map(|(dz, w)| dz * w).sum::<f64>();
            let dh = (0..h.len()).map(|i| dh(i) * h[i] * (1.0 - h[i])).collect();
            for_hidden.push((x.clone(), dh));
            for_output.push((h, dz));
        }
        hidden.update(&for_hidden);
        output.update(&for_output);
    }
    let flat = |layer: Layer| layer.w.into_iter().flatten().chain(layer.b).collect::<Vec<_>>();
    [flat(hidden), flat(output)].concat()
}

#[test]
fn weights_learnt_in_columns_are_those_of_the_textbook() {
    for rows in [16, 17, 31, 32, 33, 40] {
        let start = {
            let (program, settings) = (program_for(NET, Some(40)), Settings::default());
            Trainer::new(program, data(rows), &settings).unwrap()
        };
        let expected = expected(&start.weights(), &data(rows));
        let trained = trained(rows, 40);
        let found = trained.weights().into_iter().flat_map(|tensor| tensor.data);
        let mut count = 0;
        for (found, expected) in found.zip(&expected) {
            let close = (f64::from(found) - expected).abs() <= 1e-5 * expected.abs().max(1.0);
            assert!(close, "{rows} rows: a weight is {found} against {expected}");
            count += 1;
        }
        assert_eq!((count, expected.len()), (20, 20));
    }
}

#[test]
fn columns_and_rows_learn_the_same_bits() {
    for rows in [16, 23, 40] {
        let in_rows = bits(&trained(rows, MANY).weights());
        for planned in [rows as u64, 64] {
            assert_eq!(bits(&trained(rows, planned).weights()), in_rows, "{rows} of {planned}");
        }
    }
}

#[test]
fn a_prediction_does_not_depend_on_the_layout_of_its_batch() {
    let weights = trained(40, 40).weights();
    let predict = |rows: usize, planned: u64| {
        let program = program_for(NET, Some(planned));
        let options = RunOptions::default();
        let mut predictor = predictor_of(program, &weights, options).unwrap();
        let x = floats(3, uniform(3, 40 * 3)[..rows * 3].to_vec());
        let y = predictor.predict(&x).unwrap().remove(0);
        y.into_iter().map(f32::to_bits).collect::<Vec<_>>()
    };
    let all = predict(40, 40);
    for (rows, planned) in [(1, 1), (15, 15), (16, 16), (1, 16), (33, 40), (40, 15), (40, 100)] {
        assert_eq!(predict(rows, planned), all[..rows * 2], "{rows} rows, planned for {planned}");
    }
}
