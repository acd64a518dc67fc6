//! The row scope of flags, measures, officers and enterprises: conditions of SQL against the tables for analysts, and
//! against the rules as they are told, row by row.

use super::*;
use jobs::tables::table;
use schema::domain::calendar::is_valid_on;
use schema::enums::{FlagState, MeasureKind, RunOrigin, RunState, SubjectKind, Tier};
use schema::models::{Flag, JobRun, Measure, Merge, Officer, Posting};
use schema::tables::job_runs;
use std::collections::HashMap;
use std::iter::successors;

/// Officers of whom each was merged into the next one.
const CHAIN: usize = 6;

fn some_id(random: &mut ChaCha8Rng) -> Id {
    Id(uuid::Uuid::from_u128(random.random()))
}

fn flag(subject: (Option<Id>, Option<Id>), run_id: Id, random: &mut ChaCha8Rng) -> Flag {
    let (officer_id, unit_id) = subject;
    let now = Timestamp::now();
    Flag {
        id: some_id(random),
        subject_kind: if officer_id.is_some() { SubjectKind::Officer } else { SubjectKind::Branch },
        officer_id,
        unit_id,
        tier: Tier::Review,
        state: FlagState::Open,
        run_id,
        opened_at: now,
        changed_at: now,
    }
}

fn run(id: Id, as_of: NaiveDate) -> JobRun {
    let now = Timestamp::now();
    JobRun {
        id,
        job: "recurrence".into(),
        scheduled_at: now,
        started_at: now,
        finished_at: Some(now),
        state: RunState::Succeeded,
        as_of: Some(as_of),
        known_at: None,
        rules: None,
        rules_version: None,
        code_version: "test".into(),
        inputs: None,
        input_hash: None,
        output_hash: None,
        result_hash: None,
        summary: None,
        error: None,
        origin: RunOrigin::Manual,
        attempt: 1,
        retry_at: None,
        node: None,
    }
}

fn measure(id: Id, (officer_id, unit_id, recorded_by_unit_id): (Id, Id, Id), decided_on: NaiveDate) -> Measure {
    Measure {
        id,
        officer_id,
        unit_id,
        kind: MeasureKind::Discipline,
        grounds: "a test".into(),
        decision_maker: "a test".into(),
        decision_number: None,
        decided_on,
        starts_on: decided_on,
        ends_on: None,
        end_reason: None,
        flag_id: None,
        void_reason: None,
        recorded_by_unit_id,
        recorded_at: Timestamp::now(),
        version: 1,
        actor: "test".into(),
        ground: None,
        explanation: None,
        explained_on: None,
        explanation_refused_on: None,
        limits_version: None,
        limit_days: None,
        extension_limit_days: None,
        extended_from: None,
        extension_decided_on: None,
        extension_reason: None,
        lifted_on: None,
        basis: None,
        no_basis_reason: None,
    }
}

fn merge(id: Id, from: Id, into: Id) -> Merge {
    Merge {
        id,
        from_officer_id: Some(from),
        into_officer_id: Some(into),
        from_enterprise_id: None,
        into_enterprise_id: None,
        reason: "a test".into(),
        complaints: 0,
        merged_at: Timestamp::now(),
        actor: "test".into(),
        split_at: None,
        split_reason: None,
        split_actor: None,
        version: 1,
    }
}

/// Merges some officers, each into the next one; and stores flags on all branches and on these and other officers, and
/// measures. Returns the officers who were merged.
fn with_flags_and_measures(db: &Db, random: &mut ChaCha8Rng) -> Vec<Id> {
    let day = NaiveDate::from_ymd_opt(2025, 1, 1).unwrap();
    let stored = db.write("test", |tx| {
        let all: Vec<Id> = officers::table.order(officers::id).select(officers::id).load(tx.conn)?;
        let places = schema::tables::units::table.order(schema::tables::units::id);
        let units: Vec<(Id, UnitKind)> =
            places.select((schema::tables::units::id, schema::tables::units::kind)).load(tx.conn)?;
        // Every tenth, so that officers of one unit are not merged with one another only.
        let chain: Vec<Id> = all.iter().copied().step_by(10).take(CHAIN).collect();
        for pair in chain.windows(2) {
            let row = merge(some_id(random), pair[0], pair[1]);
            each!(&mut *tx.conn, c => diesel::insert_into(merges::table).values(&row).execute(c)?);
        }
        let run = run(some_id(random), day);
        each!(&mut *tx.conn, c => diesel::insert_into(job_runs::table).values(&run).execute(c)?);
        let flagged: BTreeSet<Id> = all.iter().copied().step_by(3).chain(chain.iter().copied()).collect();
        let branches = units.iter().filter(|(_, kind)| *kind == UnitKind::Branch).map(|(id, _)| (None, Some(*id)));
        for subject in flagged.into_iter().map(|id| (Some(id), None)).chain(branches) {
            let row = flag(subject, run.id, random);
            each!(&mut *tx.conn, c => diesel::insert_into(flags::table).values(&row).execute(c)?);
        }
        for n in 0..120 {
            let officer = all[random.random_range(0..all.len())];
            let (unit, recorded_by) = (random.random_range(0..units.len()), random.random_range(0..units.len()));
            let about = (officer, units[unit].0, units[recorded_by].0);
            let row = measure(some_id(random), about, day + chrono::Days::new(n));
            each!(&mut *tx.conn, c => diesel::insert_into(measures::table).values(&row).execute(c)?);
        }
        Ok(chain)
    });
    stored.unwrap().value
}

