//! [`FileWatcher`]: true change types, nothing missed, and nothing told of anybody else's files.

use std::fs;
use std::process::Command;

use rekindle::FileWatcher;
use rekindle_test::{Recorder, SHORT_WINDOW, Site, program};

/// A watcher of some paths of a site, and what it has told.
struct Watched {
    _watcher: FileWatcher,
    events: Recorder,
    site: Site,
    fences: u32,
}

impl Watched {
    async fn start(site: Site, paths: &[&str]) -> Self {
        let paths = paths.iter().map(|path| site.path(path)).collect();
        let watcher = FileWatcher::new(paths, SHORT_WINDOW).await.expect("the watcher starts");
        let events = Recorder::new(site.root(), watcher.subscribe());
        Self { _watcher: watcher, events, site, fences: 0 }
    }

    /// Gives everything that is told of what has been done. `fence` is a file that is watched.
    ///
    /// Each path's window runs from its first signal, so when the fence is told to be gone, at the end
    /// of its window, all windows from before have ended. What ended in the same moment may still be
    /// on its way; what is told of the fence after that comes behind it.
    async fn story(&mut self, fence: &str) -> Vec<String> {
        self.raise(fence).await;
        self.site.remove(fence);
        self.events.told_of_deletion(fence).await;
        self.raise(fence).await;
        let story = self.events.story();
        self.events.clear();
        story.into_iter().filter(|line| !line.starts_with(fence)).collect()
    }

    async fn raise(&mut self, fence: &str) {
        self.fences += 1;
        self.site.replace(fence, &format!("fence {}", self.fences));
        self.events.told_of(fence).await;
    }
}

const FENCE: &str = "static/fence";

#[tokio::test]
async fn each_change_of_a_file_is_told_with_its_type() {
    let mut watched = Watched::start(Site::new().with("static/old.css", "old"), &["static"]).await;

    watched.site.write("static/new.css", "new");
    assert_eq!(watched.story(FENCE).await, ["static/new.css created"]);

    watched.site.write("static/old.css", "newer");
    assert_eq!(watched.story(FENCE).await, ["static/old.css modified"]);

    watched.site.replace("static/old.css", "newest");
    assert_eq!(watched.story(FENCE).await, ["static/old.css modified"]);

    watched.site.rename("static/old.css", "static/older.css");
    assert_eq!(watched.story(FENCE).await, ["static/older.css renamed from static/old.css"]);

    watched.site.remove("static/new.css");
    assert_eq!(watched.story(FENCE).await, ["static/new.css deleted"]);
}

/// Nor is the same content written anew. Told is what the program would have to read again.
#[tokio::test]
async fn a_touch_is_not_told() {
    let mut watched = Watched::start(Site::new().with("static/old.css", "old"), &["static"]).await;
    let touch = || program::run(Command::new("touch").arg(watched.site.path("static/old.css")));
    touch();
    watched.site.write("static/old.css", "old");
    watched.site.replace("static/old.css", "old");
    touch();
    assert_eq!(watched.story(FENCE).await, [""; 0]);
}

#[tokio::test]
async fn a_file_moved_in_is_created_and_one_moved_out_is_deleted() {
    let mut watched = Watched::start(Site::new().with("static/out.css", "out"), &["static"]).await;
    watched.site.replace("static/in.css", "in");
    watched.site.rename("static/out.css", "elsewhere/out.css");
    let story = watched.story(FENCE).await;
    assert_eq!(story, ["static/in.css created", "static/out.css deleted"]);
}

/// Of 200 such files `notify` 8 misses 29, and 9-rc 47.
#[tokio::test]
async fn files_in_directories_made_in_the_same_moment_are_all_found() {
    let mut watched = Watched::start(Site::new(), &["static"]).await;
    let mut expected = Vec::new();
    for n in 0..50 {
        for depth in ["a", "a/b", "a/b/c"] {
            let file = format!("static/{n}/{depth}/file.css");
            watched.site.write(&file, "content");
            expected.push(format!("{file} created"));
        }
    }
    let mut story = watched.story(FENCE).await;
    expected.sort();
    story.sort();
    assert_eq!(story, expected);
}

#[tokio::test]
async fn a_directory_moved_in_brings_its_files_and_one_removed_takes_them_along() {
    let mut watched = Watched::start(Site::new(), &["static"]).await;
    watched.site.write("elsewhere/made/a/b/file.css", "content");
    watched.site.write("elsewhere/made/file.css", "content");
    watched.site.rename("elsewhere/made", "static/made");
    let mut story = watched.story(FENCE).await;
    story.sort();
    assert_eq!(story, ["static/made/a/b/file.css created", "static/made/file.css created"]);

    // Armed as well as listed: a later save is told.
    watched.site.write("static/made/a/b/file.css", "other content");
    assert_eq!(watched.story(FENCE).await, ["static/made/a/b/file.css modified"]);

    fs::remove_dir_all(watched.site.path("static/made")).expect("a directory can be removed");
    let mut story = watched.story(FENCE).await;
    story.sort();
    assert_eq!(story, ["static/made/a/b/file.css deleted", "static/made/file.css deleted"]);
}

