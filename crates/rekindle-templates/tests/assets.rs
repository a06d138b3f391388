//! Assets on a real engine and real files.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use rekindle_templates::{AssetChange, AssetChanges, AssetKind, AssetNews, Assets, Encoding, Representation};
use rekindle_test::{LIMIT, Running, Site, child};
use tokio::time::timeout;

const RED: &str = "a { color: red }";
const BLUE: &str = "a { color: blue }";

async fn watched(site: Site) -> (Running, Assets) {
    let running = Running::start(site).await;
    let assets = Assets::watch(&running.manager, "static/**").await.expect("assets");
    (running, assets)
}

async fn news(changes: &mut AssetChanges) -> AssetNews {
    timeout(LIMIT, changes.next()).await.expect("news in time").expect("the assets are watched")
}

/// The next batch of changes.
async fn changed(changes: &mut AssetChanges) -> Arc<[AssetChange]> {
    loop {
        match news(changes).await {
            AssetNews::Changed(changed) => return changed,
            AssetNews::Problems => {}
            other => panic!("{other:?}"),
        }
    }
}

/// Waits for a condition that news or siblings bring about.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    };
    timeout(LIMIT, wait).await.unwrap_or_else(|_| panic!("waited {LIMIT:?} for {what}"));
}

fn names(changed: &[AssetChange]) -> Vec<&str> {
    changed.iter().map(|change| change.name.as_str()).collect()
}

fn content(representation: &Representation) -> Vec<u8> {
    let mut bytes = Vec::new();
    let opened = representation.open().expect("opened");
    assert!(opened.is_unchanged());
    opened.into_file().read_to_end(&mut bytes).expect("read");
    bytes
}

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

fn unbrotli(bytes: &[u8]) -> String {
    let mut text = String::new();
    brotli::Decompressor::new(bytes, 4096).read_to_string(&mut text).expect("brotli");
    text
}

#[tokio::test]
async fn an_address_changes_with_the_content_and_with_nothing_else() {
    let site = Site::new().with("static/css/app.css", RED).with("static/logo.png", "png");
    let (running, assets) = watched(site).await;
    let (css, logo) = (assets.url("css/app.css"), assets.url("logo.png"));
    assert!(css.starts_with("/static/css/app.") && css.ends_with(".css") && css.len() == 30, "{css}");
    assert_eq!(assets.url("/css/app.css"), css);
    let mut changes = assets.subscribe();
    running.site.replace("static/css/app.css", BLUE);
    let changed = changed(&mut changes).await;
    assert_eq!(names(&changed), ["css/app.css"]);
    let change = &changed[0];
    assert_eq!((&change.old_url, &change.new_url), (&css, &assets.url("css/app.css")));
    assert_eq!((change.plain_url.as_str(), change.kind), ("/static/css/app.css", AssetKind::Style));
    assert_eq!(change.new_digest, assets.digest().get("css/app.css").copied());
    assert_ne!(change.old_digest, change.new_digest);
    assert_ne!(assets.url("css/app.css"), css);
    assert_eq!(assets.url("logo.png"), logo);
}

#[tokio::test]
async fn the_same_content_again_is_no_change_whatever_the_times_say() {
    let (mut running, assets) = watched(Site::new().with("static/app.css", RED)).await;
    let mut changes = assets.subscribe();
    let before = assets.find("app.css").expect("found").modified();
    for _ in 0..3 {
        running.site.replace("static/app.css", RED);
    }
    running.quiet().await;
    running.site.replace("static/other.css", BLUE);
    assert_eq!(names(&changed(&mut changes).await), ["other.css"]);
    assert_eq!(assets.find("app.css").expect("found").modified(), before);
}

#[tokio::test]
async fn files_come_and_go_by_every_name_they_have() {
    let (running, assets) = watched(Site::new().with("static/a.css", RED)).await;
    let mut changes = assets.subscribe();
    running.site.write("static/deep/er/b.js", "1");
    let came = changed(&mut changes).await;
    assert_eq!(
        (came[0].old_url.as_str(), &came[0].new_url),
        ("/static/deep/er/b.js", &assets.url("deep/er/b.js"))
    );
    assert_eq!(came[0].old_digest, None);
    running.site.rename("static/a.css", "static/c.css");
    let mut seen = changed(&mut changes).await.to_vec();
    while assets.find("a.css").is_some() || assets.find("c.css").is_none() {
        seen.extend(changed(&mut changes).await.to_vec());
    }
    seen.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(names(&seen), ["a.css", "c.css"]);
    assert_eq!((seen[0].new_url.as_str(), seen[0].new_digest), ("/static/a.css", None));
    assert_eq!(assets.url("a.css"), "/static/a.css", "it is gone, and so has its plain address");
}

