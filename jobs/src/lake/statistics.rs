//! Statistics of complaints as SQL over the tables of a lake: one text for DataFusion, Spark, Sail and DuckDB (which
//! compares times of day in UTC only with `SET TimeZone = 'UTC'`).
//!
//! It knows what columns of the tables give. Where an episode begins depends on the one before, over all complaints:
//! episodes are refused by name.

use super::conditions::{Condition, Named, Writer, allegation, own_finding};
use crate::snapshot::IndexColumn;
use crate::statistics::{Allegations, Bucket, Dimension, SelectedMeasures};
use crate::tables::table;
use schema::pseudonyms::Subject;
use std::collections::HashMap;
use std::fmt::Write;

/// The complaints and allegations to count, and their names in the lake.
#[derive(Clone, Copy)]
pub struct Counted<'a> {
    pub named: Named<'a>,
    pub condition: &'a Condition,
    /// The allegations that count; a complaint without one of them does not count.
    pub allegations: &'a Allegations,
}

/// The names of the measures in an answer, after the dimensions `d0`, `d1`, …
pub const MEASURES: [&str; 10] =
    ["complaints", "enterprises", "cost", "delay", "open", "overdue", "escalated", "due", "in_time", "reopened"];

/// The columns of [`Counted::waits`] after the dimensions: days, the day since which a running clock counts, whether
/// they ended with an answer (1 or 0), and complaints.
pub const WAITS: [&str; 4] = ["waited_days", "waits_since", "answered", "complaints"];

/// The columns of complaints that measures are computed from.
const MEASURED: [&str; 10] = [
    "complaint",
    "enterprise",
    "cost_vnd",
    "delay_hours",
    "ended_on",
    "overdue",
    "escalated_on",
    "was_due",
    "in_time",
    "reopened",
];

impl Counted<'_> {
    /// The measures by group. Without dimensions the answer has one row.
    ///
    /// # Errors
    /// Names the dimension or measure that a lake cannot give.
    pub fn measures(self, by: &[Dimension], wanted: SelectedMeasures) -> Result<String, String> {
        // Without `..`: a further measure does not compile until it is decided here whether a lake gives it.
        let SelectedMeasures { episodes, enterprises: _, officers: _, sums: _, timeliness: _, median: _, status: _ } =
            wanted;
        if episodes {
            return Err("the lake has no episodes: ask the register".into());
        }
        let columns: Vec<String> = MEASURED.iter().map(|name| format!("c.{name} AS {name}")).collect();
        let rows = self.complaints(by, &columns.join(", "))?;
        let flags = |name: &str| format!("SUM(CASE WHEN p.{name} THEN 1 ELSE 0 END)");
        let measures = format!(
            "COUNT(*) AS complaints, COUNT(DISTINCT p.enterprise) AS enterprises, SUM(p.cost_vnd) AS cost, \
             SUM(p.delay_hours) AS delay, SUM(CASE WHEN p.ended_on IS NULL THEN 1 ELSE 0 END) AS open, {} AS overdue, \
             SUM(CASE WHEN p.escalated_on IS NULL THEN 0 ELSE 1 END) AS escalated, {} AS due, {} AS in_time, {} AS \
             reopened",
            flags("overdue"),
            flags("was_due"),
            flags("in_time"),
            flags("reopened")
        );
        Ok(grouped(by, &[], &measures, &rows))
    }

    /// SQL that counts the complaints of each group by waiting time, after the dimensions [`WAITS`].
    ///
    /// # Errors
    /// Names the dimension that a lake cannot give.
    pub fn waits(self, by: &[Dimension]) -> Result<String, String> {
        let columns = "c.complaint AS complaint, c.waited_days AS waited_days, c.waits_since AS waits_since, CASE WHEN \
                       c.answered_on IS NULL THEN 0 ELSE 1 END AS answered";
        let rows = self.complaints(by, columns)?;
        Ok(grouped(by, &["p.waited_days", "p.waits_since", "p.answered"], "COUNT(*) AS complaints", &rows))
    }

    /// The complaints to group, with some of their columns. One counts once in a group, however many of its allegations
    /// are in it.
    fn complaints(self, by: &[Dimension], columns: &str) -> Result<String, String> {
        let of_allegations = |dimension: &Dimension| matches!(dimension, Dimension::Officer | Dimension::Finding);
        let entries = self.allegations.are_limited() || by.iter().any(of_allegations);
        self.rows(by, if entries { "DISTINCT " } else { "" }, columns, entries.then_some(true))
    }

    /// The number of distinct officers by group, as the column `officers`. Groups without an officer have no row.
    ///
    /// # Errors
    /// Names the dimension that a lake cannot give.
    pub fn officers(self, by: &[Dimension]) -> Result<String, String> {
        let rows = self.rows(by, "", "e.officer AS officer", Some(false))?;
        Ok(grouped(by, &[], "COUNT(DISTINCT p.officer) AS officers", &rows))
    }

    /// The rows to group: the dimensions and some columns of each complaint that counts. With `entries` those of each
    /// of its allegations that count, and, if it is true, of its own finding.
    fn rows(self, by: &[Dimension], each: &str, columns: &str, entries: Option<bool>) -> Result<String, String> {
        let mut sql = format!("SELECT {each}");
        for (at, dimension) in by.iter().enumerate() {
            let _infallible = write!(sql, "{} AS d{at}, ", expression(*dimension)?);
        }
        let mut writer = Writer::new(self.named);
        let condition = writer.condition(self.condition);
        let joins = writer.joins();
        let entries =
            entries.map(|with_own| format!(" JOIN ({}) e ON e.complaint = c.complaint", self.entries(with_own)));
        let _infallible =
            write!(sql, "{columns} FROM complaints c{joins}{} WHERE {condition}", entries.unwrap_or_default());
        Ok(sql)
    }

    /// The allegations that count, and, `with_own`, the findings of complaints that name no officer.
    fn entries(self, with_own: bool) -> String {
        let mut sql =
            "SELECT a.complaint AS complaint, a.officer AS officer, a.finding AS finding FROM allegations a".to_owned();
        if let Some(limits) = allegation(self.allegations, self.named) {
            let _infallible = write!(sql, " WHERE {limits}");
        }
        if let Some(own) = own_finding(self.allegations).filter(|_| with_own) {
            let _infallible = write!(
                sql,
                " UNION ALL SELECT c.complaint AS complaint, NULL AS officer, c.finding AS finding FROM complaints c \
                 WHERE {own}"
            );
        }
        sql
    }
}

