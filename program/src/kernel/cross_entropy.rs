//! Softmax and cross-entropy in one.

use super::{Access, Division, Kind};
use crate::error::require;
use crate::layout::size_text;
use crate::names::Names;
use crate::verify::buffers::{Buffers, Classes, is_dense};
use crate::verify::operand::{check_list, check_target, is_list, rows_or_columns};
use crate::{BufferId, LANES, Layout, ProgramError};

/// For each row: loss = ln Σ eˣ - x\[target\], grad = (softmax(x) - onehot(target)) × scale.
#[derive(Clone, Debug, PartialEq)]
pub struct CrossEntropy {
    /// The logits.
    pub x: BufferId,
    /// The class indices.
    pub target: BufferId,
    /// One loss a row.
    pub loss: Option<BufferId>,
    /// The gradient of the logits, and the factor: one for all or one a row.
    pub grad: Option<(BufferId, BufferId)>,
}

impl Kind for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross_entropy"
    }

    fn access(&self) -> Access {
        let mut access =
            Access { streams: vec![self.x], gathers: vec![self.target], ..Access::default() };
        access.writes.extend(self.loss);
        if let Some((grad, scale)) = self.grad {
            access.gathers.push(scale);
            access.writes.push(grad);
        }
        access
    }

    fn over(&self) -> BufferId {
        self.x
    }

    fn division(&self) -> Division {
        Division { rows_of: Some(self.x), parts: false }
    }

    fn lines(&self, names: &Names) -> Vec<String> {
        let (x, target) = (names.of(self.x), names.of(self.target));
        let loss = self.loss.map(|y| format!("{} = cross_entropy({x}, {target})", names.of(y)));
        let grad = self.grad.map(|(y, scale)| {
            let (y, scale) = (names.of(y), names.of(scale));
            format!("{y} = (softmax({x}) - onehot({target})) * {scale}")
        });
        loss.into_iter().chain(grad).collect()
    }

    fn check(&self, buffers: &Buffers, classes: &Classes) -> Result<(), ProgramError> {
        let (rows, cols) = rows_or_columns(self.x, LANES, buffers)?;
        let columns = matches!(buffers.float(self.x, "x")?, Layout::Columns { .. });
        check_target(self.target, rows, cols, buffers, classes)?;
        require!(
            self.loss.is_some() || self.grad.is_some(),
            "neither the loss nor the gradient is asked"
        );
        if let Some(loss) = self.loss {
            check_list(loss, "the loss", rows, buffers)?;
        }
        let lists = [Some(self.target), self.loss, self.grad.map(|(_, scale)| scale)];
        for id in lists.into_iter().flatten().filter(|_| columns) {
            let layout = buffers.get(id)?.layout;
            require!(
                is_dense(layout) || layout == Layout::scalar(),
                "beside logits in columns, a list must lie without gaps"
            );
        }
        if let Some((grad, scale)) = self.grad {
            let like_x = buffers.float(grad, "the gradient")? == buffers.float(self.x, "x")?;
            require!(like_x, "x and the gradient differ in layout");
            let scale = buffers.float(scale, "the scale")?;
            require!(
                scale == Layout::scalar() || is_list(scale, rows),
                "the scale is {}, and must be one number or a list of {}",
                size_text(scale.shape()),
                size_text((rows, 1))
            );
        }
        Ok(())
    }
}
