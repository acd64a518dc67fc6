//! Flags whose numbers tell of complaints that are kept from whoever asks: how many enterprises complained, less those
//! that a head is shown, says who complained in confidence.

use super::loaders::Loaders;
use crate::auth::Scope;
use async_graphql::Error;
use async_graphql::dataloader::Loader;
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::db::MultiBackend;
use schema::db::dialect::KEYS_PER_QUERY;
use schema::db::wanted::go_on;
use schema::domain::calendar::local_date;
use schema::domain::tree::UnitTree;
use schema::models::{Flag, JobRun};
use schema::queries::{self, in_select};
use schema::tables::{complaint_officers, complaints, postings};
use schema::{Conn, Id, StoreError, Timestamp};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A flag of which the viewer sees no numbers, reasons included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WithheldKey(pub Id);

impl Loader<WithheldKey> for Loaders {
    type Value = ();
    type Error = Arc<Error>;

    async fn load(&self, keys: &[WithheldKey]) -> Result<HashMap<WithheldKey, ()>, Arc<Error>> {
        let Some(viewer) = &self.0.viewer else { return Ok(HashMap::new()) };
        let reference = Arc::clone(&self.0.app.snapshots.current().reference);
        let scope = viewer.scope(&reference.tree);
        if scope.kept().is_none() {
            return Ok(HashMap::new());
        }
        let ids: Vec<Id> = keys.iter().map(|key| key.0).collect();
        let found = self.0.read(move |conn| withheld(conn, &ids, &scope, &reference.tree)).await.map_err(Arc::new)?;
        Ok(found.into_iter().map(|id| (WithheldKey(id), ())).collect())
    }
}

/// The longest window of a flag, as much for what began before it and counts in it (episodes, campaigns), and a day for
/// times near midnight.
const DAYS: i64 = 365 + 365 + 1;

/// Before all complaints.
const FIRST: NaiveDate = NaiveDate::from_ymd_opt(1900, 1, 1).expect("a day");

/// What may be in the numbers of a flag: received in this time, and known to the register by then.
struct Counted {
    after: NaiveDate,
    until: NaiveDate,
    known_by: Timestamp,
}

impl Counted {
    fn by(run: Option<&JobRun>) -> Self {
        // Of a run without a day of its own, whatever there is.
        let as_of = run.and_then(|run| run.as_of);
        Self {
            after: as_of.map_or(FIRST, |as_of| as_of - chrono::Duration::days(DAYS)),
            until: as_of.unwrap_or(NaiveDate::MAX),
            // Later ones are no news: that numbers vanish when something is submitted would tell of it at once.
            known_by: run.map_or(Timestamp::now(), |run| run.finished_at.unwrap_or(Timestamp::now())),
        }
    }

    fn has(&self, (received, recorded): (Timestamp, Timestamp)) -> bool {
        let day = local_date(received);
        self.after < day && day <= self.until && recorded <= self.known_by
    }
}

fn withheld(conn: &mut Conn, ids: &[Id], scope: &Scope, tree: &UnitTree) -> Result<HashSet<Id>, StoreError> {
    let mut found = HashSet::new();
    for chunk in ids.chunks(KEYS_PER_QUERY) {
        let flagged: Vec<Flag> = queries::flags_by_id(conn, chunk)?.into_values().collect();
        let runs = queries::job_runs_by_id(conn, &flagged.iter().map(|flag| flag.run_id).collect::<Vec<_>>())?;
        let counted = |flag: &Flag| Counted::by(runs.get(&flag.run_id));
        let Some(since) = flagged.iter().map(|flag| counted(flag).after).min() else { continue };
        let kept = Kept::of(conn, &flagged, since, scope, tree)?;
        found.extend(with_kept_evidence(conn, chunk, scope)?);
        let counts = |flag: &&Flag| {
            let counted = counted(flag);
            kept.times(flag).iter().any(|times| counted.has(*times))
        };
        found.extend(flagged.iter().filter(counts).map(|flag| flag.id));
    }
    Ok(found)
}

/// Flags whose evidence has something that is kept from the viewer: it may name somebody else by now.
fn with_kept_evidence(conn: &mut Conn, ids: &[Id], scope: &Scope) -> Result<Vec<Id>, StoreError> {
    let assessments = queries::assessments_of(conn, ids)?;
    let evidence: HashMap<Id, Vec<Id>> = assessments
        .into_iter()
        .map(|(flag, assessment)| (flag, serde_json::from_value(assessment.evidence.0).unwrap_or_default()))
        .collect();
    let all: HashSet<Id> = evidence.values().flatten().copied().collect();
    let all: Vec<Id> = all.into_iter().collect();
    let mut kept: HashSet<Id> = HashSet::new();
    for chunk in all.chunks(KEYS_PER_QUERY) {
        let Some(condition) = scope.kept() else { return Ok(Vec::new()) };
        let query = complaints::table
            .into_boxed::<MultiBackend>()
            .filter(condition)
            .filter(complaints::id.eq_any(chunk.to_vec()).nullable());
        kept.extend(query.select(complaints::id).load::<Id>(conn)?);
    }
    let has = |(flag, evidence): (Id, Vec<Id>)| evidence.iter().any(|one| kept.contains(one)).then_some(flag);
    Ok(evidence.into_iter().filter_map(has).collect())
}

