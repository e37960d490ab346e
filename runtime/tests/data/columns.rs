//! The names of columns: how a header is recognised, which names a net has learned, and how a
//! table is read by them.

use std::collections::BTreeMap;

use arenet_runtime::data::{
    ColumnMap, ColumnNames, Dataset, PortSpec, TableSpec, Values, read_csv,
};
use pretty_assertions::assert_eq;

use super::{dataset, floats, integer, integers, real, species};

fn names(ports: &[(&str, &[&str])]) -> ColumnNames {
    let mut names = ColumnNames::default();
    for (port, columns) in ports {
        names.set(port, columns.iter().map(|name| name.to_string()).collect());
    }
    names
}

/// The ports x of 2 columns, real, and t, a species.
fn ports() -> ([PortSpec; 1], [PortSpec; 1]) {
    ([real("x", 2)], [integer("t", species())])
}

/// Reads a table that a net takes which was trained on x=[a, b] and t=[kind].
fn read(text: &str, change: impl Fn(&mut TableSpec<'_>)) -> Result<Dataset, String> {
    let (inputs, targets) = ports();
    let names = names(&[("x", &["a", "b"]), ("t", &["kind"])]);
    let mut spec = TableSpec { names: Some(&names), ..TableSpec::new(&inputs, &targets) };
    change(&mut spec);
    read_csv(text.as_bytes(), "t.csv", &spec).map_err(|error| format!("{error:#}"))
}

/// The row 1, 2 of the second class.
fn row(unused: Option<&str>) -> Dataset {
    let columns = names(&[("x", &["a", "b"]), ("t", &["kind"])]);
    let unused = unused.map(str::to_string);
    let data = dataset(1, &[floats(2, &[1.0, 2.0])], &[integers(&[1])]);
    Dataset { columns, unused, ..data }
}

#[test]
fn a_header_by_position_gives_the_names() {
    let (inputs, targets) = ports();
    let spec = TableSpec::new(&inputs, &targets);
    let read = |text: &str| read_csv(text.as_bytes(), "t.csv", &spec).unwrap().columns;
    assert_eq!(read("a,b,kind\n1,2,setosa\n"), names(&[("x", &["a", "b"]), ("t", &["kind"])]));
    assert_eq!(read("t,a,b\nsetosa,1,2\n"), names(&[("x", &["a", "b"]), ("t", &["t"])]));
    assert_eq!(read("1,2,setosa\n"), ColumnNames::default());
    // Names that could not be found again are not kept.
    assert_eq!(read("a,a,kind\n1,2,setosa\n"), names(&[("t", &["kind"])]));
}

#[test]
fn trained_names_decide_in_any_order() {
    let same = |_: &mut TableSpec<'_>| {};
    assert_eq!(read("a,b,kind\n1,2,versicolor\n", same), Ok(row(None)));
    assert_eq!(read("kind,b,a\nversicolor,2,1\n", same), Ok(row(None)));
    let more = "id,b,kind,note,a\n7,2,versicolor,good,1\n";
    assert_eq!(read(more, same), Ok(row(Some("columns 0 (id), 3 (note)"))));
    // Names of ports are as good, though they have not been learned.
    let data = read("x.1,t,x.0\n2,versicolor,1\n", same).unwrap();
    assert_eq!(data.inputs, row(None).inputs);
    assert_eq!(data.columns, names(&[("x", &["x.0", "x.1"]), ("t", &["t"])]));
    // Without a header they go by position, and it is the names' order.
    assert_eq!(read("1,2,versicolor\n", same), Ok(row(None)));
    // A map decides over the names, for its port.
    let map = ColumnMap::parse("x=b,a").unwrap();
    let map = &map;
    let (inputs, targets) = ports();
    let names = names(&[("x", &["a", "b"]), ("t", &["kind"])]);
    let spec =
        TableSpec { names: Some(&names), columns: Some(map), ..TableSpec::new(&inputs, &targets) };
    let data = read_csv("kind,a,b\nversicolor,2,1\n".as_bytes(), "t.csv", &spec).unwrap();
    assert_eq!(data.inputs, row(None).inputs);
}

#[test]
fn targets_may_be_absent_by_name() {
    let optional = |spec: &mut TableSpec<'_>| spec.targets_optional = true;
    let without = Dataset { targets: vec![], ..row(None) };
    assert_eq!(read("b,a\n2,1\n", optional), Ok(without.clone()));
    let unused = Some("column 1 (sort)".to_string());
    assert_eq!(read("b,sort,a\n2,9,1\n", optional), Ok(Dataset { unused, ..without }));
    assert_eq!(read("b,kind,a\n2,versicolor,1\n", optional), Ok(row(None)));
}

#[test]
fn a_name_that_is_missing_is_an_error() {
    let check = |text: &str, expected: &str| {
        let error = read(text, |_| {}).unwrap_err();
        assert_eq!(error, format!("t.csv:1: {expected}"));
    };
    let trained = "column that the net was trained on\nhelp: if others are meant: `columns";
    check("b,aa,kind\n2,1,setosa\n", &format!("there is no \"a\": the {trained}(\"x=1,0,t=2\")`"));
    check(
        "a,b,sort\n1,2,setosa\n",
        &format!("there is no \"kind\": the {trained}(\"x=0..2,t=2\")`"),
    );
    let trained = trained.replace("column that", "columns that");
    check(
        "sort,p,q,id\nsetosa,1,2,3\n",
        &format!(
            "there is no \"a\", \"b\", \"kind\": the {trained}(\"x=1..3,t=3\")` leaves out column \
             0 (sort)"
        ),
    );
    check(
        "a,kind\n1,setosa\n",
        "there is no \"b\": the column that the net was trained on\n\
         help: add it to the table: the net takes every column",
    );
    check(
        "a,b,kind,a\n1,2,setosa,1\n",
        "the header has \"a\" more than once\nhelp: give each column a name of its own",
    );
}

/// A slip in a name must not make a net learn from another column.
#[test]
fn a_name_that_is_misspelled_takes_no_other_column() {
    let inputs = [real("x", 2)];
    let targets = [real("prise", 1)];
    let spec = TableSpec::new(&inputs, &targets);
    let read = |text: &str, spec: &TableSpec<'_>| {
        read_csv(text.as_bytes(), "t.csv", spec).map_err(|error| format!("{error:#}"))
    };
    let slip = "t.csv:1: there is no column \"prise\"\n\
                help: did you mean \"price\"? Call both the same, or say `columns(\"prise=0\")`";
    assert_eq!(read("price,a,zip\n1,2,3\n", &spec).unwrap_err(), slip);
    // Nor where there are more columns than it takes.
    assert_eq!(read("price,a,zip,b\n1,2,3,4\n", &spec).unwrap_err(), slip);
    let map = ColumnMap::parse("prise=0").unwrap();
    let chosen = TableSpec { columns: Some(&map), ..spec };
    assert_eq!(read("price,a,zip\n1,2,3\n", &chosen).unwrap().targets, [floats(1, &[1.0])]);
    // What is called something else altogether is found by its place.
    assert_eq!(read("a,b,cost\n1,2,3\n", &spec).unwrap().targets, [floats(1, &[3.0])]);
}

