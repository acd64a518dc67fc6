//! Which fields identify a subject: what the audit log records of a document, whatever its outcome.
//!
//! A condition is a look as much as an answer: a count under `officers: {officer: {code: …}}` tells about that
//! officer. Every field, argument and enum value of the schema stands in one of these lists; a test walks the
//! schema.

use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

type Names = &'static [&'static str];

/// Input fields, arguments (of `Type.field`) and enum values that select, order or group by an identity or a
/// text.
pub const IDENTIFYING_INPUTS: &[(&str, Names)] = &[
    ("Query.complaint", &["id"]),
    ("Query.node", &["id"]),
    ("Query.flag", &["id"]),
    ("Query.officer", &["id", "code"]),
    ("ComplaintFilter", &["id", "reference", "sourceReference", "source", "text", "search", "declarationNumber"]),
    ("OfficerFilter", &["id", "code", "name", "search", "rank", "appointedOn", "unit", "unknown"]),
    ("EnterpriseFilter", &["id", "taxCode", "name", "groupCode", "search"]),
    ("ResponseFilter", &["complaintId", "text"]),
    ("FlagFilter", &["id"]),
    ("MeasureFilter", &["id"]),
    ("ComplaintStatisticsFilter", &["officerIn", "enterpriseIn"]),
    ("StatisticsDimension", &["OFFICER", "ENTERPRISE"]),
    ("OfficerOrder", &["measure"]),
    ("OfficerOrderField", &["CODE", "NAME"]),
    ("EnterpriseOrder", &["measure"]),
    ("EnterpriseOrderField", &["NAME", "TAX_CODE"]),
    // A refused write tells as much as a query.
    ("AssignComplaintInput", &["complaintId"]),
    ("AttributionInput", &["officer"]),
    ("ChangeComplaintStateInput", &["complaintId"]),
    ("ClassifyComplaintInput", &["complaintId"]),
    ("CreateTokenInput", &["officer"]),
    ("EndMeasureInput", &["measureId"]),
    ("RecordExplanationInput", &["flagId"]),
    ("RecordFindingInput", &["complaintId", "officer"]),
    ("RecordMeasureInput", &["officer", "flagId"]),
    ("RedactComplaintInput", &["complaintId"]),
    ("RespondToComplaintInput", &["complaintId"]),
    ("RespondToRedactedComplaintInput", &["pseudonym"]),
    ("ReviewFlagInput", &["flagId"]),
    ("VoidMeasureInput", &["measureId"]),
];

/// Who notes the subject that a field shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditedBy {
    /// The code that reads rows notes the complaint of each.
    ComplaintRows,
    /// The resolver notes the subject.
    Resolver,
}

/// Output fields that show an identity, a text of a complaint, or a part of the file of an officer.
pub const IDENTIFYING_OUTPUTS: &[(&str, Names, AuditedBy)] = &[
    (
        "Complaint",
        &["id", "reference", "sources", "text", "redactedText", "declarationNumber"],
        AuditedBy::ComplaintRows,
    ),
    ("Allegation", &["sourceCodes"], AuditedBy::ComplaintRows),
    ("UnitResponse", &["id", "complaintId", "text", "outcome"], AuditedBy::ComplaintRows),
    ("RedactedComplaint", &["text"], AuditedBy::ComplaintRows),
    ("Node", &["id"], AuditedBy::ComplaintRows),
    (
        "Officer",
        &["id", "code", "name", "rank", "appointedOn", "flag", "record", "complaints", "postings"],
        AuditedBy::Resolver,
    ),
    ("Enterprise", &["id", "taxCode", "name", "groupCode", "complaints"], AuditedBy::Resolver),
    (
        "Flag",
        &[
            "id",
            "officer",
            "tier",
            "proposed",
            "state",
            "numbers",
            "reasonVi",
            "reasonEn",
            "openedAt",
            "changedAt",
            "explanations",
            "reviews",
            "run",
            "runId",
        ],
        AuditedBy::Resolver,
    ),
    ("Flag", &["evidenceIds", "newEvidenceIds"], AuditedBy::ComplaintRows),
    (
        "Measure",
        &[
            "id",
            "officer",
            "unit",
            "kind",
            "grounds",
            "decisionMaker",
            "decisionNumber",
            "decidedOn",
            "startsOn",
            "endsOn",
            "endReason",
            "voidReason",
            "recordedBy",
            "flag",
            "recordedAt",
            "version",
            "actor",
            "outcome",
        ],
        AuditedBy::Resolver,
    ),
    ("BlameCheckSubject", &["code"], AuditedBy::Resolver),
    ("FoundFlag", &["code", "tier", "proposed", "numbers", "reasonVi", "reasonEn", "flagId"], AuditedBy::Resolver),
    ("FoundFlag", &["evidenceIds"], AuditedBy::ComplaintRows),
    ("Digest", &["html", "text", "document"], AuditedBy::Resolver),
    ("Principal", &["officerCode"], AuditedBy::Resolver),
];

