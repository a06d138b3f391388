//! What the manifests say, as cargo reads them: nothing of it is copied here by hand.

use std::path::PathBuf;

use serde_json::Value;

use crate::cmd::Cmd;
use crate::error::{Error, Result};

/// The workspace's own packages, dependencies left out: no registry is asked.
#[derive(Debug)]
pub(crate) struct Metadata {
    packages: Vec<Package>,
    /// Where cargo builds, as the caller's environment has it.
    pub(crate) target: PathBuf,
}

#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Sorted, `default` among them, implicit ones of optional dependencies as well.
    pub(crate) features: Vec<String>,
    pub(crate) rust_version: Option<String>,
}

impl Metadata {
    pub(crate) fn load() -> Result<Self> {
        Self::parse(&Cmd::new("cargo metadata --no-deps --format-version 1").read()?)
    }

    pub(crate) fn parse(json: &str) -> Result<Self> {
        let root: Value = serde_json::from_str(json)
            .map_err(|error| Error::new(format!("`cargo metadata` printed no JSON: {error}")))?;
        let packages = root["packages"].as_array().ok_or_else(|| malformed("packages"))?;
        let target = root["target_directory"].as_str().ok_or_else(|| malformed("target_directory"))?;
        Ok(Self { packages: packages.iter().map(package).collect::<Result<_>>()?, target: target.into() })
    }

    pub(crate) fn package(&self, name: &str) -> Result<&Package> {
        self.packages.iter().find(|package| package.name == name).ok_or_else(|| {
            let names: Vec<_> = self.packages.iter().map(|package| package.name.as_str()).collect();
            Error::new(format!("the workspace has no package `{name}`, only {}", names.join(", ")))
        })
    }
}

fn package(value: &Value) -> Result<Package> {
    let name = value["name"].as_str().ok_or_else(|| malformed("packages[].name"))?;
    let features = value["features"].as_object().ok_or_else(|| malformed("packages[].features"))?;
    let mut features: Vec<String> = features.keys().cloned().collect();
    features.sort_unstable();
    let rust_version = value["rust_version"].as_str().map(str::to_owned);
    Ok(Package { name: name.to_owned(), features, rust_version })
}

fn malformed(field: &str) -> Error {
    Error::new(format!("`cargo metadata` printed no usable `{field}`: has its format changed?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = r#"{"packages": [
        {"name": "cli", "features": {}, "rust_version": null},
        {"name": "lib", "features": {"toml": ["dep:toml"], "default": ["toml"]}, "rust_version": "1.89"}
    ], "target_directory": "/target", "version": 1}"#;

    #[test]
    fn finds_features_and_rust_version() {
        let metadata = Metadata::parse(TWO).unwrap();
        let lib = metadata.package("lib").unwrap();
        assert_eq!(lib.features, ["default", "toml"]);
        assert_eq!(lib.rust_version.as_deref(), Some("1.89"));
        assert_eq!(metadata.package("cli").unwrap().rust_version, None);
        assert_eq!(metadata.target, PathBuf::from("/target"));
    }

    #[test]
    fn a_missing_package_is_named_along_with_those_there_are() {
        let error = Metadata::parse(TWO).unwrap().package("bil").unwrap_err().to_string();
        assert_eq!(error, "the workspace has no package `bil`, only cli, lib");
    }

    #[test]
    fn a_changed_format_is_an_error_that_says_where() {
        assert!(Metadata::parse("nonsense").unwrap_err().to_string().contains("printed no JSON"));
        assert!(Metadata::parse("{}").unwrap_err().to_string().contains("`packages`"));
        let targetless = Metadata::parse(r#"{"packages": []}"#).unwrap_err().to_string();
        assert!(targetless.contains("`target_directory`"), "{targetless}");
        let unnamed = Metadata::parse(r#"{"packages": [{"features": {}}], "target_directory": ""}"#)
            .unwrap_err()
            .to_string();
        assert!(unnamed.contains("`packages[].name`"), "{unnamed}");
    }
}
