//! A text, the bytes that are wrong and those that are secret in; the lines to show out. Pure.

use std::ops::Range;

use super::FrameLine;

/// How many lines are shown before the one that is pointed at, and after it.
const AROUND: usize = 3;

/// How many characters of a line are shown.
const WIDEST: usize = 160;

/// How many of them are in front of what is pointed at, in a line that is longer.
const LEAD: usize = 60;

/// The lines around a span that begins in the given line, with the secrets masked. None where the text cannot
/// be the one that they are of, as a file may have been written to since.
pub(super) fn lines(text: &str, line: usize, span: Range<usize>, masked: &[Range<usize>]) -> Vec<FrameLine> {
    let lines: Vec<Range<usize>> = breaks(text).collect();
    let at = lines.partition_point(|line| line.start <= span.start).saturating_sub(1);
    if at + 1 != line || text.get(span.clone()).is_none() || !are_within_lines(text, masked) {
        return Vec::new();
    }
    // After the last break there is a line for what is pointed at only.
    let end =
        if lines[lines.len() - 1].is_empty() && at + 1 < lines.len() { lines.len() - 1 } else { lines.len() };
    let one = |index: usize| {
        let pointed = (index == at).then_some(&span);
        shown_line(text, index + 1, &lines[index], pointed, masked)
    };
    (at.saturating_sub(AROUND)..end.min(at + AROUND + 1)).map(one).collect()
}

/// Whether each of them is a piece of one line of the text.
fn are_within_lines(text: &str, spans: &[Range<usize>]) -> bool {
    spans.iter().all(|span| text.get(span.clone()).is_some_and(|piece| !piece.contains('\n')))
}

/// Where each line is, without its break.
fn breaks(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    text.split('\n').map(move |line| {
        let from = start;
        start += line.len() + 1;
        from..from + line.strip_suffix('\r').unwrap_or(line).len()
    })
}

/// A line as it is read: characters, and which of them are pointed at.
fn shown_line(
    text: &str,
    number: usize,
    line: &Range<usize>,
    marked: Option<&Range<usize>>,
    secrets: &[Range<usize>],
) -> FrameLine {
    let mut shown = Vec::new();
    let mut mark = None::<(usize, usize)>;
    let mut at = line.start;
    while let Some(next) = text[at..line.end].chars().next() {
        let secret = secrets.iter().find(|secret| secret.contains(&at));
        let end = secret.map_or(at + next.len_utf8(), |secret| secret.end.min(line.end));
        let from = shown.len();
        match secret {
            Some(_) => shown.extend(mask(text, at..end, marked)),
            None => shown.push(if next.is_control() && next != '\t' { '\u{fffd}' } else { next }),
        }
        if marked.is_some_and(|span| at < span.end.max(span.start + 1) && span.start < end) {
            mark = Some((mark.map_or(from, |(from, _)| from), shown.len()));
        }
        at = end;
    }
    // What is wrong may be that the line ends.
    let mark = mark.or(marked.map(|_| (shown.len(), shown.len() + 1)));
    clipped(number, &shown, mark)
}

/// What stands in place of a secret. In front of what is pointed at it is as long as the secret: the column
/// is to be right, and tells the length anyway.
fn mask(text: &str, secret: Range<usize>, marked: Option<&Range<usize>>) -> impl Iterator<Item = char> {
    let is_before = marked.is_some_and(|span| secret.end <= span.start);
    let length = if is_before { text[secret].chars().count() } else { 3 };
    std::iter::repeat_n('*', length)
}

