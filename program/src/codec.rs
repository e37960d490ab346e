//! The versioned bytes of a program.
//!
//! ```text
//! "ARENETC\0"   the magic
//! u32           the version
//! u64           the length of the payload
//! payload       the program
//! u64           FNV-1a of the payload
//! ```
//!
//! Numbers are little endian, floats by their bits; a list or a string is its length as u64 and its
//! items; an enum is a tag of one byte and its fields. Each type is described once, in a list of
//! its fields or variants, from which both directions are generated, so they cannot drift apart.
//! Any change to what is listed here needs a new version.
//!
//! Decoding proves the form and nothing else: [`super::verify`] judges the content.

use super::host::{HostInput, HostInstr, HostNumber, HostOp};
use super::lines::{Address, Line, Part};
use super::{
    Argmax, Balance, Batch, Buffer, BufferId, Column, ColumnSum, Correct, CrossEntropy, DType,
    Distribution, Domain, EntryPoint, Expr, Figure, Finish, Fit, Gather, Gemm, Instr, Kernel,
    Layout, Load, Metric, Missing, Opcode, Origin, Output, Over, Param, ParamId, PerEntry, Piece,
    Plateau, Port, Program, ProgramError, Random, Reduce, Routine, Rows, Scale, ScatterAdd,
    Schedule, Scores, Softmax, Span, Splice, Split, Spread, State, Statistic, Step, StreamId,
    Subject, Training, Value, Watch, Watched, Whole,
};

/// What a program's bytes begin with.
pub const MAGIC: &[u8; 8] = b"ARENETC\0";
const VERSION: u32 = 24;

/// Writes a program as bytes.
pub fn encode(program: &Program) -> Vec<u8> {
    let mut payload = Vec::new();
    program.write(&mut payload);
    let mut bytes = MAGIC.to_vec();
    VERSION.write(&mut bytes);
    (payload.len() as u64).write(&mut bytes);
    bytes.extend_from_slice(&payload);
    checksum(&payload).write(&mut bytes);
    bytes
}

/// Reads a program from bytes, which may be anything. Allocates in proportion to their length.
pub fn decode(bytes: &[u8]) -> Result<Program, ProgramError> {
    let magic = &bytes[..bytes.len().min(MAGIC.len())];
    if !MAGIC.starts_with(magic) {
        return fail("this is not a compiled program");
    }
    let mut input = Input { rest: &bytes[magic.len()..] };
    let version = u32::read(&mut input)?;
    if version != VERSION {
        let age = if version > VERSION { "a newer" } else { "an unknown" };
        let message = format!("the program was written by {age} version ({version}) of the format");
        let help = Some("compile the model again with this arenet");
        return Err(ProgramError { help, ..ProgramError::new(message) });
    }
    let length = u64::read(&mut input)?;
    let payload = input.take(length)?;
    let expected = u64::read(&mut input)?;
    if !input.rest.is_empty() {
        return fail(format!("the program is followed by {} more bytes", input.rest.len()));
    }
    if checksum(payload) != expected {
        return fail("the program is corrupt: its checksum does not match");
    }
    let mut input = Input { rest: payload };
    let program = Program::read(&mut input)?;
    if !input.rest.is_empty() {
        return fail(format!("the program ends {} bytes before its payload", input.rest.len()));
    }
    Ok(program)
}

/// FNV-1a. Each byte goes through a bijection of the state, so one changed byte always shows.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn fail<T>(message: impl Into<String>) -> Result<T, ProgramError> {
    Err(ProgramError::new(message))
}

/// The bytes not yet read.
struct Input<'b> {
    rest: &'b [u8],
}

impl<'b> Input<'b> {
    fn take(&mut self, length: u64) -> Result<&'b [u8], ProgramError> {
        let split = usize::try_from(length).ok().and_then(|n| self.rest.split_at_checked(n));
        let Some((taken, rest)) = split else {
            return fail("the program is cut short");
        };
        self.rest = rest;
        Ok(taken)
    }

    /// The length of a list. Every item takes a byte at least, so a length beyond the rest of the
    /// bytes is refused before anything is done for it.
    fn length(&mut self) -> Result<u64, ProgramError> {
        let length = u64::read(self)?;
        if length > self.rest.len() as u64 {
            return fail("the program is cut short");
        }
        Ok(length)
    }
}

/// What has a form in bytes.
trait Wire: Sized {
    fn write(&self, out: &mut Vec<u8>);
    fn read(input: &mut Input) -> Result<Self, ProgramError>;
}

macro_rules! numbers {
    ($($number:ident)*) => { $(
        impl Wire for $number {
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn read(input: &mut Input) -> Result<Self, ProgramError> {
                const SIZE: usize = size_of::<$number>();
                let mut bytes = [0; SIZE];
                bytes.copy_from_slice(input.take(SIZE as u64)?);
                Ok($number::from_le_bytes(bytes))
            }
        }
    )* };
}

