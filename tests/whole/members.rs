//! A member of the Board who is an officer asks two registers: one has complaints that name the member, the other lacks
//! them. Both give the member the same answers to all that can be asked.

use crate::access::guard;
use crate::documents::documents_of_the_guide;
use crate::program;
use api::access::allowed;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use tests::fixtures::{self, Files};
use tests::{Client, Database, Json, Role, TestApp};

/// Complaints that name CC01 and nobody else, by enterprises that complained about nothing else.
const NAMING: [&str; 5] = [
    "PM-1;05/01/2024;0314409058-002;Chi nhánh B;02CV-D1;CC01;TD1;;;;;Nói trống không;;có",
    "PM-2;11/03/2024;0314409058;Công ty B;02CV;CC01;TD2;Đ;20/03/2024;9.000.000;4,5;Đòi tiền;x;có",
    "PM-3;12/03/2024;001099012345;Hộ C;03TG;CC01;TD1;;;;;Quát;;",
    "PM-4;13/03/2024;0100233488;Công ty A;02CV;CC01;TD2;;;;;Lại đòi tiền;;có",
    "PM-5;13/03/1999;0106784499;Công ty D;02CV;CC01;TD2;;;;;Đã lâu;;",
];
const OTHERS: [&str; 6] = [
    "PA-1;05/01/2024;0100233488;Công ty A;02DS;CC02;TD2;Đ;20/02/2024;1.250.000;4,5;Cán bộ đòi tiền;;có",
    "PA-2;06/01/2024;0101248141;Công ty E;02DS;CC02;TD1;;;;;Quát doanh nghiệp;;",
    "PA-3;07/02/2024;0100233488;Công ty A;02CV;CC03;TD1;S;01/03/2024;0;1;Chậm trả lời;;có",
    "PA-4;08/02/2024;;;03TG;CC03;TD2;;;;;Ẩn danh;;",
    "PA-5;10/03/2024;0101248141;Công ty E;02CV;;HT;;;500.000;2;Không khai được;;",
    "PA-6;11/03/2024;0101248141;Công ty E;03TG;CC03;TD1;;;;;Xin giữ kín;x;",
];

fn complaints(rows: &[&str]) -> String {
    let header = fixtures::COMPLAINTS.lines().next().unwrap();
    std::iter::once(format!("{header};do_loi"))
        .chain(rows.iter().map(ToString::to_string))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Fills a register with these complaints, and runs all jobs.
fn fill(database: &Database, rows: &[&str]) {
    let mapping = fixtures::COMPLAINTS_MAP.replace("[fields.finding]", "blames_system = \"do_loi\"\n[fields.finding]");
    let responses = "so_pa,don_vi,luc,noi_dung,hai_long\nPA-5,02CV,2024-03-11 08:00:00,Đã hướng dẫn,không\n";
    for (kind, csv, mapping) in [
        ("units", fixtures::UNITS, fixtures::UNITS_MAP),
        ("officers", fixtures::OFFICERS, fixtures::OFFICERS_MAP),
        ("postings", fixtures::POSTINGS, fixtures::POSTINGS_MAP),
        ("categories", fixtures::CATEGORIES, fixtures::CATEGORIES_MAP),
        ("complaints", &complaints(rows), &mapping),
        ("responses", responses, fixtures::RESPONSES_MAP),
    ] {
        fixtures::import(database, kind, csv, mapping);
    }
    fixtures::run_counting(database, "2024-03-31");
    for job in ["timeliness", "trends", "escalate-overdue", "blame-check", "digest"] {
        program().run(database, ["jobs", "run", job, "--as-of", "2024-03-31"]).ok();
    }
}

/// The fields that may differ: positions of the register, times at which this machine did something, random ids, and
/// the cursors that hold those.
const MAY_DIFFER: [&str; 22] = [
    "escalatedAt",
    "position",
    "knownAt",
    "asOf",
    "cursor",
    "startCursor",
    "endCursor",
    "startedAt",
    "finishedAt",
    "scheduledAt",
    "retryAt",
    "next",
    "recordedAt",
    "effectiveAt",
    "changedAt",
    "openedAt",
    "createdAt",
    "runId",
    "stateSince",
    "proposedAt",
    "minPosition",
    "pseudonym",
];

fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !MAY_DIFFER.contains(&name.as_str()));
            fields.values_mut().for_each(strip);
        }
        Value::Array(all) => all.iter_mut().for_each(strip),
        _ => {}
    }
}

