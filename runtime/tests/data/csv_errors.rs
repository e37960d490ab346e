//! Every mistake in a table, and the exact words for it.

use arenet_runtime::data::{ColumnMap, Domain, TableSpec, read_csv, read_csv_file};
use pretty_assertions::assert_eq;

use super::{digits, folder, integer, real, species};

#[track_caller]
fn check_spec(text: impl AsRef<[u8]>, spec: &TableSpec<'_>, expected: &str) {
    match read_csv(text.as_ref(), "t.csv", spec) {
        Ok(found) => panic!("read as {found:?}, not refused with {expected}"),
        Err(error) => assert_eq!(format!("{error:#}"), expected),
    }
}

/// Reads into the input x of 2 columns and the target t in 0..10.
#[track_caller]
fn check(text: impl AsRef<[u8]>, expected: &str) {
    let (inputs, targets) = ([real("x", 2)], [integer("t", digits())]);
    check_spec(text, &TableSpec::new(&inputs, &targets), expected);
}

/// What is said of text in another encoding.
const UTF_8: &str = "help: save the table as UTF-8, such as by iconv -f LATIN1 -t UTF-8 FILE > CSV";
/// What is said of a word among numbers.
const WORD: &str = "is not a number\nhelp: write a number, or remove the row; a port of words \
                    lists them in the net: `in [\"a\", \"b\"]`";

#[test]
fn wrong_fields() {
    check("1,2,3\n1,abc,3\n", &format!("t.csv:2: column 1 (x.1): \"abc\" {WORD}"));
    check("a,b,c\n1,2,3\n1,abc,3\n", &format!("t.csv:3: column 1 (b): \"abc\" {WORD}"));
    check(
        "1,1 2,3\n",
        concat!(
            "t.csv:1: column 1 (x.1): \"1 2\" is not a number\n",
            "help: write a number, or remove the row"
        ),
    );
    check(
        "1,\"\",t\n1,2,3\n1,,4\n",
        concat!(
            "t.csv:3: column 1 (x.1): the field is empty\n",
            "help: fill in a value, remove the row, or write `missing` behind the type of x in the \
             model"
        ),
    );
    check(
        "1;2;3\n1;2,5;3\n",
        concat!(
            "t.csv:2: column 1 (x.1): \"2,5\" is not a number\n",
            "help: if numbers are written so, say `numbers(\"1234,5\")`"
        ),
    );
    for (word, help) in [
        (
            "nan",
            "fill in a value, remove the row, or write `missing` behind the type of x in the model",
        ),
        ("inf", "fill in a value, or remove the row"),
        ("-Infinity", "fill in a value, or remove the row"),
    ] {
        check(
            format!("1,2,3\n{word},2,3\n"),
            &format!("t.csv:2: column 0 (x.0): \"{word}\" is not a finite number\nhelp: {help}"),
        );
    }
    check(
        "1,2,3\n1e39,2,3\n",
        concat!(
            "t.csv:2: column 0 (x.0): \"1e39\" is too large for a 32-bit float\n",
            "help: scale the column, or remove the row"
        ),
    );
    let range = "is outside 0..10\nhelp: correct it, or widen the range of t in the net";
    check("1,2,12\n", &format!("t.csv:1: column 2 (t): 12 {range}"));
    check("1,2,-1\n", &format!("t.csv:1: column 2 (t): -1 {range}"));
    check(
        "1,2,1.5\n",
        concat!(
            "t.csv:1: column 2 (t): \"1.5\" is not a whole number\n",
            "help: round it, or make the port one of real numbers: without `i32`"
        ),
    );
    check(
        "1,2,3e9\n",
        concat!(
            "t.csv:1: column 2 (t): \"3e9\" does not fit 32 bits\n",
            "help: whole numbers are from -2147483648 to 2147483647: number them anew"
        ),
    );
    check(
        b"1,2,3\n1,\xFF2,3\n",
        &format!("t.csv:2: column 1 (x.1): \"\u{FFFD}2\" is not valid UTF-8\n{UTF_8}"),
    );
    check(
        "1,2,3\n1,\u{7}\u{1b}[m,3\n",
        &format!("t.csv:2: column 1 (x.1): \"\\u{{7}}\\u{{1b}}[m\" {WORD}"),
    );
    let long = "y".repeat(100);
    check(
        format!("1,2,3\n1,{long},3\n"),
        &format!("t.csv:2: column 1 (x.1): \"{}\"... {WORD}", &long[..40]),
    );
}

