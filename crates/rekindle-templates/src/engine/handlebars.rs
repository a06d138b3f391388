//! [`Handlebars`].

use std::cell::Cell;
use std::collections::BTreeSet;

use handlebars::template::{DecoratorTemplate, HelperTemplate, Parameter, TemplateElement, TemplateMapping};
use handlebars::{
    Handlebars as Registry, Helper, HelperDef, HelperResult, Output, RenderContext, RenderError,
    RenderErrorReason, Template, TemplateErrorReason,
};
use serde::Serialize;

use super::{Edit, Engine, Fault, Parsed, Place, Reference, Target};

/// How much of the stack the partials of one render may take, in bytes: the engine knows no limit of its own,
/// and threads have 2 MiB, some of which is in use already.
const DEEPEST: usize = 768 * 1024;

/// How many blocks, or brackets in a tag, may be in each other. Parsing and rendering go as deep.
const NESTED: usize = 100;

/// The helper that looks at how deep it is.
const GUARD: &str = "__rekindle_guard";

thread_local! {
    /// Where on the stack the current render began; `None` outside of one.
    static BEGIN: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Templates of [Handlebars](https://docs.rs/handlebars).
///
/// HTML is escaped everywhere. What is not defined is empty, unless `configure` calls `set_strict_mode`.
/// Partials are the templates themselves, by their whole names: `{{> shop/nav.hbs}}`. One whose name holds neither
/// `.` nor `/` may be an inline partial of whoever calls, and one with a block has that block to fall back on:
/// neither has to exist. Partials in a circle end in an error.
#[derive(Debug, Clone, Copy)]
pub struct Handlebars;

impl Engine for Handlebars {
    type Raw = Registry<'static>;

    const NAME: &'static str = "Handlebars";

    fn empty() -> Self::Raw {
        let mut registry = Registry::new();
        registry.register_helper(GUARD, Box::new(Guard));
        registry
    }

    fn has(raw: &Self::Raw, name: &str) -> bool {
        raw.has_template(name)
    }

    fn parse(raw: &Self::Raw, name: &str, source: &str) -> Result<Parsed, Fault> {
        let template = compile(raw, name, source)?;
        let mut found = Found { source, references: Vec::new(), inline: BTreeSet::new() };
        found.look_into(&template);
        let Found { mut references, inline, .. } = found;
        let is_inline = |name: &String| inline.contains(name);
        references
            .retain(|one| !matches!(&one.target, Target::Templates(names) if names.iter().any(is_inline)));
        Ok(Parsed { references, components: Vec::new() })
    }

    fn build(edit: &Edit<'_, Self::Raw>) -> Result<Self::Raw, Fault> {
        let mut registry = edit.previous.clone();
        edit.removed.iter().for_each(|name| registry.unregister_template(name));
        for (name, source) in edit.changes() {
            let mut template = compile(&registry, name, source)?;
            guard_partials(&mut template);
            registry.register_template(name, template);
        }
        Ok(registry)
    }

    fn render<C: Serialize + ?Sized>(raw: &Self::Raw, name: &str, context: &C) -> Result<String, Fault> {
        let _restored = Guarded::begin();
        raw.render(name, &context).map_err(|error| fault(&error))
    }
}

fn compile(raw: &Registry<'_>, name: &str, source: &str) -> Result<Template, Fault> {
    if let Some(at) = too_deep(source) {
        let message = format!("more than {NESTED} blocks or brackets in each other");
        return Err(Fault::new(name, message).at(Place::Span(at..at + 2)));
    }
    let mut alone = Registry::new();
    alone.set_prevent_indent(raw.prevent_indent());
    alone.register_template_string(name, source).map_err(|error| {
        let fault = Fault::new(name, words(error.reason()));
        match error.pos() {
            Some((line, column)) => fault.at(Place::Point(line, column)),
            None => fault,
        }
    })?;
    alone.get_template(name).cloned().ok_or_else(|| Fault::new(name, "the engine did not keep it"))
}

/// What is wrong with a source. The engine lists the rules of its grammar when none fits.
fn words(reason: &TemplateErrorReason) -> String {
    match reason {
        TemplateErrorReason::InvalidSyntax(rules)
            if rules.starts_with("expected ") && rules.contains('_') =>
        {
            "the text goes on, or ends, in a way that fits no tag: is one misspelt, or a block not closed?"
                .into()
        }
        other => other.to_string(),
    }
}

fn fault(error: &RenderError) -> Fault {
    let place = match (error.line_no, error.column_no) {
        (Some(line), Some(column)) => Some(Place::Point(line, column)),
        (Some(line), None) => Some(Place::Line(line)),
        (None, _) => None,
    };
    Fault { template: error.template_name.clone(), place, message: error.reason().to_string() }
}

/// What a template uses and what it defines for itself.
struct Found<'a> {
    source: &'a str,
    references: Vec<Reference>,
    /// Names of inline partials.
    inline: BTreeSet<String>,
}

impl Found<'_> {
    fn look_into(&mut self, template: &Template) {
        for (element, place) in template.elements.iter().zip(&template.mapping) {
            match element {
                TemplateElement::PartialExpression(partial) => self.refer(partial, place, true),
                TemplateElement::PartialBlock(partial) => self.refer(partial, place, false),
                TemplateElement::DecoratorBlock(decorator) => self.inline.extend(inline_name(decorator)),
                _ => {}
            }
            nested(element).into_iter().flatten().for_each(|template| self.look_into(template));
        }
    }

    fn refer(&mut self, partial: &DecoratorTemplate, place: &TemplateMapping, has_no_block: bool) {
        let target = match partial.name.as_name() {
            Some("@partial-block") => return,
            Some(name) => Target::Templates(vec![name.to_owned()]),
            None => Target::Any,
        };
        let is_file = partial.name.as_name().is_some_and(|name| name.contains(['.', '/']));
        let span = self.tag_at(place.0, place.1);
        self.references.push(Reference { target, needed: has_no_block && is_file, span });
    }

    /// The tag that begins at a line and a column.
    fn tag_at(&self, line: usize, column: usize) -> std::ops::Range<usize> {
        let before: usize = self.source.split_inclusive('\n').take(line - 1).map(str::len).sum();
        let within = self.source[before..].chars().take(column - 1).map(char::len_utf8).sum::<usize>();
        let start = before + within;
        let length = self.source[start..].find("}}").map_or(0, |end| end + 2);
        start..start + length
    }
}

