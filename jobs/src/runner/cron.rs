//! When a job is due: a cron expression in a time zone, which may have daylight saving time.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds};
use schema::Timestamp;
use schema::domain::calendar::local_date;

/// A cron expression and its time zone.
#[derive(Debug, Clone)]
pub struct Schedule {
    cron: Cron,
    zone: Tz,
}

impl Schedule {
    /// # Errors
    /// A message that names the wrong part and shows a right one.
    pub fn parse(expression: &str, zone: &str) -> Result<Self, String> {
        let zone: Tz =
            zone.parse().map_err(|_| format!("unknown timezone {zone:?}: write it like Asia/Ho_Chi_Minh"))?;
        steps(expression)?;
        let cron = CronParser::builder().seconds(Seconds::Optional).build().parse(expression).map_err(|e| {
            format!(
                "schedule {expression:?} is not a cron expression ({e}): write five fields, or six with seconds first"
            )
        })?;
        let schedule = Self { cron, zone };
        if schedule.next_after(Timestamp::now()).is_none() {
            return Err(format!("schedule {expression:?} matches no date"));
        }
        Ok(schedule)
    }

    /// The first scheduled time after `moment`.
    pub fn next_after(&self, moment: Timestamp) -> Option<Timestamp> {
        let found = self.cron.find_next_occurrence(&self.local(moment), false).ok()?;
        Some(found.with_timezone(&Utc).into())
    }

    /// The last scheduled time up to and including `moment`.
    pub fn last_until(&self, moment: Timestamp) -> Option<Timestamp> {
        let found = self.cron.find_previous_occurrence(&self.local(moment), true).ok()?;
        Some(found.with_timezone(&Utc).into())
    }

    /// The first two scheduled times on one day in Vietnam, within a year after `moment`; None if each day has one at
    /// most.
    pub fn twice_a_day(&self, moment: Timestamp) -> Option<[Timestamp; 2]> {
        let end = moment.utc() + TimeDelta::days(366);
        let mut time = self.next_after(moment)?;
        loop {
            let next = self.next_after(time).filter(|next| next.utc() <= end)?;
            if local_date(next) == local_date(time) {
                return Some([time, next]);
            }
            time = next;
        }
    }

    fn local(&self, moment: Timestamp) -> DateTime<Tz> {
        moment.utc().with_timezone(&self.zone)
    }

    pub fn zone(&self) -> Tz {
        self.zone
    }

    pub fn expression(&self) -> &str {
        self.cron.as_str()
    }
}

/// Number of values of each field: seconds, minutes, hours, days of the month, months, days of the week.
const SPANS: [u32; 6] = [60, 60, 24, 31, 12, 7];

