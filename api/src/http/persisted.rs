//! Automatic persisted queries: a client sends the hash of a document, and its text only where the node
//! does not know it. Each node learns for itself; the oldest are forgotten.

use super::exchange::PersistedQuery;
use crate::graphql::error::Code;
use moka::sync::Cache;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The documents that a node knows by their hash.
pub struct Persisted(Cache<String, Arc<str>>);

/// Bytes of all documents that are kept.
const MEMORY: u64 = 16 * 1024 * 1024;

impl Persisted {
    pub fn new() -> Self {
        let weigh = |_: &String, text: &Arc<str>| u32::try_from(text.len() + 64).unwrap_or(u32::MAX);
        Self(Cache::builder().max_capacity(MEMORY).weigher(weigh).build())
    }

    /// The text of a request.
    ///
    /// # Errors
    /// Where its hash is not known, or is not that of the text.
    pub fn text(&self, query: Option<String>, given: Option<&PersistedQuery>) -> Result<String, (Code, String)> {
        let Some(given) = given else {
            return query
                .filter(|query| !query.trim().is_empty())
                .ok_or((Code::BadUserInput, "the request has no `query`".into()));
        };
        if given.version != 1 {
            return Err((Code::BadUserInput, format!("persisted queries of version {} are not known", given.version)));
        }
        let hash = given.sha256_hash.to_ascii_lowercase();
        match query.filter(|query| !query.is_empty()) {
            Some(query) => {
                if data_encoding::HEXLOWER.encode(&Sha256::digest(query.as_bytes())) != hash {
                    return Err((Code::BadUserInput, "the hash of the persisted query is not that of its text".into()));
                }
                self.0.insert(hash, query.as_str().into());
                Ok(query)
            }
            // The message, too, is what clients look for.
            None => match self.0.get(&hash) {
                Some(query) => Ok(query.to_string()),
                None => Err((Code::PersistedQueryNotFound, "PersistedQueryNotFound".into())),
            },
        }
    }
}
