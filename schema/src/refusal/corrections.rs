//! Refusals of corrections of complaints, and of decisions about proposed ones.

use crate::enums::CorrectionState;

refusals! {
    /// Refusals of corrections.
    CorrectionRefusal {
        Rule OccurredAfterReceipt = "OCCURRED_AFTER_RECEIPT",
            "occurredAt: is later than receivedAt: correct one of them";
        Rule OccurredTooEarly = "OCCURRED_TOO_EARLY", "occurredAt: is before 1970: check the year";
        Rule CostNegative = "COST_NEGATIVE", "costVnd: is negative: must be 0 or more";
        Rule CostTooLarge { most: i64 } = "COST_TOO_LARGE",
            "costVnd: is more than {most}, the most that is taken: correct it";
        Rule DelayNegative = "DELAY_NEGATIVE", "delayHours: is not a number of hours: must be 0 or more";
        Rule DelayTooLong { most: i64 } = "DELAY_TOO_LONG",
            "delayHours: is more than {most}, the most that is taken: correct it";
        Rule DeclarationNumber { why: String } = "DECLARATION_NUMBER_INVALID", "declarationNumber: {why}";
        Rule TaxCode { why: String } = "TAX_CODE_INVALID", "taxCode: {why}";
        Rule EnterpriseNameAlone = "ENTERPRISE_NAME_ALONE",
            "enterpriseName: is only used with taxCode: write both";
        Rule ChangesNothing = "CORRECTION_CHANGES_NOTHING",
            "the correction changes nothing: the complaint says so already";
        Rule SetByAllegation { field: String } = "SET_BY_ALLEGATION",
            "{field}: the complaint counts for the lowest of its allegations, which has another {field}: correct that \
             allegation (changeAllegations)";
        Rule SameOfficer { code: String, other: String } = "OFFICERS_ARE_ONE",
            "replaceOfficers: {code:?} and {other:?} are one officer: name another one";
        Rule TooManyOfficers { count: usize, most: usize } = "TOO_MANY_OFFICERS",
            "addOfficers: the complaint would name {count} officers: at most {most} are allowed";
        Rule NamedAlready { code: String } = "OFFICER_NAMED_ALREADY",
            "addOfficers: the complaint names {code:?} with this category and unit already";
        Rule NoSuchAllegation { field: String, whose: String, ordinal: i32 } = "ALLEGATION_UNKNOWN",
            "{field}: the complaint has no allegation {whose} with the ordinal {ordinal}: take both from its fields \
             `officers` and `matters`";
        Rule AttributionOfMatter = "ALLEGATION_WITHOUT_ATTRIBUTION",
            "changeAllegations.attribution: an allegation without an officer has none: leave it out";
        Rule OwnCase = "CORRECTION_NAMES_ONESELF",
            "the corrected complaint would name you: another member of the Board has to correct it";
        Conflict Decided { correction: CorrectionState } = "CORRECTION_DECIDED", "the proposal is {correction} already";
        Rule RefusalReason = "CORRECTION_REASON_MISSING", "reason: is required to refuse a correction";
        Conflict ChangedSince { why: String } = "CHANGED_SINCE_PROPOSED",
            "the complaint has changed since the correction was proposed ({why}): refuse the proposal, and let the \
             unit propose it anew or correct the complaint yourself";
    }
}
