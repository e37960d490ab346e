//! Tables that are read, and what becomes of them.

use std::path::Path;

use arenet_runtime::data::{
    ColumnMap, Dataset, Domain, PortSpec, TableSpec, Values, read_csv, read_csv_file,
};
use pretty_assertions::assert_eq;

use super::{dataset, digits, floats, integer, integers, real, species};

#[track_caller]
fn check_spec(text: &str, spec: &TableSpec<'_>, expected: &Dataset) {
    match read_csv(text.as_bytes(), "t.csv", spec) {
        Ok(found) => {
            let Dataset { columns, unused, .. } = expected.clone();
            assert_eq!(Dataset { columns, unused, ..found }, *expected);
        }
        Err(error) => panic!("{error:#}"),
    }
}

/// Reads into the input x of 2 columns and the target t of 1, both real.
#[track_caller]
fn check(text: &str, x: &[f32], t: &[f32]) {
    let (inputs, targets) = ([real("x", 2)], [real("t", 1)]);
    let expected = dataset(t.len(), &[floats(2, x)], &[floats(1, t)]);
    check_spec(text, &TableSpec::new(&inputs, &targets), &expected);
}

#[test]
fn separators_line_ends_and_spaces() {
    let (x, t) = ([1.0, 2.0, 4.0, 5.0], [3.0, 6.0]);
    check("1,2,3\n4,5,6\n", &x, &t);
    check("1,2,3\n4,5,6", &x, &t);
    check("1,2,3\r\n4,5,6\r\n", &x, &t);
    check("1;2;3\n4;5;6\n", &x, &t);
    check("1\t2\t3\n4\t5\t6\n", &x, &t);
    check(" 1 , 2,3 \n4,\u{20}5 ,6\n", &x, &t);
    check("\n  \n1,2,3\n\n\r\n4,5,6\n\n", &x, &t);
    check("\u{FEFF}1,2,3\n4,5,6\n", &x, &t);
    check("\"1\",\"2\",3\n4,\"5\",\" 6 \"\n", &x, &t);
    check("a,\"b;c\",d\n1,2,3\n4,5,6\n", &x, &t);
}

#[test]
fn numbers_of_every_form() {
    check("-1,+2.5,1e3\n", &[-1.0, 2.5], &[1000.0]);
    check(".5,5.,1E-3\n", &[0.5, 5.0], &[0.001]);
    check("0.1,16777217,123456789\n", &[0.1, 16_777_216.0], &[123_456_789.0]);
    check("9999999,0000001,00000000\n", &[9_999_999.0, 1.0], &[0.0]);
    check("1e-60,3.4028235e38,-0\n", &[0.0, f32::MAX], &[-0.0]);
}

/// Every number has the bits that the standard library gives it.
#[test]
fn numbers_are_rounded_once() {
    let mut state = 1_u64;
    let mut random = |below: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    // Those that lie halfway between two numbers of 32 bits, or next to it; then any.
    let mut texts = ["16777217", "16777219", "33554434.0", "0.500000029802322", "-0", "-.0", "000"]
        .map(String::from)
        .to_vec();
    for power in 0..12 {
        let half = f64::from(8_388_609_u32 + power) + 0.5;
        let value = half / f64::from(1_u32 << power);
        texts.extend([format!("{value}"), format!("-{value}"), format!("{value}1")]);
    }
    for _ in 0..20_000 {
        let (digits, decimals) = (random(9) as u32 + 1, random(8) as usize);
        let (whole, part) = (random(10_u64.pow(digits)), random(10_u64.pow(decimals as u32)));
        let sign = if random(2) == 0 { "-" } else { "" };
        texts.push(format!("{sign}{whole}.{part:0decimals$}"));
        texts.push(format!("{sign}.{whole}"));
    }
    let table = "x\n".to_string() + &texts.join("\n");
    let x = [real("x", 1)];
    let data = read_csv(table.as_bytes(), "t.csv", &TableSpec::new(&x, &[])).unwrap();
    let Values::F32(values) = &data.inputs[0].data else { panic!("x is real") };
    assert_eq!(values.len(), texts.len());
    for (text, value) in texts.iter().zip(values) {
        assert_eq!(value.to_bits(), text.parse::<f32>().unwrap().to_bits(), "{text}");
    }
}

#[test]
fn a_first_row_of_names_is_a_header() {
    check("a,b,c\n1,2,3\n", &[1.0, 2.0], &[3.0]);
    check(",0_0,0_1\n1,2,3\n", &[1.0, 2.0], &[3.0]);
    check("\"a\nb\",c,d\n1,2,3\n", &[1.0, 2.0], &[3.0]);
    // A port's name makes a header of a row with numbers.
    check("0,1,t\n1,2,3\n", &[1.0, 2.0], &[3.0]);
}

#[test]
fn columns_go_by_name_wherever_they_are() {
    check("t,x.0,x.1\n3,1,2\n", &[1.0, 2.0], &[3.0]);
    check("x.1,t.0,x.0\n2,3,1\n", &[1.0, 2.0], &[3.0]);
    check("t,a,b\n3,1,2\n", &[1.0, 2.0], &[3.0]);
    check("x.1,a,x.0\n2,3,1\n", &[1.0, 2.0], &[3.0]);
    // Where every port is named, other columns do not matter, whatever they hold.
    check("id,t,note,x.0,x.1\n#1,3,,1,2\n", &[1.0, 2.0], &[3.0]);
}

