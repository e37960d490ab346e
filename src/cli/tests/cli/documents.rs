//! Runs what the documents tell a reader to run, and compares what they say that it prints.
//!
//! A document is read from top to bottom in a folder of its own, in which models/ is that of the
//! project. Of its blocks,
//! - `console` has lines that begin with `$ `, which a shell runs, and below each what it prints. A
//!   line `...` stands for any lines, and `…` for any text within one;
//! - `net FILE`, `csv FILE` and the like is written to the file; a `net` has no mistake and, but
//!   where the document shows one, no warning;
//! - `python FILE` is the script of that name in tests/reference, whose weights are there;
//! - `rust` is compiled by src/lib.rs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::Folder;

/// A block between fences: what stands behind the first, its lines, and where these begin.
struct Block<'d> {
    info: &'d str,
    lines: Vec<&'d str>,
    line: usize,
}

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(info), None) => open = Some(Block { info, lines: Vec::new(), line: index + 2 }),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => block.lines.push(line),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// A line as words, with one for what differs from run to run: times, rates, and the machine.
fn steady(line: &str) -> Vec<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let is_number = |word: &str| word.starts_with(|first: char| first.is_ascii_digit());
    let is_measured = |at: usize| {
        let unit = words.get(at + 1).map_or("", |next| next.trim_end_matches([',', ')', '.']));
        is_number(words[at])
            && ["rows/s", "ns", "µs", "ms", "s", "threads", "thread"].contains(&unit)
    };
    let word = |(at, word): (usize, &&str)| match word.trim_end_matches(',') {
        "portable" | "avx2" | "avx512" => "ISA".to_string(),
        "thread" => "threads".to_string(),
        _ if is_measured(at) => "#".to_string(),
        _ => word.to_string(),
    };
    words.iter().enumerate().map(word).collect()
}

/// Whether a line is the one that a document has, in which `…` is any text.
fn is_line(found: &str, expected: &str) -> bool {
    let (found, expected) = (steady(found).join(" "), steady(expected).join(" "));
    let mut parts = expected.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = found.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    for (index, part) in parts.iter().enumerate() {
        let at = if index + 1 == parts.len() {
            rest.ends_with(part).then(|| rest.len() - part.len())
        } else {
            rest.find(part)
        };
        let Some(at) = at else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty()
}

/// Whether the lines are those that a document has, in which `...` is any lines.
fn are_lines(found: &[&str], expected: &[&str]) -> bool {
    match expected {
        [] => found.is_empty(),
        ["...", rest @ ..] => (0..=found.len()).any(|skipped| are_lines(&found[skipped..], rest)),
        [line, rest @ ..] => match found {
            [first, others @ ..] => is_line(first, line) && are_lines(others, rest),
            [] => false,
        },
    }
}

/// Runs a line of a shell in the folder, and returns all that it prints.
fn shell(folder: &Folder, line: &str) -> String {
    let command = Path::new(env!("CARGO_BIN_EXE_arenet"));
    let paths = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{paths}", command.parent().unwrap().display());
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1\n{line}")])
        .current_dir(folder.path(""))
        .env("PATH", path)
        .env("NO_COLOR", "1")
        .env_remove("RUST_BACKTRACE")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Runs the commands of a block; what they print is what stands below them.
fn run(folder: &Folder, name: &str, block: &Block<'_>) {
    let mut at = 0;
    while at < block.lines.len() {
        let (line, place) = (block.lines[at], block.line + at);
        let Some(command) = line.strip_prefix("$ ") else {
            panic!("{name}:{place}: a block of commands begins with one")
        };
        let below = &block.lines[at + 1..];
        let count = below.iter().take_while(|line| !line.starts_with("$ ")).count();
        at += 1 + count;
        // The project itself is built by .ci/run, as a reader builds it.
        if command.starts_with("cargo ") || command.starts_with("git ") {
            continue;
        }
        let text = shell(folder, command);
        let found: Vec<&str> = text.lines().collect();
        assert!(
            are_lines(&found, &below[..count]),
            "{name}:{place}: `{command}` prints\n{text}\nand not\n{}",
            below[..count].join("\n")
        );
    }
}

/// Puts the weights that a script of tests/reference wrote into the folder.
fn reference(folder: &Folder, name: &str, file: &str, block: &Block<'_>) {
    let script = project().join("tests/reference").join(file);
    let text = fs::read_to_string(&script).unwrap();
    assert_eq!(block.lines.join("\n"), text.trim_end(), "{name}:{}", block.line);
    let weights = script.with_extension("safetensors");
    folder.write(weights.file_name().unwrap().to_str().unwrap(), fs::read(&weights).unwrap());
}

/// Runs a document.
fn check(name: &str) {
    let text = fs::read_to_string(project().join(name)).unwrap();
    let folder = Folder::new(&format!("document-{}", name.replace('/', "-")));
    let models = folder.path("models");
    fs::create_dir(&models).unwrap();
    for file in fs::read_dir(project().join("models")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), models.join(file.file_name())).unwrap();
    }
    for block in blocks(&text) {
        match block.info.split_once(' ').unwrap_or((block.info, "")) {
            ("console", _) => run(&folder, name, &block),
            ("python", file) => reference(&folder, name, file, &block),
            (kind, file) if !file.is_empty() => {
                folder.write(file, block.lines.join("\n") + "\n");
                if kind == "net" {
                    let done = folder.ok(&format!("check {file}"));
                    // Of lints but that which the document shows.
                    let shown = text.contains("warning[");
                    assert!(shown || done.err.is_empty(), "{name}:{}: {}", block.line, done.err);
                }
            }
            ("net", _) => {
                folder.write("snippet.net", block.lines.join("\n"));
                let done = folder.ok("check snippet.net");
                assert_eq!(done.err, "", "{name}:{}", block.line);
            }
            _ => {}
        }
    }
}

macro_rules! documents {
    ($($test:ident $name:literal)*) => {
        $(#[test] fn $test() { check($name); })*

        #[test]
        fn every_document_is_run() {
            let listed = [$($name),*];
            for file in fs::read_dir(project().join("docs")).unwrap() {
                let name = format!("docs/{}", file.unwrap().file_name().display());
                assert!(!name.ends_with(".md") || listed.contains(&&*name), "{name} is not run");
            }
        }
    };
}

documents! {
    the_readme "README.md"
    the_cookbook "docs/cookbook.md"
    the_editor "docs/editor.md"
    the_internals "docs/internals.md"
    the_language "docs/language.md"
    the_performance "docs/performance.md"
    the_rust "docs/rust.md"
    the_tour "docs/tour.md"
    the_tables "docs/tables.md"
    the_training "docs/training.md"
    the_trust "docs/trust.md"
}
