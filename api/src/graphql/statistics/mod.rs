//! The arguments of `complaintStatistics`, translated for the snapshot.

mod conditions;
mod having;
mod period;

pub use conditions::{
    ComplaintStatisticsFilter, about, conditions, first_day, officers, scoped, scoped_within, seen, within,
};
pub use having::StatisticsHaving;
pub use period::StatisticsComparison;

use super::error::bad_input;
use super::page::SortDirection;
use crate::auth::Scope;
use async_graphql::{Enum, InputObject, Result, SelectionField};
use chrono::NaiveDate;
use chrono_tz::Tz;
use conditions::{conditions_of, own};
use jobs::facts::frames::day_number;
use jobs::snapshot::Snapshot;
use jobs::statistics::{
    Bucket, Cursor, Dimension, Disclosure, Disguise, Measure, NoiseKey, Order, Question, Span, Thresholds, Wanted,
};
use period::Period;
use polars::prelude::{Expr, col, lit};
use schema::Id;
use schema::domain::calendar::local_date;
use schema::enums::UnitKind;
use schema::pseudonyms::{Pseudonyms, Subject};
use std::str::FromStr;
use std::sync::Arc;

/// What complaints are grouped by. One that names several officers counts once for each of them, and once
/// in the totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum StatisticsDimension {
    Department,
    Branch,
    Team,
    /// The unit that it was filed under, of whatever level.
    Unit,
    Officer,
    /// Enterprises of one group, and the branches of one, are one.
    Enterprise,
    Category,
    Kind,
    Channel,
    State,
    /// What was found of each officer named, else of the complaint itself.
    Finding,
    /// When it was received, in the time zone asked for.
    Day,
    /// From Monday.
    Week,
    Month,
    Quarter,
    Year,
}

