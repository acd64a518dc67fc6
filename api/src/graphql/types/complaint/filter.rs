//! Filters of complaints and allegations.

use crate::access::{OfUnit, within as within_unit};
use crate::graphql::filter::Filter;
use crate::graphql::filter::{
    AttributionOps, BooleanOps, ChannelOps, ComplaintStateOps, DateOps, DateTimeOps, DecimalOps, FindingOps, FloatOps,
    IdOps, IntOps, LegalFormOps, OptionalCondition, ReferenceData, StringOps, balanced, combine, filter, null_op,
    selected, text_ops, today,
};
use crate::graphql::types::category::selected_categories;
use crate::graphql::types::unit::{unit_of, unit_of_within};
use crate::graphql::types::{CategoryFilter, EnterpriseFilter, OfficerFilter, ResponseFilter, UnitFilter};
use async_graphql::{InputObject, Result};
use diesel::prelude::*;
use schema::db::MultiBackend;
use schema::domain::ids::ids_of_reference;
use schema::queries::{
    Pred, answered_in_time, answered_late, escalated_to, in_select, not_true, overdue_by, overdue_on,
};
use schema::queries::{of_a_register, registered, text_contains};
use schema::refusal::FilterRefusal;
use schema::tables::{
    complaint_links, complaint_officers, complaint_sources, complaints, enterprises, officers, unit_responses, units,
};
use schema::{Id, StoreError};

filter! {
    /// Conditions on complaints, joined by AND.
    ComplaintFilter over complaints {
        id: IdOps => id(complaints::id),
        /// The reference of the complaint, such as PA-20101231-7F3KQ2M9ZX. Another form gives BAD_USER_INPUT.
        reference: String => by(of_reference),
        /// The number that another register gave the complaint before its import. With `source`: the number of that
        /// register. `isNull` selects complaints with or without one.
        source_reference: StringOps => whole(of_sources),
        /// The register from which the complaint was imported, as in the mapping of the import.
        source: StringOps => whole(of_source_alone),
        received_at: DateTimeOps => time(complaints::received_at),
        occurred_at: DateTimeOps => time(complaints::occurred_at),
        recorded_at: DateTimeOps => time(complaints::recorded_at),
        legal_form: LegalFormOps => word(complaints::legal_form),
        channel: ChannelOps => word(complaints::channel),
        state: ComplaintStateOps => word(complaints::state),
        state_since: DateTimeOps => time(complaints::state_since),
        declaration_number: StringOps => text(complaints::declaration_number),
        text: StringOps => text(complaints::text),
        /// Finds words anywhere in the text, ignoring case and diacritics, or a complaint by the whole number that
        /// another register gave it.
        search: String => by(of_search),
        /// In whole VND.
        cost_vnd: DecimalOps => money(complaints::cost_vnd),
        /// In hours.
        delay_hours: FloatOps => value(complaints::delay_hours),
        /// The last day to answer in the present round.
        due_on: DateOps => value(complaints::due_on),
        /// The day of the answer in the present round.
        answered_on: DateOps => value(complaints::answered_on),
        /// Whether the complaint is linked as a duplicate of another one: statistics count only that one.
        duplicate: BooleanOps => by(is_duplicate),
        /// Whether the complaint is open, not answered in its present round, and its deadline is before today, or
        /// before the day on which its clock was stopped.
        overdue: BooleanOps => by(is_overdue),
        /// Days by which the complaint is overdue today; 0 if it is not.
        overdue_days: IntOps => by(of_overdue_days),
        /// Whether each round was answered by its deadline. Null while that is not known: before an answer, unless a
        /// deadline has passed; and for complaints without a deadline.
        answered_in_time: BooleanOps => by(is_answered_in_time),
        /// The unit that the latest escalation of the present round names.
        escalated_to: UnitFilter => by(is_escalated_to),
        blames_system: BooleanOps => truth(complaints::blames_system),
        confidential: BooleanOps => truth(complaints::confidential),
        anonymous: BooleanOps => by(is_anonymous),
        unit: UnitFilter => by(of_unit),
        /// Conditions on the unit that has to answer.
        responsible_unit: ResponsibleUnitOps => by(of_responsible_unit),
        category: CategoryFilter => category(complaints::category_id, selected_categories),
        enterprise: EnterpriseFilter => relation(complaints::enterprise_id => enterprises, enterprises::id.nullable()),
        /// Conditions on an allegation against an officer.
        officers: AllegationFilter => relation(complaints::id => complaint_officers, complaint_officers::complaint_id),
        /// Conditions on a response of a unit.
        responses: ResponseFilter => relation(complaints::id => unit_responses, unit_responses::complaint_id),
    }
}

/// The complaint that a reference of this register names.
fn of_reference(reference: &str, _: &ReferenceData) -> OptionalCondition<complaints::table> {
    let (first, last) =
        ids_of_reference(reference).ok_or_else(|| FilterRefusal::NotAReference { reference: reference.to_owned() })?;
    Ok(Some(Box::new(complaints::id.ge(first).and(complaints::id.le(last)).nullable())))
}

