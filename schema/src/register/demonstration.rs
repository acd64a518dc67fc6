//! The mark of a database that holds an invented world: whatever is shown of it says so.

use crate::db::{Conn, StoreError, WriteTx};
use crate::each;
use crate::models::RegisterInfo;
use crate::sql_types::{Id, JsonValue};
use crate::states::Kept;
use crate::tables::{complaints, register_info, units};
use crate::world::Parameters;
use diesel::prelude::*;
use serde_json::json;

const KEY: &str = "demonstration";

/// What the world was made of; None for a register of real complaints.
pub fn mark(conn: &mut Conn) -> Result<Option<Parameters>, StoreError> {
    let found: Option<JsonValue> =
        register_info::table.find(KEY).select(register_info::value).first(conn).optional()?;
    found
        .map(|value| {
            serde_json::from_value(value.0)
                .map_err(|e| StoreError::Rule(format!("the mark of demonstration data does not read: {e}")))
        })
        .transpose()
}

/// Keeps real data out of a demonstration.
///
/// # Errors
/// Where the database holds one.
pub fn refuse(conn: &mut Conn) -> Result<(), StoreError> {
    match mark(conn)? {
        None => Ok(()),
        Some(_) => Err(StoreError::Rule(
            "the database holds demonstration data: real data goes into a database of its own (--database)".into(),
        )),
    }
}

/// Whether a database holds anything.
pub fn is_used(conn: &mut Conn) -> Result<bool, StoreError> {
    Ok(complaints::table.select(complaints::id).first::<Id>(conn).optional()?.is_some()
        || units::table.select(units::id).first::<Id>(conn).optional()?.is_some())
}

pub(crate) fn set_mark(tx: &mut WriteTx<'_>, parameters: Parameters) -> Result<(), StoreError> {
    let row = RegisterInfo { key: KEY.to_owned(), value: JsonValue(json!(parameters)) };
    each!(&mut *tx.conn, c => diesel::insert_into(register_info::table).values(&row).execute(c)?);
    tx.keep(Kept::RegisterInfo, KEY);
    Ok(())
}
