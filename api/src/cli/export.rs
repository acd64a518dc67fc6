//! The command `export` writes a table or a statistic to a file, or complaints to a file per month, each with a
//! manifest.

mod args;
mod files;
mod months;
mod selection;

pub use args::Args;

use super::noted;
use super::output::{Output, is_closed_pipe, print_note};
use super::reader::Reader;
use crate::export::{
    About, ExportWriter, Form, Matching, Selection, Subject, Take, audience, complaint_schema, read, read_table,
    table_of,
};
use crate::graphql::ComplaintFilter;
use crate::http::{Groups, LocalExports, StatisticsRequest};
use arrow_schema::SchemaRef;
use files::{Written, begin, keep, write_manifest};
use jobs::runner::settings::Settings;
use jobs::snapshot::{Snapshot, SnapshotFile, SnapshotStore};
use jobs::tables::TableReader;
use months::Months;
use schema::db::dialect::current_position;
use schema::domain::calendar::local_date;
use schema::keys::Keys;
use schema::pseudonyms::Pseudonyms;
use schema::{Db, Timestamp};
use selection::{condition, description, given_filter, of_statistics, text_of};
use serde::Serialize;
use serde_json::{Value, json};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Exported {
    rows: u64,
    files: Vec<String>,
    position: i64,
    /// None for pseudonyms of a temporary key.
    key_version: Option<u32>,
}

/// The files and rows that were written.
struct Done {
    rows: u64,
    position: i64,
    files: Vec<Written>,
}

/// The values that all files of one call share.
struct Exporting<'a> {
    db: &'a Db,
    settings: &'a Settings,
    args: &'a Args,
    form: Form,
    pseudonyms: &'a Pseudonyms,
    /// What the options select, as the description of a file shows it; null for all rows.
    asked: Value,
    /// What checks filters and counts groups; None without any.
    local: Option<&'a LocalExports>,
    rows: Rows,
}

/// Which rows a file has.
enum Rows {
    /// Those of the complaints that a filter selects, besides the other options.
    Of(Box<Option<ComplaintFilter>>),
    Groups(Groups),
}

