//! Refuses holes, the fields of a table without a value, where nothing says what becomes of them.

use super::{Lowering, Operand, Value};
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Span};
use crate::fix::{Edit, Fix};
use crate::graph::{DType, NodeId};
use crate::layer::{Function, Holes};

impl Lowering<'_> {
    /// Whether one of these operands may have holes and a function takes none, which is an error;
    /// otherwise its result has them too if it keeps them.
    pub(super) fn pass_holes(
        &mut self,
        function: &Function,
        name: &str,
        operands: &[Operand],
        result: Option<NodeId>,
    ) -> bool {
        match function.holes {
            Holes::Refused => self.refuses_holes(&format!("`{name}`"), operands.iter()),
            Holes::Filled => false,
            Holes::Kept => {
                if operands.iter().any(|operand| self.has_holes(operand)) {
                    self.builder.holes.extend(result);
                }
                false
            }
        }
    }

    /// Whether one of these operands may have holes, which is an error: `what` takes none.
    pub(super) fn refuses_holes<'o>(
        &mut self,
        what: &str,
        mut operands: impl Iterator<Item = &'o Operand>,
    ) -> bool {
        let Some(operand) = operands.find(|operand| self.has_holes(operand)) else { return false };
        let Value::Node(id) = operand.value else { return false };
        let (help, holes) = match self.builder.graph.node(id).dtype {
            DType::F32 => (
                "put `fill` before it, which takes the mean of the column for a hole: \
                 `x |> fill |> dense(8)`",
                "this may be without a value",
            ),
            DType::I32 => {
                ("`one_hot(x)` and `embedding(x, n)` take such classes", "this may be of no class")
            }
        };
        let message = format!("{what} takes nothing that may be missing");
        let error = Diagnostic::error(Code::MissingValue, operand.span, message);
        let defined = self.builder.graph.span(id);
        let error = if defined == operand.span { error } else { error.label(defined, holes) };
        // An output names what is filled, and layers belong inside `net`.
        let is_expression = self.builder.graph.node(id).dtype == DType::F32
            && what != "an output"
            && !self.in_train;
        let Span { start, end } = operand.span;
        let around = [Edit::insert(start, "fill("), Edit::insert(end, ")")];
        let fix = is_expression.then(|| Fix::new("write `fill(...)`", around).likely());
        self.report(error.help(help).fix(fix));
        true
    }

    fn has_holes(&self, operand: &Operand) -> bool {
        matches!(operand.value, Value::Node(id) if self.builder.holes.contains(&id))
    }
}
