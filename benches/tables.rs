//! Reading a table: `cargo bench -p arenet-benches --bench tables`.
//!
//! 100,000 rows of 20 numbers with five decimals, in memory, on one thread. The peer is what a
//! program would write by itself: the crate `csv` splits the rows, `str::parse` reads the numbers.

use std::hint::black_box;

use arenet::Net;
use criterion::{Criterion, Throughput};

const ROWS: usize = 100_000;
const COLUMNS: usize = 20;

/// Numbers from -10 to 10, as a table of text.
fn table() -> String {
    let mut state = 1_u32;
    let mut number = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223); // Numerical Recipes
        f64::from(state >> 8) / f64::from(1 << 23) * 10.0 - 10.0
    };
    let row = |_| {
        let numbers: Vec<String> = (0..COLUMNS).map(|_| format!("{:.5}", number())).collect();
        numbers.join(",") + "\n"
    };
    (0..ROWS).map(row).collect()
}

fn by_hand(text: &[u8]) -> Vec<f32> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text);
    let (mut record, mut values) = (csv::ByteRecord::new(), Vec::new());
    while reader.read_byte_record(&mut record).expect("the rows have as many fields each") {
        let numbers = record.iter().map(|field| std::str::from_utf8(field).ok()?.parse().ok());
        values.extend(numbers.map(|number: Option<f32>| number.expect("all are numbers")));
    }
    values
}

fn main() {
    let text = table();
    let net = Net::parse("net n { input x: [N, 20]  output y = sum(x, axis: last) }");
    let reader = net.expect("it has no mistake").reader().header(false);
    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    let mut group = criterion.benchmark_group("tables");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("read", |b| {
        b.iter(|| reader.csv_from(black_box(text.as_bytes()), "table").expect("it is a table"));
    });
    group.bench_function("csv and parse", |b| b.iter(|| by_hand(black_box(text.as_bytes()))));
    group.finish();
    criterion.final_summary();
}
