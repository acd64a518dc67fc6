//! The query `emergingTerms`: which terms more complaints have than before.

use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::error::{bad_input, from_job};
use crate::graphql::filter::{Filter, both};
use crate::graphql::input::day;
use crate::graphql::page::size;
use crate::graphql::types::ComplaintFilter;
use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chrono::{Days, NaiveDate};
use jobs::classification::emerging::{Emerging, Limits, Observed, Term, emerging};
use jobs::facts::EnterpriseFact;
use schema::domain::calendar::start_of_day;
use schema::models::Enterprise;
use schema::queries::{Purpose, enterprises_by_id, received_in_either, texts_where, with_search_index};
use schema::{Conn, Id, StoreError, Timestamp};
use std::collections::{BTreeSet, HashMap};

/// Texts of both periods together, at most.
const MOST_TEXTS: usize = 20_000;
/// Terms of an answer, at most.
const MOST_TERMS: u32 = 1_000;

/// Days of receipt in Vietnam, both ends included.
#[derive(Debug, Clone, Copy, InputObject)]
pub struct DayPeriod {
    pub from: NaiveDate,
    pub to: NaiveDate,
}

impl DayPeriod {
    /// # Errors
    /// BAD_USER_INPUT if a day is out of range, or the period ends before it begins.
    fn checked(self, name: &str) -> Result<Self> {
        let (from, to) = (day(&format!("{name}.from"), self.from)?, day(&format!("{name}.to"), self.to)?);
        match from <= to {
            true => Ok(Self { from, to }),
            false => Err(bad_input(format!("{name} ends on {to}, before it begins on {from}: swap them"))),
        }
    }

    /// The period of the same length right before.
    fn previous(self) -> Option<Self> {
        let days = Days::new((self.to - self.from).num_days().unsigned_abs() + 1);
        Some(Self { from: self.from.checked_sub_days(days)?, to: self.from.pred_opt()? })
    }

    /// Its first moment, and the first one after it.
    fn moments(self) -> [Timestamp; 2] {
        [start_of_day(self.from), start_of_day(self.to.succ_opt().unwrap_or(self.to))]
    }
}

/// A run of one to three syllables that more complaints of a period have than before.
#[derive(SimpleObject)]
pub struct EmergingTerm {
    /// The syllables, as most complaints write them.
    term: String,
    /// Complaints of the period that have it.
    complaints: i32,
    /// Enterprises of the complaints of the period that have it.
    enterprises: i32,
    /// Complaints of the period before that have it.
    complaints_before: i32,
    /// Complaints of the period that would have it at the rate of the period before.
    expected: f64,
    /// Exact one-sided binomial test of the number of complaints, given that of both periods.
    p: f64,
    /// The q-value of `p` over all tested terms.
    q: f64,
}

impl From<Term> for EmergingTerm {
    fn from(term: Term) -> Self {
        Self {
            term: term.term,
            complaints: int(term.recent),
            enterprises: int(term.enterprises),
            complaints_before: int(term.before),
            expected: term.expected,
            p: term.p,
            q: term.q,
        }
    }
}

/// The terms that rise.
#[derive(SimpleObject)]
pub struct EmergingTerms {
    /// Complaints of the period with a text.
    complaints: i32,
    /// Complaints of the period before with a text.
    complaints_before: i32,
    /// The number of terms that were tested: those in 5 complaints of both periods together, or more.
    tested: i32,
    /// The most certain first: q at most 5 %, in 5 complaints of the period or more, of 3 enterprises or more.
    terms: Vec<EmergingTerm>,
}

#[derive(Default)]
pub struct EmergingQueries;

#[Object]
impl EmergingQueries {
    /// Terms in the texts of complaints that rise against an earlier period, by complaints with the term per complaint,
    /// among the complaints that you may see. BAD_USER_INPUT if the periods overlap, a period is wrong, or both have
    /// more than 20,000 texts together.
    async fn emerging_terms(
        &self,
        ctx: &Context<'_>,
        period: DayPeriod,
        #[graphql(desc = "The earlier period. Default: as many days right before `period`.")] before: Option<DayPeriod>,
        #[graphql(desc = "The filter of complaints in both periods.")] filter: Option<ComplaintFilter>,
        #[graphql(desc = "At most this many terms, up to 1,000.", default = 50)] first: i32,
    ) -> Result<EmergingTerms> {
        let first = size("first", first, MOST_TERMS)?;
        let period = period.checked("period")?;
        let before = match before {
            Some(before) => before.checked("before")?,
            None => period.previous().ok_or_else(|| bad_input("period begins too early: name `before`"))?,
        };
        if before.to >= period.from {
            return Err(bad_input(format!(
                "before ends on {}: it must end before the period begins on {}",
                before.to, period.from
            )));
        }
        let request = request(ctx)?;
        let reference = snapshot(ctx)?.reference.clone();
        let scope = viewer(ctx)?.scope(&reference.tree);
        let read = move |conn: &mut Conn| {
            let selected = || {
                let days = received_in_either(period.moments(), before.moments());
                Ok(scope.and(both!(Some(days), filter.condition(&reference)?)))
            };
            let condition = with_search_index(conn, Purpose::Count, selected)?;
            let rows = texts_where(conn, condition, i64::try_from(MOST_TEXTS + 1).unwrap_or(i64::MAX))?;
            if rows.len() > MOST_TEXTS {
                return Err(StoreError::Rule(format!(
                    "the periods have more than {MOST_TEXTS} texts: take shorter periods, or a filter"
                )));
            }
            let ids: BTreeSet<Id> = rows.iter().filter_map(|(_, enterprise, _)| *enterprise).collect();
            let ids: Vec<Id> = ids.into_iter().collect();
            let counts_as = |(id, row): (Id, Enterprise)| {
                (id, EnterpriseFact { tax_code: row.tax_code, group_code: row.group_code }.counts_as())
            };
            let enterprises: HashMap<Id, String> = enterprises_by_id(conn, &ids)?.into_iter().map(counts_as).collect();
            let begin = start_of_day(period.from);
            let observed = |(text, enterprise, received_at): (String, Option<Id>, Timestamp)| {
                let enterprise = enterprise.and_then(|id| enterprises.get(&id).cloned());
                Observed { text, enterprise, recent: received_at >= begin }
            };
            Ok(rows.into_iter().map(observed).collect::<Vec<Observed>>())
        };
        let observed = request.read(read).await?;
        let found = request.compute(move || emerging(&observed, Limits::default()).map_err(from_job)).await?;
        let Emerging { recent, before, tested, terms } = found;
        Ok(EmergingTerms {
            complaints: int(recent),
            complaints_before: int(before),
            tested: i32::try_from(tested).unwrap_or(i32::MAX),
            terms: terms.into_iter().take(first).map(Into::into).collect(),
        })
    }
}

fn int(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
