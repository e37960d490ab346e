//! What other tools call the things of the language.

use arenet_compiler::aliases::{ALIASES, ARGUMENTS, NOTES, is_for};
use arenet_compiler::layer::functions;
use arenet_compiler::lower::lower;
use arenet_compiler::syntax::parse;
use pretty_assertions::assert_eq;

/// What is told, with its help, of a name in each place where a name of the language may stand.
fn told(name: &str) -> Vec<String> {
    let net = "net m { input x: [N, 2]  output y = x |> dense(2) }";
    let train = "target t: [N, 2]  loss = mse(y, t)";
    let sources = [
        format!("net m {{ input x: [N, 2]  output y = x |> {name} }}"),
        format!("net m {{ input x: [N, 2]  output y = x |> dense(2, init: {name}) }}"),
        format!("net m {{ input x: [N, 2]  output y = x |> dense({name}: 2) }}"),
        format!("net m {{ input x: [N, 2]  output y = x |> dropout({name}: 0.5) |> dense(2) }}"),
        format!("{net} train {{ {train} optimizer = adam  metric {name}(y, t) }}"),
        format!("{net} train {{ {train} optimizer = adam  {name} = 3 }}"),
        format!("net m {{ input x: [{name}, 2]  output y = x |> dense(2) }}"),
        format!("{net} train {{ {train} optimizer = adam  stop = {name} }}"),
        format!("{net} train {{ {train} optimizer = {name} }}"),
        format!("{net} train {{ {train} optimizer = adam({name}: 0.5) }}"),
        format!("{net} train {{ {train} optimizer = adam(lr: {name}(0.1)) }}"),
        format!(
            "{net} train {{ target t: [N, 2]  loss = cross_entropy(y, t, {name}: 0.5) \
             optimizer = adam }}"
        ),
    ];
    let told = sources.iter().flat_map(|source| lower(parse(source), &[]).err());
    let texts = told.flatten().map(|found| format!("{} {:?}", found.message, found.help));
    texts.collect()
}

/// Every line of the list is a name of the language, which some place proposes for the alias; what
/// is not built is told as that.
#[test]
fn a_name_of_another_tool_is_told_as_it_is_called_here() {
    let planned: Vec<&str> =
        functions().filter(|entry| entry.built.is_none()).map(|entry| entry.name()).collect();
    let mut lost = Vec::new();
    for (own, aliases) in ALIASES.iter().chain(ARGUMENTS) {
        for alias in *aliases {
            let expected = match planned.contains(own) {
                true => format!("`{own}` is part of the language, but this version does not"),
                false => format!("`{alias}` is called `{own}` here"),
            };
            if !told(alias).iter().any(|text| text.contains(&expected)) {
                lost.push((own, alias));
            }
        }
    }
    assert_eq!(lost, []);
}

/// Every name with a note is told it where it stands for a function, a setting or an argument.
#[test]
fn a_name_that_has_no_counterpart_is_told_the_way_here() {
    let mut lost: Vec<&str> = Vec::new();
    for (names, note) in NOTES {
        let is_told = |name: &&&str| told(name).iter().any(|text| text.contains(note));
        lost.extend(names.iter().filter(|name| !is_told(name)).copied());
    }
    assert_eq!(lost, [""; 0]);
}

#[test]
fn names_are_compared_without_case_and_underscores() {
    for (written, own) in [
        ("LayerNorm", "layer_norm"),
        ("BatchNorm1d", "batch_norm"),
        ("Dense", "dense"),
        ("ReLU", "relu"),
        ("CrossEntropyLoss", "cross_entropy"),
        ("sparse_categorical_crossentropy", "cross_entropy"),
        ("mean_squared_error", "mse"),
        ("kaiming_normal", "he_normal"),
        ("xavier_uniform", "glorot"),
        ("RMSprop", "rmsprop"),
        ("AdamW", "adamw"),
        ("beta_1", "beta1"),
        ("StandardScaler", "standardize"),
        ("CosineAnnealingLR", "cosine"),
        ("validation_split", "valid"),
    ] {
        assert!(is_for(written, own), "{written}");
        let expected = format!("`{written}` is called `{own}` here");
        assert!(told(written).iter().any(|text| text.contains(&expected)), "{written}");
    }
    for planned in ["Conv2D", "MaxPooling2D", "MaxPool2d"] {
        let told = told(planned);
        assert!(told[0].contains("this version does not compile it yet"), "{}", told[0]);
        assert!(told.iter().all(|text| !text.contains("is called")), "{told:?}");
    }
}

#[test]
fn an_activation_stands_behind_its_layer() {
    let source = "net m { input x: [N, 2]  output y = x |> dense(2, activation: relu) }";
    let told = lower(parse(source), &[]).unwrap_err();
    let help = told[0].help.as_deref();
    assert_eq!(help, Some("write it behind: `x |> dense(...) |> relu`"));
}
