//! A part of a content (RFC 9110, section 14). Pure.

use std::ops::Range;

use http::HeaderMap;
use http::header::RANGE;

/// What is to be sent of a content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// These bytes, of which there is at least one.
    Bytes(Range<u64>),
    /// Nothing: it has no such part.
    None,
}

/// What a request wants of a content of `len` bytes. Several ranges, other units and what is malformed is the whole.
pub(super) fn wanted(headers: &HeaderMap, len: u64) -> Part {
    let mut values = headers.get_all(RANGE).iter();
    let only = values.next().filter(|_| values.next().is_none());
    only.and_then(|value| value.to_str().ok()).and_then(|value| part(value, len)).unwrap_or(Part::Whole)
}

/// `None` for what is ignored.
fn part(value: &str, len: u64) -> Option<Part> {
    let (unit, range) = value.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") || range.contains(',') {
        return None;
    }
    let (first, last) = range.trim().split_once('-')?;
    let (first, last) = (number(first)?, number(last)?);
    let range = match (first, last) {
        (Some(first), Some(last)) if last < first => return None,
        (Some(first), last) => first..last.map_or(len, |last| last.saturating_add(1).min(len)),
        (None, Some(last)) => len.saturating_sub(last)..len,
        (None, None) => return None,
    };
    Some(if range.is_empty() { Part::None } else { Part::Bytes(range) })
}

/// Digits, or nothing. A number too large for any file is one all the same.
fn number(text: &str) -> Option<Option<u64>> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| (!text.is_empty()).then(|| text.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_a_part_and_everything_else_the_whole() {
        let cases = [
            ("bytes=0-0", 10, Part::Bytes(0..1)),
            ("bytes=2-5", 10, Part::Bytes(2..6)),
            ("bytes=2-", 10, Part::Bytes(2..10)),
            ("bytes=2-99", 10, Part::Bytes(2..10)),
            ("bytes=2-99999999999999999999999", 10, Part::Bytes(2..10)),
            ("bytes=-3", 10, Part::Bytes(7..10)),
            ("bytes=-99", 10, Part::Bytes(0..10)),
            ("Bytes = 2-5", 10, Part::Bytes(2..6)),
            ("bytes=10-", 10, Part::None),
            ("bytes=99999999999999999999999-", 10, Part::None),
            ("bytes=-0", 10, Part::None),
            ("bytes=0-", 0, Part::None),
            ("bytes=-5", 0, Part::None),
            ("bytes=5-2", 10, Part::Whole),
            ("bytes=0-1,3-4", 10, Part::Whole),
            ("bytes=-", 10, Part::Whole),
            ("bytes=", 10, Part::Whole),
            ("bytes=+1-2", 10, Part::Whole),
            ("bytes=0x1-2", 10, Part::Whole),
            ("bytes=--1", 10, Part::Whole),
            ("lines=0-1", 10, Part::Whole),
            ("0-1", 10, Part::Whole),
        ];
        for (value, len, expected) in cases {
            let headers = HeaderMap::from_iter([(RANGE, value.parse().expect("a header"))]);
            assert_eq!(wanted(&headers, len), expected, "{value} of {len}");
        }
        assert_eq!(wanted(&HeaderMap::new(), 10), Part::Whole);
    }
}
