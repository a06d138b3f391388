//! Files that are saved, broken, mended, renamed and removed.

use rekindle::{ChangeEvent, HotReload};
use rekindle_templates::{ProblemKind, Templates};
use rekindle_test::Recorder;

use crate::bench::{Bench, names};
use crate::dialect::Dialect;

pub(crate) async fn a_save_is_rendered<E: Dialect>() {
    let mut bench = Bench::<E>::new(&[("page.html", "Hello {{ who }}")]).await;
    assert_eq!(bench.render("page.html"), "Hello you");
    assert_eq!((bench.templates.generation(), bench.templates.problems().len()), (1, 0));
    bench.save("page.html", "Bye {{ who }}");
    bench.renders("page.html", "Bye you").await;
    let [affected, changed, removed] = bench.told();
    assert_eq!((affected, changed, removed), (names(["page.html"]), names(["page.html"]), names([])));
    bench.manager.shutdown().await.unwrap();
}

pub(crate) async fn a_broken_save_keeps_the_last_good_one_and_points<E: Dialect>() {
    let mut bench = Bench::<E>::new(&[("shop/page.html", "good")]).await;
    let (broken, line, column) = E::BROKEN;
    bench.save("shop/page.html", broken);
    let problem = bench.problem(ProblemKind::Syntax, "shop/page.html").await;
    assert_eq!(problem.file.as_deref(), Some("templates/shop/page.html"));
    assert_eq!((problem.line, problem.column), (Some(line), column), "{problem}");
    let marked: Vec<_> = problem.frame.iter().filter(|shown| shown.marked.is_some()).collect();
    assert!(matches!(&marked[..], [one] if one.number == line), "{:?}", problem.frame);
    assert!(problem.to_string().starts_with(&format!("templates/shop/page.html:{line}:")), "{problem}");
    assert_eq!(bench.render("shop/page.html"), "good");
    bench.save("shop/page.html", "better");
    bench.renders("shop/page.html", "better").await;
    bench.mended().await;
}

pub(crate) async fn a_broken_start_is_no_failure<E: Dialect>() {
    let (broken, line, _) = E::BROKEN;
    let user = format!("before {}", E::include("part.html"));
    let files = [("page.html", &*user), ("part.html", broken), ("other.html", "fine")];
    let mut bench = Bench::<E>::new(&files).await;
    let problem = bench.problem(ProblemKind::Syntax, "part.html").await;
    assert_eq!(problem.trail(), Some(format!("page.html:1 → part.html:{line}")));
    assert_eq!(bench.render("other.html"), "fine");
    let error = bench.templates.render("page.html", &()).unwrap_err();
    assert_eq!((error.kind(), &*error.problem().template), (ProblemKind::Syntax, "part.html"));
    assert_eq!(error.problem().trail(), problem.trail());
    bench.save("part.html", "mended");
    bench.renders("page.html", "before mended").await;
    bench.mended().await;
}

pub(crate) async fn one_broken_file_does_not_keep_the_others_back<E: Dialect>() {
    let mut bench = Bench::<E>::new(&[("a.html", "a1"), ("b.html", "b1")]).await;
    bench.save("a.html", E::BROKEN.0);
    bench.problem(ProblemKind::Syntax, "a.html").await;
    bench.save("b.html", "b2");
    bench.renders("b.html", "b2").await;
    assert_eq!(bench.render("a.html"), "a1");
}

pub(crate) async fn a_new_file_and_a_new_directory_are_found<E: Dialect>() {
    let mut bench = Bench::<E>::new(&[]).await;
    assert_eq!(bench.templates.generation(), 1);
    bench.save("new.html", "new");
    bench.renders("new.html", "new").await;
    bench.save("deep/down/new.html", "deep");
    bench.renders("deep/down/new.html", "deep").await;
}

pub(crate) async fn a_renamed_template_has_its_new_name<E: Dialect>() {
    let mut bench = Bench::<E>::new(&[("old.html", "same")]).await;
    bench.site.rename("templates/old.html", "templates/new.html");
    bench.renders("new.html", "same").await;
    let gone = |templates: &Templates<E>| !templates.digest().contains_key("old.html");
    bench.until("the old name to go", gone).await;
    let error = bench.templates.render("old.html", &()).unwrap_err();
    assert_eq!(error.kind(), ProblemKind::NotFound);
    let [affected, changed, removed] = bench.told();
    assert_eq!(affected, names(["new.html", "old.html"]));
    assert_eq!((changed, removed), (names(["new.html"]), names(["old.html"])));
}

pub(crate) async fn a_missing_directory_is_found_when_it_comes<E: Dialect>() {
    let site = rekindle_test::Site::new();
    std::fs::remove_dir(site.path("templates")).unwrap();
    let mut bench = Bench::<E>::on(site, Templates::builder()).await;
    assert!(bench.templates.digest().is_empty());
    bench.site.write("elsewhere/whole/page.html", "moved in");
    bench.site.rename("elsewhere/whole", "templates");
    bench.renders("page.html", "moved in").await;
}

pub(crate) async fn a_batch_is_told_of_as_a_whole<E: Dialect>() {
    let mut bench = Bench::<E>::new(&[]).await;
    let all: Vec<String> = (0..20).map(|number| format!("page{number:02}.html")).collect();
    for name in &all {
        bench.site.write(&format!("elsewhere/batch/{name}"), name);
    }
    bench.site.rename("elsewhere/batch", "templates/batch");
    let last = "batch/page19.html";
    bench.until("all of the batch", |templates| templates.digest().len() == all.len()).await;
    assert_eq!(bench.render(last), "page19.html");
    let [affected, changed, _] = bench.told();
    assert_eq!((affected.len(), changed.len()), (20, 20));
}

pub(crate) async fn what_editors_leave_is_no_template<E: Dialect>() {
    let files = [(".hidden.html", "no"), ("page.html~", "no"), ("page.html.swp", "no"), ("page.html", "yes")];
    let mut bench = Bench::<E>::new(&files).await;
    bench.save("#page.html#", "no");
    bench.save("other.html", "yes");
    bench.renders("other.html", "yes").await;
    let known: Vec<String> = bench.templates.digest().keys().cloned().collect();
    assert_eq!(known, ["other.html", "page.html"]);
}

/// Without room for notices all of them are lost.
pub(crate) async fn lost_notices_lose_no_template<E: Dialect>() {
    let site = rekindle_test::Site::new().with("templates/page0.html", "before");
    let builder = HotReload::builder(site.root()).queue_limit(0);
    let mut bench = Bench::<E>::by(site, builder, Templates::builder()).await;
    let mut events = Recorder::new(bench.site.root(), bench.manager.subscribe());
    for number in 0..200 {
        bench.site.write(&format!("templates/page{number}.html"), &format!("page {number}"));
    }
    let all = |templates: &Templates<E>| templates.digest().len() == 200;
    bench.until("all templates", all).await;
    for number in [0, 100, 199] {
        bench.renders(&format!("page{number}.html"), &format!("page {number}")).await;
    }
    events.until("a comparison", |event| matches!(event, ChangeEvent::Rescanned { .. })).await;
}
