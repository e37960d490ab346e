//! What the tests of the whole machine share: a graph built by hand, compiled with the passes of
//! the compiler, run by the real runtime, and evaluated by the oracle in 64-bit arithmetic.
#![allow(dead_code, reason = "every test file uses a part of it")]

pub mod draft;
pub mod sums;
pub mod weights;

use arenet_compiler::Precision;
use arenet_compiler::emit::{emit, init_graph, place, stages};
use arenet_compiler::eval::evaluate;
use arenet_compiler::graph::op::{Assign, Broadcast, Leaf, Op, Operand, Reduce, Source};
use arenet_compiler::graph::{DType, Formula, Graph, NodeId, Origin, Shape, Tensor, verify};
use arenet_compiler::init::Init;
use arenet_compiler::model::{Domain, Figure, Metric, Missing, Model, Param, Port};
use arenet_compiler::pass::simplify::simplify;
use arenet_runtime::exec::{EntryPoint, Executor, Options};
use arenet_runtime::program::{
    Batch, Finish, HostInput, HostNumber, ParamId, PerEntry, Program, Subject, Training, Verified,
};
use arenet_runtime::simd::Isa;
use std::sync::Arc;

/// A fixed sequence of numbers in [0, 1), so that a failure repeats.
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Numbers {
        Numbers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1))
    }

    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Numbers from -1 up to 1.
    pub fn floats(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| (self.next() * 2.0 - 1.0) as f32).collect()
    }

    /// Values that a 32-bit element holds exactly, so that the runtime and the oracle start alike.
    fn tensor(&mut self, operand: &Operand, rows: usize) -> Tensor {
        let Operand { ty, low, high } = *operand;
        Tensor::from_fn(ty.shape, rows, |_| {
            let value = low + self.next() * (high - low);
            if ty.dtype == DType::I32 { value.floor() } else { f64::from(value as f32) }
        })
    }
}

/// A graph under test. What is watched of it becomes an output where it has the batch, a metric
/// where it is one number, and is otherwise assigned to a parameter of its own.
pub struct Net {
    pub graph: Graph,
    /// What the inputs, all with the batch, and the parameters, all without, may hold.
    inputs: Vec<(NodeId, Operand)>,
    params: Vec<(NodeId, Operand)>,
    watched: Vec<Watched>,
    assigns: Vec<NodeId>,
}

#[derive(Clone, Copy)]
enum Watched {
    Output(NodeId),
    Metric(NodeId),
    /// The new value of a parameter.
    Param(usize, NodeId),
}

impl Net {
    pub fn new() -> Net {
        let mut graph = Graph::default();
        graph.enter(Origin { name: "test".into(), span: Default::default() });
        let (inputs, params, watched, assigns) = Default::default();
        Net { graph, inputs, params, watched, assigns }
    }

    /// A value from outside: an input where it has the batch, else a parameter.
    pub fn leaf(&mut self, operand: Operand) -> NodeId {
        let list = if operand.ty.shape.batch() { &mut self.inputs } else { &mut self.params };
        let index = list.len() as u32;
        let batch = operand.ty.shape.batch();
        let source = if batch { Source::Input(index) } else { Source::Param(ParamId(index)) };
        let leaf = Leaf { source, shape: operand.ty.shape, dtype: operand.ty.dtype };
        let node = self.graph.add(leaf, &[]);
        list.push((node, operand));
        node
    }

    /// The parameters that nothing has been assigned to.
    pub fn free_params(&self) -> Vec<NodeId> {
        let assigned = |node| {
            self.watched
                .iter()
                .any(|w| matches!(w, Watched::Param(i, _) if self.params[*i].0 == node))
        };
        self.params.iter().map(|&(node, _)| node).filter(|&node| !assigned(node)).collect()
    }

    /// Makes the training step overwrite a parameter.
    pub fn assign(&mut self, param: NodeId, value: NodeId) {
        let index = self.params.iter().position(|&(node, _)| node == param);
        self.assigns.push(self.graph.add(Assign, &[param, value]));
        self.watched.push(Watched::Param(index.expect("it is a parameter"), value));
    }

