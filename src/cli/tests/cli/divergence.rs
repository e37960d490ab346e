//! What is told of a training that goes wrong: the statement and the row, and what was measured.

use super::common::Folder;

/// Trains a net of one column `size` and one target `t`, and compares what is told: in one line,
/// of which statement, and with which help.
#[track_caller]
fn told(test: &str, net: (&str, &str), lr: &str, rows: &str, expected: [&str; 3]) {
    let folder = Folder::new(&format!("divergence-{test}"));
    let (body, loss) = net;
    let net = format!(
        "net n {{\n    input x: [N, 1]\n    {body}\n}}\ntrain {{\n    target t: [N, 1]\n    \
         loss = {loss}\n    optimizer = sgd(lr: {lr})\n    batch = 2  epochs = 20\n    \
         shuffle = false\n}}\n"
    );
    folder.write("n.net", net);
    folder.write("n.csv", format!("size,t\n{rows}"));
    let done = folder.run("train n.net -q");
    let lines: Vec<&str> = done.err.lines().collect();
    let [first, _, _, statement, under, _, help] = lines[..] else { panic!("{}", done.err) };
    let first = first.strip_prefix("error[diverged]: training diverged in epoch ").unwrap();
    let at = under.find('^').unwrap()..under.rfind('^').unwrap() + 1;
    let help = help.strip_prefix("  = help: ").unwrap();
    assert_eq!((done.code, [first, &statement[at], help]), (4, expected));
}

#[test]
fn a_logarithm_of_zero() {
    let expected = [
        "1 at step 2, batch 2 (rows 2..4 of the epoch): a value at y (3:16) is -inf, in row 4 of \
         the data",
        "log(abs(x)) |> dense(1)",
        "it is the logarithm of 0: keep its operand above 0, as by `log(x + 1e-6)`",
    ];
    let net = ("output y = log(abs(x)) |> dense(1)", "mse(y, t)");
    told("log", net, "0.1", "1,1\n2,0\n3,0\n0,1\n1,0\n", expected);
}

#[test]
fn a_root_of_a_negative_number() {
    let expected = [
        "1 at step 3, batch 3 (rows 4..5 of the epoch): a value at y (3:16) is NaN, in row 5 of \
         the data",
        "sqrt(x) |> dense(1)",
        "it is the root of -0.25: keep its operand from falling below 0",
    ];
    let net = ("output y = sqrt(x) |> dense(1)", "mse(y, t)");
    told("root", net, "0.1", "1,1\n2,0\n3,0\n0.5,1\n-0.25,0\n", expected);
}

#[test]
fn a_gradient_of_a_root_at_zero() {
    let expected = [
        "1 at step 1, batch 1 (rows 0..2 of the epoch): a gradient at y (4:16) is inf, in row 1 \
         of the data",
        "sqrt(h)",
        "the gradient divides 0.25 by 0: keep the operand away from 0, as by `sqrt(x + 1e-6)`",
    ];
    let net = ("h = x |> dense(1, init: zeros)\n    output y = sqrt(h)", "mean(y + t)");
    told("gradient", net, "0.1", "1,1\n2,0\n", expected);
}

#[test]
fn a_division_by_zero() {
    let expected = [
        "1 at step 2, batch 2 (rows 2..3 of the epoch): a value at y (3:16) is inf, in row 3 of \
         the data",
        "1 / x |> dense(1)",
        "it is 1 divided by 0: keep the divisor away from 0",
    ];
    let net = ("output y = 1 / x |> dense(1)", "mse(y, t)");
    told("division", net, "0.1", "1,1\n2,0\n0,1\n", expected);
}

#[test]
fn a_power_of_e_that_is_too_large() {
    let expected = [
        "1 at step 2, batch 2 (rows 2..4 of the epoch): a value at y (3:16) is inf, in row 4 of \
         the data",
        "exp(x) |> dense(1)",
        "it is e to the power of 95.5, and the largest float is that of 88.7: keep its operand \
         small",
    ];
    let net = ("output y = exp(x) |> dense(1)", "mse(y, t)");
    told("power", net, "0.1", "1,1\n2,0\n1,1\n95.5,0\n", expected);
}

