//! The enums of the register, stored as text with a CHECK on the allowed words.

use crate::db::MultiBackend;
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Text;
use diesel::sqlite::{Sqlite, SqliteValue};
use serde::{Deserialize, Serialize};

/// A word that an enum does not have.
#[derive(Debug, thiserror::Error)]
#[error("{word:?} is not one of {}", allowed.join(", "))]
pub struct UnknownWord {
    pub word: String,
    pub allowed: &'static [&'static str],
}

macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow, Serialize, Deserialize)]
        #[diesel(sql_type = Text)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            pub const WORDS: &'static [&'static str] = &[$($text),+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// Its place in `WORDS`, which columns of the snapshot hold.
            pub const fn place(self) -> u32 {
                self as u32
            }
        }

        impl std::str::FromStr for $name {
            type Err = UnknownWord;
            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(UnknownWord { word: word.to_owned(), allowed: Self::WORDS }),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl<DB> ToSql<Text, DB> for $name
        where
            DB: Backend,
            str: ToSql<Text, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                self.as_str().to_sql(out)
            }
        }

        // A word is compared where it lies: an export reads millions of them, and each `String` would take memory.
        impl FromSql<Text, Pg> for $name {
            fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                Ok(std::str::from_utf8(value.as_bytes())?.parse()?)
            }
        }

        impl FromSql<Text, Sqlite> for $name {
            fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
                Ok(value.read_text().parse()?)
            }
        }

        impl FromSql<Text, MultiBackend> for $name {
            fn from_sql(value: <MultiBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                value.from_sql::<Self, Text>()
            }
        }
    };
}

text_enum!(UnitKind {
    GeneralDepartment = "GENERAL_DEPARTMENT",
    HeadquartersUnit = "HEADQUARTERS_UNIT",
    ProvincialDepartment = "PROVINCIAL_DEPARTMENT",
    Branch = "BRANCH",
    Team = "TEAM",
});

text_enum!(
    /// The group of units whose work is comparable.
    PeerGroup {
        Seaport = "SEAPORT",
        Airport = "AIRPORT",
        LandBorder = "LAND_BORDER",
        Inland = "INLAND",
        Other = "OTHER",
    }
);

text_enum!(CategoryKind {
    Proficiency = "PROFICIENCY",
    Procedure = "PROCEDURE",
    RigidHandling = "RIGID_HANDLING",
    Technical = "TECHNICAL",
    Conduct = "CONDUCT",
});

text_enum!(
    /// The kind of days in which the deadline of a category is counted.
    DeadlineUnit { Working = "WORKING", Calendar = "CALENDAR" }
);

text_enum!(
    /// phản ánh, khiếu nại, tố cáo.
    LegalForm { Feedback = "FEEDBACK", Grievance = "GRIEVANCE", Denunciation = "DENUNCIATION" }
);

text_enum!(Channel {
    Portal = "PORTAL",
    Hotline = "HOTLINE",
    Email = "EMAIL",
    Letter = "LETTER",
    InPerson = "IN_PERSON",
    Visit = "VISIT",
    Other = "OTHER",
});

text_enum!(ComplaintState {
    Received = "RECEIVED",
    Classified = "CLASSIFIED",
    Assigned = "ASSIGNED",
    Answered = "ANSWERED",
    Closed = "CLOSED",
    Withdrawn = "WITHDRAWN",
    Rejected = "REJECTED",
});

text_enum!(
    /// Whether the enterprise asserts that the officer was involved, or the Board has confirmed it.
    Attribution { Asserted = "ASSERTED", Confirmed = "CONFIRMED" }
);

text_enum!(Finding {
    Pending = "PENDING",
    Sustained = "SUSTAINED",
    NotSustained = "NOT_SUSTAINED",
    Unfounded = "UNFOUNDED",
    Exonerated = "EXONERATED",
});

