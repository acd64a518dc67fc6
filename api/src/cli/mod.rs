//! The command line: arguments, commands and exit statuses, on which scripts rely.

mod account;
mod alerts;
mod audit;
mod backtest;
mod backup;
mod classify;
mod demo;
mod digest;
mod evidence;
mod export;
mod flags;
mod generate;
mod holidays;
mod import;
mod jobs;
mod key;
mod lacks;
mod lake;
mod lists;
mod migrate;
mod noted;
mod output;
mod progress;
mod queries;
mod reader;
mod reorganise;
mod routing;
mod rules;
mod serve;
mod sql;
mod token;
mod webhook;

use crate::access::Readers;
use crate::config::{ApiSettings, SqlSettings};
use ::jobs::digest::reader::know_rights;
use ::jobs::runner::settings::Settings;
use ::jobs::scheduled::REGISTRY;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use output::{Format, Output};
use schema::keys::Keys;
use schema::register::use_rules;
use schema::{Conn, Db};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// The complaint register and early-warning system of the Project Board.
#[derive(Debug, Parser)]
#[command(name = "phananh", version, max_term_width = 100)]
struct Cli {
    /// Database: sqlite:PATH or postgres://USER@HOST/NAME
    #[arg(
        long,
        global = true,
        env = "PHANANH_DATABASE_URL",
        default_value = "sqlite:phananh.db",
        hide_env_values = true
    )]
    database: String,

    /// Configuration file: schedules of jobs, delivery of digests, limits (docs/phananh.toml has the defaults)
    #[arg(long, global = true, env = "PHANANH_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,

    /// Key file, kept outside the database: it signs seals and makes pseudonyms
    #[arg(long, global = true, env = "PHANANH_KEY_FILE", value_name = "FILE")]
    key_file: Option<PathBuf>,

    /// Format of the output: text for people (`table` means the same), json for programs, csv for lists
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    format: Format,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create the tables of the database, or migrate them to this version
    Migrate,
    /// Serve GraphQL over HTTP
    Serve(serve::Args),
    /// Make an invented register, run its jobs and serve it
    Demo(demo::Args),
    /// Read complaints or reference data from a CSV file
    Import(import::Args),
    /// Apply a reorganisation of units, or show what it would do
    Reorganise(reorganise::Args),
    /// List public holidays, and change those that the register has itself
    #[command(subcommand)]
    Holidays(holidays::Command),
    /// List the rules that say which unit has to answer, and change them
    #[command(subcommand)]
    Routing(routing::Command),
    /// Make an invented register for trials
    Generate(generate::Args),
    /// Run jobs and show their results
    #[command(subcommand)]
    Jobs(jobs::Command),
    /// Preview the Board's digest, and manage who receives it
    #[command(subcommand)]
    Digest(digest::Command),
    /// List alerts, and manage who gets them by mail
    #[command(subcommand)]
    Alerts(alerts::Command),
    /// Manage the addresses that get signed messages about alerts and digests
    #[command(subcommand)]
    Webhook(webhook::Command),
    /// Show who is flagged, and why
    #[command(subcommand)]
    Flags(flags::Command),
    /// Measure how well rankings of the past found officers with complaints that were sustained later
    Backtest(backtest::Args),
    /// Train the classifier that suggests categories, measure it, and list its versions
    #[command(subcommand)]
    Classify(classify::Command),
    /// Show what a rule would have found
    #[command(subcommand)]
    Rules(rules::Command),
    /// Ask the register or a server in SQL, with pseudonyms for people and enterprises; without a query on a
    /// terminal: a prompt
    Sql(sql::Args),
    /// List, save and delete questions in SQL that `sql @NAME` and the API run
    #[command(subcommand)]
    Queries(queries::Command),
    /// Write a table to a file: CSV, Parquet, Arrow or XLSX, with pseudonyms for people and enterprises
    Export(export::Args),
    /// Keep the tables of analysts as Parquet files in a folder, for DuckDB, Spark and the like
    #[command(subcommand)]
    Lake(lake::Command),
    /// Seal the register and its audit log, and verify them
    #[command(subcommand)]
    Audit(audit::Command),
    /// Create or rotate the key file
    #[command(subcommand)]
    Key(key::Command),
    /// Copy an SQLite register to a file while it is in use; for PostgreSQL see docs/operations.md
    Backup(backup::BackupArgs),
    /// Restore an SQLite register from a backup; for PostgreSQL see docs/operations.md
    Restore(backup::RestoreArgs),
    /// Create tokens for people and programs, and revoke them
    #[command(subcommand)]
    Token(token::Command),
    /// List the accounts of another issuer (OpenID Connect, JWT), and disable them
    #[command(subcommand)]
    Account(account::Command),
}

/// Exit status of a command that rejected some rows and processed the others.
const SOME_REJECTED: u8 = 3;

/// Runs the command line. Exit statuses: 0 success, 1 failure, 2 wrong usage, 3 some rows rejected.
pub fn main() -> ExitCode {
    // clap itself exits with 2 for wrong usage.
    let cli = Cli::from_arg_matches(&with_negative_numbers(Cli::command()).get_matches()).unwrap_or_else(|e| e.exit());
    let _traces = crate::traces::start();
    if cli.format.is_binary() && !matches!(cli.command, Command::Sql(_)) {
        let message = "only `sql` prints --format arrow and parquet: take text, json or csv";
        Cli::command().error(clap::error::ErrorKind::InvalidValue, message).exit();
    }
    if cli.format == Format::Csv && !lists::prints_list(&cli.command) {
        Cli::command().error(clap::error::ErrorKind::InvalidValue, output::NO_LIST).exit();
    }
    let out = Output::new(cli.format);
    match run(&cli, &out) {
        Ok(code) => code,
        Err(error) => {
            output::print_error(&error);
            ExitCode::from(1)
        }
    }
}