#[test]
fn columns_that_are_not_scaled() {
    let expected = [
        "2 at step 4, batch 2 (rows 2..4 of the epoch): a value at loss (7:12) is inf, in row 3 \
         of the data",
        "mse(y, t)",
        "the column `size` goes from 1500 to 40000: scale such columns before training, so that \
         they go from about -1 to 1; the loss grew from 3.6e19 to 9.8e33, and the weights from \
         4.8e13 to 4.1e19 at a learning rate of 0.1: a smaller --lr may help; \
         n.ckpt.safetensors holds the state after 1 epoch",
    ];
    let net = ("output y = x |> dense(1)", "mse(y, t)");
    told("scale", net, "0.1", "1500,1\n2500,3\n3500,2\n40000,5\n", expected);
}

#[test]
fn a_rate_that_is_too_high() {
    let expected = [
        "5 at step 10, batch 2 (rows 2..4 of the epoch): a value at loss (7:12) is inf, in row 3 \
         of the data",
        "mse(y, t)",
        "the loss grew from 165728 to 1.3e38, and the weights from 6.1e18 to 1.7e21 at a \
         learning rate of 40: a smaller --lr may help; n.ckpt.safetensors holds the state after \
         4 epochs",
    ];
    let net = ("output y = x |> dense(1)", "mse(y, t)");
    told("rate", net, "40", "1,1\n2,3\n1.5,2\n0.5,5\n", expected);
}

#[test]
fn an_update_that_overflows() {
    let expected = [
        "1 at step 1, batch 1 (rows 0..2 of the epoch): the update of y.w (3:16) is inf",
        "x |> dense(1)",
        "the learning rate is 1.0e20: a smaller --lr may help",
    ];
    let net = ("output y = x |> dense(1)", "1e30 * mse(y, t)");
    told("update", net, "1e20", "1,1\n2,3\n1.5,2\n0.5,5\n", expected);
}

/// Cells that are no number are told before a training.
#[test]
fn a_bad_cell() {
    let folder = Folder::new("divergence-cell");
    let net = "net n { input x: [N, 1]  output y = x |> dense(1) }
        train { target t: [N, 1]  loss = mse(y, t)  optimizer = sgd }";
    folder.write("n.net", net);
    folder.write("n.csv", "size,t\n1,1\n2,inf\n");
    let told = "error: n.csv:3: column 1 (t): \"inf\" is not a finite number\n\
                help: fill in a value, or remove the row";
    folder.fails("train n.net", 3, told);
}

/// A net that has trained without any gain is told of, unless that is not asked.
#[test]
fn a_diagnosis_follows_a_training() {
    let folder = Folder::new("diagnosis");
    let net = "net n {\n    input x: [N, 1]\n    output y = x |> dense(1, init: zeros)\n}
        train { target t: [N, 1]  loss = mse(y, t)  optimizer = sgd(lr: 0)  epochs = 1 }";
    folder.write("n.net", net);
    folder.write("n.csv", "size,t\n1,1\n2,3\n1.5,2\n0.5,5\n");
    let told = "warning[constant-prediction]: the output `y` is the same for every row\n \
                --> n.net:3:16\n  |\n3 |     output y = x |> dense(1, init: zeros)\n  \
                |                ^^^^^^^^^^^^^^^^^^^^^^^^^^\n  |\n  \
                = help: scale the inputs, or try another learning rate\n";
    let done = folder.ok("train n.net");
    assert!(done.err.ends_with(told), "{}", done.err);
    let done = folder.ok("train n.net -q");
    assert_eq!(done.err, "");
    let done = folder.ok("train n.net --message-format json --no-progress");
    let last = done.err.lines().last().unwrap();
    assert!(last.contains(r#""code":"constant-prediction""#), "{last}");
}
