//! The connections of a node: how many there are, and which one goes when there are too many.
//!
//! A client that opens connections and sends half a request holds a place in each. Such a connection is closed when its
//! request is not there in time, and at once when its address has too many of them or the node is full: the oldest goes, so
//! that a client that does send its request is served. Connections beyond the limit of the node live for two seconds, which
//! is enough for a health check.
//!
//! actix-web limits connections for each worker only and stops to accept beyond; it has no time limit for bodies.

mod framing;
mod service;
mod stream;

pub use service::http_server;
use stream::Guarded;

use futures_util::task::AtomicWaker;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a connection beyond the limit of the node lives.
const BRIEF: Duration = Duration::from_secs(2);
/// Connections beyond the limit of the node.
const RESERVE: usize = 32;

/// How many connections a node has, and how long a request may take to arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Connections of the node.
    pub connections: usize,
    /// Connections of one address whose request has begun to arrive and is not there.
    pub incomplete_per_address: usize,
    /// How long a request may take to arrive, from its first byte to its last.
    pub request: Duration,
}

/// What a connection does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Activity {
    /// No byte of a request has arrived since the last one.
    Idle,
    /// A request has begun to arrive.
    Receiving,
    /// A whole request has arrived, and its answer is not finished; also a WebSocket.
    Serving,
    /// It has to be closed.
    Evicted,
}

impl Activity {
    const fn of(code: u8) -> Self {
        match code {
            0 => Self::Idle,
            1 => Self::Receiving,
            2 => Self::Serving,
            _ => Self::Evicted,
        }
    }
}

/// The connections of a node.
#[derive(Debug)]
pub struct Connections {
    limits: ConnectionLimits,
    began: Instant,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    number: usize,
    by_address: HashMap<IpAddr, Vec<Arc<Slot>>>,
}

/// The place of one connection; it is given back when the last of its owners drops it.
#[derive(Debug)]
pub(super) struct Slot {
    id: u64,
    address: IpAddr,
    activity: AtomicU8,
    /// Since when, in milliseconds of the node.
    since: AtomicU64,
    /// Whether it lies beyond the limit of the node.
    is_brief: bool,
    waker: AtomicWaker,
}

impl Slot {
    fn activity(&self) -> Activity {
        Activity::of(self.activity.load(Ordering::SeqCst))
    }
}

impl Connections {
    pub fn new(limits: ConnectionLimits) -> Arc<Self> {
        Arc::new(Self { limits, began: Instant::now(), open: Mutex::default() })
    }

    /// A place for a new connection; None where there is none, not even one of the reserve.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let mut open = self.open();
        if open.number >= self.limits.connections
            && let Some(slot) = open.oldest(Activity::Receiving).or_else(|| open.oldest(Activity::Idle))
        {
            open.evict(&slot);
        }
        let is_full = open.number >= self.limits.connections;
        if open.number >= self.limits.connections + RESERVE {
            return None;
        }
        open.next += 1;
        open.number += 1;
        let slot = Arc::new(Slot {
            id: open.next,
            address,
            activity: AtomicU8::new(Activity::Idle as u8),
            since: AtomicU64::new(self.now()),
            is_brief: is_full,
            waker: AtomicWaker::new(),
        });
        open.by_address.entry(address).or_default().push(Arc::clone(&slot));
        Some(Place { slot, connections: Arc::clone(self) })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn open(&self) -> std::sync::MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many there are.
    pub fn number(&self) -> usize {
        self.open().number
    }
}

impl Open {
    /// Has a connection closed. It does not count from now on: another one has its place.
    fn evict(&mut self, slot: &Slot) {
        slot.activity.store(Activity::Evicted as u8, Ordering::SeqCst);
        self.number -= 1;
        slot.waker.wake();
    }

    /// The connection that has done this for the longest time.
    fn oldest(&self, activity: Activity) -> Option<Arc<Slot>> {
        let all = self.by_address.values().flatten();
        let such = all.filter(|slot| slot.activity() == activity);
        such.min_by_key(|slot| slot.since.load(Ordering::Relaxed)).cloned()
    }
}

