//! Batched loads of the responses to the complaints of a page: one statement for each chunk of ids.

use super::keyset::{Direction, Pred, Slice, Window};
use super::limited::Limited;
use super::lists::ResponseSort;
use crate::db::{Conn, MultiBackend, StoreError, dialect::KEYS_PER_QUERY};
use crate::models::UnitResponse;
use crate::sql_types::Id;
use crate::tables::unit_responses;
use diesel::prelude::*;
use std::collections::HashMap;

/// The first (or last) `n` responses of each complaint, oldest first.
///
/// # Errors
/// If the database cannot be read.
pub fn responses_of(
    conn: &mut Conn,
    complaints: &[Id],
    n: i64,
    last: bool,
) -> Result<HashMap<Id, Vec<UnitResponse>>, StoreError> {
    let others = diesel::alias!(unit_responses as others);
    let mut found: HashMap<Id, Vec<UnitResponse>> = HashMap::new();
    for chunk in complaints.chunks(KEYS_PER_QUERY) {
        let of_these = || {
            unit_responses::table
                .filter(unit_responses::complaint_id.eq_any(chunk))
                .order((unit_responses::complaint_id, unit_responses::responded_at, unit_responses::id))
                .select(UnitResponse::as_select())
        };
        // Most complaints have one or two responses. A plain query with a limit usually returns all of them; only if it
        // reaches the limit does a second query take `n` for each complaint. The limit is a power of two, so that few
        // statements are prepared.
        let wanted = n.unsigned_abs().saturating_mul(chunk.len() as u64).saturating_add(1);
        let most = i64::try_from(wanted.next_power_of_two()).unwrap_or(i64::MAX);
        let mut rows: Vec<UnitResponse> = Limited(of_these(), most).load(conn)?;
        if i64::try_from(rows.len()).is_ok_and(|number| number >= most) {
            macro_rules! some_of_each {
                ($direction:ident) => {{
                    let responded_at = others.field(unit_responses::responded_at);
                    let some = others
                        .filter(others.field(unit_responses::complaint_id).eq(unit_responses::complaint_id))
                        .order((responded_at.$direction(), others.field(unit_responses::id).$direction()))
                        .limit(n)
                        .select(others.field(unit_responses::id));
                    of_these().filter(unit_responses::id.eq_any(some)).load(conn)?
                }};
            }
            rows = if last { some_of_each!(desc) } else { some_of_each!(asc) };
        }
        for row in rows {
            found.entry(row.complaint_id).or_default().push(row);
        }
    }
    let n = usize::try_from(n).unwrap_or(usize::MAX);
    for rows in found.values_mut() {
        if last {
            rows.drain(..rows.len().saturating_sub(n));
        } else {
            rows.truncate(n);
        }
    }
    Ok(found)
}

/// The number of responses to each complaint; complaints without any are left out.
///
/// # Errors
/// If the database cannot be read.
pub fn response_counts_of(conn: &mut Conn, complaints: &[Id]) -> Result<HashMap<Id, i64>, StoreError> {
    let mut found = HashMap::new();
    for chunk in complaints.chunks(KEYS_PER_QUERY) {
        let rows: Vec<(Id, i64)> = unit_responses::table
            .filter(unit_responses::complaint_id.eq_any(chunk))
            .group_by(unit_responses::complaint_id)
            .select((unit_responses::complaint_id, diesel::dsl::count_star()))
            .load(conn)?;
        found.extend(rows);
    }
    Ok(found)
}

/// The responses to some complaints that meet a condition.
fn responses_to<'q>(
    complaints: &[Id],
    condition: Option<Pred<unit_responses::table>>,
) -> unit_responses::BoxedQuery<'q, MultiBackend> {
    let of_these = unit_responses::complaint_id.eq_any(complaints.to_vec()).nullable();
    let query = unit_responses::table.into_boxed::<MultiBackend>().filter(of_these);
    match condition {
        Some(condition) => query.filter(condition),
        None => query,
    }
}

/// A page of the responses to each complaint. `condition` builds the filter for each statement. Reads all responses
/// that the filter matches, because a complaint has few.
///
/// # Errors
/// `Rule` if a cursor belongs to another order.
pub fn some_responses_of(
    conn: &mut Conn,
    complaints: &[Id],
    condition: &dyn Fn() -> Result<Option<Pred<unit_responses::table>>, StoreError>,
    direction: Direction,
    window: &Window,
) -> Result<HashMap<Id, Slice<UnitResponse>>, StoreError> {
    let order = [(ResponseSort::RespondedAt, direction)];
    let mut found: HashMap<Id, Slice<UnitResponse>> = HashMap::new();
    for chunk in complaints.chunks(KEYS_PER_QUERY) {
        let mut query = responses_to(chunk, condition()?);
        for bound in ResponseSort::bounds(&order, window)? {
            query = query.filter(bound);
        }
        let rows: Vec<UnitResponse> = query
            .order((unit_responses::complaint_id, unit_responses::responded_at, unit_responses::id))
            .select(UnitResponse::as_select())
            .load(conn)?;
        for row in rows {
            let of = found.entry(row.complaint_id).or_insert_with(|| Slice { rows: Vec::new(), more: false });
            of.rows.push(row);
        }
    }
    for slice in found.values_mut() {
        if direction == Direction::Desc {
            slice.rows.reverse();
        }
        slice.more = slice.rows.len() > window.limit;
        if window.backward {
            slice.rows.drain(..slice.rows.len().saturating_sub(window.limit));
        } else {
            slice.rows.truncate(window.limit);
        }
    }
    Ok(found)
}

/// The number of responses to each complaint that meet a condition; complaints without any are left out.
///
/// # Errors
/// The error of `condition`; else if the database cannot be read.
pub fn count_some_responses_of(
    conn: &mut Conn,
    complaints: &[Id],
    condition: &dyn Fn() -> Result<Option<Pred<unit_responses::table>>, StoreError>,
) -> Result<HashMap<Id, i64>, StoreError> {
    let mut found: HashMap<Id, i64> = HashMap::new();
    for chunk in complaints.chunks(KEYS_PER_QUERY) {
        for complaint in responses_to(chunk, condition()?).select(unit_responses::complaint_id).load::<Id>(conn)? {
            *found.entry(complaint).or_default() += 1;
        }
    }
    Ok(found)
}
