//! The initializers of the language.

use crate::code::Code;
use crate::entry::Entry;
use crate::init::{Fan, Init, Rule};
use crate::signature::{Args, Kind, Param, Problem, Range, Signature};

/// Makes a rule of the arguments of an initializer.
pub type Build = fn(&Args) -> Result<Rule, Problem>;

/// The initializers of the language.
pub const INITS: &[Entry<Build>] = &[
    // torch.nn.init.xavier_uniform_
    Entry::<Build>::plain("glorot", "uniform with variance 2 / (in + out)", |_| {
        Ok(Rule::Uniform(Fan::Mean, 1.0))
    }),
    // torch.nn.init.xavier_normal_
    Entry::<Build>::plain("glorot_normal", "normal with that variance", |_| {
        Ok(Rule::Normal(Fan::Mean, 1.0))
    }),
    // torch.nn.init.kaiming_uniform_(nonlinearity="relu")
    Entry::<Build>::plain("he", "uniform with variance 2 / in", |_| {
        Ok(Rule::Uniform(Fan::In, 2.0))
    }),
    // torch.nn.init.kaiming_normal_(nonlinearity="relu")
    Entry::<Build>::plain("he_normal", "normal with that variance", |_| {
        Ok(Rule::Normal(Fan::In, 2.0))
    }),
    // torch.nn.init.kaiming_uniform_(nonlinearity="linear")
    Entry::<Build>::plain("lecun", "uniform with variance 1 / in", |_| {
        Ok(Rule::Uniform(Fan::In, 1.0))
    }),
    // torch.nn.init.kaiming_normal_(nonlinearity="linear")
    Entry::<Build>::plain("lecun_normal", "normal with that variance", |_| {
        Ok(Rule::Normal(Fan::In, 1.0))
    }),
    Entry::<Build>::plain("zeros", "0", |_| Ok(Rule::Fixed(Init::Constant(0.0)))),
    Entry::<Build>::plain("ones", "1", |_| Ok(Rule::Fixed(Init::Constant(1.0)))),
    Entry {
        signature: Signature {
            name: "constant",
            about: "a number",
            positional: 1,
            params: &[Param::required("value", Kind::Real(Range::Any))],
        },
        built: Some(|args| Ok(Rule::Fixed(Init::Constant(args.real("value"))))),
    },
    Entry {
        signature: Signature {
            name: "uniform",
            about: "uniform between two numbers",
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
            about: "normal with this mean and standard deviation",
            positional: 2,
            params: &[
                Param::required("mean", Kind::Real(Range::Any)),
                Param::required("std", Kind::Real(Range::AtLeastZero)),
            ],
        },
        built: Some(normal),
    },
    // torch.nn.init.trunc_normal_, whose bounds `a` and `b` are values too, not deviations
    Entry {
        signature: Signature {
            name: "truncated_normal",
            about: "the same within bounds, which are values and no numbers of deviations; mean \
                is 0, std 1, and the bounds are -2 and 2",
            positional: 4,
            params: &[
                Param::real("mean", Range::Any, 0.0),
                Param::real("std", Range::AboveZero, 1.0),
                Param::real("low", Range::Any, -2.0),
                Param::real("high", Range::Any, 2.0),
            ],
        },
        built: Some(truncated_normal),
    },
    // torch.nn.init.orthogonal_
    Entry {
        signature: Signature {
            name: "orthogonal",
            about: "columns of a matrix, or rows where these are fewer, at right angles and of \
                length gain, 1",
            positional: 1,
            params: &[Param::real("gain", Range::AboveZero, 1.0)],
        },
        built: Some(|args| Ok(Rule::Orthogonal(args.real("gain")))),
    },
    // torch.nn.Linear.reset_parameters, and for an embedding torch.nn.Embedding's
    Entry::<Build>::plain(
        "torch",
        "as PyTorch's layer: of `dense` weights and biases uniform within ±1 / √in, of \
            `embedding` normal(0, 1)",
        |_| Ok(Rule::Torch),
    ),
];

fn uniform(args: &Args) -> Result<Rule, Problem> {
    let (low, high) = (args.real("low"), args.real("high"));
    if low > high {
        let message = format!("`uniform` goes from the lower number up, not from {low} to {high}");
        return Err(Problem::new(Code::BadValue, message).at("low"));
    }
    // It is drawn as a part of the width.
    if !((high - low) as f32).is_finite() {
        let message = format!("from {low:e} to {high:e} is wider than a 32-bit float can hold");
        return Err(Problem::new(Code::NumberTooLarge, message).at("high"));
    }
    Ok(Rule::Fixed(Init::Uniform(low, high)))
}

fn normal(args: &Args) -> Result<Rule, Problem> {
    // No value that is drawn lies further out.
    const MOST_DEVIATIONS: f64 = 7.0;
    let (mean, std) = (args.real("mean"), args.real("std"));
    if !((mean.abs() + MOST_DEVIATIONS * std) as f32).is_finite() {
        let message = format!("values {std:e} around {mean:e} may be beyond 32-bit floats");
        return Err(Problem::new(Code::NumberTooLarge, message).at("std"));
    }
    Ok(Rule::Fixed(Init::Normal(mean, std)))
}

fn truncated_normal(args: &Args) -> Result<Rule, Problem> {
    // Where the bounds are further away, what is drawn between them is rounding.
    const MOST_DEVIATIONS: f64 = 5.0;
    let [mean, std, low, high] = ["mean", "std", "low", "high"].map(|name| args.real(name));
    if low >= high {
        let message = format!("values are drawn from `low` up to `high`, not from {low} to {high}");
        let help = "the bounds are values, -2 and 2 where they are left out";
        return Err(Problem::new(Code::BadValue, message).at("low").help(help));
    }
    let beyond = (low - mean).max(mean - high) / std;
    if beyond > MOST_DEVIATIONS {
        let message = format!(
            "hardly any value around {mean} lies from {low} to {high}: they begin {beyond:.1} \
             standard deviations away"
        );
        let help = "the bounds are values, not numbers of standard deviations";
        return Err(Problem::new(Code::BadValue, message).at("mean").help(help));
    }
    Ok(Rule::Fixed(Init::Truncated(mean, std, low, high)))
}
