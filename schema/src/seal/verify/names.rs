//! The names of rows in reports: codes, references and other names that people use.

use crate::db::readable::Readable;
use crate::db::{Conn, StoreError};
use crate::events::{Entity, Fields};
use crate::sql_types::Id;
use crate::tables::{flags, officers, principals, units};
use diesel::prelude::*;
use serde_json::Value;

/// The text of a field; empty if it is absent.
pub fn text(fields: &Fields, field: &str) -> String {
    match fields.get(field) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The texts of fields, joined by spaces.
pub fn joined(fields: &Fields, names: &[&str]) -> String {
    let parts: Vec<String> = names.iter().map(|name| text(fields, name)).filter(|part| !part.is_empty()).collect();
    parts.join(" ")
}

/// The code of a unit or an officer; its id if the row is missing or unreadable.
///
/// # Errors
/// If the database fails.
pub fn code_of(conn: &mut Conn, entity: Entity, id: Option<&Value>) -> Result<String, StoreError> {
    let Some(text) = id.and_then(Value::as_str) else { return Ok(String::new()) };
    let Ok(id) = text.parse::<Id>() else { return Ok(text.to_owned()) };
    let code: Option<Readable<String>> = match entity {
        Entity::Officer => officers::table.find(id).select(officers::code).first(conn).optional()?,
        _ => units::table.find(id).select(units::code).first(conn).optional()?,
    };
    Ok(code.and_then(|code| code.0.ok()).unwrap_or_else(|| text.to_owned()))
}

/// The name of a principal.
///
/// # Errors
/// If the database fails.
pub fn principal(conn: &mut Conn, id: Option<&Value>) -> Result<String, StoreError> {
    let Some(text) = id.and_then(Value::as_str) else { return Ok(String::new()) };
    let Ok(id) = text.parse::<Id>() else { return Ok(text.to_owned()) };
    let name: Option<Readable<String>> = principals::table.find(id).select(principals::name).first(conn).optional()?;
    Ok(name.and_then(|name| name.0.ok()).unwrap_or_else(|| text.to_owned()))
}

/// The code of the subject of a flag.
///
/// # Errors
/// If the database fails.
pub fn flagged(conn: &mut Conn, id: &str) -> Result<String, StoreError> {
    let Ok(flag) = id.parse::<Id>() else { return Ok(id.to_owned()) };
    let found: Option<Readable<(Option<Id>, Option<Id>)>> =
        flags::table.find(flag).select((flags::officer_id, flags::unit_id)).first(conn).optional()?;
    match found.and_then(|found| found.0.ok()) {
        Some((Some(officer), _)) => code_of(conn, Entity::Officer, Some(&officer.to_string().into())),
        Some((None, Some(unit))) => code_of(conn, Entity::Unit, Some(&unit.to_string().into())),
        _ => Ok(id.to_owned()),
    }
}