/// Names that need no entry, with the reason. A row with `*` covers fields that hold numbers, times, enum
/// values or other objects; a field that holds a text, an id or JSON must be named in a row.
pub const NOT_AUDITED: &[(&str, Names, &str)] = &[
    ("*Connection", &["*"], "rows have fields of their own; the conditions of a count are logged"),
    ("*Edge", &["*", "cursor"], "a cursor is sealed, and opens nothing that a filter would not"),
    ("*Ops", &["*"], "an operator says what the field above it is compared with"),
    ("PageInfo", &["*", "startCursor", "endCursor"], "a cursor is sealed"),
    ("Query", &["*"], "logged by its arguments and the fields below it"),
    ("Mutation", &["*"], "logged by its input and the fields below it"),
    ("Subscription", &["*"], "logged by its arguments and the fields below it"),
    ("Complaint", &["*", "pseudonym"], "no identity and no content; a pseudonym replaces the id"),
    ("ComplaintSource", &["source", "reference"], "logged by Complaint.sources"),
    ("Allegation", &["*"], "the officer has fields of their own"),
    ("UnitResponse", &["*"], "time and kind, no content"),
    ("RedactedComplaint", &["*", "pseudonym", "month"], "no identity and no content"),
    ("Officer", &["*", "pseudonym"], "a pseudonym replaces the identity"),
    ("Posting", &["*"], "logged by Officer.postings"),
    ("Enterprise", &["pseudonym"], "a pseudonym replaces the identity"),
    ("Flag", &["*"], "the kind of subject, and the branch"),
    ("FlagExplanation", &["*", "explanation", "actor"], "logged by Flag.explanations"),
    ("FlagReview", &["*", "id", "explanation", "reason", "actor"], "logged by Flag.reviews"),
    ("FlagNumbers", &["*"], "logged by Flag.numbers"),
    ("FlagWindow", &["*"], "logged by Flag.numbers"),
    ("AdjustedNumbers", &["*"], "logged by Flag.numbers"),
    ("MeasureOutcome", &["*"], "logged by Measure.outcome"),
    ("OutcomePeriod", &["*"], "logged by Measure.outcome"),
    ("FlagsFound", &["*", "runId"], "the run; found subjects have fields of their own"),
    ("FoundFlag", &["*"], "logged by FoundFlag.code"),
    ("BlameCheck", &["*"], "totals; its subjects have fields of their own"),
    ("BlameCheckSubject", &["*"], "logged by BlameCheckSubject.code"),
    ("Scorecard", &["*"], "of a unit, or told by Officer.record"),
    ("Digest", &["*", "id", "subject"], "existence and time"),
    ("Delivery", &["*", "address", "error"], "addresses of recipients, not of subjects"),
    (
        "JobRun",
        &["*", "id", "job", "codeVersion", "hash", "error", "rules", "summary"],
        "numbers and rules of a whole run",
    ),
    ("Receipt", &["*", "id", "reference"], "the sender's own"),
    ("Principal", &["*", "id", "name"], "users of the register"),
    ("ApiToken", &["*", "id"], "tokens of users of the register"),
    ("AuditEntry", &["*", "actor", "objects", "operation"], "otherwise reading the log would extend it without end"),
    ("SqlAnswer", &["*", "rows"], "the SQL query itself is logged"),
    ("SqlColumn", &["*", "name", "type"], "the SQL query itself is logged"),
    ("Query.sql", &["*", "query"], "the SQL query itself is logged"),
    ("ComplaintStatistics", &["*", "endCursor"], "numbers of groups"),
    ("ComplaintStatisticsRow", &["*", "month", "quarter"], "numbers of groups; people have fields of their own"),
    ("StatisticsMeasures", &["*"], "numbers of groups"),
    ("ResponseTimeliness", &["*", "unitCode", "unitNameEn", "unitNameVi"], "of units"),
    ("CategoryTrends", &["*"], "of categories"),
    ("CategoryTrendRow", &["*", "categoryCode", "categoryNameEn", "categoryNameVi"], "of categories"),
    ("FunnelPlot", &["*"], "of branches"),
    ("FunnelPoint", &["*", "unitCode"], "of branches"),
    ("CusumSeries", &["*"], "of a branch"),
    ("CusumWeek", &["*"], "of a branch"),
    ("BacktestOutcome", &["*", "ranking"], "numbers of all officers together"),
    ("Unit", &["*", "id", "code", "name", "nameEn", "nameVi", "field"], "a unit is not a person"),
    ("UnitParent", &["*"], "a unit is not a person"),
    ("IssueCategory", &["*", "id", "code", "name", "nameEn", "nameVi"], "a category is not a person"),
    (
        "GuidanceDocument",
        &["*", "id", "text", "title", "number", "reason", "actor"],
        "what units write about procedures",
    ),
    ("GuidanceOpinion", &["*", "text"], "what the Board writes about procedures"),
    ("Proposal", &["*", "id", "text", "title", "reason", "actor"], "what the Board writes about procedures"),
    ("ProposalEffect", &["*"], "numbers of categories and units"),
    ("EffectPeriod", &["*"], "numbers of categories and units"),
    ("RateRatioWithLimits", &["*"], "numbers of categories and units"),
    ("ServiceInfo", &["*", "version"], "of the service"),
    ("ServiceLimits", &["*"], "of the service"),
    ("*Payload", &["*", "token"], "written objects have fields of their own"),
    // Arguments and input fields.
    (
        "Query.*",
        &["*", "after", "before", "code", "id", "idempotencyKey", "timezone"],
        "units, places in a list, keys of the sender",
    ),
    ("Unit.*", &["*", "after", "before"], "places in a list"),
    ("Officer.*", &["*", "after", "before"], "places in a list"),
    ("Enterprise.*", &["*", "after", "before"], "places in a list"),
    ("IssueCategory.*", &["*", "after", "before"], "places in a list"),
    ("Complaint.*", &["*", "after", "before"], "places in a list"),
    ("Measure.*", &["*"], "days"),
    ("Proposal.*", &["*"], "days"),
    ("Mutation.*", &["*", "name"], "users of the register; inputs have fields of their own"),
    ("Subscription.*", &["*"], "filters have fields of their own"),
    ("ComplaintFilter", &["*"], "the kind of complaint; subjects have fields of their own"),
    ("AllegationFilter", &["*"], "what kind of allegation; the officer has fields of its own"),
    ("OfficerFilter", &["*"], "and, or, not"),
    ("EnterpriseFilter", &["*"], "and, or, not"),
    ("ResponseFilter", &["*"], "what kind of response"),
    ("FlagFilter", &["*", "runId"], "what kind of flag; the officer has fields of its own"),
    ("MeasureFilter", &["*"], "what kind of measure; the officer has fields of its own"),
    ("RedactedComplaintFilter", &["*"], "what kind of complaint"),
    ("UnitFilter", &["*", "id", "code", "field", "nameEn", "nameVi", "search", "within"], "a unit is not a person"),
    ("CategoryFilter", &["*", "id", "code", "nameEn", "nameVi", "parentId"], "a category is not a person"),
    ("ComplaintStatisticsFilter", &["*", "categoryIn", "unitWithin"], "units and categories"),
    ("StatisticsHaving", &["*"], "numbers of groups"),
    ("GuidanceDocumentFilter", &["*", "id", "number", "search"], "what units write about procedures"),
    ("ProposalFilter", &["*", "id", "search"], "what the Board writes about procedures"),
    ("JobRunFilter", &["*", "id", "job"], "runs of jobs"),
    ("DigestFilter", &["*", "id"], "existence and time"),
    ("PrincipalFilter", &["*", "name"], "users of the register"),
    ("AuditFilter", &["*", "actor"], "users of the register"),
    ("*Order", &["*"], "fields and measures are enum values"),
    (
        "SubmitComplaintInput",
        &[
            "*",
            "category",
            "declarationNumber",
            "enterpriseName",
            "idempotencyKey",
            "officers",
            "taxCode",
            "text",
            "unit",
        ],
        "the sender learns nothing but the receipt",
    ),
    ("AssignComplaintInput", &["*", "unit"], "a unit is not a person"),
    ("AttributionInput", &["*"], "what is said of the officer"),
    ("ChangeComplaintStateInput", &["*", "reason"], "written, not asked: the event holds it"),
    ("ChangeProposalStateInput", &["*", "proposalId", "reason"], "what the Board writes about procedures"),
    ("ClassifyComplaintInput", &["*", "category"], "a category is not a person"),
    ("CreateTokenInput", &["*", "name", "unit"], "users of the register"),
    ("EndMeasureInput", &["*", "reason"], "written, not asked: the event holds it"),
    ("GiveOpinionInput", &["*", "documentId", "text"], "what the Board writes about procedures"),
    ("IssueGuidanceInput", &["*", "documentId", "number", "reason"], "what units write about procedures"),
    ("ProposeInput", &["*", "categories", "text", "title", "units"], "what the Board writes about procedures"),
    ("RecordExplanationInput", &["*", "explanation", "seenRunId"], "written, not asked"),
    ("RecordFindingInput", &["*"], "written, not asked"),
    ("RecordMeasureInput", &["*", "decisionMaker", "decisionNumber", "grounds"], "written, not asked"),
    ("RedactComplaintInput", &["*", "text"], "written, not asked"),
    ("RequestOpinionInput", &["*", "category", "text", "title"], "what units write about procedures"),
    ("RespondToComplaintInput", &["*", "outcome", "text"], "written, not asked"),
    ("RespondToRedactedComplaintInput", &["*", "outcome", "text"], "written, not asked"),
    ("ReviewFlagInput", &["*", "explanation", "reason", "seenRunId"], "written, not asked"),
    ("ReviseGuidanceInput", &["*", "documentId", "text", "title"], "what units write about procedures"),
    ("VoidMeasureInput", &["*", "reason"], "written, not asked"),
    ("WithdrawGuidanceInput", &["*", "documentId", "reason"], "what units write about procedures"),
];

