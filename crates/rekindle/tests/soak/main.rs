//! The soak: mixed edits at 50 a second, and what an engine costs while they go on.
//!
//! A program that watches a site runs beside this one, which edits the site and looks at the program
//! from without: its memory, its open files, its watches. Now and then the edits pause, and then nothing
//! may be lost: every stream holds what the disk holds, the files that were told of are those that
//! there are, and there is one watch for each directory.
//!
//! `REKINDLE_SOAK_SECONDS` sets how long; `cargo xtask soak` runs it for half an hour. Memory is held to
//! its bound from two minutes on: before that the program is still warming up.

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "tests write files as anybody would")]

mod editor;
mod figures;
mod watcher;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rekindle_test::child::Program;

use editor::Editor;
use figures::Figures;

/// How long it takes unless the environment says otherwise.
const SECONDS: u64 = 15;

/// How many edits there are a second.
const RATE: u32 = 50;

/// How often the edits pause.
const PAUSES: Duration = Duration::from_secs(5);

/// From how long a run on its memory is held to its bound.
const LONG: Duration = Duration::from_secs(120);

#[test]
fn nothing_is_lost_and_nothing_grows() {
    let time = Duration::from_secs(seconds());
    let mut program = Program::start("watcher::body");
    let mut editor = Editor::new(PathBuf::from(program.says(watcher::ROOT)));
    let (begin, mut warm) = (Instant::now(), None);
    while begin.elapsed() < time {
        edit_for_a_while(&mut editor);
        program.tell("quiet?");
        let directories = program.says(watcher::QUIET);
        let now = Figures::of(program.id());
        println!("{:6} s  {:8} edits  {now}", begin.elapsed().as_secs(), editor.edits());
        assert_eq!(now.watches.to_string(), directories, "one watch a directory");
        if begin.elapsed() >= warm_up(time) {
            now.hold_against(warm.get_or_insert(now), time >= LONG);
        }
    }
    program.tell("end");
    program.ends_well();
}

fn seconds() -> u64 {
    match std::env::var("REKINDLE_SOAK_SECONDS") {
        Ok(text) => text.parse().expect("REKINDLE_SOAK_SECONDS is a number"),
        Err(_) => SECONDS,
    }
}

/// After this long the program has had every size it will have.
fn warm_up(time: Duration) -> Duration {
    time.min(Duration::from_secs(600)) / 5
}

/// Edits at the rate until it is time to pause, and leaves everything good.
fn edit_for_a_while(editor: &mut Editor) {
    let begin = Instant::now();
    for number in 0.. {
        let due = Duration::from_secs(1) / RATE * number;
        if due >= PAUSES {
            break;
        }
        std::thread::sleep(due.saturating_sub(begin.elapsed()));
        editor.edit();
    }
    editor.mend_everything();
}
