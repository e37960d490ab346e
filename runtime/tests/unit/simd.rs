//! Every operation on every instruction set this machine has, bit for bit against plain Rust.
#![expect(unsafe_code, reason = "loads and stores")]

use arenet_runtime::simd::{Dot, Isa, LANES, Simd, Task};

type Lanes = [f32; LANES];
type Bits = [u32; LANES];

/// A small generator of pseudo-random bits (splitmix64); the tests need no better.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z >> 32) as u32
    }

    fn lanes(&mut self) -> Lanes {
        std::array::from_fn(|_| f32::from_bits(self.next()))
    }
}

/// Where arithmetic goes wrong first.
const EDGES: [f32; 28] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    1.0 + f32::EPSILON,
    1.0 - f32::EPSILON / 2.0,
    -1.0 - f32::EPSILON,
    0.5,
    1.5,
    3.0,
    -10.0,
    16777216.0,
    16777215.0,
    -8388609.0,
    4097.0,
    1e-20,
    -3e19,
    1.8e19,
    f32::MAX,
    f32::MIN,
    f32::MIN_POSITIVE,
    -f32::MIN_POSITIVE,
    f32::from_bits(1),
    f32::from_bits(0x007f_ffff),
    f32::from_bits(0x8000_0001),
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
];

/// The bits, and one pattern for every NaN.
fn canonical(x: f32) -> u32 {
    if x.is_nan() { f32::NAN.to_bits() } else { x.to_bits() }
}

/// All the operations that keep to their lane, applied to a, b and c.
struct Operations {
    a: Lanes,
    b: Lanes,
    c: Lanes,
}

impl Task for Operations {
    type Output = Vec<(&'static str, Bits)>;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Self::Output {
        let [a, b, c] = [self.a, self.b, self.c].map(|x| s.from_array(x));
        let [i, j, k] = [a, b, c].map(|x| s.to_bits(x));
        let float = |x: S::F| s.to_array(x).map(canonical);
        let bits = |x: S::I| s.to_array(s.from_bits(x)).map(f32::to_bits);
        let raw = |x: S::F| s.to_array(x).map(f32::to_bits);
        vec![
            ("splat", raw(s.splat(self.a[3]))),
            ("add", float(s.add(a, b))),
            ("sub", float(s.sub(a, b))),
            ("mul", float(s.mul(a, b))),
            ("div", float(s.div(a, b))),
            ("mul_add", float(s.mul_add(a, b, c))),
            ("neg_mul_add", float(s.neg_mul_add(a, b, c))),
            ("sqrt", float(s.sqrt(a))),
            ("max", float(s.max(a, b))),
            ("min", float(s.min(a, b))),
            ("abs", raw(s.abs(a))),
            ("neg", raw(s.neg(a))),
            ("gt", raw(s.select(s.gt(a, b), b, c))),
            ("ge", raw(s.select(s.ge(a, b), b, c))),
            ("eq", raw(s.select(s.eq(a, b), b, c))),
            ("splat_int", bits(s.splat_int(self.a[3].to_bits() as i32))),
            ("add_int", bits(s.add_int(i, j))),
            ("sub_int", bits(s.sub_int(i, j))),
            ("and", bits(s.and(i, j))),
            ("or", bits(s.or(i, j))),
            ("xor", bits(s.xor(i, j))),
            ("shl", bits(s.shl::<23>(i))),
            ("shr", bits(s.shr::<23>(i))),
            ("sar", bits(s.sar::<23>(i))),
            ("dot", bits(s.dot(k, i, j))),
            ("vnni", bits(s.vnni().map_or(s.dot(k, i, j), |vnni| with_dot(s, vnni, [k, i, j])))),
            ("from_ints", bits(s.from_ints(self.a.map(|x| x.to_bits() as i32)))),
            ("mul_even", bits(s.mul_even(i, j))),
            ("odd_to_even", bits(s.odd_to_even(i))),
            ("evens", bits(s.evens(i, j))),
            ("odds", bits(s.odds(i, j))),
            ("int_to_float", float(s.int_to_float(i))),
            ("sum", [canonical(s.sum(a)); LANES]),
            ("largest", [canonical(s.largest(a)); LANES]),
        ]
    }
}

