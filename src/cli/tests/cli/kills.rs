//! A training that is killed at any moment loses nothing: resumed, it ends with the same bytes.

use std::io::{BufRead, BufReader, Read};

use crate::common::{Folder, model};

/// A net with everything that a run carries on: states, a schedule over the run, a random order,
/// validations and the best weights.
fn folder(test: &str) -> Folder {
    let folder = Folder::new(test);
    let text = std::fs::read_to_string(model("iris.net")).unwrap();
    folder.write(
        "iris.net",
        text.replacen("epochs = 100", "epochs = 300 validate = 5 keep = best", 1),
    );
    folder.write("iris.csv", std::fs::read(model("iris.csv")).unwrap());
    folder
}

/// Kills that a test makes; more of them on demand, such as by `ARENET_KILLS=1000`.
fn kills() -> u32 {
    std::env::var("ARENET_KILLS").map_or(50, |kills| kills.parse().unwrap())
}

#[test]
fn a_run_that_is_killed_again_and_again_loses_nothing() {
    let folder = folder("kills");
    folder.ok("train iris.net -q --out straight");
    let expected = folder.read("straight");
    let first = "train iris.net --json -q --checkpoint-every 0.02 --checkpoint c --out resumed";
    let mut state = 1_u64;
    let mut random = |below: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let (mut killed, mut ended) = (0, 0);
    while killed < kills() || ended == 0 {
        let args = if folder.has("c") { "train --resume c" } else { first };
        let mut child = folder.spawn(args);
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        for _ in 0..random(100) {
            line.clear();
            stdout.read_line(&mut line).unwrap();
        }
        if killed < kills() {
            let _ = child.kill(); // it may have ended
        }
        // Read to the end, or the child could not write on.
        stdout.read_to_end(&mut Vec::new()).unwrap();
        let done = child.wait_with_output().unwrap();
        if !done.status.success() {
            assert_eq!(done.status.code(), None, "{}", String::from_utf8_lossy(&done.stderr));
            killed += 1;
            continue;
        }
        assert!(folder.read("resumed") == expected, "after {killed} kills");
        ended += 1;
        folder.remove("c");
        folder.remove("resumed");
    }
    assert!(folder.has("c.previous"));
    let names = std::fs::read_dir(folder.path("")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.ends_with(".tmp")).count(), 0, "left by a killed writer");
}

#[test]
fn a_checkpoint_says_all_that_goes_on_with_it() {
    let folder = Folder::small("resume-alone");
    folder.write("rows", folder.read("small.csv"));
    let constant = "train small.net --set H=3 --data rows --seed 5 --no-shuffle";
    folder.ok(&format!("{constant} --epochs 4 --out four --checkpoint c"));
    folder.ok(&format!("{constant} --epochs 9 --out nine"));
    let resumed = folder.ok("--threads 1 train --resume c --epochs 9 --seed 5 -q");
    assert!(resumed.out.ends_with("weights: four\n"), "{}", resumed.out);
    assert_eq!((resumed.err.as_str(), folder.read("four")), ("", folder.read("nine")));
    // The checkpoint at the end of that run has the arguments of both.
    let told = folder.ok("train --resume c --epochs 10");
    assert!(told.err.contains("small.net: resumed after epoch 9\n"), "{}", told.err);
    assert!(folder.has("c.previous"));

    folder.fails(
        "train --resume four",
        2,
        "error: four: does not say how its run was started\n\
         help: name the model before --resume, and its data",
    );
    folder.fails(
        "train --resume none",
        3,
        "error: none: cannot be read: No such file or directory (os error 2)\n\
         help: did you mean \"nine\"?",
    );
    folder.write("c", &folder.read("c")[..700]);
    let spoilt = folder.run("train small.net --set H=3 --data rows --seed 5 --resume c");
    assert_eq!(spoilt.code, 3);
    assert!(
        spoilt.err.contains("\nhelp: the checkpoint before it is c.previous\n"),
        "{}",
        spoilt.err
    );
    folder.fails(
        "train small.net --checkpoint small.csv",
        2,
        "error: small.csv: would replace the data that the command reads\n\
         help: name another file with --checkpoint",
    );
    // Nor may the second name be that of another file.
    folder.write("mine.previous", "mine");
    folder.fails(
        "train small.net --checkpoint mine",
        2,
        "error: mine.previous: is no checkpoint, so none may replace it\n\
         help: name another file with --checkpoint",
    );
    folder.write("table.previous", folder.read("small.csv"));
    folder.fails(
        "train small.net --data table.previous --checkpoint table",
        2,
        "error: table.previous: would replace the data that the command reads\n\
         help: name another file with --checkpoint",
    );
    folder.fails(
        "train small.net --checkpoint same --out same",
        2,
        "error: same: is for the weights already\nhelp: name another file with --checkpoint",
    );
    folder.fails(
        "train small.net --checkpoint four",
        2,
        "error: four: is no checkpoint, so none may replace it\n\
         help: name another file with --checkpoint",
    );
}
