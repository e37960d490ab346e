//! Lowers constants.

use super::names::{self, Binding};
use super::{Lowering, Value};
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Span};
use crate::syntax::ast::{Bind, File, Item};

impl<'a> Lowering<'a> {
    /// The constants of the file, in order, and those that the command line replaces.
    pub(super) fn constants(&mut self, file: &'a File, sets: &[(String, f64)]) {
        let constants = || {
            file.items.iter().filter_map(|item| match item {
                Item::Const(bind) => Some(bind),
                _ => None,
            })
        };
        self.names.announce(constants().map(|bind| &bind.name));
        for Bind { name, value } in constants() {
            let set = sets.iter().rev().find(|(set, _)| *set == name.name);
            let value = match set {
                Some((_, value)) => Value::Number(*value),
                None => self.number(value).map_or(Value::Poison, Value::Number),
            };
            if self.is_free(name) {
                self.note(name.span, &value);
                let (written, statement) = (None, None);
                let (span, what, used) = (name.span, "constant", false);
                let binding = Binding { value, written, statement, span, what, used };
                self.names.constants.insert(&name.name, binding);
            }
        }
        for (set, _) in sets {
            if !self.names.constants.contains_key(set.as_str()) {
                let message = format!("the file has no constant `{set}` to set");
                let error = Diagnostic::error(Code::UnknownName, Span::default(), message);
                let known = self.names.constants.keys().copied();
                let error = names::suggest(error, set, known);
                self.report(error);
            }
        }
    }
}
