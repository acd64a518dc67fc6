//! The table: which role may do what with a complaint in which state.

use std::sync::LazyLock;

/// The roles by their letters: BOARD, UNIT_HEAD of the responsible unit, UNIT_HEAD of another unit, DATA_TEAM,
/// DASHBOARD, INTAKE (who submitted the complaint), ADMIN, and the holder of the receipt, who has no token.
pub const ROLES: [char; 8] = ['B', 'U', 'O', 'T', 'D', 'I', 'A', 'R'];

/// The columns of states, each with the word of the state. RO is a complaint that was answered and reopened.
pub const STATES: [(&str, &str); 8] = [
    ("RE", "RECEIVED"),
    ("CL", "CLASSIFIED"),
    ("AS", "ASSIGNED"),
    ("AN", "ANSWERED"),
    ("CD", "CLOSED"),
    ("WI", "WITHDRAWN"),
    ("RJ", "REJECTED"),
    ("RO", "ASSIGNED"),
];

/// Each row is a mutation (after a slash: one use of it) of a complaint of some kind. The column of a state names the
/// roles that may, `-` none. `then` is the state afterwards, and `=` the same as before; behind a comma stand columns
/// from which another state follows.
///
/// A role that may in other states of its row is told CONFLICT. `told` has the codes for roles that may name the
/// mutation and neither see nor may change this complaint. All other roles are told FORBIDDEN, and who has no token
/// UNAUTHENTICATED.
const TABLE: &str = "
mutation                        of                told                    then            RE CL AS AN CD WI RJ RO
classifyComplaint               plain             -                       =,RE>CLASSIFIED B  B  B  B  -  -  -  B
confirmClassifications          plain             -                       =,RE>CLASSIFIED B  B  B  B  -  -  -  B
assignComplaint                 plain             -                       ASSIGNED        -  B  B  -  -  -  -  B
transferComplaint               plain             O:NOT_FOUND             =               BU BU BU -  -  -  -  BU
respondToComplaint              plain             O:NOT_FOUND             ANSWERED        U  U  U  U  -  -  -  U
redactComplaint                 secret            -                       =               B  B  B  B  B  B  B  B
respondToRedactedComplaint      secret            O:BAD_USER_INPUT        ANSWERED        U  U  U  U  -  -  -  U
transferRedactedComplaint       secret            O:NOT_FOUND             =               U  U  U  -  -  -  -  U
changeComplaintState/RECEIVED   plain             B:CONFLICT              =               -  -  -  -  -  -  -  -
changeComplaintState/CLASSIFIED plain             B:CONFLICT              =               -  -  -  -  -  -  -  -
changeComplaintState/ASSIGNED   plain             -                       ASSIGNED        -  -  -  B  -  -  -  -
changeComplaintState/ANSWERED   plain             B:CONFLICT              =               -  -  -  -  -  -  -  -
changeComplaintState/CLOSED     plain             -                       CLOSED          -  -  -  B  -  -  -  -
changeComplaintState/WITHDRAWN  plain             -                       WITHDRAWN       B  B  B  B  -  -  -  B
changeComplaintState/REJECTED   plain             -                       REJECTED        B  B  B  B  -  -  -  B
acceptComplaint                 grievance         O:NOT_FOUND             =               BU BU BU -  -  -  -  -
extendDeadline                  accepted          O:NOT_FOUND             =               BU BU BU -  -  -  -  BU
suspendClock                    plain             O:NOT_FOUND             =               BU BU BU -  -  -  -  BU
resumeClock                     stopped           O:NOT_FOUND             =               BU BU BU -  -  -  -  BU
recordFinding                   plain             -                       =               B  B  B  B  B  B  B  B
correctComplaint                plain             -                       =               B  B  B  B  B  B  B  B
proposeCorrection               plain             O:NOT_FOUND             =               U  U  U  U  U  U  U  U
decideCorrection/accept         proposed          -                       =               B  B  B  B  B  B  B  B
decideCorrection/refuse         proposed          -                       =               B  B  B  B  B  B  B  B
withdrawCorrection              proposed          O:NOT_FOUND             =               U  U  U  U  U  U  U  U
linkDuplicate                   plain             -                       =               B  B  B  B  B  B  B  B
unlinkDuplicate                 linked            -                       =               B  B  B  B  B  B  B  B
mergeOfficers                   officer           -                       =               B  B  B  B  B  B  B  B
splitOfficer/move               officer           -                       =               B  B  B  B  B  B  B  B
splitOfficer/undo               merged-officer    -                       =               B  B  B  B  B  B  B  B
mergeEnterprises                enterprise        -                       =               B  B  B  B  B  B  B  B
splitEnterprise/move            enterprise        -                       =               B  B  B  B  B  B  B  B
splitEnterprise/undo            merged-enterprise -                       =               B  B  B  B  B  B  B  B
renewReceipt                    plain             U:NOT_FOUND,O:NOT_FOUND =               BI BI BI BI BI BI BI BI
confirmSatisfaction/yes         plain             -                       =               -  -  -  IR IR -  -  -
confirmSatisfaction/no          plain             -                       ASSIGNED,CD>=   -  -  -  IR IR -  -  -
reopenByReceipt                 plain             -                       ASSIGNED        -  -  -  IR -  -  -  -
addToComplaint                  plain             -                       =               IR IR IR IR -  -  -  IR
withdrawByReceipt               plain             -                       WITHDRAWN       IR IR IR IR -  -  -  IR
";

