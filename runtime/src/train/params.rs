//! Parameters and optimizer states as named tensors.

use crate::data::{DataError, nearest, quoted, shown};
use crate::exec::Executor;
use crate::program::{BufferId, Param, Program};
use crate::weights::{Head, Tensor, write_in_pieces};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

/// A parameter or a state, under the name it has in a file.
pub(crate) struct Slot {
    name: String,
    shape: Vec<usize>,
    buffer: BufferId,
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

/// The optimizer's states: `h.w@0` is the first one of `h.w`.
pub(crate) fn states(program: &Program) -> Vec<Slot> {
    let mut slots = Vec::new();
    for param in &program.params {
        let shape: Vec<usize> = param.shape.iter().map(|&dim| dim as usize).collect();
        slots.extend(param.states.iter().enumerate().map(|(index, &buffer)| Slot {
            name: format!("{}@{index}", param.name),
            shape: shape.clone(),
            buffer,
        }));
    }
    slots
}

/// The values of the slots, in their order.
pub(crate) fn read(executor: &Executor, slots: &[Slot]) -> Vec<Tensor> {
    let tensor = |slot: &Slot| Tensor {
        name: slot.name.clone(),
        shape: slot.shape.clone(),
        data: executor.read(slot.buffer),
    };
    slots.iter().map(tensor).collect()
}

/// Writes the values of the slots to a file, in pieces: none of them is copied as a whole.
pub(crate) fn save(
    executor: &Executor,
    slots: &[Slot],
    metadata: &BTreeMap<String, String>,
    path: impl AsRef<Path>,
) -> Result<(), DataError> {
    let head = |slot: &Slot| Head { name: slot.name.clone(), shape: slot.shape.clone() };
    let heads: Vec<Head> = slots.iter().map(head).collect();
    write_in_pieces(path, &heads, metadata, |index, range, to| {
        executor.read_values(slots[index].buffer, range, to);
    })
}

/// Checks that `tensors` are just the slots, and finite. The states of a checkpoint, which carry an
/// `@`, are passed over unless they are asked for.
pub(crate) fn check(
    program: &Program,
    slots: &[Slot],
    tensors: &[Tensor],
    file: &str,
) -> Result<(), DataError> {
    let names: HashSet<&str> = slots.iter().map(|slot| slot.name.as_str()).collect();
    let wanted = |name: &str| names.contains(name);
    let mut given: HashMap<&str, &Tensor> = HashMap::new();
    let mut problems = Vec::new();
    let mut surplus = Vec::new();
    for tensor in tensors {
        let name = tensor.name.as_str();
        let param = name.split_once('@').map(|(param, _)| param);
        if given.insert(name, tensor).is_some() {
            problems.push(format!("tensor {} comes twice", shown(name)));
        }
        if !wanted(name) && !param.is_some_and(wanted) {
            surplus.push(name);
        }
    }
    let in_order = slots.iter().map(|slot| slot.name.as_str());
    let missing: Vec<&str> = in_order.filter(|name| !given.contains_key(name)).collect();
    problems.extend(missing.iter().map(|name| format!("there is no {}", shown(name))));
    problems.extend(surplus.iter().map(|name| format!("{} is no parameter", shown(name))));
    for slot in slots {
        problems.extend(given.get(slot.name.as_str()).and_then(|tensor| slot.mismatch(tensor)));
    }
    if problems.is_empty() {
        return Ok(());
    }
    if let Some(error) = transposed(slots, &given, problems.len(), file) {
        return Err(error);
    }
    const SHOWN: usize = 4;
    let more = problems.len().saturating_sub(SHOWN);
    problems.truncate(SHOWN);
    if more > 0 {
        problems.push(format!("and {more} more"));
    }
    let net = quoted(&program.name);
    let message = format!("does not fit the net {net}: {}", problems.join("; "));
    let mut error = DataError::new(file, message);
    error.help = surplus.iter().take(SHOWN).find_map(|name| {
        let meant = nearest(name, missing.iter().copied())?;
        Some(format!("rename {} in the file to {}", quoted(name), quoted(meant)))
    });
    Err(error)
}

/// The error of weights that all lie as [out, in], if nothing else is wrong.
fn transposed(
    slots: &[Slot],
    given: &HashMap<&str, &Tensor>,
    problems: usize,
    file: &str,
) -> Option<DataError> {
    let pairs = slots.iter().filter_map(|slot| Some((slot, given.get(slot.name.as_str())?)));
    let mut turned = pairs.filter(|(slot, tensor)| {
        slot.shape.len() == 2
            && tensor.shape != slot.shape
            && tensor.shape.iter().rev().eq(&slot.shape)
    });
    let (slot, tensor) = turned.next()?;
    if turned.count() + 1 != problems {
        return None;
    }
    let (name, shape) = (shown(&slot.name), &slot.shape);
    let message = format!(
        "has weights as [out, in], as PyTorch keeps them, and they are read as [in, out]: {name} \
         is {:?} and must be {shape:?}",
        tensor.shape
    );
    Some(DataError::new(file, message).with_help(
        "turn them in Python: from safetensors.torch import load_file, save_file; \
         save_file({k: t.T.contiguous() if t.dim() == 2 else t for k, t in \
         load_file(FILE).items()}, NEW)",
    ))
}

/// Writes tensors that have been checked.
pub(crate) fn write(executor: &mut Executor, slots: &[Slot], tensors: &[Tensor]) {
    let by_name: HashMap<&str, &Tensor> =
        tensors.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect();
    for slot in slots {
        let tensor = by_name[slot.name.as_str()];
        executor.write(slot.buffer, &tensor.data).expect("a checked tensor has its slot's size");
    }
}

impl Slot {
    /// What is wrong with a tensor of this name, if anything.
    fn mismatch(&self, tensor: &Tensor) -> Option<String> {
        let (name, shape) = (shown(&self.name), &self.shape);
        let elements: usize = shape.iter().product();
        if tensor.shape != *shape || tensor.data.len() != elements {
            return Some(format!("{name} is {:?} and must be {shape:?}", tensor.shape));
        }
        let index = tensor.data.iter().position(|value| !value.is_finite())?;
        Some(format!("value {index} of {name} is {}", tensor.data[index]))
    }
}
