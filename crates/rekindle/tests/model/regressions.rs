//! Sequences that once failed, and what they showed. Each is played several times: what comes of it
//! may depend on how much of it the engine takes in at a time.

use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use rekindle::{ConfigState, HotReloadBuilder};
use rekindle_test::{LIMIT, Running, SHORT_WINDOW, Site};
use serde_json::json;

use crate::op::{FILES, How, Op, Sequence};
use crate::play::play;

const TIMES: u32 = 12;

/// How often something is done whose outcome depends on how fast the engine is.
const ROUNDS: u32 = 100;

/// Plays a sequence on several sites side by side.
#[track_caller]
fn holds(steps: &[Op]) {
    let sequence = &Sequence { steps: steps.to_vec(), queue_limit: None };
    let faults: Vec<String> = std::thread::scope(|scope| {
        let plays: Vec<_> = (0..TIMES).map(|_| scope.spawn(|| play(sequence))).collect();
        plays.into_iter().filter_map(|play| play.join().expect("no panic").err()).collect()
    });
    if let Some(first) = faults.first() {
        panic!("{} of {TIMES} times: {first}", faults.len());
    }
}

/// The plainest sequence there is: what the others build upon.
#[test]
fn a_save_of_every_file_is_seen() {
    let saves: Vec<Op> = (0..FILES.len()).map(|file| Op::Save { file, how: How::RenameOver }).collect();
    holds(&saves);
}

/// A directory's own notice of a move comes after the notices of the directories it moved between, and
/// may be read when it is back, and watched anew, already.
#[tokio::test]
async fn a_directory_moved_away_and_back_at_once_is_still_watched() {
    let mut running = Running::start(Site::new().with("config/sub/c.toml", "n = 0\n")).await;
    for n in 1..=ROUNDS {
        running.site.rename("config/sub", "config/away");
        running.site.rename("config/away", "config/sub");
        running.site.replace("config/sub/c.toml", &format!("n = {n}\n"));
        let (value, _) = running.events.reloaded("sub/c").await;
        assert_eq!(value["n"], n);
    }
}

/// The walk of the new parent watches the directory before the notice of its move is read: to the
/// kernel that is the same watch.
#[tokio::test]
async fn a_directory_moved_into_one_made_that_moment_is_still_watched() {
    let mut running = Running::start(Site::new().with("static/a/b/x.css", "0")).await;
    for n in 1..=ROUNDS {
        let (from, to) = (format!("static/{}", at(n - 1)), format!("static/{}", at(n)));
        let parent = running.site.path(&to);
        std::fs::create_dir_all(parent.parent().expect("it has one")).expect("it is new");
        spin(Duration::from_micros(u64::from(n) * 4));
        running.site.rename(&from, &to);
        running.events.told_of(&format!("{to}/x.css")).await;
        running.site.replace(&format!("{to}/x.css"), &n.to_string());
        running.events.told_of(&format!("{to}/x.css")).await;
    }
}

/// A file that is being judged is not known yet, so that nobody looks for it when its directory goes.
#[tokio::test]
async fn a_directory_that_goes_while_a_file_in_it_is_judged_takes_the_file_with_it() {
    let (begun, judging) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let (begun, released) = (Mutex::new(begun), Mutex::new(released));
    let check = move |_: &serde_json::Value| {
        // Both fail only when the test has failed already.
        let _over = begun.lock().is_ok_and(|begun| begun.send(()).is_ok());
        let _over = released.lock().is_ok_and(|released| released.recv().is_ok());
        Ok(())
    };
    let site = Site::new().with("config/sub/other.toml", "n = 1\n");
    let options = |builder: HotReloadBuilder| builder.debounce(SHORT_WINDOW).check("sub/new", check);
    let mut running = Running::start_with(site, options).await;
    running.site.replace("config/sub/new.toml", "n = 1\n");
    judging.recv_timeout(LIMIT).expect("it is judged");
    running.site.rename("config/sub", "elsewhere/sub");
    running.site.replace("static/later.txt", "");
    running.events.told_of("static/later.txt").await;
    drop(release);
    running.windows_end().await;
    let is_good = |running: &Running| {
        let status = running.manager.status();
        status.configs.get("sub/new").is_some_and(|config| matches!(config.state, ConfigState::Good))
    };
    while is_good(&running) {
        assert!(running.events.next_within(LIMIT).await, "gone, and good: {:#?}", running.events.story());
    }
}

/// A layer that has been invalid for nearly a window is removed and made anew. The window is over in
/// the gap between the two, but the file has not been missing for all of it.
#[tokio::test]
async fn a_gap_at_the_end_of_a_window_is_no_deletion() {
    let site = Site::new().with("config/app.toml", "base = 1\n").with("config/app.test.toml", "layer = 1\n");
    let mut running = Running::start_with(site, |builder| builder.debounce(SHORT_WINDOW)).await;
    running.site.write("config/app.toml", "base = \n");
    tokio::time::sleep(SHORT_WINDOW.mul_f64(0.9)).await;
    running.site.remove("config/app.toml");
    tokio::time::sleep(SHORT_WINDOW.mul_f64(0.2)).await;
    running.site.write("config/app.toml", "base = 2\n");
    assert_eq!(running.events.reloaded("app").await.0, json!({ "base": 2, "layer": 1 }));
    running.quiet_after_window().await;
}

/// Lets the engine get on for a moment, too short to sleep.
fn spin(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// Where the directory is in a round: always below another that was not there before.
fn at(round: u32) -> String {
    if round == 0 { "a/b".into() } else { format!("{round}/b") }
}