/// The fields of the schema.
struct Everything {
    /// The fields of each type, with the type of what they hold.
    of: BTreeMap<String, Vec<(String, String)>>,
    /// Fields that take an argument.
    arguments: BTreeSet<(String, String)>,
}

impl Everything {
    fn new() -> Self {
        let guard = guard();
        let (mut of, mut arguments) = (BTreeMap::<String, Vec<_>>::new(), BTreeSet::new());
        for (name, field, holds) in guard.typed() {
            match name.split_once('.') {
                Some((object, within)) => drop(arguments.insert((object.to_owned(), within.to_owned()))),
                None => of.entry(name).or_default().push((field.to_owned(), holds.to_owned())),
            }
        }
        Self { of, arguments }
    }

    fn is_object(&self, name: &str) -> bool {
        self.of.get(name).is_some_and(|fields| fields.iter().any(|(_, holds)| !holds.is_empty()))
    }

    /// Selects every field of a type that the Board may read, down to a depth.
    fn fields(&self, of: &str, depth: usize) -> String {
        let mut found = Vec::new();
        for (field, holds) in self.of.get(of).into_iter().flatten() {
            let random = field == "id"
                && ["JobRun", "FlagReview", "UnitResponse", "Digest", "Proposal", "Measure"].contains(&of);
            if random || !allowed(Role::Board, of, field) || field == "edges" {
                continue;
            }
            if field == "totalCountUpTo" {
                found.push(format!("{field}(limit: 100)"));
            } else if !self.is_object(holds) {
                found.push(field.clone());
            } else if depth > 0 {
                let below = self.fields(holds, depth - 1);
                if !below.is_empty() {
                    found.push(format!("{field} {{ {below} }}"));
                }
            }
        }
        found.join(" ")
    }

