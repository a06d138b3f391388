//! Handlers have a say before a change is applied, in order, and everybody or nobody gets it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::site::*;
use rekindle::prelude::*;

/// Notes every call, and refuses what is negative.
#[derive(Clone)]
struct Pool {
    name: &'static str,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Pool {
    fn registration(name: &'static str, calls: &Arc<Mutex<Vec<String>>>) -> Registration {
        Registration::new(Self { name, calls: Arc::clone(calls) }).named(name)
    }

    fn note(&self, what: &str, value: &Value) {
        self.calls.lock().expect("no panic").push(format!("{} {what} {}", self.name, value["size"]));
    }
}

#[async_trait::async_trait]
impl ReloadHandler for Pool {
    async fn handle_change(&self, event: ChangeEvent) -> Result<()> {
        if let ChangeEvent::ConfigChanged { new_value, .. } = event {
            self.note("handles", &new_value);
        }
        Ok(())
    }

    fn can_handle(&self, event: &ChangeEvent) -> bool {
        matches!(event, ChangeEvent::ConfigChanged { .. })
    }

    async fn prepare(&self, candidate: &Candidate) -> Result<()> {
        self.note("prepares", candidate.new_value());
        if self.name == "last" && candidate.new_value()["size"].as_i64() < Some(0) {
            return Err(Error::new(ErrorKind::Other, "cannot be negative").about("/size"));
        }
        Ok(())
    }

    async fn abort(&self, candidate: &Candidate) {
        self.note("aborts", candidate.new_value());
    }
}

fn taken(calls: &Mutex<Vec<String>>) -> Vec<String> {
    std::mem::take(&mut calls.lock().expect("no panic"))
}

#[tokio::test]
async fn all_prepare_in_the_declared_order_before_the_swap_and_handle_after_it() {
    let site = Site::new(&[("config/app.toml", "size = 1\n")]);
    let calls = Arc::default();
    // Registered in another order than they are to be called in.
    let builder = site.builder().register(Pool::registration("last", &calls).after("middle"));
    let builder = builder.register(Pool::registration("middle", &calls).after("first"));
    let manager = builder.register(Pool::registration("first", &calls)).start().await.expect("an engine");
    let mut events = manager.subscribe();
    site.write("config/app.toml", "size = 2\n");
    changed(&mut events, "app").await;
    manager.shutdown().await.expect("a clean end");
    let expected = [
        "first prepares 2",
        "middle prepares 2",
        "last prepares 2",
        "first handles 2",
        "middle handles 2",
        "last handles 2",
    ];
    assert_eq!(taken(&calls), expected);
}

#[tokio::test]
async fn one_refusal_aborts_those_that_prepared_in_reverse_and_nobody_sees_the_value() {
    let site = Site::new(&[("config/app.toml", "# pool\nsize = 1\n")]);
    let calls = Arc::default();
    let builder = site
        .builder()
        .register(Pool::registration("first", &calls))
        .register(Pool::registration("second", &calls));
    let builder = builder.register(Pool::registration("last", &calls).after("second"));
    let manager = builder.start().await.expect("an engine");
    let mut events = manager.subscribe();
    let mut receipts = manager.receipts();
    let stream = manager.watch::<Value>("app").await.expect("a stream");
    site.write("config/app.toml", "# pool\nsize = -3\n");
    let (error, path, line, column) = refused(&mut events, "app").await;
    assert_eq!(error, "config/app.toml:2:8: the handler last refused it: cannot be negative");
    assert_eq!((path, line, column), (Some(site.path("config/app.toml")), Some(2), Some(8)));
    let expected = [
        "first prepares -3",
        "second prepares -3",
        "last prepares -3",
        "second aborts -3",
        "first aborts -3",
    ];
    assert_eq!(taken(&calls), expected);
    assert_eq!((stream.current(), manager.snapshot().generation()), (&json!({"size": 1}), 1));
    assert!(manager.status().is_degraded());
    let receipt = soon("the receipt", receipts.recv()).await.expect("one");
    assert_eq!(receipt.refusals()[0].by, "handler last");
    assert_eq!(receipt.refusals()[0].error.kind(), ErrorKind::Veto);

    site.write("config/app.toml", "# pool\nsize = 5\n");
    assert_eq!(changed(&mut events, "app").await, json!({"size": 5}));
    recovered(&mut events, "app").await;
    assert!(!manager.status().is_degraded());
}

