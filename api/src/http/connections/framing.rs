//! Where requests begin and end in what a connection receives (RFC 9112), whether the lines of their heads end as
//! they have to, and how long the frames of a WebSocket are that follow an upgrade (RFC 6455).
//!
//! The parser of actix-http takes a bare LF as the end of a line, which other parsers on the way do not; what two parsers
//! see differently can be made into a request that one of them never checks. This follows the bytes and finds such an
//! end of a line; the parser itself does everything else.

/// Bytes of a head that are kept to find how long the body is; actix-http refuses heads that are larger.
const LARGEST_HEAD: usize = 256 * 1024;
/// Bytes of a line that says how large a chunk is, and of one behind the last chunk.
const LONGEST_LINE: usize = 4 * 1024;
/// Bytes of a frame of a WebSocket. actix-http keeps what has arrived of a frame until it is whole, and only then asks whether it is
/// too large.
pub const LARGEST_FRAME: usize = 64 * 1024;

/// Where in a request the next byte lies.
#[derive(Debug)]
enum At {
    /// Before the first byte of a request; line ends before it do not count.
    Start,
    Head,
    Body(u64),
    /// The line that says how large a chunk is.
    ChunkSize,
    /// A chunk and the line end behind it.
    Chunk(u64),
    /// Behind the last chunk: field lines up to an empty one.
    Trailers,
    /// The head of a frame of a WebSocket (RFC 6455, section 5.2).
    FrameHead,
    /// The payload of a frame.
    Payload(u64),
    /// Not understood: the connection is about to end.
    Malformed,
}

/// What became of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// All of them fit.
    Fine,
    /// The byte at this place is the end of a line without a CR.
    BareLineFeed(usize),
    /// The client sent a line or a frame that is too long, or a length that is no number.
    Malformed,
}

/// Follows the requests of one connection.
#[derive(Debug)]
pub struct Framing {
    at: At,
    /// The line, or head, that has not ended.
    kept: Vec<u8>,
    /// Whether the request under way asks for another protocol.
    asks_for_upgrade: bool,
    /// How many requests have ended.
    ended: u64,
}

impl Framing {
    pub fn new() -> Self {
        Self { at: At::Start, kept: Vec::new(), asks_for_upgrade: false, ended: 0 }
    }

    /// Whether a request has begun and not ended.
    pub fn is_within_request(&self) -> bool {
        !matches!(self.at, At::Start | At::FrameHead | At::Payload(_))
    }

    /// How many requests have ended.
    pub fn ended(&self) -> u64 {
        self.ended
    }

    /// Whether the last request asks for another protocol.
    pub fn asks_for_upgrade(&self) -> bool {
        self.asks_for_upgrade
    }

    /// What follows are frames of a WebSocket.
    pub fn upgraded(&mut self) {
        self.kept.clear();
        self.at = At::FrameHead;
    }

    /// Follows some bytes; after a bare LF nothing more is looked at.
    pub fn feed(&mut self, bytes: &[u8]) -> Seen {
        let mut next = 0;
        while next < bytes.len() {
            match &mut self.at {
                At::FrameHead => {
                    self.kept.push(bytes[next]);
                    next += 1;
                    if let Some(length) = payload_length(&self.kept) {
                        self.kept.clear();
                        self.at = match length {
                            0 => At::FrameHead,
                            length if length <= LARGEST_FRAME as u64 => At::Payload(length),
                            _ => {
                                self.at = At::Malformed;
                                return Seen::Malformed;
                            }
                        };
                    }
                }
                At::Payload(left) => {
                    let here = (*left).min((bytes.len() - next) as u64);
                    *left -= here;
                    next += here as usize;
                    if *left == 0 {
                        self.at = At::FrameHead;
                    }
                }
                At::Malformed => return Seen::Malformed,
                At::Start if matches!(bytes[next], b'\r' | b'\n') => {
                    if bytes[next] == b'\n' && self.kept.last() != Some(&b'\r') {
                        return self.bare(next);
                    }
                    self.kept = if bytes[next] == b'\r' { vec![b'\r'] } else { Vec::new() };
                    next += 1;
                }
                At::Start => {
                    self.kept.clear();
                    self.asks_for_upgrade = false;
                    self.at = At::Head;
                }
                At::Body(left) => {
                    let taken = (bytes.len() - next).min(usize::try_from(*left).unwrap_or(usize::MAX));
                    next += taken;
                    *left -= taken as u64;
                    if *left == 0 {
                        self.begin_next();
                    }
                }
                At::Chunk(left) => {
                    let taken = (bytes.len() - next).min(usize::try_from(*left).unwrap_or(usize::MAX));
                    next += taken;
                    *left -= taken as u64;
                    if *left == 0 {
                        self.at = At::ChunkSize;
                    }
                }
                At::Head | At::ChunkSize | At::Trailers => {
                    let byte = bytes[next];
                    if byte == b'\n' && self.kept.last() != Some(&b'\r') {
                        return self.bare(next);
                    }
                    self.kept.push(byte);
                    next += 1;
                    if byte == b'\n' {
                        self.line_ended();
                    } else if self.kept.len() > self.longest() {
                        self.at = At::Malformed;
                    }
                }
            }
        }
        Seen::Fine
    }

