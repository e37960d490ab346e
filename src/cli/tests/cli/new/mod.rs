//! `arenet new`: the model that it writes for a table, what it says of the columns, the project,
//! and mistakes.

mod tables;

use crate::common::Folder;
use pretty_assertions::assert_eq;
use std::path::Path;

/// A table with columns of all kinds.
const PETS: &str = include_str!("pets.csv");

/// Compares a text with a file here, or writes it there.
fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/new").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, text).unwrap();
        return;
    }
    assert_eq!(text, std::fs::read_to_string(&path).unwrap_or_default(), "{name}");
}

/// Rows of a column of inputs and a target.
fn table(rows: usize, fields: impl Fn(usize) -> (String, String)) -> String {
    let row = |row| {
        let (input, target) = fields(row);
        format!("{input},{target}\n")
    };
    "input,target\n".to_string() + &(0..rows).map(row).collect::<String>()
}

/// The line of the report on the column `input`, with these fields.
fn line(folder: &Folder, rows: usize, field: impl Fn(usize) -> String) -> String {
    // Two classes in no order, and a column of numbers that has none of the fields' order either.
    let target = |row: usize| format!("{},{}", row * 7919 % 97, row * 7919 % 97 % 2);
    let text = table(rows, |row| (field(row), target(row)));
    folder.write("line.csv", text.replacen("target", "other,target", 1));
    let done = folder.ok("new line.csv --target target");
    folder.remove("line.net");
    let line = done.out.lines().find(|line| line.starts_with("input"));
    line.unwrap().split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_model_is_written_for_a_table() {
    let folder = Folder::new("new");
    folder.write("pets.csv", PETS);
    let done = folder.ok("new pets.csv --target adopted");
    golden("pets.txt", &done.out);
    assert_eq!(done.err, "pets.net: written; next: arenet train pets.net\n");
    golden("pets.net", &folder.text("pets.net"));
    assert!(done.out.lines().all(|line| line.chars().count() <= 80), "{}", done.out);
    let text = folder.text("pets.net");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    let check = folder.ok("check pets.net");
    assert_eq!(check.err, "", "it gives no lint");
}

#[test]
fn the_model_trains_and_takes_rows_that_are_not_like_those_of_the_table() {
    let folder = Folder::new("new_trains");
    folder.write("pets.csv", PETS);
    folder.ok("new pets.csv --target adopted -q");
    folder.ok("train pets.net -q --epochs 5");
    // Another word, and nothing where the table had numbers.
    let mut lines = PETS.lines();
    let (head, row) = (lines.next().unwrap(), lines.next().unwrap());
    let row = row.replace("guinea pig", "hamster").replace("0.9,0.23,10.64", ",NA,?");
    folder.write("new.csv", format!("{head}\n{row}\n"));
    let done = folder.ok("predict pets.net --data new.csv");
    assert_eq!(done.out.lines().count(), 2, "{}", done.out);
    assert!(!done.out.contains("NaN"), "{}", done.out);
    // A few rows, and a class of one row.
    for rows in [5, 100] {
        let class = |row: usize| if row == 3 { "b" } else { "a" }.to_string();
        folder.write("few.csv", table(rows, |row| ((row * 31 % 101).to_string(), class(row))));
        folder.ok(&format!("new few.csv --target target -o few{rows}.net"));
        folder.ok(&format!("train few{rows}.net -q --epochs 3 --data few.csv"));
    }
    // A number, whose column has no name of its own.
    folder.ok("new pets.csv --target 6 -o price.net");
    folder.ok("train price.net -q --data pets.csv");
}

#[test]
fn a_file_that_is_there_is_left_as_it_is() {
    let folder = Folder::new("new_again");
    folder.write("pets.csv", PETS);
    folder.write("pets.net", "mine");
    folder.fails(
        "new pets.csv --target adopted",
        2,
        "error: pets.net: exists already, and is left as it is\n\
         help: name another file with -o, or remove it",
    );
    assert_eq!(folder.text("pets.net"), "mine");
    folder.ok("new pets.csv --target adopted -o other.net");
    assert!(folder.text("other.net").contains("net other {"));
}

#[test]
fn columns_are_told_apart_by_what_is_in_them() {
    let folder = Folder::new("new_kinds");
    let check = |expected: &str, field: &dyn Fn(usize) -> String| {
        assert_eq!(line(&folder, 100, field), expected);
    };
    let mixed = |row: usize| row * 31 % 101;
    // Numbers.
    check("number 0 to 4 standardize", &|row| (mixed(row) % 5).to_string());
    check("number 0 to 99.5 standardize", &|row| format!("{}.5", mixed(row)).replace("100.5", "0"));
    check("number 1 to 4096 log1p", &|row| (1 << (mixed(row) / 8)).to_string());
    check("number -5000 to 100 clip, standardize", &|row| {
        if row == 50 { "-5000".to_string() } else { mixed(row).to_string() }
    });
    check("number 0 to 5 20 standardize", &|row| {
        if row % 5 == 0 { "NA".to_string() } else { (mixed(row) % 6).to_string() }
    });
    check("number 0 to 5 3 standardize", &|row| {
        if row % 40 == 0 { "none".to_string() } else { (mixed(row) % 6).to_string() }
    });
    // Words.
    check("boolean no, yes one_hot", &|row| ["no", "yes"][mixed(row) % 2].to_string());
    check("words a, b, c one_hot", &|row| ["a", "b", "c"][mixed(row) % 3].to_string());
    check("words 20: w0, w1, w11, w12, ... embedding(8)", &|row| format!("w{}", mixed(row) % 20));
    // Nothing.
    check("always the same", &|_| "1".to_string());
    check("nothing in it", &|_| "?".to_string());
    check("an id", &|row| row.to_string());
    check("most rows differ", &|row| format!("w{}", mixed(row)));
    check("free text", &|row| format!("a long sentence that is about {}", mixed(row)));
    check("dates; write numbers, such as the year", &|row| format!("2020-01-{}", row % 28 + 1));
    check("numbers with units such as % or $; write them plain", &|row| {
        format!("{}%", mixed(row) % 10)
    });
    check("the target in other words", &|row| ["no", "yes"][row * 7919 % 97 % 2].to_string());
    check("the target in other words", &|row| (row * 7919 % 97 % 2 * 3).to_string());
}

/// What the report says of the target with these values.
fn target(folder: &Folder, values: &[&str], rows: usize, args: &str) -> String {
    let text = table(rows, |row| {
        ((row * 31 % 101).to_string(), values[row * 7919 % 97 % values.len()].to_string())
    });
    folder.write("target.csv", text);
    let done = folder.ok(&format!("new target.csv --target target {args}"));
    let text = folder.text("target.net");
    folder.remove("target.net");
    let line = text.lines().find(|line| line.starts_with("    target ")).unwrap();
    let loss = text.lines().find(|line| line.starts_with("    loss = ")).unwrap();
    assert!(done.out.lines().nth(1).unwrap().starts_with("target "), "{}", done.out);
    format!("{}; {}", line.trim(), loss.trim())
}

#[test]
fn a_target_is_classes_or_a_number() {
    let folder = Folder::new("new_targets");
    let classes = "loss = cross_entropy(logits, target_2, ";
    let number = "target target_2: [N, 1] from \"target\"; loss = huber(z, standardize(target_2)";
    let check = |expected: &str, values: &[&str], args: &str| {
        let found = target(&folder, values, 300, args);
        let is_number = expected == number;
        let expected =
            if is_number { expected.to_string() } else { format!("{expected}; {classes}") };
        assert!(found.starts_with(&expected), "{values:?}: {found}");
    };
    let named = |domain: &str| format!("target target_2: i32[N] in {domain} from \"target\"");
    check(&named("[\"no\", \"yes\"]"), &["yes", "no"], "");
    check(&named("0..2"), &["0", "1"], "");
    check(&named("[\"-1\", \"1\"]"), &["-1", "1"], "");
    check(&named("1..4"), &["1", "2", "3"], "");
    // In no order, and as many of each.
    check(&named("0..7"), &["0", "1", "2", "3", "4", "5", "6"], "");
    check(&named("[\"1\", \"2\", \"10\", \"20\"]"), &["1", "2", "10", "20"], "");
    // Most are in the middle.
    check(number, &["3", "4", "5", "5", "5", "6", "6", "6", "7"], "");
    check(number, &["1.5", "2.5", "3", "4"], "");
    let many: Vec<String> = (0..40).map(|value| value.to_string()).collect();
    check(number, &many.iter().map(String::as_str).collect::<Vec<_>>(), "");
    // As it is said.
    check(&named("3..8"), &["3", "4", "5", "5", "5", "6", "6", "6", "7"], "--task classes");
    check(number, &["0", "1"], "--task number");
    // Words among numbers are missing ones.
    let mut values = vec!["1.5", "2.5", "3.5", "4.5", "5.5", "6.5", "7.5", "8.5", "9.5"];
    values.extend_from_slice(&[&values[..], &["lost"]].concat());
    let found = target(&folder, &values, 300, "");
    assert!(
        found.starts_with("target target_2: [N, 1] from \"target\" missing: [\"lost\"]"),
        "{found}"
    );
}

#[test]
fn columns_without_names_are_found_by_place() {
    let folder = Folder::new("new_places");
    let row = |row: usize| {
        format!("{},{},{},{}.5\n", row * 31 % 101, row % 7, ["a", "b"][row % 2], row * 17 % 89)
    };
    folder.write("a b.data", (0..100).map(row).collect::<String>());
    let done = folder.command(["new", "a b.data", "--target", "last"]).output().unwrap();
    let err = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(err, "a b.net: written; next: arenet train 'a b.net' --data 'a b.data'\n");
    let text = folder.text("a b.net");
    for part in [
        "net a_b {",
        "input numbers: [N, 2] from 0..2 missing",
        "input column_2: i32[N] in [\"a\", \"b\"] from 2 unknown",
        "target column_3: [N, 1] from 3",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn mistakes_about_a_table_are_told_with_a_way_out() {
    let folder = Folder::new("new_mistakes");
    let rows = |field: fn(usize) -> String| table(30, |row| (field(row), (row % 7).to_string()));
    folder.write("t.csv", rows(|row| (row % 5).to_string()));
    folder.fails(
        "new none.csv --target a",
        3,
        "error: none.csv: cannot be read: No such file or directory (os error 2)",
    );
    folder.fails(
        "new t.csv",
        2,
        "error: t.csv: nothing says which column to predict\n\
         help: name it with --target: the columns are input, target",
    );
    folder.fails(
        "new t.csv --target targte",
        3,
        "error: t.csv: there is no column \"targte\"\n\
         help: did you mean \"target\"? the columns are input, target",
    );
    folder.write("constant.csv", rows(|_| "5".to_string()));
    folder.fails(
        "new constant.csv --target input",
        3,
        "error: constant.csv: the target `input` is \"5\" in every row: there is nothing to learn\n\
         help: name another column with --target",
    );
    folder.fails(
        "new constant.csv --target target",
        3,
        "error: constant.csv: no column is left to predict `target` from: input (always the same)\n\
         help: add columns that say something about it",
    );
    folder.write("unique.csv", rows(|row| format!("w{row}")));
    folder.fails(
        "new unique.csv --target input",
        3,
        "error: unique.csv: the target `input` has another word in each row: there are no classes \
         to learn\nhelp: name another column with --target",
    );
    folder.fails(
        "new unique.csv --target input --task number",
        3,
        "error: unique.csv: the target `input` has words such as \"w0\", which are no numbers\n\
         help: leave out --task, or name another column with --target",
    );
    folder.write("missing.csv", rows(|_| "?".to_string()));
    folder.fails(
        "new missing.csv --target 0",
        3,
        "error: missing.csv: the target `input` is missing in every row\n\
         help: name another column with --target",
    );
    folder.write("empty.csv", "a,b\n");
    folder.fails(
        "new empty.csv --target a --header yes",
        3,
        "error: empty.csv: has a header but no rows\n\
         help: add rows below it, or say --header no if it is a row itself",
    );
    folder.write("one.csv", "a\n1\n2\n");
    folder.fails(
        "new one.csv --target a",
        3,
        "error: one.csv: has one column, so there is nothing to predict it from\n\
         help: a row needs columns beside its target, separated by commas, semicolons or tabs",
    );
    folder.write("book.xlsx", b"PK\x03\x04aaaaaaaaaaaaaaaaaaaaaaaaaa[Content_Types].xml");
    folder.fails(
        "new book.xlsx --target a",
        3,
        "error: book.xlsx: is a spreadsheet\nhelp: save the table as CSV in UTF-8",
    );
    let many: String = (0..3000).map(|row| format!("{},w{}\n", row, row % 1500)).collect();
    folder.write("many.csv", many);
    folder.fails(
        "new many.csv --target 1",
        3,
        "error: many.csv: the target `column 1` has 1500 values, more than 1000 classes\n\
         help: join rare ones, or name another column with --target",
    );
    folder.write("latin.csv", b"a,b\n1,caf\xe9\n2,tea\n");
    folder.fails(
        "new latin.csv --target b",
        3,
        "error: latin.csv: the target `b` is not UTF-8\n\
         help: save the table as UTF-8: iconv -f LATIN1 -t UTF-8 FILE > CSV",
    );
    folder.write(
        "long.csv",
        table(9, |row| (row.to_string(), ["x".repeat(200), "y".into()][row % 2].clone())),
    );
    folder.fails(
        "new long.csv --target target",
        3,
        "error: long.csv: the target `target` has words that cannot be classes: longer than 100 \
         characters, or unprintable\nhelp: write short words in the table",
    );
    for file in ["t.net", "constant.net", "none.net"] {
        assert!(!folder.has(file), "{file}");
    }
}

#[test]
fn a_project_has_a_model_a_table_and_a_program() {
    let folder = Folder::new("new_project");
    let done = folder.ok("new my-first");
    assert!(done.out.contains("arenet train my-first.net"), "{}", done.out);
    let text = |file: &str| folder.text(&format!("my-first/{file}"));
    assert_eq!(text("my-first.csv"), include_str!("../../../../../models/iris.csv"));
    let model = text("my-first.net");
    assert!(model.contains("net my_first {") && model.contains("R. A. Fisher"), "{model}");
    let program = text("src/main.rs");
    assert!(program.contains("include_str!(\"../my-first.net\")"), "{program}");
    assert!(!program.contains("iris.net") && !program.contains("models"), "{program}");
    assert!(text("Cargo.toml").contains("name = \"my-first\""));
    assert!(text("Cargo.toml").ends_with("[profile.dev.package.\"*\"]\nopt-level = 3\n"));
    assert_eq!(folder.ok("check my-first/my-first.net").err, "");
    let done = folder.ok("train my-first/my-first.net -q");
    assert!(done.out.contains("accuracy 9") || done.out.contains("accuracy 100"), "{}", done.out);
    folder.fails(
        "new my-first",
        2,
        "error: my-first: exists already, and is left as it is\n\
         help: choose another name, or name a table",
    );
    folder.fails(
        "new 1st",
        2,
        "error: `1st` is no name of a project, and there is no such table\n\
         help: a name has letters, digits, `-` and `_`, and begins with a letter",
    );
    folder.fails(
        "new second --task number",
        3,
        "error: second: there is no such table\n\
         help: without options of a table, `arenet new second` makes a project",
    );
    assert!(!folder.has("second"));
}

#[test]
fn numbers_may_be_written_otherwise() {
    let folder = Folder::new("new-numbers");
    let row = |i: usize| format!("{},{};1.{:03},25;{}\n", i, i % 7, i, ["low", "high"][i / 20]);
    let rows: String = (0..40).map(row).collect();
    folder.write("de.csv", format!("size;price;kind\n{rows}"));
    folder.fails(
        "new de.csv --target kind",
        3,
        "error: de.csv: no column is left to predict `kind` from: size (if they are numbers, say \
         --numbers 1.234,5), price (if they are numbers, say --numbers 1.234,5)\n\
         help: add columns that say something about it",
    );
    folder.fails(
        "new de.csv --target size",
        3,
        "error: de.csv: the target `size` has values such as \"0,0\"\n\
         help: if they are numbers, say --numbers 1.234,5, and if not: --task classes",
    );
    let done = folder.ok("new de.csv --target kind --numbers 1.234,5");
    assert!(done.err.ends_with("next: arenet train de.net --numbers 1.234,5\n"), "{}", done.err);
    assert!(done.out.contains("1000 to 1039"), "{}", done.out);
    let text = folder.text("de.net");
    assert!(text.contains("`arenet new de.csv --target kind --numbers 1.234,5`"), "{text}");
    folder.ok("train de.net --numbers 1.234,5 -q");
    // The weights know it.
    let told = folder.ok("predict de.net --data de.csv --numbers 1.234,5").out;
    assert_eq!(folder.ok("predict de.net --data de.csv").out, told);
    assert!(folder.ok("eval de.net -q").out.starts_with("accuracy "));
}
