//! The table of design §7.

use schema::enums::Role::{self, Admin, Board, Dashboard, DataTeam, Intake, UnitHead};

/// One row: a type, its fields or input fields (`*` for all of them), and the roles that may name
/// them. A row with a field's name comes before the row with `*` of its type.
///
/// The words of enums stand here like fields: to order or group by one is to name it. A word that the
/// schema does not have is the validation's to refuse.
pub const TABLE: &[(&str, &str, &[Role])] = &[
    // What can be asked.
    ("Query", "complaints", REGISTER),
    ("Query", "complaint", REGISTER),
    ("Query", "unitResponses", REGISTER),
    ("Query", "complaintStatistics", STATISTICS),
    ("Query", "issueCategories", REFERENCE),
    ("Query", "units", REFERENCE),
    ("Query", "unit", REFERENCE),
    ("Query", "officers", &[Board]),
    ("Query", "officer", &[Board]),
    ("Query", "enterprises", &[Board]),
    ("Query", "flags", &[Board]),
    ("Query", "flag", &[Board]),
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
    ("Query", "serviceInfo", REFERENCE),
    ("ServiceInfo", "*", REFERENCE),
    ("ServiceLimits", "*", REFERENCE),
    // What can be written.
    ("Mutation", "submitComplaint", &[Intake]),
    ("Mutation", "respondToComplaint", &[UnitHead]),
    ("SubmitComplaintInput", "*", &[Intake]),
    ("Receipt", "*", &[Intake]),
    ("RespondToComplaintInput", "*", &[UnitHead]),
    ("RespondToComplaintPayload", "*", &[UnitHead]),
    // Complaints.
    ("Complaint", "*", REGISTER),
    ("ComplaintConnection", "*", REGISTER),
    ("ComplaintEdge", "*", REGISTER),
    ("Allegation", "*", REGISTER),
    ("UnitResponse", "*", REGISTER),
    ("UnitResponseConnection", "*", REGISTER),
    ("UnitResponseEdge", "*", REGISTER),
    ("ComplaintFilter", "*", REGISTER),
    ("ComplaintOrder", "*", REGISTER),
    ("AllegationFilter", "*", REGISTER),
    ("ResponseFilter", "*", REGISTER),
    ("UnitResponseOrder", "*", REGISTER),
    ("ComplaintStatistics", "*", STATISTICS),
    ("ComplaintStatisticsRow", "officer", PEOPLE),
    ("ComplaintStatisticsRow", "enterprise", PEOPLE),
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
    ("StatisticsDimension", "OFFICER", PEOPLE),
    ("StatisticsDimension", "ENTERPRISE", PEOPLE),
    ("StatisticsDimension", "FINDING", ANALYSTS),
    ("StatisticsDimension", "DAY", ANALYSTS),
    ("StatisticsDimension", "WEEK", ANALYSTS),
    ("StatisticsDimension", "*", STATISTICS),
    ("StatisticsMeasure", "DISTINCT_OFFICERS", ANALYSTS),
    ("StatisticsMeasure", "*", STATISTICS),
    ("StatisticsComparison", "*", STATISTICS),
    ("StatisticsOrder", "*", STATISTICS),
    ("StatisticsHaving", "distinctOfficers", ANALYSTS),
    ("StatisticsHaving", "*", STATISTICS),
    ("StatisticsMeasures", "distinctOfficers", ANALYSTS),
    ("StatisticsMeasures", "*", STATISTICS),
    // People: within complaints for those who see these, as lists for the Board alone.
    ("Officer", "postings", &[Board]),
    ("Officer", "flag", &[Board]),
    ("Officer", "*", REGISTER),
    ("OfficerConnection", "*", &[Board]),
    ("OfficerEdge", "*", &[Board]),
    ("OfficerFilter", "unit", &[Board]),
    ("OfficerFilter", "*", REGISTER),
    ("OfficerOrder", "*", &[Board]),
    ("Posting", "*", &[Board]),
    ("Enterprise", "*", REGISTER),
    ("EnterpriseConnection", "*", &[Board]),
    ("EnterpriseEdge", "*", &[Board]),
    ("EnterpriseFilter", "*", REGISTER),
    ("EnterpriseOrder", "*", &[Board]),
    // Units and categories hold nothing personal.
    ("Unit", "scorecard", REGISTER),
    ("Unit", "flag", &[Board]),
    ("Unit", "cusum", &[Board]),
    ("Unit", "*", REFERENCE),
    ("Scorecard", "*", REGISTER),
    ("UnitParent", "*", REFERENCE),
    ("UnitConnection", "*", REFERENCE),
    ("UnitEdge", "*", REFERENCE),
    ("UnitFilter", "*", REFERENCE),
    ("UnitOrder", "*", REFERENCE),
    ("IssueCategory", "*", REFERENCE),
    ("IssueCategoryConnection", "*", REFERENCE),
    ("IssueCategoryEdge", "*", REFERENCE),
    ("CategoryFilter", "*", REFERENCE),
    ("IssueCategoryOrder", "*", REFERENCE),
    // What jobs leave behind.
    ("Flag", "*", &[Board]),
    ("FlagNumbers", "*", &[Board]),
    ("FlagWindow", "*", &[Board]),
    ("AdjustedNumbers", "*", &[Board]),
    ("FlagReview", "*", &[Board]),
    ("Mutation", "reviewFlag", &[Board]),
    ("ReviewFlagInput", "*", &[Board]),
    ("ReviewFlagPayload", "*", &[Board]),
    ("FlagConnection", "*", &[Board]),
    ("FlagEdge", "*", &[Board]),
    ("FlagFilter", "*", &[Board]),
    ("FlagOrder", "*", &[Board]),
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
    ("LegalFormOps", "*", REGISTER),
    ("ChannelOps", "*", REGISTER),
    ("ComplaintStateOps", "*", REGISTER),
    ("AttributionOps", "*", REGISTER),
    ("FindingOps", "*", REGISTER),
    ("ResponseActionOps", "*", REGISTER),
    ("TierOps", "*", &[Board]),
    ("FlagStateOps", "*", &[Board]),
    ("SubjectKindOps", "*", &[Board]),
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
    ("ComplaintOrderField", "*", REGISTER),
    ("UnitResponseOrderField", "*", REGISTER),
    ("OfficerOrderField", "*", &[Board]),
    ("EnterpriseOrderField", "*", &[Board]),
    ("Tier", "*", &[Board]),
    ("FlagState", "*", &[Board]),
    ("FlagOrderField", "*", &[Board]),
    ("SubjectKind", "*", &[Board]),
    ("ExposureBasis", "*", &[Board]),
    ("RunState", "*", &[Board, Admin]),
    ("RunOrigin", "*", &[Board, Admin]),
    ("JobRunOrderField", "*", &[Board, Admin]),
    ("DigestOrderField", "*", &[Board]),
    ("Locale", "*", &[Board]),
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

/// Who sees groups of any size.
const ANALYSTS: &[Role] = &[Board, UnitHead, DataTeam];

/// Who sees of groups what concerns people.
const PEOPLE: &[Role] = &[Board, UnitHead];

/// Whether a role may name a field of a type. What the table does not know is denied.
pub fn allowed(role: Role, type_name: &str, field: &str) -> bool {
    let of_type = || TABLE.iter().filter(|(name, _, _)| *name == type_name);
    of_type()
        .find(|(_, name, _)| *name == field)
        .or_else(|| of_type().find(|(_, name, _)| *name == "*"))
        .is_some_and(|(_, _, roles)| roles.contains(&role))
}
