//! Connection limits of a node, and which connection it closes when there are too many.
//!
//! A client can occupy connections by sending half a request on each (slow-loris attack). The node closes a
//! connection whose request does not arrive in time, and the oldest one of an address that has too many incomplete
//! requests. A full node closes a connection of the address that has the most: first one with an incomplete request,
//! then an idle one, then the one that has been quiet longest. So a new client, such as a health check, is always
//! admitted.
//!
//! actix-web only has a limit per worker, beyond which it stops accepting, and no time limit for request bodies.

mod framing;
mod service;
mod stream;

pub use framing::LARGEST_FRAME;
pub use service::http_server;
use stream::Guarded;

use futures_util::task::AtomicWaker;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The connection limits of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Concurrent connections of the node.
    pub connections: usize,
    /// Incomplete requests of one address.
    pub incomplete_per_address: usize,
    /// Time from the first byte of a request to its last.
    pub request: Duration,
}

/// The state of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Activity {
    /// Waits for the first byte of a request.
    Idle,
    /// A request is arriving.
    Receiving,
    /// A request has arrived and is being answered, or the connection is a WebSocket.
    Serving,
    /// Marked to be closed.
    Evicted,
}

impl Activity {
    const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Idle,
            1 => Self::Receiving,
            2 => Self::Serving,
            _ => Self::Evicted,
        }
    }
}

/// The open connections of a node.
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

/// The bookkeeping entry of one connection.
#[derive(Debug)]
pub(super) struct Slot {
    id: u64,
    address: IpAddr,
    activity: AtomicU8,
    /// Time of the last state change or activity, in milliseconds since the node started.
    since: AtomicU64,
    waker: AtomicWaker,
}

impl Slot {
    fn activity(&self) -> Activity {
        Activity::from_code(self.activity.load(Ordering::SeqCst))
    }
}

impl Connections {
    pub fn new(limits: ConnectionLimits) -> Arc<Self> {
        Arc::new(Self { limits, began: Instant::now(), open: Mutex::default() })
    }

    /// Registers a new connection; on a full node, evicts another one.
    pub(super) fn admit(self: &Arc<Self>, peer: SocketAddr) -> Place {
        let address = network(peer);
        let mut open = self.open();
        if open.number >= self.limits.connections
            && let Some(slot) = open.eviction_candidate()
        {
            open.evict(&slot);
        }
        open.next += 1;
        open.number += 1;
        let slot = Arc::new(Slot {
            id: open.next,
            address,
            activity: AtomicU8::new(Activity::Idle as u8),
            since: AtomicU64::new(self.now()),
            waker: AtomicWaker::new(),
        });
        open.by_address.entry(address).or_default().push(Arc::clone(&slot));
        Place { slot, connections: Arc::clone(self) }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn open(&self) -> std::sync::MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Number of open connections.
    pub fn number(&self) -> usize {
        self.open().number
    }
}

impl Open {
    /// Marks a connection to be closed. It no longer counts: the next one takes its place.
    fn evict(&mut self, slot: &Slot) {
        slot.activity.store(Activity::Evicted as u8, Ordering::SeqCst);
        self.number -= 1;
        slot.waker.wake();
    }

