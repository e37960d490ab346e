//! Reads the rows that come next while those before them are used, where data is in files: a window
//! of rows at a time, on a thread of its own.
//!
//! The rows of a window are in the order in which they are wanted, which may be random. They are
//! read in the order of the file and in large pieces, so a window costs at most one pass over it,
//! however the file is stored.

use super::RunError;
use super::feed::{Column, Store};
use super::stored::Stored;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

/// What is read ahead where nobody says how much.
const ROOM: u64 = 256 << 10;

/// The most that is read ahead: the first step waits for half of it.
const MOST_ROOM: u64 = 512 << 20;

/// Windows: one is used, and one is read.
const WINDOWS: u64 = 2;

/// Rows that are wanted now, among all that are wanted after another.
#[derive(Clone)]
pub(crate) struct Coming<'r> {
    pub rows: &'r [u32],
    pub now: Range<usize>,
}

impl<'r> Coming<'r> {
    /// Those that are wanted now.
    #[inline]
    pub fn now(&self) -> &'r [u32] {
        &self.rows[self.now.clone()]
    }

    /// Parts of `count` rows, one after another.
    pub fn parts(rows: &'r [u32], count: usize) -> impl Iterator<Item = Coming<'r>> {
        let starts = (0..rows.len()).step_by(count);
        starts.map(move |start| Coming {
            rows,
            now: start..start.saturating_add(count).min(rows.len()),
        })
    }
}

/// Reads the columns that are in files.
pub(super) struct Ahead {
    /// Each column, if it is in a file.
    columns: Vec<Option<Stored>>,
    room: u64,
    /// The window that is used, and how many of its rows have been.
    window: Window,
    used: usize,
    spare: Option<Window>,
    thread: Option<Thread>,
}

/// The thread that reads, and whether it has a window.
struct Thread {
    to: Sender<Window>,
    /// Only its owner receives; the lock lets other threads see it.
    from: Mutex<Receiver<Result<Window, RunError>>>,
    is_reading: bool,
}

/// Rows and their values, those of each column that is in a file.
#[derive(Default)]
struct Window {
    rows: Vec<u32>,
    columns: Vec<Vec<f32>>,
}

