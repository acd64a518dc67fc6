//! Import of complaints. Each row is a complaint, or one of its allegations, against at most one officer.

mod case;
mod parsed_complaint;
mod resolvers;

use super::{Group, RowOutcome};
use crate::db::{StoreError, WriteTx, dialect};
use crate::domain::calendar::local_date;
use crate::domain::ids::{complaint_id, reference_id};
use crate::enums::{Attribution, CategoryKind, Channel, ComplaintState, Finding, LegalForm, UnitKind};
use crate::events::Entity;
use crate::import::Reject;
use crate::import::field::{FieldType::*, fields};
use crate::import::kinds::Context;
use crate::import::mapping::OnMissing;
use crate::import::row::{Columns, Row};
use crate::models::{ComplaintSource, Posting};
use crate::register::complaints;
use crate::register::{Aliases, Routing, corrected_fields, follow_state, load_tree, lock_with_linked};
use crate::sql_types::{Id, Timestamp};
use crate::tables::postings;
use case::{StoredPeople, merged_case, new_case};
use diesel::prelude::*;
use parsed_complaint::{ParsedComplaint, hash, read};
use resolvers::Resolvers;
use std::collections::{BTreeSet, HashMap, HashSet};

fields! {
    REFERENCE = "reference", Code, true, "the identifier of the complaint in its source; rows that share it are one complaint";
    RECEIVED = "received", Time, true, "when the complaint was received";
    OCCURRED = "occurred", Time, false, "when the matter occurred; the unit's parents and the officer's posting are those of this day";
    CLOSED = "closed", Time, false, "when the case was closed; blank while it is open (a complaint is closed when all its rows are)";
    STATE = "state", Word(ComplaintState::WORDS), false, "the state of the case; default: RECEIVED; CLOSED where all rows fill `closed`";
    STATE_SINCE = "state_since", Time, false, "since when; default: the time of `received`; the time of `closed` where that closes the complaint";
    LEGAL_FORM = "legal_form", Word(LegalForm::WORDS), false, "default: FEEDBACK";
    CHANNEL = "channel", Word(Channel::WORDS), false, "default: OTHER";
    TAX_CODE = "tax_code", TaxCode, false, "the enterprise that complains; blank for an anonymous complaint";
    ENTERPRISE_NAME = "enterprise_name", Text, false, "its name, used where the enterprise is new";
    ENTERPRISE_GROUP = "enterprise_group", Code, false, "its group, used where the enterprise is new";
    UNIT = "unit", Code, false, "the code of the unit complained about (each row its own); blank: the officer's posting of the day";
    UNIT_NAME = "unit_name", Text, false, "its name, used where the unit is created";
    UNIT_KIND = "unit_kind", Word(UnitKind::WORDS), false, "its level, used where the unit is created; default: BRANCH";
    OFFICER = "officer", Code, false, "the officer's number (each row its own); blank where none is named";
    OFFICER_NAME = "officer_name", Text, false, "the officer's name, used where the officer is created";
    OFFICER_RANK = "officer_rank", Code, false, "the officer's rank, used where the officer is created";
    OFFICER_APPOINTED = "officer_appointed", Date, false, "the day of appointment, used where the officer is created";
    CATEGORY = "category", Code, false, "the code of the category (each row its own)";
    CATEGORY_NAME = "category_name", Text, false, "its name, used where the category is created";
    CATEGORY_PARENT = "category_parent", Code, false, "the code of the parent category, used where the category is created";
    CATEGORY_KIND = "category_kind", Word(CategoryKind::WORDS), false, "its kind, needed where the category is created";
    CATEGORY_SERIOUS = "category_serious", Bool, false, "whether it is serious, used where the category is created";
    ATTRIBUTION = "attribution", Word(Attribution::WORDS), false, "who attributes the matter to this officer (each row its own); default: ASSERTED";
    FINDING = "finding", Word(Finding::WORDS), false, "the finding about this officer (each row its own); default: PENDING";
    DECIDED = "decided", Date, false, "when the finding was decided (each row its own)";
    DECLARATION_NUMBER = "declaration_number", DeclarationNumber, false, "the customs declaration, 12 digits";
    TEXT = "text", Text, false, "what happened, in the enterprise's words";
    COST_VND = "cost_vnd", Integer, false, "the cost to the enterprise, in whole VND";
    DELAY_HOURS = "delay_hours", Decimal, false, "how long the enterprise was held up, in hours";
    BLAMES_SYSTEM = "blames_system", Bool, false, "whether the officer blamed the system; default: no";
    CONFIDENTIAL = "confidential", Bool, false, "whether the enterprise asked for confidentiality; default: no";
}

/// Complaints of a batch as their rows give them, read before the transaction that stores them.
#[derive(Default)]
pub struct ParsedBatch {
    resolvers: Resolvers,
    complaints: Vec<Result<ParsedComplaint, Vec<Reject>>>,
    /// The content hashes; empty for rejected complaints.
    hashes: Vec<String>,
}

/// A complaint that the register can take, or its rejects.
type Checked<'d> = Result<&'d ParsedComplaint, Vec<Reject>>;

