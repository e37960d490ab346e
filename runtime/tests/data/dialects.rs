//! What separates and quotes the fields of a table of text.

use super::{dataset, floats, integer, integers, real, species};
use arenet_runtime::data::{Dataset, TableSpec, read_csv};
use pretty_assertions::assert_eq;

/// Two numbers and a class by its name.
fn read(text: &str) -> Result<Dataset, String> {
    let (inputs, targets) = ([real("x", 2)], [integer("t", species())]);
    let spec = TableSpec::new(&inputs, &targets);
    let data = read_csv(text.as_bytes(), "t.csv", &spec).map_err(|error| format!("{error:#}"))?;
    Ok(Dataset { columns: Default::default(), unused: None, ..data })
}

fn expected() -> Dataset {
    let inputs = [floats(2, &[1.0, 2.5, 3.0, -4.0])];
    dataset(2, &inputs, &[integers(&[0, 2])])
}

#[test]
fn every_separator_is_found() {
    for table in [
        "1,2.5,setosa\n3,-4,virginica\n",
        "1;2.5;setosa\n3;-4;virginica\n",
        "1\t2.5\tsetosa\n3\t-4\tvirginica\n",
        "1|2.5|setosa\n3|-4|virginica\n",
        "1 2.5 setosa\n3 -4 virginica\n",
        "  1   2.5   setosa  \r\n  3  -4    virginica\r\n",
        "1   2.5\tsetosa\n3   -4\tvirginica\n",
        "1\t2.5\tsetosa\n\n \n3\t-4\tvirginica",
        "1 ,2.5, setosa\n 3,\t-4 ,virginica \n",
        "1 | 2.5 | setosa\n3 | -4 | virginica\n",
        "\u{feff}1   2.5 setosa\n\n3 -4\t \tvirginica\n",
    ] {
        assert_eq!(read(table), Ok(expected()), "{table}");
    }
}

#[test]
fn a_header_in_columns_is_one_if_the_rows_are() {
    for header in ["a b kind", "x.0 x.1 t", "a   b   kind", "a \"b c\" kind"] {
        let table = format!("{header}\n1 2.5 setosa\n3 -4 virginica\n");
        assert_eq!(read(&table), Ok(expected()), "{header}");
    }
    // One column, whose name has blanks.
    let x = [real("x", 1)];
    let spec = TableSpec { header: Some(true), ..TableSpec::new(&x, &[]) };
    let data = read_csv("bill length\n39.1\n".as_bytes(), "t.csv", &spec).unwrap();
    assert_eq!(data.inputs, [floats(1, &[39.1])]);
}

#[test]
fn quotes_are_of_both_kinds_and_blanks_stand_around_them() {
    for table in [
        "\"1\",\"2.5\",\"setosa\"\n3,-4,\"virginica\"\n",
        "'1','2.5','setosa'\n3,-4,'virginica'\n",
        "1, \"2.5\" , \"setosa\" \n3 ,-4, \"virginica\"\n",
        "1 2.5 'setosa'\n3 -4 'virginica'\n",
        "1;'2.5'; 'setosa'\n3;-4; 'virginica' \n",
        "1 2.5 \"setosa\"\n3   -4 \"virginica\"\n",
    ] {
        assert_eq!(read(table), Ok(expected()), "{table}");
    }
    let names = |names: &[&str]| {
        let names = names.iter().map(|name| name.to_string()).collect();
        [integer("t", arenet_runtime::data::Domain::Names(names))]
    };
    let classes = |text: &str, known: &[&str]| {
        let targets = names(known);
        let data = read_csv(text.as_bytes(), "t.csv", &TableSpec::new(&[], &targets));
        data.map(|data| data.targets).map_err(|error| format!("{error:#}"))
    };
    let all = Ok(vec![integers(&[0, 1])]);
    let of_both = ["a, b", "it's"];
    assert_eq!(classes("\"a, b\"\nit's\n", &of_both), all);
    assert_eq!(classes("'a, b'\nit''s\n", &["a, b", "it''s"]), all);
    assert_eq!(classes("'a, b'\n'it''s'\n", &of_both), all);
    assert_eq!(classes(" \"say \"\"so\"\"\" \n 5\" pipe\n", &["say \"so\"", "5\" pipe"]), all);
    assert_eq!(classes("\"two\n lines\" \n \"and, one\"\n", &["two\n lines", "and, one"]), all);
}

#[test]
fn a_row_of_another_length_names_the_separator() {
    let of = |separator: &str, name: &str| {
        let table = ["1", "2", "setosa\n3", "4\n"].join(separator);
        let message = "t.csv:2: expected 3 columns, found 2";
        let help = format!("every row has the columns of the first, separated by {name}");
        assert_eq!(read(&table).unwrap_err(), format!("{message}\nhelp: {help}"));
    };
    of("|", "a vertical bar");
    of(" ", "blanks");
    of("   ", "blanks");
    of(",", "a comma");
}
