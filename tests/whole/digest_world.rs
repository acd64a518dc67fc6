//! What happens between two digests of an invented register, so that each of their sections has something to tell.

use chrono::{Datelike, NaiveDate};
use diesel::prelude::*;
use schema::domain::calendar::local_date;
use schema::tables::{officers, postings, proposals, system_incidents, units};
use schema::{Id, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tests::work::{MEASURE, Mutations, PROPOSAL};
use tests::{Database, Json, Role, TestApp, fixtures, merged};

/// A department and one of its branches, in which an officer blames the system.
pub const DEPARTMENT: &str = "28";
pub const BRANCH: &str = "28AB";

/// The officers who serve, each with the unit, by their codes.
fn serving(database: &Database) -> Vec<(String, String)> {
    let found = database.open().read(|conn| {
        Ok(postings::table
            .inner_join(officers::table.on(officers::id.eq(postings::officer_id)))
            .inner_join(units::table.on(units::id.eq(postings::unit_id)))
            .filter(postings::valid_to.is_null())
            .filter(officers::unknown.eq(false))
            .select((officers::code, units::code))
            .load::<(String, String)>(conn)?)
    });
    let mut found = found.expect("the register answers");
    found.sort();
    found
}

/// An officer of the branch, with the team.
pub fn officer(database: &Database) -> (String, String) {
    serving(database).into_iter().find(|(_, unit)| unit.starts_with(BRANCH)).expect("an officer of the branch")
}

/// The days on which an incident of the system is recorded for the branch, and the last one of the whole country.
fn incidents(database: &Database) -> (BTreeSet<NaiveDate>, NaiveDate) {
    let found = database.open().read(|conn| {
        let branch: Id = units::table.filter(units::code.eq(BRANCH)).select(units::id).first(conn)?;
        let all: Vec<(Option<Id>, Timestamp, Option<Timestamp>)> = system_incidents::table
            .select((system_incidents::unit_id, system_incidents::started_at, system_incidents::ended_at))
            .load(conn)?;
        let here = all.iter().filter(|(unit, ..)| unit.is_none_or(|unit| unit == branch));
        let days: BTreeSet<NaiveDate> =
            here.flat_map(|(_, from, to)| [Some(*from), *to]).flatten().map(local_date).collect();
        let of_all = all.iter().filter(|(unit, ..)| unit.is_none()).map(|(_, from, _)| local_date(*from)).max();
        Ok((days, of_all.expect("an incident of the whole country")))
    });
    found.expect("the register answers")
}

/// Records complaints of December 2025: an officer of the branch blames the system on days without an incident, and
/// officers elsewhere on the day of one. The category rises with them, and those about the branch wait for an answer.
pub fn blaming_complaints(database: &Database) {
    let (officer, _) = officer(database);
    let (with_incident, of_all) = incidents(database);
    let row = |reference: String, day: NaiveDate, place: usize, unit: &str, officer: &str, category: &str| {
        let day = day.format("%d/%m/%Y");
        format!("{reference};{day};0010990140{place:02};Hộ {place};{unit};{officer};{category};;;;;Hệ thống lỗi.;;có")
    };
    let december = |day: u32| NaiveDate::from_ymd_opt(2025, 12, day).expect("a day");
    let days = (1..=28).map(december).filter(|day| !with_incident.contains(day));
    let about_one = days.map(|day| {
        let number = day.day();
        row(format!("PB-{number}"), day, number as usize, BRANCH, &officer, "BLAMES_SYSTEM")
    });
    let elsewhere = serving(database).into_iter().filter(|(_, unit)| !unit.starts_with(DEPARTMENT)).take(25);
    let about_others = elsewhere
        .enumerate()
        .map(|(place, (officer, unit))| row(format!("PC-{place}"), of_all, 50 + place, &unit, &officer, "RIG-CHANNEL"));
    let header = fixtures::COMPLAINTS.lines().next().expect("a header");
    let lines: Vec<String> = std::iter::once(format!("{header};do_loi")).chain(about_one).chain(about_others).collect();
    let mapping = fixtures::COMPLAINTS_MAP.replace("[fields.finding]", "blames_system = \"do_loi\"\n[fields.finding]");
    // Real complaints do not come into a register of invented ones, unless it forgets for a moment that it is one.
    let forget = |from: &str, to: &str| {
        database.tamper(&format!("UPDATE register_info SET key = '{to}' WHERE key = '{from}'"));
    };
    forget("demonstration", "forgotten");
    fixtures::import(database, "complaints", lines.join("\n"), &mapping);
    forget("forgotten", "demonstration");
}

/// Decides a measure about an officer of a unit and a proposal, both before the day of a digest, and says that the
/// proposal came into force at a moment of that day.
pub fn decide(app: &TestApp, officer: &str, unit: &str, on: Timestamp) {
    let (board, head) = (app.as_role(Role::Board), app.as_head(unit));
    let categories = board.data("{ issueCategories(first: 1) { nodes { code } } }");
    let category = categories["issueCategories"]["nodes"][0]["code"].clone();
    let new = json!({ "title": "Tập huấn", "text": "Tập huấn.", "categories": [category] });
    let proposal = board.done("propose", PROPOSAL, &new)["proposal"].clone();
    for (version, more) in
        [(1, json!({ "state": "ACCEPTED" })), (2, json!({ "state": "IMPLEMENTED", "implementedOn": "2025-07-01" }))]
    {
        let input = merged(&json!({ "proposalId": proposal["id"], "expectedVersion": version }), &more);
        board.done("changeProposalState", PROPOSAL, &input);
    }
    let measure = json!({
        "officer": officer, "kind": "FORMAL_REVIEW", "grounds": "Căn cứ.", "decisionMaker": "Cục trưởng",
        "decidedOn": "2025-11-03", "noBasisReason": "Theo kết luận kiểm tra.",
    });
    head.done("recordMeasure", MEASURE, &measure);
    let changed = app.database.open().write("test", |tx| {
        diesel::update(proposals::table).set(proposals::state_since.eq(on)).execute(tx.conn)?;
        Ok(())
    });
    changed.expect("the register is changed");
}

/// The Board dismisses the flag on a branch.
pub fn dismiss(app: &TestApp, branch: &str, reason: &str) {
    let board = app.as_role(Role::Board);
    let flags = board.data("{ flags(first: 200) { nodes { id unit { code } } } }")["flags"]["nodes"].clone();
    let flag = flags.list().iter().find(|flag| flag["unit"]["code"] == branch).expect("the flag")["id"].clone();
    for more in [
        json!({ "state": "ACKNOWLEDGED" }),
        json!({ "state": "UNDER_REVIEW" }),
        json!({ "state": "DISMISSED", "reason": reason }),
    ] {
        let input = merged(&json!({ "flagId": flag }), &more);
        board.done("reviewFlag", "flag { state }", &input);
    }
}

/// A moment of the last day of 2025.
pub fn noon() -> Timestamp {
    "2025-12-31T05:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().expect("a time").into()
}

/// What a digest tells of each section that its reader has: a row of each.
#[track_caller]
pub fn assert_each_section_has_a_row(document: &Value, is_of_head: bool) {
    let group = |key: &str| document["flags"]["groups"].list().iter().find(|one| one["key"] == key).cloned();
    for key in ["flags-new", "flags-dismissed"] {
        let group = group(key).expect("the group");
        assert!(!group["listed"].list().is_empty(), "{key}: {}", document["flags"]);
    }
    let ended = group("flags-dismissed").expect("the group")["listed"][0].clone();
    assert!(!ended["unit"]["nameVi"].text().is_empty(), "an ended flag has its unit: {ended}");
    let mut lists = vec![
        &document["flags"]["standing"],
        &document["measures"]["listed"],
        &document["overdue"]["branches"],
        &document["overdue"]["escalatedTo"],
        &document["rising"],
        &document["news"]["rising"],
        &document["categories"],
    ];
    match is_of_head {
        true => lists.extend([&document["head"]["late"], &document["head"]["escalated"]]),
        false => lists.extend([
            &document["measures"]["outcomes"],
            &document["proposals"],
            &document["blame"],
            &document["register"],
            &document["answers"]["best"],
        ]),
    }
    for (place, list) in lists.into_iter().enumerate() {
        assert!(!list.list().is_empty(), "list {place} is empty: {document}");
    }
    for field in ["received", "overdue", "other"] {
        assert!(document["news"][field].integer() > 0, "{field}: {}", document["news"]);
    }
    if !is_of_head {
        assert!(!document["proposals"][0]["effect"].is_null(), "{}", document["proposals"]);
    }
}
