//! Rows held out by class, by a column or by their place, from the text to an evaluation.

use crate::common::{Folder, model};
use pretty_assertions::assert_eq;

/// A folder with iris, its rows held out in this way; each ten flowers are of one garden.
fn iris(test: &str, by: &str) -> Folder {
    let folder = Folder::new(test);
    let text = std::fs::read_to_string(model("iris.net")).unwrap();
    let text = text.replace("valid = 0.2", &format!("valid = 0.2, by: {by}"));
    let text = text.replace("cosine(0.02, to: 0.0001, warmup: 20)", "0.02");
    folder.write("iris.net", text.replace("epochs = 100", "epochs = 3"));
    let table = std::fs::read_to_string(model("iris.csv")).unwrap();
    let row = |(index, line): (usize, &str)| match index {
        _ if !by.starts_with("gard") => format!("{line}\n"),
        0 => format!("garden,{line}\n"),
        _ => format!("g{},{line}\n", index * 31 % 15),
    };
    folder.write("iris.csv", table.lines().enumerate().map(row).collect::<String>());
    folder
}

#[test]
fn an_evaluation_knows_the_rows_that_were_held_out() {
    for (by, rows) in [("class", 30), ("last", 30), ("garden", 30)] {
        let folder = iris(&format!("splits-{by}"), by);
        let trained = folder.ok("train iris.net --checkpoint c").out;
        let told = format!(" on {rows} held-out rows\n");
        let (figures, _) = trained.split_once(&told).unwrap_or_else(|| panic!("{by}: {trained}"));
        let evaluated = folder.ok("eval iris.net -q --held-out").out;
        assert_eq!(evaluated, format!("{figures} on {rows} rows\n"), "{by}");
        // Another epoch, from the checkpoint or straight, has the same rows.
        folder.ok("train --resume c --epochs 4 --out resumed");
        folder.ok("train iris.net --epochs 4 --out straight");
        assert!(folder.read("resumed") == folder.read("straight"), "{by}");
        folder.ok("predict iris.net --data iris.csv");
        let folds = folder.ok("train iris.net --folds 3 --json --epochs 1");
        assert_eq!(folds.out.lines().count(), 4, "{by}");
    }
}

#[test]
fn a_column_that_holds_rows_out_has_to_be_there() {
    let folder = iris("splits-column", "gardn");
    let (code, name) = (3, "there is no column \"gardn\", to hold rows out by");
    folder.fails(
        "train iris.net -q",
        code,
        &format!("error: iris.csv:1: {name}\nhelp: did you mean \"garden\"?"),
    );
    folder.write("plain.csv", "5.1,3.5,1.4,0.2,setosa\n");
    folder.fails(
        "train iris.net -q --data plain.csv",
        3,
        "error: plain.csv:1: rows are held out by their column \"gardn\", and the table has no \
         header\n\
         help: write the names of its columns above its rows, or say --header yes if they \
         are there",
    );
    folder.write("other.csv", "a,b,c,d,species\n5.1,3.5,1.4,0.2,setosa\n");
    folder.fails(
        "train iris.net -q --data other.csv",
        3,
        &format!("error: other.csv:1: {name}\nhelp: the columns are a, b, c, d, species"),
    );
    // Rows that are all validated on need no column, and none that is learned from a stream.
    folder.write("iris.net", folder.text("iris.net").replace("gardn", "garden"));
    let plain = std::fs::read(model("iris.csv")).unwrap();
    folder.write("valid.csv", plain);
    folder.ok("train iris.net -q --valid valid.csv");

    folder.fails("train iris.net -q --folds 20", 2, "error: 15 groups are too few for 20 folds");
}

#[test]
fn a_class_needs_a_row_on_either_side() {
    let folder = iris("splits-class-few", "class");
    let table = folder.text("iris.csv");
    let few: Vec<&str> = table.lines().take(102).collect();
    folder.write("few.csv", few.join("\n"));
    folder.fails(
        "train iris.net -q --data few.csv",
        2,
        "error: the class virginica has one row, and by class each needs a row on either side: \
         add rows of it, or hold out without `by: class`",
    );
}