#[test]
fn no_guess_is_made_at_which_name_is_which() {
    let inputs = ["area", "rooms"].map(|name| real(name, 1));
    let targets = [real("t", 1)];
    let spec = TableSpec::new(&inputs, &targets);
    let error = read_csv("p,q,r,s,u\n1,2,3,4,5\n".as_bytes(), "t.csv", &spec).unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "t.csv:1: the table has 5 columns, 2 more than the model takes (area: 1 column, rooms: 1 \
         column, t: 1 column)\n\
         help: no column is called area, rooms, t: name them as the columns are, or use `columns`"
    );
    // A table to evaluate that has other columns, and no target.
    assert_eq!(
        read("a,b,zip,city\n1,2,3,4\n", |_| {}).unwrap_err(),
        "t.csv:1: there is no \"kind\": the column that the net was trained on\n\
         help: add it to the table, to compare with it; a prediction needs no targets"
    );
}

#[test]
fn a_header_is_told_from_a_row() {
    let (inputs, targets) = ports();
    let rows = |text: &str, header: Option<bool>| {
        let spec = TableSpec { header, ..TableSpec::new(&inputs, &targets) };
        read_csv(text.as_bytes(), "t.csv", &spec)
            .map(|data| data.rows)
            .map_err(|error| format!("{error:#}"))
    };
    // A class in the first row, or words for missing values: a row, and never lost.
    let error = rows("one,two,setosa\n1,2,setosa\n", None).unwrap_err();
    let say = "help: if this row is a header, say `header(true)`; if not: ";
    let number = "is not a number";
    let help = "write a number, or remove the row; a port of words lists them in the net: \
                `in [\"a\", \"b\"]`";
    assert_eq!(error, format!("t.csv:1: column 0 (x.0): \"one\" {number}\n{say}{help}"));
    let error = rows("NA,?,NA\n1,2,setosa\n", None).unwrap_err();
    let fill = "fill in a value, remove the row, or write `missing` behind the type of x in the \
                model";
    assert_eq!(error, format!("t.csv:1: column 0 (x.0): \"NA\" {number}\n{say}{fill}"));
    // A number among words.
    let error = rows("a,2020,kind\n1,2,setosa\n", None).unwrap_err();
    assert_eq!(error, format!("t.csv:1: column 0 (x.0): \"a\" {number}\n{say}{help}"));
    assert_eq!(rows("a,2020,kind\n1,2,setosa\n", Some(true)), Ok(1));
    // What is said is not found out.
    assert_eq!(rows("1,2,setosa\n3,4,setosa\n", Some(true)), Ok(1));
    let error = rows("a,b,kind\n1,2,setosa\n", Some(false)).unwrap_err();
    assert_eq!(error, format!("t.csv:1: column 0 (x.0): \"a\" {number}\nhelp: {help}"));
}

