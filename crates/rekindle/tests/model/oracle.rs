//! What the disk says, by a parser and a merge that are not the library's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::disk::Files;

/// A configuration as its files say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Said {
    Value(Value),
    Invalid,
    Gone,
}

/// The layers of a configuration in files, weakest first.
pub(crate) fn layers(name: &str) -> [PathBuf; 3] {
    ["", ".test", ".local"].map(|middle| PathBuf::from(format!("config/{name}{middle}.toml")))
}

/// The configurations whose files there ever were.
pub(crate) fn names(moments: &[Files]) -> BTreeSet<String> {
    let paths = moments.iter().flat_map(BTreeMap::keys);
    paths.filter_map(|path| name(path)).collect()
}

fn name(path: &Path) -> Option<String> {
    let path = path.strip_prefix("config").ok()?.to_str()?;
    let stem = path.strip_suffix(".toml")?;
    let directory = stem.rfind('/').map_or(0, |slash| slash + 1);
    let end = stem[directory..].find('.').map_or(stem.len(), |dot| directory + dot);
    Some(stem[..end].to_owned())
}

/// What the files say of a configuration.
pub(crate) fn said(name: &str, files: &Files) -> Said {
    let layers = layers(name);
    let contents: Vec<&Vec<u8>> = layers.iter().filter_map(|path| files.get(path)).collect();
    if contents.is_empty() {
        return Said::Gone;
    }
    merged(contents.into_iter().map(Vec::as_slice)).map_or(Said::Invalid, Said::Value)
}

/// The value of some contents laid over each other; none if one of them is invalid.
pub(crate) fn merged<'a>(contents: impl Iterator<Item = &'a [u8]>) -> Option<Value> {
    let values: Option<Vec<Value>> = contents.map(parse).collect();
    values?.into_iter().reduce(overlaid).filter(is_whole)
}

fn parse(content: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(content).ok()?;
    let table: toml::Table = text.parse().ok().filter(|_| !text.trim().is_empty())?;
    serde_json::to_value(table).ok()
}

fn overlaid(base: Value, over: Value) -> Value {
    match (base, over) {
        (Value::Object(mut below), Value::Object(above)) => {
            for (key, value) in above {
                let merged = below.remove(&key).map_or(value.clone(), |base| overlaid(base, value));
                below.insert(key, merged);
            }
            Value::Object(below)
        }
        (_, over) => over,
    }
}

/// Whether every table ends with the number that it began with: it is no new content over an old one.
/// The engine refuses what is not by the same rule, as a check of the program's.
pub(crate) fn is_whole(value: &Value) -> bool {
    let tables = value.as_object().into_iter().flat_map(|tables| tables.values());
    tables.into_iter().all(|table| !table["begin"].is_null() && table["begin"] == table["end"])
}

/// Whether a value was once what some contents of the configuration's files said, each of them there at
/// some moment. Not of one moment all: the engine reads a file when it changes.
pub(crate) fn was_whole(name: &str, value: &Value, moments: &[Files]) -> bool {
    let ever: [BTreeSet<Option<&Vec<u8>>>; 3] =
        layers(name).map(|path| moments.iter().map(|files| files.get(&path)).collect());
    let [base, environment, local] = &ever;
    base.iter().any(|base| {
        environment.iter().any(|environment| {
            let layered = |local| [*base, *environment, local].into_iter().flatten().map(Vec::as_slice);
            local.iter().any(|local| merged(layered(*local)).as_ref() == Some(value))
        })
    })
}
