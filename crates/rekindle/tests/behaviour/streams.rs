//! Streams, receivers and live handles.

use std::time::Duration;

use serde_json::{Value, json};

use crate::site::*;
use rekindle::prelude::*;

#[tokio::test]
async fn a_slow_reader_skips_to_the_newest_value() {
    let site = Site::new(&[("config/app.toml", "x = 0\n")]);
    let manager = site.start().await;
    let mut values = manager.watch::<Value>("app").await.expect("a stream");
    let mut events = manager.subscribe();
    for x in 1..=40 {
        site.write("config/app.toml", format!("x = {x}\n"));
        assert_eq!(changed(&mut events, "app").await, json!({"x": x}));
    }
    assert_eq!(soon("the newest", values.next()).await, Some(json!({"x": 40})));
    assert_eq!(values.current(), &json!({"x": 40}));
}

#[tokio::test]
async fn receivers_get_every_value_and_lag_without_ending() {
    let site = Site::new(&[("config/app.toml", "x = 0\n")]);
    let manager = site.start().await;
    // The stream itself is dropped at once: the receiver keeps its topic alive.
    let mut receiver = manager.watch::<Value>("app").await.expect("a stream").subscribe();
    let mut events = manager.subscribe();
    for x in 1..=20 {
        site.write("config/app.toml", format!("x = {x}\n"));
        changed(&mut events, "app").await;
    }
    assert!(matches!(receiver.recv().await, Err(tokio::sync::broadcast::error::RecvError::Lagged(4))));
    for x in 5..=20 {
        assert_eq!(receiver.recv().await.expect("a value"), json!({"x": x}));
    }
}

#[tokio::test]
async fn a_stream_is_a_stream() {
    use futures_core::Stream;
    let site = Site::new(&[("config/app.toml", "x = 0\n")]);
    let mut values = site.start().await.watch::<Value>("app").await.expect("a stream");
    site.write("config/app.toml", "x = 1\n");
    let next = std::future::poll_fn(|context| std::pin::Pin::new(&mut values).poll_next(context));
    assert_eq!(soon("a value", next).await, Some(json!({"x": 1})));
}

#[tokio::test]
async fn live_handles_of_one_type_share_a_value_that_is_never_older_than_the_last_event() {
    let site = Site::new(&[("config/app.toml", "x = 0\n")]);
    let manager = site.start().await;
    let stream = manager.watch::<Value>("app").await.expect("a stream");
    let first = stream.live();
    let mut events = manager.subscribe();
    site.write("config/app.toml", "x = 1\n");
    changed(&mut events, "app").await;
    let second = stream.live();
    let mut cached = second.cached();
    assert_eq!(
        (&first.load()["x"], &second.load()["x"], &cached.load()["x"]),
        (&json!(1), &json!(1), &json!(1))
    );
    drop(stream);
    site.write("config/app.toml", "x = 2\n");
    changed(&mut events, "app").await;
    assert_eq!(
        (&first.load()["x"], &cached.load()["x"]),
        (&json!(2), &json!(2)),
        "a handle outlives its stream"
    );
}

#[tokio::test]
async fn a_type_that_is_not_sync_can_be_streamed() {
    #[derive(Clone, serde::Deserialize)]
    struct Counter {
        x: std::cell::Cell<u32>,
    }
    let site = Site::new(&[("config/app.toml", "x = 0\n")]);
    let mut values = site.workspace().watch_config_changes::<Counter>("app").await.expect("a stream");
    site.write("config/app.toml", "x = 5\n");
    assert_eq!(soon("a value", values.next()).await.map(|value| value.x.get()), Some(5));
}

