//! Files that are no templates, many templates, and the ends of things.

use std::collections::BTreeSet;

use rekindle::{ErrorKind, Workspace};
use rekindle_templates::{ProblemKind, TemplateEvent, Templates};
use rekindle_test::Site;
use tokio::sync::broadcast::error::RecvError;

use crate::bench::{Bench, names};
use crate::dialect::Dialect;

pub(crate) async fn a_thousand_templates_and_one_change<E: Dialect>() {
    let site = Site::new().with("templates/part.html", "p1");
    for number in 0..1000 {
        let source = if number % 10 == 0 { E::include("part.html") } else { format!("page {number}") };
        site.write(&format!("templates/{}/{number}.html", number % 7), &source);
    }
    let mut bench = Bench::<E>::on(site, Templates::builder()).await;
    assert_eq!((bench.templates.digest().len(), bench.templates.problems().len()), (1001, 0));
    assert_eq!(bench.render("5/5.html"), "page 5");
    bench.save("part.html", "p2");
    bench.renders("3/10.html", "p2").await;
    let [affected, changed, _] = bench.told();
    assert_eq!((affected.len(), changed), (101, names(["part.html"])));
}

pub(crate) async fn what_is_no_text_keeps_the_last_good_one<E: Dialect>() {
    let mut bench = Bench::<E>::new(&[("page.html", "good")]).await;
    std::fs::write(bench.site.path("templates/page.html"), b"one\ntwo \xff").unwrap();
    let problem = bench.problem(ProblemKind::Unreadable, "page.html").await;
    assert_eq!(problem.message, "the file is not UTF-8: see line 2; save it as UTF-8");
    assert_eq!(bench.render("page.html"), "good");
    bench.save("page.html", "better");
    bench.renders("page.html", "better").await;
    bench.mended().await;
}

pub(crate) async fn what_is_too_large_keeps_the_last_good_one<E: Dialect>() {
    let mut bench = Bench::<E>::new(&[("page.html", "good")]).await;
    bench.save("page.html", &"x".repeat(4 * 1024 * 1024 + 1));
    let problem = bench.problem(ProblemKind::Unreadable, "page.html").await;
    assert!(problem.message.contains("at most 4 MiB"), "{problem}");
    assert_eq!(bench.render("page.html"), "good");
    let largest = "x".repeat(4 * 1024 * 1024);
    bench.save("page.html", &largest);
    bench.renders("page.html", &largest).await;
}

pub(crate) async fn a_link_is_followed_within_the_root_alone<E: Dialect>() {
    use std::os::unix::fs::symlink;
    let outside = Site::new().with("secret.html", "secret").with("deep/secret.html", "secret");
    let site = Site::new().with("elsewhere/real.html", "linked").with("templates/page.html", "page");
    symlink(site.path("elsewhere/real.html"), site.path("templates/link.html")).unwrap();
    symlink(outside.path("secret.html"), site.path("templates/out.html")).unwrap();
    symlink(outside.path("deep"), site.path("templates/deep")).unwrap();
    symlink(site.path("templates"), site.path("templates/round")).unwrap();
    let mut bench = Bench::<E>::on(site, Templates::builder()).await;
    let known: BTreeSet<String> = bench.templates.digest().keys().cloned().collect();
    assert_eq!(known, names(["link.html", "page.html"]));
    assert_eq!(bench.render("link.html"), "linked");
    let problem = bench.problem(ProblemKind::Unreadable, "out.html").await;
    assert!(problem.message.contains("leads out of the root"), "{problem}");
    bench.site.write("elsewhere/real.html", "changed");
    bench.renders("link.html", "changed").await;
}

pub(crate) async fn what_is_no_regular_file_is_told<E: Dialect>() {
    let site = Site::new();
    let fifo = site.path("templates/fifo.html");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    std::fs::create_dir(site.path("templates/directory.html")).unwrap();
    let mut bench = Bench::<E>::on(site, Templates::builder()).await;
    let problem = bench.problem(ProblemKind::Unreadable, "fifo.html").await;
    assert!(problem.message.starts_with("this is no regular file"), "{problem}");
    bench.save("fifo.html", "a file by now");
    bench.renders("fifo.html", "a file by now").await;
    bench.mended().await;
}

pub(crate) async fn the_last_handle_ends_the_thread<E: Dialect>() {
    let bench = Bench::<E>::new(&[("page.html", "page")]).await;
    let mut events = bench.templates.subscribe();
    let other = bench.templates.clone();
    drop(bench.templates);
    assert_eq!(other.render("page.html", &()).unwrap(), "page");
    drop(other);
    let end = tokio::time::timeout(rekindle_test::LIMIT, events.recv()).await.unwrap();
    assert_eq!(end, Err(RecvError::Closed));
}

pub(crate) async fn a_workspace_will_do_as_well<E: Dialect>() {
    let site = Site::new().with("templates/page.html", "page");
    let workspace = Workspace::new(site.root());
    let templates = Templates::<E>::watch(&workspace, "templates/**").await.unwrap();
    let mut events = templates.subscribe();
    assert_eq!(templates.render("page.html", &()).unwrap(), "page");
    site.replace("templates/page.html", "other");
    let event = tokio::time::timeout(rekindle_test::LIMIT, events.recv()).await.unwrap().unwrap();
    assert!(matches!(event, TemplateEvent::Changed(change) if change.generation == 2));
    assert_eq!(templates.render("page.html", &()).unwrap(), "other");
}

pub(crate) async fn a_malformed_glob_is_an_error<E: Dialect>() {
    let workspace = Site::new();
    let workspace = Workspace::new(workspace.root());
    for pattern in ["templates/[", "../templates/**", "/templates/**", ""] {
        let error = Templates::<E>::watch(&workspace, pattern).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Pattern, "{pattern}");
    }
}

pub(crate) async fn a_lagging_subscriber_finds_the_current_state<E: Dialect>() {
    let mut bench = Bench::<E>::new(&[("page.html", "0")]).await;
    let mut lagging = bench.templates.subscribe();
    for number in 1..=70 {
        bench.save("page.html", &number.to_string());
        bench.renders("page.html", &number.to_string()).await;
    }
    assert!(matches!(lagging.recv().await, Err(RecvError::Lagged(_))));
    assert_eq!(bench.render("page.html"), "70");
}
