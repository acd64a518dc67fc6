//! Admission control: how many tasks of a kind run at once, and which waiting task runs next.
//!
//! Each limited kind of work (database operations, statistics, SQL queries, exports) has a number of permits. A free
//! permit goes to the role that holds the fewest, then to its token that holds the fewest, then to the longest
//! waiting task (max–min fairness). A cap on permits per token leaves some for other tokens, however many requests
//! one sends.
//!
//! With 50 hostile connections at the same time, a page's p99 is 5.6 times that without them (docs/benchmarks.md). Six
//! operations at once on two processors, with answers written on the operation's thread
//! ([`operation_thread`](crate::graphql::execute::operation_thread)), brought p99 of a page with 32 connections from 54
//! to 30 ms.

use crate::access::Viewer;
use schema::Id;
use schema::enums::Role;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// The role and token a task runs for; None for requests without a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Owner {
    pub role: Option<Role>,
    pub token: Option<Id>,
}

impl Owner {
    /// The owner of a viewer's tasks.
    pub fn of(viewer: Option<&Viewer>) -> Self {
        Self { role: viewer.map(|viewer| viewer.role), token: viewer.map(|viewer| viewer.token_id) }
    }
}

/// The permits of one kind of work.
#[derive(Debug, Clone)]
pub struct Admission {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    free: usize,
    per_owner: usize,
    by_owner: HashMap<Owner, usize>,
    by_role: HashMap<Option<Role>, usize>,
    /// Waiting operations in order of arrival.
    waiting: Vec<Waiter>,
}

#[derive(Debug)]
struct Waiter {
    owner: Owner,
    admitted: oneshot::Sender<Permit>,
}

/// Permission to run one task, returned when dropped.
#[derive(Debug)]
pub struct Permit {
    owner: Owner,
    state: Arc<Mutex<State>>,
}

impl Admission {
    /// `places` permits in total, at most `per_owner` of them for one owner.
    pub fn new(places: usize, per_owner: usize) -> Self {
        let state =
            State { free: places, per_owner, by_owner: HashMap::new(), by_role: HashMap::new(), waiting: Vec::new() };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Waits for a permit. A dropped future leaves the queue.
    pub async fn acquire(&self, owner: Owner) -> Permit {
        loop {
            let waits = {
                let mut state = locked(&self.state);
                let (admitted, waits) = oneshot::channel();
                state.waiting.push(Waiter { owner, admitted });
                waits
            };
            admit_next(&self.state);
            // The sender is dropped only for a waiter that is gone.
            if let Ok(permit) = waits.await {
                return permit;
            }
        }
    }

    /// Like [`Self::acquire`], for at most `patience`; None if no permit became free.
    pub async fn acquire_within(&self, owner: Owner, patience: Duration) -> Option<Permit> {
        tokio::time::timeout(patience, self.acquire(owner)).await.ok()
    }
}

impl State {
    /// Removes the next waiter from the queue, if a permit is free for it.
    fn next(&mut self) -> Option<Waiter> {
        self.waiting.retain(|waiter| !waiter.admitted.is_closed());
        if self.free == 0 {
            return None;
        }
        let held = |owner: &Owner| self.by_owner.get(owner).copied().unwrap_or(0);
        let of_role = |owner: &Owner| self.by_role.get(&owner.role).copied().unwrap_or(0);
        let eligible = self.waiting.iter().enumerate().filter(|(_, waiter)| held(&waiter.owner) < self.per_owner);
        let (nth, _) = eligible.min_by_key(|(nth, waiter)| (of_role(&waiter.owner), held(&waiter.owner), *nth))?;
        let waiter = self.waiting.remove(nth);
        self.free -= 1;
        *self.by_owner.entry(waiter.owner).or_default() += 1;
        *self.by_role.entry(waiter.owner.role).or_default() += 1;
        Some(waiter)
    }

