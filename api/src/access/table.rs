//! The access table: which roles may use which fields (docs/threat-model.md), and what the audit log records of them.

mod administration;
mod clock;
mod corrections;
mod intake;
mod interventions;
mod notifications;
mod saved_queries;
mod statistics;
mod words;

use super::roles::Reader::{self, Admin, Board, UnitHead};
use super::roles::{
    ANALYSTS, BOARD_AND_ADMIN, BOARD_AND_DATA_TEAM, BOARD_AND_HEADS, BOARD_HEADS_AND_ADMIN, DIGEST_READERS_AND_ADMIN,
    HISTORIES, REFERENCE,
};
use administration::ADMINISTRATION;
use clock::CLOCK;
use corrections::CORRECTIONS;
use intake::INTAKE;
use interventions::INTERVENTIONS;
use notifications::NOTIFICATIONS;
use saved_queries::SAVED_QUERIES;
use statistics::STATISTICS_ROWS;
use words::WORDS;

/// Rule for the audit log's record of a field, an input field or an enum value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audited {
    /// The input selects, orders or groups by an identity or a text, or names the person whom a write concerns. The log
    /// records its value.
    AsCondition,
    /// The field shows the identity or a text of a complaint. The code that reads rows records the complaint of each
    /// row.
    ByRows,
    /// The field shows the identity of a subject, or a part of the file of an officer. The resolver records the
    /// subject.
    ByResolver,
    /// A field of a root: its arguments and the fields below it are recorded.
    Root,
    /// The log does not record it by itself: paging, counts, sealed cursors, operators (recorded with their field),
    /// orders (recorded by their enum values).
    Part,
    /// A value from a fixed vocabulary, such as a state. It identifies no person, so the audit log does not record it.
    Word,
    /// Nothing, for this reason.
    No(&'static str),
}
use Audited::{AsCondition, ByResolver, ByRows, No, Part, Root, Word};

