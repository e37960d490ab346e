//! Files that are given as a model and are none: tables, weights and programs of other tools.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::failure::Failure;

/// What a file is, and what `FILE` may be given to instead.
struct Kind {
    what: &'static str,
    help: &'static str,
}

const TABLE: Kind = Kind {
    what: "a table",
    help: "`arenet new FILE --target COLUMN` makes a model for it, and `--data FILE` gives a model \
           its rows",
};
const ARRAYS: Kind = Kind {
    what: "an array of numbers",
    help: "give it to a model by `--data`, as `arenet help train` says",
};
const WEIGHTS: Kind =
    Kind { what: "a file of weights", help: "`arenet show FILE` says what it has" };
const OTHERS: Kind = Kind {
    what: "a model of another tool",
    help: "write its layers in a .net file (`arenet help language`); weights can be taken from a \
           .safetensors file",
};
const PROGRAM: Kind = Kind {
    what: "a program of another language",
    help: "a model is a text of its own: `arenet help language`",
};

/// The endings of such files.
const ENDINGS: &[(Kind, &[&str])] = &[
    (TABLE, &["arff", "csv", "json", "jsonl", "ndjson", "parquet", "tsv", "xls", "xlsx"]),
    (ARRAYS, &["idx", "idx1-ubyte", "idx3-ubyte", "npy", "npz"]),
    (WEIGHTS, &["safetensors"]),
    (OTHERS, &["h5", "hdf5", "joblib", "keras", "onnx", "pb", "pkl", "pt", "pth", "tflite"]),
    (PROGRAM, &["ipynb", "py", "rs"]),
];

/// What such files begin with.
const BEGINNINGS: &[(Kind, &[u8])] = &[
    (TABLE, b"PAR1"),
    (ARRAYS, b"\x93NUMPY"),
    (OTHERS, b"\x89HDF"),
    (OTHERS, b"\x80\x02"),
    (OTHERS, b"PK\x03\x04"),
    (TABLE, b"{\""),
    (TABLE, b"[{"),
    (PROGRAM, b"import "),
];

/// The failure of a file that is no model, where its ending or, if that says nothing, its first
/// bytes say what it is.
pub fn told(path: &Path) -> Option<Failure> {
    let start = start(path)?;
    let kind = match is_model(&start) {
        true => return None,
        false => by_ending(path).or_else(|| by_content(path, &start))?,
    };
    let file = path.display().to_string();
    let failure = Failure::usage(format!("{file}: this is {}, not a model", kind.what));
    Some(failure.help(kind.help.replace("FILE", &file)))
}

fn by_ending(path: &Path) -> Option<&'static Kind> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    let packed = [".gz", ".zst"].iter().find_map(|end| name.strip_suffix(end));
    let (_, ending) = packed.unwrap_or(&name).rsplit_once('.')?;
    let known = ENDINGS.iter().find(|(_, endings)| endings.contains(&ending));
    known.map(|(kind, _)| kind)
}

/// The first bytes of a file.
fn start(path: &Path) -> Option<Vec<u8>> {
    const LOOKED_AT: u64 = 4096;
    let mut start = Vec::new();
    File::open(path).ok()?.take(LOOKED_AT).read_to_end(&mut start).ok()?;
    Some(start)
}

/// Whether a text begins as a model does, whatever its file is called.
fn is_model(start: &[u8]) -> bool {
    let text = String::from_utf8_lossy(start);
    let text = text.trim_start();
    ["//", "net ", "train ", "const ", "block "].iter().any(|begins| text.starts_with(begins))
}

fn by_content(path: &Path, start: &[u8]) -> Option<&'static Kind> {
    let known = BEGINNINGS.iter().find(|(_, beginning)| start.starts_with(beginning));
    if let Some((kind, _)) = known {
        return Some(kind);
    }
    // A safetensors file begins with the length of its header, an object of JSON.
    if start.get(4..9).is_some_and(|bytes| bytes == b"\0\0\0\0{") {
        return Some(&WEIGHTS);
    }
    let is_model = path.extension().is_some_and(|ending| ending == "net" || ending == "netc");
    (!is_model && is_table(start)).then_some(&TABLE)
}

/// Whether the first two lines have the same number of fields, and nothing that begins a model.
fn is_table(start: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(start) else { return false };
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let (Some(first), Some(second)) = (lines.next(), lines.next()) else { return false };
    let fields = |line: &str, by: char| line.matches(by).count();
    let alike = |by: char| fields(first, by) > 0 && fields(first, by) == fields(second, by);
    let is_code = first.contains(['{', '(']) || first.trim_start().starts_with("//");
    !is_code && [',', ';', '\t'].into_iter().any(alike)
}
