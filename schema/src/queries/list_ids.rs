//! The ids of whole lists, for orders by what no column holds.

use super::keyset::Pred;
use crate::db::{Conn, MultiBackend, StoreError};
use crate::sql_types::Id;
use crate::tables::{enterprises, issue_categories, officers, units};
use diesel::prelude::*;

/// Defines a function that reads the ids of a whole list, for an order by what no column holds.
macro_rules! ids_of_list {
    ($(#[$doc:meta])* $function:ident, $table:ident by $column:ident) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// If the database cannot be read.
        pub fn $function(conn: &mut Conn, condition: Option<Pred<$table::table>>) -> Result<Vec<Id>, StoreError> {
            let mut query = $table::table.into_boxed::<MultiBackend>();
            if let Some(condition) = condition {
                query = query.filter(condition);
            }
            Ok(query.order($table::$column).select($table::id).load::<Id>(conn)?)
        }
    };
}

ids_of_list!(
    /// The ids of the units that meet a condition, by code.
    unit_ids, units by code
);
ids_of_list!(
    /// The ids of the officers that meet a condition, by code.
    officer_ids, officers by code
);
ids_of_list!(
    /// The ids of the enterprises that meet a condition, by tax code.
    enterprise_ids, enterprises by tax_code
);
ids_of_list!(
    /// The ids of the categories that meet a condition, by code.
    category_ids, issue_categories by code
);
