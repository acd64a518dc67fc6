//! Complaints, and what they are about.

use super::sort_fields::*;
use super::{both, complaints_where};
use crate::graphql::connection::connect;
use crate::graphql::context::{loaders, request, snapshot, viewer};
use crate::graphql::error::bad_input;
use crate::graphql::filters::*;
use crate::graphql::loaders::{CategoryKey, EnterpriseKey, OfficerKey, UnitKey};
use crate::graphql::order_by_measure::{At, Found, ranked};
use crate::graphql::page::PageArgs;
use crate::graphql::scalars::parse_id;
use crate::graphql::statistics;
use crate::graphql::types::*;
use async_graphql::{Context, ID, Object, Result};
use diesel::prelude::*;
use jobs::statistics::Dimension;
use schema::db::MultiBackend;
use schema::queries::{self, Pred, in_select};
use schema::tables::{complaints, enterprises, issue_categories, officers, unit_responses, units};
use schema::{Id, StoreError};

/// The ids of a list, in an order of its own.
macro_rules! all_ids {
    ($conn:expr, $table:ident, $model:ident, $by:expr, $filter:expr) => {{
        let mut query = $table::table.into_boxed::<MultiBackend>();
        if let Some(filter) = $filter {
            query = query.filter(filter);
        }
        Ok(query.order($by).select($table::id).load::<Id>($conn)?)
    }};
}

/// The rows of a page of ids, as a connection.
macro_rules! rows_of {
    ($ctx:expr, $found:expr, $key:ident, $node:ident, $connection:ident, $edge:ident) => {{
        let found = $found;
        let keys: Vec<$key> = found.rows.iter().map(|(id, _)| $key(*id)).collect();
        let rows = loaders($ctx)?.load_many(keys).await.map_err(|e| (*e).clone())?;
        let edges = found
            .rows
            .into_iter()
            .filter_map(|(id, cursor)| Some($edge { cursor, node: $node::from(rows.get(&$key(id))?.clone()) }));
        Ok($connection { edges: edges.collect(), page_info: found.page_info, counter: found.counter })
    }};
}

#[derive(Default)]
pub struct RegisterQuery;

#[Object]
impl RegisterQuery {
    /// Complaints, the latest first.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn complaints(
        &self,
        ctx: &Context<'_>,
        filter: Option<ComplaintFilter>,
        order_by: Option<Vec<ComplaintOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<ComplaintConnection> {
        complaints_where(ctx, filter, order_by, PageArgs { first, after, last, before }).await
    }

