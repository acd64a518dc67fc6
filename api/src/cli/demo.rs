//! The command `demo`: makes an invented register, runs its jobs, writes digests and serves it.

use super::output::print_note;
use super::progress::{Interruptible, counting};
use crate::http::{Server, ServerOptions, listen};
use anyhow::Context as _;
use chrono::{Days, NaiveDate};
use jobs::digest::outbox;
use jobs::runner::job::Context;
use jobs::runner::ledger;
use jobs::runner::settings::Settings;
use jobs::scheduled::REGISTRY;
use schema::enums::{DeliveryChannel, Locale, Role};
use schema::register::access::{Holder, create_token, revoke_tokens};
use schema::register::{demonstration, use_rules};
use schema::world::{Bursts, Parameters, generate};
use schema::{Db, StoreError};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address to listen on; port 0 takes a free port
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8080")]
    listen: String,
}

/// The demonstration database, in the working directory: the command touches no other database.
const FILE: &str = "phananh-demo.db";
/// The folder for its digests.
const FOLDER: &str = "phananh-demo-digests";
const COMPLAINTS: usize = 50_000;
const SEED: u64 = 2014;
/// Days between the first two digests, so that the second reports changes.
const BETWEEN: Days = Days::new(7);

/// Runs `phananh demo`: generates the demonstration and serves it.
///
/// # Errors
/// If the address cannot be bound, the folder cannot be written, or the database or the server fails.
pub fn run(args: &Args, settings: Settings) -> anyhow::Result<ExitCode> {
    // Check the address and the database before the long part.
    let listener = listen(&args.listen)?;
    let folder = std::env::current_dir()?.join(FOLDER);
    let db = open()?;
    let mut interruptible = Interruptible::new(counting(COMPLAINTS, "complaints")?)?;
    let until = match db.read(demonstration::mark)? {
        Some(mark) => {
            print_note(format_args!("{FILE}: {} invented complaints up to {}", mark.complaints, mark.until));
            if mark.until < super::jobs::yesterday()? {
                print_note(format_args!("its data ends some days ago: delete {FILE} to make data up to yesterday"));
            }
            mark.until
        }
        None => {
            let until = super::jobs::yesterday()?;
            print_note(format_args!("making {COMPLAINTS} invented complaints up to {until} in {FILE} …"));
            let parameters = Parameters { complaints: COMPLAINTS, seed: SEED, until, bursts: Bursts::default() };
            let made = generate(&db, parameters, &mut |stored| interruptible.at(stored));
            interruptible.finish();
            if let Err(error) = made {
                return stopped_or(&interruptible, error.into());
            }
            until
        }
    };
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    if let Err(error) = run_jobs(&db, &settings, until, &folder, &interruptible) {
        return stopped_or(&interruptible, error);
    }
    // Each start creates a token and revokes those of earlier starts.
    let token = db.write("demo", |tx| {
        revoke_tokens(tx, "demo")?;
        let holder = Holder { name: "demo", role: Role::Board, unit: None, officer: None, outside: false };
        create_token(tx, holder, None)
    })?;
    let token = token.value;
    actix_web::rt::System::new().block_on(async {
        let options = ServerOptions { database: format!("sqlite:{FILE}"), dev: true, settings, jobs: true };
        let server = Server::new(db.clone(), listener, options)?;
        let address = server.address()?;
        let open = format!("{address}{}", server.one_time_path(&token));
        server.run(move || welcome(&address, &open, &token, &folder, until)).await
    })?;
    Ok(ExitCode::SUCCESS)
}

/// An interruption is a successful end of the demonstration.
fn stopped_or(interruptible: &Interruptible, error: anyhow::Error) -> anyhow::Result<ExitCode> {
    if interruptible.check_cancelled() {
        return Err(error);
    }
    print_note("interrupted: start it again to continue");
    Ok(ExitCode::SUCCESS)
}

fn open() -> anyhow::Result<Db> {
    let here = || format!("the demonstration keeps its database {FILE} in the working directory");
    let existed = Path::new(FILE).exists();
    let db = Db::open_for_import(&format!("sqlite:{FILE}")).with_context(here)?;
    db.migrate().with_context(|| {
        if existed {
            format!("{FILE} has another version, or the folder is not writable: delete the file or use another folder")
        } else {
            format!("{}: can the folder be written to?", here())
        }
    })?;
    use_rules(&db, None)?;
    if db.read(|conn| Ok(demonstration::mark(conn)?.is_none() && demonstration::is_used(conn)?))? {
        anyhow::bail!("{FILE} holds real data: the demonstration needs its own file, start it in another folder");
    }
    Ok(db)
}

/// Runs the jobs for the two days of the first digests, unless they ran, and delivers the digests.
fn run_jobs(
    db: &Db,
    settings: &Settings,
    until: NaiveDate,
    folder: &Path,
    interruptible: &Interruptible,
) -> anyhow::Result<()> {
    let address = folder.display().to_string();
    db.write("demo", |tx| outbox::subscribe(tx, DeliveryChannel::Folder, &address, Locale::Vi))?;
    let context = Context { db, settings, jobs: REGISTRY, snapshots: None, rules: None, stop: None };
    for day in [until - BETWEEN, until] {
        let digests = db.read(|conn| jobs::digest::stored(conn, 100))?;
        if digests.iter().any(|digest| digest.as_of == day) {
            continue;
        }
        for name in ["recurrence", "timeliness", "trends", "escalate-overdue", "digest"] {
            anyhow::ensure!(interruptible.check_cancelled(), "interrupted");
            print_note(format_args!("running {name} as of {day} …"));
            let job = REGISTRY.find(name).with_context(|| format!("the job {name}"))?;
            ledger::run_now(&context, job, day)?;
        }
    }
    // A folder has one language: write the other one beside it.
    for digest in db.read(|conn| jobs::digest::stored(conn, 4))? {
        jobs::digest::write_files(folder, &digest).map_err(StoreError::Rule)?;
    }
    let deliver = REGISTRY.find("deliver-digests").context("the job deliver-digests")?;
    ledger::run_now(&context, deliver, until)?;
    Ok(())
}

/// Example queries.
pub const QUERIES: [(&str, &str); 3] = [
    (
        "who is complained about by many enterprises",
        "{ flags(filter: {tier: {eq: SUSPENSION_REVIEW}}, first: 5) { totalCount nodes { officer { code record(days: 365) { complaints distinctEnterprises } } reasonVi } } }",
    ),
    (
        "what goes wrong, and where",
        "{ complaintStatistics(groupBy: [DEPARTMENT, KIND], orderBy: [{field: COMPLAINTS, direction: DESC}], first: 10) { rows { department { nameVi } kind complaints distinctEnterprises costVnd } } }",
    ),
    (
        "how a department answers",
        "{ unit(code: \"02\") { nameVi scorecard(days: 90) { complaints episodes shareAnsweredInTime medianDaysToResponse open overdue costVnd } } }",
    ),
];

fn welcome(address: &str, open: &str, token: &str, folder: &Path, until: NaiveDate) {
    let digest: PathBuf = folder.join(format!("phan-anh-{until}-vi.html"));
    println!("address: {address}");
    println!("open: {open}");
    println!("token: {token}");
    println!("digest: {}", digest.display());
    println!();
    println!("Everything in it is invented. The address after open: shows the page, once and within ten");
    println!("minutes; later sign in with the token at {address}. Then {address}/graphiql answers, too:");
    for (about, query) in QUERIES {
        println!();
        println!("# {about}");
        println!("{query}");
    }
    println!();
    println!("Ctrl-C ends it.");
}
