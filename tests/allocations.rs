//! A training step and a prediction make no heap allocation after the first, and to save or to load
//! takes no memory for a second copy of what is saved or loaded. A process of its own, because all
//! that it allocates is counted.
#![expect(unsafe_code, reason = "counts what the allocator is asked for")]

#[path = "common/weights.rs"]
mod weights;

use arenet::Net;
use arenet::internals::prelude::*;
use std::alloc::{GlobalAlloc, Layout, System};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use weights::{Tensor, Weights, predictor_of};

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
/// The bytes held, and the most of them since this was last set.
static HELD: AtomicU64 = AtomicU64::new(0);
static PEAK: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        let size = layout.size() as u64;
        PEAK.fetch_max(HELD.fetch_add(size, Ordering::Relaxed) + size, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size() as u64, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations() -> u64 {
    ALLOCATIONS.load(Ordering::Relaxed)
}

/// The most bytes that the work holds at once beside those that were held before.
fn peak_of(work: impl FnOnce()) -> u64 {
    let before = HELD.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    work();
    PEAK.load(Ordering::Relaxed) - before
}

/// The most bytes that the work holds at once beside what it gives and what was held before.
fn passing<T>(work: impl FnOnce() -> T) -> u64 {
    let before = HELD.load(Ordering::Relaxed);
    let mut given = None;
    let peak = peak_of(|| given = Some(work()));
    peak - (HELD.load(Ordering::Relaxed) - before)
}

/// Parameters of 4 MiB and states of 8 are written and read without a copy of any of them, and the
/// copy that a training keeps is made before it begins.
fn saving_and_loading_hold_little() {
    const WIDTH: usize = 1024;
    const MIB: u64 = 1 << 20;
    let compiled = compile(&source(WIDTH), &CompileOptions::default());
    let program = compiled.unwrap_or_else(|found| panic!("{found:#?}")).program;
    let data = Dataset {
        rows: 1,
        inputs: vec![Array { width: WIDTH, data: Values::F32(vec![0.5; WIDTH]) }],
        targets: vec![Array { width: 1, data: Values::I32(vec![1]) }],
        ..Dataset::default()
    };
    let options = RunOptions { threads: Some(1), ..RunOptions::default() };
    let settings = Settings::default();
    let mut trainer =
        Trainer::new(program, data, &Settings { run: options, ..settings.clone() }).unwrap();
    let file = std::env::temp_dir().join(format!("arenet-allocations-{}", std::process::id()));
    let saved = [
        peak_of(|| trainer.save_weights(&file).unwrap()),
        peak_of(|| trainer.save_checkpoint(&file).unwrap()),
    ];
    let open = || WeightsFile::open(&file).unwrap();
    let mut loaded = vec![
        peak_of(|| trainer.resume(&file).unwrap()),
        peak_of(|| trainer.load_weights(&mut open()).unwrap()),
    ];
    for weights in Precision::ALL {
        let narrow = CompileOptions { weights, ..CompileOptions::default() };
        let program = compile(&source(WIDTH), &narrow).unwrap().program;
        let predictor = || Predictor::new(program.clone(), &mut open(), options).unwrap();
        loaded.push(passing(predictor));
    }
    let epoch = peak_of(|| drop(trainer.run_epoch(&mut |_| ControlFlow::Continue(())).unwrap()));
    std::fs::remove_file(&file).unwrap();
    assert!(saved.iter().all(|&peak| peak < 2 * MIB), "{saved:?}");
    assert!(loaded.iter().all(|&peak| peak < 2 * MIB), "{loaded:?}");
    assert!(epoch < MIB, "{epoch}");
}

/// Of parameters of 4 MiB, four predictors have one copy.
fn sharing_holds_one_copy() {
    let purpose = Purpose::Evaluate;
    let options = CompileOptions { batch: Some(1), purpose, ..CompileOptions::default() };
    let program = compile(&source(1024), &options).unwrap().program;
    let weights: Vec<Tensor> = program
        .program()
        .params
        .iter()
        .map(|param| {
            let shape: Vec<usize> = param.shape.iter().map(|&size| size as usize).collect();
            Tensor { name: param.name.clone(), data: vec![0.5; shape.iter().product()], shape }
        })
        .collect();
    let options = RunOptions { threads: Some(1), ..RunOptions::default() };
    let one = predictor_of(program, &weights, options).unwrap();
    let before = HELD.load(Ordering::Relaxed);
    let shared = one.share(4).unwrap();
    let more = HELD.load(Ordering::Relaxed).saturating_sub(before);
    assert_eq!(shared.len(), 4);
    assert!(more < 1 << 20, "{more}");
}

/// Predictions of 8 MB are held a batch at a time.
fn predicting_holds_a_batch() {
    const ROWS: usize = 2000;
    let text = "net fan { input x: [N, 1]  output y = x |> dense(1000) }";
    let options = CompileOptions { batch: Some(16), ..CompileOptions::default() };
    let program = compile(text, &options).unwrap().program;
    let weights = [("y.w", vec![1, 1000]), ("y.b", vec![1000])].map(|(name, shape)| Tensor {
        name: name.into(),
        shape,
        data: vec![0.5; 1000],
    });
    let options = RunOptions { threads: Some(1), ..RunOptions::default() };
    let mut predictor = predictor_of(program, &weights, options).unwrap();
    let x = [Array { width: 1, data: Values::F32(vec![0.5; ROWS]) }];
    let mut seen = 0;
    let peak = peak_of(|| {
        let mut batches = predictor.batches(&x, ROWS).unwrap();
        while let Some(batch) = batches.advance().unwrap() {
            assert_eq!((batch.first, batch.outputs[0].len()), (seen, batch.rows * 1000));
            assert!(batch.outputs[0].iter().all(|&y| y == 0.75));
            seen += batch.rows;
        }
    });
    assert_eq!(seen, ROWS);
    assert!(peak < 1 << 20, "{peak}");
}

/// With momentum and a schedule; shared between threads where it is large.
fn source(width: usize) -> String {
    format!(
        "net counted {{ input x: [N, {width}]  h = x |> dense({width}) |> sigmoid
                        output y = h |> dense(2) }}
         train {{ target t: i32[N] in 0..2  loss = cross_entropy(y, t)
                  optimizer = adam(lr: cosine(0.01))  batch = 64  epochs = 3 }}"
    )
}

