//! Refusals that changes of several kinds have: of versions, and of codes of reference data.

use chrono::NaiveDate;

refusals! {
    /// Refusals of versions and codes.
    CodeRefusal {
        Conflict OtherVersion { what: String, actual: i32, expected: i32 } = "OTHER_VERSION",
            "the {what} is at version {actual}, not {expected}: read it again and repeat the change if it still \
             applies";
        Conflict WrittenAtOnce = "WRITTEN_AT_ONCE", "another client wrote the same row at the same time: try again";
        Rule UnknownCode { field: String, code: String } = "CODE_UNKNOWN",
            "{field}: {code:?} is not known to the register: the queries `issueCategories` and `units` list the codes";
        Rule UnknownUnit { code: String } = "UNIT_UNKNOWN", "unit: there is no unit {code:?}";
        Rule UnknownOfficer { field: String, code: String } = "OFFICER_UNKNOWN",
            "{field}: there is no officer {code:?}: the query `officers` lists the codes, and an import adds officers";
        Rule CategoryEnded { field: String, code: String, last: NaiveDate } = "CATEGORY_ENDED",
            "{field}: {code:?} ended on {last}: take another category";
        Rule UnitEnded { field: String, code: String, last: NaiveDate } = "UNIT_ENDED",
            "{field}: the last day of unit {code:?} was {last}: name another unit";
        Rule UnitSucceeded { field: String, code: String, last: NaiveDate, successor: String } = "UNIT_SUCCEEDED",
            "{field}: the last day of unit {code:?} was {last}: name {successor:?}, which goes on";
    }
}
