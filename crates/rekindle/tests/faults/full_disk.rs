//! A disk that is full: a save that gets half-way, and backups that find no room.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::Path;

use rekindle::ChangeEvent;
use rekindle_test::{Running, SHORT_WINDOW, Site, child};

const FILE: &str = "config/app.toml";

/// Makes a small disk of a directory and has temporary files on it.
const ON_A_SMALL_DISK: &str =
    r#"mount -t tmpfs -o size=1m tmpfs "$DISK" && export TMPDIR="$DISK" && exec "$@""#;

#[test]
fn a_full_disk_costs_no_good_value_and_its_backups_fail_aloud() {
    let disk = tempfile::tempdir().expect("a place to mount it");
    let disk = format!("DISK={}", disk.path().display());
    let wrapper = [child::MOUNTS, &["env", &disk, "sh", "-c", ON_A_SMALL_DISK, "sh"]].concat();
    child::run(&wrapper, "full_disk::body");
}

#[test]
#[ignore = "runs in a mount namespace of its own, started by the test above"]
fn body() {
    if child::is_this_one() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime can be built").block_on(on_a_full_disk());
    }
}

/// Larger than a page: on a full disk there is room for the first part of it.
fn content(n: u32) -> String {
    format!("value = {{ n = {n}, text = \"{}\" }}\n", "x".repeat(20_000))
}

async fn on_a_full_disk() {
    let site = Site::new().with(FILE, &content(0));
    let options = |builder: rekindle::HotReloadBuilder| builder.debounce(SHORT_WINDOW).backup(true, 20);
    let mut running = Running::start_with(site, options).await;
    let filler = running.site.path("elsewhere/filler");

    fill(&filler);
    let failed = fs::write(running.site.path(FILE), content(1) + &content(0)).expect_err("it is full");
    assert_eq!(failed.kind(), ErrorKind::StorageFull);
    let refused = |event: &ChangeEvent| matches!(event, ChangeEvent::ValidationFailed { .. });
    running.events.until("the refusal of what was written", refused).await;
    assert_eq!(running.value("app")["value"]["n"], 0, "the last good value");

    running.site.write(FILE, "value = { n = 2 }\n");
    fill(&filler);
    let backup_failed = |event: &ChangeEvent| matches!(event, ChangeEvent::BackupFailed { .. });
    running.events.until("the failed backup", backup_failed).await;

    fs::remove_file(&filler).expect("it is there");
    running.site.replace(FILE, &content(3));
    let changed = |event: &ChangeEvent| match event {
        ChangeEvent::ConfigChanged { new_value, .. } => new_value["value"]["n"] == 3,
        _ => false,
    };
    running.events.until("the save after there is room again", changed).await;
    running.quiet_after_window().await;
    assert!(!running.manager.status().is_degraded());
    let failed = running.events.story().iter().filter(|line| line.contains("BackupFailed")).count();
    assert_eq!(failed, 1, "{:#?}", running.events.story());
    assert_eq!(running.manager.backups(FILE).expect("it is below the root").len(), 1);
}

/// Leaves not a byte of room.
fn fill(file: &Path) {
    let mut file = File::options().create(true).append(true).open(file).expect("no room is needed for that");
    while file.write_all(&[0; 4096]).is_ok() {}
}
