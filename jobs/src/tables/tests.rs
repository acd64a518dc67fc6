use super::Table;
use super::makers::MAKERS;
use super::*;
use crate::invented_register::invented_register;
use crate::snapshot::{Snapshot, SnapshotStore};
use arrow_array::{Array, BooleanArray, Date32Array, StringArray};
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::enums::{ComplaintEventKind, Role};
use schema::keys::Keys;
use schema::models::{Complaint, Enterprise, Officer, UnitResponse};
use schema::pseudonyms::{Audience, Subject};
use schema::register::complaints::{load, update};
use schema::{Db, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashSet};

fn reader(keys: &Keys, role: Role) -> TableReader {
    let pseudonyms = keys.pseudonyms(Audience::Role(role));
    TableReader { pseudonyms, board: role == Role::Board, officer: None }
}

fn for_all() -> Vec<&'static Table> {
    TABLES.iter().copied().filter(|table| !table.board_only).collect()
}

fn all_pieces(cache: &mut TableCache, db: &Db, snapshot: &Arc<Snapshot>) -> Vec<Piece> {
    cache.pieces(db, snapshot, &for_all()).expect("pieces")
}

fn all_columns(cache: &mut TableCache, db: &Db, snapshot: &Arc<Snapshot>) -> Vec<ColumnPiece> {
    let wanted: Vec<Wanted> = for_all().into_iter().map(Wanted::all).collect();
    cache.columns(db, snapshot, &wanted).expect("columns")
}

/// Columns of a table by their names.
fn wanted(of: &str, names: &[&str]) -> Wanted {
    let table = table(of).expect("a table");
    Wanted::of(table, ColumnSet::named(table, |name| names.contains(&name)))
}

/// The values of a column of texts of a table.
fn texts(pieces: &[Piece], table: &str, column: &str) -> Vec<Option<String>> {
    let of = pieces.iter().filter(|piece| piece.table.name == table);
    of.flat_map(|piece| {
        let values = piece.rows.column_by_name(column).expect("a column").as_any();
        let values = values.downcast_ref::<StringArray>().expect("texts");
        values.iter().map(|value| value.map(str::to_owned)).collect::<Vec<_>>()
    })
    .collect()
}

fn rows(pieces: &[Piece], table: &str) -> usize {
    pieces.iter().filter(|piece| piece.table.name == table).map(|piece| piece.rows.num_rows()).sum()
}

#[test]
fn each_table_is_declared_once_and_says_what_it_holds() {
    let made: Vec<&str> = MAKERS.iter().map(|(table, _)| table.name).collect();
    let listed: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
    assert_eq!(made, listed);
    assert_eq!(listed.iter().collect::<BTreeSet<_>>().len(), listed.len());
    for table in TABLES {
        let names: BTreeSet<&str> = table.columns.iter().map(|column| column.name).collect();
        assert_eq!(names.len(), table.columns.len(), "{}", table.name);
        assert!(table.comment.ends_with('.') && table.columns.iter().all(|column| column.comment.ends_with('.')));
        // Keys of one name join.
        let months: Vec<ColumnType> =
            table.columns.iter().filter(|column| column.name == "month").map(|column| column.of).collect();
        assert!(months.iter().all(|of| *of == ColumnType::Day), "{}", table.name);
        if let Some(month) = table.month_of {
            let of = table.columns.iter().find(|column| column.name == month).map(|column| column.of);
            assert!(matches!(of, Some(ColumnType::Day | ColumnType::Instant)), "{}", table.name);
        }
    }
    assert_eq!(TABLES.iter().filter(|table| table.board_only).map(|table| table.name).collect::<Vec<_>>(), ["sources"]);
}

