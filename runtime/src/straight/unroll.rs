//! Writes prepared kernels out as straight-line code.

use super::tape::Tape;
use super::{Chain, Compute, Line, Op};
use crate::kernel::Prepared;
use crate::kernel::expr::Code;
use crate::kernel::expr::chain::Sweep;
use crate::kernel::expr::instr::{Action, Instr};
use crate::kernel::gemm::{Gemm, MAX_ROWS, MAX_VECTORS, Operand};
use crate::kernel::map::Map;
use crate::kernel::place::{LARGEST_TILE, Place, Tile};
use crate::kernel::reduce::Reduce;
use crate::simd::LANES;

/// Unrolls the steps of an entry for a batch of `n` rows, if that is little work; `zeros` is the
/// offset of a vector of zeros, `most` the most operations that there is memory for.
pub fn unroll<'a>(
    steps: impl Iterator<Item = &'a Prepared>,
    n: usize,
    zeros: u32,
    most: usize,
) -> Option<Vec<Op>> {
    let mut tape = Tape::new(most);
    let mut before: Option<&Prepared> = None;
    for step in steps {
        tape.begin_step();
        match step {
            // The room for a transposed operand is for eight vectors across.
            Prepared::Gemm(gemm) if gemm.b_transposed && gemm.n.at(n) > MAX_VECTORS * LANES => {
                return None;
            }
            Prepared::Gemm(gemm) if !gemm.b_bf16 && gemm.is_one_chain(n) => {
                // No step writes to its own operands, so the one before has left them as they were.
                let is_packed = |other: &Gemm| other.is_one_chain(n) && gemm.packs_as(other);
                let packed = matches!(before, Some(Prepared::Gemm(other)) if is_packed(other));
                unroll_gemm(gemm, &mut tape, n, packed);
            }
            Prepared::Map(map) if !map.is_long_chain(n) => unroll_map(map, &mut tape, n),
            Prepared::Reduce(reduce) if reduce.is_short(n) => {
                unroll_reduce(reduce, &mut tape, n, zeros)
            }
            _ => tape.push(Op::Step(Box::new(step.clone()))),
        }
        if tape.is_long() {
            return None;
        }
        before = Some(step);
    }
    Some(tape.ops)
}

/// The most instructions that are written out one by one: beyond, decoding them costs more than
/// finding where the operands of a chain lie.
const LONGEST_SPELLED_OUT: usize = 4;

/// Writes the expression out for a tile of one row or one vector across.
fn unroll_code(code: &Code, tape: &mut Tape, tile: Tile) {
    if let Some(chain) = code.as_chain()
        && code.instrs.len() > LONGEST_SPELLED_OUT
    {
        let sweeps = Sweep::of(chain, tile).into_iter();
        return sweeps.for_each(|sweep| tape.push(Op::Sweep(Box::new(sweep))));
    }
    let len = (tile.rows * tile.vecs) as u32;
    for Instr { action, to, args } in &code.instrs {
        let (to, args) = (line(to, tile), args.map(|arg| line(&arg, tile)));
        tape.push(match *action {
            Action::Compute(opcode) => Op::Compute(Compute { opcode, len, to, args }),
            Action::Copy => Op::Copy { len, to, from: args[0] },
            Action::Splat => Op::Splat { len, to, from: args[0] },
        });
    }
}

/// Writes the product out, one chain of multiply-adds for each vector of C.
fn unroll_gemm(gemm: &Gemm, tape: &mut Tape, batch: usize, packed: bool) {
    let (k, n) = (gemm.k.at(batch), gemm.n.at(batch));
    let vecs = n.div_ceil(LANES);
    let mut b = gemm.b;
    if gemm.b_transposed {
        let (room, step) = (k.next_multiple_of(LANES), gemm.b.row as u32);
        let blocks = if packed { 0..0 } else { 0..k };
        for (vec, block) in
            (0..vecs).flat_map(|vec| blocks.clone().step_by(LANES).map(move |i| (vec, i)))
        {
            let column = block / LANES * gemm.b.column;
            let at = (gemm.b.offset + vec * LANES * gemm.b.row + column) as u32;
            tape.push(Op::Transpose {
                to: vector(gemm.pack, vec * room + block),
                from: Line { at, step },
                rows: (n - vec * LANES).min(LANES) as u32,
                columns: (k - block).min(LANES) as u32,
            });
            if tape.is_long() {
                return;
            }
        }
        b = Operand { offset: gemm.pack, row: LANES, column: room * LANES };
    }
    for part in [Some(gemm), gemm.sums.as_deref()].into_iter().flatten() {
        unroll_chains(part, tape, batch, b);
    }
}

