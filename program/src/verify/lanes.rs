//! Which numbers are the same in all lanes.
//!
//! A number that expressions spread over their tiles is held sixteen times, to be read as a vector.
//! A row of one element lies just like it, but a product, or a sum of columns, leaves anything in
//! the lanes of its padding, and some kernels write the element alone. So each such buffer's lanes
//! are followed from who writes them to who spreads them, through the expressions that take them
//! lane by lane, and from run to run through parameters and their states.

use std::collections::HashMap;

use super::buffers::Buffers;
use super::each_step;
use super::table::Held;
use crate::{
    BufferId, EntryPoint, Expr, Follows, Layout, Program, ProgramError, Spread, Step, Value,
};

/// Checks that whatever is spread as one number was written to all lanes. The program has passed
/// `lifetime`.
pub(super) fn check(
    program: &Program,
    buffers: &Buffers,
    held: &[Held],
) -> Result<(), ProgramError> {
    let mut lanes = Lanes { buffers, readers: Vec::new(), mixed: Vec::new(), held: HashMap::new() };
    // The host writes all lanes of what is held.
    for held in held.iter().filter(|held| is_number(held.buffer, buffers)) {
        let id = lanes.add();
        lanes.held.insert(held.extent.start, id);
    }
    let mut entries = Vec::new();
    for entry in EntryPoint::ALL.into_iter().filter(|entry| entry.runs(program)) {
        let mut now = lanes.held.clone();
        let steps = &program.routines[entry].steps;
        let spread: Vec<_> = steps.iter().map(|step| lanes.step(step, &mut now)).collect();
        entries.push((entry, steps, spread));
    }
    let mixed = lanes.mix();
    for (entry, steps, spread) in entries {
        let mut spread = spread.into_iter();
        each_step(entry, steps, |_| {
            let numbers = spread.next().unwrap_or_default();
            match numbers.iter().find(|&&(_, lanes)| mixed[lanes]) {
                Some((id, _)) => Err(ProgramError::new(format!(
                    "spreads buffer {} as one number, but not all of its lanes are written",
                    id.0
                ))),
                None => Ok(()),
            }
        })?;
    }
    Ok(())
}

/// The lanes of one number at a time; an index into the lists of [`Lanes`].
type Id = usize;

/// Who takes lanes from whom.
struct Lanes<'a> {
    buffers: &'a Buffers<'a>,
    /// Of each, those that differ in their lanes if it does.
    readers: Vec<Vec<Id>>,
    /// Those whose writer leaves anything in some lanes.
    mixed: Vec<Id>,
    /// Those of buffers that outlive a run, by their first byte.
    held: HashMap<u64, Id>,
}

impl Lanes<'_> {
    fn add(&mut self) -> Id {
        self.readers.push(Vec::new());
        self.readers.len() - 1
    }

    /// Follows a step; returns what it spreads as one number.
    fn step(&mut self, step: &Step, now: &mut HashMap<u64, Id>) -> Vec<(BufferId, Id)> {
        let buffers = self.buffers;
        let (mut spread, mut written) = (Vec::new(), Vec::new());
        let expressions = step.kernel.expressions();
        for (expr, follows) in &expressions {
            let numbers = expr.loads.iter().filter(|load| load.spread == Spread::Scalar);
            spread
                .extend(numbers.map(|load| (load.buffer, now[&buffers.extent(load.buffer).start])));
            if expr.stores.iter().any(|&(_, id)| is_number(id, buffers)) {
                self.stores(expr, *follows, now, &mut written);
            }
        }
        if expressions.is_empty() {
            let writes = step.kernel.access().writes;
            for id in writes.into_iter().filter(|&id| is_number(id, buffers)) {
                let lanes = self.add();
                if !step.kernel.spreads() {
                    self.mixed.push(lanes);
                }
                written.push((id, lanes));
            }
        }
        for (id, lanes) in written {
            let start = buffers.extent(id).start;
            now.insert(start, lanes);
            if let Some(&held) = self.held.get(&start) {
                self.readers[lanes].push(held);
            }
        }
        spread
    }

    /// The lanes of the numbers that an expression stores.
    fn stores(
        &mut self,
        expr: &Expr,
        follows: Follows,
        now: &HashMap<u64, Id>,
        written: &mut Vec<(BufferId, Id)>,
    ) {
        let (buffers, sources) = (self.buffers, sources(expr));
        for &(value, id) in expr.stores.iter().filter(|&&(_, id)| is_number(id, buffers)) {
            let lanes = self.add();
            let from = source(value, expr, &sources);
            let mut is_mixed = from & RESULT != 0 && follows == Follows::Padded;
            for (_, load) in expr.loads.iter().enumerate().filter(|(i, _)| from >> i & 1 != 0) {
                match is_number(load.buffer, buffers) {
                    true => self.readers[now[&buffers.extent(load.buffer).start]].push(lanes),
                    false => is_mixed = true,
                }
            }
            if is_mixed {
                self.mixed.push(lanes);
            }
            written.push((id, lanes));
        }
    }

    /// Whether each differs in its lanes, or takes some from one that does.
    fn mix(mut self) -> Vec<bool> {
        let mut mixed = vec![false; self.readers.len()];
        while let Some(id) = self.mixed.pop() {
            if !std::mem::replace(&mut mixed[id], true) {
                self.mixed.append(&mut self.readers[id]);
            }
        }
        mixed
    }
}

fn is_number(id: BufferId, buffers: &Buffers) -> bool {
    buffers.buffers[id.0 as usize].layout == Layout::scalar()
}

/// The bit of the kernel's result; those below are of the loads, of which there are at most 64.
const RESULT: u128 = 1 << 64;

/// For each instruction, the loads that it takes lane by lane, and whether the result.
fn sources(expr: &Expr) -> Vec<u128> {
    let mut sources = Vec::with_capacity(expr.code.len());
    for instr in &expr.code {
        let args = instr.args[..instr.op.arity()].iter();
        sources.push(args.fold(0, |from, &arg| from | source(arg, expr, &sources)));
    }
    sources
}

/// What a value takes lane by lane. A column is spread from its element, and what is spread as one
/// number is checked on its own.
fn source(value: Value, expr: &Expr, sources: &[u128]) -> u128 {
    match value {
        Value::Result => RESULT,
        Value::Load(i) => match expr.loads[usize::from(i)].spread {
            Spread::Full | Spread::Row => 1 << i,
            Spread::Column | Spread::Scalar => 0,
        },
        Value::Const(_) => 0,
        Value::Instr(i) => sources[usize::from(i)],
    }
}
