//! `rekindle dev` on a directory with templates.

use super::Dev;
use super::tab::{Tab, Tag};
use crate::support::{Project, run};

const LAYOUT: &str = "<!doctype html><html><head><title>{{ site.title }}</title><link rel=\"stylesheet\" \
    href=\"{{ asset('app.css') }}\"></head><body>{% block main %}{% endblock %}</body></html>";

fn project() -> Project {
    let project =
        Project::new(&[("config/site.toml", "title = \"One\"\n"), ("static/app.css", "p { color: red }")]);
    for directory in ["templates/layouts", "templates/blog"] {
        std::fs::create_dir(project.path(directory)).unwrap();
    }
    project.write("templates/layouts/base.html", LAYOUT);
    project.write(
        "templates/index.html",
        "{% extends 'layouts/base.html' %}{% block main %}<p>Hello</p>{% endblock %}",
    );
    project.write(
        "templates/hello.html",
        "<html><head></head><p>{{ request.path }} {{ request.query.name }}</p></html>",
    );
    project.write("templates/blog/index.html", "<html><head></head><p>Blog</p></html>");
    project.write("templates/_part.html", "part");
    project
}

#[test]
fn a_page_has_its_context_its_stylesheet_and_the_tag() {
    let project = project();
    let dev = Dev::start(project.root(), &[]);
    let page = dev.get("/");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(page.body.contains("<title>One</title>") && page.body.contains("<p>Hello</p>"), "{}", page.body);
    let tag = Tag::of(&page);
    assert_eq!((tag.token.len(), tag.revision.len()), (16, 16));
    let style = page.body.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
    let style = dev.get(style);
    assert_eq!((style.status, style.body.as_str()), (200, "p { color: red }"));
    assert_eq!(style.header("content-type"), Some("text/css; charset=utf-8"));
    let style = dev.get("/static/app.css");
    assert_eq!((style.body.as_str(), style.header("cache-control")), ("p { color: red }", Some("no-cache")));
    let tag = style.header("etag").expect("a tag");
    let again = format!(
        "GET /static/app.css HTTP/1.1\r\nhost: localhost\r\nif-none-match: {tag}\r\nconnection: close\r\n\r\n"
    );
    assert_eq!(super::http::ask(&dev.address, &again).status, 304);
}

#[test]
fn the_request_is_escaped_in_a_page() {
    let project = project();
    let dev = Dev::start(project.root(), &[]);
    let page = dev.get("/hello?name=A+%3Cb%3E");
    assert!(
        page.body.contains("<p>/hello A &lt;b&gt;</p>") || page.body.contains("hello A &lt;b&gt;</p>"),
        "{}",
        page.body
    );
}

#[test]
fn addresses_lead_to_pages_and_parts_of_pages_have_none() {
    let project = project();
    let dev = Dev::start(project.root(), &[]);
    assert_eq!(dev.get("/blog/").status, 200);
    let slash = dev.get("/blog?a=b");
    assert_eq!((slash.status, slash.header("location")), (307, Some("/blog/?a=b")));
    for none in [
        "/_part",
        "/_part.html",
        "/layouts/base",
        "/layouts/base.html",
        "/../config/site.toml",
        "/%2e%2e/config/site.toml",
    ] {
        let missing = dev.get(none);
        assert_eq!(missing.status, 404, "{none}");
        assert!(!missing.body.contains("color: red") && !missing.body.contains("title ="), "{none}");
    }
}

#[test]
fn what_is_not_there_is_told_with_what_is() {
    let project = project();
    let dev = Dev::start(project.root(), &[]);
    let page = dev.get("/abuot");
    assert_eq!(page.status, 404);
    for part in ["templates/abuot.html", "<a href=\"/\">", "<a href=\"/hello\">", "<a href=\"/blog/\">"] {
        assert!(page.body.contains(part), "{part}\n{}", page.body);
    }
    assert!(!page.body.contains("_part") && !page.body.contains("layouts"), "{}", page.body);
    Tag::of(&page);
}

#[tokio::test]
async fn a_page_that_is_made_takes_the_place_of_the_one_that_said_it_is_missing() {
    let project = project();
    let dev = Dev::start(project.root(), &[]);
    let mut tab = Tab::open(&dev, "/new").await;
    project.write("templates/new.html", "<html><head></head><p>New</p></html>");
    let updates = tab.updates().await;
    assert!(updates == ["page"] || updates == ["reload"], "{updates:?}");
    assert!(dev.get("/new").body.contains("<p>New</p>"));
}

#[tokio::test]
async fn each_save_is_the_smallest_update_that_is_right() {
    let project = project();
    let dev = Dev::start(project.root(), &[]);
    let mut tab = Tab::open(&dev, "/").await;
    project.write("static/app.css", "p { color: blue }");
    let updates = tab.updates().await;
    assert!(updates[0].starts_with("style /static/app"), "{updates:?}");
    project.write(
        "templates/index.html",
        "{% extends 'layouts/base.html' %}{% block main %}<p>Bye</p>{% endblock %}",
    );
    assert_eq!(tab.updates().await, ["page"]);
    assert!(dev.get("/").body.contains("<p>Bye</p>"));
    project.write("config/site.toml", "title = \"Two\"\n");
    assert_eq!(tab.updates().await, ["page"]);
    assert!(dev.get("/").body.contains("<title>Two</title>"));
}

