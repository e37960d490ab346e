//! Atomic writing: the old content or the new, and nothing beside it.

use std::fs;
use std::io::{Error, ErrorKind};
use std::path::Path;

use arenet_runtime::files::{check_writable, write_atomically};
use pretty_assertions::assert_eq;

use super::folder;

#[track_caller]
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_is_made_and_replaced() {
    let folder = folder("files_replaced");
    let target = folder.join("w");
    for content in ["first", "a second, longer one", ""] {
        write_atomically(&target, |w| w.write_all(content.as_bytes())).unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), content);
    }
    assert_eq!(names(&folder), ["w"]);
}

#[test]
fn a_failing_writer_leaves_the_old_content() {
    let folder = folder("files_failing");
    let target = folder.join("w");
    fs::write(&target, "old").unwrap();
    let error = write_atomically(&target, |w| {
        w.write_all(&vec![b'x'; 3 << 20])?;
        Err(Error::new(ErrorKind::StorageFull, "no space left"))
    });
    let error = error.unwrap_err();
    assert_eq!(error.source.kind(), ErrorKind::StorageFull);
    let expected = format!("{}: cannot be written: no space left", target.display());
    assert_eq!(error.to_string(), expected);
    assert_eq!(fs::read_to_string(&target).unwrap(), "old");
    assert_eq!(names(&folder), ["w"]);
}

#[test]
fn a_panicking_writer_leaves_the_old_content() {
    let folder = folder("files_panicking");
    let target = folder.join("w");
    fs::write(&target, "old").unwrap();
    let panicked = std::panic::catch_unwind(|| {
        let _ = write_atomically(&target, |_| panic!("a panic on purpose"));
    });
    assert!(panicked.is_err());
    assert_eq!(fs::read_to_string(&target).unwrap(), "old");
    assert_eq!(names(&folder), ["w"]);
}

#[test]
fn targets_that_cannot_be() {
    let folder = folder("files_impossible");
    let check = |target: &Path| {
        let error = write_atomically(target, |w| w.write_all(b"new")).unwrap_err().to_string();
        let start = format!("{}: cannot be written: ", target.display());
        assert!(error.starts_with(&start), "{error}");
    };
    check(&folder.join("none/w"));
    check(&folder);
    check(Path::new(""));
    check(Path::new("/"));
    check(&folder.join("n".repeat(300)));
    assert_eq!(names(&folder), [""; 0]);
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_permissions_kept() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = folder("files_links");
    let (target, link) = (folder.join("w"), folder.join("link"));
    fs::write(&target, "old").unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("w", &link).unwrap();
    write_atomically(&link, |w| w.write_all(b"new")).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&target).unwrap(), "new");
    assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(names(&folder), ["link", "w"]);
}

/// Devices are written straight: one that takes everything, and one that is always full.
#[cfg(target_os = "linux")]
#[test]
fn devices_are_written_straight() {
    write_atomically("/dev/null", |w| w.write_all(b"new")).unwrap();
    let error = write_atomically("/dev/full", |w| w.write_all(b"new")).unwrap_err();
    assert_eq!(error.source.kind(), ErrorKind::StorageFull);
    assert!(!fs::metadata("/dev/full").unwrap().is_file());
}

#[test]
fn whether_a_target_can_be_written_is_known_before() {
    let folder = folder("files_checked");
    let target = folder.join("w");
    check_writable(&target).unwrap();
    assert_eq!(names(&folder), [] as [&str; 0]);
    fs::write(&target, "kept").unwrap();
    check_writable(&target).unwrap();
    assert_eq!(fs::read_to_string(&target).unwrap(), "kept");
    let refused = |path: &Path| check_writable(path).unwrap_err().source.kind();
    assert_eq!(refused(&folder), ErrorKind::IsADirectory);
    assert_eq!(refused(&folder.join("nowhere/w")), ErrorKind::NotFound);
    assert_eq!(names(&folder), ["w"]);
}
