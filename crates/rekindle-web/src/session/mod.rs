//! [`Session`]: a connection with a browser, without the connection.

mod pulse;
mod shown;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use self::pulse::{Due, PULSE, Pulse};
use self::shown::Shown;
use crate::Update;
use crate::guard::Token;
use crate::hub::{Hub, News, Revision, Seat};
use crate::protocol::{Incoming, LARGEST, LIVERELOAD, MOST_PAGES, Message, OWN, Page, written};

/// What is said on one connection, whatever carries it: texts come in, and texts are there to be sent.
///
/// On a connection that carries bytes it can [speak](Self::speak) by itself. Where a framework has WebSockets of its own
/// and nothing else: give it what comes in, send what [`next`](Self::next) returns, end the connection when either says so.
///
/// Nothing is queued: `next` tells the difference to now at the moment in which something can be sent, so a slow
/// browser is caught up with. Whoever sends gives up on a connection that takes nothing for
/// [`PATIENCE`](Self::PATIENCE).
///
/// ```no_run
/// use rekindle_web::{Outgoing, Session};
///
/// # trait Socket { async fn read(&mut self) -> Option<String>; async fn send(&mut self, _: &str); async fn ping(&mut self); }
/// async fn drive(mut session: Session, socket: &mut impl Socket) {
///     loop {
///         tokio::select! {
///             text = socket.read() => match text {
///                 Some(text) if session.receive(&text).is_ok() => {}
///                 _ => break,
///             },
///             outgoing = session.next() => match outgoing {
///                 Outgoing::Text(text) => socket.send(&text).await,
///                 Outgoing::Ping => socket.ping().await, // call `session.heard()` when it is answered
///                 Outgoing::Close(_) => break,
///             },
///         }
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Session {
    hub: Arc<Hub>,
    stirred: watch::Receiver<u64>,
    seat: Seat,
    admission: Admission,
    dialect: Dialect,
    /// Texts that are to be sent as they are: a hello, the parts of one piece of news for LiveReload.
    texts: VecDeque<String>,
    pages: BTreeMap<u32, Shown>,
    problems_told: Option<u64>,
    pulse: Pulse,
}

/// What a connection may speak.
#[derive(Debug, Clone)]
pub(crate) struct Admission {
    /// The token of this run.
    pub(crate) token: Token,
    /// Whether it was shown already.
    pub(crate) has_token: bool,
    /// Whether LiveReload's dialect is spoken here.
    pub(crate) livereload: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// Nothing was said yet.
    Unknown,
    /// LiveReload's, from this revision on.
    LiveReload(Revision),
    Own,
}

/// What is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outgoing {
    /// A text message.
    Text(String),
    /// A question whether the other side is there: a ping frame of WebSocket, a comment of server-sent events.
    Ping,
    /// The end of the connection.
    Close(Close),
}

/// Why a connection is ended by this side, as a close frame says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Close {
    /// The code, <https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1>.
    pub code: u16,
    /// A few words.
    pub reason: &'static str,
}

impl fmt::Display for Close {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.reason, self.code)
    }
}

impl std::error::Error for Close {}

impl Close {
    const GOING_AWAY: Self = Self { code: 1001, reason: "live reload has ended" };
    pub(crate) const NO_TEXT: Self = Self { code: 1003, reason: "messages are texts" };
    pub(crate) const TOO_LARGE: Self = Self { code: 1009, reason: "the message is too long" };
}

const POLICY: u16 = 1008;

/// How many addresses a client of LiveReload is told at once; of more it loads the page.
const MOST_ADDRESSES: usize = 32;

const fn refusal(reason: &'static str) -> Close {
    Close { code: POLICY, reason }
}

impl Session {
    /// How long a connection may take nothing of what is to be sent before it is given up.
    pub const PATIENCE: std::time::Duration = PULSE;

    /// One that has yet to say hello.
    pub(crate) fn new(hub: Arc<Hub>, seat: Seat, admission: Admission) -> Self {
        let stirred = hub.stirred();
        let pulse = Pulse::new(Instant::now());
        Self {
            hub,
            stirred,
            seat,
            admission,
            dialect: Dialect::Unknown,
            texts: VecDeque::new(),
            pages: BTreeMap::new(),
            problems_told: None,
            pulse,
        }
    }

    /// One whose request says it all, and that can only listen.
    ///
    /// `echo`: whether pages that are up to date are told so. `problems`: the version of those that it knows.
    pub(crate) fn of_listener(
        (hub, seat, admission): (Arc<Hub>, Seat, Admission),
        pages: Vec<Page>,
        echo: bool,
        problems: Option<u64>,
    ) -> Result<Self, Close> {
        let mut session = Self::new(hub, seat, admission);
        session.dialect = Dialect::Own;
        session.pulse = Pulse::of_listener(Instant::now());
        session.problems_told = problems;
        pages.into_iter().try_for_each(|page| session.show(page, echo))?;
        Ok(session)
    }

