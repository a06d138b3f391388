//! The panes about one configuration: its details and its history. Pure.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::facts::{Config, Revision};
use super::lines;
use super::model::{Model, Pane, Revisions};
use super::palette::Palette;
use super::times::age;
use super::view::pane;
use crate::text::milliseconds;

/// How many fields of one reload are listed.
const FIELDS: usize = 50;

/// Draws the pane, from the line it is scrolled to.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model, palette: Palette) {
    let name = model.selected().map_or("", |config| config.name.as_str());
    let title = match model.pane {
        Pane::History(_) => format!("History of {name}"),
        _ => name.to_owned(),
    };
    let inner = pane(frame, area, &title, palette);
    let lines = styled(model, inner.width, palette);
    // What is below the last line is not worth looking at.
    let last = lines.len().saturating_sub(usize::from(inner.height));
    let scrolled: Vec<Line<'_>> = lines.into_iter().skip(model.scroll.min(last)).collect();
    frame.render_widget(Paragraph::new(scrolled), inner);
}

/// How many lines the pane that is open has at least, however wide it is.
pub(super) fn height(model: &Model) -> usize {
    styled(model, u16::MAX, Palette { coloured: false }).len()
}

fn styled(model: &Model, width: u16, palette: Palette) -> Vec<Line<'static>> {
    let Some(config) = model.selected() else { return Vec::new() };
    match &model.pane {
        Pane::Overview => Vec::new(),
        Pane::Details => details(model, config, width, palette),
        Pane::History(revisions) => history(model, revisions, palette),
    }
}

fn details(model: &Model, config: &Config, width: u16, palette: Palette) -> Vec<Line<'static>> {
    let mut lines = facts(model, config, palette);
    let failure = lines::failure(model, width, palette);
    if !failure.is_empty() {
        lines.push(Line::default());
        lines.extend(failure);
    }
    if !config.pending.is_empty() {
        lines.push(Line::default());
        lines.push(Line::styled("Waiting for a restart: running -> on disk", palette.bold()));
        lines.extend(config.pending.iter().map(|row| Line::from(lines::values(row, palette))));
    }
    lines.push(Line::default());
    lines.extend(seen(model, palette));
    lines
}

fn facts(model: &Model, config: &Config, palette: Palette) -> Vec<Line<'static>> {
    let seen = model.seen(&config.name);
    let mut facts = vec![
        fact("state", Span::styled(config.state, palette.health(config.health)), palette),
        fact(
            "generation",
            config.generation.map_or("none yet".into(), |number| number.to_string().into()),
            palette,
        ),
    ];
    let changed = seen.changed.map(|at| format!("{} ago", age(model.now.saturating_sub(at))));
    facts.push(fact("changed", changed.unwrap_or("not since the start".into()).into(), palette));
    if let Some(took) = seen.took {
        facts.push(fact("took", milliseconds(took).into(), palette));
    }
    for (number, file) in config.files.iter().enumerate() {
        facts.push(fact(if number == 0 { "files" } else { "" }, file.clone().into(), palette));
    }
    facts.extend(config.ignored.iter().map(|told| fact("note", told.clone().into(), palette)));
    facts
}

fn fact(name: &'static str, value: Span<'static>, palette: Palette) -> Line<'static> {
    Line::from(vec![Span::styled(format!("{name:<12}"), palette.dim()), value])
}

/// What was seen of it since the start.
fn seen(model: &Model, palette: Palette) -> Vec<Line<'static>> {
    let mut lines = vec![Line::styled("Seen since the start", palette.bold())];
    lines.extend(model.of_selected().flat_map(|entry| lines::entry(entry, FIELDS, palette)));
    if lines.len() == 1 {
        lines.push(Line::styled("no change", palette.dim()));
    }
    lines
}

fn history(model: &Model, revisions: &Revisions, palette: Palette) -> Vec<Line<'static>> {
    let mut lines = vec![Line::styled("Revisions that are kept", palette.bold())];
    match revisions {
        Revisions::Awaited => lines.push(Line::styled("reading", palette.dim())),
        Revisions::Refused(reason) => lines.push(Line::raw(format!("not to be had: {reason}"))),
        Revisions::Kept(kept) if kept.is_empty() => lines.push(Line::styled("none", palette.dim())),
        Revisions::Kept(kept) => lines.extend(kept.iter().map(|revision| line(revision, palette))),
    }
    lines.push(Line::default());
    lines.extend(seen(model, palette));
    lines
}

fn line(revision: &Revision, palette: Palette) -> Line<'static> {
    let number = Span::styled(format!("{:>5}  ", revision.number), palette.health(revision.health));
    Line::from(vec![number, Span::raw(revision.told.clone())])
}
