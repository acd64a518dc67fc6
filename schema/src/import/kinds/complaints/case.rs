//! Turns a parsed complaint into a stored case: a new one, or an update of the case that the register holds.

use super::parsed_complaint::{Allegation, ParsedComplaint};
use super::{
    ATTRIBUTION, BLAMES_SYSTEM, CATEGORY, CHANNEL, CLOSED, CONFIDENTIAL, COST_VND, DECIDED, DECLARATION_NUMBER,
    DELAY_HOURS, FINDING, LEGAL_FORM, OCCURRED, OFFICER, STATE, TAX_CODE, TEXT, UNIT,
};
use crate::domain::calendar::is_valid_on;
use crate::domain::ids::reference_id;
use crate::domain::state::is_open;
use crate::domain::tree::UnitTree;
use crate::enums::ComplaintState;
use crate::events::Entity;
use crate::import::mapping::Mapping;
use crate::models::{Complaint, ComplaintMatter, ComplaintOfficer, Posting};
use crate::register::complaints::{Case, reference_day};
use crate::register::{Aliases, own_finding};
use crate::sql_types::{Id, Timestamp};
use std::collections::{BTreeSet, HashMap};

/// The officers and enterprises of a batch in the register.
pub struct StoredPeople {
    /// The postings of officers whom an allegation names without a unit, by officer.
    pub posted: HashMap<Id, Vec<Posting>>,
    /// The merges: a merged code means the row into which it was merged.
    pub aliases: Aliases,
}

impl StoredPeople {
    fn enterprise(&self, code: &str) -> Id {
        self.aliases.enterprise(reference_id(Entity::Enterprise, code))
    }
}

/// The case of a new complaint.
pub fn new_case(id: Id, parsed: &ParsedComplaint, now: Timestamp, tree: &UnitTree, people: &StoredPeople) -> Case {
    let mut case = Case {
        complaint: Complaint {
            occurred_at: parsed.occurred,
            enterprise_id: parsed.tax_code.as_deref().map(|code| people.enterprise(code)),
            declaration_number: parsed.declaration_number.clone(),
            text: parsed.text.clone(),
            cost_vnd: parsed.cost_vnd,
            delay_hours: parsed.delay_hours,
            blames_system: parsed.blames_system,
            confidential: parsed.confidential,
            state: parsed.state,
            state_since: parsed.state_since,
            received_precision: parsed.received_precision,
            ..Complaint::received(id, parsed.received, now, parsed.legal_form, parsed.channel)
        },
        officers: Vec::new(),
        matters: Vec::new(),
        clocks: Vec::new(),
    };
    set_allegations(&mut case, parsed, tree, people);
    case
}

