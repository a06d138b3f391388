//! The rule itself: saves one after the other, each waited for, and then the whole record looked at.

use std::ops::RangeInclusive;

use rekindle_test::{Running, Site};
use serde_json::Value;

/// How many saves of a kind.
pub(crate) const SAVES: u32 = 100;

/// Saves that hold a file back for a while are made on this many sites at a time.
const SITES: u32 = 5;

/// How a saver begins its file: a number that each save raises.
pub(crate) const BEGINNING: &str = "value = 0\n";

/// The file that is saved.
pub(crate) const FILE: &str = "config/app.toml";

/// Makes [`SAVES`] saves on one site; `save` is given the number to put into the file.
pub(crate) fn a_hundred(save: impl Fn(&Site, u32)) {
    a_hundred_after(|_| {}, save);
}

/// As [`a_hundred`], after `prepare` has made of the site what the saves need.
pub(crate) fn a_hundred_after(prepare: impl Fn(&Site), save: impl Fn(&Site, u32)) {
    let site = Site::new();
    prepare(&site);
    block_on(saves(site, 1..=SAVES, save));
}

/// Makes [`SAVES`] slow saves, on several sites side by side.
pub(crate) fn a_hundred_slow(save: impl Fn(&Site, u32) + Sync) {
    a_hundred_on(SITES, save);
}

/// Makes [`SAVES`] saves in all, on so many sites side by side.
pub(crate) fn a_hundred_on(sites: u32, save: impl Fn(&Site, u32) + Sync) {
    std::thread::scope(|scope| {
        for _ in 0..sites {
            scope.spawn(|| block_on(saves(Site::new(), 1..=SAVES / sites, &save)));
        }
    });
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime can be built").block_on(future)
}

async fn saves(site: Site, numbers: RangeInclusive<u32>, save: impl Fn(&Site, u32)) {
    let mut running = Running::start(site.with(FILE, BEGINNING)).await;
    for n in numbers.clone() {
        save(&running.site, n);
        one_reload(&mut running, n).await;
    }
    at_last(&mut running, numbers).await;
}

/// Waits for the reload of save `n`, which has to bring its number.
pub(crate) async fn one_reload(running: &mut Running, n: u32) {
    let (value, _) = running.events.reloaded("app").await;
    assert_eq!(number(&value), Some(u64::from(n)), "the value after save {n}");
}

/// Looks at the whole record of numbered saves, of which the last must have the last word.
pub(crate) async fn at_last(running: &mut Running, numbers: RangeInclusive<u32>) {
    let last = *numbers.end();
    whole_record(running, u32::try_from(numbers.count()).expect("few saves"), last).await;
}

/// Looks at the whole record: for each save one changed file, one changed value, one reload completed.
/// In the end there is the value of the last.
pub(crate) async fn whole_record(running: &mut Running, saves: u32, last: u32) {
    running.quiet().await;
    assert_eq!(number(&running.value("app")), Some(u64::from(last)), "the value in the end");
    let story = running.events.story();
    for (save, told) in (1u32..).zip(story.chunks(3)) {
        let [file, change, completed] = told else { panic!("save {save}: {told:?}") };
        assert_eq!(file, &format!("{FILE} modified"), "save {save}: {told:#?}");
        assert!(change.starts_with("app changed to "), "save {save}: {told:#?}");
        assert_eq!(completed, "app completed", "save {save}: {told:#?}");
    }
    assert_eq!(story.len(), 3 * saves as usize, "more than one reload a save: {story:#?}");
}

/// The number that the last save put into a value: the greatest there is, since some savers append.
fn number(value: &Value) -> Option<u64> {
    value.as_object()?.values().filter_map(Value::as_u64).max()
}
