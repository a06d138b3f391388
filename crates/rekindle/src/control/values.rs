//! Values that are not in use: what is on disk by now, and what a revision holds. Reads files, blocks.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::commit::permissions_of;
use crate::config::Settings;
use crate::error::{Error, ErrorKind, Result};
use crate::history::Content;
use crate::load::{Bytes, Candidate, Externals, Failure, Source, load_source, understand};
use crate::route::Routes;
use crate::validate::{Fields, Schema, Secrets};

/// A configuration as a start of the program would load it now, not validated. `known` is what is secret
/// of it in any case.
pub(super) fn on_disk(
    name: &str,
    root: &Path,
    settings: &Settings,
    environment: &str,
    externals: &Externals,
    known: &Secrets,
) -> Result<Arc<Candidate>> {
    let fields = Fields::declared(name, &settings.fields).and(&of_schema(name, root, settings));
    let secrets = fields.secrets().and(known);
    let routes = Routes::new(environment).with_remote(settings.remote);
    let mut layers = Vec::new();
    for &layer in routes.layers() {
        let places = routes.candidates(name, layer).into_iter().map(|path| root.join(path));
        for place in places {
            let loaded = load_source(&place, root, settings.max_file_size, &secrets);
            if let Some(source) = loaded.map_err(|Failure { error, .. }| error)? {
                layers.push(Arc::new(source));
                break;
            }
        }
    }
    if let Some(Failure { error, .. }) = externals.faults(name).next() {
        return Err(error.clone());
    }
    let none = || Error::new(ErrorKind::NotFound, format!("there is no configuration {name:?} on disk"));
    Candidate::layered(name, &layers, externals, &fields).map(Arc::new).ok_or_else(none)
}

/// What is secret of a configuration by all that is known: in any case, in code, in the schema.
pub(super) fn secrets(name: &str, root: &Path, settings: &Settings, known: &Secrets) -> Secrets {
    let fields = Fields::declared(name, &settings.fields).and(&of_schema(name, root, settings));
    fields.secrets().and(known)
}

/// The rules of the schema on disk. While it cannot be read it may call anything a secret.
fn of_schema(name: &str, root: &Path, settings: &Settings) -> Fields {
    let path = root.join(Routes::schema(name));
    let read = load_source(&path, root, settings.max_file_size, &Secrets::default());
    match read.map(|source| source.map(|source| Schema::compile(Arc::new(source), root))) {
        Ok(None) => Fields::default(),
        Ok(Some(Ok(schema))) => schema.fields,
        Ok(Some(Err(_))) | Err(_) => Fields::all_secret(),
    }
}

/// The value that the files of a revision make.
pub(super) fn of_revision(name: &str, contents: Vec<Content>, root: &Path) -> Result<Value> {
    let sources = contents.into_iter().map(|content| source(content, root).map(Arc::new));
    let sources = sources.collect::<Result<Vec<_>>>()?;
    let candidate = Candidate::layered(name, &sources, &Externals::default(), &Fields::default());
    Ok(candidate.map_or(Value::Null, |candidate| candidate.value.clone()))
}

fn source(content: Content, root: &Path) -> Result<Source> {
    let Content { path, bytes: content, mode } = content;
    let path = root.join(path);
    let (text, node) = understand(&content, &path, root).map_err(|Failure { error, .. }| error)?;
    let (hash, permissions) = (blake3::hash(&content), permissions_of(mode, root)?);
    Ok(Source::new(Bytes { path, content, hash, permissions }, text, node, root))
}
