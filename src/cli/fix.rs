//! `arenet check --fix`: writes what messages offer into models, where it is certain.

use std::path::Path;

use arenet::Net;
use arenet::internals::compiler::fix::{Fixed, apply_certain};
use arenet::internals::compiler::lower::lower;
use arenet::internals::compiler::syntax::parse;
use arenet::internals::runtime::files::write_atomically;

use super::args::MessageFormat;
use super::failure::Failure;
use super::{Context, console, fmt};

/// Puts a model right in its file, and says what was changed. Of a file that is no text, the check
/// tells afterwards.
pub fn file(cx: &Context, model: &Path) -> Result<(), Failure> {
    let Ok(text) = fmt::read_file(model) else { return Ok(()) };
    let fixed = fixed(cx, &model.display().to_string(), &text);
    if fixed.text != text {
        write_atomically(model, |file| file.write_all(fixed.text.as_bytes()))?;
    }
    Ok(())
}

/// Puts the model on standard input right on standard output, and tells what is left.
pub fn standard_input(cx: &Context) -> Result<(), Failure> {
    const NAME: &str = "standard input";
    let text = fmt::read(std::io::stdin(), NAME)?;
    let fixed = fixed(cx, NAME, &text);
    console::print(&fixed.text)?;
    let sets = cx.global.set.iter();
    let options = sets.fold(Net::options().name(NAME), |net, (name, value)| net.set(name, *value));
    let net = options.parse(&fixed.text)?;
    if !cx.console.quiet {
        cx.console.diagnostics(net.warnings());
    }
    Ok(())
}

/// The text with what is certain put right, a line for each change.
fn fixed(cx: &Context, name: &str, text: &str) -> Fixed {
    let told = |text: &str| {
        let lowered = lower(parse(text), &cx.global.set);
        lowered.map_or_else(|errors| errors, |(_, warnings)| warnings)
    };
    let fixed = apply_certain(text, told);
    // Lines of JSON are of what is told; the fixes were among it before.
    let is_json = cx.global.message_format == MessageFormat::Json;
    for made in fixed.made.iter().filter(|_| !is_json) {
        let (line, column, code) = (made.line, made.column, made.code);
        cx.console.note(format!("{name}:{line}:{column}: fixed {code}: {}", made.title));
    }
    fixed
}