#[tokio::test]
async fn a_broken_template_is_told_over_the_last_good_page_and_mended() {
    let project = project();
    let dev = Dev::start(project.root(), &[]);
    let mut tab = Tab::open(&dev, "/").await;
    let good = std::fs::read_to_string(project.path("templates/index.html")).unwrap();
    project.write("templates/index.html", &good.replace("{% endblock %}", "{% endblok %}"));
    let problems = tab.problems(|problems| !problems.is_empty()).await;
    assert_eq!(problems[0]["file"], "templates/index.html");
    assert_eq!(problems[0]["line"], 1);
    assert!(dev.get("/").body.contains("<p>Hello</p>"), "the last good page stays");
    project.write("templates/index.html", &good.replace("Hello", "Mended"));
    tab.problems(<[_]>::is_empty).await;
    assert!(dev.get("/").body.contains("<p>Mended</p>"));
}

#[tokio::test]
async fn a_template_that_was_never_good_is_an_error_page_that_heals() {
    let project = project();
    project.write("templates/index.html", "<p>{% if %}</p>");
    let dev = Dev::start(project.root(), &[]);
    let page = dev.get("/");
    assert_eq!(page.status, 500);
    assert!(page.body.contains("templates/index.html"), "{}", page.body);
    let mut tab = Tab::of(&dev, &Tag::of(&page)).await;
    tab.problems(|problems| !problems.is_empty()).await;
    project.write("templates/index.html", "<html><head></head><p>Good</p></html>");
    let updates = tab.updates().await;
    assert!(updates == ["page"] || updates == ["reload"], "{updates:?}");
    assert!(dev.get("/").body.contains("<p>Good</p>"));
}

#[test]
fn each_save_is_a_line_in_the_terminal_and_a_fault_is_shown_with_its_code() {
    let project = project();
    let dev = Dev::start(project.root(), &[]);
    let says = |part: &str| while !dev.running.line().contains(part) {};
    says("Ctrl-C ends it");
    project.write("static/app.css", "p { color: blue }");
    says("saved      static/app.css  style swapped");
    project.write("templates/hello.html", "<p>{% if %}</p>");
    says("refused    hello.html, the last good one stays");
    says("--> templates/hello.html:1:");
    project.write("templates/hello.html", "<p></p>");
    says("saved      templates/hello.html  pages rendered anew");
    says("mended     hello.html");
    project.write("config/site.toml", "title = \"Two\"\n");
    says("reloaded   site, generation");
    says("/title  \"One\" -> \"Two\"");
}

#[test]
fn only_looking_is_answered() {
    let project = project();
    let dev = Dev::start(project.root(), &[]);
    let request =
        format!("POST / HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", dev.address);
    let answer = super::http::ask(&dev.address, &request);
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")));
}

#[test]
fn another_name_for_this_machine_is_refused_unless_it_is_allowed() {
    let project = project();
    let ask = |dev: &Dev, host: &str, path: &str| {
        super::http::ask(
            &dev.address,
            &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
        )
    };
    let dev = Dev::start(project.root(), &[]);
    for path in ["/", "/static/app.css", "/_rekindle/live.js", "/nothing"] {
        let refused = ask(&dev, "evil.example", path);
        assert_eq!(refused.status, 403, "{path}");
        assert!(refused.body.contains("--allow-host evil.example"), "{}", refused.body);
    }
    assert_eq!(ask(&dev, "localhost:1", "/").status, 200);
    let dev = Dev::start(project.root(), &["--allow-host", "laptop.local"]);
    assert_eq!(ask(&dev, "laptop.local:7878", "/").status, 200);
}

#[tokio::test]
async fn the_site_that_new_writes_is_shown_and_live() {
    let directory = tempfile::tempdir().unwrap();
    let site = directory.path().join("site");
    assert_eq!(run(&["new", site.to_str().unwrap()]).status.code(), Some(0));
    let dev = Dev::start(&site, &[]);
    for path in ["/how", "/hello", "/hello?name=Ada", "/"] {
        let page = dev.get(path);
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        Tag::of(&page);
    }
    assert!(dev.get("/hello?name=Ada").body.contains("Hello, Ada"));
    let mut tab = Tab::open(&dev, "/").await;
    let style = site.join("static/app.css");
    let text = std::fs::read_to_string(&style).unwrap();
    // What the page says to try has to be there.
    assert!(text.contains("--round: 1.25rem"));
    std::fs::write(&style, text.replace("--round: 1.25rem", "--round: 0")).unwrap();
    assert!(tab.updates().await[0].starts_with("style /static/app"));
    let config = std::fs::read_to_string(site.join("config/site.toml")).unwrap();
    std::fs::write(site.join("config/site.toml"), config.replace("hue = 45", "hue = 720")).unwrap();
    let problems = tab.problems(|problems| !problems.is_empty()).await;
    assert_eq!((&problems[0]["file"], &problems[0]["line"]), (&"config/site.toml".into(), &6.into()));
}
