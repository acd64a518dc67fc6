//! Reviews of flags by people: decisions, and explanations of officers.

use super::{evidence_of, update};
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::db::{StoreError, WriteTx};
use schema::domain::calendar::local_date;
use schema::domain::ids::random_id;
use schema::each;
use schema::enums::FlagState;
use schema::models::{Flag, FlagReview};
use schema::refusal::FlagRefusal;
use schema::states::StateTable;
use schema::tables::{flag_reviews, flags};
use schema::{Conn, Id, JsonValue};
use serde_json::json;

/// A decision about a flag.
#[derive(Debug, Clone)]
pub struct Decision {
    pub state: FlagState,
    /// Required to dismiss or uphold.
    pub reason: Option<String>,
    /// When the officer was notified.
    pub notified_on: Option<NaiveDate>,
    /// The officer's explanation, or a note that there was none.
    pub explanation: Option<String>,
    /// The run whose assessment the reviewer saw (optimistic locking): a later run may have assessed otherwise.
    pub seen_run: Option<Id>,
}

/// Records when an officer was notified of a flag, and the officer's explanation; the flag keeps its state.
///
/// # Errors
/// `NotFound` when the flag does not exist; `Conflict` when it is decided or ended, or a later run than `seen_run`
/// assessed it; `Rule` when it is on a branch, or the day is in the future.
pub fn explain(
    tx: &mut WriteTx<'_>,
    id: Id,
    notified_on: NaiveDate,
    explanation: String,
    seen_run: Option<Id>,
) -> Result<Flag, StoreError> {
    let mut flag = claim(tx, id)?;
    if seen_run.is_some_and(|run| run != flag.run_id) {
        return Err(FlagRefusal::LaterRun.into());
    }
    if flag.officer_id.is_none() {
        return Err(FlagRefusal::OfBranch.into());
    }
    if !matches!(flag.state, FlagState::Open | FlagState::Acknowledged | FlagState::UnderReview) {
        return Err(FlagRefusal::NoExplanation { flag: flag.state }.into());
    }
    if notified_on > local_date(tx.now) {
        return Err(FlagRefusal::NotifiedInFuture.into());
    }
    let review = FlagReview {
        id: random_id(),
        flag_id: id,
        run_id: flag.run_id,
        from_state: flag.state,
        to_state: flag.state,
        reason: None,
        notified_on: Some(notified_on),
        explanation: Some(explanation),
        evidence: JsonValue(json!(evidence_of(tx.conn, &flag)?)),
        actor: tx.actor.to_owned(),
        reviewed_at: tx.now,
    };
    each!(&mut *tx.conn, c => diesel::insert_into(flag_reviews::table).values(&review).execute(c)?);
    tx.record_state(StateTable::FlagReviews, &review.id);
    // Notifies subscribers of the flag.
    flag.changed_at = tx.now;
    update(tx, &flag)?;
    Ok(flag)
}

/// Reads a flag and locks it until the transaction ends.
fn claim(tx: &mut WriteTx<'_>, id: Id) -> Result<Flag, StoreError> {
    diesel::update(flags::table.find(id)).set(flags::id.eq(id)).execute(tx.conn)?;
    let flag: Option<Flag> = flags::table.find(id).select(Flag::as_select()).first(tx.conn).optional()?;
    flag.ok_or_else(|| StoreError::no_such("flag", &id, "flags"))
}

/// Reviews a flag: OPEN → ACKNOWLEDGED → UNDER_REVIEW → UPHELD or DISMISSED. Steps may be skipped, not reversed. To
/// uphold a flag on an officer, a notification and an explanation must be recorded.
///
/// # Errors
/// `NotFound` when the flag does not exist; `Conflict` when its state allows no such step, or a later run than
/// `seen_run` assessed it; `Rule` when a field is missing or invalid.
pub fn review(tx: &mut WriteTx<'_>, id: Id, decision: Decision) -> Result<(Flag, FlagReview), StoreError> {
    let mut flag = claim(tx, id)?;
    if decision.seen_run.is_some_and(|run| run != flag.run_id) {
        return Err(FlagRefusal::LaterRun.into());
    }
    let rank = |state: FlagState| match state {
        FlagState::Open => Some(0),
        FlagState::Acknowledged => Some(1),
        FlagState::UnderReview => Some(2),
        FlagState::Upheld | FlagState::Dismissed => Some(3),
        FlagState::Expired | FlagState::Retracted => None,
    };
    match (rank(flag.state), rank(decision.state)) {
        (_, None) => return Err(FlagRefusal::OnlyRuns { flag: decision.state }.into()),
        (None | Some(3), _) => return Err(FlagRefusal::Ended { flag: flag.state }.into()),
        (Some(from), Some(to)) if to <= from => {
            return Err(FlagRefusal::OnlyForward { flag: flag.state }.into());
        }
        _ => {}
    }
    let non_empty = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let (reason, explanation) = (non_empty(decision.reason), non_empty(decision.explanation));
    if rank(decision.state) == Some(3) && reason.is_none() {
        return Err(FlagRefusal::ReasonMissing { flag: decision.state }.into());
    }
    if decision.notified_on.is_some_and(|day| day > local_date(tx.now)) {
        return Err(FlagRefusal::NotifiedInFuture.into());
    }
    if decision.state == FlagState::Upheld && flag.officer_id.is_some() {
        // Explanations from before the flag last opened were about other evidence.
        let now: Vec<FlagReview> =
            reviews(tx.conn, id)?.into_iter().filter(|review| review.reviewed_at >= flag.opened_at).collect();
        if decision.notified_on.is_none() && now.iter().all(|review| review.notified_on.is_none()) {
            return Err(FlagRefusal::NotNotified.into());
        }
        if explanation.is_none() && now.iter().all(|review| review.explanation.is_none()) {
            return Err(FlagRefusal::NotExplained.into());
        }
    }
    let review = FlagReview {
        id: random_id(),
        flag_id: id,
        run_id: flag.run_id,
        from_state: flag.state,
        to_state: decision.state,
        reason,
        notified_on: decision.notified_on,
        explanation,
        evidence: JsonValue(json!(evidence_of(tx.conn, &flag)?)),
        actor: tx.actor.to_owned(),
        reviewed_at: tx.now,
    };
    each!(&mut *tx.conn, c => diesel::insert_into(flag_reviews::table).values(&review).execute(c)?);
    tx.record_state(StateTable::FlagReviews, &review.id);
    flag.state = decision.state;
    flag.changed_at = tx.now;
    update(tx, &flag)?;
    Ok((flag, review))
}

/// The reviews of a flag, oldest first.
///
/// # Errors
/// If the database cannot be read.
pub fn reviews(conn: &mut Conn, flag: Id) -> Result<Vec<FlagReview>, StoreError> {
    Ok(flag_reviews::table
        .filter(flag_reviews::flag_id.eq(flag))
        .order((flag_reviews::reviewed_at, flag_reviews::id))
        .select(FlagReview::as_select())
        .load(conn)?)
}