/// Types, their fields, the readers that may name them, and what the audit log records of them.
type TableRow = (&'static str, &'static str, &'static [Reader], Audited);

/// The rows of the table, by subject: types, their fields or input fields, the readers that may name them, and what the
/// audit log records of them. Names are separated by spaces.
///
/// `*` means the fields that no other row of the type names. The access of a new field then follows from the row, but a
/// field that holds a text, an id or JSON must be named to say that the log records nothing of it.
///
/// Enum values are listed like fields, because ordering or grouping by one names it. Validation refuses a value that
/// the schema does not have.
pub(super) const TABLE: [&[TableRow]; 10] = [
    COMPLAINT_ROWS,
    INTAKE,
    CORRECTIONS,
    CLOCK,
    INTERVENTIONS,
    STATISTICS_ROWS,
    WORDS,
    ADMINISTRATION,
    SAVED_QUERIES,
    NOTIFICATIONS,
];

const COMPLAINT_ROWS: &[TableRow] = &[
    // Queries.
    ("Query", "complaints", ANALYSTS, Root),
    ("Query", "complaint unitResponses", BOARD_AND_HEADS, Root),
    ("Query", "sql", BOARD_AND_DATA_TEAM, Root),
    ("SqlAnswer", "* rows", BOARD_AND_DATA_TEAM, No("the SQL query itself is logged")),
    ("SqlColumn", "name type", BOARD_AND_DATA_TEAM, No("the SQL query itself is logged")),
    ("Query", "issueCategories units unit", REFERENCE, Root),
    ("Query", "officers officer", BOARD_AND_ADMIN, Root),
    ("Query", "enterprises", &[Board], Root),
    ("Query", "flags flag", BOARD_AND_HEADS, Root),
    ("Query", "flagsFound flagWithoutEnterprise", &[Board], Root),
    ("FlagsFound", "* runId", &[Board], No("the run; found subjects have fields of their own")),
    ("FoundFlag", "code flagId numbers proposed reasonEn reasonVi tier", &[Board], ByResolver),
    ("FoundFlag", "evidenceIds", &[Board], ByRows),
    ("FoundFlag", "*", &[Board], No("logged by FoundFlag.code")),
    ("Query", "runReproduction", BOARD_AND_ADMIN, Root),
    ("RunReproduction", "firstDifference", &[Board], ByResolver),
    ("RunReproduction", "* derivedHash recordedHash runId", BOARD_AND_ADMIN, No("of a whole run")),
    ("Query", "funnelPlot backtest", &[Board], Root),
    ("BacktestOutcome", "* ranking", &[Board], No("numbers of all officers together")),
    ("Query", "responseTimeliness", BOARD_AND_HEADS, Root),
    ("ResponseTimeliness", "* unitCode unitNameEn unitNameVi", BOARD_AND_HEADS, No("of units")),
    ("Query", "registerChanges", &[Board], Root),
    ("RegisterChange", "*", &[Board], No("totals")),
    ("Query", "blameCheck", &[Board], Root),
    ("BlameCheck", "*", &[Board], No("totals; its subjects have fields of their own")),
    ("BlameCheckSubject", "code", &[Board], ByResolver),
    ("BlameCheckSubject", "*", &[Board], No("logged by BlameCheckSubject.code")),
    ("Query", "categoryTrends", BOARD_AND_HEADS, Root),
    ("CategoryTrends", "*", BOARD_AND_HEADS, No("of categories")),
    (
        "CategoryTrendRow",
        "* categoryCode categoryNameEn categoryNameVi parentCode",
        BOARD_AND_HEADS,
        No("of categories"),
    ),
    ("TrendPeriod", "*", BOARD_AND_HEADS, No("days")),
    ("FunnelPlot", "*", &[Board], No("of branches")),
    ("FunnelPoint", "* unitCode", &[Board], No("of branches")),
    ("CusumSeries CusumWeek", "*", &[Board], No("of a branch")),
    ("Query", "jobRuns jobs", BOARD_AND_ADMIN, Root),
    ("Query", "digests", &[Board], Root),
    ("Query", "digestSubscriptions", DIGEST_READERS_AND_ADMIN, Root),
    ("Query", "digestPreview", ANALYSTS, Root),
    ("Query", "node", REFERENCE, Root),
    ("Node", "id", REFERENCE, ByRows),
    ("Query", "serviceInfo", REFERENCE, Root),
    ("ServiceInfo", "* version", REFERENCE, No("of the service")),
    ("ServiceLimits", "*", REFERENCE, No("of the service")),
    // Mutations.
    ("Mutation", "respondToComplaint", &[UnitHead], Root),
    ("Mutation", "classifyComplaint assignComplaint changeComplaintState recordFinding", &[Board], Root),
    ("Mutation", "redactComplaint", &[Board], Root),
    ("RedactComplaintInput", "complaintId", &[Board], AsCondition),
    ("RedactComplaintInput", "* text", &[Board], No("written, not asked")),
    ("ClassifyComplaintInput", "complaintId", &[Board], AsCondition),
    ("ClassifyComplaintInput", "* category", &[Board], No("a category is not a person")),
    ("AttributionInput", "officer", &[Board], AsCondition),
    ("AttributionInput", "*", &[Board], No("what is said of the officer")),
    ("AssignComplaintInput", "complaintId", &[Board], AsCondition),
    ("AssignComplaintInput", "* unit", &[Board], No("a unit is not a person")),
    ("Mutation", "transferComplaint", BOARD_AND_HEADS, Root),
    ("TransferComplaintInput", "complaintId", BOARD_AND_HEADS, AsCondition),
    ("TransferComplaintInput", "* reason unit", BOARD_AND_HEADS, No("written, not asked: the event holds it")),
    ("TransferComplaintPayload", "*", BOARD_AND_HEADS, No("written objects have fields of their own")),
    ("ChangeComplaintStateInput", "complaintId", &[Board], AsCondition),
    ("ChangeComplaintStateInput", "* reason", &[Board], No("written, not asked: the event holds it")),
    ("RecordFindingInput", "complaintId officer", &[Board], AsCondition),
    ("RecordFindingInput", "*", &[Board], No("written, not asked")),
    ("HandleComplaintPayload", "*", BOARD_AND_HEADS, No("written objects have fields of their own")),
    // Classification.
    ("Query", "classificationQueue emergingTerms", &[Board], Root),
    ("ClassificationQueueItem", "* model", &[Board], No("the complaint has fields of its own")),
    ("ClassificationQueueConnection ClassificationQueueEdge", "*", &[Board], Part),
    ("CategorySuggestion", "* model", &[Board], No("a category is not a person")),
    ("DayPeriod", "*", &[Board], No("days")),
    ("EmergingTerms EmergingTerm", "*", &[Board], No("words of several complaints of several enterprises")),
    ("EmergingTerm", "term", &[Board], No("words of several complaints of several enterprises")),
    ("Mutation", "confirmClassifications", &[Board], Root),
    ("ConfirmClassificationInput", "complaintId", &[Board], AsCondition),
    ("ConfirmClassificationInput", "* category", &[Board], No("a category is not a person")),
    ("ConfirmClassificationsPayload", "*", &[Board], No("written objects have fields of their own")),
    ("ConfirmClassificationResult", "* code complaintId message", &[Board], No("as the input names it")),
    ("RespondToComplaintInput", "complaintId", &[UnitHead], AsCondition),
    ("RespondToComplaintInput", "* outcome text", &[UnitHead], No("written, not asked")),
    ("RespondToComplaintPayload", "*", &[UnitHead], No("written objects have fields of their own")),
    ("Mutation", "respondToRedactedComplaint", &[UnitHead], Root),
    ("RespondToRedactedComplaintInput", "pseudonym", &[UnitHead], AsCondition),
    ("RespondToRedactedComplaintInput", "* outcome text", &[UnitHead], No("written, not asked")),
    ("RespondToRedactedComplaintPayload", "*", &[UnitHead], No("written objects have fields of their own")),
    ("Mutation", "transferRedactedComplaint", &[UnitHead], Root),
    ("TransferRedactedComplaintInput", "pseudonym", &[UnitHead], AsCondition),
    ("TransferRedactedComplaintInput", "* reason unit", &[UnitHead], No("written, not asked: the event holds it")),
    ("TransferRedactedComplaintPayload", "*", &[UnitHead], No("written objects have fields of their own")),
    // Subscriptions.
    ("Subscription", "complaintReceived", ANALYSTS, Root),
    ("Subscription", "flagChanged", BOARD_AND_HEADS, Root),
    ("Subscription", "jobRunChanged", BOARD_AND_ADMIN, Root),
    // Complaints. DATA_TEAM sees pseudonyms of subjects, and nothing that identifies them: no id or reference,
    // no text, and no condition on these.
    ("Query", "redactedComplaints", BOARD_AND_HEADS, Root),
    ("RedactedComplaint", "text", BOARD_AND_HEADS, ByRows),
    ("RedactedComplaint", "* month pseudonym", BOARD_AND_HEADS, No("no identity and no content")),
    ("RedactedComplaintConnection RedactedComplaintEdge", "*", BOARD_AND_HEADS, Part),
    ("RedactedComplaintFilter", "*", BOARD_AND_HEADS, No("what kind of complaint")),
    ("Complaint", "declarationNumber id reference sources text", BOARD_AND_HEADS, ByRows),
    ("Complaint", "redactedText", &[Board], ByRows),
    ("Complaint", "suggestions", &[Board], No("categories of the complaint, whose id has a field of its own")),
    ("Complaint", "responses", BOARD_AND_HEADS, No("no identity and no content; a pseudonym replaces the id")),
    ("Complaint", "* pseudonym", ANALYSTS, No("no identity and no content; a pseudonym replaces the id")),
    // Its resolvers show a field to whom its present value is shown (`types/history/rights.rs`).
    ("ComplaintHistoryEntry", "changes", ANALYSTS, ByRows),
    ("ComplaintHistoryEntry", "reason reasonErased", BOARD_AND_HEADS, ByRows),
    ("ComplaintHistoryEntry", "*", ANALYSTS, No("who and when, no content")),
    ("HistoryChange", "* after afterName before beforeName field", HISTORIES, No("logged by changes of the entry")),
    ("HistoryActor", "name", BOARD_HEADS_AND_ADMIN, No("users of the register")),
    ("HistoryActor", "*", HISTORIES, No("users of the register")),
    ("HistoryActorKind", "*", HISTORIES, Word),
    ("ComplaintSource", "reference source", BOARD_AND_HEADS, No("logged by Complaint.sources")),
    ("ComplaintConnection ComplaintEdge ComplaintHistoryConnection ComplaintHistoryEdge", "*", ANALYSTS, Part),
    ("Allegation", "sourceCodes", BOARD_AND_HEADS, ByRows),
    ("Allegation", "*", ANALYSTS, No("the officer has fields of their own")),
    ("UnitResponse", "complaintId id outcome text", BOARD_AND_HEADS, ByRows),
    ("UnitResponse", "*", BOARD_AND_HEADS, No("time and kind, no content")),
    ("UnitResponseConnection UnitResponseEdge", "*", BOARD_AND_HEADS, Part),
    ("ComplaintFilter", "declarationNumber id reference search source sourceReference", BOARD_AND_HEADS, AsCondition),
    ("ComplaintFilter", "text", BOARD_AND_HEADS, AsCondition),
    ("ComplaintFilter", "enterprise", BOARD_AND_HEADS, No("the kind of complaint; subjects have fields of their own")),
    ("ComplaintFilter", "responses", BOARD_AND_HEADS, No("the kind of complaint; subjects have fields of their own")),
    ("ComplaintFilter", "*", ANALYSTS, No("the kind of complaint; subjects have fields of their own")),
    ("ComplaintOrder", "*", ANALYSTS, Part),
    ("AllegationFilter", "officer", BOARD_AND_HEADS, No("what kind of allegation; the officer has fields of its own")),
    ("AllegationFilter", "*", ANALYSTS, No("what kind of allegation; the officer has fields of its own")),
    ("ResponseFilter", "complaintId text", BOARD_AND_HEADS, AsCondition),
    ("ResponseFilter", "*", BOARD_AND_HEADS, No("what kind of response")),
    ("UnitResponseOrder", "*", BOARD_AND_HEADS, Part),
    // People: within complaints for roles that see complaints; as lists for the Board only.
    ("Officer", "appointedOn code id name rank", BOARD_HEADS_AND_ADMIN, ByResolver),
    ("Officer", "record", BOARD_AND_HEADS, ByResolver),
    ("Officer", "history", BOARD_AND_ADMIN, ByResolver),
    ("Officer", "complaints", ANALYSTS, ByResolver),
    ("Officer", "flag mergedInto", &[Board], ByResolver),
    ("Officer", "postings", BOARD_AND_ADMIN, ByResolver),
    ("Officer", "pseudonym", ANALYSTS, No("a pseudonym replaces the identity")),
    ("Officer", "revision", &[Admin], No("the place of the last change")),
    ("Officer", "*", BOARD_HEADS_AND_ADMIN, No("a pseudonym replaces the identity")),
    ("OfficerConnection OfficerEdge", "*", BOARD_AND_ADMIN, Part),
    ("OfficerFilter", "appointedOn code id name rank search unknown", BOARD_HEADS_AND_ADMIN, AsCondition),
    ("OfficerFilter", "unit", BOARD_AND_ADMIN, AsCondition),
    ("OfficerFilter", "*", BOARD_HEADS_AND_ADMIN, No("and, or, not")),
    ("OfficerOrder", "measure", &[Board], AsCondition),
    ("OfficerOrder", "days filter", &[Board], Part),
    ("OfficerOrder", "*", BOARD_AND_ADMIN, Part),
    ("Posting", "*", BOARD_AND_ADMIN, No("logged by Officer.postings")),
    ("Enterprise", "complaints", ANALYSTS, ByResolver),
    ("Enterprise", "history mergedInto", &[Board], ByResolver),
    ("Enterprise", "groupCode id name taxCode", BOARD_AND_HEADS, ByResolver),
    ("Enterprise", "pseudonym", ANALYSTS, No("a pseudonym replaces the identity")),
    ("EnterpriseConnection EnterpriseEdge", "*", &[Board], Part),
    ("EnterpriseFilter", "groupCode id name search taxCode", BOARD_AND_HEADS, AsCondition),
    ("EnterpriseFilter", "*", BOARD_AND_HEADS, No("and, or, not")),
    ("EnterpriseOrder", "measure", &[Board], AsCondition),
    ("EnterpriseOrder", "*", &[Board], Part),
    // Units and categories: no personal data.
    ("Unit", "complaints responsibleFor", ANALYSTS, No("a unit is not a person")),
    ("Unit", "cusum flag", &[Board], No("a unit is not a person")),
    ("Unit IssueCategory", "history", BOARD_AND_ADMIN, No("neither is a person")),
    ("Unit", "scorecard", BOARD_AND_HEADS, No("a unit is not a person")),
    ("Unit", "revision", &[Admin], No("a unit is not a person")),
    ("Unit", "* code field id name nameEn nameVi", REFERENCE, No("a unit is not a person")),
    ("Scorecard WaitingStep", "*", BOARD_AND_HEADS, No("of a unit, or told by Officer.record")),
    ("UnitParent", "*", REFERENCE, No("a unit is not a person")),
    ("UnitConnection UnitEdge", "*", REFERENCE, Part),
    ("UnitFilter", "* code field id nameEn nameVi search within", REFERENCE, No("a unit is not a person")),
    ("UnitOrder", "days filter measure", ANALYSTS, Part),
    ("UnitOrder", "*", REFERENCE, Part),
    ("IssueCategory", "complaints", ANALYSTS, No("a category is not a person")),
    ("IssueCategory", "revision", &[Admin], No("a category is not a person")),
    ("IssueCategory", "* code id name nameEn nameVi", REFERENCE, No("a category is not a person")),
    ("IssueCategoryConnection IssueCategoryEdge", "*", REFERENCE, Part),
    ("CategoryFilter", "* code id nameEn nameVi parentId within", REFERENCE, No("a category is not a person")),
    ("IssueCategoryOrder", "days filter measure", ANALYSTS, Part),
    ("IssueCategoryOrder", "*", REFERENCE, Part),
    ("ReferenceHistoryConnection ReferenceHistoryEdge", "*", BOARD_AND_ADMIN, Part),
    ("ReferenceHistoryEntry", "* measureId", BOARD_AND_ADMIN, No("logged by the history of the officer or enterprise")),
    // Results of jobs.
    ("Flag", "changedAt explanations id numbers officer openedAt proposed reasonEn", BOARD_AND_HEADS, ByResolver),
    ("Flag", "reasonVi runId state tier", BOARD_AND_HEADS, ByResolver),
    ("Flag", "evidenceIds newEvidenceIds", BOARD_AND_HEADS, ByRows),
    ("Flag", "reviews run tiers", &[Board], ByResolver),
    ("Flag", "*", BOARD_AND_HEADS, No("the kind of subject, and the branch")),
    ("FlagNumbers FlagWindow AdjustedNumbers", "*", BOARD_AND_HEADS, No("logged by Flag.numbers")),
    ("FlagWithoutEnterprise", "holds windows", &[Board], ByResolver),
    ("FlagWindowWithoutEnterprise AdjustedWithoutEnterprise", "*", &[Board], No("logged by FlagWithoutEnterprise")),
    ("FlagTier", "*", &[Board], No("logged by Flag.tiers")),
    ("FlagExplanation", "actor", &[Board], No("logged by Flag.explanations")),
    ("FlagExplanation", "* explanation", BOARD_AND_HEADS, No("logged by Flag.explanations")),
    ("FlagReview", "* actor explanation id reason", &[Board], No("logged by Flag.reviews")),
    ("Mutation", "reviewFlag", &[Board], Root),
    ("ReviewFlagInput", "flagId", &[Board], AsCondition),
    ("ReviewFlagInput", "* explanation reason seenRunId", &[Board], No("written, not asked")),
    ("ReviewFlagPayload", "*", &[Board], No("written objects have fields of their own")),
    ("FlagConnection FlagEdge", "*", BOARD_AND_HEADS, Part),
    ("FlagFilter", "id", BOARD_AND_HEADS, AsCondition),
    ("FlagFilter", "runId", &[Board], No("what kind of flag; the officer has fields of its own")),
    ("FlagFilter", "*", BOARD_AND_HEADS, No("what kind of flag; the officer has fields of its own")),
    ("FlagOrder", "*", BOARD_AND_HEADS, Part),
    ("JobRun", "codeVersion error hash id job rules summary", BOARD_AND_ADMIN, No("numbers and rules of a whole run")),
    ("JobRun", "*", BOARD_AND_ADMIN, No("numbers and rules of a whole run")),
    ("JobRunConnection JobRunEdge", "*", BOARD_AND_ADMIN, Part),
    ("JobRunFilter", "* id job", BOARD_AND_ADMIN, No("runs of jobs")),
    ("JobRunOrder", "*", BOARD_AND_ADMIN, Part),
    ("Digest", "document html text", &[Board], ByResolver),
    ("Digest", "* id subject", &[Board], No("existence and time")),
    ("DigestConnection DigestEdge", "*", &[Board], Part),
    ("DigestFilter", "* id", &[Board], No("existence and time")),
    ("DigestOrder", "*", &[Board], Part),
    ("Delivery", "* address error", &[Board], No("addresses of recipients, not of subjects")),
    ("DigestSubscription", "digests", ANALYSTS, No("digests have fields of their own")),
    (
        "DigestSubscription",
        "* address id reader schedule timezone",
        DIGEST_READERS_AND_ADMIN,
        No("addresses of recipients, not of subjects"),
    ),
    ("DigestSuspension", "* message", DIGEST_READERS_AND_ADMIN, No("why a reader is sent nothing")),
    ("DigestSuspensionReason", "*", DIGEST_READERS_AND_ADMIN, Word),
    ("ReaderDigest", "document html text", ANALYSTS, ByResolver),
    ("ReaderDigest", "* error id subject", ANALYSTS, No("existence and time")),
    ("ReaderDelivery", "* error", DIGEST_READERS_AND_ADMIN, No("what became of a message, without its content")),
    ("DigestPreview", "html text", ANALYSTS, ByResolver),
    ("DigestPreview", "* subject", ANALYSTS, No("existence and time")),
    ("Mutation", "subscribeToDigests sendTestDigest", ANALYSTS, Root),
    ("Mutation", "endDigestSubscription", DIGEST_READERS_AND_ADMIN, Root),
    ("SubscribeToDigestsInput", "* address schedule timezone unit", ANALYSTS, No("a wish of the reader")),
    ("EndDigestSubscriptionInput", "subscriptionId", DIGEST_READERS_AND_ADMIN, No("a wish of the reader")),
    ("SendTestDigestInput", "subscriptionId", ANALYSTS, No("a wish of the reader")),
    ("DigestSubscriptionPayload", "*", DIGEST_READERS_AND_ADMIN, No("written objects have fields of their own")),
];