#[test]
fn the_tables_of_a_register_join() {
    let (_folder, db) = invented_register(300, 4);
    let snapshot = SnapshotStore::load_in(&db, Timestamp::now, 50).expect("a snapshot").current();
    let keys = Keys::ephemeral();
    let mut cache = TableCache::new(reader(&keys, Role::DataTeam));
    let pieces = all_pieces(&mut cache, &db, &snapshot);
    for piece in &pieces {
        assert_eq!(piece.rows.schema(), piece.table.schema(), "{}", piece.table.name);
    }
    for (one, next) in pieces.iter().zip(&pieces[1..]) {
        assert!(one.table.name != next.table.name || one.key < next.key, "{}", one.table.name);
    }
    let columns = all_columns(&mut cache, &db, &snapshot);
    let versions: BTreeSet<u64> = columns.iter().map(|column| column.version).collect();
    assert_eq!(versions.len(), columns.len());
    assert_eq!(rows(&pieces, "complaints"), snapshot.facts.height());
    let values_of =
        |table: &str, column: &str| texts(&pieces, table, column).into_iter().flatten().collect::<HashSet<_>>();
    let (complaints, officers, units) =
        (values_of("complaints", "complaint"), values_of("officers", "officer"), values_of("units", "code"));
    assert_eq!(complaints.len(), snapshot.facts.height());
    let joins = [
        ("allegations", "complaint", &complaints),
        ("responses", "complaint", &complaints),
        ("allegations", "officer", &officers),
        ("postings", "officer", &officers),
        ("postings", "unit", &units),
        ("workload", "unit", &units),
        ("workload", "officer", &officers),
        ("recurrence_exposure", "officer", &officers),
        ("complaints", "responsible_unit", &units),
        ("complaints", "enterprise", &values_of("enterprises", "enterprise")),
        ("complaints", "category", &values_of("categories", "code")),
    ];
    for (table, column, keys) in joins {
        let values = values_of(table, column);
        assert!(!values.is_empty(), "{table}.{column}");
        assert!(values.is_subset(keys), "{table}.{column}");
    }
    // Each officer that a complaint names is one allegation, as the columns of the snapshot have it.
    let named: usize = snapshot
        .facts
        .column("named")
        .and_then(|column| {
            let mut named = 0;
            for words in column.list()?.amortized_iter().flatten() {
                let words = words.as_ref().u32()?;
                named += words.iter().flatten().filter(|word| crate::snapshot::meaning(*word).0.is_some()).count();
            }
            Ok(named)
        })
        .expect("words");
    assert_eq!(rows(&pieces, "allegations"), named);
    let stored: i64 = db.read(|conn| Ok(schema::tables::workload::table.count().get_result(conn)?)).expect("a count");
    assert_eq!(i64::try_from(rows(&pieces, "workload")), Ok(stored));
}

#[test]
fn days_of_the_calendar_say_whether_they_are_worked() {
    let (_folder, db) = invented_register(300, 4);
    let snapshot = SnapshotStore::load(&db).expect("a snapshot").current();
    let mut cache = TableCache::new(reader(&Keys::ephemeral(), Role::DataTeam));
    let calendar = table("calendar").expect("a table");
    let pieces = cache.pieces(&db, &snapshot, &[calendar]).expect("pieces");
    let [piece] = pieces.as_slice() else { panic!("one piece, not {}", pieces.len()) };
    let column = |name: &str| piece.rows.column_by_name(name).expect("a column").as_any();
    let days = column("day").downcast_ref::<Date32Array>().expect("days");
    let worked = column("is_working_day").downcast_ref::<BooleanArray>().expect("flags");
    let off = column("holiday").downcast_ref::<BooleanArray>().expect("flags");
    let on = |year, month, day| {
        let day = NaiveDate::from_ymd_opt(year, month, day).map(crate::facts::days::day_number).expect("a day");
        let row = days.values().iter().position(|other| *other == day).expect("the day");
        (worked.value(row), off.value(row))
    };
    assert_eq!(on(2025, 9, 2), (false, true), "the national day");
    assert_eq!(on(2025, 9, 6), (false, false), "a Saturday");
    assert_eq!(on(2025, 9, 8), (true, false), "a Monday");
}

