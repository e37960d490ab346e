//! Fused expressions over a tile: the one evaluator behind maps, the epilogues of matrix products
//! and the bodies of reductions.
//!
//! Cheap instructions that follow each other run as a `chain`, the others are decoded once per
//! tile and then loop. Values that are needed again live in registers, which stay in the
//! first-level cache: each as large as a tile may be, or as a block, where all of the expression is
//! one chain.
#![expect(unsafe_code, reason = "passes the debt of an expression on to its instructions")]

pub mod chain;
pub mod instr;

use self::chain::{At, Chain};
use self::instr::{Action, Instr};
use super::place::{Place, Tile};
use crate::arena::Memory;
use crate::program::{self, Cost, Expr, Opcode, Spread, Value};
use crate::simd::{LANES, Simd};
use std::sync::Arc;

/// The registers of an expression: each holds a value for one tile.
#[derive(Clone, Copy, Debug)]
pub struct Registers {
    /// The first float of the first.
    pub offset: usize,
    /// The most rows of a tile.
    pub rows: usize,
    /// The most vectors across a tile.
    pub vecs: usize,
    /// The floats left free before the first and behind each.
    pub fence: usize,
}

impl Registers {
    /// The floats from one register to the next.
    pub fn pitch(&self) -> usize {
        self.rows * self.vecs * LANES + self.fence
    }

    fn place(&self, index: usize) -> Place {
        let offset = self.offset + index * self.pitch();
        Place { offset, row: LANES, vec: self.rows * LANES, tile_row: 0, tile_vec: 0 }
    }

    /// A register of which a chain uses the first vectors, for each block again.
    fn block(&self, index: usize) -> Place {
        Place { vec: LANES, ..self.place(index) }
    }
}

/// A part of an expression that goes over the whole tile before the next one.
#[derive(Clone, Debug)]
enum Pass {
    /// One instruction.
    Each(Instr),
    /// Cheap ones, with the value between them in vector registers.
    Chain(Arc<Chain>),
}

impl Pass {
    /// Whether all that it reads and writes is like this.
    fn touches_only(&self, is: impl Fn(usize) -> bool) -> bool {
        match self {
            Pass::Each(Instr { to, args, .. }) => {
                args.iter().chain([to]).all(|place| is(place.offset))
            }
            Pass::Chain(chain) => chain.touches_only(is),
        }
    }
}

/// An expression bound to places.
#[derive(Clone, Debug, Default)]
pub struct Code {
    /// What is done, in order.
    pub instrs: Vec<Instr>,
    /// The same, as they run over a tile.
    passes: Vec<Pass>,
    /// What it reads and writes element by element, but for its registers.
    operands: Vec<Place>,
    /// Whether it is one pass without registers, so that a tile may be of any size.
    pub is_sweep: bool,
    /// Whether the kernel's result is put where it is stored, not into a register.
    stores_result: bool,
    /// Where the last instruction's value is, for a reduction.
    pub value: Place,
    /// Where the kernel puts the tile that `Value::Result` stands for.
    pub result: Place,
}

/// What binding an expression needs to know.
pub struct Binding<'a> {
    /// The place of a loaded or stored buffer.
    pub place: &'a dyn Fn(program::BufferId, Spread) -> Place,
    /// The place of a constant.
    pub constant: &'a mut dyn FnMut(f32) -> Place,
    /// The thread's registers; the first is the kernel's own.
    pub registers: Registers,
    /// Which operands have one element for each row of the region.
    pub splat: Spread,
}

impl Code {
    /// Binds `expr` and says how many registers it uses.
    pub fn bind(expr: &Expr, binding: &mut Binding) -> (Code, usize) {
        let is_stored = |value| expr.stores.iter().any(|&(stored, _)| stored == value);
        // A reduction reads the last value of the whole tile.
        let ends_stored = is_stored(Value::Instr(expr.code.len().wrapping_sub(1) as u16));
        let is_chain = ends_stored
            && expr.code.iter().all(|instr| instr.op.cost() == Cost::Cheap)
            && expr.loads.iter().all(|load| load.spread != binding.splat);
        let (code, used) = Code::bind_with(expr, binding, is_chain);
        match is_chain && code.passes.len() > 1 {
            true => Code::bind_with(expr, binding, false),
            false => (code, used),
        }
    }

