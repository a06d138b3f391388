//! [`Registration`]: a handler with what it is for, its name, its order and its weight.

use std::any::type_name;
use std::fmt;
use std::path::PathBuf;

use super::handler::ReloadHandler;
use crate::error::{Error, ErrorKind, Result};
use crate::event::ChangeEvent;
use crate::route::{Pattern, check_name};
use crate::validate::overlaps;

/// A handler, and how it is to be called.
///
/// ```
/// # use rekindle::{prelude::*, testing::create_test_workspace_with_structure};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> rekindle::Result<()> {
/// # let (_dir, ws) = create_test_workspace_with_structure();
/// let manager = ws.start_hot_reload().await?;
/// manager.register(
///     Registration::new(|_event: ChangeEvent| Ok(()))
///         .named("pool")
///         .at("app", "/pool")
///         .after("database")
///         .critical(),
/// )?;
/// # manager.shutdown().await
/// # }
/// ```
#[must_use = "it does nothing until it is registered"]
pub struct Registration {
    pub(crate) name: String,
    pub(crate) after: Vec<String>,
    pub(crate) critical: bool,
    pub(crate) filter: Filter,
    pub(crate) handler: Box<dyn ReloadHandler>,
    /// What was found wrong while it was put together.
    fault: Option<Error>,
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("name", &self.name)
            .field("after", &self.after)
            .field("critical", &self.critical)
            .field("filter", &self.filter)
            .finish_non_exhaustive()
    }
}

impl Registration {
    /// A handler of every event that it [can handle](ReloadHandler::can_handle), named by its type.
    pub fn new<H: ReloadHandler + 'static>(handler: H) -> Self {
        Self {
            name: type_name::<H>().to_owned(),
            after: Vec::new(),
            critical: false,
            filter: Filter::All,
            handler: Box::new(handler),
            fault: None,
        }
    }

    /// Names it, for [`after`](Self::after), errors and receipts. Default: the type, or the glob.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Has it prepare and handle each change of a configuration after the handler of that name, if there
    /// is one. Handlers without an order of their own prepare in the order of their registration, and
    /// handle changes side by side.
    pub fn after(mut self, name: impl Into<String>) -> Self {
        self.after.push(name.into());
        self
    }

    /// Undoes the generation if its `handle_change` fails for a change of a configuration: the values
    /// before come back, as a new generation, [`ChangeEvent::RolledBack`] tells why, and every handler is
    /// told again. The same values are not tried again until the configuration changes.
    pub fn critical(mut self) -> Self {
        self.critical = true;
        self
    }

    /// Calls it only for files that match a glob relative to the root: once per change, with
    /// `ConfigChanged` for a configuration and `FileChanged` for any other file.
    pub fn files(self, pattern: &str) -> Self {
        let pattern = Pattern::new(pattern).map(|pattern| Filter::Files { pattern, every_write: false });
        self.filtered(pattern)
    }

    /// After [`files`](Self::files): calls it for each finished write of a file that is no configuration, also when the
    /// file is what it was before.
    ///
    /// For handlers that read the files themselves. A file may change, be read by such a handler, and
    /// change back before the engine looks: that is no change, and without this nobody would say that what was
    /// read is no longer there.
    pub fn every_write(mut self) -> Self {
        match &mut self.filter {
            Filter::Files { every_write, .. } => *every_write = true,
            Filter::All | Filter::Parts(_) => {
                let error = Error::new(ErrorKind::Pattern, "`every_write` needs to know of which files");
                self.fault = self.fault.or(Some(error.help("call `files` with a glob before it")));
            }
        }
        self
    }

    /// Calls it only for changes of one configuration.
    pub fn config(self, config_name: &str) -> Self {
        self.at(config_name, "")
    }

    /// Calls it only for changes at, below or above a JSON pointer in a configuration. Several calls add up.
    pub fn at(mut self, config_name: &str, pointer: &str) -> Self {
        let mut parts = match std::mem::replace(&mut self.filter, Filter::All) {
            Filter::Parts(parts) => parts,
            Filter::All | Filter::Files { .. } => Vec::new(),
        };
        parts.push((config_name.to_owned(), pointer.to_owned()));
        let checked = check_name(config_name).and_then(|()| check_pointer(pointer));
        self.filtered(checked.map(|()| Filter::Parts(parts)))
    }

    fn filtered(mut self, filter: Result<Filter>) -> Self {
        match filter {
            Ok(filter) => self.filter = filter,
            Err(error) => self.fault = self.fault.or(Some(error)),
        }
        self
    }

    /// Whether it wants files of its own choice.
    pub(crate) fn wants_files(&self) -> bool {
        matches!(self.filter, Filter::Files { .. })
    }

    /// A handler of the files that match, named by the pattern.
    pub(crate) fn of_files(pattern: Pattern, handler: impl ReloadHandler + 'static) -> Self {
        let name = pattern.text().to_owned();
        Self { filter: Filter::Files { pattern, every_write: false }, ..Self::new(handler).named(name) }
    }

    /// Whether everything that was said of it makes sense.
    pub(crate) fn checked(self) -> Result<Self> {
        match self.fault {
            Some(fault) => Err(fault),
            None => Ok(self),
        }
    }
}

pub(crate) fn check_pointer(pointer: &str) -> Result<()> {
    if pointer.is_empty() || pointer.starts_with('/') {
        return Ok(());
    }
    let message = format!("{pointer:?} is no JSON pointer");
    Err(Error::new(ErrorKind::Pattern, message).help("it begins with `/`, as in `/server/port`"))
}

/// Which events a handler is offered.
#[derive(Debug)]
pub(crate) enum Filter {
    /// All.
    All,
    /// One per change of a file that matches: `ConfigChanged` for configurations, `FileChanged` for others.
    /// With `every_write` also of finished writes that left the file as it was.
    Files { pattern: Pattern, every_write: bool },
    /// Changes of parts of configurations: a name and a pointer each.
    Parts(Vec<(String, String)>),
}

/// An event on its way to the handlers.
#[derive(Debug)]
pub(crate) struct Dispatch<'a> {
    pub(crate) event: &'a ChangeEvent,
    /// The files that it is about, relative to the root.
    pub(crate) paths: &'a [PathBuf],
    /// Whether those files are configurations.
    pub(crate) of_config: bool,
    /// Whether anything is different: a file that was written to may be what it was.
    pub(crate) is_change: bool,
}

impl Filter {
    pub(crate) fn wants(&self, dispatch: &Dispatch<'_>) -> bool {
        match self {
            Self::All => dispatch.is_change,
            Self::Files { pattern, every_write } => {
                let right_kind = match dispatch.event {
                    ChangeEvent::ConfigChanged { .. } => true,
                    ChangeEvent::FileChanged { .. } => !dispatch.of_config,
                    _ => false,
                };
                let wanted = right_kind && (dispatch.is_change || *every_write);
                wanted && dispatch.paths.iter().any(|path| pattern.matches(path))
            }
            Self::Parts(parts) => {
                let ChangeEvent::ConfigChanged { config_name, changed, .. } = dispatch.event else {
                    return false;
                };
                let touched = |pointer: &String| changed.iter().any(|change| overlaps(change, pointer));
                parts.iter().any(|(name, pointer)| name == config_name && touched(pointer))
            }
        }
    }
}
