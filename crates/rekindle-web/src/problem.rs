//! [`Problem`]: what the overlay and the error page show.

/// Something that is wrong right now, until it is mended.
///
/// Secrets are masked already: it is made from errors that are.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// What it is a problem of, and by what it is recognised: `template:page.html`, `config:app`.
    pub id: String,
    /// A few words for a heading: `Template error`.
    pub title: String,
    /// What is wrong, and what to do.
    pub message: String,
    /// The file, relative to the root.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: Option<usize>,
    /// The column in characters, from 1.
    pub column: Option<usize>,
    /// The lines around the place.
    pub frame: Vec<FrameLine>,
    /// By way of which templates it was reached, the outermost first: `page.html:3`.
    pub chain: Vec<String>,
}

/// A line of a code frame.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FrameLine {
    /// Its number, from 1.
    pub number: usize,
    /// Its text, without the line break.
    pub text: String,
    /// The columns that are pointed at, from 1, the end exclusive; on the line with the error alone.
    pub marked: Option<(usize, usize)>,
}
