//! [`Model`]: all that the screen shows.
//!
//! In: facts, records of events, reloads, keys and the time since the start. Out: the state of the screen, and
//! what a key asks for. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::details;
use super::facts::{Config, Facts, Reload, Revision};
use super::log::{Entry, Log, News};
use super::times::{Times, age};
use crate::record::Record;

/// What a key asks of the world outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ask {
    Quit,
    /// Look at everything now.
    Reload,
    /// The revisions of this configuration.
    History(String),
    /// Draw everything anew: something else has written on the screen.
    Redraw,
}

/// What of the screen is to be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pane {
    Overview,
    /// All that is known of the selected configuration.
    Details,
    /// What the history keeps of it.
    History(Revisions),
}

/// The answer of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Revisions {
    /// It has been asked.
    Awaited,
    /// Newest first.
    Kept(Vec<Revision>),
    /// It says why not.
    Refused(String),
}

/// What was seen of a configuration since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// When its value last changed.
    pub(super) changed: Option<Duration>,
    /// How long that took.
    pub(super) took: Option<Duration>,
}

/// The state of the screen.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) facts: Facts,
    pub(super) log: Log,
    pub(super) times: Times,
    pub(super) pane: Pane,
    /// How far the text of a pane is scrolled, in lines.
    pub(super) scroll: usize,
    pub(super) keys_shown: bool,
    /// What is being waited for.
    pub(super) notice: Option<String>,
    /// What is wrong with the selected configuration, beside its lines.
    pub(super) report: String,
    /// Since the start.
    pub(super) now: Duration,
    seen: BTreeMap<String, Seen>,
    selected: Option<String>,
    /// The selection is where somebody put it, and stays there.
    by_hand: bool,
}

impl Model {
    /// At the start.
    pub(super) fn new(facts: Facts) -> Self {
        let failing = facts.configs.iter().find(|config| config.failure.is_some());
        let selected = failing.or(facts.configs.first()).map(|config| config.name.clone());
        Self {
            facts,
            log: Log::default(),
            times: Times::default(),
            pane: Pane::Overview,
            scroll: 0,
            keys_shown: true,
            notice: None,
            report: String::new(),
            now: Duration::ZERO,
            seen: BTreeMap::new(),
            selected,
            by_hand: false,
        }
    }

    /// The time goes on.
    pub(super) fn at(&mut self, now: Duration) {
        self.now = now;
    }

    /// Whether an age on the screen is another one by then.
    pub(super) fn ages_by(&self, now: Duration) -> bool {
        let mut changed = self.seen.values().filter_map(|seen| seen.changed);
        changed.any(|at| age(now.saturating_sub(at)) != age(self.now.saturating_sub(at)))
    }

    /// How the engine is now.
    pub(super) fn learn(&mut self, facts: Facts) {
        let before = std::mem::replace(&mut self.facts, facts);
        let known = |config: &Config| before.configs.iter().find(|known| known.name == config.name);
        for config in &self.facts.configs {
            let known = known(config);
            if known.and_then(|known| known.generation) != config.generation {
                self.seen.entry(config.name.clone()).or_default().changed = Some(self.now);
            }
            let fails_newly = config.failure.is_some() && known.is_none_or(|known| known.failure.is_none());
            if fails_newly && !self.by_hand {
                self.selected = Some(config.name.clone());
            }
        }
        if self.selected().is_none() {
            self.selected = self.facts.configs.first().map(|config| config.name.clone());
        }
    }

    /// Something has happened.
    pub(super) fn record(&mut self, record: &Record, at: String) {
        match record {
            Record::ConfigChanged { config_name, generation, changed, old_value, new_value, .. } => {
                self.log.changed(config_name, *generation, changed, old_value, new_value);
            }
            other => self.log.extend(News::of(other, at)),
        }
    }

