//! Whatever the text is, reading it ends soon, with a tree that is safe to walk and to drop.

use std::time::{Duration, Instant};

use arenet_compiler::code::Code;
use arenet_compiler::diagnostic::{Diagnostic, render, to_json};
use arenet_compiler::syntax::ast::{Dim, Expr, ExprKind, File, Item, Stmt, TrainItem};
use arenet_compiler::syntax::{MAX_HEIGHT, MAX_NESTING, MAX_SOURCE, parse};

/// A file with every construct of the grammar.
const SAMPLE: &str = r#"// all of it
const H = 16 * 2
block residual(x, k) {
    y = x |> dense(k) |> relu
    return x + y * 0.5
}
net all {
    input x: [N, H*2+1] in 0..10
    param w: f32[4, 3] = normal(std: 1e-3)
    layer encode(a, b) = concat(a, b) |> dense(3, init: he)
    freeze w, encode
    limit memory = 64 KiB
    h = -x @ w + (x - 1) / 2
    output y = encode(h, x.w) |> residual(3)
    output h
}
train {
    target t: i32[N] in ["a\\", "b"]
    loss = cross_entropy(y, t)
    metric accuracy(y, t)
    optimizer(w, encode) = sgd(lr: 0.1)
    optimizer = adam(lr: cosine(0.01, to: 0.0001))
    batch = 16  epochs = 60
}
"#;

/// Pieces that mutations put in.
const PIECES: [&str; 40] = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "=",
    "|>",
    "+",
    "-",
    "*",
    "/",
    "@",
    ".",
    "..",
    "\"",
    "'",
    "\\",
    "\n",
    "\r",
    "\t",
    "\0",
    "\u{1b}[31m",
    "//",
    "/*",
    "#",
    ";",
    "é",
    "\u{202e}",
    "🦀",
    "net ",
    "in",
    "return ",
    "input ",
    "train {",
    "1e999",
    "18446744073709551616",
    "FANN_",
];

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

/// Reads the text, and checks what holds of every answer.
fn check(source: &str) -> (File, Vec<Diagnostic>) {
    let (file, errors) = parse(source);
    assert!(errors.len() <= 101, "{} errors", errors.len());
    assert!(errors.is_sorted_by_key(|error| error.span.start));
    for error in &errors {
        for span in std::iter::once(error.span).chain(error.labels.iter().map(|label| label.0)) {
            assert!(source.get(span.range()).is_some(), "{span:?} is no part of {source:?}");
        }
    }
    let text = render(&errors, "m.net", source, false);
    let harmless = |c: char| c == '\n' || !c.is_control();
    assert!(text.chars().all(harmless), "{text:?}");
    for error in errors.iter().take(3) {
        let json = to_json(error, "m.net", source);
        assert!(!json.contains('\n') && json.starts_with('{') && json.ends_with('}'));
    }
    (file, errors)
}

/// The errors' codes.
fn codes(source: &str) -> Vec<&'static str> {
    check(source).1.iter().map(|error| error.code.name()).collect()
}

fn expr_height(expr: &Expr) -> usize {
    let args = |args: &[_]| args.iter().map(arg_height).max().unwrap_or(0);
    1 + match &expr.kind {
        ExprKind::Number(_) | ExprKind::String(_) | ExprKind::Name(_) => 0,
        ExprKind::List(items) => items.iter().map(expr_height).max().unwrap_or(0),
        ExprKind::Call(call) => args(&call.args),
        ExprKind::Pipe(left, call) => expr_height(left).max(1 + args(&call.args)),
        ExprKind::Neg(inner) | ExprKind::Field(inner, _) => expr_height(inner),
        ExprKind::Binary(_, left, right) => expr_height(left).max(expr_height(right)),
    }
}

fn arg_height(arg: &arenet_compiler::syntax::ast::Arg) -> usize {
    expr_height(&arg.value)
}

fn dim_height(dim: &Dim) -> usize {
    match dim {
        Dim::Size(..) | Dim::Name(_) => 1,
        Dim::Mul(left, right) | Dim::Add(left, right) => {
            1 + dim_height(left).max(dim_height(right))
        }
    }
}

