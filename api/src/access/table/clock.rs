//! The rows of the access table for the legal clock of complaints, its steps, and escalations.

use super::Audited::{AsCondition, No, Part, Root, Word};
use super::TableRow;
use crate::access::roles::{ANALYSTS, BOARD_AND_HEADS, REFERENCE};

pub(super) const CLOCK: &[TableRow] = &[
    ("Mutation", "acceptComplaint extendDeadline suspendClock resumeClock", BOARD_AND_HEADS, Root),
    ("AcceptComplaintInput ClockStepInput", "complaintId", BOARD_AND_HEADS, AsCondition),
    ("AcceptComplaintInput ClockStepInput", "* reason", BOARD_AND_HEADS, No("written, not asked: the event holds it")),
    ("ComplaintRound ClockStop", "*", ANALYSTS, No("days of a complaint, whose id has a field of its own")),
    ("Query", "escalations", BOARD_AND_HEADS, Root),
    ("Subscription", "complaintEscalated", BOARD_AND_HEADS, Root),
    ("Escalation", "complaint", BOARD_AND_HEADS, No("the complaint has fields of its own")),
    ("Escalation", "*", ANALYSTS, No("days and the unit; the complaint has fields of its own")),
    ("EscalationConnection EscalationEdge", "*", BOARD_AND_HEADS, Part),
    ("EscalationFilter", "*", BOARD_AND_HEADS, No("the kind of complaint; subjects have fields of their own")),
    ("EscalationOrder", "*", BOARD_AND_HEADS, Part),
    ("EscalationOrderField", "*", BOARD_AND_HEADS, Word),
    ("DeadlineUnit", "*", REFERENCE, Word),
];
