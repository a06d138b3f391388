//! What a subscriber of `tracing` sees of reloads.
//!
//! The engine has threads of its own, so the subscriber is the process's: a binary of its own. Each test
//! finds its reloads by the name of its configuration.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use rekindle::prelude::*;
use rekindle_test::{LIMIT, Site};
use tokio::sync::broadcast;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

/// A span or an event.
#[derive(Debug, Clone)]
struct Entry {
    name: &'static str,
    level: Level,
    parent: Option<usize>,
    fields: BTreeMap<&'static str, String>,
}

/// Keeps everything that is logged.
#[derive(Clone, Default)]
struct Keeper(Arc<Mutex<Vec<Entry>>>);

/// Where a span is in what is kept.
struct Place(usize);

impl Keeper {
    /// The one of this process.
    fn get() -> &'static Self {
        static KEEPER: OnceLock<Keeper> = OnceLock::new();
        KEEPER.get_or_init(|| {
            let keeper = Self::default();
            let subscriber = Registry::default().with(keeper.clone());
            tracing::subscriber::set_global_default(subscriber).expect("it is the first");
            keeper
        })
    }

    fn push(&self, entry: Entry) -> usize {
        let mut entries = self.0.lock().expect("no panic");
        entries.push(entry);
        entries.len() - 1
    }

    fn all(&self) -> Vec<Entry> {
        self.0.lock().expect("no panic").clone()
    }

    /// The reload of a receipt, and what is in it by name, in the order in which it began.
    fn reload(&self, config: &str, receipt: &Receipt) -> (Entry, Vec<Entry>) {
        let all = self.all();
        let is_it = |entry: &&Entry| {
            let about = entry.fields.get("configs").is_some_and(|configs| configs.contains(config));
            entry.name == "reload" && about && entry.fields["id"] == receipt.id.to_string()
        };
        let at = all.iter().position(|entry| is_it(&entry)).unwrap_or_else(|| panic!("none in {all:#?}"));
        let inside = |entry: &&Entry| {
            let mut up = entry.parent;
            while up.is_some_and(|parent| parent != at) {
                up = up.and_then(|parent| all[parent].parent);
            }
            up.is_some()
        };
        (all[at].clone(), all.iter().filter(inside).cloned().collect())
    }
}

/// Takes fields down as text.
struct Fields<'a>(&'a mut BTreeMap<&'static str, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Keeper {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let span = context.span(id).expect("it is new");
        let parent = span.parent().and_then(|parent| Some(parent.extensions().get::<Place>()?.0));
        let mut fields = BTreeMap::new();
        attributes.record(&mut Fields(&mut fields));
        let (name, level) = (attributes.metadata().name(), *attributes.metadata().level());
        let place = self.push(Entry { name, level, parent, fields });
        span.extensions_mut().insert(Place(place));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).expect("it lives");
        if let Some(Place(at)) = span.extensions().get::<Place>() {
            values.record(&mut Fields(&mut self.0.lock().expect("no panic")[*at].fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let span = context.event_span(event);
        let parent = span.and_then(|span| Some(span.extensions().get::<Place>()?.0));
        let mut fields = BTreeMap::new();
        event.record(&mut Fields(&mut fields));
        self.push(Entry { name: "event", level: *event.metadata().level(), parent, fields });
    }
}

fn names(entries: &[Entry]) -> Vec<&'static str> {
    entries.iter().map(|entry| entry.name).filter(|name| *name != "event").collect()
}

async fn next(receipts: &mut broadcast::Receiver<Receipt>) -> Receipt {
    tokio::time::timeout(LIMIT, receipts.recv()).await.expect("a receipt in time").expect("a receipt")
}

/// Gets ready for everything, and logs that it does.
struct Ready;

#[rekindle::async_trait]
impl ReloadHandler for Ready {
    async fn handle_change(&self, event: ChangeEvent) -> Result<()> {
        match event {
            ChangeEvent::ConfigChanged { new_value, .. } if new_value["x"] == 3 => Err("harm".into()),
            _ => Ok(()),
        }
    }

    fn can_handle(&self, event: &ChangeEvent) -> bool {
        matches!(event, ChangeEvent::ConfigChanged { .. })
    }

    async fn prepare(&self, candidate: &Candidate) -> Result<()> {
        let _looked_at = candidate.new_value();
        tracing::info!("getting ready");
        Ok(())
    }
}