/// The height of the highest tree in a file.
fn height(file: &File) -> usize {
    let mut heights = vec![0];
    for item in &file.items {
        match item {
            Item::Const(bind) => heights.push(expr_height(&bind.value)),
            Item::Block(block) => heights.extend(block.result.as_ref().map(expr_height)),
            Item::Net(net) => heights.extend(net.body.iter().filter_map(|stmt| match &stmt.node {
                Stmt::Input(port) => port.ty.dims.iter().map(dim_height).max(),
                Stmt::Bind(bind) => Some(expr_height(&bind.value)),
                _ => None,
            })),
            Item::Train(train) => {
                heights.extend(train.body.iter().filter_map(|entry| match &entry.node {
                    TrainItem::Set(bind, _) | TrainItem::Of { bind, .. } => {
                        Some(expr_height(&bind.value))
                    }
                    _ => None,
                }))
            }
        }
    }
    heights.into_iter().max().unwrap_or(0)
}

#[test]
fn random_bytes() {
    let mut random = Random(1);
    for _ in 0..500 {
        let length = random.below(300);
        let bytes: Vec<u8> = (0..length).map(|_| random.next() as u8).collect();
        check(&String::from_utf8_lossy(&bytes));
        let ascii: String = bytes.iter().map(|byte| (byte & 0x7f) as char).collect();
        check(&ascii);
    }
}

#[test]
fn random_pieces() {
    let mut random = Random(2);
    for _ in 0..1000 {
        let length = random.below(60);
        let text: String = (0..length).map(|_| PIECES[random.below(PIECES.len())]).collect();
        check(&text);
    }
}

#[test]
fn mutations() {
    let mut random = Random(3);
    for _ in 0..3000 {
        let mut text = SAMPLE.to_string();
        for _ in 0..=random.below(4) {
            let start = text.floor_char_boundary(random.below(text.len() + 1));
            let end = text.floor_char_boundary((start + random.below(9)).min(text.len()));
            let piece = PIECES[random.below(PIECES.len())];
            text.replace_range(start..end.max(start), piece);
        }
        check(&text);
    }
}

/// Reading stops after a number of errors, wherever it is then.
#[test]
fn mutations_after_many_errors() {
    let mut random = Random(5);
    let words = words(SAMPLE);
    for _ in 0..2000 {
        let count = 95 + random.below(6);
        let mut text = SAMPLE.to_string();
        for _ in 0..6 {
            let word = words[random.below(words.len())].clone();
            let piece = ["inptu", "lr =", "input", "1e999", "kib", "", "x"][random.below(7)];
            text = format!("{}{piece}{}", &text[..word.start], &text[word.end.min(text.len())..]);
            if text.len() < SAMPLE.len() {
                text.extend(std::iter::repeat_n(' ', SAMPLE.len() - text.len()));
            }
        }
        check(&format!("{}{text}", "const A = 1.2.3\n".repeat(count)));
    }
}

/// The ends of the sample's tokens, roughly: words, strings and single signs.
fn words(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut words: Vec<std::ops::Range<usize>> = Vec::new();
    let mut in_string = false;
    let start = text.find('\n').unwrap_or(0);
    for (at, c) in text.char_indices().filter(|&(at, _)| at >= start) {
        let goes_on = |last: &std::ops::Range<usize>| {
            last.end == at && (text.as_bytes()[last.start].is_ascii_alphanumeric())
        };
        match words.last_mut() {
            Some(last) if in_string => last.end = at + 1,
            Some(last) if c.is_ascii_alphanumeric() && goes_on(last) => last.end = at + 1,
            _ if c.is_whitespace() => {}
            _ => words.push(at..at + 1),
        }
        in_string ^= c == '"';
    }
    words
}

#[test]
fn one_mistake_is_one_error() {
    assert_eq!(codes(SAMPLE), [""; 0]);
    let words = words(SAMPLE);
    assert!(words.len() > 180);
    for word in words {
        let (before, after) = (&SAMPLE[..word.start], &SAMPLE[word.end..]);
        let without = format!("{before}{after}");
        let errors = check(&without).1;
        assert!(errors.len() <= 1, "{}", render(&errors, "m.net", &without, false));
    }
}

#[test]
fn every_beginning_of_a_file() {
    for (end, _) in SAMPLE.char_indices() {
        check(&SAMPLE[..end]);
    }
}

/// Long chains, each part of it as often as fits into the size limit.
#[test]
fn long_chains_are_too_high() {
    for part in ["+a", "*a", "-a", "@a", "/ a", "|>b", "|> b()", ".b", "+(a)", "|>b(-a)"] {
        let source = format!("const A = a{}", part.repeat(100_000));
        let (file, errors) = check(&source);
        assert_eq!(
            errors.iter().map(|e| e.code.name()).collect::<Vec<_>>(),
            ["nesting-too-deep"],
            "{part}"
        );
        assert!(file.items.is_empty());
    }
    for part in ["*H", "+H", "*2", "+2*H"] {
        let source = format!("net n {{ input x: [H{}] }}", part.repeat(100_000));
        assert_eq!(codes(&source), ["nesting-too-deep"], "{part}");
    }
}

