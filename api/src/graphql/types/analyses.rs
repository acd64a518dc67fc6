//! How units answer, who blames the system, and which categories rise.

use crate::graphql::enums::SubjectKind;
use async_graphql::{Enum, SimpleObject};
use chrono::NaiveDate;
use jobs::analyses::backtest::Outcome;
use jobs::scheduled::blame::{Blame, BlameDocument};
use jobs::scheduled::timeliness::UnitTimeliness;
use jobs::scheduled::trends::{CategoryTrend, TrendsDocument};

/// The level of units that are ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum UnitLevel {
    Department,
    Branch,
    Team,
}

impl UnitLevel {
    /// The column of the facts.
    pub const fn column(self) -> &'static str {
        match self {
            Self::Department => "department",
            Self::Branch => "branch",
            Self::Team => "team",
        }
    }
}

/// How a unit answers. Complaints that are still open count as waiting so long at least.
#[derive(SimpleObject)]
pub struct ResponseTimeliness {
    unit_code: String,
    unit_name_vi: String,
    unit_name_en: Option<String>,
    complaints: u32,
    open: u32,
    overdue: u32,
    /// Complaints whose deadline has passed, and those of them answered by it.
    due: u32,
    in_time: u32,
    share_in_time: Option<f64>,
    /// Limits of 95 % of that share (Wilson 1927).
    share_in_time_lower: Option<f64>,
    share_in_time_upper: Option<f64>,
    /// The share drawn towards that of all units of the level, the more the fewer its complaints are: units
    /// are ranked by it.
    shrunk_share_in_time: Option<f64>,
    /// Days until half of the complaints are answered (Kaplan and Meier 1958); null where fewer ever are.
    median_days_to_response: Option<f64>,
}

impl From<UnitTimeliness> for ResponseTimeliness {
    fn from(unit: UnitTimeliness) -> Self {
        Self {
            unit_code: unit.code,
            unit_name_vi: unit.name_vi,
            unit_name_en: unit.name_en,
            complaints: unit.handled.complaints,
            open: unit.handled.open,
            overdue: unit.handled.overdue,
            due: unit.handled.due,
            in_time: unit.handled.in_time,
            share_in_time: unit.share_in_time,
            share_in_time_lower: unit.lower,
            share_in_time_upper: unit.upper,
            shrunk_share_in_time: unit.shrunk_share,
            median_days_to_response: unit.handled.median_days,
        }
    }
}

/// Who blames the system where no incident is recorded.
#[derive(SimpleObject)]
pub struct BlameCheck {
    /// The as-of day of the run that it comes from.
    as_of: NaiveDate,
    /// Complaints received in so many days are looked at.
    days: u32,
    blamed: u32,
    without_incident: u32,
    /// The most surprising first, officers before branches.
    subjects: Vec<BlameCheckSubject>,
}

#[derive(SimpleObject)]
pub struct BlameCheckSubject {
    kind: SubjectKind,
    code: String,
    /// Complaints in which the system was blamed.
    blamed: u32,
    /// Those on whose day no incident was recorded there.
    without_incident: u32,
    share: f64,
    /// Limits of 95 % of that share (Wilson 1927).
    share_lower: f64,
    share_upper: f64,
    /// The share of all others of the kind.
    peers_share: f64,
    /// Exact binomial upper tail against the peers' share, and its q-value.
    p: f64,
    q: f64,
    flagged: bool,
}

impl From<Blame> for BlameCheckSubject {
    fn from(blame: Blame) -> Self {
        Self {
            kind: blame.kind.into(),
            code: blame.code,
            blamed: blame.blamed,
            without_incident: blame.without_incident,
            share: blame.share,
            share_lower: blame.lower,
            share_upper: blame.upper,
            peers_share: blame.peers_share,
            p: blame.p,
            q: blame.q,
            flagged: blame.flagged,
        }
    }
}

