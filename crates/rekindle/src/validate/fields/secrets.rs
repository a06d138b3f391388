//! [`Secrets`]: what of a configuration nobody is to read, and the masking of it.

use std::fmt;

use serde_json::Value;

use super::graph::{Graph, Here};
use super::{Fields, MASK, Rule, below, steps};
use crate::load::{Data, Node, Span};

/// Texts shorter than this are not looked for in messages: they are found in every other word.
const SHORTEST: usize = 3;

/// Which values of a configuration are secret, and how to show it without them.
///
/// Everything that the library tells, logs or keeps for people to read is masked already. What it hands
/// to programs is not: the values of [`ChangeEvent::ConfigChanged`](crate::ChangeEvent::ConfigChanged)
/// and of a [`Snapshot`](crate::Snapshot) are the true ones, and this comes with them for whoever shows
/// them on.
///
/// ```
/// # use rekindle::HotReload;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> rekindle::Result<()> {
/// # let root = tempfile::tempdir()?;
/// # std::fs::create_dir(root.path().join("config"))?;
/// # std::fs::write(root.path().join("config/db.toml"), "user = 'app'\npassword = 'hunter2'")?;
/// let manager = HotReload::builder(root.path()).secret("db", "/password").start().await?;
/// let snapshot = manager.snapshot();
/// let (db, secrets) = (snapshot.get("db").unwrap(), snapshot.secrets("db"));
/// assert_eq!(db["password"], "hunter2");
/// assert_eq!(secrets.mask(db).to_string(), r#"{"password":"***","user":"app"}"#);
/// assert!(secrets.is_secret("/password") && !secrets.is_secret("/user"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secrets(Fields);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}

impl Secrets {
    pub(super) fn new(fields: Fields) -> Self {
        Self(fields)
    }

    fn graph(&self) -> &Graph {
        &self.0.0
    }

    /// What is secret by these or by those.
    pub(crate) fn and(&self, other: &Self) -> Self {
        Self(self.0.and(&other.0))
    }

    /// The configuration's value with `"***"` in place of every secret. A table or a list that is secret
    /// is replaced as one.
    pub fn mask(&self, value: &Value) -> Value {
        self.mask_at("", value)
    }

    /// As [`mask`](Self::mask), for the part of the configuration that `pointer` names.
    pub fn mask_at(&self, pointer: &str, value: &Value) -> Value {
        if self.is_secret(pointer) {
            return Value::from(MASK);
        }
        masked(self.graph(), &self.at(pointer), value)
    }

    /// Where the rules are at a pointer.
    fn at(&self, pointer: &str) -> Here {
        steps(pointer).fold(self.graph().top(), |here, key| self.graph().step(&here, &key))
    }

    /// Whether what a pointer names is a secret or part of one. A table that only holds secrets among
    /// other values is none.
    pub fn is_secret(&self, pointer: &str) -> bool {
        self.cover(pointer).is_some()
    }

    /// The pointers as they may be shown: those into a secret are cut to name it as a whole.
    pub fn conceal(&self, pointers: &[String]) -> Vec<String> {
        let mut shown: Vec<String> = Vec::with_capacity(pointers.len());
        for pointer in pointers {
            let pointer = self.name(pointer);
            if shown.last() != Some(&pointer) {
                shown.push(pointer);
            }
        }
        shown
    }

    /// A pointer as it may be shown: that of the secret which it leads into.
    pub(crate) fn name(&self, pointer: &str) -> String {
        self.cover(pointer).unwrap_or_else(|| pointer.to_owned())
    }

    /// The pointer of the secret that a pointer leads to or into.
    fn cover(&self, pointer: &str) -> Option<String> {
        let (graph, mut at) = (self.graph(), String::new());
        let mut here = graph.top();
        for key in steps(pointer) {
            if graph.has(&here, Rule::Secret) {
                return Some(at);
            }
            here = graph.step(&here, &key);
            at = below(&at, &key);
        }
        graph.has(&here, Rule::Secret).then_some(at)
    }

    /// Whether what a pointer names is secret, part of a secret, or holds one in this value.
    pub(crate) fn concern(&self, pointer: &str, value: &Value) -> bool {
        let holds = |part: &Value| self.graph().concerns(&self.at(pointer), Rule::Secret, part);
        self.is_secret(pointer) || value.pointer(pointer).is_some_and(holds)
    }