    /// The connection to evict: the least useful one of the address with the most connections. Among addresses with
    /// equally many, the least useful of all their connections, so that the choice does not depend on hash order.
    fn eviction_candidate(&self) -> Option<Arc<Slot>> {
        let rank = |slot: &Slot| match slot.activity() {
            Activity::Receiving => Some(0),
            Activity::Idle => Some(1),
            Activity::Serving => Some(2),
            Activity::Evicted => None,
        };
        let of_addresses = self.by_address.values().filter_map(|slots| {
            let live =
                slots.iter().filter_map(|slot| Some((rank(slot)?, slot.since.load(Ordering::Relaxed), slot.id, slot)));
            let number = slots.iter().filter(|slot| slot.activity() != Activity::Evicted).count();
            let (rank, since, id, slot) = live.min_by_key(|(rank, since, id, _)| (*rank, *since, *id))?;
            Some(((std::cmp::Reverse(number), rank, since, id), slot))
        });
        of_addresses.min_by_key(|(key, _)| *key).map(|(_, slot)| Arc::clone(slot))
    }
}

/// The address of a client; for IPv6 its /64 network, because one client has many addresses there.
pub(super) fn network(peer: SocketAddr) -> IpAddr {
    match peer.ip().to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

/// The place of a connection among those of the node, given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    slot: Arc<Slot>,
    connections: Arc<Connections>,
}

impl Place {
    /// Changes the state of the connection. If its address then has too many incomplete requests, the oldest is
    /// evicted.
    fn becomes(&self, activity: Activity) {
        let code = self.slot.activity.load(Ordering::SeqCst);
        if code == activity as u8 || Activity::from_code(code) == Activity::Evicted {
            return self.touch();
        }
        self.slot.since.store(self.connections.now(), Ordering::Relaxed);
        // Fails if the connection was evicted meanwhile.
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

    /// Records that bytes were received or sent.
    fn touch(&self) {
        // The age of an incomplete request counts from its first byte.
        if self.slot.activity() == Activity::Serving {
            self.slot.since.store(self.connections.now(), Ordering::Relaxed);
        }
    }

    fn is_evicted(&self) -> bool {
        self.slot.activity() == Activity::Evicted
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

    const HERE: &str = "127.0.0.1:1";
    const THERE: &str = "192.0.2.1:1";

    fn admit(connections: &Arc<Connections>, peer: &str) -> Place {
        connections.admit(peer.parse().expect("an address"))
    }

    #[test]
    fn the_oldest_incomplete_request_of_an_address_goes_first() {
        let connections = connections(100, 2);
        let other = admit(&connections, THERE);
        other.becomes(Activity::Receiving);
        let places: Vec<Place> = (0..3).map(|_| admit(&connections, HERE)).collect();
        places.iter().for_each(|place| place.becomes(Activity::Receiving));
        assert_eq!(places.iter().map(Place::is_evicted).collect::<Vec<_>>(), [true, false, false]);
        assert!(!other.is_evicted(), "each address has its own limit");
        // A complete request does not count as incomplete.
        places[1].becomes(Activity::Serving);
        let late = admit(&connections, HERE);
        late.becomes(Activity::Receiving);
        assert!(!places[1].is_evicted() && !places[2].is_evicted());
    }

    #[test]
    fn a_full_node_closes_what_is_missed_least_of_the_address_that_has_the_most() {
        let connections = connections(4, 10);
        let honest = admit(&connections, THERE);
        honest.becomes(Activity::Receiving);
        let [served, idle, receiving] = [(); 3].map(|()| admit(&connections, HERE));
        served.becomes(Activity::Serving);
        receiving.becomes(Activity::Receiving);
        let mut newcomers = Vec::new();
        for (gone, peer) in [(&receiving, "192.0.2.2:1"), (&idle, "192.0.2.3:1")] {
            let newcomer = admit(&connections, peer);
            newcomer.becomes(Activity::Serving);
            newcomers.push(newcomer);
            assert!(gone.is_evicted() && !served.is_evicted() && !honest.is_evicted());
        }
        // Now every address has one connection: the incomplete request is evicted.
        let _newcomer = admit(&connections, HERE);
        assert!(honest.is_evicted() && !served.is_evicted());
        assert_eq!(connections.number(), 4);
        drop((served, idle, receiving, honest, newcomers));
        assert_eq!(connections.number(), 1);
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_count_together() {
        let of = |peer: &str| network(peer.parse().expect("an address"));
        assert_eq!(of("[2001:db8:1:2:3::4]:5"), of("[2001:db8:1:2::9]:5"));
        assert_ne!(of("[2001:db8:1:2::4]:5"), of("[2001:db8:1:3::4]:5"));
        assert_eq!(of("[::ffff:192.0.2.1]:5"), of("192.0.2.1:7"));
    }
}
