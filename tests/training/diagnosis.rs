//! What is told of a trained net that is no good, and that healthy ones are left alone.

use arenet::{Error, Net};

/// Trains a net of three columns and one target, and says what is told: the messages, and the
/// statements that they are about.
fn told(net: &str, train: &str, target: impl Fn(f32) -> f32) -> Result<String, Error> {
    let text = format!("net n {{ input x: [N, 3]\n{net}\n}}\ntrain {{\n{train}\n}}");
    let net = Net::parse(&text)?;
    let x: Vec<[f32; 3]> = (0..120)
        .map(|i| [0, 1, 2].map(|j| ((i * 37 + j * 23) % 101) as f32 / 50.0 - 1.0))
        .collect();
    let t: Vec<f32> = x.iter().map(|x| target(x[0])).collect();
    let mut csv = String::from("a,b,c,t\n");
    for (x, t) in x.iter().zip(t) {
        csv += &format!("{},{},{},{t}\n", x[0], x[1], x[2]);
    }
    let data = net.reader().csv_from(csv.as_bytes(), "rows")?;
    let mut trainer = net.trainer(data).build()?;
    trainer.train()?;
    Ok(trainer.diagnosis().to_string())
}

const LINE: &str = "target t: [N, 1]  loss = mse(y, t)  optimizer = sgd(lr: 0.05)  epochs = 3";

#[track_caller]
fn check(found: &str, message: &str, statement: &str) {
    assert!(found.starts_with(message) && found.contains(statement), "{found}");
    assert_eq!(found.matches("warning[").count(), 1, "{found}");
}

#[test]
fn units_that_never_fire() -> Result<(), Error> {
    let net = "h = relu(dense(x, 8, init: zeros) - 1)  output y = concat(h, x) |> dense(1)";
    let found = told(net, LINE, |x| x)?;
    let message = "warning[dead-units]: 8 of 8 units of `relu` in `h` never fire: they are 0 in \
                   all 120 rows looked at";
    check(&found, message, "relu(dense(x, 8, init: zeros) - 1)");
    Ok(())
}

#[test]
fn saturated_layers() -> Result<(), Error> {
    for function in ["sigmoid", "tanh"] {
        let net = format!(
            "h = x |> dense(8, init: normal(0, 500)) |> {function}  output y = h |> dense(1)"
        );
        let found = told(&net, LINE, |x| x)?;
        let message = "warning[saturated]: `h` is saturated: ";
        check(&found, message, &format!("are within 1% of the ends of {function}"));
    }
    Ok(())
}

#[test]
fn gradients_that_vanish() -> Result<(), Error> {
    let layers = " |> dense(8) |> sigmoid".repeat(9);
    let net = format!("h = x{layers}\noutput y = h |> dense(1)");
    let found = told(&net, LINE, |x| x)?;
    check(&found, "warning[vanishing-gradient]: the gradient of `h.1.w` has vanished: ", "`y.w`");
    Ok(())
}

#[test]
fn a_prediction_that_is_always_the_same() -> Result<(), Error> {
    let net = "output y = x |> dense(2, init: zeros)";
    let train = "target t: i32[N] in 0..2  loss = cross_entropy(y, t)  optimizer = sgd(lr: 0)";
    let found = told(net, train, |x| if x > 0.4 { 1.0 } else { 0.0 })?;
    let message = "warning[constant-prediction]: every row is taken for 0: the accuracy, ";
    check(&found, message, "%, is that of the most frequent class");
    let found = told("output y = x |> dense(1, init: zeros)", &LINE.replace("0.05", "0"), |x| x)?;
    let message = "warning[constant-prediction]: the output `y` is the same for every row";
    check(&found, message, "x |> dense(1, init: zeros)");
    Ok(())
}

/// The models that come with the project and learn in a moment.
#[test]
fn healthy_models_are_left_alone() -> Result<(), Error> {
    let names =
        ["xor", "seed", "iris", "regression", "heads", "residual", "siamese", "autoencoder"];
    for name in names {
        let net = Net::open(format!("models/{name}.net"))?;
        let data = net.read_csv(format!("models/{name}.csv"))?;
        let mut trainer = net.trainer(data).threads(1).build()?;
        trainer.train()?;
        assert_eq!(trainer.diagnosis().to_string(), "", "{name}");
    }
    Ok(())
}