/// Whether an input field, an argument or an enum value selects by an identity or a text.
pub(super) fn identifies(of: &str, field: &str) -> bool {
    IDENTIFYING_INPUTS.iter().any(|(name, fields)| *name == of && fields.contains(&field))
}

/// A field of a document that shows a subject.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    name: Arc<str>,
    audited_by: AuditedBy,
}

impl Shown {
    /// What a field of the schema shows; None if it identifies no subject.
    pub fn of(type_name: &str, field: &str) -> Option<Self> {
        let (_, _, audited_by) =
            IDENTIFYING_OUTPUTS.iter().find(|(name, fields, _)| *name == type_name && fields.contains(&field))?;
        Some(Self { name: format!("{type_name}.{field}").into(), audited_by: *audited_by })
    }
}

/// A condition as the client gave it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Condition {
    /// The path: fields, an argument, fields of input objects.
    pub path: String,
    pub value: Value,
}

/// What a document looks at: its conditions, and the fields that show a subject.
#[derive(Debug, Clone, Default)]
pub struct AuditedAccess {
    pub conditions: Vec<Condition>,
    pub fields: Vec<Arc<str>>,
    /// Whether it shows the id or the content of complaints.
    pub complaints: bool,
}

/// Bytes of conditions that an audit log entry holds, as many as the largest document may have by default. A
/// document can repeat a text often: with more than this it is refused, and the entry keeps the beginning of
/// each text beyond it.
pub(super) const MOST_BYTES: usize = 256 * 1024;

impl AuditedAccess {
    pub fn is_empty(&self) -> bool {
        self.conditions.is_empty() && self.fields.is_empty()
    }

    pub(super) fn add_condition(&mut self, path: String, value: Value) {
        self.conditions.push(Condition { path, value });
    }

    pub(super) fn add_field(&mut self, shown: &Shown) {
        self.complaints |= shown.audited_by == AuditedBy::ComplaintRows;
        if !self.fields.iter().any(|name| Arc::ptr_eq(name, &shown.name)) {
            self.fields.push(Arc::clone(&shown.name));
        }
    }
}
