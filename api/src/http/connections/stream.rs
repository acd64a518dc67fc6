//! The byte stream of a connection, with eviction, framing checks and timeouts for slow clients.

use super::framing::{FeedResult, Framing};
use super::{Activity, Place};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// A stream registered with the node's connections. Reads fail once the connection is evicted or the request takes
/// too long to arrive.
#[derive(Debug)]
pub struct Guarded<T> {
    stream: T,
    place: Place,
    framing: Framing,
    /// The timer of the incomplete request, with the number of complete requests when it started.
    timer: Option<(u64, Pin<Box<Sleep>>)>,
    /// The timer of a blocked write, with the bytes that the client has accepted since it started.
    slow: Option<(u64, Pin<Box<Sleep>>)>,
}

/// Interval in which a slow client must accept at least `TAKES_AT_LEAST` bytes.
const WATCHED_FOR: Duration = Duration::from_secs(30);
/// 4 KiB per second.
const TAKES_AT_LEAST: u64 = 4 * 1024 * WATCHED_FOR.as_secs();

impl<T> Guarded<T> {
    pub fn new(stream: T, place: Place) -> Self {
        Self { stream, place, framing: Framing::new(), timer: None, slow: None }
    }

    /// Fails if the connection is evicted or its request is late; registers the task to be woken when that happens.
    fn check_evicted(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        self.place.slot.waker.register(context.waker());
        if self.place.is_evicted() {
            return Err(io::Error::new(io::ErrorKind::ConnectionReset, "the connection was closed to admit others"));
        }
        if let Some((_, timer)) = &mut self.timer
            && timer.as_mut().poll(context).is_ready()
        {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the request took too long to arrive"));
        }
        Ok(())
    }

    /// Passes on the result of a write; fails if the client accepted too few bytes within the interval.
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
        // Register the waker with the new timer.
        let _pending = timer.as_mut().poll(context);
        Poll::Pending
    }

    /// Feeds received bytes to the framing check and updates the state of the connection.
    fn received(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        match self.framing.feed(bytes) {
            FeedResult::Fine => {}
            // actix-http answers a NUL in a head with 400 and closes the connection.
            FeedResult::BareLineFeed(at) => bytes[at] = 0,
            FeedResult::Malformed => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the request is malformed"));
            }
        }
        if !self.framing.is_within_request() {
            self.place.becomes(Activity::Serving);
            self.timer = None;
            return Ok(());
        }
        self.place.becomes(Activity::Receiving);
        // A pipelined request gets a timer of its own.
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
        this.check_evicted(context)?;
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        if matches!(read, Poll::Ready(Ok(()))) && buffer.filled().len() > before {
            this.received(&mut buffer.filled_mut()[before..])?;
            // Register the waker with a new timer.
            this.check_evicted(context)?;
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
        // A flush completes once everything is written.
        if flushed.is_ready() {
            this.slow = None;
        }
        this.sent(flushed, context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