    /// A document for each root field.
    fn documents(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for (root, of) in &self.of["Query"] {
            if !allowed(Role::Board, "Query", root) {
                continue;
            }
            let fields = self.fields(of, 3);
            let arguments: &[&str] = match root.as_str() {
                "sql" => &[
                    "(query: \"SELECT unit, count(*) AS n, sum(cost_vnd) AS c FROM complaints \
                        GROUP BY unit ORDER BY unit\")",
                    "(query: \"SELECT finding, count(*) AS n FROM allegations GROUP BY finding ORDER BY finding\")",
                ],
                "savedQuery" | "runSavedQuery" => &["(name: \"by-unit\")"],
                "officer" => &["(code: \"CC01\")", "(code: \"CC02\")", "(code: \"CC03\")"],
                "unit" => &["(code: \"02\")", "(code: \"02CV\")", "(code: \"03TG\")"],
                "flagsFound" => &["(asOf: \"2024-06-30\")"],
                "registerChanges" => &["(after: -1, until: 1000000)"],
                "backtest" => &["(from: 2024, to: 2025, top: 0.6)"],
                "emergingTerms" => &[
                    "(period: {from: \"2024-02-01\", to: \"2024-12-31\"}, before: {from: \"2023-01-01\", to: \"2024-01-31\"})",
                ],
                "complaint"
                | "digestPreview"
                | "flag"
                | "flagWithoutEnterprise"
                | "node"
                | "receipt"
                | "runReproduction" => {
                    continue;
                }
                "complaintStatistics" => &[
                    "(groupBy: [BRANCH, CATEGORY])",
                    "(groupBy: [OFFICER])",
                    "(groupBy: [ENTERPRISE])",
                    "(groupBy: [DAY])",
                    "(groupBy: [UNIT], filter: {officerIn: [\"CC01\"]})",
                    "(filter: {enterpriseIn: [\"0314409058\"]})",
                ],
                "responseTimeliness" => &["(level: BRANCH, days: 36500)", "(level: DEPARTMENT, days: 36500)"],
                "serviceInfo" => &[""],
                "flags" | "units" | "officers" | "enterprises" => &["(first: 100)"],
                _ => &[""],
            };
            found.extend(arguments.iter().map(|given| (root.clone(), format!("{{ {root}{given} {{ {fields} }} }}"))));
        }
        for table in jobs::tables::TABLES {
            let count = format!("{{ sql(query: \"SELECT COUNT(*) AS n FROM {0}\") {{ rows }} }}", table.name);
            found.push((format!("table {}", table.name), count));
        }
        for (name, sql) in [
            ("first day", "SELECT MIN(day) AS d FROM calendar"),
            (
                "numbers of jobs",
                "SELECT job, measure, SUM(value) AS v FROM job_results GROUP BY job, measure ORDER BY 1, 2",
            ),
            ("tiers of flags", "SELECT unit, tier, state, COUNT(*) AS n FROM flags GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"),
            ("evidence", "SELECT COUNT(DISTINCT flag) AS f, COUNT(DISTINCT complaint) AS c FROM flag_evidence"),
        ] {
            found.push((name.to_owned(), format!("{{ sql(query: \"{sql}\") {{ rows }} }}")));
        }
        assert!(!self.arguments.is_empty());
        let ranked = "{ officers(orderBy: [{measure: COMPLAINTS}]) { nodes { code } } }";
        found.push(("ranked officers".into(), ranked.into()));
        let ranked = "{ enterprises(orderBy: [{measure: COST_VND}]) { totalCount nodes { taxCode } } }";
        found.push(("ranked enterprises".into(), ranked.into()));
        found
    }
}

/// Makes a proposal and a measure, whose effects the program computes.
fn decide(board: &Client<'_>, head: &Client<'_>) {
    let propose =
        "mutation { propose(input: {title: \"x\", text: \"x\", categories: [\"TD\"]}) { proposal { id version } } }";
    let mut proposal = board.data(propose)["propose"]["proposal"].clone();
    for step in ["state: ACCEPTED", "state: IMPLEMENTED, implementedOn: \"2024-03-01\""] {
        let change = format!(
            "mutation {{ changeProposalState(input: {{proposalId: {}, expectedVersion: {}, {step}}}) \
                {{ proposal {{ id version }} }} }}",
            proposal["id"], proposal["version"]
        );
        proposal = board.data(&change)["changeProposalState"]["proposal"].clone();
    }
    let measure = "mutation { recordMeasure(input: {officer: \"CC03\", kind: FORMAL_REVIEW, decidedOn: \"2024-03-01\", \
        startsOn: \"2024-03-01\", grounds: \"x\", decisionMaker: \"x\", noBasisReason: \"x\"}) { position } }";
    head.data(measure);
}

/// The data of an answer without what may differ.
fn answer(client: &Client<'_>, document: &str) -> Value {
    let mut data = client.data(document);
    strip(&mut data);
    data
}

