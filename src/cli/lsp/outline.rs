//! What a file consists of: its sections with their names, and what can be folded.

use arenet::internals::compiler::diagnostic::Span;
use arenet::internals::compiler::names::{Name, NameKind};
use arenet::internals::compiler::syntax::ast::Item;
use lsp_types::request::{DocumentSymbolRequest, FoldingRangeRequest, Request};
use lsp_types::{
    DocumentSymbol, DocumentSymbolResponse, FoldingRange, FoldingRangeProviderCapability, OneOf,
    SymbolKind,
};

use super::ability::{Ability, about};
use super::document::Document;

pub const SYMBOLS: Ability = Ability {
    method: DocumentSymbolRequest::METHOD,
    announce: |to| to.document_symbol_provider = Some(OneOf::Left(true)),
    answer: |server, params| {
        about::<DocumentSymbolRequest>(
            server,
            params,
            |params| &params.text_document.uri,
            |document, _| Ok(Some(DocumentSymbolResponse::Nested(symbols(document)))),
        )
    },
};

pub const FOLDING: Ability = Ability {
    method: FoldingRangeRequest::METHOD,
    announce: |to| {
        to.folding_range_provider = Some(FoldingRangeProviderCapability::Simple(true));
    },
    answer: |server, params| {
        about::<FoldingRangeRequest>(
            server,
            params,
            |params| &params.text_document.uri,
            |document, _| {
                let fold = |span: Span| {
                    let range = document.range(span);
                    FoldingRange {
                        start_line: range.start.line,
                        end_line: range.end.line,
                        ..FoldingRange::default()
                    }
                };
                let items = document.analysis().file.items.iter();
                let spans = items.filter_map(|item| match item {
                    Item::Const(_) => None,
                    Item::Block(block) => Some(block.span),
                    Item::Net(net) => Some(net.span),
                    Item::Train(train) => Some(train.span),
                });
                Ok(Some(spans.map(fold).collect()))
            },
        )
    },
};

fn symbols(document: &Document) -> Vec<DocumentSymbol> {
    let names = &document.analysis().names;
    let within = |span: Span| {
        let is_in = move |name: &&Name| {
            span.start < name.span.start
                && name.span.end <= span.end
                && !matches!(name.kind, NameKind::Argument | NameKind::Net | NameKind::Block)
        };
        names.iter().filter(is_in).map(|name| of_name(document, name, Vec::new())).collect()
    };
    let of_item = |item: &Item| {
        let (name, span) = match item {
            Item::Const(bind) => (Some(bind.name.span), bind.name.span.join(bind.value.span)),
            Item::Block(block) => (Some(block.name.span), block.span),
            Item::Net(net) => (Some(net.name.span), net.span),
            Item::Train(train) => (None, train.span),
        };
        let children = if matches!(item, Item::Const(_)) { Vec::new() } else { within(span) };
        let own = name.and_then(|place| names.iter().find(|name| name.span == place));
        match own {
            Some(own) => of_name(document, own, children),
            None => {
                let word = Span::new(span.start, (span.start + 5).min(span.end));
                symbol(document, ("train", None, SymbolKind::NAMESPACE), [span, word], children)
            }
        }
    };
    document.analysis().file.items.iter().map(of_item).collect()
}

fn of_name(document: &Document, name: &Name, children: Vec<DocumentSymbol>) -> DocumentSymbol {
    let kind = match name.kind {
        NameKind::Constant => SymbolKind::CONSTANT,
        NameKind::Block | NameKind::Layer => SymbolKind::FUNCTION,
        NameKind::Net => SymbolKind::CLASS,
        NameKind::Parameter => SymbolKind::FIELD,
        _ => SymbolKind::VARIABLE,
    };
    let spans = [name.statement.join(name.span), name.span];
    symbol(document, (&name.name, Some(document.detail(name)), kind), spans, children)
}

#[expect(deprecated, reason = "the type has a field that nobody should use")]
fn symbol(
    document: &Document,
    (name, detail, kind): (&str, Option<String>, SymbolKind),
    [all, own]: [Span; 2],
    children: Vec<DocumentSymbol>,
) -> DocumentSymbol {
    DocumentSymbol {
        name: name.to_string(),
        detail,
        kind,
        tags: None,
        deprecated: None,
        range: document.range(all),
        selection_range: document.range(own),
        children: (!children.is_empty()).then_some(children),
    }
}
