//! Data loaders: one statement loads the children of one kind for all rows of a page.

use super::context::{RequestContext, snapshot};
use async_graphql::dataloader::{DataLoader, HashMapCache, Loader};
use async_graphql::{Context, Error};
use chrono::NaiveDate;
use jobs::results::recurrence::RecurrenceDocument;
use jobs::snapshot::Snapshot;
use schema::enums::Tier;
use schema::models::{
    ApiToken, Attachment, CategorySuggestion, Classification, Complaint, ComplaintAddition, ComplaintClock,
    ComplaintMatter, ComplaintOfficer, ComplaintSource, Delivery, DigestSubscription, Enterprise, Escalation, Flag,
    FlagAssessment, FlagReview, GuidanceOpinion, IssueCategory, JobRun, Officer, Posting, Redaction, Unit, UnitParent,
    UnitResponse,
};
use schema::{Conn, Id, StoreError, queries};
use std::collections::HashMap;
use std::sync::Arc;

/// Loads what the objects of one request refer to.
pub struct Loaders(pub RequestContext);

/// The data loader of a request, with its cache.
pub type Cached = DataLoader<Loaders, HashMapCache>;

/// The loaders of a request.
///
/// # Errors
/// If the request has no loaders.
pub fn loaders<'c>(ctx: &Context<'c>) -> async_graphql::Result<&'c Cached> {
    ctx.data::<Cached>()
}

/// Defines a key and its loader.
macro_rules! loader {
    ($(#[$doc:meta])* $key:ident => $value:ty, $load:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $key(pub Id);

        impl Loader<$key> for Loaders {
            type Value = $value;
            type Error = Arc<Error>;

            async fn load(&self, keys: &[$key]) -> Result<HashMap<$key, $value>, Arc<Error>> {
                let ids: Vec<Id> = keys.iter().map(|key| key.0).collect();
                let found = self.0.read(move |conn| $load(conn, &ids)).await.map_err(Arc::new)?;
                Ok(found.into_iter().map(|(id, value)| ($key(id), value)).collect())
            }
        }
    };
}

loader!(
    /// The redacted text of a confidential complaint.
    RedactionKey => Arc<Redaction>, redactions
);
loader!(
    /// The tokens of a principal.
    TokensKey => Vec<ApiToken>, queries::tokens_of
);
loader!(JobRunKey => JobRun, queries::job_runs_by_id);
loader!(
    /// The allegations of a complaint.
    AllegationsKey => Vec<ComplaintOfficer>, queries::allegations_of
);
loader!(
    /// The matters of a complaint that names no officer.
    MattersKey => Vec<ComplaintMatter>, queries::matters_of
);
loader!(
    /// The rounds of the legal clock of a complaint.
    ClocksKey => Vec<ComplaintClock>, queries::clocks_of
);
loader!(
    /// The escalations of a complaint.
    EscalationsKey => Vec<Escalation>, queries::escalations_of
);
loader!(
    /// The classification of a complaint, with the suggested categories.
    SuggestionsKey => (Classification, Vec<CategorySuggestion>), queries::suggestions_of
);
loader!(
    /// The numbers that other registers gave a complaint.
    SourcesKey => Vec<ComplaintSource>, queries::sources_of
);
loader!(
    /// The additions of the complainant to a complaint.
    AdditionsKey => Vec<ComplaintAddition>, queries::additions_of
);
loader!(
    /// The attachments of a complaint and of its additions.
    AttachmentsKey => Vec<Attachment>, queries::attachments_of
);
loader!(
    /// The source of a complaint, which tells who submitted it.
    SenderKey => String, queries::senders_of
);
loader!(
    /// The number of responses to a complaint.
    ResponseCountKey => i64, queries::response_counts_of
);
loader!(
    /// The revision of a unit with its parents.
    UnitRevisionKey => i64, queries::unit_revisions
);
loader!(
    /// The revision of an officer with the postings.
    OfficerRevisionKey => i64, queries::officer_revisions
);
loader!(
    /// The revision of a category.
    CategoryRevisionKey => i64, queries::category_revisions
);
loader!(
    /// The parents of a unit over time.
    ParentsKey => Vec<UnitParent>, queries::parents_of
);
loader!(
    /// The postings of an officer.
    PostingsKey => Vec<Posting>, queries::postings_of
);
loader!(
    /// The deliveries of a digest, with their recipients.
    DeliveriesKey => Vec<(Delivery, DigestSubscription)>, queries::deliveries_of
);
loader!(
    /// The latest assessment of a flag.
    AssessmentKey => FlagAssessment, queries::assessments_of
);
loader!(
    /// The tiers of a flag over time.
    TiersKey => Vec<(NaiveDate, Tier)>, queries::tiers_of
);
loader!(
    /// The reviews of a flag.
    ReviewsKey => Vec<FlagReview>, queries::reviews_of
);

loader!(
    /// The opinions of the Board on a guidance document.
    OpinionsKey => Vec<GuidanceOpinion>, queries::opinions_of
);
loader!(
    /// The categories that a proposal is about.
    ProposalCategoriesKey => Vec<Id>, queries::categories_of_proposals
);
loader!(
    /// The units that a proposal is about.
    ProposalUnitsKey => Vec<Id>, queries::units_of_proposals
);

loader!(
    /// The complaints that a measure rests on.
    MeasureComplaintsKey => Vec<Id>, queries::complaints_of_measures
);

loader!(
    /// The officer whom an officer was merged into.
    MergedOfficerKey => Id, queries::officers_merged_into
);
loader!(
    /// The enterprise that an enterprise was merged into.
    MergedEnterpriseKey => Id, queries::enterprises_merged_into
);

/// Rows that the snapshot holds, so that no query is needed.
pub trait InSnapshot: Copy {
    type Row;
    fn in_memory(self, snapshot: &Snapshot) -> Option<Self::Row>;
}

/// Defines a key of reference data, which the snapshot holds: only rows newer than the snapshot are queried.
macro_rules! reference_loader {
    ($key:ident => $value:ty, |$snapshot:ident, $id:ident| $found:expr, $load:path) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $key(pub Id);

        impl InSnapshot for $key {
            type Row = $value;

            fn in_memory(self, $snapshot: &Snapshot) -> Option<$value> {
                let $id = self.0;
                $found
            }
        }

        impl Loader<$key> for Loaders {
            type Value = $value;
            type Error = Arc<Error>;

            async fn load(&self, keys: &[$key]) -> Result<HashMap<$key, $value>, Arc<Error>> {
                let snapshot = self.0.app.snapshots.current();
                let mut found = HashMap::with_capacity(keys.len());
                let mut newer = Vec::new();
                for key in keys {
                    match key.in_memory(&snapshot) {
                        Some(row) => {
                            found.insert(*key, row);
                        }
                        None => newer.push(key.0),
                    }
                }
                if !newer.is_empty() {
                    let rows = self.0.read(move |conn| $load(conn, &newer)).await.map_err(Arc::new)?;
                    found.extend(rows.into_iter().map(|(id, row)| ($key(id), row)));
                }
                Ok(found)
            }
        }
    };
}

