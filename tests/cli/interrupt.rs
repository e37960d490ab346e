//! Ctrl-C ends a training cleanly, and it can go on from there.

use std::io::{BufRead, BufReader};
use std::process::Command;

use crate::common::{Done, Folder, done};
use pretty_assertions::assert_eq;

/// Starts a training without end, and stops it with a signal once an epoch has been told.
fn interrupted(folder: &Folder, args: &str, signal: &str) -> Done {
    let mut child = folder.spawn(&format!("train small.net --json --epochs 1000000000 {args}"));
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert!(line.starts_with('{'), "{line}");
    let kill = format!("kill -{signal} {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    // Read to the end, or the child could not write on.
    while stdout.read_line(&mut line).unwrap() > 0 {
        line.clear();
    }
    done(child.wait_with_output().unwrap())
}

/// The epoch in which it was stopped.
fn epoch_of(done: &Done) -> u64 {
    let (_, rest) = done.err.split_once("interrupted: in epoch ").expect("it says where");
    rest.split_once(',').unwrap().0.parse().unwrap()
}

#[test]
fn an_interrupted_training_goes_on_to_the_same_weights() {
    let folder = Folder::small("interrupt");
    let stopped = interrupted(&folder, "-q", "INT");
    assert_eq!(stopped.code, 130);
    let epoch = epoch_of(&stopped);
    let last = stopped.err.lines().last().unwrap();
    assert_eq!(last, "help: to go on, repeat the command with --resume small.ckpt.safetensors");
    assert!(stopped.err.contains("weights: small.safetensors\n"), "{}", stopped.err);
    for command in ["eval", "predict"] {
        let of_weights = folder.ok(&format!("{command} small.net")).out;
        let weights = "--weights small.ckpt.safetensors";
        assert_eq!(folder.ok(&format!("{command} small.net {weights}")).out, of_weights);
    }

    let epochs = epoch + 3;
    let resume = "--resume small.ckpt.safetensors --out resumed";
    let resumed = folder.ok(&format!("train small.net --epochs {epochs} {resume}"));
    assert!(resumed.err.contains("small.net: resumed "), "{}", resumed.err);
    folder.ok(&format!("train small.net -q --epochs {epochs} --out straight"));
    assert_eq!(folder.read("resumed"), folder.read("straight"));

    folder.fails(
        "train small.net -q --resume small.ckpt.safetensors --seed 5",
        3,
        "error: small.ckpt.safetensors: is of a run with seed 0, and this one has seed 5",
    );
}

#[test]
fn a_request_to_terminate_saves_too() {
    let folder = Folder::small("terminate");
    let stopped = interrupted(&folder, "-q --out other.safetensors", "TERM");
    assert_eq!(stopped.code, 130);
    assert!(folder.has("other.safetensors") && folder.has("other.ckpt.safetensors"));
    let lines: Vec<String> = stopped.err.lines().map(String::from).collect();
    assert_eq!(lines.len(), 2, "{}", stopped.err);
}
