//! `complaintStatistics` over the lake: SQL measures the groups, and the rest is done as for the register.
//!
//! The server asks for the viewer: the text has the viewer's row scope, and the pseudonyms of the lake become the codes
//! and pseudonyms that the viewer reads elsewhere.

mod filter;

pub use filter::Translation;

use crate::access::{Rows, Scope};
use crate::graphql::context::RequestContext;
use crate::graphql::error::{Code, bad_input, error, from_job, from_store};
use crate::graphql::types::sql::from_query;
use crate::sql::cells::json_rows;
use crate::sql::{QueryError, QueryLimits, SqlAsker, SqlQuestion, SqlService};
use async_graphql::Result;
use chrono::NaiveDate;
use chrono_tz::Tz;
use jobs::facts::days::day_number;
use jobs::lake::statistics::{Counted, MEASURES, WAITS, places_of_pseudonyms};
use jobs::lake::{Condition, Manifest, Named, is_newest};
use jobs::numeric::survival::Waiting;
use jobs::snapshot::{IndexList, Snapshot};
use jobs::statistics::{Answer, Dimension, GroupResult, MOST_GROUPS, Measures, Question, answer_of_groups};
use schema::enums as stored;
use schema::pseudonyms::Audience;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Answers a question over the lake. `condition` has the row scope of the viewer.
///
/// # Errors
/// BAD_USER_INPUT names what the lake cannot give; else as for `sql`.
pub async fn ask(
    request: &RequestContext,
    snapshot: &Arc<Snapshot>,
    scope: &Scope,
    question: Question,
    condition: Condition,
) -> Result<Answer> {
    let Some(keys) = request.app.keys.clone() else {
        return Err(error(
            Code::Unavailable,
            "source: the server has no key file, by which it knows whom the lake names",
        ));
    };
    let limits = QueryLimits {
        rows: u64::from(request.limits.groups) + 1,
        memory_mb: request.limits.sql_memory_mb,
        answer_bytes: u64::from(request.limits.answer_bytes),
        deadline: request.budget.deadline.into_std(),
        time: request.limits.deadline(),
    };
    let (service, db) = (Arc::clone(&request.app.sql), request.app.db.clone());
    let snapshot = Arc::clone(snapshot);
    let sees_all = scope.rows == Rows::Everything && scope.except_officer.is_none();
    let computing = move || {
        // All questions are over one state.
        let state = service.lake_state().map_err(from_query)?;
        // A complaint may have become one that this viewer must not count.
        if !sees_all && !is_newest(&db, &keys, &state).map_err(from_store)? {
            return Err(bad_input(
                "source: the register changed after the last sync of the lake, and you do not see all complaints: ask \
                 the register, or wait for the next sync",
            ));
        }
        let asker = SqlAsker::for_role(state.role, &keys);
        let asker = asker.ok_or_else(|| error(Code::Unavailable, "source: the lake is of a role that may not ask"))?;
        let pseudonyms = keys.pseudonyms(Audience::Export(state.role));
        let named = Named { snapshot: &snapshot, pseudonyms: &pseudonyms };
        let counted = Counted { named, condition: &condition, allegations: &question.allegations };
        let names = question.group_by.iter().map(|one| (*one, places_of_pseudonyms(*one, named))).collect();
        let asking = Asking { service: &service, asker: &asker, state: &state, limits, counted, names };
        let groups = asking.groups(&question.group_by, &question)?;
        let totals = match question.totals {
            true => asking.groups(&[], &question)?.pop(),
            false => None,
        };
        answer_of_groups(groups, totals, &question).map_err(from_job)
    };
    request.run_sql(computing).await
}

/// Refuses what the arguments ask beyond the lake, by name.
///
/// # Errors
/// BAD_USER_INPUT.
pub fn check(question: &Question) -> Result<()> {
    let refused = [
        (question.compare.is_some(), "compare"),
        (question.other, "other"),
        (question.disclosure.is_some(), "a role that reads noise"),
        (question.zone != Tz::Asia__Ho_Chi_Minh, "another timezone than Asia/Ho_Chi_Minh"),
    ];
    match refused.iter().find(|(is_asked, _)| *is_asked) {
        Some((_, name)) => Err(bad_input(format!("source: the lake has no {name}: ask the register"))),
        None => Ok(()),
    }
}

/// The places of a group in its dimensions; None for no value.
type Places = Vec<Option<i64>>;

/// Waiting times of the complaints of groups: days, whether they ended with an answer, and how many.
type Waits = HashMap<Places, Vec<(f64, bool, u64)>>;

struct Asking<'a> {
    service: &'a SqlService,
    asker: &'a SqlAsker,
    state: &'a Manifest,
    limits: QueryLimits,
    counted: Counted<'a>,
    /// The places of pseudonyms, of the dimensions that have some.
    names: HashMap<Dimension, HashMap<String, i64>>,
}

