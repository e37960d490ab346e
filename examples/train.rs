//! Trains a net from Rust: a text and rows in, a weight file out.

use arenet::{Error, Net};

const NET: &str = "
net xor {
    input x: [N, 2]
    h = x |> dense(4) |> tanh
    output y = h |> dense(1) |> sigmoid
}
train {
    target t: [N, 1]
    loss = mse(y, t)
    metric accuracy(y, t)
    optimizer = adam(lr: 0.05)
    batch = 4  epochs = 500
}";

fn main() -> Result<(), Error> {
    let net = Net::parse(NET)?;
    // Most often they come from a table: `net.read_csv("xor.csv")?`.
    let bits = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
    let data = net.rows(bits.map(|[a, b]| ([a, b], (a + b) % 2.0)))?;

    let mut trainer = net.trainer(data).seed(1).threads(1).build()?;
    let report = trainer.train_with(|epoch| {
        if epoch.epoch.is_multiple_of(100) {
            println!("epoch {}: loss {:.5}", epoch.epoch, epoch.loss);
        }
    })?;
    println!("accuracy {:?}", report.metric("accuracy"));

    let path = std::env::temp_dir().join("xor.safetensors");
    trainer.save(&path)?;
    println!("weights in {}", path.display());
    Ok(())
}
