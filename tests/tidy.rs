//! The rules of the house that the compiler and its lints do not hold, held on the tree itself:
//! sizes, who may import whom, and what has no place in a finished file. A rule is a function from
//! a file to its findings; the last test shows each of them a file that breaks it.

use std::fs;
use std::path::Path;

const MAX_LINES: usize = 600;
const MAX_COLUMNS: usize = 100;

/// Below this folder (or in this file), the code names none of these, because.
const IMPORTS: [(&str, &[&str], &str); 11] = [
    ("compiler/src/syntax/", &["graph", "Graph"], "text knows nothing of graphs: lower/ does"),
    ("compiler/src/pass/", &["syntax", "ast"], "a pass sees graphs: lower/ reads the text"),
    ("compiler/src/graph/op/", &["pass"], "an operator does not know who transforms it"),
    ("runtime/src/simd/", &["kernel", "exec", "train"], "kernels build on simd, not the reverse"),
    (
        "runtime/src/kernel/",
        &["straight", "exec", "team", "train"],
        "a kernel does not know who runs it",
    ),
    ("runtime/src/kernel/expr/", &["gemm", "Prepared"], "a kernel runs it, not the reverse"),
    ("runtime/src/straight/", &["exec", "team", "train"], "the executor runs it"),
    ("runtime/src/exec.rs", &HOST, "it runs entries, no more"),
    ("runtime/src/exec/", &HOST, "it runs entries, no more"),
    ("src/cli/", &["arenet_compiler", "arenet_runtime"], "the command uses the facade `arenet`"),
    ("examples/", &["arenet_compiler", "arenet_runtime"], "an example uses the facade `arenet`"),
];

/// What stands above the executor.
const HOST: [&str; 3] = ["crate::train", "crate::predict", "crate::data"];

/// The packages that this one depends on, of those of this workspace; a crate that is no dependency
/// cannot be imported.
const DEPENDENCIES: [(&str, &[&str]); 3] =
    [("program", &[]), ("compiler", &["arenet-program"]), ("runtime", &["arenet-program"])];

/// Marks of unfinished work, comments included.
const UNFINISHED: [&str; 3] = ["TODO", "FIXME", "XXX"];
/// Code of unfinished work.
const UNFINISHED_CODE: [&str; 4] = ["todo!", "unimplemented!", "dbg!", "#[ignore"];
/// The libraries whose manifests say `test = false`.
const UNTESTED: [&str; 2] = ["compiler/src/", "runtime/src/"];
/// Where only one machine has its files.
const MACHINE_PATHS: [&str; 4] = ["/work/", "/home/", "/root/", "/tmp/"];
/// This file names what it forbids.
const SELF: &str = "tests/tidy.rs";

/// A file of the tree.
struct File {
    /// From the root of the tree, with `/`.
    path: String,
    text: String,
    /// The text of a Rust file without comments and the contents of literals, line for line.
    code: String,
}

impl File {
    fn new(path: &str, text: &str) -> File {
        let code = if path.ends_with(".rs") { code_of(text) } else { String::new() };
        File { path: path.to_string(), text: text.to_string(), code }
    }

    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether it is the file, or below the folder, which ends in `/`.
    fn is_in(&self, place: &str) -> bool {
        if place.ends_with('/') { self.path.starts_with(place) } else { self.path == place }
    }

    /// The lines of the code that hold `word` as a whole word, with what follows it.
    fn lines_with<'a>(&'a self, word: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
        let lines = self.code.lines().enumerate();
        lines.filter_map(move |(at, line)| find_word(line, word).map(|rest| (at, rest)))
    }
}

/// A line, counted from 0, and what to do about it.
type Finding = (usize, String);

fn files_are_short(file: &File) -> Vec<Finding> {
    let lines = file.text.lines().count();
    if !file.is_rust() || lines <= MAX_LINES {
        return Vec::new();
    }
    vec![(MAX_LINES, format!("{lines} lines, at most {MAX_LINES}: split it by what it does"))]
}

fn lines_are_short(file: &File) -> Vec<Finding> {
    if file.path.ends_with(".md") {
        return Vec::new(); // a table's row cannot be broken
    }
    let wide = |&(_, line): &(usize, &str)| line.chars().count() > MAX_COLUMNS;
    let message = |(at, line): (usize, &str)| {
        (at, format!("{} columns, at most {MAX_COLUMNS}: break the line", line.chars().count()))
    };
    file.text.lines().enumerate().filter(wide).map(message).collect()
}

fn imports_run_one_way(file: &File) -> Vec<Finding> {
    let rules = IMPORTS.iter().filter(|(place, ..)| file.is_in(place));
    let names = rules.flat_map(|(_, names, why)| names.iter().map(move |name| (name, why)));
    names
        .flat_map(|(name, why)| {
            file.lines_with(name).map(move |(at, _)| (at, format!("names `{name}`: {why}")))
        })
        .collect()
}

