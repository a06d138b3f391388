//! The save race of wintty#1138, which measured 20 of 150 in-place saves applying defaults, and 94 of
//! 150 when the write stalls: a reader that decodes a file in the middle of its save. Pain 4.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use rekindle_test::{LIMIT, Running, Site};
use serde::Deserialize;
use tokio::sync::broadcast;

use crate::hundred::{FILE, at_last, block_on};

/// How many saves, spread over sites that are saved side by side.
const SAVES: u32 = 150;
const SITES: u32 = 5;

/// The number that the first save writes. Three digits: half a number is another number.
const FIRST: u32 = 100;

const NO_STALL: Duration = Duration::ZERO;
const STALL: Duration = Duration::from_millis(120);

/// A type that an empty file would decode into, if it were decoded.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
struct Limits {
    value: u32,
    burst: u32,
}

impl Default for Limits {
    /// What no save ever writes.
    fn default() -> Self {
        Self { value: u32::MAX, burst: u32::MAX }
    }
}

/// With a window that no busy disk takes for a write: at its end a half is applied, as it is all there is.
async fn started() -> Running {
    let site = Site::new().with(FILE, "value = 0\nburst = 0\n");
    Running::start_with(site, |builder| builder.debounce(LIMIT)).await
}

/// What a save writes before and after it stalls.
type Halves = fn(u32) -> (String, String);

fn nothing_then_all(n: u32) -> (String, String) {
    (String::new(), format!("value = {n}\nburst = {n}\n"))
}

/// The first half is a good file: of the value there is the first digit, of the burst nothing.
fn half_a_number(n: u32) -> (String, String) {
    (format!("value = {}", n / 100), format!("{:02}\nburst = {n}\n", n % 100))
}

/// The first half is a good file with one value too few.
fn one_line_of_two(n: u32) -> (String, String) {
    (format!("value = {n}\n"), format!("burst = {n}\n"))
}

#[test]
fn of_150_saves_truncated_then_written_none_applies_a_default_and_each_is_one_reload() {
    race(nothing_then_all, NO_STALL);
}

#[test]
fn of_150_saves_that_stall_while_empty_none_applies_a_default_and_each_is_one_reload() {
    race(nothing_then_all, STALL);
}

#[test]
fn of_150_saves_that_stall_within_a_number_none_applies_half_of_it_and_each_is_one_reload() {
    race(half_a_number, STALL);
}

#[test]
fn of_150_saves_that_stall_between_lines_none_applies_one_alone_and_each_is_one_reload() {
    race(one_line_of_two, STALL);
}

/// The second save begins while the first is being looked at: whatever the moment, what is in the file
/// then is half of the second one, and a good file.
#[test]
fn of_a_save_that_follows_another_at_once_no_half_is_applied() {
    std::thread::scope(|scope| {
        for site in 0..SITES {
            scope.spawn(move || block_on(one_after_the_other(site)));
        }
    });
}

async fn one_after_the_other(site: u32) {
    let mut running = started().await;
    let stream = running.manager.watch::<Limits>("app").await.expect("the configuration is good");
    let mut values = stream.subscribe();
    for n in FIRST..FIRST + SAVES {
        save(&running.site, nothing_then_all(n), NO_STALL);
        // From nothing to twice the default quiet, in small steps, others on each site.
        std::thread::sleep(Duration::from_micros(u64::from((n - FIRST) * SITES + site) * 6));
        save(&running.site, one_line_of_two(n + SAVES), Duration::from_millis(10));
        while next(&mut values, n).await != (Limits { value: n + SAVES, burst: n + SAVES }) {}
    }
    running.quiet().await;
    assert!(values.try_recv().is_err(), "a value too many");
}

/// Somebody asks for a look all the while, and so in the middle of many saves.
#[test]
fn of_150_saves_that_are_looked_at_on_request_no_half_is_applied() {
    std::thread::scope(|scope| {
        for _ in 0..SITES {
            scope.spawn(|| block_on(looked_at_on_request()));
        }
    });
}

async fn looked_at_on_request() {
    let numbers = FIRST..=FIRST + SAVES / SITES - 1;
    let last = Limits { value: *numbers.end(), burst: *numbers.end() };
    let mut running = started().await;
    let mut stream = running.manager.watch::<Limits>("app").await.expect("the configuration is good");
    let file = running.site.path(FILE);
    let saver = std::thread::spawn(move || {
        numbers.for_each(|n| save_to(&file, one_line_of_two(n), Duration::from_micros(1500)));
    });
    let mut halves = Vec::new();
    while !saver.is_finished() {
        running.manager.reload_now().await.expect("the engine runs");
        let value = tokio::time::timeout(NO_STALL, stream.next()).await;
        halves.extend(value.ok().flatten().filter(|value| value.value != value.burst));
    }
    saver.join().expect("saving does not panic");
    assert!(halves.is_empty(), "halves of saves were applied: {halves:?}");
    running.quiet().await;
    assert_eq!(*stream.live().load(), last);
}

fn race(halves: Halves, stall: Duration) {
    std::thread::scope(|scope| {
        for _ in 0..SITES {
            scope.spawn(|| block_on(race_on_a_site(halves, stall)));
        }
    });
}

async fn race_on_a_site(halves: Halves, stall: Duration) {
    let numbers = FIRST..=FIRST + SAVES / SITES - 1;
    let mut running = started().await;
    let stream = running.manager.watch::<Limits>("app").await.expect("the configuration is good");
    let mut values = stream.subscribe();
    for n in numbers.clone() {
        save(&running.site, halves(n), stall);
        // Before the reload is waited for: the first value that comes must be the right one.
        assert_eq!(next(&mut values, n).await, Limits { value: n, burst: n });
    }
    at_last(&mut running, numbers).await;
    assert!(values.try_recv().is_err(), "a value too many");
}

/// Empties the file, writes half of it, stalls, and writes the other half; it is open all the while.
fn save(site: &Site, halves: (String, String), stall: Duration) {
    save_to(&site.path(FILE), halves, stall);
}

fn save_to(file: &Path, (first, second): (String, String), stall: Duration) {
    let mut file = File::create(file).expect("the file can be opened");
    file.write_all(first.as_bytes()).expect("it can be written");
    std::thread::sleep(stall);
    file.write_all(second.as_bytes()).expect("it can be written");
}

/// The next value, which has to be a whole one.
async fn next(values: &mut broadcast::Receiver<Limits>, save: u32) -> Limits {
    let value = tokio::time::timeout(LIMIT, values.recv()).await;
    let value = value.expect("a save is reloaded").expect("the engine runs, and no value is missed");
    assert_eq!(value.value, value.burst, "half of save {save} was applied");
    value
}
