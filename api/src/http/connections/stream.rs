//! The stream of a connection that watches what it receives.

use super::framing::{Framing, Seen};
use super::{Activity, Connections, Place};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

/// A stream with a place among the connections of the node. Reading fails once the place is needed for another, or the
/// request takes too long to arrive.
#[derive(Debug)]
pub struct Guarded<T> {
    stream: T,
    place: Place,
    framing: Framing,
    /// When it ends, whatever it does.
    ends: Option<Instant>,
    /// Since when a request arrives.
    receiving_since: Option<Instant>,
    /// Wakes the reader at the earlier of both.
    timer: Option<Pin<Box<Sleep>>>,
    /// Runs while the client takes nothing of what is sent.
    stalled: Option<Pin<Box<Sleep>>>,
}

/// How long a client may take nothing of what is sent to it.
const STALLS_FOR: Duration = Duration::from_secs(30);

impl<T> Guarded<T> {
    /// Takes a place for a connection.
    ///
    /// # Errors
    /// Where the node has no place left.
    pub fn new(stream: T, peer: SocketAddr, connections: &Arc<Connections>) -> io::Result<Self> {
        // A client has many addresses of one IPv6 network.
        let Some(place) = connections.admit(network(peer)) else {
            return Err(io::Error::other("the node has no place left for a connection"));
        };
        let ends = place.lives().map(|lives| Instant::now() + lives);
        let timer = ends.map(|ends| Box::pin(sleep_until(ends)));
        Ok(Self { stream, place, framing: Framing::new(), ends, receiving_since: None, timer, stalled: None })
    }

    /// Looks whether it may go on, and arranges to be woken when it may not.
    fn may_go_on(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        self.place.slot.waker.register(context.waker());
        if self.place.is_evicted() {
            return Err(io::Error::new(io::ErrorKind::ConnectionReset, "the connection was closed for others"));
        }
        if let Some(timer) = &mut self.timer
            && timer.as_mut().poll(context).is_ready()
        {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the request took too long to arrive"));
        }
        Ok(())
    }

    /// Passes on what became of sending; fails once the client has taken nothing for too long.
    fn progressed<R>(&mut self, sent: Poll<io::Result<R>>, context: &mut Context<'_>) -> Poll<io::Result<R>> {
        if sent.is_ready() {
            self.stalled = None;
            return sent;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(STALLS_FOR)));
        match stalled.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client reads nothing"))),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Follows what was received.
    fn received(&mut self, bytes: &mut [u8]) {
        if let Seen::BareLineFeed(at) = self.framing.feed(bytes) {
            // The parser answers a character that no head may hold with 400 and closes the connection.
            bytes[at] = 0;
        }
        let receives = self.framing.is_within_request();
        self.place.becomes(if receives { Activity::Receiving } else { Activity::Serving });
        match (receives, self.receiving_since) {
            (true, None) => {
                let now = Instant::now();
                self.receiving_since = Some(now);
                let until = now + self.place.limits().request;
                let until = self.ends.map_or(until, |ends| ends.min(until));
                self.timer = Some(Box::pin(sleep_until(until)));
            }
            (false, Some(_)) => {
                self.receiving_since = None;
                self.timer = self.ends.map(|ends| Box::pin(sleep_until(ends)));
            }
            _ => {}
        }
    }
}

/// The address of a client, of an IPv6 client that of its network.
fn network(peer: SocketAddr) -> std::net::IpAddr {
    match peer.ip().to_canonical() {
        std::net::IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Guarded<T> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.may_go_on(context)?;
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        if matches!(read, Poll::Ready(Ok(()))) && buffer.filled().len() > before {
            this.received(&mut buffer.filled_mut()[before..]);
            // A timer that is new has to be told whom to wake.
            this.may_go_on(context)?;
        }
        read
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Guarded<T> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.place.is_evicted() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        if matches!(written, Poll::Ready(Ok(_)))
            && this.framing.asks_for_upgrade()
            && bytes.starts_with(b"HTTP/1.1 101")
        {
            this.framing.upgraded();
        }
        this.progressed(written, context)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.stream).poll_flush(context);
        this.progressed(flushed, context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
