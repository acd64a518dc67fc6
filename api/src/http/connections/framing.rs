//! Follows the framing of HTTP/1.1 requests (RFC 9112) and WebSocket frames (RFC 6455) in the bytes of a connection.
//!
//! actix-http accepts a bare LF as a line end, which proxies on the way may not. If two parsers disagree about where
//! a request ends, a client can smuggle a request past the one that checks it. This module finds bare LFs in heads
//! and limits the length of lines and frames; actix-http parses everything else.

/// Largest head kept to find the body's length, in bytes; actix-http refuses larger ones.
const LARGEST_HEAD: usize = 256 * 1024;
/// Longest line with a chunk size, and longest trailer line, in bytes.
const LONGEST_LINE: usize = 4 * 1024;
/// Largest WebSocket frame, in bytes. actix-http checks the size of a frame only after it has buffered all of it.
pub const LARGEST_FRAME: usize = 64 * 1024;

/// The state of the parser: where the next byte belongs.
#[derive(Debug)]
enum ParserState {
    /// Before the first byte of a request; empty lines may precede it.
    Start,
    Head,
    Body(u64),
    /// The line with the size of a chunk.
    ChunkSize,
    /// A chunk with the line end after it.
    Chunk(u64),
    /// After the last chunk: trailer lines up to an empty one.
    Trailers,
    /// The head of a WebSocket frame (RFC 6455, section 5.2).
    FrameHead,
    /// The payload of a frame.
    Payload(u64),
    /// Malformed input: the connection is about to be closed.
    Malformed,
}

/// The result of feeding some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedResult {
    /// No violation.
    Fine,
    /// The byte at this index is an LF without a CR.
    BareLineFeed(usize),
    /// A line or frame is too long, or a length is not a number.
    Malformed,
}

/// Parser state of one connection.
#[derive(Debug)]
pub struct Framing {
    state: ParserState,
    /// The bytes of the unfinished line or head.
    kept: Vec<u8>,
    /// Whether the current request asks for a protocol upgrade.
    asks_for_upgrade: bool,
    /// Number of complete requests.
    ended: u64,
}

impl Framing {
    pub fn new() -> Self {
        Self { state: ParserState::Start, kept: Vec::new(), asks_for_upgrade: false, ended: 0 }
    }

    /// Whether a request is incomplete.
    pub fn is_within_request(&self) -> bool {
        !matches!(self.state, ParserState::Start | ParserState::FrameHead | ParserState::Payload(_))
    }

    pub fn ended(&self) -> u64 {
        self.ended
    }

    /// Whether the last request asks for a protocol upgrade.
    pub fn asks_for_upgrade(&self) -> bool {
        self.asks_for_upgrade
    }

    /// Switches to WebSocket frames.
    pub fn upgraded(&mut self) {
        self.kept.clear();
        self.state = ParserState::FrameHead;
    }

    /// Parses the next bytes; after a bare LF, all further input is malformed.
    pub fn feed(&mut self, bytes: &[u8]) -> FeedResult {
        let mut next = 0;
        while next < bytes.len() {
            match &mut self.state {
                ParserState::FrameHead => {
                    self.kept.push(bytes[next]);
                    next += 1;
                    if let Some(length) = payload_length(&self.kept) {
                        self.kept.clear();
                        self.state = match length {
                            0 => ParserState::FrameHead,
                            length if length <= LARGEST_FRAME as u64 => ParserState::Payload(length),
                            _ => {
                                self.state = ParserState::Malformed;
                                return FeedResult::Malformed;
                            }
                        };
                    }
                }
                ParserState::Payload(left) => {
                    let here = (*left).min((bytes.len() - next) as u64);
                    *left -= here;
                    next += here as usize;
                    if *left == 0 {
                        self.state = ParserState::FrameHead;
                    }
                }
                ParserState::Malformed => return FeedResult::Malformed,
                ParserState::Start if matches!(bytes[next], b'\r' | b'\n') => {
                    if bytes[next] == b'\n' && self.kept.last() != Some(&b'\r') {
                        return self.bare(next);
                    }
                    self.kept = if bytes[next] == b'\r' { vec![b'\r'] } else { Vec::new() };
                    next += 1;
                }
                ParserState::Start => {
                    self.kept.clear();
                    self.asks_for_upgrade = false;
                    self.state = ParserState::Head;
                }
                ParserState::Body(left) => {
                    let taken = (bytes.len() - next).min(usize::try_from(*left).unwrap_or(usize::MAX));
                    next += taken;
                    *left -= taken as u64;
                    if *left == 0 {
                        self.begin_next();
                    }
                }
                ParserState::Chunk(left) => {
                    let taken = (bytes.len() - next).min(usize::try_from(*left).unwrap_or(usize::MAX));
                    next += taken;
                    *left -= taken as u64;
                    if *left == 0 {
                        self.state = ParserState::ChunkSize;
                    }
                }
                ParserState::Head | ParserState::ChunkSize | ParserState::Trailers => {
                    let byte = bytes[next];
                    if byte == b'\n' && self.kept.last() != Some(&b'\r') {
                        return self.bare(next);
                    }
                    self.kept.push(byte);
                    next += 1;
                    if byte == b'\n' {
                        self.line_ended();
                    } else if self.kept.len() > self.longest() {
                        self.state = ParserState::Malformed;
                    }
                }
            }
        }
        FeedResult::Fine
    }

