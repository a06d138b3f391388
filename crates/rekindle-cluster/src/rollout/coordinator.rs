//! [`Coordinator`]: what follows from what the instances say.
//!
//! In: the head, the instances that live, the time. Out: the next head, or when to look again. It remembers only
//! since when a stage has been as it is; a successor begins to count anew, so that nothing is ever shorter than
//! planned. All else is in the head.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::request::ended;
use crate::model::{Candidate, Head, Instance, Outcome, Pause, Stage, Step, Verdict};

/// The instances that live, by name.
pub(crate) type Fleet = BTreeMap<String, Instance>;

/// What a coordinator remembers.
#[derive(Debug, Default)]
pub(crate) struct Coordinator {
    stage: Option<Since>,
}

/// Since when a stage has been under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Since {
    rollout: u64,
    stage: Stage,
    /// When all that was asked for was there for the first time. Instances that join later have to be well at
    /// the end of the bake, and do not begin it anew: there may always be one that has just joined.
    well: Option<Instant>,
    /// Since when something is missing.
    missing: Option<Instant>,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Nothing, until something changes, or until then.
    Wait(Option<Instant>),
    /// To write this head in the place of the one that was looked at.
    Write(Box<Head>),
}

/// How a stage stands.
#[derive(Clone, Copy)]
enum Progress {
    /// All that is asked for is there.
    Complete,
    /// Some have not said yet whether they accept it.
    Unanswered,
    /// Some that are to use it do not, or cannot say that they are well.
    Unapplied,
    /// Too few live.
    TooFew,
}

impl Coordinator {
    /// Looks at everything.
    pub(crate) fn decide(&mut self, head: &Head, fleet: &Fleet, now: Instant) -> Decision {
        let Some(candidate) = &head.candidate else {
            self.stage = None;
            return Decision::Wait(None);
        };
        if let Some((outcome, reason)) = harm(candidate, fleet) {
            return Decision::Write(Box::new(ended(head, candidate.release, outcome, &reason)));
        }
        if candidate.paused.is_some() {
            self.stage = None;
            return Decision::Wait(None);
        }
        let since = self.since(candidate);
        match progress(head, candidate, fleet) {
            Progress::Complete => self.complete(head, candidate, fleet, now),
            // Whoever is to use it still has to.
            Progress::Unanswered | Progress::TooFew if candidate.approved => {
                self.complete(head, candidate, fleet, now)
            }
            unfinished => {
                let missing = since.missing.unwrap_or(now);
                self.stage = Some(Since { missing: Some(missing), ..since });
                let over = missing + candidate.plan.patience();
                if now < over {
                    Decision::Wait(Some(over))
                } else {
                    out_of_time(head, candidate, fleet, unfinished)
                }
            }
        }
    }

    /// Since when it has been in its stage, as far as this coordinator has seen.
    fn since(&mut self, candidate: &Candidate) -> Since {
        let (rollout, stage) = (candidate.release.rollout, candidate.stage);
        let known = self.stage.filter(|since| (since.rollout, since.stage) == (rollout, stage));
        *self.stage.insert(known.unwrap_or(Since { rollout, stage, well: None, missing: None }))
    }

    /// All that is asked for is there: once it has been so for long enough, the next step begins.
    fn complete(&mut self, head: &Head, candidate: &Candidate, fleet: &Fleet, now: Instant) -> Decision {
        let bake = if candidate.stage == Stage::Validate { Duration::ZERO } else { candidate.plan.bake() };
        let since = self.stage.as_mut().map_or(now, |since| {
            since.missing = None;
            *since.well.get_or_insert(now)
        });
        if now < since + bake {
            return Decision::Wait(Some(since + bake));
        }
        if candidate.plan.manual && !candidate.approved {
            let reason = format!("{} is complete, and this rollout is led by hand", describe(candidate));
            // All that live have just been counted.
            return paused(&Head { fleet: size(fleet), ..head.clone() }, reason);
        }
        Decision::Write(Box::new(advanced(head, candidate, fleet)))
    }
}

/// What speaks against it.
fn harm(candidate: &Candidate, fleet: &Fleet) -> Option<(Outcome, String)> {
    let release = candidate.release;
    let is_used = candidate.stage != Stage::Validate;
    fleet.values().find_map(|instance| match instance.verdict(release)? {
        Verdict::Sick(why) => {
            Some((Outcome::RolledBack, format!("{} is not well with it: {why}", instance.id)))
        }
        Verdict::Refused(why) => {
            let outcome = if is_used { Outcome::RolledBack } else { Outcome::Refused };
            Some((outcome, format!("{} refuses it: {why}", instance.id)))
        }
        Verdict::Accepted | Verdict::Applied | Verdict::Healthy => None,
    })
}

