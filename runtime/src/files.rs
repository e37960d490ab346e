//! Writes files so that a reader sees the old content or the new one, never a part of either.
//!
//! The content goes to a temporary file in the target's folder, which is synced and renamed over
//! the target; then the folder is synced, so that the rename itself survives a crash. It locks
//! nothing: of two writers of one target, the last rename wins.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

const BUFFER_BYTES: usize = 1 << 20;

/// A file which could not be written, and why. What the target held before is still there.
#[derive(Debug)]
pub struct WriteError {
    /// The target, as the caller named it.
    pub path: PathBuf,
    /// The reason.
    pub source: io::Error,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: cannot be written: {}", self.path.display(), self.source)
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
/// it was. A symbolic link is followed, and the permissions of an existing target are kept.
/// `/dev/stdout`, and whatever is no regular file (a pipe, a device), is written straight.
pub fn write_atomically(
    path: impl AsRef<Path>,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), WriteError> {
    let path = path.as_ref();
    let written = match straight_target(path) {
        Some(target) => target.and_then(|target| write_through(target, content).map(drop)),
        None => replace(path, content),
    };
    written.map_err(|source| WriteError { path: path.to_path_buf(), source })
}

/// Whether [`write_atomically`] can be expected to succeed, asked before the work for it is done.
/// The target is not touched.
pub fn check_writable(path: impl AsRef<Path>) -> Result<(), WriteError> {
    let path = path.as_ref();
    let checked = match fs::metadata(path) {
        Ok(existing) if existing.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        // Merely to open and close a pipe would end it for its reader.
        Ok(existing) if !existing.is_file() => Ok(()),
        existing => target_and_folder(path).and_then(|(target, folder)| {
            // A rename would replace even a file that is protected, which nobody wants.
            if existing.is_ok() {
                OpenOptions::new().append(true).open(&target)?;
            }
            Temporary::create_in(&folder).map(drop)
        }),
    };
    checked.map_err(|source| WriteError { path: path.to_path_buf(), source })
}

/// The open target, if it is of a kind that cannot be replaced by a rename.
fn straight_target(path: &Path) -> Option<io::Result<Box<dyn Write>>> {
    // Standard output may well be a regular file; to rename over it would lose what others wrote.
    if path == Path::new("/dev/stdout") {
        return Some(Ok(Box::new(io::stdout())));
    }
    let existing = fs::metadata(path).ok()?;
    if existing.is_file() && !path.starts_with("/dev") && !path.starts_with("/proc") {
        return None;
    }
    let opened = OpenOptions::new().append(true).open(path);
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

fn replace(path: &Path, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let (target, folder) = target_and_folder(path)?;
    let (temporary, file) = Temporary::create_in(&folder)?;
    let file = write_through(file, content)?;
    if let Ok(existing) = fs::metadata(&target) {
        file.set_permissions(existing.permissions())?;
    }
    file.sync_all()?;
    drop(file);
    temporary.rename_to(&target)?;
    sync_folder(&folder)
}

/// The file to replace, and the folder it is in.
fn target_and_folder(path: &Path) -> io::Result<(PathBuf, PathBuf)> {
    // Through a symbolic link, so that the rename replaces the file and not the link.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    if target.file_name().is_none() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it names no file"));
    }
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    Ok((target, folder))
}

/// Makes a rename in `folder` durable. Only on Unix can a folder be opened to be synced.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// A file that is removed when it is dropped, on a panic of the writer too.
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
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((Temporary { path: Some(path) }, file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            }
        }
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
