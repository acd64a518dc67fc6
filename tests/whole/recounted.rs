//! After random writes of every kind, `complaintStatistics` gives what this file counts from the rows of the tables.

use crate::program;
use chrono::{DateTime, Datelike, Duration, FixedOffset, NaiveDate, Utc};
use diesel::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use schema::enums::ComplaintState::{self, Answered, Closed, Rejected, Withdrawn};
use schema::models::{Complaint, ComplaintClock, ComplaintOfficer, Enterprise, IssueCategory, Officer, Unit};
use schema::tables::{complaint_clocks, complaint_officers, complaints, enterprises, issue_categories, officers};
use schema::tables::{unit_responses, units};
use schema::{Id, Timestamp};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use tests::{Database, Json, Server};

/// The day in Vietnam.
fn day(time: Timestamp) -> NaiveDate {
    let utc = DateTime::<Utc>::from_timestamp_micros(time.micros()).unwrap();
    utc.with_timezone(&FixedOffset::east_opt(7 * 3_600).unwrap()).date_naive()
}

/// A complaint, with what decides its groups.
struct Row {
    complaint: Complaint,
    /// Enterprises that count as one have the same text here.
    enterprise: Option<String>,
    /// Each named officer with the finding; one entry without an officer where the complaint names nobody.
    said: Vec<(Option<Id>, String)>,
    answered: Option<NaiveDate>,
    ended: Option<NaiveDate>,
    /// The day on which the present round began, and (deadline, answer) of the rounds before.
    began: NaiveDate,
    before: Vec<(Option<NaiveDate>, Option<NaiveDate>)>,
    episode: usize,
}

/// The named officers; a single `None` where a complaint names nobody.
type Named = Vec<Option<Id>>;

struct Register {
    rows: Vec<Row>,
    units: HashMap<Id, Unit>,
    categories: HashMap<Id, IssueCategory>,
    officers: HashMap<Id, Officer>,
    today: NaiveDate,
}

/// What enterprises that count as one have in common: the group, else the ten digits with which the tax codes of an
/// enterprise and of its branches begin.
fn counts_as(enterprise: &Enterprise) -> String {
    let own = enterprise.tax_code.split('-').next().unwrap().to_owned();
    enterprise.group_code.as_ref().map_or(own, |group| format!("group {group}"))
}

impl Register {
    fn read(database: &Database) -> Self {
        let db = database.open();
        db.read(|conn| {
            let all: Vec<Complaint> = complaints::table.select(Complaint::as_select()).load(conn)?;
            let said =
                complaint_officers::table.select(ComplaintOfficer::as_select()).load::<ComplaintOfficer>(conn)?;
            let answers = unit_responses::table.select((unit_responses::complaint_id, unit_responses::responded_at));
            let answers: Vec<(Id, Timestamp)> = answers.load(conn)?;
            let rounds = complaint_clocks::table.order(complaint_clocks::round).select(ComplaintClock::as_select());
            let rounds: Vec<ComplaintClock> = rounds.load(conn)?;
            let by_id = |all: Vec<Unit>| all.into_iter().map(|one| (one.id, one)).collect::<HashMap<_, _>>();
            let units = by_id(units::table.select(Unit::as_select()).load(conn)?);
            let categories = issue_categories::table.select(IssueCategory::as_select()).load::<IssueCategory>(conn)?;
            let categories: HashMap<Id, IssueCategory> = categories.into_iter().map(|one| (one.id, one)).collect();
            let officers: Vec<Officer> = officers::table.select(Officer::as_select()).load(conn)?;
            let companies: Vec<Enterprise> = enterprises::table.select(Enterprise::as_select()).load(conn)?;
            let companies: HashMap<Id, String> = companies.into_iter().map(|one| (one.id, counts_as(&one))).collect();
            let today = day(Timestamp::now());
            let finding_today = |finding: &str, decided: Option<NaiveDate>| {
                let pending = decided.is_some_and(|decided| decided > today);
                if pending { "PENDING".to_owned() } else { finding.to_owned() }
            };
            let rows = all.into_iter().map(|complaint| {
                let own = said.iter().filter(|one| one.complaint_id == complaint.id);
                let said_of = |one: &ComplaintOfficer| finding_today(one.finding.as_str(), one.decided_on);
                let mut said: Vec<(Option<Id>, String)> = own.map(|one| (Some(one.officer_id), said_of(one))).collect();
                if said.is_empty() {
                    let finding = complaint.finding.map_or("PENDING", |finding| finding.as_str());
                    said.push((None, finding_today(finding, complaint.decided_on)));
                }
                let own: Vec<&ComplaintClock> = rounds.iter().filter(|one| one.complaint_id == complaint.id).collect();
                let reopened = own.last().filter(|last| last.round > 1).map(|last| last.started_at);
                let of_round = answers.iter().filter(|(of, at)| *of == complaint.id && Some(*at) > reopened);
                let over = |of: &[ComplaintState]| of.contains(&complaint.state).then(|| day(complaint.state_since));
                let began = day(reopened.unwrap_or(complaint.received_at));
                let silent = over(&[Answered, Closed]).map(|at| at.max(began));
                Row {
                    enterprise: complaint.enterprise_id.map(|id| companies[&id].clone()),
                    said,
                    answered: of_round.map(|(_, at)| day(*at)).min().or(silent).filter(|at| *at <= today),
                    ended: over(&[Closed, Withdrawn, Rejected]).filter(|at| *at <= today),
                    began,
                    before: own.iter().rev().skip(1).map(|round| (round.due_on, round.answered_on)).collect(),
                    episode: 0,
                    complaint,
                }
            });
            let mut rows: Vec<Row> = rows.collect();
            number_episodes(&mut rows);
            let officers = officers.into_iter().map(|one| (one.id, one)).collect();
            Ok(Self { rows, units, categories, officers, today })
        })
        .unwrap()
    }

