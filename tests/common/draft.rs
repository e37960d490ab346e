//! Programs made by hand, without the compiler: buffers one after another in any layout, and
//! kernels over them, for any part of the batch that they are planned for.

use super::{Numbers, training};
use arenet_runtime::exec::{EntryPoint, Executor, Options};
use arenet_runtime::program::verify::{Verified, verify};
use arenet_runtime::program::{
    Buffer, BufferId, DType, Distribution, Domain, Kernel, Layout, Origin, Output, Param, Port,
    Program, Random, Routine, Rows, Step, StreamId,
};
use arenet_runtime::simd::Isa;
use std::sync::Arc;

/// One row for each row of the batch.
pub const N: Rows = Rows { count: 1, batched: true };

/// A matrix of numbers, row after row.
#[derive(Clone, Debug)]
pub struct Matrix {
    pub cols: usize,
    pub data: Vec<f32>,
}

impl Matrix {
    pub fn from_fn(rows: usize, cols: usize, f: impl Fn(usize, usize) -> f32) -> Matrix {
        let data = (0..rows).flat_map(|i| (0..cols).map(move |j| (i, j)));
        Matrix { cols, data: data.map(|(i, j)| f(i, j)).collect() }
    }

    pub fn random(numbers: &mut Numbers, rows: usize, cols: usize) -> Matrix {
        Matrix { cols, data: numbers.floats(rows * cols) }
    }

    pub fn at(&self, row: usize, col: usize) -> f32 {
        self.data[row * self.cols + col]
    }

    pub fn rows(&self) -> usize {
        self.data.len() / self.cols
    }
}

/// How a matrix lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    Rows,
    Panels,
    Columns,
    /// One element a row, without gaps.
    List,
}

/// A program under construction, planned for `program.batch` rows and run with `rows`.
pub struct Draft {
    program: Program,
    rows: usize,
    /// The values of ports and parameters; ports of classes have theirs as integers.
    floats: Vec<(BufferId, Vec<f32>)>,
    classes: Vec<i32>,
}

impl Draft {
    pub fn new(batch: usize, rows: usize) -> Draft {
        let training = Some(training());
        let program = Program { batch: batch as u64, training, ..Program::default() };
        Draft { program, rows, floats: Vec::new(), classes: Vec::new() }
    }

    /// A buffer that steps write, of rows of the batch or of `fixed` rows.
    pub fn result(&mut self, form: Form, fixed: Option<usize>, cols: usize) -> BufferId {
        let rows = fixed.map_or(N, |count| Rows { count: count as u64, batched: false });
        let width = cols as u64;
        let layout = match form {
            Form::Rows => Layout::matrix(rows, width),
            Form::Panels => Layout::Panels { rows: rows.count, cols: width },
            Form::Columns => Layout::columns(rows, width, self.program.batch).unwrap(),
            Form::List => Layout::list(rows),
        };
        let buffer = self.place(layout, DType::F32);
        if rows.batched {
            let name = format!("y{}", buffer.0);
            self.program.outputs.push(Output { name, width, buffer, scores: None });
        }
        buffer
    }

    fn place(&mut self, layout: Layout, dtype: DType) -> BufferId {
        let offset = self.program.arena_bytes;
        self.program.arena_bytes += layout.bytes(self.program.batch).unwrap();
        self.program.buffers.push(Buffer { offset, layout, dtype });
        BufferId(self.program.buffers.len() as u32 - 1)
    }

    /// A buffer that holds rows of the batch when the run starts.
    pub fn port(&mut self, form: Form, values: &Matrix) -> BufferId {
        let buffer = self.result(form, None, values.cols);
        let (name, width) = (format!("x{}", buffer.0), values.cols as u64);
        self.program.inputs.push(Port { name, width, buffer, ..Port::default() });
        self.floats.push((buffer, values.data.clone()));
        buffer
    }

    /// A buffer that holds something else when the run starts.
    pub fn param(&mut self, form: Form, values: &Matrix) -> BufferId {
        let buffer = self.result(form, Some(values.rows()), values.cols);
        let shape = vec![values.rows() as u64, values.cols as u64];
        let name = format!("p{}", buffer.0);
        self.program.params.push(Param { name, shape, buffer, states: vec![] });
        self.floats.push((buffer, values.data.clone()));
        buffer
    }

    pub fn scalar(&mut self, value: f32) -> BufferId {
        self.param(Form::Rows, &Matrix { cols: 1, data: vec![value] })
    }

