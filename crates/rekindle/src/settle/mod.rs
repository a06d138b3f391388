//! Settle: raw signals in, batches of paths that are worth a look out.
//!
//! Acts on a finished write at once and is patient only with what looks unfinished. Pure: the time is
//! an argument, there is no file and no channel here, so every rule is a line in `cases/*.txt`.
//!
//! | a path is | because | due |
//! |---|---|---|
//! | finished | its writer closed it, or renamed it into place | when no finished write has followed for the quiet, at most a window after the batch began |
//! | seen | a listing found it changed; nobody said whether its writer is done | after a spell without a further signal, at most a window |
//! | writing | it is open for writing | a window after its first signal, unless it is closed before |
//! | gone | it was deleted, or moved away | a window after its first signal, unless it is back before |
//! | held | it was looked at, and is empty, unreadable or invalid | a window after its first signal, unless it is written before |

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// How long a path that was merely seen to differ must stay as it is to count as finished.
const SPELL: Duration = Duration::from_millis(40);

/// What the watch stage says of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// Closed after writing, renamed into place, linked, or its attributes changed.
    Finished,
    /// Finished, by being renamed from another watched path.
    RenamedFrom(PathBuf),
    /// Written to, and not closed yet.
    Writing,
    /// Not there any more under this name.
    Gone,
    /// Differs from what is known, found by listing.
    Seen,
}

/// A path and what happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signal {
    pub(crate) path: PathBuf,
    pub(crate) what: What,
}

/// A path that is due for a look.
#[derive(Debug, Clone, PartialEq, Eq)]
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
}

impl Settle {
    /// `quiet` bounds how close finished writes must follow to be one batch, `window` all patience.
    pub(crate) fn new(quiet: Duration, window: Duration) -> Self {
        Self { quiet, window, pending: BTreeMap::new() }
    }

    /// Goes by another quiet and another window from now on.
    pub(crate) fn set(&mut self, quiet: Duration, window: Duration) {
        (self.quiet, self.window) = (quiet, window);
    }

    /// Takes in one signal.
    pub(crate) fn observe(&mut self, signal: Signal, now: Instant) {
        let (state, from) = match signal.what {
            What::Finished => (State::Finished, None),
            What::RenamedFrom(from) => (State::Finished, Some(from)),
            What::Writing => (State::Writing, None),
            What::Gone => (State::Gone, None),
            What::Seen => (State::Seen, None),
        };
        let fresh = Pending { state, from: None, first: now, last: now, since: now };
        let pending = self.pending.entry(signal.path).or_insert(fresh);
        let merged = merge(pending.state, state);
        if merged != pending.state {
            pending.since = now;
        }
        pending.state = merged;
        pending.last = now;
        // A later rename replaces an earlier one; a mere write to the renamed file does not undo it.
        pending.from = from.or(pending.from.take());
    }

    /// The path was due, was looked at, and looks unfinished: wait for its writer until the window ends.
    ///
    /// A signal that came since it was taken out wins, but its window still began with the first one.
    pub(crate) fn hold(&mut self, due: &Due) {
        let Due { path, from, first, last, .. } = due.clone();
        self.pending.entry(path).and_modify(|pending| pending.first = first).or_insert(Pending {
            state: State::Held,
            from,
            first,
            last,
            since: last,
        });
    }

    /// Whether some path is open for writing, as far as is known.
    pub(crate) fn has_writers(&self) -> bool {
        self.pending.values().any(|pending| pending.state == State::Writing)
    }

    /// Whether the content of a path may have changed since it was taken out: what was read of it then
    /// may be half of what is being written now.
    pub(crate) fn stirs(&self, path: &Path) -> bool {
        let changing =
            |pending: &Pending| matches!(pending.state, State::Finished | State::Writing | State::Gone);
        self.pending.get(path).is_some_and(changing)
    }

    /// The path was due, and its look came to nothing: it is due again, with what else is. Its window
    /// still began with the first signal.
    pub(crate) fn again(&mut self, due: &Due) {
        let Due { path, from, first, last, .. } = due.clone();
        self.pending.entry(path).and_modify(|pending| pending.first = first).or_insert(Pending {
            state: State::Finished,
            from,
            first,
            last,
            since: last,
        });
    }

    /// When [`Settle::due`] will next have something to say; `None` while nothing is pending.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let batch = self.batch_deadline();
        self.pending.values().filter_map(|pending| self.deadline_of(pending, batch)).min()
    }

    /// Takes out every path that is due by now. Those of one call are one batch.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<Due> {
        let batch = self.batch_deadline();
        let is_due = |pending: &Pending| self.deadline_of(pending, batch).is_some_and(|at| at <= now);
        let paths: Vec<PathBuf> = self
            .pending
            .iter()
            .filter(|(_, pending)| is_due(pending))
            .map(|(path, _)| path.clone())
            .collect();
        paths.iter().filter_map(|path| self.take(path, now)).collect()
    }

    fn take(&mut self, path: &Path, now: Instant) -> Option<Due> {
        let (path, pending) = self.pending.remove_entry(path)?;
        let Pending { from, first, last, .. } = pending;
        Some(Due { path, from, first, last, last_chance: now >= first + self.window })
    }

    fn deadline_of(&self, pending: &Pending, batch: Option<Instant>) -> Option<Instant> {
        match pending.state {
            State::Finished => batch,
            State::Seen => Some((pending.last + SPELL).min(pending.first + self.window)),
            State::Writing | State::Gone | State::Held => Some(pending.first + self.window),
        }
    }

    /// When the finished paths are due, all together.
    fn batch_deadline(&self) -> Option<Instant> {
        let finished = || self.pending.values().filter(|pending| pending.state == State::Finished);
        let quiet = finished().map(|pending| pending.last).max()? + self.quiet;
        let bound = finished().map(|pending| pending.since).min()? + self.window;
        Some(quiet.min(bound))
    }
}
