//! Which classes the outputs predict, with which probability.

use std::cmp::Ordering;

use super::form::{Form, Misfit, Threshold};
use crate::data::choice::Choice;
use crate::data::error::{listed, meant_or_listed, quoted, shown};
use crate::program::{Domain, Label, Program, Scale};

/// The two classes of an element that a target has from 0 to 1.
const ELEMENT: Domain = Domain::Range(0, 2);
/// Where nobody says from which probability on an element is 1.
const HALF: (usize, f32) = (1, 0.5);

/// Finds the classes of a target by the scores in a row of an output.
#[derive(Clone, Debug, PartialEq)]
pub struct Judge {
    /// The output, by its place.
    pub output: usize,
    /// The target, by its place.
    pub target: usize,
    /// The name of the target.
    pub name: String,
    /// The elements of the target that are each of two classes; without, the target is a class.
    pub elements: Option<usize>,
    domain: Domain,
    scale: Scale,
    /// How many classes are found, the most probable first.
    pub top: usize,
    /// The class that is predicted from a probability on.
    threshold: Option<(usize, f32)>,
}

/// What was found of a row.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    /// The classes by rank, or those of the elements; fewer where scores are NaN.
    pub found: Vec<Found>,
    /// Of each class, or of each element that it is 1; none where the scores do not say it.
    pub probabilities: Vec<f32>,
    ranks: Vec<usize>,
}

/// A class that was found.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// Counted from 0; nothing where the scores are NaN.
    pub class: Option<u64>,
    /// Its probability, where the scores say it.
    pub probability: Option<f32>,
}

/// A judge for each target of classes, and for each of shares from 0 to 1, that an output scores.
/// Of several outputs the last judges: `probs = softmax(logits)` and not `logits`.
pub fn all_judges(program: &Program) -> Vec<Judge> {
    let outputs = program.outputs.iter().enumerate();
    let of = |(output, own): (usize, &crate::program::Output)| {
        let scores = own.scores?;
        let later = program.outputs[output + 1..].iter();
        let is_last = later.filter_map(|later| later.scores).all(|s| s.target != scores.target);
        let target = &program.targets[scores.target as usize];
        let of_elements = target.domain.classes().is_none();
        is_last.then(|| Judge {
            output,
            target: scores.target as usize,
            name: target.name.clone(),
            elements: of_elements.then_some(own.width as usize),
            domain: if of_elements { ELEMENT } else { target.domain.clone() },
            scale: scores.scale,
            top: 1,
            threshold: None,
        })
    };
    outputs.filter_map(of).collect()
}

/// The judges of a program in this form.
pub fn judges(program: &Program, form: &Form) -> Result<Vec<Judge>, Misfit> {
    let mut judges = all_judges(program);
    // A share is no class, unless somebody says where 1 begins.
    judges.retain(|judge| judge.elements.is_none() || form.threshold.is_some());
    if !form.only.is_empty() {
        judges.retain(|judge| form.only.contains(&judge.name));
    }
    if let Some(threshold) = &form.threshold {
        set_threshold(&mut judges, threshold, form)?;
    }
    // Another class may have been named than those of an element.
    judges.retain(|judge| judge.elements.is_none() || judge.threshold.is_some());
    if let Some(top) = form.top {
        set_top(&mut judges, top, form)?;
    }
    Ok(judges)
}

fn none(choice: &str, form: &Form) -> Misfit {
    let help = match form.only.is_empty() {
        true => {
            "an output does that where cross_entropy, nll, bce or a metric of classes compares \
                 it with a target"
                .to_string()
        }
        false => format!("name a target in {}", form.say(Choice::Only)),
    };
    Misfit::new(format!("{choice} is for classes, and no output predicts any"), help)
}

/// Gives the threshold to those that it suits, which is at least one.
fn set_threshold(judges: &mut [Judge], threshold: &Threshold, form: &Form) -> Result<(), Misfit> {
    let mut complaint = none(&form.say(Choice::Threshold(None)), form);
    let mut suits = false;
    for judge in judges.iter_mut().rev() {
        match judge.positive(threshold, form) {
            Ok(class) => {
                judge.threshold = Some((class, threshold.probability));
                suits = true;
            }
            Err(own) => complaint = own,
        }
    }
    if suits { Ok(()) } else { Err(complaint) }
}

/// Lets so many classes be found, which at least one target has.
fn set_top(judges: &mut [Judge], top: usize, form: &Form) -> Result<(), Misfit> {
    let say = form.say(Choice::Top(Some(top)));
    if form.threshold.is_some() {
        let threshold = form.say(Choice::Threshold(None));
        let message = format!("{say} ranks classes, and {threshold} chooses one");
        return Err(Misfit::new(message, "leave one of them out"));
    }
    let most = judges.iter().max_by_key(|judge| judge.domain.classes());
    let most = most.ok_or_else(|| none(&form.say(Choice::Top(None)), form))?;
    let classes = most.domain.classes().unwrap_or(0);
    if top == 0 || top as u64 > classes {
        let name = shown(&most.name);
        let message = format!("{say}, but {name} has {}", plural_classes(classes));
        return Err(Misfit::new(message, format!("take a number from 1 to {classes}")));
    }
    for judge in judges {
        judge.top = top.min(judge.domain.classes().unwrap_or(0) as usize);
    }
    Ok(())
}

