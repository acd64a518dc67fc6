//! Document caches of a node: texts by hash for automatic persisted queries (a client sends the hash, and the text
//! only if the node does not know it), parsed documents, operations found valid, and those that a role may run. Nodes do
//! not share the caches.

use super::document_size::Size;
use super::protocol::PersistedQuery;
use crate::access::{AuditedAccess, Expansion, ExpansionError, Weight};
use crate::graphql::error::Code;
use async_graphql::parser::types::ExecutableDocument;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use schema::enums::Role;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The caches.
#[derive(Clone)]
pub struct Persisted {
    valid: Cache<Validity, ()>,
    allowed: Cache<(Validity, Role), Arc<Allowed>>,
    by_hash: Cache<String, Arc<str>>,
    parsed: Cache<String, Arc<Parsed>>,
}

/// The result of the check of an operation that a role may run. It depends on the words, the role and its limits alone.
pub struct Allowed {
    pub weight: Weight,
    pub audited_access: AuditedAccess,
}

/// A parsed document with its size.
pub struct Parsed {
    pub document: ExecutableDocument,
    pub size: Size,
    pub expansion: Result<Expansion, ExpansionError>,
    /// See [`crate::graphql::context::RequestContext::selects_each_field_once`].
    pub selects_each_field_once: bool,
    /// Whether it consists of queries whose answers may be kept ([`crate::graphql::COMPLAINT_LISTS`]).
    pub selects_lists_only: bool,
    /// Whether a query of it selects a list of complaints at the root.
    pub selects_a_list: bool,
}

/// A hash of everything that the validity of an operation depends on.
pub type Validity = [u8; 32];

pub fn validity(
    text: &str,
    operation: Option<&str>,
    variables: &serde_json::Map<String, serde_json::Value>,
) -> Validity {
    let others = serde_json::to_vec(&(operation, variables)).unwrap_or_default();
    // The length prefix separates the parts: two different inputs cannot concatenate to the same bytes.
    let length = (text.len() as u64).to_le_bytes();
    Sha256::new().chain_update(length).chain_update(text).chain_update(others).finalize().into()
}

/// Operations remembered as valid.
const VALID: u64 = 50_000;

/// Operations remembered as allowed.
const ALLOWED: u64 = 10_000;

/// Memory of each document cache, in bytes.
const MEMORY: u64 = 16 * 1024 * 1024;

impl Persisted {
    pub fn new() -> Self {
        let weigh = |_: &String, text: &Arc<str>| u32::try_from(text.len() + 64).unwrap_or(u32::MAX);
        // A parsed document takes many times the memory of its text.
        let weigh_parsed = |text: &String, _: &Arc<Parsed>| u32::try_from(text.len() * 16 + 256).unwrap_or(u32::MAX);
        Self {
            // LRU: a repeated operation usually repeats soon.
            valid: Cache::builder().max_capacity(VALID).eviction_policy(EvictionPolicy::lru()).build(),
            allowed: Cache::builder().max_capacity(ALLOWED).eviction_policy(EvictionPolicy::lru()).build(),
            by_hash: Cache::builder().max_capacity(MEMORY).weigher(weigh).build(),
            parsed: Cache::builder().max_capacity(MEMORY).weigher(weigh_parsed).build(),
        }
    }

    /// A parsed document from the cache.
    pub fn cached(&self, text: &str) -> Option<Arc<Parsed>> {
        self.parsed.get(text)
    }

    /// Caches a parsed document.
    pub fn remember(&self, text: &str, parsed: &Arc<Parsed>) {
        self.parsed.insert(text.to_owned(), Arc::clone(parsed));
    }

    /// Whether the operation was found valid before.
    pub fn is_valid(&self, of: &Validity) -> bool {
        self.valid.get(of).is_some()
    }

    pub fn found_valid(&self, of: Validity) {
        self.valid.insert(of, ());
    }

    /// The result of an earlier check of the operation, if the role may run it.
    pub fn allowed(&self, of: Validity, role: Role) -> Option<Arc<Allowed>> {
        self.allowed.get(&(of, role))
    }

    /// Remembers that a role may run the operation. Conditions that name a person may be long, so that operations with
    /// any are checked each time.
    pub fn found_allowed(&self, of: Validity, role: Role, weight: Weight, audited_access: &AuditedAccess) {
        if audited_access.conditions.is_empty() {
            let audited_access = audited_access.clone();
            self.allowed.insert((of, role), Arc::new(Allowed { weight, audited_access }));
        }
    }

    /// The document of a request, from its text or its hash.
    ///
    /// # Errors
    /// If there is neither, the hash is unknown, or it does not match the text.
    pub fn text(&self, query: Option<String>, given: Option<&PersistedQuery>) -> Result<String, (Code, String)> {
        let Some(given) = given else {
            return query
                .filter(|query| !query.trim().is_empty())
                .ok_or((Code::BadUserInput, "the request has no `query`".into()));
        };
        if given.version != 1 {
            return Err((Code::BadUserInput, format!("persisted queries have version 1, not {}", given.version)));
        }
        let hash = given.sha256_hash.to_ascii_lowercase();
        match query.filter(|query| !query.is_empty()) {
            Some(query) => {
                if data_encoding::HEXLOWER.encode(&Sha256::digest(query.as_bytes())) != hash {
                    return Err((Code::BadUserInput, "the hash of the persisted query does not match its text".into()));
                }
                self.by_hash.insert(hash, query.as_str().into());
                Ok(query)
            }
            // Clients compare this message.
            None => match self.by_hash.get(&hash) {
                Some(query) => Ok(query.to_string()),
                None => Err((Code::PersistedQueryNotFound, "PersistedQueryNotFound".into())),
            },
        }
    }
}
