//! The pure stages, for this project's own fuzz targets: parsing, layering, patterns and settling.
//!
//! No part of the API. It is there with the feature `internals` only, is not documented, and any
//! version may change or remove it.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::config::HotReloadConfig;
use crate::error::{Error, Result};
use crate::event::ResourceKind;
use crate::load::{self, Data, Externals, Node};
use crate::route::{Interest, Pattern, Routes};
use crate::settle::{Due, Settle, Signal, What};

/// A parsed file, or several that were layered.
#[derive(Debug, Clone)]
pub struct Tree(Node);

/// A value in a [`Tree`] and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The JSON pointer of the value.
    pub pointer: String,
    /// Whether the value holds other values.
    pub is_branch: bool,
    /// The layer that it is from, counted from the weakest, and the variables after the files.
    pub source: usize,
    /// Bytes of that layer's text.
    pub span: Range<usize>,
    /// Bytes of the text that its key was written in, which is its layer's own.
    pub key: Option<Range<usize>>,
}

/// Why a file is refused.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// What is wrong, and where.
    pub error: Error,
    /// Whether more text could not mend it.
    pub definitive: bool,
}

/// Parses the content of a file, in the format that its name announces.
///
/// # Errors
///
/// When it is no good file of that format.
pub fn parse(name: &str, content: &[u8]) -> std::result::Result<Tree, Refusal> {
    let understood = load::understand(content, Path::new(name), Path::new(""));
    understood
        .map(|(_, node)| Tree(node))
        .map_err(|failure| Refusal { error: failure.error, definitive: failure.definitive })
}

/// Layers trees, weakest first, and under `prefix` the variables that concern the configuration `name`.
pub fn layer(name: &str, trees: &[Tree], prefix: &str, variables: &[(String, String)]) -> Option<Tree> {
    let externals = Externals::of_variables(prefix, variables.iter().cloned());
    let over = externals.over(name).map(|assignment| &**assignment);
    load::layer(trees.iter().map(|tree| &tree.0), over).map(|(tree, _)| Tree(tree))
}

/// A variable that a dotenv file sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned {
    /// Its name.
    pub name: String,
    /// What it is set to.
    pub text: String,
    /// Bytes of the file's text.
    pub span: Range<usize>,
    /// The line and the column, both from 1.
    pub point: (usize, usize),
}

/// Parses a dotenv file.
///
/// # Errors
///
/// What is wrong, and the bytes of the text to point at.
pub fn dotenv(text: &str) -> std::result::Result<Vec<Assigned>, (String, Range<usize>)> {
    let lines = load::parse_dotenv(text).map_err(|fault| (fault.message.to_owned(), fault.span))?;
    let assigned = lines.into_iter().map(|line| {
        let load::DotenvLine { name, text, span, point } = line;
        Assigned { name, text, span, point }
    });
    Ok(assigned.collect())
}

impl Tree {
    /// The value, without its places.
    pub fn value(&self) -> Value {
        self.0.to_value()
    }

    /// The places of all values, a table before what is in it.
    pub fn places(&self) -> Vec<Place> {
        let mut places = Vec::new();
        collect(&self.0, "", None, &mut places);
        places
    }
}

fn collect(node: &Node, pointer: &str, key: Option<Range<usize>>, places: &mut Vec<Place>) {
    let is_branch = matches!(node.data, Data::Array(_) | Data::Object(_));
    let (source, span) = (node.place.source, node.place.span.clone());
    places.push(Place { pointer: pointer.to_owned(), is_branch, source, span, key });
    match &node.data {
        Data::Array(items) => {
            let numbered = items.iter().enumerate();
            numbered.for_each(|(at, item)| collect(item, &format!("{pointer}/{at}"), None, places));
        }
        Data::Object(members) => {
            for (name, member) in members.iter() {
                let step = name.replace('~', "~0").replace('/', "~1");
                let key = Some(member.key.span.clone());
                collect(&member.node, &format!("{pointer}/{step}"), key, places);
            }
        }
        _ => {}
    }
}

/// A compiled glob.
#[derive(Debug, Clone)]
pub struct Glob(Pattern);

impl Glob {
    /// Compiles it.
    ///
    /// # Errors
    ///
    /// When it is malformed or leaves the root.
    pub fn new(text: &str) -> Result<Self> {
        Pattern::new(text).map(Self)
    }

    /// Whether a path relative to the root matches.
    pub fn matches(&self, path: &Path) -> bool {
        self.0.matches(path)
    }

    /// Whether something in this directory, or below it, can match.
    pub fn can_match_in(&self, directory: &Path) -> bool {
        self.0.can_match_in(directory)
    }
}

