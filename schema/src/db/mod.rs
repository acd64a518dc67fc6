//! Gives one connection type and one pool for both databases. Differences are in [`dialect`]; the rest is written once.

mod backup;
pub mod cancellation;
mod connection;
mod deferred;
pub mod dialect;
mod error;
mod import_lock;
pub mod indexes;
mod listen;
mod migrations;
mod pool;
pub(crate) mod readable;
mod replica;
pub(crate) mod search_index;
pub mod search_text;
mod shared_snapshot;
mod storage;
mod target;
mod write;

pub use backup::{Backup, restore};
pub use connection::{Backend, Conn, MultiBackend};
pub(crate) use deferred::defer;
pub use error::StoreError;
pub use import_lock::ImportLock;
pub(crate) use migrations::DataMigration;
pub use migrations::{MigrationReport, MigrationStatus, embedded_migrations};
pub use pool::{Db, ReadSession, StatementCount};
pub use replica::{LagBounds, Replica, ReplicaState, ReplicaStatus, Unfit};
pub use shared_snapshot::SharedSnapshot;
pub use write::{Committed, WriteTx};

/// Evaluates one body for either database, with the concrete connection under the given name: batch inserts and
/// ON CONFLICT do not compile over the multi connection.
#[macro_export]
macro_rules! each {
    ($conn:expr, $c:ident => $body:expr) => {
        match $conn {
            $crate::db::Conn::Pg($c) => $body,
            $crate::db::Conn::Sqlite($c) => $body,
        }
    };
}

/// Calls a macro with names for type parameters, once for each number of columns that a table may have: diesel has
/// tables of up to 32 columns. `T` is not among the names, so that the macro may have it for itself.
macro_rules! for_each_width {
    ($call:ident) => {
        $crate::db::for_each_width!(
            $call: A B C D E F G H I J K L M N O P Q R S U V W X Y Z AA AB AC AD AE AF AG
        );
    };
    ($call:ident: $last:ident) => {
        $call!($last);
    };
    ($call:ident: $first:ident $($rest:ident)+) => {
        $call!($first $($rest)+);
        $crate::db::for_each_width!($call: $($rest)+);
    };
}
pub(crate) use for_each_width;

/// Inserts rows, given as references, into a table. Many at once go by COPY on PostgreSQL, which is faster than INSERT
/// and has no limit on parameters; the rows need `treat_none_as_default_value = false`. On SQLite rows are inserted
/// one by one, because a prepared statement is cheaper than parsing a long one.
#[macro_export]
macro_rules! insert_all {
    ($conn:expr, $table:expr, $rows:expr) => {
        match $conn {
            $crate::db::Conn::Pg(c) => {
                let rows: Vec<_> = $rows.collect();
                if rows.len() >= $crate::db::dialect::ROWS_TO_COPY {
                    diesel::ExecuteCopyFromDsl::execute(diesel::copy_from($table).from_insertable(rows), c)?;
                } else if !rows.is_empty() {
                    diesel::insert_into($table).values(rows).execute(c)?;
                }
            }
            $crate::db::Conn::Sqlite(c) => {
                for row in $rows {
                    diesel::insert_into($table).values(row).execute(c)?;
                }
            }
        }
    };
}