    /// The groups of a dimension that a complaint falls into, each with the officers whom the complaint names there.
    fn groups(&self, row: &Row, dimension: &str) -> Vec<(String, Named)> {
        let everybody = || row.said.iter().map(|(officer, _)| *officer).collect::<Vec<_>>();
        let unit = |id: Option<Id>| id.map_or("null".to_owned(), |id| self.units[&id].code.clone());
        let of = &row.complaint;
        let received = day(of.received_at);
        let category = of.category_id.map(|id| &self.categories[&id]);
        let one = match dimension {
            "DEPARTMENT" => unit(of.department_id),
            "BRANCH" => unit(of.branch_id),
            "TEAM" => unit(of.team_id),
            "UNIT" => unit(of.unit_id),
            "CATEGORY" => category.map_or("null".to_owned(), |category| category.code.clone()),
            "KIND" => category.map_or("null".to_owned(), |category| category.kind.as_str().to_owned()),
            "CHANNEL" => of.channel.as_str().to_owned(),
            "STATE" => of.state.as_str().to_owned(),
            "DAY" => received.to_string(),
            "WEEK" => (received - Duration::days(i64::from(received.weekday().num_days_from_monday()))).to_string(),
            "MONTH" => received.format("%Y-%m").to_string(),
            "QUARTER" => format!("{}-Q{}", received.year(), received.month0() / 3 + 1),
            "YEAR" => received.year().to_string(),
            _ => {
                let mut groups: BTreeMap<String, Named> = BTreeMap::new();
                for (officer, finding) in &row.said {
                    let of_officer = || officer.map_or("null".to_owned(), |id| self.officers[&id].code.clone());
                    let name = if dimension == "OFFICER" { of_officer() } else { finding.clone() };
                    groups.entry(name).or_default().push(*officer);
                }
                return groups.into_iter().collect();
            }
        };
        vec![(one, everybody())]
    }