#[test]
fn nothing_that_can_be_asked_tells_a_member_of_complaints_that_name_the_member() {
    for [with, without] in [[TestApp::sqlite(), TestApp::sqlite()], [TestApp::postgres(), TestApp::postgres()]] {
        let files = Files::new();
        let key = files.key_file();
        let limits = "[api.limits]\ncost = 100000000\nfields = 100000\ntokens = 1000000\nbody_bytes = 4000000\n\
            argument_values = 100000\ndeadline_ms = 60000\n";
        let settings = files.put("all.toml", limits);
        let arguments = ["--no-jobs", "--key-file", &key, "--config", settings.to_str().unwrap()];
        let with = with.filled(|database| fill(database, &[&OTHERS[..], &NAMING[..]].concat()));
        let without = without.filled(|database| fill(database, &OTHERS));
        let apps = [with, without].map(|app| app.arguments(&arguments).start());
        let members = apps.each_ref().map(|app| app.as_member("An", "CC01"));
        let boards = apps.each_ref().map(|app| app.as_role(Role::Board));
        for (app, board) in apps.iter().zip(&boards) {
            decide(board, &app.as_head("03TG"));
            let save = "mutation { saveQuery(input: {name: \"by-unit\", expectedVersion: 0, roles: [BOARD], \
                text: \"SELECT unit, count(*) AS n FROM complaints GROUP BY unit ORDER BY unit\"}) { query { version } } }";
            board.data(save);
        }
        let mut documents = Everything::new().documents();
        assert!(documents.len() > 30, "{}", documents.len());
        let board = documents_of_the_guide().into_iter().filter(|(heading, document)| {
            heading == "The Board" && document.contains("query") && !document.contains('$')
        });
        documents.extend(board);
        let mut told: BTreeSet<String> = BTreeSet::new();
        for (name, document) in &documents {
            let [with, without] = members.each_ref().map(|member| answer(member, document));
            assert!(with == without, "{name}: {}\n\n{with}\n\n{without}", first_difference(&with, &without));
            let [with, without] = boards.each_ref().map(|board| answer(board, document));
            if with != without {
                told.insert(name.clone());
            }
        }
        // The rest of the Board gets different answers from the two registers: the documents can tell them apart.
        for root in [
            "complaints",
            "flags",
            "jobRuns",
            "digests",
            "enterprises",
            "blameCheck",
            "backtest",
            "sql",
            "runSavedQuery",
            "units",
            "proposals",
            "table complaints",
            "table enterprises",
            "table flags",
            "table flag_numbers",
            "first day",
            "numbers of jobs",
        ] {
            assert!(told.contains(root), "{root}: {told:?}");
        }
        // The member may know ids from elsewhere: they lead to nothing.
        let ids = "{ flags { nodes { id subjectKind officer { code } unit { code } } } digests { nodes { id } } \
            enterprises { nodes { id taxCode } } complaints { nodes { id text } } }";
        let ids = boards[0].data(ids);
        let of = |list: &str| ids[list]["nodes"].list().to_vec();
        let hidden = of("digests")
            .into_iter()
            .chain(
                of("flags")
                    .into_iter()
                    .filter(|flag| flag["officer"]["code"] == "CC01" || flag["unit"]["code"] == "02CV"),
            )
            .chain(
                of("enterprises")
                    .into_iter()
                    .filter(|one| ["0314409058", "001099012345"].contains(&one["taxCode"].text())),
            )
            .chain(of("complaints").into_iter().filter(|one| one["text"] == "Đòi tiền"));
        let hidden: Vec<Value> = hidden.collect();
        assert!(hidden.len() >= 6, "{hidden:?}");
        for one in hidden {
            let node = members[0].data(&format!("{{ node(id: {}) {{ id }} }}", one["id"]));
            assert!(node["node"].is_null(), "{one}");
        }
    }
}

fn first_difference(a: &Value, b: &Value) -> String {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.iter().find(|(name, value)| b.get(*name) != Some(value)).map_or(String::new(), |(name, value)| {
                format!("{name}.{}", first_difference(value, b.get(name).unwrap_or(&Value::Null)))
            })
        }
        (Value::Array(a), Value::Array(b)) => {
            let at = a.iter().zip(b).position(|(a, b)| a != b);
            at.map_or(format!("[{} and {}]", a.len(), b.len()), |at| {
                format!("{at}.{}", first_difference(&a[at], &b[at]))
            })
        }
        _ => format!("{a} and {b}"),
    }
}
