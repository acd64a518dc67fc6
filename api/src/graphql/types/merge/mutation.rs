//! Mutations of merges.

use super::Merge;
use crate::graphql::context::{request, viewer};
use crate::graphql::error::{Code, bad_input, error, from_store};
use crate::graphql::execute::blocking;
use crate::graphql::input::{LONG, required};
use crate::graphql::scalars::parse_id;
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use schema::db::WriteTx;
use schema::register::{
    merge_enterprises, merge_officers, move_allegations, move_complaints, split_enterprise, split_officer,
};
use schema::{Id, StoreError, models};

/// The most complaints that one mutation moves.
const MOST: usize = 1_000;

/// Two officers who are one.
#[derive(Debug, InputObject)]
pub struct MergeOfficersInput {
    /// The code of the officer to merge. It stays known: later complaints under it count for the other officer.
    pub from: String,
    /// The code of the officer who remains.
    pub into: String,
    /// 1 to 100,000 characters.
    pub reason: String,
}

/// Two enterprises that are one.
#[derive(Debug, InputObject)]
pub struct MergeEnterprisesInput {
    /// The tax code of the enterprise to merge. It stays known: later complaints under it count for the other
    /// enterprise.
    pub from: String,
    /// The tax code of the enterprise that remains.
    pub into: String,
    /// 1 to 100,000 characters.
    pub reason: String,
}

/// An officer to split: a merge to undo, or complaints that are about another officer.
#[derive(Debug, InputObject)]
pub struct SplitOfficerInput {
    /// The code of an officer who was merged; with `complaintIds`, of the officer whom these complaints name.
    pub officer: String,
    /// The code of the officer whom these complaints are about. Only with `complaintIds`.
    pub to: Option<String>,
    /// Complaints to move, 1 to 1,000; leave it out to undo a merge.
    pub complaint_ids: Option<Vec<ID>>,
    /// 1 to 100,000 characters.
    pub reason: String,
}

/// An enterprise to split: a merge to undo, or complaints of another enterprise.
#[derive(Debug, InputObject)]
pub struct SplitEnterpriseInput {
    /// The tax code of an enterprise that was merged; with `complaintIds`, of the enterprise of these complaints.
    pub tax_code: String,
    /// The tax code of the enterprise whose complaints these are. Only with `complaintIds`.
    pub to: Option<String>,
    /// Complaints to move, 1 to 1,000; leave it out to undo a merge.
    pub complaint_ids: Option<Vec<ID>>,
    /// 1 to 100,000 characters.
    pub reason: String,
}

#[derive(SimpleObject)]
pub struct MergePayload {
    pub merge: Merge,
    /// The position of the register after the change, for `minPosition`.
    pub position: Option<i64>,
}

#[derive(SimpleObject)]
pub struct SplitPayload {
    /// The merge that was undone; null if complaints were named.
    pub merge: Option<Merge>,
    /// The number of complaints that changed.
    pub complaints: i32,
    /// The position of the register after the change, for `minPosition`.
    pub position: Option<i64>,
}

#[derive(Default)]
pub struct MergeMutations;

#[Object]
impl MergeMutations {
    /// Merges an officer into another one: complaints, postings, workload and measures. Flags follow with the next
    /// run of the job `recurrence`. Other writers wait until it is done. FORBIDDEN if you are an officer yourself,
    /// BAD_USER_INPUT if a code is unknown or more than 10,000 complaints would change, CONFLICT if one of them was
    /// merged before or both have the same measure.
    async fn merge_officers(&self, ctx: &Context<'_>, input: MergeOfficersInput) -> Result<MergePayload> {
        merged(ctx, &input.reason, move |tx, reason| merge_officers(tx, &input.from, &input.into, reason)).await
    }

    /// Merges an enterprise into another one: its complaints. They then count as one enterprise. Errors as for
    /// `mergeOfficers`.
    async fn merge_enterprises(&self, ctx: &Context<'_>, input: MergeEnterprisesInput) -> Result<MergePayload> {
        merged(ctx, &input.reason, move |tx, reason| merge_enterprises(tx, &input.from, &input.into, reason)).await
    }

