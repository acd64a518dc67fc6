//! Officers, enterprises and the categories of what they quarrel about.

use super::{ComplaintConnection, Flag, Scorecard, Unit};
use crate::graphql::complaint_children::complaints_of;
use crate::graphql::connection::connection;
use crate::graphql::context::{blocking, loaders, request, snapshot, viewer};
use crate::graphql::enums::{CategoryKind, Locale};
use crate::graphql::error::from_job;
use crate::graphql::filters::ComplaintFilter;
use crate::graphql::loaders::{CategoryKey, OfficerComplaintsKey, PostingsKey, SeenFlagKey, UnitKey, known, one};
use crate::graphql::page::PageArgs;
use crate::graphql::query::ComplaintOrder;
use crate::graphql::scalars::id;
use crate::graphql::statistics;
use async_graphql::{Context, ID, Object, Result};
use chrono::NaiveDate;
use jobs::JobError;
use jobs::analyses::scorecard::{rows_of_officer, scorecard};
use jobs::facts::frames::day_number;
use schema::enums::SubjectKind;
use schema::models::{self, SINCE_EVER};
use schema::pseudonyms::Subject;
use schema::queries::Parent;

/// An officer.
pub struct Officer(pub models::Officer);

impl From<models::Officer> for Officer {
    fn from(row: models::Officer) -> Self {
        Self(row)
    }
}

#[Object]
impl Officer {
    pub async fn id(&self, ctx: &Context<'_>) -> Result<ID> {
        request(ctx)?.saw(|seen| &mut seen.officers, self.0.id);
        Ok(id(self.0.id))
    }

    /// What stands for the officer where it is not said who that is; the same for as long as the key is.
    async fn pseudonym(&self, ctx: &Context<'_>) -> Result<String> {
        request(ctx)?.pseudonym(Subject::Officer, self.0.id)
    }

    async fn code(&self, ctx: &Context<'_>) -> Result<&str> {
        request(ctx)?.saw(|seen| &mut seen.officers, self.0.id);
        Ok(&self.0.code)
    }

    async fn name(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        request(ctx)?.saw(|seen| &mut seen.officers, self.0.id);
        Ok(self.0.name.as_deref())
    }

    async fn rank(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        request(ctx)?.saw(|seen| &mut seen.officers, self.0.id);
        Ok(self.0.rank.as_deref())
    }

    async fn appointed_on(&self, ctx: &Context<'_>) -> Result<Option<NaiveDate>> {
        request(ctx)?.saw(|seen| &mut seen.officers, self.0.id);
        Ok(self.0.appointed_on)
    }

    /// Made by an import or a complaint that met the code before anybody described it.
    async fn unknown(&self) -> bool {
        self.0.unknown
    }

    /// The flag on this officer, if there ever was one.
    async fn flag(&self, ctx: &Context<'_>) -> Result<Option<Flag>> {
        // Nobody reads the flag on himself.
        if viewer(ctx)?.officer_id == Some(self.0.id) {
            return Ok(None);
        }
        // That there is none is a page of the file, too.
        request(ctx)?.saw(|seen| &mut seen.files, self.0.id);
        let id = jobs::flags::flag_id(SubjectKind::Officer, self.0.id);
        Ok(one(loaders(ctx)?, SeenFlagKey(id)).await?.map(Flag))
    }

    /// What was complained about this officer in the last days, or ever, and how it was answered.
    async fn record(
        &self,
        ctx: &Context<'_>,
        days: Option<i32>,
        #[graphql(
            desc = "By the end of this past day, in Vietnam: what had happened by then, as the register knows it now. Today unless told."
        )]
        as_of: Option<NaiveDate>,
    ) -> Result<Scorecard> {
        request(ctx)?.saw(|seen| &mut seen.files, self.0.id);
        let days = days.map(statistics::days).transpose()?;
        let snapshot = snapshot(ctx)?;
        let scope = viewer(ctx)?.scope(&snapshot.reference.tree);
        let within = statistics::scoped(&snapshot, &scope);
        let as_of = statistics::past_day(&snapshot, as_of)?;
        let key = OfficerComplaintsKey { officer: self.0.id, as_of };
        let complaints = one(loaders(ctx)?, key).await?.unwrap_or_default();
        let made = blocking(move || {
            let as_of = day_number(as_of);
            let card = rows_of_officer(&snapshot.facts, &complaints, within).map_err(JobError::from);
            let card = card.and_then(|rows| scorecard(&rows, as_of, days)).map_err(from_job)?;
            Ok(Scorecard::new(&snapshot, days, &card))
        });
        Box::pin(made).await
    }

    /// Complaints that name the officer, the latest first.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn complaints(
        &self,
        ctx: &Context<'_>,
        filter: Option<Box<ComplaintFilter>>,
        order_by: Option<Vec<ComplaintOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<ComplaintConnection> {
        let page = PageArgs { first, after, last, before };
        request(ctx)?.saw(|seen| &mut seen.files, self.0.id);
        complaints_of(ctx, Parent::Officer, self.0.id, filter, order_by, page).await
    }

    /// Where the officer served, oldest first.
    async fn postings(&self, ctx: &Context<'_>) -> Result<Vec<Posting>> {
        request(ctx)?.saw(|seen| &mut seen.files, self.0.id);
        let rows = one(loaders(ctx)?, PostingsKey(self.0.id)).await?.unwrap_or_default();
        Ok(rows.into_iter().map(Posting).collect())
    }
}

