//! Translates the arguments of `complaintStatistics` into a [`Question`] over the snapshot.

use super::dimensions::StatisticsDimension;
use super::fields::{asks_for_totals, wanted_of};
use super::filter::ComplaintStatisticsFilter;
use super::measures::{StatisticsHaving, StatisticsMeasure};
use super::period::{Period, StatisticsComparison};
use super::selection::Selection;
use crate::graphql::error::{bad_input, refuse};
use crate::graphql::page::SortDirection;
use async_graphql::{InputObject, Result, SelectionField};
use chrono::NaiveDate;
use chrono_tz::Tz;
use jobs::facts::days::day_number;
use jobs::snapshot::{IndexColumn, Snapshot};
use jobs::statistics::{
    Cursor, Dimension, Disclosure, NoiseKey, Order, PseudonymOrder, Question, SelectedMeasures, Span, Thresholds,
};
use polars::prelude::{Expr, col, lit};
use schema::domain::calendar::local_date;
use schema::enums::UnitKind;
use schema::pseudonyms::{Pseudonyms, Subject};
use schema::refusal::FilterRefusal;
use schema::{Id, Timestamp};
use std::str::FromStr;
use std::sync::Arc;

/// An order by a measure. Groups without the measure come last.
#[derive(Debug, Clone, Copy, InputObject)]
pub struct StatisticsOrder {
    pub field: StatisticsMeasure,
    #[graphql(default_with = "SortDirection::Desc")]
    pub direction: SortDirection,
}

/// The arguments of `complaintStatistics`.
pub struct Arguments {
    pub filter: Option<ComplaintStatisticsFilter>,
    /// The complaints that the filter selects, within the row scope of the viewer.
    pub selection: Selection,
    pub group_by: Vec<StatisticsDimension>,
    pub having: Option<StatisticsHaving>,
    pub order_by: Vec<StatisticsOrder>,
    pub first: usize,
    pub after: Option<Cursor>,
    pub timezone: String,
    pub fill: bool,
    pub compare: Option<StatisticsComparison>,
    pub other: bool,
    /// Suppression thresholds and noise; None for a viewer of exact numbers.
    pub thresholds: Option<(Thresholds, NoiseKey)>,
    /// Orders people and enterprises by pseudonyms.
    pub disguise: Option<PseudonymOrder>,
    /// The past day that the numbers are for.
    pub as_of: Option<NaiveDate>,
}

/// The columns that a question needs as of a past day: the snapshot holds the present ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastColumns {
    pub states: bool,
    pub findings: bool,
}

impl PastColumns {
    /// Whether the question needs any of them.
    pub fn any(self) -> bool {
        self.states || self.findings
    }
}

impl Arguments {
    /// The columns that the arguments need as of a past day.
    pub fn needs_past(&self) -> PastColumns {
        let asks = |dimension| self.group_by.contains(&dimension);
        let has =
            |of: fn(&ComplaintStatisticsFilter) -> bool| self.filter.as_ref().is_some_and(|filter| filter.has(of));
        PastColumns {
            states: asks(StatisticsDimension::State)
                || has(|filter| filter.state_in.is_some() || filter.dimensions.state.is_some()),
            findings: asks(StatisticsDimension::Finding)
                || has(|filter| filter.finding_in.is_some() || filter.finding.is_some()),
        }
    }
}

