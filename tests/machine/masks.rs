//! Masks: each element is that of the scalar generator, in every layout, on every instruction set
//! and with any threads.

use crate::common::draft::{Draft, Form, Matrix, bits, read};
use arenet_runtime::exec::{EntryPoint, Executor, Options};
use arenet_runtime::program::{BufferId, Distribution, Kernel, Random, StreamId};
use arenet_runtime::random::Stream;
use arenet_runtime::simd::Isa;

const STREAM: Stream = Stream { seed: 0, stream: StreamId(11) };
const SHARE: f32 = 0.3;
const KEPT: f32 = 1.0 / 0.7;

/// What a mask of this width is at a step.
fn expected(step: u64, rows: usize, cols: usize) -> Matrix {
    Matrix::from_fn(rows, cols, |row, col| {
        let uniform = STREAM.uniform(step, (row * cols + col) as u64);
        if uniform < SHARE { 0.0 } else { KEPT }
    })
}

fn mask(draft: &mut Draft, form: Form, cols: usize) -> Kernel {
    let y = draft.result(form, None, cols);
    let distribution = Distribution::Mask(SHARE, KEPT);
    Kernel::Random(Random { y, distribution, stream: STREAM.stream })
}

fn written(kernel: &Kernel) -> BufferId {
    kernel.access().writes[0]
}

#[test]
fn a_mask_is_that_of_the_scalar_generator() {
    for (batch, rows) in [(1, 1), (7, 5), (64, 64), (70, 51)] {
        for cols in [1, 2, 3, 10, 16, 31, 64, 100, 256] {
            for form in [Form::Rows, Form::Columns, Form::List] {
                if form == Form::List && cols > 1 {
                    continue;
                }
                let mut draft = Draft::new(batch, rows);
                let kernel = mask(&mut draft, form, cols);
                let expected = (written(&kernel), expected(0, rows, cols));
                draft.check(&format!("{form:?} of {cols}"), &[kernel], &[expected]);
            }
        }
    }
}

/// Steps beyond 32 bits among them.
#[test]
fn a_mask_depends_on_the_step() {
    let (rows, cols) = (600, 130);
    let mut draft = Draft::new(rows, rows);
    let kernel = mask(&mut draft, Form::Rows, cols);
    let y = written(&kernel);
    let program = draft.verified(&[kernel], 0);
    for isa in Isa::available() {
        let options = Options { isa: Some(isa), threads: Some(1), max_memory: None };
        let mut executor = Executor::new(program.clone(), options).unwrap();
        for step in [1, 3, (1 << 40) + 5] {
            executor.set_step(step, 0);
            executor.run(EntryPoint::Train, rows).unwrap();
            let same = bits(&read(&executor, y, rows)) == bits(&expected(step, rows, cols).data);
            assert!(same, "{isa}, step {step}");
        }
        let kept = expected(3, rows, cols).data.iter().filter(|value| **value > 0.0).count();
        let share = kept as f64 / (rows * cols) as f64;
        assert!((share - 0.7).abs() < 0.01, "{share} are kept");
    }
}
