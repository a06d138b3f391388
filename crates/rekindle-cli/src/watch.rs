//! `rekindle watch`: an engine's events in, lines out as they come, until a signal or a closed pipe ends it.

use std::io;

use rekindle::{ConfigState, HotReloadManager, Status};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::args::WatchArgs;
use crate::output;
use crate::record::{Record, Scribe};
use crate::render::{BAD, BOLD, Renderer, line};
use crate::signals::Signals;
use crate::snippet;
use crate::stop::Stop;
use crate::text::printable;
use crate::tui;

/// Watches until it is ended.
///
/// # Errors
///
/// What keeps the engine from starting, or ends it; [`Stop::Closed`] when nobody reads any more.
pub(crate) async fn run(args: &WatchArgs) -> Result<(), Stop> {
    if args.tui {
        tui::needs_a_terminal()?;
    }
    let mut signals = Signals::listen()?;
    let manager = tokio::select! {
        () = signals.received() => return Ok(()),
        manager = args.builder().start() => manager?,
    };
    let ended = tokio::select! {
        () = signals.received() => Ok(()),
        () = output::closed() => Err(Stop::Closed),
        ended = show(&manager, args) => ended,
    };
    manager.shutdown().await?;
    ended
}

async fn show(manager: &HotReloadManager, args: &WatchArgs) -> Result<(), Stop> {
    if args.tui {
        return tui::run(manager).await;
    }
    let events = manager.subscribe();
    Teller { manager, json: args.json }.follow(events).await
}

/// Tells of an engine's events in one of two forms.
struct Teller<'a> {
    manager: &'a HotReloadManager,
    json: bool,
}

impl Teller<'_> {
    async fn follow(&self, mut events: Receiver<rekindle::ChangeEvent>) -> Result<(), Stop> {
        let scribe = Scribe::new(self.manager);
        self.tell(&scribe.ready()).await?;
        for doubt in scribe.doubts() {
            self.tell(&doubt).await?;
        }
        loop {
            let record = match events.recv().await {
                Ok(event) => scribe.record(event),
                Err(RecvError::Lagged(missed)) => Record::Lagged { missed },
                Err(RecvError::Closed) => {
                    return Err(io::Error::other("the engine has ended by itself").into());
                }
            };
            self.tell(&record).await?;
        }
    }

    async fn tell(&self, record: &Record) -> Result<(), Stop> {
        let text = if self.json { record.json()? } else { self.lines(record) };
        if text.is_empty() { Ok(()) } else { output::print_apart(text).await }
    }

    fn lines(&self, record: &Record) -> String {
        let lines = lines(self.manager, record);
        if matches!(record, Record::Ready { .. }) { lines + &summary(&self.manager.status()) } else { lines }
    }
}

/// A record for people, at this time of the day.
pub(crate) fn lines(manager: &HotReloadManager, record: &Record) -> String {
    let (time, renderer) = (now(), Renderer { width: output::width() });
    let refused = match record {
        Record::ValidationFailed { config_name, error, .. } => {
            refusal(&manager.status(), config_name, error, &time)
        }
        _ => None,
    };
    refused.unwrap_or_else(|| renderer.lines(record, &time))
}

/// The time of the day, as it stands in front of a line.
pub(crate) fn now() -> String {
    jiff::Zoned::now().strftime("%H:%M:%S%.3f").to_string()
}

/// A refusal beside the lines that caused it. `None` if it is another fault by now: its own record
/// is about to come.
fn refusal(status: &Status, name: &str, error: &str, time: &str) -> Option<String> {
    let config = status.configs.get(name)?;
    let ConfigState::Degraded(now) = &config.state else { return None };
    if now.to_string() != error {
        return None;
    }
    let stays = if config.generation.is_some() { "the last good value stays" } else { "it has no value yet" };
    let told = format!("{BOLD}{}{BOLD:#}, {stays}", printable(name));
    Some(line(time, BAD, "refused", &told) + &snippet::report(now, &status.root, output::width()))
}

/// What there is at the start.
fn summary(status: &Status) -> String {
    let configs: Vec<&str> = status.configs.keys().map(String::as_str).collect();
    let configs =
        if configs.is_empty() { "none yet".to_owned() } else { printable(&configs.join(", ")).into_owned() };
    let blanks = " ".repeat(25);
    let environment = printable(&status.environment);
    format!("{blanks}environment {environment}; configurations: {configs}\n{blanks}Ctrl-C ends it\n")
}