text_enum!(ResponseAction {
    Explanation = "EXPLANATION",
    Correction = "CORRECTION",
    Guidance = "GUIDANCE",
    Forwarded = "FORWARDED",
    Measure = "MEASURE",
    Other = "OTHER",
});

text_enum!(
    /// The readers of a response.
    ResponseVisibility { Complainant = "COMPLAINANT", Internal = "INTERNAL" }
);

text_enum!(
    /// The severity of a flag. What the highest tier proposes depends on the subject: see [`Proposed`].
    Tier { Watch = "WATCH", Review = "REVIEW", SuspensionReview = "SUSPENSION_REVIEW" }
);

text_enum!(
    /// The tier of a flag, with the name for its subject. Officers may be suspended, branches inspected.
    Proposed { Watch = "WATCH", Review = "REVIEW", SuspensionReview = "SUSPENSION_REVIEW", Inspection = "INSPECTION" }
);

impl Tier {
    pub const fn proposed(self, of: SubjectKind) -> Proposed {
        match (self, of) {
            (Self::Watch, _) => Proposed::Watch,
            (Self::Review, _) => Proposed::Review,
            (Self::SuspensionReview, SubjectKind::Officer) => Proposed::SuspensionReview,
            (Self::SuspensionReview, SubjectKind::Branch) => Proposed::Inspection,
        }
    }
}

text_enum!(
    /// The precision of a date that is not known to the day.
    DatePrecision { Month = "MONTH" }
);

text_enum!(FlagState {
    Open = "OPEN",
    Acknowledged = "ACKNOWLEDGED",
    UnderReview = "UNDER_REVIEW",
    Upheld = "UPHELD",
    Dismissed = "DISMISSED",
    Expired = "EXPIRED",
    Retracted = "RETRACTED",
});

text_enum!(SubjectKind { Officer = "OFFICER", Branch = "BRANCH" });

text_enum!(RunState { Running = "RUNNING", Succeeded = "SUCCEEDED", Failed = "FAILED" });

text_enum!(
    /// The origin of a run: its schedule, or a person.
    RunOrigin { Scheduled = "SCHEDULED", Manual = "MANUAL" }
);

text_enum!(
    /// The languages of digests.
    Locale { Vi = "vi", En = "en" }
);

text_enum!(DeliveryChannel { Email = "EMAIL", Folder = "FOLDER" });

text_enum!(
    /// How a notification reaches an endpoint.
    NotificationChannel { Webhook = "WEBHOOK", Email = "EMAIL" }
);

text_enum!(
    /// The kind of an alert.
    AlertKind {
        SuspensionReview = "SUSPENSION_REVIEW",
        TechnicalBurst = "TECHNICAL_BURST",
        JobFailed = "JOB_FAILED",
        JobMissed = "JOB_MISSED",
        DigestUndelivered = "DIGEST_UNDELIVERED",
        /// Heads of units get it.
        ComplaintEscalated = "COMPLAINT_ESCALATED",
    }
);

text_enum!(
    /// When a reader gets a digest.
    DigestCondition {
        Always = "ALWAYS",
        /// A section of the digest tells of anything that the digest before did not.
        AnythingNew = "ANYTHING_NEW",
        /// A flag is new or raised, at REVIEW or above.
        NewFlag = "NEW_FLAG",
        /// More complaints than some number are overdue.
        Overdue = "OVERDUE",
    }
);

text_enum!(
    /// A part of a digest.
    DigestSection {
        Flags = "FLAGS",
        Measures = "MEASURES",
        Overdue = "OVERDUE",
        Rising = "RISING",
        Numbers = "NUMBERS",
        Answers = "ANSWERS",
        Blame = "BLAME",
        Proposals = "PROPOSALS",
        Register = "REGISTER",
    }
);

text_enum!(DeliveryState { Pending = "PENDING", Sent = "SENT", Failed = "FAILED" });

text_enum!(Role {
    Board = "BOARD",
    UnitHead = "UNIT_HEAD",
    DataTeam = "DATA_TEAM",
    Dashboard = "DASHBOARD",
    Intake = "INTAKE",
    Admin = "ADMIN",
});