/// The rows that the rules are about.
struct Stored {
    flags: Vec<Flag>,
    measures: Vec<Measure>,
    officers: Vec<Officer>,
    postings: Vec<Posting>,
    parents: Vec<UnitParent>,
    merged: HashMap<Id, Id>,
}

impl Stored {
    fn load(conn: &mut schema::Conn) -> Result<Self, schema::StoreError> {
        let merged: Vec<(Option<Id>, Option<Id>)> =
            merges::table.select((merges::from_officer_id, merges::into_officer_id)).load(conn)?;
        Ok(Self {
            flags: flags::table.select(Flag::as_select()).load(conn)?,
            measures: measures::table.select(Measure::as_select()).load(conn)?,
            officers: officers::table.select(Officer::as_select()).load(conn)?,
            postings: postings::table.select(Posting::as_select()).load(conn)?,
            parents: unit_parents::table.select(UnitParent::as_select()).load(conn)?,
            merged: merged.into_iter().filter_map(|(from, into)| from.zip(into)).collect(),
        })
    }

    /// An officer, and those whom merges made of it.
    fn becomes(&self, officer: Id) -> Vec<Id> {
        successors(Some(officer), |id| self.merged.get(id).copied()).collect()
    }

    /// Whether an officer serves below the unit of a head today.
    fn serves(&self, officer: Id, head: &Viewer, tree: &UnitTree) -> bool {
        let mut own = self.postings.iter().filter(|posting| posting.officer_id == officer);
        own.any(|own| is_valid_on(head.today(), own.valid_from, own.valid_to) && head.heads(tree, own.unit_id))
    }

    /// The units where an officer ever served, and those above them.
    fn served(&self, officer: Id) -> BTreeSet<Id> {
        let own = self.postings.iter().filter(|posting| posting.officer_id == officer);
        let mut found: BTreeSet<Id> = own.map(|posting| posting.unit_id).collect();
        for _ in 0..2 {
            let above = self.parents.iter().filter(|parent| found.contains(&parent.unit_id));
            let above: Vec<Id> = above.map(|parent| parent.parent_id).collect();
            found.extend(above);
        }
        found
    }

    fn shows_flag(&self, viewer: &Viewer, tree: &UnitTree, flag: &Flag) -> bool {
        let on = flag.officer_id.map(|officer| self.becomes(officer)).unwrap_or_default();
        if viewer.officer_id.is_some_and(|own| on.contains(&own)) {
            return false;
        }
        match (viewer.role, viewer.officer_id) {
            (Role::Board, None) => true,
            (Role::Board, Some(own)) => flag.unit_id.is_none_or(|branch| !self.served(own).contains(&branch)),
            (Role::UnitHead, _) => {
                flag.unit_id.is_some_and(|branch| viewer.heads(tree, branch))
                    || on.iter().any(|officer| self.serves(*officer, viewer, tree))
            }
            _ => false,
        }
    }

    fn shows_measure(&self, viewer: &Viewer, tree: &UnitTree, measure: &Measure) -> bool {
        let concerns = || {
            viewer.heads(tree, measure.unit_id)
                || viewer.heads(tree, measure.recorded_by_unit_id)
                || self.serves(measure.officer_id, viewer, tree)
        };
        let is_own = viewer.officer_id == Some(measure.officer_id);
        !is_own && (viewer.role == Role::Board || viewer.role == Role::UnitHead && concerns())
    }
}

/// The ids of the rows of a table that a condition selects; None selects all.
macro_rules! selected {
    ($db:expr, $table:ident, $condition:expr) => {{
        let found: Vec<Id> = $db
            .read(|conn| {
                let mut query = $table::table.into_boxed::<MultiBackend>();
                if let Some(condition) = $condition {
                    query = query.filter(condition);
                }
                Ok(query.select($table::id).load(conn)?)
            })
            .unwrap();
        found.into_iter().collect::<BTreeSet<Id>>()
    }};
}

/// A column of a table that an asker reads, in order.
fn in_table(db: &Db, snapshot: &Arc<Snapshot>, asker: &SqlAsker, name: &str, column: &str) -> Vec<String> {
    let mut cache = TableCache::new(asker.reader.clone());
    let mut found = Vec::new();
    for piece in cache.pieces(db, snapshot, &[table(name).expect("a table")]).unwrap() {
        let values = piece.rows.column_by_name(column).expect("a column").as_any();
        let values = values.downcast_ref::<StringArray>().expect("texts");
        found.extend(values.iter().flatten().map(str::to_owned));
    }
    found.sort_unstable();
    found
}

