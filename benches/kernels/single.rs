//! One kernel as the one step of a program made by hand.

use arenet::internals::prelude::RunOptions;
use arenet::internals::runtime::exec::{EntryPoint, Executor};
use arenet::internals::runtime::program::verify::verify;
use arenet::internals::runtime::program::{
    Buffer, BufferId, DType, Distribution, Kernel, Layout, Origin, Param, Program, Random, Routine,
    Rows, Step, StreamId,
};
use arenet::internals::runtime::simd::Isa;
use arenet_benches::shared;
use std::sync::Arc;

/// A program with one step, of operands that hold random numbers.
#[derive(Default)]
pub struct Single {
    program: Program,
}

impl Single {
    /// A buffer that the kernel writes.
    pub fn buffer(&mut self, layout: Layout) -> BufferId {
        let program = &mut self.program;
        let id = BufferId(program.buffers.len() as u32);
        let offset = program.arena_bytes;
        program.arena_bytes += layout.bytes(1).expect("it is small");
        program.buffers.push(Buffer { offset, layout, dtype: DType::F32 });
        id
    }

    /// A buffer of random numbers from -1 up to 1.
    pub fn operand(&mut self, layout: Layout) -> BufferId {
        self.filled(layout, Distribution::Uniform(-1.0, 1.0))
    }

    /// A buffer of random numbers.
    pub fn filled(&mut self, layout: Layout, distribution: Distribution) -> BufferId {
        let id = self.buffer(layout);
        let (rows, cols) = layout.size(1).expect("it is small");
        let (name, shape) = (format!("p{}", id.0), vec![rows, cols]);
        self.program.params.push(Param { name, shape, buffer: id, states: Vec::new() });
        let kernel = Kernel::Random(Random { y: id, distribution, stream: StreamId(id.0) });
        self.program.routines[EntryPoint::Init].steps.push(step(kernel));
        id
    }

    /// What runs the kernel.
    pub fn ready(self, kernel: Kernel) -> impl FnMut() + use<> {
        self.ready_on(Isa::detect(), kernel)
    }

    /// The same with this instruction set.
    pub fn ready_on(mut self, isa: Isa, kernel: Kernel) -> impl FnMut() + use<> {
        self.program.batch = 1;
        self.program.routines[EntryPoint::Predict] =
            Routine { steps: vec![step(kernel)], ..Routine::default() };
        let program = verify(self.program).expect("the program is correct");
        let options = RunOptions { isa: Some(isa), ..shared::ALONE };
        let mut executor = Executor::new(Arc::new(program), options).expect("it is small");
        executor.run(EntryPoint::Init, 1).expect("it can be initialised");
        move || executor.run(EntryPoint::Predict, 1).expect("it has a row")
    }
}

fn step(kernel: Kernel) -> Step {
    Step { kernel, origin: Origin::default(), flops: 0 }
}

/// A matrix without the batch.
pub fn matrix(rows: u64, cols: u64) -> Layout {
    Layout::matrix(Rows { count: rows, batched: false }, cols)
}
