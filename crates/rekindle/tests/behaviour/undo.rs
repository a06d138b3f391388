//! A change that is valid and does harm is taken back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;

use crate::site::*;
use rekindle::prelude::*;

/// Waits until a generation is undone: from, to, generation, reason.
async fn rolled_back(events: &mut Receiver<ChangeEvent>) -> (u64, u64, u64, String) {
    event(events, "an undo", |event| match event {
        ChangeEvent::RolledBack { from, to, generation, reason, .. } => {
            Some((*from, *to, *generation, reason.clone()))
        }
        _ => None,
    })
    .await
}

/// A handler that fails for ports below 1024.
fn binds(event: ChangeEvent) -> Result<()> {
    match event {
        ChangeEvent::ConfigChanged { new_value, .. } if new_value["port"].as_u64() < Some(1024) => {
            Err("permission denied".into())
        }
        _ => Ok(()),
    }
}

#[tokio::test]
async fn a_critical_handler_that_fails_undoes_the_generation_and_all_are_told_again() {
    let site = Site::new(&[("config/app.toml", "port = 8080\n")]);
    let builder = site.builder().register(Registration::new(binds).named("server").critical());
    let manager = builder.start().await.expect("an engine");
    let (sender, mut told) = tokio::sync::mpsc::unbounded_channel();
    manager.register_handler(move |event: ChangeEvent| {
        if let ChangeEvent::ConfigChanged { new_value, .. } = event {
            sender.send(new_value["port"].clone())?;
        }
        Ok(())
    });
    let mut events = manager.subscribe();
    let mut receipts = manager.receipts();
    let mut stream = manager.watch::<Value>("app").await.expect("a stream");
    let live = stream.live();
    site.write("config/app.toml", "port = 80\n");
    let undone = rolled_back(&mut events).await;
    assert_eq!(undone, (2, 1, 3, "the handler server failed: permission denied".into()));
    assert_eq!(changed(&mut events, "app").await, json!({"port": 8080}));
    assert_eq!(live.load()["port"], 8080);
    assert_eq!(
        (manager.snapshot().generation(), &manager.snapshot().get("app").expect("it")["port"]),
        (3, &json!(8080))
    );
    let receipt = soon("the receipt", receipts.recv()).await.expect("one");
    assert!(
        matches!(&receipt.outcome, ReloadOutcome::RolledBack { configs, to: 1, .. } if *configs == ["app"]),
        "{receipt:?}"
    );
    for port in [80, 8080] {
        assert_eq!(soon("the handler", told.recv()).await, Some(json!(port)));
    }
    let mut last = Value::Null;
    while last != json!({"port": 8080}) {
        last = soon("the stream", stream.next()).await.expect("a value");
    }
    let status = manager.status();
    assert_eq!(status.rollbacks, 1);
    let error = status.failures().next().expect("still visible").1.clone();
    assert_eq!(error.kind(), ErrorKind::RolledBack);
    assert!(error.message().contains("generation 2 was rolled back"), "{error}");
}

#[tokio::test]
async fn the_same_content_is_not_tried_again_until_it_changes() {
    let site = Site::new(&[("config/app.toml", "port = 8080\n")]);
    let builder = site.builder().register(Registration::new(binds).named("server").critical());
    let manager = builder.start().await.expect("an engine");
    let mut events = manager.subscribe();
    site.write("config/app.toml", "port = 80\n");
    rolled_back(&mut events).await;
    changed(&mut events, "app").await;
    for again in ["port = 80\n", "# the same\nport = 80\n"] {
        site.write("config/app.toml", again);
        let receipt = manager.reload_now().await.expect("an answer");
        assert_eq!(receipt.refusals().len(), 1, "{receipt:?}");
        assert_eq!(receipt.refusals()[0].by, "rollback");
    }
    assert_eq!(manager.snapshot().generation(), 3);
    // Another value is tried; and after that the one that did harm is, too.
    site.write("config/app.toml", "port = 9090\n");
    assert_eq!(changed(&mut events, "app").await, json!({"port": 9090}));
    recovered(&mut events, "app").await;
    assert!(!manager.status().is_degraded());
    site.write("config/app.toml", "port = 80\n");
    assert_eq!(rolled_back(&mut events).await.0, 5);
}

#[tokio::test]
async fn putting_the_old_content_back_ends_the_degradation() {
    let site = Site::new(&[("config/app.toml", "port = 8080\n")]);
    let builder = site.builder().register(Registration::new(binds).named("server").critical());
    let manager = builder.start().await.expect("an engine");
    let mut events = manager.subscribe();
    site.write("config/app.toml", "port = 80\n");
    rolled_back(&mut events).await;
    site.write("config/app.toml", "port = 8080\n");
    recovered(&mut events, "app").await;
    assert!(!manager.status().is_degraded());
    assert_eq!(manager.snapshot().generation(), 3);
}

