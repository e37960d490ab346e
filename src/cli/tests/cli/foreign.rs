//! Names and values of other people's files: nothing of them reaches the terminal that it would
//! obey or that nobody would see.

use arenet::internals::compiler::compile;
use arenet::internals::runtime::program::codec::encode;
use arenet::internals::runtime::program::text::is_hidden;
use arenet::internals::runtime::program::{Domain, EntryPoint, Program};

use crate::common::{Done, Folder, SMALL, SMALL_ROWS};

/// A bell, the start of a command to the terminal in two forms, an override of the direction of
/// text, and a space without width.
const HOSTILE: &str = "a\u{7}\u{1b}[2J\u{9b}31m\u{202e}\u{200b}";
/// How its end is shown. What stands before it is no part of every name.
const SHOWN: &str = "\\u{202e}\\u{200b}";

/// Runs it with colours on, which would let everything through; then our own have to go.
fn run(folder: &Folder, args: &str) -> Done {
    let args = format!("{args} --color always");
    let Done { code, out, err } = folder.run(&args);
    let err = without_colors(&err);
    for (stream, text) in [("standard output", &out), ("standard error", &err)] {
        let hidden = text.chars().find(|&c| is_hidden(c) && c != '\n');
        assert_eq!(hidden, None, "{args}: {stream}: {text:?}");
    }
    Done { code, out, err }
}

/// The text without those commands to the terminal that only set a colour or a weight.
fn without_colors(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut rest = parts.next().unwrap_or_default().to_string();
    for part in parts {
        match part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').strip_prefix('m') {
            Some(after) => rest.push_str(after),
            None => rest.extend(["\u{1b}[", part]),
        }
    }
    rest
}

/// [`SMALL`] with something done to its names.
fn renamed(rename: impl Fn(&mut Program)) -> Vec<u8> {
    let mut program = compile(SMALL, &Default::default()).unwrap().program.program().clone();
    rename(&mut program);
    encode(&program)
}

#[test]
fn names_of_a_compiled_program() {
    let folder = Folder::small("foreign-netc");
    let all = |program: &mut Program| {
        program.name = HOSTILE.to_string();
        program.params[0].name = HOSTILE.to_string();
        program.metrics[0].name = HOSTILE.to_string();
        program.routines[EntryPoint::Train].steps[0].origin.name = HOSTILE.to_string();
        program.targets[0].domain = Domain::Names(vec![HOSTILE.into(), "b".into()]);
    };
    folder.write("small.netc", renamed(all));
    for command in ["check", "show", "bench --seconds 0.01", "profile --seconds 0.01", "train"] {
        run(&folder, &format!("{command} small.netc"));
        run(&folder, &format!("{command} small.netc --message-format json"));
    }
    for command in ["bench --seconds 0.01 --json", "profile --seconds 0.01 --json", "train --json"]
    {
        run(&folder, &format!("{command} small.netc"));
    }
    // A name that does not print, but that no terminal obeys, may be there.
    folder.write("small.netc", renamed(|program| program.name = "a\u{200b}".to_string()));
    let done = run(&folder, "show small.netc --plan");
    assert!(done.out.starts_with("a\\u{200b}: plan of train"), "{}", done.out);
    let done = run(&folder, "bench small.netc --seconds 0.01 --json");
    assert!(done.out.contains(r#""net":"a\u200b""#), "{}", done.out);
}

#[test]
fn cells_columns_and_classes_of_a_table() {
    let folder = Folder::small("foreign-csv");
    folder.write("small.csv", format!("x.0,x.1,t\n0,{HOSTILE},0\n"));
    let done = run(&folder, "train small.net");
    assert!(done.err.contains(SHOWN), "{}", done.err);
    folder.write("small.csv", format!("p,{HOSTILE},r\n0,x,0\n"));
    let done = run(&folder, "train small.net");
    assert!(done.err.contains(SHOWN), "{}", done.err);
}

#[test]
fn tensors_of_a_weight_file() {
    let folder = Folder::small("foreign-weights");
    folder.ok("train small.net -q");
    let mut header = String::new();
    for (index, name) in ["h.w", "h.b", "y.w", HOSTILE].iter().enumerate() {
        let (start, end) = (4 * index, 4 * index + 4);
        let name = serde_json::to_string(name).unwrap();
        let info =
            format!(r#"{name}:{{"dtype":"F32","shape":[1],"data_offsets":[{start},{end}]}}"#);
        header.push_str(if index == 0 { "{" } else { "," });
        header.push_str(&info);
    }
    header.push('}');
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend([0; 16]);
    folder.write("w.safetensors", bytes);
    let done = run(&folder, "predict small.net --weights w.safetensors");
    assert!(done.err.contains(SHOWN), "{}", done.err);
}

#[cfg(unix)]
#[test]
fn names_of_files() {
    let folder = Folder::new("foreign-paths");
    for (name, content) in [("net", SMALL), ("csv", SMALL_ROWS)] {
        folder.write(&format!("{HOSTILE}.{name}"), content);
    }
    let done = run(&folder, &format!("train {HOSTILE}.net --out {HOSTILE}.safetensors"));
    assert!(done.code == 0 && done.out.contains(SHOWN) && done.err.contains(SHOWN), "{done:#?}");
    for command in ["eval {}.csv", "check {}.none", "predict {}.net --data {}.none"] {
        let done = run(&folder, &command.replace("{}", HOSTILE));
        assert!(done.code != 0 && done.err.contains(SHOWN), "{done:#?}");
    }
}
