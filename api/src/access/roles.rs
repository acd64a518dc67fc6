//! Readers: roles, and the holder of a receipt; and groups of them for the access table.

use self::Reader::{Admin, Board, Dashboard, DataTeam, Intake, Receipt, UnitHead};
use schema::enums::Role;

/// The reader of a field: the holder of a token, by its role, or a client without a token, who can only be the holder
/// of a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    Board,
    UnitHead,
    DataTeam,
    Dashboard,
    Intake,
    Admin,
    /// Has no token, but the receipt code of a complaint.
    Receipt,
}

impl From<Role> for Reader {
    fn from(role: Role) -> Self {
        match role {
            Role::Board => Board,
            Role::UnitHead => UnitHead,
            Role::DataTeam => DataTeam,
            Role::Dashboard => Dashboard,
            Role::Intake => Intake,
            Role::Admin => Admin,
        }
    }
}

impl From<Option<Role>> for Reader {
    fn from(role: Option<Role>) -> Self {
        role.map_or(Receipt, Self::from)
    }
}

/// Readers that use a receipt code. A web site may relay the requests of complainants with its own INTAKE token; the
/// rate limits of that token then replace those of the address.
pub(super) const RECEIPT_HOLDERS: &[Reader] = &[Receipt, Intake];

/// Readers that send attachments: with a complaint, or with a receipt code.
pub(super) const SENDERS: &[Reader] = &[Receipt, Intake, Board, UnitHead];

/// Roles that submit complaints: INTAKE for programs, the Board and heads for callers.
pub(super) const TAKERS: &[Reader] = &[Intake, Board, UnitHead];

/// Roles that see complaints, each within its row scope.
pub(super) const BOARD_AND_HEADS: &[Reader] = &[Board, UnitHead];

/// Roles that see runs of jobs, and officers with their postings.
pub(super) const BOARD_AND_ADMIN: &[Reader] = &[Board, Admin];

/// Roles that see who an officer is.
pub(super) const BOARD_HEADS_AND_ADMIN: &[Reader] = &[Board, UnitHead, Admin];

/// Roles that read digests, and those that manage subscriptions to them.
pub(super) const DIGEST_READERS_AND_ADMIN: &[Reader] = &[Board, UnitHead, DataTeam, Admin];

/// Roles that see reference data and texts about procedures, which concern no person.
pub(super) const REFERENCE: &[Reader] = &[Board, UnitHead, DataTeam, Dashboard, Intake, Admin];

/// Roles that see groups of complaints: within a row scope, with pseudonyms, or after suppression of small
/// groups.
pub(super) const STATISTICS: &[Reader] = &[Board, UnitHead, DataTeam, Dashboard];

/// Roles that see complaints or groups of them, or submit complaints.
pub(super) const COMPLAINT_ENUMS: &[Reader] = &[Board, UnitHead, DataTeam, Dashboard, Intake];

/// Roles that see groups by enterprise. Such a group shows one enterprise of several, possibly one outside the
/// row scope of a unit head.
pub(super) const BOARD_AND_DATA_TEAM: &[Reader] = &[Board, DataTeam];

/// Roles that may export, with pseudonyms.
pub const EXPORTERS: &[Role] = &[Role::Board, Role::DataTeam];

/// Roles whose episodes are formed from all complaints. Episodes of a unit head would tell of complaints
/// outside the row scope.
pub(super) const SEES_ALL: &[Reader] = &[Board, DataTeam, Dashboard];

/// Roles that see groups of any size.
pub(super) const ANALYSTS: &[Reader] = &[Board, UnitHead, DataTeam];

/// Roles that see the history of complaints, each within its row scope, or of reference data.
pub(super) const HISTORIES: &[Reader] = &[Board, UnitHead, DataTeam, Admin];

/// Roles that may filter groups by people and enterprises.
pub(super) const PEOPLE: &[Reader] = &[Board, UnitHead];
