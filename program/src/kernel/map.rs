//! An elementwise expression over the shape of its stores.

use super::{Access, Division, Follows, Kind};
use crate::names::Names;
use crate::verify::buffers::{Buffers, Classes};
use crate::verify::expr::{self, Region, Role};
use crate::verify::operand::first_store;
use crate::{BufferId, Expr, ProgramError};

impl Kind for Expr {
    fn name(&self) -> &'static str {
        "map"
    }

    fn access(&self) -> Access {
        let mut access = Access::default();
        access.expr(self);
        access
    }

    fn expressions(&self) -> Vec<(&Expr, Follows)> {
        vec![(self, Follows::Padded)]
    }

    fn over(&self) -> BufferId {
        self.stores[0].1
    }

    fn division(&self) -> Division {
        Division { rows_of: Some(self.over()), parts: true }
    }

    fn lines(&self, names: &Names) -> Vec<String> {
        names.expr(self, "").0
    }

    fn check(&self, buffers: &Buffers, _: &Classes) -> Result<(), ProgramError> {
        let layout = first_store(self, buffers)?;
        expr::check(self, Region::of(layout), Role::Map, buffers)
    }
}
