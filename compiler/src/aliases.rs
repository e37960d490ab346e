//! What other tools call the things of this language: Keras, PyTorch, scikit-learn and optax.
//!
//! A message about an unknown name looks here. Names are compared without case and underscores, so
//! that `LayerNorm` needs no line. An alias means the same thing up to its arguments.

/// A name of the language, and what it is called elsewhere.
pub const ALIASES: &[(&str, &[&str])] = &[
    // Layers.
    ("avg_pool2d", &["averagepooling2d"]),
    ("batch_norm", &["batchnorm1d", "batchnormalization"]),
    ("concat", &["cat", "concatenate", "hstack"]),
    ("dense", &["linear", "fullyconnected"]),
    ("embedding", &["embed"]),
    ("layer_norm", &["layernormalization"]),
    ("max_pool2d", &["maxpooling2d"]),
    ("reshape", &["view", "unflatten"]),
    ("slice", &["narrow"]),
    // Columns of tables.
    ("clip", &["clamp", "clipbyvalue"]),
    ("fill", &["simpleimputer", "fillna"]),
    ("is_missing", &["isnan", "isna", "isnull"]),
    ("min_max", &["minmaxscaler"]),
    ("one_hot", &["onehotencoder", "getdummies"]),
    ("standardize", &["standardscaler"]),
    // Activations.
    ("sigmoid", &["expit", "logistic"]),
    ("silu", &["swish"]),
    // Losses and metrics.
    ("accuracy", &["accuracyscore"]),
    ("auc", &["rocaucscore"]),
    ("balanced_accuracy", &["balancedaccuracyscore"]),
    ("bce", &["binarycrossentropy", "bceloss"]),
    ("bce_logits", &["bcewithlogitsloss", "sigmoidbinarycrossentropy"]),
    (
        "cross_entropy",
        &[
            "crossentropyloss",
            "categoricalcrossentropy",
            "sparsecategoricalcrossentropy",
            "softmaxcrossentropy",
            "softmaxcrossentropywithintegerlabels",
        ],
    ),
    ("f1", &["f1score"]),
    ("huber", &["huberloss"]),
    ("hinge_embedding", &["hingeembeddingloss"]),
    ("kl_div", &["kldivloss", "kldivergence"]),
    ("mae", &["l1loss", "meanabsoluteerror"]),
    ("mean", &["reducemean", "average"]),
    ("mape", &["meanabsolutepercentageerror"]),
    ("mse", &["mseloss", "meansquarederror"]),
    ("nll", &["nllloss"]),
    ("poisson_nll", &["poissonnllloss"]),
    ("precision", &["precisionscore"]),
    ("r2", &["r2score"]),
    ("recall", &["recallscore"]),
    ("rmse", &["rootmeansquarederror"]),
    ("smooth_l1", &["smoothl1loss"]),
    ("sum", &["reducesum"]),
    ("top_k", &["topkaccuracyscore"]),
    // Initial values.
    ("glorot", &["xavier", "xavieruniform", "glorotuniform"]),
    ("glorot_normal", &["xaviernormal"]),
    ("he", &["kaiming", "kaiminguniform", "heuniform"]),
    ("he_normal", &["kaimingnormal"]),
    ("lecun", &["lecununiform"]),
    ("normal", &["randomnormal"]),
    ("uniform", &["randomuniform"]),
    // Schedules.
    ("cosine", &["cosineannealinglr", "cosinedecay", "cosinedecayschedule"]),
    ("cosine_restarts", &["cosineannealingwarmrestarts", "cosinedecayrestarts"]),
    ("exponential", &["exponentiallr", "exponentialdecay"]),
    ("multistep", &["multisteplr"]),
    ("one_cycle", &["onecyclelr"]),
    ("polynomial", &["polynomiallr", "polynomialdecay"]),
    ("reduce_on_plateau", &["reducelronplateau"]),
    ("step", &["steplr"]),
    // Settings.
    ("accumulate", &["accumulategradbatches", "accumulationsteps", "gradientaccumulationsteps"]),
    ("batch", &["batchsize"]),
    ("clip_norm", &["clipgradnorm", "globalclipnorm", "gradientclipval", "maxgradnorm"]),
    ("clip_value", &["clipgradvalue"]),
    ("early_stop", &["earlystopping"]),
    ("epochs", &["numepochs", "maxepochs", "maxiter", "nepochs", "niter"]),
    ("loss", &["criterion", "lossfn", "lossfunction", "objective"]),
    ("seed", &["randomstate", "randomseed"]),
    ("valid", &["testsize", "validationfraction", "validationsplit", "validsize", "valsplit"]),
];

/// The same of arguments.
pub const ARGUMENTS: &[(&str, &[&str])] = &[
    ("beta1", &["b1"]),
    ("beta2", &["b2"]),
    ("bias", &["usebias"]),
    ("class_weight", &["classweights"]),
    ("eps", &["epsilon"]),
    ("init", &["kernelinitializer"]),
    ("lr", &["learningrate"]),
    ("n", &["units", "outfeatures", "features"]),
    ("p", &["rate"]),
];

/// Modules of other tools, whose functions stand alone here.
pub const MODULES: &[&str] = &[
    "F",
    "K",
    "activations",
    "flax",
    "jax",
    "jnp",
    "keras",
    "layers",
    "losses",
    "nn",
    "nnx",
    "np",
    "optax",
    "optim",
    "optimizers",
    "tf",
    "torch",
];

