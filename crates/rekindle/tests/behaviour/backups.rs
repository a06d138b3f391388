//! Backups hold what was good, with its mode, and come back as a reload like any other.

use serde_json::json;

use crate::site::*;
use rekindle::prelude::*;

fn texts(paths: &[std::path::PathBuf]) -> Vec<String> {
    paths.iter().map(|path| std::fs::read_to_string(path).expect("a readable backup")).collect()
}

#[tokio::test]
async fn each_change_keeps_the_last_good_bytes_and_never_a_bad_one() {
    let site = Site::new(&[("config/app.toml", "x = 0 # zero\n")]);
    let manager = site.builder().backup(true, 3).start().await.expect("an engine");
    let mut events = manager.subscribe();
    for x in 1..=2 {
        site.write("config/app.toml", format!("x = {x}\n"));
        changed(&mut events, "app").await;
    }
    site.write("config/app.toml", "x = \n");
    refused(&mut events, "app").await;
    for x in 3..=4 {
        site.write("config/app.toml", format!("x = {x}\n"));
        changed(&mut events, "app").await;
    }
    let backups = manager.backups("config/app.toml").expect("the backups");
    assert_eq!(texts(&backups), ["x = 1\n", "x = 2\n", "x = 3\n"], "the last three that were good");
    let name = backups[0].file_name().and_then(|name| name.to_str()).expect("a name");
    assert!(name.ends_with("_app.toml") && name.as_bytes()[8] == b'_', "{name}");

    let receipt = manager.restore_backup(&backups[0]).await.expect("a receipt");
    assert!(receipt.refusals().is_empty(), "{receipt:?}");
    assert_eq!(changed(&mut events, "app").await, json!({"x": 1}));
    assert_eq!(std::fs::read_to_string(site.path("config/app.toml")).expect("the file"), "x = 1\n");
}

#[cfg(unix)]
#[tokio::test]
async fn the_mode_is_kept_there_and_back() {
    use std::os::unix::fs::PermissionsExt;
    let site = Site::new(&[("config/app.toml", "key = 'secret'\n")]);
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
    let path = site.path("config/app.toml");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("the mode");
    let ws = site.workspace();
    ws.create_config_backup(&path).await.expect("a backup");
    ws.create_config_backup(std::path::Path::new("config/app.toml"))
        .await
        .expect("another within the second");
    let manager = ws.start_hot_reload().await.expect("a manager");
    let backups = manager.backups(&path).expect("the backups");
    assert_eq!(backups.len(), 2);
    assert!(backups.iter().all(|backup| mode(backup) == 0o600));
    std::fs::remove_file(&path).expect("the file");
    manager.restore_backup(&backups[1]).await.expect("a receipt");
    assert_eq!(mode(&path), 0o600);
}

#[tokio::test]
async fn only_a_backup_can_be_restored_and_only_a_file_of_the_workspace_backed_up() {
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    let manager = site.start().await;
    for path in ["config/app.toml", "/etc/passwd", "data/backups/configs/app.toml"] {
        let error = manager.restore_backup(path).await.expect_err(path);
        assert_eq!(error.kind(), ErrorKind::Backup, "{error}");
    }
    let ws = site.workspace();
    let error = ws.create_config_backup(std::path::Path::new("/etc/hostname")).await.expect_err("outside");
    assert_eq!(error.kind(), ErrorKind::Backup, "{error}");
    let error = ws.create_config_backup(&site.path("config/none.toml")).await.expect_err("missing");
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}
