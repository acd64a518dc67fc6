//! Queries of the classifier: what it learns from, what it has not seen yet, and what it suggests.

use super::in_select::in_select;
use super::keyset::{Direction, Key, ListOrder, Pred, Slice, SortExpr, Window, define_list};
use super::limited::{Limited, UpTo};
use super::not_true::not_true;
use crate::db::cancellation::phananh_not_cancelled;
use crate::db::dialect::KEYS_PER_QUERY;
use crate::db::{Backend, Conn, MultiBackend, StoreError};
use crate::domain::calendar::start_of_day;
use crate::enums::ComplaintState;
use crate::models::{CategorySuggestion, Classification, ClassifierModel, ClassifierWeights};
use crate::sql_types::{Id, Timestamp};
use crate::tables::{
    category_suggestions, classifications, classifier_models, classifier_weights, complaint_links, complaints,
    issue_categories,
};
use chrono::NaiveDate;
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use std::collections::HashMap;

define_list! {
    classifications, Classification,
    /// Orders of classifications.
    ClassificationSort {
        Margin: Double = classifications::margin, |row| Key::Double(row.margin);
    }
    unique: Id = classifications::complaint_id, |row| Key::Id(row.complaint_id);
}

/// The states of complaints whose category a person has confirmed.
const CONFIRMED: [ComplaintState; 4] =
    [ComplaintState::Classified, ComplaintState::Assigned, ComplaintState::Answered, ComplaintState::Closed];

/// Complaints that wait for a classification. A literal, because an index serves this condition alone.
fn is_received() -> SqlLiteral<Bool> {
    sql("complaints.state = 'RECEIVED'")
}

/// The classifications of complaints that wait for a person and meet a condition.
pub fn waiting_classifications(selected: Option<Pred<complaints::table>>) -> Pred<classifications::table> {
    let mut rows = complaints::table.into_boxed::<MultiBackend>().filter(is_received().nullable());
    if let Some(selected) = selected {
        rows = rows.filter(selected);
    }
    Box::new(in_select(classifications::complaint_id, rows.select(complaints::id)))
}

/// A complaint with a text that waits for a suggestion.
#[derive(Debug, Clone, Queryable)]
pub struct Unclassified {
    pub id: Id,
    pub version: i32,
    pub text: String,
}

/// Complaints in the state RECEIVED with a text that this classifier has not read in their present version, by id.
///
/// # Errors
/// If the database cannot be read.
pub fn unclassified(conn: &mut Conn, classifier: &str, limit: i64) -> Result<Vec<Unclassified>, StoreError> {
    let own = classifications::complaint_id
        .eq(complaints::id)
        .and(classifications::complaint_version.eq(complaints::version))
        .and(classifications::classifier.eq(classifier));
    Ok(complaints::table
        .left_join(classifications::table.on(own))
        .filter(is_received())
        .filter(complaints::text.is_not_null())
        .filter(classifications::complaint_id.nullable().is_null())
        .order(complaints::id)
        .limit(limit)
        .select((complaints::id, complaints::version, complaints::text.assume_not_null()))
        .load(conn)?)
}

/// Ids and categories of the complaints received up to a day that a person classified, by id.
///
/// A submission may name a category, but a complaint leaves the state RECEIVED for these states only when a person
/// classifies it, here or in the register from which it was imported.
///
/// # Errors
/// If the database cannot be read.
pub fn confirmed_categories(conn: &mut Conn, as_of: NaiveDate) -> Result<Vec<(Id, Id)>, StoreError> {
    let end = start_of_day(as_of.succ_opt().unwrap_or(as_of));
    Ok(complaints::table
        .filter(complaints::state.eq_any(CONFIRMED))
        .filter(complaints::category_id.is_not_null())
        .filter(complaints::text.is_not_null())
        .filter(complaints::received_at.lt(end))
        .order(complaints::id)
        .select((complaints::id, complaints::category_id.assume_not_null()))
        .load(conn)?)
}

