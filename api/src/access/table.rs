//! The table of design §7.

use schema::enums::Role::{self, Admin, Board, Dashboard, DataTeam, Intake, UnitHead};
use std::collections::HashMap;
use std::sync::LazyLock;

/// One row: a type, its fields or input fields (`*` for all of them), and the roles that may name
/// them. A row with a field's name comes before the row with `*` of its type.
///
/// The words of enums stand here like fields: to order or group by one is to name it. A word that the
/// schema does not have is the validation's to refuse.
pub const TABLE: &[(&str, &str, &[Role])] = &[
    // What can be asked.
    ("Query", "complaints", ANALYSTS),
    ("Query", "complaint", REGISTER),
    ("Query", "unitResponses", REGISTER),
    ("Query", "complaintStatistics", STATISTICS),
    ("Query", "sql", EVERYTHING),
    ("SqlAnswer", "*", EVERYTHING),
    ("SqlColumn", "*", EVERYTHING),
    ("Query", "issueCategories", REFERENCE),
    ("Query", "units", REFERENCE),
    ("Query", "unit", REFERENCE),
    ("Query", "officers", &[Board]),
    ("Query", "officer", &[Board]),
    ("Query", "enterprises", &[Board]),
    ("Query", "flags", REGISTER),
    ("Query", "flag", REGISTER),
    ("Query", "funnelPlot", &[Board]),
    ("Query", "backtest", &[Board]),
    ("BacktestOutcome", "*", &[Board]),
    ("Query", "responseTimeliness", &[Board]),
    ("ResponseTimeliness", "*", &[Board]),
    ("Query", "blameCheck", &[Board]),
    ("BlameCheck", "*", &[Board]),
    ("BlameCheckSubject", "*", &[Board]),
    ("Query", "categoryTrends", &[Board]),
    ("CategoryTrends", "*", &[Board]),
    ("CategoryTrendRow", "*", &[Board]),
    ("FunnelPlot", "*", &[Board]),
    ("FunnelPoint", "*", &[Board]),
    ("CusumSeries", "*", &[Board]),
    ("CusumWeek", "*", &[Board]),
    ("Query", "jobRuns", &[Board, Admin]),
    ("Query", "digests", &[Board]),
    ("Query", "node", REFERENCE),
    ("Node", "*", REFERENCE),
    ("Query", "serviceInfo", REFERENCE),
    ("ServiceInfo", "*", REFERENCE),
    ("ServiceLimits", "*", REFERENCE),
    // Who may use the register, and what they did.
    ("Query", "principals", &[Admin]),
    ("Query", "auditLog", &[Admin]),
    ("Principal", "*", &[Admin]),
    ("PrincipalConnection", "*", &[Admin]),
    ("PrincipalEdge", "*", &[Admin]),
    ("PrincipalFilter", "*", &[Admin]),
    ("PrincipalOrder", "*", &[Admin]),
    ("PrincipalOrderField", "*", &[Admin]),
    ("ApiToken", "*", &[Admin]),
    ("AuditEntry", "*", &[Admin]),
    ("AuditEntryConnection", "*", &[Admin]),
    ("AuditEntryEdge", "*", &[Admin]),
    ("AuditFilter", "*", &[Admin]),
    ("AuditOrder", "*", &[Admin]),
    ("AuditOrderField", "*", &[Admin]),
    ("AuditAction", "*", &[Admin]),
    ("AuditActionOps", "*", &[Admin]),
    ("Role", "*", &[Admin]),
    ("RoleOps", "*", &[Admin]),
    ("Mutation", "createToken", &[Admin]),
    ("Mutation", "revokeTokens", &[Admin]),
    ("CreateTokenInput", "*", &[Admin]),
    ("CreateTokenPayload", "*", &[Admin]),
    ("RevokeTokensPayload", "*", &[Admin]),
    // What can be written.
    ("Mutation", "submitComplaint", &[Intake]),
    ("Mutation", "respondToComplaint", &[UnitHead]),
    ("Mutation", "classifyComplaint", &[Board]),
    ("Mutation", "assignComplaint", &[Board]),
    ("Mutation", "changeComplaintState", &[Board]),
    ("Mutation", "recordFinding", &[Board]),
    ("Mutation", "redactComplaint", &[Board]),
    ("RedactComplaintInput", "*", &[Board]),
    ("ClassifyComplaintInput", "*", &[Board]),
    ("AttributionInput", "*", &[Board]),
    ("AssignComplaintInput", "*", &[Board]),
    ("ChangeComplaintStateInput", "*", &[Board]),
    ("RecordFindingInput", "*", &[Board]),
    ("HandleComplaintPayload", "*", &[Board]),
    ("SubmitComplaintInput", "*", &[Intake]),
    ("Receipt", "*", &[Intake]),
    ("RespondToComplaintInput", "*", &[UnitHead]),
    ("RespondToComplaintPayload", "*", &[UnitHead]),
    // What can be subscribed to.
    ("Subscription", "complaintReceived", ANALYSTS),
    ("Subscription", "flagChanged", REGISTER),
    ("Subscription", "jobRunChanged", &[Board, Admin]),
    // Complaints. DATA_TEAM sees who stands in them by pseudonyms, and nothing that would tell who that is: no
    // id or reference, no text, and no condition on them.
    ("Query", "redactedComplaints", REGISTER),
    ("RedactedComplaint", "*", REGISTER),
    ("RedactedComplaintConnection", "*", REGISTER),
    ("RedactedComplaintEdge", "*", REGISTER),
    ("Complaint", "redactedText", &[Board]),
    ("Complaint", "pseudonym", ANALYSTS),
    ("Complaint", "id", REGISTER),
    ("Complaint", "reference", REGISTER),
    ("Complaint", "text", REGISTER),
    ("Complaint", "declarationNumber", REGISTER),
    ("Complaint", "responses", REGISTER),
    ("Complaint", "*", ANALYSTS),
    ("ComplaintConnection", "*", ANALYSTS),
    ("ComplaintEdge", "*", ANALYSTS),
    ("Allegation", "sourceCodes", REGISTER),
    ("Allegation", "*", ANALYSTS),
    ("UnitResponse", "*", REGISTER),
    ("UnitResponseConnection", "*", REGISTER),
    ("UnitResponseEdge", "*", REGISTER),
    ("ComplaintFilter", "id", REGISTER),
    ("ComplaintFilter", "reference", REGISTER),
    ("ComplaintFilter", "text", REGISTER),
    ("ComplaintFilter", "search", REGISTER),
    ("ComplaintFilter", "declarationNumber", REGISTER),
    ("ComplaintFilter", "enterprise", REGISTER),
    ("ComplaintFilter", "responses", REGISTER),
    ("ComplaintFilter", "*", ANALYSTS),
    ("ComplaintOrder", "*", ANALYSTS),
    ("AllegationFilter", "officer", REGISTER),
    ("AllegationFilter", "*", ANALYSTS),
    ("ResponseFilter", "*", REGISTER),
    ("UnitResponseOrder", "*", REGISTER),
    ("ComplaintStatistics", "*", STATISTICS),
    ("ComplaintStatisticsRow", "officer", ANALYSTS),
    ("ComplaintStatisticsRow", "enterprise", EVERYTHING),
    ("ComplaintStatisticsRow", "episodes", SEES_ALL),
    ("ComplaintStatisticsRow", "finding", ANALYSTS),
    ("ComplaintStatisticsRow", "day", ANALYSTS),
    ("ComplaintStatisticsRow", "week", ANALYSTS),
    ("ComplaintStatisticsRow", "distinctOfficers", ANALYSTS),
    ("ComplaintStatisticsRow", "*", STATISTICS),
    ("ComplaintStatisticsFilter", "officerIn", PEOPLE),
    ("ComplaintStatisticsFilter", "enterpriseIn", PEOPLE),
    ("ComplaintStatisticsFilter", "findingIn", ANALYSTS),
    ("ComplaintStatisticsFilter", "blamesSystem", ANALYSTS),
    ("ComplaintStatisticsFilter", "anonymous", ANALYSTS),
    ("ComplaintStatisticsFilter", "*", STATISTICS),
    ("StatisticsDimension", "OFFICER", ANALYSTS),
    ("StatisticsDimension", "ENTERPRISE", EVERYTHING),
    ("StatisticsDimension", "FINDING", ANALYSTS),
    ("StatisticsDimension", "DAY", ANALYSTS),
    ("StatisticsDimension", "WEEK", ANALYSTS),
    ("StatisticsDimension", "*", STATISTICS),
    ("StatisticsMeasure", "DISTINCT_OFFICERS", ANALYSTS),
    ("StatisticsMeasure", "EPISODES", SEES_ALL),
    ("StatisticsMeasure", "*", STATISTICS),
    ("StatisticsComparison", "*", STATISTICS),
    ("StatisticsOrder", "*", STATISTICS),
    ("StatisticsHaving", "distinctOfficers", ANALYSTS),
    ("StatisticsHaving", "episodes", SEES_ALL),
    ("StatisticsHaving", "*", STATISTICS),
    ("StatisticsMeasures", "distinctOfficers", ANALYSTS),
    ("StatisticsMeasures", "episodes", SEES_ALL),
    ("StatisticsMeasures", "*", STATISTICS),
    // People: within complaints for those who see these, as lists for the Board alone.
    ("Officer", "pseudonym", ANALYSTS),
    ("Officer", "complaints", ANALYSTS),
    ("Officer", "postings", &[Board]),
    ("Officer", "flag", &[Board]),
    ("Officer", "*", REGISTER),
    ("OfficerConnection", "*", &[Board]),
    ("OfficerEdge", "*", &[Board]),
    ("OfficerFilter", "unit", &[Board]),
    ("OfficerFilter", "*", REGISTER),
    ("OfficerOrder", "*", &[Board]),
    ("Posting", "*", &[Board]),
    ("Enterprise", "pseudonym", ANALYSTS),
    ("Enterprise", "complaints", ANALYSTS),
    ("Enterprise", "*", REGISTER),
    ("EnterpriseConnection", "*", &[Board]),
    ("EnterpriseEdge", "*", &[Board]),
    ("EnterpriseFilter", "*", REGISTER),
    ("EnterpriseOrder", "*", &[Board]),
    // Units and categories hold nothing personal.
    ("Unit", "scorecard", REGISTER),
    ("Unit", "complaints", ANALYSTS),
    ("Unit", "flag", &[Board]),
    ("Unit", "cusum", &[Board]),
    ("Unit", "*", REFERENCE),
    ("Scorecard", "*", REGISTER),
    ("UnitParent", "*", REFERENCE),
    ("UnitConnection", "*", REFERENCE),
    ("UnitEdge", "*", REFERENCE),
    ("UnitFilter", "*", REFERENCE),
    ("UnitOrder", "measure", ANALYSTS),
    ("UnitOrder", "filter", ANALYSTS),
    ("UnitOrder", "days", ANALYSTS),
    ("UnitOrder", "*", REFERENCE),
    ("IssueCategory", "complaints", ANALYSTS),
    ("IssueCategory", "*", REFERENCE),
    ("IssueCategoryConnection", "*", REFERENCE),
    ("IssueCategoryEdge", "*", REFERENCE),
    ("CategoryFilter", "*", REFERENCE),
    ("IssueCategoryOrder", "*", REFERENCE),
    // What jobs leave behind.
    ("Flag", "reviews", &[Board]),
    ("Flag", "run", &[Board]),
    ("Flag", "*", REGISTER),
    ("FlagNumbers", "*", REGISTER),
    ("FlagWindow", "*", REGISTER),
    ("AdjustedNumbers", "*", REGISTER),
    ("FlagReview", "*", &[Board]),
    ("Mutation", "reviewFlag", &[Board]),
    ("ReviewFlagInput", "*", &[Board]),
    ("ReviewFlagPayload", "*", &[Board]),
    ("FlagConnection", "*", REGISTER),
    ("FlagEdge", "*", REGISTER),
    ("FlagFilter", "runId", &[Board]),
    ("FlagFilter", "*", REGISTER),
    ("FlagOrder", "*", REGISTER),
    ("JobRun", "*", &[Board, Admin]),
    ("JobRunConnection", "*", &[Board, Admin]),
    ("JobRunEdge", "*", &[Board, Admin]),
    ("JobRunFilter", "*", &[Board, Admin]),
    ("JobRunOrder", "*", &[Board, Admin]),
    ("Digest", "*", &[Board]),
    ("DigestConnection", "*", &[Board]),
    ("DigestEdge", "*", &[Board]),
    ("DigestFilter", "*", &[Board]),
    ("DigestOrder", "*", &[Board]),
    ("Delivery", "*", &[Board]),
    // Operators, and what every connection has.
    ("PageInfo", "*", REFERENCE),
    ("StringOps", "*", REFERENCE),
    ("IdOps", "*", REFERENCE),
    ("IntOps", "*", REFERENCE),
    ("FloatOps", "*", REFERENCE),
    ("DecimalOps", "*", REFERENCE),
    ("DateOps", "*", REFERENCE),
    ("DateTimeOps", "*", REFERENCE),
    ("BooleanOps", "*", REFERENCE),
    ("UnitKindOps", "*", REFERENCE),
    ("PeerGroupOps", "*", REFERENCE),
    ("CategoryKindOps", "*", REFERENCE),
    ("LegalFormOps", "*", ANALYSTS),
    ("ChannelOps", "*", ANALYSTS),
    ("ComplaintStateOps", "*", ANALYSTS),
    ("AttributionOps", "*", ANALYSTS),
    ("FindingOps", "*", ANALYSTS),
    ("ResponseActionOps", "*", REGISTER),
    ("TierOps", "*", REGISTER),
    ("FlagStateOps", "*", REGISTER),
    ("SubjectKindOps", "*", REGISTER),
    ("RunStateOps", "*", &[Board, Admin]),
    ("LocaleOps", "*", &[Board]),
    // Words: those of what is not about anybody, and those of what only some see.
    ("CategoryKind", "*", REFERENCE),
    ("PeerGroup", "*", REFERENCE),
    ("UnitKind", "*", REFERENCE),
    ("UnitLevel", "*", REFERENCE),
    ("SortDirection", "*", REFERENCE),
    ("UnitOrderField", "*", REFERENCE),
    ("IssueCategoryOrderField", "*", REFERENCE),
    ("ComplaintState", "*", COMPLAINT_WORDS),
    ("Channel", "*", COMPLAINT_WORDS),
    ("LegalForm", "*", COMPLAINT_WORDS),
    ("Finding", "*", ANALYSTS),
    ("Attribution", "*", ANALYSTS),
    ("ResponseAction", "*", ANALYSTS),
    ("ComplaintOrderField", "*", ANALYSTS),
    ("UnitResponseOrderField", "*", REGISTER),
    ("OfficerOrderField", "*", &[Board]),
    ("EnterpriseOrderField", "*", &[Board]),
    ("Tier", "*", REGISTER),
    ("FlagState", "*", REGISTER),
    ("FlagOrderField", "*", REGISTER),
    ("SubjectKind", "*", REGISTER),
    ("ExposureBasis", "*", REGISTER),
    ("RunState", "*", &[Board, Admin]),
    ("RunOrigin", "*", &[Board, Admin]),
    ("JobRunOrderField", "*", &[Board, Admin]),
    ("DigestOrderField", "*", &[Board]),
    ("Locale", "*", REFERENCE),
    ("DeliveryChannel", "*", &[Board]),
    ("DeliveryState", "*", &[Board]),
];

