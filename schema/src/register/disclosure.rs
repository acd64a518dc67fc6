//! The secret from which the noise of disclosed aggregates is derived.
//!
//! It must not change: averages over redrawn noise would reveal the exact numbers. Nodes with a key file derive it from
//! the oldest key; without one it is drawn once and stored in `register_info`, readable only with access to the
//! database.

use crate::db::{Db, StoreError};
use crate::each;
use crate::keys::Keys;
use crate::models::RegisterInfo;
use crate::sql_types::JsonValue;
use crate::states::StateTable;
use crate::tables::register_info;
use data_encoding::BASE64;
use diesel::prelude::*;
use serde_json::Value;

const KEY: &str = "disclosure-secret";

/// Returns the secret; draws and stores it if there is neither a key file nor a stored secret.
///
/// # Errors
/// If the register cannot be read or written, or the stored secret is malformed.
pub fn secret(db: &Db, keys: Option<&Keys>) -> Result<[u8; 32], StoreError> {
    if let Some(secret) = keys.and_then(|keys| keys.code(keys.first_version(), "disclosure", &[])) {
        return Ok(secret);
    }
    let kept = |conn: &mut crate::Conn| -> Result<Option<JsonValue>, StoreError> {
        Ok(register_info::table.find(KEY).select(register_info::value).first(conn).optional()?)
    };
    let value = match db.read(kept)? {
        Some(value) => value,
        None => {
            let written = db.write("disclosure", |tx| {
                // Another node may have stored one since the read.
                if let Some(value) = kept(tx.conn)? {
                    return Ok(value);
                }
                let value = JsonValue(Value::String(BASE64.encode(&rand::random::<[u8; 32]>())));
                let row = RegisterInfo { key: KEY.to_owned(), value: value.clone() };
                each!(&mut *tx.conn, c => diesel::insert_into(register_info::table).values(&row).execute(c)?);
                tx.record_state(StateTable::RegisterInfo, KEY);
                Ok(value)
            });
            written?.value
        }
    };
    let bytes = value.0.as_str().and_then(|text| BASE64.decode(text.as_bytes()).ok());
    let secret = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    secret.ok_or_else(|| StoreError::Rule(format!("{KEY} in register_info is not 32 bytes in base64")))
}