#[tokio::test]
async fn a_new_configuration_that_does_harm_is_gone_again() {
    let site = Site::new(&[]);
    let builder = site.builder().register(Registration::new(binds).named("server").critical());
    let manager = builder.start().await.expect("an engine");
    let mut events = manager.subscribe();
    site.write("config/app.toml", "port = 80\n");
    assert_eq!(rolled_back(&mut events).await.2, 2);
    assert_eq!(changed(&mut events, "app").await, Value::Null);
    assert_eq!(manager.snapshot().get("app"), None);
    site.write("config/app.toml", "port = 8080\n");
    assert_eq!(changed(&mut events, "app").await, json!({"port": 8080}));
}

#[tokio::test]
async fn a_critical_handler_that_hangs_or_panics_undoes_the_generation_too() {
    for (fault, text) in [
        ((|| panic!("lost")) as fn(), "it panicked: lost"),
        (|| std::thread::sleep(Duration::from_secs(1)), "it took longer than its limit of 200ms"),
    ] {
        let site = Site::new(&[("config/app.toml", "x = 1\n")]);
        let hangs = move |event: ChangeEvent| {
            if matches!(&event, ChangeEvent::ConfigChanged { new_value, .. } if new_value["x"] == 2) {
                fault();
            }
            Ok(())
        };
        let builder = site.builder().time_limit(Duration::from_millis(200));
        let builder = builder.register(Registration::new(hangs).named("h").critical());
        let manager = builder.start().await.expect("an engine");
        let mut events = manager.subscribe();
        site.write("config/app.toml", "x = 2\n");
        let (.., reason) = rolled_back(&mut events).await;
        assert!(reason.contains(text), "{reason}");
        site.write("config/app.toml", "x = 3\n");
        event(&mut events, "the next value", |event| {
            let ChangeEvent::ConfigChanged { new_value, .. } = event else { return None };
            (new_value["x"] == 3).then_some(())
        })
        .await;
    }
}

/// A probation that ends soon unless a check fails.
fn probation() -> Probation {
    Probation::of(Duration::from_millis(200)).every(Duration::from_millis(5))
}

#[tokio::test]
async fn a_change_that_breaks_the_program_is_undone_by_its_health_check() {
    let site = Site::new(&[("config/app.toml", "x = 1\n"), ("config/other.toml", "x = 1\n")]);
    let sick = Arc::new(AtomicBool::new(false));
    let is_sick = Arc::clone(&sick);
    let check = move || if is_sick.load(Ordering::SeqCst) { Err("no orders".into()) } else { Ok(()) };
    let builder =
        site.builder().probation(Probation::of(Duration::from_secs(600)).every(Duration::from_millis(5)));
    let manager = builder.health_check("orders", check).start().await.expect("an engine");
    let mut events = manager.subscribe();
    let mut receipts = manager.receipts();
    site.write("config/app.toml", "x = 2\n");
    changed(&mut events, "app").await;
    // A change during the probation: both are undone together.
    site.write("config/other.toml", "x = 2\n");
    changed(&mut events, "other").await;
    sick.store(true, Ordering::SeqCst);
    let undone = rolled_back(&mut events).await;
    assert_eq!(undone, (3, 1, 4, "the health check orders failed: no orders".into()));
    let snapshot = manager.snapshot();
    assert_eq!(
        (&snapshot.get("app").expect("it")["x"], &snapshot.get("other").expect("it")["x"]),
        (&json!(1), &json!(1))
    );
    let undo = loop {
        let receipt = soon("the receipt", receipts.recv()).await.expect("one");
        if receipt.trigger == Trigger::Undo {
            break receipt;
        }
    };
    assert_eq!((undo.generation, undo.outcome.as_str()), (4, "rolled-back"));
    let receipt = manager.reload_now().await.expect("an answer");
    assert_eq!(receipt.refusals().len(), 2, "neither is tried again: {receipt:?}");
}

#[tokio::test]
async fn a_change_that_stays_healthy_is_confirmed() {
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    let builder = site.builder().probation(probation()).health_check("fine", || Ok(()));
    let manager = builder.start().await.expect("an engine");
    let mut events = manager.subscribe();
    site.write("config/app.toml", "x = 2\n");
    let confirmed = event(&mut events, "the confirmation", |event| match event {
        ChangeEvent::Confirmed { generation, configs } => Some((*generation, configs.clone())),
        _ => None,
    });
    assert_eq!(confirmed.await, (2, vec!["app".to_owned()]));
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"x": 2})));
}

