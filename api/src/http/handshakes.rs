//! Limits WebSockets per address whose client has not authenticated yet; beyond the limit, the oldest is closed.

use super::connections::network;
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// The unauthenticated sockets of a node.
#[derive(Debug)]
pub struct Handshakes {
    per_address: usize,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    by_address: HashMap<IpAddr, VecDeque<(u64, oneshot::Sender<()>)>>,
}

/// An unauthenticated socket, removed when dropped.
#[derive(Debug)]
pub struct Handshake {
    all: Arc<Handshakes>,
    address: IpAddr,
    number: u64,
    evicted: oneshot::Receiver<()>,
}

impl Handshakes {
    pub fn new(per_address: usize) -> Arc<Self> {
        Arc::new(Self { per_address, waiting: Mutex::default() })
    }

    /// Registers a socket; if its address has too many, evicts the oldest.
    pub fn begin(self: &Arc<Self>, peer: SocketAddr) -> Handshake {
        let address = network(peer);
        let (evict, evicted) = oneshot::channel();
        let mut waiting = self.waiting();
        waiting.next += 1;
        let number = waiting.next;
        let of_address = waiting.by_address.entry(address).or_default();
        if of_address.len() >= self.per_address
            && let Some((_, oldest)) = of_address.pop_front()
        {
            // Fails if that socket has already ended.
            let _gone = oldest.send(());
        }
        of_address.push_back((number, evict));
        Handshake { all: Arc::clone(self), address, number, evicted }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Handshake {
    /// Returns once this socket is evicted.
    pub async fn evicted(&mut self) {
        // The sender stays in the queue of the address until it evicts this socket.
        let _word = (&mut self.evicted).await;
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        let mut waiting = self.all.waiting();
        if let Some(of_address) = waiting.by_address.get_mut(&self.address) {
            of_address.retain(|(number, _)| *number != self.number);
            if of_address.is_empty() {
                waiting.by_address.remove(&self.address);
            }
        }
    }
}