#[tokio::test]
async fn an_outdated_fingerprint_finds_the_file_and_says_so() {
    let (running, assets) = watched(Site::new().with("static/app.css", RED)).await;
    let name = |url: String| url.strip_prefix("/static/").expect("below the prefix").to_owned();
    let old = name(assets.url("app.css"));
    assert!(assets.find(&old).expect("found").is_fingerprinted());
    assert!(!assets.find("app.css").expect("found").is_fingerprinted());
    let mut changes = assets.subscribe();
    running.site.replace("static/app.css", BLUE);
    changed(&mut changes).await;
    let outdated = assets.find(&old).expect("found");
    assert!(!outdated.is_fingerprinted());
    assert_eq!(outdated.name(), "app.css");
    assert!(assets.find(&name(assets.url("app.css"))).expect("found").is_fingerprinted());
    assert!(assets.find("other.0123456789.css").is_none());
}

#[tokio::test]
async fn a_file_that_has_the_name_of_an_address_keeps_it() {
    let (running, assets) = watched(Site::new().with("static/app.css", RED)).await;
    let taken = assets.url("app.css").strip_prefix('/').expect("a path").to_owned();
    let mut changes = assets.subscribe();
    running.site.replace(&taken, BLUE);
    changed(&mut changes).await;
    assert_eq!(assets.url("app.css"), "/static/app.css");
    let name = taken.strip_prefix("static/").expect("below");
    assert_eq!(content(assets.find(name).expect("found").plain()), BLUE.as_bytes());
}

#[tokio::test]
async fn what_is_saved_together_is_told_together_and_only_that() {
    let mut site = Site::new();
    for index in 0..200 {
        site = site.with(&format!("static/{index}.txt"), &index.to_string());
    }
    let (mut running, assets) = watched(site).await;
    let mut changes = assets.subscribe();
    for index in 50..150 {
        running.site.replace(&format!("static/{index}.txt"), "new");
    }
    running.quiet().await;
    let mut seen = Vec::new();
    let mut batches = 0;
    while seen.len() < 100 {
        seen.extend(changed(&mut changes).await.iter().map(|change| change.name.clone()));
        batches += 1;
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 100, "each once, in {batches} batches");
    assert!(batches < 50, "{batches}");
}

#[tokio::test]
async fn what_is_hidden_or_leads_out_is_no_asset() {
    let site = Site::new()
        .with("static/.env", "KEY=1")
        .with("static/.git/config", "x")
        .with("static/ok.css", RED)
        .with("elsewhere/secret.css", "secret")
        .with("static/deep/in.css", BLUE);
    let link = |to: &Path, name: &str| std::os::unix::fs::symlink(to, site.path(name)).expect("linked");
    link(&site.path("elsewhere/secret.css"), "static/out.css");
    link(&site.path("elsewhere"), "static/away");
    link(Path::new("deep/in.css"), "static/in.css");
    link(Path::new("deep"), "static/also");
    link(Path::new(".."), "static/deep/round");
    link(Path::new("nowhere"), "static/dangling.css");
    link(Path::new("/dev/zero"), "static/zero.css");
    rustix::fs::mkfifoat(rustix::fs::CWD, site.path("static/pipe.css"), 0o600.into()).expect("made");
    let _socket = std::os::unix::net::UnixListener::bind(site.path("static/socket.css")).expect("bound");
    fs::create_dir(site.path("static/directory.css")).expect("made");
    site.write("static/a\\b.css", RED);
    let (_running, assets) = watched(site).await;
    let manifest = assets.manifest();
    let names: Vec<&str> = manifest.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["also/in.css", "deep/in.css", "in.css", "ok.css"]);
    let problems = assets.problems();
    let files: Vec<&str> = problems.iter().map(|problem| problem.file.as_str()).collect();
    assert_eq!(files, ["static/a\\b.css", "static/away", "static/out.css", "static/zero.css"]);
    assert!(problems[2].message.contains("leads out of the directory"), "{}", problems[2]);
}