/// Builds the question; `asked` is the selection of the answer.
///
/// # Errors
/// BAD_USER_INPUT names the argument that is wrong.
pub fn question(snapshot: &Snapshot, arguments: Arguments, asked: SelectionField<'_>) -> Result<Question> {
    let zone = Tz::from_str(&arguments.timezone).map_err(|_| {
        bad_input(format!(
            "timezone: {:?} is not a name of the IANA time zone database: write one such as Asia/Ho_Chi_Minh",
            arguments.timezone
        ))
    })?;
    let mut group_by: Vec<Dimension> = Vec::new();
    for dimension in arguments.group_by {
        let dimension = dimension.into();
        if group_by.contains(&dimension) {
            return Err(bad_input("groupBy names a dimension twice: name each once"));
        }
        group_by.push(dimension);
    }
    let mut wanted = SelectedMeasures::default();
    wanted_of(asked, &mut wanted);
    let mut order_by: Vec<(Order, bool)> = Vec::new();
    for order in &arguments.order_by {
        wanted.add(order.field.into());
        order_by.push((Order::Measure(order.field.into()), order.direction == SortDirection::Desc));
    }
    let having = arguments.having.as_ref().map(|having| having.condition(&mut wanted));
    let filter = arguments.filter.unwrap_or_default();
    let period = filter.period(zone)?;
    if arguments.thresholds.is_some() && !(zone == Tz::Asia__Ho_Chi_Minh && period.is_of_whole_months()) {
        // The smallest time cell is a month.
        return Err(bad_input("your role may ask only about whole months in Asia/Ho_Chi_Minh"));
    }
    let Selection { mut conditions, allegations, listed, read: _ } = arguments.selection;
    let as_of = arguments.as_of.map(day_number);
    conditions.extend(as_of.map(|day| col("day").lt_eq(lit(day))));
    let within = |period: &Period| {
        let all = conditions.iter().cloned().chain(period.conditions());
        all.reduce(Expr::and)
    };
    let times = group_by.iter().filter(|dimension| matches!(dimension, Dimension::Time(_))).count();
    if arguments.fill && times != 1 {
        return Err(bad_input("fill needs exactly one time dimension in groupBy: DAY, WEEK, MONTH, QUARTER or YEAR"));
    }
    let span = |period: &Period| Span::new(period.days());
    let mut span_before = Span::ALL;
    let compare = match arguments.compare {
        None => None,
        Some(compare) => {
            let (before, shift) = period.before(compare)?;
            span_before = span(&before);
            Some((within(&before), shift))
        }
    };
    let disclosure = arguments.thresholds.map(|(thresholds, noise_key)| Disclosure {
        thresholds,
        noise_key,
        scope: scope_of(snapshot, &filter),
        listed,
        span: span(&period),
        span_before,
    });
    Ok(Question {
        filter: within(&period),
        // By the clock: a snapshot may be of yesterday just after midnight, and an edition for longer.
        as_of: Some(as_of.unwrap_or_else(|| day_number(local_date(Timestamp::now())))),
        allegations,
        group_by,
        zone,
        wanted,
        totals: asks_for_totals(asked),
        having,
        order_by,
        fill: arguments.fill.then(|| period.days()),
        compare,
        limit: arguments.first,
        after: arguments.after,
        other: arguments.other,
        disclosure,
        disguise: arguments.disguise,
    })
}

/// The unit that a filter is limited to, if no single attribute of a complaint determines it: a unit above the
/// stored levels, or one with units below it that moved.
fn scope_of(snapshot: &Snapshot, filter: &ComplaintStatisticsFilter) -> Option<Id> {
    let unit = snapshot.reference.unit_by_code(filter.unit_within.as_deref()?)?.id;
    let tree = &snapshot.reference.tree;
    let is_stored = matches!(tree.kind(unit), Some(UnitKind::ProvincialDepartment | UnitKind::Branch | UnitKind::Team));
    (!is_stored || !tree.descendants_without_stored_ancestor(unit).is_empty()).then_some(unit)
}

/// Orders people and enterprises by pseudonyms, for a viewer of pseudonyms only: the order of codes would tell
/// whose they are.
pub fn disguise(snapshot: &Arc<Snapshot>, by: Option<&Pseudonyms>) -> Option<PseudonymOrder> {
    let (snapshot, by) = (Arc::clone(snapshot), by?.clone());
    Some(PseudonymOrder(Arc::new(move |dimension, place| {
        let at = u32::try_from(place).ok();
        let (subject, id) = match dimension {
            Dimension::Officer => (Subject::Officer, at.and_then(|place| snapshot.officers.at(place))),
            Dimension::Place(IndexColumn::Enterprise) => {
                (Subject::Enterprise, at.and_then(|place| snapshot.enterprises.at(place)))
            }
            _ => return place,
        };
        id.map_or(0, |id| by.place(subject, id))
    })))
}

/// The day of `asOf`, by default today.
///
/// # Errors
/// BAD_USER_INPUT if it is in the future or outside the range of the register.
pub fn past_day(snapshot: &Snapshot, as_of: Option<NaiveDate>) -> Result<NaiveDate> {
    let today = local_date(snapshot.as_of);
    let Some(day) = as_of else { return Ok(today) };
    if day > today {
        return Err(refuse(FilterRefusal::AsOfAfterToday { day, today }));
    }
    crate::graphql::input::day("asOf", day)
}

/// The local day of the snapshot (days since 1970).
pub fn today(snapshot: &Snapshot) -> i32 {
    day_number(local_date(snapshot.as_of))
}

