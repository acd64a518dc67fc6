//! The filter of `complaintStatistics`. Its fields with operators are those of the filter of `complaints`.
//! [`super::dimensions`] declares those on dimensions with words.

use super::conditions::officers;
use super::dimensions::DimensionFilter;
use super::period::Period;
use super::word_sets::{EqualOps, Places, listed_words, words};
use crate::access::{OfUnit, Scope, is_one_of, within_columns};
use crate::graphql::enums::{CategoryKind, Channel, ComplaintState, Finding};
use crate::graphql::error::refuse;
use crate::graphql::filter::{
    AttributionOps, BooleanOps, DateOps, DateTimeOps, DecimalOps, FindingOps, FloatOps, today,
};
use crate::graphql::scalars::{Decimal, Moment};
use crate::graphql::types::{CategoryFilter, ResponsibleUnitOps, UnitFilter};
use async_graphql::{Error, InputObject, Result};
use chrono::NaiveDate;
use chrono_tz::Tz;
use jobs::facts::EnterpriseFact;
use jobs::facts::days::day_number;
use jobs::snapshot::{IndexColumn, Reference, Snapshot};
use jobs::statistics::Allegations;
use polars::prelude::{Expr, NamedFrom, Series, col, lit};
use schema::refusal::FilterRefusal;

/// The complaints to count: conditions joined by AND. The fields with operators have the meaning that they have in the
/// filter of `complaints`. An unknown unit or category code gives BAD_USER_INPUT.
#[derive(Debug, Clone, Default, InputObject)]
pub struct ComplaintStatisticsFilter {
    /// The code of a unit: complaints about it and the units below it, on the day of each complaint.
    pub unit_within: Option<String>,
    pub unit: Option<UnitFilter>,
    /// The code of a unit: complaints that it or a unit below it has to answer.
    pub responsible_unit_within: Option<String>,
    pub responsible_unit: Option<ResponsibleUnitOps>,
    /// Codes of categories; those below them are included.
    #[graphql(deprecation = "deprecated until 2028-12-31: use category, with the operators that lists have")]
    pub category_in: Option<Vec<String>>,
    pub category: Option<CategoryFilter>,
    #[graphql(deprecation = "deprecated until 2028-12-31: use kind, with the operators that lists have")]
    pub kind_in: Option<Vec<CategoryKind>>,
    #[graphql(deprecation = "deprecated until 2028-12-31: use channel, with the operators that lists have")]
    pub channel_in: Option<Vec<Channel>>,
    #[graphql(deprecation = "deprecated until 2028-12-31: use state, with the operators that lists have")]
    pub state_in: Option<Vec<ComplaintState>>,
    #[graphql(flatten)]
    pub dimensions: DimensionFilter,
    /// Complaints with one of these findings, of an officer named or of the complaint itself.
    #[graphql(deprecation = "deprecated until 2028-12-31: use finding, with the operators that lists have")]
    pub finding_in: Option<Vec<Finding>>,
    /// Complaints with such a finding, of an officer named or of the complaint itself. This, `attribution` and
    /// `officerIn` of one filter must hold for the same allegation, and other allegations do not count as
    /// officers or findings; within `and`, `or` and `not` all allegations of the selected complaints count.
    pub finding: Option<FindingOps>,
    /// Complaints that name an officer with such an attribution.
    pub attribution: Option<AttributionOps>,
    /// Codes of officers named. An unknown code gives BAD_USER_INPUT if you see every complaint, else it
    /// selects nothing.
    pub officer_in: Option<Vec<String>>,
    /// Tax codes of enterprises; their groups and branches are included. An unknown code selects nothing.
    pub enterprise_in: Option<Vec<String>>,
    /// Whether the officer blamed the IT system.
    pub blames_system: Option<bool>,
    pub anonymous: Option<bool>,
    pub confidential: Option<BooleanOps>,
    /// In whole VND.
    pub cost_vnd: Option<DecimalOps>,
    /// In hours.
    pub delay_hours: Option<FloatOps>,
    /// The day of the answer in the present round.
    pub answered_on: Option<DateOps>,
    /// Unlike `receivedFrom` and `receivedBefore` no period that `fill` and `compare` know.
    pub received_at: Option<DateTimeOps>,
    /// Received at this time or later. Not after `receivedBefore`.
    pub received_from: Option<Moment>,
    /// Received before this time.
    pub received_before: Option<Moment>,
    pub and: Option<Vec<ComplaintStatisticsFilter>>,
    pub or: Option<Vec<ComplaintStatisticsFilter>>,
    pub not: Option<Box<ComplaintStatisticsFilter>>,
}

