//! The specification's own tests and handler, as written there but for their `use` lines.

#![allow(
    clippy::disallowed_methods,
    clippy::uninlined_format_args,
    clippy::redundant_closure_for_method_calls,
    reason = "as the specification has it"
)]

use rekindle::prelude::*;
use rekindle::testing::create_test_workspace_with_structure;
use tokio::time::{Duration, sleep};

#[derive(serde::Deserialize, serde::Serialize, Clone, Debug, PartialEq)]
struct TestConfig {
    name: String,
    value: i32,
}

#[tokio::test]
async fn test_config_hot_reload() {
    let (_temp_dir, ws) = create_test_workspace_with_structure();

    // Create initial config
    let initial_config = TestConfig { name: "initial".to_string(), value: 42 };
    let config_path = ws.config_dir().join("test.json");
    let config_content = serde_json::to_string_pretty(&initial_config).unwrap();
    tokio::fs::write(&config_path, config_content).await.unwrap();

    // Start watching config changes
    let mut config_stream = ws.watch_config_changes::<TestConfig>("test").await.unwrap();
    assert_eq!(config_stream.current().name, "initial");
    assert_eq!(config_stream.current().value, 42);

    // Modify config file
    let updated_config = TestConfig { name: "updated".to_string(), value: 100 };
    tokio::spawn({
        let config_path = config_path.clone();
        async move {
            sleep(Duration::from_millis(100)).await;
            let updated_content = serde_json::to_string_pretty(&updated_config).unwrap();
            tokio::fs::write(&config_path, updated_content).await.unwrap();
        }
    });

    // Wait for configuration update
    let new_config = tokio::time::timeout(Duration::from_secs(5), config_stream.next())
        .await
        .expect("Timeout waiting for config update")
        .expect("Config stream closed");
    assert_eq!(new_config.name, "updated");
    assert_eq!(new_config.value, 100);
}

#[tokio::test]
async fn test_hot_reload_manager() {
    let (_temp_dir, ws) = create_test_workspace_with_structure();
    let hot_reload_config = HotReloadConfig {
        watch_patterns: vec!["config/**/*.json".to_string()],
        debounce_ms: 100,
        validate_before_reload: false,
        backup_on_change: false,
        exclude_patterns: vec!["**/*.tmp".to_string()],
    };
    let _manager = ws.start_hot_reload_with_config(hot_reload_config).await.unwrap();

    // Create and modify a config file
    let config_path = ws.config_dir().join("app.json");
    let config_content = r#"{"name": "test_app", "version": "1.0.0"}"#;
    tokio::fs::write(&config_path, config_content).await.unwrap();

    // Give some time for the file watcher to detect the change
    sleep(Duration::from_millis(200)).await;

    // Modify the file
    let updated_content = r#"{"name": "test_app", "version": "2.0.0"}"#;
    tokio::fs::write(&config_path, updated_content).await.unwrap();

    // Give some time for the change to be processed
    sleep(Duration::from_millis(300)).await;

    // Test passed if no panics occurred
}

#[tokio::test]
async fn test_config_backup() {
    let (_temp_dir, ws) = create_test_workspace_with_structure();

    // Create initial config
    let config_path = ws.config_dir().join("backup_test.toml");
    let config_content = r#"name = "backup_test""#;
    tokio::fs::write(&config_path, config_content).await.unwrap();

    // Create backup
    ws.create_config_backup(&config_path).await.unwrap();

    // Check that backup was created
    let backup_dir = ws.data_dir().join("backups").join("configs");
    assert!(backup_dir.exists());
    let backup_files: Vec<_> = std::fs::read_dir(backup_dir)
        .unwrap()
        .filter_map(|entry| entry.ok())
        .filter(|entry| entry.file_name().to_string_lossy().contains("backup_test.toml"))
        .collect();
    assert!(!backup_files.is_empty(), "Backup file should have been created");
}

/// The specification's custom handler.
#[allow(dead_code, reason = "as the specification has it")]
struct WebServerReloadHandler {
    server_url: String,
}