#[test]
fn wrong_numbers_of_other_ports() {
    let inputs = [real("x", 1)];
    let check = |domain: Domain, integer_port: bool, text: &str, expected: &str| {
        let mut target = integer("t", domain);
        target.integer = integer_port;
        check_spec(text, &TableSpec::new(&inputs, &[target]), expected);
    };
    let range = "help: correct it, or widen the range of t in the net";
    check(
        digits(),
        false,
        "1,10\n",
        &format!("t.csv:1: column 1 (t): 10 is outside 0..10\n{range}"),
    );
    check(
        Domain::Any,
        true,
        "1,nan\n",
        concat!(
            "t.csv:1: column 1 (t): \"nan\" is not a finite number\n",
            "help: fill in a value, remove the row, or write `missing` behind the type of t in the \
             model"
        ),
    );
    check(
        species(),
        true,
        "1,virginca\n",
        concat!(
            "t.csv:1: column 1 (t): \"virginca\" is not a class of the model\n",
            "help: did you mean \"virginica\"?"
        ),
    );
    check(
        species(),
        true,
        "1,Setosa\n",
        concat!(
            "t.csv:1: column 1 (t): \"Setosa\" is not a class of the model\n",
            "help: did you mean \"setosa\"?"
        ),
    );
    check(
        species(),
        false,
        "1,2\n",
        concat!(
            "t.csv:1: column 1 (t): \"2\" is not a class of the model\n",
            "help: the classes are setosa, versicolor, virginica"
        ),
    );
}

/// The row count of a file is what an editor shows, whatever the line ends are.
#[test]
fn lines_are_those_of_the_file() {
    let expected = format!("t.csv:5: column 0 (x.0): \"q\" {WORD}");
    check("\n1,2,3\n\n\nq,2,3\n", &expected);
    check("\r\n1,2,3\r\n\r\n\r\nq,2,3\r\n", &expected);
    check(
        "\u{FEFF}\n1,2,3\n\"1\n\n\",2,3\nq,2,3\n",
        &format!("t.csv:6: column 0 (x.0): \"q\" {WORD}"),
    );
    check(
        "\"a\r\nb\",c,d\r\n1,2,3\r\n1,2,3\r\nq,2,3",
        &format!("t.csv:5: column 0 (a\\nb): \"q\" {WORD}"),
    );
}

#[test]
fn wrong_rows() {
    let help = "every row has the columns of the first, separated by";
    check("1,2,3\n1,2\n", &format!("t.csv:2: expected 3 columns, found 2\nhelp: {help} a comma"));
    check(
        "a;b;t\n1;2;3;4\n",
        &format!("t.csv:2: expected 3 columns, found 4\nhelp: {help} a semicolon"),
    );
    check("1\t2\t3\n1 2 3\n", &format!("t.csv:2: expected 3 columns, found 1\nhelp: {help} a tab"));
    let open =
        "a quote is opened and never closed\nhelp: close it; a quote in a field is written twice";
    check("1,2,3\n\n\"4,5,6\n7,8,9\n", &format!("t.csv:3: {open}"));
    check("\"", &format!("t.csv:1: {open}"));
}

#[test]
fn wrong_files() {
    let empty = "t.csv: is empty\nhelp: a table has a line for each row";
    check("", empty);
    check("\n \r\n\t\n", empty);
    check("\u{FEFF}", empty);
    check(
        "a,b,c\n",
        concat!(
            "t.csv: has a header but no rows\n",
            "help: add rows below it, or say `header(false)` if it is a row itself"
        ),
    );
    check(
        "1,2,3\r4,5,6\r",
        concat!(
            "t.csv:1: a carriage return inside the line\n",
            "help: end the lines with LF or CRLF"
        ),
    );
    check(
        b"a,\xFF,t\n1,2,3\n",
        &format!("t.csv:1: column 1: the header is not valid UTF-8\n{UTF_8}"),
    );
    let help = "help: a quote may be open, or this is no table of text";
    check(vec![b'1'; (16 << 20) + 1], &format!("t.csv:1: a row of more than 16 MiB\n{help}"));
    let mut open = b"1,2,3\n\n1,2,\"".to_vec();
    open.resize(20 << 20, b'\n');
    check(open, &format!("t.csv:3: a row of more than 16 MiB\n{help}"));
}

