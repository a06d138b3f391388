//! [`Running`]: a site with an engine on it and a record of all its events.

use rekindle::{ChangeEvent, HotReload, HotReloadBuilder, HotReloadManager, ReloadOutcome};

use crate::{LONG_WINDOW, Recorder, Site};

/// The configuration that marks the end of what a test did. It never shows in the record.
const FENCE: &str = "fence";

/// The file whose deletion marks the end of a window.
const FENCE_FILE: &str = "static/fence.txt";

/// A site, the engine that watches it, and everything that engine has told.
#[derive(Debug)]
pub struct Running {
    /// The engine. First, so that it stops before the site is removed.
    pub manager: HotReloadManager,
    /// What it has told.
    pub events: Recorder,
    /// What it watches.
    pub site: Site,
    fences: u32,
}

impl Running {
    /// Starts an engine with the default options, but for a [`LONG_WINDOW`] and the environment `test`.
    pub async fn start(site: Site) -> Self {
        Self::start_with(site, |builder| builder).await
    }

    /// Starts an engine with options of the test's own over those.
    pub async fn start_with(site: Site, options: impl FnOnce(HotReloadBuilder) -> HotReloadBuilder) -> Self {
        let builder = HotReload::builder(site.root()).debounce(LONG_WINDOW).environment("test");
        let manager = options(builder).start().await.expect("the engine starts");
        let events = Recorder::new(manager.root(), manager.subscribe());
        Self { manager, events, site, fences: 0 }
    }

    /// Waits until the engine has dealt with everything that was done and is finished.
    ///
    /// A save of a file of its own comes last in the queue of notifications, so its reload shows that
    /// everything before it has been taken in and was due with it at the latest. Then `reload_now`,
    /// which waits for what is in flight, has to find that the disk holds what is in use.
    ///
    /// What looks unfinished is not waited for: see [`quiet_after_window`](Self::quiet_after_window).
    pub async fn quiet(&mut self) {
        self.fences += 1;
        self.site.replace(&format!("config/{FENCE}.toml"), &format!("fence = {}\n", self.fences));
        self.events.reloaded(FENCE).await;
        let receipt = self.manager.reload_now().await.expect("the engine runs");
        self.events.drain();
        let fence = self.site.path(&format!("config/{FENCE}.toml"));
        self.events.retain(|event| !is_about(event, FENCE, &fence));
        let story = self.events.story();
        assert!(
            matches!(receipt.outcome, ReloadOutcome::Unchanged),
            "missed until asked: {receipt:?} after {story:#?}"
        );
    }

    /// Waits until the engine has dealt with everything, and every window that was open has ended.
    ///
    /// For engines with a window below [`LIMIT`](crate::LIMIT), which watch `static/` and TOML in `config/`.
    pub async fn quiet_after_window(&mut self) {
        self.windows_end().await;
        self.quiet().await;
    }

    /// Waits until every window that is open has ended. What fell due with the last of them may still
    /// be judged then: `reload_now` waits for that.
    ///
    /// Each path's window runs from its first signal. So when a file that is deleted now is told to
    /// be gone, at the end of its window, all windows from before have ended. For engines with a
    /// window below [`LIMIT`](crate::LIMIT), which watch `static/`.
    pub async fn windows_end(&mut self) {
        self.site.replace(FENCE_FILE, "fence");
        self.events.told_of(FENCE_FILE).await;
        self.site.remove(FENCE_FILE);
        self.events.told_of_deletion(FENCE_FILE).await;
        let fence = self.site.path(FENCE_FILE);
        self.events.retain(|event| !is_about(event, FENCE, &fence));
    }

    /// The value of a configuration in use.
    #[must_use]
    pub fn value(&self, config: &str) -> serde_json::Value {
        self.manager.snapshot().get(config).cloned().unwrap_or_default()
    }
}

fn is_about(event: &ChangeEvent, config: &str, file: &std::path::Path) -> bool {
    match event {
        ChangeEvent::ConfigChanged { config_name, .. } | ChangeEvent::ReloadCompleted { config_name, .. } => {
            config_name == config
        }
        ChangeEvent::FileChanged { path, .. } => path == file,
        _ => false,
    }
}
