//! A net and its table inside a program: it learns from them, and then tells what an iris is.

use arenet::{Error, Net};

const NET: &str = include_str!("../models/iris.net");
const TABLE: &[u8] = include_bytes!("../models/iris.csv");
const SPECIES: [&str; 3] = ["setosa", "versicolor", "virginica"];

fn main() -> Result<(), Error> {
    let net = Net::parse(NET)?;
    let data = net.reader().csv_from(TABLE, "iris.csv")?;
    let mut trainer = net.trainer(data).build()?;
    let report = trainer.train()?;
    println!("accuracy on rows that were held out: {:?}", report.metric("accuracy"));
    trainer.save("iris.safetensors")?;

    // A program that only predicts has the weights by `include_bytes!`, and begins here.
    let mut iris = net.predictor("iris.safetensors")?;
    // The length and the width of a sepal, and those of a petal, in cm.
    let flower = [6.1, 2.8, 4.7, 1.2];
    for (species, share) in SPECIES.iter().zip(&iris.predict(&[flower])?["probs"]) {
        println!("{species}: {:.1}%", share * 100.0);
    }
    Ok(())
}
