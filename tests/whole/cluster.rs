//! The lake past one machine: the same questions on this machine's engine, and in a cluster of Sail.

use crate::program;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use tests::fixtures::Files;
use tests::{Database, Json, Role, TestApp, project, python};

/// A cluster. It ends with its standard input.
struct Cluster {
    child: Child,
    input: Option<ChildStdin>,
    address: String,
    told: Receiver<Value>,
}

impl Cluster {
    fn start() -> Self {
        let sail = python(&["pysail"], &[], &["pysail==0.7.2"]);
        let mut child = Command::new(sail)
            .arg(project().join("tests/clients/cluster.py"))
            .arg("2")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take(), child.stdout.take().unwrap());
        let (to, told) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _nobody_waits = to.send(serde_json::from_str::<Value>(&line).unwrap());
            }
        });
        let started = told.recv_timeout(Duration::from_secs(90)).expect("the cluster answers");
        Self { child, input, address: format!("sc://127.0.0.1:{}", started["port"]), told }
    }

    /// The next worker that started.
    fn worker(&self) -> i64 {
        self.told.recv_timeout(Duration::from_secs(90)).expect("a worker starts")["worker"].integer()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.input = None;
        let _ended = self.child.wait();
    }
}

fn kill(process: i64) {
    assert!(Command::new("kill").args(["-9", &process.to_string()]).status().unwrap().success());
}

/// A lake in a folder, and who is asked about it.
struct Asked<'a> {
    database: &'a Database,
    folder: String,
}

impl Asked<'_> {
    #[track_caller]
    fn rows(&self, question: &str, engine: &[&str]) -> Value {
        let arguments = [&["sql", question, "--lake", &self.folder][..], engine].concat();
        program().json(self.database, &arguments)["rows"].clone()
    }

    #[track_caller]
    fn refused(&self, question: &str, engine: &[&str]) -> String {
        let arguments = [&["sql", question, "--lake", &self.folder][..], engine].concat();
        let refused = program().run(self.database, arguments);
        assert_eq!((refused.status, refused.out.as_str()), (1, ""), "{refused:?}");
        refused.err
    }
}

const QUESTIONS: [&str; 10] = [
    "SELECT COUNT(*) AS n, COUNT(DISTINCT enterprise) AS e, SUM(cost_vnd) AS cost FROM complaints",
    "SELECT branch, COUNT(*) AS n FROM complaints GROUP BY branch ORDER BY n DESC, branch LIMIT 20",
    "SELECT kind, CAST(COUNT(*) AS DOUBLE) / SUM(COUNT(*)) OVER () AS part FROM complaints GROUP BY kind ORDER BY kind",
    "SELECT month, COUNT(*) AS n, LAG(COUNT(*)) OVER (ORDER BY month) AS earlier FROM complaints GROUP BY month
     ORDER BY month",
    "SELECT CAST(date_trunc('quarter', received_on) AS DATE) AS q, COUNT(*) AS n FROM complaints GROUP BY 1 ORDER BY 1",
    "WITH named AS (SELECT officer, COUNT(*) AS n FROM allegations GROUP BY officer)
     SELECT officer, n, RANK() OVER (ORDER BY n DESC) AS place FROM named ORDER BY n DESC, officer LIMIT 10",
    "SELECT u.peer_group, COUNT(*) AS n FROM allegations a JOIN complaints c ON c.complaint = a.complaint
     JOIN units u ON u.code = c.branch GROUP BY u.peer_group ORDER BY u.peer_group",
    "SELECT code FROM units u WHERE kind = 'BRANCH' AND NOT EXISTS (SELECT 1 FROM complaints c WHERE c.branch = u.code)
     ORDER BY code",
    "SELECT COUNT(*) AS n FROM complaints WHERE received_on BETWEEN DATE '2025-01-01' AND DATE '2025-06-30'",
    "SELECT complaint FROM complaints WHERE state = 'no such state'",
];

