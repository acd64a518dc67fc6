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
use crate::http::{Groups, LocalExports, StatisticsAsked};
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
use selection::{condition, described, given_filter, of_statistics, text_of};
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
            let asked = described(args, filter.clone());
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
fn statistic(args: &Args, filter: Value) -> anyhow::Result<StatisticsAsked> {
    let having = text_of("--having", args.having.as_deref())?;
    let asked = StatisticsAsked::of(args.of_statistics(having), of_statistics(args, filter));
    asked.map_err(|(_, _, message)| anyhow::Error::msg(message))
}

impl Exporting<'_> {
    /// The selection that the arguments make; null for all rows.
    fn asked(&self) -> Value {
        let day = |day: Option<NaiveDate>| day.map(|day| Value::from(day.to_string()));
        let given = [
            ("from", day(self.args.from)),
            ("until", day(self.args.until)),
            ("unit", self.args.unit.clone().map(Value::from)),
        ];
        let given = given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let given: Map<String, Value> = given.collect();
        if given.is_empty() { Value::Null } else { Value::Object(given) }
    }

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
                return self.write(&schema, about, |take| read(conn, self.pseudonyms, &selection, take));
            }
            let position = about.position;
            let mut months = Months::new(&self.args.path, self.form, schema, about);
            read(conn, self.pseudonyms, &selection, &mut |rows| months.take(&rows))?;
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

/// A file under a temporary name, which is renamed when it is complete.
type Draft = BufWriter<Hashing<AtomicFile>>;

fn begin(path: &Path) -> anyhow::Result<Draft> {
    let file = AtomicFile::begin(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(BufWriter::new(Hashing::new(file)))
}

fn keep(path: &Path, to: Draft, rows: u64, about: &About, form: Form) -> anyhow::Result<Written> {
    let (file, content) = to.into_inner().map_err(std::io::IntoInnerError::into_error)?.finish();
    file.keep().with_context(|| path.display().to_string())?;
    Ok(Written { path: path.to_owned(), manifest: about.manifest(form.format, rows, &content) })
}

/// Writes the manifest next to the file, or that of all months into their folder.
fn write_manifest(args: &Args, files: &[Written]) -> anyhow::Result<()> {
    let (path, document) = match (files, args.by_month) {
        (_, true) => {
            let files = files.iter().map(|file| -> serde_json::Result<Value> {
                let mut document = serde_json::to_value(&file.manifest)?;
                let name = file.path.strip_prefix(&args.path).unwrap_or(&file.path);
                document["file"] = name.display().to_string().into();
                Ok(document)
            });
            let files = files.collect::<serde_json::Result<Vec<Value>>>()?;
            // Readers of folders of Parquet pass over names that begin so.
            (args.path.join("_manifest.json"), serde_json::json!({ "files": files }))
        }
        // A pipe or a device gets no manifest.
        ([file], false) if file.path.is_file() => {
            let mut name = file.path.clone().into_os_string();
            name.push(".manifest.json");
            (name.into(), serde_json::to_value(&file.manifest)?)
        }
        _ => return Ok(()),
    };
    if args.by_month {
        std::fs::create_dir_all(&args.path).with_context(|| args.path.display().to_string())?;
    }
    let text = format!("{}\n", serde_json::to_string_pretty(&document)?);
    files::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// The condition for the complaints that the arguments select.
fn filter(
    conn: &mut Conn,
    args: &Args,
) -> anyhow::Result<impl Fn() -> Result<Option<Pred<complaints::table>>, StoreError> + use<>> {
    let reference = Reference::load(conn)?;
    let unit = match &args.unit {
        None => None,
        Some(code) => {
            let unit = reference.unit_by_code(code).with_context(|| super::no_unit(code))?.id;
            let below: Vec<_> = reference.tree.descendants_without_stored_ancestor(unit);
            Some((unit, reference.tree.kind(unit), below))
        }
    };
    let from = args.from.map(start_of_day);
    let until = args.until.map(|day| start_of_day(day + Days::new(1)));
    Ok(move || {
        let of_unit = unit.clone().map(|(unit, kind, below)| within(unit, kind, below));
        Ok(both!(received_between(from, until), of_unit))
    })
}

/// The files of complaints by month.
struct Months<'a> {
    args: &'a Args,
    form: Form,
    schema: SchemaRef,
    about: About,
    rows: u64,
    open: Option<Open>,
    files: Vec<Written>,
}

struct Open {
    month: (i32, u32),
    path: PathBuf,
    writer: ExportWriter<Draft>,
}

impl Months<'_> {
    fn take(&mut self, rows: &RecordBatch) -> anyhow::Result<()> {
        let received = rows.column_by_name("received_at").context("the export has no column received_at")?;
        let received = received.as_primitive::<TimestampMicrosecondType>().values();
        let month = |micros: &i64| {
            let day = Timestamp::from_micros(*micros).map(local_date);
            day.map(|day| (day.year(), day.month())).unwrap_or_default()
        };
        let months: Vec<(i32, u32)> = received.iter().map(month).collect();
        let mut from = 0;
        for group in months.chunk_by(|a, b| a == b) {
            if self.open.as_ref().is_none_or(|open| open.month != group[0]) {
                self.end()?;
                self.begin(group[0])?;
            }
            if let Some(open) = &mut self.open {
                open.writer.write(&rows.slice(from, group.len()))?;
            }
            from += group.len();
        }
        self.rows += rows.num_rows() as u64;
        Ok(())
    }

    fn begin(&mut self, (year, month): (i32, u32)) -> anyhow::Result<()> {
        let folder = self.args.path.join(format!("month={year:04}-{month:02}"));
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let path = folder.join("complaints").with_extension(self.form.format.extension());
        let writer = ExportWriter::new(self.form, begin(&path)?, &self.schema, self.about.clone())?;
        self.open = Some(Open { month: (year, month), path, writer });
        Ok(())
    }

    fn end(&mut self) -> anyhow::Result<()> {
        let Some(Open { path, writer, .. }) = self.open.take() else { return Ok(()) };
        let (to, rows) = writer.finish()?;
        self.files.push(keep(&path, to, rows, &self.about, self.form)?);
        Ok(())
    }
}
