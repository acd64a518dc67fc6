//! Aggregates of complaints, from the snapshot: counts by unit level, category and time.

use crate::JobError;
use crate::snapshot::Snapshot;
use polars::prelude::*;

/// What complaints can be grouped by: a column of the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dimension {
    Department,
    Branch,
    Team,
    Category,
    Kind,
    State,
    Month,
    Year,
}

impl Dimension {
    pub const fn column(self) -> &'static str {
        match self {
            Self::Department => "department",
            Self::Branch => "branch",
            Self::Team => "team",
            Self::Category => "category",
            Self::Kind => "kind",
            Self::State => "state",
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

/// What can be asked of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Measure {
    Complaints,
    DistinctEnterprises,
    CostVnd,
    DelayHours,
}

impl Measure {
    const fn column(self) -> &'static str {
        match self {
            Self::Complaints => "complaints",
            Self::DistinctEnterprises => "distinct_enterprises",
            Self::CostVnd => "cost_vnd",
            Self::DelayHours => "delay_hours",
        }
    }
}

/// One group: the places of its dimensions, in the order asked for, and its measures.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Places in the reference data, month or year numbers; None where complaints have none.
    pub places: Vec<Option<i64>>,
    pub complaints: u32,
    /// Of complaints that are not anonymous.
    pub distinct_enterprises: u32,
    pub cost_vnd: i64,
    pub delay_hours: f64,
}

/// What is asked.
pub struct Question {
    /// A condition over the columns of the snapshot.
    pub filter: Option<Expr>,
    pub group_by: Vec<Dimension>,
    /// Measures to order by, then the dimensions.
    pub order_by: Vec<(Measure, bool)>,
    pub limit: usize,
}

/// The groups, and whether the limit cut any off.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub cells: Vec<Cell>,
    pub truncated: bool,
}

/// Answers a question. Every measure is computed from all the rows of its group; the limit only
/// takes groups away.
pub fn statistics(snapshot: &Snapshot, question: &Question) -> Result<Answer, JobError> {
    let mut rows = snapshot.facts.clone().lazy();
    if let Some(filter) = &question.filter {
        rows = rows.filter(filter.clone());
    }
    let measures = [
        len().cast(DataType::UInt32).alias("complaints"),
        col("enterprise").drop_nulls().n_unique().cast(DataType::UInt32).alias("distinct_enterprises"),
        col("cost").sum().alias("cost_vnd"),
        col("delay").sum().alias("delay_hours"),
    ];
    let keys: Vec<Expr> = question.group_by.iter().map(|dimension| col(dimension.column())).collect();
    let grouped = if keys.is_empty() { rows.select(measures) } else { rows.group_by(keys).agg(measures) };
    let mut by: Vec<&str> = question.order_by.iter().map(|(measure, _)| measure.column()).collect();
    let mut descending: Vec<bool> = question.order_by.iter().map(|(_, descending)| *descending).collect();
    by.extend(question.group_by.iter().map(|dimension| dimension.column()));
    descending.resize(by.len(), false);
    let sorted = if by.is_empty() {
        grouped
    } else {
        grouped.sort(by, SortMultipleOptions::default().with_order_descending_multi(descending))
    };
    let table = sorted.collect()?;
    let shown = table.height().min(question.limit);
    Ok(Answer { cells: cells(&table.head(Some(shown)), &question.group_by)?, truncated: table.height() > shown })
}

fn cells(table: &DataFrame, group_by: &[Dimension]) -> Result<Vec<Cell>, JobError> {
    let places = group_by
        .iter()
        .map(|dimension| table.column(dimension.column())?.cast(&DataType::Int64))
        .collect::<PolarsResult<Vec<_>>>()?;
    let places = places.iter().map(|column| column.i64()).collect::<PolarsResult<Vec<_>>>()?;
    let complaints = table.column("complaints")?.u32()?;
    let enterprises = table.column("distinct_enterprises")?.u32()?;
    let cost = table.column("cost_vnd")?.i64()?;
    let delay = table.column("delay_hours")?.f64()?;
    Ok((0..table.height())
        .map(|at| Cell {
            places: places.iter().map(|column| column.get(at)).collect(),
            complaints: complaints.get(at).unwrap_or(0),
            distinct_enterprises: enterprises.get(at).unwrap_or(0),
            cost_vnd: cost.get(at).unwrap_or(0),
            delay_hours: delay.get(at).unwrap_or(0.0),
        })
        .collect())
}
