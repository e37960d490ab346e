//! Unrecognised statements: guesses what their author meant.

use super::stmt::Section;
use super::{Parser, Reported, shorten};
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Span, did_you_mean};
use crate::fix::Fix;
use crate::syntax::token::{KEYWORDS, Kind, Token};

/// What people write who think of another language, and what to write instead.
const FOREIGN_WORDS: [(&[&str], &str); 5] = [
    (
        &["def", "fn", "func", "function"],
        "a reusable part is `block name(x) { return ... }` or `layer name(x) = ...`",
    ),
    (&["class", "struct", "model", "network"], "a network is `net name { ... }`"),
    (&["let", "var", "auto"], "a value is named with `name = value` alone"),
    (&["import", "from", "include", "use"], "a file stands alone and imports nothing"),
    (&["for", "while", "if", "else"], "there are no loops and no branches"),
];

impl Parser<'_> {
    /// Reports a misspelt keyword, and makes it the keyword that it is near to.
    pub(super) fn correct_keyword(&mut self, section: Section) {
        let (token, next) = (self.nth(0), self.nth(1).kind);
        let text = self.text(token);
        if token.kind != Kind::Ident || next == Kind::Equals || foreign_word(text).is_some() {
            return;
        }
        // Statements of a network are the most, and the likeliest to be misplaced.
        let keywords = KEYWORDS.iter().filter(|(_, kind)| {
            let known = section.keywords().contains(kind) || Section::Net.keywords().contains(kind);
            known && may_follow(*kind, next)
        });
        let known: Vec<&str> = keywords.map(|(name, _)| *name).collect();
        let meant = did_you_mean(text, known.iter().copied());
        let Some((_, kind)) = KEYWORDS.iter().find(|(name, _)| meant == Some(*name)) else {
            return;
        };
        let message = format!("unknown statement `{}`", shorten(text));
        let error = Diagnostic::error(Code::UnknownStatement, token.span, message);
        let error = error.did_you_mean(text, known).unwrap_or_else(|error| error);
        // Reporting may end the reading, so what is next after it is not this token.
        self.tokens[self.at].kind = *kind;
        self.report(error);
    }

    /// What stands here begins no statement: says why, as well as can be guessed.
    pub(super) fn unknown_statement(&mut self, section: Section) -> Reported {
        let token = self.nth(0);
        if token.kind != Kind::Ident && self.has_error_since(self.statement) {
            return Reported;
        }
        let error = match token.kind {
            Kind::RightParen | Kind::RightBracket => {
                let bracket = self.text(token);
                let message = format!("this `{bracket}` closes nothing");
                let fix = Fix::remove(&format!("the `{bracket}`"), token.span).likely();
                Diagnostic::error(Code::UnmatchedBracket, token.span, message).fix(fix)
            }
            Kind::Ident => self.unknown_name(section),
            _ => {
                let what = if section == Section::File { FILE_STATEMENTS } else { "a statement" };
                let message = format!("expected {what}, found {}", self.describe(token));
                let error = Diagnostic::error(Code::UnexpectedToken, token.span, message);
                match (section, token.kind) {
                    (Section::File, _) => error.help(FILE_HELP),
                    (_, Kind::Comma) => error
                        .help("statements follow each other without `,`")
                        .fix(Fix::remove("`,`", token.span)),
                    _ => error.help("a statement begins with its keyword, or reads `name = value`"),
                }
            }
        };
        self.report(error)
    }

    /// Whether a token is a word of another language.
    pub(super) fn is_foreign(&self, token: Token) -> bool {
        token.kind == Kind::Ident && foreign_word(self.text(token)).is_some()
    }

    /// Whether a type stands so many tokens ahead.
    fn at_type(&self, ahead: usize) -> bool {
        let is_name = self.nth(ahead).kind == Kind::Ident;
        self.nth(ahead + usize::from(is_name)).kind == Kind::LeftBracket
    }

    fn unknown_name(&self, section: Section) -> Diagnostic {
        let (token, next) = (self.nth(0), self.nth(1));
        let text = shorten(self.text(token));
        if let Some(help) = foreign_word(&text) {
            let message = format!("`{text}` means nothing here");
            let error = Diagnostic::error(Code::ForeignSyntax, token.span, message).help(help);
            // `let h = x`
            let binds = next.kind == Kind::Ident && self.nth(2).kind == Kind::Equals;
            let word = Span::new(token.span.start, next.span.start);
            return error.fix(binds.then(|| Fix::remove(&format!("`{text}`"), word)));
        }
        if section == Section::File {
            let message = format!("expected {FILE_STATEMENTS}, found `{text}`");
            return Diagnostic::error(Code::UnexpectedToken, token.span, message).help(FILE_HELP);
        }
        match next.kind {
            Kind::Colon if !self.at_type(2) => {
                let message =
                    format!("`{text}` is followed by `:`, and a name gets its value by `=`");
                Diagnostic::error(Code::UnknownStatement, token.span, message)
                    .help(format!("write `{text} = ...`"))
                    .fix(Fix::write(next.span, " =").likely())
            }
            Kind::Colon => {
                let keyword = if section == Section::Train { "target" } else { "input" };
                let message = format!("`{text}` has a type, but no keyword says what it is");
                let fix = Fix::insert(token.span.start, format!("{keyword} "));
                // What has a type inside `net` may as well be a `param`.
                let fix = if section == Section::Train { fix } else { fix.likely() };
                Diagnostic::error(Code::UnknownStatement, token.span, message)
                    .help(format!("write `{keyword} {text}: ...`"))
                    .fix(fix)
            }
            kind if continues_value(kind) => {
                let help = match section {
                    Section::Train => {
                        format!("write `metric {text}(...)`, or what it sets, such as `stop = ...`")
                    }
                    Section::Block => "write `name = ...` or `return ...`".to_string(),
                    _ => "write `name = ...` or `output name = ...`".to_string(),
                };
                let message = "this value has no name, so nothing can use it";
                let error = Diagnostic::error(Code::UnnamedValue, token.span, message).help(help);
                let result = || Fix::insert(token.span.start, "return ").likely();
                error.fix((section == Section::Block).then(result))
            }
            _ => {
                let message = format!("expected `=` after `{text}`, found {}", self.describe(next));
                let on_next_line = self.first_on_line(self.at + 1);
                let span = if on_next_line { token.span } else { next.span };
                Diagnostic::error(Code::UnexpectedToken, span, message)
            }
        }
    }
}

const FILE_HELP: &str = "a file holds `net name { ... }` and, for training, `train { ... }`";
const FILE_STATEMENTS: &str = "`const`, `block`, `net` or `train`";

/// Whether a statement's keyword is plausible before a token.
fn may_follow(keyword: Kind, next: Kind) -> bool {
    match keyword {
        Kind::Train => next == Kind::LeftBrace,
        Kind::Optimizer => next == Kind::LeftParen,
        Kind::Return => matches!(next, Kind::Ident | Kind::LeftParen),
        _ => next == Kind::Ident,
    }
}

/// Whether a name before the token is the beginning of a value.
fn continues_value(next: Kind) -> bool {
    let operator = matches!(next, Kind::Plus | Kind::Minus | Kind::Star | Kind::Slash | Kind::At);
    operator || matches!(next, Kind::LeftParen | Kind::Pipe | Kind::Dot)
}

/// What to write instead of a word of another language.
fn foreign_word(word: &str) -> Option<&'static str> {
    FOREIGN_WORDS.iter().find(|(words, _)| words.contains(&word)).map(|(_, help)| *help)
}
