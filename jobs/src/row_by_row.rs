//! Queries whose rows are not held in memory together.

/// Runs a body for each row of a query, holding one row in memory at a time.
macro_rules! for_each {
    ($conn:expr, $query:expr, $row:ty, |$one:ident| $body:expr) => {
        match $conn {
            Conn::Pg(conn) => {
                for row in $query.load_iter::<$row, PgRowByRowLoadingMode>(conn)? {
                    let $one = row?;
                    $body;
                }
            }
            Conn::Sqlite(conn) => {
                for row in $query.load_iter::<$row, DefaultLoadingMode>(conn)? {
                    let $one = row?;
                    $body;
                }
            }
        }
    };
}
pub(crate) use for_each;
