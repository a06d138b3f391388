//! What has happened, and what is wrong, as lines. Pure.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::facts::{Health, Reload};
use super::log::{Change, Entry};
use super::model::Model;
use super::palette::Palette;
use crate::render::Row;
use crate::text::{milliseconds, width};

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
            lines.extend(reasons(reload).map(|reason| indented(vec![Span::raw(reason)])));
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
    let refused = reload.refused.iter().map(|(config, _)| config);
    let names: Vec<&str> = reload.configs.iter().chain(refused).map(String::as_str).collect();
    let generation = reload.generation;
    let rest = format!("generation {generation}, {}, by {}", milliseconds(reload.total()), reload.trigger);
    let gap = if names.is_empty() { "" } else { "  " };
    Line::from(vec![
        Span::styled(format!("{}  ", reload.at), palette.dim()),
        Span::styled(format!("{:<11}  ", reload.outcome), palette.health(reload.health)),
        Span::styled(names.join(", ") + gap, palette.bold()),
        Span::styled(rest, palette.dim()),
    ])
}

/// Why not all was applied. What the headline says already is left out.
fn reasons(reload: &Reload) -> impl Iterator<Item = String> {
    let is_alone = reload.configs.is_empty() && reload.refused.len() == 1;
    let refused = reload
        .refused
        .iter()
        .map(move |(config, told)| if is_alone { told.clone() } else { format!("{config} refused {told}") });
    refused.chain(reload.undone.clone())
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

/// What is wrong with the selected configuration, beside its lines; what is said in words is broken to the
/// width. None if nothing is wrong.
pub(super) fn failure(model: &Model, width: u16, palette: Palette) -> Vec<Line<'static>> {
    let Some(failure) = model.selected().and_then(|config| config.failure.as_deref()) else {
        return Vec::new();
    };
    let report = if model.report.is_empty() { failure } else { model.report.as_str() };
    report.lines().flat_map(|line| reported(line, usize::from(width), palette)).collect()
}

/// The lines of a failure that fit, without those that only make it easier to read if that is needed for it.
pub(super) fn squeezed(lines: Vec<Line<'static>>, height: u16) -> Vec<Line<'static>> {
    if lines.len() <= usize::from(height) {
        return lines;
    }
    let is_empty =
        |line: &Line<'_>| line.spans.iter().all(|span| is_gutter(span.content.trim_end_matches('|')));
    lines.into_iter().filter(|line| !is_empty(line)).collect()
}

/// A line of a report: `error: ...`, ` --> file`, `3 | text`, `  |  ^^^`, `help: ...`.
fn reported(line: &str, width: usize, palette: Palette) -> Vec<Line<'static>> {
    if let Some((gutter, text)) = line.split_once('|').filter(|(gutter, _)| is_gutter(gutter)) {
        let is_mark = gutter.trim().is_empty() && text.contains('^');
        let style = if is_mark { palette.health(Health::Bad) } else { Style::new() };
        let gutter = Span::styled(format!("{gutter}|"), palette.dim());
        return vec![Line::from(vec![gutter, Span::styled(text.to_owned(), style)])];
    }
    let style = match line.trim_start() {
        text if text.starts_with("error") => palette.health(Health::Bad).patch(palette.bold()),
        text if text.starts_with("-->") => palette.accent(),
        _ => Style::new(),
    };
    broken(line, width).into_iter().map(|line| Line::styled(line, style)).collect()
}

fn is_gutter(text: &str) -> bool {
    text.chars().all(|character| character == ' ' || character.is_ascii_digit())
}

/// A text in lines of this width, broken between words as far as they fit.
fn broken(text: &str, to: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_inclusive(' ') {
        let last = lines.last_mut().map_or(0, |line| width(line));
        if last > 0 && last + width(word.trim_end()) > to {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_whole_and_nothing_is_lost() {
        assert_eq!(broken("", 5), [""]);
        assert_eq!(broken("one two three", 7), ["one two ", "three"]);
        assert_eq!(broken("a verylongword b", 4), ["a ", "verylongword ", "b"]);
    }

    #[test]
    fn where_there_is_little_room_empty_lines_go_first() {
        let lines = |text: &str| -> Vec<Line<'static>> {
            text.lines().flat_map(|line| reported(line, 80, Palette { coloured: true })).collect()
        };
        let report = "error: bad\n --> a:2\n  |\n2 | a\n  | ^";
        assert_eq!(squeezed(lines(report), 5), lines(report));
        assert_eq!(squeezed(lines(report), 4), lines("error: bad\n --> a:2\n2 | a\n  | ^"));
    }

    #[test]
    fn lines_of_a_report_are_told_apart() {
        let palette = Palette { coloured: true };
        let styles = |line: &str| -> Vec<Style> {
            let spans = |line: Line<'static>| {
                let style = line.style;
                line.spans.into_iter().map(move |span| style.patch(span.style))
            };
            reported(line, 80, palette).into_iter().flat_map(spans).collect()
        };
        let red = palette.health(Health::Bad);
        assert_eq!(styles("error: bad"), [red.patch(palette.bold())]);
        assert_eq!(styles(" --> config/app.toml:2:8"), [palette.accent()]);
        assert_eq!(styles("2 | a = '^' | b"), [palette.dim(), Style::new()]);
        assert_eq!(styles("  |     ^^^ here"), [palette.dim(), red]);
        assert_eq!(styles("help: a | b"), [Style::new()]);
    }
}