/// A watch of the directory itself would be dead after this.
#[tokio::test]
async fn a_directory_replaced_by_another_of_its_name_is_still_watched() {
    let mut watched = Watched::start(Site::new().with("static/made/file.css", "old"), &["static"]).await;
    watched.site.write("elsewhere/made/file.css", "new");
    watched.site.rename("static/made", "elsewhere/old");
    watched.site.rename("elsewhere/made", "static/made");
    assert_eq!(watched.story(FENCE).await, ["static/made/file.css modified"]);

    watched.site.write("static/made/file.css", "newer");
    assert_eq!(watched.story(FENCE).await, ["static/made/file.css modified"]);
}

/// What editors and copiers leave beside a file for a moment. Endings are another matter: a watcher
/// has no exclude patterns, so `.tmp` and `.swp` are files as any other.
#[tokio::test]
async fn what_editors_leave_beside_a_file_is_never_told() {
    let mut watched = Watched::start(Site::new(), &["static"]).await;
    let transient =
        ["4913", "a.css~", "#a.css#", ".#a.css", "a.css___jb_tmp___", "a.css___jb_old___", ".nfs0042"];
    for name in transient {
        let file = format!("static/{name}");
        watched.site.write(&file, "one");
        watched.site.replace(&file, "two");
        watched.site.remove(&file);
    }
    assert_eq!(watched.story(FENCE).await, [""; 0]);

    watched.site.write("static/a.tmp", "one");
    assert_eq!(watched.story(FENCE).await, ["static/a.tmp created"]);
}

#[tokio::test]
async fn a_file_renamed_from_a_transient_name_is_no_rename() {
    let mut watched = Watched::start(Site::new().with("static/a.css", "old"), &["static"]).await;
    watched.site.write("static/a.css~", "new");
    watched.site.rename("static/a.css~", "static/a.css");
    watched.site.write("static/b.css~", "new");
    watched.site.rename("static/b.css~", "static/b.css");
    assert_eq!(watched.story(FENCE).await, ["static/a.css modified", "static/b.css created"]);
}

/// The watch is of the name, not of the file: it outlives a rename save, a deletion and a neighbour's storm.
#[tokio::test]
async fn a_single_file_is_watched_while_its_neighbours_change() {
    let file = "config/app.toml";
    let mut watched = Watched::start(Site::new().with(file, "value = 0"), &[file]).await;
    storm(&watched.site);
    watched.site.replace(file, "value = 1");
    assert_eq!(watched.events.told_of(file).await.as_str(), "modified");
    storm(&watched.site);
    watched.site.remove(file);
    watched.events.told_of_deletion(file).await;
    storm(&watched.site);
    watched.site.write(file, "value = 2");
    assert_eq!(watched.events.told_of(file).await.as_str(), "created");
    storm(&watched.site);
    watched.site.replace(file, "value = 3");
    assert_eq!(watched.events.told_of(file).await.as_str(), "modified");

    let story = watched.events.story();
    let expected = ["modified", "deleted", "created", "modified"].map(|change| format!("{file} {change}"));
    assert_eq!(story, expected);
    // Nothing of the neighbours comes late either. The file is its own fence.
    assert_eq!(watched.story(file).await, [""; 0]);
}

fn storm(site: &Site) {
    for name in [
        "config/app.yaml",
        "config/app.toml.x",
        "config/appAtoml",
        "config/app.local.toml",
        "config/xapp.toml",
    ] {
        site.write(name, "value: 1");
        site.replace(name, "value: 2");
        site.remove(name);
    }
    site.write("config/app/app.toml", "value = 9");
}

/// Names that mean something in a glob mean nothing here.
#[tokio::test]
async fn a_file_named_like_a_glob_is_watched_by_its_name() {
    let file = "static/[ab]{c,d}*?.css";
    let mut watched = Watched::start(Site::new().with(file, "one"), &[file]).await;
    watched.site.write("static/acx1.css", "other");
    watched.site.replace(file, "two");
    assert_eq!(watched.events.told_of(file).await.as_str(), "modified");
    assert_eq!(watched.events.story().len(), 1, "{:#?}", watched.events.story());
}

/// Three times as many files as a receiver holds; the record fails when one was missed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_keeps_reading_gets_every_file_of_a_burst() {
    const FILES: usize = 3_000;
    let mut watched = Watched::start(Site::new(), &["static"]).await;
    for n in 0..FILES {
        watched.site.write(&format!("static/{}/{n}.css", n % 20), "new");
    }
    let mut told = std::collections::HashSet::new();
    while told.len() < FILES {
        let event = watched.events.until("the next file", |_| true).await;
        if let rekindle::ChangeEvent::FileChanged { path, .. } = event {
            told.insert(path);
        }
    }
}
