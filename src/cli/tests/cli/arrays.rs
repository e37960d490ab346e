//! `--data` with a file for each input and target: arrays of npy and IDX.

use crate::common::{Folder, SMALL};
use pretty_assertions::assert_eq;

/// The rows of the small net as a matrix of npy and a column of IDX.
fn arrays(test: &str) -> Folder {
    let folder = Folder::small(test);
    folder.write("x.npy", matrix(&[[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]));
    folder.write("t-idx1-ubyte", [&[0, 0, 8, 1, 0, 0, 0, 4][..], &[0, 1, 1, 0]].concat());
    folder
}

fn matrix(rows: &[[f32; 2]]) -> Vec<u8> {
    let shape = format!("({}, 2)", rows.len());
    let text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes.extend(rows.iter().flatten().flat_map(|value| value.to_le_bytes()));
    bytes
}

#[test]
fn a_net_learns_from_arrays_as_from_a_table() {
    let folder = arrays("arrays-train");
    folder.ok("train small.net -q --out table.safetensors");
    let data = "--data x=x.npy,t=t-idx1-ubyte";
    let note = folder.ok(&format!("train small.net {data} --valid x=x.npy,t=t-idx1-ubyte"));
    assert!(note.err.contains("x.npy, t-idx1-ubyte: 4 rows to train on, 4 held out"), "{note:?}");
    // The 17 parameters behind the header, which has names of columns only from the table.
    let values = |name: &str| folder.read(name).split_off(folder.read(name).len() - 17 * 4);
    assert_eq!(values("small.safetensors"), values("table.safetensors"));
    assert_eq!(folder.ok(&format!("eval small.net {data}")).out, folder.ok("eval small.net").out);
    let expected = folder.ok("predict small.net").out;
    assert_eq!(folder.ok(&format!("predict small.net {data}")).out, expected);
    assert_eq!(folder.ok("predict small.net --data x=x.npy").out, expected, "without targets");
}

#[test]
fn mistakes_say_what_to_do() {
    let folder = arrays("arrays-mistakes");
    folder.ok("train small.net -q");
    folder.fails(
        "eval small.net --data x=x.npy",
        3,
        "error: x.npy: there is no file for \"t\" beside it\nhelp: add t=FILE",
    );
    folder.fails(
        "eval small.net --data x=x.npy,t=t-idx1-ubyte --columns x=0..2",
        2,
        "error: --columns chooses columns of a table, and --data names files of arrays\n\
         help: leave --columns out",
    );
    folder.fails(
        "predict small.net --data x=small.csv",
        3,
        "error: small.csv: is neither an npy nor an IDX file\n\
         help: a table of text, or an npz archive, is given alone: --data FILE",
    );
    let done = folder.run("predict small.net --data x=x.npy,t-idx1-ubyte");
    assert_eq!(done.code, 2);
    assert!(done.err.contains("`t-idx1-ubyte` is not of the form PORT=FILE"), "{}", done.err);
    // A table whose name looks like a port's file.
    folder.write("x=1.csv", "0,0\n");
    assert_eq!(folder.ok("predict small.net --data ./x=1.csv").out.lines().count(), 2);
    folder.write("small.net", SMALL.replace("[N, 2]", "[N, 3]"));
    folder.fails(
        "train small.net --data x=x.npy,t=t-idx1-ubyte",
        3,
        "error: x.npy: has 2 in a row, and \"x\" takes 3 values\n\
         help: save rows of 3 values, or change \"x\" in the net",
    );
}
