//! Revocation of tokens during subscriptions and exports. One small query looks up all tokens in use a few times per
//! second, so hundreds of sockets cost little, and a revoked token receives nothing that is committed a second later.

use super::Service;
use crate::access::{Viewer, viewer_of};
use actix_web::web::Data;
use schema::register::access::standing;
use schema::{Db, Id, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};

/// Interval of look-ups while tokens are in use.
const POLL_INTERVAL: Duration = Duration::from_millis(300);
/// A result older than this is not used: a commit one second after a token's revocation is not shown to its owner.
const OLD_AFTER: Duration = Duration::from_millis(900);
/// How long to wait for a fresh result before the subscription ends.
const WAIT_AT_MOST: Duration = Duration::from_secs(10);

/// The rights of all tokens in use on this node.
pub struct Rights {
    in_use: Mutex<HashMap<Id, u32>>,
    latest: watch::Sender<LookedUp>,
    wake: Notify,
}

/// The result of the last look-up.
#[derive(Clone, Default)]
struct LookedUp {
    /// When the look-up began; None before the first.
    at: Option<Instant>,
    /// The owner of each token; None for a token that is no longer valid.
    owners: Arc<HashMap<Id, Option<Viewer>>>,
}

impl Rights {
    pub fn new() -> Self {
        Self { in_use: Mutex::default(), latest: watch::Sender::default(), wake: Notify::new() }
    }

    /// Looks up the tokens until the task is aborted.
    pub async fn poll(&self, db: Db) {
        loop {
            let _woken_or_due = tokio::time::timeout(POLL_INTERVAL, self.wake.notified()).await;
            let in_use: Vec<Id> = self.in_use().keys().copied().collect();
            if in_use.is_empty() {
                // No tokens in use: the next one wakes this task.
                self.wake.notified().await;
                continue;
            }
            let (at, db) = (Instant::now(), db.clone());
            let tokens = in_use.clone();
            let polled = tokio::task::spawn_blocking(move || db.read(|conn| standing(conn, &tokens, Timestamp::now())));
            match polled.await {
                Ok(Ok(found)) => {
                    let mut owners: HashMap<Id, Option<Viewer>> =
                        in_use.into_iter().map(|token| (token, None)).collect();
                    owners.extend(found.into_iter().map(|(token, owner)| (token.id, Some(viewer_of(&token, owner)))));
                    self.latest.send_replace(LookedUp { at: Some(at), owners: Arc::new(owners) });
                }
                // The last result expires, and subscribers receive nothing until a look-up succeeds.
                Ok(Err(error)) => tracing::warn!(%error, "the tokens of subscribers could not be looked up"),
                Err(error) => tracing::error!(%error, "the tokens of subscribers could not be looked up"),
            }
        }
    }

    fn in_use(&self) -> MutexGuard<'_, HashMap<Id, u32>> {
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner)
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
        if !viewer.is_external_jwt() {
            *rights.in_use().entry(viewer.token_id).or_default() += 1;
            rights.wake.notify_one();
        }
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
        self.has_expired() || self.found() == Some(false)
    }

    /// None if the last result is too old or does not include the token.
    fn fresh_result(&self) -> Option<bool> {
        if self.has_expired() {
            return Some(false);
        }
        // The register does not hold external JWTs.
        if self.viewer.is_external_jwt() {
            return Some(true);
        }
        match self.found() {
            Some(true) => {
                let at = self.latest.borrow().at;
                at.is_some_and(|at| at.elapsed() < OLD_AFTER).then_some(true)
            }
            found => found,
        }
    }

    /// The last result: whether the token is still valid and its owner's rights are unchanged. None if it was not
    /// looked up.
    fn found(&self) -> Option<bool> {
        let latest = self.latest.borrow();
        let owner = latest.owners.get(&self.viewer.token_id)?;
        Some(owner.as_ref().is_some_and(|owner| owner.has_rights_of(&self.viewer)))
    }

    fn has_expired(&self) -> bool {
        self.viewer.expires_at.is_some_and(|expires| expires <= Timestamp::now())
    }
}

impl Drop for RightsWatch {
    fn drop(&mut self) {
        let mut in_use = self.service.rights.in_use();
        if let Some(number) = in_use.get_mut(&self.viewer.token_id) {
            *number = number.saturating_sub(1);
            if *number == 0 {
                in_use.remove(&self.viewer.token_id);
            }
        }
    }
}
