//! Weights as tests hold them: named tensors, and files of them that are written here.

use arenet_runtime::exec::{Executor, Options};
use arenet_runtime::predict::Predictor;
use arenet_runtime::program::Verified;
use arenet_runtime::train::{TrainError, Trainer};
use arenet_runtime::weights::WeightsFile;
use serde_json::{Map, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A named array, its last dimension contiguous.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    pub name: String,
    pub shape: Vec<usize>,
    pub data: Vec<f32>,
}

/// What has weights.
pub trait Weights {
    /// The parameters, in the order of the text; a weight is [in, out].
    fn weights(&self) -> Vec<Tensor>;
}

impl Weights for Executor {
    fn weights(&self) -> Vec<Tensor> {
        let params = self.program().params.iter();
        let tensor = |param: &arenet_runtime::program::Param| Tensor {
            name: param.name.clone(),
            shape: param.shape.iter().map(|&dim| dim as usize).collect(),
            data: self.read(param.buffer),
        };
        params.map(tensor).collect()
    }
}

impl Weights for Trainer {
    fn weights(&self) -> Vec<Tensor> {
        self.executor().weights()
    }
}

/// The bytes of a safetensors file.
pub fn file_of(tensors: &[Tensor], metadata: &BTreeMap<String, String>) -> Vec<u8> {
    let (mut header, mut data) = (Map::new(), Vec::new());
    if !metadata.is_empty() {
        header.insert("__metadata__".into(), json!(metadata));
    }
    for Tensor { name, shape, data: values } in tensors {
        let start = data.len();
        data.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        let entry = json!({"dtype": "F32", "shape": shape, "data_offsets": [start, data.len()]});
        header.insert(name.clone(), entry);
    }
    let header = json!(header).to_string();
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &data].concat()
}

/// A predictor with these weights.
pub fn predictor_of(
    program: Arc<Verified>,
    weights: &[Tensor],
    options: Options,
) -> Result<Predictor, TrainError> {
    let bytes = file_of(weights, &BTreeMap::new());
    Predictor::new(program, &mut WeightsFile::of_bytes(&bytes, "weights")?, options)
}
