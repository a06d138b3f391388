//! Items between brackets with commas between them: the same in JSON, in TOML's inline tables and
//! lists, and in the flow style of YAML, but for how a comment looks.

use super::splice::{Splice, begins_line, indent, is_blank, line_break, line_start, next_line};
use crate::load::Span;

/// How comments begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comments {
    /// `// to the end of the line` and `/* to the end of this */`
    #[cfg(feature = "json")]
    Slashes,
    /// `# to the end of the line`
    #[cfg(any(feature = "toml", feature = "yaml"))]
    Hash,
}

/// The items between two brackets.
#[derive(Debug)]
pub(super) struct Commas<'t> {
    pub(super) text: &'t str,
    /// From bracket to bracket, with both.
    pub(super) whole: Span,
    /// Each item without its comma, in their order.
    pub(super) items: Vec<Span>,
    pub(super) comments: Comments,
}

impl Commas<'_> {
    /// What stands between the brackets.
    fn inside(&self) -> Span {
        self.whole.start + 1..self.whole.end - 1
    }

    /// Whether there is nothing between the brackets, all on one line.
    #[cfg(any(feature = "toml", feature = "json"))]
    pub(super) fn is_empty(&self) -> bool {
        let inside = &self.text[self.inside()];
        is_blank(inside) && !inside.contains('\n')
    }

    /// Where the item begins that comes after those that are known.
    #[cfg(feature = "toml")]
    pub(super) fn next_item(&self) -> usize {
        let known = self.items.len().checked_sub(1);
        let before = known.map_or(Some(self.whole.start), |last| self.comma_after(last));
        self.skip(before.map_or(self.whole.end - 1, |before| before + 1))
    }

    /// Where blanks and comments end that begin at a byte.
    fn skip(&self, mut at: usize) -> usize {
        let end = self.whole.end;
        loop {
            let rest = &self.text[at..end];
            let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n']);
            at += rest.len() - trimmed.len();
            match self.comment(trimmed) {
                0 => return at,
                length => at += length,
            }
        }
    }

    /// How long the comment is that a text begins with.
    fn comment(&self, text: &str) -> usize {
        let line = || text.find('\n').unwrap_or(text.len());
        match self.comments {
            #[cfg(feature = "json")]
            Comments::Slashes if text.starts_with("//") => line(),
            #[cfg(feature = "json")]
            Comments::Slashes if text.starts_with("/*") => text.find("*/").map_or(text.len(), |at| at + 2),
            #[cfg(any(feature = "toml", feature = "yaml"))]
            Comments::Hash if text.starts_with('#') => line(),
            _ => 0,
        }
    }

    /// The comma after an item.
    fn comma_after(&self, item: usize) -> Option<usize> {
        let at = self.skip(self.items[item].end);
        (self.text.as_bytes().get(at) == Some(&b',')).then_some(at)
    }

    /// The end of the line that a byte is on, before its line break, if only blanks and comments
    /// stand between.
    fn rest_of_line(&self, mut at: usize) -> Option<usize> {
        loop {
            let rest = &self.text[at..];
            at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
            let rest = &self.text[at..];
            match self.comment(rest) {
                0 if rest.starts_with('\n') || rest.starts_with("\r\n") => return Some(at),
                0 => return None,
                length => at += self.text[at..at + length].trim_end_matches('\r').len(),
            }
        }
    }

    /// Removes an item with its comma. A comment on its line goes with it, one above it stays.
    pub(super) fn remove(&self, item: usize) -> Vec<Splice> {
        let Span { start, end } = self.items[item].clone();
        let comma = self.comma_after(item);
        let after = comma.map_or(end, |comma| comma + 1);
        let inside = self.inside();
        if self.items.len() == 1
            && is_blank(&self.text[inside.start..start])
            && is_blank(&self.text[after..inside.end])
        {
            return vec![Splice::delete(inside)];
        }
        let own_line = begins_line(self.text, start) && line_start(self.text, start) > self.whole.start;
        let removed = match self.rest_of_line(after).filter(|_| own_line) {
            Some(rest) => line_start(self.text, start)..next_line(self.text, rest),
            None => start..after + self.blanks(after),
        };
        match (comma, item.checked_sub(1).and_then(|before| self.comma_after(before))) {
            (None, Some(comma)) if is_blank(&self.text[comma + 1..removed.start]) && !own_line => {
                vec![Splice::delete(comma..end)]
            }
            (None, Some(comma)) => vec![Splice::delete(comma..comma + 1), Splice::delete(removed)],
            _ => vec![Splice::delete(removed)],
        }
    }

    /// How many blanks follow a byte, if more than blanks follow it on its line.
    fn blanks(&self, at: usize) -> usize {
        let rest = &self.text[at..self.whole.end];
        let trimmed = rest.trim_start_matches([' ', '\t']);
        if trimmed.starts_with(['\r', '\n', '}', ']']) { 0 } else { rest.len() - trimmed.len() }
    }

    /// Adds an item after the last one, as a line of its own where the last one has one. `item`
    /// makes its text from the indent of its line, `None` if it goes on a line with others.
    pub(super) fn append(&self, unit: &str, item: impl FnOnce(Option<&str>) -> String) -> Vec<Splice> {
        let Some(last) = self.items.len().checked_sub(1) else { return self.first(unit, item) };
        let Span { start, end } = self.items[last].clone();
        let comma = self.comma_after(last);
        let after = comma.map_or(end, |comma| comma + 1);
        if !begins_line(self.text, start) {
            let gap = if self.is_tight() { "" } else { " " };
            let item = item(None);
            return match comma {
                Some(_) => vec![Splice::insert(after, format!("{gap}{item},"))],
                None => vec![Splice::insert(end, format!(",{gap}{item}"))],
            };
        }
        let indent = indent(self.text, start);
        let line = format!("{}{indent}{}", line_break(self.text), item(Some(indent)));
        let place = self.rest_of_line(after).unwrap_or(after);
        match comma {
            Some(_) => vec![Splice::insert(place, format!("{line},"))],
            None if place == end => vec![Splice::insert(end, format!(",{line}"))],
            None => vec![Splice::insert(end, ","), Splice::insert(place, line)],
        }
    }

    /// Whether items follow each other without a blank.
    fn is_tight(&self) -> bool {
        self.items.len() > 1 && self.items.windows(2).all(|pair| pair[0].end + 1 == pair[1].start)
    }

    /// Adds the only item.
    fn first(&self, unit: &str, item: impl FnOnce(Option<&str>) -> String) -> Vec<Splice> {
        let inside = self.inside();
        let between = &self.text[inside.clone()];
        if !between.contains('\n') {
            let item = item(None);
            return match is_blank(between) {
                true => vec![Splice::new(inside, item)],
                false => vec![Splice::insert(inside.start + between.trim_end().len(), format!(" {item}"))],
            };
        }
        let outer = indent(self.text, self.whole.start);
        let indent = format!("{outer}{unit}");
        let line = format!("{indent}{}", item(Some(&indent)));
        let line_break = line_break(self.text);
        if is_blank(between) {
            return vec![Splice::new(inside, format!("{line_break}{line}{line_break}{outer}"))];
        }
        let kept = inside.start + between.trim_end_matches([' ', '\t', '\r', '\n']).len();
        vec![Splice::new(kept..inside.end, format!("{line_break}{line}{line_break}{outer}"))]
    }
}