/// Reference data by id: from the snapshot, else through a loader.
///
/// # Errors
/// If the database fails, or the request has no loaders.
pub async fn reference_row<K>(ctx: &Context<'_>, key: K) -> async_graphql::Result<Option<K::Row>>
where
    K: InSnapshot + Send + Sync + std::hash::Hash + Eq + Clone + 'static,
    K::Row: Send + Sync + Clone + 'static,
    Loaders: Loader<K, Value = K::Row, Error = Arc<Error>>,
{
    if let Some(row) = key.in_memory(&*snapshot(ctx)?) {
        return Ok(Some(row));
    }
    Box::pin(one(loaders(ctx)?, key)).await
}

reference_loader!(UnitKey => Unit, |snapshot, id| snapshot.reference.unit(id).cloned(), queries::units_by_id);
reference_loader!(
    CategoryKey => IssueCategory, |snapshot, id| snapshot.reference.category(id).cloned(), queries::categories_by_id
);
reference_loader!(OfficerKey => Officer, |snapshot, id| snapshot.officers.get(id), queries::officers_by_id);
reference_loader!(
    EnterpriseKey => Enterprise, |snapshot, id| snapshot.enterprises.get(id), queries::enterprises_by_id
);

/// The document of the latest recurrence run, looked for once per request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LatestRecurrence;

impl Loader<LatestRecurrence> for Loaders {
    type Value = Arc<RecurrenceDocument>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[LatestRecurrence]) -> Result<HashMap<LatestRecurrence, Self::Value>, Arc<Error>> {
        let latest = Arc::clone(&self.0.app.latest_recurrence);
        let found = self.0.read(move |conn| latest.read(conn)).await.map_err(Arc::new)?;
        let document = found.map(|(_, document)| document);
        Ok(keys.iter().filter_map(|key| Some((*key, Arc::clone(document.as_ref()?)))).collect())
    }
}

/// A complaint, if the viewer may see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VisibleComplaintKey(pub Id);

impl Loader<VisibleComplaintKey> for Loaders {
    type Value = ();
    type Error = Arc<Error>;

    async fn load(&self, keys: &[VisibleComplaintKey]) -> Result<HashMap<VisibleComplaintKey, ()>, Arc<Error>> {
        let Some(viewer) = &self.0.viewer else { return Ok(HashMap::new()) };
        let scope = viewer.scope(&self.0.app.snapshots.current().reference.tree);
        let ids: Vec<Id> = keys.iter().map(|key| key.0).collect();
        let find = move |conn: &mut Conn| queries::complaint_ids_among(conn, &ids, || scope.condition());
        let found = self.0.read(find).await.map_err(Arc::new)?;
        Ok(found.into_iter().map(|id| (VisibleComplaintKey(id), ())).collect())
    }
}

