//! What other tools call the things of this language: Keras, PyTorch, scikit-learn and optax.
//!
//! A message about an unknown name looks here. Names are compared without case and underscores, so
//! that `LayerNorm` needs no line. An alias means the same thing up to its arguments.

/// A name of the language, and what it is called elsewhere.
pub const ALIASES: &[(&str, &[&str])] = &[
    // Layers.
    ("avg_pool2d", &["averagepooling2d"]),
    ("batch_norm", &["batchnorm1d", "batchnormalization"]),
    ("concat", &["cat", "concatenate"]),
    ("dense", &["linear", "fullyconnected"]),
    ("embedding", &["embed"]),
    ("layer_norm", &["layernormalization"]),
    ("max_pool2d", &["maxpooling2d"]),
    // Columns of tables.
    ("fill", &["simpleimputer", "fillna"]),
    ("min_max", &["minmaxscaler"]),
    ("one_hot", &["onehotencoder"]),
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
    ("mae", &["l1loss", "meanabsoluteerror"]),
    ("mape", &["meanabsolutepercentageerror"]),
    ("mse", &["mseloss", "meansquarederror"]),
    ("nll", &["nllloss"]),
    ("precision", &["precisionscore"]),
    ("r2", &["r2score"]),
    ("recall", &["recallscore"]),
    ("rmse", &["rootmeansquarederror"]),
    ("smooth_l1", &["smoothl1loss"]),
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
    // Arguments.
    ("beta1", &["b1"]),
    ("beta2", &["b2"]),
    ("bias", &["usebias"]),
    ("eps", &["epsilon"]),
    ("init", &["kernelinitializer"]),
    ("lr", &["learningrate"]),
    ("n", &["units", "outfeatures", "features"]),
    ("p", &["rate"]),
    // Settings.
    ("batch", &["batchsize"]),
    ("clip_norm", &["globalclipnorm", "maxgradnorm"]),
    ("early_stop", &["earlystopping"]),
    ("epochs", &["numepochs", "maxepochs"]),
    ("seed", &["randomstate", "randomseed"]),
    ("valid", &["validationsplit", "validationfraction"]),
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

/// Whether a name is written for one of the language: in another spelling, or that of another tool.
pub fn is_for(written: &str, name: &str) -> bool {
    let plain = plain(written);
    let known = ALIASES.iter().filter(|(own, _)| *own == name);
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
