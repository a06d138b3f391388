//! JSON Schema: `config/NAME.schema.json`, compiled once per content.

use std::sync::Arc;

use crate::error::Result;
#[cfg(feature = "schema")]
use crate::error::{Error, ErrorKind, Location};
use crate::load::Source;

/// A compiled schema and the file it came from.
#[derive(Debug, Clone)]
pub(crate) struct Schema {
    pub(crate) source: Arc<Source>,
    #[cfg(feature = "schema")]
    compiled: Arc<jsonschema::Validator>,
}

#[cfg(feature = "schema")]
impl Schema {
    /// Compiles the schema in `source`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Schema`] when the file is no schema, or refers to one elsewhere: nothing is fetched.
    pub(crate) fn compile(source: Arc<Source>, root: &std::path::Path) -> Result<Self> {
        let compiled = jsonschema::options().build(&source.node.to_value()).map_err(|fault| {
            let location = Location::file(&source.bytes.path, root);
            let place = source.node.nearest(fault.instance_path().as_str()).place.span.clone();
            let message = format!("this is no usable JSON Schema: {fault}");
            Error::new(ErrorKind::Schema, message).at(location.at(&source.text, place))
        })?;
        Ok(Self { source, compiled: Arc::new(compiled) })
    }

    /// What is wrong with a value: pointers into it, and messages.
    pub(crate) fn faults(&self, value: &serde_json::Value) -> Vec<(String, String)> {
        let faults = self.compiled.iter_errors(value);
        faults.map(|fault| (fault.instance_path().as_str().to_owned(), fault.to_string())).collect()
    }
}

#[cfg(not(feature = "schema"))]
impl Schema {
    /// Without the feature `schema` every schema accepts everything.
    pub(crate) fn compile(source: Arc<Source>, _root: &std::path::Path) -> Result<Self> {
        Ok(Self { source })
    }

    /// Nothing.
    pub(crate) fn faults(&self, _value: &serde_json::Value) -> Vec<(String, String)> {
        Vec::new()
    }
}
