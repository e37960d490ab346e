//! Tables that are larger than memory may hold lie in files, and train to the same bits.

use arenet::{Data, Error, ErrorKind, Net, Reader, Trainer};
use std::fmt::Write;
use std::path::PathBuf;

/// Everything that looks at the rows of a table: statistics, holes, factors of classes, rows held
/// out by class, metrics over all rows, and batches that leave a rest.
const NET: &str = "
    net n {
        input x: [N, 5] missing
        input word: i32[N] in [\"a\", \"b\", \"c\"] missing
        h = concat(x |> standardize |> fill, word |> one_hot, is_missing(x)) |> dense(4) |> tanh
        output y = h |> dense(3)
    }
    train {
        target kind: i32[N] in 1..4
        loss = cross_entropy(y, kind, class_weight: balanced)
        metric accuracy(y, kind)
        optimizer = adam(lr: 0.01)
        batch = 192  epochs = 2  seed = 3  valid = 0.1, by: class
    }";

const ROWS: usize = 150_000;

/// A table of rows that look random: every value has its own, so an exchange of two shows.
fn table() -> String {
    let mut text = String::from("x.0,x.1,x.2,x.3,x.4,word,kind\n");
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    };
    for row in 0..ROWS {
        for _ in 0..5 {
            match next() % 50 {
                0 => text.push(','),
                _ => write!(text, "{}.{},", next() % 100, row).unwrap(),
            }
        }
        let word = ["a", "b", "c", ""][next() as usize % 4];
        writeln!(text, "{word},{}", 1 + next() % 3 * (next() % 2)).unwrap();
    }
    text
}

/// A reader whose rows lie in files.
fn spilling(net: &Net) -> Reader {
    net.reader().max_memory(4 << 20).spill_to(std::env::temp_dir())
}

/// The weights, as they are saved, and the figures of every epoch.
fn trained(mut trainer: Trainer) -> Result<(Vec<u8>, Vec<String>), Error> {
    let mut figures = Vec::new();
    while let Some(report) = trainer.train_epoch()? {
        let held_out = trainer.evaluate()?;
        figures.push(format!("{} {:?} {held_out:?}", report.loss, report.metrics));
    }
    Ok((saved(&mut trainer)?, figures))
}

fn saved(trainer: &mut Trainer) -> Result<Vec<u8>, Error> {
    let path = place("weights");
    trainer.save(&path)?;
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    Ok(bytes)
}

fn place(name: &str) -> PathBuf {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    std::env::temp_dir().join(format!("arenet-spill-{}-{count}-{name}", std::process::id()))
}

fn trainer(net: &Net, data: Data) -> Result<Trainer, Error> {
    // What is read ahead is two windows of 4 MiB, each less than all rows.
    net.trainer(data).max_memory(24 << 20).threads(1).build()
}

#[test]
fn rows_in_files_train_to_the_same_bits() -> Result<(), Error> {
    let net = Net::parse(NET)?;
    let table = table();
    let in_memory = net.reader().csv_from(table.as_bytes(), "table")?;
    let in_files = spilling(&net).csv_from(table.as_bytes(), "table")?;
    let bytes = (ROWS * 7 * 4) as u64;
    assert_eq!((in_memory.bytes_in_files(), in_files.bytes_in_files()), (0, bytes));
    assert_eq!(in_files.rows(), ROWS);

    let (weights, figures) = trained(trainer(&net, in_memory.clone())?)?;
    let (others, same_figures) = trained(trainer(&net, in_files.clone())?)?;
    assert_eq!(figures, same_figures);
    assert!(weights == others, "the weights differ");

    // A run goes on from a checkpoint wherever the rows are.
    let path = place("checkpoint");
    let mut first = trainer(&net, in_memory)?;
    first.train_epoch()?;
    first.save_checkpoint(&path)?;
    let mut second = trainer(&net, in_files.clone())?;
    second.resume(&path)?;
    std::fs::remove_file(path).unwrap();
    assert!(trained(second)?.0 == weights, "the weights differ after a checkpoint");

    // A predictor evaluates them.
    let path = place("weights");
    std::fs::write(&path, &weights).unwrap();
    let mut predictor = net.predictor(&path)?;
    std::fs::remove_file(path).unwrap();
    let of_files = predictor.evaluate(&in_files)?;
    let of_memory = predictor.evaluate(&net.reader().csv_from(table.as_bytes(), "table")?)?;
    assert_eq!(of_files, of_memory);
    Ok(())
}

#[test]
fn rows_to_validate_on_may_be_in_files_too() -> Result<(), Error> {
    let net = Net::parse(NET)?;
    let table = table();
    let own = |reader: Reader| -> Result<(Vec<u8>, Vec<String>), Error> {
        let data = reader.csv_from(table.as_bytes(), "table")?;
        let valid = reader.beside(&data).csv_from(table.as_bytes(), "table")?;
        let builder = net.trainer(data).validate_on(valid).epochs(1);
        trained(builder.max_memory(48 << 20).build()?)
    };
    assert!(own(net.reader())? == own(spilling(&net))?);
    Ok(())
}

#[test]
fn rows_in_files_are_no_values_of_a_step() -> Result<(), Error> {
    let net = Net::open("models/iris.net")?;
    let reader = net.reader().max_memory(3000).spill_to(std::env::temp_dir());
    let data = reader.csv("models/iris.csv")?;
    let mut trainer = net.online_trainer().steps(10).build()?;
    let error = trainer.step(&data, &data.targets()).unwrap_err();
    assert_eq!(error.to_string(), "the net has 1 input, and the values are of 0");
    Ok(())
}

#[test]
fn without_room_on_disk_there_is_a_way_out() -> Result<(), Error> {
    let net = Net::open("models/iris.net")?;
    let reader = net.reader().max_memory(3000);
    let nowhere = reader.clone().spill_to("no/such/folder").csv("models/iris.csv").unwrap_err();
    assert_eq!(
        format!("{nowhere:#}"),
        "no/such/folder: the rows that memory may not hold cannot be put there: No such file or \
         directory (os error 2)\nhelp: make room there, or raise the limit with `max_memory`"
    );
    // The places of the rows stay in memory.
    let reader = net.reader().max_memory(500).spill_to(std::env::temp_dir());
    assert_eq!(reader.csv("models/iris.csv").unwrap_err().kind(), ErrorKind::Limit);
    Ok(())
}
