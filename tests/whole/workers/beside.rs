//! What others do while the workers work: an ADMIN edits the tree of units and the calendar, a member of the Board
//! merges and splits an officer whom complaints name, and jobs run. Each of it locks more than one complaint.

use super::{Seen, Shop};
use crate::program;
use chrono::{Datelike, Days, NaiveDate, Weekday};
use schema::Timestamp;
use schema::domain::calendar::local_date;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use tests::{Database, Json};

/// How often each of it is done.
const ROUNDS: usize = 4;

/// The reason of merges and splits.
pub const BESIDE: &str = "Một người hay hai.";

impl Shop<'_> {
    /// Makes units to which the workers give complaints, and closes each: what waits for it goes to the successor.
    /// Deadlines change with the calendar meanwhile.
    pub fn administer(&self, seen: &mut Seen) {
        let token = &self.admin.token;
        let yesterday = local_date(Timestamp::now()) - Days::new(1);
        for round in 1..=ROUNDS {
            let code = format!("02W{round}");
            let new = json!({
                "code": code, "nameVi": code, "kind": "BRANCH", "parent": "02", "validFrom": "2024-01-01",
            });
            let Some(made) = self.send(round, token, "createUnit", &new, seen) else { continue };
            self.newest_unit.store(round, Ordering::SeqCst);
            self.change_the_calendar(round, seen);
            let close = json!({
                "unit": code, "expectedRevision": made["unit"]["revision"], "on": yesterday, "successor": "02CV",
            });
            self.send(round, token, "closeUnit", &close, seen);
        }
    }

    /// Adds a day off to the next weeks, or takes it away again.
    fn change_the_calendar(&self, round: usize, seen: &mut Seen) {
        let token = &self.admin.token;
        let day = weekday_after(local_date(Timestamp::now()) + Days::new(7));
        let query = "query ($year: Int!) { holidays(year: $year) { revision daysOff daysWorked } }";
        let answer = self.graphql(round, token, query, &json!({ "year": day.year() })).json();
        let year = &answer["data"]["holidays"][0];
        let mut days: Vec<Value> = year["daysOff"].list().to_vec();
        let known = days.len();
        days.retain(|one| *one != json!(day));
        if days.len() == known {
            days.push(json!(day));
        }
        let set = json!({
            "year": day.year(), "expectedRevision": year["revision"], "daysOff": days,
            "daysWorked": year["daysWorked"], "reason": "Quyết định.",
        });
        self.send(round, token, "setHolidays", &set, seen);
    }

    pub fn merge_and_split(&self, seen: &mut Seen) {
        let token = &self.board[0].token;
        for round in 0..ROUNDS {
            let same = json!({ "from": "CC03", "into": "CC01", "reason": BESIDE });
            self.send(round, token, "mergeOfficers", &same, seen);
            let two = json!({ "officer": "CC03", "reason": BESIDE });
            self.send(round, token, "splitOfficer", &two, seen);
        }
    }
}

/// Runs jobs that write complaints, in processes of their own; each run must succeed.
pub fn run_jobs(database: &Database) {
    for _ in 0..ROUNDS {
        for job in ["escalate-overdue", "hand-over"] {
            program().run(database, ["jobs", "run", job]).ok();
        }
    }
}

fn weekday_after(mut day: NaiveDate) -> NaiveDate {
    while matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
        day = day + Days::new(1);
    }
    day
}
