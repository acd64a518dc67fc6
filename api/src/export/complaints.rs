//! The columns of an export of complaints, written one by one.

use arrow_array::builder::{
    BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, ListBuilder, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch, UInt32Array};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};
use chrono::NaiveDate;
use jobs::facts::days::day_number;
use jobs::snapshot::Reference;
use schema::enums::Finding;
use schema::models::{ComplaintSource, ExportedComplaint, NamedOfficer};
use schema::pseudonyms::{Pseudonyms, Subject};
use schema::{Id, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

/// The most pseudonyms of officers, and of enterprises, that are kept.
const KEPT: usize = 200_000;

/// The values of a row that do not come from the complaint itself.
pub struct Beside<'a> {
    pub named: &'a [NamedOfficer],
    pub sources: &'a [ComplaintSource],
    /// The complaint to which it is linked as its duplicate.
    pub original: Option<Id>,
}

/// Pseudonyms that were made before: officers and enterprises occur in many complaints.
pub struct Names<'a> {
    pseudonyms: &'a Pseudonyms,
    officers: HashMap<Id, String>,
    enterprises: HashMap<Id, String>,
}

impl<'a> Names<'a> {
    pub fn new(pseudonyms: &'a Pseudonyms) -> Self {
        Self { pseudonyms, officers: HashMap::new(), enterprises: HashMap::new() }
    }

    /// Drops them if there are too many; called between two pages.
    pub fn limit(&mut self) {
        for kept in [&mut self.officers, &mut self.enterprises] {
            if kept.len() > KEPT {
                kept.clear();
            }
        }
    }

    fn enterprise(&mut self, id: Id) -> &str {
        self.enterprises.entry(id).or_insert_with(|| self.pseudonyms.of(Subject::Enterprise, id))
    }

    fn officer(&mut self, id: Id) -> &str {
        self.officers.entry(id).or_insert_with(|| self.pseudonyms.of(Subject::Officer, id))
    }

    /// Several officers in the order of pseudonyms, each with its finding: the register's order follows their codes and
    /// would identify them.
    fn officers(&mut self, named: &[NamedOfficer]) -> Vec<(&str, &'static str)> {
        for one in named {
            self.officer(one.officer_id);
        }
        let pseudonym = |one: &NamedOfficer| self.officers.get(&one.officer_id).map_or("", String::as_str);
        let mut all: Vec<_> = named.iter().map(|one| (pseudonym(one), one.finding.as_str())).collect();
        all.sort_unstable();
        all
    }
}

/// The columns of some complaints while they are built.
pub struct Columns<'a> {
    reference: &'a Reference,
    key_version: u32,
    day: NaiveDate,
    /// Whether there are columns with reference numbers of other registers.
    references: bool,
    rows: usize,
    /// Room for the pseudonym of a complaint.
    complaint: String,
    texts: [StringBuilder; TEXTS],
    received_at: TimestampMicrosecondBuilder,
    occurred_at: TimestampMicrosecondBuilder,
    recorded_at: TimestampMicrosecondBuilder,
    state_since: TimestampMicrosecondBuilder,
    cost_vnd: Int64Builder,
    delay_hours: Float64Builder,
    blames_system: BooleanBuilder,
    confidential: BooleanBuilder,
    overdue: BooleanBuilder,
    decided_on: Date32Builder,
    due_on: Date32Builder,
    answered_on: Date32Builder,
    officers: ListBuilder<StringBuilder>,
    findings: ListBuilder<StringBuilder>,
    sources: ListBuilder<StringBuilder>,
    source_references: ListBuilder<StringBuilder>,
}

/// Columns of single texts.
const TEXTS: usize = 14;

impl<'a> Columns<'a> {
    pub fn new(reference: &'a Reference, key_version: u32, day: NaiveDate, references: bool) -> Self {
        let list = || ListBuilder::new(StringBuilder::new()).with_field(list_item());
        Self {
            reference,
            key_version,
            day,
            references,
            rows: 0,
            complaint: String::new(),
            texts: std::array::from_fn(|_| StringBuilder::new()),
            received_at: TimestampMicrosecondBuilder::new(),
            occurred_at: TimestampMicrosecondBuilder::new(),
            recorded_at: TimestampMicrosecondBuilder::new(),
            state_since: TimestampMicrosecondBuilder::new(),
            cost_vnd: Int64Builder::new(),
            delay_hours: Float64Builder::new(),
            blames_system: BooleanBuilder::new(),
            confidential: BooleanBuilder::new(),
            overdue: BooleanBuilder::new(),
            decided_on: Date32Builder::new(),
            due_on: Date32Builder::new(),
            answered_on: Date32Builder::new(),
            officers: list(),
            findings: list(),
            sources: list(),
            source_references: list(),
        }
    }

