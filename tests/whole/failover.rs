//! A PostgreSQL whose host vanishes without a word: packets are dropped, and another host answers later.

use crate::program;
use diesel::prelude::*;
use schema::enums::RunState;
use schema::tables::{job_runs, seals};
use schema::{Db, Timestamp};
use serde_json::json;
use std::process::Command;
use std::time::{Duration, Instant};
use tests::fixtures::{self, Files};
use tests::{Database, Proxy, Server, wait_until};

pub const EVERY_SECOND: &str = "[api.limits]\ndeadline_ms = 2000\n[scheduler]\npoll_seconds = 10\n
    [jobs.escalate-overdue]\nschedule = \"* * * * * *\"\n[jobs.trends]\nschedule = \"* * * * * *\"\n";

/// How many runs of each second's jobs began after a time and ended well; of the job that has fewer.
pub fn runs_since(db: &Db, micros: i64) -> i64 {
    let since = Timestamp::from_micros(micros).unwrap();
    let of = |job: &'static str| {
        let runs = job_runs::table.filter(job_runs::job.eq(job)).filter(job_runs::state.eq(RunState::Succeeded));
        db.read(|conn| Ok(runs.filter(job_runs::started_at.gt(since)).count().get_result::<i64>(conn)?)).unwrap()
    };
    of("escalate-overdue").min(of("trends"))
}

/// The database is back: jobs, requests and seals are, too.
#[track_caller]
pub fn assert_goes_on(database: &Database, db: &Db, server: &Server, intake: &str) {
    let back = Timestamp::now().micros();
    wait_until(10, "jobs go on", || runs_since(db, back) > 0);
    let submit = "mutation { submitComplaint(input: {idempotencyKey: \"back\", unit: \"02CV\", category: \"HT\",
        legalForm: FEEDBACK, channel: PORTAL, text: \"a\"}) { reference } }";
    wait_until(10, "requests are answered", || {
        let answer = server.graphql(intake, submit, &json!({}));
        answer.status == 200 && answer.codes().is_empty()
    });
    wait_until(10, "it is ready", || server.get("/readyz").status == 200);
    let sealed = || db.read(|conn| Ok(seals::table.count().get_result::<i64>(conn)?)).unwrap();
    let before = sealed();
    wait_until(10, "seals go on", || sealed() > before);
    assert_eq!(database.rows()["complaints"], 7, "written once");
}

/// A namespace of the network with two wires to this one, of which one can be cut.
struct Wires {
    name: String,
    /// The second byte of its addresses.
    net: u32,
}

impl Wires {
    fn lay() -> Option<Self> {
        let net = 64 + std::process::id() % 128;
        let wires = Self { name: format!("phananh{net}"), net };
        let name = wires.name.as_str();
        let mut all = vec![format!("netns add {name}"), format!("-n {name} link set lo up")];
        for (n, wire) in [(1, "db"), (2, "web")] {
            let (here, there) = (format!("ph{net}{wire}a"), format!("ph{net}{wire}b"));
            all.push(format!("link add {here} type veth peer name {there} netns {name}"));
            all.push(format!("addr add 10.{net}.{n}.1/30 dev {here}"));
            all.push(format!("link set {here} up"));
            all.push(format!("-n {name} addr add 10.{net}.{n}.2/30 dev {there}"));
            all.push(format!("-n {name} link set {there} up"));
        }
        if all.iter().all(|line| ip(line)) {
            return Some(wires);
        }
        eprintln!("NOT TESTED: dropped packets, since no namespace of the network can be made here");
        None
    }

    /// No packet comes back from this side, and nobody is told.
    fn cut(&self, is_cut: bool) {
        assert!(ip(&format!("route {} blackhole 10.{}.1.2/32", if is_cut { "add" } else { "del" }, self.net)));
    }
}

impl Drop for Wires {
    fn drop(&mut self) {
        ip(&format!("route del blackhole 10.{}.1.2/32", self.net));
        ip(&format!("netns del {}", self.name));
    }
}

fn ip(line: &str) -> bool {
    Command::new("ip").args(line.split(' ')).output().is_ok_and(|done| done.status.success())
}

#[test]
fn a_node_goes_on_after_the_host_of_the_database_vanished() {
    let Some(wires) = Wires::lay() else { return };
    let net = wires.net;
    let database = Database::postgres();
    fixtures::fill(&database);
    let (intake, board) = (program().token(&database, "INTAKE", None), program().token(&database, "BOARD", None));
    let proxy = Proxy::at(&database, &format!("10.{net}.1.1"));
    let files = Files::new();
    let key = files.key_file();
    let config = files.put("phananh.toml", EVERY_SECOND);
    let config = config.to_str().unwrap();
    let args = ["--database", &proxy.url, "--config", config, "--key-file", &key];
    let server = program().serve_in(&wires.name, &format!("10.{net}.2.2"), &database, &args);
    let db = database.open();
    wait_until(20, "jobs run", || runs_since(&db, 0) > 2);
    let page = "{ complaints(first: 3) { nodes { reference officers { finding } } } }";
    server.data(&board, page);
    let idle = server.threads();
    wires.cut(true);
    proxy.abandon();
    let end = Instant::now() + Duration::from_secs(25);
    let mut most = 0;
    while Instant::now() < end {
        std::thread::scope(|scope| {
            let asked: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        let began = Instant::now();
                        (server.graphql(&board, page, &json!({})), began.elapsed())
                    })
                })
                .collect();
            let began = Instant::now();
            assert_eq!(server.get("/readyz").status, 503);
            assert!(began.elapsed() < Duration::from_millis(1_200), "{:?}", began.elapsed());
            for asked in asked {
                let (answer, took) = asked.join().unwrap();
                assert!([503, 504].contains(&answer.status), "{answer:?}");
                assert!(took < Duration::from_millis(5_000 + 2_000 + 500), "{took:?}");
            }
        });
        most = most.max(server.threads());
    }
    assert!(most <= idle + 64, "{most} threads, {idle} before");
    wires.cut(false);
    proxy.moved();
    assert_goes_on(&database, &db, &server, &intake);
    wires.cut(true);
    proxy.abandon();
    std::thread::sleep(Duration::from_secs(3));
    let began = Instant::now();
    server.end_by("TERM");
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
}
