//! The closed lists of the register as GraphQL enums.

use async_graphql::Enum;
use schema::enums as stored;

macro_rules! mirror {
    ($($(#[$doc:meta])* $name:ident { $($(#[$said:meta])* $variant:ident),+ $(,)? })+) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
            pub enum $name { $($(#[$said])* $variant),+ }

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
    /// How serious a flag is. What it proposes by that depends on whom it is on: `Flag.proposed`.
    Tier {
        Watch,
        Review,
        /// The gravest tier: of an officer, that a suspension is reviewed; of a branch, that it is inspected.
        SuspensionReview,
    }
    /// What a flag proposes: its tier by the name that fits its subject.
    Proposed {
        /// That somebody is watched.
        Watch,
        /// That somebody is looked at.
        Review,
        /// That the suspension of an officer is reviewed.
        SuspensionReview,
        /// That a branch is inspected, which cannot be suspended: its gravest tier.
        Inspection,
    }
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
