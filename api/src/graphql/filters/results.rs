//! Filters of what jobs leave behind.

use super::*;
use async_graphql::InputObject;
use diesel::prelude::*;
use schema::tables::{audit_log, digests, flags, job_runs, officers, principals, units};

/// Flags.
#[derive(Debug, Clone, Default, InputObject)]
pub struct FlagFilter {
    pub id: Option<IdOps>,
    pub subject_kind: Option<SubjectKindOps>,
    pub tier: Option<TierOps>,
    pub state: Option<FlagStateOps>,
    pub officer: Option<OfficerFilter>,
    pub unit: Option<UnitFilter>,
    pub run_id: Option<IdOps>,
    pub opened_at: Option<DateTimeOps>,
    pub changed_at: Option<DateTimeOps>,
    pub and: Option<Vec<FlagFilter>>,
    pub or: Option<Vec<FlagFilter>>,
    pub not: Option<Box<FlagFilter>>,
}

impl FlagFilter {
    pub fn condition(&self, reference: &ReferenceData) -> Made<flags::table> {
        let mut conditions: Vec<Pred<flags::table>> = Vec::new();
        equal_ops!(conditions, self.id, flags::id, as_id);
        equal_ops!(conditions, self.subject_kind, flags::subject_kind, as_word::<_, schema::enums::SubjectKind>);
        equal_ops!(conditions, self.tier, flags::tier, as_word::<_, schema::enums::Tier>);
        equal_ops!(conditions, self.state, flags::state, as_word::<_, schema::enums::FlagState>);
        if let Some(officer) = &self.officer {
            let mut of = officers::table.into_boxed::<MultiBackend>();
            if let Some(condition) = officer.condition(reference)? {
                of = of.filter(condition);
            }
            conditions.push(Box::new(in_select(flags::officer_id, of.select(officers::id.nullable()))));
        }
        if let Some(unit) = &self.unit {
            let mut of = units::table.into_boxed::<MultiBackend>();
            if let Some(condition) = unit.condition(reference)? {
                of = of.filter(condition);
            }
            conditions.push(Box::new(in_select(flags::unit_id, of.select(units::id.nullable()))));
        }
        equal_ops!(conditions, self.run_id, flags::run_id, as_id);
        ordered_ops!(conditions, self.opened_at, flags::opened_at, as_time);
        ordered_ops!(conditions, self.changed_at, flags::changed_at, as_time);
        combine!(self, conditions, flags::table, |part: &Self| part.condition(reference))
    }
}

/// Runs of jobs.
#[derive(Debug, Clone, Default, InputObject)]
pub struct JobRunFilter {
    pub id: Option<IdOps>,
    pub job: Option<StringOps>,
    pub state: Option<RunStateOps>,
    pub as_of: Option<DateOps>,
    pub started_at: Option<DateTimeOps>,
    pub and: Option<Vec<JobRunFilter>>,
    pub or: Option<Vec<JobRunFilter>>,
    pub not: Option<Box<JobRunFilter>>,
}

impl JobRunFilter {
    pub fn condition(&self) -> Made<job_runs::table> {
        let mut conditions: Vec<Pred<job_runs::table>> = Vec::new();
        equal_ops!(conditions, self.id, job_runs::id, as_id);
        text_ops!(conditions, self.job, job_runs::job);
        equal_ops!(conditions, self.state, job_runs::state, as_word::<_, schema::enums::RunState>);
        ordered_ops!(conditions, self.as_of, job_runs::as_of, as_is);
        ordered_ops!(conditions, self.started_at, job_runs::started_at, as_time);
        combine!(self, conditions, job_runs::table, Self::condition)
    }
}

/// Who has tokens.
#[derive(Debug, Clone, Default, InputObject)]
pub struct PrincipalFilter {
    pub name: Option<StringOps>,
    pub role: Option<RoleOps>,
    pub disabled_at: Option<DateTimeOps>,
    pub and: Option<Vec<PrincipalFilter>>,
    pub or: Option<Vec<PrincipalFilter>>,
    pub not: Option<Box<PrincipalFilter>>,
}

impl PrincipalFilter {
    pub fn condition(&self) -> Made<principals::table> {
        let mut conditions: Vec<Pred<principals::table>> = Vec::new();
        text_ops!(conditions, self.name, principals::name);
        equal_ops!(conditions, self.role, principals::role, as_word::<_, schema::enums::Role>);
        ordered_ops!(conditions, self.disabled_at, principals::disabled_at, as_time);
        combine!(self, conditions, principals::table, Self::condition)
    }
}

/// Entries of the audit log.
#[derive(Debug, Clone, Default, InputObject)]
pub struct AuditFilter {
    pub at: Option<DateTimeOps>,
    pub actor: Option<StringOps>,
    pub role: Option<RoleOps>,
    pub action: Option<AuditActionOps>,
    pub and: Option<Vec<AuditFilter>>,
    pub or: Option<Vec<AuditFilter>>,
    pub not: Option<Box<AuditFilter>>,
}

impl AuditFilter {
    pub fn condition(&self) -> Made<audit_log::table> {
        let mut conditions: Vec<Pred<audit_log::table>> = Vec::new();
        ordered_ops!(conditions, self.at, audit_log::at, as_time);
        text_ops!(conditions, self.actor, audit_log::actor);
        equal_ops!(conditions, self.role, audit_log::role, as_word::<_, schema::enums::Role>);
        equal_ops!(conditions, self.action, audit_log::action, as_word::<_, schema::enums::AuditAction>);
        combine!(self, conditions, audit_log::table, Self::condition)
    }
}

/// Digests.
#[derive(Debug, Clone, Default, InputObject)]
pub struct DigestFilter {
    pub id: Option<IdOps>,
    pub as_of: Option<DateOps>,
    pub locale: Option<LocaleOps>,
    pub created_at: Option<DateTimeOps>,
    pub and: Option<Vec<DigestFilter>>,
    pub or: Option<Vec<DigestFilter>>,
    pub not: Option<Box<DigestFilter>>,
}

impl DigestFilter {
    pub fn condition(&self) -> Made<digests::table> {
        let mut conditions: Vec<Pred<digests::table>> = Vec::new();
        equal_ops!(conditions, self.id, digests::id, as_id);
        ordered_ops!(conditions, self.as_of, digests::as_of, as_is);
        equal_ops!(conditions, self.locale, digests::locale, as_word::<_, schema::enums::Locale>);
        ordered_ops!(conditions, self.created_at, digests::created_at, as_time);
        combine!(self, conditions, digests::table, Self::condition)
    }
}
