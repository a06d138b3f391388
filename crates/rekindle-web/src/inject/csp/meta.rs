//! Policies as they are written in an attribute.

/// The references that people and template engines write in a policy; the first of each is written here.
const REFERENCES: [(char, &[&str]); 5] = [
    ('\'', &["&#39;", "&#x27;", "&apos;", "&#039;"]),
    ('"', &["&quot;", "&#34;", "&#x22;"]),
    ('&', &["&amp;", "&#38;", "&#x26;"]),
    ('/', &["&#47;", "&#x2F;", "&#x2f;"]),
    (' ', &["&#32;", "&#x20;"]),
];

/// The text of an attribute's value; `None` with a reference that is not known here, or beyond ASCII.
pub(super) fn decode(value: &str) -> Option<String> {
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('&') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let (char, reference) = reference_at(rest)?;
        text.push(char);
        rest = &rest[reference.len()..];
    }
    text.push_str(rest);
    text.is_ascii().then_some(text)
}

fn reference_at(text: &str) -> Option<(char, &'static str)> {
    let all = REFERENCES.iter().flat_map(|(char, forms)| forms.iter().map(|form| (*char, *form)));
    all.into_iter().find(|(_, form)| text.starts_with(form))
}

/// The value for a text, in place of `former`, in the quotes that are there.
///
/// One without a space may have no quotes at all: then spaces, too, are written as references.
pub(super) fn encode(text: &str, former: &str) -> String {
    let bare = !former.contains(|c: char| c.is_ascii_whitespace());
    let mut value = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\'' => value.push_str("&#39;"),
            '"' => value.push_str("&quot;"),
            '&' => value.push_str("&amp;"),
            ' ' if bare => value.push_str("&#32;"),
            _ => value.push(char),
        }
    }
    value
}
