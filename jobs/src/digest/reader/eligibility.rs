//! Whether a reader may still be sent anything: checked whenever something is made for it, and again when it is sent.

use crate::runner::settings::Settings;
use chrono::TimeDelta;
use diesel::prelude::*;
use schema::models::Principal;
use schema::register::Aliases;
use schema::tables::{api_tokens, principals};
use schema::{Conn, Id, StoreError, Timestamp};
use std::fmt;

/// Why nothing is sent to a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LostReason {
    /// The reader does not exist.
    Gone,
    /// An ADMIN disabled the reader.
    Disabled,
    /// The reader has no valid token.
    NoToken,
    /// The reader has an account of an issuer, and has not signed in for too long.
    NotSignedIn,
    /// The account is of an issuer that the configuration does not name.
    OtherIssuer,
    /// The reader has another role than when it subscribed.
    OtherRole,
    /// The reader may not read about the unit.
    OtherUnit,
}

/// Why nothing is sent to a reader, also in an English sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    pub reason: LostReason,
    pub why: String,
}

impl Lost {
    pub(super) fn new(reason: LostReason, why: impl Into<String>) -> Self {
        Self { reason, why: why.into() }
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

/// The rule for accounts of an issuer, whose tokens no one shows when something is sent: what the issuer asserted at
/// the last sign-in holds for some days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRule {
    /// The issuer of `[api.jwt]`.
    issuer: Option<String>,
    days: u32,
}

impl AccountRule {
    pub fn of(settings: &Settings) -> Self {
        let jwt = settings.api.as_ref().and_then(|api| api.get("jwt"));
        let issuer = jwt.and_then(|jwt| jwt.get("issuer")).and_then(toml::Value::as_str).map(str::to_owned);
        Self { issuer, days: settings.digests.account_days }
    }

    /// The time until which an account is sent something, unless it signs in again; None for a holder of tokens.
    pub fn until(&self, principal: &Principal) -> Option<Timestamp> {
        principal.issuer.as_ref()?;
        let asserted = principal.asserted_at?;
        Some((asserted.utc() + TimeDelta::days(i64::from(self.days))).into())
    }

    fn check(&self, account: &Principal, issuer: &str, now: Timestamp) -> Result<(), Lost> {
        let name = &account.name;
        if self.issuer.as_deref() != Some(issuer) {
            let why = format!("its reader {name} has an account of {issuer}, which is not the issuer of [api.jwt]");
            return Err(Lost::new(LostReason::OtherIssuer, why));
        }
        if self.until(account).is_none_or(|until| until <= now) {
            let why = format!(
                "its reader {name} has not signed in for {} days (digests.account_days): it goes on once it signs in",
                self.days
            );
            return Err(Lost::new(LostReason::NotSignedIn, why));
        }
        Ok(())
    }
}

/// A principal that may sign in at this moment, or an account that signed in lately; or why it is sent nothing.
///
/// # Errors
/// If the database cannot be read.
pub(crate) fn valid_principal(
    conn: &mut Conn,
    rule: &AccountRule,
    id: Id,
) -> Result<Result<Principal, Lost>, StoreError> {
    let found: Option<Principal> = principals::table.find(id).select(Principal::as_select()).first(conn).optional()?;
    let Some(mut principal) = found else {
        return Ok(Err(Lost::new(LostReason::Gone, "its reader does not exist any more")));
    };
    let (name, now) = (&principal.name, Timestamp::now());
    if principal.disabled_at.is_some() {
        return Ok(Err(Lost::new(LostReason::Disabled, format!("its reader {name} was disabled"))));
    }
    if let Some(issuer) = &principal.issuer {
        if let Err(lost) = rule.check(&principal, issuer, now) {
            return Ok(Err(lost));
        }
    } else if !has_token(conn, id, now)? {
        let why = format!("its reader {name} has no valid token: `phananh token create` makes one");
        return Ok(Err(Lost::new(LostReason::NoToken, why)));
    }
    if let Some(officer) = principal.officer_id {
        // As with tokens: complaints name the officer into whom this one was merged.
        principal.officer_id = Some(Aliases::load(conn)?.officer(officer));
    }
    Ok(Ok(principal))
}

fn has_token(conn: &mut Conn, principal: Id, now: Timestamp) -> Result<bool, StoreError> {
    let tokens: i64 = api_tokens::table
        .filter(api_tokens::principal_id.eq(principal))
        .filter(api_tokens::revoked_at.is_null())
        .filter(api_tokens::expires_at.is_null().or(api_tokens::expires_at.gt(now)))
        .count()
        .get_result(conn)?;
    Ok(tokens > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::enums::Role;
    use uuid::Uuid;

    #[test]
    fn an_account_is_sent_something_for_some_days_after_its_last_sign_in() {
        let now = Timestamp::now();
        let account = |days: i64| Principal {
            id: Id(Uuid::from_u128(7)),
            name: "jwt:an".into(),
            role: Role::Board,
            unit_id: None,
            created_at: now,
            disabled_at: None,
            officer_id: None,
            outside: false,
            issuer: Some("https://login.example".into()),
            subject: Some("an".into()),
            asserted_at: Some((now.utc() - TimeDelta::days(days)).into()),
        };
        let rule = |text: &str| AccountRule::of(&toml::from_str(text).expect("settings"));
        let config = "[digests]\naccount_days = 7\n[api.jwt]\nissuer = \"https://login.example\"\n";
        let checked = |rule: &AccountRule, account: &Principal| {
            rule.check(account, "https://login.example", now).map_err(|lost| lost.reason)
        };
        assert_eq!(checked(&rule(config), &account(6)), Ok(()));
        assert_eq!(checked(&rule(config), &account(7)), Err(LostReason::NotSignedIn));
        assert_eq!(checked(&rule(""), &account(6)), Err(LostReason::OtherIssuer));
        let holder = Principal { issuer: None, subject: None, asserted_at: None, ..account(6) };
        assert_eq!(rule(config).until(&holder), None);
    }
}