/// Adds the conditions of operators on a column with an order, as values of the column's type.
macro_rules! ordered {
    ($conditions:ident, $ops:expr, $column:literal, $value:expr) => {
        if let Some(ops) = &$ops {
            let value = $value;
            let compared = [
                ops.eq.as_ref().map(|one| col($column).eq(lit(value(one)))),
                ops.ne.as_ref().map(|one| col($column).neq(lit(value(one)))),
                ops.gt.as_ref().map(|one| col($column).gt(lit(value(one)))),
                ops.gte.as_ref().map(|one| col($column).gt_eq(lit(value(one)))),
                ops.lt.as_ref().map(|one| col($column).lt(lit(value(one)))),
                ops.lte.as_ref().map(|one| col($column).lt_eq(lit(value(one)))),
                ops.r#in.as_ref().map(|all| {
                    let all = Series::new("values".into(), all.iter().map(value).collect::<Vec<_>>());
                    col($column).is_in(lit(all).implode(false), false)
                }),
            ];
            // A comparison with no value is null, and must not be true when it is negated.
            $conditions.extend(compared.into_iter().flatten().map(|one| one.fill_null(lit(false))));
            $conditions.extend(ops.is_null.map(|null| match null {
                true => col($column).is_null(),
                false => col($column).is_not_null(),
            }));
        }
    };
}

/// Refuses the code of a unit; `field` is the one that held it.
pub(super) fn unknown_unit(field: &str, code: &str) -> Error {
    refuse(FilterRefusal::UnknownUnit { field: field.to_owned(), code: code.to_owned() })
}

