//! Rows that may hold unreadable values: one such row does not fail the query that loads it.

use super::{MultiBackend, StoreError, for_each_width};
use crate::sql_types::{Document, Id, JsonValue, Timestamp, Uid, UtcMicros};
use chrono::NaiveDate;
use diesel::QueryResult;
use diesel::deserialize::{self, FromSqlRow};
use diesel::result::DeserializeFieldError;
use diesel::row::{Field, Row};
use diesel::sql_types::{BigInt, Date, Integer, Text};

/// A row, or why it cannot be read.
#[derive(Debug, Clone)]
pub struct Readable<T>(pub Result<T, Unreadable>);

/// A row with a value that the program cannot have written.
#[derive(Debug, Clone)]
pub struct Unreadable {
    /// The readable columns, as text.
    fields: Vec<(String, String)>,
    /// The first unreadable column; None if the database does not name it.
    pub column: Option<String>,
    pub message: String,
}

/// The id of the last of `rows` rows, or the nearest readable id before it; None if there are fewer rows.
///
/// # Errors
/// The errors of `at`.
pub fn nth_readable(
    rows: i64,
    mut at: impl FnMut(i64) -> QueryResult<Option<Readable<Id>>>,
) -> Result<Option<Id>, StoreError> {
    for offset in (0..rows).rev() {
        match at(offset)? {
            None => return Ok(None),
            Some(Readable(Ok(id))) => return Ok(Some(id)),
            Some(Readable(Err(_))) => {}
        }
    }
    Ok(None)
}

/// The columns of a model. `as_select` would require the model itself as the result.
macro_rules! columns_of {
    ($model:ty) => {
        <$model as diesel::Selectable<$crate::db::MultiBackend>>::construct_selection()
    };
}
pub(crate) use columns_of;

macro_rules! readable_row {
    ($($sql:ident)+) => {
        impl<T, $($sql),+> FromSqlRow<($($sql,)+), MultiBackend> for Readable<T>
        where
            T: FromSqlRow<($($sql,)+), MultiBackend>,
        {
            fn build_from_row<'a>(row: &impl Row<'a, MultiBackend>) -> deserialize::Result<Self> {
                Ok(Self::of(T::build_from_row(row), row))
            }
        }
    };
}

// One implementation per number of columns: the coherence rules forbid a generic one.
for_each_width!(readable_row);

macro_rules! readable_value {
    ($($sql:ty => $value:ty),+) => {
        $(impl FromSqlRow<$sql, MultiBackend> for Readable<$value> {
            fn build_from_row<'a>(row: &impl Row<'a, MultiBackend>) -> deserialize::Result<Self> {
                Ok(Self::of(FromSqlRow::<$sql, MultiBackend>::build_from_row(row), row))
            }
        })+
    };
}

readable_value!(Uid => Id, Text => String, UtcMicros => Timestamp, Document => JsonValue);

impl<T> Readable<T> {
    fn of<'a>(read: deserialize::Result<T>, row: &impl Row<'a, MultiBackend>) -> Self {
        Self(read.map_err(|error| Unreadable::of(row, error.as_ref())))
    }
}

impl Unreadable {
    fn of<'a>(row: &impl Row<'a, MultiBackend>, error: &(dyn std::error::Error + Send + Sync + 'static)) -> Self {
        let of_field = error.downcast_ref::<DeserializeFieldError>();
        let column = of_field.and_then(|error| error.field_name.clone());
        let message = of_field.map_or_else(|| error.to_string(), |error| error.error.to_string());
        let fields = (0..row.field_count()).filter_map(|at| {
            let name = row.get(at)?.field_name()?.to_owned();
            let text = text_of(row, at, &name)?;
            Some((name, text))
        });
        Self { fields: fields.collect(), column, message }
    }

    /// The text of a readable column.
    pub fn text(&self, column: &str) -> Option<&str> {
        let readable = self.column.as_deref() != Some(column);
        self.fields.iter().find(|(name, _)| readable && name == column).map(|(_, text)| text.as_str())
    }

    /// The values of columns, joined by spaces; None if one of them is unreadable.
    pub fn key(&self, columns: &[&str]) -> Option<String> {
        let values: Option<Vec<&str>> = columns.iter().map(|column| self.text(column)).collect();
        values.map(|values| values.join(" "))
    }

    /// The id that a column holds.
    pub fn id(&self, column: &str) -> Option<Id> {
        self.text(column)?.parse().ok()
    }

    /// The number that a column holds.
    pub fn number(&self, column: &str) -> Option<i64> {
        self.text(column)?.parse().ok()
    }
}

/// PostgreSQL sends numbers and days as bytes that could also be text, so the name of a key column decides.
fn text_of<'a>(row: &impl Row<'a, MultiBackend>, at: usize, name: &str) -> Option<String> {
    let text = || row.get_value::<Text, String, _>(at).ok();
    match name {
        "position" | "number" => Some(row.get_value::<BigInt, i64, _>(at).ok()?.to_string()),
        "ordinal" | "level" | "revision" | "round" => Some(row.get_value::<Integer, i32, _>(at).ok()?.to_string()),
        "valid_from" => Some(row.get_value::<Date, NaiveDate, _>(at).ok()?.to_string()),
        _ if name == "id" || name.ends_with("_id") => {
            let id = row.get_value::<Uid, Id, _>(at).ok().map(|id| id.to_string());
            id.or_else(text)
        }
        _ => text(),
    }
}
