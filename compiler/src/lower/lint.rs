//! Lints: warnings of what compiles but is probably a mistake.

use super::Lowering;
use super::names::{Binding, Shared};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::fix::{Edit, Fix};

/// A name that nothing reads.
pub(super) fn unused(name: &str, binding: &Binding) -> Diagnostic {
    let message = format!("the {} `{name}` is never used", binding.what);
    let lint = Diagnostic::warning(Code::Unused, binding.span, message);
    let quiet = [Edit::insert(binding.span.start, "_")];
    lint.help(format!("remove it, or call it `_{name}`"))
        .fix(Fix::new(format!("call it `_{name}`"), quiet).likely())
        .fix(binding.statement.map(|statement| Fix::remove("it", statement).likely()))
}

impl Lowering<'_> {
    /// Names of the network that nothing reads.
    pub(super) fn lint_unused(&mut self) {
        for (name, binding) in self.names.unused_in_net() {
            self.report(unused(&name, &binding));
        }
        let layers = self.names.layers.values().filter(|layer| !layer.used);
        let lint = |layer: &Shared| {
            let message = format!("the layer `{}` is never called", layer.name.name);
            Diagnostic::warning(Code::Unused, layer.name.span, message)
                .help("call it, or remove it")
                .fix(Fix::remove("it", layer.statement).likely())
        };
        let lints: Vec<Diagnostic> = layers.map(lint).collect();
        lints.into_iter().for_each(|lint| self.report(lint));
    }
}