fn plural_classes(count: u64) -> String {
    if count == 1 { "1 class".to_string() } else { format!("{count} classes") }
}

impl Judge {
    /// Whether its probabilities are known.
    pub fn has_probabilities(&self) -> bool {
        self.scale != Scale::Order
    }

    /// What the user calls a class.
    pub fn label(&self, class: Option<u64>) -> Option<Label<'_>> {
        self.domain.label(class?)
    }

    /// What the user calls all of them.
    pub fn labels(&self) -> impl Iterator<Item = Label<'_>> {
        (0..self.domain.classes().unwrap_or(0)).filter_map(|class| self.domain.label(class))
    }

    /// The true class of a row by the value of its target, as the arena has it; nothing where it is
    /// none.
    pub fn truth(&self, value: f32) -> Option<u64> {
        match self.elements {
            Some(_) => [0.0, 1.0].into_iter().position(|class| value == class).map(|at| at as u64),
            None => {
                Some(u64::from(value.to_bits())).filter(|&class| self.label(Some(class)).is_some())
            }
        }
    }

    /// The class that a threshold is of.
    fn positive(&self, threshold: &Threshold, form: &Form) -> Result<usize, Misfit> {
        let name = shown(&self.name);
        let classes = self.domain.classes().unwrap_or(0);
        let labels: Vec<String> = (0..classes.min(2))
            .filter_map(|class| Some(self.domain.label(class)?.to_string()))
            .collect();
        if classes != 2 {
            let message =
                format!("{name} has {}, and a threshold is for two", plural_classes(classes));
            let top = form.say(Choice::Top(Some(classes.min(3) as usize)));
            return Err(Misfit::new(message, format!("{top} gives the most probable ones")));
        }
        if !self.has_probabilities() {
            let message = format!("nothing says how probable the classes of {name} are");
            let help = "train with cross_entropy, nll or bce, or give their softmax as an output";
            return Err(Misfit::new(message, help));
        }
        let names = labels.iter().map(String::as_str);
        match &threshold.class {
            Some(class) => match labels.iter().position(|label| label == class) {
                Some(place) => Ok(place),
                None => {
                    let message = format!("{name} has no class {}", quoted(class));
                    Err(Misfit::new(message, meant_or_listed(class, "its classes", names)))
                }
            },
            None if matches!(self.domain, Domain::Names(_)) => {
                let those = listed(&format!("those of {name}"), names);
                let named = Choice::Threshold(Some((&labels[1], threshold.probability)));
                let message = format!("a threshold is of one class, and {those}");
                Err(Misfit::new(message, format!("name it: {}", form.say(named))))
            }
            None => Ok(1),
        }
    }

    /// Finds the classes of a row by its scores.
    pub fn judge(&self, scores: &[f32], to: &mut Judgement) {
        let Judgement { found, probabilities, ranks } = to;
        found.clear();
        if self.elements.is_some() {
            let threshold = self.threshold.unwrap_or(HALF);
            probabilities.clear();
            probabilities.extend(scores.iter().filter_map(|&score| self.scale.of_element(score)));
            let of = |&one: &f32| decide([1.0 - one, one], threshold);
            return found.extend(probabilities.iter().map(of));
        }
        let are_known = self.scale.of_classes(scores, probabilities);
        if let (Some(threshold), &[zero, one]) = (self.threshold, &probabilities[..]) {
            return found.push(decide([zero, one], threshold));
        }
        let of = |class: usize| Found {
            class: Some(class as u64),
            probability: are_known.then(|| probabilities[class]),
        };
        if self.top == 1 {
            return found.extend(largest(scores).map(of));
        }
        ranks.clear();
        ranks.extend((0..scores.len()).filter(|&class| !scores[class].is_nan()));
        // It is stable: of equal scores the first class comes first.
        ranks.sort_by(|&a, &b| scores[b].partial_cmp(&scores[a]).unwrap_or(Ordering::Equal));
        found.extend(ranks.iter().take(self.top).map(|&class| of(class)));
    }
}

/// One of two classes, by the probability from which on it is the positive one.
fn decide(probabilities: [f32; 2], (positive, least): (usize, f32)) -> Found {
    let own = probabilities[positive];
    let class = if own >= least { positive } else { 1 - positive };
    let probability = Some(probabilities[class]);
    Found { class: (!own.is_nan()).then_some(class as u64), probability }
}

/// The index of the largest value, the first of several; nothing where all are NaN.
fn largest(values: &[f32]) -> Option<usize> {
    let mut best: Option<usize> = None;
    for (index, value) in values.iter().enumerate() {
        let better = best.is_none_or(|best| *value > values[best]);
        if better && !value.is_nan() {
            best = Some(index);
        }
    }
    best
}
