//! Statistics of complaints as SQL over the tables of a lake: one text for DataFusion, Spark, Sail and DuckDB.
//!
//! It knows what columns of the tables give. Episodes, days to the answer and reopened complaints need rounds and stops
//! of the legal clock, and officers and enterprises have other pseudonyms in the lake: these are refused by name.

use crate::snapshot::PlaceColumn;
use crate::statistics::{Bucket, Dimension, SelectedMeasures};
use chrono::NaiveDate;
use std::fmt::Write;

/// A condition on the value of a column: it is one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Among {
    /// Columns of `complaints`, of which one must have the value.
    pub columns: Vec<&'static str>,
    pub values: Vec<String>,
}

/// Which complaints count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    pub from: Option<NaiveDate>,
    /// The day after the last.
    pub before: Option<NaiveDate>,
    pub among: Vec<Among>,
}

/// The names of the measures in an answer, after the dimensions `d0`, `d1`, …
pub const MEASURES: [&str; 7] = ["complaints", "enterprises", "cost", "delay", "open", "overdue", "escalated"];

/// The measures by group. Without dimensions the answer has one row.
///
/// # Errors
/// Names the dimension or measure that a lake cannot give.
pub fn measures(by: &[Dimension], wanted: SelectedMeasures, of: &Conditions) -> Result<String, String> {
    let refused = [
        (wanted.episodes, "episodes"),
        (wanted.timeliness, "shareAnsweredInTime"),
        (wanted.median, "medianDaysToResponse"),
    ];
    if let Some((_, name)) = refused.iter().find(|(is_wanted, _)| *is_wanted) {
        return Err(format!("the lake has no {name}: ask the register"));
    }
    let columns = "COUNT(*) AS complaints, COUNT(DISTINCT c.enterprise) AS enterprises, SUM(c.cost_vnd) AS cost, \
                   SUM(c.delay_hours) AS delay, SUM(CASE WHEN c.ended_on IS NULL THEN 1 ELSE 0 END) AS open, \
                   SUM(CASE WHEN c.overdue THEN 1 ELSE 0 END) AS overdue, \
                   SUM(CASE WHEN c.escalated_on IS NULL THEN 0 ELSE 1 END) AS escalated";
    grouped(by, columns, "complaints c", of)
}

/// The number of distinct officers by group, as the column `officers`.
///
/// # Errors
/// Names the dimension that a lake cannot give.
pub fn officers(by: &[Dimension], of: &Conditions) -> Result<String, String> {
    let tables = "complaints c JOIN allegations a ON a.complaint = c.complaint";
    grouped(by, "COUNT(DISTINCT a.officer) AS officers", tables, of)
}

fn grouped(by: &[Dimension], columns: &str, tables: &str, of: &Conditions) -> Result<String, String> {
    let mut sql = String::from("SELECT ");
    for (at, dimension) in by.iter().enumerate() {
        let _infallible = write!(sql, "{} AS d{at}, ", expression(*dimension)?);
    }
    let _infallible = write!(sql, "{columns} FROM {tables}");
    let conditions = conditions(of);
    if !conditions.is_empty() {
        let _infallible = write!(sql, " WHERE {}", conditions.join(" AND "));
    }
    if !by.is_empty() {
        let groups: Vec<String> = by.iter().map(|dimension| expression(*dimension)).collect::<Result<_, _>>()?;
        let _infallible = write!(sql, " GROUP BY {}", groups.join(", "));
    }
    Ok(sql)
}

/// A dimension as an expression: a code, a word, or the first day of a bucket.
fn expression(dimension: Dimension) -> Result<String, String> {
    let bucket = |unit: &str| Ok(format!("CAST(date_trunc('{unit}', c.received_on) AS DATE)"));
    match dimension {
        Dimension::Place(PlaceColumn::Enterprise) => {
            Err("the lake has other pseudonyms of enterprises than your answers: ask the register".into())
        }
        Dimension::Place(column) => Ok(format!("c.{}", column.name())),
        Dimension::Officer => {
            Err("the lake has other pseudonyms of officers than your answers: ask the register".into())
        }
        Dimension::Finding => Err("the lake does not group by FINDING: ask the register".into()),
        Dimension::Time(Bucket::Day) => Ok("c.received_on".into()),
        Dimension::Time(Bucket::Week) => bucket("week"),
        Dimension::Time(Bucket::Month) => bucket("month"),
        Dimension::Time(Bucket::Quarter) => bucket("quarter"),
        Dimension::Time(Bucket::Year) => bucket("year"),
        Dimension::Part(_) => Err("the lake knows no parts of a span: ask the register".into()),
    }
}

fn conditions(of: &Conditions) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    all.extend(of.from.map(|day| format!("c.received_on >= DATE '{day}'")));
    all.extend(of.before.map(|day| format!("c.received_on < DATE '{day}'")));
    for among in &of.among {
        let values: Vec<String> = among.values.iter().map(|value| text(value)).collect();
        let values = if values.is_empty() { "NULL".to_owned() } else { values.join(", ") };
        let any: Vec<String> = among.columns.iter().map(|column| format!("c.{column} IN ({values})")).collect();
        all.push(format!("({})", any.join(" OR ")));
    }
    all
}

fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_one_text() {
        let by = [Dimension::Place(PlaceColumn::Branch), Dimension::Time(Bucket::Month)];
        let among = Among { columns: vec!["category", "category_group"], values: vec!["a'b".into()] };
        let of = Conditions { from: NaiveDate::from_ymd_opt(2025, 1, 1), before: None, among: vec![among] };
        assert_eq!(
            officers(&by, &of).expect("a text"),
            "SELECT c.branch AS d0, CAST(date_trunc('month', c.received_on) AS DATE) AS d1, COUNT(DISTINCT a.officer) \
             AS officers FROM complaints c JOIN allegations a ON a.complaint = c.complaint WHERE c.received_on >= DATE \
             '2025-01-01' AND (c.category IN ('a''b') OR c.category_group IN ('a''b')) GROUP BY c.branch, \
             CAST(date_trunc('month', c.received_on) AS DATE)"
        );
        assert!(measures(&[Dimension::Officer], SelectedMeasures::default(), &of).is_err());
        let wanted = SelectedMeasures { median: true, ..SelectedMeasures::default() };
        assert!(measures(&by, wanted, &of).expect_err("refused").contains("medianDaysToResponse"));
        assert!(!measures(&[], SelectedMeasures::default(), &Conditions::default()).expect("a text").contains("GROUP"));
    }
}
