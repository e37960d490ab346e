//! The names of buffers, and expressions as formulas of them.

use std::collections::HashSet;

use crate::text::shown;
use crate::{BufferId, Expr, Layout, Opcode, Program, Spread, Value};

/// What every buffer is called, no two the same, and which are a single number.
pub(crate) struct Names {
    names: Vec<String>,
    single: Vec<bool>,
}

impl Names {
    pub(crate) fn new(program: &Program) -> Names {
        let mut names = vec![None; program.buffers.len()];
        let mut taken = HashSet::new();
        let mut name = |BufferId(id): BufferId, name: String| {
            let Some(own @ None) = names.get_mut(id as usize) else { return };
            let name = if taken.contains(&name) { format!("{name}#{id}") } else { name };
            taken.insert(name.clone());
            *own = Some(name);
        };
        for param in &program.params {
            name(param.buffer, shown(&param.name));
            for state in &param.states {
                name(state.buffer, shown(&param.state_name(state)));
            }
        }
        for port in program.inputs.iter().chain(&program.targets) {
            name(port.buffer, shown(&port.name));
        }
        program.outputs.iter().for_each(|output| name(output.buffer, shown(&output.name)));
        for metric in &program.metrics {
            let values = metric.figure.values.iter();
            values.for_each(|&value| name(value, shown(&metric.name)));
        }
        program.loss.into_iter().for_each(|loss| name(loss, "loss".to_string()));
        let terms = program.terms.iter().flat_map(|term| &term.values);
        terms.for_each(|&value| name(value, "loss_term".to_string()));
        program.scalars.iter().for_each(|(number, buffer)| name(*buffer, number.name()));
        for id in 0..program.buffers.len() as u32 {
            name(BufferId(id), format!("%{id}"));
        }
        Names {
            names: names.into_iter().map(Option::unwrap_or_default).collect(),
            single: program.buffers.iter().map(|b| b.layout == Layout::scalar()).collect(),
        }
    }

    /// The characters of a column that holds them, but for those of extreme length.
    pub(crate) fn width(&self) -> usize {
        self.names.iter().map(|name| name.chars().count()).max().unwrap_or(0).clamp(16, 48)
    }

    pub(crate) fn of(&self, BufferId(id): BufferId) -> &str {
        self.names.get(id as usize).map_or("?", String::as_str)
    }

    /// What an expression stores, and its last value. `result` is what the kernel has computed. A
    /// value that is used more than once, or is long, has a line of its own.
    pub(crate) fn expr(&self, expr: &Expr, result: &str) -> (Vec<String>, String) {
        const LONG: usize = 60;
        let args = expr.code.iter().flat_map(|instr| &instr.args[..instr.op.arity()]);
        let stored = expr.stores.iter().map(|(value, _)| value);
        let mut uses = vec![0; expr.code.len()];
        let mut of_result = 0;
        for value in args.chain(stored) {
            match *value {
                Value::Instr(i) => uses.get_mut(usize::from(i)).into_iter().for_each(|n| *n += 1),
                Value::Result => of_result += 1,
                Value::Load(_) | Value::Const(_) => {}
            }
        }
        let mut lines = Vec::new();
        // A formula, and whether it needs parentheses as an operand.
        let mut whole = (result.to_string(), result.contains(' '));
        if of_result > 1 {
            lines.push(format!("r = {result}"));
            whole = ("r".to_string(), false);
        }
        let mut done: Vec<(String, bool)> = Vec::new();
        for (index, instr) in expr.code.iter().enumerate() {
            let operand = |at: usize| self.operand(expr, &done, &whole, instr.args[at]);
            let formula = formula(instr.op, operand);
            if uses[index] > 1 || formula.0.chars().count() > LONG {
                lines.push(format!("v{index} = {}", formula.0));
                done.push((format!("v{index}"), false));
            } else {
                done.push(formula);
            }
        }
        for (value, buffer) in &expr.stores {
            let (formula, _) = self.operand(expr, &done, &whole, *value);
            lines.push(format!("{} = {formula}", self.of(*buffer)));
        }
        let last = match done.pop() {
            Some((last, _)) => last,
            None => self.operand(expr, &done, &whole, Value::Load(0)).0,
        };
        (lines, last)
    }

    fn operand(
        &self,
        expr: &Expr,
        done: &[(String, bool)],
        result: &(String, bool),
        value: Value,
    ) -> (String, bool) {
        let found = match value {
            Value::Result => Some(result.clone()),
            Value::Instr(i) => done.get(usize::from(i)).cloned(),
            Value::Const(i) => {
                expr.consts.get(usize::from(i)).map(|value| (value.to_string(), false))
            }
            Value::Load(i) => expr.loads.get(usize::from(i)).map(|load| {
                let spread = match load.spread {
                    Spread::Full => "",
                    Spread::Scalar if self.single.get(load.buffer.0 as usize) == Some(&true) => "",
                    Spread::Scalar => "[one]",
                    Spread::Row => "[row]",
                    Spread::Column => "[column]",
                };
                (format!("{}{spread}", self.of(load.buffer)), false)
            }),
        };
        found.unwrap_or(("?".to_string(), false))
    }
}

/// The formula of an instruction, and whether it needs parentheses as an operand.
fn formula(op: Opcode, operand: impl Fn(usize) -> (String, bool)) -> (String, bool) {
    let bare = |at: usize| operand(at).0;
    let inner = |at: usize| match operand(at) {
        (text, true) => format!("({text})"),
        (text, false) => text,
    };
    let infix = |sign: &str| (format!("{} {sign} {}", inner(0), inner(1)), true);
    match op {
        Opcode::Neg => (format!("-{}", inner(0)), true),
        Opcode::Add => infix("+"),
        Opcode::Sub => infix("-"),
        Opcode::Mul => infix("*"),
        Opcode::Div => infix("/"),
        Opcode::MulAdd => (format!("fma({}, {}, {})", bare(0), bare(1), bare(2)), false),
        Opcode::NegMulAdd => (format!("fma(-{}, {}, {})", inner(0), bare(1), bare(2)), false),
        op => {
            let args: Vec<String> = (0..op.arity()).map(bare).collect();
            (format!("{}({})", op.name(), args.join(", ")), false)
        }
    }
}
