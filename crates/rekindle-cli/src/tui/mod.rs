//! `rekindle watch --tui`: an engine's events and somebody's keys in, a live screen out.
//!
//! What is shown is a pure [`model`], how it is shown a pure [`view`] of it with its [`layout`]; [`facts`] is what they
//! know of the library. This file and [`screen`] have the input and the output. Nothing is drawn unless
//! something has happened, but for the ages of what has, once a second.

mod details;
mod durations;
mod facts;
mod layout;
mod lines;
mod log;
mod model;
mod palette;
#[cfg(test)]
mod samples;
mod screen;
mod times;
mod view;

use std::io;
use std::time::{Duration, SystemTime};

use ratatui::crossterm::event::{Event, KeyEventKind};
use rekindle::{ChangeEvent, ConfigState, HotReloadManager, Receipt};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};

use crate::record::{Record, Scribe};
use crate::snippet;
use crate::stop::Stop;
use crate::text::printable;
use facts::{Facts, Reload, Revision, time_of_day};
use model::{Ask, Model, Revisions};
use palette::Palette;
use screen::Screen;

pub(crate) use screen::needs_a_terminal;

/// The shortest time between two frames.
const FRAME: Duration = Duration::from_millis(100);
/// How often ages are drawn anew.
const TICK: Duration = Duration::from_secs(1);
/// Answers that may wait to be shown.
const ANSWERS: usize = 8;

/// Shows the screen until somebody quits or the terminal is hung up.
///
/// # Errors
///
/// What the terminal refuses; that the engine has ended by itself.
pub(crate) async fn run(manager: &HotReloadManager) -> Result<(), Stop> {
    tokio::select! {
        () = screen::hung_up() => Ok(()),
        ended = Show::open(manager)?.run() => ended,
    }
}

/// The screen and what it shows.
struct Show<'a> {
    manager: &'a HotReloadManager,
    screen: Screen,
    model: Model,
    started: Instant,
    answers: mpsc::Sender<Answer>,
    answered: mpsc::Receiver<Answer>,
    /// Something may be other than the model has it.
    stale: bool,
    /// The screen shows something else than the model says.
    dirty: bool,
    next_frame: Instant,
}

/// What comes of something that was asked for.
enum Answer {
    History(String, Revisions),
    /// The reload itself is told as any other; this is that there was none.
    NoReload(String),
}

/// What happens next.
enum Next {
    Event(Result<ChangeEvent, RecvError>),
    Receipt(Result<Receipt, RecvError>),
    Typed(Option<Event>),
    Answer(Answer),
    Tick,
    Draw,
}

/// Where it comes from.
struct Inputs {
    events: Receiver<ChangeEvent>,
    receipts: Receiver<Receipt>,
    typed: mpsc::Receiver<Event>,
    ticks: Interval,
}

impl Inputs {
    fn open(manager: &HotReloadManager) -> io::Result<Self> {
        let (events, receipts, typed) = (manager.subscribe(), manager.receipts(), screen::typed()?);
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self { events, receipts, typed, ticks })
    }

    async fn next(&mut self) -> Next {
        tokio::select! {
            event = self.events.recv() => Next::Event(event),
            receipt = self.receipts.recv() => Next::Receipt(receipt),
            event = self.typed.recv() => Next::Typed(event),
            _ = self.ticks.tick() => Next::Tick,
        }
    }
}

impl<'a> Show<'a> {
    fn open(manager: &'a HotReloadManager) -> Result<Self, Stop> {
        let (answers, answered) = mpsc::channel(ANSWERS);
        let model = Model::new(Facts::of(&manager.status()));
        let (screen, started) = (Screen::open()?, Instant::now());
        let (stale, dirty, next_frame) = (true, true, started);
        Ok(Self { manager, screen, model, started, answers, answered, stale, dirty, next_frame })
    }

    async fn run(mut self) -> Result<(), Stop> {
        let mut inputs = Inputs::open(self.manager)?;
        let mut is_over = false;
        while !is_over {
            let next = tokio::select! {
                next = inputs.next() => next,
                Some(answer) = self.answered.recv() => Next::Answer(answer),
                () = sleep_until(self.next_frame), if self.dirty => Next::Draw,
            };
            self.mark(&next);
            is_over = self.act(next, &mut inputs.events)?;
        }
        Ok(())
    }