#[test]
fn every_form_of_the_scope_of_flags_measures_officers_and_enterprises_selects_the_same_rows() {
    for (database, seed) in Database::both().into_iter().zip([7, 8]) {
        let db = register(&database, seed);
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let chain = with_flags_and_measures(&db, &mut random);
        let snapshot = SnapshotStore::load(&db).unwrap().current();
        let tree = &snapshot.reference.tree;
        let stored = db.read(Stored::load).unwrap();
        let (units, people) = (&snapshot.reference.units, &stored.officers);
        let (mut some_flags, mut some_measures, mut asked) = (0, 0, 0);
        let keys = Keys::ephemeral();
        for n in 0..100 {
            let role = [Role::Board, Role::UnitHead, Role::UnitHead, Role::DataTeam, Role::Admin][n % 5];
            let unit = (role == Role::UnitHead).then(|| units[random.random_range(0..units.len())].id);
            let officer = match n % 3 {
                0 => None,
                1 => Some(chain[random.random_range(0..chain.len())]),
                _ => Some(people[random.random_range(0..people.len())].id),
            };
            let viewer = viewer(role, unit, officer);

            let shown = selected!(db, flags, viewer.flags(tree));
            let of_rules = stored.flags.iter().filter(|flag| stored.shows_flag(&viewer, tree, flag));
            assert_eq!(shown, of_rules.map(|flag| flag.id).collect::<BTreeSet<Id>>(), "{viewer:?}");
            some_flags += usize::from(!shown.is_empty() && shown.len() < stored.flags.len());
            let recorded = selected!(db, measures, viewer.measures(tree));
            let of_rules = stored.measures.iter().filter(|measure| stored.shows_measure(&viewer, tree, measure));
            assert_eq!(recorded, of_rules.map(|measure| measure.id).collect::<BTreeSet<Id>>(), "{viewer:?}");
            some_measures += usize::from(!recorded.is_empty() && recorded.len() < stored.measures.len());
            let named = selected!(db, officers, viewer.officers(tree));
            if role == Role::Admin {
                let described = stored.officers.iter().filter(|officer| !officer.unknown).map(|officer| officer.id);
                assert_eq!(named, described.collect::<BTreeSet<Id>>(), "{viewer:?}");
            }

            let Some(asker) = SqlAsker::of(&viewer, &keys) else { continue };
            let pseudonyms = |subject: Subject, ids: &mut dyn Iterator<Item = Id>| -> Vec<String> {
                let mut found: Vec<String> = ids.map(|id| asker.reader.pseudonyms.of(subject, id)).collect();
                found.sort_unstable();
                found
            };
            let in_table = |name, column| in_table(&db, &snapshot, &asker, name, column);
            let named = pseudonyms(Subject::Officer, &mut named.into_iter());
            assert_eq!(in_table("officers", "officer"), named, "{viewer:?}");
            let complained = selected!(db, enterprises, viewer.enterprises(tree));
            let complained = pseudonyms(Subject::Enterprise, &mut complained.into_iter());
            assert_eq!(in_table("enterprises", "enterprise"), complained, "{viewer:?}");
            if role == Role::Board {
                let shown = pseudonyms(Subject::Flag, &mut shown.into_iter());
                assert_eq!(in_table("flags", "flag"), shown, "{viewer:?}");
                let recorded = stored.measures.iter().filter(|measure| recorded.contains(&measure.id));
                let about = pseudonyms(Subject::Officer, &mut recorded.map(|measure| measure.officer_id));
                assert_eq!(in_table("measures", "officer"), about, "{viewer:?}");
                asked += usize::from(officer.is_some());
            }
        }
        assert!(some_flags >= 15 && some_measures >= 8 && asked >= 10, "{some_flags} {some_measures} {asked}");
    }
}

#[test]
fn a_chain_of_five_merges_hides_the_flag_on_the_first_officer_from_the_last() {
    for (database, seed) in Database::both().into_iter().zip([9, 10]) {
        let db = register(&database, seed);
        let chain = with_flags_and_measures(&db, &mut ChaCha8Rng::seed_from_u64(seed));
        let snapshot = SnapshotStore::load(&db).unwrap().current();
        let stored = db.read(Stored::load).unwrap();
        let keys = Keys::ephemeral();
        assert_eq!(stored.merged.len(), 5);
        for (index, own) in chain.iter().enumerate() {
            let viewer = viewer(Role::Board, None, Some(*own));
            let shown = selected!(db, flags, viewer.flags(&snapshot.reference.tree));
            let asker = SqlAsker::of(&viewer, &keys).expect("an asker");
            let in_table = in_table(&db, &snapshot, &asker, "flags", "flag");
            for (other, officer) in chain.iter().enumerate() {
                let flag = stored.flags.iter().find(|flag| flag.officer_id == Some(*officer)).expect("a flag");
                let is_hidden = other <= index;
                assert_eq!(shown.contains(&flag.id), !is_hidden, "officer {other} for officer {index}");
                let name = asker.reader.pseudonyms.of(Subject::Flag, flag.id);
                assert_eq!(in_table.contains(&name), !is_hidden, "officer {other} for officer {index}");
            }
        }
    }
}
