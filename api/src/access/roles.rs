//! The groups of roles that the table speaks of.

use schema::enums::Role::{self, Admin, Board, Dashboard, DataTeam, Intake, UnitHead};

/// Who sees complaints, each within their scope of rows.
pub(super) const BOARD_AND_HEADS: &[Role] = &[Board, UnitHead];

/// Who sees reference data and texts about procedures, which are about no person.
pub(super) const REFERENCE: &[Role] = &[Board, UnitHead, DataTeam, Dashboard, Intake, Admin];

/// Who sees groups of complaints: within a scope of rows, with pseudonyms, or only those that are large enough.
pub(super) const STATISTICS: &[Role] = &[Board, UnitHead, DataTeam, Dashboard];

/// Who sees complaints or groups of them, and who submits them.
pub(super) const COMPLAINT_WORDS: &[Role] = &[Board, UnitHead, DataTeam, Dashboard, Intake];

/// Who sees groups by enterprise: one that counts for several is shown by one of them, which a head might not
/// be shown otherwise.
pub(super) const BOARD_AND_DATA_TEAM: &[Role] = &[Board, DataTeam];

/// Who exports, with pseudonyms.
pub const EXPORTERS: &[Role] = BOARD_AND_DATA_TEAM;

/// Whose episodes are formed of what they see: those of a head would tell of complaints that are kept from it.
pub(super) const SEES_ALL: &[Role] = &[Board, DataTeam, Dashboard];

/// Who sees groups of any size.
pub(super) const ANALYSTS: &[Role] = &[Board, UnitHead, DataTeam];

/// Who sees of groups what concerns people.
pub(super) const PEOPLE: &[Role] = &[Board, UnitHead];