/// What an engine with the default patterns wants, and what that is to it.
#[derive(Debug, Clone)]
pub struct Router(Interest, Routes);

impl Router {
    /// That of the environment `development`.
    ///
    /// # Errors
    ///
    /// None, as the default patterns are well-formed.
    pub fn new() -> Result<Self> {
        let HotReloadConfig { watch_patterns, exclude_patterns, .. } = HotReloadConfig::default();
        Ok(Self(Interest::new(&watch_patterns, &exclude_patterns)?, Routes::new("development")))
    }

    /// What a path is, if it is wanted.
    pub fn wants(&self, path: &Path) -> Option<ResourceKind> {
        self.0.file(path).then(|| self.1.of(path).kind)
    }
}

/// What can be told to a [`Machine`] of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Closed after writing, or renamed into place.
    Finished,
    /// Finished, by being renamed from another path.
    RenamedFrom(String),
    /// Written to, and not closed yet.
    Writing,
    /// Not there any more.
    Gone,
    /// Differs from what is known, found by listing.
    Seen,
    /// A temporary file that is being written: more is coming.
    Staging,
    /// A temporary file that was closed, moved into place or deleted.
    Staged,
    /// It was taken out, looked at, and looks unfinished.
    Hold,
    /// It was taken out, and was written to while it was looked at.
    Again,
    /// It was taken out, and had grown in place.
    Grew,
    /// It was taken out, and had not grown.
    Calmed,
    /// More of a save is coming, by whatever other sign.
    Prolong,
}

/// A path that is due, with times since the start of its [`Machine`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IsDue {
    /// The path.
    pub path: String,
    /// The name it was renamed from.
    pub from: Option<String>,
    /// When its window began.
    pub first: Duration,
    /// When the last signal came.
    pub last: Duration,
    /// Whether its window is over.
    pub last_chance: bool,
}

/// The settle stage, with paths and times that can be written down.
#[derive(Debug)]
pub struct Machine {
    settle: Settle,
    start: Instant,
    /// What was taken out last of each path: what [`Told::Hold`] and [`Told::Again`] are about.
    taken: HashMap<PathBuf, Due>,
}

impl Machine {
    /// A machine with this quiet and this window.
    pub fn new(quiet: Duration, window: Duration) -> Self {
        Self { settle: Settle::new(quiet, window), start: Instant::now(), taken: HashMap::new() }
    }

    /// Tells it something. Of a path that was not taken out there is nothing to hold or to look at again.
    pub fn tell(&mut self, path: &str, told: Told, now: Duration) {
        let at = self.start + now;
        let what = match told {
            Told::Finished => What::Finished,
            Told::RenamedFrom(from) => What::RenamedFrom(from.into()),
            Told::Writing => What::Writing,
            Told::Gone => What::Gone,
            Told::Seen => What::Seen(None),
            Told::Staging => What::Staging,
            Told::Staged => What::Staged { more: false },
            Told::Grew => return self.settle.grew(Path::new(path), at),
            Told::Calmed => return self.settle.calmed(Path::new(path)),
            Told::Prolong => return self.settle.prolong(at),
            Told::Hold | Told::Again => return self.put_back(path, &told),
        };
        self.settle.observe(Signal { path: path.into(), what }, at);
    }

    fn put_back(&mut self, path: &str, told: &Told) {
        if let Some(due) = self.taken.remove(Path::new(path)) {
            match told {
                Told::Hold => self.settle.hold(&due),
                _ => self.settle.again(&due),
            }
        }
    }

    /// When something will be due.
    pub fn deadline(&self) -> Option<Duration> {
        self.settle.deadline().map(|at| at.saturating_duration_since(self.start))
    }

    /// Takes out what is due by now.
    pub fn due(&mut self, now: Duration) -> Vec<IsDue> {
        let due = self.settle.due(self.start + now);
        let told = due.iter().map(|due| self.told(due)).collect();
        self.taken.extend(due.into_iter().map(|due| (due.path.clone(), due)));
        told
    }

    /// Takes out what is due by now, only to count it: of these paths none can be put back.
    pub fn count_due(&mut self, now: Duration) -> usize {
        self.settle.due(self.start + now).len()
    }

    fn told(&self, due: &Due) -> IsDue {
        let text = |path: &PathBuf| path.display().to_string();
        IsDue {
            path: text(&due.path),
            from: due.from.as_ref().map(text),
            first: due.first.saturating_duration_since(self.start),
            last: due.last.saturating_duration_since(self.start),
            last_chance: due.last_chance,
        }
    }
}
