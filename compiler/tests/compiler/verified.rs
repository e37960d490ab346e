//! Whatever compiles can be run: verification refuses no program of the compiler's, and what is
//! beyond a limit of the machine is told as a diagnostic.

use crate::common::Numbers;
use crate::common::nets::NETS;
use arenet_compiler::code::Code;
use arenet_compiler::diagnostic::{Diagnostic, Severity};
use arenet_compiler::{Options, Precision, Purpose, compile};
use arenet_program::{MAX_LOADS, MAX_STORES};

/// Compiles; what comes out is verified.
fn compiled(source: &str, options: &Options) -> Result<(), Vec<Diagnostic>> {
    let compiled = compile(source, options).map(|_| ());
    let broken = |d: &Diagnostic| d.code == Code::BrokenProgram;
    assert!(!compiled.as_ref().err().into_iter().flatten().any(broken), "{options:?}\n{source}");
    compiled
}

/// What is told about a net with these options; each error points at something.
fn told(source: &str, options: &Options) -> Vec<&'static str> {
    let diagnostics = compiled(source, options).err().unwrap_or_default();
    let errors = diagnostics.into_iter().filter(|d| d.severity == Severity::Error);
    let code = |error: Diagnostic| {
        assert!(error.span.start < error.span.end, "{error:?} points at nothing\n{source}");
        error.code.name()
    };
    errors.map(code).collect()
}

fn codes(source: &str) -> Vec<&'static str> {
    told(source, &Options::default())
}

/// Numbers at the ends of some range or other.
const NUMBERS: [&str; 24] = [
    "0",
    "1",
    "2",
    "16",
    "17",
    "33",
    "255",
    "65536",
    "132104",
    "132105",
    "1048576",
    "2147483648",
    "4294967297",
    "68719476736",
    "1099511627776",
    "1099511627777",
    "9007199254740992",
    "18446744073709551615",
    "1e-46",
    "1e-30",
    "1e30",
    "3.5e38",
    "1e300",
    "0.999999999999",
];

/// Words that make something else of a net.
const WORDS: [&str; 27] = [
    "x",
    "y",
    "h",
    "t",
    "N",
    "full",
    "i32",
    "f32",
    "mean",
    "sum",
    "softmax",
    "log_softmax",
    "relu",
    "sigmoid",
    "mse",
    "mae",
    "bce",
    "cross_entropy",
    "accuracy",
    "f1",
    "log_loss",
    "top_k",
    "adam",
    "adamw",
    "sgd",
    "|>",
    "@",
];

/// Splits a source into words and signs.
fn words(source: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for c in source.chars() {
        let joins = |word: &String| {
            let last = word.chars().last().unwrap();
            let part = |c: char| c.is_alphanumeric() || c == '_';
            part(c) && part(last) || last == '|' && c == '>'
        };
        match words.last_mut().filter(|word| joins(word)) {
            Some(word) => word.push(c),
            None => words.push(c.to_string()),
        }
    }
    words
}

/// Random words of random nets replaced, doubled and dropped; as many as `ARENET_NETS` says.
#[test]
fn what_compiles_is_verified() {
    let rounds = std::env::var("ARENET_NETS").map_or(3000, |n| n.parse().expect("a number"));
    let mut numbers = Numbers::new(31);
    let mut pick = |n: usize| (numbers.next() * n as f64) as usize;
    let mut good = 0;
    for _ in 0..rounds {
        let mut words = words(NETS[pick(NETS.len())].1);
        for _ in 0..pick(4) {
            let at = pick(words.len());
            let is_number = words[at].starts_with(|c: char| c.is_ascii_digit());
            match pick(6) {
                0 => drop(words.remove(at)),
                1 => words.insert(at, WORDS[pick(WORDS.len())].to_string()),
                2 if !is_number => words[at] = WORDS[pick(WORDS.len())].to_string(),
                3 => {
                    let other = pick(words.len());
                    words.swap(at, other);
                }
                _ => {
                    let numbers: Vec<usize> = (0..words.len())
                        .filter(|&i| words[i].starts_with(|c: char| c.is_ascii_digit()))
                        .collect();
                    if let Some(&at) = numbers.get(pick(numbers.len().max(1))) {
                        words[at] = NUMBERS[pick(NUMBERS.len())].to_string();
                    }
                }
            }
        }
        let batch = [None, Some(1), Some(16), Some(300), Some(1 << 20), Some(1 << 36)][pick(6)];
        let weights = Precision::ALL[pick(3)];
        let purpose = [Purpose::Predict, Purpose::Evaluate, Purpose::Train][pick(3)];
        let options = Options { batch, weights, purpose, ..Options::default() };
        good += usize::from(compiled(&words.concat(), &options).is_ok());
    }
    assert!(good > rounds / 10, "only {good} of {rounds} nets compile");
}