/// Prepares as told.
struct Prepares(fn() -> Result<()>);

#[async_trait::async_trait]
impl ReloadHandler for Prepares {
    async fn handle_change(&self, _event: ChangeEvent) -> Result<()> {
        Ok(())
    }

    fn can_handle(&self, _event: &ChangeEvent) -> bool {
        true
    }

    fn may_block(&self) -> bool {
        true
    }

    async fn prepare(&self, candidate: &Candidate) -> Result<()> {
        if candidate.new_value()["try"] == json!(true) { (self.0)() } else { Ok(()) }
    }
}

fn hangs() -> Result<()> {
    std::thread::sleep(Duration::from_secs(3));
    Ok(())
}

#[tokio::test]
async fn a_prepare_that_panics_or_hangs_is_a_refusal_and_holds_nothing_up_for_good() {
    for (fault, text) in [
        ((|| panic!("no socket")) as fn() -> Result<()>, "it panicked: no socket"),
        (hangs, "it was not ready before the deadline"),
    ] {
        let site = Site::new(&[("config/app.toml", "x = 1\n"), ("config/other.toml", "x = 1\n")]);
        let builder = site.builder().time_limit(Duration::from_secs(1));
        let manager = builder.handler(Prepares(fault)).start().await.expect("an engine");
        let mut events = manager.subscribe();
        site.write("config/app.toml", "x = 2\ntry = true\n");
        let (error, ..) = refused(&mut events, "app").await;
        assert!(error.contains(text), "{error}");
        site.write("config/other.toml", "x = 2\n");
        site.write("config/app.toml", "x = 3\n");
        // The handler that hung may still be at work: then they are tried again once it is not.
        let mut left = vec!["app", "other"];
        event(&mut events, "both changes", |event| {
            let ChangeEvent::ConfigChanged { config_name, .. } = event else { return None };
            left.retain(|name| name != config_name);
            left.is_empty().then_some(())
        })
        .await;
        assert_eq!(manager.snapshot().get("app"), Some(&json!({"x": 3})));
    }
}

#[tokio::test]
async fn an_order_that_goes_round_in_a_circle_is_refused() {
    let site = Site::new(&[]);
    let nothing = || Registration::new(|_: ChangeEvent| Ok(()));
    let manager = site.start().await;
    manager.register(nothing().named("a").after("b")).expect("b may come later");
    manager.register(nothing().named("b").after("c")).expect("so may c");
    let error = manager.register(nothing().named("c").after("a")).expect_err("a circle");
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::Conflict, "the handler \"c\" would come after itself")
    );
    let error = manager.register(nothing().at("app", "server")).expect_err("no pointer");
    assert_eq!(error.kind(), ErrorKind::Pattern);
}

#[tokio::test]
async fn a_slow_handler_without_a_say_does_not_hold_up_the_next_change() {
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    let (release, hold) = std::sync::mpsc::channel::<()>();
    let hold = Mutex::new(hold);
    let manager = site.start().await;
    manager.register_handler(move |event: ChangeEvent| {
        if matches!(event, ChangeEvent::ConfigChanged { .. }) {
            let _released = hold.lock().expect("no panic").recv();
        }
        Ok(())
    });
    let mut events = manager.subscribe();
    for x in 2..6 {
        site.write("config/app.toml", format!("x = {x}\n"));
        assert_eq!(changed(&mut events, "app").await, json!({"x": x}));
    }
    drop(release);
}

#[tokio::test]
async fn a_handler_of_a_part_is_called_for_that_part_alone() {
    let site = Site::new(&[("config/app.toml", "[pool]\nsize = 1\n[server]\nport = 80\n")]);
    let manager = site.start().await;
    let (sender, mut told) = tokio::sync::mpsc::unbounded_channel();
    let tells = move |event: ChangeEvent| {
        if let ChangeEvent::ConfigChanged { changed, .. } = event {
            sender.send(changed)?;
        }
        Ok(())
    };
    manager.register(Registration::new(tells).at("app", "/pool")).expect("a good registration");
    let mut events = manager.subscribe();
    site.write("config/app.toml", "[pool]\nsize = 1\n[server]\nport = 81\n");
    changed(&mut events, "app").await;
    site.write("config/app.toml", "[pool]\nsize = 2\n[server]\nport = 82\n");
    let first = soon("the call", told.recv()).await.expect("the handler lives");
    assert_eq!(first, ["/pool/size", "/server/port"], "the change of the port alone was not told");
}