    /// The measures of some complaints, by their definitions.
    fn measured(&self, of: &[(&Row, Named)]) -> Value {
        let rows: Vec<&Row> = of.iter().map(|(row, _)| *row).collect();
        let officers: HashSet<Id> = of.iter().flat_map(|(_, officers)| officers).flatten().copied().collect();
        let enterprises: HashSet<&String> = rows.iter().filter_map(|row| row.enterprise.as_ref()).collect();
        let episodes: HashSet<usize> = rows.iter().map(|row| row.episode).collect();
        let cost: i64 = rows.iter().filter_map(|row| row.complaint.cost_vnd).sum();
        // The rounds of each complaint whose deadline has passed, and that did not end unanswered.
        let due_rounds = |row: &Row| -> Vec<bool> {
            let present = (row.complaint.due_on, row.answered);
            let all = row.before.iter().copied().chain((present.1.is_some() || row.ended.is_none()).then_some(present));
            let passed = all.filter_map(|(due, at)| Some((due?, at))).filter(|(due, _)| *due < self.today);
            passed.map(|(due, at)| at.is_some_and(|at| at <= due)).collect()
        };
        let due: Vec<Vec<bool>> = rows.iter().copied().map(due_rounds).filter(|rounds| !rounds.is_empty()).collect();
        let in_time = due.iter().filter(|rounds| rounds.iter().all(|in_time| *in_time)).count();
        let waits = |row: &&&Row| row.answered.is_none() && row.ended.is_none();
        let overdue = rows.iter().filter(waits).filter(|row| row.complaint.due_on.is_some_and(|due| due < self.today));
        let days = |row: &Row| (row.answered.or(row.ended).unwrap_or(self.today) - row.began).num_days().max(0);
        let waited: Vec<(i64, bool)> = rows.iter().copied().map(|row| (days(row), row.answered.is_some())).collect();
        json!({
            "complaints": rows.len(), "episodes": episodes.len(), "distinctEnterprises": enterprises.len(),
            "distinctOfficers": officers.len(), "costVnd": cost.to_string(),
            "shareAnsweredInTime": (!due.is_empty()).then(|| in_time as f64 / due.len() as f64),
            "medianDaysToResponse": median(&waited), "overdue": overdue.count(),
            "open": rows.iter().filter(|row| row.ended.is_none()).count(),
            "reopened": rows.iter().filter(|row| !row.before.is_empty()).count(),
        })
    }
}

/// Complaints of one enterprise about one branch (else department, else unit) within a week of the first of them are
/// one episode.
fn number_episodes(rows: &mut [Row]) {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|at| day(rows[*at].complaint.received_at));
    let mut open: HashMap<(String, Option<Id>), (NaiveDate, usize)> = HashMap::new();
    for at in order {
        rows[at].episode = at;
        let of = &rows[at].complaint;
        let (received, place) = (day(of.received_at), of.branch_id.or(of.department_id).or(of.unit_id));
        let Some(enterprise) = rows[at].enterprise.clone() else { continue };
        let first = open.entry((enterprise, place)).or_insert((received, at));
        if (received - first.0).num_days() > 7 {
            *first = (received, at);
        }
        rows[at].episode = first.1;
    }
}

/// The median by Kaplan and Meier (1958): the first day by which at most half still wait. Complaints without an answer
/// are censored.
fn median(waited: &[(i64, bool)]) -> Option<f64> {
    let days: BTreeSet<i64> = waited.iter().filter(|(_, answered)| *answered).map(|(days, _)| *days).collect();
    let mut waiting = 1.0;
    for at in days {
        let risk = waited.iter().filter(|(days, _)| *days >= at).count();
        let answered = waited.iter().filter(|(days, answered)| *days == at && *answered).count();
        waiting *= 1.0 - answered as f64 / risk as f64;
        if waiting <= 0.5 + 1e-9 {
            return Some(at as f64);
        }
    }
    None
}

pub const DIMENSIONS: &str =
    "DEPARTMENT BRANCH TEAM UNIT OFFICER CATEGORY KIND CHANNEL STATE FINDING DAY WEEK MONTH QUARTER YEAR";
pub const MEASURES: &str = "complaints episodes distinctEnterprises distinctOfficers costVnd shareAnsweredInTime medianDaysToResponse \
     open overdue reopened";

/// The group of an answer's row in a dimension.
fn place(row: &Value, dimension: &str) -> String {
    let value = &row[dimension.to_lowercase().as_str()];
    match value {
        Value::Object(of) => of["code"].text().to_owned(),
        Value::String(word) => word.clone(),
        other => other.to_string(),
    }
}

