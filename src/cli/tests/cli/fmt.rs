//! `arenet fmt`: which files it changes, and how it is told of mistakes.

use crate::common::{Folder, model};
use pretty_assertions::assert_eq;

const SQUEEZED: &str = "net n{input x:[N,2] output y=x|>dense( 1 )} // small\n";
const USUAL: &str = "net n {\n    input x: [N, 2]\n    output y = x |> dense(1)\n} // small\n";

#[test]
fn files_are_changed_unless_they_are_only_checked() {
    let folder = Folder::new("fmt");
    folder.write("a.net", SQUEEZED);
    folder.write("b.net", USUAL);
    let done = folder.run("fmt . --check");
    assert_eq!(
        (done.code, &*done.out, &*done.err),
        (1, "./a.net\n", "2 models: 1 in another form\n")
    );
    assert_eq!(folder.text("a.net"), SQUEEZED);
    let done = folder.ok("fmt a.net b.net");
    assert_eq!((&*done.out, &*done.err), ("a.net\n", "2 models: 1 changed\n"));
    assert_eq!((folder.text("a.net"), folder.text("b.net")), (USUAL.into(), USUAL.into()));
    assert_eq!(folder.ok("fmt . --check -q").out, "");
    assert_eq!(folder.fed("fmt -", SQUEEZED).out, USUAL);
}

/// What cannot be read is told as by every command, and stays as it is; the others are formatted.
#[test]
fn mistakes_are_told_and_nothing_is_lost() {
    let folder = Folder::new("fmt-mistakes");
    folder.write("broken.net", "net n { input x [N] }");
    folder.write("latin.net", b"net n { // caf\xe9\n}");
    folder.write("unknown.net", "net n { output y = nothing }");
    let done = folder.run("fmt .");
    assert_eq!((done.code, &*done.out), (1, "./unknown.net\n"), "{done:?}");
    assert!(done.err.contains(" --> ./broken.net:1:17"), "{}", done.err);
    assert!(done.err.contains("./latin.net: cannot be read: invalid utf-8"), "{}", done.err);
    assert_eq!(folder.text("broken.net"), "net n { input x [N] }");
    assert_eq!(folder.run("fmt nowhere.net").code, 1);
}

/// The project's own models are in the usual form.
#[test]
fn the_models_are_in_the_usual_form() {
    let folder = Folder::new("fmt-models");
    assert_eq!(folder.ok(&format!("fmt {} --check", model(""))).out, "");
}
