//! Runs a program in many ways and compares what they give.

use super::dice::Dice;
use arenet_runtime::exec::watch::{Order, Watched};
use arenet_runtime::exec::{EntryPoint, Options};
use arenet_runtime::program::{BufferId, DType, Domain, Program, Subject, Verified};
use arenet_runtime::simd::Isa;
use std::sync::Arc;

/// The largest arena that is looked at, and the most operations on its floats.
const MOST_BYTES: u64 = 1 << 19;
const MOST_WORK: u64 = 1 << 21;
/// The most operations for the portable instruction set, which may emulate multiply-adds.
const MOST_EMULATED: u64 = 1 << 16;
/// The ways beside the first in which a program is run, for each number of rows.
const WAYS: usize = 4;

/// One way to run a program.
#[derive(Clone, Copy, Debug)]
struct Way {
    isa: Isa,
    threads: usize,
    order: Order,
    /// As straight-line code, where there is some.
    whole: bool,
    garbage: Garbage,
    /// Whether each entry begins with new garbage around what outlives a run.
    refill: bool,
}

#[derive(Clone, Copy, Debug)]
enum Garbage {
    Zeros,
    Nan,
    Numbers(u64),
}

/// What a program gives, by name; every NaN is the same.
type Results = Vec<(String, Vec<u32>)>;

/// Runs a program; `None` where that would take too long, else whether all ways agree.
pub fn examine(program: &Arc<Verified>, dice: &mut Dice) -> Option<Result<(), String>> {
    let source = program.program();
    let work = work(source);
    if source.arena_bytes > MOST_BYTES || work > MOST_WORK {
        return None;
    }
    let mut sets = Isa::available();
    if work > MOST_EMULATED {
        sets.retain(|&isa| isa != Isa::Portable || isa == Isa::detect());
    }
    let batch = source.batch as usize;
    let rows = match dice.below(3) {
        0 => 1,
        1 => 1 + dice.below(batch),
        _ => batch.saturating_sub(1 + dice.below(16)).max(1),
    };
    let data = dice.bits();
    for rows in if rows == batch { vec![batch] } else { vec![rows, batch] } {
        let isa = Isa::detect();
        let (order, garbage) = (Order::Forward, Garbage::Zeros);
        let first = Way { isa, threads: 1, order, whole: false, garbage, refill: false };
        let ways: Vec<Way> = (0..WAYS).map(|_| way(&sets, dice)).collect();
        let expected = match run(program, first, rows, data) {
            Ok(results) => results,
            Err(finding) => {
                return Some(Err(format!("{rows} of {batch} rows, {first:?}: {finding}")));
            }
        };
        for way in ways {
            let finding = match run(program, way, rows, data) {
                Ok(results) => differ(&expected, &results),
                Err(finding) => Some(finding),
            };
            if let Some(finding) = finding {
                return Some(Err(format!("{rows} of {batch} rows, {way:?}: {finding}")));
            }
        }
    }
    Some(Ok(()))
}

fn way(sets: &[Isa], dice: &mut Dice) -> Way {
    let threads = dice.pick(&[1, 1, 2, 3, 5]);
    Way {
        isa: dice.pick(sets),
        threads,
        order: dice.pick(&[Order::Forward, Order::Backward]),
        whole: threads == 1 && dice.one_in(2),
        garbage: match dice.below(3) {
            0 => Garbage::Zeros,
            1 => Garbage::Nan,
            _ => Garbage::Numbers(dice.bits()),
        },
        refill: dice.one_in(2),
    }
}

/// Roughly how many operations the steps take: each of them goes over its buffers, and a product
/// over each element as often as the other operand has rows or columns.
fn work(program: &Program) -> u64 {
    let floats = |id: BufferId| program.buffers[id.0 as usize].bytes(program.batch).unwrap() / 4;
    let steps = EntryPoint::ALL.into_iter().flat_map(|entry| &program.routines[entry].steps);
    steps
        .map(|step| {
            let access = step.kernel.access();
            let writes: u64 = access.writes.iter().map(|&id| floats(id)).sum();
            let reads: u64 = access.reads().map(floats).sum();
            match &step.kernel {
                arenet_runtime::program::Kernel::Gemm(gemm) => {
                    let (a, b) = (floats(gemm.a), floats(gemm.b));
                    reads + writes + ((a * b) as f64 * writes.max(1) as f64).sqrt() as u64
                }
                _ => 16 * (reads + writes),
            }
        })
        .fold(0, u64::saturating_add)
}

