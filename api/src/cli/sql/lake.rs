//! Questions over a lake in a folder: no database and no key file is needed, because its files hold pseudonyms.

use super::answer::Answer;
use crate::cluster::Address;
use crate::sql::{Lake, Parameter, QueryLimits, SqlAsker, SqlQuestion};
use anyhow::Context;
use jobs::lake::Manifest;
use jobs::tables::Table;
use schema::db::cancellation::{CancelToken, set_cancel_token};
use schema::keys::Keys;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Engine processes of this machine: a session asks one question at a time.
const ENGINES: u32 = 1;

pub struct LakeOfFolder {
    lake: Lake,
    asker: SqlAsker,
    rows: u64,
    memory_mb: u32,
    time: Duration,
}

/// The limits of questions.
#[derive(Clone, Copy)]
pub struct Limits {
    pub rows: u64,
    pub memory_mb: u32,
    pub seconds: u32,
}

impl LakeOfFolder {
    /// Opens a lake in a folder. `engine` is the address of a cluster that reads it at `url`.
    ///
    /// # Errors
    /// If the address is wrong, the folder is no lake, or its role may not ask in SQL.
    pub fn open(dir: &Path, engine: Option<&str>, url: Option<&str>, limits: Limits) -> anyhow::Result<Self> {
        let Limits { rows, memory_mb, seconds } = limits;
        let cluster = engine.map(str::parse::<Address>).transpose();
        let cluster = cluster.map_err(|message| anyhow::anyhow!("--engine: {message}"))?;
        // A user who can read the files may ask them.
        let role = Manifest::of(dir)?.role;
        let asker = SqlAsker::for_role(role, &Keys::ephemeral());
        Ok(Self {
            lake: Lake::new(dir, url.map(str::to_owned), cluster, ENGINES)?,
            asker: asker.with_context(|| format!("a {role} may not ask in SQL"))?,
            rows,
            memory_mb,
            time: Duration::from_secs(u64::from(seconds)),
        })
    }

    /// Sends a question. Blocks until the first rows.
    ///
    /// # Errors
    /// If a parameter has an unsupported type, or the question fails or is cancelled.
    pub fn ask(&self, token: &Arc<CancelToken>, sql: &str, parameters: &[Value]) -> anyhow::Result<Answer> {
        set_cancel_token(Some(Arc::clone(token)));
        let parameters: Result<Vec<Parameter>, String> = parameters.iter().map(Parameter::of_json).collect();
        let limits = QueryLimits::of_a_command(self.rows, self.memory_mb, self.time);
        let parameters = parameters.map_err(anyhow::Error::msg)?;
        let result = self.lake.ask(&self.asker, SqlQuestion { text: sql.to_owned(), parameters, limits })?;
        let key_version = Some(result.key_version());
        Ok(Answer::of_register(result, key_version, self.rows))
    }

    pub fn shows(&self, table: &Table) -> bool {
        self.asker.reader.board || !table.board_only
    }
}
