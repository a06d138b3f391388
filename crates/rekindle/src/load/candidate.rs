//! [`Candidate`]: the layers of one configuration, and the one value they make.
//!
//! In: the sources in files, and what lies beside them. Out: the merged value, which layer each piece of
//! it is from, and what every other layer says there. Pure.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::Source;
use super::assign::{Assignment, pointer};
use super::externals::Externals;
use super::hold::Held;
use super::merge::{merge, placed};
use super::origin::{LayerKind, Origin, kind_of_file};
use super::tree::{Data, Node};
use crate::error::{Error, Location};
use crate::validate::{Fields, Scrubber, Secrets};

/// One layer of a configuration.
#[derive(Clone)]
pub(super) enum Layer {
    /// Given in code, below the files.
    Defaults(Arc<Node>),
    File(Arc<Source>, LayerKind),
    /// A single value, and the tree that it is alone.
    Assigned(Arc<Assignment>, Arc<Node>),
}

impl Layer {
    /// What it says, by itself.
    fn node(&self) -> &Node {
        match self {
            Self::Defaults(node) => node,
            Self::File(source, _) => &source.node,
            Self::Assigned(_, node) => node,
        }
    }

    /// Where one of its own nodes is written.
    fn origin(&self, node: &Node) -> Origin {
        match self {
            Self::Defaults(_) => Origin::code(LayerKind::Defaults),
            Self::File(source, kind) => {
                let location = source.location().at(&source.text, node.place.span.clone());
                Origin::file(*kind, location)
            }
            Self::Assigned(assignment, _) => assignment.origin.clone(),
        }
    }

    /// Whether both are from the same bytes in the same place.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Defaults(one), Self::Defaults(other)) => one == other,
            (Self::File(one, _), Self::File(other, _)) => {
                (&one.bytes.path, one.bytes.hash) == (&other.bytes.path, other.bytes.hash)
            }
            (Self::Assigned(one, _), Self::Assigned(other, _)) => one == other,
            _ => false,
        }
    }
}

/// A configuration as its layers say, not yet validated.
pub(crate) struct Candidate {
    pub(crate) name: String,
    pub(crate) value: Value,
    pub(super) tree: Node,
    /// Its layers, weakest first, and after them those that what is held came from.
    pub(super) layers: Vec<Layer>,
    /// How many of them are its own.
    pub(super) own: usize,
    /// The rules it was loaded by; what a secret source sets is secret.
    pub(crate) fields: Fields,
    /// What keeps its running value until a restart, in the order of the pointers.
    pub(crate) held: Vec<Held>,
}

