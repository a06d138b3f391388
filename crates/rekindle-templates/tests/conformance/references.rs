//! Templates that use others.

use rekindle_templates::{ProblemKind, Templates};
use serde_json::json;

use crate::bench::{Bench, names};
use crate::dialect::Dialect;

/// A page that uses a layout that uses a navigation, in lines 3 and 2; and a page that uses none of them.
fn site<E: Dialect>() -> Vec<(&'static str, String)> {
    let page = format!("\n\n{}", E::include("parts/layout.html"));
    let layout = format!("[\n{}]", E::include("parts/nav.html"));
    vec![
        ("page.html", page),
        ("parts/layout.html", layout),
        ("parts/nav.html", "nav1".to_owned()),
        ("other.html", "other".to_owned()),
    ]
}

async fn bench<E: Dialect>(files: &[(&'static str, String)]) -> Bench<E> {
    let files: Vec<(&str, &str)> = files.iter().map(|(name, source)| (*name, source.as_str())).collect();
    Bench::new(&files).await
}

pub(crate) async fn a_changed_partial_affects_all_that_reach_it<E: Dialect>() {
    let mut bench = bench::<E>(&site::<E>()).await;
    assert_eq!(bench.templates.dependencies("page.html"), names(["parts/layout.html"]));
    assert_eq!(bench.templates.dependencies("other.html"), names([]));
    bench.save("parts/nav.html", "nav2");
    bench.renders("parts/nav.html", "nav2").await;
    assert!(bench.render("page.html").contains("nav2"));
    let expected = names(["page.html", "parts/layout.html", "parts/nav.html"]);
    let [affected, changed, removed] = bench.told();
    assert_eq!((&affected, changed, removed), (&expected, names(["parts/nav.html"]), names([])));
    assert_eq!(bench.templates.affected(["parts/nav.html"]), expected);
}

pub(crate) async fn a_changed_layout_affects_its_pages<E: Dialect>() {
    let layout = |around: &str| format!("{around}{}{around}", E::SLOT);
    let files = [
        ("layout.html", layout("-")),
        ("one.html", E::within("layout.html", "1")),
        ("two.html", E::within("layout.html", "2")),
    ];
    let mut bench = bench::<E>(&files).await;
    assert_eq!(bench.render("one.html"), "-1-");
    bench.save("layout.html", &layout("="));
    bench.renders("two.html", "=2=").await;
    assert_eq!(bench.told()[0], names(["layout.html", "one.html", "two.html"]));
}

pub(crate) async fn a_removed_partial_in_use_stays_and_is_told_with_the_chain<E: Dialect>() {
    let mut bench = bench::<E>(&site::<E>()).await;
    bench.remove("parts/nav.html");
    let problem = bench.problem(ProblemKind::Missing, "parts/nav.html").await;
    assert_eq!(problem.trail().as_deref(), Some("page.html:3 → parts/layout.html:2 → parts/nav.html"));
    assert_eq!((problem.file.as_deref(), problem.line), (Some("templates/parts/layout.html"), Some(2)));
    assert!(problem.message.contains("`parts/nav.html` is gone and still used here"), "{problem}");
    assert!(bench.render("page.html").contains("nav1"));
    bench.save("other.html", "better");
    bench.renders("other.html", "better").await;
    bench.save("parts/layout.html", "alone");
    bench.renders("page.html", "alone").await;
    bench.mended().await;
    assert!(!bench.templates.digest().contains_key("parts/nav.html"));
}

pub(crate) async fn a_partial_and_its_user_may_go_together<E: Dialect>() {
    let mut bench = bench::<E>(&site::<E>()).await;
    bench.site.rename("templates/parts", "elsewhere/parts");
    bench.save("page.html", "alone");
    let gone = |templates: &Templates<E>| templates.digest().len() == 2;
    bench.until("the partials to go", gone).await;
    bench.renders("page.html", "alone").await;
    bench.mended().await;
}

pub(crate) async fn a_new_page_that_uses_nothing_there_is_told<E: Dialect>() {
    let mut bench = bench::<E>(&site::<E>()).await;
    bench.save("new.html", &format!("a\nb {}", E::include("nowhere.html")));
    let problem = bench.problem(ProblemKind::Missing, "nowhere.html").await;
    assert_eq!(problem.trail().as_deref(), Some("new.html:2 → nowhere.html"));
    assert_eq!(problem.message, "there is no template `nowhere.html`");
    let error = bench.templates.render("new.html", &()).unwrap_err();
    assert_eq!(error.kind(), ProblemKind::Missing);
    assert!(error.to_string().starts_with("templates/new.html:2:"), "{error}");
    bench.remove("new.html");
    bench.mended().await;
}

/// Where the circle is found, when it is compiled or when it is rendered, is up to the engine.
pub(crate) async fn templates_in_a_circle_are_an_error_and_no_overflow<E: Dialect>() {
    let files =
        [("a.html", E::include("b.html")), ("b.html", E::include("a.html")), ("c.html", "c".to_owned())];
    let mut bench = bench::<E>(&files).await;
    let error = bench.templates.render("a.html", &json!({})).unwrap_err();
    let kinds = [ProblemKind::Syntax, ProblemKind::Render];
    assert!(kinds.contains(&error.kind()), "{error:?}");
    assert_eq!(bench.render("c.html"), "c");
    bench.save("own.html", &E::include("own.html"));
    let own = |templates: &Templates<E>| {
        templates.render("own.html", &json!({})).is_err_and(|error| error.kind() != ProblemKind::NotFound)
    };
    bench.until("the template that includes itself", own).await;
    bench.save("b.html", "no more");
    bench.renders("a.html", "no more").await;
}

pub(crate) async fn a_deep_circle_does_not_overflow_a_small_stack<E: Dialect>() {
    let Some(any) = E::INCLUDE_ANY else { return };
    let nested = E::nested(any, 6);
    let files = [("a.html", nested.clone()), ("b.html", nested)];
    let bench = bench::<E>(&files).await;
    let templates = bench.templates.clone();
    // A thread of the size that tokio gives its own.
    let render = move || templates.render("a.html", &json!({"which": "b.html", "yes": true}));
    let small = std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(render).unwrap();
    let error = small.join().unwrap().unwrap_err();
    assert_eq!(error.kind(), ProblemKind::Render);
}

pub(crate) async fn a_name_that_is_known_when_rendered_depends_on_everything<E: Dialect>() {
    let Some(any) = E::INCLUDE_ANY else { return };
    let files = [("any.html", any.to_owned()), ("a.html", "a1".to_owned()), ("b.html", "b1".to_owned())];
    let mut bench = bench::<E>(&files).await;
    let context = json!({"which": "a.html"});
    assert_eq!(bench.render_with("any.html", &context), "a1");
    assert_eq!(bench.templates.dependencies("any.html"), names(["a.html", "b.html"]));
    bench.save("b.html", "b2");
    bench.renders("b.html", "b2").await;
    assert_eq!(bench.told()[0], names(["any.html", "b.html"]));
}

pub(crate) async fn a_partial_that_comes_later_mends_its_user<E: Dialect>() {
    let mut bench = bench::<E>(&[("page.html", E::include("late.html"))]).await;
    bench.problem(ProblemKind::Missing, "late.html").await;
    bench.save("late.html", "late");
    bench.renders("page.html", "late").await;
    bench.mended().await;
}
