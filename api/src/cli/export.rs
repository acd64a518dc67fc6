//! The command `export`: writes complaints to one file, or to one file per month.

use super::output::{Output, print_note};
use super::reader::Reader;
use crate::access::within;
use crate::export::{ExportMetadata, ExportRow, ExportWriter, Format, Selection, audience, read};
use crate::graphql::filter::both;
use anyhow::{Context, bail};
use chrono::{Datelike, Days, NaiveDate};
use jobs::snapshot::Reference;
use schema::db::dialect::current_position;
use schema::domain::calendar::{local_date, start_of_day};
use schema::files::AtomicFile;
use schema::keys::Keys;
use schema::queries::{Pred, received_between};
use schema::tables::complaints;
use schema::{Conn, Db, StoreError, Timestamp};
use serde::Serialize;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// File, with its format as extension (.csv, .parquet, .arrow); - for standard output; a folder with --by-month
    path: PathBuf,
    /// Format, if the file name does not show it [default with --by-month: parquet]
    #[arg(long = "as", value_enum, value_name = "FORM")]
    form: Option<Format>,
    /// Write one file per month received, such as month=2026-01/complaints.parquet
    #[arg(long)]
    by_month: bool,
    /// Only complaints received on this day or later
    #[arg(long, value_name = "DATE", value_parser = super::jobs::day)]
    from: Option<NaiveDate>,
    /// Only complaints received on this day or earlier
    #[arg(long, value_name = "DATE", value_parser = super::jobs::day)]
    until: Option<NaiveDate>,
    /// Only complaints of this unit and the units below it
    #[arg(long, value_name = "CODE")]
    unit: Option<String>,
    /// Role whose pseudonyms to use: those of its exports
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

pub fn run(db: &Db, keys: Option<&Keys>, args: &Args, out: &Output) -> anyhow::Result<ExitCode> {
    if let (Some(from), Some(until)) = (args.from, args.until) {
        anyhow::ensure!(from <= until, "--from {from} lies after --until {until}");
    }
    let to_output = args.path == Path::new("-");
    let form = match args.form.or_else(|| Format::of_path(&args.path)) {
        Some(form) => form,
        None if args.by_month => Format::Parquet,
        None => bail!("{}: the name does not show the format: add --as csv, parquet or arrow", args.path.display()),
    };
    if to_output && args.by_month {
        bail!("--by-month writes files: name a folder instead of -");
    }
    if args.references && args.reader != Reader::Board {
        bail!("--references reveals who is behind the pseudonyms: it is for the Board, add --for BOARD");
    }
    let passing = if keys.is_none() { Some(Keys::ephemeral()) } else { None };
    let Some(of) = keys.or(passing.as_ref()) else { bail!("there is no key for pseudonyms") };
    let pseudonyms = &of.pseudonyms(audience(args.reader.role(), args.references));
    if keys.is_none() {
        print_note(
            "note: without --key-file, pseudonyms come from a temporary key: another export has other pseudonyms",
        );
    }
    let day = local_date(Timestamp::now());
    let (rows, files, position) = db.read_snapshot(|conn| {
        let position = current_position(conn)?;
        let filter = filter(conn, args)?;
        let metadata = ExportMetadata { key_version: of.version(), position, references: args.references, day };
        let selection = Selection { filter: &filter, visible: &|| None, references: args.references, day };
        let mut target = Target { args, form, metadata, open: None, files: Vec::new() };
        let mut number = 0u64;
        if to_output {
            let mut writer = ExportWriter::new(form, BufWriter::new(std::io::stdout()), metadata)?;
            read(conn, pseudonyms, &selection, &mut |rows| {
                number += rows.len() as u64;
                writer.write(&rows)
            })?;
            writer.finish()?.flush()?;
            return anyhow::Ok((number, Vec::new(), position));
        }
        if !args.by_month {
            target.begin(None)?;
        }
        read(conn, pseudonyms, &selection, &mut |rows| {
            number += rows.len() as u64;
            target.take(&rows)
        })?;
        target.end()?;
        Ok((number, target.files, position))
    })?;
    if to_output {
        print_note(format!("{rows} complaints"));
        return Ok(ExitCode::SUCCESS);
    }
    let files = files.iter().map(|path| path.display().to_string()).collect();
    out.print(&Exported { rows, files, position, key_version: keys.map(Keys::version) }, |done| {
        format!("{} complaints in {}", done.rows, done.files.join(", "))
    })?;
    Ok(ExitCode::SUCCESS)
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

/// The files of an export. Each is written under a temporary name and renamed when it is complete.
struct Target<'a> {
    args: &'a Args,
    form: Format,
    metadata: ExportMetadata,
    open: Option<Open>,
    files: Vec<PathBuf>,
}

struct Open {
    month: Option<(i32, u32)>,
    path: PathBuf,
    writer: ExportWriter<BufWriter<AtomicFile>>,
}

impl Target<'_> {
    fn take(&mut self, rows: &[ExportRow]) -> anyhow::Result<()> {
        let month = |row: &ExportRow| {
            let day = local_date(row.received_at);
            self.args.by_month.then(|| (day.year(), day.month()))
        };
        let months: Vec<_> = rows.iter().map(month).collect();
        let mut from = 0;
        for group in months.chunk_by(|a, b| a == b) {
            if self.open.as_ref().is_none_or(|open| open.month != group[0]) {
                self.end()?;
                self.begin(group[0])?;
            }
            if let Some(open) = &mut self.open {
                open.writer.write(&rows[from..from + group.len()])?;
            }
            from += group.len();
        }
        Ok(())
    }

    fn begin(&mut self, month: Option<(i32, u32)>) -> anyhow::Result<()> {
        let path = match month {
            None => self.args.path.clone(),
            Some((year, month)) => {
                let folder = self.args.path.join(format!("month={year:04}-{month:02}"));
                std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
                folder.join("complaints").with_extension(self.form.extension())
            }
        };
        let file = AtomicFile::begin(&path).with_context(|| format!("cannot write {}", path.display()))?;
        let writer = ExportWriter::new(self.form, BufWriter::new(file), self.metadata)?;
        self.open = Some(Open { month, path, writer });
        Ok(())
    }

    fn end(&mut self) -> anyhow::Result<()> {
        let Some(Open { path, writer, .. }) = self.open.take() else { return Ok(()) };
        let file = writer.finish()?.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.keep().with_context(|| path.display().to_string())?;
        self.files.push(path);
        Ok(())
    }
}
