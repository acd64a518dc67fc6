//! Filters of complaints and what hangs on them.

use super::reference::unit_named;
use super::*;
use async_graphql::InputObject;
use diesel::prelude::*;
use schema::domain::ids::ids_of_reference;
use schema::queries::{of_a_register, registered};
use schema::tables::{
    complaint_officers, complaint_sources, complaints, enterprises, issue_categories, officers, unit_responses, units,
};
use schema::{Id, StoreError};

/// Complaints.
#[derive(Debug, Clone, Default, InputObject)]
pub struct ComplaintFilter {
    pub id: Option<IdOps>,
    /// The reference that people write on paper: PA-20101231-7F3KQ2M9ZX.
    pub reference: Option<String>,
    /// The number that another register gave it, from which it was imported. With `source`, of that register; `isNull` says whether
    /// it has none.
    pub source_reference: Option<StringOps>,
    /// The register from which it was imported, as its mapping names it.
    pub source: Option<StringOps>,
    pub received_at: Option<DateTimeOps>,
    pub occurred_at: Option<DateTimeOps>,
    pub recorded_at: Option<DateTimeOps>,
    pub legal_form: Option<LegalFormOps>,
    pub channel: Option<ChannelOps>,
    pub state: Option<ComplaintStateOps>,
    pub state_since: Option<DateTimeOps>,
    pub declaration_number: Option<StringOps>,
    pub text: Option<StringOps>,
    /// Anywhere in the text, where capitals and diacritics do not matter; or the whole number that another register gave it.
    pub search: Option<String>,
    pub cost_vnd: Option<DecimalOps>,
    pub delay_hours: Option<FloatOps>,
    pub blames_system: Option<BooleanOps>,
    pub confidential: Option<BooleanOps>,
    pub anonymous: Option<BooleanOps>,
    pub unit: Option<UnitFilter>,
    pub category: Option<CategoryFilter>,
    pub enterprise: Option<EnterpriseFilter>,
    /// Some allegation against an officer.
    pub officers: Option<AllegationFilter>,
    /// Some response of a unit.
    pub responses: Option<ResponseFilter>,
    pub and: Option<Vec<ComplaintFilter>>,
    pub or: Option<Vec<ComplaintFilter>>,
    pub not: Option<Box<ComplaintFilter>>,
}

