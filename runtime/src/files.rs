//! Writes files so that a reader sees the old content or the new one, never a part of either.
//!
//! The content goes to a temporary file in the target's folder, which is synced and renamed over
//! the target; then the folder is synced, so that the rename itself survives a crash. Of two
//! writers of one target, the last rename wins. A writer keeps its temporary file locked: one that
//! nobody has locked was left by a process that was killed, and the next writer removes it.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::program::text::escaped;

const BUFFER_BYTES: usize = 1 << 20;

/// A file which could not be written, and why.
#[derive(Debug)]
pub struct WriteError {
    /// The target, as the caller named it.
    pub path: PathBuf,
    /// The reason.
    pub source: io::Error,
    /// Whether the target has its new content all the same, but may lose it if the system crashes.
    /// Otherwise what it held before is still there.
    pub written: bool,
}

impl WriteError {
    /// What happened, without the path.
    pub fn message(&self) -> String {
        let what = match self.written {
            true => "is written, but may not survive a crash of the system",
            false => "cannot be written",
        };
        format!("{what}: {}", self.source)
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", escaped(&self.path.display().to_string()), self.message())
    }
}

impl std::error::Error for WriteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Writes what `content` produces to `path`: all of it, or nothing.
///
/// On an error, of `content` or of the system, the temporary file is removed and the target is as
/// it was. Symbolic links are followed, to a target that is still to be made too, and the
/// permissions of an existing target are kept. An open descriptor such as `/dev/stdout`, and
/// whatever is no regular file (a pipe, a device), is written straight.
pub fn write_atomically(
    path: impl AsRef<Path>,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), WriteError> {
    let path = path.as_ref();
    let error = |source, written| WriteError { path: path.to_path_buf(), source, written };
    let failed = |source| error(source, false);
    let target = follow(path).map_err(failed)?;
    match open_straight(&target) {
        Some(opened) => {
            opened.and_then(|file| write_through(file, content)).map(drop).map_err(failed)
        }
        None => {
            let folder = replace(&target, content).map_err(failed)?;
            sync_folder(&folder).map_err(|source| error(source, true))
        }
    }
}

/// Gives a file that is there a second name, in place of what has that name: so it is still there
/// when the file is replaced. At every moment there is the file, and what it was before or that.
pub fn keep_previous(path: impl AsRef<Path>, previous: impl AsRef<Path>) -> io::Result<()> {
    let target = follow(path.as_ref())?;
    if !fs::metadata(&target).is_ok_and(|existing| existing.is_file()) {
        return Ok(());
    }
    let folder = folder_of(previous.as_ref())?;
    let (temporary, file) = Temporary::create_in(&folder)?;
    if let Some(name) = &temporary.path {
        fs::remove_file(name)?;
        // Not every file system has links.
        if fs::hard_link(&target, name).is_err() {
            fs::copy(&target, name)?;
        }
    }
    drop(file);
    temporary.rename_to(previous.as_ref())
}

/// Whether [`write_atomically`] can be expected to succeed, asked before the work for it is done.
/// The target is not touched.
pub fn check_writable(path: impl AsRef<Path>) -> Result<(), WriteError> {
    let path = path.as_ref();
    let checked = follow(path).and_then(|target| match fs::metadata(&target) {
        Ok(existing) if existing.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        // Merely to open and close a pipe would end it for its reader.
        Ok(existing) if !existing.is_file() || is_descriptor(&target) => Ok(()),
        existing => {
            // A rename would replace even a file that is protected, which nobody wants.
            if existing.is_ok() {
                OpenOptions::new().append(true).open(&target)?;
            }
            Temporary::create_in(&folder_of(&target)?).map(drop)
        }
    });
    checked.map_err(|source| WriteError { path: path.to_path_buf(), source, written: false })
}

/// Whether both paths lead to one regular file, whatever their links and spelling.
pub fn is_same_file(a: impl AsRef<Path>, b: impl AsRef<Path>) -> bool {
    let identity = |path: &Path| {
        let metadata = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
        identity(path, &metadata)
    };
    identity(a.as_ref()).is_some_and(|a| Some(a) == identity(b.as_ref()))
}

#[cfg(unix)]
fn identity(_: &Path, metadata: &fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

/// The path without links, and in the case that the system has it in.
#[cfg(not(unix))]
fn identity(path: &Path, _: &fs::Metadata) -> Option<PathBuf> {
    fs::canonicalize(path).ok()
}

/// Whether the path names the standard output of this process.
pub fn is_stdout(path: impl AsRef<Path>) -> bool {
    const NAMES: [&str; 3] = ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];
    let is_named = |path: &Path| NAMES.iter().any(|name| path == Path::new(name));
    is_named(path.as_ref()) || follow(path.as_ref()).is_ok_and(|target| is_named(&target))
}

/// Whether a path names an open file by its descriptor, as `/dev/fd/3` does.
fn is_descriptor(path: &Path) -> bool {
    path.parent().is_some_and(|folder| {
        folder == Path::new("/dev/fd") || folder.starts_with("/proc") && folder.ends_with("fd")
    })
}

