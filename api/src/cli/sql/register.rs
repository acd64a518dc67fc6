//! Questions over the database itself: this process reads the tables and starts an engine.

use super::Args;
use super::answer::Answer;
use super::saved::Asked;
use crate::cli::noted::NotedQuestion;
use crate::sql::audit::text_with_values;
use crate::sql::{Parameter, QueryLimits, SqlAsker, SqlQuestion, SqlResult, SqlService};
use anyhow::Context;
use jobs::runner::settings::Settings;
use jobs::snapshot::{SnapshotFile, SnapshotStore};
use jobs::tables::Table;
use schema::db::cancellation::{CancelToken, set_cancel_token};
use schema::enums::Role;
use schema::keys::Keys;
use schema::models::SavedQuery;
use schema::register::{saved_query_named, saved_query_version};
use schema::{Conn, Db, StoreError};
use std::sync::Arc;
use std::time::Duration;

pub struct Register {
    db: Db,
    snapshots: Arc<SnapshotStore>,
    service: SqlService,
    asker: SqlAsker,
    role: Role,
    /// None for a temporary key.
    key_version: Option<u32>,
    rows: u64,
    memory_mb: u32,
    time: Duration,
}

impl Register {
    /// Opens a database to ask it as the role of the arguments. A session loads the whole snapshot now, so that each
    /// answer comes quickly. For one question the service reads what the question needs.
    ///
    /// # Errors
    /// If the role may not ask in SQL, or the database fails.
    pub fn open(db: Db, settings: &Settings, args: &Args) -> anyhow::Result<Self> {
        let keys = settings.keys.clone();
        let key_version = keys.as_deref().map(Keys::version);
        let keys = keys.unwrap_or_else(|| Arc::new(Keys::ephemeral()));
        let role = args.reader.role();
        let asker = SqlAsker::for_role(role, &keys).with_context(|| format!("a {role} may not ask in SQL"))?;
        // Only a server writes the file: what another user writes here, the server could not replace.
        let file = SnapshotFile::of(&db, &settings.snapshot, settings.keys.clone());
        let snapshots = match args.query {
            None => SnapshotStore::load_kept(&db, file.as_ref())?,
            Some(_) => SnapshotStore::begin(&db, file)?,
        };
        let snapshots = Arc::new(snapshots);
        let service = SqlService::new(db.clone(), Arc::clone(&snapshots));
        Ok(Self {
            db,
            snapshots,
            service,
            asker,
            role,
            key_version,
            rows: u64::from(args.rows),
            memory_mb: args.memory_mb,
            time: Duration::from_secs(u64::from(args.seconds)),
        })
    }

    /// Asks. The question is in the audit log when its answer has been read, or has failed.
    ///
    /// # Errors
    /// If a parameter has an unsupported type, the audit log cannot be written, or the question fails or is cancelled.
    pub fn ask(&self, token: &Arc<CancelToken>, asked: &Asked) -> anyhow::Result<Answer> {
        set_cancel_token(Some(Arc::clone(token)));
        let parameters: Result<Vec<Parameter>, String> = asked.values.iter().map(Parameter::of_json).collect();
        let parameters = parameters.map_err(anyhow::Error::msg)?;
        let text = text_with_values(&format!("{}{}", asked.title, asked.text), &asked.values);
        let noted = NotedQuestion::begin(&self.db, self.role, text)?;
        match self.answer(&asked.text, parameters) {
            Ok(result) => Ok(Answer::of_register(result, self.key_version, self.rows).noted(noted)),
            Err(error) => {
                noted.failed(&error);
                Err(error)
            }
        }
    }

    fn answer(&self, sql: &str, parameters: Vec<Parameter>) -> anyhow::Result<SqlResult> {
        // A session sees what was written since its last question.
        self.snapshots.refresh(&self.db)?;
        let limits = QueryLimits::of_a_command(self.rows, self.memory_mb, self.time);
        Ok(self.service.ask(&self.asker, SqlQuestion { text: sql.to_owned(), parameters, limits })?)
    }

    /// A version of a saved question; None if it does not exist. The command line may run any of them.
    ///
    /// # Errors
    /// If the database fails.
    pub fn saved(&self, name: &str, version: Option<i32>) -> anyhow::Result<Option<SavedQuery>> {
        saved_in(&self.db, name, version)
    }

    pub fn shows(&self, table: &Table) -> bool {
        self.asker.reader.board || !table.board_only
    }

    pub fn has_temporary_key(&self) -> bool {
        self.key_version.is_none()
    }
}

/// A version of a saved question of a database; None if it does not exist.
///
/// # Errors
/// If the database cannot be read.
pub fn saved_in(db: &Db, name: &str, version: Option<i32>) -> anyhow::Result<Option<SavedQuery>> {
    let found = db.read(|conn: &mut Conn| -> Result<Option<SavedQuery>, StoreError> {
        let Some(newest) = saved_query_named(conn, name)? else { return Ok(None) };
        match version {
            Some(version) => Ok(saved_query_version(conn, &newest, version)?.map(|of| of.of(newest))),
            None => Ok(Some(newest)),
        }
    })?;
    Ok(found)
}
