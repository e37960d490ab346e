//! Files that are nearly right: words of the language swapped, doubled and dropped. Whatever comes
//! out, nothing panics, and a model that lowers also differentiates.

use crate::common::nets::NETS;
use crate::common::{Numbers, words, wrong_sources};
use arenet_compiler::graph::verify::verify;
use arenet_compiler::lower::lower;
use arenet_compiler::pass::simplify::{simplify, simplify_model};
use arenet_compiler::pass::update::train_step;
use arenet_compiler::syntax::parse;

/// The sources of the diagnostics' cases, and as many without mistakes.
fn sources() -> Vec<String> {
    let wrong = wrong_sources().into_iter();
    let right = NETS.iter().map(|(_, source)| source.to_string());
    wrong.chain(right.clone()).chain(right.clone()).chain(right).collect()
}

#[test]
fn nothing_panics() {
    let sources = sources();
    let all: Vec<String> = sources.iter().flat_map(|source| words(source)).collect();
    let mut numbers = Numbers::new(11);
    let mut pick = |n: usize| (numbers.next() * n as f64) as usize;
    let mut lowered = 0;
    for round in 0..4000 {
        let mut words = words(&sources[round % sources.len()]);
        for _ in 0..=pick(3) {
            let at = pick(words.len());
            match pick(4) {
                0 => drop(words.remove(at)),
                1 => words.insert(at, all[pick(all.len())].clone()),
                2 => words[at] = all[pick(all.len())].clone(),
                _ => {
                    let other = pick(words.len());
                    words.swap(at, other);
                }
            }
        }
        let source = words.concat();
        let Ok((model, _)) = lower(parse(&source), &[]) else { continue };
        lowered += 1;
        let model = simplify_model(model);
        verify(&model.graph).unwrap_or_else(|error| panic!("{error}\n{source}"));
        if model.training.is_some() {
            let step = train_step(&model);
            verify(&step).unwrap_or_else(|error| panic!("{error}\n{source}"));
            verify(&simplify(&step)).unwrap_or_else(|error| panic!("{error}\n{source}"));
        }
    }
    assert!(lowered > 100, "only {lowered} of the files lower");
}