text_enum!(ComplaintEventKind {
    Received = "RECEIVED",
    Updated = "UPDATED",
    StateChanged = "STATE_CHANGED",
    Responded = "RESPONDED",
    UnitTreeCorrected = "UNIT_TREE_CORRECTED",
    Corrected = "CORRECTED",
});

text_enum!(ReferenceEventKind { Created = "CREATED", Updated = "UPDATED", Removed = "REMOVED" });

text_enum!(
    /// Whether a personal value belongs to the `before` or the `after` fields of its event.
    Side { Before = "BEFORE", After = "AFTER" }
);

text_enum!(
    /// The hash chains that seals cover.
    Chain { Complaints = "COMPLAINTS", Reference = "REFERENCE", Audit = "AUDIT", State = "STATE" }
);

impl Chain {
    pub const ALL: [Self; 4] = [Self::Complaints, Self::Reference, Self::Audit, Self::State];
}

text_enum!(
    /// The state of a guidance document of a headquarters unit.
    GuidanceState {
        OpinionRequested = "OPINION_REQUESTED",
        OpinionGiven = "OPINION_GIVEN",
        Issued = "ISSUED",
        Withdrawn = "WITHDRAWN",
    }
);

text_enum!(
    /// The Board's opinion about a guidance document.
    OpinionVerdict { Agreed = "AGREED", AgreedWithChanges = "AGREED_WITH_CHANGES", NotAgreed = "NOT_AGREED" }
);

text_enum!(ProposalState {
    Proposed = "PROPOSED",
    Accepted = "ACCEPTED",
    Rejected = "REJECTED",
    Implemented = "IMPLEMENTED",
    Withdrawn = "WITHDRAWN",
});

text_enum!(
    /// The state of a correction that a head of a unit proposed.
    CorrectionState { Proposed = "PROPOSED", Accepted = "ACCEPTED", Refused = "REFUSED", Withdrawn = "WITHDRAWN" }
);

text_enum!(
    /// điều chuyển, kỷ luật, đình chỉ công tác, kiểm điểm.
    MeasureKind {
        Reassignment = "REASSIGNMENT",
        Discipline = "DISCIPLINE",
        Suspension = "SUSPENSION",
        FormalReview = "FORMAL_REVIEW",
    }
);

text_enum!(
    /// The grounds of a suspension, in the order of Article 68a of Decree 138/2020/NĐ-CP.
    SuspensionGround {
        MoralConduct = "MORAL_CONDUCT",
        HarassmentOfEnterprises = "HARASSMENT_OF_ENTERPRISES",
        EvasionOfDuty = "EVASION_OF_DUTY",
        HindersDiscipline = "HINDERS_DISCIPLINE",
        PartyDiscipline = "PARTY_DISCIPLINE",
        RequestedByAuthority = "REQUESTED_BY_AUTHORITY",
        OtherByLaw = "OTHER_BY_LAW",
    }
);

text_enum!(
    /// The basis of a measure: a flag (and perhaps complaints), complaints only, or explicitly neither.
    MeasureBasisKind { Flag = "FLAG", Complaints = "COMPLAINTS", None = "NONE" }
);

text_enum!(
    /// The state of a measure on a day. It follows from the dates of the measure and is not stored.
    MeasureState {
        Upcoming = "UPCOMING",
        InForce = "IN_FORCE",
        Extended = "EXTENDED",
        Lapsed = "LAPSED",
        Lifted = "LIFTED",
        Void = "VOID",
    }
);

text_enum!(
    /// The actions that the audit log records.
    AuditAction {
        /// A reader saw the identity of an officer or enterprise, or an officer's file.
        Look = "LOOK",
        Export = "EXPORT",
        Sql = "SQL",
        TokenCreated = "TOKEN_CREATED",
        TokenRevoked = "TOKEN_REVOKED",
        OperationsTrusted = "OPERATIONS_TRUSTED",
    }
);
