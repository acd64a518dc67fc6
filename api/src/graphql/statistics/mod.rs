//! The arguments of `complaintStatistics`, translated for the snapshot.

mod having;
mod period;

pub use having::StatisticsHaving;
pub use period::StatisticsComparison;

use super::enums::{CategoryKind, Channel, ComplaintState, Finding};
use super::error::{bad_input, from_job};
use super::page::SortDirection;
use super::scalars::Moment;
use crate::auth::{Rows, Scope, Viewer};
use async_graphql::{Enum, InputObject, Result, SelectionField};
use chrono_tz::Tz;
use jobs::facts::EnterpriseFact;
use jobs::frames::day_number;
use jobs::snapshot::{FINDING_BITS, Snapshot, channel_place, kind_place, state_place};
use jobs::statistics::{Bucket, Cursor, Dimension, Disguise, Measure, Order, Question, Suppression, Wanted};
use period::Period;
use polars::prelude::{DataType, Expr, NamedFrom, Series, col, lit};
use schema::Id;
use schema::domain::calendar::local_date;
use schema::enums::{Role, UnitKind};
use schema::keys::Keys;
use std::str::FromStr;

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

/// Which complaints are counted.
#[derive(Debug, Clone, Default, InputObject)]
pub struct ComplaintStatisticsFilter {
    /// Below the unit of this code, on the complaint's own day.
    pub unit_within: Option<String>,
    /// Codes of categories.
    pub category_in: Option<Vec<String>>,
    pub kind_in: Option<Vec<CategoryKind>>,
    pub channel_in: Option<Vec<Channel>>,
    pub state_in: Option<Vec<ComplaintState>>,
    /// Only what was found so, of an officer named or of the complaint itself.
    pub finding_in: Option<Vec<Finding>>,
    /// Codes of officers named.
    pub officer_in: Option<Vec<String>>,
    /// Tax codes of enterprises: with those of their group, and their branches.
    pub enterprise_in: Option<Vec<String>>,
    /// Whether the officer blamed the system.
    pub blames_system: Option<bool>,
    pub anonymous: Option<bool>,
    pub received_from: Option<Moment>,
    pub received_before: Option<Moment>,
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
    pub suppression: Option<Suppression>,
    pub deadline: std::time::Instant,
    /// Orders people by what stands for them.
    pub disguise: Option<Disguise>,
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
    if arguments.suppression.is_some() && !(zone == Tz::Asia__Ho_Chi_Minh && period.is_of_whole_months()) {
        // Two answers about times that overlap tell of the days between.
        return Err(bad_input("your role asks about whole months in Asia/Ho_Chi_Minh"));
    }
    let mut conditions = conditions_of(snapshot, scope);
    conditions.extend(own(snapshot, &filter)?);
    let within = |period: &Period| {
        let all = conditions.iter().cloned().chain(period.conditions());
        all.reduce(Expr::and)
    };
    let times = group_by.iter().filter(|dimension| matches!(dimension, Dimension::Time(_))).count();
    if arguments.fill && times != 1 {
        return Err(bad_input("fill wants one dimension of time in groupBy: DAY, WEEK, MONTH, QUARTER or YEAR"));
    }
    let compare = match arguments.compare {
        None => None,
        Some(compare) => {
            let (before, shift) = period.before(compare)?;
            Some((within(&before), shift))
        }
    };
    Ok(Question {
        filter: within(&period),
        officers: filter.officer_in.as_deref().map(|codes| officers(snapshot, codes)).transpose()?,
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
        suppression: arguments.suppression,
        deadline: Some(arguments.deadline),
        disguise: arguments.disguise,
    })
}

