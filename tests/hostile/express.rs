//! Random expressions, some of which are one chain of cheap instructions, as updates are.

use super::generate::{Forms, Maker, fixed};
use arenet_runtime::program::{
    BufferId, Cost, Expr, Instr, Layout, Load, Opcode, Rows, Spread, Value,
};

impl Maker<'_> {
    /// An expression over a domain, which is a tail's or a whole kernel's.
    pub fn expression(
        &mut self,
        rows: Rows,
        cols: u64,
        forms: Forms,
        is_tail: bool,
    ) -> Option<Expr> {
        let mut expr = Expr::default();
        let is_flat =
            matches!(forms, Forms::Like(Layout::Rows { stride: 1, .. } | Layout::Panels { .. }));
        let in_columns = matches!(forms, Forms::Columns | Forms::Like(Layout::Columns { .. }));
        let least = usize::from(!is_tail);
        for _ in 0..least + self.dice.pick(&[0, 0, 1, 2, 4]) {
            let spread = match is_flat {
                true => self.dice.pick(&[Spread::Full, Spread::Full, Spread::Scalar]),
                false => self.dice.pick(&[
                    Spread::Full,
                    Spread::Full,
                    Spread::Full,
                    Spread::Row,
                    Spread::Column,
                    Spread::Scalar,
                ]),
            };
            self.load(&mut expr, spread, (rows, cols), forms, in_columns);
        }
        let mut opcodes = Opcode::ALL.to_vec();
        if self.dice.one_in(2) {
            opcodes.retain(|opcode| opcode.cost() == Cost::Cheap);
        }
        for _ in 0..self.dice.pick(&[0, 0, 1, 2, 3, 6, 20]) {
            expr.consts.extend([self.dice.float()].into_iter().take(self.dice.below(2)));
            let op = self.dice.pick(&opcodes);
            let first = self.operand(&expr, is_tail)?;
            let mut args = [first; 3];
            for arg in &mut args[1..op.arity()] {
                *arg = self.operand(&expr, is_tail)?;
            }
            expr.code.push(Instr { op, args });
        }
        let mut stored: Vec<BufferId> = Vec::new();
        for _ in 0..self.dice.pick(&[1, 1, 1, 2, 3]) {
            let value = self.operand(&expr, is_tail)?;
            // In the place of an operand, or elsewhere.
            let full = expr.loads.iter().filter(|load| load.spread == Spread::Full);
            let places: Vec<BufferId> = full
                .map(|load| load.buffer)
                .filter(|id| self.writable.contains(id) && !stored.contains(id))
                .collect();
            let to = match places.is_empty() || self.dice.one_in(2) {
                true => self.result(rows, cols, forms)?,
                false => places[self.dice.below(places.len())],
            };
            stored.push(to);
            expr.stores.push((value, to));
        }
        Some(expr)
    }

    /// Adds a load to an expression, if there can be such a one.
    fn load(
        &mut self,
        expr: &mut Expr,
        spread: Spread,
        (rows, cols): (Rows, u64),
        forms: Forms,
        in_columns: bool,
    ) -> Option<Value> {
        let buffer = match spread {
            Spread::Full => self.value(rows, cols, forms)?,
            Spread::Row => self.value(fixed(1), cols, Forms::Vectors)?,
            Spread::Column if in_columns => self.value(rows, 1, Forms::Dense)?,
            Spread::Column => self.value(rows, 1, Forms::Rows)?,
            Spread::Scalar => self.value(fixed(1), 1, Forms::Like(Layout::scalar()))?,
        };
        expr.loads.push(Load { buffer, spread });
        Some(Value::Load(expr.loads.len() as u16 - 1))
    }

    /// A value that an expression has, if there is one.
    fn operand(&mut self, expr: &Expr, is_tail: bool) -> Option<Value> {
        let mut values = vec![];
        if is_tail {
            values.extend([Value::Result; 2]);
        }
        values.extend((0..expr.loads.len()).map(|i| Value::Load(i as u16)));
        values.extend((0..expr.consts.len()).map(|i| Value::Const(i as u16)));
        // The last ones are more likely, so that long chains come up.
        values.extend((0..expr.code.len()).map(|i| Value::Instr(i as u16)));
        values.extend(expr.code.len().checked_sub(1).map(|i| Value::Instr(i as u16)));
        (!values.is_empty()).then(|| values[self.dice.below(values.len())])
    }
}
