//! Templates and assets through the manager: `FileChanged`, once, with its true type.

use std::fs;

use rekindle::HotReloadBuilder;
use rekindle_test::{Running, SHORT_WINDOW, Site};

const PAGE: &str = "templates/page.html";
const STYLE: &str = "static/style.css";

/// An engine that tells what is deleted while the test is there to see it.
async fn started() -> Running {
    let site = Site::new().with(PAGE, "page").with(STYLE, "style");
    Running::start_with(site, |builder| builder.debounce(SHORT_WINDOW)).await
}

/// Gives everything that is told of what has been done, in the order of the names.
async fn story(running: &mut Running) -> Vec<String> {
    running.quiet_after_window().await;
    let mut story = running.events.story();
    running.events.clear();
    story.sort();
    story
}

#[tokio::test]
async fn templates_and_assets_are_told_with_their_true_types() {
    let mut running = started().await;

    running.site.write("templates/new.html", "new");
    running.site.replace("static/new.css", "new");
    assert_eq!(story(&mut running).await, ["static/new.css created", "templates/new.html created"]);

    running.site.write(PAGE, "other page");
    running.site.replace(STYLE, "other style");
    assert_eq!(story(&mut running).await, ["static/style.css modified", "templates/page.html modified"]);

    running.site.rename(PAGE, "templates/moved.html");
    running.site.rename(STYLE, "static/moved.css");
    let renamed = [
        "static/moved.css renamed from static/style.css",
        "templates/moved.html renamed from templates/page.html",
    ];
    assert_eq!(story(&mut running).await, renamed);

    running.site.remove("templates/moved.html");
    running.site.rename("static/moved.css", "elsewhere/moved.css");
    assert_eq!(story(&mut running).await, ["static/moved.css deleted", "templates/moved.html deleted"]);
}

/// A backup made by renaming, and the file written anew in the same save: nothing has been renamed.
#[tokio::test]
async fn a_rename_is_told_only_of_a_name_that_is_gone() {
    let site = Site::new().with(PAGE, "page");
    // A long quiet: a loaded machine may hold the saver up between the two.
    let options = |builder: HotReloadBuilder| builder.debounce(SHORT_WINDOW).settle(SHORT_WINDOW / 3);
    let mut running = Running::start_with(site, options).await;
    running.site.rename(PAGE, "templates/moved.html");
    running.site.write(PAGE, "a new page");
    assert_eq!(story(&mut running).await, ["templates/moved.html created", "templates/page.html modified"]);
}

#[tokio::test]
async fn files_below_new_directories_are_told() {
    let mut running = started().await;
    running.site.write("templates/a/b/c/deep.html", "deep");
    running.site.write("static/a/deep.css", "deep");
    assert_eq!(story(&mut running).await, ["static/a/deep.css created", "templates/a/b/c/deep.html created"]);

    running.site.write("templates/a/b/c/deep.html", "deeper");
    assert_eq!(story(&mut running).await, ["templates/a/b/c/deep.html modified"]);

    fs::remove_dir_all(running.site.path("templates/a")).expect("a directory can be removed");
    assert_eq!(story(&mut running).await, ["templates/a/b/c/deep.html deleted"]);
}

#[tokio::test]
async fn what_is_excluded_is_never_told() {
    let mut running = started().await;
    let excluded = [
        "static/a.tmp",
        "static/a.css.swp",
        "static/.hidden",
        "static/.cache/a.css",
        "templates/.page.html.swp",
        "templates/.git/objects/ab/cdef",
        "templates/4913",
        "templates/page.html~",
        "templates/#page.html#",
        "elsewhere/a.css",
        "root.html",
    ];
    for file in excluded {
        running.site.write(file, "one");
        running.site.replace(file, "two");
        running.site.remove(file);
    }
    assert_eq!(story(&mut running).await, [""; 0]);
}

/// The new name alone counts: what nobody watched has no past.
#[tokio::test]
async fn a_rename_from_an_excluded_name_creates_or_modifies() {
    let mut running = started().await;
    running.site.write("static/style.css.tmp", "other style");
    running.site.rename("static/style.css.tmp", STYLE);
    running.site.write("templates/.new.html", "new");
    running.site.rename("templates/.new.html", "templates/new.html");
    assert_eq!(story(&mut running).await, ["static/style.css modified", "templates/new.html created"]);
}

#[tokio::test]
async fn a_rename_to_an_excluded_name_deletes() {
    let mut running = started().await;
    running.site.rename(STYLE, "static/style.css.tmp");
    running.site.rename(PAGE, "templates/.page.html");
    assert_eq!(story(&mut running).await, ["static/style.css deleted", "templates/page.html deleted"]);
}

/// One save of a template is one event, as it is for a configuration.
#[tokio::test]
async fn a_hundred_saves_of_a_template_are_a_hundred_changes() {
    let site = Site::new().with(PAGE, "page");
    let mut running = Running::start(site).await;
    for n in 0..50 {
        running.site.write(PAGE, &format!("page {n}"));
        running.events.told_of(PAGE).await;
        running.site.replace(PAGE, &format!("another page {n}"));
        running.events.told_of(PAGE).await;
    }
    running.quiet().await;
    let story = running.events.story();
    assert_eq!(story.len(), 100, "{story:#?}");
    assert!(story.iter().all(|line| line == "templates/page.html modified"), "{story:#?}");
}