fn compare(register: &Register, server: &Server, token: &str, position: i64, by: &[&str]) {
    let fields: Vec<String> = by
        .iter()
        .map(|dimension| {
            let name = dimension.to_lowercase();
            let is_object = ["department", "branch", "team", "unit", "officer", "category"].contains(&name.as_str());
            if is_object { format!("{name} {{ code }}") } else { name }
        })
        .collect();
    let query = format!(
        "query($p: Int) {{ complaintStatistics(groupBy: [{}], minPosition: $p, first: 10000) {{
            truncated totals {{ {MEASURES} }} rows {{ {} {MEASURES} }} }} }}",
        by.join(" "),
        fields.join(" ")
    );
    let answer = server.data_with(token, &query, &json!({ "p": position }))["complaintStatistics"].clone();
    assert_eq!(answer["truncated"], false);
    let mut expected: BTreeMap<Vec<String>, Vec<(&Row, Named)>> = BTreeMap::new();
    for row in &register.rows {
        let mut places: Vec<(Vec<String>, Option<Named>)> = vec![(Vec::new(), None)];
        for dimension in by {
            let groups = register.groups(row, dimension);
            places = places
                .into_iter()
                .flat_map(|(place, officers)| {
                    groups.iter().map(move |(group, named)| {
                        let both = [place.clone(), vec![group.clone()]].concat();
                        // At most one of the dimensions divides the officers of a complaint.
                        let narrower = match &officers {
                            Some(officers) if officers.len() <= named.len() => officers.clone(),
                            _ => named.clone(),
                        };
                        (both, Some(narrower))
                    })
                })
                .collect();
        }
        for (place, officers) in places {
            expected.entry(place).or_default().push((row, officers.unwrap_or_default()));
        }
    }
    let rows = answer["rows"].list();
    assert_eq!(rows.len(), expected.len(), "{by:?}");
    let same = |counted: &Value, answered: &Value, what: &dyn std::fmt::Debug| {
        for measure in MEASURES.split(' ') {
            let alike = match (counted[measure].as_f64(), answered[measure].as_f64()) {
                (Some(a), Some(b)) => (a - b).abs() < 1e-9,
                _ => counted[measure] == answered[measure],
            };
            assert!(alike, "{by:?} {what:?} {measure}: {} counted, {} answered", counted[measure], answered[measure]);
        }
    };
    for row in rows {
        let of: Vec<String> = by.iter().map(|dimension| place(row, dimension)).collect();
        same(&register.measured(expected.get(&of).unwrap_or_else(|| panic!("{by:?}: {row}"))), row, &of);
    }
    let all: Vec<_> =
        register.rows.iter().map(|row| (row, row.said.iter().map(|(officer, _)| *officer).collect())).collect();
    same(&register.measured(&all), &answer["totals"], &"totals");
}

/// Somebody who changes the register at random, through one node.
pub struct Writer<'a> {
    pub server: &'a Server,
    pub board: &'a str,
    pub intake: &'a str,
    pub branches: &'a [String],
    pub officers: &'a [String],
    pub enterprises: &'a [String],
    pub categories: &'a [String],
}

impl Writer<'_> {
    fn handle(&self, mutation: &str, of: &str, id: &Value, version: &mut i64, input: &Value) -> i64 {
        let query =
            format!("mutation($input: {of}!) {{ {mutation}(input: $input) {{ complaint {{ version }} position }} }}");
        let mut input = input.clone();
        (input["complaintId"], input["expectedVersion"]) = (id.clone(), json!(*version));
        let done = self.server.data_with(self.board, &query, &json!({ "input": input }))[mutation].clone();
        *version = done["complaint"]["version"].integer();
        done["position"].integer()
    }

    /// Writes at random and returns the position of the last write.
    pub fn write(&self, seed: u64) -> i64 {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        let mut some = |all: &[String]| all[chance.random_range(0..all.len())].clone();
        let mut last = 0;
        for n in 0..12 {
            let officers: Vec<String> =
                (0..n % 3).map(|_| some(self.officers)).collect::<BTreeSet<_>>().into_iter().collect();
            let anonymous = n % 4 == 0;
            let input = json!({
                "idempotencyKey": format!("{seed}-{n}"), "text": "chờ lâu", "unit": some(self.branches),
                "officers": officers, "costVnd": (n * 1_000_003).to_string(),
                "taxCode": (!anonymous).then(|| some(self.enterprises)),
            });
            let submit =
                "mutation($input: SubmitComplaintInput!) { submitComplaint(input: $input) { id version position } }";
            let receipt =
                self.server.data_with(self.intake, submit, &json!({ "input": input }))["submitComplaint"].clone();
            let (id, mut version) = (receipt["id"].clone(), receipt["version"].integer());
            last = receipt["position"].integer();
            if n % 2 == 0 {
                let input = json!({ "category": some(self.categories) });
                last = self.handle("classifyComplaint", "ClassifyComplaintInput", &id, &mut version, &input);
            }
            if let Some(officer) = officers.first() {
                let finding = ["SUSTAINED", "UNFOUNDED", "EXONERATED"][n % 3];
                let today = day(Timestamp::now());
                let input = json!({ "officer": officer, "finding": finding, "decidedOn": today });
                last = self.handle("recordFinding", "RecordFindingInput", &id, &mut version, &input);
            }
            if n % 5 == 0 {
                let input = json!({ "state": "WITHDRAWN" });
                last = self.handle("changeComplaintState", "ChangeComplaintStateInput", &id, &mut version, &input);
            }
        }
        last
    }
}