/// A dot product by an instruction that `S` alone does not prove.
#[inline(always)]
fn with_dot<S: Simd, D: Dot<S>>(s: S, dot: D, [sum, a, b]: [S::I; 3]) -> S::I {
    dot.vectorize(
        s,
        #[inline(always)]
        || dot.dot(s, sum, a, b),
    )
}

/// sum + a b over the bytes of a, unsigned, and those of b, signed, wrapping.
fn dot(sum: f32, a: f32, b: f32) -> u32 {
    let pairs = a.to_bits().to_le_bytes().into_iter().zip(b.to_bits().to_le_bytes());
    let products: i64 = pairs.map(|(a, b)| i64::from(a) * i64::from(b as i8)).sum();
    (i64::from(sum.to_bits()) + products) as u32
}

/// The low and the high word of the product of two words.
fn product(a: f32, b: f32) -> [u32; 2] {
    let product = u64::from(a.to_bits()) * u64::from(b.to_bits());
    [product as u32, (product >> 32) as u32]
}

impl Operations {
    fn check(a: Lanes, b: Lanes, c: Lanes, isas: &[Isa]) {
        let expected = Operations { a, b, c }.oracle();
        for isa in isas {
            let found = isa.dispatch(Operations { a, b, c });
            for ((name, found), expected) in found.into_iter().zip(&expected) {
                assert_eq!(found, *expected, "{isa} {name}\na {a:?}\nb {b:?}\nc {c:?}");
            }
        }
    }

    /// The same, written as plainly as can be, in the order of [`Task::run`].
    fn oracle(&self) -> Vec<Bits> {
        let Operations { a, b, c } = *self;
        let float = |f: &dyn Fn(f32, f32, f32) -> f32| -> Bits {
            std::array::from_fn(|k| canonical(f(a[k], b[k], c[k])))
        };
        let raw = |f: &dyn Fn(f32, f32, f32) -> f32| -> Bits {
            std::array::from_fn(|k| f(a[k], b[k], c[k]).to_bits())
        };
        let bits = |f: &dyn Fn(i32, i32) -> i32| -> Bits {
            std::array::from_fn(|k| f(a[k].to_bits() as i32, b[k].to_bits() as i32) as u32)
        };
        vec![
            raw(&|_, _, _| a[3]),
            float(&|a, b, _| a + b),
            float(&|a, b, _| a - b),
            float(&|a, b, _| a * b),
            float(&|a, b, _| a / b),
            float(&f32::mul_add),
            float(&|a, b, c| (-a).mul_add(b, c)),
            float(&|a, _, _| a.sqrt()),
            float(&|a, b, _| if a > b { a } else { b }),
            float(&|a, b, _| if a < b { a } else { b }),
            raw(&|a, _, _| a.abs()),
            raw(&|a, _, _| -a),
            raw(&|a, b, c| if a > b { b } else { c }),
            raw(&|a, b, c| if a >= b { b } else { c }),
            raw(&|a, b, c| if a == b { b } else { c }),
            bits(&|_, _| a[3].to_bits() as i32),
            bits(&i32::wrapping_add),
            bits(&i32::wrapping_sub),
            bits(&|a, b| a & b),
            bits(&|a, b| a | b),
            bits(&|a, b| a ^ b),
            bits(&|a, _| a << 23),
            bits(&|a, _| ((a as u32) >> 23) as i32),
            bits(&|a, _| a >> 23),
            std::array::from_fn(|k| dot(c[k], a[k], b[k])),
            std::array::from_fn(|k| dot(c[k], a[k], b[k])),
            bits(&|a, _| a),
            std::array::from_fn(|k| product(a[k & !1], b[k & !1])[k % 2]),
            std::array::from_fn(|k| if k % 2 == 0 { a[k + 1].to_bits() } else { 0 }),
            std::array::from_fn(|k| [a, b][k % 4 / 2][k / 4 * 4 + [0, 2][k % 2]].to_bits()),
            std::array::from_fn(|k| [a, b][k % 4 / 2][k / 4 * 4 + [1, 3][k % 2]].to_bits()),
            bits(&|a, _| (a as f32).to_bits() as i32),
            [canonical(fold(a, |x, y| x + y)); LANES],
            [canonical(fold(a, |x, y| if x > y { x } else { y })); LANES],
        ]
    }
}

