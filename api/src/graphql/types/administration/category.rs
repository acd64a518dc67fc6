//! Mutations of issue categories.

use super::written;
use crate::graphql::enums::{CategoryKind, DeadlineUnit};
use crate::graphql::types::IssueCategory;
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use chrono::NaiveDate;
use schema::register::administration::{self, CategoryChange, NewCategory, Seen};

/// A new issue category.
#[derive(Debug, InputObject)]
pub struct CreateIssueCategoryInput {
    /// The code, which never changes. CONFLICT if a category with more than a code has it; a category that an
    /// import created from the code alone is completed.
    pub code: String,
    /// The code of the category above it, for one of the second level.
    pub parent: Option<String>,
    pub name_vi: String,
    pub name_en: Option<String>,
    pub kind: CategoryKind,
    #[graphql(default)]
    pub serious: bool,
    /// Days within which a complaint must be answered, 1 to 3,650; no deadline if this is missing.
    pub deadline_days: Option<i32>,
    /// The kind of days in which the deadline is counted.
    #[graphql(default_with = "DeadlineUnit::Working")]
    pub deadline_unit: DeadlineUnit,
    /// The code of the headquarters unit in charge.
    pub owner: Option<String>,
}

/// New values of an issue category. What is left out stays; null removes a value.
#[derive(Debug, InputObject)]
pub struct ChangeIssueCategoryInput {
    /// The code of the category.
    pub category: String,
    /// The revision that you read; another revision gives CONFLICT.
    pub expected_revision: i64,
    /// The code of the category above it.
    pub parent: MaybeUndefined<String>,
    pub name_vi: Option<String>,
    pub name_en: MaybeUndefined<String>,
    pub kind: Option<CategoryKind>,
    pub serious: Option<bool>,
    /// Days within which a complaint must be answered, 1 to 3,650. The complaints of the category get another
    /// deadline.
    pub deadline_days: MaybeUndefined<i32>,
    /// The kind of days in which the deadline is counted.
    pub deadline_unit: Option<DeadlineUnit>,
    /// The code of the headquarters unit in charge.
    pub owner: MaybeUndefined<String>,
}

/// The end of an issue category.
#[derive(Debug, InputObject)]
pub struct CloseIssueCategoryInput {
    /// The code of the category.
    pub category: String,
    /// The revision that you read; another revision gives CONFLICT.
    pub expected_revision: i64,
    /// The last day. Complaints received later are not filed under it; those that are keep it.
    pub on: NaiveDate,
}

#[derive(SimpleObject)]
pub struct IssueCategoryPayload {
    pub category: IssueCategory,
    /// The position of the register after the change, for `minPosition`; null if nothing changed.
    pub position: Option<i64>,
}

#[derive(Default)]
pub struct CategoryMutations;

#[Object]
impl CategoryMutations {
    /// Makes an issue category. BAD_USER_INPUT names the field that is wrong, CONFLICT if there is one with the
    /// code.
    async fn create_issue_category(
        &self,
        ctx: &Context<'_>,
        input: CreateIssueCategoryInput,
    ) -> Result<IssueCategoryPayload> {
        let new = NewCategory {
            code: input.code,
            parent: input.parent,
            name_vi: input.name_vi,
            name_en: input.name_en,
            kind: input.kind.into(),
            serious: input.serious,
            deadline_days: input.deadline_days,
            deadline_unit: input.deadline_unit.into(),
            owner: input.owner,
        };
        let done = written(ctx, move |tx| administration::create_category(tx, &new)).await?;
        Ok(IssueCategoryPayload { category: IssueCategory(done.value), position: done.position })
    }

    /// Changes an issue category. NOT_FOUND if it does not exist, BAD_USER_INPUT names the field that is wrong,
    /// CONFLICT if the category has changed.
    async fn change_issue_category(
        &self,
        ctx: &Context<'_>,
        input: ChangeIssueCategoryInput,
    ) -> Result<IssueCategoryPayload> {
        let seen = Seen { code: input.category, revision: input.expected_revision };
        let change = CategoryChange {
            parent: input.parent.into(),
            name_vi: input.name_vi,
            name_en: input.name_en.into(),
            kind: input.kind.map(Into::into),
            serious: input.serious,
            deadline_days: input.deadline_days.into(),
            deadline_unit: input.deadline_unit.map(Into::into),
            owner: input.owner.into(),
        };
        let done = written(ctx, move |tx| administration::change_category(tx, &seen, change)).await?;
        Ok(IssueCategoryPayload { category: IssueCategory(done.value), position: done.position })
    }

    /// Ends an issue category on a day. NOT_FOUND if it does not exist, BAD_USER_INPUT if categories below it are in
    /// use, CONFLICT if the category has changed.
    async fn close_issue_category(
        &self,
        ctx: &Context<'_>,
        input: CloseIssueCategoryInput,
    ) -> Result<IssueCategoryPayload> {
        let seen = Seen { code: input.category, revision: input.expected_revision };
        let done = written(ctx, move |tx| administration::close_category(tx, &seen, input.on)).await?;
        Ok(IssueCategoryPayload { category: IssueCategory(done.value), position: done.position })
    }
}
