//! `complaintStatistics` over the lake: SQL measures the groups, and the rest is done as for the register.

use super::filter::ComplaintStatisticsFilter;
use crate::graphql::context::RequestContext;
use crate::graphql::error::{Code, bad_input, error, from_job};
use crate::graphql::types::sql::from_query;
use crate::sql::cells::json_rows;
use crate::sql::{QueryError, QueryLimits, SqlAsker, SqlQuestion, SqlService, SqlSource};
use async_graphql::{Result, SelectionField};
use chrono::NaiveDate;
use chrono_tz::Tz;
use jobs::facts::days::day_number;
use jobs::lake::statistics::{Among, Conditions, MEASURES, measures, officers};
use jobs::snapshot::{PlaceColumn, Reference, Snapshot};
use jobs::statistics::{Answer, Dimension, GroupResult, Measures, Question, answer_of_groups};
use schema::Timestamp;
use schema::enums::{self as stored, UnitKind};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

const HOUR: i64 = 3_600_000_000;

/// Answers a question over the lake.
///
/// # Errors
/// BAD_USER_INPUT names what the lake cannot give; else as for `sql`.
pub async fn ask(
    request: &RequestContext,
    snapshot: &Arc<Snapshot>,
    question: Question,
    conditions: Conditions,
) -> Result<Answer> {
    let Some(viewer) = &request.viewer else { return Err(error(Code::Unauthenticated, "send a token")) };
    let asker = request.app.keys.as_ref().and_then(|keys| SqlAsker::of(viewer, keys));
    let asker = asker.ok_or_else(|| error(Code::Forbidden, format!("a {} may not ask the lake", viewer.role)))?;
    let limits = QueryLimits {
        rows: u64::from(request.limits.groups) + 1,
        memory_mb: request.limits.sql_memory_mb,
        answer_bytes: u64::from(request.limits.answer_bytes),
        deadline: request.budget.deadline.into_std(),
        time: request.limits.deadline(),
    };
    let service = Arc::clone(&request.app.sql);
    let snapshot = Arc::clone(snapshot);
    let computing = move || {
        let asking = Asking { service: &service, asker: &asker, limits, reference: &snapshot.reference };
        let groups = asking.groups(&question.group_by, &question, &conditions)?;
        let totals = match question.totals {
            true => asking.groups(&[], &question, &conditions)?.pop(),
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
pub fn check(question: &Question, asked: SelectionField<'_>) -> Result<()> {
    let refused = [
        (question.compare.is_some(), "compare"),
        (question.other, "other"),
        (question.disclosure.is_some(), "a role that reads noise"),
        (question.zone != Tz::Asia__Ho_Chi_Minh, "another timezone than Asia/Ho_Chi_Minh"),
        (question.allegations.are_limited(), "finding, attribution and officerIn"),
        (selects(asked, "reopened"), "reopened"),
    ];
    match refused.iter().find(|(is_asked, _)| *is_asked) {
        Some((_, name)) => Err(bad_input(format!("source: the lake has no {name}: ask the register"))),
        None => Ok(()),
    }
}

fn selects(of: SelectionField<'_>, name: &str) -> bool {
    of.selection_set().any(|field| field.name() == name || selects(field, name))
}

/// The conditions of a filter.
///
/// # Errors
/// BAD_USER_INPUT names the field that the lake cannot compare.
pub fn conditions(filter: Option<&ComplaintStatisticsFilter>, snapshot: &Snapshot) -> Result<Conditions> {
    let Some(filter) = filter else { return Ok(Conditions::default()) };
    // No `..`: a new field does not compile until it is decided here what the lake makes of it.
    let ComplaintStatisticsFilter {
        unit_within,
        category_in,
        kind_in,
        channel_in,
        state_in,
        received_from,
        received_before,
        unit,
        responsible_unit,
        responsible_unit_within,
        category,
        kind,
        channel,
        state,
        legal_form,
        peer_group,
        finding_in,
        finding,
        attribution,
        officer_in,
        enterprise_in,
        blames_system,
        anonymous,
        confidential,
        cost_vnd,
        delay_hours,
        received_at,
        and,
        or,
        not,
    } = filter;
    let refused = [
        (unit.is_some(), "unit"),
        (responsible_unit.is_some(), "responsibleUnit"),
        (responsible_unit_within.is_some(), "responsibleUnitWithin"),
        (category.is_some(), "category"),
        (kind.is_some(), "kind"),
        (channel.is_some(), "channel"),
        (state.is_some(), "state"),
        (legal_form.is_some(), "legalForm"),
        (peer_group.is_some(), "peerGroup"),
        (finding_in.is_some(), "findingIn"),
        (finding.is_some(), "finding"),
        (attribution.is_some(), "attribution"),
        (officer_in.is_some(), "officerIn"),
        (enterprise_in.is_some(), "enterpriseIn"),
        (blames_system.is_some(), "blamesSystem"),
        (anonymous.is_some(), "anonymous"),
        (confidential.is_some(), "confidential"),
        (cost_vnd.is_some(), "costVnd"),
        (delay_hours.is_some(), "delayHours"),
        (received_at.is_some(), "receivedAt"),
        (and.is_some(), "and"),
        (or.is_some(), "or"),
        (not.is_some(), "not"),
    ];
    if let Some((_, name)) = refused.iter().find(|(is_asked, _)| *is_asked) {
        return Err(bad_input(format!(
            "filter.{name}: over the lake filters are unitWithin, categoryIn, kindIn, channelIn, stateIn, receivedFrom \
             and receivedBefore: ask the register, or in SQL"
        )));
    }
    let mut among = Vec::new();
    if let Some(code) = unit_within {
        among.push(within(code, snapshot)?);
    }
    if let Some(codes) = category_in {
        among.push(Among { columns: vec!["category"], values: categories(codes, &snapshot.reference)? });
    }
    let mut word = |column: &'static str, words: Option<Vec<String>>| {
        among.extend(words.map(|values| Among { columns: vec![column], values }));
    };
    let kinds = kind_in.as_ref().map(|all| all.iter().map(|one| stored::CategoryKind::from(*one).as_str().to_owned()));
    word("kind", kinds.map(Iterator::collect));
    let channels = channel_in.as_ref().map(|all| all.iter().map(|one| stored::Channel::from(*one).as_str().to_owned()));
    word("channel", channels.map(Iterator::collect));
    let states =
        state_in.as_ref().map(|all| all.iter().map(|one| stored::ComplaintState::from(*one).as_str().to_owned()));
    word("state", states.map(Iterator::collect));
    let day = |name: &str, at: Option<Timestamp>| -> Result<Option<NaiveDate>> {
        match at {
            Some(at) if (at.micros() + 7 * HOUR).rem_euclid(24 * HOUR) != 0 => {
                Err(bad_input(format!("filter.{name}: over the lake it must be a midnight in Vietnam")))
            }
            at => Ok(at.map(schema::domain::calendar::local_date)),
        }
    };
    Ok(Conditions {
        from: day("receivedFrom", received_from.as_ref().map(|moment| moment.0))?,
        before: day("receivedBefore", received_before.as_ref().map(|moment| moment.0))?,
        among,
    })
}

fn within(code: &str, snapshot: &Snapshot) -> Result<Among> {
    let (reference, tree) = (&snapshot.reference, &snapshot.reference.tree);
    let unit =
        reference.unit_by_code(code).ok_or_else(|| bad_input(format!("unitWithin: there is no unit {code:?}")))?;
    let column = match tree.kind(unit.id) {
        Some(UnitKind::ProvincialDepartment) => "department",
        Some(UnitKind::Branch) => "branch",
        Some(UnitKind::Team) => "team",
        _ => return Err(bad_input("unitWithin: over the lake name a department, a branch or a team")),
    };
    if !tree.descendants_without_stored_ancestor(unit.id).is_empty() {
        return Err(bad_input(format!("unitWithin: units moved within {code}: ask the register")));
    }
    Ok(Among { columns: vec![column], values: vec![code.to_owned()] })
}

fn categories(codes: &[String], reference: &Reference) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for code in codes {
        let unknown = || bad_input(format!("categoryIn: there is no category {code:?}"));
        let category = reference.category_by_code(code).ok_or_else(unknown)?;
        all.push(category.code.clone());
        all.extend(reference.categories_within(category.id).map(|below| below.code.clone()));
    }
    Ok(all)
}

struct Asking<'a> {
    service: &'a SqlService,
    asker: &'a SqlAsker,
    limits: QueryLimits,
    reference: &'a Reference,
}