impl ComplaintFilter {
    pub fn condition(&self, reference: &ReferenceData) -> Made<complaints::table> {
        let mut conditions: Vec<Pred<complaints::table>> = Vec::new();
        equal_ops!(conditions, self.id, complaints::id, as_id);
        if let Some(reference) = &self.reference {
            let (first, last) = ids_of_reference(reference)
                .ok_or_else(|| StoreError::Rule(format!(
                        "reference: {reference:?} is none that this register gave; the number that another register gave is \
                         a sourceReference"
                    )))?;
            conditions.push(Box::new(complaints::id.ge(first).and(complaints::id.le(last)).nullable()));
        }
        ordered_ops!(conditions, self.received_at, complaints::received_at, as_time);
        ordered_ops!(conditions, self.occurred_at, complaints::occurred_at, as_time);
        ordered_ops!(conditions, self.recorded_at, complaints::recorded_at, as_time);
        equal_ops!(conditions, self.legal_form, complaints::legal_form, as_word::<_, schema::enums::LegalForm>);
        equal_ops!(conditions, self.channel, complaints::channel, as_word::<_, schema::enums::Channel>);
        equal_ops!(conditions, self.state, complaints::state, as_word::<_, schema::enums::ComplaintState>);
        ordered_ops!(conditions, self.state_since, complaints::state_since, as_time);
        text_ops!(conditions, self.declaration_number, complaints::declaration_number);
        text_ops!(conditions, self.text, complaints::text);
        if let Some(search) = &self.search {
            let mut found: Vec<Pred<complaints::table>> = Vec::new();
            search!(found, self.search, complaints::text);
            found.push(Box::new(registered(search)));
            conditions.extend(balanced(found, |a, b| Box::new(a.or(b))));
        }
        self.of_sources(&mut conditions)?;
        ordered_ops!(conditions, self.cost_vnd, complaints::cost_vnd, as_money);
        ordered_ops!(conditions, self.delay_hours, complaints::delay_hours, as_is);
        truth_ops!(conditions, self.blames_system, complaints::blames_system);
        truth_ops!(conditions, self.confidential, complaints::confidential);
        if let Some(ops) = &self.anonymous {
            for wanted in
                [ops.eq, ops.ne.map(|ne| !ne), ops.is_null.filter(|null| *null).map(|_| false)].into_iter().flatten()
            {
                conditions.push(match wanted {
                    true => Box::new(complaints::enterprise_id.is_null().nullable()),
                    false => Box::new(complaints::enterprise_id.is_not_null().nullable()),
                });
            }
        }
        if let Some(unit) = &self.unit {
            conditions.extend(of_unit(unit, reference)?);
        }
        if let Some(category) = &self.category {
            let mut of = issue_categories::table.into_boxed::<MultiBackend>();
            if let Some(condition) = category.condition()? {
                of = of.filter(condition);
            }
            let of = of.select(issue_categories::id.nullable());
            conditions.push(Box::new(in_select(complaints::category_id, of)));
        }
        if let Some(enterprise) = &self.enterprise {
            let mut of = enterprises::table.into_boxed::<MultiBackend>();
            if let Some(condition) = enterprise.condition()? {
                of = of.filter(condition);
            }
            conditions.push(Box::new(in_select(complaints::enterprise_id, of.select(enterprises::id.nullable()))));
        }
        if let Some(allegation) = &self.officers {
            let mut of = complaint_officers::table.into_boxed::<MultiBackend>();
            if let Some(condition) = allegation.condition(reference)? {
                of = of.filter(condition);
            }
            conditions.push(Box::new(in_select(complaints::id, of.select(complaint_officers::complaint_id))));
        }
        if let Some(response) = &self.responses {
            let mut of = unit_responses::table.into_boxed::<MultiBackend>();
            if let Some(condition) = response.condition(reference)? {
                of = of.filter(condition);
            }
            conditions.push(Box::new(in_select(complaints::id, of.select(unit_responses::complaint_id))));
        }
        combine!(self, conditions, complaints::table, |part: &Self| part.condition(reference))
    }

    /// One register has to have given it a number of which all is true. A complaint that was submitted here has none, which is
    /// what `isNull` asks for: no row is missing its columns.
    fn of_sources(&self, conditions: &mut Vec<Pred<complaints::table>>) -> Result<(), StoreError> {
        let mut found: Vec<Pred<complaint_sources::table>> = Vec::new();
        let [mut reference, mut source] = [self.source_reference.clone(), self.source.clone()];
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
            conditions.push(if null { Box::new(schema::queries::not_true(Box::new(any))) } else { Box::new(any) });
        }
        Ok(())
    }
}

