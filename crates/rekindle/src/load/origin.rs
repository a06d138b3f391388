//! [`Origin`]: which layer a value is from, and where in it that is written.
//!
//! In: nothing, these are data types. Out: what errors, `explain` and diffs name a value's source by.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::Location;
use crate::route::REMOTE_DIR;

/// The layers of a configuration, weakest first: a greater one is laid over a lesser.
///
/// | layer | what it is |
/// |---|---|
/// | `Defaults` | [`HotReloadBuilder::defaults`](crate::HotReloadBuilder::defaults) |
/// | `RemoteBase` | a shared store, where that is [below the files](crate::RemoteLayer::BelowFiles) |
/// | `Base` | `config/app.toml` |
/// | `Environment` | `config/app.{environment}.toml` |
/// | `Local` | `config/app.local.toml` |
/// | `Remote` | a shared store, where that is [above the files](crate::RemoteLayer::AboveFiles) |
/// | `Secrets` | a file of [`HotReloadBuilder::secrets_dir`](crate::HotReloadBuilder::secrets_dir) |
/// | `Dotenv` | a line of [`HotReloadBuilder::dotenv`](crate::HotReloadBuilder::dotenv) |
/// | `Variable` | an environment variable with the prefix of [`HotReloadBuilder::env_prefix`](crate::HotReloadBuilder::env_prefix) |
/// | `Override` | [`HotReloadBuilder::set_override`](crate::HotReloadBuilder::set_override) and [`override_args`](crate::HotReloadBuilder::override_args) |
///
/// Tables merge key by key, everything else replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LayerKind {
    /// Given in code, below everything.
    Defaults,
    /// What a shared store says, below the files.
    RemoteBase,
    /// The configuration's own file.
    Base,
    /// The file of the environment that the program runs in.
    Environment,
    /// The file of this machine.
    Local,
    /// What a shared store says, above the files.
    Remote,
    /// A file of the secrets directory.
    Secrets,
    /// A line of the dotenv file.
    Dotenv,
    /// A variable of the process's environment.
    Variable,
    /// Given in code or on the command line, over everything.
    Override,
}

impl LayerKind {
    /// Its name in lower case: `defaults`, `remote-base`, `base`, `environment`, `local`, `remote`, `secrets`,
    /// `dotenv`, `variable`, `override`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Defaults => "defaults",
            Self::RemoteBase => "remote-base",
            Self::Base => "base",
            Self::Environment => "environment",
            Self::Local => "local",
            Self::Remote => "remote",
            Self::Secrets => "secrets",
            Self::Dotenv => "dotenv",
            Self::Variable => "variable",
            Self::Override => "override",
        }
    }
}

impl fmt::Display for LayerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Where a value is from.
///
/// Its [`Display`](fmt::Display) is what to look for: `config/app.local.toml:3:8` (relative to the root
/// where the file lies in it), `environment variable MY_APP__PORT`, `code default` or `override`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> rekindle::Result<()> {
/// # let root = tempfile::tempdir()?;
/// # std::fs::create_dir(root.path().join("config"))?;
/// use rekindle::{HotReload, LayerKind};
///
/// std::fs::write(root.path().join("config/app.toml"), "port = 80")?;
/// let manager = HotReload::builder(root.path())
///     .defaults("app", serde_json::json!({ "host": "localhost", "port": 8080 }))
///     .start()
///     .await?;
/// let snapshot = manager.snapshot();
/// let port = snapshot.origin("app", "/port").unwrap();
/// assert_eq!((port.layer(), port.to_string().as_str()), (LayerKind::Base, "config/app.toml:1:8"));
/// assert_eq!(snapshot.origin("app", "/host").unwrap().to_string(), "code default");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    layer: LayerKind,
    location: Option<Location>,
    variable: Option<String>,
}

impl Origin {
    /// Something given in code.
    pub(crate) fn code(layer: LayerKind) -> Self {
        Self { layer, location: None, variable: None }
    }

    /// A file, or a place in one.
    pub(crate) fn file(layer: LayerKind, location: Location) -> Self {
        Self { layer, location: Some(location), variable: None }
    }

