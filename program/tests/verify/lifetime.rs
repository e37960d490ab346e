//! Overlaps and lifetimes: faults with their sentences, and random programs, judged again by an
//! oracle that looks at every block of the arena.

use arenet_program::verify::verify;
use arenet_program::*;

use crate::refuse::{buffer, check, fresh, tail};
use crate::sample::*;

#[test]
fn refuses_overlaps_and_lost_values() {
    check(&[
        (
            |p| buffer(p, PROBS).offset = buffer(p, W1).offset,
            "predict, step 3 (softmax): writes buffer 10 over parameter `h.b`",
        ),
        (
            |p| p.routines[EntryPoint::Predict].steps.push(copy(H, X)),
            "predict, step 4 (map): writes input `x`, which only the host may write",
        ),
        (
            |p| p.routines[EntryPoint::Train].steps.insert(0, copy(H, D_H)),
            "train, step 1 (map): reads buffer 8, which nothing has written",
        ),
        (
            |p| tail(p, 1).stores[0].1 = X,
            "train, step 1 (gemm): writes buffer 0 over 0, which it reads",
        ),
        (
            |p| tail(p, 8).stores[0].1 = W1,
            "train, step 8 (gemm): writes buffers 3 and 3, which overlap",
        ),
        (
            |p| {
                let place = fresh(p, Layout::matrix(Rows { count: 2, batched: true }, 3));
                buffer(p, H).offset = buffer(p, place).offset;
                buffer(p, D_H).offset = buffer(p, place).offset + 64;
            },
            "train, step 5 (gemm): writes buffer 16 partly over buffer 8",
        ),
        (
            |p| buffer(p, LOSSES).offset = buffer(p, H).offset + 64,
            "train, step 5 (gemm): reads buffer 8, which buffer 11 lies over",
        ),
        (
            |p| drop(p.routines[EntryPoint::Init].steps.pop()),
            "init ends without state `h.w.momentum`",
        ),
        (
            |p| drop(p.routines[EntryPoint::Init].steps.remove(1)),
            "init ends without parameter `h.b`",
        ),
        (
            |p| {
                let step = p.routines[EntryPoint::Predict].steps[0].clone();
                p.routines[EntryPoint::Init].steps.insert(0, step);
            },
            "init, step 1 (gemm): reads buffer 0, which nothing has written",
        ),
        (
            |p| drop(p.routines[EntryPoint::Predict].steps.pop()),
            "predict ends without output `probs`",
        ),
        (|p| drop(p.routines[EntryPoint::Eval].steps.remove(4)), "eval ends without the loss"),
        (|p| drop(p.routines[EntryPoint::Eval].steps.pop()), "eval ends without metric `accuracy`"),
        (|p| drop(p.routines[EntryPoint::Train].steps.remove(3)), "train ends without the loss"),
        (|p| p.terms[0].values[0] = ACCURACY, "train ends without the loss"),
        (|p| p.metrics[0].subject = Subject::Loss, "train ends without `accuracy` of the loss"),
        (
            |p| {
                let (x, target, y) = (LOGITS, SPECIES, CORRECT);
                p.routines[EntryPoint::Predict].steps.push(step(Kernel::Correct(Correct {
                    x,
                    target,
                    y,
                })));
            },
            "predict, step 4 (correct): reads buffer 2, which nothing has written",
        ),
    ]);
}

/// Bytes of a block: one padded row.
const BLOCK: u64 = 64;
const BLOCKS: usize = 8;