/// A net of one layer.
fn layer(inputs: &str, outputs: &str, settings: &str) -> String {
    format!(
        "net m {{ input x: [N, {inputs}]  output y = x |> dense({outputs}) }}
         train {{ target t: [N, {outputs}]  loss = mse(y, t)  optimizer = adam
            {settings} }}"
    )
}

#[test]
fn batches_at_the_limit() {
    let none: [&str; 0] = [];
    // Rows of one element are padded to 16: 2^36 of them are 2^40 elements.
    for rows in [1_u64, 1 << 20, 1 << 36] {
        assert_eq!(codes(&layer("1", "1", &format!("batch = {rows}"))), none, "{rows}");
    }
    for rows in [(1_u64 << 36) + 1, 1 << 40, 1 << 52, 1 << 53] {
        let source = layer("1", "1", &format!("batch = {rows}"));
        assert_eq!(codes(&source), ["value-too-large"], "{rows}");
    }
    let source = layer("1", "1", "");
    for rows in [(1 << 36) + 1, 1 << 60, u64::MAX] {
        let options = Options { batch: Some(rows), ..Options::default() };
        assert_eq!(told(&source, &options), ["value-too-large"], "{rows}");
    }
    let error = compile(&source, &Options { batch: Some(0), ..Options::default() }).err().unwrap();
    assert_eq!(error[0].code, Code::BadValue);
}

#[test]
fn sizes_at_the_limit() {
    let none: [&str; 0] = [];
    let weight = |rows: u64, cols: u64| {
        format!(
            "net m {{ input x: [N, 1]  param w: [{rows}, {cols}] = zeros()
                output y = x * sum(w) }}"
        )
    };
    let narrow = Options { batch: Some(1), ..Options::default() };
    assert_eq!(told(&weight(1 << 20, 1_048_560), &narrow), none);
    assert_eq!(told(&weight((1 << 20) + 1, 1 << 20), &narrow), ["bad-shape"]);
    // As many elements, but with padding.
    assert_eq!(told(&weight(1 << 36, 16), &narrow), none);
    assert_eq!(told(&weight(1 << 36, 15), &narrow), none);
    assert_eq!(told(&weight(1 << 37, 1), &narrow), ["value-too-large"]);
    // Of 8-bit integers, a weight has room for scales too.
    let source = "net m { input x: [N, 1]  output y = x |> dense(274877906944) }";
    for (weights, expected) in
        Precision::ALL.into_iter().zip([vec![], vec![], vec!["value-too-large"]])
    {
        let options = Options { batch: Some(1), weights, ..Options::default() };
        assert_eq!(told(source, &options), expected, "{weights:?}");
    }
}

#[test]
fn arenas_at_the_limit() {
    let none: [&str; 0] = [];
    // 2^42 bytes each.
    let weights = |count: usize| {
        let params: String =
            (0..count).map(|i| format!("param w{i}: [1048576, 1048576] = zeros()\n")).collect();
        format!("net m {{ input x: [N, 1]  {params} output y = x }}")
    };
    let options = Options { batch: Some(1), ..Options::default() };
    assert_eq!(told(&weights(15), &options), none);
    assert_eq!(told(&weights(16), &options), ["over-memory-limit"]);
    // The span is that of the largest value.
    let source = weights(16);
    let error = compile(&source, &options).err().unwrap().pop().unwrap();
    assert_eq!(&source[error.span.range()], "w0");
    // A limit that is said is not raised beyond that of the machine.
    let source = source.replace("output", "limit memory = 1000000 GiB  output");
    assert_eq!(told(&source, &options), ["over-memory-limit"]);
}

#[test]
fn operations_beyond_64_bits() {
    // Nearly 2^61 operations and 2^42 bytes a layer.
    let chain = |layers: usize| {
        let layers = " |> dense(1048560, bias: false)".repeat(layers);
        format!("net m {{ input x: [N, 1048560]  output y = x{layers} }}")
    };
    let none: [&str; 0] = [];
    let options = Options { batch: Some(1 << 20), ..Options::default() };
    assert_eq!(told(&chain(8), &options), none);
    assert_eq!(told(&chain(9), &options), ["too-many-operations"]);
}

#[test]
fn training_that_takes_too_many_operations() {
    // The gradient of a softmax takes five.
    let chains: String =
        (0..180).map(|i| format!("h{} = h{i} {}\n", i + 1, "|> softmax ".repeat(499))).collect();
    let source = format!(
        "net m {{ input x: [N, 2]  h0 = x |> dense(2)  {chains}  output y = h180 }}
         train {{ target t: [N, 2]  loss = mse(y, t)  optimizer = sgd }}"
    );
    assert_eq!(told(&source, &Options::default()), ["too-many-nodes"]);
    let error = compile(&source, &Options::default()).err().unwrap().pop().unwrap();
    assert_eq!(&source[error.span.range()], "mse(y, t)");
    let expected = "operations with the gradients and the updates, more than 500000";
    assert!(error.message.ends_with(expected), "{}", error.message);
}

