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

    /// A page within a layout, and the place in the layout where its content goes.
    fn within(layout: &str, content: &str) -> String;

    /// Where a layout has the page's content.
    const SLOT: &str;
}

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
}
