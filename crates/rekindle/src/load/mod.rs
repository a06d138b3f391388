//! Load: the files of one configuration in, one value with the origin of every piece out.
//!
//! In: which file is which layer, and what is already known of each. Out: a [`Candidate`], or the
//! [`Failure`] that stands in its way. [`read`] does the IO; [`parse`], [`merge`] and [`env`] are pure.

mod env;
mod hold;
mod merge;
mod parse;
mod read;
mod tree;

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::error::{Error, ErrorKind, Location};
use crate::validate::{Fields, Secrets};
pub(crate) use env::Variables;
pub(crate) use hold::Held;
pub(crate) use read::{Bytes, read_bytes};
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
    Ok(Some(Source { bytes, text, node }))
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

/// Where a piece of a configuration came from.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    File(Arc<Source>),
    /// An environment variable, by its name.
    Variable(String),
}

/// A configuration as its layers say, not yet validated.
pub(crate) struct Candidate {
    pub(crate) name: String,
    pub(crate) value: Value,
    tree: Node,
    /// Those of its layers, weakest first, and after them those of what is held.
    pub(crate) origins: Vec<Origin>,
    /// How many of the origins are its layers.
    layers: usize,
    /// The rules it was loaded by.
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
    /// Merges the layers, weakest first, and the variables over them.
    pub(crate) fn layered(
        name: &str,
        layers: &[Arc<Source>],
        variables: &Variables,
        fields: Fields,
    ) -> Option<Self> {
        let tree = layer(name, layers.iter().map(|layer| &layer.node), variables)?;
        let files = layers.iter().cloned().map(Origin::File);
        let variables = variables.of(name).iter().map(|(variable, ..)| Origin::Variable(variable.clone()));
        let origins: Vec<Origin> = files.chain(variables).collect();
        let (value, layers) = (tree.to_value(), origins.len());
        Some(Self { name: name.to_owned(), value, tree, origins, layers, fields, held: Vec::new() })
    }

    /// The sources in files, weakest first.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Arc<Source>> {
        self.origins[..self.layers].iter().filter_map(|origin| match origin {
            Origin::File(source) => Some(source),
            Origin::Variable(_) => None,
        })
    }

    /// Its values as they may be shown.
    pub(crate) fn secrets(&self) -> Secrets {
        self.fields.secrets()
    }

    /// A message without the secrets of this configuration.
    pub(crate) fn scrub(&self, message: &str) -> String {
        let on_disk = self.held.iter().filter_map(|held| Some((&held.pointer, held.on_disk.as_ref()?)));
        let secrets = self.secrets();
        let message = secrets.scrub([("", &self.value)], message);
        secrets.scrub(on_disk.map(|(pointer, value)| (pointer.as_str(), value)), &message)
    }

    /// What sets the value at a pointer, if that is stronger than any file. Of a table only its parts are set.
    pub(crate) fn stronger(&self, pointer: &str) -> Option<String> {
        let node = self.tree.nearest(pointer);
        match self.origins.get(node.place.source) {
            Some(Origin::Variable(name)) if !matches!(node.data, Data::Object(_)) => {
                Some(format!("the environment variable {name}"))
            }
            _ => None,
        }
    }

    /// Makes `error` point at the value a JSON pointer names, or at the nearest one that exists.
    pub(crate) fn point(&self, error: Error, pointer: &str, root: &Path) -> Error {
        let place = &self.tree.nearest(pointer).place;
        match self.origins.get(place.source) {
            // What is held stood there once: the file says something else by now.
            Some(Origin::File(source)) if place.source >= self.layers => {
                error.at(Location::file(&source.bytes.path, root))
            }
            Some(Origin::File(source)) => {
                let location = Location::file(&source.bytes.path, root);
                let masked = self.secrets().spans(&source.node, &source.text);
                error.at(location.at(&source.text, place.span.clone())).masking(masked)
            }
            Some(Origin::Variable(name)) => error.help(format!("set by the environment variable {name}")),
            None => error,
        }
    }
}

/// Merges trees, weakest first, and the variables over them. Places name the trees in their order,
/// and after those the variables in theirs. `None` when there is no tree.
pub(crate) fn layer<'a>(
    name: &str,
    layers: impl IntoIterator<Item = &'a Node>,
    variables: &Variables,
) -> Option<Node> {
    let placed = layers.into_iter().enumerate().map(|(source, node)| merge::placed(node, source));
    let placed: Vec<Node> = placed.collect();
    let sources = placed.len()..;
    let tree = placed.into_iter().reduce(merge::merge)?;
    Some(variables.of(name).iter().zip(sources).fold(tree, |tree, ((_, steps, text), source)| {
        let node = env::node(text, tree.nearest(&env::pointer(steps)), source);
        merge::merge(tree, env::wrap(steps, node))
    }))
}
