//! The models of real tables: as `arenet new` writes them, trained from the raw file.

use crate::common::Folder;
use pretty_assertions::assert_eq;
use std::path::Path;

/// Writes the model of a table as it stands in `models/`, trains it, and gives a figure of the
/// held-out rows.
fn held_out(stem: &str, target: &str, figure: &str) -> f64 {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    let read = |ending: &str| std::fs::read_to_string(models.join(stem.to_string() + ending));
    let folder = Folder::new(&format!("table-{stem}"));
    folder.write(&format!("{stem}.csv"), read(".csv").unwrap());
    folder.ok(&format!("new {stem}.csv --target {target}"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(models.join(format!("{stem}.net")), folder.text(&format!("{stem}.net")))
            .unwrap();
    }
    assert_eq!(folder.text(&format!("{stem}.net")), read(".net").unwrap(), "{stem}");
    let run = folder.ok(&format!("train {stem}.net --seed 1 --json"));
    let last = run.out.lines().last().unwrap();
    let done: serde_json::Value = serde_json::from_str(last).unwrap();
    assert_eq!(done["done"], true, "{last}");
    done["metrics"][figure].as_f64().unwrap_or_else(|| panic!("{last}"))
}

// The bounds are loose ones around what scikit-learn's networks reach on these tables: of held-out
// rows of one seed, few of them.

#[test]
fn penguins() {
    assert!(held_out("penguins", "species", "accuracy") >= 0.97);
}

#[test]
fn auto_mpg() {
    assert!(held_out("auto_mpg", "mpg", "mae") <= 2.5);
}

#[test]
fn abalone() {
    assert!(held_out("abalone", "last", "mae") <= 1.65);
}

#[test]
fn wine_red() {
    assert!(held_out("wine_red", "last", "mae") <= 0.56);
}
