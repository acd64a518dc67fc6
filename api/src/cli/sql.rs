//! The command `sql`: answers one SELECT over pseudonymous tables.

use super::output::{Output, print_note, table};
use super::reader::Reader;
use anyhow::{Context, bail};
use jobs::runner::settings::Settings;
use jobs::snapshot::{SnapshotFile, SnapshotStore};
use jobs::sql::worker::{QueryLimits, ask};
use jobs::sql::{SOURCES, TABLES, Visibility, check, sources, tables};
use schema::Db;
use schema::keys::Keys;
use schema::pseudonyms::Audience;
use serde::Serialize;
use serde_json::{Map, Value};
use std::io::Read;
use std::process::ExitCode;
use std::time::Duration;

/// Largest answer, in bytes: the command holds it in memory.
const LARGEST_ANSWER: u32 = 64 * 1024 * 1024;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// One SELECT, or - to read it from standard input; without it, list the tables
    query: Option<String>,
    /// Maximum number of rows
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    rows: u32,
    /// Memory limit in megabytes
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
#[serde(rename_all = "camelCase")]
struct Document {
    columns: Vec<jobs::sql::ColumnType>,
    rows: Vec<Map<String, Value>>,
    truncated: bool,
    position: i64,
    /// None for pseudonyms of a temporary key.
    key_version: Option<u32>,
}

#[derive(Serialize)]
struct Described {
    table: &'static str,
    columns: &'static [&'static str],
}

pub fn run(
    db: impl FnOnce() -> anyhow::Result<Db>,
    settings: &Settings,
    args: &Args,
    out: &Output,
) -> anyhow::Result<ExitCode> {
    let Some(query) = &args.query else {
        let all: Vec<Described> = TABLES.into_iter().map(|(table, columns)| Described { table, columns }).collect();
        out.print(&all, |all| {
            table(&["TABLE", "COLUMNS"], all.iter().map(|one| vec![one.table.to_owned(), one.columns.join(", ")]))
        })?;
        return Ok(ExitCode::SUCCESS);
    };
    let mut sql = query.clone();
    if sql == "-" {
        sql.clear();
        std::io::stdin().read_to_string(&mut sql).context("standard input")?;
    }
    // Check the query before the register is loaded.
    let question = check(&sql)?;
    let keys = settings.keys.as_deref();
    let passing = if keys.is_none() { Some(Keys::ephemeral()) } else { None };
    let Some(of) = keys.or(passing.as_ref()) else { bail!("there is no key for pseudonyms") };
    let pseudonyms = of.pseudonyms(Audience::Role(args.reader.role()));
    let db = db()?;
    // Only a server writes the file: what another user writes here, the server could not replace.
    let file = SnapshotFile::of(&db, &settings.snapshot, settings.keys.clone());
    let snapshot = SnapshotStore::load_kept(&db, file.as_ref())?.current();
    let shows_sources = args.reader == Reader::Board && question.names(SOURCES);
    let sources = if shows_sources { Some(db.read(sources)?) } else { None };
    let visibility = Visibility { pseudonyms: &pseudonyms, sources: sources.as_deref() };
    let found = tables(&snapshot, &visibility, &question)?;
    if keys.is_none()
        && (question.may_need("officer") || question.may_need("enterprise") || question.may_need("complaint"))
    {
        print_note("note: without --key-file, pseudonyms come from a temporary key: another run has other pseudonyms");
    }
    let time = Duration::from_secs(u64::from(args.seconds));
    let answer = ask(
        &question,
        found,
        QueryLimits { rows: args.rows, memory_mb: args.memory_mb, answer_bytes: LARGEST_ANSWER, time },
    )?;
    if answer.truncated {
        print_note(format!("note: there are more than {} rows: --rows N shows more", args.rows));
    }
    let document = Document {
        rows: answer.objects(),
        columns: answer.columns.clone(),
        truncated: answer.truncated,
        position: snapshot.position,
        key_version: keys.map(Keys::version),
    };
    let names: Vec<&str> = document.columns.iter().map(|one| one.name.as_str()).collect();
    out.print_table(&document, &names, &answer.rows)?;
    Ok(ExitCode::SUCCESS)
}
