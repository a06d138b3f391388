//! What is sent, and what is said of it.

use std::fs;
use std::io::{Read, Seek, Write};

use http::{HeaderMap, Method, Uri};
use rekindle_templates::{AssetNews, Encoding};
use rekindle_test::{LIMIT, Site};
use rekindle_web::Files;
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use crate::server::{BLUE, RED, Served, parse};

fn gzip(content: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content.as_bytes()).expect("memory");
    encoder.finish().expect("memory")
}

fn gunzip(bytes: &[u8]) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes).read_to_string(&mut text).expect("gzip");
    text
}

async fn told(changes: &mut rekindle_templates::AssetChanges) {
    while !matches!(timeout(LIMIT, changes.next()).await.expect("in time"), Some(AssetNews::Changed(_))) {}
}

#[tokio::test]
async fn a_current_fingerprint_is_kept_for_ever_and_any_other_address_is_asked_for_again() {
    let served = Served::start(Site::new().with("static/app.css", RED)).await;
    let current = served.assets.url("app.css");
    let answer = served.get(&current).await;
    assert_eq!((answer.status, answer.text()), (200, RED));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(answer.header("content-type"), Some("text/css; charset=utf-8"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("vary"), Some("accept-encoding"));
    let plain = served.get("/static/app.css").await;
    assert_eq!((plain.text(), plain.header("cache-control")), (RED, Some("no-cache")));
    assert_eq!(plain.header("etag"), answer.header("etag"));

    let mut changes = served.assets.subscribe();
    served.site().replace("static/app.css", BLUE);
    told(&mut changes).await;
    let outdated = served.get(&current).await;
    assert_eq!((outdated.text(), outdated.header("cache-control")), (BLUE, Some("no-cache")));
    assert_ne!(outdated.header("etag"), answer.header("etag"));
}

#[tokio::test]
async fn what_changed_a_moment_ago_is_sent_as_it_is_and_not_as_what_it_was() {
    // The files are asked directly: no news of the change can have been taken in.
    let site = Site::new().with("static/app.css", RED).with("static/large.txt", &RED.repeat(40_000));
    let served = Served::start(site).await;
    for (name, content, then) in
        [("app.css", RED.to_owned(), BLUE.to_owned()), ("large.txt", RED.repeat(40_000), BLUE.repeat(40_000))]
    {
        let (asset, current) = (served.asset(name), served.assets.url(name));
        assert_eq!(served.get(&current).await.text(), content);
        served.site().write(&format!("static/{name}"), &then);
        let answer = served.get(&current).await;
        assert_eq!(answer.text(), then, "{name}");
        assert_ne!(answer.header("etag"), Some(asset.etag()), "{name}");
        if served.assets.find(name).is_some_and(|now| now.etag() == asset.etag()) {
            assert_eq!(answer.header("cache-control"), Some("no-cache"), "{name}");
        }
    }
}

#[tokio::test]
async fn a_head_says_what_a_get_would_and_sends_nothing() {
    let served = Served::start(Site::new().with("static/app.css", RED)).await;
    let (get, head) = (served.get("/static/app.css").await, served.ask("HEAD", "/static/app.css", "").await);
    assert_eq!((head.status, head.body.len()), (200, 0));
    for name in ["content-length", "content-type", "etag", "cache-control", "accept-ranges", "vary"] {
        assert_eq!(head.header(name), get.header(name), "{name}");
        assert!(head.header(name).is_some(), "{name}");
    }
}

#[tokio::test]
async fn other_methods_are_told_which_there_are_and_other_names_that_there_is_nothing() {
    let served = Served::start(Site::new().with("static/app.css", RED)).await;
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"] {
        let answer = served.ask(method, "/static/app.css", "content-length: 0").await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")), "{method}");
    }
    for target in ["/static/none.css", "/static", "/static/", "/", "/app.css", "/static/app.css.gz"] {
        let answer = served.get(target).await;
        assert_eq!(
            (answer.status, answer.header("x-content-type-options")),
            (404, Some("nosniff")),
            "{target}"
        );
    }
}