/// The fixed tree, from its definition: of n lanes, the fold of the n/2 pairs (i, i + n/2).
fn fold(a: Lanes, f: fn(f32, f32) -> f32) -> f32 {
    let mut lanes = a.to_vec();
    while let half @ 1.. = lanes.len() / 2 {
        lanes = (0..half).map(|i| f(lanes[i], lanes[i + half])).collect();
    }
    lanes[0]
}

#[test]
fn operations_on_edge_values() {
    let isas = Isa::available();
    let n = EDGES.len();
    let triple = |k: usize| [EDGES[k % n], EDGES[k / n % n], EDGES[k / n / n % n]];
    for first in (0..n * n * n).step_by(LANES) {
        let part = |p: usize| std::array::from_fn(|lane| triple(first + lane)[p]);
        Operations::check(part(0), part(1), part(2), &isas);
    }
}

#[test]
fn operations_on_random_bits() {
    let isas = Isa::available();
    let mut random = Random(1);
    for _ in 0..20_000 {
        Operations::check(random.lanes(), random.lanes(), random.lanes(), &isas);
    }
    // Values of like size, whose sums neither vanish nor swallow each other.
    let mut near_one = || random.lanes().map(|x| f32::from_bits(x.to_bits() & 0xbfff_ffff));
    for _ in 0..20_000 {
        Operations::check(near_one(), near_one(), near_one(), &isas);
    }
}

/// a * b + c in all lanes.
struct MulAdd(Lanes, Lanes, Lanes);

impl Task for MulAdd {
    type Output = Lanes;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Lanes {
        let MulAdd(a, b, c) = self;
        s.to_array(s.mul_add(s.from_array(a), s.from_array(b), s.from_array(c)))
    }
}

/// Triples made to be hard to round: c, a multiple of half the last place of a * b or the other
/// way round, leaves the sum on or next to the middle between two floats.
fn hard_to_round(random: &mut Random) -> [f32; 3] {
    let few_bits = random.next() % 24;
    let sparse = |bits: u32| f32::from_bits(bits & (!0 << few_bits));
    let [a, b] = [random.next(), random.next()].map(sparse);
    let product = f64::from(a) * f64::from(b);
    let exponent = (random.next() % 60) as i32 - 30;
    let c = match random.next() % 4 {
        // The product's own end, so that much cancels.
        0 => -product,
        // Powers of two around it: ties, and ties but for a bit far below.
        1 => product * f64::from(exponent).exp2(),
        2 => f64::from_bits(product.to_bits() & (0xfff << 52)) * f64::from(exponent).exp2(),
        _ => f64::from(f32::from_bits(random.next() & 0x80ff_ffff)),
    };
    [a, b, c as f32]
}

#[test]
fn fused_multiply_add_rounds_once() {
    let isas = Isa::available();
    let mut random = Random(2);
    let mut hard = 0;
    for _ in 0..200_000 {
        let triples: [[f32; 3]; LANES] = std::array::from_fn(|_| hard_to_round(&mut random));
        let part = |p: usize| triples.map(|triple| triple[p]);
        let expected = triples.map(|[a, b, c]| canonical(a.mul_add(b, c)));
        let twice = triples.map(|[a, b, c]| f64::from(a) * f64::from(b) + f64::from(c));
        hard += expected.iter().zip(twice).filter(|(y, sum)| **y != canonical(*sum as f32)).count();
        for isa in &isas {
            let found = isa.dispatch(MulAdd(part(0), part(1), part(2))).map(canonical);
            assert_eq!(found, expected, "{isa} {triples:?}");
        }
    }
    assert!(hard > 1000, "only {hard} of the triples would tell rounding once from rounding twice");
}

/// a * 2^n in all lanes.
struct Scale(Lanes, f32);

impl Task for Scale {
    type Output = Lanes;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Lanes {
        s.to_array(s.scale(s.from_array(self.0), s.splat(self.1)))
    }
}

