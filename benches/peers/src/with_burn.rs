//! The step in burn, on its CPU backend Flex.

use crate::workloads::Workload;
use crate::{Layer, Net, Start, Targets};
use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::nn::loss::{CrossEntropyLoss, CrossEntropyLossConfig, MseLoss, Reduction};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::{Device, Int, Tensor, TensorData, activation};
use std::hint::black_box;

type Activation = fn(Tensor<2>) -> Tensor<2>;

/// The parameters.
#[derive(Module, Debug)]
struct Layers {
    layers: Vec<Linear>,
}

enum Loss {
    Mse(MseLoss, Tensor<2>),
    CrossEntropy(CrossEntropyLoss, Tensor<1, Int>),
}

struct BurnNet {
    /// Taken by the optimizer and given back.
    layers: Option<Layers>,
    /// Of each layer.
    activations: Vec<Option<Activation>>,
    rows: Tensor<2>,
    loss: Loss,
    /// With its learning rate.
    optimizer: Option<(ModuleOptimizer, f64)>,
    last_loss: Option<Tensor<1>>,
}

impl BurnNet {
    fn forward(&self) -> Tensor<2> {
        let layers = &self.layers.as_ref().expect("the step before gave them back").layers;
        let mut x = self.rows.clone();
        for (linear, activation) in layers.iter().zip(&self.activations) {
            x = linear.forward(x);
            if let Some(activation) = activation {
                x = activation(x);
            }
        }
        x
    }
}

impl Net for BurnNet {
    fn step(&mut self) {
        let y = self.forward();
        let Some((optimizer, rate)) = &mut self.optimizer else {
            drop(black_box(y));
            return;
        };
        let loss = match &self.loss {
            Loss::Mse(mse, targets) => mse.forward(y, targets.clone(), Reduction::Mean),
            Loss::CrossEntropy(entropy, targets) => entropy.forward(y, targets.clone()),
        };
        let layers = self.layers.take().expect("the step before gave them back");
        let gradients = GradientsParams::from_grads(loss.backward(), &layers);
        self.layers = Some(optimizer.step(*rate, layers, gradients));
        self.last_loss = Some(loss.inner());
    }

    fn loss(&self) -> f32 {
        self.last_loss.clone().expect("a step was made").into_scalar()
    }
}

/// The net with the parameters and the data of `start`.
pub fn net(workload: &Workload, start: &Start) -> impl Net + use<> {
    let optimizer = workload.optimizer.as_deref().map(|name| {
        let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0);
        match name {
            "adam" => (AdamConfig::new().with_epsilon(1e-8).init(), 0.001),
            "momentum" => (SgdConfig::new().with_momentum(Some(momentum)).init(), 0.01),
            _ => (SgdConfig::new().init(), 0.01),
        }
    });
    let device = match optimizer {
        Some(_) => Device::flex().autodiff(),
        None => Device::flex(),
    };
    let activation: Activation = match workload.activation.as_str() {
        "relu" => activation::relu,
        "tanh" => activation::tanh,
        _ => activation::sigmoid,
    };
    let (batch, sizes) = (workload.batch, &workload.sizes);
    let matrix = |values: &[f32], cols| {
        Tensor::<2>::from_data(TensorData::new(values.to_vec(), [batch, cols]), &device)
    };
    let activated = |layer| workload.is_activated(layer).then_some(activation);
    BurnNet {
        layers: Some(Layers { layers: start.layers.iter().map(|l| linear(l, &device)).collect() }),
        activations: (0..start.layers.len()).map(activated).collect(),
        rows: matrix(&start.rows, sizes[0]),
        loss: match &start.targets {
            Targets::Values(values) => {
                Loss::Mse(MseLoss::new(), matrix(values, sizes[sizes.len() - 1]))
            }
            Targets::Classes(classes) => {
                let classes: Vec<i64> = classes.iter().map(|&class| class.into()).collect();
                let targets = Tensor::from_data(TensorData::new(classes, [batch]), &device);
                Loss::CrossEntropy(CrossEntropyLossConfig::new().init(&device), targets)
            }
        },
        optimizer,
        last_loss: None,
    }
}

fn linear(layer: &Layer, device: &Device) -> Linear {
    let weights = TensorData::new(layer.weights.clone(), [layer.inputs, layer.outputs]);
    let biases = TensorData::new(layer.biases.clone(), [layer.outputs]);
    Linear {
        weight: Param::from_data(weights, device),
        bias: Some(Param::from_data(biases, device)),
    }
}
