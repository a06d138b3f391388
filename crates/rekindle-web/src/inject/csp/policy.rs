//! [`Policy`]: a content security policy, parsed and written again.
//!
//! <https://www.w3.org/TR/CSP3/#parse-serialized-policy>

use std::fmt;

/// A policy: directives, of which the first of a name counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Policy(Vec<Directive>);

/// A directive: its name and what it lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Directive {
    name: String,
    sources: Vec<String>,
}

impl Policy {
    pub(super) fn parse(text: &str) -> Self {
        Self(text.split(';').filter_map(Directive::parse).collect())
    }

    /// The policies of a header's value: they are separated by commas, which nothing in them contains.
    pub(super) fn parse_list(text: &str) -> Vec<Self> {
        text.split(',').map(Self::parse).collect()
    }

    pub(super) fn get(&self, name: &str) -> Option<&Directive> {
        self.0.iter().find(|directive| directive.is(name))
    }

    /// The first directive of a chain of fallbacks that is there.
    pub(super) fn effective(&self, chain: &[&str]) -> Option<&Directive> {
        chain.iter().find_map(|name| self.get(name))
    }

    /// The directive of that name, added with these sources if it is not there.
    pub(super) fn get_or_add(&mut self, name: &str, sources: Vec<String>) -> &mut Directive {
        let index = self.0.iter().position(|directive| directive.is(name)).unwrap_or_else(|| {
            self.0.push(Directive { name: name.to_owned(), sources });
            self.0.len() - 1
        });
        &mut self.0[index]
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, directive) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { "; " })?;
            f.write_str(&directive.name)?;
            for source in &directive.sources {
                write!(f, " {source}")?;
            }
        }
        Ok(())
    }
}

impl Directive {
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace().map(str::to_owned);
        Some(Self { name: words.next()?, sources: words.collect() })
    }

    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    pub(super) fn sources(&self) -> &[String] {
        &self.sources
    }

    /// Whether it lists this word, in whatever case.
    pub(super) fn lists(&self, word: &str) -> bool {
        self.sources.iter().any(|source| source.eq_ignore_ascii_case(word))
    }

    /// Whether it allows all of the page's own origin.
    pub(super) fn allows_own_origin(&self) -> bool {
        self.lists("'self'") || self.lists("*")
    }

    /// Its nonces, in characters that need no escaping anywhere.
    pub(super) fn nonces(&self) -> impl Iterator<Item = &str> {
        let nonces = self.sources.iter().filter_map(|source| nonce(source));
        nonces.filter(|nonce| nonce.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=-_".contains(&b)))
    }

    /// Its sources that are places: all that a policy without scripts or styles has a use for.
    pub(super) fn places(&self) -> Vec<String> {
        let place = |source: &&String| !source.starts_with('\'') || source.eq_ignore_ascii_case("'self'");
        self.sources.iter().filter(place).cloned().collect()
    }

    /// Lists one more source, in the place of `'none'`.
    pub(super) fn allow(&mut self, source: &str) {
        self.sources.retain(|it| !it.eq_ignore_ascii_case("'none'"));
        if !self.lists(source) {
            self.sources.push(source.to_owned());
        }
    }
}

fn nonce(source: &str) -> Option<&str> {
    let (prefix, nonce) = source.strip_suffix('\'')?.split_at_checked("'nonce-".len())?;
    (prefix.eq_ignore_ascii_case("'nonce-") && !nonce.is_empty()).then_some(nonce)
}