/// Writes the chains out, over op(B) as it lies there.
fn unroll_chains(gemm: &Gemm, tape: &mut Tape, batch: usize, b: Operand) {
    let (m, k, n) = (gemm.m.at(batch), gemm.k.at(batch), gemm.n.at(batch));
    let vecs = n.div_ceil(LANES);
    for (vec, row) in (0..vecs).flat_map(|vec| (0..m).step_by(MAX_ROWS).map(move |row| (vec, row)))
    {
        let tile = Tile { row, vec, rows: MAX_ROWS.min(m - row), vecs: 1 };
        let bias = gemm.bias.offset + row * gemm.bias.row + vec * gemm.bias.column;
        tape.push(Op::Chain(Chain {
            len: tile.rows as u32,
            k: k as u32,
            to: line(&gemm.code.result, tile),
            start: Line { at: bias as u32, step: gemm.bias.row as u32 },
            splat: gemm.bias.row > 0,
            a: Line { at: (gemm.a.offset + row * gemm.a.row) as u32, step: gemm.a.row as u32 },
            a_step: gemm.a.column as u32,
            b: Line { at: (b.offset + vec * b.column) as u32, step: b.row as u32 },
            update: None,
        }));
        unroll_code(&gemm.code, tape, tile);
        if tape.is_long() {
            return;
        }
    }
}

/// Writes the expression out, line by line.
fn unroll_map(map: &Map, tape: &mut Tape, n: usize) {
    let (rows, vecs) = map.region.at(n);
    // Along the only row, or down each column of vectors, as far as registers reach.
    let (height, width) = match rows {
        1 => (1, LARGEST_TILE),
        _ => (LARGEST_TILE / vecs.clamp(1, LARGEST_TILE), 1),
    };
    for (row, vec) in (0..rows)
        .step_by(height)
        .flat_map(|row| (0..vecs).step_by(width).map(move |vec| (row, vec)))
    {
        let (rows, vecs) = (height.min(rows - row), width.min(vecs - vec));
        unroll_code(&map.code, tape, Tile { row, vec, rows, vecs });
        if tape.is_long() {
            return;
        }
    }
}

/// Writes short sums out, vector by vector; `zeros` is the offset of a vector of zeros.
fn unroll_reduce(reduce: &Reduce, tape: &mut Tape, n: usize, zeros: u32) {
    let (rows, _) = reduce.region.at(n);
    let cols = reduce.region.flat.unwrap_or(reduce.region.cols).at(n);
    let mut result = line(&reduce.tail.result, Tile::one(0, 0)).at;
    let mut sums = zeros;
    for row in 0..rows {
        if reduce.by_row {
            result = line(&reduce.tail.result, Tile::one(row, 0)).at;
        }
        for vec in 0..cols.div_ceil(LANES) {
            let tile = Tile::one(row, vec);
            unroll_code(&reduce.body, tape, tile);
            let present = (cols - vec * LANES).min(LANES) as u32;
            let from = line(&reduce.body.value, tile).at;
            tape.push(Op::Accumulate { to: result, sums, from, present });
            sums = result;
            if tape.is_long() {
                return;
            }
        }
        if reduce.by_row {
            tape.push(Op::Total { to: result, from: result });
            unroll_code(&reduce.tail, tape, Tile::one(row, 0));
            sums = zeros;
        }
    }
    if !reduce.by_row {
        tape.push(Op::Total { to: result, from: result });
        unroll_code(&reduce.tail, tape, Tile::one(0, 0));
    }
}

/// The vectors of a tile of one row or one vector across, in straight-line code, which is only
/// made for small arenas.
fn line(place: &Place, tile: Tile) -> Line {
    let step = if tile.vecs > 1 { place.vec } else { place.row };
    Line { at: place.offset(tile) as u32, step: step as u32 }
}

/// The offset of vector `index` from `base`.
fn vector(base: usize, index: usize) -> u32 {
    (base + index * LANES) as u32
}
