//! Handlers: registered anywhere, before or after the start; their failures harm nobody else.

use std::time::Duration;

use serde_json::json;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::site::*;
use rekindle::prelude::*;

async fn next(received: &mut UnboundedReceiver<ChangeEvent>) -> ChangeEvent {
    soon("a call", received.recv()).await.expect("the handler lives")
}

fn names(event: &ChangeEvent) -> &str {
    match event {
        ChangeEvent::ConfigChanged { config_name, .. } => config_name,
        other => panic!("not a change: {other:?}"),
    }
}

#[tokio::test]
async fn before_and_after_the_start_on_workspace_and_manager_all_fire() {
    let site = Site::new(&[("config/app.toml", "x = 0\n")]);
    let ws = site.workspace();
    let (sender, mut early) = unbounded_channel();
    ws.register_reload_handler("config/*.toml", move |event| Ok(sender.send(event)?)).expect("a pattern");
    let manager = ws.start_hot_reload().await.expect("a manager");
    let (sender, mut late) = unbounded_channel();
    ws.register_reload_handler("config/**", move |event| Ok(sender.send(event)?)).expect("a pattern");
    let (sender, mut on_manager) = unbounded_channel();
    let boxed: Box<dyn ReloadHandler> = Box::new(Named("app", sender));
    manager.register_handler(boxed);
    let (sender, mut elsewhere) = unbounded_channel();
    ws.register_reload_handler("static/**", move |event| Ok(sender.send(event)?)).expect("a pattern");

    site.write("config/app.toml", "x = 1\n");
    assert_eq!(names(&next(&mut early).await), "app");
    assert_eq!(names(&next(&mut late).await), "app");
    assert_eq!(names(&next(&mut on_manager).await), "app");
    site.write("static/a.css", "a {}");
    match next(&mut elsewhere).await {
        ChangeEvent::FileChanged { path, change_type: ChangeType::Created } => {
            assert_eq!(path, site.path("static/a.css"));
        }
        other => panic!("{other:?}"),
    }
    site.write("config/app.toml", "x = 2\n");
    match next(&mut early).await {
        ChangeEvent::ConfigChanged { old_value, new_value, changed, .. } => {
            assert_eq!(
                (old_value, new_value, changed),
                (json!({"x": 1}), json!({"x": 2}), vec!["/x".to_owned()])
            );
        }
        other => panic!("one call per change: {other:?}"),
    }
}

