//! The command `export` writes a table to a file, or complaints to a file per month, each with a manifest.

use super::noted;
use super::output::{Output, is_closed_pipe, print_note};
use super::reader::Reader;
use crate::access::within;
use crate::export::{
    About, ExportWriter, Form, Format, Hashing, Manifest, Matching, Selection, Subject, Take, audience,
    complaint_schema, read, read_table, table_of,
};
use crate::graphql::filter::both;
use anyhow::{Context, bail, ensure};
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_schema::SchemaRef;
use chrono::{Datelike, Days, NaiveDate};
use jobs::runner::settings::Settings;
use jobs::snapshot::{Reference, SnapshotFile, SnapshotStore};
use jobs::tables::TableReader;
use schema::db::dialect::current_position;
use schema::domain::calendar::{local_date, start_of_day};
use schema::files::{self, AtomicFile};
use schema::keys::Keys;
use schema::pseudonyms::Pseudonyms;
use schema::queries::{Pred, received_between};
use schema::tables::complaints;
use schema::{Conn, Db, StoreError, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// File, with its format as extension (.csv, .parquet, .arrow, .xlsx); - for standard output; a folder with
    /// --by-month
    path: PathBuf,
    /// What to export
    #[arg(long, value_enum, value_name = "TABLE", default_value_t)]
    table: Subject,
    /// Format, if the file name does not show it [default with --by-month: parquet]
    #[arg(long = "as", value_enum, value_name = "FORM")]
    form: Option<Format>,
    /// Begin a CSV file with a byte order mark, which some spreadsheets need to read Vietnamese letters
    #[arg(long)]
    bom: bool,
    /// Write one file of complaints per month received, such as month=2026-01/complaints.parquet
    #[arg(long)]
    by_month: bool,
    /// Only complaints received on this day or later, or what belongs to them
    #[arg(long, value_name = "DATE", value_parser = super::jobs::day)]
    from: Option<NaiveDate>,
    /// Only complaints received on this day or earlier
    #[arg(long, value_name = "DATE", value_parser = super::jobs::day)]
    until: Option<NaiveDate>,
    /// Only complaints of this unit and the units below it
    #[arg(long, value_name = "CODE")]
    unit: Option<String>,
    /// Role for which to derive pseudonyms
    #[arg(long = "for", value_name = "ROLE", value_enum, default_value_t)]
    reader: Reader,
    /// Include the reference numbers of other registers: with --for BOARD only, under pseudonyms that no other file
    /// has
    #[arg(long)]
    references: bool,
}

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

struct Written {
    path: PathBuf,
    manifest: Manifest,
}

/// The values that all files of one call share.
struct Exporting<'a> {
    db: &'a Db,
    settings: &'a Settings,
    args: &'a Args,
    form: Form,
    pseudonyms: &'a Pseudonyms,
}

/// # Errors
/// If options contradict each other, a file cannot be written, or the database fails.
pub fn run(db: &Db, settings: &Settings, args: &Args, out: &Output) -> anyhow::Result<ExitCode> {
    let to_output = args.path == Path::new("-");
    let form = Form { format: format_of(args)?, bom: args.bom };
    check(args, form, to_output)?;
    let keys = settings.keys.as_deref();
    let passing = if keys.is_none() { Some(Keys::ephemeral()) } else { None };
    let Some(of) = keys.or(passing.as_ref()) else { bail!("there is no key for pseudonyms") };
    let pseudonyms = &of.pseudonyms(audience(args.reader.role(), args.references));
    if keys.is_none() {
        print_note(
            "note: without --key-file, pseudonyms come from a temporary key: another export has other pseudonyms",
        );
    }
    let exporting = Exporting { db, settings, args, form, pseudonyms };
    let objects = serde_json::json!({
        "table": args.table.name(),
        "form": form.format.extension(),
        "filter": exporting.asked(),
        "references": args.references,
        "keyVersion": keys.map(Keys::version),
    });
    noted::export(db, args.reader.role(), "phananh export", &objects)?;
    let written = match args.table {
        Subject::Complaints => exporting.complaints(),
        _ => exporting.table(),
    };
    let done = match written {
        Ok(done) => done,
        // A reader that closes the pipe, as in `phananh … | head`, has what it wants: the command succeeds.
        Err(error) if to_output && is_closed_pipe(&error) => return Ok(ExitCode::SUCCESS),
        Err(error) => return Err(error),
    };
    let what = match args.table {
        Subject::Complaints => "complaints".to_owned(),
        table => format!("rows of {}", table.name()),
    };
    if to_output {
        print_note(format!("{} {what}", done.rows));
        return Ok(ExitCode::SUCCESS);
    }
    write_manifest(args, &done.files)?;
    let files = done.files.iter().map(|file| file.path.display().to_string()).collect();
    let exported = Exported { rows: done.rows, files, position: done.position, key_version: keys.map(Keys::version) };
    out.print(&exported, |done| {
        let files = if done.files.is_empty() { args.path.display().to_string() } else { done.files.join(", ") };
        format!("{} {what} in {files}", done.rows)
    })?;
    Ok(ExitCode::SUCCESS)
}

