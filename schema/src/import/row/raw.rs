//! The raw cells of a field, before their text is parsed.

use super::Cells;
use crate::import::Reject;
use crate::import::field::FieldType;
use crate::import::mapping::FieldRule;
use regex::Regex;
use std::borrow::Cow;

/// Rule by which a mapping translates a cell.
pub enum Translation<'r> {
    Blank,
    /// The cell is used unchanged.
    Plain,
    /// A pattern or the `values` translate the cell.
    Read {
        cell: Cow<'r, str>,
        value: Cow<'r, str>,
    },
    /// The pattern does not match the cell, or `values` does not have it.
    Unknown(Cow<'r, str>),
}

impl<'r> Cells<'r> {
    /// A cell, trimmed if the mapping says so, and whether it counts as blank.
    fn trimmed(&self, index: usize) -> (&'r str, bool) {
        let mapping = self.columns.mapping;
        let cell = self.row.record.get(index).unwrap_or_default();
        let cell = if mapping.trim { cell.trim() } else { cell };
        (cell, cell.is_empty() || mapping.nulls.contains(cell))
    }

    /// The joined cells of a field, and whether all of them are blank. A blank cell among others keeps its place.
    ///
    /// # Errors
    /// A reject where a cell of a joined code contains the separator.
    pub(super) fn joined(
        &self,
        field: usize,
        rule: &FieldRule,
        places: &[usize],
    ) -> Result<(Cow<'r, str>, bool), Reject> {
        if let [index] = places {
            let (cell, is_null) = self.trimmed(*index);
            return Ok((Cow::Borrowed(cell), is_null));
        }
        let cells = places.iter().map(|index| self.trimmed(*index));
        let cells: Vec<&str> = cells.map(|(cell, is_null)| if is_null { "" } else { cell }).collect();
        // Otherwise "1-2" and "3" would give the same code as "1" and "2-3".
        let of_code = self.columns.specs[field].of == FieldType::Code;
        if let Some(cell) = cells.iter().find(|cell| of_code && cell.contains(&rule.separator)) {
            let reason = format!("{cell:?} has the separator {:?} in it: choose another `separator`", rule.separator);
            return Err(self.reject(field, reason));
        }
        let is_null = cells.iter().all(|cell| cell.is_empty());
        Ok((Cow::Owned(if is_null { String::new() } else { cells.join(&rule.separator) }), is_null))
    }

    /// The mapping's translation of a field of this row; None where its cells cannot be joined, or it is a constant.
    pub fn translation(&self, field: usize) -> Option<Translation<'_>> {
        let rule = self.columns.mapping.fields[field].as_ref()?;
        let places = self.columns.places[field].as_slice();
        if places.is_empty() {
            return None;
        }
        let (cell, is_null) = self.joined(field, rule, places).ok()?;
        if is_null && !rule.values.as_ref().is_some_and(|values| values.contains_key(&*cell)) {
            return Some(Translation::Blank);
        }
        if rule.pattern.is_none() && rule.values.is_none() {
            return Some(Translation::Plain);
        }
        let taken = match &rule.pattern {
            None => Some(&*cell),
            Some(pattern) => self.matched(field, pattern, &cell).ok(),
        };
        let value = match (taken, &rule.values) {
            (Some(taken), None) => Some(Cow::Owned(taken.to_owned())),
            (Some(taken), Some(values)) => values.get(taken).map(|word| Cow::Borrowed(word.as_str())),
            (None, _) => None,
        };
        Some(match value {
            Some(value) => Translation::Read { cell, value },
            None => Translation::Unknown(cell),
        })
    }

    /// The part of a cell that its pattern captures: the group `value`, or else the first group.
    ///
    /// # Errors
    /// If the cell does not match the pattern.
    pub(super) fn matched<'c>(&self, field: usize, pattern: &Regex, cell: &'c str) -> Result<&'c str, Reject> {
        let Some(found) = pattern.captures(cell) else {
            return Err(self.reject(field, format!("{cell:?} does not match the pattern {pattern}")));
        };
        Ok(found.name("value").or_else(|| found.get(1)).map_or("", |group| group.as_str()))
    }
}
