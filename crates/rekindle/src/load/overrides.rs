//! Overrides: what code or the command line sets over every other layer.
//!
//! In: `NAME.KEY.KEY=VALUE`, or a JSON pointer and a value. Out: the configuration and the assignment.
//! Pure.

use serde_json::Value;

use super::assign::{Assignment, Given};
use super::origin::{LayerKind, Origin};
use super::tree::MAX_DEPTH;
use crate::error::{Error, ErrorKind, Result};
use crate::route::check_name;

/// A value that is set over every other layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Override {
    pub(crate) config: String,
    pub(crate) assignment: Assignment,
}

impl Override {
    /// A value under a JSON pointer.
    pub(crate) fn at(config: &str, pointer: &str, value: Value) -> Result<Self> {
        let malformed = || {
            let message = format!("{pointer:?} is no JSON pointer to a key");
            Error::new(ErrorKind::Syntax, message).help("expected a form like /server/port")
        };
        let rest = pointer.strip_prefix('/').ok_or_else(malformed)?;
        let steps: Vec<String> =
            rest.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
        Self::new(config, steps, Given::Exact(value))
    }

    /// An argument of a command line: `app.server.port=80`.
    pub(crate) fn parse(argument: &str) -> Result<Self> {
        let malformed = |what: &str| {
            let shown = argument.split_once('=').map_or(argument, |(before, _)| before);
            Error::new(ErrorKind::Syntax, format!("the override {shown:?} {what}"))
                .help("expected NAME.KEY.KEY=VALUE, as in app.server.port=80")
        };
        let (path, text) = argument.split_once('=').ok_or_else(|| malformed("has no `=`"))?;
        let mut parts = path.split('.').map(str::to_owned);
        let config = parts.next().unwrap_or_default();
        let steps: Vec<String> = parts.collect();
        if steps.is_empty() {
            return Err(malformed("names no key of a configuration"));
        }
        if config.is_empty() || steps.iter().any(String::is_empty) {
            return Err(malformed("has an empty name or key"));
        }
        Self::new(&config, steps, Given::Typed(text.to_owned()))
    }

    fn new(config: &str, steps: Vec<String>, given: Given) -> Result<Self> {
        check_name(config)?;
        if steps.len() > MAX_DEPTH {
            let message = format!("the keys of an override are nested more than {MAX_DEPTH} deep");
            return Err(Error::new(ErrorKind::Limit, message));
        }
        let assignment = Assignment { steps, given, origin: Origin::code(LayerKind::Override) };
        Ok(Self { config: config.to_owned(), assignment })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::load::assign::pointer;

    #[test]
    fn an_argument_names_a_configuration_keys_and_a_value() {
        let parsed = |argument| {
            let Override { config, assignment } = Override::parse(argument).unwrap();
            (config, pointer(&assignment.steps), assignment.given)
        };
        let typed = |config: &str, pointer: &str, text: &str| {
            (config.to_owned(), pointer.to_owned(), Given::Typed(text.into()))
        };
        assert_eq!(parsed("app.server.port=80"), typed("app", "/server/port", "80"));
        assert_eq!(parsed("sub/app.K=a=b.c"), typed("sub/app", "/K", "a=b.c"));
        assert_eq!(parsed("app.k="), typed("app", "/k", ""));
    }

    #[test]
    fn a_pointer_names_keys_with_any_characters() {
        let made = Override::at("app", "/a.b/c~1d~0", json!([1])).unwrap();
        assert_eq!(made.assignment.steps, ["a.b", "c/d~"]);
        assert_eq!(made.assignment.given, Given::Exact(json!([1])));
    }

    #[test]
    fn what_is_malformed_is_refused_without_its_value() {
        let refused = |argument| Override::parse(argument).unwrap_err().to_string();
        let help = "(expected NAME.KEY.KEY=VALUE, as in app.server.port=80)";
        assert_eq!(refused("app.port"), format!("the override \"app.port\" has no `=` {help}"));
        assert_eq!(refused("app=5"), format!("the override \"app\" names no key of a configuration {help}"));
        assert_eq!(refused("app..x=5"), format!("the override \"app..x\" has an empty name or key {help}"));
        assert_eq!(refused(".x=5"), format!("the override \".x\" has an empty name or key {help}"));
        assert_eq!(Override::parse("/app.x=5").unwrap_err().kind(), ErrorKind::Name);
        assert_eq!(
            Override::at("app", "port", json!(1)).unwrap_err().to_string(),
            "\"port\" is no JSON pointer to a key (expected a form like /server/port)"
        );
        assert!(Override::at("app", "", json!(1)).is_err());
        assert_eq!(Override::at("app", &"/a".repeat(200), json!(1)).unwrap_err().kind(), ErrorKind::Limit);
    }
}