impl Asking<'_> {
    fn groups(&self, by: &[Dimension], question: &Question, of: &Conditions) -> Result<Vec<GroupResult>> {
        let measured = self.rows(measures(by, question.wanted, of).map_err(bad_input)?)?;
        let mut named: HashMap<Vec<Option<i64>>, u32> = HashMap::new();
        if question.wanted.officers {
            for cells in self.rows(officers(by, of).map_err(bad_input)?)? {
                named.insert(self.places(by, &cells)?, count(cells.get(by.len())));
            }
        }
        let mut groups = Vec::with_capacity(measured.len());
        for cells in measured {
            let places = self.places(by, &cells)?;
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
                ..Measures::default()
            };
            groups.push(GroupResult::new(places, found));
        }
        Ok(groups)
    }

    fn rows(&self, text: String) -> Result<Vec<Vec<Value>>> {
        let read = || -> std::result::Result<Vec<Vec<Value>>, QueryError> {
            let question = SqlQuestion { text, parameters: Vec::new(), limits: self.limits };
            let mut result = self.service.ask_over(SqlSource::Lake, self.asker, question)?;
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
    fn places(&self, by: &[Dimension], cells: &[Value]) -> Result<Vec<Option<i64>>> {
        let place = |(dimension, cell): (&Dimension, &Value)| match cell.as_str() {
            None => Ok(None),
            Some(text) => self.place(*dimension, text).map(Some).ok_or_else(|| {
                let message = format!("the lake has {text:?}, which the register does not know yet: ask again");
                error(Code::Unavailable, message)
            }),
        };
        by.iter().zip(cells).map(place).collect()
    }

    fn place(&self, dimension: Dimension, text: &str) -> Option<i64> {
        let word = |words: &[&str]| words.iter().position(|one| *one == text).and_then(|at| i64::try_from(at).ok());
        let unit = || self.reference.unit_place(self.reference.unit_by_code(text)?.id).map(i64::from);
        let category = || self.reference.category_place(self.reference.category_by_code(text)?.id).map(i64::from);
        let Dimension::Place(column) = dimension else {
            return text.parse::<NaiveDate>().ok().map(|day| i64::from(day_number(day)));
        };
        match column {
            PlaceColumn::Category | PlaceColumn::CategoryGroup => category(),
            PlaceColumn::Kind => word(stored::CategoryKind::WORDS),
            PlaceColumn::LegalForm => word(stored::LegalForm::WORDS),
            PlaceColumn::PeerGroup => word(stored::PeerGroup::WORDS),
            PlaceColumn::Channel => word(stored::Channel::WORDS),
            PlaceColumn::State => word(stored::ComplaintState::WORDS),
            _ => unit(),
        }
    }
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
