//! Searches: whether a text contains another, ignoring case and diacritics. On SQLite the index of trigrams first says
//! which texts may contain it ([`crate::db::search_index`]); PostgreSQL uses its index by itself.

use super::keyset::{ListOrder, Pred};
use crate::db::search_index::Indexed;
use crate::db::search_text::{anywhere, phananh_plain, trigrams};
use crate::db::{Conn, MultiBackend, StoreError};
use crate::tables::{complaints, enterprises};
use diesel::dsl::sql;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Bool, Nullable, Text};
use std::cell::RefCell;

/// The most candidates for which a page uses the index. With more of them SQLite fills a page sooner by reading the
/// list in its order.
const MOST_CANDIDATES: u32 = 10_000;

/// The same for a count up to a number, which takes more rows than a page. SQLite first collects all candidates.
const MOST_CANDIDATES_OF_COUNT: u32 = 40_000;

/// A query of trigrams to the index.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Lookup {
    texts: Indexed,
    trigrams: String,
}

/// Use of SQLite's index by a condition that this thread builds.
enum Planning {
    /// The condition does not use the index.
    Off,
    /// First run of `build`: collects the queries to the index that the condition could use.
    Collects(Vec<Lookup>),
    /// Second run of `build`: uses these queries.
    Takes(Vec<Lookup>),
}

thread_local! {
    static PLANNING: RefCell<Planning> = const { RefCell::new(Planning::Off) };
}

/// The purpose of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The first rows of a list.
    Page,
    /// All rows.
    Count,
    /// The number of rows, up to a limit.
    CountUpTo,
}

impl Purpose {
    /// The most candidates for which it uses the index; None if it always does.
    fn most_candidates(self) -> Option<u32> {
        match self {
            Self::Page => Some(MOST_CANDIDATES),
            Self::Count => None,
            Self::CountUpTo => Some(MOST_CANDIDATES_OF_COUNT),
        }
    }
}

/// Builds a condition that uses the index on SQLite where that is faster. A condition that is built otherwise selects
/// the same rows without the index.
///
/// Only with a connection can one tell, and filters build their conditions without: so `build` runs twice, first to
/// tell what it would look up.
///
/// # Errors
/// The error of `build`; or if the database cannot be read.
pub fn with_search_index<T>(
    conn: &mut Conn,
    purpose: Purpose,
    build: impl Fn() -> Result<Option<Pred<T>>, StoreError>,
) -> Result<Option<Pred<T>>, StoreError> {
    planned(conn, purpose, build).map(|(condition, _)| condition)
}

/// The same, and whether the condition searches a text that has an index, on either database.
fn planned<T>(
    conn: &mut Conn,
    purpose: Purpose,
    build: impl Fn() -> Result<Option<Pred<T>>, StoreError>,
) -> Result<(Option<Pred<T>>, bool), StoreError> {
    PLANNING.set(Planning::Collects(Vec::new()));
    let without = build();
    let Planning::Collects(mut lookups) = PLANNING.replace(Planning::Off) else { return Ok((without?, false)) };
    let (without, searches) = (without?, !lookups.is_empty());
    let Conn::Sqlite(c) = conn else { return Ok((without, searches)) };
    if let Some(most) = purpose.most_candidates() {
        let mut rare = Vec::with_capacity(lookups.len());
        for lookup in lookups {
            if lookup.has_at_most(most, c)? {
                rare.push(lookup);
            }
        }
        lookups = rare;
    }
    if lookups.is_empty() {
        return Ok((without, searches));
    }
    PLANNING.set(Planning::Takes(lookups));
    let with = build();
    PLANNING.set(Planning::Off);
    Ok((with?, searches))
}

/// Counts the rows of a list that a condition selects, up to a number of them. The condition may be built several
/// times.
///
/// # Errors
/// The error of `build`; or if the database cannot be read.
pub fn count_up_to<S: ListOrder>(
    conn: &mut Conn,
    most: i64,
    build: impl Fn() -> Result<Option<Pred<S::Table>>, StoreError>,
) -> Result<i64, StoreError> {
    let (condition, searches) = planned(conn, Purpose::CountUpTo, build)?;
    S::count_up_to(conn, condition, most, searches)
}

impl Lookup {
    /// Whether at most this many texts have the trigrams.
    fn has_at_most(&self, most: u32, c: &mut SqliteConnection) -> Result<bool, StoreError> {
        let (before, after) = self.texts.has_more_than(most);
        let common = sql::<Bool>(&before).bind::<Text, _>(&self.trigrams).sql(&after);
        let is_common: bool = diesel::select(common).get_result(c)?;
        Ok(!is_common)
    }
}

/// Whether a text contains another.
pub struct Search<T> {
    contains: Pred<T>,
    lookup: Option<Lookup>,
}

/// Whether the text of a complaint contains a text.
pub fn text_contains(text: &str) -> Search<complaints::table> {
    let contains: Pred<complaints::table> = Box::new(phananh_plain(complaints::text).like(anywhere(text)).escape('\\'));
    Search::new(Indexed::ComplaintTexts, text, contains)
}

/// Whether the name of an enterprise contains a text.
pub fn name_contains(text: &str) -> Search<enterprises::table> {
    let contains: Pred<enterprises::table> =
        Box::new(phananh_plain(enterprises::name).like(anywhere(text)).escape('\\'));
    Search::new(Indexed::EnterpriseNames, text, contains)
}

impl<T> Search<T> {
    fn new(texts: Indexed, text: &str, contains: Pred<T>) -> Self {
        let lookup = trigrams(text).map(|trigrams| Lookup { texts, trigrams });
        let lookup = lookup.filter(|lookup| {
            PLANNING.with_borrow_mut(|planning| match planning {
                Planning::Off => false,
                Planning::Collects(lookups) => {
                    lookups.push(lookup.clone());
                    false
                }
                Planning::Takes(lookups) => lookups.contains(lookup),
            })
        });
        Self { contains, lookup }
    }
}

impl<T> Expression for Search<T> {
    type SqlType = Nullable<Bool>;
}

impl<T> AppearsOnTable<T> for Search<T> {}
impl<T> SelectableExpression<T> for Search<T> {}

impl<T> ValidGrouping<()> for Search<T> {
    type IsAggregate = is_aggregate::No;
}

impl<T> QueryId for Search<T> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T> QueryFragment<MultiBackend> for Search<T> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        let is_sqlite = matches!(pass.backend(), MultiBackend::Sqlite(_));
        if let Some(lookup) = self.lookup.as_ref().filter(|_| is_sqlite) {
            pass.push_sql("(");
            pass.push_sql(&lookup.texts.candidates());
            pass.push_bind_param::<Text, _>(&lookup.trigrams)?;
            pass.push_sql(") AND ");
            self.contains.walk_ast(pass.reborrow())?;
            pass.push_sql(")");
            return Ok(());
        }
        self.contains.walk_ast(pass)
    }
}