#[tokio::test]
async fn a_reload_is_a_span_and_its_stages_are_in_it_whatever_thread_they_are_on() {
    let keeper = Keeper::get();
    let site = Site::new().with("config/stages.toml", "x = 1\n");
    let checked = |_: &serde_json::Value| {
        tracing::info!("checking");
        Ok(())
    };
    let builder = HotReload::builder(site.root()).check("stages", checked);
    let builder = builder.register(Registration::new(Ready).named("ready").critical());
    let manager = builder.start().await.expect("an engine");
    let mut receipts = manager.receipts();
    site.replace("config/stages.toml", "x = 2\n");
    let receipt = next(&mut receipts).await;
    let (reload, inside) = keeper.reload("stages", &receipt);
    assert_eq!((reload.level, reload.parent.is_none()), (Level::INFO, true));
    let fields = ["trigger", "generation", "outcome", "configs"].map(|field| reload.fields[field].as_str());
    assert_eq!(fields, ["files", "2", "applied", "[\"stages\"]"]);
    assert_eq!(names(&inside), ["load", "validate", "prepare", "commit", "notify"]);
    let stages = inside.iter().filter(|entry| entry.name != "event");
    assert!(stages.clone().all(|stage| stage.level == Level::DEBUG));
    let all = keeper.all();
    for (said, stage) in [("checking", "validate"), ("getting ready", "prepare")] {
        let by = inside.iter().find(|entry| entry.fields.get("message").is_some_and(|text| text == said));
        let parent = by.and_then(|entry| entry.parent).map(|parent| all[parent].name);
        assert_eq!(parent, Some(stage), "{said}");
    }
    let times = inside.iter().find(|entry| entry.fields.contains_key("settle")).expect("the times");
    assert_eq!(times.fields["total"], format!("{:?}", receipt.stages.total));
}

#[tokio::test]
async fn an_update_shows_its_write_and_an_undo_that_something_came_back() {
    let keeper = Keeper::get();
    let site = Site::new().with("config/undone.toml", "x = 1\n");
    let builder = HotReload::builder(site.root());
    let builder = builder.register(Registration::new(Ready).named("ready").critical());
    let manager = builder.start().await.expect("an engine");
    let receipt = manager.update("undone", 1, Patch::set("/x", 2)).await.expect("an answer");
    let (reload, inside) = keeper.reload("undone", &receipt);
    assert_eq!(reload.fields["trigger"], "update");
    assert_eq!(names(&inside), ["load", "validate", "prepare", "write", "commit", "notify"]);

    let receipt = manager.update("undone", 2, Patch::set("/x", 3)).await.expect("an answer");
    let (reload, inside) = keeper.reload("undone", &receipt);
    assert_eq!(
        (reload.fields["outcome"].as_str(), reload.fields["generation"].as_str()),
        ("rolled-back", "4")
    );
    let expected = ["load", "validate", "prepare", "write", "commit", "notify", "undo", "commit"];
    assert_eq!(names(&inside), expected);
}

#[tokio::test]
async fn an_undo_after_a_failed_probation_is_a_reload_of_its_own() {
    let keeper = Keeper::get();
    let site = Site::new().with("config/probed.toml", "x = 1\n");
    let probation = Probation::of(Duration::from_secs(60)).every(Duration::from_millis(1));
    let builder = HotReload::builder(site.root()).probation(probation);
    let manager = builder.health_check("ill", || Err("ill".into())).start().await.expect("an engine");
    let mut receipts = manager.receipts();
    site.replace("config/probed.toml", "x = 2\n");
    let (change, undo) = (next(&mut receipts).await, next(&mut receipts).await);
    assert!(undo.id > change.id);
    let (reload, inside) = keeper.reload("probed", &undo);
    let fields = ["trigger", "generation", "outcome"].map(|field| reload.fields[field].as_str());
    assert_eq!(fields, ["undo", "3", "rolled-back"]);
    assert_eq!(names(&inside), ["undo", "commit"]);
}

#[tokio::test]
async fn a_start_is_a_span_too() {
    let keeper = Keeper::get();
    let site = Site::new().with("config/started.toml", "x = 1\n");
    let _manager = HotReload::builder(site.root()).start().await.expect("an engine");
    let all = keeper.all();
    let is_it =
        |entry: &&Entry| entry.fields.get("configs").is_some_and(|configs| configs.contains("started"));
    let start = all.iter().find(is_it).expect("it");
    assert_eq!((start.name, start.fields["trigger"].as_str()), ("reload", "start"));
}

#[tokio::test]
async fn no_secret_is_in_any_span_or_event() {
    let keeper = Keeper::get();
    let site = Site::new().with("config/hushed.toml", "password = \"first-sesame\"\nport = 80\n");
    let manager =
        HotReload::builder(site.root()).secret("hushed", "/password").start().await.expect("an engine");
    manager.watch::<BTreeMap<String, serde_json::Value>>("hushed").await.expect("a stream");
    let mut receipts = manager.receipts();
    for text in ["password = \"second-sesame\"\nport = 80\n", "password = \"third-sesame\nport = 80\n"] {
        site.replace("config/hushed.toml", text);
        next(&mut receipts).await;
    }
    manager.reload_now().await.expect("an answer");
    let all = keeper.all();
    assert!(all.iter().any(|entry| entry.fields.values().any(|text| text.contains("hushed"))));
    let leak = all.iter().find(|entry| entry.fields.values().any(|text| text.contains("sesame")));
    assert!(leak.is_none(), "{leak:?}");
}
