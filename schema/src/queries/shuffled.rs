//! The secret order of complaints as a SQL expression: a hash of a salt and the id, equal on both databases.

use crate::db::{MultiBackend, StoreError};
use crate::pseudonyms::Shuffle;
use crate::sql_types::Id;
use crate::tables::complaints;
use data_encoding::HEXLOWER;
use diesel::SqliteConnection;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::prelude::QueryResult;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Binary, Text};
use sha2::{Digest, Sha256};
use uuid::Uuid;

#[diesel::declare_sql_function]
extern "SQL" {
    /// Function of SQLite only; PostgreSQL computes the hash with built-in functions.
    fn phananh_shuffled(salt: Text, id: Binary) -> Text;
}

/// Registers the function with a SQLite connection.
///
/// # Errors
/// If SQLite refuses the function.
pub(crate) fn register_functions(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    Ok(phananh_shuffled_utils::register_impl(conn, |salt: String, id: Vec<u8>| {
        // The column holds valid UUIDs only, so the default is never used.
        hash(&salt, Id(Uuid::from_slice(&id).unwrap_or_default()))
    })?)
}

fn hash(salt: &str, id: Id) -> String {
    HEXLOWER.encode(&Sha256::new().chain_update(salt).chain_update(id.to_string()).finalize())
}

/// The sort key of a complaint in a secret order.
#[derive(Debug, Clone)]
pub struct Shuffled(String);

impl Shuffled {
    pub fn by(shuffle: Shuffle) -> Self {
        Self(shuffle.salt())
    }

    /// The sort key of one complaint, as the database computes it.
    pub fn of(shuffle: Shuffle, id: Id) -> String {
        hash(&shuffle.salt(), id)
    }
}

impl Expression for Shuffled {
    type SqlType = Text;
}

impl AppearsOnTable<complaints::table> for Shuffled {}
impl SelectableExpression<complaints::table> for Shuffled {}

impl ValidGrouping<()> for Shuffled {
    type IsAggregate = is_aggregate::No;
}

impl QueryId for Shuffled {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<MultiBackend> for Shuffled {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        let (before, after) = match pass.backend() {
            MultiBackend::Pg(_) => {
                ("encode(sha256(convert_to(", " || CAST(complaints.id AS text), 'UTF8')), 'hex') COLLATE \"C\"")
            }
            MultiBackend::Sqlite(_) => ("phananh_shuffled(", ", complaints.id)"),
        };
        pass.push_sql(before);
        pass.push_bind_param::<Text, _>(&self.0)?;
        pass.push_sql(after);
        Ok(())
    }
}
