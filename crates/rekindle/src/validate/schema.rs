//! JSON Schema: `config/NAME.schema.json`, compiled once per content.

use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Location, Result};
use crate::load::{Candidate, Source};
use crate::validate::Fields;

/// A compiled schema and the file it came from.
#[derive(Debug, Clone)]
pub(crate) struct Schema {
    pub(crate) source: Arc<Source>,
    /// What its `"x-rekindle"` words state.
    pub(crate) fields: Fields,
    #[cfg(feature = "schema")]
    compiled: Arc<jsonschema::Validator>,
}

impl Schema {
    /// Compiles the schema in `source`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Schema`] when the file is no schema, or refers to one elsewhere: nothing is fetched.
    pub(crate) fn compile(source: Arc<Source>, root: &Path) -> Result<Self> {
        let document = source.node.to_value();
        let refused = |pointer: &str, message: String| {
            let location = Location::file(&source.bytes.path, root);
            let place = source.node.nearest(pointer).place.span.clone();
            Error::new(ErrorKind::Schema, message).at(location.at(&source.text, place))
        };
        let fields =
            Fields::of_schema(&document).map_err(|unknown| refused(&unknown.pointer, unknown.message))?;
        #[cfg(feature = "schema")]
        let compiled = jsonschema::options().build(&document).map_err(|fault| {
            refused(fault.instance_path().as_str(), format!("this is no usable JSON Schema: {fault}"))
        })?;
        Ok(Self {
            fields,
            #[cfg(feature = "schema")]
            compiled: Arc::new(compiled),
            source,
        })
    }

    /// What is wrong with a configuration's value: pointers into it, and messages without its secrets.
    #[cfg(feature = "schema")]
    pub(crate) fn faults(&self, candidate: &Candidate) -> Vec<(String, String)> {
        let (secrets, scrubber) = (candidate.secrets(), candidate.scrubber());
        let faults = self.compiled.iter_errors(&candidate.value);
        let faults = faults.map(|fault| {
            let pointer = fault.instance_path().as_str().to_owned();
            let message = match fault.kind() {
                kind if secrets.is_secret(&pointer) && quotes_keys(kind) => {
                    "*** has keys that are not allowed".into()
                }
                _ if secrets.concern(&pointer, &candidate.value) => fault.masked_with("***").to_string(),
                _ => fault.to_string(),
            };
            (pointer, scrubber.scrub(&message))
        });
        faults.collect()
    }

    /// Nothing: without the feature `schema` every schema accepts everything.
    #[cfg(not(feature = "schema"))]
    pub(crate) fn faults(&self, _candidate: &Candidate) -> Vec<(String, String)> {
        Vec::new()
    }
}

/// Whether a message quotes keys of the value, which are not masked with it.
#[cfg(feature = "schema")]
fn quotes_keys(kind: &jsonschema::error::ValidationErrorKind) -> bool {
    use jsonschema::error::ValidationErrorKind as Kind;
    matches!(
        kind,
        Kind::AdditionalProperties { .. } | Kind::UnevaluatedProperties { .. } | Kind::PropertyNames { .. }
    )
}
