//! A sum over a fused expression.

use super::{Access, Division, Follows, Kind};
use crate::error::require;
use crate::layout::size_text;
use crate::names::Names;
use crate::verify::buffers::{Buffers, Classes};
use crate::verify::expr::{self, Region, Role};
use crate::verify::operand::{first_store, matrix};
use crate::{BufferId, Expr, Layout, ProgramError};

/// The sum of `body`'s last value over an axis: sixteen lanes run along the vectors, each in chains
/// of sixteen terms that are added by the summation of Kahan, and are then added by a fixed tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Reduce {
    /// What is summed, over the shape of `over`; its last instruction is the value.
    pub body: Expr,
    /// A buffer that has the shape summed over.
    pub over: BufferId,
    /// The axis.
    pub span: Span,
    /// What is done with the sums; `Value::Result` is a sum.
    pub tail: Expr,
}

/// What one sum covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// A row.
    Row,
    /// Everything.
    All,
}

impl Kind for Reduce {
    fn name(&self) -> &'static str {
        "reduce"
    }

    fn access(&self) -> Access {
        let mut access = Access::default();
        access.gathers.extend(self.body.loads.iter().map(|load| load.buffer));
        access.expr(&self.tail);
        access
    }

    fn expressions(&self) -> Vec<(&Expr, Follows)> {
        vec![(&self.body, Follows::Padded), (&self.tail, Follows::Number)]
    }

    fn over(&self) -> BufferId {
        self.over
    }

    fn division(&self) -> Division {
        Division { rows_of: (self.span == Span::Row).then_some(self.over), parts: false }
    }

    fn lines(&self, names: &Names) -> Vec<String> {
        let (mut lines, last) = names.expr(&self.body, "");
        let sum = if self.span == Span::Row { "sum_last" } else { "sum" };
        let over = names.of(self.over);
        lines.extend(names.expr(&self.tail, &format!("{sum}({last}) over {over}")).0);
        lines
    }

    fn check(&self, buffers: &Buffers, _: &Classes) -> Result<(), ProgramError> {
        let over = buffers.float(self.over, "what it sums over")?;
        expr::check(&self.body, Region::of(over), Role::Body, buffers)?;
        let sums = match self.span {
            Span::Row => {
                let (rows, _) = matrix(self.over, "what it sums over", buffers)?;
                let store = first_store(&self.tail, buffers)?;
                // Each sum is stored as a whole vector.
                require!(
                    store == Layout::matrix(rows, 1),
                    "store 0 is {}, and must be one vector a row of {}",
                    size_text(store.shape()),
                    size_text((rows, 1))
                );
                store
            }
            Span::All => Layout::scalar(),
        };
        expr::check(&self.tail, Region::of(sums), Role::Tail, buffers)
    }
}
