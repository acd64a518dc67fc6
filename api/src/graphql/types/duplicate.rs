//! Complaints that say the same: probable duplicates, and the links by which a person decides.

use crate::access::{Scope, Viewer};
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::error::from_store;
use crate::graphql::execute::{Boxed, blocking};
use crate::graphql::input::{LONG, required};
use crate::graphql::loaders::Loaders;
use crate::graphql::page::size;
use crate::graphql::scalars::{Moment, id, parse_id};
use crate::graphql::types::Complaint;
use crate::graphql::types::complaint::HandleComplaintPayload;
use async_graphql::dataloader::Loader;
use async_graphql::{Context, Error, ID, InputObject, Object, Result, SimpleObject};
use chrono::TimeDelta;
use jobs::duplicates::{duplicates_of_some, duplicates_since};
use schema::domain::ids::human_reference;
use schema::register::complaints::Case;
use schema::register::{link_duplicate, source_of, unlink_duplicate};
use schema::{Conn, Id, StoreError, Timestamp, models, queries};
use std::collections::HashMap;
use std::sync::Arc;

/// A complaint that probably says the same as another one.
#[derive(SimpleObject)]
pub struct PossibleDuplicate {
    complaint: Boxed<Complaint>,
    /// The estimated share of the texts that they have in common, from 0.8 to 1.
    similarity: f64,
}

impl PossibleDuplicate {
    pub fn new(row: models::Complaint, similarity: f64) -> Self {
        Self { complaint: Boxed(Complaint(row)), similarity }
    }
}

/// Two complaints that probably say the same: of one enterprise, about one unit, in nearly the same words.
#[derive(SimpleObject)]
pub struct ProbableDuplicate {
    complaint: Complaint,
    /// The one received before it.
    of: Complaint,
    /// The estimated share of the texts that they have in common, from 0.8 to 1.
    similarity: f64,
}

/// A complaint that probably says the same as the one submitted.
#[derive(SimpleObject)]
pub struct DuplicateHint {
    id: ID,
    /// The human-readable reference, such as PA-20101231-7F3KQ2M9ZX.
    reference: String,
    received_at: Moment,
    /// The estimated share of the texts that they have in common, from 0.8 to 1.
    similarity: f64,
}

/// The complaints that probably say the same as one that a viewer submitted. It learns only of those that it may see,
/// and of those that it submitted itself.
///
/// # Errors
/// If the database cannot be read.
pub fn hints(
    conn: &mut Conn,
    viewer: &Viewer,
    scope: &Scope,
    complaint: Id,
    days: u32,
) -> Result<Vec<DuplicateHint>, StoreError> {
    let pairs = duplicates_of_some(conn, &[complaint], days, || None)?;
    let others: Vec<(Id, f64)> = pairs
        .iter()
        .map(|pair| (if pair.complaint == complaint { pair.of } else { pair.complaint }, pair.similarity))
        .collect();
    let ids: Vec<Id> = others.iter().map(|(other, _)| *other).collect();
    let (senders, own) = (queries::senders_of(conn, &ids)?, source_of(&viewer.name));
    let visible = queries::complaint_ids_among(conn, &ids, || scope.condition())?;
    let may_know = |other: &Id| visible.contains(other) || senders.get(other) == Some(&own);
    let rows = queries::complaints_by_id(conn, &ids, || Ok(None))?;
    let visible = others.into_iter().filter(|(other, _)| may_know(other));
    Ok(visible
        .filter_map(|(other, similarity)| {
            let received_at = rows.get(&other)?.received_at.into();
            Some(DuplicateHint { id: id(other), reference: human_reference(other), received_at, similarity })
        })
        .collect())
}

/// The complaints that probably say the same as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PossibleDuplicatesKey(pub Id);

impl Loader<PossibleDuplicatesKey> for Loaders {
    type Value = Arc<Vec<(models::Complaint, f64)>>;
    type Error = Arc<Error>;

