//! From text to syntax tree: `token` splits the text, `parser` builds the [`ast`]; and `format`
//! brings a text into the usual form.

pub mod ast;
mod format;
mod look;
mod mend;
mod parser;
mod token;

pub use format::format;
pub use look::{Around, Class, OpenCall, around, classes, keywords};
pub use parser::{MAX_HEIGHT, MAX_NESTING, MAX_SOURCE, parse};

use arenet_program::text::escaped;

/// A piece of the source, fit for a message: printable, and short.
fn shorten(text: &str) -> String {
    const LONGEST: usize = 40;
    if text.chars().nth(LONGEST).is_none() {
        return escaped(text);
    }
    let head: String = text.chars().take(LONGEST - 1).collect();
    escaped(&head) + "…"
}
