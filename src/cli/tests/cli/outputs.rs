//! What a command reads is still there when it ends, whatever it is told to write.

use std::fs::{self, File};

use crate::common::{Folder, SMALL, SMALL_ROWS, done};
use pretty_assertions::assert_eq;

const NAMES: [&str; 5] = ["small.net", "small.csv", "valid.csv", "w.safetensors", "c.safetensors"];

/// A model with rows and weights.
fn trained(test: &str) -> Folder {
    let folder = Folder::small(test);
    folder.write("valid.csv", SMALL_ROWS);
    folder.ok("train small.net -q --out w.safetensors");
    fs::copy(folder.path("w.safetensors"), folder.path("c.safetensors")).unwrap();
    folder
}

fn contents(folder: &Folder) -> Vec<Vec<u8>> {
    NAMES.iter().map(|name| folder.read(name)).collect()
}

/// Whether the command is refused, and told what it would have lost.
#[track_caller]
fn refuses(folder: &Folder, args: &str, what: &str) {
    let before = contents(folder);
    let done = folder.run(args);
    let expected = format!(": would replace {what} that the command reads");
    assert!(done.code == 2 && done.err.contains(&expected), "{args}: {done:#?}");
    assert!(done.err.contains("\nhelp: name another file with "), "{args}: {done:#?}");
    assert_eq!(done.out, "", "{args}");
    assert!(contents(folder) == before, "{args}");
}

#[test]
fn nothing_that_is_read_is_replaced() {
    let folder = trained("outputs");
    fs::create_dir(folder.path("inner")).unwrap();
    let train = "train small.net --valid valid.csv --init c.safetensors --out";
    let predict = "predict small.net --weights w.safetensors --out";
    for (command, name, what) in [
        (train, "small.net", "the model"),
        (train, "small.csv", "the data"),
        (train, "valid.csv", "the rows to validate on"),
        (train, "c.safetensors", "the weights"),
        (predict, "small.net", "the model"),
        (predict, "small.csv", "the data"),
        (predict, "w.safetensors", "the weights"),
        ("compile small.net -o", "small.net", "the model"),
    ] {
        refuses(&folder, &format!("{command} {name}"), what);
        refuses(&folder, &format!("{command} ./inner/../{name}"), what);
        #[cfg(unix)]
        {
            let [soft, hard] = ["inner/soft", "inner/hard"];
            [soft, hard].iter().for_each(|link| drop(fs::remove_file(folder.path(link))));
            std::os::unix::fs::symlink(format!("../{name}"), folder.path(soft)).unwrap();
            fs::hard_link(folder.path(name), folder.path(hard)).unwrap();
            refuses(&folder, &format!("{command} {soft}"), what);
            refuses(&folder, &format!("{command} {hard}"), what);
        }
    }
    // By the names that outputs have where none is given.
    fs::copy(folder.path("w.safetensors"), folder.path("small.safetensors")).unwrap();
    refuses(&folder, "train small.net --init small.safetensors", "the weights");
    refuses(&folder, "predict small.net --out small.safetensors", "the weights");
    // A file for each port, and a table on standard input.
    folder.write("x.npy", "no array, but there");
    refuses(&folder, "train small.net --data x=x.npy,t=small.csv --out x.npy", "the data");
    let mut command = folder.command(["predict", "small.net", "--data", "-", "--out", "valid.csv"]);
    command.stdin(File::open(folder.path("valid.csv")).unwrap());
    if cfg!(target_os = "linux") {
        let done = done(command.output().unwrap());
        let expected = "valid.csv: would replace the data that the command reads from /dev/stdin";
        assert!(done.code == 2 && done.err.contains(expected), "{done:?}");
    }
    assert_eq!(folder.text("small.net"), SMALL);
}

#[test]
fn a_checkpoint_replaces_none_but_a_checkpoint() {
    let folder = trained("outputs-checkpoint");
    fs::copy(folder.path("w.safetensors"), folder.path("small.ckpt.safetensors")).unwrap();
    refuses(&folder, "train small.net --init small.ckpt.safetensors", "the weights");
    folder.fails(
        "train small.net",
        2,
        "error: small.ckpt.safetensors: is no checkpoint, so none may replace it\n\
         help: name another file with --checkpoint, or with --out, after which it is called",
    );
    folder.fails(
        "train small.net --out /dev/stdout",
        2,
        "error: /dev/stdout: standard output has the results\n\
         help: name a file with --out",
    );
}

#[test]
fn earlier_weights_are_told_of() {
    let folder = Folder::small("outputs-earlier");
    let line = "small.safetensors: is there already; the end of this run replaces it\n";
    assert!(!folder.ok("train small.net").err.contains(line));
    assert!(folder.ok("train small.net").err.contains(line));
    assert_eq!(folder.ok("train small.net -q").err, "");
}

