//! [`Inbox`]: what has changed and is not worked off yet; and the thread that works it off.
//!
//! Nothing is queued per change: an inbox holds each path once, however often it changed.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rekindle::async_trait::async_trait;
use rekindle::{ChangeEvent, ChangeType, Registration, ReloadHandler, Result};
use tokio::sync::oneshot;

/// How long nothing more has to come before work begins: files that are saved together are told one by one, with
/// nothing in between. That they were is the engine's to know, which waits for what is saved shortly after.
const QUIET: Duration = Duration::from_millis(1);

/// The longest that work is put off because more keeps coming.
const PATIENCE: Duration = Duration::from_millis(40);

/// How often to look again at what may be mended without a word.
const RETRY: Duration = Duration::from_millis(500);

/// How long to sleep when there is nothing to do: any time would be right.
const ROUND: Duration = Duration::from_secs(3600);

/// Beyond so many paths it is cheaper to look at everything.
const MANY: usize = 4096;

/// What is to be looked at.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Work {
    /// All that there is, rather than some paths.
    pub(crate) everything: bool,
    /// Absolute paths of files that changed, came or went.
    pub(crate) paths: BTreeSet<PathBuf>,
}

/// What is to be looked at, and since when.
#[derive(Debug, Default)]
struct Gathered {
    work: Work,
    /// When the first and the last of it came.
    since: Option<(Instant, Instant)>,
    closed: bool,
}

impl Gathered {
    fn add(&mut self, paths: impl IntoIterator<Item = PathBuf>, now: Instant) {
        self.work.paths.extend(paths);
        if self.work.everything || self.work.paths.len() > MANY {
            self.work = Work { everything: true, paths: BTreeSet::new() };
        }
        let first = self.since.map_or(now, |(first, _)| first);
        self.since = Some((first, now));
    }

    /// When to begin with it.
    fn due(&self) -> Option<Instant> {
        self.since.map(|(first, last)| (last + QUIET).min(first + PATIENCE))
    }

    fn take(&mut self) -> Work {
        self.since = None;
        std::mem::take(&mut self.work)
    }
}

/// What has changed and is not worked off yet. Shared by those who fill it and the one who empties it.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    gathered: Mutex<Gathered>,
    stirred: Condvar,
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn edit(&self, change: impl FnOnce(&mut Gathered)) {
        let mut gathered = self.lock();
        // Nobody empties it any more.
        if !gathered.closed {
            change(&mut gathered);
        }
        drop(gathered);
        self.stirred.notify_all();
    }

    /// Has these paths looked at.
    pub(crate) fn add(&self, paths: impl IntoIterator<Item = PathBuf>) {
        self.edit(|gathered| gathered.add(paths, Instant::now()));
    }

    /// Has everything looked at.
    pub(crate) fn add_everything(&self) {
        self.edit(|gathered| {
            gathered.work.everything = true;
            gathered.add([], Instant::now());
        });
    }

    /// Ends the thread that works it off.
    pub(crate) fn close(&self) {
        self.edit(|gathered| gathered.closed = true);
    }

    /// Waits for something to do; `None` once it is closed. After `retry` it gives what is there, even nothing.
    pub(crate) fn next(&self, retry: Option<Duration>) -> Option<Work> {
        let again = retry.map(|retry| Instant::now() + retry);
        let mut gathered = self.lock();
        loop {
            if gathered.closed {
                return None;
            }
            let now = Instant::now();
            let due = gathered.due().or(again);
            if due.is_some_and(|due| due <= now) {
                return Some(gathered.take());
            }
            let rest = due.map_or(ROUND, |due| due - now);
            gathered = match self.stirred.wait_timeout(gathered, rest) {
                Ok((gathered, _)) => gathered,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }
}

/// What follows a piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// Waiting for the next change.
    Wait,
    /// Another look even without a change: something is wrong of whose end nobody tells.
    TryAgain,
    /// Nothing: nobody is interested any more.
    End,
}

/// Works off everything, and then whatever comes, on a thread of its own: one piece at a time. The receiver is
/// told when everything has been worked off once.
pub(crate) fn work_off(
    inbox: Arc<Inbox>,
    mut work: impl FnMut(&Work) -> Then + Send + 'static,
) -> Result<oneshot::Receiver<()>> {
    let (first, ready) = oneshot::channel();
    inbox.add_everything();
    let thread = move || {
        let (mut first, mut retry) = (Some(first), None);
        while let Some(batch) = inbox.next(retry) {
            retry = match catch_unwind(AssertUnwindSafe(|| work(&batch))) {
                Ok(Then::Wait) => None,
                Ok(Then::TryAgain) => Some(RETRY),
                Ok(Then::End) => return,
                // The next save is another chance: a thread that is gone would be none.
                Err(_panic) => {
                    tracing::error!("looking at changed templates panicked; what was good stays in use");
                    None
                }
            };
            // Whoever waited for it may have gone.
            let _told = first.take().map(|first| first.send(()));
        }
    };
    std::thread::Builder::new().name("rekindle-templates".into()).spawn(thread)?;
    Ok(ready)
}