numbers! { u8 u16 u32 u64 i64 f32 f64 }

impl Wire for bool {
    fn write(&self, out: &mut Vec<u8>) {
        u8::from(*self).write(out);
    }

    fn read(input: &mut Input) -> Result<Self, ProgramError> {
        match u8::read(input)? {
            0 => Ok(false),
            1 => Ok(true),
            other => fail(format!("{other} is neither false nor true")),
        }
    }
}

impl Wire for String {
    fn write(&self, out: &mut Vec<u8>) {
        (self.len() as u64).write(out);
        out.extend_from_slice(self.as_bytes());
    }

    fn read(input: &mut Input) -> Result<Self, ProgramError> {
        let length = input.length()?;
        match std::str::from_utf8(input.take(length)?) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => fail("a name in the program is not UTF-8"),
        }
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn write(&self, out: &mut Vec<u8>) {
        (self.len() as u64).write(out);
        self.iter().for_each(|item| item.write(out));
    }

    fn read(input: &mut Input) -> Result<Self, ProgramError> {
        // Collecting results grows with the items that are really there, not with the length.
        (0..input.length()?).map(|_| T::read(input)).collect()
    }
}

impl<T: Wire> Wire for Option<T> {
    fn write(&self, out: &mut Vec<u8>) {
        self.is_some().write(out);
        self.iter().for_each(|item| item.write(out));
    }

    fn read(input: &mut Input) -> Result<Self, ProgramError> {
        if bool::read(input)? { T::read(input).map(Some) } else { Ok(None) }
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
        self.1.write(out);
    }

    fn read(input: &mut Input) -> Result<Self, ProgramError> {
        Ok((A::read(input)?, B::read(input)?))
    }
}

impl<T: Wire> Wire for PerEntry<T> {
    fn write(&self, out: &mut Vec<u8>) {
        self.iter().for_each(|item| item.write(out));
    }

    fn read(input: &mut Input) -> Result<Self, ProgramError> {
        let [init, predict, eval, train, update, fit] = EntryPoint::ALL.map(|_| T::read(input));
        Ok(PerEntry([init?, predict?, eval?, train?, update?, fit?]))
    }
}

impl<T: Wire> Wire for [T; 3] {
    fn write(&self, out: &mut Vec<u8>) {
        self.iter().for_each(|item| item.write(out));
    }

    fn read(input: &mut Input) -> Result<Self, ProgramError> {
        Ok([T::read(input)?, T::read(input)?, T::read(input)?])
    }
}

/// Ids by their numbers.
macro_rules! ids {
    ($($name:ident)*) => { $(
        impl Wire for $name {
            fn write(&self, out: &mut Vec<u8>) {
                self.0.write(out);
            }

            fn read(input: &mut Input) -> Result<Self, ProgramError> {
                u32::read(input).map($name)
            }
        }
    )* };
}
ids! { BufferId ParamId StreamId }

/// Variants by their address in the list of all.
macro_rules! listed {
    ($($name:ident)*) => { $(
        impl Wire for $name {
            fn write(&self, out: &mut Vec<u8>) {
                (*self as u8).write(out);
            }

            fn read(input: &mut Input) -> Result<Self, ProgramError> {
                let tag = u8::read(input)?;
                match $name::ALL.get(usize::from(tag)) {
                    Some(&variant) => Ok(variant),
                    None => fail(format!("{tag} is not an {}", stringify!($name))),
                }
            }
        }
    )* };
}
listed! { Opcode HostOp EntryPoint }

/// Structs by their fields in order; a field that is forgotten here does not compile.
macro_rules! structs {
    ($($name:ident { $($field:ident),* })*) => { $(
        impl Wire for $name {
            fn write(&self, out: &mut Vec<u8>) {
                let $name { $($field),* } = self;
                $( $field.write(out); )*
            }

            fn read(input: &mut Input) -> Result<Self, ProgramError> {
                Ok($name { $( $field: Wire::read(input)? ),* })
            }
        }
    )* };
}