#[test]
fn several_ports_share_a_table_in_order() {
    let inputs = [real("a", 1), real("b", 2)];
    let targets = [real("t", 1), integer("u", Domain::Any)];
    let a_b = [floats(1, &[1.0]), floats(2, &[2.0, 3.0])];
    let expected = dataset(1, &a_b, &[floats(1, &[4.0]), integers(&[5])]);
    let spec = TableSpec::new(&inputs, &targets);
    check_spec("1,2,3,4,5\n", &spec, &expected);
    check_spec("u,b.0,b.1,p,q\n5,2,3,1,4\n", &spec, &expected);
}

#[test]
fn a_map_decides_for_the_ports_that_it_names() {
    let (inputs, targets) = ([real("x", 2)], [real("t", 1)]);
    let expected = dataset(1, &[floats(2, &[1.0, 2.0])], &[floats(1, &[3.0])]);
    let check = |map: &str, text: &str| {
        let map = ColumnMap::parse(map).unwrap();
        let spec = TableSpec { columns: Some(&map), ..TableSpec::new(&inputs, &targets) };
        check_spec(text, &spec, &expected);
    };
    check("x=1..3,t=0", "3,1,2\n");
    check("x=2,1,t=0", "3,2,1\n");
    check("t=0", "3,1,2\n");
    check("x=a,b,t=c", "c,d,a,b\n3,9,1,2\n");
    check("x=1..2,b,t=c", "c,a,b\n3,1,2\n");
    check("t=0", "t2,p,q\n3,1,2\n");
    check(" x = 1 .. 3 , t = 0 ", "3,1,2,9\n");
    // The map comes before the header's names.
    check("t=1", "t,u,v\n1,3,2\n");
}

#[test]
fn a_map_may_give_one_column_to_two_ports() {
    let (inputs, targets) = ([real("x", 2)], [real("t", 2)]);
    let map = ColumnMap::parse("x=0..2,t=0..2").unwrap();
    let spec = TableSpec { columns: Some(&map), ..TableSpec::new(&inputs, &targets) };
    let both = [floats(2, &[1.0, 2.0])];
    check_spec("1,2\n", &spec, &dataset(1, &both, &both));
}

#[test]
fn domains_give_integers_and_class_indices() {
    let (inputs, targets) = ([real("x", 1)], [integer("t", digits())]);
    let spec = TableSpec::new(&inputs, &targets);
    let expected = dataset(3, &[floats(1, &[1.0, 2.0, 3.0])], &[integers(&[9, 0, 7])]);
    check_spec("1,9\n2,0\n3,7.0\n", &spec, &expected);

    let targets = [integer("t", species())];
    let spec = TableSpec::new(&inputs, &targets);
    let expected = dataset(2, &[floats(1, &[1.0, 2.0])], &[integers(&[2, 0])]);
    check_spec("1,virginica\n2, setosa \n", &spec, &expected);
    check_spec("size,kind\n1,virginica\n2,setosa\n", &spec, &expected);

    let targets = [PortSpec { integer: false, ..integer("t", species()) }];
    let expected = dataset(1, &[], &[floats(1, &[1.0])]);
    // Only class names: a row of data, though it has no number.
    check_spec("versicolor\n", &TableSpec::new(&[], &targets), &expected);
}

#[test]
fn targets_may_be_absent_where_they_are_optional() {
    let (inputs, targets) = ([real("x", 2)], [integer("t", species())]);
    let spec = TableSpec { targets_optional: true, ..TableSpec::new(&inputs, &targets) };
    let without = dataset(1, &[floats(2, &[1.0, 2.0])], &[]);
    check_spec("1,2\n", &spec, &without);
    check_spec("a,b\n1,2\n", &spec, &without);
    check_spec("id,x.0,x.1\n7,1,2\n", &spec, &without);
    let with = dataset(1, &[floats(2, &[1.0, 2.0])], &[integers(&[0])]);
    check_spec("1,2,setosa\n", &spec, &with);
    check_spec("id,t,x.0,x.1\n7,setosa,1,2\n", &spec, &with);
}

#[test]
fn ports_without_columns_and_unused_quotes() {
    let expected = dataset(2, &[floats(0, &[]), floats(1, &[1.0, 2.0])], &[]);
    check_spec("1\n2\n", &TableSpec::new(&[real("e", 0), real("x", 1)], &[]), &expected);
}

/// The tables beside the models.
#[test]
fn the_tables_of_the_repository() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let (inputs, targets) = ([real("x", 4)], [integer("species", species())]);
    let iris = read_csv_file(models.join("iris.csv"), &TableSpec::new(&inputs, &targets)).unwrap();
    assert_eq!(iris.rows, 150);
    let Values::F32(x) = &iris.inputs[0].data else { panic!("x is real") };
    assert_eq!((x.len(), &x[..4]), (600, &[5.1, 3.5, 1.4, 0.2][..]));
    let Values::I32(classes) = &iris.targets[0].data else { panic!("species is an integer") };
    assert_eq!(classes.iter().sum::<i32>(), 150);

    let (inputs, targets) = ([real("x", 64)], [integer("label", digits())]);
    let digits = read_csv_file(models.join("digits.csv"), &TableSpec::new(&inputs, &targets));
    assert_eq!(digits.unwrap().rows, 1797);
}
