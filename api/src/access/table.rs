//! The access table: which roles may use which fields (docs/threat-model.md), and what the audit log records of them.

mod administration;

use super::roles::{
    ANALYSTS, BOARD_AND_ADMIN, BOARD_AND_DATA_TEAM, BOARD_AND_HEADS, BOARD_HEADS_AND_ADMIN, COMPLAINT_ENUMS, HISTORIES,
    PEOPLE, REFERENCE, SEES_ALL, STATISTICS,
};
use administration::ADMINISTRATION;
use schema::enums::Role::{self, Admin, Board, Intake, UnitHead};
use std::collections::HashMap;
use std::sync::LazyLock;

/// What the audit log records of a field, an input field or an enum value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audited {
    /// It selects, orders or groups by an identity or a text, or names whom a write concerns: the log has its value.
    AsCondition,
    /// It shows the identity or a text of a complaint. The code that reads rows notes the complaint of each.
    ByRows,
    /// It shows the identity of a subject, or a part of the file of an officer. The resolver notes the subject.
    ByResolver,
    /// A field of a root: its arguments and the fields below it are recorded.
    Root,
    /// Not recorded by itself: paging, counts, sealed cursors, operators (recorded with their field), orders (their
    /// enum values are).
    Part,
    /// A value from a fixed vocabulary, such as a state. It identifies nobody, so the audit log does not record it.
    Word,
    /// Nothing, for this reason.
    No(&'static str),
}
use Audited::{AsCondition, ByResolver, ByRows, No, Part, Root, Word};

/// The measures that a DASHBOARD sees, with noise.
const SHOWN_MEASURES: &str =
    "complaints distinctEnterprises costVnd delayHours shareAnsweredInTime medianDaysToResponse";

/// Why the log records nothing of a statistic.
const OF_GROUPS: &str = "numbers of groups; people have fields of their own";

