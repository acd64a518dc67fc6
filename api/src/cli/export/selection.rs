//! What the options of the command `export` select.

use super::Args;
use crate::access::within;
use crate::cli::no_unit;
use crate::graphql::ComplaintFilter;
use crate::graphql::filter::{Filter, ReferenceData, both};
use crate::http::parsed_json;
use anyhow::Context;
use chrono::{Days, NaiveDate};
use jobs::snapshot::Reference;
use schema::domain::calendar::start_of_day;
use schema::queries::{Pred, received_between};
use schema::tables::complaints;
use schema::{Conn, StoreError};
use serde_json::{Map, Value, json};
use std::fs::read_to_string;
use std::sync::Arc;

/// The text of an option with JSON, or of the file that follows its `@`.
///
/// # Errors
/// If the file cannot be read.
pub fn text_of(option: &str, given: Option<&str>) -> anyhow::Result<Option<String>> {
    let Some(given) = given else { return Ok(None) };
    match given.strip_prefix('@') {
        Some(file) => Ok(Some(read_to_string(file).with_context(|| format!("{option}: cannot read {file}"))?)),
        None => Ok(Some(given.to_owned())),
    }
}

/// The filter of `--filter` as JSON; null without one.
///
/// # Errors
/// If it is not JSON, or its file cannot be read.
pub fn given_filter(args: &Args) -> anyhow::Result<Value> {
    let text = text_of("--filter", args.filter.as_deref())?;
    parsed_json("--filter", text.as_deref()).map_err(|(_, _, message)| anyhow::Error::msg(message))
}

/// The options that select complaints, as the description of a file shows them; null for all complaints. `filter` is
/// that of `--filter`.
pub fn description(args: &Args, filter: Value) -> Value {
    let day = |day: NaiveDate| Value::from(day.to_string());
    object([
        ("from", args.from.map(day)),
        ("until", args.until.map(day)),
        ("unit", args.unit.clone().map(Value::from)),
        ("filter", Some(filter).filter(|filter| !filter.is_null())),
    ])
    .map_or(Value::Null, Value::Object)
}

/// The filter of a statistic: `filter` is that of `--filter`, and the conditions of the other options join it.
pub fn of_statistics(args: &Args, filter: Value) -> Value {
    let begin = |day: NaiveDate| Value::from(start_of_day(day).utc().to_rfc3339());
    let own = object([
        ("receivedFrom", args.from.map(begin)),
        ("receivedBefore", args.until.map(|day| begin(day + Days::new(1)))),
        ("unitWithin", args.unit.clone().map(Value::from)),
    ]);
    let Some(mut own) = own else { return filter };
    match filter {
        Value::Null => Value::Object(own),
        // In one object, so that `fill` knows the period of either.
        Value::Object(mut fields) if !own.keys().any(|name| fields.contains_key(name)) => {
            fields.extend(own);
            Value::Object(fields)
        }
        Value::Object(fields) => {
            own.insert("and".to_owned(), json!([fields]));
            Value::Object(own)
        }
        // It is no filter, and is refused as such.
        other => other,
    }
}

/// An object of the values that are given; None if there are none.
fn object<const N: usize>(values: [(&str, Option<Value>); N]) -> Option<Map<String, Value>> {
    let given = values.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let given: Map<String, Value> = given.collect();
    (!given.is_empty()).then_some(given)
}

/// The condition for the complaints that the options select.
///
/// # Errors
/// If there is no such unit, or the database fails.
pub fn condition(
    conn: &mut Conn,
    args: &Args,
    filter: Option<ComplaintFilter>,
) -> anyhow::Result<impl Fn() -> Result<Option<Pred<complaints::table>>, StoreError> + use<>> {
    let reference: ReferenceData = Arc::new(Reference::load(conn)?);
    let unit = match &args.unit {
        None => None,
        Some(code) => {
            let unit = reference.unit_by_code(code).with_context(|| no_unit(code))?.id;
            let below: Vec<_> = reference.tree.descendants_without_stored_ancestor(unit);
            Some((unit, reference.tree.kind(unit), below))
        }
    };
    let from = args.from.map(start_of_day);
    let until = args.until.map(|day| start_of_day(day + Days::new(1)));
    Ok(move || {
        let of_unit = unit.clone().map(|(unit, kind, below)| within(unit, kind, below));
        let of_options = both!(received_between(from, until), of_unit);
        filter.condition(&reference).map(|of_filter| both!(of_options, of_filter))
    })
}
