//! The initializers of the language.

use crate::entry::Entry;
use crate::init::{Fan, Init, Rule};
use crate::signature::{Args, Kind, Param, Problem, Range, Signature};

/// Makes a rule of the arguments of an initializer.
pub type Build = fn(&Args) -> Result<Rule, Problem>;

/// The initializers of the language.
pub const INITS: &[Entry<Build>] = &[
    // torch.nn.init.xavier_uniform_
    Entry::<Build>::plain("glorot", |_| Ok(Rule::Uniform(Fan::Mean, 1.0))),
    // torch.nn.init.xavier_normal_
    Entry::<Build>::plain("glorot_normal", |_| Ok(Rule::Normal(Fan::Mean, 1.0))),
    // torch.nn.init.kaiming_uniform_(nonlinearity="relu")
    Entry::<Build>::plain("he", |_| Ok(Rule::Uniform(Fan::In, 2.0))),
    // torch.nn.init.kaiming_normal_(nonlinearity="relu")
    Entry::<Build>::plain("he_normal", |_| Ok(Rule::Normal(Fan::In, 2.0))),
    // torch.nn.init.kaiming_uniform_(nonlinearity="linear")
    Entry::<Build>::plain("lecun", |_| Ok(Rule::Uniform(Fan::In, 1.0))),
    // torch.nn.init.kaiming_normal_(nonlinearity="linear")
    Entry::<Build>::plain("lecun_normal", |_| Ok(Rule::Normal(Fan::In, 1.0))),
    Entry::<Build>::plain("zeros", |_| Ok(Rule::Fixed(Init::Constant(0.0)))),
    Entry::<Build>::plain("ones", |_| Ok(Rule::Fixed(Init::Constant(1.0)))),
    Entry {
        signature: Signature {
            name: "constant",
            positional: 1,
            params: &[Param::required("value", Kind::Real(Range::Any))],
        },
        built: Some(|args| Ok(Rule::Fixed(Init::Constant(args.real("value"))))),
    },
    Entry {
        signature: Signature {
            name: "uniform",
            positional: 2,
            params: &[
                Param::required("low", Kind::Real(Range::Any)),
                Param::required("high", Kind::Real(Range::Any)),
            ],
        },
        built: Some(uniform),
    },
    Entry {
        signature: Signature {
            name: "normal",
            positional: 2,
            params: &[
                Param::required("mean", Kind::Real(Range::Any)),
                Param::required("std", Kind::Real(Range::AtLeastZero)),
            ],
        },
        built: Some(normal),
    },
];

fn uniform(args: &Args) -> Result<Rule, Problem> {
    let (low, high) = (args.real("low"), args.real("high"));
    if low > high {
        let message = format!("`uniform` goes from the lower number up, not from {low} to {high}");
        return Err(Problem::new("bad-value", message).at("low"));
    }
    // It is drawn as a part of the width.
    if !((high - low) as f32).is_finite() {
        let message = format!("from {low:e} to {high:e} is wider than a 32-bit float can hold");
        return Err(Problem::new("number-too-large", message).at("high"));
    }
    Ok(Rule::Fixed(Init::Uniform(low, high)))
}

fn normal(args: &Args) -> Result<Rule, Problem> {
    // No value that is drawn lies further out.
    const MOST_DEVIATIONS: f64 = 7.0;
    let (mean, std) = (args.real("mean"), args.real("std"));
    if !((mean.abs() + MOST_DEVIATIONS * std) as f32).is_finite() {
        let message = format!("values {std:e} around {mean:e} may be beyond 32-bit floats");
        return Err(Problem::new("number-too-large", message).at("std"));
    }
    Ok(Rule::Fixed(Init::Normal(mean, std)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::find;
    use pretty_assertions::assert_eq;

    /// The initializer of a name for a weight [3, 5].
    fn init(name: &str) -> Init {
        let Entry { signature, built: Some(build) } = find(INITS, name).expect("it exists") else {
            panic!("it is planned");
        };
        let rule = build(&Args { signature, values: vec![], spans: vec![] });
        rule.unwrap().init(&[3, 5])
    }

    #[test]
    fn distributions_are_those_of_torch_nn_init() {
        let uniform = |bound: f64| Init::Uniform(-bound, bound);
        assert_eq!(init("glorot"), uniform((6.0f64 / 8.0).sqrt()));
        assert_eq!(init("glorot_normal"), Init::Normal(0.0, (2.0f64 / 8.0).sqrt()));
        assert_eq!(init("he"), uniform((6.0f64 / 3.0).sqrt()));
        assert_eq!(init("he_normal"), Init::Normal(0.0, (2.0f64 / 3.0).sqrt()));
        assert_eq!(init("lecun"), uniform(1.0));
        assert_eq!(init("lecun_normal"), Init::Normal(0.0, (1.0f64 / 3.0).sqrt()));
        assert_eq!(init("ones"), Init::Constant(1.0));
    }

    #[test]
    fn vectors_start_at_zero_and_weights_at_glorot() {
        assert_eq!(Rule::default_for(&[5]).init(&[5]), Init::Constant(0.0));
        let bound = (6.0f64 / 8.0).sqrt();
        assert_eq!(Rule::default_for(&[3, 5]).init(&[3, 5]), Init::Uniform(-bound, bound));
    }
}
