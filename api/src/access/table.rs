//! The table of design §7.

use schema::enums::Role::{self, Admin, Board, Intake, UnitHead};

/// One row: a type, its fields or input fields (`*` for all of them), and the roles that may name
/// them. A row with a field's name comes before the row with `*` of its type.
///
/// DATA_TEAM and DASHBOARD stand nowhere yet: what they may see needs pseudonyms and suppression,
/// and until these are there they see nothing.
pub const TABLE: &[(&str, &str, &[Role])] = &[
    // What can be asked.
    ("Query", "complaints", REGISTER),
    ("Query", "complaint", REGISTER),
    ("Query", "unitResponses", REGISTER),
    ("Query", "complaintStatistics", REGISTER),
    ("Query", "issueCategories", &[Board, UnitHead, Intake, Admin]),
    ("Query", "units", &[Board, UnitHead, Intake, Admin]),
    ("Query", "unit", &[Board, UnitHead, Intake, Admin]),
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
    ("Query", "serviceInfo", &[Board, UnitHead, Intake, Admin]),
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
    ("ComplaintStatistics", "*", REGISTER),
    ("ComplaintStatisticsRow", "*", REGISTER),
    ("ComplaintStatisticsFilter", "*", REGISTER),
    ("StatisticsOrder", "*", REGISTER),
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
];

/// Who sees complaints, each within their scope of rows.
const REGISTER: &[Role] = &[Board, UnitHead];

/// Who sees what is not about anybody.
const REFERENCE: &[Role] = &[Board, UnitHead, Intake, Admin];

/// Whether a role may name a field of a type. What the table does not know is denied.
pub fn allowed(role: Role, type_name: &str, field: &str) -> bool {
    let of_type = || TABLE.iter().filter(|(name, _, _)| *name == type_name);
    of_type()
        .find(|(_, name, _)| *name == field)
        .or_else(|| of_type().find(|(_, name, _)| *name == "*"))
        .is_some_and(|(_, _, roles)| roles.contains(&role))
}
