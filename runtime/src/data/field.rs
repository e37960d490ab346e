//! Turns the text of one field into a number.

use std::str;

use super::error::{Complaint, meant_or_listed, quoted, shown};
use super::table::Field;
use super::{Domain, Missing, PortSpec};

/// The way out of a value that is not there.
const FILL: &str = "fill in a value, or remove the row";

/// The way out of text in another encoding.
pub(super) const TO_UTF_8: &str =
    "save the table as UTF-8, such as by iconv -f LATIN1 -t UTF-8 FILE > CSV";

/// A field of a real-valued port; `None` where it has no value, and the port may do without.
#[inline]
pub(super) fn parse_real(field: Field<'_>, port: &PortSpec) -> Result<Option<f32>, Complaint> {
    unless_missing(field, port, real)
}

/// A field of an integer port; `None` as there.
#[inline]
pub(super) fn parse_integer(field: Field<'_>, port: &PortSpec) -> Result<Option<i32>, Complaint> {
    unless_missing(field, port, integer)
}

fn unless_missing<T>(
    field: Field<'_>,
    port: &PortSpec,
    parse: fn(Field<'_>, &PortSpec) -> Result<T, Complaint>,
) -> Result<Option<T>, Complaint> {
    if !port.missing.words().is_empty() {
        let text = field.text();
        if port.missing.words().iter().any(|word| word == text.trim()) {
            return Ok(None);
        }
    }
    match parse(field, port) {
        Ok(value) => Ok(Some(value)),
        Err(complaint) => match port.missing {
            Missing::Refused if is_missing(field.text().trim()) => Err(refused(complaint, port)),
            Missing::Refused => Err(complaint),
            // Text in another encoding is no word that the net does not know.
            Missing::Unknown if field.is_utf_8() => Ok(None),
            _ if is_missing(field.text().trim()) => Ok(None),
            _ => Err(complaint),
        },
    }
}

/// What to do about a field without a value where there must be one.
fn refused(complaint: Complaint, port: &PortSpec) -> Complaint {
    let name = shown(&port.name);
    let help = format!(
        "fill in a value, remove the row, or write `missing` behind the type of {name} in the model"
    );
    Complaint::new(complaint.message, help)
}

fn real(field: Field<'_>, port: &PortSpec) -> Result<f32, Complaint> {
    let value = match (field, &port.domain) {
        (Field::Text(text), Domain::Any) => return parse_f32(text), // finite, and most fields
        (Field::Text(text), Domain::Names(names)) => return Ok(parse_name(text, names)? as f32),
        (Field::Text(text), _) => parse_f32(text)?,
        (Field::Number(number), _) => number,
    };
    check(value.into(), field, port)?;
    Ok(value)
}

fn integer(field: Field<'_>, port: &PortSpec) -> Result<i32, Complaint> {
    let value = match (field, &port.domain) {
        (Field::Text(text), Domain::Names(names)) => return parse_name(text, names),
        (Field::Text(text), _) => parse_i32(text)?.into(),
        (Field::Number(number), _) => f64::from(number),
    };
    check(value, field, port)?;
    Ok(value as i32)
}

/// Whether a port takes the number that a field holds.
#[inline]
fn check(value: f64, field: Field<'_>, port: &PortSpec) -> Result<(), Complaint> {
    let stored = |value: f64| !port.integer || f64::from(value as i32) == value;
    if port.domain.contains(value) && stored(value) {
        return Ok(());
    }
    Err(refusal(value, field, port))
}

/// Why a port does not take it.
#[cold]
fn refusal(value: f64, field: Field<'_>, port: &PortSpec) -> Complaint {
    let text = shown(&field.text());
    match &port.domain {
        _ if !value.is_finite() => Complaint::new(format!("{text} is not a finite number"), FILL),
        _ if port.integer && value.fract() != 0.0 => not_whole(&text),
        Domain::Any => too_wide(&text),
        domain => {
            let help = match domain {
                Domain::Interval(..) => "scale the column, or choose another loss".to_string(),
                _ => format!("correct it, or widen the range of {} in the net", shown(&port.name)),
            };
            Complaint::new(format!("{text} is outside {domain}"), help)
        }
    }
}

fn not_whole(text: &str) -> Complaint {
    let help = "round it, or make the port one of real numbers: without `i32`";
    Complaint::new(format!("{text} is not a whole number"), help)
}

fn too_wide(text: &str) -> Complaint {
    let help = format!("whole numbers are from {} to {}: number them anew", i32::MIN, i32::MAX);
    Complaint::new(format!("{text} does not fit 32 bits"), help)
}

/// Whether the field is a number, or a word such as `nan`. Either way it belongs to a row of data
/// and not to a header.
pub(super) fn looks_numeric(field: Field<'_>) -> bool {
    match field {
        Field::Text(text) => str::from_utf8(text).is_ok_and(is_number),
        Field::Number(_) => true,
    }
}

/// Whether the field is a word, as the name of a column may be.
pub(super) fn looks_like_name(field: Field<'_>) -> bool {
    match field {
        Field::Text(text) => {
            !has_digit(text) && !text.trim_ascii().is_empty() && !looks_numeric(field)
        }
        Field::Number(_) => false,
    }
}

/// [`looks_numeric`] of text; so is `true`, which is 1.
pub(super) fn is_number(text: &str) -> bool {
    let text = text.trim();
    text.parse::<f64>().is_ok() || truth(text).is_some()
}

/// Whether the text stands for a missing value, in upper or lower case.
pub(super) fn is_missing(field: &str) -> bool {
    const WORDS: [&str; 11] =
        ["", "?", "-", ".", "na", "n/a", "#n/a", "<na>", "nan", "null", "none"];
    WORDS.iter().any(|word| word.eq_ignore_ascii_case(field))
}

fn parse_f32(field: &[u8]) -> Result<f32, Complaint> {
    let field = field.trim_ascii();
    if let Some(value) = parse_decimal(field) {
        return Ok(value);
    }
    let text = as_text(field)?;
    let Ok(value) = text.parse::<f32>() else {
        return truth(text).ok_or_else(|| not_a_number(text));
    };
    if value.is_finite() { Ok(value) } else { Err(not_finite(text)) }
}

/// True is 1, false is 0.
fn truth(text: &str) -> Option<f32> {
    let values = [("true", 1.0), ("false", 0.0)];
    let found = values.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
    found.map(|&(_, value)| value)
}

fn parse_i32(field: &[u8]) -> Result<i32, Complaint> {
    let field = field.trim_ascii();
    if let Some(value) = parse_short_digits(field) {
        return Ok(value as i32);
    }
    let text = as_text(field)?;
    if let Ok(value) = text.parse() {
        return Ok(value);
    }
    // Many programs write whole numbers as 3.0.
    let Ok(value) = text.parse::<f64>() else {
        return truth(text).map(|value| value as i32).ok_or_else(|| not_a_number(text));
    };
    if !value.is_finite() {
        return Err(not_finite(text));
    }
    if value.fract() != 0.0 {
        return Err(not_whole(&quoted(text)));
    }
    if value < f64::from(i32::MIN) || value > f64::from(i32::MAX) {
        return Err(too_wide(&quoted(text)));
    }
    Ok(value as i32)
}

/// A number of one to fifteen digits without an exponent, as most are, to the bits that
/// `str::parse` gives. Its digits and a power of ten are exact in 64 bits, so the quotient is off
/// by half a unit at most, and rounding it again to 32 bits could err only where it is halfway
/// between two of these (W. Clinger, How to read floating point numbers accurately, 1990).
#[inline]
pub(super) fn parse_decimal(field: &[u8]) -> Option<f32> {
    const MOST: usize = 15;
    const POWERS: [f64; MOST + 1] =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let (is_negative, number) = match field {
        [b'-', number @ ..] => (true, number),
        number => (false, number),
    };
    if number.len() > MOST + 1 {
        return None;
    }
    let (mut digits, mut count, mut point) = (0_u64, 0, None);
    for &byte in number {
        match byte {
            b'0'..=b'9' => (digits, count) = (digits * 10 + u64::from(byte - b'0'), count + 1),
            b'.' if point.is_none() => point = Some(count),
            _ => return None,
        }
    }
    if count == 0 || count > MOST {
        return None;
    }
    let value = digits as f64 / POWERS[count - point.unwrap_or(count)];
    const HALFWAY: u64 = 1 << 28; // of the 29 bits that f64 has more
    if value.to_bits() & (2 * HALFWAY - 1) == HALFWAY {
        return None;
    }
    Some(if is_negative { -value as f32 } else { value as f32 })
}

/// One to seven digits, which i32 holds: most fields of a table of pixels.
fn parse_short_digits(field: &[u8]) -> Option<u32> {
    if field.is_empty() || field.len() > 7 {
        return None;
    }
    let mut value = 0;
    for byte in field {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value * 10 + u32::from(byte - b'0');
    }
    Some(value)
}

fn parse_name(field: &[u8], names: &[String]) -> Result<i32, Complaint> {
    let text = as_text(field.trim_ascii())?;
    if let Some(index) = names.iter().position(|name| name == text) {
        return Ok(index as i32);
    }
    let help = meant_or_listed(text, "the classes", names.iter().map(String::as_str));
    Err(Complaint::new(format!("{} is not a class of the model", quoted(text)), help))
}

fn as_text(field: &[u8]) -> Result<&str, Complaint> {
    if field.is_empty() {
        return Err(Complaint::new("the field is empty", FILL));
    }
    str::from_utf8(field).map_err(|_| {
        let text = String::from_utf8_lossy(field);
        Complaint::new(format!("{} is not valid UTF-8", quoted(&text)), TO_UTF_8)
    })
}

fn not_a_number(text: &str) -> Complaint {
    let message = format!("{} is not a number", quoted(text));
    let help = if has_digit(text.as_bytes()) {
        "write a number, or remove the row"
    } else {
        "write a number, or remove the row; a port of words lists them in the net: \
         `in [\"a\", \"b\"]`"
    };
    Complaint::new(message, help)
}

fn has_digit(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_digit)
}

/// The text was parsed, but is no finite f32.
fn not_finite(text: &str) -> Complaint {
    if has_digit(text.as_bytes()) {
        let message = format!("{} is too large for a 32-bit float", quoted(text));
        return Complaint::new(message, "scale the column, or remove the row");
    }
    Complaint::new(format!("{} is not a finite number", quoted(text)), FILL)
}
