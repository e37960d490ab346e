//! What lowering makes of files without mistakes.

use crate::common::oracle::lowered;
use arenet_compiler::graph::DType;
use arenet_compiler::init::Init;
use arenet_compiler::model::{Domain, Model};
use arenet_program::{Batch, Finish, Schedule};
use pretty_assertions::assert_eq;

/// The parameters with their shapes, and the optimizer of each.
fn params(model: &Model) -> Vec<String> {
    let text = |param: &arenet_compiler::model::Param| match param.optimizer {
        Some(optimizer) => format!("{} {} {optimizer}", param.name, param.shape),
        None => format!("{} {}", param.name, param.shape),
    };
    model.params.iter().map(text).collect()
}

#[test]
fn parameters_are_named_by_their_statements() {
    let model = lowered(
        "block mlp(x, n) { inner = x |> dense(n)  return inner |> dense(2, bias: false) }
         net m { input x: [N, 4]
            param scale: [] = constant(2)
            layer encode(x) = x |> dense(3)
            a = x |> dense(5)
            b = a |> dense(6) |> tanh |> dense(7, bias: false)
            c = mlp(b, 8) + mlp(b, 9)
            d = mlp(x, 3) |> tanh
            output y = encode(x) * scale + encode(x)
            output z = c + d }",
    );
    assert_eq!(
        params(&model),
        [
            "scale []",
            "a.w [4, 5]",
            "a.b [5]",
            "b.0.w [5, 6]",
            "b.0.b [6]",
            "b.1.w [6, 7]",
            "c.0.inner.w [7, 8]",
            "c.0.inner.b [8]",
            "c.0.w [8, 2]",
            "c.1.inner.w [7, 9]",
            "c.1.inner.b [9]",
            "c.1.w [9, 2]",
            "d.inner.w [4, 3]",
            "d.inner.b [3]",
            "d.w [3, 2]",
            "encode.w [4, 3]",
            "encode.b [3]",
        ]
    );
}

#[test]
fn a_layer_of_itself_has_one_set_of_parameters() {
    let model = lowered(
        "net m { input x: [N, 4]
            layer f(x) = x |> dense(4) |> tanh
            output y = f(f(f(x))) }",
    );
    assert_eq!(params(&model), ["f.w [4, 4]", "f.b [4]"]);
}

#[test]
fn parameters_start_as_asked() {
    let model = lowered(
        "net m { input x: [N, 3]
            a = x |> dense(5)
            b = x |> dense(5, init: he)
            c = x |> dense(5, bias: false, init: uniform(-0.5, 0.25))
            d = x |> dense(5, bias: false, init: normal(0, 0.02))
            param e: [5]
            param f: [1, 5]
            param g: [5] = constant(-1)
            output y = a + b + c + d + e + f + g }",
    );
    let inits: Vec<Init> = model.params.iter().map(|param| param.init).collect();
    let uniform = |bound: f64| Init::Uniform(-bound, bound);
    let zero = Init::Constant(0.0);
    assert_eq!(
        inits,
        [
            uniform((6.0f64 / 8.0).sqrt()),
            zero,
            uniform((6.0f64 / 3.0).sqrt()),
            zero,
            Init::Uniform(-0.5, 0.25),
            Init::Normal(0.0, 0.02),
            zero,
            uniform(1.0),
            Init::Constant(-1.0),
        ]
    );
}

#[test]
fn embeddings_have_a_row_for_each_value() {
    let model = lowered(
        "net m { input word: i32[N] in 3..10  input tags: i32[N, 2] in [\"a\", \"b\"]
            a = word |> embedding(16)
            b = embedding(tags, 4, init: uniform(-1, 1))
            output y = a |> dense(2)
            output z = b }",
    );
    assert_eq!(params(&model), ["a.w [7, 16]", "b.w [2, 4]", "y.w [16, 2]", "y.b [2]"]);
    assert_eq!(model.params[0].init, Init::Normal(0.0, 1.0));
    assert_eq!(model.params[1].init, Init::Uniform(-1.0, 1.0));
    assert_eq!(model.graph.shape(model.outputs[1].1).to_string(), "[N, 2, 4]");
}

