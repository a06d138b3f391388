//! [`Graph`]: which template leads to which. Pure.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::version::Versions;
use crate::engine::{Reference, Target};
use crate::place::line_and_column;
use crate::problem::ChainLink;

/// Which template leads to which, and in which line. Names that are led to need not exist.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    /// From a name, the names that its tags lead to, with the first line that does.
    uses: BTreeMap<String, BTreeMap<String, usize>>,
    /// To a name, the names of those that lead to it.
    users: BTreeMap<String, BTreeSet<String>>,
    /// Those whose tags may lead anywhere.
    unsure: BTreeSet<String>,
}

/// Which template defines a component, where there are any.
pub(crate) fn components(versions: &Versions) -> BTreeMap<&str, &str> {
    let all = versions.iter().flat_map(|(name, version)| {
        version.parsed.components.iter().map(move |component| (component.as_str(), name.as_str()))
    });
    all.collect()
}

impl Graph {
    pub(crate) fn new(versions: &Versions) -> Self {
        let components = components(versions);
        let mut graph = Self::default();
        for (name, version) in versions {
            for reference in version.references() {
                let line = || line_and_column(&version.source, reference.span.start).0;
                match targets(reference, &components) {
                    Some(targets) => targets.for_each(|target| graph.add(name, target, line())),
                    None => drop(graph.unsure.insert(name.clone())),
                }
            }
        }
        graph
    }

    fn add(&mut self, from: &str, to: &str, line: usize) {
        self.uses.entry(from.to_owned()).or_default().entry(to.to_owned()).or_insert(line);
        self.users.entry(to.to_owned()).or_default().insert(from.to_owned());
    }

    /// The names that a template's own tags lead to.
    pub(crate) fn uses(&self, name: &str) -> impl Iterator<Item = &str> {
        self.uses.get(name).into_iter().flat_map(|targets| targets.keys().map(String::as_str))
    }

    /// Whether a template's tags may lead anywhere.
    pub(crate) fn is_unsure(&self, name: &str) -> bool {
        self.unsure.contains(name)
    }

    fn users(&self, name: &str) -> impl Iterator<Item = &String> {
        self.users.get(name).into_iter().flatten()
    }

    /// These names and all from which they can be reached.
    pub(crate) fn affected<'a>(&self, changed: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
        let mut left: Vec<&str> = changed.into_iter().collect();
        let mut found: BTreeSet<String> = left.iter().map(|name| (*name).to_owned()).collect();
        if !left.is_empty() {
            left.extend(self.unsure.iter().map(String::as_str));
            found.extend(self.unsure.iter().cloned());
        }
        while let Some(name) = left.pop() {
            for user in self.users(name) {
                if found.insert(user.clone()) {
                    left.push(user);
                }
            }
        }
        found
    }

    /// The shortest way to a name from a template that nobody uses: its links, without the name itself.
    /// Empty when the name is such a template, or when all that leads there goes round in a circle.
    pub(crate) fn chain_to(&self, name: &str) -> Vec<ChainLink> {
        let is_outermost = |at: &str| self.users(at).next().is_none();
        let next = |at: &str| self.users(at).map(String::as_str).collect();
        let way = shortest(name, is_outermost, next);
        self.links(way.into_iter().rev())
    }

    /// The shortest way from one template to another: its links, without the last name.
    pub(crate) fn chain_between(&self, from: &str, to: &str) -> Vec<ChainLink> {
        let next = |at: &str| self.uses(at).collect();
        self.links(shortest(from, |at| at == to, next).into_iter())
    }

    /// The links along a way of names, the last of which is no link.
    fn links<'a>(&self, way: impl Iterator<Item = &'a str> + Clone) -> Vec<ChainLink> {
        let pairs = way.clone().zip(way.skip(1));
        let link = |(from, to): (&str, &str)| {
            let line = *self.uses.get(from)?.get(to)?;
            Some(ChainLink { template: from.to_owned(), line })
        };
        pairs.filter_map(link).collect()
    }
}

/// The names that a tag leads to; `None` when it may be any.
fn targets<'a>(
    reference: &'a Reference,
    components: &'a BTreeMap<&str, &str>,
) -> Option<impl Iterator<Item = &'a str>> {
    let (names, component) = match &reference.target {
        Target::Templates(names) => (names.as_slice(), None),
        Target::Component(component) => (&[][..], components.get(component.as_str()).copied()),
        Target::Any => return None,
    };
    Some(names.iter().map(String::as_str).chain(component))
}

/// The names on the shortest way from `start` to a goal, both included; empty when there is none. Among
/// ways of one length the first in the order of names.
fn shortest<'a>(
    start: &'a str,
    is_goal: impl Fn(&str) -> bool,
    next: impl Fn(&str) -> Vec<&'a str>,
) -> Vec<&'a str> {
    let mut before = BTreeMap::from([(start, None)]);
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        if is_goal(at) {
            let mut way: Vec<&str> =
                std::iter::successors(Some(at), |at| before.get(at).copied().flatten()).collect();
            way.reverse();
            return way;
        }
        for name in next(at) {
            before.entry(name).or_insert_with(|| {
                queue.push_back(name);
                Some(at)
            });
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::Parsed;
    use crate::templates::version::Version;

    /// A graph of templates that use one other in each line; `*` is any.
    fn graph(templates: &[(&str, &[&str])]) -> Graph {
        let version = |uses: &[&str]| {
            let reference = |(line, name): (usize, &&str)| Reference {
                target: if *name == "*" { Target::Any } else { Target::Templates(vec![(*name).to_owned()]) },
                needed: true,
                span: line..line,
            };
            let references = uses.iter().enumerate().map(reference).collect();
            let parsed = Parsed { references, components: Vec::new() };
            Arc::new(Version { source: "\n".repeat(uses.len()), hash: 0, parsed })
        };
        let versions = templates.iter().map(|(name, uses)| ((*name).to_owned(), version(uses)));
        Graph::new(&versions.collect())
    }

    fn chain(links: &[ChainLink]) -> Vec<String> {
        links.iter().map(ChainLink::to_string).collect()
    }

    #[test]
    fn what_is_affected_is_all_that_reaches_it() {
        let graph =
            graph(&[("page", &["layout"]), ("layout", &["nav"]), ("other", &["foot"]), ("any", &["*"])]);
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(graph.affected(["nav"]), names(&["any", "layout", "nav", "page"]));
        assert_eq!(graph.affected(["page"]), names(&["any", "page"]));
        assert_eq!(graph.affected([]), names(&[]));
    }

    #[test]
    fn the_chain_is_the_shortest_from_a_template_that_nobody_uses() {
        let graph = graph(&[
            ("long", &["a"]),
            ("a", &["b"]),
            ("b", &["nav"]),
            ("page", &["x", "y", "layout"]),
            ("layout", &["x", "nav"]),
        ]);
        assert_eq!(chain(&graph.chain_to("nav")), ["page:3", "layout:2"]);
        assert_eq!(chain(&graph.chain_to("page")), Vec::<String>::new());
        assert_eq!(chain(&graph.chain_between("long", "nav")), ["long:1", "a:1", "b:1"]);
        assert_eq!(chain(&graph.chain_between("nav", "long")), Vec::<String>::new());
    }

    #[test]
    fn circles_end() {
        let graph = graph(&[("a", &["b"]), ("b", &["a", "c"])]);
        assert_eq!(chain(&graph.chain_to("c")), Vec::<String>::new(), "nothing begins it");
        assert_eq!(graph.affected(["c"]).len(), 3);
    }
}