/// What differs first.
fn differ(expected: &Results, found: &Results) -> Option<String> {
    let pairs = expected.iter().zip(found);
    let (name, at, (e, f)) = pairs
        .filter_map(|((name, expected), (_, found))| {
            let mut pairs = expected.iter().zip(found).enumerate();
            pairs.find(|(_, (e, f))| e != f).map(|(at, pair)| (name, at, pair))
        })
        .next()?;
    let [e, f] = [e, f].map(|&bits| f32::from_bits(bits));
    Some(format!("{name}, element {at}: {f}, not {e}"))
}

/// Runs every entry there is over `rows` rows of data.
fn run(program: &Arc<Verified>, way: Way, rows: usize, data: u64) -> Result<Results, String> {
    let options =
        Options { isa: Some(way.isa), threads: Some(way.threads), max_memory: Some(1 << 30) };
    let watched = Watched::new(program.clone(), options).map_err(|error| error.to_string())?;
    let program = program.program();
    let mut host = Host { program, watched, way, rows, results: Vec::new() };
    host.fill(0);
    let narrow = |id: BufferId| program.buffers[id.0 as usize].dtype.is_narrow();
    host.run(EntryPoint::Init)?;
    for &(ref name, id) in &held(program) {
        if !narrow(id) {
            host.read(format!("init, {name}"), id);
        }
    }
    host.write_all(&mut Dice::new(data));
    let mut entries = vec![EntryPoint::Predict];
    if program.loss.is_some() {
        entries.push(EntryPoint::Eval);
    }
    if program.training.is_some() {
        entries.extend([EntryPoint::Train, EntryPoint::Train, EntryPoint::Predict]);
    }
    if EntryPoint::Fit.runs(program) {
        entries.push(EntryPoint::Fit);
    }
    for (index, entry) in entries.into_iter().enumerate() {
        if way.refill {
            host.refill(index as u64 + 1, data);
        }
        host.run(entry)?;
        host.look(index, entry);
    }
    Ok(host.results)
}

/// The parameters and their states.
fn held(program: &Program) -> Vec<(String, BufferId)> {
    let params = program.params.iter();
    let all = params.flat_map(|param| {
        let states = param.states.iter().map(|state| (param.state_name(state), state.buffer));
        [(param.name.clone(), param.buffer)].into_iter().chain(states)
    });
    all.collect()
}

/// The application around a run.
struct Host<'a> {
    program: &'a Program,
    watched: Watched,
    way: Way,
    rows: usize,
    results: Results,
}

