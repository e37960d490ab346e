//! The updates of all optimizers over data in memory, beside the speed of reading and writing as
//! many bytes, and Adam beside the same written by hand.

use crate::single::{Single, matrix};
use arenet::internals::prelude::{CompileOptions, compile};
use arenet::internals::runtime::machine::Rewrite;
use arenet::internals::runtime::program::{
    Distribution, EntryPoint, Expr, Instr, Kernel, Load, Spread, Value,
};
use arenet::internals::runtime::simd::{Isa, LANES, Simd, Task};
use criterion::{Criterion, Throughput};

/// The parameters of an update: no cache holds them.
const PARAMS: u64 = 10_000_000;

/// Every optimizer, and options that change what is read and written.
const OPTIMIZERS: [&str; 17] = [
    "sgd",
    "sgd(momentum: 0.9)",
    "adam",
    "adamw",
    "adamw(amsgrad: true)",
    "rmsprop",
    "rmsprop(centered: true)",
    "rmsprop(centered: true, momentum: 0.9)",
    "adagrad",
    "adadelta",
    "adamax",
    "nadam",
    "radam",
    "rprop",
    "asgd",
    "lion",
    "lion(weight_decay: 0.01)",
];

const RATE: f32 = 1e-3;
const BETA: [f32; 2] = [0.9, 0.999];
const EPSILON: f32 = 1e-8;

/// The update of a weight as the compiler writes it, as a map whose gradient is in memory; and how
/// many lists it reads and writes.
fn update(optimizer: &str) -> (u64, Kernel, Single) {
    let source = format!(
        "net n {{ input x: [N, 16]  output y = x |> dense(16, bias: false) }}
        train {{ target t: [N, 16]  loss = mse(y, t)  optimizer = {optimizer} }}"
    );
    let program = compile(&source, &CompileOptions::default()).expect("it is correct").program;
    let steps = &program.routines[EntryPoint::Train].steps;
    let tail = steps.iter().find_map(|step| match &step.kernel {
        Kernel::Gemm(gemm) if gemm.a_transposed => Some(gemm.tail.clone()),
        _ => None,
    });
    let Expr { loads, consts, code, stores } = tail.expect("the gradient is a product");
    let mut single = Single::default();
    let own = loads.iter().map(|load| {
        let (len, most) = if load.spread == Spread::Full { (PARAMS, 1.0) } else { (1, RATE) };
        // Not below 0, as the mean of squares is not.
        single.filled(matrix(1, len), Distribution::Uniform(0.0, most))
    });
    let own: Vec<_> = own.collect();
    let place = |id| own[loads.iter().position(|load| load.buffer == id).expect("it is in place")];
    let stores: Vec<_> = stores.iter().map(|&(value, id)| (value, place(id))).collect();
    let gradient = Value::Load(loads.len() as u16);
    let of_memory = |value| if value == Value::Result { gradient } else { value };
    let code = code.iter().map(|instr| Instr { args: instr.args.map(of_memory), ..*instr });
    let code = code.collect();
    let full = Load { buffer: single.operand(matrix(1, PARAMS)), spread: Spread::Full };
    let loads = loads.iter().zip(&own).map(|(load, &buffer)| Load { buffer, ..*load });
    let loads: Vec<_> = loads.chain([full]).collect();
    let read = loads.iter().filter(|load| load.spread == Spread::Full).count();
    let lists = (read + stores.len()) as u64;
    (lists, Kernel::Map(Expr { loads, consts, code, stores }), single)
}

/// Adam, the loop written by hand.
struct AdamByHand<'a> {
    g: &'a [f32],
    p: &'a mut [f32],
    m: &'a mut [f32],
    v: &'a mut [f32],
}

impl Task for AdamByHand<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let g = self.g.as_chunks::<LANES>().0;
        let [p, m, v] = [self.p, self.m, self.v].map(|list| list.as_chunks_mut::<LANES>().0);
        let [beta1, beta2] = BETA.map(|beta| s.splat(beta));
        let [rest1, rest2] = BETA.map(|beta| s.splat(1.0 - beta));
        for (((g, p), m), v) in g.iter().zip(p).zip(m).zip(v) {
            let g = s.from_array(*g);
            let mean = s.mul_add(s.from_array(*m), beta1, s.mul(g, rest1));
            let square = s.mul_add(s.from_array(*v), beta2, s.mul(s.mul(g, g), rest2));
            let divisor = s.add(s.sqrt(square), s.splat(EPSILON));
            let step = s.div(s.mul(mean, s.splat(RATE)), divisor);
            *p = s.to_array(s.sub(s.from_array(*p), step));
            *m = s.to_array(mean);
            *v = s.to_array(square);
        }
    }
}

/// Measures them. Criterion's throughput is all bytes that are read and written.
pub fn updates(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("updates");
    let bytes = |lists: u64| Throughput::Bytes(lists * 4 * PARAMS);
    for optimizer in OPTIMIZERS {
        let (lists, kernel, single) = update(optimizer);
        let (mut start, mut run) = (Some((kernel, single)), None);
        group.throughput(bytes(lists));
        group.bench_function(optimizer, |bencher| {
            // Filled only where it is measured.
            let run = run.get_or_insert_with(|| {
                let (kernel, single) = start.take().expect("it starts once");
                single.ready(kernel)
            });
            bencher.iter(run);
        });
    }

    let (isa, len) = (Isa::detect(), PARAMS as usize);
    let list = |value: f32| vec![value; len];
    let [mut p, mut m, mut v, mut x] = [1.0, 0.0, 0.0, 0.0].map(list);
    let g: Vec<f32> = (0..len).map(|i| (i % 64) as f32 / 32.0 - 1.0).collect();
    let source = &g[..];
    group.throughput(bytes(2 + 1));
    group.bench_function("same bytes, no state", |bencher| {
        bencher.iter(|| isa.dispatch(Rewrite { source, lists: [&mut p] }));
    });
    group.throughput(bytes(3 + 2));
    group.bench_function("same bytes, one state", |bencher| {
        bencher.iter(|| isa.dispatch(Rewrite { source, lists: [&mut p, &mut m] }));
    });
    group.throughput(bytes(4 + 3));
    group.bench_function("same bytes, two states", |bencher| {
        bencher.iter(|| isa.dispatch(Rewrite { source, lists: [&mut p, &mut m, &mut v] }));
    });
    group.throughput(bytes(5 + 4));
    group.bench_function("same bytes, three states", |bencher| {
        bencher.iter(|| {
            let lists: [&mut [f32]; 4] = [&mut p, &mut m, &mut v, &mut x];
            isa.dispatch(Rewrite { source, lists });
        });
    });

    v.fill(0.0);
    group.throughput(bytes(4 + 3));
    group.bench_function("adam by hand", |bencher| {
        bencher.iter(|| {
            isa.dispatch(AdamByHand { g: &g, p: &mut p, m: &mut m, v: &mut v });
        });
    });
}
