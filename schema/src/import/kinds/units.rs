//! Import of units and of their parents over time. Several rows of one unit give its parents in different periods.

use super::{Group, RowOutcome, against, keep_unmapped};
use crate::db::{StoreError, WriteTx, dialect};
use crate::domain::ids::reference_id;
use crate::enums::{PeerGroup, UnitKind};
use crate::events::Entity;
use crate::import::Reject;
use crate::import::field::{FieldType::*, fields};
use crate::import::kinds::Context;
use crate::import::mapping::OnMissing;
use crate::import::row::Row;
use crate::models::{UNKNOWN_START, Unit, UnitParent};
use crate::register::reference::{Change, Stored, upsert, upsert_keeping};
use crate::register::{load_tree, replace_parents, rewrite_ancestors};
use crate::sql_types::Id;
use crate::tables::{unit_parents, units};
use diesel::prelude::*;
use std::collections::{BTreeMap, HashMap, HashSet};

fields! {
    CODE = "code", Code, true, "the unit's code";
    NAME_VI = "name_vi", Text, true, "its name in Vietnamese";
    NAME_EN = "name_en", Text, false, "its name in English";
    KIND = "kind", Word(UnitKind::WORDS), true, "its level";
    PEER_GROUP = "peer_group", Word(PeerGroup::WORDS), false, "the group of units that it is compared with";
    FIELD = "field", Text, false, "the field of work of a headquarters unit";
    PARENT = "parent", Code, false, "the code of the unit above it";
    VALID_FROM = "valid_from", Date, false, "the first day of this row, inclusive; blank: no start";
    VALID_TO = "valid_to", Date, false, "the last day of this row, inclusive; blank: no end";
}

/// A placeholder for a unit that a file refers to and the register does not have; marked `unknown`.
pub fn unknown_unit(id: Id, code: &str, name: Option<&str>, kind: Option<UnitKind>) -> Unit {
    Unit {
        id,
        code: code.to_owned(),
        name_vi: name.unwrap_or(code).to_owned(),
        name_en: None,
        kind: kind.unwrap_or(UnitKind::Branch),
        peer_group: None,
        field: None,
        valid_from: UNKNOWN_START,
        valid_to: None,
        unknown: true,
        successor_id: None,
    }
}

struct Read {
    unit: Unit,
    parents: Vec<UnitParent>,
    parent_codes: Vec<String>,
}

/// Stores a batch.
///
/// # Errors
/// If the database fails. A rejected row is no error.
pub fn apply(tx: &mut WriteTx<'_>, context: &Context<'_>, batch: &[Group]) -> Result<Vec<RowOutcome>, StoreError> {
    dialect::lock_tree_exclusive(tx.conn)?;
    let mut read: Vec<Result<Read, Vec<Reject>>> =
        batch.iter().map(|group| read(context, group).map_err(|reject| vec![reject])).collect();
    let unknown = refuse_unknown_parents(tx, context, batch, &mut read)?;

    let old_tree = load_tree(tx.conn)?;
    let mut kinds: HashMap<Id, UnitKind> =
        units::table.select((units::id, units::kind)).load::<(Id, UnitKind)>(tx.conn)?.into_iter().collect();
    let mut parents: BTreeMap<Id, Vec<UnitParent>> = BTreeMap::new();
    for row in unit_parents::table.select(UnitParent::as_select()).load(tx.conn)? {
        parents.entry(row.unit_id).or_default().push(row);
    }
    upsert(tx, unknown)?;

    let good: Vec<&Read> = read.iter().flatten().collect();
    let keep_unmapped = keep_unmapped!(Unit, context, NAME_EN => name_en, PEER_GROUP => peer_group, FIELD => field);
    let keep = |unit: &mut Unit, stored: &Unit| {
        keep_unmapped(unit, stored);
        unit.successor_id = stored.successor_id;
    };
    let changes = upsert_keeping(tx, good.iter().map(|read| read.unit.clone()).collect(), keep)?;
    let mut affected = HashSet::new();
    let mut outcomes = Vec::new();
    for (read, change) in good.iter().zip(changes) {
        let id = read.unit.id;
        let kind_changed = kinds.insert(id, read.unit.kind).is_some_and(|old| old != read.unit.kind);
        let before = parents.remove(&id).unwrap_or_default();
        let after = merged(&before, &read.parents, context.mapping.complete);
        let moved = before != after;
        if moved {
            replace_parents(tx, id, &before, &after)?;
        }
        if moved || kind_changed {
            affected.insert(id);
        }
        parents.insert(id, after);
        outcomes.push(match change {
            Change::Unchanged if moved => RowOutcome::Updated,
            change => change.into(),
        });
    }
    drop(good);

    rewrite_ancestors(tx, &old_tree, &affected)?;

    let mut outcomes = outcomes.into_iter();
    Ok(read
        .into_iter()
        .map(|read| match read {
            Ok(_) => outcomes.next().unwrap_or(RowOutcome::Unchanged),
            Err(rejects) => RowOutcome::Rejected(rejects),
        })
        .collect())
}