impl From<StatisticsDimension> for Dimension {
    fn from(dimension: StatisticsDimension) -> Self {
        match dimension {
            StatisticsDimension::Department => Self::Department,
            StatisticsDimension::Branch => Self::Branch,
            StatisticsDimension::Team => Self::Team,
            StatisticsDimension::Unit => Self::Unit,
            StatisticsDimension::Officer => Self::Officer,
            StatisticsDimension::Enterprise => Self::Enterprise,
            StatisticsDimension::Category => Self::Category,
            StatisticsDimension::Kind => Self::Kind,
            StatisticsDimension::Channel => Self::Channel,
            StatisticsDimension::State => Self::State,
            StatisticsDimension::Finding => Self::Finding,
            StatisticsDimension::Day => Self::Time(Bucket::Day),
            StatisticsDimension::Week => Self::Time(Bucket::Week),
            StatisticsDimension::Month => Self::Time(Bucket::Month),
            StatisticsDimension::Quarter => Self::Time(Bucket::Quarter),
            StatisticsDimension::Year => Self::Time(Bucket::Year),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum StatisticsMeasure {
    Complaints,
    Episodes,
    DistinctEnterprises,
    DistinctOfficers,
    CostVnd,
    DelayHours,
    ShareAnsweredInTime,
    MedianDaysToResponse,
}

impl From<StatisticsMeasure> for Measure {
    fn from(measure: StatisticsMeasure) -> Self {
        match measure {
            StatisticsMeasure::Complaints => Self::Complaints,
            StatisticsMeasure::Episodes => Self::Episodes,
            StatisticsMeasure::DistinctEnterprises => Self::DistinctEnterprises,
            StatisticsMeasure::DistinctOfficers => Self::DistinctOfficers,
            StatisticsMeasure::CostVnd => Self::CostVnd,
            StatisticsMeasure::DelayHours => Self::DelayHours,
            StatisticsMeasure::ShareAnsweredInTime => Self::ShareAnsweredInTime,
            StatisticsMeasure::MedianDaysToResponse => Self::MedianDaysToResponse,
        }
    }
}

/// By a measure; groups that have none come last.
#[derive(Debug, Clone, Copy, InputObject)]
pub struct StatisticsOrder {
    pub field: StatisticsMeasure,
    #[graphql(default_with = "SortDirection::Desc")]
    pub direction: SortDirection,
}

/// The arguments of `complaintStatistics`.
pub struct Arguments {
    pub filter: Option<ComplaintStatisticsFilter>,
    pub group_by: Vec<StatisticsDimension>,
    pub having: Option<StatisticsHaving>,
    pub order_by: Vec<StatisticsOrder>,
    pub first: usize,
    pub after: Option<Cursor>,
    pub timezone: String,
    pub fill: bool,
    pub compare: Option<StatisticsComparison>,
    pub other: bool,
    /// Where the viewer sees fixed cells alone.
    pub thresholds: Option<(Thresholds, NoiseKey)>,
    /// Orders people by what stands for them.
    pub disguise: Option<Disguise>,
    /// A past day by whose end it is.
    pub as_of: Option<NaiveDate>,
}

impl Arguments {
    /// Whether states, and findings, are asked for: the snapshot has those of now.
    pub fn steps(&self) -> (bool, bool) {
        let asks = |dimension| self.group_by.contains(&dimension);
        let lists = |of: fn(&ComplaintStatisticsFilter) -> bool| self.filter.as_ref().is_some_and(of);
        (
            asks(StatisticsDimension::State) || lists(|filter| filter.state_in.is_some()),
            asks(StatisticsDimension::Finding) || lists(|filter| filter.finding_in.is_some()),
        )
    }
}

/// Makes a question of arguments, within what the viewer may see. `asked`: the fields of the answer.
pub fn question(
    snapshot: &Snapshot,
    scope: &Scope,
    arguments: Arguments,
    asked: SelectionField<'_>,
) -> Result<Question> {
    let zone = Tz::from_str(&arguments.timezone).map_err(|_| {
        bad_input(format!(
            "timezone: {:?} is no name of the IANA database, such as Asia/Ho_Chi_Minh",
            arguments.timezone
        ))
    })?;
    let mut group_by: Vec<Dimension> = Vec::new();
    for dimension in arguments.group_by {
        let dimension = dimension.into();
        if group_by.contains(&dimension) {
            return Err(bad_input("groupBy names a dimension twice"));
        }
        group_by.push(dimension);
    }
    let mut wanted = Wanted::default();
    wanted_of(asked, &mut wanted);
    let mut order_by: Vec<(Order, bool)> = Vec::new();
    for order in &arguments.order_by {
        wanted.add(order.field.into());
        order_by.push((Order::Measure(order.field.into()), order.direction == SortDirection::Desc));
    }
    let having = arguments.having.as_ref().map(|having| having.condition(&mut wanted)).transpose()?;
    let filter = arguments.filter.unwrap_or_default();
    let period = Period::new(filter.received_from, filter.received_before, zone)?;
    if arguments.thresholds.is_some() && !(zone == Tz::Asia__Ho_Chi_Minh && period.is_of_whole_months()) {
        // Months are the smallest cells of time.
        return Err(bad_input("your role asks about whole months in Asia/Ho_Chi_Minh"));
    }
    let mut conditions = conditions_of(snapshot, scope);
    conditions.extend(own(snapshot, &filter)?);
    let as_of = arguments.as_of.map(day_number);
    conditions.extend(as_of.map(|day| col("day").lt_eq(lit(day))));
    let within = |period: &Period| {
        let all = conditions.iter().cloned().chain(period.conditions());
        all.reduce(Expr::and)
    };
    let times = group_by.iter().filter(|dimension| matches!(dimension, Dimension::Time(_))).count();
    if arguments.fill && times != 1 {
        return Err(bad_input("fill wants one dimension of time in groupBy: DAY, WEEK, MONTH, QUARTER or YEAR"));
    }
    let span = |period: &Period| {
        let (from, before) = period.days();
        Span::new(from, before)
    };
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
        listed: listed(&filter),
        span: span(&period),
        span_before,
    });
    Ok(Question {
        filter: within(&period),
        as_of,
        officers: filter.officer_in.as_deref().map(|codes| officers(snapshot, scope, codes)).transpose()?,
        findings: filter
            .finding_in
            .map(|all| all.into_iter().map(|one| schema::enums::Finding::from(one) as u32).collect()),
        group_by,
        zone,
        wanted,
        totals: asked.selection_set().any(|field| matches!(field.name(), "totals" | "totalsBefore")),
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

/// The unit that a filter is limited to, where its complaints are told by more than one attribute: units above the levels that are
/// stored with a complaint, and those with others below them that moved.
fn scope_of(snapshot: &Snapshot, filter: &ComplaintStatisticsFilter) -> Option<Id> {
    let unit = snapshot.reference.unit_by_code(filter.unit_within.as_deref()?)?.id;
    let tree = &snapshot.reference.tree;
    let is_stored = matches!(tree.kind(unit), Some(UnitKind::ProvincialDepartment | UnitKind::Branch | UnitKind::Team));
    (!is_stored || !tree.below_beside_ancestors(unit).is_empty()).then_some(unit)
}

/// The dimensions of which a filter lists several values.
fn listed(filter: &ComplaintStatisticsFilter) -> Vec<Dimension> {
    let lengths = [
        (Dimension::Category, filter.category_in.as_ref().map(Vec::len)),
        (Dimension::Kind, filter.kind_in.as_ref().map(Vec::len)),
        (Dimension::Channel, filter.channel_in.as_ref().map(Vec::len)),
        (Dimension::State, filter.state_in.as_ref().map(Vec::len)),
    ];
    lengths.into_iter().filter(|(_, length)| length.is_some_and(|n| n > 1)).map(|(dimension, _)| dimension).collect()
}

/// Only what is asked for is computed.
fn wanted_of(asked: SelectionField<'_>, wanted: &mut Wanted) {
    for field in asked.selection_set() {
        match field.name() {
            "episodes" => wanted.episodes = true,
            "distinctEnterprises" => wanted.enterprises = true,
            "distinctOfficers" => wanted.officers = true,
            "costVnd" | "delayHours" => wanted.sums = true,
            "shareAnsweredInTime" => wanted.timeliness = true,
            "medianDaysToResponse" => wanted.median = true,
            "rows" | "totals" | "previous" | "totalsBefore" => wanted_of(field, wanted),
            _ => {}
        }
    }
}

/// Orders people and enterprises by pseudonyms, for who sees nothing else of them: the order of codes would tell whose they are.
pub fn disguise(snapshot: &Arc<Snapshot>, by: Option<&Pseudonyms>) -> Option<Disguise> {
    let (snapshot, by) = (Arc::clone(snapshot), by?.clone());
    Some(Disguise(Arc::new(move |dimension, place| {
        let at = u32::try_from(place).ok();
        let (subject, id) = match dimension {
            Dimension::Officer => (Subject::Officer, at.and_then(|place| snapshot.officers.at(place))),
            Dimension::Enterprise => (Subject::Enterprise, at.and_then(|place| snapshot.enterprises.at(place))),
            _ => return place,
        };
        id.map_or(0, |id| by.place(subject, id))
    })))
}

/// The day by whose end something is looked at: today unless told.
pub fn past_day(snapshot: &Snapshot, as_of: Option<NaiveDate>) -> Result<NaiveDate> {
    let today = local_date(snapshot.as_of);
    let Some(day) = as_of else { return Ok(today) };
    if day > today {
        return Err(bad_input(format!("asOf is {day} and lies in the future: today is {today}")));
    }
    super::input::day("asOf", day)
}

/// The day up to which a snapshot knows things.
pub fn today(snapshot: &Snapshot) -> i32 {
    day_number(local_date(snapshot.as_of))
}

/// A number of days that can be looked at.
pub fn days(days: i32) -> Result<i32> {
    if (1..=36_500).contains(&days) { Ok(days) } else { Err(bad_input("days is from 1 to 36,500")) }
}
