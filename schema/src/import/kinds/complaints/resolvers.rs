//! Resolves the codes that complaints refer to, and prepares placeholders for codes that the register does not have.

use super::{
    CATEGORY, CATEGORY_KIND, CATEGORY_NAME, CATEGORY_PARENT, CATEGORY_SERIOUS, ENTERPRISE_GROUP, ENTERPRISE_NAME,
    OFFICER, OFFICER_APPOINTED, OFFICER_NAME, OFFICER_RANK, TAX_CODE, UNIT, UNIT_KIND, UNIT_NAME,
};
use crate::db::Conn;
use crate::db::StoreError;
use crate::domain::ids::reference_id;
use crate::enums::CategoryKind;
use crate::events::Entity;
use crate::import::Reject;
use crate::import::kinds::reference_resolver::ReferenceResolver;
use crate::import::kinds::units::unknown_unit;
use crate::import::mapping::{Mapping, OnMissing};
use crate::import::row::Cells;
use crate::models::{Enterprise, IssueCategory, Officer, Unit};
use crate::register::reference::unknown_officer;
use crate::sql_types::Id;
use std::collections::BTreeMap;

/// The codes that a batch refers to.
#[derive(Default)]
pub struct Resolvers {
    pub units: ReferenceResolver<Unit>,
    pub officers: ReferenceResolver<Officer>,
    pub categories: ReferenceResolver<IssueCategory>,
    pub enterprises: ReferenceResolver<Enterprise>,
    /// Categories that other categories name as their parent, with the kind of the first of those.
    parents: BTreeMap<String, CategoryKind>,
}

impl Resolvers {
    /// Loads the codes that the register has.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn look_up(&mut self, conn: &mut Conn) -> Result<(), StoreError> {
        // A category that has rows of its own keeps what they give: `want` does not replace a noted code.
        for (code, kind) in std::mem::take(&mut self.parents) {
            self.categories.want(&code, |id| unknown_category(id, &code, kind), |_, _| ());
        }
        self.units.look_up(conn)?;
        self.officers.look_up(conn)?;
        self.categories.look_up(conn)?;
        self.enterprises.look_up(conn)
    }

    /// The parent of a category to be created, where that parent has a parent itself: a third level is not allowed.
    pub fn too_deep(&self, category: &str) -> Option<&IssueCategory> {
        let id = reference_id(Entity::Category, category);
        let missing = self.categories.row_if_missing(id).filter(|_| !self.categories.knows(id))?;
        let parent = missing.parent_id?;
        let above = self.categories.existing(parent).or_else(|| self.categories.row_if_missing(parent))?;
        above.parent_id.is_some().then_some(above)
    }
}

/// Reads the unit of a row and registers its code with the resolver, which looks it up later.
///
/// # Errors
/// A rejection of the row if one of its cells is wrong.
pub fn resolve_unit(cells: &Cells<'_>, resolvers: &mut Resolvers) -> Result<Option<String>, Reject> {
    let Some(code) = cells.code(UNIT)? else { return Ok(None) };
    let (name, kind) = (cells.text(UNIT_NAME)?, cells.word(UNIT_KIND)?);
    let make = |id| unknown_unit(id, &code, name.as_deref(), kind);
    resolvers.units.want(&code, make, |noted, row| {
        if noted.name_vi == noted.code {
            noted.name_vi = row.name_vi;
        }
    });
    Ok(Some(code))
}

/// Reads the officer of a row and registers the code with the resolver.
///
/// # Errors
/// A rejection of the row if one of its cells is wrong.
pub fn resolve_officer(cells: &Cells<'_>, resolvers: &mut Resolvers) -> Result<Option<String>, Reject> {
    let Some(code) = cells.code(OFFICER)? else { return Ok(None) };
    let (name, rank, appointed_on) =
        (cells.text(OFFICER_NAME)?, cells.code(OFFICER_RANK)?, cells.date(OFFICER_APPOINTED)?);
    let make = |id| Officer { name: name.map(Into::into), rank, appointed_on, ..unknown_officer(id, &code) };
    resolvers.officers.want(&code, make, |noted, row| {
        noted.name = noted.name.take().or(row.name);
        noted.rank = noted.rank.take().or(row.rank);
        noted.appointed_on = noted.appointed_on.or(row.appointed_on);
    });
    Ok(Some(code))
}

/// Reads the category of a row and registers its code, and that of its parent, with the resolver.
///
/// # Errors
/// A rejection of the row if one of its cells is wrong.
pub fn resolve_category(
    mapping: &Mapping,
    cells: &Cells<'_>,
    resolvers: &mut Resolvers,
) -> Result<Option<String>, Reject> {
    let Some(code) = cells.code(CATEGORY)? else { return Ok(None) };
    let (name, kind) = (cells.text(CATEGORY_NAME)?, cells.word(CATEGORY_KIND)?);
    let serious = cells.truth(CATEGORY_SERIOUS)?.unwrap_or(false);
    // Registers with two levels write the upper category into both columns where there is no lower one.
    let parent = cells.code(CATEGORY_PARENT)?.filter(|parent| *parent != code);
    let kind = match kind {
        Some(kind) => kind,
        None if mapping.missing.category == OnMissing::Create => {
            return Err(
                cells.reject(CATEGORY_KIND, "is needed where the mapping says that missing categories are created")
            );
        }
        None => CategoryKind::Conduct,
    };
    let make = |id| IssueCategory {
        parent_id: parent.as_deref().map(|parent| reference_id(Entity::Category, parent)),
        name_vi: name.map_or_else(|| code.clone(), Into::into),
        serious,
        ..unknown_category(id, &code, kind)
    };
    resolvers.categories.want(&code, make, |noted, row| {
        if noted.name_vi == noted.code {
            noted.name_vi = row.name_vi;
        }
        noted.parent_id = noted.parent_id.or(row.parent_id);
        noted.serious |= row.serious;
    });
    if let Some(parent) = parent {
        resolvers.parents.entry(parent).or_insert(kind);
    }
    Ok(Some(code))
}

fn unknown_category(id: Id, code: &str, kind: CategoryKind) -> IssueCategory {
    IssueCategory {
        id,
        code: code.to_owned(),
        parent_id: None,
        name_vi: code.to_owned(),
        name_en: None,
        kind,
        serious: false,
        deadline_days: None,
        owner_unit_id: None,
        unknown: true,
        deadline_unit: None,
        valid_to: None,
    }
}

/// Reads the enterprise of a row and registers its tax code with the resolver.
///
/// # Errors
/// A rejection of the row if one of its cells is wrong.
pub fn resolve_enterprise(cells: &Cells<'_>, resolvers: &mut Resolvers) -> Result<Option<String>, Reject> {
    let Some(tax_code) = cells.tax_code(TAX_CODE)? else { return Ok(None) };
    let (name, group_code) = (cells.text(ENTERPRISE_NAME)?.map(Into::into), cells.code(ENTERPRISE_GROUP)?);
    let make = |id| Enterprise { id, tax_code: tax_code.clone(), name, group_code };
    resolvers.enterprises.want(&tax_code, make, |noted, row| {
        noted.name = noted.name.take().or(row.name);
        noted.group_code = noted.group_code.take().or(row.group_code);
    });
    Ok(Some(tax_code))
}
