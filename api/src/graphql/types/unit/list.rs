//! The queries `units` and `unit`.

use super::{Unit, UnitConnection, UnitFilter, UnitOrder};
use crate::access::within_columns;
use crate::graphql::connection::list;
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::filter::Filter;
use crate::graphql::input::{IdOrCode, id_or_code};
use crate::graphql::loaders::UnitKey;
use crate::graphql::page::PageArgs;
use crate::graphql::types::statistics::{IdAtIndex, MeasureSources, list_by_measure};
use async_graphql::{Context, ID, Object, Result};
use jobs::snapshot::IndexColumn;
use jobs::statistics::Dimension;
use schema::queries;

#[derive(Default)]
pub struct UnitQueries;

#[Object]
impl UnitQueries {
    /// Units, by code by default.
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
        let page = PageArgs { first, after, last, before };
        viewer(ctx)?;
        let reference = snapshot(ctx)?.reference.clone();
        let condition = move || filter.condition(&reference);
        match UnitOrder::list(order_by)? {
            Ok(order) => list::<Unit>(ctx, page, order, condition).await,
            Err(by) => {
                let all = request(ctx)?.read(move |conn| queries::unit_ids(conn, condition()?)).await?;
                let at: IdAtIndex = |snapshot, index| Some(snapshot.reference.units.get(index as usize)?.id);
                // A unit is measured with all units below it, whether or not complaints store it as an
                // ancestor.
                let levels = [IndexColumn::Department, IndexColumn::Branch, IndexColumn::Team, IndexColumn::Unit];
                let snapshot = snapshot(ctx)?;
                let tree = &snapshot.reference.tree;
                let separate_rows = all.iter().filter_map(|unit| {
                    let below = tree.descendants_without_stored_ancestor(*unit);
                    (!below.is_empty()).then(|| (*unit, within_columns(&snapshot, *unit, &below)))
                });
                let sources = MeasureSources {
                    separate_rows: separate_rows.collect(),
                    dimensions: levels.map(|level| (Dimension::Place(level), at)).to_vec(),
                };
                list_by_measure::<Unit, _>(ctx, all, by, sources, page, UnitKey).await
            }
        }
    }

    /// One unit by id or code, exactly one of them (else BAD_USER_INPUT); null if none exists.
    async fn unit(&self, ctx: &Context<'_>, id: Option<ID>, code: Option<String>) -> Result<Option<Unit>> {
        viewer(ctx)?;
        let by = id_or_code(id, code)?;
        let found = request(ctx)?
            .read(move |conn| match by {
                IdOrCode::Id(id) => queries::unit_by_id(conn, id),
                IdOrCode::Code(code) => queries::unit_by_code(conn, &code),
            })
            .await?;
        Ok(found.map(Unit))
    }
}
