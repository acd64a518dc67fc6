//! Questions over a lake: by engines of this machine that read its files, or by a cluster.
//!
//! A lake is made for one role, with the pseudonyms of its exports: only that role may ask it. Officers are refused,
//! because a lake also holds the complaints that name them.

use super::asking::Asking;
use super::pool::{Lease, Pool};
use super::process::Answer;
use super::protocol::{Failed, LakeTables};
use super::result::{Source, State, cancel, error, out_of_turn};
use super::{QueryError, SqlAsker, SqlQuestion, SqlResult};
use crate::cluster::{Address, Cluster, Views, text};
use data_encoding::HEXLOWER;
use jobs::JobError;
use jobs::lake::{Manifest, check_register};
use jobs::runner::settings::Settings;
use jobs::tables::{TABLES, Table};
use schema::Db;
use schema::enums::Role;
use schema::keys::Keys;
use schema::pseudonyms::Audience;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A lake.
pub struct Lake {
    root: PathBuf,
    /// The folder as the cluster sees it.
    url: String,
    engine: Engine,
    /// The register whose lake it has to be. None for a reader of files, who has none.
    register: Option<(Db, Arc<Keys>)>,
}

enum Engine {
    Embedded(Pool),
    Cluster(Cluster),
}

impl Lake {
    /// The lake in a folder. The cluster answers if its address is given, else at most `engines` processes of this
    /// machine. `url` is the folder as the cluster sees it.
    ///
    /// # Errors
    /// When the folder cannot be named to engines.
    pub fn new(root: &Path, url: Option<String>, cluster: Option<Address>, engines: u32) -> Result<Self, QueryError> {
        let failed =
            |message: &dyn std::fmt::Display| QueryError::Cluster(format!("lake {}: {message}", root.display()));
        let root = std::path::absolute(root).map_err(|e| failed(&e))?;
        let name = root.to_str().filter(|name| !name.contains(['*', '?', '[', '{', ',']));
        let name = name.ok_or_else(|| failed(&"its path has letters that engines take for patterns: move it"))?;
        let url = url.unwrap_or_else(|| name.to_owned()).trim_end_matches('/').to_owned();
        let engine = match cluster {
            Some(address) => Engine::Cluster(Cluster::new(address)),
            None => Engine::Embedded(Pool::over(usize::try_from(engines).unwrap_or(usize::MAX), Some(root.clone()))),
        };
        Ok(Self { root, url, engine, register: None })
    }

    /// The lake of the configuration, if it names one. The job `lake` makes its folder where there is none.
    ///
    /// # Errors
    /// When the folder cannot be named to engines, or the address of the cluster is none.
    pub fn of_settings(db: &Db, settings: &Settings, engines: u32) -> Result<Option<Self>, QueryError> {
        let (of_lake, keys) = (&settings.lake, settings.keys.clone());
        let Some(dir) = of_lake.dir.as_ref() else { return Ok(None) };
        let cluster = of_lake.engine.as_deref().map(str::parse::<Address>).transpose();
        let cluster = cluster.map_err(|message| QueryError::Cluster(format!("lake.engine: {message}")))?;
        let lake = Self::new(dir, of_lake.url.clone(), cluster, engines)?;
        Ok(Some(match keys {
            Some(keys) => lake.of_register(db.clone(), keys),
            None => lake,
        }))
    }

    /// The lake, which is refused if it is of another register, or of another key than the present one.
    #[must_use]
    pub fn of_register(mut self, db: Db, keys: Arc<Keys>) -> Self {
        self.register = Some((db, keys));
        self
    }

    /// Its newest state.
    ///
    /// # Errors
    /// `Cluster` if there is no lake, or it is not that of the register.
    pub fn state(&self) -> Result<Manifest, QueryError> {
        let failed = |e: JobError| QueryError::Cluster(e.to_string());
        let manifest = Manifest::of(&self.root).map_err(failed)?;
        if let Some((db, keys)) = &self.register {
            check_register(db, keys, &self.root, &manifest).map_err(failed)?;
        }
        Ok(manifest)
    }

    /// Names where the lake is asked, for messages.
    pub fn place(&self) -> String {
        match &self.engine {
            Engine::Embedded(_) => "this machine".into(),
            Engine::Cluster(cluster) => cluster.address().to_string(),
        }
    }

    /// Answers a question. Blocks until the first rows or an error.
    ///
    /// # Errors
    /// The variants of [`QueryError`].
    pub fn ask(&self, asker: &SqlAsker, question: SqlQuestion) -> Result<SqlResult, QueryError> {
        self.ask_in(&self.state()?, asker, question)
    }

