//! What happens while a slow check holds a configuration: nothing that comes up meanwhile is mixed
//! with what is not judged yet, missed, or kept waiting for ever.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::site::*;
use rekindle::prelude::*;

/// A check that says when it has begun, and does not end before it is let go.
struct Gate {
    begun: UnboundedReceiver<Value>,
    open: Sender<()>,
}

/// The side of a [`Gate`] that the engine calls.
struct Guard {
    begin: UnboundedSender<Value>,
    opened: Mutex<Receiver<()>>,
}

impl Gate {
    fn new() -> (Self, Guard) {
        let ((begin, begun), (open, opened)) = (unbounded_channel(), channel());
        (Self { begun, open }, Guard { begin, opened: Mutex::new(opened) })
    }

    /// Waits until the check looks at a value.
    async fn entered(&mut self) -> Value {
        soon("the check", self.begun.recv()).await.expect("the engine runs")
    }

    /// Lets the check of one value end well.
    fn open(&self) {
        self.open.send(()).expect("the engine runs");
    }
}

impl Guard {
    /// Lets the first value of all pass: the one that the engine starts with.
    fn check(self) -> impl Fn(&Value) -> Result<()> + Send + Sync + 'static {
        let started = std::sync::atomic::AtomicBool::new(false);
        move |value| {
            if started.swap(true, std::sync::atomic::Ordering::SeqCst) {
                self.begin.send(value.clone())?;
                self.opened.lock()?.recv()?;
            }
            Ok(())
        }
    }
}

type Events = tokio::sync::broadcast::Receiver<ChangeEvent>;

/// Waits until everything that was saved before has been taken in: the file of another configuration
/// comes last in the queue, and it is judged however long others take.
async fn taken_in(site: &Site, events: &mut Events, n: u32) {
    site.write("config/other.toml", format!("n = {n}\n"));
    assert_eq!(changed(events, "other").await, json!({"n": n}));
}

/// An engine whose configuration `app`, saved with `x = 2`, is being checked, and its events.
async fn held(site: &Site) -> (HotReloadManager, Gate, Events) {
    let (mut gate, guard) = Gate::new();
    let manager = site.builder().check("app", guard.check()).start().await.expect("an engine");
    let events = manager.subscribe();
    site.write("config/app.toml", "x = 2\n");
    gate.entered().await;
    (manager, gate, events)
}

const APP: &[(&str, &str)] = &[("config/app.toml", "x = 1\n")];

#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
#[serde(default)]
struct Both {
    a: u32,
    b: u32,
}

impl ConfigMerge for Both {
    fn merge(self, other: Self) -> Self {
        Self { a: self.a.max(other.a), b: self.b.max(other.b) }
    }
}

const A_AND_B: &[(&str, &str)] = &[("config/a.toml", "a = 1\n"), ("config/b.toml", "b = 1\n")];

/// The new `b` was not judged beside the old `a`, nor the other way round once both are there. Pain 8.
#[tokio::test]
async fn what_is_read_together_is_not_mixed_with_what_is_still_being_checked() {
    let site = Site::new(A_AND_B);
    let (mut gate, guard) = Gate::new();
    let manager = site.builder().check("a", guard.check()).start().await.expect("an engine");
    let mut values = manager.watch_layered::<Both>(&["a", "b"]).await.expect("a stream").subscribe();
    let mut events = manager.subscribe();
    site.write("config/a.toml", "a = 2\n");
    assert_eq!(gate.entered().await, json!({"a": 2}));
    site.write("config/b.toml", "b = 2\n");
    taken_in(&site, &mut events, 1).await;
    assert!(values.try_recv().is_err(), "nothing is applied that is not judged beside the new `a`");
    // `b` makes another candidate of both, and so another check of `a` is allowed.
    gate.open();
    gate.open();
    let first = soon("the first value", values.recv()).await.expect("a value");
    let last = match first {
        Both { a: 2, b: 1 } => soon("the second value", values.recv()).await.expect("a value"),
        both => both,
    };
    assert_eq!(last, Both { a: 2, b: 2 });
    assert!(!manager.status().is_degraded());
}

#[tokio::test]
async fn a_stream_that_is_opened_during_a_check_gets_what_was_checked() {
    let site = Site::new(APP);
    let (manager, gate, mut events) = held(&site).await;
    let asked = manager.clone();
    let opening = tokio::spawn(async move { asked.watch::<Value>("app").await });
    tokio::task::yield_now().await;
    taken_in(&site, &mut events, 1).await;
    gate.open();
    let mut stream = soon("the stream", opening).await.expect("no panic").expect("a stream");
    if stream.current() != &json!({"x": 2}) {
        assert_eq!(soon("the checked value", stream.next()).await, Some(json!({"x": 2})));
    }
    assert_eq!(manager.snapshot().get("app"), Some(&json!({"x": 2})));
}

/// One after the other is saved before the check of the one before has ended, so that there is always
/// one in flight. Pain 11.
#[tokio::test]
async fn a_question_is_answered_while_saves_go_on() {
    const PATIENCE: u32 = 20;
    let site = Site::new(APP);
    let (manager, mut gate, mut events) = held(&site).await;
    let asked = manager.clone();
    let answer = tokio::spawn(async move { asked.reload_now().await });
    tokio::task::yield_now().await;
    for n in 3..3 + PATIENCE {
        site.write("config/app.toml", format!("x = {n}\n"));
        taken_in(&site, &mut events, n).await;
        if answer.is_finished() {
            return;
        }
        gate.open();
        gate.entered().await;
    }
    panic!("no answer through {PATIENCE} saves");
}
