//! [`Participant`]: what an instance does about the head.
//!
//! In: the head as it changes, and what came of what was asked. Out: the next thing to ask of the engine, one at a
//! time, and what the instance says of itself.

use std::collections::HashMap;

use crate::model::{Answer, Digest, Head, Instance, Release, Verdict};

/// An instance's part.
#[derive(Debug)]
pub(crate) struct Participant {
    head: Option<Head>,
    says: Instance,
    busy: Option<Task>,
    /// Payloads that it does not accept, and why. A change on this machine may mend that: [`Participant::retry`].
    refused: HashMap<Digest, String>,
}

/// What is to be asked of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// Would it take this?
    Validate(Release),
    /// Take this.
    Apply(Release),
    /// Do without the store's part.
    Clear,
}

impl Participant {
    /// An instance that has a release from before, or none.
    pub(crate) fn new(says: Instance) -> Self {
        Self { head: None, says, busy: None, refused: HashMap::new() }
    }

    /// What it says of itself.
    pub(crate) fn says(&self) -> &Instance {
        &self.says
    }

    /// Takes in the head.
    pub(crate) fn follow(&mut self, head: Head) {
        self.head = Some(head);
    }

    /// How many take part, as far as that is known.
    pub(crate) fn fleet(&self) -> u32 {
        self.head.as_ref().map_or(0, |head| head.fleet)
    }

    /// Whether a rollout waits for what this instance says.
    pub(crate) fn is_awaited(&self) -> bool {
        self.candidate().is_some()
    }

    /// The generation of the engine.
    pub(crate) fn generation(&mut self, generation: u64) {
        self.says.generation = generation;
    }

    /// What is to be done now. Until that is reported as done there is nothing else.
    pub(crate) fn next(&mut self) -> Option<Task> {
        if self.busy.is_some() {
            return None;
        }
        self.busy = self.wanted();
        self.busy
    }

    fn wanted(&self) -> Option<Task> {
        let head = self.head.as_ref()?;
        if let Some(candidate) = &head.candidate
            && self.says.verdict(candidate.release).is_none()
        {
            return Some(Task::Validate(candidate.release));
        }
        match self.target(head) {
            Some(release) if self.says.applied == Some(release) => None,
            Some(release) if self.refused.contains_key(&release.payload) => None,
            Some(release) => Some(Task::Apply(release)),
            // A store that was made anew knows nothing of it, and takes nothing away.
            None if self.says.applied.is_some_and(|applied| applied.line == head.line) => Some(Task::Clear),
            None => None,
        }
    }

    /// What it is to use. It keeps away from a candidate that it was not well with, whoever still says otherwise.
    fn target(&self, head: &Head) -> Option<Release> {
        let target = head.target(&self.says);
        let is_candidate = target.is_some_and(|target| self.candidate() == Some(target));
        let is_fit = match target.and_then(|target| self.says.verdict(target)) {
            Some(Verdict::Refused(_) | Verdict::Sick(_)) | None => false,
            Some(Verdict::Accepted | Verdict::Applied | Verdict::Healthy) => true,
        };
        if is_candidate && !is_fit { head.stable } else { target }
    }

    fn candidate(&self) -> Option<Release> {
        self.head.as_ref()?.candidate.as_ref().map(|candidate| candidate.release)
    }

    /// The engine's answer to [`Task::Validate`].
    pub(crate) fn validated(&mut self, release: Release, result: Result<(), String>) {
        self.busy = None;
        let verdict = match result {
            Ok(()) => Verdict::Accepted,
            Err(why) => Verdict::Refused(why),
        };
        self.answer(release, verdict);
    }

    /// What came of [`Task::Apply`].
    pub(crate) fn applied(&mut self, release: Release, result: Result<(), String>) {
        self.busy = None;
        let is_candidate = self.says.verdict(release).is_some();
        match result {
            Ok(()) => {
                self.says.applied = Some(release);
                self.says.trouble = None;
                self.refused.clear();
                if is_candidate {
                    self.answer(release, Verdict::Applied);
                }
            }
            Err(why) if is_candidate && self.candidate() == Some(release) => {
                self.answer(release, Verdict::Refused(why));
            }
            Err(why) => {
                self.says.trouble = Some(format!("rollout {}: {why}", release.rollout));
                self.refused.insert(release.payload, why);
            }
        }
    }

    /// What came of [`Task::Clear`].
    pub(crate) fn cleared(&mut self, result: Result<(), String>) {
        self.busy = None;
        match result {
            Ok(()) => (self.says.applied, self.says.trouble) = (None, None),
            Err(why) => self.says.trouble = Some(why),
        }
    }

    /// A task could not be begun, or its end is not known: it is asked for again.
    pub(crate) fn failed(&mut self, why: String) {
        self.busy = None;
        self.says.trouble = Some(why);
    }

    /// What is wrong at present.
    pub(crate) fn trouble(&mut self, why: String) {
        self.says.trouble = Some(why);
    }

    /// How it goes with what was applied. `went_back`: the engine uses what was before,
    /// of its own accord; what lies on disk may still be what did harm.
    pub(crate) fn health(&mut self, release: Release, result: Result<(), String>, went_back: bool) {
        if self.says.applied != Some(release) {
            return;
        }
        let in_rollout = matches!(self.says.verdict(release), Some(Verdict::Applied | Verdict::Healthy));
        match result {
            Ok(()) if in_rollout => self.answer(release, Verdict::Healthy),
            Ok(()) => {}
            Err(why) => {
                if in_rollout {
                    self.answer(release, Verdict::Sick(why.clone()));
                }
                if self.candidate() != Some(release) {
                    self.says.trouble = Some(format!("rollout {}: {why}", release.rollout));
                }
                // Whatever it is by now: what did harm here is not tried again of itself.
                self.refused.insert(release.payload, why);
                if went_back {
                    self.says.applied = None;
                }
            }
        }
    }

    /// What was refused may be accepted now.
    pub(crate) fn retry(&mut self) {
        self.refused.clear();
    }

    fn answer(&mut self, release: Release, verdict: Verdict) {
        self.says.answer = Some(Answer { release, verdict });
    }
}