/// Everything that a filter asks of a complaint, and that the viewer may see it.
pub fn conditions(snapshot: &Snapshot, scope: &Scope, filter: Option<&ComplaintStatisticsFilter>) -> Result<Vec<Expr>> {
    let mut conditions = conditions_of(snapshot, scope);
    if let Some(filter) = filter {
        conditions.extend(own(snapshot, filter)?);
        conditions
            .extend(Period::new(filter.received_from, filter.received_before, Tz::Asia__Ho_Chi_Minh)?.conditions());
    }
    Ok(conditions)
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

/// For who sees pseudonyms only: the order of codes would tell whose they are.
pub fn disguise(
    snapshot: &std::sync::Arc<Snapshot>,
    viewer: &Viewer,
    keys: Option<&std::sync::Arc<Keys>>,
) -> Option<Disguise> {
    if viewer.role != Role::DataTeam {
        return None;
    }
    let (snapshot, keys) = (std::sync::Arc::clone(snapshot), keys.cloned());
    Some(Disguise(std::sync::Arc::new(move |dimension, place| {
        let at = u32::try_from(place).ok();
        let (kind, id) = match dimension {
            Dimension::Officer => ("officer", at.and_then(|place| snapshot.officers.at(place))),
            Dimension::Enterprise => ("enterprise", at.and_then(|place| snapshot.enterprises.at(place))),
            _ => return place,
        };
        let code = id
            .zip(keys.as_ref())
            .and_then(|(id, keys)| keys.code(keys.version(), "order", &[kind.as_bytes(), id.0.as_bytes()]));
        code.map_or(0, |code| {
            i64::from_be_bytes([code[0], code[1], code[2], code[3], code[4], code[5], code[6], code[7]])
        })
    })))
}

/// The places of officers.
pub fn officers(snapshot: &Snapshot, codes: &[String]) -> Result<Vec<u32>> {
    let place = |code: &String| {
        snapshot.officers.place_of(code).ok_or_else(|| bad_input(format!("officerIn: there is no officer {code:?}")))
    };
    codes.iter().map(place).collect()
}

/// The complaints that a viewer may see.
pub fn scoped(snapshot: &Snapshot, scope: &Scope) -> Expr {
    conditions_of(snapshot, scope).into_iter().reduce(Expr::and).unwrap_or(lit(true))
}

/// The snapshot of what a viewer may see.
pub fn seen(snapshot: std::sync::Arc<Snapshot>, scope: &Scope) -> Result<std::sync::Arc<Snapshot>> {
    match conditions_of(&snapshot, scope).into_iter().reduce(Expr::and) {
        None => Ok(snapshot),
        Some(seen) => Ok(std::sync::Arc::new(snapshot.of(seen).map_err(from_job)?)),
    }
}

/// Those of them that a unit and everything below it received.
pub fn scoped_within(snapshot: &Snapshot, scope: &Scope, unit: Id) -> Expr {
    let below: Vec<Id> = snapshot.reference.tree.below_beside_ancestors(unit);
    scoped(snapshot, scope).and(within(snapshot, unit, &below))
}

/// Complaints of some categories and what lies below them, in some units and what lies below those; where none are named,
/// of all.
pub fn about(snapshot: &Snapshot, categories: &[Id], units: &[Id]) -> Expr {
    let reference = &snapshot.reference;
    let mut conditions = Vec::new();
    if !categories.is_empty() {
        let here = |one: &schema::models::IssueCategory| {
            categories.contains(&one.id) || one.parent_id.is_some_and(|parent| categories.contains(&parent))
        };
        let places =
            reference.categories.iter().filter(|one| here(one)).filter_map(|one| reference.category_place(one.id));
        conditions.push(any("category", places.collect()));
    }
    if !units.is_empty() {
        let of_each = units.iter().map(|unit| within(snapshot, *unit, &reference.tree.below_beside_ancestors(*unit)));
        conditions.extend(of_each.reduce(Expr::or));
    }
    conditions.into_iter().reduce(Expr::and).unwrap_or(lit(true))
}

/// The day up to which a snapshot knows things.
pub fn today(snapshot: &Snapshot) -> i32 {
    day_number(local_date(snapshot.as_of))
}

/// A number of days that can be looked at.
pub fn days(days: i32) -> Result<i32> {
    if (1..=36_500).contains(&days) { Ok(days) } else { Err(bad_input("days is from 1 to 36,500")) }
}

/// The same complaints as in lists.
fn conditions_of(snapshot: &Snapshot, scope: &Scope) -> Vec<Expr> {
    let mut conditions = match &scope.rows {
        Rows::Everything => Vec::new(),
        Rows::Unit { unit, below, .. } => vec![col("confidential").not(), within(snapshot, *unit, below)],
        Rows::Nothing => vec![lit(false)],
    };
    if let Some(place) = scope.except_officer.and_then(|officer| snapshot.officers.place(officer)) {
        // Whatever was found of this officer.
        let words = (0..1u32 << FINDING_BITS).map(|finding| (place + 1) << FINDING_BITS | finding);
        let named = words.map(|word| col("named").list().contains(lit(word).cast(DataType::UInt32), false));
        conditions.extend(named.reduce(Expr::or).map(Expr::not));
    }
    conditions
}

/// Below a unit, by the same rule as [`crate::auth::within`].
fn within(snapshot: &Snapshot, unit: Id, below: &[Id]) -> Expr {
    let place = |id: Id| snapshot.reference.unit_place(id);
    let Some(own) = place(unit) else { return lit(false) };
    let level = match snapshot.reference.tree.kind(unit) {
        Some(UnitKind::ProvincialDepartment) => "department",
        Some(UnitKind::Branch) => "branch",
        Some(UnitKind::Team) => "team",
        _ => "unit",
    };
    let stored = equals(level, own);
    if below.is_empty() {
        return stored;
    }
    stored.or(any("unit", below.iter().filter_map(|id| place(*id)).collect()))
}

/// Null where the column is null, which a disjunction must not be.
fn equals(column: &str, place: u32) -> Expr {
    col(column).eq(lit(place)).fill_null(lit(false))
}

/// One set, however many places: a disjunction of hundreds takes longer to read than to answer.
fn any(column: &str, places: Vec<u32>) -> Expr {
    let places = Series::new("places".into(), places);
    col(column).is_in(lit(places).implode(false), false).fill_null(lit(false))
}

fn own(snapshot: &Snapshot, filter: &ComplaintStatisticsFilter) -> Result<Vec<Expr>> {
    let reference = &snapshot.reference;
    let mut conditions = Vec::new();
    if let Some(code) = &filter.unit_within {
        let unit =
            reference.unit_by_code(code).ok_or_else(|| bad_input(format!("unitWithin: there is no unit {code:?}")))?;
        let below: Vec<Id> = reference.tree.below_beside_ancestors(unit.id);
        conditions.push(within(snapshot, unit.id, &below));
    }
    if let Some(codes) = &filter.category_in {
        let mut places = Vec::new();
        for code in codes {
            let category = reference.categories.iter().find(|category| category.code == *code);
            let place = category.and_then(|category| reference.category_place(category.id));
            places.push(place.ok_or_else(|| bad_input(format!("categoryIn: there is no category {code:?}")))?);
        }
        conditions.push(any("category", places));
    }
    if let Some(kinds) = &filter.kind_in {
        conditions.push(any("kind", kinds.iter().map(|kind| kind_place((*kind).into())).collect()));
    }
    if let Some(channels) = &filter.channel_in {
        conditions.push(any("channel", channels.iter().map(|channel| channel_place((*channel).into())).collect()));
    }
    if let Some(states) = &filter.state_in {
        conditions.push(any("state", states.iter().map(|state| state_place((*state).into())).collect()));
    }
    if let Some(tax_codes) = &filter.enterprise_in {
        let mut places = Vec::new();
        for code in tax_codes {
            let fact = EnterpriseFact { tax_code: code.clone(), group_code: None };
            let place = snapshot
                .enterprises
                .place_of_tax_code(code)
                .or_else(|| snapshot.enterprises.place_of(&fact.counts_as()));
            // One that has never complained is no mistake: there is nothing of it.
            places.extend(place);
        }
        conditions.push(any("enterprise", places));
    }
    if let Some(blames) = filter.blames_system {
        conditions.push(col("blames").eq(lit(blames)));
    }
    if let Some(anonymous) = filter.anonymous {
        conditions.push(if anonymous { col("enterprise").is_null() } else { col("enterprise").is_not_null() });
    }
    Ok(conditions)
}
