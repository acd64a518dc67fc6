//! The life of a complaint.

use crate::enums::ComplaintState::{self, Answered, Assigned, Classified, Closed, Received, Rejected, Withdrawn};

/// A step that the life of a complaint does not know.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a complaint that is {from} cannot become {to}")]
pub struct NoSuchStep {
    pub from: ComplaintState,
    pub to: ComplaintState,
}

/// Whether somebody still has to do something about it.
pub fn is_open(state: ComplaintState) -> bool {
    matches!(state, Received | Classified | Assigned | Answered)
}

/// Whether it counts for nobody.
pub fn is_void(state: ComplaintState) -> bool {
    matches!(state, Withdrawn | Rejected)
}

/// Checks one step.
pub fn step(from: ComplaintState, to: ComplaintState) -> Result<(), NoSuchStep> {
    match (from, to) {
        (Received, Classified) | (Classified, Assigned) | (Assigned, Answered) | (Answered, Closed | Assigned) => {
            Ok(())
        }
        (_, Withdrawn | Rejected) if is_open(from) => Ok(()),
        _ => Err(NoSuchStep { from, to }),
    }
}

/// The steps that lead to ANSWERED: a unit that answers a complaint addressed to it has thereby
/// been assigned it. Empty where it is answered already.
pub fn steps_to_answered(from: ComplaintState) -> Result<&'static [ComplaintState], NoSuchStep> {
    match from {
        Received => Ok(&[Classified, Assigned, Answered]),
        Classified => Ok(&[Assigned, Answered]),
        Assigned => Ok(&[Answered]),
        Answered => Ok(&[]),
        Closed | Withdrawn | Rejected => Err(NoSuchStep { from, to: Answered }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_to_an_answer_is_made_of_steps() {
        for from in [Received, Classified, Assigned, Answered] {
            let mut at = from;
            for to in steps_to_answered(from).expect("open") {
                step(at, *to).expect("a step");
                at = *to;
            }
            assert_eq!(at, Answered);
        }
    }

    #[test]
    fn nothing_leads_out_of_an_end() {
        for end in [Closed, Withdrawn, Rejected] {
            for word in ComplaintState::WORDS {
                assert!(step(end, word.parse().expect("a state")).is_err());
            }
        }
        assert!(step(Answered, Assigned).is_ok(), "a dissatisfied enterprise reopens");
        assert!(step(Received, Answered).is_err());
    }
}
