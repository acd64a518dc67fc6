//! Results of analyses: timeliness of units, the blame check, the backtest of rankings and category trends.

use crate::graphql::enums::SubjectKind;
use crate::graphql::error::bad_input;
use crate::graphql::input;
use async_graphql::{Enum, InputObject, Result, SimpleObject};
use chrono::NaiveDate;
use jobs::analyses::backtest::RankingOutcome;
use jobs::analyses::blame::{Blame, BlameDocument};
use jobs::analyses::category_trends::{self, CategoryTrend};
use jobs::analyses::responsible::HEADQUARTERS;
use jobs::analyses::timeliness::UnitTimeliness;
use jobs::analyses::trends::TrendsDocument;
use jobs::facts::days::day_number;

/// The level of the responsible units that `responseTimeliness` ranks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum UnitLevel {
    Department,
    Branch,
    Team,
    /// Headquarters units, which answer the complaints of their fields.
    HeadquartersUnit,
}

impl UnitLevel {
    /// The column that holds the responsible unit of this level.
    pub const fn column(self) -> &'static str {
        match self {
            Self::Department => "department",
            Self::Branch => "branch",
            Self::Team => "team",
            Self::HeadquartersUnit => HEADQUARTERS,
        }
    }
}

/// How a unit answers the complaints of the chosen days that it, or a unit below it, has to answer.
#[derive(SimpleObject)]
pub struct ResponseTimeliness {
    unit_code: String,
    unit_name_vi: String,
    /// Null if the unit has no English name.
    unit_name_en: Option<String>,
    /// Complaints received.
    complaints: u32,
    /// Complaints not closed, withdrawn or rejected.
    open: u32,
    /// Open complaints without an answer whose deadline has passed.
    overdue: u32,
    /// Complaints whose deadline has passed. A complaint withdrawn or rejected without an answer is left out.
    due: u32,
    /// Complaints of `due` that were answered by their deadline.
    in_time: u32,
    /// `inTime` / `due`, from 0 to 1; null if `due` is 0.
    share_in_time: Option<f64>,
    /// Lower 95 % limit of `shareInTime` (Wilson 1927); null if `due` is 0.
    share_in_time_lower: Option<f64>,
    /// Upper 95 % limit of `shareInTime`; null if `due` is 0.
    share_in_time_upper: Option<f64>,
    /// `shareInTime` after shrinkage towards the mean of the level: the fewer complaints, the stronger. Units
    /// are ranked by it; null if `due` is 0.
    shrunk_share_in_time: Option<f64>,
    /// Median days to the first response (Kaplan and Meier 1958; complaints without a response are censored);
    /// null if the estimate never reaches half.
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

/// Complaints in which an officer blamed the IT system, held against the recorded incidents. From the latest
/// blame-check run.
#[derive(SimpleObject)]
pub struct BlameCheck {
    /// The as-of day of the run.
    as_of: NaiveDate,
    /// Length of the window in days; it ends on `asOf`.
    days: u32,
    /// Complaints in the window in which the system was blamed.
    blamed: u32,
    /// Complaints of `blamed` on whose day no incident was recorded at the place.
    without_incident: u32,
    /// Officers first, then branches; within each kind the smallest p first.
    subjects: Vec<BlameCheckSubject>,
}

/// An officer or a branch in the blame check.
#[derive(SimpleObject)]
pub struct BlameCheckSubject {
    kind: SubjectKind,
    /// The code of the officer or branch.
    code: String,
    /// Complaints in which the system was blamed.
    blamed: u32,
    /// Complaints of `blamed` on whose day no incident was recorded there.
    without_incident: u32,
    /// `withoutIncident` / `blamed`, from 0 to 1.
    share: f64,
    /// Lower 95 % limit of `share` (Wilson 1927).
    share_lower: f64,
    /// Upper 95 % limit of `share`.
    share_upper: f64,
    /// The same share over all other subjects of the kind.
    peers_share: f64,
    /// Exact binomial upper tail against `peersShare`.
    p: f64,
    /// The q-value of `p` (Benjamini and Hochberg), a false discovery rate.
    q: f64,
    /// Whether q is at most 5 % and `withoutIncident` is 3 or more.
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

/// The quality of the predictions of one ranking at one origin.
#[derive(SimpleObject)]
pub struct BacktestOutcome {
    /// The day on which the ranking is made; it uses earlier complaints only.
    origin: NaiveDate,
    /// The name of the ranking, such as `plain_count` or `eb05`.
    ranking: &'static str,
    /// Officers with a complaint before the origin.
    population: u32,
    /// Officers that the ranking names: the `top` share of the population.
    named: u32,
    /// Officers of the population against whom a complaint of the horizon was sustained.
    later_sustained: u32,
    /// Officers of `laterSustained` that are named. Officers tied at the cut-off count as a fraction.
    found: f64,
    /// `found` / `named`.
    precision: f64,
    /// `found` / `laterSustained`.
    recall: f64,
    /// Precision divided by the precision of naming at random.
    lift: f64,
    /// Lower limit of the 95 % bootstrap interval of the recall.
    recall_lower: f64,
    /// Upper limit of that interval.
    recall_upper: f64,
    /// Recall divided by the recall of `plain_count`.
    over_plain: f64,
    /// Lower limit of the paired 95 % bootstrap interval of `overPlain`.
    over_plain_lower: f64,
    /// Upper limit of that interval.
    over_plain_upper: f64,
    /// Days of the horizon that the register covers. If fewer than the horizon, later complaints are missing
    /// and `found` is too low.
    observed_days: i32,
}

impl From<RankingOutcome> for BacktestOutcome {
    fn from(outcome: RankingOutcome) -> Self {
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

/// The recent period of `categoryTrends`, and how long the period before it is.
#[derive(InputObject)]
pub struct TrendPeriod {
    /// The first day.
    pub from: NaiveDate,
    /// The last day, not in the future.
    pub until: NaiveDate,
    /// Days of the period before it (1 to 36,500), fewer if the register begins later. Default: six times as
    /// long.
    pub before_days: Option<i32>,
}

impl TrendPeriod {
    /// The periods that the analysis compares; `today` is the day of the snapshot.
    ///
    /// # Errors
    /// BAD_USER_INPUT if it ends before it begins or in the future, or is too long.
    pub fn checked(&self, today: NaiveDate) -> Result<category_trends::TrendPeriod> {
        let (from, until) = (input::day("period.from", self.from)?, input::day("period.until", self.until)?);
        if from > until {
            return Err(bad_input(format!("period: from is {from}, after until, {until}: swap them")));
        }
        if until > today {
            return Err(bad_input(format!("period: until is {until}: it must not be after today, {today}")));
        }
        let days = day_number(until) - day_number(from) + 1;
        let before_days = self.before_days.unwrap_or(days.saturating_mul(6).min(LONGEST));
        if days > LONGEST || !(1..=LONGEST).contains(&before_days) {
            return Err(bad_input("period: at most 36,500 days, and beforeDays from 1 to 36,500"));
        }
        Ok(category_trends::TrendPeriod { until: day_number(until), days, before_days })
    }
}

/// The longest period of trends, in days.
const LONGEST: i32 = 36_500;

/// The categories by their share of complaints, with those that rise.
#[derive(SimpleObject)]
pub struct CategoryTrends {
    /// Days of the recent period.
    recent_days: i32,
    /// Days of the period before it. With fewer than 30 no category is marked as rising: the register is too
    /// young.
    before_days: i32,
    /// Categories of both levels, the largest first. A category of the first level counts the complaints of
    /// those below it, too.
    categories: Vec<CategoryTrendRow>,
}

/// The trend of one category.
#[derive(SimpleObject)]
pub struct CategoryTrendRow {
    category_code: String,
    /// The code of the category above; null on the first level.
    parent_code: Option<String>,
    category_name_vi: String,
    /// Null if the category has no English name.
    category_name_en: Option<String>,
    /// Complaints of the recent days.
    recent: u32,
    /// Complaints of the days before.
    before: u32,
    /// Complaints that the recent days would have at the earlier rate.
    expected: f64,
    /// Exact one-sided binomial test of the recent share, given the sum of both periods.
    p: f64,
    /// The q-value of `p` over all categories of the level.
    q: f64,
    /// Whether the category rises: q at most 5 %, and 10 recent complaints or more.
    rises: bool,
    /// Share of all complaints of both periods, from 0 to 1.
    share: f64,
    /// Share of this category and all larger ones of its level together (Pareto).
    cumulative_share: f64,
}

impl From<CategoryTrend> for CategoryTrendRow {
    fn from(trend: CategoryTrend) -> Self {
        Self {
            category_code: trend.code,
            parent_code: trend.parent,
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
        let size = |row: &CategoryTrendRow| row.recent + row.before;
        // A category of the first level precedes one of equal size, because it may contain that one.
        categories.sort_by(|a, b| {
            let level = |row: &CategoryTrendRow| row.parent_code.is_some();
            size(b).cmp(&size(a)).then(level(a).cmp(&level(b))).then_with(|| a.category_code.cmp(&b.category_code))
        });
        Self { recent_days: document.recent_days, before_days: document.before_days, categories }
    }
}
