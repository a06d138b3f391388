//! A program that is stopped while much happens: its queue of notifications overflows.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use rekindle_test::child::{self, Program};
use rekindle_test::{Running, SHORT_WINDOW, Site};

/// Each of them makes two events: 100,000 in all, where the system keeps 16,384.
const SAVES: u32 = 8_000;
const RENAMES: u32 = 42_000;
const FILES: u32 = 60;

/// Before the stop there is a file for each number, and after it one for each.
const GONE: &str = "static/gone.css";
const MOVING: &str = "static/moving.css";
const MOVED: &str = "static/moved.css";
const CONFIG: &str = "config/app.toml";

#[test]
fn a_program_stopped_through_100_000_events_is_right_after_one_rescan() {
    let mut program = Program::start("stopped::body");
    let root = PathBuf::from(program.says(ROOT));
    program.signal("STOP");
    for n in 0..SAVES {
        // Not emptied first: some file systems then write to the disk at once.
        let file = File::options().write(true).open(root.join(format!("static/{}.css", n % FILES)));
        file.and_then(|mut file| write!(file, "{n:6}")).expect("saved");
    }
    // An even number: in the end nothing has moved.
    for n in 0..RENAMES {
        let (from, to) = if n % 2 == 0 { (MOVING, MOVED) } else { (MOVED, MOVING) };
        std::fs::rename(root.join(from), root.join(to)).expect("renamed");
    }
    std::fs::remove_file(root.join(GONE)).expect("it was there");
    std::fs::create_dir_all(root.join("static/new/deep")).expect("it is made");
    std::fs::write(root.join("static/new/deep/x.css"), "1").expect("saved");
    std::fs::write(root.join(CONFIG), "value = 2\n").expect("saved");
    program.signal("CONT");
    program.tell("done");
    program.ends_well();
}

/// The body: watches a site of its own until it is told that all is done, and looks at what it knows.
#[test]
#[ignore = "is stopped and continued, started by the test above"]
fn body() {
    if child::is_this_one() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime can be built").block_on(watch());
    }
}

async fn watch() {
    let mut site = Site::new().with(CONFIG, "value = 1\n").with(GONE, "").with(MOVING, "");
    for n in 0..FILES {
        site = site.with(&format!("static/{n}.css"), "");
    }
    let mut running = Running::start_with(site, |builder| builder.debounce(SHORT_WINDOW)).await;
    println!("{ROOT}{}", running.site.root().display());
    // The line comes after everything was done, and the stop with it.
    std::io::stdin().read_line(&mut String::new()).expect("it is piped");
    running.quiet_after_window().await;
    let story = running.events.story();
    let told = |line: &str| story.iter().filter(|told| told.contains(line)).count();
    assert_eq!(told("Rescanned"), 1, "{story:#?}");
    assert_eq!(told(" modified"), usize::try_from(FILES).expect("few") + 1, "each file once: {story:#?}");
    assert_eq!(told("static/mov"), 0, "{story:#?}");
    assert_eq!(told("static/gone.css deleted"), 1, "{story:#?}");
    assert_eq!(told("static/new/deep/x.css created"), 1, "{story:#?}");
    assert_eq!(running.value("app")["value"], 2);
}

/// What the line begins with that says where the site is.
const ROOT: &str = "the site is at ";