/// A handler as the specification writes them.
struct Named(&'static str, UnboundedSender<ChangeEvent>);

#[async_trait::async_trait]
impl ReloadHandler for Named {
    async fn handle_change(&self, event: ChangeEvent) -> Result<()> {
        tokio::task::yield_now().await;
        self.1.send(event)?;
        Ok(())
    }

    fn can_handle(&self, event: &ChangeEvent) -> bool {
        matches!(event, ChangeEvent::ConfigChanged { config_name, .. } if config_name == self.0)
    }
}

fn failure(event: &ChangeEvent) -> Option<(String, String)> {
    match event {
        ChangeEvent::HandlerFailed { handler, error } => Some((handler.clone(), error.clone())),
        _ => None,
    }
}

#[tokio::test]
async fn errors_panics_and_overruns_are_reported_and_harm_no_other() {
    let site = Site::new(&[("config/app.toml", "x = 0\n")]);
    let manager = site.builder().time_limit(Duration::from_secs(2)).start().await.expect("an engine");
    let mut events = manager.subscribe();
    let (sender, mut good) = unbounded_channel();
    manager.register_handler_for("config/app.toml", |_: ChangeEvent| Err("no".into())).expect("a pattern");
    manager.register_handler_for("config/app.*", |_: ChangeEvent| panic!("oh")).expect("a pattern");
    manager.register_handler(Hangs);
    manager.register_handler(Named("app", sender));
    for x in 1..=2 {
        site.write("config/app.toml", format!("x = {x}\n"));
        assert_eq!(names(&next(&mut good).await), "app");
        let mut failures = Vec::new();
        while failures.len() < 3 {
            failures.push(event(&mut events, "a failure", failure).await);
        }
        failures.sort();
        let said: Vec<&str> = failures.iter().map(|(_, error)| error.as_str()).collect();
        assert_eq!(failures[0].0, "behaviour::handlers::Hangs");
        assert_eq!(said, ["it took longer than its limit of 2s", "it panicked: oh", "no"]);
    }
    assert_eq!(manager.status().handler_failures, 6);
}

struct Hangs;

#[async_trait::async_trait]
impl ReloadHandler for Hangs {
    async fn handle_change(&self, _event: ChangeEvent) -> Result<()> {
        std::future::pending().await
    }

    fn can_handle(&self, event: &ChangeEvent) -> bool {
        matches!(event, ChangeEvent::ConfigChanged { .. })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_may_call_back() {
    let site = Site::new(&[("config/app.toml", "x = 0\n")]);
    let manager = site.start().await;
    let (sender, mut receipts) = unbounded_channel();
    manager.register_handler(Reloads(manager.clone(), sender));
    site.write("config/app.toml", "x = 1\n");
    let receipt = soon("the receipt", receipts.recv()).await.expect("the handler lives");
    assert!(matches!(receipt.outcome, ReloadOutcome::Unchanged), "{receipt:?}");
    assert_eq!(receipt.generation, 2);
}

struct Reloads(HotReloadManager, UnboundedSender<Receipt>);

#[async_trait::async_trait]
impl ReloadHandler for Reloads {
    async fn handle_change(&self, _event: ChangeEvent) -> Result<()> {
        self.0.register_handler(|_: ChangeEvent| Ok(()));
        let receipt = self.0.reload_now().await?;
        self.1.send(receipt)?;
        Ok(())
    }

    fn can_handle(&self, event: &ChangeEvent) -> bool {
        matches!(event, ChangeEvent::ConfigChanged { .. })
    }
}

#[test]
fn handlers_and_streams_work_without_a_tokio_runtime_of_the_programs() {
    // Any executor will do: this one only parks the thread.
    let site = Site::new(&[("config/app.toml", "x = 0\n")]);
    let (sender, received) = std::sync::mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let keep = block_on(async {
        let manager = site.start().await;
        let mut values = manager.watch::<serde_json::Value>("app").await.expect("a stream");
        manager.register_handler(move |event: ChangeEvent| Ok(sender.lock()?.send(event)?));
        site.write("config/app.toml", "x = 1\n");
        assert_eq!(values.next().await, Some(json!({"x": 1})));
        manager
    });
    let event = received.recv_timeout(Duration::from_secs(30)).expect("a call");
    assert!(matches!(event, ChangeEvent::FileChanged { .. }), "{event:?}");
    drop(keep);
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::sync::Arc::new(Unpark(std::thread::current())).into();
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut std::task::Context::from_waker(&waker)) {
            std::task::Poll::Ready(value) => return value,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}

#[tokio::test]
async fn files_beyond_the_watch_patterns_are_watched_for_their_handlers() {
    let site = Site::new(&[("locales/de.ftl", "a"), ("assets/.hidden/x.css", "x")]);
    let ws = site.workspace();
    let (sender, mut received) = unbounded_channel();
    let early = sender.clone();
    ws.register_reload_handler("locales/*.ftl", move |event| Ok(early.send(event)?)).expect("a pattern");
    let manager = ws.start_hot_reload().await.expect("a manager");
    let (late, later) = (sender.clone(), sender);
    ws.register_reload_handler("assets/**", move |event| Ok(late.send(event)?)).expect("a pattern");
    manager
        .register_handler_for("config/*.yml", move |event: ChangeEvent| Ok(later.send(event)?))
        .expect("a pattern");

    site.write("locales/de.ftl", "b");
    assert!(matches!(
        next(&mut received).await,
        ChangeEvent::FileChanged { change_type: ChangeType::Modified, .. }
    ));
    site.write("assets/.hidden/x.css", "y");
    site.write("assets/deep/er/a.css", "a");
    match next(&mut received).await {
        ChangeEvent::FileChanged { path, .. } => {
            assert_eq!(path, site.path("assets/deep/er/a.css"), "no excluded one");
        }
        other => panic!("{other:?}"),
    }
    site.write("config/app.yml", "x: 1");
    assert_eq!(names(&next(&mut received).await), "app");
}

#[derive(Clone, Debug, serde::Deserialize)]
struct Counted {
    #[serde(rename = "x")]
    _x: u32,
}

impl ConfigMerge for Counted {
    fn merge(self, other: Self) -> Self {
        other
    }
}

/// Both configurations are judged as one, and a handler of one of them has nothing to do with the other.
#[tokio::test]
async fn a_pattern_handler_is_called_for_its_own_file_of_those_that_are_saved_together() {
    let site = Site::new(&[("config/a.toml", "x = 1\n"), ("config/b.toml", "x = 1\n")]);
    // Long: a loaded machine may hold the saver up between the two.
    let manager = site.builder().settle(Duration::from_millis(500)).start().await.expect("an engine");
    let _together = manager.watch_layered::<Counted>(&["a", "b"]).await.expect("a stream");
    let ((own, mut of_b), (all, mut of_both)) = (unbounded_channel(), unbounded_channel());
    let handler = move |event: ChangeEvent| Ok(own.send(event)?);
    manager.register_handler_for("config/b.toml", handler).expect("a pattern");
    let handler = move |event: ChangeEvent| Ok(all.send(event)?);
    manager.register_handler_for("config/*.toml", handler).expect("a pattern");
    for x in 2..5 {
        site.write("config/a.toml", format!("x = {x}\n"));
        site.write("config/b.toml", format!("x = {x}\n"));
        let mut both =
            [next(&mut of_both).await, next(&mut of_both).await].map(|event| names(&event).to_owned());
        both.sort();
        assert_eq!(both, ["a", "b"], "each of them once");
        assert_eq!(names(&next(&mut of_b).await), "b");
    }
    site.write("config/c.toml", "x = 1\n");
    assert_eq!(names(&next(&mut of_both).await), "c", "no call more for the others");
    assert!(of_b.try_recv().is_err(), "no call for the other file");
}

#[tokio::test]
async fn a_pattern_handler_is_called_once_for_each_file_of_a_batch() {
    let site = Site::new(&[]);
    let manager = site.builder().settle(Duration::from_millis(500)).start().await.expect("an engine");
    let (sender, mut received) = unbounded_channel();
    let handler = move |event: ChangeEvent| Ok(sender.send(event)?);
    manager.register_handler_for("static/*.css", handler).expect("a pattern");
    let files = ["a", "b", "c"].map(|name| site.path(&format!("static/{name}.css")));
    for change in [ChangeType::Created, ChangeType::Modified] {
        for name in ["a", "b", "c"] {
            site.write(&format!("static/{name}.css"), change.as_str());
        }
        site.write("static/d.js", change.as_str());
        let mut told = Vec::new();
        for _ in &files {
            match next(&mut received).await {
                ChangeEvent::FileChanged { path, change_type } if change_type == change => told.push(path),
                other => panic!("{other:?}"),
            }
        }
        told.sort();
        assert_eq!(told, files);
    }
    assert!(received.try_recv().is_err(), "one call more");
}

fn saved(event: ChangeEvent) -> (std::path::PathBuf, ChangeType) {
    match event {
        ChangeEvent::FileChanged { path, change_type } => (path, change_type),
        other => panic!("not a file: {other:?}"),
    }
}

/// Who reads the files may have read what came and went in between: that there is no change is then news.
#[tokio::test]
async fn a_handler_can_hear_of_every_write_also_of_one_that_changes_nothing() {
    let site = Site::new(&[("static/a.css", "same")]);
    let manager = site.builder().settle(Duration::from_millis(500)).start().await.expect("an engine");
    let (sender, mut every) = unbounded_channel();
    let handler = Registration::new(move |event: ChangeEvent| Ok(sender.send(event)?));
    manager.register(handler.files("static/*.css").every_write()).expect("a pattern");
    let (sender, mut changes) = unbounded_channel();
    let handler = move |event: ChangeEvent| Ok(sender.send(event)?);
    manager.register_handler_for("static/*.css", handler).expect("a pattern");

    site.write("static/a.css", "same");
    assert_eq!(saved(next(&mut every).await), (site.path("static/a.css"), ChangeType::Modified));
    site.write("static/b.css", "gone at once");
    site.remove("static/b.css");
    assert_eq!(saved(next(&mut every).await), (site.path("static/b.css"), ChangeType::Deleted));
    site.write("static/c.css", "new");
    assert_eq!(saved(next(&mut every).await), (site.path("static/c.css"), ChangeType::Created));
    assert_eq!(
        saved(next(&mut changes).await).0,
        site.path("static/c.css"),
        "the others hear of changes only"
    );
}

#[tokio::test]
async fn every_write_of_no_file_in_particular_is_refused() {
    let site = Site::new(&[]);
    let manager = site.start().await;
    let error =
        manager.register(Registration::new(|_: ChangeEvent| Ok(())).every_write()).expect_err("no files");
    assert_eq!(error.kind(), ErrorKind::Pattern);
    assert!(error.to_string().contains("`every_write`"), "{error}");
}
