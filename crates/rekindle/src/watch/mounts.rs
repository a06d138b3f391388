//! Something mounted over a watched directory, or taken off it, which no inotify event tells of.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use tokio::io::Interest as Readiness;
use tokio::io::unix::AsyncFd;

/// Where Linux tells of every mount; it is ready for whoever waits for a priority event when that
/// changes (`proc_pid_mountinfo(5)`).
const MOUNTS: &str = "/proc/self/mountinfo";

/// Watches the mounts that a root can be affected by.
#[derive(Debug)]
pub(super) struct Mounts {
    file: AsyncFd<File>,
    root: PathBuf,
    /// The lines of the mounts at, above and below the root.
    known: Vec<String>,
}

impl Mounts {
    /// Starts watching. There is nothing to watch where `/proc` is missing.
    ///
    /// # Errors
    ///
    /// When it is missing.
    pub(super) fn new(root: &Path) -> io::Result<Self> {
        #[allow(deprecated, reason = "deprecated for types that lie about their descriptor; a File cannot")]
        let file = AsyncFd::with_interest(File::open(MOUNTS)?, Readiness::PRIORITY)?;
        let mut mounts = Self { file, root: root.to_path_buf(), known: Vec::new() };
        mounts.known = mounts.now();
        Ok(mounts)
    }

    /// Resolves when mounts have changed, of whatever kind. Cancel safe.
    pub(super) async fn stir(&self) {
        match self.file.ready(Readiness::PRIORITY).await {
            Ok(mut guard) => guard.clear_ready(),
            // Only when the runtime is going away, and this task with it.
            Err(_) => std::future::pending().await,
        }
    }

    /// Whether one that concerns the root has changed since the last time.
    pub(super) fn changed(&mut self) -> bool {
        let now = self.now();
        let changed = now != self.known;
        self.known = now;
        changed
    }

    fn now(&self) -> Vec<String> {
        let text = std::fs::read(MOUNTS).unwrap_or_default();
        String::from_utf8_lossy(&text).lines().filter(|line| self.concerns(line)).map(str::to_owned).collect()
    }

    fn concerns(&self, line: &str) -> bool {
        let point = line.split(' ').nth(4).map(unescape).unwrap_or_default();
        self.root.starts_with(&point) || point.starts_with(&self.root)
    }
}

/// Spaces and the like are written as three octal digits behind a backslash.
fn unescape(text: &str) -> PathBuf {
    let (mut plain, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let code = after.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        plain.push(code.map_or('\\', char::from));
        rest = if code.is_some() { &after[3..] } else { after };
    }
    plain.push_str(rest);
    plain.into()
}