/// Without its values, some of which may be secret.
impl std::fmt::Debug for Candidate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Candidate").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Candidate {
    /// Merges the layers: the defaults, the files weakest first, and all else over them. `None` when
    /// there are neither defaults nor files.
    pub(crate) fn layered(
        name: &str,
        files: &[Arc<Source>],
        externals: &Externals,
        fields: &Fields,
    ) -> Option<Self> {
        let defaults = externals.defaults(name).cloned().map(Layer::Defaults);
        let mut layers: Vec<Layer> =
            defaults.into_iter().chain(files.iter().map(|source| file(source, externals))).collect();
        let over: Vec<&Arc<Assignment>> = externals.over(name).collect();
        let (tree, alone) = layer(layers.iter().map(Layer::node), over.iter().map(|over| &***over))?;
        let assigned = over.into_iter().cloned().zip(alone);
        layers.extend(assigned.map(|(assignment, node)| Layer::Assigned(assignment, Arc::new(node))));
        let fields = fields.and(&Fields::secret(secret_pointers(&layers)));
        let (name, value, own) = (name.to_owned(), tree.to_value(), layers.len());
        Some(Self { name, value, tree, layers, own, fields, held: Vec::new() })
    }

    fn own(&self) -> &[Layer] {
        &self.layers[..self.own]
    }

    /// Its values as they may be shown.
    pub(crate) fn secrets(&self) -> Secrets {
        self.fields.secrets()
    }

    /// What takes its secrets out of messages.
    pub(crate) fn scrubber(&self) -> Scrubber {
        let on_disk =
            self.held.iter().filter_map(|held| Some((held.pointer.as_str(), held.on_disk.as_ref()?)));
        self.secrets().scrubber(on_disk.chain([("", &self.value)]))
    }

    /// The sources in files, weakest first.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Arc<Source>> {
        self.own().iter().filter_map(|layer| match layer {
            Layer::File(source, _) => Some(source),
            Layer::Defaults(_) | Layer::Assigned(..) => None,
        })
    }

    /// Whether it is from the same sources in the same order as another.
    pub(crate) fn has_same_sources(&self, other: &Self) -> bool {
        let (own, others) = (self.own().iter(), other.own().iter());
        own.len() == others.len() && own.zip(others).all(|(one, other)| one.is_same(other))
    }

    /// Where the value that a JSON pointer names is from: the strongest layer that has it. What is held
    /// is from where it stood when it came into use.
    pub(crate) fn origin(&self, pointer: &str) -> Option<Origin> {
        let node = self.tree.find(pointer)?;
        match self.layers.get(node.place.source).filter(|_| node.place.source >= self.own) {
            Some(held) => Some(held.origin(node)),
            None => self.saying(pointer).next().map(|(origin, _)| origin),
        }
    }

    /// What every layer that has the pointer says there, the strongest first.
    pub(crate) fn saying(&self, pointer: &str) -> impl Iterator<Item = (Origin, &Node)> {
        self.own().iter().rev().filter_map(move |layer| {
            let node = layer.node().find(pointer)?;
            Some((layer.origin(node), node))
        })
    }

    /// What sets the value at a pointer, if that is stronger than any file.
    pub(crate) fn stronger(&self, pointer: &str) -> Option<String> {
        let over = |layer: &&Layer| matches!(layer, Layer::Assigned(..));
        let mut over = self.own().iter().rev().take_while(over);
        let setting = over.find(|layer| sets(layer.node(), pointer))?;
        Some(setting.origin(setting.node()).to_string())
    }

    /// Makes `error` point at the value a JSON pointer names, or at the nearest one that exists.
    pub(crate) fn point(&self, error: Error, pointer: &str, root: &Path) -> Error {
        let place = &self.tree.nearest(pointer).place;
        match self.layers.get(place.source) {
            // What is held stood there once: the file says something else by now.
            Some(Layer::File(source, _)) if place.source >= self.own => {
                error.at(Location::file(&source.bytes.path, root))
            }
            Some(Layer::File(source, _)) => {
                let location = Location::file(&source.bytes.path, root);
                let masked = self.secrets().spans(&source.node, &source.text);
                error.at(location.at(&source.text, place.span.clone())).masking(masked)
            }
            Some(Layer::Defaults(_)) => advised(error, "from the defaults in code"),
            Some(Layer::Assigned(assignment, _)) => match assignment.origin.location() {
                Some(location) => error.at(location.clone()),
                None => advised(error, &set_by(&assignment.origin)),
            },
            None => error,
        }
    }
}

/// A file as the layer that it is.
fn file(source: &Arc<Source>, externals: &Externals) -> Layer {
    let kind = kind_of_file(&source.location().shown).unwrap_or_else(|| externals.remote());
    Layer::File(Arc::clone(source), kind)
}

/// The JSON pointers of the values that secret sources set. What is laid over one of them by a stronger
/// layer is as secret.
fn secret_pointers(layers: &[Layer]) -> impl Iterator<Item = String> {
    layers.iter().filter_map(|layer| match layer {
        Layer::Assigned(assignment, _) if assignment.origin.layer() == LayerKind::Secrets => {
            Some(pointer(&assignment.steps))
        }
        _ => None,
    })
}

/// Whether a tree has something at a pointer, or something on the way to it that is no table. Of a table
/// only its parts are set.
fn sets(node: &Node, pointer: &str) -> bool {
    let nearest = node.nearest(pointer);
    !matches!(nearest.data, Data::Object(_))
}

fn set_by(origin: &Origin) -> String {
    match origin.variable() {
        Some(name) => format!("set by the environment variable {name}"),
        None => "set by an override, in code or on the command line".to_owned(),
    }
}

/// Says where the value is from after what is to be done about it.
fn advised(error: Error, origin: &str) -> Error {
    let advice = error.advice().map_or_else(|| origin.to_owned(), |advice| format!("{advice}; {origin}"));
    error.help(advice)
}