#[tokio::test]
async fn a_link_that_is_turned_outwards_ends_the_asset_and_is_told_of() {
    let site = Site::new().with("static/real.css", RED).with("elsewhere/secret.css", "secret");
    std::os::unix::fs::symlink("real.css", site.path("static/app.css")).expect("linked");
    let (running, assets) = watched(site).await;
    let found = assets.find("app.css").expect("found");
    let mut changes = assets.subscribe();
    std::os::unix::fs::symlink("../elsewhere/secret.css", running.site.path("elsewhere/link"))
        .expect("linked");
    running.site.rename("elsewhere/link", "static/app.css");
    let refused = found.plain().open().expect_err("it leads out");
    assert_eq!(refused.kind(), std::io::ErrorKind::NotFound, "even before it is told of");
    assert_eq!(names(&changed(&mut changes).await), ["app.css"]);
    assert!(assets.find("app.css").is_none());
    assert_eq!(assets.problems().len(), 1);
    running.site.remove("static/app.css");
    let _without_patience = running.manager.reload_now().await.expect("runs");
    until("the end of the problem", || assets.problems().is_empty()).await;
}

#[tokio::test]
async fn what_changed_since_it_was_hashed_says_so_when_it_is_opened() {
    let (running, assets) = watched(Site::new().with("static/app.css", RED)).await;
    let found = assets.find("app.css").expect("found");
    assert!(found.plain().open().expect("opened").is_unchanged());
    running.site.write("static/app.css", BLUE);
    let opened = found.plain().open().expect("opened");
    assert!(!opened.is_unchanged());
    assert_eq!(opened.len(), BLUE.len() as u64);
}

#[tokio::test]
async fn a_sibling_is_found_only_once_it_is_known_to_hold_its_source() {
    let site = Site::new().with("static/app.css", RED);
    fs::write(site.path("static/app.css.gz"), gzip(RED)).expect("written");
    let (_running, assets) = watched(site).await;
    let found = assets.find("app.css").expect("found");
    until("the sibling", || found.encoded(Encoding::Gzip).is_some()).await;
    let sibling = found.encoded(Encoding::Gzip).expect("known");
    assert_eq!(content(&sibling), gzip(RED), "what is good is left as it is");
    assert_ne!(sibling.etag(), found.etag());
    assert_eq!(found.encodings(), [Encoding::Gzip], "none is made unless asked for");
    assert!(assets.find("app.css.gz").is_none(), "it is no asset of its own");
}

#[tokio::test]
async fn stale_siblings_are_rebuilt_with_their_mode_and_reload_nothing() {
    let site = Site::new().with("static/app.css", RED);
    fs::write(site.path("static/app.css.gz"), gzip("stale")).expect("written");
    fs::write(site.path("static/app.css.br"), "damaged").expect("written");
    fs::set_permissions(site.path("static/app.css.gz"), fs::Permissions::from_mode(0o604)).expect("set");
    let (running, assets) = watched(site).await;
    let mut changes = assets.subscribe();
    let gzip_of = |assets: &Assets| assets.find("app.css").and_then(|found| found.encoded(Encoding::Gzip));
    let brotli_of =
        |assets: &Assets| assets.find("app.css").and_then(|found| found.encoded(Encoding::Brotli));
    until("both", || gzip_of(&assets).is_some() && brotli_of(&assets).is_some()).await;
    assert_eq!(gunzip(&content(&gzip_of(&assets).expect("known"))), RED);
    assert_eq!(unbrotli(&content(&brotli_of(&assets).expect("known"))), RED);
    let mode = fs::metadata(running.site.path("static/app.css.gz")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o604);

    running.site.replace("static/app.css", BLUE);
    assert_eq!(names(&changed(&mut changes).await), ["app.css"]);
    until("both again", || gzip_of(&assets).is_some() && brotli_of(&assets).is_some()).await;
    assert_eq!(gunzip(&content(&gzip_of(&assets).expect("known"))), BLUE);
    running.site.replace("static/end.css", RED);
    assert_eq!(names(&changed(&mut changes).await), ["end.css"], "a rebuilt sibling is no change");
    assert_eq!(assets.problems(), []);
}

