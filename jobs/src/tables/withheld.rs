//! Withholds flags and officers that would reveal complaints naming the reader, as `access::row_scope` does. A test
//! compares both.

use super::names::Context;
use super::piece_rows::names_reader;
use crate::JobError;
use crate::snapshot::meaning;
use diesel::prelude::*;
use schema::db::MultiBackend;
use schema::queries::{flags_of_branches_served, flags_on_officer};
use schema::tables::{complaint_officers, complaints, flags};
use schema::{Conn, Id};
use std::collections::HashSet;

/// The flags that are withheld from a reader: those on the reader, and those of branches where the reader ever served.
#[derive(Default)]
pub(super) struct WithheldFlags(HashSet<Id>);

impl WithheldFlags {
    /// # Errors
    /// When the database fails.
    pub fn of(of: &Context<'_>, conn: &mut Conn) -> Result<Self, JobError> {
        let Some(own) = of.reader.officer else { return Ok(Self::default()) };
        let withheld = flags_on_officer(own).or(flags_of_branches_served(own));
        let withheld = flags::table.into_boxed::<MultiBackend>().filter(withheld).select(flags::id);
        Ok(Self(withheld.load::<Id>(conn)?.into_iter().collect()))
    }

    pub fn has(&self, flag: Id) -> bool {
        self.0.contains(&flag)
    }
}

/// The places of the reader and of the officers whom complaints name that the reader sees; None for a reader from whom
/// nothing is withheld.
///
/// # Errors
/// When a column is missing.
pub(super) fn officers_named(of: &Context<'_>) -> Result<Option<HashSet<u32>>, JobError> {
    let Some(own) = of.reader.officer else { return Ok(None) };
    let own = of.snapshot.officers.place(own);
    let mut named: HashSet<u32> = own.into_iter().collect();
    for piece in of.snapshot.pieces() {
        for words in piece.rows().column("named")?.list()?.amortized_iter() {
            let Some(words) = words else { continue };
            let officers: Vec<u32> =
                words.as_ref().u32()?.iter().flatten().filter_map(|word| meaning(word).0).collect();
            if own.is_none_or(|own| !officers.contains(&own)) {
                named.extend(officers);
            }
        }
    }
    Ok(Some(named))
}

/// The enterprises with a complaint that the reader sees; None for a reader from whom nothing is withheld.
///
/// # Errors
/// When the database fails, or a column is missing.
pub(super) fn enterprises_seen(of: &Context<'_>, conn: &mut Conn) -> Result<Option<HashSet<Id>>, JobError> {
    let Some(own) = of.reader.officer else { return Ok(None) };
    let naming: Vec<Id> = complaint_officers::table
        .filter(complaint_officers::officer_id.eq(own))
        .select(complaint_officers::complaint_id)
        .load(conn)?;
    let naming: HashSet<Id> = naming.into_iter().collect();
    let all: Vec<(Id, Option<Id>)> = complaints::table
        .filter(complaints::enterprise_id.is_not_null())
        .select((complaints::id, complaints::enterprise_id))
        .load(conn)?;
    let mut seen = HashSet::new();
    for (complaint, enterprise) in all {
        let Some(enterprise) = enterprise.filter(|one| !seen.contains(one) && !naming.contains(&complaint)) else {
            continue;
        };
        // A complaint that is newer than the snapshot comes with the next one.
        if of.snapshot.find(complaint)?.is_some() {
            seen.insert(enterprise);
        }
    }
    Ok(Some(seen))
}

/// The day of the first complaint that the reader sees, days since 1970.
///
/// # Errors
/// When a column is missing.
pub(super) fn first_day(of: &Context<'_>) -> Result<Option<i32>, JobError> {
    let officer = of.reader.officer.and_then(|officer| of.snapshot.officers.place(officer));
    let mut first: Option<i32> = None;
    for piece in of.snapshot.pieces() {
        let day = if officer.is_none() {
            Some(piece.first_day())
        } else {
            let facts = piece.rows();
            let hidden = names_reader(facts, officer)?;
            let days = facts.column("day")?.i32()?;
            days.iter().zip(hidden).filter(|(_, hidden)| !hidden).filter_map(|(day, _)| day).min()
        };
        first = first.into_iter().chain(day).min();
    }
    Ok(first)
}
