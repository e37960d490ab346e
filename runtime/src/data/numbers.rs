//! How the numbers of a table are written: with a decimal point, unless the user says otherwise.

use std::borrow::Cow;
use std::str;

use super::error::{Complaint, quoted};
use super::table::Field;

/// What stands before the decimals, and perhaps between groups of three digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberStyle {
    point: u8,
    thousands: Option<u8>,
}

impl Default for NumberStyle {
    /// `1234.5`
    fn default() -> NumberStyle {
        NumberStyle { point: b'.', thousands: None }
    }
}

/// The styles by the number that is their example.
const STYLES: [(&str, NumberStyle); 8] = [
    ("1234.5", NumberStyle { point: b'.', thousands: None }),
    ("1234,5", NumberStyle { point: b',', thousands: None }),
    ("1.234,5", NumberStyle { point: b',', thousands: Some(b'.') }),
    ("1 234,5", NumberStyle { point: b',', thousands: Some(b' ') }),
    ("1'234,5", NumberStyle { point: b',', thousands: Some(b'\'') }),
    ("1,234.5", NumberStyle { point: b'.', thousands: Some(b',') }),
    ("1 234.5", NumberStyle { point: b'.', thousands: Some(b' ') }),
    ("1'234.5", NumberStyle { point: b'.', thousands: Some(b'\'') }),
];

impl NumberStyle {
    /// The style of an example, which is one of `1234.5`, `1234,5`, `1.234,5`, `1 234,5`,
    /// `1'234,5`, `1,234.5`, `1 234.5` and `1'234.5`.
    ///
    /// # Errors
    /// Another text, with the examples.
    pub fn parse(example: &str) -> Result<NumberStyle, String> {
        let found = STYLES.iter().find(|(known, _)| *known == example);
        found.map(|&(_, style)| style).ok_or_else(|| {
            let known: Vec<&str> = STYLES.iter().map(|(known, _)| *known).collect();
            format!("{} is none of {}", quoted(example), known.join(", "))
        })
    }

    /// The number that is its example.
    pub fn example(self) -> &'static str {
        let own = STYLES.iter().find(|(_, style)| *style == self);
        own.map_or("", |(example, _)| example)
    }

    /// The examples of styles that all of these texts are numbers in: one with a decimal comma, one
    /// with a point.
    pub fn of(texts: &[impl AsRef<str>]) -> Vec<&'static str> {
        let written = |point: u8| {
            let mut styles = STYLES.iter().filter(move |(_, style)| style.point == point);
            let takes =
                |style: NumberStyle| texts.iter().all(|text| style.is_written(text.as_ref()));
            styles.find(|(_, style)| takes(*style)).map(|&(example, _)| example)
        };
        [b',', b'.'].into_iter().filter_map(written).collect()
    }

    /// Whether a text is a number in this style.
    pub(super) fn is_written(self, text: &str) -> bool {
        self.plain(text.trim_ascii().as_bytes()).is_some()
    }

    /// A text that is a number in this style, as programs write it; any other stays as it is.
    pub(super) fn plain_text(self, text: &str) -> Cow<'_, str> {
        if self == NumberStyle::default() {
            return text.into();
        }
        match self.plain(text.trim_ascii().as_bytes()) {
            Some(plain) => String::from_utf8_lossy(&plain).into_owned().into(),
            None => text.into(),
        }
    }

    /// A field with its number as programs write it; what is no number stays as it is.
    ///
    /// # Errors
    /// A number in another style, which would be read as another number.
    #[inline]
    pub(super) fn read<'f>(
        self,
        field: Field<'f>,
        buffer: &'f mut Vec<u8>,
    ) -> Result<Field<'f>, Complaint> {
        let Field::Text(text) = field else { return Ok(field) };
        if self == NumberStyle::default() {
            return Ok(field);
        }
        let text = text.trim_ascii();
        if !text.iter().any(u8::is_ascii_digit) {
            return Ok(field);
        }
        match self.plain(text) {
            Some(plain) => {
                buffer.clear();
                buffer.extend_from_slice(&plain);
                Ok(Field::Text(buffer))
            }
            None if NumberStyle::default().plain(text).is_some() => {
                let text = quoted(str::from_utf8(text).unwrap_or_default());
                let message = format!("{text} is no number such as {}", self.example());
                Err(Complaint::new(
                    message,
                    "write all numbers of the table alike, or say how they are written",
                ))
            }
            None => Ok(field),
        }
    }

    /// The number as programs write it, if the text is one in this style: a sign, digits, perhaps
    /// in groups of three, decimals and an exponent.
    fn plain(self, text: &[u8]) -> Option<Cow<'_, [u8]>> {
        let sign = usize::from(matches!(text.first(), Some(b'+' | b'-')));
        let (sign, rest) = text.split_at(sign);
        let exponent = rest.iter().position(|byte| matches!(byte, b'e' | b'E'));
        let (mantissa, exponent) = rest.split_at(exponent.unwrap_or(rest.len()));
        let mut parts = mantissa.split(|byte| *byte == self.point);
        let (whole, decimals) = (parts.next()?, parts.next());
        let is_digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
        let whole = self.ungrouped(whole)?;
        let has_digit = !whole.is_empty() || decimals.is_some_and(|decimals| !decimals.is_empty());
        if parts.next().is_some() || !has_digit || !is_digits(decimals.unwrap_or_default()) {
            return None;
        }
        if let [_, digits @ ..] = exponent {
            let sign = usize::from(matches!(digits.first(), Some(b'+' | b'-')));
            if digits.len() == sign || !is_digits(&digits[sign..]) {
                return None;
            }
        }
        let point = decimals.map_or(&b""[..], |_| b".");
        Some([sign, &whole, point, decimals.unwrap_or_default(), exponent].concat().into())
    }

    /// The digits before the decimals, without what separates thousands.
    fn ungrouped(self, whole: &[u8]) -> Option<Vec<u8>> {
        let is_digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
        let groups: Vec<&[u8]> = match self.thousands {
            Some(separator) => whole.split(|byte| *byte == separator).collect(),
            None => vec![whole],
        };
        let [first, others @ ..] = &groups[..] else { return None };
        let is_grouped = others.is_empty() || (1..=3).contains(&first.len());
        let are_threes = others.iter().all(|group| group.len() == 3);
        let fits = is_grouped && are_threes && groups.iter().all(|group| is_digits(group));
        fits.then(|| groups.concat())
    }
}