/// A line, or of a long one the part that counts.
fn clipped(number: usize, shown: &[char], mark: Option<(usize, usize)>) -> FrameLine {
    let start = mark.map_or(0, |(from, _)| from);
    let from = if shown.len() > WIDEST && start > LEAD { start - LEAD } else { 0 };
    let end = shown.len().min(from + WIDEST);
    let (before, after) = (if from > 0 { "…" } else { "" }, if end < shown.len() { "…" } else { "" });
    let moved = |column: usize| column.min(end.max(start + 1)) - from + before.chars().count() + 1;
    let part: String = shown[from.min(end)..end].iter().collect();
    FrameLine {
        number,
        text: format!("{before}{part}{after}"),
        marked: mark.map(|(a, b)| (moved(a), moved(b))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, part: &str) -> Range<usize> {
        text.find(part).map(|at| at..at + part.len()).expect("it is in the text")
    }

    fn frame(text: &str, span: Range<usize>, masked: &[Range<usize>]) -> Vec<FrameLine> {
        lines(text, text[..span.start].matches('\n').count() + 1, span, masked)
    }

    /// The lines, and below the one that is pointed at what points.
    fn drawn(text: &str, span: Range<usize>, masked: &[Range<usize>]) -> Vec<String> {
        let draw = |line: FrameLine| {
            let first = format!("{} {}", line.number, line.text);
            let arrows =
                |(from, to): (usize, usize)| format!("{}{}", " ".repeat(from + 1), "^".repeat(to - from));
            std::iter::once(first).chain(line.marked.map(arrows))
        };
        frame(text, span, masked).into_iter().flat_map(draw).collect()
    }

    #[test]
    fn the_lines_around_are_shown_and_the_place_is_marked() {
        let text = "a = 1\nb = 2\r\nc = é3\nd = 4\ne = 5\nf = 6\n";
        assert_eq!(drawn(text, at(text, "1"), &[]), ["1 a = 1", "      ^", "2 b = 2", "3 c = é3", "4 d = 4"]);
        assert_eq!(drawn(text, at(text, "5"), &[])[4..], ["      ^", "6 f = 6"]);
        assert_eq!(drawn(text, at(text, "3"), &[])[2..4], ["3 c = é3", "       ^"]);
    }

    #[test]
    fn the_end_of_a_line_or_a_file_can_be_pointed_at() {
        assert_eq!(drawn("a =", 3..3, &[]), ["1 a =", "     ^"]);
        assert_eq!(drawn("", 0..0, &[]), ["1 ", "  ^"]);
        assert_eq!(drawn("a\n", 2..2, &[]), ["1 a", "2 ", "  ^"]);
        assert_eq!(drawn("a = [\n1", 4..7, &[]), ["1 a = [", "      ^", "2 1"]);
    }

    #[test]
    fn secrets_are_masked_and_what_is_pointed_at_moves_along() {
        let text = "a = 'hunter2'\nb = 'other', d = 66\n";
        let masked = [at(text, "'hunter2'"), at(text, "'other'")];
        let after = ["1 a = ***", "2 b = *******, d = 66", "                   ^^"];
        assert_eq!(drawn(text, at(text, "66"), &masked), after);
        let within = ["1 a = ***", "      ^^^", "2 b = ***, d = 66"];
        assert_eq!(drawn(text, at(text, "nter"), &masked), within);
    }

    #[test]
    fn a_text_that_is_another_by_now_is_not_shown() {
        let text = "a = 1\nkey = 's3cret'\n";
        assert!(lines("other", 2, at(text, "key"), &[]).is_empty());
        assert!(lines(text, 1, at(text, "key"), &[]).is_empty());
        assert!(lines(text, 2, at(text, "key"), &[at(text, "1\nkey")]).is_empty());
        assert!(lines(text, 2, at(text, "key"), std::slice::from_ref(&(12..300))).is_empty());
        assert!(lines("é\n", 1, 1..2, &[]).is_empty());
    }

    #[test]
    fn of_a_long_line_the_part_that_counts_is_shown() {
        let text = format!("{}!{}", "x".repeat(5000), "y".repeat(5000));
        let line = frame(&text, at(&text, "!"), &[]).remove(0);
        let (from, to) = line.marked.expect("it is pointed at");
        assert_eq!(line.text.chars().skip(from - 1).take(to - from).collect::<String>(), "!");
        assert!(line.text.starts_with('…') && line.text.ends_with('…'));
        assert_eq!(line.text.chars().count(), WIDEST + 2);
        let whole = frame(&text, 0..text.len(), &[]).remove(0);
        assert_eq!(whole.marked, Some((1, WIDEST + 1)));
    }
}
