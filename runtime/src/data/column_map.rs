//! The user's choice of columns, such as `x=0..64,label=64`.

use std::ops::Range;

use super::error::quoted;

/// The user's choice of columns, such as `x=0..64,label=64`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnMap {
    entries: Vec<(String, Vec<Columns>)>,
}

/// One item of a [`ColumnMap`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Columns {
    /// By their places, from 0.
    Indices(Range<usize>),
    /// By its name in the header.
    Named(String),
}

impl ColumnMap {
    /// Reads `PORT=ITEM,ITEM,...,PORT=ITEM,...` where an item is an index from 0 (`64`), a
    /// half-open range of them (`0..64`), or the name of a column in the header.
    pub fn parse(text: &str) -> Result<ColumnMap, String> {
        let mut entries: Vec<(String, Vec<Columns>)> = Vec::new();
        for part in text.split(',') {
            let item = match part.split_once('=') {
                Some((port, item)) => {
                    let port = port.trim();
                    if port.is_empty() {
                        return Err(format!("{} names no port", quoted(part)));
                    }
                    if entries.iter().any(|(name, _)| name == port) {
                        return Err(format!("{} is given twice", quoted(port)));
                    }
                    entries.push((port.to_string(), Vec::new()));
                    item
                }
                None => part,
            };
            let Some((_, items)) = entries.last_mut() else {
                return Err(format!("{} is not of the form PORT=COLUMNS", quoted(part)));
            };
            items.push(parse_item(item.trim())?);
        }
        Ok(ColumnMap { entries })
    }

    /// The items for a port.
    pub(super) fn get(&self, port: &str) -> Option<&[Columns]> {
        let entry = self.entries.iter().find(|(name, _)| name == port);
        entry.map(|(_, items)| items.as_slice())
    }

    /// The ports that are named.
    pub(super) fn ports(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(name, _)| name.as_str())
    }

    /// Whether the user calls a column by this name.
    pub(super) fn names_column(&self, column: &str) -> bool {
        let mut items = self.entries.iter().flat_map(|(_, items)| items);
        items.any(|item| matches!(item, Columns::Named(name) if name == column))
    }
}

fn parse_item(item: &str) -> Result<Columns, String> {
    let index = |text: &str| text.trim().parse::<usize>().ok();
    if item.is_empty() {
        return Err("a column is missing".to_string());
    }
    if let Some(only) = index(item) {
        let end = only.checked_add(1).ok_or_else(|| format!("there is no column {item}"))?;
        return Ok(Columns::Indices(only..end));
    }
    if let Some((low, high)) = item.split_once("..")
        && let (Some(low), Some(high)) = (index(low), index(high))
    {
        if low >= high {
            return Err(format!("the range {item} is empty; its end is not part of it"));
        }
        return Ok(Columns::Indices(low..high));
    }
    Ok(Columns::Named(item.to_string()))
}
