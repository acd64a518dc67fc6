//! The secret that the noise of disclosed aggregates is made of.
//!
//! It has to stay the same: numbers that are perturbed anew could be averaged. So it comes from the oldest key of the key file, on
//! all nodes that have the file, or else is made once and kept in the register, where nobody but its keepers can read it.

use crate::db::{Db, StoreError};
use crate::each;
use crate::keys::Keys;
use crate::models::RegisterInfo;
use crate::sql_types::JsonValue;
use crate::states::Kept;
use crate::tables::register_info;
use data_encoding::BASE64;
use diesel::prelude::*;
use serde_json::Value;

const KEY: &str = "disclosure-secret";

/// The secret of a register.
///
/// # Errors
/// Where the register cannot be read or written, or holds no secret where one has to be.
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
                // Another node may have been first.
                if let Some(value) = kept(tx.conn)? {
                    return Ok(value);
                }
                let value = JsonValue(Value::String(BASE64.encode(&rand::random::<[u8; 32]>())));
                let row = RegisterInfo { key: KEY.to_owned(), value: value.clone() };
                each!(&mut *tx.conn, c => diesel::insert_into(register_info::table).values(&row).execute(c)?);
                tx.keep(Kept::RegisterInfo, KEY);
                Ok(value)
            });
            written?.value
        }
    };
    let bytes = value.0.as_str().and_then(|text| BASE64.decode(text.as_bytes()).ok());
    let secret = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    secret.ok_or_else(|| StoreError::Rule(format!("{KEY} in register_info is not 32 bytes in base64")))
}
