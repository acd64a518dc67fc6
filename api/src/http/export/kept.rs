//! Files of exports that are kept for some minutes: a reader of Parquet asks for the end of a file, then for parts of
//! it, and all of these must be parts of one file.

use super::request::ExportRequest;
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

/// The asker and the question: only the same token with the same rights gets a file again.
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
    pub fn new(viewer: &Viewer, key_version: u32, asked: &ExportRequest) -> Self {
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

/// A complete file. It has no name: the system frees it when its last handle is closed.
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

impl Kept {
    /// Whether it can be kept. Of one that is too large, each range would be a part of a file of its own.
    pub fn can_be_kept(&self) -> bool {
        self.content.bytes <= MOST_BYTES
    }
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

    /// Keeps a file, and drops older ones where there are too many. One that is too large to be kept drives no other
    /// one out.
    pub fn keep(&self, key: Key, kept: Arc<Kept>) {
        if !kept.can_be_kept() {
            return;
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::Format;
    use chrono::NaiveDate;
    use schema::Timestamp;

    #[test]
    fn a_file_that_is_too_large_drives_no_other_one_out() {
        let key = |query: &str| Key {
            token: Id(uuid::Uuid::nil()),
            role: Role::DataTeam,
            unit: None,
            officer: None,
            key_version: 1,
            subject: Subject::Complaints,
            form: Form { format: Format::Parquet, bom: false },
            references: false,
            query: query.to_owned(),
        };
        let file = |bytes: u64| {
            let about = About {
                subject: Subject::Complaints,
                asked: serde_json::Value::Null,
                key_version: 1,
                position: 1,
                as_of: Timestamp::now(),
                day: NaiveDate::default(),
                references: false,
            };
            let content = Content { bytes, sha256: String::new() };
            let file = Arc::new(tempfile::tempfile().unwrap());
            Arc::new(Kept { file, content, rows: 1, about, tag: bytes.to_string(), made: Instant::now() })
        };
        assert!(file(MOST_BYTES).can_be_kept() && !file(MOST_BYTES + 1).can_be_kept());
        let files = KeptExports::default();
        files.keep(key("small"), file(10));
        files.keep(key("large"), file(MOST_BYTES + 1));
        assert!(files.newest(&key("small")).is_some() && files.newest(&key("large")).is_none());
        // Together they are too many bytes: the older one goes.
        files.keep(key("other"), file(MOST_BYTES));
        assert!(files.newest(&key("small")).is_none() && files.newest(&key("other")).is_some());
    }
}
