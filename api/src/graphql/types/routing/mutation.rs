//! The mutations of routing rules.

use super::RoutingRule;
use crate::graphql::context::{request, viewer};
use crate::graphql::enums::CategoryKind;
use crate::graphql::error::from_store;
use crate::graphql::execute::blocking;
use crate::graphql::input::{SHORT, day, optional};
use crate::graphql::scalars::parse_id;
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::NaiveDate;
use schema::models::UNKNOWN_START;
use schema::register::{NewRule, end_rule, put_rule};

/// A routing rule to store. It needs a category, a kind or a unit.
#[derive(Debug, InputObject)]
pub struct PutRoutingRuleInput {
    /// The rule to replace; leave it out for a new one.
    pub id: Option<ID>,
    /// The code of a category: complaints of it, or of one below it.
    pub category: Option<String>,
    pub kind: Option<CategoryKind>,
    /// The code of a unit: complaints about it, or about one below it.
    pub unit: Option<String>,
    /// The code of the unit that has to answer; leave it out for the branch complained about.
    pub responsible_unit: Option<String>,
    /// The first day of receipt; leave it out for a rule without a beginning.
    pub valid_from: Option<NaiveDate>,
    /// The last day of receipt, not before `validFrom`; leave it out for a rule without an end.
    pub valid_to: Option<NaiveDate>,
}

/// The end of a routing rule.
#[derive(Debug, InputObject)]
pub struct EndRoutingRuleInput {
    pub id: ID,
    /// The last day of receipt for which the rule counts.
    pub last_day: NaiveDate,
}

#[derive(SimpleObject)]
pub struct RoutingRulePayload {
    pub rule: RoutingRule,
    /// The position of the register after the change, for `minPosition`; null if nothing changed.
    pub position: Option<i64>,
}

#[derive(Default)]
pub struct RoutingMutations;

#[Object]
impl RoutingMutations {
    /// Stores a routing rule. It applies to complaints received or classified from now on; complaints with a
    /// responsible unit keep it. NOT_FOUND if the replaced rule does not exist, BAD_USER_INPUT if a code is unknown or
    /// without a condition, CONFLICT if another rule has the same conditions on some of the days.
    async fn put_routing_rule(&self, ctx: &Context<'_>, input: PutRoutingRuleInput) -> Result<RoutingRulePayload> {
        let code = |name: &str, code: Option<&String>| optional(name, code.map(String::as_str), SHORT);
        let new = NewRule {
            id: input.id.as_ref().map(parse_id).transpose()?,
            category: code("category", input.category.as_ref())?,
            kind: input.kind.map(Into::into),
            unit: code("unit", input.unit.as_ref())?,
            responsible_unit: code("responsibleUnit", input.responsible_unit.as_ref())?,
            valid_from: input.valid_from.map(|from| day("validFrom", from)).transpose()?.unwrap_or(UNKNOWN_START),
            valid_to: input.valid_to.map(|to| day("validTo", to)).transpose()?,
        };
        let (viewer, app) = (viewer(ctx)?.clone(), request(ctx)?.app.clone());
        let done = blocking(move || app.db.write(&viewer.actor(), |tx| put_rule(tx, &new)).map_err(from_store)).await?;
        Ok(RoutingRulePayload { rule: RoutingRule(done.value), position: done.position })
    }

    /// Ends a routing rule. NOT_FOUND if it does not exist, BAD_USER_INPUT if the day is before the rule's first day.
    async fn end_routing_rule(&self, ctx: &Context<'_>, input: EndRoutingRuleInput) -> Result<RoutingRulePayload> {
        let (id, last_day) = (parse_id(&input.id)?, day("lastDay", input.last_day)?);
        let (viewer, app) = (viewer(ctx)?.clone(), request(ctx)?.app.clone());
        let done = blocking(move || app.db.write(&viewer.actor(), |tx| end_rule(tx, id, last_day)).map_err(from_store))
            .await?;
        Ok(RoutingRulePayload { rule: RoutingRule(done.value), position: done.position })
    }
}
