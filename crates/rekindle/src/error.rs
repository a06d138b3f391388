//! [`Error`]: what went wrong, where it stands, and what to do about it.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the functions of this crate return. The second parameter is there so that a glob import of
/// the prelude does not get in the way of `Result<(), Box<dyn std::error::Error>>`.
pub type Result<T, E = Error> = core::result::Result<T, E>;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// An error of rekindle, one pointer wide and cheap to clone.
///
/// Its [`Display`](fmt::Display) is one line that starts with `file:line:column:` where there is a
/// place to point at, and ends with what to do where there is something to do.
///
/// ```
/// use rekindle::{Error, ErrorKind};
///
/// let error = Error::from("the pool is closed");
/// assert_eq!(error.kind(), ErrorKind::Other);
/// assert_eq!(error.to_string(), "the pool is closed");
/// ```
#[derive(Clone)]
pub struct Error {
    inner: Arc<Inner>,
}

#[derive(Debug, Clone, Default)]
struct Inner {
    kind: ErrorKind,
    message: String,
    help: Option<String>,
    location: Option<Location>,
    pointer: Option<String>,
    /// Bytes of the file's text that nobody is to read.
    masked: Vec<Range<usize>>,
    further: Vec<Error>,
    /// Which of several configurations it is about.
    config: Option<String>,
    /// Who refused, where the kind does not say it.
    by: Option<String>,
    source: Option<Arc<Cause>>,
}

/// What sort of failure an [`Error`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Reading, writing or looking at a file failed.
    Io,
    /// No file holds the configuration that was asked for.
    NotFound,
    /// A watch, exclude or handler pattern is malformed or leaves the root.
    Pattern,
    /// A configuration name is no plain relative name.
    Name,
    /// The root cannot be watched: missing, no directory, or too wide (`/`, a home directory).
    Root,
    /// The text of a file is not of its format.
    Syntax,
    /// The value does not keep to the configuration's JSON Schema, or the schema is at fault.
    Schema,
    /// The value cannot be decoded into a subscriber's type.
    Type,
    /// A custom check refused the value.
    Check,
    /// A field that must not change while the program runs would.
    Immutable,
    /// A file is larger, deeper or more expanding than allowed.
    Limit,
    /// Something else stands in a file's place: a directory, a FIFO, a device.
    NotAFile,
    /// A file is not UTF-8.
    Encoding,
    /// A handler refused to prepare for the change.
    Veto,
    /// A handler that is to prepare for the change is still at work on an earlier one; it is tried again.
    Busy,
    /// The change was applied, did harm and was taken back.
    RolledBack,
    /// User code took longer than its time limit.
    Timeout,
    /// User code panicked.
    Panic,
    /// An engine with other options already serves this root.
    Conflict,
    /// The engine has been shut down.
    Stopped,
    /// The operating system's file notification failed.
    Watch,
    /// A backup could not be written or restored.
    Backup,
    /// A good generation could not be kept in the history, or what is kept of it is damaged.
    History,
    /// Anything else; what a handler returns usually ends up here.
    #[default]
    Other,
}

impl ErrorKind {
    /// The kind in lower-case words with hyphens: `not-found`, `syntax`, `rolled-back`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Io => "io",
            Self::NotFound => "not-found",
            Self::Pattern => "pattern",
            Self::Name => "name",
            Self::Root => "root",
            Self::Syntax => "syntax",
            Self::Schema => "schema",
            Self::Type => "type",
            Self::Check => "check",
            Self::Immutable => "immutable",
            Self::Limit => "limit",
            Self::NotAFile => "not-a-file",
            Self::Encoding => "encoding",
            Self::Veto => "veto",
            Self::Busy => "busy",
            Self::RolledBack => "rolled-back",
            Self::Timeout => "timeout",
            Self::Panic => "panic",
            Self::Conflict => "conflict",
            Self::Stopped => "stopped",
            Self::Watch => "watch",
            Self::Backup => "backup",
            Self::History => "history",
            Self::Other => "other",
        }
    }
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location {
    /// The file, absolute.
    pub(crate) path: PathBuf,
    /// The file as messages show it, relative to the root.
    pub(crate) shown: PathBuf,
    /// Line and column, both from 1; the column counts characters.
    pub(crate) point: Option<(usize, usize)>,
    /// Bytes of the file's text.
    pub(crate) span: Option<Range<usize>>,
}