/// Who sees complaints, each within their scope of rows.
const REGISTER: &[Role] = &[Board, UnitHead];

/// Who sees what is not about anybody.
const REFERENCE: &[Role] = &[Board, UnitHead, DataTeam, Dashboard, Intake, Admin];

/// Who sees groups of complaints: within a scope of rows, with pseudonyms, or only those that are large enough.
const STATISTICS: &[Role] = &[Board, UnitHead, DataTeam, Dashboard];

/// Who sees complaints or groups of them, and who submits them.
const COMPLAINT_WORDS: &[Role] = &[Board, UnitHead, DataTeam, Dashboard, Intake];

/// Who sees groups by enterprise: one that counts for several is shown by one of them, which a head might not
/// be shown otherwise.
const EVERYTHING: &[Role] = &[Board, DataTeam];

/// Who exports, with pseudonyms.
pub const EXPORTERS: &[Role] = EVERYTHING;

/// Whose episodes are formed of what they see: those of a head would tell of complaints that are kept from it.
const SEES_ALL: &[Role] = &[Board, DataTeam, Dashboard];

/// Who sees groups of any size.
const ANALYSTS: &[Role] = &[Board, UnitHead, DataTeam];

/// Who sees of groups what concerns people.
const PEOPLE: &[Role] = &[Board, UnitHead];

/// The rows of the table by type and field.
static ROWS: LazyLock<HashMap<&str, HashMap<&str, &[Role]>>> = LazyLock::new(|| {
    let mut rows: HashMap<&str, HashMap<&str, &[Role]>> = HashMap::new();
    for (of, field, roles) in TABLE {
        rows.entry(of).or_default().entry(field).or_insert(roles);
    }
    rows
});

/// Whether a role may name a field of a type. What the table does not know is denied.
pub fn allowed(role: Role, type_name: &str, field: &str) -> bool {
    let Some(of_type) = ROWS.get(type_name) else { return false };
    of_type.get(field).or_else(|| of_type.get("*")).is_some_and(|roles| roles.contains(&role))
}
