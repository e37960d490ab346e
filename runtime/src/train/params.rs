//! Parameters and optimizer states as named tensors.

use crate::data::{DataError, nearest, quoted, shown};
use crate::exec::{Executor, Order};
use crate::program::{BufferId, Param, Program};
use crate::pytorch::{Pick, pytorch_order};
use crate::weights::{Head, WeightsFile, write_weights};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::path::Path;

/// A parameter or a state, with its name in a file.
pub(crate) struct Slot {
    name: String,
    shape: Vec<usize>,
    pub buffer: BufferId,
}

/// The parameters of a program, in its order.
pub(crate) fn parameters(program: &Program) -> Vec<Slot> {
    let slot = |param: &Param| Slot {
        name: param.name.clone(),
        shape: param.shape.iter().map(|&dim| dim as usize).collect(),
        buffer: param.buffer,
    };
    program.params.iter().map(slot).collect()
}

/// The optimizer's states, such as `h.w.momentum`.
pub(crate) fn states(program: &Program) -> Vec<Slot> {
    let mut slots = Vec::new();
    for param in &program.params {
        let shape: Vec<usize> = param.shape.iter().map(|&dim| dim as usize).collect();
        slots.extend(param.states.iter().map(|state| Slot {
            name: param.state_name(state),
            shape: shape.clone(),
            buffer: state.buffer,
        }));
    }
    slots
}

/// The best parameters, such as `h.w.best`, in the places of the parameters.
pub(crate) fn best(program: &Program) -> Vec<Slot> {
    let mut slots = parameters(program);
    slots.iter_mut().for_each(|slot| slot.name.push_str(".best"));
    slots
}

/// Writes the values of the slots to a file in pieces, without a copy of a whole one.
pub(crate) fn save(
    executor: &Executor,
    slots: &[Slot],
    metadata: &BTreeMap<String, String>,
    path: impl AsRef<Path>,
) -> Result<(), DataError> {
    save_with(slots, metadata, path, |index, range, to| {
        executor.read_values(slots[index].buffer, range, to);
    })
}

/// [`save`] of values that `values` appends, slot after slot.
pub(crate) fn save_with(
    slots: &[Slot],
    metadata: &BTreeMap<String, String>,
    path: impl AsRef<Path>,
    values: impl FnMut(usize, Range<usize>, &mut Vec<f32>),
) -> Result<(), DataError> {
    let head = |slot: &Slot| Head { name: slot.name.clone(), shape: slot.shape.clone() };
    let heads: Vec<Head> = slots.iter().map(head).collect();
    write_weights(path, &heads, metadata, values)
}

/// Where the values of each slot are: the index of a tensor, and the order of its values.
pub(crate) type Picks = Vec<(usize, Order)>;

/// Finds the parameters of a program among tensors, which may be PyTorch's.
pub(crate) fn find_parameters(
    program: &Program,
    slots: &[Slot],
    file: &WeightsFile<'_>,
) -> Result<Picks, DataError> {
    let Some(picks) = pytorch_order(program, file.heads(), file.name())? else {
        return find(program, slots, file);
    };
    let order = |pick: &Pick| if pick.is_turned { Order::Columns } else { Order::Rows };
    Ok(picks.iter().map(|pick| (pick.tensor, order(pick))).collect())
}

