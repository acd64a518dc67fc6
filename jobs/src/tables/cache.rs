//! The pieces of tables for one reader, kept from one question to the next, and tables piece by piece.

use super::keys::keys;
use super::made::{Maker, Upon, maker};
use super::names::{Context, Emit, Names};
use super::piece_rows::PieceRows;
use super::{Piece, Table, TableReader};
use crate::JobError;
use crate::snapshot::{Enterprises, Officers, Reference, Snapshot};
use arrow_array::RecordBatch;
use chrono::NaiveDate;
use diesel::prelude::*;
use polars_core::runtime::RAYON;
use schema::db::dialect::current_position;
use schema::domain::calendar::local_date;
use schema::tables::{reference_events, state_events, state_position};
use schema::{Conn, Db, StoreError};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number that no piece of this process has had.
fn next_version() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// What pieces depend on beside rows.
#[derive(Clone)]
struct Basis {
    reference: Arc<Reference>,
    day: NaiveDate,
    names: u64,
}

impl Basis {
    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.reference, &other.reference) && self.day == other.day && self.names == other.names
    }
}

/// A piece that was made.
struct Made {
    /// None after the rows of the snapshot changed: the piece has to be made again.
    basis: Option<Basis>,
    piece: Piece,
}

/// The pieces that were made of a piece of the snapshot.
struct OfSnapshot {
    rows: PieceRows,
    key: u32,
    made: HashMap<&'static str, Made>,
}

impl OfSnapshot {
    /// Whether the piece of a table has to be made.
    fn lacks(&self, table: &'static Table, basis: &Basis) -> bool {
        let before = self.made.get(table.name).and_then(|made| made.basis.as_ref());
        before.is_none_or(|before| !before.is(basis))
    }

    /// Keeps the rows of a table. Where they are those from before, the version stays.
    fn keep(&mut self, table: &'static Table, basis: &Basis, rows: RecordBatch) {
        let same = self.made.remove(table.name).filter(|before| before.piece.rows == rows);
        let version = same.map_or_else(next_version, |before| before.piece.version);
        let piece = Piece { table, key: self.key, version, rows };
        self.made.insert(table.name, Made { basis: Some(basis.clone()), piece });
    }
}

/// A table that was made as a whole, and when.
struct Whole {
    basis: Basis,
    /// The position of the register and the number of the last state.
    at: (i64, i64),
    /// The position of the snapshot, and its people.
    snapshot: i64,
    people: (Arc<Officers>, Arc<Enterprises>),
    pieces: Vec<Piece>,
}

impl Whole {
    /// Whether nothing changed since that the table depends on.
    fn is_current(
        &self,
        conn: &mut Conn,
        now: (i64, i64),
        basis: &Basis,
        context: &Context<'_>,
        upon: &[Upon],
    ) -> Result<bool, StoreError> {
        let Context { snapshot, reader, .. } = *context;
        // A database that went back may hold anything.
        if !self.basis.is(basis) || now.0 < self.at.0 || now.1 < self.at.1 {
            return Ok(false);
        }
        let (officers, enterprises) = &self.people;
        let people = Arc::ptr_eq(officers, &snapshot.officers) && Arc::ptr_eq(enterprises, &snapshot.enterprises);
        let (mut entities, mut tables) = (Vec::new(), Vec::new());
        for one in upon {
            match one {
                Upon::Event(entity) => entities.push(entity.as_str()),
                Upon::State(table) => tables.push(table.name()),
                Upon::People if people => {}
                Upon::Complaints | Upon::Withheld if self.snapshot == snapshot.position => {}
                Upon::Withheld if reader.officer.is_none() => {}
                Upon::People | Upon::Complaints | Upon::Withheld => return Ok(false),
            }
        }
        if now.0 > self.at.0 && !entities.is_empty() {
            let events: i64 = reference_events::table
                .filter(reference_events::position.gt(self.at.0))
                .filter(reference_events::entity.eq_any(entities))
                .count()
                .get_result(conn)?;
            if events > 0 {
                return Ok(false);
            }
        }
        if now.1 > self.at.1 && !tables.is_empty() {
            let states: i64 = state_events::table
                .filter(state_events::number.gt(self.at.1))
                .filter(state_events::table_name.eq_any(tables))
                .count()
                .get_result(conn)?;
            return Ok(states == 0);
        }
        Ok(true)
    }
}

/// The position of the register and the number of the last state.
fn now(conn: &mut Conn) -> Result<(i64, i64), StoreError> {
    let states: Option<i64> = state_position::table.select(state_position::value).first(conn).optional()?;
    Ok((current_position(conn)?, states.unwrap_or_default()))
}