#[test]
fn deep_nesting_is_refused() {
    for open in ["(", "f(", "-(", "x |> f(", "a + b * (", "f(k: ", "(f(-"] {
        let source = format!("const A = {}", open.repeat(100_000));
        assert_eq!(codes(&source), ["nesting-too-deep"], "{open}");
    }
    for text in ["{", "}", "[", "]", ")", "net a {", "train {", "block b(x) {", "-", "in ", "\""] {
        let count = check(&text.repeat(100_000)).1.len();
        assert!(count > 0, "{text}");
    }
}

#[test]
fn the_limits_themselves_are_allowed() {
    let nested = format!("const A = {}1{}", "(".repeat(MAX_NESTING), ")".repeat(MAX_NESTING));
    assert_eq!(codes(&nested), [""; 0]);
    let chain = format!("const A = 1{}", " + 1".repeat(MAX_HEIGHT - 1));
    let (file, errors) = check(&chain);
    assert_eq!(errors, []);
    assert_eq!(height(&file), MAX_HEIGHT);
    let full = format!("// {}", "x".repeat(MAX_SOURCE - 3));
    assert_eq!(codes(&full), [""; 0]);
    assert_eq!(codes(&format!("{full}x")), ["source-too-large"]);
}

/// Chains inside brackets inside chains: heights add up, and the sum is what is limited.
#[test]
fn heights_add_up() {
    let mut random = Random(4);
    for _ in 0..200 {
        let mut text = "a".to_string();
        for _ in 0..random.below(MAX_NESTING) {
            let part = ["+a", "*-a", "|>b", ".b", "|>b(c)"][random.below(5)];
            let chain = part.repeat(random.below(12));
            text = match random.below(3) {
                0 => format!("({text}){chain}"),
                1 => format!("a{chain} + f({text})"),
                _ => format!("-f(1, k: {text}{chain})"),
            };
        }
        let (file, errors) = check(&format!("const A = {text}"));
        assert_eq!(file.items.len() + errors.len(), 1);
        assert!(height(&file) <= MAX_HEIGHT);
    }
}

/// A test's thread has a stack of 2 MiB; half of it must do for reading, copying and dropping.
#[test]
fn a_small_stack_suffices() {
    let walk = || {
        let open = "a * f(k: ".repeat(MAX_NESTING);
        let chain = "-1".repeat(MAX_HEIGHT - 2 * MAX_NESTING - 1);
        let close = ")".repeat(MAX_NESTING);
        let source = format!("const A = {open}1{chain}{close}");
        let (file, errors) = parse(&source);
        assert_eq!(errors, []);
        assert_eq!(height(&file), MAX_HEIGHT);
        assert_eq!(file.clone(), file);
    };
    std::thread::Builder::new().stack_size(1 << 20).spawn(walk).unwrap().join().unwrap();
}

/// Texts of the full size whose tokens are as many, as long or as wrong as can be.
#[test]
fn large_files_are_read_in_time() {
    let start = Instant::now();
    for piece in [
        "x",
        "1",
        "\"",
        "'",
        "#",
        "/*",
        "/* ",
        "*/",
        "é",
        "$",
        "$ ",
        "$a",
        "\0",
        "\\",
        ".",
        "1.",
        "1e",
        ";",
        "=",
        "a=",
        "a = 1\n",
        "a\n",
        "a,",
        "f(",
        "f(a,",
        "f(a\n",
        "input ",
        "inptu x ",
        "net a{",
        "net a{}",
        "train{a=1 ",
        "1.2.3 ",
        "limit memory = ",
        " ",
        "\n",
        "//\n",
        "- ",
    ] {
        for head in ["", "train { a = f(\n"] {
            let count = (MAX_SOURCE - head.len()) / piece.len();
            check(&format!("{head}{}", piece.repeat(count)));
        }
    }
    let limit = Duration::from_secs(60);
    assert!(start.elapsed() < limit, "{:?}", start.elapsed());
}

#[test]
fn many_errors_are_cut() {
    let source = "const A = $\n".repeat(500);
    let errors = check(&source).1;
    assert_eq!(errors.len(), 101);
    assert_eq!(errors[100].code, Code::TooManyErrors);
}
