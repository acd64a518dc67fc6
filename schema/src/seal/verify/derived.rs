//! The entities with events in the chain of reference data, and the tables of their rows.

use crate::db::readable::{Readable, nth_readable};
use crate::db::{Conn, StoreError};
use crate::events::Entity;
use crate::sql_types::Id;
use crate::tables::{
    correction_proposals, enterprises, guidance_documents, holiday_years, issue_categories, measures, merges, officers,
    postings, proposals, routing_rules, system_incidents, unit_parents, units, workload,
};
use diesel::prelude::*;

/// An entity with events in the chain of reference data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Derived {
    Units,
    UnitParents,
    Officers,
    Postings,
    Enterprises,
    Categories,
    RoutingRules,
    Holidays,
    Workload,
    Incidents,
    Guidance,
    Opinions,
    Proposals,
    Measures,
    CorrectionProposals,
    Merges,
}

impl Derived {
    pub const ALL: &'static [Self] = &[
        Self::Units,
        Self::UnitParents,
        Self::Officers,
        Self::Postings,
        Self::Enterprises,
        Self::Categories,
        Self::RoutingRules,
        Self::Holidays,
        Self::Workload,
        Self::Incidents,
        Self::Guidance,
        Self::Opinions,
        Self::Proposals,
        Self::Measures,
        Self::CorrectionProposals,
        Self::Merges,
    ];

    pub const fn entity(self) -> Entity {
        match self {
            Self::Units => Entity::Unit,
            Self::UnitParents => Entity::UnitParents,
            Self::Officers => Entity::Officer,
            Self::Postings => Entity::Postings,
            Self::Enterprises => Entity::Enterprise,
            Self::Categories => Entity::Category,
            Self::RoutingRules => Entity::RoutingRule,
            Self::Holidays => Entity::HolidayYear,
            Self::Workload => Entity::Workload,
            Self::Incidents => Entity::Incident,
            Self::Guidance => Entity::Guidance,
            Self::Opinions => Entity::Opinion,
            Self::Proposals => Entity::Proposal,
            Self::Measures => Entity::Measure,
            Self::CorrectionProposals => Entity::CorrectionProposal,
            Self::Merges => Entity::Merge,
        }
    }

    pub const fn table(self) -> &'static str {
        match self {
            Self::Units => "units",
            Self::UnitParents => "unit_parents",
            Self::Officers => "officers",
            Self::Postings => "postings",
            Self::Enterprises => "enterprises",
            Self::Categories => "issue_categories",
            Self::RoutingRules => "routing_rules",
            Self::Holidays => "holiday_years",
            Self::Workload => "workload",
            Self::Incidents => "system_incidents",
            Self::Guidance => "guidance_documents",
            Self::Opinions => "guidance_opinions",
            Self::Proposals => "proposals",
            Self::Measures => "measures",
            Self::CorrectionProposals => "correction_proposals",
            Self::Merges => "merges",
        }
    }

    /// Fields of an event that list rows of a table: the field, the table, and the key of a row within the list.
    pub const fn lists(self) -> &'static [(&'static str, &'static str, &'static [&'static str])] {
        match self {
            Self::UnitParents => &[("parents", "unit_parents", &["valid_from"])],
            Self::Postings => &[("postings", "postings", &["unit_id", "valid_from"])],
            Self::Proposals => &[("categories", "proposal_categories", &["id"]), ("units", "proposal_units", &["id"])],
            Self::Measures => &[("complaints", "measure_complaints", &["id"])],
            Self::CorrectionProposals => &[("officers", "correction_proposal_officers", &["id"])],
            _ => &[],
        }
    }

    /// Whether the entity consists only of its list.
    pub const fn is_list(self) -> bool {
        matches!(self, Self::UnitParents | Self::Postings)
    }
}

/// The last id of a part of `rows` rows that begins with `first`; None if there are fewer rows.
///
/// # Errors
/// If the database fails.
pub fn end_of_part(conn: &mut Conn, derived: Derived, first: Id, rows: i64) -> Result<Option<Id>, StoreError> {
    macro_rules! nth {
        ($table:ident, $id:ident) => {
            nth_readable(rows, |at| {
                $table::table
                    .filter($table::$id.ge(first))
                    .order($table::$id)
                    .offset(at)
                    .select($table::$id)
                    .first::<Readable<Id>>(conn)
                    .optional()
            })?
        };
    }
    Ok(match derived {
        Derived::Units => nth!(units, id),
        Derived::UnitParents => nth!(unit_parents, unit_id),
        Derived::Officers => nth!(officers, id),
        Derived::Postings => nth!(postings, officer_id),
        Derived::Enterprises => nth!(enterprises, id),
        Derived::Categories => nth!(issue_categories, id),
        Derived::RoutingRules => nth!(routing_rules, id),
        Derived::Holidays => nth!(holiday_years, id),
        Derived::Workload => nth!(workload, id),
        Derived::Incidents => nth!(system_incidents, id),
        Derived::Guidance => nth!(guidance_documents, id),
        // Opinions have no id column (their ids are hashes of their keys) and are few, so one part holds all of them.
        Derived::Opinions => None,
        Derived::Proposals => nth!(proposals, id),
        Derived::Measures => nth!(measures, id),
        Derived::CorrectionProposals => nth!(correction_proposals, id),
        Derived::Merges => nth!(merges, id),
    })
}