#[test]
fn wrong_tables() {
    let lack = "too few for the model (x: 2 columns, t: 1 column)\n\
        help: columns are separated by a comma, a semicolon, a tab, a bar or blanks";
    check("1,2\n", &format!("t.csv:1: the table has 2 columns, 1 {lack}"));
    check("t\n1\n", &format!("t.csv:1: the table has 1 column, 2 {lack}"));
    let surplus = |text: &str, more: usize, map: &str, out: &str| {
        let has = format!("t.csv:1: the table has {} columns, {more} more", more + 3);
        let takes = "than the model takes (x: 2 columns, t: 1 column)";
        check(
            text,
            &format!(
                "{has} {takes}\nhelp: say which to take: `columns(\"{map}\")` leaves out {out}"
            ),
        );
    };
    surplus("1,2,3,4\n", 1, "x=1..3,t=3", "column 0");
    surplus("1,2,3,word,4\n", 2, "x=1..3,t=4", "columns 0, 3");
    surplus("a,b,id,t\n1,2,3,4\n", 1, "x=0..2,t=3", "column 2 (id)");
    surplus("t,a,id,b\n1,2,3,4\n", 1, "x=1,3,t=0", "column 2 (id)");
    surplus("a,b,id,c\n1,2,3,4\n", 1, "x=0..2,t=3", "column 2 (id)");
    surplus("a,b,c,name\n1,2,3,ann\n", 1, "x=0..2,t=2", "column 3 (name)");
    surplus("1,2,3,4,5,6,7,8\n", 5, "x=5..7,t=7", "columns 0, 1, 2, 2 more");
    check(
        "x.0,t,q\n1,2,3\n",
        concat!(
            "t.csv:1: the header has columns of x, but no x.1\n",
            "help: x takes 2 columns: add x.1, or make x in the net shorter"
        ),
    );
    check(
        "x.0,x.1,x.2,t\n1,2,3,4\n",
        concat!(
            "t.csv:1: the header has x.2, but the model has only 2 columns in x\n",
            "help: rename x.2, or make x in the net as long as it is here"
        ),
    );
    let twice = "more than once\nhelp: give each column a name of its own";
    check("t,a,t\n1,2,3\n", &format!("t.csv:1: the header has \"t\" {twice}"));
    check("x.0,x.1,x.0,t\n1,2,3,4\n", &format!("t.csv:1: the header has \"x.0\" {twice}"));
}

#[test]
fn wrong_maps() {
    let check = |map: &str, text: &str, expected: &str| {
        let (inputs, targets) = ([real("x", 2)], [integer("label", digits())]);
        let map = ColumnMap::parse(map).unwrap();
        let spec = TableSpec { columns: Some(&map), ..TableSpec::new(&inputs, &targets) };
        check_spec(text, &spec, expected);
    };
    check(
        "x=2..4",
        "1,2,3\n",
        concat!(
            "t.csv:1: `columns` gives x column 3, but the table has 3 columns\n",
            "help: columns are counted from 0, and the end of a range is not part of it"
        ),
    );
    check(
        "x=0",
        "1,2,3\n",
        concat!(
            "t.csv:1: `columns` gives x fewer than its 2 columns\n",
            "help: give it 2 columns, such as x=0..2"
        ),
    );
    check(
        "label=0..2",
        "1,2,3\n",
        concat!(
            "t.csv:1: `columns` gives label more than its 1 column\n",
            "help: give it 1 column, such as label=0..1"
        ),
    );
    check(
        "species=2",
        "1,2,3\n",
        concat!(
            "t.csv:1: `columns` names \"species\", which the model does not have\n",
            "help: its inputs and targets are x, label"
        ),
    );
    check(
        "label=species",
        "a,b,kind\n1,2,3\n",
        concat!("t.csv:1: there is no column \"species\"\n", "help: the columns are a, b, kind"),
    );
    check(
        "lable=2",
        "1,2,3\n",
        concat!(
            "t.csv:1: `columns` names \"lable\", which the model does not have\n",
            "help: did you mean \"label\"?"
        ),
    );
    check(
        "label=kind",
        "1,2,3\n",
        concat!(
            "t.csv:1: `columns` names the column \"kind\", but the table has no header\n",
            "help: say where its columns are, from 0: `columns(\"label=0\")`; or `header(true)` if \
             its first row is a header"
        ),
    );
    check(
        "label=kinds",
        "a,b,kind\n1,2,3\n",
        concat!("t.csv:1: there is no column \"kinds\"\n", "help: did you mean \"kind\"?"),
    );
    let max = usize::MAX;
    check(
        &format!("x=0..{max}"),
        "1,2,3\n",
        &format!(
            "t.csv:1: `columns` gives x column {}, but the table has 3 columns\n\
         help: columns are counted from 0, and the end of a range is not part of it",
            max - 1
        ),
    );
}

