//! Templates that are compiled into the program.
#![allow(clippy::disallowed_methods)]

use rekindle::HotReload;
use rekindle_templates::{ProblemKind, RebuildNeeded, TemplateProblem};
use rekindle_test::{LIMIT, SHORT_WINDOW, Site};

async fn watched(site: &Site) -> RebuildNeeded {
    let manager = HotReload::builder(site.root()).debounce(SHORT_WINDOW).start().await.unwrap();
    RebuildNeeded::watch(&manager, "templates/**").await.unwrap()
}

/// Waits until these, and no others, need a rebuild.
async fn until(rebuild: &RebuildNeeded, expected: &[&str]) -> Vec<TemplateProblem> {
    let mut problems = rebuild.subscribe();
    let are_there = |problems: &std::sync::Arc<[TemplateProblem]>| {
        problems.iter().map(|problem| problem.template.as_str()).eq(expected.iter().copied())
    };
    let found = tokio::time::timeout(LIMIT, problems.wait_for(are_there)).await;
    found.unwrap_or_else(|_| panic!("waited for {expected:?}: {:?}", rebuild.problems())).unwrap().to_vec()
}

#[tokio::test]
async fn a_saved_template_needs_a_rebuild_until_it_is_what_it_was() {
    let site = Site::new().with("templates/page.html", "built").with("templates/other.html", "other");
    let rebuild = watched(&site).await;
    assert_eq!(rebuild.problems().len(), 0);
    site.replace("templates/page.html", "saved");
    let problem = &until(&rebuild, &["page.html"]).await[0];
    assert_eq!((problem.kind, problem.title()), (ProblemKind::Outdated, "Needs a rebuild"));
    assert_eq!(
        problem.to_string(),
        "templates/page.html: this template is compiled into the program, and has changed since: build the program \
         anew and start it"
    );
    site.replace("templates/page.html", "built");
    until(&rebuild, &[]).await;
}

#[tokio::test]
async fn a_removed_template_and_a_new_one_need_a_rebuild() {
    let site = Site::new().with("templates/page.html", "built");
    let rebuild = watched(&site).await;
    site.rename("templates/page.html", "templates/renamed.html");
    let problems = until(&rebuild, &["page.html", "renamed.html"]).await;
    assert!(problems[0].message.contains("has been removed"), "{}", problems[0]);
    assert!(problems[1].message.contains("is new"), "{}", problems[1]);
    site.rename("templates/renamed.html", "templates/page.html");
    until(&rebuild, &[]).await;
}

#[tokio::test]
async fn whatever_a_file_holds_is_compared() {
    let site = Site::new();
    std::fs::write(site.path("templates/page.bin"), b"\xff\xfe").unwrap();
    let rebuild = watched(&site).await;
    std::fs::write(site.path("templates/page.bin"), b"\xff\xfd").unwrap();
    until(&rebuild, &["page.bin"]).await;
}