    /// Undoes the merge of an officer: takes back what it moved. With `complaintIds` it moves what these complaints say
    /// about one officer to another one. FORBIDDEN if you are an officer yourself, NOT_FOUND if there is no such
    /// complaint, BAD_USER_INPUT if a code is unknown, the officer was not merged or a complaint does not name the
    /// officer, CONFLICT if the other officer was itself merged later.
    async fn split_officer(&self, ctx: &Context<'_>, input: SplitOfficerInput) -> Result<SplitPayload> {
        let moves = moves(input.complaint_ids, input.to)?;
        split(ctx, &input.reason, move |tx, reason| match &moves {
            None => split_officer(tx, &input.officer, reason).map(|(merge, number)| (Some(merge), number)),
            Some((ids, to)) => move_allegations(tx, &input.officer, to, ids, reason).map(|number| (None, number)),
        })
        .await
    }

    /// Undoes the merge of an enterprise, or moves some complaints of one enterprise to another one. Errors as for
    /// `splitOfficer`.
    async fn split_enterprise(&self, ctx: &Context<'_>, input: SplitEnterpriseInput) -> Result<SplitPayload> {
        let moves = moves(input.complaint_ids, input.to)?;
        split(ctx, &input.reason, move |tx, reason| match &moves {
            None => split_enterprise(tx, &input.tax_code, reason).map(|(merge, number)| (Some(merge), number)),
            Some((ids, to)) => move_complaints(tx, &input.tax_code, to, ids, reason).map(|number| (None, number)),
        })
        .await
    }
}

/// The complaints to move, and where; None to undo a merge.
fn moves(ids: Option<Vec<ID>>, to: Option<String>) -> Result<Option<(Vec<Id>, String)>> {
    match (ids, to) {
        (None, None) => Ok(None),
        (Some(ids), Some(_)) if ids.is_empty() || ids.len() > MOST => {
            Err(bad_input(format!("complaintIds has {} entries: name 1 to {MOST} complaints", ids.len())))
        }
        (Some(ids), Some(to)) => Ok(Some((ids.iter().map(parse_id).collect::<Result<_>>()?, to))),
        _ => Err(bad_input("complaintIds and to: give both, or none of them to undo a merge")),
    }
}

/// An officer sees neither complaints about themselves nor how many there are, and a merge concerns all.
fn refuse_officers(ctx: &Context<'_>) -> Result<()> {
    match viewer(ctx)?.is_an_officer() {
        false => Ok(()),
        true => Err(error(Code::Forbidden, "you are an officer yourself: another member of the Board may do this")),
    }
}

async fn merged(
    ctx: &Context<'_>,
    reason: &str,
    work: impl Fn(&mut WriteTx<'_>, &str) -> Result<models::Merge, StoreError> + Send + 'static,
) -> Result<MergePayload> {
    refuse_officers(ctx)?;
    let reason = required("reason", reason, LONG)?;
    let (viewer, app) = (viewer(ctx)?.clone(), request(ctx)?.app.clone());
    let done = blocking(move || app.db.write(&viewer.actor(), |tx| work(tx, &reason)).map_err(from_store)).await?;
    Ok(MergePayload { merge: done.value.into(), position: done.position })
}

async fn split(
    ctx: &Context<'_>,
    reason: &str,
    work: impl Fn(&mut WriteTx<'_>, &str) -> Result<(Option<models::Merge>, usize), StoreError> + Send + 'static,
) -> Result<SplitPayload> {
    refuse_officers(ctx)?;
    let reason = required("reason", reason, LONG)?;
    let (viewer, app) = (viewer(ctx)?.clone(), request(ctx)?.app.clone());
    let done = blocking(move || app.db.write(&viewer.actor(), |tx| work(tx, &reason)).map_err(from_store)).await?;
    let (merge, number) = done.value;
    Ok(SplitPayload {
        merge: merge.map(Merge),
        complaints: i32::try_from(number).unwrap_or(i32::MAX),
        position: done.position,
    })
}
