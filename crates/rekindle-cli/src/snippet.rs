//! Problems in, the lines they are in out, with what is wrong underlined.
//!
//! Reads the files that the problems are about. Where one cannot be read, or has changed since, the
//! place is named without its lines.

use std::path::Path;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use rekindle::Error;

use crate::text::printable;

/// The columns of a report where no terminal says how many there are.
const WIDTH: usize = 120;

/// Shows every problem of an error, one below the other.
pub(crate) fn report(error: &Error, root: &Path, width: Option<usize>) -> String {
    let renderer = Renderer::styled().decor_style(DecorStyle::Ascii).term_width(width.unwrap_or(WIDTH));
    let shown = error.problems().map(|problem| {
        let text = Source::of(problem, root);
        renderer.render(&groups(problem, text.as_ref())) + "\n"
    });
    shown.collect()
}

/// The file of a problem.
struct Source {
    /// As it is shown.
    path: String,
    /// Its text, if it can be had.
    text: Option<String>,
}

impl Source {
    fn of(problem: &Error, root: &Path) -> Option<Self> {
        let path = problem.path()?;
        let shown = path.strip_prefix(root).unwrap_or(path).to_string_lossy();
        let bytes = problem.span().and_then(|_| std::fs::read(path).ok());
        let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Some(Self { path: printable(&shown).into_owned(), text })
    }

    /// The lines around the problem, if they are still there.
    fn annotated(&self, problem: &Error) -> Option<Snippet<'_, Annotation<'_>>> {
        let (text, span) = (self.text.as_deref()?, problem.span()?);
        text.get(span.clone())?;
        let snippet = Snippet::source(text).line_start(1).path(self.path.as_str());
        Some(snippet.annotation(AnnotationKind::Primary.span(span)))
    }

    fn origin(&self, problem: &Error) -> Origin<'_> {
        let origin = Origin::path(self.path.as_str());
        match (problem.line(), problem.column()) {
            (Some(line), Some(column)) => origin.line(line).char_column(column),
            _ => origin,
        }
    }
}

fn groups<'a>(problem: &'a Error, source: Option<&'a Source>) -> Vec<Group<'a>> {
    let title = Level::ERROR.primary_title(printable(problem.message()));
    let first = match source.map(|source| (source, source.annotated(problem))) {
        Some((_, Some(snippet))) => title.element(snippet),
        Some((source, None)) => title.element(source.origin(problem)),
        None => Group::with_title(title),
    };
    let help =
        problem.advice().map(|advice| Group::with_title(Level::HELP.secondary_title(printable(advice))));
    std::iter::once(first).chain(help).collect()
}
