//! Load: the files of one configuration in, one value with the origin of every piece out.
//!
//! In: which file is which layer, and what is already known of each. Out: a [`Candidate`], or the
//! [`Failure`] that stands in its way. [`read`] opens the files, of which [`externals`] asks for those
//! that are no configuration's own; everything else is pure.
//!
//! The layers, weakest first; [`LayerKind`] has them in this order:
//!
//! | layer | from | module |
//! |---|---|---|
//! | defaults | the program's code | [`externals`] |
//! | base, environment, local | `config/app.toml`, `app.{environment}.toml`, `app.local.toml` | [`parse`], [`merge`] |
//! | secrets | a directory, one file a key | [`externals`], [`assign`] |
//! | dotenv | a file of variables | [`dotenv`], [`assign`] |
//! | variables | the process's environment | [`env`], [`assign`] |
//! | overrides | the program's code, its command line | [`overrides`], [`assign`] |

mod assign;
mod candidate;
mod dotenv;
mod env;
mod externals;
mod hold;
mod merge;
mod origin;
mod overrides;
mod parse;
mod read;
mod tree;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Location};
use crate::validate::Secrets;
pub(crate) use candidate::Candidate;
#[cfg(feature = "internals")]
pub(crate) use candidate::layer;
#[cfg(feature = "internals")]
pub(crate) use dotenv::{Line as DotenvLine, parse as parse_dotenv};
pub(crate) use externals::{Externals, places};
pub use origin::{LayerKind, Origin};
pub(crate) use overrides::Override;
pub(crate) use read::{Bytes, read_bytes, too_large};
#[cfg(any(feature = "json", feature = "yaml"))]
pub(crate) use tree::Table;
pub(crate) use tree::{Data, Node, Span};

/// Something that keeps a configuration from being loaded.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) error: Error,
    /// Whether waiting for the writer could not mend it, so that it is reported at once.
    pub(crate) definitive: bool,
}

impl Failure {
    /// A failure that a writer still at work would explain.
    pub(crate) fn maybe_unfinished(error: Error) -> Self {
        Self { error, definitive: false }
    }

    /// A failure that only another edit can mend.
    pub(crate) fn definitive(error: Error) -> Self {
        Self { error, definitive: true }
    }
}

/// One file, read and parsed.
pub(crate) struct Source {
    pub(crate) bytes: Bytes,
    pub(crate) text: Arc<str>,
    /// Its tree; the places in it name source 0.
    pub(crate) node: Node,
    /// The file as messages show it, relative to the root.
    shown: PathBuf,
}

impl Source {
    /// What was read of a file, and what it says.
    pub(crate) fn new(bytes: Bytes, text: Arc<str>, node: Node, root: &Path) -> Self {
        let shown = Location::file(&bytes.path, root).shown;
        Self { bytes, text, node, shown }
    }

    /// The file as a whole.
    fn location(&self) -> Location {
        Location { path: self.bytes.path.clone(), shown: self.shown.clone(), point: None, span: None }
    }

    /// One that no file holds.
    #[cfg(all(test, feature = "json"))]
    fn of_text(path: &Path, root: &Path, text: Arc<str>, node: Node) -> Self {
        let metadata = std::fs::metadata(".").expect("there is a directory");
        let bytes = Bytes {
            path: path.to_path_buf(),
            content: text.as_bytes().into(),
            hash: blake3::hash(text.as_bytes()),
            permissions: metadata.permissions(),
        };
        Self { bytes, text, node, shown: Location::file(path, root).shown }
    }
}

/// Without its content, some of which may be secret.
impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("path", &self.bytes.path).finish_non_exhaustive()
    }
}

/// Reads and parses one file of a configuration. `None` when there is no such file. The error of one
/// that cannot be parsed says where in it secrets may stand.
pub(crate) fn load_source(
    path: &Path,
    root: &Path,
    limit: u64,
    secrets: &Secrets,
) -> Result<Option<Source>, Failure> {
    let Some(bytes) = read_bytes(path, root, limit)? else { return Ok(None) };
    let (text, node) = understand(&bytes.content, path, root).map_err(|Failure { error, definitive }| {
        let spans = secrets.suspected_spans(&String::from_utf8_lossy(&bytes.content));
        Failure { error: error.masking(spans), definitive }
    })?;
    Ok(Some(Source::new(bytes, text, node, root)))
}

/// What the bytes of a file say, in the format that its name announces. Pure; the path is for errors.
pub(crate) fn understand(content: &[u8], path: &Path, root: &Path) -> Result<(Arc<str>, Node), Failure> {
    let location = || Location::file(path, root);
    let text = utf8(content, location())?;
    if text.trim().is_empty() {
        let error = Error::new(ErrorKind::Syntax, "the file is empty");
        return Err(Failure::maybe_unfinished(
            error.help("delete the file to do without this layer").at(location()),
        ));
    }
    let format = crate::route::format_of(path).ok_or_else(|| {
        Failure::definitive(
            Error::new(ErrorKind::Syntax, "no configuration format has this ending").at(location()),
        )
    })?;
    let node = parse::parse(format, &text, 0).map_err(|fault| {
        let kind = if fault.definitive { ErrorKind::Limit } else { ErrorKind::Syntax };
        let error = Error::new(kind, fault.message).at(location().at(&text, fault.span));
        Failure { error, definitive: fault.definitive }
    })?;
    Ok((text, node))
}

/// The text of a file, or where it stops being one.
fn utf8(content: &[u8], location: Location) -> Result<Arc<str>, Failure> {
    std::str::from_utf8(content).map(Arc::from).map_err(|fault| {
        let valid = String::from_utf8_lossy(&content[..fault.valid_up_to()]);
        let at = valid.len()..valid.len();
        let error = Error::new(ErrorKind::Encoding, "the file is not UTF-8 from here on")
            .help("save it as UTF-8")
            .at(location.at(&valid, at))
            .because(fault);
        // A character cut off at the very end is what a half-written file looks like.
        Failure { error, definitive: fault.error_len().is_some() }
    })
}
