//! The stream of a connection that watches what it receives.

use super::framing::{Framing, Seen};
use super::{Activity, Place};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// A stream with a place among the connections of the node. Reading fails once the place is needed for another, or the
/// request takes too long to arrive.
#[derive(Debug)]
pub struct Guarded<T> {
    stream: T,
    place: Place,
    framing: Framing,
    /// Runs while a request arrives, and the number of those that had arrived when it began.
    timer: Option<(u64, Pin<Box<Sleep>>)>,
    /// Runs while the client takes less than it is sent, and the bytes that it has taken since.
    slow: Option<(u64, Pin<Box<Sleep>>)>,
}

/// How long it is watched how much a client takes of what is sent to it.
const WATCHED_FOR: Duration = Duration::from_secs(30);
/// How much a client takes in that time at least.
const TAKES_AT_LEAST: u64 = 4 * 1024 * WATCHED_FOR.as_secs();

impl<T> Guarded<T> {
    pub fn new(stream: T, place: Place) -> Self {
        Self { stream, place, framing: Framing::new(), timer: None, slow: None }
    }

    /// Looks whether it may go on, and arranges to be woken when it may not.
    fn may_go_on(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        self.place.slot.waker.register(context.waker());
        if self.place.is_evicted() {
            return Err(io::Error::new(io::ErrorKind::ConnectionReset, "the connection was closed for others"));
        }
        if let Some((_, timer)) = &mut self.timer
            && timer.as_mut().poll(context).is_ready()
        {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the request took too long to arrive"));
        }
        Ok(())
    }

    /// Passes on what became of sending; fails once the client has taken too little for some time.
    fn sent<R>(&mut self, sent: Poll<io::Result<R>>, context: &mut Context<'_>) -> Poll<io::Result<R>> {
        if sent.is_ready() {
            return sent;
        }
        let (taken, timer) = self.slow.get_or_insert_with(|| (0, Box::pin(sleep(WATCHED_FOR))));
        if timer.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        if *taken < TAKES_AT_LEAST {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client reads too slowly")));
        }
        *taken = 0;
        timer.as_mut().reset(Instant::now() + WATCHED_FOR);
        // The timer has to be told whom to wake.
        let _pending = timer.as_mut().poll(context);
        Poll::Pending
    }

    /// Follows what was received.
    fn received(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        match self.framing.feed(bytes) {
            Seen::Fine => {}
            // The parser answers a character that no head may hold with 400 and closes the connection.
            Seen::BareLineFeed(at) => bytes[at] = 0,
            Seen::Malformed => return Err(io::Error::new(io::ErrorKind::InvalidData, "the request is malformed")),
        }
        if !self.framing.is_within_request() {
            self.place.becomes(Activity::Serving);
            self.timer = None;
            return Ok(());
        }
        self.place.becomes(Activity::Receiving);
        // One that follows the last at once has a time of its own.
        let ended = self.framing.ended();
        if self.timer.as_ref().is_none_or(|(began, _)| *began != ended) {
            self.timer = Some((ended, Box::pin(sleep(self.place.limits().request))));
        }
        Ok(())
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Guarded<T> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.may_go_on(context)?;
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        if matches!(read, Poll::Ready(Ok(()))) && buffer.filled().len() > before {
            this.received(&mut buffer.filled_mut()[before..])?;
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
        if let (Poll::Ready(Ok(number)), Some((taken, _))) = (&written, &mut this.slow) {
            *taken += *number as u64;
        }
        this.place.touch();
        if matches!(written, Poll::Ready(Ok(_)))
            && this.framing.asks_for_upgrade()
            && bytes.starts_with(b"HTTP/1.1 101")
        {
            this.framing.upgraded();
        }
        this.sent(written, context)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.stream).poll_flush(context);
        // It is called once everything is written.
        if flushed.is_ready() {
            this.slow = None;
        }
        this.sent(flushed, context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