#[test]
fn names_that_are_numbers_have_to_be_said() {
    let (inputs, targets) = ([real("x", 2)], [real("t", 1)]);
    let read = |text: &str, names: &ColumnNames, header: Option<bool>| {
        let spec = TableSpec { header, names: Some(names), ..TableSpec::new(&inputs, &targets) };
        read_csv(text.as_bytes(), "t.csv", &spec).map_err(|error| format!("{error:#}"))
    };
    let none = ColumnNames::default();
    let unclear =
        "may be names of columns, or a row of data\nhelp: say `header(true)` or `header(false)`";
    let counted = "0,1,2\n1,2,3\n4,5,6\n";
    let error = read(counted, &none, None).unwrap_err();
    assert_eq!(error, format!("t.csv:1: the first row (0, 1, 2, ...) {unclear}"));
    let data = read(counted, &none, Some(true)).unwrap();
    assert_eq!((data.rows, data.columns), (2, names(&[("x", &["0", "1"]), ("t", &["2"])])));
    assert_eq!(read(counted, &none, Some(false)).unwrap().rows, 3);
    // Where such names have been learned, they may be a row as well.
    let known = names(&[("x", &["7", "8"]), ("t", &["9"])]);
    let turned = "9,8,7\n3,2,1\n";
    let error = read(turned, &known, None).unwrap_err();
    assert_eq!(error, format!("t.csv:1: the first row (9, 8, 7, ...) {unclear}"));
    let data = read(turned, &known, Some(true)).unwrap();
    assert_eq!(
        (data.inputs, data.targets),
        (vec![floats(2, &[1.0, 2.0])], vec![floats(1, &[3.0])])
    );
    assert_eq!(read("7,2,1\n", &known, None).unwrap().rows, 1);
}

#[test]
fn names_in_metadata_may_be_anything() {
    let of = |text: &str| {
        let metadata = BTreeMap::from([("columns".to_string(), text.to_string())]);
        ColumnNames::from_metadata(&metadata, "w").map_err(|error| format!("{error:#}"))
    };
    assert_eq!(ColumnNames::from_metadata(&BTreeMap::new(), "w"), Ok(ColumnNames::default()));
    assert_eq!(of(r#"{"x":["a","b"]}"#), Ok(names(&[("x", &["a", "b"])])));
    for wrong in ["", "[]", "{\"x\":1}", "{\"x\":[1]}", "{\"x\":", "\u{1b}[31m"] {
        let error = of(wrong).unwrap_err();
        assert!(error.starts_with("w: has invalid names of columns in its metadata: "), "{error}");
        assert!(error.ends_with("\nhelp: train it again, or remove this metadata"), "{error}");
    }
    // As many names as the port has columns, or they are of another net.
    let (inputs, targets) = ports();
    let names = names(&[("x", &["a"])]);
    let spec = TableSpec { names: Some(&names), ..TableSpec::new(&inputs, &targets) };
    let error = read_csv("a,b,t\n1,2,setosa\n".as_bytes(), "t.csv", &spec).unwrap_err();
    let expected = "t.csv:1: the weights or the program name 1 column for x, which takes 2\n\
                    help: choose them: `columns`";
    assert_eq!(format!("{error:#}"), expected);
}

#[test]
fn places_in_metadata_may_be_anything() {
    let of = |text: &str| {
        let metadata = BTreeMap::from([("column_places".to_string(), text.to_string())]);
        ColumnNames::from_metadata(&metadata, "w").map_err(|error| error.to_string())
    };
    for wrong in ["", "[]", "{}", r#"{"of":3}"#, r#"{"of":3,"ports":{"x":[-1]}}"#] {
        let error = of(wrong).unwrap_err();
        assert!(error.starts_with("w: has invalid places of columns in its metadata: "), "{error}");
    }
    assert_eq!(
        of(r#"{"of":3,"ports":{"x":[0,3]}}"#).unwrap_err(),
        "w: has invalid places of columns in its metadata: there is no 3 among 3"
    );
    let (inputs, targets) = ports();
    let read = |places: &str| {
        let names = of(places).unwrap();
        let spec = TableSpec { names: Some(&names), ..TableSpec::new(&inputs, &targets) };
        read_csv("setosa,1,2\n".as_bytes(), "t.csv", &spec).map_err(|error| error.to_string())
    };
    let kept = r#"{"of":3,"ports":{"x":[2,1],"t":[0]}}"#;
    assert_eq!(read(kept).unwrap().inputs[0].data, Values::F32(vec![2.0, 1.0]));
    // They are of a table of another form, or of another net.
    assert!(read(&kept.replace("3", "4")).is_err());
    assert_eq!(
        read(r#"{"of":3,"ports":{"x":[1],"t":[0]}}"#).unwrap_err(),
        "t.csv:1: the weights or the program name 1 column for x, which takes 2"
    );
}
