//! The forms of the language that are no calls, as the reference has them: statements, types, what
//! stands behind a type, operators. Each is written as an example, which a test compiles.

/// A form of the language.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// The word or sign that makes it.
    pub name: &'static str,
    /// An example of it.
    pub example: &'static str,
    /// What it is.
    pub about: &'static str,
}

/// Forms that stand in the same places.
#[derive(Clone, Copy, Debug)]
pub struct Forms {
    /// What they are called together.
    pub name: &'static str,
    /// Where they stand.
    pub place: &'static str,
    /// These.
    pub forms: &'static [Form],
}

const fn form(name: &'static str, example: &'static str, about: &'static str) -> Form {
    Form { name, example, about }
}

/// All forms, in the order of the reference.
pub const FORMS: [Forms; 7] = [
    Forms { name: "statements", place: "at the top of a file", forms: TOP },
    Forms { name: "statements", place: "inside `net`", forms: NET },
    Forms { name: "statements", place: "inside `train`", forms: TRAIN },
    Forms { name: "statements", place: "inside `block`", forms: BLOCK },
    Forms { name: "operators", place: "the tightest first", forms: OPERATORS },
    Forms { name: "types", place: "as in `input x: [N, 4]`", forms: TYPES },
    Forms { name: "inputs", place: "and targets, behind their types", forms: CLAUSES },
];

const TOP: &[Form] = &[
    form(
        "const",
        "const H = 16",
        "a number with a name, for sizes and arithmetic; `--set H=32` of a command gives it \
            another value",
    ),
    form(
        "net",
        "net m { ... }",
        "the network, one a file: what comes in, what is made of it, what goes out",
    ),
    form(
        "train",
        "train { ... }",
        "how the network is trained, at most one a file; without it a net only \
            predicts",
    ),
    form(
        "block",
        "block twice(x) { ... return x }",
        "a part for several uses, each with parameters of its own; it sees its arguments and \
            constants, and nothing of the net",
    ),
];

const NET: &[Form] = &[
    form("input", "input x: [N, 4]", "what comes in: a name and a type"),
    form(
        "name",
        "h = x |> dense(8) |> relu",
        "a value with a name, for the statements below it; a name is given once, so write \
            `x |> f |> g`, or another name for the next value",
    ),
    form(
        "output",
        "output y = h |> dense(2)",
        "a value that predictions show and losses compare; `output h` shows one that has its name",
    ),
    form(
        "param",
        "param w: [4, 8] = glorot()",
        "a parameter of your own, as in `x @ w`; without `=` a matrix starts as `glorot()`, and \
            a vector as `zeros()`",
    ),
    form(
        "layer",
        "layer f(a) = a |> dense(8) |> relu",
        "a layer whose calls, `f(x)` or `x |> f`, share its parameters; it sees what the net \
            has above it",
    ),
    form(
        "freeze",
        "freeze h, y.w",
        "these stay as they are in training: all parameters of a statement or a layer, or one by \
            its name; above or below what it names",
    ),
    form(
        "limit",
        "limit memory = 64 MiB",
        "the most memory that the program may take, or it is not compiled; in B, KB, MB, GB, \
            KiB, MiB or GiB",
    ),
];

const TRAIN: &[Form] = &[
    form(
        "target",
        "target t: [N, 2]",
        "what outputs are compared with: a name and a type; the same table has it",
    ),
    form(
        "metric",
        "metric mae(y, t)",
        "a figure that is shown beside the loss; as many as you like",
    ),
    form(
        "optimizer",
        "optimizer = adam(lr: 0.01)",
        "how the parameters change; `adam` alone takes its defaults",
    ),
    form(
        "optimizer",
        "optimizer(h, y.w) = sgd(lr: 0.1)",
        "the same for these alone, which are named as for `freeze`",
    ),
    form("setting", "epochs = 20", "a setting, each once and in any order"),
];

const BLOCK: &[Form] = &[
    form("name", "h = x |> dense(8) |> relu", "a value with a name, as inside `net`"),
    form("return", "return h |> dense(8)", "what a call of the block gives; its last statement"),
];

const OPERATORS: &[Form] = &[
    form("(", "(a + b) * c", "what stands in parentheses belongs together"),
    form(
        ".",
        "h.w",
        "the parameter `w` of the statement `h`; of several layers in it `h.0.w` and `h.1.w`, and \
            in a block `h.a.w`",
    ),
    form("-", "-a", "minus a"),
    form(
        "*",
        "a * b / c",
        "product and quotient, element by element, from the left; sizes agree or are 1, aligned \
            at their ends, as in NumPy: [N, 4] and [4]",
    ),
    form("@", "x @ w", "the matrix product, as tight as `*`: [N, 4] and [4, 8] give [N, 8]"),
    form("+", "a + b - c", "sum and difference, element by element, from the left"),
    form(
        "|>",
        "a + b |> dense(3)",
        "the pipe gives its left side as the first argument, and binds loosest: here \
            `dense(a + b, 3)`; `a + (b |> dense(3))` is the other one",
    ),
];

const TYPES: &[Form] = &[
    form(
        "N",
        "[N, 4]",
        "rows of four numbers; `N` is the batch, as many rows as there are, and comes first",
    ),
    form("N", "[N]", "a number a row"),
    form("f32", "f32[N, 4]", "numbers of 32 bits, which `[N, 4]` alone is too"),
    form("i32", "i32[N]", "a class or another whole number a row"),
    form("const", "[N, 2 * H + 1]", "a size of constants and numbers, by `+` and `*`"),
    form("param", "[4, 8]", "of a `param`, which has no N"),
];

const CLAUSES: &[Form] = &[
    form("in", "in 1..4", "the classes 1, 2 and 3 of an `i32`"),
    form(
        "in",
        "in [\"red\", \"green\"]",
        "the words of the classes; of real numbers, which the words stand for: 0 and 1",
    ),
    form(
        "from",
        "from \"body mass\"",
        "the column of the table that it takes, by its name in the header",
    ),
    form("from", "from [\"mass\", \"age\"]", "a column for each number of a row"),
    form(
        "from",
        "from [0, 2..5]",
        "the columns by their places, from 0; a range ends before its second number",
    ),
    form(
        "missing",
        "missing",
        "a field may be without a value: it is empty, or `?`, `-`, `.`, `NA`, `N/A`, `NaN`, `null` \
            or `None`, in upper or lower case",
    ),
    form("missing", "missing: [\"-9\"]", "the same, and these words mean it too"),
    form(
        "unknown",
        "unknown",
        "of classes: as `missing`, and any word that is not listed is unknown too",
    ),
];

/// The settings of `train` as they are written; what they are stands where they are set.
pub const SETTINGS: &[&str] = &[
    "loss = mse(y, t)",
    "batch = 32",
    "accumulate = 4",
    "epochs = 10",
    "seed = 0",
    "valid = 0.2, by: last",
    "shuffle = true",
    "validate = 100",
    "stop = early_stop(patience: 10)",
    "keep = best",
    "clip_norm = 1",
    "clip_value = 0.1",
    "l1(y.w) = 1e-4",
    "l2(y) = 1e-3",
    "max_norm(y.w) = 3",
];

/// The first form that a word makes.
pub fn named(name: &str) -> Option<&'static Form> {
    FORMS.iter().flat_map(|forms| forms.forms).find(|form| form.name == name)
}
