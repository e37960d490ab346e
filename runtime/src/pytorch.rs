//! Weights as PyTorch writes them: `0.weight`, [out, in], and `0.bias` of a linear layer, and the
//! like of embeddings and norms.
//!
//! They become the parameters of a net where that is certain: its statements are called as the
//! layers are, or the layers are numbered and fit in the order of their numbers. Otherwise an error
//! says how to save them under the net's own names.

use std::collections::HashMap;

use crate::data::{DataError, shown};
use crate::program::{Kernel, Param, Program};
use crate::weights::Head;

/// What PyTorch calls the tensors of a layer, and what they are called here.
const KINDS: [(&str, &str); 4] =
    [("weight", "w"), ("bias", "b"), ("running_mean", "mean"), ("running_var", "var")];

/// What the names of a layer's tensors begin with, and the place of each kind of them.
struct Layer<'a> {
    prefix: &'a str,
    places: [Option<usize>; KINDS.len()],
}

/// Where the values of a parameter are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pick {
    /// The place of the tensor.
    pub tensor: usize,
    /// Whether it is [out, in] there.
    pub is_turned: bool,
}

/// For each parameter of the net, its tensor, if the names are PyTorch's; else `None`. Errors call
/// the tensors `file`.
///
/// # Errors
/// Layers whose order is not certain, or that are not the net's.
pub fn pytorch_order(
    program: &Program,
    heads: &[Head],
    file: &str,
) -> Result<Option<Vec<Pick>>, DataError> {
    let own = |head: &Head| program.params.iter().any(|param| param.name == head.name);
    let is_weight = |head: &Head| kind(&head.name, |(theirs, _)| theirs).1 == Some(0);
    if heads.iter().any(own) || !heads.iter().any(is_weight) {
        return Ok(None);
    }
    let fail = |why: String| {
        let message = format!("has weights of PyTorch's, and {why}");
        Err(DataError::new(file, message).with_help(advice(program, heads)))
    };
    let theirs = layers(heads.iter().map(|head| head.name.as_str()), |(theirs, _)| theirs);
    let ours = layers(program.params.iter().map(|param| param.name.as_str()), |(_, own)| own);
    let theirs = match (theirs, &ours) {
        (Ok(theirs), Ok(ours)) => theirs_in_order(theirs, ours),
        (Err(name), _) => return fail(format!("{} is of no layer that is known", shown(name))),
        (_, Err(name)) => return fail(format!("it has nothing such as {}", shown(name))),
    };
    let (Some(theirs), Ok(ours)) = (theirs, ours) else {
        return fail("the names of its layers do not tell their order".to_string());
    };
    let other = "its layers are not those of the net";
    if theirs.len() != ours.len() {
        let (theirs, ours) = (theirs.len(), ours.len());
        return fail(format!("{other}: it has {theirs}, and the net has {ours}"));
    }
    let mut picks = vec![None; program.params.len()];
    for (layer, own) in theirs.iter().zip(&ours) {
        for (kind, place) in own.places.iter().enumerate() {
            match (layer.places[kind], *place) {
                (Some(tensor), Some(param)) if fits(program, param, &heads[tensor]) => {
                    let is_turned = is_turned(program, &program.params[param]);
                    picks[param] = Some(Pick { tensor, is_turned });
                }
                (None, None) => {}
                (Some(tensor), None) => {
                    let name = shown(&heads[tensor].name);
                    return fail(format!("{other}, which has nothing such as {name}"));
                }
                (tensor, Some(param)) => {
                    let Param { name, shape, .. } = &program.params[param];
                    let found = match tensor.map(|tensor| &heads[tensor]) {
                        Some(head) => format!("{} is {:?}", shown(&head.name), head.shape),
                        None => format!("{} has no {}", shown(layer.prefix), KINDS[kind].0),
                    };
                    return fail(format!("{other}: {found}, and {} {shape:?}", shown(name)));
                }
            }
        }
    }
    Ok(picks.into_iter().collect())
}

/// What a name begins with, and which of the kinds it is.
fn kind(
    name: &str,
    called: fn((&'static str, &'static str)) -> &'static str,
) -> (&str, Option<usize>) {
    let (prefix, last) = name.rsplit_once('.').unwrap_or(("", name));
    (prefix, KINDS.iter().position(|names| called(*names) == last))
}

