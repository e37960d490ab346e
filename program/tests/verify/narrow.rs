//! Weights of bfloat16 and of 8-bit integers: the programs that may have them, and what is refused.

use arenet_program::codec::{decode, encode};
use arenet_program::verify::verify;
use arenet_program::*;
use pretty_assertions::assert_eq;

use crate::refuse::{buffer, fresh};
use crate::sample::*;

/// The sample without training, its first weight bfloat16 and its second 8-bit integers.
pub fn narrow() -> Program {
    let mut p = sample();
    p.training = None;
    p.routines[EntryPoint::Train] = Routine::default();
    p.scalars.truncate(1);
    p.params[0].states.clear();
    p.routines[EntryPoint::Init].steps = vec![fill(B1), fill(B2)];
    buffer(&mut p, W1).dtype = DType::Bf16;
    let quads = fresh(&mut p, Layout::Quads { rows: 3, cols: 2 });
    *buffer(&mut p, W2) = p.buffers[quads.0 as usize];
    p.buffers.pop();
    buffer(&mut p, W2).dtype = DType::I8;
    p
}

fn product(p: &mut Program, step: usize) -> &mut Gemm {
    match &mut p.routines[EntryPoint::Predict].steps[step - 1].kernel {
        Kernel::Gemm(gemm) => gemm,
        other => panic!("{other:?}"),
    }
}

fn check(fault: fn(&mut Program), message: &str) {
    let mut program = narrow();
    fault(&mut program);
    let found = verify(program).err().map(|error| error.to_string());
    assert_eq!(found.as_deref(), Some(message));
}

#[test]
fn a_program_that_predicts_and_evaluates_may_have_them() {
    let program = narrow();
    assert_eq!(verify(program.clone()).map(|found| found.program().clone()), Ok(program.clone()));
    assert_eq!(decode(&encode(&program)), Ok(program.clone()));
    assert_eq!(program.precision(), DType::I8);
    assert_eq!(sample().precision(), DType::F32);
}

#[test]
fn they_take_the_bytes_that_their_elements_have() {
    let bytes = |layout, dtype| Buffer { layout, dtype, ..Buffer::default() }.bytes(1);
    let panels = Layout::Panels { rows: 100, cols: 20 };
    assert_eq!(bytes(panels, DType::F32), Some(100 * 32 * 4));
    assert_eq!(bytes(panels, DType::Bf16), Some(100 * 32 * 2));
    // Two panels of 16 columns, each with 16 scales of four bytes.
    let quads = |rows| Layout::Quads { rows, cols: 20 };
    assert_eq!(bytes(quads(100), DType::I8), Some(2 * (64 + 100 * 16)));
    assert_eq!(bytes(quads(97), DType::I8), Some(2 * (64 + 100 * 16)));
    assert_eq!(bytes(Layout::Quads { rows: u64::MAX, cols: 1 }, DType::I8), None);
    assert_eq!(bytes(Layout::Quads { rows: 1, cols: u64::MAX }, DType::I8), None);
}

#[test]
fn they_lie_in_their_own_layouts() {
    let panels = Layout::Panels { rows: 3, cols: 3 };
    assert_eq!(narrow().buffers[W1.0 as usize].layout, panels);
    check(|p| buffer(p, W1).dtype = DType::I8, "buffer 3 is of i8, which cannot lie as it does");
    check(
        |p| buffer(p, W2).dtype = DType::Bf16,
        "buffer 5 is of bf16, which cannot lie as it does",
    );
    check(|p| buffer(p, W2).dtype = DType::F32, "buffer 5 is of f32, which cannot lie as it does");
    check(|p| buffer(p, W2).dtype = DType::I32, "buffer 5 is of i32, which cannot lie as it does");
    check(|p| buffer(p, X).dtype = DType::Bf16, "buffer 0 is of bf16, which cannot lie as it does");
    check(
        |p| buffer(p, W2).layout = Layout::Quads { rows: 0, cols: 2 },
        "buffer 5 has no elements",
    );
    check(
        |p| buffer(p, W2).layout = Layout::Quads { rows: 133_145, cols: 2 },
        "buffer 5 has 133145 rows of 8-bit integers, more than 133144, so that a sum of products \
         could overflow",
    );
    check(
        |p| buffer(p, W2).layout = Layout::Quads { rows: 3, cols: u64::MAX },
        "buffer 5 has more than 2^40 elements",
    );
    check(
        |p| buffer(p, W2).layout = Layout::Quads { rows: 3, cols: 100 },
        &format!(
            "buffer 5 starts at byte {} and ends beyond the arena of {} bytes",
            narrow().buffers[W2.0 as usize].offset,
            narrow().arena_bytes
        ),
    );
}

#[test]
fn only_products_read_them_and_only_the_host_writes_them() {
    check(
        |p| p.routines[EntryPoint::Init].steps.push(fill(W1)),
        "init, step 3 (random): y must be a buffer of f32, not of bf16",
    );
    check(
        |p| p.routines[EntryPoint::Predict].steps.push(copy(W2, H)),
        "predict, step 4 (map): load 0 must be a buffer of f32, not of i8",
    );
    check(
        |p| p.routines[EntryPoint::Predict].steps.push(copy(H, W2)),
        "predict, step 4 (map): store 0 must be a buffer of f32, not of i8",
    );
    check(|p| product(p, 2).a = W2, "predict, step 2 (gemm): A must be a buffer of f32, not of i8");
    check(
        |p| product(p, 2).bias = Some(W1),
        "predict, step 2 (gemm): the bias must be a buffer of f32, not of bf16",
    );
    let transposed = |step| {
        format!(
            "predict, step {step} (gemm): an operand is transposed, which it may not be where B \
             is narrow"
        )
    };
    check(|p| product(p, 1).b_transposed = true, &transposed(1));
    check(|p| product(p, 2).a_transposed = true, &transposed(2));
    check(
        |p| p.params[0].states.push(momentum(MOMENTUM)),
        "parameter `h.w` is of bf16, and has states as if it were trained",
    );
    check(
        |p| p.params[2].shape = vec![3, 3],
        "parameter `logits.w` has shape [3, 3], but its buffer is [3, 2]",
    );
    check(
        |p| drop(p.params.remove(0)),
        "predict, step 1 (gemm): reads buffer 3, which nothing has written",
    );
    check(
        |p| {
            let offset = buffer(p, W1).offset;
            buffer(p, H).offset = offset;
        },
        "predict, step 1 (gemm): writes buffer 8 over 3, which it reads",
    );
}
