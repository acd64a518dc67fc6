//! Mutations of units.

use super::written;
use crate::graphql::enums::{PeerGroup, UnitKind};
use crate::graphql::types::Unit;
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use chrono::NaiveDate;
use schema::register::administration::{self, NewUnit, Seen, UnitChange};

/// A new unit.
#[derive(Debug, InputObject)]
pub struct CreateUnitInput {
    /// The code, which never changes. CONFLICT if a unit with more than a code has it; a unit that an import
    /// created from the code alone is completed.
    pub code: String,
    pub name_vi: String,
    pub name_en: Option<String>,
    pub kind: UnitKind,
    pub peer_group: Option<PeerGroup>,
    /// The field of work of a headquarters unit.
    pub field: Option<String>,
    /// The code of the unit above it.
    pub parent: Option<String>,
    /// The first day of the unit; no known beginning if this is missing.
    pub valid_from: Option<NaiveDate>,
}

/// New values of a unit. What is left out stays; null removes a value.
#[derive(Debug, InputObject)]
pub struct ChangeUnitInput {
    /// The code of the unit.
    pub unit: String,
    /// The revision that you read; another revision gives CONFLICT.
    pub expected_revision: i64,
    pub name_vi: Option<String>,
    pub name_en: MaybeUndefined<String>,
    /// Another kind changes the level at which the unit counts, for past complaints too.
    pub kind: Option<UnitKind>,
    pub peer_group: MaybeUndefined<PeerGroup>,
    /// The field of work of a headquarters unit.
    pub field: MaybeUndefined<String>,
    /// The code of the successor after the last day, for a unit with an end. Complaints that wait for an answer of a
    /// unit that has ended go to the successor at once.
    pub successor: MaybeUndefined<String>,
    /// A later last day, for a unit that has one; null if it has no end, and so no successor. What went to the
    /// successor stays there.
    pub valid_to: MaybeUndefined<NaiveDate>,
}

/// Another place of a unit.
#[derive(Debug, InputObject)]
pub struct MoveUnitInput {
    /// The code of the unit.
    pub unit: String,
    /// The revision that you read; another revision gives CONFLICT.
    pub expected_revision: i64,
    /// The code of the unit above it.
    pub parent: String,
    /// The first day below that unit. Complaints about earlier days count for the units above it before.
    pub from: NaiveDate,
}

/// The end of a unit.
#[derive(Debug, InputObject)]
pub struct CloseUnitInput {
    /// The code of the unit.
    pub unit: String,
    /// The revision that you read; another revision gives CONFLICT.
    pub expected_revision: i64,
    /// The last day of the unit.
    pub on: NaiveDate,
    /// The code of the successor: units below the closed unit and postings to it move there, and it answers later
    /// complaints about the closed unit. Required if there are any, or complaints that wait for an answer: these go to
    /// the successor at once if the day has passed, else on the day after it. The unit that a complaint is about stays
    /// that of its day. Default: the successor that an earlier call named.
    pub successor: Option<String>,
}

#[derive(SimpleObject)]
pub struct UnitPayload {
    pub unit: Unit,
    /// The position of the register after the change, for `minPosition`; null if nothing changed.
    pub position: Option<i64>,
}

#[derive(SimpleObject)]
pub struct CloseUnitPayload {
    pub unit: Unit,
    /// The units that were below it, and are below its successor from the next day on.
    pub moved_units: Vec<String>,
    /// The number of officers whose posting continues at the successor.
    pub moved_postings: i32,
    /// The number of complaints that waited for its answer. They go to its successor: at once if the last day has
    /// passed, else by the job `hand-over` on the day after it.
    pub open_complaints: i64,
    /// The position of the register after the change, for `minPosition`; null if nothing changed.
    pub position: Option<i64>,
}

#[derive(Default)]
pub struct UnitMutations;

#[Object]
impl UnitMutations {
    /// Makes a unit. BAD_USER_INPUT names the field that is wrong, CONFLICT if there is one with the code.
    async fn create_unit(&self, ctx: &Context<'_>, input: CreateUnitInput) -> Result<UnitPayload> {
        let new = NewUnit {
            code: input.code,
            name_vi: input.name_vi,
            name_en: input.name_en,
            kind: input.kind.into(),
            peer_group: input.peer_group.map(Into::into),
            field: input.field,
            parent: input.parent,
            valid_from: input.valid_from,
        };
        let done = written(ctx, move |tx| administration::create_unit(tx, &new)).await?;
        Ok(UnitPayload { unit: Unit(done.value), position: done.position })
    }

    /// Changes the names, the kind, the peer group, the field or the successor of a unit, or lets it last longer.
    /// NOT_FOUND if it does not exist, BAD_USER_INPUT names the field that is wrong, CONFLICT if the unit has changed.
    async fn change_unit(&self, ctx: &Context<'_>, input: ChangeUnitInput) -> Result<UnitPayload> {
        let seen = Seen { code: input.unit, revision: input.expected_revision };
        let change = UnitChange {
            name_vi: input.name_vi,
            name_en: input.name_en.into(),
            kind: input.kind.map(Into::into),
            peer_group: input.peer_group.map_value(schema::enums::PeerGroup::from).into(),
            field: input.field.into(),
            successor: input.successor.into(),
            valid_to: input.valid_to.into(),
        };
        let done = written(ctx, move |tx| administration::change_unit(tx, &seen, change)).await?;
        Ok(UnitPayload { unit: Unit(done.value), position: done.position })
    }

    /// Puts a unit below another one from a day on. NOT_FOUND if it does not exist, BAD_USER_INPUT if the parent
    /// or the day is wrong or the parents would form a circle, CONFLICT if the unit has changed.
    async fn move_unit(&self, ctx: &Context<'_>, input: MoveUnitInput) -> Result<UnitPayload> {
        let seen = Seen { code: input.unit, revision: input.expected_revision };
        let done = written(ctx, move |tx| administration::move_unit(tx, &seen, &input.parent, input.from)).await?;
        Ok(UnitPayload { unit: Unit(done.value), position: done.position })
    }

    /// Ends a unit on a day. NOT_FOUND if it does not exist, BAD_USER_INPUT if the day or the successor is wrong, or
    /// lists what hinders, CONFLICT if the unit has changed.
    async fn close_unit(&self, ctx: &Context<'_>, input: CloseUnitInput) -> Result<CloseUnitPayload> {
        let seen = Seen { code: input.unit, revision: input.expected_revision };
        let done =
            written(ctx, move |tx| administration::close_unit(tx, &seen, input.on, input.successor.as_deref())).await?;
        Ok(CloseUnitPayload {
            unit: Unit(done.value.unit),
            moved_units: done.value.moved,
            moved_postings: i32::try_from(done.value.officers.len()).unwrap_or(i32::MAX),
            open_complaints: done.value.open_complaints,
            position: done.position,
        })
    }
}