    /// Answers a question over one state, as [`Self::ask`] does.
    ///
    /// # Errors
    /// The variants of [`QueryError`].
    pub fn ask_in(
        &self,
        manifest: &Manifest,
        asker: &SqlAsker,
        question: SqlQuestion,
    ) -> Result<SqlResult, QueryError> {
        may_read(asker, manifest)?;
        let state = State { position: manifest.position, as_of: manifest.as_of, key_version: manifest.key_version };
        let SqlQuestion { text, parameters, limits } = question;
        let asking = Asking::new(text, parameters, limits, false);
        let (answer, source) = match &self.engine {
            Engine::Embedded(pool) => pool.asked(asker, limits, |lease| self.of_engine(lease, manifest, &asking))?,
            Engine::Cluster(cluster) => self.of_cluster(cluster, manifest, &asking)?,
        };
        let Answer::Schema(columns) = answer else { return Err(out_of_turn()) };
        Ok(SqlResult::new(columns, state, limits, source))
    }

    fn of_engine(
        &self,
        mut lease: Lease,
        manifest: &Manifest,
        asking: &Asking,
    ) -> Result<(Answer, Source), QueryError> {
        let limits = asking.limits;
        let not_asked = |e: std::io::Error| QueryError::Engine(e.to_string());
        let place = |file: &str| self.root.join(file).display().to_string();
        let files = tables_of(manifest).map(|table| (table.name.to_owned(), paths(manifest, table, &place)));
        let named = lease.engine()?.read_lake(&state_of(manifest), &LakeTables(files.collect()));
        named.map_err(|_ended| QueryError::Broken(limits.memory_mb))?;
        lease.engine()?.ask(&[], Vec::new(), asking.ask()).map_err(not_asked)?;
        match lease.engine()?.next(limits.deadline, limits.memory_mb, limits.time) {
            Ok(Answer::Failed(failed)) => {
                if matches!(failed, Failed::Sql(_) | Failed::Cancelled) {
                    lease.give_back();
                }
                Err(error(failed))
            }
            Ok(answer) => Ok((answer, lease.into())),
            Err(failed @ (QueryError::Timeout(_) | QueryError::Cancelled)) => {
                cancel(lease);
                Err(failed)
            }
            Err(failed) => Err(failed),
        }
    }

    fn of_cluster(
        &self,
        cluster: &Cluster,
        manifest: &Manifest,
        asking: &Asking,
    ) -> Result<(Answer, Source), QueryError> {
        let is_table = |name: &str| tables_of(manifest).any(|table| table.name == name);
        let checked = text::check(&asking.text, &asking.parameters, &is_table).map_err(QueryError::Sql)?;
        let place = |file: &str| format!("{}/{file}", self.url);
        let read = tables_of(manifest).filter(|table| checked.tables.contains(table.name));
        let tables = read.map(|table| (table.name.to_owned(), paths(manifest, table, &place))).collect();
        let views = Views { state: state_of(manifest), tables };
        let mut answer = cluster.ask(checked.sql, views, asking.limits)?;
        let first = answer.next(asking.limits.deadline, asking.limits.time)?;
        Ok((first, Source::Cluster(answer)))
    }
}

fn may_read(asker: &SqlAsker, manifest: &Manifest) -> Result<(), QueryError> {
    let Audience::Role(role @ (Role::Board | Role::DataTeam)) = asker.audience else {
        return Err(QueryError::Sql("your role may not ask the lake".into()));
    };
    if role != manifest.role {
        return Err(QueryError::Sql(format!(
            "the lake is made for {}, with pseudonyms of its exports: a {role} asks the register",
            manifest.role
        )));
    }
    if asker.reader.officer.is_some() {
        return Err(QueryError::Sql("you are an officer, and the lake may name you: ask the register".into()));
    }
    Ok(())
}

/// The tables that the lake has files of.
fn tables_of(manifest: &Manifest) -> impl Iterator<Item = &'static Table> {
    TABLES.iter().copied().filter(|table| manifest.tables.get(table.name).is_some_and(|one| !one.files.is_empty()))
}

fn paths(manifest: &Manifest, table: &Table, place: &dyn Fn(&str) -> String) -> Vec<String> {
    let files = manifest.tables.get(table.name).map(|table| table.files.as_slice()).unwrap_or_default();
    files.iter().map(|file| place(&file.path)).collect()
}

/// Names the state of a lake: files of one name never have other contents.
fn state_of(manifest: &Manifest) -> String {
    let mut hash = Sha256::new();
    for file in manifest.files() {
        hash.update(file.path.as_bytes());
        hash.update([0]);
    }
    HEXLOWER.encode(&hash.finalize())
}
