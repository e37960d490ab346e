//! What is found in the columns of a table that no model describes.

use arenet_runtime::data::profile::{ColumnProfile, Profile, ProfileSpec, SAMPLE_ROWS, profile};
use arenet_runtime::data::{DataError, NumberStyle};
use pretty_assertions::assert_eq;

fn of(text: &str) -> Result<Profile, DataError> {
    profile(text.as_bytes(), "t.csv", &ProfileSpec::default())
}

fn said(header: bool) -> ProfileSpec {
    ProfileSpec { header: Some(header), ..ProfileSpec::default() }
}

/// A table of one column beside another that tells no header from a row.
fn column(fields: &[&str]) -> ColumnProfile {
    let text: String = fields.iter().map(|field| format!("{field},1\n")).collect();
    profile(text.as_bytes(), "t.csv", &said(false)).unwrap().columns.swap_remove(0)
}

#[test]
fn numbers_words_and_holes_are_counted() {
    let found = column(&["1", " 2.5", "?", "", "NA", "nan", "low", "low", "-3e1", "inf"]);
    assert_eq!((found.numbers, found.missing, found.words(10)), (3, 4, 3));
    assert_eq!((found.range, found.whole, found.mean), ((-30.0, 2.5), false, -26.5 / 3.0));
    assert_eq!(found.strays, ["low", "inf"]);
    let values: Vec<(&str, u64)> =
        found.values.iter().map(|(value, count)| (value.as_str(), *count)).collect();
    // The first row is counted last: whether it is a header is only known then.
    assert_eq!(values, [("2.5", 1), ("low", 2), ("-3e1", 1), ("inf", 1), ("1", 1)]);
    assert_eq!((found.distinct, found.repeats, found.overflows), (5, true, false));
}

#[test]
fn numbers_are_the_same_however_they_are_written() {
    let found = column(&["1", "1.0", "0", "-0", "+1", "1e0"]);
    assert_eq!((found.distinct, found.whole), (2, true));
}

#[test]
fn dates_and_numbers_with_signs_are_no_numbers() {
    let dates = ["2014-05-02", "2014-05-02T10:00:00", "2/5/2014 10:00", "02.05.14", "10:00"];
    assert_eq!(column(&dates).dates, 5);
    assert_eq!(column(&["2014-05", "a-b-c", "1-2-3-4", "v1.2.3", "12"]).dates, 0);
    assert_eq!(column(&["$3", "45%", "€ 1.5", "1'000", "3 000", "$", "a1"]).dressed, 4);
}

#[test]
fn columns_that_are_the_same_in_other_words_have_one_pattern() {
    let table = of("a,b,c,d\n1,x,1.5,p\n2,y,2.5,q\n1,x,1.5,q\n,,?,\n2,y,2.5,q\n").unwrap();
    let pattern = |index: usize| table.columns[index].pattern;
    assert_eq!((pattern(0), pattern(0)), (pattern(1), pattern(2)));
    assert_ne!(pattern(0), pattern(3));
}

#[test]
fn the_first_row_is_a_header_by_the_rows_after_it() {
    let header = |text: &str| of(text).unwrap().header.is_some();
    for text in [
        "a,b\n1,2\n3,4\n",
        "sex,species\nmale,cat\nmale,dog\n", // no word comes again
        ",x,y\n0,1,a\n1,2,b\n",              // as an index without a name is written
        "a,b\n?,2\n3,NA\n",
        "price,rooms,2015\n1,2,3\n3,4,5\n",
    ] {
        assert!(header(text), "{text}");
    }
    for text in [
        "1,2\n3,4\n",
        "male,cat\nfemale,dog\nmale,dog\n",
        "?,a\n1,b\n2,a\n",
        "1,a\n2,b\n",
        "low,1\n2,3\n",
    ] {
        assert!(!header(text), "{text}");
    }
    assert_eq!(of("male,cat\nfemale,dog\nmale,dog\n").unwrap().rows, 3);
    // The names of objects are names, whatever they are.
    let objects = of("{\"1\": 2, \"b\": \"x\"}\n{\"1\": 3, \"b\": null}\n").unwrap();
    assert_eq!((objects.header.unwrap(), objects.rows), (vec!["1".into(), "b".into()], 2));
    assert_eq!((objects.columns[0].numbers, objects.columns[1].missing), (2, 1));
    // What is said is not asked again.
    let said = profile(&b"2015,2016\n1,2\n"[..], "t.csv", &said(true)).unwrap();
    assert_eq!(said.header.unwrap(), ["2015", "2016"]);
}