    /// One class for each row.
    pub fn target(&mut self, classes: &[i32], count: usize) -> BufferId {
        let buffer = self.place(Layout::list(N), DType::I32);
        let domain = Domain::Range(0, count as i64);
        self.program.targets.push(Port {
            name: "target".into(),
            width: 1,
            buffer,
            domain,
            ..Port::default()
        });
        self.classes = classes.to_vec();
        buffer
    }

    /// The program whose training step is these kernels, each of which claims `flops` operations.
    pub fn verified(&self, kernels: &[Kernel], flops: u64) -> Arc<Verified> {
        let mut program = self.program.clone();
        let layout = Layout::scalar();
        let buffer = Buffer { offset: program.arena_bytes, layout, dtype: DType::F32 };
        let loss = BufferId(program.buffers.len() as u32);
        program.buffers.push(buffer);
        program.arena_bytes += layout.bytes(1).unwrap();
        let step = |kernel, flops| Step { kernel, origin: Origin::default(), flops };
        let entry = |steps| Routine { steps, ..Routine::default() };
        let zero = |y| Random { y, distribution: Distribution::Constant(0.0), stream: StreamId(0) };
        let zero = |y| step(Kernel::Random(zero(y)), 0);
        program.loss = Some(loss);
        program.routines[EntryPoint::Init] =
            entry(program.params.iter().map(|param| zero(param.buffer)).collect());
        program.routines[EntryPoint::Eval] = entry(vec![zero(loss)]);
        let steps = kernels.iter().map(|kernel| step(kernel.clone(), flops));
        program.routines[EntryPoint::Train] = entry(steps.chain([zero(loss)]).collect());
        // A prediction writes what is not from outside.
        let ports = &program.inputs;
        let written = |output: &&Output| !ports.iter().any(|port| port.buffer == output.buffer);
        let outputs = program.outputs.iter().filter(written);
        program.routines[EntryPoint::Predict] =
            entry(outputs.map(|output| zero(output.buffer)).collect());
        Arc::new(verify(program).unwrap_or_else(|error| panic!("{error}: {kernels:?}")))
    }

    /// Runs the kernels and hands the executor over, for every instruction set with one thread and
    /// two.
    pub fn run(&self, kernels: &[Kernel], mut look: impl FnMut(&Executor, &str)) {
        for isa in Isa::available() {
            for threads in [1, 2] {
                // Whatever claims enough work is shared between all threads.
                let flops = if threads > 1 { 1 << 30 } else { 0 };
                let options = Options { isa: Some(isa), threads: Some(threads), max_memory: None };
                let mut executor = Executor::new(self.verified(kernels, flops), options).unwrap();
                self.fill(&mut executor);
                executor.run(EntryPoint::Train, self.rows).unwrap();
                look(&executor, &format!("{isa}, {threads} threads"));
            }
        }
    }

    /// Writes what comes from outside. Before, a run of the whole batch on NaN leaves NaN wherever
    /// fewer rows do not reach.
    fn fill(&self, executor: &mut Executor) {
        let program = executor.program().clone();
        let batch = program.batch as usize;
        for port in &program.targets {
            executor.write_indices(port, 0, &vec![0; batch]).unwrap();
        }
        for port in &program.inputs {
            let nan = vec![f32::NAN; batch * port.width as usize];
            executor.write_floats(port, 0, &nan).unwrap();
        }
        executor.run(EntryPoint::Train, batch).unwrap();
        for port in &program.targets {
            executor.write_indices(port, 0, &self.classes).unwrap();
        }
        for (id, values) in &self.floats {
            match program.inputs.iter().find(|port| port.buffer == *id) {
                Some(port) => executor.write_floats(port, 0, values).unwrap(),
                None => executor.write(*id, values).unwrap(),
            }
        }
    }

    /// Runs the kernels and compares what they write.
    pub fn check(&self, what: &str, kernels: &[Kernel], expected: &[(BufferId, Matrix)]) {
        self.run(kernels, |executor, how| {
            for (i, (id, expected)) in expected.iter().enumerate() {
                let same = bits(&read(executor, *id, self.rows)) == bits(&expected.data);
                let (rows, batch) = (self.rows, self.program.batch);
                assert!(same, "{what}, {rows} of {batch} rows, {how}, result {i}");
            }
        });
    }
}

pub fn read(executor: &Executor, id: BufferId, rows: usize) -> Vec<f32> {
    let mut values = Vec::new();
    executor.read_rows(id, rows, &mut values);
    values
}

/// Every NaN is the same.
pub fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| if x.is_nan() { u32::MAX } else { x.to_bits() }).collect()
}