/// Whether a stage has all that it asks for. One that is missing is enough to know that it has not.
fn progress(head: &Head, candidate: &Candidate, fleet: &Fleet) -> Progress {
    if fleet.len() < least_live(head, candidate) {
        Progress::TooFew
    } else if unapplied(candidate, fleet).next().is_some() {
        Progress::Unapplied
    } else if unanswered(candidate, fleet).next().is_some() {
        Progress::Unanswered
    } else {
        Progress::Complete
    }
}

fn unanswered<'a>(candidate: &'a Candidate, fleet: &'a Fleet) -> impl Iterator<Item = &'a Instance> {
    fleet.values().filter(|instance| instance.verdict(candidate.release).is_none())
}

/// Whether one is selected takes a hash: it is asked last, and of nobody who is well with it.
fn unapplied<'a>(candidate: &'a Candidate, fleet: &'a Fleet) -> impl Iterator<Item = &'a Instance> {
    fleet.values().filter(|instance| {
        instance.verdict(candidate.release) != Some(&Verdict::Healthy) && candidate.selects(instance)
    })
}

/// How many instances have to be there, at least one of them.
fn least_live(head: &Head, candidate: &Candidate) -> usize {
    let least = u64::from(head.fleet) * u64::from(candidate.plan.least_live);
    usize::try_from(least.div_ceil(1000)).unwrap_or(usize::MAX).max(1)
}

/// What a stage comes to whose time is over. Nobody uses what is still validated, and too few to judge are no
/// judgement: a person decides. Whoever is to use it and does not has had its time.
fn out_of_time(head: &Head, candidate: &Candidate, fleet: &Fleet, progress: Progress) -> Decision {
    let stage = describe(candidate);
    match progress {
        Progress::Unapplied => {
            let missing = names(unapplied(candidate, fleet));
            let reason = format!("{stage} took too long: waited for {missing}");
            Decision::Write(Box::new(ended(head, candidate.release, Outcome::RolledBack, &reason)))
        }
        Progress::Unanswered => {
            let missing = names(unanswered(candidate, fleet));
            paused(head, format!("{stage} took too long: waited for {missing}"))
        }
        Progress::TooFew => {
            let (there, needed) = (fleet.len(), least_live(head, candidate));
            paused(
                head,
                format!("{stage} cannot be judged: {there} of at least {needed} instances are there"),
            )
        }
        Progress::Complete => Decision::Wait(None),
    }
}

fn paused(head: &Head, reason: String) -> Decision {
    let mut head = head.clone();
    if let Some(candidate) = &mut head.candidate {
        candidate.paused = Some(Pause { reason, inconclusive: true });
    }
    Decision::Write(Box::new(head))
}

fn size(fleet: &Fleet) -> u32 {
    u32::try_from(fleet.len()).unwrap_or(u32::MAX)
}

/// The head with the next step, or after the last one.
fn advanced(head: &Head, candidate: &Candidate, fleet: &Fleet) -> Head {
    let next = match candidate.stage {
        Stage::Validate => 0,
        Stage::Step(number) => number + 1,
    };
    let head = Head { fleet: size(fleet), ..head.clone() };
    let Some(step) = candidate.plan.steps.get(next) else {
        return ended(&head, candidate.release, Outcome::Promoted, "");
    };
    let mut candidate = Candidate { stage: Stage::Step(next), approved: false, ..candidate.clone() };
    match step {
        Step::Label(label) => candidate.labels.push(label.clone()),
        Step::Share(share) => {
            candidate.share = *share;
            // Who has joined meanwhile may stand before those who were in.
            candidate.below = candidate.below.max(threshold(&candidate, fleet, *share));
        }
    }
    Head { candidate: Some(candidate), ..head }
}

/// The place below which as many stand as the share says, at least one. A hash alone would take more than the
/// share of a small fleet by chance, or nobody.
fn threshold(candidate: &Candidate, fleet: &Fleet, share: u16) -> u64 {
    if share >= 1000 {
        return u64::MAX >> 11;
    }
    let mut places: Vec<u64> = fleet.keys().map(|id| candidate.place(id)).collect();
    places.sort_unstable();
    let wanted = (places.len() * usize::from(share) / 1000).max(1);
    places.get(wanted).copied().unwrap_or(u64::MAX >> 11)
}

fn describe(candidate: &Candidate) -> String {
    match (candidate.stage, candidate.step()) {
        (_, Some(Step::Label(label))) => format!("the step for {}={}", label.key, label.value),
        (_, Some(Step::Share(share))) => format!("the step to {} %", f64::from(*share) / 10.0),
        _ => "validation".to_owned(),
    }
}

/// The first names, and how many more.
fn names<'a>(some: impl Iterator<Item = &'a Instance>) -> String {
    let ids: Vec<&str> = some.map(|one| &*one.id).collect();
    let shown = ids[..ids.len().min(5)].join(", ");
    match ids.len() {
        0..=5 => shown,
        more => format!("{shown} and {} more", more - 5),
    }
}