/// Types, their fields, the roles that may name them, and what the audit log records of them.
type TableRow = (&'static str, &'static str, &'static [Role], Audited);

/// Rows of types, their fields or input fields, the roles that may name them, and what the audit log records of them.
/// Names are separated by spaces.
///
/// `*` stands for the fields that no other row of the type names. The access of a new field then follows from the row,
/// but a field that holds a text, an id or JSON must be named to say that the log records nothing of it.
///
/// Enum values stand here like fields: to order or group by one is to name it. Validation refuses a value that
/// the schema does not have.
const TABLE: &[TableRow] = &[
    // Queries.
    ("Query", "complaints", ANALYSTS, Root),
    ("Query", "complaint unitResponses", BOARD_AND_HEADS, Root),
    ("Query", "complaintStatistics", STATISTICS, Root),
    ("Query", "sql", BOARD_AND_DATA_TEAM, Root),
    ("SqlAnswer", "* rows", BOARD_AND_DATA_TEAM, No("the SQL query itself is logged")),
    ("SqlColumn", "name type", BOARD_AND_DATA_TEAM, No("the SQL query itself is logged")),
    ("Query", "issueCategories units unit", REFERENCE, Root),
    ("Query", "officers officer", BOARD_AND_ADMIN, Root),
    ("Query", "enterprises", &[Board], Root),
    ("Query", "flags flag", BOARD_AND_HEADS, Root),
    ("Query", "flagsFound", &[Board], Root),
    ("FlagsFound", "* runId", &[Board], No("the run; found subjects have fields of their own")),
    ("FoundFlag", "code flagId numbers proposed reasonEn reasonVi tier", &[Board], ByResolver),
    ("FoundFlag", "evidenceIds", &[Board], ByRows),
    ("FoundFlag", "*", &[Board], No("logged by FoundFlag.code")),
    ("Query", "funnelPlot backtest", &[Board], Root),
    ("BacktestOutcome", "* ranking", &[Board], No("numbers of all officers together")),
    ("Query", "responseTimeliness", BOARD_AND_HEADS, Root),
    ("ResponseTimeliness", "* unitCode unitNameEn unitNameVi", BOARD_AND_HEADS, No("of units")),
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
    ("Query", "node", REFERENCE, Root),
    ("Node", "id", REFERENCE, ByRows),
    ("Query", "serviceInfo", REFERENCE, Root),
    ("ServiceInfo", "* version", REFERENCE, No("of the service")),
    ("ServiceLimits", "*", REFERENCE, No("of the service")),
    // Mutations.
    ("Mutation", "submitComplaint", &[Intake], Root),
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
    ("HandleComplaintPayload", "*", &[Board], No("written objects have fields of their own")),
    // Corrections and merges.
    ("Mutation", "correctComplaint decideCorrection", &[Board], Root),
    ("Mutation", "mergeEnterprises mergeOfficers splitEnterprise splitOfficer", &[Board], Root),
    ("Mutation", "proposeCorrection withdrawCorrection", &[UnitHead], Root),
    ("CorrectComplaintInput", "complaintId removeOfficers taxCode", BOARD_AND_HEADS, AsCondition),
    ("CorrectComplaintInput", "category declarationNumber enterpriseName", BOARD_AND_HEADS, No("written, not asked")),
    ("CorrectComplaintInput", "* reason unit", BOARD_AND_HEADS, No("written, not asked: the event holds it")),
    ("AddOfficerInput AllegationKeyInput ChangeAllegationInput", "officer", BOARD_AND_HEADS, AsCondition),
    ("AddOfficerInput ChangeAllegationInput", "* category unit", BOARD_AND_HEADS, No("what is said of the officer")),
    ("AllegationKeyInput", "*", BOARD_AND_HEADS, No("which of the officer's allegations")),
    ("AddMatterInput", "category unit", BOARD_AND_HEADS, No("categories and units are not people")),
    ("ReplaceOfficerInput", "from to", BOARD_AND_HEADS, AsCondition),
    ("ReplaceOfficerInput", "*", BOARD_AND_HEADS, No("what is said of the officer")),
    ("CorrectComplaintPayload", "*", &[Board], No("written objects have fields of their own")),
    ("Query", "correctionProposals", BOARD_AND_HEADS, Root),
    ("CorrectionProposal", "complaintId correction reason", BOARD_AND_HEADS, ByRows),
    ("CorrectionProposal", "* actor decisionReason id", BOARD_AND_HEADS, No("its complaint has a field of its own")),
    ("CorrectionProposalConnection CorrectionProposalEdge", "*", BOARD_AND_HEADS, Part),
    ("CorrectionProposalFilter", "complaintId", BOARD_AND_HEADS, AsCondition),
    ("CorrectionProposalFilter", "* id", BOARD_AND_HEADS, No("what kind of proposal")),
    ("CorrectionProposalOrder", "*", BOARD_AND_HEADS, Part),
    ("CorrectionProposalOrderField CorrectionState", "*", BOARD_AND_HEADS, Word),
    ("CorrectionStateOps", "*", BOARD_AND_HEADS, Part),
    ("CorrectionProposalPayload", "*", BOARD_AND_HEADS, No("written objects have fields of their own")),
    ("DecideCorrectionInput", "proposalId", &[Board], AsCondition),
    ("DecideCorrectionInput", "* reason", &[Board], No("written, not asked")),
    ("WithdrawCorrectionInput", "proposalId", &[UnitHead], AsCondition),
    ("WithdrawCorrectionInput", "* reason", &[UnitHead], No("written, not asked")),
    ("Query", "merges", &[Board], Root),
    ("Merge", "* actor id reason splitReason", &[Board], No("officers and enterprises have fields of their own")),
    ("MergeConnection MergeEdge", "*", &[Board], Part),
    ("MergeFilter", "* id", &[Board], No("what kind of merge; subjects have fields of their own")),
    ("MergeOrder", "*", &[Board], Part),
    ("MergeOrderField", "*", &[Board], Word),
    ("MergeEnterprisesInput MergeOfficersInput", "from into", &[Board], AsCondition),
    ("MergeEnterprisesInput MergeOfficersInput", "reason", &[Board], No("written, not asked: the event holds it")),
    ("SplitEnterpriseInput", "complaintIds taxCode to", &[Board], AsCondition),
    ("SplitOfficerInput", "complaintIds officer to", &[Board], AsCondition),
    ("SplitEnterpriseInput SplitOfficerInput", "reason", &[Board], No("written, not asked: the event holds it")),
    ("MergePayload SplitPayload", "*", &[Board], No("written objects have fields of their own")),
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
    // Guidance documents, proposals, measures.
    ("Query", "guidanceDocuments", BOARD_AND_HEADS, Root),
    ("GuidanceDocument", "actor id number reason text title", BOARD_AND_HEADS, No("what units write about procedures")),
    ("GuidanceDocument", "*", BOARD_AND_HEADS, No("what units write about procedures")),
    ("GuidanceOpinion", "* text", BOARD_AND_HEADS, No("what the Board writes about procedures")),
    ("GuidanceDocumentConnection GuidanceDocumentEdge", "*", BOARD_AND_HEADS, Part),
    ("GuidanceDocumentFilter", "* id number search", BOARD_AND_HEADS, No("what units write about procedures")),
    ("GuidanceDocumentOrder", "*", BOARD_AND_HEADS, Part),
    ("GuidanceDocumentOrderField GuidanceState", "*", BOARD_AND_HEADS, Word),
    ("GuidanceStateOps", "*", BOARD_AND_HEADS, Part),
    ("OpinionVerdict", "*", BOARD_AND_HEADS, Word),
    ("Mutation", "requestOpinion reviseGuidance issueGuidance withdrawGuidance", &[UnitHead], Root),
    ("Mutation", "giveOpinion", &[Board], Root),
    ("RequestOpinionInput", "category text title", &[UnitHead], No("what units write about procedures")),
    ("ReviseGuidanceInput", "* documentId text title", &[UnitHead], No("what units write about procedures")),
    ("IssueGuidanceInput", "* documentId number reason", &[UnitHead], No("what units write about procedures")),
    ("WithdrawGuidanceInput", "* documentId reason", &[UnitHead], No("what units write about procedures")),
    ("GiveOpinionInput", "* documentId text", &[Board], No("what the Board writes about procedures")),
    ("GuidanceDocumentPayload", "*", BOARD_AND_HEADS, No("written objects have fields of their own")),
    ("Query", "proposals", &[Board], Root),
    ("Proposal", "* actor id reason text title", &[Board], No("what the Board writes about procedures")),
    ("ProposalEffect EffectPeriod", "*", &[Board], No("numbers of categories and units")),
    ("RateRatioWithLimits", "*", BOARD_AND_HEADS, No("logged by Measure.outcome, or of categories and units")),
    ("ProposalConnection ProposalEdge", "*", &[Board], Part),
    ("ProposalFilter", "* id search", &[Board], No("what the Board writes about procedures")),
    ("ProposalOrder", "*", &[Board], Part),
    ("ProposalOrderField ProposalState", "*", &[Board], Word),
    ("ProposalStateOps", "*", &[Board], Part),
    ("Mutation", "propose changeProposalState", &[Board], Root),
    ("ProposeInput", "categories text title units", &[Board], No("what the Board writes about procedures")),
    ("ChangeProposalStateInput", "* proposalId reason", &[Board], No("what the Board writes about procedures")),
    ("ProposalPayload", "*", &[Board], No("written objects have fields of their own")),
    ("Query", "measures", BOARD_AND_HEADS, Root),
    ("Measure", "actor basis decidedOn decisionMaker decisionNumber endReason endsOn", BOARD_AND_HEADS, ByResolver),
    ("Measure", "explainedOn explanation explanationRefusedOn extension flag ground", BOARD_AND_HEADS, ByResolver),
    ("Measure", "grounds id kind liftedOn limits officer outcome recordedAt recordedBy", BOARD_AND_HEADS, ByResolver),
    ("Measure", "startsOn state unit version voidReason workingDays", BOARD_AND_HEADS, ByResolver),
    ("MeasureBasis", "complaintIds", BOARD_AND_HEADS, ByRows),
    ("MeasureBasis", "* reason", BOARD_AND_HEADS, No("logged by Measure.basis")),
    ("MeasureExtension", "* reason", BOARD_AND_HEADS, No("logged by Measure.extension")),
    ("SuspensionLimits", "* version", BOARD_AND_HEADS, No("logged by Measure.limits")),
    ("MeasureOutcome OutcomePeriod", "*", BOARD_AND_HEADS, No("logged by Measure.outcome")),
    ("OutcomeWorkload WorkPeriod OutcomePeers", "*", BOARD_AND_HEADS, No("logged by Measure.outcome")),
    ("MeasureConnection MeasureEdge", "*", BOARD_AND_HEADS, Part),
    ("MeasureFilter", "id", BOARD_AND_HEADS, AsCondition),
    ("MeasureFilter", "*", BOARD_AND_HEADS, No("what kind of measure; the officer has fields of its own")),
    ("MeasureOrder", "*", BOARD_AND_HEADS, Part),
    ("MeasureOrderField MeasureKind MeasureState", "*", BOARD_AND_HEADS, Word),
    ("SuspensionGround MeasureBasisKind", "*", BOARD_AND_HEADS, Word),
    ("MeasureKindOps", "*", BOARD_AND_HEADS, Part),
    ("Mutation", "recordMeasure endMeasure recordExplanation", &[UnitHead], Root),
    ("Mutation", "extendMeasure liftMeasure", &[UnitHead], Root),
    ("RecordMeasureInput", "complaintIds flagId officer", &[UnitHead], AsCondition),
    ("RecordMeasureInput", "decisionMaker decisionNumber explanation", &[UnitHead], No("written, not asked")),
    ("RecordMeasureInput", "* grounds noBasisReason", &[UnitHead], No("written, not asked")),
    ("ExtendMeasureInput LiftMeasureInput", "measureId", &[UnitHead], AsCondition),
    ("ExtendMeasureInput LiftMeasureInput", "* reason", &[UnitHead], No("written, not asked: the event holds it")),
    ("EndMeasureInput", "measureId", &[UnitHead], AsCondition),
    ("EndMeasureInput", "* reason", &[UnitHead], No("written, not asked: the event holds it")),
    ("Mutation", "voidMeasure", &[UnitHead], Root),
    ("VoidMeasureInput", "measureId", &[UnitHead], AsCondition),
    ("VoidMeasureInput", "* reason", &[UnitHead], No("written, not asked")),
    ("MeasurePayload", "*", &[UnitHead], No("written objects have fields of their own")),
    ("RecordExplanationInput", "flagId", &[UnitHead], AsCondition),
    ("RecordExplanationInput", "* explanation seenRunId", &[UnitHead], No("written, not asked")),
    ("RecordExplanationPayload", "*", &[UnitHead], No("written objects have fields of their own")),
    ("SubmitComplaintInput", "category declarationNumber", &[Intake], No("the sender learns nothing but the receipt")),
    ("SubmitComplaintInput", "enterpriseName", &[Intake], No("the sender learns nothing but the receipt")),
    ("SubmitComplaintInput", "idempotencyKey officers", &[Intake], No("the sender learns nothing but the receipt")),
    ("SubmitComplaintInput", "* taxCode text unit", &[Intake], No("the sender learns nothing but the receipt")),
    ("Query", "receipt", &[Intake], Root),
    ("Receipt", "* id reference", &[Intake], No("the sender's own")),
    ("RespondToComplaintInput", "complaintId", &[UnitHead], AsCondition),
    ("RespondToComplaintInput", "* outcome text", &[UnitHead], No("written, not asked")),
    ("RespondToComplaintPayload", "*", &[UnitHead], No("written objects have fields of their own")),
    ("Mutation", "respondToRedactedComplaint", &[UnitHead], Root),
    ("RespondToRedactedComplaintInput", "pseudonym", &[UnitHead], AsCondition),
    ("RespondToRedactedComplaintInput", "* outcome text", &[UnitHead], No("written, not asked")),
    ("RespondToRedactedComplaintPayload", "*", &[UnitHead], No("written objects have fields of their own")),
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
    ("ComplaintStatistics", "* endCursor", STATISTICS, No("numbers of groups")),
    // `*` is for analysts: a new measure, dimension or filter is withheld from a DASHBOARD until a row names it, which
    // needs noise in `jobs::statistics::disclosure` first.
    ("ComplaintStatisticsRow", "department branch team unit category kind channel state", STATISTICS, No(OF_GROUPS)),
    ("ComplaintStatisticsRow", "categoryGroup", STATISTICS, No(OF_GROUPS)),
    ("ComplaintStatisticsRow", "month quarter year suppressed isOther previous", STATISTICS, No(OF_GROUPS)),
    ("ComplaintStatisticsRow StatisticsMeasures StatisticsHaving", SHOWN_MEASURES, STATISTICS, No(OF_GROUPS)),
    ("ComplaintStatisticsRow StatisticsMeasures StatisticsHaving", "episodes", SEES_ALL, No(OF_GROUPS)),
    ("ComplaintStatisticsRow", "enterprise", BOARD_AND_DATA_TEAM, No(OF_GROUPS)),
    ("ComplaintStatisticsRow StatisticsMeasures StatisticsHaving", "*", ANALYSTS, No(OF_GROUPS)),
    ("StatisticsHaving", "and or not", STATISTICS, No(OF_GROUPS)),
    ("ComplaintStatisticsFilter", "unitWithin categoryIn kindIn channelIn stateIn", STATISTICS, No("of no person")),
    ("ComplaintStatisticsFilter", "category kind channel state", STATISTICS, No("of no person")),
    ("ComplaintStatisticsFilter", "receivedFrom receivedBefore", STATISTICS, No("of no person")),
    ("ComplaintStatisticsFilter", "enterpriseIn officerIn", PEOPLE, AsCondition),
    ("ComplaintStatisticsFilter", "* responsibleUnitWithin", ANALYSTS, No("of no person")),
    ("StatisticsDimension", "DEPARTMENT BRANCH TEAM UNIT CATEGORY KIND CHANNEL STATE", STATISTICS, Word),
    ("StatisticsDimension", "CATEGORY_GROUP MONTH QUARTER YEAR", STATISTICS, Word),
    ("StatisticsDimension", "ENTERPRISE", BOARD_AND_DATA_TEAM, AsCondition),
    ("StatisticsDimension", "OFFICER", ANALYSTS, AsCondition),
    ("StatisticsDimension", "*", ANALYSTS, Word),
    ("StatisticsMeasure", "COMPLAINTS DISTINCT_ENTERPRISES COST_VND DELAY_HOURS", STATISTICS, Word),
    ("StatisticsMeasure", "SHARE_ANSWERED_IN_TIME MEDIAN_DAYS_TO_RESPONSE", STATISTICS, Word),
    ("StatisticsMeasure", "EPISODES", SEES_ALL, Word),
    ("StatisticsMeasure", "*", ANALYSTS, Word),
    ("StatisticsComparison", "*", STATISTICS, Word),
    ("StatisticsOrder", "*", STATISTICS, Part),
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
    ("Scorecard", "*", BOARD_AND_HEADS, No("of a unit, or told by Officer.record")),
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
    ("ReferenceHistoryEntry", "*", BOARD_AND_ADMIN, No("logged by the history of the officer or enterprise")),
    // Results of jobs.
    ("Flag", "changedAt explanations id numbers officer openedAt proposed reasonEn", BOARD_AND_HEADS, ByResolver),
    ("Flag", "reasonVi runId state tier", BOARD_AND_HEADS, ByResolver),
    ("Flag", "evidenceIds newEvidenceIds", BOARD_AND_HEADS, ByRows),
    ("Flag", "reviews run", &[Board], ByResolver),
    ("Flag", "*", BOARD_AND_HEADS, No("the kind of subject, and the branch")),
    ("FlagNumbers FlagWindow AdjustedNumbers", "*", BOARD_AND_HEADS, No("logged by Flag.numbers")),
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
    // Operators and page info.
    ("PageInfo StringOps IdOps IntOps FloatOps DecimalOps DateOps DateTimeOps BooleanOps", "*", REFERENCE, Part),
    ("UnitKindOps PeerGroupOps CategoryKindOps", "*", REFERENCE, Part),
    ("ChannelOps ComplaintStateOps", "*", STATISTICS, Part),
    ("LegalFormOps AttributionOps FindingOps", "*", ANALYSTS, Part),
    ("ResponsibleUnitOps", "*", ANALYSTS, Part),
    ("ResponseActionOps TierOps FlagStateOps SubjectKindOps", "*", BOARD_AND_HEADS, Part),
    ("RunStateOps", "*", BOARD_AND_ADMIN, Part),
    ("LocaleOps", "*", &[Board], Part),
    // Enums: first those that concern no person.
    ("CategoryKind PeerGroup UnitKind UnitLevel SortDirection UnitOrderField", "*", REFERENCE, Word),
    ("IssueCategoryOrderField", "*", REFERENCE, Word),
    ("ComplaintState Channel LegalForm", "*", COMPLAINT_ENUMS, Word),
    (
        "Finding Attribution ResponseAction ComplaintOrderField ComplaintHistoryKind ComplaintRelation",
        "*",
        ANALYSTS,
        Word,
    ),
    ("UnitResponseOrderField", "*", BOARD_AND_HEADS, Word),
    ("OfficerOrderField", "CODE NAME", BOARD_AND_ADMIN, AsCondition),
    ("EnterpriseOrderField", "NAME TAX_CODE", &[Board], AsCondition),
    ("Tier Proposed FlagState FlagOrderField SubjectKind ExposureBasis", "*", BOARD_AND_HEADS, Word),
    ("RunState RunOrigin JobRunOrderField ReferenceEventKind", "*", BOARD_AND_ADMIN, Word),
    ("DigestOrderField", "*", &[Board], Word),
    ("Locale", "*", REFERENCE, Word),
    ("DeliveryChannel DeliveryState", "*", &[Board], Word),
];

/// The rows of the table, each for one type and one field or `*`.
pub fn rows() -> impl Iterator<Item = (&'static str, &'static str, &'static [Role], Audited)> {
    TABLE.iter().chain(ADMINISTRATION).flat_map(|(types, fields, roles, audited)| {
        types.split(' ').flat_map(move |of| fields.split(' ').map(move |field| (of, field, *roles, *audited)))
    })
}

/// The row of the table for a field.
type Row = (&'static [Role], Audited);

/// The rows of the table by type and field.
static ROWS: LazyLock<HashMap<&str, HashMap<&str, Row>>> = LazyLock::new(|| {
    let mut by_name: HashMap<&str, HashMap<&str, Row>> = HashMap::new();
    for (of, field, roles, audited) in rows() {
        by_name.entry(of).or_default().entry(field).or_insert((roles, audited));
    }
    by_name
});

fn row(type_name: &str, field: &str) -> Option<&'static Row> {
    let of_type = ROWS.get(type_name)?;
    of_type.get(field).or_else(|| of_type.get("*"))
}

/// Whether a role may name a field of a type. A type or field without a row is denied.
pub fn allowed(role: Role, type_name: &str, field: &str) -> bool {
    row(type_name, field).is_some_and(|(roles, _)| roles.contains(&role))
}

/// What the audit log records of a field of a type; None if it has no row.
pub fn audited(type_name: &str, field: &str) -> Option<Audited> {
    row(type_name, field).map(|(_, audited)| *audited)
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::enums::Role::Dashboard;

    #[test]
    fn a_statistic_that_no_row_names_is_withheld_from_a_dashboard() {
        let of_people = ["ComplaintStatisticsRow", "ComplaintStatisticsFilter", "StatisticsDimension"];
        for of in of_people.into_iter().chain(["StatisticsMeasure", "StatisticsMeasures", "StatisticsHaving"]) {
            assert!(allowed(Board, of, "reopened") && !allowed(Dashboard, of, "reopened"), "{of}");
        }
    }
}
