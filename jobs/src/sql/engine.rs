//! Executes a query with polars, in the worker's process.

use super::TABLES;
use super::check::{SqlError, check};
use chrono::{DateTime, NaiveTime};
use polars::prelude::*;
use polars::sql::SQLContext;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The result of a query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    pub columns: Vec<ColumnType>,
    /// The values of each row, in the order of the columns.
    pub rows: Vec<Vec<Value>>,
    /// Whether the result has more rows than the limit.
    pub truncated: bool,
}

impl Answer {
    /// The rows as objects keyed by column name.
    pub fn objects(&self) -> Vec<serde_json::Map<String, Value>> {
        let names = || self.columns.iter().map(|column| column.name.clone());
        self.rows.iter().map(|row| names().zip(row.iter().cloned()).collect()).collect()
    }
}

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnType {
    pub name: String,
    /// The polars type: `str`, `i64`, `f64`, `bool`, `date`, …
    #[serde(rename = "type")]
    pub of: String,
}

/// Executes a query over `tables`; returns at most `most` rows.
///
/// # Errors
/// When `check` refuses the query, or the engine does.
pub fn answer(tables: Vec<(String, DataFrame)>, sql: &str, most: u32) -> Result<Answer, SqlError> {
    // Checks here, too, because the engine itself could read files.
    check(sql)?;
    let wrong = |e: PolarsError| {
        let message = e.to_string();
        // The engine lists only the columns that the query loaded: list all instead.
        match message.split_once("; valid columns") {
            Some((what, _)) => {
                let all = TABLES.map(|(table, columns)| format!("{table} ({})", columns.join(", "))).join(", ");
                SqlError(format!("{what}; there are {all}"))
            }
            None => SqlError(message),
        }
    };
    let mut context = SQLContext::new();
    for (name, table) in tables {
        context.register(&name, table.lazy());
    }
    let frame = context.execute(sql).map_err(wrong)?.limit(most.saturating_add(1)).collect().map_err(wrong)?;
    let truncated = frame.height() > most as usize;
    let frame = frame.head(Some(most as usize));
    let columns = frame
        .columns()
        .iter()
        .map(|column| ColumnType { name: column.name().to_string(), of: column.dtype().to_string() })
        .collect();
    let mut rows: Vec<Vec<Value>> = (0..frame.height()).map(|_| Vec::with_capacity(frame.width())).collect();
    for column in frame.columns() {
        let series = column.as_materialized_series();
        for (row, value) in rows.iter_mut().zip(series.iter()) {
            row.push(json_of(&value));
        }
    }
    Ok(Answer { columns, rows, truncated })
}

/// A value as JSON; NaN and infinity become null.
fn json_of(value: &AnyValue<'_>) -> Value {
    match value {
        AnyValue::Null => Value::Null,
        AnyValue::Boolean(one) => json!(one),
        AnyValue::String(text) => json!(text),
        AnyValue::StringOwned(text) => json!(text.as_str()),
        AnyValue::UInt8(n) => json!(n),
        AnyValue::UInt16(n) => json!(n),
        AnyValue::UInt32(n) => json!(n),
        AnyValue::UInt64(n) => json!(n),
        AnyValue::Int8(n) => json!(n),
        AnyValue::Int16(n) => json!(n),
        AnyValue::Int32(n) => json!(n),
        AnyValue::Int64(n) => json!(n),
        AnyValue::Float32(n) => json!(n),
        AnyValue::Float64(n) => json!(n),
        AnyValue::Date(days) => {
            let day = chrono::NaiveDate::default().checked_add_signed(chrono::TimeDelta::days(i64::from(*days)));
            json!(day)
        }
        AnyValue::Datetime(at, unit, _) => json!(moment(*at, *unit)),
        AnyValue::DatetimeOwned(at, unit, _) => json!(moment(*at, *unit)),
        AnyValue::Time(nanos) => {
            let seconds = u32::try_from(nanos / 1_000_000_000).unwrap_or(0);
            let nanos = u32::try_from(nanos % 1_000_000_000).unwrap_or(0);
            json!(NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanos))
        }
        AnyValue::List(series) => series.iter().map(|one| json_of(&one)).collect(),
        // Decimals, durations and all other types as the engine formats them.
        other => json!(other.to_string()),
    }
}

fn moment(at: i64, unit: TimeUnit) -> Option<String> {
    let at = match unit {
        TimeUnit::Nanoseconds => Some(DateTime::from_timestamp_nanos(at)),
        TimeUnit::Microseconds => DateTime::from_timestamp_micros(at),
        TimeUnit::Milliseconds => DateTime::from_timestamp_millis(at),
    };
    at.map(|at| at.to_rfc3339())
}
