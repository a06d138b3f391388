//! The lines around a place, without the secrets in them. Pure.

use std::ops::Range;

use super::FrameLine;

/// How many lines are shown before and after the one that is pointed at.
const AROUND: usize = 3;

/// What stands for a secret.
const MASK: &str = "***";

/// The lines around a span of a text; none when the text is not the one that the span is of, as a file may
/// have been written to since.
pub(super) fn lines(text: &str, line: usize, span: &Range<usize>, masked: &[Range<usize>]) -> Vec<FrameLine> {
    let starts: Vec<usize> =
        std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let is_there = text.get(span.clone()).is_some();
    if !is_there || starts.partition_point(|start| *start <= span.start) != line {
        return Vec::new();
    }
    let (first, last) = (line.saturating_sub(AROUND).max(1), (line + AROUND).min(starts.len()));
    let one = |number: usize| {
        let start = starts[number - 1];
        let end = starts.get(number).map_or(text.len(), |next| next - 1);
        let pointed = (number == line).then(|| span.clone());
        frame_line(text, number, start..end, pointed, masked)
    };
    (first..=last).map(one).collect::<Option<_>>().unwrap_or_default()
}

/// `None` when a mask is not of this text.
fn frame_line(
    text: &str,
    number: usize,
    line: Range<usize>,
    pointed: Option<Range<usize>>,
    masked: &[Range<usize>],
) -> Option<FrameLine> {
    let (mut shown, mut at, mut marked) = (String::new(), line.start, None);
    let columns = |shown: &str| shown.chars().count() + 1;
    let mut place = |shown: &str, at: usize, piece: &str| {
        let Some(span) = &pointed else { return };
        let inside = |offset: usize| (at..=at + piece.len()).contains(&offset).then(|| offset - at);
        let column = |offset: usize| columns(shown) + piece[..offset].chars().count();
        let (start, end) = marked.unwrap_or((None, None));
        marked = Some((
            start.or_else(|| inside(span.start).map(column)),
            inside(span.end.min(line.end)).map(column).or(end),
        ));
    };
    for mask in masked.iter().filter(|mask| mask.start >= line.start && mask.start < line.end) {
        let before = text.get(at..mask.start).filter(|_| mask.end <= line.end)?;
        place(&shown, at, before);
        shown.push_str(before);
        shown.push_str(MASK);
        at = mask.end;
    }
    let rest = text.get(at..line.end)?;
    place(&shown, at, rest);
    shown.push_str(rest.trim_end_matches('\r'));
    let end = columns(&shown);
    let marked = marked.map(|(start, stop)| {
        let start = start.unwrap_or(1).min(end);
        (start, stop.unwrap_or(end).max(start + 1))
    });
    Some(FrameLine { number, text: shown, marked })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a = 1\nkey = \"s3cret\"\nport = x\nlast = 1";

    fn span(of: &str) -> Range<usize> {
        let start = TEXT.find(of).unwrap();
        start..start + of.len()
    }

    #[test]
    fn the_lines_around_are_shown_and_the_place_is_marked() {
        let lines = lines(TEXT, 3, &span("x"), &[]);
        assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!(lines[2], FrameLine { number: 3, text: "port = x".into(), marked: Some((8, 9)) });
        assert_eq!(lines[3].marked, None);
    }

    #[test]
    fn a_secret_is_not_shown() {
        let lines = lines(TEXT, 2, &span("\"s3cret\""), &[span("\"s3cret\"")]);
        assert_eq!(lines[1].text, "key = ***");
        assert_eq!(lines[1].marked.map(|(start, _)| start), Some(7));
    }

    #[test]
    fn a_text_that_is_another_by_now_is_not_shown() {
        assert!(lines("other", 3, &span("x"), &[]).is_empty());
        assert!(lines(TEXT, 2, &span("x"), &[]).is_empty());
        assert!(lines(TEXT, 3, &span("x"), std::slice::from_ref(&(2..30))).is_empty());
    }

    #[test]
    fn the_end_of_a_file_can_be_pointed_at() {
        let lines = lines("a = ", 1, &(4..4), &[]);
        assert_eq!(lines[0].marked, Some((5, 6)));
    }
}
