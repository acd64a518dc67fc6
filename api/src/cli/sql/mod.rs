//! The command `sql`: answers a question over pseudonymous tables, from the database or from a server; without a
//! question on a terminal it is a prompt.

mod answer;
mod complete;
mod interrupt;
mod lake;
mod pager;
mod print;
mod register;
mod saved;
mod server;
mod session;
mod statement;
mod way;

use super::output::{Format, Output, print_note, table};
use super::reader::Reader;
use anyhow::Context;
use interrupt::{INTERRUPTED, Interrupts};
use jobs::runner::settings::Settings;
use jobs::tables::{TABLES, Table};
pub use lake::{LakeOfFolder, Limits};
pub use print::print as print_answer;
use register::Register;
use saved::{Asked, Wanted};
use schema::Db;
use serde::Serialize;
use serde_json::Value;
use server::Server;
use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::process::ExitCode;
use way::{OpenDb, Way};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// One SELECT, @NAME for a saved question, or - to read it from standard input; without it: a prompt on a terminal, else the list of tables
    query: Option<String>,
    /// Value of a parameter of the saved question, as name=value
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = saved::name_and_value)]
    given: Vec<(String, String)>,
    /// Version of the saved question [default: the newest]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    query_version: Option<i32>,
    /// Value of $1, $2, … in the order of the options: JSON, or a text
    #[arg(long = "parameter", value_name = "VALUE")]
    parameters: Vec<String>,
    /// Maximum number of rows
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    rows: u32,
    /// Memory limit in megabytes
    #[arg(
        long,
        default_value_t = 4_096,
        value_parser = clap::value_parser!(u32).range(512..=1_048_576),
        conflicts_with = "server"
    )]
    memory_mb: u32,
    /// Time limit in seconds
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    seconds: u32,
    /// Role for which to derive pseudonyms: those of its answers
    #[arg(long = "for", value_name = "ROLE", value_enum, default_value_t, conflicts_with = "server")]
    reader: Reader,
    /// Ask the server at this address instead of a database, with the token in PHANANH_TOKEN or --token-file
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Ask the lake in this folder instead of a database, for the role that it is made for
    #[arg(long, value_name = "DIR", conflicts_with = "server")]
    lake: Option<PathBuf>,
    /// Let a cluster that speaks Spark Connect answer (sc://HOST:PORT); it must see the lake in the same place
    #[arg(long, value_name = "URL", requires = "lake")]
    engine: Option<String>,
    /// The folder of the lake as the cluster sees it, if that is another one
    #[arg(long, value_name = "URL", requires = "engine")]
    lake_url: Option<String>,
    /// File with the token for the server
    #[arg(long, value_name = "FILE", requires = "server")]
    token_file: Option<PathBuf>,
}

/// A table in the list of tables.
#[derive(Serialize)]
struct Described {
    table: &'static str,
    columns: Vec<&'static str>,
    comment: &'static str,
}

/// Runs `phananh sql`.
///
/// # Errors
/// If options contradict each other, the question fails, or the target or the output fails.
pub fn run(
    db: impl Fn() -> anyhow::Result<Db>,
    settings: &Settings,
    args: &Args,
    out: &Output,
) -> anyhow::Result<ExitCode> {
    let on_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let Some(query) = &args.query else {
        if on_terminal && out.format() == Format::Text {
            return session::run(&way(&db, settings, args)?);
        }
        list(out)?;
        return Ok(ExitCode::SUCCESS);
    };
    let mut sql = query.clone();
    if sql == "-" {
        sql.clear();
        std::io::stdin().read_to_string(&mut sql).context("standard input")?;
    }
    print::check_target(out.format())?;
    let parameters: Vec<Value> = args.parameters.iter().map(|text| parameter(text)).collect();
    let saved = sql.strip_prefix('@').map(|name| name.trim().to_owned());
    saved::check(saved.as_deref(), args)?;
    let way = way(&db, settings, args)?;
    let asked = match &saved {
        Some(name) => way.saved(&Wanted { name, version: args.query_version, given: args.given.clone() })?,
        None => Asked { title: String::new(), text: sql, values: parameters },
    };
    if way.has_temporary_key() && statement::may_show_pseudonyms(&asked.text) {
        print_note("note: without --key-file, pseudonyms are of a temporary key: another run has others");
    }
    // Ctrl-C cancels the question, so that the audit log has it, too.
    let interrupts = Interrupts::handled()?;
    let running = way.begin();
    let asking = interrupts.asking(running.clone());
    match way.ask(&running, &asked).and_then(|answer| print_answer(answer, out)) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(_) if asking.was_cancelled() => {
            print_note("cancelled");
            Ok(ExitCode::from(INTERRUPTED))
        }
        Err(error) => Err(error),
    }
}

fn way<'d>(db: OpenDb<'d>, settings: &Settings, args: &Args) -> anyhow::Result<Way<'d>> {
    Ok(match (&args.server, &args.lake) {
        (Some(address), _) => Way::Server(Server::new(address, args)?),
        (None, Some(dir)) => {
            let limits = Limits { rows: u64::from(args.rows), memory_mb: args.memory_mb, seconds: args.seconds };
            let lake = LakeOfFolder::open(dir, args.engine.as_deref(), args.lake_url.as_deref(), limits)?;
            Way::Lake(Box::new(lake), db)
        }
        (None, None) => Way::Register(Box::new(Register::open(db()?, settings, args)?)),
    })
}

/// Most digits that a floating-point number holds.
const EXACT_DIGITS: usize = 15;

/// A parameter of the command line: JSON where it is a value of JSON, else a text. A number that JSON's reader may
/// round is a text, too.
fn parameter(text: &str) -> Value {
    let is_long = text.bytes().filter(u8::is_ascii_digit).count() > EXACT_DIGITS;
    match serde_json::from_str(text) {
        Ok(Value::Number(number)) if is_long && number.as_i64().is_none() => Value::from(text),
        Ok(value) => value,
        Err(_) => Value::from(text),
    }
}

fn list(out: &Output) -> anyhow::Result<()> {
    let described = |one: &&'static Table| Described {
        table: one.name,
        columns: one.columns.iter().map(|column| column.name).collect(),
        comment: one.comment,
    };
    let all: Vec<Described> = TABLES.iter().map(described).collect();
    out.print(&all, |all| {
        table(&["TABLE", "COLUMNS"], all.iter().map(|one| vec![one.table.to_owned(), one.columns.join(", ")]))
    })
}
