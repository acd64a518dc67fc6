//! Whether a reader wants a digest with this content.

use crate::digest::DigestDocument;
use schema::enums::{DigestCondition, DigestSection, Tier};

/// Why a digest does not meet the condition of its reader; None if it does. `min_overdue` is the number for the
/// condition OVERDUE.
pub fn unmet(document: &DigestDocument, condition: DigestCondition, min_overdue: i32) -> Option<String> {
    let (is_met, why) = match condition {
        DigestCondition::Always => return None,
        DigestCondition::Overdue => {
            let overdue = document.overdue.overdue;
            let why = format!("{overdue} complaints are overdue, and its reader wants it with more than {min_overdue}");
            (i64::from(overdue) > i64::from(min_overdue), why)
        }
        DigestCondition::NewFlag => {
            (has_new_flag(document), format!("no flag at REVIEW or above is new or raised {}", since(document)))
        }
        DigestCondition::AnythingNew => {
            (has_anything_new(document), format!("nothing in its sections is new {}", since(document)))
        }
    };
    (!is_met).then_some(why)
}

fn since(document: &DigestDocument) -> String {
    match document.previous_as_of {
        Some(day) => format!("since the digest of {day}"),
        None => "in its first digest".to_owned(),
    }
}

fn has_new_flag(document: &DigestDocument) -> bool {
    document.flags.standing.iter().any(|flag| {
        let is_up = matches!(flag.change.as_deref(), Some("flags-new" | "flags-raised"));
        is_up && flag.tier >= Tier::Review
    })
}

/// Whether a section of the digest tells of anything that the digest before did not.
fn has_anything_new(document: &DigestDocument) -> bool {
    let news = &document.news;
    let in_section = |section: DigestSection| match section {
        DigestSection::Flags => document.flags.changes > 0,
        DigestSection::Measures => document.measures.count > 0,
        DigestSection::Overdue => news.overdue > 0 || document.overdue.newly_escalated.iter().any(|count| *count > 0),
        DigestSection::Rising => !news.rising.is_empty(),
        DigestSection::Numbers => news.received > 0 || news.answered > 0 || news.overdue > 0 || news.other > 0,
        DigestSection::Answers => news.answered > 0,
        DigestSection::Blame => document.blame.iter().any(|line| line.is_new),
        DigestSection::Proposals => document.proposals.iter().any(|proposal| proposal.is_new),
        DigestSection::Register => !document.register.is_empty(),
    };
    DigestSection::WORDS
        .iter()
        .filter_map(|word| word.parse::<DigestSection>().ok())
        .any(|section| document.has(section) && in_section(section))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::board::{BlameLine, ProposalLine};
    use crate::digest::document::RegisterChange;
    use crate::digest::flagged::Standing;
    use crate::digest::sample::{flag, quiet};
    use schema::domain::ids::random_id;
    use schema::enums::{ProposalState, SubjectKind};

    fn with(change: impl FnOnce(&mut DigestDocument)) -> DigestDocument {
        let mut document = quiet();
        change(&mut document);
        document
    }

    fn blame(is_new: bool) -> BlameLine {
        let (kind, code) = (SubjectKind::Officer, "CC01".to_owned());
        BlameLine { kind, code, blamed: 9, without_incident: 8, share: 0.9, peers_share: 0.1, is_new }
    }

    fn proposal(is_new: bool) -> ProposalLine {
        ProposalLine {
            proposal: random_id(),
            title: "Tập huấn".to_owned(),
            state: ProposalState::Implemented,
            implemented_on: None,
            is_new,
            effect: None,
        }
    }

    #[test]
    fn anything_new_is_what_each_section_tells_anew() {
        let why = |document: &DigestDocument| unmet(document, DigestCondition::AnythingNew, 0);
        let nothing = "nothing in its sections is new since the digest of 2025-12-30";
        for old in [
            quiet(),
            with(|document| document.flags.standing = vec![flag(Tier::SuspensionReview, None)]),
            with(|document| document.blame = vec![blame(false)]),
            with(|document| document.proposals = vec![proposal(false)]),
        ] {
            assert_eq!(why(&old).as_deref(), Some(nothing), "{old:?}");
        }
        let change = RegisterChange { kind: "RECEIVED".to_owned(), count: 1 };
        for (section, new) in [
            (DigestSection::Flags, with(|document| document.flags.changes = 1)),
            (DigestSection::Measures, with(|document| document.measures.count = 1)),
            (DigestSection::Overdue, with(|document| document.overdue.newly_escalated = [0, 1])),
            (DigestSection::Overdue, with(|document| document.news.overdue = 1)),
            (DigestSection::Rising, with(|document| document.news.rising = vec!["TD".to_owned()])),
            (DigestSection::Numbers, with(|document| document.news.received = 1)),
            (DigestSection::Numbers, with(|document| document.news.other = 1)),
            (DigestSection::Answers, with(|document| document.news.answered = 1)),
            (DigestSection::Blame, with(|document| document.blame = vec![blame(true)])),
            (DigestSection::Proposals, with(|document| document.proposals = vec![proposal(true)])),
            (DigestSection::Register, with(|document| document.register = vec![change])),
        ] {
            assert_eq!(why(&new), None, "{section}: {new:?}");
            let of_section = DigestDocument { sections: vec![section], ..new.clone() };
            assert_eq!(why(&of_section), None, "{section} alone: {new:?}");
            // A section that the reader does not get tells nothing.
            let other = match section {
                DigestSection::Flags => DigestSection::Measures,
                _ => DigestSection::Flags,
            };
            let elsewhere = DigestDocument { sections: vec![other], ..new.clone() };
            assert_eq!(why(&elsewhere).as_deref(), Some(nothing), "{section}: {new:?}");
        }
    }

    #[test]
    fn a_new_flag_is_one_at_review_or_above_that_is_new_or_raised() {
        let met = |flags: Vec<Standing>| {
            let document = with(|document| document.flags.standing = flags);
            unmet(&document, DigestCondition::NewFlag, 0).is_none()
        };
        assert!(!met(Vec::new()));
        assert!(!met(vec![flag(Tier::SuspensionReview, None), flag(Tier::Watch, Some("flags-new"))]));
        assert!(!met(vec![flag(Tier::Review, Some("flags-lowered")), flag(Tier::Watch, Some("flags-raised"))]));
        assert!(met(vec![flag(Tier::Review, Some("flags-raised"))]));
        assert!(met(vec![flag(Tier::Watch, None), flag(Tier::SuspensionReview, Some("flags-new"))]));
    }

    #[test]
    fn overdue_means_more_than_the_number() {
        let why = |least| unmet(&quiet(), DigestCondition::Overdue, least);
        assert_eq!(why(2), None);
        let told = "3 complaints are overdue, and its reader wants it with more than 3";
        assert_eq!(why(3).as_deref(), Some(told));
        assert_eq!(unmet(&quiet(), DigestCondition::Always, 9), None);
    }
}