/// What stands before the last point of a name may be a part of it.
#[test]
fn names_with_points_are_kept_apart() {
    let folder = Folder::new("outputs-names");
    for version in ["v1", "v2"] {
        folder.write(&format!("model.{version}.net"), SMALL);
        folder.write(&format!("model.{version}"), SMALL);
        folder.write(&format!("model.{version}.csv"), SMALL_ROWS);
        folder.ok(&format!("train model.{version}.net -q --epochs 1"));
        folder.ok(&format!("train model.{version} -q --epochs 1"));
        folder.ok(&format!("compile model.{version}"));
        for ending in ["safetensors", "netc"] {
            assert!(folder.has(&format!("model.{version}.{ending}")), "{version} {ending}");
        }
        folder.ok(&format!("eval model.{version}.net"));
        folder.ok(&format!("predict model.{version}"));
    }
    folder.write("table.csv", SMALL);
    folder.fails(
        "train table.csv",
        3,
        "error: no data: there is no table.csv.csv beside the model\n\
         help: name a table with --data FILE",
    );
}

/// A file of any size is refused by the system, as one is by a disk that is full.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_cannot_be_finished_leaves_the_earlier_one() {
    use std::process::Command;

    let folder = trained("outputs-full");
    folder.ok("train small.net -q");
    let before = contents(&folder);
    let limited = |args: &str| {
        let script = format!("trap '' XFSZ; ulimit -f 0; exec \"$0\" {args}");
        let mut command = Command::new("sh");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_arenet")]);
        done(command.current_dir(folder.path("")).output().unwrap())
    };
    for (args, out) in [
        ("train small.net -q --out w.safetensors", "w.safetensors"),
        ("train small.net -q --out new.safetensors", "new.safetensors"),
        ("predict small.net --out valid.csv", "valid.csv"),
        ("compile small.net -o small.netc", "small.netc"),
    ] {
        let done = limited(args);
        let text = format!("error: {out}: cannot be written: File too large (os error 27)");
        assert_eq!((done.code, done.err.trim_end()), (3, &*text), "{args}");
        assert!(contents(&folder) == before, "{args}");
        assert!(out.starts_with('w') || out.starts_with('v') || !folder.has(out), "{args}");
    }
    let entries = fs::read_dir(folder.path("")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(names.into_iter().all(|name| !name.ends_with(".tmp")), "nothing is left behind");
}

/// Every kind of file in the place of every other.
#[cfg(unix)]
#[test]
fn a_file_that_is_none_is_told_of() {
    use std::os::unix::fs::symlink;

    let folder = trained("outputs-kinds");
    fs::create_dir(folder.path("folder")).unwrap();
    symlink("loop", folder.path("loop")).unwrap();
    symlink("nowhere", folder.path("dangling")).unwrap();
    for (name, reason) in [
        ("folder", "Is a directory"),
        ("loop", "Too many levels of symbolic links"),
        ("dangling", "No such file or directory"),
        ("small.net/x", "Not a directory"),
    ] {
        let weights = "--weights w.safetensors";
        for (args, code) in [
            (format!("check {name}"), 1),
            (format!("train small.net --data {name}"), 3),
            (format!("train small.net --valid {name}"), 3),
            (format!("train small.net --data x={name},t={name}"), 3),
            (format!("predict small.net {weights} --data {name}"), 3),
            (format!("train small.net --init {name}"), 3),
            (format!("train small.net --resume {name}"), 3),
            (format!("eval small.net --weights {name}"), 3),
        ] {
            let done = folder.run(&args);
            let told = done.err.contains(&format!("error: {name}: "));
            assert!(done.code == code && told, "{args}: {done:#?}");
            let folder_is_told = ["is no regular file", "there is no .net file in this folder"];
            let irregular =
                name == "folder" && folder_is_told.iter().any(|told| done.err.contains(told));
            assert!(done.err.contains(reason) || irregular, "{args}: {done:#?}");
        }
    }
    // A link to the table beside the model is followed, and if it leads nowhere that is said.
    fs::remove_file(folder.path("small.csv")).unwrap();
    symlink("nowhere", folder.path("small.csv")).unwrap();
    folder.fails(
        "train small.net -q",
        3,
        "error: small.csv: cannot be read: No such file or directory (os error 2)",
    );
    // So is one to weights that are not there yet.
    fs::remove_file(folder.path("small.csv")).unwrap();
    symlink("valid.csv", folder.path("small.csv")).unwrap();
    symlink("../outputs-kinds/new.safetensors", folder.path("new")).unwrap();
    folder.ok("train small.net -q --out new");
    assert!(fs::symlink_metadata(folder.path("new")).unwrap().is_symlink());
    folder.ok("eval small.net --weights new.safetensors");
}