    fn begin_next(&mut self) {
        self.state = ParserState::Start;
        self.ended += 1;
    }

    /// Longest line or head in the current state, in bytes.
    fn longest(&self) -> usize {
        if matches!(self.state, ParserState::Head) { LARGEST_HEAD } else { LONGEST_LINE }
    }

    fn bare(&mut self, at: usize) -> FeedResult {
        self.state = ParserState::Malformed;
        FeedResult::BareLineFeed(at)
    }

    fn line_ended(&mut self) {
        self.state = match self.state {
            ParserState::Head if !self.kept.ends_with(b"\r\n\r\n") => return,
            ParserState::Head => self.body(),
            ParserState::ChunkSize => match chunk_size(&self.kept) {
                Some(0) => ParserState::Trailers,
                // Includes the line end after the chunk.
                Some(size) => ParserState::Chunk(size.saturating_add(2)),
                None => ParserState::Malformed,
            },
            ParserState::Trailers if self.kept == b"\r\n" => ParserState::Body(0),
            ParserState::Trailers => ParserState::Trailers,
            _ => ParserState::Malformed,
        };
        self.kept.clear();
        if matches!(self.state, ParserState::Body(0)) {
            self.begin_next();
        }
    }

    /// The state after a head.
    fn body(&mut self) -> ParserState {
        let mut length = Some(0);
        let mut is_chunked = false;
        for line in self.kept.split(|byte| *byte == b'\n').skip(1) {
            let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
            let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
            if name.eq_ignore_ascii_case(b"content-length") {
                length = std::str::from_utf8(value).ok().and_then(|value| value.parse().ok());
            } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
                is_chunked |= value.to_ascii_lowercase().ends_with(b"chunked");
            } else if name.eq_ignore_ascii_case(b"upgrade") {
                self.asks_for_upgrade = true;
            }
        }
        if is_chunked { ParserState::ChunkSize } else { length.map_or(ParserState::Malformed, ParserState::Body) }
    }
}

/// The size of a chunk, ignoring chunk extensions.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let size = line.split(|byte| *byte == b';').next()?.trim_ascii();
    u64::from_str_radix(std::str::from_utf8(size).ok()?, 16).ok()
}

