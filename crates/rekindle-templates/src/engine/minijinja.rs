//! [`MiniJinja`].

use std::error::Error as _;

use minijinja::machinery::{self, ast};
use minijinja::value::Serde;
use minijinja::{Environment, Error, Value};
use serde::Serialize;

use super::{Edit, Engine, Fault, Parsed, Place, Reference, Target};

/// Templates of [MiniJinja](https://docs.rs/minijinja), a Jinja2 for Rust.
///
/// HTML is escaped in `.html`, `.htm` and `.xml`. What is not defined is empty, unless `configure` calls
/// `set_undefined_behavior`. Recursion ends at the engine's limit. Names in `include`, `extends` and `import` go
/// through the engine's `set_path_join_callback`.
///
/// Rendering waits for nobody. The engine itself looks each template up behind a mutex that it holds for
/// that one look.
#[derive(Debug, Clone, Copy)]
pub struct MiniJinja;

impl Engine for MiniJinja {
    type Raw = Environment<'static>;

    const NAME: &'static str = "MiniJinja";

    fn empty() -> Self::Raw {
        let mut environment = Environment::new();
        // Errors know their column only so.
        environment.set_debug(true);
        environment
    }

    fn has(raw: &Self::Raw, name: &str) -> bool {
        raw.get_template(name).is_ok()
    }

    fn parse(raw: &Self::Raw, name: &str, source: &str) -> Result<Parsed, Fault> {
        let tree = machinery::parse(source, name, raw.syntax().clone()).map_err(|error| fault(&error))?;
        let mut references = Vec::new();
        collect(&tree, &mut references);
        // What the parser lets pass, such as a block that is there twice, the compiler may not.
        let mut alone = raw.clone();
        alone.add_template_owned(name.to_owned(), source.to_owned()).map_err(|error| fault(&error))?;
        if !references.is_empty() {
            join_paths(alone, name, &mut references);
        }
        Ok(Parsed { references, components: Vec::new() })
    }

    fn build(edit: &Edit<'_, Self::Raw>) -> Result<Self::Raw, Fault> {
        let mut environment = edit.previous.clone();
        edit.removed.iter().for_each(|name| environment.remove_template(name));
        for (name, source) in edit.changes() {
            let added = environment.add_template_owned(name.to_owned(), source.to_owned());
            added.map_err(|error| fault(&error))?;
        }
        Ok(environment)
    }

    fn render<C: Serialize + ?Sized>(raw: &Self::Raw, name: &str, context: &C) -> Result<String, Fault> {
        let template = raw.get_template(name).map_err(|error| fault(&error))?;
        template.render(Value::from(Serde(context))).map_err(|error| fault(&error))
    }
}

/// What an error says where it came from, rather than in the templates it came through.
fn fault(error: &Error) -> Fault {
    let mut innermost = error;
    while let Some(inner) = innermost.source().and_then(|source| source.downcast_ref::<Error>()) {
        innermost = inner;
    }
    let mut message = innermost.kind().to_string();
    let cause = innermost.source().map(ToString::to_string);
    for more in innermost.detail().map(str::to_owned).into_iter().chain(cause) {
        message = format!("{message}: {more}");
    }
    let place = innermost.range().map(Place::Span).or(innermost.line().map(Place::Line));
    Fault { template: innermost.name().map(str::to_owned), place, message }
}

/// Finds the tags that lead to other templates.
fn collect(statement: &ast::Stmt<'_>, found: &mut Vec<Reference>) {
    let mut name = |expression: &ast::Expr<'_>, needed: bool| refer(expression, needed, found);
    match statement {
        ast::Stmt::Extends(extends) => name(&extends.name, true),
        ast::Stmt::Include(include) => name(&include.name, !include.ignore_missing),
        ast::Stmt::Import(import) => name(&import.expr, true),
        ast::Stmt::FromImport(import) => name(&import.expr, true),
        other => bodies(other).into_iter().flatten().for_each(|statement| collect(statement, found)),
    }
}

/// The statements that stand in a statement.
fn bodies<'a, 's>(statement: &'a ast::Stmt<'s>) -> [&'a [ast::Stmt<'s>]; 2] {
    match statement {
        ast::Stmt::Template(template) => [&template.children, &[]],
        ast::Stmt::ForLoop(each) => [&each.body, &each.else_body],
        ast::Stmt::IfCond(condition) => [&condition.true_body, &condition.false_body],
        ast::Stmt::WithBlock(with) => [&with.body, &[]],
        ast::Stmt::SetBlock(set) => [&set.body, &[]],
        ast::Stmt::AutoEscape(escape) => [&escape.body, &[]],
        ast::Stmt::FilterBlock(filter) => [&filter.body, &[]],
        ast::Stmt::Block(block) => [&block.body, &[]],
        ast::Stmt::Macro(defined) => [&defined.body, &[]],
        ast::Stmt::CallBlock(call) => [&call.macro_decl.body, &[]],
        _ => [&[], &[]],
    }
}

