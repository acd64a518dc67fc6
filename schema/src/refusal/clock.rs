//! Refusals of steps that change the deadline of a complaint.

use crate::enums::{ComplaintState, LegalForm};
use chrono::NaiveDate;

refusals! {
    /// Refusals of the acceptance, the extension, and stopping and resuming the clock.
    ClockRefusal {
        Conflict Ended { state: ComplaintState } = "CLOCK_ENDED", "the complaint is {state}: its clock has ended";
        Conflict Answered { day: NaiveDate } = "CLOCK_ENDED_BY_ANSWER",
            "the complaint was answered on {day}: its clock has ended; reopen it first";
        Rule ReasonMissing = "CLOCK_REASON_MISSING", "reason: say why the deadline changes";
        Rule FormNotAccepted { form: LegalForm } = "FORM_NOT_ACCEPTED",
            "complaintId: a {form} is not accepted: its term begins with receipt";
        Conflict AcceptedAlready { day: NaiveDate } = "ACCEPTED_ALREADY", "the complaint was accepted on {day}";
        Rule AcceptedOn { day: NaiveDate, from: NaiveDate, until: NaiveDate } = "ACCEPTED_ON_OUT_OF_RANGE",
            "acceptedOn is {day}: must be between {from} and {until}";
        Rule NothingToExtend = "NO_DEADLINE_TO_EXTEND",
            "complaintId: the category of the complaint has no deadline to extend";
        Conflict NotAcceptedYet = "NOT_ACCEPTED_YET", "the complaint is not accepted yet: its term has not begun";
        Conflict ExtendedEnough { form: LegalForm, times: u32, due: NaiveDate } = "EXTENDED_ENOUGH",
            "the deadline of a {form} is extended at most {times} times: answer by {due}, or stop the clock, saying \
             why";
        Conflict StoppedAlready { since: NaiveDate } = "CLOCK_STOPPED_ALREADY", "the clock is stopped since {since}";
        Rule NothingToStop = "NO_DEADLINE_TO_STOP", "complaintId: the complaint has no deadline, so no clock to stop";
        Conflict Running = "CLOCK_RUNNING", "the clock is running";
        Conflict TooLateToExtend { due: NaiveDate } = "TOO_LATE_TO_EXTEND",
            "the complaint was due on {due}: its clock can no longer be extended";
        Conflict TooLateToStop { due: NaiveDate } = "TOO_LATE_TO_STOP",
            "the complaint was due on {due}: its clock can no longer be stopped";
    }
}
