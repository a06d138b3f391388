//! What other servers of files have been fooled with, each named after it. All of it is written on the wire as it
//! stands here: no client tidies it up.

use rekindle_test::Site;

use crate::server::{RED, Served};

const SECRET: &str = "SECRET=hunter2";

/// A site with secrets in it, beside what is served, and in hidden places of what is served.
async fn site() -> Served {
    let site = Site::new()
        .with("static/app.css", RED)
        .with("static/logo.svg", "<svg/>")
        .with("static/deep/index.html", "<p>")
        .with("static/.env", SECRET)
        .with("static/deep/.env.local", SECRET)
        .with("static/.git/config", SECRET)
        .with(".env", SECRET)
        .with("secret.txt", SECRET)
        .with("secret.html", SECRET)
        .with("static-secret/key.pem", SECRET)
        .with("config/secret.toml", "secret = \"SECRET=hunter2\"\n");
    std::os::unix::fs::symlink("../secret.txt", site.path("static/linked.txt")).expect("linked");
    std::os::unix::fs::symlink("../static-secret", site.path("static/linked")).expect("linked");
    Served::start(site).await
}

/// None of these gets anything but a refusal.
async fn nothing(served: &Served, targets: &[&str]) {
    let root = served.site().root().display().to_string();
    for target in targets {
        let target = target.replace("{root}", &root);
        let answer = served.get(&target).await;
        let body = String::from_utf8_lossy(&answer.body);
        assert!(!body.contains("hunter2") && !body.contains("root:"), "{target} → {answer:?}");
        assert!(matches!(answer.status, 400 | 404), "{target} → {answer:?}");
    }
}

/// Each of these gets the stylesheet as it is, under its own type.
async fn the_stylesheet_as_ever(served: &Served, targets: &[&str]) {
    for target in targets {
        let answer = served.get(target).await;
        assert_eq!((answer.status, answer.text()), (200, RED), "{target}");
        assert_eq!(answer.header("content-type"), Some("text/css; charset=utf-8"), "{target}");
    }
}

#[tokio::test]
async fn cve_2025_30208_a_query_with_more_question_marks_changes_nothing() {
    let served = site().await;
    let queries = ["?raw", "?raw??", "?import&raw??", "?url??", "?import&raw", "?&raw", "??", "?"];
    for query in queries {
        the_stylesheet_as_ever(&served, &[&format!("/static/app.css{query}")]).await;
        let secrets = ["/static/.env", "/@fs{root}/.env", "/@fs/etc/passwd", "/.env", "/static/linked.txt"];
        nothing(&served, &secrets.map(|path| format!("{path}{query}")).each_ref().map(String::as_str)).await;
    }
}

#[tokio::test]
async fn cve_2025_31125_nor_does_one_that_asks_for_it_inlined() {
    let served = site().await;
    for query in ["?inline&import", "?import&?inline=1.wasm?init", "?raw?import", "?wasm&init", "?worker"] {
        the_stylesheet_as_ever(&served, &[&format!("/static/app.css{query}")]).await;
        let secrets = ["/static/.env", "/@fs{root}/secret.txt", "/@id/secret.txt", "/secret.txt"];
        nothing(&served, &secrets.map(|path| format!("{path}{query}")).each_ref().map(String::as_str)).await;
    }
}

#[tokio::test]
async fn cve_2025_31486_nor_does_one_that_ends_as_an_image_or_leads_upwards() {
    let served = site().await;
    let queries = ["?.svg?.wasm?init", "?.svg", "?/../../../../../etc/passwd?import&?raw", "?../.env"];
    for query in queries {
        the_stylesheet_as_ever(&served, &[&format!("/static/app.css{query}")]).await;
        let secrets = ["/static/.env", "/@fs/x/x/x/site/"];
        nothing(&served, &secrets.map(|path| format!("{path}{query}")).each_ref().map(String::as_str)).await;
    }
}

#[tokio::test]
async fn cve_2025_32395_a_hash_in_the_request_target_leads_nowhere() {
    let served = site().await;
    nothing(
        &served,
        &[
            "/@fs{root}/static/#/../.env",
            "/static/#/../../secret.txt",
            "/static/deep/#/../../../secret.txt",
            "/static/%23/../../secret.txt",
            "#/secret.txt",
            "/#/../secret.txt",
        ],
    )
    .await;
    // What stands behind it is no part of the target, or makes it a bad one.
    let answer = served.get("/static/app.css#/../../secret.txt").await;
    assert!(answer.status == 400 || answer.text() == RED, "{answer:?}");
}

