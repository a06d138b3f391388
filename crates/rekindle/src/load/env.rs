//! Environment variables as a layer: `PREFIX_APP__SERVER__PORT=80` is `/server/port` of `app`.
//!
//! In: the variables of one moment. Out: the values they set. Pure: the process's environment is read
//! by the caller.

use super::assign::{Assignment, Assignments, Given, split};
use super::origin::Origin;

/// The variables that begin with the prefix and lead to a key of a configuration.
///
/// `_` parts the prefix from the name, `__` the name and the keys from each other; case does not count.
/// They are laid over a configuration in the order of their names.
pub(crate) fn variables(prefix: &str, all: impl IntoIterator<Item = (String, String)>) -> Assignments {
    let prefix = Prefix::new(prefix);
    let mut all: Vec<(String, String)> = all.into_iter().collect();
    all.sort();
    let mut found = Assignments::default();
    for (variable, text) in all {
        if let Some((config, steps)) = prefix.split(&variable) {
            let origin = Origin::variable_named(&variable);
            found.push(config, Assignment { steps, given: Given::Typed(text), origin });
        }
    }
    found
}

/// What the names of a program's variables begin with.
#[derive(Debug, Clone)]
pub(super) struct Prefix(String);

impl Prefix {
    /// That of a program that calls itself so: `MY` and `MY_` are the same.
    pub(super) fn new(prefix: &str) -> Self {
        Self(format!("{}_", prefix.trim_end_matches('_').to_lowercase()))
    }

    /// For names that begin with the configuration's.
    pub(super) fn none() -> Self {
        Self(String::new())
    }

    /// The configuration and the keys that a variable is for.
    pub(super) fn split(&self, variable: &str) -> Option<(String, Vec<String>)> {
        split(variable.to_lowercase().strip_prefix(&self.0)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_prefix_and_only_with_a_key() {
        let pairs = [
            ("my_app__lower", "x"),
            ("MY_APP__SERVER__HOST", "h"),
            ("MY_APP__PORT", "1"),
            ("MY_SUB_APP__K", "v"),
            ("MYAPP__X", "no"),
            ("MY_APP", "no key"),
            ("MY_APP____X", "empty key"),
            ("OTHER_APP__X", "no"),
        ];
        for prefix in ["MY", "my_"] {
            let found = variables(prefix, pairs.map(|(name, text)| (name.to_owned(), text.to_owned())));
            let names = |name| {
                let own = found.of(name).iter();
                own.filter_map(|variable| variable.origin.variable()).collect::<Vec<_>>()
            };
            assert_eq!(names("app"), ["MY_APP__PORT", "MY_APP__SERVER__HOST", "my_app__lower"]);
            assert_eq!(names("sub/app"), ["MY_SUB_APP__K"]);
            assert_eq!(names("sub-app"), ["MY_SUB_APP__K"]);
            assert!(names("other").is_empty());
        }
    }
}
