//! `complaintStatistics(source: LAKE)` against the register: the same numbers for each viewer, and who is refused.

use super::{Lake, give_cost};
use crate::program;
use crate::same_operators::Maker;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tests::fixtures::{self, Files};
use tests::{Client, Database, Json, Role, Server, TestApp};

/// A lake for a server: its folder, its key, and the arguments of the server.
pub(super) struct Served {
    _files: Files,
    pub(super) folder: String,
    key: String,
    config: String,
}

impl Served {
    pub(super) fn new(role: &str) -> Self {
        let files = Files::new();
        let folder = files.path().join("lake").display().to_string();
        let key = files.key_file();
        let config = format!("[lake]\ndir = {folder:?}\nrole = \"{role}\"\n");
        let config = files.put("phananh.toml", config).display().to_string();
        Self { _files: files, folder, key, config }
    }

    pub(super) fn arguments(&self) -> [&str; 5] {
        ["--no-jobs", "--key-file", &self.key, "--config", &self.config]
    }

    #[track_caller]
    pub(super) fn sync(&self, database: &Database, role: &str) {
        program().run(database, ["lake", "sync", &self.folder, "--for", role, "--key-file", &self.key]).ok();
    }
}

/// Dimensions, with the field of a row for each.
const DIMENSIONS: [(&str, &str); 19] = [
    ("DEPARTMENT", "department { code }"),
    ("BRANCH", "branch { code }"),
    ("TEAM", "team { code }"),
    ("UNIT", "unit { code }"),
    ("RESPONSIBLE_UNIT", "responsibleUnit { code }"),
    ("CATEGORY", "category { code }"),
    ("CATEGORY_GROUP", "categoryGroup { code }"),
    ("KIND", "kind"),
    ("LEGAL_FORM", "legalForm"),
    ("PEER_GROUP", "peerGroup"),
    ("CHANNEL", "channel"),
    ("STATE", "state"),
    ("FINDING", "finding"),
    ("WEEK", "week"),
    ("MONTH", "month"),
    ("QUARTER", "quarter"),
    ("YEAR", "year"),
    ("OFFICER", "officer { pseudonym }"),
    ("ENTERPRISE", "enterprise { pseudonym }"),
];

/// A viewer, and what the viewer may name.
struct Asker<'a> {
    name: &'static str,
    client: Client<'a>,
    /// Codes of officers and tax codes in filters.
    people: bool,
    /// Enterprises as groups.
    enterprises: bool,
}

/// Random questions.
struct Questions {
    filters: Maker,
    chance: ChaCha8Rng,
    officers: Vec<String>,
    tax_codes: Vec<String>,
}

impl Questions {
    /// A filter with what only statistics have, beside what lists have, too.
    fn filter(&mut self, people: bool) -> Value {
        let [shared, _] = self.filters.filter(2);
        let mut filter = if self.chance.random_bool(0.6) { shared } else { json!({}) };
        let mut add = |name: &str, value: Value| {
            filter[name] = value;
        };
        let from = ["2023-01-01T00:00:00+07:00", "2024-03-05T00:00:00+07:00", "2024-06-30T23:15:00Z"];
        let findings = ["PENDING", "SUSTAINED", "NOT_SUSTAINED", "UNFOUNDED", "EXONERATED"];
        match self.chance.random_range(0..if people { 11 } else { 9 }) {
            0 => {
                add("finding", json!({ "in": [findings.choose(&mut self.chance), findings.choose(&mut self.chance)] }))
            }
            1 => add("findingIn", json!([findings.choose(&mut self.chance)])),
            2 => add("attribution", json!({ "ne": "CONFIRMED" })),
            3 => add("blamesSystem", json!(self.chance.random_bool(0.5))),
            4 => add("anonymous", json!(self.chance.random_bool(0.5))),
            5 => add("unitWithin", json!(["02", "02AA", "01", "TCHQ"].choose(&mut self.chance))),
            6 => add("responsibleUnitWithin", json!(["02", "02AA", "CNTT"].choose(&mut self.chance))),
            7 => add("not", json!({ "or": [{ "finding": { "eq": "SUSTAINED" } }, { "anonymous": true }] })),
            8 => {}
            9 => add(
                "officerIn",
                json!([self.officers.choose(&mut self.chance), self.officers.choose(&mut self.chance)]),
            ),
            _ => add("enterpriseIn", json!([self.tax_codes.choose(&mut self.chance)])),
        }
        if self.chance.random_bool(0.5) {
            filter["receivedFrom"] = json!(from.choose(&mut self.chance));
        }
        if self.chance.random_bool(0.3) {
            filter["receivedBefore"] = json!("2025-09-01T00:00:00+07:00");
        }
        filter
    }

