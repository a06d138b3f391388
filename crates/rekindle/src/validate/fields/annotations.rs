//! A JSON Schema in, the rules that its `"x-rekindle"` words state out.
//!
//! Every subschema that can apply to a value counts, whether or not it does: a field that is secret in
//! one of several alternatives is secret. References within the document are followed, others are not.

use std::collections::{HashMap, VecDeque};

use serde_json::{Map, Value};

use super::graph::{Graph, Step};
use super::{Rule, below};

/// The keyword.
const KEYWORD: &str = "x-rekindle";

/// Keywords whose schema, or each of whose schemas, says something of the same value.
const IN_PLACE: [&str; 8] = ["allOf", "anyOf", "oneOf", "if", "then", "else", "not", "dependentSchemas"];

/// Keywords whose schema is for any key or element.
const ANY: [&str; 3] = ["contains", "unevaluatedItems", "unevaluatedProperties"];

/// A word that is no rule: where it stands in the schema, and what to say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unknown {
    /// A JSON pointer into the schema.
    pub(crate) pointer: String,
    pub(crate) message: String,
}

/// Compiles the rules of a schema.
pub(super) fn compile(document: &Value) -> Result<Graph, Unknown> {
    let mut compiler =
        Compiler { document, graph: Graph::default(), known: HashMap::new(), queue: VecDeque::new() };
    compiler.state(document, String::new());
    while let Some((state, schema, at)) = compiler.queue.pop_front() {
        if let Value::Object(keywords) = schema {
            compiler.visit(state, keywords, &at)?;
        }
    }
    Ok(compiler.graph)
}

struct Compiler<'a> {
    document: &'a Value,
    graph: Graph,
    /// The states of subschemas, by address: each is visited once, however often it is referred to.
    known: HashMap<*const Value, usize>,
    queue: VecDeque<(usize, &'a Value, String)>,
}

impl<'a> Compiler<'a> {
    fn state(&mut self, schema: &'a Value, at: String) -> usize {
        if let Some(state) = self.known.get(&std::ptr::from_ref(schema)) {
            return *state;
        }
        let state = self.graph.push();
        self.known.insert(schema, state);
        self.queue.push_back((state, schema, at));
        state
    }

    fn visit(&mut self, state: usize, keywords: &'a Map<String, Value>, at: &str) -> Result<(), Unknown> {
        if let Some(words) = keywords.get(KEYWORD) {
            self.graph.states[state].rules.extend(rules(words, &below(at, KEYWORD))?);
        }
        for (keyword, schema) in keywords {
            let at = below(at, keyword);
            match keyword.as_str() {
                "$ref" | "$dynamicRef" | "$recursiveRef" => self.follow(state, schema),
                in_place if IN_PLACE.contains(&in_place) => self.in_place(state, schema, &at),
                any if ANY.contains(&any) => self.edge(state, Step::any(), schema, at),
                _ => self.children(state, keyword, schema, keywords, &at),
            }
        }
        Ok(())
    }

    /// The keywords of tables and lists.
    fn children(
        &mut self,
        state: usize,
        keyword: &str,
        schema: &'a Value,
        keywords: &'a Map<String, Value>,
        at: &str,
    ) {
        match (keyword, schema) {
            ("properties", Value::Object(all)) => self.named(state, all, at),
            ("patternProperties", Value::Object(all)) => {
                for (pattern, schema) in all {
                    self.edge(state, Step::any(), schema, below(at, pattern));
                }
            }
            ("additionalProperties", _) => {
                let known = keywords.get("properties").and_then(Value::as_object);
                let known = known.into_iter().flat_map(Map::keys).map(|key| key.as_str().into());
                self.edge(state, Step::Other(known.collect()), schema, at.to_owned());
            }
            ("prefixItems" | "items", Value::Array(elements)) => {
                for (index, schema) in elements.iter().enumerate() {
                    let index = index.to_string();
                    let place = below(at, &index);
                    self.edge(state, Step::Key(index.into()), schema, place);
                }
            }
            ("items" | "additionalItems", _) => {
                let first =
                    ["prefixItems", "items"].into_iter().find_map(|key| keywords.get(key)?.as_array());
                let first = (0..first.map_or(0, Vec::len)).map(|index| index.to_string().into());
                self.edge(state, Step::Other(first.collect()), schema, at.to_owned());
            }
            _ => {}
        }
    }

