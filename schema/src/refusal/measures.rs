//! Refusals of measures about officers, and of suspensions.

use chrono::NaiveDate;

refusals! {
    /// Refusals of measures of all kinds.
    MeasureRefusal {
        Rule NotServed { officer: String, day: NaiveDate } = "OFFICER_NOT_IN_UNIT",
            "officer: {officer:?} did not serve in your unit on {day}";
        Rule DecidedInFuture = "DECIDED_ON_IN_FUTURE", "decidedOn is in the future";
        Rule StartsBeforeDecision = "STARTS_BEFORE_DECISION", "startsOn is before decidedOn";
        Rule EndsBeforeStart = "ENDS_BEFORE_START", "endsOn is before startsOn";
        Rule EndedBeforeStart = "ENDED_BEFORE_START", "endsOn is before the measure started";
        Conflict Recorded = "MEASURE_RECORDED_ALREADY",
            "the measure is recorded already: void that one if it is wrong";
        Rule BasisMissing = "MEASURE_BASIS_MISSING",
            "the basis of the measure is missing: name the flag (flagId) or the complaints (complaintIds) that it \
             rests on, or say in noBasisReason why it rests on none";
        Rule BasisReason = "NO_BASIS_REASON_NOT_NEEDED",
            "noBasisReason: leave it out where the measure rests on a flag or complaints";
        Rule UnknownFlag { flag: String } = "FLAG_NOT_OF_OFFICER",
            "flagId: there is no flag {flag} on this officer: the query `flags` lists those that you may see";
        Rule UnknownComplaint { complaint: String } = "COMPLAINT_NOT_OF_OFFICER",
            "complaintIds: there is no complaint {complaint} that names this officer";
        Rule OfAnotherUnit = "MEASURE_OF_ANOTHER_UNIT",
            "another unit recorded the measure: its head or one above can change it";
        Conflict Void = "MEASURE_VOID", "the measure is void: it can no longer be changed";
        Conflict Lifted { day: NaiveDate } = "MEASURE_LIFTED",
            "the measure was lifted on {day}: its end no longer changes";
        Rule LiftedBeforeStart { day: NaiveDate, start: NaiveDate } = "LIFTED_BEFORE_START",
            "liftedOn is {day}, before the measure starts on {start}: void a measure that never began";
        Rule LiftedAfterEnd { day: NaiveDate, end: NaiveDate } = "LIFTED_AFTER_END",
            "liftedOn is {day}: the measure ends on {end} by itself; write an earlier day";
    }
}

refusals! {
    /// Refusals of suspensions, and of what an officer said before a measure.
    SuspensionRefusal {
        Rule RefusedThoughExplained = "EXPLAINED_AND_REFUSED",
            "explanationRefusedOn: leave it out where the officer explained";
        Rule ExplanationMissing = "EXPLANATION_MISSING", "explainedOn: write also the explanation";
        Rule HeardAfter { field: String, day: NaiveDate, decided: NaiveDate } = "HEARD_AFTER_DECISION",
            "{field} is {day}, after the decision on {decided}: the officer is heard before";
        Rule GroundMissing { grounds: String } = "GROUND_MISSING", "ground: a suspension needs one of {grounds}";
        Rule NotHeard = "OFFICER_NOT_HEARD",
            "explanation: the officer must be heard before a suspension: write what the officer said (explanation), or \
             when the officer refused to explain (explanationRefusedOn), or record it on the flag (recordExplanation), \
             with a day up to the decision";
        Rule Lasts { day: NaiveDate, start: NaiveDate, days: u32, latest: NaiveDate } = "SUSPENSION_TOO_LONG",
            "endsOn is {day}: a suspension from {start} lasts at most {days} working days, to {latest}; leave endsOn \
             out for that day, and extend the suspension once if need be (extendMeasure)";
        Rule EndsTooLate { day: NaiveDate, days: u32, latest: NaiveDate } = "SUSPENSION_ENDS_TOO_LATE",
            "endsOn is {day}: a suspension lasts at most {days} working days, to {latest}; extend it once if need be \
             (extendMeasure)";
        Rule ExtensionEndsTooLate { day: NaiveDate, days: u32, latest: NaiveDate } = "EXTENSION_ENDS_TOO_LATE",
            "endsOn is {day}: an extension lasts at most {days} working days, to {latest}";
        Conflict Overlaps { from: NaiveDate, until: NaiveDate } = "SUSPENSIONS_OVERLAP",
            "the officer is suspended already, and two suspensions must not overlap: extend, end or void that one, or \
             choose other days than {from} to {until}";
        Conflict OverlapsEnding { start: NaiveDate, end: NaiveDate, from: NaiveDate, until: NaiveDate } =
            "SUSPENSIONS_OVERLAP_WITH_END",
            "the officer is suspended already from {start} to {end}, and two suspensions must not overlap: extend, end \
             or void that one, or choose other days than {from} to {until}";
        Conflict OverlapsOpen { start: NaiveDate, from: NaiveDate, until: NaiveDate } =
            "SUSPENSIONS_OVERLAP_WITHOUT_END",
            "the officer is suspended already from {start} on, without an end, and two suspensions must not overlap: \
             extend, end or void that one, or choose other days than {from} to {until}";
        Rule NotASuspension = "NOT_A_SUSPENSION",
            "measureId: only a suspension is extended; endMeasure sets the last day of another measure";
        Rule WithoutEnd = "SUSPENSION_WITHOUT_END",
            "measureId: the suspension has no end: record it first (endMeasure)";
        Conflict LiftedBefore { day: NaiveDate } = "SUSPENSION_LIFTED",
            "the suspension was lifted on {day}: it can no longer be extended";
        Conflict ExtendedBefore { from: NaiveDate, end: NaiveDate } = "SUSPENSION_EXTENDED_ALREADY",
            "the suspension was extended already, from {from} to {end}: it is extended only once";
        Rule NoExtension = "GROUND_ALLOWS_NO_EXTENSION", "measureId: the limits allow no extension on this ground";
        Rule ExtensionDecided { day: NaiveDate, from: NaiveDate, end: NaiveDate } = "EXTENSION_DECIDED_OUT_OF_RANGE",
            "decidedOn is {day}: an extension is decided from {from} to {end}, before the suspension lapses";
        Rule ExtensionLasts { day: NaiveDate, end: NaiveDate, days: u32, latest: NaiveDate } = "EXTENSION_OUT_OF_RANGE",
            "endsOn is {day}: the extension of a suspension that ends on {end} lasts at most {days} working days: \
             write a day after {end} and up to {latest}";
        Rule UnknownYear { why: String } = "CALENDAR_LACKS_YEAR", "{why}";
    }
}
