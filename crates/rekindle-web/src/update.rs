//! [`Update`]: what a browser has to do to show what is there now; [`Change`]: why.

/// The smallest step that brings an open page up to date.
///
/// Addresses are those that a page uses, as paths of this server (`/static/app.css`); never a path on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Update {
    /// A stylesheet changed.
    Style {
        /// The address that pages of before use.
        old: String,
        /// The address by now: the same, but for fingerprinted assets.
        new: String,
    },
    /// An image changed.
    Image {
        /// The address that pages of before use.
        old: String,
        /// The address by now.
        new: String,
    },
    /// What pages are made of changed: they are to be rendered anew and morphed into what is shown.
    Page {
        /// The names of the templates that are affected; all pages are, when this is empty.
        templates: Vec<String>,
    },
    /// Nothing less than loading the page anew will do: a script, a font, or what is not known.
    Reload,
}

impl Update {
    /// That pages are to be rendered anew, whatever they are made of.
    pub fn all_pages() -> Self {
        Self::Page { templates: Vec::new() }
    }
}

/// A resource of pages that has become another, and what brings pages up to date with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// By what it is recognised: a name or a path, unique among those of its source. Browsers are not told of it.
    pub resource: String,
    /// A digest of its content by now, the same in every run; `None` when it is gone.
    pub content: Option<u64>,
    /// What pages have to do.
    pub update: Update,
}