fn inline_name(decorator: &DecoratorTemplate) -> Option<String> {
    match (decorator.name.as_name(), decorator.params.first()) {
        (Some("inline"), Some(Parameter::Literal(name))) => name.as_str().map(str::to_owned),
        _ => None,
    }
}

/// The templates that stand in an element.
fn nested(element: &TemplateElement) -> [Option<&Template>; 2] {
    match element {
        TemplateElement::HelperBlock(helper)
        | TemplateElement::Expression(helper)
        | TemplateElement::HtmlExpression(helper) => [helper.template.as_ref(), helper.inverse.as_ref()],
        TemplateElement::DecoratorExpression(decorator)
        | TemplateElement::DecoratorBlock(decorator)
        | TemplateElement::PartialExpression(decorator)
        | TemplateElement::PartialBlock(decorator) => [decorator.template.as_ref(), None],
        _ => [None, None],
    }
}

/// As [`nested`].
fn nested_mut(element: &mut TemplateElement) -> [Option<&mut Template>; 2] {
    match element {
        TemplateElement::HelperBlock(helper)
        | TemplateElement::Expression(helper)
        | TemplateElement::HtmlExpression(helper) => {
            let HelperTemplate { template, inverse, .. } = &mut **helper;
            [template.as_mut(), inverse.as_mut()]
        }
        TemplateElement::DecoratorExpression(decorator)
        | TemplateElement::DecoratorBlock(decorator)
        | TemplateElement::PartialExpression(decorator)
        | TemplateElement::PartialBlock(decorator) => [decorator.template.as_mut(), None],
        _ => [None, None],
    }
}

/// Puts a look at the depth before each partial.
fn guard_partials(template: &mut Template) {
    let elements = std::mem::take(&mut template.elements);
    let mut places = std::mem::take(&mut template.mapping).into_iter();
    for mut element in elements {
        nested_mut(&mut element).into_iter().flatten().for_each(guard_partials);
        let is_partial =
            matches!(element, TemplateElement::PartialExpression(_) | TemplateElement::PartialBlock(_));
        let guard = if is_partial { call(GUARD) } else { None };
        let guarded = guard.into_iter().chain([element]);
        let before = template.elements.len();
        template.elements.extend(guarded);
        if let Some(place) = places.next() {
            template.mapping.extend(std::iter::repeat_n(place, template.elements.len() - before));
        }
    }
}

/// The call of a helper without an argument.
fn call(helper: &str) -> Option<TemplateElement> {
    Template::compile(&format!("{{{{{helper}}}}}")).ok()?.elements.pop()
}

/// Refuses to go deeper than the stack allows.
#[derive(Debug, Clone, Copy)]
struct Guard;

impl HelperDef for Guard {
    fn call<'reg: 'rc, 'rc>(
        &self,
        _: &Helper<'rc>,
        _: &'reg Registry<'reg>,
        _: &'rc handlebars::Context,
        _: &mut RenderContext<'reg, 'rc>,
        _: &mut dyn Output,
    ) -> HelperResult {
        match BEGIN.get() {
            Some(begin) if begin.abs_diff(here()) > DEEPEST => {
                let message = "too many partials in each other: do they lead to each other in a circle?";
                Err(RenderErrorReason::Other(message.into()).into())
            }
            _ => Ok(()),
        }
    }
}

/// Where the stack has got to.
#[inline(never)]
fn here() -> usize {
    let local = 0_u8;
    std::hint::black_box(&raw const local).addr()
}

