//! Small things about text: what is safe to show, how wide it is, and how long something took.

use std::borrow::Cow;
use std::time::Duration;

use unicode_width::UnicodeWidthStr;

/// A text that cannot steer the terminal: control characters and those that turn the reading direction
/// are escaped. File names and values come from whoever writes the files.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(steers) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if steers(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

fn steers(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// How many columns a text takes.
pub(crate) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// The blanks that fill a text up to a width.
pub(crate) fn fill(text: &str, to: usize) -> String {
    " ".repeat(to.saturating_sub(width(text)))
}

/// A text cut to a width, with `...` in place of what is cut off.
pub(crate) fn clip(text: &str, to: usize) -> Cow<'_, str> {
    if width(text) <= to {
        return Cow::Borrowed(text);
    }
    let mut shown = String::new();
    for character in text.chars() {
        let wider = width(&shown) + width(character.encode_utf8(&mut [0; 4]));
        if wider + 3 > to {
            break;
        }
        shown.push(character);
    }
    Cow::Owned(shown + "...")
}

/// Two texts that differ, without most of the long beginning that they share: what differs is to be seen
/// even where it is clipped.
pub(crate) fn from_difference<'a>(old: &'a str, new: &'a str) -> (Cow<'a, str>, Cow<'a, str>) {
    const KEPT: usize = 8;
    let alike = old.chars().zip(new.chars()).take_while(|(old, new)| old == new).count();
    if alike <= 2 * KEPT {
        return (Cow::Borrowed(old), Cow::Borrowed(new));
    }
    let cut = |text: &str| format!("...{}", text.chars().skip(alike - KEPT).collect::<String>());
    (Cow::Owned(cut(old)), Cow::Owned(cut(new)))
}

/// A duration in milliseconds, with as many digits as matter.
pub(crate) fn milliseconds(duration: Duration) -> String {
    let milliseconds = duration.as_secs_f64() * 1000.0;
    if milliseconds < 10.0 { format!("{milliseconds:.2} ms") } else { format!("{milliseconds:.0} ms") }
}

/// `1 file`, `2 files`.
pub(crate) fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_escaped() {
        assert_eq!(printable("größe"), "größe");
        assert_eq!(printable("a\u{1b}[2Jb\nc\u{9b}d\u{202e}e"), "a\\u{1b}[2Jb\\nc\\u{9b}d\\u{202e}e");
    }

    #[test]
    fn a_clipped_text_keeps_to_its_width() {
        assert_eq!(clip("short", 5), "short");
        assert_eq!(clip("too long", 6), "too...");
        for to in 3..12 {
            assert!(width(&clip("日本語日本語日本語", to)) <= to, "{to}");
        }
    }

    #[test]
    fn a_difference_far_behind_is_brought_forward() {
        let (old, new) = from_difference("the same long beginning and 1", "the same long beginning and 2");
        assert_eq!((&*old, &*new), ("...ing and 1", "...ing and 2"));
        let (old, new) = from_difference("short 1", "short 2");
        assert_eq!((&*old, &*new), ("short 1", "short 2"));
    }

    #[test]
    fn durations_have_the_digits_that_matter() {
        assert_eq!(milliseconds(Duration::from_micros(1_234)), "1.23 ms");
        assert_eq!(milliseconds(Duration::from_micros(512_900)), "513 ms");
    }
}
