//! A reorganisation: many units made, moved, renamed and ended by one decision, in one transaction. A dry run does it
//! and rolls it back, so that its report is what will happen.

mod file;
mod report;

pub use file::Reorganisation;
pub use report::Report;

use super::checks::day_before;
use super::tree_edit::TreeEdit;
use super::units::{NewUnit, UnitChange, changed, close, complaints_of, create};
use crate::db::{StoreError, WriteTx};
use crate::each;
use crate::models::{Principal, RegisterInfo, Unit};
use crate::sql_types::{Id, JsonValue};
use crate::states::StateTable;
use crate::tables::{principals, register_info};
use diesel::prelude::*;
use file::{ChangeEntry, NewEntry, RenameEntry};
use report::{ChangedUnit, CreatedUnit, EndedUnit, HeadOfEnded, MovedPosting, MovedUnit};
use serde_json::json;
use toml::Spanned;

/// The most errors that one refusal lists.
const MOST_ERRORS: usize = 20;

/// Applies a reorganisation, once: everything or nothing.
///
/// # Errors
/// `Conflict` if a reorganisation of this name was applied; `Rule` lists the lines that are wrong, and why.
pub fn reorganise(tx: &mut WriteTx<'_>, plan: &Reorganisation) -> Result<Report, StoreError> {
    let edit = TreeEdit::begin(tx)?;
    note(tx, plan)?;
    let mut work = Work { plan, edit, report: empty(plan), errors: Vec::new() };
    for entry in &plan.file.unit {
        let line = plan.line(&entry.code);
        let done = work.create(tx, entry);
        work.keep(line, done)?;
    }
    for entry in &plan.file.change {
        let line = plan.line(&entry.unit);
        let done = work.change(tx, entry);
        work.keep(line, done)?;
    }
    for entry in &plan.file.moves {
        for unit in &entry.units {
            let done = work.move_to(tx, unit, &entry.to);
            work.keep(plan.line(unit), done)?;
        }
    }
    // Units that end by themselves first: they do not move with the unit above them.
    for entry in &plan.file.close {
        for unit in &entry.units {
            let done = work.close(tx, unit, entry.successor.as_ref());
            work.keep(plan.line(unit), done)?;
        }
    }
    for entry in &plan.file.unit {
        for unit in &entry.from {
            let done = work.close(tx, unit, Some(&entry.code));
            work.keep(plan.line(unit), done)?;
        }
    }
    for entry in &plan.file.rename {
        let line = plan.line(&entry.below);
        let done = work.rename(tx, entry);
        work.keep(line, done)?;
    }
    let Work { edit, mut report, errors, .. } = work;
    if !errors.is_empty() {
        return Err(StoreError::Rule(refusal(&errors)));
    }
    report.principals = heads_of_ended(tx, &edit, &report.closed)?;
    report.complaints_rewritten = edit.finish(tx)?;
    Ok(report)
}

fn empty(plan: &Reorganisation) -> Report {
    Report {
        name: plan.file.name.clone(),
        decision: plan.file.decision.clone(),
        in_force: plan.in_force,
        created: Vec::new(),
        changed: Vec::new(),
        moved: Vec::new(),
        closed: Vec::new(),
        postings: Vec::new(),
        complaints_rewritten: 0,
        principals: Vec::new(),
    }
}

fn refusal(errors: &[String]) -> String {
    let first = errors.iter().take(MOST_ERRORS).map(String::as_str).collect::<Vec<_>>().join("; ");
    match errors.len().checked_sub(MOST_ERRORS) {
        None | Some(0) => first,
        Some(more) => format!("{first}; and {more} more"),
    }
}

/// Notes in the register that the reorganisation was applied.
fn note(tx: &mut WriteTx<'_>, plan: &Reorganisation) -> Result<(), StoreError> {
    let key = format!("reorganisation:{}", plan.file.name);
    let noted: Option<JsonValue> =
        register_info::table.find(&key).select(register_info::value).first(tx.conn).optional()?;
    if let Some(JsonValue(noted)) = noted {
        let at = noted["appliedAt"].as_str().unwrap_or("an unknown time").to_owned();
        return Err(StoreError::Conflict(format!(
            "the reorganisation {:?} was applied at {at}: another one needs another name",
            plan.file.name
        )));
    }
    let value =
        json!({ "appliedAt": tx.now, "by": tx.actor, "decision": plan.file.decision, "inForce": plan.in_force });
    let row = RegisterInfo { key, value: JsonValue(value) };
    each!(&mut *tx.conn, c => diesel::insert_into(register_info::table).values(&row).execute(c)?);
    tx.record_state(StateTable::RegisterInfo, &row.key);
    Ok(())
}

/// The tokens of heads of units that end.
fn heads_of_ended(tx: &mut WriteTx<'_>, edit: &TreeEdit, closed: &[EndedUnit]) -> Result<Vec<HeadOfEnded>, StoreError> {
    let ended: Vec<Id> = closed.iter().filter_map(|ended| edit.find(&ended.code)).map(|unit| unit.id).collect();
    let rows: Vec<Principal> = principals::table
        .filter(principals::unit_id.eq_any(&ended))
        .filter(principals::disabled_at.is_null())
        .order(principals::name)
        .select(Principal::as_select())
        .load(tx.conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let unit = edit.unit(row.unit_id?)?.code.clone();
            let successor = closed.iter().find(|ended| ended.code == unit).and_then(|ended| ended.successor.clone());
            Some(HeadOfEnded { name: row.name, role: row.role, unit, successor })
        })
        .collect())
}

/// A reorganisation while it is applied.
struct Work<'p> {
    plan: &'p Reorganisation,
    edit: TreeEdit,
    report: Report,
    errors: Vec<String>,
}