    /// One complaint; null where there is none, or none that you may see.
    async fn complaint(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Complaint>> {
        let (scope, id) = (viewer(ctx)?.scope(&snapshot(ctx)?.reference.tree), parse_id(&id)?);
        let found = request(ctx)?
            .read(move |conn| {
                let mut query = complaints::table.into_boxed::<MultiBackend>().filter(complaints::id.eq(id).nullable());
                if let Some(seen) = scope.condition() {
                    query = query.filter(seen);
                }
                Ok(query.select(schema::models::Complaint::as_select()).first(conn).optional()?)
            })
            .await?;
        request(ctx)?.saw_complaints(found.iter().map(|row| row.id));
        Ok(found.map(Complaint))
    }

    /// The categories of issues, on two levels.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn issue_categories(
        &self,
        ctx: &Context<'_>,
        filter: Option<CategoryFilter>,
        order_by: Option<Vec<IssueCategoryOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<IssueCategoryConnection> {
        viewer(ctx)?;
        let make = move || filter.as_ref().map_or(Ok(None), CategoryFilter::condition);
        let order = match IssueCategoryOrder::list(order_by)? {
            Ok(order) => order,
            Err(by) => {
                let all = request(ctx)?
                    .read(move |conn| all_ids!(conn, issue_categories, IssueCategory, issue_categories::code, make()?))
                    .await?;
                let at: At = |snapshot, place| Some(snapshot.reference.categories.get(place as usize)?.id);
                let page = PageArgs { first, after, last, before };
                let found = ranked(ctx, all, by, (Dimension::Category, at).into(), page).await?;
                return rows_of!(ctx, found, CategoryKey, IssueCategory, IssueCategoryConnection, IssueCategoryEdge);
            }
        };
        connect!(
            ctx,
            PageArgs { first, after, last, before },
            make,
            order,
            queries::list_categories,
            queries::count_categories,
            queries::CategorySort,
            IssueCategory,
            IssueCategoryConnection,
            IssueCategoryEdge
        )
    }

    /// Responses of units, the latest first.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn unit_responses(
        &self,
        ctx: &Context<'_>,
        filter: Option<ResponseFilter>,
        order_by: Option<Vec<UnitResponseOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<UnitResponseConnection> {
        let known = snapshot(ctx)?.reference.clone();
        let scope = viewer(ctx)?.scope(&known.tree);
        let make = move || {
            let own = filter.as_ref().map_or(Ok(None), |filter| filter.condition(&known))?;
            let Some(scope) = scope.condition() else { return Ok::<_, StoreError>(own) };
            let seen = complaints::table.into_boxed::<MultiBackend>().filter(scope).select(complaints::id);
            let seen: Pred<unit_responses::table> = Box::new(in_select(unit_responses::complaint_id, seen));
            Ok(Some(match own {
                None => seen,
                Some(own) => Box::new(seen.and(own)),
            }))
        };
        connect!(
            ctx,
            PageArgs { first, after, last, before },
            make,
            UnitResponseOrder::list(order_by),
            queries::list_responses,
            queries::count_responses,
            queries::ResponseSort,
            UnitResponse,
            UnitResponseConnection,
            UnitResponseEdge,
            answered
        )
    }

    /// Units, by code.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn units(
        &self,
        ctx: &Context<'_>,
        filter: Option<UnitFilter>,
        order_by: Option<Vec<UnitOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<UnitConnection> {
        viewer(ctx)?;
        let known = snapshot(ctx)?.reference.clone();
        let make = move || filter.as_ref().map_or(Ok(None), |filter| filter.condition(&known));
        let order = match UnitOrder::list(order_by)? {
            Ok(order) => order,
            Err(by) => {
                let all = request(ctx)?.read(move |conn| all_ids!(conn, units, Unit, units::code, make()?)).await?;
                let at: At = |snapshot, place| Some(snapshot.reference.units.get(place as usize)?.id);
                // Each unit has the measure of everything below it, whether its complaints store it or not.
                let levels = [Dimension::Department, Dimension::Branch, Dimension::Team, Dimension::Unit];
                let snapshot = snapshot(ctx)?;
                let tree = &snapshot.reference.tree;
                let apart = all.iter().filter_map(|unit| {
                    let below = tree.below_beside_ancestors(*unit);
                    (!below.is_empty()).then(|| (*unit, statistics::within(&snapshot, *unit, &below)))
                });
                let found = Found { apart: apart.collect(), dimensions: levels.map(|level| (level, at)).to_vec() };
                let page = PageArgs { first, after, last, before };
                let found = ranked(ctx, all, by, found, page).await?;
                return rows_of!(ctx, found, UnitKey, Unit, UnitConnection, UnitEdge);
            }
        };
        connect!(
            ctx,
            PageArgs { first, after, last, before },
            make,
            order,
            queries::list_units,
            queries::count_units,
            queries::UnitSort,
            Unit,
            UnitConnection,
            UnitEdge
        )
    }

    /// One unit, by its id or its code.
    async fn unit(&self, ctx: &Context<'_>, id: Option<ID>, code: Option<String>) -> Result<Option<Unit>> {
        viewer(ctx)?;
        let by = id_or_code(id, code)?;
        let found = request(ctx)?
            .read(move |conn| {
                let query = units::table.into_boxed();
                let query = match by {
                    IdOrCode::Id(id) => query.filter(units::id.eq(id)),
                    IdOrCode::Code(code) => query.filter(units::code.eq(code)),
                };
                Ok(query.select(schema::models::Unit::as_select()).first(conn).optional()?)
            })
            .await?;
        Ok(found.map(Unit))
    }

    /// Officers, by code.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn officers(
        &self,
        ctx: &Context<'_>,
        filter: Option<OfficerFilter>,
        order_by: Option<Vec<OfficerOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<OfficerConnection> {
        let viewer = viewer(ctx)?.clone();
        let known = snapshot(ctx)?.reference.clone();
        let make = move || {
            let asked = filter.as_ref().map_or(Ok(None), |filter| filter.condition(&known))?;
            Ok::<_, StoreError>(both!(viewer.officers(&known.tree), asked))
        };
        let order = match OfficerOrder::list(order_by)? {
            Ok(order) => order,
            Err(by) => {
                let all =
                    request(ctx)?.read(move |conn| all_ids!(conn, officers, Officer, officers::code, make()?)).await?;
                let at: At = |snapshot, place| snapshot.officers.at(place);
                let page = PageArgs { first, after, last, before };
                let found = ranked(ctx, all, by, (Dimension::Officer, at).into(), page).await?;
                return rows_of!(ctx, found, OfficerKey, Officer, OfficerConnection, OfficerEdge);
            }
        };
        connect!(
            ctx,
            PageArgs { first, after, last, before },
            make,
            order,
            queries::list_officers,
            queries::count_officers,
            queries::OfficerSort,
            Officer,
            OfficerConnection,
            OfficerEdge
        )
    }

    /// One officer, by id or code.
    async fn officer(&self, ctx: &Context<'_>, id: Option<ID>, code: Option<String>) -> Result<Option<Officer>> {
        let viewer = viewer(ctx)?.clone();
        let known = snapshot(ctx)?.reference.clone();
        let by = id_or_code(id, code)?;
        let found = request(ctx)?
            .read(move |conn| {
                let query = officers::table.into_boxed::<MultiBackend>();
                let mut query = match by {
                    IdOrCode::Id(id) => query.filter(officers::id.eq(id).nullable()),
                    IdOrCode::Code(code) => query.filter(officers::code.eq(code).nullable()),
                };
                if let Some(seen) = viewer.officers(&known.tree) {
                    query = query.filter(seen);
                }
                Ok(query.select(schema::models::Officer::as_select()).first(conn).optional()?)
            })
            .await?;
        Ok(found.map(Officer))
    }

    /// Enterprises, by tax code.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn enterprises(
        &self,
        ctx: &Context<'_>,
        filter: Option<EnterpriseFilter>,
        order_by: Option<Vec<EnterpriseOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<EnterpriseConnection> {
        let viewer = viewer(ctx)?.clone();
        let known = snapshot(ctx)?.reference.clone();
        let make = move || {
            let asked = filter.as_ref().map_or(Ok(None), EnterpriseFilter::condition)?;
            Ok::<_, StoreError>(both!(viewer.enterprises(&known.tree), asked))
        };
        let order = match EnterpriseOrder::list(order_by)? {
            Ok(order) => order,
            Err(by) => {
                let all = request(ctx)?
                    .read(move |conn| all_ids!(conn, enterprises, Enterprise, enterprises::tax_code, make()?))
                    .await?;
                let at: At = |snapshot, place| snapshot.enterprises.at(place);
                let page = PageArgs { first, after, last, before };
                let found = ranked(ctx, all, by, (Dimension::Enterprise, at).into(), page).await?;
                return rows_of!(ctx, found, EnterpriseKey, Enterprise, EnterpriseConnection, EnterpriseEdge);
            }
        };
        connect!(
            ctx,
            PageArgs { first, after, last, before },
            make,
            order,
            queries::list_enterprises,
            queries::count_enterprises,
            queries::EnterpriseSort,
            Enterprise,
            EnterpriseConnection,
            EnterpriseEdge
        )
    }
}

/// Notes which complaints some responses are about.
async fn answered(ctx: &Context<'_>, rows: &[schema::models::UnitResponse]) -> Result<()> {
    request(ctx)?.saw_complaints(rows.iter().map(|row| row.complaint_id));
    Ok(())
}

enum IdOrCode {
    Id(Id),
    Code(String),
}

fn id_or_code(id: Option<ID>, code: Option<String>) -> Result<IdOrCode> {
    match (id, code) {
        (Some(id), None) => Ok(IdOrCode::Id(parse_id(&id)?)),
        (None, Some(code)) => Ok(IdOrCode::Code(code)),
        _ => Err(bad_input("give either an id or a code")),
    }
}
