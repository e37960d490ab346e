//! Gradients from outside, beside a loss that has them: both train alike.

use arenet::{Error, ErrorKind, Net, Slice, Trainer};

const REGRESSION: &str = "
net regression {
    input x: [N, 2]
    h = x |> dense(5) |> tanh
    output y = h |> dense(3)
}
train {
    target t: [N, 3]
    loss = mse(y, t)
    optimizer = adam(lr: 0.05)
    batch = 4
}";

const CLASSIFIER: &str = "
net classifier {
    input x: [N, 2]
    output logits = x |> dense(3)
    output probs = softmax(logits)
}
train {
    target label: i32[N] in 0..3
    loss = cross_entropy(logits, label)
    optimizer = sgd(lr: 0.5, momentum: 0.9)
    batch = 4
}";

const X: [[f32; 2]; 4] = [[0.5, -1.0], [0.25, 0.75], [-0.5, 0.0], [1.0, 1.0]];

fn trainers(text: &str) -> Result<[Trainer; 2], Error> {
    let net = Net::parse(text)?;
    let by_loss = net.online_trainer().seed(3).build()?;
    Ok([by_loss, net.gradient_trainer().seed(3).build()?])
}

fn assert_close(a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len());
    assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5), "{a:?} and {b:?}");
}

#[test]
fn gradients_of_the_mean_square_train_as_the_loss_does() -> Result<(), Error> {
    let [mut by_loss, mut by_gradients] = trainers(REGRESSION)?;
    let t = X.map(|[a, b]| [a * b, a - b, a.max(b)]);
    // A step of four rows, then one of three: the mean is over those that are there.
    for rows in [4, 3].repeat(20) {
        by_loss.step(&X[..rows], &t[..rows])?;
        by_gradients.step_by_gradients(&X[..rows], |outputs, gradients| {
            let values = outputs[0].iter().zip(t.as_flattened());
            for (gradient, (y, t)) in gradients[0].iter_mut().zip(values) {
                *gradient = 2.0 * (y - t) / (3 * rows) as f32;
            }
        })?;
    }
    let (mut a, mut b) = ([[0.0; 3]; 4], [[0.0; 3]; 4]);
    by_loss.predict_into(&X, &mut a)?;
    by_gradients.predict_into(&X, &mut b)?;
    assert_close(a.as_flattened(), b.as_flattened());
    assert_eq!(by_gradients.steps(), 40);
    Ok(())
}

#[test]
fn each_output_has_its_gradient() -> Result<(), Error> {
    let [mut by_loss, mut by_gradients] = trainers(CLASSIFIER)?;
    let label = [0, 1, 2, 1];
    let one = |row: usize, class: usize| f32::from(u8::from(label[row] == class as i32));
    let probs = |trainer: &mut Trainer| {
        let mut outputs = ([[0.0; 3]; 4], [[0.0; 3]; 4]);
        trainer.predict_into(&X, &mut outputs).map(|()| outputs.1)
    };
    for _ in 0..30 {
        by_loss.step(&X, &label)?;
        // The gradient by the logits, given as targets; and none by what follows from them.
        let p = probs(&mut by_gradients)?;
        let gradient = |row: usize| [0, 1, 2].map(|class| (p[row][class] - one(row, class)) / 4.0);
        by_gradients.step(&X, &([0, 1, 2, 3].map(gradient), [[0.0; 3]; 4]))?;
    }
    let (a, b) = (probs(&mut by_loss)?, probs(&mut by_gradients)?);
    assert_close(a.as_flattened(), b.as_flattened());

    // Or that by the probabilities, which goes on through the softmax: of -ln p, for one row.
    let [mut by_loss, mut by_gradients] = trainers(CLASSIFIER)?;
    for _ in 0..30 {
        by_loss.step(&X[..1], &label[..1])?;
        by_gradients.step_by_gradients(&X[..1], |outputs, gradients| {
            gradients[1][0] = -1.0 / outputs[1][0];
        })?;
    }
    let (a, b) = (probs(&mut by_loss)?, probs(&mut by_gradients)?);
    assert_close(a.as_flattened(), b.as_flattened());
    Ok(())
}

#[test]
fn what_is_no_gradient_is_refused() -> Result<(), Error> {
    let [mut by_loss, mut by_gradients] = trainers(REGRESSION)?;
    let refuses = |result: Result<(), Error>, kind: ErrorKind, expected: &str| {
        let error = result.unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (kind, expected));
    };
    refuses(
        by_gradients.step_by_gradients(&X, |_, gradients| gradients[0][4] = f32::NAN),
        ErrorKind::Data,
        "`the gradient of y` is NaN in row 1, and must be finite",
    );
    refuses(
        by_gradients.step(&X, &[Slice::I32(&[1; 12])]).map(drop),
        ErrorKind::Data,
        "`the gradient of y` takes real numbers, not integers",
    );
    refuses(
        by_loss.step_by_gradients(&X, |_, _| {}),
        ErrorKind::Usage,
        "a trainer with a loss takes no gradients: make it by `gradient_trainer`",
    );
    // Frozen statistics are the same in training.
    let normed = |freeze: &str| {
        Net::parse(&format!(
            "net n {{ input x: [N, 2]\n h = x |> batch_norm\n output y = h |> dense(1) {freeze} }}
             train {{ target t: [N, 1]  loss = mse(y, t)  optimizer = sgd }}"
        ))
    };
    normed("freeze h")?.gradient_trainer().build()?;
    refuses(
        normed("")?.gradient_trainer().build().map(drop),
        ErrorKind::Model,
        "error[differs-in-training]: in training this has other values than the predictions that \
         the gradients would be of\n \
         --> the text:2:6\n  |\n\
         2 |  h = x |> batch_norm\n  |      ^^^^^^^^^^^^^^^\n  |\n  \
         = help: leave a `dropout` out and `freeze` a `batch_norm`, or train by a loss of the \
         `train` section",
    );
    let bare = Net::parse("net n { input x: [N, 1]  output y = x |> dense(1) }")?;
    refuses(
        bare.gradient_trainer().build().map(drop),
        ErrorKind::Model,
        "the net has no `train` section, so it can only predict",
    );
    Ok(())
}