/// A complaint that is kept from the viewer.
#[derive(Queryable)]
struct KeptRow {
    id: Id,
    unit: Option<Id>,
    branch: Option<Id>,
    received: Timestamp,
    recorded: Timestamp,
}

/// When complaints were received and recorded that are kept from the viewer.
#[derive(Default)]
struct Kept {
    of_officers: HashMap<Id, Vec<(Timestamp, Timestamp)>>,
    of_branches: HashMap<Id, Vec<(Timestamp, Timestamp)>>,
}

impl Kept {
    fn times(&self, flag: &Flag) -> &[(Timestamp, Timestamp)] {
        let of_officer = flag.officer_id.and_then(|officer| self.of_officers.get(&officer));
        let of_branch = flag.unit_id.and_then(|branch| self.of_branches.get(&branch));
        of_officer.or(of_branch).map_or(&[], Vec::as_slice)
    }

    /// Rather one too many than one too few: which branch an allegation counts for is known to the run alone, which had
    /// the postings of the day before it.
    fn of(
        conn: &mut Conn,
        flagged: &[Flag],
        since: NaiveDate,
        scope: &Scope,
        tree: &UnitTree,
    ) -> Result<Self, StoreError> {
        let Some(kept) = scope.kept() else { return Ok(Self::default()) };
        let officers: Vec<Id> = flagged.iter().filter_map(|flag| flag.officer_id).collect();
        // The branches that a unit is, or was, below.
        let mut branches: HashMap<Id, Vec<Id>> = HashMap::new();
        for branch in flagged.iter().filter_map(|flag| flag.unit_id) {
            for unit in tree.ever_below(branch) {
                branches.entry(unit).or_default().push(branch);
            }
        }
        let units: Vec<Id> = branches.keys().copied().collect();
        let posted_at =
            || postings::table.into_boxed::<MultiBackend>().filter(postings::unit_id.eq_any(units.clone()).nullable());
        let mut serves: HashMap<Id, HashSet<Id>> = HashMap::new();
        for (officer, unit) in posted_at().select((postings::officer_id, postings::unit_id)).load::<(Id, Id)>(conn)? {
            serves.entry(officer).or_default().extend(branches.get(&unit).into_iter().flatten());
        }
        let allegations = complaint_officers::table.into_boxed::<MultiBackend>().filter(
            complaint_officers::officer_id
                .eq_any(officers)
                .nullable()
                .or(in_select(complaint_officers::officer_id, posted_at().select(postings::officer_id)))
                .or(complaint_officers::unit_id.eq_any(units.clone())),
        );
        let about = in_select(complaints::id, allegations.select(complaint_officers::complaint_id))
            .or(complaints::unit_id.eq_any(units.clone()))
            .or(complaints::branch_id.eq_any(units.clone()));
        let mut query = complaints::table.into_boxed::<MultiBackend>().filter(kept).filter(about);
        // A day earlier: days begin earlier here than in UTC.
        let midnight =
            since.pred_opt().and_then(|day| day.and_hms_opt(0, 0, 0)).map(|at| at.and_utc().timestamp_micros());
        if let Some(since) = midnight.and_then(Timestamp::from_micros) {
            query = query.filter(complaints::received_at.ge(since).nullable());
        }
        let rows: Vec<KeptRow> = query
            .select((
                complaints::id,
                complaints::unit_id,
                complaints::branch_id,
                complaints::received_at,
                complaints::recorded_at,
            ))
            .load(conn)?;
        go_on()?;
        let said = queries::allegations_of(conn, &rows.iter().map(|row| row.id).collect::<Vec<_>>())?;
        let mut found = Self::default();
        for KeptRow { id, unit, branch, received, recorded } in rows {
            let times = (received, recorded);
            let said = said.get(&id).map_or(&[][..], Vec::as_slice);
            let mut of_branches: HashSet<Id> = HashSet::new();
            for place in [unit, branch].into_iter().chain(said.iter().map(|one| one.unit_id)).flatten() {
                of_branches.extend(branches.get(&place).into_iter().flatten());
            }
            for officer in said.iter().map(|one| one.officer_id).collect::<HashSet<_>>() {
                of_branches.extend(serves.get(&officer).into_iter().flatten());
                found.of_officers.entry(officer).or_default().push(times);
            }
            for branch in of_branches {
                found.of_branches.entry(branch).or_default().push(times);
            }
        }
        Ok(found)
    }
}