/// Replaces the allegations of the case by those of the file. The first allegation in their order gives the
/// complaint its category and its unit; without a unit, the officer's posting on the complaint's day does.
fn set_allegations(case: &mut Case, parsed: &ParsedComplaint, tree: &UnitTree, people: &StoredPeople) {
    let complaint = &mut case.complaint;
    let day = reference_day(complaint.received_at, complaint.occurred_at);
    let unit_id = |allegation: &Allegation| allegation.unit.as_deref().map(|code| reference_id(Entity::Unit, code));
    let category_id =
        |allegation: &Allegation| allegation.category.as_deref().map(|code| reference_id(Entity::Category, code));
    if let Some(lowest) = parsed.allegations.first() {
        complaint.category_id = category_id(lowest);
        complaint.unit_id = unit_id(lowest).or_else(|| {
            let officer = people.aliases.officer(reference_id(Entity::Officer, lowest.officer.as_deref()?));
            let mut units = people
                .posted
                .get(&officer)?
                .iter()
                .filter(|posting| is_valid_on(day, posting.valid_from, posting.valid_to))
                .map(|posting| posting.unit_id);
            // An officer with postings in two units on that day leaves the unit open.
            units.next().filter(|_| units.next().is_none())
        });
        let nameless: Vec<&Allegation> =
            parsed.allegations.iter().filter(|allegation| allegation.officer.is_none()).collect();
        complaint.finding = own_finding(&nameless.iter().map(|one| one.finding).collect::<Vec<_>>());
        let is_decided = nameless.len() == 1 || complaint.finding.is_some();
        complaint.decided_on = nameless.iter().filter_map(|one| one.decided).max().filter(|_| is_decided);
        // A single allegation without an officer keeps its columns on the complaint; of several, each has its own row.
        complaint.source_codes = nameless.first().filter(|_| nameless.len() == 1).and_then(|one| one.kept.clone());
        let several = nameless.iter().filter(|_| nameless.len() > 1);
        case.matters = several
            .zip(0..)
            .map(|(allegation, ordinal)| ComplaintMatter {
                complaint_id: complaint.id,
                ordinal,
                category_id: category_id(allegation),
                unit_id: unit_id(allegation),
                finding: allegation.finding,
                decided_on: allegation.decided,
                source_codes: allegation.kept.clone(),
            })
            .collect();
    }
    case.officers.clear();
    let named = parsed.allegations.iter().filter_map(|allegation| {
        let written = reference_id(Entity::Officer, allegation.officer.as_deref()?);
        let officer = people.aliases.officer(written);
        Some((written != officer, officer, allegation))
    });
    let mut named: Vec<(bool, Id, &Allegation)> = named.collect();
    // A merge numbers allegations in the same way: those that it moved come after those that the officer had.
    named.sort_by_key(|(is_merged, ..)| *is_merged);
    for (_, officer_id, allegation) in named {
        let ordinal = case.officers.iter().filter(|row| row.officer_id == officer_id).count();
        case.officers.push(ComplaintOfficer {
            complaint_id: case.complaint.id,
            officer_id,
            ordinal: i32::try_from(ordinal).unwrap_or(i32::MAX),
            category_id: category_id(allegation),
            unit_id: unit_id(allegation),
            attribution: allegation.attribution,
            finding: allegation.finding,
            decided_on: allegation.decided,
            source_codes: allegation.kept.clone(),
        });
    }
    case.officers.sort_by_key(|row| (row.officer_id, row.ordinal));
    case.set_ancestors(tree);
}

/// The case after an import that changes it: fields that the mapping fills are replaced, all others stay. `corrected`
/// has the fields that the Board corrected; they stay, too. Returns those of which the file says something else.
pub fn merged_case(
    mapping: &Mapping,
    before: &Case,
    parsed: &ParsedComplaint,
    tree: &UnitTree,
    people: &StoredPeople,
    corrected: &BTreeSet<String>,
) -> (Case, Vec<&'static str>) {
    let mut after = before.clone();
    let complaint = &mut after.complaint;
    complaint.received_at = parsed.received;
    complaint.received_precision = parsed.received_precision;
    macro_rules! take {
        ($($field:ident => $stored:ident = $value:expr;)+) => {
            $(if mapping.has($field) { complaint.$stored = $value; })+
        };
    }
    take! {
        OCCURRED => occurred_at = parsed.occurred;
        LEGAL_FORM => legal_form = parsed.legal_form;
        CHANNEL => channel = parsed.channel;
        TAX_CODE => enterprise_id = parsed.tax_code.as_deref().map(|code| people.enterprise(code));
        DECLARATION_NUMBER => declaration_number = parsed.declaration_number.clone();
        TEXT => text = parsed.text.clone();
        COST_VND => cost_vnd = parsed.cost_vnd;
        DELAY_HOURS => delay_hours = parsed.delay_hours;
        BLAMES_SYSTEM => blames_system = parsed.blames_system;
        CONFIDENTIAL => confidential = parsed.confidential;
    }
    if (mapping.has(STATE) || mapping.has(CLOSED))
        && !would_go_back(complaint.state, parsed.state)
        && !is_of_earlier_round(before, parsed)
    {
        complaint.state = parsed.state;
        complaint.state_since = parsed.state_since;
    }
    let speaks_of = |fields: &[usize]| fields.iter().any(|field| mapping.has(*field));
    if speaks_of(&[OFFICER, UNIT, CATEGORY, ATTRIBUTION, FINDING, DECIDED]) {
        set_allegations(&mut after, parsed, tree, people);
        keep_unmapped(mapping, before, &mut after);
    }
    let kept = keep_corrected(corrected, before, &mut after);
    after.set_ancestors(tree);
    (after, kept)
}

