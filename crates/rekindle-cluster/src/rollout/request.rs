//! What people ask for: each makes the next head of the one there is.
//!
//! Whoever asks writes it under the condition that the head is still the one it was made of.

use crate::error::{Error, Result};
use crate::model::{Candidate, Digest, Ended, Head, Outcome, Pause, Plan, Release, Stage};

/// Begins a rollout.
///
/// # Errors
///
/// [`Error::Conflict`] while another is on its way, [`Error::Plan`] for a plan that leads nowhere.
pub fn publish(head: &Head, payload: Digest, plan: Plan, salt: String) -> Result<Head> {
    plan.check()?;
    if let Some(other) = &head.candidate {
        return Err(Error::Conflict(format!(
            "rollout {} is still on its way: wait for its end, or abort it",
            other.release.rollout
        )));
    }
    let release = Release { line: head.line, rollout: head.rollout + 1, payload };
    let candidate = Candidate {
        release,
        plan,
        stage: Stage::Validate,
        share: 0,
        below: 0,
        labels: Vec::new(),
        salt,
        paused: None,
        approved: false,
    };
    Ok(Head { rollout: release.rollout, candidate: Some(candidate), ..head.clone() })
}

/// Whether what is stable is what somebody looked at; `None` is nothing.
///
/// # Errors
///
/// [`Error::Conflict`] when it is something else by now.
pub fn still_stable(head: &Head, looked_at: Option<Digest>) -> Result<()> {
    if head.stable.map(|stable| stable.payload) == looked_at {
        return Ok(());
    }
    Err(Error::Conflict(match head.stable {
        Some(stable) => {
            format!(
                "rollout {} of {} is stable meanwhile: look at that first",
                stable.rollout,
                stable.payload.short()
            )
        }
        None => "nothing is stable any more: the store was made anew".to_owned(),
    }))
}

/// Makes a payload stable at once, asking nobody. Each instance validates it for itself, and keeps what it has
/// if it does not accept it.
///
/// # Errors
///
/// [`Error::Conflict`] while a rollout is on its way.
pub fn publish_at_once(head: &Head, payload: Digest) -> Result<Head> {
    let published = publish(head, payload, Plan::at_once(), String::new())?;
    let release = Release { line: head.line, rollout: published.rollout, payload };
    let last = Ended { release, outcome: Outcome::Promoted, reason: String::new() };
    Ok(Head { stable: Some(release), candidate: None, last: Some(last), ..published })
}

/// Lets a rollout that waits for a person go on.
///
/// # Errors
///
/// [`Error::Conflict`] when none does.
pub fn approve(head: &Head) -> Result<Head> {
    change(head, |candidate| {
        let pause = candidate.paused.take().ok_or("does not wait for anybody")?;
        candidate.approved = pause.inconclusive;
        Ok(())
    })
}

/// Stops a rollout where it is.
///
/// # Errors
///
/// [`Error::Conflict`] when there is none, or it is stopped already.
pub fn pause(head: &Head, reason: &str) -> Result<Head> {
    change(head, |candidate| {
        if candidate.paused.is_some() {
            return Err("is paused already");
        }
        candidate.paused = Some(Pause { reason: reason.to_owned(), inconclusive: false });
        Ok(())
    })
}

/// Ends a rollout: everybody goes back to what is stable.
///
/// # Errors
///
/// [`Error::Conflict`] when there is none.
pub fn abort(head: &Head, reason: &str) -> Result<Head> {
    let candidate = head.candidate.as_ref().ok_or_else(none)?;
    Ok(ended(head, candidate.release, Outcome::Aborted, reason))
}

/// The head after the end of a rollout.
pub(super) fn ended(head: &Head, release: Release, outcome: Outcome, reason: &str) -> Head {
    let stable = if outcome == Outcome::Promoted { Some(release) } else { head.stable };
    let last = Some(Ended { release, outcome, reason: reason.to_owned() });
    Head { stable, candidate: None, last, ..head.clone() }
}

fn change(head: &Head, change: impl FnOnce(&mut Candidate) -> Result<(), &'static str>) -> Result<Head> {
    let mut head = head.clone();
    let candidate = head.candidate.as_mut().ok_or_else(none)?;
    let rollout = candidate.release.rollout;
    change(candidate).map_err(|why| Error::Conflict(format!("rollout {rollout} {why}")))?;
    Ok(head)
}

fn none() -> Error {
    Error::Conflict("no rollout is on its way".to_owned())
}