impl BlameCheck {
    pub fn new(as_of: NaiveDate, document: BlameDocument) -> Self {
        Self {
            as_of,
            days: u32::try_from(document.days).unwrap_or(u32::MAX),
            blamed: document.blamed,
            without_incident: document.without_incident,
            subjects: document.subjects.into_iter().map(Into::into).collect(),
        }
    }
}

/// How one ranking did at one origin.
#[derive(SimpleObject)]
pub struct BacktestOutcome {
    origin: NaiveDate,
    ranking: &'static str,
    /// Officers with a complaint before the origin, and how many of them are named.
    population: u32,
    named: u32,
    /// Officers of the population of whom later complaints were sustained, and those of them that are named;
    /// ties at the edge count with their share.
    later_sustained: u32,
    found: f64,
    precision: f64,
    recall: f64,
    /// Precision over that of naming at random.
    lift: f64,
    /// Bootstrap interval of 95 % of the recall.
    recall_lower: f64,
    recall_upper: f64,
    /// Recall over that of the plain count, with its paired interval.
    over_plain: f64,
    over_plain_lower: f64,
    over_plain_upper: f64,
    /// Days of the horizon for which the register has complaints. Where they are fewer than the horizon, later complaints are
    /// missing, and what was found of them is too little.
    observed_days: i32,
}

impl From<Outcome> for BacktestOutcome {
    fn from(outcome: Outcome) -> Self {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self {
            origin: outcome.origin,
            ranking: outcome.ranking,
            observed_days: outcome.observed_days,
            population: count(outcome.population),
            named: count(outcome.named),
            later_sustained: count(outcome.later_sustained),
            found: outcome.found,
            precision: outcome.precision,
            recall: outcome.recall,
            lift: outcome.lift,
            recall_lower: outcome.recall_lower,
            recall_upper: outcome.recall_upper,
            over_plain: outcome.over_plain,
            over_plain_lower: outcome.over_plain_lower,
            over_plain_upper: outcome.over_plain_upper,
        }
    }
}

/// The categories by their share, and which of them rise.
#[derive(SimpleObject)]
pub struct CategoryTrends {
    /// The last days that are compared …
    recent_days: i32,
    /// … with so many before them; fewer than 30, and the register is too young to say what rises.
    before_days: i32,
    /// The largest first.
    categories: Vec<CategoryTrendRow>,
}

#[derive(SimpleObject)]
pub struct CategoryTrendRow {
    category_code: String,
    category_name_vi: String,
    category_name_en: Option<String>,
    recent: u32,
    before: u32,
    /// Complaints of the recent days if nothing had changed.
    expected: f64,
    /// Exact one-sided binomial test of the recent share, given the sum, and its q-value over all categories.
    p: f64,
    q: f64,
    /// Whether it rises more than chance explains: q at most 5 %, and 10 recent complaints or more.
    rises: bool,
    /// Its share of the complaints, and that of it and all larger ones (Pareto).
    share: f64,
    cumulative_share: f64,
}

impl From<CategoryTrend> for CategoryTrendRow {
    fn from(trend: CategoryTrend) -> Self {
        Self {
            category_code: trend.code,
            category_name_vi: trend.name_vi,
            category_name_en: trend.name_en,
            recent: trend.recent,
            before: trend.before,
            expected: trend.expected,
            p: trend.p,
            q: trend.q,
            rises: trend.rises,
            share: trend.share,
            cumulative_share: trend.cumulative_share,
        }
    }
}

impl From<TrendsDocument> for CategoryTrends {
    fn from(document: TrendsDocument) -> Self {
        let mut categories: Vec<CategoryTrendRow> = document.categories.into_iter().map(Into::into).collect();
        categories.sort_by(|a, b| {
            a.cumulative_share.total_cmp(&b.cumulative_share).then_with(|| a.category_code.cmp(&b.category_code))
        });
        Self { recent_days: document.recent_days, before_days: document.before_days, categories }
    }
}
