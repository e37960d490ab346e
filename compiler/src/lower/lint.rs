//! Lints: warnings of what compiles but is probably a mistake.

use super::Lowering;
use super::names::Binding;
use crate::code::Code;
use crate::diagnostic::Diagnostic;

/// A name that nothing reads.
pub(super) fn unused(name: &str, binding: &Binding) -> Diagnostic {
    let message = format!("the {} `{name}` is never used", binding.what);
    let lint = Diagnostic::warning(Code::Unused, binding.span, message);
    lint.help(format!("remove it, or call it `_{name}`"))
}

impl Lowering<'_> {
    /// Names of the network that nothing reads.
    pub(super) fn lint_unused(&mut self) {
        for (name, binding) in self.names.unused_in_net() {
            self.report(unused(&name, &binding));
        }
        let layers = self.names.layers.values().filter(|layer| !layer.used);
        let lint = |name: &crate::syntax::ast::Ident| {
            let message = format!("the layer `{}` is never called", name.name);
            Diagnostic::warning(Code::Unused, name.span, message).help("call it, or remove it")
        };
        let lints: Vec<Diagnostic> = layers.map(|layer| lint(layer.name)).collect();
        lints.into_iter().for_each(|lint| self.report(lint));
    }
}
