//! Scopes: which names are visible where.
//!
//! Constants are visible everywhere. A network has one scope, which `train` goes on with; the
//! body of a `layer` sees that of the network behind its own, the body of a `block` only its own.

use super::Value;
use crate::aliases;
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Span};
use crate::fix::Edit;
use crate::syntax::ast::{Arg, Block, Call, Expr, ExprKind, Ident};
use std::collections::HashMap;

/// A name with its value.
#[derive(Clone, Debug)]
pub(super) struct Binding<'a> {
    pub value: Value,
    /// The expression it is the value of, where it is of one.
    pub written: Option<&'a Expr>,
    /// The statement that defines it; an argument has none.
    pub statement: Option<Span>,
    /// Where it is defined.
    pub span: Span,
    /// What it is in a message: `input`, `value`, ...
    pub what: &'static str,
    /// Whether anything reads it.
    pub used: bool,
}

/// A `layer` statement.
#[derive(Clone, Debug)]
pub(super) struct Shared<'a> {
    pub name: &'a Ident,
    pub params: &'a [Ident],
    pub value: &'a Expr,
    /// The parameters that its first call made.
    /// The statement.
    pub statement: Span,
    pub made: Option<Vec<usize>>,
    /// Whether that call failed, which may have made a part of them only.
    pub failed: bool,
    pub used: bool,
}

#[derive(Debug, Default)]
struct Scope<'a> {
    names: HashMap<String, Binding<'a>>,
    /// Whether the scope of the network is visible behind it.
    sees_net: bool,
}

/// All names.
#[derive(Debug)]
pub(super) struct Names<'a> {
    pub constants: HashMap<&'a str, Binding<'a>>,
    pub blocks: HashMap<&'a str, &'a Block>,
    pub layers: HashMap<&'a str, Shared<'a>>,
    /// The first is the network's.
    scopes: Vec<Scope<'a>>,
    /// Names of the network that no statement has defined yet, or ever will where it failed.
    announced: HashMap<&'a str, Span>,
}

impl Default for Names<'_> {
    fn default() -> Self {
        Names {
            constants: HashMap::new(),
            blocks: HashMap::new(),
            layers: HashMap::new(),
            scopes: vec![Scope::default()],
            announced: HashMap::new(),
        }
    }
}

impl<'a> Names<'a> {
    /// Says what will be defined in the network, so that a use before it is told apart.
    pub fn announce(&mut self, names: impl Iterator<Item = &'a Ident>) {
        for name in names {
            self.announced.entry(&name.name).or_insert(name.span);
        }
    }

    /// Where a name of the network is defined later.
    pub fn defined_later(&self, name: &str) -> Option<Span> {
        let visible = self.scopes.len() == 1 || self.top().sees_net;
        self.announced.get(name).copied().filter(|_| visible)
    }

    /// Where the network or a constant has a name, or will have it.
    pub fn defined_anywhere(&self, name: &str) -> Option<Span> {
        self.declared(name).or_else(|| self.announced.get(name).copied())
    }

    /// Where the current scope has defined a name already, or a constant has it.
    pub fn declared(&self, name: &str) -> Option<Span> {
        let in_net = self.scopes.len() == 1;
        let constant = self.constants.get(name).map(|binding| binding.span);
        let local = self.top().names.get(name).map(|binding| binding.span);
        let layer = self.layers.get(name).filter(|_| in_net).map(|layer| layer.name.span);
        let block = self.blocks.get(name).filter(|_| in_net).map(|block| block.name.span);
        constant.or(local).or(layer).or(block)
    }

    /// Defines a name in the current scope.
    pub fn insert(&mut self, name: &Ident, binding: Binding<'a>) {
        self.top_mut().names.insert(name.name.clone(), binding);
    }

