//! The columns of an export, and a complaint as one of its rows.

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
    UInt32Array,
};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};
use jobs::facts::days::day_number;
use jobs::snapshot::Reference;
use schema::models::{Complaint, ComplaintOfficer, ComplaintSource};
use schema::pseudonyms::{Pseudonyms, Subject};
use schema::{Id, Timestamp};
use serde::Serialize;
use std::sync::{Arc, LazyLock};

/// A row of an export: one complaint, with codes for units and categories. Officers are sorted by pseudonym, each
/// with its finding: the register's order follows their codes and would identify them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExportRow {
    pub complaint: String,
    #[serde(serialize_with = "moment")]
    pub received_at: Timestamp,
    #[serde(serialize_with = "maybe_moment")]
    pub occurred_at: Option<Timestamp>,
    #[serde(serialize_with = "moment")]
    pub recorded_at: Timestamp,
    pub legal_form: &'static str,
    pub channel: &'static str,
    /// Pseudonym; None for an anonymous complaint.
    pub enterprise: Option<String>,
    pub department: Option<String>,
    pub branch: Option<String>,
    pub team: Option<String>,
    pub unit: Option<String>,
    /// The unit that has to answer.
    pub responsible_unit: Option<String>,
    pub category: Option<String>,
    pub category_kind: Option<&'static str>,
    pub cost_vnd: Option<i64>,
    pub delay_hours: Option<f64>,
    pub blames_system: bool,
    pub confidential: bool,
    pub state: &'static str,
    #[serde(serialize_with = "moment")]
    pub state_since: Timestamp,
    /// The finding on a complaint that names no officer.
    pub finding: Option<&'static str>,
    pub decided_on: Option<chrono::NaiveDate>,
    #[serde(serialize_with = "joined")]
    pub officers: Vec<String>,
    #[serde(serialize_with = "joined")]
    pub findings: Vec<&'static str>,
    /// Version of the key that made the pseudonyms.
    pub key_version: u32,
    /// The registers that the complaint was imported from; None if they are not shown. `source_references` holds the
    /// reference number in each.
    #[serde(serialize_with = "maybe_joined", skip_serializing_if = "Option::is_none")]
    pub sources: Option<Vec<String>>,
    #[serde(serialize_with = "maybe_joined", skip_serializing_if = "Option::is_none")]
    pub source_references: Option<Vec<String>>,
    /// The last day to answer in the present round; None without a deadline.
    pub due_on: Option<chrono::NaiveDate>,
    /// The day of the answer in the present round.
    pub answered_on: Option<chrono::NaiveDate>,
    /// Whether on the day of the export the complaint waits for an answer and the deadline has passed, or had when its
    /// clock was stopped.
    pub overdue: bool,
    /// The pseudonym of the complaint that says the same and counts in the place of this one.
    pub duplicate_of: Option<String>,
}

/// What a row says of a complaint beside its own columns.
pub struct Beside<'a> {
    pub named: &'a [ComplaintOfficer],
    /// None if they are not shown.
    pub sources: Option<Vec<ComplaintSource>>,
    /// The complaint to which it is linked as its duplicate.
    pub original: Option<Id>,
    /// The day of the export.
    pub day: chrono::NaiveDate,
}

fn moment<S: serde::Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&at.utc().to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
}

#[allow(clippy::ref_option, reason = "serde requires this signature")]
fn maybe_moment<S: serde::Serializer>(at: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => moment(at, to),
        None => to.serialize_none(),
    }
}

/// A list as text separated by `;`, for CSV.
fn joined<S: serde::Serializer, T: AsRef<str>>(all: &[T], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&all.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(";"))
}

#[allow(clippy::ref_option, reason = "serde requires this signature")]
fn maybe_joined<S: serde::Serializer>(all: &Option<Vec<String>>, to: S) -> Result<S::Ok, S::Error> {
    joined(all.as_deref().unwrap_or_default(), to)
}

