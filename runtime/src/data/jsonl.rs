//! JSON lines: an object in each line, whose names are those of the columns. An object or a list
//! within it has a column for each value: `{"x": [1, 2]}` has `x.0` and `x.1`, which are the names
//! of the columns of an input `x`.

use std::collections::HashMap;
use std::fmt;
use std::io::Read;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::error::{DataError, did_you_mean, quoted};
use super::lines::Lines;
use super::table::{Format, Opened, Row, Table};

/// What begins with an object.
pub(super) const FORMAT: Format =
    Format { begins: |head| head.trim_ascii_start().starts_with(b"{"), open };

fn open<'r>(reader: Box<dyn Read + 'r>, name: &str) -> Opened<'r> {
    let lines = Lines::new(reader, name);
    let (line, text, ends, columns) = (Vec::new(), Vec::new(), Vec::new(), HashMap::new());
    let (names, first, strings) = (Vec::new(), None, Vec::new());
    Ok(Box::new(Objects { lines, line, names, columns, first, text, ends, strings }))
}

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
        Row::Text { text: &self.text, ends: &self.ends }
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
        let Object(object) = match serde_json::from_slice(&self.line) {
            Ok(object) => object,
            Err(error) => {
                let column = error.column();
                let message = error.to_string();
                let message = message.split(" at line ").next().unwrap_or_default();
                let message = format!("is no JSON at character {column}: {message}");
                return Err(self.error(message).with_help(help));
            }
        };
        let mut values = Vec::with_capacity(object.len());
        object.into_iter().for_each(|(name, value)| flatten(name, value, &mut values));
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
struct Object(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Object, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Object, M::Error> {
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

/// The values of a value, each with its name, as the text of a field. The parser bounds how deep
/// they are.
fn flatten(name: String, value: Value, to: &mut Vec<(String, Scalar)>) {
    let is_string = value.is_string();
    let text = match value {
        Value::Object(object) => {
            let inner = object.into_iter();
            return inner.for_each(|(key, value)| flatten(format!("{name}.{key}"), value, to));
        }
        Value::Array(list) => {
            let inner = list.into_iter().enumerate();
            return inner.for_each(|(at, value)| flatten(format!("{name}.{at}"), value, to));
        }
        Value::Null => String::new(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text,
    };
    to.push((name, Scalar { text, is_string }));
}
