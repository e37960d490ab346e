//! The formulas of optimizers, as `arenet show --optimizer` prints them. UPDATE_GOLDEN=1 rewrites
//! golden/optimizers.txt.

use crate::common::golden;
use crate::common::oracle::lowered;
use arenet_compiler::entry::built;
use arenet_compiler::optim::OPTIMIZERS;
use arenet_compiler::pass::simplify::simplify_model;
use arenet_compiler::show::optimizer::optimizers;

fn shown(train: &str) -> String {
    let source = format!(
        "net m {{ input x: [N, 4]  h = x |> dense(3) |> layer_norm  output y = h |> dense(2) }}
         train {{ target t: [N, 2]  loss = mse(y, t)  {train} }}"
    );
    let text = optimizers(&simplify_model(lowered(&source)));
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    format!("=== {train}\n{text}\n")
}

#[test]
fn every_optimizer_is_written_as_in_its_paper() {
    let mut text: String =
        built(OPTIMIZERS).map(|name| shown(&format!("optimizer = {name}"))).collect();
    for train in [
        "optimizer = sgd(lr: 0.1, momentum: 0.9, nesterov: true, weight_decay: 0.01)",
        "optimizer = sgd(lr: 0.1, momentum: 0.9, dampening: 0.5, maximize: true)",
        "optimizer = adam(lr: cosine(0.01, to: 0.001, warmup: 20), amsgrad: true)",
        "optimizer = adamw(weight_decay: 0.05, decay: weights)  clip_norm = 1  clip_value = 0.1",
        "optimizer = adamw(lr: one_cycle(0.01))",
        "optimizer = rmsprop(centered: true, momentum: 0.9, weight_decay: 0.1)",
        "optimizer = adagrad(initial_accumulator_value: 0.1, lr_decay: 0.01)",
        "optimizer = nadam(lr: one_cycle(0.01), decoupled_weight_decay: true, weight_decay: 0.1)",
        "optimizer = lion(weight_decay: 0.1)  optimizer(h.0, y.b) = sgd  max_norm(y.w) = 3
         l1(h.0.w) = 0.001  l2(h.0) = 0.01",
        "optimizer = sgd(maximize: true)  l2(y) = 0.01  clip_norm = 1",
    ] {
        text += &shown(train);
    }
    golden("optimizers", &text);
}
