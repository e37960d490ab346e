//! Mistakes and warnings, as the protocol has them.

use arenet::internals::compiler::code::Code;
use arenet::internals::compiler::diagnostic::{Diagnostic, Severity};
use lsp_types::{DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, NumberOrString};

use super::document::Document;

/// A message about a document: its sentence, and the way out below it.
pub fn message(document: &Document, found: &Diagnostic) -> lsp_types::Diagnostic {
    let severity = match found.severity {
        Severity::Error => DiagnosticSeverity::ERROR,
        Severity::Warning => DiagnosticSeverity::WARNING,
    };
    let help = found.help.iter().map(|help| format!("\nhelp: {help}")).collect::<String>();
    let labels = found.labels.iter().map(|(span, text)| DiagnosticRelatedInformation {
        location: document.location(*span),
        message: text.clone(),
    });
    let labels: Vec<_> = labels.collect();
    lsp_types::Diagnostic {
        range: document.range(found.span),
        severity: Some(severity),
        code: Some(NumberOrString::String(found.code.name().to_string())),
        source: Some("arenet".to_string()),
        message: format!("{}{help}", found.message),
        related_information: (!labels.is_empty()).then_some(labels),
        tags: (found.code == Code::Unused).then(|| vec![DiagnosticTag::UNNECESSARY]),
        ..lsp_types::Diagnostic::default()
    }
}