/// Allows negative values: `--min -3` reports a value out of range, not an unknown option.
fn with_negative_numbers(command: clap::Command) -> clap::Command {
    let takes = |arg: clap::Arg| match arg.get_action().takes_values() && !arg.is_positional() {
        true => arg.allow_negative_numbers(true),
        false => arg,
    };
    command.mut_args(takes).mut_subcommands(with_negative_numbers)
}

fn run(cli: &Cli, out: &Output) -> anyhow::Result<ExitCode> {
    // Report wrong settings before anything else happens.
    let mut settings =
        cli.config.as_deref().map(|file| Settings::load(file, REGISTRY)).transpose()?.unwrap_or_default();
    // The maps of digests have the shapes of the page.
    settings.places = ApiSettings::of(&settings)?.web.places;
    SqlSettings::of(&settings)?;
    if let Command::Key(command) = &cli.command {
        return key::run(command, out);
    }
    know_rights(&Readers);
    settings.keys = cli.key_file.as_deref().map(Keys::load).transpose()?.map(Arc::new);
    let open = || register_or_new(Db::open(&cli.database)?, &settings);
    let existing = || existing_register(Db::open_existing(&cli.database)?, &settings);
    match &cli.command {
        Command::Migrate => migrate::run(&Db::open(&cli.database)?, &settings, out),
        Command::Serve(args) => serve::run(&cli.database, settings, args),
        Command::Demo(args) => demo::run(args, settings),
        Command::Import(args) => {
            import::run(args, &cli.database, &settings, || Db::open_for_import(&cli.database), out)
        }
        Command::Generate(args) => {
            if let Some(status) = generate::lake(args, out)? {
                return Ok(status);
            }
            args.parameters().check()?;
            generate::run(args, &register_or_new(Db::open_for_import(&cli.database)?, &settings)?, out)
        }
        // Report a wrong file before a database is opened.
        Command::Reorganise(args) => {
            let plan = args.plan()?;
            reorganise::run(&existing()?, args, &plan, out)
        }
        Command::Holidays(command) => {
            let plan = command.plan()?;
            holidays::run(&existing()?, plan, out)
        }
        Command::Routing(command) => routing::run(&existing()?, command, out),
        Command::Jobs(command) => jobs::run(&existing()?, &settings, command, out),
        Command::Digest(command) => {
            digest::run(&if command.prepares() { open()? } else { existing()? }, &settings, command, out)
        }
        Command::Alerts(command) => alerts::run(&existing()?, &settings, command, out),
        Command::Webhook(command) => webhook::run(&existing()?, &settings, command, out),
        Command::Flags(command) => flags::run(&existing()?, command, out),
        Command::Backtest(args) => backtest::run(&existing()?, args, out),
        Command::Classify(command) => classify::run(existing, &settings, command, out),
        Command::Rules(command) => rules::run(&existing()?, command, out),
        Command::Sql(args) => sql::run(existing, &settings, args, out),
        // Report a wrong file before a database is opened.
        Command::Queries(command) => {
            let plan = command.plan()?;
            queries::run(&existing()?, plan, out)
        }
        Command::Export(args) => export::run(&existing()?, &cli.database, &settings, args, out),
        Command::Lake(command) => lake::run(existing, &settings, command, out),
        // A backup must not migrate the register: it is made before an upgrade.
        Command::Backup(args) => backup::back_up(&Db::open_existing(&cli.database)?, args, out),
        Command::Restore(args) => backup::restored(&cli.database, args, out),
        // A verification changes nothing and does not rely on the list of migrations.
        Command::Audit(command @ audit::Command::Verify { .. }) => {
            audit::run(&Db::open_existing(&cli.database)?, &settings, command, out)
        }
        Command::Audit(command) => audit::run(&existing()?, &settings, command, out),
        // Handled before a database is opened.
        Command::Key(command) => key::run(command, out),
        Command::Token(command) => token::run(&if command.makes_one() { open()? } else { existing()? }, command, out),
        Command::Account(command) => account::run(&existing()?, &settings, command, out),
    }
}

/// Opens an existing register. Commands that read or change a register never create one: on a new register `flags
/// list` would succeed and report no flags.
fn existing_register(db: Db, settings: &Settings) -> anyhow::Result<Db> {
    anyhow::ensure!(
        db.read(Conn::holds_register)?,
        "the database holds no register: check --database (PHANANH_DATABASE_URL); `phananh migrate` makes an empty one"
    );
    migrated(db, settings)
}

/// Opens the register of a database, and creates it if there is none.
fn register_or_new(db: Db, settings: &Settings) -> anyhow::Result<Db> {
    let is_new = !db.read(Conn::holds_register)?;
    let db = migrated(db, settings)?;
    if is_new {
        output::print_note("note: the database held no register: an empty one was made");
    }
    Ok(db)
}

fn no_unit(code: &str) -> String {
    format!("there is no unit {code:?}: `phananh sql \"SELECT code FROM units\"` lists the codes")
}

/// Migrates a register, and makes it count deadlines by the files that the settings name.
fn migrated(db: Db, settings: &Settings) -> anyhow::Result<Db> {
    db.migrate()?;
    use_rules(&db, settings.clock_files().map_err(anyhow::Error::msg)?.as_ref())?;
    if db.read(schema::register::demonstration::mark)?.is_some() {
        output::print_note("note: the database holds demonstration data: everything in it is invented");
    }
    Ok(db)
}
