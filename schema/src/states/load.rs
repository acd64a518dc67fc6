//! Loads rows of the tables in the chain of states, in the form in which they are hashed.
//!
//! On both databases the text of a key sorts like the key itself: ids have a fixed length, and texts are collated
//! bytewise.

use super::tables::{StateTable, pair};
use crate::db::readable::{Readable, Unreadable, columns_of};
use crate::db::{Conn, StoreError};
use crate::enums::DeliveryState;
use crate::events::{Fields, fields_of};
use crate::models::{
    Alert, ApiToken, Attachment, ClassifierModel, Delivery, Digest, DigestSubscription, Escalation, Flag,
    FlagAssessment, FlagReview, Job, JobResult, JobRun, Notification, NotificationEndpoint, Principal, ReaderDigest,
    Receipt, RegisterInfo, SavedQuery, SavedQueryVersion, TrustedOperation,
};
use crate::sql_types::Id;
use crate::tables::{
    alerts, api_tokens, attachments, classifier_models, deliveries, digest_subscriptions, digests, escalations,
    flag_assessments, flag_reviews, flags, job_results, job_runs, jobs, notification_endpoints, notifications,
    principals, reader_digests, receipts, register_info, saved_queries, saved_query_versions, trusted_operations,
};
use diesel::prelude::*;
use std::collections::BTreeSet;
use std::str::FromStr;

/// A row as it is hashed.
#[derive(Debug, Clone)]
pub struct Row {
    pub key: String,
    pub fields: Fields,
}

