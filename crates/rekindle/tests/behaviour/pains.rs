//! What users of other programs report again and again, and what a change that can be trusted answers to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::site::*;
use rekindle::prelude::*;

/// dotnet/runtime#44381, spring-cloud-commons#403: cleared before it was parsed.
#[tokio::test]
async fn pain_5_the_good_value_outlives_every_kind_of_bad_one_and_a_restart() {
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    let builder = || site.builder().start_policy(StartPolicy::StartFromLastGood);
    let builder = || builder().check("app", |app| if app["x"] == 13 { Err("no".into()) } else { Ok(()) });
    let manager = builder().start().await.expect("an engine");
    let live = manager.watch::<Value>("app").await.expect("a stream").live();
    let mut events = manager.subscribe();
    for bad in ["x = \n", "x = 13\n", ""] {
        site.write("config/app.toml", bad);
        refused(&mut events, "app").await;
        assert_eq!(*live.load(), json!({"x": 1}), "after {bad:?}");
    }
    manager.shutdown().await.expect("a clean end");
    let manager = builder().start().await.expect("an engine");
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"x": 1})));
}

/// otel-collector#11817, viper#2095: an invalid file at the start, or a valid one that breaks the program.
#[tokio::test]
async fn pain_6_neither_an_invalid_file_nor_a_valid_one_that_does_harm_ends_the_program() {
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    let panics = |event: ChangeEvent| match event {
        ChangeEvent::ConfigChanged { new_value, .. } if new_value["x"] == 2 => panic!("over a limit"),
        _ => Ok(()),
    };
    let builder = site.builder().register(Registration::new(panics).named("limits").critical());
    let manager = builder.start().await.expect("an engine");
    let mut events = manager.subscribe();
    site.write("config/app.toml", "x = 2\n");
    event(&mut events, "the undo", |event| matches!(event, ChangeEvent::RolledBack { .. }).then_some(()))
        .await;
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"x": 1})));
}

/// alloy#304, prometheus#1292, traefik#10135: a refusal shows in the status, the receipt and an event,
/// until it is over.
#[tokio::test]
async fn pain_7_a_veto_is_told_to_everybody_who_might_look() {
    struct Refuses;
    #[async_trait::async_trait]
    impl ReloadHandler for Refuses {
        async fn handle_change(&self, _event: ChangeEvent) -> Result<()> {
            Ok(())
        }
        fn can_handle(&self, _event: &ChangeEvent) -> bool {
            true
        }
        async fn prepare(&self, candidate: &Candidate) -> Result<()> {
            if candidate.new_value()["x"] == 2 { Err("the pool is full".into()) } else { Ok(()) }
        }
    }
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    let manager =
        site.builder().register(Registration::new(Refuses).named("pool")).start().await.expect("an engine");
    let (mut events, mut receipts) = (manager.subscribe(), manager.receipts());
    site.write("config/app.toml", "x = 2\n");
    let (error, ..) = refused(&mut events, "app").await;
    let receipt = soon("the receipt", receipts.recv()).await.expect("one");
    let said = "the handler pool refused it: the pool is full";
    assert!(error.contains(said) && receipt.refusals()[0].error.message() == said, "{error}, {receipt:?}");
    for _ in 0..2 {
        // It stays visible however often one asks.
        assert!(manager.status().configs["app"].drift().to_string().contains(said));
        manager.reload_now().await.expect("an answer");
    }
    site.write("config/app.toml", "x = 3\n");
    recovered(&mut events, "app").await;
    assert!(matches!(manager.status().configs["app"].drift(), Drift::InSync));
}

