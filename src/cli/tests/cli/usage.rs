//! Mistakes on the command line, exit code 2, and the help.

use crate::common::{Folder, model};
use pretty_assertions::assert_eq;

#[test]
fn every_command_explains_itself_with_an_example() {
    let folder = Folder::new("help");
    let commands = [
        "new",
        "train",
        "eval",
        "predict",
        "check",
        "explain",
        "show",
        "compile",
        "gradcheck",
        "bench",
        "profile",
        "cpu",
        "fmt",
        "lsp",
        "completions",
        "man",
    ];
    for command in commands {
        let done = folder.ok(&format!("{command} --help"));
        let example = format!("Example: arenet {command}");
        assert!(done.out.contains(&example), "{}", done.out);
        assert_eq!(done.err, "");
    }
    for args in commands.iter().flat_map(|name| [format!("help {name}"), format!("{name} -h")]) {
        let wide = |line: &&str| line.chars().count() > 80;
        assert_eq!(folder.ok(&args).out.lines().find(wide), None, "{args}");
    }
    let done = folder.ok("--help");
    assert!(commands.iter().all(|command| done.out.contains(command)));
    assert!(folder.ok("--version").out.starts_with("arenet "));
}

/// What every command takes stands on the first page, and no other.
#[test]
fn global_options_are_explained_once() {
    let folder = Folder::new("help-global");
    assert!(folder.ok("help").out.contains("--max-memory"));
    for page in ["help train", "train --help"] {
        let page = folder.ok(page).out;
        assert!(!page.contains("--max-memory") && page.contains("arenet help"), "{page}");
    }
    let told = "error: unexpected argument '--thread' found\n\n  \
                tip: a similar argument exists: '--threads'\n\nUsage: arenet cpu\n\n\
                For more information, try '--help'.";
    folder.fails("cpu --thread 1", 2, told);
}

/// The reference is that of docs/language.md, which a test of the compiler compares with the lists.
#[test]
fn the_language_is_explained_by_name() {
    let folder = Folder::new("help-language");
    let expected = "losses, as in `loss = mse(y, t)`\n\n  mse(y, t, reduction:, weight:)\n      \
         (y - t)²\n\nAll of them: arenet help losses\n";
    assert_eq!(folder.ok("help mse").out, expected);
    let reference = std::fs::read_to_string(model("../docs/language.md")).unwrap();
    let all = folder.ok("help language").out;
    assert!(!folder.ok("help functions").out.contains("freeze h"));
    assert_eq!(all.lines().find(|line| line.chars().count() > 80), None);
    for name in ["dense", "gelu", "adamw", "cosine", "glorot", "accumulate", "early_stop", "freeze"]
    {
        let text = folder.ok(&format!("help {name}")).out;
        let row = reference.lines().find(|line| line.starts_with(&format!("| `{name}"))).unwrap();
        let about = row.split_once("` | ").unwrap().1.trim_end_matches(" |");
        let words = |text: &str| text.split_whitespace().map(String::from).collect::<Vec<_>>();
        let found = words(&text);
        let about = words(about);
        assert!(found.windows(about.len()).any(|window| window == about), "{text}");
        assert!(words(&all).windows(about.len()).any(|window| window == about), "{name}");
    }
    assert!(folder.ok("help optimizers").out.contains("  adam(lr, "));
}

/// Every word that the language gives a meaning is explained, be it a command too.
#[test]
fn each_word_of_the_language_has_help() {
    let folder = Folder::new("help-words");
    for (word, said) in [
        ("freeze", "  freeze h, y.w\n"),
        ("const", "  const H = 16\n"),
        ("train", "  train { ... }\n"),
        ("in", "  in 1..4\n"),
        ("missing", "  missing: [\"-9\"]\n"),
        ("operators", "the tightest first\n"),
        ("types", "  i32[N]\n"),
        ("settings", "  epochs = 10\n"),
        ("warmup", "`warmup: n` lets it grow"),
        ("balanced", "`class_weight: balanced` counts them in"),
        ("by", "  valid = 0.2, by: last\n"),
        ("full", "  batch = 32\n"),
    ] {
        let page = folder.ok(&format!("help {word}")).out;
        assert!(page.contains(said), "{page}");
    }
    assert!(folder.ok("help train").out.contains("Usage: arenet train"));
}