/// What one step does, by the oracle's own account.
#[derive(Debug, Default)]
struct Action {
    /// May not be overlapped by what is written.
    gathers: Vec<BufferId>,
    /// Neither, unless it is the very same.
    streams: Vec<BufferId>,
    writes: Vec<BufferId>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Role {
    Param,
    Input,
    Value,
}

fn random_program(dice: &mut Dice) -> (Program, Vec<Role>, Vec<Action>) {
    let arena_bytes = BLOCKS as u64 * BLOCK;
    let mut program = Program { batch: 1, arena_bytes, ..Program::default() };
    let mut roles = Vec::new();
    for i in 0..3 + dice.below(3) as u32 {
        let (rows, role) = match dice.below(6) {
            0 => (fixed(1), Role::Param),
            1 => (fixed(2), Role::Param),
            2 => (N, Role::Input),
            3 | 4 => (fixed(1), Role::Value),
            _ => (fixed(2), Role::Value),
        };
        let offset = dice.below(BLOCKS - 1) as u64 * BLOCK;
        let layout = Layout::matrix(rows, 1);
        program.buffers.push(Buffer { offset, layout, dtype: DType::F32 });
        roles.push(role);
        let (buffer, name) = (BufferId(i), i.to_string());
        match role {
            Role::Param => {
                let (shape, states) = (vec![rows.count, 1], vec![]);
                program.params.push(Param { name, shape, buffer, states });
                program.routines[EntryPoint::Init].steps.push(fill(buffer));
            }
            Role::Input => {
                program.inputs.push(Port { name, width: 1, buffer, ..Port::default() });
            }
            Role::Value => {}
        }
    }
    let mut actions = Vec::new();
    for _ in 0..1 + dice.below(5) {
        let [x, y, z] = [0; 3].map(|_| BufferId(dice.below(program.buffers.len()) as u32));
        let layout = |id: BufferId| program.buffers[id.0 as usize].layout;
        let (step, action) = match dice.below(4) {
            0 if layout(x) == layout(y) && layout(x) == layout(z) => {
                let stores = vec![(Value::Load(0), y), (Value::Load(0), z)];
                let map = Expr { loads: vec![full(x)], stores, ..Expr::default() };
                let (streams, writes) = (vec![x], vec![y, z]);
                (step(Kernel::Map(map)), Action { streams, writes, ..Action::default() })
            }
            1 if layout(x) == layout(y) => {
                let (streams, writes) = (vec![x], vec![y]);
                (copy(x, y), Action { streams, writes, ..Action::default() })
            }
            2 if layout(y) == Layout::matrix(fixed(1), 1) => {
                let (gathers, writes) = (vec![x], vec![y]);
                let action = Action { gathers, writes, ..Action::default() };
                (step(Kernel::ColumnSum(ColumnSum { x, tail: keep(y) })), action)
            }
            _ => (fill(y), Action { writes: vec![y], ..Action::default() }),
        };
        program.routines[EntryPoint::Predict].steps.push(step);
        actions.push(action);
    }
    (program, roles, actions)
}

/// Whether the program is right, with no cleverness at all.
fn oracle(program: &Program, roles: &[Role], actions: &[Action]) -> bool {
    let buffer = |id: BufferId| program.buffers[id.0 as usize];
    let blocks = |id: BufferId| {
        let start = buffer(id).offset / BLOCK;
        (start..start + buffer(id).layout.bytes(1).unwrap() / BLOCK).map(|block| block as usize)
    };
    let apart = |a, b| blocks(a).all(|block| blocks(b).all(|other| block != other));
    let mut owner: [Option<Buffer>; BLOCKS] = [None; BLOCKS];
    let mut held: [Option<(Buffer, Role)>; BLOCKS] = [None; BLOCKS];
    for (i, &role) in roles.iter().enumerate().filter(|&(_, &role)| role != Role::Value) {
        let id = BufferId(i as u32);
        for block in blocks(id) {
            if held[block].is_some() {
                return false;
            }
            owner[block] = Some(buffer(id));
            held[block] = Some((buffer(id), role));
        }
    }
    for Action { gathers, streams, writes } in actions {
        for (i, &write) in writes.iter().enumerate() {
            let same = |&read| buffer(read) == buffer(write);
            let fits = writes[..i].iter().all(|&other| apart(write, other))
                && gathers.iter().all(|&read| apart(write, read))
                && streams.iter().all(|read| apart(write, *read) || same(read));
            if !fits {
                return false;
            }
        }
        for &read in gathers.iter().chain(streams) {
            if !blocks(read).all(|block| owner[block] == Some(buffer(read))) {
                return false;
            }
        }
        for &write in writes {
            for block in blocks(write) {
                if held[block].is_some_and(|held| held != (buffer(write), Role::Param)) {
                    return false;
                }
                owner[block] = Some(buffer(write));
            }
        }
    }
    true
}

#[test]
fn agrees_with_the_oracle() {
    let mut dice = Dice::new(2);
    let (mut good, mut bad) = (0, 0);
    for _ in 0..50_000 {
        let (program, roles, actions) = random_program(&mut dice);
        let expected = oracle(&program, &roles, &actions);
        let found = verify(program.clone());
        assert_eq!(found.is_ok(), expected, "{found:?}\n{program:#?}\n{actions:#?}");
        *(if expected { &mut good } else { &mut bad }) += 1;
    }
    assert!(good > 2000 && bad > 2000, "{good} good, {bad} bad");
}