impl Asking<'_> {
    fn groups(&self, by: &[Dimension], question: &Question) -> Result<Vec<GroupResult>> {
        let measured = self.rows(self.counted.measures(by, question.wanted).map_err(bad_input)?)?;
        let mut named: HashMap<Places, u32> = HashMap::new();
        if question.wanted.officers {
            for cells in self.rows(self.counted.officers(by).map_err(bad_input)?)? {
                named.insert(self.places(by, &cells)?, count(cells.get(by.len())));
            }
        }
        let mut waited = if question.wanted.median { self.waits(by)? } else { Waits::new() };
        let mut groups = Vec::with_capacity(measured.len());
        let mut seen: HashSet<Places> = HashSet::with_capacity(measured.len());
        for cells in measured {
            let places = self.places(by, &cells)?;
            if !seen.insert(places.clone()) {
                return Err(changed("two groups that are one by now"));
            }
            let at = |name: &str| {
                let nth = MEASURES.iter().position(|one| *one == name)?;
                cells.get(by.len() + nth)
            };
            let found = Measures {
                complaints: count(at("complaints")),
                distinct_enterprises: count(at("enterprises")),
                distinct_officers: named.get(&places).copied().unwrap_or_default(),
                cost_vnd: number(at("cost")),
                delay_hours: at("delay").and_then(Value::as_f64).unwrap_or_default(),
                open: count(at("open")),
                overdue: count(at("overdue")),
                escalated: count(at("escalated")),
                due: count(at("due")),
                in_time: count(at("in_time")),
                reopened: count(at("reopened")),
                median_days: waited.remove(&places).and_then(|times| Waiting::of_counts(times).median()),
                ..Measures::default()
            };
            groups.push(GroupResult::new(places, found));
        }
        Ok(groups)
    }

    fn waits(&self, by: &[Dimension]) -> Result<Waits> {
        let today = day_number(self.state.day);
        let mut found = Waits::new();
        let text = self.counted.waits(by).map_err(bad_input)?;
        for cells in self.rows_up_to(MOST_GROUPS as u64, text)? {
            let at = |name: &str| cells.get(by.len() + WAITS.iter().position(|one| *one == name)?);
            let running = || {
                let since = at("waits_since")?.as_str()?.parse::<NaiveDate>().ok()?;
                Some(f64::from(today - day_number(since)))
            };
            let Some(days) = at("waited_days").and_then(Value::as_f64).or_else(running) else { continue };
            let many = u64::from(count(at("complaints")));
            found.entry(self.places(by, &cells)?).or_default().push((days, number(at("answered")) == 1, many));
        }
        Ok(found)
    }

    fn rows(&self, text: String) -> Result<Vec<Vec<Value>>> {
        self.rows_up_to(self.limits.rows, text)
    }

    fn rows_up_to(&self, most: u64, text: String) -> Result<Vec<Vec<Value>>> {
        let read = || -> std::result::Result<Vec<Vec<Value>>, QueryError> {
            let question =
                SqlQuestion { text, parameters: Vec::new(), limits: QueryLimits { rows: most, ..self.limits } };
            let mut result = self.service.ask_lake(self.state, self.asker, question)?;
            let mut rows = Vec::new();
            while let Some(batch) = result.next_batch()? {
                rows.extend(json_rows(&batch)?);
            }
            match result.truncated() {
                true => Err(QueryError::Sql("there are more groups than your limit: use fewer dimensions".into())),
                false => Ok(rows),
            }
        };
        read().map_err(from_query)
    }

    /// The places of the dimensions of a row.
    fn places(&self, by: &[Dimension], cells: &[Value]) -> Result<Places> {
        let place = |(dimension, cell): (&Dimension, &Value)| match cell.as_str() {
            None => Ok(None),
            Some(text) => self.place(*dimension, text).map(Some).ok_or_else(|| changed("a name")),
        };
        by.iter().zip(cells).map(place).collect()
    }

    fn place(&self, dimension: Dimension, text: &str) -> Option<i64> {
        let reference = &self.counted.named.snapshot.reference;
        let word = |words: &[&str]| words.iter().position(|one| *one == text).and_then(|at| i64::try_from(at).ok());
        let unit = || reference.unit_index(reference.unit_by_code(text)?.id).map(i64::from);
        let category = || reference.category_index(reference.category_by_code(text)?.id).map(i64::from);
        let pseudonym = || self.names.get(&dimension)?.get(text).copied();
        match dimension {
            Dimension::Officer => pseudonym(),
            Dimension::Finding => word(stored::Finding::WORDS),
            Dimension::Time(_) | Dimension::Part(_) => {
                text.parse::<NaiveDate>().ok().map(|day| i64::from(day_number(day)))
            }
            Dimension::Place(column) => match column.list() {
                IndexList::Units => unit(),
                IndexList::Categories => category(),
                IndexList::Enterprises => pseudonym(),
                IndexList::Words(words) => word(words),
            },
        }
    }
}

/// The lake has something that the register knows otherwise by now, or not yet.
fn changed(what: &str) -> async_graphql::Error {
    error(
        Code::Unavailable,
        format!("source: the lake has {what} that is not of the register as it is now: ask again after its next sync"),
    )
}

fn count(cell: Option<&Value>) -> u32 {
    u32::try_from(number(cell)).unwrap_or(u32::MAX)
}

/// A whole number: large decimal numbers are texts.
fn number(cell: Option<&Value>) -> i64 {
    match cell {
        Some(Value::Number(number)) => number.as_i64().or_else(|| number.as_f64().map(|float| float as i64)),
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    }
    .unwrap_or_default()
}
