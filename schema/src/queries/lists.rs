//! The lists of the register and their sort orders. Text sorts bytewise on both databases: the columns of PostgreSQL
//! have the collation "C".

use super::keyset::{
    Direction, Expr, Key, ListOrder, Pred, Slice, SortExpr, Window, as_int, define_list, or_date, or_double, or_int,
    or_text,
};
use super::limited::{Limited, UpTo};
use super::merged::merged;
use super::overdue::{counted_deadline, overdue_on};
use super::shuffled::Shuffled;
use crate::db::cancellation::phananh_not_cancelled;
use crate::db::{Backend, Conn, MultiBackend, StoreError};
use crate::enums::Tier;
use crate::models::{
    Alert, AuditEntry, Complaint, ComplaintStub, CorrectionProposal, Digest, DigestDelivery, Enterprise, Escalation,
    ExportedComplaint, Flag, GuidanceDocument, IssueCategory, JobRun, Measure, Merge, Notification, Officer, Principal,
    Proposal, SavedQuery, Unit, UnitResponse,
};
use crate::pseudonyms::Shuffle;
use crate::tables::{
    alerts, audit_log, complaints, correction_proposals, digest_deliveries, digests, enterprises, escalations, flags,
    guidance_documents, issue_categories, job_runs, measures, merges, notifications, officers, principals, proposals,
    saved_queries, unit_responses, units,
};
use chrono::{Days, NaiveDate};
use diesel::prelude::*;
use diesel::sql_types::Date;

define_list! {
    complaints, Complaint,
    /// Orders of complaints.
    ComplaintSort {
        ReceivedAt: Time = complaints::received_at, |row| Key::Time(row.received_at);
        RecordedAt: Time = complaints::recorded_at, |row| Key::Time(row.recorded_at);
        StateSince: Time = complaints::state_since, |row| Key::Time(row.state_since);
        CostVnd: Int = or_int(complaints::cost_vnd, -1), |row| Key::Int(row.cost_vnd.unwrap_or(-1));
        DelayHours: Double = or_double(complaints::delay_hours, -1.0), |row| Key::Double(row.delay_hours.unwrap_or(-1.0));
        // Complaints without a deadline come last.
        DueOn: Date = or_date(complaints::due_on, NEVER), |row| Key::Date(row.due_on.unwrap_or(NEVER));
        Overdue(today: NaiveDate): Int =
            overdue_rank(today), move |row| Key::Int(overdue_or_not(row.overdue_days(today)));
        // The longer a complaint is overdue, the earlier its key; what is not overdue comes last.
        OverdueDays(today: NaiveDate): Date =
            overdue_since(today), move |row| Key::Date(overdue_key(today, row.overdue_days(today)));
        // Comes before the id for readers who may not know ids: ties then reveal nothing of their order.
        Shuffled(by: Shuffle): Text = Shuffled::by(by), move |row| Key::Text(Shuffled::of(by, row.id));
    }
    unique: Id = complaints::id, |row| Key::Id(row.id);
}

impl ComplaintSort {
    /// Like [`ListOrder::list`], of a list in several parts that have no row in common: each part is read by its own
    /// index, where one condition for all would have to sort.
    ///
    /// # Errors
    /// `Rule` if a cursor belongs to another order.
    pub fn list_parts(
        conn: &mut Conn,
        parts: Vec<Option<Pred<complaints::table>>>,
        order: &[(Self, Direction)],
        window: &Window,
    ) -> Result<Slice<Complaint>, StoreError> {
        let read = |part| Self::list(conn, part, order, window);
        let slices = parts.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(merged(slices, |row| Self::keys(order, row), &Self::directions(order), window))
    }

    /// The same, with few columns.
    ///
    /// # Errors
    /// `Rule` if a cursor belongs to another order.
    pub fn list_stubs(
        conn: &mut Conn,
        parts: Vec<Option<Pred<complaints::table>>>,
        order: &[(Self, Direction)],
        window: &Window,
    ) -> Result<Slice<ComplaintStub>, StoreError> {
        let mut slices = Vec::with_capacity(parts.len());
        for part in parts {
            let query = Self::query(conn, part, order, window)?.select(ComplaintStub::as_select());
            slices.push(window.slice(Limited(query, window.rows_to_read()).load(conn)?));
        }
        Ok(merged(slices, |stub| Self::stub_keys(order, stub), &Self::directions(order), window))
    }

