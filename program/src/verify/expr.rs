//! The shapes of a fused expression's operands, and the order of its instructions.

use super::buffers::{Buffers, has_vector_rows, is_dense};
use crate::error::require;
use crate::layout::size_text;
use crate::{
    Expr, LANES, Layout, MAX_CONSTS, MAX_INSTRS, MAX_LOADS, MAX_STORES, ProgramError, Rows, Spread,
    Value,
};

/// What an expression runs over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Region {
    /// The logical rows.
    pub(crate) rows: Rows,
    /// The logical columns.
    pub(crate) cols: u64,
    /// How the stores and the full loads must lie.
    pub(crate) order: Order,
}

/// How a buffer that covers the whole region must lie.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Order {
    /// Exactly so: the expression runs over the buffers from end to end.
    Same(Layout),
    /// In rows of whole vectors, each buffer at a stride of its own.
    Vectors,
    /// In rows of whole vectors or, where the rows do not depend on the batch, in panels.
    VectorsOrPanels,
    /// In columns, each buffer at a stride of its own.
    Columns,
}

impl Region {
    /// The region of an expression that runs over a buffer from end to end.
    pub(crate) fn of(layout: Layout) -> Region {
        let (rows, cols) = layout.shape();
        Region { rows, cols, order: Order::Same(layout) }
    }

    fn admits(self, layout: Layout) -> bool {
        let sized = layout.shape() == (self.rows, self.cols);
        match (self.order, layout) {
            (Order::Same(same), _) => layout == same,
            (Order::VectorsOrPanels, Layout::Panels { .. }) => sized,
            (Order::Columns, _) => sized && matches!(layout, Layout::Columns { .. }),
            _ => sized && has_vector_rows(layout),
        }
    }

    fn text(self) -> String {
        size_text((self.rows, self.cols))
    }

    /// Whether the expression knows the row and the column of what it works on.
    fn has_rows(self) -> bool {
        match self.order {
            Order::Same(layout) => has_vector_rows(layout) || self.is_in_columns(),
            Order::Vectors | Order::VectorsOrPanels | Order::Columns => true,
        }
    }

    /// Whether a vector holds elements of one column.
    fn is_in_columns(self) -> bool {
        matches!(self.order, Order::Columns | Order::Same(Layout::Columns { .. }))
    }
}

/// Where an expression stands in its kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A whole kernel: it has no result to go on from, and stores.
    Map,
    /// What is summed: it has no result to go on from, and stores nothing.
    Body,
    /// After another computation, whose result it uses and stores.
    Tail,
}

/// Checks an expression over a region.
pub(crate) fn check(
    expr: &Expr,
    region: Region,
    role: Role,
    buffers: &Buffers,
) -> Result<(), ProgramError> {
    lengths(expr, role)?;
    loads(expr, region, buffers)?;
    code(expr, role)?;
    for (i, &(value, id)) in expr.stores.iter().enumerate() {
        exists(value, expr, expr.code.len(), role)?;
        let layout = buffers.float(id, format_args!("store {i}"))?;
        require!(
            region.admits(layout),
            "store {i} is {}, and does not have the layout of its region {}",
            size_text(layout.shape()),
            region.text()
        );
    }
    Ok(())
}

fn lengths(expr: &Expr, role: Role) -> Result<(), ProgramError> {
    let lists = [
        ("instructions", expr.code.len(), MAX_INSTRS),
        ("loads", expr.loads.len(), MAX_LOADS),
        ("stores", expr.stores.len(), MAX_STORES),
        ("constants", expr.consts.len(), MAX_CONSTS),
    ];
    for (what, count, most) in lists {
        require!(count <= most, "an expression has {count} {what}, more than {most}");
    }
    match role {
        Role::Body => {
            require!(expr.stores.is_empty(), "the body of a sum stores something");
            let value = !expr.code.is_empty() || !expr.loads.is_empty();
            require!(value, "the body of a sum has neither an instruction nor a load");
        }
        Role::Map | Role::Tail => {
            require!(!expr.stores.is_empty(), "its expression stores nothing");
        }
    }
    Ok(())
}

fn loads(expr: &Expr, region: Region, buffers: &Buffers) -> Result<(), ProgramError> {
    for (i, load) in expr.loads.iter().enumerate() {
        let layout = buffers.float(load.buffer, format_args!("load {i}"))?;
        let (rows, cols) = layout.shape();
        let (fits, meant) = match load.spread {
            Spread::Full => (region.admits(layout), "all"),
            Spread::Row => {
                let sized = rows == Rows::fixed(1) && cols == region.cols;
                (sized && has_vector_rows(layout), "one row")
            }
            Spread::Column => {
                let sized = rows == region.rows && cols == 1;
                let readable = match region.is_in_columns() {
                    true => is_dense(layout),
                    false => matches!(layout, Layout::Rows { .. }),
                };
                (sized && readable, "one column")
            }
            Spread::Scalar => (layout == Layout::scalar(), "one number"),
        };
        require!(
            fits,
            "load {i} is {}, and does not have the layout of {meant} of its region {}",
            size_text((rows, cols)),
            region.text()
        );
        require!(
            region.has_rows() || matches!(load.spread, Spread::Full | Spread::Scalar),
            "load {i} is {meant} of a region that is not in rows of {LANES} lanes"
        );
    }
    Ok(())
}

fn code(expr: &Expr, role: Role) -> Result<(), ProgramError> {
    for (i, instr) in expr.code.iter().enumerate() {
        let (used, spare) = instr.args.split_at(instr.op.arity());
        for &value in used {
            exists(value, expr, i, role)?;
        }
        require!(
            spare.iter().all(|&value| value == instr.args[0]),
            "instruction {i} has more operands than {:?} takes",
            instr.op
        );
    }
    Ok(())
}

/// Checks that `value` is known after the first `done` instructions.
fn exists(value: Value, expr: &Expr, done: usize, role: Role) -> Result<(), ProgramError> {
    let known = match value {
        Value::Result => role == Role::Tail,
        Value::Load(i) => usize::from(i) < expr.loads.len(),
        Value::Const(i) => usize::from(i) < expr.consts.len(),
        Value::Instr(i) => usize::from(i) < done,
    };
    require!(known, "its expression uses {value:?} where there is none");
    Ok(())
}
