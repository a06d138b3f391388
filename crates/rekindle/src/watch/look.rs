//! A look at one plain file that is due: whether it is finished, and what changed.

use std::path::Path;
use std::time::Instant;

use super::{Inventory, Stamp};
use crate::event::ChangeType;
use crate::settle::{Due, Settle};

/// What came of a look at a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Examined {
    /// It is not to be judged yet: it is due again later.
    Pending,
    /// It is what it was when it was last judged. In between it may have been something else.
    Same { is_there: bool },
    /// It is something else.
    Changed(ChangeType),
}

impl Inventory {
    /// Judges what was read of a file that is no configuration, and notes what it is now.
    ///
    /// What the system has told up to after the reading must have been observed.
    pub(crate) fn examine(
        &mut self,
        root: &Path,
        due: &Due,
        now: Option<Stamp>,
        settle: &mut Settle,
    ) -> Examined {
        if !due.last_chance {
            if settle.stirs(&due.path) {
                settle.again(due);
                return Examined::Pending;
            }
            if let Some(other) = changes_yet(root, due) {
                settle.look_later(due, other, Instant::now());
                return Examined::Pending;
            }
            if self.is_unfinished(due, now.as_ref()) {
                settle.hold(due);
                return Examined::Pending;
            }
        }
        self.note_growth(&due.path, now.as_ref(), settle);
        let is_there = now.is_some();
        self.note(root, due, now).map_or(Examined::Same { is_there }, Examined::Changed)
    }

    /// It is missing, empty or unreadable, and was not, and so may be about to be written.
    fn is_unfinished(&self, due: &Due, now: Option<&Stamp>) -> bool {
        match (now, self.get(&due.path)) {
            (None, known) => known.is_some(),
            (Some(now), Some(known)) => now.is_empty() && !known.is_empty(),
            (Some(now), None) => now.is_empty(),
        }
    }

    /// Tells the settle stage of a file that grows, and of one that does not any more.
    pub(crate) fn note_growth(&self, path: &Path, now: Option<&Stamp>, settle: &mut Settle) {
        let Some((now, before)) = now.zip(self.get(path)) else { return };
        if now.has_grown_from(before) {
            settle.grew(path, Instant::now());
        } else if !now.looks_like(before) {
            settle.calmed(path);
        }
    }
}

/// What a file looks like, if that is not what it looked like when a listing found it: nobody tells when
/// its writer is done, so it has to stay as it is for a while.
pub(crate) fn changes_yet(root: &Path, due: &Due) -> Option<Stamp> {
    let seen = due.seen.as_ref()?;
    Stamp::of(&root.join(&due.path)).filter(|now| !now.looks_like(seen))
}
