//! [`Frames`]: where in its frames an outgoing stream of WebSocket stands. Pure.

/// How the answer begins in front of the frames.
const START: &[u8] = b"HTTP/1.1 101";
/// How its head ends.
const BLANK: &[u8] = b"\r\n\r\n";

/// Two bytes, eight of a length, four of a mask: <https://www.rfc-editor.org/rfc/rfc6455#section-5.2>.
const LONGEST_HEADER: usize = 14;
const CLOSE: u8 = 0x8;

/// Follows the bytes that go out on a connection that switches to WebSocket: what is left of earlier answers, the
/// head of the answer that switches, then frames.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frames {
    at: Place,
    closed: bool,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    /// In front of the head, or in its first bytes: so many of [`START`].
    Before(usize),
    /// In the head: so many of [`BLANK`] are the last.
    Head(usize),
    /// In the header of a frame, of which so many bytes are known. None of them: between two frames.
    Header([u8; LONGEST_HEADER], usize),
    /// So many bytes in front of the end of a frame; there is at least one.
    Payload(u64),
}

const BETWEEN: Place = Place::Header([0; LONGEST_HEADER], 0);

impl Frames {
    pub(super) const fn new() -> Self {
        Self { at: Place::Before(0), closed: false }
    }

    /// Whether a control frame can be put here. Between two frames it can, even of one message:
    /// <https://www.rfc-editor.org/rfc/rfc6455#section-5.4>.
    pub(super) const fn is_between(&self) -> bool {
        matches!(self.at, Place::Header(_, 0))
    }

    /// Whether a Close frame has gone out: nothing may follow it.
    pub(super) const fn is_closed(&self) -> bool {
        self.closed
    }

    /// These bytes have gone out.
    pub(super) fn follow(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = bytes.split_at(self.advance(bytes)).1;
        }
    }

    /// How many of these bytes lead to the next place between two frames: all of them if there is none.
    pub(super) fn until_between(mut self, bytes: &[u8]) -> usize {
        self.advance(bytes)
    }

    /// Goes on to the next place between two frames, or the end of the bytes. Returns how many bytes that were.
    fn advance(&mut self, bytes: &[u8]) -> usize {
        let mut rest = bytes;
        while let Some((byte, after)) = rest.split_first() {
            rest = match self.at {
                Place::Payload(left) => self.skip(left, rest),
                _ => {
                    self.step(*byte);
                    after
                }
            };
            if self.is_between() {
                break;
            }
        }
        bytes.len() - rest.len()
    }

    fn skip<'a>(&mut self, left: u64, bytes: &'a [u8]) -> &'a [u8] {
        let skipped = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
        self.at = payload(left - skipped as u64);
        bytes.split_at(skipped).1
    }

    fn step(&mut self, byte: u8) {
        self.at = match self.at {
            Place::Before(matched) => match next(START, matched, byte) {
                matched if matched == START.len() => Place::Head(0),
                matched => Place::Before(matched),
            },
            Place::Head(matched) => match next(BLANK, matched, byte) {
                matched if matched == BLANK.len() => BETWEEN,
                matched => Place::Head(matched),
            },
            Place::Header(header, len) => self.header(header, len, byte),
            Place::Payload(left) => payload(left.saturating_sub(1)),
        };
    }

    fn header(&mut self, mut header: [u8; LONGEST_HEADER], len: usize, byte: u8) -> Place {
        header[len] = byte;
        let len = len + 1;
        if len < 2 || len < header_len(header[1]) {
            return Place::Header(header, len);
        }
        self.closed |= header[0] & 0x0f == CLOSE;
        payload(payload_len(&header))
    }
}

/// How much of a pattern is matched after one more byte. Right for patterns whose first byte begins each overlap
/// with themselves that is a byte long, which both have.
fn next(pattern: &[u8], matched: usize, byte: u8) -> usize {
    match byte {
        byte if byte == pattern[matched] => matched + 1,
        byte if byte == pattern[0] => 1,
        _ => 0,
    }
}

const fn payload(left: u64) -> Place {
    if left == 0 { BETWEEN } else { Place::Payload(left) }
}

const fn header_len(second: u8) -> usize {
    let length = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let mask = if second & 0x80 == 0 { 0 } else { 4 };
    2 + length + mask
}

fn payload_len(header: &[u8; LONGEST_HEADER]) -> u64 {
    let big_endian = |bytes: &[u8]| bytes.iter().fold(0, |len, byte| len << 8 | u64::from(*byte));
    match header[1] & 0x7f {
        126 => big_endian(&header[2..4]),
        127 => big_endian(&header[2..10]),
        short => u64::from(short),
    }
}