    /// A reload has come to its end.
    pub(super) fn reload(&mut self, reload: Reload) {
        for name in &reload.configs {
            self.seen.entry(name.clone()).or_default().took = Some(reload.total());
        }
        self.times.add(reload.stages);
        self.notice = None;
        self.log.reload(reload);
    }

    /// What a history says, if it is still to be seen.
    pub(super) fn revisions(&mut self, of: &str, answer: Revisions) {
        let is_awaited = self.pane == Pane::History(Revisions::Awaited);
        if is_awaited && self.selected().is_some_and(|config| config.name == of) {
            self.pane = Pane::History(answer);
        }
    }

    /// The configuration that keys are about.
    pub(super) fn selected(&self) -> Option<&Config> {
        self.index().map(|index| &self.facts.configs[index])
    }

    /// Its row.
    pub(super) fn index(&self) -> Option<usize> {
        let selected = self.selected.as_deref()?;
        self.facts.configs.iter().position(|config| config.name == selected)
    }

    /// What was seen of a configuration.
    pub(super) fn seen(&self, name: &str) -> Seen {
        self.seen.get(name).copied().unwrap_or_default()
    }

    /// The entries of the log that are about the selected configuration, newest first.
    pub(super) fn of_selected(&self) -> impl Iterator<Item = &Entry> {
        let name = self.selected().map(|config| config.name.as_str());
        self.log.newest_first().filter(move |entry| name.is_some_and(|name| entry.is_about(name)))
    }

    /// Somebody has pressed a key.
    pub(super) fn key(&mut self, key: KeyEvent) -> Option<Ask> {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if control => Some(Ask::Quit),
            KeyCode::Char('l') if control => Some(Ask::Redraw),
            _ if control => None,
            KeyCode::Char('q') => Some(Ask::Quit),
            KeyCode::Esc if self.pane == Pane::Overview => Some(Ask::Quit),
            KeyCode::Char('r') => {
                self.notice = Some("looking at everything".into());
                Some(Ask::Reload)
            }
            KeyCode::Char('h') => self.ask_for_history(),
            code => {
                self.steer(code);
                None
            }
        }
    }

    fn ask_for_history(&mut self) -> Option<Ask> {
        let name = self.selected()?.name.clone();
        self.open(Pane::History(Revisions::Awaited));
        Some(Ask::History(name))
    }

    /// The keys that change nothing but what is to be seen.
    fn steer(&mut self, code: KeyCode) {
        match code {
            KeyCode::Esc => self.open(Pane::Overview),
            KeyCode::Enter if self.pane == Pane::Details => self.open(Pane::Overview),
            KeyCode::Enter if self.selected().is_some() => self.open(Pane::Details),
            KeyCode::Char('?') => self.keys_shown = !self.keys_shown,
            KeyCode::Up | KeyCode::Char('k') => self.step(-1),
            KeyCode::Down | KeyCode::Char('j') => self.step(1),
            KeyCode::PageUp => self.step(-10),
            KeyCode::PageDown => self.step(10),
            KeyCode::Home | KeyCode::Char('g') => self.step(isize::MIN),
            KeyCode::End | KeyCode::Char('G') => self.step(isize::MAX),
            _ => {}
        }
    }

    fn open(&mut self, pane: Pane) {
        self.pane = pane;
        self.scroll = 0;
    }

    /// Up or down: from row to row, or through the text of a pane.
    fn step(&mut self, by: isize) {
        if self.pane != Pane::Overview {
            self.scroll = moved(self.scroll, by, details::height(self));
            return;
        }
        let configs = &self.facts.configs;
        let to = moved(self.index().unwrap_or(0), by, configs.len());
        self.selected = configs.get(to).map(|config| config.name.clone());
        self.by_hand = true;
    }
}

/// A place among so many, so much further.
fn moved(from: usize, by: isize, places: usize) -> usize {
    from.saturating_add_signed(by).min(places.saturating_sub(1))
}

#[cfg(test)]
mod tests;