#[async_trait::async_trait]
impl ReloadHandler for WebServerReloadHandler {
    async fn handle_change(&self, event: ChangeEvent) -> Result<()> {
        match event {
            ChangeEvent::ConfigChanged { config_name, .. } => {
                println!("Notifying web server to reload config: {}", config_name);
            }
            ChangeEvent::FileChanged { path, .. } if path.to_string_lossy().contains("static") => {
                println!("Notifying web server about asset change: {}", path.display());
            }
            _ => {}
        }
        Ok(())
    }

    fn can_handle(&self, event: &ChangeEvent) -> bool {
        matches!(event, ChangeEvent::ConfigChanged { .. } | ChangeEvent::FileChanged { .. })
    }
}

#[tokio::test]
async fn the_handler_fits_in_a_box_and_can_be_called_by_hand() {
    let handler: Box<dyn ReloadHandler> = Box::new(WebServerReloadHandler { server_url: String::new() });
    let event = ChangeEvent::FileChanged { path: "static/a.css".into(), change_type: ChangeType::Modified };
    assert!(handler.can_handle(&event));
    handler.handle_change(event).await.unwrap();
}

/// The specification's signatures, written out: whoever relied on them still compiles.
#[allow(dead_code, clippy::unused_async, unused_qualifications, reason = "compiled as written, not run")]
mod signatures {
    use std::path::PathBuf;
    use std::time::Duration;

    use rekindle::prelude::*;

    #[derive(serde::Deserialize, Clone, Debug)]
    struct AppConfig {}

    /// The README's program.
    async fn readme() -> Result<(), Box<dyn std::error::Error>> {
        let ws = workspace()?;
        let _manager = ws.start_hot_reload().await?;
        let mut config_stream = ws.watch_config_changes::<AppConfig>("app").await?;
        while let Some(new_config) = config_stream.next().await {
            println!("Configuration updated: {:?}", new_config);
        }
        Ok(())
    }

    async fn generic<T>(ws: &Workspace, name: &str) -> Result<ConfigStream<T>>
    where
        T: serde::de::DeserializeOwned + Send + Clone + 'static,
    {
        let stream = ws.watch_config_changes::<T>(name).await?;
        let _receiver: tokio::sync::broadcast::Receiver<T> = stream.subscribe();
        let _current: &T = stream.current();
        Ok(stream)
    }

    fn register<F>(ws: &Workspace, pattern: &str, handler: F) -> Result<()>
    where
        F: Fn(ChangeEvent) -> Result<()> + Send + Sync + 'static,
    {
        ws.register_reload_handler(pattern, handler)
    }

    async fn manager(mut manager: HotReloadManager, handler: super::WebServerReloadHandler) -> Result<()> {
        manager.register_handler(handler);
        manager = manager.clone();
        manager.shutdown().await
    }

    async fn watcher(paths: Vec<PathBuf>) -> Result<tokio::sync::broadcast::Receiver<ChangeEvent>> {
        let watcher = FileWatcher::new(paths, Duration::from_millis(500)).await?;
        Ok(watcher.subscribe())
    }

    /// The server example's way of merging, with the path it is written with there.
    struct ServerConfig {
        host: String,
    }

    impl workspace_tools::ConfigMerge for ServerConfig {
        fn merge(self, other: Self) -> Self {
            Self { host: other.host }
        }
    }
}

/// Which types may cross threads: what programs rely on when they spawn.
#[test]
fn auto_traits() {
    fn send_and_sync<T: Send + Sync>() {}
    fn send<T: Send>(_: &T) {}
    send_and_sync::<HotReloadManager>();
    send_and_sync::<Live<String>>();
    send_and_sync::<ConfigStream<String>>();
    send_and_sync::<Snapshot>();
    send_and_sync::<Status>();
    send_and_sync::<Error>();
    send_and_sync::<ChangeEvent>();
    send_and_sync::<FileWatcher>();
    send(&Workspace::new("/").start_hot_reload());
    send(&Workspace::new("/").watch_config_changes::<std::cell::Cell<u8>>("app"));
}
