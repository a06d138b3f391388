//! [`Events`]: where in its events a stream stands. Pure.

/// Follows the bytes of a `text/event-stream`,
/// <https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream>: lines end with CR LF,
/// LF or CR, an event ends with an empty line, and lines that begin with a colon belong to none.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Events {
    line: Line,
    /// Whether an event has begun, and the line that ends it has not come.
    has_begun: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Line {
    #[default]
    Empty,
    /// Empty, and a line feed belongs to the carriage return that ended the last one.
    AfterReturn,
    Comment,
    Field,
}

impl Events {
    /// Whether the stream can end here: no event is under way, and no line.
    pub(super) fn is_whole(&self) -> bool {
        !self.has_begun && matches!(self.line, Line::Empty | Line::AfterReturn)
    }

    /// Follows these bytes. Returns the last place in them where the stream can end, if there is one.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut whole = None;
        for (place, byte) in bytes.iter().enumerate() {
            self.step(*byte);
            if self.is_whole() {
                whole = Some(place + 1);
            }
        }
        whole
    }

    fn step(&mut self, byte: u8) {
        self.line = match (byte, self.line) {
            (b'\n', Line::AfterReturn) => Line::Empty,
            (b'\n' | b'\r', line) => {
                self.end_line(line);
                if byte == b'\r' { Line::AfterReturn } else { Line::Empty }
            }
            (b':', Line::Empty | Line::AfterReturn) => Line::Comment,
            (_, Line::Comment) => Line::Comment,
            _ => Line::Field,
        };
    }

    fn end_line(&mut self, line: Line) {
        match line {
            Line::Empty | Line::AfterReturn => self.has_begun = false,
            Line::Comment => {}
            Line::Field => self.has_begun = true,
        }
    }
}
