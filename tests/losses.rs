//! Losses in the runtime's arithmetic beside their formulas in 64 bits, with bounds relative to the
//! value itself: a loss near 0 has as many right digits as a large one.

mod common;

use arenet_runtime::exec::{EntryPoint, Executor};
use arenet_runtime::program::Verified;
use arenet_runtime::simd::Isa;
use common::{compile, executor};
use std::sync::Arc;

/// Computes the loss of one prediction and one target, and its gradient.
struct Loss {
    program: Arc<Verified>,
    executor: Executor,
}

impl Loss {
    /// A loss of `y`, which is made of x + p where p is 0.
    fn new(y: &str, loss: &str, isa: Isa) -> Loss {
        let source = format!(
            "net m {{ input x: [N, 1]  param p: [] = zeros()  z = x + p  output y = {y} }}
             train {{ target t: [N, 1]  loss = {loss}(y, t)  optimizer = sgd(lr: 1) }}"
        );
        let program = compile(&source, 1);
        let executor = executor(&program, 1, isa, 1.0);
        Loss { program, executor }
    }

    fn at(&mut self, x: f32, t: f32) -> (f64, f64) {
        let program = self.program.program();
        self.executor.run(EntryPoint::Init, 1).unwrap();
        self.executor.write_floats(&program.inputs[0], 0, &[x]).unwrap();
        self.executor.write_floats(&program.targets[0], 0, &[t]).unwrap();
        self.executor.run(EntryPoint::Eval, 1).unwrap();
        let loss = self.executor.scalar(program.loss.unwrap());
        self.executor.run(EntryPoint::Train, 1).unwrap();
        // The step from 0 is the gradient.
        let step = self.executor.read(program.params[0].buffer)[0];
        (loss.into(), -f64::from(step))
    }
}

#[track_caller]
fn close(what: &str, actual: f64, expected: f64, relative: f64, absolute: f64) {
    let bound = (relative * expected.abs()).max(absolute);
    let error = (actual - expected).abs();
    assert!(error <= bound, "{what}: {actual:e}, not {expected:e} (off by {error:e})");
}

const TARGETS: [f32; 6] = [0.0, 1.0, 0.25, 0.5, 1e-3, 0.999];

#[test]
fn binary_cross_entropy_of_logits_keeps_its_digits() {
    let sizes = [0.0, 1e-3, 0.1, 1.0, 5.0, 12.0, 15.0, 17.0, 30.0, 60.0, 87.0];
    for isa in Isa::available() {
        for (y, loss) in [("z", "bce_logits"), ("sigmoid(z)", "bce")] {
            let mut run = Loss::new(y, loss, isa);
            for z in sizes.into_iter().flat_map(|size| [-size, size]) {
                for t in TARGETS {
                    let what = format!("{loss} of {y}, z = {z}, t = {t}, {isa}");
                    let (value, grad) = run.at(z, t);
                    let (z, t) = (f64::from(z), f64::from(t));
                    let expected = z.max(0.0) - t * z + (-z.abs()).exp().ln_1p();
                    close(&what, value, expected, 5e-7, 0.0);
                    // PyTorch's: a difference of numbers in [0, 1].
                    let expected = 1.0 / (1.0 + (-z).exp()) - t;
                    close(&format!("gradient of {what}"), grad, expected, 5e-7, 1e-7);
                }
            }
            let (value, _) = run.at(12.0, 1.0);
            close("z = 12, t = 1", value, 6.144193477e-6, 5e-7, 0.0);
        }
    }
}

#[test]
fn binary_cross_entropy_of_probabilities_is_that_of_pytorch() {
    let below_1 = f32::from_bits(1.0f32.to_bits() - 1);
    let probabilities = [0.0, 1e-30, 1e-9, 1e-7, 1e-3, 0.25, 0.5, 0.9, 0.999, below_1, 1.0];
    for isa in Isa::available() {
        let mut run = Loss::new("z", "bce", isa);
        for y in probabilities {
            for t in TARGETS {
                let what = format!("bce of y = {y}, t = {t}, {isa}");
                let (value, grad) = run.at(y, t);
                let (y, t) = (f64::from(y), f64::from(t));
                let (log_y, log_1_y) = (y.ln().max(-100.0), (-y).ln_1p().max(-100.0));
                let expected = -(t * log_y + (1.0 - t) * log_1_y);
                close(&what, value, expected, 5e-7, 0.0);
                let expected = (y - t) / (y * (1.0 - y)).max(1e-12);
                close(&format!("gradient of {what}"), grad, expected, 5e-7, 0.0);
            }
        }
    }
}
