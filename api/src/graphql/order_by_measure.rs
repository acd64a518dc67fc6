//! Lists in the order of a measure of their complaints.

use super::connection::Counter;
use super::context::{request, snapshot, viewer};
use super::error::{bad_input, from_job};
use super::page::{Cursor, PageArgs, PageInfo, Place, SortDirection, size};
use super::statistics::{self, ComplaintStatisticsFilter, StatisticsMeasure};
use async_graphql::Context;
use async_graphql::Result;
use jobs::facts::frames::day_number;
use jobs::snapshot::Snapshot;
use jobs::statistics::{Dimension, Question, Wanted};
use polars::prelude::{Expr, col, lit};
use schema::Id;
use schema::domain::calendar::local_date;
use std::collections::HashMap;
use std::sync::Arc;

/// A measure to order by.
pub struct ByMeasure {
    pub measure: StatisticsMeasure,
    pub direction: SortDirection,
    pub filter: Option<ComplaintStatisticsFilter>,
    pub days: Option<i32>,
}

/// A page of such a list: ids in order, each with its cursor.
pub struct OrderedByMeasure {
    pub rows: Vec<(Id, Cursor)>,
    pub page_info: PageInfo,
    pub counter: Counter,
}

/// The id at a place of a dimension.
pub type At = fn(&Snapshot, u32) -> Option<Id>;

/// Where the measures of things are found.
pub struct Found {
    /// Those that complaints are grouped by.
    pub dimensions: Vec<(Dimension, At)>,
    /// Those of which no dimension has all complaints, each with its condition.
    pub apart: Vec<(Id, Expr)>,
}

impl From<(Dimension, At)> for Found {
    fn from(one: (Dimension, At)) -> Self {
        Self { dimensions: vec![one], apart: Vec::new() }
    }
}

/// Orders things by the measure of their complaints; those that have none come last, in the order in which
/// they are given. `all`: what the list has, in its own order.
pub async fn ranked(
    ctx: &Context<'_>,
    all: Vec<Id>,
    by: ByMeasure,
    found: Found,
    page: PageArgs,
) -> Result<OrderedByMeasure> {
    let (request, viewer, snapshot) = (request(ctx)?, viewer(ctx)?, snapshot(ctx)?);
    let scope = viewer.scope(&snapshot.reference.tree);
    let mut conditions = statistics::conditions(&snapshot, &scope, by.filter.as_ref())?;
    if let Some(days) = by.days {
        let days = statistics::days(days)?;
        conditions.push(col("day").gt(lit(day_number(local_date(snapshot.as_of)) - days)));
    }
    let filter = by.filter.unwrap_or_default();
    let officers =
        filter.officer_in.as_deref().map(|codes| statistics::officers(&snapshot, &scope, codes)).transpose()?;
    let findings: Option<Vec<u32>> =
        filter.finding_in.map(|all| all.into_iter().map(|one| schema::enums::Finding::from(one) as u32).collect());
    let condition = conditions.into_iter().reduce(Expr::and);
    let measure = by.measure.into();
    let mut wanted = Wanted::default();
    wanted.add(measure);
    let of = Arc::clone(&snapshot);
    let computing = request.compute(move || {
        let mut values = HashMap::new();
        let question =
            Question { filter: condition.clone(), officers, findings, wanted, totals: false, ..Question::default() };
        for (id, own) in found.apart {
            let filter = Some(match &condition {
                Some(condition) => condition.clone().and(own),
                None => own,
            });
            let question = Question { filter, totals: true, ..question.clone() };
            let totals = jobs::statistics::statistics(&of, &question).map_err(from_job)?.totals;
            // Nobody complained: as for what no group is of.
            if let Some(value) = totals.filter(|cell| cell.measures.complaints > 0).and_then(|cell| cell.value(measure))
            {
                values.insert(id, value);
            }
        }
        for (dimension, at) in found.dimensions {
            let question = Question { group_by: vec![dimension], ..question.clone() };
            for cell in jobs::statistics::statistics(&of, &question).map_err(from_job)?.cells {
                let id = cell.places[0].and_then(|place| at(&of, u32::try_from(place).ok()?));
                if let (Some(id), Some(value)) = (id, cell.value(measure)) {
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

/// The part of the list that was asked for.
fn part(
    request: &super::context::RequestContext,
    order: &[(Id, Option<f64>)],
    page: &PageArgs,
) -> Result<OrderedByMeasure> {
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
            let first = first.map_or(Ok(super::page::DEFAULT_PAGE), |first| size("first", first, largest))?;
            until = until.min(from + first);
        }
    }
    let rows: Vec<(Id, Cursor)> = order[from..until].iter().map(|(id, _)| (*id, sealer.at(Place::Row(*id)))).collect();
    let page_info = PageInfo {
        has_previous_page: from > 0,
        has_next_page: until < order.len(),
        start: rows.first().map(|(_, cursor)| cursor.clone()),
        end: rows.last().map(|(_, cursor)| cursor.clone()),
    };
    let counter = Counter::Known(i64::try_from(order.len()).unwrap_or(i64::MAX));
    Ok(OrderedByMeasure { rows, page_info, counter })
}