/// dotnet/runtime#36244; Prometheus leaves earlier subsystems on the new file when a later one fails.
#[tokio::test]
async fn pain_8_when_a_later_subsystem_fails_the_earlier_ones_go_back() {
    let site = Site::new(&[("config/app.toml", "x = 1\n")]);
    let manager = site.start().await;
    let (sender, mut first) = tokio::sync::mpsc::unbounded_channel();
    let follows = move |event: ChangeEvent| {
        if let ChangeEvent::ConfigChanged { new_value, .. } = event {
            sender.send(new_value["x"].clone())?;
        }
        Ok(())
    };
    let fails = |event: ChangeEvent| match event {
        ChangeEvent::ConfigChanged { new_value, .. } if new_value["x"] == 2 => Err("cannot scrape".into()),
        _ => Ok(()),
    };
    manager.register(Registration::new(follows).named("first")).expect("a good registration");
    manager.register(Registration::new(fails).after("first").critical()).expect("a good registration");
    site.write("config/app.toml", "x = 2\n");
    let told = [soon("the change", first.recv()).await, soon("its undoing", first.recv()).await];
    assert_eq!(told, [Some(json!(2)), Some(json!(1))]);
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"x": 1})));
}

/// vector#15952 #24125, fluent-bit#9354: "in progress" for ever after a failure.
#[tokio::test]
async fn pain_11_a_handler_that_never_returns_costs_its_own_change_and_no_other() {
    let site = Site::new(&[("config/app.toml", "x = 1\n"), ("config/other.toml", "x = 1\n")]);
    let release = Arc::new(AtomicBool::new(false));
    let held = Arc::clone(&release);
    let hangs = move |event: ChangeEvent| {
        let is_it = matches!(&event, ChangeEvent::ConfigChanged { new_value, .. } if new_value["x"] == 2);
        while is_it && !held.load(Ordering::SeqCst) {
            std::thread::park_timeout(Duration::from_millis(5));
        }
        Ok(())
    };
    let builder = site.builder().time_limit(Duration::from_millis(200));
    let registration = Registration::new(hangs).config("app").critical();
    let manager = builder.register(registration).start().await.expect("an engine");
    let mut events = manager.subscribe();
    site.write("config/app.toml", "x = 2\n");
    event(&mut events, "the undo", |event| matches!(event, ChangeEvent::RolledBack { .. }).then_some(()))
        .await;
    site.write("config/other.toml", "x = 5\n");
    assert_eq!(changed(&mut events, "other").await, json!({"x": 5}));
    assert!(soon("an answer", manager.reload_now()).await.expect("an answer").generation >= 4);
    release.store(true, Ordering::SeqCst);
}

/// nomad#7400, vault#15594, patroni#773: nobody knows which field needs a restart.
#[tokio::test]
async fn pain_12_a_field_that_needs_a_restart_is_named_with_both_values() {
    let site = Site::new(&[("config/app.toml", "[server]\nport = 80\nname = \"a\"\n")]);
    let manager = site.builder().restart("app", "/server/port").start().await.expect("an engine");
    let mut events = manager.subscribe();
    site.write("config/app.toml", "[server]\nport = 81\nname = \"b\"\n");
    assert_eq!(changed(&mut events, "app").await, json!({"server": {"port": 80, "name": "b"}}));
    let status = manager.status();
    let [pending] = status.configs["app"].pending.as_slice() else { panic!("{status:?}") };
    let values = (pending.running.clone(), pending.on_disk.clone());
    assert_eq!((pending.pointer.as_str(), values), ("/server/port", (Some(json!(80)), Some(json!(81)))));
}

/// viper#392 #1528: what changed? Can I filter it, refuse it?
#[tokio::test]
async fn pain_13_a_change_says_what_it_changes_where_that_is_written_and_what_it_overrides() {
    let site = Site::new(&[("config/app.toml", "x = 1\ny = 1\n"), ("config/app.local.toml", "y = 2\n")]);
    let manager = site.start().await;
    let mut events = manager.subscribe();
    site.write("config/app.local.toml", "\ny = 3\n");
    let pointers = event(&mut events, "the change", |event| match event {
        ChangeEvent::ConfigChanged { changed, .. } => Some(changed.clone()),
        _ => None,
    });
    assert_eq!(pointers.await, ["/y"]);
    let layers = manager.snapshot().layers("app", "/y");
    let shown: Vec<String> = layers.iter().map(|(origin, value)| format!("{origin} = {value}")).collect();
    assert_eq!(shown, ["config/app.local.toml:2:5 = 3", "config/app.toml:2:5 = 1"]);
}
