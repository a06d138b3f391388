//! The screen: a [`Model`] in, a frame out. Pure.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Cell, Paragraph, Row, Table, TableState};

use super::details;
use super::durations;
use super::facts::{Config, Health};
use super::layout::{Needs, Plan};
use super::lines;
use super::model::{Model, Pane};
use super::palette::Palette;
use super::times::age;
use crate::text::{clip, count, milliseconds, width};

/// Draws the whole screen.
pub(super) fn draw(frame: &mut Frame<'_>, model: &Model, palette: Palette) {
    let area = frame.area();
    if model.pane != Pane::Overview {
        let (header, body, keys) = Plan::whole(area, model.keys_shown);
        draw_header(frame, header, model, palette);
        details::draw(frame, body, model, palette);
        return draw_keys(frame, keys, model, palette);
    }
    let failure = lines::failure(model, area.width, palette);
    let needs = Needs { configs: model.facts.configs.len(), failure: failure.len(), keys: model.keys_shown };
    let plan = Plan::new(area, needs);
    let failure = lines::squeezed(failure, plan.failure.height.saturating_sub(1));
    draw_header(frame, plan.header, model, palette);
    draw_table(frame, plan.table, model, palette);
    let failing =
        model.selected().map_or("Failure".to_owned(), |config| format!("Failure of {}", config.name));
    draw_lines(frame, plan.failure, &failing, failure, palette);
    let log = lines::log(model.log.newest_first(), usize::from(plan.log.height), palette);
    draw_lines(frame, plan.log, "Last reloads", log, palette);
    durations::draw(frame, plan.durations, &model.times, palette);
    draw_keys(frame, plan.keys, model, palette);
}

/// A pane: a rule with its title above, if there is room for more than the title.
pub(super) fn pane(frame: &mut Frame<'_>, area: Rect, title: &str, palette: Palette) -> Rect {
    if area.height < 2 {
        return area;
    }
    let title = Span::styled(format!(" {title} "), palette.bold());
    let block = Block::new().borders(Borders::TOP).border_style(palette.dim()).title(title);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    inner
}

/// A pane of lines, the first of them if there are too many.
pub(super) fn draw_lines(
    frame: &mut Frame<'_>,
    area: Rect,
    title: &str,
    lines: Vec<Line<'static>>,
    palette: Palette,
) {
    let inner = pane(frame, area, title, palette);
    frame.render_widget(Paragraph::new(lines), inner);
}

/// The state first: it is what is left where there is little room.
fn draw_header(frame: &mut Frame<'_>, area: Rect, model: &Model, palette: Palette) {
    let facts = &model.facts;
    let (health, word) = if facts.is_degraded() { (Health::Bad, "degraded") } else { (Health::Good, "good") };
    let state = palette.health(health).add_modifier(Modifier::BOLD);
    let mut first = vec![Span::styled(word, state), Span::raw("  ")];
    if let Some(reason) = &facts.degraded {
        first.push(Span::raw(format!("{reason}  ")));
    } else if facts.failed() > 0 {
        let all = facts.configs.len();
        first.push(Span::raw(format!("{} of {all} not in use as on disk  ", facts.failed())));
    }
    first.push(Span::styled(facts.root.clone(), palette.bold()));
    let polled =
        if facts.polled_dirs > 0 { format!(", {} polled", facts.polled_dirs) } else { String::new() };
    let second = format!(
        "environment {}, generation {}, {} watched{polled}, {} seen",
        facts.environment,
        facts.generation,
        directories(facts.watched_dirs),
        count(model.times.len(), "reload"),
    );
    let second = Line::styled(second, palette.dim());
    frame.render_widget(Paragraph::new(vec![Line::from(first), second]), area);
}

fn directories(number: usize) -> String {
    if number == 1 { "1 directory".into() } else { format!("{number} directories") }
}

/// The columns of the table, from the one that stays the longest.
const COLUMNS: [&str; 6] = ["name", "state", "gen", "changed", "took", "files"];

