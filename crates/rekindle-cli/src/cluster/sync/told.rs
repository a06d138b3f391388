//! What is told of a directory and a store that are made the same: lines for people, or JSON.

use rekindle_cluster::Release;
use serde_json::json;
use similar::TextDiff;

use super::plan::{Files, Plan};
use crate::output;
use crate::render::{BAD, BOLD, DIM, GOOD, WARNING};
use crate::stop::Stop;
use crate::text::printable;

/// Tells of it in one of two forms. What goes on is told once.
#[derive(Debug)]
pub(super) struct Teller {
    json: bool,
    last: String,
}

impl Teller {
    pub(super) fn new(json: bool) -> Self {
        Self { json, last: String::new() }
    }

    /// Whether it is something else than what was told before.
    fn is_new(&mut self, told: &str) -> bool {
        let is_new = self.last != told;
        if is_new {
            told.clone_into(&mut self.last);
        }
        is_new
    }

    /// A file of the directory is what the store has.
    pub(super) fn taken(&mut self, name: &str, is_there: bool, kept: Option<&str>) -> Result<(), Stop> {
        self.last.clear();
        let event = if is_there { "pulled" } else { "removed" };
        if self.json {
            return tell(&json!({"event": event, "path": name, "kept": kept}));
        }
        let kept =
            kept.map_or_else(String::new, |kept| format!("{DIM}, as it was: {}{DIM:#}", printable(kept)));
        output::print(&format!("{GOOD}{event:<9}{GOOD:#} {}{kept}\n", printable(name)))
    }

    /// What the directory has is on its way to all.
    pub(super) fn published(&mut self, release: Release, names: &[&String]) -> Result<(), Stop> {
        self.last.clear();
        if self.json {
            return tell(&json!({"event": "published", "release": release, "paths": names}));
        }
        let names: Vec<_> = names.iter().map(|name| printable(name)).collect();
        let (rollout, payload) = (release.rollout, release.payload.short());
        output::print(&format!(
            "{GOOD}{:<9}{GOOD:#} {}, as rollout {rollout} of {payload}\n",
            "published",
            names.join(", ")
        ))
    }

    /// Both have changed the same, each otherwise.
    pub(super) fn conflicts(&mut self, plan: &Plan, ours: &Files, theirs: &Files) -> Result<(), Stop> {
        let told = plan.conflicts.iter().map(|name| self.conflict(name, ours.get(name), theirs.get(name)));
        let told: String = told.collect();
        if !self.is_new(&told) {
            return Ok(());
        }
        output::print(&told)?;
        if !self.json {
            output::note("nothing was changed on either side; --ours or --theirs says whose word counts");
        }
        Ok(())
    }

    fn conflict(&self, name: &str, here: Option<&String>, there: Option<&String>) -> String {
        if self.json {
            return format!("{}\n", json!({"event": "conflict", "path": name, "here": here, "there": there}));
        }
        let told = match (here, there) {
            (None, _) => "changed in the store, and removed here\n".to_owned(),
            (_, None) => "changed here, and removed in the store\n".to_owned(),
            (Some(here), Some(there)) => format!("changed here and in the store\n{}", diff(there, here)),
        };
        format!("{BAD}{:<9}{BAD:#} {BOLD}{}{BOLD:#}: {told}", "conflict", printable(name))
    }

    /// Nothing is left to do.
    pub(super) fn same(&mut self, count: usize, release: Option<Release>) -> Result<(), Stop> {
        if !self.is_new(&format!("{count} {release:?}")) {
            return Ok(());
        }
        if self.json {
            return tell(&json!({"event": "same", "configurations": count, "release": release}));
        }
        let release = release.map_or_else(String::new, |release| {
            format!(", rollout {} of {}", release.rollout, release.payload.short())
        });
        let what = crate::text::count(count, "configuration");
        output::print(&format!("{DIM}{:<9}{DIM:#} {what}{release}\n", "the same"))
    }

    /// Something keeps them from being the same at present.
    pub(super) fn waits(&mut self, why: &str) -> Result<(), Stop> {
        if !self.is_new(why) {
            return Ok(());
        }
        if self.json {
            return tell(&json!({"event": "waiting", "reason": why}));
        }
        output::print(&format!("{WARNING}{:<9}{WARNING:#} {}\n", "waiting", printable(why)))
    }

    /// Why a round came to nothing, on standard error.
    pub(super) fn failed(&mut self, stop: &Stop) {
        let (report, message) = (stop.report().unwrap_or_default(), stop.message().unwrap_or_default());
        // All of it is said already.
        if (report.is_empty() && message.is_empty()) || !self.is_new(&format!("{report}{message}")) {
            return;
        }
        output::explain(report);
        if !message.is_empty() {
            output::complain(&message);
        }
    }
}

fn tell(event: &serde_json::Value) -> Result<(), Stop> {
    output::print(&format!("{event}\n"))
}

/// What the store has against what is here, in lines.
fn diff(there: &str, here: &str) -> String {
    let diff = TextDiff::from_lines(there, here);
    let unified = diff.unified_diff().header("in the store", "here").to_string();
    let styled = unified.lines().map(|line| {
        let style = match line.chars().next() {
            Some('+') => GOOD,
            Some('-') => BAD,
            _ => DIM,
        };
        format!("    {style}{}{style:#}\n", printable(line))
    });
    styled.collect()
}