/// Checks a number of days.
///
/// # Errors
/// BAD_USER_INPUT if it is not from 1 to 36,500.
pub fn days(days: i32) -> Result<i32> {
    if (1..=36_500).contains(&days) { Ok(days) } else { Err(bad_input("days must be from 1 to 36,500")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Guard, allowed};
    use crate::graphql::filter::{CategoryKindOps, ChannelOps, ComplaintStateOps};
    use crate::graphql::types::statistics::DimensionFilter;
    use crate::graphql::types::statistics::selection::listed;
    use ::tests::Database;
    use async_graphql::resolver_utils::EnumType;
    use jobs::snapshot::SnapshotStore;
    use schema::enums::{self as stored, Role};
    use schema::world::{self, Bursts, Parameters};

    #[test]
    fn fixed_cells_have_every_dimension_of_a_dashboard() {
        let names: Vec<&str> = jobs::statistics::disclosed_attributes().collect();
        let shown = StatisticsDimension::items().iter();
        for dimension in shown.filter(|one| allowed(Role::Dashboard, "StatisticsDimension", one.name)) {
            match Dimension::from(dimension.value) {
                Dimension::Time(_) => {}
                // The unit of a complaint about a team is that team: there is no lower level.
                Dimension::Place(IndexColumn::Team) => assert!(names.contains(&IndexColumn::Unit.name())),
                // A union of the cells of categories.
                Dimension::Place(IndexColumn::CategoryGroup) => {
                    assert!(names.contains(&IndexColumn::Category.name()));
                }
                Dimension::Place(column) => assert!(names.contains(&column.name()), "{}", dimension.name),
                other => panic!("{other:?} is not an attribute of a complaint: disclosure cannot tell its cells apart"),
            }
        }
    }

    #[test]
    fn every_value_that_a_filter_of_a_dashboard_lists_is_a_cell_of_its_own() {
        let of = "ComplaintStatisticsFilter";
        let (kind, channel, state) =
            (stored::CategoryKind::Conduct, stored::Channel::Portal, stored::ComplaintState::Closed);
        // No `..`: a new filter does not compile until it is decided here how many values it has.
        let filter = ComplaintStatisticsFilter {
            category_in: Some(vec!["TECHNICAL".into()]),
            kind_in: Some(vec![kind.into(); 2]),
            channel_in: Some(vec![channel.into(); 2]),
            state_in: Some(vec![state.into(); 2]),
            // Evaluated below, each one that a DASHBOARD may use.
            category: None,
            dimensions: DimensionFilter::default(),
            // One unit, which is part of the key of the noise (`scope_of`), and the period, which cells are cut by.
            unit_within: None,
            received_from: None,
            received_before: None,
            // A DASHBOARD may not use these.
            unit: None,
            responsible_unit_within: None,
            responsible_unit: None,
            finding_in: None,
            finding: None,
            attribution: None,
            officer_in: None,
            enterprise_in: None,
            blames_system: None,
            anonymous: None,
            confidential: None,
            cost_vnd: None,
            delay_hours: None,
            answered_on: None,
            received_at: None,
            and: None,
            or: None,
            not: None,
        };
        let of_dimensions = DimensionFilter {
            kind: Some(CategoryKindOps { ne: Some(kind.into()), ..CategoryKindOps::default() }),
            channel: Some(ChannelOps { is_null: Some(false), ..ChannelOps::default() }),
            state: Some(ComplaintStateOps { ne: Some(state.into()), ..ComplaintStateOps::default() }),
            ..DimensionFilter::default()
        };
        let with_operators =
            ComplaintStatisticsFilter { dimensions: of_dimensions, ..ComplaintStatisticsFilter::default() };
        let database = Database::sqlite();
        let db = database.open();
        let until = NaiveDate::from_ymd_opt(2025, 12, 31).unwrap();
        world::generate(&db, Parameters { complaints: 300, seed: 1, until, bursts: Bursts::default() }, &mut |_| true)
            .unwrap();
        let reference = Arc::clone(&SnapshotStore::load(&db).unwrap().current().reference);
        let cells: Vec<&str> = jobs::statistics::disclosed_attributes().collect();
        let guard = Guard::new(&crate::graphql::sdl(&crate::graphql::schema(false))).unwrap();
        let filters = guard.typed();
        let shown = filters.iter().filter(|(within, field, _)| *within == of && allowed(Role::Dashboard, of, field));
        let (lists, operators): (Vec<&str>, Vec<&str>) = shown
            .map(|(_, field, _)| *field)
            .filter(|field| !["unitWithin", "receivedFrom", "receivedBefore"].contains(field))
            .partition(|field| field.ends_with("In"));
        for (fields, filter, categories) in [(lists, &filter, None), (operators, &with_operators, Some(vec![0, 1]))] {
            let listed: Vec<&str> = listed(&filter.sets(&reference, categories).unwrap())
                .into_iter()
                .map(|dimension| match dimension {
                    Dimension::Place(column) => column.name(),
                    other => panic!("{other:?}"),
                })
                .collect();
            assert_eq!(fields.len(), listed.len(), "{fields:?} {listed:?}");
            for field in fields {
                let column = field.strip_suffix("In").unwrap_or(field);
                assert!(cells.contains(&column) && listed.contains(&column), "{field}");
            }
        }
        // One value is one cell.
        let one = ComplaintStatisticsFilter {
            category_in: Some(vec!["TEC-DOWN".into()]),
            dimensions: DimensionFilter {
                kind: Some(CategoryKindOps { eq: Some(kind.into()), ..CategoryKindOps::default() }),
                ..DimensionFilter::default()
            },
            ..ComplaintStatisticsFilter::default()
        };
        assert!(listed(&one.sets(&reference, None).unwrap()).is_empty());
    }
}
