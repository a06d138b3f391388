//! What the query of a request says. Pure.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::protocol::{Page, read};

/// The value of a field; the first, if there are several.
pub(super) fn field<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.into_iter().find(|(key, _)| *key == name)?;
    // A browser writes a blank as `+` where it writes a form.
    let spaced = if value.contains('+') { Cow::Owned(value.replace('+', " ")) } else { Cow::Borrowed(value) };
    match spaced {
        Cow::Borrowed(text) => percent_decode_str(text).decode_utf8().ok(),
        Cow::Owned(text) => percent_decode_str(&text).decode_utf8().ok().map(|text| text.into_owned().into()),
    }
}

/// The pages that a client without a socket speaks for.
pub(super) fn pages(query: &str) -> Option<Vec<Page>> {
    serde_json::from_str(&field(query, "pages")?).ok()
}

/// The version of the problems that it knows.
pub(super) fn problems(query: &str) -> Option<u64> {
    read(&field(query, "problems")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded() {
        let query = "a=1&pages=%5B%7B%22id%22%3A1%2C%22path%22%3A%22%2Fa+b%22%7D%5D&token=x%2By&a=2&b";
        assert_eq!(field(query, "a").as_deref(), Some("1"));
        assert_eq!(field(query, "token").as_deref(), Some("x+y"));
        assert_eq!(field(query, "b"), None);
        let pages = pages(query).unwrap();
        assert_eq!((pages[0].id, pages[0].path.as_str()), (1, "/a b"));
        assert_eq!(problems("problems=00000000000000ff"), Some(255));
        assert_eq!(field("a=%ff", "a"), None);
    }
}
