//! A member of the Board who is an officer: a register with complaints that name the member and one without them look the
//! same to the member, in whatever can be asked.

use crate::access::guard;
use crate::documents::documents_of_the_guide;
use crate::program;
use crate::world::{self, Files};
use api::access::allowed;
use schema::enums::Role;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tests::{Database, Server};

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
    let header = world::COMPLAINTS.lines().next().unwrap();
    std::iter::once(format!("{header};do_loi"))
        .chain(rows.iter().map(ToString::to_string))
        .collect::<Vec<_>>()
        .join("\n")
}

/// A register with these complaints, and what all jobs found in it.
fn fill(database: &Database, rows: &[&str]) {
    let files = Files::new();
    let mapping = world::COMPLAINTS_MAP.replace("[fields.finding]", "blames_system = \"do_loi\"\n[fields.finding]");
    let responses = "so_pa,don_vi,luc,noi_dung,hai_long\nPA-5,02CV,2024-03-11 08:00:00,Đã hướng dẫn,không\n";
    for (kind, csv, mapping) in [
        ("units", world::UNITS, world::UNITS_MAP),
        ("officers", world::OFFICERS, world::OFFICERS_MAP),
        ("postings", world::POSTINGS, world::POSTINGS_MAP),
        ("categories", world::CATEGORIES, world::CATEGORIES_MAP),
        ("complaints", &complaints(rows), &mapping),
        ("responses", responses, world::RESPONSES_MAP),
    ] {
        program().run(database, files.import(kind, csv, mapping)).ok();
    }
    world::run_counting(database, "2024-03-31");
    for job in ["timeliness", "trends", "escalate-overdue", "blame-check", "digest"] {
        program().run(database, ["jobs", "run", job, "--as-of", "2024-03-31"]).ok();
    }
}

