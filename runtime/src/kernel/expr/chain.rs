//! Chains of cheap instructions over a tile: the value that goes from one instruction to the next
//! stays in vector registers, as in an accumulator machine.
//!
//! A block of vectors is taken through the whole chain before the next one, so an instruction is
//! decoded once a block, and only what somebody else reads is written. What takes longer than its
//! operands take to load, such as an exponential, is no link of a chain: it would need the vector
//! registers for itself. The updates of all optimizers are chains.

mod run;

pub use run::{Sweep, run};

use super::super::place::{Place, Tile};
use crate::program::{Cost, Opcode};
use crate::simd::LANES;
use run::{is_form, pair};

/// The most vectors of a block. With few, a division is still under way when the next block begins;
/// with many, there are fewer instructions to decode. Lines of twelve vectors, as tiles of products
/// have them, are two blocks.
pub const BLOCK: usize = 6;

/// Which operand of an instruction is the accumulator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum At {
    /// The first.
    First,
    /// The second.
    Second,
    /// The third.
    Third,
    /// The first and the second.
    Both,
}

impl At {
    /// The number of other operands.
    #[inline(always)]
    pub fn others(self, opcode: Opcode) -> usize {
        opcode.arity() - if self == At::Both { 2 } else { 1 }
    }

    /// Whether a link can have the accumulator there.
    pub const fn is_form(self, opcode: Opcode) -> bool {
        is_form(self, opcode)
    }
}

// The cheap instructions are the links of chains.
const _: () = {
    let mut code = 0;
    while code < Opcode::ALL.len() {
        let opcode = Opcode::ALL[code];
        assert!(is_form(At::First, opcode) == matches!(opcode.cost(), Cost::Cheap));
        code += 1;
    }
};

/// How a link computes: an opcode, where it has the accumulator, and which of the other operands
/// are the same for all vectors; or two of these, one after the other.
type Form = u16;

/// Keeps the accumulator as it is.
const KEEP: Form = Form::MAX;

/// The first form of two.
const PAIR: Form = 1 << 12;

const fn form(opcode: Opcode, at: At, is_fixed: [bool; 2]) -> Form {
    (opcode as u16) << 4 | (at as u16) << 2 | (is_fixed[0] as u16) << 1 | is_fixed[1] as u16
}

/// An operand of a chain.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Operand {
    /// Its first float in the arena.
    offset: usize,
    /// Which of the chain's strides it has.
    stride: u8,
}

/// One instruction of a chain, or two.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    form: Form,
    /// Where the accumulator is loaded from, unless it is the value of the link before.
    start: Option<Operand>,
    /// The other operands of each, in their order; those beyond the arity may be any.
    others: [[Operand; 2]; 2],
    /// Where the value goes, if anybody but the next link reads it.
    to: Option<Operand>,
}

/// The most strides of a chain.
const STRIDES: usize = 8;

/// How operands go on, in floats: the same for all that have a stride in common. The first stride
/// is that of what is the same everywhere.
#[derive(Clone, Debug, Default)]
struct Strides {
    row: [usize; STRIDES],
    vec: [usize; STRIDES],
    /// All ones where a tile that starts elsewhere has other operands, zero for registers.
    by_tile: [usize; STRIDES],
    /// All ones where the next block has other operands, zero for registers for a block.
    by_block: [usize; STRIDES],
    /// How many there are.
    len: usize,
    /// Whether the vectors of every operand that moves follow each other, across and down a tile.
    is_dense: [bool; 2],
}

impl Strides {
    /// What the lists hold for a place, in their order.
    fn of(place: Place, is_register: bool) -> [usize; 4] {
        let Place { row, vec, tile_row, tile_vec, .. } = place;
        let (moves, stays) = ((tile_row, tile_vec) == (row, vec), (tile_row, tile_vec) == (0, 0));
        assert!(moves || stays, "a place goes on with a tile as inside it, or not at all");
        let mask = |set: bool| if set { usize::MAX } else { 0 };
        [row, vec, mask(moves), mask(!is_register)]
    }

