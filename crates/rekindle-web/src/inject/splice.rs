//! [`Splicer`]: chunks of a page in, the same chunks and the tag out.

use std::collections::VecDeque;
use std::ops::Range;

use bytes::Bytes;

use super::csp::Needs;
use super::decide::{Markup, Plan};
use super::scan::{Found, Scanner};
use super::tag::Tag;
use super::wish::Wish;

/// How far the page is held back to see what follows `<head>`, in bytes.
const LOOK_AHEAD: usize = 4 << 10;

/// Puts the tag into a page, cutting it into pieces that are not copied.
///
/// Once the head is through, chunks pass as they are.
pub(super) struct Splicer {
    scanner: Option<Scanner>,
    tag: Option<Bytes>,
    needs: Needs,
    markup: Markup,
    only_whole: bool,
    held: Held,
    edits: VecDeque<Edit>,
}

/// Bytes instead of others.
struct Edit {
    at: Range<usize>,
    with: Bytes,
}

impl Splicer {
    pub(super) fn new(wish: &Wish, plan: &Plan, tag: Tag) -> Self {
        Self {
            scanner: Some(Scanner::new(plan.markup, tag.path())),
            needs: Needs::new(&tag, wish.host()),
            tag: Some(tag.into_bytes()),
            markup: plan.markup,
            only_whole: plan.page.only_whole,
            held: Held::default(),
            edits: VecDeque::new(),
        }
    }

    /// Whether all that follows passes as it is.
    pub(super) fn is_done(&self) -> bool {
        self.scanner.is_none()
    }

    /// Takes the next chunk; what can go out by now is appended to `out`.
    pub(super) fn push(&mut self, chunk: Bytes, out: &mut VecDeque<Bytes>) {
        let Some(mut scanner) = self.scanner.take() else {
            out.extend((!chunk.is_empty()).then_some(chunk));
            return;
        };
        if self.held.is_at_start() && begins_as_utf_16(&chunk) {
            out.push_back(chunk);
            return;
        }
        let goes_on = scanner.write(&chunk);
        self.held.push(chunk);
        let limit = self.settle(&mut scanner.found(), !goes_on);
        match limit {
            Some(limit) => {
                self.release(limit, out);
                self.scanner = Some(scanner);
            }
            None => self.release(usize::MAX, out),
        }
    }

    /// The document has ended: the rest of it.
    pub(super) fn finish(&mut self, out: &mut VecDeque<Bytes>) {
        if let Some(scanner) = self.scanner.take() {
            let mut found = scanner.found();
            self.imply_point(&mut found);
            self.settle(&mut found, true);
        }
        self.release(usize::MAX, out);
    }

    /// A document without an element has the tag at its end, before what is unfinished there.
    fn imply_point(&self, found: &mut Found) {
        let doctype_cut = self.held.from(found.passed).take(3).map(|b| b.to_ascii_lowercase()).eq(*b"<!d");
        if self.markup == Markup::Html && !doctype_cut {
            found.point.get_or_insert(found.passed);
        }
    }

    /// Decides what can be decided: how far bytes may go out by now, or `None` if no more is to be looked for.
    fn settle(&mut self, found: &mut Found, over: bool) -> Option<usize> {
        let refused = found.ours || (self.only_whole && found.point.is_some() && !found.whole);
        if self.tag.is_some() && refused {
            self.edits.clear();
            return None;
        }
        self.extend_policies(found);
        match found.point {
            Some(point) if self.tag.is_some() => {
                if !(over || found.sure || self.held.tells_after(point)) {
                    return Some(found.passed.min(point));
                }
                self.edits.extend(self.tag.take().map(|with| Edit { at: point..point, with }));
                // It is settled last, and comes before whatever was found behind it.
                self.edits.rotate_right(1);
            }
            _ => {}
        }
        (!over).then_some(found.passed)
    }

    fn extend_policies(&mut self, found: &mut Found) {
        for policy in found.policies.drain(..) {
            let extended = self.needs.extend_meta(&policy.content);
            self.edits.extend(extended.map(|with| Edit { at: policy.at, with: with.into() }));
        }
    }

    /// Lets out what lies before `limit`, edited.
    fn release(&mut self, limit: usize, out: &mut VecDeque<Bytes>) {
        while self.edits.front().is_some_and(|edit| edit.at.end <= limit) {
            let Some(edit) = self.edits.pop_front() else { break };
            self.held.pass(edit.at.start, out);
            self.held.drop(edit.at.end);
            out.push_back(edit.with);
        }
        self.held.pass(limit, out);
    }
}

/// The mark of UTF-16 before anything else counts more than any header: Encoding Standard, 6. Neither byte begins a
/// document in UTF-8, so that one of them is enough.
fn begins_as_utf_16(chunk: &[u8]) -> bool {
    matches!(chunk.first(), Some(0xfe | 0xff))
}

/// What came in and did not go out yet.
#[derive(Default)]
struct Held {
    chunks: VecDeque<Bytes>,
    /// The offset of its first byte.
    start: usize,
}

impl Held {
    fn is_at_start(&self) -> bool {
        self.start == 0 && self.chunks.is_empty()
    }

    fn push(&mut self, chunk: Bytes) {
        if !chunk.is_empty() {
            self.chunks.push_back(chunk);
        }
    }

    /// The bytes from an offset on, which has not gone out.
    fn from(&self, offset: usize) -> impl Iterator<Item = u8> {
        self.chunks.iter().flat_map(|chunk| chunk.iter().copied()).skip(offset.saturating_sub(self.start))
    }

    /// Whether what follows the offset cannot be a tag that was put there, or is too long to be waited for.
    fn tells_after(&self, offset: usize) -> bool {
        let text =
            self.from(offset).find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| byte != b'<');
        text || self.from(offset).nth(LOOK_AHEAD).is_some()
    }

    /// Lets out the bytes up to an offset.
    fn pass(&mut self, end: usize, out: &mut VecDeque<Bytes>) {
        while let Some(piece) = self.take(end) {
            out.push_back(piece);
        }
    }

    /// Forgets the bytes up to an offset.
    fn drop(&mut self, end: usize) {
        while self.take(end).is_some() {}
    }

    /// The next bytes before an offset, as far as they are in one piece.
    fn take(&mut self, end: usize) -> Option<Bytes> {
        let wanted = end.saturating_sub(self.start);
        let first = self.chunks.front_mut().filter(|_| wanted > 0)?;
        let piece = if wanted < first.len() { first.split_to(wanted) } else { self.chunks.pop_front()? };
        self.start += piece.len();
        Some(piece)
    }
}