    fn begin_next(&mut self) {
        self.at = At::Start;
        self.ended += 1;
    }

    /// Bytes of the longest line, or head.
    fn longest(&self) -> usize {
        if matches!(self.at, At::Head) { LARGEST_HEAD } else { LONGEST_LINE }
    }

    fn bare(&mut self, at: usize) -> Seen {
        self.at = At::Malformed;
        Seen::BareLineFeed(at)
    }

    fn line_ended(&mut self) {
        self.at = match self.at {
            At::Head if !self.kept.ends_with(b"\r\n\r\n") => return,
            At::Head => self.body(),
            At::ChunkSize => match chunk_size(&self.kept) {
                Some(0) => At::Trailers,
                // The line end behind the chunk belongs to it.
                Some(size) => At::Chunk(size.saturating_add(2)),
                None => At::Malformed,
            },
            At::Trailers if self.kept == b"\r\n" => At::Body(0),
            At::Trailers => At::Trailers,
            _ => At::Malformed,
        };
        self.kept.clear();
        if matches!(self.at, At::Body(0)) {
            self.begin_next();
        }
    }

    /// What follows a head.
    fn body(&mut self) -> At {
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
        if is_chunked { At::ChunkSize } else { length.map_or(At::Malformed, At::Body) }
    }
}

/// The size of a chunk, without its extensions.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let size = line.split(|byte| *byte == b';').next()?.trim_ascii();
    u64::from_str_radix(std::str::from_utf8(size).ok()?, 16).ok()
}

/// The length of the payload that the head of a frame announces; None where the head has not ended.
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
        assert_eq!(framing.feed(whole.as_bytes()), Seen::Fine);
        assert!(!framing.is_within_request());
        for (text, at) in [
            ("GET / HTTP/1.1\nHost: a\r\n\r\n", 14),
            ("GET / HTTP/1.1\r\nHost: a\n\r\n", 23),
            ("GET / HTTP/1.1\r\nHost: a\r\n\n", 25),
            ("\nGET / HTTP/1.1\r\n\r\n", 0),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\nabcd\r\n", 48),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\n", 54),
        ] {
            assert_eq!(Framing::new().feed(text.as_bytes()), Seen::BareLineFeed(at), "{text:?}");
            let mut second = Framing::new();
            assert_eq!(second.feed(BODY.as_bytes()), Seen::Fine);
            assert_eq!(second.feed(text.as_bytes()), Seen::BareLineFeed(at), "{text:?} as the second request");
        }
    }

    #[test]
    fn a_request_is_under_way_until_its_last_byte() {
        let mut framing = Framing::new();
        assert!(!framing.is_within_request());
        for (nth, byte) in BODY.bytes().enumerate() {
            assert_eq!(framing.feed(&[byte]), Seen::Fine);
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
            assert_eq!(framing.feed(b"more"), Seen::Malformed, "{:.80}", text);
            assert!(framing.is_within_request() && framing.ended() == 0);
        }
    }

    #[test]
    fn what_follows_an_upgrade_is_not_looked_at() {
        let mut framing = Framing::new();
        assert_eq!(framing.feed(b"GET /graphql/ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"), Seen::Fine);
        assert!(framing.asks_for_upgrade());
        framing.upgraded();
        assert_eq!(framing.feed(b"\x81\x01\n"), Seen::Fine);
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
            assert!(frame.iter().all(|byte| framing.feed(&[*byte]) == Seen::Fine), "{length}");
            assert_eq!(framing.feed(&[frame.clone(), frame].concat()), Seen::Fine, "{length}");
        }
        for length in [largest + 1, 250_000, u64::MAX] {
            let mut framing = Framing::new();
            framing.upgraded();
            assert_eq!(framing.feed(&head(1)), Seen::Fine);
            assert_eq!(framing.feed(b"x"), Seen::Fine);
            assert_eq!(framing.feed(&head(length)), Seen::Malformed, "{length}");
        }
    }

    proptest! {
        #[test]
        fn however_the_bytes_are_cut_the_same_is_seen(cuts in prop::collection::vec(1usize..40, 1..20), bare in any::<bool>()) {
            let last = if bare { "GET / HTTP/1.1\nHost: a\r\n\r\n" } else { GET };
            let whole = [GET, CHUNKED, BODY, last].concat().into_bytes();
            let mut framing = Framing::new();
            let mut rest = &whole[..];
            let mut seen = Seen::Fine;
            for cut in cuts.iter().cycle() {
                if rest.is_empty() || seen != Seen::Fine {
                    break;
                }
                let (part, left) = rest.split_at((*cut).min(rest.len()));
                seen = framing.feed(part);
                rest = left;
            }
            prop_assert_eq!(seen != Seen::Fine, bare);
        }

        #[test]
        fn nothing_that_is_received_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            Framing::new().feed(&bytes);
        }
    }
}