    async fn load(
        &self,
        keys: &[PossibleDuplicatesKey],
    ) -> Result<HashMap<PossibleDuplicatesKey, Self::Value>, Arc<Error>> {
        let Some(viewer) = &self.0.viewer else { return Ok(HashMap::new()) };
        let scope = viewer.scope(&self.0.app.snapshots.current().reference.tree);
        let days = self.0.app.receipt_limits.settings.duplicate_days;
        let ids: Vec<Id> = keys.iter().map(|key| key.0).collect();
        let find = move |conn: &mut Conn| -> Result<HashMap<Id, Vec<(models::Complaint, f64)>>, StoreError> {
            let pairs = duplicates_of_some(conn, &ids, days, || scope.condition())?;
            let named: Vec<Id> = pairs.iter().flat_map(|pair| [pair.complaint, pair.of]).collect();
            let rows = queries::complaints_by_id(conn, &named, || Ok(scope.condition()))?;
            let mut found: HashMap<Id, Vec<(models::Complaint, f64)>> = HashMap::new();
            for pair in pairs {
                for (one, other) in [(pair.complaint, pair.of), (pair.of, pair.complaint)] {
                    let row = rows.get(&other).filter(|_| ids.contains(&one));
                    if let Some(row) = row {
                        found.entry(one).or_default().push((row.clone(), pair.similarity));
                    }
                }
            }
            Ok(found)
        };
        let found = self.0.read(find).await.map_err(Arc::new)?;
        Ok(found.into_iter().map(|(id, all)| (PossibleDuplicatesKey(id), Arc::new(all))).collect())
    }
}

/// The original of a linked complaint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OriginalKey(pub Id);

impl Loader<OriginalKey> for Loaders {
    type Value = models::Complaint;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[OriginalKey]) -> Result<HashMap<OriginalKey, models::Complaint>, Arc<Error>> {
        let Some(viewer) = &self.0.viewer else { return Ok(HashMap::new()) };
        let scope = viewer.scope(&self.0.app.snapshots.current().reference.tree);
        let ids: Vec<Id> = keys.iter().map(|key| key.0).collect();
        let find = move |conn: &mut Conn| -> Result<HashMap<OriginalKey, models::Complaint>, StoreError> {
            let originals = queries::originals_of(conn, &ids)?;
            let named: Vec<Id> = originals.values().copied().collect();
            let rows = queries::complaints_by_id(conn, &named, || Ok(scope.condition()))?;
            let found = originals.into_iter();
            Ok(found.filter_map(|(id, original)| Some((OriginalKey(id), rows.get(&original)?.clone()))).collect())
        };
        self.0.read(find).await.map_err(Arc::new)
    }
}

/// The complaints that are linked to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DuplicatesKey(pub Id);

impl Loader<DuplicatesKey> for Loaders {
    type Value = Vec<models::Complaint>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[DuplicatesKey]) -> Result<HashMap<DuplicatesKey, Self::Value>, Arc<Error>> {
        let Some(viewer) = &self.0.viewer else { return Ok(HashMap::new()) };
        let scope = viewer.scope(&self.0.app.snapshots.current().reference.tree);
        let ids: Vec<Id> = keys.iter().map(|key| key.0).collect();
        let find = move |conn: &mut Conn| -> Result<HashMap<DuplicatesKey, Vec<models::Complaint>>, StoreError> {
            let duplicates = queries::duplicates_of(conn, &ids)?;
            let named: Vec<Id> = duplicates.values().flatten().copied().collect();
            let rows = queries::complaints_by_id(conn, &named, || Ok(scope.condition()))?;
            let of_one = |all: Vec<Id>| -> Vec<models::Complaint> {
                all.iter().filter_map(|id| rows.get(id).cloned()).collect()
            };
            Ok(duplicates.into_iter().map(|(id, all)| (DuplicatesKey(id), of_one(all))).collect())
        };
        self.0.read(find).await.map_err(Arc::new)
    }
}

/// A link of a duplicate to its original complaint.
#[derive(Debug, InputObject)]
pub struct LinkDuplicateInput {
    pub complaint_id: ID,
    /// The version that you read; another version gives CONFLICT.
    pub expected_version: i32,
    /// The id of the other complaint, which counts. If it is linked itself, its original takes its place.
    pub of: ID,
    /// The grounds, 1 to 100,000 characters.
    pub reason: String,
}

/// A link that is undone.
#[derive(Debug, InputObject)]
pub struct UnlinkDuplicateInput {
    pub complaint_id: ID,
    /// The version that you read; another version gives CONFLICT.
    pub expected_version: i32,
    /// The grounds, 1 to 100,000 characters.
    pub reason: String,
}

#[derive(Default)]
pub struct DuplicateQueries;

