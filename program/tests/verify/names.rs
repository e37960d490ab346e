//! What is shown to a person holds nothing that a terminal would obey.

use arenet_program::verify::verify;
use arenet_program::*;

use crate::sample::*;

#[test]
fn refuses_control_characters_in_every_name() {
    const NAMES: [fn(&mut Program) -> &mut String; 10] = [
        |p| &mut p.name,
        |p| &mut p.params[1].name,
        |p| &mut p.inputs[1].name,
        |p| &mut p.targets[0].name,
        |p| &mut p.outputs[0].name,
        |p| &mut p.metrics[0].name,
        |p| &mut p.routines[EntryPoint::Predict].steps[0].origin.name,
        |p| &mut p.routines[EntryPoint::Train].steps[2].origin.name,
        |p| {
            p.inputs[0].columns = ["a", "b", "c"].map(String::from).into();
            &mut p.inputs[0].columns[2]
        },
        |p| match &mut p.targets[0].domain {
            Domain::Names(names) => &mut names[1],
            other => panic!("{other:?}"),
        },
    ];
    for name in NAMES {
        // Escape, a newline, and the one-character form of an escape sequence's beginning.
        for (c, shown) in [('\u{1b}', "U+001B"), ('\n', "U+000A"), ('\u{9b}', "U+009B")] {
            let mut program = sample();
            name(&mut program).push(c);
            let found = verify(program).map(|_| ()).unwrap_err().to_string();
            assert_eq!(found, format!("a name holds the control character {shown}"));
        }
    }
}
