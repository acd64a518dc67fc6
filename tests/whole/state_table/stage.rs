//! The complaints that the cells of the table are about.

use super::table::{Kind, ROLES, ROWS, STATES};
use diesel::prelude::*;
use schema::db::WriteTx;
use schema::domain::ids::{random_id, reference_id};
use schema::enums::{ComplaintState, LegalForm, ResponseAction, ResponseVisibility};
use schema::events::Entity;
use schema::register::complaints::Case;
use schema::register::{
    ClockStep, Correction, Handling, NewResponse, Set, Submission, change_clock, handle, link_duplicate,
    merge_enterprises, merge_officers, propose_correction, respond, source_of, submit,
};
use schema::tables::complaints;
use schema::{Db, Id, StoreError, Timestamp};
use std::collections::HashMap;
use tests::{Client, Json, fixtures, in_parallel};

/// The name of the token that submitted the complaints.
const SENDER: &str = "INTAKE-all";

/// A writer of SQLite waits for the others: more threads would only wait.
const THREADS: usize = 3;

/// A complaint that was brought into a state.
#[derive(Debug, Clone)]
pub struct Staged {
    pub id: Id,
    pub version: i32,
    /// The code of its receipt.
    pub receipt: String,
    /// The code of the officer whom only this complaint names, if it names one.
    pub officer: String,
    /// The tax code of its enterprise, if it has one.
    pub tax_code: String,
    /// A complaint that may say the same.
    pub original: Id,
    pub proposal: Option<Id>,
    /// The text of its redaction, by which the head of its unit finds the pseudonym.
    redaction: String,
    pub pseudonym: String,
}

/// A cell whose role may, with a complaint of its own.
#[derive(Debug)]
pub struct Allowed {
    pub row: usize,
    pub column: usize,
    pub role: char,
    pub of: Staged,
}

/// All complaints of the table.
pub struct Stage {
    /// The objects that no operation may change, by their kind and column.
    pub kept: HashMap<(Kind, usize), Staged>,
    pub allowed: Vec<Allowed>,
}