fn work_is_finished(file: &File) -> Vec<Finding> {
    if file.path == SELF {
        return Vec::new();
    }
    let marks = |line: &str| UNFINISHED.iter().any(|mark| find_word(line, mark).is_some());
    let code = |line: &str| UNFINISHED_CODE.iter().any(|mark| find_word(line, mark).is_some());
    let marked = file.text.lines().enumerate().filter(|(_, line)| marks(line));
    let coded = file.code.lines().enumerate().filter(|(_, line)| code(line));
    marked.chain(coded).map(|(at, _)| (at, "finish it, or leave it out".to_string())).collect()
}

fn lints_are_allowed_with_a_reason(file: &File) -> Vec<Finding> {
    let lines: Vec<&str> = file.code.lines().collect();
    let allows = |&at: &usize| lines[at].contains("[allow(") || lines[at].contains("[expect(");
    let explained = |&at: &usize| {
        let rest = lines[at..].join("\n");
        rest.split(']').next().is_some_and(|attribute| attribute.contains("reason = "))
    };
    (0..lines.len())
        .filter(|at| allows(at) && !explained(at))
        .map(|at| (at, "say why: `reason = \"...\"`, or follow the lint".to_string()))
        .collect()
}

fn files_say_what_they_are(file: &File) -> Vec<Finding> {
    if !file.is_rust() || file.text.starts_with("//! ") {
        return Vec::new();
    }
    vec![(0, "begin with a `//!` comment that says what the file is".to_string())]
}

fn paths_are_of_no_machine(file: &File) -> Vec<Finding> {
    let is_test = file.path.split('/').any(|folder| folder == "tests");
    let found = |line: &str| MACHINE_PATHS.iter().any(|path| line.contains(path));
    let lines = file.text.lines().enumerate().filter(|(_, line)| !is_test && found(line));
    lines.map(|(at, _)| (at, "no other machine has this path: make it relative".into())).collect()
}

/// Tests among the code of a library that is compiled without them would never run.
fn tests_run(file: &File) -> Vec<Finding> {
    let is_bare = UNTESTED.iter().any(|place| file.is_in(place));
    let lines = file.lines_with("cfg(test)").filter(|_| is_bare);
    lines.map(|(at, _)| (at, "no test here is run: it belongs into tests/".to_string())).collect()
}

/// Every rule.
const RULES: [fn(&File) -> Vec<Finding>; 8] = [
    files_are_short,
    lines_are_short,
    imports_run_one_way,
    work_is_finished,
    lints_are_allowed_with_a_reason,
    files_say_what_they_are,
    paths_are_of_no_machine,
    tests_run,
];

/// What follows the first place where `word` is not part of a longer one.
fn find_word<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).find_map(|(at, _)| {
        let rest = &line[at + word.len()..];
        let begins = !word.starts_with(is_part) || !line[..at].ends_with(is_part);
        let ends = !word.ends_with(is_part) || !rest.starts_with(is_part);
        (begins && ends).then_some(rest)
    })
}

/// Rust text with spaces for comments and for what is between the quotes of literals.
fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (kept, len) = if rest.starts_with("//") {
            (0, rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            (0, comment_len(rest))
        } else if c == '"' {
            (1, quoted_len(rest, '"'))
        } else if let Some((open, len)) = raw_string(rest).filter(|_| !in_word(&code)) {
            (open, len)
        } else if c == '\'' && is_char(rest) {
            (1, quoted_len(rest, '\''))
        } else {
            (c.len_utf8(), c.len_utf8())
        };
        code.push_str(&rest[..kept]);
        code.extend(rest[kept..len].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = &rest[len..];
    }
    code
}

/// Whether the code so far ends inside a name, so that an `r` is no raw string's.
fn in_word(code: &str) -> bool {
    code.ends_with(|c: char| c.is_alphanumeric() || c == '_') && !code.ends_with('b')
}

/// The length of a block comment, those inside it included.
fn comment_len(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    loop {
        let rest = &text[at..];
        let Some(c) = rest.chars().next() else { return text.len() };
        at += if rest.starts_with("/*") {
            depth += 1;
            2
        } else if rest.starts_with("*/") {
            depth -= 1;
            2
        } else {
            c.len_utf8()
        };
        if depth == 0 {
            return at;
        }
    }
}