/// The rows to load.
#[derive(Clone, Copy)]
enum Want<'a> {
    Keys(&'a [String]),
    After(Option<&'a str>, i64),
}

/// A row, or its readable columns.
pub type Loaded = Result<Row, Unreadable>;

/// The rows of a table after a key, in the order of their keys.
///
/// # Errors
/// If the table cannot be read. An unreadable row is an item of the result instead.
pub fn rows_after(
    conn: &mut Conn,
    table: StateTable,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Loaded>, StoreError> {
    rows(conn, table, Want::After(after, limit))
}

/// The rows of these keys; missing ones are left out.
///
/// # Errors
/// If the database cannot be read, or a value of a row.
pub(super) fn rows_of(conn: &mut Conn, table: StateTable, keys: &[String]) -> Result<Vec<Row>, StoreError> {
    rows(conn, table, Want::Keys(keys))?.into_iter().map(|row| require_readable(table, row)).collect()
}

/// Fails if a row cannot be read.
///
/// # Errors
/// If the row could not be read; names its column.
pub(super) fn require_readable(table: StateTable, row: Loaded) -> Result<Row, StoreError> {
    row.map_err(|row| {
        let column = row.column.unwrap_or_default();
        StoreError::Rule(format!("{}.{column} cannot be read: {}", table.name(), row.message))
    })
}

/// Loads rows of a table with a key of one column.
macro_rules! single {
    ($conn:expr, $want:expr, $table:ident, $model:ident, $column:ident: $key:ty) => {{
        let query = || $table::table.order($table::$column).select(columns_of!($model));
        let rows: Vec<Readable<$model>> = match $want {
            Want::Keys(keys) => {
                let keys: Vec<$key> = keys.iter().filter_map(|key| part(key)).collect();
                query().filter($table::$column.eq_any(keys)).load($conn)?
            }
            Want::After(None, limit) => query().limit(limit).load($conn)?,
            Want::After(Some(after), limit) => match part::<$key>(after) {
                Some(after) => query().filter($table::$column.gt(after)).limit(limit).load($conn)?,
                None => Vec::new(),
            },
        };
        rows.into_iter().map(|row| row.0.map(|row| (row.$column.to_string(), fields_of(&row)))).collect::<Vec<_>>()
    }};
}

/// Loads rows of a table with a key of two columns, of which `$few` selects few rows.
macro_rules! double {
    ($conn:expr, $want:expr, $table:ident, $model:ident, ($a:ident: $first:ty, $b:ident: $second:ty), $few:ident) => {{
        let query = || $table::table.order(($table::$a, $table::$b)).select(columns_of!($model));
        let parts = |key: &str| -> Option<($first, $second)> {
            let (a, b) = key.split_once(' ')?;
            Some((part(a)?, part(b)?))
        };
        let rows: Vec<Readable<$model>> = match $want {
            Want::Keys(keys) => {
                let mut few = Vec::new();
                for ($a, $b) in keys.iter().filter_map(|key| parts(key)) {
                    let _other_column = (&$a, &$b);
                    few.push($few);
                }
                few.sort_unstable();
                few.dedup();
                query().filter($table::$few.eq_any(few)).load($conn)?
            }
            Want::After(None, limit) => query().limit(limit).load($conn)?,
            Want::After(Some(after), limit) => match parts(after) {
                Some((a, b)) => query()
                    .filter($table::$a.gt(a).or($table::$a.eq(a).and($table::$b.gt(b))))
                    .limit(limit)
                    .load($conn)?,
                None => Vec::new(),
            },
        };
        rows.into_iter().map(|row| row.0.map(|row| (pair(&row.$a, &row.$b), fields_of(&row)))).collect::<Vec<_>>()
    }};
}

fn part<K: FromStr>(text: &str) -> Option<K> {
    text.parse().ok()
}

fn rows(conn: &mut Conn, table: StateTable, want: Want<'_>) -> Result<Vec<Loaded>, StoreError> {
    let found = match table {
        StateTable::RegisterInfo => single!(conn, want, register_info, RegisterInfo, key: String),
        StateTable::Principals => single!(conn, want, principals, Principal, id: Id),
        StateTable::ApiTokens => single!(conn, want, api_tokens, ApiToken, id: Id),
        StateTable::TrustedOperations => {
            double!(conn, want, trusted_operations, TrustedOperation, (principal_id: Id, signature: String), principal_id)
        }
        StateTable::Jobs => single!(conn, want, jobs, Job, job: String),
        StateTable::JobRuns => single!(conn, want, job_runs, JobRun, id: Id),
        StateTable::JobResults => double!(conn, want, job_results, JobResult, (run_id: Id, name: String), run_id),
        StateTable::Escalations => {
            double!(conn, want, escalations, Escalation, (complaint_id: Id, level: i32), complaint_id)
        }
        StateTable::Receipts => single!(conn, want, receipts, Receipt, complaint_id: Id),
        StateTable::Attachments => {
            double!(conn, want, attachments, Attachment, (complaint_id: Id, id: Id), complaint_id)
        }
        StateTable::Flags => single!(conn, want, flags, Flag, id: Id),
        StateTable::FlagAssessments => {
            double!(conn, want, flag_assessments, FlagAssessment, (flag_id: Id, run_id: Id), run_id)
        }
        StateTable::FlagReviews => single!(conn, want, flag_reviews, FlagReview, id: Id),
        StateTable::Digests => single!(conn, want, digests, Digest, id: Id),
        StateTable::DigestSubscriptions => single!(conn, want, digest_subscriptions, DigestSubscription, id: Id),
        StateTable::Deliveries => {
            double!(conn, want, deliveries, Delivery, (digest_id: Id, subscription_id: Id), digest_id)
        }
        StateTable::ReaderDigests => single!(conn, want, reader_digests, ReaderDigest, id: Id),
        StateTable::ClassifierModels => single!(conn, want, classifier_models, ClassifierModel, id: Id),
        StateTable::SavedQueries => single!(conn, want, saved_queries, SavedQuery, id: Id),
        StateTable::SavedQueryVersions => single!(conn, want, saved_query_versions, SavedQueryVersion, id: Id),
        StateTable::NotificationEndpoints => {
            single!(conn, want, notification_endpoints, NotificationEndpoint, id: Id)
        }
        StateTable::Notifications => single!(conn, want, notifications, Notification, id: Id),
        StateTable::Alerts => single!(conn, want, alerts, Alert, id: Id),
    };
    let wanted: Option<BTreeSet<&str>> = match want {
        Want::Keys(keys) => Some(keys.iter().map(String::as_str).collect()),
        Want::After(..) => None,
    };
    let is_wanted = |row: &Result<(String, Fields), Unreadable>| match (row, &wanted) {
        (Ok((key, _)), Some(keys)) => keys.contains(key.as_str()),
        _ => true,
    };
    let rows = found.into_iter().filter(is_wanted);
    Ok(rows.map(|row| row.map(|(key, fields)| without_volatile(table, key, fields))).collect())
}

/// Drops the volatile columns.
fn without_volatile(table: StateTable, key: String, mut fields: Fields) -> Row {
    fields.retain(|column, _| !table.volatile().contains(&column.as_str()));
    Row { key, fields }
}

/// The columns of a row that earlier versions hashed; None if they are the same.
pub fn earlier_form(table: StateTable, fields: &Fields) -> Option<Fields> {
    if table != StateTable::Deliveries {
        return None;
    }
    let mut fields = fields.clone();
    fields.remove("next_attempt_at");
    if fields.get("state").is_some_and(|state| state == DeliveryState::Pending.as_str()) {
        fields.remove("attempts");
        fields.remove("error");
    }
    Some(fields)
}
