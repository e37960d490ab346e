//! Fields without a value, and the columns that a model names.

use super::{dataset, floats, integer, integers, real, species};
use arenet_runtime::data::{
    Array, Column, Dataset, MISSING, Missing, PortSpec, TableSpec, Unlisted, Values, read_csv,
};
use pretty_assertions::assert_eq;

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| word.to_string()).collect()
}

fn named(names: &[&str]) -> Vec<Column> {
    names.iter().map(|name| Column::Named(name.to_string())).collect()
}

fn places(places: &[u32]) -> Vec<Column> {
    places.iter().map(|place| Column::At(*place)).collect()
}

fn read(text: &str, spec: &TableSpec<'_>) -> Result<Dataset, String> {
    let data = read_csv(text.as_bytes(), "t.csv", spec).map_err(|error| format!("{error:#}"))?;
    Ok(Dataset { columns: Default::default(), unused: None, ..data })
}

/// The values of the only input, holes as -1.
fn values(data: Result<Dataset, String>) -> Result<Vec<f32>, String> {
    Ok(match &data?.inputs[..] {
        [Array { data: Values::F32(values), .. }] => {
            values.iter().map(|value| if value.is_nan() { -1.0 } else { *value }).collect()
        }
        [Array { data: Values::I32(values), .. }] => {
            values.iter().map(|&value| if value == MISSING { -1.0 } else { value as f32 }).collect()
        }
        _ => panic!("there is one input"),
    })
}

#[test]
fn a_hole_is_what_people_write_for_one() {
    let x = [PortSpec { missing: Missing::Hole(words(&["-9", "n.b."])), ..real("x", 1) }];
    let spec = TableSpec::new(&x, &[]);
    let holes = ["", " ", "?", "NA", "na", "N/A", "NaN", "nan", "null", "NULL", "None", "-", "."];
    for hole in holes.into_iter().chain(["-9", " n.b. ", "\"\"", "#N/A", "<NA>"]) {
        let table = format!("x,y\n1,0\n{hole},0\n-9.5,0\n");
        assert_eq!(values(read(&table, &spec)), Ok(vec![1.0, -1.0, -9.5]), "{hole}");
    }
    let error = read("x\n1\nn.b\n", &spec).unwrap_err();
    assert_eq!(error.lines().next(), Some("t.csv:3: column 0 (x): \"n.b\" is not a number"));
    let error = read("x\n1\ninf\n", &spec).unwrap_err();
    assert_eq!(error.lines().next(), Some("t.csv:3: column 0 (x): \"inf\" is not a finite number"));
}

#[test]
fn a_class_may_be_missing_or_unknown() {
    let table = "kind,y\nsetosa,0\n?,0\nvirginica,0\n";
    let of = |missing| [PortSpec { missing, ..integer("kind", species()) }];
    let (missing, unknown) = (of(Missing::Hole(vec![])), of(Missing::Unknown));
    let (missing, unknown) = (TableSpec::new(&missing, &[]), TableSpec::new(&unknown, &[]));
    assert_eq!(values(read(table, &missing)), Ok(vec![0.0, -1.0, 2.0]));
    assert_eq!(values(read(table, &unknown)), Ok(vec![0.0, -1.0, 2.0]));
    let other = table.replace('?', "virginca");
    assert_eq!(values(read(&other, &unknown)), Ok(vec![0.0, -1.0, 2.0]));
    assert_eq!(
        read(&other, &missing).unwrap_err(),
        "t.csv:3: column 0 (kind): \"virginca\" is not a class of the model\n\
         help: did you mean \"virginica\"?"
    );
    // Such words are counted, and text in another encoding is none.
    let city = [PortSpec { missing: Missing::Unknown, ..integer("kind", species()) }];
    let spec = TableSpec::new(&city, &[]);
    let bytes = |text: &[u8]| read_csv(text, "t.csv", &spec).map_err(|error| error.to_string());
    let found = bytes(b"kind\nsetosa\nrose\n?\ntulip\n").unwrap().unlisted;
    let rose = Unlisted { port: "kind".into(), count: 2, first: "rose".into() };
    assert_eq!(found, [rose]);
    assert_eq!(
        bytes(b"kind\nsetosa\nros\xE9\n"),
        Err("t.csv:3: column 0 (kind): \"ros\u{FFFD}\" is not valid UTF-8".into())
    );
    // A word of the model is a class, whatever else it may stand for.
    let na = arenet_runtime::data::Domain::Names(words(&["NA", "EU"]));
    let continent = [PortSpec { missing: Missing::Hole(vec![]), ..integer("c", na) }];
    let found =
        read("c\nEU\nNA\n\"\",\n".replace(',', "").as_str(), &TableSpec::new(&continent, &[]));
    assert_eq!(values(found), Ok(vec![1.0, 0.0, -1.0]));
}

