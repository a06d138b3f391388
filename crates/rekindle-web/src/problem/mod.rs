//! [`Problem`]: what the overlay and the error page show.

mod frame;

use std::path::Path;

/// How large a file may be whose lines are shown, in bytes.
const LARGEST: u64 = 1024 * 1024;

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

impl Problem {
    /// A problem without a place.
    ///
    /// `id` is by what it is recognised, `title` a heading of a few words.
    pub fn new(id: impl Into<String>, title: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            message: message.into(),
            file: None,
            line: None,
            column: None,
            frame: Vec::new(),
            chain: Vec::new(),
        }
    }

    /// What an error of rekindle says, with the lines around its place. Reads the file; files below `root` are
    /// named from there.
    pub fn of_error(
        id: impl Into<String>,
        title: impl Into<String>,
        root: &Path,
        error: &rekindle::Error,
    ) -> Self {
        let advice = error.advice().map(|advice| format!("\n{advice}")).unwrap_or_default();
        let mut problem = Self::new(id, title, format!("{}{advice}", error.message()));
        problem.file = error.path().map(|path| named(path, root));
        (problem.line, problem.column) = (error.line(), error.column());
        problem.frame = frame_of(error, root).unwrap_or_default();
        problem
    }
}

fn named(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

/// Of a file that is plain and of a reasonable size.
fn frame_of(error: &rekindle::Error, root: &Path) -> Option<Vec<FrameLine>> {
    let path = root.join(error.path()?);
    let (line, span) = (error.line()?, error.span()?);
    path.metadata().ok().filter(|data| data.is_file() && data.len() <= LARGEST)?;
    let text = std::fs::read_to_string(path).ok()?;
    Some(frame::lines(&text, line, span, error.masked_spans()))
}