impl Work<'_> {
    /// Keeps what a line says wrong, so that one refusal names all lines. Other errors end the work.
    fn keep(&mut self, line: usize, done: Result<(), StoreError>) -> Result<(), StoreError> {
        match done {
            Err(StoreError::Rule(message) | StoreError::Conflict(message)) => {
                self.errors.push(format!("line {line}: {message}"));
                Ok(())
            }
            Err(StoreError::Refused(refusal)) => {
                self.errors.push(format!("line {line}: {refusal}"));
                Ok(())
            }
            done => done,
        }
    }

    fn create(&mut self, tx: &mut WriteTx<'_>, entry: &NewEntry) -> Result<(), StoreError> {
        let parent = entry.parent.as_ref().map(|parent| parent.get_ref().as_str());
        let new = NewUnit {
            code: entry.code.get_ref().clone(),
            name_vi: entry.name_vi.clone(),
            name_en: entry.name_en.clone(),
            kind: entry.kind,
            peer_group: entry.peer_group,
            field: entry.field.clone(),
            parent: None,
            valid_from: Some(self.plan.in_force),
        };
        let unit = new.row()?;
        create(tx, &mut self.edit, &unit, parent)?;
        self.report.created.push(CreatedUnit {
            code: unit.code,
            name_vi: unit.name_vi,
            kind: unit.kind,
            parent: parent.map(str::to_owned),
        });
        Ok(())
    }

    fn change(&mut self, tx: &mut WriteTx<'_>, entry: &ChangeEntry) -> Result<(), StoreError> {
        let before = self.edit.by_code("unit", entry.unit.get_ref())?.clone();
        let change = UnitChange {
            name_vi: entry.name_vi.clone(),
            name_en: entry.name_en.clone().map(Some),
            kind: entry.kind,
            peer_group: entry.peer_group.map(Some),
            field: entry.field.clone().map(Some),
            ..UnitChange::default()
        };
        self.put_changed(tx, before, change)
    }

    fn put_changed(&mut self, tx: &mut WriteTx<'_>, before: Unit, change: UnitChange) -> Result<(), StoreError> {
        let from = before.name_vi.clone();
        let now = changed(before, change)?;
        self.report.changed.push(ChangedUnit { code: now.code.clone(), from, to: now.name_vi.clone() });
        self.edit.put(tx, &now)
    }

    fn move_to(
        &mut self,
        tx: &mut WriteTx<'_>,
        unit: &Spanned<String>,
        to: &Spanned<String>,
    ) -> Result<(), StoreError> {
        let day = self.plan.in_force;
        let unit = self.edit.by_code("units", unit.get_ref())?.id;
        let parent = self.edit.by_code("to", to.get_ref())?.id;
        let from = self.edit.parent_on(unit, day_before(day)).map(|above| self.edit.code(above).to_owned());
        self.edit.move_to(tx, "units", unit, parent, day)?;
        let code = self.edit.code(unit).to_owned();
        self.report.moved.push(MovedUnit { code, from, to: to.get_ref().clone() });
        Ok(())
    }

    fn close(
        &mut self,
        tx: &mut WriteTx<'_>,
        unit: &Spanned<String>,
        successor: Option<&Spanned<String>>,
    ) -> Result<(), StoreError> {
        let day = self.plan.in_force;
        let unit = self.edit.by_code("unit", unit.get_ref())?.clone();
        let successor = successor.map(Spanned::get_ref);
        let follows = successor.map(|code| self.edit.by_code("successor", code).map(|found| found.id)).transpose()?;
        let closed = close(tx, &mut self.edit, &unit, day_before(day), follows)?;
        let to = successor.cloned().unwrap_or_default();
        let from = Some(unit.code.clone());
        self.report.moved.extend(closed.moved.into_iter().map(|code| MovedUnit {
            code,
            from: from.clone(),
            to: to.clone(),
        }));
        self.report.postings.extend(closed.officers.into_iter().map(|officer| MovedPosting {
            officer_id: officer.id,
            officer: officer.code,
            from: unit.code.clone(),
            to: to.clone(),
        }));
        let (complaints, later_complaints) = complaints_of(tx, unit.id, day)?;
        self.report.closed.push(EndedUnit {
            code: unit.code,
            name_vi: unit.name_vi,
            last_day: day_before(day),
            successor: successor.cloned(),
            complaints,
            open_complaints: closed.open_complaints,
            later_complaints,
        });
        Ok(())
    }

    fn rename(&mut self, tx: &mut WriteTx<'_>, entry: &RenameEntry) -> Result<(), StoreError> {
        let above = self.edit.by_code("below", entry.below.get_ref())?.id;
        let replaced = entry.replace.get_ref();
        let is_meant = |unit: &Unit| {
            unit.id != above && entry.kind.is_none_or(|kind| kind == unit.kind) && unit.name_vi.contains(replaced)
        };
        let meant: Vec<Unit> = self
            .edit
            .below_on(above, self.plan.in_force)
            .into_iter()
            .filter_map(|unit| self.edit.unit(unit))
            .filter(|unit| is_meant(unit))
            .cloned()
            .collect();
        if replaced.is_empty() || meant.is_empty() {
            let message = format!("no unit below {:?} has {replaced:?} in its name", entry.below.get_ref());
            return Err(StoreError::Rule(format!("replace: {message}")));
        }
        for unit in meant {
            let name_vi = unit.name_vi.replacen(replaced, &entry.by, 1);
            let change = UnitChange { name_vi: Some(name_vi), ..UnitChange::default() };
            self.put_changed(tx, unit, change)?;
        }
        Ok(())
    }
}
