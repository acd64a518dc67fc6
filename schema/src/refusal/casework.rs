//! Refusals of steps in the handling of a complaint, and of links between complaints.

use crate::enums::ComplaintState;
use chrono::NaiveDate;

refusals! {
    /// Refusals of the handling and the answers of a complaint.
    CaseRefusal {
        Conflict NotClassified = "NOT_CLASSIFIED", "the complaint is RECEIVED: classify it first";
        Conflict Answered = "COMPLAINT_ANSWERED", "the complaint is ANSWERED: reopen it, with a reason";
        Conflict Ended { state: ComplaintState } = "COMPLAINT_ENDED",
            "the complaint is {state}: it can no longer be classified, assigned or transferred";
        Conflict NotSetHere { state: ComplaintState, next: ComplaintState } = "STATE_SET_BY_OTHER_STEP",
            "a complaint that is {state} cannot be set to {next} here: classify, assign or answer it";
        Conflict NoSuchStep { state: ComplaintState, next: ComplaintState } = "STATE_NOT_REACHABLE",
            "a complaint that is {state} cannot become {next}";
        Conflict TakesNoResponse { state: ComplaintState } = "TAKES_NO_RESPONSE",
            "the complaint is {state}: it takes no responses any more";
        Rule NoUnit = "NO_RESPONSIBLE_UNIT",
            "unit: no unit is responsible for the complaint: name the unit that has to answer";
        Rule TransferReason = "TRANSFER_REASON_MISSING", "reason: is blank: say why another unit has to answer";
        Rule SameUnit { code: String } = "UNIT_RESPONSIBLE_ALREADY",
            "unit: {code:?} is responsible already: name another unit";
        Rule EndReason = "STATE_REASON_MISSING", "reason: is required to reject or reopen a complaint";
        Rule DecidedOn { day: NaiveDate, from: NaiveDate, until: NaiveDate } = "DECIDED_ON_OUT_OF_RANGE",
            "decidedOn is {day}: must be between {from} and {until}";
        Rule OfficerMissing = "FINDING_OFFICER_MISSING", "officer: is required: the complaint names officers";
        Rule OfficerNotNamed { field: String, code: String } = "OFFICER_NOT_NAMED",
            "{field}: the complaint does not name {code:?}: take a code of its field `officers`";
        Rule NotConfidential = "NOT_CONFIDENTIAL",
            "the complaint is not confidential: the unit reads its full text";
        Rule RedactionBlank = "REDACTION_BLANK", "text: is blank: write what the unit may read";
        Rule NoSuchPseudonym { pseudonym: String } = "PSEUDONYM_UNKNOWN",
            "pseudonym: there is no complaint {pseudonym:?} that you may answer: the query `redactedComplaints` lists \
             those";
    }
}

refusals! {
    /// Refusals of links between complaints that say the same.
    LinkRefusal {
        Rule ToItself = "DUPLICATE_OF_ITSELF",
            "of: a complaint cannot be a duplicate of itself or of its own duplicate";
        Conflict HasDuplicates = "HAS_DUPLICATES",
            "other complaints are linked to this one as its duplicates: unlink them, or link the other one to this one";
        Conflict OriginalVoid { state: ComplaintState } = "ORIGINAL_DOES_NOT_COUNT",
            "the complaint to link to is {state} and does not count: link to one that counts";
        Conflict NotLinked = "NOT_LINKED", "the complaint is not linked to another one";
    }
}