#[test]
fn a_large_table_is_found_in_bounded_memory() {
    let rows = 50_000;
    let text: String = (0..rows).map(|row| format!("{row},{},w{}\n", row % 7, row % 3)).collect();
    let table = of(&text).unwrap();
    assert_eq!(table.rows, rows);
    let [id, number, word] = &table.columns[..] else { panic!("{}", table.columns.len()) };
    assert!(!id.repeats && id.overflows);
    assert_eq!((id.distinct, id.values.len(), id.range), (20_000, 1000, (0.0, 49_999.0)));
    assert_eq!((number.distinct, number.repeats, word.distinct), (7, true, 3));
    // Rows of the sample stay together, and come from everywhere.
    assert_eq!(id.sample.len(), SAMPLE_ROWS);
    assert!(id.sample.iter().zip(&number.sample).all(|(id, number)| id % 7.0 == *number));
    let mean = id.sample.iter().sum::<f64>() / SAMPLE_ROWS as f64;
    assert!((mean - 25_000.0).abs() < 1000.0, "{mean}");
    assert!(word.sample.iter().all(|value| value.is_nan()));
}

#[test]
fn a_column_is_found_by_name_or_place() {
    let table = of("a,b c,b c,7\n1,2,3,4\n").unwrap();
    assert_eq!(table.header.as_ref().unwrap()[3], "7");
    for (name, place) in [("a", 0), ("0", 0), ("last", 3), ("7", 3), ("2", 2)] {
        assert_eq!(table.find(name, "t.csv"), Ok(place), "{name}");
    }
    let error = |name: &str| format!("{:#}", table.find(name, "t.csv").unwrap_err());
    assert_eq!(
        error("A"),
        "t.csv: there is no column \"A\"\nhelp: did you mean \"a\"? the columns are a, b c, b c, 7"
    );
    assert_eq!(
        error("b c"),
        "t.csv: there are several columns \"b c\"\n\
         help: choose one by its place from 0, such as 1 or 2"
    );
    let error = of("1,2\n3,4\n").unwrap().find("x", "t.csv").unwrap_err();
    assert_eq!(error.help.unwrap(), "there is no header; the columns are 0 to 1");
}

#[test]
fn what_is_no_table_of_text_is_told() {
    let error =
        |text: &[u8]| format!("{:#}", profile(text, "t.csv", &ProfileSpec::default()).unwrap_err());
    assert_eq!(error(b""), "t.csv: is empty\nhelp: a table has a line for each row");
    let no_rows = profile(&b"a,b\n"[..], "t.csv", &said(true)).unwrap_err();
    assert_eq!(
        format!("{no_rows:#}"),
        "t.csv: has a header but no rows\n\
         help: add rows below it, or say `header(false)` if it is a row itself"
    );
    assert_eq!(
        error(b"a,b\n1,2\n3\n"),
        "t.csv:3: expected 2 columns, found 1\n\
         help: every row has the columns of the first, separated by a comma"
    );
    let mut npy = b"\x93NUMPY\x01\x00\x46\x00".to_vec();
    npy.extend(b"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }");
    npy.extend([[b' '; 10].as_slice(), b"\n", &[0; 8]].concat());
    assert_eq!(
        error(&npy),
        "t.csv: is an array, which has no names and no words\n\
         help: save it as CSV, with the targets as a column"
    );
    assert_eq!(of("a,b\n1,x\n2,caf\u{e9}\n").unwrap().columns[1].foreign, 0);
    assert_eq!(
        profile(&b"a,b\n1,x\n2,caf\xe9\n"[..], "t", &ProfileSpec::default()).unwrap().columns[1]
            .foreign,
        1
    );
}

#[test]
fn numbers_may_be_written_otherwise() {
    let table = "size;price\n1,5;1.200,25\n-2,5;3\n";
    let numbers = NumberStyle::parse("1.234,5").unwrap();
    let spec = ProfileSpec { numbers, ..ProfileSpec::default() };
    let found = profile(table.as_bytes(), "t.csv", &spec).unwrap();
    assert_eq!(found.header, Some(vec!["size".to_string(), "price".to_string()]));
    let ranges: Vec<_> = found.columns.iter().map(|column| column.range).collect();
    assert_eq!(ranges, [(-2.5, 1.5), (3.0, 1200.25)]);
    // Without that, they are words that are numbers in a style.
    let found = of(table).unwrap();
    assert_eq!((found.columns[0].numbers, found.columns[0].dressed), (0, 2));
    assert_eq!(NumberStyle::of(&found.columns[0].strays), ["1234,5"]);
    assert_eq!(NumberStyle::of(&["1,234"]), ["1234,5", "1,234.5"]);
}