/// Reads a batch, without the register.
pub fn parse(columns: &Columns<'_>, batch: &[Group]) -> ParsedBatch {
    let now = Timestamp::now();
    let mut resolvers = Resolvers::default();
    let complaints: Vec<Result<ParsedComplaint, Vec<Reject>>> =
        batch.iter().map(|group| read(columns, group, now, &mut resolvers)).collect();
    let hashes = complaints.iter().map(|parsed| parsed.as_ref().map(hash).unwrap_or_default()).collect();
    ParsedBatch { resolvers, complaints, hashes }
}

/// Stores a batch. It may run again with the same parsed batch, in another transaction.
///
/// # Errors
/// If the database fails. A rejected row is no error.
pub fn apply(
    tx: &mut WriteTx<'_>,
    context: &Context<'_>,
    batch: &[Group],
    parsed_batch: &mut ParsedBatch,
) -> Result<Vec<RowOutcome>, StoreError> {
    dialect::lock_tree_shared(tx.conn)?;
    let ParsedBatch { resolvers, complaints, hashes } = parsed_batch;
    resolvers.look_up(tx.conn)?;
    let checked: Vec<Checked<'_>> = batch
        .iter()
        .zip(complaints.iter())
        .map(|(group, parsed)| match parsed {
            Ok(parsed) => match refuse_unknown(context, group, parsed, resolvers) {
                Some(reject) => Err(vec![reject]),
                None => Ok(parsed),
            },
            Err(rejects) => Err(rejects.clone()),
        })
        .collect();

    let source = context.mapping.source.as_str();
    let references: Vec<&str> = batch.iter().map(|group| group.key.as_str()).collect();
    let stored = complaints::load_sources(tx.conn, source, &references)?;
    let changed: Vec<Id> = batch
        .iter()
        .zip(hashes.iter())
        .filter_map(|(group, hash)| stored.get(&group.key).filter(|row| row.content_hash != *hash))
        .map(|row| row.complaint_id)
        .collect();
    // Only where a file tells states may a complaint become void, or count again.
    if !changed.is_empty() && [STATE, CLOSED].iter().any(|field| context.mapping.has(*field)) {
        lock_with_linked(tx.conn, &changed)?;
    }
    let mut existing = complaints::load_for_update(tx.conn, &changed)?;
    create_missing(tx, context, resolvers, batch, &checked, hashes, &stored)?;
    let (tree, routing) = (load_tree(tx.conn)?, Routing::load(tx.conn)?);
    let today = local_date(tx.now);
    let people = stored_people(tx, &checked)?;
    let corrected = corrected_fields(tx.conn, &changed)?;
    let nothing = BTreeSet::new();

    let mut new_cases = Vec::new();
    let mut new_sources = Vec::new();
    let mut stepped = Vec::new();
    let mut outcomes = Vec::with_capacity(batch.len());
    for ((group, parsed), hash) in batch.iter().zip(checked).zip(hashes.iter()) {
        let parsed = match parsed {
            Ok(parsed) => parsed,
            Err(rejects) => {
                outcomes.push(RowOutcome::Rejected(rejects));
                continue;
            }
        };
        match stored.get(&group.key) {
            None => {
                let id = complaint_id(local_date(parsed.received), source, &group.key);
                let mut case = new_case(id, parsed, tx.now, &tree, &people);
                case.route(&routing, &tree, today);
                new_cases.push(case);
                let reference = group.key.clone();
                let source = source.to_owned();
                new_sources.push(ComplaintSource { source, reference, complaint_id: id, content_hash: hash.clone() });
                outcomes.push(RowOutcome::Imported);
            }
            Some(row) if row.content_hash == *hash => outcomes.push(RowOutcome::Unchanged),
            Some(row) => {
                let Some(before) = existing.remove(&row.complaint_id) else {
                    outcomes.push(RowOutcome::Unchanged);
                    continue;
                };
                let corrected = corrected.get(&row.complaint_id).unwrap_or(&nothing);
                let (mut after, kept) = merged_case(context.mapping, &before, parsed, &tree, &people, corrected);
                context.note_kept(&group.key, &kept);
                after.route_unless_assigned(tx.conn, &before, &routing, &tree, today)?;
                let effective =
                    if after.complaint.state == before.complaint.state { tx.now } else { after.complaint.state_since };
                let changed = complaints::update_from_source(tx, effective, &before, &mut after, row, hash)?;
                // A new hash does not always change the case: the register may be further along than the file.
                outcomes.push(if changed { RowOutcome::Updated } else { RowOutcome::Unchanged });
                if before.complaint.state != after.complaint.state {
                    stepped.push((before.complaint.state, after.complaint));
                }
            }
        }
    }
    // At the end: this gives new versions to complaints, of which the batch may change some itself.
    for (before, now) in &mut stepped {
        follow_state(tx, *before, now)?;
    }
    complaints::insert(tx, &mut new_cases, &new_sources)?;
    Ok(outcomes)
}