    /// Binds `expr` with registers for a block, if it is one chain, or for a tile.
    fn bind_with(expr: &Expr, binding: &mut Binding, is_chain: bool) -> (Code, usize) {
        let register = |index: usize| match is_chain && index > 0 {
            true => binding.registers.block(index),
            false => binding.registers.place(index),
        };
        let block_registers = if is_chain { register(1).offset } else { usize::MAX };
        // Register 0 holds the result of the kernel, registers are then given out by last use.
        let mut free: Vec<usize> = Vec::new();
        let mut used = 1;
        let mut take = |free: &mut Vec<usize>| {
            free.pop().unwrap_or_else(|| {
                used += 1;
                used - 1
            })
        };
        let last_use = last_uses(expr);
        let mut instrs = Vec::with_capacity(expr.code.len() + expr.stores.len());

        let loads: Vec<Place> = (expr.loads.iter())
            .map(|load| {
                let place = (binding.place)(load.buffer, load.spread);
                if load.spread != binding.splat {
                    return place;
                }
                let to = register(take(&mut free));
                instrs.push(Instr { action: Action::Splat, to, args: [place; 3] });
                to
            })
            .collect();
        let consts: Vec<Place> = expr.consts.iter().map(|&c| (binding.constant)(c)).collect();

        // A value that is stored is computed in its buffer, unless the old content is still needed.
        let home = |value: Value, after: usize| {
            let (_, buffer) = expr.stores.iter().find(|(stored, _)| *stored == value)?;
            let place = (binding.place)(*buffer, Spread::Full);
            let needed = expr.code[after..].iter().any(|instr| {
                instr.args[..instr.op.arity()].iter().any(|arg| match arg {
                    Value::Load(i) => loads[*i as usize].offset == place.offset,
                    _ => false,
                })
            });
            let stored_later = expr.stores.iter().any(|(stored, _)| match stored {
                Value::Load(i) => loads[*i as usize].offset == place.offset,
                _ => false,
            });
            (!needed && !stored_later).then_some(place)
        };
        let stored = home(Value::Result, 0);
        let (stores_result, result) = (stored.is_some(), stored.unwrap_or(register(0)));
        let mut values: Vec<Place> = Vec::with_capacity(expr.code.len());
        let mut owned: Vec<Option<usize>> = Vec::with_capacity(expr.code.len());
        let place_of = |value: Value, values: &[Place]| match value {
            Value::Result => result,
            Value::Load(i) => loads[i as usize],
            Value::Const(i) => consts[i as usize],
            Value::Instr(i) => values[i as usize],
        };
        for (index, instr) in expr.code.iter().enumerate() {
            let args = instr.args.map(|arg| place_of(arg, &values));
            for arg in &instr.args[..instr.op.arity()] {
                if let Value::Instr(i) = *arg
                    && last_use[i as usize] == index
                    && let Some(index) = owned[i as usize].take()
                {
                    free.push(index);
                }
            }
            let to = home(Value::Instr(index as u16), index + 1).unwrap_or_else(|| {
                let index = take(&mut free);
                owned.push(Some(index));
                register(index)
            });
            if owned.len() == index {
                owned.push(None);
            }
            values.push(to);
            instrs.push(Instr { action: Action::Compute(instr.op), to, args });
        }
        // A loaded operand that is stored elsewhere may itself be overwritten by another store: all
        // such are taken out before the first store puts anything back.
        let targets: Vec<Place> = (expr.stores.iter())
            .map(|&(_, buffer)| (binding.place)(buffer, Spread::Full))
            .collect();
        let mut copies = Vec::new();
        for (&(value, _), &to) in expr.stores.iter().zip(&targets) {
            let mut from = place_of(value, &values);
            if from == to {
                continue;
            }
            let overwritten = |place: Place| targets.iter().any(|to| to.offset == place.offset);
            if matches!(value, Value::Load(_)) && overwritten(from) {
                let taken = register(take(&mut free));
                instrs.push(Instr { action: Action::Copy, to: taken, args: [from; 3] });
                from = taken;
            }
            copies.push(Instr { action: Action::Copy, to, args: [from; 3] });
        }
        instrs.extend(copies);
        let value = values.last().or(loads.first()).copied().unwrap_or_default();
        let passes = passes(expr, &instrs, block_registers);
        let full = expr.loads.iter().zip(&loads).filter(|(load, _)| load.spread == Spread::Full);
        let mut operands: Vec<Place> = full.map(|(_, &place)| place).chain(targets).collect();
        operands.sort_by_key(|place| place.offset);
        operands.dedup();
        let is_operand = |offset: usize| offset < binding.registers.offset;
        let is_sweep = passes.len() == 1 && passes.iter().all(|pass| pass.touches_only(is_operand));
        (Code { instrs, passes, operands, is_sweep, stores_result, value, result }, used)
    }