    fn named(&mut self, state: usize, all: &'a Map<String, Value>, at: &str) {
        for (key, schema) in all {
            self.edge(state, Step::Key(key.as_str().into()), schema, below(at, key));
        }
    }

    fn edge(&mut self, state: usize, step: Step, schema: &'a Value, at: String) {
        let to = self.state(schema, at);
        self.graph.states[state].next.push((step, to));
    }

    /// One schema, a list of them, or a table of them: all say something of the same value.
    fn in_place(&mut self, state: usize, schema: &'a Value, at: &str) {
        let schemas: Vec<(String, &Value)> = match schema {
            Value::Array(all) => {
                all.iter().enumerate().map(|(index, one)| (below(at, &index.to_string()), one)).collect()
            }
            Value::Object(all) if at.ends_with("/dependentSchemas") => {
                all.iter().map(|(key, one)| (below(at, key), one)).collect()
            }
            one => vec![(at.to_owned(), one)],
        };
        for (at, schema) in schemas {
            let to = self.state(schema, at);
            self.graph.states[state].also.push(to);
        }
    }

    fn follow(&mut self, state: usize, reference: &'a Value) {
        let Some((at, schema)) = reference.as_str().and_then(|text| resolve(self.document, text)) else {
            return;
        };
        let to = self.state(schema, at);
        self.graph.states[state].also.push(to);
    }
}

/// What a word, or a list of words, says.
fn rules(words: &Value, at: &str) -> Result<Vec<Rule>, Unknown> {
    match words {
        Value::Array(words) => {
            let each = words.iter().enumerate();
            each.map(|(index, word)| rule(word, &below(at, &index.to_string()))).collect()
        }
        word => rule(word, at).map(|rule| vec![rule]),
    }
}

fn rule(word: &Value, at: &str) -> Result<Rule, Unknown> {
    match word.as_str() {
        Some("restart") => Ok(Rule::Restart),
        Some("immutable") => Ok(Rule::Immutable),
        Some("secret") => Ok(Rule::Secret),
        _ => {
            let message = format!(
                "{word} is no rule for a field: {KEYWORD:?} takes \"restart\", \"immutable\", \"secret\", or a list of them"
            );
            Err(Unknown { pointer: at.to_owned(), message })
        }
    }
}

/// The subschema that a reference within the document names, and the pointer to it.
fn resolve<'a>(document: &'a Value, reference: &str) -> Option<(String, &'a Value)> {
    let (base, fragment) = reference.split_once('#').unwrap_or((reference, ""));
    let (at, base) = match base {
        "" => (String::new(), document),
        // Whether it is written in full or is to be completed by the `$id` of the document.
        base => find(document, String::new(), &|schema| {
            keyword(schema, "$id").is_some_and(|id| same_address(id, base))
        })?,
    };
    let fragment = percent_decoded(fragment);
    if fragment.is_empty() || fragment.starts_with('/') {
        return Some((at + &fragment, base.pointer(&fragment)?));
    }
    let names = ["$anchor", "$dynamicAnchor"];
    find(base, at, &|schema| names.iter().any(|name| keyword(schema, name) == Some(&fragment)))
}

/// The first subschema that is `wanted`, at whatever place a subschema may have.
fn find<'a>(schema: &'a Value, at: String, wanted: &dyn Fn(&Value) -> bool) -> Option<(String, &'a Value)> {
    if wanted(schema) {
        return Some((at, schema));
    }
    match schema {
        Value::Object(all) => all.iter().find_map(|(key, one)| find(one, below(&at, key), wanted)),
        Value::Array(all) => {
            all.iter().enumerate().find_map(|(index, one)| find(one, below(&at, &index.to_string()), wanted))
        }
        _ => None,
    }
}

fn keyword<'a>(schema: &'a Value, name: &str) -> Option<&'a str> {
    schema.get(name).and_then(Value::as_str)
}

/// Whether two addresses within one document are the same, as far as one may be written shorter.
fn same_address(a: &str, b: &str) -> bool {
    let [a, b] = [a, b].map(|address| address.trim_end_matches('#'));
    let ends = |long: &str, short: &str| long.strip_suffix(short).is_some_and(|rest| rest.ends_with('/'));
    a == b || ends(a, b.trim_start_matches('/')) || ends(b, a.trim_start_matches('/'))
}

/// A part of an address, with what is escaped by `%` as it is meant.
fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let byte = escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(byte.unwrap_or(bytes[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}
