//! Which file is which layer of which configuration.

use std::path::{Path, PathBuf};

use super::check_name;
use crate::event::ResourceKind;

/// Directory of the configurations, relative to the root.
const CONFIG_DIR: &str = "config";

/// Directory of what a shared store says, relative to the root: the files of the last that was good.
pub(crate) const REMOTE_DIR: &str = "data/rekindle/remote";

/// Where the layer of a shared store lies, if a program has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RemoteLayer {
    /// Below the files: each of them, and all that is stronger, is laid over what the store says.
    BelowFiles,
    /// Above the files: the store has the last word on them. Secrets, variables and overrides are stronger.
    AboveFiles,
}

/// The layers of a configuration in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Layer {
    /// `app.toml`
    Base,
    /// `app.{environment}.toml`
    Environment,
    /// `app.local.toml`
    Local,
    /// `data/rekindle/remote/app.toml`
    Remote,
}

/// What a path is to the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Routed {
    pub(crate) kind: ResourceKind,
    /// The configuration it belongs to, for configurations and their schemas.
    pub(crate) config: Option<String>,
    /// The layer it is, unless it belongs to an environment that is not ours.
    pub(crate) layer: Option<Layer>,
}

/// The routing of one engine: pure, and fixed but for the environment.
#[derive(Debug, Clone)]
pub(crate) struct Routes {
    environment: String,
    remote: Option<RemoteLayer>,
}

/// A file format, by what follows the last dot of the file's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Format {
    Toml,
    Yaml,
    Json,
    Jsonc,
}

/// The endings of configurations in `find_config`'s order, JSON with comments last.
const ENDINGS: [(&str, Format); 5] = [
    ("toml", Format::Toml),
    ("yaml", Format::Yaml),
    ("yml", Format::Yaml),
    ("json", Format::Json),
    ("jsonc", Format::Jsonc),
];

/// The endings `find_config` knows for dot-files at the root.
const DOT_ENDINGS: [&str; 3] = ["toml", "yaml", "yml"];

impl Routes {
    /// Routes for a program that runs in `environment`.
    pub(crate) fn new(environment: impl Into<String>) -> Self {
        Self { environment: environment.into(), remote: None }
    }

    /// Routes for what is the same in all programs: which kind of file one is, and of which configuration.
    pub(crate) fn of_any_program() -> Self {
        Self::new(String::new()).with_remote(Some(RemoteLayer::AboveFiles))
    }

    /// The same for a program that has a layer of a shared store.
    pub(crate) fn with_remote(self, remote: Option<RemoteLayer>) -> Self {
        Self { remote, ..self }
    }

    /// The layers that there are, weakest first.
    pub(crate) fn layers(&self) -> &'static [Layer] {
        use Layer::{Base, Environment, Local, Remote};
        match self.remote {
            None => &[Base, Environment, Local],
            Some(RemoteLayer::BelowFiles) => &[Remote, Base, Environment, Local],
            Some(RemoteLayer::AboveFiles) => &[Base, Environment, Local, Remote],
        }
    }

    /// The environment whose layer applies.
    pub(crate) fn environment(&self) -> &str {
        &self.environment
    }

    /// What a path relative to the root is: by directory first, by extension second.
    pub(crate) fn of(&self, path: &Path) -> Routed {
        let plain = |kind| Routed { kind, config: None, layer: None };
        if let Some(routed) = self.config(path) {
            return routed;
        }
        let below = |name: &str| {
            path.parent().is_some_and(|parent| parent.components().any(|part| part.as_os_str() == name))
        };
        if below("templates") || path.extension().is_some_and(|ending| ending == "hbs") {
            plain(ResourceKind::Template)
        } else if below("static") || below("assets") {
            plain(ResourceKind::Asset)
        } else {
            plain(ResourceKind::Other)
        }
    }

    fn config(&self, path: &Path) -> Option<Routed> {
        let file = path.file_name()?.to_str()?;
        if let Some(name) = dot_file(path, file) {
            let config = Some(name.to_owned());
            return Some(Routed { kind: ResourceKind::Config, config, layer: Some(Layer::Base) });
        }
        if let Some(config) = self.remote.and_then(|_| remote_file(path)) {
            let (kind, layer) = (ResourceKind::Config, Some(Layer::Remote));
            return Some(Routed { kind, config: Some(config), layer });
        }
        let folder = path.parent()?.strip_prefix(CONFIG_DIR).ok()?.to_str()?;
        let (stem, ending) = file.rsplit_once('.')?;
        ENDINGS.iter().find(|(known, _)| *known == ending)?;
        let (name, middle) = stem.split_once('.').unwrap_or((stem, ""));
        if name.is_empty() {
            return None;
        }
        let config = Some(if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") });
        if middle == "schema" {
            return Some(Routed { kind: ResourceKind::Schema, config, layer: None });
        }
        Some(Routed { kind: ResourceKind::Config, config, layer: self.layer(middle) })
    }

    fn layer(&self, middle: &str) -> Option<Layer> {
        match middle {
            "" => Some(Layer::Base),
            "local" => Some(Layer::Local),
            other => (other == self.environment).then_some(Layer::Environment),
        }
    }

    /// The files that could be a layer of a configuration, the one to prefer first.
    pub(crate) fn candidates(&self, name: &str, layer: Layer) -> Vec<PathBuf> {
        let middle = match layer {
            Layer::Remote => return remote_candidates(name).collect(),
            Layer::Base => String::new(),
            Layer::Environment if self.environment == "local" => return Vec::new(),
            Layer::Environment => format!(".{}", self.environment),
            Layer::Local => ".local".to_owned(),
        };
        let in_config =
            ENDINGS.iter().map(|(ending, _)| Path::new(CONFIG_DIR).join(format!("{name}{middle}.{ending}")));
        let at_root = DOT_ENDINGS.iter().map(|ending| PathBuf::from(format!(".{name}.{ending}")));
        let takes_dot_file = layer == Layer::Base && !name.contains('/');
        in_config.chain(at_root.filter(|_| takes_dot_file)).collect()
    }

    /// Where the schema of a configuration is looked for.
    pub(crate) fn schema(name: &str) -> PathBuf {
        Path::new(CONFIG_DIR).join(format!("{name}.schema.json"))
    }

    /// The directory that holds a configuration's files.
    pub(crate) fn directory(name: &str) -> PathBuf {
        let base = Path::new(CONFIG_DIR).join(name);
        base.parent().map(Path::to_path_buf).unwrap_or_default()
    }
}

