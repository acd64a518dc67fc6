//! Refusals of runs by hand, and of pauses.

use chrono::NaiveDate;

refusals! {
    /// Refusals of runs and pauses of jobs.
    JobRefusal {
        Rule AsOfFuture { day: NaiveDate, today: NaiveDate } = "AS_OF_IN_FUTURE",
            "asOf is {day}: take a day up to today, {today}";
        Conflict Running { job: String, node: String, since: String } = "JOB_RUNNING",
            "{job} is running already, on {node} since {since}: wait for it to end";
        Conflict Paused { job: String, by: String, since: String } = "JOB_PAUSED",
            "{job} is paused already, by {by} since {since}";
        Conflict NotPaused { job: String } = "JOB_NOT_PAUSED", "{job} is not paused";
        Conflict NodeStops = "NODE_STOPS", "this node stops: try again, another one answers";
        Conflict TooManyRuns { most: u32 } = "TOO_MANY_RUNS",
            "this node executes {most} runs by hand already: wait until one has ended";
    }
}