/// What people write who think of another tool, and what is written here where that is more than
/// another name.
pub const NOTES: &[(&[&str], &str)] = &[
    // In place of functions.
    (&["add"], "write `a + b`"),
    (&["subtract", "sub"], "write `a - b`"),
    (&["multiply", "mul"], "write `a * b`"),
    (&["divide", "div"], "write `a / b`"),
    (&["neg", "negative"], "write `-x`"),
    (&["bmm", "dot", "einsum", "matmul", "mm"], "the product of matrices is `x @ w`"),
    (&["pow", "power", "square"], "multiply the value with itself: `x * x`"),
    (&["identity"], "leave it out: a value stays as it is"),
    (&["input", "inputlayer"], "an input is a statement: `input x: [N, 4]`"),
    (&["sequential"], "layers follow each other in a pipe: `x |> dense(8) |> relu`"),
    (&["lambda", "module"], "name values in statements, or write `block f(x) { return relu(x) }`"),
    (
        &["normalization", "normalize"],
        "columns of a table go through `standardize(x)`, values in the net through `layer_norm(x)`",
    ),
    (&["groupnorm", "instancenorm1d"], "there is `layer_norm(x)`, for all of a row"),
    (&["squeeze", "unsqueeze", "expanddims"], "write `reshape(x, [4, 1])`"),
    (&["split", "chunk"], "a part of each row is `slice(x, from: 0, to: 2)`"),
    (
        &["transpose", "permute", "swapaxes"],
        "no value is transposed; a row is cut by `slice` and joined by `concat`",
    ),
    (&["relun", "hardtanh"], "write `clip(x, -1, 1)`"),
    (&["weightdecay"], "write `l2(h.w) = 1e-3` inside `train`, or `adamw(weight_decay: 0.01)`"),
    (
        &["kernelregularizer", "biasregularizer", "regularizer"],
        "write `l2(h.w) = 1e-3` inside `train`, by the names of the parameters",
    ),
    (
        &[
            "attention",
            "bidirectional",
            "gru",
            "grucell",
            "lstm",
            "lstmcell",
            "multiheadattention",
            "rnn",
            "simplernn",
            "transformer",
            "transformerencoder",
            "transformerencoderlayer",
        ],
        "PyTorch and JAX are made for layers over sequences, and this language is not",
    ),
    (
        &["conv2dtranspose", "conv3d", "convtranspose2d", "depthwiseconv2d"],
        "PyTorch and JAX are made for such convolutions, and this language is not",
    ),
    // In place of arguments.
    (&["axis", "dim"], "leave it out: functions work along the last dimension"),
    // In place of settings.
    (
        &[
            "learningrateschedule",
            "lrscheduler",
            "lrschedule",
            "schedule",
            "scheduler",
            "decayrate",
        ],
        "a schedule is the rate of the optimizer: `optimizer = adam(lr: cosine(0.01))`",
    ),
    (&["optim", "solver"], "write `optimizer = adam(lr: 0.01)`"),
    (
        &["earlystop", "earlystopping", "mindelta", "niternochange", "patience"],
        "write `stop = early_stop(patience: 10)`",
    ),
    (
        &["callbacks"],
        "a run ends early by `stop = early_stop(patience: 10)`, and keeps its best weights by \
            `keep = best`",
    ),
    (
        &[
            "checkpoint",
            "loadbestmodelatend",
            "modelcheckpoint",
            "restorebestweights",
            "savebest",
            "savebestonly",
        ],
        "write `keep = best`",
    ),
    (&["metrics", "scoring"], "write a line for each: `metric accuracy(y, t)`"),
    (
        &["device", "cuda", "gpu"],
        "a net runs on the CPU: leave it out; `--threads 4` is for the command line",
    ),
    (&["numworkers", "njobs", "threads"], "leave it out; `--threads 4` is for the command line"),
    (&["verbose", "logging"], "leave it out; `--quiet` and `--verbose` are for the command line"),
    (
        &["csv", "data", "dataset", "path"],
        "leave it out; the table is named on the command line: `--data rows.csv`",
    ),
    (
        &["validationdata", "evalset"],
        "write `valid = 0.2` for a part of the rows; `arenet eval` takes other tables",
    ),
];

/// What the batch is called elsewhere, where a size is expected.
const BATCH: &[&str] = &["b", "batch", "batchdim", "batchsize", "bs", "none"];

/// What is written for it here.
const BATCH_NOTE: &str = "the batch is written `N`: `[N, 4]`";

/// Whether a name is written for one of the language: in another spelling, or that of another tool.
pub fn is_for(written: &str, name: &str) -> bool {
    let plain = plain(written);
    let known = ALIASES.iter().chain(ARGUMENTS).filter(|(own, _)| *own == name);
    plain == self::plain(name) || known.flat_map(|(_, aliases)| *aliases).any(|a| *a == plain)
}

/// Whether it is written for that name as another tool has it, and not only in another spelling.
pub fn is_other_word(written: &str, name: &str) -> bool {
    is_for(written, name) && plain(written) != plain(name)
}

/// A name without case and underscores.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| *c != '_');
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

/// What is written here instead of a name of another tool.
pub fn note(written: &str) -> Option<&'static str> {
    let plain = plain(written);
    NOTES.iter().find(|(names, _)| names.contains(&plain.as_str())).map(|(_, note)| *note)
}

/// What is written here instead of a size that is open.
pub fn note_of_size(written: &str) -> Option<&'static str> {
    BATCH.contains(&plain(written).as_str()).then_some(BATCH_NOTE)
}

/// Whether a text is one of those that tell a name of another tool.
pub fn is_note(text: &str) -> bool {
    text == BATCH_NOTE || NOTES.iter().any(|(_, note)| *note == text)
}

/// The name of an argument that is written for `written`.
pub fn argument(written: &str) -> Option<&'static str> {
    let plain = plain(written);
    ARGUMENTS.iter().find(|(_, aliases)| aliases.contains(&plain.as_str())).map(|(own, _)| *own)
}