/// The row of a complaint, if the viewer may see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ComplaintKey(pub Id);

impl Loader<ComplaintKey> for Loaders {
    type Value = Complaint;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[ComplaintKey]) -> Result<HashMap<ComplaintKey, Complaint>, Arc<Error>> {
        let Some(viewer) = &self.0.viewer else { return Ok(HashMap::new()) };
        let scope = viewer.scope(&self.0.app.snapshots.current().reference.tree);
        let ids: Vec<Id> = keys.iter().map(|key| key.0).collect();
        let find = move |conn: &mut Conn| queries::complaints_by_id(conn, &ids, || Ok(scope.condition()));
        let found = self.0.read(find).await.map_err(Arc::new)?;
        Ok(found.into_iter().map(|(id, row)| (ComplaintKey(id), row)).collect())
    }
}

/// A flag, if the viewer may see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VisibleFlagKey(pub Id);

impl Loader<VisibleFlagKey> for Loaders {
    type Value = Flag;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[VisibleFlagKey]) -> Result<HashMap<VisibleFlagKey, Flag>, Arc<Error>> {
        let Some(viewer) = self.0.viewer.clone() else { return Ok(HashMap::new()) };
        let reference = self.0.app.snapshots.current().reference.clone();
        let ids: Vec<Id> = keys.iter().map(|key| key.0).collect();
        let find = move |conn: &mut Conn| queries::flags_by_id(conn, &ids, || viewer.flags(&reference.tree));
        let found = self.0.read(find).await.map_err(Arc::new)?;
        Ok(found.into_iter().map(|(id, flag)| (VisibleFlagKey(id), flag)).collect())
    }
}

/// The complaints that name an officer, and whether each has an allegation about conduct that is not cleared at the end
/// of `as_of`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OfficerComplaintsKey {
    pub officer: Id,
    pub as_of: NaiveDate,
}

impl Loader<OfficerComplaintsKey> for Loaders {
    type Value = Vec<(Id, bool)>;
    type Error = Arc<Error>;

    async fn load(
        &self,
        keys: &[OfficerComplaintsKey],
    ) -> Result<HashMap<OfficerComplaintsKey, Self::Value>, Arc<Error>> {
        let mut alike: HashMap<NaiveDate, Vec<Id>> = HashMap::new();
        for key in keys {
            alike.entry(key.as_of).or_default().push(key.officer);
        }
        let mut all = HashMap::new();
        for (as_of, ids) in alike {
            let found = self.0.read(move |conn| queries::complaints_of_officers(conn, &ids, as_of)).await;
            let found = found.map_err(Arc::new)?;
            all.extend(found.into_iter().map(|(officer, rows)| (OfficerComplaintsKey { officer, as_of }, rows)));
        }
        Ok(all)
    }
}

/// Each waiting field gets a copy of the row, so long texts are shared by `Arc`.
fn redactions(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, Arc<Redaction>>, StoreError> {
    let found = queries::redactions_of(conn, ids)?;
    Ok(found.into_iter().map(|(id, row)| (id, Arc::new(row))).collect())
}

/// The first `number` responses of a complaint, or the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ResponsesKey {
    pub complaint: Id,
    pub number: i64,
    pub last: bool,
}

impl Loader<ResponsesKey> for Loaders {
    type Value = Arc<Vec<UnitResponse>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[ResponsesKey]) -> Result<HashMap<ResponsesKey, Self::Value>, Arc<Error>> {
        // A page uses one number for all complaints; each other number is a separate statement.
        let mut alike: HashMap<(i64, bool), Vec<Id>> = HashMap::new();
        for key in keys {
            alike.entry((key.number, key.last)).or_default().push(key.complaint);
        }
        let mut all = HashMap::new();
        for ((number, last), ids) in alike {
            let found = self.0.read(move |conn| queries::responses_of(conn, &ids, number, last)).await;
            let key = |complaint| ResponsesKey { complaint, number, last };
            all.extend(found.map_err(Arc::new)?.into_iter().map(|(complaint, rows)| (key(complaint), Arc::new(rows))));
        }
        Ok(all)
    }
}

/// Loads one value by its key.
///
/// # Errors
/// If the database fails.
pub async fn one<K, V>(loaders: &Cached, key: K) -> async_graphql::Result<Option<V>>
where
    K: Send + Sync + std::hash::Hash + Eq + Clone + 'static,
    V: Send + Sync + Clone + 'static,
    Loaders: Loader<K, Value = V, Error = Arc<Error>>,
{
    // Boxed: the fields of an object share one future as large as the largest of them.
    Box::pin(loaders.load_one(key)).await.map_err(|e| (*e).clone())
}
