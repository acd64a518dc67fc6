//! Mutations of officers and their postings.

use super::written;
use crate::graphql::types::Officer;
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use chrono::NaiveDate;
use schema::db::Committed;
use schema::models;
use schema::register::administration::{self, NewOfficer, OfficerChange, PostingChange, Seen};

/// A new officer.
#[derive(Debug, InputObject)]
pub struct CreateOfficerInput {
    /// The number, which never changes. CONFLICT if an officer with more than a number has it; an officer whom
    /// an import or a complaint created from the number alone is completed.
    pub code: String,
    pub name: Option<String>,
    pub rank: Option<String>,
    pub appointed_on: Option<NaiveDate>,
}

/// New values of an officer. What is left out stays; null removes a value.
#[derive(Debug, InputObject)]
pub struct ChangeOfficerInput {
    /// The code of the officer.
    pub officer: String,
    /// The revision that you read; another revision gives CONFLICT.
    pub expected_revision: i64,
    pub name: MaybeUndefined<String>,
    pub rank: MaybeUndefined<String>,
    pub appointed_on: MaybeUndefined<NaiveDate>,
}

/// A new posting of an officer.
#[derive(Debug, InputObject)]
pub struct StartPostingInput {
    /// The code of the officer.
    pub officer: String,
    /// The revision that you read; another revision gives CONFLICT.
    pub expected_revision: i64,
    /// The code of the unit.
    pub unit: String,
    /// The first day.
    pub from: NaiveDate,
    /// The last day; the posting lasts if this is missing.
    pub to: Option<NaiveDate>,
}

/// The end of a posting.
#[derive(Debug, InputObject)]
pub struct EndPostingInput {
    /// The code of the officer.
    pub officer: String,
    /// The revision that you read; another revision gives CONFLICT.
    pub expected_revision: i64,
    /// The code of the unit.
    pub unit: String,
    /// The last day, on which the officer must serve there.
    pub on: NaiveDate,
}

/// The correction of a posting. What is left out stays; null removes a value.
#[derive(Debug, InputObject)]
pub struct CorrectPostingInput {
    /// The code of the officer.
    pub officer: String,
    /// The revision that you read; another revision gives CONFLICT.
    pub expected_revision: i64,
    /// The code of the unit of the posting.
    pub unit: String,
    /// The first day of the posting; missing if it is unknown.
    pub from: Option<NaiveDate>,
    /// The code of the right unit.
    pub new_unit: Option<String>,
    /// The right first day.
    pub new_from: MaybeUndefined<NaiveDate>,
    /// The right last day; null for a posting that lasts.
    pub new_to: MaybeUndefined<NaiveDate>,
}

#[derive(SimpleObject)]
pub struct OfficerPayload {
    pub officer: Officer,
    /// The position of the register after the change, for `minPosition`; null if nothing changed.
    pub position: Option<i64>,
}

impl From<Committed<models::Officer>> for OfficerPayload {
    fn from(done: Committed<models::Officer>) -> Self {
        Self { officer: Officer(done.value), position: done.position }
    }
}

#[derive(Default)]
pub struct OfficerMutations;

#[Object]
impl OfficerMutations {
    /// Makes an officer. BAD_USER_INPUT names the field that is wrong, CONFLICT if there is one with the code, or the
    /// code means another officer since a merge.
    async fn create_officer(&self, ctx: &Context<'_>, input: CreateOfficerInput) -> Result<OfficerPayload> {
        let CreateOfficerInput { code, name, rank, appointed_on } = input;
        let new = NewOfficer { code, name, rank, appointed_on };
        Ok(written(ctx, move |tx| administration::create_officer(tx, &new)).await?.into())
    }

    /// Changes the name, the rank or the day of appointment of an officer. NOT_FOUND if it does not exist,
    /// BAD_USER_INPUT names the field that is wrong, CONFLICT if the officer has changed, or was merged into another
    /// one, whom the message names.
    async fn change_officer(&self, ctx: &Context<'_>, input: ChangeOfficerInput) -> Result<OfficerPayload> {
        let seen = Seen { code: input.officer, revision: input.expected_revision };
        let change =
            OfficerChange { name: input.name.into(), rank: input.rank.into(), appointed_on: input.appointed_on.into() };
        Ok(written(ctx, move |tx| administration::change_officer(tx, &seen, change)).await?.into())
    }

    /// Begins a posting. NOT_FOUND if the officer does not exist, BAD_USER_INPUT if the unit does not exist then
    /// or the officer serves elsewhere, CONFLICT if the officer has changed or was merged.
    async fn start_posting(&self, ctx: &Context<'_>, input: StartPostingInput) -> Result<OfficerPayload> {
        let seen = Seen { code: input.officer, revision: input.expected_revision };
        let done = written(ctx, move |tx| administration::start_posting(tx, &seen, &input.unit, input.from, input.to));
        Ok(done.await?.into())
    }

    /// Ends a posting. NOT_FOUND if the officer does not exist, BAD_USER_INPUT if the officer does not serve
    /// there, CONFLICT if the officer has changed or was merged.
    async fn end_posting(&self, ctx: &Context<'_>, input: EndPostingInput) -> Result<OfficerPayload> {
        let seen = Seen { code: input.officer, revision: input.expected_revision };
        let done = written(ctx, move |tx| administration::end_posting(tx, &seen, &input.unit, input.on));
        Ok(done.await?.into())
    }

    /// Corrects a posting. NOT_FOUND if the officer does not exist, BAD_USER_INPUT if the posting does not exist or
    /// a value is wrong, CONFLICT if the officer has changed or was merged.
    async fn correct_posting(&self, ctx: &Context<'_>, input: CorrectPostingInput) -> Result<OfficerPayload> {
        let seen = Seen { code: input.officer, revision: input.expected_revision };
        let change =
            PostingChange { unit: input.new_unit, valid_from: input.new_from.into(), valid_to: input.new_to.into() };
        let (unit, from) = (input.unit, input.from);
        let done = written(ctx, move |tx| administration::correct_posting(tx, &seen, &unit, from, &change));
        Ok(done.await?.into())
    }
}
