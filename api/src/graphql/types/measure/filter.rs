//! The filter of measures about officers.

use crate::graphql::enums::MeasureState;
use crate::graphql::filter::{
    DateOps, IdOps, MeasureKindOps, OptionalCondition, ReferenceData, balanced, filter, null_op, today,
};
use crate::graphql::types::{OfficerFilter, UnitFilter};
use async_graphql::InputObject;
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::queries::{Pred, measures_in, not_true};
use schema::tables::{measures, officers, units};

filter! {
    /// Conditions on measures, joined by AND.
    MeasureFilter over measures {
        id: IdOps => id(measures::id),
        officer: OfficerFilter => relation(measures::officer_id => officers, officers::id),
        /// Conditions on the unit of the officer on the day of the decision.
        unit: UnitFilter => relation(measures::unit_id => units, units::id),
        kind: MeasureKindOps => word(measures::kind),
        /// Conditions on the state, today or on another day.
        state: MeasureStateOps => by(in_state),
        decided_on: DateOps => value(measures::decided_on),
        starts_on: DateOps => value(measures::starts_on),
        ends_on: DateOps => value(measures::ends_on),
        /// Whether the measure is void: it was recorded by mistake.
        void: bool => by(is_void),
    }
}

/// Operators on the state of a measure, which follows from its dates as they are recorded now.
#[derive(Debug, Clone, Default, InputObject)]
pub struct MeasureStateOps {
    pub eq: Option<MeasureState>,
    pub ne: Option<MeasureState>,
    #[graphql(name = "in")]
    pub r#in: Option<Vec<MeasureState>>,
    pub is_null: Option<bool>,
    /// The day of the state. Default: today.
    pub on: Option<NaiveDate>,
}

fn in_state(ops: &MeasureStateOps, _: &ReferenceData) -> OptionalCondition<measures::table> {
    let day = ops.on.unwrap_or_else(today);
    let is = |state: MeasureState| measures_in(state.into(), day);
    let mut conditions: Vec<Pred<measures::table>> = Vec::new();
    conditions.extend(ops.eq.map(is));
    if let Some(state) = ops.ne {
        conditions.push(Box::new(not_true(is(state))));
    }
    if let Some(states) = &ops.r#in {
        let any = balanced(states.iter().copied().map(is).collect(), |a, b| Box::new(a.or(b)));
        conditions.push(any.unwrap_or_else(|| Box::new(measures::id.is_null().nullable())));
    }
    // The state is never null, so `isNull: true` selects nothing.
    null_op!(conditions, ops, measures::id);
    Ok(balanced(conditions, |a, b| Box::new(a.and(b))))
}

fn is_void(void: &bool, _: &ReferenceData) -> OptionalCondition<measures::table> {
    Ok(Some(match void {
        true => Box::new(measures::void_reason.is_not_null().nullable()),
        false => Box::new(measures::void_reason.is_null().nullable()),
    }))
}