#[test]
fn a_cluster_answers_as_this_machine_does() {
    let cluster = Cluster::start();
    let files = Files::new();
    let folder = files.path().join("lake").display().to_string();
    let config = format!("[lake]\ndir = {folder:?}\nrole = \"BOARD\"\nengine = {:?}\n", cluster.address);
    let config = files.put("phananh.toml", config).display().to_string();
    let key = files.path().join("key").display().to_string();
    let app = TestApp::sqlite().generated(1_500, 11).arguments(&["--no-jobs", "--key-file", &key, "--config", &config]);
    program().run(&Database::sqlite(), ["key", "create", &key]).ok();
    let app = app.start();
    program().run(&app.database, ["lake", "sync", &folder, "--for", "BOARD", "--key-file", &key]).ok();
    let asked = Asked { database: &app.database, folder: folder.clone() };
    let there = ["--engine", cluster.address.as_str()];
    for question in QUESTIONS {
        let here = asked.rows(question, &[]);
        assert_eq!(asked.rows(question, &there), here, "{question}");
    }
    let with = ["--engine", &cluster.address, "--parameter", "' OR 1 = 1 --"];
    assert_eq!(asked.rows("SELECT COUNT(*) AS n FROM complaints WHERE kind = $1", &with), json!([{ "n": 0 }]));

    // What a cluster would read or execute with its own rights.
    for question in [
        "SELECT * FROM csv.`/etc/passwd`",
        "SELECT * FROM text.\"passwd\"",
        "SELECT * FROM secret",
        "SELECT reflect('java.lang.System', 'getenv', 'HOME')",
        "DROP VIEW complaints",
    ] {
        asked.refused(question, &there);
    }
    // On this machine the engine's process can open no other file.
    asked.refused("SELECT * FROM read_csv('/etc/passwd')", &[]);
    assert!(asked.refused("SELECT nope FROM complaints", &there).contains("nope"));
    let nowhere = asked.refused("SELECT 1", &["--engine", "sc://127.0.0.1:1"]);
    assert!(nowhere.contains("sc://127.0.0.1:1 does not answer"), "{nowhere}");
    let slow = "SELECT COUNT(*) AS n FROM complaints a, complaints b, complaints c
                WHERE a.cost_vnd + b.cost_vnd > c.cost_vnd";
    let late = asked.refused(slow, &[&there[..], &["--seconds", "2"]].concat());
    assert!(late.contains("took longer than 2000 ms"), "{late}");

    let board = app.as_role(Role::Board);
    let by_server = |source: &str| {
        let query = format!("{{ sql(query: \"SELECT COUNT(*) AS n FROM complaints\", source: {source}) {{ rows }} }}");
        board.data(&query)["sql"]["rows"].clone()
    };
    assert_eq!(by_server("LAKE"), by_server("REGISTER"));
    let team = app.as_role(Role::DataTeam).request("{ sql(query: \"SELECT 1\", source: LAKE) { rows } }");
    assert_eq!(team.codes(), ["BAD_USER_INPUT"], "it is the Board's: {team:?}");

    // The same statistics, and the lake says what it cannot count.
    for arguments in [
        "groupBy: [BRANCH]",
        "groupBy: [DEPARTMENT, MONTH], first: 50",
        "groupBy: [KIND, QUARTER], orderBy: [{field: COST_VND}]",
        "groupBy: [CATEGORY], having: {complaints: {gte: 20}}",
        "groupBy: [WEEK], filter: {kindIn: [CONDUCT], receivedFrom: \"2024-12-31T17:00:00Z\"}",
        "groupBy: [STATE, CHANNEL, LEGAL_FORM, PEER_GROUP]",
    ] {
        let counted = |source: &str| {
            let query = format!(
                "{{ complaintStatistics({arguments}, source: {source}) {{ groupCount truncated
                    totals {{ complaints distinctOfficers costVnd open overdue escalated }}
                    rows {{
                      department {{ code }} branch {{ code }} category {{ code }} kind state channel legalForm
                      peerGroup week month quarter
                      complaints distinctEnterprises distinctOfficers costVnd open overdue }} }} }}"
            );
            board.data(&query)["complaintStatistics"].clone()
        };
        assert_eq!(counted("LAKE"), counted("REGISTER"), "{arguments}");
    }
    for (arguments, field) in [
        ("groupBy: [OFFICER]", "complaints"),
        ("groupBy: [BRANCH]", "episodes"),
        ("groupBy: [BRANCH]", "reopened"),
        ("filter: {anonymous: true}", "complaints"),
    ] {
        let query = format!("{{ complaintStatistics({arguments}, source: LAKE) {{ rows {{ {field} }} }} }}");
        let refused = board.request(&query);
        assert_eq!(refused.codes(), ["BAD_USER_INPUT"], "{refused:?}");
    }
}

#[test]
fn recurrence_is_counted_where_the_lake_lies_also_without_a_worker() {
    let cluster = Cluster::start();
    let files = Files::new();
    let database = Database::sqlite();
    let folder = files.path().join("lake").display().to_string();
    let invented = ["generate", "--lake", &folder, "--complaints", "40000", "--seed", "5"];
    let written = program().json(&database, &invented);
    assert_eq!(written["complaints"], 40_000);
    let counts = |engine: &[&str]| {
        let arguments = [&["lake", "counts", &folder][..], engine].concat();
        program().json(&database, &arguments)["rows"].clone()
    };
    let (here, there) = (counts(&[]), counts(&["--engine", &cluster.address]));
    assert!(here.list().len() > 100, "{}", here.list().len());
    assert_eq!(here.list().len(), there.list().len());
    for (one, other) in here.list().iter().zip(there.list()) {
        for (a, b) in one.object().values().zip(other.object().values()) {
            // Only sums of floats depend on the order of rows.
            let is_close = || (a.number() - b.number()).abs() <= 1e-9 * a.number().abs();
            assert!(a == b || is_close(), "{a} {b}\n{one}\n{other}");
        }
    }

    // A worker is killed in the middle of a question.
    let workers = [cluster.worker(), cluster.worker()];
    let slow = "SELECT COUNT(*) AS n FROM complaints a, complaints b
                WHERE a.cost_vnd + b.delay_hours > b.cost_vnd";
    let asking = || program().run(&database, ["sql", slow, "--lake", &folder, "--engine", &cluster.address]);
    let answered = std::thread::scope(|scope| {
        let answering = scope.spawn(asking);
        // Its session has workers of its own, because it is another client.
        let mine = [cluster.worker(), cluster.worker()];
        assert_ne!(mine, workers);
        std::thread::sleep(Duration::from_millis(1_500));
        kill(mine[1]);
        answering.join().unwrap()
    });
    assert!(answered.status == 0 || answered.err.contains("lost a worker"), "{answered:?}");
    let asked = Asked { database: &database, folder: folder.clone() };
    let after = asked.rows("SELECT COUNT(*) AS n FROM complaints", &["--engine", &cluster.address]);
    assert_eq!(after, json!([{ "n": 40_000 }]), "the cluster goes on");
}
