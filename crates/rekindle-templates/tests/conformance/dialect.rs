//! How each engine says what the tests say.

use rekindle_templates::Engine;

/// How an engine says what the tests say. Variables are `{{ name }}` everywhere.
pub(crate) trait Dialect: Engine {
    /// A source with an unclosed block, and the line and column that the engine says it is at.
    const BROKEN: (&str, usize, Option<usize>);

    /// Puts another template in.
    fn include(name: &str) -> String;

    /// Puts in a template with a name that is known when it is rendered.
    const INCLUDE_ANY: Option<&str>;

    /// The same within so many blocks that depend on `yes`.
    fn nested(text: &str, levels: usize) -> String {
        let (open, close) = Self::IF_YES;
        format!("{}{text}{}", open.repeat(levels), close.repeat(levels))
    }

    /// The beginning and the end of a block that depends on `yes`.
    const IF_YES: (&str, &str) = ("{% if yes %}", "{% endif %}");

    /// A page within a layout, and the place in the layout where its content goes.
    fn within(layout: &str, content: &str) -> String;

    /// Where a layout has the page's content.
    const SLOT: &str;

    /// Makes what is not defined an error.
    fn strict(raw: &mut Self::Raw);

    /// Has the template call this.
    fn define(raw: &mut Self::Raw, name: &'static str, call: impl Fn() -> Answer + Send + Sync + 'static);

    /// Calls what was defined.
    fn call(name: &str) -> String;
}

/// What a defined function gives: a text, or a refusal.
pub(crate) type Answer = Result<String, &'static str>;

#[cfg(feature = "minijinja")]
impl Dialect for rekindle_templates::MiniJinja {
    const BROKEN: (&str, usize, Option<usize>) = ("one\ntwo {% if %}", 2, Some(11));

    fn include(name: &str) -> String {
        format!("{{% include \"{name}\" %}}")
    }

    const INCLUDE_ANY: Option<&str> = Some("{% include which %}");

    fn within(layout: &str, content: &str) -> String {
        format!("{{% extends \"{layout}\" %}}{{% block content %}}{content}{{% endblock %}}")
    }

    const SLOT: &str = "{% block content %}{% endblock %}";

    fn strict(raw: &mut Self::Raw) {
        raw.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    }

    fn define(raw: &mut Self::Raw, name: &'static str, call: impl Fn() -> Answer + Send + Sync + 'static) {
        let refusal = |why| minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, why);
        raw.add_function(name, move || call().map_err(refusal));
    }

    fn call(name: &str) -> String {
        format!("{{{{ {name}() }}}}")
    }
}

#[cfg(feature = "tera")]
impl Dialect for rekindle_templates::Tera {
    const BROKEN: (&str, usize, Option<usize>) = ("one\ntwo {% if %}", 2, Some(11));

    fn include(name: &str) -> String {
        format!("{{% include \"{name}\" %}}")
    }

    const INCLUDE_ANY: Option<&str> = None;

    fn within(layout: &str, content: &str) -> String {
        format!("{{% extends \"{layout}\" %}}{{% block content %}}{content}{{% endblock %}}")
    }

    const SLOT: &str = "{% block content %}{% endblock %}";

    fn strict(_: &mut Self::Raw) {}

    fn define(raw: &mut Self::Raw, name: &'static str, call: impl Fn() -> Answer + Send + Sync + 'static) {
        let called = move |_: tera::Kwargs, _: &tera::State<'_>| call().map_err(tera::Error::message);
        raw.register_function(name, called);
    }

    fn call(name: &str) -> String {
        format!("{{{{ {name}() }}}}")
    }
}

#[cfg(feature = "handlebars")]
impl Dialect for rekindle_templates::Handlebars {
    const BROKEN: (&str, usize, Option<usize>) = ("one\ntwo {{#if}}", 2, Some(12));

    fn include(name: &str) -> String {
        format!("{{{{> {name}}}}}")
    }

    const IF_YES: (&str, &str) = ("{{#if yes}}", "{{/if}}");

    const INCLUDE_ANY: Option<&str> = Some("{{> (lookup this \"which\")}}");

    fn within(layout: &str, content: &str) -> String {
        format!("{{{{#> {layout}}}}}{content}{{{{/{layout}}}}}")
    }

    const SLOT: &str = "{{> @partial-block}}";

    fn strict(raw: &mut Self::Raw) {
        raw.set_strict_mode(true);
    }

    fn define(raw: &mut Self::Raw, name: &'static str, call: impl Fn() -> Answer + Send + Sync + 'static) {
        use handlebars::{Context, Handlebars, Helper, Output, RenderContext, RenderErrorReason};
        let helper = move |_: &Helper<'_>,
                           _: &Handlebars<'_>,
                           _: &Context,
                           _: &mut RenderContext<'_, '_>,
                           out: &mut dyn Output| {
            let text = call().map_err(|why| RenderErrorReason::Other(why.to_owned()))?;
            Ok(out.write(&text)?)
        };
        raw.register_helper(name, Box::new(helper));
    }

    fn call(name: &str) -> String {
        format!("{{{{{name}}}}}")
    }
}
