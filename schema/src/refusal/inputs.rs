//! Refusals of texts, days and ids of an input of the API.

use chrono::NaiveDate;

refusals! {
    /// Refusals of values that no rule of the register knows yet.
    InputRefusal {
        Rule Blank { field: String, most: usize } = "TEXT_BLANK", "{field} is blank: write 1 to {most} characters";
        Rule TooLong { field: String, most: usize } = "TEXT_TOO_LONG",
            "{field} is too long: write at most {most} characters";
        Rule DayOutside { field: String, day: NaiveDate, first: NaiveDate, last: NaiveDate } = "DAY_NOT_SENSIBLE",
            "{field} is {day}: write a day from {first} to {last}";
        Rule NotAnId { id: String } = "NOT_AN_ID", "not a UUID: {id:?}";
        Rule TooManyEntries { field: String, count: usize, most: usize } = "TOO_MANY_ENTRIES",
            "{field} has {count} entries: give at most {most}";
        Rule TooManyComplaints { most: usize } = "TOO_MANY_COMPLAINTS", "complaintIds: name at most {most} complaints";
    }
}
