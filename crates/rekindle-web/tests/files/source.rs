//! Assets as something that pages follow.

use rekindle_templates::Assets;
use rekindle_test::{LIMIT, Running, Site};
use rekindle_web::{AssetSource, Source, Update};
use tokio::time::timeout;

use crate::server::{BLUE, RED};

async fn changed(source: &mut AssetSource) -> Vec<Update> {
    timeout(LIMIT, source.changed()).await.expect("in time").expect("it goes on")
}

#[tokio::test]
async fn the_smallest_update_follows_from_what_changed() {
    let site =
        Site::new().with("static/app.css", RED).with("static/logo.svg", "<svg/>").with("static/app.js", "1");
    let running = Running::start(site).await;
    let assets = Assets::watch(&running.manager, "static/**").await.expect("assets");
    let mut source = AssetSource::new(assets.clone());
    let (before, contents) = (assets.url("app.css"), source.contents());
    running.site.replace("static/app.css", BLUE);
    let updates = changed(&mut source).await;
    let plain = "/static/app.css".to_owned();
    let new = assets.url("app.css");
    assert_eq!(
        updates,
        [Update::Style { old: plain.clone(), new: plain }, Update::Style { old: before, new }]
    );
    assert_ne!(source.contents()["app.css"], contents["app.css"]);
    running.site.replace("static/app.js", "2");
    assert_eq!(changed(&mut source).await, [Update::Reload]);
    running.site.replace("static/app.css.map", "{}");
    assert_eq!(changed(&mut source).await, [], "no page shows it");
    assert!(!source.contents().contains_key("app.css.map"));
}

#[tokio::test]
async fn problems_are_told_of_and_end() {
    let site = Site::new().with("elsewhere/secret.css", RED);
    let running = Running::start(site).await;
    let assets = Assets::watch(&running.manager, "static/**").await.expect("assets");
    let mut source = AssetSource::new(assets);
    assert_eq!(source.problems(), []);
    std::os::unix::fs::symlink("../elsewhere/secret.css", running.site.path("static/app.css"))
        .expect("linked");
    assert_eq!(changed(&mut source).await, []);
    let problems = source.problems();
    assert_eq!(problems[0].id, "asset:static/app.css");
    assert_eq!(problems[0].file.as_deref(), Some("static/app.css"));
    running.site.remove("static/app.css");
    running.manager.reload_now().await.expect("runs");
    while !source.problems().is_empty() {
        changed(&mut source).await;
    }
}
