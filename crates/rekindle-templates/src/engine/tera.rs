//! [`Tera`].

use std::error::Error as _;

use serde::Serialize;
use tera::{Context, Error, ErrorKind, ReportError};

use super::{Edit, Engine, Fault, Parsed, Place, Reference, Target};

/// Templates of [Tera](https://docs.rs/tera) 2.
///
/// HTML is escaped in `.html`, `.htm` and `.xml`. What is not defined is an error. Templates that include
/// each other in a circle are refused. A template that uses a component depends on the one that defines it.
/// Names are taken as they are: `set_fallback_prefixes` is not supported.
#[derive(Debug, Clone, Copy)]
pub struct Tera;

impl Engine for Tera {
    type Raw = tera::Tera;

    const NAME: &'static str = "Tera";

    fn empty() -> Self::Raw {
        tera::Tera::new()
    }

    fn has(raw: &Self::Raw, name: &str) -> bool {
        raw.contains_template(name)
    }

    /// Tera does not give its syntax tree away. But it names everything that a template uses and that is not
    /// there, with its place; so the template is put into an engine in which nothing is.
    fn parse(raw: &Self::Raw, name: &str, source: &str) -> Result<Parsed, Fault> {
        let mut alone = raw.clone();
        let mut references = Vec::new();
        let mut added = alone.add_raw_template(name, source);
        if let Err(ErrorKind::MissingParent { parent, .. }) = added.as_ref().map_err(Error::kind) {
            let parent = parent.clone();
            references.push(parent_of(&parent, source));
            // Any will do: what it says against the blocks is left to the whole set.
            added = alone.add_raw_template(&parent, "").and_then(|()| alone.add_raw_template(name, source));
        }
        match added {
            Ok(()) => {}
            Err(error) => references.extend(absences(&error, name, source)?),
        }
        references.sort_by_key(|reference| reference.span.start);
        Ok(Parsed { references, components: components(source) })
    }

    fn build(edit: &Edit<'_, Self::Raw>) -> Result<Self::Raw, Fault> {
        // Nothing can be taken out of one.
        let is_more = edit.removed.is_empty();
        let mut raw = if is_more { edit.previous.clone() } else { edit.base.clone() };
        let added = if is_more {
            raw.add_raw_templates(edit.changes())
        } else {
            raw.add_raw_templates(edit.all.iter())
        };
        added.map(|()| raw).map_err(|error| fault_of_set(&error, edit))
    }

    fn render<C: Serialize + ?Sized>(raw: &Self::Raw, name: &str, context: &C) -> Result<String, Fault> {
        let context = match Context::from_serialize(context) {
            Ok(context) => context,
            // Nothing is no map, and stands for one without a key.
            Err(_) if serde_json::to_value(context).is_ok_and(|value| value.is_null()) => Context::new(),
            Err(error) => return Err(Fault::new(name, error.to_string())),
        };
        raw.render(name, &context).map_err(|error| fault(&error))
    }
}

/// What an error with a place says, and else its words alone.
fn fault(error: &Error) -> Fault {
    let (template, place, mut message) = match error.kind() {
        ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => {
            (Some(report.filename().to_owned()), Some(place(report)), report.message().to_owned())
        }
        other => (None, None, other.to_string()),
    };
    if let Some(cause) = error.source().map(ToString::to_string).filter(|cause| !message.contains(cause)) {
        message = format!("{message}: {cause}");
    }
    Fault { template, place, message }
}

fn place(report: &ReportError) -> Place {
    Place::Span(report.span().range.clone())
}

/// What is wrong with several templates together.
fn fault_of_set(error: &Error, edit: &Edit<'_, tera::Tera>) -> Fault {
    let circle = match error.kind() {
        // The last one is where it closes, and so part of it.
        ErrorKind::CircularExtend { inheritance_chain: chain, .. } => chain,
        ErrorKind::CircularInclude { include_chain: chain, .. } => chain,
        ErrorKind::Msg(text) => {
            let first = reports(text).into_iter().flatten().next();
            return first.map_or_else(|| fault(error), |report| report.fault());
        }
        _ => return fault(error),
    };
    let Some(name) = circle.last() else { return fault(error) };
    let next = circle.iter().position(|one| one == name).and_then(|at| circle.get(at + 1)).unwrap_or(name);
    let fault = circular(name, circle);
    match edit.all.get(name.as_str()).and_then(|source| quoted(source, next)) {
        Some(span) => fault.at(Place::Span(span)),
        None => fault,
    }
}