#[tokio::test]
async fn the_engine_s_own_writes_end_by_themselves() {
    let site = Site::new().with("static/app.css", &RED.repeat(200));
    let mut running = Running::start(site).await;
    let assets = Assets::watch(&running.manager, "static/**").precompress(true).await.expect("assets");
    let found = assets.find("app.css").expect("found");
    until("both", || found.encodings().len() == 2).await;
    let stamp = |ending: &str| {
        let metadata = fs::metadata(running.site.path(&format!("static/app.css{ending}"))).expect("there");
        (metadata.modified().expect("known"), std::os::unix::fs::MetadataExt::ino(&metadata))
    };
    let before = (stamp(".br"), stamp(".gz"));
    running.quiet().await;
    let stamp = |ending: &str| {
        let metadata = fs::metadata(running.site.path(&format!("static/app.css{ending}"))).expect("there");
        (metadata.modified().expect("known"), std::os::unix::fs::MetadataExt::ino(&metadata))
    };
    assert_eq!((stamp(".br"), stamp(".gz")), before);
    assert_eq!(assets.manifest().len(), 1);
}

#[tokio::test]
async fn siblings_are_made_where_that_is_asked_for_and_pays() {
    let site = Site::new()
        .with("static/large.css", &RED.repeat(200))
        .with("static/small.css", RED)
        .with("static/large.png", &RED.repeat(200))
        .with("static/last.txt", &BLUE.repeat(200));
    let running = Running::start(site).await;
    let assets = Assets::watch(&running.manager, "static/**").precompress(true).await.expect("assets");
    for name in ["large.css", "last.txt"] {
        let found = assets.find(name).expect("found");
        until(name, || found.encodings().len() == 2).await;
    }
    // Worked off in order of their names.
    for name in ["small.css.br", "small.css.gz", "large.png.br", "large.png.gz"] {
        assert!(!running.site.path(&format!("static/{name}")).exists(), "{name}");
    }
    running.site.remove("static/large.css.br");
    let _without_patience = running.manager.reload_now().await.expect("runs");
    until("it is made again", || running.site.path("static/large.css.br").exists()).await;
}

#[tokio::test]
async fn what_is_encoded_and_lies_beside_nothing_is_a_file_like_any_other() {
    let site = Site::new().with("static/data.tar", "tar");
    fs::write(site.path("static/data.tar.gz"), gzip("something else")).expect("written");
    fs::write(site.path("static/alone.css.gz"), gzip(RED)).expect("written");
    let (running, assets) = watched(site).await;
    let data = assets.find("data.tar.gz").expect("found");
    assert_eq!((data.mime(), data.encodings().len()), ("application/gzip", 0));
    assert!(assets.find("alone.css.gz").is_some());
    let mut changes = assets.subscribe();
    running.site.replace("static/alone.css", RED);
    assert_eq!(names(&changed(&mut changes).await), ["alone.css", "alone.css.gz"]);
    assert!(assets.find("alone.css.gz").is_none(), "it belongs to its source from now on");
    running.site.remove("static/alone.css");
    let _without_patience = running.manager.reload_now().await.expect("runs");
    assert_eq!(names(&changed(&mut changes).await), ["alone.css", "alone.css.gz"]);
    assert!(assets.find("alone.css.gz").is_some());
    assert_eq!(fs::read(running.site.path("static/data.tar.gz")).expect("read"), gzip("something else"));
}

#[tokio::test]
async fn a_sibling_that_leads_out_is_neither_served_nor_written_to() {
    let site = Site::new().with("static/app.css", RED).with("elsewhere/precious.gz", "precious");
    std::os::unix::fs::symlink("../elsewhere/precious.gz", site.path("static/app.css.gz")).expect("linked");
    let (running, assets) = watched(site).await;
    until("the problem", || !assets.problems().is_empty()).await;
    assert_eq!(assets.problems()[0].file, "static/app.css.gz");
    assert_eq!(running.site.read("elsewhere/precious.gz"), "precious");
    assert!(assets.find("app.css").expect("found").encodings().is_empty());
}