/// The length of a literal from its opening quote past its closing one.
fn quoted_len(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The lengths of a raw string's opening and of the whole.
fn raw_string(text: &str) -> Option<(usize, usize)> {
    let rest = text.strip_prefix('r')?;
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    let body = rest[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let open = hashes + 2;
    Some((open, body.find(&close).map_or(text.len(), |at| open + at + close.len())))
}

/// Whether a quote begins a character, not a lifetime.
fn is_char(text: &str) -> bool {
    let mut chars = text.chars().skip(1);
    let (first, second) = (chars.next(), chars.next());
    first == Some('\\') || second == Some('\'')
}

/// Every text file of the tree, but what is built or hidden.
fn tree() -> Vec<File> {
    fn walk(root: &Path, folder: &Path, files: &mut Vec<File>) {
        let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        for entry in entries {
            let path = entry.expect("the folder can be read").path();
            let name = path.file_name().expect("it has a name").to_string_lossy().into_owned();
            let hidden = name.starts_with('.') && name != ".ci";
            if path.is_dir() && !hidden && name != "target" && name != "node_modules" {
                walk(root, &path, files);
            }
            let ends = [".rs", ".net", ".toml", ".md", ".py", ".sh"];
            if path.is_file() && (ends.iter().any(|end| name.ends_with(end)) || name == "run") {
                let short = path.strip_prefix(root).expect("it is below the root");
                let text = fs::read_to_string(&path).expect("it is text");
                files.push(File::new(&short.to_string_lossy().replace('\\', "/"), &text));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    walk(root, root, &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

#[test]
fn the_tree_keeps_the_rules() {
    let files = tree();
    assert!(files.len() > 100, "the walk finds the tree, not {} files", files.len());
    let mut findings = String::new();
    for file in &files {
        for (line, message) in RULES.iter().flat_map(|rule| rule(file)) {
            findings.push_str(&format!("{}:{}: {message}\n", file.path, line + 1));
        }
    }
    assert!(findings.is_empty(), "\n{findings}");
}

#[test]
fn every_place_of_a_rule_is_there() {
    let files = tree();
    for (place, ..) in IMPORTS {
        assert!(files.iter().any(|file| file.is_in(place)), "{place} is gone: mend IMPORTS");
    }
}

/// What a package is published with, and that it does not bring the dependencies of the
/// measurements, which take minutes to compile.
#[test]
fn every_package_has_its_licences_and_a_readme() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for package in [".", "compiler", "program", "runtime", "src/cli"] {
        for name in ["LICENSE-MIT", "LICENSE-APACHE", "README.md"] {
            let text = fs::read_to_string(root.join(package).join(name));
            assert!(text.is_ok_and(|text| text.len() > 500), "{package} has no {name}");
        }
        let manifest = fs::read_to_string(root.join(package).join("Cargo.toml")).unwrap();
        assert!(manifest.contains("readme = \"README.md\""), "{package}/Cargo.toml");
        for heavy in ["criterion", "gemm", "matrixmultiply"] {
            assert!(!manifest.contains(heavy), "{package} depends on {heavy}: benches/ may");
        }
    }
}

/// The dependencies of a package, but for those of its tests.
fn dependencies(package: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join(package).join("Cargo.toml")).unwrap();
    let lines = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
    let names = lines.take_while(|line| !line.starts_with('['));
    names.filter_map(|line| Some(line.split_once(['.', ' '])?.0.to_string())).collect()
}

#[test]
fn packages_depend_one_way() {
    for (package, allowed) in DEPENDENCIES {
        let names = dependencies(package);
        let own: Vec<_> = names.iter().filter(|name| name.starts_with("arenet")).collect();
        assert_eq!(own, allowed, "{package}: see ARCHITECTURE.md, who may import whom");
    }
    assert!(dependencies("program").is_empty(), "a program uses std alone, to be read anywhere");
}

#[test]
fn code_is_told_from_comments_and_literals() {
    let check = |text: &str, expected: &str| assert_eq!(code_of(text), expected, "{text}");
    check("a // unsafe\nb", "a          \nb");
    check("a /* x /* y */ z */ b", "a                   b");
    check(r#"f("a\"b", 'c', '\'')"#, r#"f("     , '  , '   )"#);
    check("r#\"a\"b\"# c", "r#\"      c");
    check("for<'a> &'a str", "for<'a> &'a str");
    check("br\"x\" bar\"y\"", "br\"   bar\"  ");
    assert_eq!(find_word("unsafely unsafe {", "unsafe"), Some(" {"));
    assert_eq!(find_word("todo!()", "todo!"), Some("()"));
    assert_eq!(find_word("not_todo!()", "todo!"), None);
}

#[test]
fn every_rule_bites() {
    let long = "//! Long.\n".repeat(MAX_LINES + 1);
    let wide = "x".repeat(MAX_COLUMNS + 1);
    let bad: [(&str, &str); RULES.len()] = [
        ("src/long.rs", &long),
        ("models/wide.net", &wide),
        ("compiler/src/graph/op/matmul.rs", "use crate::pass::fuse::fuse;"),
        ("compiler/src/graph/op/gather.rs", "fn eval() -> Tensor {\n    todo!()\n}"),
        ("runtime/src/lib.rs", "#![allow(dead_code)]"),
        ("runtime/src/rows.rs", "use std::sync::Arc;"),
        ("benches/steps.rs", "const DATA: &str = \"/home/me/digits.csv\";"),
        ("runtime/src/rows.rs", "//! Rows.\n\n#[cfg(test)]\nmod tests {}"),
    ];
    for (index, (rule, (path, text))) in RULES.iter().zip(bad).enumerate() {
        assert!(!rule(&File::new(path, text)).is_empty(), "rule {index} accepts {path}: {text}");
    }
}