#[test]
fn a_change_of_one_complaint_makes_one_piece_anew() {
    let (_folder, db) = invented_register(300, 4);
    let store = SnapshotStore::load_in(&db, Timestamp::now, 40).expect("a snapshot");
    let mut cache = TableCache::new(reader(&Keys::ephemeral(), Role::DataTeam));
    let before = all_columns(&mut cache, &db, &store.current());
    let versions = |columns: &[ColumnPiece]| -> BTreeMap<(&'static str, u32, &'static str), u64> {
        let name = |one: &ColumnPiece| (one.table.name, one.key, one.table.columns[one.column].name);
        columns.iter().map(|one| (name(one), one.version)).collect()
    };
    let again = all_columns(&mut cache, &db, &store.current());
    assert_eq!(versions(&before), versions(&again), "nothing changed");
    let ids: Vec<Id> = db
        .read(|conn| {
            use schema::tables::complaints;
            Ok(complaints::table.order(complaints::id).select(complaints::id).load(conn)?)
        })
        .expect("ids");
    let changed = ids[ids.len() / 2];
    db.write("test", |tx| {
        let now = tx.now;
        let cases = load(tx.conn, &[changed])?;
        let before = &cases[&changed];
        let mut after = before.clone();
        after.complaint.cost_vnd = Some(before.complaint.cost_vnd.unwrap_or_default() + 1);
        update(tx, ComplaintEventKind::Updated, now, before, &mut after)?;
        Ok(())
    })
    .expect("a change");
    store.refresh(&db).expect("a refresh");
    let after = all_columns(&mut cache, &db, &store.current());
    let (before, now) = (versions(&before), versions(&after));
    assert_eq!(before.keys().collect::<Vec<_>>(), now.keys().collect::<Vec<_>>());
    let differ: Vec<(&str, &str)> = now
        .iter()
        .filter(|(name, version)| before[*name] != **version)
        .map(|((table, _, column), _)| (*table, *column))
        .collect();
    assert_eq!(differ, [("complaints", "cost_vnd")]);
    let after = all_pieces(&mut cache, &db, &store.current());
    let fresh = all_pieces(&mut TableCache::new(cache.reader().clone()), &db, &store.current());
    let content = |pieces: &[Piece]| pieces.iter().map(|piece| piece.rows.clone()).collect::<Vec<_>>();
    assert!(content(&fresh) == content(&after), "as if made anew");
    for table in for_all() {
        let mut streamed = Vec::new();
        stream(&db, &store.current(), cache.reader(), table, &mut |piece| {
            streamed.push(piece.rows);
            Ok(())
        })
        .expect("a stream");
        let kept: Vec<_> = after.iter().filter(|piece| piece.table.name == table.name).collect();
        assert!(kept.iter().map(|piece| &piece.rows).eq(&streamed), "{}", table.name);
    }
}

#[test]
fn columns_are_made_when_they_are_wanted() {
    let (_folder, db) = invented_register(300, 4);
    let snapshot = SnapshotStore::load_in(&db, Timestamp::now, 50).expect("a snapshot").current();
    let of = reader(&Keys::ephemeral(), Role::DataTeam);
    let whole = all_columns(&mut TableCache::new(of.clone()), &db, &snapshot);
    let mut cache = TableCache::new(of);
    let questions: [(&str, &[&str]); 7] = [
        ("complaints", &["kind"]),
        ("complaints", &[]),
        ("complaints", &["month", "enterprise"]),
        ("complaints", &["complaint", "waited_days", "kind", "finding"]),
        ("allegations", &["complaint", "officer"]),
        ("allegations", &["officer", "category", "decided_on"]),
        ("officers", &["rank"]),
    ];
    for (table, names) in questions {
        let wanted = wanted(table, names);
        let found = cache.columns(&db, &snapshot, &[wanted]).expect("columns");
        let is_wanted = |one: &&ColumnPiece| one.table.name == table && wanted.columns.has(one.column);
        let expected: Vec<&ColumnPiece> = whole.iter().filter(is_wanted).collect();
        assert_eq!(found.len(), expected.len(), "{table} {names:?}");
        for (one, other) in found.iter().zip(expected) {
            assert_eq!((one.key, one.column), (other.key, other.column), "{table} {names:?}");
            assert_eq!(&one.values, &other.values, "{table} {names:?}");
        }
    }
}

#[test]
fn allegations_of_the_snapshot_are_those_of_the_database() {
    let (_folder, db) = invented_register(300, 4);
    let snapshot = SnapshotStore::load_in(&db, Timestamp::now, 50).expect("a snapshot").current();
    let of = reader(&Keys::ephemeral(), Role::DataTeam);
    let own = wanted("allegations", &["complaint", "officer", "attribution", "finding", "received_on"]);
    let mut cache = TableCache::new(of);
    let short = cache.columns(&db, &snapshot, &[own]).expect("columns");
    // The category needs the database, from which all columns come then.
    let more = Wanted::of(own.table, own.columns.and(wanted("allegations", &["category"]).columns));
    let whole = cache.columns(&db, &snapshot, &[more]).expect("columns");
    let rows = |columns: &[ColumnPiece]| {
        let mut rows: BTreeMap<(u32, usize), Vec<String>> = BTreeMap::new();
        for one in columns.iter().filter(|one| own.columns.has(one.column)) {
            for row in 0..one.values.len() {
                rows.entry((one.key, row)).or_default().push(format!("{:?}", one.values.slice(row, 1)));
            }
        }
        let mut rows: Vec<Vec<String>> = rows.into_values().collect();
        rows.sort_unstable();
        rows
    };
    assert!(rows(&short).len() > 20);
    assert_eq!(rows(&short), rows(&whole));
}

