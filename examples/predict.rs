//! Predicts from Rust: many rows at once, and one row after another without a heap allocation.

use arenet::internals::prelude::*;
use std::error::Error;
use std::sync::Arc;

const NET: &str = "
net and {
    input x: [N, 2]
    output y = x |> dense(1) |> sigmoid
}";

fn main() -> Result<(), Box<dyn Error>> {
    let compiled =
        compile(NET, &CompileOptions::default()).map_err(|found| format!("{found:?}"))?;
    let program = Arc::new(verify(compiled.program)?);
    // Most often these come from `read_weights`.
    let weights = [
        Tensor { name: "y.w".into(), shape: vec![2, 1], data: vec![20.0, 20.0] },
        Tensor { name: "y.b".into(), shape: vec![1], data: vec![-30.0] },
    ];
    let mut predictor = Predictor::new(program, &weights, "weights", RunOptions::default())?;

    let rows = vec![0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
    let x = Array { width: 2, data: Values::F32(rows) };
    let outputs = predictor.predict(&[x], 4)?;
    println!("all rows: {:?}", outputs[0]);

    let mut y = [0.0];
    for row in [[0.0, 1.0], [1.0, 1.0]] {
        predictor.predict_into(&row, &mut y)?;
        println!("{row:?}: {y:?}");
    }
    Ok(())
}
