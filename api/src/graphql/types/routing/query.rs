//! The queries `routingRules` and `routeOf`.

use super::RoutingRule;
use crate::graphql::context::{request, snapshot};
use crate::graphql::error::bad_input;
use crate::graphql::execute::Inline;
use crate::graphql::input::day;
use crate::graphql::loaders::{UnitKey, reference_row};
use crate::graphql::types::Unit;
use crate::graphql::types::statistics;
use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use chrono::NaiveDate;
use schema::Id;
use schema::domain::calendar::is_valid_on;
use schema::register::{Matter, RoutedBy, Routing, rules};

/// The rule that decides which unit has to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum RouteReason {
    /// A routing rule.
    Rule,
    /// The owner of the category.
    Owner,
    /// The unit complained about.
    Place,
}

/// The route of a complaint.
#[derive(SimpleObject)]
pub struct Route {
    /// The unit that has to answer; null if the register knows no such unit.
    unit: Option<Inline<Unit>>,
    /// The unit that has ended by the day of the complaint, if its successor has to answer instead.
    in_place_of: Option<Inline<Unit>>,
    reason: RouteReason,
    /// The rule that decides; null if none does.
    rule: Option<Inline<RoutingRule>>,
}

#[derive(Default)]
pub struct RoutingQueries;

#[Object]
impl RoutingQueries {
    /// The routing rules, those with the latest beginning first.
    async fn routing_rules(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only rules in force on this day.")] on: Option<NaiveDate>,
    ) -> Result<Vec<Inline<RoutingRule>>> {
        let mut all = request(ctx)?.read(rules).await?;
        all.retain(|rule| on.is_none_or(|on| is_valid_on(on, rule.valid_from, rule.valid_to)));
        Ok(all.into_iter().map(RoutingRule).map(Inline).collect())
    }

    /// The unit to which a complaint with this category about this unit would go, and the reason. Nothing is stored.
    /// BAD_USER_INPUT if a code is unknown.
    async fn route_of(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The code of a category.")] category: Option<String>,
        #[graphql(desc = "The code of the unit complained about.")] unit: Option<String>,
        #[graphql(desc = "The day of the complaint. Default: today.")] on: Option<NaiveDate>,
    ) -> Result<Route> {
        let snapshot = snapshot(ctx)?;
        let reference = snapshot.reference.clone();
        let unknown = |field: &str, code: &str, query: &str| {
            bad_input(format!("{field}: {code:?} is not known: the query `{query}` lists the codes"))
        };
        let category = match &category {
            None => None,
            Some(code) => {
                let found = reference.categories.iter().find(|category| category.code == *code);
                Some(found.ok_or_else(|| unknown("category", code, "issueCategories"))?.id)
            }
        };
        let unit = match &unit {
            None => None,
            Some(code) => Some(reference.unit_by_code(code).ok_or_else(|| unknown("unit", code, "units"))?.id),
        };
        let on = match on {
            Some(on) => day("on", on)?,
            None => statistics::past_day(&snapshot, None)?,
        };
        let routing = request(ctx)?.read(Routing::load).await?;
        let matter = Matter { category, unit, day: on, received_on: on, asked_on: on };
        let route = routing.route(&reference.tree, matter);
        let (reason, rule) = match route.by {
            RoutedBy::Rule(id) => (RouteReason::Rule, routing.rule(id).cloned()),
            RoutedBy::Owner(_) => (RouteReason::Owner, None),
            RoutedBy::Place => (RouteReason::Place, None),
        };
        let (unit, in_place_of) = (unit_of(ctx, route.unit).await?, unit_of(ctx, route.in_place_of).await?);
        Ok(Route { unit, in_place_of, reason, rule: rule.map(RoutingRule).map(Inline) })
    }
}

async fn unit_of(ctx: &Context<'_>, unit: Option<Id>) -> Result<Option<Inline<Unit>>> {
    let Some(unit) = unit else { return Ok(None) };
    Ok(reference_row(ctx, UnitKey(unit)).await?.map(Unit).map(Inline))
}