/// Words anywhere in the text, or the whole number that another register gave the complaint.
fn of_search(search: &str, _: &ReferenceData) -> OptionalCondition<complaints::table> {
    let found: Vec<Pred<complaints::table>> = vec![Box::new(text_contains(search)), Box::new(registered(search))];
    Ok(balanced(found, |a, b| Box::new(a.or(b))))
}

/// Operators on whether a complaint is anonymous.
fn is_anonymous(ops: &BooleanOps, _: &ReferenceData) -> OptionalCondition<complaints::table> {
    let mut conditions: Vec<Pred<complaints::table>> = Vec::new();
    for wanted in [ops.eq, ops.ne.map(|ne| !ne)].into_iter().flatten() {
        conditions.push(match wanted {
            true => Box::new(complaints::enterprise_id.is_null().nullable()),
            false => Box::new(complaints::enterprise_id.is_not_null().nullable()),
        });
    }
    // `anonymous` is never null, so `isNull: true` selects nothing.
    null_op!(conditions, ops, complaints::id);
    Ok(balanced(conditions, |a, b| Box::new(a.and(b))))
}

/// Operators on whether a complaint is linked as a duplicate, which is never null.
fn is_duplicate(ops: &BooleanOps, _: &ReferenceData) -> OptionalCondition<complaints::table> {
    let linked = || -> Pred<complaints::table> {
        let all = complaint_links::table.into_boxed::<MultiBackend>().select(complaint_links::complaint_id);
        Box::new(in_select(complaints::id, all))
    };
    let mut conditions: Vec<Pred<complaints::table>> = Vec::new();
    for wanted in [ops.eq, ops.ne.map(|ne| !ne)].into_iter().flatten() {
        conditions.push(if wanted { linked() } else { without(linked()) });
    }
    null_op!(conditions, ops, complaints::id);
    Ok(balanced(conditions, |a, b| Box::new(a.and(b))))
}

/// The opposite of a condition.
fn without(condition: Pred<complaints::table>) -> Pred<complaints::table> {
    Box::new(not_true(condition))
}

/// Operators on whether a complaint is overdue, which is never null.
fn is_overdue(ops: &BooleanOps, _: &ReferenceData) -> OptionalCondition<complaints::table> {
    let mut conditions: Vec<Pred<complaints::table>> = Vec::new();
    for wanted in [ops.eq, ops.ne.map(|ne| !ne)].into_iter().flatten() {
        let overdue = overdue_on(today());
        conditions.push(if wanted { overdue } else { without(overdue) });
    }
    null_op!(conditions, ops, complaints::id);
    Ok(balanced(conditions, |a, b| Box::new(a.and(b))))
}

/// Operators on the days by which a complaint is overdue, which are never null.
fn of_overdue_days(ops: &IntOps, _: &ReferenceData) -> OptionalCondition<complaints::table> {
    let at_least = |days: i32| overdue_by(today(), days);
    let more_than = |days: i32| overdue_by(today(), days.saturating_add(1));
    let exactly = |days: i32| -> Pred<complaints::table> { Box::new(at_least(days).and(without(more_than(days)))) };
    let mut conditions: Vec<Pred<complaints::table>> = Vec::new();
    conditions.extend(ops.eq.map(exactly));
    conditions.extend(ops.ne.map(|days| without(exactly(days))));
    if let Some(days) = &ops.r#in {
        let any = balanced(days.iter().copied().map(exactly).collect(), |a, b| Box::new(a.or(b)));
        conditions.push(any.unwrap_or_else(|| Box::new(complaints::id.is_null().nullable())));
    }
    conditions.extend(ops.gte.map(at_least));
    conditions.extend(ops.gt.map(more_than));
    conditions.extend(ops.lt.map(|days| without(at_least(days))));
    conditions.extend(ops.lte.map(|days| without(more_than(days))));
    null_op!(conditions, ops, complaints::id);
    Ok(balanced(conditions, |a, b| Box::new(a.and(b))))
}

/// Operators on whether a complaint was answered in time.
fn is_answered_in_time(ops: &BooleanOps, _: &ReferenceData) -> OptionalCondition<complaints::table> {
    let known = || -> Pred<complaints::table> { Box::new(answered_in_time().or(answered_late(today()))) };
    let mut conditions: Vec<Pred<complaints::table>> = Vec::new();
    for wanted in [ops.eq, ops.ne.map(|ne| !ne)].into_iter().flatten() {
        conditions.push(if wanted { answered_in_time() } else { answered_late(today()) });
    }
    conditions.extend(ops.is_null.map(|null| if null { without(known()) } else { known() }));
    Ok(balanced(conditions, |a, b| Box::new(a.and(b))))
}

/// Complaints whose latest escalation names a unit that the filter selects.
fn is_escalated_to(filter: &UnitFilter, reference: &ReferenceData) -> OptionalCondition<complaints::table> {
    let of = selected!(units, filter, reference);
    Ok(Some(Box::new(escalated_to(of.select(units::id)))))
}

