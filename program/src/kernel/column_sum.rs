//! Sums of columns.

use super::{Access, Division, Follows, Kind};
use crate::names::Names;
use crate::verify::buffers::{Buffers, Classes};
use crate::verify::expr::{self, Order, Region, Role};
use crate::verify::operand::rows_or_columns;
use crate::{BufferId, Expr, ProgramError, Rows};

/// The sum of each column of `x`, then `tail` over the one row of sums: a chain of additions down
/// the rows, or beyond 256 rows chains of 32, added by the summation of Kahan.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnSum {
    /// What is summed.
    pub x: BufferId,
    /// What is done with the sums; `Value::Result` is a sum.
    pub tail: Expr,
}

impl Kind for ColumnSum {
    fn name(&self) -> &'static str {
        "column_sum"
    }

    fn access(&self) -> Access {
        let mut access = Access { gathers: vec![self.x], ..Access::default() };
        access.expr(&self.tail);
        access
    }

    fn expressions(&self) -> Vec<(&Expr, Follows)> {
        vec![(&self.tail, Follows::Padded)]
    }

    fn over(&self) -> BufferId {
        self.x
    }

    fn division(&self) -> Division {
        Division { rows_of: None, parts: true }
    }

    fn lines(&self, names: &Names) -> Vec<String> {
        names.expr(&self.tail, &format!("sum_rows({})", names.of(self.x))).0
    }

    fn check(&self, buffers: &Buffers, _: &Classes) -> Result<(), ProgramError> {
        let (_, cols) = rows_or_columns(self.x, u64::MAX, buffers)?;
        let region = Region { rows: Rows::fixed(1), cols, order: Order::Vectors };
        expr::check(&self.tail, region, Role::Tail, buffers)
    }
}
