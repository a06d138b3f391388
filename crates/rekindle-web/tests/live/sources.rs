//! What pages follow: templates and static files, on disk.

use rekindle_templates::{Assets, MiniJinja, RebuildNeeded, Templates};
use rekindle_test::Site;
use serde_json::json;

use crate::server::{Client, Server};

/// A server whose pages follow templates and static files, and a page of it.
async fn following(site: &Site) -> (Server, Client) {
    let manager = rekindle::HotReload::builder(site.root()).start().await.expect("the engine starts");
    let templates = Templates::<MiniJinja>::watch(&manager, "templates/**").await.expect("templates");
    let assets = Assets::watch(&manager, "static/**").await.expect("assets");
    let server = Server::start_with(site, |builder| builder.templates(&templates).assets(&assets)).await;
    let mut client = server.client().await;
    assert_eq!(client.show(1, &server.page().await.0).await["updates"], json!([]));
    (server, client)
}

#[tokio::test]
async fn a_stylesheet_is_exchanged_by_both_of_its_addresses() {
    let site = Site::new().with("static/app.css", "a { color: red }");
    let (_server, mut client) = following(&site).await;
    site.replace("static/app.css", "a { color: blue }");
    let updates = client.next().await["updates"].clone();
    let address = |at: usize, which: &str| updates[at][which].as_str().expect("an address").to_owned();
    assert_eq!((&updates[0]["kind"], &updates[1]["kind"]), (&json!("style"), &json!("style")));
    assert_ne!(address(0, "old"), address(0, "new"));
    assert!(address(0, "new").starts_with("/static/app.") && address(0, "new").ends_with(".css"));
    assert_eq!(
        (address(1, "old").as_str(), address(1, "new").as_str()),
        ("/static/app.css", "/static/app.css")
    );
}

#[tokio::test]
async fn two_directories_of_assets_are_followed_each_by_itself() {
    let site =
        Site::new().with("static/app.css", "a { color: red }").with("theme/app.css", "b { color: red }");
    let manager = rekindle::HotReload::builder(site.root()).start().await.expect("the engine starts");
    let assets = Assets::watch(&manager, "static/**").await.expect("assets");
    let theme = Assets::watch(&manager, "theme/**").prefix("/theme").await.expect("assets");
    let server = Server::start_with(&site, |builder| builder.assets(&assets).assets(&theme)).await;
    let mut client = server.client().await;
    assert_eq!(client.show(1, &server.page().await.0).await["updates"], json!([]));
    for (file, address) in [("static/app.css", "/static/app.css"), ("theme/app.css", "/theme/app.css")] {
        site.replace(file, "a { color: blue }");
        let updates = client.next().await["updates"].clone();
        assert_eq!((&updates[1]["old"], &updates[1]["new"]), (&json!(address), &json!(address)), "{updates}");
        assert_eq!(updates.as_array().map(Vec::len), Some(2), "of the one that changed alone: {updates}");
    }
}

#[tokio::test]
async fn a_source_map_is_of_no_concern_to_a_page() {
    let site = Site::new().with("static/app.css.map", "{}").with("static/app.css", "a { color: red }");
    let (server, mut client) = following(&site).await;
    let before = server.page().await.0;
    site.replace("static/app.css.map", "{ }");
    site.replace("static/app.css", "a { color: blue }");
    assert_eq!(client.next().await["updates"].as_array().map(Vec::len), Some(2));
    site.replace("static/app.css", "a { color: red }");
    client.next().await;
    assert_eq!(server.page().await.0, before, "the revision is that of before");
}

#[tokio::test]
async fn an_image_is_exchanged_and_for_a_script_or_what_is_gone_pages_load_anew() {
    let site =
        Site::new().with("static/a.svg", "<svg/>").with("static/a.js", "1").with("static/a.css", "a{}");
    let (_server, mut client) = following(&site).await;
    site.replace("static/a.svg", "<svg></svg>");
    assert_eq!(client.next().await["updates"][0]["kind"], "image");
    site.replace("static/a.js", "2");
    assert_eq!(client.next().await["updates"], json!([{"kind": "reload"}]));
    site.remove("static/a.css");
    assert_eq!(client.next().await["updates"], json!([{"kind": "reload"}]));
}

#[tokio::test]
async fn what_was_saved_and_taken_back_while_a_page_was_away_is_told_to_nobody() {
    let site = Site::new().with("static/a.css", "a{}").with("static/b.css", "b{}");
    let (server, mut client) = following(&site).await;
    let (revision, _) = server.page().await;
    site.replace("static/a.css", "a{color:red}");
    client.next().await;
    site.replace("static/b.css", "b{color:red}");
    client.next().await;
    site.replace("static/a.css", "a{}");
    client.next().await;
    let mut other = server.client().await;
    let updates = other.show(1, &revision).await["updates"].clone();
    let all =
        updates.as_array().expect("updates").iter().map(|update| update["new"].as_str().expect("an address"));
    assert!(all.clone().count() == 2 && all.clone().all(|address| address.contains("/b.")), "{updates}");
}

#[tokio::test]
async fn a_broken_template_is_a_problem_with_its_lines_until_it_is_mended() {
    let site =
        Site::new().with("templates/page.html", "{% include 'part.html' %}").with("templates/part.html", "x");
    let (_server, mut client) = following(&site).await;
    site.replace("templates/part.html", "one\n{% if %}\n");
    let problem = client.next().await["problems"][0].clone();
    assert_eq!((&problem["file"], &problem["line"]), (&json!("templates/part.html"), &json!(2)));
    assert_eq!(problem["frame"][1]["text"], "{% if %}");
    assert_eq!(problem["chain"], json!(["page.html:1"]));
    site.replace("templates/part.html", "y");
    let (first, second) = (client.next().await, client.next().await);
    let (mended, told) = if first["problems"].is_null() { (second, first) } else { (first, second) };
    assert_eq!((&mended["problems"], &told["updates"]), (&json!([]), &json!([{"kind": "page"}])));
}

#[tokio::test]
async fn a_template_that_is_compiled_into_the_program_needs_a_rebuild_until_it_is_as_it_was() {
    let site = Site::new().with("templates/page.html", "Hello");
    let manager = rekindle::HotReload::builder(site.root()).start().await.expect("the engine starts");
    let rebuild = RebuildNeeded::watch(&manager, "templates/**").await.expect("templates");
    let server = Server::start_with(&site, |builder| builder.compiled_templates(&rebuild)).await;
    let mut client = server.client().await;
    site.replace("templates/page.html", "Bye");
    let told = client.next().await["problems"].clone();
    assert_eq!(told[0]["title"], "Needs a rebuild");
    assert_eq!(told[0]["file"], "templates/page.html");
    site.replace("templates/page.html", "Hello");
    assert_eq!(client.next().await["problems"], json!([]));
}
