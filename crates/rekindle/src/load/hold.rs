//! Values that stay as they are while the rest of a change is applied.
//!
//! In: a configuration as its files say, and the one in use. Out: the one to be used instead, in which
//! some fields have their running values, each with the place it came from. Pure.

use serde_json::Value;

use super::candidate::{Candidate, Layer};
use super::tree::{Data, Member, Node, Place, Table};
use crate::validate::steps;

/// A field whose value on disk waits for a restart.
#[derive(Clone, PartialEq)]
pub(crate) struct Held {
    pub(crate) pointer: String,
    /// `None` where the field is not there.
    pub(crate) running: Option<Value>,
    pub(crate) on_disk: Option<Value>,
}

/// Without the values, which may be secret.
impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held").field("pointer", &self.pointer).finish_non_exhaustive()
    }
}

impl Candidate {
    /// This configuration with the running values of these fields.
    pub(crate) fn holding(&self, running: &Self, pointers: &[String]) -> Self {
        let mut layers = self.layers.clone();
        let mut sources = Sources { running: &running.layers, moved: Vec::new(), layers: &mut layers };
        let mut tree = self.tree.clone();
        let mut held = Vec::new();
        for pointer in pointers {
            let steps: Vec<String> = steps(pointer).collect();
            tree = sources.keep(tree, &running.tree, &steps);
            held.push(Held {
                pointer: pointer.clone(),
                running: running.value.pointer(pointer).cloned(),
                on_disk: self.value.pointer(pointer).cloned(),
            });
        }
        let (name, fields) = (self.name.clone(), self.fields.clone());
        Self { name, value: tree.to_value(), tree, layers, own: self.own, fields, held }
    }
}

/// Gives the nodes of the running tree their places among the layers of the new one.
struct Sources<'a> {
    running: &'a [Layer],
    /// Which of the running layers is which of the new ones.
    moved: Vec<(usize, usize)>,
    layers: &'a mut Vec<Layer>,
}

impl Sources<'_> {
    /// `new` with the running value of what `steps` lead to.
    fn keep(&mut self, new: Node, running: &Node, steps: &[String]) -> Node {
        let Some((step, rest)) = steps.split_first() else { return self.moved(running) };
        let Node { data, place } = new;
        let data = match (data, &running.data) {
            (Data::Object(members), Data::Object(old)) => {
                Data::Object(self.keep_member(members, old.get(step), step, rest))
            }
            (Data::Array(items), Data::Array(old)) => {
                let index = step.parse().ok();
                let keep = |(at, item): (usize, Node)| match old.get(at).filter(|_| index == Some(at)) {
                    Some(old) => self.keep(item, old, rest),
                    None => item,
                };
                Data::Array(items.into_vec().into_iter().enumerate().map(keep).collect())
            }
            (data, _) => data,
        };
        Node { data, place }
    }

    fn keep_member(&mut self, members: Table, old: Option<&Member>, key: &str, rest: &[String]) -> Table {
        let mut entries: Vec<_> = members.into_iter().collect();
        let at = entries.iter().position(|(other, _)| **other == *key);
        match (at.map(|at| entries.remove(at)), old) {
            (Some((key, Member { key: place, node })), Some(old)) => {
                entries.push((key, Member { key: place, node: self.keep(node, &old.node, rest) }));
            }
            (Some((key, Member { key: place, node })), None) => {
                let node = without(node, rest).map(|node| (key, Member { key: place, node }));
                entries.extend(node);
            }
            (None, Some(old)) => {
                let member = Member { key: self.place(&old.key), node: self.only(&old.node, rest) };
                entries.push((key.into(), member));
            }
            (None, None) => {}
        }
        entries.into_iter().collect()
    }

    /// A running node with nothing in it but what `steps` lead to.
    fn only(&mut self, node: &Node, steps: &[String]) -> Node {
        match (steps.split_first(), &node.data) {
            (Some((step, rest)), Data::Object(members)) => {
                let member = members.get(step);
                let entry = member.map(|member| {
                    let key = self.place(&member.key);
                    (step.as_str().into(), Member { key, node: self.only(&member.node, rest) })
                });
                Node { data: Data::Object(entry.into_iter().collect()), place: self.place(&node.place) }
            }
            _ => self.moved(node),
        }
    }

    fn moved(&mut self, node: &Node) -> Node {
        let data = match &node.data {
            Data::Array(items) => Data::Array(items.iter().map(|item| self.moved(item)).collect()),
            Data::Object(members) => Data::Object(
                members
                    .iter()
                    .map(|(key, member)| {
                        let place = self.place(&member.key);
                        (key.clone(), Member { key: place, node: self.moved(&member.node) })
                    })
                    .collect(),
            ),
            plain => plain.clone(),
        };
        Node { data, place: self.place(&node.place) }
    }

    /// A place whose source is taken over into the new layers, once, and only if it is needed: what is
    /// held through many changes must not keep all of their files.
    fn place(&mut self, place: &Place) -> Place {
        let known = self.moved.iter().find(|(from, _)| *from == place.source).map(|(_, to)| *to);
        let source = known.unwrap_or_else(|| {
            let to = self.layers.len();
            self.layers.extend(self.running.get(place.source).cloned());
            self.moved.push((place.source, to));
            to
        });
        Place { source, span: place.span.clone() }
    }
}

/// A node without what `steps` lead to; `None` where that is the node itself.
fn without(node: Node, steps: &[String]) -> Option<Node> {
    let (step, rest) = steps.split_first()?;
    let Node { data, place } = node;
    let data = match data {
        Data::Object(members) => {
            let keep = |(key, Member { key: place, node }): (Box<str>, Member)| {
                let node = if *key == **step { without(node, rest) } else { Some(node) };
                node.map(|node| (key, Member { key: place, node }))
            };
            Data::Object(members.into_iter().filter_map(keep).collect())
        }
        other => other,
    };
    Some(Node { data, place })
}

#[cfg(all(test, feature = "json"))]
mod tests;