/// The conditions of operators on the unit that has to answer.
fn of_responsible_unit(ops: &ResponsibleUnitOps, snapshot: &Snapshot) -> Result<Vec<Expr>> {
    let (reference, column) = (&snapshot.reference, IndexColumn::ResponsibleUnit.name());
    let unit_id = |code: &str| {
        reference.unit_by_code(code).map(|unit| unit.id).ok_or_else(|| unknown_unit("responsibleUnit", code))
    };
    let mut conditions = Vec::new();
    let lists = [ops.eq.as_ref().map(std::slice::from_ref), ops.r#in.as_deref()];
    for codes in lists.into_iter().flatten() {
        let mut places = Vec::with_capacity(codes.len());
        for code in codes {
            places.extend(reference.unit_index(unit_id(code)?));
        }
        conditions.push(is_one_of(column, places));
    }
    if let Some(code) = &ops.within {
        conditions.push(OfUnit::new(&reference.tree, unit_id(code)?, today()).answered_columns(snapshot));
    }
    conditions.extend(ops.is_null.map(|null| if null { col(column).is_null() } else { col(column).is_not_null() }));
    Ok(conditions)
}

impl ComplaintStatisticsFilter {
    /// Whether the filter or a part of it has a condition.
    pub(super) fn has(&self, condition: fn(&Self) -> bool) -> bool {
        let mut parts = self.and.iter().flatten().chain(self.or.iter().flatten()).chain(self.not.as_deref());
        condition(self) || parts.any(|part| part.has(condition))
    }

    /// The conditions on columns of places, as the places that each allows; `categories` has those that `category`
    /// selects.
    ///
    /// # Errors
    /// BAD_USER_INPUT if a code is unknown.
    pub(super) fn sets(
        &self,
        reference: &Reference,
        categories: Option<Vec<u32>>,
    ) -> Result<Vec<(IndexColumn, Places)>> {
        let mut sets: Vec<(IndexColumn, Option<Places>)> = Vec::new();
        if let Some(codes) = &self.category_in {
            let mut places = Places::new();
            for code in codes {
                let unknown =
                    || refuse(FilterRefusal::UnknownCategory { field: "categoryIn".to_owned(), code: code.clone() });
                let category = reference.category_by_code(code).ok_or_else(unknown)?;
                places.extend(reference.categories_within(category.id).map(|one| reference.category_index(one.id)));
            }
            places.sort_unstable();
            places.dedup();
            sets.push((IndexColumn::Category, Some(places)));
        }
        sets.extend([
            (IndexColumn::Category, categories.map(|all| all.into_iter().map(Some).collect())),
            (IndexColumn::Kind, listed_words!(self.kind_in, CategoryKind)),
            (IndexColumn::Channel, listed_words!(self.channel_in, Channel)),
            (IndexColumn::State, listed_words!(self.state_in, ComplaintState)),
        ]);
        let mut all: Vec<(IndexColumn, Places)> =
            sets.into_iter().filter_map(|(column, places)| Some((column, places?))).collect();
        all.extend(self.dimensions.sets());
        // In the order of columns, whichever of two fields for one column the question uses.
        all.sort_by_key(|(column, _)| *column as usize);
        Ok(all)
    }

    /// The conditions on other columns, except the period.
    ///
    /// # Errors
    /// BAD_USER_INPUT if a code is unknown.
    pub(super) fn other_conditions(&self, snapshot: &Snapshot) -> Result<Vec<Expr>> {
        let reference = &snapshot.reference;
        let mut conditions = Vec::new();
        if let Some(code) = &self.unit_within {
            let unit = reference.unit_by_code(code).ok_or_else(|| unknown_unit("unitWithin", code))?;
            let below = reference.tree.descendants_without_stored_ancestor(unit.id);
            conditions.push(within_columns(snapshot, unit.id, &below));
        }
        if let Some(code) = &self.responsible_unit_within {
            let unit = reference.unit_by_code(code).ok_or_else(|| unknown_unit("responsibleUnitWithin", code))?;
            conditions.push(OfUnit::new(&reference.tree, unit.id, today()).answered_columns(snapshot));
        }
        if let Some(ops) = &self.responsible_unit {
            conditions.extend(of_responsible_unit(ops, snapshot)?);
        }
        conditions.extend(self.enterprises(snapshot).map(|places| is_one_of("enterprise", places)));
        if let Some(blames) = self.blames_system {
            conditions.push(col("blames").eq(lit(blames)));
        }
        if let Some(anonymous) = self.anonymous {
            conditions.push(if anonymous { col("enterprise").is_null() } else { col("enterprise").is_not_null() });
        }
        if let Some(BooleanOps { eq, ne, is_null }) = self.confidential {
            let ops = EqualOps { eq, ne, among: None, is_null };
            conditions.push(match [true, false].map(|value| ops.select(Some(value))) {
                [true, true] => lit(true),
                [true, false] => col("confidential"),
                [false, true] => col("confidential").not(),
                [false, false] => lit(false),
            });
        }
        ordered!(conditions, self.cost_vnd, "cost", |amount: &Decimal| amount.0);
        ordered!(conditions, self.delay_hours, "delay", |hours: &f64| *hours);
        ordered!(conditions, self.answered_on, "answered", |day: &NaiveDate| day_number(*day));
        ordered!(conditions, self.received_at, "received", |moment: &Moment| moment.0.micros());
        Ok(conditions)
    }

    /// The places of the enterprises that `enterpriseIn` names.
    pub(super) fn enterprises(&self, snapshot: &Snapshot) -> Option<Vec<u32>> {
        let index = |code: &String| {
            let fact = EnterpriseFact { tax_code: code.clone(), group_code: None };
            let enterprises = &snapshot.enterprises;
            enterprises.index_of_tax_code(code).or_else(|| enterprises.index_of(&fact.counts_as()))
        };
        // An enterprise without complaints is not an error: it selects nothing.
        Some(self.enterprise_in.as_ref()?.iter().filter_map(index).collect())
    }

    /// The limits on allegations.
    ///
    /// # Errors
    /// Same errors as [`officers`].
    pub(super) fn allegations(&self, snapshot: &Snapshot, scope: &Scope) -> Result<Allegations> {
        let mut findings: Option<Vec<u32>> = None;
        for places in [listed_words!(self.finding_in, Finding), words!(self.finding, Finding)].into_iter().flatten() {
            let places = places.into_iter().flatten();
            findings = Some(match findings {
                None => places.collect(),
                Some(before) => places.filter(|index| before.contains(index)).collect(),
            });
        }
        Ok(Allegations {
            officers: self.officer_in.as_deref().map(|codes| officers(snapshot, scope, codes)).transpose()?,
            findings,
            attributions: words!(self.attribution, Attribution).map(|all| all.into_iter().flatten().collect()),
        })
    }

    /// The period, with days in a time zone.
    ///
    /// # Errors
    /// BAD_USER_INPUT if it ends before it begins.
    pub(super) fn period(&self, zone: Tz) -> Result<Period> {
        Period::new(self.received_from, self.received_before, zone)
    }
}
