//! [`Tag`]: the element that goes into a page.

use bytes::Bytes;

use super::decide::Markup;

/// The script element, as the page's markup wants it.
#[derive(Debug, Clone)]
pub(super) struct Tag {
    text: String,
    path: String,
}

impl Tag {
    /// Takes `<script src="…" defer></script>`; `None` if no address is found in it.
    pub(super) fn new(text: &str, markup: Markup) -> Option<Self> {
        let (_, address) = text.split_once("src=\"")?;
        let path = address.split(['"', '?']).next()?.to_owned();
        let text = match markup {
            Markup::Html => text.to_owned(),
            // XML knows no attribute without a value.
            Markup::Xhtml => text.replace(" defer>", " defer=\"\">"),
        };
        (!path.is_empty() && text.starts_with("<script ")).then_some(Self { text, path })
    }

    /// The address of the script without its query: what it is recognised by, and what a policy has to allow.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Adds a nonce, of characters that need no escaping.
    pub(super) fn set_nonce(&mut self, nonce: &str) {
        self.text.insert_str("<script".len(), &format!(" nonce=\"{nonce}\""));
    }

    /// The element's bytes. They are ASCII, and so the same in every coding that pages are rewritten in.
    pub(super) fn into_bytes(self) -> Bytes {
        self.text.into()
    }
}
