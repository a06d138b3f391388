//! The terminal: what an engine and templates tell in, a line for each save out, with its code where it is wrong.

use std::io;
use std::sync::Arc;

use rekindle::ChangeEvent;
use rekindle_templates::{TemplateChange, TemplateEvent, TemplateProblem, Templates};
use rekindle_web::Update;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::meaning;
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
    let mut templates = shown.templates.as_ref().map(Templates::subscribe);
    let at_first: Arc<[TemplateProblem]> =
        shown.templates.as_ref().map_or_else(|| Arc::from([]), Templates::problems);
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
            news = next(templates.as_mut(), shown) => match news {
                TemplateEvent::Changed(change) => rendered(&change),
                TemplateEvent::Problems(now) => {
                    let before = std::mem::replace(&mut known, now);
                    problems(shown, &before, &known)
                }
                _ => String::new(),
            },
        };
        if !text.is_empty() {
            output::print_apart(text).await?;
        }
    }
}

/// What is new of templates; never anything where there are none.
async fn next(events: Option<&mut Receiver<TemplateEvent>>, shown: &Shown) -> TemplateEvent {
    let (Some(events), Some(templates)) = (events, &shown.templates) else {
        return std::future::pending().await;
    };
    match events.recv().await {
        Ok(event) => event,
        Err(RecvError::Lagged(_)) => TemplateEvent::Problems(templates.problems()),
        // The engine ends as well, and tells of it.
        Err(RecvError::Closed) => std::future::pending().await,
    }
}

/// A line for each template that is another now.
fn rendered(change: &TemplateChange) -> String {
    let saved = change.changed.iter().map(|name| ("saved", name));
    let gone = change.removed.iter().map(|name| ("deleted", name));
    let told = |name: &String| {
        let words = meaning::words(&[Update::all_pages()]);
        format!("templates/{}  {DIM}{words}{DIM:#}", printable(name))
    };
    saved.chain(gone).map(|(word, name)| line(&watch::now(), GOOD, word, &told(name))).collect()
}

/// The lines of an event. What is said of the file of a configuration or a
/// template is said of that.
fn saved(shown: &Shown, record: &Record) -> String {
    match record {
        Record::FileChanged { kind: "config" | "schema", .. } => String::new(),
        Record::FileChanged { kind: "template", .. } if shown.templates.is_some() => String::new(),
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
