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
    let stopped = interrupted(&folder, "-q --report run.html", "INT");
    assert_eq!(stopped.code, 130);
    let page = folder.text("run.html");
    assert!(page.contains("interrupted after ") && page.contains("\"ending\":\"Interrupted\""));
    assert!(page.contains("help: to go on, repeat the command with --resume"));
    let epoch = epoch_of(&stopped);
    let last = stopped.err.lines().last().unwrap();
    assert_eq!(
        last,
        "help: to go on, repeat the command with --resume small.ckpt.safetensors; \
         `eval` and `predict` take it as --weights"
    );
    assert!(stopped.err.contains("; checkpoint: small.ckpt.safetensors\n"), "{}", stopped.err);
    assert!(!folder.has("small.safetensors"), "weights are of a run that came to its end");
    for command in ["eval", "predict"] {
        folder.ok(&format!("{command} small.net --weights small.ckpt.safetensors"));
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
fn an_interrupted_training_saves_the_best_weights_that_it_keeps() {
    let folder = Folder::small("interrupt-best");
    let text = String::from_utf8(folder.read("small.net")).unwrap();
    folder.write("small.net", text.replacen("epochs", "keep = best  epochs", 1));
    let stopped = interrupted(&folder, "-q --valid small.csv", "INT");
    assert_eq!(stopped.code, 130);
    let weights = "; weights: small.safetensors, the best, of epoch ";
    assert!(stopped.err.contains(weights), "{}", stopped.err);
    assert!(folder.has("small.safetensors") && folder.has("small.ckpt.safetensors"));
    folder.ok("eval small.net --data small.csv");
}

#[test]
fn each_run_has_a_checkpoint_of_its_own() {
    let folder = Folder::small("interrupt-names");
    for (out, checkpoint) in
        [("w.v1", "w.v1.ckpt"), ("w.safetensors", "w.ckpt.safetensors"), ("w", "w.ckpt")]
    {
        let stopped = interrupted(&folder, &format!("-q --out {out}"), "INT");
        assert!(stopped.err.contains(&format!("; checkpoint: {checkpoint}\n")), "{}", stopped.err);
        assert!(folder.has(checkpoint) && !folder.has(out));
    }
}

#[test]
fn a_request_to_terminate_saves_too_and_spares_earlier_weights() {
    let folder = Folder::small("terminate");
    folder.ok("train small.net -q --out other.safetensors");
    let before = folder.read("other.safetensors");
    let stopped = interrupted(&folder, "-q --out other.safetensors", "TERM");
    assert_eq!(stopped.code, 130);
    assert!(folder.has("other.ckpt.safetensors"));
    assert!(folder.read("other.safetensors") == before, "those of the run that finished");
    let lines: Vec<String> = stopped.err.lines().map(String::from).collect();
    assert_eq!(lines.len(), 2, "{}", stopped.err);
}
