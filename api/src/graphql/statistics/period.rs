//! The time that is asked about, and the one that it is compared with.

use super::super::error::bad_input;
use super::super::scalars::Moment;
use async_graphql::{Enum, Result};
use chrono::{Datelike, Days, Months, NaiveDate, TimeZone};
use chrono_tz::Tz;
use jobs::facts::frames::day_number;
use jobs::statistics::Shift;
use polars::prelude::{Expr, col, lit};
use schema::Timestamp;

/// What a time is compared with. Both want `receivedFrom` and `receivedBefore`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum StatisticsComparison {
    /// As many days right before; as many months where it is whole months.
    PreviousPeriod,
    /// The same days a year before.
    PreviousYear,
}

/// From a moment to before another, in a time zone.
pub struct Period {
    from: Option<Timestamp>,
    before: Option<Timestamp>,
    zone: Tz,
}

impl Period {
    pub fn new(from: Option<Moment>, before: Option<Moment>, zone: Tz) -> Result<Self> {
        let (from, before) = (from.map(|moment| moment.0), before.map(|moment| moment.0));
        if let (Some(from), Some(before)) = (from, before)
            && from > before
        {
            return Err(bad_input("receivedFrom lies after receivedBefore"));
        }
        Ok(Self { from, before, zone })
    }

    pub fn conditions(&self) -> Vec<Expr> {
        let from = self.from.map(|at| col("received").gt_eq(lit(at.micros())));
        from.into_iter().chain(self.before.map(|at| col("received").lt(lit(at.micros())))).collect()
    }

    /// The local days from which, and before which.
    pub fn days(&self) -> (Option<i32>, Option<i32>) {
        let local = |at: Timestamp| at.utc().with_timezone(&self.zone);
        let from = self.from.map(|at| day_number(local(at).date_naive()));
        // The day of the last moment still belongs to it.
        let before = self.before.map(|at| {
            let local = local(at);
            let midnight = self.midnight(local.date_naive()).is_some_and(|midnight| midnight == at);
            day_number(local.date_naive()) + i32::from(!midnight)
        });
        (from, before)
    }

    pub fn is_of_whole_months(&self) -> bool {
        let begins = |at: Timestamp| {
            let day = at.utc().with_timezone(&self.zone).date_naive();
            day.day() == 1 && self.midnight(day) == Some(at)
        };
        self.from.into_iter().chain(self.before).all(begins)
    }

    fn midnight(&self, day: NaiveDate) -> Option<Timestamp> {
        // Where clocks go forward at midnight the day begins later.
        let first = (0..4).find_map(|hour| self.zone.from_local_datetime(&day.and_hms_opt(hour, 0, 0)?).earliest());
        Some(first?.with_timezone(&chrono::Utc).into())
    }

    /// The first local day of a moment that is a local midnight.
    fn day_of(&self, name: &str, at: Option<Timestamp>) -> Result<NaiveDate> {
        let at = at.ok_or_else(|| bad_input(format!("compare wants {name}")))?;
        let day = at.utc().with_timezone(&self.zone).date_naive();
        if self.midnight(day) == Some(at) {
            Ok(day)
        } else {
            Err(bad_input(format!("compare wants whole days: {name} is not the beginning of a day in {}", self.zone)))
        }
    }

    /// The time that this one is compared with, and how far its days are moved to lie in this one.
    pub fn before(&self, compare: StatisticsComparison) -> Result<(Self, Shift)> {
        let from = self.day_of("receivedFrom", self.from)?;
        let before = self.day_of("receivedBefore", self.before)?;
        let far = || bad_input("the time that it is compared with lies too far back");
        let whole_months = from.day() == 1 && before.day() == 1;
        let months = u32::try_from(
            (before.year() - from.year()) * 12 + before.month0().cast_signed() - from.month0().cast_signed(),
        );
        let (earlier, until, shift) = match (compare, months) {
            (StatisticsComparison::PreviousYear, _) => {
                let back = |day: NaiveDate| day.checked_sub_months(Months::new(12)).ok_or_else(far);
                (back(from)?, back(before)?, Shift::Months(12))
            }
            (StatisticsComparison::PreviousPeriod, Ok(months)) if whole_months => {
                (from.checked_sub_months(Months::new(months)).ok_or_else(far)?, from, Shift::Months(months))
            }
            (StatisticsComparison::PreviousPeriod, _) => {
                let days = (before - from).num_days();
                let back = Days::new(u64::try_from(days).unwrap_or_default());
                (
                    from.checked_sub_days(back).ok_or_else(far)?,
                    from,
                    Shift::Days(i32::try_from(days).map_err(|_| far())?),
                )
            }
        };
        let midnight = |day| self.midnight(day).map(Some).ok_or_else(far);
        let period = Self { from: midnight(earlier)?, before: midnight(until)?, zone: self.zone };
        Ok((period, shift))
    }
}
