//! Atomic writing: the old content or the new, and nothing beside it.

use std::fs;
use std::io::{Error, ErrorKind};
use std::path::Path;

use arenet_runtime::files::{
    WriteError, check_writable, is_same_file, is_stdout, write_atomically,
};
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

#[cfg(unix)]
#[test]
fn a_link_leads_to_its_target_before_there_is_one() {
    use std::os::unix::fs::symlink;

    let folder = folder("files_dangling");
    fs::create_dir(folder.join("inner")).unwrap();
    for (from, to) in
        [("a", "inner/b"), ("inner/b", "../w"), ("lost", "none/w"), ("x", "y"), ("y", "x")]
    {
        symlink(to, folder.join(from)).unwrap();
    }
    check_writable(folder.join("a")).unwrap();
    assert!(!folder.join("w").exists());
    for content in ["first", "second"] {
        write_atomically(folder.join("a"), |w| w.write_all(content.as_bytes())).unwrap();
        assert_eq!(fs::read_to_string(folder.join("w")).unwrap(), content);
    }
    for link in ["a", "inner/b"] {
        assert!(fs::symlink_metadata(folder.join(link)).unwrap().is_symlink(), "{link}");
    }
    for (link, reason) in [("lost", "No such file"), ("x", "its symbolic links lead to no file")] {
        let path = folder.join(link);
        let error = write_atomically(&path, |w| w.write_all(b"new")).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
        assert!(check_writable(&path).unwrap_err().to_string().contains(reason));
        assert!(fs::symlink_metadata(&path).unwrap().is_symlink(), "{link}");
    }
    assert_eq!(names(&folder), ["a", "inner", "lost", "w", "x", "y"]);
}

/// A folder may be written to and not be read. (To the superuser every folder can be.)
#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_read_is_written_to() {
    use std::os::unix::fs::PermissionsExt;

    let folder = folder("files_unreadable");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o300)).unwrap();
    let written = write_atomically(folder.join("w"), |w| w.write_all(b"new"));
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    written.unwrap();
    assert_eq!(names(&folder), ["w"]);
}

#[test]
fn an_error_says_what_the_target_holds() {
    let message = |written| {
        let source = Error::other("an error of the disk");
        WriteError { path: "w".into(), source, written }.to_string()
    };
    assert_eq!(message(false), "w: cannot be written: an error of the disk");
    assert_eq!(
        message(true),
        "w: is written, but may not survive a crash of the system: an error of the disk"
    );
}

#[test]
fn what_a_killed_writer_left_is_removed() {
    let folder = folder("files_abandoned");
    let [left, held] = [".arenet-4000000000-7.tmp", ".arenet-1-0.tmp"];
    let others = [".arenet-1.tmp", ".arenet-a-1.tmp", "arenet-1-1.tmp"];
    for name in [left, held].into_iter().chain(others) {
        fs::write(folder.join(name), "half").unwrap();
    }
    let writer = fs::File::options().write(true).open(folder.join(held)).unwrap();
    writer.lock().unwrap();
    write_atomically(folder.join("w"), |w| {
        // One that is being written has a lock of its own.
        write_atomically(folder.join("v"), |w| w.write_all(b"inner"))
            .map_err(|error| error.source)?;
        w.write_all(b"outer")
    })
    .unwrap();
    assert_eq!(names(&folder), [held, others[0], others[1], others[2], "v", "w"]);
    assert_eq!(fs::read_to_string(folder.join("w")).unwrap(), "outer");
    drop(writer);
    write_atomically(folder.join("w"), |w| w.write_all(b"new")).unwrap();
    assert!(!folder.join(held).exists());
}

/// A file system in memory lies there, and its files are files.
#[cfg(target_os = "linux")]
#[test]
fn a_regular_file_below_dev_is_replaced() {
    let folder = Path::new("/dev/shm").join(format!("arenet-files-{}", std::process::id()));
    if fs::create_dir(&folder).is_err() {
        return; // no such file system
    }
    for content in ["a long first content", "short"] {
        write_atomically(folder.join("w"), |w| w.write_all(content.as_bytes())).unwrap();
    }
    let content = fs::read_to_string(folder.join("w"));
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(content.unwrap(), "short");
}

/// An open file is written where it stands, and never replaced under those who hold it.
#[cfg(target_os = "linux")]
#[test]
fn a_descriptor_is_written_straight() {
    use std::os::fd::AsRawFd;

    let folder = folder("files_descriptor");
    let path = folder.join("log");
    let mut log = fs::File::create(&path).unwrap();
    std::io::Write::write_all(&mut log, b"before ").unwrap();
    let descriptor = log.as_raw_fd();
    for name in [format!("/dev/fd/{descriptor}"), format!("/proc/self/fd/{descriptor}")] {
        check_writable(&name).unwrap();
        write_atomically(&name, |w| w.write_all(b"after ")).unwrap();
    }
    std::os::unix::fs::symlink("/dev/stdout", folder.join("link")).unwrap();
    assert!(is_stdout("/dev/stdout") && is_stdout("/dev/fd/1") && is_stdout(folder.join("link")));
    assert!(!is_stdout("/dev/null") && !is_stdout(&path) && !is_stdout("/dev/fd/11"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "before after after ");
    assert_eq!(names(&folder), ["link", "log"]);
}

#[test]
fn a_file_is_known_under_all_its_names() {
    let folder = folder("files_same");
    let [a, b] = ["a", "b"].map(|name| folder.join(name));
    fs::write(&a, "same").unwrap();
    fs::write(&b, "same").unwrap();
    fs::create_dir(folder.join("inner")).unwrap();
    let mut names = vec![folder.join("./a"), folder.join("inner/../a")];
    #[cfg(unix)]
    {
        fs::hard_link(&a, folder.join("hard")).unwrap();
        std::os::unix::fs::symlink("a", folder.join("soft")).unwrap();
        std::os::unix::fs::symlink(&folder, folder.join("round")).unwrap();
        names.extend(["hard", "soft", "round/soft"].map(|name| folder.join(name)));
    }
    for name in &names {
        assert!(is_same_file(&a, name) && is_same_file(name, &a), "{}", name.display());
        assert!(!is_same_file(&b, name), "{}", name.display());
    }
    let none = folder.join("none");
    assert!(!is_same_file(&none, &none), "nothing is there to be lost");
    assert!(!is_same_file("/dev/null", "/dev/null"), "nor here");
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