/// The path at the end of symbolic links, where a file may not be yet. A descriptor's link is none.
fn follow(path: &Path) -> io::Result<PathBuf> {
    const MOST_LINKS: usize = 40; // as Linux follows
    let mut path = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&path) {
            Ok(link) if !is_descriptor(&path) => {
                path = path.parent().unwrap_or(Path::new("")).join(link);
            }
            _ => return Ok(path),
        }
    }
    Err(io::Error::other("its symbolic links lead to no file"))
}

/// The open target, if it is of a kind that cannot be replaced by a rename.
fn open_straight(target: &Path) -> Option<io::Result<Box<dyn Write>>> {
    // Opened anew, it would be written where it begins, over what has been written before.
    if is_stdout(target) {
        return Some(Ok(Box::new(io::stdout())));
    }
    if fs::metadata(target).ok()?.is_file() && !is_descriptor(target) {
        return None;
    }
    let opened = OpenOptions::new().append(true).open(target);
    Some(opened.map(|file| Box::new(file) as Box<dyn Write>))
}

/// Runs `content` over a buffer in front of `target`, and gives the flushed target back.
fn write_through<W: Write>(
    target: W,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<W> {
    let mut buffer = BufWriter::with_capacity(BUFFER_BYTES, target);
    content(&mut buffer)?;
    let mut target = buffer.into_inner().map_err(|error| error.into_error())?;
    target.flush()?;
    Ok(target)
}

/// Writes a temporary file and renames it over the target; gives the folder of both.
fn replace(
    target: &Path,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<PathBuf> {
    let folder = folder_of(target)?;
    remove_abandoned(&folder);
    let (temporary, file) = Temporary::create_in(&folder)?;
    let file = write_through(file, content)?;
    if let Ok(existing) = fs::metadata(target) {
        file.set_permissions(existing.permissions())?;
    }
    file.sync_all()?;
    temporary.rename_to(target)?;
    Ok(folder)
}

/// The folder that a file is in.
fn folder_of(target: &Path) -> io::Result<PathBuf> {
    if target.file_name().is_none() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it names no file"));
    }
    Ok(match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    })
}

/// Makes a rename in `folder` durable, where the system lets a folder be opened and synced. One may
/// be written to and not be read.
fn sync_folder(folder: &Path) -> io::Result<()> {
    let Some(folder) = File::open(folder).ok().filter(|_| cfg!(unix)) else { return Ok(()) };
    match folder.sync_all() {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}

/// Removes the temporary files of writers that were killed.
fn remove_abandoned(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if !is_file || !entry.file_name().to_str().is_some_and(Temporary::is_name) {
            continue;
        }
        let Ok(file) = OpenOptions::new().write(true).open(entry.path()) else { continue };
        // Held until it is gone, so that a writer that is about to lock it makes another.
        if file.try_lock().is_ok() {
            let _ = fs::remove_file(entry.path()); // as good as it goes
        }
    }
}

/// A file for what memory cannot hold, that nobody else sees and that leaves nothing behind: it has
/// no name where the system lets a file be open without one, and else is removed when dropped.
#[derive(Debug)]
pub(crate) struct Scratch {
    pub file: File,
    _name: Option<Temporary>,
}

impl Scratch {
    /// An empty one.
    pub fn create_in(folder: &Path) -> io::Result<Scratch> {
        let (temporary, file) = Temporary::create_in(folder)?;
        let name = (!cfg!(unix)).then_some(temporary);
        Ok(Scratch { file, _name: name })
    }
}

/// A file that is removed when it is dropped, on a panic of the writer too. It is locked while it
/// is open.
#[derive(Debug)]
struct Temporary {
    path: Option<PathBuf>,
}

impl Temporary {
    fn create_in(folder: &Path) -> io::Result<(Temporary, File)> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        loop {
            let count = COUNTER.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!(".arenet-{}-{count}.tmp", std::process::id()));
            // `create_new` never follows a link and never opens a file that somebody else made.
            let mut options = OpenOptions::new();
            let file = match options.read(true).write(true).create_new(true).open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            };
            // Before it was locked, another writer may have taken it for abandoned. Where the file
            // system has no locks, nobody removes anything.
            let taken = matches!(file.try_lock(), Err(TryLockError::WouldBlock));
            let temporary = Temporary { path: Some(path.clone()) };
            if !taken && path.exists() {
                return Ok((temporary, file));
            }
        }
    }

    /// Whether a file has such a name as [`Temporary::create_in`] gives.
    fn is_name(name: &str) -> bool {
        let numbers = name.strip_prefix(".arenet-").and_then(|rest| rest.strip_suffix(".tmp"));
        let is_number = |text: &str| text.parse::<u64>().is_ok();
        numbers
            .and_then(|numbers| numbers.split_once('-'))
            .is_some_and(|(process, count)| is_number(process) && is_number(count))
    }

    fn rename_to(mut self, target: &Path) -> io::Result<()> {
        if let Some(path) = &self.path {
            fs::rename(path, target)?;
        }
        self.path = None;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // The error that brought us here is the one to report.
            let _ = fs::remove_file(path);
        }
    }
}
