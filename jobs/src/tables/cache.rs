//! The pieces of tables for one reader, kept from one question to the next, and tables piece by piece.

use super::columns::batch;
use super::keys::keys;
use super::makers::{MakeWhole, Maker, Upon, maker};
use super::names::{Context, Names};
use super::parallel::in_parallel;
use super::piece_columns::{Basis, PieceColumns, lack, make_each, next_version};
use super::piece_rows::PieceRows;
use super::related_rows::read_related_rows;
use super::{ColumnPiece, ColumnSet, Piece, Table, TableReader, Wanted};
use crate::JobError;
use crate::snapshot::{Enterprises, Officers, Snapshot};
use arrow_array::{ArrayRef, RecordBatch};
use diesel::prelude::*;
use schema::db::dialect::current_position;
use schema::domain::calendar::local_date;
use schema::tables::{reference_events, state_events, state_position};
use schema::{Conn, Db, StoreError};
use std::collections::HashMap;
use std::sync::Arc;

/// Consecutive rows of a table that was made as a whole, with the version of each column.
struct Part {
    rows: RecordBatch,
    versions: Vec<u64>,
}

impl Part {
    /// Columns that have the values of an earlier part keep their versions.
    fn of(rows: RecordBatch, before: Option<&Self>) -> Self {
        let same = |(index, values): (usize, &ArrayRef)| {
            let before = before.filter(|before| before.rows.column(index) == values)?;
            before.versions.get(index).copied()
        };
        let versions = rows.columns().iter().enumerate().map(|one| same(one).unwrap_or_else(next_version)).collect();
        Self { rows, versions }
    }