/// The mutations that change no complaint: they make one, or change something else.
pub const ELSEWHERE: &str = "
    changeIssueCategory changeOfficer changeProposalState changeUnit closeIssueCategory closeUnit correctPosting
    createIssueCategory createNotificationEndpoint createOfficer createToken createUnit deleteQuery
    endAlertSubscription endDigestSubscription
    disableAccount enableAccount
    disableNotificationEndpoint enableNotificationEndpoint endMeasure endPosting endRoutingRule extendMeasure
    giveOpinion issueGuidance liftMeasure moveUnit pauseJob propose putRoutingRule recordExplanation recordMeasure
    removeHolidays reorganise requestOpinion resumeJob reviewFlag reviseGuidance revokeTokens rotateWebhookSecret
    runJob saveQuery sendTestDigest setHolidays startPosting submitComplaint
    subscribeToAlerts subscribeToDigests
    testNotificationEndpoint voidMeasure withdrawGuidance";

/// Mutations of these that name complaints and leave them as they are.
pub const NAMING: [&str; 1] = ["recordMeasure"];

/// What a complaint is like, besides its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// FEEDBACK about the branch 02CV.
    Plain,
    /// Confidential and redacted.
    Secret,
    Grievance,
    /// A grievance that was accepted.
    Accepted,
    /// Its clock is stopped.
    Stopped,
    /// A duplicate of another one.
    Linked,
    /// The head of 02CV proposed a correction.
    Proposed,
    /// The complaint names an officer whom no other complaint names.
    Officer,
    /// The same, and that officer was merged into another one.
    MergedOfficer,
    /// The complaint is of an enterprise that has no other complaint.
    Enterprise,
    MergedEnterprise,
}

impl Kind {
    fn of(word: &str) -> Self {
        match word {
            "plain" => Self::Plain,
            "secret" => Self::Secret,
            "grievance" => Self::Grievance,
            "accepted" => Self::Accepted,
            "stopped" => Self::Stopped,
            "linked" => Self::Linked,
            "proposed" => Self::Proposed,
            "officer" => Self::Officer,
            "merged-officer" => Self::MergedOfficer,
            "enterprise" => Self::Enterprise,
            "merged-enterprise" => Self::MergedEnterprise,
            other => panic!("no kind of complaint is called {other:?}"),
        }
    }
}

/// A row of the table.
#[derive(Debug)]
pub struct Row {
    pub name: &'static str,
    pub kind: Kind,
    told: Vec<(char, &'static str)>,
    then: &'static str,
    /// The states from which another one follows, by their columns.
    exceptions: Vec<(&'static str, &'static str)>,
    cells: Vec<&'static str>,
}

/// The rows of the table.
pub static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let mut lines = TABLE.lines().filter(|line| !line.is_empty());
    let header: Vec<&str> = lines.next().expect("the header").split_whitespace().skip(4).collect();
    assert_eq!(header, STATES.map(|(column, _)| column));
    lines.map(Row::of).collect()
});

impl Row {
    fn of(line: &'static str) -> Self {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words.len(), 4 + STATES.len(), "{line}");
        let told = words[2].split(',').filter_map(|told| told.split_once(':'));
        let (then, exceptions) = words[3].split_once(',').unwrap_or((words[3], ""));
        Self {
            name: words[0],
            kind: Kind::of(words[1]),
            told: told.map(|(role, code)| (role.chars().next().expect("a role"), code)).collect(),
            then,
            exceptions: exceptions.split(',').filter_map(|one| one.split_once('>')).collect(),
            cells: words[4..].to_vec(),
        }
    }

    /// The mutation, and which use of it.
    pub fn parts(&self) -> (&'static str, &'static str) {
        self.name.split_once('/').unwrap_or((self.name, ""))
    }

    /// The code with which a role is refused in the state of a column; None if it may.
    pub fn refusal(&self, role: char, column: usize) -> Option<&'static str> {
        if self.cells[column].contains(role) {
            return None;
        }
        let told = self.told.iter().find(|(of, _)| *of == role).map(|(_, code)| *code);
        let may_elsewhere = self.cells.iter().any(|cell| cell.contains(role));
        let otherwise = match role {
            _ if may_elsewhere => "CONFLICT",
            'R' => "UNAUTHENTICATED",
            _ => "FORBIDDEN",
        };
        Some(told.unwrap_or(otherwise))
    }

    /// The state after the mutation in the state of a column.
    pub fn then(&self, column: usize) -> &'static str {
        let (name, before) = STATES[column];
        let exception = self.exceptions.iter().find(|(of, _)| *of == name).map(|(_, then)| *then);
        match exception.unwrap_or(self.then) {
            "=" => before,
            other => other,
        }
    }
}
