//! Exports of a command of this program, which has the database and no address: filters are checked and groups are
//! counted as a server does it.

use super::super::{ServerOptions, Service};
use super::asker::{Asker, Refused};
use super::request::StatisticsRequest;
use super::statistics::{Groups, groups};
use crate::access::Viewer;
use crate::config::ApiSettings;
use crate::export::People;
use crate::graphql::ComplaintFilter;
use anyhow::Context;
use arrow_array::RecordBatch;
use jobs::runner::settings::Settings;
use jobs::snapshot::{Snapshot, SnapshotFile};
use schema::Db;
use schema::domain::ids::random_id;
use schema::enums::{Locale, Role};
use schema::keys::Keys;
use schema::pseudonyms::Pseudonyms;
use serde_json::Value;
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};

/// The state of a server without the server, and who asks it.
pub struct LocalExports {
    service: Service,
    viewer: Viewer,
    runtime: Runtime,
}

impl LocalExports {
    /// Loads what a server loads. The asker has a role and is no officer. `keys` are those of the files, which are
    /// temporary ones where the settings have none.
    ///
    /// # Errors
    /// If a setting or the register cannot be read.
    pub fn open(db: &Db, database: &str, settings: &Settings, keys: &Arc<Keys>, role: Role) -> anyhow::Result<Self> {
        let mut settings = settings.clone();
        // The file is read from the primary, and its filter is checked there.
        settings.database.replica = None;
        if settings.keys.is_none() {
            // The file of the snapshot fits no temporary key.
            settings.snapshot.keep = false;
            settings.keys = Some(Arc::clone(keys));
        }
        let mut api = ApiSettings::of(&settings)?;
        // Nobody signs in.
        api.jwt = None;
        let snapshot_file = SnapshotFile::of(db, &settings.snapshot, settings.keys.clone());
        let options = ServerOptions { database: database.to_owned(), dev: false, settings, jobs: false };
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let service = runtime.block_on(async { Service::open(db.clone(), &options, api, snapshot_file.as_ref()) })?;
        let viewer = Viewer {
            token_id: random_id(),
            principal_id: random_id(),
            name: "phananh export".to_owned(),
            role,
            unit_id: None,
            officer_id: None,
            outside: false,
            expires_at: None,
            day: None,
        };
        Ok(Self { service, viewer, runtime })
    }

    fn asker(&self) -> Asker<'_> {
        Asker {
            service: &self.service,
            viewer: &self.viewer,
            locale: Locale::Vi,
            at_least: i64::MIN,
            is_of_this_program: true,
        }
    }

    /// Parses and checks a `ComplaintFilter` as the routes do.
    ///
    /// # Errors
    /// Says which part is wrong.
    pub fn filter(&self, given: Value) -> anyhow::Result<Option<ComplaintFilter>> {
        let asker = self.asker();
        self.runtime.block_on(asker.filter(given)).map_err(|refused| failure(&refused))
    }

    /// All groups of a statistic.
    ///
    /// # Errors
    /// Says which argument is wrong, or that the statistic failed.
    pub fn groups(&self, asked: &StatisticsRequest) -> anyhow::Result<Groups> {
        let asker = self.asker();
        self.runtime.block_on(groups(&asker, asked)).map_err(|refused| failure(&refused))
    }

    /// The rows of groups, with the pseudonyms of files.
    ///
    /// # Errors
    /// If the snapshot has no subject of a pseudonym.
    pub fn in_file(&self, groups: &Groups, files: &Pseudonyms) -> anyhow::Result<Vec<RecordBatch>> {
        let keys = self.service.app.keys.as_ref().context("there is no key for pseudonyms")?;
        let answers = keys.pseudonyms(self.viewer.audience());
        groups.in_file(&People { snapshot: &self.snapshot(), answers: &answers, files })
    }

    /// The register as it was loaded.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.service.app.snapshots.current()
    }
}

fn failure(refused: &Refused) -> anyhow::Error {
    anyhow::Error::msg(refused.message())
}