    fn columns(&self, wanted: Wanted, key: u32) -> impl Iterator<Item = ColumnPiece> {
        wanted.columns.places().filter_map(move |column| {
            let version = *self.versions.get(column)?;
            Some(ColumnPiece {
                table: wanted.table,
                key,
                column,
                version,
                values: Arc::clone(self.rows.column(column)),
            })
        })
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
    parts: Vec<Part>,
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

    fn columns(&self, wanted: Wanted) -> impl Iterator<Item = ColumnPiece> {
        (0..).zip(&self.parts).flat_map(move |(key, part)| part.columns(wanted, key))
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
    /// Columns of each piece, in the order of the pieces of the last snapshot.
    columns_of_pieces: Vec<PieceColumns>,
    whole: HashMap<&'static str, Whole>,
}

impl TableCache {
    pub fn new(reader: TableReader) -> Self {
        Self { reader, names: Names::default(), columns_of_pieces: Vec::new(), whole: HashMap::new() }
    }

    pub fn reader(&self) -> &TableReader {
        &self.reader
    }

    /// All columns of tables, as [`TableCache::columns`] makes them.
    ///
    /// # Errors
    /// When the database fails, or a table is not for this reader.
    pub fn pieces(
        &mut self,
        db: &Db,
        snapshot: &Arc<Snapshot>,
        tables: &[&'static Table],
    ) -> Result<Vec<Piece>, JobError> {
        let wanted: Vec<Wanted> = tables.iter().map(|&table| Wanted::all(table)).collect();
        let columns = self.columns(db, snapshot, &wanted)?;
        let of_one_piece = columns.chunk_by(|a, b| a.table.name == b.table.name && a.key == b.key);
        let mut pieces = Vec::new();
        for columns in of_one_piece {
            let Some(first) = columns.first() else { continue };
            let rows = batch(first.table, columns.iter().map(|column| Arc::clone(&column.values)).collect())?;
            pieces.push(Piece { table: first.table, key: first.key, rows });
        }
        Ok(pieces)
    }

    /// Columns of tables at the position of the snapshot, in the order of tables, keys and columns. Makes only those that
    /// changed since the last call or that no question wanted yet. Rows of the database may be newer than the snapshot
    /// by what was written since; those about complaints that it does not hold are left out.
    ///
    /// # Errors
    /// When the database fails, or a table is not for this reader.
    pub fn columns(
        &mut self,
        db: &Db,
        snapshot: &Arc<Snapshot>,
        wanted: &[Wanted],
    ) -> Result<Vec<ColumnPiece>, JobError> {
        let makers = wanted
            .iter()
            .map(|&one| {
                self.reader.may_read(one.table)?;
                Ok((one, maker(one.table)?))
            })
            .collect::<Result<Vec<(Wanted, &'static Maker)>, JobError>>()?;
        if makers.iter().any(|(one, maker)| maker.of_piece(*one).is_none_or(|made| made.names(*one))) {
            self.names.refresh(snapshot, &self.reader.pseudonyms);
        }
        if makers.iter().any(|(_, maker)| !matches!(maker, Maker::Whole(..))) {
            self.align(snapshot)?;
        }
        let day = local_date(snapshot.as_of);
        let basis = Basis { reference: Arc::clone(&snapshot.reference), day, names: self.names.version() };
        let Self { reader, names, columns_of_pieces, whole } = self;
        let context = Context { snapshot, reader, names, day };
        let mut reads = false;
        for &(one, maker) in &makers {
            match maker.of_piece(one) {
                Some(made) => make_each(columns_of_pieces, &context, one, &basis, made.make)?,
                None => reads |= matches!(maker, Maker::Whole(..)) || lack(columns_of_pieces, one, &basis),
            }
        }
        if reads {
            db.read_snapshot(|conn| {
                for &(one, maker) in &makers {
                    match maker {
                        Maker::RelatedRows(make, _) if lack(columns_of_pieces, one, &basis) => {
                            let missing: Vec<&mut PieceColumns> =
                                columns_of_pieces.iter_mut().filter(|of| !of.lacks(one, &basis).is_empty()).collect();
                            let pieces: Vec<&PieceRows> = missing.iter().map(|of| &of.rows).collect();
                            let made = read_related_rows(db, conn, &context, &pieces, *make)?;
                            // All columns, so that those of one basis are of the same rows.
                            let all = ColumnSet::all(one.table);
                            for (of, rows) in missing.into_iter().zip(made) {
                                of.keep(one.table, all, &basis, &rows);
                            }
                        }
                        Maker::Whole(upon, make) => {
                            make_whole(whole, &context, conn, one.table, &basis, upon, *make)?;
                        }
                        Maker::OfPiece(_) | Maker::RelatedRows(..) => {}
                    }
                }
                Ok::<_, JobError>(())
            })?;
        }
        let mut found = Vec::new();
        for &(one, maker) in &makers {
            match maker {
                Maker::Whole(..) => found.extend(whole.get(one.table.name).into_iter().flat_map(|of| of.columns(one))),
                _ => found.extend(columns_of_pieces.iter().flat_map(|of| of.columns(one))),
            }
        }
        Ok(found)
    }

    /// Takes over the pieces of a snapshot: those that it shares with the last one stay as they are.
    fn align(&mut self, snapshot: &Snapshot) -> Result<(), JobError> {
        let pieces = snapshot.pieces();
        let earlier: Vec<u32> = self.columns_of_pieces.iter().map(|one| one.key).collect();
        let mut before: HashMap<_, PieceColumns> =
            self.columns_of_pieces.drain(..).map(|one| (Arc::as_ptr(&one.rows.piece), one)).collect();
        let mut aligned: Vec<Option<PieceColumns>> =
            pieces.iter().map(|piece| before.remove(&Arc::as_ptr(piece))).collect();
        let kept: Vec<Option<u32>> = aligned.iter().map(|one| one.as_ref().map(|one| one.key)).collect();
        let keys = keys(&kept, &earlier);
        let new: Vec<usize> = (0..pieces.len()).filter(|at| aligned[*at].is_none()).collect();
        // Columns without the changed values keep their versions.
        let mut replaced: HashMap<u32, PieceColumns> = before.into_values().map(|one| (one.key, one)).collect();
        let reader = &self.reader;
        let rows = in_parallel(&new, &|at: &usize| PieceRows::of(&pieces[*at], &snapshot.officers, reader));
        for (at, rows) in new.into_iter().zip(rows) {
            aligned[at] = Some(PieceColumns::in_place_of(replaced.remove(&keys[at]), rows?, keys[at]));
        }
        let mut aligned: Vec<PieceColumns> = aligned.into_iter().flatten().collect();
        for (one, key) in aligned.iter_mut().zip(keys) {
            one.key = key;
        }
        self.columns_of_pieces = aligned;
        Ok(())
    }
}

/// Makes a table as a whole, unless nothing changed.
fn make_whole(
    whole: &mut HashMap<&'static str, Whole>,
    context: &Context<'_>,
    conn: &mut Conn,
    table: &'static Table,
    basis: &Basis,
    upon: &[Upon],
    make: MakeWhole,
) -> Result<(), JobError> {
    let snapshot = context.snapshot;
    let at = now(conn)?;
    if let Some(before) = whole.get(table.name)
        && before.is_current(conn, at, basis, context, upon)?
    {
        return Ok(());
    }
    let mut parts: Vec<Part> = Vec::new();
    let before = whole.get(table.name);
    make(context, conn, &mut |rows| {
        let nth = parts.len();
        parts.push(Part::of(rows, before.and_then(|before| before.parts.get(nth))));
        Ok(())
    })?;
    let people = (Arc::clone(&snapshot.officers), Arc::clone(&snapshot.enterprises));
    let made = Whole { basis: basis.clone(), at, snapshot: snapshot.position, people, parts };
    whole.insert(table.name, made);
    Ok(())
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
    let mut key = 0;
    let mut emit = |rows| {
        let piece = Piece { table, key, rows };
        key += 1;
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
            Maker::OfPiece(made) => (made.make)(&context, &rows, ColumnSet::all(table))?,
            Maker::RelatedRows(make, _) => db.read_snapshot(|conn| make(&context, &rows, conn))?,
            Maker::Whole(..) => continue,
        })?;
    }
    Ok(())
}
