//! Places in a text, and the lines around them.

use std::ops::Range;

/// How many lines a code frame shows before and after the one it is about.
const AROUND: usize = 3;

/// How many characters of a line a code frame shows.
const WIDEST: usize = 200;

/// Where something stands in a template's source, as far as an engine says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A piece of the text, in bytes.
    Span(Range<usize>),
    /// A line, from 1.
    Line(usize),
    /// A line and a column in characters, both from 1.
    Point(usize, usize),
}

/// A line of a code frame.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FrameLine {
    /// Its number, from 1.
    pub number: usize,
    /// Its text, without the line break. Of a very long line a part, with `…` where some is left out.
    pub text: String,
    /// The columns of `text` that are pointed at, from 1, the end exclusive; on the line with the fault alone.
    pub marked: Option<(usize, usize)>,
}

/// A place, resolved against its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) line: usize,
    /// In characters, from 1, where it is known.
    pub(crate) column: Option<usize>,
    /// In bytes.
    pub(crate) span: Option<Range<usize>>,
    pub(crate) frame: Vec<FrameLine>,
}

impl Place {
    /// Line, column and the lines around. A place beyond the text's end is its end.
    pub(crate) fn find(&self, text: &str) -> Found {
        let last = text.split('\n').count();
        match *self {
            Self::Span(ref span) => {
                let start = boundary(text, span.start);
                let end = boundary(text, span.end).max(start);
                let (line, column) = line_and_column(text, start);
                let length = text[start..end].split(['\n', '\r']).next().unwrap_or("").chars().count();
                let marked = (column, column + length.max(1));
                let frame = frame(text, line, Some(marked));
                Found { line, column: Some(column), span: Some(start..end), frame }
            }
            Self::Line(line) => {
                let line = line.clamp(1, last);
                Found { line, column: None, span: None, frame: frame(text, line, None) }
            }
            Self::Point(line, column) => {
                let (line, column) = (line.clamp(1, last), column.max(1));
                let frame = frame(text, line, Some((column, column + 1)));
                Found { line, column: Some(column), span: None, frame }
            }
        }
    }
}

/// The last boundary of a character up to an offset.
fn boundary(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Line and column of a byte offset, both from 1; the column counts characters.
pub(crate) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..boundary(text, offset)];
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
}

fn frame(text: &str, line: usize, marked: Option<(usize, usize)>) -> Vec<FrameLine> {
    let first = line.saturating_sub(AROUND).max(1);
    let lines = text.lines().enumerate().skip(first - 1).take(line + AROUND - first + 1);
    let shown = lines.map(|(index, text)| {
        let marked = marked.filter(|_| index + 1 == line);
        clipped(index + 1, text, marked)
    });
    shown.collect()
}

/// A line as it is shown: of one that is too long, the part around what is marked.
fn clipped(number: usize, text: &str, marked: Option<(usize, usize)>) -> FrameLine {
    let length = text.chars().count();
    if length <= WIDEST {
        return FrameLine { number, text: text.to_owned(), marked };
    }
    let from = marked.map_or(0, |(start, _)| (start - 1).min(length).saturating_sub(WIDEST / 2));
    let part: String = text.chars().skip(from).take(WIDEST).collect();
    let before = if from > 0 { "…" } else { "" };
    let after = if from + WIDEST < length { "…" } else { "" };
    let shift = |column: usize| (column + before.chars().count()).saturating_sub(from).min(WIDEST + 2);
    FrameLine {
        number,
        text: format!("{before}{part}{after}"),
        marked: marked.map(|(start, end)| (shift(start), shift(end))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_line_a_column_and_the_lines_around() {
        let text = "one\ntwo\nthree\nfour ünd fünf\nsix\nseven\neight\nnine";
        let at = text.find("fünf").unwrap();
        let found = Place::Span(at..at + 5).find(text);
        assert_eq!((found.line, found.column), (4, Some(10)));
        let numbers: Vec<usize> = found.frame.iter().map(|line| line.number).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(found.frame[3].marked, Some((10, 14)));
        assert!(found.frame.iter().filter(|line| line.marked.is_some()).count() == 1);
    }

    #[test]
    fn a_span_over_lines_marks_the_first() {
        let found = Place::Span(2..9).find("a {% b\nc\n %}");
        assert_eq!(found.frame[0].marked, Some((3, 7)));
    }

    #[test]
    fn no_place_is_beyond_the_text() {
        for place in [Place::Span(90..99), Place::Line(9), Place::Point(9, 1), Place::Span(1..2)] {
            for text in ["", "ü", "a\n"] {
                let found = place.find(text);
                assert!(found.line <= text.split('\n').count(), "{place:?} in {text:?}: {found:?}");
            }
        }
    }

    #[test]
    fn of_a_long_line_the_part_around_the_mark_is_shown() {
        let text = format!("{}X{}", "a".repeat(5000), "b".repeat(5000));
        let found = Place::Span(5000..5001).find(&text);
        assert_eq!(found.column, Some(5001));
        let line = &found.frame[0];
        let (start, end) = line.marked.unwrap();
        let marked: String = line.text.chars().skip(start - 1).take(end - start).collect();
        assert_eq!(marked, "X");
        assert!(line.text.chars().count() <= WIDEST + 2);
    }
}