#[tokio::test]
async fn names_are_those_that_addresses_say_decoded_once() {
    let site =
        Site::new().with("static/ü b#?.css", RED).with("static/100%25.txt", BLUE).with("static/a+b.txt", "+");
    let served = Served::start(site).await;
    for (name, content) in [("ü b#?.css", RED), ("100%25.txt", BLUE), ("a+b.txt", "+")] {
        assert_eq!(served.get(&served.assets.url(name)).await.text(), content, "{name}");
    }
    assert_eq!(served.get("/static/100%25.txt").await.status, 404, "that is `100%.txt`");
    assert_eq!(served.get("/static/100%2525.txt").await.text(), BLUE);
    assert_eq!(served.get("/%73tatic/a%2bb.txt").await.text(), "+");
}

#[tokio::test]
async fn a_sibling_is_sent_to_who_accepts_it_under_an_entity_tag_of_its_own() {
    let site = Site::new().with("static/app.css", RED).with("static/logo.png", "png");
    fs::write(site.path("static/app.css.gz"), gzip(RED)).expect("written");
    let served = Served::start(site).await;
    served.until_encoded("app.css", Encoding::Gzip).await;
    let plain = served.get("/static/app.css").await;
    let encoded = served.get_with("/static/app.css", "accept-encoding: gzip, deflate, br").await;
    assert_eq!((encoded.status, encoded.header("content-encoding")), (200, Some("gzip")));
    assert_eq!(gunzip(&encoded.body), RED);
    assert_eq!(encoded.header("content-type"), Some("text/css; charset=utf-8"));
    assert_ne!(encoded.header("etag"), plain.header("etag"));
    assert_eq!((plain.header("content-encoding"), plain.text()), (None, RED));
    let refused = served.get_with("/static/app.css", "accept-encoding: gzip;q=0, br").await;
    assert_eq!((refused.header("content-encoding"), refused.text()), (None, RED));
    let tag = format!("accept-encoding: gzip\nif-none-match: {}", encoded.header("etag").expect("a tag"));
    let known = served.get_with("/static/app.css", &tag).await;
    assert_eq!((known.status, known.header("vary"), known.body.len()), (304, Some("accept-encoding"), 0));
    assert_eq!(served.get("/static/logo.png").await.header("vary"), None, "there is no choice to be made");
}

#[tokio::test]
async fn a_sibling_that_changed_behind_our_back_is_not_sent() {
    let site = Site::new().with("static/app.css", RED);
    fs::write(site.path("static/app.css.gz"), gzip(RED)).expect("written");
    let served = Served::start(site).await;
    served.until_encoded("app.css", Encoding::Gzip).await;
    let accepts = "accept-encoding: gzip";
    fs::write(served.site().path("static/app.css.gz"), gzip("stale")).expect("written");
    let text = |answer: &crate::server::Answer| match answer.header("content-encoding") {
        Some(_) => gunzip(&answer.body),
        None => answer.text().to_owned(),
    };
    assert_eq!(text(&served.get_with("/static/app.css", accepts).await), RED);
    fs::remove_file(served.site().path("static/app.css.gz")).expect("removed");
    assert_eq!(text(&served.get_with("/static/app.css", accepts).await), RED);
    served.site().write("static/app.css", BLUE);
    assert_eq!(text(&served.get_with("/static/app.css", accepts).await), BLUE);
}

#[tokio::test]
async fn a_sibling_is_not_sent_for_a_source_that_changed_a_moment_ago() {
    let site = Site::new().with("static/app.css", RED);
    fs::write(site.path("static/app.css.gz"), gzip(RED)).expect("written");
    let served = Served::start(site).await;
    for content in [BLUE, RED, BLUE, RED] {
        served.until_encoded("app.css", Encoding::Gzip).await;
        let mut changes = served.assets.subscribe();
        served.site().replace("static/app.css", content);
        let answer = served.get_with("/static/app.css", "accept-encoding: gzip").await;
        let is_encoded = answer.header("content-encoding").is_some();
        let text = if is_encoded { gunzip(&answer.body) } else { answer.text().to_owned() };
        assert_eq!(text, content);
        told(&mut changes).await;
    }
}

