//! Import of issue categories, one row each, in at most two levels.

use super::{Group, RowOutcome, keep_unmapped, read_each, refuse, store};
use crate::db::{StoreError, WriteTx, dialect};
use crate::domain::ids::reference_id;
use crate::enums::{CategoryKind, DeadlineUnit};
use crate::events::Entity;
use crate::import::Reject;
use crate::import::field::{FieldType::*, fields};
use crate::import::kinds::Context;
use crate::import::row::Cells;
use crate::models::{IssueCategory, Unit};
use crate::register::administration::breaks_levels;
use crate::register::reference::Stored;
use crate::sql_types::Id;
use crate::tables::issue_categories;
use diesel::prelude::*;
use std::collections::{HashMap, HashSet};

fields! {
    CODE = "code", Code, true, "the category's code";
    PARENT = "parent", Code, false, "the code of the parent category; for categories of the second of the two levels";
    NAME_VI = "name_vi", Text, true, "its name in Vietnamese";
    NAME_EN = "name_en", Text, false, "its name in English";
    KIND = "kind", Word(CategoryKind::WORDS), true, "what kind of obstacle it is";
    SERIOUS = "serious", Bool, false, "obstruction, harassment, corruption and the like; default: no";
    DEADLINE_DAYS = "deadline_days", Integer, false, "days within which a complaint must be answered";
    DEADLINE_UNIT = "deadline_unit", Word(DeadlineUnit::WORDS), false, "in which days it is counted; default: WORKING";
    OWNER = "owner", Code, false, "the code of the headquarters unit to whose field it belongs";
    VALID_TO = "valid_to", Date, false, "the last day on which complaints are filed under it, inclusive; blank: no end";
}

/// Stores a batch.
///
/// # Errors
/// If the database fails. A rejected row is no error.
pub fn apply(tx: &mut WriteTx<'_>, context: &Context<'_>, batch: &[Group]) -> Result<Vec<RowOutcome>, StoreError> {
    // Other deadlines change complaints.
    dialect::lock_tree_exclusive(tx.conn)?;
    let mut read = read_each(context, batch, read);
    let stored: Vec<(Id, Option<Id>)> =
        issue_categories::table.select((issue_categories::id, issue_categories::parent_id)).load(tx.conn)?;
    let owners: Vec<Id> = read.iter().flatten().filter_map(|category| category.owner_unit_id).collect();
    let owners: HashSet<Id> = Unit::load(tx.conn, &owners)?.into_keys().collect();
    // A rejected category may be the parent of another one: repeat until no further category is rejected.
    loop {
        let mut parent_of: HashMap<Id, Option<Id>> = stored.iter().copied().collect();
        parent_of.extend(read.iter().flatten().map(|category| (category.id, category.parent_id)));
        let above: HashSet<Id> = parent_of.values().flatten().copied().collect();
        let before = read.iter().flatten().count();
        refuse(context, batch, &mut read, |category| match category.parent_id.map(|parent| parent_of.get(&parent)) {
            Some(None) => {
                Some((PARENT, "is not a category, neither in the register nor among the good rows of this file"))
            }
            Some(Some(parent_of_parent))
                if breaks_levels(*parent_of_parent, above.contains(&category.id)).is_some() =>
            {
                breaks_levels(*parent_of_parent, above.contains(&category.id)).map(|reason| (PARENT, reason))
            }
            _ if category.owner_unit_id.is_some_and(|unit| !owners.contains(&unit)) => {
                Some((OWNER, "is not known to the register: import units first"))
            }
            _ => None,
        });
        if read.iter().flatten().count() == before {
            break;
        }
    }
    // Parents first, because of the foreign key to the parent's row.
    let mut order: Vec<usize> = (0..read.len()).collect();
    order.sort_by_key(|at| read[*at].as_ref().is_ok_and(|category| category.parent_id.is_some()));
    let keep = keep_unmapped!(IssueCategory, context,
        PARENT => parent_id,
        NAME_EN => name_en,
        SERIOUS => serious,
        DEADLINE_DAYS => deadline_days,
        DEADLINE_UNIT => deadline_unit,
        OWNER => owner_unit_id,
        VALID_TO => valid_to,
    );
    let done = store(tx, order.iter().map(|at| read[*at].clone()).collect(), keep)?;
    let mut outcomes = vec![RowOutcome::Unchanged; order.len()];
    for (at, outcome) in order.into_iter().zip(done) {
        outcomes[at] = outcome;
    }
    Ok(outcomes)
}

fn read(cells: &Cells<'_>) -> Result<IssueCategory, Reject> {
    let code = super::required(cells, CODE)?;
    let deadline_days = match cells.count(DEADLINE_DAYS)? {
        None => None,
        Some(days) => Some(i32::try_from(days).map_err(|_| cells.reject(DEADLINE_DAYS, "is too large"))?),
    };
    Ok(IssueCategory {
        id: reference_id(Entity::Category, &code),
        parent_id: cells.code(PARENT)?.map(|code| reference_id(Entity::Category, &code)),
        name_vi: cells.text(NAME_VI)?.map(Into::into).unwrap_or_else(|| code.clone()),
        name_en: cells.text(NAME_EN)?.map(Into::into),
        kind: cells.word(KIND)?.ok_or_else(|| cells.reject(KIND, "is blank"))?,
        serious: cells.truth(SERIOUS)?.unwrap_or(false),
        deadline_days,
        owner_unit_id: cells.code(OWNER)?.map(|code| reference_id(Entity::Unit, &code)),
        unknown: false,
        // The default is not stored.
        deadline_unit: cells.word(DEADLINE_UNIT)?.filter(|unit| *unit != DeadlineUnit::Working),
        valid_to: cells.date(VALID_TO)?,
        code,
    })
}
