//! Reads how complaints were handled by a day: from the columns of days, and the rounds of the legal clock.
//!
//! Most complaints have one round and no stop: for these the columns `day`, `due`, `answered` and `ended` are enough.
//! The column `rounds` is null then; otherwise it lists, for each round, the day on which it began, the deadline, the
//! day of the answer and the number of stops, and for each stop its first day and the day on which the clock ran again.

use crate::facts::days::day_number;
use chrono::NaiveDate;
use polars::prelude::{DataFrame, PolarsResult};
use schema::domain::calendar::local_date;
use schema::models::ComplaintClock;
use schema::register::stops_of;

/// No day, in the column `rounds`.
const NONE: i32 = i32::MIN;

/// The rows of other tables that the columns of a complaint take values from.
#[derive(Debug, Clone, Default)]
pub(super) struct ClockRows {
    pub rounds: Vec<ComplaintClock>,
    pub escalated_on: Option<NaiveDate>,
}

/// The rounds of a complaint as words of the column; None if there are none.
pub(super) fn encoded(rounds: &[ComplaintClock]) -> Option<Vec<i32>> {
    let mut words = Vec::with_capacity(4 * rounds.len());
    let number = |day: Option<NaiveDate>| day.map_or(NONE, day_number);
    for row in rounds {
        let stops = stops_of(row);
        words.extend([day_number(local_date(row.started_at)), number(row.due_on), number(row.answered_on)]);
        words.push(i32::try_from(stops.len()).unwrap_or(0));
        words.extend(stops.iter().flat_map(|stop| [day_number(stop.from), number(stop.to)]));
    }
    (!words.is_empty()).then_some(words)
}

/// A round of the legal clock, in days since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Round {
    began: i32,
    due: Option<i32>,
    answered: Option<i32>,
    stops: Vec<(i32, Option<i32>)>,
}

fn decoded(words: &[i32]) -> Vec<Round> {
    let day = |word: i32| Some(word).filter(|word| *word != NONE);
    let mut rounds = Vec::new();
    let mut rest = words;
    while let [began, due, answered, stops, after @ ..] = rest {
        let length = 2 * usize::try_from(*stops).unwrap_or(0);
        let (own, after) = after.split_at(length.min(after.len()));
        let stops = own.chunks_exact(2).map(|stop| (stop[0], day(stop[1]))).collect();
        rounds.push(Round { began: *began, due: day(*due), answered: day(*answered), stops });
        rest = after;
    }
    rounds
}

/// Handling of a complaint by a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handling {
    pub open: bool,
    /// Open, and not answered in the current round.
    pub waiting: bool,
    /// Waiting, and the clock is stopped.
    pub stopped: bool,
    /// Waiting, and the deadline has passed. It passes at the end of the last day, and never while the clock is
    /// stopped.
    pub overdue: bool,
    /// The deadline has passed of at least one round that did not end without an answer.
    pub was_due: bool,
    /// Every round whose deadline passed was answered in time; false unless `was_due`.
    pub in_time: bool,
    /// Days from the beginning of the round to the answer, without days on which the clock was stopped. Without an
    /// answer they count to the end of the complaint, or to the day.
    pub waited: i32,
    pub answered: bool,
    /// The complaint is in a later round than the first.
    pub reopened: bool,
    /// Days since the deadline, if it is overdue; else 0.
    pub days_over: i32,
    /// The deadline of the round of the day.
    pub due: Option<i32>,
    /// The day on which that round began.
    pub began: i32,
    /// Number of the round, from 1.
    pub round: i32,
}

/// The days of a complaint as its columns have them.
#[derive(Debug, Clone, Copy)]
struct RowDays {
    day: i32,
    due: Option<i32>,
    answered: Option<i32>,
    ended: Option<i32>,
}

impl Handling {
    fn of(row: RowDays, words: Option<&[i32]>, as_of: i32) -> Self {
        let mut several = words.map(decoded).unwrap_or_default();
        // Most have one, which needs no memory of its own.
        let one = [Round { began: row.day, due: row.due, answered: row.answered, stops: Vec::new() }];
        if let Some(present) = several.last_mut() {
            (present.due, present.answered) = (row.due, row.answered);
        }
        let rounds = if several.is_empty() { &one[..] } else { &several[..] };
        // The round of the day; an earlier day than the first one has the first.
        let number = rounds.iter().rposition(|round| round.began <= as_of).unwrap_or(0);
        let (earlier, round) = (&rounds[..number], &rounds[number]);
        let answered = round.answered.filter(|at| *at <= as_of);
        let ended = row.ended.filter(|at| *at <= as_of);
        let open = ended.is_none();
        let waiting = open && answered.is_none();
        let stopped_since = round
            .stops
            .iter()
            .find(|(from, to)| waiting && *from <= as_of && to.is_none_or(|to| to > as_of))
            .map(|(from, _)| *from);
        // Days count up to here.
        let until = answered.or(ended).or(stopped_since).unwrap_or(as_of);
        let limit = if waiting { until } else { as_of };
        let passed = round.due.filter(|due| *due < limit);
        let is_due = passed.is_some() && (answered.is_some() || open);
        let is_late = is_due && answered.is_none_or(|at| round.due.is_some_and(|due| at > due));
        let was_due = |round: &Round| round.due.is_some_and(|due| due < as_of);
        let was_late = |round: &Round| round.due.zip(round.answered).is_some_and(|(due, at)| at > due);
        let due_at_all = is_due || earlier.iter().any(|round| was_due(round) || was_late(round));
        let off: i32 = round
            .stops
            .iter()
            .map(|(from, to)| (to.unwrap_or(until).min(until) - (*from).max(round.began)).max(0))
            .sum();
        Self {
            open,
            waiting,
            stopped: stopped_since.is_some(),
            overdue: waiting && passed.is_some(),
            was_due: due_at_all,
            in_time: due_at_all && !is_late && !earlier.iter().any(was_late),
            waited: (until - round.began - off).max(0),
            answered: answered.is_some(),
            reopened: number > 0,
            days_over: if waiting { passed.map_or(0, |due| until - due) } else { 0 },
            due: round.due,
            began: round.began,
            round: i32::try_from(number + 1).unwrap_or(i32::MAX),
        }
    }
}