fn format_of(args: &Args) -> anyhow::Result<Format> {
    match args.form.or_else(|| Format::of_path(&args.path)) {
        Some(format) => Ok(format),
        None if args.by_month => Ok(Format::Parquet),
        None => {
            bail!("{}: the name does not show the format: add --as csv, parquet, arrow or xlsx", args.path.display())
        }
    }
}

/// Refuses arguments that do not go together.
fn check(args: &Args, form: Form, to_output: bool) -> anyhow::Result<()> {
    let name = args.table.name();
    if let (Some(from), Some(until)) = (args.from, args.until) {
        ensure!(from <= until, "--from {from} lies after --until {until}");
    }
    ensure!(!(to_output && args.by_month), "--by-month writes files: name a folder instead of -");
    ensure!(
        !args.references || args.reader == Reader::Board,
        "--references reveals who is behind the pseudonyms: it is for the Board, add --for BOARD"
    );
    ensure!(!args.bom || form.format == Format::Csv, "--bom is for CSV files");
    ensure!(
        args.table != Subject::Statistics,
        "a server computes statistics: ask it for /export/statistics.csv?groupBy=DEPARTMENT,MONTH, or count with \
         `phananh sql`"
    );
    if args.table != Subject::Complaints {
        ensure!(!args.by_month, "--by-month is for complaints: leave it out, or leave --table out");
        ensure!(!args.references, "--references is for complaints: {name} has none");
    }
    let selects = args.from.is_some() || args.until.is_some() || args.unit.is_some();
    ensure!(
        !selects || args.table.is_of_complaints(),
        "--from, --until and --unit select complaints, and {name} has all rows: leave them out"
    );
    Ok(())
}

impl Exporting<'_> {
    /// What the arguments select; null for all rows.
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
            subject: self.args.table,
            asked: self.asked(),
            key_version: self.pseudonyms.version(),
            position,
            as_of,
            day: local_date(as_of),
            references: self.args.references,
        }
    }

    fn complaints(&self) -> anyhow::Result<Done> {
        self.db.read_snapshot(|conn| {
            let about = self.about(current_position(conn)?, Timestamp::now());
            let filter = filter(conn, self.args)?;
            let references = self.args.references;
            let selection = Selection { filter: &filter, visible: &|| None, references, day: about.day };
            let schema = complaint_schema(references);
            if !self.args.by_month {
                return self.write(&schema, about, |take| read(conn, self.pseudonyms, &selection, take));
            }
            let mut months =
                Months { args: self.args, form: self.form, schema, about, rows: 0, open: None, files: Vec::new() };
            read(conn, self.pseudonyms, &selection, &mut |rows| months.take(&rows))?;
            months.end()?;
            Ok(Done { rows: months.rows, position: months.about.position, files: months.files })
        })
    }

    fn table(&self) -> anyhow::Result<Done> {
        let board = self.args.reader == Reader::Board;
        let table = table_of(self.args.table, board).map_err(anyhow::Error::msg)?;
        // Only a server writes the file: what another user writes here, the server could not replace.
        let file = SnapshotFile::of(self.db, &self.settings.snapshot, self.settings.keys.clone());
        let snapshot = SnapshotStore::load_kept(self.db, file.as_ref())?.current();
        let selects = self.args.from.is_some() || self.args.until.is_some() || self.args.unit.is_some();
        let matching = match selects {
            false => None,
            true => Some(self.db.read_snapshot(|conn| {
                let filter = filter(conn, self.args)?;
                Matching::read(conn, self.pseudonyms, &filter)
            })?),
        };
        let reader = TableReader { pseudonyms: self.pseudonyms.clone(), board, officer: None };
        let about = self.about(snapshot.position, snapshot.as_of);
        self.write(&table.schema(), about, |take| {
            read_table(self.db, &snapshot, &reader, table, matching.as_ref(), take)
        })
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

/// Writes the manifest beside the file, or that of all months into their folder.
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
