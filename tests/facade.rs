//! What the facade does beside its documentation tests: compiled nets, and errors as they print.

use arenet::internals::prelude::{CompileOptions, compile};
use arenet::internals::runtime::program::codec::encode;
use arenet::{Error, ErrorKind, Net, Precision};

const XOR: &str = include_str!("../models/xor.net");
const ROWS: [([f32; 2], f32); 4] =
    [([0.0, 0.0], 0.0), ([0.0, 1.0], 1.0), ([1.0, 0.0], 1.0), ([1.0, 1.0], 0.0)];

/// A weight file without tensors.
const EMPTY: &[u8] = b"\x08\0\0\0\0\0\0\0{}      ";

fn compiled() -> Net {
    let options = CompileOptions { batch: Some(4), ..CompileOptions::default() };
    let program = compile(XOR, &options).unwrap_or_else(|found| panic!("{found:?}")).program;
    Net::from_bytes(&encode(&program)).unwrap()
}

#[test]
fn a_compiled_net_trains_and_predicts_as_its_text() -> Result<(), Error> {
    let outputs = [Net::parse(XOR)?, compiled()].map(|net| -> Result<Vec<u32>, Error> {
        let mut trainer = net.trainer(net.rows(ROWS)?).seed(1).threads(1).build()?;
        trainer.train()?;
        let name = format!("arenet-facade-{}-{}", std::process::id(), net.text().is_some());
        let file = std::env::temp_dir().join(name);
        trainer.save(&file)?;
        let predicted =
            net.predictor(&file).and_then(|mut xor| xor.predict(&ROWS.map(|row| row.0)));
        std::fs::remove_file(&file).unwrap();
        Ok(predicted?["y"].iter().map(|y| y.to_bits()).collect())
    });
    let [text, program] = outputs;
    assert_eq!(text?, program?);
    Ok(())
}

#[test]
fn settings_that_a_compiled_net_cannot_follow_are_refused() {
    let net = compiled();
    let refuses = |error: Option<Error>, expected: &str| {
        let error = error.expect("it is refused");
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Usage, expected));
    };
    refuses(
        net.predictor_options().weights(Precision::Int8).from_bytes(EMPTY).err(),
        "the bytes: is compiled, with the batch and weights it has",
    );
    refuses(
        net.trainer(net.rows(ROWS).unwrap()).batch(2).build().err(),
        "the bytes: is compiled, with the batch it has",
    );
    refuses(net.gradient_trainer().build().err(), "the bytes: is compiled, with the loss it has");
}

#[test]
fn an_error_prints_alike_in_every_way() {
    let text = "net n {\n    input x: [N, 2]\n    output y = x |> sigmod\n}";
    let error = Net::options().name("typo.net").parse(text).unwrap_err();
    let shown = error.to_string();
    assert!(shown.starts_with("error[unknown-function]: unknown function `sigmod`\n"), "{shown}");
    assert!(
        shown.contains("typo.net:3:21") && shown.contains("did you mean `sigmoid`?"),
        "{shown}"
    );
    assert_eq!(format!("{error:?}"), shown);
    let boxed: Box<dyn std::error::Error + Send + Sync> = error.into();
    assert_eq!(boxed.to_string(), shown);
}

#[test]
fn every_shape_of_net_trains_from_its_file() -> Result<(), Error> {
    // What the held-out rows, or all of eight, have to reach with any seed.
    let figures = [
        ("autoencoder", "mae", 0.0..0.03),
        ("residual", "accuracy", 0.95..1.1),
        ("siamese", "accuracy", 0.93..1.1),
        ("siamese", "auc", 0.96..1.1),
        ("heads", "cross_entropy", 0.0..0.4),
        ("heads", "mse", 0.0..0.1),
        ("heads", "f1(setosa)", 0.99..1.1),
    ];
    for name in ["autoencoder", "residual", "siamese", "heads"] {
        let net = Net::open(format!("models/{name}.net"))?;
        assert!(net.warnings().is_empty(), "{name}: {}", net.warnings());
        let data = net.read_csv(format!("models/{name}.csv"))?;
        let report = net.trainer(data).threads(1).build()?.train()?;
        for (_, metric, range) in figures.iter().filter(|(of, ..)| *of == name) {
            let figure = report.metric(metric).expect("it is shown");
            assert!(range.contains(&figure), "{name}: {metric} is {figure}");
        }
    }
    Ok(())
}
