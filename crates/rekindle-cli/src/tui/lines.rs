//! What has happened, and what is wrong, as lines. Pure.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::facts::{Health, Reload};
use super::log::{Change, Entry};
use super::model::Model;
use super::palette::Palette;
use crate::render::Row;
use crate::text::milliseconds;

/// How many fields of one reload are listed.
const FIELDS: usize = 4;

/// Entries and what belongs to them, up to so many lines.
pub(super) fn log<'a>(
    entries: impl Iterator<Item = &'a Entry>,
    most: usize,
    palette: Palette,
) -> Vec<Line<'static>> {
    let lines = entries.take(most).flat_map(|entry| self::entry(entry, FIELDS, palette));
    lines.take(most).collect()
}

/// An entry, and so many of the fields it changed.
pub(super) fn entry(entry: &Entry, fields: usize, palette: Palette) -> Vec<Line<'static>> {
    match entry {
        Entry::Reload(reload, changes) => {
            let mut lines = vec![headline(reload, palette)];
            lines.extend(reload.reasons.iter().map(|reason| indented(vec![Span::raw(reason.clone())])));
            lines.extend(changes.iter().take(fields).map(|change| field(reload, change, palette)));
            if changes.len() > fields {
                let more = format!("and {} more", changes.len() - fields);
                lines.push(indented(vec![Span::styled(more, palette.dim())]));
            }
            lines
        }
        Entry::News(news) => {
            let spans = vec![
                Span::styled(format!("{}  ", news.at), palette.dim()),
                Span::styled(format!("{:<11}  ", news.word), palette.health(news.health)),
                Span::raw(news.told.clone()),
            ];
            vec![Line::from(spans)]
        }
    }
}

/// When, what came of it, of what, how long it took, and why it was made.
fn headline(reload: &Reload, palette: Palette) -> Line<'static> {
    let configs =
        if reload.configs.is_empty() { "nothing changed".into() } else { reload.configs.join(", ") };
    let style = if reload.configs.is_empty() { palette.dim() } else { palette.bold() };
    let rest = format!(
        "  generation {}, {}, by {}",
        reload.generation,
        milliseconds(reload.total()),
        reload.trigger
    );
    Line::from(vec![
        Span::styled(format!("{}  ", reload.at), palette.dim()),
        Span::styled(format!("{:<11}  ", reload.outcome), palette.health(reload.health)),
        Span::styled(configs, style),
        Span::styled(rest, palette.dim()),
    ])
}

/// A changed field; with its configuration, where several changed.
fn field(reload: &Reload, change: &Change, palette: Palette) -> Line<'static> {
    let mut spans = Vec::new();
    if reload.configs.len() > 1 {
        spans.push(Span::styled(format!("{} ", change.config), palette.dim()));
    }
    spans.extend(values(&change.row, palette));
    indented(spans)
}

/// A pointer, the value before and the one after.
pub(super) fn values(row: &Row, palette: Palette) -> Vec<Span<'static>> {
    vec![
        Span::raw(format!("{}  ", row.pointer)),
        Span::styled(row.old.clone(), palette.health(Health::Bad)),
        Span::styled(" -> ", palette.dim()),
        Span::styled(row.new.clone(), palette.health(Health::Good)),
    ]
}

fn indented(mut spans: Vec<Span<'static>>) -> Line<'static> {
    spans.insert(0, Span::raw(" ".repeat(10)));
    Line::from(spans)
}

/// What is wrong with the selected configuration, beside its lines. None if nothing is.
pub(super) fn failure(model: &Model, palette: Palette) -> Vec<Line<'static>> {
    let Some(failure) = model.selected().and_then(|config| config.failure.as_deref()) else {
        return Vec::new();
    };
    let report = if model.report.is_empty() { failure } else { model.report.as_str() };
    report.lines().map(|line| reported(line, palette)).collect()
}

/// A line of a report: `error: ...`, ` --> file`, `3 | text`, `  |  ^^^`, `help: ...`.
fn reported(line: &str, palette: Palette) -> Line<'static> {
    let whole = |style: Style| Line::from(Span::styled(line.to_owned(), style));
    if line.starts_with("error") {
        return whole(palette.health(Health::Bad).patch(palette.bold()));
    }
    if line.trim_start().starts_with("-->") {
        return whole(palette.accent());
    }
    let Some((gutter, text)) = line.split_once('|') else { return Line::raw(line.to_owned()) };
    if !gutter.chars().all(|character| character == ' ' || character.is_ascii_digit()) {
        return Line::raw(line.to_owned());
    }
    let is_mark = !text.contains(|character: char| character.is_alphanumeric()) && text.contains('^');
    let style = if is_mark { palette.health(Health::Bad) } else { Style::new() };
    Line::from(vec![Span::styled(format!("{gutter}|"), palette.dim()), Span::styled(text.to_owned(), style)])
}
