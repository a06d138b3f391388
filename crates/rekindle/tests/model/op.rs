//! [`Op`]: a step of a sequence, and how sequences are made up.

use proptest::prelude::*;

/// The files that are there in the beginning, and that steps are about.
pub(crate) const FILES: [&str; 8] = [
    "config/a.toml",
    "config/a.test.toml",
    "config/b.toml",
    "config/sub/c.toml",
    "static/x.css",
    "static/d/y.js",
    "static/d/e/z.txt",
    "templates/t.html",
];

/// The directories that are moved, made and removed. The last two are not watched.
pub(crate) const DIRECTORIES: [&str; 8] = [
    "config/sub",
    "config/deep/sub",
    "static/d",
    "static/d/e",
    "static/n",
    "templates/n",
    "elsewhere/out",
    "elsewhere/d",
];

/// A step. `file` and `directory` are places in [`FILES`] and [`DIRECTORIES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    /// A whole new content in one go, missing directories made before it.
    Save {
        file: usize,
        how: How,
    },
    /// Half of a content is written and the file closed: a configuration is invalid from then on.
    SaveHalf {
        file: usize,
    },
    /// A new content is written in place, in parts with some milliseconds between them.
    WriteInParts {
        file: usize,
        truncate: bool,
        parts: usize,
        pause: u64,
    },
    /// A file is opened for a new content, and the first part written. It stays open.
    Open {
        file: usize,
        truncate: bool,
    },
    /// The next part goes into the file that has been open longest; after its last it is closed.
    WriteOn,
    /// The file that has been open longest is closed, however much of it is written.
    Close,
    Delete {
        file: usize,
    },
    Rename {
        from: usize,
        to: usize,
    },
    /// Three directories deep, with a file written into each in the moment it is there.
    MakeDeep {
        directory: usize,
    },
    MoveDirectory {
        from: usize,
        to: usize,
    },
    RemoveDirectory {
        directory: usize,
    },
    Chmod {
        file: usize,
    },
    /// The time of the last change is set, to now or to long ago.
    Touch {
        file: usize,
        back: bool,
    },
    Pause {
        millis: u64,
    },
}

/// How a whole content gets under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// Emptied and written in place.
    InPlace,
    /// Written elsewhere and renamed over.
    RenameOver,
    /// Removed, and made anew.
    Anew,
    /// Written elsewhere, and a hard link put in the place of what has the name.
    HardLink,
    /// A symbolic link to a file elsewhere, renamed over.
    Symlink,
    /// What is there, byte for byte, once more.
    Same,
}

/// Steps, and what they are done under.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sequence {
    /// With more notifications than this at a time, the queue overflows.
    pub(crate) queue_limit: Option<usize>,
    pub(crate) steps: Vec<Op>,
}

/// Up to 32 steps; in a third of the sequences the queue overflows at once.
pub(crate) fn sequence() -> impl Strategy<Value = Sequence> {
    let limit = prop_oneof![2 => Just(None), 1 => (0..12_usize).prop_map(Some)];
    let steps = prop::collection::vec(op(), 1..32);
    (limit, steps).prop_map(|(queue_limit, steps)| Sequence { queue_limit, steps })
}

fn op() -> impl Strategy<Value = Op> {
    let file = 0..FILES.len();
    let directory = 0..DIRECTORIES.len();
    let pair = (directory.clone(), directory.clone());
    prop_oneof![
        6 => (file.clone(), how()).prop_map(|(file, how)| Op::Save { file, how }),
        1 => file.clone().prop_map(|file| Op::SaveHalf { file }),
        3 => (file.clone(), any::<bool>(), 2..5_usize, 0..10_u64).prop_map(
            |(file, truncate, parts, pause)| Op::WriteInParts { file, truncate, parts, pause }
        ),
        2 => (file.clone(), any::<bool>()).prop_map(|(file, truncate)| Op::Open { file, truncate }),
        3 => Just(Op::WriteOn),
        1 => Just(Op::Close),
        2 => file.clone().prop_map(|file| Op::Delete { file }),
        2 => (file.clone(), file.clone()).prop_map(|(from, to)| Op::Rename { from, to }),
        1 => directory.clone().prop_map(|directory| Op::MakeDeep { directory }),
        3 => pair.prop_map(|(from, to)| Op::MoveDirectory { from, to }),
        1 => directory.prop_map(|directory| Op::RemoveDirectory { directory }),
        1 => file.clone().prop_map(|file| Op::Chmod { file }),
        1 => (file, any::<bool>()).prop_map(|(file, back)| Op::Touch { file, back }),
        6 => (0..=60_u64).prop_map(|millis| Op::Pause { millis }),
    ]
}

fn how() -> impl Strategy<Value = How> {
    use How::{Anew, HardLink, InPlace, RenameOver, Same, Symlink};
    prop::sample::select(vec![InPlace, InPlace, RenameOver, RenameOver, Anew, HardLink, Symlink, Same])
}
