//! What verification refuses of a training, and of the numbers that the host computes.

use arenet_program::host::{HostInstr, HostOp};
use arenet_program::*;

use crate::refuse::*;
use crate::sample::*;

fn training(p: &mut Program) -> &mut Training {
    p.training.as_mut().unwrap()
}

fn watch(p: &mut Program) -> &mut Watch {
    training(p).watch.as_mut().unwrap()
}

fn plateau(p: &mut Program) -> &mut Plateau {
    training(p).schedules[3].plateau.as_mut().unwrap()
}

#[test]
fn refuses_bad_training() {
    check(&[
        (|p| p.loss = None, "the net is trained, but has no loss"),
        (|p| p.training = None, "train has steps, but the net has no training"),
        (
            |p| {
                (p.training, p.loss) = (None, None);
                p.routines[EntryPoint::Train].steps.clear();
            },
            "eval has steps or a metric, but the net has no loss",
        ),
        (
            |p| {
                (p.training, p.loss) = (None, None);
                p.routines[EntryPoint::Train].steps.clear();
                p.routines[EntryPoint::Eval].steps.clear();
            },
            "eval has steps or a metric, but the net has no loss",
        ),
        (
            |p| {
                p.training = None;
                p.routines[EntryPoint::Train].steps.clear();
                p.routines[EntryPoint::Eval].steps.clear();
                p.scalars.truncate(1);
            },
            "eval ends without the loss",
        ),
        (
            |p| training(p).batch = Batch::Rows(0),
            "a training step has 0 rows, and must have at least 1",
        ),
        (
            |p| training(p).batch = Batch::Rows(5),
            "a training step has 5 rows, but the arena holds 4",
        ),
        (|p| training(p).balances[0].param = ParamId(4), "balanced factors are of no parameter"),
        (|p| training(p).balances[0].target = 1, "logits.b is of no target with classes"),
        (|p| training(p).balances[0].param = ParamId(0), "h.w is no list of factors"),
        (|p| training(p).balances[0].ignored = Some(2), "logits.b has no class to ignore"),
        (
            |p| training(p).fits[0].values = BufferId(99),
            "there is no buffer 99 among the 24 buffers",
        ),
        (
            |p| training(p).fits[0].values = W1,
            "a statistic of buffer 3 is not of the rows of the batch",
        ),
        (
            |p| training(p).fits[0].statistic = Statistic::Range,
            "a statistic of buffer 8 has 1 parameters, not 2",
        ),
        (|p| training(p).fits[0].params[0] = ParamId(4), "a statistic of buffer 8 is no parameter"),
        (
            |p| training(p).fits[0].params[0] = ParamId(3),
            "a statistic of buffer 8 differs from `logits.b` in size",
        ),
        (|p| training(p).fits[0].level = 2, "a statistic of buffer 8 waits for 2 others of 1"),
        (|p| p.routines[EntryPoint::Fit].steps.truncate(0), "fit ends without buffer 8"),
        (|p| training(p).fits.clear(), "fit has steps, but no statistics are taken"),
        (|p| training(p).accumulate = 0, "a training step has 0 batches, and must have at least 1"),
        (
            |p| p.routines[EntryPoint::Update] = p.routines[EntryPoint::Predict].clone(),
            "update has steps, but no gradients are accumulated",
        ),
        (|p| training(p).epochs = 0, "training has 0 epochs, and must have from 1 to 4294967296"),
        (|p| training(p).valid = 1.0, "the validation share is 1, outside [0, 1)"),
        (|p| training(p).valid = f64::NAN, "the validation share is NaN, outside [0, 1)"),
        (|p| training(p).validate = Some(0), "training validates after every 0 steps"),
        (|p| watch(p).figure = Watched::Metric(9), "training watches metric 9, which there is not"),
        (
            |p| {
                p.buffers[PROBS.0 as usize].layout = Layout::matrix(fixed(2), 2);
                p.metrics[0].figure.values[0] = PROBS;
                p.metrics[0].figure.finish.over = Over::Table { target: 0 };
            },
            "training watches metric 0, which is no figure",
        ),
        (|p| watch(p).patience = Some(0), "training has a patience of 0 validations"),
        (|p| watch(p).min_delta = -1.0, "an improvement is by -1, and must be by at least 0"),
        (|p| watch(p).min_delta = f64::NAN, "an improvement is by NaN, and must be by at least 0"),
        (|p| training(p).schedules[2].base = f64::INFINITY, "the base of lr2 is not finite"),
        (
            |p| training(p).schedules[2].rate = f64::NAN.into(),
            "lr2 has a number that is not finite",
        ),
        (
            |p| training(p).schedules[1].rate = HostNumber::per_row(1.0),
            "lr1 depends on more than the time",
        ),
        (
            |p| training(p).schedules[0].rate = HostInput::Rate(1).into(),
            "lr depends on more than the time",
        ),
        (
            |p| training(p).schedules[0].rate.code.clear(),
            "lr has 0 instructions, and must have from 1 to 64",
        ),
        (
            |p| training(p).schedules[0].rate.code = vec![HostInstr::Const(1.0); 65],
            "lr has 65 instructions, and must have from 1 to 64",
        ),
        (
            |p| p.scalars[1].0 = HostInput::Rate(5).into(),
            "scalar `lr5` is of a group beyond the 5 schedules",
        ),
        (
            |p| training(p).schedules[4].momentum = None,
            "scalar `lr4/momentum4` is of a group whose momentum no schedule moves",
        ),
        (|p| plateau(p).figure = Watched::Metric(9), "lr3 watches metric 9, which there is not"),
        (|p| plateau(p).factor = 1.0, "lr3 falls by a factor of 1, outside [0, 1)"),
        (|p| plateau(p).threshold = -0.5, "the threshold of lr3 is -0.5, and must be at least 0"),
        (|p| plateau(p).min_lr = f64::NAN, "the lowest base of lr3 is NaN, and must be at least 0"),
        (
            |p| training(p).schedules[1].momentum = Some(f64::NAN.into()),
            "momentum1 has a number that is not finite",
        ),
        (
            |p| training(p).schedules[0].momentum = Some(HostInput::Momentum(0).into()),
            "momentum depends on more than the time",
        ),
        (
            |p| p.scalars[3].0 = HostNumber::from(HostInput::Base) + 1.0,
            "scalar `base+1` has a base, as schedules alone do",
        ),
        (
            |p| p.scalars[4].0 = 1.0 / HostNumber::from(f64::INFINITY),
            "scalar `1/inf` has a number that is not finite",
        ),
        (
            |p| p.scalars[4].0.code = vec![HostInstr::Apply(HostOp::Sqrt, [0; 3])],
            "scalar `sqrt(..)` uses a value before it is computed",
        ),
        (
            |p| p.scalars[3].0 = HostInput::Sum(0).into(),
            "scalar `sum` reads values of a metric, as metrics alone do",
        ),
        (
            |p| training(p).schedules[0].rate = HostInput::Value(0).into(),
            "lr depends on more than the time",
        ),
        (|p| p.scalars[0].1 = B2, "scalar `0.5/N` must be one number, but its buffer is [1, 2]"),
    ]);
}