/// The place of a connection.
#[derive(Debug)]
pub(super) struct Place {
    slot: Arc<Slot>,
    connections: Arc<Connections>,
}

impl Place {
    /// Says what the connection does from now on. Where its address has too many incomplete requests by this one, the
    /// oldest of these is closed.
    fn becomes(&self, activity: Activity) {
        let code = self.slot.activity.load(Ordering::SeqCst);
        if code == activity as u8 || Activity::of(code) == Activity::Evicted {
            return;
        }
        self.slot.since.store(self.connections.now(), Ordering::Relaxed);
        // What was evicted meanwhile stays so.
        let changed = self.slot.activity.compare_exchange(code, activity as u8, Ordering::SeqCst, Ordering::SeqCst);
        if changed.is_err() || activity != Activity::Receiving {
            return;
        }
        let mut open = self.connections.open();
        let of_address = open.by_address.get(&self.slot.address).map(Vec::as_slice).unwrap_or_default();
        let incomplete = || of_address.iter().filter(|slot| slot.activity() == Activity::Receiving);
        if incomplete().count() <= self.connections.limits.incomplete_per_address {
            return;
        }
        let oldest = incomplete().min_by_key(|slot| (slot.since.load(Ordering::Relaxed), slot.id)).cloned();
        if let Some(oldest) = oldest {
            open.evict(&oldest);
        }
    }

    fn is_evicted(&self) -> bool {
        self.slot.activity() == Activity::Evicted
    }

    /// How long the connection lives at most, where that is limited.
    fn lives(&self) -> Option<Duration> {
        self.slot.is_brief.then_some(BRIEF)
    }

    fn limits(&self) -> &ConnectionLimits {
        &self.connections.limits
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.connections.open();
        if !self.is_evicted() {
            open.number -= 1;
        }
        if let Some(of_address) = open.by_address.get_mut(&self.slot.address) {
            of_address.retain(|slot| slot.id != self.slot.id);
            if of_address.is_empty() {
                open.by_address.remove(&self.slot.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections(number: usize, incomplete: usize) -> Arc<Connections> {
        let request = Duration::from_secs(10);
        Connections::new(ConnectionLimits { connections: number, incomplete_per_address: incomplete, request })
    }

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    #[test]
    fn the_oldest_incomplete_request_of_an_address_goes_first() {
        let connections = connections(100, 2);
        let other = connections.admit(THERE).expect("a place");
        other.becomes(Activity::Receiving);
        let places: Vec<Place> = (0..3).map(|_| connections.admit(HERE).expect("a place")).collect();
        places.iter().for_each(|place| place.becomes(Activity::Receiving));
        assert_eq!(places.iter().map(Place::is_evicted).collect::<Vec<_>>(), [true, false, false]);
        assert!(!other.is_evicted(), "another address has its own");
        // A request that has arrived is not incomplete.
        places[1].becomes(Activity::Serving);
        let late = connections.admit(HERE).expect("a place");
        late.becomes(Activity::Receiving);
        assert!(!places[1].is_evicted() && !places[2].is_evicted());
    }

    #[test]
    fn a_full_node_closes_what_waits_and_has_a_reserve() {
        let connections = connections(2, 10);
        let served = connections.admit(HERE).expect("a place");
        served.becomes(Activity::Serving);
        let idle = connections.admit(THERE).expect("a place");
        let next = connections.admit(HERE).expect("its place");
        assert!(idle.is_evicted() && !served.is_evicted());
        next.becomes(Activity::Serving);
        let brief = (0..RESERVE).filter_map(|_| connections.admit(HERE));
        let brief: Vec<Place> = brief.inspect(|place| place.becomes(Activity::Serving)).collect();
        assert_eq!((next.lives(), brief[0].lives()), (None, Some(BRIEF)));
        assert!(brief.len() == RESERVE && connections.admit(HERE).is_none(), "the reserve ends");
        drop((idle, brief, next));
        assert_eq!(connections.number(), 1);
        assert_eq!(connections.admit(HERE).expect("a place").lives(), None);
    }
}
