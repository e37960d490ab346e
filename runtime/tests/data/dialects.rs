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

#[test]
fn numbers_are_written_as_the_user_says() {
    use arenet_runtime::data::{NumberStyle, Values};
    let x = [real("x", 1)];
    let read = |example: &str, text: &str| -> Result<Vec<f32>, String> {
        let numbers = NumberStyle::parse(example).unwrap();
        let spec = TableSpec { numbers, ..TableSpec::new(&x, &[]) };
        let data = read_csv(text.as_bytes(), "t.csv", &spec);
        match data.map_err(|error| format!("{error:#}"))?.inputs.remove(0).data {
            Values::F32(values) => Ok(values),
            _ => panic!("x is real"),
        }
    };
    let expected = Ok(vec![1234.5, -0.25, 1_000_000.0, 7.0, 2000.0]);
    for (example, rows) in [
        ("1234.5", "1234.5;-.25;1e6;7;2e+3"),
        ("1234,5", "1234,5;-,25;1e6;7;2e+3"),
        ("1.234,5", "1.234,5;-0,25;1.000.000;7;2.000,0"),
        ("1 234,5", "1 234,5;-0,25;1 000 000;7;2000"),
        ("1'234,5", "1'234,5;-0,25;1'000'000,;7;2'000"),
        ("1,234.5", "\"1,234.5\";-0.25;\"1,000,000\";7;2000.0"),
        ("1 234.5", "1 234.5;-0.25;1 000 000.0;7;2 000"),
        ("1'234.5", "1'234.5;-0.25;1'000'000.;7;2'000"),
    ] {
        // Each in a line, below a name: what separates them would not be told from one column.
        let table = format!("x;y\n{};0\n", rows.replace(';', ";0\n"));
        assert_eq!(read(example, &table), expected, "{example}");
        // Without a header, the first row is one of numbers.
        let table = format!("{};0\n", rows.replace(';', ";0\n"));
        let no_header =
            TableSpec { numbers: NumberStyle::parse(example).unwrap(), ..TableSpec::new(&x, &x) };
        let data = read_csv(table.as_bytes(), "t.csv", &no_header).unwrap();
        assert_eq!(data.rows, 5, "{example}");
    }
    let error = |example: &str, field: &str| read(example, &format!("x;y\n1;0\n{field};0\n"));
    assert_eq!(
        error("1.234,5", "1.5").unwrap_err(),
        "t.csv:3: column 0 (x): \"1.5\" is no number such as 1.234,5\n\
         help: write all numbers of the table alike, or say how they are written"
    );
    assert_eq!(
        error("1234.5", "2,5").unwrap_err(),
        "t.csv:3: column 0 (x): \"2,5\" is not a number\n\
         help: if numbers are written so, say `numbers(\"1234,5\")`"
    );
    assert_eq!(
        error("1234.5", "1,234").unwrap_err(),
        "t.csv:3: column 0 (x): \"1,234\" is not a number\n\
         help: if numbers are written so, say `numbers(\"1234,5\")` or `numbers(\"1,234.5\")`"
    );
    assert!(error("1.234,5", "1.23").is_err() && error("1.234,5", "12.34.567,8").is_err());
    assert!(error("1.234,5", "1234.567").is_err());
    assert_eq!(
        NumberStyle::parse("1,5").unwrap_err(),
        "\"1,5\" is none of 1234.5, 1234,5, 1.234,5, 1 234,5, 1'234,5, 1,234.5, 1 234.5, 1'234.5"
    );
}
