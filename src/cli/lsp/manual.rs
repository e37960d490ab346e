//! The language as an editor shows it: what each word is, in Markdown.

use arenet::internals::compiler::reference::{Item, Section, sections};
use arenet::internals::compiler::signature::Param;

/// All of a name that the language has, such as `cosine`, which is a loss and a schedule.
pub fn entries(name: &str) -> Vec<(Section, Item)> {
    let of = |section: Section| {
        let found = section.items.iter().find(|item| item.name == name).cloned();
        found.map(|item| (section, item))
    };
    sections().into_iter().filter_map(of).collect()
}

/// The parameters of what may be called, none of anything else.
pub fn params(item: &Item) -> &'static [Param] {
    item.signature.map_or(&[], |signature| signature.params)
}

/// How something is written, and what it is.
pub fn of_entry(section: &Section, item: &Item) -> String {
    format!("```net\n{}\n```\n{}\n\n{}", item.usage, item.about, section.heading)
}

/// What a word of the language is, if it is one.
pub fn of_word(word: &str) -> Option<String> {
    let entries = entries(word);
    let texts = entries.iter().map(|(section, item)| of_entry(section, item));
    let texts: Vec<String> = texts.collect();
    (!texts.is_empty()).then(|| texts.join("\n\n---\n\n"))
}
