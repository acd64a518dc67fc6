//! Files of exports that are kept for some minutes: a reader of Parquet asks for the end of a file, then for parts of
//! it, and all of these must be parts of one file.

use super::asked::Asked;
use crate::access::Viewer;
use crate::export::{About, Content, Form, Subject};
use schema::Id;
use schema::enums::Role;
use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a file is kept.
pub const KEEP: Duration = Duration::from_secs(600);
/// Files that are kept at most, of all tokens and of one.
const MOST: usize = 16;
const MOST_OF_A_TOKEN: usize = 4;
/// Their bytes together.
const MOST_BYTES: u64 = 2 << 30;

/// Who asked for what: only the same token with the same rights gets a file again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    token: Id,
    role: Role,
    unit: Option<Id>,
    officer: Option<Id>,
    key_version: u32,
    subject: Subject,
    form: Form,
    references: bool,
    query: String,
}

impl Key {
    pub fn of(viewer: &Viewer, key_version: u32, asked: &Asked) -> Self {
        Self {
            token: viewer.token_id,
            role: viewer.role,
            unit: viewer.unit_id,
            officer: viewer.officer_id,
            key_version,
            subject: asked.subject,
            form: asked.form,
            references: asked.references,
            query: asked.query.to_string(),
        }
    }
}

/// A complete file. It has no name: the system frees it when nobody holds it.
#[derive(Debug)]
pub struct Kept {
    pub file: Arc<File>,
    pub content: Content,
    pub rows: u64,
    pub about: About,
    /// Names this file alone.
    pub tag: String,
    pub made: Instant,
}

/// The files that are kept, the oldest first.
#[derive(Debug, Default)]
pub struct KeptExports(Mutex<Vec<(Key, Arc<Kept>)>>);

impl KeptExports {
    fn locked(&self) -> MutexGuard<'_, Vec<(Key, Arc<Kept>)>> {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        files.retain(|(_, kept)| kept.made.elapsed() < KEEP);
        files
    }

    /// Drops the files whose time is over.
    pub fn purge(&self) {
        drop(self.locked());
    }

    /// Keeps a file, and drops older ones where there are too many.
    pub fn keep(&self, key: Key, kept: Arc<Kept>) {
        let mut files = self.locked();
        let token = key.token;
        files.push((key, kept));
        while files.iter().filter(|(key, _)| key.token == token).count() > MOST_OF_A_TOKEN {
            let Some(oldest) = files.iter().position(|(key, _)| key.token == token) else { break };
            files.remove(oldest);
        }
        let bytes = |files: &[(Key, Arc<Kept>)]| files.iter().map(|(_, kept)| kept.content.bytes).sum::<u64>();
        while !files.is_empty() && (files.len() > MOST || bytes(&files) > MOST_BYTES) {
            files.remove(0);
        }
    }

    /// The newest file of a question.
    pub fn newest(&self, key: &Key) -> Option<Arc<Kept>> {
        self.locked().iter().rev().find(|(of, _)| of == key).map(|(_, kept)| Arc::clone(kept))
    }

    /// The file of a question with one of some tags.
    pub fn tagged(&self, key: &Key, tags: &[String]) -> Option<Arc<Kept>> {
        let files = self.locked();
        files.iter().rev().find(|(of, kept)| of == key && tags.contains(&kept.tag)).map(|(_, kept)| Arc::clone(kept))
    }
}
