//! The hashes of a row's state: of canonical JSON, so that both databases give the same.

use crate::db::StoreError;
use crate::events::Fields;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The hash of a row as it stands.
pub fn row_hash(salt: &[u8], fields: &Fields) -> Result<[u8; 32], StoreError> {
    let mut hasher = salted(salt);
    hasher.update(canonical(fields)?);
    Ok(hasher.finalize().into())
}

/// A short hash of each column: it says which column differs where the hash of the row does.
pub fn column_hashes(salt: &[u8], fields: &Fields) -> Result<Fields, StoreError> {
    fields
        .iter()
        .map(|(column, value)| {
            let mut hasher = salted(salt);
            hasher.update(column);
            hasher.update([0]);
            hasher.update(canonical(value)?);
            Ok((column.clone(), Value::String(data_encoding::HEXLOWER.encode(&hasher.finalize()[..4]))))
        })
        .collect()
}

/// The length first: what is salt is not taken for a part of the row.
fn salted(salt: &[u8]) -> Sha256 {
    let mut hasher = Sha256::new();
    hasher.update((salt.len() as u64).to_be_bytes());
    hasher.update(salt);
    hasher
}

fn canonical(value: &impl serde::Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json_canonicalizer::to_vec(value).map_err(|e| StoreError::Rule(e.to_string()))
}
