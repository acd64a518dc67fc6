//! The hashes of a row's state, over canonical JSON so that both databases give the same.

use crate::db::StoreError;
use crate::events::Fields;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The salted SHA-256 hash of a row.
///
/// # Errors
/// `Rule` if a value has no canonical JSON.
pub fn row_hash(salt: &[u8], fields: &Fields) -> Result<[u8; 32], StoreError> {
    let mut hasher = salted(salt);
    hasher.update(canonical_json(fields)?);
    Ok(hasher.finalize().into())
}

/// A short hash of each column, to tell which column differs if the hash of the row does.
///
/// # Errors
/// `Rule` if a value has no canonical JSON.
pub fn column_hashes(salt: &[u8], fields: &Fields) -> Result<Fields, StoreError> {
    fields
        .iter()
        .map(|(column, value)| {
            let mut hasher = salted(salt);
            hasher.update(column);
            hasher.update([0]);
            hasher.update(canonical_json(value)?);
            Ok((column.clone(), Value::String(data_encoding::HEXLOWER.encode(&hasher.finalize()[..4]))))
        })
        .collect()
}

/// Hashes the salt's length first, so that salt and row cannot be confused.
fn salted(salt: &[u8]) -> Sha256 {
    let mut hasher = Sha256::new();
    hasher.update((salt.len() as u64).to_be_bytes());
    hasher.update(salt);
    hasher
}

fn canonical_json(value: &impl serde::Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json_canonicalizer::to_vec(value).map_err(|e| StoreError::Rule(e.to_string()))
}
