//! Revocation of tokens and accounts during subscriptions and exports. Small queries look up all that are in use a few
//! times per second, so hundreds of sockets cost little, and a revoked token receives nothing that is committed a
//! second later.

use super::Service;
use crate::access::{Viewer, viewer_of};
use actix_web::web::Data;
use schema::register::access::standing;
use schema::register::accounts::is_disabled;
use schema::{Conn, Db, Id, StoreError, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};

/// Interval of look-ups while tokens are in use.
const POLL_INTERVAL: Duration = Duration::from_millis(300);
/// A result older than this is not used: a commit one second after a token's revocation is not shown to its owner.
const OLD_AFTER: Duration = Duration::from_millis(900);
/// A subscription waits this long for a fresh result before it ends.
const WAIT_AT_MOST: Duration = Duration::from_secs(10);

/// The rights of all tokens and accounts in use on this node.
pub struct Rights {
    in_use: Mutex<HashMap<Id, InUse>>,
    latest: watch::Sender<LookedUp>,
    wake: Notify,
}

/// A token in use, or the account of an external JWT, which is its own principal.
#[derive(Default)]
struct InUse {
    watchers: u32,
    is_account: bool,
}

/// The result of the last look-up.
#[derive(Clone, Default)]
struct LookedUp {
    /// When the look-up began; None before the first.
    at: Option<Instant>,
    found: Arc<HashMap<Id, Found>>,
}

/// The result of a look-up of a token or an account.
enum Found {
    /// A token that is no longer valid, or an account that was disabled.
    Lost,
    Owner(Viewer),
    /// An account that was not disabled: its rights are those of the JWT.
    Account,
}

fn look_up(conn: &mut Conn, tokens: &[Id], accounts: &[Id]) -> Result<HashMap<Id, Found>, StoreError> {
    let mut found: HashMap<Id, Found> = tokens.iter().map(|token| (*token, Found::Lost)).collect();
    let owners = standing(conn, tokens, Timestamp::now())?;
    found.extend(owners.into_iter().map(|(token, owner)| (token.id, Found::Owner(viewer_of(&token, owner)))));
    for account in accounts {
        let is_lost = is_disabled(conn, *account)?;
        found.insert(*account, if is_lost { Found::Lost } else { Found::Account });
    }
    Ok(found)
}

impl Rights {
    pub fn new() -> Self {
        Self { in_use: Mutex::default(), latest: watch::Sender::default(), wake: Notify::new() }
    }

    /// Looks up the tokens until the task is aborted.
    pub async fn poll(&self, db: Db) {
        loop {
            let _woken_or_due = tokio::time::timeout(POLL_INTERVAL, self.wake.notified()).await;
            let (accounts, tokens) = self.those_in_use();
            if accounts.is_empty() && tokens.is_empty() {
                // No tokens in use: the next one wakes this task.
                self.wake.notified().await;
                continue;
            }
            let (at, db) = (Instant::now(), db.clone());
            let polled = tokio::task::spawn_blocking(move || db.read(|conn| look_up(conn, &tokens, &accounts)));
            match polled.await {
                Ok(Ok(found)) => {
                    self.latest.send_replace(LookedUp { at: Some(at), found: Arc::new(found) });
                }
                // The last result expires, and subscribers receive nothing until a look-up succeeds.
                Ok(Err(error)) => tracing::warn!(%error, "the tokens of subscribers could not be looked up"),
                Err(error) => tracing::error!(%error, "the tokens of subscribers could not be looked up"),
            }
        }
    }

    fn in_use(&self) -> MutexGuard<'_, HashMap<Id, InUse>> {
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The accounts and the tokens in use.
    fn those_in_use(&self) -> (Vec<Id>, Vec<Id>) {
        let in_use = self.in_use();
        let of = |is_account: bool| -> Vec<Id> {
            in_use.iter().filter(|(_, one)| one.is_account == is_account).map(|(id, _)| *id).collect()
        };
        (of(true), of(false))
    }
}

/// Watches the rights of one viewer until dropped.
pub struct RightsWatch {
    service: Data<Service>,
    viewer: Viewer,
    latest: watch::Receiver<LookedUp>,
}

impl RightsWatch {
    pub fn over(service: &Data<Service>, viewer: &Viewer) -> Self {
        let rights = &service.rights;
        {
            let mut in_use = rights.in_use();
            let one = in_use.entry(viewer.token_id).or_default();
            one.watchers += 1;
            one.is_account = viewer.is_external_jwt();
        }
        rights.wake.notify_one();
        Self { service: service.clone(), viewer: viewer.clone(), latest: rights.latest.subscribe() }
    }

    /// Whether the viewer may see current events, by a look-up less than a second old. Waits for one if necessary.
    pub async fn are_valid(&mut self) -> bool {
        tokio::time::timeout(WAIT_AT_MOST, async {
            loop {
                if let Some(valid) = self.fresh_result() {
                    return valid;
                }
                self.service.rights.wake.notify_one();
                if self.latest.changed().await.is_err() {
                    return false;
                }
            }
        })
        .await
        .unwrap_or(false)
    }

    /// Returns once the viewer has lost its rights.
    pub async fn lost(&mut self) {
        while self.fresh_result() != Some(false) {
            let expires =
                self.viewer.expires_at.map(|at| (at.utc() - Timestamp::now().utc()).to_std().unwrap_or_default());
            let expired = async {
                match expires {
                    Some(left) => tokio::time::sleep(left).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = self.latest.changed() => if changed.is_err() {
                    return;
                },
                () = expired => {}
            }
        }
    }

    /// Whether the viewer has lost its rights by the last look-up, however old.
    pub fn is_lost(&self) -> bool {
        self.has_expired() || self.last_result() == Some(false)
    }

    /// None if the last result is too old or does not include the token.
    fn fresh_result(&self) -> Option<bool> {
        if self.has_expired() {
            return Some(false);
        }
        match self.last_result() {
            Some(true) => {
                let at = self.latest.borrow().at;
                at.is_some_and(|at| at.elapsed() < OLD_AFTER).then_some(true)
            }
            found => found,
        }
    }

    /// The last result: whether the token is still valid and its owner's rights are unchanged, or whether the account
    /// was not disabled. None if it was not looked up.
    fn last_result(&self) -> Option<bool> {
        let latest = self.latest.borrow();
        Some(match latest.found.get(&self.viewer.token_id)? {
            Found::Lost => false,
            Found::Owner(owner) => owner.has_rights_of(&self.viewer),
            Found::Account => true,
        })
    }

    fn has_expired(&self) -> bool {
        self.viewer.expires_at.is_some_and(|expires| expires <= Timestamp::now())
    }
}

impl Drop for RightsWatch {
    fn drop(&mut self) {
        let mut in_use = self.service.rights.in_use();
        if let Some(one) = in_use.get_mut(&self.viewer.token_id) {
            one.watchers = one.watchers.saturating_sub(1);
            if one.watchers == 0 {
                in_use.remove(&self.viewer.token_id);
            }
        }
    }
}