    fn give_back(&mut self, owner: Owner) {
        self.free += 1;
        decrement(&mut self.by_owner, &owner);
        decrement(&mut self.by_role, &owner.role);
    }
}

fn decrement<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Hands free permits to waiters.
fn admit_next(state: &Arc<Mutex<State>>) {
    loop {
        // Release the lock before sending: a permit that cannot be delivered is dropped, which takes the lock.
        let Some(waiter) = locked(state).next() else { return };
        drop(waiter.admitted.send(Permit { owner: waiter.owner, state: Arc::clone(state) }));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        locked(&self.state).give_back(self.owner);
        admit_next(&self.state);
    }
}

/// Limits concurrent database operations to a few per processor. With more, each thread would resume with a cold
/// cache, and every operation would finish later. One token cannot hold the last regular permit.
#[derive(Debug, Clone)]
pub struct OperationAdmission {
    few: Admission,
    more: Admission,
}

/// Permits per processor: one operation computes while the others wait for the database.
const PERMITS_PER_PROCESSOR: usize = 3;
/// An operation waits this long for a regular permit before it may take an extra one; a page takes a few milliseconds.
const PATIENCE: Duration = Duration::from_millis(50);
/// Upper bound of regular permits: half of the connection pool.
const MAX_REGULAR_PERMITS: usize = 8;
/// Extra permits for when the regular ones are held by slow or waiting operations. Two connections remain for other
/// work, such as token look-ups.
const EXTRA_PERMITS: usize = 6;
/// Extra permits of one token.
const EXTRA_PERMITS_PER_OWNER: usize = 4;

impl OperationAdmission {
    pub fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let few = (processors * PERMITS_PER_PROCESSOR).min(MAX_REGULAR_PERMITS);
        Self {
            few: Admission::new(few, few.saturating_sub(1).max(1)),
            more: Admission::new(EXTRA_PERMITS, EXTRA_PERMITS_PER_OWNER),
        }
    }

    /// Waits for a permit: a regular one, or after `PATIENCE` also an extra one.
    pub async fn acquire(&self, owner: Owner) -> Permit {
        let more = async {
            tokio::time::sleep(PATIENCE).await;
            self.more.acquire(owner).await
        };
        tokio::select! {
            biased;
            permit = self.few.acquire(owner) => permit,
            permit = more => permit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use futures_util::future::BoxFuture;

    fn owner(role: Role, token: u128) -> Owner {
        Owner { role: Some(role), token: Some(Id(uuid::Uuid::from_u128(token))) }
    }

    fn waits(admission: &Admission, owner: Owner) -> BoxFuture<'static, Permit> {
        let admission = admission.clone();
        let mut waits = async move { admission.acquire(owner).await }.boxed();
        assert!((&mut waits).now_or_never().is_none(), "there is no place yet");
        waits
    }

    fn admitted(waits: &mut BoxFuture<'static, Permit>) -> Option<Permit> {
        waits.now_or_never()
    }

    #[test]
    fn a_token_leaves_a_place_for_the_next() {
        let admission = Admission::new(3, 2);
        let (greedy, other) = (owner(Role::Dashboard, 1), owner(Role::Dashboard, 2));
        let first = admission.acquire(greedy).now_or_never().expect("a place");
        let _second = admission.acquire(greedy).now_or_never().expect("a place");
        let mut third = waits(&admission, greedy);
        let _served = admission.acquire(other).now_or_never().expect("the place that was left");
        drop(first);
        assert!(admitted(&mut third).is_some());
    }

    #[test]
    fn the_role_and_then_the_token_with_the_fewest_places_is_next() {
        let admission = Admission::new(3, 3);
        let (greedy, same_role, board) = (owner(Role::Dashboard, 1), owner(Role::Dashboard, 2), owner(Role::Board, 3));
        let first = admission.acquire(greedy).now_or_never().expect("a place");
        let second = admission.acquire(greedy).now_or_never().expect("a place");
        let _third = admission.acquire(greedy).now_or_never().expect("a place");
        let mut again = waits(&admission, greedy);
        let mut of_role = waits(&admission, same_role);
        let mut of_board = waits(&admission, board);
        drop(first);
        let _board = admitted(&mut of_board).expect("the role with none comes first");
        assert!(admitted(&mut of_role).is_none());
        drop(second);
        let _same = admitted(&mut of_role).expect("then the token with none");
        assert!(admitted(&mut again).is_none());
    }

    #[test]
    fn a_caller_that_stops_waiting_loses_no_place() {
        let admission = Admission::new(1, 1);
        let (one, two) = (owner(Role::Board, 1), owner(Role::Board, 2));
        let held = admission.acquire(one).now_or_never().expect("a place");
        let gone = waits(&admission, two);
        let gone_when_admitted = waits(&admission, two);
        drop(gone);
        drop(held);
        drop(gone_when_admitted);
        assert!(admission.acquire(one).now_or_never().is_some());
    }
}
