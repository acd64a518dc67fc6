//! Batched loads of the children of a page: one statement for each kind (and chunk of ids), not one for each row.

use super::keyset::{Direction, Limited, Pred, Slice, Window};
use super::lists::ResponseSort;
use super::registered::of_a_register;
use crate::db::{Conn, MultiBackend, StoreError, dialect::KEYS_PER_QUERY};
use crate::enums::{CategoryKind, Finding};
use crate::models::{
    ApiToken, ComplaintMatter, ComplaintOfficer, ComplaintSource, Delivery, DigestSubscription, Enterprise, Flag,
    FlagAssessment, FlagReview, IssueCategory, JobRun, Officer, Posting, Redaction, Unit, UnitParent, UnitResponse,
};
use crate::register::reference::Stored;
use crate::sql_types::Id;
use crate::tables::{
    api_tokens, complaint_matters, complaint_officers, complaint_sources, deliveries, digest_subscriptions,
    flag_assessments, flag_reviews, flags, issue_categories, job_runs, postings, redactions, unit_parents,
    unit_responses,
};
use chrono::NaiveDate;
use diesel::prelude::*;
use std::collections::HashMap;

/// The units with some ids.
///
/// # Errors
/// If the database cannot be read.
pub fn units_by_id(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, Unit>, StoreError> {
    Unit::load(conn, ids)
}

/// The officers with some ids.
///
/// # Errors
/// If the database cannot be read.
pub fn officers_by_id(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, Officer>, StoreError> {
    Officer::load(conn, ids)
}

/// The enterprises with some ids.
///
/// # Errors
/// If the database cannot be read.
pub fn enterprises_by_id(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, Enterprise>, StoreError> {
    Enterprise::load(conn, ids)
}

/// The categories with some ids.
///
/// # Errors
/// If the database cannot be read.
pub fn categories_by_id(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, IssueCategory>, StoreError> {
    IssueCategory::load(conn, ids)
}

/// The allegations of complaints, in the order of (officer, ordinal).
///
/// # Errors
/// If the database cannot be read.
pub fn allegations_of(conn: &mut Conn, complaints: &[Id]) -> Result<HashMap<Id, Vec<ComplaintOfficer>>, StoreError> {
    let mut found: HashMap<Id, Vec<ComplaintOfficer>> = HashMap::new();
    for chunk in complaints.chunks(KEYS_PER_QUERY) {
        let rows: Vec<ComplaintOfficer> = complaint_officers::table
            .filter(complaint_officers::complaint_id.eq_any(chunk))
            .order((complaint_officers::complaint_id, complaint_officers::officer_id, complaint_officers::ordinal))
            .select(ComplaintOfficer::as_select())
            .load(conn)?;
        for row in rows {
            found.entry(row.complaint_id).or_default().push(row);
        }
    }
    Ok(found)
}

/// The allegations of complaints against no named officer, if a complaint has several.
///
/// # Errors
/// If the database cannot be read.
pub fn matters_of(conn: &mut Conn, complaints: &[Id]) -> Result<HashMap<Id, Vec<ComplaintMatter>>, StoreError> {
    let mut found: HashMap<Id, Vec<ComplaintMatter>> = HashMap::new();
    for chunk in complaints.chunks(KEYS_PER_QUERY) {
        let rows: Vec<ComplaintMatter> = complaint_matters::table
            .filter(complaint_matters::complaint_id.eq_any(chunk))
            .order((complaint_matters::complaint_id, complaint_matters::ordinal))
            .select(ComplaintMatter::as_select())
            .load(conn)?;
        for row in rows {
            found.entry(row.complaint_id).or_default().push(row);
        }
    }
    Ok(found)
}

/// The references of complaints in imported registers, in the order of (source, reference).
///
/// # Errors
/// If the database cannot be read.
pub fn sources_of(conn: &mut Conn, complaints: &[Id]) -> Result<HashMap<Id, Vec<ComplaintSource>>, StoreError> {
    let mut found: HashMap<Id, Vec<ComplaintSource>> = HashMap::new();
    for chunk in complaints.chunks(KEYS_PER_QUERY) {
        let rows: Vec<ComplaintSource> = complaint_sources::table
            .filter(complaint_sources::complaint_id.eq_any(chunk))
            .filter(of_a_register())
            .order((complaint_sources::source, complaint_sources::reference))
            .select(ComplaintSource::as_select())
            .load(conn)?;
        for row in rows {
            found.entry(row.complaint_id).or_default().push(row);
        }
    }
    Ok(found)
}

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

/// The parents of units over time, oldest first.
///
/// # Errors
/// If the database cannot be read.
pub fn parents_of(conn: &mut Conn, units: &[Id]) -> Result<HashMap<Id, Vec<UnitParent>>, StoreError> {
    let mut found: HashMap<Id, Vec<UnitParent>> = HashMap::new();
    for chunk in units.chunks(KEYS_PER_QUERY) {
        let rows: Vec<UnitParent> = unit_parents::table
            .filter(unit_parents::unit_id.eq_any(chunk))
            .order((unit_parents::unit_id, unit_parents::valid_from))
            .select(UnitParent::as_select())
            .load(conn)?;
        for row in rows {
            found.entry(row.unit_id).or_default().push(row);
        }
    }
    Ok(found)
}

/// The postings of officers, oldest first.
///
/// # Errors
/// If the database cannot be read.
pub fn postings_of(conn: &mut Conn, officers: &[Id]) -> Result<HashMap<Id, Vec<Posting>>, StoreError> {
    let mut found: HashMap<Id, Vec<Posting>> = HashMap::new();
    for chunk in officers.chunks(KEYS_PER_QUERY) {
        let rows: Vec<Posting> = postings::table
            .filter(postings::officer_id.eq_any(chunk))
            .order((postings::officer_id, postings::valid_from, postings::unit_id))
            .select(Posting::as_select())
            .load(conn)?;
        for row in rows {
            found.entry(row.officer_id).or_default().push(row);
        }
    }
    Ok(found)
}

/// The assessment of each flag by the last run that flagged its subject.
///
/// # Errors
/// If the database cannot be read.
pub fn assessments_of(conn: &mut Conn, flag_ids: &[Id]) -> Result<HashMap<Id, FlagAssessment>, StoreError> {
    let mut found = HashMap::new();
    for chunk in flag_ids.chunks(KEYS_PER_QUERY) {
        let rows: Vec<FlagAssessment> = flag_assessments::table
            .inner_join(
                flags::table
                    .on(flags::id.eq(flag_assessments::flag_id).and(flags::run_id.eq(flag_assessments::run_id))),
            )
            .filter(flag_assessments::flag_id.eq_any(chunk))
            .select(FlagAssessment::as_select())
            .load(conn)?;
        found.extend(rows.into_iter().map(|row| (row.flag_id, row)));
    }
    Ok(found)
}

/// The flags with some ids.
///
/// # Errors
/// If the database cannot be read.
pub fn flags_by_id(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, Flag>, StoreError> {
    let rows: Vec<Flag> = flags::table.filter(flags::id.eq_any(ids)).select(Flag::as_select()).load(conn)?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// The reviews of flags, oldest first.
///
/// # Errors
/// If the database cannot be read.
pub fn reviews_of(conn: &mut Conn, flag_ids: &[Id]) -> Result<HashMap<Id, Vec<FlagReview>>, StoreError> {
    let rows: Vec<FlagReview> = flag_reviews::table
        .filter(flag_reviews::flag_id.eq_any(flag_ids))
        .order((flag_reviews::reviewed_at, flag_reviews::id))
        .select(FlagReview::as_select())
        .load(conn)?;
    let mut found: HashMap<Id, Vec<FlagReview>> = HashMap::new();
    for row in rows {
        found.entry(row.flag_id).or_default().push(row);
    }
    Ok(found)
}

/// The redacted texts of confidential complaints.
///
/// # Errors
/// If the database cannot be read.
pub fn redactions_of(conn: &mut Conn, complaints: &[Id]) -> Result<HashMap<Id, Redaction>, StoreError> {
    let mut found = HashMap::new();
    for chunk in complaints.chunks(KEYS_PER_QUERY) {
        let rows: Vec<Redaction> = redactions::table
            .filter(redactions::complaint_id.eq_any(chunk))
            .select(Redaction::as_select())
            .load(conn)?;
        found.extend(rows.into_iter().map(|row| (row.complaint_id, row)));
    }
    Ok(found)
}

/// The tokens of principals, oldest first.
///
/// # Errors
/// If the database cannot be read.
pub fn tokens_of(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, Vec<ApiToken>>, StoreError> {
    let mut found: HashMap<Id, Vec<ApiToken>> = HashMap::new();
    for chunk in ids.chunks(KEYS_PER_QUERY) {
        let rows: Vec<ApiToken> = api_tokens::table
            .filter(api_tokens::principal_id.eq_any(chunk))
            .order((api_tokens::created_at, api_tokens::id))
            .select(ApiToken::as_select())
            .load(conn)?;
        for row in rows {
            found.entry(row.principal_id).or_default().push(row);
        }
    }
    Ok(found)
}

/// The runs of jobs with some ids.
///
/// # Errors
/// If the database cannot be read.
pub fn job_runs_by_id(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, JobRun>, StoreError> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(KEYS_PER_QUERY) {
        let rows: Vec<JobRun> =
            job_runs::table.filter(job_runs::id.eq_any(chunk)).select(JobRun::as_select()).load(conn)?;
        found.extend(rows.into_iter().map(|row| (row.id, row)));
    }
    Ok(found)
}

/// The deliveries of digests, with their recipients.
///
/// # Errors
/// If the database cannot be read.
pub fn deliveries_of(
    conn: &mut Conn,
    ids: &[Id],
) -> Result<HashMap<Id, Vec<(Delivery, DigestSubscription)>>, StoreError> {
    let mut found: HashMap<Id, Vec<(Delivery, DigestSubscription)>> = HashMap::new();
    for chunk in ids.chunks(KEYS_PER_QUERY) {
        let rows: Vec<(Delivery, DigestSubscription)> = deliveries::table
            .inner_join(digest_subscriptions::table.on(digest_subscriptions::id.eq(deliveries::subscription_id)))
            .filter(deliveries::digest_id.eq_any(chunk))
            .order((digest_subscriptions::channel, digest_subscriptions::address))
            .select((Delivery::as_select(), DigestSubscription::as_select()))
            .load(conn)?;
        for row in rows {
            found.entry(row.0.digest_id).or_default().push(row);
        }
    }
    Ok(found)
}

/// For each officer, the complaints that name the officer, each with whether an allegation about conduct stands: not
/// found UNFOUNDED or EXONERATED by `as_of`.
///
/// # Errors
/// If the database cannot be read.
pub fn complaints_of_officers(
    conn: &mut Conn,
    ids: &[Id],
    as_of: NaiveDate,
) -> Result<HashMap<Id, Vec<(Id, bool)>>, StoreError> {
    let mut found: HashMap<Id, Vec<(Id, bool)>> = HashMap::new();
    for chunk in ids.chunks(KEYS_PER_QUERY) {
        type Row = (Id, Id, Finding, Option<NaiveDate>, Option<CategoryKind>);
        let rows: Vec<Row> = complaint_officers::table
            .left_join(issue_categories::table.on(issue_categories::id.nullable().eq(complaint_officers::category_id)))
            .filter(complaint_officers::officer_id.eq_any(chunk))
            .order((complaint_officers::officer_id, complaint_officers::complaint_id))
            .select((
                complaint_officers::officer_id,
                complaint_officers::complaint_id,
                complaint_officers::finding,
                complaint_officers::decided_on,
                issue_categories::kind.nullable(),
            ))
            .load(conn)?;
        for (officer, complaint, finding, decided_on, kind) in rows {
            let decided = decided_on.is_none_or(|day| day <= as_of);
            let cleared = decided && matches!(finding, Finding::Unfounded | Finding::Exonerated);
            let is_uncleared_conduct = kind == Some(CategoryKind::Conduct) && !cleared;
            let complaints = found.entry(officer).or_default();
            match complaints.last_mut() {
                Some((last, conduct)) if *last == complaint => *conduct |= is_uncleared_conduct,
                _ => complaints.push((complaint, is_uncleared_conduct)),
            }
        }
    }
    Ok(found)
}