    /// Compares a node's value.
    pub fn watch(&mut self, node: NodeId) {
        let shape = self.graph.shape(node);
        if shape.batch() {
            self.watched.push(Watched::Output(node));
        } else if shape.is_scalar() {
            self.watched.push(Watched::Metric(node));
        } else {
            // Computed, as updates are.
            let copy = (-Formula::new(&mut self.graph).term(node)).id;
            let result = self.leaf(Operand::f32(shape, 0.0, 0.0));
            self.assign(result, copy);
        }
    }

    fn nodes(&self, pick: impl Fn(&Watched) -> Option<NodeId>) -> Vec<NodeId> {
        self.watched.iter().filter_map(pick).collect()
    }

    /// The program for up to `batch` rows, verified.
    pub fn compile(&self, batch: u64) -> Arc<Verified> {
        let mut graph = self.graph.clone();
        verify::verify(&graph).unwrap_or_else(|error| panic!("{error}\n{graph}"));
        let outputs = self.nodes(|w| if let Watched::Output(n) = w { Some(*n) } else { None });
        let metrics = self.nodes(|w| if let Watched::Metric(n) = w { Some(*n) } else { None });
        // The loss is nothing anyone compares, but there must be one.
        let number = graph.constant(0.0);
        let loss = graph.add(Broadcast { shape: Shape::SCALAR }, &[number]);
        let with_roots = |roots| simplified(Graph { roots, ..graph.clone() });
        let predict = with_roots(outputs.clone());
        let eval = with_roots([loss].into_iter().chain(metrics.clone()).collect());
        // The training step keeps all of it alive at once.
        let all = [loss].into_iter().chain(outputs.clone()).chain(self.assigns.clone());
        let train = with_roots(all.chain(metrics.clone()).collect());
        let model = self.model(graph, &outputs, &metrics, loss);
        let graphs = PerEntry::new(|entry| match entry {
            EntryPoint::Init => init_graph(&model),
            EntryPoint::Predict => predict.clone(),
            EntryPoint::Eval => eval.clone(),
            EntryPoint::Train => train.clone(),
            EntryPoint::Update | EntryPoint::Fit => Graph::default(),
        });
        let stages = stages(graphs, batch, true);
        let program = place(emit(&model, &stages, batch, ""), &stages).0;
        let text = || stages.iter().map(|stage| stage.graph.to_string()).collect::<String>();
        let verified = arenet_runtime::program::verify::verify(program);
        Arc::new(verified.unwrap_or_else(|error| panic!("{error}\n{}", text())))
    }

    fn model(&self, graph: Graph, outputs: &[NodeId], metrics: &[NodeId], loss: NodeId) -> Model {
        let port = |(i, &(node, operand)): (usize, &(NodeId, Operand))| Port {
            name: format!("x{i}"),
            shape: operand.ty.shape,
            dtype: operand.ty.dtype,
            domain: match operand.ty.dtype {
                DType::F32 => Domain::Any,
                DType::I32 => Domain::Range(0, operand.high as i64),
            },
            missing: Missing::Refused,
            from: Vec::new(),
            node,
        };
        let param = |(i, &(node, operand)): (usize, &(NodeId, Operand))| Param {
            name: format!("p{i}"),
            shape: operand.ty.shape,
            init: Init::Constant(0.0),
            precision: Precision::F32,
            node,
            optimizer: None,
            span: Default::default(),
        };
        let metric = |(i, &node): (usize, &NodeId)| Metric {
            name: format!("m{i}"),
            figure: Figure { values: vec![node], finish: Finish::mean() },
            rises: false,
            subject: Subject::Rows,
        };
        let output = |(i, &node): (usize, &NodeId)| (format!("y{i}"), node);
        Model {
            name: "test".into(),
            inputs: self.inputs.iter().enumerate().map(port).collect(),
            params: self.params.iter().enumerate().map(param).collect(),
            outputs: outputs.iter().enumerate().map(output).collect(),
            metrics: metrics.iter().enumerate().map(metric).collect(),
            loss: Some(loss),
            training: Some(training()),
            graph,
            ..Model::default()
        }
    }

