//! Settle: raw signals in, batches of paths that are worth a look out.
//!
//! Acts on a finished write at once and is patient only with what looks unfinished. Pure: the time is
//! an argument, there is no file and no channel here, so every rule is a line in `cases/*.txt`.
//!
//! | a path is | because | due |
//! |---|---|---|
//! | finished | its writer closed it, or renamed it into place | when no finished write has followed for the quiet, at most a window after the batch began |
//! | seen | a listing found it changed; nobody said whether its writer is done | after a spell in which it stays as it is, at most a window |
//! | writing | it is open for writing | a window after its first signal, unless it is closed before |
//! | gone | it was deleted, or moved away | when it has been missing for a window, unless it is back before |
//! | held | it was looked at, and is empty, unreadable or invalid | a window after its first signal, unless it is written before |
//!
//! Two things prolong the quiet of the finished ones, since they say that more of the same save is
//! coming: a temporary sibling that is being written ([`What::Staging`]), and whoever drives this
//! ([`Settle::prolong`]). One thing takes a path out of the common quiet: a file that grows again and
//! again, as a log does, is due once a window and holds up nobody else ([`Settle::grew`]).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::watch::Stamp;

#[cfg(test)]
mod tests;

/// How long a path that was merely seen to differ must stay as it is to count as finished.
const SPELL: Duration = Duration::from_millis(40);

/// How often a file may grow, each time within a window of the last, until it is taken for one that
/// never stops. A person who saves, or a script that appends its lines, comes nowhere near.
const RESTLESS: u32 = 8;

/// What the watch stage says of a path.
#[derive(Debug, Clone)]
pub(crate) enum What {
    /// Closed after writing, renamed into place, linked, or its attributes changed.
    Finished,
    /// Finished, by being renamed from another watched path.
    RenamedFrom(PathBuf),
    /// Written to, and not closed yet.
    Writing,
    /// Not there any more under this name.
    Gone,
    /// Differs from what is known; with what it looked like, where a listing found that.
    Seen(Option<Stamp>),
    /// A temporary file beside wanted ones is being written: more is coming.
    Staging,
    /// A temporary file was closed, moved into place or deleted.
    Staged {
        /// Whether it is of the kind of which one comes after the other.
        more: bool,
    },
}

/// A path and what happened to it.
#[derive(Debug, Clone)]
pub(crate) struct Signal {
    pub(crate) path: PathBuf,
    pub(crate) what: What,
}

/// A path that is due for a look.
#[derive(Debug, Clone)]
pub(crate) struct Due {
    pub(crate) path: PathBuf,
    /// The name it was renamed from.
    pub(crate) from: Option<PathBuf>,
    /// When its window began.
    pub(crate) first: Instant,
    /// When the last signal came: the moment the change was finished.
    pub(crate) last: Instant,
    /// Its window is over: what is wrong with it now is wrong.
    pub(crate) last_chance: bool,
    /// What it looked like when a listing found it. If it looks different now, its writer is at work.
    pub(crate) seen: Option<Stamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Finished,
    Seen,
    Writing,
    Gone,
    Held,
}

/// What is waited for, per path.
#[derive(Debug)]
struct Pending {
    state: State,
    from: Option<PathBuf>,
    /// The first signal: its window runs from here.
    first: Instant,
    /// The last signal.
    last: Instant,
    /// When it came into its state.
    since: Instant,
    /// What it looked like, where it was only seen.
    seen: Option<Stamp>,
}

/// A file that grew when it was looked at.
#[derive(Debug)]
struct Growth {
    times: u32,
    /// The last look.
    at: Instant,
}

/// A temporary file that is being written.
#[derive(Debug)]
struct Staging {
    since: Instant,
    last: Instant,
}

/// The state after a signal. The last word counts, except where a listing knows less than the events.
fn merge(before: State, signal: State) -> State {
    match (before, signal) {
        // The writer says that it is done.
        (_, State::Finished) => State::Finished,
        // Opened again: the next close ends it.
        (_, State::Writing) => State::Writing,
        // An editor's gap or a deletion; the window tells them apart.
        (_, State::Gone) => State::Gone,
        // A listing cannot see that a file is open: its close is still to come.
        (State::Writing, State::Seen) => State::Writing,
        // Nothing new: it is due within the quiet anyway.
        (State::Finished, State::Seen) => State::Finished,
        // It is back, or differs again: worth a look after a spell.
        (State::Seen | State::Gone | State::Held, State::Seen) => State::Seen,
        // Not a signal: only `hold` makes it, for a path that is not pending.
        (before, State::Held) => before,
    }
}

/// The state machine of all paths that something happened to and that are not settled yet.
#[derive(Debug)]
pub(crate) struct Settle {
    quiet: Duration,
    window: Duration,
    pending: BTreeMap<PathBuf, Pending>,
    staging: BTreeMap<PathBuf, Staging>,
    /// The last sign that more of a save is coming: the quiet runs from here at the earliest.
    prolonged: Option<Instant>,
    growing: BTreeMap<PathBuf, Growth>,
    wake: Wake,
}

