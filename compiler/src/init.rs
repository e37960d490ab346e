//! How a parameter starts: distributions of initial values, and rules that give one for a shape.

/// A parameter's distribution at the start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// All elements the same.
    Constant(f64),
    /// Uniform between the two.
    Uniform(f64, f64),
    /// Normal with this mean and standard deviation.
    Normal(f64, f64),
    /// Normal with this mean and standard deviation, of which values from the third number up to
    /// the fourth are drawn.
    Truncated(f64, f64, f64, f64),
    /// The columns of a matrix, or the rows where these are fewer, are at right angles and of this
    /// length.
    Orthogonal(f64),
}

/// A way to start a parameter, before its shape is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// Uniform with variance `gain / fan`.
    Uniform(Fan, f64),
    /// Normal with variance `gain / fan`.
    Normal(Fan, f64),
    /// The same for every shape.
    Fixed(Init),
    /// [`Init::Orthogonal`], of a matrix alone.
    Orthogonal(f64),
    /// What PyTorch's layer starts with; of a matrix alone.
    Torch,
}

/// What the variance is divided by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fan {
    /// The inputs of a neuron.
    In,
    /// The mean of its inputs and outputs.
    Mean,
}

impl Rule {
    /// The default of a parameter: Glorot's for weights, zero for a vector or a number.
    pub fn default_for(dims: &[usize]) -> Rule {
        match dims {
            [] | [_] => Rule::Fixed(Init::Constant(0.0)),
            _ => Rule::Uniform(Fan::Mean, 1.0),
        }
    }

    /// The distribution for a shape; `None` where the rule is for a matrix and this is none.
    pub fn init(self, dims: &[usize]) -> Option<Init> {
        Some(match self {
            Rule::Fixed(init) => init,
            Rule::Normal(fan, gain) => Init::Normal(0.0, (gain / fan.of(dims)).sqrt()),
            Rule::Uniform(fan, gain) => {
                // The variance of a uniform distribution over ±bound is bound² / 3.
                let bound = (3.0 * gain / fan.of(dims)).sqrt();
                Init::Uniform(-bound, bound)
            }
            Rule::Orthogonal(_) | Rule::Torch if dims.len() != 2 => return None,
            Rule::Orthogonal(gain) => Init::Orthogonal(gain),
            // torch.nn.Linear: ±1 / √in.
            Rule::Torch => return Rule::Uniform(Fan::In, 1.0 / 3.0).init(dims),
        })
    }

    /// The distribution of the bias beside a weight: PyTorch's is that of the weight.
    pub fn of_bias(self, weight: &[usize]) -> Init {
        let own = self.init(weight).filter(|_| self == Rule::Torch);
        own.unwrap_or(Init::Constant(0.0))
    }
}

impl Fan {
    /// For a weight [in, out]; leading dimensions count as a receptive field, as in a convolution.
    /// A vector has as many outputs as inputs.
    fn of(self, dims: &[usize]) -> f64 {
        let (fan_in, fan_out) = match dims {
            [] => (1.0, 1.0),
            [n] => (*n as f64, *n as f64),
            [field @ .., rows, cols] => {
                let field = field.iter().product::<usize>() as f64;
                (*rows as f64 * field, *cols as f64 * field)
            }
        };
        match self {
            Fan::In => fan_in,
            Fan::Mean => (fan_in + fan_out) / 2.0,
        }
    }
}
