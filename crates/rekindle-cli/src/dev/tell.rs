//! The terminal: what an engine and templates tell in, a line for each save out, with its code where it is wrong.

use std::io;
use std::sync::Arc;

use rekindle::ChangeEvent;
use rekindle_templates::{TemplateEvent, TemplateProblem};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::shown::Shown;
use crate::output;
use crate::record::{Record, Scribe};
use crate::render::{BAD, DIM, GOOD, line};
use crate::snippet::{self, Problem};
use crate::stop::Stop;
use crate::text::printable;
use crate::watch;

/// Tells of each save until nothing can be told any more.
///
/// # Errors
///
/// [`Stop::Closed`] when nobody reads any more; the engine's own end.
pub(super) async fn tell(shown: &Shown, mut events: Receiver<ChangeEvent>) -> Result<(), Stop> {
    let scribe = Scribe::new(&shown.manager);
    let mut templates = shown.templates.as_ref().map(|templates| templates.subscribe());
    let at_first: Arc<[TemplateProblem]> =
        shown.templates.as_ref().map_or_else(|| Arc::from([]), |templates| templates.problems());
    for doubt in scribe.doubts() {
        output::print_apart(watch::lines(&shown.manager, &doubt)).await?;
    }
    output::print_apart(problems(shown, &[], &at_first)).await?;
    let mut known = at_first;
    loop {
        let text = tokio::select! {
            event = events.recv() => match event {
                Ok(event) => saved(shown, &scribe.record(event)),
                Err(RecvError::Lagged(missed)) => watch::lines(&shown.manager, &Record::Lagged { missed }),
                Err(RecvError::Closed) => return Err(io::Error::other("the engine has ended by itself").into()),
            },
            now = next(templates.as_mut(), shown) => {
                let before = std::mem::replace(&mut known, now);
                problems(shown, &before, &known)
            }
        };
        if !text.is_empty() {
            output::print_apart(text).await?;
        }
    }
}

/// The problems of templates as soon as they are others; never where there are no templates.
async fn next(events: Option<&mut Receiver<TemplateEvent>>, shown: &Shown) -> Arc<[TemplateProblem]> {
    let (Some(events), Some(templates)) = (events, &shown.templates) else {
        return std::future::pending().await;
    };
    loop {
        match events.recv().await {
            Ok(TemplateEvent::Problems(problems)) => return problems,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return templates.problems(),
            Err(RecvError::Closed) => return std::future::pending().await,
        }
    }
}

/// The lines of an event. What is said of a configuration's file is said of the configuration.
fn saved(shown: &Shown, record: &Record) -> String {
    match record {
        Record::FileChanged { kind: "config" | "schema", .. } => String::new(),
        Record::FileChanged { path, change_type, .. } => {
            let word = if *change_type == "modified" { "saved" } else { change_type };
            let told = format!("{}  {DIM}{}{DIM:#}", printable(path), shown.words(path));
            line(&watch::now(), GOOD, word, &told)
        }
        other => watch::lines(&shown.manager, other),
    }
}

/// What is wrong that was not before, beside its lines, and what is mended.
fn problems(shown: &Shown, before: &[TemplateProblem], now: &[TemplateProblem]) -> String {
    let time = watch::now();
    let root = shown.manager.root();
    let mut text = String::new();
    for problem in now.iter().filter(|problem| !before.contains(problem)) {
        let is_kept =
            shown.templates.as_ref().is_some_and(|all| all.digest().contains_key(&problem.template));
        let stays = if is_kept { ", the last good one stays" } else { "" };
        let told = format!("{}{stays}", printable(&problem.template));
        text += &line(&time, BAD, "refused", &told);
        let path = problem.file.as_ref().map(|file| root.join(file));
        let trail = problem.trail().map(|trail| format!(" ({trail})")).unwrap_or_default();
        let place = (problem.line, problem.column);
        let shown = Problem::at(format!("{}{trail}", problem.message), path, place, problem.span.clone());
        text += &snippet::show(&[shown], root, output::width());
    }
    let is_mended = |problem: &&TemplateProblem| now.iter().all(|other| other.template != problem.template);
    for problem in before.iter().filter(is_mended) {
        text += &line(&time, GOOD, "mended", &printable(&problem.template));
    }
    text
}