/// Puts what an engine tells into an inbox.
#[derive(Debug)]
pub(crate) struct Feed(pub(crate) Arc<Inbox>);

impl Feed {
    /// All that happens to the files that match a glob. Every write counts: the files are read after they were told of,
    /// and may hold by then what nobody else has seen.
    pub(crate) fn of(pattern: &str, inbox: &Arc<Inbox>) -> Registration {
        Registration::new(Self(Arc::clone(inbox))).named(pattern).files(pattern).every_write()
    }
}

#[async_trait]
impl ReloadHandler for Feed {
    async fn handle_change(&self, event: ChangeEvent) -> Result<()> {
        match event {
            ChangeEvent::FileChanged { path, change_type: ChangeType::Renamed { from } } => {
                self.0.add([path, from]);
            }
            ChangeEvent::FileChanged { path, .. } => self.0.add([path]),
            // A configuration among them, or more than could be told.
            _ => self.0.add_everything(),
        }
        Ok(())
    }

    fn can_handle(&self, _event: &ChangeEvent) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_together_is_worked_off_together() {
        let (mut gathered, start) = (Gathered::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        assert_eq!(gathered.due(), None);
        for ms in 0..20 {
            gathered.add([PathBuf::from(format!("{ms}.html"))], at(ms));
        }
        assert_eq!(gathered.due(), Some(at(19) + QUIET));
        assert_eq!(gathered.take().paths.len(), 20);
        assert_eq!(gathered.due(), None);
    }

    #[test]
    fn what_never_pauses_is_not_put_off_for_ever() {
        let (mut gathered, start) = (Gathered::default(), Instant::now());
        for ms in 0..1000 {
            gathered.add([PathBuf::from("a.html")], start + Duration::from_millis(ms));
        }
        assert_eq!(gathered.due(), Some(start + PATIENCE));
        assert_eq!(gathered.take().paths.len(), 1, "each path is held once");
    }

    #[test]
    fn too_many_paths_are_everything() {
        let mut gathered = Gathered::default();
        gathered.add((0..=MANY).map(|n| PathBuf::from(n.to_string())), Instant::now());
        let everything = Work { everything: true, paths: BTreeSet::new() };
        gathered.add([PathBuf::from("more")], Instant::now());
        assert_eq!(gathered.take(), everything);
    }

    #[test]
    fn a_closed_inbox_ends_whoever_waits() {
        let inbox = Inbox::default();
        inbox.add_everything();
        inbox.close();
        assert_eq!(inbox.next(None), None);
    }

    #[tokio::test]
    async fn who_was_not_told_everything_looks_at_everything() {
        let renamed = ChangeType::Renamed { from: "old".into() };
        let cases = [
            (ChangeEvent::Lagged { missed: 9 }, true, vec![]),
            (
                ChangeEvent::FileChanged { path: "new".into(), change_type: renamed },
                false,
                vec!["new", "old"],
            ),
            (
                ChangeEvent::FileChanged { path: "a".into(), change_type: ChangeType::Deleted },
                false,
                vec!["a"],
            ),
        ];
        for (event, everything, paths) in cases {
            let feed = Feed(Arc::default());
            assert!(feed.can_handle(&event));
            feed.handle_change(event).await.unwrap();
            let paths = paths.into_iter().map(PathBuf::from).collect();
            assert_eq!(feed.0.next(None), Some(Work { everything, paths }));
        }
    }

    #[tokio::test]
    async fn work_that_panics_is_not_the_last() {
        let (inbox, (done, mut told)) = (Arc::new(Inbox::default()), tokio::sync::mpsc::unbounded_channel());
        let ready = work_off(Arc::clone(&inbox), move |work| {
            assert!(!work.everything, "the first piece is too much");
            done.send(work.paths.len()).unwrap();
            Then::End
        });
        ready.unwrap().await.unwrap();
        inbox.add([PathBuf::from("a")]);
        assert_eq!(told.recv().await, Some(1));
    }

    #[test]
    fn a_retry_needs_no_change() {
        assert_eq!(Inbox::default().next(Some(Duration::ZERO)), Some(Work::default()));
    }
}
