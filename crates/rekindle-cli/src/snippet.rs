//! Problems in, the lines they are in out, with what is wrong underlined.
//!
//! Reads the files that the problems are about. Where one cannot be read, or has changed since, the
//! place is named without its lines. Secrets in those lines are masked: the problem knows where they are.

use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use rekindle::Error;
use serde_json::Value;

use crate::text::printable;

/// The columns of a report where no terminal says how many there are.
const WIDTH: usize = 120;

/// Shows every problem of an error, one below the other.
pub(crate) fn report(error: &Error, root: &Path, width: Option<usize>) -> String {
    show(&error.problems().map(Problem::from).collect::<Vec<_>>(), root, width)
}

/// Shows problems, one below the other.
pub(crate) fn show(problems: &[Problem], root: &Path, width: Option<usize>) -> String {
    let renderer = Renderer::styled().decor_style(DecorStyle::Ascii).term_width(width.unwrap_or(WIDTH));
    let shown = problems.iter().map(|problem| {
        let text = Source::of(problem, root);
        renderer.render(&groups(problem, text.as_ref())) + "\n"
    });
    shown.collect()
}

/// What is wrong, where, and what to do about it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Problem {
    message: String,
    advice: Option<String>,
    /// Absolute.
    path: Option<PathBuf>,
    line: Option<usize>,
    column: Option<usize>,
    /// The bytes to underline.
    span: Option<Range<usize>>,
    /// The bytes that hold secrets.
    masked: Vec<Range<usize>>,
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        Self {
            message: error.message().to_owned(),
            advice: error.advice().map(str::to_owned),
            path: error.path().map(Path::to_path_buf),
            line: error.line(),
            column: error.column(),
            span: error.span(),
            masked: error.masked_spans().to_vec(),
        }
    }
}

impl Problem {
    /// What is wrong in a file without secrets: its absolute path, the line and the column, the bytes to underline.
    pub(crate) fn at(
        message: String,
        path: Option<PathBuf>,
        place: (Option<usize>, Option<usize>),
        span: Option<Range<usize>>,
    ) -> Self {
        Self { message, path, line: place.0, column: place.1, span, ..Self::default() }
    }

    /// An error as a program tells it, and the others that it found in the same go.
    pub(crate) fn all(error: &Value, root: &Path) -> Vec<Self> {
        let further = error["further"].as_array().into_iter().flatten();
        std::iter::once(error).chain(further).map(|error| Self::told(error, root)).collect()
    }

    fn told(error: &Value, root: &Path) -> Self {
        let number = |value: &Value| value.as_u64().and_then(|number| usize::try_from(number).ok());
        let span = |value: &Value| Some(number(&value[0])?..number(&value[1])?);
        Self {
            message: error["message"].as_str().unwrap_or("no reason was told").to_owned(),
            advice: error["advice"].as_str().map(str::to_owned),
            path: error["path"].as_str().map(|path| root.join(path)),
            line: number(&error["line"]),
            column: number(&error["column"]),
            span: span(&error["span"]),
            masked: error["masked"].as_array().into_iter().flatten().filter_map(span).collect(),
        }
    }
}

/// The file of a problem.
struct Source {
    /// As it is shown.
    path: String,
    /// Its text, and what of that to underline, if it can be had.
    text: Option<(String, Range<usize>)>,
}

impl Source {
    fn of(problem: &Problem, root: &Path) -> Option<Self> {
        let path = problem.path.as_ref()?;
        let shown = path.strip_prefix(root).unwrap_or(path).to_string_lossy();
        let span = problem.span.clone().and_then(|span| Some((span, std::fs::read(path).ok()?)));
        let text = span.and_then(|(span, bytes)| {
            let text = String::from_utf8_lossy(&bytes);
            text.get(span.clone())?;
            masked(&text, &problem.masked, span)
        });
        Some(Self { path: printable(&shown).into_owned(), text })
    }

    /// The lines around the problem, if they are still there.
    fn annotated(&self) -> Option<Snippet<'_, Annotation<'_>>> {
        let (text, span) = self.text.as_ref()?;
        let snippet = Snippet::source(text.as_str()).line_start(1).path(self.path.as_str());
        Some(snippet.annotation(AnnotationKind::Primary.span(span.clone())))
    }