/// An officer's time at a unit.
pub struct Posting(models::Posting);

#[Object]
impl Posting {
    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        Ok(known(ctx, UnitKey(self.0.unit_id)).await?.map(Unit))
    }

    async fn valid_from(&self) -> Option<NaiveDate> {
        (self.0.valid_from != SINCE_EVER).then_some(self.0.valid_from)
    }

    async fn valid_to(&self) -> Option<NaiveDate> {
        self.0.valid_to
    }
}

/// An enterprise.
pub struct Enterprise(pub models::Enterprise);

impl From<models::Enterprise> for Enterprise {
    fn from(row: models::Enterprise) -> Self {
        Self(row)
    }
}

#[Object]
impl Enterprise {
    pub async fn id(&self, ctx: &Context<'_>) -> Result<ID> {
        request(ctx)?.saw(|seen| &mut seen.enterprises, self.0.id);
        Ok(id(self.0.id))
    }

    /// What stands for the enterprise where it is not said which that is.
    async fn pseudonym(&self, ctx: &Context<'_>) -> Result<String> {
        request(ctx)?.pseudonym(Subject::Enterprise, self.0.id)
    }

    async fn tax_code(&self, ctx: &Context<'_>) -> Result<&str> {
        request(ctx)?.saw(|seen| &mut seen.enterprises, self.0.id);
        Ok(&self.0.tax_code)
    }

    async fn name(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        request(ctx)?.saw(|seen| &mut seen.enterprises, self.0.id);
        Ok(self.0.name.as_deref())
    }

    /// What the enterprise complained about, the latest first.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn complaints(
        &self,
        ctx: &Context<'_>,
        filter: Option<Box<ComplaintFilter>>,
        order_by: Option<Vec<ComplaintOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<ComplaintConnection> {
        let page = PageArgs { first, after, last, before };
        request(ctx)?.saw(|seen| &mut seen.enterprises, self.0.id);
        complaints_of(ctx, Parent::Enterprise, self.0.id, filter, order_by, page).await
    }

    /// Enterprises of one owner, or of one customs broker, share a group.
    async fn group_code(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        request(ctx)?.saw(|seen| &mut seen.enterprises, self.0.id);
        Ok(self.0.group_code.as_deref())
    }
}

/// A category of issues, of the first or the second level.
pub struct IssueCategory(pub models::IssueCategory);

impl From<models::IssueCategory> for IssueCategory {
    fn from(row: models::IssueCategory) -> Self {
        Self(row)
    }
}

#[Object]
impl IssueCategory {
    pub async fn id(&self) -> ID {
        id(self.0.id)
    }

    async fn code(&self) -> &str {
        &self.0.code
    }

    /// The name in a language: that of `Accept-Language` unless told, in Vietnamese where there is none in English.
    async fn name(&self, ctx: &Context<'_>, locale: Option<Locale>) -> Result<&str> {
        let locale = locale.map_or_else(|| request(ctx).map(|request| request.locale), |locale| Ok(locale.into()))?;
        let english = self.0.name_en.as_deref().filter(|_| locale == schema::enums::Locale::En);
        Ok(english.unwrap_or(&self.0.name_vi))
    }

    async fn name_vi(&self) -> &str {
        &self.0.name_vi
    }

    async fn name_en(&self) -> Option<&str> {
        self.0.name_en.as_deref()
    }

    async fn kind(&self) -> CategoryKind {
        self.0.kind.into()
    }

    /// Obstruction, harassment, corruption and their like.
    async fn serious(&self) -> bool {
        self.0.serious
    }

    /// Days within which it must be answered.
    async fn deadline_days(&self) -> Option<i32> {
        self.0.deadline_days
    }

    /// Made by an import that met its code before anybody described it.
    async fn unknown(&self) -> bool {
        self.0.unknown
    }

    /// The category above; null for one of the first level.
    async fn parent(&self, ctx: &Context<'_>) -> Result<Option<IssueCategory>> {
        let Some(parent) = self.0.parent_id else { return Ok(None) };
        Ok(known(ctx, CategoryKey(parent)).await?.map(IssueCategory))
    }

    /// Complaints of the category, the latest first.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn complaints(
        &self,
        ctx: &Context<'_>,
        filter: Option<Box<ComplaintFilter>>,
        order_by: Option<Vec<ComplaintOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<ComplaintConnection> {
        let page = PageArgs { first, after, last, before };
        complaints_of(ctx, Parent::Category, self.0.id, filter, order_by, page).await
    }

    /// The headquarters unit whose field it is.
    async fn owner(&self, ctx: &Context<'_>) -> Result<Option<Unit>> {
        let Some(owner) = self.0.owner_unit_id else { return Ok(None) };
        Ok(known(ctx, UnitKey(owner)).await?.map(Unit))
    }
}

connection!(Officer, OfficerConnection, OfficerEdge);
connection!(Enterprise, EnterpriseConnection, EnterpriseEdge);
connection!(IssueCategory, IssueCategoryConnection, IssueCategoryEdge);
