//! What differs between two values where a rule holds.

use std::collections::BTreeSet;

use serde_json::Value;

use super::graph::{Graph, Here};
use super::{Rule, below};

/// The pointers of what differs under a rule, in order, none of them below another.
///
/// An element of a list, or an entry of a table that `*` stands for, may come and go as a whole: the
/// field in it neither appears nor disappears. Where one value has a table and the other has none,
/// what differs is the table.
pub(super) fn changed(graph: &Graph, rule: Rule, old: &Value, new: &Value) -> Vec<String> {
    let mut walk = Walk { graph, rule, changed: Vec::new() };
    walk.go(&graph.top(), Some(old), Some(new), "");
    walk.changed
}

struct Walk<'a> {
    graph: &'a Graph,
    rule: Rule,
    changed: Vec<String>,
}

impl Walk<'_> {
    fn go(&mut self, here: &Here, old: Option<&Value>, new: Option<&Value>, at: &str) {
        if here.is_empty() || old == new {
            return;
        }
        if self.graph.has(here, self.rule) {
            self.changed.push(at.to_owned());
            return;
        }
        match (old, new) {
            (Some(Value::Object(_)) | None, Some(Value::Object(_)) | None) => self.tables(here, old, new, at),
            (Some(Value::Array(old)), Some(Value::Array(new))) => {
                for (index, (old, new)) in old.iter().zip(new).enumerate() {
                    self.child(here, &index.to_string(), Some(old), Some(new), at);
                }
            }
            // A list that is not there has no elements.
            (Some(Value::Array(_)), None) | (None, Some(Value::Array(_))) => {}
            _ if [old, new]
                .into_iter()
                .flatten()
                .any(|value| self.graph.concerns(here, self.rule, value)) =>
            {
                self.changed.push(at.to_owned());
            }
            _ => {}
        }
    }

    /// Two tables, of which one may be missing: what is in the other came or went with it.
    fn tables(&mut self, here: &Here, old: Option<&Value>, new: Option<&Value>, at: &str) {
        let members = [old, new].map(|value| value.and_then(Value::as_object));
        let keys: BTreeSet<&String> = members.iter().flatten().flat_map(|members| members.keys()).collect();
        for key in keys {
            let [old, new] = members.map(|members| members.and_then(|members| members.get(key)));
            self.child(here, key, old, new, at);
        }
    }

    fn child(&mut self, here: &Here, key: &str, old: Option<&Value>, new: Option<&Value>, at: &str) {
        let there = self.graph.step(here, key);
        let is_entry = (old.is_none() || new.is_none()) && !self.graph.names(here, key);
        if !is_entry || self.graph.has(&there, self.rule) {
            self.go(&there, old, new, &below(at, key));
        }
    }
}
