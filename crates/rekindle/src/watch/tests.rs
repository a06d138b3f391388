//! Every backend finds the same: what one finds at once, another finds when it looks.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::*;
use crate::settle::What;

/// How long anything is waited for before a test fails.
const LIMIT: Duration = Duration::from_secs(20);

/// Where nobody tells, everything is compared this often.
const GLANCE: Duration = Duration::from_millis(5);

struct Site {
    dir: tempfile::TempDir,
    watch: Watch,
    inventory: Inventory,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    #[cfg(target_os = "linux")]
    Inotify,
    Native,
    Poll,
}

const KINDS: &[Kind] = &[
    #[cfg(target_os = "linux")]
    Kind::Inotify,
    Kind::Native,
    Kind::Poll,
];

impl Site {
    fn new(kind: Kind) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(dir.path().join("static")).expect("made");
        std::fs::write(dir.path().join("static/known.css"), "a").expect("written");
        let interest = Interest::new(&["static/**"], &["**/skip"]).expect("good patterns");
        let mut watch = Watch::new(dir.path(), interest, Source::Poll);
        watch.backend = match kind {
            #[cfg(target_os = "linux")]
            Kind::Inotify => Some(system(dir.path(), usize::MAX).expect("inotify is there")),
            Kind::Native => Some(Box::new(native::Native::new(dir.path(), 1000).expect("it is there"))),
            Kind::Poll => None,
        };
        let mut inventory = Inventory::default();
        for (path, stamp) in watch.list() {
            inventory.insert(path, stamp);
        }
        Self { dir, watch, inventory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Waits for a signal on a file and gives the first.
    async fn signal(&mut self, name: &str) -> What {
        let end = Instant::now() + LIMIT;
        loop {
            let mut found = self.watch.drain(&self.inventory);
            if self.watch.backend.is_none() || found.overflowed {
                found.signals.append(&mut self.watch.scan_all(true, &self.inventory).signals);
            }
            if let Some(signal) = found.signals.into_iter().find(|signal| signal.path == Path::new(name)) {
                return signal.what;
            }
            assert!(Instant::now() < end, "no signal of {name}");
            tokio::select! {
                _ = self.watch.changed() => {}
                () = tokio::time::sleep(GLANCE) => {}
            }
        }
    }

    fn know(&mut self, name: &str) {
        let stamp = Stamp::of(&self.path(name)).expect("it is there");
        self.inventory.insert(name.into(), stamp);
    }
}

fn each(test: impl AsyncFn(Site)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for kind in KINDS {
        println!("{kind:?}");
        runtime.block_on(async { test(Site::new(*kind)).await });
    }
}

fn is_there(what: &What) -> bool {
    matches!(what, What::Finished | What::Writing | What::Seen(_) | What::RenamedFrom(_))
}

#[test]
fn a_file_that_is_made_written_and_deleted() {
    each(async |mut site| {
        std::fs::write(site.path("static/new.css"), "new").expect("written");
        assert!(is_there(&site.signal("static/new.css").await));
        std::fs::write(site.path("static/known.css"), "other").expect("written");
        assert!(is_there(&site.signal("static/known.css").await));
        std::fs::remove_file(site.path("static/known.css")).expect("removed");
        while !matches!(site.signal("static/known.css").await, What::Gone) {}
    });
}

#[test]
fn a_file_three_directories_deep_that_are_made_with_it() {
    each(async |mut site| {
        std::fs::create_dir_all(site.path("static/a/b/c")).expect("made");
        std::fs::write(site.path("static/a/b/c/deep.css"), "deep").expect("written");
        assert!(is_there(&site.signal("static/a/b/c/deep.css").await));
        site.know("static/a/b/c/deep.css");
        std::fs::write(site.path("static/a/b/c/deep.css"), "deeper").expect("written");
        assert!(is_there(&site.signal("static/a/b/c/deep.css").await));
    });
}

#[test]
fn a_directory_that_is_moved_in_and_away() {
    each(async |mut site| {
        std::fs::create_dir(site.path("apart")).expect("made");
        std::fs::write(site.path("apart/a.css"), "a").expect("written");
        std::fs::rename(site.path("apart"), site.path("static/in")).expect("moved");
        assert!(is_there(&site.signal("static/in/a.css").await));
        site.know("static/in/a.css");
        std::fs::rename(site.path("static/in"), site.path("apart")).expect("moved");
        while !matches!(site.signal("static/in/a.css").await, What::Gone) {}
    });
}

#[cfg(unix)]
#[test]
fn the_target_of_a_link_out_of_the_root() {
    each(async |mut site| {
        let elsewhere = tempfile::tempdir().expect("a directory");
        let target = elsewhere.path().join("real.css");
        std::fs::write(&target, "a").expect("written");
        std::os::unix::fs::symlink(&target, site.path("static/link.css")).expect("linked");
        assert!(is_there(&site.signal("static/link.css").await));
        site.know("static/link.css");
        std::fs::write(&target, "other").expect("written");
        assert!(is_there(&site.signal("static/link.css").await));
        site.know("static/link.css");
        std::fs::remove_file(&target).expect("removed");
        while !matches!(site.signal("static/link.css").await, What::Gone) {}
    });
}

#[test]
fn excluded_directories_are_not_armed() {
    each(async |mut site| {
        let before = site.watch.directories();
        std::fs::create_dir_all(site.path("static/skip/deep")).expect("made");
        std::fs::create_dir_all(site.path("static/taken")).expect("made");
        std::fs::write(site.path("static/skip/deep/no.css"), "no").expect("written");
        std::fs::write(site.path("static/taken/yes.css"), "yes").expect("written");
        site.signal("static/taken/yes.css").await;
        assert_eq!(site.watch.directories(), before + 1);
    });
}
