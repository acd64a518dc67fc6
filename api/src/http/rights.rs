//! Whether those who listen or export still may: the tokens of all of them are looked up together a few times in a second, so
//! that hundreds of sockets cost one small query, and whoever was turned out learns nothing that happens a second later.

use super::Service;
use crate::auth::{Viewer, viewer_of};
use actix_web::web::Data;
use schema::register::access::standing;
use schema::{Db, Id, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};

/// How often tokens are looked up while somebody holds one.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// What was looked up longer ago says nothing: what is committed a second after a token was revoked is not shown to its owner.
const OLD_AFTER: Duration = Duration::from_millis(900);
/// How long it is waited for a look at the database before the viewer is let go.
const WAIT_AT_MOST: Duration = Duration::from_secs(10);

/// What is known of the tokens that are held on this node.
pub struct Rights {
    held: Mutex<HashMap<Id, u32>>,
    known: watch::Sender<LookedUp>,
    wake: Notify,
}

/// What the last look found.
#[derive(Clone, Default)]
struct LookedUp {
    /// When it began; None before the first.
    at: Option<Instant>,
    /// The owners of those that were looked up; None for a token that is not valid any more.
    owners: Arc<HashMap<Id, Option<Viewer>>>,
}

impl Rights {
    pub fn new() -> Self {
        Self { held: Mutex::default(), known: watch::Sender::default(), wake: Notify::new() }
    }

    /// Looks for as long as the server runs.
    pub async fn look(&self, db: Db) {
        loop {
            let _woken_or_due = tokio::time::timeout(LOOK_EVERY, self.wake.notified()).await;
            let held: Vec<Id> = self.held().keys().copied().collect();
            if held.is_empty() {
                // Nothing to look at: whoever comes next wakes it.
                self.wake.notified().await;
                continue;
            }
            let (at, of) = (Instant::now(), db.clone());
            let asked = held.clone();
            let looked = tokio::task::spawn_blocking(move || of.read(|conn| standing(conn, &asked, Timestamp::now())));
            match looked.await {
                Ok(Ok(found)) => {
                    let mut owners: HashMap<Id, Option<Viewer>> = held.into_iter().map(|token| (token, None)).collect();
                    owners.extend(found.into_iter().map(|(token, owner)| (token.id, Some(viewer_of(&token, owner)))));
                    self.known.send_replace(LookedUp { at: Some(at), owners: Arc::new(owners) });
                }
                // What is known grows old, and nobody is told anything until it can be looked at again.
                Ok(Err(error)) => tracing::warn!(%error, "the tokens of subscribers could not be looked up"),
                Err(error) => tracing::error!(%error, "the tokens of subscribers could not be looked up"),
            }
        }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Id, u32>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The rights of somebody that are watched over until this is dropped.
pub struct Watched {
    service: Data<Service>,
    viewer: Viewer,
    known: watch::Receiver<LookedUp>,
}

impl Watched {
    pub fn over(service: &Data<Service>, viewer: &Viewer) -> Self {
        let rights = &service.rights;
        if !viewer.is_external_jwt() {
            *rights.held().entry(viewer.token_id).or_default() += 1;
            rights.wake.notify_one();
        }
        Self { service: service.clone(), viewer: viewer.clone(), known: rights.known.subscribe() }
    }

    /// Whether the viewer may be told of what happens now: as of less than a second ago. Waits where that is not known.
    pub async fn stands(&mut self) -> bool {
        tokio::time::timeout(WAIT_AT_MOST, async {
            loop {
                if let Some(stands) = self.as_known() {
                    return stands;
                }
                self.service.rights.wake.notify_one();
                if self.known.changed().await.is_err() {
                    return false;
                }
            }
        })
        .await
        .unwrap_or(false)
    }

    /// Returns once the viewer may be told nothing any more.
    pub async fn lost(&mut self) {
        while self.as_known() != Some(false) {
            let expires =
                self.viewer.expires_at.map(|at| (at.utc() - Timestamp::now().utc()).to_std().unwrap_or_default());
            let expired = async {
                match expires {
                    Some(left) => tokio::time::sleep(left).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = self.known.changed() => if changed.is_err() {
                    return;
                },
                () = expired => {}
            }
        }
    }

    /// Whether the last look found that the viewer may be told nothing any more, however long ago that was.
    pub fn is_lost(&self) -> bool {
        self.has_expired() || self.found() == Some(false)
    }

    /// None where what is known is too old, or the token was not looked up yet.
    fn as_known(&self) -> Option<bool> {
        if self.has_expired() {
            return Some(false);
        }
        // Of a token of others nothing stands in the register.
        if self.viewer.is_external_jwt() {
            return Some(true);
        }
        match self.found() {
            Some(true) => {
                let at = self.known.borrow().at;
                at.is_some_and(|at| at.elapsed() < OLD_AFTER).then_some(true)
            }
            found => found,
        }
    }

    /// What the last look found: that the token is still valid, and its owner what it was.
    fn found(&self) -> Option<bool> {
        let known = self.known.borrow();
        let owner = known.owners.get(&self.viewer.token_id)?;
        Some(owner.as_ref().is_some_and(|owner| owner.has_rights_of(&self.viewer)))
    }

    fn has_expired(&self) -> bool {
        self.viewer.expires_at.is_some_and(|expires| expires <= Timestamp::now())
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let mut held = self.service.rights.held();
        if let Some(number) = held.get_mut(&self.viewer.token_id) {
            *number = number.saturating_sub(1);
            if *number == 0 {
                held.remove(&self.viewer.token_id);
            }
        }
    }
}