fn circular(name: &str, circle: &[String]) -> Fault {
    let way = circle.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" → ");
    Fault::new(name, format!("these templates lead to each other in a circle: {way}"))
}

/// Where a name stands in quotes in a source, with them.
fn quoted(source: &str, name: &str) -> Option<std::ops::Range<usize>> {
    let at =
        ['"', '\'', '`'].iter().filter_map(|quote| source.find(&format!("{quote}{name}{quote}"))).min()?;
    Some(at..at + name.len() + 2)
}

/// `extends` comes first in a template, so the first mention of the parent is it.
fn parent_of(parent: &str, source: &str) -> Reference {
    let span = quoted(source, parent).unwrap_or(0..0);
    Reference { target: Target::Templates(vec![parent.to_owned()]), needed: true, span }
}

/// What a template uses that is not in an engine without others.
///
/// # Errors
///
/// Anything else that the engine says against it.
fn absences(error: &Error, name: &str, source: &str) -> Result<Vec<Reference>, Fault> {
    let text = match error.kind() {
        ErrorKind::Msg(text) => text,
        ErrorKind::CircularInclude { include_chain: chain, .. }
        | ErrorKind::CircularExtend { inheritance_chain: chain, .. } => {
            let span = quoted(source, name).unwrap_or(0..0);
            return Err(circular(name, chain).at(Place::Span(span)));
        }
        _ => return Err(fault(error)),
    };
    let Some(reports) = reports(text) else { return Err(fault(error)) };
    let references = reports.iter().map(|report| report.reference(source));
    references.filter_map(Result::transpose).collect()
}

/// One of the reports that Tera joins into a message: it gives them as text alone.
struct Report<'a> {
    message: &'a str,
    template: &'a str,
    line: usize,
    /// In characters, from 1.
    column: usize,
    width: usize,
}

/// The reports in a message; `None` when it is something else.
///
/// ```text
/// error: Unknown template `nav.html`
///  --> page.html:3:12
///   |
/// 3 | {% include "nav.html" %}
///   |            ^^^^^^^^^^
/// ```
fn reports(text: &str) -> Option<Vec<Report<'_>>> {
    text.split("\n\nerror: ").map(report).collect()
}

fn report(text: &str) -> Option<Report<'_>> {
    let mut lines = text.lines();
    let message = lines.next()?;
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let mut place = lines.next()?.trim_start().strip_prefix("--> ")?.rsplitn(3, ':');
    let (column, line) = (place.next()?.parse().ok()?, place.next()?.parse().ok()?);
    let width = text.lines().last()?.matches('^').count();
    Some(Report { message, template: place.next()?, line, column, width })
}

impl Report<'_> {
    fn fault(&self) -> Fault {
        Fault::new(self.template, self.message).at(Place::Point(self.line, self.column))
    }

    /// What is missing; `None` for what only the whole set can tell.
    fn reference(&self, source: &str) -> Result<Option<Reference>, Fault> {
        let named = |prefix: &str| self.message.strip_prefix(prefix)?.strip_suffix('`').map(str::to_owned);
        let target = if let Some(name) = named("Unknown template `") {
            Target::Templates(vec![name])
        } else if let Some(name) = named("Unknown component `") {
            Target::Component(name)
        } else if self.message.starts_with("Block `") {
            return Ok(None);
        } else {
            return Err(self.fault());
        };
        Ok(Some(Reference { target, needed: true, span: self.span(source) }))
    }

    fn span(&self, source: &str) -> std::ops::Range<usize> {
        let before: usize = source.split_inclusive('\n').take(self.line - 1).map(str::len).sum();
        let offset = |count: usize| source[before..].chars().take(count).map(char::len_utf8).sum::<usize>();
        before + offset(self.column - 1)..before + offset(self.column - 1 + self.width)
    }
}

