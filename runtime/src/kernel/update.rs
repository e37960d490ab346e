//! The updates of momentum, Adam and AdamW in one piece.
//!
//! They are what most training steps do with each weight. Taken instruction by instruction, each is
//! decoded for every tile, and what is needed twice goes through the first-level cache; here all
//! but the gradient, the parameter and its state stays in registers. The operations and their order
//! are those of the instructions, and so are the bits.
#![expect(unsafe_code, reason = "reads and writes the vectors of a tile")]

use super::tile::{Place, Tile};
use crate::arena::Memory;
use crate::program::updates::{
    ADAM, ADAM_SPREADS, ADAMW, ADAMW_SPREADS, MOMENTUM, MOMENTUM_SPREADS,
};
use crate::program::{Expr, Instr, Spread, Value};
use crate::simd::Simd;
use std::sync::Arc;

/// An update bound to places.
#[derive(Clone, Debug)]
pub enum Update {
    /// Of gradient descent with momentum.
    Momentum(Momentum),
    /// Of Adam or AdamW.
    Adam(Arc<Adam>),
}

impl Update {
    /// The update that an expression ends with, if it does, and how many instructions come before:
    /// the last of those gives the gradient, if there are any. `place` is where a value lies.
    pub fn of(expr: &Expr, place: impl Fn(Value) -> Place) -> Option<(Update, usize)> {
        let momentum = || {
            let [g, b, lr, p, kept] =
                operands(expr, &MOMENTUM, &MOMENTUM_SPREADS, [(1, 2), (0, 0)])?.map(&place);
            Some((Update::Momentum(Momentum { g, b, p, lr, kept }), MOMENTUM.len()))
        };
        let adam = || {
            let [g, m, v, root, rate, p, c0, c1, c2, c3, c4] =
                operands(expr, &ADAM, &ADAM_SPREADS, [(9, 4), (1, 0), (4, 1)])?.map(&place);
            let consts = [c0, c1, c2, c3, c4];
            let adam = Adam { g, m, v, p, decay: None, root, rate, consts };
            Some((Update::Adam(Arc::new(adam)), ADAM.len()))
        };
        let adamw = || {
            let [g, m, v, p, decay, root, rate, c0, c1, c2, c3, c4] =
                operands(expr, &ADAMW, &ADAMW_SPREADS, [(10, 2), (1, 0), (4, 1)])?.map(&place);
            let consts = [c0, c1, c2, c3, c4];
            let adam = Adam { g, m, v, p, decay: Some(decay), root, rate, consts };
            Some((Update::Adam(Arc::new(adam)), ADAMW.len()))
        };
        let (update, len) = momentum().or_else(adam).or_else(adamw)?;
        Some((update, expr.code.len() - len))
    }

    /// Runs it over the tile.
    ///
    /// # Safety
    /// Its operands are bound for this memory from a verified program and cover the tile.
    #[inline(always)]
    pub unsafe fn run<S: Simd>(&self, s: S, memory: Memory, tile: Tile) {
        // SAFETY: the contract is this function's.
        unsafe {
            match self {
                Update::Momentum(momentum) => momentum.run(s, memory, tile),
                Update::Adam(adam) => adam.run(s, memory, tile),
            }
        }
    }
}

/// What an expression has for the gradient, the loads and the constants of a tape that it ends
/// with, in this order; `spreads` are those of the loads, and `stores` the instructions whose
/// values are stored, each in place of a load.
fn operands<const N: usize>(
    expr: &Expr,
    tape: &[Instr],
    spreads: &[Spread],
    stores: impl IntoIterator<Item = (u16, usize)>,
) -> Option<[Value; N]> {
    let first = expr.code.len().checked_sub(tape.len())?;
    let mut found = [None; N];
    for (of_tape, instr) in tape.iter().zip(&expr.code[first..]) {
        let args = of_tape.args.iter().zip(&instr.args).take(instr.op.arity());
        let agree = |(&of_tape, &value): (&Value, &Value)| {
            let (slot, is_such) = match (of_tape, value) {
                (Value::Instr(i), _) => return value == Value::Instr(first as u16 + i),
                (Value::Result, Value::Instr(i)) => (0, usize::from(i) + 1 == first),
                (Value::Result, Value::Load(i)) => {
                    (0, first == 0 && expr.loads[usize::from(i)].spread == Spread::Full)
                }
                (Value::Result, Value::Result) => (0, first == 0),
                (Value::Load(i), Value::Load(load)) => {
                    let i = usize::from(i);
                    (1 + i, expr.loads[usize::from(load)].spread == spreads[i])
                }
                (Value::Const(i), Value::Const(_)) => (1 + spreads.len() + usize::from(i), true),
                _ => return false,
            };
            is_such && *found[slot].get_or_insert(value) == value
        };
        if of_tape.op != instr.op || !args.into_iter().all(agree) {
            return None;
        }
    }
    let wanted = stores.into_iter().map(|(instr, load)| match found[1 + load] {
        Some(Value::Load(load)) => {
            Some((Value::Instr(first as u16 + instr), expr.loads[usize::from(load)].buffer))
        }
        _ => None,
    });
    let wanted: Vec<_> = wanted.collect::<Option<_>>()?;
    let is_stored = |store| expr.stores.contains(store);
    let same = wanted.len() == expr.stores.len() && wanted.iter().all(is_stored);
    let mut values = [Value::Result; N];
    for (value, found) in values.iter_mut().zip(found) {
        *value = found?;
    }
    same.then_some(values)
}

