use super::{IssueCategory, Unit};
use crate::graphql::enums::{CategoryKind, ComplaintState};
use crate::graphql::scalars::{Decimal, Moment};
use async_graphql::{Object, SimpleObject};
use jobs::snapshot::Snapshot;
use jobs::statistics::{Answer, Cell, Dimension};
use schema::enums as stored;
use std::sync::Arc;

/// Counts of complaints by groups.
#[derive(SimpleObject)]
pub struct ComplaintStatistics {
    /// When the snapshot was taken from which this was answered.
    pub as_of: Moment,
    /// The position of the register that the snapshot knows.
    pub position: i64,
    pub rows: Vec<ComplaintStatisticsRow>,
    /// Whether there are more groups than were asked for. Measures are never cut.
    pub truncated: bool,
}

/// One group. Dimensions that were not asked for are null.
pub struct ComplaintStatisticsRow {
    cell: Cell,
    group_by: Arc<Vec<Dimension>>,
    snapshot: Arc<Snapshot>,
}

impl ComplaintStatistics {
    pub fn new(snapshot: &Arc<Snapshot>, answer: Answer, group_by: Vec<Dimension>) -> Self {
        let group_by = Arc::new(group_by);
        Self {
            as_of: snapshot.as_of.into(),
            position: snapshot.position,
            truncated: answer.truncated,
            rows: answer
                .cells
                .into_iter()
                .map(|cell| ComplaintStatisticsRow {
                    cell,
                    group_by: Arc::clone(&group_by),
                    snapshot: Arc::clone(snapshot),
                })
                .collect(),
        }
    }
}

impl ComplaintStatisticsRow {
    fn place(&self, dimension: Dimension) -> Option<i64> {
        let at = self.group_by.iter().position(|other| *other == dimension)?;
        self.cell.places[at]
    }

    fn unit_at(&self, dimension: Dimension) -> Option<Unit> {
        let place = usize::try_from(self.place(dimension)?).ok()?;
        self.snapshot.reference.units.get(place).cloned().map(Unit)
    }
}

#[Object]
impl ComplaintStatisticsRow {
    async fn department(&self) -> Option<Unit> {
        self.unit_at(Dimension::Department)
    }

    async fn branch(&self) -> Option<Unit> {
        self.unit_at(Dimension::Branch)
    }

    async fn team(&self) -> Option<Unit> {
        self.unit_at(Dimension::Team)
    }

    async fn category(&self) -> Option<IssueCategory> {
        let place = usize::try_from(self.place(Dimension::Category)?).ok()?;
        self.snapshot.reference.categories.get(place).cloned().map(IssueCategory)
    }

    async fn kind(&self) -> Option<CategoryKind> {
        let place = usize::try_from(self.place(Dimension::Kind)?).ok()?;
        stored::CategoryKind::WORDS.get(place)?.parse::<stored::CategoryKind>().ok().map(Into::into)
    }

    async fn state(&self) -> Option<ComplaintState> {
        let place = usize::try_from(self.place(Dimension::State)?).ok()?;
        stored::ComplaintState::WORDS.get(place)?.parse::<stored::ComplaintState>().ok().map(Into::into)
    }

    /// The month received, in Vietnam: `2010-12`.
    async fn month(&self) -> Option<String> {
        let month = self.place(Dimension::Month)?;
        Some(format!("{:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1))
    }

    /// The year received, in Vietnam.
    async fn year(&self) -> Option<i64> {
        self.place(Dimension::Year)
    }

    async fn complaints(&self) -> u32 {
        self.cell.complaints
    }

    /// Enterprises of one group, and the branches of one, count once; anonymous ones not at all.
    async fn distinct_enterprises(&self) -> u32 {
        self.cell.distinct_enterprises
    }

    async fn cost_vnd(&self) -> Decimal {
        Decimal(self.cell.cost_vnd)
    }

    async fn delay_hours(&self) -> f64 {
        self.cell.delay_hours
    }
}