/// Finds the slots among the tensors of a file, which must have no others. Optimizer states, whose
/// names begin with that of their parameter, are ignored unless they are among the slots.
pub(crate) fn find(
    program: &Program,
    slots: &[Slot],
    file: &WeightsFile<'_>,
) -> Result<Picks, DataError> {
    let (heads, file) = (file.heads(), file.name());
    let names: HashSet<&str> = slots.iter().map(|slot| slot.name.as_str()).collect();
    let wanted = |name: &str| names.contains(name);
    let mut given: HashMap<&str, (usize, &Head)> = HashMap::new();
    let mut problems = Vec::new();
    let mut surplus = Vec::new();
    for (index, head) in heads.iter().enumerate() {
        let name = head.name.as_str();
        let param = name.rsplit_once('.').map(|(param, _)| param);
        given.insert(name, (index, head)); // no name comes twice in a file
        if !wanted(name) && !param.is_some_and(wanted) {
            surplus.push(name);
        }
    }
    let in_order = slots.iter().map(|slot| slot.name.as_str());
    let missing: Vec<&str> = in_order.filter(|name| !given.contains_key(name)).collect();
    problems.extend(missing.iter().map(|name| format!("there is no {}", shown(name))));
    problems.extend(surplus.iter().map(|name| format!("{} is no parameter", shown(name))));
    for slot in slots {
        problems.extend(given.get(slot.name.as_str()).and_then(|(_, head)| slot.mismatch(head)));
    }
    if problems.is_empty() {
        let place = |slot: &Slot| (given[slot.name.as_str()].0, Order::Rows);
        return Ok(slots.iter().map(place).collect());
    }
    if let Some(error) = transposed(slots, &given, problems.len(), file) {
        return Err(error);
    }
    let mut error = misfit(program, problems, file);
    error.help = surplus.iter().take(SHOWN).find_map(|name| {
        let meant = nearest(name, missing.iter().copied())?;
        Some(format!("rename {} in the file to {}", quoted(name), quoted(meant)))
    });
    Err(error)
}

/// How many problems an error lists.
const SHOWN: usize = 4;

/// The error of tensors that are not those of a program.
fn misfit(program: &Program, mut problems: Vec<String>, file: &str) -> DataError {
    let more = problems.len().saturating_sub(SHOWN);
    problems.truncate(SHOWN);
    if more > 0 {
        problems.push(format!("and {more} more"));
    }
    let net = quoted(&program.name);
    DataError::new(file, format!("does not fit the net {net}: {}", problems.join("; ")))
}

/// The error of weights that all lie as [out, in], if nothing else is wrong.
fn transposed(
    slots: &[Slot],
    given: &HashMap<&str, (usize, &Head)>,
    problems: usize,
    file: &str,
) -> Option<DataError> {
    let pairs = slots.iter().filter_map(|slot| Some((slot, given.get(slot.name.as_str())?.1)));
    let mut turned = pairs.filter(|(slot, head)| {
        slot.shape.len() == 2 && head.shape != slot.shape && head.shape.iter().rev().eq(&slot.shape)
    });
    let (slot, head) = turned.next()?;
    if turned.count() + 1 != problems {
        return None;
    }
    let (name, shape) = (shown(&slot.name), &slot.shape);
    let message = format!(
        "has weights as [out, in], as PyTorch keeps them, and they are read as [in, out]: {name} \
         is {:?} and must be {shape:?}",
        head.shape
    );
    Some(DataError::new(file, message).with_help(
        "turn them in Python: from safetensors.torch import load_file, save_file; \
         save_file({k: t.T.contiguous() if t.dim() == 2 else t for k, t in \
         load_file(FILE).items()}, NEW)",
    ))
}

/// Overwrites the slots with the values at their places, in pieces.
///
/// # Errors
/// Values that cannot be read or are not finite. The content of the slots is then undefined.
pub(crate) fn write(
    executor: &mut Executor,
    slots: &[Slot],
    places: &[(usize, Order)],
    file: &mut WeightsFile<'_>,
) -> Result<(), DataError> {
    let mut problems = Vec::new();
    let mut piece = Vec::new();
    for (slot, &(index, order)) in slots.iter().zip(places) {
        let mut bad = None;
        executor.fill(slot.buffer, order, &mut piece, |range, to| {
            let first = range.start;
            file.read(index, range, to)?;
            let at = to.iter().position(|value| !value.is_finite());
            bad = bad.or(at.map(|at| (first + at, to[at])));
            Ok(())
        })?;
        let name = shown(&file.heads()[index].name);
        problems.extend(bad.map(|(at, value)| format!("value {at} of {name} is {value}")));
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(misfit(executor.program(), problems, file.name())),
    }
}

impl Slot {
    /// What is wrong with a tensor of this name, if anything.
    fn mismatch(&self, head: &Head) -> Option<String> {
        let (name, shape) = (shown(&self.name), &self.shape);
        let differs = head.shape != *shape;
        differs.then(|| format!("{name} is {:?} and must be {shape:?}", head.shape))
    }
}