/// What may differ: positions of the register, times at which something was done on this machine, ids that are random, and
/// cursors, which hold them.
const MAY_DIFFER: [&str; 19] = [
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
    "recordedAt",
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

/// Every field of a type, as deep as said.
struct Everything {
    of: BTreeMap<String, Vec<(String, String)>>,
    /// Fields that want an argument.
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

    fn fields(&self, of: &str, depth: usize) -> String {
        let mut found = Vec::new();
        for (field, holds) in self.of.get(of).into_iter().flatten() {
            let random = field == "id"
                && ["JobRun", "FlagReview", "UnitResponse", "Digest", "Proposal", "Measure"].contains(&of);
            if random || !allowed(Role::Board, of, field) || field == "edges" {
                continue;
            }
            if !self.is_object(holds) {
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
                    "(query: \"SELECT unit, count(*) AS n, sum(cost_vnd) AS c FROM complaints GROUP BY unit ORDER BY unit\")",
                    "(query: \"SELECT finding, count(*) AS n FROM allegations GROUP BY finding ORDER BY finding\")",
                ],
                "officer" => &["(code: \"CC01\")", "(code: \"CC02\")", "(code: \"CC03\")"],
                "unit" => &["(code: \"02\")", "(code: \"02CV\")", "(code: \"03TG\")"],
                "flagsFound" => &["(asOf: \"2024-06-30\")"],
                "backtest" => &["(from: 2024, to: 2025, top: 0.6)"],
                "complaint" | "flag" | "node" => continue,
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
        assert!(!self.arguments.is_empty());
        let ranked = "{ officers(orderBy: [{measure: COMPLAINTS}]) { nodes { code } } }";
        found.push(("ranked officers".into(), ranked.into()));
        let ranked = "{ enterprises(orderBy: [{measure: COST_VND}]) { totalCount nodes { taxCode } } }";
        found.push(("ranked enterprises".into(), ranked.into()));
        found
    }
}

/// Something whose effect is measured.
fn decide(server: &Server, board: &str, head: &str) {
    let propose =
        "mutation { propose(input: {title: \"x\", text: \"x\", categories: [\"TD\"]}) { proposal { id version } } }";
    let mut proposal = server.data(board, propose)["propose"]["proposal"].clone();
    for step in ["state: ACCEPTED", "state: IMPLEMENTED, implementedOn: \"2024-03-01\""] {
        let change = format!(
            "mutation {{ changeProposalState(input: {{proposalId: {}, expectedVersion: {}, {step}}}) {{ proposal {{ id version }} }} }}",
            proposal["id"], proposal["version"]
        );
        proposal = server.data(board, &change)["changeProposalState"]["proposal"].clone();
    }
    let measure = "mutation { recordMeasure(input: {officer: \"CC03\", kind: FORMAL_REVIEW, decidedOn: \"2024-03-01\", startsOn: \"2024-03-01\", grounds: \"x\", decisionMaker: \"x\"}) { position } }";
    server.data(head, measure);
}

fn answer(server: &Server, token: &str, document: &str, variables: &Value) -> Value {
    let answer = server.graphql(token, document, variables);
    let mut json = answer.json();
    assert!(json.get("errors").is_none(), "{document}: {json}");
    strip(&mut json["data"]);
    json["data"].take()
}

#[test]
fn nothing_that_can_be_asked_tells_a_member_of_complaints_that_name_the_member() {
    for [with, without] in [[Database::sqlite(), Database::sqlite()], [Database::postgres(), Database::postgres()]] {
        fill(&with, &[&OTHERS[..], &NAMING[..]].concat());
        fill(&without, &OTHERS);
        let files = Files::new();
        let key = files.path().join("key").display().to_string();
        program().run(&with, ["key", "create", &key]).ok();
        let limits = "[api.limits]\ncost = 100000000\nfields = 100000\ntokens = 1000000\nbody_bytes = 4000000\nargument_values = 100000\ndeadline_ms = 60000\n";
        let settings = files.put("all.toml", limits);
        let args = ["--no-jobs", "--key-file", &key, "--config", settings.to_str().unwrap()];
        let both = [&with, &without].map(|database| {
            let create = ["token", "create", "--name", "An", "--role", "BOARD", "--officer", "CC01"];
            let member = program().json(database, &create)["token"].as_str().unwrap().to_owned();
            (program().serve(database, &args), member, program().token(database, "BOARD", None))
        });
        for (of, database) in both.iter().zip([&with, &without]) {
            decide(&of.0, &of.2, &program().token(database, "UNIT_HEAD", Some("03TG")));
        }
        let mut documents = Everything::new().documents();
        assert!(documents.len() > 30, "{}", documents.len());
        let board = documents_of_the_guide().into_iter().filter(|(heading, document)| {
            heading == "The Board" && document.contains("query") && !document.contains('$')
        });
        documents.extend(board);
        let mut told: BTreeSet<String> = BTreeSet::new();
        for (name, document) in &documents {
            let seen = |of: &(Server, String, String)| answer(&of.0, &of.1, document, &json!({}));
            let (with, without) = (seen(&both[0]), seen(&both[1]));
            assert!(with == without, "{name}: {}\n\n{with}\n\n{without}", first_difference(&with, &without));
            let all = |of: &(Server, String, String)| answer(&of.0, &of.2, document, &json!({}));
            if all(&both[0]) != all(&both[1]) {
                told.insert(name.clone());
            }
        }
        // To others they are not the same: the walk is one that could tell.
        for root in [
            "complaints",
            "flags",
            "jobRuns",
            "digests",
            "enterprises",
            "blameCheck",
            "backtest",
            "sql",
            "units",
            "proposals",
        ] {
            assert!(told.contains(root), "{root}: {told:?}");
        }
        // By ids that the member may have from elsewhere.
        let (server, member, board) = &both[0];
        let ids = "{ flags { nodes { id subjectKind officer { code } unit { code } } } digests { nodes { id } } enterprises { nodes { id taxCode } } complaints { nodes { id text } } }";
        let ids = server.data(board, ids);
        let of = |list: &str| ids[list]["nodes"].as_array().unwrap().clone();
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
                    .filter(|one| ["0314409058", "001099012345"].contains(&one["taxCode"].as_str().unwrap())),
            )
            .chain(of("complaints").into_iter().filter(|one| one["text"] == "Đòi tiền"));
        let hidden: Vec<Value> = hidden.collect();
        assert!(hidden.len() >= 6, "{hidden:?}");
        for one in hidden {
            assert!(server.data(member, &format!("{{ node(id: {}) {{ id }} }}", one["id"]))["node"].is_null(), "{one}");
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