#[tokio::test]
async fn a_file_that_is_gone_is_not_found_and_its_link_to_elsewhere_not_followed() {
    let site = Site::new().with("static/app.css", RED).with("elsewhere/secret.css", "secret");
    let served = Served::start(site).await;
    let (asset, files) = (served.asset("app.css"), Files::new(served.assets.clone()));
    std::os::unix::fs::symlink("../elsewhere/secret.css", served.site().path("elsewhere/link"))
        .expect("linked");
    served.site().rename("elsewhere/link", "static/app.css");
    assert!(asset.plain().open().is_err());
    let answer = served.get("/static/app.css").await;
    assert_eq!(answer.status, 404, "{answer:?}");
    served.site().remove("static/app.css");
    assert_eq!(served.get("/static/app.css").await.status, 404);
    assert!(!files.has(&Uri::from_static("/static/none.css")));
}

#[tokio::test]
async fn what_becomes_a_fifo_is_not_waited_for() {
    let served = Served::start(Site::new().with("static/app.css", RED)).await;
    served.site().remove("static/app.css");
    rustix::fs::mkfifoat(rustix::fs::CWD, served.site().path("static/app.css"), 0o600.into()).expect("made");
    assert_eq!(served.get("/static/app.css").await.status, 404);
}

#[tokio::test]
async fn large_files_are_streamed_whole_and_in_part() {
    let site = Site::new();
    let large: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    fs::write(site.path("static/large.bin"), &large).expect("written");
    let served = Served::start(site).await;
    let whole = served.get(&served.assets.url("large.bin")).await;
    assert_eq!(whole.header("content-length"), Some("12000000"));
    assert!(whole.body == large);
    let part = served.get_with("/static/large.bin", "range: bytes=70000-10000000").await;
    assert_eq!((part.status, part.header("content-range")), (206, Some("bytes 70000-10000000/12000000")));
    assert!(part.body == large[70_000..=10_000_000]);
    let end = served.get_with("/static/large.bin", "range: bytes=-3").await;
    assert_eq!(end.body, large[large.len() - 3..]);
}

#[tokio::test]
async fn an_answer_whose_file_changes_while_it_is_sent_ends_too_early() {
    let site = Site::new().with("static/large.txt", &"a".repeat(32 << 20));
    let served = Served::start(site).await;
    let mut connection = served.begin("/static/large.txt").await;
    let mut answer = vec![0; 1 << 16];
    connection.read_exact(&mut answer).await.expect("the begin");
    let path = served.site().path("static/large.txt");
    let mut file = fs::File::options().write(true).open(path).expect("opened");
    file.seek(std::io::SeekFrom::End(-10)).expect("sought");
    file.write_all(b"b").expect("written");
    drop(file);
    // Reset or closed, but never the whole of a mixture.
    let _ended = timeout(LIMIT, connection.read_to_end(&mut answer)).await.expect("in time");
    assert!(parse(&answer).body.len() < 32 << 20);
}

#[tokio::test]
async fn a_prefix_may_be_the_root() {
    let served = Served::start_with(Site::new().with("static/css/app.css", RED), "/").await;
    assert_eq!(served.get(&served.assets.url("css/app.css")).await.text(), RED);
    assert_eq!(served.get("/css/app.css").await.text(), RED);
    assert_eq!(served.get("//css/app.css").await.status, 404);
}

#[tokio::test]
async fn it_answers_without_a_server_too() {
    let served = Served::start(Site::new().with("static/app.css", RED)).await;
    let files = Files::new(served.assets.clone());
    let uri = Uri::from_static("http://localhost/static/app.css?v=1");
    assert!(files.has(&uri));
    let answer = files.answer(&Method::GET, &uri, &HeaderMap::new()).await;
    assert_eq!(answer.status(), 200);
}