    /// A variable of the process's environment.
    pub(crate) fn variable_named(name: &str) -> Self {
        Self { layer: LayerKind::Variable, location: None, variable: Some(name.to_owned()) }
    }

    /// A variable that a dotenv file sets there.
    pub(crate) fn dotenv(location: Location, name: &str) -> Self {
        Self { layer: LayerKind::Dotenv, location: Some(location), variable: Some(name.to_owned()) }
    }

    /// Which layer it is.
    pub fn layer(&self) -> LayerKind {
        self.layer
    }

    /// The file, absolute.
    pub fn path(&self) -> Option<&Path> {
        self.location.as_ref().map(|location| location.path.as_path())
    }

    /// The line in that file, counted from 1. None for a secret: there the file is the value.
    pub fn line(&self) -> Option<usize> {
        self.location.as_ref()?.point.map(|(line, _)| line)
    }

    /// The column in that line, counted from 1 in characters.
    pub fn column(&self) -> Option<usize> {
        self.location.as_ref()?.point.map(|(_, column)| column)
    }

    /// The name of the variable, of the environment or of the dotenv file.
    pub fn variable(&self) -> Option<&str> {
        self.variable.as_deref()
    }

    /// The place in a file.
    pub(super) fn location(&self) -> Option<&Location> {
        self.location.as_ref()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.location, &self.variable) {
            (Some(location), _) => {
                write!(f, "{}", location.shown.display())?;
                location.point.map_or(Ok(()), |(line, column)| write!(f, ":{line}:{column}"))
            }
            (None, Some(variable)) => write!(f, "environment variable {variable}"),
            (None, None) if self.layer == LayerKind::Defaults => f.write_str("code default"),
            (None, None) => f.write_str(self.layer.as_str()),
        }
    }
}

/// What the path of a layer's file, relative to the root, says that it is: `app.toml`, `app.local.toml`, or of an
/// environment. None for what a shared store says, which lies where it is told to.
pub(super) fn kind_of_file(path: &Path) -> Option<LayerKind> {
    if path.starts_with(REMOTE_DIR) {
        return None;
    }
    let stem = PathBuf::from(path.file_stem().unwrap_or_default());
    Some(match stem.to_str().map(|stem| stem.trim_start_matches('.').split_once('.')) {
        Some(Some((_, "local"))) => LayerKind::Local,
        Some(Some(_)) => LayerKind::Environment,
        _ => LayerKind::Base,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_says_which_layer_it_is() {
        let cases = [
            ("config/app.toml", LayerKind::Base),
            ("config/sub/app.yaml", LayerKind::Base),
            (".app.toml", LayerKind::Base),
            ("config/app.production.json", LayerKind::Environment),
            ("config/app.local.toml", LayerKind::Local),
        ];
        for (path, kind) in cases {
            assert_eq!(kind_of_file(Path::new(path)), Some(kind), "{path}");
        }
    }

    #[test]
    fn an_origin_shows_what_to_look_for() {
        let file = || Location::file(Path::new("/site/.env"), Path::new("/site"));
        let shown = [
            Origin::code(LayerKind::Defaults).to_string(),
            Origin::file(LayerKind::Local, file().at("a\nbcd", 3..4)).to_string(),
            Origin::file(LayerKind::Secrets, Location::file(Path::new("/run/S"), Path::new("/site")))
                .to_string(),
            Origin::dotenv(file().at("A=1", 2..3), "A").to_string(),
            Origin::variable_named("MY_APP__X").to_string(),
            Origin::code(LayerKind::Override).to_string(),
        ];
        let expected =
            ["code default", ".env:2:2", "/run/S", ".env:1:3", "environment variable MY_APP__X", "override"];
        assert_eq!(shown, expected);
    }

    #[test]
    fn layers_are_ordered_by_strength() {
        use LayerKind::*;
        let order =
            [Defaults, RemoteBase, Base, Environment, Local, Remote, Secrets, Dotenv, Variable, Override];
        assert!(order.is_sorted());
    }
}