    /// The most bytes that an expression takes once it is bound: its instructions, the passes they
    /// become, in lists that may have grown to twice what they hold, and its operands.
    pub fn most_bytes(expr: &Expr) -> usize {
        let operands = expr.loads.len() + expr.stores.len();
        let instrs = operands + expr.code.len() + expr.stores.len();
        instrs
            * (size_of::<Instr>()
                + 2 * (size_of::<Pass>() + size_of::<chain::Link>())
                + size_of::<Chain>())
            + 2 * operands * size_of::<Place>()
    }

    /// Whether nothing is left to do once the kernel has put its result in place, which may then be
    /// all of it at once: no register is ever that large.
    pub fn is_empty(&self) -> bool {
        self.instrs.is_empty() && self.stores_result
    }

    /// The chain that is all of it, if it is one.
    pub fn as_chain(&self) -> Option<&Arc<Chain>> {
        match &self.passes[..] {
            [Pass::Chain(chain)] => Some(chain),
            _ => None,
        }
    }

    /// How many instructions it has.
    pub fn len(&self) -> usize {
        self.instrs.len()
    }

    /// Begins to bring what the expression will read and write of the tile into the cache.
    #[inline(always)]
    pub fn prefetch<S: Simd>(&self, s: S, memory: Memory, tile: Tile) {
        let (lines, len) = tile.lines();
        for place in &self.operands {
            let (to_line, step) = place.steps(tile);
            let mut first = place.of(memory, tile);
            for _ in 0..lines {
                for i in 0..len {
                    s.prefetch(first.wrapping_add(i * step));
                }
                first = first.wrapping_add(to_line);
            }
        }
    }

    /// Runs the expression over the tile whose first vector is (`row`, `vec`) of the region.
    ///
    /// # Safety
    /// The code is bound for this memory from a verified program, and the tile lies inside the
    /// region and is no larger than its registers, if it has any.
    #[inline]
    pub unsafe fn run<S: Simd>(&self, s: S, memory: Memory, tile: Tile) {
        s.vectorize(
            #[inline(always)]
            || {
                for pass in &self.passes {
                    // SAFETY: the contract is this function's.
                    unsafe {
                        match pass {
                            Pass::Each(instr) => instr::run(s, memory, instr, tile),
                            Pass::Chain(chain) => chain::run(s, memory, chain, tile),
                        }
                    }
                }
            },
        );
    }
}