/// When to ask next: known without a look at all that is pending, which a burst makes long.
#[derive(Debug)]
enum Wake {
    /// Not before this moment; `None` while nothing is pending.
    At(Option<Instant>),
    /// To be found out.
    Unknown,
}

impl Settle {
    /// `quiet` bounds how close finished writes must follow to be one batch, `window` all patience.
    pub(crate) fn new(quiet: Duration, window: Duration) -> Self {
        let (pending, staging, growing) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { quiet, window, pending, staging, prolonged: None, growing, wake: Wake::At(None) }
    }

    /// Goes by another quiet and another window from now on.
    pub(crate) fn set(&mut self, quiet: Duration, window: Duration) {
        (self.quiet, self.window) = (quiet, window);
        self.wake = Wake::Unknown;
    }

    /// Takes in one signal.
    pub(crate) fn observe(&mut self, signal: Signal, now: Instant) {
        let Signal { path, what } = signal;
        if let Wake::At(wake) = &mut self.wake {
            // Nothing is due sooner after its signal than this. What was due before stays so, or is later.
            let soonest = now + self.quiet.min(SPELL).min(self.window);
            *wake = Some(wake.map_or(soonest, |wake| wake.min(soonest)));
        }
        match what {
            What::Finished => self.merge(path, State::Finished, now).seen = None,
            What::Writing => self.merge(path, State::Writing, now).seen = None,
            What::Gone => self.merge(path, State::Gone, now).seen = None,
            // A later rename replaces an earlier one; a mere write to the renamed file does not undo it.
            What::RenamedFrom(from) => self.merge(path, State::Finished, now).from = Some(from),
            What::Seen(seen) => self.see(path, seen, now),
            What::Staging => {
                let forgotten = self.memory();
                let staging = self.staging.entry(path).or_insert(Staging { since: now, last: now });
                if now > staging.last + forgotten {
                    staging.since = now;
                }
                staging.last = now;
            }
            What::Staged { more } => {
                self.staging.remove(&path);
                self.prolong(if more { now + SPELL } else { now });
            }
        }
    }

    fn merge(&mut self, path: PathBuf, state: State, now: Instant) -> &mut Pending {
        let fresh = Pending { state, from: None, first: now, last: now, since: now, seen: None };
        let pending = self.pending.entry(path).or_insert(fresh);
        let merged = merge(pending.state, state);
        if merged != pending.state {
            pending.since = now;
        }
        pending.state = merged;
        pending.last = now;
        pending
    }

    /// A listing that finds again what it found before says nothing new: the spell goes on.
    fn see(&mut self, path: PathBuf, seen: Option<Stamp>, now: Instant) {
        let stays = |pending: &Pending| {
            let before = pending.seen.as_ref().filter(|_| pending.state == State::Seen);
            before.zip(seen.as_ref()).is_some_and(|(before, now)| before.looks_like(now))
        };
        if !self.pending.get(&path).is_some_and(stays) {
            self.merge(path, State::Seen, now).seen = seen;
        }
    }

    /// More of a save is coming, by whatever sign: the quiet begins anew, `from` here.
    pub(crate) fn prolong(&mut self, from: Instant) {
        self.prolonged = self.prolonged.max(Some(from));
        self.wake = Wake::Unknown;
    }

    /// The path was due, was looked at, and looks unfinished: wait for its writer until the window ends.
    ///
    /// A signal that came since it was taken out wins, but its window still began with the first one.
    pub(crate) fn hold(&mut self, due: &Due) {
        self.put_back(due, State::Held, None);
    }

    /// The path was due, and its look came to nothing: it is due again, with what else is. Its window
    /// still began with the first signal.
    pub(crate) fn again(&mut self, due: &Due) {
        self.put_back(due, State::Finished, None);
    }

    /// The path was due, and does not look as it did when it was seen: it has to stay as it is `now`.
    pub(crate) fn look_later(&mut self, due: &Due, seen: Stamp, now: Instant) {
        self.put_back(&Due { last: now, ..due.clone() }, State::Seen, Some(seen));
    }

    fn put_back(&mut self, due: &Due, state: State, seen: Option<Stamp>) {
        self.wake = Wake::Unknown;
        let Due { path, from, first, last, .. } = due.clone();
        let back = Pending { state, from, first, last, since: last, seen };
        self.pending.entry(path).and_modify(|pending| pending.first = first).or_insert(back);
    }

    /// The path was due, looked at and had grown in place.
    pub(crate) fn grew(&mut self, path: &Path, now: Instant) {
        self.wake = Wake::Unknown;
        let window = self.window;
        let growth = self.growing.entry(path.to_path_buf()).or_insert(Growth { times: 0, at: now });
        growth.times = if now <= growth.at + window + SPELL { growth.times + 1 } else { 1 };
        growth.at = now;
    }

    /// The path was due and had not grown: it was replaced, or rewritten.
    pub(crate) fn calmed(&mut self, path: &Path) {
        if self.growing.remove(path).is_some() {
            self.wake = Wake::Unknown;
        }
    }

    /// Whether some path is open for writing, as far as is known.
    pub(crate) fn has_writers(&self) -> bool {
        self.pending.values().any(|pending| pending.state == State::Writing)
    }

