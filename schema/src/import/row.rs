//! Applies a mapping to one row: the value of each field, or the reason why it cannot be read.

mod raw;

use super::bools::parse_bool;
use super::dates::DateRules;
use super::field::{FieldSpec, FieldType};
use super::looks::{self, shown, spelt};
use super::mapping::FieldRule;
use super::numbers::NumberRules;
use super::{ImportError, Mapping, Reject};
use crate::domain::{declaration, tax_code};
use crate::sql_types::{JsonValue, Timestamp};
use chrono::NaiveDate;
use csv::StringRecord;
pub use raw::Translation;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::str::FromStr;

/// A record of the file and the line on which it begins.
#[derive(Debug, Clone)]
pub struct Row {
    pub line: u64,
    pub record: StringRecord,
    /// The record has a malformed quote, so its cells may be wrong.
    pub misquoted: bool,
}

/// A mapping bound to the header of a file.
#[derive(Debug)]
pub struct Columns<'m> {
    pub mapping: &'m Mapping,
    specs: &'static [FieldSpec],
    /// Indexes of the columns of each field; the next vector has their names joined with ` + `.
    places: Vec<Vec<usize>>,
    names: Vec<String>,
    keep: Vec<(String, usize)>,
    /// Columns of fields other than free text, sorted.
    exact: Vec<usize>,
    width: usize,
    own: OwnRules,
}

/// The notation of dates and numbers in the mapping itself.
type OwnRules = (DateRules, NumberRules);

/// The reason for rejecting a row in which a required field is blank.
pub(super) const BLANK: &str = "is blank";

/// The longest code and the longest text accepted, in characters.
const LONGEST_CODE: usize = 200;
const LONGEST_TEXT: usize = 100_000;

impl<'m> Columns<'m> {
    /// Finds the columns of a file that a mapping names.
    ///
    /// # Errors
    /// `Mapping` if the file lacks such a column.
    pub fn bind(mapping: &'m Mapping, specs: &'static [FieldSpec], header: &[String]) -> Result<Self, ImportError> {
        let place = |column: &str| {
            header
                .iter()
                .position(|name| name == column)
                .ok_or_else(|| ImportError::Mapping { path: mapping.path.clone(), message: no_column(column, header) })
        };
        let columns = |rule: &'m Option<FieldRule>| rule.as_ref().map_or(&[][..], |rule| rule.columns.as_slice());
        let places: Vec<Vec<usize>> = mapping
            .fields
            .iter()
            .map(|rule| columns(rule).iter().map(|column| place(column)).collect::<Result<_, _>>())
            .collect::<Result<_, _>>()?;
        let names = mapping.fields.iter().map(|rule| columns(rule).join(" + ")).collect();
        let keep =
            mapping.keep.iter().map(|name| Ok((name.clone(), place(name)?))).collect::<Result<_, ImportError>>()?;
        let own = DateRules::own().map_err(|message| ImportError::Mapping { path: mapping.path.clone(), message })?;
        let exact: BTreeSet<usize> = places
            .iter()
            .zip(specs)
            .filter(|(_, spec)| spec.of != FieldType::Text)
            .flat_map(|(places, _)| places)
            .copied()
            .collect();
        let exact = exact.into_iter().collect();
        Ok(Self { mapping, specs, places, names, keep, exact, width: header.len(), own: (own, NumberRules::default()) })
    }

    /// Columns whose cells are codes, words, dates or numbers, not free text.
    pub fn exact(&self) -> &[usize] {
        &self.exact
    }

    /// The name of the column of a field, or of its joined columns; empty where the field has none.
    pub fn column_of(&self, field: usize) -> &str {
        &self.names[field]
    }

    pub fn of<'r>(&'r self, row: &'r Row) -> Cells<'r> {
        Cells { columns: self, row }
    }

