//! The configurations on disk: how each kind of value is written, and what the disk says.

use std::path::Path;

use rekindle::ConfigMerge;
use rekindle_test::Site;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::kind::{Fate, Kind, kind_of};

/// All configurations. Two of them are read as one by a layered stream.
pub(crate) const CONFIGS: [&str; 3] = ["app", "left", "right"];
pub(crate) const PAIR: [&str; 2] = ["left", "right"];

/// The second layer of `app`.
pub(crate) const LOCAL: &str = "config/app.local.toml";

/// One configuration's value, as streams are of.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Part {
    pub(crate) kind: String,
    pub(crate) n: u64,
    pub(crate) twice: u64,
}

/// The values of one or more configurations.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Parts {
    app: Option<Part>,
    left: Option<Part>,
    right: Option<Part>,
}

impl ConfigMerge for Parts {
    fn merge(self, over: Self) -> Self {
        Self { app: over.app.or(self.app), left: over.left.or(self.left), right: over.right.or(self.right) }
    }
}

impl Parts {
    /// What must not be seen of it.
    pub(crate) fn fault(&self) -> Option<String> {
        let parts = [&self.app, &self.left, &self.right];
        parts.into_iter().flatten().find_map(|part| fault(&part.kind, part.n, part.twice))
    }

    /// What some values decode into.
    pub(crate) fn of<'a>(values: impl Iterator<Item = &'a Value>) -> Self {
        let decode = |value: &Value| Self::deserialize(value).expect("what is in use decodes");
        values.map(decode).fold(Self::default(), Self::merge)
    }
}

/// What must not be seen of a configuration's value.
pub(crate) fn fault_of(config: &str, value: &Value) -> Option<String> {
    let part = &value[config];
    let number = |name: &str| part[name].as_u64().unwrap_or(u64::MAX);
    fault(part["kind"].as_str().unwrap_or(""), number("n"), number("twice"))
}

fn fault(kind: &str, n: u64, twice: u64) -> Option<String> {
    let is_refused = Kind::named(kind).is_none_or(|kind| kind.fate() == Fate::IsRefused);
    let is_torn = n.checked_mul(2) != Some(twice);
    (is_refused || is_torn).then(|| format!("kind {kind:?}, n {n}, twice {twice}"))
}

/// The file of a configuration.
pub(crate) fn file(config: &str) -> String {
    let ending = if config == "left" { "json" } else { "toml" };
    format!("config/{config}.{ending}")
}

/// A file's text with a value of some kind.
pub(crate) fn text(config: &str, kind: Kind, n: u64) -> String {
    let number = if kind == Kind::Type { json!("many") } else { json!(n) };
    let value = json!({ "kind": kind.name(), "n": number, "twice": 2 * n });
    let whole = if config == "left" {
        format!("{:#}\n", json!({ config: value }))
    } else {
        let lines = ["kind", "n", "twice"].map(|key| format!("{key} = {} # {n}\n", value[key]));
        format!("# Written by chance.\n[{config}]\n{}", lines.concat())
    };
    if kind == Kind::Syntax { whole.replace("\"kind\"", "\"").replace("kind = ", "kind = = ") } else { whole }
}

/// A site with a good value of each, and what refuses some of them.
pub(crate) fn site() -> Site {
    let site = Site::new();
    for config in CONFIGS {
        site.write(&file(config), &text(config, Kind::Good, 1));
        let kind = json!({ "not": { "const": Kind::Schema.name() } });
        let schema = json!({ "properties": { config: { "properties": { "kind": kind } } } });
        site.write(&format!("config/{config}.schema.json"), &schema.to_string());
    }
    site
}

/// What the files of a configuration say; nothing if they say nothing valid.
pub(crate) fn on_disk(root: &Path, config: &str) -> Option<Value> {
    let mut value = parsed(root, &file(config))?;
    if config == "app" && root.join(LOCAL).exists() {
        let over = parsed(root, LOCAL)?;
        for (key, said) in over["app"].as_object()? {
            value["app"][key] = said.clone();
        }
    }
    Some(value)
}

fn parsed(root: &Path, file: &str) -> Option<Value> {
    let text = std::fs::read_to_string(root.join(file)).ok()?;
    if file.ends_with(".json") {
        return serde_json::from_str(&text).ok();
    }
    serde_json::to_value(text.parse::<toml::Table>().ok()?).ok()
}

/// Whether a value is one that can be in use when all is quiet.
pub(crate) fn may_stay(config: &str, value: &Value) -> bool {
    kind_of(config, value).is_some_and(|kind| kind.fate() == Fate::Stays)
}