impl ExportRow {
    pub fn new(row: &Complaint, beside: Beside<'_>, reference: &Reference, pseudonyms: &Pseudonyms) -> Self {
        let Beside { named, sources, original, day } = beside;
        let sources: Option<(Vec<String>, Vec<String>)> =
            sources.map(|all| all.into_iter().map(|one| (one.source, one.reference)).unzip());
        let (sources, source_references) = sources.unzip();
        let unit = |id: Option<Id>| Some(reference.unit(id?)?.code.clone());
        let category = row.category_id.and_then(|id| reference.category(id));
        let officer = |one: &ComplaintOfficer| pseudonyms.of(Subject::Officer, one.officer_id);
        let mut named: Vec<(String, &'static str)> =
            named.iter().map(|one| (officer(one), one.finding.as_str())).collect();
        named.sort_unstable();
        let (officers, findings) = named.into_iter().unzip();
        Self {
            complaint: pseudonyms.of(Subject::Complaint, row.id),
            received_at: row.received_at,
            occurred_at: row.occurred_at,
            recorded_at: row.recorded_at,
            legal_form: row.legal_form.as_str(),
            channel: row.channel.as_str(),
            enterprise: row.enterprise_id.map(|id| pseudonyms.of(Subject::Enterprise, id)),
            department: unit(row.department_id),
            branch: unit(row.branch_id),
            team: unit(row.team_id),
            unit: unit(row.unit_id),
            responsible_unit: unit(row.responsible_unit_id),
            category: category.map(|category| category.code.clone()),
            category_kind: category.map(|category| category.kind.as_str()),
            cost_vnd: row.cost_vnd,
            delay_hours: row.delay_hours,
            blames_system: row.blames_system,
            confidential: row.confidential,
            state: row.state.as_str(),
            state_since: row.state_since,
            finding: row.finding.map(schema::enums::Finding::as_str),
            decided_on: row.decided_on,
            officers,
            findings,
            key_version: pseudonyms.version(),
            sources,
            source_references,
            due_on: row.due_on,
            answered_on: row.answered_on,
            overdue: row.overdue_days(day) > 0,
            duplicate_of: original.map(|id| pseudonyms.of(Subject::Complaint, id)),
        }
    }

    /// The rows as an Arrow record batch with the columns of [`schema()`].
    ///
    /// # Errors
    /// If the columns do not match the schema.
    pub fn batch(rows: &[Self]) -> Result<RecordBatch, ArrowError> {
        let references = rows.iter().any(|row| row.sources.is_some());
        let mut columns: Vec<ArrayRef> = vec![
            texts(rows, |row| Some(&row.complaint)),
            times(rows, |row| Some(row.received_at)),
            times(rows, |row| row.occurred_at),
            times(rows, |row| Some(row.recorded_at)),
            texts(rows, |row| Some(row.legal_form)),
            texts(rows, |row| Some(row.channel)),
            texts(rows, |row| row.enterprise.as_deref()),
            texts(rows, |row| row.department.as_deref()),
            texts(rows, |row| row.branch.as_deref()),
            texts(rows, |row| row.team.as_deref()),
            texts(rows, |row| row.unit.as_deref()),
            texts(rows, |row| row.responsible_unit.as_deref()),
            texts(rows, |row| row.category.as_deref()),
            texts(rows, |row| row.category_kind),
            Arc::new(rows.iter().map(|row| row.cost_vnd).collect::<Int64Array>()),
            Arc::new(rows.iter().map(|row| row.delay_hours).collect::<Float64Array>()),
            Arc::new(rows.iter().map(|row| Some(row.blames_system)).collect::<BooleanArray>()),
            Arc::new(rows.iter().map(|row| Some(row.confidential)).collect::<BooleanArray>()),
            texts(rows, |row| Some(row.state)),
            times(rows, |row| Some(row.state_since)),
            texts(rows, |row| row.finding),
            days(rows, |row| row.decided_on),
            lists(rows, |row| row.officers.iter().map(String::as_str).collect()),
            lists(rows, |row| row.findings.clone()),
            Arc::new(rows.iter().map(|row| Some(row.key_version)).collect::<UInt32Array>()),
        ];
        if references {
            columns.push(lists(rows, |row| row.sources.iter().flatten().map(String::as_str).collect()));
            columns.push(lists(rows, |row| row.source_references.iter().flatten().map(String::as_str).collect()));
        }
        columns.extend([
            days(rows, |row| row.due_on),
            days(rows, |row| row.answered_on),
            Arc::new(rows.iter().map(|row| Some(row.overdue)).collect::<BooleanArray>()) as ArrayRef,
            texts(rows, |row| row.duplicate_of.as_deref()),
        ]);
        RecordBatch::try_new(schema(references), columns)
    }
}

fn texts<'r>(rows: &'r [ExportRow], of: impl Fn(&'r ExportRow) -> Option<&'r str>) -> ArrayRef {
    Arc::new(rows.iter().map(of).collect::<StringArray>())
}

fn times(rows: &[ExportRow], of: impl Fn(&ExportRow) -> Option<Timestamp>) -> ArrayRef {
    let times: TimestampMicrosecondArray = rows.iter().map(|row| of(row).map(Timestamp::micros)).collect();
    Arc::new(times.with_timezone("UTC"))
}

fn days(rows: &[ExportRow], of: impl Fn(&ExportRow) -> Option<chrono::NaiveDate>) -> ArrayRef {
    Arc::new(rows.iter().map(|row| of(row).map(day_number)).collect::<Date32Array>())
}

fn lists<'r>(rows: &'r [ExportRow], of: impl Fn(&'r ExportRow) -> Vec<&'r str>) -> ArrayRef {
    let mut builder = ListBuilder::new(StringBuilder::new()).with_field(list_item());
    for row in rows {
        builder.append_value(of(row).into_iter().map(Some));
    }
    Arc::new(builder.finish())
}

fn list_item() -> Field {
    Field::new_list_field(DataType::Utf8, false)
}

/// The columns of an export. Times are UTC timestamps in microseconds, costs are in VND, delays in hours. With
/// `references`, it has `sources` and `source_references` too.
pub fn schema(references: bool) -> SchemaRef {
    static PLAIN: LazyLock<SchemaRef> = LazyLock::new(|| columns(false));
    static REFERENCED: LazyLock<SchemaRef> = LazyLock::new(|| columns(true));
    Arc::clone(if references { &REFERENCED } else { &PLAIN })
}

fn columns(references: bool) -> SchemaRef {
    let time = || DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let list = || DataType::List(Arc::new(list_item()));
    let columns = [
        ("complaint", DataType::Utf8, false),
        ("received_at", time(), false),
        ("occurred_at", time(), true),
        ("recorded_at", time(), false),
        ("legal_form", DataType::Utf8, false),
        ("channel", DataType::Utf8, false),
        ("enterprise", DataType::Utf8, true),
        ("department", DataType::Utf8, true),
        ("branch", DataType::Utf8, true),
        ("team", DataType::Utf8, true),
        ("unit", DataType::Utf8, true),
        ("responsible_unit", DataType::Utf8, true),
        ("category", DataType::Utf8, true),
        ("category_kind", DataType::Utf8, true),
        ("cost_vnd", DataType::Int64, true),
        ("delay_hours", DataType::Float64, true),
        ("blames_system", DataType::Boolean, false),
        ("confidential", DataType::Boolean, false),
        ("state", DataType::Utf8, false),
        ("state_since", time(), false),
        ("finding", DataType::Utf8, true),
        ("decided_on", DataType::Date32, true),
        ("officers", list(), false),
        ("findings", list(), false),
        ("key_version", DataType::UInt32, false),
    ];
    let referenced = [("sources", list(), false), ("source_references", list(), false)];
    // Newer columns stand last: readers may find the others by their numbers.
    let newer = [
        ("due_on", DataType::Date32, true),
        ("answered_on", DataType::Date32, true),
        ("overdue", DataType::Boolean, false),
        ("duplicate_of", DataType::Utf8, true),
    ];
    let columns = columns.into_iter().chain(referenced.into_iter().filter(|_| references)).chain(newer);
    let fields: Vec<Field> = columns.map(|(name, of, null)| Field::new(name, of, null)).collect();
    Arc::new(Schema::new(fields))
}
