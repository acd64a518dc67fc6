//! Refusals of reviews of flags, of guidance documents, and of proposals of the Board.

use crate::enums::{FlagState, GuidanceState, ProposalState};
use chrono::NaiveDate;

refusals! {
    /// Refusals of decisions about flags.
    FlagRefusal {
        Conflict LaterRun = "FLAG_LATER_RUN", "a later run has assessed the flag: reload it and decide again";
        Rule OfBranch = "FLAG_OF_BRANCH", "flagId: the flag is on a branch, not on an officer";
        Conflict NoExplanation { flag: FlagState } = "FLAG_TAKES_NO_EXPLANATION",
            "the flag is {flag}: it takes no explanation";
        Rule NotifiedInFuture = "NOTIFIED_IN_FUTURE", "notifiedOn is in the future: write a day up to today";
        Rule OnlyRuns { flag: FlagState } = "FLAG_STATE_OF_RUNS", "state: only runs set {flag}";
        Conflict Ended { flag: FlagState } = "FLAG_ENDED", "the flag is {flag}: it cannot be reviewed any more";
        Conflict OnlyForward { flag: FlagState } = "FLAG_ONLY_FORWARD",
            "the flag is {flag} already: reviews only move forward";
        Rule ReasonMissing { flag: FlagState } = "FLAG_REASON_MISSING", "reason: required for {flag}";
        Rule NotNotified = "FLAG_OFFICER_NOT_NOTIFIED",
            "notifiedOn: the officer must be notified before the flag is upheld";
        Rule NotExplained = "FLAG_OFFICER_NOT_HEARD",
            "explanation: record the officer's explanation, or that there was none, before the flag is upheld";
    }
}

refusals! {
    /// Refusals of steps of guidance documents.
    GuidanceRefusal {
        Rule OnlyHeadquarters = "GUIDANCE_ONLY_OF_HEADQUARTERS",
            "only headquarters units can ask for an opinion on a guidance document";
        Conflict Ended { document: GuidanceState } = "GUIDANCE_ENDED",
            "the document is {document}: it can no longer be changed";
        Conflict OpinionGiven = "OPINION_GIVEN_ALREADY", "the Board has already given its opinion about this revision";
        Conflict OpinionMissing = "OPINION_MISSING",
            "the Board has not given its opinion about this revision yet: wait for it";
        Rule IssuedOn { day: NaiveDate, earliest: NaiveDate } = "ISSUED_ON_OUT_OF_RANGE",
            "issuedOn is {day}: must be between the day of the opinion, {earliest}, and today";
        Rule ReasonMissing = "ISSUE_REASON_MISSING",
            "reason: the Board did not agree: a reason is required to issue the document";
    }
}

refusals! {
    /// Refusals of proposals, and of their steps.
    ProposalRefusal {
        Rule AboutNothing = "PROPOSAL_ABOUT_NOTHING", "categories: name at least one category or unit";
        Conflict NoSuchStep { proposal: ProposalState, outcome: ProposalState } = "PROPOSAL_STATE_NOT_REACHABLE",
            "a proposal that is {proposal} cannot become {outcome}";
        Rule ImplementedInFuture { day: NaiveDate } = "IMPLEMENTED_IN_FUTURE",
            "implementedOn is {day}: must not be in the future";
        Rule ImplementedMissing = "IMPLEMENTED_ON_MISSING", "implementedOn: is required with IMPLEMENTED";
        Rule ImplementedAlone = "IMPLEMENTED_ON_NOT_NEEDED", "implementedOn: only allowed with IMPLEMENTED";
        Rule ReasonMissing = "PROPOSAL_REASON_MISSING", "reason: is required to reject or withdraw a proposal";
    }
}
