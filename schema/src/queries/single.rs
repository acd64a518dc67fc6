//! Single rows, by their id, code or name.

use super::keyset::Pred;
use crate::db::{Conn, MultiBackend, StoreError};
use crate::models::{
    Alert, Complaint, Digest, Enterprise, Flag, GuidanceDocument, JobRun, Measure, Officer, Principal, Proposal, Unit,
    UnitResponse,
};
use crate::sql_types::Id;
use crate::tables::{
    alerts, complaints, digests, enterprises, flags, guidance_documents, job_runs, measures, officers, principals,
    proposals, unit_responses, units,
};
use diesel::prelude::*;

/// Defines a function that reads the row with a unique key; None if there is none.
macro_rules! row_by {
    ($(#[$doc:meta])* $function:ident($key:ident: $type:ty), $table:ident, $model:ident) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// If the database cannot be read.
        pub fn $function(conn: &mut Conn, $key: $type) -> Result<Option<$model>, StoreError> {
            Ok($table::table.filter($table::$key.eq($key)).select($model::as_select()).first(conn).optional()?)
        }
    };
}

/// Defines a function that reads the row with a unique key, if it meets some conditions, such as that of a row scope.
macro_rules! row_by_where {
    ($(#[$doc:meta])* $function:ident($key:ident: $type:ty), $table:ident, $model:ident) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// If the database cannot be read.
        pub fn $function(
            conn: &mut Conn,
            $key: $type,
            conditions: impl IntoIterator<Item = Pred<$table::table>>,
        ) -> Result<Option<$model>, StoreError> {
            let mut query = $table::table.into_boxed::<MultiBackend>().filter($table::$key.eq($key).nullable());
            for condition in conditions {
                query = query.filter(condition);
            }
            Ok(query.select($model::as_select()).first(conn).optional()?)
        }
    };
}

row_by_where!(
    /// The complaint with an id, if it meets the conditions.
    complaint_by_id(id: Id), complaints, Complaint
);
row_by_where!(
    /// The officer with an id, if it meets the conditions.
    officer_by_id(id: Id), officers, Officer
);
row_by_where!(
    /// The officer with a code, if it meets the conditions.
    officer_by_code(code: &str), officers, Officer
);
row_by_where!(
    /// The enterprise with an id, if it meets the conditions.
    enterprise_by_id(id: Id), enterprises, Enterprise
);
row_by_where!(
    /// The flag with an id, if it meets the conditions.
    flag_by_id(id: Id), flags, Flag
);
row_by_where!(
    /// The guidance document with an id, if it meets the conditions.
    guidance_document_by_id(id: Id), guidance_documents, GuidanceDocument
);
row_by_where!(
    /// The measure with an id, if it meets the conditions.
    measure_by_id(id: Id), measures, Measure
);
row_by_where!(
    /// The alert with an id, if it meets the conditions.
    alert_by_id(id: Id), alerts, Alert
);
row_by_where!(
    /// The digest with an id, if it meets the conditions.
    digest_by_id(id: Id), digests, Digest
);
row_by!(
    /// The unit with an id.
    unit_by_id(id: Id), units, Unit
);
row_by!(
    /// The unit with a code.
    unit_by_code(code: &str), units, Unit
);
row_by!(
    /// The response with an id.
    unit_response_by_id(id: Id), unit_responses, UnitResponse
);
row_by!(
    /// The proposal with an id.
    proposal_by_id(id: Id), proposals, Proposal
);
row_by!(
    /// The run of a job with an id.
    job_run_by_id(id: Id), job_runs, JobRun
);
row_by!(
    /// The principal with an id.
    principal_by_id(id: Id), principals, Principal
);
row_by!(
    /// The principal with a name.
    principal_by_name(name: &str), principals, Principal
);