/// The pieces of tables for one reader, kept from one question to the next.
pub struct TableCache {
    reader: TableReader,
    names: Names,
    /// In the order of the pieces of the last snapshot.
    of_snapshot: Vec<OfSnapshot>,
    whole: HashMap<&'static str, Whole>,
}

impl TableCache {
    pub fn new(reader: TableReader) -> Self {
        Self { reader, names: Names::default(), of_snapshot: Vec::new(), whole: HashMap::new() }
    }

    pub fn reader(&self) -> &TableReader {
        &self.reader
    }

    /// All pieces of `tables` at the position of the snapshot. Builds only those that changed since the last call. Rows
    /// of the database may be newer than the snapshot by what was written since; those about complaints that it does not
    /// hold are left out.
    ///
    /// # Errors
    /// When the database fails, or a table is not for this reader.
    pub fn pieces(
        &mut self,
        db: &Db,
        snapshot: &Arc<Snapshot>,
        tables: &[&'static Table],
    ) -> Result<Vec<Piece>, JobError> {
        let makers = tables
            .iter()
            .map(|&table| {
                self.reader.may_read(table)?;
                Ok((table, maker(table)?))
            })
            .collect::<Result<Vec<(&'static Table, &'static Maker)>, JobError>>()?;
        self.names.refresh(snapshot, &self.reader.pseudonyms);
        if makers.iter().any(|(_, maker)| !matches!(maker, Maker::Whole(..))) {
            self.align(snapshot)?;
        }
        let day = local_date(snapshot.as_of);
        let basis = Basis { reference: Arc::clone(&snapshot.reference), day, names: self.names.version() };
        let Self { reader, names, of_snapshot, whole } = self;
        let context = Context { snapshot, reader, names, day };
        let mut beside = false;
        for &(table, maker) in &makers {
            match maker {
                Maker::OfPiece(make) => make_each(of_snapshot, &context, table, &basis, *make)?,
                Maker::BesidePiece(_) | Maker::Whole(..) => beside = true,
            }
        }
        if beside {
            db.read_snapshot(|conn| {
                for &(table, maker) in &makers {
                    match maker {
                        Maker::OfPiece(_) => {}
                        Maker::BesidePiece(make) => {
                            for one in of_snapshot.iter_mut().filter(|one| one.lacks(table, &basis)) {
                                let rows = make(&context, &one.rows, conn)?;
                                one.keep(table, &basis, rows);
                            }
                        }
                        Maker::Whole(upon, make) => {
                            make_whole(whole, &context, conn, table, &basis, upon, *make)?;
                        }
                    }
                }
                Ok::<_, JobError>(())
            })?;
        }
        let mut found = Vec::new();
        for &(table, maker) in &makers {
            match maker {
                Maker::Whole(..) => found.extend(whole.get(table.name).into_iter().flat_map(|one| one.pieces.clone())),
                _ => found.extend(of_snapshot.iter().filter_map(|one| Some(one.made.get(table.name)?.piece.clone()))),
            }
        }
        Ok(found)
    }

    /// Takes over the pieces of a snapshot: those that it shares with the last one stay as they are.
    fn align(&mut self, snapshot: &Snapshot) -> Result<(), JobError> {
        let pieces = snapshot.pieces();
        let earlier: Vec<u32> = self.of_snapshot.iter().map(|one| one.key).collect();
        let mut before: HashMap<_, OfSnapshot> =
            self.of_snapshot.drain(..).map(|one| (Arc::as_ptr(&one.rows.piece), one)).collect();
        let mut aligned: Vec<Option<OfSnapshot>> =
            pieces.iter().map(|piece| before.remove(&Arc::as_ptr(piece))).collect();
        let kept: Vec<Option<u32>> = aligned.iter().map(|one| one.as_ref().map(|one| one.key)).collect();
        let keys = keys(&kept, &earlier);
        let new: Vec<usize> = (0..pieces.len()).filter(|at| aligned[*at].is_none()).collect();
        // A table that shows nothing of what changed keeps the versions of its pieces.
        let mut replaced: HashMap<u32, OfSnapshot> = before.into_values().map(|one| (one.key, one)).collect();
        let reader = &self.reader;
        let rows = in_parallel(&new, &|at: &usize| PieceRows::of(&pieces[*at], &snapshot.officers, reader));
        for (at, rows) in new.into_iter().zip(rows) {
            let mut made = replaced.remove(&keys[at]).map(|one| one.made).unwrap_or_default();
            made.values_mut().for_each(|one| one.basis = None);
            aligned[at] = Some(OfSnapshot { rows: rows?, key: keys[at], made });
        }
        let mut aligned: Vec<OfSnapshot> = aligned.into_iter().flatten().collect();
        for (one, key) in aligned.iter_mut().zip(keys) {
            if one.key != key {
                one.key = key;
                one.made.values_mut().for_each(|made| made.piece.key = key);
            }
        }
        self.of_snapshot = aligned;
        Ok(())
    }
}

type OfPiece = fn(&Context<'_>, &PieceRows) -> Result<RecordBatch, JobError>;
type OfWhole = fn(&Context<'_>, &mut Conn, &mut Emit<'_>) -> Result<(), JobError>;

/// Makes the pieces of a table that are missing, on the threads of polars.
fn make_each(
    of_snapshot: &mut [OfSnapshot],
    context: &Context<'_>,
    table: &'static Table,
    basis: &Basis,
    make: OfPiece,
) -> Result<(), JobError> {
    let missing: Vec<&mut OfSnapshot> = of_snapshot.iter_mut().filter(|one| one.lacks(table, basis)).collect();
    let made = in_parallel(&missing, &|one: &&mut OfSnapshot| make(context, &one.rows));
    for (one, rows) in missing.into_iter().zip(made) {
        one.keep(table, basis, rows?);
    }
    Ok(())
}

/// Makes a table as a whole, unless nothing changed. Pieces that hold the same rows as before keep their version.
fn make_whole(
    whole: &mut HashMap<&'static str, Whole>,
    context: &Context<'_>,
    conn: &mut Conn,
    table: &'static Table,
    basis: &Basis,
    upon: &[Upon],
    make: OfWhole,
) -> Result<(), JobError> {
    let snapshot = context.snapshot;
    let at = now(conn)?;
    if let Some(before) = whole.get(table.name)
        && before.is_current(conn, at, basis, context, upon)?
    {
        return Ok(());
    }
    let mut pieces: Vec<Piece> = Vec::new();
    let before = whole.get(table.name);
    make(context, conn, &mut |rows| {
        let same = before.and_then(|before| before.pieces.get(pieces.len())).filter(|same| same.rows == rows);
        let version = same.map_or_else(next_version, |same| same.version);
        pieces.push(Piece { table, key: nth(pieces.len()), version, rows });
        Ok(())
    })?;
    let people = (Arc::clone(&snapshot.officers), Arc::clone(&snapshot.enterprises));
    let made = Whole { basis: basis.clone(), at, snapshot: snapshot.position, people, pieces };
    whole.insert(table.name, made);
    Ok(())
}

fn nth(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// The results for all items, computed on the threads of polars.
fn in_parallel<T: Sync, R: Send>(items: &[T], of: &(impl Fn(&T) -> R + Sync)) -> Vec<R> {
    if items.len() <= 1 {
        return items.iter().map(of).collect();
    }
    let (left, right) = items.split_at(items.len() / 2);
    let (mut found, rest) = RAYON.join(|| in_parallel(left, of), || in_parallel(right, of));
    found.extend(rest);
    found
}

/// Makes the pieces of one table, one after the other, and keeps none: memory stays flat.
///
/// # Errors
/// When the database fails, the table is not for this reader, or `take` fails.
pub fn stream(
    db: &Db,
    snapshot: &Arc<Snapshot>,
    reader: &TableReader,
    table: &'static Table,
    take: &mut dyn FnMut(Piece) -> Result<(), JobError>,
) -> Result<(), JobError> {
    reader.may_read(table)?;
    let mut names = Names::default();
    names.refresh(snapshot, &reader.pseudonyms);
    let context = Context { snapshot, reader, names: &names, day: local_date(snapshot.as_of) };
    let mut place = 0;
    let mut emit = |rows| {
        let piece = Piece { table, key: nth(place), version: next_version(), rows };
        place += 1;
        take(piece)
    };
    let made = maker(table)?;
    if let Maker::Whole(_, make) = made {
        return db.read_snapshot(|conn| make(&context, conn, &mut emit));
    }
    for piece in snapshot.pieces() {
        let rows = PieceRows::of(piece, &snapshot.officers, reader)?;
        // A transaction for each piece: one for all would last as long as the slowest taker.
        emit(match made {
            Maker::OfPiece(make) => make(&context, &rows)?,
            Maker::BesidePiece(make) => db.read_snapshot(|conn| make(&context, &rows, conn))?,
            Maker::Whole(..) => continue,
        })?;
    }
    Ok(())
}