/// Notes what the name in a tag can be: with a condition each of both, else what is constant.
fn refer(expression: &ast::Expr<'_>, needed: bool, found: &mut Vec<Reference>) {
    if let ast::Expr::IfExpr(either) = expression {
        refer(&either.true_expr, needed, found);
        if let Some(other) = &either.false_expr {
            refer(other, needed, found);
        }
        return;
    }
    let target = expression.as_const().and_then(|value| names(&value)).map_or(Target::Any, Target::Templates);
    let span = expression.span();
    let span = span.start_offset as usize..span.end_offset as usize;
    found.push(Reference { target, needed, span });
}

/// The name, or the names of which the first that exists is meant.
fn names(value: &Value) -> Option<Vec<String>> {
    if let Some(name) = value.as_str() {
        return Some(vec![name.to_owned()]);
    }
    value.try_iter().ok()?.map(|name| name.as_str().map(str::to_owned)).collect()
}

/// Makes the names in tags those of templates: the engine may have a callback for that, which only it can call.
fn join_paths(mut alone: Environment<'static>, name: &str, references: &mut [Reference]) {
    alone.set_loader(|_| Ok(Some(String::new())));
    let Ok(template) = alone.get_template(name) else { return };
    let state = template.new_state();
    for reference in references {
        let Target::Templates(names) = &mut reference.target else { continue };
        for name in names {
            if let Ok(meant) = state.get_template(name) {
                *name = meant.name().to_owned();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(raw: &Environment<'static>, source: &str) -> Vec<(Target, bool, String)> {
        let parsed = MiniJinja::parse(raw, "shop/page.html", source).unwrap();
        let found = parsed.references.into_iter();
        found.map(|one| (one.target, one.needed, source[one.span].to_owned())).collect()
    }

    fn named(names: &[&str]) -> Target {
        Target::Templates(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn every_tag_that_leads_to_a_template_is_found_wherever_it_stands() {
        let cases = [
            ("{% extends 'a' %}", named(&["a"]), true),
            ("{% include 'a' %}", named(&["a"]), true),
            ("{% import 'a' as b %}", named(&["a"]), true),
            ("{% from 'a' import b, c as d %}", named(&["a"]), true),
            ("{% include 'a' ignore missing %}", named(&["a"]), false),
            ("{% include ['a', 'b'] %}", named(&["a", "b"]), true),
            ("{% include x %}", Target::Any, true),
            ("{% include 'a' ~ x %}", Target::Any, true),
            ("{% for x in y %}{% else %}{% include 'a' %}{% endfor %}", named(&["a"]), true),
            ("{% if x %}{% elif y %}{% include 'a' %}{% endif %}", named(&["a"]), true),
            ("{% with x = 1 %}{% include 'a' %}{% endwith %}", named(&["a"]), true),
            ("{% set x %}{% include 'a' %}{% endset %}", named(&["a"]), true),
            ("{% filter upper %}{% include 'a' %}{% endfilter %}", named(&["a"]), true),
            ("{% autoescape false %}{% include 'a' %}{% endautoescape %}", named(&["a"]), true),
            ("{% block x %}{% include 'a' %}{% endblock %}", named(&["a"]), true),
            ("{% macro x() %}{% include 'a' %}{% endmacro %}", named(&["a"]), true),
            ("{% call x() %}{% include 'a' %}{% endcall %}", named(&["a"]), true),
        ];
        for (source, target, needed) in cases {
            let found = found(&MiniJinja::empty(), source);
            assert_eq!(found.len(), 1, "{source}");
            assert_eq!((&found[0].0, found[0].1), (&target, needed), "{source}");
        }
    }

    #[test]
    fn what_only_looks_like_a_tag_is_none() {
        for source in [
            "{# {% include 'a' %} #}",
            "{% raw %}{% include 'a' %}{% endraw %}",
            "{{ \"{% include 'a' %}\" }}",
        ] {
            assert_eq!(found(&MiniJinja::empty(), source), [], "{source}");
        }
    }

    #[test]
    fn of_a_condition_both_sides_are_meant() {
        let found = found(&MiniJinja::empty(), "{% extends 'a' if x else 'b' %}");
        assert_eq!(found, [(named(&["a"]), true, "'a'".into()), (named(&["b"]), true, "'b'".into())]);
    }

    #[test]
    fn names_are_joined_and_tags_written_as_the_engine_is_told() {
        let mut raw = MiniJinja::empty();
        raw.set_path_join_callback(|name, parent| match name.strip_prefix("./") {
            Some(name) => format!("{}/{name}", parent.rsplit_once('/').map_or("", |(path, _)| path)).into(),
            None => name.into(),
        });
        let syntax = minijinja::syntax::SyntaxConfig::builder().block_delimiters("<%", "%>").build().unwrap();
        raw.set_syntax(syntax);
        let found = found(&raw, "<% include './a' %>{% include 'b' %}<% include 'c' %>");
        assert_eq!(found.iter().map(|one| &one.0).collect::<Vec<_>>(), [&named(&["shop/a"]), &named(&["c"])]);
    }
}