#[test]
fn integer_weights_at_the_limit() {
    for rows in [133_143, 133_144, 133_145] {
        let source = format!("net m {{ input x: [N, {rows}]  output y = x |> dense(3) }}");
        let options = Options { batch: Some(2), weights: Precision::Int8, ..Options::default() };
        assert_eq!(compiled(&source, &options), Ok(()), "{rows}");
    }
}

#[test]
fn any_rank_is_verified() {
    for rank in 1..=8 {
        let dims = ", 2".repeat(rank - 1);
        let source = format!(
            "net m {{ input x: [N{dims}]  param p: []  output y = tanh(x) * p }}
             train {{ target t: [N{dims}]  loss = mse(y, t)  optimizer = adam }}"
        );
        assert_eq!(compiled(&source, &Options::default()), Ok(()), "{rank}");
    }
    let source = "net m { input x: [N, 1, 1, 1, 1, 1, 1, 1, 1]  output y = x }";
    assert_eq!(codes(source), ["bad-shape"]);
}

/// Nets with so many of everything.
fn counted(count: usize) -> Vec<String> {
    let list = |part: &dyn Fn(usize) -> String| (0..count).map(part).collect::<String>();
    let joined =
        |part: &dyn Fn(usize) -> String| (0..count).map(part).collect::<Vec<_>>().join(" + ");
    let inputs = list(&|i| format!("input x{i}: [N, 3]\n"));
    let train = "train { target t: [N, 3]  loss = mse(y, t)  optimizer = adam }";
    vec![
        format!("net m {{ {inputs} output y = {} }}", joined(&|i| format!("x{i}"))),
        format!(
            "net m {{ {inputs} output y = {} }} {train}",
            joined(&|i| format!("(x{i} |> dense(3) |> tanh)"))
        ),
        format!(
            "net m {{ {inputs} layer f(a) = a |> dense(3) |> tanh  output y = {} }} {train}",
            joined(&|i| format!("f(x{i})"))
        ),
        format!(
            "net m {{ input x: [N, 3]  h = x |> dense(3)  output y = h\n {} }} {train}",
            list(&|i| format!("output y{i} = h * {i}.5\n"))
        ),
        format!(
            "net m {{ input x: [N, 3] {} output y = x * ({}) }} {train}",
            list(&|i| format!("param p{i}: [3]\n")),
            joined(&|i| format!("p{i}"))
        ),
        format!(
            "net m {{ input x: [N, 3]  output y = x |> dense(3) }}
             train {{ target t: [N, 3]  loss = mse(y, t)  optimizer = sgd {} }}",
            list(&|i| format!("metric mse(y * {}, t * {i})\n", i + 2))
        ),
        format!(
            "net m {{ input x: [N, 3]  output y = x |> dense(3) }}
             train {{ {} loss = {}  optimizer = sgd }}",
            list(&|i| format!("target t{i}: i32[N]\n")),
            joined(&|i| format!("cross_entropy(y, t{i})"))
        ),
        format!(
            "net m {{ input x: [N, 3]  param p: [5]  a = {}  output y = x + a }}",
            joined(&|i| format!("mean(tanh(p * {i}.25))"))
        ),
    ]
}

#[test]
fn any_number_of_anything_is_verified() {
    let limits = [MAX_LOADS, MAX_STORES].into_iter().flat_map(|n| [n - 1, n, n + 1]);
    for count in limits.chain([1, 2, 31, 32, 33, 71, 130, 300]) {
        for source in counted(count) {
            for weights in Precision::ALL {
                let options = Options { weights, ..Options::default() };
                let result = compiled(&source, &options);
                assert!(result.is_ok(), "{result:?}\n{source}");
            }
        }
    }
}

#[test]
fn parameters_that_would_have_one_name_are_told() {
    let source = "block inner(x) { a = x |> dense(1)  return a + x }
        block outer(x) { a = x |> inner  return a |> inner }
        block both(x) { a = x |> outer  return a |> outer }
        net m { input x: [N, 1]  output y = x |> both }";
    assert_eq!(codes(source), ["duplicate-name"]);
    let source = source.replace("a = x |> inner  return a", "b = x |> inner  return b");
    let source = source.replace("a = x |> outer  return a", "c = x |> outer  return c");
    assert_eq!(codes(&source), [""; 0]);
}
