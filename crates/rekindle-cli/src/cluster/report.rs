//! How a cluster looks for people.

use anstyle::Style;
use rekindle_cluster::{
    Candidate, ClusterStatus, Ended, Head, Instance, Outcome, Release, Stage, Step, Verdict,
};

use crate::control::table::{Cell, cell, lines};
use crate::render::{BAD, BOLD, DIM, GOOD, WARNING};
use crate::text::printable;

/// Everything: the rollout in a line, and a line an instance.
pub(crate) fn whole(status: &ClusterStatus, terminal: Option<usize>) -> String {
    let head = &status.head;
    let stable = head.stable.map_or_else(|| "nothing yet".to_owned(), release);
    let coordinator = status.coordinator.as_deref().unwrap_or("nobody");
    let mut shown = format!("{}\n", rollout(head, Some(status)));
    shown += &format!("{DIM}stable{DIM:#}       {stable}\n");
    shown += &format!("{DIM}coordinator{DIM:#}  {}\n", printable(coordinator));
    if status.instances.is_empty() {
        return shown + "No instance is there\n";
    }
    let rows: Vec<Vec<Cell>> = status.instances.iter().map(|instance| row(instance, head)).collect();
    shown + "\n" + &lines(&rows, 0, terminal)
}

/// How far a rollout is, or how the last one ended, in a line.
pub(crate) fn rollout(head: &Head, status: Option<&ClusterStatus>) -> String {
    match (&head.candidate, &head.last) {
        (Some(candidate), _) => on_its_way(candidate, status),
        (None, Some(ended)) => over(ended),
        (None, None) => "nothing has been published".to_owned(),
    }
}

fn on_its_way(candidate: &Candidate, status: Option<&ClusterStatus>) -> String {
    let stage = match (candidate.stage, candidate.step()) {
        (Stage::Step(_), Some(Step::Label(label))) => format!("those with {}={}", label.key, label.value),
        (Stage::Step(_), Some(Step::Share(share))) => format!("{} %", f64::from(*share) / 10.0),
        _ => "being validated".to_owned(),
    };
    let counts = status.map_or_else(String::new, |status| {
        let (all, said) = (status.instances.len(), |is: fn(&Verdict) -> bool| {
            status.instances.iter().filter(|one| one.verdict(candidate.release).is_some_and(is)).count()
        });
        let accepted = said(|verdict| !matches!(verdict, Verdict::Refused(_)));
        let healthy = said(|verdict| *verdict == Verdict::Healthy);
        format!("; {accepted} of {all} accept it, {healthy} well with it")
    });
    let paused = candidate.paused.as_ref().map_or_else(String::new, |pause| {
        format!("; {WARNING}waits for a person{WARNING:#}: {}", printable(&pause.reason))
    });
    format!("{BOLD}{}{BOLD:#}: {}{counts}{paused}", release(candidate.release), printable(&stage))
}

fn over(ended: &Ended) -> String {
    let (style, word) = match ended.outcome {
        Outcome::Promoted => (GOOD, "all use it"),
        Outcome::Refused => (BAD, "refused, and nobody used it"),
        Outcome::RolledBack => (BAD, "taken back"),
        Outcome::Aborted => (WARNING, "aborted"),
    };
    let reason =
        if ended.reason.is_empty() { String::new() } else { format!(": {}", printable(&ended.reason)) };
    format!("{BOLD}{}{BOLD:#}: {style}{word}{style:#}{reason}", release(ended.release))
}

fn release(release: Release) -> String {
    format!("rollout {} of {}", release.rollout, release.payload.short())
}

/// Name, what it uses, what it says of the candidate, version, labels, what is wrong.
fn row(instance: &Instance, head: &Head) -> Vec<Cell> {
    let uses = instance
        .applied
        .map_or_else(|| "nothing".to_owned(), |applied| format!("rollout {}", applied.rollout));
    let style = if instance.applied == head.stable { Style::new() } else { BOLD };
    let answer = head.candidate.as_ref().and_then(|candidate| instance.verdict(candidate.release));
    let (says_style, says) = match answer {
        None => (DIM, "-".to_owned()),
        Some(Verdict::Accepted) => (Style::new(), "accepts".to_owned()),
        Some(Verdict::Applied) => (WARNING, "tries it".to_owned()),
        Some(Verdict::Healthy) => (GOOD, "is well".to_owned()),
        Some(Verdict::Refused(why)) => (BAD, format!("refuses: {why}")),
        Some(Verdict::Sick(why)) => (BAD, format!("is not well: {why}")),
    };
    let labels: Vec<String> = instance.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    vec![
        cell(BOLD, &instance.id),
        cell(style, &uses),
        cell(says_style, &says),
        cell(DIM, &instance.version),
        cell(DIM, &labels.join(" ")),
        cell(BAD, instance.trouble.as_deref().unwrap_or_default()),
    ]
}