    /// Checks the quotes of a row and the number of its cells.
    ///
    /// # Errors
    /// A reject where a quote is malformed, or the number of cells differs from the header.
    pub fn check_shape(&self, row: &Row) -> Result<(), Reject> {
        if row.misquoted {
            let reason = "there is text after a quote (\") that ends its cell: a quote inside a quoted cell is written twice (\"\"), \
                          and not as \\\"";
            return Err(Reject { row: row.line, column: String::new(), reason: reason.into() });
        }
        let cells = row.record.len();
        if cells == self.width {
            return Ok(());
        }
        Err(Reject {
            row: row.line,
            column: String::new(),
            reason: format!("has {cells} cells where the header has {}", self.width),
        })
    }
}

/// The message about a column that the file does not have, with a hint at a column that looks the same.
fn no_column(column: &str, header: &[String]) -> String {
    let named: Vec<String> = header.iter().filter(|name| !name.is_empty()).map(|name| shown(name)).collect();
    let look = looks::look(column);
    let meant = header.iter().position(|name| !name.is_empty() && looks::look(name) == look);
    let hint = meant.map_or_else(String::new, |place| {
        format!(
            ": column {} is {}, which looks the same: correct the header of the file, or copy its name into the mapping",
            place + 1,
            spelt(&header[place])
        )
    });
    let unnamed = header.len() - named.len();
    let unnamed = if unnamed == 0 { String::new() } else { format!(" and {unnamed} without a name") };
    format!("the file has no column \"{}\"; it has {}{unnamed}{hint}", shown(column), named.join(", "))
}

/// The fields of one row.
pub struct Cells<'r> {
    columns: &'r Columns<'r>,
    pub row: &'r Row,
}

impl<'r> Cells<'r> {
    /// A reject of this row because of a field.
    pub fn reject(&self, field: usize, reason: impl Into<String>) -> Reject {
        let column = self.columns.column_of(field).to_owned();
        Reject { row: self.row.line, column, reason: format!("{}: {}", self.columns.specs[field].name, reason.into()) }
    }