#[test]
fn a_row_without_a_target_is_left_out() {
    let x = [real("x", 1)];
    let t =
        [PortSpec { missing: Missing::LeftOut(words(&["none yet"])), ..integer("t", species()) }];
    let table = "x,t\n1,setosa\n2,\n3,none yet\n4,virginica\n5,NaN\n";
    let spec = TableSpec::new(&x, &t);
    let expected = dataset(2, &[floats(1, &[1.0, 4.0])], &[integers(&[0, 2])]);
    assert_eq!(
        read(table, &spec),
        Ok(Dataset { left_out: 3, lacking: vec![("t".into(), 3)], ..expected })
    );
    // A prediction needs no target.
    let spec = TableSpec { targets_optional: true, ..spec };
    let targets = [integers(&[0, MISSING, MISSING, 2, MISSING])];
    let expected = dataset(5, &[floats(1, &[1.0, 2.0, 3.0, 4.0, 5.0])], &targets);
    assert_eq!(read(table, &spec), Ok(expected));
    assert_eq!(
        read("x,t\n1,\n2,?\n", &TableSpec::new(&x, &t)).unwrap_err(),
        "t.csv: none of its 2 rows has a target\n\
         help: fill the targets in, or name their column: `columns(\"x=0..4,t=4\")`"
    );
}

#[test]
fn truth_is_a_number() {
    let x = [real("x", 1)];
    let found = read("x,y\nTrue,0\nfalse,0\n1,0\n", &TableSpec::new(&x, &[]));
    assert_eq!(values(found), Ok(vec![1.0, 0.0, 1.0]));
    let flag = [integer("x", arenet_runtime::data::Domain::Range(0, 2))];
    let found = read("x,y\nTRUE,0\nfalse,0\n", &TableSpec::new(&flag, &[]));
    assert_eq!(values(found), Ok(vec![1.0, 0.0]));
    // A first row of nothing else is a row, and no header.
    let found = read("true\nfalse\n", &TableSpec::new(&x, &[]));
    assert_eq!(values(found), Ok(vec![1.0, 0.0]));
}

#[test]
fn a_model_names_its_columns() {
    let x = [PortSpec { from: named(&["bill length (mm)", "mass"]), ..real("x", 2) }];
    let t = [PortSpec { from: named(&["who is it?"]), ..integer("t", species()) }];
    let spec = TableSpec::new(&x, &t);
    let table = "id,mass,who is it?,bill length (mm)\n7,3.5,setosa,1.5\n8,4.5,virginica,2.5\n";
    let inputs = [floats(2, &[1.5, 3.5, 2.5, 4.5])];
    assert_eq!(read(table, &spec), Ok(dataset(2, &inputs, &[integers(&[0, 2])])));
    let without = "mass,bill length (mm)\n3.5,1.5\n4.5,2.5\n";
    let optional = TableSpec { targets_optional: true, ..spec };
    assert_eq!(read(without, &optional), Ok(dataset(2, &inputs, &[])));
    assert_eq!(
        read(without, &spec).unwrap_err(),
        "t.csv:1: there is no column \"who is it?\"\n\
         help: the columns are mass, bill length (mm)"
    );
    assert_eq!(
        read(&table.replace(",mass", ",masse"), &spec).unwrap_err(),
        "t.csv:1: there is no column \"mass\"\nhelp: did you mean \"masse\"?"
    );
    assert_eq!(
        read("7,3.5,setosa,1.5\n", &spec).unwrap_err(),
        "t.csv:1: the model names the column \"bill length (mm)\", but the table has no header\n\
         help: say where its columns are, from 0: `columns(\"x=0..2\")`; or `header(true)` if its \
         first row is a header"
    );
    assert_eq!(
        read("mass,mass,who is it?,bill length (mm)\n1,2,setosa,1.5\n", &spec).unwrap_err(),
        "t.csv:1: the header has \"mass\" more than once\n\
         help: give each column a name of its own"
    );
}

#[test]
fn a_model_says_where_its_columns_are() {
    let x = [PortSpec { from: places(&[3, 1]), ..real("x", 2) }];
    let t = [PortSpec { from: places(&[0]), ..integer("t", species()) }];
    let spec = TableSpec::new(&x, &t);
    let table = "setosa,3.5,left,1.5\nvirginica,4.5,right,2.5\n";
    let expected = dataset(2, &[floats(2, &[1.5, 3.5, 2.5, 4.5])], &[integers(&[0, 2])]);
    assert_eq!(read(table, &spec), Ok(expected.clone()));
    assert_eq!(read(&format!("a,b,c,d\n{table}"), &spec), Ok(expected));
    assert_eq!(
        read("setosa,3.5,left\n", &spec).unwrap_err(),
        "t.csv:1: the model gives x column 3, but the table has 3 columns\n\
         help: columns are counted from 0, and the end of a range is not part of it"
    );
}
