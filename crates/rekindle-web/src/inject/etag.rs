//! Validators of pages with a tag, and the way back to those of the handler.
//!
//! `"abc"` becomes `W/"abc-live-s0123456789abcdef"`: weak, since the bytes are not those that the handler vouched for, and
//! different for every tag. The letter keeps whether it was strong or weak, so that the handler gets back what it gave.

use std::hash::{DefaultHasher, Hash, Hasher};

const MARK: &str = "-live-";

/// What a tag stands for, as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp(u64);

impl Stamp {
    /// Hashed, so that no token is told by a header.
    pub(super) fn of(text: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// The validator of the page with the tag; `None` if the handler's is not one.
pub(super) fn mark(original: &str, stamp: Stamp) -> Option<String> {
    let (letter, opaque) = match original.strip_prefix("W/") {
        Some(opaque) => ('w', opaque),
        None => ('s', original),
    };
    let inner = opaque.strip_prefix('"')?.strip_suffix('"')?;
    Some(format!("W/\"{inner}{MARK}{letter}{:016x}\"", stamp.0))
}

/// The handler's validator and the stamp; `None` if it was not made by [`mark`].
pub(super) fn restore(tag: &str) -> Option<(String, Stamp)> {
    // Some clients and proxies drop the mark of weakness.
    let inner = tag.strip_prefix("W/").unwrap_or(tag).strip_prefix('"')?.strip_suffix('"')?;
    let (inner, end) = inner.rsplit_once(MARK)?;
    let weak = match end.get(..1)? {
        "w" => "W/",
        "s" => "",
        _ => return None,
    };
    let digits = end.get(1..).filter(|digits| digits.len() == 16)?;
    let stamp = u64::from_str_radix(digits, 16).ok()?;
    Some((format!("{weak}\"{inner}\""), Stamp(stamp)))
}

/// The members of a list of validators; a comma may stand within one.
pub(super) fn list(text: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
    .map(str::trim)
    .filter(|tag| !tag.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marked_validator_gives_back_what_the_handler_gave() {
        for original in ["\"abc\"", "W/\"abc\"", "\"\"", "\"a,b-live-c\""] {
            let marked = mark(original, Stamp(7)).unwrap();
            assert!(marked.starts_with("W/\""), "{marked}");
            assert_eq!(restore(&marked), Some((original.to_owned(), Stamp(7))));
            assert_eq!(restore(&marked[2..]), Some((original.to_owned(), Stamp(7))));
        }
    }

    #[test]
    fn what_is_no_validator_of_ours_is_not_taken_for_one() {
        for foreign in
            ["", "*", "\"abc\"", "abc-live-s0000000000000007", "\"x-live-\"", "\"x-live-é\"", "\"x-live-s7\""]
        {
            assert_eq!(restore(foreign), None, "{foreign}");
        }
        assert_eq!(mark("abc", Stamp(7)), None);
    }

    #[test]
    fn two_stamps_differ() {
        assert_ne!(Stamp::of("token.1"), Stamp::of("token.2"));
    }

    #[test]
    fn a_comma_within_a_validator_divides_nothing() {
        let members: Vec<_> = list("\"a,b\" , W/\"c\",, *").collect();
        assert_eq!(members, ["\"a,b\"", "W/\"c\"", "*"]);
    }
}