fn refuse_unknown(
    context: &Context<'_>,
    group: &Group,
    parsed: &ParsedComplaint,
    resolvers: &Resolvers,
) -> Option<Reject> {
    let missing = &context.mapping.missing;
    let row_with = |field: usize, code: &str| -> &Row {
        let has = |row: &&Row| context.columns.of(row).code(field).is_ok_and(|cell| cell.as_deref() == Some(code));
        group.rows.iter().find(has).unwrap_or(&group.rows[0])
    };
    let refuse = |field: usize, code: &str, what: &str| {
        let reason =
            format!("{code:?} is not known to the register: import {what} first, or create them with [missing]");
        Some(context.columns.of(row_with(field, code)).reject(field, reason))
    };
    for allegation in &parsed.allegations {
        if let Some(code) = allegation.unit.as_deref().filter(|_| missing.unit == OnMissing::Reject)
            && !resolvers.units.knows(reference_id(Entity::Unit, code))
        {
            return refuse(UNIT, code, "units");
        }
        if let Some(code) = allegation.officer.as_deref().filter(|_| missing.officer == OnMissing::Reject)
            && !resolvers.officers.knows(reference_id(Entity::Officer, code))
        {
            return refuse(OFFICER, code, "officers");
        }
        if let Some(code) = allegation.category.as_deref().filter(|_| missing.category == OnMissing::Reject)
            && !resolvers.categories.knows(reference_id(Entity::Category, code))
        {
            return refuse(CATEGORY, code, "categories");
        }
        if let Some((code, above)) =
            allegation.category.as_deref().and_then(|code| Some((code, resolvers.too_deep(code)?)))
        {
            let reason = format!("{:?} is itself below a category: there are two levels", above.code);
            return Some(context.columns.of(row_with(CATEGORY, code)).reject(CATEGORY_PARENT, reason));
        }
    }
    if let Some(code) = parsed.tax_code.as_deref().filter(|_| missing.enterprise == OnMissing::Reject)
        && !resolvers.enterprises.knows(reference_id(Entity::Enterprise, code))
    {
        return refuse(TAX_CODE, code, "enterprises");
    }
    None
}

/// Creates the missing reference data of new and changed complaints; unchanged ones are skipped.
fn create_missing(
    tx: &mut WriteTx<'_>,
    context: &Context<'_>,
    resolvers: &mut Resolvers,
    batch: &[Group],
    checked: &[Checked<'_>],
    hashes: &[String],
    stored: &HashMap<String, ComplaintSource>,
) -> Result<(), StoreError> {
    let mut used = HashSet::new();
    for ((group, parsed), hash) in batch.iter().zip(checked).zip(hashes) {
        let Ok(parsed) = parsed else { continue };
        if stored.get(&group.key).is_some_and(|row| row.content_hash == *hash) {
            continue;
        }
        used.extend(parsed.tax_code.iter().map(|code| reference_id(Entity::Enterprise, code)));
        for allegation in &parsed.allegations {
            used.extend(allegation.unit.iter().map(|code| reference_id(Entity::Unit, code)));
            used.extend(allegation.officer.iter().map(|code| reference_id(Entity::Officer, code)));
            if let Some(code) = &allegation.category {
                let id = reference_id(Entity::Category, code);
                used.insert(id);
                used.extend(resolvers.categories.row_if_missing(id).and_then(|category| category.parent_id));
            }
        }
    }
    let units = resolvers.units.create_missing(tx, &used, |_| false)?;
    context.record_created(units.into_iter().map(|row| (Entity::Unit, row.id, row.code)));
    let officers = resolvers.officers.create_missing(tx, &used, |_| false)?;
    context.record_created(officers.into_iter().map(|row| (Entity::Officer, row.id, row.code)));
    let categories = resolvers.categories.create_missing(tx, &used, |category| category.parent_id.is_some())?;
    context.record_created(categories.into_iter().map(|row| (Entity::Category, row.id, row.code)));
    let enterprises = resolvers.enterprises.create_missing(tx, &used, |_| false)?;
    context.record_created(enterprises.into_iter().map(|row| (Entity::Enterprise, row.id, row.tax_code)));
    Ok(())
}

/// Loads the merges, and the postings of officers whom an allegation names without a unit.
fn stored_people(tx: &mut WriteTx<'_>, checked: &[Checked<'_>]) -> Result<StoredPeople, StoreError> {
    let aliases = Aliases::load(tx.conn)?;
    let officers: HashSet<Id> = checked
        .iter()
        .flatten()
        .flat_map(|parsed| &parsed.allegations)
        .filter(|allegation| allegation.unit.is_none())
        .filter_map(|allegation| allegation.officer.as_deref())
        .map(|code| aliases.officer(reference_id(Entity::Officer, code)))
        .collect();
    let officers: Vec<Id> = officers.into_iter().collect();
    let mut posted: HashMap<Id, Vec<Posting>> = HashMap::new();
    for chunk in officers.chunks(dialect::KEYS_PER_QUERY) {
        let rows: Vec<Posting> =
            postings::table.filter(postings::officer_id.eq_any(chunk)).select(Posting::as_select()).load(tx.conn)?;
        for row in rows {
            posted.entry(row.officer_id).or_default().push(row);
        }
    }
    Ok(StoredPeople { posted, aliases })
}