#[tokio::test]
async fn a_reader_that_lags_is_told_to_look_at_everything() {
    let (mut running, assets) = watched(Site::new()).await;
    let mut changes = assets.subscribe();
    let mut watcher = assets.subscribe();
    for index in 0..80 {
        running.site.replace("static/app.css", &index.to_string());
        changed(&mut watcher).await;
    }
    running.quiet().await;
    assert_eq!(news(&mut changes).await, AssetNews::Everything);
    running.site.replace("static/app.css", "last");
    assert_eq!(names(&changed(&mut changes).await), ["app.css"]);
}

#[tokio::test]
async fn with_the_last_handle_the_news_end() {
    let (running, assets) = watched(Site::new()).await;
    let mut changes = assets.subscribe();
    drop(assets.clone());
    running.site.replace("static/a.css", RED);
    changed(&mut changes).await;
    drop(assets);
    assert_eq!(timeout(LIMIT, changes.next()).await.expect("in time"), None);
}

#[tokio::test]
async fn a_directory_that_comes_later_is_watched_and_prefixes_are_free() {
    let running = Running::start(Site::new()).await;
    let assets = Assets::watch(&running.manager, "public/assets/**/*.css").await.expect("assets");
    assert_eq!(assets.prefix(), "/public/assets");
    let rooted = Assets::watch(&running.manager, "public/assets/**").prefix("/").await.expect("assets");
    let mut changes = assets.subscribe();
    running.site.write("public/assets/x/app.css", RED);
    running.site.write("public/assets/x/app.js", "1");
    assert_eq!(names(&changed(&mut changes).await), ["x/app.css"]);
    assert!(assets.url("x/app.css").starts_with("/public/assets/x/app."));
    until("the other", || rooted.url("x/app.css").len() == "/x/app.0123456789.css".len()).await;
    assert!(assets.find("x/app.js").is_none());
}

#[tokio::test]
async fn what_cannot_be_meant_is_an_error_that_says_so() {
    let running = Running::start(Site::new()).await;
    for pattern in ["../x/**", "/etc/**", "static/["] {
        let error = Assets::watch(&running.manager, pattern).await.expect_err(pattern);
        assert_eq!(error.kind(), rekindle::ErrorKind::Pattern, "{error}");
    }
    let error =
        Assets::watch(&running.manager, "static/**").prefix("https://cdn").await.expect_err("no path");
    assert!(error.to_string().contains("\"https://cdn\""), "{error}");
}

#[tokio::test]
async fn a_file_that_is_truncated_and_written_again_ends_as_what_it_is() {
    let (mut running, assets) = watched(Site::new().with("static/app.css", RED)).await;
    for round in 0..20 {
        running.site.write("static/app.css", &format!("{RED}{round}"));
    }
    running.quiet().await;
    let expected = Representation::etag_of(format!("{RED}19").as_bytes());
    until("the last content", || assets.find("app.css").is_some_and(|found| found.etag() == expected)).await;
}

#[test]
fn what_cannot_be_read_keeps_its_last_good_content_until_it_can() {
    child::run(child::NOBODY, "unreadable_body");
}

#[tokio::test]
#[ignore = "run by what_cannot_be_read_keeps_its_last_good_content_until_it_can"]
async fn unreadable_body() {
    if !child::is_this_one() {
        return;
    }
    let (running, assets) = watched(Site::new().with("static/app.css", RED)).await;
    let before = assets.url("app.css");
    let file = running.site.write_elsewhere("app.css", BLUE);
    let set = |path: &str, mode| {
        fs::set_permissions(running.site.path(path), fs::Permissions::from_mode(mode)).expect("set");
    };
    set(&file, 0o000);
    running.site.rename(&file, "static/app.css");
    let _without_patience = running.manager.reload_now().await.expect("runs");
    until("the problem", || !assets.problems().is_empty()).await;
    let problems = assets.problems();
    assert_eq!(problems[0].file, "static/app.css");
    assert!(problems[0].message.contains("cannot be read"), "{}", problems[0]);
    assert_eq!(assets.url("app.css"), before);
    set("static/app.css", 0o644);
    until("the new content", || assets.url("app.css") != before).await;
    until("the end of the problem", || assets.problems().is_empty()).await;
}
