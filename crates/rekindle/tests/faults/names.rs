//! Names of all kinds that a file system allows.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rekindle::{ChangeEvent, ChangeType};
use rekindle_test::{Running, Site};
use rustix::fs::{Mode, OFlags};
use serde_json::json;

/// Every name is deleted once, which is told at the end of the window.
const WINDOW: Duration = Duration::from_millis(200);

/// Names that trip what takes paths for text, lines or short.
fn names() -> Vec<OsString> {
    let bytes: [&[u8]; 8] = [
        b"not\xffutf-8\xfe.css",
        b"two\nlines.css",
        b" blanks at both ends ",
        b"tab\tbell\x07.css",
        b"\"quotes' and \\backslashes\\.css",
        b"glob*[a-z]?{x,y}.css",
        b"-rf",
        &[b'n'; 255],
    ];
    bytes.map(|name| OsStr::from_bytes(name).to_owned()).to_vec()
}

async fn told(running: &mut Running, path: &Path, how: &ChangeType) {
    let path = running.site.root().join(path);
    let told = |event: &ChangeEvent| match event {
        ChangeEvent::FileChanged { path: of, change_type } => *of == path && change_type == how,
        _ => false,
    };
    running.events.until(&format!("{path:?}, {}", how.as_str()), told).await;
}

async fn start(site: Site) -> Running {
    Running::start_with(site, |builder| builder.debounce(WINDOW)).await
}

#[tokio::test]
async fn files_of_any_name_are_told_of_by_that_name() {
    let mut running = start(Site::new()).await;
    let directory = PathBuf::from("static");
    for name in names() {
        lives(&mut running, &directory.join(name)).await;
    }
}

#[tokio::test]
async fn directories_of_any_name_are_watched() {
    let mut running = start(Site::new()).await;
    for name in names() {
        let directory = Path::new("static").join(name);
        std::fs::create_dir(running.site.root().join(&directory)).expect("any name can be made");
        lives(&mut running, &directory.join("x.css")).await;
    }
}

/// Made, written to, and removed.
async fn lives(running: &mut Running, file: &Path) {
    let path = running.site.root().join(file);
    std::fs::write(&path, "1").expect("any name can be made");
    told(running, file, &ChangeType::Created).await;
    std::fs::write(&path, "2").expect("it can be written");
    told(running, file, &ChangeType::Modified).await;
    std::fs::remove_file(&path).expect("it can be removed");
    told(running, file, &ChangeType::Deleted).await;
}

#[tokio::test]
async fn a_rename_that_changes_the_case_alone_is_a_rename() {
    let site = Site::new().with("static/app.css", "1").with("config/app.toml", "value = 1\n");
    let mut running = start(site).await;
    running.site.rename("static/app.css", "static/App.css");
    let from = running.site.path("static/app.css");
    told(&mut running, Path::new("static/App.css"), &ChangeType::Renamed { from }).await;

    running.site.rename("config/app.toml", "config/App.toml");
    assert_eq!(running.events.reloaded("App").await.0, json!({ "value": 1 }));
    running.site.rename("config/App.toml", "config/app.toml");
    running.windows_end().await;
    assert_eq!(running.value("app"), json!({ "value": 1 }));
}

#[tokio::test]
async fn a_configuration_whose_name_is_no_text_harms_no_other() {
    let site = Site::new().with("config/app.toml", "value = 1\n");
    let name = OsStr::from_bytes(b"\xff.toml");
    std::fs::write(site.path("config").join(name), "value = 1\n").expect("any name can be made");
    let mut running = start(site).await;
    std::fs::write(running.site.path("config").join(name), "value = \n").expect("it can be written");
    running.site.replace("config/app.toml", "value = 2\n");
    assert_eq!(running.events.reloaded("app").await.0, json!({ "value": 2 }));
    running.quiet_after_window().await;
}

/// The longest path that the system takes: 4,095 bytes.
#[tokio::test]
async fn a_file_as_deep_as_a_path_can_be_is_watched() {
    let mut running = start(Site::new()).await;
    let mut directory = PathBuf::from("static");
    let step = "d".repeat(200);
    while running.site.root().join(&directory).as_os_str().len() + step.len() + 1 < 4080 {
        directory.push(&step);
    }
    std::fs::create_dir_all(running.site.root().join(&directory)).expect("it can be made");
    lives(&mut running, &directory.join("x.css")).await;
}

/// A directory that no path leads to, made step by step: it is not watched, and harms nothing that is.
#[tokio::test]
async fn directories_deeper_than_a_path_can_be_harm_nobody() {
    let site = Site::new().with("static/x.css", "0");
    let bottom = deeper_than_any_path(&site, 12);
    let mut running = start(site).await;
    running.site.replace("static/x.css", "1");
    running.events.told_of("static/x.css").await;
    let more = rustix::fs::openat(&bottom, "x.css", OFlags::CREATE | OFlags::WRONLY, Mode::RWXU);
    drop(more.expect("it can be made"));
    deeper_than_any_path(&running.site, 14);
    running.site.replace("static/x.css", "2");
    running.events.told_of("static/x.css").await;
    running.quiet_after_window().await;
}

/// Goes down twice as far as a path can lead, and makes what is missing.
fn deeper_than_any_path(site: &Site, letters: u8) -> std::os::fd::OwnedFd {
    let step = String::from(char::from(b'a' + letters)).repeat(250);
    let top = OFlags::DIRECTORY | OFlags::RDONLY;
    let mut directory = rustix::fs::open(site.path("static"), top, Mode::empty()).expect("it is there");
    for _ in 0..32 {
        rustix::fs::mkdirat(&directory, &*step, Mode::RWXU).expect("it is new");
        directory = rustix::fs::openat(&directory, &*step, top, Mode::empty()).expect("it is there");
    }
    directory
}
