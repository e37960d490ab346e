//! The step in candle, on its CPU device.

use crate::workloads::Workload;
use crate::{Layer, Net, Start, Targets};
use candle_core::{Device, Result, Tensor, Var};
use candle_nn::{AdamW, Linear, Module, Optimizer, ParamsAdamW, SGD, loss, ops};
use std::hint::black_box;

type Activation = fn(&Tensor) -> Result<Tensor>;

struct CandleNet {
    /// Each with its activation, if it has one.
    layers: Vec<(Linear, Option<Activation>)>,
    rows: Tensor,
    targets: Tensor,
    /// Of the predictions and the targets.
    loss: fn(&Tensor, &Tensor) -> Result<Tensor>,
    update: Option<Update>,
    last_loss: Option<Tensor>,
}

enum Update {
    Sgd(SGD),
    Adam(AdamW),
    /// candle has no momentum of its own: v = 0.9 v + g, w = w - lr v, written like its SGD.
    Momentum(Vec<(Var, Tensor)>),
}

impl Update {
    fn new(optimizer: &str, parameters: Vec<Var>) -> Result<Update> {
        Ok(match optimizer {
            "adam" => {
                let params = ParamsAdamW { lr: 0.001, weight_decay: 0.0, ..Default::default() };
                Update::Adam(AdamW::new(parameters, params)?)
            }
            "momentum" => {
                let still = |var: Var| var.zeros_like().map(|zeros| (var, zeros));
                Update::Momentum(parameters.into_iter().map(still).collect::<Result<_>>()?)
            }
            _ => Update::Sgd(SGD::new(parameters, 0.01)?),
        })
    }

    fn step(&mut self, loss: &Tensor) -> Result<()> {
        let gradients = loss.backward()?;
        match self {
            Update::Sgd(sgd) => sgd.step(&gradients),
            Update::Adam(adam) => adam.step(&gradients),
            Update::Momentum(slots) => slots.iter_mut().try_for_each(|(var, velocity)| {
                let gradient = gradients.get(var).expect("every parameter is used");
                *velocity = ((&*velocity * 0.9)? + gradient)?;
                var.set(&var.sub(&(&*velocity * 0.01)?)?)
            }),
        }
    }
}

impl CandleNet {
    fn forward(&self) -> Result<Tensor> {
        let mut x = self.rows.clone();
        for (linear, activation) in &self.layers {
            x = linear.forward(&x)?;
            if let Some(activation) = activation {
                x = activation(&x)?;
            }
        }
        Ok(x)
    }

    fn try_step(&mut self) -> Result<()> {
        let y = self.forward()?;
        match &mut self.update {
            Some(update) => {
                let loss = (self.loss)(&y, &self.targets)?;
                update.step(&loss)?;
                self.last_loss = Some(loss.detach());
            }
            None => drop(black_box(y)),
        }
        Ok(())
    }
}

impl Net for CandleNet {
    fn step(&mut self) {
        self.try_step().expect("the shapes agree");
    }

    fn loss(&self) -> f32 {
        let loss = self.last_loss.as_ref().expect("a step was made");
        loss.to_scalar().expect("it is one number")
    }
}

/// The net with the parameters and the data of `start`.
pub fn net(workload: &Workload, start: &Start) -> impl Net + use<> {
    try_net(workload, start).expect("the shapes agree")
}

fn try_net(workload: &Workload, start: &Start) -> Result<CandleNet> {
    let (device, batch, sizes) = (&Device::Cpu, workload.batch, &workload.sizes);
    let activation: Activation = match workload.activation.as_str() {
        "relu" => Tensor::relu,
        "tanh" => Tensor::tanh,
        _ => ops::sigmoid,
    };
    let training = workload.optimizer.is_some();
    let (mut layers, mut parameters) = (Vec::new(), Vec::new());
    for (index, layer) in start.layers.iter().enumerate() {
        let (weights, biases) = tensors(layer, device)?;
        let linear = if training {
            let vars = [Var::from_tensor(&weights)?, Var::from_tensor(&biases)?];
            parameters.extend(vars.clone());
            Linear::new(vars[0].as_tensor().clone(), Some(vars[1].as_tensor().clone()))
        } else {
            Linear::new(weights, Some(biases))
        };
        layers.push((linear, workload.is_activated(index).then_some(activation)));
    }
    let optimizer = workload.optimizer.as_ref();
    Ok(CandleNet {
        layers,
        rows: Tensor::from_slice(&start.rows, (batch, sizes[0]), device)?,
        targets: match &start.targets {
            Targets::Values(values) => {
                Tensor::from_slice(values, (batch, sizes[sizes.len() - 1]), device)?
            }
            Targets::Classes(classes) => Tensor::from_slice(classes, batch, device)?,
        },
        loss: if workload.loss == "mse" { loss::mse } else { loss::cross_entropy },
        update: optimizer.map(|optimizer| Update::new(optimizer, parameters)).transpose()?,
        last_loss: None,
    })
}

/// Weights and biases; candle wants the weights as `[outputs, inputs]`.
fn tensors(layer: &Layer, device: &Device) -> Result<(Tensor, Tensor)> {
    let weights = Tensor::from_slice(&layer.weights, (layer.inputs, layer.outputs), device)?;
    let biases = Tensor::from_slice(&layer.biases, layer.outputs, device)?;
    Ok((weights.t()?.contiguous()?, biases))
}