    /// Takes a message of the browser's.
    ///
    /// # Errors
    ///
    /// How the connection is to be closed, when it is too long, makes no sense or lacks the token.
    pub fn receive(&mut self, text: &str) -> Result<(), Close> {
        self.pulse.heard();
        if text.len() > LARGEST {
            return Err(Close::TOO_LARGE);
        }
        let is_greeted = self.dialect != Dialect::Unknown;
        match serde_json::from_str(text) {
            Ok(Incoming::Hello { protocols, token }) => self.greet(&protocols, token.as_deref()),
            Ok(_) if !is_greeted => Err(refusal("a hello comes first")),
            Ok(Incoming::Page(page)) if self.dialect == Dialect::Own => self.show(page, true),
            Ok(Incoming::Gone { id }) => {
                self.pages.remove(&id);
                self.tell_pages();
                Ok(())
            }
            // Of no concern here; LiveReload has its clients tell more of themselves.
            Ok(_) => Ok(()),
            Err(_) => Err(refusal("the message makes no sense")),
        }
    }

    /// Takes any other sign that the browser is there: the answer to a [ping](Outgoing::Ping).
    pub fn heard(&mut self) {
        self.pulse.heard();
    }

    fn greet(&mut self, protocols: &[String], token: Option<&str>) -> Result<(), Close> {
        let offers = |protocol| protocols.iter().any(|offered| offered == protocol);
        let admission = &mut self.admission;
        admission.has_token |= token.is_some_and(|token| admission.token.is(token));
        let protocol = if offers(OWN) {
            if !admission.has_token {
                return Err(refusal("the token is missing or is that of another run"));
            }
            self.dialect = Dialect::Own;
            OWN
        } else if admission.livereload && offers(LIVERELOAD) {
            self.dialect = Dialect::LiveReload(self.hub.revision());
            LIVERELOAD
        } else {
            return Err(refusal("no protocol that is spoken here was offered"));
        };
        self.pulse.greeted();
        self.texts.push_back(Message::hello(&[protocol]));
        Ok(())
    }

    fn show(&mut self, page: Page, echo: bool) -> Result<(), Close> {
        if self.pages.len() >= MOST_PAGES && !self.pages.contains_key(&page.id) {
            return Err(refusal("these are too many pages for one connection"));
        }
        self.pages.insert(page.id, Shown::new(page, &self.hub, echo));
        self.tell_pages();
        Ok(())
    }

    fn tell_pages(&self) {
        self.seat.shows(self.pages.values().map(|page| page.path().to_owned()).collect());
    }

    /// What is to be sent next, as soon as there is something.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what was not returned was not told.
    pub async fn next(&mut self) -> Outgoing {
        loop {
            // Seen before it is looked for, so that what comes in between is looked for again.
            self.stirred.mark_unchanged();
            if self.hub.is_closed() {
                return Outgoing::Close(Close::GOING_AWAY);
            }
            let (at, due) = self.pulse.next();
            if at <= Instant::now() {
                return self.fall_due(due);
            }
            if let Some(text) = self.take() {
                return Outgoing::Text(text);
            }
            tokio::select! {
                // It ends with the hub, which lives as long as this session does.
                _ = self.stirred.changed() => {}
                () = sleep_until(at) => {}
            }
        }
    }

    fn fall_due(&mut self, due: Due) -> Outgoing {
        match due {
            Due::Ping => {
                self.pulse.pinged(Instant::now());
                Outgoing::Ping
            }
            Due::Greeting => Outgoing::Close(refusal("a hello did not come in time")),
            Due::Answer => Outgoing::Close(refusal("a ping was not answered in time")),
        }
    }

    /// The next message, if there is one by now.
    pub(crate) fn take(&mut self) -> Option<String> {
        if let Dialect::LiveReload(revision) = self.dialect
            && self.texts.is_empty()
        {
            self.take_reloads(revision);
        }
        self.texts.pop_front().or_else(|| match self.dialect {
            Dialect::Own => self.take_problems().or_else(|| self.take_updates()),
            Dialect::Unknown | Dialect::LiveReload(_) => None,
        })
    }

    /// LiveReload has a message for each address, or one for the whole page.
    fn take_reloads(&mut self, revision: Revision) {
        let Some(News { revision, updates }) = self.hub.news(revision) else { return };
        self.dialect = Dialect::LiveReload(revision);
        let is_whole = |update: &Update| matches!(update, Update::Page { .. } | Update::Reload);
        if updates.len() > MOST_ADDRESSES || updates.iter().any(is_whole) {
            self.texts.push_back(Message::reload(&Update::Reload));
        } else {
            self.texts.extend(updates.iter().map(Message::reload));
        }
    }

    fn take_problems(&mut self) -> Option<String> {
        if self.problems_told == Some(self.hub.problems_version()) {
            return None;
        }
        let (version, problems) = self.hub.problems();
        self.problems_told = Some(version);
        Some(Message::Problems { version: written(version), problems: &problems }.text())
    }

    fn take_updates(&mut self) -> Option<String> {
        let hub = &self.hub;
        self.pages.values_mut().find_map(|shown| shown.take(hub))
    }
}