    /// What is to be looked at and drawn anew after this.
    fn mark(&mut self, next: &Next) {
        match next {
            Next::Draw => self.dirty = false,
            Next::Tick => self.dirty |= self.model.ages_by(self.started.elapsed()),
            _ => (self.dirty, self.stale) = (true, true),
        }
    }

    /// Whether it is over.
    fn act(&mut self, next: Next, events: &mut Receiver<ChangeEvent>) -> Result<bool, Stop> {
        match next {
            Next::Event(event) => self.event(event)?,
            Next::Receipt(receipt) => self.receipt(receipt, events)?,
            Next::Typed(None) => return Ok(true),
            Next::Typed(Some(event)) => return Ok(self.typed(&event)? == Some(Ask::Quit)),
            Next::Answer(answer) => self.answer(answer),
            Next::Tick => {}
            Next::Draw => self.draw()?,
        }
        Ok(false)
    }

    fn event(&mut self, event: Result<ChangeEvent, RecvError>) -> Result<(), Stop> {
        let record = match event {
            Ok(event) => Scribe::new(self.manager).record(event),
            Err(RecvError::Lagged(missed)) => Record::Lagged { missed },
            Err(RecvError::Closed) => return Err(ended_by_itself()),
        };
        self.model.record(&record, time_of_day(SystemTime::now()));
        Ok(())
    }

    /// The events of a reload are sent before its receipt, in a channel of their own.
    fn receipt(
        &mut self,
        receipt: Result<Receipt, RecvError>,
        events: &mut Receiver<ChangeEvent>,
    ) -> Result<(), Stop> {
        while let Ok(event) = events.try_recv() {
            self.event(Ok(event))?;
        }
        match receipt {
            Ok(receipt) => self.model.reload(Reload::of(&receipt)),
            Err(RecvError::Lagged(missed)) => self.event(Err(RecvError::Lagged(missed)))?,
            Err(RecvError::Closed) => return Err(ended_by_itself()),
        }
        Ok(())
    }

    fn typed(&mut self, event: &Event) -> Result<Option<Ask>, Stop> {
        let Event::Key(key) = event else { return Ok(None) };
        if key.kind == KeyEventKind::Release {
            return Ok(None);
        }
        let ask = self.model.key(*key);
        match &ask {
            Some(Ask::Reload) => self.reload(),
            Some(Ask::History(name)) => self.history(name.clone()),
            Some(Ask::Redraw) => self.screen.forget()?,
            Some(Ask::Quit) | None => {}
        }
        Ok(ask)
    }

    fn reload(&self) {
        let (manager, answers) = (self.manager.clone(), self.answers.clone());
        tokio::spawn(async move {
            if let Err(error) = manager.reload_now().await {
                // Nobody waits for it any more when the screen has closed.
                let _closed = answers.send(Answer::NoReload(error.to_string())).await;
            }
        });
    }

    fn history(&self, name: String) {
        let (manager, answers) = (self.manager.clone(), self.answers.clone());
        tokio::spawn(async move {
            let revisions = match manager.history(&name).await {
                Ok(entries) => Revisions::Kept(entries.iter().rev().map(Revision::of).collect()),
                Err(error) => Revisions::Refused(printable(error.message()).into_owned()),
            };
            let _closed = answers.send(Answer::History(name, revisions)).await;
        });
    }

    fn answer(&mut self, answer: Answer) {
        match answer {
            Answer::History(name, revisions) => self.model.revisions(&name, revisions),
            Answer::NoReload(error) => self.model.notice = Some(printable(&error).into_owned()),
        }
    }

    fn draw(&mut self) -> Result<(), Stop> {
        self.model.at(self.started.elapsed());
        if std::mem::take(&mut self.stale) {
            self.look();
        }
        let (model, palette) = (&self.model, Palette { coloured: self.screen.coloured });
        self.screen.draw(|frame| view::draw(frame, model, palette))?;
        self.next_frame = Instant::now() + FRAME;
        Ok(())
    }

    /// Learns how the engine is, and reads the lines of the failure that is to be seen.
    fn look(&mut self) {
        let status = self.manager.status();
        self.model.learn(Facts::of(&status));
        let selected = self.model.selected().and_then(|config| status.configs.get(&config.name));
        let report = match selected.map(|config| &config.state) {
            Some(ConfigState::Degraded(error)) => {
                snippet::report(error, &status.root, Some(self.screen.width()))
            }
            _ => String::new(),
        };
        self.model.report = anstream::adapter::strip_str(&report).to_string();
    }
}

fn ended_by_itself() -> Stop {
    io::Error::other("the engine has ended by itself").into()
}
