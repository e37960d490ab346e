//! Predicts from Rust: many rows at once, and one row after another without a heap allocation.

use arenet::{Error, Net};

/// A net needs no `train` section to predict.
const NET: &str = "
net and {
    input x: [N, 2]
    output y = x |> dense(1) |> sigmoid
}";

fn main() -> Result<(), Error> {
    // Both may be files: `Net::open("and.net")?` and `net.predictor("and.safetensors")?`.
    let net = Net::parse(NET)?;
    let mut and = net.predictor_options().threads(1).from_bytes(&weights())?;

    let rows = vec![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
    println!("all rows: {:?}", &and.predict(&rows)?["y"]);

    let mut y = [0.0];
    for row in &rows {
        and.predict_into(row, &mut y)?;
        println!("{row:?}: {y:?}");
    }
    Ok(())
}

/// The bytes of a weight file; an application has them by `include_bytes!`.
fn weights() -> Vec<u8> {
    let header = r#"{"y.w":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"#.to_string()
        + r#""y.b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#;
    let values = [20.0f32, 20.0, -30.0];
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    bytes
}
