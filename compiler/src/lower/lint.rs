//! What compiles, but is hardly meant: warnings with a way out.

use super::Lowering;
use super::names::Binding;
use crate::diagnostic::{Diagnostic, Span};
use crate::layer::Builder;
use crate::op::{Op, Softmax, Unary, UnaryFn};
use crate::signature::Args;

/// A function whose argument has been through the like of it already.
pub(super) fn call(builder: &Builder, args: &Args, span: Span) -> Option<Diagnostic> {
    let is = |name, op: Op| builder.graph.node(args.tensor(name)).op == op;
    match args.signature.name {
        "cross_entropy" if is("y", Softmax.into()) => {
            let message = "`cross_entropy` applies softmax itself, and this is softmax already";
            let lint = Diagnostic::warning("softmax-before-cross-entropy", span, message);
            Some(lint.help("give it the logits: what softmax is applied to"))
        }
        "bce_logits" if is("y", Unary(UnaryFn::Sigmoid).into()) => {
            let message = "`bce_logits` applies sigmoid itself, and this is a sigmoid already";
            let lint = Diagnostic::warning("sigmoid-before-bce-logits", span, message);
            Some(lint.help("write `bce`, or give it what sigmoid is applied to"))
        }
        "relu" if builder.default_init.contains(&args.tensor("x")) => {
            let message =
                "the weights before `relu` start at half the variance that keeps its scale";
            let lint = Diagnostic::warning("relu-init", span, message);
            Some(lint.help("write `dense(n, init: he)`"))
        }
        _ => None,
    }
}

/// A name that nothing reads.
pub(super) fn unused(name: &str, binding: &Binding) -> Diagnostic {
    let message = format!("the {} `{name}` is never used", binding.what);
    let lint = Diagnostic::warning("unused", binding.span, message);
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
            Diagnostic::warning("unused", name.span, message).help("call it, or remove it")
        };
        let lints: Vec<Diagnostic> = layers.map(|layer| lint(layer.name)).collect();
        lints.into_iter().for_each(|lint| self.report(lint));
    }
}
