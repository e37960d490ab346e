//! JSON lines: an object in each line, whose names are those of the columns. An object or a list
//! within it has a column for each value: `{"x": [1, 2]}` has `x.0` and `x.1`, which are the names
//! of the columns of an input `x`.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::error::{DataError, did_you_mean, quoted};
use super::lines::Lines;
use super::table::{Format, Opened, Row, Source, Table};

/// What begins with an object.
pub(super) const FORMAT: Format =
    Format { begins: |head| head.trim_ascii_start().starts_with(b"{"), open };

fn open<'r>(source: Source<'r>, name: &str) -> Opened<'r> {
    let lines = Lines::new(source.reader, name);
    let (line, text, ends, columns) = (Vec::new(), Vec::new(), Vec::new(), HashMap::new());
    let (names, first, strings) = (Vec::new(), None, Vec::new());
    Ok(Box::new(Objects { lines, line, names, columns, first, text, ends, strings }))
}

/// How deep a value may be in objects and lists.
const MOST_DEEP: usize = 128;

/// The objects of a stream, one at a time.
struct Objects<'r> {
    lines: Lines<'r>,
    line: Vec<u8>,
    /// The names of the first object in their order, and their places.
    names: Vec<String>,
    columns: HashMap<String, usize>,
    /// The values of the first object, while the row is that of the names.
    first: Option<Vec<Scalar>>,
    /// The fields of the row.
    text: Vec<u8>,
    ends: Vec<usize>,
    /// Which of them are strings.
    strings: Vec<bool>,
}

/// A value that is no object and no list.
#[derive(Clone, Debug, Default)]
struct Scalar {
    text: String,
    is_string: bool,
}

impl Table for Objects<'_> {
    fn advance(&mut self) -> Result<bool, DataError> {
        if let Some(fields) = self.first.take() {
            self.set(&fields);
            return Ok(true);
        }
        let Some(values) = self.next()? else { return Ok(false) };
        if self.names.is_empty() {
            let (names, fields): (Vec<String>, Vec<Scalar>) = values.into_iter().unzip();
            self.columns = names.iter().cloned().zip(0..).collect();
            let name = |name: &String| Scalar { text: name.clone(), is_string: true };
            self.set(&names.iter().map(name).collect::<Vec<_>>());
            (self.names, self.first) = (names, Some(fields));
            return Ok(true);
        }
        let mut fields = vec![Scalar::default(); self.names.len()];
        for (name, value) in values {
            let Some(&column) = self.columns.get(&name) else {
                let message = format!("the first object has no {}", quoted(&name));
                let meant = did_you_mean(&name, self.names.iter().map(String::as_str));
                let help = "every object has names of the first one, or fewer".to_string();
                return Err(self.error(message).with_help(meant.unwrap_or(help)));
            };
            fields[column] = value;
        }
        self.set(&fields);
        Ok(true)
    }

    fn row(&self) -> Row<'_> {
        Row::Text { text: &self.text, ends: &self.ends, gap: 0 }
    }

    fn line(&self) -> Option<u64> {
        Some(self.lines.read)
    }

    fn has_next(&self) -> bool {
        self.first.is_some() || self.lines.has_text(|byte| byte.is_ascii_whitespace())
    }

    fn is_string(&self, column: usize) -> Option<bool> {
        Some(self.strings[column])
    }

    fn has_names(&self) -> bool {
        true
    }
}

impl Objects<'_> {
    /// The names and values of the next object; `None` at the end.
    fn next(&mut self) -> Result<Option<Vec<(String, Scalar)>>, DataError> {
        loop {
            if !self.lines.next(&mut self.line)? {
                return Ok(None);
            }
            if !self.line.trim_ascii().is_empty() {
                break;
            }
        }
        let help = "write an object in each line, such as {\"mass\": 3.5, \"kind\": \"a\"}";
        let mut values = Vec::new();
        if let Err(error) = values_of(&self.line, &mut values) {
            let column = error.column();
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default();
            let message = format!("is no JSON at character {column}: {message}");
            return Err(self.error(message).with_help(help));
        }
        if values.is_empty() {
            return Err(self.error("is an object without a value").with_help(help));
        }
        Ok(Some(values))
    }

    /// Makes these the fields of the row.
    fn set(&mut self, fields: &[Scalar]) {
        self.text.clear();
        self.ends.clear();
        self.strings.clear();
        for Scalar { text, is_string } in fields {
            self.text.extend_from_slice(text.as_bytes());
            self.ends.push(self.text.len());
            self.strings.push(*is_string);
        }
    }

    fn error(&self, message: impl Into<String>) -> DataError {
        self.lines.error(message).at_line(self.lines.read)
    }
}

/// The names and values of an object in the order of the text.
struct Object<'de>(Vec<(String, &'de RawValue)>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Object<'de>, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Object<'de>, M::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Object(entries))
            }
        }

        from.deserialize_map(InOrder)
    }
}

/// Adds the values of the object in a line, each with its name.
fn values_of(line: &[u8], to: &mut Vec<(String, Scalar)>) -> serde_json::Result<()> {
    let Object(object) = serde_json::from_slice(line)?;
    object.into_iter().try_for_each(|(name, value)| flatten(name, value, MOST_DEEP, to))
}

/// Adds the values of a value, each with its name, as the text of a field: a number as it is
/// written, so that a long id keeps its digits. They may be so deep in objects and lists.
fn flatten(
    name: String,
    value: &RawValue,
    deep: usize,
    to: &mut Vec<(String, Scalar)>,
) -> serde_json::Result<()> {
    let text = value.get();
    let Some(within) = deep.checked_sub(1) else {
        return Err(serde::de::Error::custom("recursion limit exceeded"));
    };
    let scalar = match text.as_bytes().first() {
        Some(b'{') => {
            let Object(object) = serde_json::from_str(text)?;
            let mut inner = object.into_iter();
            return inner
                .try_for_each(|(key, value)| flatten(format!("{name}.{key}"), value, within, to));
        }
        Some(b'[') => {
            let list: Vec<&RawValue> = serde_json::from_str(text)?;
            let mut inner = list.into_iter().enumerate();
            return inner
                .try_for_each(|(at, value)| flatten(format!("{name}.{at}"), value, within, to));
        }
        Some(b'"') => Scalar { text: serde_json::from_str(text)?, is_string: true },
        Some(b'n') => Scalar::default(),
        _ => Scalar { text: text.to_string(), is_string: false },
    };
    to.push((name, scalar));
    Ok(())
}
