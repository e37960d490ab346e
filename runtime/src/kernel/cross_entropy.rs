//! Softmax and cross-entropy with class indices in one, and the share of correct answers.
#![expect(unsafe_code, reason = "reads and writes rows of vectors")]

use super::argmax::first_largest;
use super::place::{Extent, List, Part};
use super::softmax::{Logits, copied_row, each, load, normalizer, store};
use crate::arena::Memory;
use crate::simd::{LANES, Simd, math};

/// A softmax with cross-entropy bound to places.
#[derive(Clone, Copy, Debug, Default)]
pub struct CrossEntropy {
    /// The logits.
    pub x: usize,
    /// The class indices.
    pub target: List,
    /// One loss a row.
    pub loss: Option<List>,
    /// The gradient of the logits.
    pub grad: Option<Gradient>,
    /// The rows.
    pub rows: Extent,
    /// The classes.
    pub cols: usize,
    /// From one row of logits to the next, or from one column to the next.
    pub stride: usize,
    /// Whether the classes are columns, of which there are at most [`LANES`]; the lists then lie
    /// without gaps.
    pub columns: bool,
}

/// Where the gradient goes and what it is multiplied by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gradient {
    /// Its first float; its rows lie as those of the logits do.
    pub y: usize,
    /// The factors; one for all is a row of one, again and again.
    pub scale: List,
}

impl CrossEntropy {
    /// Computes this thread's rows at a batch of `n` rows: loss = ln Σ eˣ - x\[t\] and
    /// grad = (softmax(x) - onehot(t)) × scale, both shifted by the largest x so that they stay
    /// finite.
    ///
    /// # Safety
    /// It is bound for this memory from a verified program planned for at least `n` rows.
    pub unsafe fn run<S: Simd>(&self, s: S, memory: Memory, n: usize, part: Part) {
        s.vectorize(
            #[inline(always)]
            || {
                if self.columns {
                    // SAFETY: the contract is this function's.
                    return unsafe { self.run_columns(s, memory, n, part) };
                }
                let width = self.cols.next_multiple_of(LANES);
                for row in self.rows.own(n, part) {
                    // SAFETY: `check_cross_entropy` has proved that x and the gradient have these
                    // rows and that each list has an element for them, and `check_overlaps` that
                    // what is written is apart from all else, but for the gradient or the loss
                    // on x, which is read no more when `copied_row` has it.
                    let (target, x) = unsafe {
                        let target = *memory.at(self.target.at(row)).cast::<i32>() as usize;
                        (target, memory.read(self.x + row * self.stride, width))
                    };
                    let (largest, total) = normalizer(s, x, self.cols);
                    let chosen = x[target];
                    if let Some(grad) = self.grad {
                        // SAFETY: as above.
                        let (scale, y) = unsafe {
                            let scale = *memory.at(grad.scale.at(row));
                            let row = row * self.stride;
                            (scale, copied_row(memory, self.x, grad.y, row, self.cols))
                        };
                        let (shift, total) = (s.splat(largest), s.splat(total));
                        let factor = s.splat(scale);
                        each(s, y, |x| s.mul(s.div(math::exp(s, s.sub(x, shift)), total), factor));
                        y[target] -= scale;
                    }
                    // The losses of a single class may lie on its logits, as the gradient may: here
                    // the logits are read no more.
                    if let Some(loss) = self.loss {
                        let log = s.to_array(math::log(s, s.splat(total)))[0];
                        // SAFETY: as above.
                        unsafe { *memory.at(loss.at(row)) = log - (chosen - largest) };
                    }
                }
            },
        );
    }

    /// Sixteen rows at once.
    #[inline(always)]
    unsafe fn run_columns<S: Simd>(&self, s: S, memory: Memory, n: usize, part: Part) {
        for row in self.rows.own(n, part).step_by(LANES) {
            // SAFETY: `rows_or_columns` has proved that x has at most sixteen columns, `place`
            // that each holds its rows in whole vectors, and `check_cross_entropy` that the lists
            // beside them lie without gaps, and so in whole vectors too.
            let (target, x) = unsafe {
                let target = s.to_bits(load(s, memory, self.target.at(row)));
                let x = Logits::load(s, memory, self.x + row, self.stride, self.cols);
                (s.int_to_float(target), x)
            };
            let is_target = |class: usize| s.eq(target, s.splat(class as f32));
            if let Some(loss) = self.loss {
                let mut chosen = x.x[0];
                for class in 1..self.cols {
                    chosen = s.select(is_target(class), x.x[class], chosen);
                }
                let log = math::log(s, x.total);
                let value = s.sub(log, s.sub(chosen, x.largest));
                // SAFETY: as above.
                unsafe { store(s, memory, loss.at(row), value) };
            }
            if let Some(grad) = self.grad {
                // SAFETY: as above; one number is a scalar's, or a list of its own.
                let scale = unsafe {
                    match grad.scale.stride {
                        0 => s.splat(*memory.at(grad.scale.offset)),
                        _ => load(s, memory, grad.scale.at(row)),
                    }
                };
                for class in 0..self.cols {
                    let y = s.mul(s.div(x.e[class], x.total), scale);
                    let y = s.select(is_target(class), s.sub(y, scale), y);
                    // SAFETY: the gradient lies as x does, as `check_cross_entropy` has proved.
                    unsafe { store(s, memory, grad.y + class * self.stride + row, y) };
                }
            }
        }
    }
}

/// A count of correct answers bound to places.
#[derive(Clone, Copy, Debug, Default)]
pub struct Correct {
    /// The scores.
    pub x: usize,
    /// The class indices.
    pub target: List,
    /// 1 or 0 a row.
    pub y: List,
    /// The rows.
    pub rows: Extent,
    /// The classes.
    pub cols: usize,
    /// From one row of scores to the next.
    pub stride: usize,
}

impl Correct {
    /// Computes this thread's rows at a batch of `n` rows.
    ///
    /// # Safety
    /// It is bound for this memory from a verified program planned for at least `n` rows.
    pub unsafe fn run(&self, memory: Memory, n: usize, part: Part) {
        for row in self.rows.own(n, part) {
            // SAFETY: `kernel::check` of `verify` has proved that x has these rows and that the
            // lists have an element for each, and `check_overlaps` that y is apart from both.
            unsafe {
                let x = memory.read(self.x + row * self.stride, self.cols);
                let target = *memory.at(self.target.at(row)).cast::<i32>();
                let correct = first_largest(x) == target as usize;
                *memory.at(self.y.at(row)) = f32::from(u8::from(correct));
            }
        }
    }
}
