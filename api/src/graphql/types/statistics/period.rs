//! The period of a statistic, and the earlier period that it is compared with.

use crate::graphql::error::{bad_input, refuse};
use crate::graphql::scalars::Moment;
use async_graphql::{Enum, Result};
use chrono::{Datelike, Days, Months, NaiveDate, TimeZone};
use chrono_tz::Tz;
use jobs::facts::days::day_number;
use jobs::statistics::{DayRange, Shift};
use polars::prelude::{Expr, col, lit};
use schema::Timestamp;
use schema::refusal::FilterRefusal;

/// The period to compare with. Requires `receivedFrom` and `receivedBefore` at local midnight, else
/// BAD_USER_INPUT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum StatisticsComparison {
    /// The period of the same length right before: in months if it is whole months, else in days.
    PreviousPeriod,
    /// The same days one year before.
    PreviousYear,
}

/// A half-open period in a time zone.
pub struct Period {
    from: Option<Timestamp>,
    before: Option<Timestamp>,
    zone: Tz,
}

impl Period {
    /// The period from `from` up to `before`, which is exclusive.
    ///
    /// # Errors
    /// If `from` is later than `before`.
    pub fn new(from: Option<Moment>, before: Option<Moment>, zone: Tz) -> Result<Self> {
        let (from, before) = (from.map(|moment| moment.0), before.map(|moment| moment.0));
        if let (Some(from), Some(before)) = (from, before)
            && from > before
        {
            return Err(refuse(FilterRefusal::FromAfterBefore));
        }
        Ok(Self { from, before, zone })
    }

    pub fn conditions(&self) -> Vec<Expr> {
        let from = self.from.map(|at| col("received").gt_eq(lit(at.micros())));
        from.into_iter().chain(self.before.map(|at| col("received").lt(lit(at.micros())))).collect()
    }

    /// The first local day, and the local day after the last (days since 1970).
    pub fn days(&self) -> DayRange {
        let local = |at: Timestamp| at.utc().with_timezone(&self.zone);
        let from = self.from.map(|at| day_number(local(at).date_naive()));
        // An end within a day includes that day.
        let before = self.before.map(|at| {
            let local = local(at);
            let midnight = self.midnight(local.date_naive()).is_some_and(|midnight| midnight == at);
            day_number(local.date_naive()) + i32::from(!midnight)
        });
        DayRange { from, before }
    }

    pub fn is_of_whole_months(&self) -> bool {
        let begins = |at: Timestamp| {
            let day = at.utc().with_timezone(&self.zone).date_naive();
            day.day() == 1 && self.midnight(day) == Some(at)
        };
        self.from.into_iter().chain(self.before).all(begins)
    }

    fn midnight(&self, day: NaiveDate) -> Option<Timestamp> {
        // If clocks go forward at midnight, the day begins later.
        let first = (0..4).find_map(|hour| self.zone.from_local_datetime(&day.and_hms_opt(hour, 0, 0)?).earliest());
        Some(first?.with_timezone(&chrono::Utc).into())
    }

    /// The local day that begins at `at`.
    ///
    /// # Errors
    /// BAD_USER_INPUT if `at` is missing or not a local midnight; `name` is the field that held it.
    fn day_of(&self, name: &str, at: Option<Timestamp>) -> Result<NaiveDate> {
        let at = at.ok_or_else(|| bad_input(format!("compare needs {name}: add it to the filter")))?;
        let day = at.utc().with_timezone(&self.zone).date_naive();
        if self.midnight(day) == Some(at) {
            Ok(day)
        } else {
            Err(bad_input(format!("compare needs whole days: {name} is not midnight in {}", self.zone)))
        }
    }

    /// The earlier period, and the shift that moves its days into this one.
    ///
    /// # Errors
    /// BAD_USER_INPUT if the period is open, does not consist of whole days, or reaches too far back.
    pub fn before(&self, compare: StatisticsComparison) -> Result<(Self, Shift)> {
        let from = self.day_of("receivedFrom", self.from)?;
        let before = self.day_of("receivedBefore", self.before)?;
        let far = || bad_input("compare: the earlier period is too far back: choose a later receivedFrom");
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
