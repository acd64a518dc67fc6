//! Which fields name somebody: what the audit log holds of a document, whatever comes of it.
//!
//! A condition is a look as much as an answer: a count under `officers: {officer: {code: …}}` tells of that officer. Every
//! field, argument and word of an enum of the schema stands in one of these lists, and a test walks the schema.

use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

type Names = &'static [&'static str];

/// Input fields, arguments (of `Type.field`) and words of enums that choose, order or group by an identity, or by a text.
pub const ASKED: &[(&str, Names)] = &[
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
    // A write that is refused tells as much as a question.
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

/// What a shown field tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// The complaint of each row, noted where rows are read.
    Complaint,
    /// Somebody whom the resolver notes.
    Noted,
}

/// Output fields that show an identity, a text of a complaint, or a page of an officer's file.
pub const SHOWN: &[(&str, Names, Of)] = &[
    ("Complaint", &["id", "reference", "sources", "text", "redactedText", "declarationNumber"], Of::Complaint),
    ("Allegation", &["sourceCodes"], Of::Complaint),
    ("UnitResponse", &["id", "complaintId", "text", "outcome"], Of::Complaint),
    ("RedactedComplaint", &["text"], Of::Complaint),
    ("Node", &["id"], Of::Complaint),
    ("Officer", &["id", "code", "name", "rank", "appointedOn", "flag", "record", "complaints", "postings"], Of::Noted),
    ("Enterprise", &["id", "taxCode", "name", "groupCode", "complaints"], Of::Noted),
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
        Of::Noted,
    ),
    ("Flag", &["evidenceIds", "newEvidenceIds"], Of::Complaint),
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
        Of::Noted,
    ),
    ("BlameCheckSubject", &["code"], Of::Noted),
    ("FoundFlag", &["code", "tier", "proposed", "numbers", "reasonVi", "reasonEn", "flagId"], Of::Noted),
    ("FoundFlag", &["evidenceIds"], Of::Complaint),
    ("Digest", &["html", "text", "document"], Of::Noted),
    ("Principal", &["officerCode"], Of::Noted),
];