#[test]
fn refuses_bad_metrics() {
    check(&[
        (|p| p.metrics[0].name.clear(), "a metric has no name"),
        (
            |p| p.metrics[0].figure.values[0] = CORRECT,
            "metric `accuracy` must be one number, but its buffer is [N, 1]",
        ),
        (
            |p| p.metrics[1].figure.values.clear(),
            "metric `share` adds up more than its values: value",
        ),
        (
            |p| p.metrics[1].figure.finish.sums[0] = HostInput::Sum(0).into(),
            "metric `share` adds up more than its values: sum",
        ),
        (
            |p| p.metrics[1].figure.finish.sums.clear(),
            "metric `share` is of more than its sums: sum / (N * 3)",
        ),
        (
            |p| p.metrics[1].figure.finish.figure = HostInput::Step.into(),
            "metric `share` is of more than its sums: step",
        ),
        (
            |p| p.metrics[1].figure.finish.over = Over::Ranks,
            "metric `share` ranks other things than a score and a side for each row",
        ),
        (
            |p| p.metrics[1].figure.finish.over = Over::Table { target: 0 },
            "metric `share` must be a table of the classes of a target",
        ),
        (
            |p| p.metrics[1].figure.finish.over = Over::Classes { each: vec![], class: Some(1) },
            "metric `share` is of a class beyond the 1",
        ),
        (
            |p| p.metrics[1].figure.finish.over = Over::Classes { each: vec![], class: None },
            "metric `share` is of more than its sums: sum / (N * 3)",
        ),
        (
            |p| {
                p.metrics[1].figure.values.push(PROBS);
                p.metrics[1].figure.finish.over = Over::Classes { each: vec![], class: None };
            },
            "metric `share` must have a row of as many classes for each value",
        ),
        (
            |p| {
                let each = vec![HostInput::Sum(1).into()];
                p.metrics[1].figure.finish.over = Over::Classes { each, class: None };
            },
            "metric `share` adds up more than its sums over the classes: sum1",
        ),
        (
            |p| {
                p.metrics[1].subject = Subject::Loss;
                p.metrics[1].figure.finish.over = Over::Ranks;
            },
            "metric `share` of the loss is no number",
        ),
        (
            |p| p.terms[0].values[0] = CORRECT,
            "a term of the loss must be one number, but its buffer is [N, 1]",
        ),
        (|p| p.terms[0].finish.over = Over::Table { target: 0 }, "a term of the loss is no number"),
        (
            |p| p.terms[0].finish.sums.clear(),
            "a term of the loss is of more than its sums: sum / N",
        ),
        (
            |p| p.metrics[2].figure.finish.figure.code.clear(),
            "metric `root_loss` has 0 instructions, and must have from 1 to 64",
        ),
    ]);
}