    /// Like [`ListOrder::list`], with the columns of an export.
    ///
    /// # Errors
    /// `Rule` if a cursor belongs to another order.
    pub fn list_exported(
        conn: &mut Conn,
        filter: Option<Pred<complaints::table>>,
        order: &[(Self, Direction)],
        window: &Window,
    ) -> Result<Slice<ExportedComplaint>, StoreError> {
        let query = Self::query(conn, filter, order, window)?.select(ExportedComplaint::as_select());
        Ok(window.slice(Limited(query, window.rows_to_read()).load(conn)?))
    }

    /// The cursor after a complaint in the order of exports: by receipt, then in a secret order.
    pub fn keys_of_exported(shuffle: Shuffle, row: &ExportedComplaint) -> Vec<Key> {
        vec![Key::Time(row.received_at), Key::Text(Shuffled::of(shuffle, row.id)), Key::Id(row.id)]
    }

    /// Puts complaints of one moment into the secret order that [`Self::Shuffled`] has in the database.
    pub fn shuffle(shuffle: Shuffle, of_one_moment: &mut [ExportedComplaint]) {
        of_one_moment.sort_by_cached_key(|row| (Shuffled::of(shuffle, row.id), row.id));
    }

    /// The directions of the sort keys and of the unique key, which has that of the last one.
    fn directions(order: &[(Self, Direction)]) -> Vec<Direction> {
        let last = order.last().map_or(Direction::Asc, |(_, direction)| *direction);
        order.iter().map(|(_, direction)| *direction).chain([last]).collect()
    }

    /// The same keys as [`ListOrder::keys`] of the whole row.
    pub fn stub_keys(order: &[(Self, Direction)], stub: &ComplaintStub) -> Vec<Key> {
        let key = |sort: Self| match sort {
            Self::ReceivedAt => Key::Time(stub.received_at),
            Self::RecordedAt => Key::Time(stub.recorded_at),
            Self::StateSince => Key::Time(stub.state_since),
            Self::CostVnd => Key::Int(stub.cost_vnd.unwrap_or(-1)),
            Self::DelayHours => Key::Double(stub.delay_hours.unwrap_or(-1.0)),
            Self::DueOn => Key::Date(stub.due_on.unwrap_or(NEVER)),
            Self::Overdue(today) => Key::Int(overdue_or_not(stub.overdue_days(today))),
            Self::OverdueDays(today) => Key::Date(overdue_key(today, stub.overdue_days(today))),
            Self::Shuffled(by) => Key::Text(Shuffled::of(by, stub.id)),
        };
        order.iter().map(|(sort, _)| key(*sort)).chain([Key::Id(stub.id)]).collect()
    }
}

/// The sort key of no day.
const NEVER: NaiveDate = match NaiveDate::from_ymd_opt(9_999, 12, 31) {
    Some(day) => day,
    None => NaiveDate::MAX,
};

/// 1 for a complaint that is overdue on a day, else 0.
fn overdue_rank(today: NaiveDate) -> Expr<complaints::table, diesel::sql_types::BigInt> {
    let (overdue, not): (i64, i64) = (1, 0);
    let rank = diesel::dsl::case_when(overdue_on(today), overdue.into_sql::<diesel::sql_types::BigInt>());
    Box::new(rank.otherwise(not.into_sql::<diesel::sql_types::BigInt>()))
}

/// The same of a row, from the days by which it is overdue.
fn overdue_or_not(overdue_days: i64) -> i64 {
    i64::from(overdue_days > 0)
}

/// The day since which a complaint is overdue on a day, as if its clock had not been stopped for as many days as it is;
/// else [`NEVER`].
fn overdue_since(today: NaiveDate) -> Expr<complaints::table, Date> {
    let due = counted_deadline(today).assume_not_null();
    Box::new(diesel::dsl::case_when(overdue_on(today), due).otherwise(NEVER.into_sql::<Date>()))
}

