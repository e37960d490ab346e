//! The updates of momentum, Adam and AdamW in one piece.
//!
//! They are what most training steps do with each weight. Taken instruction by instruction, each is
//! decoded for every tile, and what is needed twice goes through the first-level cache; here all
//! but the gradient, the parameter and its state stays in registers. The operations and their order
//! are those of the instructions, and so are the bits.

use super::tile::{Place, Tile};
use crate::arena::Memory;
use crate::program::updates::{
    ADAM, ADAM_SPREADS, ADAMW, ADAMW_SPREADS, MOMENTUM, MOMENTUM_SPREADS,
};
use crate::program::{Expr, Spread, Value};
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
    /// The update that an expression is, if it is one, with its operands at these places.
    pub fn of(expr: &Expr, g: Place, loads: &[Place], consts: &[Place]) -> Option<Update> {
        let momentum = Momentum::of(expr, g, loads, consts).map(Update::Momentum);
        let adam = || Adam::of(expr, g, loads, consts).map(|adam| Update::Adam(Arc::new(adam)));
        momentum.or_else(adam)
    }

    /// Runs it over the tile.
    ///
    /// # Safety
    /// Its operands are bound for this memory from a verified program and cover the tile.
    #[inline(always)]
    pub unsafe fn run<S: Simd>(&self, s: S, memory: Memory, tile: Tile) {
        // SAFETY: passed on to the caller.
        unsafe {
            match self {
                Update::Momentum(momentum) => momentum.run(s, memory, tile),
                Update::Adam(adam) => adam.run(s, memory, tile),
            }
        }
    }
}

/// How the loads of an expression are spread.
fn spreads(expr: &Expr) -> Vec<Spread> {
    expr.loads.iter().map(|load| load.spread).collect()
}

/// Whether an expression stores just these values, each in place of a load.
fn stores<const N: usize>(expr: &Expr, values: [(Value, usize); N]) -> bool {
    expr.stores == values.map(|(value, load)| (value, expr.loads[load].buffer))
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
    fn of(expr: &Expr, g: Place, loads: &[Place], consts: &[Place]) -> Option<Momentum> {
        let (&[b, lr, p], &[kept]) = (loads, consts) else { return None };
        let is_it = expr.code == MOMENTUM
            && spreads(expr) == MOMENTUM_SPREADS
            && stores(expr, [(Value::Instr(1), 2), (Value::Instr(0), 0)]);
        is_it.then_some(Momentum { g, b, p, lr, kept })
    }

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
    fn of(expr: &Expr, g: Place, loads: &[Place], consts: &[Place]) -> Option<Adam> {
        let spreads = spreads(expr);
        let (p, decay, [root, rate]) = match *loads {
            [_, _, root, rate, _] if expr.code == ADAM && spreads == ADAM_SPREADS => {
                (4, None, [root, rate])
            }
            [_, _, _, decay, root, rate] if expr.code == ADAMW && spreads == ADAMW_SPREADS => {
                (2, Some(decay), [root, rate])
            }
            _ => return None,
        };
        let new = Value::Instr(expr.code.len() as u16 - 1);
        let is_it = stores(expr, [(new, p), (Value::Instr(1), 0), (Value::Instr(4), 1)]);
        let consts = consts.try_into().ok().filter(|_| is_it)?;
        Some(Adam { g, m: loads[0], v: loads[1], p: loads[p], decay, root, rate, consts })
    }

    /// Runs it over the tile.
    ///
    /// # Safety
    /// Its operands are bound for this memory from a verified program and cover the tile.
    #[inline(always)]
    pub unsafe fn run<S: Simd>(&self, s: S, memory: Memory, tile: Tile) {
        // SAFETY: passed on to the caller.
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