impl Host<'_> {
    fn fill(&mut self, again: u64) {
        let floats = match self.way.garbage {
            Garbage::Zeros => vec![0.0; 64],
            Garbage::Nan => vec![f32::NAN; 64],
            Garbage::Numbers(seed) => {
                let mut dice = Dice::new(seed ^ again);
                (0..501).map(|_| f32::from_bits(dice.bits() as u32)).collect()
            }
        };
        self.watched.fill(&floats);
    }

    /// New garbage around the values that outlive a run.
    fn refill(&mut self, again: u64, data: u64) {
        let held = held(self.program);
        let executor = self.watched.executor();
        let values: Vec<Vec<f32>> = held.iter().map(|&(_, id)| executor.read(id)).collect();
        self.fill(again);
        let executor = self.watched.executor();
        for ((_, id), values) in held.iter().zip(values) {
            executor.write(*id, &values).expect("they are as many as were read");
        }
        self.write_ports(&mut Dice::new(data));
    }

    fn write_all(&mut self, dice: &mut Dice) {
        self.write_ports(dice);
        let params = self.program.params.iter();
        let is_state =
            |id: BufferId| params.clone().any(|param| param.buffers().skip(1).any(|own| own == id));
        for (_, id) in held(self.program) {
            let executor = self.watched.executor();
            let count = executor.read(id).len();
            // A state may be a sum of squares, of which a root is taken.
            let value = |x: f32| if is_state(id) { x.abs() } else { x };
            let values: Vec<f32> = (0..count).map(|_| value(dice.float())).collect();
            executor.write(id, &values).expect("they are as many as were read");
        }
    }

    fn write_ports(&mut self, dice: &mut Dice) {
        let executor = self.watched.executor();
        for port in self.program.inputs.iter().chain(&self.program.targets) {
            let count = port.width as usize * self.rows;
            let written = match self.program.buffers[port.buffer.0 as usize].dtype {
                DType::I32 => {
                    let (low, high) = match &port.domain {
                        Domain::Range(low, high) => (*low, *high),
                        Domain::Names(names) => (0, names.len() as i64),
                        _ => (0, 1),
                    };
                    let mut class =
                        || (low + (dice.bits() >> 1) as i64 % (high - low).min(64)) as i32;
                    executor.write_indices(
                        port,
                        0,
                        &(0..count).map(|_| class()).collect::<Vec<_>>(),
                    )
                }
                _ => {
                    let values: Vec<f32> = (0..count).map(|_| dice.float()).collect();
                    executor.write_floats(port, 0, &values)
                }
            };
            written.expect("the rows fit into the port");
        }
        for index in 0..self.program.scalars.len() {
            executor.set_scalar(index, 0.125);
        }
    }

    fn run(&mut self, entry: EntryPoint) -> Result<(), String> {
        let ran = match self.way.whole {
            true => self.watched.run_whole(entry, self.rows),
            false => self.watched.run(entry, self.rows, self.way.order),
        };
        ran.map_err(|stray| stray.to_string())
    }

    fn read(&mut self, name: String, id: BufferId) {
        let mut values = Vec::new();
        self.watched.executor().read_rows(id, self.rows, &mut values);
        let bits = values.iter().map(|x| if x.is_nan() { u32::MAX } else { x.to_bits() });
        self.results.push((name, bits.collect()));
    }

    /// Reads what an entry promises.
    fn look(&mut self, index: usize, entry: EntryPoint) {
        let program = self.program;
        let mut found: Vec<(String, BufferId)> = Vec::new();
        if entry == EntryPoint::Predict {
            found.extend(program.outputs.iter().map(|o| (o.name.clone(), o.buffer)));
        } else if entry == EntryPoint::Fit {
            let fits = program.training.iter().flat_map(|training| &training.fits);
            found.extend(fits.map(|fit| ("a fitted value".to_string(), fit.values)));
        } else {
            let terms = program.terms.iter().flat_map(|term| term.values.iter().copied());
            found.extend(program.loss.into_iter().chain(terms).map(|id| ("the loss".into(), id)));
            let is_eval = entry == EntryPoint::Eval;
            let metrics = program.metrics.iter();
            let metrics = metrics.filter(|m| is_eval || m.subject == Subject::Loss);
            found.extend(
                metrics.flat_map(|m| m.figure.values.iter().map(|&value| (m.name.clone(), value))),
            );
        }
        if entry == EntryPoint::Train {
            found.extend(held(program));
        }
        for (name, id) in found {
            self.read(format!("run {index}, {entry:?}, {name}"), id);
        }
    }
}

/// Checks that a prediction over these numbers of rows stays in its memory, whatever it computes.
pub fn stays_inside(program: &Arc<Verified>, rows: &[usize]) {
    let options = Options { isa: None, threads: Some(1), max_memory: None };
    let mut watched = Watched::new(program.clone(), options).unwrap();
    for &rows in rows {
        assert_eq!(watched.run(EntryPoint::Predict, rows, Order::Forward), Ok(()), "{rows} rows");
    }
}
