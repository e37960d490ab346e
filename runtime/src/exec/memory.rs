//! The layout of an executor's memory, and the bytes that its prepared steps take beside it.

use super::bind::Binder;
use super::constants::Constants;
use super::share::Share;
use super::{EntryPoint, Launch};
use crate::kernel::expr::Code;
use crate::kernel::gemm::Gemm;
use crate::program::{Kernel, PerEntry, Program};
use crate::simd::LANES;
use std::ops::Range;

/// The floats of an executor: those of the program's buffers, the constants, then the scratch of
/// each thread, with a fence behind each. A fence has no floats but where a run is watched.
pub(super) struct Space {
    pub(super) fence: usize,
    /// The first float of the constants.
    pub(super) constants_at: usize,
    pub(super) constants: Constants,
    /// The first float of the first thread's scratch.
    scratch_at: usize,
    /// The floats of a thread's scratch, fences inside it included.
    scratch: usize,
    /// All of them.
    pub(super) floats: u64,
}

/// The prepared steps of a thread, by entry.
pub(super) type Steps = PerEntry<Vec<Launch>>;
/// For each of them the fences inside the thread's scratch.
pub(super) type Fences = PerEntry<Vec<Vec<Range<usize>>>>;

impl Space {
    /// The space of a program that these threads share.
    pub(super) fn new(
        program: &Program,
        shares: &PerEntry<Vec<Share>>,
        threads: usize,
        fence: usize,
    ) -> Space {
        let constants_at = program.arena_bytes as usize / 4 + fence;
        let (constants, scratch_at, floats) = (Constants::new(), 0, 0);
        let mut space = Space { fence, constants_at, constants, scratch_at, scratch: 0, floats };
        // Binding once tells how many constants and how much scratch there are.
        space.scratch = space.bind(program, shares, 0, 0).2;
        space.scratch_at = constants_at + space.constants.values().len() * LANES + fence;
        let scratch = (space.scratch + fence) as u64 * threads as u64;
        space.floats = space.scratch_at as u64 + scratch;
        space
    }

    /// The scratch of a thread.
    pub(super) fn scratch(&self, thread: usize) -> Range<usize> {
        let start = self.scratch_at + thread * (self.scratch + self.fence);
        start..start + self.scratch
    }

    /// Binds every entry for a thread whose scratch starts at `scratch`; also says how many floats
    /// of scratch it needs.
    pub(super) fn bind(
        &mut self,
        program: &Program,
        shares: &PerEntry<Vec<Share>>,
        scratch: usize,
        thread: usize,
    ) -> (Steps, Fences, usize) {
        let (at, fence) = (self.constants_at, self.fence);
        let mut binder = Binder::new(program, &mut self.constants, at, scratch, fence);
        let (mut steps, mut fences) = (Steps::default(), Fences::default());
        for entry in EntryPoint::ALL {
            let shares = &shares[entry];
            let (steps, fences) = (&mut steps[entry], &mut fences[entry]);
            for (step, &share) in program.routines[entry].steps.iter().zip(shares) {
                if thread < share.threads || share.barrier {
                    steps.push(Launch { step: binder.bind(&step.kernel, share.split), share });
                    if fence > 0 {
                        fences.push(binder.fences());
                    }
                }
            }
            steps.shrink_to_fit();
        }
        (steps, fences, binder.scratch_floats)
    }
}

/// The most bytes that the prepared steps of so many threads take.
pub(super) fn prepared_bytes(
    program: &Program,
    shares: &PerEntry<Vec<Share>>,
    threads: usize,
) -> u64 {
    let steps = EntryPoint::ALL
        .into_iter()
        .flat_map(|entry| program.routines[entry].steps.iter().zip(&shares[entry]));
    steps
        .map(|(step, share)| {
            let holders = if share.barrier { threads } else { share.threads };
            step_bytes(&step.kernel) as u64 * holders as u64
        })
        .fold(0, u64::saturating_add)
}

/// The most bytes that a step takes once it is prepared.
fn step_bytes(kernel: &Kernel) -> usize {
    let codes = kernel.expressions().into_iter();
    let codes: usize = codes.map(|(expr, _)| Code::most_bytes(expr)).sum();
    // The list of steps may have grown to twice what it holds.
    2 * size_of::<Launch>() + size_of::<Gemm>() + codes
}