fn check(width: usize, threads: usize) {
    const ROWS: usize = 200;
    let text = source(width);
    let compiled = compile(&text, &CompileOptions::default());
    let program = compiled.unwrap_or_else(|found| panic!("{found:#?}")).program;
    let data = Dataset {
        rows: ROWS,
        inputs: vec![Array { width, data: Values::F32(vec![0.5; ROWS * width]) }],
        targets: vec![Array { width: 1, data: Values::I32(vec![1; ROWS]) }],
        ..Dataset::default()
    };
    let options = RunOptions { threads: Some(threads), ..RunOptions::default() };
    let settings = Settings::default();
    let mut trainer =
        Trainer::new(program.clone(), data, &Settings { run: options, ..settings.clone() })
            .unwrap();
    let mut counts = Vec::with_capacity(100);
    for epoch in 0..3 {
        counts.clear();
        let mut on_step = |_| {
            counts.push(allocations());
            ControlFlow::Continue(())
        };
        trainer.run_epoch(&mut on_step).unwrap().unwrap();
        assert_eq!(counts.len(), 4);
        // A thread may start as late as in the first epoch, and allocates as it does.
        let is_settled = epoch > 0 || threads == 1;
        assert!(!is_settled || counts.iter().all(|count| *count == counts[0]), "{counts:?}");
    }

    // Steps on rows of one's own, the last of them fewer.
    let mut online =
        Trainer::without_data(program, &Settings { steps: Some(50), ..settings.clone() }).unwrap();
    let (x, classes) = (vec![0.5; 64 * width], [1; 64]);
    let mut steps = |count| {
        for _ in 0..count {
            online.step(&x, &classes).unwrap();
            online.step(&x[..5 * width], &classes[..5]).unwrap();
        }
    };
    steps(2);
    let before = allocations();
    steps(10);
    assert_eq!(allocations(), before, "{width} wide, {threads} threads");

    // All of them live to the end: a thread that starts or ends allocates at a time of its own.
    let (x, mut y) = (vec![0.5; 64 * width], vec![0.0; 128]);
    let mut predictors = Precision::ALL.map(|weights| {
        let narrow = CompileOptions { weights, ..CompileOptions::default() };
        let program = compile(&text, &narrow).unwrap().program;
        let mut predictor = predictor_of(program, &trainer.weights(), options).unwrap();
        for _ in 0..10 {
            predictor.predict_into(&x, &mut y).unwrap();
        }
        predictor
    });
    for (predictor, weights) in predictors.iter_mut().zip(Precision::ALL) {
        let before = allocations();
        for _ in 0..10 {
            predictor.predict_into(&x, &mut y).unwrap();
            predictor.predict_into(&x[..width], &mut y[..2]).unwrap();
        }
        assert_eq!(allocations(), before, "{width} wide, {threads} threads, {weights:?}");
    }
}

/// Steps by gradients from outside, after the first.
fn steps_by_gradients() {
    let net = Net::parse(&source(10)).unwrap();
    let mut trainer = net.gradient_trainer().steps(100).threads(1).build().unwrap();
    let x = [[0.5; 10]; 8];
    let mut step = |x: &[[f32; 10]]| {
        let copy = |outputs: &[Vec<f32>], gradients: &mut [Vec<f32>]| {
            gradients[0].copy_from_slice(&outputs[0]);
        };
        trainer.step_by_gradients(x, copy).unwrap();
    };
    step(&x);
    let before = allocations();
    (0..10).for_each(|_| step(&x));
    step(&x[..3]);
    assert_eq!(allocations(), before);
}

/// Without libtest, whose own thread allocates when a test takes long.
fn main() {
    for (width, threads) in [(3, 1), (100, 1), (100, 2)] {
        check(width, threads);
    }
    steps_by_gradients();
    sharing_holds_one_copy();
    saving_and_loading_hold_little();
    predicting_holds_a_batch();
}