#[test]
fn wrong_map_texts() {
    let check = |text: &str, expected: &str| {
        assert_eq!(ColumnMap::parse(text), Err(expected.to_string()));
    };
    check("", "\"\" is not of the form PORT=COLUMNS");
    check("0..4", "\"0..4\" is not of the form PORT=COLUMNS");
    check("=3", "\"=3\" names no port");
    check("x=", "a column is missing");
    check("x=1,,2", "a column is missing");
    check("x=1,x=2", "\"x\" is given twice");
    check("x=5..5", "the range 5..5 is empty; its end is not part of it");
    check("x=5..2", "the range 5..2 is empty; its end is not part of it");
    check(&format!("x={}", usize::MAX), &format!("there is no column {}", usize::MAX));
}

#[test]
fn more_than_the_memory_limit() {
    let (inputs, targets) = ([real("x", 2)], [integer("t", digits())]);
    let spec = TableSpec { max_bytes: 24, ..TableSpec::new(&inputs, &targets) };
    assert!(read_csv("1,2,3\n1,2,3\n".as_bytes(), "t.csv", &spec).is_ok());
    let expected = "t.csv: needs more memory than the limit of 24 bytes\n\
                    help: `max_memory` raises the limit; fewer rows take less";
    check_spec("1,2,3\n1,2,3\n1,2,3\n", &spec, expected);
}

#[test]
fn files_that_cannot_be_read() {
    let folder = folder("csv_files");
    let spec = TableSpec::new(&[], &[]);
    std::fs::write(folder.join("rows.csv"), "").unwrap();
    let near = read_csv_file(folder.join("row.csv"), &spec).unwrap_err();
    assert_eq!(near.help.as_deref(), Some("did you mean \"rows.csv\"?"));
    let missing = folder.join("none.csv");
    let error = read_csv_file(&missing, &spec).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}: cannot be read: ", missing.display())), "{error}");
    let error = read_csv_file(&folder, &spec).unwrap_err();
    assert_eq!(error.help.as_deref(), Some("name a file in it"));
    let error = error.to_string();
    assert!(error.starts_with(&format!("{}: cannot be read: ", folder.display())), "{error}");
}

#[test]
fn all_words_that_are_no_classes_are_told() {
    let check = |text: &str, expected: String| {
        let (inputs, targets) = ([real("x", 1)], [integer("t", species())]);
        check_spec(text, &TableSpec::new(&inputs, &targets), &expected);
    };
    let head =
        |rest: &str| format!("t.csv:1: column 1 (t): \"Setosa\" is not a class of the model{rest}");
    check(
        "1,Setosa\n1,versicolour\n1,setosa\n1,Setosa\n",
        head(
            ", and neither is \"versicolour\"\n\
             help: did you mean \"setosa\" for \"Setosa\", \"versicolor\" for \"versicolour\"?",
        ),
    );
    check(
        "1,Setosa\n1,rose\n1,virginica\n1,lily\n",
        head(
            ", and neither are \"rose\" and \"lily\"\n\
             help: did you mean \"setosa\" for \"Setosa\"? if they are classes, write \
             `in [\"setosa\", \"versicolor\", \"virginica\", \"rose\", \"lily\"]` in the net",
        ),
    );
    // A column of something else, and one that ends with a row that cannot be read.
    let rows: String = (10..60).map(|i| format!("1,k{i}\n")).collect();
    check(
        &format!("1,Setosa\n{rows}1\n"),
        head(
            ", and neither are \"k10\", \"k11\", \"k12\", \"k13\" and 46 more words\n\
             help: did you mean \"setosa\" for \"Setosa\"? if they are classes, list them in the \
             net, behind t",
        ),
    );
}