#[test]
fn ports_keep_their_order_and_domains() {
    let model = lowered(
        "const D = 3
         net m { input a: [N, D, D * 2 + 1]  input b: f32[N]
            output y = a |> dense(3)
            output z = b }
         train { target t: i32[N, D] in [\"cat\", \"dog\", \"cow\"]
            loss = cross_entropy(y, t) + cross_entropy(y, u)
            target u: i32[N, D]
            optimizer = sgd }",
    );
    let ports = |ports: &[arenet_compiler::model::Port]| -> Vec<String> {
        ports.iter().map(|port| format!("{} {}", port.name, port.shape)).collect()
    };
    assert_eq!(model.name, "m");
    assert_eq!(ports(&model.inputs), ["a [N, 3, 7]", "b [N]"]);
    assert_eq!(ports(&model.targets), ["t [N, 3]", "u [N, 3]"]);
    assert_eq!(model.targets[0].dtype, DType::I32);
    let names = ["cat", "dog", "cow"].map(String::from).to_vec();
    assert_eq!(model.targets[0].domain, Domain::Names(names));
    assert_eq!(model.targets[1].domain, Domain::Range(0, 3), "as many as the logits have");
    let outputs: Vec<&str> = model.outputs.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(outputs, ["y", "z"]);
}

#[test]
fn outputs_may_be_named_before_they_are_bound() {
    let model = lowered("net m { output y  input x: [N, 3]  y = x |> dense(2)  output x }");
    let outputs: Vec<&str> = model.outputs.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(outputs, ["y", "x"]);
    assert_eq!(model.outputs[1].1, model.inputs[0].node);
    assert_eq!(model.training, None);
}

fn with_train(train: &str) -> Model {
    lowered(&format!(
        "const RATE = 0.2
         net m {{ input x: [N, 4]  a = x |> dense(3)  b = a |> dense(3)
            output y = b |> dense(2)  freeze a }}
         train {{ target t: [N, 2]  loss = mse(y, t)  {train} }}"
    ))
}

#[test]
fn settings_have_defaults() {
    let training = with_train("optimizer = sgd").training.unwrap();
    assert_eq!(training.batch, Batch::Rows(32));
    assert_eq!((training.epochs, training.seed, training.valid), (10, 0, 0.0));
    assert!(training.shuffle);
    let constant = Schedule::constant(1e-3);
    assert_eq!(training.schedules, [constant]);
    let training = with_train(
        "optimizer = sgd  batch = full  epochs = 3 * 4  seed = 7  valid = 0.25  shuffle = false",
    );
    let training = training.training.unwrap();
    assert_eq!(training.batch, Batch::Full);
    assert_eq!((training.epochs, training.seed, training.valid), (12, 7, 0.25));
    assert!(!training.shuffle);
}

#[test]
fn every_parameter_has_its_optimizer() {
    let model = with_train(
        "optimizer(b) = sgd(0.5, momentum: 0.9, nesterov: true)
         optimizer = adamw(lr: RATE / 2, beta1: 0.8, eps: 1e-6, amsgrad: true)",
    );
    assert_eq!(
        params(&model),
        ["a.w [4, 3]", "a.b [3]", "b.w [3, 3] 0", "b.b [3] 0", "y.w [3, 2] 1", "y.b [2] 1"]
    );
    let [sgd, adamw] = &model.optimizers[..] else { panic!("two optimizers") };
    assert_eq!((sgd.args.signature.name, adamw.args.signature.name), ("sgd", "adamw"));
    assert_eq!((sgd.args.real("momentum"), sgd.args.real("dampening")), (0.9, 0.0));
    assert_eq!((sgd.args.flag("nesterov"), sgd.args.flag("maximize")), (true, false));
    assert_eq!(
        ["beta1", "beta2", "eps", "weight_decay"].map(|name| adamw.args.real(name)),
        [0.8, 0.999, 1e-6, 0.01]
    );
    assert_eq!((adamw.args.flag("amsgrad"), adamw.args.flag("maximize")), (true, false));
    assert_eq!(sgd.slots(), ["momentum"]);
    assert_eq!(adamw.slots(), ["m", "v", "v_max"]);
    let bases: Vec<f64> =
        model.training.unwrap().schedules.iter().map(|schedule| schedule.base).collect();
    assert_eq!(bases, [0.5, 0.1]);
}

#[test]
fn schedules() {
    let schedule = |text: &str| {
        let model = with_train(&format!("optimizer = sgd(lr: {text})"));
        let schedule = model.training.unwrap().schedules.swap_remove(0);
        (schedule.base, schedule.rate.to_string())
    };
    let made = |base, rate: &str| (base, rate.to_string());
    assert_eq!(
        schedule("step(0.1, every: 5, by: 0.5, per: epoch)"),
        made(0.1, "base * 0.5^floor(epoch / 5)")
    );
    assert_eq!(
        schedule("exponential(RATE, by: 0.9, warmup: 3)"),
        made(0.2, "if(step < 3, base * (step + 1) / 3, base * 0.9^(step - 3))")
    );
    assert_eq!(
        schedule("cosine(0.01, to: 0.0001, over: 1000)"),
        made(
            0.01,
            "if(step < 1000, \
             0.0001 + (base - 0.0001) * (1 + cos_turns(step / 1000 / 2)) / 2, 0.0001)"
        )
    );
    assert_eq!(
        schedule("cosine(0.01)"),
        made(
            0.01,
            "if(step < max(steps, 1), \
             0 + (base - 0) * (1 + cos_turns(step / max(steps, 1) / 2)) / 2, 0)"
        )
    );
}

#[test]
fn metrics_are_named_apart() {
    let model = with_train(
        "optimizer = sgd  metric rmse(y, t)  metric mae(y, t)
         metric accuracy(y, t)  metric accuracy(a, b, threshold: 0)",
    );
    let metrics = model.metrics.iter().map(|metric| {
        let Finish { figure, percent, .. } = &metric.figure.finish;
        (metric.name.as_str(), figure.to_string(), *percent)
    });
    let made = |name, figure: &str, percent| (name, figure.to_string(), percent);
    assert_eq!(
        metrics.collect::<Vec<_>>(),
        [
            made("rmse", "sqrt(sum / N)", false),
            made("mae", "sum / N", false),
            made("accuracy(y)", "sum / (N * 2)", true),
            made("accuracy(a)", "sum / (N * 3)", true),
        ]
    );
}

#[test]
fn the_losses_of_a_sum_are_shown_by_their_names() {
    let names = |train: &str| -> Vec<String> {
        let model = lowered(&format!(
            "net m {{ input x: [N, 4]  a = x |> dense(3)  b = a |> dense(3)
                output y = b |> dense(2) }}
             train {{ target t: [N, 2]  optimizer = sgd  {train} }}"
        ));
        model.metrics.iter().map(|metric| metric.name.clone()).collect()
    };
    assert_eq!(names("loss = 2 * mse(y, t)"), [""; 0]);
    assert_eq!(names("loss = mse(y, t) + 0.1 * mean(y)"), ["mse"]);
    let mixed = "loss = mse(y, t) - mae(a, b) / 2  metric rmse(y, t)";
    assert_eq!(names(mixed), ["mse", "mae", "rmse"]);
    assert_eq!(names("loss = mse(y, t) + mse(a, b)"), ["mse(y)", "mse(a)"]);
    assert_eq!(names("loss = mse(y, t) + mae(a, b)  metric mse(y, t)"), ["mae", "mse"]);
}

#[test]
fn memory_has_a_limit() {
    let model = lowered("net m { input x: [N, 3]  output y = x  limit memory = 64 KiB }");
    assert_eq!(model.memory_limit.unwrap().0, 65536);
}

#[test]
fn bce_of_a_sigmoid_is_computed_from_its_logits() {
    let model = lowered(
        "net m { input x: [N, 3]  output y = x |> dense(1) |> sigmoid }
         train { target t: [N, 1]  loss = bce(y, t)  optimizer = sgd }",
    );
    let text = model.graph.to_string();
    assert!(text.contains("bce_logits"), "{text}");
    assert_eq!(model.targets[0].domain, Domain::Interval(0.0, 1.0), "where the loss is defined");
}