/// The names that a dimension has in a lake, with their places, where these are pseudonyms.
pub fn places_of_pseudonyms(dimension: Dimension, named: Named<'_>) -> HashMap<String, i64> {
    let Named { snapshot, pseudonyms } = named;
    match dimension {
        Dimension::Officer => (0..u32::try_from(snapshot.officers.places()).unwrap_or(u32::MAX))
            .filter_map(|place| Some((named.officer(place)?, i64::from(place))))
            .collect(),
        Dimension::Place(IndexColumn::Enterprise) => {
            let all = snapshot.enterprises.in_order();
            all.map(|(id, place)| (pseudonyms.of(Subject::Enterprise, id), i64::from(place))).collect()
        }
        _ => HashMap::new(),
    }
}

/// Rows in groups by the dimensions, and by further columns of them.
fn grouped(by: &[Dimension], further: &[&str], columns: &str, rows: &str) -> String {
    let names = (0..by.len()).map(|at| format!("p.d{at}")).chain(further.iter().map(|name| (*name).to_owned()));
    let names: Vec<String> = names.collect();
    if names.is_empty() {
        return format!("SELECT {columns} FROM ({rows}) p");
    }
    let names = names.join(", ");
    format!("SELECT {names}, {columns} FROM ({rows}) p GROUP BY {names}")
}

/// A dimension as an expression: a code, a word, a pseudonym, or the first day of a bucket.
fn expression(dimension: Dimension) -> Result<String, String> {
    let bucket = |unit: &str| Ok(format!("CAST(date_trunc('{unit}', c.received_on) AS DATE)"));
    match dimension {
        Dimension::Place(column) if !complaints_have(column.name()) => {
            Err(format!("the lake does not group by {}: ask the register", column.name().to_ascii_uppercase()))
        }
        Dimension::Place(column) => Ok(format!("c.{}", column.name())),
        Dimension::Officer => Ok("e.officer".into()),
        Dimension::Finding => Ok("e.finding".into()),
        Dimension::Time(Bucket::Day) => Ok("c.received_on".into()),
        Dimension::Time(Bucket::Week) => bucket("week"),
        Dimension::Time(Bucket::Month) => bucket("month"),
        Dimension::Time(Bucket::Quarter) => bucket("quarter"),
        Dimension::Time(Bucket::Year) => bucket("year"),
        Dimension::Part(_) => Err("the lake knows no parts of a span: ask the register".into()),
    }
}