#[test]
fn every_measure_of_every_group_is_what_the_rows_say_after_random_writes_through_two_nodes() {
    for database in Database::both() {
        program().run(&database, ["generate", "--complaints", "1000", "--seed", "21"]).ok();
        let (board, intake) = (program().token(&database, "BOARD", None), program().token(&database, "INTAKE", None));
        let nodes = [0, 1].map(|_| program().serve(&database, &["--no-jobs"]));
        let names = nodes[0].data(
            &board,
            "{ units(first: 100, filter: {kind: {eq: BRANCH}}) { nodes { code } } officers(first: 50) { nodes { code } }
               enterprises(first: 50) { nodes { taxCode } } issueCategories(first: 100) { nodes { code } } }",
        );
        let codes = |list: &str, field: &str| -> Vec<String> {
            let nodes = names[list]["nodes"].list();
            nodes.iter().map(|node| node[field].text().to_owned()).collect()
        };
        let (branches, officers) = (codes("units", "code"), codes("officers", "code"));
        let (enterprises, categories) = (codes("enterprises", "taxCode"), codes("issueCategories", "code"));
        let last = std::thread::scope(|scope| {
            let writers: Vec<_> = [(1, &nodes[0]), (2, &nodes[1]), (3, &nodes[0]), (4, &nodes[1])]
                .into_iter()
                .map(|(seed, server)| {
                    let (branches, officers, enterprises, categories) =
                        (&branches, &officers, &enterprises, &categories);
                    let (board, intake) = (&board, &intake);
                    let writer = Writer { server, board, intake, branches, officers, enterprises, categories };
                    scope.spawn(move || writer.write(seed))
                })
                .collect();
            writers.into_iter().map(|writer| writer.join().unwrap()).max().unwrap()
        });
        let register = Register::read(&database);
        assert_eq!(register.rows.len(), 1_048);
        for server in &nodes {
            for dimension in DIMENSIONS.split(' ') {
                compare(&register, server, &board, last, &[dimension]);
            }
            compare(&register, server, &board, last, &["DEPARTMENT", "KIND", "MONTH"]);
            compare(&register, server, &board, last, &["BRANCH", "FINDING"]);
        }
        // A node learns of an officer who came through the other node while it ran.
        let submit = "mutation($input: SubmitComplaintInput!) { submitComplaint(input: $input) { position } }";
        let input = json!({ "idempotencyKey": "new", "text": "Đòi tiền", "officers": ["ZZ99"], "unit": branches[0] });
        nodes[1].data_with(&intake, submit, &json!({ "input": input }));
        let query = "{ complaintStatistics(filter: {officerIn: [\"ZZ99\"]}) { totals { complaints } } }";
        let is_counted = (0..100).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(100));
            let answer = nodes[0].graphql(&board, query, &json!({})).json();
            answer["data"]["complaintStatistics"]["totals"]["complaints"] == 1
        });
        assert!(is_counted, "{:?}", nodes[0].graphql(&board, query, &json!({})));
    }
}