/// Number of days that a waiting complaint is overdue on a day; 0 if it is not. `words`: its rounds, if it has several
/// or a stop.
pub(super) fn days_over(due: Option<i32>, words: &[i32], as_of: i32) -> i32 {
    let row = RowDays { day: as_of, due, answered: None, ended: None };
    Handling::of(row, Some(words).filter(|words| !words.is_empty()), as_of).days_over
}

/// Reads how each complaint of a frame was handled by a day.
pub struct Handlings;

impl Handlings {
    /// The columns that it reads; a frame without `rounds` has one round for each complaint.
    pub const COLUMNS: [&str; 5] = ["day", "due", "answered", "ended", "rounds"];

    /// The handling of each row by `as_of`, in days since 1970.
    ///
    /// # Errors
    /// If a column is missing or has another type.
    pub fn of(facts: &DataFrame, as_of: i32) -> PolarsResult<Vec<Handling>> {
        let column = |name: &str| facts.column(name).and_then(|column| column.i32().cloned());
        let (day, due, answered, ended) = (column("day")?, column("due")?, column("answered")?, column("ended")?);
        let rows = day.iter().zip(due.iter()).zip(answered.iter()).zip(ended.iter());
        let rows =
            rows.map(|(((day, due), answered), ended)| RowDays { day: day.unwrap_or_default(), due, answered, ended });
        let lists = match facts.column("rounds") {
            Ok(column) if column.null_count() < column.len() => Some(column.list()?.clone()),
            _ => None,
        };
        let Some(lists) = lists else { return Ok(rows.map(|row| Handling::of(row, None, as_of)).collect()) };
        let mut found = Vec::with_capacity(facts.height());
        let mut words: Vec<i32> = Vec::new();
        for (row, list) in rows.zip(lists.amortized_iter()) {
            words.clear();
            if let Some(list) = list {
                words.extend(list.as_ref().i32()?.iter().flatten());
            }
            found.push(Handling::of(row, Some(&words), as_of));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(due: Option<i32>, answered: Option<i32>, ended: Option<i32>) -> RowDays {
        RowDays { day: 0, due, answered, ended }
    }

    #[test]
    fn the_last_day_is_not_over() {
        let on = |as_of| Handling::of(row(Some(10), None, None), None, as_of);
        assert!(!on(10).overdue && !on(10).was_due && on(10).waiting);
        assert!(on(11).overdue && on(11).was_due && !on(11).in_time && on(11).days_over == 1);
        let answered = |as_of| Handling::of(row(Some(10), Some(10), None), None, as_of);
        assert!(!answered(10).was_due && answered(11).was_due && answered(11).in_time);
    }

    #[test]
    fn a_stopped_clock_does_not_run() {
        // Stopped from day 4 to day 9, and again from day 20 on.
        let words = [0, NONE, NONE, 2, 4, 9, 20, NONE];
        let on = |due, as_of| Handling::of(row(Some(due), None, None), Some(&words), as_of);
        assert_eq!((on(15, 6).waited, on(15, 6).overdue), (4, false));
        assert_eq!((on(15, 15).waited, on(15, 15).overdue), (10, false));
        assert_eq!((on(15, 18).waited, on(15, 18).days_over), (13, 3));
        assert_eq!((on(25, 100).waited, on(25, 100).overdue), (15, false), "it stays where it stopped");
        let answered = Handling::of(row(Some(25), Some(22), None), Some(&words), 100);
        assert_eq!((answered.waited, answered.in_time), (15, true));
    }

    #[test]
    fn each_round_has_an_answer_and_a_deadline_of_its_own() {
        // Answered late on day 12, reopened on day 20, due on day 30.
        let words = [0, 10, 12, 0, 20, NONE, NONE, 0];
        let on = |answered, as_of| Handling::of(row(Some(30), answered, None), Some(&words), as_of);
        let first = on(None, 19);
        assert!(!first.reopened && first.answered && first.was_due && !first.in_time && first.due == Some(10));
        assert_eq!((first.waited, first.round), (12, 1));
        let second = on(None, 31);
        assert!(second.reopened && second.overdue && second.began == 20 && second.round == 2);
        let quick = on(Some(21), 40);
        assert!(quick.was_due && !quick.in_time && !quick.overdue && quick.waited == 1, "late it stays");
        // In time both times.
        let words = [0, 10, 9, 0, 20, NONE, NONE, 0];
        let both = |as_of| Handling::of(row(Some(30), Some(25), None), Some(&words), as_of);
        assert!(both(26).was_due && both(26).in_time && both(31).in_time);
        // Withdrawn before the second answer: the first one counts.
        let withdrawn = Handling::of(row(Some(30), None, Some(22)), Some(&words), 40);
        assert!(withdrawn.was_due && withdrawn.in_time && !withdrawn.open);
    }
}