#[tokio::test]
async fn failures_in_a_row_are_tolerated_as_far_as_stated() {
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    let fails = AtomicBool::new(false);
    // Every other check fails.
    let check =
        move || if fails.fetch_xor(true, Ordering::SeqCst) { Err("now and then".into()) } else { Ok(()) };
    let builder = site.builder().probation(probation().tolerating(1)).health_check("flaky", check);
    let manager = builder.start().await.expect("an engine");
    let mut events = manager.subscribe();
    site.write("config/app.toml", "x = 2\n");
    event(&mut events, "the confirmation", |event| {
        assert!(!matches!(event, ChangeEvent::RolledBack { .. }), "{event:?}");
        matches!(event, ChangeEvent::Confirmed { .. }).then_some(())
    })
    .await;
}

/// Answers every request with a status, as a program's health path does.
#[cfg(feature = "health-http")]
fn serve(status: &'static std::sync::atomic::AtomicU16) -> String {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let _request = stream.read(&mut [0; 1024]);
            let code = status.load(Ordering::SeqCst);
            let answer = format!("HTTP/1.1 {code} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let _closed = stream.write_all(answer.as_bytes());
        }
    });
    format!("http://{address}/health")
}

#[cfg(feature = "health-http")]
#[tokio::test]
async fn a_health_path_that_stops_answering_well_undoes_the_change() {
    static STATUS: std::sync::atomic::AtomicU16 = std::sync::atomic::AtomicU16::new(200);
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    let builder = site.builder().probation(probation()).health_url(serve(&STATUS));
    let manager = builder.start().await.expect("an engine");
    let mut events = manager.subscribe();
    site.write("config/app.toml", "x = 2\n");
    event(&mut events, "the confirmation", |event| {
        matches!(event, ChangeEvent::Confirmed { .. }).then_some(())
    })
    .await;
    STATUS.store(503, Ordering::SeqCst);
    site.write("config/app.toml", "x = 3\n");
    let (from, to, _, reason) = rolled_back(&mut events).await;
    assert_eq!((from, to), (3, 2));
    assert!(reason.contains("/health failed") && reason.contains("503"), "{reason}");
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"x": 2})));
}

#[tokio::test]
async fn what_was_looked_at_together_with_an_undone_change_is_free_for_the_next() {
    let site = Site::new(&[("config/app.toml", "port = 8080\n"), ("config/other.toml", "port = 2000\n")]);
    let builder = site.builder().poll(Duration::from_secs(3600));
    let manager = builder.register(Registration::new(binds).named("server").critical()).start().await;
    let manager = manager.expect("an engine");
    site.write("config/app.toml", "port = 80\n");
    let receipt = manager.reload_now().await.expect("an answer");
    assert!(matches!(receipt.outcome, ReloadOutcome::RolledBack { .. }), "{receipt:?}");
    site.write("config/app.toml", "port = 9090\n");
    site.write("config/other.toml", "port = 2001\n");
    let receipt = manager.reload_now().await.expect("an answer");
    assert_eq!(receipt.applied(), ["app", "other"], "{receipt:?}");
}

/// A part of what a layered stream is of.
#[derive(Clone, serde::Deserialize)]
struct Anything {}

impl ConfigMerge for Anything {
    fn merge(self, _over: Self) -> Self {
        self
    }
}

#[tokio::test]
async fn what_was_undone_by_itself_is_not_tried_again_when_its_neighbour_changes() {
    let site = Site::new(&[("config/app.toml", "port = 8080\n"), ("config/other.toml", "port = 2000\n")]);
    let builder = site.builder().register(Registration::new(binds).named("server").critical());
    let manager = builder.start().await.expect("an engine");
    let _together = manager.watch_layered::<Anything>(&["app", "other"]).await.expect("a stream");
    let mut events = manager.subscribe();
    site.write("config/app.toml", "port = 80\n");
    assert_eq!(rolled_back(&mut events).await.2, 3);
    // One look at both refuses both, since they are read as one.
    assert_eq!(manager.reload_now().await.expect("an answer").refusals().len(), 2);
    site.write("config/other.toml", "port = 2001\n");
    recovered(&mut events, "other").await;
    manager.reload_now().await.expect("an answer");
    assert_eq!((manager.snapshot().generation(), manager.status().rollbacks), (4, 1));
}
