//! Lists ordered by a measure of the complaints of each row.

use super::{ComplaintStatisticsFilter, Selection, StatisticsMeasure, days};
use crate::graphql::connection::{Counter, ListItem, Row, assemble};
use crate::graphql::context::{RequestContext, request, snapshot, viewer};
use crate::graphql::error::{bad_input, from_job};
use crate::graphql::execute::ListNode;
use crate::graphql::loaders::{Loaders, loaders};
use crate::graphql::page::{Beyond, DEFAULT_PAGE, PageArgs, Place, SortDirection, size};
use async_graphql::Error;
use async_graphql::dataloader::Loader;
use async_graphql::{Context, Result};
use jobs::facts::days::day_number;
use jobs::snapshot::Snapshot;
use jobs::statistics::Dimension;
use jobs::statistics::{Question, SelectedMeasures, statistics as compute_statistics};
use polars::prelude::{Expr, col, lit};
use schema::domain::calendar::local_date;
use schema::{Id, Timestamp};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

/// A measure to order by.
pub struct ByMeasure {
    pub measure: StatisticsMeasure,
    pub direction: SortDirection,
    pub filter: Option<ComplaintStatisticsFilter>,
    pub days: Option<i32>,
}

/// A page of such a list: ids in order.
struct OrderedByMeasure {
    ids: Vec<Id>,
    beyond: Beyond,
    /// The number of rows of the whole list.
    number: usize,
}

/// Returns the id at a place of a dimension.
pub type IdAtIndex = fn(&Snapshot, u32) -> Option<Id>;

/// The source of the measures of the rows.
pub struct MeasureSources {
    /// Dimensions that group the complaints by row.
    pub dimensions: Vec<(Dimension, IdAtIndex)>,
    /// Rows that no dimension covers completely, each with the condition of its complaints.
    pub separate_rows: Vec<(Id, Expr)>,
}

impl From<(Dimension, IdAtIndex)> for MeasureSources {
    fn from(one: (Dimension, IdAtIndex)) -> Self {
        Self { dimensions: vec![one], separate_rows: Vec::new() }
    }
}

/// Orders rows by a measure of their complaints. Rows without complaints come last, in their order in `all`,
/// which holds the whole list.
///
/// # Errors
/// BAD_USER_INPUT if an argument is wrong.
async fn order_by_measure(
    ctx: &Context<'_>,
    all: Vec<Id>,
    by: ByMeasure,
    sources: MeasureSources,
    page: PageArgs,
) -> Result<OrderedByMeasure> {
    let (request, viewer, snapshot) = (request(ctx)?, viewer(ctx)?, snapshot(ctx)?);
    let scope = viewer.scope(&snapshot.reference.tree);
    let mut selection = Selection::of(request, &snapshot, &scope, by.filter.as_ref()).await?;
    if let Some(number) = by.days {
        let days = days(number)?;
        selection.conditions.push(col("day").gt(lit(day_number(local_date(snapshot.as_of)) - days)));
    }
    let condition = selection.condition(by.filter.as_ref())?;
    let allegations = selection.allegations;
    let measure = by.measure.into();
    let mut wanted = SelectedMeasures::default();
    wanted.add(measure);
    let today = day_number(local_date(Timestamp::now()));
    let of = Arc::clone(&snapshot);
    let computing = request.compute(move || {
        let mut values = HashMap::new();
        let question = Question {
            filter: condition.clone(),
            as_of: Some(today),
            allegations,
            wanted,
            totals: false,
            ..Question::default()
        };
        for (id, own) in sources.separate_rows {
            let filter = Some(match &condition {
                Some(condition) => condition.clone().and(own),
                None => own,
            });
            let question = Question { filter, totals: true, ..question.clone() };
            let totals = compute_statistics(&of, &question).map_err(from_job)?.totals;
            // No complaints: no value, as for a row without a group.
            if let Some(value) = totals.filter(|all| all.measures.complaints > 0).and_then(|all| all.value(measure)) {
                values.insert(id, value);
            }
        }
        for (dimension, at) in sources.dimensions {
            let question = Question { group_by: vec![dimension], ..question.clone() };
            for group in compute_statistics(&of, &question).map_err(from_job)?.groups {
                let id = group.places[0].and_then(|place| at(&of, u32::try_from(place).ok()?));
                if let (Some(id), Some(value)) = (id, group.value(measure)) {
                    values.entry(id).or_insert(value);
                }
            }
        }
        Ok(values)
    });
    let values: HashMap<Id, f64> = computing.await?;
    let mut order: Vec<(Id, Option<f64>)> = all.into_iter().map(|id| (id, values.get(&id).copied())).collect();
    order.sort_by(|(_, a), (_, b)| match (a, b) {
        (Some(a), Some(b)) if by.direction == SortDirection::Desc => b.total_cmp(a),
        (Some(a), Some(b)) => a.total_cmp(b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
    part(request, &order, &page)
}

/// The page that was asked for.
fn part(request: &RequestContext, order: &[(Id, Option<f64>)], page: &PageArgs) -> Result<OrderedByMeasure> {
    let sealer = request.cursors();
    let largest = request.limits.page_size;
    let place = |name: &str, cursor: &Option<String>| -> Result<Option<usize>> {
        let Some(cursor) = cursor else { return Ok(None) };
        let id: Id = sealer.decode(name, cursor)?;
        let at = order.iter().position(|(other, _)| *other == id);
        at.map(Some).ok_or_else(|| bad_input(format!("{name}: the row of the cursor is not in this list")))
    };
    if page.first.is_some() && page.last.is_some() {
        return Err(bad_input("give either `first` or `last`, not both"));
    }
    let mut from = place("after", &page.after)?.map_or(0, |at| at + 1);
    let mut until = place("before", &page.before)?.unwrap_or(order.len()).max(from);
    match (page.first, page.last) {
        (_, Some(last)) => from = from.max(until.saturating_sub(size("last", last, largest)?)),
        (first, None) => {
            let first = first.map_or(Ok(DEFAULT_PAGE), |first| size("first", first, largest))?;
            until = until.min(from + first);
        }
    }
    Ok(OrderedByMeasure {
        ids: order[from..until].iter().map(|(id, _)| *id).collect(),
        beyond: Beyond { before: from > 0, after: until < order.len() },
        number: order.len(),
    })
}

/// A page of all rows, ordered by a measure of the complaints of each.
///
/// # Errors
/// BAD_USER_INPUT if an argument is wrong.
pub async fn list_by_measure<N, K>(
    ctx: &Context<'_>,
    all: Vec<Id>,
    by: ByMeasure,
    sources: MeasureSources,
    page: PageArgs,
    key: fn(Id) -> K,
) -> Result<N::Connection>
where
    N: ListItem,
    Row<N>: Clone + 'static,
    K: Clone + Eq + Hash + Send + Sync + 'static,
    Loaders: Loader<K, Value = Row<N>, Error = Arc<Error>>,
{
    let OrderedByMeasure { ids, beyond, number } = order_by_measure(ctx, all, by, sources, page).await?;
    let keys: Vec<K> = ids.iter().map(|id| key(*id)).collect();
    let mut stored = loaders(ctx)?.load_many(keys).await.map_err(|e| (*e).clone())?;
    let cursors = request(ctx)?.cursors();
    let edges = ids.into_iter().filter_map(|id| {
        let row = stored.remove(&key(id))?;
        Some((cursors.at(Place::Row(id)), ListNode::from(N::from(row))))
    });
    let counter = Counter::Known(i64::try_from(number).unwrap_or(i64::MAX));
    Ok(assemble::<N>(edges, beyond, counter))
}