    /// What takes the secrets of these values out of messages; each value is given with its pointer.
    pub(crate) fn scrubber<'a>(&self, values: impl IntoIterator<Item = (&'a str, &'a Value)>) -> Scrubber {
        let mut texts = Vec::new();
        for (pointer, value) in values {
            if self.is_secret(pointer) {
                collect_all(value, &mut texts);
            } else {
                collect(self.graph(), &self.at(pointer), value, &mut texts);
            }
        }
        // The longest first, so that no part of one is left of another.
        texts.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        texts.dedup();
        Scrubber(texts)
    }

    /// Where in the text of a file its secrets stand, the keys within them included; none goes over the
    /// end of a line.
    pub(crate) fn spans(&self, node: &Node, text: &str) -> Vec<Span> {
        let mut spans = Vec::new();
        find(self.graph(), &self.graph().top(), node, &mut spans);
        super::text::by_line(text, spans)
    }

    /// As [`spans`](Self::spans), for a text that could not be parsed: what may be a secret.
    pub(crate) fn suspected_spans(&self, text: &str) -> Vec<Span> {
        super::text::suspected(text, self.graph().last_keys(Rule::Secret).as_ref())
    }
}

/// Takes secrets out of messages that others have written. `Debug` does not show them.
#[derive(Clone, Default)]
pub(crate) struct Scrubber(Vec<String>);

impl fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scrubber").finish_non_exhaustive()
    }
}

impl Scrubber {
    /// A message with `***` for each secret text or number of three characters or more.
    pub(crate) fn scrub(&self, message: &str) -> String {
        self.0.iter().fold(message.to_owned(), |message, text| message.replace(text.as_str(), MASK))
    }
}

fn masked(graph: &Graph, here: &Here, value: &Value) -> Value {
    let below = |key: &str, value: &Value| masked(graph, &graph.step(here, key), value);
    match value {
        _ if graph.has(here, Rule::Secret) => Value::from(MASK),
        _ if here.is_empty() => value.clone(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(key, value)| (key.clone(), below(key, value))).collect())
        }
        Value::Array(items) => Value::Array(
            items.iter().enumerate().map(|(index, item)| below(&index.to_string(), item)).collect(),
        ),
        plain => plain.clone(),
    }
}

/// The texts of everything secret.
fn collect(graph: &Graph, here: &Here, value: &Value, texts: &mut Vec<String>) {
    match value {
        _ if here.is_empty() => {}
        _ if graph.has(here, Rule::Secret) => collect_all(value, texts),
        Value::Object(members) => {
            members.iter().for_each(|(key, value)| collect(graph, &graph.step(here, key), value, texts));
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(graph, &graph.step(here, &index.to_string()), item, texts);
            }
        }
        _ => {}
    }
}

fn collect_all(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.values().for_each(|value| collect_all(value, texts)),
        Value::Array(items) => items.iter().for_each(|item| collect_all(item, texts)),
        Value::String(text) => {
            // As it is, as messages quote it, and a line of it.
            let quoted = [format!("{text:?}"), value.to_string()];
            let inner = quoted.iter().map(|quoted| &quoted[1..quoted.len() - 1]);
            let forms = std::iter::once(text.as_str()).chain(inner).chain(text.lines().map(str::trim));
            texts.extend(forms.filter(|form| form.chars().count() >= SHORTEST).map(str::to_owned));
        }
        Value::Number(number) => {
            texts.extend(Some(number.to_string()).filter(|text| text.len() >= SHORTEST));
        }
        Value::Null | Value::Bool(_) => {}
    }
}

/// The places of everything secret.
fn find(graph: &Graph, here: &Here, node: &Node, spans: &mut Vec<Span>) {
    match &node.data {
        _ if here.is_empty() => {}
        _ if graph.has(here, Rule::Secret) => find_all(node, spans),
        Data::Object(members) => {
            members.iter().for_each(|(key, member)| find(graph, &graph.step(here, key), &member.node, spans));
        }
        Data::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                find(graph, &graph.step(here, &index.to_string()), item, spans);
            }
        }
        _ => {}
    }
}

/// The keys and the plain values of a table: its own place may be no more than its header.
fn find_all(node: &Node, spans: &mut Vec<Span>) {
    match &node.data {
        Data::Object(members) => {
            for (_, member) in members.iter() {
                spans.push(member.key.span.clone());
                find_all(&member.node, spans);
            }
        }
        Data::Array(items) => items.iter().for_each(|item| find_all(item, spans)),
        _ => spans.push(node.place.span.clone()),
    }
}