/// Momentum. The formula and its source are in compiler/src/optim/sgd.rs; `g` is the gradient.
#[derive(Clone, Copy, Debug)]
pub struct Momentum {
    g: Place,
    b: Place,
    p: Place,
    lr: Place,
    /// The share of b that is kept.
    kept: Place,
}

impl Momentum {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, s: S, memory: Memory, tile: Tile) {
        let &Momentum { g, b, p, .. } = self;
        let [first_g, first_b, first_p] = [g, b, p].map(|place| place.of(memory, tile));
        // SAFETY: the operands cover the caller's tile.
        unsafe {
            let (lr, kept) = (s.load(self.lr.of(memory, tile)), s.load(self.kept.of(memory, tile)));
            for vec in 0..tile.vecs {
                for row in 0..tile.rows {
                    let at = |first: *mut f32, place: Place| {
                        first.wrapping_add(row * place.row + vec * place.vec)
                    };
                    let (at_b, at_p) = (at(first_b, b), at(first_p, p));
                    // Both are loaded before either is stored: a load waits for a store to an
                    // address that ends in the same twelve bits, as they often do here.
                    let (b, p) = (s.load(at_b), s.load(at_p));
                    let b = s.mul_add(b, kept, s.load(at(first_g, g)));
                    s.store(at_b, b);
                    s.store(at_p, s.neg_mul_add(b, lr, p));
                }
            }
        }
    }
}

/// Adam or AdamW. The formula and its source are in compiler/src/optim/adam.rs; `g` is the
/// gradient.
#[derive(Clone, Copy, Debug)]
pub struct Adam {
    g: Place,
    m: Place,
    v: Place,
    p: Place,
    /// The factor of p that AdamW has.
    decay: Option<Place>,
    /// 1/√(1 - β₂ᵗ)
    root: Place,
    /// lr / (1 - β₁ᵗ)
    rate: Place,
    /// 1 - β₁, β₁, 1 - β₂, β₂, eps
    consts: [Place; 5],
}

impl Adam {
    /// Runs it over the tile.
    ///
    /// # Safety
    /// Its operands are bound for this memory from a verified program and cover the tile.
    #[inline(always)]
    pub unsafe fn run<S: Simd>(&self, s: S, memory: Memory, tile: Tile) {
        // SAFETY: the contract is this function's.
        unsafe {
            match self.decay {
                Some(decay) => self.sweep::<S, true>(s, memory, tile, decay),
                None => self.sweep::<S, false>(s, memory, tile, self.rate),
            }
        }
    }

    /// Updates each vector; `DECAY` says whether p is scaled first.
    #[inline(always)]
    unsafe fn sweep<S: Simd, const DECAY: bool>(
        &self,
        s: S,
        memory: Memory,
        tile: Tile,
        decay: Place,
    ) {
        // SAFETY: the operands cover the caller's tile.
        unsafe {
            let mut numbers = [s.splat(0.0); 8];
            let [c0, c1, c2, c3, c4] = self.consts;
            let places = [c0, c1, c2, c3, c4, self.root, self.rate, decay];
            for (number, place) in numbers.iter_mut().zip(places) {
                *number = s.load(place.of(memory, tile));
            }
            let [rest1, beta1, rest2, beta2, eps, root, rate, decay] = numbers;
            let [g, m, v, p] = [self.g, self.m, self.v, self.p];
            for vec in 0..tile.vecs {
                for row in 0..tile.rows {
                    let one = Tile::one(tile.row + row, tile.vec + vec);
                    let g = s.load(g.of(memory, tile).add(row * g.row + vec * g.vec));
                    let [at_m, at_v, at_p] =
                        [m.of(memory, one), v.of(memory, one), p.of(memory, one)];
                    let m = s.mul_add(s.load(at_m), beta1, s.mul(g, rest1));
                    let v = s.mul_add(s.load(at_v), beta2, s.mul(s.mul(g, g), rest2));
                    let divisor = s.mul_add(s.sqrt(v), root, eps);
                    let p = if DECAY { s.mul(s.load(at_p), decay) } else { s.load(at_p) };
                    s.store(at_m, m);
                    s.store(at_v, v);
                    s.store(at_p, s.sub(p, s.div(s.mul(m, rate), divisor)));
                }
            }
        }
    }
}