/// The components that a source defines, by what such a tag looks like with any delimiters. What is taken for
/// one in a comment is none to the engine, and that has the last word.
fn components(source: &str) -> Vec<String> {
    let names = source.match_indices("component").filter_map(|(at, word)| {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let before = source[..at].trim_end().trim_end_matches('-');
        let (rest, is_tag) = (&source[at + word.len()..], !before.is_empty() && !before.ends_with(is_word));
        let name = rest.trim_start();
        let end = name.find(|c: char| !is_word(c) && c != '.')?;
        let is_definition = end > 0 && name.len() < rest.len() && name[end..].trim_start().starts_with('(');
        (is_tag && is_definition).then(|| name[..end].to_owned())
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(source: &str) -> Parsed {
        Tera::parse(&Tera::empty(), "page.html", source).unwrap()
    }

    fn found<'a>(parsed: &'a Parsed, source: &'a str) -> Vec<(&'a Target, &'a str)> {
        parsed.references.iter().map(|one| (&one.target, &source[one.span.clone()])).collect()
    }

    #[test]
    fn what_a_template_uses_is_found_with_its_place() {
        let source = "{# \"ünder.html\" #}{% extends \"base.html\" %}{% block a %}\nü {% include 'nav.html' %}\n\
                      {% raw %}{% include \"no.html\" %}{% endraw %}{{ <ui.Button kind=\"x\" /> }}{% endblock %}";
        let parsed = parsed(source);
        let found = found(&parsed, source);
        let named = |name: &str| Target::Templates(vec![name.to_owned()]);
        assert_eq!(found[0], (&named("base.html"), "\"base.html\""));
        assert_eq!(found[1].0, &named("nav.html"));
        assert!(found[1].1.starts_with("'nav.html'"), "{found:?}");
        assert_eq!(found[2].0, &Target::Component("ui.Button".into()));
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn components_are_found_where_they_are_defined() {
        let source = "{% component Button(label) %}{{ label }}{% endcomponent Button %}\n\
                      {%- component ui.Card (a=1) -%}{% endcomponent ui.Card %} a component of (this)";
        assert_eq!(parsed(source).components, ["Button", "ui.Card"]);
    }

    #[test]
    fn what_is_unknown_to_the_engine_is_a_fault_of_the_template() {
        let cases = [
            ("a\n{{ b | nofilter }}", 2, "Unknown filter `nofilter`"),
            ("{% include 'x.html' %}\n\n{{ nofunction() }}", 3, "Unknown function `nofunction`"),
            ("{% if a is notest %}{% endif %}", 1, "Unknown test `notest`"),
        ];
        for (source, line, message) in cases {
            let fault = Tera::parse(&Tera::empty(), "page.html", source).unwrap_err();
            assert_eq!(fault.message, message);
            assert!(matches!(fault.place, Some(Place::Point(at, _)) if at == line), "{fault:?}");
        }
    }

    #[test]
    fn one_that_includes_or_extends_itself_is_refused() {
        for source in ["a {% include \"page.html\" %}", "{% extends 'page.html' %}"] {
            let fault = Tera::parse(&Tera::empty(), "page.html", source).unwrap_err();
            assert!(fault.message.contains("in a circle"), "{fault:?}");
            assert!(
                matches!(fault.place, Some(Place::Span(span)) if source[span.clone()].contains("page.html"))
            );
        }
    }

    #[test]
    fn other_delimiters_are_those_of_the_engine() {
        let mut raw = Tera::empty();
        let delimiters = tera::Delimiters {
            block_start: "<%".into(),
            block_end: "%>".into(),
            ..tera::Delimiters::default()
        };
        raw.set_delimiters(delimiters).unwrap();
        let parsed = Tera::parse(&raw, "page.html", "{% include 'no' %}<% include 'yes.html' %>").unwrap();
        assert_eq!(parsed.references.len(), 1);
        assert_eq!(parsed.references[0].target, Target::Templates(vec!["yes.html".into()]));
    }
}
