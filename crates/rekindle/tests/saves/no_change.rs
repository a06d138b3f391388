//! What changes no content is no reload, and what changes it back leaves the right value. Pain 1.

use std::fs::{self, File, FileTimes, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, SystemTime};

use rekindle::ChangeEvent;
use rekindle_test::{Running, SHORT_WINDOW, Site, program};

use crate::hundred::{BEGINNING, FILE};

const TEMPLATE: &str = "templates/page.html";
const PAGE: &str = "<p>one</p>";

/// An engine whose windows end while the test is there to see it.
async fn started() -> Running {
    let site = Site::new().with(FILE, BEGINNING).with(TEMPLATE, PAGE);
    Running::start_with(site, |builder| builder.debounce(SHORT_WINDOW)).await
}

/// Does it, and waits until all that it could bring about has come about: which has to be nothing.
async fn is_no_change(idle: impl Fn(&Site)) {
    let mut running = started().await;
    let generation = running.manager.snapshot().generation();
    for _ in 0..10 {
        idle(&running.site);
    }
    running.quiet_after_window().await;
    assert_eq!(running.events.story(), [""; 0]);
    // The fence has changed, and nothing else.
    assert_eq!(running.manager.snapshot().generation(), generation + 1);
}

#[tokio::test]
async fn a_touch_is_no_reload() {
    is_no_change(|site| {
        program::run(Command::new("touch").arg(site.path(FILE)).arg(site.path(TEMPLATE)));
    })
    .await;
}

#[tokio::test]
async fn another_time_of_modification_is_no_reload() {
    is_no_change(|site| {
        for file in [FILE, TEMPLATE] {
            let open = File::options().append(true).open(site.path(file)).expect("the file can be opened");
            let earlier = FileTimes::new().set_modified(SystemTime::now() - Duration::from_secs(3600));
            open.set_times(earlier).expect("times can be set");
        }
    })
    .await;
}

#[tokio::test]
async fn a_chmod_is_no_reload() {
    is_no_change(|site| {
        for (file, mode) in [(FILE, 0o600), (FILE, 0o644), (TEMPLATE, 0o600), (TEMPLATE, 0o644)] {
            fs::set_permissions(site.path(file), Permissions::from_mode(mode)).expect("modes can be set");
        }
    })
    .await;
}

#[tokio::test]
async fn the_same_content_in_place_is_no_reload() {
    is_no_change(|site| {
        site.write(FILE, BEGINNING);
        site.write(TEMPLATE, PAGE);
    })
    .await;
}

#[tokio::test]
async fn the_same_content_renamed_into_place_is_no_reload() {
    is_no_change(|site| {
        site.replace(FILE, BEGINNING);
        site.replace(TEMPLATE, PAGE);
    })
    .await;
}

#[tokio::test]
async fn the_same_content_after_a_gap_is_no_reload() {
    is_no_change(|site| {
        for (file, content) in [(FILE, BEGINNING), (TEMPLATE, PAGE)] {
            site.remove(file);
            site.write(file, content);
        }
    })
    .await;
}

#[tokio::test]
async fn reading_is_no_reload() {
    is_no_change(|site| {
        assert_eq!((site.read(FILE), site.read(TEMPLATE)), (BEGINNING.into(), PAGE.into()));
    })
    .await;
}

/// The file has changed, and the value has not: that is told of the file and of nothing else.
#[tokio::test]
async fn another_comment_changes_the_file_and_not_the_configuration() {
    let mut running = started().await;
    let generation = running.manager.snapshot().generation();
    running.site.replace(FILE, &format!("# a comment\n{BEGINNING}"));
    running.quiet_after_window().await;
    assert_eq!(running.events.story(), ["config/app.toml modified"]);
    assert_eq!(running.manager.snapshot().generation(), generation + 1);
}

/// However many of the saves are seen: each change told starts where the last one ended, and the last
/// one ends at what the file holds.
#[tokio::test]
async fn a_value_changed_and_changed_back_ends_as_the_file_does() {
    let mut running = Running::start(Site::new().with(FILE, BEGINNING)).await;
    for _ in 0..100 {
        running.site.replace(FILE, "value = 1\n");
        running.site.replace(FILE, BEGINNING);
        running.site.write(FILE, "value = 2\n");
        running.site.write(FILE, BEGINNING);
    }
    running.quiet().await;
    assert_eq!(running.value("app"), serde_json::json!({ "value": 0 }));
    let mut value = serde_json::json!({ "value": 0 });
    for event in running.events.seen() {
        match event {
            ChangeEvent::ConfigChanged { old_value, new_value, .. } => {
                assert_eq!(*old_value, value, "{:#?}", running.events.story());
                value = new_value.clone();
            }
            ChangeEvent::ValidationFailed { error, .. } => panic!("{error}"),
            _ => {}
        }
    }
    assert_eq!(value, running.value("app"));
}
