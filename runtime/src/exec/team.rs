//! The threads of an executor: rayon gives them once, each walks the same static schedule, and a
//! barrier stands where one reads what another wrote.
#![expect(unsafe_code, reason = "shares the arena between threads")]

use super::{Plan, Run};
use crate::arena::{Arena, Memory};
use std::cell::UnsafeCell;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

/// How often a waiting thread looks before it goes to sleep: some hundred microseconds, longer than
/// the gap between the steps of a training loop, and than most waits for another's part of a step.
const SPINS: usize = 16_000;
/// How often at least: a few microseconds, as a wait in vain may be followed by short ones.
const FEWEST_SPINS: usize = SPINS / 16;

/// A barrier for a fixed number of threads. Who has to wait looks again and again, and then sleeps.
pub struct Crew {
    threads: usize,
    /// How often to look at most, and how often now: half as often after each time in vain, as when
    /// the others wait for the core that this thread looks on, and twice as often after a success.
    most_spins: usize,
    spins: AtomicUsize,
    arrived: AtomicUsize,
    round: AtomicUsize,
    sleeping: AtomicUsize,
    lock: Mutex<()>,
    wake: Condvar,
}

/// A crew of one, which never waits.
pub static ALONE: Crew = Crew::new(1, 0);

impl Crew {
    const fn new(threads: usize, most_spins: usize) -> Crew {
        Crew {
            threads,
            most_spins,
            spins: AtomicUsize::new(most_spins),
            arrived: AtomicUsize::new(0),
            round: AtomicUsize::new(0),
            sleeping: AtomicUsize::new(0),
            lock: Mutex::new(()),
            wake: Condvar::new(),
        }
    }

    /// Returns once every thread of the crew has called it.
    #[inline(always)]
    pub fn wait(&self) {
        if self.threads > 1 {
            self.wait_for_others();
        }
    }

    fn wait_for_others(&self) {
        let round = self.round.load(Ordering::Acquire);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.threads {
            self.arrived.store(0, Ordering::Relaxed);
            // In one order with `sleeping`: a thread on its way to sleep is seen, or sees this.
            self.round.store(round.wrapping_add(1), Ordering::SeqCst);
            if self.sleeping.load(Ordering::SeqCst) > 0 {
                drop(self.lock.lock());
                self.wake.notify_all();
            }
            return;
        }
        let spins = self.spins.load(Ordering::Relaxed);
        for _ in 0..spins {
            if self.round.load(Ordering::Acquire) != round {
                self.spins.store(self.most_spins.min(spins * 2), Ordering::Relaxed);
                return;
            }
            spin_loop();
        }
        self.spins.store(self.most_spins.min(FEWEST_SPINS.max(spins / 2)), Ordering::Relaxed);
        self.sleeping.fetch_add(1, Ordering::SeqCst);
        let mut guard = self.lock.lock().unwrap_or_else(|e| e.into_inner());
        while self.round.load(Ordering::SeqCst) == round {
            guard = self.wake.wait(guard).unwrap_or_else(|e| e.into_inner());
        }
        drop(guard);
        self.sleeping.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What the driving thread and the others share.
struct Shared {
    crew: Crew,
    plan: Arc<Plan>,
    memory: Memory,
    /// Counts the runs started; changes only with `asleep` held.
    runs: AtomicUsize,
    run: UnsafeCell<Option<Run>>,
    stopped: AtomicBool,
    asleep: Mutex<usize>,
    wake: Condvar,
}

// SAFETY: `run` is written by the driving thread alone, while every other one waits for `runs` to
// change, and read by the others after they have seen it change (release and acquire).
unsafe impl Sync for Shared {}
// SAFETY: as above; nothing in it belongs to a thread.
unsafe impl Send for Shared {}

/// The threads beside the driving one.
pub struct Team {
    shared: Arc<Shared>,
    // Its threads end when the team is dropped.
    _pool: rayon::ThreadPool,
}

impl Team {
    /// A team of `threads`, the caller included, for the plan of one arena; `None` where the system
    /// has no more threads to give.
    pub(crate) fn new(
        threads: usize,
        cores: usize,
        arena: &Arena,
        plan: Arc<Plan>,
    ) -> Option<Team> {
        // Spinning for a thread that has no core to run on only keeps it away longer.
        let spins = if threads <= cores { SPINS } else { 0 };
        let shared = Arc::new(Shared {
            crew: Crew::new(threads, spins),
            plan,
            // SAFETY: used in runs only, which `Executor::run` starts with the arena borrowed
            // mutably and waits for; the barriers of the plan order the threads' accesses.
            memory: unsafe { Memory::new(arena) },
            runs: AtomicUsize::new(0),
            run: UnsafeCell::new(None),
            stopped: AtomicBool::new(false),
            asleep: Mutex::new(0),
            wake: Condvar::new(),
        });
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads - 1).build().ok()?;
        let served = shared.clone();
        pool.spawn_broadcast(move |context| served.serve(context.index() + 1));
        Some(Team { shared, _pool: pool })
    }

    /// Runs an entry with all threads, and returns when all have finished.
    pub(crate) fn run(&self, run: Run) {
        let shared = &*self.shared;
        // SAFETY: the other threads wait for `runs` to change.
        unsafe { *shared.run.get() = Some(run) };
        shared.runs.fetch_add(1, Ordering::Release);
        let asleep = shared.asleep.lock().unwrap_or_else(|e| e.into_inner());
        if *asleep > 0 {
            shared.wake.notify_all();
        }
        drop(asleep);
        // SAFETY: as in `new`.
        unsafe { shared.plan.walk(run, shared.memory, 0, &shared.crew) };
        shared.crew.wait();
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Release);
        self.shared.runs.fetch_add(1, Ordering::Release);
        let _asleep = self.shared.asleep.lock().unwrap_or_else(|e| e.into_inner());
        self.shared.wake.notify_all();
    }
}

impl Shared {
    /// Takes part in every run until the team is dropped.
    fn serve(&self, index: usize) {
        let mut seen = 0;
        loop {
            seen = self.next_run(seen);
            if self.stopped.load(Ordering::Acquire) {
                return;
            }
            // SAFETY: written before `runs` changed, and not again before this run's last barrier.
            let Some(run) = (unsafe { *self.run.get() }) else { continue };
            // SAFETY: as in `Team::new`.
            unsafe { self.plan.walk(run, self.memory, index, &self.crew) };
            self.crew.wait();
        }
    }

    /// Waits for a run after number `seen`: spinning first, then asleep.
    fn next_run(&self, seen: usize) -> usize {
        for _ in 0..self.crew.most_spins {
            let runs = self.runs.load(Ordering::Acquire);
            if runs != seen {
                return runs;
            }
            spin_loop();
        }
        let mut asleep = self.asleep.lock().unwrap_or_else(|e| e.into_inner());
        *asleep += 1;
        while self.runs.load(Ordering::Acquire) == seen {
            asleep = self.wake.wait(asleep).unwrap_or_else(|e| e.into_inner());
        }
        *asleep -= 1;
        self.runs.load(Ordering::Acquire)
    }
}