/// The texts of complaints.
///
/// # Errors
/// If the database cannot be read.
pub fn texts_of(conn: &mut Conn, complaints: &[Id]) -> Result<HashMap<Id, String>, StoreError> {
    let mut found = HashMap::with_capacity(complaints.len());
    for chunk in complaints.chunks(KEYS_PER_QUERY) {
        let rows: Vec<(Id, String)> = complaints::table
            .filter(complaints::id.eq_any(chunk))
            .filter(complaints::text.is_not_null())
            .select((complaints::id, complaints::text.assume_not_null()))
            .load(conn)?;
        found.extend(rows);
    }
    Ok(found)
}

/// The texts of the complaints that a condition selects, with their enterprises and times of receipt, at most `limit`. A
/// complaint that is linked to another one as its duplicate is left out.
///
/// # Errors
/// If the database cannot be read.
pub fn texts_where(
    conn: &mut Conn,
    condition: Option<Pred<complaints::table>>,
    limit: i64,
) -> Result<Vec<(String, Option<Id>, Timestamp)>, StoreError> {
    let links = complaint_links::table.select(complaint_links::complaint_id);
    let linked: Pred<complaints::table> = Box::new(in_select(complaints::id, links));
    let counted: Pred<complaints::table> = Box::new(not_true(linked));
    let mut query = complaints::table.into_boxed::<MultiBackend>().filter(complaints::text.is_not_null().nullable());
    query = query.filter(counted);
    // Checked for each row: a scan of all texts stops at the deadline.
    if conn.backend() == Backend::Sqlite {
        query = query.filter(phananh_not_cancelled().nullable());
    }
    if let Some(condition) = condition {
        query = query.filter(condition);
    }
    let query = query.select((complaints::text.assume_not_null(), complaints::enterprise_id, complaints::received_at));
    Ok(Limited(query, limit).load(conn)?)
}

/// Ids of categories by code.
///
/// # Errors
/// If the database cannot be read.
pub fn category_ids_by_code(conn: &mut Conn) -> Result<HashMap<String, Id>, StoreError> {
    let rows: Vec<(String, Id)> =
        issue_categories::table.select((issue_categories::code, issue_categories::id)).load(conn)?;
    Ok(rows.into_iter().collect())
}

/// The versions of the classifier, the newest first.
///
/// # Errors
/// If the database cannot be read.
pub fn classifier_versions(conn: &mut Conn) -> Result<Vec<ClassifierModel>, StoreError> {
    Ok(classifier_models::table
        .order(classifier_models::version.desc())
        .select(ClassifierModel::as_select())
        .load(conn)?)
}

/// The newest version of the classifier.
///
/// # Errors
/// If the database cannot be read.
pub fn newest_classifier(conn: &mut Conn) -> Result<Option<ClassifierModel>, StoreError> {
    Ok(classifier_models::table
        .order(classifier_models::version.desc())
        .select(ClassifierModel::as_select())
        .first(conn)
        .optional()?)
}

/// The weights of a version of the classifier.
///
/// # Errors
/// If the database cannot be read.
pub fn weights_of(conn: &mut Conn, model: Id) -> Result<Option<ClassifierWeights>, StoreError> {
    Ok(classifier_weights::table.find(model).select(ClassifierWeights::as_select()).first(conn).optional()?)
}

/// The classifier's last results for complaints, with the suggested categories by rank; complaints that no classifier
/// has read are left out.
///
/// # Errors
/// If the database cannot be read.
pub fn suggestions_of(
    conn: &mut Conn,
    complaints: &[Id],
) -> Result<HashMap<Id, (Classification, Vec<CategorySuggestion>)>, StoreError> {
    let mut found = HashMap::with_capacity(complaints.len());
    for chunk in complaints.chunks(KEYS_PER_QUERY) {
        let rows: Vec<Classification> = classifications::table
            .filter(classifications::complaint_id.eq_any(chunk))
            .select(Classification::as_select())
            .load(conn)?;
        found.extend(rows.into_iter().map(|row| (row.complaint_id, (row, Vec::new()))));
        let rows: Vec<CategorySuggestion> = category_suggestions::table
            .filter(category_suggestions::complaint_id.eq_any(chunk))
            .order((category_suggestions::complaint_id, category_suggestions::rank))
            .select(CategorySuggestion::as_select())
            .load(conn)?;
        for row in rows {
            if let Some((_, suggestions)) = found.get_mut(&row.complaint_id) {
                suggestions.push(row);
            }
        }
    }
    Ok(found)
}
