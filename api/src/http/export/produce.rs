//! Writes the file of an export, on a thread for blocking work.

use super::super::spool::SpoolWriter;
use super::kept::Kept;
use super::statistics::Groups;
use crate::access::Viewer;
use crate::export::{
    About, ExportWriter, Form, Hashing, Matching, People, Selection, Subject, complaint_schema, read, read_table,
};
use crate::graphql::ComplaintFilter;
use crate::graphql::context::App;
use crate::graphql::filter::Filter;
use anyhow::{Context, ensure};
use jobs::tables::{Table, TableReader};
use schema::db::dialect::current_position;
use schema::domain::calendar::local_date;
use schema::enums::Role;
use schema::pseudonyms::Pseudonyms;
use schema::{Db, Timestamp};
use std::cell::Cell;
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::oneshot;

/// The source of the rows.
pub enum Source {
    /// One state of the database.
    Complaints(Box<Option<ComplaintFilter>>),
    /// The snapshot and the database. With a filter, the rows of the complaints that it selects.
    Table(&'static Table, Box<Option<ComplaintFilter>>),
    Statistics(Groups),
}

/// A file to write.
pub struct Work {
    pub app: App,
    pub viewer: Viewer,
    pub pseudonyms: Pseudonyms,
    /// Pseudonyms that the viewer sees in answers.
    pub answers: Pseudonyms,
    pub source: Source,
    pub subject: Subject,
    pub form: Form,
    pub references: bool,
    /// The position of the register that the file has to hold at least.
    pub at_least: i64,
    pub query: serde_json::Value,
    pub tag: String,
}

type Target = Hashing<SpoolWriter>;

impl Work {
    /// Writes the file to `to`. Says what it is about as soon as that is known, and hands it over before its reader
    /// learns that it is complete.
    ///
    /// # Errors
    /// If the register cannot be read, the disk is full, or the reader is gone.
    pub fn produce(
        mut self,
        to: SpoolWriter,
        told: oneshot::Sender<About>,
        keep: impl FnOnce(Kept),
    ) -> anyhow::Result<()> {
        let file = to.file();
        let tag = std::mem::take(&mut self.tag);
        let (to, rows, about) = self.write(Hashing::new(to), told)?;
        let (mut to, content) = to.finish();
        to.flush()?;
        keep(Kept { file, content, rows, about, tag, made: Instant::now() });
        Ok(to.finish()?)
    }

    fn about(&self, position: i64, as_of: Timestamp) -> About {
        About {
            subject: self.subject,
            asked: self.query.clone(),
            key_version: self.pseudonyms.version(),
            position,
            as_of,
            day: local_date(as_of),
            references: self.references,
        }
    }

    fn write(self, to: Target, told: oneshot::Sender<About>) -> anyhow::Result<(Target, u64, About)> {
        let tell = |about: &About| {
            // A client that is gone is noticed when its file is written.
            let _told = told.send(about.clone());
        };
        let snapshot = self.app.snapshots.current();
        let reference = Arc::clone(&snapshot.reference);
        let scope = self.viewer.scope(&reference.tree);
        let (db, pseudonyms) = (&self.app.background_db, &self.pseudonyms);
        match &self.source {
            Source::Complaints(filter) => {
                let to = Cell::new(Some((to, tell)));
                let from = |db: &Db, at_least: i64| {
                    db.read_snapshot(|conn| {
                        let position = current_position(conn)?;
                        ensure!(position >= at_least, "the database is at position {position}, before {at_least}");
                        let (to, tell) = to.take().context("parts of the file were sent")?;
                        let about = self.about(position, Timestamp::now());
                        tell(&about);
                        let selection = Selection {
                            filter: &|| Ok(scope.and(filter.condition(&reference)?)),
                            visible: &|| scope.condition(),
                            references: self.references,
                            day: about.day,
                        };
                        let schema = complaint_schema(self.references);
                        let writer = ExportWriter::new(self.form, to, &schema, about.clone())?;
                        let writer = writer.write_all(|take| read(db, conn, pseudonyms, &selection, take))?;
                        let (to, rows) = writer.finish()?;
                        Ok((to, rows, about))
                    })
                };
                let Some(replica) = self.app.reads.for_export(&self.viewer, self.at_least) else {
                    return from(db, i64::MIN);
                };
                from(&replica, self.at_least).or_else(|error: anyhow::Error| {
                    tracing::warn!(%error, "the replica failed to make an export: the primary makes it");
                    from(db, i64::MIN)
                })
            }
            Source::Table(table, filter) => {
                let about = self.about(snapshot.position, snapshot.as_of);
                tell(&about);
                let matching = match &**filter {
                    None => None,
                    Some(filter) => Some(db.read_snapshot(|conn| {
                        Matching::read(conn, pseudonyms, &|| Ok(scope.and(filter.condition(&reference)?)))
                    })?),
                };
                let reader = TableReader {
                    pseudonyms: pseudonyms.clone(),
                    board: self.viewer.role == Role::Board,
                    officer: self.viewer.officer_id,
                };
                let writer = ExportWriter::new(self.form, to, &table.schema(), about.clone())?;
                let writer =
                    writer.write_all(|take| read_table(db, &snapshot, &reader, table, matching.as_ref(), take))?;
                let (to, rows) = writer.finish()?;
                Ok((to, rows, about))
            }
            Source::Statistics(groups) => {
                let about = self.about(groups.position, groups.as_of);
                tell(&about);
                let mut writer = ExportWriter::new(self.form, to, &groups.schema, about.clone())?;
                let people = People { snapshot: &snapshot, answers: &self.answers, files: pseudonyms };
                let batches = groups.in_file(&people)?;
                batches.iter().try_for_each(|batch| writer.write(batch))?;
                let (to, rows) = writer.finish()?;
                Ok((to, rows, about))
            }
        }
    }
}
