//! Statistics of columns with holes.

use arenet_runtime::program::Statistic;
use arenet_runtime::train::fit::Columns;

/// The statistics of so many columns.
fn of(statistic: Statistic, width: usize, values: &[f32]) -> Vec<Vec<f32>> {
    let mut columns = Columns::new(statistic, width);
    for pass in 0..statistic.passes() {
        columns.add(values, pass);
        columns.end_pass(pass);
    }
    columns.statistics()
}

/// numpy.nanmean, nanstd and so on of columns with holes, as scikit-learn takes them:
/// tests/reference/tables.json.
#[test]
fn holes_do_not_count() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/reference/tables.json");
    let reference = std::fs::read_to_string(path).unwrap();
    let reference: serde_json::Value = serde_json::from_str(&reference).unwrap();
    let list = |key: &str| -> Vec<f32> {
        let values = reference["holes"][key].as_array().unwrap().iter();
        values.map(|x| x.as_f64().map_or(f32::NAN, |x| x as f32)).collect()
    };
    let x = list("x");
    let close = |found: Vec<f32>, key: &str| {
        for (found, expected) in found.iter().zip(list(key)) {
            let none = key == "range" && expected == 0.0;
            let expected = if none { 1.0 } else { expected };
            assert!((found - expected).abs() <= 2e-7 * expected.abs(), "{key}: {found}");
        }
    };
    let found = of(Statistic::Deviation, 5, &x);
    found.into_iter().zip(["mean", "deviation"]).for_each(|(found, key)| close(found, key));
    let found = of(Statistic::Range, 5, &x);
    found.into_iter().zip(["min", "range"]).for_each(|(found, key)| close(found, key));
    close(of(Statistic::Mean, 5, &x).remove(0), "fill_mean");
    close(of(Statistic::Median, 5, &x).remove(0), "fill_median");
}

#[test]
fn columns_without_a_value_have_statistics_that_change_nothing() {
    let none = [f32::NAN; 2];
    let found = of(Statistic::Deviation, 2, &none);
    assert_eq!(found, [[0.0; 2], [1.0; 2]]);
    assert_eq!(of(Statistic::Range, 2, &none), [[0.0; 2], [1.0; 2]]);
    assert_eq!(of(Statistic::Median, 2, &none), [[0.0; 2]]);
}

#[test]
fn a_median_is_of_any_signs() {
    let rows = [-2.0, -1e-40, 3.0, -1.0, 5e8, -7.0, -3.0, 0.0, f32::NAN];
    let found = of(Statistic::Median, 3, &rows);
    assert_eq!(found, [[-2.0, 0.0, -2.0]]);
    // Numbers that differ in their last bits alone.
    let near: Vec<f32> = (0..1000u32).map(|i| f32::from_bits((5.0f32).to_bits() + i)).collect();
    let found = of(Statistic::Median, 1, &near[..999]);
    assert_eq!(found, [[near[499]]]);
}