    /// A question for a viewer: its document without the source, and its filter.
    fn question(&mut self, of: &Asker<'_>) -> (String, Value) {
        let may = DIMENSIONS.len() - usize::from(!of.enterprises);
        let (one, other) = (DIMENSIONS[self.chance.random_range(0..may)], DIMENSIONS[self.chance.random_range(0..may)]);
        let by = if one.0 == other.0 || self.chance.random_bool(0.5) { vec![one] } else { vec![one, other] };
        let names: Vec<&str> = by.iter().map(|(name, _)| *name).collect();
        let fields: Vec<&str> = by.iter().map(|(_, field)| *field).collect();
        let order = ["", "orderBy: [{field: COST_VND}],", "having: {complaints: {gte: 3}},"];
        let order = order.choose(&mut self.chance).unwrap();
        let text = format!(
            "query($f: ComplaintStatisticsFilter) {{ complaintStatistics(groupBy: [{}], filter: $f, first: 200, {order}
                source: SOURCE) {{ groupCount truncated
                totals {{ complaints distinctEnterprises distinctOfficers costVnd delayHours open overdue escalated
                    reopened shareAnsweredInTime medianDaysToResponse }}
                rows {{ {} complaints distinctEnterprises distinctOfficers costVnd delayHours open overdue escalated
                    reopened shareAnsweredInTime medianDaysToResponse }}
            }} }}",
            names.join(", "),
            fields.join(" ")
        );
        (text, self.filter(of.people))
    }
}

/// The same values; sums of hours depend on the order of rows.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= 1e-9 * a.abs().max(1.0)
        }
        (a, b) => a == b,
    }
}

#[test]
fn the_lake_counts_what_the_register_counts_for_each_viewer() {
    let served = Served::new("DATA_TEAM");
    let app = TestApp::sqlite().generated(1_500, 11).arguments(&served.arguments()).start();
    served.sync(&app.database, "DATA_TEAM");
    let board = app.as_role(Role::Board);
    let named = board.data(
        "{ complaintStatistics(groupBy: [OFFICER], orderBy: [{field: COMPLAINTS}], first: 12) { rows { officer { code } } }
           enterprises(first: 12) { nodes { taxCode } } }",
    );
    let named_rows = named["complaintStatistics"]["rows"].list();
    let officers: Vec<String> =
        named_rows.iter().filter_map(|row| row["officer"]["code"].as_str().map(str::to_owned)).collect();
    let tax_codes: Vec<String> =
        named["enterprises"]["nodes"].list().iter().map(|one| one["taxCode"].text().to_owned()).collect();
    let member = app.as_member("member", &officers[0]);
    let askers = [
        Asker { name: "a member of the Board", client: board, people: true, enterprises: true },
        Asker { name: "a member who is an officer", client: member, people: true, enterprises: true },
        Asker { name: "the data team", client: app.as_role(Role::DataTeam), people: false, enterprises: true },
        Asker { name: "the head of 02", client: app.as_head("02"), people: true, enterprises: false },
        Asker { name: "the head of 02AA", client: app.as_head("02AA"), people: true, enterprises: false },
    ];
    let mut questions =
        Questions { filters: Maker::new(21), chance: ChaCha8Rng::seed_from_u64(22), officers, tax_codes };
    for asker in &askers {
        let (mut some, mut groups) = (0, 0);
        for _ in 0..24 {
            let (text, filter) = questions.question(asker);
            let [lake, register] = ["LAKE", "REGISTER"].map(|source| {
                let answer = asker.client.request_with(&text.replace("SOURCE", source), &json!({ "f": filter }));
                assert_eq!(answer.codes(), Vec::<String>::new(), "{}: {text} {filter}\n{answer:?}", asker.name);
                answer.json()["data"]["complaintStatistics"].clone()
            });
            assert!(same(&lake, &register), "{}: {text} {filter}\n{lake}\n{register}", asker.name);
            some += usize::from(register["totals"]["complaints"].integer() > 0);
            groups += register["rows"].list().len();
        }
        assert!(some >= 5 && groups >= 15, "{}: {some} questions find something, {groups} groups", asker.name);
    }
    let dashboard = app.as_role(Role::Dashboard);
    let refused = dashboard.request("{ complaintStatistics(groupBy: [KIND], source: LAKE) { rows { complaints } } }");
    assert_eq!(refused.codes(), ["FORBIDDEN"], "its noise is of the register: {refused:?}");
    for (arguments, field) in [
        ("groupBy: [BRANCH]", "episodes"),
        ("groupBy: [DAY], timezone: \"UTC\"", "complaints"),
        ("groupBy: [KIND], asOf: \"2024-01-01\"", "complaints"),
        ("groupBy: [KIND], first: 1, other: true", "complaints"),
    ] {
        let query = format!("{{ complaintStatistics({arguments}, source: LAKE) {{ rows {{ {field} }} }} }}");
        let refused = askers[0].client.request(&query);
        assert_eq!(refused.codes(), ["BAD_USER_INPUT"], "{arguments} {field}: {refused:?}");
    }
}