/// Restores what the Board corrected. Of corrected allegations the file still gives the findings.
fn keep_corrected(corrected: &BTreeSet<String>, before: &Case, after: &mut Case) -> Vec<&'static str> {
    let mut kept = Vec::new();
    macro_rules! keep {
        ($($field:ident),+) => {
            $(if corrected.contains(stringify!($field)) && after.complaint.$field != before.complaint.$field {
                kept.push(stringify!($field));
                after.complaint.$field.clone_from(&before.complaint.$field);
            })+
        };
    }
    keep!(
        occurred_at,
        legal_form,
        enterprise_id,
        declaration_number,
        cost_vnd,
        delay_hours,
        blames_system,
        confidential
    );
    let of_allegations = ["officers", "matters", "category_id", "unit_id"];
    if !of_allegations.iter().any(|field| corrected.contains(*field)) {
        return kept;
    }
    let mut officers = before.officers.clone();
    for row in &mut officers {
        let same = |one: &&ComplaintOfficer| (one.officer_id, one.ordinal) == (row.officer_id, row.ordinal);
        if let Some(one) = after.officers.iter().find(same) {
            (row.finding, row.decided_on) = (one.finding, one.decided_on);
        }
    }
    let mut matters = before.matters.clone();
    for row in &mut matters {
        if let Some(one) = after.matters.iter().find(|one| one.ordinal == row.ordinal) {
            (row.finding, row.decided_on) = (one.finding, one.decided_on);
        }
    }
    if after.officers != officers {
        kept.push("officers");
    }
    if after.matters != matters {
        kept.push("matters");
    }
    (after.officers, after.matters) = (officers, matters);
    keep!(category_id, unit_id);
    kept
}

/// Restores the stored values of allegations in fields that the mapping does not fill.
fn keep_unmapped(mapping: &Mapping, before: &Case, after: &mut Case) {
    if !mapping.has(OFFICER) {
        after.officers.clone_from(&before.officers);
    }
    if !mapping.has(UNIT) && !mapping.has(OFFICER) {
        after.complaint.unit_id = before.complaint.unit_id;
    }
    if !mapping.has(CATEGORY) {
        after.complaint.category_id = before.complaint.category_id;
        // Without categories, the rows do not tell which matters were alleged.
        after.matters.clone_from(&before.matters);
    }
    if !mapping.has(FINDING) {
        after.complaint.finding = before.complaint.finding;
    }
    if !mapping.has(DECIDED) {
        after.complaint.decided_on = before.complaint.decided_on;
    }
    for row in &mut after.matters {
        let Some(old) = before.matters.iter().find(|old| old.ordinal == row.ordinal) else { continue };
        if !mapping.has(UNIT) {
            row.unit_id = old.unit_id;
        }
        if !mapping.has(CATEGORY) {
            row.category_id = old.category_id;
        }
        if !mapping.has(FINDING) {
            row.finding = old.finding;
        }
        if !mapping.has(DECIDED) {
            row.decided_on = old.decided_on;
        }
    }
    for row in &mut after.officers {
        let same = |old: &&ComplaintOfficer| (old.officer_id, old.ordinal) == (row.officer_id, row.ordinal);
        let Some(old) = before.officers.iter().find(same) else { continue };
        if !mapping.has(UNIT) {
            row.unit_id = old.unit_id;
        }
        if !mapping.has(CATEGORY) {
            row.category_id = old.category_id;
        }
        if !mapping.has(ATTRIBUTION) {
            row.attribution = old.attribution;
        }
        if !mapping.has(FINDING) {
            row.finding = old.finding;
        }
        if !mapping.has(DECIDED) {
            row.decided_on = old.decided_on;
        }
    }
}

/// Whether the file gives a state that the complaint had before its present round began.
fn is_of_earlier_round(before: &Case, parsed: &ParsedComplaint) -> bool {
    parsed.state_is_dated && before.reopened_at().is_some_and(|reopened| parsed.state_since <= reopened)
}

/// Whether the state of the file is behind the register: both are open, and the register is further along.
fn would_go_back(here: ComplaintState, file: ComplaintState) -> bool {
    is_open(here) && is_open(file) && here > file
}