impl Location {
    /// A file as a whole.
    pub(crate) fn file(path: &Path, root: &Path) -> Self {
        let shown = path.strip_prefix(root).unwrap_or(path).to_path_buf();
        Self { path: path.to_path_buf(), shown, point: None, span: None }
    }

    /// A piece of the file's `text`.
    pub(crate) fn at(mut self, text: &str, span: Range<usize>) -> Self {
        self.point = Some(line_and_column(text, span.start));
        self.span = Some(span);
        self
    }
}

/// Line and column of a byte offset, both from 1.
pub(crate) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let offset = (0..=offset.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.matches('\n').count() + 1;
    (line, before[line_start..].chars().count() + 1)
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}

impl Error {
    /// An error of the given kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { inner: Arc::new(Inner { kind, message: message.into(), ..Inner::default() }) }
    }

    /// Says which value it is about, as a JSON pointer, so that a check's error shows the line of that value.
    ///
    /// ```
    /// use rekindle::{Error, ErrorKind};
    ///
    /// let refusal = Error::new(ErrorKind::Check, "needs at least 2 workers").about("/pool/workers");
    /// assert_eq!(refusal.pointer(), Some("/pool/workers"));
    /// ```
    #[must_use]
    pub fn about(self, pointer: impl Into<String>) -> Self {
        self.edit(|inner| inner.pointer = Some(pointer.into()))
    }

    /// Says which configuration it is about, where a check looks at several: the line is one of its files.
    ///
    /// ```
    /// use rekindle::{Error, ErrorKind};
    ///
    /// let refusal = Error::new(ErrorKind::Check, "more than the database allows").of_config("app").about("/pool");
    /// assert_eq!(refusal.config(), Some("app"));
    /// ```
    #[must_use]
    pub fn of_config(self, config_name: impl Into<String>) -> Self {
        self.edit(|inner| inner.config = Some(config_name.into()))
    }

    /// Which of several configurations it is about, if somebody said.
    pub fn config(&self) -> Option<&str> {
        self.inner.config.as_deref()
    }

    fn edit(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.inner));
        self
    }

    /// Says what the reader can do about it: see [`advice`](Self::advice). It ends the error's line.
    ///
    /// ```
    /// let error = rekindle::Error::from("the port is taken").help("choose another one");
    /// assert_eq!(error.to_string(), "the port is taken (choose another one)");
    /// ```
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        self.edit(|inner| inner.help = Some(help.into()))
    }

    /// Says who refused.
    pub(crate) fn by(self, who: &str) -> Self {
        self.edit(|inner| inner.by = Some(who.to_owned()))
    }

    /// Who refused, in a word or two.
    pub(crate) fn refused_by(&self) -> String {
        let kind = match self.kind() {
            ErrorKind::Veto | ErrorKind::Busy => "handler",
            ErrorKind::Syntax | ErrorKind::Encoding => "syntax",
            ErrorKind::Schema => "schema",
            ErrorKind::Type => "type",
            ErrorKind::Check => "check",
            ErrorKind::Limit => "limit",
            ErrorKind::RolledBack => "rollback",
            ErrorKind::Timeout => "time limit",
            ErrorKind::Conflict => "conflict",
            _ => "engine",
        };
        self.inner.by.as_ref().map_or_else(|| kind.to_owned(), |who| format!("{kind} {who}"))
    }

    /// Says where it stands.
    pub(crate) fn at(self, location: Location) -> Self {
        self.edit(|inner| inner.location = Some(location))
    }

    /// Says where in the file's text secrets stand.
    pub(crate) fn masking(self, spans: Vec<Range<usize>>) -> Self {
        if spans.is_empty() { self } else { self.edit(|inner| inner.masked = spans) }
    }

    /// This error and its further ones, each by itself.
    pub(crate) fn apart(&self) -> impl Iterator<Item = Self> {
        self.problems().map(|problem| problem.clone().edit(|inner| inner.further = Vec::new()))
    }

    /// Keeps what caused it, for [`source`](std::error::Error::source).
    ///
    /// ```
    /// use std::error::Error as _;
    ///
    /// use rekindle::{Error, ErrorKind};
    ///
    /// let cause = std::io::Error::from(std::io::ErrorKind::AddrInUse);
    /// let error = Error::new(ErrorKind::Io, "somebody listens there already").because(cause);
    /// let cause = error.source().and_then(|cause| cause.downcast_ref::<std::io::Error>());
    /// assert_eq!(cause.map(std::io::Error::kind), Some(std::io::ErrorKind::AddrInUse));
    /// ```
    #[must_use]
    pub fn because(self, cause: impl Into<Cause>) -> Self {
        let cause = Arc::new(cause.into());
        self.edit(|inner| inner.source = Some(cause))
    }

    /// One error out of several found in the same go. `None` when there are none.
    pub(crate) fn all(errors: impl IntoIterator<Item = Error>) -> Option<Self> {
        let mut errors = errors.into_iter();
        let first = errors.next()?;
        let further: Vec<_> = errors.collect();
        Some(if further.is_empty() { first } else { first.edit(|inner| inner.further = further) })
    }

    /// An IO failure on `path`.
    pub(crate) fn io(doing: &str, path: &Path, root: &Path, cause: std::io::Error) -> Self {
        let kind = match cause.kind() {
            std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            _ => ErrorKind::Io,
        };
        Self::new(kind, format!("{doing}: {cause}")).at(Location::file(path, root)).because(cause)
    }

    pub(crate) fn stopped() -> Self {
        Self::new(ErrorKind::Stopped, "the hot reload engine of this root has been shut down")
    }

    /// What sort of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// What is wrong, without the place and without the advice.
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// What to do about it, where that is known.
    pub fn advice(&self) -> Option<&str> {
        self.inner.help.as_deref()
    }

    /// The file it is about, as an absolute path.
    pub fn path(&self) -> Option<&Path> {
        self.inner.location.as_ref().map(|location| location.path.as_path())
    }

    /// The line in that file, counted from 1.
    pub fn line(&self) -> Option<usize> {
        self.inner.location.as_ref()?.point.map(|(line, _)| line)
    }

    /// The column in that line, counted from 1 in characters.
    pub fn column(&self) -> Option<usize> {
        self.inner.location.as_ref()?.point.map(|(_, column)| column)
    }

    /// The JSON pointer of the value it is about.
    pub fn pointer(&self) -> Option<&str> {
        self.inner.pointer.as_deref()
    }

    /// The bytes of the file's text to underline.
    pub fn span(&self) -> Option<Range<usize>> {
        self.inner.location.as_ref()?.span.clone()
    }

    /// The bytes of the file's text that hold secrets, in order and none over the end of a line: whoever
    /// shows a line of the file shows something else in their place. Of a file that cannot be parsed,
    /// whatever may be a secret.
    pub fn masked_spans(&self) -> &[Range<usize>] {
        &self.inner.masked
    }

    /// This error and the others that were found in the same go, in the order they were found.
    pub fn problems(&self) -> impl Iterator<Item = &Error> {
        std::iter::once(self).chain(&self.inner.further)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.inner;
        if let Some(location) = &inner.location {
            write!(f, "{}:", location.shown.display())?;
            if let Some((line, column)) = location.point {
                write!(f, "{line}:{column}:")?;
            }
            f.write_str(" ")?;
        }
        f.write_str(&inner.message)?;
        if let Some(help) = &inner.help {
            write!(f, " ({help})")?;
        }
        match inner.further.len() {
            0 => Ok(()),
            1 => f.write_str("; and 1 more problem"),
            more => write!(f, "; and {more} more problems"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Error");
        out.field("kind", &self.inner.kind).field("message", &self.to_string());
        if let Some(source) = &self.inner.source {
            out.field("source", source);
        }
        out.finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.inner.source.as_deref().map(|cause| &**cause as &(dyn std::error::Error + 'static))
    }
}

impl From<String> for Error {
    fn from(message: String) -> Self {
        Self::new(ErrorKind::Other, message)
    }
}

impl From<&str> for Error {
    fn from(message: &str) -> Self {
        Self::new(ErrorKind::Other, message)
    }
}

impl From<std::io::Error> for Error {
    fn from(cause: std::io::Error) -> Self {
        Self::new(ErrorKind::Io, cause.to_string()).because(cause)
    }
}

impl From<Cause> for Error {
    fn from(cause: Cause) -> Self {
        match cause.downcast::<Error>() {
            Ok(error) => *error,
            Err(cause) => Self::new(ErrorKind::Other, cause.to_string()).because(cause),
        }
    }
}

/// What handlers are likely to meet with `?`. A blanket impl is not possible beside `source()`.
macro_rules! from_std_errors {
    ($($cause:ty),+ $(,)?) => {$(
        impl From<$cause> for Error {
            fn from(cause: $cause) -> Self {
                Self::new(ErrorKind::Other, cause.to_string()).because(cause)
            }
        }
    )+};
}

from_std_errors!(
    serde_json::Error,
    fmt::Error,
    std::str::Utf8Error,
    std::string::FromUtf8Error,
    std::num::ParseIntError,
    std::num::ParseFloatError,
    std::str::ParseBoolError,
    std::net::AddrParseError,
    std::time::SystemTimeError,
    std::env::VarError,
    std::path::StripPrefixError,
    std::sync::mpsc::RecvError,
    tokio::task::JoinError,
    tokio::time::error::Elapsed,
    tokio::sync::oneshot::error::RecvError,
    tokio::sync::broadcast::error::RecvError,
    tokio::sync::watch::error::RecvError,
    tokio::sync::AcquireError,
);

#[cfg(feature = "workspace")]
from_std_errors!(workspace_tools::WorkspaceError);

impl<T> From<std::sync::mpsc::SendError<T>> for Error {
    fn from(cause: std::sync::mpsc::SendError<T>) -> Self {
        Self::new(ErrorKind::Other, cause.to_string())
    }
}

impl<T> From<tokio::sync::mpsc::error::SendError<T>> for Error {
    fn from(cause: tokio::sync::mpsc::error::SendError<T>) -> Self {
        Self::new(ErrorKind::Other, cause.to_string())
    }
}

impl<T> From<tokio::sync::broadcast::error::SendError<T>> for Error {
    fn from(cause: tokio::sync::broadcast::error::SendError<T>) -> Self {
        Self::new(ErrorKind::Other, cause.to_string())
    }
}

impl<T> From<std::sync::PoisonError<T>> for Error {
    fn from(cause: std::sync::PoisonError<T>) -> Self {
        Self::new(ErrorKind::Other, cause.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_and_column_count_from_one_in_characters() {
        let text = "a\nüb\n";
        let cases =
            [(0, (1, 1)), (1, (1, 2)), (2, (2, 1)), (4, (2, 2)), (5, (2, 3)), (6, (3, 1)), (99, (3, 1))];
        for (offset, expected) in cases {
            assert_eq!(line_and_column(text, offset), expected, "offset {offset}");
        }
        assert_eq!(line_and_column(text, 3), (2, 1), "inside a character counts as its start");
    }

    #[test]
    fn display_points_and_advises() {
        let location =
            Location::file(Path::new("/r/config/app.toml"), Path::new("/r")).at("x = 1\ny 2", 6..7);
        let error = Error::new(ErrorKind::Syntax, "expected `=`").help("write `y = 2`").at(location);
        assert_eq!(error.to_string(), "config/app.toml:2:1: expected `=` (write `y = 2`)");
        assert_eq!((error.line(), error.column(), error.span()), (Some(2), Some(1), Some(6..7)));
        assert_eq!(error.path(), Some(Path::new("/r/config/app.toml")));
    }

    #[test]
    fn several_errors_become_one_that_counts() {
        let all = Error::all(["one", "two", "three"].map(Error::from)).expect("three errors");
        assert_eq!(all.to_string(), "one; and 2 more problems");
        assert_eq!(all.problems().count(), 3);
        assert!(Error::all([]).is_none());
    }

    #[test]
    fn the_cause_is_kept_and_an_error_in_a_box_comes_out_whole() {
        let io = std::io::Error::other("disk on fire");
        let error = Error::from(io);
        assert_eq!(
            std::error::Error::source(&error).map(ToString::to_string).as_deref(),
            Some("disk on fire")
        );
        let boxed: Cause = Box::new(Error::new(ErrorKind::Check, "no"));
        assert_eq!(Error::from(boxed).kind(), ErrorKind::Check);
    }
}