structs! {
    Program {
        name, batch, arena_bytes, buffers, params, inputs, targets, outputs, scalars, loss,
        terms, metrics, routines, training, lines
    }
    Line { address, origin }
    Address { entry, step, part, instr }
    Buffer { offset, layout, dtype }
    Rows { count, batched }
    Param { name, shape, buffer, states }
    State { name, buffer }
    Port { name, width, buffer, domain, missing, from, columns }
    Output { name, width, buffer, scores }
    Scores { target, scale }
    Metric { name, figure, rises, subject }
    Figure { values, finish }
    Finish { over, sums, figure, percent }
    Routine { steps, lower_bound, bytes }
    Step { kernel, origin, flops }
    Origin { name, line, column }
    Gemm { a, a_transposed, b, b_transposed, bias, tail, column_sums }
    ColumnSum { x, tail }
    Reduce { body, over, span, tail }
    Softmax { x, y, log }
    CrossEntropy { x, target, loss, grad }
    Correct { x, target, y }
    Random { y, distribution, stream }
    Gather { table, index, y }
    ScatterAdd { x, index, y }
    Splice { groups, pieces, y }
    Piece { x, from, len }
    Whole { index, y }
    Argmax { x, y }
    Expr { loads, consts, code, stores }
    Load { buffer, spread }
    Instr { op, args }
    Training {
        batch, accumulate, epochs, seed, valid, split, shuffle, validate, watch, schedules,
        balances, fits
    }
    Balance { param, target, ignored }
    Fit { params, values, statistic, level }
    Watch { figure, keeps_best, patience, min_delta }
    Schedule { base, rate, momentum, plateau }
    Plateau { figure, factor, patience, threshold, is_relative, cooldown, min_lr }
    HostNumber { code }
}

/// Enums by their variants, each with its tag; the names of a tuple's items are only labels.
macro_rules! enums {
    ($($name:ident {
        $( $tag:literal => $variant:ident
           $( ( $($item:ident),* ) )? $( { $($field:ident),* } )?, )*
    })*) => { $(
        impl Wire for $name {
            fn write(&self, out: &mut Vec<u8>) {
                match self {
                    $( $name::$variant $( ( $($item),* ) )? $( { $($field),* } )? => {
                        out.push($tag);
                        $( $( $item.write(out); )* )?
                        $( $( $field.write(out); )* )?
                    } )*
                }
            }

            fn read(input: &mut Input) -> Result<Self, ProgramError> {
                Ok(match u8::read(input)? {
                    $( $tag => {
                        $( $( let $item = Wire::read(input)?; )* )?
                        $( $( let $field = Wire::read(input)?; )* )?
                        $name::$variant $( ( $($item),* ) )? $( { $($field),* } )?
                    } )*
                    tag => return fail(format!("{tag} is not a {}", stringify!($name))),
                })
            }
        }
    )* };
}

enums! {
    DType { 0 => F32, 1 => I32, 2 => Bf16, 3 => I8, }
    Layout {
        0 => Rows { rows, cols, stride },
        1 => Panels { rows, cols },
        2 => Columns { rows, cols, stride },
        3 => Quads { rows, cols },
    }
    Domain {
        0 => Any,
        1 => Range(low, high),
        2 => Names(names),
        3 => Interval(low, high),
        4 => RangeOr(low, high, ignored),
    }
    Missing { 0 => Refused, 1 => LeftOut(words), 2 => Hole(words), 3 => Unknown, }
    Column { 0 => Named(name), 1 => At(place), }
    Kernel {
        0 => Gemm(gemm),
        1 => ColumnSum(sum),
        2 => Map(expr),
        3 => Reduce(reduce),
        4 => Softmax(softmax),
        5 => CrossEntropy(ce),
        6 => Correct(correct),
        7 => Random(random),
        8 => Gather(gather),
        9 => ScatterAdd(scatter),
        10 => Splice(splice),
        11 => Whole(whole),
        12 => Argmax(argmax),
    }
    Span { 0 => Row, 1 => All, }
    Distribution {
        0 => Constant(value),
        1 => Uniform(low, high),
        2 => Normal(mean, deviation),
        3 => Mask(share, kept),
        4 => Truncated(mean, deviation, low, high),
        5 => Orthogonal(gain),
    }
    Value { 0 => Result, 1 => Load(i), 2 => Const(i), 3 => Instr(i), }
    Spread { 0 => Full, 1 => Row, 2 => Column, 3 => Scalar, }
    HostInstr { 0 => Const(value), 1 => Input(input), 2 => Apply(op, args), }
    HostInput {
        0 => Rows,
        1 => Step,
        2 => Steps,
        3 => Epoch,
        4 => Epochs,
        5 => Base,
        6 => Rate(group),
        7 => Value(index),
        8 => Sum(index),
        9 => StepRows,
        10 => Momentum(group),
    }
    Over {
        0 => Numbers,
        1 => Classes { each, class },
        2 => Ranks,
        3 => Table { target },
    }
    Subject { 0 => Rows, 1 => Loss, 2 => Parameters, }
    Part { 0 => Tail, 1 => Body, 2 => ColumnSums, }
    Batch { 0 => Full, 1 => Rows(rows), }
    Watched { 0 => Loss, 1 => Metric(index), }
    Scale { 0 => Order, 1 => Probability, 2 => Log, 3 => Logit, }
    Statistic { 0 => Deviation, 1 => Range, 2 => Mean, 3 => Median, }
    Split { 0 => Random, 1 => Class, 2 => Last, 3 => Column(name), }
}
