//! Says when there is something new, as server-sent events. What it is, the page asks for.
//!
//! A reader that is slow gets one event for all that happened meanwhile: nothing is queued for it.

use std::future::pending;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http_body::Frame;
use http_body_util::StreamBody;
use rekindle::{ChangeEvent, HotReloadManager, Receipt};
use serde_json::Value;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::About;
use crate::{Body, BoxError};

/// The first event also covers all that happened between the page's last question and now.
const BEGIN: &str = "retry: 1000\ndata: changed\n\n";
const CHANGED: &str = "data: changed\n\n";
const STOPPED: &str = "event: stopped\ndata: stopped\n\n";
const BEAT: &str = ": there\n\n";

/// How often something is sent even if there is nothing new, so that a lost connection is noticed.
const PULSE: Duration = Duration::from_secs(15);

/// The events, until the engine stops.
pub(super) fn body(
    manager: &HotReloadManager,
    fleet: Option<watch::Receiver<Value>>,
    about: &About<'_>,
) -> Body {
    let feed = Feed::new(manager, fleet, about);
    let rest = stream::unfold(Some(feed), async |feed| {
        let mut feed = feed?;
        let told = feed.next().await;
        Some((told, (told != STOPPED).then_some(feed)))
    });
    let all = stream::once(async { BEGIN }).chain(rest);
    let frames = all.map(|text| Ok::<_, BoxError>(Frame::data(Bytes::from_static(text.as_bytes()))));
    Body::new(StreamBody::new(frames))
}

struct Feed {
    events: broadcast::Receiver<ChangeEvent>,
    receipts: broadcast::Receiver<Receipt>,
    around: Option<watch::Receiver<u64>>,
    fleet: Option<watch::Receiver<Value>>,
    pulse: Interval,
}

impl Feed {
    fn new(manager: &HotReloadManager, mut fleet: Option<watch::Receiver<Value>>, about: &About<'_>) -> Self {
        if let Some(fleet) = &mut fleet {
            fleet.mark_unchanged();
        }
        let mut pulse = interval(PULSE);
        pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
        pulse.reset();
        Self {
            events: manager.subscribe(),
            receipts: manager.receipts(),
            around: about.changed.clone(),
            fleet,
            pulse,
        }
    }

    async fn next(&mut self) -> &'static str {
        let told = tokio::select! {
            event = self.events.recv() => of(&event),
            receipt = self.receipts.recv() => of(&receipt),
            () = changed(&mut self.around) => CHANGED,
            () = changed(&mut self.fleet) => CHANGED,
            _ = self.pulse.tick() => BEAT,
        };
        // One question answers all that has happened by now.
        if told == CHANGED {
            self.events = self.events.resubscribe();
            self.receipts = self.receipts.resubscribe();
        }
        told
    }
}

fn of<T>(received: &Result<T, RecvError>) -> &'static str {
    match received {
        Ok(_) | Err(RecvError::Lagged(_)) => CHANGED,
        Err(RecvError::Closed) => STOPPED,
    }
}

/// Waits for the next change; for ever, if there will be none.
async fn changed<T>(around: &mut Option<watch::Receiver<T>>) {
    if let Some(watched) = around
        && watched.changed().await.is_ok()
    {
        return;
    }
    *around = None;
    pending::<()>().await;
}
