//! What only one engine has.

#[cfg(feature = "tera")]
mod tera {
    use rekindle_templates::{ProblemKind, Tera};
    use serde_json::json;

    use crate::bench::{Bench, names};

    const BUTTON: &str = "{% component Button(label) %}<{{ label }}>{% endcomponent Button %}";

    #[tokio::test(flavor = "multi_thread")]
    async fn who_uses_a_component_depends_on_the_template_that_defines_it() {
        let files = [("ui.html", BUTTON), ("page.html", "one\n{{ <Button label=\"a\" /> }}")];
        let mut bench = Bench::<Tera>::new(&files).await;
        assert_eq!(bench.render("page.html"), "one\n<a>");
        assert_eq!(bench.templates.dependencies("page.html"), names(["ui.html"]));
        bench.save("ui.html", &BUTTON.replace('<', "["));
        bench.renders("page.html", "one\n[a>").await;
        assert_eq!(bench.told()[0], names(["page.html", "ui.html"]));
        bench.remove("ui.html");
        let problem = bench.problem(ProblemKind::Missing, "Button").await;
        assert_eq!(problem.trail().as_deref(), Some("page.html:2 → Button"));
        assert_eq!(bench.render("page.html"), "one\n[a>");
        bench.save("other.html", BUTTON);
        bench.renders("page.html", "one\n<a>").await;
        bench.mended().await;
    }

    /// The page is at fault, but it is the layout that changed.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_layout_that_no_longer_has_a_block_of_its_pages_stays_as_it_was() {
        let layout = "[{% block body %}{% endblock %}]";
        let files = [
            ("layout.html", layout),
            ("page.html", "{% extends 'layout.html' %}{% block body %}b{% endblock %}"),
        ];
        let mut bench = Bench::<Tera>::new(&files).await;
        bench.save("layout.html", "[{% block main %}{% endblock %}]");
        let problem = bench.until_problem("page.html").await;
        assert!(problem.to_string().starts_with("templates/page.html:1:"), "{problem}");
        assert!(problem.message.contains("Block `body` is not defined"), "{problem}");
        assert_eq!(bench.render("page.html"), "[b]");
        bench.save("other.html", "other");
        bench.renders("other.html", "other").await;
        bench.save("page.html", "{% extends 'layout.html' %}{% block main %}m{% endblock %}");
        bench.renders("page.html", "[m]").await;
        bench.mended().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_circle_is_refused_when_it_is_saved() {
        let mut bench = Bench::<Tera>::new(&[("a.html", "x\n{% include 'b.html' %}"), ("b.html", "b")]).await;
        bench.save("b.html", "\n\n{% include 'a.html' %}");
        let problem = bench.until_problem("a.html").await;
        assert!(problem.message.contains("in a circle"), "{problem}");
        assert_eq!(bench.render_with("a.html", &json!({})), "x\nb");
        bench.save("a.html", "no more");
        bench.renders("b.html", "no more").await;
        bench.mended().await;
    }
}

#[cfg(feature = "minijinja")]
mod minijinja {
    use rekindle_templates::{MiniJinja, ProblemKind};
    use serde_json::json;

    use crate::bench::{Bench, names};

    #[tokio::test(flavor = "multi_thread")]
    async fn macros_that_are_imported_are_dependencies() {
        let page = "{% from 'm.html' import b %}{{ b('x') }}";
        let mut bench = Bench::<MiniJinja>::new(&[
            ("m.html", "{% macro b(x) %}<{{ x }}>{% endmacro %}"),
            ("page.html", page),
        ])
        .await;
        assert_eq!(bench.render("page.html"), "<x>");
        bench.save("m.html", "{% macro b(x) %}[{{ x.y.z }}]{% endmacro %}");
        bench.until("the macro to change", |templates| templates.render("page.html", &()).is_err()).await;
        assert_eq!(bench.told()[0], names(["m.html", "page.html"]));
        let error = bench.templates.render("page.html", &json!({})).unwrap_err();
        assert_eq!(error.problem().trail().as_deref(), Some("page.html:1 → m.html:1"), "{error}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn templates_that_extend_each_other_are_an_error_and_no_overflow() {
        let files = [("a.html", "{% extends 'b.html' %}"), ("b.html", "{% extends 'a.html' %}")];
        let bench = Bench::<MiniJinja>::new(&files).await;
        let error = bench.templates.render("a.html", &()).unwrap_err();
        assert_eq!(error.kind(), ProblemKind::Render, "{error}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_tree_may_include_itself_for_its_branches() {
        let tree = "{{ name }}{% for branch in branches %}({% with name = branch.name, branches = branch.branches %}\
                    {% include 'tree.html' %}{% endwith %}){% endfor %}";
        let bench = Bench::<MiniJinja>::new(&[("tree.html", tree)]).await;
        let context = json!({"name": 1, "branches": [{"name": 2, "branches": [{"name": 3}]}, {"name": 4}]});
        assert_eq!(bench.render_with("tree.html", &context), "1(2(3))(4)");
    }
}
