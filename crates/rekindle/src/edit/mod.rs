//! Edit: a patch and the files of a configuration in, the new text of those files out.
//!
//! The patch is made to the value that the program sees ([`patch`]); what differs then is told to
//! the layers that hold it ([`plan`]); each layer's text changes where it must and stays byte for
//! byte the same everywhere else, one module a format. At the end every new text is read again and
//! must say exactly what was meant. Pure: no file is touched here.

#![cfg_attr(
    not(all(feature = "toml", feature = "json", feature = "yaml")),
    allow(unused, reason = "every format needs another part of the helpers")
)]

#[cfg(any(feature = "toml", feature = "json", feature = "yaml"))]
mod commas;
#[cfg(feature = "json")]
mod json;
mod lists;
mod patch;
mod plan;
mod pointer;
mod splice;
#[cfg(test)]
mod tests;
#[cfg(feature = "toml")]
mod toml;
#[cfg(feature = "yaml")]
mod yaml;

use std::path::Path;

use serde_json::Value;

use crate::error::{Error, ErrorKind, Location, Result};
use crate::load::{Node, understand};
use crate::route::Format;
pub use patch::Patch;
use pointer::{Change, Edit};

/// What the text of a file begins with that some editors mark as UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A file of a configuration, as it was last read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileLayer<'a> {
    /// Its path relative to the root.
    pub(crate) path: &'a Path,
    pub(crate) format: Format,
    pub(crate) text: &'a str,
    /// What `text` says.
    pub(crate) node: &'a Node,
}

/// The files that a patch changes, by their index in `layers`, and their new texts. Empty when the
/// value is what the patch makes it already.
///
/// `merged` is the value that the program sees, `layers` are the files it comes from, weakest first.
/// `stronger` names what sets the value at a pointer, if that is stronger than any file.
///
/// # Errors
///
/// [`ErrorKind::Conflict`] when the value is not what the patch expects, or a file cannot decide it;
/// [`ErrorKind::Check`] when the patch or the format has no such value, or when the file is written in
/// a way that only its author can change.
pub(crate) fn rewrite(
    merged: &Value,
    layers: &[FileLayer<'_>],
    stronger: &dyn Fn(&str) -> Option<String>,
    patch: &Patch,
) -> Result<Vec<(usize, String)>> {
    let wanted = patch.apply(merged)?;
    let values: Vec<Value> = layers.iter().map(|layer| layer.node.to_value()).collect();
    let plan = plan::plan(merged, &wanted, values.clone(), stronger)?;
    let mut changed = Vec::new();
    for (at, edits) in plan.edits.iter().enumerate().filter(|(_, edits)| !edits.is_empty()) {
        changed.push((at, layers[at].edited(edits, &plan.layers[at])?));
    }
    // Where files alone make the value, they must make the wanted one, too.
    if overlaid(&values) == *merged && overlaid(&plan.layers) != wanted {
        return Err(Error::new(
            ErrorKind::Check,
            "the layers of this configuration cannot be made to say that",
        )
        .help("edit the files by hand"));
    }
    Ok(changed)
}

/// What layers say together: tables merge, everything else replaces.
fn overlaid(layers: &[Value]) -> Value {
    layers.iter().fold(Value::Object(serde_json::Map::new()), |mut below, above| {
        overlay(&mut below, above);
        below
    })
}

fn overlay(below: &mut Value, above: &Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (key, above) in above {
                overlay(below.entry(key.clone()).or_insert(Value::Null), above);
            }
        }
        (below, above) => *below = above.clone(),
    }
}

impl FileLayer<'_> {
    /// The text with `edits` made to it, which says `wanted`.
    fn edited(&self, edits: &[Edit], wanted: &Value) -> Result<String> {
        let by_item = lists::by_item(edits, self.node).map(|edits| self.edited_so(&edits, wanted));
        match by_item {
            Some(Ok(new)) => Ok(new),
            _ => self.edited_so(edits, wanted),
        }
    }

    /// The same, with each list that differs in length set as a whole if `edits` say so.
    fn edited_so(&self, edits: &[Edit], wanted: &Value) -> Result<String> {
        let body = self.text.strip_prefix(BYTE_ORDER_MARK);
        let mut new = self.new_body(body.unwrap_or(self.text), edits, wanted)?;
        if body.is_some() {
            new.insert(0, BYTE_ORDER_MARK);
        }
        match self.read(&new) {
            Some(node) if node.to_value() == *wanted => Ok(new),
            _ => Err(self.not_possible(&edits[0].steps)),
        }
    }

    fn new_body(&self, text: &str, edits: &[Edit], wanted: &Value) -> Result<String> {
        match self.format {
            #[cfg(feature = "toml")]
            Format::Toml => toml::edited(self, text, edits, wanted),
            #[cfg(feature = "json")]
            Format::Json | Format::Jsonc => self.one_by_one(text, edits, json::edit),
            #[cfg(feature = "yaml")]
            Format::Yaml => yaml::edited(self, text, edits, wanted),
            #[allow(unreachable_patterns, reason = "reached only when a format's feature is off")]
            _ => Err(self.refuse("this program was built without support for this format")),
        }
    }

    /// Makes edits: to values that are there all at once, and the others in turn, each to the text
    /// that the one before it made.
    fn one_by_one(
        &self,
        text: &str,
        edits: &[Edit],
        edit: impl Fn(&str, &Node, &Edit) -> Option<Vec<splice::Splice>>,
    ) -> Result<String> {
        let mut text = text.to_owned();
        let (in_place, rest): (Vec<_>, Vec<_>) = edits.iter().partition(|edit| {
            matches!(edit.change, Change::Set(_)) && pointer::node(self.node, &edit.steps).is_some()
        });
        if let Some(first) = in_place.first() {
            let node = self.read(&text);
            let splices = node.and_then(|node| {
                let splices = in_place.iter().map(|one| edit(&text, &node, one));
                splices.collect::<Option<Vec<_>>>()
            });
            let new = splices.and_then(|splices| splice::splice(&text, splices.concat()));
            text = new.ok_or_else(|| self.not_possible(&first.steps))?;
        }
        for one in rest {
            let node = self.read(&text);
            let splices = node.and_then(|node| edit(&text, &node, one));
            let new = splices.and_then(|splices| splice::splice(&text, splices));
            text = new.ok_or_else(|| self.not_possible(&one.steps))?;
        }
        Ok(text)
    }

    /// What a text says in this layer's format.
    fn read(&self, text: &str) -> Option<Node> {
        understand(text.as_bytes(), self.path, Path::new("")).ok().map(|(_, node)| node)
    }

    /// An error about this file.
    fn refuse(&self, message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Check, message).at(Location::file(self.path, Path::new("")))
    }

    /// The error of an edit that this file's text has no place for.
    fn not_possible(&self, steps: &[String]) -> Error {
        let at = pointer::pointer(steps);
        let span = self.node.nearest(&at).place.span.clone();
        let location = Location::file(self.path, Path::new("")).at(self.text, span);
        let message = format!("`{at}` cannot be changed without changing more of this file");
        Error::new(ErrorKind::Check, message).help("edit it by hand, here").about(at).at(location)
    }
}