/// Where what a shared store says of a configuration can be.
fn remote_candidates(name: &str) -> impl Iterator<Item = PathBuf> {
    ENDINGS.iter().map(move |(ending, _)| Path::new(REMOTE_DIR).join(format!("{name}.{ending}")))
}

/// The configuration that a file of what a shared store says is of.
fn remote_file(path: &Path) -> Option<String> {
    let below = path.strip_prefix(REMOTE_DIR).ok()?.to_str()?;
    let (name, ending) = below.rsplit_once('.')?;
    ENDINGS.iter().find(|(known, _)| *known == ending)?;
    let name = if cfg!(windows) { name.replace('\\', "/") } else { name.to_owned() };
    check_name(&name).is_ok().then_some(name)
}

/// `.app.toml` at the root: the name of its configuration.
fn dot_file<'a>(path: &Path, file: &'a str) -> Option<&'a str> {
    let at_root = path.parent().is_some_and(|parent| parent.as_os_str().is_empty());
    let (name, ending) = file.strip_prefix('.')?.rsplit_once('.')?;
    (at_root && !name.is_empty() && !name.contains('.') && DOT_ENDINGS.contains(&ending)).then_some(name)
}

/// The format a file name announces.
pub(crate) fn format_of(path: &Path) -> Option<Format> {
    let ending = path.extension()?.to_str()?;
    ENDINGS.iter().find(|(known, _)| *known == ending).map(|(_, format)| *format)
}

/// Whether a path relative to the root has the form of a configuration's file, whoever wants it.
pub(crate) fn is_config_file(path: &Path) -> bool {
    Routes::of_any_program().config(path).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directory_first_extension_second() {
        use ResourceKind::{Asset, Config, Other, Schema, Template};
        let routes = Routes::new("production");
        let cases = [
            ("config/app.toml", Config, Some("app"), Some(Layer::Base)),
            ("config/database.production.yaml", Config, Some("database"), Some(Layer::Environment)),
            ("config/database.staging.yaml", Config, Some("database"), None),
            ("config/app.local.json", Config, Some("app"), Some(Layer::Local)),
            ("config/sub/app.toml", Config, Some("sub/app"), Some(Layer::Base)),
            ("config/app.schema.json", Schema, Some("app"), None),
            (".app.toml", Config, Some("app"), Some(Layer::Base)),
            (".app.json", Other, None, None),
            ("src/.app.toml", Other, None, None),
            ("app.toml", Other, None, None),
            ("static/data.json", Asset, None, None),
            ("templates/menu.yaml", Template, None, None),
            ("web/assets/x.css", Asset, None, None),
            ("mail.hbs", Template, None, None),
            ("config/readme.md", Other, None, None),
            ("config/.hidden.toml", Other, None, None),
        ];
        for (path, kind, config, layer) in cases {
            let expected = Routed { kind, config: config.map(str::to_owned), layer };
            assert_eq!(routes.of(Path::new(path)), expected, "{path}");
        }
    }

    #[test]
    fn every_candidate_routes_back_to_its_layer() {
        let routes = Routes::new("staging").with_remote(Some(RemoteLayer::BelowFiles));
        for name in ["app", "sub/app"] {
            for &layer in routes.layers() {
                for path in routes.candidates(name, layer) {
                    let routed = routes.of(&path);
                    assert_eq!(
                        (routed.config.as_deref(), routed.layer),
                        (Some(name), Some(layer)),
                        "{path:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_order_is_find_configs() {
        let shown: Vec<String> = Routes::new("x")
            .candidates("app", Layer::Base)
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        let expected = [
            "config/app.toml",
            "config/app.yaml",
            "config/app.yml",
            "config/app.json",
            "config/app.jsonc",
            ".app.toml",
            ".app.yaml",
            ".app.yml",
        ];
        assert_eq!(shown, expected);
    }
}
