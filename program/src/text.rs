//! Text that others wrote, as messages show it: without what a terminal would obey or nobody would
//! see, and not longer than a reader bears.

/// The most characters that a message repeats of a name or a value.
const SHOWN_CHARS: usize = 40;
/// Up to this length what stands in backticks is left whole.
const QUOTED_CHARS: usize = 80;

/// The text with every character that does not print as its code point: `\u{1b}`.
pub fn escaped(text: &str) -> String {
    escape(text, |c, _| is_hidden(c))
}

/// [`escaped`] for a text of several lines: tabs and the ends of lines stay.
pub fn escaped_lines(text: &str) -> String {
    escape(text, |c, next| match c {
        '\n' | '\t' => false,
        '\r' => next != Some('\n'),
        c => is_hidden(c),
    })
}

/// The beginning of a name, escaped.
pub fn shown(text: &str) -> String {
    escaped_start(text, SHOWN_CHARS)
}

/// The first `chars` characters of a text, escaped.
pub fn escaped_start(text: &str, chars: usize) -> String {
    let (start, more) = start(text, chars);
    escaped(start) + more
}

/// The beginning of a value, escaped and in quotes.
pub fn quoted(text: &str) -> String {
    let (start, more) = start(text, SHOWN_CHARS);
    let start = start.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"{more}", escaped(&start))
}

/// A sentence as it is told: escaped, with a long name or value in backticks cut.
pub fn message(text: &str) -> String {
    let cut = |(index, part): (usize, &str)| {
        let long = index % 2 == 1 && part.chars().nth(QUOTED_CHARS).is_some();
        let (start, more) = if long { start(part, SHOWN_CHARS) } else { (part, "") };
        start.to_string() + more
    };
    let parts: Vec<String> = text.split('`').enumerate().map(cut).collect();
    escaped_lines(&parts.join("`"))
}

/// The candidate that `word` is most likely a slip of, by the edit distance that the caller has; as
/// this package depends on nothing. The distance, letter case aside, is at most about a third of
/// the length. Ties go to the alphabetically first. Never the word itself.
pub fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    distance: impl Fn(&str, &str) -> usize,
) -> Option<&'a str> {
    /// Nobody misspells names as long as that; a distance takes quadratic time.
    const LONGEST: usize = 64;
    let fits = |text: &str| text.len() <= LONGEST;
    if !fits(word) {
        return None;
    }
    let lower = word.to_lowercase();
    let chars = lower.chars().count();
    let others = candidates.into_iter().filter(|other| fits(other) && *other != word);
    let near = others.filter_map(|candidate| {
        let other = candidate.to_lowercase();
        let limit = match chars.max(other.chars().count()) {
            2 => 1,
            length => length / 3,
        };
        let distance = distance(&lower, &other);
        (distance <= limit).then_some((distance, candidate))
    });
    near.min().map(|(_, candidate)| candidate)
}

/// JSON that a terminal can show: what does not print as `\u001b`, which means the same.
pub fn escaped_json(json: &str) -> String {
    let mut units = [0; 2];
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if is_hidden(c) {
            let units = c.encode_utf16(&mut units).iter();
            units.for_each(|unit| text.push_str(&format!("\\u{unit:04x}")));
        } else {
            text.push(c);
        }
    }
    text
}

/// Whether no name may hold it: a control character, or one of those that turn the direction of
/// text (embeddings, overrides and isolates).
pub fn is_forbidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a character leaves no mark of its own on the screen.
pub fn is_hidden(c: char) -> bool {
    match c {
        ' '..='~' => false,
        // Not taken for invisible by what follows: fillers, joiners and selectors of variants.
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' => true,
        '\u{180b}'..='\u{180d}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' => true,
        '\u{e0100}'..='\u{e01ef}' => true,
        // Alone, a combining mark would be escaped as well; behind a letter it prints.
        c => String::from_iter(['x', c]).escape_debug().nth(2).is_some(),
    }
}

/// A character by its code point, and by name where it is one that files often hold unseen.
pub fn named(c: char) -> String {
    let code = format!("U+{:04X}", c as u32);
    match NAMES.iter().find(|(named, _)| *named == c) {
        Some((_, name)) => format!("{code} {name}"),
        None => code,
    }
}

/// The first `chars` characters, and dots where there are more.
fn start(text: &str, chars: usize) -> (&str, &'static str) {
    match text.char_indices().nth(chars) {
        None => (text, ""),
        Some((cut, _)) => (&text[..cut], "..."),
    }
}

fn escape(text: &str, hidden: impl Fn(char, Option<char>) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            c if !hidden(c, chars.peek().copied()) => escaped.push(c),
            '\t' | '\n' | '\r' => escaped.extend(c.escape_default()),
            c => escaped.extend(c.escape_unicode()),
        }
    }
    escaped
}

