//! [`TemplateProblem`]: what is wrong with a template, and where. [`TemplateError`]: the same, as an error.

use std::fmt;
use std::ops::Range;

use serde::Serialize;

use crate::place::{FrameLine, Place};

/// What sort of problem it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ProblemKind {
    /// The file cannot be read, is too large, or is not UTF-8.
    Unreadable,
    /// The engine does not take the source.
    Syntax,
    /// A template that others use is not there.
    Missing,
    /// A template was asked for that there is none of.
    NotFound,
    /// Rendering failed: an undefined variable, a filter, what was given to it.
    Render,
    /// A template that is compiled into the program is another than when it started.
    Outdated,
    /// The set of templates as a whole does not fit together.
    Set,
}

/// A template on the way to another: `page.html`, which uses the next one in line 3.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainLink {
    /// The template.
    pub template: String,
    /// The line with the tag that leads on, from 1.
    pub line: usize,
}

impl fmt::Display for ChainLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.template, self.line)
    }
}

/// What is wrong with a template right now, as data: nothing in it is formatted for a terminal or a browser.
///
/// Its [`Display`](fmt::Display) is one line: place, fault, and by way of which templates it was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TemplateProblem {
    /// The template it is a problem of, by which it is recognised together with the kind. Of
    /// [`Missing`](ProblemKind::Missing) ones that is the one that is not there.
    pub template: String,
    /// What sort of problem it is.
    pub kind: ProblemKind,
    /// What is wrong, and what to do where that is known, without the place.
    pub message: String,
    /// The file to look into, relative to the root of the workspace. Of [`Missing`](ProblemKind::Missing)
    /// templates that is one that uses it.
    pub file: Option<String>,
    /// The line in that file, from 1.
    pub line: Option<usize>,
    /// The column in that line, in characters, from 1.
    pub column: Option<usize>,
    /// The bytes of the file to underline.
    pub span: Option<Range<usize>>,
    /// The lines around the place.
    pub frame: Vec<FrameLine>,
    /// By way of which templates it was reached, the outermost first; empty when nothing leads to it.
    pub chain: Vec<ChainLink>,
}

impl TemplateProblem {
    pub(crate) fn new(kind: ProblemKind, template: &str, message: impl Into<String>) -> Self {
        Self {
            template: template.to_owned(),
            kind,
            message: message.into(),
            file: None,
            line: None,
            column: None,
            span: None,
            frame: Vec::new(),
            chain: Vec::new(),
        }
    }

    /// Says which file it stands in.
    pub(crate) fn in_file(mut self, shown: String) -> Self {
        self.file = Some(shown);
        self
    }

    /// Says where in the file's `text` it stands.
    pub(crate) fn at(mut self, text: &str, place: &Place) -> Self {
        let found = place.find(text);
        self.line = Some(found.line);
        (self.column, self.span, self.frame) = (found.column, found.span, found.frame);
        self
    }

    /// Says by way of which templates it was reached.
    pub(crate) fn by_way_of(mut self, chain: Vec<ChainLink>) -> Self {
        self.chain = chain;
        self
    }

    /// A few words for a heading.
    pub fn title(&self) -> &'static str {
        match self.kind {
            ProblemKind::Unreadable => "Template unreadable",
            ProblemKind::Syntax | ProblemKind::Set => "Template error",
            ProblemKind::Missing | ProblemKind::NotFound => "Template missing",
            ProblemKind::Render => "Render error",
            ProblemKind::Outdated => "Needs a rebuild",
        }
    }

    /// The way to it in one line, itself at the end: `page.html:3 → layout.html:7 → nav.html`. `None`
    /// when nothing leads to it.
    pub fn trail(&self) -> Option<String> {
        if self.chain.is_empty() {
            return None;
        }
        let own_line = self.line.filter(|_| self.kind != ProblemKind::Missing);
        let end = own_line.map_or_else(|| self.template.clone(), |line| format!("{}:{line}", self.template));
        let links = self.chain.iter().map(ChainLink::to_string);
        Some(links.chain([end]).collect::<Vec<_>>().join(" → "))
    }
}

impl fmt::Display for TemplateProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.file.as_deref().unwrap_or(&self.template))?;
        for number in [self.line, self.column].into_iter().flatten() {
            write!(f, ":{number}")?;
        }
        write!(f, ": {}", self.message)?;
        match self.trail() {
            Some(trail) => write!(f, " ({trail})"),
            None => Ok(()),
        }
    }
}

/// Why a template could not be rendered. One pointer wide and cheap to clone.
///
/// ```
/// # #[cfg(feature = "minijinja")] {
/// # use rekindle_templates::{MiniJinja, ProblemKind, Templates};
/// # use rekindle::testing::create_test_workspace_with_structure;
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let (_dir, ws) = create_test_workspace_with_structure();
/// let templates = Templates::<MiniJinja>::watch(&ws, "templates/**").await?;
/// let error = templates.render("page.html", &()).unwrap_err();
/// assert_eq!(error.kind(), ProblemKind::NotFound);
/// assert_eq!(error.to_string(), "page.html: there is no template of this name");
/// # Ok::<(), rekindle::Error>(()) }).unwrap(); }
/// ```
#[derive(Clone)]
pub struct TemplateError {
    problem: std::sync::Arc<TemplateProblem>,
}

impl TemplateError {
    /// What sort of error it is.
    pub fn kind(&self) -> ProblemKind {
        self.problem.kind
    }

    /// All that is known of it: place, code frame, and the way to it.
    pub fn problem(&self) -> &TemplateProblem {
        &self.problem
    }
}

impl From<TemplateProblem> for TemplateError {
    fn from(problem: TemplateProblem) -> Self {
        Self { problem: problem.into() }
    }
}

impl From<std::sync::Arc<TemplateProblem>> for TemplateError {
    fn from(problem: std::sync::Arc<TemplateProblem>) -> Self {
        Self { problem }
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl fmt::Debug for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TemplateError").field(&self.to_string()).finish()
    }
}

impl std::error::Error for TemplateError {}
