//! What people decide about flags.

use super::{evidence_of, update};
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::db::{StoreError, WriteTx};
use schema::domain::calendar::local_date;
use schema::domain::ids::random_id;
use schema::each;
use schema::enums::FlagState;
use schema::models::{Flag, FlagReview};
use schema::states::Kept;
use schema::tables::{flag_reviews, flags};
use schema::{Conn, Id, JsonValue};
use serde_json::json;

/// A decision about a flag.
#[derive(Debug, Clone)]
pub struct Decision {
    pub state: FlagState,
    /// The grounds: required to dismiss or uphold.
    pub reason: Option<String>,
    /// When the officer was told.
    pub notified_on: Option<NaiveDate>,
    /// What the officer said, or that nothing was said.
    pub explanation: Option<String>,
    /// The run whose numbers lay before who decides: a later run may have said something else since.
    pub seen_run: Option<Id>,
}

/// Records when an officer was told of a flag, and what the officer said; the flag stays in its state.
///
/// # Errors
/// `NotFound` where there is no such flag; `Conflict` where it is decided; `Rule` where it is on no officer, or the day lies
/// in the future.
pub fn explain(
    tx: &mut WriteTx<'_>,
    id: Id,
    notified_on: NaiveDate,
    explanation: String,
    seen_run: Option<Id>,
) -> Result<Flag, StoreError> {
    let mut flag = claim(tx, id)?;
    if seen_run.is_some_and(|run| run != flag.run_id) {
        return Err(StoreError::Conflict("a later run assessed the flag anew: look at it again".into()));
    }
    if flag.officer_id.is_none() {
        return Err(StoreError::Rule("flagId: the flag is on a branch, and no officer explains it".into()));
    }
    if !matches!(flag.state, FlagState::Open | FlagState::Acknowledged | FlagState::UnderReview) {
        return Err(StoreError::Conflict(format!("the flag is {}: there is nothing to explain", flag.state)));
    }
    if notified_on > local_date(tx.now) {
        return Err(StoreError::Rule("notifiedOn lies in the future".into()));
    }
    let said = FlagReview {
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
    each!(&mut *tx.conn, c => diesel::insert_into(flag_reviews::table).values(&said).execute(c)?);
    tx.keep(Kept::FlagReviews, &said.id);
    // Whoever listens to the flag hears of it.
    flag.changed_at = tx.now;
    update(tx, &flag)?;
    Ok(flag)
}

/// Reads a flag and keeps it as it is until the transaction ends.
fn claim(tx: &mut WriteTx<'_>, id: Id) -> Result<Flag, StoreError> {
    diesel::update(flags::table.find(id)).set(flags::id.eq(id)).execute(tx.conn)?;
    let flag: Option<Flag> = flags::table.find(id).select(Flag::as_select()).first(tx.conn).optional()?;
    flag.ok_or_else(|| StoreError::NotFound("there is no such flag".into()))
}

/// Reviews a flag: OPEN → ACKNOWLEDGED → UNDER_REVIEW → UPHELD or DISMISSED. A step may be left out, none
/// is taken back. An officer is told and heard before a flag is upheld.
///
/// # Errors
/// `NotFound` where there is no such flag; `Conflict` where its state allows no such step; `Rule` where
/// something is missing, and says what.
pub fn review(tx: &mut WriteTx<'_>, id: Id, decision: Decision) -> Result<(Flag, FlagReview), StoreError> {
    let mut flag = claim(tx, id)?;
    if decision.seen_run.is_some_and(|run| run != flag.run_id) {
        return Err(StoreError::Conflict("a later run assessed the flag anew: look at it again".into()));
    }
    let rank = |state: FlagState| match state {
        FlagState::Open => Some(0),
        FlagState::Acknowledged => Some(1),
        FlagState::UnderReview => Some(2),
        FlagState::Upheld | FlagState::Dismissed => Some(3),
        FlagState::Expired | FlagState::Retracted => None,
    };
    match (rank(flag.state), rank(decision.state)) {
        (_, None) => return Err(StoreError::Rule(format!("{} is not decided by a person", decision.state))),
        (None | Some(3), _) => {
            return Err(StoreError::Conflict(format!("the flag is {}: there is nothing to decide", flag.state)));
        }
        (Some(from), Some(to)) if to <= from => {
            return Err(StoreError::Conflict(format!("the flag is {} already", flag.state)));
        }
        _ => {}
    }
    let said = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let (reason, explanation) = (said(decision.reason), said(decision.explanation));
    if rank(decision.state) == Some(3) && reason.is_none() {
        return Err(StoreError::Rule(format!("reason: say on which grounds it is {}", decision.state)));
    }
    if decision.notified_on.is_some_and(|day| day > local_date(tx.now)) {
        return Err(StoreError::Rule("notifiedOn lies in the future".into()));
    }
    if decision.state == FlagState::Upheld && flag.officer_id.is_some() {
        // What was said before the flag was opened, this time, was said about other evidence.
        let now: Vec<FlagReview> =
            reviews(tx.conn, id)?.into_iter().filter(|review| review.reviewed_at >= flag.opened_at).collect();
        if decision.notified_on.is_none() && now.iter().all(|review| review.notified_on.is_none()) {
            return Err(StoreError::Rule("notifiedOn: an officer is told of the flag before it is upheld".into()));
        }
        if explanation.is_none() && now.iter().all(|review| review.explanation.is_none()) {
            return Err(StoreError::Rule(
                "explanation: what the officer said is recorded before a flag is upheld, or that nothing was said"
                    .into(),
            ));
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
    tx.keep(Kept::FlagReviews, &review.id);
    flag.state = decision.state;
    flag.changed_at = tx.now;
    update(tx, &flag)?;
    Ok((flag, review))
}

/// The reviews of a flag, oldest first.
pub fn reviews(conn: &mut Conn, flag: Id) -> Result<Vec<FlagReview>, StoreError> {
    Ok(flag_reviews::table
        .filter(flag_reviews::flag_id.eq(flag))
        .order((flag_reviews::reviewed_at, flag_reviews::id))
        .select(FlagReview::as_select())
        .load(conn)?)
}