    /// Adds a complaint.
    pub fn add(&mut self, row: &ExportedComplaint, beside: &Beside<'_>, names: &mut Names<'_>) {
        self.rows += 1;
        let reference = self.reference;
        let unit = |id: Option<Id>| Some(reference.unit(id?)?.code.as_str());
        let category = row.category_id.and_then(|id| reference.category(id));
        self.complaint.clear();
        names.pseudonyms.append(Subject::Complaint, row.id, &mut self.complaint);
        let original = beside.original.map(|id| names.pseudonyms.of(Subject::Complaint, id));
        let texts: [Option<&str>; TEXTS] = [
            Some(&self.complaint),
            Some(row.legal_form.as_str()),
            Some(row.channel.as_str()),
            row.enterprise_id.map(|id| names.enterprise(id)),
            unit(row.department_id),
            unit(row.branch_id),
            unit(row.team_id),
            unit(row.unit_id),
            unit(row.responsible_unit_id),
            category.map(|category| category.code.as_str()),
            category.map(|category| category.kind.as_str()),
            Some(row.state.as_str()),
            row.finding.map(Finding::as_str),
            original.as_deref(),
        ];
        for (column, text) in self.texts.iter_mut().zip(texts) {
            column.append_option(text);
        }
        self.received_at.append_value(row.received_at.micros());
        self.occurred_at.append_option(row.occurred_at.map(Timestamp::micros));
        self.recorded_at.append_value(row.recorded_at.micros());
        self.state_since.append_value(row.state_since.micros());
        self.cost_vnd.append_option(row.cost_vnd);
        self.delay_hours.append_option(row.delay_hours);
        self.blames_system.append_value(row.blames_system);
        self.confidential.append_value(row.confidential);
        self.overdue.append_value(row.overdue_days(self.day) > 0);
        self.decided_on.append_option(row.decided_on.map(day_number));
        self.due_on.append_option(row.due_on.map(day_number));
        self.answered_on.append_option(row.answered_on.map(day_number));
        match beside.named {
            [one] => {
                self.officers.values().append_value(names.officer(one.officer_id));
                self.findings.values().append_value(one.finding.as_str());
            }
            several => {
                for (officer, finding) in names.officers(several) {
                    self.officers.values().append_value(officer);
                    self.findings.values().append_value(finding);
                }
            }
        }
        self.officers.append(true);
        self.findings.append(true);
        if self.references {
            for one in beside.sources {
                self.sources.values().append_value(&one.source);
                self.source_references.values().append_value(&one.reference);
            }
            self.sources.append(true);
            self.source_references.append(true);
        }
    }

    /// The columns as a record batch with the schema of [`complaint_schema`].
    ///
    /// # Errors
    /// If the columns do not match the schema.
    pub fn finish(mut self) -> Result<RecordBatch, ArrowError> {
        fn column(array: impl arrow_array::Array + 'static) -> ArrayRef {
            Arc::new(array)
        }
        let time = |mut builder: TimestampMicrosecondBuilder| column(builder.finish().with_timezone("UTC"));
        let [
            complaint,
            legal_form,
            channel,
            enterprise,
            department,
            branch,
            team,
            unit,
            responsible,
            category,
            kind,
            state,
            finding,
            original,
        ] = self.texts.map(|mut builder| column(builder.finish()));
        let mut columns = vec![
            complaint,
            time(self.received_at),
            time(self.occurred_at),
            time(self.recorded_at),
            legal_form,
            channel,
            enterprise,
            department,
            branch,
            team,
            unit,
            responsible,
            category,
            kind,
            column(self.cost_vnd.finish()),
            column(self.delay_hours.finish()),
            column(self.blames_system.finish()),
            column(self.confidential.finish()),
            state,
            time(self.state_since),
            finding,
            column(self.decided_on.finish()),
            column(self.officers.finish()),
            column(self.findings.finish()),
            column(UInt32Array::from_value(self.key_version, self.rows)),
        ];
        if self.references {
            columns.push(column(self.sources.finish()));
            columns.push(column(self.source_references.finish()));
        }
        columns.extend([
            column(self.due_on.finish()),
            column(self.answered_on.finish()),
            column(self.overdue.finish()),
            original,
        ]);
        RecordBatch::try_new(complaint_schema(self.references), columns)
    }
}

fn list_item() -> Field {
    Field::new_list_field(DataType::Utf8, false)
}

/// The columns of an export. Times are UTC timestamps in microseconds, costs are in VND, delays in hours. With
/// `references`, it has `sources` and `source_references` too.
pub fn complaint_schema(references: bool) -> SchemaRef {
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
    // Newer columns are last, because readers may find the others by their numbers.
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
