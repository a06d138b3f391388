//! Names that leave, files that are too much, and things in a file's place.

use std::time::Duration;

use serde_json::json;

use crate::site::*;
use rekindle::prelude::*;

#[tokio::test]
async fn names_that_leave_the_configuration_directory_are_refused() {
    let site = Site::new(&[("secret.toml", "x = 1\n")]);
    for name in ["../secret", "/etc/passwd", "a\0b", "", "a/../../secret"] {
        let error = site.workspace().watch_config_changes::<serde_json::Value>(name).await.expect_err(name);
        assert_eq!(error.kind(), ErrorKind::Name, "{error}");
    }
    let error =
        site.workspace().watch_config_changes::<serde_json::Value>("nowhere").await.expect_err("nowhere");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("config/nowhere.{toml"), "{error}");
}

#[tokio::test]
async fn a_bad_pattern_is_an_error_at_the_start_that_names_it() {
    let site = Site::new(&[]);
    for pattern in ["config/[", "../**/*.toml", "/etc/*.toml"] {
        let config = HotReloadConfig { watch_patterns: vec![pattern.into()], ..Default::default() };
        let error = site.workspace().start_hot_reload_with_config(config).await.expect_err(pattern);
        assert_eq!(error.kind(), ErrorKind::Pattern);
        assert!(error.to_string().contains(pattern), "{error}");
        let error = site.workspace().register_reload_handler(pattern, |_| Ok(())).expect_err(pattern);
        assert!(error.to_string().contains(pattern), "{error}");
    }
}

#[tokio::test]
async fn too_wide_and_missing_roots_are_refused() {
    let error = HotReload::builder("/").start().await.expect_err("the root of everything");
    assert_eq!(error.kind(), ErrorKind::Root);
    assert!(error.to_string().contains("allow_any_root"), "{error}");
    let site = Site::new(&[("file", "")]);
    for root in [site.path("missing"), site.path("file")] {
        let error = HotReload::builder(&root).start().await.expect_err("no directory");
        assert_eq!(error.kind(), ErrorKind::Root, "{error}");
    }
}

/// Each is reported at once, although the window is long, and the good value stays.
#[tokio::test]
async fn what_no_writer_could_mend_is_reported_at_once() {
    let site = Site::new(&[("config/app.yaml", "x: 1\n")]);
    let manager = site
        .builder()
        .max_file_size(100_000)
        .debounce(Duration::from_secs(3600))
        .start()
        .await
        .expect("an engine");
    let mut events = manager.subscribe();

    let bomb = (0..9).fold("a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned(), |text, n| {
        let next = n + 1;
        let list = vec![format!("*a{n}"); 9].join(", ");
        text + &format!("a{next}: &a{next} [{list}]\n")
    });
    let cases: [(&str, Vec<u8>, &str); 5] = [
        ("too large", format!("x: {}\n", "y".repeat(100_000)).into_bytes(), "bytes, and 100000 are allowed"),
        ("too deep", format!("x: {}{}\n", "[".repeat(200), "]".repeat(200)).into_bytes(), "128"),
        ("an alias bomb", bomb.into_bytes(), "alias"),
        ("not UTF-8", b"x: \xff\xfe\n".to_vec(), "not UTF-8"),
        ("a list", b"- 1\n".to_vec(), "table"),
    ];
    for (what, content, expected) in cases {
        site.write("config/app.yaml", content);
        let (error, path, ..) = refused(&mut events, "app").await;
        assert!(error.contains(expected), "{what}: {error}");
        assert_eq!(path, Some(site.path("config/app.yaml")), "{what}");
        assert_eq!(manager.snapshot().get("app"), Some(&json!({"x": 1})), "{what}");
    }

    site.remove("config/app.yaml");
    std::fs::create_dir(site.path("config/app.yaml")).expect("a directory in a file's place");
    let (error, ..) = refused(&mut events, "app").await;
    assert!(error.contains("no regular file"), "{error}");
    std::fs::remove_dir(site.path("config/app.yaml")).expect("it is empty");
    let made = std::process::Command::new("mkfifo").arg(site.path("config/app.yaml")).status();
    assert!(made.expect("mkfifo is there").success());
    site.write("config/other.yaml", "x: 1\n");
    assert_eq!(changed(&mut events, "other").await, json!({"x": 1}), "the FIFO holds nobody up");
    let error =
        manager.status().failures().find(|(name, _)| *name == "app").map(|(_, error)| error.to_string());
    assert!(error.is_some_and(|error| error.contains("no regular file")));

    site.remove("config/app.yaml");
    site.write("config/app.yaml", "x: 2\n");
    assert_eq!(changed(&mut events, "app").await, json!({"x": 2}));
}

/// Root may read what nobody else may; `/proc/self/mem` cannot be read from its start by anybody.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_that_cannot_be_read_is_not_a_deleted_one() {
    let site = Site::new(&[("config/app.toml", "x = 1\n"), ("config/app.local.toml", "y = 1\n")]);
    let manager = site.builder().debounce(Duration::from_millis(50)).start().await.expect("an engine");
    let mut events = manager.subscribe();
    let (link, path) = (site.path("link"), site.path("config/app.toml"));
    std::os::unix::fs::symlink("/proc/self/mem", &link).expect("a link");
    std::fs::rename(&link, &path).expect("in its place");
    let (error, at, ..) = refused(&mut events, "app").await;
    assert!(error.contains("cannot read the file"), "{error}");
    assert_eq!(at, Some(path.clone()));
    assert_eq!(
        manager.snapshot().get("app"),
        Some(&json!({"x": 1, "y": 1})),
        "not what the other layer says alone"
    );
    std::fs::remove_file(&path).expect("the link");
    site.write("config/app.toml", "x = 1\n");
    recovered(&mut events, "app").await;
}

#[tokio::test]
async fn waits_beyond_the_clocks_end_are_a_day() {
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    let config = HotReloadConfig { debounce_ms: u64::MAX, ..Default::default() };
    let forever = Duration::MAX;
    let manager = site.builder().config(config).time_limit(forever).start().await.expect("an engine");
    let mut events = manager.subscribe();
    site.write("config/app.toml", "x = \n");
    site.write("config/app.toml", "x = 2\n");
    assert_eq!(changed(&mut events, "app").await, json!({"x": 2}));
    let watcher = FileWatcher::new(vec![site.root().to_path_buf()], forever).await.expect("a watcher");
    let mut files = watcher.subscribe();
    site.write("a.txt", "a");
    assert!(matches!(soon("the file", files.recv()).await, Ok(ChangeEvent::FileChanged { .. })));
}

#[tokio::test]
async fn no_patience_at_all_still_works() {
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    let quiet = Duration::ZERO;
    let manager = site.builder().debounce(quiet).settle(quiet).start().await.expect("an engine");
    let mut events = manager.subscribe();
    site.write("config/app.toml", "x = 2\n");
    assert_eq!(changed(&mut events, "app").await, json!({"x": 2}));
}