/// The instructions as they run over a tile: the cheap ones that follow each other become chains.
/// The places from offset `registers` on are registers for a block.
fn passes(expr: &Expr, instrs: &[Instr], registers: usize) -> Vec<Pass> {
    // Splats come before the code of the expression, copies after it.
    let code = instrs.iter().position(|instr| instr.action != Action::Splat);
    let code = code.unwrap_or(instrs.len());
    let is_cheap =
        |index: usize| expr.code.get(index).is_some_and(|instr| instr.op.cost() == Cost::Cheap);
    // How the instruction takes the value of the one before over.
    let taken = |index: usize| {
        let before = index.checked_sub(1).filter(|&before| is_cheap(before) && is_cheap(index))?;
        accumulator(&expr.code[index], Value::Instr(before as u16))
    };
    let is_read = |index: usize, is_last: bool| {
        let value = Value::Instr(index as u16);
        let reads = |instr: &program::Instr| instr.args[..instr.op.arity()].contains(&value);
        let is_taken = !is_last && taken(index + 1).is_some();
        let others = &expr.code[index + 1 + usize::from(is_taken)..];
        index + 1 == expr.code.len()
            || expr.stores.iter().any(|&(stored, _)| stored == value)
            || others.iter().any(reads)
    };
    let operands = |instr: &Instr| [instr.args[0], instr.args[1], instr.args[2], instr.to];
    let mut passes: Vec<Pass> = Vec::new();
    for (at, &instr) in instrs.iter().enumerate() {
        let (index, next) = (at.wrapping_sub(code), instrs.get(at + 1));
        let is_link = instr.action == Action::Copy || is_cheap(index);
        if !is_link {
            passes.push(Pass::Each(instr));
            continue;
        }
        let is_joined = match passes.last() {
            Some(Pass::Chain(chain)) => chain.has_room_for(&operands(&instr)),
            _ => false,
        };
        if !is_joined {
            passes.push(Pass::Chain(Arc::new(Chain::new(registers))));
        }
        let Some(Pass::Chain(chain)) = passes.last_mut() else { unreachable!("it was pushed") };
        let chain = Arc::get_mut(chain).expect("nobody else has it yet");
        let [first, second, third] = instr.args;
        let Action::Compute(opcode) = instr.action else {
            chain.push(None, Some(first), &[], Some(instr.to));
            continue;
        };
        let (start, at, others) = match taken(index).filter(|_| is_joined) {
            Some((at, [x, y])) => (None, at, [instr.args[x], instr.args[y]]),
            None => (Some(first), At::First, [second, third]),
        };
        let both = [operands(&instr), next.map_or([instr.to; 4], operands)].concat();
        let to = is_read(index, !chain.has_room_for(&both)).then_some(instr.to);
        chain.push(Some((opcode, at)), start, &others[..at.others(opcode)], to);
    }
    passes
}

/// Where an instruction has the value before as its accumulator, and which operands are the others.
fn accumulator(instr: &program::Instr, before: Value) -> Option<(At, [usize; 2])> {
    let arity = instr.op.arity();
    let is = |index: usize| index < arity && instr.args[index] == before;
    let commutes =
        matches!(instr.op, Opcode::Add | Opcode::Mul | Opcode::MulAdd | Opcode::NegMulAdd);
    let (at, others) = match [is(0), is(1), is(2)] {
        [true, false, false] => (At::First, [1, 2]),
        [false, true, false] if commutes => (At::First, [0, 2]),
        [false, true, false] => (At::Second, [0, 2]),
        [false, false, true] => (At::Third, [0, 1]),
        [true, true, false] => (At::Both, [2, 2]),
        _ => return None,
    };
    at.is_form(instr.op).then_some((at, others))
}

/// For each instruction, the last instruction that reads it; stored values live to the end.
fn last_uses(expr: &Expr) -> Vec<usize> {
    let mut last = vec![usize::MAX; expr.code.len()];
    for (index, instr) in expr.code.iter().enumerate() {
        for arg in &instr.args[..instr.op.arity()] {
            if let Value::Instr(i) = *arg {
                last[i as usize] = index;
            }
        }
    }
    for (value, _) in &expr.stores {
        if let Value::Instr(i) = *value {
            last[i as usize] = usize::MAX;
        }
    }
    last
}