#[tokio::test]
async fn cve_2025_46565_a_dot_behind_a_slash_is_no_way_around() {
    nothing(
        &site().await,
        &[
            "/static/.env/.",
            "/static/.env/",
            "/static/./.env",
            "/.env/.",
            "/static/app.css/.",
            "/static/app.css/",
        ],
    )
    .await;
}

#[tokio::test]
async fn cve_2025_58751_a_neighbour_whose_name_begins_alike_is_no_part_of_the_directory() {
    nothing(
        &site().await,
        &[
            "/static-secret/key.pem",
            "/static../static-secret/key.pem",
            "/static/../static-secret/key.pem",
            "/static/linked/key.pem",
            "/static%2dsecret/key.pem",
        ],
    )
    .await;
}

#[tokio::test]
async fn cve_2025_58752_pages_are_no_exception() {
    nothing(
        &site().await,
        &["/secret.html", "/static/../secret.html", "/../secret.html", "/static/deep/", "/static/deep"],
    )
    .await;
}

#[tokio::test]
async fn cve_2025_62522_nor_are_backslashes() {
    nothing(
        &site().await,
        &[
            "/static/.env\\",
            "/static/app.css\\",
            "/static\\..\\secret.txt",
            "/static/..\\secret.txt",
            "/static/%5c..%5csecret.txt",
            "/static/..%5csecret.txt",
            "/static/app.css%5c",
            "\\static\\app.css",
        ],
    )
    .await;
}

#[tokio::test]
async fn cve_2024_23331_names_in_other_case_are_other_names() {
    nothing(
        &site().await,
        &["/static/APP.css", "/static/app.CSS", "/STATIC/app.css", "/static/.ENV", "/.EnV"],
    )
    .await;
}

#[tokio::test]
async fn cve_2023_34092_more_slashes_are_no_way_around() {
    nothing(
        &site().await,
        &["//.env", "//static/.env", "/static//.env", "///secret.txt", "/static//app.css"],
    )
    .await;
}

#[tokio::test]
async fn cve_2026_53571_nor_are_streams_and_short_names_of_windows() {
    nothing(
        &site().await,
        &[
            "/static/.env::$DATA",
            "/static/.env::$DATA?raw",
            "/static/app.css::$DATA",
            "/static/app.css:stream",
            "/static/ENV~1",
            "/static/APP~1.CSS",
            "/static/app.css.",
            "/static/app.css%20",
            "/static/CON",
            "/static/C:/secret.txt",
            "/C:/Windows/win.ini",
            "/static/%5C%5Chost%5Cshare",
        ],
    )
    .await;
}

#[tokio::test]
async fn cve_2024_29180_nor_is_anything_that_is_encoded_once_or_twice() {
    nothing(
        &site().await,
        &[
            "/static/../secret.txt",
            "/static/%2e%2e/secret.txt",
            "/static/%2E%2E/secret.txt",
            "/static/.%2e/secret.txt",
            "/static/%2e%2e%2fsecret.txt",
            "/static/..%2fsecret.txt",
            "/static/%252e%252e%252fsecret.txt",
            "/static/%252e%252e/secret.txt",
            "/static/..%c0%afsecret.txt",
            "/static/%c0%ae%c0%ae/secret.txt",
            "/static/%u002e%u002e/secret.txt",
            "/static/deep/../../secret.txt",
            "/static/app.css/../../secret.txt",
            "/static/app.css%00",
            "/static/app.css%00.svg",
            "/static/.env%00.css",
            "/static/%00",
            "/static/%",
            "/static/app.css%",
            "/static/%0d%0aset-cookie:a=b",
            "/static/..;/secret.txt",
            "/static/....//secret.txt",
            "/static/%2fetc%2fpasswd",
            "/static//etc/passwd",
            "/etc/passwd",
            "file:///etc/passwd",
            "/static/linked.txt",
            "/static/.git/config",
            "/static/deep/.env.local",
            "*",
        ],
    )
    .await;
}

#[tokio::test]
async fn cve_2025_30360_no_answer_is_for_other_origins() {
    let served = site().await;
    for target in ["/static/app.css", "/static/none.css", &served.assets.url("app.css")] {
        let answer = served.get_with(target, "origin: https://evil.example").await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{target}");
    }
}

#[tokio::test]
async fn an_address_in_absolute_form_is_its_path() {
    let served = site().await;
    the_stylesheet_as_ever(
        &served,
        &["http://localhost/static/app.css", "http://localhost/static/app.css?raw"],
    )
    .await;
    nothing(&served, &["http://localhost/static/../secret.txt", "http://localhost/secret.txt"]).await;
}