fn read(context: &Context<'_>, group: &Group) -> Result<Read, Reject> {
    let id = reference_id(Entity::Unit, &group.key);
    let mut unit: Option<Unit> = None;
    let mut parents = Vec::new();
    let mut parent_codes = Vec::new();
    for row in &group.rows {
        let cells = context.columns.of(row);
        let valid_from = cells.date(VALID_FROM)?.unwrap_or(UNKNOWN_START);
        let valid_to = cells.date(VALID_TO)?;
        if valid_to.is_some_and(|to| to < valid_from) {
            return Err(cells.reject(VALID_TO, "is before valid_from"));
        }
        let this = Unit {
            id,
            code: group.key.clone(),
            name_vi: cells.text(NAME_VI)?.map(Into::into).unwrap_or_else(|| group.key.clone()),
            name_en: cells.text(NAME_EN)?.map(Into::into),
            kind: cells.word(KIND)?.ok_or_else(|| cells.reject(KIND, "is blank"))?,
            peer_group: cells.word(PEER_GROUP)?,
            field: cells.text(FIELD)?.map(Into::into),
            valid_from,
            valid_to,
            unknown: false,
            // No file names it; what is stored stays.
            successor_id: None,
        };
        if let Some(code) = cells.code(PARENT)? {
            let parent_id = reference_id(Entity::Unit, &code);
            if parents.iter().any(|p: &UnitParent| p.valid_from == valid_from && p.parent_id != parent_id) {
                return Err(cells.reject(PARENT, format!("another row names a different parent from {valid_from} on")));
            }
            parents.push(UnitParent { unit_id: id, valid_from, valid_to, parent_id });
            parent_codes.push(code);
        }
        unit = Some(match unit {
            None => this,
            Some(first) => joined(first, this).map_err(|reason| against(row, reason))?,
        });
    }
    let unit = unit.ok_or_else(|| Reject { row: 0, column: String::new(), reason: "is empty".into() })?;
    let mut both: Vec<_> = parents.into_iter().zip(parent_codes).collect();
    both.sort_by_key(|(parent, _)| parent.valid_from);
    both.dedup();
    let (parents, parent_codes) = both.into_iter().unzip();
    Ok(Read { unit, parents, parent_codes })
}

/// Joins two rows of one unit: the validity covers both, and all other values must be equal.
fn joined(a: Unit, b: Unit) -> Result<Unit, String> {
    let valid_from = a.valid_from.min(b.valid_from);
    let valid_to = a.valid_to.zip(b.valid_to).map(|(a, b)| a.max(b));
    let a = Unit { valid_from, valid_to, ..a };
    let b = Unit { valid_from, valid_to, ..b };
    if a == b { Ok(a) } else { Err(format!("describes unit {:?} differently from another of its rows", a.code)) }
}

/// Rejects units whose parent is neither stored nor in the file. Repeats this, since a rejected unit may be the
/// parent of another one. With `missing.unit = "create"`, returns placeholders for the missing parents instead.
fn refuse_unknown_parents(
    tx: &mut WriteTx<'_>,
    context: &Context<'_>,
    batch: &[Group],
    read: &mut [Result<Read, Vec<Reject>>],
) -> Result<Vec<Unit>, StoreError> {
    let wanted: HashMap<Id, String> = read
        .iter()
        .flatten()
        .flat_map(|read| &read.parent_codes)
        .map(|code| (reference_id(Entity::Unit, code), code.clone()))
        .collect();
    let ids: Vec<Id> = wanted.keys().copied().collect();
    let stored: HashSet<Id> = Unit::load(tx.conn, &ids)?.into_keys().collect();
    let create = context.mapping.missing.unit == OnMissing::Create;
    loop {
        let in_file: HashSet<Id> = read.iter().flatten().map(|read| read.unit.id).collect();
        let exists = |id: &Id| stored.contains(id) || in_file.contains(id);
        if create {
            let mut to_create: Vec<Unit> = wanted
                .iter()
                .filter(|(id, _)| !exists(id))
                .map(|(id, code)| unknown_unit(*id, code, None, None))
                .collect();
            to_create.sort_by(|a, b| a.code.cmp(&b.code));
            return Ok(to_create);
        }
        let mut refused = false;
        for (group, unit) in batch.iter().zip(read.iter_mut()) {
            let Ok(found) = unit else { continue };
            let missing = found.parents.iter().position(|parent| !exists(&parent.parent_id));
            if let Some(at) = missing {
                let code = found.parent_codes.get(at).cloned().unwrap_or_default();
                let names =
                    |row: &&Row| context.columns.of(row).code(PARENT).is_ok_and(|cell| cell.as_ref() == Some(&code));
                let cells = context.columns.of(group.rows.iter().find(names).unwrap_or(&group.rows[0]));
                let reason =
                    format!("{code:?} is not a unit, neither in the register nor among the good rows of this file");
                *unit = Err(vec![cells.reject(PARENT, reason)]);
                refused = true;
            }
        }
        if !refused {
            return Ok(Vec::new());
        }
    }
}

/// The parents of a unit after an import: a row of the file replaces the stored one that begins on the same day.
/// With `complete`, the rows of the file replace all stored ones.
fn merged(before: &[UnitParent], file: &[UnitParent], complete: bool) -> Vec<UnitParent> {
    let mut by_start: BTreeMap<_, _> = BTreeMap::new();
    if !complete {
        by_start.extend(before.iter().map(|parent| (parent.valid_from, parent.clone())));
    }
    by_start.extend(file.iter().map(|parent| (parent.valid_from, parent.clone())));
    by_start.into_values().collect()
}