/// The same of a row, from the days by which it is overdue on a day.
fn overdue_key(today: NaiveDate, overdue_days: i64) -> NaiveDate {
    let days = u64::try_from(overdue_days).ok().filter(|days| *days > 0);
    days.and_then(|days| today.checked_sub_days(Days::new(days))).unwrap_or(NEVER)
}

define_list! {
    escalations, Escalation,
    /// Orders of escalations.
    EscalationSort {
        EscalatedAt: Time = escalations::escalated_at, |row| Key::Time(row.escalated_at);
        DueOn: Date = escalations::due_on, |row| Key::Date(row.due_on);
    }
    unique:
        Id = escalations::complaint_id, |row| Key::Id(row.complaint_id);
        Int = as_int(escalations::level), |row| Key::Int(row.level.into());
}

define_list! {
    units, Unit,
    /// Orders of units.
    UnitSort {
        Code: Text = units::code, |row| Key::Text(row.code.clone());
        NameVi: Text = units::name_vi, |row| Key::Text(row.name_vi.clone());
        Kind: Text = units::kind, |row| Key::Text(row.kind.to_string());
    }
    unique: Id = units::id, |row| Key::Id(row.id);
}

define_list! {
    officers, Officer,
    /// Orders of officers.
    OfficerSort {
        Code: Text = officers::code, |row| Key::Text(row.code.clone());
        Name: Text = or_text(officers::name, ""), |row| Key::Text(row.name.clone().unwrap_or_default());
    }
    unique: Id = officers::id, |row| Key::Id(row.id);
}

define_list! {
    enterprises, Enterprise,
    /// Orders of enterprises.
    EnterpriseSort {
        TaxCode: Text = enterprises::tax_code, |row| Key::Text(row.tax_code.clone());
        Name: Text = or_text(enterprises::name, ""), |row| Key::Text(row.name.clone().unwrap_or_default());
    }
    unique: Id = enterprises::id, |row| Key::Id(row.id);
}

define_list! {
    issue_categories, IssueCategory,
    /// Orders of categories.
    CategorySort {
        Code: Text = issue_categories::code, |row| Key::Text(row.code.clone());
        NameVi: Text = issue_categories::name_vi, |row| Key::Text(row.name_vi.clone());
        Kind: Text = issue_categories::kind, |row| Key::Text(row.kind.to_string());
    }
    unique: Id = issue_categories::id, |row| Key::Id(row.id);
}

define_list! {
    unit_responses, UnitResponse,
    /// Orders of responses.
    ResponseSort {
        RespondedAt: Time = unit_responses::responded_at, |row| Key::Time(row.responded_at);
    }
    unique:
        Id = unit_responses::complaint_id, |row| Key::Id(row.complaint_id);
        Id = unit_responses::id, |row| Key::Id(row.id);
}

define_list! {
    flags, Flag,
    /// Orders of flags.
    FlagSort {
        ChangedAt: Time = flags::changed_at, |row| Key::Time(row.changed_at);
        OpenedAt: Time = flags::opened_at, |row| Key::Time(row.opened_at);
        Tier: Int = tier_rank(), |row| Key::Int(rank(row.tier));
    }
    unique: Id = flags::id, |row| Key::Id(row.id);
}

define_list! {
    job_runs, JobRun,
    /// Orders of job runs.
    JobRunSort {
        StartedAt: Time = job_runs::started_at, |row| Key::Time(row.started_at);
    }
    unique: Id = job_runs::id, |row| Key::Id(row.id);
}

define_list! {
    alerts, Alert,
    /// Orders of alerts.
    AlertSort {
        RaisedAt: Time = alerts::raised_at, |row| Key::Time(row.raised_at);
    }
    unique: Id = alerts::id, |row| Key::Id(row.id);
}

define_list! {
    notifications, Notification,
    /// Orders of notifications.
    NotificationSort {
        CreatedAt: Time = notifications::created_at, |row| Key::Time(row.created_at);
    }
    unique: Id = notifications::id, |row| Key::Id(row.id);
}

