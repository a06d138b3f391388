//! A key as the subject of a message, and back. Pure.
//!
//! The parts of a subject stand between dots and may hold neither white space nor wildcards: what is not a letter, a
//! digit, `-` or `_` is written as `=` and two hexadecimal digits, and a part that is empty as a single `=`.

use std::fmt::Write as _;

use crate::model::Key;

/// The subject of a document below a base.
pub(super) fn of_key(base: &str, key: &str) -> String {
    let mut subject = base.to_owned();
    for part in key.split('/') {
        subject.push('.');
        escape(part, &mut subject);
    }
    subject
}

/// The subjects of all documents that a scope holds.
pub(super) fn of_scope(base: &str, scope: &str) -> String {
    match scope.strip_suffix('/') {
        Some(above) => format!("{}.>", of_key(base, above)),
        None if scope.is_empty() => format!("{base}.>"),
        None => of_key(base, scope),
    }
}

/// The document whose subject this is; `None` for what nobody writes here.
pub(super) fn key(base: &str, subject: &str) -> Option<Key> {
    let parts = subject.strip_prefix(base)?.strip_prefix('.')?;
    let parts: Option<Vec<String>> = parts.split('.').map(unescape).collect();
    Some(Key::named(parts?.join("/")))
}

fn escape(part: &str, subject: &mut String) {
    if part.is_empty() {
        subject.push('=');
    }
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            subject.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _written = write!(subject, "={byte:02x}");
        }
    }
}

fn unescape(part: &str) -> Option<String> {
    if part == "=" {
        return Some(String::new());
    }
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        if *first == b'=' {
            let (digits, others) = others.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = others;
        } else {
            bytes.push(*first);
            rest = others;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn scopes_are_subjects_with_a_wildcard_or_none() {
        assert_eq!(of_scope("shop.doc", ""), "shop.doc.>");
        assert_eq!(of_scope("shop.doc", "head"), "shop.doc.head");
        assert_eq!(of_scope("shop.doc", "inst/"), "shop.doc.inst.>");
        assert_eq!(of_key("shop.doc", "inst/a.b *"), "shop.doc.inst.a=2eb=20=2a");
        assert_eq!(key("shop.doc", "shop.compacted"), None);
        assert_eq!(key("shop.doc", "shop.doc.=zz"), None);
    }

    proptest! {
        #[test]
        fn every_key_has_a_subject_of_its_own(name in ".*") {
            let subject = of_key("b", &name);
            prop_assert!(subject.bytes().all(|byte| byte.is_ascii_graphic() && !b"*>".contains(&byte)));
            prop_assert!(!subject.contains(".."));
            prop_assert_eq!(key("b", &subject), Some(Key::named(name)));
        }
    }
}
