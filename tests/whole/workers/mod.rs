//! Two hundred workers on a hundred complaints at the same time, while the tree of units, the calendar and officers
//! change and jobs run: no change is lost, no seal breaks, and nobody is told of a lock.

mod beside;
mod comparison;
mod requests;
mod steps;

use crate::program;
use schema::db::WriteTx;
use schema::enums::Role;
use schema::register::access::{Holder, create_token};
use schema::register::{source_of, submit};
use schema::{Id, StoreError, Timestamp};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI32, AtomicUsize};
use std::sync::{Barrier, Mutex};
use tests::fixtures::{Files, submission};
use tests::verification::{found, verify};
use tests::{Connections, Database, Server, TestApp};

const COMPLAINTS: usize = 100;
const WORKERS: usize = 200;
/// The complaints that are answered before the workers begin: complainants act on these first.
const ANSWERED: usize = 20;

/// Each of these has to succeed at least once: where all are refused, nothing is proved.
const MUTATIONS: [&str; 23] = [
    "addToComplaint",
    "assignComplaint",
    "changeComplaintState",
    "classifyComplaint",
    "closeUnit",
    "confirmClassifications",
    "confirmSatisfaction",
    "correctComplaint",
    "createUnit",
    "decideCorrection",
    "linkDuplicate",
    "mergeOfficers",
    "proposeCorrection",
    "recordFinding",
    "reopenByReceipt",
    "respondToComplaint",
    "resumeClock",
    "setHolidays",
    "splitOfficer",
    "suspendClock",
    "transferComplaint",
    "unlinkDuplicate",
    "withdrawByReceipt",
];

/// 5 March 2024.
const LONG_AGO: i64 = 1_709_600_000_000_000;

/// Two hundred connections may begin a request at once, and wait for one another as long as they have to.
const SETTINGS: &str = "[api]\nincomplete_requests_per_address = 1000\n[api.limits]\ndeadline_ms = 60000\n\
    [api.intake]\nrequests_per_minute = 1000000\nattempts_per_minute = 1000000\n";

/// A complaint that the workers change.
struct Complaint {
    id: Id,
    receipt: String,
    /// The newest version that a worker has seen.
    version: AtomicI32,
}

/// The holder of a token.
struct Member {
    /// The name of the holder in events.
    actor: String,
    token: String,
}

/// A proposed correction of a complaint that waits for the Board.
struct Waiting {
    id: Value,
    complaint: usize,
    reason: String,
}

/// A change that an answer confirmed.
#[derive(Debug)]
struct Done {
    complaint: usize,
    actor: String,
    /// The versions before and after it; None where the answer tells none.
    versions: Option<(i32, i32)>,
    /// The reason that its event gives, if it gives one.
    reason: Option<String>,
}

/// What workers have seen.
#[derive(Debug, Default)]
struct Seen {
    done: Vec<Done>,
    conflicts: usize,
    proposals: usize,
    /// The mutations of which one at least was done.
    succeeded: BTreeSet<String>,
    /// Answers that no worker may get.
    failures: Vec<String>,
}

/// What the workers share.
struct Shop<'s> {
    connections: Connections,
    servers: &'s [Server],
    complaints: Vec<Complaint>,
    waiting: Mutex<Vec<Waiting>>,
    board: Vec<Member>,
    /// Heads of the general department, which stands above all units.
    heads: Vec<Member>,
    admin: Member,
    /// The number of the unit that was made last; 0 before there is one.
    newest_unit: AtomicUsize,
}

#[test]
fn two_hundred_workers_on_a_hundred_complaints_lose_no_change_and_break_no_seal() {
    for app in TestApp::both().world() {
        let files = Files::new();
        let [flag, config] = files.config("workers.toml", SETTINGS);
        let nodes = if app.database.name == "sqlite" { 1 } else { 2 };
        let serve = |_| program().serve(&app.database, &["--no-jobs", &flag, &config]);
        let servers: Vec<Server> = (0..nodes).map(serve).collect();
        let shop = Shop::open(&app.database, &servers);
        // Two workers want the first version of each complaint, and one of them gets it.
        let first = shop.at_once(|worker, seen| shop.classify_the_first_version(worker, seen));
        assert_eq!((first.done.len(), first.conflicts), (COMPLAINTS, WORKERS - COMPLAINTS), "{:?}", first.failures);
        let answered = shop.at_once(|worker, seen| shop.answer_the_first(worker, seen));
        assert_eq!(answered.done.len(), ANSWERED, "{:?}", answered.failures);
        let mut all = shop.at_once_with_others(&app.database);
        assert!(all.done.len() > 100 && all.conflicts > 10, "{} done, {} conflicts", all.done.len(), all.conflicts);
        all.add(first);
        all.add(answered);
        assert!(all.failures.is_empty(), "on {}: {:#?}", app.database.name, all.failures);
        let done: Vec<&str> = all.succeeded.iter().map(String::as_str).collect();
        assert_eq!(done, MUTATIONS, "what succeeded at least once on {}", app.database.name);
        shop.compare_with_the_events(&app.database, &all);
        shop.compare_with_the_histories(&all.done);
        let key = files.key_file();
        app.run(&["audit", "seal", "--key-file", &key]);
        let (status, report) = verify(&app.database, &key, &[]);
        assert_eq!((status, found(&report)), (0, vec![]), "{}: {report}", app.database.name);
    }
}

