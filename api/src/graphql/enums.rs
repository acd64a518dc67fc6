//! The closed lists of the register as GraphQL enums.

use async_graphql::Enum;
use schema::enums as stored;

macro_rules! mirror {
    ($($name:ident { $($variant:ident),+ $(,)? })+) => {
        $(
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
            pub enum $name { $($variant),+ }

            impl From<stored::$name> for $name {
                fn from(value: stored::$name) -> Self {
                    match value { $(stored::$name::$variant => Self::$variant),+ }
                }
            }

            impl From<$name> for stored::$name {
                fn from(value: $name) -> Self {
                    match value { $($name::$variant => Self::$variant),+ }
                }
            }
        )+
    };
}

mirror! {
    UnitKind { GeneralDepartment, HeadquartersUnit, ProvincialDepartment, Branch, Team }
    PeerGroup { Seaport, Airport, LandBorder, Inland, Other }
    CategoryKind { Proficiency, Procedure, RigidHandling, Technical, Conduct }
    LegalForm { Feedback, Grievance, Denunciation }
    Channel { Portal, Hotline, Email, Letter, InPerson, Visit, Other }
    ComplaintState { Received, Classified, Assigned, Answered, Closed, Withdrawn, Rejected }
    Attribution { Asserted, Confirmed }
    Finding { Pending, Sustained, NotSustained, Unfounded, Exonerated }
    ResponseAction { Explanation, Correction, Guidance, Forwarded, Measure, Other }
    Role { Board, UnitHead, DataTeam, Dashboard, Intake, Admin }
    AuditAction { Look, Export, Sql, TokenCreated, TokenRevoked, OperationsTrusted }
    Tier { Watch, Review, SuspensionReview }
    FlagState { Open, Acknowledged, UnderReview, Upheld, Dismissed, Expired, Retracted }
    SubjectKind { Officer, Branch }
    RunState { Running, Succeeded, Failed }
    Locale { Vi, En }
    DeliveryChannel { Email, Folder }
    DeliveryState { Pending, Sent, Failed }
    RunOrigin { Scheduled, Manual }
    GuidanceState { OpinionRequested, OpinionGiven, Issued, Withdrawn }
    OpinionVerdict { Agreed, AgreedWithChanges, NotAgreed }
    ProposalState { Proposed, Accepted, Rejected, Implemented, Withdrawn }
    MeasureKind { Reassignment, Discipline, Suspension, FormalReview }
}
