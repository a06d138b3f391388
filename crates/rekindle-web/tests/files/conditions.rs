//! Conditional requests, and ranges.

use std::time::{Duration, SystemTime};

use rekindle_test::Site;

use crate::server::{RED, Served};

/// A site with a file of an hour ago.
async fn of_an_hour_ago() -> (Served, String) {
    let site = Site::new().with("static/app.css", RED);
    let at = SystemTime::now() - Duration::from_secs(3600);
    let file = std::fs::File::options().write(true).open(site.path("static/app.css")).expect("opened");
    file.set_modified(at).expect("set");
    (Served::start(site).await, httpdate::fmt_http_date(at))
}

#[tokio::test]
async fn what_is_known_is_not_sent_again() {
    let (served, date) = of_an_hour_ago().await;
    let first = served.get("/static/app.css").await;
    let etag = first.header("etag").expect("a tag").to_owned();
    assert!(etag.starts_with('"') && etag.len() == 34, "{etag}");
    assert_eq!(first.header("last-modified"), Some(&*date));
    let cases = [
        (format!("if-none-match: {etag}"), 304),
        (format!("if-none-match: W/{etag}, \"x\""), 304),
        ("if-none-match: \"x\"".to_owned(), 200),
        (format!("if-modified-since: {date}"), 304),
        (format!("if-modified-since: {date}\nif-none-match: \"x\""), 200),
        ("if-modified-since: Sun, 06 Nov 1994 08:49:37 GMT".to_owned(), 200),
        ("if-modified-since: yesterday".to_owned(), 200),
    ];
    for (headers, status) in cases {
        let answer = served.get_with("/static/app.css", &headers).await;
        assert_eq!(answer.status, status, "{headers}");
        assert_eq!(answer.header("etag"), Some(&*etag), "{headers}");
        assert_eq!(answer.header("cache-control"), Some("no-cache"), "{headers}");
        assert_eq!(answer.body.is_empty(), status == 304, "{headers}");
    }
}

#[tokio::test]
async fn an_older_file_moved_over_a_newer_one_is_news_to_who_goes_by_dates() {
    let (served, date) = of_an_hour_ago().await;
    let mut changes = served.assets.subscribe();
    let old = served.site().path("elsewhere/old.css");
    std::fs::write(&old, "of yesterday").expect("written");
    let file = std::fs::File::options().write(true).open(&old).expect("opened");
    file.set_modified(SystemTime::now() - Duration::from_secs(86_400)).expect("set");
    served.site().rename("elsewhere/old.css", "static/app.css");
    tokio::time::timeout(rekindle_test::LIMIT, changes.next()).await.expect("in time").expect("news");
    let answer = served.get_with("/static/app.css", &format!("if-modified-since: {date}")).await;
    assert_eq!((answer.status, answer.text()), (200, "of yesterday"));
    assert_eq!(answer.header("last-modified"), None, "it may change once more in this second");
}

#[tokio::test]
async fn one_range_is_a_part_as_long_as_the_rest_is_the_same() {
    let (served, date) = of_an_hour_ago().await;
    let etag = served.get("/static/app.css").await.header("etag").expect("a tag").to_owned();
    let cases = [
        ("range: bytes=0-3".to_owned(), 206, "a { "),
        (format!("range: bytes=4-8\nif-range: {etag}"), 206, "color"),
        (format!("range: bytes=4-8\nif-range: {date}"), 206, "color"),
        ("range: bytes=4-8\nif-range: \"other\"".to_owned(), 200, RED),
        (format!("range: bytes=4-8\nif-range: W/{etag}"), 200, RED),
        ("range: bytes=0-1,4-8".to_owned(), 200, RED),
        ("range: bytes=9-4".to_owned(), 200, RED),
        ("range: bytes=99-".to_owned(), 416, "the file has no such part\n"),
        (format!("range: bytes=0-3\nif-none-match: {etag}"), 304, ""),
    ];
    for (headers, status, content) in cases {
        let answer = served.get_with("/static/app.css", &headers).await;
        assert_eq!((answer.status, answer.text()), (status, content), "{headers}");
        let place = match status {
            206 if content == "color" => Some("bytes 4-8/16"),
            206 => Some("bytes 0-3/16"),
            416 => Some("bytes */16"),
            _ => None,
        };
        assert_eq!(answer.header("content-range"), place, "{headers}");
    }
    let head = served.ask("HEAD", "/static/app.css", "range: bytes=0-3").await;
    assert_eq!((head.status, head.header("content-length")), (200, Some("16")));
}