impl<'s> Shop<'s> {
    fn open(database: &Database, servers: &'s [Server]) -> Self {
        let opened = database.open().write("cli", |tx| {
            let complaints = submitted(tx)?;
            let board = members(tx, "member", (Role::Board, None), 15)?;
            let heads = members(tx, "head", (Role::UnitHead, Some("TC")), 5)?;
            let admin = members(tx, "admin", (Role::Admin, None), 1)?.remove(0);
            Ok((complaints, board, heads, admin))
        });
        let (complaints, board, heads, admin) = opened.expect("complaints and tokens").value;
        let connections = Connections::keeping(WORKERS);
        let (waiting, newest_unit) = (Mutex::default(), AtomicUsize::new(0));
        Self { connections, servers, complaints, waiting, board, heads, admin, newest_unit }
    }

    /// Lets all workers work, and others at the same time. Returns what all of them have seen.
    fn at_once_with_others(&self, database: &Database) -> Seen {
        std::thread::scope(|scope| {
            let administers = scope.spawn(|| {
                let mut seen = Seen::default();
                self.administer(&mut seen);
                seen
            });
            let merges = scope.spawn(|| {
                let mut seen = Seen::default();
                self.merge_and_split(&mut seen);
                seen
            });
            let jobs = scope.spawn(|| beside::run_jobs(database));
            let mut all = self.at_once(|worker, seen| self.work(worker, seen));
            all.add(administers.join().expect("the ADMIN"));
            all.add(merges.join().expect("the Board"));
            jobs.join().expect("the jobs");
            all
        })
    }

    /// Lets all workers begin at once. Returns what they have seen.
    fn at_once(&self, work: impl Fn(usize, &mut Seen) + Sync) -> Seen {
        let barrier = Barrier::new(WORKERS);
        let (barrier, work) = (&barrier, &work);
        std::thread::scope(|scope| {
            let start = |worker| {
                scope.spawn(move || {
                    let mut seen = Seen::default();
                    barrier.wait();
                    work(worker, &mut seen);
                    seen
                })
            };
            let workers: Vec<_> = (0..WORKERS).map(start).collect();
            let mut all = Seen::default();
            for worker in workers {
                all.add(worker.join().expect("a worker"));
            }
            all
        })
    }
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.done.extend(other.done);
        self.failures.extend(other.failures);
        self.conflicts += other.conflicts;
        self.proposals += other.proposals;
        self.succeeded.extend(other.succeeded);
    }
}

/// Submits the complaints. Of each ten one names an officer, and of each four one is overdue.
fn submitted(tx: &mut WriteTx<'_>) -> Result<Vec<Complaint>, StoreError> {
    let mut complaints = Vec::with_capacity(COMPLAINTS);
    for number in 0..COMPLAINTS {
        let mut content = submission(format!("Hồ sơ số {number} bị trả lại."));
        if number % 10 == 0 {
            content.officers = vec!["CC03".to_owned()];
        }
        if number % 4 == 1 {
            content.received_at = Timestamp::from_micros(LONG_AGO);
        }
        let submitted = submit(tx, &source_of("workers"), &number.to_string(), &content)?;
        let receipt = submitted.receipt.expect("a new complaint has a code").shown();
        complaints.push(Complaint { id: submitted.complaint.id, receipt, version: AtomicI32::new(1) });
    }
    Ok(complaints)
}

/// Makes tokens of a role.
fn members(
    tx: &mut WriteTx<'_>,
    kind: &str,
    (role, unit): (Role, Option<&str>),
    number: usize,
) -> Result<Vec<Member>, StoreError> {
    let mut members = Vec::with_capacity(number);
    for nth in 0..number {
        let name = format!("{kind} {nth}");
        let holder = Holder { name: &name, role, unit, officer: None, outside: false };
        members.push(Member { token: create_token(tx, holder, None)?, actor: format!("token:{name}") });
    }
    Ok(members)
}
