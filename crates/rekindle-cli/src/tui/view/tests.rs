use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Color;

use super::*;
use crate::record::Record;
use crate::tui::facts::Revision;
use crate::tui::model::Revisions;
use crate::tui::samples::{REPORT, applied, broken, change, changed, facts, refused};

const PALETTE: Palette = Palette { coloured: true };

fn drawn(model: &Model, palette: Palette, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal in memory");
    terminal.draw(|frame| draw(frame, model, palette)).expect("it cannot fail");
    terminal.backend().buffer().clone()
}

/// The lines of a screen, without the blanks at their ends.
fn text(buffer: &Buffer) -> String {
    let rows = buffer.content.chunks(usize::from(buffer.area.width).max(1));
    let lines = rows.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>());
    lines.map(|line| line.trim_end().to_owned() + "\n").collect()
}

fn press(model: &mut Model, code: KeyCode) {
    model.key(KeyEvent::new(code, KeyModifiers::NONE));
}

/// Some reloads, and a configuration that is broken.
fn busy() -> Model {
    let mut model = Model::new(facts());
    for generation in 2..8 {
        model.at(Duration::from_secs(generation * 10));
        model.record(&change("app", generation), "12:00:00".into());
        model.reload(applied(&["app"], generation, 1_500 + generation * 100));
        model.learn(changed(facts(), "app", generation));
    }
    model.at(Duration::from_secs(75));
    model.reload(refused("database", 7));
    model.learn(broken(changed(facts(), "app", 7), "database"));
    model.report = REPORT.into();
    model
}

/// Holds a screen against the file of its size; `REKINDLE_SCREENS=write` writes the files anew.
fn is_as_in(file: &str, expected: &str, shown: &str) {
    if std::env::var_os("REKINDLE_SCREENS").is_some_and(|word| word == "write") {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tui/view/").to_owned() + file;
        return std::fs::write(path, shown).expect("the file can be written");
    }
    assert!(shown == expected, "{file} is to be\n{expected}\nand it is\n{shown}");
}

#[test]
fn a_large_screen_has_room_for_everything() {
    is_as_in("120x40.txt", include_str!("120x40.txt"), &text(&drawn(&busy(), PALETTE, 120, 40)));
}

#[test]
fn a_usual_screen_has_the_totals_only() {
    is_as_in("80x24.txt", include_str!("80x24.txt"), &text(&drawn(&busy(), PALETTE, 80, 24)));
}

#[test]
fn a_small_screen_has_what_fails() {
    is_as_in("40x10.txt", include_str!("40x10.txt"), &text(&drawn(&busy(), PALETTE, 40, 10)));
}

#[test]
fn details_have_all_that_is_known_of_a_configuration() {
    let mut model = busy();
    press(&mut model, KeyCode::Enter);
    is_as_in("details.txt", include_str!("details.txt"), &text(&drawn(&model, PALETTE, 80, 24)));
}

#[test]
fn a_history_is_a_line_for_each_revision() {
    let mut model = busy();
    press(&mut model, KeyCode::Char('h'));
    assert!(text(&drawn(&model, PALETTE, 80, 24)).contains("reading"));
    let revision =
        Revision { number: 12, health: Health::Bad, told: "2026-01-01 12:00:00  files  crashed".into() };
    model.revisions("database", Revisions::Kept(vec![revision]));
    assert!(text(&drawn(&model, PALETTE, 80, 24)).contains("\n   12  2026-01-01 12:00:00  files  crashed\n"));
}

#[test]
fn of_one_cell_the_state_is_left() {
    assert_eq!(text(&drawn(&busy(), PALETTE, 1, 1)), "d\n");
    assert_eq!(text(&drawn(&Model::new(facts()), PALETTE, 1, 1)), "g\n");
}

#[test]
fn no_size_is_too_small_and_none_too_large() {
    let mut none = facts();
    none.configs.clear();
    let mut models = [busy(), Model::new(facts()), Model::new(none), busy(), busy()];
    press(&mut models[3], KeyCode::Enter);
    press(&mut models[4], KeyCode::Char('h'));
    for model in &models {
        for (width, height) in
            (1..34).step_by(3).flat_map(|width| (1..26).step_by(2).map(move |height| (width, height)))
        {
            drawn(model, PALETTE, width, height);
        }
        for (width, height) in [(99, 21), (100, 22), (101, 60), (300, 3), (3, 100), (200, 80)] {
            drawn(model, PALETTE, width, height);
        }
    }
}

#[test]
fn without_colours_there_are_none_and_every_word_is_there() {
    let plain = drawn(&busy(), Palette { coloured: false }, 80, 24);
    let coloured = drawn(&busy(), PALETTE, 80, 24);
    assert!(plain.content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
    assert!(coloured.content.iter().any(|cell| cell.fg == Color::Red));
    assert!(coloured.content.iter().all(|cell| cell.bg == Color::Reset), "the background is the terminal's");
    assert_eq!(text(&plain), text(&coloured));
}

#[test]
fn the_keys_go_when_they_are_not_wanted() {
    let mut model = busy();
    assert!(text(&drawn(&model, PALETTE, 80, 24)).contains("q quit"));
    press(&mut model, KeyCode::Char('?'));
    assert!(!text(&drawn(&model, PALETTE, 80, 24)).contains("q quit"));
}

#[test]
fn what_others_wrote_cannot_steer_the_terminal() {
    let mut model = busy();
    let path = "static/\u{1b}[2J.css".to_owned();
    model.record(
        &Record::FileChanged { path, change_type: "created", from: None, kind: "asset" },
        "12".into(),
    );
    let shown = text(&drawn(&model, PALETTE, 80, 24));
    assert!(shown.contains("static/\\u{1b}[2J.css"), "{shown}");
}