/// # Errors
/// If options contradict each other, a filter or a statistic is refused, a file cannot be written, or the database
/// fails.
pub fn run(db: &Db, database: &str, settings: &Settings, args: &Args, out: &Output) -> anyhow::Result<ExitCode> {
    let to_output = args.path == Path::new("-");
    let form = Form { format: args.format()?, bom: args.bom };
    args.check(form, to_output)?;
    let subject = args.subject();
    let filter = given_filter(args)?;
    let statistic = match subject {
        Subject::Statistics => Some(statistic(args, filter.clone())?),
        _ => None,
    };
    let keys = settings.keys.as_deref();
    let of = settings.keys.clone().unwrap_or_else(|| Arc::new(Keys::ephemeral()));
    let role = args.reader.role();
    let pseudonyms = &of.pseudonyms(audience(role, args.references));
    if keys.is_none() {
        print_note(
            "note: without --key-file, pseudonyms come from a temporary key: another export has other pseudonyms",
        );
    }
    // Without a filter a command that only copies rows need not load the snapshot.
    let local = match filter.is_null() && statistic.is_none() {
        true => None,
        false => Some(LocalExports::open(db, database, settings, &of, role)?),
    };
    let mut objects = json!({
        "table": subject.name(),
        "form": form.format.extension(),
        "references": args.references,
        "keyVersion": keys.map(Keys::version),
    });
    let (rows, asked) = match (&local, &statistic) {
        (Some(local), Some(statistic)) => {
            objects["filter"] = statistic.query["filter"].clone();
            objects["query"] = statistic.query.clone();
            (Rows::Groups(local.groups(statistic)?), statistic.query.clone())
        }
        (local, _) => {
            let asked = description(args, filter.clone());
            objects["filter"] = asked.clone();
            let filter = local.as_ref().map(|local| local.filter(filter)).transpose()?.flatten();
            (Rows::Of(Box::new(filter)), asked)
        }
    };
    let exporting = Exporting { db, settings, args, form, pseudonyms, asked, local: local.as_ref(), rows };
    noted::export(db, role, "phananh export", &objects)?;
    let done = match exporting.write_rows() {
        Ok(done) => done,
        // A reader that closes the pipe, as in `phananh … | head`, has what it wants: the command succeeds.
        Err(error) if to_output && is_closed_pipe(&error) => return Ok(ExitCode::SUCCESS),
        Err(error) => return Err(error),
    };
    let what = match subject {
        Subject::Complaints => "complaints".to_owned(),
        table => format!("rows of {}", table.name()),
    };
    if to_output {
        print_note(format!("{} {what}", done.rows));
        return Ok(ExitCode::SUCCESS);
    }
    write_manifest(&args.path, args.by_month, &done.files)?;
    let files = done.files.iter().map(|file| file.path.display().to_string()).collect();
    let exported = Exported { rows: done.rows, files, position: done.position, key_version: keys.map(Keys::version) };
    out.print(&exported, |done| {
        let files = if done.files.is_empty() { args.path.display().to_string() } else { done.files.join(", ") };
        format!("{} {what} in {files}", done.rows)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The statistic of the options.
fn statistic(args: &Args, filter: Value) -> anyhow::Result<StatisticsRequest> {
    let having = text_of("--having", args.having.as_deref())?;
    let asked = StatisticsRequest::parse(args.of_statistics(having), of_statistics(args, filter));
    asked.map_err(|(_, _, message)| anyhow::Error::msg(message))
}

impl Exporting<'_> {
    fn about(&self, position: i64, as_of: Timestamp) -> About {
        About {
            subject: self.args.subject(),
            asked: self.asked.clone(),
            key_version: self.pseudonyms.version(),
            position,
            as_of,
            day: local_date(as_of),
            references: self.args.references,
        }
    }

    fn write_rows(&self) -> anyhow::Result<Done> {
        match (&self.rows, self.args.subject()) {
            (Rows::Groups(groups), _) => self.statistics(groups),
            (Rows::Of(filter), Subject::Complaints) => self.complaints((**filter).as_ref()),
            (Rows::Of(filter), subject) => self.table(subject, (**filter).as_ref()),
        }
    }

    fn complaints(&self, filter: Option<&ComplaintFilter>) -> anyhow::Result<Done> {
        self.db.read_snapshot(|conn| {
            let about = self.about(current_position(conn)?, Timestamp::now());
            let filter = condition(conn, self.args, filter.cloned())?;
            let references = self.args.references;
            let selection = Selection { filter: &filter, visible: &|| None, references, day: about.day };
            let schema = complaint_schema(references);
            if !self.args.by_month {
                return self.write(&schema, about, |take| read(self.db, conn, self.pseudonyms, &selection, take));
            }
            let position = about.position;
            let mut months = Months::new(&self.args.path, self.form, schema, about);
            read(self.db, conn, self.pseudonyms, &selection, &mut |rows| months.take(&rows))?;
            let (rows, files) = months.end()?;
            Ok(Done { rows, position, files })
        })
    }

    fn table(&self, subject: Subject, filter: Option<&ComplaintFilter>) -> anyhow::Result<Done> {
        let board = self.args.reader == Reader::Board;
        let table = table_of(subject, board).map_err(anyhow::Error::msg)?;
        let snapshot = self.snapshot()?;
        let matching = match self.args.selects() {
            false => None,
            true => Some(self.db.read_snapshot(|conn| {
                let filter = condition(conn, self.args, filter.cloned())?;
                Matching::read(conn, self.pseudonyms, &filter)
            })?),
        };
        let reader = TableReader { pseudonyms: self.pseudonyms.clone(), board, officer: None };
        let about = self.about(snapshot.position, snapshot.as_of);
        self.write(&table.schema(), about, |take| {
            read_table(self.db, &snapshot, &reader, table, matching.as_ref(), take)
        })
    }

    fn statistics(&self, groups: &Groups) -> anyhow::Result<Done> {
        let batches = match self.local {
            Some(local) => local.in_file(groups, self.pseudonyms)?,
            None => groups.batches.clone(),
        };
        let about = self.about(groups.position, groups.as_of);
        self.write(&groups.schema, about, |take| batches.into_iter().try_for_each(take))
    }

    fn snapshot(&self) -> anyhow::Result<Arc<Snapshot>> {
        if let Some(local) = self.local {
            return Ok(local.snapshot());
        }
        // Only a server writes the file: what another user writes here, the server could not replace.
        let file = SnapshotFile::of(self.db, &self.settings.snapshot, self.settings.keys.clone());
        Ok(SnapshotStore::load_kept(self.db, file.as_ref())?.current())
    }

    /// Writes what `read` passes on to the file, or to standard output.
    fn write(
        &self,
        schema: &SchemaRef,
        about: About,
        read: impl FnOnce(&mut Take<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<Done> {
        let position = about.position;
        if self.args.path == Path::new("-") {
            let writer = ExportWriter::new(self.form, BufWriter::new(std::io::stdout()), schema, about)?;
            let (mut to, rows) = writer.write_all(read)?.finish()?;
            to.flush()?;
            return Ok(Done { rows, position, files: Vec::new() });
        }
        let path = &self.args.path;
        let writer = ExportWriter::new(self.form, begin(path)?, schema, about.clone())?;
        let (to, rows) = writer.write_all(read)?.finish()?;
        let files = vec![keep(path, to, rows, &about, self.form)?];
        Ok(Done { rows, position, files })
    }
}
