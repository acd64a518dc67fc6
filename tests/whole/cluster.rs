//! The lake past one machine: the same questions on this machine's engine, and in a cluster of Sail.

use crate::program;
use crate::questions::same;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
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
        program().run(self.database, arguments).refused()
    }
}

const QUESTIONS: [&str; 14] = [
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
    // Nulls come last, and first in descending order.
    "SELECT complaint, cost_vnd FROM complaints ORDER BY cost_vnd DESC, complaint LIMIT 5",
    "SELECT complaint, RANK() OVER (ORDER BY cost_vnd) AS place FROM complaints ORDER BY place DESC, complaint LIMIT 5",
    "SELECT concat(branch, '/', enterprise) AS who, COUNT(*) AS n FROM complaints GROUP BY 1 ORDER BY n DESC, who
     LIMIT 9",
    "SELECT CAST(COUNT(*) / 2.0 + 0.2 AS BIGINT) AS n, CAST(COUNT(*) AS TEXT) AS text FROM complaints",
];

#[test]
fn a_cluster_answers_as_this_machine_does() {
    let cluster = Cluster::start();
    let files = Files::new();
    let folder = files.path().join("lake").display().to_string();
    let config = format!("[lake]\ndir = {folder:?}\nrole = \"BOARD\"\nengine = {:?}\n", cluster.address);
    let config = files.put("phananh.toml", config).display().to_string();
    let key = files.key_file();
    let app = TestApp::sqlite().generated(1_500, 11).arguments(&["--no-jobs", "--key-file", &key, "--config", &config]);
    let app = app.start();
    app.run(&["jobs", "run", "recurrence", "--as-of", "2025-12-31"]);
    program().run(&app.database, ["lake", "sync", &folder, "--for", "BOARD", "--key-file", &key]).ok();
    let asked = Asked { database: &app.database, folder: folder.clone() };
    let there = ["--engine", cluster.address.as_str()];
    for question in QUESTIONS {
        let here = asked.rows(question, &[]);
        assert_eq!(asked.rows(question, &there), here, "{question}");
    }
    the_twenty_questions_have_the_same_answers(&app, &asked, &there);
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
    // What engines misread. This machine answers the second question in other words, which a cluster is not given.
    let sets = "SELECT unit FROM complaints EXCEPT ALL SELECT code FROM units";
    let beside_or = "SELECT code FROM units WHERE kind = 'TEAM' OR code NOT IN (SELECT unit FROM complaints)";
    for (question, engine, advice) in
        [(sets, &there[..], "leave ALL out"), (sets, &[][..], "leave ALL out"), (beside_or, &there[..], "EXISTS")]
    {
        let refused = asked.refused(question, engine);
        assert!(refused.contains(advice), "{question}: {refused}");
    }
    asked.rows(beside_or, &[]);
    // What has another meaning there.
    for (question, advice) in [
        ("SELECT log(cost_vnd) FROM complaints", "LOG10"),
        ("SELECT answered_on - received_on FROM complaints", "epoch"),
    ] {
        let refused = asked.refused(question, &there);
        assert!(refused.contains(advice), "{question}: {refused}");
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
        "groupBy: [OFFICER], first: 40, filter: {officerIn: []}",
        "groupBy: [OFFICER, FINDING], first: 40",
        "groupBy: [ENTERPRISE], first: 30, filter: {not: {attribution: {eq: CONFIRMED}}}",
        "groupBy: [KIND], filter: {finding: {in: [SUSTAINED, PENDING]}, delayHours: {gte: 4.5}}",
        "groupBy: [KIND], filter: {or: [{anonymous: true}, {costVnd: {gt: \"1000000\"}}, {finding: {eq: SUSTAINED}}],
         unit: {within: \"02\"}, receivedFrom: \"2024-06-30T23:15:00Z\"}",
    ] {
        let counted = |source: &str| {
            let query = format!(
                "{{ complaintStatistics({arguments}, source: {source}) {{ groupCount truncated
                    totals {{ complaints distinctOfficers costVnd open overdue escalated }}
                    rows {{
                      department {{ code }} branch {{ code }} category {{ code }} kind state channel legalForm
                      peerGroup week month quarter finding officer {{ code }} enterprise {{ taxCode }}
                      complaints distinctEnterprises distinctOfficers costVnd open overdue reopened
                      shareAnsweredInTime medianDaysToResponse }} }} }}"
            );
            board.data(&query)["complaintStatistics"].clone()
        };
        assert_eq!(counted("LAKE"), counted("REGISTER"), "{arguments}");
    }
    for (arguments, field) in
        [("groupBy: [BRANCH]", "episodes"), ("groupBy: [KIND], first: 1, other: true", "complaints")]
    {
        let query = format!("{{ complaintStatistics({arguments}, source: LAKE) {{ rows {{ {field} }} }} }}");
        let refused = board.request(&query);
        assert_eq!(refused.codes(), ["BAD_USER_INPUT"], "{refused:?}");
    }
}

