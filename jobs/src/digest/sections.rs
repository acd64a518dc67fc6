//! The sections of digests, by their readers.

use schema::enums::{DigestSection, Role};

/// The sections of the digest about all units.
const ALL: [DigestSection; 9] = [
    DigestSection::Flags,
    DigestSection::Measures,
    DigestSection::Overdue,
    DigestSection::Rising,
    DigestSection::Numbers,
    DigestSection::Answers,
    DigestSection::Blame,
    DigestSection::Proposals,
    DigestSection::Register,
];

/// The sections of a digest about one unit: what only the Board reads is left out.
const ABOUT_A_UNIT: [DigestSection; 6] = [
    DigestSection::Flags,
    DigestSection::Measures,
    DigestSection::Overdue,
    DigestSection::Rising,
    DigestSection::Numbers,
    DigestSection::Answers,
];

/// The sections for analysts: numbers of units, categories and time.
pub(super) const FOR_ANALYSTS: [DigestSection; 4] =
    [DigestSection::Numbers, DigestSection::Overdue, DigestSection::Rising, DigestSection::Answers];

/// The sections that the digest of a reader with a role has; `is_about_unit`: about one unit, as a head reads it.
pub fn sections_for(role: Role, is_about_unit: bool) -> &'static [DigestSection] {
    match (role, is_about_unit) {
        (Role::DataTeam, _) => &FOR_ANALYSTS,
        (Role::UnitHead, _) | (_, true) => &ABOUT_A_UNIT,
        _ => &ALL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_board_may_have_each_section_and_others_may_not() {
        let words = |role, is_about_unit| -> Vec<&str> {
            sections_for(role, is_about_unit).iter().map(|section| section.as_str()).collect()
        };
        assert_eq!(words(Role::Board, false), DigestSection::WORDS);
        for of_board in ["BLAME", "PROPOSALS", "REGISTER"] {
            assert!(!words(Role::Board, true).contains(&of_board), "{of_board}");
            assert!(!words(Role::UnitHead, true).contains(&of_board), "{of_board}");
        }
        assert!(["FLAGS", "MEASURES"].iter().all(|hidden| !words(Role::DataTeam, false).contains(hidden)));
    }
}