/// The payload length in the head of a frame; None if the head is incomplete.
fn payload_length(head: &[u8]) -> Option<u64> {
    let second = *head.get(1)?;
    let extended = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let mask = if second & 0x80 == 0 { 0 } else { 4 };
    if head.len() < 2 + extended + mask {
        return None;
    }
    let bytes = head[2..2 + extended].iter();
    Some(match extended {
        0 => u64::from(second & 0x7f),
        _ => bytes.fold(0, |length, byte| length << 8 | u64::from(*byte)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BODY: &str = "POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\na\nb\n\nc";
    const CHUNKED: &str = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4;x=1\r\na\nb\n\r\nA\r\n0123456\n\n9\r\n0\r\nX: y\r\n\r\n";
    const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    #[test]
    fn bodies_may_hold_line_feeds_and_heads_may_not() {
        let whole = [GET, BODY, "\r\n", CHUNKED, GET].concat();
        let mut framing = Framing::new();
        assert_eq!(framing.feed(whole.as_bytes()), FeedResult::Fine);
        assert!(!framing.is_within_request());
        for (text, at) in [
            ("GET / HTTP/1.1\nHost: a\r\n\r\n", 14),
            ("GET / HTTP/1.1\r\nHost: a\n\r\n", 23),
            ("GET / HTTP/1.1\r\nHost: a\r\n\n", 25),
            ("\nGET / HTTP/1.1\r\n\r\n", 0),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\nabcd\r\n", 48),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\n", 54),
        ] {
            assert_eq!(Framing::new().feed(text.as_bytes()), FeedResult::BareLineFeed(at), "{text:?}");
            let mut second = Framing::new();
            assert_eq!(second.feed(BODY.as_bytes()), FeedResult::Fine);
            assert_eq!(second.feed(text.as_bytes()), FeedResult::BareLineFeed(at), "{text:?} as the second request");
        }
    }

    #[test]
    fn a_request_is_under_way_until_its_last_byte() {
        let mut framing = Framing::new();
        assert!(!framing.is_within_request());
        for (nth, byte) in BODY.bytes().enumerate() {
            assert_eq!(framing.feed(&[byte]), FeedResult::Fine);
            assert_eq!(framing.is_within_request(), nth + 1 < BODY.len());
        }
    }

    #[test]
    fn what_is_not_understood_stays_a_request_that_has_not_arrived() {
        let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        for text in [
            format!("{chunked}1;{}", "a".repeat(LONGEST_LINE)),
            format!("{chunked}0\r\nX: {}", "a".repeat(LONGEST_LINE)),
            format!("{chunked}x\r\n"),
            format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(LARGEST_HEAD)),
            "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n".to_owned(),
        ] {
            let mut framing = Framing::new();
            framing.feed(text.as_bytes());
            assert_eq!(framing.feed(b"more"), FeedResult::Malformed, "{:.80}", text);
            assert!(framing.is_within_request() && framing.ended() == 0);
        }
    }

    #[test]
    fn what_follows_an_upgrade_is_not_looked_at() {
        let mut framing = Framing::new();
        assert_eq!(framing.feed(b"GET /graphql/ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"), FeedResult::Fine);
        assert!(framing.asks_for_upgrade());
        framing.upgraded();
        assert_eq!(framing.feed(b"\x81\x01\n"), FeedResult::Fine);
    }

    #[test]
    fn a_frame_that_is_too_long_is_seen_by_its_head() {
        let head = |length: u64| match length {
            0..126 => vec![0x82, 0x80 | length as u8, 0, 0, 0, 0],
            126..65_536 => [&[0x82, 0xfe][..], &(length as u16).to_be_bytes(), &[0; 4]].concat(),
            _ => [&[0x82, 0xff][..], &length.to_be_bytes(), &[0; 4]].concat(),
        };
        let largest = LARGEST_FRAME as u64;
        let mut framing = Framing::new();
        framing.upgraded();
        // One byte at a time, and then in one piece.
        for length in [0, 1, 125, 126, 65_535, largest] {
            let frame = [head(length), vec![b'\n'; length as usize]].concat();
            assert!(frame.iter().all(|byte| framing.feed(&[*byte]) == FeedResult::Fine), "{length}");
            assert_eq!(framing.feed(&[frame.clone(), frame].concat()), FeedResult::Fine, "{length}");
        }
        for length in [largest + 1, 250_000, u64::MAX] {
            let mut framing = Framing::new();
            framing.upgraded();
            assert_eq!(framing.feed(&head(1)), FeedResult::Fine);
            assert_eq!(framing.feed(b"x"), FeedResult::Fine);
            assert_eq!(framing.feed(&head(length)), FeedResult::Malformed, "{length}");
        }
    }

    proptest! {
        #[test]
        fn however_the_bytes_are_cut_the_same_is_seen(cuts in prop::collection::vec(1usize..40, 1..20), bare in any::<bool>()) {
            let last = if bare { "GET / HTTP/1.1\nHost: a\r\n\r\n" } else { GET };
            let whole = [GET, CHUNKED, BODY, last].concat().into_bytes();
            let mut framing = Framing::new();
            let mut rest = &whole[..];
            let mut result = FeedResult::Fine;
            for cut in cuts.iter().cycle() {
                if rest.is_empty() || result != FeedResult::Fine {
                    break;
                }
                let (part, left) = rest.split_at((*cut).min(rest.len()));
                result = framing.feed(part);
                rest = left;
            }
            prop_assert_eq!(result != FeedResult::Fine, bare);
        }

        #[test]
        fn nothing_that_is_received_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            Framing::new().feed(&bytes);
        }
    }
}