#[Object]
impl DuplicateQueries {
    /// Pairs of complaints that probably say the same and are not linked, the latest first: of one enterprise, about
    /// one unit, received within the days that the server is set to compare, in nearly the same words.
    async fn probable_duplicates(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many pairs.", default = 50)] first: i32,
    ) -> Result<Vec<ProbableDuplicate>> {
        let request = request(ctx)?;
        let most = size("first", first, request.limits.page_size)?;
        let scope = viewer(ctx)?.scope(&snapshot(ctx)?.reference.tree);
        let days = request.app.receipt_limits.settings.duplicate_days;
        let since = Timestamp::from(Timestamp::now().utc() - TimeDelta::days(i64::from(days)));
        type Found = (Vec<jobs::duplicates::ProbableDuplicate>, HashMap<Id, models::Complaint>);
        let find = move |conn: &mut Conn| -> Result<Found, StoreError> {
            let mut pairs = duplicates_since(conn, since, days, || scope.condition())?;
            pairs.truncate(most);
            let named: Vec<Id> = pairs.iter().flat_map(|pair| [pair.complaint, pair.of]).collect();
            let rows = queries::complaints_by_id(conn, &named, || Ok(scope.condition()))?;
            Ok((pairs, rows))
        };
        let (pairs, rows) = request.read(find).await?;
        request.note_complaints(rows.keys().copied());
        request.charge_texts(rows.values().map(|row| row.text.as_ref()))?;
        let pair = |pair: jobs::duplicates::ProbableDuplicate| {
            let row = |id: Id| rows.get(&id).cloned().map(Complaint);
            let (complaint, of) = (row(pair.complaint)?, row(pair.of)?);
            Some(ProbableDuplicate { complaint, of, similarity: pair.similarity })
        };
        Ok(pairs.into_iter().filter_map(pair).collect())
    }
}

#[derive(Default)]
pub struct DuplicateMutations;

#[Object]
impl DuplicateMutations {
    /// Links a complaint to another one that says the same. It stays in the register and in lists; statistics and
    /// recurrence count only the other one. If that one is withdrawn or rejected later, the first received of its
    /// duplicates counts in its place. NOT_FOUND if you may not see one of the two, BAD_USER_INPUT if they are one,
    /// CONFLICT if the complaint has changed, others are linked to it, or the other one was withdrawn or rejected.
    async fn link_duplicate(&self, ctx: &Context<'_>, input: LinkDuplicateInput) -> Result<HandleComplaintPayload> {
        let (complaint, of) = (parse_id(&input.complaint_id)?, parse_id(&input.of)?);
        let reason = required("reason", &input.reason, LONG)?;
        let change = Change::Link { of, reason };
        changed(ctx, complaint, input.expected_version, change).await
    }

    /// Undoes the link of a complaint, which then counts again. NOT_FOUND if you may not see it, CONFLICT if it has
    /// changed or is not linked.
    async fn unlink_duplicate(&self, ctx: &Context<'_>, input: UnlinkDuplicateInput) -> Result<HandleComplaintPayload> {
        let complaint = parse_id(&input.complaint_id)?;
        let reason = required("reason", &input.reason, LONG)?;
        changed(ctx, complaint, input.expected_version, Change::Unlink { reason }).await
    }
}

enum Change {
    Link { of: Id, reason: String },
    Unlink { reason: String },
}

async fn changed(
    ctx: &Context<'_>,
    complaint: Id,
    expected_version: i32,
    change: Change,
) -> Result<HandleComplaintPayload> {
    let viewer = viewer(ctx)?.clone();
    let app = request(ctx)?.app.clone();
    let scope = viewer.scope(&app.snapshots.current().reference.tree);
    let done = blocking(move || {
        let done = app.db.write(&viewer.actor(), |tx| -> Result<Case, StoreError> {
            // Row scope: a complaint that names the viewer answers as one that does not exist.
            let other = match &change {
                Change::Link { of, .. } => Some(*of),
                Change::Unlink { .. } => None,
            };
            let asked: Vec<Id> = std::iter::once(complaint).chain(other).collect();
            let visible = queries::complaint_ids_among(tx.conn, &asked, || scope.condition())?;
            if let Some(hidden) = asked.iter().find(|id| !visible.contains(id)) {
                return Err(StoreError::no_such("complaint", hidden, "complaints"));
            }
            match &change {
                Change::Link { of, reason } => link_duplicate(tx, complaint, expected_version, *of, reason),
                Change::Unlink { reason } => unlink_duplicate(tx, complaint, expected_version, reason),
            }
        });
        done.map_err(from_store)
    })
    .await?;
    request(ctx)?.note_complaints([complaint]);
    Ok(HandleComplaintPayload { complaint: Complaint(done.value.complaint), position: done.position })
}
