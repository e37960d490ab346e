//! The step in Arenet.

use crate::shared::Stepper;
use crate::workloads::Workload;
use crate::{Net, Start, Targets};

impl Net for Stepper {
    fn step(&mut self) {
        Stepper::step(self);
    }

    fn loss(&self) -> f32 {
        let loss = self.executor.program().loss.expect("the workload is trained");
        self.executor.scalar(loss)
    }
}

/// The net with the parameters and the data of `start`.
pub fn net(workload: &Workload, start: &Start) -> impl Net + use<> {
    let training = workload.optimizer.is_some();
    let mut stepper = Stepper::new(&workload.source(), training, workload.batch as u64);
    let executor = &mut stepper.executor;
    let program = executor.program();
    let (params, input) = (program.params.clone(), program.inputs[0].clone());
    let target = program.targets.first().cloned();
    for (index, layer) in start.layers.iter().enumerate() {
        let name = workload.layer_name(index);
        for (part, values) in [("w", &layer.weights), ("b", &layer.biases)] {
            let full = format!("{name}.{part}");
            let param = params.iter().find(|param| param.name == full).expect("it is named so");
            executor.write(param.buffer, values).expect("it has this shape");
        }
    }
    executor.write_floats(&input, 0, &start.rows).expect("the input has this shape");
    if let Some(target) = target {
        let written = match &start.targets {
            Targets::Values(values) => executor.write_floats(&target, 0, values),
            Targets::Classes(classes) => {
                let indices: Vec<i32> = classes.iter().map(|&class| class as i32).collect();
                executor.write_indices(&target, 0, &indices)
            }
        };
        written.expect("the target has this shape");
    }
    stepper
}