/// Names of other tools are told as they are called here, and others as unknown.
#[test]
fn names_of_other_tools_have_help() {
    let folder = Folder::new("help-foreign");
    let linear = folder.ok("help Linear").out;
    assert!(linear.starts_with("`Linear` is called `dense` here.\n\nlayers, as in"), "{linear}");
    assert!(folder.ok("help learning_rate").out.contains("`lr` is a number or a schedule"));
    let lstm = "The language has no `LSTM`: PyTorch and JAX are made for layers ";
    assert!(folder.ok("help LSTM").out.starts_with(lstm));
    let fit = "The command `fit` is called `train` here: arenet help train\n";
    assert_eq!(folder.ok("help fit").out, fit);
    let told = |name: &str, help: &str| {
        let text = format!("error: no command and no name of the language is called \"{name}\"");
        folder.fails(&format!("help {name}"), 2, &format!("{text}\nhelp: {help}"));
    };
    told("frezee", "did you mean `freeze`?");
    told("trian", "did you mean `train`?");
    told("nosuch", "`arenet help` lists the commands, `arenet help language` the language");
}

#[test]
fn rows_in_a_wrong_place_are_told_theirs() {
    let folder = Folder::small("stray-rows");
    folder.fails(
        "train small.net small.csv",
        2,
        "error: \"small.csv\" stands where no argument does\n\
         help: rows are named by --data small.csv",
    );
    folder.fails(
        "train small.net --valid 0.3",
        2,
        "error: --valid names a table of rows, and 0.3 is none\n\
         help: to hold a share out, write `valid = 0.3` in the section `train`",
    );
}

/// A command is proposed by what it does, not by its letters: `fmt` rewrites the file that
/// `arenet fit m.net` would train.
#[test]
fn commands_of_other_tools_are_told_as_they_are_called_here() {
    let folder = Folder::new("foreign-commands");
    let told = |args: &str, help: &str| {
        let name = args.split(' ').next().unwrap();
        let text = format!("error: there is no command \"{name}\"\nhelp: {help}");
        folder.fails(args, 2, &text);
    };
    for (other, own) in
        [("fit", "train"), ("score", "eval"), ("infer", "predict"), ("lint", "check")]
    {
        told(&format!("{other} m.net"), &format!("it is called `{own}` here: `arenet help {own}`"));
    }
    told("trian m.net", "did you mean `train`?");
    told("fnt m.net", "`arenet help` lists the commands");
    told("m.net", "a command stands before the model: `arenet check m.net`");
    told("dropout", "`arenet help dropout` explains this word of the language");
}

#[test]
fn shells_and_manuals_are_told_every_command() {
    let folder = Folder::new("help-written");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = folder.ok(&format!("completions {shell}")).out;
        assert!(script.contains("gradcheck") && script.contains("max-memory"), "{shell}");
    }
    folder.ok("man pages");
    for page in ["arenet", "arenet-train", "arenet-new"] {
        let text = folder.text(&format!("pages/{page}.1"));
        assert!(text.contains(&format!(".TH {page} 1")), "{text}");
    }
    folder.write("file", "");
    let done = folder.run("man file");
    assert!(done.code == 3 && done.err.contains("help: "), "{done:?}");
}