/// The layers in the order of their first tensors; or a name of no known kind.
fn layers<'a>(
    names: impl Iterator<Item = &'a str>,
    called: fn((&'static str, &'static str)) -> &'static str,
) -> Result<Vec<Layer<'a>>, &'a str> {
    let mut layers: Vec<Layer<'a>> = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    for (place, name) in names.enumerate() {
        let (prefix, Some(kind)) = kind(name, called) else { return Err(name) };
        let layer = *known.entry(prefix).or_insert_with(|| {
            layers.push(Layer { prefix, places: [None; KINDS.len()] });
            layers.len() - 1
        });
        layers[layer].places[kind] = Some(place);
    }
    Ok(layers)
}

/// The layers of a file in the order of those of the net: by their names if these are the same,
/// or else by their numbers, if nothing else tells their names apart.
fn theirs_in_order<'a>(mut theirs: Vec<Layer<'a>>, ours: &[Layer<'_>]) -> Option<Vec<Layer<'a>>> {
    let places: HashMap<&str, usize> =
        ours.iter().enumerate().map(|(place, layer)| (layer.prefix, place)).collect();
    if theirs.iter().all(|layer| places.contains_key(layer.prefix)) {
        theirs.sort_by_key(|layer| places[layer.prefix]);
        return Some(theirs);
    }
    let words = |name: &str| -> Vec<String> {
        let words = name.split(|c: char| c.is_ascii_digit());
        words.filter(|word| !word.is_empty()).map(str::to_string).collect()
    };
    let numbers = |name: &str| -> Vec<u64> {
        name.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
    };
    theirs.sort_by_key(|layer| numbers(layer.prefix));
    let is_next = theirs.windows(2).all(|pair| {
        let [a, b] = [pair[0].prefix, pair[1].prefix];
        let (from, to) = (numbers(a), numbers(b));
        words(a) == words(b) && from.len() == to.len() && from != to
    });
    is_next.then_some(theirs)
}

/// Whether a tensor has the shape of a parameter.
fn fits(program: &Program, param: usize, head: &Head) -> bool {
    let param = &program.params[param];
    let shape = head.shape.iter().map(|&size| size as u64);
    let is_number = param.shape.is_empty() && head.shape == [1]; // such as a slope
    match is_turned(program, param) {
        true => shape.eq(param.shape.iter().rev().copied()),
        false => is_number || shape.eq(param.shape.iter().copied()),
    }
}

/// Whether PyTorch keeps it as [out, in]: a matrix that is no table of an embedding.
fn is_turned(program: &Program, param: &Param) -> bool {
    let mut steps = program.routines.iter().flat_map(|routine| &routine.steps);
    let is_table = steps.any(|step| match &step.kernel {
        Kernel::Gather(gather) => gather.table == param.buffer,
        _ => false,
    });
    param.shape.len() == 2 && !is_table
}

/// How to save the tensors as the net takes them, in Python. A tensor is named where only one of
/// them is of a parameter's kind and shape.
fn advice(program: &Program, heads: &[Head]) -> String {
    const SHOWN: usize = 12;
    let mut is_certain = true;
    let mut entry = |(place, param): (usize, &Param)| {
        let own = kind(&param.name, |(_, own)| own).1;
        let is_such = |head: &&Head| {
            own == kind(&head.name, |(theirs, _)| theirs).1 && fits(program, place, head)
        };
        let mut such = heads.iter().filter(is_such);
        let name = match (such.next(), such.next()) {
            (Some(head), None) => shown(&head.name),
            _ => {
                is_certain = false;
                "?".to_string()
            }
        };
        let turn = if is_turned(program, param) { ".T.contiguous()" } else { "" };
        format!("\"{}\": t[\"{name}\"]{turn}", shown(&param.name))
    };
    let params = program.params.iter().enumerate().take(SHOWN);
    let mut entries: Vec<String> = params.map(&mut entry).collect();
    if program.params.len() > SHOWN {
        entries.push("...".to_string());
    }
    let mut names: Vec<String> = heads.iter().take(SHOWN).map(|head| shown(&head.name)).collect();
    if heads.len() > SHOWN {
        names.push("...".to_string());
    }
    let which = match is_certain {
        true => String::new(),
        false => format!(", with the right one of {} for each ?", names.join(", ")),
    };
    format!(
        "save them in Python under the net's names{which}: \
         from safetensors.torch import load_file, save_file; t = load_file(FILE); \
         save_file({{{}}}, NEW, {{\"layout\": \"[in, out]\"}})",
        entries.join(", ")
    )
}