/// What needs no entry, and why. A row with `*` speaks of fields that hold numbers, times, words of enums or other objects; a
/// field that holds a text, an id or JSON needs its name in a row.
pub const EXEMPT: &[(&str, Names, &str)] = &[
    ("*Connection", &["*"], "rows have fields of their own; a count is told by its conditions"),
    ("*Edge", &["*", "cursor"], "a cursor is sealed, and opens nothing that a filter would not"),
    ("*Ops", &["*"], "an operator says what the field above it is compared with"),
    ("PageInfo", &["*", "startCursor", "endCursor"], "a cursor is sealed"),
    ("Query", &["*"], "each is told by its arguments and by the fields below it"),
    ("Mutation", &["*"], "each is told by its input and by the fields below it"),
    ("Subscription", &["*"], "each is told by its arguments and by the fields below it"),
    ("Complaint", &["*", "pseudonym"], "says neither who nor what was written; a pseudonym is what stands for an id"),
    ("ComplaintSource", &["source", "reference"], "told by Complaint.sources"),
    ("Allegation", &["*"], "the officer has fields of its own"),
    ("UnitResponse", &["*"], "when and how, not what"),
    ("RedactedComplaint", &["*", "pseudonym", "month"], "says neither who nor what was written"),
    ("Officer", &["*", "pseudonym"], "a pseudonym is what stands for an identity"),
    ("Posting", &["*"], "told by Officer.postings"),
    ("Enterprise", &["pseudonym"], "a pseudonym is what stands for an identity"),
    ("Flag", &["*"], "whether it is of an officer or a branch, and of which branch"),
    ("FlagExplanation", &["*", "explanation", "actor"], "told by Flag.explanations"),
    ("FlagReview", &["*", "id", "explanation", "reason", "actor"], "told by Flag.reviews"),
    ("FlagNumbers", &["*"], "told by Flag.numbers"),
    ("FlagWindow", &["*"], "told by Flag.numbers"),
    ("AdjustedNumbers", &["*"], "told by Flag.numbers"),
    ("MeasureOutcome", &["*"], "told by Measure.outcome"),
    ("OutcomePeriod", &["*"], "told by Measure.outcome"),
    ("FlagsFound", &["*", "runId"], "which run it was; whom it found has fields of its own"),
    ("FoundFlag", &["*"], "told by FoundFlag.code"),
    ("BlameCheck", &["*"], "numbers of all; its subjects have fields of their own"),
    ("BlameCheckSubject", &["*"], "told by BlameCheckSubject.code"),
    ("Scorecard", &["*"], "of a unit, or told by Officer.record"),
    ("Digest", &["*", "id", "subject"], "that it was written, and when"),
    ("Delivery", &["*", "address", "error"], "addresses of those who are told, not of those who are told of"),
    (
        "JobRun",
        &["*", "id", "job", "codeVersion", "hash", "error", "rules", "summary"],
        "numbers and rules of a whole run",
    ),
    ("Receipt", &["*", "id", "reference"], "the sender's own"),
    ("Principal", &["*", "id", "name"], "users of the register"),
    ("ApiToken", &["*", "id"], "tokens of users of the register"),
    ("AuditEntry", &["*", "actor", "objects", "operation"], "reading the log would lengthen it for ever"),
    ("SqlAnswer", &["*", "rows"], "the question is logged as such (SQL)"),
    ("SqlColumn", &["*", "name", "type"], "the question is logged as such (SQL)"),
    ("Query.sql", &["*", "query"], "the question is logged as such (SQL)"),
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
    ("Unit", &["*", "id", "code", "name", "nameEn", "nameVi", "field"], "a unit is nobody"),
    ("UnitParent", &["*"], "a unit is nobody"),
    ("IssueCategory", &["*", "id", "code", "name", "nameEn", "nameVi"], "a category is nobody"),
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
    ("*Payload", &["*", "token"], "what was written has fields of its own"),
    // What is asked by.
    (
        "Query.*",
        &["*", "after", "before", "code", "id", "idempotencyKey", "timezone"],
        "of units, places in a list, one's own keys",
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
    ("ComplaintFilter", &["*"], "what kind of complaint, not whose; others have fields of their own"),
    ("AllegationFilter", &["*"], "what kind of allegation; the officer has fields of its own"),
    ("OfficerFilter", &["*"], "and, or, not"),
    ("EnterpriseFilter", &["*"], "and, or, not"),
    ("ResponseFilter", &["*"], "what kind of response"),
    ("FlagFilter", &["*", "runId"], "what kind of flag; the officer has fields of its own"),
    ("MeasureFilter", &["*"], "what kind of measure; the officer has fields of its own"),
    ("RedactedComplaintFilter", &["*"], "what kind of complaint"),
    ("UnitFilter", &["*", "id", "code", "field", "nameEn", "nameVi", "search", "within"], "a unit is nobody"),
    ("CategoryFilter", &["*", "id", "code", "nameEn", "nameVi", "parentId"], "a category is nobody"),
    ("ComplaintStatisticsFilter", &["*", "categoryIn", "unitWithin"], "units and categories"),
    ("StatisticsHaving", &["*"], "numbers of groups"),
    ("GuidanceDocumentFilter", &["*", "id", "number", "search"], "what units write about procedures"),
    ("ProposalFilter", &["*", "id", "search"], "what the Board writes about procedures"),
    ("JobRunFilter", &["*", "id", "job"], "runs of jobs"),
    ("DigestFilter", &["*", "id"], "that it was written, and when"),
    ("PrincipalFilter", &["*", "name"], "users of the register"),
    ("AuditFilter", &["*", "actor"], "users of the register"),
    ("*Order", &["*"], "fields and measures are words of enums"),
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
        "it tells, and is told nothing but its receipt",
    ),
    ("AssignComplaintInput", &["*", "unit"], "a unit is nobody"),
    ("AttributionInput", &["*"], "what is said of the officer"),
    ("ChangeComplaintStateInput", &["*", "reason"], "written, not asked: the event holds it"),
    ("ChangeProposalStateInput", &["*", "proposalId", "reason"], "what the Board writes about procedures"),
    ("ClassifyComplaintInput", &["*", "category"], "a category is nobody"),
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

/// Whether naming an input field, an argument or a word of an enum asks for somebody.
pub(super) fn asks(of: &str, field: &str) -> bool {
    ASKED.iter().any(|(name, fields)| *name == of && fields.contains(&field))
}

/// A shown field of a document.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    name: Arc<str>,
    of: Of,
}

impl Shown {
    /// What a field of the schema shows; None where it shows nobody.
    pub fn of(type_name: &str, field: &str) -> Option<Self> {
        let (_, _, of) = SHOWN.iter().find(|(name, fields, _)| *name == type_name && fields.contains(&field))?;
        Some(Self { name: format!("{type_name}.{field}").into(), of: *of })
    }
}

/// A condition as it was given.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Condition {
    /// The way to it: fields, an argument, fields of input objects.
    pub path: String,
    pub value: Value,
}

/// What a document looks at: by which conditions, and by which fields.
#[derive(Debug, Clone, Default)]
pub struct Looks {
    pub asked: Vec<Condition>,
    pub fields: Vec<Arc<str>>,
    /// Whether complaints are shown by id or by what was written in them.
    pub complaints: bool,
}

/// Bytes of conditions that an entry of the audit log holds, as many as the largest document may have unless told. A document
/// can say one thing often: with more than this it is refused, and the entry has the beginning of each text that is beyond.
pub(super) const MOST_BYTES: usize = 256 * 1024;

impl Looks {
    pub fn is_empty(&self) -> bool {
        self.asked.is_empty() && self.fields.is_empty()
    }

    pub(super) fn ask(&mut self, path: String, value: Value) {
        self.asked.push(Condition { path, value });
    }

    pub(super) fn show(&mut self, shown: &Shown) {
        self.complaints |= shown.of == Of::Complaint;
        if !self.fields.iter().any(|known| Arc::ptr_eq(known, &shown.name)) {
            self.fields.push(Arc::clone(&shown.name));
        }
    }
}
