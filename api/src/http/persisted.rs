//! Documents that a node remembers: by their hash, for automatic persisted queries (a client sends the hash of a
//! document, and its text only where the node does not know it), and as they were parsed. Each node learns for
//! itself; the oldest are forgotten.

use super::document_size::Size;
use super::protocol::PersistedQuery;
use crate::access::{Expansion, ExpansionError};
use crate::graphql::error::Code;
use async_graphql_parser::types::ExecutableDocument;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The documents that a node knows.
#[derive(Clone)]
pub struct Persisted {
    valid: Cache<Validity, ()>,
    by_hash: Cache<String, Arc<str>>,
    parsed: Cache<String, Arc<Parsed>>,
}

/// A document, and how large it is.
pub struct Parsed {
    pub document: ExecutableDocument,
    pub size: Size,
    pub expansion: Result<Expansion, ExpansionError>,
}

/// All that it depends on whether an operation is valid.
pub type Validity = [u8; 32];

pub fn validity(
    text: &str,
    operation: Option<&str>,
    variables: &serde_json::Map<String, serde_json::Value>,
) -> Validity {
    let others = serde_json::to_vec(&(operation, variables)).unwrap_or_default();
    // Neither part can be taken for a piece of the other.
    let length = (text.len() as u64).to_le_bytes();
    Sha256::new().chain_update(length).chain_update(text).chain_update(others).finalize().into()
}

/// How many operations are remembered that were found valid.
const VALID: u64 = 50_000;

/// Bytes of all documents that are kept.
const MEMORY: u64 = 16 * 1024 * 1024;

impl Persisted {
    pub fn new() -> Self {
        let weigh = |_: &String, text: &Arc<str>| u32::try_from(text.len() + 64).unwrap_or(u32::MAX);
        // A parsed document is many times its text.
        let weigh_parsed = |text: &String, _: &Arc<Parsed>| u32::try_from(text.len() * 16 + 256).unwrap_or(u32::MAX);
        Self {
            // The latest: what is asked again and again is asked soon again.
            valid: Cache::builder().max_capacity(VALID).eviction_policy(EvictionPolicy::lru()).build(),
            by_hash: Cache::builder().max_capacity(MEMORY).weigher(weigh).build(),
            parsed: Cache::builder().max_capacity(MEMORY).weigher(weigh_parsed).build(),
        }
    }

    /// A document that was parsed before.
    pub fn known(&self, text: &str) -> Option<Arc<Parsed>> {
        self.parsed.get(text)
    }

    /// Remembers how a document was parsed.
    pub fn remember(&self, text: &str, parsed: &Arc<Parsed>) {
        self.parsed.insert(text.to_owned(), Arc::clone(parsed));
    }

    /// Whether an operation was found valid.
    pub fn is_valid(&self, of: &Validity) -> bool {
        self.valid.get(of).is_some()
    }

    pub fn found_valid(&self, of: Validity) {
        self.valid.insert(of, ());
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
                self.by_hash.insert(hash, query.as_str().into());
                Ok(query)
            }
            // The message, too, is what clients look for.
            None => match self.by_hash.get(&hash) {
                Some(query) => Ok(query.to_string()),
                None => Err((Code::PersistedQueryNotFound, "PersistedQueryNotFound".into())),
            },
        }
    }
}
