//! Enterprises and officers in the order of the file, with their rows from the database.

use super::{Failed, doubt};
use crate::snapshot::load::for_each;
use crate::snapshot::{Enterprises, Officers};
use diesel::connection::DefaultLoadingMode;
use diesel::pg::PgRowByRowLoadingMode;
use diesel::prelude::*;
use schema::models::{Enterprise, Officer};
use schema::tables::{enterprises, officers};
use schema::{Conn, Id};
use std::collections::HashMap;

/// Brings rows, which come in the order of the database, into that of the file. The two orders agree except in people
/// who came while a node was running.
struct Order<'f, T> {
    places: &'f [(Id, u32)],
    /// How many of `places` had their turn.
    taken: usize,
    waiting: HashMap<Id, T>,
}

impl<'f, T> Order<'f, T> {
    fn of(places: &'f [(Id, u32)]) -> Self {
        Self { places, taken: 0, waiting: HashMap::new() }
    }

    /// Returns the row if it is its turn; otherwise it waits.
    fn next(&mut self, id: Id, row: T) -> Option<T> {
        if self.places.get(self.taken).is_some_and(|(next, _)| *next == id) {
            self.taken += 1;
            return Some(row);
        }
        self.waiting.insert(id, row);
        None
    }

    /// The rows that wait: those of the file, then the newer ones.
    fn rest(mut self) -> Result<Vec<T>, Failed> {
        let places = self.places;
        let mut rest = Vec::with_capacity(self.waiting.len());
        for (id, _) in places.iter().skip(self.taken) {
            let Some(row) = self.waiting.remove(id) else {
                return doubt("it names an enterprise or officer that the register lacks");
            };
            rest.push(row);
        }
        let mut newer: Vec<(Id, T)> = self.waiting.into_iter().collect();
        newer.sort_unstable_by_key(|(id, _)| *id);
        rest.extend(newer.into_iter().map(|(_, row)| row));
        Ok(rest)
    }
}

/// Reads all enterprises and officers, as they are now, to the places that they have in the file.
pub(super) fn load(
    conn: &mut Conn,
    enterprise_places: &[(Id, u32)],
    officer_places: &[(Id, u32)],
) -> Result<(Enterprises, Officers), Failed> {
    let mut all_enterprises = Enterprises::default();
    let mut order = Order::of(enterprise_places);
    for_each!(conn, enterprises::table.select(Enterprise::as_select()).order(enterprises::id), Enterprise, |row| {
        if let Some(row) = order.next(row.id, row) {
            all_enterprises.add(row);
        }
    });
    order.rest()?.into_iter().for_each(|row| all_enterprises.add(row));
    let mut all_officers = Officers::default();
    let mut order = Order::of(officer_places);
    for_each!(conn, officers::table.select(Officer::as_select()).order(officers::code), Officer, |row| {
        if let Some(row) = order.next(row.id, row) {
            all_officers.put(&row);
        }
    });
    order.rest()?.iter().for_each(|row| all_officers.put(row));
    // A changed tax code or group may have merged or split enterprises, which renumbers their places.
    if enterprise_places.iter().any(|(id, place)| all_enterprises.place(*id) != Some(*place))
        || officer_places.iter().any(|(id, place)| all_officers.place(*id) != Some(*place))
    {
        return doubt("some enterprises count as others since it was written");
    }
    Ok((all_enterprises, all_officers))
}