const BY_KIND: &str = "{ complaintStatistics(groupBy: [KIND], source: LAKE) { rows { kind complaints costVnd } } }";

#[test]
fn who_does_not_see_all_complaints_reads_no_lake_from_before_a_change() {
    for database in Database::both() {
        fixtures::fill(&database);
        let lake = Lake::new();
        let folder = lake.folder.display().to_string();
        let config = lake.files.put("phananh.toml", format!("[lake]\ndir = {folder:?}\n")).display().to_string();
        lake.sync(&database, &[]);
        let server = program().serve(&database, &["--no-jobs", "--key-file", &lake.key, "--config", &config]);
        let [board, head] =
            [("BOARD", None), ("UNIT_HEAD", Some("02CV"))].map(|(role, unit)| program().token(&database, role, unit));
        let rows = |token: &str| asked(&server, token, BY_KIND)["data"]["complaintStatistics"]["rows"].clone();
        let first = rows(&board);
        assert!(first.list().len() > 1 && !rows(&head).list().is_empty(), "{first}");
        give_cost(&database, "1.350.000");
        assert_eq!(rows(&board), first, "the numbers of the last sync");
        let refused = asked(&server, &head, BY_KIND).to_string();
        assert!(refused.contains("BAD_USER_INPUT") && refused.contains("after the last sync"), "{refused}");
        lake.sync(&database, &[]);
        assert!(!rows(&head).list().is_empty());
        assert_ne!(rows(&board), first);
    }
}

fn asked(server: &Server, token: &str, query: &str) -> Value {
    server.graphql(token, query, &json!({})).json()
}

#[test]
fn a_server_refuses_the_lake_of_another_register_and_of_another_key() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let served = Served::new("DATA_TEAM");
    served.sync(&database, "DATA_TEAM");
    let other = Database::sqlite();
    fixtures::fill_anew(&other);
    let answers = |database: &Database| {
        let server = program().serve(database, &served.arguments());
        let token = program().token(database, "DATA_TEAM", None);
        let sql = asked(&server, &token, "{ sql(query: \"SELECT 1 AS n\", source: LAKE) { rows } }");
        [asked(&server, &token, BY_KIND).to_string(), sql.to_string()]
    };
    for answer in answers(&database) {
        assert!(!answer.contains("errors"), "{answer}");
    }
    for answer in answers(&other) {
        assert!(answer.contains("UNAVAILABLE") && answer.contains("another register"), "{answer}");
    }
    program().run(&database, ["key", "rotate", &served.key]).ok();
    for answer in answers(&database) {
        assert!(answer.contains("UNAVAILABLE") && answer.contains("key version 1"), "{answer}");
    }
}