    pub fn mapping(&self) -> &'r Mapping {
        self.columns.mapping
    }

    /// The text of a field; None where the mapping does not fill it or the cell is blank.
    ///
    /// # Errors
    /// A reject where a required field is blank, or the cell cannot be translated; so for all readers below.
    pub fn text(&self, field: usize) -> Result<Option<Cow<'r, str>>, Reject> {
        Ok(self.value(field)?.map(|value| value.text))
    }

    fn value(&self, field: usize) -> Result<Option<Value<'r>>, Reject> {
        let value = self.raw_value(field)?;
        if value.is_none() && self.columns.specs[field].required {
            return Err(self.reject(field, BLANK));
        }
        Ok(value)
    }

    /// The value of a field; a blank is accepted even where the field is required, since another row may fill it.
    fn raw_value(&self, field: usize) -> Result<Option<Value<'r>>, Reject> {
        let Some(rule) = &self.columns.mapping.fields[field] else { return Ok(None) };
        let value = match self.columns.places[field].as_slice() {
            [] => rule.constant.as_deref().and_then(Value::ours),
            places => self.cell(field, rule, places)?,
        };
        if let Some(Value { text, .. }) = &value {
            if text.contains('\0') {
                return Err(self.reject(field, "contains a NUL character"));
            }
            if text.len() > LONGEST_TEXT && text.chars().count() > LONGEST_TEXT {
                return Err(self.reject(field, format!("is longer than {LONGEST_TEXT} characters")));
            }
        }
        Ok(value)
    }

    fn cell(&self, field: usize, rule: &'r FieldRule, places: &[usize]) -> Result<Option<Value<'r>>, Reject> {
        let (cell, is_null) = self.joined(field, rule, places)?;
        if is_null && !rule.values.as_ref().is_some_and(|values| values.contains_key(&*cell)) {
            return Ok(rule.default.as_deref().and_then(Value::ours));
        }
        let cell = match (&rule.pattern, cell) {
            (None, cell) => cell,
            (Some(pattern), Cow::Borrowed(cell)) => Cow::Borrowed(self.matched(field, pattern, cell)?),
            (Some(pattern), Cow::Owned(cell)) => Cow::Owned(self.matched(field, pattern, &cell)?.to_owned()),
        };
        let Some(values) = &rule.values else {
            return Ok(if cell.is_empty() {
                rule.default.as_deref().and_then(Value::ours)
            } else {
                Some(Value { text: cell, ours: false })
            });
        };
        match values.get(&*cell).or(rule.otherwise.as_ref()) {
            Some(word) if word.is_empty() => Ok(rule.default.as_deref().and_then(Value::ours)),
            Some(word) => Ok(Value::ours(word)),
            None => {
                let mut words: Vec<_> = values.keys().map(String::as_str).collect();
                words.sort_unstable();
                let look = looks::look(&cell);
                let hint = words
                    .iter()
                    .find(|key| looks::look(key) == look)
                    .map_or_else(String::new, |key| format!("; it looks like {} and is {}", spelt(key), spelt(&cell)));
                let words = words.join(", ");
                Err(self.reject(field, format!("\"{}\" is not in the mapping's values ({words}){hint}", shown(&cell))))
            }
        }
    }

    /// A code: a short text without control characters.
    ///
    /// # Errors
    /// A rejection of the row if the cell is no code, or is required and blank.
    pub fn code(&self, field: usize) -> Result<Option<String>, Reject> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        if text.chars().count() > LONGEST_CODE || text.chars().any(char::is_control) {
            return Err(
                self.reject(field, format!("is not a code: over {LONGEST_CODE} characters or control characters"))
            );
        }
        Ok(Some(text.into_owned()))
    }

    /// A day.
    ///
    /// # Errors
    /// A rejection of the row if the cell is no day, or is required and blank.
    pub fn date(&self, field: usize) -> Result<Option<NaiveDate>, Reject> {
        self.parsed(
            field,
            self.value(field)?,
            |rule, text| rule.dates.date(text, self.columns.mapping.timezone),
            |rules, text| rules.0.date(text, self.columns.mapping.timezone),
        )
    }

    /// A time.
    ///
    /// # Errors
    /// A rejection of the row if the cell is no time, or is required and blank.
    pub fn time(&self, field: usize) -> Result<Option<Timestamp>, Reject> {
        self.time_of(field, self.value(field)?)
    }

    /// A time; a blank is accepted even where the field is required.
    ///
    /// # Errors
    /// A rejection of the row if the cell is no time.
    pub fn time_or_blank(&self, field: usize) -> Result<Option<Timestamp>, Reject> {
        self.time_of(field, self.raw_value(field)?)
    }

    fn time_of(&self, field: usize, value: Option<Value<'_>>) -> Result<Option<Timestamp>, Reject> {
        self.parsed(
            field,
            value,
            |rule, text| rule.dates.time(text, self.columns.mapping.timezone),
            |rules, text| rules.0.time(text, self.columns.mapping.timezone),
        )
    }

    /// Whether the cell of a field gives a month without a day.
    pub fn is_by_month(&self, field: usize) -> bool {
        let Some(rule) = self.columns.mapping.fields[field].as_ref().filter(|rule| rule.dates.may_be_by_month()) else {
            return false;
        };
        let value = self.value(field).ok().flatten();
        value.is_some_and(|value| !value.ours && rule.dates.is_by_month(value.text.trim()))
    }

    /// A whole number.
    ///
    /// # Errors
    /// A rejection of the row if the cell is no whole number, or is required and blank.
    pub fn integer(&self, field: usize) -> Result<Option<i64>, Reject> {
        let value = self.value(field)?;
        self.parsed(field, value, |rule, text| rule.numbers.integer(text), |rules, text| rules.1.integer(text))
    }

    /// A number that is not negative.
    ///
    /// # Errors
    /// A rejection of the row if the cell is no number or a negative one, or is required and blank.
    pub fn amount(&self, field: usize) -> Result<Option<f64>, Reject> {
        let value = self.value(field)?;
        let number =
            self.parsed(field, value, |rule, text| rule.numbers.decimal(text), |rules, text| rules.1.decimal(text))?;
        match number {
            Some(number) if number < 0.0 => Err(self.reject(field, format!("{number} is negative"))),
            number => Ok(number),
        }
    }

    /// A whole number that is not negative.
    ///
    /// # Errors
    /// A rejection of the row if the cell is no whole number or a negative one, or is required and blank.
    pub fn count(&self, field: usize) -> Result<Option<i64>, Reject> {
        match self.integer(field)? {
            Some(number) if number < 0 => Err(self.reject(field, format!("{number} is negative"))),
            number => Ok(number),
        }
    }

    /// A yes or no.
    ///
    /// # Errors
    /// A rejection of the row if the cell is neither, or is required and blank.
    pub fn truth(&self, field: usize) -> Result<Option<bool>, Reject> {
        self.read(field, parse_bool)
    }

    /// A word of a vocabulary.
    ///
    /// # Errors
    /// A rejection of the row if the cell is no word of it, or is required and blank.
    pub fn word<E: FromStr<Err = crate::enums::UnknownWord>>(&self, field: usize) -> Result<Option<E>, Reject> {
        self.read(field, |text| text.parse::<E>().map_err(|e| format!("{e}: translate it with `values`")))
    }

    /// A tax code.
    ///
    /// # Errors
    /// A rejection of the row if the cell is no tax code, or is required and blank.
    pub fn tax_code(&self, field: usize) -> Result<Option<String>, Reject> {
        self.read(field, |text| tax_code::parse(text).map_err(|e| e.to_string()))
    }

    /// The number of a declaration.
    ///
    /// # Errors
    /// A rejection of the row if the cell is no declaration number, or is required and blank.
    pub fn declaration_number(&self, field: usize) -> Result<Option<String>, Reject> {
        self.read(field, |text| declaration::parse(text).map_err(|e| e.to_string()))
    }

    /// The columns that the mapping keeps verbatim, without blank ones.
    pub fn kept(&self) -> Option<JsonValue> {
        let kept: serde_json::Map<_, _> = self
            .columns
            .keep
            .iter()
            .filter_map(|(name, place)| {
                let cell = self.row.record.get(*place).filter(|cell| !cell.is_empty())?;
                Some((name.clone(), cell.replace('\0', "\u{fffd}").into()))
            })
            .collect();
        if kept.is_empty() { None } else { Some(JsonValue(kept.into())) }
    }

    fn read<T>(&self, field: usize, parse: impl FnOnce(&str) -> Result<T, String>) -> Result<Option<T>, Reject> {
        let Some(value) = self.value(field)? else { return Ok(None) };
        parse(value.text.trim()).map(Some).map_err(|reason| self.reject(field, reason))
    }

    /// Parses a value in the notation of the file, or in that of the mapping where the mapping itself gave the value.
    fn parsed<T>(
        &self,
        field: usize,
        value: Option<Value<'_>>,
        theirs: impl FnOnce(&FieldRule, &str) -> Result<T, String>,
        ours: impl FnOnce(&OwnRules, &str) -> Result<T, String>,
    ) -> Result<Option<T>, Reject> {
        let (Some(value), Some(rule)) = (value, &self.columns.mapping.fields[field]) else {
            return Ok(None);
        };
        let text = value.text.trim();
        let read = if value.ours { ours(&self.columns.own, text) } else { theirs(rule, text) };
        read.map(Some).map_err(|reason| self.reject(field, reason))
    }
}

/// A value, and whether the mapping itself gave it (`ours`) or the file.
#[derive(Debug, Clone)]
struct Value<'r> {
    text: Cow<'r, str>,
    ours: bool,
}

impl<'r> Value<'r> {
    fn ours(text: &'r str) -> Option<Self> {
        (!text.is_empty()).then_some(Self { text: Cow::Borrowed(text), ours: true })
    }
}
