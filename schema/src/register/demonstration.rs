//! The demonstration mark: a row of `register_info` in databases that hold generated data, so that outputs can say so
//! and imports of real data are refused.

use crate::db::{Conn, StoreError, WriteTx};
use crate::each;
use crate::models::RegisterInfo;
use crate::sql_types::{Id, JsonValue};
use crate::states::StateTable;
use crate::tables::{complaints, register_info, units};
use crate::world::Parameters;
use diesel::prelude::*;
use serde_json::json;

const KEY: &str = "demonstration";

/// The parameters of the generated world; None for a register of real complaints.
///
/// # Errors
/// `Rule` if the mark does not parse.
pub fn mark(conn: &mut Conn) -> Result<Option<Parameters>, StoreError> {
    let found: Option<JsonValue> =
        register_info::table.find(KEY).select(register_info::value).first(conn).optional()?;
    found
        .map(|value| {
            serde_json::from_value(value.0)
                .map_err(|e| StoreError::Rule(format!("the demonstration mark in register_info is invalid: {e}")))
        })
        .transpose()
}

/// Guards writes of real data.
///
/// # Errors
/// `Rule` if the database holds demonstration data.
pub fn refuse(conn: &mut Conn) -> Result<(), StoreError> {
    match mark(conn)? {
        None => Ok(()),
        Some(_) => Err(StoreError::Rule(
            "the database holds demonstration data: real data goes into a database of its own (--database)".into(),
        )),
    }
}

/// Whether the database holds complaints or units.
///
/// # Errors
/// If the database cannot be read.
pub fn is_used(conn: &mut Conn) -> Result<bool, StoreError> {
    Ok(complaints::table.select(complaints::id).first::<Id>(conn).optional()?.is_some()
        || units::table.select(units::id).first::<Id>(conn).optional()?.is_some())
}

/// Marks the register as one of demonstration data.
///
/// # Errors
/// If the database cannot be written, or has the mark already.
pub(crate) fn set_mark(tx: &mut WriteTx<'_>, parameters: Parameters) -> Result<(), StoreError> {
    let row = RegisterInfo { key: KEY.to_owned(), value: JsonValue(json!(parameters)) };
    each!(&mut *tx.conn, c => diesel::insert_into(register_info::table).values(&row).execute(c)?);
    tx.record_state(StateTable::RegisterInfo, KEY);
    Ok(())
}
