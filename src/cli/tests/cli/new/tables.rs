//! The models of real tables: as `arenet new` writes them, trained from the raw file.

use crate::common::Folder;
use arenet::{MISSING, Net, Slice};
use pretty_assertions::assert_eq;
use std::path::Path;

/// Writes the model of a table as it stands in `models/`, trains it, and gives a figure of the
/// held-out rows, with the folder where all that is.
fn trained(stem: &str, target: &str, figure: &str) -> (f64, Folder) {
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
    let figure = done["metrics"][figure].as_f64().unwrap_or_else(|| panic!("{last}"));
    (figure, folder)
}

fn held_out(stem: &str, target: &str, figure: &str) -> f64 {
    trained(stem, target, figure).0
}

// The bounds are loose ones around what scikit-learn's networks reach on these tables: of held-out
// rows of one seed, few of them.

#[test]
fn penguins() {
    let (accuracy, folder) = trained("penguins", "species", "accuracy");
    assert!(accuracy >= 0.97);

    // A raw row, with what is missing and a word that the model does not know, has the same bits by
    // every road: from the model, as a compiled program, alone, and in a program of Rust.
    let header = "island,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,sex\n";
    let rows = ["Dream,40.1,?,181,NA,MALE\n", "Atlantis,46.5,17.9,,3500,FEMALE\n"];
    folder.write("rows.csv", header.to_string() + &rows.concat());
    let whole = folder.ok("predict penguins.net --data rows.csv").out;
    folder.ok("compile penguins.net -o penguins.netc");
    let weights = "--weights penguins.safetensors";
    let compiled = folder.ok(&format!("predict penguins.netc --data rows.csv {weights}")).out;
    assert_eq!(compiled, whole);
    let mut alone = whole.lines().next().unwrap().to_string() + "\n";
    for row in rows {
        folder.write("row.csv", header.to_string() + row);
        let predicted = folder.ok("predict penguins.net --data row.csv").out;
        alone.push_str(predicted.split_once('\n').unwrap().1);
    }
    assert_eq!(alone, whole);
    let net = Net::open(folder.path("penguins.net")).unwrap();
    let mut predictor = net.predictor(folder.path("penguins.safetensors")).unwrap();
    let nan = f32::NAN;
    let numbers = [40.1, nan, 181.0, nan, 46.5, 17.9, nan, 3500.0];
    let (island, sex) = ([1, MISSING], [1, 0]);
    let inputs = [Slice::F32(&numbers), Slice::I32(&island), Slice::I32(&sex)];
    let mut probs = [[0.0f32; 3]; 2];
    predictor.predict_into(&inputs, &mut probs[..]).unwrap();
    for (probs, line) in probs.iter().zip(whole.lines().skip(1)) {
        let fields: Vec<String> = probs.iter().map(f32::to_string).collect();
        assert!(line.starts_with(&(fields.join(",") + ",")), "{line}: {fields:?}");
    }
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

/// The rows of several files, as those of one; the model is called after the first or the pattern.
#[test]
fn parts() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    let whole = std::fs::read_to_string(models.join("penguins.csv")).unwrap();
    let folder = Folder::new("table-parts");
    folder.write("whole.csv", &whole);
    let (header, rows) = whole.split_once('\n').unwrap();
    let (first, second) =
        rows.split_at(rows.len() / 2 + rows[rows.len() / 2..].find('\n').unwrap() + 1);
    folder.write("birds-1.csv", format!("{header}\n{first}"));
    folder.write("birds-2.csv", format!("{header}\n{second}"));
    let found = folder.ok("new whole.csv --target species").out;
    for (parts, model) in [("birds-*.csv", "birds"), ("birds-1.csv,birds-2.csv", "birds-1")] {
        assert_eq!(folder.ok(&format!("new {parts} --target species")).out, found);
        let text = folder.text(&format!("{model}.net"));
        let quoted = if parts.contains('*') { format!("'{parts}'") } else { parts.to_string() };
        let next = format!("//     arenet train {model}.net --data {quoted}\n");
        assert!(text.contains(&next), "{text}");
        assert!(text.contains("other columns of birds-1.csv and 1 more.\n"), "{text}");
        let body = |text: &str| text[text.find("    input").unwrap()..].to_string();
        assert_eq!(body(&text), body(&folder.text("whole.net")));
        folder.ok(&format!("train {model}.net --data {parts} --epochs 1"));
    }
    let gone = "error: gone.csv: cannot be read: No such file or directory (os error 2)\n\
                help: did you mean \"whole.csv\"?";
    folder.fails("new birds-1.csv,gone.csv --target species", 3, gone);
}
