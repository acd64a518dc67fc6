//! The states of a complaint and the transitions between them.

use crate::enums::ComplaintState::{self, Answered, Assigned, Classified, Closed, Received, Rejected, Withdrawn};
use crate::refusal::{CaseRefusal, Refusal, Refuses};

/// A transition that is not allowed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a complaint that is {from} cannot become {to}")]
pub struct NoSuchStep {
    pub from: ComplaintState,
    pub to: ComplaintState,
}

impl Refuses for NoSuchStep {
    fn refusal(self) -> Refusal {
        CaseRefusal::NoSuchStep { state: self.from, next: self.to }.refusal()
    }
}

/// Whether a complaint in this state is still open.
pub fn is_open(state: ComplaintState) -> bool {
    matches!(state, Received | Classified | Assigned | Answered)
}

/// Whether a complaint in this state waits for an answer.
pub fn is_waiting(state: ComplaintState) -> bool {
    matches!(state, Received | Classified | Assigned)
}

/// Whether a complaint in this state counts against no officer and no unit.
pub fn is_void(state: ComplaintState) -> bool {
    matches!(state, Withdrawn | Rejected)
}

/// Checks one transition.
///
/// # Errors
/// If the transition is not allowed.
pub fn step(from: ComplaintState, to: ComplaintState) -> Result<(), NoSuchStep> {
    match (from, to) {
        (Received, Classified) | (Classified, Assigned) | (Assigned, Answered) | (Answered, Closed | Assigned) => {
            Ok(())
        }
        (_, Withdrawn | Rejected) if is_open(from) => Ok(()),
        _ => Err(NoSuchStep { from, to }),
    }
}

/// The transitions to ANSWERED: a response implies that the complaint was classified and assigned. Empty where the
/// complaint is answered already.
///
/// # Errors
/// If the complaint is not open.
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