/// Checks that each step is smaller than its field: `*/70` in the minutes would mean once an hour, a likely mistake.
fn steps(expression: &str) -> Result<(), String> {
    let fields: Vec<&str> = expression.split_whitespace().collect();
    let spans = &SPANS[SPANS.len().saturating_sub(fields.len())..];
    for (nth, (field, span)) in fields.iter().zip(spans).enumerate() {
        for step in field.split(',').filter_map(|part| Some(part.split_once('/')?.1)) {
            if !step.parse::<u32>().is_ok_and(|step| (1..*span).contains(&step)) {
                return Err(format!(
                    "schedule {expression:?}, field {}: the step {step:?} must be a number from 1 to {}",
                    nth + 1,
                    span - 1
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(expression: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
        let schedule = Schedule::parse(expression, zone).expect("a schedule");
        let mut at: Timestamp = from.parse::<DateTime<Utc>>().expect("a time").into();
        (0..count)
            .map(|_| {
                at = schedule.next_after(at).expect("a time");
                at.utc().format("%d %H:%M:%S").to_string()
            })
            .collect()
    }

    #[test]
    fn seconds_are_optional_and_zones_are_kept() {
        assert_eq!(times("0 2 * * *", "Asia/Ho_Chi_Minh", "2025-01-01T00:00:00Z", 2), ["01 19:00:00", "02 19:00:00"]);
        assert_eq!(times("*/20 * * * * *", "UTC", "2025-01-01T00:00:05Z", 2), ["01 00:00:20", "01 00:00:40"]);
    }

    #[test]
    fn two_times_of_one_day_in_vietnam_are_found() {
        let from: Timestamp = "2025-01-01T03:00:00Z".parse::<DateTime<Utc>>().expect("a time").into();
        let twice = |expression: &str, zone: &str| {
            let schedule = Schedule::parse(expression, zone).expect("a schedule");
            schedule.twice_a_day(from).map(|[_, second]| second.utc().format("%d %H:%M").to_string())
        };
        assert_eq!(twice("0 8,14 * * *", "Asia/Ho_Chi_Minh").as_deref(), Some("02 07:00"));
        assert_eq!(twice("* * * * * *", "Asia/Ho_Chi_Minh").as_deref(), Some("01 03:00"));
        // The evening of one day and the morning of the next one in UTC are one day in Vietnam.
        assert_eq!(twice("0 1,20 * * *", "UTC").as_deref(), Some("02 01:00"));
        for once in ["0 7 * * *", "0 7 * * 1-5", "30 6 1 * *", "0 7 29 2 *"] {
            assert_eq!(twice(once, "Asia/Ho_Chi_Minh"), None, "{once}");
        }
    }

    #[test]
    fn an_hour_that_comes_twice_runs_once_and_one_that_is_left_out_runs_all_the_same() {
        // Berlin switches from 02:00 to 03:00 on 30 March 2025, and from 03:00 back to 02:00 on 26 October 2025.
        let spring = times("30 2 * * *", "Europe/Berlin", "2025-03-29T12:00:00Z", 2);
        assert_eq!(spring.len(), 2);
        assert!(spring[0].starts_with("30"), "{spring:?}");
        assert_eq!(spring[1], "31 00:30:00");
        let autumn = times("30 2 * * *", "Europe/Berlin", "2025-10-25T12:00:00Z", 2);
        assert!(autumn[0].starts_with("26") && autumn[1].starts_with("27"), "{autumn:?}");
    }

    #[test]
    fn the_last_time_includes_the_moment_itself() {
        let schedule = Schedule::parse("* * * * * *", "UTC").expect("a schedule");
        let at: Timestamp = "2025-01-01T00:00:05Z".parse::<DateTime<Utc>>().expect("a time").into();
        assert_eq!(schedule.last_until(at), Some(at));
        let later = Timestamp::from_micros(at.micros() + 999_999).expect("a time");
        assert_eq!(schedule.last_until(later), Some(at));
        assert_eq!(schedule.next_after(at).map(Timestamp::micros), Some(at.micros() + 1_000_000));
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(Schedule::parse("0 2 * *", "UTC").expect_err("four fields").contains("five fields"));
        assert!(Schedule::parse("0 2 * * *", "Hanoi").expect_err("no zone").contains("Asia/Ho_Chi_Minh"));
        assert!(Schedule::parse("0 0 30 2 *", "UTC").is_err());
        for (wrong, field) in [
            ("*/70 * * * *", "field 1"),
            ("*/0 * * * *", "field 1"),
            ("*/60 * * * * *", "field 1"),
            ("0 0-12/24 * * *", "field 2"),
            ("0 2 */31 * *", "field 3"),
            ("0 2 1,5/40 * *", "field 3"),
            ("0 2 * */12 *", "field 4"),
            ("0 2 * * */7", "field 5"),
            ("0 0 2 * * 1-5/9", "field 6"),
            ("*/x * * * *", "field 1"),
        ] {
            let message = Schedule::parse(wrong, "UTC").expect_err(wrong);
            assert!(message.contains(field), "{wrong}: {message}");
        }
        for right in ["*/59 * * * *", "*/20 * * * * *", "0 */23 * * *", "0 2 */2 */3 1-5/2"] {
            assert!(Schedule::parse(right, "UTC").is_ok(), "{right}");
        }
    }
}