    fn origin(&self, problem: &Problem) -> Origin<'_> {
        let origin = Origin::path(self.path.as_str());
        match (problem.line, problem.column) {
            (Some(line), Some(column)) => origin.line(line).char_column(column),
            _ => origin,
        }
    }
}

/// A text with its secrets masked, none of which goes over the end of a line, and where a span of it is
/// then. `None` where the secrets are not in this text: it has changed since.
fn masked(text: &str, secrets: &[Range<usize>], span: Range<usize>) -> Option<(String, Range<usize>)> {
    let mut shown = String::with_capacity(text.len());
    let (mut at, mut moved) = (0, span.clone());
    for secret in secrets {
        shown.push_str(text.get(at..secret.start)?);
        let mask = mask(text, secret, &span)?;
        let (start, end) = (shown.len(), shown.len() + mask.len());
        // An end that is within a secret is moved to that end of the mask.
        match span.start {
            within if secret.contains(&within) => moved.start = start,
            after if after >= secret.end => moved.start = end + after - secret.end,
            _ => {}
        }
        match span.end {
            within if secret.start < within && within < secret.end => moved.end = end,
            after if after >= secret.end => moved.end = end + after - secret.end,
            _ => {}
        }
        shown.push_str(&mask);
        at = secret.end;
    }
    shown.push_str(text.get(at..)?);
    Some((shown, moved))
}

/// What stands in place of a secret. In front of what is underlined it is as long as the secret: the column
/// is to be right, and tells the length anyway.
fn mask(text: &str, secret: &Range<usize>, span: &Range<usize>) -> Option<String> {
    let hidden = text.get(secret.clone())?;
    let is_before = text.get(secret.end..span.start).is_some_and(|between| !between.contains('\n'));
    Some("*".repeat(if is_before { hidden.chars().count() } else { 3 }))
}

fn groups<'a>(problem: &'a Problem, source: Option<&'a Source>) -> Vec<Group<'a>> {
    let title = Level::ERROR.primary_title(printable(&problem.message));
    let first = match source.map(|source| (source, source.annotated())) {
        Some((_, Some(snippet))) => title.element(snippet),
        Some((source, None)) => title.element(source.origin(problem)),
        None => Group::with_title(title),
    };
    let help = problem
        .advice
        .as_deref()
        .map(|advice| Group::with_title(Level::HELP.secondary_title(printable(advice))));
    std::iter::once(first).chain(help).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_problem_is_the_same_when_a_program_tells_it() {
        let told = json!({
            "message": "no", "advice": "do", "path": "config/app.toml", "line": 1, "column": 5, "span": [4, 5],
            "masked": [[7, 9], [12, 13]], "further": [{"message": "more"}],
        });
        let first = Problem {
            message: "no".into(),
            advice: Some("do".into()),
            path: Some("/site/config/app.toml".into()),
            line: Some(1),
            column: Some(5),
            span: Some(4..5),
            masked: vec![7..9, 12..13],
        };
        let second = Problem { message: "more".into(), ..Problem::default() };
        assert_eq!(Problem::all(&told, Path::new("/site")), [first, second]);
    }

    #[test]
    fn a_span_is_found_again_in_the_masked_text() {
        let text = "a = 'hunter2'\nb = 5, c = 'other', d = 6\n";
        let at = |part: &str| text.find(part).map(|at| at..at + part.len()).unwrap();
        let secrets = [at("'hunter2'"), at("'other'")];
        let cases = [
            (at("a"), "a = ***\nb = 5, c = ***, d = 6\n", "a"),
            (at("'hunter2'"), "a = ***\nb = 5, c = ***, d = 6\n", "***"),
            (at("ter"), "a = ***\nb = 5, c = ***, d = 6\n", "***"),
            (at("a = 'hun"), "a = ***\nb = 5, c = ***, d = 6\n", "a = ***"),
            (at("5"), "a = ***\nb = 5, c = ***, d = 6\n", "5"),
            (at("6"), "a = ***\nb = 5, c = *******, d = 6\n", "6"),
        ];
        for (span, expected, underlined) in cases {
            let (shown, span) = masked(text, &secrets, span).unwrap();
            assert_eq!((shown.as_str(), &shown[span]), (expected, underlined));
        }
        assert_eq!(masked("short", &secrets, 0..1), None);
    }
}
