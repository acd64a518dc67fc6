//! The command `sql`: answers one SELECT over pseudonymous tables.

use super::output::{Output, print_note, table};
use super::reader::Reader;
use crate::sql::cells::{json_rows, type_name};
use crate::sql::{QueryLimits, SqlAsker, SqlQuestion, SqlService};
use anyhow::{Context, bail};
use jobs::runner::settings::Settings;
use jobs::snapshot::{SnapshotFile, SnapshotStore};
use jobs::tables::TABLES;
use schema::Db;
use schema::keys::Keys;
use serde::Serialize;
use serde_json::{Map, Value};
use std::io::Read;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Largest answer, in bytes: the command holds it in memory.
const LARGEST_ANSWER: u64 = 64 * 1024 * 1024;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// One SELECT, or - to read it from standard input; without it, list the tables
    query: Option<String>,
    /// Maximum number of rows
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    rows: u32,
    /// Memory limit in megabytes, beyond that of the tables
    #[arg(long, default_value_t = 4_096, value_parser = clap::value_parser!(u32).range(512..=1_048_576))]
    memory_mb: u32,
    /// Time limit in seconds
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    seconds: u32,
    /// Role whose pseudonyms to use: those in its own answers
    #[arg(long = "for", value_name = "ROLE", value_enum, default_value_t)]
    reader: Reader,
}

#[derive(Serialize)]
struct Column {
    name: String,
    #[serde(rename = "type")]
    of: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    columns: Vec<Column>,
    rows: Vec<Map<String, Value>>,
    truncated: bool,
    position: i64,
    /// None for pseudonyms of a temporary key.
    key_version: Option<u32>,
}

#[derive(Serialize)]
struct Described {
    table: &'static str,
    columns: Vec<&'static str>,
}

pub fn run(
    db: impl FnOnce() -> anyhow::Result<Db>,
    settings: &Settings,
    args: &Args,
    out: &Output,
) -> anyhow::Result<ExitCode> {
    let Some(query) = &args.query else {
        let columns = |table: &jobs::tables::Table| table.columns.iter().map(|column| column.name).collect();
        let all: Vec<Described> =
            TABLES.iter().copied().map(|table| Described { table: table.name, columns: columns(table) }).collect();
        out.print(&all, |all| {
            table(&["TABLE", "COLUMNS"], all.iter().map(|one| vec![one.table.to_owned(), one.columns.join(", ")]))
        })?;
        return Ok(ExitCode::SUCCESS);
    };
    let mut text = query.clone();
    if text == "-" {
        text.clear();
        std::io::stdin().read_to_string(&mut text).context("standard input")?;
    }
    let keys = settings.keys.as_deref();
    let passing = if keys.is_none() { Some(Keys::ephemeral()) } else { None };
    let Some(of) = keys.or(passing.as_ref()) else { bail!("there is no key for pseudonyms") };
    let Some(asker) = SqlAsker::for_role(args.reader.role(), of) else { bail!("this role may not ask SQL") };
    let db = db()?;
    // Only a server writes the file: what another user writes here, the server could not replace.
    let file = SnapshotFile::of(&db, &settings.snapshot, settings.keys.clone());
    let snapshots = Arc::new(SnapshotStore::load_kept(&db, file.as_ref())?);
    let limits = QueryLimits {
        rows: u64::from(args.rows),
        memory_mb: args.memory_mb,
        answer_bytes: LARGEST_ANSWER,
        deadline: Instant::now() + Duration::from_secs(u64::from(args.seconds)),
    };
    let service = SqlService::new(db, snapshots);
    let mut result = service.ask(&asker, SqlQuestion { text, parameters: Vec::new(), limits })?;
    let mut rows = Vec::new();
    while let Some(batch) = result.next_batch()? {
        rows.extend(json_rows(&batch)?);
    }
    if keys.is_none() {
        print_note("note: without --key-file, pseudonyms are of a temporary key: another run has others");
    }
    if result.truncated() {
        print_note(format!("note: there are more than {} rows: --rows N shows more", args.rows));
    }
    let fields = result.schema().fields();
    let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
    let object = |row: &Vec<Value>| names.iter().map(|name| (*name).to_owned()).zip(row.iter().cloned()).collect();
    let document = Document {
        columns: fields
            .iter()
            .map(|field| Column { name: field.name().clone(), of: type_name(field.data_type()) })
            .collect(),
        rows: rows.iter().map(object).collect(),
        truncated: result.truncated(),
        position: result.position(),
        key_version: keys.map(Keys::version),
    };
    out.print_table(&document, &names, &rows)?;
    Ok(ExitCode::SUCCESS)
}