impl Ahead {
    /// Of these columns, if any is in a file.
    pub fn of(columns: &[Column<'_>]) -> Option<Ahead> {
        let stored = |column: &Column| match &column.data {
            Store::File(stored) => Some(stored.clone()),
            Store::Memory(_) => None,
        };
        let columns: Vec<Option<Stored>> = columns.iter().map(stored).collect();
        columns.iter().any(Option::is_some).then(|| Ahead {
            columns,
            room: ROOM,
            window: Window::default(),
            used: 0,
            spare: Some(Window::default()),
            thread: None,
        })
    }

    pub fn add_room(&mut self, bytes: u64) {
        self.room = self.room.saturating_add(bytes).min(MOST_ROOM);
    }

    /// The bytes of all windows.
    pub fn bytes(&self) -> u64 {
        self.room
    }

    /// The values of the window in a column.
    pub fn values(&self, column: usize) -> &[f32] {
        self.window.columns.get(column).map_or(&[], Vec::as_slice)
    }

    /// Where the rows that are wanted now are in the window.
    #[inline]
    pub fn seek(&mut self, coming: &Coming<'_>) -> Result<usize, RunError> {
        let now = coming.now();
        if !self.has(now) {
            self.turn(coming)?;
        }
        let first = self.used;
        self.used += now.len();
        Ok(first)
    }

    fn has(&self, now: &[u32]) -> bool {
        self.window.rows.get(self.used..).is_some_and(|rows| rows.starts_with(now))
    }

    /// Goes to the next window: the one that has been read, or another if the rows are not there.
    #[cold]
    fn turn(&mut self, coming: &Coming<'_>) -> Result<(), RunError> {
        self.take()?;
        if !self.has(coming.now()) {
            self.ask(coming, coming.now.start)?;
            self.take()?;
        }
        self.ask(coming, coming.now.start + self.window.rows.len())
    }

    /// Takes the window that is being read, if one is.
    fn take(&mut self) -> Result<(), RunError> {
        let Some(thread) = self.thread.as_mut().filter(|thread| thread.is_reading) else {
            return Ok(());
        };
        thread.is_reading = false;
        let received = thread.from.get_mut().map(|from| from.recv());
        let Ok(Ok(window)) = received else { return Err(RunError::Threads) };
        self.spare = Some(std::mem::replace(&mut self.window, window?));
        self.used = 0;
        Ok(())
    }

    /// Lets the rows from a place on be read.
    fn ask(&mut self, coming: &Coming<'_>, from: usize) -> Result<(), RunError> {
        let rest = coming.rows.get(from..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(());
        }
        if self.thread.is_none() {
            self.thread = Some(Thread::start(self.columns.clone())?);
        }
        let count = self.window_rows(coming.now.len()).min(rest.len());
        let mut window = self.spare.take().unwrap_or_default();
        window.rows.clear();
        window.rows.extend_from_slice(&rest[..count]);
        let thread = self.thread.as_mut().expect("it has been started");
        thread.to.send(window).map_err(|_| RunError::Threads)?;
        thread.is_reading = true;
        Ok(())
    }

    /// The rows of a window: as many batches as there is room for.
    fn window_rows(&self, batch: usize) -> usize {
        let values: usize = self.columns.iter().flatten().map(Stored::width).sum();
        // The row itself, and its place in the order of the file.
        let row_bytes = 4 * values + 4 + 8;
        let rows = (self.room / WINDOWS) as usize / row_bytes;
        (rows / batch * batch).max(batch)
    }
}

impl Thread {
    fn start(columns: Vec<Option<Stored>>) -> Result<Thread, RunError> {
        let (to, windows) = channel::<Window>();
        let (filled, from) = channel();
        let read = move || {
            let mut buffers = Buffers::default();
            for mut window in windows {
                let read = window.fill(&columns, &mut buffers).map(|()| window);
                if filled.send(read).is_err() {
                    return;
                }
            }
        };
        let builder = thread::Builder::new().name("arenet-reader".into());
        builder.spawn(read).map_err(|_| RunError::Threads)?;
        Ok(Thread { to, from: Mutex::new(from), is_reading: false })
    }
}

/// What reading needs beside the window.
#[derive(Default)]
struct Buffers {
    /// The rows in the order of the file, each with its place in the window: both in one number.
    sorted: Vec<u64>,
    bytes: Vec<u8>,
}

impl Window {
    /// Reads the values of all rows.
    fn fill(&mut self, columns: &[Option<Stored>], buffers: &mut Buffers) -> Result<(), RunError> {
        let Buffers { sorted, bytes } = buffers;
        sorted.clear();
        sorted.extend((0..).zip(&self.rows).map(|(place, &row)| u64::from(row) << 32 | place));
        sorted.sort_unstable();
        let row = |key: u64| (key >> 32) as usize;
        self.columns.resize_with(columns.len(), Vec::new);
        for (stored, to) in columns.iter().zip(&mut self.columns) {
            let Some(stored) = stored else { continue };
            let width = stored.width();
            to.resize(self.rows.len() * width, 0.0);
            let mut rest = &sorted[..];
            while let Some(&key) = rest.first() {
                let first = row(key);
                let count = rest.partition_point(|&key| row(key) - first < stored.block_rows());
                let own;
                (own, rest) = rest.split_at(count);
                let last = row(own[count - 1]);
                stored.read(first, last - first + 1, bytes)?;
                for &key in own {
                    let place = key as u32 as usize;
                    let to = &mut to[place * width..][..width];
                    stored.decode(bytes, row(key) - first, to)?;
                }
            }
        }
        Ok(())
    }
}
