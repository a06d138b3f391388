//! `rekindle dev` on a directory without templates.

use std::path::Path;

use super::Dev;
use super::http::ask;
use super::tab::{Tab, Tag};

const PAGE: &str =
    "<!doctype html><html><head><link rel=\"stylesheet\" href=\"/app.css\"></head><p>Hello</p></html>";

fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (file, text) in [
        ("index.html", PAGE),
        ("app.css", "p { color: red }"),
        ("docs/index.html", PAGE),
        ("docs/guide.html", PAGE),
        ("pics/a b.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>"),
        (".env", "SECRET=1"),
        (".git/config", "secret"),
    ] {
        write(directory.path(), file, text);
    }
    directory
}

fn write(root: &Path, file: &str, text: &str) {
    let path = root.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn files_are_served_as_they_are_and_pages_without_their_ending() {
    let directory = directory();
    let dev = Dev::start(directory.path(), &[]);
    for path in ["/", "/index.html", "/docs/", "/docs/guide", "/docs/guide.html"] {
        let page = dev.get(path);
        assert_eq!(
            (page.status, page.header("content-type")),
            (200, Some("text/html; charset=utf-8")),
            "{path}"
        );
        assert!(page.body.contains("<p>Hello</p>"), "{path}: {}", page.body);
        Tag::of(&page);
    }
    assert_eq!((dev.get("/docs").status, dev.get("/docs").header("location")), (307, Some("/docs/")));
    assert_eq!(dev.get("/app.css").body, "p { color: red }");
    assert_eq!(dev.get("/pics/a%20b.svg").header("content-type"), Some("image/svg+xml"));
}

#[test]
fn nothing_hidden_and_nothing_outside_is_served() {
    let directory = directory();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret.txt"), "secret").unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(outside.path().join("secret.txt"), directory.path().join("link.txt"))
            .unwrap();
        std::os::unix::fs::symlink(outside.path(), directory.path().join("linked")).unwrap();
    }
    let dev = Dev::start(directory.path(), &[]);
    let outside = outside.path().file_name().unwrap().to_str().unwrap();
    let paths = [
        "/.env",
        "/%2eenv",
        "/.git/config",
        "/%2Egit/config",
        "/link.txt",
        "/linked/secret.txt",
        "/index.html%00.css",
        "/docs/..%2f.env",
        "/docs\\..\\.env",
        "//etc/passwd",
        "/etc/passwd",
        "/%2fetc%2fpasswd",
        "/.env?raw",
        "/.env?import&raw",
        "/@fs/etc/passwd",
        "/INDEX.HTML",
        &format!("/../{outside}/secret.txt"),
        &format!("/%2e%2e/{outside}/secret.txt"),
        "/.env#/index.html",
    ];
    for path in paths {
        let answer = ask(
            &dev.address,
            &format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", dev.address),
        );
        assert!(matches!(answer.status, 400 | 403 | 404), "{path}: {}", answer.status);
        assert!(!answer.body.contains("SECRET=1") && !answer.body.contains("root:"), "{path}");
        assert!(!answer.body.contains("<p>Hello</p>"), "{path}");
    }
}

#[test]
fn what_is_not_there_is_told_with_the_pages_that_are() {
    let directory = directory();
    let dev = Dev::start(directory.path(), &[]);
    let page = dev.get("/nothing");
    assert_eq!(page.status, 404);
    for part in ["<a href=\"/docs/\">", "<a href=\"/docs/guide\">", "nothing.html"] {
        assert!(page.body.contains(part), "{part}\n{}", page.body);
    }
    assert!(!page.body.contains("app.css</a>") && !page.body.contains(".env"), "{}", page.body);
    Tag::of(&page);
}

#[tokio::test]
async fn each_save_is_the_smallest_update_that_is_right() {
    let directory = directory();
    let dev = Dev::start(directory.path(), &[]);
    let mut tab = Tab::open(&dev, "/").await;
    write(directory.path(), "app.css", "p { color: blue }");
    assert_eq!(tab.updates().await, ["style /app.css"]);
    write(directory.path(), "pics/a b.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"2\"/>");
    assert_eq!(tab.updates().await, ["image /pics/a%20b.svg"]);
    write(directory.path(), "index.html", &PAGE.replace("Hello", "Bye"));
    assert_eq!(tab.updates().await, ["page"]);
    assert!(dev.get("/").body.contains("<p>Bye</p>"));
    write(directory.path(), "app.js", "1");
    assert_eq!(tab.updates().await, ["reload"]);
}

#[test]
fn nothing_is_written_into_the_directory() {
    let directory = directory();
    let before = std::fs::read_dir(directory.path()).unwrap().count();
    let dev = Dev::start(directory.path(), &[]);
    assert_eq!(dev.get("/").status, 200);
    dev.running.signal("INT");
    assert_eq!(dev.running.exit_code(), Some(0));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), before);
}
