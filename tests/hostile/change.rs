//! Changes programs, as data and as bytes.

use super::dice::Dice;
use arenet_runtime::program::codec::{decode, encode};
use arenet_runtime::program::{EntryPoint, Program};

/// A program with up to three changes.
pub fn changed(mut program: Program, dice: &mut Dice) -> Program {
    for _ in 0..1 + dice.below(3) {
        match dice.below(8) {
            0 => place(&mut program, dice),
            1 => steps(&mut program, dice),
            2 => share(&mut program),
            3 => layout(&mut program, dice),
            _ => program = bytes(program, dice),
        }
    }
    program
}

/// A program that claims so much work that threads share it.
pub fn share(program: &mut Program) {
    for step in program.routines.iter_mut().flat_map(|routine| &mut routine.steps) {
        step.flops = 1 << 30;
    }
}

/// Puts a buffer where another is, or next to it.
fn place(program: &mut Program, dice: &mut Dice) {
    if program.buffers.is_empty() {
        return;
    }
    let [from, to] = [(); 2].map(|()| dice.below(program.buffers.len()));
    let offset = program.buffers[from].offset;
    let further = dice.pick(&[0, 0, 0, 64, 128]);
    program.buffers[to].offset = offset + further;
}

/// Gives a buffer the layout of another.
fn layout(program: &mut Program, dice: &mut Dice) {
    if program.buffers.is_empty() {
        return;
    }
    let [from, to] = [(); 2].map(|()| dice.below(program.buffers.len()));
    program.buffers[to].layout = program.buffers[from].layout;
}

/// Swaps two steps, repeats one, or leaves one out.
fn steps(program: &mut Program, dice: &mut Dice) {
    let steps = &mut program.routines[dice.pick(&EntryPoint::ALL)].steps;
    if steps.is_empty() {
        return;
    }
    let [a, b] = [(); 2].map(|()| dice.below(steps.len()));
    match dice.below(3) {
        0 => steps.swap(a, b),
        1 => steps.insert(a, steps[b].clone()),
        _ => drop(steps.remove(a)),
    }
}

/// Changes some bytes of a program's own; what is no program any more stays as it was.
fn bytes(program: Program, dice: &mut Dice) -> Program {
    const HEADER: usize = 20;
    const CHECKSUM: usize = 8;
    let mut bytes = encode(&program);
    let end = bytes.len() - CHECKSUM;
    for _ in 0..1 + dice.below(2) {
        let at = HEADER + dice.below(end - HEADER);
        match dice.below(5) {
            0 => bytes[at] = dice.bits() as u8,
            1 => bytes[at] = bytes[at].wrapping_add(1),
            2 => bytes[at] = bytes[at].wrapping_sub(1),
            3 => bytes[at] = dice.pick(&[0, 1, 2, 3, 16, 32, 48]),
            _ => {
                let len = dice.pick(&[1, 2, 4, 8]).min(end - at);
                let from = HEADER + dice.below(end - HEADER - len + 1);
                bytes.copy_within(from..from + len, at);
            }
        }
    }
    let checksum = bytes[HEADER..end].iter().fold(14695981039346656037u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(1099511628211)
    });
    bytes[end..].copy_from_slice(&checksum.to_le_bytes());
    decode(&bytes).unwrap_or(program)
}
