//! How much runs at once, and who is next.
//!
//! Whatever is limited (operations on the database, statistics, questions in SQL, exports) has places. A place that becomes
//! free goes to the role that holds the fewest, within it to the token that holds the fewest, and among equals to the one
//! that has waited longest (max–min fairness). A token holds at most so many at once, so that the next one to come finds a
//! place however many requests another token sends.

use crate::auth::Viewer;
use schema::Id;
use schema::enums::Role;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// For whom something runs; None stands for requests without a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Owner {
    pub role: Option<Role>,
    pub token: Option<Id>,
}

impl Owner {
    /// Whoever asks.
    pub fn of(viewer: Option<&Viewer>) -> Self {
        Self { role: viewer.map(|viewer| viewer.role), token: viewer.map(|viewer| viewer.token_id) }
    }
}

/// Places of one kind.
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
    /// In the order in which they came.
    waiting: Vec<Waiter>,
}

#[derive(Debug)]
struct Waiter {
    owner: Owner,
    admitted: oneshot::Sender<Permit>,
}

/// A place that is taken until this is dropped.
#[derive(Debug)]
pub struct Permit {
    owner: Owner,
    state: Arc<Mutex<State>>,
}

impl Admission {
    /// `places` in all, of which one owner holds at most `per_owner`.
    pub fn new(places: usize, per_owner: usize) -> Self {
        let state =
            State { free: places, per_owner, by_owner: HashMap::new(), by_role: HashMap::new(), waiting: Vec::new() };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Waits for a place. A caller that stops waiting gives up its turn.
    pub async fn acquire(&self, owner: Owner) -> Permit {
        loop {
            let waits = {
                let mut state = locked(&self.state);
                let (admitted, waits) = oneshot::channel();
                state.waiting.push(Waiter { owner, admitted });
                waits
            };
            admit_next(&self.state);
            // The sender is only dropped for a waiter that is gone.
            if let Ok(permit) = waits.await {
                return permit;
            }
        }
    }

    /// The same, but no longer than `patience`; None where no place became free.
    pub async fn acquire_within(&self, owner: Owner, patience: Duration) -> Option<Permit> {
        tokio::time::timeout(patience, self.acquire(owner)).await.ok()
    }
}

impl State {
    /// Takes the next of those that wait, as far as there is a place for it.
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

/// Hands free places to those that wait.
fn admit_next(state: &Arc<Mutex<State>>) {
    loop {
        // The lock is released before the permit is sent: one that nobody takes is given back at once.
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

/// How many operations use the database at once: a few for each processor. More would take turns on it, each on a thread
/// whose memory is cold by then, and all would be later.
#[derive(Debug, Clone)]
pub struct OperationAdmission {
    few: Admission,
    more: Admission,
}

/// For each processor: one computes, the others wait for the database.
const OF_A_PROCESSOR: usize = 3;
/// How long an operation waits for one of the few, of which one token leaves one; a page takes a few milliseconds.
const PATIENCE: Duration = Duration::from_millis(50);
/// The most of the few: half of the connections to the database.
const MOST_OF_THE_FEW: usize = 8;
/// How many more run where the few are slow, or only wait for something else. Two connections are left for what is no
/// operation, the look-up of a token, say.
const MORE: usize = 6;
/// How many of these one token has.
const MORE_OF_AN_OWNER: usize = 4;

impl OperationAdmission {
    pub fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let few = (processors * OF_A_PROCESSOR).min(MOST_OF_THE_FEW);
        Self { few: Admission::new(few, few.saturating_sub(1).max(1)), more: Admission::new(MORE, MORE_OF_AN_OWNER) }
    }

    /// Waits for a place.
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
