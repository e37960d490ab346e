//! Weights as PyTorch writes them: `0.weight`, [out, in], and `0.bias` of each linear layer.
//!
//! They become the parameters of a net's dense layers where that is certain: the layers are
//! numbered, and in the order of the numbers every shape fits. Otherwise an error says how to save
//! them under the net's own names.

use crate::data::{DataError, shown};
use crate::program::Program;
use crate::weights::Head;

/// A layer of a file: what its tensors' names begin with, and their places in the file.
#[derive(Default)]
struct Layer<'a> {
    prefix: &'a str,
    weight: Option<usize>,
    bias: Option<usize>,
}

/// For each parameter of the net, the index of its tensor, if the names are PyTorch's; else `None`.
/// The matrices have to be transposed. Errors call the tensors `file`.
///
/// # Errors
/// Layers whose order is not certain, or that are not the net's.
pub fn pytorch_order(
    program: &Program,
    heads: &[Head],
    file: &str,
) -> Result<Option<Vec<usize>>, DataError> {
    let own = |head: &Head| program.params.iter().any(|param| param.name == head.name);
    let Some(mut layers) = layers(heads).filter(|_| !heads.iter().any(own)) else {
        return Ok(None);
    };
    let fail = |why: &str| {
        let message = format!("has weights of PyTorch's, and {why}");
        Err(DataError::new(file, message).with_help(advice(program, heads)))
    };
    if !sort(&mut layers) {
        return fail("the names of its layers do not tell their order");
    }
    let order = layers.iter().flat_map(|layer| [layer.weight, layer.bias]).flatten();
    let order: Vec<usize> = order.collect();
    let fits = order.len() == program.params.len()
        && program.params.iter().zip(&order).all(|(param, &index)| {
            let Head { name, shape } = &heads[index];
            let kind = if name.ends_with("weight") { ".w" } else { ".b" };
            let turned = shape.iter().rev().map(|&dim| dim as u64);
            param.name.ends_with(kind) && param.shape.iter().copied().eq(turned)
        });
    if !fits {
        return fail("its layers are not those of the net");
    }
    Ok(Some(order))
}

/// The layers, if all tensors are a weight of two dimensions or a bias, and each layer has a
/// weight.
fn layers(heads: &[Head]) -> Option<Vec<Layer<'_>>> {
    let mut layers: std::collections::BTreeMap<&str, Layer<'_>> = Default::default();
    for (index, head) in heads.iter().enumerate() {
        let (prefix, kind) = head.name.rsplit_once('.').unwrap_or(("", &head.name));
        let layer = layers.entry(prefix).or_insert(Layer { prefix, ..Layer::default() });
        let place = match (kind, head.shape.len()) {
            ("weight", 2) => &mut layer.weight,
            ("bias", 1) => &mut layer.bias,
            _ => return None,
        };
        if place.replace(index).is_some() {
            return None;
        }
    }
    let whole = !layers.is_empty() && layers.values().all(|layer| layer.weight.is_some());
    whole.then(|| layers.into_values().collect())
}

/// Sorts the layers. Returns whether their names differ only in numbers.
fn sort(layers: &mut [Layer<'_>]) -> bool {
    let words = |name: &str| -> Vec<String> {
        name.split(|c: char| c.is_ascii_digit())
            .filter(|word| !word.is_empty())
            .map(str::to_string)
            .collect()
    };
    let numbers = |name: &str| -> Vec<u64> {
        name.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
    };
    let alike = layers.windows(2).all(|pair| {
        let [a, b] = [pair[0].prefix, pair[1].prefix];
        words(a) == words(b) && numbers(a).len() == numbers(b).len()
    });
    layers.sort_by_key(|layer| numbers(layer.prefix));
    alike && layers.windows(2).all(|pair| numbers(pair[0].prefix) != numbers(pair[1].prefix))
}

/// How to save the tensors as the net takes them, in Python.
fn advice(program: &Program, heads: &[Head]) -> String {
    const SHOWN: usize = 2;
    let first = heads.first().map_or(String::new(), |head| shown(&head.name));
    let entry = |param: &crate::program::Param| {
        let turn = if param.shape.len() == 2 { ".T.contiguous()" } else { "" };
        format!("\"{}\": t[NAME]{turn}", shown(&param.name))
    };
    let mut entries: Vec<String> = program.params.iter().take(SHOWN).map(entry).collect();
    if program.params.len() > SHOWN {
        entries.push("...".to_string());
    }
    format!(
        "save them in Python under the net's names, for NAME such as \"{first}\": \
         from safetensors.torch import load_file, save_file; t = load_file(FILE); \
         save_file({{{}}}, NEW)",
        entries.join(", ")
    )
}
