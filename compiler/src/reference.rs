//! The reference of the language: its forms and what may be called, kind by kind, as the lists
//! have it.

use crate::aliases;
use crate::entry::Entry;
use crate::forms::{self, FORMS};
use crate::layer::init::INITS;
use crate::layer::metric::METRICS;
use crate::layer::{activation, functions, loss};
use crate::lower::settings;
use crate::optim::OPTIMIZERS;
use crate::pass::hold::HOLDS;
use crate::schedule::SCHEDULES;
use crate::signature::Signature;
use crate::watch::{KEEPS, STOPS};

/// What stands in the same places.
#[derive(Clone, Debug)]
pub struct Section {
    /// What they are called together, such as `losses`.
    pub name: &'static str,
    /// That, and where they stand.
    pub heading: String,
    /// What holds for many of them, such as what an argument means; may be empty.
    pub about: &'static str,
    /// These.
    pub items: Vec<Item>,
}

/// A form of the language, or what may be called.
#[derive(Clone, Debug)]
pub struct Item {
    /// What it is called by.
    pub name: &'static str,
    /// How it is written: a form as an example, a function with its parameters.
    pub usage: String,
    /// What it is.
    pub about: &'static str,
    /// The parameters of what may be called or set.
    pub signature: Option<Signature>,
}

const LOSSES: &str = "`reduction: sum` adds the values of all rows up, where the default is \
    their mean. `weight:` is a target with a factor for each row. `class_weight: [1, 2, 0.5]` has \
    a factor for each class, and `class_weight: balanced` counts them in the training rows. Rows \
    whose class is `ignore_index` do not count.";
const METRICS_ABOUT: &str = "Every loss is a metric too. Of probabilities y with targets of 0 \
    and 1, `threshold:` is where the upper side begins; it is 0.5. Of classes, `average:` is \
    `macro`, `weighted` or `micro`, or `none` for a figure for each class.";
const OPTIMIZERS_ABOUT: &str = "`lr` is a number or a schedule. `maximize: true` climbs instead \
    of descending. `decay: weights` spares vectors and numbers from `weight_decay`: biases, scales \
    and shifts of norms, slopes of `prelu`.";
const SCHEDULES_ABOUT: &str = "A schedule gives the learning rate at step t, or with `per: epoch` \
    at epoch t. `warmup: n` lets it grow to its base over the first n. Without `over:` a schedule \
    spans the rest of the run.";
const INITS_ABOUT: &str = "They are the values of `init:` and of `param`.";

/// All sections.
///
/// ```
/// let sections = arenet_compiler::reference::sections();
/// let losses = sections.iter().find(|section| section.name == "losses").unwrap();
/// let mse = losses.items.iter().find(|item| item.name == "mse").unwrap();
/// assert_eq!((mse.usage.as_str(), mse.about), ("mse(y, t, reduction:, weight:)", "(y - t)²"));
/// ```
pub fn sections() -> Vec<Section> {
    let is_of =
        |list: &'static [Entry<_>], name: &str| list.iter().any(|entry| entry.name() == name);
    let is_activation = |name: &str| is_of(activation::ACTIVATIONS, name);
    let is_loss = |name: &str| is_of(loss::LOSSES, name);
    let all = built(functions());
    let of = |test: &dyn Fn(&str) -> bool| all.iter().filter(|f| test(f.name)).copied().collect();
    let section = |name, place, about, functions: Vec<Signature>| Section {
        name,
        heading: format!("{name}, as in `{place}`"),
        about,
        items: functions.iter().map(Item::of).collect(),
    };
    let mut sections: Vec<Section> = FORMS.iter().map(Section::of_forms).collect();
    sections.extend([
        section(
            "layers",
            "h = x |> dense(16)",
            "",
            of(&|name| !is_activation(name) && !is_loss(name)),
        ),
        section("activations", "h = x |> dense(16) |> relu", "", of(&is_activation)),
        section("losses", "loss = mse(y, t)", LOSSES, of(&is_loss)),
        section("metrics", "metric accuracy(y, t)", METRICS_ABOUT, built(METRICS)),
        section("optimizers", "optimizer = adam(lr: 0.01)", OPTIMIZERS_ABOUT, built(OPTIMIZERS)),
        section(
            "schedules",
            "optimizer = adam(lr: cosine(0.01))",
            SCHEDULES_ABOUT,
            built(SCHEDULES),
        ),
        section("initializers", "h = x |> dense(16, init: he)", INITS_ABOUT, built(INITS)),
        section("keep", "keep = best", "", built(KEEPS)),
        section("stop", "stop = early_stop(patience: 10)", "", built(STOPS)),
        settings_section(),
    ]);
    sections
}

