//! What the formats have in common, and the helpers of their tests.

mod json;
mod layers;
mod properties;
mod rfc;
mod toml;
mod write;
mod yaml;

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::*;
use crate::load::understand;
use crate::route::format_of;

/// A file as the tests write it: its name and its text.
type Written<'a> = (&'a str, &'a str);

fn tree(name: &str, text: &str) -> Node {
    understand(text.as_bytes(), Path::new(name), Path::new(""))
        .unwrap_or_else(|failure| panic!("{}\n{text}", failure.error))
        .1
}

/// The texts of files after a patch, those that nothing changed in among them.
fn patched(files: &[Written<'_>], patch: &Patch) -> Result<Vec<String>> {
    patched_below(files, &|_| None, patch)
}

fn patched_below(
    files: &[Written<'_>],
    stronger: &dyn Fn(&str) -> Option<String>,
    patch: &Patch,
) -> Result<Vec<String>> {
    let nodes: Vec<Node> = files.iter().map(|(name, text)| tree(name, text)).collect();
    let paths: Vec<PathBuf> = files.iter().map(|(name, _)| name.into()).collect();
    let layers: Vec<FileLayer<'_>> = files
        .iter()
        .zip(&nodes)
        .zip(&paths)
        .map(|(((_, text), node), path)| FileLayer { path, format: format_of(path).unwrap(), text, node })
        .collect();
    let merged = overlaid(&nodes.iter().map(Node::to_value).collect::<Vec<_>>());
    let mut texts: Vec<String> = files.iter().map(|(_, text)| (*text).to_owned()).collect();
    for (at, text) in rewrite(&merged, &layers, stronger, patch)? {
        texts[at] = text;
    }
    Ok(texts)
}

/// The text of one file after a patch.
fn one(name: &str, text: &str, patch: &Patch) -> Result<String> {
    patched(&[(name, text)], patch).map(|mut texts| texts.remove(0))
}

/// Holds the text of a file after a merge patch against the expected one.
fn check(name: &str, before: &str, patch: &Value, after: &str) {
    let made = one(name, before, &Patch::merge(patch.clone()))
        .unwrap_or_else(|error| panic!("{error}\n{patch}\n{before}"));
    assert_eq!(made, after, "{patch}\n--- before\n{before}\n--- made\n{made}");
}