#[tokio::test]
async fn streams_end_only_after_a_shutdown_which_takes_less_than_a_hanging_handler() {
    let site = Site::new(&[("config/app.toml", "x = 0\n")]);
    let manager = site.start().await;
    let mut values = manager.watch::<Value>("app").await.expect("a stream");
    let mut receiver = values.subscribe();
    let live = values.live();
    let mut events = manager.subscribe();
    let (entered, mut entries) = tokio::sync::mpsc::unbounded_channel();
    let (release, gate) = std::sync::mpsc::channel::<()>();
    let gate = std::sync::Mutex::new(gate);
    manager.register_handler(move |_event: ChangeEvent| {
        entered.send(())?;
        Ok(gate.lock()?.recv()?)
    });
    site.write("config/app.toml", "x = 1\n");
    soon("the handler", entries.recv()).await;
    changed(&mut events, "app").await;
    soon("the shutdown", manager.shutdown()).await.expect("a clean end");
    assert_eq!(values.next().await, Some(json!({"x": 1})));
    assert_eq!(values.next().await, None);
    assert_eq!(receiver.recv().await.expect("the last value"), json!({"x": 1}));
    assert!(receiver.recv().await.is_err());
    assert_eq!(live.load()["x"], 1, "the last value stays");
    let rest = so_far(&mut events);
    assert!(rest.len() < 5 && events.recv().await.is_err(), "the bus is closed");
    drop(release);
}

#[tokio::test]
async fn a_change_made_just_before_the_shutdown_is_finished() {
    let site = Site::new(&[("config/app.toml", "x = 0\n")]);
    let manager = site.start().await;
    let mut values = manager.watch::<Value>("app").await.expect("a stream");
    site.write("config/app.toml", "x = 1\n");
    manager.shutdown().await.expect("a clean end");
    assert_eq!(values.next().await, Some(json!({"x": 1})));
}

#[tokio::test]
async fn reload_now_tells_what_came_of_it() {
    let site = Site::new(&[("config/app.toml", "x = 0\n"), ("config/other.toml", "y = 0\n")]);
    // Polling once an hour: nothing happens unless it is asked for.
    let manager = site.builder().poll(Duration::from_secs(3600)).start().await.expect("an engine");
    let receipt = manager.reload_now().await.expect("an answer");
    assert!(matches!(receipt.outcome, ReloadOutcome::Unchanged), "{receipt:?}");
    assert_eq!((receipt.generation, receipt.trigger), (1, Trigger::Reload));
    site.write("config/app.toml", "x = 1\n");
    site.write("config/new.toml", "z = 1\n");
    let receipt = manager.reload_now().await.expect("an answer");
    assert!(receipt.is_applied() && receipt.generation == 2, "{receipt:?}");
    assert_eq!(receipt.applied(), ["app", "new"]);
    site.write("config/app.toml", "x = \n");
    site.write("config/other.toml", "y = 1\n");
    let receipt = manager.reload_now().await.expect("an answer");
    assert_eq!((receipt.generation, receipt.applied()), (3, ["other".to_owned()].as_slice()));
    let [refusal] = receipt.refusals() else { panic!("{receipt:?}") };
    assert_eq!(
        (refusal.config.as_str(), refusal.by.as_str(), refusal.error.line()),
        ("app", "syntax", Some(1))
    );
    let engine = manager.clone();
    manager.shutdown().await.expect("a clean end");
    assert_eq!(engine.reload_now().await.expect_err("it is over").kind(), ErrorKind::Stopped);
}

#[tokio::test]
async fn reload_now_waits_for_a_file_that_is_being_written() {
    use std::io::Write;
    let site = Site::new(&[("config/app.toml", "x = 0\ny = 0\n")]);
    let manager = site.start().await;
    let mut events = manager.subscribe();
    let mut file = std::fs::File::create(site.path("config/app.toml")).expect("the file");
    file.write_all(b"x = 1\n").expect("half of it");
    // Whatever is asked for after this has been told of the half-written file.
    site.write("config/other.toml", "z = 1\n");
    changed(&mut events, "other").await;
    let asked = manager.clone();
    let receipt = tokio::spawn(async move { asked.reload_now().await });
    tokio::task::yield_now().await;
    file.write_all(b"y = 1\n").expect("the other half");
    drop(file);
    soon("the receipt", receipt).await.expect("no panic").expect("a receipt");
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"x": 1, "y": 1})));
}
