//! Conditional requests (RFC 9110, section 13). Pure.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;
use http::header::{HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE};

/// For how long after a change another one may bear the same date: dates count in seconds, and file systems in up
/// to two.
const UNSURE: Duration = Duration::from_secs(2);

/// By what the content that is sent is told from others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Validators {
    /// A strong entity tag, quoted.
    pub(super) etag: Option<String>,
    /// When it came to be what it is, in whole seconds.
    modified: Option<SystemTime>,
}

impl Validators {
    /// A date is one only once no further change can bear it.
    pub(super) fn new(etag: String, modified: Option<SystemTime>, now: SystemTime) -> Self {
        let is_sure = |at: &SystemTime| now.duration_since(*at).is_ok_and(|age| age >= UNSURE);
        let modified = modified.filter(is_sure).and_then(whole_seconds);
        Self { etag: Some(etag), modified }
    }

    /// The value of `Last-Modified`.
    pub(super) fn last_modified(&self) -> Option<String> {
        self.modified.map(httpdate::fmt_http_date)
    }

    /// Whether whoever asks has this content already.
    pub(super) fn are_known(&self, headers: &HeaderMap) -> bool {
        if headers.contains_key(IF_NONE_MATCH) {
            let values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
            return self
                .etag
                .as_deref()
                .is_some_and(|etag| values.flat_map(tags).any(|tag| tag == etag || tag == "*"));
        }
        let since = date(headers, &IF_MODIFIED_SINCE);
        self.modified.zip(since).is_some_and(|(modified, since)| modified <= since)
    }

    /// Whether a part of this content fits to the parts that whoever asks has already.
    pub(super) fn allow_a_range(&self, headers: &HeaderMap) -> bool {
        let Some(value) = headers.get(IF_RANGE) else { return true };
        let is_tag = value.to_str().is_ok_and(|value| Some(value) == self.etag.as_deref());
        is_tag || self.modified.is_some_and(|modified| date(headers, &IF_RANGE) == Some(modified))
    }
}

fn whole_seconds(at: SystemTime) -> Option<SystemTime> {
    let age = at.duration_since(UNIX_EPOCH).ok()?;
    Some(UNIX_EPOCH + Duration::from_secs(age.as_secs()))
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    let mut values = headers.get_all(name).iter();
    let only = values.next().filter(|_| values.next().is_none())?;
    httpdate::parse_http_date(only.to_str().ok()?).ok()
}

/// The entity tags of a list, quoted, without what marks them as weak: for a comparison that does not mind.
fn tags(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = list;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.starts_with('*') {
            return Some(std::mem::take(&mut rest)).map(|_| "*");
        }
        let tag = rest.strip_prefix("W/").unwrap_or(rest);
        let end = tag.strip_prefix('"')?.find('"')? + 2;
        rest = &tag[end..];
        Some(&tag[..end])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

    fn validators() -> Validators {
        let modified = httpdate::parse_http_date(DATE).expect("a date") + Duration::from_millis(300);
        Validators::new("\"a\"".into(), Some(modified), modified + UNSURE)
    }

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().expect("a header"))).collect()
    }

    #[test]
    fn an_entity_tag_is_found_in_a_list_weak_or_not() {
        let cases = [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", W/\"c\",\"a\"", true),
            ("\"b,\\\", \"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
            ("\"a", false),
            ("", false),
            ("\"b\", a, \"a\"", false),
        ];
        for (value, expected) in cases {
            assert_eq!(validators().are_known(&headers(&[(IF_NONE_MATCH, value)])), expected, "{value}");
        }
    }

    #[test]
    fn a_date_counts_only_where_no_entity_tag_is_given() {
        let later = "Sun, 06 Nov 1994 08:49:38 GMT";
        let earlier = "Sun, 06 Nov 1994 08:49:36 GMT";
        for (value, expected) in [(DATE, true), (later, true), (earlier, false), ("yesterday", false)] {
            assert_eq!(validators().are_known(&headers(&[(IF_MODIFIED_SINCE, value)])), expected, "{value}");
        }
        assert!(!validators().are_known(&headers(&[(IF_MODIFIED_SINCE, DATE), (IF_NONE_MATCH, "\"b\"")])));
        assert!(!validators().are_known(&HeaderMap::new()));
    }

    #[test]
    fn a_date_that_another_change_may_bear_is_none() {
        let now = httpdate::parse_http_date(DATE).expect("a date");
        for at in [now, now - Duration::from_millis(1999), now + Duration::from_secs(9)] {
            let fresh = Validators::new("\"a\"".into(), Some(at), now);
            assert_eq!(fresh.last_modified(), None);
            assert!(!fresh.are_known(&headers(&[(IF_MODIFIED_SINCE, DATE)])));
        }
        assert_eq!(validators().last_modified().as_deref(), Some(DATE));
    }

    #[test]
    fn a_range_needs_the_very_content_that_the_rest_is_of() {
        let later = "Sun, 06 Nov 1994 08:49:38 GMT";
        let cases = [
            ("\"a\"", true),
            ("W/\"a\"", false),
            ("\"b\"", false),
            (DATE, true),
            (later, false),
            ("x", false),
        ];
        for (value, expected) in cases {
            assert_eq!(validators().allow_a_range(&headers(&[(IF_RANGE, value)])), expected, "{value}");
        }
        assert!(validators().allow_a_range(&HeaderMap::new()));
        assert!(!Validators::default().allow_a_range(&headers(&[(IF_RANGE, "\"a\"")])));
    }
}
