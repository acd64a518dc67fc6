//! Questions over the database itself: this process reads the tables and starts an engine.

use super::Args;
use super::answer::Answer;
use crate::sql::{Parameter, QueryLimits, SqlAsker, SqlQuestion, SqlService};
use anyhow::Context;
use jobs::runner::settings::Settings;
use jobs::snapshot::{SnapshotFile, SnapshotStore};
use jobs::tables::Table;
use schema::db::cancellation::{CancelToken, set_cancel_token};
use schema::keys::Keys;
use schema::models::SavedQuery;
use schema::register::{saved_query_named, saved_query_version};
use schema::{Conn, Db, StoreError};
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Largest answer, in bytes: a table or a JSON document is held in memory.
pub const LARGEST_ANSWER: u64 = 4 * 1024 * 1024 * 1024;

pub struct Register {
    db: Db,
    snapshots: Arc<SnapshotStore>,
    service: SqlService,
    asker: SqlAsker,
    /// None for a temporary key.
    key_version: Option<u32>,
    rows: u64,
    memory_mb: u32,
    time: Duration,
}

impl Register {
    pub fn open(db: Db, settings: &Settings, args: &Args) -> anyhow::Result<Self> {
        let keys = settings.keys.clone();
        let key_version = keys.as_deref().map(Keys::version);
        let keys = keys.unwrap_or_else(|| Arc::new(Keys::ephemeral()));
        let role = args.reader.role();
        let asker = SqlAsker::for_role(role, &keys).with_context(|| format!("a {role} may not ask in SQL"))?;
        // Only a server writes the file: what another user writes here, the server could not replace.
        let file = SnapshotFile::of(&db, &settings.snapshot, settings.keys.clone());
        let snapshots = Arc::new(SnapshotStore::load_kept(&db, file.as_ref())?);
        let service = SqlService::new(db.clone(), Arc::clone(&snapshots));
        Ok(Self {
            db,
            snapshots,
            service,
            asker,
            key_version,
            rows: u64::from(args.rows),
            memory_mb: args.memory_mb,
            time: Duration::from_secs(u64::from(args.seconds)),
        })
    }

    pub fn ask(&self, token: &Arc<CancelToken>, sql: &str, parameters: &[Value]) -> anyhow::Result<Answer> {
        set_cancel_token(Some(Arc::clone(token)));
        let parameters: Result<Vec<Parameter>, String> = parameters.iter().map(Parameter::of_json).collect();
        // A session sees what was written since its last question.
        self.snapshots.refresh(&self.db)?;
        let limits = QueryLimits {
            rows: self.rows,
            memory_mb: self.memory_mb,
            answer_bytes: LARGEST_ANSWER,
            deadline: Instant::now() + self.time,
            time: self.time,
        };
        let parameters = parameters.map_err(anyhow::Error::msg)?;
        let result = self.service.ask(&self.asker, SqlQuestion { text: sql.to_owned(), parameters, limits })?;
        Ok(Answer::of_register(result, self.key_version, self.rows))
    }

    /// A saved question as a version says it; None if there is none. Whoever has the database may run any.
    pub fn saved(&self, name: &str, version: Option<i32>) -> anyhow::Result<Option<SavedQuery>> {
        let found = self.db.read(|conn: &mut Conn| -> Result<Option<SavedQuery>, StoreError> {
            let Some(newest) = saved_query_named(conn, name)? else { return Ok(None) };
            match version {
                Some(version) => Ok(saved_query_version(conn, &newest, version)?.map(|of| of.of(newest))),
                None => Ok(Some(newest)),
            }
        })?;
        Ok(found)
    }

    pub fn shows(&self, table: &Table) -> bool {
        self.asker.reader.board || !table.board_only
    }

    pub fn has_temporary_key(&self) -> bool {
        self.key_version.is_none()
    }
}
