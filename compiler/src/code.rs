//! The codes of messages: each kind of mistake has a stable name, in this one list, and a text in
//! the folder explain/ of the same name.

use std::fmt;

macro_rules! codes {
    ($($code:ident = $name:literal,)*) => {
        /// The kind of a mistake.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $name] $code,)*
        }

        impl Code {
            /// Every code, in the order of the alphabet.
            pub const ALL: &[Code] = &[$(Code::$code),*];

            /// The name in messages.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Code::$code => $name,)*
                }
            }

            /// What it means, as Markdown: a line, more about it, and mostly an example that shows
            /// it and the same with its cure. Rows for an example stand behind it as `csv`; the
            /// line `...` stands for many more rows like those before it.
            pub const fn explanation(self) -> &'static str {
                match self {
                    $(Code::$code => include_str!(concat!("explain/", $name, ".md")),)*
                }
            }
        }
    };
}

codes! {
    BadColumns = "bad-columns",
    BadDomain = "bad-domain",
    BadShape = "bad-shape",
    BadValue = "bad-value",
    BatchAsNumber = "batch-as-number",
    BatchOfOne = "batch-of-one",
    BrokenProgram = "broken-program",
    ClassMismatch = "class-mismatch",
    ClassWithoutRows = "class-without-rows",
    ConflictingSettings = "conflicting-settings",
    ConstantPrediction = "constant-prediction",
    CopiedRows = "copied-rows",
    CrossesRows = "crosses-rows",
    DeadUnits = "dead-units",
    DiffersInTraining = "differs-in-training",
    Diverged = "diverged",
    DuplicateLimit = "duplicate-limit",
    DuplicateName = "duplicate-name",
    DuplicateOptimizer = "duplicate-optimizer",
    DuplicateSection = "duplicate-section",
    DuplicateSetting = "duplicate-setting",
    ForeignFile = "foreign-file",
    ForeignSyntax = "foreign-syntax",
    HiddenCharacter = "hidden-character",
    LogitsForProbabilities = "logits-for-probabilities",
    MalformedNumber = "malformed-number",
    MisplacedStatement = "misplaced-statement",
    MissingArguments = "missing-arguments",
    MissingLoss = "missing-loss",
    MissingNet = "missing-net",
    MissingOptimizer = "missing-optimizer",
    MissingOutput = "missing-output",
    MissingReturn = "missing-return",
    MissingValue = "missing-value",
    MixedReductions = "mixed-reductions",
    MovedMomentum = "moved-momentum",
    NameTooLong = "name-too-long",
    NesterovDampening = "nesterov-dampening",
    NestingTooDeep = "nesting-too-deep",
    NoDecay = "no-decay",
    NoMomentum = "no-momentum",
    NotFitted = "not-fitted",
    NotTrained = "not-trained",
    NotYet = "not-yet",
    NothingToTrain = "nothing-to-train",
    NumberTooLarge = "number-too-large",
    OneClass = "one-class",
    OutputShape = "output-shape",
    OutputType = "output-type",
    OverMemoryLimit = "over-memory-limit",
    RecursiveCall = "recursive-call",
    ReluInit = "relu-init",
    ReservedName = "reserved-name",
    RpropOrder = "rprop-order",
    Saturated = "saturated",
    ShapeMismatch = "shape-mismatch",
    SigmoidBeforeBceLogits = "sigmoid-before-bce-logits",
    SoftmaxBeforeCrossEntropy = "softmax-before-cross-entropy",
    SourceTooLarge = "source-too-large",
    TargetAmongInputs = "target-among-inputs",
    TooManyErrors = "too-many-errors",
    TooManyNodes = "too-many-nodes",
    TooManyOperations = "too-many-operations",
    TooManyOptimizers = "too-many-optimizers",
    TypeMismatch = "type-mismatch",
    UnclosedBracket = "unclosed-bracket",
    UnevenClasses = "uneven-classes",
    UnexpectedToken = "unexpected-token",
    UnknownArgument = "unknown-argument",
    UnknownCharacter = "unknown-character",
    UnknownClasses = "unknown-classes",
    UnknownEscape = "unknown-escape",
    UnknownFunction = "unknown-function",
    UnknownKey = "unknown-key",
    UnknownName = "unknown-name",
    UnknownStatement = "unknown-statement",
    UnknownUnit = "unknown-unit",
    UnmatchedBracket = "unmatched-bracket",
    UnnamedValue = "unnamed-value",
    UnscaledInput = "unscaled-input",
    UnterminatedString = "unterminated-string",
    Unused = "unused",
    Usage = "usage",
    UsedBeforeDefinition = "used-before-definition",
    ValueTooLarge = "value-too-large",
    VanishingGradient = "vanishing-gradient",
    WrongArgument = "wrong-argument",
    WrongPlace = "wrong-place",
}

impl Code {
    /// What it means, in one line.
    pub fn summary(self) -> &'static str {
        self.explanation().lines().next().unwrap_or_default()
    }

    /// The code of this name.
    pub fn named(name: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.name() == name)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