/// The questions of docs/questions.md, by their names, on this machine, in the cluster and by the server.
fn the_twenty_questions_have_the_same_answers(app: &TestApp, asked: &Asked<'_>, there: &[&str]) {
    let folder = project().join("docs/questions").display().to_string();
    let saved = program().json(&app.database, &["queries", "save", "--all", &folder]);
    assert_eq!(saved.list().len(), 20);
    let board = app.as_role(Role::Board);
    let query = "query ($name: String!) { runSavedQuery(name: $name, source: LAKE) { answer { rows } } }";
    for question in saved.list() {
        let name = question["name"].text();
        let here = asked.rows(&format!("@{name}"), &[]);
        let in_cluster = asked.rows(&format!("@{name}"), there);
        assert!(same(&here, &in_cluster), "{name}: {here}\n{in_cluster}");
        let by_server = board.data_with(query, &json!({ "name": name }))["runSavedQuery"]["answer"]["rows"].clone();
        assert!(same(&here, &by_server), "{name}: {here}\n{by_server}");
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
    // Each pair with a cost and a delay counts, and no engine knows that before it has computed the sum.
    let slow = "SELECT COUNT(*) AS n FROM complaints a, complaints b WHERE a.cost_vnd + b.delay_hours >= 0";
    let asked = Asked { database: &database, folder: folder.clone() };
    let known = asked.rows("SELECT COUNT(cost_vnd) AS costs, COUNT(delay_hours) AS delays FROM complaints", &[]);
    let pairs = known[0]["costs"].integer() * known[0]["delays"].integer();
    let asking =
        || program().run(&database, ["sql", slow, "--lake", &folder, "--engine", &cluster.address, "--format", "json"]);
    let answered = std::thread::scope(|scope| {
        let answering = scope.spawn(asking);
        // Its session has workers of its own, because it is another client.
        let mine = [cluster.worker(), cluster.worker()];
        assert_ne!(mine, workers);
        std::thread::sleep(Duration::from_millis(1_500));
        assert!(!answering.is_finished(), "the question still runs");
        kill(mine[1]);
        answering.join().unwrap()
    });
    match answered.status {
        0 => assert_eq!(answered.json()["rows"], json!([{ "n": pairs }]), "{answered:?}"),
        _ => assert!(answered.err.contains("lost a worker"), "{answered:?}"),
    }
    let after = asked.rows("SELECT COUNT(*) AS n FROM complaints", &["--engine", &cluster.address]);
    assert_eq!(after, json!([{ "n": 40_000 }]), "the cluster goes on");
}

/// The client of Spark Connect.
const SPARK_CLIENT: [&str; 1] = ["pyspark-client==4.2.0"];

#[test]
fn each_engine_reads_the_lake_with_its_own_statements() {
    let files = Files::new();
    let (folder, key) = (files.path().join("lake"), files.key());
    let database = Database::sqlite();
    program().run(&database, ["generate", "--complaints", "300", "--seed", "4"]).ok();
    program().run(&database, ["key", "create", &key]).ok();
    program().run(&database, ["lake", "sync", folder.to_str().unwrap(), "--key-file", &key]).ok();
    let cluster = Cluster::start();
    let read = |python: PathBuf, arguments: &[&str]| -> Value {
        let script = project().join("tests/clients/lake_engines.py");
        let output = Command::new(python).arg("-W").arg("ignore").arg(script).arg(&folder).args(arguments).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let in_duckdb = read(python(&["duckdb"], &[], &["duckdb"]), &["duckdb"]);
    assert!(in_duckdb["rows"]["complaints"].integer() > 200 && in_duckdb["complaints"][0].integer() > 0, "{in_duckdb}");
    let in_datafusion = read(python(&["datafusion"], &[], &["datafusion==55.0.0"]), &["datafusion"]);
    assert_eq!(in_datafusion, in_duckdb);
    let client = python(&["pyspark.sql", "grpc"], &[], &SPARK_CLIENT);
    assert_eq!(read(client, &["spark", &cluster.address]), in_duckdb);
}