    /// Values for the leaves, for this many rows.
    pub fn data(&self, seed: u64, rows: usize) -> Data {
        let mut numbers = Numbers::new(seed);
        let mut values = |list: &[(NodeId, Operand)]| {
            list.iter().map(|(_, operand)| numbers.tensor(operand, rows)).collect()
        };
        Data { inputs: values(&self.inputs), params: values(&self.params), rows }
    }

    /// The watched values by the oracle, in the order in which they were asked for.
    pub fn expected(&self, data: &Data) -> Vec<Tensor> {
        let leaf = |leaf: &Leaf| match leaf.source {
            Source::Input(i) => data.inputs[i as usize].clone(),
            Source::Param(i) => data.params[i.index()].clone(),
            Source::PerRow(factor) => Tensor::scalar(factor / data.rows as f64),
            source => panic!("no value for {source:?}"),
        };
        let values = evaluate(&self.graph, leaf, data.rows);
        let node = |watched: &Watched| match *watched {
            Watched::Output(node) | Watched::Metric(node) | Watched::Param(_, node) => node,
        };
        self.watched.iter().map(|watched| values[node(watched).index()].clone()).collect()
    }

    /// The watched values by the runtime. The arena is full of NaN from an earlier run on bad data,
    /// so what is read without having been written shows.
    pub fn run(&self, program: &Arc<Verified>, options: Options, data: &Data) -> Vec<Vec<f32>> {
        let mut executor = Executor::new(program.clone(), options).unwrap();
        let program = program.program();
        let batch = program.batch as usize;
        let nan = |tensor: &Tensor| Tensor::from_fn(tensor.shape, batch, |_| f64::NAN);
        let poison = Data {
            inputs: data.inputs.iter().map(nan).collect(),
            params: data.params.iter().map(nan).collect(),
            rows: batch,
        };
        for entry in EntryPoint::ALL.into_iter().filter(|entry| entry.runs(program)) {
            self.write(&mut executor, &poison);
            executor.run(entry, batch).unwrap();
        }
        self.write(&mut executor, data);
        executor.run(EntryPoint::Predict, data.rows).unwrap();
        let read = |executor: &Executor, buffer| {
            let mut values = Vec::new();
            executor.read_rows(buffer, data.rows, &mut values);
            values
        };
        let buffers = program.outputs.iter().map(|output| output.buffer);
        let mut outputs = buffers.map(|id| read(&executor, id)).collect::<Vec<_>>().into_iter();
        executor.run(EntryPoint::Eval, data.rows).unwrap();
        let buffers = program.metrics.iter().map(|metric| metric.figure.values[0]);
        let mut metrics =
            buffers.map(|id| vec![executor.scalar(id)]).collect::<Vec<_>>().into_iter();
        executor.run(EntryPoint::Train, data.rows).unwrap();
        let watched = self.watched.iter().map(|watched| match *watched {
            Watched::Output(_) => outputs.next().expect("every output is there"),
            Watched::Metric(_) => metrics.next().expect("every metric is there"),
            Watched::Param(index, _) => executor.read(program.params[index].buffer),
        });
        watched.collect()
    }

    fn write(&self, executor: &mut Executor, data: &Data) {
        let program: Program = executor.program().clone();
        for (param, tensor) in program.params.iter().zip(&data.params) {
            executor.write(param.buffer, &floats(tensor)).unwrap();
        }
        for ((port, tensor), (_, operand)) in
            program.inputs.iter().zip(&data.inputs).zip(&self.inputs)
        {
            match operand.ty.dtype {
                DType::F32 => executor.write_floats(port, 0, &floats(tensor)).unwrap(),
                DType::I32 => {
                    let classes: Vec<i32> = tensor.data.iter().map(|&x| x as i32).collect();
                    executor.write_indices(port, 0, &classes).unwrap();
                }
            }
        }
        for (index, (number, _)) in program.scalars.iter().enumerate() {
            executor.set_scalar(index, of_rows(number, data.rows) as f32);
        }
    }