#[test]
fn mistakes_on_the_command_line_exit_with_2() {
    let folder = Folder::small("usage");
    for args in [
        "",
        "trian small.net",
        "train",
        "train small.net --epochs 0",
        "train small.net --epochs many",
        "train small.net --batch none",
        "train small.net --lr -1",
        "train small.net --init a --resume b",
        "train small.net --columns nothing",
        "train small.net -q -v",
        "check small.net --isa sse",
        "check small.net --threads 0",
        "check small.net --max-memory much",
        "check small.net --set H",
        "predict small.net --format xml",
        "show small.net --ir soup",
        "bench small.net --seconds 0",
    ] {
        let done = folder.run(args);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{args}");
        assert!(!done.err.is_empty(), "{args}");
    }
    // A rate of 0 is one, here as in the text of a model.
    folder.ok("train small.net -q --lr 0");
    let done = folder.run("train small.net --lr 1e39");
    assert!(done.err.contains("must be from 0 to 3.4028235e38"), "{}", done.err);
    let done = folder.run("trian small.net");
    assert!(done.err.contains("`train`"), "it proposes the command: {}", done.err);
}

#[test]
fn a_compiled_program_is_as_it_is() {
    let folder = Folder::small("fixed");
    folder.ok("compile small.net");
    let fixed = |what: &str, option: &str| {
        format!(
            "error: small.netc: {option} cannot change a compiled program\n\
             help: its {what} were fixed when it was compiled"
        )
    };
    folder.fails("train small.netc --batch 4", 2, &fixed("rows", "--batch"));
    folder.fails("show small.netc --batch 4", 2, &fixed("rows", "--batch"));
    folder.fails("bench small.netc --batch 4", 2, &fixed("rows", "--batch"));
    folder.fails("profile small.netc --batch 4", 2, &fixed("rows", "--batch"));
    folder.fails("check small.netc --set H=2", 2, &fixed("constants", "--set"));
    folder.fails("compile small.netc", 2, "error: small.netc: is compiled already");
    folder.fails(
        "gradcheck small.netc",
        2,
        "error: small.netc: a compiled program has no formulas to check\n\
         help: give the .net file",
    );
}

#[test]
fn constants_can_be_set() {
    let folder = Folder::small("set");
    assert!(folder.ok("check small.net").out.contains("17 parameters"));
    assert!(folder.ok("check small.net --set H=2").out.contains("9 parameters"));
    let done = folder.run("check small.net --set K=2");
    assert_eq!(done.code, 1, "{}", done.err);
}

/// What is no part of this build says how to get it.
#[cfg(not(feature = "lsp"))]
#[test]
fn a_command_that_is_left_out_says_how_to_get_it() {
    let told = "error: this command was built without the language server\n\
                help: build it with `cargo install --path src/cli --features lsp`";
    Folder::new("usage-lsp").fails("lsp", 2, told);
}

#[test]
fn codes_are_explained() {
    let folder = Folder::new("explain");
    let all = folder.ok("explain").out;
    let line =
        "unknown-function              A function is called that the language does not have.";
    assert!(all.lines().any(|other| other == line), "{all}");
    let text = folder.ok("explain unknown-function").out;
    assert!(text.starts_with("A function is called that the language does not have.\n\nIt may "));
    let net = "\n\n    net m {\n        input x: [N, 4]\n";
    let told = format!("This is told:{net}");
    assert!(text.contains(&told) && text.contains(&format!("This is right:{net}")), "{text}");
    assert!(text.contains(net) && !text.contains("```"), "{text}");
    // A code is known in its brackets too, and all of an explanation fits.
    for line in all.lines() {
        let code = line.split(' ').next().unwrap();
        let text = folder.ok(&format!("explain [{code}]")).out;
        assert_eq!(text.lines().find(|line| line.chars().count() > 80), None);
    }
    let wrong = "error: no message has the code \"unknown-funktion\"\n\
                 help: did you mean `unknown-function`?";
    folder.fails("explain unknown-funktion", 2, wrong);
    let wrong = "error: no message has the code \"E0308\"\n\
                 help: `arenet explain` lists all of them";
    folder.fails("explain E0308", 2, wrong);
}