    /// Whether anything is waited for on this path.
    pub(crate) fn is_pending(&self, path: &Path) -> bool {
        self.pending.contains_key(path)
    }

    /// Whether the content of a path may have changed since it was taken out: what was read of it then
    /// may be half of what is being written now.
    pub(crate) fn stirs(&self, path: &Path) -> bool {
        let changing =
            |pending: &Pending| matches!(pending.state, State::Finished | State::Writing | State::Gone);
        self.pending.get(path).is_some_and(changing)
    }

    /// Forgets what was told of a path: it has been looked at otherwise.
    pub(crate) fn forget(&mut self, path: &Path) {
        self.pending.remove(path);
    }

    /// Whether a path is open for writing, or was written after a moment.
    pub(crate) fn is_written_since(&self, path: &Path, moment: Instant) -> bool {
        self.pending.get(path).is_some_and(|pending| match pending.state {
            State::Writing => true,
            State::Finished => pending.last > moment,
            State::Seen | State::Gone | State::Held => false,
        })
    }

    /// When [`Settle::due`] will next have something to say; `None` while nothing is pending.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let batch = self.batch_deadline();
        self.pending.iter().filter_map(|(path, pending)| self.deadline_of(path, pending, batch)).min()
    }

    /// When to ask [`Settle::due`] next: at the [deadline](Self::deadline), or while signals keep coming a
    /// little before, and then again.
    pub(crate) fn wake(&mut self) -> Option<Instant> {
        let wake = match self.wake {
            Wake::At(wake) => wake,
            Wake::Unknown => self.deadline(),
        };
        self.wake = Wake::At(wake);
        wake
    }

    /// Whether the finished paths are due by now, and would wait if [prolonged](Self::prolong).
    pub(crate) fn batch_is_due(&self, now: Instant) -> bool {
        let waits = || self.batch_bound().is_some_and(|bound| bound > now);
        self.batch_deadline().is_some_and(|batch| batch <= now) && waits()
    }

    /// Takes out every path that is due by now. Those of one call are one batch.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<Due> {
        let batch = self.batch_deadline();
        let is_due = |path: &Path, pending: &Pending| {
            self.deadline_of(path, pending, batch).is_some_and(|at| at <= now)
        };
        let paths: Vec<PathBuf> = self
            .pending
            .iter()
            .filter(|(path, pending)| is_due(path, pending))
            .map(|(path, _)| path.clone())
            .collect();
        self.tidy(now);
        self.wake = Wake::Unknown;
        paths.iter().filter_map(|path| self.take(path, now)).collect()
    }

    /// Forgets what can no longer make a difference.
    fn tidy(&mut self, now: Instant) {
        let memory = self.memory();
        self.growing.retain(|_, growth| now <= growth.at + memory);
        // One that is written to for ever is kept, so that it does not hold up a second batch.
        self.staging.retain(|_, staging| now <= staging.last + memory);
    }

    /// How long after its last sign something still makes a difference.
    fn memory(&self) -> Duration {
        2 * self.window + SPELL
    }

    fn take(&mut self, path: &Path, now: Instant) -> Option<Due> {
        let (path, pending) = self.pending.remove_entry(path)?;
        let Pending { from, first, last, seen, .. } = pending;
        Some(Due { path, from, first, last, last_chance: now >= first + self.window, seen })
    }

    fn deadline_of(&self, path: &Path, pending: &Pending, batch: Option<Instant>) -> Option<Instant> {
        match pending.state {
            State::Finished => self.next_turn(path, pending).or(batch),
            State::Seen => Some((pending.last + SPELL).min(pending.first + self.window)),
            // It has to have been missing for all of a window, whatever was waited for before.
            State::Gone => Some(pending.since + self.window),
            State::Writing | State::Held => Some(pending.first + self.window),
        }
    }

    /// When a file that never stops growing has its turn; `None` for all others.
    fn next_turn(&self, path: &Path, pending: &Pending) -> Option<Instant> {
        let growth = self.growing.get(path).filter(|growth| growth.times >= RESTLESS)?;
        Some(growth.at + self.window).filter(|turn| *turn > pending.last)
    }

    /// The finished paths that are due together.
    fn batch(&self) -> impl Iterator<Item = &Pending> {
        let finished = |(path, pending): &(&PathBuf, &Pending)| {
            pending.state == State::Finished && self.next_turn(path, pending).is_none()
        };
        self.pending.iter().filter(finished).map(|(_, pending)| pending)
    }

    /// When the finished paths are due, all together.
    fn batch_deadline(&self) -> Option<Instant> {
        let last = self.batch().map(|pending| pending.last).max()?;
        let quiet = self.prolonged.map_or(last, |prolonged| prolonged.max(last)) + self.quiet;
        let staged = self.staging.values().map(|staging| staging.since + self.window).max();
        Some(staged.map_or(quiet, |staged| staged.max(quiet)).min(self.batch_bound()?))
    }

    /// The latest that the finished paths can be put off to.
    fn batch_bound(&self) -> Option<Instant> {
        Some(self.batch().map(|pending| pending.since).min()? + self.window)
    }
}
