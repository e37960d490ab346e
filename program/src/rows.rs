//! Whether the rows of a prediction are independent of each other.

use super::{BufferId, EntryPoint, Program, Step};

/// The first step of a prediction that makes one value of all rows, or that reads a number which
/// the host computes for a batch in training. After it a row's outputs depend on the other rows.
pub fn crossing(program: &Program) -> Option<&Step> {
    let batched = |id: BufferId| program.buffers[id.0 as usize].layout.shape().0.batched;
    let scalar = |id: BufferId| program.scalars.iter().any(|&(_, scalar)| scalar == id);
    program.routines[EntryPoint::Predict].steps.iter().find(|step| {
        let access = step.kernel.access();
        let shared = access.writes.iter().any(|&id| !batched(id));
        access.reads().any(|id| scalar(id) || shared && batched(id))
    })
}
