//! `arenet explain`: what the code of a message means, with an example and its cure.

use arenet::internals::compiler::code::Code;
use arenet::internals::compiler::diagnostic::did_you_mean;
use arenet::internals::runtime::program::text::quoted;
use clap::Args;

use super::failure::Failure;
use super::{console, table, units};

/// What to explain.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Without a code, all of them are listed.\n\
                        Example: arenet explain unknown-function")]
pub struct ExplainArgs {
    /// The code of a message: what stands in its brackets, [unknown-function]
    code: Option<String>,
}

/// Explains a code, or lists all.
pub fn run(args: &ExplainArgs) -> Result<(), Failure> {
    let Some(name) = &args.code else { return console::print(list(console::width())) };
    let name = name.trim_matches(['[', ']']);
    let code = Code::named(name).ok_or_else(|| unknown(name))?;
    console::print(page(code.explanation(), table::width().min(table::PAGE)))
}

fn unknown(name: &str) -> Failure {
    let failure = Failure::usage(format!("no message has the code {}", quoted(name)));
    failure.help(match did_you_mean(name, Code::ALL.iter().map(|code| code.name())) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "`arenet explain` lists all of them".to_string(),
    })
}

/// A line for each code, cut where a terminal ends.
fn list(width: Option<usize>) -> String {
    let cells = |code: &Code| vec![code.name().to_string(), code.summary().to_string()];
    let rows: Vec<Vec<String>> = Code::ALL.iter().map(cells).collect();
    let lines = units::columns(&rows, &[false; 2]);
    lines.lines().map(|line| table::cut(line, width.unwrap_or(usize::MAX)) + "\n").collect()
}

/// Markdown for a terminal: paragraphs in lines of this width, examples indented.
fn page(markdown: &str, width: usize) -> String {
    let mut blocks: Vec<String> = Vec::new();
    // The first net is told, the second one is its cure.
    let mut labels = ["This is told:", "This is right:"].into_iter();
    let mut ends_in_text = false;
    for (index, part) in markdown.split("```").enumerate() {
        if index % 2 == 1 {
            let label = if part.starts_with("net") { labels.next() } else { None };
            // A text before the cure says more than the label.
            if let Some(label) = label.filter(|_| index == 1 || !ends_in_text) {
                blocks.push(label.to_string());
            }
            // The first line names the language.
            let lines: Vec<String> =
                part.lines().skip(1).map(|line| format!("    {line}")).collect();
            blocks.push(lines.join("\n"));
        } else {
            let paragraphs = part.trim().split("\n\n").filter(|paragraph| !paragraph.is_empty());
            let lines = |text: &str| {
                table::wrapped(&text.replace('\n', " "), 0, width).trim_end().to_string()
            };
            let before = blocks.len();
            blocks.extend(paragraphs.map(lines));
            ends_in_text = blocks.len() > before;
        }
    }
    blocks.join("\n\n") + "\n"
}
