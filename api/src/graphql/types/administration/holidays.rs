//! Public holidays and the days worked in exchange: the years of the calendar, and their mutations.

use super::written;
use crate::graphql::context::request;
use crate::graphql::error::bad_input;
use crate::graphql::execute::Inline;
use crate::graphql::input::{LONG, required};
use crate::graphql::page::{PageArgs, SortDirection};
use crate::graphql::types::history::{Recorded, ReferenceHistoryConnection, history_of_reference};
use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};
use chrono::NaiveDate;
use schema::StoreError;
use schema::db::WriteTx;
use schema::domain::working_days::YearDays;
use schema::register::administration::{self, CalendarYear, ChangedHolidays, SeenYear};

/// The source of the days of a year. The register wins over the configuration, and that over the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum HolidaySource {
    /// The days come with the program.
    Program,
    /// The days come from the file of the configuration (`[calendar] holidays`).
    Configuration,
    /// An ADMIN set them.
    Register,
}

pub struct HolidayYear(CalendarYear);

/// The public holidays of a year, by which working days are counted. In a year without an entry they are Monday to
/// Friday.
#[Object]
impl HolidayYear {
    async fn year(&self) -> i32 {
        self.0.year
    }

    /// Days off other than Saturdays and Sundays, in order of time.
    async fn days_off(&self) -> &[NaiveDate] {
        &self.0.days.off
    }

    /// Saturdays and Sundays worked in exchange, in order of time.
    async fn days_worked(&self) -> &[NaiveDate] {
        &self.0.days.worked
    }

    async fn source(&self) -> HolidaySource {
        match self.0.source {
            administration::HolidaySource::Program => HolidaySource::Program,
            administration::HolidaySource::Configuration => HolidaySource::Configuration,
            administration::HolidaySource::Register => HolidaySource::Register,
        }
    }

    /// The reason for the year in the register; null from another source.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// The position of the last change in the register, 0 if there was none. Pass it as `expectedRevision`.
    async fn revision(&self) -> i64 {
        self.0.revision
    }

    /// Every step that changed the year in the register, the oldest first by default.
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "SortDirection::Asc")] direction: SortDirection,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<ReferenceHistoryConnection> {
        let page = PageArgs { first, after, last, before };
        Box::pin(history_of_reference(ctx, Recorded::HolidayYear, self.0.id, direction, page)).await
    }
}

#[derive(Default)]
pub struct HolidayQueries;

#[Object]
impl HolidayQueries {
    /// The years of public holidays that the calendar knows, in order of time.
    async fn holidays(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only this year. The answer is empty if the calendar does not know it.")] year: Option<i32>,
    ) -> Result<Vec<Inline<HolidayYear>>> {
        let mut all = request(ctx)?.read(administration::calendar_years).await?;
        all.retain(|one| year.is_none_or(|year| one.year == year));
        Ok(all.into_iter().map(HolidayYear).map(Inline).collect())
    }
}

/// The public holidays of a year.
#[derive(Debug, InputObject)]
pub struct SetHolidaysInput {
    /// A year from 1970 to 2199. The years of the calendar must not have gaps.
    pub year: i32,
    /// The revision that you read, 0 for a year that the register never had; another revision gives CONFLICT.
    pub expected_revision: i64,
    /// All days off other than Saturdays and Sundays, days off in exchange included.
    pub days_off: Vec<NaiveDate>,
    /// All Saturdays and Sundays worked in exchange.
    #[graphql(default)]
    pub days_worked: Vec<NaiveDate>,
    /// Why, such as the decision of the government.
    pub reason: String,
}

/// A year that is left to the configuration and the program again.
#[derive(Debug, InputObject)]
pub struct RemoveHolidaysInput {
    pub year: i32,
    /// The revision that you read; another revision gives CONFLICT.
    pub expected_revision: i64,
    pub reason: String,
}

#[derive(SimpleObject)]
pub struct HolidayYearPayload {
    /// The year as it counts now; null if the calendar no longer knows it.
    pub holidays: Option<HolidayYear>,
    /// The number of complaints that got another deadline.
    pub changed_deadlines: u32,
    /// The position of the register after the change, for `minPosition`; null if nothing changed.
    pub position: Option<i64>,
}

#[derive(Default)]
pub struct HolidayMutations;

#[Object]
impl HolidayMutations {
    /// Sets all public holidays of a year, in place of those of the configuration or the program. The deadlines of
    /// complaints follow at once. BAD_USER_INPUT if a day is of another year, a day worked is not a Saturday or Sunday,
    /// or the calendar would lack a year between two others; CONFLICT if the year has changed.
    async fn set_holidays(&self, ctx: &Context<'_>, input: SetHolidaysInput) -> Result<HolidayYearPayload> {
        let SetHolidaysInput { year, expected_revision, days_off, days_worked, reason } = input;
        if days_off.len().max(days_worked.len()) > MOST_DAYS {
            return Err(bad_input(format!("daysOff, daysWorked: a year has at most {MOST_DAYS} days")));
        }
        let (reason, seen) = (required("reason", &reason, LONG)?, SeenYear { year, revision: expected_revision });
        let days = YearDays { off: days_off, worked: days_worked };
        changed(ctx, year, move |tx| administration::set_holidays(tx, seen, days, &reason)).await
    }

    /// Removes the stored holidays of a year, so that those of the configuration or the program apply again; the
    /// deadlines of complaints follow at once. NOT_FOUND if the register has no such year itself, BAD_USER_INPUT if the
    /// calendar would lack a year between two others, CONFLICT if the year has changed.
    async fn remove_holidays(&self, ctx: &Context<'_>, input: RemoveHolidaysInput) -> Result<HolidayYearPayload> {
        let RemoveHolidaysInput { year, expected_revision, reason } = input;
        let (reason, seen) = (required("reason", &reason, LONG)?, SeenYear { year, revision: expected_revision });
        changed(ctx, year, move |tx| administration::remove_holidays(tx, seen, &reason)).await
    }
}

/// Days of the longest year.
const MOST_DAYS: usize = 366;

/// Changes a year and reads it as it counts then.
async fn changed(
    ctx: &Context<'_>,
    year: i32,
    change: impl FnOnce(&mut WriteTx<'_>) -> std::result::Result<ChangedHolidays, StoreError> + Send + 'static,
) -> Result<HolidayYearPayload> {
    let done = written(ctx, change).await?;
    let all = request(ctx)?.read(administration::calendar_years).await?;
    Ok(HolidayYearPayload {
        holidays: all.into_iter().find(|one| one.year == year).map(HolidayYear),
        changed_deadlines: u32::try_from(done.value.deadlines).unwrap_or(u32::MAX),
        position: done.position,
    })
}
