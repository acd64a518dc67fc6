//! Refusals of what a list or a statistic is asked for: conditions of filters, cursors and periods.

use chrono::NaiveDate;

refusals! {
    /// Refusals of filters and pages.
    FilterRefusal {
        Rule UnknownUnit { field: String, code: String } = "FILTER_UNIT_UNKNOWN",
            "{field}: there is no unit {code:?}: the query `units` lists the codes";
        Rule UnknownCategory { field: String, code: String } = "FILTER_CATEGORY_UNKNOWN",
            "{field}: there is no category {code:?}: the query `issueCategories` lists the codes";
        Rule UnknownOfficer { field: String, code: String } = "FILTER_OFFICER_UNKNOWN",
            "{field}: there is no officer {code:?}: the query `officers` lists the codes";
        Rule NotAReference { reference: String } = "NOT_A_REFERENCE",
            "reference: {reference:?} is not a reference of this register: the number of another register is a \
             sourceReference";
        Rule NoSuchLevel { level: i32 } = "ESCALATION_LEVEL_UNKNOWN",
            "level: {level} is none: a complaint is escalated to level 1 or 2";
        Rule NotACursor { field: String } = "NOT_A_CURSOR",
            "{field} is not a valid cursor: take one from `pageInfo` or an edge";
        Rule NotOfThisList { field: String } = "CURSOR_NOT_OF_LIST", "{field} is not a cursor of this list";
        Rule OfAnotherList = "CURSOR_OF_ANOTHER_LIST",
            "the cursor belongs to another list or order: start from the first page";
        Rule FromAfterBefore = "PERIOD_ENDS_BEFORE_IT_BEGINS", "receivedFrom is after receivedBefore: swap them";
        Rule AsOfAfterToday { day: NaiveDate, today: NaiveDate } = "AS_OF_AFTER_TODAY",
            "asOf is {day}: it must not be after today, {today}";
        Rule TooManyGroups { count: usize, most: usize } = "TOO_MANY_GROUPS",
            "the question has {count} groups, more than {most}: narrow the filter, or group by fewer dimensions";
    }
}
