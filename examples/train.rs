//! Trains a net from Rust: text and a table in, a weight file out.

use arenet::internals::prelude::*;
use std::error::Error;
use std::ops::ControlFlow;
use std::sync::Arc;

const NET: &str = "
net xor {
    input x: [N, 2]
    h = x |> dense(4) |> tanh
    output y = h |> dense(1) |> sigmoid
}
train {
    target t: [N, 1]
    loss = mse(y, t)
    optimizer = adam(lr: 0.05)
    batch = 4  epochs = 500
}";
const TABLE: &str = "x.0,x.1,t\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n";

fn main() -> Result<(), Box<dyn Error>> {
    let compiled =
        compile(NET, &CompileOptions::default()).map_err(|found| format!("{found:?}"))?;
    let program = Arc::new(verify(compiled.program)?);
    let (inputs, targets) =
        (PortSpec::inputs(program.program()), PortSpec::targets(program.program()));
    let data = read_csv(TABLE.as_bytes(), "xor", &TableSpec::new(&inputs, &targets))?;

    let settings = Settings { seed: Some(1), ..Settings::default() };
    let mut trainer = Trainer::new(program, data, None, &settings, RunOptions::default())?;
    while trainer.epoch() < trainer.epochs() {
        let report = trainer.run_epoch(&mut |_| ControlFlow::Continue(()))?;
        if let Some(report) = report.filter(|report| report.epoch.is_multiple_of(100)) {
            println!("epoch {}: loss {:.5}", report.epoch, report.loss);
        }
    }
    let path = std::env::temp_dir().join("xor.safetensors");
    trainer.save_weights(&path)?;
    println!("weights in {}", path.display());
    Ok(())
}
