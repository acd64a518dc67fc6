//! Flags whose numbers tell of complaints that are kept from whoever asks: how many enterprises complained, less those
//! that a head is shown, says who complained in confidence.

use super::loaders::Loaders;
use crate::auth::Scope;
use async_graphql::Error;
use async_graphql::dataloader::Loader;
use diesel::prelude::*;
use schema::db::MultiBackend;
use schema::db::dialect::KEYS_PER_QUERY;
use schema::domain::calendar::local_date;
use schema::domain::tree::UnitTree;
use schema::models::{ComplaintOfficer, Flag, Posting};
use schema::queries::{self, in_select};
use schema::tables::{complaint_officers, complaints, flags, postings};
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

/// The longest window of a flag, and a day more for times near midnight.
const DAYS: i64 = 366;

fn withheld(conn: &mut Conn, ids: &[Id], scope: &Scope, tree: &UnitTree) -> Result<HashSet<Id>, StoreError> {
    let mut found = HashSet::new();
    for chunk in ids.chunks(KEYS_PER_QUERY) {
        let flagged: Vec<Flag> = flags::table.filter(flags::id.eq_any(chunk)).select(Flag::as_select()).load(conn)?;
        let runs = queries::job_runs_by_id(conn, &flagged.iter().map(|flag| flag.run_id).collect::<Vec<_>>())?;
        // Since when what was received counts: of a run without a day of its own, whenever it was.
        let since = |flag: &Flag| Some(runs.get(&flag.run_id)?.as_of? - chrono::Duration::days(DAYS));
        let kept = Kept::of(conn, &flagged, scope, tree)?;
        let counts = |flag: &&Flag| {
            let times = kept.times(flag);
            since(flag).map_or(!times.is_empty(), |since| times.iter().any(|at| local_date(*at) > since))
        };
        found.extend(flagged.iter().filter(counts).map(|flag| flag.id));
    }
    Ok(found)
}

/// When complaints were received that are kept from the viewer.
#[derive(Default)]
struct Kept {
    of_officers: HashMap<Id, Vec<Timestamp>>,
    of_branches: HashMap<Id, Vec<Timestamp>>,
}

impl Kept {
    fn times(&self, flag: &Flag) -> &[Timestamp] {
        let of_officer = flag.officer_id.and_then(|officer| self.of_officers.get(&officer));
        let of_branch = flag.unit_id.and_then(|branch| self.of_branches.get(&branch));
        of_officer.or(of_branch).map_or(&[], Vec::as_slice)
    }

    /// Rather one too many than one too few: which branch an allegation counts for is known to the run alone, which had
    /// the postings of the day before it.
    fn of(conn: &mut Conn, flagged: &[Flag], scope: &Scope, tree: &UnitTree) -> Result<Self, StoreError> {
        let officers: Vec<Id> = flagged.iter().filter_map(|flag| flag.officer_id).collect();
        let branches: HashMap<Id, HashSet<Id>> =
            flagged.iter().filter_map(|flag| flag.unit_id).map(|branch| (branch, tree.ever_below(branch))).collect();
        let units: Vec<Id> = branches.values().flatten().copied().collect::<HashSet<_>>().into_iter().collect();
        let posted: Vec<Posting> =
            postings::table.filter(postings::unit_id.eq_any(&units)).select(Posting::as_select()).load(conn)?;
        let named: Vec<Id> = officers.iter().copied().chain(posted.iter().map(|posting| posting.officer_id)).collect();
        let Some(kept) = scope.kept() else { return Ok(Self::default()) };
        let allegations = complaint_officers::table.into_boxed::<MultiBackend>().filter(
            complaint_officers::officer_id
                .eq_any(named)
                .nullable()
                .or(complaint_officers::unit_id.eq_any(units.clone())),
        );
        let about = in_select(complaints::id, allegations.select(complaint_officers::complaint_id))
            .or(complaints::unit_id.eq_any(units.clone()))
            .or(complaints::branch_id.eq_any(units));
        let rows: Vec<(Id, Option<Id>, Option<Id>, Timestamp)> = complaints::table
            .into_boxed::<MultiBackend>()
            .filter(kept)
            .filter(about)
            .select((complaints::id, complaints::unit_id, complaints::branch_id, complaints::received_at))
            .load(conn)?;
        let mut said: HashMap<Id, Vec<ComplaintOfficer>> =
            queries::allegations_of(conn, &rows.iter().map(|row| row.0).collect::<Vec<_>>())?;
        let mut found = Self::default();
        for (id, unit, branch, at) in rows {
            let said = said.remove(&id).unwrap_or_default();
            let places: HashSet<Id> =
                [unit, branch].into_iter().chain(said.iter().map(|one| one.unit_id)).flatten().collect();
            let people: HashSet<Id> = said.iter().map(|one| one.officer_id).collect();
            for officer in &people {
                found.of_officers.entry(*officer).or_default().push(at);
            }
            for (branch, below) in &branches {
                let serves = posted.iter().any(|one| below.contains(&one.unit_id) && people.contains(&one.officer_id));
                if serves || places.iter().any(|place| below.contains(place)) {
                    found.of_branches.entry(*branch).or_default().push(at);
                }
            }
        }
        Ok(found)
    }
}