/// The settings of `train`, as they are written.
fn settings_section() -> Section {
    let known = || settings().into_iter().chain(built(HOLDS));
    let item = |usage: &&str| {
        let name = usage.split([' ', '(']).next().unwrap_or_default();
        let signature = known().find(|known| known.name == name)?;
        let Signature { name, about, .. } = signature;
        Some(Item { name, usage: usage.to_string(), about, signature: Some(signature) })
    };
    let items = forms::SETTINGS.iter().filter_map(item).collect();
    Section { name: "settings", heading: "settings inside `train`".into(), about: "", items }
}

/// What is said of a name: of a whole section, or of what is called so, or else of what has it
/// among its words, as `warmup` is an argument of schedules. Sections without any are left out.
///
/// ```
/// use arenet_compiler::reference::about;
/// let names = |word| -> Vec<_> { about(word).iter().map(|section| section.name).collect() };
/// assert_eq!(names("freeze"), ["statements"]);
/// assert_eq!(names("warmup"), ["schedules"]);
/// assert!(names("nothing").is_empty());
/// ```
pub fn about(name: &str) -> Vec<Section> {
    let named: Vec<Section> = sections().into_iter().filter(|s| s.name == name).collect();
    if !named.is_empty() {
        return named;
    }
    let those = |test: &dyn Fn(&Section, &Item) -> bool| {
        let mut sections = sections();
        for section in &mut sections {
            let mut items = std::mem::take(&mut section.items);
            items.retain(|item| test(section, item));
            section.items = items;
        }
        sections.retain(|section| !section.items.is_empty());
        sections
    };
    let called = those(&|_, item| item.name == name);
    if !called.is_empty() || name.len() < 2 {
        return called;
    }
    let mut using = those(&|_, item| item.has(name));
    if using.is_empty() {
        using = those(&|section, _| has_code(section.about, name));
    }
    using
}

/// What a name of another tool is called here.
pub fn own_name(written: &str) -> Option<&'static str> {
    let sections = sections();
    let mut names = sections.iter().flat_map(|section| &section.items).map(|item| item.name);
    let called = names.find(|own| aliases::is_for(written, own));
    called.or_else(|| aliases::argument(written))
}

impl Section {
    fn of_forms(forms: &forms::Forms) -> Section {
        let items = forms.forms.iter().map(|form| Item {
            name: form.name,
            usage: form.example.to_string(),
            about: form.about,
            signature: None,
        });
        let comma = if forms.place.starts_with("the ") { "," } else { "" };
        let heading = format!("{}{comma} {}", forms.name, forms.place);
        Section { name: forms.name, heading, about: "", items: items.collect() }
    }
}

impl Item {
    fn of(signature: &Signature) -> Item {
        let usage = signature.usage().replace("()", "");
        let (name, about) = (signature.name, signature.about);
        Item { name, usage, about, signature: Some(*signature) }
    }

    /// Whether a word is part of how it is written, or of the code in what is said of it.
    fn has(&self, word: &str) -> bool {
        has_word(&self.usage, word) || has_code(self.about, word)
    }
}

/// Whether a word stands between the backticks of a text.
fn has_code(text: &str, word: &str) -> bool {
    text.split('`').skip(1).step_by(2).any(|code| has_word(code, word))
}

fn has_word(code: &str, word: &str) -> bool {
    code.split(|c: char| c != '_' && !c.is_alphanumeric()).any(|other| other == word)
}

fn built<T: 'static>(entries: impl IntoIterator<Item = &'static Entry<T>>) -> Vec<Signature> {
    let built = entries.into_iter().filter(|entry| entry.built.is_some());
    built.map(|entry| entry.signature).collect()
}