fn draw_table(frame: &mut Frame<'_>, area: Rect, model: &Model, palette: Palette) {
    let title = format!("Configurations ({})", model.facts.configs.len());
    let inner = pane(frame, area, &title, palette);
    if model.facts.configs.is_empty() {
        return frame.render_widget(Line::styled("none yet", palette.dim()), inner);
    }
    let widths = widths(&model.facts.configs, inner.width);
    let columns = columns(inner.width, &widths);
    let rest = usize::from(inner.width.saturating_sub(widths.iter().map(|width| width + 2).sum::<u16>() + 2));
    let rows = model
        .facts
        .configs
        .iter()
        .map(|config| Row::new(cells(config, model, rest, palette).into_iter().take(columns)));
    let constraints = widths.map(Constraint::Length).into_iter().chain([Constraint::Fill(1)]);
    let mut table = Table::new(rows, constraints.take(columns).collect::<Vec<_>>())
        .column_spacing(2)
        .highlight_symbol("> ")
        .row_highlight_style(palette.bold());
    if inner.height > 3 || usize::from(inner.height) > model.facts.configs.len() {
        table = table.header(Row::new(COLUMNS.into_iter().take(columns)).style(palette.dim()));
    }
    let mut state = TableState::new().with_selected(model.index());
    frame.render_stateful_widget(table, inner, &mut state);
}

/// How wide all columns but the last are: as their contents, those of which the range is known as that.
fn widths(configs: &[Config], room: u16) -> [u16; 5] {
    let widest = |column: usize, text: fn(&Config) -> &str| {
        let widest = configs.iter().map(|config| width(text(config))).max().unwrap_or(0);
        u16::try_from(widest.max(COLUMNS[column].len())).unwrap_or(u16::MAX)
    };
    let names = widest(0, |config| config.name.as_str()).min((room / 2).max(8));
    [names, widest(1, |config| config.state), 5, 7, 7]
}

/// How many columns there is room for.
fn columns(width: u16, widths: &[u16]) -> usize {
    let mut left = width.saturating_sub(2);
    let fits = |column: &&u16| {
        let fits = **column <= left;
        left = left.saturating_sub(**column + 2);
        fits
    };
    let fitting = widths.iter().take_while(fits).count();
    (fitting + usize::from(fitting == widths.len() && left >= 10)).max(1)
}

fn cells(config: &Config, model: &Model, rest: usize, palette: Palette) -> [Cell<'static>; 6] {
    let seen = model.seen(&config.name);
    let generation = config.generation.map_or("-".to_owned(), |generation| generation.to_string());
    let changed = seen.changed.map_or("-".to_owned(), |at| age(model.now.saturating_sub(at)));
    let took = seen.took.map_or("-".to_owned(), milliseconds);
    let dim = palette.dim();
    [
        Cell::new(config.name.clone()),
        Cell::new(Span::styled(config.state, palette.health(config.health))),
        Cell::new(generation),
        Cell::new(changed),
        Cell::new(took),
        Cell::new(Span::styled(clip(&config.files.join(" "), rest).into_owned(), dim)),
    ]
}

fn draw_keys(frame: &mut Frame<'_>, area: Rect, model: &Model, palette: Palette) {
    let keys: &[(&str, &str)] = match model.pane {
        Pane::Overview => &[
            ("q", "quit"),
            ("j/k", "select"),
            ("Enter", "details"),
            ("h", "history"),
            ("r", "reload now"),
            ("?", "hide keys"),
        ],
        Pane::Details => {
            &[("q", "quit"), ("Esc", "back"), ("j/k", "scroll"), ("h", "history"), ("r", "reload now")]
        }
        Pane::History(_) => &[("q", "quit"), ("Esc", "back"), ("j/k", "scroll"), ("Enter", "details")],
    };
    let mut spans = Vec::new();
    if let Some(notice) = &model.notice {
        spans.push(Span::styled(format!("{notice}  "), palette.accent()));
    }
    for (key, does) in keys {
        spans.push(Span::styled(*key, Style::new().add_modifier(Modifier::BOLD)));
        spans.push(Span::styled(format!(" {does}  "), palette.dim()));
    }
    frame.render_widget(Line::from(spans), area);
}

#[cfg(test)]
mod tests;