    fn find(&self, place: Place, is_register: bool) -> Option<usize> {
        let own = Strides::of(place, is_register);
        let lists = [&self.row, &self.vec, &self.by_tile, &self.by_block];
        (0..self.len).find(|&i| lists.map(|list| list[i]) == own)
    }

    /// The index of a stride, which is added if it is new.
    fn index_of(&mut self, place: Place, is_register: bool) -> usize {
        if let Some(index) = self.find(place, is_register) {
            return index;
        }
        let Strides { row, vec, by_tile, by_block, len, .. } = self;
        for (list, own) in
            [row, vec, by_tile, by_block].into_iter().zip(Strides::of(place, is_register))
        {
            list[*len] = own;
        }
        *len += 1;
        self.is_dense = [&self.vec, &self.row]
            .map(|steps| steps[1..self.len].iter().all(|&step| step == LANES));
        self.len - 1
    }
}

/// Cheap instructions that follow each other, bound to places.
#[derive(Clone, Debug)]
pub struct Chain {
    /// What is done with each block of vectors, in order.
    links: Vec<Link>,
    strides: Strides,
    /// The places from this offset on are registers for a block.
    registers: usize,
    /// Whether it has a division or a root, which take many times as long as anything else.
    divides: bool,
}

impl Chain {
    /// No links yet. The places from offset `registers` on are registers for a block, of which
    /// nobody but the chain knows.
    pub fn new(registers: usize) -> Chain {
        let mut strides = Strides::default();
        strides.index_of(Place::default(), false);
        Chain { links: Vec::new(), strides, registers, divides: false }
    }

    /// Whether links with these operands are sure to find room for their strides.
    pub fn has_room_for(&self, places: &[Place]) -> bool {
        let is_new =
            |place: &&Place| self.strides.find(**place, place.offset >= self.registers).is_none();
        self.strides.len + places.iter().filter(is_new).count() <= STRIDES
    }

    /// Adds a link that computes, or one that copies, with operands for which there is room:
    /// `start` is where the accumulator is loaded from, unless it is the value of the link before,
    /// and `to` where the value goes, if anybody but the next link reads it.
    pub fn push(
        &mut self,
        computes: Option<(Opcode, At)>,
        start: Option<Place>,
        others: &[Place],
        to: Option<Place>,
    ) {
        let start = start.map(|place| self.operand(place));
        let mut own = [Operand::default(); 2];
        let mut is_fixed = [false; 2];
        for (index, &other) in others.iter().enumerate() {
            own[index] = self.operand(other);
            is_fixed[index] = own[index].stride == 0;
        }
        let to = to.map(|place| self.operand(place));
        self.divides |= matches!(computes, Some((Opcode::Div | Opcode::Sqrt, _)));
        let form = computes.map_or(KEEP, |(opcode, at)| form(opcode, at, is_fixed));
        if let Some(last) = self.links.last_mut()
            && (start, last.to) == (None, None)
            && let Some(pair) = pair(last.form, form)
        {
            (last.form, last.others[1], last.to) = (pair, own, to);
            return;
        }
        self.links.push(Link { form, start, others: [own, own], to });
    }

    fn operand(&mut self, place: Place) -> Operand {
        let stride = self.strides.index_of(place, place.offset >= self.registers);
        Operand { offset: place.offset, stride: stride as u8 }
    }

    /// Whether all offsets that it reads and writes are like this, but for registers for a block.
    pub fn touches_only(&self, is: impl Fn(usize) -> bool) -> bool {
        let operands = |link: &Link| {
            let Link { start, others: [[a, b], [c, d]], to, .. } = *link;
            [start.unwrap_or_default(), a, b, c, d, to.unwrap_or_default()]
        };
        let mut operands = self.links.iter().flat_map(operands);
        operands.all(|operand| operand.offset >= self.registers || is(operand.offset))
    }
}