define_list! {
    digests, Digest,
    /// Orders of digests.
    DigestSort {
        CreatedAt: Time = digests::created_at, |row| Key::Time(row.created_at);
    }
    unique: Id = digests::id, |row| Key::Id(row.id);
}

define_list! {
    digest_deliveries, DigestDelivery,
    /// Orders of deliveries of digests.
    DigestDeliverySort {
        CreatedAt: Time = digest_deliveries::created_at, |row| Key::Time(row.created_at);
    }
    unique:
        Id = digest_deliveries::digest_id, |row| Key::Id(row.digest_id);
        Id = digest_deliveries::subscription_id, |row| Key::Id(row.subscription_id);
}

define_list! {
    principals, Principal,
    /// Orders of principals.
    PrincipalSort {
        Name: Text = principals::name, |row| Key::Text(row.name.clone());
        CreatedAt: Time = principals::created_at, |row| Key::Time(row.created_at);
    }
    unique: Id = principals::id, |row| Key::Id(row.id);
}

define_list! {
    audit_log, AuditEntry,
    /// Orders of the audit log.
    AuditSort {
        At: Time = audit_log::at, |row| Key::Time(row.at);
    }
    unique: Int = audit_log::number, |row| Key::Int(row.number);
}

define_list! {
    guidance_documents, GuidanceDocument,
    /// Orders of guidance documents.
    GuidanceSort {
        RequestedAt: Time = guidance_documents::requested_at, |row| Key::Time(row.requested_at);
        StateSince: Time = guidance_documents::state_since, |row| Key::Time(row.state_since);
    }
    unique: Id = guidance_documents::id, |row| Key::Id(row.id);
}

define_list! {
    proposals, Proposal,
    /// Orders of proposals.
    ProposalSort {
        ProposedAt: Time = proposals::proposed_at, |row| Key::Time(row.proposed_at);
        StateSince: Time = proposals::state_since, |row| Key::Time(row.state_since);
    }
    unique: Id = proposals::id, |row| Key::Id(row.id);
}

define_list! {
    measures, Measure,
    /// Orders of measures.
    MeasureSort {
        DecidedOn: Date = measures::decided_on, |row| Key::Date(row.decided_on);
        StartsOn: Date = measures::starts_on, |row| Key::Date(row.starts_on);
        RecordedAt: Time = measures::recorded_at, |row| Key::Time(row.recorded_at);
    }
    unique: Id = measures::id, |row| Key::Id(row.id);
}

define_list! {
    correction_proposals, CorrectionProposal,
    /// Orders of proposed corrections.
    CorrectionProposalSort {
        ProposedAt: Time = correction_proposals::proposed_at, |row| Key::Time(row.proposed_at);
        StateSince: Time = correction_proposals::state_since, |row| Key::Time(row.state_since);
    }
    unique: Id = correction_proposals::id, |row| Key::Id(row.id);
}

define_list! {
    merges, Merge,
    /// Orders of merges.
    MergeSort {
        MergedAt: Time = merges::merged_at, |row| Key::Time(row.merged_at);
    }
    unique: Id = merges::id, |row| Key::Id(row.id);
}

define_list! {
    saved_queries, SavedQuery,
    /// Orders of saved questions.
    SavedQuerySort {
        Name: Text = saved_queries::name_key, |row| Key::Text(row.name_key.clone());
        ChangedAt: Time = saved_queries::changed_at, |row| Key::Time(row.changed_at);
    }
    unique: Id = saved_queries::id, |row| Key::Id(row.id);
}

/// Tiers by severity: their words sort differently.
#[diesel::dsl::auto_type]
fn tier_rank() -> _ {
    let watch: i64 = 1;
    let review: i64 = 2;
    let suspension: i64 = 3;
    diesel::dsl::case_when(flags::tier.eq("WATCH"), watch.into_sql::<diesel::sql_types::BigInt>())
        .when(flags::tier.eq("REVIEW"), review.into_sql::<diesel::sql_types::BigInt>())
        .otherwise(suspension.into_sql::<diesel::sql_types::BigInt>())
}

fn rank(tier: Tier) -> i64 {
    match tier {
        Tier::Watch => 1,
        Tier::Review => 2,
        Tier::SuspensionReview => 3,
    }
}