    /// Checks the watched values against the oracle on every instruction set, and that all of them
    /// and every number of threads give the same bits.
    pub fn check(&self, what: &str, batch: u64, rows: usize, threads: &[usize], tolerance: f64) {
        let program = self.compile(batch);
        let shared = worth_sharing(&program);
        let data = self.data(7, rows);
        let expected = self.expected(&data);
        let mut first: Option<Vec<Vec<u32>>> = None;
        for isa in Isa::available() {
            for &threads in threads {
                let what = format!("{what}, {rows} of {batch} rows, {isa}, {threads} threads");
                let options = Options { isa: Some(isa), threads: Some(threads), max_memory: None };
                let program = if threads > 1 { &shared } else { &program };
                let actual = self.run(program, options, &data);
                for (i, (actual, expected)) in actual.iter().zip(&expected).enumerate() {
                    assert_close(&format!("{what}, value {i}"), actual, expected, tolerance);
                }
                let bits = |values: &Vec<f32>| values.iter().map(|x| x.to_bits()).collect();
                let bits: Vec<Vec<u32>> = actual.iter().map(bits).collect();
                let first = first.get_or_insert_with(|| bits.clone());
                assert!(*first == bits, "{what}: the bits differ from those of the first run");
            }
        }
    }
}

/// What the leaves hold.
pub struct Data {
    pub inputs: Vec<Tensor>,
    pub params: Vec<Tensor>,
    pub rows: usize,
}

/// Settings nobody looks at.
pub fn training() -> Training {
    let batch = Batch::Full;
    Training { batch, epochs: 1, shuffle: false, ..Training::default() }
}

/// The value of a host's number that depends on the rows alone.
fn of_rows(number: &HostNumber, rows: usize) -> f64 {
    number.value(|input| match input {
        HostInput::Rows => rows as f64,
        input => panic!("no value for {input:?}"),
    })
}

fn simplified(graph: Graph) -> Graph {
    let mut graph = simplify(&graph);
    // A root that is only a number gets a place of its own, as `compile` does it.
    for index in 0..graph.roots.len() {
        let root = graph.roots[index];
        if matches!(graph.node(root).op, Op::Leaf(_)) && graph.shape(root).is_scalar() {
            graph.roots[index] = graph.add(Broadcast { shape: Shape::SCALAR }, &[root]);
        }
    }
    graph
}

fn floats(tensor: &Tensor) -> Vec<f32> {
    tensor.data.iter().map(|&x| x as f32).collect()
}

/// Asserts that values are close to the oracle's, relative to the largest or to 1.
pub fn assert_close(what: &str, actual: &[f32], expected: &Tensor, tolerance: f64) {
    assert_eq!(actual.len(), expected.data.len(), "{what}: another number of elements");
    let scale = expected.data.iter().fold(1.0f64, |scale, x| scale.max(x.abs()));
    for (i, (&a, &e)) in actual.iter().zip(&expected.data).enumerate() {
        let error = (f64::from(a) - e).abs() / scale;
        assert!(error <= tolerance, "{what}: element {i} is {a}, not {e} (off by {error:e})");
    }
}

/// A sum over an axis, for tests that build graphs.
pub fn sum(graph: &mut Graph, axis: arenet_compiler::graph::op::Axis, x: NodeId) -> NodeId {
    graph.add(Reduce { axis }, &[x])
}

/// A program that claims so much work that its threads share every step they can.
pub fn worth_sharing(program: &Verified) -> Arc<Verified> {
    let mut program = program.program().clone();
    for step in program.routines.iter_mut().flat_map(|routine| &mut routine.steps) {
        step.flops = 1 << 30;
    }
    Arc::new(arenet_runtime::program::verify::verify(program).unwrap())
}

/// The program of a file, for up to `batch` rows.
pub fn compile(source: &str, batch: u64) -> Arc<Verified> {
    let options = arenet_compiler::Options { batch: Some(batch), ..Default::default() };
    let compiled = arenet_compiler::compile(source, &options);
    compiled.unwrap_or_else(|errors| panic!("{errors:?}")).program
}

/// An executor with initial values, and every scalar at `scalar`.
pub fn executor(program: &Arc<Verified>, threads: usize, isa: Isa, scalar: f32) -> Executor {
    let options = Options { isa: Some(isa), threads: Some(threads), max_memory: None };
    let mut executor = Executor::new(program.clone(), options).unwrap();
    executor.run(EntryPoint::Init, 1).unwrap();
    for index in 0..program.program().scalars.len() {
        executor.set_scalar(index, scalar);
    }
    executor
}