/// Whether the table of complaints has a column.
fn complaints_have(column: &str) -> bool {
    table("complaints").is_some_and(|complaints| complaints.columns.iter().any(|one| one.name == column))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{ColumnCondition, Comparison, Nullable, Snapshot, SnapshotStore};
    use schema::Db;
    use schema::domain::calendar::start_of_day;
    use schema::enums::{Channel, Finding, Role};
    use schema::keys::Keys;
    use schema::pseudonyms::{Audience, Pseudonyms};
    use std::sync::Arc;

    fn empty() -> (Arc<Snapshot>, Pseudonyms) {
        let folder = tempfile::tempdir().expect("a folder");
        let db = Db::open(&format!("sqlite:{}", folder.path().join("empty.db").display())).expect("a database");
        db.migrate().expect("migrations");
        let snapshot = SnapshotStore::load(&db).expect("a snapshot").current();
        (snapshot, Keys::ephemeral().pseudonyms(Audience::Export(Role::DataTeam)))
    }

    #[test]
    fn a_question_is_one_text() {
        let (snapshot, pseudonyms) = empty();
        let named = Named { snapshot: &snapshot, pseudonyms: &pseudonyms };
        let by = [Dimension::Place(IndexColumn::Branch), Dimension::Time(Bucket::Month)];
        let day = chrono::NaiveDate::from_ymd_opt(2025, 1, 1).expect("a day");
        let channel = ColumnCondition::Place(IndexColumn::Channel, Channel::Portal.place());
        let condition = Condition::All(vec![
            Condition::Columns(ColumnCondition::Received(Comparison::AtLeast(start_of_day(day).micros()))),
            Condition::Not(Box::new(Condition::Any(vec![
                Condition::Columns(channel),
                Condition::Columns(ColumnCondition::Null(Nullable::Cost)),
            ]))),
        ]);
        let counted = Counted { named, condition: &condition, allegations: &Allegations::default() };
        assert_eq!(
            counted.officers(&by).expect("a text"),
            "SELECT p.d0, p.d1, COUNT(DISTINCT p.officer) AS officers FROM (SELECT c.branch AS d0, \
             CAST(date_trunc('month', c.received_on) AS DATE) AS d1, e.officer AS officer FROM complaints c JOIN \
             (SELECT a.complaint AS complaint, a.officer AS officer, a.finding AS finding FROM allegations a) e ON \
             e.complaint = c.complaint WHERE (c.received_on >= DATE '2025-01-01' AND NOT (((c.channel IS NOT NULL AND \
             c.channel IN ('PORTAL')) OR c.cost_vnd IS NULL)))) p GROUP BY p.d0, p.d1"
        );
        let wanted = SelectedMeasures { episodes: true, ..SelectedMeasures::default() };
        assert!(counted.measures(&by, wanted).expect_err("refused").contains("episodes"));
        let waits = counted.waits(&by).expect("a text");
        assert!(waits.ends_with("GROUP BY p.d0, p.d1, p.waited_days, p.waits_since, p.answered"), "{waits}");
        let total = counted.measures(&[], SelectedMeasures::default()).expect("a text");
        assert!(!total.contains("GROUP") && !total.contains("DISTINCT c."), "{total}");

        // What asks for an allegation joins a list, and a complaint counts once however many allegations it has.
        let sustained = Allegations { findings: Some(vec![Finding::Sustained.place()]), ..Allegations::default() };
        let not = Condition::Not(Box::new(Condition::Allegation(sustained.clone())));
        let limited = Counted { named, condition: &not, allegations: &sustained };
        let text = limited.measures(&[Dimension::Finding], SelectedMeasures::default()).expect("a text");
        for part in [
            "(SELECT DISTINCT e.finding AS d0, c.complaint AS complaint",
            "LEFT JOIN (SELECT a.complaint AS complaint FROM allegations a WHERE a.finding IN ('SUSTAINED') GROUP BY \
             a.complaint) s0 ON s0.complaint = c.complaint",
            "UNION ALL SELECT c.complaint AS complaint, NULL AS officer",
            "WHERE NOT ((s0.complaint IS NOT NULL OR (c.finding IS NOT NULL AND c.finding IN ('SUSTAINED'))))",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }
}