#[test]
fn scale_rounds_once() {
    let mut random = Random(3);
    for n in -250..=250 {
        let mut a = random.lanes().map(|x| {
            // An exponent from -2 to 1.
            f32::from_bits((x.to_bits() & 0x80ff_ffff) + 0x3e80_0000 + (x.to_bits() >> 31 << 24))
        });
        a[..4].copy_from_slice(&[0.25, 4.0, -1.0, f32::NAN]);
        let expected = a.map(|a| canonical((f64::from(a) * f64::from(n).exp2()) as f32));
        for isa in Isa::available() {
            let found = isa.dispatch(Scale(a, n as f32)).map(canonical);
            assert_eq!(found, expected, "{isa} {a:?} * 2^{n}");
        }
    }
}

/// Loads and stores, whole and in part, at every offset, and the transpose.
struct Memory;

impl Task for Memory {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let from: [f32; 40] = std::array::from_fn(|i| i as f32);
        for offset in 0..=8 {
            let mut to = [-1.0; 40];
            // SAFETY: 16 floats from an offset of at most 8 lie inside 40.
            unsafe { s.store(to[offset..].as_mut_ptr(), s.load(from[offset..].as_ptr())) };
            let expected = |i| if (offset..offset + LANES).contains(&i) { from[i] } else { -1.0 };
            assert_eq!(to, std::array::from_fn(expected));
        }
        for n in 0..=LANES {
            // Slices of n floats at the very end of their array: nothing beyond may be touched.
            let mut to = [-1.0; LANES];
            // SAFETY: both pointers have n floats before the end of their array.
            unsafe {
                let lanes = s.load_first(from[40 - n..].as_ptr(), n);
                assert_eq!(s.to_array(lanes)[n..], [0.0; LANES][n..]);
                s.store_first(to[LANES - n..].as_mut_ptr(), lanes, n);
            }
            assert_eq!(to[LANES - n..], from[40 - n..]);
            assert_eq!(to[..LANES - n], [-1.0; LANES][n..]);
            let mask = s.to_array(s.select(s.first(n), s.splat(1.0), s.splat(0.0)));
            assert_eq!(mask, std::array::from_fn(|i| f32::from(u8::from(i < n))));
        }
        let halves: [u16; 24] = std::array::from_fn(|i| (i * 2731) as u16);
        for offset in 0..=8 {
            // SAFETY: 16 values from an offset of at most 8 lie inside 24.
            let lanes = unsafe { s.load_bf16(halves[offset..].as_ptr()) };
            let expected = |i: usize| u32::from(halves[offset + i]) << 16;
            assert_eq!(s.to_array(lanes).map(f32::to_bits), std::array::from_fn(expected));

            let mut bytes = [7; 24];
            let ints = s.to_bits(s.from_array(std::array::from_fn(|i| {
                f32::from_bits(((i * 37 + offset) as u32).wrapping_mul(0x0203_0509))
            })));
            // SAFETY: as above.
            unsafe { s.store_bytes(bytes[offset..].as_mut_ptr(), ints) };
            let byte = |i: usize| ((i * 37 + offset) as u32).wrapping_mul(0x0203_0509) as u8;
            let inside = offset..offset + LANES;
            let expected = |i| if inside.contains(&i) { byte(i - offset) } else { 7 };
            assert_eq!(bytes, std::array::from_fn(expected));
        }
        let cell = |row: usize, column: usize| (row * LANES + column) as f32;
        let mut rows = std::array::from_fn(|r| s.from_array(std::array::from_fn(|c| cell(r, c))));
        s.transpose(&mut rows);
        for (c, row) in rows.into_iter().enumerate() {
            assert_eq!(s.to_array(row), std::array::from_fn(|r| cell(r, c)));
        }
    }
}

#[test]
fn memory_and_transpose() {
    for isa in Isa::available() {
        isa.dispatch(Memory);
    }
}

/// The name of the instruction set that runs.
struct Name;

impl Task for Name {
    type Output = &'static str;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> &'static str {
        S::NAME
    }
}

#[test]
fn isas_are_named_and_found() {
    for isa in Isa::ALL {
        assert_eq!(isa.name().parse(), Ok(isa));
    }
    assert!("sse9".parse::<Isa>().is_err());
    assert_eq!(Isa::available().last(), Some(&Isa::detect()));
    assert_eq!(Isa::available().first(), Some(&Isa::Portable));
    for isa in Isa::available() {
        assert_eq!(isa.dispatch(Name), isa.name());
    }
}
