//! GraphQL enums that mirror the enums of the `schema` crate.

use async_graphql::Enum;
use schema::enums as stored;

/// A GraphQL enum that mirrors a stored one.
pub trait Mirror: Copy + Into<Self::Stored> {
    type Stored;
}

macro_rules! mirror {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attribute:meta])* $variant:ident),+ $(,)? })+) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
            pub enum $name { $($(#[$attribute])* $variant),+ }

            impl From<stored::$name> for $name {
                fn from(value: stored::$name) -> Self {
                    match value { $(stored::$name::$variant => Self::$variant),+ }
                }
            }

            impl Mirror for $name {
                type Stored = stored::$name;
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
    /// The kind of a customs unit.
    UnitKind { GeneralDepartment, HeadquartersUnit, ProvincialDepartment, Branch, Team }
    /// Units that are compared with one another because their work is alike.
    PeerGroup { Seaport, Airport, LandBorder, Inland, Other }
    /// The kind of a category of issues.
    CategoryKind { Proficiency, Procedure, RigidHandling, Technical, Conduct }
    /// The kind of days in which the deadline of a category is counted: working days of the civil service, or calendar
    /// days.
    DeadlineUnit { Working, Calendar }
    /// The legal form: phản ánh (FEEDBACK), khiếu nại (GRIEVANCE), tố cáo (DENUNCIATION).
    LegalForm { Feedback, Grievance, Denunciation }
    /// The channel of receipt.
    Channel { Portal, Hotline, Email, Letter, InPerson, Visit, Other }
    /// The state of a complaint.
    ComplaintState { Received, Classified, Assigned, Answered, Closed, Withdrawn, Rejected }
    /// Whether the enterprise asserts that it was this officer, or the Board has confirmed it.
    Attribution { Asserted, Confirmed }
    /// The finding on an allegation. PENDING until a decision.
    Finding { Pending, Sustained, NotSustained, Unfounded, Exonerated }
    /// The kind of action of a unit's response.
    ResponseAction { Explanation, Correction, Guidance, Forwarded, Measure, Other }
    /// The readers of a response: the complainant, who reads it by the receipt, or the customs service alone.
    ResponseVisibility { Complainant, Internal }
    /// The role of a principal.
    Role { Board, UnitHead, DataTeam, Dashboard, Intake, Admin }
    /// The action that an audit log entry records. LOOK: an identity, the file of an officer or the content of
    /// a complaint was seen.
    AuditAction { Look, Export, Sql, TokenCreated, TokenRevoked, OperationsTrusted }
    /// The severity of a flag. `Flag.proposed` says what it proposes for its subject.
    Tier {
        Watch,
        Review,
        /// The gravest tier. It proposes to review whether to suspend an officer, or to inspect a branch.
        SuspensionReview,
    }
    /// The measure that a flag proposes, from its tier and its kind of subject.
    Proposed {
        /// Watch the subject.
        Watch,
        /// Review the subject.
        Review,
        /// Review whether to suspend the officer.
        SuspensionReview,
        /// Inspect the branch. This is the gravest proposal for a branch, which cannot be suspended.
        Inspection,
    }
    /// The state of a flag. EXPIRED: the tier is no longer reached. RETRACTED: its evidence no longer counts.
    FlagState { Open, Acknowledged, UnderReview, Upheld, Dismissed, Expired, Retracted }
    /// The kind of subject of a flag.
    SubjectKind { Officer, Branch }
    /// The state of a job run.
    RunState { Running, Succeeded, Failed }
    /// A language.
    Locale { Vi, En }
    /// The channel of a delivery.
    DeliveryChannel { Email, Folder }
    /// The schedule of a reader's digests.
    DigestCondition {
        /// The digest is sent at every time of the schedule.
        Always,
        /// The digest is sent if one of its sections has anything new.
        AnythingNew,
        /// The digest is sent if a flag at REVIEW or above is new or raised.
        NewFlag,
        /// The digest is sent if it has more overdue complaints than a number.
        Overdue,
    }
    /// A part of a digest.
    DigestSection { Flags, Measures, Overdue, Rising, Numbers, Answers, Blame, Proposals, Register }
    /// The state of a delivery.
    DeliveryState { Pending, Sent, Failed }
    /// The kind of an alert.
    AlertKind {
        /// A new flag of the gravest tier that is still open: it proposes to review a suspension, or to inspect a
        /// branch.
        SuspensionReview,
        /// Unusually many technical complaints in some hours.
        TechnicalBurst,
        /// A scheduled run of a job failed and is not tried again.
        JobFailed,
        /// A job did not run when it was due.
        JobMissed,
        /// A digest has not reached all its recipients.
        DigestUndelivered,
        /// An overdue complaint was escalated to a unit of the head whom the alert is for.
        ComplaintEscalated,
    }
    /// The channel of an endpoint.
    NotificationChannel { Webhook, Email }
    /// The origin of a run: its schedule, or a person.
    RunOrigin { Scheduled, Manual }
    /// The state of a guidance document.
    GuidanceState { OpinionRequested, OpinionGiven, Issued, Withdrawn }
    /// The verdict of the Board on a guidance document.
    OpinionVerdict { Agreed, AgreedWithChanges, NotAgreed }
    /// The state of a proposal.
    ProposalState { Proposed, Accepted, Rejected, Implemented, Withdrawn }
    /// The kind of step of a row of reference data.
    ReferenceEventKind { Created, Updated, Removed }
    /// The state of a proposed correction.
    CorrectionState { Proposed, Accepted, Refused, Withdrawn }
    /// The kind of a measure: điều chuyển (REASSIGNMENT), kỷ luật (DISCIPLINE), đình chỉ công tác (SUSPENSION),
    /// kiểm điểm (FORMAL_REVIEW).
    MeasureKind { Reassignment, Discipline, Suspension, FormalReview }
    /// The grounds of a suspension, in the order of Article 68a of Decree 138/2020/NĐ-CP.
    SuspensionGround {
        /// Conduct or way of life that harms the standing of the service.
        MoralConduct,
        /// Nhũng nhiễu, tiêu cực, gây phiền hà: harasses or troubles people, enterprises or organisations at work.
        HarassmentOfEnterprises,
        /// Deliberately delays, passes on or avoids the officer's own work.
        EvasionOfDuty,
        /// Hinders a disciplinary proceeding, or would if the officer stayed at work.
        HindersDiscipline,
        /// Was disciplined by the Party, and the decision about the office is pending.
        PartyDiscipline,
        /// Inspectors, auditors, prosecutors or another authority asked for it in writing.
        RequestedByAuthority,
        /// Another case that a law names.
        OtherByLaw,
    }
    /// The basis of a measure.
    MeasureBasisKind {
        /// A flag on the officer, and perhaps complaints.
        Flag,
        /// Complaints that name the officer.
        Complaints,
        /// Neither, for the reason given.
        None,
    }
    /// The state of a measure today. It follows from the dates: a measure lapses by itself.
    MeasureState {
        /// The measure has not begun.
        Upcoming,
        /// The measure has begun and not ended.
        InForce,
        /// The measure is in force beyond its original last day, because it was extended.
        Extended,
        /// The last day of the measure has passed.
        Lapsed,
        /// The measure was ended early, and its last day has passed.
        Lifted,
        /// The measure was recorded by mistake.
        Void,
    }
}