/// Complaints about units: `within` means the ancestors stored with the complaint, as of its day.
fn of_unit(filter: &UnitFilter, reference: &ReferenceData) -> Made<complaints::table> {
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

fn within(reference: &ReferenceData, code: &str) -> Result<Pred<complaints::table>, StoreError> {
    let unit = unit_named(reference, code)?;
    let below: Vec<Id> = reference.tree.below_beside_ancestors(unit.id);
    Ok(crate::auth::within(unit.id, Some(unit.kind), below))
}

/// Confidential complaints, as far as a unit may read them: nothing else of them may be asked.
#[derive(Debug, Clone, Default, InputObject)]
pub struct RedactedComplaintFilter {
    pub state: Option<ComplaintStateOps>,
    pub unit: Option<UnitFilter>,
    pub category: Option<CategoryFilter>,
    pub and: Option<Vec<RedactedComplaintFilter>>,
    pub or: Option<Vec<RedactedComplaintFilter>>,
    pub not: Option<Box<RedactedComplaintFilter>>,
}

impl RedactedComplaintFilter {
    pub fn condition(&self, reference: &ReferenceData) -> Made<complaints::table> {
        let Self { state, unit, category, .. } = self.clone();
        let own = ComplaintFilter { state, unit, category, ..ComplaintFilter::default() };
        let mut conditions: Vec<Pred<complaints::table>> = own.condition(reference)?.into_iter().collect();
        combine!(self, conditions, complaints::table, |part: &Self| part.condition(reference))
    }
}

/// Allegations against officers.
#[derive(Debug, Clone, Default, InputObject)]
pub struct AllegationFilter {
    pub officer: Option<OfficerFilter>,
    pub category: Option<CategoryFilter>,
    pub unit: Option<UnitFilter>,
    pub attribution: Option<AttributionOps>,
    pub finding: Option<FindingOps>,
    pub decided_on: Option<DateOps>,
    pub and: Option<Vec<AllegationFilter>>,
    pub or: Option<Vec<AllegationFilter>>,
    pub not: Option<Box<AllegationFilter>>,
}

impl AllegationFilter {
    pub fn condition(&self, reference: &ReferenceData) -> Made<complaint_officers::table> {
        let mut conditions: Vec<Pred<complaint_officers::table>> = Vec::new();
        if let Some(officer) = &self.officer {
            let mut of = officers::table.into_boxed::<MultiBackend>();
            if let Some(condition) = officer.condition(reference)? {
                of = of.filter(condition);
            }
            conditions.push(Box::new(in_select(complaint_officers::officer_id, of.select(officers::id))));
        }
        if let Some(category) = &self.category {
            let mut of = issue_categories::table.into_boxed::<MultiBackend>();
            if let Some(condition) = category.condition()? {
                of = of.filter(condition);
            }
            let of = of.select(issue_categories::id.nullable());
            conditions.push(Box::new(in_select(complaint_officers::category_id, of)));
        }
        if let Some(unit) = &self.unit {
            let mut of = units::table.into_boxed::<MultiBackend>();
            if let Some(condition) = unit.condition(reference)? {
                of = of.filter(condition);
            }
            conditions.push(Box::new(in_select(complaint_officers::unit_id, of.select(units::id.nullable()))));
        }
        equal_ops!(
            conditions,
            self.attribution,
            complaint_officers::attribution,
            as_word::<_, schema::enums::Attribution>
        );
        equal_ops!(conditions, self.finding, complaint_officers::finding, as_word::<_, schema::enums::Finding>);
        ordered_ops!(conditions, self.decided_on, complaint_officers::decided_on, as_is);
        combine!(self, conditions, complaint_officers::table, |part: &Self| part.condition(reference))
    }
}

/// Responses of units.
#[derive(Debug, Clone, Default, InputObject)]
pub struct ResponseFilter {
    pub complaint_id: Option<IdOps>,
    pub unit: Option<UnitFilter>,
    pub responded_at: Option<DateTimeOps>,
    pub action: Option<ResponseActionOps>,
    pub text: Option<StringOps>,
    pub satisfied: Option<BooleanOps>,
    pub and: Option<Vec<ResponseFilter>>,
    pub or: Option<Vec<ResponseFilter>>,
    pub not: Option<Box<ResponseFilter>>,
}

impl ResponseFilter {
    pub fn condition(&self, reference: &ReferenceData) -> Made<unit_responses::table> {
        let mut conditions: Vec<Pred<unit_responses::table>> = Vec::new();
        equal_ops!(conditions, self.complaint_id, unit_responses::complaint_id, as_id);
        if let Some(unit) = &self.unit {
            let mut of = units::table.into_boxed::<MultiBackend>();
            if let Some(condition) = unit.condition(reference)? {
                of = of.filter(condition);
            }
            conditions.push(Box::new(in_select(unit_responses::unit_id, of.select(units::id))));
        }
        ordered_ops!(conditions, self.responded_at, unit_responses::responded_at, as_time);
        equal_ops!(conditions, self.action, unit_responses::action, as_word::<_, schema::enums::ResponseAction>);
        text_ops!(conditions, self.text, unit_responses::text);
        truth_ops!(conditions, self.satisfied, unit_responses::satisfied);
        combine!(self, conditions, unit_responses::table, |part: &Self| part.condition(reference))
    }
}