impl Stage {
    /// Brings a complaint of each kind into each state, and one for each cell whose role may.
    pub fn set(db: &Db) -> Self {
        let first = complaints::table.select(complaints::id).order(complaints::id);
        let original = db.read(|conn| Ok(first.first::<Id>(conn)?)).expect("a complaint of the small world");
        let mut kinds: Vec<Kind> = ROWS.iter().map(|row| row.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let columns = 0..STATES.len();
        let kept: Vec<(Kind, usize)> =
            kinds.into_iter().flat_map(|kind| columns.clone().map(move |column| (kind, column))).collect();
        let mut cells: Vec<(usize, usize, char)> = Vec::new();
        for (row, rule) in ROWS.iter().enumerate() {
            for column in columns.clone() {
                let may = ROLES.into_iter().filter(|role| rule.refusal(*role, column).is_none());
                cells.extend(may.map(|role| (row, column, role)));
            }
        }
        let of_cells = cells.iter().map(|(row, column, _)| (ROWS[*row].kind, *column));
        let wanted: Vec<(usize, (Kind, usize))> = kept.iter().copied().chain(of_cells).enumerate().collect();
        let mut staged = in_parallel(THREADS, &wanted, |(number, (kind, column))| {
            brought(db, *number, *kind, STATES[*column].0, original)
        });
        let of_cells = staged.split_off(kept.len());
        Self {
            kept: kept.into_iter().zip(staged).collect(),
            allowed: cells
                .into_iter()
                .zip(of_cells)
                .map(|((row, column, role), of)| Allowed { row, column, role, of })
                .collect(),
        }
    }

    /// Finds the pseudonyms by which the head of the unit knows the redacted complaints.
    pub fn find_pseudonyms(&mut self, head: &Client<'_>) {
        let query = "{ redactedComplaints(first: 200) { totalCount nodes { pseudonym text } } }";
        let listed = head.data(query)["redactedComplaints"].clone();
        let nodes = listed["nodes"].list();
        assert_eq!(listed["totalCount"], nodes.len(), "a page has them all");
        let by_text: HashMap<&str, &str> =
            nodes.iter().map(|node| (node["text"].text(), node["pseudonym"].text())).collect();
        let own = self.allowed.iter_mut().map(|cell| (ROWS[cell.row].kind, &mut cell.of));
        let all = self.kept.iter_mut().map(|((kind, _), of)| (*kind, of)).chain(own);
        for (_, of) in all.filter(|(kind, _)| *kind == Kind::Secret) {
            of.pseudonym = by_text[of.redaction.as_str()].to_owned();
        }
    }
}

fn write<T>(db: &Db, work: impl FnOnce(&mut WriteTx<'_>) -> Result<T, StoreError>) -> T {
    db.write("cli", work).unwrap_or_else(|error| panic!("a step of the stage: {error}")).value
}

/// A complaint on its way.
struct Way<'a> {
    db: &'a Db,
    id: Id,
    version: i32,
}

impl Way<'_> {
    fn step(&mut self, step: impl FnOnce(&mut WriteTx<'_>, Id, i32) -> Result<Case, StoreError>) {
        let (id, version) = (self.id, self.version);
        self.version = write(self.db, |tx| step(tx, id, version)).complaint.version;
    }

    fn handle(&mut self, handling: &Handling) {
        self.step(|tx, id, version| handle(tx, id, version, handling));
    }

    fn change(&mut self, state: ComplaintState) {
        self.handle(&Handling::Change { state, reason: Some("Theo đề nghị.".into()) });
    }

    fn clock(&mut self, step: &ClockStep) {
        self.step(|tx, id, version| change_clock(tx, id, version, step, Some("Vụ việc phức tạp.")));
    }

    fn answer(&mut self) {
        let response = NewResponse {
            id: random_id(),
            unit_id: reference_id(Entity::Unit, "02CV"),
            responded_at: Timestamp::now(),
            action: ResponseAction::Explanation,
            text: "Đã giải thích.".into(),
            outcome: None,
            satisfied: None,
            is_statement: false,
            visibility: Some(ResponseVisibility::Complainant),
        };
        self.step(|tx, id, version| respond(tx, id, version, response, |_| true));
    }

    /// Goes on to the state of a column.
    fn go(&mut self, column: &str) {
        match column {
            "RE" => {}
            "CL" => self.handle(&Handling::Classify { category: "TD1".into(), attributions: Vec::new() }),
            "AS" => {
                self.go("CL");
                self.handle(&Handling::Assign { unit: None });
            }
            "AN" => self.answer(),
            "CD" => {
                self.answer();
                self.change(ComplaintState::Closed);
            }
            "WI" => self.change(ComplaintState::Withdrawn),
            "RJ" => self.change(ComplaintState::Rejected),
            "RO" => {
                self.answer();
                self.change(ComplaintState::Assigned);
            }
            other => panic!("no column is called {other:?}"),
        }
    }
}

/// Submits a complaint of a kind and brings it into the state of a column.
fn brought(db: &Db, number: usize, kind: Kind, column: &str, original: Id) -> Staged {
    let (officer, tax_code) = (format!("X{number}"), format!("0010990{number:05}"));
    let redaction = format!("Đã lược bỏ {number}.");
    let is_grievance = matches!(kind, Kind::Grievance | Kind::Accepted);
    let names_officer = matches!(kind, Kind::Officer | Kind::MergedOfficer);
    let has_enterprise = matches!(kind, Kind::Enterprise | Kind::MergedEnterprise);
    let submission = Submission {
        legal_form: if is_grievance { LegalForm::Grievance } else { LegalForm::Feedback },
        officers: names_officer.then(|| officer.clone()).into_iter().collect(),
        tax_code: has_enterprise.then(|| tax_code.clone()),
        confidential: kind == Kind::Secret,
        ..fixtures::submission(format!("Hồ sơ số {number} bị trả lại."))
    };
    let key = format!("staged-{number}");
    let submitted = write(db, |tx| submit(tx, &source_of(SENDER), &key, &submission));
    let mut way = Way { db, id: submitted.complaint.id, version: submitted.complaint.version };
    match kind {
        Kind::Secret => way.handle(&Handling::Redact { text: redaction.clone() }),
        Kind::Accepted => way.clock(&ClockStep::Accept { on: None, remote_area: false }),
        Kind::Stopped => way.clock(&ClockStep::Stop),
        Kind::Linked => way.step(|tx, id, version| link_duplicate(tx, id, version, original, "Gửi hai lần.")),
        Kind::MergedOfficer => {
            write(db, |tx| merge_officers(tx, &officer, "CC03", "Cùng một người."));
            way.version += 1;
        }
        Kind::MergedEnterprise => {
            write(db, |tx| merge_enterprises(tx, &tax_code, "0100233488", "Cùng một chủ."));
            way.version += 1;
        }
        Kind::Plain | Kind::Grievance | Kind::Proposed | Kind::Officer | Kind::Enterprise => {}
    }
    way.go(column);
    // The answer ended the first stop.
    if kind == Kind::Stopped && column == "RO" {
        way.clock(&ClockStep::Stop);
    }
    let proposal = (kind == Kind::Proposed).then(|| {
        let correction = Correction { cost_vnd: Set::To(Some(777)), ..Correction::default() };
        let unit = reference_id(Entity::Unit, "02CV");
        write(db, |tx| propose_correction(tx, unit, way.id, way.version, &correction, "Ghi nhầm.")).id
    });
    Staged {
        id: way.id,
        version: way.version,
        receipt: submitted.receipt.expect("a new complaint has a code").shown(),
        officer,
        tax_code,
        original,
        proposal,
        redaction,
        pseudonym: String::new(),
    }
}