/// Remembers where a render begins until it ends; a helper may render something else in between.
struct Guarded {
    before: Option<usize>,
}

impl Guarded {
    fn begin() -> Self {
        Self { before: BEGIN.replace(Some(here())) }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        BEGIN.set(self.before);
    }
}

/// Where a source goes deeper than it may, if it does.
fn too_deep(source: &str) -> Option<usize> {
    // For each open block, how deep it is: each `else if` in it is one in the other, too.
    let mut blocks: Vec<usize> = vec![0];
    for (at, _) in source.match_indices("{{") {
        let rest = source[at..].trim_start_matches('{').trim_start_matches('~');
        let tag = &rest[..rest.find("}}").unwrap_or(rest.len())];
        let depth = blocks.last().copied().unwrap_or(0);
        match tag.trim_start() {
            tag if tag.starts_with('#') => blocks.push(depth + 1),
            tag if tag.starts_with('/') => drop(blocks.pop()),
            tag if tag.starts_with("else ") => {
                if let Some(deepest) = blocks.last_mut() {
                    *deepest += 1;
                }
            }
            _ => {}
        }
        if depth.max(brackets(tag)) > NESTED {
            return Some(at);
        }
    }
    None
}

/// How many brackets of a tag are in each other. Those in a string are counted, too.
fn brackets(tag: &str) -> usize {
    let depths = tag.chars().scan(0_usize, |depth, c| {
        match c {
            '(' | '[' | '{' => *depth += 1,
            ')' | ']' | '}' => *depth = depth.saturating_sub(1),
            _ => {}
        }
        Some(*depth)
    });
    depths.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nested_too_deeply_is_refused_before_it_is_parsed() {
        let nested = |levels: usize| "{{#if a}}".repeat(levels) + &"{{/if}}".repeat(levels);
        let chained = |links: usize| "{{#if a}}".to_owned() + &"{{else if b}}".repeat(links) + "{{/if}}";
        let brackets = |levels: usize| format!("{{{{a {}b{}}}}}", "(c ".repeat(levels), ")".repeat(levels));
        for source in [nested(50), chained(50), brackets(50), nested(1).repeat(150), chained(1).repeat(150)] {
            assert_eq!(too_deep(&source), None);
            assert_eq!(compile(&Registry::new(), "a", &source).err(), None);
        }
        for source in [nested(100_000), chained(100_000), brackets(100_000)] {
            let fault = compile(&Registry::new(), "a", &source).unwrap_err();
            assert!(fault.message.starts_with("more than 100 blocks or brackets"), "{fault:?}");
        }
    }

    #[test]
    fn partials_are_found_wherever_they_stand() {
        let source = "{{> a.hbs}}\n{{#if x}} {{> b/c}}{{else}}{{#> d.hbs}}{{> e}}{{/d.hbs}}{{/if}}\n\
                      {{#*inline \"f.hbs\"}}{{> (lookup this 'g')}}{{/inline}}{{> f.hbs}}{{> @partial-block}}";
        let parsed = Handlebars::parse(&Registry::new(), "page.hbs", source).unwrap();
        let found: Vec<(&Target, bool, &str)> = parsed
            .references
            .iter()
            .map(|one| (&one.target, one.needed, &source[one.span.clone()]))
            .collect();
        let named = |name: &str| Target::Templates(vec![name.to_owned()]);
        assert_eq!(found[0], (&named("a.hbs"), true, "{{> a.hbs}}"));
        assert_eq!(found[1], (&named("b/c"), true, "{{> b/c}}"));
        assert_eq!(found[2], (&named("d.hbs"), false, "{{#> d.hbs}}"));
        assert_eq!(found[3], (&named("e"), false, "{{> e}}"));
        assert_eq!((found[4].0, found.len()), (&Target::Any, 5));
    }

    #[test]
    fn guarding_partials_changes_nothing_of_what_is_rendered() {
        let part = "1\n  2 {{x}}\n";
        let page = "<ul>\n  {{> part.hbs}}\n{{#each xs}}\n  {{> part.hbs x=this}}\n{{/each}}\n  {{~> part.hbs}} a\n\
                    {{#> part.hbs}}\nnot this\n{{/part.hbs}}\n{{#> missing}}\n  this\n{{/missing}}\n</ul>\n";
        let mut plain = Registry::new();
        plain.register_template_string("part.hbs", part).unwrap();
        plain.register_template_string("page.hbs", page).unwrap();
        let (base, all) = (Handlebars::empty(), [("part.hbs", part), ("page.hbs", page)].into());
        let changed = vec!["part.hbs", "page.hbs"];
        let edit = Edit { base: &base, previous: &base, all: &all, changed, removed: Vec::new() };
        let guarded = Handlebars::build(&edit).unwrap();
        let context = serde_json::json!({"x": 1, "xs": [2, 3]});
        let rendered = Handlebars::render(&guarded, "page.hbs", &context).unwrap();
        assert_eq!(rendered, plain.render("page.hbs", &context).unwrap());
    }
}