#[test]
fn nothing_that_names_the_reader_is_in_a_table() {
    let (_folder, db) = invented_register(300, 4);
    let snapshot = SnapshotStore::load(&db).expect("a snapshot").current();
    let keys = Keys::ephemeral();
    let (complaint, officer): (Id, Id) = db
        .read(|conn| {
            use schema::tables::complaint_officers as named;
            Ok(named::table.select((named::complaint_id, named::officer_id)).first(conn)?)
        })
        .expect("an allegation");
    let own = TableReader { officer: Some(officer), ..reader(&keys, Role::Board) };
    let pseudonym = own.pseudonyms.of(Subject::Officer, officer);
    let complaint = Some(own.pseudonyms.of(Subject::Complaint, complaint));
    let others = all_pieces(&mut TableCache::new(reader(&keys, Role::Board)), &db, &snapshot);
    assert!(texts(&others, "complaints", "complaint").contains(&complaint));
    let pieces = all_pieces(&mut TableCache::new(own), &db, &snapshot);
    for table in ["complaints", "allegations", "responses"] {
        assert!(!texts(&pieces, table, "complaint").contains(&complaint), "{table}");
    }
    assert!(!texts(&pieces, "allegations", "officer").contains(&Some(pseudonym)));
    assert!(rows(&pieces, "complaints") < rows(&others, "complaints"));
}

#[test]
fn only_a_board_reads_the_numbers_of_other_registers() {
    let (_folder, db) = invented_register(300, 4);
    let snapshot = SnapshotStore::load(&db).expect("a snapshot").current();
    let keys = Keys::ephemeral();
    let sources = table("sources").expect("a table");
    let of = |role| TableCache::new(reader(&keys, role)).pieces(&db, &snapshot, &[sources]);
    assert!(of(Role::Board).is_ok());
    let refused = of(Role::DataTeam).expect_err("refused").to_string();
    assert_eq!(refused, "the table sources is for a BOARD alone");
    let team = reader(&keys, Role::DataTeam);
    assert!(stream(&db, &snapshot, &team, sources, &mut |_| Ok(())).is_err());
}

#[test]
fn no_identity_and_no_text_is_in_any_cell() {
    let (_folder, db) = invented_register(300, 4);
    let snapshot = SnapshotStore::load(&db).expect("a snapshot").current();
    let mut cache = TableCache::new(reader(&Keys::ephemeral(), Role::DataTeam));
    let pieces = all_pieces(&mut cache, &db, &snapshot);
    let mut cells: BTreeSet<String> = BTreeSet::new();
    for piece in &pieces {
        for column in piece.rows.columns() {
            if let Some(texts) = column.as_any().downcast_ref::<StringArray>() {
                cells.extend(texts.iter().flatten().map(str::to_owned));
            }
        }
    }
    let hidden = db
        .read(|conn| {
            use schema::tables::{complaint_sources, complaints, enterprises, officers, unit_responses};
            let mut hidden: BTreeSet<String> = BTreeSet::new();
            let all: Vec<Officer> = officers::table.select(Officer::as_select()).load(conn)?;
            hidden
                .extend(all.into_iter().flat_map(|one| [Some(one.code), one.name, Some(one.id.to_string())]).flatten());
            let all: Vec<Enterprise> = enterprises::table.select(Enterprise::as_select()).load(conn)?;
            let of = |one: Enterprise| [Some(one.tax_code), one.name, one.group_code, Some(one.id.to_string())];
            hidden.extend(all.into_iter().flat_map(of).flatten());
            let all: Vec<Complaint> = complaints::table.select(Complaint::as_select()).load(conn)?;
            let of = |one: Complaint| {
                let reference = schema::domain::ids::human_reference(one.id);
                [one.text, one.declaration_number, Some(one.id.to_string()), Some(reference)]
            };
            hidden.extend(all.into_iter().flat_map(of).flatten());
            let all: Vec<UnitResponse> = unit_responses::table.select(UnitResponse::as_select()).load(conn)?;
            hidden.extend(all.into_iter().flat_map(|one| [Some(one.text), one.outcome, Some(one.actor)]).flatten());
            hidden.extend(complaint_sources::table.select(complaint_sources::reference).load::<String>(conn)?);
            Ok(hidden)
        })
        .expect("identities");
    assert!(hidden.len() > 500 && cells.len() > 500, "{} and {}", hidden.len(), cells.len());
    assert_eq!(cells.intersection(&hidden).next(), None);
    // A pseudonym could hold a short code by chance.
    let is_pseudonym = |cell: &&String| cell.len() == 27 && cell.starts_with("k0-");
    for cell in cells.iter().filter(|cell| !is_pseudonym(cell)) {
        let part = hidden.iter().find(|one| one.chars().count() >= 6 && cell.contains(one.as_str()));
        assert_eq!(part, None, "{cell}");
    }
}
