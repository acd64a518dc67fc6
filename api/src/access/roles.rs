//! Groups of roles for the access table.

use schema::enums::Role::{self, Admin, Board, Dashboard, DataTeam, Intake, UnitHead};

/// Roles that see complaints, each within its row scope.
pub(super) const BOARD_AND_HEADS: &[Role] = &[Board, UnitHead];

/// Roles that see runs of jobs, and officers with their postings.
pub(super) const BOARD_AND_ADMIN: &[Role] = &[Board, Admin];

/// Roles that see who an officer is.
pub(super) const BOARD_HEADS_AND_ADMIN: &[Role] = &[Board, UnitHead, Admin];

/// Roles that see reference data and texts about procedures, which concern no person.
pub(super) const REFERENCE: &[Role] = &[Board, UnitHead, DataTeam, Dashboard, Intake, Admin];

/// Roles that see groups of complaints: within a row scope, with pseudonyms, or after suppression of small
/// groups.
pub(super) const STATISTICS: &[Role] = &[Board, UnitHead, DataTeam, Dashboard];

/// Roles that see complaints or groups of them, or submit complaints.
pub(super) const COMPLAINT_ENUMS: &[Role] = &[Board, UnitHead, DataTeam, Dashboard, Intake];

/// Roles that see groups by enterprise. Such a group shows one enterprise of several, possibly one outside the
/// row scope of a unit head.
pub(super) const BOARD_AND_DATA_TEAM: &[Role] = &[Board, DataTeam];

/// Roles that may export, with pseudonyms.
pub const EXPORTERS: &[Role] = BOARD_AND_DATA_TEAM;

/// Roles whose episodes are formed from all complaints. Episodes of a unit head would tell of complaints
/// outside the row scope.
pub(super) const SEES_ALL: &[Role] = &[Board, DataTeam, Dashboard];

/// Roles that see groups of any size.
pub(super) const ANALYSTS: &[Role] = &[Board, UnitHead, DataTeam];

/// Roles that see the history of complaints, each within its row scope, or of reference data.
pub(super) const HISTORIES: &[Role] = &[Board, UnitHead, DataTeam, Admin];

/// Roles that may filter groups by people and enterprises.
pub(super) const PEOPLE: &[Role] = &[Board, UnitHead];