    /// The binding of a name, which is read hereby.
    pub fn read(&mut self, name: &str) -> Option<&Binding<'a>> {
        let top = self.scopes.len() - 1;
        let scope = if self.scopes[top].names.contains_key(name) || !self.scopes[top].sees_net {
            top
        } else {
            0
        };
        let local = self.scopes[scope].names.get_mut(name);
        let binding = local.or_else(|| self.constants.get_mut(name))?;
        binding.used = true;
        Some(binding)
    }

    /// The `layer` of a name, unless a block is being expanded, which sees none.
    pub fn layer(&mut self, name: &str) -> Option<&mut Shared<'a>> {
        let visible = self.scopes.len() == 1 || self.top().sees_net;
        self.layers.get_mut(name).filter(|_| visible)
    }

    /// A binding of the network's own scope.
    pub fn in_net(&self, name: &str) -> Option<&Binding<'a>> {
        self.scopes[0].names.get(name)
    }

    /// Opens the scope of a body.
    pub fn open(&mut self, sees_net: bool) {
        self.scopes.push(Scope { names: HashMap::new(), sees_net });
    }

    /// Closes the scope of a body, and gives what nothing has read.
    pub fn close(&mut self) -> Vec<(String, Binding<'a>)> {
        let scope = self.scopes.pop().expect("the scope was opened");
        unused(scope.names)
    }

    /// What nothing has read in the network.
    pub fn unused_in_net(&self) -> Vec<(String, Binding<'a>)> {
        unused(self.scopes[0].names.clone())
    }

    /// The names visible here, for "did you mean".
    pub fn visible(&self) -> impl Iterator<Item = &str> {
        let net = self.scopes[..1].iter().filter(|_| self.top().sees_net);
        let scopes = net.chain(self.scopes.last());
        let names = scopes.flat_map(|scope| scope.names.keys().map(String::as_str));
        names.chain(self.constants.keys().copied())
    }

    fn top(&self) -> &Scope<'a> {
        self.scopes.last().expect("the scope of the network is never closed")
    }

    fn top_mut(&mut self) -> &mut Scope<'a> {
        self.scopes.last_mut().expect("the scope of the network is never closed")
    }
}

fn unused(names: HashMap<String, Binding<'_>>) -> Vec<(String, Binding<'_>)> {
    let quiet = |name: &str| name.starts_with('_');
    names.into_iter().filter(|(name, binding)| !binding.used && !quiet(name)).collect()
}

/// Adds what a name of another tool is called here to an error about an unknown name, or "did you
/// mean", or the names there are when they are
/// few. A long list of candidates is cut, since each comparison takes its time.
pub(super) fn suggest<'n>(
    error: Diagnostic,
    name: &str,
    candidates: impl Iterator<Item = &'n str>,
) -> Diagnostic {
    const MOST: usize = 500;
    let candidates: Vec<&str> = candidates.take(MOST).collect();
    if let Some(own) = candidates.iter().find(|own| aliases::is_for(name, own)) {
        return error.help(format!("`{name}` is called `{own}` here")).respell(name, own, true);
    }
    if let Some(note) = aliases::note(name) {
        return error.help(note);
    }
    let named = error.did_you_mean(name, candidates.iter().copied());
    named.unwrap_or_else(|error| list(error, candidates.into_iter()))
}

/// The same for what is called with these arguments, which another tool may understand otherwise.
pub(super) fn suggest_call<'n>(
    error: Diagnostic,
    (name, args): (&str, &[Arg]),
    candidates: impl Iterator<Item = &'n str>,
) -> Diagnostic {
    let mut error = suggest(error, name, candidates);
    for fix in &mut error.fixes {
        let is_alias = |edit: &Edit| aliases::is_other_word(name, &edit.text);
        fix.is_certain &= args.is_empty() || !fix.edits.iter().any(is_alias);
    }
    error
}

/// The error of a name that is none of the settings in a place, `what`. Where it is one of another
/// place, that says what it is and how it is written there.
pub(super) fn no_setting<'n>(
    what: &str,
    name: &Ident,
    elsewhere: Option<[String; 2]>,
    known: impl Iterator<Item = &'n str>,
) -> Diagnostic {
    let error = |message| Diagnostic::error(Code::UnknownKey, name.span, message);
    match elsewhere {
        Some([is, write]) => error(format!("`{}` {is}", name.name)).help(write),
        None => suggest(error(format!("unknown {what} `{}`", name.name)), &name.name, known),
    }
}

/// Adds the names there are to an error, when they are few.
pub(super) fn list<'n>(error: Diagnostic, names: impl Iterator<Item = &'n str>) -> Diagnostic {
    const FEW: usize = 15;
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.dedup();
    match names.len() {
        1..=FEW => error.help(format!("there is: {}", names.join(", "))),
        _ => error,
    }
}

/// That something is part of the language, but not of this version.
pub(super) fn not_yet(name: &str, span: Span) -> Diagnostic {
    let message =
        format!("`{name}` is part of the language, but this version does not compile it yet");
    let error = Diagnostic::error(Code::NotYet, span, message);
    error.help("small images do well with `x |> flatten |> dense(64) |> relu`; PyTorch has it")
}

/// `accuracy(y2)`, after the first argument where that is a name.
pub(super) fn full_name(call: &Call) -> String {
    let name = &call.function.name;
    match call.args.first().map(|arg| &arg.value.kind) {
        Some(ExprKind::Name(first)) => format!("{name}({first})"),
        _ => name.clone(),
    }
}