/// Conditions on sources: one imported source must satisfy all of them. `isNull` asks whether the complaint has any
/// source, since no source row has null columns.
fn of_sources(filter: &ComplaintFilter) -> OptionalCondition<complaints::table> {
    let mut conditions: Vec<Pred<complaints::table>> = Vec::new();
    let mut found: Vec<Pred<complaint_sources::table>> = Vec::new();
    let [mut reference, mut source] = [filter.source_reference.clone(), filter.source.clone()];
    let wanted = [&mut reference, &mut source].map(|ops| ops.as_mut().and_then(|ops| ops.is_null.take()));
    text_ops!(found, reference, complaint_sources::reference);
    text_ops!(found, source, complaint_sources::source);
    let all = || complaint_sources::table.into_boxed::<MultiBackend>().filter(of_a_register().nullable());
    if let Some(found) = balanced(found, |a, b| Box::new(a.and(b))) {
        let of = all().filter(found).select(complaint_sources::complaint_id);
        conditions.push(Box::new(in_select(complaints::id, of)));
    }
    for null in wanted.into_iter().flatten() {
        let any = in_select(complaints::id, all().select(complaint_sources::complaint_id));
        conditions.push(if null { Box::new(not_true(Box::new(any))) } else { Box::new(any) });
    }
    Ok(balanced(conditions, |a, b| Box::new(a.and(b))))
}

/// The same where no condition on the reference covers it already.
fn of_source_alone(filter: &ComplaintFilter) -> OptionalCondition<complaints::table> {
    if filter.source_reference.is_some() { Ok(None) } else { of_sources(filter) }
}

/// Conditions on the unit of a complaint: `within` uses the ancestors stored with the complaint, as of its day.
pub fn of_unit(filter: &UnitFilter, reference: &ReferenceData) -> OptionalCondition<complaints::table> {
    let mut conditions: Vec<Pred<complaints::table>> = Vec::new();
    if let Some(code) = &filter.within {
        conditions.push(within(reference, code)?);
    }
    let plain = UnitFilter { within: None, and: None, or: None, not: None, ..filter.clone() };
    if let Some(condition) = plain.condition(reference)? {
        let of = units::table.into_boxed::<MultiBackend>().filter(condition).select(units::id.nullable());
        conditions.push(Box::new(in_select(complaints::unit_id, of)));
    }
    combine!(filter, conditions, complaints::table, |part: &UnitFilter| of_unit(part, reference))
}

/// Operators on the unit that has to answer, by code. An unknown code gives BAD_USER_INPUT.
#[derive(Debug, Clone, Default, InputObject)]
pub struct ResponsibleUnitOps {
    pub eq: Option<String>,
    #[graphql(name = "in")]
    pub r#in: Option<Vec<String>>,
    /// This unit or one below it: on the day of the complaint if the complaint is about the responsible unit or one
    /// below that, else today.
    pub within: Option<String>,
    pub is_null: Option<bool>,
}

fn of_responsible_unit(ops: &ResponsibleUnitOps, reference: &ReferenceData) -> OptionalCondition<complaints::table> {
    let mut conditions: Vec<Pred<complaints::table>> = Vec::new();
    let id = |code: &String| Ok::<Id, StoreError>(unit_of(reference, "responsibleUnit", code)?.id);
    if let Some(code) = &ops.eq {
        conditions.push(Box::new(complaints::responsible_unit_id.eq(id(code)?)));
    }
    if let Some(codes) = &ops.r#in {
        let ids = codes.iter().map(id).collect::<Result<Vec<Id>, StoreError>>()?;
        conditions.push(Box::new(complaints::responsible_unit_id.eq_any(ids)));
    }
    if let Some(code) = &ops.within {
        conditions.push(OfUnit::new(&reference.tree, id(code)?, today()).answered());
    }
    null_op!(conditions, ops, complaints::responsible_unit_id);
    Ok(balanced(conditions, |a, b| Box::new(a.and(b))))
}

fn within(reference: &ReferenceData, code: &str) -> Result<Pred<complaints::table>, StoreError> {
    let unit = unit_of_within(reference, code)?;
    let below: Vec<Id> = reference.tree.descendants_without_stored_ancestor(unit.id);
    Ok(within_unit(unit.id, Some(unit.kind), below))
}

filter! {
    /// Conditions on allegations against officers, joined by AND.
    AllegationFilter over complaint_officers {
        officer: OfficerFilter => relation(complaint_officers::officer_id => officers, officers::id),
        category: CategoryFilter => category(complaint_officers::category_id, selected_categories),
        unit: UnitFilter => relation(complaint_officers::unit_id => units, units::id.nullable()),
        attribution: AttributionOps => word(complaint_officers::attribution),
        finding: FindingOps => word(complaint_officers::finding),
        decided_on: DateOps => value(complaint_officers::decided_on),
    }
}