const NAMES: [(char, &str); 40] = [
    ('\0', "NULL"),
    ('\x07', "BELL"),
    ('\x08', "BACKSPACE"),
    ('\t', "TAB"),
    ('\n', "LINE FEED"),
    ('\x0b', "VERTICAL TAB"),
    ('\x0c', "FORM FEED"),
    ('\r', "CARRIAGE RETURN"),
    ('\x1b', "ESCAPE"),
    ('\x7f', "DELETE"),
    ('\u{85}', "NEXT LINE"),
    ('\u{9b}', "CONTROL SEQUENCE INTRODUCER"),
    ('\u{a0}', "NO-BREAK SPACE"),
    ('\u{ad}', "SOFT HYPHEN"),
    ('\u{34f}', "COMBINING GRAPHEME JOINER"),
    ('\u{61c}', "ARABIC LETTER MARK"),
    ('\u{180e}', "MONGOLIAN VOWEL SEPARATOR"),
    ('\u{2009}', "THIN SPACE"),
    ('\u{200b}', "ZERO WIDTH SPACE"),
    ('\u{200c}', "ZERO WIDTH NON-JOINER"),
    ('\u{200d}', "ZERO WIDTH JOINER"),
    ('\u{200e}', "LEFT-TO-RIGHT MARK"),
    ('\u{200f}', "RIGHT-TO-LEFT MARK"),
    ('\u{2028}', "LINE SEPARATOR"),
    ('\u{2029}', "PARAGRAPH SEPARATOR"),
    ('\u{202a}', "LEFT-TO-RIGHT EMBEDDING"),
    ('\u{202b}', "RIGHT-TO-LEFT EMBEDDING"),
    ('\u{202c}', "POP DIRECTIONAL FORMATTING"),
    ('\u{202d}', "LEFT-TO-RIGHT OVERRIDE"),
    ('\u{202e}', "RIGHT-TO-LEFT OVERRIDE"),
    ('\u{202f}', "NARROW NO-BREAK SPACE"),
    ('\u{2060}', "WORD JOINER"),
    ('\u{2066}', "LEFT-TO-RIGHT ISOLATE"),
    ('\u{2067}', "RIGHT-TO-LEFT ISOLATE"),
    ('\u{2068}', "FIRST STRONG ISOLATE"),
    ('\u{2069}', "POP DIRECTIONAL ISOLATE"),
    ('\u{3000}', "IDEOGRAPHIC SPACE"),
    ('\u{3164}', "HANGUL FILLER"),
    ('\u{fe0f}', "VARIATION SELECTOR-16"),
    ('\u{feff}', "ZERO WIDTH NO-BREAK SPACE"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_print_is_escaped() {
        assert_eq!(escaped("a b ä 漢 e\u{301} \\ \" ☃"), "a b ä 漢 e\u{301} \\ \" ☃");
        assert_eq!(escaped("\u{1b}[31m\t\r\n"), "\\u{1b}[31m\\t\\r\\n");
        for c in "\0\x7f\u{9b}\u{a0}\u{ad}\u{200b}\u{202e}\u{2028}\u{2066}\u{3164}\u{fe0f}\u{feff}"
            .chars()
        {
            assert_eq!(escaped(&c.to_string()), format!("\\u{{{:x}}}", c as u32));
        }
        assert_eq!(escaped_lines("a\tb\r\nc\rd\n"), "a\tb\r\nc\\rd\n");
    }

    /// Escaped text is escaped to itself, so a message may be built of others.
    #[test]
    fn to_escape_twice_changes_nothing() {
        for text in ["\u{1b}", "\\", "a\r\n", "`\u{200b}`"] {
            assert_eq!(escaped(&escaped(text)), escaped(text));
            assert_eq!(message(&message(text)), message(text));
        }
    }

    #[test]
    fn long_text_is_cut() {
        let long = "ä".repeat(1 << 20);
        let start = "ä".repeat(SHOWN_CHARS);
        assert_eq!(shown("ä\u{7}"), "ä\\u{7}");
        assert_eq!(shown(&long), format!("{start}..."));
        assert_eq!(quoted("a\"b\\\u{7}"), r#""a\"b\\\u{7}""#);
        assert_eq!(quoted(&long), format!("\"{start}\"..."));
        let sentence = format!("unknown name `{long}`, not `b`");
        assert_eq!(message(&sentence), format!("unknown name `{start}...`, not `b`"));
    }

    #[test]
    fn json_means_the_same() {
        assert_eq!(escaped_json("[\"\u{9b}ä\u{e0001}\"]"), r#"["\u009bä\udb40\udc01"]"#);
    }

    #[test]
    fn names_hold_no_control_characters() {
        assert!(!"Iris versicolor, ä \u{200d}".contains(is_forbidden));
        assert_eq!("a\t\u{1b}[2J\u{9b}\u{202e}".matches(is_forbidden).count(), 4);
        assert_eq!(named('\u{200b}'), "U+200B ZERO WIDTH SPACE");
        assert_eq!(named('\x03'), "U+0003");
    }
}