/// Merges trees, weakest first, and lays the assignments over them. Gives what each of those says by
/// itself, too. Places name the trees in their order, and after those the assignments in theirs. `None`
/// when there is no tree.
pub(crate) fn layer<'a>(
    layers: impl IntoIterator<Item = &'a Node>,
    over: impl IntoIterator<Item = &'a Assignment>,
) -> Option<(Node, Vec<Node>)> {
    let placed: Vec<Node> =
        layers.into_iter().enumerate().map(|(source, node)| placed(node, source)).collect();
    let first = placed.len();
    let mut tree = placed.into_iter().reduce(merge)?;
    let mut alone = Vec::new();
    for (source, assignment) in over.into_iter().enumerate() {
        let own;
        (tree, own) = assignment.lay_over(tree, first + source);
        alone.push(own);
    }
    Some((tree, alone))
}

#[cfg(all(test, feature = "json"))]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Settings;
    use crate::error::ErrorKind;
    use crate::load::overrides::Override;
    use crate::load::understand;

    fn source(path: &str, text: &str) -> Arc<Source> {
        let path = Path::new("/site").join(path);
        let (text, node) = understand(text.as_bytes(), &path, Path::new("/site")).unwrap();
        Arc::new(Source::of_text(&path, Path::new("/site"), text, node))
    }

    /// Defaults < two files < a variable < an override.
    fn candidate() -> Candidate {
        let defaults = json!({"server": {"host": "default", "port": 1}, "only": {"default": true}});
        let settings = Settings {
            defaults: [("app".to_owned(), defaults)].into(),
            env_prefix: Some("MY".into()),
            overrides: vec![Override::at("app", "/server/port", json!(5)).unwrap()],
            ..Settings::default()
        };
        let variables = [("MY_APP__SERVER__PORT".to_owned(), "4".to_owned())];
        let externals = Externals::read(&settings, variables, Path::new("/site"));
        let files = [
            source("config/app.json", r#"{"server": {"host": "base", "port": 2}}"#),
            source("config/app.local.json", r#"{"server": {"port": 3}}"#),
        ];
        Candidate::layered("app", &files, &externals, &Fields::default()).unwrap()
    }

    #[test]
    fn every_layer_is_known_the_strongest_first() {
        let candidate = candidate();
        let said = |pointer: &str| -> Vec<String> {
            let said = candidate.saying(pointer);
            said.map(|(origin, node)| format!("{origin}: {}", node.to_value())).collect()
        };
        let expected = [
            "override: 5",
            "environment variable MY_APP__SERVER__PORT: 4",
            "config/app.local.json:1:21: 3",
            "config/app.json:1:37: 2",
            "code default: 1",
        ];
        assert_eq!(said("/server/port"), expected);
        assert_eq!(said("/server/host"), ["config/app.json:1:21: \"base\"", "code default: \"default\""]);
        assert!(said("/none").is_empty());
        let origin = |pointer: &str| candidate.origin(pointer).map(|origin| origin.layer());
        assert_eq!(origin("/server"), Some(LayerKind::Override));
        assert_eq!(origin("/only/default"), Some(LayerKind::Defaults));
        assert_eq!(origin("/server/none"), None);
    }

    #[test]
    fn an_error_names_where_the_value_is_from() {
        let candidate = candidate();
        let pointed = |pointer: &str| {
            let error = Error::new(ErrorKind::Check, "no").help("do so");
            candidate.point(error, pointer, Path::new("/site")).to_string()
        };
        assert_eq!(pointed("/server/port"), "no (do so; set by an override, in code or on the command line)");
        assert_eq!(pointed("/server/host"), "config/app.json:1:21: no (do so)");
        assert_eq!(pointed("/only/default"), "no (do so; from the defaults in code)");
        assert_eq!(pointed("/server/missing"), "config/app.local.json:1:12: no (do so)");
    }

    #[test]
    fn without_defaults_and_files_there_is_no_configuration() {
        let variables = [("MY_APP__X".to_owned(), "1".to_owned())];
        let externals = Externals::of_variables("MY", variables);
        assert!(Candidate::layered("app", &[], &externals, &Fields::default()).is_none());
    }
}
